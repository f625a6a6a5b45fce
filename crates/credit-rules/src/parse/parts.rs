//! Reads a TOML text as a type; where that fails, part by part, so that one faulty rule does not hide the next.

use super::place::{Lines, path_of};
use super::wording;
use crate::book::{Award, Book, Compliance, Constraint, GradeMap, LevelMap, Rule};
use crate::cases::{Case, Cases};
use crate::finding::Finding;
use crate::limits::FINDINGS_MAX;
use crate::path::{BookPath, PathStep};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error, ValueDeserializer};

/// A file that can be read by parts: lists whose members are read alone.
pub(crate) trait ByParts: DeserializeOwned {
    /// The keys of the lists, each with what reads one member.
    const LISTS: &'static [(&'static str, ReadOne)];
}

/// Reads one member of a list, for its error.
pub(crate) type ReadOne = fn(Spanned<DeValue<'_>>) -> Result<(), Error>;

fn one<T: DeserializeOwned>(value: Spanned<DeValue<'_>>) -> Result<(), Error> {
    T::deserialize(ValueDeserializer::from(value)).map(|_| ())
}

impl ByParts for Book {
    const LISTS: &'static [(&'static str, ReadOne)] = &[
        ("rule", one::<Rule>),
        ("constraint", one::<Constraint>),
        ("award", one::<Award>),
        ("compliance", one::<Compliance>),
        ("level_map", one::<LevelMap>),
        ("grade_map", one::<GradeMap>),
    ];
}

impl ByParts for Cases {
    const LISTS: &'static [(&'static str, ReadOne)] = &[("test", one::<Case>)];
}

/// Reads a text, whose depth has been checked.
pub(crate) fn read<T: ByParts>(text: &str) -> Result<T, Vec<Finding>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let lines = Lines::new(text);
        // Without their tree, errors of syntax have a place and no path.
        let found = errors.iter().take(FINDINGS_MAX);
        return Err(found.map(|error| wording::of_syntax(error, &lines, BookPath::default())).collect());
    }
    T::deserialize(Deserializer::from(table)).or_else(|first| explain::<T>(text, &first))
}

/// All errors of all parts.
fn explain<T: ByParts>(text: &str, first: &Error) -> Result<T, Vec<Finding>> {
    let lines = Lines::new(text);
    let whole =
        DeTable::parse(text).map_err(|error| vec![wording::of_type(&error, &lines, BookPath::default())])?;
    let mut rest = whole.clone().into_inner();
    let mut found: Vec<Finding> = Vec::new();
    let mut add = |error: &Error, value: &DeValue<'_>, above: BookPath| {
        if found.len() < FINDINGS_MAX {
            let path = error.span().map(|span| path_of(value, &above, &span)).unwrap_or(above);
            found.push(wording::of_type(error, &lines, path));
        }
    };
    for (key, read_one) in T::LISTS {
        let Some(DeValue::Array(list)) = whole.get_ref().get(*key).map(Spanned::get_ref) else { continue };
        rest.remove(*key);
        for (index, value) in list.iter().enumerate() {
            if let Err(error) = read_one(value.clone()) {
                let above = BookPath(vec![PathStep::Key((*key).to_owned()), PathStep::Index(index)]);
                add(&error, value.get_ref(), above);
            }
        }
    }
    let rest = DeValue::Table(rest);
    if let Err(error) = T::deserialize(ValueDeserializer::from(Spanned::new(0..0, rest.clone()))) {
        add(&error, &rest, BookPath::default());
    }
    // What only the whole can say: none is known, but nothing that failed may pass.
    if found.is_empty() {
        found.push(wording::of_type(first, &lines, BookPath::default()));
    }
    found.sort_by(|left, right| (left.place, &left.path).cmp(&(right.place, &right.path)));
    Err(found)
}
