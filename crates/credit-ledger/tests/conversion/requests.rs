//! Applications: what is proposed and held, what is granted at once, and what is refused.

use super::bank::Bank;
use super::book::{BOOK, version};
use super::refused;
use super::say::*;
use credit_types::conversion::{granted_facts, granted_id};
use credit_types::*;

pub(super) fn kinds(bank: &Bank) -> Vec<EventKind> {
    bank.last().iter().map(Event::kind).collect()
}

pub(super) fn item(
    rule: &str,
    kind: &str,
    place: ConvertedPlace,
    milli: i64,
    sources: &[u32],
) -> ProposedItem {
    ProposedItem {
        rule: name(rule),
        rule_kind: Some(name(kind)),
        place,
        scheme: scheme(),
        credits: Some(credits(milli)),
        sources: sources.to_vec(),
        consumption: Consumption::PerProgramme,
        programme: Some(name("U-AD")),
        award_level: None,
    }
}

#[test]
fn what_the_book_proposes_is_held_until_it_is_decided() {
    let mut bank = Bank::open();
    bank.deposit("t/a", "ann", What::Named("A"));
    bank.deposit("t/b", "ann", What::Named("B"));
    bank.deposit("t/g", "ann", What::Grade(2, 5_000));
    bank.deposit("t/h", "ann", What::Training(20, 1_000));
    bank.deposit("t/z", "ann", What::Exam(1_000));
    // What the book takes nothing of is not held.
    bank.deposit("t/n", "ann", What::Hours(8));
    let records = ["t/a", "t/b", "t/g", "t/h", "t/n"];
    let application = bank.apply("ann", "U-AD", &records).unwrap();
    assert_eq!(kinds(&bank), [EventKind::ConversionRequested]);
    let row = bank.application(application).clone();
    let grade = ProposedItem {
        consumption: Consumption::Global,
        ..item("grades", "skill", ConvertedPlace::Requirement(name("professional")), 2_000, &[2])
    };
    let mut items = row.items.clone();
    items.sort_by(|a, b| a.rule.cmp(&b.rule));
    let expected = [
        grade,
        item("hours", "training", ConvertedPlace::Requirement(name("elective")), 1_000, &[3]),
        item("pair", "bundle", ConvertedPlace::Course(name("cn.u:C1")), 4_000, &[0, 1]),
    ];
    assert_eq!(items, expected);
    assert_eq!(row.sources(), [0, 1, 2, 3]);
    assert_eq!((row.status, row.registrar), (ApplicationStatus::UnderReview, institution("r")));
    assert_eq!(row.granted, []);
    for id in ["t/a", "t/b", "t/g", "t/h"] {
        assert_eq!(bank.bucket(id), Some(Bucket::Reserved), "{id}");
        assert_eq!(bank.uses(account("ann")).holder(&record(id)), Some(application));
    }
    assert_eq!(bank.bucket("t/z"), Some(Bucket::Available));
    assert_eq!(bank.uses(account("ann")).holder(&record("t/n")), None);
    assert_eq!(bank.uses(account("ann")).applications, [application]);
    bank.check_rebuild();
}

