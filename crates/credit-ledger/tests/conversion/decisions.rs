//! Decisions of officers.

use super::bank::Bank;
use super::refused;
use super::say::*;
use credit_types::limits::APPLICATION_STEPS_MAX;
use credit_types::*;

/// An application with three items: of a grade, of hours, of two courses together.
pub(super) fn applied() -> (Bank, u64) {
    let mut bank = Bank::open();
    bank.deposit("t/a", "ann", What::Named("A"));
    bank.deposit("t/b", "ann", What::Named("B"));
    bank.deposit("t/g", "ann", What::Grade(3, 4_000));
    bank.deposit("t/h", "ann", What::Training(36, 2_000));
    let application = bank.apply("ann", "U-AD", &["t/a", "t/b", "t/g", "t/h"]).unwrap();
    (bank, application)
}

pub(super) fn position(bank: &Bank, application: u64, rule: &str) -> u32 {
    let items = &bank.application(application).items;
    u32::try_from(items.iter().position(|item| item.rule == name(rule)).unwrap()).unwrap()
}

pub(super) fn partly(items: &[(u32, Option<i64>)]) -> impl FnOnce(&mut Signed<ConversionDecision>) {
    let item = |(position, milli): &(u32, Option<i64>)| DecidedItem {
        position: *position,
        credits: milli.map(credits),
        reason: DecisionReason::ContentMatchLow,
    };
    let items = items.iter().map(item).collect();
    move |statement| statement.body.items = items
}

#[test]
fn what_is_approved_comes_into_being_and_what_it_used_up_is_redeemed() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    let row = bank.application(application).clone();
    assert_eq!(row.status, ApplicationStatus::Posted);
    assert_eq!((row.auto_approval, row.provisional_until), (None, None));
    let granted: Vec<Option<Credits>> = row.granted.iter().map(|granted| granted.credits).collect();
    assert_eq!(granted, row.items.iter().map(|item| item.credits).collect::<Vec<_>>());
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    for id in ["t/a", "t/b", "t/h"] {
        assert_eq!(bank.bucket(id), Some(Bucket::Available), "{id}");
    }
    let uses = bank.uses(account("ann"));
    assert_eq!(uses.held, []);
    assert_eq!(uses.uses.len(), 4);
    // Of what was used together the first carries the credit.
    let of = |id: &str| uses.uses.iter().find(|one| one.record == record(id)).unwrap().credits_milli;
    assert_eq!((of("t/a"), of("t/b")), (4_000, 0));
    for name in bank.granted(application) {
        assert_eq!(bank.record(&name).application, Some(application));
    }
    for outcome in [DecisionOutcome::Approve, DecisionOutcome::Reject] {
        refused(bank.decide(application, outcome), Reason::ApplicationStateWrong, "");
    }
    bank.check_rebuild();
}

#[test]
fn a_part_is_approved_with_less_or_without_an_item() {
    let (mut bank, application) = applied();
    let (grade, hours) = (position(&bank, application, "grades"), position(&bank, application, "hours"));
    let mut items = [(grade, None), (hours, Some(1_500))];
    items.sort();
    bank.decide_with(application, DecisionOutcome::Partly, partly(&items)).unwrap();
    let row = bank.application(application).clone();
    assert_eq!((row.status, row.granted.len()), (ApplicationStatus::Posted, 2));
    let lowered = row.granted.iter().find(|granted| granted.position == hours).unwrap();
    assert_eq!(lowered.credits, Some(credits(1_500)));
    // What was declined is not used.
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Available));
    let uses = bank.uses(account("ann")).uses;
    assert!(uses.iter().all(|one| one.record != record("t/g")), "{uses:?}");
    assert_eq!(uses.iter().map(|one| one.credits_milli).sum::<i64>(), 5_500);
    bank.check_rebuild();
}

