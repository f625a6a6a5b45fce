//! The steps of an application that are no decisions, and the reversal of an award.

use crate::decide::Judgement;
use crate::decide::application::{Move, application, moved, over, released, source_names, stands, used_up};
use crate::evidence::{self, AnchorRule, days_us};
use crate::row::ApplicationRow;
use credit_types::limits::APPEALS_MAX;
use credit_types::{
    ApplicationStatus, AwardReversal, ConversionAction, ConversionChange, ConversionPurpose, ConversionStep,
    Event, InstitutionId, KeyPurpose, Kid, Reason, RecordMoved, RecordName, Rejection, Role, Signed,
    SignerId,
};

/// An application is withdrawn, appealed or answered by a registrar, or its provisional credit confirmed or taken back by
/// the institution.
pub(crate) fn step(
    mut judgement: Judgement,
    statement: &Signed<ConversionStep>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let of_learner = match body.action {
        ConversionAction::Withdraw | ConversionAction::Appeal | ConversionAction::Answer => true,
        ConversionAction::Confirm | ConversionAction::Rescind => false,
    };
    if let Some(row) = evidence::institution(&mut judgement, &header.signer)
        && of_learner
    {
        evidence::role(&mut judgement, row, Role::Registrar);
    }
    if let SignerId::Institution(signer) = &header.signer {
        let purpose = if of_learner { KeyPurpose::Registry } else { KeyPurpose::Decisions };
        evidence::one_key(&mut judgement, signer, signers, &[purpose], &[]);
    }
    let row = application(&mut judgement, body.application, body.after);
    if let Some(row) = row {
        if !of_learner {
            of_institution(&mut judgement, row, &header.signer);
        }
        may_step(&mut judgement, row, body.action);
    }
    judgement.end()?;
    let (Some(row), Some(kid)) = (row, signers.first().copied()) else {
        return Err(Reason::ApplicationUnknown.into());
    };
    let (status, moved) = match body.action {
        ConversionAction::Withdraw => (ApplicationStatus::Withdrawn, released(view, row)),
        ConversionAction::Appeal => (ApplicationStatus::Appealed, Vec::new()),
        ConversionAction::Answer => (ApplicationStatus::UnderReview, Vec::new()),
        ConversionAction::Confirm => (ApplicationStatus::Posted, Vec::new()),
        ConversionAction::Rescind => (ApplicationStatus::Rescinded, restored(view, row, &[])),
    };
    Ok(vec![changed(row, status, moved, kid)])
}

/// An event by which an application goes on; what it takes back is what it had granted.
fn changed(row: &ApplicationRow, status: ApplicationStatus, moved: Vec<RecordMoved>, kid: Kid) -> Event {
    let taken_back = matches!(status, ApplicationStatus::Rescinded | ApplicationStatus::Reversed);
    Event::ConversionChanged(Box::new(ConversionChange {
        account_ref: row.request.account_ref,
        application: row.requested_index,
        status,
        moved,
        granted: if taken_back { row.granted.clone() } else { Vec::new() },
        granted_on: row.granted_on.filter(|_| taken_back),
        auto_approval: None,
        provisional_until: None,
        kid,
    }))
}

/// That the institution that was asked signs.
fn of_institution(judgement: &mut Judgement, row: &ApplicationRow, signer: &SignerId) {
    let own = signer.institution() == Some(&row.request.institution_id);
    judgement.require(own, || {
        let owner = row.request.institution_id.to_string();
        Rejection::new(Reason::ApplicationOfAnother).field("header.signer_id").detail(owner)
    });
}

