//! Receipts: an entry's place under the signed head, with the parts that the reader may see.

use crate::failure::{Failure, fault};
use crate::reader::{Head, Reader, StoredEntry, hydrated};
use credit_ledger::RowId;
use credit_log::parts::PartsTree;
use credit_log::{Hash, batch, inclusion, receipt::TlogProof};
use credit_proto::batch::leaf_payload_type;
use credit_proto::entry::{self, DecodedParts, PART_STATEMENT, StatementPart};
use credit_proto::v1;
use credit_types::{Digest, Event, LeafType, RecordId, Subject};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// Which parts of an entry a receipt opens. The head is always opened: it fixes how many parts there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenParts {
    /// All of them.
    All,
    /// Nothing but the head.
    Head,
    /// The link of one subject, its events, and the statements that they rest on.
    Subject(Subject),
    /// The link of one subject, the deposit of one record, and the statement that it rests on.
    Record(Subject, RecordId),
}

/// An entry that was read once, for all that a receipt needs of it.
pub(crate) struct ReadEntry {
    index: u64,
    stored: StoredEntry,
    parts: OnceCell<DecodedParts>,
}

impl ReadEntry {
    /// Its parts, taken apart when they are first asked for.
    pub(crate) fn parts(&self) -> Result<&DecodedParts, Failure> {
        if let Some(parts) = self.parts.get() {
            return Ok(parts);
        }
        let parts = entry::decode_parts(&self.stored.parts).map_err(fault("decode an entry's parts"))?;
        Ok(self.parts.get_or_init(|| parts))
    }

    /// The way of each leaf that a receipt of this entry opens to the root that its manifest signs, in the order of the
    /// parts; none for an entry that is no chunk's.
    pub(crate) fn leaf_proofs(&self, receipt: &v1::Receipt) -> Result<Vec<v1::LeafProof>, Failure> {
        let decoded = self.parts()?;
        let Some(leaf_type) = leaf_type(decoded) else { return Ok(Vec::new()) };
        let statements_at = decoded.head.links.saturating_add(1);
        let opened = receipt.parts.iter().filter(|part| part.part.first() == Some(&PART_STATEMENT));
        let mut statements = opened
            .filter_map(|part| {
                let number = usize::try_from(part.number.checked_sub(statements_at)?).ok()?;
                decoded.statements.get(number)
            })
            .peekable();
        if statements.peek().is_none() {
            return Ok(Vec::new());
        }
        let leaves: Vec<Hash> = leaf_hashes(decoded, leaf_type).into_values().collect();
        let tree = batch::ChunkTree::of(&leaves);
        statements.filter_map(|statement| leaf_proof(decoded, &tree, statement).transpose()).collect()
    }
}

impl Reader {
    /// Reads an entry under the signed head.
    pub(crate) fn read_entry(&self, index: u64) -> Result<ReadEntry, Failure> {
        Ok(ReadEntry { index, stored: self.entry(index)?, parts: OnceCell::new() })
    }

    /// The events of an entry.
    pub(crate) fn events_of(&self, entry: &ReadEntry) -> Result<Vec<Event>, Failure> {
        hydrated(entry.parts()?, |manifest| self.row(&RowId::Batch(manifest)))
    }

    /// The receipt of an entry under the newest signed head.
    pub fn receipt(&self, index: u64, open: &OpenParts) -> Result<v1::Receipt, Failure> {
        self.receipt_of(&self.read_entry(index)?, open)
    }

    fn receipt_of(&self, entry: &ReadEntry, open: &OpenParts) -> Result<v1::Receipt, Failure> {
        let head = self.plain_head();
        match self.shared.cosigned().filter(|cosigned| cosigned.size == head.size) {
            Some(cosigned) => self.receipt_at(entry, open, cosigned.size, cosigned.note.clone(), true),
            None => self.receipt_under(head, entry, open),
        }
    }

    /// The receipt of an entry under the last cosigned head, if that holds it; else under the newest signed head.
    pub fn best_receipt(&self, index: u64, open: &OpenParts) -> Result<v1::Receipt, Failure> {
        self.best_receipt_of(&self.read_entry(index)?, open)
    }

    /// As [`Reader::best_receipt`], of an entry that was read.
    pub(crate) fn best_receipt_of(
        &self,
        entry: &ReadEntry,
        open: &OpenParts,
    ) -> Result<v1::Receipt, Failure> {
        match self.shared.cosigned().filter(|cosigned| entry.index < cosigned.size) {
            Some(cosigned) => self.receipt_at(entry, open, cosigned.size, cosigned.note.clone(), true),
            None => self.receipt_of(entry, open),
        }
    }

    /// The receipt of an entry under a signed head that is still to be had; with the witnesses' lines where the head
    /// has them.
    pub(crate) fn receipt_under(
        &self,
        head: Head,
        entry: &ReadEntry,
        open: &OpenParts,
    ) -> Result<v1::Receipt, Failure> {
        let cosigned = self.shared.cosigned();
        let witnessed = cosigned.is_some_and(|cosigned| cosigned.note == head.checkpoint);
        self.receipt_at(entry, open, head.size, head.checkpoint, witnessed)
    }

