//! Rows in order, put together from memory and pages.

use super::super::engine::failed;
use super::super::key;
use super::super::memory::Changes;
use super::{Rows, TRIES, moving, page_rows, place};
use crate::{Row, StoreError};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::Ordering;

/// The least changes in memory that are looked at in one step.
const STEP_MIN: usize = 16;

/// Rows by key.
type Found = BTreeMap<Vec<u8>, Vec<u8>>;
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
            let (mut rows, end) = self.paged(&at, &end, wanted.saturating_add(changes.len()))?;
            for (key, value) in changes {
                if key >= end {
                    break;
                }
                match value {
                    Some(value) => drop(rows.insert(key, value)),
                    None => drop(rows.remove(&key)),
                }
            }
            found.extend(rows.into_iter().take(wanted));
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
                let taken = stretch(changes, at, to).take(count);
                let mut last = None;
                let mut seen = 0usize;
                for (key, value) in taken {
                    found.insert(key.to_vec(), value.as_deref().map(<[u8]>::to_vec));
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
    fn paged(&self, at: &[u8], to: &[u8], count: usize) -> Result<(Found, Vec<u8>), StoreError> {
        for _ in 0..TRIES {
            let freed = self.freed.load(Ordering::Acquire);
            let found = self.paged_once(at, to, count);
            // Where places have become free meanwhile, one may have been another page's by the time it was read.
            if self.freed.load(Ordering::Acquire) == freed {
                return found;
            }
        }
        Err(moving())
    }

    fn paged_once(&self, at: &[u8], to: &[u8], count: usize) -> Result<(Found, Vec<u8>), StoreError> {
        let mut found = Found::new();
        let begin = self.page_before(at)?.map_or_else(|| key::page(at), |found| found.key);
        for pair in self.engine.db.range(begin..key::page(to)) {
            let (page_key, value) = pair.map_err(|cause| failed("scan pages of rows", cause))?;
            let framed = self.framed(&page_key, place(&page_key, &value)?)?;
            for (key, value) in page_rows(&page_key, &framed)? {
                if key.as_slice() < at {
                    continue;
                }
                if key.as_slice() >= to {
                    return Ok((found, to.to_vec()));
                }
                if found.len() == count {
                    return Ok((found, key));
                }
                found.insert(key, value);
            }
        }
        Ok((found, to.to_vec()))
    }
}

fn stretch<'a>(
    changes: &'a Changes,
    at: &[u8],
    to: &[u8],
) -> impl Iterator<Item = (&'a [u8], &'a Option<Box<[u8]>>)> {
    let range = changes.range::<[u8], _>((Bound::Included(at), Bound::Excluded(to)));
    range.map(|(key, value)| (key.as_ref(), value))
}

/// The least key behind one.
fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
