//! Opens a store's directory without ever taking a loss for a new beginning.

use super::engine::{failed, panic_text};
use super::file::DataFile;
use super::journal::Journal;
use super::value::{corrupt, frame, unframe};
use super::{Head, Options, blocks, journal, key, pages};
use crate::durable::{forget_cached, sync_directory, sync_parent, with_suffix};
use crate::{EMPTY_ROOT, StoreError};
use std::fs::{self, File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// The engine's main file in the store's directory.
pub(super) const MAIN_FILE: &str = "db";
/// The engine's folder for values that it keeps in files of their own.
pub(super) const BLOB_FOLDER: &str = "blobs";

/// The layout of files, keys and values that this software writes.
pub(super) const LAYOUT: u32 = 4;
/// The layout before it: the same, but no page had a patch.
pub(super) const LAYOUT_WITHOUT_PATCHES: u32 = 3;
/// The layout before that: everything stood in values of the engine.
pub(super) const LAYOUT_INSIDE: u32 = 2;
/// The first layout: every row was a value of its own.
pub(super) const LAYOUT_ROWS_APART: u32 = 1;
/// The engine's segment size, frozen when a store is created: a tree node above a quarter of it would become a
/// file that is never synced. Nodes hold about 16 values.
const SEGMENT_BYTES: usize = 8 << 20;
/// The engine's own flusher also frees segments; without it memory grows without bound.
const FLUSH_EVERY_MS: u64 = 500;
/// A closed engine's threads may hold its lock a little longer: attempts to open, and the pause between two.
const LOCK_ATTEMPTS_MAX: usize = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

const SNAPSHOT_PREFIX: &str = "snap.";
const UNFINISHED_SUFFIX: &str = ".generating";
const SET_ASIDE_PREFIX: &str = "set-aside.";

/// What opening a store had to do; worth a line in the operator's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Whether the store was created.
    pub created: bool,
    /// Names of half-written snapshot files that were removed; they hold nothing that is not in the log.
    pub snapshots_removed: Vec<String>,
    /// Names of snapshot files that were unreadable and were set aside.
    pub snapshots_set_aside: Vec<String>,
}

/// What the engine and the files that it points into stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) head: Head,
    /// Where the next block goes in the file of blocks.
    pub(super) blocks_end: u64,
    /// The journal's frames from this number on are not in the files.
    pub(super) journal_from: u64,
}

/// What an engine says of its store.
pub(super) enum Found {
    /// One of the present layout, or of the one before, of which everything is as in the present one.
    Present {
        /// Whether its head says the present one.
        said: bool,
        /// What has settled.
        settled: Settled,
    },
    /// One of an earlier layout.
    Earlier {
        /// Which.
        layout: u32,
        /// Its head.
        head: Head,
    },
}

/// An engine that is open, and what belongs to it.
pub(super) struct Files {
    pub(super) db: ::sled::Db,
    /// The engine's main file under a descriptor of our own, for our own fdatasync.
    pub(super) main_file: File,
    pub(super) opened: Opened,
}

/// Opens the store in `dir`, or creates one if there is none and the options allow it.
pub(super) fn open(dir: &Path, options: &Options) -> Result<Files, StoreError> {
    let created = is_absent(dir)?;
    if created {
        if options.must_exist {
            return Err(StoreError::Missing);
        }
        create(dir, options)?;
    }
    let mut opened = Opened { created, ..Opened::default() };
    opened.snapshots_removed = with_exclusive_file(dir, |main| {
        forget_cached(main).map_err(StoreError::io("read the main file anew"))?;
        forget_cached_files(dir)?;
        remove_unfinished(dir)
    })?;
    let mut started = start(dir, options)?;
    if matches!(started, Err(::sled::Error::Corruption { at: None, .. })) {
        // No place in the log: it is a snapshot that can't be read, and the log has everything that was in it.
        opened.snapshots_set_aside = with_exclusive_file(dir, |_| set_snapshots_aside(dir))?;
        started = start(dir, options)?;
    }
    let db = started.map_err(|cause| failed("open the store", cause))?;
    sync_all_files(dir)?;
    let main_file = File::open(dir.join(MAIN_FILE)).map_err(StoreError::io("open the main file"))?;
    Ok(Files { db, main_file, opened })
}

/// Writes what has settled, under the present layout.
pub(super) fn write_settled(db: &::sled::Db, settled: Settled) -> Result<(), StoreError> {
    db.insert(key::HEAD, settled_value(settled)).map(drop).map_err(|cause| failed("write the head", cause))
}