    fn receipt_at(
        &self,
        entry: &ReadEntry,
        open: &OpenParts,
        size: u64,
        checkpoint: String,
        witnessed: bool,
    ) -> Result<v1::Receipt, Failure> {
        let index = entry.index;
        let path = inclusion::prove(&self.tiles(), index, size).map_err(fault("prove an inclusion"))?;
        let proof = TlogProof { extra: None, index, path, checkpoint };
        let state = if witnessed { v1::WitnessState::Witnessed } else { v1::WitnessState::Unwitnessed };
        Ok(v1::Receipt {
            parts: openings(entry, open)?,
            core: entry.stored.core.clone(),
            tlog_proof: proof.format().map_err(fault("write a receipt"))?,
            witness_state: state.into(),
        })
    }

    /// An entry without its place in the log: for who has that from the link of another entry.
    pub(crate) fn unplaced(&self, index: u64, open: &OpenParts) -> Result<v1::Receipt, Failure> {
        let entry = self.read_entry(index)?;
        Ok(v1::Receipt {
            parts: openings(&entry, open)?,
            core: entry.stored.core,
            tlog_proof: String::new(),
            witness_state: v1::WitnessState::Unspecified.into(),
        })
    }
}

/// What the leaves of a chunk's entry are; `None` of another entry, and of a chunk of which nothing was accepted.
fn leaf_type(decoded: &DecodedParts) -> Option<LeafType> {
    entry::manifest_of(decoded)?;
    let event = decoded.events.get(1)?;
    Some(if event.account_opened.is_some() { LeafType::Opening } else { LeafType::Record })
}

/// The hashes of all leaves of a chunk, refused ones too, by position.
fn leaf_hashes(decoded: &DecodedParts, leaf_type: LeafType) -> BTreeMap<u32, Hash> {
    let payload_type = leaf_payload_type(leaf_type);
    let accepted = decoded.statements.iter().filter_map(|statement| match statement {
        StatementPart::Leaf { manifest_index: _, position, facts } => {
            Some((*position, batch::record_leaf(payload_type, facts)))
        }
        StatementPart::Signed(_) => None,
    });
    let chunk = decoded.events.first().and_then(|event| event.batch_chunk.as_ref());
    let refused = chunk
        .into_iter()
        .flat_map(|chunk| &chunk.refused)
        .filter_map(|leaf| Digest::from_slice(&leaf.leaf_hash).ok().map(|hash| (leaf.position, hash.0)));
    accepted.chain(refused).collect()
}

fn leaf_proof(
    decoded: &DecodedParts,
    tree: &batch::ChunkTree,
    statement: &StatementPart,
) -> Result<Option<v1::LeafProof>, Failure> {
    let StatementPart::Leaf { manifest_index, position, facts: _ } = statement else { return Ok(None) };
    let chunk = decoded.events.first().and_then(|event| event.batch_chunk.as_ref());
    let Some(chunk) = chunk else { return Ok(None) };
    let path = tree.path(u64::from(*position)).map_err(fault("prove a leaf"))?;
    Ok(Some(v1::LeafProof {
        manifest_index: *manifest_index,
        position: *position,
        path: path.iter().map(|hash| hash.to_vec()).collect(),
        chunk_path: chunk.path.clone(),
    }))
}

fn openings(entry: &ReadEntry, open: &OpenParts) -> Result<Vec<v1::PartOpening>, Failure> {
    let tree = PartsTree::of(&entry.stored.secret, &entry.stored.parts);
    numbers(entry, open)?
        .into_iter()
        .map(|number| {
            let opened = tree.open(number).map_err(fault("open a part"))?;
            Ok(v1::PartOpening {
                number: opened.index,
                salt: opened.salt.to_vec(),
                part: opened.part,
                path: opened.path.iter().map(|hash| hash.to_vec()).collect(),
            })
        })
        .collect()
}

/// The numbers of the parts to open, ascending.
fn numbers(entry: &ReadEntry, open: &OpenParts) -> Result<BTreeSet<u32>, Failure> {
    let count = u32::try_from(entry.stored.parts.len()).unwrap_or(u32::MAX);
    let (subject, record) = match open {
        OpenParts::All => return Ok((0..count).collect()),
        OpenParts::Head => return Ok(BTreeSet::from([0])),
        OpenParts::Subject(subject) => (subject, None),
        OpenParts::Record(subject, record) => (subject, Some(record)),
    };
    let decoded = entry.parts()?;
    let mut numbers = BTreeSet::from([0]);
    let link = (1u32..).zip(&decoded.links).find(|(_, link)| link.subject == *subject);
    let Some((at, link)) = link else { return Ok(numbers) };
    numbers.insert(at);
    let statements_at = decoded.head.links.saturating_add(1);
    let events_at = statements_at.saturating_add(decoded.head.statements);
    for event in &link.events {
        let wire = usize::try_from(*event).ok().and_then(|event| decoded.events.get(event));
        let deposited = wire.and_then(|event| event.record_deposited.as_ref());
        let wanted = record
            .is_none_or(|record| deposited.is_some_and(|deposited| deposited.record_id == record.as_bytes()));
        if !wanted {
            continue;
        }
        numbers.insert(events_at.saturating_add(*event));
        for statement in wire.iter().flat_map(|event| &event.statements) {
            numbers.insert(statements_at.saturating_add(*statement));
        }
    }
    Ok(numbers)
}
