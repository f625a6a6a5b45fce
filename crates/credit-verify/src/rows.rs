//! The rows that the entries make: those met lately as nouns, all others encoded in a table.
//!
//! What was met lately lies in two generations. Where the young one is full it becomes the old one, and what was not met
//! since goes to the table: rows that every entry needs stay, and records that nobody asks for again are encoded once.

use std::collections::BTreeMap;

use credit_ledger::{Row, RowId};

use crate::scratch::{Memory, ScratchError};
use crate::table::{Scan, Table};

/// What a row may take as a noun, without what it lists.
const ROW_BYTES: usize = 640;
/// The most rows of a generation: beyond that a search costs more than it saves.
const GENERATION_ROWS_MAX: usize = 16_384;

/// Rows by their names.
pub(crate) struct Rows {
    memory: Memory,
    young: Generation,
    old: Generation,
    table: Table,
}

#[derive(Clone, Default)]
struct Generation {
    rows: BTreeMap<RowId, Kept>,
    bytes: usize,
}

#[derive(Clone)]
struct Kept {
    row: Row,
    /// Whether the table has another row, or none.
    changed: bool,
}

impl Rows {
    /// No rows.
    pub(crate) fn new(memory: &Memory) -> Self {
        Self {
            memory: memory.clone(),
            young: Generation::default(),
            old: Generation::default(),
            table: Table::new(memory.clone()),
        }
    }

    /// Other rows that are the same; `None` once some are in runs.
    pub(crate) fn fork(&self) -> Option<Self> {
        let Self { memory, young, old, table } = self;
        let (young, old) = (young.clone(), old.clone());
        Some(Self { memory: memory.clone(), young, old, table: table.fork()? })
    }

    /// A row.
    pub(crate) fn get(&mut self, id: &RowId) -> Result<Option<Row>, ScratchError> {
        if let Some(kept) = self.young.rows.get(id) {
            return Ok(Some(kept.row.clone()));
        }
        if let Some(kept) = self.old.rows.remove(id) {
            let row = kept.row.clone();
            self.keep(id.clone(), kept)?;
            return Ok(Some(row));
        }
        let Some(bytes) = self.table.get(&encoded(id))? else { return Ok(None) };
        let row: Row = decoded(&bytes);
        self.keep(id.clone(), Kept { row: row.clone(), changed: false })?;
        Ok(Some(row))
    }

    /// Writes a row.
    pub(crate) fn put(&mut self, id: RowId, row: Row) -> Result<(), ScratchError> {
        self.old.rows.remove(&id);
        self.keep(id, Kept { row, changed: true })
    }

    fn keep(&mut self, id: RowId, kept: Kept) -> Result<(), ScratchError> {
        self.young.bytes = self.young.bytes.saturating_add(weight(&kept.row));
        self.young.rows.insert(id, kept);
        let full = self.young.rows.len() >= GENERATION_ROWS_MAX || self.young.bytes >= self.memory.share(16);
        if full {
            let oldest = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            for (id, kept) in oldest.rows.into_iter().filter(|(_, kept)| kept.changed) {
                self.table.put(encoded(&id), encoded(&kept.row))?;
            }
        }
        Ok(())
    }

    /// All rows, each once, in an order of their names.
    pub(crate) fn all(&mut self) -> Result<AllRows<'_>, ScratchError> {
        for generation in [std::mem::take(&mut self.old), std::mem::take(&mut self.young)] {
            for (id, kept) in generation.rows.into_iter().filter(|(_, kept)| kept.changed) {
                self.table.put(encoded(&id), encoded(&kept.row))?;
            }
        }
        Ok(AllRows { scan: self.table.scan()? })
    }
}

/// All rows, one after another.
pub struct AllRows<'v> {
    scan: Scan<'v>,
}

impl AllRows<'_> {
    /// The next row with its name.
    pub fn next_row(&mut self) -> Result<Option<(RowId, Row)>, ScratchError> {
        Ok(self.scan.next_row()?.map(|(id, row)| (decoded(&id), decoded(&row))))
    }
}

/// About what a row takes in memory.
fn weight(row: &Row) -> usize {
    let listed = match row {
        Row::Log(_) => 16,
        Row::Institution(row) => row.admission.accreditations.len().saturating_add(row.keys.len()),
        Row::Key(row) => row.authorised_by.len(),
        Row::Framework(row) => row.framework.schemes.len(),
        Row::Account(row) => row.steps.len(),
        Row::Record(row) => row.steps.len(),
        Row::OpenBatches(row) => row.batches.len(),
        Row::Scheme(_) | Row::Command(_) | Row::Batch(_) | Row::Subject(_) | Row::Head(_) | Row::Leaf(_) => 0,
    };
    listed.saturating_mul(256).saturating_add(ROW_BYTES)
}

fn encoded<T: serde::Serialize>(noun: &T) -> Vec<u8> {
    let Ok(bytes) = postcard::to_stdvec(noun) else { unreachable!("every row and name has an encoding") };
    bytes
}

fn decoded<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> T {
    let Ok(noun) = postcard::from_bytes(bytes) else {
        unreachable!("what this very process encoded is decoded")
    };
    noun
}
