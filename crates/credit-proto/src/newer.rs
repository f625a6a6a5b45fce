//! What later software wrote: recognised, so that nobody takes it for broken.
//!
//! A format, a protocol, a payload type, a part's enum number or a refusal that isn't known here is newer if later
//! software may write it. Payload types are frozen, so an unknown enum number inside a payload is wrong, not newer.

use credit_types::Reason;
use credit_types::genesis::{FORMAT, PROTOCOL};
use prost::encoding::decode_varint;

use crate::entry::{PART_EVENT, PART_HEAD, PART_LINK, PART_STATEMENT};
use crate::envelope::Envelope;
use crate::schema::Message;
use crate::strict::{self, Canonical, NotCanonical, Problem};
use crate::{payload_type, v1};

/// The tag of a core's first field, `format`: number 1, a varint.
const FORMAT_TAG: u8 = 0x08;

/// What is newer in a core. Only the format is looked at, for a newer one may change all that follows it.
pub(crate) fn newer_core(bytes: &[u8]) -> Option<String> {
    let (tag, mut rest) = bytes.split_first()?;
    let format = decode_varint(&mut rest).ok().filter(|_| *tag == FORMAT_TAG)?;
    (format > u64::from(FORMAT)).then(|| format!("entry format {format}"))
}

/// What is newer in a part, the kind byte included.
pub(crate) fn newer_part(bytes: &[u8]) -> Option<String> {
    let (kind, message) = bytes.split_first()?;
    match *kind {
        PART_HEAD => unknown_enum("head", v1::EntryHead::SCHEMA, message).or_else(|| {
            let head: v1::EntryHead = strict::decode(message).ok()?;
            let learner = head.actor_kind == i32::from(v1::ActorKind::Learner);
            learner.then(|| "a learner as actor".to_owned())
        }),
        PART_LINK => unknown_enum("link", v1::Link::SCHEMA, message),
        PART_STATEMENT => {
            let part: v1::StatementPart = strict::decode(message).ok()?;
            let payload_type = part.envelope?.payload_type;
            payload_type::is_newer(&payload_type).then(|| format!("payload type {payload_type}"))
        }
        PART_EVENT => unknown_enum("event", v1::Event::SCHEMA, message).or_else(|| {
            let event: v1::Event = strict::decode(message).ok()?;
            let last = Reason::all().map(Reason::number).max()?;
            let number = event.batch_chunk?.refused.iter().map(|leaf| leaf.reason).max()?;
            (number > last).then(|| format!("refusal {number}"))
        }),
        _ => None,
    }
}

fn unknown_enum(part: &str, schema: &'static Message, message: &[u8]) -> Option<String> {
    let NotCanonical { offset: _, path, problem } = strict::check(schema, message).err()?;
    let Problem::UnknownEnum(number) = problem else { return None };
    // An enum's numbers are positive; a greater one never belongs to any software.
    i32::try_from(number).ok().map(|number| format!("{part} {path} {number}"))
}

/// What is newer inside a signed statement whose payload type is known.
pub(crate) fn newer_statement(envelope: &Envelope) -> Option<String> {
    let protocol = |protocol: u32| (protocol > PROTOCOL).then(|| format!("protocol {protocol}"));
    match envelope.payload_type.as_str() {
        payload_type::GENESIS => {
            let genesis: v1::Genesis = strict::decode(&envelope.payload).ok()?;
            let format = (genesis.format > FORMAT).then(|| format!("entry format {}", genesis.format));
            format.or_else(|| protocol(genesis.protocol))
        }
        payload_type::SERVER_START => {
            let start: v1::ServerStart = strict::decode(&envelope.payload).ok()?;
            protocol(start.protocol)
        }
        payload_type::BATCH_MANIFEST => {
            let manifest: v1::BatchManifest = strict::decode(&envelope.payload).ok()?;
            let newer = payload_type::is_newer(&manifest.leaf_payload_type);
            newer.then(|| format!("leaf payload type {}", manifest.leaf_payload_type))
        }
        _ => None,
    }
}
