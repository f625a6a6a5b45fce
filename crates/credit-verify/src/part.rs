//! One part of an entry, read alone: a receipt opens some and not others.
//!
//! `credit-proto` reads the parts of an entry together, where each bound is asked against its neighbours; what a
//! single part can answer for is asked here.

use credit_proto::entry::{
    DecodeError, PART_EVENT, PART_HEAD, PART_LINK, PART_STATEMENT, StatementPart, WireEvent,
};
use credit_proto::strict::{self, Canonical, NotCanonical, Problem};
use credit_proto::{Envelope, InvalidField, payload_type, v1};
use credit_types::limits::{CHUNK_LEAVES_MAX, ENTRY_EVENTS_MAX, LEAF_BYTES_MAX};
use credit_types::{
    AccountRef, CommandId, Digest, EntryHead, FrameworkId, IdError, InstitutionId, Link, SignerId, Subject,
};

/// A part of an entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// Who acted, and the counts.
    Head(EntryHead),
    /// A link.
    Link(Link),
    /// A statement.
    Statement(StatementPart),
    /// An event.
    Event(Box<WireEvent>),
}

/// The kind byte that part `number` of an entry with this head has; `None` beyond the counted parts.
pub(crate) fn kind_at(head: &EntryHead, number: u32) -> Option<u8> {
    let links = head.links.saturating_add(1);
    let statements = links.saturating_add(head.statements);
    match number {
        0 => Some(PART_HEAD),
        at if at < links => Some(PART_LINK),
        at if at < statements => Some(PART_STATEMENT),
        at if at < part_count(head) => Some(PART_EVENT),
        _ => None,
    }
}

/// The count of parts that a head states, itself included.
pub(crate) fn part_count(head: &EntryHead) -> u32 {
    let EntryHead { actor: _, command_id: _, links, statements, events } = head;
    1u32.saturating_add(*links).saturating_add(*statements).saturating_add(*events)
}

/// Reads a part: its kind byte and its canonical message.
pub(crate) fn read(bytes: &[u8]) -> Result<Part, DecodeError> {
    match bytes.split_first() {
        Some((&PART_HEAD, message)) => decoded(message).and_then(head).map(Part::Head),
        Some((&PART_LINK, message)) => decoded(message).and_then(link).map(Part::Link),
        Some((&PART_STATEMENT, message)) => decoded(message).and_then(statement).map(Part::Statement),
        Some((&PART_EVENT, message)) => decoded(message).map(Box::new).map(Part::Event),
        Some(_) | None => Err(invalid("kind", "must be 1, 2, 3 or 4: correct it")),
    }
}

/// Decodes a canonical message; an enum number that isn't known is newer, not wrong.
pub(crate) fn decoded<M: Canonical>(bytes: &[u8]) -> Result<M, DecodeError> {
    strict::decode(bytes).map_err(|error| match error {
        NotCanonical { offset: _, path, problem: Problem::UnknownEnum(number) } => {
            DecodeError::Newer { what: format!("{path} {number}") }
        }
        other => DecodeError::Invalid(other.into()),
    })
}

fn invalid(field: &str, problem: &str) -> DecodeError {
    DecodeError::Invalid(InvalidField::new(field, problem))
}

fn ensure(holds: bool, field: &str, problem: &str) -> Result<(), DecodeError> {
    if holds { Ok(()) } else { Err(invalid(field, problem)) }
}

fn id<T>(field: &str, made: Result<T, IdError>) -> Result<T, DecodeError> {
    made.map_err(|error| invalid(field, &format!("{error}: correct it")))
}

fn at_most(count: u32, max: usize) -> bool {
    usize::try_from(count).is_ok_and(|count| count <= max)
}

