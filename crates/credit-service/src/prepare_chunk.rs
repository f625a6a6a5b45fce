//! Prepares a chunk of a batch: its place under the manifest's root, and each leaf on its own. A leaf that can't be
//! read is refused by itself; the chunk goes on.

use crate::failure::Failure;
use crate::prepare::{LEAVES_MAX, Person, Prepared, Preparer, Side};
use crate::side_items::seal_sides;
use credit_ledger::BatchRow;
use credit_log::{ProofError, batch};
use credit_proto::entry::StatementPart;
use credit_proto::{decode_leaf, payload_type, v1};
use credit_types::limits::{CHUNK_PATH_MAX, LEAF_BYTES_MAX};
use credit_types::{
    AccountOpening, ChunkCommand, ChunkLeaf, ChunkLeaves, Command, Digest, LeafType, OpeningLeaf, Reason,
    RecordFacts, RecordLeaf, RefusedLeaf, Rejection,
};

/// What comes of the leaves of a chunk.
#[derive(Default)]
struct Leaves {
    records: Vec<RecordLeaf>,
    openings: Vec<OpeningLeaf>,
    refused: Vec<RefusedLeaf>,
    statements: Vec<StatementPart>,
    sides: Vec<Side>,
    /// Whom the last record was about.
    last: Option<Person>,
}

impl Preparer {
    /// Prepares a chunk of an open batch.
    pub fn chunk(
        &self,
        manifest_index: u64,
        submission: v1::ChunkSubmission,
        want_receipt: bool,
    ) -> Result<Prepared, Failure> {
        let batch = self.manifest_of(manifest_index)?;
        let v1::ChunkSubmission { chunk, leaves, path } = submission;
        let path = checked_path(&path)?;
        if leaves.is_empty() || leaves.len() > LEAVES_MAX {
            let problem = format!("1 to {LEAVES_MAX} leaves, not {}", leaves.len());
            return Err(Rejection::new(Reason::ChunkSizeWrong).field("chunk.leaves").detail(problem).into());
        }
        let leaf_type = match batch.leaf_type {
            LeafType::Record => payload_type::RECORD_FACTS,
            LeafType::Opening => payload_type::ACCOUNT_OPENING,
        };
        let hashes: Vec<[u8; 32]> =
            leaves.iter().map(|leaf| batch::record_leaf(leaf_type, &leaf.facts)).collect();
        let hash_path: Vec<[u8; 32]> = path.iter().map(|digest| digest.0).collect();
        let (count, number) = (u64::from(batch.record_count), u64::from(chunk));
        batch::verify_chunk(&batch.root.0, count, number, &hashes, &hash_path).map_err(misplaced)?;
        let first = chunk.saturating_mul(u32::try_from(LEAVES_MAX).unwrap_or(u32::MAX));
        let mut out = Leaves::default();
        for ((position, leaf), hash) in (first..).zip(leaves).zip(hashes) {
            match self.leaf(&batch, manifest_index, position, leaf, Digest(hash), &mut out) {
                Ok(()) => {}
                Err(Failure::Refused(Rejection { reason, .. })) => {
                    out.refused.push(RefusedLeaf { position, leaf_hash: Digest(hash), reason });
                }
                Err(other) => return Err(other),
            }
        }
        let leaves = match batch.leaf_type {
            LeafType::Record => ChunkLeaves::Records(std::mem::take(&mut out.records)),
            LeafType::Opening => ChunkLeaves::Openings(std::mem::take(&mut out.openings)),
        };
        let command = Command::SubmitChunk(ChunkCommand {
            manifest_index,
            chunk,
            path,
            leaves,
            refused: std::mem::take(&mut out.refused),
        });
        let items = seal_sides(&self.reader.shared.keyring, &out.sides)?;
        let Leaves { statements, sides, .. } = out;
        Ok(Prepared { command, signer: batch.signer, statements, sides, items, want_receipt })
    }

    fn leaf(
        &self,
        batch: &BatchRow,
        manifest_index: u64,
        position: u32,
        leaf: v1::LeafSubmission,
        leaf_hash: Digest,
        out: &mut Leaves,
    ) -> Result<(), Failure> {
        let v1::LeafSubmission { facts, secret } = leaf;
        if facts.len() > LEAF_BYTES_MAX {
            return Err(Rejection::new(Reason::FieldInvalid).field("chunk.leaves.facts").into());
        }
        match batch.leaf_type {
            LeafType::Record => {
                let body: RecordFacts = decode_leaf(&facts)?;
                let Some(issuer) = batch.signer.institution() else {
                    return Err(Reason::SignerNotAllowed.into());
                };
                let (check, side) = self.deposit(issuer, &body, secret, &mut out.last)?;
                out.records.push(ChunkLeaf { leaf_hash, body, check });
                out.sides.push(Side::Deposit(side));
            }
            LeafType::Opening => {
                let body: AccountOpening = decode_leaf(&facts)?;
                let (check, side) = self.opening(body, secret)?;
                out.openings.push(ChunkLeaf { leaf_hash, body, check });
                out.sides.push(side);
            }
        }
        out.statements.push(StatementPart::Leaf { manifest_index, position, facts });
        Ok(())
    }
}

/// What is wrong with a chunk that does not prove its place.
fn misplaced(error: ProofError) -> Rejection {
    match error {
        ProofError::Index { .. } => {
            Rejection::new(Reason::ChunkOutOfOrder).field("chunk").detail(error.to_string())
        }
        ProofError::Leaves { .. } => {
            Rejection::new(Reason::ChunkSizeWrong).field("chunk.leaves").detail(error.to_string())
        }
        ProofError::Sizes { .. } | ProofError::Length { .. } | ProofError::Root | ProofError::OldRoot => {
            Rejection::new(Reason::ChunkPathWrong).field("chunk.path")
        }
    }
}

fn checked_path(path: &[Vec<u8>]) -> Result<Vec<Digest>, Failure> {
    if path.len() > CHUNK_PATH_MAX {
        let problem = format!("at most {CHUNK_PATH_MAX} hashes, not {}", path.len());
        return Err(Rejection::new(Reason::ChunkPathWrong).field("chunk.path").detail(problem).into());
    }
    path.iter()
        .map(|hash| {
            Digest::from_slice(hash).map_err(|error| {
                Rejection::new(Reason::ChunkPathWrong).field("chunk.path").detail(error.to_string()).into()
            })
        })
        .collect()
}
