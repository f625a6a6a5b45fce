//! The announcement of a protocol or format that is newer than this software: what follows it may be unknown here, and
//! nothing else may.
//!
//! It is judged apart from all other entries, for what it would change begins with the next entry, where this verifier
//! ends. The announcement of a protocol that this software speaks is an entry like any other, and the core's to judge.

use std::collections::BTreeSet;

use credit_ledger::{CommandKey, Row, RowId};
use credit_log::envelope::PublicKey;
use credit_proto::entry::{DecodeError, PART_EVENT, PART_STATEMENT, WireEvent, decode_core};
use credit_proto::{Envelope, Reading, Signable as _, Stage, payload_type, v1};
use credit_types::genesis::{FORMAT, PROTOCOL};
use credit_types::limits::DAY_US;
use credit_types::{CommandId, EntryCore, EntryHead, Genesis, Kid, Link, SignerId, Subject};

use crate::known::admit;
use crate::part::{self, Part, decoded};
use crate::replay::{Judged, State};
use crate::report::{Stop, ensure};
use crate::rule::Rule;

/// The tag of an event's kind, its first field.
const KIND_TAG: u8 = 0x08;
/// The kind of an announcement, as a varint.
const UPGRADED: u8 = 15;

/// What was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// The protocol from the next entry on.
    pub(crate) protocol: u32,
    /// The entry format from the next entry on.
    pub(crate) format: u32,
}

/// Whether an entry's parts hold the announcement of something beyond this software, by what its event says: that the
/// statement says the same is asked of both kinds of announcements.
pub(crate) fn is_beyond(parts: &[Vec<u8>]) -> bool {
    let upgrade = i32::from(v1::EventKind::ProtocolUpgraded);
    let beyond = |event: &WireEvent| {
        let body = event.protocol_upgraded.as_ref().filter(|_| event.kind == upgrade);
        body.is_some_and(|body| body.protocol > PROTOCOL || body.format > FORMAT)
    };
    // A canonical event begins with its kind, so that others need not be decoded to be told apart.
    parts
        .iter()
        .filter(|part| part.starts_with(&[PART_EVENT, KIND_TAG, UPGRADED]))
        .any(|bytes| matches!(part::read(bytes), Ok(Part::Event(event)) if beyond(&event)))
}

/// Whether entry 0 itself begins a log that is newer: by the format of its core, by a later type of genesis, or in a
/// genesis that its own authority has signed.
pub(crate) fn begins_newer(core: &[u8], parts: &[Vec<u8>]) -> bool {
    if matches!(decode_core(core), Err(DecodeError::Newer { .. })) {
        return true;
    }
    let statements = parts.iter().filter_map(|part| part.strip_prefix(&[PART_STATEMENT]));
    let envelopes = statements.filter_map(|bytes| {
        let v1::StatementPart { envelope, leaf: _ } = decoded(bytes).ok()?;
        Envelope::try_from(envelope?).ok()
    });
    envelopes.into_iter().any(|envelope| {
        let later = payload_type::short_name(&envelope.payload_type)
            .is_some_and(|short| short.starts_with("genesis.v"));
        if payload_type::is_newer(&envelope.payload_type) { later } else { names_newer(&envelope) }
    })
}

/// Whether a genesis names a newer format or protocol, under enough signatures of the authority that it names.
fn names_newer(envelope: &Envelope) -> bool {
    if envelope.payload_type != payload_type::GENESIS {
        return false;
    }
    let Ok(mut wire) = decoded::<v1::Genesis>(&envelope.payload) else { return false };
    let newer = wire.format > FORMAT || wire.protocol > PROTOCOL;
    // A payload type is frozen, so all but these two numbers reads as ever.
    (wire.format, wire.protocol) = (FORMAT, PROTOCOL);
    let read = Genesis::from_wire(wire, Reading { admit, stage: Stage::Replay });
    newer && read.is_ok_and(|(_, genesis)| by_threshold(envelope, &genesis).is_ok())
}

/// Judges an announcement: by the authority's threshold, of this log, anchored in it, in its place in the log's own
/// chain, and forward.
pub(crate) fn judge(
    state: &mut State,
    core: &EntryCore,
    parts: &[Vec<u8>],
) -> Result<(Announcement, Judged), Stop> {
    let [head, link, statement, event] = parts else {
        return Err(wrong("its entry has a head, a link, a statement and an event"));
    };
    let unread = |error| Stop::unread(Rule::UpgradeWrong, error);
    let (Part::Head(head), Part::Link(link), Part::Event(event)) = (
        part::read(head).map_err(unread)?,
        part::read(link).map_err(unread)?,
        part::read(event).map_err(unread)?,
    ) else {
        return Err(wrong("its entry has a head, a link, a statement and an event"));
    };
    let message = statement.get(1..).unwrap_or_default();
    let v1::StatementPart { envelope, leaf: _ } = decoded(message).map_err(unread)?;
    let envelope = envelope.ok_or_else(|| wrong("its statement is missing"))?;
    let envelope = Envelope::try_from(envelope).map_err(|error| wrong(&error.to_string()))?;
    let typed = envelope.payload_type == payload_type::PROTOCOL_UPGRADE;
    ensure(typed, Rule::UpgradeWrong, "its statement is of another type")?;
    let payload: v1::ProtocolUpgrade = decoded(&envelope.payload).map_err(unread)?;
    let genesis = state.genesis().cloned().ok_or_else(|| wrong("the log has not begun"))?;
    let v1::ProtocolUpgrade { header, protocol, format } = payload;
    let announcement = Announcement { protocol, format };
    says(&event, announcement)?;
    forward(state, announcement)?;
    of_authority(state, core, &head, header, &genesis)?;
    by_threshold(&envelope, &genesis)?;
    continues(state, &link)?;
    let signatures = envelope.signatures.len() as u64;
    Ok((announcement, Judged { statements: 1, signatures, closed: false }))
}

