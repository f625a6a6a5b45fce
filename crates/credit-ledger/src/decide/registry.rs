//! The log's beginning, its servers, its institutions and frameworks.

use crate::decide::Judgement;
use crate::evidence::{self, AnchorRule, genesis_keys};
use credit_types::genesis::{FORMAT, NOTICE_DAYS_MIN, PROTOCOL, PROTOCOL_CONVERSIONS};
use credit_types::limits::AUTHORITY_THRESHOLD_MAX;
use credit_types::{
    Event, FrameworkPublication, Genesis, InstitutionAdmission, InstitutionKey, KeyPurpose, Kid,
    ProtocolUpgrade, Reason, Rejection, ServerStart, Signed, SignerId,
};
use std::collections::BTreeSet;

/// Entry 0: signed by the authority that it names itself.
pub(crate) fn create_ledger(
    mut judgement: Judgement,
    statement: &Signed<Genesis>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body: genesis, signers } = statement;
    let noticed = genesis.is_dev() || genesis.policy.notice_days >= NOTICE_DAYS_MIN;
    let detail = format!("must be at least {NOTICE_DAYS_MIN} where the origin is not for trial");
    judgement
        .require(noticed, || Rejection::new(Reason::FieldInvalid).field("policy.notice_days").detail(detail));
    one_log(&mut judgement, genesis);
    let first = judgement.context.index == 0 && judgement.view.log().is_none();
    judgement.require(first, || Rejection::new(Reason::LedgerExists).index(0));
    // There is no log yet that a header could name, nor a head of one.
    judgement
        .require(header.log_id.is_none(), || Rejection::new(Reason::LogIdMismatch).field("header.log_id"));
    judgement
        .require(header.anchor.is_none(), || Rejection::new(Reason::AnchorUnknown).field("header.anchor"));
    evidence::signer_is(&mut judgement, &header.signer, &SignerId::Authority);
    let mut count = 0u32;
    for kid in signers.iter().copied() {
        if genesis.authority_keys.iter().any(|key| key.kid == kid) {
            count = count.saturating_add(1);
        } else {
            let named = genesis_keys(genesis).any(|key| key.kid == kid);
            let reason = if named { Reason::KeyOfAnother } else { Reason::KeyUnknown };
            judgement.refuse(evidence::of_signature(reason, kid));
        }
    }
    evidence::threshold(&mut judgement, genesis, count);
    let mut seen = BTreeSet::new();
    for key in genesis_keys(genesis) {
        judgement
            .require(seen.insert(key.kid), || Rejection::new(Reason::KeyExists).detail(key.kid.to_string()));
    }
    judgement.end()?;
    Ok(vec![Event::LedgerCreated(Box::new(statement.clone()))])
}

/// That a genesis asks for nothing that this protocol couldn't keep: it knows one log, and an envelope that holds the
/// authority's signatures beside those of the keys that an institution brings.
fn one_log(judgement: &mut Judgement, genesis: &Genesis) {
    let fields =
        [("registry_log", genesis.registry_log.is_none()), ("continues", genesis.continues.is_none())];
    for (field, absent) in fields {
        let rejection = || Rejection::new(Reason::FieldInvalid).field(field);
        judgement.require(absent, || rejection().detail("must be absent in this protocol"));
    }
    let reachable =
        usize::try_from(genesis.authority_threshold).is_ok_and(|count| count <= AUTHORITY_THRESHOLD_MAX);
    let rejection = || Rejection::new(Reason::FieldInvalid).field("authority_threshold");
    let detail =
        format!("must be at most {AUTHORITY_THRESHOLD_MAX}: an admission carries other signatures as well");
    judgement.require(reachable, || rejection().detail(detail));
}

/// A server takes up the log.
pub(crate) fn start_server(
    mut judgement: Judgement,
    statement: &Signed<ServerStart>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    evidence::header(&mut judgement, header, AnchorRule::Newest);
    evidence::signer_is(&mut judgement, &header.signer, &SignerId::Operator);
    evidence::operator(&mut judgement, signers);
    let followed = judgement.context.protocol;
    judgement.require(body.protocol == followed, || {
        Rejection::new(Reason::ProtocolUnknown).field("protocol").detail(format!("must be {followed}"))
    });
    judgement.end()?;
    Ok(vec![Event::ServerStarted(statement.clone())])
}

/// The authority announces a newer protocol, which holds from the next index on.
pub(crate) fn upgrade_protocol(
    mut judgement: Judgement,
    statement: &Signed<ProtocolUpgrade>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    evidence::signer_is(&mut judgement, &header.signer, &SignerId::Authority);
    evidence::authority(&mut judgement, signers, &[]);
    // This software writes nothing that it could not read again.
    let next =
        judgement.context.protocol < body.protocol && body.protocol <= PROTOCOL && body.format == FORMAT;
    judgement.require(next, || Rejection::new(Reason::ProtocolNotNewer).field("protocol"));
    judgement.end()?;
    Ok(vec![Event::ProtocolUpgraded(statement.clone())])
}

