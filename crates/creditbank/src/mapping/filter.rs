//! Which rows are not credit, and why.

use super::MappingError;
use super::decimal::milli;
use super::form::{FilterForm, TextForm};
use super::problem::BadRow;
use super::source::{Cells, Needs, Source};
use credit_types::Text;
use credit_types::limits::TEXT_BYTES_MAX;
use std::collections::BTreeSet;

/// The most bytes of a reason's code.
pub(crate) const REASON_BYTES_MAX: usize = 32;
/// The most values that a rule compares with.
pub(crate) const FILTER_VALUES_MAX: usize = 1_024;

/// A `not_credit` rule.
#[derive(Debug)]
pub(super) struct Filter {
    reason: String,
    text: Text,
    source: Source,
    condition: Condition,
}

#[derive(Debug)]
enum Condition {
    Is(BTreeSet<String>),
    Empty,
    LessThan(i64),
}

impl Filter {
    pub(super) fn compile(form: FilterForm) -> Result<Self, MappingError> {
        let FilterForm { reason, text, column, is, empty, less_than } = form;
        let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        if !reason.starts_with(|letter: char| letter.is_ascii_uppercase())
            || reason.len() > REASON_BYTES_MAX
            || !reason.bytes().all(upper)
        {
            let problem = format!("must have the form [A-Z][A-Z0-9_]*, at most {REASON_BYTES_MAX} bytes");
            return Err(MappingError::field("not_credit.reason", problem));
        }
        let TextForm { zh, en } = text;
        if zh.is_empty() || en.is_empty() || zh.len() > TEXT_BYTES_MAX || en.len() > TEXT_BYTES_MAX {
            let problem = format!("must have zh and en, each at most {TEXT_BYTES_MAX} bytes");
            return Err(MappingError::field("not_credit.text", problem));
        }
        let condition = match (is, empty, less_than) {
            (Some(values), None, None) if (1..=FILTER_VALUES_MAX).contains(&values.len()) => {
                Condition::Is(values.into_iter().map(|value| value.0).collect())
            }
            (None, Some(true), None) => Condition::Empty,
            (None, None, Some(bound)) => Condition::LessThan(
                milli(&bound.0)
                    .map_err(|problem| MappingError::field("not_credit.less_than", problem.text().en))?,
            ),
            _ => {
                let problem =
                    format!("needs one of: is (1 to {FILTER_VALUES_MAX} values), empty = true, less_than");
                return Err(MappingError::field("not_credit", problem));
            }
        };
        Ok(Self { reason, text: Text { zh, en }, source: Source::column("not_credit", &column)?, condition })
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn text(&self) -> &Text {
        &self.text
    }

    pub(super) fn needs<'a>(&'a self, needs: &mut Needs<'a>) {
        self.source.needs(needs);
    }

    pub(super) fn matches(&self, cells: &Cells) -> Result<bool, BadRow> {
        match &self.condition {
            Condition::Is(values) => Ok(values.contains(&self.source.raw(cells))),
            Condition::Empty => Ok(self.source.raw(cells).is_empty()),
            Condition::LessThan(bound) => {
                let value = self.source.required(cells)?;
                Ok(milli(&value).map_err(|problem| self.source.bad(problem))? < *bound)
            }
        }
    }
}
