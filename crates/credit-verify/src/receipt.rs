//! A receipt: an entry's place in the log under a checkpoint, with some of its parts opened.

use std::collections::BTreeMap;

use credit_log::checkpoint::Checkpoint;
use credit_log::parts::{PartOpening, verify_opening};
use credit_log::receipt::TlogProof;
use credit_log::{Hash, hash};
use credit_proto::entry::{StatementPart, WireEvent, decode_core};
use credit_proto::{Reading, Stage};
use credit_proto::{payload_type, read_statement, v1};
use credit_types::{Digest, EntryCore, EntryHead, Link, Subject};

use crate::fault::Fault;
use crate::known::admit;
use crate::part::{self, Part};
use crate::trust::Trust;
use crate::witnessed::{self, Witnesses};

/// What a receipt has been found to prove. The numbers of links, statements and events are those within their kind,
/// from 0; what the receipt doesn't open isn't there.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedReceipt {
    /// The entry's core.
    pub core: EntryCore,
    /// The entry's leaf hash.
    pub leaf_hash: Digest,
    /// The entry's head: who acted, and how many parts there are.
    pub head: EntryHead,
    /// The opened links.
    pub links: BTreeMap<u32, Link>,
    /// The opened statements. Their signatures are the whole log's to judge: only it knows whose key was in force.
    pub statements: BTreeMap<u32, StatementPart>,
    /// The opened events.
    pub events: BTreeMap<u32, WireEvent>,
    /// The checkpoint that the entry is under.
    pub checkpoint: Checkpoint,
    /// What the cosignatures on it come to.
    pub witnesses: Witnesses,
}

impl VerifiedReceipt {
    /// The opened link of a subject.
    pub fn link_of(&self, subject: &Subject) -> Option<&Link> {
        self.links.values().find(|link| link.subject == *subject)
    }
}

/// Checks a receipt against what is pinned of the log.
pub fn verify_receipt(receipt: &v1::Receipt, trust: &Trust) -> Result<VerifiedReceipt, Fault> {
    let v1::Receipt { core: core_bytes, tlog_proof, parts, witness_state } = receipt;
    let proof = TlogProof::parse(tlog_proof).map_err(Fault::ProofUnreadable)?;
    let leaf_hash = hash::leaf_hash(core_bytes);
    let checkpoint =
        proof.verify(&leaf_hash, &trust.checkpoint_keys, &trust.origin).map_err(Fault::ProofFalse)?;
    let core = decode_core(core_bytes)?;
    if core.index != proof.index {
        return Err(Fault::IndexDiffers { core: core.index, proof: proof.index });
    }
    let witnesses = witnessed::judge(trust, &proof.checkpoint, core.recorded_at_us, *witness_state)?;
    open_parts(core, Digest(leaf_hash), parts, (checkpoint, witnesses), trust)
}

/// Opens an entry whose place in the log follows from something else: from the hash that another entry names, or, for
/// entry 0, from the log's name. It brings no proof of its own, so that there is one form only.
pub(crate) fn open_unplaced(
    receipt: &v1::Receipt,
    checkpoint: &Checkpoint,
    trust: &Trust,
) -> Result<VerifiedReceipt, Fault> {
    let v1::Receipt { core: core_bytes, tlog_proof, parts, witness_state } = receipt;
    if !tlog_proof.is_empty() || *witness_state != i32::from(v1::WitnessState::Unspecified) {
        return Err(Fault::ProofNotNeeded);
    }
    let core = decode_core(core_bytes)?;
    let leaf_hash = Digest(hash::leaf_hash(core_bytes));
    // It brings no cosignatures either: what they come to is said by the receipt that has a place.
    open_parts(core, leaf_hash, parts, (checkpoint.clone(), Witnesses::NotMet), trust)
}

/// Opens the parts under a core.
fn open_parts(
    core: EntryCore,
    leaf_hash: Digest,
    parts: &[v1::PartOpening],
    (checkpoint, witnesses): (Checkpoint, Witnesses),
    trust: &Trust,
) -> Result<VerifiedReceipt, Fault> {
    if core.index == 0 && leaf_hash.0 != trust.log_id.0 {
        return Err(Fault::OtherLog);
    }
    let (first, rest) = parts.split_first().ok_or(Fault::HeadMissing)?;
    let head = open_head(first, &core)?;
    let mut verified = VerifiedReceipt {
        core,
        leaf_hash,
        head,
        links: BTreeMap::new(),
        statements: BTreeMap::new(),
        events: BTreeMap::new(),
        checkpoint,
        witnesses,
    };
    let mut last = 0;
    for wire in rest {
        if wire.number <= last {
            return Err(Fault::PartOrder { number: wire.number });
        }
        last = wire.number;
        verified.open(wire, trust)?;
    }
    Ok(verified)
}

