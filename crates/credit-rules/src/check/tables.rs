//! S2: decision tables have no gaps where they promise none, and no rows that contradict each other. S8 of their order.

use super::atoms::{Atoms, GridBox, left_over, meet};
use super::sweep::Axis;
use crate::book::{Book, Cell, Column, Convert, Hit, Outcome, Rule, Table};
use crate::finding::{Code, Findings};
use crate::limits::PIECES_MAX;
use crate::path::At;
use crate::ratio::Rational;
use crate::value::Ratio;
use std::collections::BTreeSet;

/// How many gaps of one table are told.
const GAPS_TOLD: usize = 3;

pub(super) fn check(book: &Book, found: &mut Findings) {
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let here = rules.index(index);
        if let Some(table) = &rule.table {
            check_table(book, rule, table, here.key("table"), found);
        }
        if let Some(convert) = &rule.convert {
            let convert_at = here.key("convert");
            factors(convert, convert_at.key("factors"), found);
        }
    }
}

/// A table as boxes.
struct Grid {
    axes: Vec<Axis>,
    rows: Vec<GridBox>,
}

impl Grid {
    fn of(book: &Book, rule: &Rule, table: &Table) -> Self {
        let asked = table.rows.iter().flat_map(|row| row.cells.keys()).chain(table.complete_over.iter());
        let columns: BTreeSet<&Column> = asked.collect();
        let axes: Vec<Axis> = columns.into_iter().map(|column| Axis::of(book, rule, table, column)).collect();
        let rows = table
            .rows
            .iter()
            .map(|row| axes.iter().map(|axis| axis.atoms(row.cells.get(&axis.column))).collect())
            .collect();
        Self { axes, rows }
    }
}

fn check_table(book: &Book, rule: &Rule, table: &Table, at: At<'_>, found: &mut Findings) {
    let rows = at.key("rows");
    if table.rows.is_empty() {
        found.add(Code::NothingGranted, rows, "表没有行", "the table has no row");
        return;
    }
    let uses_level = |column: &Column| *column == Column::Level;
    let level = table.rows.iter().any(|row| row.cells.keys().any(uses_level));
    match &table.ladder {
        Some(ladder) if !book.ladders.contains_key(ladder) => {
            let (zh, en) = (format!("没有等级体系 {ladder}"), format!("there is no ladder {ladder}"));
            found.add(Code::UnknownLadder, at.key("ladder"), zh, en);
        }
        Some(_) => {}
        None if level || table.complete_over.iter().any(uses_level) => {
            let (zh, en) = ("表用了等级而未写明 ladder", "the table asks for a level and says no ladder");
            found.add(Code::LevelWithoutLadder, at, zh, en);
        }
        None => {}
    }
    let grid = Grid::of(book, rule, table);
    if cells_fit(rule, table, &grid, rows, found) {
        overlaps(table, &grid, rows, found);
        gaps(table, &grid, at, found);
        order(book, table, &grid, rows, found);
    }
    outcomes(rule, table, rows, found);
    let capped = rule.cap.iter().any(|cap| cap.max.is_some());
    if table.hit == Hit::Sum && !capped {
        let en = "rows that are added up need a cap of the rule";
        found.add(Code::SumWithoutCap, at.key("hit"), "各行相加须有规则上限", en);
    }
}

/// Whether every cell can be met by its column.
fn cells_fit(rule: &Rule, table: &Table, grid: &Grid, at: At<'_>, found: &mut Findings) -> bool {
    let mut all = true;
    for (index, (row, cells)) in table.rows.iter().zip(&grid.rows).enumerate() {
        let here = at.index(index);
        for (axis, atoms) in grid.axes.iter().zip(cells) {
            let Some(cell) = row.cells.get(&axis.column) else { continue };
            let name = axis.column.to_string();
            if let Column::Fact(fact) = &axis.column {
                let declared = super::ids::fact(rule, fact, here.key(&name), found).is_some();
                all &= declared;
                if !declared {
                    continue;
                }
            }
            if !axis.fits(cell) {
                let (zh, en) = (format!("{name} 不能取这样的值"), format!("{name} can't be that"));
                found.add(Code::CellType, here.key(&name), zh, en);
                all = false;
            } else if atoms.is_empty() {
                let (zh, en) = (format!("{name} 的条件无法满足"), format!("nothing meets this {name}"));
                found.add(Code::Impossible, here.key(&name), zh, en);
                all = false;
            }
        }
    }
    all
}

