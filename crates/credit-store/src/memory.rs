//! A store in memory, for tests and tools.

use crate::batch;
use crate::{Batch, BodyBytes, EMPTY_ROOT, EntryBytes, Row, RowChange, Store, StoreError};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store that lives as long as its process. It keeps to every rule of [`Store`] but durability.
#[derive(Debug, Default)]
pub struct MemoryStore {
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    entries: Vec<EntryBytes>,
    bodies: Vec<BodyBytes>,
    root: [u8; 32],
    /// What [`Store::head`] says.
    durable: (u64, [u8; 32]),
    /// What batches led to that are not in there yet.
    staged: VecDeque<(u64, [u8; 32])>,
    tiles: BTreeMap<(u8, u64), Vec<[u8; 32]>>,
    blobs: BTreeMap<[u8; 32], Vec<u8>>,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    applied_to: u64,
    closed: bool,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            bodies: Vec::new(),
            root: EMPTY_ROOT,
            durable: (0, EMPTY_ROOT),
            staged: VecDeque::new(),
            tiles: BTreeMap::new(),
            blobs: BTreeMap::new(),
            rows: BTreeMap::new(),
            applied_to: 0,
            closed: false,
        }
    }
}

const CLOSED: &str = "it was closed";

impl MemoryStore {
    /// A store without entries.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> MutexGuard<'_, Held> {
        // Each change below is done only after everything that can fail, so a poisoned lock guards whole data.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<MutexGuard<'_, Held>, StoreError> {
        let held = self.read();
        if held.closed {
            return Err(StoreError::Stopped { reason: CLOSED.into() });
        }
        Ok(held)
    }
}

impl Held {
    fn size(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }

    fn change(&mut self, rows: &[RowChange]) {
        for row in rows {
            match row {
                RowChange::Put { key, value } => self.rows.insert(key.clone(), value.clone()),
                RowChange::Delete { key } => self.rows.remove(key),
            };
        }
    }
}

impl Store for MemoryStore {
    fn head(&self) -> Result<(u64, [u8; 32]), StoreError> {
        Ok(self.read().durable)
    }

    fn stage(&self, expected: u64, batch: &Batch) -> Result<(), StoreError> {
        let mut held = self.write()?;
        let actual = held.size();
        if expected != actual {
            return Err(StoreError::Fenced { expected, actual });
        }
        let measured = batch::check(actual, batch)?;
        for tile in &batch.tiles {
            if held.tiles.get(&(tile.level, tile.index)).is_some_and(|stored| *stored != tile.hashes) {
                return Err(StoreError::Shape { what: "a tile differs from the stored one" });
            }
        }
        held.entries.extend_from_slice(&batch.entries);
        held.bodies.extend_from_slice(&batch.bodies);
        held.tiles.extend(batch.tiles.iter().map(|tile| ((tile.level, tile.index), tile.hashes.clone())));
        held.change(&batch.rows);
        if !batch.rows.is_empty() {
            held.applied_to = measured.size;
        }
        held.root = batch.root;
        held.staged.push_back((measured.size, batch.root));
        Ok(())
    }

    fn sync(&self, size: u64) -> Result<(), StoreError> {
        let mut held = self.write()?;
        while let Some(head) = held.staged.front().copied().filter(|(staged, _)| *staged <= size) {
            held.durable = head;
            held.staged.pop_front();
        }
        Ok(())
    }

    fn check_space(&self, batch: &Batch) -> Result<(), StoreError> {
        batch::check(self.read().size(), batch).map(|_| ())
    }

    fn entries(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<EntryBytes>, StoreError> {
        Ok(page(&self.read().entries, range, bytes_max, EntryBytes::bytes))
    }

    fn bodies(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<BodyBytes>, StoreError> {
        Ok(page(&self.read().bodies, range, bytes_max, BodyBytes::bytes))
    }

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
        Ok(self.read().tiles.get(&(level, index)).cloned())
    }

    fn blob(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().blobs.get(digest).cloned())
    }

    fn put_blob(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        batch::check_blob(bytes)?;
        let mut held = self.write()?;
        match held.blobs.get(digest) {
            Some(stored) if stored == bytes => Ok(()),
            Some(_) => Err(StoreError::BlobDiffers),
            None => {
                held.blobs.insert(*digest, bytes.to_vec());
                Ok(())
            }
        }
    }

    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().rows.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        batch::check_scan(limit)?;
        if from >= to {
            return Ok(Vec::new());
        }
        let held = self.read();
        let range =
            held.rows.range(from.to_vec()..to.to_vec()).map(|(key, value)| (key.clone(), value.clone()));
        Ok(range.take(limit).collect())
    }

    fn write_rows(&self, applied_to: u64, rows: &[RowChange]) -> Result<(), StoreError> {
        let mut held = self.write()?;
        batch::check_applied(applied_to, held.applied_to, held.size())?;
        batch::check_rows(rows)?;
        held.change(rows);
        held.applied_to = applied_to;
        Ok(())
    }

    fn applied_to(&self) -> Result<u64, StoreError> {
        Ok(self.read().applied_to)
    }

    fn clear(&self, prefix: &[u8]) -> Result<(), StoreError> {
        let mut held = self.write()?;
        held.applied_to = 0;
        held.rows.retain(|key, _| !key.starts_with(prefix));
        Ok(())
    }

    fn flush_all(&self) -> Result<(), StoreError> {
        self.write().map(drop)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.read().closed = true;
        Ok(())
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn stopped(&self) -> Option<String> {
        self.read().closed.then(|| CLOSED.into())
    }
}

/// The items of a range until the next would be too many bytes; the first always.
fn page<T: Clone>(all: &[T], range: Range<u64>, bytes_max: usize, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let start = usize::try_from(range.start).unwrap_or(usize::MAX);
    let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(all.len());
    let mut page = Vec::new();
    let mut sum: usize = 0;
    for item in all.get(start..end).unwrap_or_default() {
        sum = sum.saturating_add(bytes(item));
        if sum > bytes_max && !page.is_empty() {
            break;
        }
        page.push(item.clone());
    }
    page
}