#[test]
fn what_the_institution_applies_without_an_officer_is_granted_at_once() {
    let mut bank = Bank::open();
    let approval = bank.allow("u", &["hours"], "2026-12-31").unwrap();
    bank.deposit("t/h", "ann", What::Training(20, 3_000));
    let application = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    assert_eq!(kinds(&bank), [EventKind::ConversionRequested, EventKind::ConversionChanged]);
    let row = bank.application(application).clone();
    assert_eq!((row.status, row.auto_approval), (ApplicationStatus::Posted, Some(approval)));
    let id = granted_id(row.statement_id, 0);
    let granted = Granted { record_id: id, position: 0, credits: Some(credits(1_000)) };
    assert_eq!(row.granted, std::slice::from_ref(&granted));
    assert_eq!(row.granted_on, Some(bank.today()));
    let record_row = bank.record(&bank.granted(application)[0]).clone();
    let facts = granted_facts(
        account("ann"),
        ConversionPurpose::Credit,
        &granted,
        &scheme(),
        bank.today(),
        row.explanation_commitment,
    );
    assert_eq!(record_row.facts, facts);
    assert_eq!((record_row.issuer, record_row.application), (institution("u"), Some(application)));
    assert_eq!(record_row.buckets, [(Bucket::Available, 1_000)].into());
    // A use in one programme leaves the record free for another.
    assert_eq!(bank.bucket("t/h"), Some(Bucket::Available));
    let uses = bank.uses(account("ann"));
    assert_eq!(uses.held, []);
    assert_eq!(uses.uses.len(), 1);
    assert_eq!((uses.uses[0].credits_milli, uses.uses[0].earned_on), (1_000, day("2026-01-10")));
    assert_eq!(bank.account(account("ann")).records, 2);
    bank.check_rebuild();
}

#[test]
fn an_auto_approval_covers_its_rules_up_to_its_last_day() {
    let status_after = |rules: &[&str], until: &str, what: &[What], book: u32| {
        let mut bank = Bank::open();
        bank.publish(&version(2)).unwrap();
        bank.allow_with("u", rules, until, |s| s.body.book = super::say::book(book)).unwrap();
        let ids = ["t/a", "t/b", "t/c"];
        for (id, what) in ids.iter().zip(what) {
            bank.deposit(id, "ann", *what);
        }
        let application = bank.apply("ann", "U-AD", &ids[..what.len()]).unwrap();
        bank.status(application)
    };
    let today = Bank::open().today();
    let yesterday = CivilDate::from_days(today.days() - 1).unwrap();
    let hours = [What::Hours(18)];
    let pair = [What::Named("A"), What::Named("B"), What::Hours(18)];
    let (posted, reviewed) = (ApplicationStatus::Posted, ApplicationStatus::UnderReview);
    assert_eq!(status_after(&["hours"], &today.to_string(), &hours, 1), posted);
    assert_eq!(status_after(&["hours"], &yesterday.to_string(), &hours, 1), reviewed);
    assert_eq!(status_after(&[], "2026-12-31", &hours, 1), posted);
    assert_eq!(status_after(&["pair"], "2026-12-31", &hours, 1), reviewed);
    assert_eq!(status_after(&["hours"], "2026-12-31", &hours, 2), reviewed);
    assert_eq!(status_after(&["hours"], "2026-12-31", &pair, 1), reviewed);
    assert_eq!(status_after(&["hours", "pair"], "2026-12-31", &pair, 1), posted);
    // The book leaves neither what is no automatic rule's to it, nor what is granted provisionally.
    assert_eq!(status_after(&[], "2026-12-31", &[What::Grade(1, 1_000)], 1), reviewed);
    assert_eq!(status_after(&[], "2026-12-31", &[What::Exam(1_000)], 1), reviewed);
}

#[test]
fn only_a_registrar_applies_with_its_key_for_accounts() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(18));
    let by = |id: &str, key: &str| {
        let (signer, kid) = (SignerId::Institution(institution(id)), kid(key));
        move |s: &mut Signed<ConversionRequest>, _: &mut Assessment| {
            s.header.signer = signer;
            s.signers = vec![kid];
        }
    };
    let mut ask = |id: &str, key: &str| bank.apply_with("ann", "U-AD", &["t/h"], by(id, key));
    refused(ask("u", "u.registry"), Reason::RoleMissing, "");
    refused(ask("r", "r.one"), Reason::KeyPurposeWrong, "signatures");
    refused(ask("x", "r.registry"), Reason::SignerUnknown, "header.signer_id");
    ask("r", "r.registry").unwrap();
}

