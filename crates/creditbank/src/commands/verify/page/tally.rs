//! What was written when: entries by kind and time, counted as they pass, in little memory however long the log is.

use super::super::pipeline::Window;
use credit_proto::entry::{PART_EVENT, decode_core};
use credit_proto::v1::EventKind;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The most spans of time that are told apart; beyond that neighbours are counted together.
const SPANS_MAX: usize = 2_048;
/// The shortest span, in microseconds: a second.
const SPAN_US: i64 = 1_000_000;

/// What an entry is about, as far as a reader of the report is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The log itself: its beginning, starts of its server, upgrades.
    Log,
    /// Institutions, frameworks, rule books and keys.
    Registry,
    /// Accounts.
    Accounts,
    /// Records, one at a time.
    Records,
    /// Batches and their chunks.
    Batches,
    /// Status changes of records.
    Changes,
    /// Applications for credit and awards.
    Applications,
    /// Only the core was seen.
    Closed,
}

impl Kind {
    /// Every kind, in the order in which they are shown.
    pub(super) const ALL: [Self; 8] = [
        Self::Log,
        Self::Registry,
        Self::Accounts,
        Self::Records,
        Self::Batches,
        Self::Changes,
        Self::Applications,
        Self::Closed,
    ];

    /// The kind of an entry by its first event: in canonical bytes the event's own kind comes first.
    fn of(parts: &[Vec<u8>]) -> Self {
        let first = parts.iter().find_map(|part| match part.as_slice() {
            [PART_EVENT, 0x08, number, ..] => EventKind::try_from(i32::from(*number)).ok(),
            _ => None,
        });
        match first {
            None | Some(EventKind::Unspecified) => Self::Closed,
            Some(EventKind::LedgerCreated | EventKind::ServerStarted | EventKind::ProtocolUpgraded) => {
                Self::Log
            }
            Some(
                EventKind::InstitutionAdmitted
                | EventKind::FrameworkPublished
                | EventKind::KeyAdded
                | EventKind::KeyRetired
                | EventKind::KeyCompromised
                | EventKind::RuleBookPublished
                | EventKind::RuleBookChanged
                | EventKind::AutoApprovalGiven,
            ) => Self::Registry,
            Some(EventKind::AccountOpened | EventKind::AccountStatusChanged) => Self::Accounts,
            Some(EventKind::RecordDeposited) => Self::Records,
            Some(EventKind::BatchOpened | EventKind::BatchChunk | EventKind::BatchClosed) => Self::Batches,
            Some(EventKind::RecordStatusChanged) => Self::Changes,
            Some(EventKind::ConversionRequested | EventKind::ConversionChanged) => Self::Applications,
        }
    }
}

/// What was written in a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Entries by kind.
    pub(super) kinds: BTreeMap<Kind, u64>,
    /// The size of the log at its end.
    pub(super) size: u64,
}

impl Span {
    fn take(&mut self, other: Self) {
        let Self { kinds, size } = other;
        for (kind, count) in kinds {
            let entries = self.kinds.entry(kind).or_default();
            *entries = entries.saturating_add(count);
        }
        self.size = self.size.max(size);
    }
}

/// Entries by span and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    /// The length of a span, in microseconds.
    pub(super) width_us: i64,
    /// Spans by their number since 1970.
    pub(super) spans: BTreeMap<i64, Span>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { width_us: SPAN_US, spans: BTreeMap::new() }
    }
}

impl Tally {
    /// Counts an entry; one that can't be read is left to the verdict.
    pub(super) fn entry(&mut self, core: &[u8], parts: &[Vec<u8>]) {
        if let Ok(core) = decode_core(core) {
            let kinds = BTreeMap::from([(Kind::of(parts), 1)]);
            self.count(core.recorded_at_us, Span { kinds, size: core.index.saturating_add(1) });
        }
    }

    fn count(&mut self, at_us: i64, span: Span) {
        self.spans.entry(at_us.div_euclid(self.width_us)).or_default().take(span);
        while self.spans.len() > SPANS_MAX {
            *self = self.merged(2);
        }
    }

    /// The same with so many neighbours counted together.
    pub(super) fn merged(&self, by: i64) -> Self {
        let mut merged = Self { width_us: self.width_us.saturating_mul(by), spans: BTreeMap::new() };
        for (number, span) in &self.spans {
            merged.spans.entry(number.div_euclid(by)).or_default().take(span.clone());
        }
        merged
    }

    /// Count of entries by kind.
    pub(super) fn totals(&self) -> BTreeMap<Kind, u64> {
        let mut all = Span::default();
        for span in self.spans.values() {
            all.take(span.clone());
        }
        all.kinds
    }

    /// The first and the last moment of the spans, in microseconds UTC.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        let (first, last) = (self.spans.keys().next()?, self.spans.keys().next_back()?);
        Some((first.saturating_mul(self.width_us), last.saturating_add(1).saturating_mul(self.width_us)))
    }
}

/// Counts the entries of a window on their way; on any thread.
pub(super) fn counted(tally: &Mutex<Tally>, window: Window) -> Window {
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    for loaded in &window.entries {
        tally.entry(&loaded.entry.core, &loaded.entry.parts);
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_proto::entry::encode_core;
    use credit_types::{Digest, EntryCore};

    fn core(index: u64, recorded_at_us: i64) -> Vec<u8> {
        encode_core(&EntryCore { index, recorded_at_us, parts_root: Digest([0; 32]) })
    }

    #[test]
    fn entries_are_counted_by_their_first_event_whatever_the_order() {
        let parts = |kind: u8| vec![vec![1, 0], vec![PART_EVENT, 0x08, kind], vec![PART_EVENT, 0x08, 1]];
        let mut entries: Vec<(u64, u8)> = (0..30).zip((1..=15).cycle()).collect();
        let count = |entries: &[(u64, u8)]| {
            let mut tally = Tally::default();
            for (index, kind) in entries {
                tally.entry(&core(*index, i64::try_from(*index).unwrap() * 300_000), &parts(*kind));
            }
            tally
        };
        let tally = count(&entries);
        entries.reverse();
        assert_eq!(count(&entries), tally);
        let totals = tally.totals();
        assert_eq!(totals.values().sum::<u64>(), 30);
        assert_eq!((totals[&Kind::Log], totals[&Kind::Registry], totals[&Kind::Batches]), (6, 10, 6));
        assert_eq!(tally.range(), Some((0, 9_000_000)));
        assert_eq!(tally.spans.values().next_back().unwrap().size, 30);
        let mut closed = Tally::default();
        closed.entry(&core(0, 5), &[]);
        closed.entry(b"no core", &[]);
        assert_eq!(closed.totals(), BTreeMap::from([(Kind::Closed, 1)]));
    }

    #[test]
    fn spans_reach_their_limit_and_then_are_counted_together() {
        let mut tally = Tally::default();
        let most = u64::try_from(SPANS_MAX).unwrap();
        for index in 0..most {
            tally.entry(&core(index, i64::try_from(index).unwrap() * SPAN_US), &[]);
        }
        assert_eq!((tally.spans.len(), tally.width_us), (SPANS_MAX, SPAN_US));
        tally.entry(&core(most, i64::try_from(most).unwrap() * SPAN_US), &[]);
        assert_eq!((tally.spans.len(), tally.width_us), (SPANS_MAX / 2 + 1, 2 * SPAN_US));
        assert_eq!(tally.totals()[&Kind::Closed], most + 1);
    }
}
