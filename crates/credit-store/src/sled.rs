//! A store on sled 0.34.7, with everything that this engine needs to be believed.
//!
//! The engine is the index; what it points to stands in files of our own.
//!
//! | file | what |
//! |---|---|
//! | `journal.N` | commits that have not settled: a step of the log is one write and one fdatasync |
//! | `blocks` | settled entries, sealed items and tiles, one behind the other |
//! | `pages` | settled rows |
//! | `db` and the engine's others | where blocks, tiles and pages stand; the head; public blobs |
//!
//! The engine's flush alone does not survive a power cut on Linux: our own fdatasync follows. Everything is framed and
//! bounded; the first failed write stops all further ones.

mod blob;
mod blocks;
mod changes;
mod commit;
mod compact;
#[cfg(test)]
mod drawn;
mod engine;
mod file;
mod journal;
mod key;
mod memory;
mod migrate;
mod open;
mod pack;
mod pages;
mod read;
mod row_key;
mod rows;
mod settle;
mod stored;
mod value;
mod wake;

pub use compact::{Compacted, compact};
pub use open::Opened;
pub use value::BLOCK_BYTES_MAX;

use crate::batch::{self, Measured};
use crate::{Batch, BodyBytes, EntryBytes, Row, RowChange, Store, StoreError, TILE_HASHES};
use blocks::Blocks;
use engine::{Engine, failed, panic_text};
use file::DataFile;
use journal::Journal;
use memory::Memory;
use migrate::Migration;
use open::Found;
use pages::PageFile;
use read::Log;
use rows::Rows;
use settle::{Settler, Settling};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most batches that are staged at once; one more makes those before it durable first.
const STAGED_MAX: usize = 64;

/// What can't be done where the store's own threads do not start.
const THREADS: &str = "start the store's own threads";

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The engine's cache in bytes; the process uses up to a few times as much.
    pub cache_bytes: u64,
    /// Whether a missing store is an error ([`StoreError::Missing`]) or is created.
    pub must_exist: bool,
    /// The bytes that must be free on the disk before a write begins.
    pub reserve_bytes: u64,
    /// The bytes of changed rows, or of new blocks, that gather in memory before they settle into files; of each up to
    /// about twice as many are held. More rows meet the same pages, and less is written; reopening reads them again.
    pub rows_bytes: usize,
}

impl Default for Options {
    /// 128 MiB of cache, 1 GiB of reserve, 32 MiB of rows in memory; creates what is missing.
    fn default() -> Self {
        Self { cache_bytes: 128 << 20, must_exist: false, reserve_bytes: 1 << 30, rows_bytes: 32 << 20 }
    }
}

/// A store in a directory of its own. Dropping it closes the engine.
pub struct SledStore {
    /// Dropped first: they hold the engine too.
    _waker: wake::Waker,
    settler: Settler,
    settling: Arc<Settling>,
    memory: Arc<Memory>,
    rows: Arc<Rows>,
    blocks: Arc<Blocks>,
    journal: Arc<Mutex<Journal>>,
    engine: Arc<Engine>,
    opened: Opened,
    heads: Mutex<Heads>,
    /// Held while writing.
    writing: Mutex<()>,
}

/// The size of the log, the root over it, and the count of entries that rows stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    size: u64,
    root: [u8; 32],
    applied: u64,
}

/// The heads of the log.
#[derive(Debug)]
struct Heads {
    /// Of what is durable.
    durable: Head,
    /// What batches led to that are not durable yet, at most [`STAGED_MAX`].
    staged: VecDeque<Head>,
}

impl Heads {
    fn newest(&self) -> Head {
        self.staged.back().copied().unwrap_or(self.durable)
    }
}

impl fmt::Debug for SledStore {
    /// Names the directory; the engine's own form would list every value.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SledStore").field("dir", &self.engine.dir).finish_non_exhaustive()
    }
}