/// Whether one key may change the owner's keys and another one, kept offline, may too.
fn has_keys_and_recovery(keys: &[InstitutionKey]) -> bool {
    let of = |purpose: KeyPurpose| keys.iter().filter(move |key| key.purposes.contains(&purpose));
    of(KeyPurpose::Keys)
        .any(|online| of(KeyPurpose::Recovery).any(|offline| offline.key.kid != online.key.kid))
}

/// An institution enters with its first keys.
pub(crate) fn admit_institution(
    mut judgement: Judgement,
    statement: &Signed<InstitutionAdmission>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    judgement.require(has_keys_and_recovery(&body.keys), || {
        Rejection::new(Reason::FieldInvalid)
            .field("keys")
            .detail("must have a key for KEYS and another one for RECOVERY")
    });
    evidence::header(&mut judgement, header, AnchorRule::Required);
    evidence::signer_is(&mut judgement, &header.signer, &SignerId::Authority);
    let new: Vec<Kid> = body.keys.iter().map(|key| key.key.kid).collect();
    evidence::authority(&mut judgement, signers, &new);
    evidence::possession(&mut judgement, signers, &new);
    if let Some(row) = view.institution(&body.institution_id) {
        let rejection = Rejection::new(Reason::InstitutionExists).field("institution_id");
        judgement.refuse(rejection.index(row.admitted_index));
    }
    if let Some(parent) = &body.parent_id {
        let known = view.institution(parent).is_some();
        judgement.require(known, || Rejection::new(Reason::ParentUnknown).field("parent_id"));
    }
    let mut seen = BTreeSet::new();
    for kid in new {
        key_is_new(&mut judgement, kid, "keys");
        judgement.require(seen.insert(kid), || Rejection::new(Reason::KeyExists).field("keys"));
    }
    judgement.end()?;
    Ok(vec![Event::InstitutionAdmitted(Box::new(statement.clone()))])
}

/// That nobody has registered a key: it has one owner for ever.
pub(crate) fn key_is_new(judgement: &mut Judgement, kid: Kid, field: &str) {
    let rejection = || Rejection::new(Reason::KeyExists).field(field).detail(kid.to_string());
    if let Some(row) = judgement.view.key(kid) {
        judgement.refuse(rejection().index(row.active_from_index));
    }
    if judgement.view.log().is_some_and(|log| genesis_keys(&log.genesis).any(|key| key.kid == kid)) {
        judgement.refuse(rejection().index(0));
    }
}

/// A framework, or a newer version of one.
pub(crate) fn publish_framework(
    mut judgement: Judgement,
    statement: &Signed<FrameworkPublication>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    evidence::signer_is(&mut judgement, &header.signer, &SignerId::Authority);
    evidence::authority(&mut judgement, signers, &[]);
    if let Some(row) = view.framework(&body.framework_id) {
        let before = &row.framework;
        let detail = format!("must be above {}", before.version);
        let rejection = || Rejection::new(Reason::FrameworkVersionNotNewer).field("version").detail(detail);
        judgement.require(body.version > before.version, || rejection().index(row.published_index));
        // A scale may come with a later version, but records rest on one that is there.
        let kept = before.levels.is_none() || before.levels == body.levels;
        let rejection = || Rejection::new(Reason::FrameworkLevelsChanged).field("levels");
        judgement.require(kept, || rejection().index(row.published_index));
    }
    // Frameworks and rule books share one kind of subject, and so one kind of chain.
    let of_book =
        judgement.context.protocol >= PROTOCOL_CONVERSIONS && view.book(&body.framework_id).is_some();
    judgement.require(!of_book, || Rejection::new(Reason::BookIdTaken).field("framework_id"));
    for scheme in &body.schemes {
        let Some(row) = view.scheme(&scheme.scheme_id) else { continue };
        let name = scheme.scheme_id.to_string();
        let own = row.framework_id == body.framework_id;
        judgement
            .require(own, || Rejection::new(Reason::SchemeOfAnother).field("schemes").detail(name.clone()));
        let kept = (row.scheme.kind, row.scheme.step_milli) == (scheme.kind, scheme.step_milli);
        judgement.require(kept, || Rejection::new(Reason::SchemeChanged).field("schemes").detail(name));
    }
    judgement.end()?;
    Ok(vec![Event::FrameworkPublished(Box::new(statement.clone()))])
}
