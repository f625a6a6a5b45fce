//! The rows that a decision looks at.

use crate::row::{
    AccountRow, ApplicationRow, AutoApprovalsRow, BatchRow, BookRow, CommandKey, CommandRow, FrameworkRow,
    HeadRow, InstitutionRow, KeyRow, LogRow, OpenBatchesRow, RecordRow, Row, RowId, SchemeRow, SubjectRow,
    UsesRow,
};
use credit_types::{
    AccountRef, Digest, FrameworkId, InstitutionId, Kid, RecordId, SchemeId, SignerId, Subject,
};
use std::collections::{BTreeMap, BTreeSet};

/// Loaded rows; a row that is known to be absent is loaded too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    rows: BTreeMap<RowId, Option<Row>>,
    changed: BTreeSet<RowId>,
}

impl View {
    /// Begins with nothing loaded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a row; `None`: it is known to be absent. Loading is no change.
    pub fn insert(&mut self, id: RowId, row: Option<Row>) {
        self.rows.insert(id, row);
    }

    /// Whether a row is loaded, be it that it is absent.
    pub fn has(&self, id: &RowId) -> bool {
        self.rows.contains_key(id)
    }

    /// A row, if it is loaded and not absent.
    pub fn get(&self, id: &RowId) -> Option<&Row> {
        self.rows.get(id).and_then(Option::as_ref)
    }

    /// All rows that are loaded and not absent, by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&RowId, &Row)> {
        self.rows.iter().filter_map(|(id, row)| row.as_ref().map(|row| (id, row)))
    }

    /// The names of the rows that were written since they were last taken.
    pub fn changed(&self) -> &BTreeSet<RowId> {
        &self.changed
    }

    /// Takes the names of the rows that were written since this was last done.
    pub fn take_changed(&mut self) -> BTreeSet<RowId> {
        std::mem::take(&mut self.changed)
    }

    /// Writes a row.
    pub(crate) fn put(&mut self, id: RowId, row: Row) {
        self.changed.insert(id.clone());
        self.rows.insert(id, Some(row));
    }

    /// A row of a kind. Asking for one that was not loaded is a bug: `reads` and `event_reads` name them all.
    fn loaded<'a, T>(&'a self, id: &RowId, cast: impl FnOnce(&'a Row) -> Option<&'a T>) -> Option<&'a T> {
        let found = self.rows.get(id);
        assert!(found.is_some(), "{id:?} is used only after it was loaded");
        let row = found.and_then(Option::as_ref)?;
        let cast = cast(row);
        assert!(cast.is_some(), "{id:?} names its own kind of row");
        cast
    }

    /// The log; `None` before its entry 0.
    pub fn log(&self) -> Option<&LogRow> {
        self.loaded(&RowId::Log, |row| if let Row::Log(row) = row { Some(row.as_ref()) } else { None })
    }

    /// An institution.
    pub fn institution(&self, id: &InstitutionId) -> Option<&InstitutionRow> {
        let id = RowId::Institution(id.clone());
        self.loaded(&id, |row| if let Row::Institution(row) = row { Some(row.as_ref()) } else { None })
    }

    /// A key of an institution.
    pub fn key(&self, kid: Kid) -> Option<&KeyRow> {
        self.loaded(&RowId::Key(kid), |row| if let Row::Key(row) = row { Some(row.as_ref()) } else { None })
    }

    /// A framework.
    pub fn framework(&self, id: &FrameworkId) -> Option<&FrameworkRow> {
        let id = RowId::Framework(id.clone());
        self.loaded(&id, |row| if let Row::Framework(row) = row { Some(row.as_ref()) } else { None })
    }

    /// A credit scheme.
    pub fn scheme(&self, id: &SchemeId) -> Option<&SchemeRow> {
        let id = RowId::Scheme(id.clone());
        self.loaded(&id, |row| if let Row::Scheme(row) = row { Some(row.as_ref()) } else { None })
    }

    /// An account.
    pub fn account(&self, account_ref: AccountRef) -> Option<&AccountRow> {
        let id = RowId::Account(account_ref);
        self.loaded(&id, |row| if let Row::Account(row) = row { Some(row.as_ref()) } else { None })
    }

    /// A record.
    pub fn record(&self, issuer: &InstitutionId, record_id: RecordId) -> Option<&RecordRow> {
        let id = RowId::Record(issuer.clone(), record_id);
        self.loaded(&id, |row| if let Row::Record(row) = row { Some(row.as_ref()) } else { None })
    }

    /// A command that was recorded.
    pub fn command(&self, key: &CommandKey) -> Option<&CommandRow> {
        let id = RowId::Command(key.clone());
        self.loaded(&id, |row| if let Row::Command(row) = row { Some(row) } else { None })
    }

    /// A batch, by the index of its manifest's entry.
    pub fn batch(&self, manifest_index: u64) -> Option<&BatchRow> {
        let id = RowId::Batch(manifest_index);
        self.loaded(&id, |row| if let Row::Batch(row) = row { Some(row.as_ref()) } else { None })
    }

    /// The open batches of a signer.
    pub fn open_batches(&self, signer: &SignerId) -> Option<&OpenBatchesRow> {
        let id = RowId::OpenBatches(signer.clone());
        self.loaded(&id, |row| if let Row::OpenBatches(row) = row { Some(row) } else { None })
    }

    /// The last link of a subject.
    pub fn subject(&self, subject: &Subject) -> Option<&SubjectRow> {
        let id = RowId::Subject(subject.clone());
        self.loaded(&id, |row| if let Row::Subject(row) = row { Some(row) } else { None })
    }

    /// The versions of a rule book.
    pub fn book(&self, id: &FrameworkId) -> Option<&BookRow> {
        let id = RowId::Book(id.clone());
        self.loaded(&id, |row| if let Row::Book(row) = row { Some(row.as_ref()) } else { None })
    }

    /// What an institution applies without an officer.
    pub fn auto_approvals(&self, id: &InstitutionId) -> Option<&AutoApprovalsRow> {
        let id = RowId::AutoApprovals(id.clone());
        self.loaded(&id, |row| if let Row::AutoApprovals(row) = row { Some(row.as_ref()) } else { None })
    }

    /// An application, by the index of its entry.
    pub fn application(&self, index: u64) -> Option<&ApplicationRow> {
        let id = RowId::Application(index);
        self.loaded(&id, |row| if let Row::Application(row) = row { Some(row.as_ref()) } else { None })
    }

    /// What an account's records were used and are held for.
    pub fn uses(&self, account_ref: AccountRef) -> Option<&UsesRow> {
        let id = RowId::Uses(account_ref);
        self.loaded(&id, |row| if let Row::Uses(row) = row { Some(row.as_ref()) } else { None })
    }

    /// A head of the log, by its size.
    pub fn head(&self, size: u64) -> Option<&HeadRow> {
        self.loaded(&RowId::Head(size), |row| if let Row::Head(row) = row { Some(row) } else { None })
    }

    /// The leaf hash of an entry, by its index.
    pub fn leaf(&self, index: u64) -> Option<Digest> {
        let id = RowId::Leaf(index);
        self.loaded(&id, |row| if let Row::Leaf(hash) = row { Some(hash) } else { None }).copied()
    }
}