/// Whether a record is redeemed is for the consumption of what is granted to say.
#[test]
fn what_is_used_up_for_ever_is_redeemed_and_nothing_else() {
    use Consumption::{Global, None as Free, OnceForAllDegrees, PerAwardLevel, PerProgramme};
    let of = |rule: &str, consumption| ProposedItem {
        rule: name(rule),
        rule_kind: None,
        place: ConvertedPlace::Requirement(name("elective")),
        scheme: scheme(),
        credits: Some(credits(500)),
        sources: vec![0],
        consumption,
        programme: Some(name("U-AD")),
        award_level: None,
    };
    let decided = |items: Vec<ProposedItem>, declined: &[(u32, Option<i64>)]| {
        let mut bank = Bank::open();
        bank.deposit("t/h", "ann", What::Training(18, 1_000));
        let asked = bank.apply_with("ann", "U-AD", &["t/h"], |_, reckoned| reckoned.items = items);
        let application = asked.unwrap();
        if declined.is_empty() {
            bank.decide(application, DecisionOutcome::Approve).unwrap();
        } else {
            bank.decide_with(application, DecisionOutcome::Partly, partly(declined)).unwrap();
        }
        bank.bucket("t/h").unwrap()
    };
    for (consumption, bucket) in [
        (Global, Bucket::Redeemed),
        (OnceForAllDegrees, Bucket::Redeemed),
        (PerProgramme, Bucket::Available),
        (PerAwardLevel, Bucket::Available),
        (Free, Bucket::Available),
    ] {
        assert_eq!(decided(vec![of("hours", consumption)], &[]), bucket, "{consumption:?}");
    }
    let both = vec![of("grades", Global), of("visits", Free)];
    assert_eq!(decided(both.clone(), &[]), Bucket::Redeemed);
    assert_eq!(decided(both.clone(), &[(0, None)]), Bucket::Available);
    assert_eq!(decided(both, &[(1, None)]), Bucket::Redeemed);
}

#[test]
fn a_part_is_less_than_was_proposed_and_something() {
    let (mut bank, application) = applied();
    let hours = position(&bank, application, "hours");
    let mut decide = |items: &[(u32, Option<i64>)], field: &str| {
        let outcome = bank.decide_with(application, DecisionOutcome::Partly, partly(items));
        refused(outcome, Reason::DecisionItemWrong, field).detail.unwrap()
    };
    assert_eq!(decide(&[(3, None)], "items[0]"), "is no item of the proposal");
    assert_eq!(decide(&[(0, None), (9, None)], "items[1]"), "is no item of the proposal");
    let detail = "must be less than was proposed, in steps of 500 milli-credits";
    for milli in [2_000, 2_500, 750] {
        assert_eq!(decide(&[(hours, Some(milli))], "items[0]"), detail, "{milli}");
    }
    let nothing = "declines every item: reject it instead";
    assert_eq!(decide(&[(0, None), (1, None), (2, None)], "items"), nothing);
    bank.decide_with(application, DecisionOutcome::Partly, partly(&[(hours, Some(500))])).unwrap();
}

#[test]
fn what_is_rejected_is_held_until_no_appeal_is_left() {
    let (mut bank, application) = applied();
    bank.decide(application, DecisionOutcome::Reject).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::Rejected);
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Reserved));
    refused(bank.decide(application, DecisionOutcome::Approve), Reason::ApplicationStateWrong, "");
    bank.wait_days(APPEAL_DAYS);
    refused(bank.apply("ann", "U-AD", &["t/g"]), Reason::RecordReserved, "records[0]");
    bank.wait_us(1);
    bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::Lapsed);
    bank.check_rebuild();
}

#[test]
fn where_nobody_may_appeal_a_rejection_frees_at_once() {
    let mut bank = Bank::founded(2, |genesis| genesis.policy.appeal_days = 0);
    bank.publish(super::book::BOOK).unwrap();
    bank.wait_days(NOTICE_DAYS);
    bank.change_book(1, RuleBookAction::Activate).unwrap();
    bank.deposit("t/g", "ann", What::Grade(1, 1_000));
    let application = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    bank.decide(application, DecisionOutcome::Reject).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Available));
    refused(bank.step(application, ConversionAction::Appeal), Reason::AppealNotPossible, "");
    bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    bank.check_rebuild();
}

