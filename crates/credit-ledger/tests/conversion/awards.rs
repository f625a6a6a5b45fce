//! Awards: what they rest on, how they are granted and, by order, taken back.

use super::bank::Bank;
use super::refused;
use super::say::*;
use credit_types::*;

/// Six credits for a diploma: two courses, and credit that an application granted.
fn holder() -> (Bank, Vec<RecordName>) {
    let mut bank = Bank::open();
    bank.allow("u", &[], "2026-12-31").unwrap();
    bank.deposit("u/a", "ann", What::Course(2_000));
    bank.deposit("u/b", "ann", What::Course(3_000));
    bank.deposit("t/h", "ann", What::Hours(18));
    let application = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    let granted = bank.granted(application);
    (bank, [granted, vec![record("u/a"), record("u/b")]].concat())
}

fn asked(bank: &mut Bank, records: &[RecordName]) -> u64 {
    let body = request("ann", "diploma", records);
    bank.ask(body, |_, _| {}).unwrap()
}

#[test]
fn an_award_is_granted_whole_and_redeems_what_it_rests_on() {
    let (mut bank, records) = holder();
    // Whatever is automatic, an award is an officer's.
    let body = request("ann", "diploma", &records);
    let application = bank.ask(body, |_, reckoned| reckoned.automatic = true).unwrap();
    let row = bank.application(application).clone();
    let item = ProposedItem {
        rule: name("diploma"),
        rule_kind: None,
        place: ConvertedPlace::Standard(name("diploma")),
        scheme: scheme(),
        credits: None,
        sources: vec![0, 1, 2],
        consumption: Consumption::Global,
        programme: None,
        award_level: None,
    };
    assert_eq!(row.items, [item]);
    assert_eq!(row.status, ApplicationStatus::UnderReview);
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    for name in &records {
        assert_eq!(bank.bucket_of(name), Some(Bucket::Redeemed));
    }
    let granted = bank.granted(application);
    let award = bank.record(&granted[0]);
    assert_eq!((award.facts.kind, award.buckets.len()), (RecordKind::Qualification, 0));
    let body = request("ann", "diploma", &records);
    refused(bank.ask(body, |_, _| {}), Reason::RecordUsed, "records[0]");
    bank.check_rebuild();
}

#[test]
fn an_award_that_lacks_something_is_not_granted_and_says_what() {
    let (mut bank, records) = holder();
    let body = request("ann", "diploma", &records[..2]);
    let rejection = refused(bank.ask(body, |_, _| {}), Reason::NothingGranted, "records");
    assert_eq!(rejection.detail.as_deref(), Some("total"));
    // Of an award by steps the lowest.
    bank.deposit("u/c", "ann", What::Course(1_500));
    let body = request("ann", "badge", &[record("u/c")]);
    let rejection = refused(bank.ask(body, |_, _| {}), Reason::NothingGranted, "records");
    assert_eq!(rejection.detail.as_deref(), Some("no step is reached"));
    for (records, step) in [(&["u/a"][..], "bronze"), (&["u/a", "u/b"], "silver")] {
        let application = bank.apply("ann", "badge", records).unwrap();
        let place = bank.application(application).items[0].place.clone();
        assert_eq!(place, ConvertedPlace::Standard(name(step)));
        bank.decide(application, DecisionOutcome::Approve).unwrap();
    }
    bank.check_rebuild();
}

/// What uses nothing up could be asked for over and over with the same records.
#[test]
fn a_step_is_reached_once_with_the_same_records() {
    let mut bank = Bank::open();
    bank.deposit("u/a", "ann", What::Course(2_000));
    bank.deposit("u/b", "ann", What::Course(3_000));
    let first = bank.apply("ann", "badge", &["u/a"]).unwrap();
    bank.decide(first, DecisionOutcome::Approve).unwrap();
    let rejection = refused(bank.apply("ann", "badge", &["u/a"]), Reason::RecordUsed, "records[0]");
    assert_eq!(rejection.index, Some(first));
    // The next step counts them again.
    bank.apply("ann", "badge", &["u/a", "u/b"]).unwrap();
}

#[test]
fn an_award_is_decided_whole_and_for_good() {
    let (mut bank, records) = holder();
    let application = asked(&mut bank, &records);
    let until = bank.today();
    let provisional = bank.decide_with(application, DecisionOutcome::Approve, |s| {
        s.body.provisional_until = Some(until);
    });
    let rejection = refused(provisional, Reason::DecisionItemWrong, "outcome");
    assert_eq!(rejection.detail.as_deref(), Some("an award is granted whole, or not"));
    let declined = DecidedItem { position: 0, credits: None, reason: DecisionReason::Expired };
    let partly = bank.decide_with(application, DecisionOutcome::Partly, |s| s.body.items = vec![declined]);
    refused(partly, Reason::DecisionItemWrong, "outcome");
    bank.decide(application, DecisionOutcome::Ask).unwrap();
    bank.step(application, ConversionAction::Answer).unwrap();
    bank.decide(application, DecisionOutcome::Reject).unwrap();
    bank.check_rebuild();
}

