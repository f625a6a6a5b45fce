//! Rebuilds the index rows from the log alone, and compares them with those that are there.

use crate::failure::Failure;
use crate::project;
use crate::reader::{decode, stored_row};
use crate::rows;
use credit_ledger::{Context, Row, RowId, View, event_reads, evolve_entry};
use credit_log::hash;
use credit_proto::entry;
use credit_store::{Direction, RowChange, Store};
use credit_types::genesis::PROTOCOL;
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{Digest, Reason, Rejection};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Entries folded before their rows are written.
const STEP_ENTRIES: u64 = 512;
/// The most bytes of entries read at once.
const READ_BYTES_MAX: usize = 4 << 20;
/// Rows compared at once.
const PAGE: usize = 4_096;

/// The first row that a rebuild makes another than it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDiffers {
    /// The row's key, in hexadecimal.
    pub key: String,
    /// Whether the row is there, and whether it should be.
    pub is_there: bool,
    /// Whether a rebuild makes it.
    pub should_be: bool,
}

/// Where the rebuilt rows lie while the log is folded.
trait Target {
    fn read(&self, id: &RowId) -> Result<Option<Row>, Failure>;
    fn write(&mut self, applied_to: u64, changes: Vec<RowChange>) -> Result<(), Failure>;
}

struct InStore<'a>(&'a dyn Store);

impl Target for InStore<'_> {
    fn read(&self, id: &RowId) -> Result<Option<Row>, Failure> {
        stored_row(self.0, id)
    }

    fn write(&mut self, applied_to: u64, changes: Vec<RowChange>) -> Result<(), Failure> {
        Ok(self.0.write_rows(applied_to, &changes)?)
    }
}

#[derive(Default)]
struct InMemory(BTreeMap<Vec<u8>, Vec<u8>>);

impl Target for InMemory {
    fn read(&self, id: &RowId) -> Result<Option<Row>, Failure> {
        let bytes = rows::key(id).and_then(|key| self.0.get(&key));
        bytes.map(|bytes| rows::decode(bytes)).transpose()
    }

    fn write(&mut self, _applied_to: u64, changes: Vec<RowChange>) -> Result<(), Failure> {
        for change in changes {
            match change {
                RowChange::Put { key, value } => drop(self.0.insert(key, value)),
                RowChange::Delete { key } => drop(self.0.remove(&key)),
            }
        }
        Ok(())
    }
}

/// Drops the projected rows and folds the log again; `progress` hears (entries done, entries in all). Vault rows stay.
pub fn rebuild_rows(store: &dyn Store, progress: impl FnMut(u64, u64)) -> Result<u64, Failure> {
    for prefix in rows::PROJECTED {
        store.clear(&[prefix])?;
    }
    let size = fold(store, &mut InStore(store), progress)?;
    store.flush_all()?;
    Ok(size)
}

/// Folds the log in memory and compares with the rows in the store, byte for byte.
pub fn compare_rows(
    store: &dyn Store,
    progress: impl FnMut(u64, u64),
) -> Result<Option<RowDiffers>, Failure> {
    let mut rebuilt = InMemory::default();
    fold(store, &mut rebuilt, progress)?;
    for prefix in rows::PROJECTED {
        let (mut from, to) = (vec![prefix], credit_store::prefix_end(&[prefix]));
        loop {
            let page = store.scan(&from, &to, PAGE, Direction::Forward)?;
            for (key, value) in &page {
                let expected = rebuilt.0.remove(key);
                if expected.as_ref() != Some(value) {
                    return Ok(Some(differs(key, true, expected.is_some())));
                }
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => from = [key.as_slice(), &[0]].concat(),
                _ => break,
            }
        }
    }
    Ok(rebuilt.0.keys().next().map(|key| differs(key, false, true)))
}

fn differs(key: &[u8], is_there: bool, should_be: bool) -> RowDiffers {
    let mut text = String::new();
    for byte in key {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    RowDiffers { key: text, is_there, should_be }
}

fn fold(
    store: &dyn Store,
    target: &mut impl Target,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, Failure> {
    let size = store.size()?;
    let (mut view, mut changes, mut leaves) = (View::new(), Vec::new(), Leaves::default());
    let mut index = 0u64;
    while index < size {
        for stored in store.entries(index..size.min(index.saturating_add(STEP_ENTRIES)), READ_BYTES_MAX)? {
            changes.extend(apply(store, target, &mut view, &mut leaves, &stored)?);
            index = index.saturating_add(1);
        }
        changes.extend(project::changed_rows(&mut view)?);
        target.write(index, std::mem::take(&mut changes))?;
        view = View::new();
        leaves.0.clear();
        progress(index, size);
    }
    Ok(size)
}

/// The leaf hashes of the entries of this step: links name them.
#[derive(Default)]
struct Leaves(BTreeMap<u64, Digest>);

fn apply(
    store: &dyn Store,
    target: &impl Target,
    view: &mut View,
    leaves: &mut Leaves,
    stored: &credit_store::EntryBytes,
) -> Result<Vec<RowChange>, Failure> {
    let broken = |what: &'static str| Failure::Fault(format!("rebuild: {what}"));
    let core = entry::decode_core(&stored.core).map_err(|_| broken("a core is not readable"))?;
    let (parts, events) = decode(&stored.parts, |manifest| {
        let id = RowId::Batch(manifest);
        view.get(&id).cloned().map_or_else(|| target.read(&id), |row| Ok(Some(row)))
    })?;
    leaves.0.insert(core.index, Digest(hash::leaf_hash(&stored.core)));
    for round in 0..=READ_ROUNDS_MAX {
        let missing = event_reads(&events, view);
        if missing.is_empty() {
            break;
        }
        if round == READ_ROUNDS_MAX {
            return Err(Rejection::new(Reason::FieldInvalid).index(core.index).into());
        }
        for id in missing {
            let row = if let RowId::Leaf(index) = &id {
                Some(Row::Leaf(leaf(store, leaves, *index)?))
            } else {
                target.read(&id)?
            };
            view.insert(id, row);
        }
    }
    let context = Context { index: core.index, recorded_at_us: core.recorded_at_us, protocol: PROTOCOL };
    evolve_entry(view, &context, &project::command_key(&parts, &events), &events);
    Ok(project::listing_rows(core.index, &parts.links, &events))
}

fn leaf(store: &dyn Store, leaves: &Leaves, index: u64) -> Result<Digest, Failure> {
    if let Some(hash) = leaves.0.get(&index) {
        return Ok(*hash);
    }
    let stored = store.entries(index..index.saturating_add(1), 1)?.pop().ok_or(Failure::NotFound("entry"))?;
    Ok(Digest(hash::leaf_hash(&stored.core)))
}
