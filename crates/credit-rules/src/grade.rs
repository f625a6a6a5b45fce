//! A grade of one scale, written in another.

use crate::answer::Place;
use crate::book::{
    Book, Distribution, Formula, GradeMap, GradeRow, GradeShare, Hit, Number, Pick, Rule, Scale, Target,
};
use crate::input::Record;
use crate::ratio::Rational;
use crate::reason::Reason;
use crate::value::{Name, Symbol};
use serde::{Deserialize, Serialize};

/// A grade, and what a formula may need to know of its scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// The grade: a word, a number, or a percentile among those who passed, counted from the best.
    pub value: Symbol,
    /// The best that can be reached, where the scale leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Number>,
    /// The least that passes, where the scale leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Number>,
}

/// The grade in the other scale, and how it was worked out.
pub type Graded = Result<(Symbol, Vec<crate::answer::Step>), Reason>;

/// Writes a grade in another scale, by a map of the book.
pub fn graded(book: &Book, map: &Name, grade: &Grade) -> Graded {
    let map = book.grade_maps.iter().find(|own| own.id == *map).ok_or(Reason::NotOnList)?;
    if let Some(distribution) = &map.distribution {
        return by_places(distribution, grade);
    }
    match map.formula {
        Some(Formula::LinearPassRange) => pass_range(book, map, grade),
        Some(Formula::LinearRange) => range(book, map, grade),
        Some(Formula::RankPercentile) => by_rows(map, grade, |row, number| {
            // Cut at the cumulative share: above the one bound, up to the other.
            row.at_least.is_none_or(|above| number > above.0) && row.below.is_none_or(|upto| number <= upto.0)
        }),
        None => by_rows(map, grade, |row, number| {
            row.at_least.is_none_or(|least| number >= least.0)
                && row.below.is_none_or(|below| number < below.0)
        }),
    }
}

/// The grade that a rule writes for what it grants: a word of the book, or that of the only record by a map. `None`
/// where it writes none.
pub fn written(book: &Book, rule: &Rule, place: &Place, records: &[&Record]) -> Option<Graded> {
    let at = |target: &&Target| match place {
        Place::Course(course) => target.course.as_ref() == Some(course),
        Place::Requirement(_) | Place::Standard(_) => target.course.is_none(),
    };
    let targets = rule.award.iter().flat_map(|target| std::iter::once(target).chain(&target.one_of));
    let grade = targets.filter(at).find_map(|target| target.grade.as_ref())?;
    let Some(map) = grade.as_str().strip_prefix("map:") else { return Some(Ok((grade.clone(), Vec::new()))) };
    let own = || {
        let map: Name = map.parse().map_err(|_| Reason::NotOnList)?;
        let [record] = records else { return Err(Reason::GradeMissing) };
        let score = || record.score.and_then(|score| score.to_string().parse().ok());
        let value = record.grade.clone().or_else(score).ok_or(Reason::GradeMissing)?;
        graded(book, &map, &Grade { value, best: None, pass: None })
    };
    Some(own())
}

/// By the rows of a table.
fn by_rows(map: &GradeMap, grade: &Grade, has: impl Fn(&GradeRow, i64) -> bool) -> Graded {
    let number = crate::value::decimal(grade.value.as_str(), 3);
    let hit = |row: &&GradeRow| match &row.word {
        Some(word) => *word == grade.value,
        None => number.is_some_and(|number| has(row, number)),
    };
    let found: Vec<&GradeRow> = map.rows.iter().filter(hit).collect();
    let first = found.first().ok_or(Reason::NoRow)?;
    let agree = found.iter().all(|row| row.to == first.to);
    match map.hit {
        Hit::Unique if found.len() > 1 => Err(Reason::RowsDisagree),
        Hit::Unique | Hit::Any | Hit::Highest | Hit::Sum if agree => Ok((first.to.clone(), Vec::new())),
        Hit::Unique | Hit::Any | Hit::Highest | Hit::Sum => Err(Reason::RowsDisagree),
    }
}

