//! Entries: the core, which is the log's leaf data, and the parts, each a kind byte and a canonical message.
//!
//! [`encode_parts`] and [`decode_parts`] know the parts one by one; [`hydrate`] puts statements and events together.
//! What later software wrote is never called invalid: it is [`DecodeError::Newer`].

use credit_types::genesis::FORMAT;
use credit_types::limits::{CHUNK_LEAVES_MAX, ENTRY_EVENTS_MAX, ENTRY_PARTS_BYTES_MAX, LEAF_BYTES_MAX};
use credit_types::{
    AccountRef, CommandId, Digest, EntryCore, EntryHead, Event, EventKind, InstitutionId, Link, SignerId,
};

use crate::bank::subject;
use crate::enumeration::Enumerated as _;
use crate::envelope::Envelope;
use crate::event::{statement_numbers, wire_event};
use crate::field::{ascending, count, ensure, enumeration, optional_sized, range, sized};
use crate::invalid::{At as _, InvalidField};
use crate::newer::{newer_core, newer_part};
use crate::strict::{self, Canonical};
use crate::{payload_type, v1};

pub use crate::commitment::{Committed, commitments, commitments_of};
pub use crate::hydrate::{ManifestInfo, hydrate, hydrate_whole, manifest_of};
pub use crate::reading::{Admit, LeafHash};
pub use crate::upgrade::announced;

/// An event as it stands in the log: half of it, for the other half is in its statements.
pub use crate::v1::Event as WireEvent;

/// The kind byte of the head.
pub const PART_HEAD: u8 = 1;
/// The kind byte of a link.
pub const PART_LINK: u8 = 2;
/// The kind byte of a statement.
pub const PART_STATEMENT: u8 = 3;
/// The kind byte of an event.
pub const PART_EVENT: u8 = 4;

/// The most parts of an entry: a head, and of links and events as many as events, and of statements as many as the
/// leaves of a chunk.
pub const PARTS_MAX: usize = 1 + 2 * ENTRY_EVENTS_MAX + CHUNK_LEAVES_MAX;

/// Why bytes are not an entry of this software.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Later software wrote it: nothing is known to be wrong, and nothing is known to be right.
    #[error("needs newer software: {what}")]
    Newer {
        /// What isn't known, for example `event kind 15`.
        what: String,
    },
    /// No software writes it.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
}

/// A statement of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementPart {
    /// A signed statement as it arrived.
    Signed(Envelope),
    /// An accepted leaf of a batch.
    Leaf {
        /// Index of the manifest's entry.
        manifest_index: u64,
        /// Position in the batch, from 0.
        position: u32,
        /// The leaf's payload, at most 512 bytes.
        facts: Vec<u8>,
    },
}

/// The parts of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedParts {
    /// Who acted, and the counts.
    pub head: EntryHead,
    /// The links, ascending by subject.
    pub links: Vec<Link>,
    /// The statements.
    pub statements: Vec<StatementPart>,
    /// The events.
    pub events: Vec<WireEvent>,
}

/// A whole entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The leaf data.
    pub core: EntryCore,
    /// Who acted, and the counts.
    pub head: EntryHead,
    /// The links, ascending by subject.
    pub links: Vec<Link>,
    /// The statements.
    pub statements: Vec<StatementPart>,
    /// The events.
    pub events: Vec<WireEvent>,
}

impl Entry {
    /// Reads the core and the parts.
    pub fn decode(core: &[u8], parts: &[Vec<u8>]) -> Result<Self, DecodeError> {
        let core = decode_core(core)?;
        let DecodedParts { head, links, statements, events } = decode_parts(parts)?;
        Ok(Self { core, head, links, statements, events })
    }
}

/// The canonical bytes of a core: the log's leaf data.
pub fn encode_core(core: &EntryCore) -> Vec<u8> {
    let EntryCore { index, recorded_at_us, parts_root } = core;
    strict::encode(&v1::EntryCore {
        format: FORMAT,
        index: *index,
        recorded_at_us: *recorded_at_us,
        parts_root: parts_root.0.to_vec(),
    })
}

/// Reads a core. A format above this software's is newer, whatever else the bytes hold.
pub fn decode_core(bytes: &[u8]) -> Result<EntryCore, DecodeError> {
    if let Some(what) = newer_core(bytes) {
        return Err(DecodeError::Newer { what });
    }
    let wire: v1::EntryCore = strict::decode(bytes).map_err(InvalidField::from)?;
    let v1::EntryCore { format, index, recorded_at_us, parts_root } = wire;
    range("format", format, FORMAT..=FORMAT)?;
    Ok(EntryCore {
        index,
        recorded_at_us: range("recorded_at_us", recorded_at_us, 0..=i64::MAX)?,
        parts_root: sized("parts_root", &parts_root, Digest::from_slice)?,
    })
}

