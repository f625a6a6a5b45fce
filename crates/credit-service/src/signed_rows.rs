//! Rows as of the signed head. A group's rows can be read in the store from the moment they are applied, long before
//! the group is durable and its head signed, and for ever if that fails. So the writer lays down beside the head what
//! every row that it is about to change was before; a reader takes the older value until the head of the group is
//! signed. Some groups may be on their way at once: of a row that several of them change, the first one's counts.
//!
//! Readers look into the store first and at the head second. A value found in the store is then either hidden by the
//! group that wrote it, or that group's head is signed by now.
//!
//! Whoever is answered before that head is signed, as the log's rules allow where no receipt is asked for, must still read
//! what it was told: what comes later waits until the head has come up to it.

use crate::failure::Failure;
use crate::head_signer::SignedHead;
use crate::reader::Shared;
use crate::registry_rows::{RegistryRows, is_of_registry};
use crate::rows;
use credit_ledger::{Row, RowId};
use credit_store::{Row as KeyAndValue, RowChange, Store};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// The size that is shown when no head will be shown any more.
const NO_MORE: u64 = u64::MAX;
/// The least rows read at once where some may be hidden.
const PAGE_MIN: usize = 256;

/// What the rows that a group changes were before it, by key; `None`: they were not there. At most as many as a group
/// has changes of rows.
#[derive(Debug, Default)]
pub(crate) struct Before {
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Whether any of them is one of the registry.
    of_registry: bool,
}

/// The newest signed head, and the rows that the store may hold newer than under it.
pub(crate) struct SignedRows {
    signed: RwLock<Arc<Signed>>,
    registry: RegistryRows,
    /// The size that callers were told of.
    told: AtomicU64,
    /// The size that is shown, for those who wait; [`NO_MORE`] once none will be.
    shown: watch::Sender<u64>,
}

struct Signed {
    head: Arc<SignedHead>,
    /// Of the groups that are on their way, in order: as many as the committer holds, and the one that is being staged.
    before: VecDeque<Arc<Before>>,
}

/// Stored rows as a group has read them, so that they need not be read again to know what they were.
pub(crate) struct Stored<'a> {
    store: &'a dyn Store,
    read: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Stored<'a> {
    /// Nothing read yet.
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        Self { store, read: BTreeMap::new() }
    }

    /// Reads a row of the core and remembers its bytes.
    pub(crate) fn row(&mut self, id: &RowId) -> Result<Option<Row>, Failure> {
        rows::load(id, |key| self.bytes(key))
    }

    /// Reads the bytes of a row and remembers them.
    pub(crate) fn bytes(&mut self, key: Vec<u8>) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(read) = self.read.get(&key) {
            return Ok(read.clone());
        }
        let bytes = self.store.row(&key)?;
        self.read.insert(key, bytes.clone());
        Ok(bytes)
    }

    /// What the rows that will change are now.
    pub(crate) fn before(self, changes: &[RowChange]) -> Result<Before, Failure> {
        let mut before = BTreeMap::new();
        for change in changes {
            let key = change.key();
            if before.contains_key(key) {
                continue;
            }
            let value = match self.read.get(key) {
                Some(value) => value.clone(),
                None if rows::is_written_once(key) || self.is_of_new_record(key) => None,
                None => self.store.row(key)?,
            };
            before.insert(key.to_vec(), value);
        }
        let of_registry = before.keys().any(|key| is_of_registry(key));
        Ok(Before { rows: before, of_registry })
    }
}

impl Stored<'_> {
    /// Whether a row is that of a record whose name was looked for and not found.
    fn is_of_new_record(&self, key: &[u8]) -> bool {
        rows::name_of_record(key).is_some_and(|name| self.read.get(&name) == Some(&None))
    }
}

impl SignedRows {
    /// A head after which nothing is being written.
    pub(crate) fn new(head: Arc<SignedHead>) -> Self {
        let size = head.edge.size();
        let signed = RwLock::new(Arc::new(Signed { head, before: VecDeque::new() }));
        let (shown, _) = watch::channel(size);
        Self { signed, registry: RegistryRows::default(), told: AtomicU64::new(size), shown }
    }

    fn now(&self) -> Arc<Signed> {
        Arc::clone(&self.signed.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&Signed) -> Signed) {
        let mut signed = self.signed.write().unwrap_or_else(PoisonError::into_inner);
        *signed = Arc::new(change(&signed));
    }

    /// The newest signed head.
    pub(crate) fn head(&self) -> Arc<SignedHead> {
        Arc::clone(&self.now().head)
    }

