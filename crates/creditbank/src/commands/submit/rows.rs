//! The rows of an institution's spreadsheet, every one read and checked before anything is sent.

use crate::ending::{CommandError, Exit, unreadable};
use crate::language::Phrase;
use crate::mapping::{BadRow, ColumnsMissing, DraftRecord, Mapping, Problem, RowOutcome};
use crate::spreadsheet::{Encoding, Spreadsheet, SpreadsheetError};
use credit_client::record_id_from_row;
use credit_types::{RecordId, Text};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The bytes read at once for the fingerprint.
const READ_BYTES: usize = 64 << 10;

/// The secret of ids that are never sent: rows are read and checked before the issuer's own is opened.
const PROVISIONAL: [u8; 32] = [0; 32];

/// Columns of a spreadsheet that are named where others are missing.
const COLUMNS_SHOWN: usize = 32;

/// What a row is.
#[derive(Debug)]
pub(super) enum RowState {
    /// A record, under the id that its key names once the sheet is named.
    Record(RecordId, Box<DraftRecord>),
    /// Not credit, for a reason of the mapping.
    NotCredit(String),
    /// Not to be read as a record.
    Bad(BadRow),
    /// A record that the ledger would refuse for its form.
    Unsendable(Text),
    /// A row with the key of another one, which stands at this line.
    Repeated(u64),
}

/// A row with its place.
#[derive(Debug)]
pub(super) struct SheetRow {
    /// The line, from 1.
    pub(super) line: u64,
    /// What it is.
    pub(super) state: RowState,
}

/// A spreadsheet that was read to its end.
pub(super) struct Sheet {
    /// Its rows, in their order.
    pub(super) rows: Vec<SheetRow>,
    /// The encoding that was given or found.
    pub(super) encoding: Encoding,
    /// Why rows are not credit, by the mapping's codes.
    pub(super) reasons: BTreeMap<String, Text>,
}

/// How many rows of each kind a sheet has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Records.
    pub(super) records: u64,
    /// Rows that are not credit.
    pub(super) not_credit: u64,
    /// Bad rows, repeated ones included.
    pub(super) bad: u64,
}

