//! What a statement must carry before its content counts: the right log, a new id, an anchor, and exactly the
//! signatures that the evidence table names.

use crate::decide::Judgement;
use crate::reads::key_of;
use crate::row::{InstitutionRow, KeyRow};
use credit_types::limits::DAY_US;
use credit_types::{
    Anchor, Genesis, Header, InstitutionId, KeyPurpose, Kid, LogId, PublicKey, Reason, Rejection, Role,
    SignerId,
};

/// Whether a statement must name a head of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnchorRule {
    /// It must.
    Required,
    /// It may.
    Optional,
    /// It must, and none but the newest: the statement follows the last entry there is.
    Newest,
}

/// Keys that sign changes to their owner's keys.
pub(crate) const OF_KEYS: &[KeyPurpose] = &[KeyPurpose::Keys, KeyPurpose::Recovery];

/// A number of days in microseconds.
pub(crate) fn days_us(days: u32) -> i64 {
    i64::from(days).saturating_mul(DAY_US)
}

/// Every key that a genesis names, of whatever kind.
pub(crate) fn genesis_keys(genesis: &Genesis) -> impl Iterator<Item = &PublicKey> {
    let bank = genesis.checkpoint_keys.iter().chain(&genesis.statement_keys);
    bank.chain(&genesis.operator_keys).chain(&genesis.authority_keys)
}

/// The log, the id and the anchor of a statement.
pub(crate) fn header(judgement: &mut Judgement, header: &Header, rule: AnchorRule) {
    let view = judgement.view;
    let log_id = view.leaf(0).map(|leaf| LogId(leaf.0));
    let same = view.log().is_some() && log_id.is_some() && header.log_id == log_id;
    judgement.require(same, || Rejection::new(Reason::LogIdMismatch).field("header.log_id"));
    if let Some(row) = view.command(&key_of(header)) {
        judgement
            .refuse(Rejection::new(Reason::CommandIdReused).field("header.statement_id").index(row.index));
    }
    match header.anchor {
        Some(at) => anchor(judgement, at, rule),
        None => judgement.require(rule == AnchorRule::Optional, || {
            Rejection::new(Reason::AnchorMissing).field("header.anchor")
        }),
    }
}

fn anchor(judgement: &mut Judgement, anchor: Anchor, rule: AnchorRule) {
    let known = (1..=judgement.context.index).contains(&anchor.size);
    let head = if known { judgement.view.head(anchor.size).copied() } else { None };
    let Some(head) = head else {
        judgement.refuse(Rejection::new(Reason::AnchorUnknown).field("header.anchor.size"));
        return;
    };
    let forged = Rejection::new(Reason::AnchorForged).field("header.anchor.root");
    judgement.require(head.root == anchor.root, || forged);
    if let Some(log) = judgement.view.log() {
        let age_us = judgement.context.recorded_at_us.saturating_sub(head.recorded_at_us);
        // The newest head is never stale: a log that rested for long could not be taken up again otherwise.
        let newest = anchor.size == judgement.context.index;
        let fresh = match rule {
            AnchorRule::Newest => newest,
            AnchorRule::Required | AnchorRule::Optional => {
                newest || age_us <= days_us(log.genesis.policy.anchor_days)
            }
        };
        judgement.require(fresh, || Rejection::new(Reason::AnchorStale).field("header.anchor"));
    }
}

/// The institution that signs; `None` was refused, as unknown or because only an institution may sign.
pub(crate) fn institution<'a>(
    judgement: &mut Judgement<'a>,
    signer: &SignerId,
) -> Option<&'a InstitutionRow> {
    let Some(id) = signer.institution() else {
        judgement.refuse(Rejection::new(Reason::SignerNotAllowed).field("header.signer_id"));
        return None;
    };
    let row = judgement.view.institution(id);
    judgement.require(row.is_some(), || Rejection::new(Reason::SignerUnknown).field("header.signer_id"));
    row
}

/// That the signer is the one that this statement needs. An institution that nobody knows is refused as such.
pub(crate) fn signer_is(judgement: &mut Judgement, signer: &SignerId, needed: &SignerId) {
    let known = signer.institution().is_none_or(|id| judgement.view.institution(id).is_some());
    judgement.require(known, || Rejection::new(Reason::SignerUnknown).field("header.signer_id"));
    judgement
        .require(signer == needed, || Rejection::new(Reason::SignerNotAllowed).field("header.signer_id"));
}

