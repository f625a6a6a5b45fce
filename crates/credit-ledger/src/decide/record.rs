//! Records.

use crate::decide::Judgement;
use crate::decide::deposit::Deposit;
use crate::evidence::{self, AnchorRule};
use crate::row::RecordRow;
use credit_types::limits::{STATUS_STEPS_MAX, STATUS_STEPS_ORDER_MAX};
use credit_types::{
    AccountRef, Amount, Bucket, DepositCheck, Event, KeyPurpose, Posting, Reason, RecordAction,
    RecordCorrection, RecordFacts, RecordStatus, RecordStatusChange, Rejection, Role, Signed, SignerId,
};

/// An issuer deposits a record.
pub(crate) fn deposit(
    mut judgement: Judgement,
    statement: &Signed<RecordFacts>,
    check: &DepositCheck,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body: facts, signers } = statement;
    // The bracket of the signing time is left to the issuer here: records come in great numbers.
    evidence::header(&mut judgement, header, AnchorRule::Optional);
    let row = evidence::institution(&mut judgement, &header.signer);
    if let Some(row) = row {
        evidence::role(&mut judgement, row, Role::Issuer);
    }
    let mut events = Vec::new();
    if let SignerId::Institution(issuer) = &header.signer {
        evidence::one_key(&mut judgement, issuer, signers, &[KeyPurpose::Records], &[]);
        let deposit = Deposit { issuer, admission: row, facts, check, added: 0 };
        deposit.guard(&mut judgement);
        events.extend(signers.first().map(|kid| deposit.event(*kid, None, None)));
    }
    judgement.end()?;
    Ok(events)
}

/// An issuer replaces a record.
pub(crate) fn correct(
    mut judgement: Judgement,
    statement: &Signed<RecordCorrection>,
    check: &DepositCheck,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let row = evidence::institution(&mut judgement, &header.signer);
    if let Some(row) = row {
        evidence::role(&mut judgement, row, Role::Issuer);
    }
    let mut events = Vec::new();
    if let SignerId::Institution(issuer) = &header.signer {
        evidence::one_key(&mut judgement, issuer, signers, &[KeyPurpose::Records], &[]);
        let deposit = Deposit { issuer, admission: row, facts: &body.facts, check, added: 0 };
        deposit.guard(&mut judgement);
        let old = judgement.view.record(issuer, body.supersedes);
        judgement.require(old.is_some(), || Rejection::new(Reason::RecordUnknown).field("supersedes"));
        if let Some(old) = old {
            of_account(&mut judgement, old, body.facts.account_ref);
            not_ended(&mut judgement, old);
            not_of_application(&mut judgement, old);
            not_of_the_other(&mut judgement, old, By::Issuer);
            follows(&mut judgement, old, body.after);
            events.extend(signers.first().map(|kid| Event::RecordStatusChanged {
                account_ref: old.facts.account_ref,
                issuer: old.issuer.clone(),
                record_id: body.supersedes,
                status: RecordStatus::Superseded,
                superseded_by: Some(body.facts.record_id),
                kid: *kid,
                postings: moved(old, Bucket::Revoked),
            }));
        }
        events.extend(signers.first().map(|kid| deposit.event(*kid, None, Some(body.supersedes))));
    }
    judgement.end()?;
    Ok(events)
}

/// The issuer, or a regulator by order, revokes, suspends or reinstates a record.
pub(crate) fn change_status(
    mut judgement: Judgement,
    statement: &Signed<RecordStatusChange>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let shaped = body.after.is_none() == (body.action == RecordAction::Revoke);
    judgement.require(shaped, || {
        Rejection::new(Reason::FieldInvalid)
            .field("after")
            .detail("must be absent in a revocation and present otherwise")
    });
    evidence::header(&mut judgement, header, AnchorRule::Required);
    if let Some(row) = evidence::institution(&mut judgement, &header.signer) {
        let own = row.admission.institution_id == body.issuer_id;
        let regulator = row.admission.roles.contains(&Role::Regulator);
        let rejection = || Rejection::new(Reason::SignerNotAllowed).field("header.signer_id");
        judgement.require(own || regulator, rejection);
        let ordered = own || !body.order_ref.is_empty();
        judgement.require(ordered, || Rejection::new(Reason::OrderRefMissing).field("order_ref"));
    }
    if let SignerId::Institution(signer) = &header.signer {
        evidence::one_key(&mut judgement, signer, signers, &[KeyPurpose::Status], &[]);
    }
    let in_future =
        body.effective_from.is_some_and(|from| judgement.today().is_none_or(|today| from > today));
    judgement.require(!in_future, || Rejection::new(Reason::EffectiveInFuture).field("effective_from"));
    let row = judgement.view.record(&body.issuer_id, body.record_id);
    judgement.require(row.is_some(), || Rejection::new(Reason::RecordUnknown).field("record_id"));
    if let Some(row) = row {
        of_account(&mut judgement, row, body.account_ref);
        let by = if header.signer.institution() == Some(&row.issuer) { By::Issuer } else { By::Order };
        if by == By::Issuer {
            not_of_application(&mut judgement, row);
        }
        may_change(&mut judgement, row, body, by);
    }
    judgement.end()?;
    let (status, to) = match body.action {
        RecordAction::Revoke => (RecordStatus::Revoked, Bucket::Revoked),
        RecordAction::Suspend => (RecordStatus::Suspended, Bucket::Suspended),
        RecordAction::Reinstate => (RecordStatus::Valid, Bucket::Available),
    };
    Ok(row
        .zip(signers.first())
        .map(|(row, kid)| Event::RecordStatusChanged {
            account_ref: body.account_ref,
            issuer: body.issuer_id.clone(),
            record_id: body.record_id,
            status,
            superseded_by: None,
            kid: *kid,
            postings: moved(row, to),
        })
        .into_iter()
        .collect())
}