/// The values at which two rows meet.
fn shared(grid: &Grid, one: &GridBox, other: &GridBox) -> String {
    let sides = grid.axes.iter().zip(one.iter().zip(other));
    let told = sides.filter_map(|(axis, (one, other))| {
        one.first_of_both(other).map(|atom| format!("{} = {}", axis.column, axis.told(atom)))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn overlaps(table: &Table, grid: &Grid, at: At<'_>, found: &mut Findings) {
    let (code, zh, en) = match table.hit {
        Hit::Unique => (Code::TableOverlap, "都成立", "both hold"),
        Hit::Any => (Code::RowsDisagree, "都成立而结果不同", "both hold and say different things"),
        Hit::Highest | Hit::Sum => return,
    };
    for (second, row) in grid.rows.iter().enumerate() {
        let earlier = grid.rows.iter().take(second).enumerate();
        let mut clash = earlier.filter(|(first, other)| {
            let outcome = |index: usize| table.rows.get(index).map(|row| &row.outcome);
            let differ = table.hit == Hit::Unique || outcome(*first) != outcome(second);
            differ && meet(row, other)
        });
        if let Some((first, other)) = clash.next() {
            let (one, two) = (first.saturating_add(1), second.saturating_add(1));
            let values = shared(grid, row, other);
            found.add(
                code,
                at.index(second),
                format!("第 {one} 行与第 {two} 行在 {values} 时{zh}"),
                format!("rows {one} and {two}, where {values}: {en}"),
            );
        }
    }
}

fn gaps(table: &Table, grid: &Grid, at: At<'_>, found: &mut Findings) {
    if table.complete_over.is_empty() {
        return;
    }
    // Only the columns that are promised to be complete; what a row asks besides is another matter.
    let promised: Vec<usize> = grid
        .axes
        .iter()
        .enumerate()
        .filter(|(_, axis)| table.complete_over.iter().any(|column| *column == axis.column))
        .map(|(side, _)| side)
        .collect();
    let axes: Vec<&Axis> = promised.iter().filter_map(|side| grid.axes.get(*side)).collect();
    let flat =
        |row: &GridBox| -> GridBox { promised.iter().filter_map(|side| row.get(*side)).cloned().collect() };
    let rows: Vec<GridBox> = grid.rows.iter().map(flat).collect();
    let whole: GridBox = axes.iter().map(|axis| Atoms::all(axis.count())).collect();
    let Some(left) = left_over(&whole, &rows) else {
        found.add(
            Code::TableTooWide,
            at,
            format!("检查缺口时查看的分块超过 {PIECES_MAX}（PIECES_MAX）"),
            format!("looking for gaps looks at more than {PIECES_MAX} pieces (PIECES_MAX)"),
        );
        return;
    };
    for piece in left.iter().take(GAPS_TOLD) {
        let sides = axes.iter().zip(piece);
        let told = sides
            .filter_map(|(axis, atoms)| atoms.iter().next().map(|atom| (axis, atom)))
            .map(|(axis, atom)| format!("{} = {}", axis.column, axis.told(atom)));
        let values = told.collect::<Vec<_>>().join(", ");
        found.add(
            Code::TableGap,
            at.key("rows"),
            format!("没有一行适用于 {values}"),
            format!("no row is about {values}"),
        );
    }
}

/// What a row grants, comparable with others of its sort.
fn worth(book: &Book, outcome: &Outcome) -> Option<(u8, Rational)> {
    Some(match outcome {
        Outcome::Credit(credit) => (0, Rational::whole(credit.0)),
        Outcome::Each(credit) => (1, Rational::whole(credit.0)),
        Outcome::Share(share) => (2, Rational::whole(share.0)),
        Outcome::Ratio(ratio @ Ratio::Plain { .. }) => (3, ratio.plain()?),
        Outcome::Ratio(Ratio::TimeForCredit { time, credit }) => {
            (4, Rational::new(i128::from(credit.0), i128::from(time.minutes(book.xs_minutes)?))?)
        }
    })
}

/// S8: a row about better grades or higher levels grants no less, all else being equal.
fn order(book: &Book, table: &Table, grid: &Grid, at: At<'_>, found: &mut Findings) {
    let worths: Vec<Option<(u8, Rational)>> =
        table.rows.iter().map(|row| worth(book, &row.outcome)).collect();
    for (side, axis) in grid.axes.iter().enumerate() {
        let Some(ranks) = &axis.ranks else { continue };
        let span = |row: &GridBox| {
            let own = row.get(side)?.iter().filter_map(|atom| ranks.get(atom).copied());
            let own: Vec<i64> = own.collect();
            Some((*own.iter().min()?, *own.iter().max()?))
        };
        let spans: Vec<Option<(i64, i64)>> = grid.rows.iter().map(span).collect();
        for (high, row) in grid.rows.iter().enumerate() {
            let lower = grid.rows.iter().enumerate().find(|(low, other)| {
                let places = spans.get(high).copied().flatten().zip(spans.get(*low).copied().flatten());
                let above = places.is_some_and(|((least, _), (_, most))| least > most);
                let pair = worths.get(high).copied().flatten().zip(worths.get(*low).copied().flatten());
                let less = pair.is_some_and(|((sort, own), (other_sort, other))| {
                    sort == other_sort && own.compare(other).is_some_and(std::cmp::Ordering::is_lt)
                });
                let others = row.iter().zip(*other).enumerate();
                above && less && others.filter(|(own, _)| *own != side).all(|(_, (one, two))| one.meets(two))
            });
            if let Some((low, _)) = lower {
                let (high_row, low_row) = (high.saturating_add(1), low.saturating_add(1));
                found.add(
                    Code::HigherEarnsLess,
                    at.index(high),
                    format!("第 {high_row} 行的 {} 高于第 {low_row} 行，学分却较少", axis.column),
                    format!(
                        "row {high_row} is about a higher {} than row {low_row} and grants less",
                        axis.column
                    ),
                );
            }
        }
    }
}

/// S1 of what rows grant: the units go with what is converted.
fn outcomes(rule: &Rule, table: &Table, at: At<'_>, found: &mut Findings) {
    let time = super::conversions::counts_time(rule);
    let from = rule.convert.as_ref().is_some_and(|convert| convert.from.is_some());
    for (index, row) in table.rows.iter().enumerate() {
        let here = at.index(index);
        let wrong = match &row.outcome {
            Outcome::Ratio(Ratio::TimeForCredit { .. }) => (!time && from).then_some((
                "ratio",
                "时间比率用在了不是时间的量上",
                "a ratio of time is applied to something that is no time",
            )),
            Outcome::Ratio(Ratio::Plain { .. }) => {
                time.then_some(("ratio", "纯比率用在了时间上", "a plain ratio is applied to a time"))
            }
            Outcome::Each(_) => (!from).then_some((
                "each",
                "须在 convert.from 中写明按什么计",
                "convert.from must say what is counted",
            )),
            Outcome::Credit(_) | Outcome::Share(_) => None,
        };
        if let Some((key, zh, en)) = wrong {
            found.add(Code::UnitMismatch, here.key(key), zh, en);
        }
    }
}

/// Rows of a factor exclude each other.
fn factors(convert: &Convert, at: At<'_>, found: &mut Findings) {
    for (index, factor) in convert.factors.iter().enumerate() {
        let here = at.index(index);
        let rows = here.key("rows");
        let interval =
            |row: &crate::book::FactorRow| (row.at_least.0, row.below.map_or(i64::MAX, |below| below.0));
        for (second, row) in factor.rows.iter().enumerate() {
            let (from, below) = interval(row);
            if below <= from {
                let en = "below must be above at_least";
                found.add(Code::Impossible, rows.index(second), "below 须大于 at_least", en);
            }
            let clash = factor
                .rows
                .iter()
                .take(second)
                .map(interval)
                .position(|(other, end)| from < end && other < below);
            if let Some(first) = clash {
                let (one, two) = (first.saturating_add(1), second.saturating_add(1));
                found.add(
                    Code::TableOverlap,
                    rows.index(second),
                    format!("系数第 {one} 行与第 {two} 行重叠"),
                    format!("rows {one} and {two} of the factor overlap"),
                );
            }
        }
    }
}

/// The rows of a map or table as cells of one column.
pub(super) fn range(at_least: Option<crate::book::Number>, below: Option<crate::book::Number>) -> Cell {
    Cell::Range { at_least, below }
}