#[test]
fn an_application_needs_an_account_whose_holder_is_known_and_may_act() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(18));
    let mut nobody = request("ann", "U-AD", &[record("t/h")]);
    nobody.account_ref = account("nobody");
    refused(bank.ask(nobody, |_, _| {}), Reason::AccountUnknown, "account_ref");
    let suspended = bank.change_account("ann", AccountAction::Suspend).unwrap();
    let rejection = refused(bank.apply("ann", "U-AD", &["t/h"]), Reason::AccountNotActive, "account_ref");
    assert_eq!(rejection.index, Some(suspended));
    bank.change_account("ann", AccountAction::Close).unwrap();
    refused(bank.apply("ann", "U-AD", &["t/h"]), Reason::AccountClosed, "account_ref");
    for (who, assurance) in [("cid", AssuranceLevel::None), ("dan", AssuranceLevel::Phone)] {
        bank.open_account(who, assurance);
        let id = format!("t/{who}");
        bank.deposit(&id, who, What::Hours(18));
        refused(bank.apply(who, "U-AD", &[&id]), Reason::AssuranceTooLow, "account_ref");
    }
    bank.deposit("t/bob", "bob", What::Hours(18));
    bank.apply("bob", "U-AD", &["t/bob"]).unwrap();
    bank.check_rebuild();
}

#[test]
fn the_institution_that_is_asked_may_accept_and_the_target_is_its_own() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(18));
    let mut ask = |to: &str, target: &str, purpose| {
        let mut body = request("ann", "U-AD", &[record("t/h")]);
        (body.institution_id, body.target, body.purpose) = (institution(to), name(target), purpose);
        bank.ask(body, |_, _| {})
    };
    let (credit, award) = (ConversionPurpose::Credit, ConversionPurpose::Award);
    refused(ask("x", "U-AD", credit), Reason::SignerUnknown, "institution_id");
    refused(ask("t", "U-AD", credit), Reason::RoleMissing, "institution_id");
    refused(ask("r", "diploma", award), Reason::RoleMissing, "institution_id");
    refused(ask("u", "X-AD", credit), Reason::TargetUnknown, "target");
    // Awards and programmes are names of their own kind.
    refused(ask("u", "diploma", credit), Reason::TargetUnknown, "target");
    refused(ask("u", "U-AD", award), Reason::TargetUnknown, "target");
    let rejection = refused(ask("v", "U-AD", credit), Reason::TargetOfAnother, "institution_id");
    assert_eq!(rejection.detail.as_deref(), Some("cn.u"));
    refused(ask("v", "diploma", award), Reason::TargetOfAnother, "institution_id");
}

#[test]
fn an_application_is_filed_under_a_version_in_force() {
    let mut bank = Bank::founded(2, |_| {});
    bank.deposit("t/h", "ann", What::Hours(18));
    let with = |bank: &mut Bank, number: u32| {
        let mut body = request("ann", "U-AD", &[record("t/h")]);
        body.book = book(number);
        bank.ask(body, |_, _| {})
    };
    refused(with(&mut bank, 1), Reason::BookUnknown, "book_id");
    let published = bank.publish(BOOK).unwrap();
    refused(with(&mut bank, 2), Reason::BookUnknown, "version");
    let rejection = refused(with(&mut bank, 1), Reason::BookNotInForce, "");
    assert_eq!(rejection.index, Some(published));
    bank.wait_days(NOTICE_DAYS);
    bank.change_book(1, RuleBookAction::Activate).unwrap();
    let today = bank.today();
    let tomorrow = CivilDate::from_days(today.days() + 1).unwrap();
    // Version 2 begins tomorrow; the first day on which version 3 no longer is in force is today.
    let windows = [format!("from = {tomorrow}"), format!("from = 2025-09-01, until = {today}")];
    for (number, window) in (2..).zip(windows) {
        bank.publish(&version(number).replacen("from = 2025-09-01", &window, 1)).unwrap();
        bank.wait_days(NOTICE_DAYS);
        bank.change_book(number, RuleBookAction::Activate).unwrap();
    }
    refused(with(&mut bank, 3), Reason::BookNotInForce, "");
    let abolished = bank.change_book(1, RuleBookAction::Abolish).unwrap();
    assert_eq!(refused(with(&mut bank, 1), Reason::BookNotInForce, "").index, Some(abolished));
    with(&mut bank, 2).unwrap();
}

