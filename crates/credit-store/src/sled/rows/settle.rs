//! Rows go from memory into pages.

use super::super::engine::failed;
use super::super::key;
use super::super::value::unframe;
use super::bounds::Stretch;
use super::{Changes, Rows, framed, page, page_rows};
use crate::{Row, StoreError, prefix_end};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, mpsc};
use std::thread::JoinHandle;

/// The bytes of pages that are written in one step: while the engine takes a step in, nobody else can write or read.
const STEP_BYTES: usize = 512 << 10;
/// The keys that are removed in one step.
const STEP_KEYS: usize = 1_024;

/// The thread that settles rows; it ends when this is dropped.
pub(in super::super) struct Settler {
    wake: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Settler {
    /// Starts settling whenever woken.
    pub(in super::super) fn start(rows: Arc<Rows>) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let settle = move || {
            while woken.recv().is_ok() {
                // A failure stops the store, and whoever writes next hears why; no space is asked for again.
                let _ = rows.settle();
            }
        };
        let thread = std::thread::Builder::new().name("store-settler".to_owned()).spawn(settle)?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    /// Says that rows wait to settle.
    pub(in super::super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // One that is to look already will see these rows too.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell, and a panic in it has been printed.
            let _ = thread.join();
        }
    }
}

/// A page taken apart, with its ends.
struct Opened {
    lower: Vec<u8>,
    upper: Vec<u8>,
    rows: Vec<Row>,
}

/// Page writes that are gathered into steps.
struct Steps<'a> {
    rows: &'a Rows,
    /// The pages that the step writes.
    stretches: Vec<Stretch>,
    batch: ::sled::Batch,
    bytes: usize,
}

impl Steps<'_> {
    fn apply(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        let (batch, stretches) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.stretches));
        self.rows.change_pages(stretches, || self.rows.engine.apply(batch))
    }
}

impl Rows {
    /// Settles everything.
    pub(in super::super) fn settle_all(&self) -> Result<(), StoreError> {
        self.settle()?;
        self.change(super::Memory::begin_to_settle);
        self.settle()
    }

    /// Settles what has begun to: pages first, durably, then its part of the journal goes.
    pub(in super::super) fn settle(&self) -> Result<(), StoreError> {
        let _one = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(settling) = self.memory(|memory| memory.settling.clone()) else { return Ok(()) };
        self.engine.require_space(u64::try_from(self.memory_bytes).unwrap_or(u64::MAX))?;
        let whole = self.engine.write(|| {
            let whole = self.to_pages(&settling.changes)?;
            if whole {
                self.engine.sync()?;
                let first = key::block(key::JOURNAL, 0, 0);
                self.remove(first, key::block(key::JOURNAL, settling.below, 0))?;
            }
            Ok(whole)
        })?;
        if whole {
            self.change(|memory| memory.settling = None);
            self.room.1.notify_all();
        }
        Ok(())
    }

    /// Merges changes into their pages. `false`: the store was closed meanwhile, and the journal still has them all.
    pub(super) fn to_pages(&self, changes: &Changes) -> Result<bool, StoreError> {
        let mut steps =
            Steps { rows: self, stretches: Vec::new(), batch: ::sled::Batch::default(), bytes: 0 };
        let mut from: Option<&[u8]> = changes.keys().next().map(AsRef::as_ref);
        while let Some(first) = from {
            if self.engine.stopped().is_some() {
                return Ok(false);
            }
            let Opened { lower, upper, rows } = self.page_of(first)?;
            let range = changes.range::<[u8], _>((Bound::Included(first), Bound::Unbounded));
            let mut taken = 0usize;
            let mut cut = None;
            let mine =
                range.map(|(key, value)| (key.as_ref(), value.as_deref())).take_while(|(key, value)| {
                    let inside = *key < upper.as_slice() && taken < STEP_BYTES;
                    if inside {
                        taken = taken.saturating_add(key.len()).saturating_add(value.map_or(0, <[u8]>::len));
                    } else {
                        cut = Some(*key);
                    }
                    inside
                });
            let merged = merged(rows, mine);
            let (bytes, pages) = write_pages(&mut steps.batch, &lower, &merged);
            steps.bytes = steps.bytes.saturating_add(bytes);
            from = cut;
            steps.stretches.push(Stretch { lower, upper: upper.clone(), pages });
            // What is left for the same page is merged with what this step has made of it.
            if steps.bytes >= STEP_BYTES || cut.is_some_and(|key| key < upper.as_slice()) {
                steps.apply()?;
            }
        }
        steps.apply()?;
        Ok(true)
    }

    /// The page for a row.
    fn page_of(&self, row: &[u8]) -> Result<Opened, StoreError> {
        let table = row.get(..1).unwrap_or_default();
        let (lower, rows) = match self.page_before(row)? {
            None => (table.to_vec(), Vec::new()),
            Some((key, value)) => (key.get(1..).unwrap_or_default().to_vec(), page_rows(&key, &value)?),
        };
        Ok(Opened { upper: self.upper_of(&lower)?, lower, rows })
    }

    /// The upper end of the page with this lower end: the next one's lower end, or the end of the table.
    pub(super) fn upper_of(&self, lower: &[u8]) -> Result<Vec<u8>, StoreError> {
        let end = prefix_end(lower.get(..1).unwrap_or_default());
        let behind = (Bound::Excluded(key::page(lower)), Bound::Excluded(key::page(&end)));
        let next = self.engine.db.range(behind).next();
        let next = next.transpose().map_err(|cause| failed("look for the next page of rows", cause))?;
        Ok(next.map_or(end, |(key, _)| key.get(1..).unwrap_or_default().to_vec()))
    }