impl Sheet {
    /// Counts the rows by kind.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for row in &self.rows {
            let count = match row.state {
                RowState::Record(..) => &mut counts.records,
                RowState::NotCredit(_) => &mut counts.not_credit,
                RowState::Bad(_) | RowState::Unsendable(_) | RowState::Repeated(_) => &mut counts.bad,
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// Names the records by the issuer's own secret.
    pub(super) fn name(&mut self, secret: &[u8; 32]) {
        for row in &mut self.rows {
            if let RowState::Record(id, draft) = &mut row.state {
                *id = record_id_from_row(secret, &draft.row_key);
            }
        }
    }

    /// The learners' numbers, each once, ascending.
    pub(super) fn learners(&self) -> BTreeSet<&str> {
        let drafts = self.rows.iter().filter_map(|row| match &row.state {
            RowState::Record(_, draft) => Some(draft.learner_number.as_str()),
            RowState::NotCredit(_) | RowState::Bad(_) | RowState::Unsendable(_) | RowState::Repeated(_) => {
                None
            }
        });
        drafts.collect()
    }
}

/// SHA-256 of a file, and a guess at its rows: its line breaks.
pub(super) fn fingerprint(path: &Path) -> Result<([u8; 32], u64), CommandError> {
    let mut file = File::open(path).map_err(unreadable(path))?;
    let (mut hash, mut breaks, mut bytes) = (Sha256::new(), 0u64, vec![0u8; READ_BYTES]);
    loop {
        let count = file.read(&mut bytes).map_err(unreadable(path))?;
        let Some(read) = bytes.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        let found = read.split(|byte| *byte == b'\n').count().saturating_sub(1);
        breaks = breaks.saturating_add(u64::try_from(found).unwrap_or(u64::MAX));
    }
    Ok((hash.finalize().into(), breaks))
}

/// Reads and checks every row. The records' ids are provisional until [`Sheet::name`].
pub(super) fn read(
    path: &Path,
    mapping: &Mapping,
    mut advance: impl FnMut(u64),
) -> Result<Sheet, CommandError> {
    let file = File::open(path).map_err(unreadable(path))?;
    let mut sheet = Spreadsheet::open(file, mapping.layout()).map_err(|error| unusable(path, error))?;
    let columns = mapping.columns(sheet.header()).map_err(|missing| does_not_fit(path, &missing, &sheet))?;
    let mut rows = Vec::new();
    let mut seen: BTreeMap<RecordId, u64> = BTreeMap::new();
    while let Some(row) = sheet.next_row().map_err(|error| unusable(path, error))? {
        let state = match mapping.row(&columns, &row.fields) {
            RowOutcome::NotCredit { reason } => RowState::NotCredit(reason),
            RowOutcome::Bad(bad) => RowState::Bad(bad),
            RowOutcome::Record(draft) => {
                let id = record_id_from_row(&PROVISIONAL, &draft.row_key);
                if let Some(first) = seen.get(&id) {
                    RowState::Repeated(*first)
                } else {
                    seen.insert(id, row.line);
                    RowState::Record(id, draft)
                }
            }
        };
        rows.push(SheetRow { line: row.line, state });
        advance(row.line);
    }
    let encoding = sheet.encoding();
    let reasons = mapping.reasons().into_iter().map(|(code, text)| (code.to_owned(), text.clone())).collect();
    Ok(Sheet { rows, encoding, reasons })
}

fn unusable(path: &Path, error: SpreadsheetError) -> CommandError {
    let exit = match error.source().and_then(std::error::Error::source) {
        Some(cause) if cause.is::<std::io::Error>() => Exit::Unreachable,
        Some(_) | None => Exit::Usage,
    };
    let Text { zh, en } = error.fault.text();
    let of =
        |what: &str| Phrase::SpreadsheetUnusable.with(&[&path.display(), &error.line, &error.column, &what]);
    let text = Text { zh: of(&zh).zh, en: of(&en).en };
    match exit {
        // Only what the system says is not in the text.
        Exit::Unreachable => CommandError { exit, text, cause: None }.because(error),
        Exit::Done | Exit::Refused | Exit::Usage | Exit::Broken | Exit::NeedsNewer => {
            CommandError { exit, text, cause: None }
        }
    }
}

/// Names every column that is missing, and those that the spreadsheet has, among which the right one often is.
fn does_not_fit(
    path: &Path,
    ColumnsMissing(missing): &ColumnsMissing,
    sheet: &Spreadsheet<File>,
) -> CommandError {
    let shown = |name: &str| format!("{:?}", Problem::shown(name));
    let missing: Vec<String> =
        missing.iter().map(|(column, field)| format!("{} ({field})", shown(column))).collect();
    let mut has: Vec<String> = sheet.header().iter().take(COLUMNS_SHOWN).map(|name| shown(name)).collect();
    if sheet.header().len() > COLUMNS_SHOWN {
        has.push("…".to_owned());
    }
    let (missing, has) = (missing.join(", "), has.join(", "));
    let encoding = sheet.encoding();
    CommandError::usage(Phrase::MappingDoesNotFit, &[&path.display(), &missing, &has, &encoding])
}

/// What is wrong with a row and what to do, in both languages, with its column where there is one.
pub(super) fn bad_text(bad: &BadRow) -> Text {
    let (what, remedy) = (bad.problem.text(), bad.problem.remedy());
    let at = if bad.column.is_empty() { String::new() } else { format!("[{}] ", bad.column) };
    Text { zh: format!("{at}{}；{}", what.zh, remedy.zh), en: format!("{at}{}; {}", what.en, remedy.en) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const MAPPING: &str = include_str!("../../../../../ledger-data/mappings/semester.toml");
    const SEMESTER: &str = include_str!("../../../../../ledger-data/mappings/semester.csv");

    fn sheet(text: &str) -> Sheet {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        let (_, breaks) = fingerprint(&path).unwrap();
        assert_eq!(usize::try_from(breaks).unwrap(), text.matches('\n').count());
        read(&path, &Mapping::parse(MAPPING).unwrap(), |_| {}).unwrap()
    }

    /// The shipped example.
    pub(in super::super) fn semester() -> Sheet {
        sheet(SEMESTER)
    }

    #[test]
    fn the_sample_semester_has_rows_of_every_kind() {
        let read = sheet(SEMESTER);
        assert_eq!(read.counts(), Counts { records: 8, not_credit: 2, bad: 2 });
        assert!(read.reasons.contains_key("ABSENT"));
        for row in &read.rows {
            if let RowState::Bad(bad) = &row.state {
                let text = bad_text(bad);
                assert!(text.zh.contains('；') && text.en.contains("; "), "{text:?}");
            }
        }
    }

    #[test]
    fn a_row_that_stands_twice_is_named_with_the_line_of_the_first() {
        let mut lines: Vec<&str> = SEMESTER.lines().collect();
        let again = lines[1];
        lines.push(again);
        let read = sheet(&lines.join("\n"));
        assert_eq!(read.counts(), Counts { records: 8, not_credit: 2, bad: 3 });
        assert!(matches!(read.rows.last().unwrap().state, RowState::Repeated(2)));
    }

    #[test]
    fn a_row_names_the_same_record_in_every_import() {
        let ids = |sheet: &Sheet| -> Vec<RecordId> {
            let id = |row: &SheetRow| if let RowState::Record(id, _) = &row.state { Some(*id) } else { None };
            sheet.rows.iter().filter_map(id).collect()
        };
        let reversed: Vec<&str> = {
            let mut lines: Vec<&str> = SEMESTER.lines().collect();
            lines[1..].reverse();
            lines
        };
        let (first, mut second) = (ids(&sheet(SEMESTER)), ids(&sheet(&reversed.join("\r\n"))));
        second.reverse();
        assert_eq!(first, second);
        assert_eq!(first.len(), 8);
        let named = |secret: u8| {
            let mut sheet = sheet(SEMESTER);
            sheet.name(&[secret; 32]);
            ids(&sheet)
        };
        assert_eq!(named(7), named(7));
        assert!(named(7).iter().all(|id| !first.contains(id) && !named(8).contains(id)));
    }

    #[test]
    fn a_header_that_does_not_fit_is_told_with_every_column_that_is_missing_and_those_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, SEMESTER.replacen("学分,学时,成绩", "分数,课时,成绩", 1)).unwrap();
        let refused = read(&path, &Mapping::parse(MAPPING).unwrap(), |_| {}).err().unwrap();
        for text in [&refused.text.zh, &refused.text.en] {
            for told in
                ["\"学分\" (record.amount", "\"学时\" (record.minutes", "\"分数\"", "\"课时\"", "UTF-8"]
            {
                assert!(text.contains(told), "{told} in {text}");
            }
            assert!(!text.contains("\"成绩\" ("), "{text}");
        }
        std::fs::write(&path, "学期,学号\n1,\"open").unwrap();
        let refused = super::unusable(
            &path,
            Spreadsheet::open(File::open(&path).unwrap(), Mapping::parse(MAPPING).unwrap().layout())
                .and_then(|mut sheet| sheet.next_row())
                .err()
                .unwrap(),
        );
        assert!(refused.text.zh.contains("引号没有闭合") && refused.text.en.contains("never closed"));
    }

    #[test]
    fn a_sheet_that_does_not_fit_is_refused_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mapping = Mapping::parse(MAPPING).unwrap();
        for text in ["", "other,columns\n1,2\n", "学期,学号\n\"open"] {
            std::fs::write(&path, text).unwrap();
            let refused = read(&path, &mapping, |_| {}).err().unwrap();
            assert_eq!(refused.exit, Exit::Usage, "{text}");
        }
        let missing = read(&folder.path().join("b.csv"), &mapping, |_| {}).err().unwrap();
        assert_eq!(missing.exit, Exit::Unreachable);
    }
}