/// By the day of the decision the version in force decides, and nobody chooses an older one that suits better. By the day
/// of enrolment or of earning an older one may be the right one.
#[test]
fn an_older_version_is_chosen_only_where_its_days_choose_it() {
    for (select_by, older) in [("decision_date", false), ("earned_on", true), ("enrolled_on", true)] {
        let mut bank = Bank::founded(2, |_| {});
        bank.deposit("t/h", "ann", What::Hours(18));
        let chosen = format!("select_by = \"{select_by}\"\nxs_minutes = 45");
        for number in 1..=2 {
            bank.publish(&version(number).replacen("xs_minutes = 45", &chosen, 1)).unwrap();
            bank.wait_days(NOTICE_DAYS);
            bank.change_book(number, RuleBookAction::Activate).unwrap();
        }
        let ask = |bank: &mut Bank, number: u32| {
            let mut body = request("ann", "U-AD", &[record("t/h")]);
            body.book = book(number);
            bank.ask(body, |_, reckoned| reckoned.refusal = None)
        };
        match ask(&mut bank, 1) {
            Ok(application) => {
                assert!(older, "{select_by}");
                bank.step(application, ConversionAction::Withdraw).unwrap();
            }
            outcome @ Err(_) => {
                assert!(!older, "{select_by}");
                refused(outcome, Reason::BookNotInForce, "");
            }
        }
        ask(&mut bank, 2).unwrap();
    }
}

/// The first day of a window is in it, the day before it and the day `effective_until` are not.
#[test]
fn a_window_has_its_first_day_and_not_the_day_it_ends_on() {
    let mut bank = Bank::founded(2, |_| {});
    let activated = CivilDate::from_days(bank.today().days() + i32::try_from(NOTICE_DAYS).unwrap()).unwrap();
    let on = |days: i32| CivilDate::from_days(activated.days() + days).unwrap();
    let windows = [
        (1, format!("from = {}", on(0)), true),
        (2, format!("from = {}", on(1)), false),
        (3, format!("from = 2025-09-01, until = {}", on(0)), false),
        (4, format!("from = 2025-09-01, until = {}", on(1)), true),
    ];
    for (number, window, _) in &windows {
        bank.publish(&version(*number).replacen("from = 2025-09-01", window, 1)).unwrap();
    }
    bank.wait_days(NOTICE_DAYS);
    bank.deposit("t/h", "ann", What::Hours(18));
    for (number, _, in_force) in windows {
        bank.change_book(number, RuleBookAction::Activate).unwrap();
        let mut body = request("ann", "U-AD", &[record("t/h")]);
        body.book = book(number);
        let outcome = bank.ask(body, |_, _| {});
        match (in_force, outcome) {
            (true, Ok(application)) => drop(bank.step(application, ConversionAction::Withdraw).unwrap()),
            (_, outcome) => drop(refused(outcome, Reason::BookNotInForce, "")),
        }
    }
}

#[test]
fn what_the_book_does_not_grant_is_told_with_the_nearest_miss() {
    let mut bank = Bank::open();
    bank.deposit("t/a", "ann", What::Hours(8));
    let rejection = refused(bank.apply("ann", "U-AD", &["t/a"]), Reason::NothingGranted, "records");
    let detail = rejection.detail.unwrap();
    assert!(detail.starts_with(&format!("cn.t:{}: ", record("t/a").record_id)), "{detail}");
    assert!(detail.contains(" by hours"), "{detail}");
    // Whose details can't be read, of that nothing is known.
    bank.deposit("t/b", "ann", What::Hours(18));
    bank.details.remove(&record("t/b"));
    refused(bank.apply("ann", "U-AD", &["t/b"]), Reason::NothingGranted, "records");
}

