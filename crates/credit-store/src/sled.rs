//! A store on sled 0.34.7, with everything that this engine needs to be believed.
//!
//! One keyspace, one engine batch a step, then the engine's flush, then our own fdatasync: the engine's flush
//! alone does not survive a power cut on Linux. Values are packed, framed and bounded; the first failed write
//! stops all further ones.

mod blob;
mod compact;
mod key;
mod open;
mod pack;
mod read;
mod value;
mod wake;

pub use compact::{Compacted, compact};
pub use open::Opened;
pub use value::BLOCK_BYTES_MAX;

use crate::batch::{self, Measured};
use crate::space::{Short, short_of};
use crate::{
    Batch, BodyBytes, Direction, EntryBytes, Row, RowChange, Store, StoreError, TILE_HASHES, prefix_end,
};
use std::any::Any;
use std::fmt;
use std::fs::{self, File};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The rows removed in one step of [`Store::clear`].
const CLEAR_ROWS: usize = 1_024;
/// A write begins only while so many times its bytes are free: the engine rewrites pages, and cleans up later.
const SPACE_FACTOR: u64 = 3;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The engine's cache in bytes; the process uses up to a few times as much.
    pub cache_bytes: u64,
    /// Whether a missing store is an error ([`StoreError::Missing`]) or is created.
    pub must_exist: bool,
    /// The bytes that must be free on the disk before a write begins.
    pub reserve_bytes: u64,
}

impl Default for Options {
    /// 128 MiB of cache, 1 GiB of reserve; creates what is missing.
    fn default() -> Self {
        Self { cache_bytes: 128 << 20, must_exist: false, reserve_bytes: 1 << 30 }
    }
}