#[test]
fn what_is_asked_is_answered_and_then_decided() {
    let (mut bank, application) = applied();
    let asked = bank.decide(application, DecisionOutcome::Ask).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::InfoRequested);
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Reserved));
    let rejection =
        refused(bank.decide(application, DecisionOutcome::Approve), Reason::ApplicationStateWrong, "");
    assert_eq!(rejection.index, Some(asked));
    bank.step(application, ConversionAction::Answer).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::UnderReview);
    refused(bank.step(application, ConversionAction::Answer), Reason::ApplicationStateWrong, "");
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    bank.check_rebuild();
}

#[test]
fn a_decision_comes_before_the_application_lapses() {
    for outcome in [DecisionOutcome::Approve, DecisionOutcome::Reject, DecisionOutcome::Ask] {
        let (mut bank, application) = applied();
        bank.wait_days(LAPSE_DAYS);
        bank.wait_us(1);
        let rejection = refused(bank.decide(application, outcome), Reason::ApplicationLapsed, "");
        assert_eq!(rejection.index, Some(application));
        bank.wait_us(-1);
        bank.decide(application, outcome).unwrap();
    }
}

#[test]
fn a_question_is_asked_at_most_while_there_is_room() {
    let (mut bank, application) = applied();
    while bank.application(application).steps.len() + 1 < APPLICATION_STEPS_MAX {
        bank.decide(application, DecisionOutcome::Ask).unwrap();
        bank.step(application, ConversionAction::Answer).unwrap();
    }
    assert_eq!(bank.application(application).steps.len(), APPLICATION_STEPS_MAX - 1);
    bank.decide(application, DecisionOutcome::Ask).unwrap();
    bank.step(application, ConversionAction::Answer).unwrap();
    refused(bank.decide(application, DecisionOutcome::Ask), Reason::StatusLimitReached, "");
    // What ends it is always possible.
    bank.decide(application, DecisionOutcome::Reject).unwrap();
    bank.check_rebuild();
}

#[test]
fn an_officer_signs_what_was_explained_and_how_it_stands() {
    let (mut bank, application) = applied();
    let other = super::bank::digest("another explanation");
    let unread =
        bank.decide_with(application, DecisionOutcome::Approve, |s| s.body.explanation_commitment = other);
    let rejection = refused(unread, Reason::ExplanationMismatch, "explanation_commitment");
    assert_eq!(rejection.index, Some(application));
    let stale = bank.decide_with(application, DecisionOutcome::Approve, |s| s.body.after = other);
    assert_eq!(refused(stale, Reason::StaleStatement, "after").index, Some(application));
    let unknown = bank.decide_with(application, DecisionOutcome::Approve, |s| s.body.application = 3);
    refused(unknown, Reason::ApplicationUnknown, "application_index");
    let unknown = bank.step_with(application, ConversionAction::Withdraw, |s| s.body.application = 1_000);
    refused(unknown, Reason::ApplicationUnknown, "application_index");
    let stale = bank.step_with(application, ConversionAction::Withdraw, |s| s.body.after = other);
    refused(stale, Reason::StaleStatement, "after");
}

#[test]
fn the_institution_that_was_asked_decides_with_a_key_for_decisions() {
    let (mut bank, application) = applied();
    let by = |id: &str, key: &str| {
        let (signer, kid) = (SignerId::Institution(institution(id)), kid(key));
        move |s: &mut Signed<ConversionDecision>| (s.header.signer, s.signers) = (signer, vec![kid])
    };
    let rejection = refused(
        bank.decide_with(application, DecisionOutcome::Approve, by("v", "v.one")),
        Reason::ApplicationOfAnother,
        "header.signer_id",
    );
    assert_eq!(rejection.detail.as_deref(), Some("cn.u"));
    refused(
        bank.decide_with(application, DecisionOutcome::Approve, by("u", "u.status")),
        Reason::KeyPurposeWrong,
        "signatures",
    );
    refused(
        bank.decide_with(application, DecisionOutcome::Approve, by("u", "v.one")),
        Reason::KeyOfAnother,
        "signatures",
    );
    bank.decide_with(application, DecisionOutcome::Approve, by("u", "u.two")).unwrap();
}

