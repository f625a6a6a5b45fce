//! Every bound of the store, in one place. Bounds of the ledger are tighter; these are what a value can hold.

/// The most entries in one batch.
pub const BATCH_ENTRIES_MAX: usize = 4_096;
/// The most bytes of entries, bodies, tiles and rows together in one batch.
pub const BATCH_BYTES_MAX: usize = 16 << 20;
/// The most row changes in one batch, or in one call of [`crate::Store::write_rows`].
pub const BATCH_ROWS_MAX: usize = 65_536;

/// The most bytes of one packed entry: its core, its secret, its parts and their lengths.
pub const ENTRY_BYTES_MAX: usize = 64 << 10;
/// The most parts in one entry.
pub const ENTRY_PARTS_MAX: usize = 1_024;
/// The most bytes of the packed sealed items of one entry.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// The most sealed items of one entry.
pub const BODY_ITEMS_MAX: usize = 1_024;

/// The hashes in a tile; only full tiles are kept.
pub const TILE_HASHES: usize = 256;
/// The highest tile level: a tile above it would stand over 2^64 entries.
pub const TILE_LEVEL_MAX: u8 = 6;

/// The most bytes of a public blob.
pub const BLOB_BYTES_MAX: usize = 16 << 20;
/// The bytes of each chunk of a blob but the last.
pub const BLOB_CHUNK_BYTES: usize = 48 << 10;

/// The most bytes of a row's key.
pub const ROW_KEY_BYTES_MAX: usize = 256;
/// The most bytes of a row's value.
pub const ROW_VALUE_BYTES_MAX: usize = 64 << 10;
/// The most rows that one scan may ask for.
pub const SCAN_ROWS_MAX: usize = 65_536;

// One entry of the largest size must go into a batch, with its body.
const _: () = assert!(ENTRY_BYTES_MAX + BODY_BYTES_MAX <= BATCH_BYTES_MAX);
// A chunk's number is kept in 16 bits, the highest of which stands for the blob's length.
const _: () = assert!(BLOB_BYTES_MAX.div_ceil(BLOB_CHUNK_BYTES) < 0xFFFF);
// Counts of parts and items are kept in 16 bits.
const _: () = assert!(ENTRY_PARTS_MAX <= 0xFFFF && BODY_ITEMS_MAX <= 0xFFFF);
