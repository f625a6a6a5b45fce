//! Reads that take microseconds are done where they arrive: to hand one to another thread and back takes longer than
//! the read. As soon as one takes long, because the disk is slow or an account is large, all go to threads that may
//! wait, for a spell.

use crate::clock::instant;
use crate::grpc::micros_since;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A read that takes longer than this is not quick.
const QUICK_US: u64 = 500;
/// How long reads go to other threads after one that was not quick.
const SPELL_US: u64 = 1_000_000;

/// Whether reads are quick at present.
pub(crate) struct Quick {
    begun: Instant,
    /// Microseconds after `begun` from which on reads are taken for quick again.
    slow_until_us: AtomicU64,
}

impl Quick {
    pub(crate) fn new() -> Self {
        Self { begun: instant(), slow_until_us: AtomicU64::new(0) }
    }

    /// Whether a read may be done at once.
    pub(crate) fn at_once(&self) -> bool {
        let until = self.slow_until_us.load(Ordering::Relaxed);
        until == 0 || micros_since(self.begun) >= until
    }

    /// Does a read, and looks how long it took.
    pub(crate) fn watch<T>(&self, read: impl FnOnce() -> T) -> T {
        let begun = instant();
        let read = read();
        self.took(micros_since(begun));
        read
    }

    fn took(&self, us: u64) {
        if us > QUICK_US {
            self.slow_until_us.store(micros_since(self.begun).saturating_add(SPELL_US), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_slow_read_none_is_done_at_once_for_a_spell() {
        let quick = Quick::new();
        assert!(quick.at_once());
        quick.took(QUICK_US);
        assert!(quick.at_once());
        quick.took(QUICK_US + 1);
        assert!(!quick.at_once());
        quick.slow_until_us.store(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(quick.at_once());
        assert_eq!(quick.watch(|| 7), 7);
    }
}
