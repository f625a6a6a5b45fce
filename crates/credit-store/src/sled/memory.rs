//! What was committed and has not settled yet: rows, blocks and tiles of the commits in the journal.
//!
//! | where something is | it is there |
//! |---|---|
//! | fresh, in memory and in the journal | from its commit on |
//! | settling, in memory and in the journal | while the settler writes it into the store's files |
//! | in a file | for good |
//!
//! Readers look in this order, so what moves on is seen at one place or the next. After a crash the journal gives the
//! memory back; what had reached the files already is the same once more.

use super::Head;
use super::changes::{Change, Changes, keyed};
use super::commit::{Commit, Hashes, Named, TileName};
use super::engine::Engine;
use crate::{RowChange, StoreError};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// What a row in memory takes beside its key and its value, about.
pub(super) const ROW_OVERHEAD_BYTES: usize = 96;
/// How long a writer that found no room sleeps at most before it looks again.
const ROOM_WAIT: Duration = Duration::from_millis(100);

/// Commits that are in the journal and in no file yet.
pub(super) struct Memory {
    /// So many bytes of rows, or of blocks and tiles, begin to settle; as many again may gather meanwhile.
    limit: usize,
    held: RwLock<Held>,
    /// Whom to tell that there is room again.
    room: (Mutex<()>, Condvar),
}

struct Held {
    fresh: Recent,
    settling: Option<Arc<Recent>>,
}

/// Commits that follow one another.
pub(super) struct Recent {
    pub(super) rows: Changes,
    rows_bytes: usize,
    pub(super) blocks: BTreeMap<(u8, u64), RecentBlock>,
    pub(super) tiles: BTreeMap<TileName, Hashes>,
    log_bytes: usize,
    /// What is true after the last of them.
    pub(super) head: Head,
    /// The journal's frames below this number hold no others.
    pub(super) journal_below: u64,
}

/// A block in memory.
#[derive(Clone)]
pub(super) struct RecentBlock {
    pub(super) count: u16,
    range: Range<usize>,
    of: Arc<[u8]>,
}

impl RecentBlock {
    pub(super) fn bytes(&self) -> &[u8] {
        self.of.get(self.range.clone()).unwrap_or_default()
    }
}

/// What memory knows of a row.
pub(super) enum InMemory {
    /// Nothing: its page knows.
    No,
    /// That it has been removed.
    Gone,
    /// Its value.
    There(Vec<u8>),
}

impl Recent {
    fn after(head: Head) -> Self {
        Self {
            rows: Changes::default(),
            rows_bytes: 0,
            blocks: BTreeMap::new(),
            tiles: BTreeMap::new(),
            log_bytes: 0,
            head,
            journal_below: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.blocks.is_empty() && self.tiles.is_empty()
    }

    fn is_full(&self, limit: usize) -> bool {
        self.rows_bytes >= limit || self.log_bytes >= limit
    }

    fn take_in(&mut self, commit: Commit, rows: Vec<Change>) {
        let Commit { before: _, after, blocks, tiles, bytes } = commit;
        self.head = after;
        self.log_bytes = self.log_bytes.saturating_add(bytes.len());
        for Named { table, first, count, range } in blocks {
            self.blocks.insert((table, first), RecentBlock { count, range, of: Arc::clone(&bytes) });
        }
        for (name, hashes) in tiles {
            self.log_bytes = self.log_bytes.saturating_add(hashes.as_flattened().len());
            self.tiles.insert(name, hashes);
        }
        for (key, value) in rows {
            let key_bytes = key.len();
            let bytes = value.as_deref().map_or(0, <[u8]>::len);
            self.rows_bytes = self.rows_bytes.saturating_add(bytes);
            if let Some(before) = self.rows.insert((key, value)) {
                self.rows_bytes = self.rows_bytes.saturating_sub(before);
            } else {
                let row = key_bytes.saturating_add(ROW_OVERHEAD_BYTES);
                self.rows_bytes = self.rows_bytes.saturating_add(row);
            }
        }
    }

    fn block(&self, table: u8, index: u64) -> Option<(u64, RecentBlock)> {
        let ((_, first), block) = self.blocks.range((table, 0)..=(table, index)).next_back()?;
        (index.checked_sub(*first)? < u64::from(block.count)).then(|| (*first, block.clone()))
    }
}

impl Memory {
    /// Nothing, after a head.
    pub(super) fn new(limit: usize, head: Head) -> Self {
        let held = RwLock::new(Held { fresh: Recent::after(head), settling: None });
        Self { limit, held, room: (Mutex::new(()), Condvar::new()) }
    }