/// The parts in the order head, links, statements, events. The numbers of the statements that an event rests on
/// follow from the events. Whether the parts fit an entry is the caller's to ask, by [`parts_bytes`].
pub fn encode_parts(
    head: &EntryHead,
    links: &[Link],
    statements: &[StatementPart],
    events: &[Event],
) -> Vec<Vec<u8>> {
    let counted =
        [(head.links, links.len()), (head.statements, statements.len()), (head.events, events.len())];
    assert!(
        counted.into_iter().all(|(told, actual)| usize::try_from(told) == Ok(actual)),
        "a head counts the parts that follow it"
    );
    let mut parts = vec![part(PART_HEAD, &head_wire(head))];
    parts.extend(links.iter().map(|link| part(PART_LINK, &link_wire(link))));
    parts.extend(statements.iter().map(|statement| part(PART_STATEMENT, &statement_wire(statement))));
    let numbers = statement_numbers(events);
    let wires = events.iter().zip(numbers).map(|(event, numbers)| wire_event(event, numbers));
    parts.extend(wires.map(|wire| part(PART_EVENT, &wire)));
    parts
}

/// The bytes of all parts together, kind bytes included; an entry holds at most
/// [`ENTRY_PARTS_BYTES_MAX`].
pub fn parts_bytes(parts: &[Vec<u8>]) -> usize {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.len()))
}

fn part<M: Canonical>(kind: u8, message: &M) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(strict::encode(message));
    bytes
}

/// Reads the parts: their order, their counts against the head, each by its bounds.
pub fn decode_parts(parts: &[Vec<u8>]) -> Result<DecodedParts, DecodeError> {
    // A newer part may stand after one that only its newer neighbour explains, so all are asked.
    read_parts(parts).map_err(|error| match parts.iter().find_map(|part| newer_part(part)) {
        Some(what) => DecodeError::Newer { what },
        None => DecodeError::Invalid(error),
    })
}

fn read_parts(parts: &[Vec<u8>]) -> Result<DecodedParts, InvalidField> {
    count("parts", parts, 1..=PARTS_MAX)?;
    range("parts.bytes", parts_bytes(parts), 0..=ENTRY_PARTS_BYTES_MAX)?;
    let (first, rest) = parts.split_first().ok_or_else(|| InvalidField::new("head", "is missing: set it"))?;
    let head = decode_part(PART_HEAD, first).and_then(head).at("head")?;
    let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let (link_count, statement_count) = (size(head.links), size(head.statements));
    let told = link_count.saturating_add(statement_count).saturating_add(size(head.events));
    ensure(told == rest.len(), "head", "counts other parts than follow: count links, statements and events")?;
    let (link_parts, rest) = rest.split_at_checked(link_count).unwrap_or((rest, &[]));
    let (statement_parts, event_parts) = rest.split_at_checked(statement_count).unwrap_or((rest, &[]));
    let mut links = Vec::with_capacity(link_parts.len());
    for (position, bytes) in link_parts.iter().enumerate() {
        let wire = decode_part(PART_LINK, bytes);
        links.push(wire.and_then(|wire| link(wire, head.events)).at_element("links", position)?);
    }
    ascending("links", links.iter().map(|link| &link.subject))?;
    let mut statements = Vec::with_capacity(statement_parts.len());
    for (position, bytes) in statement_parts.iter().enumerate() {
        let wire = decode_part(PART_STATEMENT, bytes);
        statements.push(wire.and_then(statement).at_element("statements", position)?);
    }
    let mut events = Vec::with_capacity(event_parts.len());
    for (position, bytes) in event_parts.iter().enumerate() {
        events.push(decode_part(PART_EVENT, bytes).and_then(known).at_element("events", position)?);
    }
    Ok(DecodedParts { head, links, statements, events })
}

fn decode_part<M: Canonical>(kind: u8, bytes: &[u8]) -> Result<M, InvalidField> {
    match bytes.split_first() {
        Some((first, message)) if *first == kind => Ok(strict::decode(message)?),
        Some(_) | None => Err(InvalidField::new("kind", format!("must be {kind}: keep the order of parts"))),
    }
}

fn head(wire: v1::EntryHead) -> Result<EntryHead, InvalidField> {
    let v1::EntryHead { actor_kind, actor_id, command_id, links, statements, events } = wire;
    let events_max = u32::try_from(ENTRY_EVENTS_MAX).unwrap_or(u32::MAX);
    let statements_max = u32::try_from(CHUNK_LEAVES_MAX).unwrap_or(u32::MAX);
    Ok(EntryHead {
        actor: actor(actor_kind, &actor_id)?,
        command_id: sized("command_id", &command_id, CommandId::from_uuid)?,
        links: range("links", links, 0..=events_max)?,
        statements: range("statements", statements, 0..=statements_max)?,
        events: range("events", events, 1..=events_max)?,
    })
}