    /// Removes the rows that begin with a prefix, all of which have settled; `first` goes before the first of them. A
    /// page of which every row goes is not looked into: one that is corrupt can still be removed.
    pub(in super::super) fn clear(&self, prefix: &[u8], first: ::sled::Batch) -> Result<(), StoreError> {
        let _one = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.apply(first)?;
        let everything = Stretch { lower: Vec::new(), upper: prefix_end(&[]), pages: Vec::new() };
        self.change_pages(vec![everything], || self.clear_pages(prefix))?;
        self.engine.sync()
    }

    fn clear_pages(&self, prefix: &[u8]) -> Result<(), StoreError> {
        let end = prefix_end(prefix);
        let inside = |key: &[u8]| key >= prefix && key < end.as_slice();
        let begin = self.page_before(prefix)?;
        if let Some((lower, upper)) = begin.map(|(key, _)| self.ends(&key)).transpose()?
            && !inside(&lower)
            && upper.as_slice() > prefix
        {
            self.filter(&lower, inside)?;
        }
        // From here on every page begins inside; only the last may reach out of it.
        let last = self.engine.db.range(key::page(prefix)..key::page(&end)).next_back();
        let last = last.transpose().map_err(|cause| failed("look for the last page of rows", cause))?;
        if let Some((lower, upper)) = last.map(|(key, _)| self.ends(&key)).transpose()?
            && upper > end
        {
            self.filter(&lower, inside)?;
            return self.remove(key::page(prefix), key::page(&lower));
        }
        self.remove(key::page(prefix), key::page(&end))
    }

    fn ends(&self, page_key: &[u8]) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        let lower = page_key.get(1..).unwrap_or_default();
        Ok((lower.to_vec(), self.upper_of(lower)?))
    }

    /// Takes rows out of a page.
    fn filter(&self, lower: &[u8], out: impl Fn(&[u8]) -> bool) -> Result<(), StoreError> {
        let mut rows = self.page_of(lower)?.rows;
        rows.retain(|(key, _)| !out(key));
        let mut batch = ::sled::Batch::default();
        write_pages(&mut batch, lower, &rows);
        self.engine.apply(batch)
    }

    /// Removes what is stored in a range of keys, step by step, without a look at it.
    fn remove(&self, from: Vec<u8>, to: Vec<u8>) -> Result<(), StoreError> {
        loop {
            let keys = self.engine.db.range(from.as_slice()..to.as_slice()).keys().take(STEP_KEYS);
            let mut batch = ::sled::Batch::default();
            let mut count = 0usize;
            for key in keys {
                batch.remove(key.map_err(|cause| failed("look for what to remove", cause))?);
                count = count.saturating_add(1);
            }
            self.engine.apply(batch)?;
            if count < STEP_KEYS {
                return Ok(());
            }
        }
    }

    /// Moves the rows of a store of the first layout, one value each, into pages. Cut off, it begins again.
    pub(in super::super) fn adopt(&self) -> Result<(), StoreError> {
        let (begin, end) = (vec![key::ROWS_APART], vec![key::ROWS_APART.saturating_add(1)]);
        let mut changes = Changes::new();
        let mut bytes = 0usize;
        for pair in self.engine.db.range(begin.clone()..end.clone()) {
            let (stored, value) = pair.map_err(|cause| failed("read a row of the first layout", cause))?;
            let value = unframe("row", &stored, &value)?;
            bytes = bytes.saturating_add(stored.len()).saturating_add(value.len());
            changes.insert(stored.get(1..).unwrap_or_default().into(), Some(value.into()));
            if bytes >= self.memory_bytes {
                self.to_pages(&std::mem::take(&mut changes))?;
                bytes = 0;
            }
        }
        self.to_pages(&changes)?;
        self.engine.sync()?;
        self.remove(begin, end)?;
        self.engine.sync()
    }
}

/// Rows with changes, both ascending.
fn merged<'a>(rows: Vec<Row>, changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter().peekable();
    for (key, value) in changes {
        while let Some(row) = rows.next_if(|(before, _)| before.as_slice() < key) {
            merged.push(row);
        }
        let _replaced = rows.next_if(|(same, _)| same == key);
        merged.extend(value.map(|value| (key.to_vec(), value.to_vec())));
    }
    merged.extend(rows);
    merged
}

/// Writes rows as the pages from a lower end on; gives their bytes and their lower ends.
fn write_pages(batch: &mut ::sled::Batch, lower: &[u8], rows: &[Row]) -> (usize, Vec<Vec<u8>>) {
    if rows.is_empty() {
        batch.remove(key::page(lower));
        return (0, Vec::new());
    }
    let (mut bytes, mut lowers) = (0usize, Vec::new());
    for (number, (first, page)) in page::pages(rows).iter().enumerate() {
        // The first keeps its lower end: rows before its first one still belong to it.
        let lower = if number == 0 { lower } else { first };
        let (key, value) = framed(lower, page);
        lowers.push(lower.to_vec());
        bytes = bytes.saturating_add(value.len());
        batch.insert(key, value);
    }
    (bytes, lowers)
}
