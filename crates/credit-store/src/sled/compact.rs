//! Writes a store anew beside the old one, compares the two, and exchanges them.

use super::engine::{SPACE_FACTOR, failed};
use super::{Options, SledStore, value};
use crate::durable::{sync_parent, with_suffix};
use crate::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Batch, BodyBytes, EntryBytes, RowChange, Store, StoreError,
    TILE_LEVEL_MAX, Tile, prefix_end,
};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// The bytes of entries, and of bodies, that are copied in one step.
const STEP_BYTES: usize = 4 << 20;
/// The values of blobs that are copied in one step; each has at most 65 KiB.
const STEP_VALUES: usize = 64;
/// The rows that are copied in one step.
const STEP_ROWS: usize = 4_096;
/// The values that are copied as they are.
const BLOBS: [u8; 1] = [super::key::BLOBS];

/// What compaction achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The entries in the store.
    pub size: u64,
    /// The root over them, the same as before.
    pub root: [u8; 32],
    /// The bytes on disk before.
    pub bytes_before: u64,
    /// The bytes on disk afterwards.
    pub bytes_after: u64,
}

/// Compacts the store in `dir`, which nobody else may have open: small blocks are merged, and space of dead
/// values is given back.
///
/// Everything is copied into `<dir>.compacting` and compared byte by byte with the original; then the two
/// directories change names in one step and the old one is removed. Whatever fails before that step leaves the
/// store as it was. Answers [`StoreError::NoSpace`] unless a second copy fits beside the reserve.
pub fn compact(dir: &Path, options: &Options) -> Result<Compacted, StoreError> {
    let beside = with_suffix(dir, ".compacting");
    let old = SledStore::open(dir, &Options { must_exist: true, ..options.clone() })?;
    if beside.exists() {
        // Left by a compaction that was cut off: either not yet a store or no longer one.
        fs::remove_dir_all(&beside).map_err(StoreError::io("remove an unfinished compaction"))?;
    }
    let bytes_before = old.disk_bytes()?;
    // Nothing moves any more, and the copy needs no journal.
    old.settling.all()?;
    old.engine.require_space(options.reserve_bytes.saturating_add(bytes_before).div_ceil(SPACE_FACTOR))?;
    let new = SledStore::open(&beside, &Options { must_exist: false, ..options.clone() })?;
    copy_log(&old, &new)?;
    copy_rows(&old, &new)?;
    copy_values(&old, &new, &BLOBS)?;
    new.settling.all()?;
    new.engine.sync()?;
    compare(&old, &new)?;
    let (size, root) = new.head()?;
    new.close()?;
    old.close()?;
    drop(new);
    drop(old);
    // What was written must also be there when it is read again from the disk.
    let new = SledStore::open(&beside, &Options { must_exist: true, ..options.clone() })?;
    if new.head()? != (size, root) {
        return Err(StoreError::DataLoss { detail: "the compacted store opens with another head".into() });
    }
    let bytes_after = new.disk_bytes()?;
    drop(new);
    renameat_with(CWD, &beside, CWD, dir, RenameFlags::EXCHANGE)
        .map_err(|cause| StoreError::Io { doing: "exchange the stores", cause: cause.into() })?;
    sync_parent(dir).map_err(StoreError::io("sync the directory above the store"))?;
    fs::remove_dir_all(&beside).map_err(StoreError::io("remove the old store"))?;
    Ok(Compacted { size, root, bytes_before, bytes_after })
}

/// Appends all entries with their bodies. The root between two steps is that of the whole log; it is seen by
/// nobody, and true after the last.
fn copy_log(old: &SledStore, new: &SledStore) -> Result<(), StoreError> {
    let (size, root) = old.head()?;
    let mut next = 0;
    while next < size {
        let (entries, bodies) = step(old, next..size)?;
        let end = next.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        let tiles = tiles(old, next..end)?;
        new.append(next, &Batch { entries, bodies, tiles, root, ..Batch::default() })?;
        next = end;
    }
    Ok(())
}

/// The tiles that the entries of a range complete, as far as they have been stored.
fn tiles(store: &SledStore, range: Range<u64>) -> Result<Vec<Tile>, StoreError> {
    let mut tiles = Vec::new();
    let (mut start, mut end) = (range.start, range.end);
    for level in 0..=TILE_LEVEL_MAX {
        // A tile of 2^8 hashes of the level below.
        (start, end) = (start >> 8u32, end >> 8u32);
        for index in start..end {
            tiles.extend(store.tile(level, index)?.map(|hashes| Tile { level, index, hashes }));
        }
    }
    Ok(tiles)
}

