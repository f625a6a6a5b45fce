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
}

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Stats>);

impl Counters {
    pub(crate) fn update(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn snapshot(&self) -> Stats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