/// Opens the head, which states the count under which it must itself stand.
fn open_head(wire: &v1::PartOpening, core: &EntryCore) -> Result<EntryHead, Fault> {
    let opening = opening(wire)?;
    if opening.index != 0 {
        return Err(Fault::HeadMissing);
    }
    let Part::Head(head) = part::read(&opening.part).map_err(|error| Fault::part(0, error))? else {
        return Err(Fault::PartKind { number: 0 });
    };
    verify_opening(&core.parts_root.0, part::part_count(&head), &opening)
        .map_err(|cause| Fault::PartFalse { number: 0, cause })?;
    Ok(head)
}

fn opening(wire: &v1::PartOpening) -> Result<PartOpening, Fault> {
    let v1::PartOpening { number, salt, part, path } = wire;
    let wrong = Fault::PartBytes { number: *number };
    let hash = |bytes: &Vec<u8>| Hash::try_from(bytes.as_slice()).map_err(|_| wrong.clone());
    let path = path.iter().map(hash).collect::<Result<_, _>>()?;
    Ok(PartOpening { index: *number, salt: hash(salt)?, part: part.clone(), path })
}

impl VerifiedReceipt {
    /// Opens one more part, of the kind that its number gives it.
    fn open(&mut self, wire: &v1::PartOpening, trust: &Trust) -> Result<(), Fault> {
        let opening = opening(wire)?;
        let number = opening.index;
        verify_opening(&self.core.parts_root.0, part::part_count(&self.head), &opening)
            .map_err(|cause| Fault::PartFalse { number, cause })?;
        if part::kind_at(&self.head, number) != opening.part.first().copied() {
            return Err(Fault::PartKind { number });
        }
        let statements_from = self.head.links.saturating_add(1);
        let events_from = statements_from.saturating_add(self.head.statements);
        match part::read(&opening.part).map_err(|error| Fault::part(number, error))? {
            Part::Head(_) => return Err(Fault::PartKind { number }),
            Part::Link(link) => {
                if link.events.iter().any(|event| *event >= self.head.events) {
                    return Err(Fault::PartKind { number });
                }
                self.links.insert(number.saturating_sub(1), link);
            }
            Part::Statement(statement) => {
                of_this_log(number, &statement, &self.leaf_hash, trust)?;
                self.statements.insert(number.saturating_sub(statements_from), statement);
            }
            Part::Event(event) => {
                self.events.insert(number.saturating_sub(events_from), *event);
            }
        }
        Ok(())
    }
}

/// An opened statement is canonical and names the pinned log; a genesis names none, it makes it.
fn of_this_log(
    number: u32,
    statement: &StatementPart,
    leaf_hash: &Digest,
    trust: &Trust,
) -> Result<(), Fault> {
    let StatementPart::Signed(envelope) = statement else { return Ok(()) };
    let reading = Reading { admit, stage: Stage::Replay };
    let read = read_statement(&envelope.payload_type, &envelope.payload, reading);
    let read = read.map_err(|cause| Fault::PartInvalid { number, cause })?;
    let same = match read.header().log_id {
        Some(log_id) => log_id == trust.log_id,
        None => envelope.payload_type == payload_type::GENESIS && leaf_hash.0 == trust.log_id.0,
    };
    if same { Ok(()) } else { Err(Fault::OtherLog) }
}

/// Checks that the entry records this very statement.
pub fn expects_statement(receipt: &VerifiedReceipt, payload_type: &str, payload: &[u8]) -> Result<(), Fault> {
    let same = |statement: &StatementPart| match statement {
        StatementPart::Signed(envelope) => {
            envelope.payload_type == payload_type && envelope.payload == payload
        }
        StatementPart::Leaf { .. } => false,
    };
    if receipt.statements.values().any(same) { Ok(()) } else { Err(Fault::OtherStatement) }
}

/// Checks that the entry records this very leaf at this position (from 0) of the batch opened at `manifest_index`.
pub fn expects_leaf(
    receipt: &VerifiedReceipt,
    manifest_index: u64,
    position: u32,
    facts: &[u8],
) -> Result<(), Fault> {
    let same = |statement: &StatementPart| match statement {
        StatementPart::Signed(_) => false,
        StatementPart::Leaf { manifest_index: of, position: at, facts: bytes } => {
            (*of, *at, bytes.as_slice()) == (manifest_index, position, facts)
        }
    };
    if receipt.statements.values().any(same) { Ok(()) } else { Err(Fault::OtherStatement) }
}
