//! What changes between an application and its decision, or after it: sources, accounts, books, corrections.

use super::bank::Bank;
use super::decisions::{applied, partly, position};
use super::refused;
use super::say::*;
use credit_types::*;

/// A record that fell away meanwhile grants nothing; the officer can still grant the rest.
#[test]
fn a_source_that_fell_away_meanwhile_grants_nothing() {
    for (action, reason) in
        [(RecordAction::Revoke, Reason::RecordRevoked), (RecordAction::Suspend, Reason::RecordNotAvailable)]
    {
        let (mut bank, application) = applied();
        let changed = bank.change_record(&record("t/g"), "t", action).unwrap();
        let grade = position(&bank, application, "grades");
        let rejection = refused(bank.decide(application, DecisionOutcome::Approve), reason, "records[2]");
        assert_eq!(rejection.index, Some(changed));
        let bucket = bank.bucket("t/g");
        bank.decide_with(application, DecisionOutcome::Partly, partly(&[(grade, None)])).unwrap();
        assert_eq!(bank.bucket("t/g"), bucket, "{action:?}");
        bank.check_rebuild();
    }
    let (mut bank, application) = applied();
    bank.correct("t/g", "t/i", "ann", What::Grade(1, 1_000)).unwrap();
    refused(bank.decide(application, DecisionOutcome::Approve), Reason::RecordSuperseded, "records[2]");
    let (mut bank, application) = applied();
    bank.report("t.records", application - 1);
    refused(bank.decide(application, DecisionOutcome::Approve), Reason::RecordKeySuspect, "records[3]");
    bank.decide(application, DecisionOutcome::Reject).unwrap();
}

/// What was suspended while it was held and is in force again is used as if nothing had been.
#[test]
fn a_source_that_came_back_is_used() {
    for (by, what) in [("t", What::Grade(3, 4_000)), ("g", What::Grade(3, 4_000)), ("g", What::Bare(3))] {
        let mut bank = Bank::open();
        bank.deposit("t/g", "ann", what);
        let application = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
        bank.change_record(&record("t/g"), by, RecordAction::Suspend).unwrap();
        bank.change_record(&record("t/g"), by, RecordAction::Reinstate).unwrap();
        // It is still held.
        refused(bank.apply("ann", "V-AD", &["t/g"]), Reason::RecordReserved, "records[0]");
        bank.decide(application, DecisionOutcome::Approve).unwrap();
        let has_credit = what_has_credit(what);
        assert_eq!(bank.bucket("t/g"), has_credit.then_some(Bucket::Redeemed));
        bank.check_rebuild();
    }
}

fn what_has_credit(what: What) -> bool {
    facts("t/g", "ann", what).amount.is_some()
}

/// What was granted stands, whatever its sources come to: it is for the institution or a regulator to act, and seen.
#[test]
fn a_source_that_falls_away_after_posting_changes_nothing() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    let granted = bank.granted(application);
    let before: Vec<_> = granted.iter().map(|name| bank.record(name).clone()).collect();
    let row = bank.application(application).clone();
    for (id, action) in
        [("t/g", RecordAction::Suspend), ("t/g", RecordAction::Reinstate), ("t/g", RecordAction::Revoke)]
    {
        bank.change_record(&record(id), "t", action).unwrap();
        assert_eq!(bank.bucket(id), Some(Bucket::Redeemed));
    }
    bank.change_record(&record("t/h"), "t", RecordAction::Revoke).unwrap();
    assert_eq!(bank.bucket("t/h"), Some(Bucket::Revoked));
    let after: Vec<_> = granted.iter().map(|name| bank.record(name).clone()).collect();
    assert_eq!((before, &row), (after, bank.application(application)));
    bank.check_rebuild();
}

#[test]
fn an_account_that_may_not_act_is_granted_nothing() {
    let (mut bank, application) = applied();
    bank.change_account("ann", AccountAction::Suspend).unwrap();
    refused(bank.decide(application, DecisionOutcome::Approve), Reason::AccountNotActive, "account_ref");
    bank.decide(application, DecisionOutcome::Reject).unwrap();
}

