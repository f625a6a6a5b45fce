//! A store on sled 0.34.7, with everything that this engine needs to be believed.
//!
//! One keyspace, one engine batch a step, then the engine's flush, then our own fdatasync: the engine's flush
//! alone does not survive a power cut on Linux. Values are packed, framed and bounded; the first failed write
//! stops all further ones.

mod blob;
mod compact;
mod engine;
mod key;
mod open;
mod pack;
mod read;
mod rows;
mod value;
mod wake;

pub use compact::{Compacted, compact};
pub use open::Opened;
pub use value::BLOCK_BYTES_MAX;

use crate::batch::{self, Measured};
use crate::{Batch, BodyBytes, EntryBytes, Row, RowChange, Store, StoreError, TILE_HASHES};
use engine::{Engine, failed, panic_text};
use rows::{Rows, Settler};
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// The bytes of changed rows that gather in memory before they settle into pages; up to about twice as many are
    /// held. More of them meet the same pages, and less is written; reopening reads them again.
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
    rows: Arc<Rows>,
    engine: Arc<Engine>,
    opened: Opened,
    /// The durable head: what readers may see.
    head: Mutex<Head>,
    /// Held while writing.
    writing: Mutex<()>,
}

/// The size of the log and the root over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    size: u64,
    root: [u8; 32],
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
        let rows = engine.read(|| Rows::open(Arc::clone(&engine), options.rows_bytes))?;
        let rows = Arc::new(rows);
        if found.layout != open::LAYOUT {
            engine.write(|| {
                rows.adopt()?;
                open::write_head(&engine.db, found.head)?;
                engine.sync()
            })?;
        }
        let settler = Settler::start(Arc::clone(&rows)).map_err(StoreError::io(THREADS))?;
        let store = Self {
            _waker: waker,
            settler,
            rows,
            engine,
            opened,
            head: Mutex::new(found.head),
            writing: Mutex::new(()),
        };
        store.check_ends()?;
        store.engine.check_no_blob_files()?;
        Ok(store)
    }

    /// What opening had to do.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The first and the last entry, and their bodies, must be there if the head says so.
    fn check_ends(&self) -> Result<(), StoreError> {
        let size = self.current().size;
        let Some(last) = size.checked_sub(1) else { return Ok(()) };
        for index in [0, last] {
            let range = index..index.saturating_add(1);
            if self.entries(range.clone(), 0)?.len() != 1 || self.bodies(range, 0)?.len() != 1 {
                return Err(StoreError::DataLoss { detail: format!("entry {index} of {size} is missing") });
            }
        }
        Ok(())
    }

    fn current(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer's turn, unless writing has stopped.
    fn turn(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        let turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.engine.stopped() {
            Some(reason) => Err(StoreError::Stopped { reason: reason.clone() }),
            None => Ok(turn),
        }
    }

    /// Rows that the journal has are seen from here on.
    fn take_in(&self, rows: &[RowChange]) {
        if self.rows.take_in(rows) {
            self.settler.wake();
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

/// The log's part of a batch, as one change of the engine.
fn changes(before: Head, after: Head, batch: &Batch) -> ::sled::Batch {
    let mut changes = ::sled::Batch::default();
    put_blocks(&mut changes, key::ENTRIES, before.size, &batch.entries);
    put_blocks(&mut changes, key::BODIES, before.size, &batch.bodies);
    for tile in &batch.tiles {
        put(&mut changes, key::tile(tile.level, tile.index), tile.hashes.as_flattened());
    }
    if !batch.rows.is_empty() {
        put(&mut changes, key::APPLIED.to_vec(), &after.size.to_be_bytes());
    }
    changes.insert(key::HEAD, open::head_value(after));
    changes
}

fn put_blocks<T: pack::Packed>(changes: &mut ::sled::Batch, table: u8, first: u64, members: &[T]) {
    for block in pack::blocks(first, members) {
        for (piece, payload) in (0..).zip(&block.pieces) {
            put(changes, key::block(table, block.first, piece), payload);
        }
    }
}

fn put(changes: &mut ::sled::Batch, key: Vec<u8>, payload: &[u8]) {
    let value = value::frame(&key, payload);
    changes.insert(key, value);
}

impl Store for SledStore {
    fn head(&self) -> Result<(u64, [u8; 32]), StoreError> {
        let Head { size, root } = self.current();
        Ok((size, root))
    }

    fn append(&self, expected: u64, batch: &Batch) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        let before = self.current();
        if expected != before.size {
            return Err(StoreError::Fenced { expected, actual: before.size });
        }
        let Measured { size, bytes } = batch::check(before.size, batch)?;
        self.check_tiles(batch)?;
        self.engine.require_space(bytes)?;
        self.rows.wait_for_room(&|| self.settler.wake())?;
        let after = Head { size, root: batch.root };
        self.engine.write(|| {
            let mut changes = changes(before, after, batch);
            self.rows.journal(&mut changes, &batch.rows);
            self.engine.apply(changes)?;
            self.engine.sync()
        })?;
        self.take_in(&batch.rows);
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = after;
        Ok(())
    }

    fn check_space(&self, batch: &Batch) -> Result<(), StoreError> {
        let Measured { size: _, bytes } = batch::check(self.current().size, batch)?;
        self.engine.require_space(bytes)
    }

    fn entries(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<EntryBytes>, StoreError> {
        self.engine
            .read(|| read::members(&self.engine.db, read::ENTRIES, self.current().size, range, bytes_max))
    }

    fn bodies(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<BodyBytes>, StoreError> {
        self.engine
            .read(|| read::members(&self.engine.db, read::BODIES, self.current().size, range, bytes_max))
    }

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
        let key = key::tile(level, index);
        let Some(payload) = self.engine.read(|| read::payload(&self.engine.db, "tile", &key))? else {
            return Ok(None);
        };
        let (hashes, rest) = payload.as_chunks::<32>();
        if hashes.len() != TILE_HASHES || !rest.is_empty() {
            return Err(value::corrupt("tile", &key, "it has not 256 hashes"));
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
        batch::check_applied(applied_to, self.applied_to()?, self.current().size)?;
        let bytes = batch::check_rows(rows)?;
        self.engine.require_space(u64::try_from(bytes).unwrap_or(u64::MAX))?;
        self.rows.wait_for_room(&|| self.settler.wake())?;
        let mut changes = ::sled::Batch::default();
        self.rows.journal(&mut changes, rows);
        put(&mut changes, key::APPLIED.to_vec(), &applied_to.to_be_bytes());
        self.engine.write(|| self.engine.apply(changes))?;
        self.take_in(rows);
        Ok(())
    }

    fn applied_to(&self) -> Result<u64, StoreError> {
        let payload = self.engine.read(|| read::payload(&self.engine.db, "row count", key::APPLIED))?;
        let Some(payload) = payload else { return Ok(0) };
        match payload.try_into() {
            Ok(count) => Ok(u64::from_be_bytes(count)),
            Err(_) => Err(value::corrupt("row count", key::APPLIED, "it has another length")),
        }
    }

    fn clear(&self, prefix: &[u8]) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        // Removing takes log space before it frees any.
        self.engine.require_space(0)?;
        let mut first = ::sled::Batch::default();
        put(&mut first, key::APPLIED.to_vec(), &0_u64.to_be_bytes());
        self.rows.settle_all()?;
        self.engine.write(|| self.rows.clear(prefix, first))
    }

    fn flush_all(&self) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        self.engine.write(|| self.engine.sync())
    }

    fn close(&self) -> Result<(), StoreError> {
        if self.engine.stopped().is_none() {
            self.flush_all()?;
        }
        self.engine.stop("it was closed".into());
        Ok(())
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.engine.read(|| self.engine.db.size_on_disk().map_err(|cause| failed("measure the store", cause)))
    }

    fn stopped(&self) -> Option<String> {
        self.engine.stopped().cloned()
    }
}
