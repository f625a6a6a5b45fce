//! How an institution's own spreadsheet becomes records: a mapping file in TOML.
//!
//! The format is documented in `ledger-data/mappings/README.md`. [`Mapping::parse`] checks a file once, constants and
//! lookup tables included, so that what is left to go wrong in [`Mapping::row`] is the row. A row is a record, or not
//! credit for a reason that the mapping names, or bad: never silently left out. No float, clock or file is used.

mod bounds;
mod dates;
mod decimal;
mod details;
mod draft;
mod filter;
mod form;
mod names;
#[cfg(test)]
mod oulad_tests;
mod problem;
mod record;
mod scalar;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use bounds::{
    framework, hour_kind, institution, mode, pass_state, record_kind, scheme, truth, unicode,
};
pub(crate) use decimal::{level_tenths, milli, whole};
pub(crate) use details::permille;
pub(crate) use draft::DraftRecord;
pub(crate) use names::{HOUR_KINDS, MODES, PASS_STATES, RECORD_KINDS, named};
pub(crate) use problem::{BadRow, Problem};
pub(crate) use scalar::Scalar;

use crate::spreadsheet::Layout;
use credit_types::Text;
use details::DetailsRule;
use filter::Filter;
use form::MappingForm;
use record::RecordRule;
use source::{Cells, Lookups, Source};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the format.
const FORMAT: u32 = 1;
/// The most bytes of a mapping file.
pub(crate) const MAPPING_BYTES_MAX: usize = 1 << 20;
/// The most columns of a row's key.
pub(crate) const KEY_COLUMNS_MAX: usize = 8;
/// The most bytes of a row key's scope.
pub(crate) const KEY_SCOPE_BYTES_MAX: usize = 64;
/// The most `not_credit` rules.
pub(crate) const FILTERS_MAX: usize = 64;
/// The most lookup tables.
pub(crate) const LOOKUPS_MAX: usize = 64;
/// The most rows of one lookup table.
pub(crate) const LOOKUP_ROWS_MAX: usize = 16_384;