/// What has settled, as a value of the engine.
pub(super) fn settled_value(settled: Settled) -> Vec<u8> {
    let Settled { head: Head { size, root, applied }, blocks_end, journal_from } = settled;
    let numbers = [applied, blocks_end, journal_from].map(u64::to_be_bytes);
    let payload = [&LAYOUT.to_be_bytes()[..], &size.to_be_bytes(), &root, numbers.as_flattened()].concat();
    frame(key::HEAD, &payload)
}

/// Reads the head; a store without one has lost it, for none is created without.
pub(super) fn read_head(db: &::sled::Db) -> Result<Found, StoreError> {
    let value = db.get(key::HEAD).map_err(|cause| failed("read the head", cause))?;
    let Some(value) = value else {
        return Err(StoreError::DataLoss { detail: "the store has no head: it is empty or cut off".into() });
    };
    let payload = unframe("head", key::HEAD, &value)?;
    let wrong = || corrupt("head", key::HEAD, "it has another length");
    let (layout, payload) = payload.split_first_chunk().ok_or_else(wrong)?;
    let (size, payload) = payload.split_first_chunk().ok_or_else(wrong)?;
    let (root, payload) = payload.split_first_chunk().ok_or_else(wrong)?;
    let (size, root) = (u64::from_be_bytes(*size), *root);
    let numbers = payload.as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number));
    let numbers: Vec<u64> = numbers.collect();
    match (u32::from_be_bytes(*layout), numbers.as_slice()) {
        (layout @ (LAYOUT | LAYOUT_WITHOUT_PATCHES), [applied, blocks_end, journal_from]) => {
            let head = Head { size, root, applied: *applied };
            let settled = Settled { head, blocks_end: *blocks_end, journal_from: *journal_from };
            Ok(Found::Present { said: layout == LAYOUT, settled })
        }
        (layout @ (LAYOUT_INSIDE | LAYOUT_ROWS_APART), []) => {
            let applied = read_applied(db)?;
            Ok(Found::Earlier { layout, head: Head { size, root, applied } })
        }
        (LAYOUT | LAYOUT_WITHOUT_PATCHES | LAYOUT_INSIDE | LAYOUT_ROWS_APART, _) => Err(wrong()),
        (found, _) => Err(StoreError::Layout { found, known: LAYOUT }),
    }
}

/// The count of entries that rows stand for, in earlier layouts.
fn read_applied(db: &::sled::Db) -> Result<u64, StoreError> {
    let value = db.get(key::APPLIED).map_err(|cause| failed("read the row count", cause))?;
    let Some(value) = value else { return Ok(0) };
    let count = unframe("row count", key::APPLIED, &value)?.try_into();
    count.map(u64::from_be_bytes).map_err(|_| corrupt("row count", key::APPLIED, "it has another length"))
}

/// Makes the files of our own, all of them empty.
pub(super) fn create_files(dir: &Path) -> Result<(), StoreError> {
    for name in [blocks::NAME, pages::NAME] {
        DataFile::create(dir, name)?;
    }
    Journal::create(dir)
}

/// Creates a store beside `dir` and renames it, so that a directory holds a whole store or none.
fn create(dir: &Path, options: &Options) -> Result<(), StoreError> {
    let beside = with_suffix(dir, ".creating");
    if beside.exists() {
        fs::remove_dir_all(&beside).map_err(StoreError::io("remove a store that was never finished"))?;
    }
    fs::create_dir_all(&beside).map_err(StoreError::io("create the store's directory"))?;
    let db = start(&beside, options)?.map_err(|cause| failed("create the store", cause))?;
    let head = Head { size: 0, root: EMPTY_ROOT, applied: 0 };
    create_files(&beside)?;
    write_settled(&db, Settled { head, blocks_end: 0, journal_from: 0 })?;
    db.flush().map_err(|cause| failed("flush the first head", cause))?;
    drop(db);
    sync_all_files(&beside)?;
    fs::rename(&beside, dir).map_err(StoreError::io("put the created store into its place"))?;
    sync_parent(dir).map_err(StoreError::io("sync the directory above the store"))
}

/// Whether there is no directory, or an empty one. One with files but without the main file has lost it: the
/// engine would open it as an empty store.
fn is_absent(dir: &Path) -> Result<bool, StoreError> {
    let mut names = match fs::read_dir(dir) {
        Ok(names) => names,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(cause) => return Err(StoreError::Io { doing: "list the store's directory", cause }),
    };
    if names.next().is_none() {
        return Ok(true);
    }
    match fs::metadata(dir.join(MAIN_FILE)) {
        Ok(main) if main.len() > 0 => Ok(false),
        Ok(_) => Err(StoreError::FileLost { file: MAIN_FILE }),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(StoreError::FileLost { file: MAIN_FILE })
        }
        Err(cause) => Err(StoreError::Io { doing: "look at the main file", cause }),
    }
}

