//! The values that a column may have, told apart as far as the rows of its table do.

use super::atoms::Atoms;
use crate::book::{Book, Cell, Column, FactKind, Number, Rule, Scale, Table};
use crate::value::{Symbol, Time};
use std::collections::BTreeSet;

/// The words of the kinds of records.
const KINDS: [&str; 10] = [
    "formal_course",
    "nondegree_course",
    "skill_grade",
    "x_cert",
    "qualification",
    "exam",
    "cpd",
    "activity",
    "experience",
    "award",
];

/// One column with its atoms.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// The column.
    pub(super) column: Column,
    values: Values,
    /// How good each atom is, where the column has an order.
    pub(super) ranks: Option<Vec<i64>>,
}

#[derive(Debug, Clone)]
enum Values {
    /// These numbers and no other.
    Points(Vec<i64>),
    /// Numbers from each cut to the next; whole numbers count in steps of `step`.
    Cuts { cuts: Vec<i64>, step: i64 },
    /// These words, and where `open` all others as one.
    Words { words: Vec<String>, open: bool },
}

/// The interval `[from, below)` of numbers that a cell means, on a lattice.
fn interval(cell: &Cell, step: i64) -> Option<(i64, i64)> {
    let up = |value: i64| {
        let rest = value.checked_rem_euclid(step).unwrap_or_default();
        if rest == 0 { value } else { value.saturating_add(step.saturating_sub(rest)) }
    };
    match cell {
        Cell::Range { at_least, below } => {
            Some((at_least.map_or(i64::MIN, |own| up(own.0)), below.map_or(i64::MAX, |own| up(own.0))))
        }
        Cell::Is(Number(value)) if value.checked_rem_euclid(step) == Some(0) => {
            Some((*value, value.saturating_add(step)))
        }
        Cell::Is(_) | Cell::Words(_) => None,
    }
}

/// The numbers that a cell of words means, as rules compare them.
fn numbers(words: &[Symbol]) -> impl Iterator<Item = i64> + '_ {
    words.iter().filter_map(|word| crate::value::decimal(word.as_str(), 3))
}

impl Axis {
    /// The column of a rule's table.
    pub(super) fn of(book: &Book, rule: &Rule, table: &Table, column: &Column) -> Self {
        let cells: Vec<&Cell> = table.rows.iter().filter_map(|row| row.cells.get(column)).collect();
        let axis = |values| Self { column: column.clone(), values, ranks: None };
        match column {
            Column::Level => match table.ladder.as_ref().and_then(|ladder| book.ladders.get(ladder)) {
                Some(ladder) => {
                    let levels = ladder.levels.iter().map(|own| i64::from(own.level.0).saturating_mul(100));
                    let mut axis = axis(points(levels));
                    axis.ranks = Some(axis.rising(ladder.descending));
                    axis
                }
                None => axis(cuts(&cells, 1, (i64::MIN, i64::MAX))),
            },
            Column::Programme(fact) => {
                let own = book.programmes.values().filter_map(|programme| programme.facts.get(fact));
                axis(points(own.map(|own| own.0)))
            }
            Column::Score => {
                let scale = rule.when.min_grade.as_ref().and_then(|grade| book.scales.get(&grade.scale));
                let range = scale.and_then(|scale| scale.min.zip(scale.max));
                let range = range.map_or((i64::MIN, i64::MAX), |(min, max)| (min.0, max.0.saturating_add(1)));
                let mut axis = axis(cuts(&cells, 1, range));
                axis.ranks = Some(axis.rising(scale.is_some_and(|scale| scale.descending)));
                axis
            }
            Column::Hours => axis(cuts(&cells, 1, hours(book, rule))),
            Column::Credit => {
                let least = rule.when.min_credit.map_or(0, |credit| credit.0);
                axis(cuts(&cells, 1, (least, i64::MAX)))
            }
            Column::Grade => match grade_scale(book, rule, &cells) {
                Some(scale) => Self::of_scale(scale, column.clone(), &cells),
                None => axis(words(&cells, None)),
            },
            Column::Kind => {
                let own: Vec<String> = rule.when.record_kind.iter().map(ToString::to_string).collect();
                let all = || KINDS.iter().map(ToString::to_string).collect();
                axis(words(&cells, Some(if own.is_empty() { all() } else { own })))
            }
            Column::Course => axis(words(&cells, named(&rule.when.course))),
            Column::Issuer => axis(words(&cells, named(&rule.when.issuer))),
            // A code of a condition stands for all that begin so.
            Column::Subject | Column::Occupation => axis(words(&cells, None)),
            Column::Fact(name) => axis(match rule.facts.get(name) {
                Some(FactKind::Int) => cuts(&cells, 1_000, (i64::MIN, i64::MAX)),
                Some(FactKind::Number) => cuts(&cells, 1, (i64::MIN, i64::MAX)),
                Some(FactKind::Bool) => words(&cells, Some(vec!["false".to_owned(), "true".to_owned()])),
                Some(FactKind::Enum(own)) => {
                    words(&cells, Some(own.iter().map(ToString::to_string).collect()))
                }
                None => words(&cells, None),
            }),
        }
    }

