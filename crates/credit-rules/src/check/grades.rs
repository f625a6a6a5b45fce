//! S1, S2 and S8 of scales, ladders and the maps between them.

use super::atoms::{Atoms, left_over};
use super::ids::Ids;
use super::sweep::Axis;
use crate::book::{Book, Cell, Column, Formula, GradeMap, GradeRow, LevelMap, Number, Scale};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::{Name, Symbol};

pub(super) fn check(book: &Book, ids: &Ids<'_>, found: &mut Findings) {
    let scales = At::TOP.key("scales");
    for (name, scale) in &book.scales {
        if let Some(pass) = &scale.pass {
            let here = scales.key(name.as_str());
            ids.grade(name, pass, here.key("pass"), found);
        }
    }
    let maps = At::TOP.key("level_map");
    for (index, map) in book.level_maps.iter().enumerate() {
        level_map(book, map, ids, maps.index(index), found);
    }
    let maps = At::TOP.key("grade_map");
    for (index, map) in book.grade_maps.iter().enumerate() {
        grade_map(book, map, ids, maps.index(index), found);
    }
}

fn level_map(book: &Book, map: &LevelMap, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    ids.ladder(Some(&map.from), at.key("from"), found);
    ids.ladder(Some(&map.to), at.key("to"), found);
    let rows = at.key("rows");
    for (index, row) in map.rows.iter().enumerate() {
        let here = rows.index(index);
        ids.level(&map.from, Some(row.from), here.key("from"), found);
        ids.level(&map.to, Some(row.to), here.key("to"), found);
    }
    let descending = |ladder: &Name| book.ladders.get(ladder).is_some_and(|ladder| ladder.descending);
    let height = |descending: bool, tenths: i32| if descending { tenths.saturating_neg() } else { tenths };
    let (from_down, to_down) = (descending(&map.from), descending(&map.to));
    for (index, row) in map.rows.iter().enumerate() {
        let falls = map.rows.iter().find(|other| {
            height(from_down, other.from.0) < height(from_down, row.from.0)
                && height(to_down, other.to.0) > height(to_down, row.to.0)
        });
        if let Some(other) = falls {
            found.add(
                Code::LevelMapFalls,
                rows.index(index),
                format!("等级 {} 高于 {}，对应的 {} 却低于 {}", row.from, other.from, row.to, other.to),
                format!(
                    "level {} is above {}, and its {} is below {}",
                    row.from, other.from, row.to, other.to
                ),
            );
        }
    }
}

/// What a row asks, as a cell; percentiles are above the one bound and up to the other.
fn cell(row: &GradeRow, formula: Option<Formula>) -> Cell {
    let shift = i64::from(formula == Some(Formula::RankPercentile));
    let moved = |bound: Option<Number>| bound.map(|own| Number(own.0.saturating_add(shift)));
    match &row.word {
        Some(word) => Cell::Words(vec![word.clone()]),
        None => super::tables::range(moved(row.at_least), moved(row.below)),
    }
}

fn grade_map(book: &Book, map: &GradeMap, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    ids.scale(Some(&map.from), at.key("from"), found);
    ids.scale(Some(&map.to), at.key("to"), found);
    let rows = at.key("rows");
    for (index, row) in map.rows.iter().enumerate() {
        ids.grade(&map.to, &row.to, rows.index(index).key("to"), found);
    }
    if map.step.is_some_and(|step| step.0 <= 0) {
        found.add(Code::OutOfRange, at.key("step"), "最小单位须大于 0", "the step must be above 0");
    }
    let Some(scale) = book.scales.get(&map.from) else { return };
    if map.rows.is_empty() {
        return;
    }
    let cells: Vec<Cell> = map.rows.iter().map(|row| cell(row, map.formula)).collect();
    let all: Vec<&Cell> = cells.iter().collect();
    let axis = match map.formula {
        Some(Formula::RankPercentile) => Axis::percentiles(&all),
        Some(Formula::LinearPassRange | Formula::LinearRange) | None => {
            Axis::of_scale(scale, Column::Grade, &all)
        }
    };
    for (index, own) in cells.iter().enumerate() {
        if !axis.fits(own) {
            let (zh, en) = (
                format!("成绩制 {} 没有这样的成绩", map.from),
                format!("the scale {} has no such grade", map.from),
            );
            found.add(Code::CellType, rows.index(index), zh, en);
            return;
        }
    }
    let atoms: Vec<Atoms> = cells.iter().map(|own| axis.atoms(Some(own))).collect();
    overlaps(map, &axis, &atoms, rows, found);
    falls(book.scales.get(&map.to), map, &axis, &atoms, rows, found);
    let taken: Vec<Vec<Atoms>> = atoms.iter().map(|own| vec![own.clone()]).collect();
    let left = left_over(&vec![Atoms::all(axis.count())], &taken);
    if let Some(gap) = left.iter().flatten().flatten().find_map(|own| own.iter().next()) {
        let (zh, en) =
            (format!("没有一行适用于 {}", axis.told(gap)), format!("no row is about {}", axis.told(gap)));
        found.add(Code::GradeMapGap, rows, zh, en);
    }
}