fn of_account(judgement: &mut Judgement, row: &RecordRow, account_ref: AccountRef) {
    let same = row.facts.account_ref == account_ref;
    judgement.require(same, || Rejection::new(Reason::RecordOfAnotherAccount).field("account_ref"));
}

/// That a record is neither revoked nor superseded.
fn not_ended(judgement: &mut Judgement, row: &RecordRow) {
    let refused = match row.status {
        RecordStatus::Valid | RecordStatus::Suspended => None,
        RecordStatus::Revoked => Some(Reason::RecordRevoked),
        RecordStatus::Superseded => Some(Reason::RecordSuperseded),
    };
    if let Some(reason) = refused {
        judgement.refuse(Rejection::new(reason).index(row.last_status_index));
    }
}

/// That a record is no outcome of an application: who granted it does not take it back alone.
fn not_of_application(judgement: &mut Judgement, row: &RecordRow) {
    if let Some(application) = row.application {
        judgement.refuse(Rejection::new(Reason::RecordOfApplication).field("record_id").index(application));
    }
}

/// Who changes the status of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Its issuer.
    Issuer,
    /// A regulator, by order.
    Order,
}

/// Who has suspended a record that is suspended.
fn suspended_by(judgement: &Judgement, row: &RecordRow) -> Option<By> {
    let step = row.steps.last().filter(|_| row.status == RecordStatus::Suspended)?;
    let own = judgement.view.key(step.kid).is_some_and(|key| key.owner == row.issuer);
    Some(if own { By::Issuer } else { By::Order })
}

/// That nobody undoes what the other has suspended: an order binds the issuer, and no order lifts what the issuer
/// looks into itself.
fn not_of_the_other(judgement: &mut Judgement, row: &RecordRow, by: By) {
    let Some(step) = row.steps.last() else { return };
    let own = suspended_by(judgement, row).is_none_or(|suspended| suspended == by);
    let rejection = || Rejection::new(Reason::SignerNotAllowed).field("header.signer_id").index(step.index);
    judgement.require(own, rejection);
}

fn follows(judgement: &mut Judgement, row: &RecordRow, after: credit_types::Digest) {
    let fresh = judgement.view.leaf(row.last_status_index) == Some(after);
    let rejection = || Rejection::new(Reason::StaleStatement).field("after");
    judgement.require(fresh, || rejection().index(row.last_status_index));
}

fn may_change(judgement: &mut Judgement, row: &RecordRow, change: &RecordStatusChange, by: By) {
    not_ended(judgement, row);
    // An order takes over what the issuer has suspended: else the issuer could keep it away by being first.
    let taken_over = by == By::Order && suspended_by(judgement, row) == Some(By::Issuer);
    let refused = match (change.action, row.status) {
        (RecordAction::Suspend, RecordStatus::Suspended) if taken_over => None,
        (RecordAction::Suspend, RecordStatus::Suspended) => Some(Reason::RecordAlreadySuspended),
        (RecordAction::Reinstate, RecordStatus::Valid) => Some(Reason::RecordNotSuspended),
        (RecordAction::Revoke, _)
        | (RecordAction::Suspend, RecordStatus::Valid)
        | (RecordAction::Reinstate, RecordStatus::Suspended)
        | (_, RecordStatus::Revoked | RecordStatus::Superseded) => None,
    };
    if let Some(reason) = refused {
        judgement.refuse(Rejection::new(reason).index(row.last_status_index));
    }
    if let Some(after) = change.after {
        follows(judgement, row, after);
    }
    match change.action {
        RecordAction::Reinstate => not_of_the_other(judgement, row, by),
        RecordAction::Suspend => {
            let most = match by {
                By::Issuer => STATUS_STEPS_MAX,
                By::Order => STATUS_STEPS_ORDER_MAX,
            };
            judgement.require(row.steps.len() < most, || Reason::StatusLimitReached);
        }
        RecordAction::Revoke => {}
    }
}

/// The postings that move a record's whole credit into a bucket. What was redeemed stays so: an award that rests on it is
/// never changed silently.
fn moved(row: &RecordRow, to: Bucket) -> Vec<Posting> {
    let Some(Amount { scheme, .. }) = &row.facts.amount else { return Vec::new() };
    let held = row.buckets.iter().filter(|(from, _)| **from != to && **from != Bucket::Redeemed);
    held.filter_map(|(from, milli)| {
        let credits = credit_types::Credits::from_milli(*milli).ok()?;
        Some(Posting { from: *from, to, amount: Amount { scheme: scheme.clone(), credits } })
    })
    .collect()
}
