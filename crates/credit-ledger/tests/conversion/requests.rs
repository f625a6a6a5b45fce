//! Applications: what is proposed and held, what is granted at once, and what is refused.

use super::bank::Bank;
use super::book::{BOOK, version};
use super::refused;
use super::say::*;
use credit_ledger::HeldRecord;
use credit_types::conversion::{granted_facts, granted_id};
use credit_types::*;

fn kinds(bank: &Bank) -> Vec<EventKind> {
    bank.last().iter().map(Event::kind).collect()
}

fn item(rule: &str, kind: &str, place: ConvertedPlace, milli: i64, sources: &[u32]) -> ProposedItem {
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
fn a_record_is_there_and_the_accounts_own() {
    let mut bank = Bank::open();
    bank.deposit("t/a", "ann", What::Hours(18));
    bank.deposit("t/b", "bob", What::Hours(18));
    refused(bank.apply("ann", "U-AD", &["t/a", "t/x"]), Reason::RecordUnknown, "records[1]");
    refused(bank.apply("ann", "U-AD", &["t/a", "t/b"]), Reason::RecordOfAnotherAccount, "records[1]");
    refused(bank.apply("ann", "diploma", &["t/b"]), Reason::RecordOfAnotherAccount, "records[0]");
}

#[test]
fn a_record_is_in_force() {
    let mut bank = Bank::open();
    for id in ["t/a", "t/b", "t/c", "t/d"] {
        bank.deposit(id, "ann", What::Training(18, 1_000));
    }
    let revoked = bank.change_record(&record("t/b"), "t", RecordAction::Revoke).unwrap();
    let superseded = bank.correct("t/c", "t/e", "ann", What::Training(18, 2_000)).unwrap();
    let suspended = bank.change_record(&record("t/d"), "g", RecordAction::Suspend).unwrap();
    for target in ["U-AD", "diploma"] {
        let mut ask =
            |id: &str, reason| refused(bank.apply("ann", target, &["t/a", id]), reason, "records[1]");
        assert_eq!(ask("t/b", Reason::RecordRevoked).index, Some(revoked));
        assert_eq!(ask("t/c", Reason::RecordSuperseded).index, Some(superseded));
        assert_eq!(ask("t/d", Reason::RecordNotAvailable).index, Some(suspended));
    }
    bank.change_record(&record("t/d"), "g", RecordAction::Reinstate).unwrap();
    bank.apply("ann", "U-AD", &["t/a", "t/d", "t/e"]).unwrap();
    bank.check_rebuild();
}

#[test]
fn a_record_is_valid_on_its_last_day_and_not_on_the_next() {
    let mut bank = Bank::open();
    let today = bank.today();
    for (id, days) in [("t/a", 0), ("t/b", -1)] {
        let until = CivilDate::from_days(today.days() + days).unwrap();
        bank.deposit_with(id, "ann", What::Hours(18), |facts| facts.valid_until = Some(until)).unwrap();
    }
    refused(bank.apply("ann", "U-AD", &["t/a", "t/b"]), Reason::RecordExpired, "records[1]");
    bank.apply("ann", "U-AD", &["t/a"]).unwrap();
}

#[test]
fn a_record_rests_on_no_suspect_key() {
    let mut bank = Bank::open();
    let before = bank.index();
    bank.deposit("t/a", "ann", What::Hours(18));
    bank.deposit("v/b", "ann", What::Hours(18));
    bank.report("t.records", before);
    refused(bank.apply("ann", "U-AD", &["t/a", "v/b"]), Reason::RecordKeySuspect, "records[0]");
    // A change of status by a suspect key leaves the record suspended for whoever asks.
    bank.change_record(&record("v/b"), "g", RecordAction::Suspend).unwrap();
    let lifted = bank.change_record(&record("v/b"), "g", RecordAction::Reinstate).unwrap();
    bank.report("g.status", lifted);
    refused(bank.apply("ann", "U-AD", &["v/b"]), Reason::RecordNotAvailable, "records[0]");
    // So does the key that opened the account.
    bank.admit("s", &[Role::Registrar]);
    bank.deposit("v/c", "ann", What::Hours(18));
    let opened = bank.account(account("ann")).opened_index;
    bank.report("r.registry", opened);
    let by_another = |s: &mut Signed<ConversionRequest>, _: &mut Assessment| {
        s.header.signer = SignerId::Institution(institution("s"));
        s.signers = vec![kid("s.registry")];
    };
    let outcome = bank.apply_with("ann", "U-AD", &["v/c"], by_another);
    refused(outcome, Reason::RecordKeySuspect, "records[0]");
    bank.check_rebuild();
}

#[test]
fn credit_is_converted_of_what_issuers_offer_and_never_of_what_was_granted() {
    let mut bank = Bank::open();
    bank.allow("u", &[], "2026-12-31").unwrap();
    bank.deposit("t/h", "ann", What::Hours(36));
    bank.deposit_with("t/n", "ann", What::Hours(18), |facts| facts.credit_eligible = false).unwrap();
    refused(bank.apply("ann", "U-AD", &["t/h", "t/n"]), Reason::RecordNotOffered, "records[1]");
    let application = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    let granted = bank.granted(application);
    let body = request("ann", "V-AD", &granted);
    refused(bank.ask(body, |_, _| {}), Reason::RecordGranted, "records[0]");
    // An award counts both.
    bank.deposit_with("t/c", "ann", What::Course(4_000), |facts| facts.credit_eligible = false).unwrap();
    let body = request("ann", "badge", &[granted, vec![record("t/c")]].concat());
    bank.ask(body, |_, _| {}).unwrap();
}

#[test]
fn a_held_record_is_free_for_others_once_the_application_has_lapsed() {
    let mut bank = Bank::open();
    for id in ["t/a", "t/b", "t/c"] {
        bank.deposit(id, "ann", What::Training(18, 1_000));
    }
    let first = bank.apply("ann", "U-AD", &["t/a", "t/b"]).unwrap();
    let rejection = refused(bank.apply("ann", "V-AD", &["t/b", "t/c"]), Reason::RecordReserved, "records[0]");
    assert_eq!(rejection.index, Some(first));
    bank.wait_days(LAPSE_DAYS);
    refused(bank.apply("ann", "V-AD", &["t/b", "t/c"]), Reason::RecordReserved, "records[0]");
    bank.wait_us(1);
    let second = bank.apply("ann", "V-AD", &["t/b", "t/c"]).unwrap();
    assert_eq!(kinds(&bank), [EventKind::ConversionChanged, EventKind::ConversionRequested]);
    assert_eq!(bank.status(first), ApplicationStatus::Lapsed);
    assert_eq!(bank.bucket("t/a"), Some(Bucket::Available));
    assert_eq!(bank.bucket("t/b"), Some(Bucket::Reserved));
    let held = ["t/b", "t/c"].map(|id| HeldRecord { record: record(id), application: second });
    assert_eq!(bank.uses(account("ann")).held, held);
    refused(bank.decide(first, DecisionOutcome::Approve), Reason::ApplicationStateWrong, "");
    bank.check_rebuild();
}

/// What lapses, what is asked for and what is granted at once stand in one entry; each moves what is left by the last.
#[test]
fn a_lapse_a_request_and_a_grant_can_be_one_entry() {
    for (what, after) in
        [(What::Grade(2, 2_000), Bucket::Redeemed), (What::Training(18, 1_000), Bucket::Available)]
    {
        let mut bank = Bank::open();
        bank.deposit("t/a", "ann", what);
        let first = bank.apply("ann", "U-AD", &["t/a"]).unwrap();
        bank.allow("u", &[], "2026-12-31").unwrap();
        bank.wait_days(LAPSE_DAYS);
        bank.wait_us(1);
        let second =
            bank.apply_with("ann", "U-AD", &["t/a"], |_, reckoned| reckoned.automatic = true).unwrap();
        let (changed, asked) = (EventKind::ConversionChanged, EventKind::ConversionRequested);
        assert_eq!(kinds(&bank), [changed, asked, changed]);
        assert_eq!(
            (bank.status(first), bank.status(second)),
            (ApplicationStatus::Lapsed, ApplicationStatus::Posted)
        );
        assert_eq!(bank.bucket("t/a"), Some(after));
        assert_eq!(bank.uses(account("ann")).held, []);
        bank.check_rebuild();
    }
}

/// An application that lapsed keeps no record from expiring.
#[test]
fn what_expired_while_it_was_held_is_expired() {
    for what in [What::Training(18, 1_000), What::Hours(18)] {
        let mut bank = Bank::open();
        let until = bank.today();
        bank.deposit_with("t/a", "ann", what, |facts| facts.valid_until = Some(until)).unwrap();
        bank.apply("ann", "U-AD", &["t/a"]).unwrap();
        bank.wait_days(LAPSE_DAYS + 1);
        refused(bank.apply("ann", "U-AD", &["t/a"]), Reason::RecordExpired, "records[0]");
    }
}

#[test]
fn a_policy_of_no_days_lets_nothing_lapse() {
    let mut bank = Bank::founded(2, |genesis| genesis.policy.lapse_days = 0);
    bank.publish(BOOK).unwrap();
    bank.wait_days(NOTICE_DAYS);
    bank.change_book(1, RuleBookAction::Activate).unwrap();
    bank.deposit("t/a", "ann", What::Hours(18));
    let first = bank.apply("ann", "U-AD", &["t/a"]).unwrap();
    bank.wait_days(3_000);
    refused(bank.apply("ann", "V-AD", &["t/a"]), Reason::RecordReserved, "records[0]");
    bank.decide(first, DecisionOutcome::Approve).unwrap();
}

#[test]
fn a_record_is_used_as_often_as_its_uses_allow() {
    let mut bank = Bank::open();
    bank.allow("u", &[], "2026-12-31").unwrap();
    bank.allow("v", &[], "2026-12-31").unwrap();
    bank.deposit("t/h", "ann", What::Training(18, 1_000));
    // Once for each programme.
    let first = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    bank.apply("ann", "V-AD", &["t/h"]).unwrap();
    let again = refused(bank.apply("ann", "U-AD", &["t/h"]), Reason::NothingGranted, "records");
    let detail = again.detail.unwrap();
    assert_eq!(detail, format!("cn.t:{}: ALREADY_USED by hours", record("t/h").record_id));
    // The ledger asks it itself, whatever was reckoned.
    let items = bank.application(first).items.clone();
    let stale = |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| {
        (reckoned.refusal, reckoned.items) = (None, items);
    };
    let rejection =
        refused(bank.apply_with("ann", "U-AD", &["t/h"], stale), Reason::RecordUsed, "records[0]");
    assert_eq!(rejection.index, Some(first));
    bank.check_rebuild();
}

/// What an earlier use excludes. The record has no credit: its bucket says nothing.
#[test]
fn a_use_excludes_what_its_consumption_says() {
    use Consumption::{Global, None as Free, OnceForAllDegrees, PerAwardLevel, PerProgramme};
    let cases = [
        // earlier in U-AD for level low, now in a programme for a level, excluded
        (Global, Free, "V-AD", "high", true),
        (Global, PerProgramme, "V-AD", "high", true),
        (OnceForAllDegrees, Free, "V-AD", "high", true),
        (OnceForAllDegrees, PerAwardLevel, "V-AD", "high", true),
        (PerProgramme, PerProgramme, "U-AD", "high", true),
        (PerProgramme, PerProgramme, "V-AD", "low", false),
        (PerProgramme, PerAwardLevel, "V-AD", "low", false),
        (PerProgramme, Global, "V-AD", "high", true),
        (PerProgramme, OnceForAllDegrees, "V-AD", "high", true),
        (PerProgramme, Free, "V-AD", "low", false),
        (PerAwardLevel, PerAwardLevel, "U-AD", "high", true),
        (PerAwardLevel, PerProgramme, "V-AD", "low", true),
        (PerAwardLevel, PerProgramme, "V-AD", "high", false),
        (PerAwardLevel, Global, "V-AD", "high", true),
        (PerAwardLevel, Free, "V-AD", "low", false),
        (Free, Global, "V-AD", "low", false),
        (Free, PerProgramme, "V-AD", "low", false),
        (Free, Free, "V-AD", "low", false),
        // The same rule grants credit for it once in each programme.
        (Free, Free, "U-AD", "low", true),
    ];
    let of = |programme: &str, level: &str, consumption| {
        let (programme, award_level) = (Some(name(programme)), Some(name(level)));
        move |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| {
            let place = ConvertedPlace::Requirement(name("elective"));
            let item = item("hours", "training", place, 500, &[0]);
            reckoned.items = vec![ProposedItem { consumption, programme, award_level, ..item }];
            reckoned.refusal = None;
        }
    };
    for (earlier, now, programme, level, excluded) in cases {
        let mut bank = Bank::open();
        bank.deposit("t/h", "ann", What::Hours(18));
        let first = bank.apply_with("ann", "U-AD", &["t/h"], of("U-AD", "low", earlier)).unwrap();
        bank.decide(first, DecisionOutcome::Approve).unwrap();
        let outcome = bank.apply_with("ann", "U-AD", &["t/h"], of(programme, level, now));
        if excluded {
            let rejection = refused(outcome, Reason::RecordUsed, "records[0]");
            assert_eq!(rejection.index, Some(first));
        } else {
            assert!(outcome.is_ok(), "{earlier:?}, then {now:?} in {programme} for {level}: {outcome:?}");
        }
    }
}

/// With credit its bucket says it, without credit its uses do.
#[test]
fn what_was_used_up_for_ever_is_used() {
    for what in [What::Grade(2, 2_000), What::Bare(2)] {
        let mut bank = Bank::open();
        bank.deposit("t/g", "ann", what);
        let first = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
        let items = bank.application(first).items.clone();
        bank.decide(first, DecisionOutcome::Approve).unwrap();
        for target in ["U-AD", "V-AD", "diploma"] {
            for consumption in [Consumption::PerProgramme, Consumption::Global, Consumption::None] {
                let items = items.clone();
                let stale = |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| {
                    (reckoned.refusal, reckoned.items) = (None, items);
                    reckoned.items[0].programme = Some(name(target));
                    reckoned.items[0].consumption = consumption;
                };
                refused(bank.apply_with("ann", target, &["t/g"], stale), Reason::RecordUsed, "records[0]");
            }
        }
    }
}

/// However it was reckoned: one use may go to several places, but no record to two uses that each consume it.
#[test]
fn a_proposal_uses_a_record_once() {
    use Consumption::{Global, None, PerProgramme};
    let place = |place: &str| ConvertedPlace::Requirement(name(place));
    let of = |rule: &str, to: &str, sources: &[u32], consumption| ProposedItem {
        consumption,
        ..item(rule, "training", place(to), 500, sources)
    };
    let first = of("hours", "elective", &[0, 1], PerProgramme);
    let cases = [
        (of("hours", "professional", &[0, 1], PerProgramme), true),
        (of("hours", "elective", &[0, 1], PerProgramme), false),
        (of("hours", "professional", &[1], PerProgramme), false),
        (of("other", "professional", &[0, 1], PerProgramme), false),
        (of("other", "professional", &[1], Global), false),
        (of("other", "professional", &[1], None), true),
        (of("other", "elective", &[2], Global), true),
    ];
    for (second, fits) in cases {
        let mut bank = Bank::open();
        for id in ["t/a", "t/b", "t/c"] {
            bank.deposit(id, "ann", What::Hours(18));
        }
        for items in [vec![first.clone(), second.clone()], vec![second.clone(), first.clone()]] {
            let double =
                |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| reckoned.items = items;
            let outcome = bank.apply_with("ann", "U-AD", &["t/a", "t/b", "t/c"], double);
            if fits {
                bank.step(outcome.unwrap(), ConversionAction::Withdraw).unwrap();
            } else {
                assert_eq!(outcome.map_err(|refused| refused.reason), Err(Reason::RecordUsed), "{second:?}");
            }
        }
    }
}

/// A use that uses nothing up excludes no other use. By the same rule into the same programme it would be the same use.
#[test]
fn a_use_that_consumes_nothing_excludes_itself_alone() {
    let mut bank = Bank::open();
    bank.deposit("t/g", "ann", What::Grade(2, 2_000));
    let visits = bank.apply("ann", "V-AD", &["t/g"]).unwrap();
    bank.decide(visits, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Available));
    let again = refused(bank.apply("ann", "V-AD", &["t/g"]), Reason::RecordUsed, "records[0]");
    assert_eq!(again.index, Some(visits));
    // An award brings no credit: it may be asked for again, for its next step.
    for _ in 0..2 {
        let badge = bank.apply("ann", "badge", &["t/g"]).unwrap();
        bank.decide(badge, DecisionOutcome::Approve).unwrap();
    }
    let application = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    refused(bank.apply("ann", "V-AD", &["t/g"]), Reason::RecordUsed, "records[0]");
    bank.check_rebuild();
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
