//! Rebuilds the index rows from the log alone, and compares them with those that are there.

use crate::failure::Failure;
use crate::project;
use crate::reader::{decode, stored_row};
use crate::rows;
use crate::rows_layout;
use credit_ledger::{Context, Row, RowId, View, event_reads, evolve_entry};
use credit_log::hash;
use credit_proto::entry;
use credit_store::{RowChange, Store};
use credit_types::genesis::PROTOCOL;
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{Digest, Reason, Rejection};
use std::collections::{BTreeMap, VecDeque};
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

/// Sees a row's key and value, and says whether it wants more.
pub type RowVisitor<'v> = dyn FnMut(&[u8], &[u8]) -> Result<bool, Failure> + 'v;

/// Where rebuilt rows lie until they are compared: a map of bytes, in order of its keys. A log may have more rows than
/// there is memory, so that the caller says where they go.
pub trait RowTable {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure>;

    /// Writes a row, whether or not it was there.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Failure>;

    /// Removes a row, if it is there.
    fn remove(&mut self, key: Vec<u8>) -> Result<(), Failure>;

    /// Shows every row by its key, until the visitor has seen enough: then it answers no.
    fn each(&self, visit: &mut RowVisitor<'_>) -> Result<(), Failure>;
}

/// Rows in memory: for logs of which it is known that they are small.
#[derive(Debug, Default)]
pub struct RowsInMemory(BTreeMap<Vec<u8>, Vec<u8>>);

impl RowTable for RowsInMemory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.get(key).cloned())
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Failure> {
        self.0.insert(key, value);
        Ok(())
    }

    fn remove(&mut self, key: Vec<u8>) -> Result<(), Failure> {
        self.0.remove(&key);
        Ok(())
    }

    fn each(&self, visit: &mut RowVisitor<'_>) -> Result<(), Failure> {
        for (key, value) in &self.0 {
            if !visit(key, value)? {
                break;
            }
        }
        Ok(())
    }
}

struct InTable<'a>(&'a mut dyn RowTable);

impl Target for InTable<'_> {
    fn read(&self, id: &RowId) -> Result<Option<Row>, Failure> {
        rows::load(id, |key| self.0.get(&key))
    }

    fn write(&mut self, _applied_to: u64, changes: Vec<RowChange>) -> Result<(), Failure> {
        for change in changes {
            match change {
                RowChange::Put { key, value } => self.0.put(key, value)?,
                RowChange::Delete { key } => self.0.remove(key)?,
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

/// Folds the log into an empty table and compares it with the rows in the store, byte for byte.
pub fn compare_rows(
    store: &dyn Store,
    table: &mut dyn RowTable,
    progress: impl FnMut(u64, u64),
) -> Result<Option<RowDiffers>, Failure> {
    if !rows_layout::is_current(store)? {
        let problem =
            "the index rows are laid out in an older way; start the server once, and they are laid out anew";
        return Err(Failure::Fault(problem.to_owned()));
    }
    fold(store, &mut InTable(table), progress)?;
    let mut kept = Projected { store, prefixes: &rows::PROJECTED, from: Vec::new(), page: VecDeque::new() };
    let mut found = None;
    table.each(&mut |key, value| {
        found = match kept.next()? {
            Some((there, held)) if there.as_slice() == key && held == value => return Ok(true),
            // A key that is there and before this one is made by no rebuild.
            Some((there, _)) if there.as_slice() < key => Some(differs(&there, true, false)),
            Some((there, _)) => Some(differs(key, there.as_slice() == key, true)),
            None => Some(differs(key, false, true)),
        };
        Ok(false)
    })?;
    if found.is_none() {
        found = kept.next()?.map(|(key, _)| differs(&key, true, false));
    }
    Ok(found)
}

/// The rows of a store that are projections of its log, by key.
struct Projected<'a> {
    store: &'a dyn Store,
    /// The prefixes that are still to be read, the present one first.
    prefixes: &'a [u8],
    /// Where the present prefix goes on; empty where it begins.
    from: Vec<u8>,
    page: VecDeque<credit_store::Row>,
}

impl Projected<'_> {
    fn next(&mut self) -> Result<Option<credit_store::Row>, Failure> {
        while self.page.is_empty() {
            let Some((prefix, rest)) = self.prefixes.split_first() else { return Ok(None) };
            if self.from.is_empty() {
                self.from.push(*prefix);
            }
            let to = credit_store::prefix_end(&[*prefix]);
            let page = self.store.scan(&self.from, &to, PAGE)?;
            match page.last() {
                Some((key, _)) if page.len() == PAGE => self.from = [key.as_slice(), &[0]].concat(),
                Some(_) | None => {
                    self.prefixes = rest;
                    self.from.clear();
                }
            }
            self.page = page.into();
        }
        Ok(self.page.pop_front())
    }
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