#[test]
fn what_may_still_be_taken_back_carries_no_award() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(36));
    let credit = bank.apply("ann", "V-AD", &["t/h"]).unwrap();
    let until = bank.today();
    bank.decide_with(credit, DecisionOutcome::Approve, |s| s.body.provisional_until = Some(until)).unwrap();
    let granted = bank.granted(credit);
    let body = request("ann", "badge", &granted);
    refused(bank.ask(body.clone(), |_, _| {}), Reason::RecordNotAvailable, "records[0]");
    bank.step(credit, ConversionAction::Confirm).unwrap();
    bank.ask(body, |_, _| {}).unwrap();
}

#[test]
fn what_was_taken_back_carries_no_award_either() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(36));
    let credit = bank.apply("ann", "V-AD", &["t/h"]).unwrap();
    let until = bank.today();
    bank.decide_with(credit, DecisionOutcome::Approve, |s| s.body.provisional_until = Some(until)).unwrap();
    bank.step(credit, ConversionAction::Rescind).unwrap();
    let body = request("ann", "badge", &bank.granted(credit));
    refused(bank.ask(body, |_, _| {}), Reason::RecordRevoked, "records[0]");
}

/// Credit that was granted under a key that turned out to be stolen carries no award: the registrar's where no officer
/// decided, a regulator's after two appeals.
#[test]
fn granted_credit_rests_on_the_key_that_brought_it() {
    let mut bank = Bank::open();
    bank.admit("s", &[Role::Registrar]);
    let by_s = |s: &mut Signed<ConversionRequest>, _: &mut Assessment| {
        s.header.signer = SignerId::Institution(institution("s"));
        s.signers = vec![kid("s.registry")];
    };
    bank.allow("v", &["hours"], "2026-12-31").unwrap();
    bank.deposit("t/h", "ann", What::Hours(36));
    let automatic = bank.apply_with("ann", "V-AD", &["t/h"], by_s).unwrap();
    bank.deposit("u/c", "ann", What::Course(2_000));
    let appealed = bank.apply("ann", "V-AD", &["u/c"]).unwrap();
    for key in ["v.one", "v.two"] {
        let by = |s: &mut Signed<ConversionDecision>| s.signers = vec![kid(key)];
        bank.decide_with(appealed, DecisionOutcome::Reject, by).unwrap();
        bank.step(appealed, ConversionAction::Appeal).unwrap();
    }
    let by_g = |s: &mut Signed<ConversionDecision>| {
        (s.header.signer, s.signers) = (SignerId::Institution(institution("g")), vec![kid("g.one")]);
    };
    let decided = bank.decide_with(appealed, DecisionOutcome::Approve, by_g).unwrap();
    let granted = [bank.granted(automatic), bank.granted(appealed)];
    let ask = |bank: &mut Bank, at: usize| {
        let body = request("ann", "badge", &granted[at]);
        bank.ask(body, |_, _| {})
    };
    for (at, key, from) in [(0, "s.registry", automatic), (1, "g.one", decided)] {
        let application = ask(&mut bank, at).unwrap();
        bank.step(application, ConversionAction::Withdraw).unwrap();
        bank.report(key, from);
        refused(ask(&mut bank, at), Reason::RecordKeySuspect, "records[0]");
    }
    bank.check_rebuild();
}

/// At the decision only keys of issuers and of the account's registrar are asked again. A granted record can rest on the
/// key of somebody else, which is loaded or not: the answer must not depend on that.
#[test]
fn a_decision_asks_no_keys_that_it_does_not_load() {
    let mut bank = Bank::open();
    bank.admit("s", &[Role::Registrar]);
    bank.allow("v", &["hours"], "2026-12-31").unwrap();
    bank.deposit("t/h", "ann", What::Hours(36));
    let by_s = |s: &mut Signed<ConversionRequest>, _: &mut Assessment| {
        s.header.signer = SignerId::Institution(institution("s"));
        s.signers = vec![kid("s.registry")];
    };
    let credit = bank.apply_with("ann", "V-AD", &["t/h"], by_s).unwrap();
    let body = request("ann", "badge", &bank.granted(credit));
    let badge = bank.ask(body, |_, _| {}).unwrap();
    bank.report("s.registry", credit);
    bank.decide(badge, DecisionOutcome::Approve).unwrap();
    bank.check_rebuild();
}