impl SledStore {
    /// Opens the store in `dir`, a directory for nothing else.
    ///
    /// Damaged or half-written snapshots are put out of the way, as [`SledStore::opened`] tells. Damage that
    /// can't be mended is [`StoreError::DataLoss`] or [`StoreError::FileLost`]; a store is never opened empty in
    /// place of one that held something. A loss at the end of the log that leaves a whole, smaller store can
    /// only be noticed by comparing [`Store::head`] with [`crate::high_water::HighWater`].
    pub fn open(dir: &Path, options: &Options) -> Result<Self, StoreError> {
        let open::Files { db, main_file, opened } = open::open(dir, options)?;
        let found = catch_unwind(AssertUnwindSafe(|| open::read_head(&db)))
            .unwrap_or_else(|panic| Err(StoreError::DataLoss { detail: panic_text(&*panic) }))?;
        let waker = wake::Waker::start(db.clone()).map_err(StoreError::io(THREADS))?;
        let engine = Arc::new(Engine::new(db, main_file, dir.to_path_buf(), options.reserve_bytes));
        match &found {
            Found::Earlier { .. } => {
                open::create_files(dir)?;
                engine.write(|| migrate::start_over(&engine))?;
            }
            // Said before there is a patch: a release that knows of none must not take it for damage.
            Found::Present { said: false, settled } => engine.write(|| {
                open::write_settled(&engine.db, *settled)?;
                engine.sync()
            })?,
            Found::Present { said: true, .. } => {}
        }
        let blocks = Blocks::new(DataFile::open(dir, blocks::NAME)?, Arc::clone(&engine));
        let pages = PageFile::new(DataFile::open(dir, pages::NAME)?);
        let head = match &found {
            Found::Present { settled, .. } => settled.head,
            Found::Earlier { head, .. } => *head,
        };
        let memory = Arc::new(Memory::new(options.rows_bytes, head));
        let rows = engine.read(|| Rows::open(Arc::clone(&engine), Arc::clone(&memory), pages))?;
        let settled = match found {
            Found::Present { settled, .. } => settled,
            Found::Earlier { layout, head } => {
                let migration = Migration { engine: &engine, blocks: &blocks, rows: &rows };
                engine.write(|| migration.run(layout, head))?
            }
        };
        let mut head = settled.head;
        let journal = Journal::open(dir, settled.journal_from, |payload| {
            head = replay(&memory, head, payload)?;
            Ok(())
        })?;
        let (blocks, rows, journal) = (Arc::new(blocks), Arc::new(rows), Arc::new(Mutex::new(journal)));
        let settling = Arc::new(Settling {
            engine: Arc::clone(&engine),
            memory: Arc::clone(&memory),
            blocks: Arc::clone(&blocks),
            rows: Arc::clone(&rows),
            journal: Arc::clone(&journal),
            settled: Mutex::new(settled),
        });
        let settler = Settler::start(Arc::clone(&settling)).map_err(StoreError::io(THREADS))?;
        let store = Self {
            _waker: waker,
            settler,
            settling,
            memory,
            rows,
            blocks,
            journal,
            engine,
            opened,
            heads: Mutex::new(Heads { durable: head, staged: VecDeque::new() }),
            writing: Mutex::new(()),
        };
        store.check_ends()?;
        store.engine.check_no_blob_files()?;
        store.settle_many_segments()?;
        Ok(store)
    }

