//! Receipts: an entry's place under the signed head, with the parts that the reader may see.

use crate::failure::{Failure, fault};
use crate::reader::{Head, Reader, StoredEntry};
use credit_log::{inclusion, parts, receipt::TlogProof};
use credit_proto::entry;
use credit_proto::v1;
use credit_types::Subject;
use std::collections::BTreeSet;

/// Which parts of an entry a receipt opens. The head is always opened: it fixes how many parts there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenParts {
    /// All of them.
    All,
    /// Nothing but the head.
    Head,
    /// The link of one subject, its events, and the statements that they rest on.
    Subject(Subject),
}

impl Reader {
    /// The receipt of an entry under the newest signed head.
    pub fn receipt(&self, index: u64, open: &OpenParts) -> Result<v1::Receipt, Failure> {
        let Head { size, checkpoint, .. } = self.plain_head();
        match self.shared.cosigned().filter(|cosigned| cosigned.size == size) {
            Some(cosigned) => self.receipt_under(index, open, size, cosigned.note.clone(), true),
            None => self.receipt_under(index, open, size, checkpoint, false),
        }
    }

    /// The receipt of an entry under the last cosigned head, if that holds it; else under the newest signed head.
    pub fn best_receipt(&self, index: u64, open: &OpenParts) -> Result<v1::Receipt, Failure> {
        match self.shared.cosigned().filter(|cosigned| index < cosigned.size) {
            Some(cosigned) => self.receipt_under(index, open, cosigned.size, cosigned.note.clone(), true),
            None => self.receipt(index, open),
        }
    }

    fn receipt_under(
        &self,
        index: u64,
        open: &OpenParts,
        size: u64,
        checkpoint: String,
        witnessed: bool,
    ) -> Result<v1::Receipt, Failure> {
        let stored = self.entry(index)?;
        let path = inclusion::prove(&self.tiles(), index, size).map_err(fault("prove an inclusion"))?;
        let proof = TlogProof { extra: None, index, path, checkpoint };
        let state = if witnessed { v1::WitnessState::Witnessed } else { v1::WitnessState::Unwitnessed };
        Ok(v1::Receipt {
            parts: openings(&stored, open)?,
            core: stored.core,
            tlog_proof: proof.format().map_err(fault("write a receipt"))?,
            witness_state: state.into(),
        })
    }
}

fn openings(stored: &StoredEntry, open: &OpenParts) -> Result<Vec<v1::PartOpening>, Failure> {
    let numbers = numbers(stored, open)?;
    numbers
        .into_iter()
        .map(|number| {
            let opened = parts::open(&stored.secret, &stored.parts, number).map_err(fault("open a part"))?;
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
fn numbers(stored: &StoredEntry, open: &OpenParts) -> Result<BTreeSet<u32>, Failure> {
    let count = u32::try_from(stored.parts.len()).unwrap_or(u32::MAX);
    let subject = match open {
        OpenParts::All => return Ok((0..count).collect()),
        OpenParts::Head => return Ok(BTreeSet::from([0])),
        OpenParts::Subject(subject) => subject,
    };
    let decoded = entry::decode_parts(&stored.parts).map_err(fault("decode an entry's parts"))?;
    let mut numbers = BTreeSet::from([0]);
    let link = (1u32..).zip(&decoded.links).find(|(_, link)| link.subject == *subject);
    let Some((at, link)) = link else { return Ok(numbers) };
    numbers.insert(at);
    let statements_at = decoded.head.links.saturating_add(1);
    let events_at = statements_at.saturating_add(decoded.head.statements);
    for event in &link.events {
        numbers.insert(events_at.saturating_add(*event));
        let wire = usize::try_from(*event).ok().and_then(|event| decoded.events.get(event));
        for statement in wire.iter().flat_map(|event| &event.statements) {
            numbers.insert(statements_at.saturating_add(*statement));
        }
    }
    Ok(numbers)
}
