//! Rule books: published, activated, abolished; who applies them without an officer.

use super::bank::Bank;
use super::book::{BOOK, version};
use super::refused;
use super::say::*;
use credit_ledger::{AutoApprovalsRow, BookRow, GivenApproval, Row, RowId};
use credit_types::limits::{AUTO_APPROVALS_MAX, BOOK_VERSIONS_MAX};
use credit_types::*;

fn row(bank: &Bank) -> BookRow {
    match bank.rows.get(&RowId::Book(book(1).book_id)) {
        Some(Row::Book(row)) => row.as_ref().clone(),
        other => panic!("no book: {other:?}"),
    }
}

#[test]
fn a_book_is_published_and_comes_into_force_after_its_notice() {
    let mut bank = Bank::founded(2, |_| {});
    let published = bank.publish(BOOK).unwrap();
    assert_eq!(bank.last()[0].kind(), EventKind::RuleBookPublished);
    assert_eq!(row(&bank).version(1).unwrap().published_index, published);
    assert!(row(&bank).in_force(bank.today()).is_none());
    bank.wait_us(i64::from(NOTICE_DAYS) * limits::DAY_US - 1);
    let early = refused(bank.change_book(1, RuleBookAction::Activate), Reason::BookNoticeRunning, "");
    assert_eq!(early.index, Some(published));
    bank.wait_us(1);
    let activated = bank.change_book(1, RuleBookAction::Activate).unwrap();
    assert_eq!(bank.last()[0].kind(), EventKind::RuleBookChanged);
    assert_eq!(row(&bank).version(1).unwrap().activated_index, Some(activated));
    assert_eq!(row(&bank).in_force(bank.today()).map(|row| row.last_index), Some(activated));
    assert!(row(&bank).in_force(day("2025-08-31")).is_none(), "before its window");
    let again = refused(bank.change_book(1, RuleBookAction::Activate), Reason::BookStateWrong, "");
    assert_eq!(again.index, Some(activated));
    let abolished = bank.change_book(1, RuleBookAction::Abolish).unwrap();
    assert_eq!(row(&bank).version(1).unwrap().abolished_index, Some(abolished));
    assert!(row(&bank).in_force(bank.today()).is_none());
    for action in [RuleBookAction::Activate, RuleBookAction::Abolish] {
        refused(bank.change_book(1, action), Reason::BookStateWrong, "");
    }
    bank.check_rebuild();
}

#[test]
fn what_was_never_activated_is_abolished_without_notice_and_never_activated() {
    let mut bank = Bank::founded(2, |_| {});
    bank.publish(BOOK).unwrap();
    // An abolition needs the threshold only.
    let abolition = |statement: &mut Signed<RuleBookChange>| statement.signers.truncate(2);
    bank.change_book_with(1, RuleBookAction::Abolish, abolition).unwrap();
    bank.wait_days(NOTICE_DAYS);
    refused(bank.change_book(1, RuleBookAction::Activate), Reason::BookStateWrong, "");
}

#[test]
fn an_activation_carries_the_quorum_and_never_less_than_the_threshold() {
    let quorum = |quorum| move |genesis: &mut Genesis| genesis.policy.quorum = quorum;
    for (needed, keys, enough) in [(3, 3, true), (3, 2, false), (0, 2, true), (0, 1, false), (1, 1, false)] {
        let mut bank = Bank::founded(2, quorum(needed));
        bank.publish(BOOK).unwrap();
        bank.wait_days(NOTICE_DAYS);
        let outcome = bank.change_book_with(1, RuleBookAction::Activate, |s| s.signers.truncate(keys));
        if enough {
            outcome.unwrap();
        } else {
            refused(outcome, Reason::ThresholdNotMet, "signatures");
        }
    }
}

