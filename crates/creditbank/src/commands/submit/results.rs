//! The results file: what became of each row, for the student office to keep.

use crate::ending::{CommandError, unwritable};
use credit_types::{RecordId, Text};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The columns of the file.
const HEADER: [&str; 7] =
    ["line", "status", "reason", "message_en", "message_zh", "record_id", "entry_index"];

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowStatus {
    /// It is a record in the ledger now.
    Accepted,
    /// It was a record in the ledger before.
    Already,
    /// The ledger refused it, or it could not be sent.
    Refused,
    /// It is not credit, by the mapping.
    NotCredit,
    /// It can't be read as a record.
    Bad,
}

impl RowStatus {
    /// The word in the file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Already => "already",
            Self::Refused => "refused",
            Self::NotCredit => "not-credit",
            Self::Bad => "bad",
        }
    }
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowResult {
    /// The row's line in the spreadsheet, from 1.
    pub(super) line: u64,
    /// What became of it.
    pub(super) status: RowStatus,
    /// A stable code; empty where there is nothing to say.
    pub(super) reason: String,
    /// The same for people.
    pub(super) message: Text,
    /// The record's id, where it has one.
    pub(super) record_id: Option<RecordId>,
    /// Index of the entry that holds it, where that is known.
    pub(super) entry_index: Option<u64>,
}

/// Where the results of a spreadsheet go if nobody says: beside it.
pub(super) fn default_path(csv: &Path) -> PathBuf {
    csv.with_extension("results.csv")
}

/// Writes the file in one step: a reader finds the old one or the new one, never half of one.
pub(super) fn write(path: &Path, results: &[RowResult]) -> Result<(), CommandError> {
    let beside = path.with_extension("writing");
    let failed = |cause: csv::Error| unwritable(path)(std::io::Error::other(cause));
    let file = File::create(&beside).map_err(unwritable(&beside))?;
    // Spreadsheet programs take UTF-8 for what it is only behind a byte-order mark.
    (&file).write_all("\u{feff}".as_bytes()).map_err(unwritable(&beside))?;
    let mut rows = csv::Writer::from_writer(&file);
    rows.write_record(HEADER).map_err(failed)?;
    for result in results {
        let RowResult { line, status, reason, message, record_id, entry_index } = result;
        rows.write_record([
            &line.to_string(),
            status.name(),
            reason,
            &guarded(&message.en),
            &guarded(&message.zh),
            &record_id.map(|id| id.to_string()).unwrap_or_default(),
            &entry_index.map(|index| index.to_string()).unwrap_or_default(),
        ])
        .map_err(failed)?;
    }
    rows.flush().map_err(unwritable(path))?;
    drop(rows);
    file.sync_all().map_err(unwritable(path))?;
    fs::rename(&beside, path).map_err(unwritable(path))
}

/// A text that a spreadsheet program does not take for a formula: messages repeat cells of the file that was read.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(line: u64, status: RowStatus, message: &str) -> RowResult {
        RowResult {
            line,
            status,
            reason: "EMPTY".to_owned(),
            message: Text { zh: format!("{message}，中文"), en: message.to_owned() },
            record_id: (status == RowStatus::Accepted).then_some(RecordId([0xab; 16])),
            entry_index: (status == RowStatus::Accepted).then_some(7),
        }
    }

    #[test]
    fn every_row_has_one_line_that_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = default_path(&folder.path().join("semester.csv"));
        assert!(path.ends_with("semester.results.csv"));
        let results = [
            result(2, RowStatus::Accepted, ""),
            result(3, RowStatus::Bad, "a \"quoted\", broken\nvalue"),
            result(9, RowStatus::NotCredit, "=HYPERLINK(1)"),
        ];
        write(&path, &results).unwrap();
        write(&path, &results).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let mut rows = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
        assert_eq!(rows.headers().unwrap(), HEADER.as_slice());
        let read: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(&read[0][5], "ab".repeat(16));
        assert_eq!((&read[0][6], &read[1][6]), ("7", ""));
        assert_eq!(&read[1][3], "a \"quoted\", broken\nvalue");
        assert_eq!(&read[2][3], "'=HYPERLINK(1)");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_can_not_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let refused = write(&folder.path().join("missing/a.csv"), &[]).unwrap_err();
        assert_eq!(refused.exit, crate::ending::Exit::Unreachable);
    }
}
