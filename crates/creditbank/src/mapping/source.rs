//! Where a value comes from: constants, cells, templates over cells, lookup tables.

use super::form::{SourceForm, SourceTable};
use super::problem::{BadRow, Problem};
use super::{Columns, MappingError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most texts and columns of a template.
pub(crate) const TEMPLATE_PARTS_MAX: usize = 32;

/// The lookup tables of a mapping.
pub(super) type Lookups = BTreeMap<String, Arc<BTreeMap<String, String>>>;
/// Columns with the field that reads each.
pub(super) type Needs<'a> = BTreeSet<(&'a str, &'a str)>;

/// The cells of one row.
pub(super) struct Cells<'a> {
    columns: &'a Columns,
    fields: &'a [String],
}

impl<'a> Cells<'a> {
    pub(super) fn new(columns: &'a Columns, fields: &'a [String]) -> Self {
        Self { columns, fields }
    }

    /// The trimmed text of a cell; `columns` has been checked to have it.
    fn get(&self, column: &str) -> &'a str {
        let field = self.columns.position(column).and_then(|position| self.fields.get(position));
        field.map(|field| field.trim()).unwrap_or_default()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(String),
}

/// Where the text of one field comes from.
#[derive(Debug)]
pub(super) struct Source {
    /// The mapping's field, for reports.
    field: &'static str,
    /// The column or template, for reports.
    label: String,
    parts: Vec<Part>,
    lookup: Option<Arc<BTreeMap<String, String>>>,
    default: Option<String>,
    optional: bool,
}

impl Source {
    /// The cell of one column.
    pub(super) fn column(field: &'static str, column: &str) -> Result<Self, MappingError> {
        if column.trim().is_empty() || column.trim() != column {
            return Err(MappingError::field(
                field,
                "names a column that is empty or begins or ends with a space",
            ));
        }
        let parts = vec![Part::Column(column.to_owned())];
        Ok(Self { field, label: column.to_owned(), parts, lookup: None, default: None, optional: false })
    }

    pub(super) fn compile(
        field: &'static str,
        form: SourceForm,
        lookups: &Lookups,
    ) -> Result<Self, MappingError> {
        match form {
            SourceForm::Constant(text) => {
                let parts = vec![Part::Text(text.trim().to_owned())];
                Ok(Self { field, label: text, parts, lookup: None, default: None, optional: false })
            }
            SourceForm::Table(table) => Self::from_table(field, table, lookups),
        }
    }

    fn from_table(field: &'static str, table: SourceTable, lookups: &Lookups) -> Result<Self, MappingError> {
        let SourceTable { column, template, lookup, default, optional } = table;
        let source = match (column, template) {
            (Some(column), None) => Self::column(field, &column)?,
            (None, Some(template)) => {
                let parts =
                    template_parts(&template).map_err(|problem| MappingError::field(field, problem))?;
                Self { field, label: template, parts, lookup: None, default: None, optional: false }
            }
            _ => return Err(MappingError::field(field, "needs one of: column, template")),
        };
        if default.is_some() && optional {
            return Err(MappingError::field(field, "can't have both default and optional"));
        }
        let lookup = match lookup {
            Some(name) => {
                let table = lookups.get(&name).ok_or_else(|| {
                    MappingError::field(field, format!("names a lookup {name:?} that is not there"))
                })?;
                Some(Arc::clone(table))
            }
            None => None,
        };
        Ok(Self { lookup, default: default.map(|value| value.0), optional, ..source })
    }

    /// Tries all values that don't depend on a row: a constant, a lookup table's values, the default.
    pub(super) fn check(&self, parse: impl Fn(&str) -> Result<(), Problem>) -> Result<(), MappingError> {
        let constant = match self.parts.as_slice() {
            [Part::Text(text)] if self.lookup.is_none() => Some(text),
            _ => None,
        };
        let values = self.lookup.iter().flat_map(|table| table.values()).filter(|value| !value.is_empty());
        for value in constant.into_iter().chain(values).chain(&self.default) {
            parse(value).map_err(|problem| MappingError::field(self.field, problem.text().en))?;
        }
        Ok(())
    }

