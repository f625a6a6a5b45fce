//! Decision tables made ready.

use super::{Prepared, Program, ProgramError, Value, fault};
use crate::book::{Book, Cell, Column, Hit, Outcome, Rule, Table};
use crate::reason::Reason;
use crate::value::Name;

/// A table made ready.
#[derive(Debug, Clone)]
pub(crate) struct CompiledTable {
    hit: Hit,
    ladder: Option<Name>,
    rows: Vec<(Vec<(Column, Cell)>, Outcome)>,
}

/// What a table says of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hits {
    /// Nothing, and why.
    Refused(Reason, String),
    /// One outcome.
    One(Outcome),
    /// Several: the highest counts, or their sum.
    Several(Vec<Outcome>, Hit),
}

impl CompiledTable {
    /// Makes a table ready.
    pub(crate) fn new(book: &Book, rule: &Rule, table: &Table) -> Result<Self, ProgramError> {
        if let Some(ladder) = table.ladder.as_ref().filter(|ladder| !book.ladders.contains_key(*ladder)) {
            return Err(fault(&rule.id, &format!("the ladder {ladder} of its table is not in the book")));
        }
        let rows = table.rows.iter().map(|row| {
            let cells = row.cells.iter().map(|(column, cell)| (column.clone(), cell.clone())).collect();
            (cells, row.outcome.clone())
        });
        Ok(Self { hit: table.hit, ladder: table.ladder.clone(), rows: rows.collect() })
    }

    /// The outcome for a record.
    pub(crate) fn hits(&self, record: &Prepared<'_>, program: &Program, programme: Option<&Name>) -> Hits {
        let mut found: Vec<&Outcome> = Vec::new();
        let mut missing = None;
        for (cells, outcome) in &self.rows {
            let mut all = true;
            for (column, cell) in cells {
                match self.value(column, record, program, programme) {
                    Ok(value) => all &= has(cell, &value),
                    Err(reason) => {
                        missing = Some((reason, column.to_string()));
                        all = false;
                    }
                }
            }
            if all {
                found.push(outcome);
            }
        }
        match (found.as_slice(), self.hit) {
            ([], _) => {
                let (reason, detail) = missing.unwrap_or((Reason::NoRow, String::new()));
                Hits::Refused(reason, detail)
            }
            ([one], _) => Hits::One((*one).clone()),
            ([first, rest @ ..], Hit::Any) if rest.iter().all(|other| other == first) => {
                Hits::One((*first).clone())
            }
            (_, Hit::Highest | Hit::Sum) => Hits::Several(found.into_iter().cloned().collect(), self.hit),
            (_, Hit::Unique | Hit::Any) => Hits::Refused(Reason::RowsDisagree, String::new()),
        }
    }

    /// What a column finds, a level in the table's ladder.
    fn value<'q>(
        &self,
        column: &Column,
        record: &Prepared<'q>,
        program: &'q Program,
        programme: Option<&Name>,
    ) -> Result<Value<'q>, Reason> {
        if let (Column::Level, Some(ladder)) = (column, &self.ladder) {
            let facts = record.record;
            let (level, own) = facts.level.zip(facts.ladder.as_ref()).ok_or(Reason::FactMissing)?;
            let carried = crate::level::carried(&program.book, own, level, ladder);
            let tenths = i64::from(carried.ok_or(Reason::LevelUnmapped)?.0);
            return tenths.checked_mul(100).map(Value::Number).ok_or(Reason::Overflow);
        }
        record.column(column, program, programme).ok_or(Reason::FactMissing)
    }
}

/// Whether a cell has a value.
pub(crate) fn has(cell: &Cell, value: &Value<'_>) -> bool {
    match (cell, value) {
        (Cell::Words(words), Value::Word(text)) => words.iter().any(|word| word.as_str() == *text),
        (Cell::Words(words), Value::Number(number)) => {
            let text = crate::value::decimal_text(*number, 3);
            words.iter().any(|word| word.as_str() == text)
        }
        (Cell::Range { at_least, below }, Value::Number(number)) => {
            at_least.is_none_or(|least| least.0 <= *number) && below.is_none_or(|below| *number < below.0)
        }
        (Cell::Is(own), Value::Number(number)) => own.0 == *number,
        (Cell::Range { .. } | Cell::Is(_), Value::Word(_)) => false,
    }
}