fn wrong(detail: &str) -> Stop {
    Stop::broken(Rule::UpgradeWrong, detail)
}

/// The event says what was signed.
fn says(event: &WireEvent, announcement: Announcement) -> Result<(), Stop> {
    let Announcement { protocol, format } = announcement;
    let upgraded = v1::ProtocolUpgraded { protocol, format };
    let expected = WireEvent {
        kind: v1::EventKind::ProtocolUpgraded.into(),
        statements: vec![0],
        protocol_upgraded: Some(upgraded),
        ..WireEvent::default()
    };
    ensure(*event == expected, Rule::UpgradeWrong, "its event does not say what was signed")
}

/// The log doesn't go back behind what it follows.
fn forward(state: &mut State, announcement: Announcement) -> Result<(), Stop> {
    let Announcement { protocol, format } = announcement;
    let follows = match state.row(&RowId::Log)? {
        Some(Row::Log(row)) => row.protocol,
        Some(_) | None => return Err(wrong("the log has not begun")),
    };
    let forward = protocol >= follows && format >= FORMAT && (protocol > follows || format > FORMAT);
    ensure(forward, Rule::UpgradeWrong, "it names no newer protocol or format")
}

/// The statement is the authority's, of this log, new, and made after a head of it.
fn of_authority(
    state: &mut State,
    core: &EntryCore,
    head: &EntryHead,
    header: Option<v1::StatementHeader>,
    genesis: &Genesis,
) -> Result<(), Stop> {
    let v1::StatementHeader { log_id, statement_id, signer_id, anchor } =
        header.ok_or_else(|| wrong("its header is missing"))?;
    let of_this = state.tree.first_leaf().is_some_and(|leaf| leaf.as_bytes() == log_id);
    ensure(of_this, Rule::UpgradeWrong, "it was signed for another log")?;
    let authority = SignerId::Authority;
    ensure(signer_id == authority.as_str(), Rule::UpgradeWrong, "its signer is not the authority")?;
    let command_id = CommandId::from_uuid(&statement_id).map_err(|error| wrong(&error.to_string()))?;
    let named = (&head.actor, head.command_id) == (&authority, command_id);
    ensure(named, Rule::ActorWrong, "the head names another signer or statement")?;
    let key = CommandKey { signer: authority, command_id, chunk: None };
    let recorded = state.row(&RowId::Command(key))?.is_some();
    ensure(!recorded, Rule::UpgradeWrong, "it was recorded before")?;
    let v1::Anchor { size, root } = anchor.ok_or_else(|| wrong("its anchor is missing"))?;
    let seen = state.tree.head(size)?.filter(|head| head.root.as_bytes() == root);
    let seen = seen.ok_or_else(|| wrong("its anchor is no head of this log"))?;
    let age_us = core.recorded_at_us.saturating_sub(seen.recorded_at_us);
    // The newest head is never stale, as for any other statement: a log may announce something after a long rest.
    let newest = size == core.index;
    let fresh = newest || age_us <= i64::from(genesis.policy.anchor_days).saturating_mul(DAY_US);
    ensure(fresh, Rule::UpgradeWrong, "its anchor is older than the policy allows")
}

/// Enough authority keys have signed, and none else.
fn by_threshold(envelope: &Envelope, genesis: &Genesis) -> Result<(), Stop> {
    let Envelope { payload_type, payload, signatures } = envelope;
    let mut signers: BTreeSet<Kid> = BTreeSet::new();
    for (kid, signature) in signatures {
        let key = genesis.authority_keys.iter().find(|key| key.kid == *kid);
        let key = key.and_then(|key| PublicKey::admit(&key.bytes).ok());
        let key = key.ok_or_else(|| wrong("a key that is not the authority's has signed"))?;
        key.verify_statement(payload_type, payload, signature)
            .map_err(|_| Stop::broken(Rule::SignatureInvalid, format!("the signature by {kid} is false")))?;
        signers.insert(*kid);
    }
    let enough = u32::try_from(signers.len()).is_ok_and(|count| count >= genesis.authority_threshold);
    ensure(enough, Rule::UpgradeWrong, "fewer authority keys have signed than the threshold")
}

/// Its link continues the chain of the log itself.
fn continues(state: &mut State, link: &Link) -> Result<(), Stop> {
    let (sequence, previous) = match state.row(&RowId::Subject(Subject::Log))? {
        Some(Row::Subject(row)) => (row.sequence.saturating_add(1), state.tree.leaf(row.last_index)?),
        Some(_) | None => (1, None),
    };
    let expected = Link { subject: Subject::Log, sequence, previous, events: vec![0] };
    ensure(*link == expected, Rule::LinkWrong, "it does not continue the chain of the log")
}
