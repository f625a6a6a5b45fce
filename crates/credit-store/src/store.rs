//! The trait, and the values that go through it.

use crate::StoreError;
use crate::limits::ROW_KEY_BYTES_MAX;
use std::fmt;
use std::ops::Range;

/// The root of a log without entries: SHA-256 of nothing, as RFC 6962 has it.
pub const EMPTY_ROOT: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// A row of an index: its key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// One entry of the log, as the log keeps it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EntryBytes {
    /// The leaf data.
    pub core: Vec<u8>,
    /// The 32 bytes from which the salts of the parts come.
    pub secret: [u8; 32],
    /// The parts, in their order in the parts tree, at most [`crate::ENTRY_PARTS_MAX`].
    pub parts: Vec<Vec<u8>>,
}

impl EntryBytes {
    /// The bytes of core, secret and parts together, without any framing.
    pub fn bytes(&self) -> usize {
        let fixed = self.core.len().saturating_add(self.secret.len());
        self.parts.iter().fold(fixed, |sum, part| sum.saturating_add(part.len()))
    }
}

impl fmt::Debug for EntryBytes {
    /// Leaves the secret out: it opens parts that a log file's reader may not see.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EntryBytes")
            .field("core", &self.core)
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

/// The sealed items of one entry; often none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyBytes {
    /// Each item's 32-byte id and its sealed bytes, at most [`crate::BODY_ITEMS_MAX`].
    pub items: Vec<([u8; 32], Vec<u8>)>,
}

impl BodyBytes {
    /// The bytes of the items' ids and contents together, without any framing.
    pub fn bytes(&self) -> usize {
        self.items
            .iter()
            .fold(0, |sum: usize, (id, sealed)| sum.saturating_add(id.len()).saturating_add(sealed.len()))
    }
}

/// A full tile of the Merkle tree: 256 hashes side by side on one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The tile level: 0 holds leaf hashes, each higher one the roots of the 256-hash tiles below it.
    pub level: u8,
    /// The tile's place on its level, from 0.
    pub index: u64,
    /// Exactly [`crate::TILE_HASHES`] hashes.
    pub hashes: Vec<[u8; 32]>,
}

/// A change of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Writes the row, whether or not it existed.
    Put {
        /// 1 to [`crate::ROW_KEY_BYTES_MAX`] bytes.
        key: Vec<u8>,
        /// At most [`crate::ROW_VALUE_BYTES_MAX`] bytes.
        value: Vec<u8>,
    },
    /// Removes the row, if it exists.
    Delete {
        /// 1 to [`crate::ROW_KEY_BYTES_MAX`] bytes.
        key: Vec<u8>,
    },
}

impl RowChange {
    /// The key of the row that changes.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, value: _ } | Self::Delete { key } => key,
        }
    }
}

/// What one step of the log adds; all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// 1 to [`crate::BATCH_ENTRIES_MAX`] entries, in their order in the log.
    pub entries: Vec<EntryBytes>,
    /// The sealed items of each entry: as many as there are entries.
    pub bodies: Vec<BodyBytes>,
    /// Tiles that the entries complete.
    pub tiles: Vec<Tile>,
    /// Rows that change with the entries; of two changes of one key the later counts.
    pub rows: Vec<RowChange>,
    /// The root of the tree once the entries are in.
    pub root: [u8; 32],
}