/// Nobody takes back alone what an application granted; a regulator does by order.
#[test]
fn what_was_granted_is_not_its_institutions_to_change() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    let granted = bank.granted(application)[0].clone();
    for action in [RecordAction::Suspend, RecordAction::Revoke] {
        let rejection =
            refused(bank.change_record(&granted, "u", action), Reason::RecordOfApplication, "record_id");
        assert_eq!(rejection.index, Some(application));
    }
    let body = RecordCorrection {
        after: bank.leaf(bank.record(&granted).last_status_index).unwrap(),
        supersedes: granted.record_id,
        reason: CorrectionReason::Amount,
        facts: facts("u/x", "ann", What::Course(9_000)),
        explanation_commitment: None,
    };
    let check = DepositCheck {
        details: Details::Known(Box::new(details(What::Course(9_000)))),
        fingerprint_version: 1,
        fingerprint_taken: false,
    };
    let statement = bank.signed("u", &["u.records"], body);
    let corrected = bank.submit(&Command::CorrectRecord(Box::new(statement), Box::new(check)));
    refused(corrected, Reason::RecordOfApplication, "record_id");
    bank.change_record(&granted, "g", RecordAction::Suspend).unwrap();
    bank.change_record(&granted, "g", RecordAction::Revoke).unwrap();
    assert_eq!(bank.bucket_of(&granted), Some(Bucket::Revoked));
    bank.check_rebuild();
}

/// What was filed is decided under the book it was filed under, and what was granted stays as it is.
#[test]
fn a_newer_book_changes_nothing_that_was_filed() {
    let (mut bank, application) = applied();
    bank.bring(2);
    bank.change_book(1, RuleBookAction::Abolish).unwrap();
    let items = bank.application(application).items.clone();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    let row = bank.application(application).clone();
    assert_eq!(row.items, items);
    assert_eq!(row.granted.len(), items.len());
    let records: Vec<_> = bank.granted(application).iter().map(|name| bank.record(name).clone()).collect();
    bank.bring(3);
    bank.change_book(2, RuleBookAction::Abolish).unwrap();
    let after: Vec<_> = bank.granted(application).iter().map(|name| bank.record(name).clone()).collect();
    assert_eq!((records, row), (after, bank.application(application).clone()));
}

/// What a record was used for, its correction was used for: an issuer can't make used credit new by mending a word.
#[test]
fn a_correction_is_used_as_what_it_corrects_was() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    bank.correct("t/g", "t/i", "ann", What::Grade(3, 4_000)).unwrap();
    let rejection = refused(bank.apply("ann", "V-AD", &["t/i"]), Reason::RecordUsed, "records[0]");
    assert_eq!(rejection.index, Some(application));
    let rejection = refused(bank.apply("ann", "U-AD", &["t/i"]), Reason::NothingGranted, "records");
    assert!(rejection.detail.unwrap().contains("ALREADY_USED"));
    // The ledger asks it itself, whatever was reckoned.
    let items = vec![bank.application(application).items[0].clone()];
    let stale = |_: &mut Signed<ConversionRequest>, reckoned: &mut Assessment| {
        let items = items.into_iter().map(|item| ProposedItem { sources: vec![0], ..item }).collect();
        (reckoned.refusal, reckoned.items) = (None, items);
    };
    let again = bank.apply_with("ann", "V-AD", &["t/i"], stale);
    assert_eq!(refused(again, Reason::RecordUsed, "records[0]").index, Some(application));
    // And once more, by the correction of the correction.
    bank.correct("t/i", "t/j", "ann", What::Grade(3, 4_000)).unwrap();
    refused(bank.apply("ann", "V-AD", &["t/j"]), Reason::RecordUsed, "records[0]");
    let uses = bank.uses(account("ann")).uses;
    assert!(uses.iter().any(|one| one.record == record("t/j") && one.source == record("t/g")));
    bank.check_rebuild();
}

/// What is taken back frees the correction as it would have freed the record.
#[test]
fn a_correction_is_free_once_what_was_granted_is_taken_back() {
    let (mut bank, application) = applied();
    let until = bank.today();
    bank.decide_with(application, DecisionOutcome::Approve, |s| s.body.provisional_until = Some(until))
        .unwrap();
    bank.correct("t/g", "t/i", "ann", What::Grade(3, 4_000)).unwrap();
    refused(bank.apply("ann", "V-AD", &["t/i"]), Reason::RecordUsed, "records[0]");
    bank.step(application, ConversionAction::Rescind).unwrap();
    assert_eq!(bank.uses(account("ann")).uses, []);
    bank.apply("ann", "V-AD", &["t/i"]).unwrap();
    bank.check_rebuild();
}