    /// The grades of a scale.
    pub(super) fn of_scale(scale: &Scale, column: Column, cells: &[&Cell]) -> Self {
        let values = if let Some((min, max)) = scale.min.zip(scale.max) {
            cuts(cells, 1, (min.0, max.0.saturating_add(1)))
        } else {
            Values::Words { words: scale.words.iter().map(ToString::to_string).collect(), open: false }
        };
        let mut axis = Self { column, values, ranks: None };
        // Words go from the worst to the best whatever numbers do.
        axis.ranks = Some(axis.rising(scale.descending && scale.words.is_empty()));
        axis
    }

    /// Percentiles of those who passed, counted from the best.
    pub(super) fn percentiles(cells: &[&Cell]) -> Self {
        let mut axis = Self { column: Column::Score, values: cuts(cells, 1, (1, 100_001)), ranks: None };
        axis.ranks = Some(axis.rising(true));
        axis
    }

    fn rising(&self, descending: bool) -> Vec<i64> {
        let ranks = (0_i64..).take(self.count());
        if descending { ranks.map(i64::saturating_neg).collect() } else { ranks.collect() }
    }

    /// How many atoms it has.
    pub(super) fn count(&self) -> usize {
        match &self.values {
            Values::Points(points) => points.len(),
            Values::Cuts { cuts, .. } => cuts.len().saturating_sub(1),
            Values::Words { words, open } => words.len().saturating_add(usize::from(*open)),
        }
    }

    /// What a cell means; everything where there is none.
    pub(super) fn atoms(&self, cell: Option<&Cell>) -> Atoms {
        let count = self.count();
        let Some(cell) = cell else { return Atoms::all(count) };
        match &self.values {
            Values::Points(points) => {
                let listed: BTreeSet<i64> = match cell {
                    Cell::Words(words) => numbers(words).collect(),
                    Cell::Range { .. } | Cell::Is(_) => BTreeSet::new(),
                };
                let range = interval(cell, 1);
                Atoms::of(count, |index| {
                    points.get(index).is_some_and(|point| {
                        listed.contains(point)
                            || range.is_some_and(|(from, below)| from <= *point && *point < below)
                    })
                })
            }
            Values::Cuts { cuts, step } => {
                let Some((from, below)) = interval(cell, *step) else {
                    return Atoms::none(count);
                };
                Atoms::of(count, |index| {
                    let ends = cuts.get(index).zip(cuts.get(index.saturating_add(1)));
                    ends.is_some_and(|(start, end)| from <= *start && *end <= below)
                })
            }
            Values::Words { words, open: _ } => match cell {
                Cell::Words(own) => Atoms::of(count, |index| {
                    words.get(index).is_some_and(|word| own.iter().any(|own| own.as_str() == word))
                }),
                Cell::Range { .. } | Cell::Is(_) => Atoms::none(count),
            },
        }
    }

    /// Whether the column's values can be what a cell asks for.
    pub(super) fn fits(&self, cell: &Cell) -> bool {
        match (&self.values, cell) {
            (Values::Words { words, open }, Cell::Words(own)) => {
                *open || own.iter().all(|own| words.iter().any(|word| word == own.as_str()))
            }
            (Values::Words { .. }, Cell::Range { .. } | Cell::Is(_)) => false,
            (Values::Points(_), Cell::Words(own)) => numbers(own).count() == own.len(),
            (Values::Points(_), Cell::Range { .. } | Cell::Is(_)) => true,
            (Values::Cuts { .. }, Cell::Words(_)) => false,
            (Values::Cuts { step, .. }, cell @ (Cell::Range { .. } | Cell::Is(_))) => {
                interval(cell, *step).is_some()
            }
        }
    }

