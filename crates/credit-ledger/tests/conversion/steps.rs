//! Withdrawals, appeals, answers; provisional credit that is confirmed or taken back; accounts that close.

use super::bank::Bank;
use super::refused;
use super::say::*;
use credit_types::*;

fn applied() -> (Bank, u64) {
    let mut bank = Bank::open();
    bank.deposit("t/g", "ann", What::Grade(3, 4_000));
    bank.deposit("t/h", "ann", What::Training(36, 2_000));
    let application = bank.apply("ann", "U-AD", &["t/g", "t/h"]).unwrap();
    (bank, application)
}

fn by(id: &str, key: &str) -> impl FnOnce(&mut Signed<ConversionDecision>) {
    let (signer, kid) = (SignerId::Institution(institution(id)), kid(key));
    move |s| (s.header.signer, s.signers) = (signer, vec![kid])
}

#[test]
fn what_is_withdrawn_is_free() {
    for states in [&[][..], &[DecisionOutcome::Ask], &[DecisionOutcome::Reject]] {
        let (mut bank, application) = applied();
        for outcome in states {
            bank.decide(application, *outcome).unwrap();
        }
        if states == [DecisionOutcome::Reject] {
            refused(bank.step(application, ConversionAction::Withdraw), Reason::ApplicationStateWrong, "");
            bank.step(application, ConversionAction::Appeal).unwrap();
        }
        bank.step(application, ConversionAction::Withdraw).unwrap();
        assert_eq!(bank.status(application), ApplicationStatus::Withdrawn);
        assert_eq!((bank.bucket("t/g"), bank.uses(account("ann")).held.len()), (Some(Bucket::Available), 0));
        for action in [ConversionAction::Withdraw, ConversionAction::Appeal, ConversionAction::Answer] {
            refused(bank.step(application, action), Reason::ApplicationStateWrong, "");
        }
        refused(bank.decide(application, DecisionOutcome::Approve), Reason::ApplicationStateWrong, "");
        bank.check_rebuild();
    }
}

/// A withdrawal is possible even of what could lapse.
#[test]
fn what_has_lapsed_can_be_withdrawn_and_no_longer_answered() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Ask).unwrap();
    bank.wait_days(LAPSE_DAYS);
    bank.wait_us(1);
    refused(bank.step(application, ConversionAction::Answer), Reason::ApplicationLapsed, "");
    bank.wait_us(-1);
    bank.step(application, ConversionAction::Answer).unwrap();
    bank.wait_days(LAPSE_DAYS + 1);
    bank.step(application, ConversionAction::Withdraw).unwrap();
}

#[test]
fn a_step_of_the_learner_is_a_registrars_and_one_of_the_bank_its_own() {
    let (mut bank, application) = applied();
    let as_by = |id: &str, key: &str| {
        let (signer, kid) = (SignerId::Institution(institution(id)), kid(key));
        move |s: &mut Signed<ConversionStep>| (s.header.signer, s.signers) = (signer, vec![kid])
    };
    let withdraw = ConversionAction::Withdraw;
    refused(bank.step_with(application, withdraw, as_by("u", "u.registry")), Reason::RoleMissing, "");
    refused(
        bank.step_with(application, withdraw, as_by("r", "r.one")),
        Reason::KeyPurposeWrong,
        "signatures",
    );
    let until = bank.today();
    bank.decide_with(application, DecisionOutcome::Approve, |s| s.body.provisional_until = Some(until))
        .unwrap();
    for action in [ConversionAction::Confirm, ConversionAction::Rescind] {
        let rejection = refused(
            bank.step_with(application, action, as_by("v", "v.one")),
            Reason::ApplicationOfAnother,
            "header.signer_id",
        );
        assert_eq!(rejection.detail.as_deref(), Some("cn.u"));
        refused(
            bank.step_with(application, action, as_by("u", "u.status")),
            Reason::KeyPurposeWrong,
            "signatures",
        );
    }
    bank.step_with(application, ConversionAction::Confirm, as_by("u", "u.three")).unwrap();
}

