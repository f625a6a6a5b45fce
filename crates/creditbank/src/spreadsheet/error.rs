//! Why a spreadsheet is refused, with the place and what to do.

use super::ROWS_MAX;
use super::decode::Encoding;
use super::split::{COLUMNS_MAX, FIELD_BYTES_MAX, ROW_BYTES_MAX};

/// A spreadsheet that can't be read to its end. Nothing of it has been taken for granted: rows given out before the
/// error were whole.
#[derive(Debug, thiserror::Error)]
#[error("could not read the spreadsheet at line {line}, column {column}")]
pub(crate) struct SpreadsheetError {
    /// The line, from 1, line breaks inside quotation marks counted.
    pub(crate) line: u64,
    /// The column, from 1.
    pub(crate) column: usize,
    /// What is wrong there.
    #[source]
    pub(crate) fault: Fault,
}

impl SpreadsheetError {
    pub(super) fn at(line: u64, column: usize, fault: Fault) -> Self {
        Self { line, column, fault }
    }
}

/// What is wrong with a spreadsheet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The bytes could not be read.
    #[error("the file could not be read")]
    Read(#[source] std::io::Error),
    /// An Excel workbook.
    #[error("this is a workbook, not text: save it as \"CSV UTF-8\"")]
    Workbook,
    /// UTF-16, as "Unicode text" is saved.
    #[error("this is UTF-16: save it as \"CSV UTF-8\"")]
    Utf16,
    /// A byte that the encoding does not have.
    #[error("a byte is not {0}: save the file as \"CSV UTF-8\", or name its encoding in the mapping")]
    NotEncoded(Encoding),
    /// Neither of the encodings that are looked for.
    #[error("the file is neither UTF-8 nor, here, GB18030: save it as \"CSV UTF-8\"")]
    EncodingUnknown,
    /// No row at all.
    #[error("there is no header")]
    NoHeader,
    /// Two columns of one name.
    #[error("the column {name:?} stands twice in the header")]
    HeaderRepeated {
        /// The name.
        name: String,
    },
    /// More than [`COLUMNS_MAX`] columns.
    #[error("a row has more than {COLUMNS_MAX} columns")]
    TooManyColumns,
    /// A field of more than [`FIELD_BYTES_MAX`] bytes.
    #[error("a field is longer than {FIELD_BYTES_MAX} bytes")]
    FieldTooLong,
    /// A row of more than [`ROW_BYTES_MAX`] bytes.
    #[error("a row is longer than {ROW_BYTES_MAX} bytes")]
    RowTooLong,
    /// More than [`ROWS_MAX`] rows.
    #[error("there are more than {ROWS_MAX} rows: split the file")]
    TooManyRows,
    /// Letters between a closing quotation mark and the end of the field.
    #[error(
        "there is text after a closing quotation mark: write a quotation mark within quotation marks twice"
    )]
    TextAfterQuote,
    /// The file ends within quotation marks.
    #[error("the quotation mark at the beginning of this field is never closed")]
    QuoteOpen,
}