/// A head by its bounds.
fn head(wire: v1::EntryHead) -> Result<EntryHead, DecodeError> {
    let v1::EntryHead { actor_kind, actor_id, command_id, links, statements, events } = wire;
    ensure(at_most(links, ENTRY_EVENTS_MAX), "links", "are more than an entry holds: correct it")?;
    ensure(at_most(statements, CHUNK_LEAVES_MAX), "statements", "are more than an entry holds: correct it")?;
    let some = events > 0 && at_most(events, ENTRY_EVENTS_MAX);
    ensure(some, "events", "are none, or more than an entry holds: correct it")?;
    let text = std::str::from_utf8(&actor_id).unwrap_or_default();
    let actor = id("actor_id", SignerId::parse(text))?;
    let kind = match &actor {
        SignerId::Authority => v1::ActorKind::Authority,
        SignerId::Operator => v1::ActorKind::Operator,
        SignerId::Institution(_) => v1::ActorKind::Institution,
    };
    if actor_kind == i32::from(v1::ActorKind::Learner) {
        return Err(DecodeError::Newer { what: "a learner as actor".to_owned() });
    }
    ensure(actor_kind == i32::from(kind), "actor_kind", "is not the id's: correct it")?;
    let command_id = id("command_id", CommandId::from_uuid(&command_id))?;
    Ok(EntryHead { actor, command_id, links, statements, events })
}

/// A link by its bounds; that its numbers are of events of the entry is the head's to say.
fn link(wire: v1::Link) -> Result<Link, DecodeError> {
    let v1::Link { subject_kind, subject_id, sequence, previous, events } = wire;
    let subject = subject(subject_kind, &subject_id)?;
    ensure(sequence > 0, "sequence", "is missing: count from 1")?;
    let previous = match previous.as_slice() {
        [] => None,
        bytes => Some(id("previous", Digest::from_slice(bytes))?),
    };
    let first = previous.is_none() == (sequence == 1);
    ensure(first, "previous", "must be absent at sequence 1 and only there: correct it")?;
    let ascends = !events.is_empty() && events.is_sorted_by(|left, right| left < right);
    ensure(ascends, "events", "must be numbers, ascending, at least one: correct them")?;
    Ok(Link { subject, sequence, previous, events })
}

fn subject(kind: i32, bytes: &[u8]) -> Result<Subject, DecodeError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match v1::SubjectKind::try_from(kind) {
        Ok(v1::SubjectKind::Account) => id("subject_id", AccountRef::from_slice(bytes)).map(Subject::Account),
        Ok(v1::SubjectKind::Institution) => {
            id("subject_id", InstitutionId::new(text)).map(Subject::Institution)
        }
        Ok(v1::SubjectKind::Log) if bytes.is_empty() => Ok(Subject::Log),
        Ok(v1::SubjectKind::Book) => id("subject_id", FrameworkId::new(text)).map(Subject::Book),
        Ok(v1::SubjectKind::Log | v1::SubjectKind::Unspecified) | Err(_) => {
            Err(invalid("subject_kind", "is missing, or not the id's: correct it"))
        }
    }
}

fn statement(wire: v1::StatementPart) -> Result<StatementPart, DecodeError> {
    let v1::StatementPart { envelope, leaf } = wire;
    match (envelope, leaf) {
        (Some(wire), None) => {
            let envelope = Envelope::try_from(wire)?;
            let payload_type = envelope.payload_type.as_str();
            if payload_type::is_newer(payload_type) {
                return Err(DecodeError::Newer { what: format!("payload type {payload_type}") });
            }
            let known = payload_type::STATEMENTS.contains(&payload_type);
            ensure(known, "envelope.payload_type", "is no statement's: correct it")?;
            Ok(StatementPart::Signed(envelope))
        }
        (None, Some(v1::BatchLeaf { manifest_index, position, facts })) => {
            let fits = (1..=LEAF_BYTES_MAX).contains(&facts.len());
            ensure(fits, "leaf.facts", "has no bytes, or more than a leaf holds: correct it")?;
            Ok(StatementPart::Leaf { manifest_index, position, facts })
        }
        (None, None) | (Some(_), Some(_)) => Err(invalid("", "must be an envelope or a leaf: set one")),
    }
}