    /// An atom, as a person would write it.
    pub(super) fn told(&self, atom: usize) -> String {
        let number = |value: i64| Number(value).to_string();
        match &self.values {
            Values::Points(points) => points.get(atom).map(|point| number(*point)).unwrap_or_default(),
            Values::Words { words, .. } => words.get(atom).cloned().unwrap_or_else(|| "*".to_owned()),
            Values::Cuts { cuts, .. } => {
                let from = cuts.get(atom).copied().unwrap_or(i64::MIN);
                let below = cuts.get(atom.saturating_add(1)).copied().unwrap_or(i64::MAX);
                match (from, below) {
                    (i64::MIN, i64::MAX) => "*".to_owned(),
                    (i64::MIN, below) => format!("< {}", number(below)),
                    (from, i64::MAX) => format!(">= {}", number(from)),
                    (from, below) => format!("{} .. < {}", number(from), number(below)),
                }
            }
        }
    }
}

fn points(values: impl Iterator<Item = i64>) -> Values {
    let sorted: BTreeSet<i64> = values.collect();
    Values::Points(sorted.into_iter().collect())
}

/// Where the rows cut a range of numbers.
fn cuts(cells: &[&Cell], step: i64, range: (i64, i64)) -> Values {
    let (from, below) = range;
    let ends = cells.iter().filter_map(|cell| interval(cell, step)).flat_map(|(from, below)| [from, below]);
    let inside = ends.filter(|end| from < *end && *end < below);
    let sorted: BTreeSet<i64> = inside.chain([from, below]).collect();
    Values::Cuts { cuts: sorted.into_iter().collect(), step }
}

/// Words: a closed list, or whatever rows name and all others.
fn words(cells: &[&Cell], closed: Option<Vec<String>>) -> Values {
    if let Some(words) = closed {
        return Values::Words { words, open: false };
    }
    let mut own: BTreeSet<&str> = BTreeSet::new();
    for cell in cells {
        if let Cell::Words(words) = cell {
            own.extend(words.iter().map(Symbol::as_str));
        }
    }
    Values::Words { words: own.into_iter().map(str::to_owned).collect(), open: true }
}

fn named(names: &crate::value::Many<crate::value::Name>) -> Option<Vec<String>> {
    let exact = !names.is_empty() && names.iter().all(|name| !name.as_str().ends_with('.'));
    exact.then(|| names.iter().map(ToString::to_string).collect())
}

/// The time that a rule admits, in thousandths of an hour.
fn hours(book: &Book, rule: &Rule) -> (i64, i64) {
    let milli = |time: Option<Time>| {
        let minutes = time?.minutes(book.xs_minutes)?;
        minutes.checked_mul(1_000)?.checked_div(60)
    };
    let most = milli(rule.when.max_hours).map_or(i64::MAX, |most| most.saturating_add(1));
    (milli(rule.when.min_hours).unwrap_or_default(), most)
}

/// The scale of a table's grades: that of the least grade, or the only one of the book that has all its words.
fn grade_scale<'b>(book: &'b Book, rule: &Rule, cells: &[&Cell]) -> Option<&'b Scale> {
    let said = rule.when.min_grade.as_ref().and_then(|grade| book.scales.get(&grade.scale));
    if let Some(scale) = said.filter(|scale| !scale.words.is_empty()) {
        return Some(scale);
    }
    let mut words: BTreeSet<&Symbol> = BTreeSet::new();
    for cell in cells {
        match cell {
            Cell::Words(own) => words.extend(own),
            Cell::Range { .. } | Cell::Is(_) => return None,
        }
    }
    let has = |scale: &&Scale| {
        !scale.words.is_empty()
            && words.len() <= scale.words.0.len()
            && words.iter().all(|word| scale.words.iter().any(|own| own == *word))
    };
    let mut all = book.scales.values().filter(has);
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::KINDS;

    #[test]
    fn the_kinds_of_records_are_those_of_the_ledger() {
        for kind in KINDS {
            assert!(kind.parse::<crate::book::KindName>().is_ok(), "{kind}");
        }
    }
}