fn overlaps(map: &GradeMap, axis: &Axis, atoms: &[Atoms], at: At<'_>, found: &mut Findings) {
    use crate::book::Hit;
    let unique = match map.hit {
        Hit::Unique => true,
        Hit::Any | Hit::Highest | Hit::Sum => false,
    };
    for (second, own) in atoms.iter().enumerate() {
        let to = |index: usize| map.rows.get(index).map(|row| &row.to);
        let earlier = atoms.iter().take(second).enumerate();
        let clash = earlier
            .filter(|(first, _)| unique || to(*first) != to(second))
            .find_map(|(first, other)| own.first_of_both(other).map(|atom| (first, atom)));
        if let Some((first, atom)) = clash {
            let (one, two, value) = (first.saturating_add(1), second.saturating_add(1), axis.told(atom));
            let code = if unique { Code::TableOverlap } else { Code::RowsDisagree };
            let (zh, en) = (
                format!("第 {one} 行与第 {two} 行在 {value} 处重叠"),
                format!("rows {one} and {two} overlap at {value}"),
            );
            found.add(code, at.index(second), zh, en);
        }
    }
}

/// How good a grade is in a scale; more is better.
fn rank(scale: &Scale, grade: &Symbol) -> Option<i64> {
    if scale.words.is_empty() {
        let number = crate::value::decimal(grade.as_str(), 3)?;
        return Some(if scale.descending { number.saturating_neg() } else { number });
    }
    let place = scale.words.iter().position(|word| word == grade)?;
    i64::try_from(place).ok()
}

fn falls(to: Option<&Scale>, map: &GradeMap, axis: &Axis, atoms: &[Atoms], at: At<'_>, found: &mut Findings) {
    let Some((to, ranks)) = to.zip(axis.ranks.as_ref()).filter(|_| map.monotone) else { return };
    let own =
        |atoms: &Atoms| -> Vec<i64> { atoms.iter().filter_map(|atom| ranks.get(atom).copied()).collect() };
    let rows: Vec<(Option<i64>, Option<i64>, Option<i64>)> = atoms
        .iter()
        .zip(&map.rows)
        .map(|(atoms, row)| {
            let ranks = own(atoms);
            (ranks.iter().min().copied(), ranks.iter().max().copied(), rank(to, &row.to))
        })
        .collect();
    for (index, (least, _, to)) in rows.iter().enumerate() {
        let worse = rows.iter().position(|(_, most, other)| {
            least.zip(*most).is_some_and(|(least, most)| least > most)
                && to.zip(*other).is_some_and(|(to, other)| to < other)
        });
        if let Some(worse) = worse {
            let (one, two) = (index.saturating_add(1), worse.saturating_add(1));
            let (zh, en) = (
                format!("第 {one} 行的成绩好于第 {two} 行，换成的却较差"),
                format!("row {one} is about better grades than row {two} and gives a worse one"),
            );
            found.add(Code::GradeMapFalls, at.index(index), zh, en);
        }
    }
}
