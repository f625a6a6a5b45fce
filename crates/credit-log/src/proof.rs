//! What it means that a proof is false.

/// The proof does not show what it claims: a verdict on the prover, never a problem of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The claimed position lies outside the tree.
    #[error("index {index} lies outside a tree of {size} leaves")]
    Index {
        /// The claimed position, from 0.
        index: u64,
        /// The count of leaves of the tree.
        size: u64,
    },
    /// The older tree is said to be larger than the newer one.
    #[error("a tree of {old} leaves cannot be the older form of one of {new} leaves")]
    Sizes {
        /// The count of leaves of the older tree.
        old: u64,
        /// The count of leaves of the newer tree.
        new: u64,
    },
    /// The proof has more or fewer hashes than a proof between these positions has.
    #[error("the proof has {have} hashes where {want} belong")]
    Length {
        /// The count of hashes that belong there.
        want: u64,
        /// The count of hashes given.
        have: u64,
    },
    /// A chunk has more or fewer leaves than its place in the batch gives it.
    #[error("the chunk has {have} leaves where {want} belong")]
    Leaves {
        /// The count of leaves that belong there.
        want: u64,
        /// The count of leaves given.
        have: u64,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to another root for the older tree.
    #[error("the proof leads to another root of the older tree")]
    OldRoot,
}

/// A position that was asked for lies outside the tree; said to a prover, not about a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("index {index} lies outside a tree of {size} leaves")]
pub struct OutOfRange {
    /// The position, from 0.
    pub index: u64,
    /// The count of leaves of the tree.
    pub size: u64,
}