fn actor(kind: i32, id: &[u8]) -> Result<SignerId, InvalidField> {
    let text = std::str::from_utf8(id).unwrap_or_default();
    let actor = match v1::ActorKind::try_from(kind) {
        Ok(v1::ActorKind::Authority) => Some(SignerId::Authority),
        Ok(v1::ActorKind::Operator) => Some(SignerId::Operator),
        Ok(v1::ActorKind::Institution) => InstitutionId::new(text).ok().map(SignerId::Institution),
        Ok(v1::ActorKind::Unspecified | v1::ActorKind::Learner) | Err(_) => None,
    };
    let actor = actor.filter(|actor| actor.as_str().as_bytes() == id);
    actor.ok_or_else(|| InvalidField::new("actor_id", "must be the id of an actor of the kind: correct it"))
}

fn head_wire(head: &EntryHead) -> v1::EntryHead {
    let EntryHead { actor, command_id, links, statements, events } = head;
    let actor_kind = match actor {
        SignerId::Authority => v1::ActorKind::Authority,
        SignerId::Operator => v1::ActorKind::Operator,
        SignerId::Institution(_) => v1::ActorKind::Institution,
    };
    v1::EntryHead {
        actor_kind: actor_kind.into(),
        actor_id: actor.as_str().as_bytes().to_vec(),
        command_id: command_id.0.to_vec(),
        links: *links,
        statements: *statements,
        events: *events,
    }
}

fn link(wire: v1::Link, event_count: u32) -> Result<Link, InvalidField> {
    let v1::Link { subject_kind, subject_id, sequence, previous, events } = wire;
    let subject = subject(subject_kind, &subject_id)?;
    let sequence = range("sequence", sequence, 1..=u64::MAX)?;
    let previous = optional_sized("previous", &previous, Digest::from_slice)?;
    let first = previous.is_none() == (sequence == 1);
    ensure(first, "previous", "must be absent at sequence 1 and only there: correct it")?;
    ensure(!events.is_empty(), "events", "is missing: number the events about the subject")?;
    ascending("events", &events)?;
    let numbered = events.iter().all(|number| *number < event_count);
    ensure(numbered, "events", "must be numbers of events of this entry: correct them")?;
    Ok(Link { subject, sequence, previous, events })
}

fn link_wire(link: &Link) -> v1::Link {
    let Link { subject, sequence, previous, events } = link;
    v1::Link {
        subject_kind: subject.kind().number(),
        subject_id: subject.id_bytes().to_vec(),
        sequence: *sequence,
        previous: previous.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        events: events.clone(),
    }
}

fn statement(wire: v1::StatementPart) -> Result<StatementPart, InvalidField> {
    let v1::StatementPart { envelope, leaf } = wire;
    match (envelope, leaf) {
        (Some(wire), None) => {
            let envelope = Envelope::try_from(wire).at("envelope")?;
            if payload_type::STATEMENTS.contains(&envelope.payload_type.as_str()) {
                Ok(StatementPart::Signed(envelope))
            } else {
                Err(InvalidField::payload_type(&envelope.payload_type).within("envelope"))
            }
        }
        (None, Some(v1::BatchLeaf { manifest_index, position, facts })) => {
            range("leaf.facts.bytes", facts.len(), 1..=LEAF_BYTES_MAX)?;
            Ok(StatementPart::Leaf { manifest_index, position, facts })
        }
        (None, None) | (Some(_), Some(_)) => {
            Err(InvalidField::new("", "must be an envelope or a leaf, not both: set one of them"))
        }
    }
}

fn statement_wire(statement: &StatementPart) -> v1::StatementPart {
    match statement {
        StatementPart::Signed(envelope) => v1::StatementPart { envelope: Some(envelope.into()), leaf: None },
        StatementPart::Leaf { manifest_index, position, facts } => {
            let leaf =
                v1::BatchLeaf { manifest_index: *manifest_index, position: *position, facts: facts.clone() };
            v1::StatementPart { envelope: None, leaf: Some(leaf) }
        }
    }
}

/// Refuses an event of a kind, or with a refusal, that has no noun; all else about an event is asked by [`hydrate`].
fn known(wire: WireEvent) -> Result<WireEvent, InvalidField> {
    let _kind: EventKind = enumeration("kind", wire.kind)?;
    let refused = wire.batch_chunk.as_ref().map(|chunk| chunk.refused.as_slice()).unwrap_or_default();
    for (position, leaf) in refused.iter().enumerate() {
        crate::event::reason(leaf.reason).at_element("batch_chunk.refused", position)?;
    }
    Ok(wire)
}

/// The account that 16 bytes name.
pub(crate) fn account(bytes: &[u8]) -> Result<AccountRef, InvalidField> {
    sized("account_ref", bytes, AccountRef::from_slice)
}
