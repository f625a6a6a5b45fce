//! Keys of institutions.

use crate::decide::{Judgement, registry};
use crate::evidence::{self, AnchorRule, OF_KEYS, days_us};
use crate::row::KeyRow;
use credit_types::limits::{INSTITUTION_KEYS_MAX, INSTITUTION_OWN_KEYS_MAX};
use credit_types::{
    Event, InstitutionId, InstitutionKey, KeyAddition, KeyCompromise, KeyPurpose, KeyRetirement, Kid, Reason,
    Rejection, Signed, SignerId,
};

/// The purposes of which a key of the owner must have one to change a key. Recovery outranks: else whoever has stolen
/// a KEYS key would take the way back with it.
fn of_keys(target: Option<&InstitutionKey>) -> &'static [KeyPurpose] {
    let recovers = target.is_some_and(|key| key.purposes.contains(&KeyPurpose::Recovery));
    if recovers { &[KeyPurpose::Recovery] } else { OF_KEYS }
}

/// The signatures under which an institution's keys change: one KEYS or RECOVERY key of the owner (of a key for
/// RECOVERY one of those), or the authority's threshold; and the new keys. The owner is not known where the key that
/// the statement is about is not.
fn signed_for_owner(
    judgement: &mut Judgement,
    signer: &SignerId,
    (owner, target): (Option<&InstitutionId>, Option<&InstitutionKey>),
    signers: &[Kid],
    new: &[Kid],
) {
    match signer {
        SignerId::Authority => evidence::authority(judgement, signers, new),
        SignerId::Operator => {
            judgement.refuse(Rejection::new(Reason::SignerNotAllowed).field("header.signer_id"));
        }
        SignerId::Institution(id) => {
            evidence::institution(judgement, signer);
            if let Some(owner) = owner {
                let own = owner == id;
                judgement.require(own, || Rejection::new(Reason::SignerNotAllowed).field("header.signer_id"));
            }
            evidence::one_key(judgement, id, signers, of_keys(target), new);
        }
    }
}

/// A key joins.
pub(crate) fn add(
    mut judgement: Judgement,
    statement: &Signed<KeyAddition>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let kid = body.key.key.kid;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let about = (Some(&body.institution_id), Some(&body.key));
    signed_for_owner(&mut judgement, &header.signer, about, signers, &[kid]);
    evidence::possession(&mut judgement, signers, &[kid]);
    match judgement.view.institution(&body.institution_id) {
        // Only the authority can name an institution other than itself.
        None => judgement.refuse(Rejection::new(Reason::SignerUnknown).field("institution_id")),
        Some(row) => {
            let most = match header.signer {
                SignerId::Authority => INSTITUTION_KEYS_MAX,
                SignerId::Operator | SignerId::Institution(_) => INSTITUTION_OWN_KEYS_MAX,
            };
            let free = row.keys.len() < most;
            let detail = format!("{most} keys at most, retired ones counted");
            judgement.require(free, || Rejection::new(Reason::KeyLimitReached).detail(detail));
        }
    }
    registry::key_is_new(&mut judgement, kid, "key");
    judgement.end()?;
    Ok(vec![Event::KeyAdded(Box::new(statement.clone()))])
}

/// The key that a statement is about.
fn target<'a>(judgement: &mut Judgement<'a>, kid: Kid) -> Option<&'a KeyRow> {
    let row = judgement.view.key(kid);
    judgement.require(row.is_some(), || Rejection::new(Reason::KeyNotFound).field("kid"));
    row
}

/// A key leaves in good order.
pub(crate) fn retire(
    mut judgement: Judgement,
    statement: &Signed<KeyRetirement>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let target = target(&mut judgement, body.kid);
    let owner = target.map(|row| &row.owner);
    let about = (owner, target.map(|row| &row.key));
    signed_for_owner(&mut judgement, &header.signer, about, signers, &[]);
    if let Some(row) = target {
        if let Some(compromised) = row.compromised {
            let rejection = Rejection::new(Reason::KeyCompromised).field("kid");
            judgement.refuse(rejection.index(compromised.index));
        }
        if let Some(retired) = row.retired_index {
            judgement.refuse(Rejection::new(Reason::KeyRetired).field("kid").index(retired));
        }
        let fresh = judgement.view.leaf(row.last_status_index) == Some(body.after);
        let rejection = || Rejection::new(Reason::StaleStatement).field("after");
        judgement.require(fresh, || rejection().index(row.last_status_index));
    }
    judgement.end()?;
    Ok(owner
        .map(|owner| Event::KeyRetired { institution_id: owner.clone(), statement: statement.clone() })
        .into_iter()
        .collect())
}

/// A key is no longer trusted.
pub(crate) fn report_compromise(
    mut judgement: Judgement,
    statement: &Signed<KeyCompromise>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let target = target(&mut judgement, body.kid);
    let owner = target.map(|row| &row.owner);
    let about = (owner, target.map(|row| &row.key));
    signed_for_owner(&mut judgement, &header.signer, about, signers, &[]);
    if let Some(row) = target {
        if let Some(before) = row.compromised {
            let wider = body.suspect_from_index < before.suspect_from_index;
            let rejection = || Rejection::new(Reason::KeyCompromised).field("kid");
            judgement.require(wider, || rejection().index(before.index));
        }
        let active = body.suspect_from_index >= row.active_from_index;
        let rejection = || Rejection::new(Reason::SuspectBeforeActivation).field("suspect_from_index");
        judgement.require(active, || rejection().index(row.active_from_index));
    }
    let past = body.suspect_from_index <= judgement.context.index;
    judgement.require(past, || Rejection::new(Reason::SuspectInFuture).field("suspect_from_index"));
    if past && header.signer != SignerId::Authority {
        reaches_back(&mut judgement, body.suspect_from_index);
    }
    judgement.end()?;
    Ok(owner
        .map(|owner| Event::KeyCompromised { institution_id: owner.clone(), statement: statement.clone() })
        .into_iter()
        .collect())
}

/// That an owner alone reaches back no further than the policy allows.
fn reaches_back(judgement: &mut Judgement, suspect_from_index: u64) {
    let Some(log) = judgement.view.log() else { return };
    let Some(size) = suspect_from_index.checked_add(1) else { return };
    // An entry that is not yet under a head is as young as this one.
    let now_us = judgement.context.recorded_at_us;
    let recorded_at_us = judgement.view.head(size).map_or(now_us, |head| head.recorded_at_us);
    let age_us = now_us.saturating_sub(recorded_at_us);
    let near = age_us <= days_us(log.genesis.policy.suspect_days);
    let detail = format!("{} days at most", log.genesis.policy.suspect_days);
    judgement.require(near, || {
        Rejection::new(Reason::SuspectTooFarBack).field("suspect_from_index").detail(detail)
    });
}