    /// Hides a group's rows from readers, before the first of them is written.
    pub(crate) fn hide(&self, before: Before) {
        self.change(|now| {
            let hidden = now.before.iter().cloned().chain([Arc::new(before)]).collect();
            Signed { head: Arc::clone(&now.head), before: hidden }
        });
    }

    /// Ends the hiding of the last group, of which nothing was written.
    pub(crate) fn unhide(&self) {
        self.change(|now| {
            let hidden = now.before.len().saturating_sub(1);
            Signed { head: Arc::clone(&now.head), before: now.before.iter().take(hidden).cloned().collect() }
        });
    }

    /// Shows the rows of the first groups together with the signed head of the last of them.
    pub(crate) fn show(&self, head: Arc<SignedHead>, groups: usize) {
        let size = head.edge.size();
        let registry = self.now().before.iter().take(groups).any(|before| before.is_of_registry());
        self.change(|now| Signed { head, before: now.before.iter().skip(groups).cloned().collect() });
        if registry {
            self.registry.changed();
        }
        self.shown.send_replace(size);
    }

    /// Says that callers will be told of a durable group that ends at a size, and whose head is yet to be shown.
    pub(crate) fn tell(&self, size: u64) {
        self.told.fetch_max(size, Ordering::AcqRel);
    }

    /// Says that no head will be shown any more: readers stay with the last one.
    pub(crate) fn end(&self) {
        self.shown.send_replace(NO_MORE);
    }

    /// Waits until the signed head has come up to everything that anybody was told of before.
    pub(crate) async fn caught_up(&self) {
        let told = self.told.load(Ordering::Acquire);
        if self.head().edge.size() < told {
            let mut shown = self.shown.subscribe();
            // It fails only when this has gone.
            drop(shown.wait_for(|size| *size >= told).await);
        }
    }

    /// A row under the signed head.
    pub(crate) fn row(&self, store: &dyn Store, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let stored = store.row(key);
        // What a row was is known also where the engine can't read it any more.
        match self.now().before.iter().find_map(|before| before.rows.get(key)) {
            Some(before) => Ok(before.clone()),
            None => Ok(stored?),
        }
    }

    /// The first `limit` rows with keys in `from..to` under the signed head, ascending.
    pub(crate) fn rows(
        &self,
        store: &dyn Store,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<KeyAndValue>, Failure> {
        let mut found: Vec<KeyAndValue> = Vec::new();
        let mut from = from.to_vec();
        // Each round goes on behind at least one stored row.
        loop {
            let wanted = limit.saturating_sub(found.len()).max(PAGE_MIN);
            let stored = store.scan(&from, to, wanted)?;
            let next = match stored.last() {
                Some((key, _)) if stored.len() == wanted => Some([key.as_slice(), &[0]].concat()),
                _ => None,
            };
            let end = next.as_deref().unwrap_or(to);
            let now = self.now();
            if now.before.is_empty() {
                found.extend(stored);
            } else {
                let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
                now.before.iter().rev().for_each(|before| before.over(&mut rows, &from, end));
                found.extend(rows);
            }
            found.truncate(limit);
            match next {
                Some(next) if found.len() < limit => from = next,
                _ => return Ok(found),
            }
        }
    }
}

impl Shared {
    /// The newest signed head.
    pub(crate) fn signed(&self) -> Arc<SignedHead> {
        self.signed_rows.head()
    }

    /// The bytes of a row under the signed head.
    pub(crate) fn row_bytes(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.signed_rows.row(self.store.as_ref(), key)
    }

    /// A row of the core under the signed head.
    pub(crate) fn row(&self, id: &RowId) -> Result<Option<Row>, Failure> {
        self.signed_rows.registry.row(id, || rows::load(id, |key| self.row_bytes(&key)))
    }

    /// The first `limit` rows with keys in `from..to` under the signed head, ascending.
    pub(crate) fn rows(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<KeyAndValue>, Failure> {
        self.signed_rows.rows(self.store.as_ref(), from, to, limit)
    }
}

impl Before {
    /// Makes rows in `from..to` what they were.
    fn over(&self, rows: &mut BTreeMap<Vec<u8>, Vec<u8>>, from: &[u8], to: &[u8]) {
        if from < to {
            for (key, before) in self.rows.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to))) {
                match before {
                    Some(value) => drop(rows.insert(key.clone(), value.clone())),
                    None => drop(rows.remove(key)),
                }
            }
        }
    }

    /// Whether any of the rows is one of the registry.
    pub(crate) fn is_of_registry(&self) -> bool {
        self.of_registry
    }
}

#[cfg(test)]
mod tests;
