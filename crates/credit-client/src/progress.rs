//! What long calls tell while they run.

use std::time::Duration;

/// How far a stream or batch has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A batch is open, or open again after a broken connection.
    Opened {
        /// Count of its chunks.
        chunks: u32,
        /// The chunk that the bank goes on with; equal to `chunks` when it has all.
        next_chunk: u32,
    },
    /// Records or leaves were answered.
    Answered {
        /// How many have an outcome.
        done: u64,
        /// How many of these were refused.
        refused: u64,
        /// How many there are.
        total: u64,
    },
    /// Entries of a batch were proved to be in the log, with our leaves in them.
    Verified {
        /// How many are proved.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// The connection broke or the bank was busy; the same is sent again after a pause.
    Retrying {
        /// How many tries were made since something last succeeded.
        tries: u32,
        /// How long the pause is.
        pause: Duration,
        /// Why, as a code or a transport's words.
        reason: String,
    },
}
