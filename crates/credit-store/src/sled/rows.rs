//! Rows without a write each. A commit writes all changes of its rows as one value behind the other, a journal, and
//! keeps them in memory; once there are enough of them they settle: sorted and merged, into pages of neighbouring rows.
//! A page that many changes meet is written once.
//!
//! | where a row is | it is there |
//! |---|---|
//! | fresh, in memory and in the journal | from its commit on |
//! | settling, in memory and in the journal | while the settler writes pages |
//! | in a page | for good |
//!
//! Readers look in this order, so a row that moves on is seen at one place or the next. After a crash the journal gives
//! the memory back; changes that had reached their pages already are the same changes once more.

mod bounds;
mod journal;
mod page;
mod scan;
mod settle;

pub(super) use settle::Settler;

use bounds::{Bounds, Stretch};

use super::engine::{Engine, failed};
use super::key;
use super::value::{self, corrupt, frame, unframe};
use crate::{Row, RowChange, StoreError};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// What a row in memory takes beside its key and its value, about.
const ROW_OVERHEAD_BYTES: usize = 96;
/// How long a writer that found no room sleeps at most before it looks again.
const ROOM_WAIT: Duration = Duration::from_millis(100);

/// Changes by key; `None`: the row is gone.
type Changes = BTreeMap<Box<[u8]>, Option<Box<[u8]>>>;

/// The rows of a store.
pub(super) struct Rows {
    engine: Arc<Engine>,
    /// So many bytes of fresh rows begin to settle; as many again may gather meanwhile.
    memory_bytes: usize,
    memory: RwLock<Memory>,
    /// The page of each table that was looked into last: who asks for a row often asks for its neighbours next.
    last: Mutex<BTreeMap<u8, Arc<Page>>>,
    /// The ends of pages that have been found out.
    bounds: Bounds,
    /// Counts the beginnings and the ends of changes of pages: odd while one is under way. What was read at one even
    /// count is still so while it is the same.
    changes: AtomicU64,
    /// Held by whoever writes pages.
    settling: Mutex<()>,
    /// Whom to tell that there is room again.
    room: (Mutex<()>, Condvar),
}

/// A page as it was read.
struct Page {
    /// Rows from here on belong to it.
    lower: Vec<u8>,
    /// Up to here.
    upper: Vec<u8>,
    /// What [`Rows::changes`] said before it was read.
    as_of: u64,
    /// With its frame, which has been checked.
    framed: ::sled::IVec,
}

impl Page {
    fn has(&self, key: &[u8], as_of: u64) -> bool {
        self.as_of == as_of && self.lower.as_slice() <= key && key < self.upper.as_slice()
    }
}

/// The rows that are not in pages yet.
#[derive(Default)]
struct Memory {
    fresh: Changes,
    fresh_bytes: usize,
    /// The number that the journal's next write gets.
    next: u64,
    settling: Option<Arc<Settling>>,
}

/// Rows on their way into pages.
struct Settling {
    changes: Changes,
    /// The journal's writes below this number hold no others.
    below: u64,
}

/// What memory knows of a row.
enum InMemory {
    /// Nothing: its page knows.
    No,
    /// That it has been removed.
    Gone,
    /// Its value.
    There(Vec<u8>),
}

impl Memory {
    /// A row that is not in its page yet.
    fn find(&self, key: &[u8]) -> InMemory {
        let found = self.fresh.get(key).or_else(|| self.settling.as_ref()?.changes.get(key));
        match found.map(Option::as_deref) {
            None => InMemory::No,
            Some(None) => InMemory::Gone,
            Some(Some(value)) => InMemory::There(value.to_vec()),
        }
    }

    fn take_in(&mut self, changes: &[RowChange]) {
        for change in changes {
            let (key, value) = match change {
                RowChange::Put { key, value } => (key.as_slice(), Some(value.as_slice())),
                RowChange::Delete { key } => (key.as_slice(), None),
            };
            let length = value.map_or(0, <[u8]>::len);
            let before = if let Some(there) = self.fresh.get_mut(key) {
                let before = there.as_ref().map_or(0, |value| value.len());
                *there = value.map(Into::into);
                before
            } else {
                self.fresh_bytes =
                    self.fresh_bytes.saturating_add(key.len()).saturating_add(ROW_OVERHEAD_BYTES);
                self.fresh.insert(key.into(), value.map(Into::into));
                0
            };
            self.fresh_bytes = self.fresh_bytes.saturating_add(length).saturating_sub(before);
        }
    }

    /// Begins to settle what is fresh, unless something settles already.
    fn begin_to_settle(&mut self) -> bool {
        if self.settling.is_some() || self.fresh.is_empty() {
            return false;
        }
        let changes = std::mem::take(&mut self.fresh);
        self.fresh_bytes = 0;
        self.settling = Some(Arc::new(Settling { changes, below: self.next }));
        true
    }
}

impl Rows {
    /// The rows of an open engine, with those of its journal in memory.
    pub(super) fn open(engine: Arc<Engine>, memory_bytes: usize) -> Result<Self, StoreError> {
        let mut memory = Memory::default();
        for pair in engine.db.scan_prefix([key::JOURNAL]) {
            let (key, value) = pair.map_err(|cause| failed("read the journal of rows", cause))?;
            let number =
                key::block_first(&key).ok_or_else(|| corrupt("journal of rows", &key, "its key is short"))?;
            let changes = journal::changes(unframe("journal of rows", &key, &value)?);
            let changes =
                changes.ok_or_else(|| corrupt("journal of rows", &key, "it is no list of changes"))?;
            memory.take_in(&changes);
            memory.next = number.saturating_add(1);
        }
        Ok(Self {
            engine,
            memory_bytes,
            memory: RwLock::new(memory),
            last: Mutex::default(),
            bounds: Bounds::default(),
            changes: AtomicU64::new(0),
            settling: Mutex::new(()),
            room: (Mutex::new(()), Condvar::new()),
        })
    }