    pub(super) fn needs<'a>(&'a self, needs: &mut Needs<'a>) {
        for part in &self.parts {
            match part {
                Part::Text(_) => {}
                Part::Column(column) => {
                    needs.insert((column, self.field));
                }
            }
        }
    }

    /// The column or template.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The text before lookup and default; empty if one of its cells is.
    pub(super) fn raw(&self, cells: &Cells) -> String {
        let mut raw = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => raw.push_str(text),
                Part::Column(column) => match cells.get(column) {
                    "" => return String::new(),
                    cell => raw.push_str(cell),
                },
            }
        }
        raw
    }

    /// The value; `None` only where the field is optional.
    pub(super) fn value(&self, cells: &Cells) -> Result<Option<String>, BadRow> {
        let raw = self.raw(cells);
        let found = match &self.lookup {
            Some(_) if raw.is_empty() => None,
            Some(table) => match (table.get(&raw), &self.default) {
                (Some(value), _) => Some(value.clone()),
                (None, Some(_)) => None,
                (None, None) => return Err(self.bad(Problem::NotInLookup { value: Problem::shown(&raw) })),
            },
            None => Some(raw),
        };
        match found.filter(|value| !value.is_empty()).or_else(|| self.default.clone()) {
            Some(value) => Ok(Some(value)),
            None if self.optional => Ok(None),
            None => Err(self.bad(Problem::Empty)),
        }
    }

    /// The value of a field that must have one.
    pub(super) fn required(&self, cells: &Cells) -> Result<String, BadRow> {
        self.value(cells)?.ok_or_else(|| self.bad(Problem::Empty))
    }

    /// A report of what is wrong with this value.
    pub(super) fn bad(&self, problem: Problem) -> BadRow {
        BadRow { column: self.label.clone(), field: self.field.to_owned(), problem }
    }
}

/// A source whose text is read as something.
#[derive(Debug)]
pub(super) struct Field<T> {
    source: Source,
    read: fn(&str) -> Result<T, Problem>,
}

impl<T> Field<T> {
    pub(super) fn compile(
        field: &'static str,
        form: SourceForm,
        lookups: &Lookups,
        read: fn(&str) -> Result<T, Problem>,
    ) -> Result<Self, MappingError> {
        let source = Source::compile(field, form, lookups)?;
        source.check(|text| read(text).map(drop))?;
        Ok(Self { source, read })
    }

    /// The same for a field that the mapping need not have.
    pub(super) fn maybe(
        field: &'static str,
        form: Option<SourceForm>,
        lookups: &Lookups,
        read: fn(&str) -> Result<T, Problem>,
    ) -> Result<Option<Self>, MappingError> {
        form.map(|form| Self::compile(field, form, lookups, read)).transpose()
    }

    pub(super) fn needs<'a>(&'a self, needs: &mut Needs<'a>) {
        self.source.needs(needs);
    }

    pub(super) fn value(&self, cells: &Cells) -> Result<Option<T>, BadRow> {
        let Some(text) = self.source.value(cells)? else { return Ok(None) };
        (self.read)(&text).map(Some).map_err(|problem| self.source.bad(problem))
    }

    pub(super) fn required(&self, cells: &Cells) -> Result<T, BadRow> {
        self.value(cells)?.ok_or_else(|| self.source.bad(Problem::Empty))
    }

    pub(super) fn bad(&self, problem: Problem) -> BadRow {
        self.source.bad(problem)
    }
}

/// The columns of a field that the mapping need not have.
pub(super) fn needs_of<'a, T>(field: Option<&'a Field<T>>, needs: &mut Needs<'a>) {
    if let Some(field) = field {
        field.needs(needs);
    }
}

/// The value of a field that the mapping need not have and the row need not fill.
pub(super) fn value_of<T>(field: Option<&Field<T>>, cells: &Cells) -> Result<Option<T>, BadRow> {
    field.map_or(Ok(None), |field| field.value(cells))
}

/// Texts and `{column}`s; `{{` and `}}` stand for braces.
fn template_parts(template: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut column: Option<String> = None;
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, column.as_mut()) {
            ('{' | '}', None) if letters.next_if_eq(&letter).is_some() => text.push(letter),
            ('{', None) => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                column = Some(String::new());
            }
            ('}', Some(name)) if !name.trim().is_empty() && name.trim() == name => {
                parts.push(Part::Column(std::mem::take(name)));
                column = None;
            }
            ('{' | '}', _) => return Err("has a template with a stray brace".to_owned()),
            (_, Some(name)) => name.push(letter),
            (_, None) => text.push(letter),
        }
    }
    if column.is_some() {
        return Err("has a template whose brace is never closed".to_owned());
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    if !parts.iter().any(|part| matches!(part, Part::Column(_))) {
        return Err("has a template without a column: write a constant".to_owned());
    }
    if parts.len() > TEMPLATE_PARTS_MAX {
        return Err(format!("has a template of more than {TEMPLATE_PARTS_MAX} texts and columns"));
    }
    Ok(parts)
}
