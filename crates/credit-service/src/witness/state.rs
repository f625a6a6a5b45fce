//! What a witness must never forget: the last checkpoint cosigned of each log, durable before the cosignature leaves.

use credit_log::cosignature::CosignerKey;
use credit_log::note;
use credit_log::witness::Last;
use credit_store::lock::DirectoryLock;
use credit_store::sled::{Options, SledStore};
use credit_store::{RowChange, Store, StoreError};
use std::path::Path;

/// The store's folder in a witness's directory.
const STORE: &str = "state";
/// The key of the row that names the witness's key.
const KEY_ROW: &[u8] = b"k";
/// How the keys of rows with the last checkpoint begin; the origin's SHA-256 follows.
const LAST_ROW: u8 = b'l';
/// How the keys of rows with evidence begin; the origin's SHA-256 follows.
const EVIDENCE_ROW: u8 = b'e';
/// The engine's cache: a few rows a log.
const CACHE_BYTES: u64 = 8 << 20;
/// What stays free on the disk.
const RESERVE_BYTES: u64 = 64 << 20;

/// The state can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The directory could not be made.
    #[error("could not make the witness's directory")]
    Directory(#[source] std::io::Error),
    /// The store failed.
    #[error("the witness's store failed")]
    Store(#[source] StoreError),
    /// Another process has the state: the witness runs.
    #[error("the witness's state is in use by another process")]
    InUse,
    /// There is a state already.
    #[error("there is a state already; it is never made anew for a key that may have cosigned")]
    Exists,
    /// The state was made for another key.
    #[error("the state belongs to another key")]
    OtherKey,
    /// A row can't be read.
    #[error("a row of the witness's state is damaged")]
    Damaged,
    /// The note can't be written.
    #[error("the cosigned checkpoint could not be written as a note")]
    Note(#[source] note::Error),
    /// The clock is far behind the last cosignature.
    #[error("the clock is far behind the last cosignature: set it right")]
    Clock,
}

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::InUse) { Self::InUse } else { Self::Store(error) }
    }
}

/// What was last cosigned of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Size and root.
    pub(super) last: Last,
    /// The time stated, in seconds since 1970 UTC.
    pub(super) time_s: u64,
    /// The note with the log's and the witness's lines.
    pub(super) note: String,
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        let Self { last: Last { size, root }, time_s, note } = self;
        [&size.to_be_bytes()[..], root, &time_s.to_be_bytes(), note.as_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let (root, rest) = rest.split_first_chunk::<32>()?;
        let (time, note) = rest.split_first_chunk::<8>()?;
        Some(Self {
            last: Last { size: u64::from_be_bytes(*size), root: *root },
            time_s: u64::from_be_bytes(*time),
            note: String::from_utf8(note.to_vec()).ok()?,
        })
    }
}

/// The open state of a witness.
pub(super) struct State {
    store: SledStore,
    _lock: DirectoryLock,
}

impl State {
    /// Makes the state of a new witness.
    pub(super) fn create(dir: &Path, key: &CosignerKey) -> Result<(), StateError> {
        std::fs::create_dir_all(dir).map_err(StateError::Directory)?;
        let _lock = DirectoryLock::acquire(dir)?;
        let folder = dir.join(STORE);
        if folder.exists() {
            return Err(StateError::Exists);
        }
        let store = SledStore::open(&folder, &options(false))?;
        let row = RowChange::Put { key: KEY_ROW.to_vec(), value: key.text().into_bytes() };
        store.write_rows(0, &[row])?;
        store.flush_all()?;
        store.close()?;
        Ok(())
    }

    /// Opens the state that was made for this key.
    pub(super) fn open(dir: &Path, key: &CosignerKey) -> Result<Self, StateError> {
        let lock = DirectoryLock::acquire(dir)?;
        let store = SledStore::open(&dir.join(STORE), &options(true))?;
        if store.row(KEY_ROW)?.as_deref() != Some(key.text().as_bytes()) {
            return Err(StateError::OtherKey);
        }
        Ok(Self { store, _lock: lock })
    }

    /// What was last cosigned of a log, by the SHA-256 of its origin.
    pub(super) fn last(&self, origin: &[u8; 32]) -> Result<Option<Record>, StateError> {
        let row = self.store.row(&key(LAST_ROW, origin))?;
        row.map(|bytes| Record::decode(&bytes).ok_or(StateError::Damaged)).transpose()
    }

    /// Records what is about to be cosigned; durable when it returns `Ok`.
    pub(super) fn advance(&self, origin: &[u8; 32], record: &Record) -> Result<(), StateError> {
        self.put(key(LAST_ROW, origin), record.encode())
    }

    /// Keeps a checkpoint that contradicts the last one cosigned; of several the first is kept.
    pub(super) fn keep_evidence(&self, origin: &[u8; 32], note: &str) -> Result<(), StateError> {
        if self.evidence(origin)?.is_some() {
            return Ok(());
        }
        // What is longer than a row is not kept; it stands in the log all the same.
        if note.len() > credit_store::ROW_VALUE_BYTES_MAX {
            return Ok(());
        }
        self.put(key(EVIDENCE_ROW, origin), note.as_bytes().to_vec())
    }

    /// The checkpoint that was kept as evidence.
    pub(super) fn evidence(&self, origin: &[u8; 32]) -> Result<Option<String>, StateError> {
        let row = self.store.row(&key(EVIDENCE_ROW, origin))?;
        row.map(|bytes| String::from_utf8(bytes).map_err(|_| StateError::Damaged)).transpose()
    }

    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> Result<(), StateError> {
        self.store.write_rows(0, &[RowChange::Put { key, value }])?;
        // Rows alone are durable only after this: the engine's flush, then our own fdatasync.
        self.store.flush_all()?;
        Ok(())
    }

    pub(super) fn close(&self) -> Result<(), StateError> {
        Ok(self.store.close()?)
    }
}

fn options(must_exist: bool) -> Options {
    Options { cache_bytes: CACHE_BYTES, must_exist, reserve_bytes: RESERVE_BYTES, ..Options::default() }
}

fn key(kind: u8, origin: &[u8; 32]) -> Vec<u8> {
    [[kind].as_slice(), origin].concat()
}