/// An order takes a record over while it is held; the decision reads its keys in as many rounds as there may be.
#[test]
fn an_award_rests_on_records_that_others_have_changed() {
    let (mut bank, records) = holder();
    for name in &records {
        bank.change_record(name, "g", RecordAction::Suspend).unwrap();
        bank.change_record(name, "g", RecordAction::Reinstate).unwrap();
    }
    let application = asked(&mut bank, &records);
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    bank.reverse(application, &[]).unwrap();
    bank.check_rebuild();
}

#[test]
fn an_award_is_taken_back_by_order_item_by_item() {
    for kept in [&[][..], &[0], &[1, 2], &[0, 1, 2]] {
        let (mut bank, records) = holder();
        let application = asked(&mut bank, &records);
        bank.decide(application, DecisionOutcome::Approve).unwrap();
        let names = bank.application(application).request.records.clone();
        let granted = bank.granted(application);
        bank.reverse(application, kept).unwrap();
        assert_eq!(bank.status(application), ApplicationStatus::Reversed);
        assert_eq!(bank.record(&granted[0]).status, RecordStatus::Revoked);
        for (at, name) in (0..).zip(&names) {
            let stays = kept.contains(&at);
            let bucket = if stays { Bucket::Redeemed } else { Bucket::Available };
            assert_eq!(bank.bucket_of(name), Some(bucket), "{at} of {kept:?}");
            let used = bank
                .uses(account("ann"))
                .uses
                .iter()
                .any(|one| one.record == *name && one.application == application);
            assert_eq!(used, stays);
        }
        refused(bank.reverse(application, &[]), Reason::ApplicationStateWrong, "");
        bank.check_rebuild();
    }
}

#[test]
fn a_reversal_is_signed_by_both_and_names_what_was_used() {
    let (mut bank, records) = holder();
    let application = asked(&mut bank, &records);
    refused(bank.reverse(application, &[]), Reason::ApplicationStateWrong, "");
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    refused(bank.reverse(application, &[3]), Reason::DecisionItemWrong, "kept");
    let keys = |names: &[&str]| {
        let mut kids: Vec<Kid> = names.iter().map(|name| kid(name)).collect();
        kids.sort();
        move |s: &mut Signed<AwardReversal>| s.signers = kids
    };
    let mut signed = |names: &[&str], reason| {
        refused(bank.reverse_with(application, &[], keys(names)), reason, "signatures");
    };
    signed(&["u.one"], Reason::KeyUnknown);
    signed(&["g.status"], Reason::KeyUnknown);
    signed(&["u.one", "g.one"], Reason::KeyPurposeWrong);
    signed(&["u.status", "g.status"], Reason::KeyPurposeWrong);
    signed(&["u.one", "v.status"], Reason::KeyOfAnother);
    signed(&["g.status", "u.one", "u.two"], Reason::SignatureNotNeeded);
    let regulator = |id: &str| {
        let id = institution(id);
        move |s: &mut Signed<AwardReversal>| s.body.regulator_id = id
    };
    refused(bank.reverse_with(application, &[], regulator("x")), Reason::SignerUnknown, "regulator_id");
    refused(bank.reverse_with(application, &[], regulator("v")), Reason::RoleMissing, "");
    let by_v = |s: &mut Signed<AwardReversal>| {
        s.header.signer = SignerId::Institution(institution("v"));
        let mut kids = vec![kid("v.one"), kid("g.status")];
        kids.sort();
        s.signers = kids;
    };
    let another = bank.reverse_with(application, &[], by_v);
    refused(another, Reason::ApplicationOfAnother, "header.signer_id");
    let unknown = bank.reverse_with(application, &[], |s| s.body.application = 1);
    refused(unknown, Reason::ApplicationUnknown, "application_index");
    let stale = bank.reverse_with(application, &[], |s| s.body.after = super::bank::digest("x"));
    refused(stale, Reason::StaleStatement, "after");
    bank.reverse(application, &[]).unwrap();
}