/// Does something to the store's files while no other process has the store: a snapshot being written looks
/// just like one that was never finished.
fn with_exclusive_file<T>(
    dir: &Path,
    act: impl FnOnce(&File) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let main = File::open(dir.join(MAIN_FILE)).map_err(StoreError::io("open the main file"))?;
    for _ in 0..LOCK_ATTEMPTS_MAX {
        match main.try_lock() {
            Ok(()) => return act(&main),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(cause)) => {
                return Err(StoreError::Io { doing: "lock the main file", cause });
            }
        }
    }
    Err(StoreError::InUse)
}

/// The same for the files of our own; an earlier layout has none.
fn forget_cached_files(dir: &Path) -> Result<(), StoreError> {
    for name in file_names(dir)? {
        if [blocks::NAME, pages::NAME].contains(&name.as_str()) || name.starts_with(journal::PREFIX) {
            let file = File::open(dir.join(name)).map_err(StoreError::io("open a file of the store"))?;
            forget_cached(&file).map_err(StoreError::io("read a file of the store anew"))?;
        }
    }
    Ok(())
}

/// Removes half-written snapshots, which the engine would take for whole ones.
fn remove_unfinished(dir: &Path) -> Result<Vec<String>, StoreError> {
    let names: Vec<String> =
        snapshots(dir)?.into_iter().filter(|name| name.ends_with(UNFINISHED_SUFFIX)).collect();
    for name in &names {
        fs::remove_file(dir.join(name)).map_err(StoreError::io("remove a half-written snapshot"))?;
    }
    Ok(names)
}

/// Renames all snapshots, so that the engine reads its whole log instead.
fn set_snapshots_aside(dir: &Path) -> Result<Vec<String>, StoreError> {
    let names = snapshots(dir)?;
    for name in &names {
        let aside = dir.join(format!("{SET_ASIDE_PREFIX}{name}"));
        fs::rename(dir.join(name), aside).map_err(StoreError::io("set a snapshot aside"))?;
    }
    Ok(names)
}

fn snapshots(dir: &Path) -> Result<Vec<String>, StoreError> {
    let names = file_names(dir)?;
    Ok(names.into_iter().filter(|name| name.starts_with(SNAPSHOT_PREFIX)).collect())
}

fn file_names(dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for file in fs::read_dir(dir).map_err(StoreError::io("list the store's directory"))? {
        let file = file.map_err(StoreError::io("list the store's directory"))?;
        let kind = file.file_type().map_err(StoreError::io("list the store's directory"))?;
        if kind.is_file() {
            names.push(file.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Starts the engine; its panics on damaged files become errors of ours, its own errors are left to the caller.
fn start(dir: &Path, options: &Options) -> Result<Result<::sled::Db, ::sled::Error>, StoreError> {
    let config = ::sled::Config::new()
        .path(dir)
        .mode(::sled::Mode::LowSpace)
        .cache_capacity(options.cache_bytes)
        .flush_every_ms(Some(FLUSH_EVERY_MS))
        .use_compression(false)
        .segment_size(SEGMENT_BYTES);
    for _ in 0..LOCK_ATTEMPTS_MAX {
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Err(cause)) if is_locked(&cause) => std::thread::sleep(LOCK_PAUSE),
            Ok(started) => return Ok(started),
            Err(panic) => return Err(StoreError::DataLoss { detail: panic_text(&*panic) }),
        }
    }
    Err(StoreError::InUse)
}

/// The engine reports its lock as an error of kind `Other`, with the real kind in the text only.
fn is_locked(cause: &::sled::Error) -> bool {
    matches!(cause, ::sled::Error::Io(cause) if cause.kind() == std::io::ErrorKind::WouldBlock
        || cause.to_string().starts_with("could not acquire lock"))
}

/// Syncs every file that the engine wrote or renamed while opening, and the directory: it syncs neither.
fn sync_all_files(dir: &Path) -> Result<(), StoreError> {
    for name in file_names(dir)? {
        match File::open(dir.join(name)).and_then(|file| file.sync_all()) {
            Ok(()) => {}
            // The engine replaces its snapshots while it runs.
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(StoreError::Io { doing: "sync the store's files", cause }),
        }
    }
    sync_directory(dir).map_err(StoreError::io("sync the store's directory"))
}