/// By the places that a grade takes among those who passed, each from above its first basis point up to its last.
fn by_places(distribution: &Distribution, grade: &Grade) -> Graded {
    let Distribution { from, to, pick } = distribution;
    let ends = |list: &[GradeShare]| {
        let mut end = 0_i64;
        let ends = list.iter().map(|one| {
            end = end.saturating_add(one.share.0);
            (one.grade.clone(), end)
        });
        ends.collect::<Vec<_>>()
    };
    let own = from.iter().find(|one| one.grade == grade.value).ok_or(Reason::NoRow)?;
    let last = ends(from).into_iter().find(|(name, _)| *name == grade.value).ok_or(Reason::NoRow)?.1;
    let first = last.saturating_sub(own.share.0);
    let twice = first.saturating_add(last);
    let reaches = |end: i64| match pick {
        Pick::Best => end > first,
        Pick::Middle => end.saturating_mul(2) >= twice,
        Pick::Worst => end >= last,
    };
    let (found, _) = ends(to).into_iter().find(|(_, end)| reaches(*end)).ok_or(Reason::NoRow)?;
    let places = (Number(first.saturating_mul(10)), Number(last.saturating_mul(10)));
    Ok((found, vec![("places".to_owned(), format!("{}..{}", places.0, places.1))]))
}

/// The number of a grade, and the bounds of its scale.
fn number(book: &Book, map: &GradeMap, grade: &Grade) -> Result<(i64, Scale), Reason> {
    let scale = book.scales.get(&map.from).ok_or(Reason::GradeMissing)?.clone();
    let number = crate::value::decimal(grade.value.as_str(), 3).ok_or(Reason::GradeMissing)?;
    Ok((number, scale))
}

/// The modified Bavarian formula.
fn pass_range(book: &Book, map: &GradeMap, grade: &Grade) -> Graded {
    let (own, scale) = number(book, map, grade)?;
    let scale_pass = scale.pass.as_ref().and_then(|pass| crate::value::decimal(pass.as_str(), 3));
    let best = grade.best.or(if scale.descending { scale.min } else { scale.max });
    let best = best.ok_or(Reason::GradeMissing)?.0;
    let pass = grade.pass.map(|pass| pass.0).or(scale_pass).ok_or(Reason::GradeMissing)?;
    let (off, span) = if scale.descending {
        (own.checked_sub(best), pass.checked_sub(best))
    } else {
        (best.checked_sub(own), best.checked_sub(pass))
    };
    let (off, span) = off.zip(span).ok_or(Reason::Overflow)?;
    if off > span || off < 0 {
        return Err(Reason::NotPassed);
    }
    let part = Rational::new(i128::from(off), i128::from(span)).ok_or(Reason::GradeMissing)?;
    let exact = Rational::whole(3).times(part).and_then(|part| part.plus(Rational::ONE));
    finished(map, exact.ok_or(Reason::Overflow)?)
}

/// From the range of one scale to that of the other.
fn range(book: &Book, map: &GradeMap, grade: &Grade) -> Graded {
    let (own, from) = number(book, map, grade)?;
    let to = book.scales.get(&map.to).ok_or(Reason::GradeMissing)?;
    let bounds = |scale: &Scale| Some((scale.min?.0, scale.max?.0));
    let ((low, high), (to_low, to_high)) = bounds(&from).zip(bounds(to)).ok_or(Reason::GradeMissing)?;
    if own < low || own > high {
        return Err(Reason::GradeMissing);
    }
    let worked = || {
        let part = Rational::new(i128::from(own.checked_sub(low)?), i128::from(high.checked_sub(low)?))?;
        let part = if from.descending == to.descending { part } else { Rational::ONE.minus(part)? };
        let width = Rational::new(i128::from(to_high.checked_sub(to_low)?), 1_000)?;
        part.times(width)?.plus(Rational::new(i128::from(to_low), 1_000)?)
    };
    finished(map, worked().ok_or(Reason::Overflow)?)
}

/// A formula's result, rounded, held between its bounds, and at a grade that exists.
fn finished(map: &GradeMap, exact: Rational) -> Graded {
    let milli = exact.times(Rational::whole(1_000)).ok_or(Reason::Overflow)?;
    let step = map.step.map_or(1, |step| step.0.max(1));
    let mut value = milli.rounded(map.round, step).ok_or(Reason::NotExact)?;
    let mut steps = vec![
        ("exact".to_owned(), exact.to_string()),
        (format!("{:?}", map.round).to_lowercase(), Number(value).to_string()),
    ];
    if let Some((one, other)) = map.clamp {
        value = value.clamp(one.0.min(other.0), one.0.max(other.0));
    }
    // The better of the two neighbours: of a German grade the smaller number.
    if let Some(snapped) = map.snap.iter().map(|grade| grade.0).filter(|grade| *grade <= value).max() {
        value = snapped;
        steps.push(("snap".to_owned(), Number(value).to_string()));
    }
    let text = Number(value).to_string();
    text.parse().map(|text| (text, steps)).map_err(|_| Reason::Overflow)
}