/// An institution that is a regulator as well does not order its own award back.
#[test]
fn an_order_is_anothers() {
    let mut bank = Bank::founded(2, |_| {});
    bank.admit("w", &[Role::Issuer, Role::Awarder, Role::Regulator]);
    bank.publish(&super::book::BOOK.replacen(
        "institution = \"cn.u\"\nstd = \"CN_XF\"\nconsumption",
        "institution = \"cn.w\"\nstd = \"CN_XF\"\nconsumption",
        1,
    ))
    .unwrap();
    bank.wait_days(NOTICE_DAYS);
    bank.change_book(1, RuleBookAction::Activate).unwrap();
    bank.deposit("w/a", "ann", What::Course(6_000));
    let mut body = request("ann", "diploma", &[record("w/a")]);
    body.institution_id = institution("w");
    let application = bank.ask(body, |_, _| {}).unwrap();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    let alone = bank.reverse_with(application, &[], |s| {
        s.body.regulator_id = institution("w");
        let mut kids = vec![kid("w.one"), kid("w.status")];
        kids.sort();
        s.signers = kids;
    });
    refused(alone, Reason::SignerNotAllowed, "regulator_id");
    bank.reverse(application, &[]).unwrap();
}

/// A source that was revoked after the award stays redeemed, and revoked when the award is taken back.
#[test]
fn a_source_revoked_under_an_award_never_comes_back() {
    let (mut bank, records) = holder();
    let application = asked(&mut bank, &records);
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    bank.change_record(&record("u/a"), "u", RecordAction::Revoke).unwrap();
    assert_eq!(bank.bucket("u/a"), Some(Bucket::Redeemed));
    assert_eq!(bank.status(application), ApplicationStatus::Posted);
    bank.reverse(application, &[]).unwrap();
    assert_eq!(bank.bucket("u/a"), Some(Bucket::Revoked));
    assert_eq!(bank.bucket("u/b"), Some(Bucket::Available));
    bank.check_rebuild();
}

/// An award that used nothing up gives nothing back: what another application has redeemed since stays so.
#[test]
fn taking_an_award_back_frees_nothing_that_it_has_not_used_up() {
    let mut bank = Bank::open();
    bank.deposit("t/g", "ann", What::Grade(3, 4_000));
    let badge = bank.apply("ann", "badge", &["t/g"]).unwrap();
    bank.decide(badge, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Available));
    let grades = bank.apply("ann", "U-AD", &["t/g"]).unwrap();
    bank.decide(grades, DecisionOutcome::Approve).unwrap();
    bank.reverse(badge, &[]).unwrap();
    assert_eq!(bank.bucket("t/g"), Some(Bucket::Redeemed));
    let left: Vec<u64> = bank.uses(account("ann")).uses.iter().map(|one| one.application).collect();
    assert_eq!(left, [grades]);
    bank.check_rebuild();
}

/// A record and what was granted for it are not counted both; what another institution has granted is not counted at all.
#[test]
fn an_award_counts_nothing_twice() {
    let mut bank = Bank::open();
    bank.allow("v", &[], "2026-12-31").unwrap();
    bank.allow("u", &[], "2026-12-31").unwrap();
    bank.deposit("t/h", "ann", What::Training(36, 4_000));
    let step = |bank: &mut Bank, records: &[RecordName]| {
        let body = request("ann", "badge", records);
        let application = bank.ask(body, |_, _| {})?;
        let row = bank.application(application).clone();
        bank.step(application, ConversionAction::Withdraw).unwrap();
        Ok::<_, Rejection>((row.items[0].place.clone(), row.items[0].sources.clone()))
    };
    let place = |step: &str| ConvertedPlace::Standard(name(step));
    assert_eq!(step(&mut bank, &[record("t/h")]), Ok((place("silver"), vec![0])));
    let of_v = bank.apply("ann", "V-AD", &["t/h"]).unwrap();
    let both = [bank.granted(of_v), vec![record("t/h")]].concat();
    let at = u32::from(both[0] > both[1]);
    assert_eq!(step(&mut bank, &both), Ok((place("bronze"), vec![at])));
    let of_u = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    let granted = bank.granted(of_u);
    refused(step(&mut bank, &granted), Reason::NothingGranted, "records");
    bank.check_rebuild();
}

/// An award counts no record that an earlier use keeps from it; the rest may suffice.
#[test]
fn an_award_leaves_out_what_was_used() {
    let mut bank = Bank::open();
    bank.allow("u", &[], "2026-12-31").unwrap();
    bank.deposit("t/h", "ann", What::Training(18, 6_000));
    bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    let rejection = refused(bank.apply("ann", "diploma", &["t/h"]), Reason::NothingGranted, "records");
    assert_eq!(rejection.detail.as_deref(), Some("total"));
    bank.deposit("u/a", "ann", What::Course(6_000));
    let application = bank.apply("ann", "diploma", &["t/h", "u/a"]).unwrap();
    assert_eq!(bank.application(application).sources(), [1]);
    assert_eq!(bank.bucket("t/h"), Some(Bucket::Available));
}
