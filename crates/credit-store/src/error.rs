//! What can go wrong at rest.

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The log has another size than the writer expected; nothing was written.
    #[error("another writer was faster: expected {expected} entries, found {actual}")]
    Fenced {
        /// The size that the writer gave.
        expected: u64,
        /// The size that the log has.
        actual: u64,
    },
    /// Something is larger than the store takes; nothing was written.
    #[error("{what}: {actual} are more than the {max} allowed")]
    Limit {
        /// What was counted, with its unit.
        what: &'static str,
        /// Its count.
        actual: u64,
        /// The most allowed.
        max: u64,
    },
    /// The parts of a batch don't belong together; nothing was written.
    #[error("the batch does not fit together: {what}")]
    Shape {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Rows can't stand for that many entries; nothing was written.
    #[error("rows stand for {current} of {size} entries and cannot be moved to {asked}")]
    AppliedTo {
        /// The count asked for.
        asked: u64,
        /// The count that the rows stand for.
        current: u64,
        /// The size of the log.
        size: u64,
    },
    /// A blob is stored under this digest already, with other bytes.
    #[error("another blob is stored under this digest")]
    BlobDiffers,
    /// A stored value is not what was written.
    #[error("stored {what} at key {key} is corrupt: {detail}")]
    Corrupt {
        /// The kind of value.
        what: &'static str,
        /// Its key, in hexadecimal.
        key: String,
        /// What doesn't hold.
        detail: &'static str,
    },
    /// The store can't be trusted to hold what was written to it.
    #[error("data was lost: {detail}")]
    DataLoss {
        /// What was found.
        detail: String,
    },
    /// There is no store, and none was to be created.
    #[error("there is no store in this directory")]
    Missing,
    /// A file without which the store would open empty is missing or has no bytes.
    #[error("the store's file {file} is missing or empty")]
    FileLost {
        /// The file's name in the store's directory.
        file: &'static str,
    },
    /// The store was written by software that lays it out in another way.
    #[error("the store has layout {found}, this software reads layout {known}")]
    Layout {
        /// The layout found.
        found: u32,
        /// The layout that is understood.
        known: u32,
    },
    /// Another process, or another part of this one, holds the store or directory.
    #[error("the directory is in use by another process")]
    InUse,
    /// The disk is too full to begin a write; nothing was written.
    #[error("{available} bytes are free on the disk, {needed} are needed")]
    NoSpace {
        /// The bytes free.
        available: u64,
        /// The bytes that must be free before a write begins.
        needed: u64,
    },
    /// The store takes no further writes.
    #[error("the store takes no further writes: {reason}")]
    Stopped {
        /// What went wrong first.
        reason: String,
    },
    /// The engine has put a value into a file of its own, which it never syncs.
    #[error("the engine wrote the unsynced file blobs/{file}")]
    BlobFileAppeared {
        /// The file's name.
        file: String,
    },
    /// The storage engine failed.
    #[error("could not {doing}")]
    Engine {
        /// What was being done.
        doing: &'static str,
        /// The engine's error.
        #[source]
        cause: ::sled::Error,
    },
    /// The file system failed.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file system's error.
        #[source]
        cause: std::io::Error,
    },
}

impl StoreError {
    /// Names a file operation in its error.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Io { doing, cause }
    }
}
