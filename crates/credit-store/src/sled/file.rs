//! Files of our own beside the engine's: bytes at places, and a sync that is real.

use crate::StoreError;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Where bytes stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl Place {
    /// The bytes of an encoded place.
    pub(super) const BYTES: usize = 12;

    pub(super) fn encoded(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (offset, length) = bytes.split_at_mut(8);
        offset.copy_from_slice(&self.offset.to_be_bytes());
        length.copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    pub(super) fn decoded(bytes: &[u8]) -> Option<Self> {
        let (offset, length) = bytes.split_first_chunk()?;
        let (length, rest) = length.split_first_chunk()?;
        let place = Self { offset: u64::from_be_bytes(*offset), length: u32::from_be_bytes(*length) };
        rest.is_empty().then_some(place)
    }

    /// Behind the last byte.
    pub(super) fn end(self) -> u64 {
        self.offset.saturating_add(u64::from(self.length))
    }
}

/// A file that is read and written at offsets.
pub(super) struct DataFile {
    file: File,
    name: &'static str,
}

impl DataFile {
    /// Opens a file of the store, which must be there.
    pub(super) fn open(dir: &Path, name: &'static str) -> Result<Self, StoreError> {
        match OpenOptions::new().read(true).write(true).open(dir.join(name)) {
            Ok(file) => Ok(Self { file, name }),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::FileLost { file: name })
            }
            Err(cause) => Err(StoreError::Io { doing: "open a file of the store", cause }),
        }
    }

    /// Makes a file of the store, or empties it.
    pub(super) fn create(dir: &Path, name: &'static str) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).open(dir.join(name));
        Ok(Self { file: file.map_err(StoreError::io("create a file of the store"))?, name })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The bytes at a place; `None` where the file ends before them.
    pub(super) fn read(&self, place: Place) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes = vec![0; usize::try_from(place.length).unwrap_or(usize::MAX)];
        match self.file.read_exact_at(&mut bytes, place.offset) {
            Ok(()) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(cause) => Err(StoreError::Io { doing: "read a file of the store", cause }),
        }
    }

    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all_at(bytes, offset).map_err(StoreError::io("write a file of the store"))
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        sync_data(&self.file, "sync a file of the store")
    }

    pub(super) fn length(&self) -> Result<u64, StoreError> {
        let about = self.file.metadata().map_err(StoreError::io("look at a file of the store"))?;
        Ok(about.len())
    }
}

/// Syncs a file, unless a test wants to see what happens without.
pub(super) fn sync_data(file: &File, doing: &'static str) -> Result<(), StoreError> {
    if cfg!(feature = "skip-fdatasync") {
        return Ok(());
    }
    file.sync_data().map_err(StoreError::io(doing))
}