#[test]
fn only_the_authority_publishes_and_changes_books() {
    let mut bank = Bank::founded(2, |_| {});
    let by_u = |header: &mut Header| header.signer = SignerId::Institution(institution("u"));
    refused(
        bank.publish_with(BOOK, |statement, _| by_u(&mut statement.header)),
        Reason::SignerNotAllowed,
        "header.signer_id",
    );
    bank.publish(BOOK).unwrap();
    bank.wait_days(NOTICE_DAYS);
    refused(
        bank.change_book_with(1, RuleBookAction::Activate, |statement| by_u(&mut statement.header)),
        Reason::SignerNotAllowed,
        "header.signer_id",
    );
    refused(
        bank.publish_with(&version(2), |statement, _| statement.signers.truncate(1)),
        Reason::ThresholdNotMet,
        "signatures",
    );
}

#[test]
fn versions_rise_whether_or_not_they_came_into_force() {
    let mut bank = Bank::founded(2, |_| {});
    let second = bank.publish(&version(2)).unwrap();
    for number in [1, 2] {
        let rejection = refused(bank.publish(&version(number)), Reason::BookVersionNotNewer, "version");
        assert_eq!(rejection.index, Some(second));
        assert_eq!(rejection.detail.as_deref(), Some("must be above 2"));
    }
    bank.publish(&version(9)).unwrap();
    let versions: Vec<u32> = row(&bank).versions.iter().map(|row| row.publication.book.version).collect();
    assert_eq!(versions, [2, 9]);
}

#[test]
fn a_framework_and_a_book_never_share_an_id() {
    let mut bank = Bank::founded(2, |_| {});
    let taken = BOOK.replacen("id = \"bank\"", "id = \"nqf\"", 1);
    refused(bank.publish(&taken), Reason::BookIdTaken, "book_id");
    bank.publish(BOOK).unwrap();
    refused(bank.framework("bank", 1), Reason::BookIdTaken, "framework_id");
    bank.framework("bank2", 1).unwrap();
}

/// Something else about a book.
type Change = fn(&mut BookCheck);

#[test]
fn a_statement_says_of_a_book_what_the_book_says_of_itself() {
    let mut bank = Bank::founded(2, |_| {});
    let until = Some(day("2027-01-01"));
    let cases: [(&str, Change); 6] = [
        ("book_id", |check| check.book.book_id = FrameworkId::new("other").unwrap()),
        ("version", |check| check.book.version += 1),
        ("size_bytes", |check| check.size_bytes += 1),
        ("effective_from", |check| check.effective_from = None),
        ("effective_until", |check| check.effective_until = Some(CivilDate::new(2027, 1, 1).unwrap())),
        ("select_by", |check| check.select_by = BookDate::Earned),
    ];
    for (field, change) in cases {
        refused(bank.publish_with(BOOK, |_, check| change(check)), Reason::BookMismatch, field);
    }
    bank.publish_with(BOOK, |statement, check| {
        (statement.body.effective_until, check.effective_until) = (until, until);
    })
    .unwrap();
}

#[test]
fn a_change_names_a_book_that_is_there_and_its_last_entry() {
    let mut bank = Bank::founded(2, |_| {});
    refused(bank.change_book(1, RuleBookAction::Abolish), Reason::BookUnknown, "book_id");
    let published = bank.publish(BOOK).unwrap();
    refused(bank.change_book(2, RuleBookAction::Abolish), Reason::BookUnknown, "version");
    let first = bank.leaf(0).unwrap();
    let stale = bank.change_book_with(1, RuleBookAction::Abolish, |s| s.body.after = first);
    assert_eq!(refused(stale, Reason::StaleStatement, "after").index, Some(published));
    refused(
        bank.allow_with("u", &[], "2026-12-31", |s| s.body.book.version = 2),
        Reason::BookUnknown,
        "version",
    );
    refused(
        bank.allow_with("u", &[], "2026-12-31", |s| s.body.book.book_id = FrameworkId::new("x").unwrap()),
        Reason::BookUnknown,
        "book_id",
    );
}

