//! Decision tables: rows of conditions, after the hit policies of DMN.

use super::convert::Number;
use crate::limits::{LIST_MAX, TABLE_COLUMNS_MAX};
use crate::value::{Credit, FormError, Label, Many, Name, Percent, Ratio, Symbol};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Which of the rows that match counts. The policies of DMN that depend on the order of rows are not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum Hit {
    /// At most one row may match (DMN: Unique).
    #[default]
    Unique,
    /// Rows that match together must say the same (DMN: Any).
    Any,
    /// The row with the most credit (DMN: Priority over amounts, order of rows immaterial).
    Highest,
    /// All rows, added up; the rule must have a cap (DMN: Collect with sum).
    Sum,
}

impl TryFrom<String> for Hit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "unique" => Ok(Self::Unique),
            "any" => Ok(Self::Any),
            "highest" => Ok(Self::Highest),
            "sum" => Ok(Self::Sum),
            "first" | "priority" | "output_order" | "rule_order" => Err(format!(
                "the hit policy {text:?} depends on the order of rows, which no reader of a signed table can be asked to \
                 keep in mind; use unique, any, highest, or sum with a cap"
            )),
            _ => Err(format!("must be one of unique, any, highest, sum, is {text:?}")),
        }
    }
}

/// What a row asks about: a value of the record, a fact that the rule declares, or a fact of the programme.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The level, in the table's ladder.
    Level,
    /// The grade, as a word.
    Grade,
    /// The score, as a number.
    Score,
    /// The time, in hours.
    Hours,
    /// The credit.
    Credit,
    /// The kind of record.
    Kind,
    /// The catalogue code.
    Course,
    /// The subject code.
    Subject,
    /// The occupation code.
    Occupation,
    /// The issuer.
    Issuer,
    /// A fact that the rule declares.
    Fact(Name),
    /// A fact of the programme: `programme.years`.
    Programme(Name),
}

impl FromStr for Column {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "level, skill_level, grade, score, hours, credit, record_kind, course, subject, occupation, issuer, \
                    the name of a declared fact, or \"programme.\" and the name of a fact of the programme";
        let wrong = |_| FormError::new(form, text);
        Ok(match text {
            "level" | "skill_level" => Self::Level,
            "grade" => Self::Grade,
            "score" => Self::Score,
            "hours" => Self::Hours,
            "credit_value" => Self::Credit,
            "record_kind" => Self::Kind,
            "course" => Self::Course,
            "subject" => Self::Subject,
            "occupation" => Self::Occupation,
            "issuer" => Self::Issuer,
            _ => match text.strip_prefix("programme.") {
                Some(fact) => Self::Programme(fact.parse().map_err(wrong)?),
                None => Self::Fact(text.parse().map_err(wrong)?),
            },
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level => f.write_str("level"),
            Self::Grade => f.write_str("grade"),
            Self::Score => f.write_str("score"),
            Self::Hours => f.write_str("hours"),
            Self::Credit => f.write_str("credit_value"),
            Self::Kind => f.write_str("record_kind"),
            Self::Course => f.write_str("course"),
            Self::Subject => f.write_str("subject"),
            Self::Occupation => f.write_str("occupation"),
            Self::Issuer => f.write_str("issuer"),
            Self::Fact(name) => name.fmt(f),
            Self::Programme(name) => write!(f, "programme.{name}"),
        }
    }
}
crate::value::text_form!(Column);

/// What a row asks of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// One of these words.
    Words(Vec<Symbol>),
    /// A number from `at_least` on and below `below`; exactly one number where both are `is`.
    Range {
        /// From here; open where missing.
        at_least: Option<Number>,
        /// Below here; open where missing.
        below: Option<Number>,
    },
    /// Exactly this number.
    Is(Number),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_least: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below: Option<Number>,
}

