//! One process for one data directory.

use crate::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The name of the lock file in the data directory.
pub const LOCK_FILE: &str = "lock";

/// Holds a data directory for this process until it is dropped or the process ends.
///
/// It covers what the engine's own lock doesn't: the high-water file, the keyring, and the moment in which a
/// store is created or exchanged.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of an existing directory, or answers [`StoreError::InUse`] at once.
    pub fn acquire(dir: &Path) -> Result<Self, StoreError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(LOCK_FILE))
            .map_err(StoreError::io("open the lock file"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(cause)) => Err(StoreError::Io { doing: "lock the directory", cause }),
        }
    }
}
