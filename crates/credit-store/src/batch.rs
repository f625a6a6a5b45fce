//! What a batch must be before any store takes it.

use crate::limits::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, BATCH_ROWS_MAX, BLOB_BYTES_MAX, BODY_BYTES_MAX, BODY_ITEMS_MAX,
    ENTRY_BYTES_MAX, ENTRY_PARTS_MAX, ROW_KEY_BYTES_MAX, ROW_VALUE_BYTES_MAX, SCAN_ROWS_MAX, TILE_HASHES,
    TILE_LEVEL_MAX,
};
use crate::{Batch, BodyBytes, EntryBytes, RowChange, StoreError, Tile};

/// The bytes that a length or a count takes when an entry or a body is packed.
const LENGTH_BYTES: usize = 4;
/// The bytes of a tile's hashes.
const TILE_BYTES: usize = TILE_HASHES.saturating_mul(32);

/// What a checked batch amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// The size of the log with the batch.
    pub(crate) size: u64,
    /// The bytes of everything in the batch.
    pub(crate) bytes: u64,
}

/// Checks a batch for a log of `size` entries against every limit and against itself.
pub(crate) fn check(size: u64, batch: &Batch) -> Result<Measured, StoreError> {
    if batch.entries.is_empty() {
        return Err(StoreError::Shape { what: "it has no entries" });
    }
    if batch.entries.len() != batch.bodies.len() {
        return Err(StoreError::Shape { what: "it has not one body for each entry" });
    }
    at_most("entries in a batch", batch.entries.len(), BATCH_ENTRIES_MAX)?;
    let mut bytes: usize = 0;
    for entry in &batch.entries {
        bytes = bytes.saturating_add(check_entry(entry)?);
    }
    for body in &batch.bodies {
        bytes = bytes.saturating_add(check_body(body)?);
    }
    let count = u64::try_from(batch.entries.len()).unwrap_or(u64::MAX);
    let Some(size) = size.checked_add(count) else {
        return Err(StoreError::Shape { what: "its last index is out of range" });
    };
    for tile in &batch.tiles {
        check_tile(size, tile)?;
        bytes = bytes.saturating_add(TILE_BYTES);
    }
    bytes = bytes.saturating_add(check_rows(&batch.rows)?);
    at_most("bytes in a batch", bytes, BATCH_BYTES_MAX)?;
    Ok(Measured { size, bytes: u64::try_from(bytes).unwrap_or(u64::MAX) })
}

/// Checks row changes, and counts their bytes.
pub(crate) fn check_rows(rows: &[RowChange]) -> Result<usize, StoreError> {
    at_most("row changes in a batch", rows.len(), BATCH_ROWS_MAX)?;
    let mut bytes: usize = 0;
    for row in rows {
        check_key(row.key())?;
        bytes = bytes.saturating_add(row.key().len());
        match row {
            RowChange::Put { key: _, value } => {
                at_most("bytes in a row", value.len(), ROW_VALUE_BYTES_MAX)?;
                bytes = bytes.saturating_add(value.len());
            }
            RowChange::Delete { key: _ } => {}
        }
    }
    at_most("bytes in a batch", bytes, BATCH_BYTES_MAX)?;
    Ok(bytes)
}

/// Checks the count of entries that rows are to stand for.
pub(crate) fn check_applied(asked: u64, current: u64, size: u64) -> Result<(), StoreError> {
    if asked < current || asked > size {
        return Err(StoreError::AppliedTo { asked, current, size });
    }
    Ok(())
}

/// Checks the length of a blob.
pub(crate) fn check_blob(bytes: &[u8]) -> Result<(), StoreError> {
    at_most("bytes in a blob", bytes.len(), BLOB_BYTES_MAX)
}

/// Checks how many rows a scan asks for.
pub(crate) fn check_scan(limit: usize) -> Result<(), StoreError> {
    at_most("rows in a scan", limit, SCAN_ROWS_MAX)
}

/// The bytes of an entry with the lengths of its parts.
pub(crate) fn entry_bytes(entry: &EntryBytes) -> usize {
    // A length for the core and for each part, and the count of parts.
    let lengths = entry.parts.len().saturating_add(2).saturating_mul(LENGTH_BYTES);
    entry.bytes().saturating_add(lengths)
}

/// The bytes of a body with the lengths of its items.
pub(crate) fn body_bytes(body: &BodyBytes) -> usize {
    let lengths = body.items.len().saturating_add(1).saturating_mul(LENGTH_BYTES);
    body.bytes().saturating_add(lengths)
}

fn check_entry(entry: &EntryBytes) -> Result<usize, StoreError> {
    at_most("parts in an entry", entry.parts.len(), ENTRY_PARTS_MAX)?;
    let bytes = entry_bytes(entry);
    at_most("bytes in an entry", bytes, ENTRY_BYTES_MAX)?;
    Ok(bytes)
}

fn check_body(body: &BodyBytes) -> Result<usize, StoreError> {
    at_most("sealed items of an entry", body.items.len(), BODY_ITEMS_MAX)?;
    let bytes = body_bytes(body);
    at_most("sealed bytes of an entry", bytes, BODY_BYTES_MAX)?;
    Ok(bytes)
}

fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::Shape { what: "a row has an empty key" });
    }
    at_most("bytes in a row's key", key.len(), ROW_KEY_BYTES_MAX)
}

fn check_tile(size: u64, tile: &Tile) -> Result<(), StoreError> {
    if tile.hashes.len() != TILE_HASHES {
        return Err(StoreError::Shape { what: "a tile has not 256 hashes" });
    }
    at_most("levels of tiles", usize::from(tile.level), usize::from(TILE_LEVEL_MAX))?;
    // A tile of level n stands over 256^(n+1) entries, all of which must be there.
    let covered = 256_u64
        .checked_pow(u32::from(tile.level).saturating_add(1))
        .and_then(|span| tile.index.checked_add(1)?.checked_mul(span));
    match covered {
        Some(end) if end <= size => Ok(()),
        Some(_) | None => Err(StoreError::Shape { what: "a tile stands over entries that are not there" }),
    }
}

fn at_most(what: &'static str, actual: usize, max: usize) -> Result<(), StoreError> {
    if actual <= max {
        return Ok(());
    }
    let count = |value| u64::try_from(value).unwrap_or(u64::MAX);
    Err(StoreError::Limit { what, actual: count(actual), max: count(max) })
}
