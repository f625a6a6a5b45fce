//! Rows of the registry, kept ready: institutions, keys, frameworks and what else changes seldom and is asked for by every
//! call. They are those under the signed head, no others.

use crate::failure::Failure;
use credit_ledger::{Row, RowId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// The most rows that are kept; with one more all are dropped and kept anew as they are asked for.
pub(crate) const ROWS_KEPT_MAX: usize = 4_096;

/// Prefixes of the rows of the registry.
const PREFIXES: [u8; 7] = *b"egiknsw";

/// The rows.
#[derive(Default)]
pub(crate) struct RegistryRows {
    /// Counts the heads with which a row of the registry has changed.
    version: AtomicU64,
    kept: RwLock<Kept>,
}

/// Rows as they were at a version.
#[derive(Default)]
struct Kept {
    version: u64,
    rows: BTreeMap<RowId, Option<Row>>,
}

/// Whether a row is one of the registry.
fn is_kept(id: &RowId) -> bool {
    match id {
        RowId::Log
        | RowId::Institution(_)
        | RowId::Key(_)
        | RowId::Framework(_)
        | RowId::Scheme(_)
        | RowId::Book(_)
        | RowId::AutoApprovals(_) => true,
        RowId::Account(_)
        | RowId::Record(..)
        | RowId::Command(_)
        | RowId::Batch(_)
        | RowId::OpenBatches(_)
        | RowId::Subject(_)
        | RowId::Application(_)
        | RowId::Uses(_)
        | RowId::Head(_)
        | RowId::Leaf(_) => false,
    }
}

/// Whether a row with this key is one of the registry.
pub(crate) fn is_of_registry(key: &[u8]) -> bool {
    key.first().is_some_and(|prefix| PREFIXES.contains(prefix))
}

impl RegistryRows {
    /// Says that rows of the registry are others from now on: after they can be read, before anybody is answered.
    pub(crate) fn changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// A row, as kept or as `read` finds it.
    pub(crate) fn row(
        &self,
        id: &RowId,
        read: impl FnOnce() -> Result<Option<Row>, Failure>,
    ) -> Result<Option<Row>, Failure> {
        if !is_kept(id) {
            return read();
        }
        let version = self.version.load(Ordering::Acquire);
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if kept.version == version
            && let Some(row) = kept.rows.get(id)
        {
            return Ok(row.clone());
        }
        drop(kept);
        let row = read()?;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // What was read while the rows changed may be of either side; it is not kept.
        if version == self.version.load(Ordering::Acquire) {
            if kept.version != version || kept.rows.len() >= ROWS_KEPT_MAX {
                *kept = Kept { version, rows: BTreeMap::new() };
            }
            kept.rows.insert(id.clone(), row.clone());
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{AccountRef, Kid};
    use std::cell::Cell;

    #[test]
    fn a_row_is_read_once_until_the_registry_changes() {
        let rows = RegistryRows::default();
        let reads = Cell::new(0);
        let ask = |id: &RowId| {
            let read = || {
                reads.set(reads.get() + 1);
                Ok(None)
            };
            rows.row(id, read).unwrap()
        };
        let key = RowId::Key(Kid([1; 32]));
        assert_eq!((ask(&key), ask(&key), reads.get()), (None, None, 1));
        rows.changed();
        assert_eq!((ask(&key), ask(&key), reads.get()), (None, None, 2));
        let account = RowId::Account(AccountRef([1; 16]));
        assert_eq!((ask(&account), ask(&account), reads.get()), (None, None, 4));
    }

    #[test]
    fn what_is_read_while_the_rows_change_is_not_kept() {
        let rows = RegistryRows::default();
        let mut reads = 0;
        for _ in 0..3 {
            let read = || {
                reads += 1;
                rows.changed();
                Ok(None)
            };
            rows.row(&RowId::Log, read).unwrap();
        }
        assert_eq!(reads, 3);
    }

    #[test]
    fn no_more_rows_are_kept_than_may_be() {
        let rows = RegistryRows::default();
        let ask = |number: usize| {
            let mut kid = [0; 32];
            kid[..8].copy_from_slice(&number.to_be_bytes());
            rows.row(&RowId::Key(Kid(kid)), || Ok(None)).unwrap();
        };
        (0..ROWS_KEPT_MAX).for_each(ask);
        assert_eq!(rows.kept.read().unwrap().rows.len(), ROWS_KEPT_MAX);
        ask(ROWS_KEPT_MAX);
        assert_eq!(rows.kept.read().unwrap().rows.len(), 1);
    }
}