/// Copies all rows, and the count of entries that they stand for.
fn copy_rows(old: &SledStore, new: &SledStore) -> Result<(), StoreError> {
    let mut from = Vec::new();
    loop {
        let rows = old.scan(&from, &prefix_end(&[]), STEP_ROWS)?;
        let Some((last, _)) = rows.last() else { break };
        from = [last.as_slice(), &[0]].concat();
        let rows = rows.into_iter().map(|(key, value)| RowChange::Put { key, value });
        let mut step = Vec::new();
        let mut bytes = 0usize;
        for row in rows {
            bytes = bytes.saturating_add(row.key().len()).saturating_add(crate::ROW_VALUE_BYTES_MAX);
            step.push(row);
            if bytes >= BATCH_BYTES_MAX / 2 {
                new.write_rows(0, &std::mem::take(&mut step))?;
                bytes = 0;
            }
        }
        new.write_rows(0, &step)?;
    }
    new.write_rows(old.applied_to()?, &[])
}

/// The next entries and as many bodies: at least one of each.
fn step(store: &SledStore, range: Range<u64>) -> Result<(Vec<EntryBytes>, Vec<BodyBytes>), StoreError> {
    let end = range.end.min(range.start.saturating_add(u64::try_from(BATCH_ENTRIES_MAX).unwrap_or(u64::MAX)));
    let mut entries = store.entries(range.start..end, STEP_BYTES)?;
    let mut bodies = store.bodies(range.start..end, STEP_BYTES)?;
    let count = entries.len().min(bodies.len());
    entries.truncate(count);
    bodies.truncate(count);
    if count == 0 {
        return Err(StoreError::DataLoss { detail: format!("entry {} can't be copied", range.start) });
    }
    Ok((entries, bodies))
}

/// Copies the values under a prefix as they stand, after a look at their checksums.
fn copy_values(old: &SledStore, new: &SledStore, prefix: &[u8]) -> Result<(), StoreError> {
    let mut changes = ::sled::Batch::default();
    let mut count: usize = 0;
    for pair in old.engine.db.scan_prefix(prefix) {
        let (key, stored) = pair.map_err(|cause| failed("read a value to copy", cause))?;
        value::unframe("value to copy", &key, &stored)?;
        changes.insert(key, stored);
        count = count.saturating_add(1);
        if count.is_multiple_of(STEP_VALUES) {
            new.engine.apply(std::mem::take(&mut changes))?;
        }
    }
    new.engine.apply(changes)
}

/// Compares everything in the two stores.
fn compare(old: &SledStore, new: &SledStore) -> Result<(), StoreError> {
    let differs = |what: &str| StoreError::DataLoss { detail: format!("the copy differs in {what}") };
    let (size, root) = old.head()?;
    if new.head()? != (size, root) {
        return Err(differs("size or root"));
    }
    let mut next = 0;
    while next < size {
        let (entries, bodies) = step(old, next..size)?;
        let end = next.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        if new.entries(next..end, usize::MAX)? != entries || new.bodies(next..end, usize::MAX)? != bodies {
            return Err(differs("its entries"));
        }
        if tiles(old, next..end)? != tiles(new, next..end)? {
            return Err(differs("its tiles"));
        }
        next = end;
    }
    compare_rows(old, new)?;
    let mut copies = new.engine.db.scan_prefix(BLOBS);
    for pair in old.engine.db.scan_prefix(BLOBS) {
        let pair = pair.map_err(|cause| failed("read a value to compare", cause))?;
        let copy = copies.next().transpose().map_err(|cause| failed("read a copied value", cause))?;
        if copy != Some(pair) {
            return Err(differs("its blobs"));
        }
    }
    if copies.next().is_some() {
        return Err(differs("its count of blobs"));
    }
    Ok(())
}

fn compare_rows(old: &SledStore, new: &SledStore) -> Result<(), StoreError> {
    let differs = |what: &str| StoreError::DataLoss { detail: format!("the copy differs in {what}") };
    if old.applied_to()? != new.applied_to()? {
        return Err(differs("what its rows stand for"));
    }
    let mut from = Vec::new();
    loop {
        let [old, new] = [old, new].map(|store| store.scan(&from, &prefix_end(&[]), STEP_ROWS));
        let old = old?;
        if new? != old {
            return Err(differs("its rows"));
        }
        let Some((last, _)) = old.last() else { return Ok(()) };
        from = [last.as_slice(), &[0]].concat();
    }
}
