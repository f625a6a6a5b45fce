//! Bytes at rest: the log, its sealed bodies, tiles, public blobs and index rows in one [`Store`], and the
//! three kinds of file that must live outside it.
//!
//! The crate knows no noun of the ledger. It hashes nothing, signs nothing and encrypts nothing: callers hand
//! over roots, digests, tiles and sealed bytes, and get the same bytes back or an error.
//!
//! - [`Store`] is the trait, with [`sled::SledStore`] on disk and [`memory::MemoryStore`] for tests and tools;
//!   the module `conformance` holds what both (and any third) must pass.
//! - [`high_water::HighWater`] remembers, outside the store, how far the log has ever been signed.
//! - [`keyring::KeyringFiles`] keeps wrapped keys, outside the store and outside its backups.
//! - [`lock::DirectoryLock`] keeps a second process out of a data directory.
//!
//! Start reading at [`Store::append`]: everything else exists so that its `Ok` can be believed after a power cut.

mod batch;
mod durable;
mod error;
mod limits;
mod space;
mod store;

pub mod background;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod high_water;
pub mod keyring;
pub mod lock;
pub mod memory;
pub mod sled;

pub use error::StoreError;
pub use limits::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, BATCH_ROWS_MAX, BLOB_BYTES_MAX, BLOB_CHUNK_BYTES, BODY_BYTES_MAX,
    BODY_ITEMS_MAX, ENTRY_BYTES_MAX, ENTRY_PARTS_MAX, ROW_KEY_BYTES_MAX, ROW_VALUE_BYTES_MAX, SCAN_ROWS_MAX,
    TILE_HASHES, TILE_LEVEL_MAX,
};
pub use store::{Batch, BodyBytes, EMPTY_ROOT, EntryBytes, Row, RowChange, Store, Tile, prefix_end};
