//! The engine as the rest of the store uses it: writes that are atomic, syncs that are real, and the first failure
//! stops all further writes.

use super::file::sync_data;
use super::open;
use crate::StoreError;
use crate::space::{Short, short_of};
use std::any::Any;
use std::fs::{self, File};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::OnceLock;

/// A write begins only while so many times its bytes are free: the engine rewrites pages, and cleans up later.
pub(super) const SPACE_FACTOR: u64 = 3;

/// The keys that are removed in one step.
const REMOVE_KEYS: usize = 1_024;

/// An open engine, shared by the store and its own threads.
pub(super) struct Engine {
    pub(super) db: ::sled::Db,
    pub(super) main_file: File,
    pub(super) dir: PathBuf,
    /// The bytes that must be free on the disk before a write begins.
    pub(super) reserve_bytes: u64,
    /// Why no further writes are taken; set once and for good.
    stopped: OnceLock<String>,
}

impl Engine {
    pub(super) fn new(db: ::sled::Db, main_file: File, dir: PathBuf, reserve_bytes: u64) -> Self {
        Self { db, main_file, dir, reserve_bytes, stopped: OnceLock::new() }
    }

    /// Runs a write; whatever goes wrong in it stops all further ones, for the state on disk is then unknown.
    pub(super) fn write<T>(&self, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let done = catch_unwind(AssertUnwindSafe(act))
            .unwrap_or_else(|panic| Err(StoreError::DataLoss { detail: panic_text(&*panic) }));
        if let Err(error) = &done {
            self.stop(error.to_string());
        }
        done
    }

    /// Runs a read; a panic of the engine becomes an error, and stops writes.
    pub(super) fn read<T>(&self, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
            let detail = panic_text(&*panic);
            self.stop(detail.clone());
            Err(StoreError::DataLoss { detail })
        })
    }

    /// Why writing has stopped, if it has.
    pub(super) fn stopped(&self) -> Option<&String> {
        self.stopped.get()
    }

    pub(super) fn stop(&self, reason: String) {
        // Only the first reason is kept; the others follow from it.
        let _ = self.stopped.set(reason);
    }

    /// Applies changes without making them durable.
    pub(super) fn apply(&self, changes: ::sled::Batch) -> Result<(), StoreError> {
        self.db.apply_batch(changes).map_err(|cause| failed("write a batch", cause))
    }

    /// Removes what is stored in a range of keys, step by step; `each` sees what goes.
    pub(super) fn remove(
        &self,
        keys: &Range<Vec<u8>>,
        mut each: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), StoreError> {
        loop {
            let pairs = self.db.range(keys.start.as_slice()..keys.end.as_slice()).take(REMOVE_KEYS);
            let mut batch = ::sled::Batch::default();
            let mut count = 0usize;
            for pair in pairs {
                let (key, value) = pair.map_err(|cause| failed("look for what to remove", cause))?;
                each(&key, &value);
                batch.remove(key);
                count = count.saturating_add(1);
            }
            self.apply(batch)?;
            if count < REMOVE_KEYS {
                return Ok(());
            }
        }
    }

    /// Makes durable what was applied. The engine's flush hands its pages to the kernel; only the fdatasync on
    /// the same file, through whichever descriptor, takes them and the file's length to the disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(|cause| failed("flush the engine", cause))?;
        sync_data(&self.main_file, "sync the main file")?;
        self.check_no_blob_files()
    }

    /// The engine never syncs the files that it makes for large values, so there must not be any.
    pub(super) fn check_no_blob_files(&self) -> Result<(), StoreError> {
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
    pub(super) fn require_space(&self, bytes: u64) -> Result<(), StoreError> {
        let needed = self.reserve_bytes.max(bytes.saturating_mul(SPACE_FACTOR));
        match short_of(needed, &self.dir).map_err(StoreError::io("ask for free space"))? {
            Some(Short { available, needed }) => Err(StoreError::NoSpace { available, needed }),
            None => Ok(()),
        }
    }
}

/// The engine's error, as one of ours.
pub(super) fn failed(doing: &'static str, cause: ::sled::Error) -> StoreError {
    if matches!(cause, ::sled::Error::Corruption { .. }) {
        return StoreError::DataLoss { detail: format!("could not {doing}: {cause}") };
    }
    StoreError::Engine { doing, cause }
}

/// What a panic of the engine said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the storage engine panicked: {}", text.unwrap_or("without a message"))
}