fn may_step(judgement: &mut Judgement, row: &ApplicationRow, action: ConversionAction) {
    use ApplicationStatus::{Appealed, InfoRequested, Provisional, Rejected, UnderReview};
    let allowed: &[ApplicationStatus] = match action {
        ConversionAction::Withdraw => &[UnderReview, InfoRequested, Appealed],
        ConversionAction::Appeal => &[Rejected],
        ConversionAction::Answer => &[InfoRequested],
        ConversionAction::Confirm | ConversionAction::Rescind => &[Provisional],
    };
    stands(judgement, row, allowed);
    let lapsed = over(judgement, row);
    match action {
        ConversionAction::Appeal => {
            let days = judgement.view.log().map_or(0, |log| log.genesis.policy.appeal_days);
            let waited_us = judgement.context.recorded_at_us.saturating_sub(row.last_at_us);
            let possible = row.appeals() < APPEALS_MAX && days > 0 && waited_us <= days_us(days);
            judgement.require(possible, || Rejection::new(Reason::AppealNotPossible).index(row.last_index));
        }
        ConversionAction::Answer => {
            judgement.require(!lapsed, || Rejection::new(Reason::ApplicationLapsed).index(row.last_index));
        }
        ConversionAction::Confirm => {
            let today = judgement.today();
            let in_time = row.provisional_until.zip(today).is_some_and(|(until, today)| today <= until);
            judgement.require(in_time, || Rejection::new(Reason::ApplicationLapsed).index(row.last_index));
        }
        ConversionAction::Withdraw | ConversionAction::Rescind => {}
    }
}

/// The moves that give back what an application had used, but for the records at some positions. What it had not used up
/// stays where it is: if that is redeemed, it is by another application.
fn restored(view: &crate::view::View, row: &ApplicationRow, kept: &[u32]) -> Vec<RecordMoved> {
    let keeps = |at: usize| u32::try_from(at).is_ok_and(|at| kept.contains(&at));
    let used = used_up(&row.items, &row.granted);
    let back = source_names(row).into_iter().filter(|(at, _)| !keeps(*at));
    let restored = |(at, name): (usize, &RecordName)| {
        if used.contains(&at) {
            moved(view, name, Move::Restore)
        } else {
            RecordMoved { record: name.clone(), postings: Vec::new() }
        }
    };
    back.map(restored).collect()
}

/// The awarding institution, together with a regulator who cites an order, takes an award back.
pub(crate) fn reverse(
    mut judgement: Judgement,
    statement: &Signed<AwardReversal>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    evidence::institution(&mut judgement, &header.signer);
    match view.institution(&body.regulator_id) {
        None => judgement.refuse(Rejection::new(Reason::SignerUnknown).field("regulator_id")),
        Some(row) => evidence::role(&mut judgement, row, Role::Regulator),
    }
    if let SignerId::Institution(signer) = &header.signer {
        two_keys(&mut judgement, signer, &body.regulator_id, signers);
    }
    let row = application(&mut judgement, body.application, body.after);
    if let Some(row) = row {
        of_institution(&mut judgement, row, &header.signer);
        stands(&mut judgement, row, &[ApplicationStatus::Posted]);
        let award = row.request.purpose == ConversionPurpose::Award;
        judgement.require(award, || Rejection::new(Reason::ApplicationStateWrong).field("application_index"));
        let sources = row.sources();
        let known = body.kept.iter().all(|at| usize::try_from(*at).is_ok_and(|at| sources.contains(&at)));
        judgement.require(known, || Rejection::new(Reason::DecisionItemWrong).field("kept"));
    }
    judgement.end()?;
    let (Some(row), Some(kid)) = (row, signers.first().copied()) else {
        return Err(Reason::ApplicationUnknown.into());
    };
    Ok(vec![changed(row, ApplicationStatus::Reversed, restored(view, row, &body.kept), kid)])
}

/// That exactly one key of each has signed: the awarding institution's for decisions, the regulator's for status.
fn two_keys(judgement: &mut Judgement, awarder: &InstitutionId, regulator: &InstitutionId, signers: &[Kid]) {
    let of = |owner: &InstitutionId| -> Vec<Kid> {
        let own = |kid: &&Kid| judgement.view.key(**kid).is_some_and(|row| row.owner == *owner);
        signers.iter().filter(own).copied().collect()
    };
    let (awarders, regulators) = (of(awarder), of(regulator));
    // One institution can't stand on both sides: its order would be its own.
    let apart = awarder != regulator;
    judgement.require(apart, || Rejection::new(Reason::SignerNotAllowed).field("regulator_id"));
    evidence::one_key(judgement, awarder, signers, &[KeyPurpose::Decisions], &regulators);
    evidence::one_key(judgement, regulator, signers, &[KeyPurpose::Status], &awarders);
}
