//! Rows in order, put together from memory and pages.

use super::super::engine::failed;
use super::super::key;
use super::{Rows, TRIES, moving, no_page, page};
use crate::{Row, StoreError};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// The least changes in memory that are looked at in one step.
const STEP_MIN: usize = 16;

/// Changes of a stretch of keys.
type Stretch = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl Rows {
    /// The first `limit` rows with keys in `from..to`.
    pub(in super::super) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut found: Vec<Row> = Vec::new();
        let mut at = from.to_vec();
        while found.len() < limit && at.as_slice() < to {
            let wanted = limit.saturating_sub(found.len());
            // Memory before pages: what leaves it meanwhile is in its page by then.
            let (changes, end) = self.changes(&at, to, wanted.max(STEP_MIN));
            let (rows, end) = self.paged(&at, &end, wanted.saturating_add(changes.len()))?;
            let changes = changes.into_iter().take_while(|(key, _)| *key < end);
            found.extend(merged(rows, changes).take(wanted));
            at = end;
        }
        Ok(found)
    }

    /// Up to `count` fresh and as many settling changes from `at` on, and the key up to which these are all.
    fn changes(&self, at: &[u8], to: &[u8], count: usize) -> (Stretch, Vec<u8>) {
        self.memory.rows(|held| {
            let mut end = to.to_vec();
            let mut found = Stretch::new();
            for changes in held {
                let taken = changes.range(at, Some(to)).take(count);
                let mut last = None;
                let mut seen = 0usize;
                for (key, value) in taken {
                    found.insert(key.to_vec(), value.map(<[u8]>::to_vec));
                    last = Some(key);
                    seen = seen.saturating_add(1);
                }
                if let Some(last) = last.filter(|_| seen == count) {
                    end = end.min(behind(last));
                }
            }
            found.retain(|key, _| *key < end);
            (found, end)
        })
    }

    /// Up to `count` rows of pages with keys in `at..to`, and the key up to which these are all.
    fn paged(&self, at: &[u8], to: &[u8], count: usize) -> Result<(Vec<Row>, Vec<u8>), StoreError> {
        for _ in 0..TRIES {
            let freed = self.freed.load(Ordering::Acquire);
            let found = self.paged_once((at, to), count, freed);
            // Where places have become free meanwhile, one may have been another page's by the time it was read.
            if self.freed.load(Ordering::Acquire) == freed {
                return found;
            }
        }
        Err(moving())
    }

    fn paged_once(
        &self,
        (at, to): (&[u8], &[u8]),
        count: usize,
        freed: u64,
    ) -> Result<(Vec<Row>, Vec<u8>), StoreError> {
        let mut found = Vec::new();
        let mut at = at.to_vec();
        while at.as_slice() < to {
            let as_of = self.changes.load(Ordering::Acquire);
            let still = || as_of.is_multiple_of(2) && self.changes.load(Ordering::Acquire) == as_of;
            let Some((lower, upper, standing)) = self.page_at(&at, &still)? else {
                let Some(next) = self.page_behind(&at, to)? else { break };
                at = next;
                continue;
            };
            let stored = self.stored(&lower, standing, freed)?;
            let mut rows = page::Reader::new(stored.bytes());
            let end = to.min(&upper);
            while let Some(value) = rows.next_value() {
                let value = value.map_err(|()| no_page(&lower))?;
                if rows.key() < at.as_slice() {
                    continue;
                }
                if rows.key() >= end {
                    break;
                }
                if found.len() == count {
                    return Ok((found, rows.key().to_vec()));
                }
                found.push((rows.key().to_vec(), value.to_vec()));
            }
            at = upper;
        }
        Ok((found, to.to_vec()))
    }

    /// The lower end of the first page that begins at a key or behind it.
    fn page_behind(&self, at: &[u8], to: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let next = self.engine.db.range(key::page(at)..key::page(to)).next();
        let next = next.transpose().map_err(|cause| failed("look for the next page of rows", cause))?;
        Ok(next.map(|(key, _)| key.get(1..).unwrap_or_default().to_vec()))
    }
}

/// Rows with changes, both ascending.
pub(super) fn merged(
    rows: Vec<Row>,
    changes: impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
) -> impl Iterator<Item = Row> {
    let (mut rows, mut changes) = (rows.into_iter().peekable(), changes.peekable());
    std::iter::from_fn(move || {
        loop {
            let Some((key, _)) = changes.peek() else { return rows.next() };
            if let Some(row) = rows.next_if(|(before, _)| before < key) {
                return Some(row);
            }
            let _replaced = rows.next_if(|(same, _)| same == key);
            if let Some((key, Some(value))) = changes.next() {
                return Some((key, value));
            }
        }
    })
}

/// The least key behind one.
fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