#[test]
fn an_appeal_is_possible_up_to_the_last_day() {
    let (mut bank, application) = applied();
    refused(bank.step(application, ConversionAction::Appeal), Reason::ApplicationStateWrong, "");
    let rejected = bank.decide(application, DecisionOutcome::Reject).unwrap();
    bank.wait_days(APPEAL_DAYS);
    bank.wait_us(1);
    let rejection = refused(bank.step(application, ConversionAction::Appeal), Reason::AppealNotPossible, "");
    assert_eq!(rejection.index, Some(rejected));
    bank.wait_us(-1);
    bank.step(application, ConversionAction::Appeal).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::Appealed);
}

#[test]
fn a_first_appeal_is_anothers_key_a_second_one_a_regulators() {
    let (mut bank, application) = applied();
    let first = bank.decide(application, DecisionOutcome::Reject).unwrap();
    bank.step(application, ConversionAction::Appeal).unwrap();
    for outcome in [DecisionOutcome::Approve, DecisionOutcome::Reject, DecisionOutcome::Ask] {
        let rejection = refused(bank.decide(application, outcome), Reason::SameOfficer, "signatures");
        assert_eq!(rejection.index, Some(first));
    }
    refused(
        bank.decide_with(application, DecisionOutcome::Approve, by("g", "g.one")),
        Reason::ApplicationOfAnother,
        "header.signer_id",
    );
    // What is asked in between does not let the first officer in again.
    bank.decide_with(application, DecisionOutcome::Ask, by("u", "u.two")).unwrap();
    bank.step(application, ConversionAction::Answer).unwrap();
    refused(bank.decide(application, DecisionOutcome::Approve), Reason::SameOfficer, "signatures");
    bank.decide_with(application, DecisionOutcome::Reject, by("u", "u.two")).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Reserved));
    bank.step(application, ConversionAction::Appeal).unwrap();
    refused(
        bank.decide_with(application, DecisionOutcome::Approve, by("u", "u.three")),
        Reason::RoleMissing,
        "",
    );
    bank.decide_with(application, DecisionOutcome::Reject, by("g", "g.one")).unwrap();
    // No appeal is left, so nothing is held any longer.
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Available));
    assert_eq!(bank.uses(account("ann")).held, []);
    refused(bank.step(application, ConversionAction::Appeal), Reason::AppealNotPossible, "");
    bank.check_rebuild();
}

#[test]
fn a_regulator_grants_on_the_second_appeal_what_the_institution_would_not() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Reject).unwrap();
    bank.step(application, ConversionAction::Appeal).unwrap();
    bank.decide_with(application, DecisionOutcome::Reject, by("u", "u.two")).unwrap();
    bank.step(application, ConversionAction::Appeal).unwrap();
    bank.decide_with(application, DecisionOutcome::Approve, by("g", "g.one")).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::Posted);
    let granted = bank.granted(application);
    assert_eq!(bank.record(&granted[0]).issuer, institution("u"));
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    bank.check_rebuild();
}

fn provisional(until: i32) -> (Bank, u64, CivilDate) {
    let (mut bank, application) = applied();
    let until = CivilDate::from_days(bank.today().days() + until).unwrap();
    bank.decide_with(application, DecisionOutcome::Approve, |s| s.body.provisional_until = Some(until))
        .unwrap();
    (bank, application, until)
}

#[test]
fn provisional_credit_is_confirmed_up_to_its_last_day() {
    let (mut bank, application, until) = provisional(10);
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    let granted = bank.granted(application);
    let before: Vec<_> = granted.iter().map(|name| bank.record(name).clone()).collect();
    while bank.today() <= until {
        bank.wait_days(1);
    }
    refused(bank.step(application, ConversionAction::Confirm), Reason::ApplicationLapsed, "");
    bank.wait_us(-limits::DAY_US);
    bank.step(application, ConversionAction::Confirm).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::Posted);
    assert_eq!(bank.granted(application), granted);
    let after: Vec<_> = granted.iter().map(|name| bank.record(name).clone()).collect();
    assert_eq!(before, after);
    // What is final is not taken back.
    refused(bank.step(application, ConversionAction::Rescind), Reason::ApplicationStateWrong, "");
    refused(bank.reverse(application, &[]), Reason::ApplicationStateWrong, "application_index");
    bank.check_rebuild();
}