impl Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Words(words) => words.serialize(to),
            Self::Range { at_least, below } => RangeForm { at_least: *at_least, below: *below }.serialize(to),
            // A whole number as one, so that it is read as a number again.
            Self::Is(number) => RangeIs { is: *number }.serialize(to),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeIs {
    is: Number,
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> serde::de::Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word, a number, a list of words, or { at_least, below }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Words(vec![text.parse().map_err(E::custom)?]))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Cell, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Cell, E> {
        number.checked_mul(1_000).map(|milli| Cell::Is(Number(milli))).ok_or_else(|| E::custom("too large"))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Cell, E> {
        self.visit_i64(i64::try_from(number).map_err(E::custom)?)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Cell, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = seq.next_element::<Symbol>()? {
            if words.len() >= LIST_MAX {
                return Err(serde::de::Error::custom(format!("at most {LIST_MAX} words")));
            }
            words.push(word);
        }
        Ok(Cell::Words(words))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        let (mut at_least, mut below, mut is) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            let place = match key.as_str() {
                "at_least" => &mut at_least,
                "below" => &mut below,
                "is" => &mut is,
                _ => return Err(serde::de::Error::unknown_field(&key, &["at_least", "below", "is"])),
            };
            *place = Some(map.next_value::<Number>()?);
        }
        match (at_least, below, is) {
            (None, None, Some(number)) => Ok(Cell::Is(number)),
            (at_least, below, None) if at_least.is_some() || below.is_some() => {
                Ok(Cell::Range { at_least, below })
            }
            _ => Err(serde::de::Error::custom("needs at_least, below or both")),
        }
    }
}

/// What a row grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// So much credit.
    Credit(Credit),
    /// What is converted, by this ratio.
    Ratio(Ratio),
    /// So much credit for each unit of what is converted.
    Each(Credit),
    /// A share of the programme (block credit).
    Share(Percent),
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RowForm", into = "RowForm")]
pub struct Row {
    /// What it asks, by column.
    pub cells: BTreeMap<Column, Cell>,
    /// Its name for readers.
    pub label: Option<Label>,
    /// What it grants.
    pub outcome: Outcome,
}

#[derive(Clone, Serialize, Deserialize)]
struct RowForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credit: Option<Credit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ratio: Option<Ratio>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    each: Option<Credit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<Percent>,
    #[serde(flatten)]
    cells: BTreeMap<String, Cell>,
}

impl TryFrom<RowForm> for Row {
    type Error = String;

    fn try_from(form: RowForm) -> Result<Self, String> {
        let RowForm { label, credit, ratio, each, share, cells } = form;
        let outcome = match (credit, ratio, each, share) {
            (Some(credit), None, None, None) => Outcome::Credit(credit),
            (None, Some(ratio), None, None) => Outcome::Ratio(ratio),
            (None, None, Some(each), None) => Outcome::Each(each),
            (None, None, None, Some(share)) => Outcome::Share(share),
            _ => return Err("a row grants exactly one of credit, ratio, each and share".to_owned()),
        };
        if cells.len() > TABLE_COLUMNS_MAX {
            return Err(format!("a row asks about at most {TABLE_COLUMNS_MAX} columns, has {}", cells.len()));
        }
        let count = cells.len();
        let cells: BTreeMap<Column, Cell> = cells
            .into_iter()
            .map(|(column, cell)| column.parse().map(|column| (column, cell)))
            .collect::<Result<_, FormError>>()
            .map_err(|error| error.to_string())?;
        if cells.len() < count {
            return Err("level and skill_level are one column".to_owned());
        }
        Ok(Self { cells, label, outcome })
    }
}

impl From<Row> for RowForm {
    fn from(row: Row) -> Self {
        let Row { cells, label, outcome } = row;
        let cells = cells.into_iter().map(|(column, cell)| (column.to_string(), cell)).collect();
        let (mut credit, mut ratio, mut each, mut share) = (None, None, None, None);
        match outcome {
            Outcome::Credit(value) => credit = Some(value),
            Outcome::Ratio(value) => ratio = Some(value),
            Outcome::Each(value) => each = Some(value),
            Outcome::Share(value) => share = Some(value),
        }
        Self { label, credit, ratio, each, share, cells }
    }
}

/// A decision table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Which of the rows that match counts.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub hit: Hit,
    /// Columns of which every value must be met by a row.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub complete_over: Many<Column>,
    /// The ladder of the column `level`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Name>,
    /// The rows; their order says nothing.
    pub rows: Vec<Row>,
}
