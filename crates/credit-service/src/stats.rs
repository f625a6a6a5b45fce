//! Counters of the running ledger, for metrics and reports.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A snapshot of the counters since start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Groups made durable.
    pub groups: u64,
    /// Entries made durable.
    pub entries: u64,
    /// Commands answered from an earlier entry.
    pub replays: u64,
    /// Refusals by reason.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Commands that found the queue full.
    pub busy: u64,
    /// Commands waiting in the queue.
    pub queue_depth: u64,
    /// Entries of the last group.
    pub last_group_entries: u64,
    /// Microseconds that the last group took from store to durable.
    pub last_flush_us: u64,
    /// Count of entries under the signed head.
    pub size: u64,
    /// When the last checkpoint was signed, in microseconds UTC.
    pub checkpoint_at_us: i64,
    /// Bytes of the store on disk.
    pub disk_bytes: u64,
    /// What came of calls to witnesses: by the witness's name and a word for it.
    pub witness_calls: BTreeMap<(String, &'static str), u64>,
    /// Count of entries under the last head that enough witnesses have cosigned.
    pub cosigned_size: u64,
    /// When the last cosignature that was enough came, in microseconds UTC; 0 if none has.
    pub cosigned_at_us: i64,
}

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Stats>);

impl Counters {
    pub(crate) fn update(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts what came of a call to a witness.
    pub(crate) fn witness_told(&self, witness: &str, outcome: &'static str) {
        self.update(|stats| {
            let count = stats.witness_calls.entry((witness.to_owned(), outcome)).or_default();
            *count = count.saturating_add(1);
        });
    }

    /// Notes that a head was cosigned by enough.
    pub(crate) fn cosigned(&self, size: u64, now_us: i64) {
        self.update(|stats| (stats.cosigned_size, stats.cosigned_at_us) = (size, now_us));
    }

    pub(crate) fn snapshot(&self) -> Stats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
