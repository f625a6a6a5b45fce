//! What a caller is told of a recorded command.

use credit_proto::v1;
use credit_types::{AccountRef, ApplicationStatus, Digest, RefusedLeaf};

/// An account that a command opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Position in the batch; 0 outside one.
    pub position: u32,
    /// Its id.
    pub account_ref: AccountRef,
    /// The number that the learner is told.
    pub account_number: String,
}

/// Where a command stands in the log. The same command gets the same answer for ever, `replayed` apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Index of the entry.
    pub index: u64,
    /// Leaf hash of the entry.
    pub leaf_hash: Digest,
    /// Whether this very command had been recorded before.
    pub replayed: bool,
    /// The receipt, where it was asked for.
    pub receipt: Option<v1::Receipt>,
    /// The accounts it opened.
    pub opened: Vec<Opened>,
    /// The positions of a chunk that were refused.
    pub refused: Vec<RefusedLeaf>,
    /// Where the application stands that it made or moved on.
    pub status: Option<ApplicationStatus>,
    /// Of a batch: whether it is closed.
    pub closed: bool,
    /// Of a batch: the chunk to go on with.
    pub next_chunk: u32,
}