    fn memory<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.memory.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        act(&mut self.memory.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until memory has room for another write: while rows settle and as many again wait, there is none. Only
    /// the writer calls it, before it writes anything.
    pub(super) fn wait_for_room(&self, wake: &dyn Fn()) -> Result<(), StoreError> {
        loop {
            let full = |memory: &Memory| memory.fresh_bytes >= self.memory_bytes && memory.settling.is_some();
            if !self.memory(full) {
                return Ok(());
            }
            if let Some(reason) = self.engine.stopped() {
                return Err(StoreError::Stopped { reason: reason.clone() });
            }
            // The settler waits where the disk is nearly full, and so would we.
            self.engine.require_space(0)?;
            wake();
            let (lock, told) = &self.room;
            let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            drop(told.wait_timeout(guard, ROOM_WAIT));
        }
    }

    /// Adds the journal's part to a write. Only the writer calls it.
    pub(super) fn journal(&self, batch: &mut ::sled::Batch, changes: &[RowChange]) {
        let number = self.memory(|memory| memory.next);
        for (piece, payload) in (0..).zip(&journal::pieces(changes)) {
            super::put(batch, key::block(key::JOURNAL, number, piece), payload);
        }
    }

    /// Takes the rows of a write in, once the journal has them; says whether enough of them wait to settle.
    pub(super) fn take_in(&self, changes: &[RowChange]) -> bool {
        if changes.is_empty() {
            return false;
        }
        self.change(|memory| {
            memory.next = memory.next.saturating_add(1);
            memory.take_in(changes);
            memory.fresh_bytes >= self.memory_bytes && memory.begin_to_settle()
        })
    }

    /// The value of a row.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.memory(|memory| memory.find(key)) {
            InMemory::There(value) => return Ok(Some(value)),
            InMemory::Gone => return Ok(None),
            InMemory::No => {}
        }
        let Some(page) = self.page_for(key)? else { return Ok(None) };
        page::find(value::unframed(&page.framed), key).map_err(|()| no_page(&key::page(&page.lower)))
    }

    /// The page that has the row, if it is there: the one looked into last, or from the engine.
    fn page_for(&self, key: &[u8]) -> Result<Option<Arc<Page>>, StoreError> {
        let Some(table) = key.first() else { return Ok(None) };
        // Memory has been looked into before: what has left it meanwhile has changed this count before that.
        let as_of = self.changes.load(Ordering::Acquire);
        let still = || as_of.is_multiple_of(2) && self.changes.load(Ordering::Acquire) == as_of;
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned();
        if let Some(page) = last.filter(|page| page.has(key, as_of) && still()) {
            return Ok(Some(page));
        }
        let page = match self.known_page(key, as_of)? {
            Some(page) if still() => page,
            Some(_) | None => {
                let Some((page_key, framed)) = self.page_before(key)? else { return Ok(None) };
                unframe("page of rows", &page_key, &framed)?;
                let lower = page_key.get(1..).unwrap_or_default().to_vec();
                let upper = self.upper_of(&lower)?;
                self.bounds.note(&lower, &upper, still);
                Page { lower, upper, as_of, framed }
            }
        };
        let page = Arc::new(page);
        if still() {
            self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(*table, Arc::clone(&page));
        }
        Ok(Some(page))
    }

    /// The page that the row belongs to, if its ends are known. It may have been cut between the two looks, so that it
    /// counts only if no page has changed meanwhile.
    fn known_page(&self, key: &[u8], as_of: u64) -> Result<Option<Page>, StoreError> {
        let Some((lower, upper)) = self.bounds.find(key) else { return Ok(None) };
        let page_key = key::page(&lower);
        let found = self.engine.db.get(&page_key).map_err(|cause| failed("read a page of rows", cause))?;
        let Some(framed) = found else { return Ok(None) };
        unframe("page of rows", &page_key, &framed)?;
        Ok(Some(Page { lower, upper, as_of, framed }))
    }

    /// Changes pages, as the stretches say, so that nobody takes one from before for one from after.
    fn change_pages(
        &self,
        stretches: Vec<Stretch>,
        act: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.changes.fetch_add(1, Ordering::AcqRel);
        let done = act();
        self.bounds.replace(stretches, || {
            self.changes.fetch_add(1, Ordering::AcqRel);
        });
        done
    }

    /// The page that has the row, if it is there: that of the same table with the greatest lower end not above the key.
    fn page_before(&self, key: &[u8]) -> Result<Option<(::sled::IVec, ::sled::IVec)>, StoreError> {
        let Some(table) = key.get(..1) else { return Ok(None) };
        let found = self.engine.db.range(key::page(table)..=key::page(key)).next_back();
        found.transpose().map_err(|cause| failed("look for a page of rows", cause))
    }
}

/// The error for a page that is not what was written.
fn no_page(key: &[u8]) -> StoreError {
    corrupt("page of rows", key, "it is no list of rows")
}

/// The rows of a page as it is stored.
fn page_rows(key: &[u8], value: &[u8]) -> Result<Vec<Row>, StoreError> {
    page::rows(unframe("page of rows", key, value)?).map_err(|()| no_page(key))
}

/// A page as it is stored.
fn framed(lower: &[u8], page: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let key = key::page(lower);
    let value = frame(&key, page);
    (key, value)
}

#[cfg(test)]
mod tests;