/// A store in a directory of its own. Dropping it closes the engine.
pub struct SledStore {
    /// Dropped first: it holds the engine too.
    _waker: wake::Waker,
    db: ::sled::Db,
    main_file: File,
    dir: PathBuf,
    reserve_bytes: u64,
    opened: Opened,
    /// The durable head: what readers may see.
    head: Mutex<Head>,
    /// Held while writing.
    writing: Mutex<()>,
    /// Why no further writes are taken; set once and for good.
    stopped: OnceLock<String>,
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
        formatter.debug_struct("SledStore").field("dir", &self.dir).finish_non_exhaustive()
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
        let open::Engine { db, main_file, opened } = open::open(dir, options)?;
        let head = catch_unwind(AssertUnwindSafe(|| open::read_head(&db)))
            .unwrap_or_else(|panic| Err(StoreError::DataLoss { detail: panic_text(&*panic) }))?;
        let waker = wake::Waker::start(db.clone()).map_err(StoreError::io("start the store's own thread"))?;
        let store = Self {
            _waker: waker,
            db,
            main_file,
            dir: dir.to_path_buf(),
            reserve_bytes: options.reserve_bytes,
            opened,
            head: Mutex::new(head),
            writing: Mutex::new(()),
            stopped: OnceLock::new(),
        };
        store.check_ends()?;
        store.check_no_blob_files()?;
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
        match self.stopped.get() {
            Some(reason) => Err(StoreError::Stopped { reason: reason.clone() }),
            None => Ok(turn),
        }
    }

    /// Runs a write; whatever goes wrong in it stops all further ones, for the state on disk is then unknown.
    fn write(&self, act: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let done = catch_unwind(AssertUnwindSafe(act))
            .unwrap_or_else(|panic| Err(StoreError::DataLoss { detail: panic_text(&*panic) }));
        if let Err(error) = &done {
            self.stop(error.to_string());
        }
        done
    }

    /// Runs a read; a panic of the engine becomes an error, and stops writes.
    fn read<T>(&self, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
            let detail = panic_text(&*panic);
            self.stop(detail.clone());
            Err(StoreError::DataLoss { detail })
        })
    }

    fn stop(&self, reason: String) {
        // Only the first reason is kept; the others follow from it.
        let _ = self.stopped.set(reason);
    }

    /// Applies changes without making them durable.
    fn apply(&self, changes: ::sled::Batch) -> Result<(), StoreError> {
        self.db.apply_batch(changes).map_err(|cause| engine("write a batch", cause))
    }

    /// Makes durable what was applied. The engine's flush hands its pages to the kernel; only the fdatasync on
    /// the same file, through whichever descriptor, takes them and the file's length to the disk.
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(|cause| engine("flush the engine", cause))?;
        if cfg!(not(feature = "skip-fdatasync")) {
            self.main_file.sync_data().map_err(StoreError::io("sync the main file"))?;
        }
        self.check_no_blob_files()
    }

    /// The engine never syncs the files that it makes for large values, so there must not be any.
    fn check_no_blob_files(&self) -> Result<(), StoreError> {
        let mut files = match fs::read_dir(self.dir.join(open::BLOB_FOLDER)) {
            Ok(files) => files,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(StoreError::Io { doing: "list the engine's blob files", cause }),
        };
        let Some(file) = files.next() else { return Ok(()) };
        let file = file.map_err(StoreError::io("list the engine's blob files"))?;
        Err(StoreError::BlobFileAppeared { file: file.file_name().to_string_lossy().into_owned() })
    }

    /// Refuses a write while it can still be refused.
    fn require_space(&self, bytes: u64) -> Result<(), StoreError> {
        let needed = self.reserve_bytes.max(bytes.saturating_mul(SPACE_FACTOR));
        match short_of(needed, &self.dir).map_err(StoreError::io("ask for free space"))? {
            Some(Short { available, needed }) => Err(StoreError::NoSpace { available, needed }),
            None => Ok(()),
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

/// Everything that a batch changes, as one change of the engine.
fn changes(before: Head, after: Head, batch: &Batch) -> ::sled::Batch {
    let mut changes = ::sled::Batch::default();
    put_blocks(&mut changes, key::ENTRIES, before.size, &batch.entries);
    put_blocks(&mut changes, key::BODIES, before.size, &batch.bodies);
    for tile in &batch.tiles {
        put(&mut changes, key::tile(tile.level, tile.index), tile.hashes.as_flattened());
    }
    put_rows(&mut changes, &batch.rows);
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

fn put_rows(changes: &mut ::sled::Batch, rows: &[RowChange]) {
    for row in rows {
        match row {
            RowChange::Put { key, value } => put(changes, key::row(key), value),
            RowChange::Delete { key } => changes.remove(key::row(key)),
        }
    }
}

fn put(changes: &mut ::sled::Batch, key: Vec<u8>, payload: &[u8]) {
    let value = value::frame(&key, payload);
    changes.insert(key, value);
}

/// The engine's error, as one of ours.
fn engine(doing: &'static str, cause: ::sled::Error) -> StoreError {
    if matches!(cause, ::sled::Error::Corruption { .. }) {
        return StoreError::DataLoss { detail: format!("could not {doing}: {cause}") };
    }
    StoreError::Engine { doing, cause }
}

/// What a panic of the engine said.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the storage engine panicked: {}", text.unwrap_or("without a message"))
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
        self.require_space(bytes)?;
        let after = Head { size, root: batch.root };
        self.write(|| {
            self.apply(changes(before, after, batch))?;
            self.sync()
        })?;
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = after;
        Ok(())
    }

    fn check_space(&self, batch: &Batch) -> Result<(), StoreError> {
        let Measured { size: _, bytes } = batch::check(self.current().size, batch)?;
        self.require_space(bytes)
    }

    fn entries(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<EntryBytes>, StoreError> {
        self.read(|| read::members(&self.db, read::ENTRIES, self.current().size, range, bytes_max))
    }

    fn bodies(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<BodyBytes>, StoreError> {
        self.read(|| read::members(&self.db, read::BODIES, self.current().size, range, bytes_max))
    }

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
        let key = key::tile(level, index);
        let Some(payload) = self.read(|| read::payload(&self.db, "tile", &key))? else { return Ok(None) };
        let (hashes, rest) = payload.as_chunks::<32>();
        if hashes.len() != TILE_HASHES || !rest.is_empty() {
            return Err(value::corrupt("tile", &key, "it has not 256 hashes"));
        }
        Ok(Some(hashes.to_vec()))
    }

    fn blob(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|| blob::read(&self.db, digest))
    }

    fn put_blob(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        batch::check_blob(bytes)?;
        let _turn = self.turn()?;
        blob::put(self, digest, bytes)
    }

    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|| read::payload(&self.db, "row", &key::row(key)))
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Row>, StoreError> {
        batch::check_scan(limit)?;
        self.read(|| read::rows(&self.db, from, to, limit, direction))
    }

    fn write_rows(&self, applied_to: u64, rows: &[RowChange]) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        batch::check_applied(applied_to, self.applied_to()?, self.current().size)?;
        let bytes = batch::check_rows(rows)?;
        self.require_space(u64::try_from(bytes).unwrap_or(u64::MAX))?;
        let mut changes = ::sled::Batch::default();
        put_rows(&mut changes, rows);
        put(&mut changes, key::APPLIED.to_vec(), &applied_to.to_be_bytes());
        self.write(|| self.apply(changes))
    }

    fn applied_to(&self) -> Result<u64, StoreError> {
        let payload = self.read(|| read::payload(&self.db, "row count", key::APPLIED))?;
        let Some(payload) = payload else { return Ok(0) };
        match payload.try_into() {
            Ok(count) => Ok(u64::from_be_bytes(count)),
            Err(_) => Err(value::corrupt("row count", key::APPLIED, "it has another length")),
        }
    }

    fn clear(&self, prefix: &[u8]) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        // Removing takes log space before it frees any.
        self.require_space(0)?;
        let end = prefix_end(prefix);
        loop {
            let rows = self.read(|| read::row_keys(&self.db, prefix, &end, CLEAR_ROWS))?;
            let mut changes = ::sled::Batch::default();
            put(&mut changes, key::APPLIED.to_vec(), &0_u64.to_be_bytes());
            for key in &rows {
                changes.remove(key.as_slice());
            }
            self.write(|| self.apply(changes))?;
            if rows.len() < CLEAR_ROWS {
                return self.write(|| self.sync());
            }
        }
    }

    fn flush_all(&self) -> Result<(), StoreError> {
        let _turn = self.turn()?;
        self.write(|| self.sync())
    }

    fn close(&self) -> Result<(), StoreError> {
        if self.stopped.get().is_none() {
            self.flush_all()?;
        }
        self.stop("it was closed".into());
        Ok(())
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.read(|| self.db.size_on_disk().map_err(|cause| engine("measure the store", cause)))
    }

    fn stopped(&self) -> Option<String> {
        self.stopped.get().cloned()
    }
}
