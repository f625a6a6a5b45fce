//! Reads a spreadsheet that was saved as text: comma-separated values in UTF-8 or GB18030.
//!
//! An export of a student office is not to be trusted to be small, whole or well encoded. It is read in one pass of
//! bounded memory (two if the encoding has to be found out), and refused as a whole with the line and column where
//! it goes wrong. The form is RFC 4180's: a field that begins with a quotation mark ends at the next single one; in
//! a field that does not, a quotation mark is a letter like any other. Rows end in LF, CRLF or CR; rows in which all
//! fields are blank are left out.

mod decode;
mod error;
mod split;
#[cfg(test)]
mod tests;

pub(crate) use decode::Encoding;
pub(crate) use error::SpreadsheetError;
pub(crate) use split::Row;

use decode::TextReader;
use error::Fault;
use split::Splitter;
use std::collections::BTreeSet;
use std::io::{Read, Seek};

/// The most rows below the header, blank ones included: one batch of records, and what Excel can hold.
pub(crate) const ROWS_MAX: u64 = 1_048_576;

/// What parts the fields of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// `,`.
    #[default]
    Comma,
    /// `;`, as spreadsheets write where the comma is the decimal sign.
    Semicolon,
    /// A tabulator.
    Tab,
    /// `|`.
    Bar,
}

impl Delimiter {
    fn letter(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
            Self::Bar => '|',
        }
    }
}

/// What is known of a file before it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The encoding; `None`: a byte-order mark tells, else UTF-8 if all of the file is, else GB18030.
    pub(crate) encoding: Option<Encoding>,
    /// What parts the fields.
    pub(crate) delimiter: Delimiter,
}

/// A spreadsheet being read.
pub(crate) struct Spreadsheet<R> {
    text: TextReader<R>,
    splitter: Splitter,
    chunk: String,
    /// Bytes of the chunk that have been split.
    split_bytes: usize,
    header: Vec<String>,
    rows: u64,
    ended: bool,
}

impl<R: Read + Seek> Spreadsheet<R> {
    /// Finds out the encoding and reads the header, whose names are trimmed.
    pub(crate) fn open(source: R, layout: Layout) -> Result<Self, SpreadsheetError> {
        let mut sheet = Self {
            text: TextReader::open(source, layout.encoding)?,
            splitter: Splitter::new(layout.delimiter.letter()),
            chunk: String::new(),
            split_bytes: 0,
            header: Vec::new(),
            rows: 0,
            ended: false,
        };
        let first = sheet.row()?.ok_or(SpreadsheetError::at(1, 1, Fault::NoHeader))?;
        sheet.header = first.fields.iter().map(|name| name.trim().to_owned()).collect();
        let mut seen = BTreeSet::new();
        for (column, name) in (1..).zip(&sheet.header) {
            if !name.is_empty() && !seen.insert(name) {
                let fault = Fault::HeaderRepeated { name: name.chars().take(NAME_CHARS_SHOWN).collect() };
                return Err(SpreadsheetError::at(first.line, column, fault));
            }
        }
        Ok(sheet)
    }

    /// The names of the columns, trimmed; no name but the empty one stands twice.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The encoding that was given or found.
    pub(crate) fn encoding(&self) -> Encoding {
        self.text.encoding()
    }

    /// The next row that is not blank; `None` at the end and after an error.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, SpreadsheetError> {
        loop {
            let row = self.row()?;
            let Some(row) = row else { return Ok(None) };
            self.rows = self.rows.saturating_add(1);
            if self.rows > ROWS_MAX {
                self.ended = true;
                return Err(SpreadsheetError::at(row.line, 1, Fault::TooManyRows));
            }
            if row.fields.iter().any(|field| !field.trim().is_empty()) {
                return Ok(Some(row));
            }
        }
    }

    fn row(&mut self) -> Result<Option<Row>, SpreadsheetError> {
        while !self.ended {
            let rest = self.chunk.get(self.split_bytes..).unwrap_or_default();
            for letter in rest.chars() {
                self.split_bytes = self.split_bytes.saturating_add(letter.len_utf8());
                match self.splitter.push(letter) {
                    Ok(None) => {}
                    Ok(Some(row)) => return Ok(Some(row)),
                    Err(fault) => return Err(self.end_at(fault)),
                }
            }
            self.split_bytes = 0;
            match self.text.read_into(&mut self.chunk) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return self.splitter.finish().map_err(|fault| self.end_at(fault));
                }
                Err(fault) => return Err(self.end_at(fault)),
            }
        }
        Ok(None)
    }

    fn end_at(&mut self, fault: Fault) -> SpreadsheetError {
        self.ended = true;
        SpreadsheetError::at(self.splitter.line(), self.splitter.column(), fault)
    }
}

/// The most letters of a column's name that an error repeats.
const NAME_CHARS_SHOWN: usize = 64;
