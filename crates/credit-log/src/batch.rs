//! Batches: many records under one signature, in chunks of which each proves itself.
//!
//! The manifest signs one RFC 6962 root over all leaves. A chunk is 64 leaves at a multiple of 64, so its
//! root is a node of that tree, and its path among the chunk roots is the upper half of every leaf's path.

use crate::envelope::pae;
use crate::hash::{Hash, leaf_hash};
use crate::inclusion;
use crate::proof::{OutOfRange, ProofError};
use crate::tree::{Levels, root_of};

/// The leaves of every chunk but the last, which has 1 to this many.
pub const CHUNK_LEAVES: u64 = 64;

/// The most records of one batch: 2^20.
pub const RECORDS_MAX: u64 = 1_048_576;

// A chunk root is a node of the batch's tree only if a chunk spans a whole power of two.
const _: () = assert!(CHUNK_LEAVES.is_power_of_two());
const _: () = assert!(RECORDS_MAX.is_multiple_of(CHUNK_LEAVES));

/// A batch of no records, or of more than [`RECORDS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch has 1 to {RECORDS_MAX} records, not {record_count}")]
pub struct RecordCount {
    /// The count of records given.
    pub record_count: u64,
}

/// The leaf hash of one record of a batch: the leaf data is PAE(leaf type, leaf payload).
pub fn record_leaf(payload_type: &str, payload: &[u8]) -> Hash {
    leaf_hash(&pae(payload_type, payload))
}

/// The root of one chunk over its leaf hashes.
pub fn chunk_root(leaf_hashes: &[Hash]) -> Hash {
    root_of(leaf_hashes)
}

/// The count of chunks of a batch of `record_count` records.
pub fn chunk_count(record_count: u64) -> u64 {
    record_count.div_ceil(CHUNK_LEAVES)
}

/// The count of leaves of a chunk (from 0): 1 to 64; `None` where the batch has no such chunk.
pub fn chunk_leaves(record_count: u64, chunk: u64) -> Option<u64> {
    let before = chunk.checked_mul(CHUNK_LEAVES)?;
    let left = record_count.checked_sub(before)?;
    (left > 0).then_some(left.min(CHUNK_LEAVES))
}

/// Checks one chunk against the manifest's root and record count: the leaves are all of the chunk's, in
/// order, and the path is that of the chunk's root among all chunk roots.
pub fn verify_chunk(
    root: &Hash,
    record_count: u64,
    chunk: u64,
    leaf_hashes: &[Hash],
    path: &[Hash],
) -> Result<(), ProofError> {
    let chunks = chunk_count(record_count);
    let want = chunk_leaves(record_count, chunk).ok_or(ProofError::Index { index: chunk, size: chunks })?;
    let have = leaf_hashes.len() as u64;
    if have != want {
        return Err(ProofError::Leaves { want, have });
    }
    inclusion::verify(&chunk_root(leaf_hashes), chunk, chunks, path, root)
}

/// The path of one leaf among the leaf hashes of its chunk, nearest sibling first: at most 6 hashes.
pub fn leaf_path(leaf_hashes: &[Hash], position: u64) -> Result<Vec<Hash>, OutOfRange> {
    ChunkTree::of(leaf_hashes).path(position)
}

/// The tree over the leaf hashes of a chunk, hashed once: for who proves several of them.
#[derive(Debug)]
pub struct ChunkTree(Levels);

impl ChunkTree {
    /// Hashes the leaves of a chunk, in their order.
    pub fn of(leaf_hashes: &[Hash]) -> Self {
        Self(Levels::of(leaf_hashes))
    }

    /// The path of the leaf at a position in the whole batch, nearest sibling first: at most 6 hashes.
    pub fn path(&self, position: u64) -> Result<Vec<Hash>, OutOfRange> {
        self.0.path(position % CHUNK_LEAVES)
    }
}

/// Checks one leaf against the manifest's root and record count: `path` leads to the root of its chunk, and
/// `chunk_path` from there to the root of the batch.
pub fn verify_leaf(
    root: &Hash,
    record_count: u64,
    position: u64,
    leaf: &Hash,
    path: &[Hash],
    chunk_path: &[Hash],
) -> Result<(), ProofError> {
    let chunk = position / CHUNK_LEAVES;
    let outside = ProofError::Index { index: position, size: record_count };
    let leaves = chunk_leaves(record_count, chunk).ok_or(outside)?;
    let chunk_root = inclusion::root_from_path(leaf, position % CHUNK_LEAVES, leaves, path)?;
    inclusion::verify(&chunk_root, chunk, chunk_count(record_count), chunk_path, root)
}

/// What a submitter needs of a batch: the root to sign, and each chunk's path.
#[derive(Debug, Clone)]
pub struct Manifest {
    record_count: u64,
    chunks: Levels,
}

impl Manifest {
    /// Hashes a batch of 1 to [`RECORDS_MAX`] leaf hashes, in their order.
    pub fn of(leaf_hashes: &[Hash]) -> Result<Self, RecordCount> {
        let record_count = leaf_hashes.len() as u64;
        if !(1..=RECORDS_MAX).contains(&record_count) {
            return Err(RecordCount { record_count });
        }
        let size = usize::try_from(CHUNK_LEAVES).unwrap_or(usize::MAX);
        let roots: Vec<Hash> = leaf_hashes.chunks(size).map(chunk_root).collect();
        Ok(Self { record_count, chunks: Levels::of(&roots) })
    }

    /// The root over all leaves, which the manifest signs.
    pub fn root(&self) -> Hash {
        self.chunks.root()
    }

    /// The count of records.
    pub fn record_count(&self) -> u64 {
        self.record_count
    }

    /// The count of chunks.
    pub fn chunk_count(&self) -> u64 {
        self.chunks.size()
    }

    /// The path of a chunk (from 0) among the chunk roots.
    pub fn path(&self, chunk: u64) -> Result<Vec<Hash>, OutOfRange> {
        self.chunks.path(chunk)
    }
}