    /// The bytes of rows, or of blocks and tiles, that begin to settle.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    fn look<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, act: impl FnOnce(&mut Held) -> T) -> T {
        act(&mut self.held.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a commit in that the journal has; says whether it is time to settle.
    pub(super) fn take_in(&self, commit: Commit, rows: &[RowChange]) -> bool {
        // What can be done before anybody has to wait is done before.
        let rows = rows.iter().map(keyed).collect();
        self.change(|held| {
            held.fresh.take_in(commit, rows);
            held.settling.is_none() && held.fresh.is_full(self.limit)
        })
    }

    /// Lets what is fresh begin to settle, unless something settles or nothing is fresh; the journal's frames below a
    /// number hold no others.
    pub(super) fn begin_to_settle(&self, journal_below: u64) {
        self.change(|held| {
            if held.settling.is_none() && !held.fresh.is_empty() {
                let after = Recent::after(held.fresh.head);
                let mut recent = std::mem::replace(&mut held.fresh, after);
                recent.journal_below = journal_below;
                held.settling = Some(Arc::new(recent));
            }
        });
    }

    /// What is to settle.
    pub(super) fn settling(&self) -> Option<Arc<Recent>> {
        self.look(|held| held.settling.clone())
    }

    /// What settled is in the files.
    pub(super) fn settled(&self) {
        let gone = self.change(|held| held.settling.take());
        self.room.1.notify_all();
        // It takes a while, and nobody has to wait for it.
        drop(gone);
    }

    /// Waits until there is room for another commit: while something settles and as much again waits, there is none. Only
    /// the writer calls it, before it writes anything.
    pub(super) fn wait_for_room(&self, engine: &Engine, wake: &dyn Fn()) -> Result<(), StoreError> {
        loop {
            if !self.look(|held| held.settling.is_some() && held.fresh.is_full(self.limit)) {
                return Ok(());
            }
            if let Some(reason) = engine.stopped() {
                return Err(StoreError::Stopped { reason: reason.clone() });
            }
            // The settler waits where the disk is nearly full, and so would we.
            engine.require_space(0)?;
            wake();
            let (lock, told) = &self.room;
            let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            drop(told.wait_timeout(guard, ROOM_WAIT));
        }
    }

    /// A row that is not in its page yet.
    pub(super) fn row(&self, key: &[u8]) -> InMemory {
        self.look(|held| {
            let found = held.fresh.rows.get(key).or_else(|| held.settling.as_ref()?.rows.get(key));
            match found.map(Option::as_deref) {
                None => InMemory::No,
                Some(None) => InMemory::Gone,
                Some(Some(value)) => InMemory::There(value.to_vec()),
            }
        })
    }

    /// Looks at the rows that are not in pages yet, the older ones first.
    pub(super) fn rows<T>(&self, look: impl FnOnce(&mut dyn Iterator<Item = &Changes>) -> T) -> T {
        self.look(|held| {
            let settling = held.settling.as_ref().map(|settling| &settling.rows);
            look(&mut settling.into_iter().chain([&held.fresh.rows]))
        })
    }

    /// The block that holds an entry, with its first index, if it is in no file yet.
    pub(super) fn block(&self, table: u8, index: u64) -> Option<(u64, RecentBlock)> {
        self.look(|held| {
            held.fresh.block(table, index).or_else(|| held.settling.as_ref()?.block(table, index))
        })
    }

    /// A tile that is in no file yet.
    pub(super) fn tile(&self, level: u8, index: u64) -> Option<Hashes> {
        let name = (level, index);
        self.look(|held| {
            held.fresh.tiles.get(&name).or_else(|| held.settling.as_ref()?.tiles.get(&name)).cloned()
        })
    }

    /// The bytes of rows that are fresh.
    #[cfg(test)]
    pub(super) fn fresh_rows_bytes(&self) -> usize {
        self.look(|held| held.fresh.rows_bytes)
    }
}