/// A mapping file that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MappingError {
    /// The file is longer than [`MAPPING_BYTES_MAX`].
    #[error("the mapping is longer than {MAPPING_BYTES_MAX} bytes")]
    TooLong,
    /// It is not TOML, or has a key that the format does not know or lacks one that it needs.
    #[error("could not read the mapping")]
    Syntax(#[source] Box<toml::de::Error>),
    /// It is of another version of the format.
    #[error("the mapping has format {0}, this program reads format {FORMAT}")]
    Format(u32),
    /// There is more of something than its limit.
    #[error("the mapping has more than {max} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A field can't be used.
    #[error("{field} of the mapping {problem}")]
    Field {
        /// The field's path.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Columns that the mapping names and the spreadsheet does not have, each with a field that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnsMissing(pub(crate) Vec<(String, String)>);

impl MappingError {
    fn field(field: &str, problem: impl ToString) -> Self {
        Self::Field { field: field.to_owned(), problem: problem.to_string() }
    }
}

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowOutcome {
    /// A record.
    Record(Box<DraftRecord>),
    /// Not credit, by a rule of the mapping.
    NotCredit {
        /// The rule's stable code, for example `WITHDRAWN`.
        reason: String,
    },
    /// A row that the mapping can't turn into a record.
    Bad(BadRow),
}

/// A mapping that has been checked.
#[derive(Debug)]
pub(crate) struct Mapping {
    layout: Layout,
    scope: String,
    key: Vec<Source>,
    filters: Vec<Filter>,
    record: RecordRule,
    details: DetailsRule,
}

/// Where the columns of one spreadsheet stand; made by [`Mapping::columns`].
#[derive(Debug)]
pub(crate) struct Columns {
    positions: BTreeMap<String, usize>,
    count: usize,
}

impl Mapping {
    /// Reads a mapping file and checks all of it that does not depend on a row.
    pub(crate) fn parse(text: &str) -> Result<Self, MappingError> {
        if text.len() > MAPPING_BYTES_MAX {
            return Err(MappingError::TooLong);
        }
        let form: MappingForm =
            toml::from_str(text).map_err(|cause| MappingError::Syntax(Box::new(cause)))?;
        let MappingForm { format, encoding, delimiter, key, not_credit, lookup, record, details } = form;
        if format != FORMAT {
            return Err(MappingError::Format(format));
        }
        let lookups = lookups(lookup)?;
        at_most("not_credit rules", FILTERS_MAX, not_credit.len())?;
        at_most("key columns", KEY_COLUMNS_MAX, key.columns.len())?;
        if key.columns.is_empty() {
            return Err(MappingError::field("key.columns", "is empty"));
        }
        check_scope(&key.scope)?;
        Ok(Self {
            layout: Layout {
                encoding: encoding.map(form::EncodingForm::encoding),
                delimiter: delimiter.map(form::DelimiterForm::delimiter).unwrap_or_default(),
            },
            scope: key.scope,
            key: key
                .columns
                .iter()
                .map(|column| Source::column("key.columns", column))
                .collect::<Result<_, _>>()?,
            filters: not_credit.into_iter().map(Filter::compile).collect::<Result<_, _>>()?,
            record: RecordRule::compile(record, &lookups)?,
            details: DetailsRule::compile(details, &lookups)?,
        })
    }

    /// What names a row: the scope, and the columns whose cells are its key.
    pub(crate) fn naming(&self) -> (&str, Vec<&str>) {
        (&self.scope, self.key.iter().map(Source::label).collect())
    }

    /// How the spreadsheet is to be read.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The reasons for which rows are not credit, each once, with their texts.
    pub(crate) fn reasons(&self) -> BTreeMap<&str, &Text> {
        self.filters.iter().rev().map(|filter| (filter.reason(), filter.text())).collect()
    }

    /// Finds the columns in a spreadsheet's header; each that the mapping names must be there.
    pub(crate) fn columns(&self, header: &[String]) -> Result<Columns, ColumnsMissing> {
        let positions: BTreeMap<String, usize> =
            header.iter().enumerate().map(|(position, name)| (name.clone(), position)).collect();
        let mut needed: BTreeSet<(&str, &str)> = BTreeSet::new();
        for source in &self.key {
            source.needs(&mut needed);
        }
        for filter in &self.filters {
            filter.needs(&mut needed);
        }
        self.record.needs(&mut needed);
        self.details.needs(&mut needed);
        let missing: BTreeMap<&str, &str> =
            needed.into_iter().filter(|(column, _)| !positions.contains_key(*column)).collect();
        if missing.is_empty() {
            return Ok(Columns { positions, count: header.len() });
        }
        let owned = |(column, field): (&str, &str)| (column.to_owned(), field.to_owned());
        Err(ColumnsMissing(missing.into_iter().map(owned).collect()))
    }

    /// Says what a row is. The fields are those of a spreadsheet whose header gave the columns.
    pub(crate) fn row(&self, columns: &Columns, fields: &[String]) -> RowOutcome {
        match self.draft(columns, fields) {
            Ok(outcome) => outcome,
            Err(bad) => RowOutcome::Bad(bad),
        }
    }

    fn draft(&self, columns: &Columns, fields: &[String]) -> Result<RowOutcome, BadRow> {
        if fields.len() != columns.count {
            let problem = Problem::FieldCount { expected: columns.count, actual: fields.len() };
            return Err(BadRow { column: String::new(), field: String::new(), problem });
        }
        let cells = Cells::new(columns, fields);
        for filter in &self.filters {
            if filter.matches(&cells)? {
                return Ok(RowOutcome::NotCredit { reason: filter.reason().to_owned() });
            }
        }
        let row_key = self.row_key(&cells)?;
        let record = self.record.read(&cells)?;
        let details = self.details.read(&cells, &record)?;
        Ok(RowOutcome::Record(Box::new(record.into_draft(row_key, details))))
    }

    /// The scope and the key columns, each after its length, so that no two keys run into one another.
    fn row_key(&self, cells: &Cells) -> Result<Vec<u8>, BadRow> {
        let mut row_key = Vec::new();
        push_counted(&mut row_key, &self.scope);
        for source in &self.key {
            push_counted(&mut row_key, &source.required(cells)?);
        }
        Ok(row_key)
    }
}

impl Columns {
    fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }
}

fn push_counted(key: &mut Vec<u8>, text: &str) {
    // A field is at most 64 KiB long, so that the count always fits.
    let count = u32::try_from(text.len()).unwrap_or(u32::MAX);
    key.extend_from_slice(&count.to_be_bytes());
    key.extend_from_slice(text.as_bytes());
}

fn check_scope(scope: &str) -> Result<(), MappingError> {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'/');
    if scope.is_empty() || scope.len() > KEY_SCOPE_BYTES_MAX || !scope.bytes().all(letter) {
        return Err(MappingError::field(
            "key.scope",
            format!("must be 1 to {KEY_SCOPE_BYTES_MAX} of a-z, 0-9, '.', '-' and '/'"),
        ));
    }
    Ok(())
}

fn lookups(forms: BTreeMap<String, BTreeMap<String, Scalar>>) -> Result<Lookups, MappingError> {
    at_most("lookup tables", LOOKUPS_MAX, forms.len())?;
    let mut lookups = Lookups::new();
    for (name, rows) in forms {
        at_most("rows in one lookup table", LOOKUP_ROWS_MAX, rows.len())?;
        let rows: BTreeMap<String, String> = rows.into_iter().map(|(key, value)| (key, value.0)).collect();
        lookups.insert(name, rows.into());
    }
    Ok(lookups)
}

fn at_most(what: &'static str, max: usize, count: usize) -> Result<(), MappingError> {
    if count > max { Err(MappingError::TooMany { what, max }) } else { Ok(()) }
}
