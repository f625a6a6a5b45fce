//! Command and events to the bytes of an entry.

use crate::failure::Failure;
use crate::random;
use credit_ledger::{CommandKey, Context, View, links};
use credit_log::{hash, parts};
use credit_proto::entry::{StatementPart, encode_core, encode_parts};
use credit_store::EntryBytes;
use credit_types::limits::ENTRY_PARTS_BYTES_MAX;
use credit_types::{Digest, EntryCore, EntryHead, Event, Link, Reason, Rejection};

/// An entry ready to be stored.
pub(crate) struct Assembled {
    pub(crate) bytes: EntryBytes,
    pub(crate) leaf_hash: Digest,
    pub(crate) links: Vec<Link>,
}

/// Makes an entry of events and the statements they rest on. The view holds the subjects' last links.
pub(crate) fn assemble(
    view: &View,
    context: &Context,
    key: &CommandKey,
    statements: &[StatementPart],
    events: &[Event],
) -> Result<Assembled, Failure> {
    let links = links(view, events);
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let head = EntryHead {
        actor: key.signer.clone(),
        command_id: key.command_id,
        links: count(links.len()),
        statements: count(statements.len()),
        events: count(events.len()),
    };
    let encoded = encode_parts(&head, &links, statements, events);
    let bytes = encoded.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
    if bytes > ENTRY_PARTS_BYTES_MAX {
        let problem =
            format!("the entry's parts would be {bytes} bytes, {ENTRY_PARTS_BYTES_MAX} are allowed");
        return Err(Rejection::new(Reason::EntryTooLarge).detail(problem).into());
    }
    let secret: [u8; 32] = random::bytes()?;
    let core = encode_core(&EntryCore {
        index: context.index,
        recorded_at_us: context.recorded_at_us,
        parts_root: Digest(parts::parts_root(&secret, &encoded)),
    });
    let leaf_hash = Digest(hash::leaf_hash(&core));
    Ok(Assembled { bytes: EntryBytes { core, secret, parts: encoded }, leaf_hash, links })
}