/// That an institution has a role.
pub(crate) fn role(judgement: &mut Judgement, row: &InstitutionRow, role: Role) {
    judgement.require(row.admission.roles.contains(&role), || Reason::RoleMissing);
}

/// A refusal because of one of the signatures.
pub(crate) fn of_signature(reason: Reason, kid: Kid) -> Rejection {
    Rejection::new(reason).field("signatures").detail(kid.to_string())
}

/// What is wrong with a signature by a key that none of the rules names.
fn stranger(judgement: &Judgement, kid: Kid) -> Reason {
    let view = judgement.view;
    let of_log = view.log().is_some_and(|log| genesis_keys(&log.genesis).any(|key| key.kid == kid));
    if of_log || view.key(kid).is_some() { Reason::KeyOfAnother } else { Reason::KeyUnknown }
}

/// That a key of an institution may still sign.
fn usable(judgement: &mut Judgement, row: &KeyRow, kid: Kid) {
    if let Some(compromised) = row.compromised {
        judgement.refuse(of_signature(Reason::KeyCompromised, kid).index(compromised.index));
    }
    if let Some(retired) = row.retired_index {
        judgement.refuse(of_signature(Reason::KeyRetired, kid).index(retired));
    }
}

/// That exactly one key of the owner with one of the purposes has signed, beside the new keys.
pub(crate) fn one_key(
    judgement: &mut Judgement,
    owner: &InstitutionId,
    signers: &[Kid],
    purposes: &[KeyPurpose],
    new: &[Kid],
) {
    let mut count = 0usize;
    for kid in signers.iter().copied().filter(|kid| !new.contains(kid)) {
        count = count.saturating_add(1);
        let own = judgement.view.key(kid).filter(|row| row.owner == *owner);
        let Some(row) = own else {
            let reason = stranger(judgement, kid);
            judgement.refuse(of_signature(reason, kid));
            continue;
        };
        usable(judgement, row, kid);
        let fits = row.key.purposes.iter().any(|purpose| purposes.contains(purpose));
        judgement.require(fits, || of_signature(Reason::KeyPurposeWrong, kid));
    }
    judgement.require(count > 0, || Rejection::new(Reason::KeyUnknown).field("signatures"));
    judgement.require(count < 2, || Rejection::new(Reason::SignatureNotNeeded).field("signatures"));
}

/// That enough authority keys of the log have signed, and beside them the new keys only.
pub(crate) fn authority(judgement: &mut Judgement, signers: &[Kid], new: &[Kid]) {
    // Without a log the header is refused already.
    let Some(log) = judgement.view.log() else { return };
    let mut count = 0u32;
    for kid in signers.iter().copied().filter(|kid| !new.contains(kid)) {
        if log.genesis.authority_keys.iter().any(|key| key.kid == kid) {
            count = count.saturating_add(1);
        } else {
            let reason = stranger(judgement, kid);
            judgement.refuse(of_signature(reason, kid));
        }
    }
    threshold(judgement, &log.genesis, count);
}

/// That as many authority keys as a genesis asks for have signed.
pub(crate) fn threshold(judgement: &mut Judgement, genesis: &Genesis, count: u32) {
    // A threshold of none would let anybody in.
    let enough = count > 0 && count >= genesis.authority_threshold;
    let detail = format!("{} of {} authority keys", count, genesis.authority_threshold);
    judgement.require(enough, || Rejection::new(Reason::ThresholdNotMet).field("signatures").detail(detail));
}

/// That exactly one operator key has signed.
pub(crate) fn operator(judgement: &mut Judgement, signers: &[Kid]) {
    let Some(log) = judgement.view.log() else { return };
    for kid in signers.iter().copied() {
        if !log.genesis.operator_keys.iter().any(|key| key.kid == kid) {
            let reason = stranger(judgement, kid);
            judgement.refuse(of_signature(reason, kid));
        }
    }
    judgement.require(!signers.is_empty(), || Rejection::new(Reason::KeyUnknown).field("signatures"));
    judgement.require(signers.len() < 2, || Rejection::new(Reason::SignatureNotNeeded).field("signatures"));
}

/// That every new key has signed for itself. Of a statement without any signature, that is not what is missing.
pub(crate) fn possession(judgement: &mut Judgement, signers: &[Kid], new: &[Kid]) {
    let all = signers.is_empty() || new.iter().all(|kid| signers.contains(kid));
    judgement.require(all, || Rejection::new(Reason::PossessionMissing).field("signatures"));
}