#[test]
fn a_book_has_at_most_512_versions() {
    let mut bank = Bank::founded(2, |_| {});
    bank.publish(BOOK).unwrap();
    let first = row(&bank).versions[0].clone();
    let version_row = |number: u32| {
        let mut row = first.clone();
        row.publication.book.version = number;
        row
    };
    let most = u32::try_from(BOOK_VERSIONS_MAX).unwrap();
    let versions = (1..most).map(version_row).collect();
    bank.prepare(RowId::Book(book(1).book_id), Row::Book(BookRow { versions }.into()));
    bank.publish(&version(most)).unwrap();
    assert_eq!(row(&bank).versions.len(), BOOK_VERSIONS_MAX);
    refused(bank.publish(&version(most + 1)), Reason::BookLimitReached, "");
    bank.check_rebuild();
}

fn approvals(bank: &Bank, by: &str) -> AutoApprovalsRow {
    match bank.rows.get(&RowId::AutoApprovals(institution(by))) {
        Some(Row::AutoApprovals(row)) => row.as_ref().clone(),
        other => panic!("no approvals: {other:?}"),
    }
}

#[test]
fn an_acceptor_says_what_it_applies_without_an_officer_and_the_newest_counts() {
    let mut bank = Bank::open();
    let first = bank.allow("u", &["hours"], "2026-12-31").unwrap();
    assert_eq!(bank.last()[0].kind(), EventKind::AutoApprovalGiven);
    assert_eq!(approvals(&bank, "u").approvals[0].index, first);
    let second = bank.allow("u", &[], "2026-12-31").unwrap();
    let now = approvals(&bank, "u").approvals;
    assert_eq!(now.iter().map(|one| one.index).collect::<Vec<_>>(), [second]);
    refused(bank.allow("t", &[], "2026-12-31"), Reason::RoleMissing, "");
    let registry = |s: &mut Signed<AutoApproval>| s.signers = vec![kid("u.status")];
    refused(bank.allow_with("u", &[], "2026-12-31", registry), Reason::KeyPurposeWrong, "signatures");
    bank.change_book(1, RuleBookAction::Abolish).unwrap();
    refused(bank.allow("u", &[], "2026-12-31"), Reason::BookStateWrong, "");
    bank.check_rebuild();
}

#[test]
fn an_institution_has_at_most_64_auto_approvals() {
    let mut bank = Bank::open();
    bank.publish(&version(2)).unwrap();
    bank.publish(&version(3)).unwrap();
    let given = |version: u32| GivenApproval {
        approval: AutoApproval { book: book(version), rules: Vec::new(), until: day("2026-12-31") },
        index: 1,
    };
    let most = u32::try_from(AUTO_APPROVALS_MAX).unwrap();
    let of = |versions: std::ops::RangeInclusive<u32>| AutoApprovalsRow {
        approvals: versions.map(given).collect(),
    };
    let id = RowId::AutoApprovals(institution("u"));
    // 63 of others: the one of version 1 is the 64th, that of version 2 would be one more.
    bank.prepare(id.clone(), Row::AutoApprovals(of(101..=100 + most - 1).into()));
    bank.allow("u", &[], "2026-12-31").unwrap();
    assert_eq!(approvals(&bank, "u").approvals.len(), AUTO_APPROVALS_MAX);
    refused(
        bank.allow_with("u", &[], "2026-12-31", |s| s.body.book = book(2)),
        Reason::AutoApprovalLimitReached,
        "",
    );
    bank.allow("u", &["hours"], "2026-12-31").unwrap();
    bank.check_rebuild();
}

/// Of several versions whose windows have a day, the newest that is active counts.
#[test]
fn the_newest_active_version_is_in_force() {
    let mut bank = Bank::open();
    bank.bring(2);
    bank.publish(&version(3)).unwrap();
    let newest = |bank: &Bank| row(bank).in_force(bank.today()).map(|row| row.publication.book.version);
    assert_eq!(newest(&bank), Some(2));
    bank.change_book(2, RuleBookAction::Abolish).unwrap();
    assert_eq!(newest(&bank), Some(1));
}