#[test]
fn provisional_credit_is_taken_back_and_its_sources_are_free() {
    let (mut bank, application, _) = provisional(10);
    // Even when its days are over.
    bank.wait_days(100);
    bank.step(application, ConversionAction::Rescind).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::Rescinded);
    for name in bank.granted(application) {
        let row = bank.record(&name);
        assert_eq!((row.status, row.buckets.keys().next()), (RecordStatus::Revoked, Some(&Bucket::Revoked)));
    }
    assert_eq!((bank.bucket("t/g"), bank.uses(account("ann")).uses.len()), (Some(Bucket::Available), 0));
    bank.apply("ann", "U-AD", &["t/g", "t/h"]).unwrap();
    bank.check_rebuild();
}

/// What fell away while it was redeemed does not come back as something to be had.
#[test]
fn a_revoked_source_stays_revoked_when_its_use_is_taken_back() {
    for (action, bucket) in
        [(RecordAction::Revoke, Bucket::Revoked), (RecordAction::Suspend, Bucket::Suspended)]
    {
        let (mut bank, application, _) = provisional(10);
        bank.change_record(&record("t/g"), "t", action).unwrap();
        bank.step(application, ConversionAction::Rescind).unwrap();
        assert_eq!(bank.bucket("t/g"), Some(bucket));
        bank.check_rebuild();
    }
    let (mut bank, application, _) = provisional(10);
    bank.correct("t/g", "t/i", "ann", What::Grade(1, 1_000)).unwrap();
    bank.step(application, ConversionAction::Rescind).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Revoked));
}

/// What another application has used up stays used, though the one that is taken back had used it too.
#[test]
fn taking_back_frees_nothing_that_another_application_has_redeemed() {
    let mut bank = Bank::open();
    bank.deposit("t/g", "ann", What::Grade(3, 4_000));
    let visits = bank.apply("ann", "V-AD", &["t/g"]).unwrap();
    let until = bank.today();
    bank.decide_with(visits, DecisionOutcome::Approve, |s| s.body.provisional_until = Some(until)).unwrap();
    let grades = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    bank.decide(grades, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    bank.step(visits, ConversionAction::Rescind).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    let left: Vec<u64> = bank.uses(account("ann")).uses.iter().map(|one| one.application).collect();
    assert_eq!(left, [grades]);
    bank.check_rebuild();
}

/// An application that holds a record is not disturbed when an earlier use of it is taken back.
#[test]
fn taking_back_frees_nothing_that_another_application_holds() {
    let mut bank = Bank::open();
    bank.deposit("t/g", "ann", What::Grade(3, 4_000));
    let visits = bank.apply("ann", "V-AD", &["t/g"]).unwrap();
    let until = bank.today();
    bank.decide_with(visits, DecisionOutcome::Approve, |s| s.body.provisional_until = Some(until)).unwrap();
    let grades = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    bank.step(visits, ConversionAction::Rescind).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Reserved));
    assert_eq!(bank.uses(account("ann")).holder(&record("t/g")), Some(grades));
    bank.decide(grades, DecisionOutcome::Approve).unwrap();
}

#[test]
fn an_account_with_an_open_application_does_not_close() {
    let (mut bank, application) = applied();
    let rejection =
        refused(bank.change_account("ann", AccountAction::Close), Reason::AccountHasApplications, "");
    assert_eq!(rejection.index, Some(application));
    // Only closing waits.
    bank.change_account("ann", AccountAction::Suspend).unwrap();
    bank.change_account("ann", AccountAction::Reinstate).unwrap();
    bank.change_account("bob", AccountAction::Close).unwrap();
    bank.step(application, ConversionAction::Withdraw).unwrap();
    bank.change_account("ann", AccountAction::Close).unwrap();
    bank.check_rebuild();
}

/// A rejection can be neither withdrawn nor, when its days are over, appealed: it keeps no account open for ever.
#[test]
fn a_rejection_keeps_an_account_open_while_it_can_be_appealed() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Reject).unwrap();
    bank.wait_days(APPEAL_DAYS);
    refused(bank.change_account("ann", AccountAction::Close), Reason::AccountHasApplications, "");
    bank.wait_us(1);
    bank.change_account("ann", AccountAction::Close).unwrap();
    bank.check_rebuild();
}
