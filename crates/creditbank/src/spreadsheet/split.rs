//! Text to rows: RFC 4180, letter by letter, so that every limit is met before memory is used.

use super::error::Fault;

/// The most columns of a row.
pub(crate) const COLUMNS_MAX: usize = 1_024;
/// The most bytes of a field, as UTF-8.
pub(crate) const FIELD_BYTES_MAX: usize = 65_536;
/// The most bytes of a row, as UTF-8, with delimiters, quotation marks and line breaks.
pub(crate) const ROW_BYTES_MAX: usize = 1_048_576;

// A row of the longest fields is stopped by the row's limit, not by memory.
const _: () = assert!(FIELD_BYTES_MAX < ROW_BYTES_MAX);

/// One row of a spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// Its fields as they stand, not trimmed.
    pub(crate) fields: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a field.
    Begin,
    /// In a field without quotation marks.
    Plain,
    /// Within quotation marks.
    Quoted,
    /// After a quotation mark within quotation marks: it ends the field, or stands for itself if doubled.
    QuoteSeen,
}

/// Splits text into rows.
pub(super) struct Splitter {
    delimiter: char,
    state: State,
    fields: Vec<String>,
    field: String,
    row_bytes: usize,
    row_line: u64,
    line: u64,
    after_return: bool,
}

impl Splitter {
    pub(super) fn new(delimiter: char) -> Self {
        Self {
            delimiter,
            state: State::Begin,
            fields: Vec::new(),
            field: String::new(),
            row_bytes: 0,
            row_line: 1,
            line: 1,
            after_return: false,
        }
    }

    /// The line it has come to, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The column it has come to, from 1.
    pub(super) fn column(&self) -> usize {
        self.fields.len().saturating_add(1)
    }

    /// Takes one letter; gives the row that it ends.
    pub(super) fn push(&mut self, letter: char) -> Result<Option<Row>, Fault> {
        let second_half = letter == '\n' && self.after_return;
        self.after_return = letter == '\r';
        if second_half && self.state != State::Quoted {
            return Ok(None);
        }
        let breaks = matches!(letter, '\n' | '\r');
        if self.row_bytes == 0 {
            self.row_line = self.line;
        }
        self.row_bytes = self.row_bytes.saturating_add(letter.len_utf8());
        if self.row_bytes > ROW_BYTES_MAX {
            return Err(Fault::RowTooLong);
        }
        let line = self.line;
        if breaks && !second_half {
            self.line = line.saturating_add(1);
        }
        match (self.state, letter) {
            (State::Quoted, '"') => self.state = State::QuoteSeen,
            (State::Quoted, _) => self.keep(letter)?,
            (State::QuoteSeen, '"') => {
                self.state = State::Quoted;
                self.keep(letter)?;
            }
            (State::Begin, '"') => self.state = State::Quoted,
            (_, _) if letter == self.delimiter => self.end_field()?,
            (_, '\n' | '\r') => {
                self.end_field().inspect_err(|_| self.line = line)?;
                return Ok(self.end_row());
            }
            (State::QuoteSeen, _) => return Err(Fault::TextAfterQuote),
            (State::Begin | State::Plain, _) => {
                self.state = State::Plain;
                self.keep(letter)?;
            }
        }
        Ok(None)
    }

    /// The row at the end of the text, if it has no line break.
    pub(super) fn finish(&mut self) -> Result<Option<Row>, Fault> {
        if self.state == State::Quoted {
            self.line = self.row_line;
            return Err(Fault::QuoteOpen);
        }
        if self.row_bytes == 0 {
            return Ok(None);
        }
        self.end_field()?;
        Ok(self.end_row())
    }

    fn keep(&mut self, letter: char) -> Result<(), Fault> {
        if self.field.len().saturating_add(letter.len_utf8()) > FIELD_BYTES_MAX {
            return Err(Fault::FieldTooLong);
        }
        self.field.push(letter);
        Ok(())
    }

    fn end_field(&mut self) -> Result<(), Fault> {
        if self.fields.len() >= COLUMNS_MAX {
            return Err(Fault::TooManyColumns);
        }
        self.fields.push(std::mem::take(&mut self.field));
        self.state = State::Begin;
        Ok(())
    }

    /// The row, or nothing for an empty line.
    fn end_row(&mut self) -> Option<Row> {
        self.row_bytes = 0;
        let fields = std::mem::take(&mut self.fields);
        let empty = matches!(fields.as_slice(), [only] if only.is_empty());
        (!empty).then_some(Row { line: self.row_line, fields })
    }
}
