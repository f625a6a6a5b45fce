//! The rows that the entries make: those met lately as nouns, all others encoded in a table.

use credit_ledger::{Row, RowId};

use crate::recent::{Kept, Name, Recent};
use crate::scratch::{Memory, ScratchError};
use crate::table::{Scan, Table};

/// Rows by their names.
pub(crate) struct Rows {
    recent: Recent,
    table: Table,
    /// Where rows are encoded before the table has their bytes: it grows once, not for each row.
    buffer: Vec<u8>,
}

impl Rows {
    /// No rows; they take about three quarters of the memory. Most of it is for rows that are read again: the table has
    /// mostly those that are there to be missed, and need not lie in memory for that.
    pub(crate) fn new(memory: &Memory) -> Self {
        Self { recent: Recent::new(memory.share(2)), table: Table::new(memory.part(2)), buffer: Vec::new() }
    }

    /// Other rows that are the same; `None` once some are in runs.
    pub(crate) fn fork(&self) -> Option<Self> {
        let Self { recent, table, buffer: _ } = self;
        Some(Self { recent: recent.clone(), table: table.fork()?, buffer: Vec::new() })
    }

    /// A row.
    pub(crate) fn get(&mut self, id: &RowId) -> Result<Option<Row>, ScratchError> {
        let name = Name::of(id);
        if let Some(row) = self.recent.get(&name) {
            return Ok(Some(row.clone()));
        }
        let Some(bytes) = self.table.get(name.bytes())? else { return Ok(None) };
        let row: Row = decoded(&bytes);
        self.keep(Kept { row: row.clone(), name, changed: false })?;
        Ok(Some(row))
    }

    /// Writes a row.
    pub(crate) fn put(&mut self, id: &RowId, row: Row) -> Result<(), ScratchError> {
        let name = Name::of(id);
        self.recent.remove(&name);
        if is_seldom_read(id) {
            return spill(&mut self.table, &mut self.buffer, &name, &row);
        }
        self.keep(Kept { row, name, changed: true })
    }

    fn keep(&mut self, kept: Kept) -> Result<(), ScratchError> {
        let Self { recent, table, buffer } = self;
        recent.put(kept, |old| if old.changed { spill(table, buffer, &old.name, &old.row) } else { Ok(()) })
    }

    /// All rows, each once, in an order of their names.
    pub(crate) fn all(&mut self) -> Result<AllRows<'_>, ScratchError> {
        for kept in self.recent.take_all().filter(|kept| kept.changed) {
            spill(&mut self.table, &mut self.buffer, &kept.name, &kept.row)?;
        }
        Ok(AllRows { scan: self.table.scan()? })
    }
}

/// Whether a row is there to be missed: that a statement happens once and a record's id is new. Such rows are as many
/// as entries, and would only drive out those that are read again.
fn is_seldom_read(id: &RowId) -> bool {
    match id {
        RowId::Command(_) | RowId::Record(..) => true,
        RowId::Log
        | RowId::Institution(_)
        | RowId::Key(_)
        | RowId::Framework(_)
        | RowId::Scheme(_)
        | RowId::Account(_)
        | RowId::Batch(_)
        | RowId::OpenBatches(_)
        | RowId::Subject(_)
        | RowId::Book(_)
        | RowId::AutoApprovals(_)
        | RowId::Application(_)
        | RowId::Uses(_)
        | RowId::Head(_)
        | RowId::Leaf(_) => false,
    }
}

/// All rows, one after another.
pub struct AllRows<'v> {
    scan: Scan<'v>,
}

impl AllRows<'_> {
    /// The next row with its name.
    pub fn next_row(&mut self) -> Result<Option<(RowId, Row)>, ScratchError> {
        Ok(self.scan.next_row()?.map(|(name, row)| (Name::read(&name), decoded(&row))))
    }
}

/// Encodes a row into the table.
fn spill(table: &mut Table, buffer: &mut Vec<u8>, name: &Name, row: &Row) -> Result<(), ScratchError> {
    buffer.clear();
    let Ok(filled) = postcard::to_extend(row, std::mem::take(buffer)) else {
        unreachable!("every row has an encoding")
    };
    *buffer = filled;
    table.put(name.bytes(), buffer)
}

fn decoded(bytes: &[u8]) -> Row {
    let Ok(row) = postcard::from_bytes(bytes) else {
        unreachable!("what this very process encoded is decoded")
    };
    row
}