/// The log and its index rows in one place, so that both change in one step.
///
/// Calls block; run them on threads that may. One writer is expected and any number of readers: writers are
/// put in line, and a second writer of the log is fenced. Once a write has gone wrong the outcome on disk is
/// unknown, so every later write answers [`StoreError::Stopped`] until the store is opened again; reads go on.
pub trait Store: Send + Sync + 'static {
    /// The count of durable entries.
    fn size(&self) -> Result<u64, StoreError> {
        self.head().map(|(size, _)| size)
    }

    /// The count of durable entries and the root over them, of one moment.
    fn head(&self) -> Result<(u64, [u8; 32]), StoreError>;

    /// Adds a batch to a log of exactly `expected` entries; atomic, and durable when it returns `Ok`.
    ///
    /// That is [`Store::stage`] and [`Store::sync`], one after the other.
    fn append(&self, expected: u64, batch: &Batch) -> Result<(), StoreError> {
        self.stage(expected, batch)?;
        self.sync(expected.saturating_add(u64::try_from(batch.entries.len()).unwrap_or(u64::MAX)))
    }

    /// Adds a batch to a log of exactly `expected` entries, those included that were staged; atomic, but durable only once
    /// [`Store::sync`] has returned. Its entries, tiles and rows are read from now on; [`Store::head`] stays where it was.
    ///
    /// Rows in the batch move [`Store::applied_to`] to the new size, so a caller whose rows trail the log
    /// writes them with [`Store::write_rows`] only. Readers may see the batch's rows shortly before its entries.
    ///
    /// Answers [`StoreError::Fenced`] when the log has another size, [`StoreError::Limit`] or
    /// [`StoreError::Shape`] when the batch can't be stored, [`StoreError::NoSpace`] when the disk is nearly
    /// full: nothing has changed then. After any other error the outcome is known only once the store is
    /// opened again.
    fn stage(&self, expected: u64, batch: &Batch) -> Result<(), StoreError>;

    /// Makes the first `size` entries durable, `size` being what a batch led to; [`Store::head`] is theirs then. Another
    /// thread may stage meanwhile.
    fn sync(&self, size: u64) -> Result<(), StoreError>;

    /// Answers [`StoreError::NoSpace`] where [`Store::append`] would at this moment: for a caller that writes elsewhere
    /// before. Changes nothing.
    fn check_space(&self, batch: &Batch) -> Result<(), StoreError>;

    /// Entries from `range.start` on, at least one if there is any, and no more than `range` has or than
    /// `bytes_max` bytes hold (as [`EntryBytes::bytes`] counts them).
    fn entries(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<EntryBytes>, StoreError>;

    /// The sealed items of entries, in the manner of [`Store::entries`]; as [`BodyBytes::bytes`] counts them.
    fn bodies(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<BodyBytes>, StoreError>;

    /// The hashes of a full tile, if it has been stored.
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<[u8; 32]>>, StoreError>;

    /// A public blob by its SHA-256.
    fn blob(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a public blob of at most [`crate::BLOB_BYTES_MAX`] bytes under its SHA-256, which the caller has
    /// computed; durable when it returns `Ok`. Storing it again changes nothing.
    fn put_blob(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError>;

    /// The value of a row.
    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The first `limit` rows (at most [`crate::SCAN_ROWS_MAX`]) with keys in `from..to`, ascending. [`prefix_end`]
    /// gives the `to` of a prefix. Not a snapshot: rows written meanwhile may or may not be seen.
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Changes rows that can be rebuilt from the log, and notes that they stand for its first `applied_to`
    /// entries, in one step. Durable only after the next [`Store::append`] or [`Store::flush_all`].
    ///
    /// `applied_to` lies between [`Store::applied_to`] and the size, else [`StoreError::AppliedTo`].
    fn write_rows(&self, applied_to: u64, rows: &[RowChange]) -> Result<(), StoreError>;

    /// The count of entries that the rows stand for.
    fn applied_to(&self) -> Result<u64, StoreError>;

    /// Removes all rows whose key starts with `prefix` (an empty one: all rows) and sets [`Store::applied_to`]
    /// to 0 before the first goes, so that a rebuild that was cut off starts again. Durable on `Ok`.
    fn clear(&self, prefix: &[u8]) -> Result<(), StoreError>;

    /// Makes everything written so far durable.
    fn flush_all(&self) -> Result<(), StoreError>;

    /// Makes everything durable and takes no further writes.
    fn close(&self) -> Result<(), StoreError>;

    /// The bytes on disk; 0 for a store in memory.
    fn disk_bytes(&self) -> Result<u64, StoreError>;

    /// Why the store takes no further writes, if it doesn't.
    fn stopped(&self) -> Option<String>;
}

/// The upper end, for [`Store::scan`], of the keys that start with `prefix`.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    // Nothing sorts above 0xFF…: a key longer than any row's key ends the whole range.
    vec![0xFF; ROW_KEY_BYTES_MAX.saturating_add(1)]
}