#[test]
fn provisional_credit_ends_on_no_day_that_is_past() {
    let (mut bank, application) = applied();
    let today = bank.today();
    let until = |days: i32| {
        let day = CivilDate::from_days(today.days() + days).unwrap();
        move |s: &mut Signed<ConversionDecision>| s.body.provisional_until = Some(day)
    };
    let past = bank.decide_with(application, DecisionOutcome::Approve, until(-1));
    refused(past, Reason::FieldInvalid, "provisional_until");
    bank.decide_with(application, DecisionOutcome::Approve, until(0)).unwrap();
    assert_eq!(bank.status(application), ApplicationStatus::Provisional);
    assert_eq!(bank.application(application).provisional_until, Some(today));
    bank.check_rebuild();
}

/// Two applications that do not know of each other could exceed a maximum together.
#[test]
fn a_proposal_is_granted_only_while_it_knows_what_was_granted() {
    let mut bank = Bank::open();
    // Twelve credits at most, and each proposal has eight.
    bank.deposit("t/h", "ann", What::Hours(144));
    bank.deposit("t/i", "ann", What::Hours(144));
    let first = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    let second = bank.apply("ann", "U-AD", &["t/i"]).unwrap();
    let posted = bank.decide(first, DecisionOutcome::Approve).unwrap();
    let rejection = refused(bank.decide(second, DecisionOutcome::Approve), Reason::ApplicationOutdated, "");
    assert_eq!(rejection.index, Some(posted));
    bank.decide(second, DecisionOutcome::Ask).unwrap();
    bank.step(second, ConversionAction::Withdraw).unwrap();
    let again = bank.apply("ann", "U-AD", &["t/i"]).unwrap();
    let credits = bank.application(again).items[0].credits.unwrap();
    assert_eq!(credits.milli(), 4_000);
    // What is granted into another programme by another rule does not touch it.
    bank.deposit("u/c", "ann", What::Exam(1_000));
    let other = bank.apply("ann", "V-AD", &["u/c"]).unwrap();
    bank.decide(other, DecisionOutcome::Approve).unwrap();
    bank.decide(again, DecisionOutcome::Approve).unwrap();
    bank.check_rebuild();
}

/// Who was appealed against twice does not decide the second appeal as a regulator.
#[test]
fn a_second_appeal_is_not_decided_by_who_was_asked() {
    let mut bank = Bank::empty();
    bank.genesis(2, |_| {}).unwrap();
    bank.framework("nqf", 1).unwrap();
    bank.admit("t", &[Role::Issuer]);
    bank.admit("u", &[Role::Acceptor, Role::Regulator]);
    bank.admit("r", &[Role::Registrar]);
    bank.open_account("ann", AssuranceLevel::Document);
    bank.bring(1);
    bank.deposit("t/h", "ann", What::Hours(18));
    let application = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    for key in ["u.one", "u.two"] {
        let by = |s: &mut Signed<ConversionDecision>| s.signers = vec![kid(key)];
        bank.decide_with(application, DecisionOutcome::Reject, by).unwrap();
        bank.step(application, ConversionAction::Appeal).unwrap();
    }
    let by_u = |s: &mut Signed<ConversionDecision>| s.signers = vec![kid("u.three")];
    let decided = bank.decide_with(application, DecisionOutcome::Approve, by_u);
    refused(decided, Reason::SignerNotAllowed, "header.signer_id");
}
