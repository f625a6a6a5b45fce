//! Reads that take microseconds are done where they arrive: to hand one to another thread and back takes longer than
//! the read. As soon as many take long, because the disk is slow or accounts are large, all go to threads that may wait,
//! for a spell. A single one says little: the machine may have given the processor to somebody else meanwhile. So spells
//! are short at first, and longer each time that one follows upon another.

use crate::clock::instant;
use crate::grpc::micros_since;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A read that takes longer than this is not quick.
const QUICK_US: u64 = 500;
/// A read that takes longer than this is enough for a spell: no thread that serves sockets waits so long twice.
const SLOW_US: u64 = 20_000;
/// What a read that is not quick counts, and a quick one takes off.
const SLOW_COUNTS: u64 = 8;
/// A spell begins where they amount to this: where more than one of nine was slow, for a while.
const SLOW_MAX: u64 = 64;
/// How long reads go to other threads then: the first time, and at most.
const SPELL_US: u64 = 50_000;
const SPELL_US_MAX: u64 = 1_600_000;

/// Whether reads are quick at present.
pub(crate) struct Quick {
    begun: Instant,
    /// What slow reads amount to.
    slow: AtomicU64,
    /// Microseconds after `begun` from which on reads are taken for quick again.
    slow_until_us: AtomicU64,
    /// How long the last spell was.
    spell_us: AtomicU64,
}

impl Quick {
    pub(crate) fn new() -> Self {
        Self {
            begun: instant(),
            slow: AtomicU64::new(0),
            slow_until_us: AtomicU64::new(0),
            spell_us: AtomicU64::new(0),
        }
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
        // Races between these two lose a count at most.
        let slow = self.slow.load(Ordering::Relaxed);
        let slow = if us > QUICK_US { slow.saturating_add(SLOW_COUNTS) } else { slow.saturating_sub(1) };
        let spell = us > SLOW_US || slow >= SLOW_MAX;
        self.slow.store(if spell { 0 } else { slow }, Ordering::Relaxed);
        if spell {
            self.spell(micros_since(self.begun));
        }
    }

    /// Begins a spell: twice the last one, unless it has been quick for as long as that one lasted.
    fn spell(&self, now_us: u64) {
        let (last, until) =
            (self.spell_us.load(Ordering::Relaxed), self.slow_until_us.load(Ordering::Relaxed));
        let follows = last > 0 && now_us < until.saturating_add(last);
        let next = if follows { last.saturating_mul(2).min(SPELL_US_MAX) } else { SPELL_US };
        self.spell_us.store(next, Ordering::Relaxed);
        self.slow_until_us.store(now_us.saturating_add(next), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_many_slow_reads_none_is_done_at_once_for_a_spell() {
        let quick = Quick::new();
        let most = SLOW_MAX / SLOW_COUNTS;
        for _ in 1..most {
            quick.took(QUICK_US + 1);
        }
        quick.took(QUICK_US);
        assert!(quick.at_once());
        (0..SLOW_COUNTS).for_each(|_| quick.took(QUICK_US));
        quick.took(QUICK_US + 1);
        assert!(quick.at_once(), "quick ones have made up for it");
        quick.took(QUICK_US + 1);
        quick.took(QUICK_US + 1);
        assert!(!quick.at_once());
        quick.slow_until_us.store(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(quick.at_once());
        assert_eq!(quick.watch(|| 7), 7);
    }

    #[test]
    fn spells_that_follow_upon_each_other_are_longer_up_to_a_bound() {
        let quick = Quick::new();
        let until = || quick.slow_until_us.load(Ordering::Relaxed);
        let (mut now, mut wanted) = (1, SPELL_US);
        for _ in 0..8 {
            quick.spell(now);
            assert_eq!(until(), now + wanted);
            now = until() + wanted - 1;
            wanted = (wanted * 2).min(SPELL_US_MAX);
        }
        quick.spell(now + 1 + SPELL_US_MAX);
        assert_eq!(
            until(),
            now + 1 + SPELL_US_MAX + SPELL_US,
            "it was quick for as long as the last one lasted"
        );
    }

    #[test]
    fn a_very_slow_read_is_enough() {
        let quick = Quick::new();
        quick.took(SLOW_US);
        assert!(quick.at_once());
        quick.took(SLOW_US + 1);
        assert!(!quick.at_once());
    }
}
