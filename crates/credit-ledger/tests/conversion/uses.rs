//! What a record may be used for: that it is in force, held by no other application, and not used up.

use super::bank::Bank;
use super::book::BOOK;
use super::refused;
use super::requests::{item, kinds};
use super::say::*;
use credit_ledger::HeldRecord;
use credit_types::*;

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
    let badge = bank.apply("ann", "badge", &["t/g"]).unwrap();
    bank.decide(badge, DecisionOutcome::Approve).unwrap();
    let application = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    refused(bank.apply("ann", "V-AD", &["t/g"]), Reason::RecordUsed, "records[0]");
    bank.check_rebuild();
}