    /// Settles where many short runs have left the journal in many pieces.
    fn settle_many_segments(&self) -> Result<(), StoreError> {
        if self.journal().segments() <= journal::SEGMENTS_MAX {
            return Ok(());
        }
        match self.settling.all() {
            // It can wait for better days.
            Ok(()) | Err(StoreError::NoSpace { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> Log<'_> {
        Log { memory: &self.memory, blocks: &self.blocks }
    }

    /// What opening had to do.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The first and the last entry, and their bodies, must be there if the head says so.
    fn check_ends(&self) -> Result<(), StoreError> {
        let size = self.newest().size;
        let Some(last) = size.checked_sub(1) else { return Ok(()) };
        for index in [0, last] {
            let range = index..index.saturating_add(1);
            if self.entries(range.clone(), 0)?.len() != 1 || self.bodies(range, 0)?.len() != 1 {
                return Err(StoreError::DataLoss { detail: format!("entry {index} of {size} is missing") });
            }
        }
        Ok(())
    }

    fn heads(&self) -> MutexGuard<'_, Heads> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest head, durable or not.
    fn newest(&self) -> Head {
        self.heads().newest()
    }

    /// The writer's turn, unless writing has stopped.
    fn turn(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        let turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.engine.stopped() {
            Some(reason) => Err(StoreError::Stopped { reason: reason.clone() }),
            None => Ok(turn),
        }
    }

    /// Writes a commit to the journal; then its blocks, tiles and rows are seen.
    fn commit(&self, rows: &[RowChange], fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), StoreError> {
        let commit = self.engine.write(|| {
            let mut journal = self.journal();
            commit::read(journal.write(fill)?).map(|(commit, _)| commit).ok_or_else(no_commit)
        })?;
        if self.memory.take_in(commit, rows) {
            // It is in the journal; if this fails, no further one is taken.
            let _ = self.settling.begin();
            self.settler.wake();
        }
        Ok(())
    }

    /// Notes what the rows stand for, of the newest head.
    fn set_applied(&self, applied: u64) {
        let mut heads = self.heads();
        match heads.staged.back_mut() {
            Some(newest) => newest.applied = applied,
            None => heads.durable.applied = applied,
        }
    }

    /// A tile is written once; the same again is fine, another is a caller's mistake.
    fn check_tiles(&self, batch: &Batch) -> Result<(), StoreError> {
        for tile in &batch.tiles {
            if self.tile(tile.level, tile.index)?.is_some_and(|stored| stored != tile.hashes) {
                return Err(StoreError::Shape { what: "a tile differs from the stored one" });
            }
        }
        Ok(())
    }
}

/// Takes a commit of the journal in; gives what is true after it.
fn replay(memory: &Memory, before: Head, payload: &[u8]) -> Result<Head, StoreError> {
    let (commit, rows) = commit::read(payload).ok_or_else(no_commit)?;
    let rows = commit::changes(rows).ok_or_else(no_commit)?;
    let after = commit.after;
    if commit.before != before.size || after.size < before.size {
        let detail = format!("the journal goes on at entry {}, not at {}", commit.before, before.size);
        return Err(StoreError::DataLoss { detail });
    }
    memory.take_in(commit, &rows);
    Ok(after)
}

fn no_commit() -> StoreError {
    StoreError::DataLoss { detail: "a frame of the journal is no commit".to_owned() }
}

fn put(changes: &mut ::sled::Batch, key: Vec<u8>, payload: &[u8]) {
    let value = value::frame(&key, payload);
    changes.insert(key, value);
}

impl Store for SledStore {
    fn head(&self) -> Result<(u64, [u8; 32]), StoreError> {
        let Head { size, root, applied: _ } = self.heads().durable;
        Ok((size, root))
    }

    fn stage(&self, expected: u64, batch: &Batch) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        let before = self.newest();
        if expected != before.size {
            return Err(StoreError::Fenced { expected, actual: before.size });
        }
        let Measured { size, bytes } = batch::check(before.size, batch)?;
        self.check_tiles(batch)?;
        self.engine.require_space(bytes)?;
        self.memory.wait_for_room(&self.engine, &|| self.settler.wake())?;
        if self.heads().staged.len() >= STAGED_MAX {
            self.sync(before.size)?;
        }
        let applied = if batch.rows.is_empty() { before.applied } else { size };
        let after = Head { size, root: batch.root, applied };
        self.commit(&batch.rows, |payload| commit::write(payload, before.size, after, batch))?;
        self.heads().staged.push_back(after);
        Ok(())
    }

    fn sync(&self, size: u64) -> Result<(), StoreError> {
        if let Some(reason) = self.engine.stopped() {
            return Err(StoreError::Stopped { reason: reason.clone() });
        }
        let (written, next) = self.journal().written();
        self.engine.write(|| written.sync())?;
        self.journal().synced(next);
        let mut heads = self.heads();
        while let Some(head) = heads.staged.front().copied().filter(|head| head.size <= size) {
            heads.durable = head;
            heads.staged.pop_front();
        }
        Ok(())
    }

    fn check_space(&self, batch: &Batch) -> Result<(), StoreError> {
        let Measured { size: _, bytes } = batch::check(self.newest().size, batch)?;
        self.engine.require_space(bytes)
    }

    fn entries(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<EntryBytes>, StoreError> {
        self.engine.read(|| self.log().members(read::ENTRIES, self.newest().size, range, bytes_max))
    }

    fn bodies(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<BodyBytes>, StoreError> {
        self.engine.read(|| self.log().members(read::BODIES, self.newest().size, range, bytes_max))
    }

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
        if let Some(hashes) = self.memory.tile(level, index) {
            return Ok(Some(hashes.to_vec()));
        }
        let Some(stored) = self.engine.read(|| self.blocks.tile(level, index))? else { return Ok(None) };
        let (hashes, rest) = stored.bytes().as_chunks::<32>();
        if hashes.len() != TILE_HASHES || !rest.is_empty() {
            return Err(value::corrupt("tile", &key::tile(level, index), "it has not 256 hashes"));
        }
        Ok(Some(hashes.to_vec()))
    }

    fn blob(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.read(|| blob::read(&self.engine.db, digest))
    }

    fn put_blob(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        batch::check_blob(bytes)?;
        let _turn = self.turn()?;
        blob::put(self, digest, bytes)
    }

    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.read(|| self.rows.get(key))
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        batch::check_scan(limit)?;
        self.engine.read(|| self.rows.scan(from, to, limit))
    }

    fn write_rows(&self, applied_to: u64, rows: &[RowChange]) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        batch::check_applied(applied_to, self.applied_to()?, self.newest().size)?;
        let bytes = batch::check_rows(rows)?;
        self.engine.require_space(u64::try_from(bytes).unwrap_or(u64::MAX))?;
        self.memory.wait_for_room(&self.engine, &|| self.settler.wake())?;
        let after = Head { applied: applied_to, ..self.newest() };
        self.commit(rows, |payload| commit::write_rows(payload, after, rows))?;
        self.set_applied(applied_to);
        Ok(())
    }

    fn applied_to(&self) -> Result<u64, StoreError> {
        Ok(self.newest().applied)
    }

    fn clear(&self, prefix: &[u8]) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        // Removing takes space before it frees any.
        self.engine.require_space(0)?;
        self.settling.all()?;
        let mut settled = self.settling.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.head.applied = 0;
        let mut first = ::sled::Batch::default();
        first.insert(key::HEAD, open::settled_value(*settled));
        self.engine.write(|| self.rows.clear(prefix, first))?;
        self.set_applied(0);
        Ok(())
    }

    fn flush_all(&self) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        self.sync(self.newest().size)
    }

    fn close(&self) -> Result<(), StoreError> {
        if self.engine.stopped().is_none() {
            self.flush_all()?;
        }
        self.engine.stop("it was closed".into());
        Ok(())
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        let index = || self.engine.db.size_on_disk().map_err(|cause| failed("measure the store", cause));
        let own =
            [self.engine.read(index)?, self.blocks.bytes()?, self.rows.bytes()?, self.journal().bytes()?];
        Ok(own.into_iter().fold(0, u64::saturating_add))
    }

    fn stopped(&self) -> Option<String> {
        self.engine.stopped().cloned()
    }
}