#[test]
fn what_is_granted_fits_the_schemes_of_the_log() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(18));
    let other = |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| {
        reckoned.items[0].scheme = SchemeId::new("XX").unwrap();
    };
    let rejection = refused(bank.apply_with("ann", "U-AD", &["t/h"], other), Reason::SchemeUnknown, "book");
    assert_eq!(rejection.detail.as_deref(), Some("XX"));
    let off = |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| {
        reckoned.items[0].credits = Some(credits(750));
    };
    refused(bank.apply_with("ann", "U-AD", &["t/h"], off), Reason::AmountOffStep, "book");
    let beyond =
        |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| reckoned.items[0].sources = vec![1];
    refused(bank.apply_with("ann", "U-AD", &["t/h"], beyond), Reason::RecordUnknown, "records");
}

/// The last two bytes of a statement's id count what it grants: two that differ in nothing else can't both grant.
#[test]
fn what_is_granted_has_a_name_that_nobody_has() {
    let mut bank = Bank::open();
    bank.allow("u", &[], "2026-12-31").unwrap();
    bank.deposit("t/a", "ann", What::Hours(18));
    bank.deposit("t/b", "bob", What::Hours(18));
    let first = bank.apply("ann", "U-AD", &["t/a"]).unwrap();
    let mut id = bank.application(first).statement_id;
    id.0[15] ^= 1;
    let alike = |s: &mut Signed<ConversionRequest>, _: &mut Assessment| s.header.statement_id = id;
    refused(bank.apply_with("bob", "U-AD", &["t/b"], alike), Reason::RecordExists, "header.statement_id");
}

/// Ids with the same beginning may be applied with at the same time; who is decided on last finds the name taken.
#[test]
fn a_name_that_was_taken_meanwhile_is_not_granted_again() {
    let mut bank = Bank::open();
    bank.deposit("t/a", "ann", What::Hours(18));
    bank.deposit("t/b", "bob", What::Hours(18));
    let first = bank.apply("ann", "U-AD", &["t/a"]).unwrap();
    let mut id = bank.application(first).statement_id;
    id.0[15] ^= 1;
    let alike = |s: &mut Signed<ConversionRequest>, _: &mut Assessment| s.header.statement_id = id;
    let second = bank.apply_with("bob", "U-AD", &["t/b"], alike).unwrap();
    bank.decide(first, DecisionOutcome::Approve).unwrap();
    refused(bank.decide(second, DecisionOutcome::Approve), Reason::RecordExists, "items");
    bank.decide(second, DecisionOutcome::Reject).unwrap();
}

/// Nothing depends on the order in which records came in, neither at first nor after something was granted.
#[test]
fn the_answer_does_not_depend_on_the_order_of_deposits() {
    let what = [
        ("t/a", What::Named("A")),
        ("t/b", What::Named("B")),
        ("t/g", What::Grade(3, 4_000)),
        ("u/c", What::Course(3_000)),
        ("v/c", What::Course(2_500)),
        ("v/h", What::Training(200, 9_000)),
        ("t/h", What::Hours(100)),
    ];
    let ids: Vec<&str> = what.iter().map(|(id, _)| *id).collect();
    let mut draw = crate::draw::Draw::new(7);
    let mut answers = Vec::new();
    for _ in 0..12 {
        let mut order = what.to_vec();
        for at in (1..order.len()).rev() {
            order.swap(at, draw.below(at + 1));
        }
        let mut bank = Bank::open();
        for (id, what) in order {
            bank.deposit(id, "ann", what);
        }
        let mut answer = Vec::new();
        for target in ["V-AD", "U-AD"] {
            let application = bank.apply("ann", target, &ids).unwrap();
            let row = bank.application(application);
            answer.push((row.items.clone(), row.explanation_commitment));
            bank.decide(application, DecisionOutcome::Approve).unwrap();
        }
        answers.push(answer);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert!(!answers[0][1].0.is_empty());
}
