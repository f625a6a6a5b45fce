//! S4 of overrides: a rule all of whose records are taken by rules that go before it never applies.

use super::atoms::{Atoms, GridBox, left_over};
use super::rule_box::{RuleBox, covers};
use crate::book::{Book, Rule, When};
use crate::finding::{Code, Findings};
use crate::limits::LIST_MAX;
use crate::path::At;
use crate::value::Name;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(book: &Book, boxes: &[RuleBox<'_>], found: &mut Findings) {
    let places: BTreeMap<&Name, usize> =
        book.rules.iter().enumerate().map(|(index, rule)| (&rule.id, index)).collect();
    let mut above: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, rule) in book.rules.iter().enumerate() {
        for name in &rule.overrides {
            if let Some(below) = places.get(name).filter(|below| **below != index) {
                above.entry(*below).or_default().push(index);
            }
        }
    }
    let rules = At::TOP.key("rule");
    for (below, above) in above {
        let Some(own) = boxes.get(below).filter(|own| own.rule.bundle.is_none()) else { continue };
        let rule = own.rule;
        let others = above.iter().filter_map(|index| boxes.get(*index));
        let others: Vec<&RuleBox<'_>> = others
            .filter(|other| {
                always(other.rule) && no_stricter(&other.rule.when, &rule.when) && other.meets(own)
            })
            .collect();
        // So many are no exceptions but another book; what they leave over is not worth the time.
        if others.len() > LIST_MAX {
            continue;
        }
        if let Some(by) = taken(own, &others) {
            let by = by.join(", ");
            found.add(
                Code::RuleUnreachable,
                rules.index(below),
                format!("规则 {} 适用的成果全部被 {by} 取代", rule.id),
                format!("every record of the rule {} is taken by {by}", rule.id),
            );
        }
    }
}

/// Whether a rule holds wherever its conditions on the record do.
fn always(rule: &Rule) -> bool {
    rule.guard.is_none() && rule.bundle.is_none()
}

/// Whether one asks nothing that the other does not ask as strictly, of all that has no side in the box below.
fn no_stricter(one: &When, other: &When) -> bool {
    let least =
        |one: Option<i64>, other: Option<i64>| one.is_none_or(|one| other.is_some_and(|other| one <= other));
    let same = |asks: bool, also: bool| !asks || also;
    least(one.min_credit.map(|own| own.0), other.min_credit.map(|own| own.0))
        && least(one.min_attendance.map(|own| own.0), other.min_attendance.map(|own| own.0))
        && least(one.min_content_match.map(|own| own.0), other.min_content_match.map(|own| own.0))
        && same(one.passed, other.passed)
        && same(one.recognised_issuer, other.recognised_issuer)
        && same(one.verified, other.verified)
        && same(one.valid_on_decision, other.valid_on_decision)
        && (one.min_grade.is_none() || one.min_grade == other.min_grade)
        && (one.level.is_none() || one.level == other.level)
        && (one.max_age.is_none() || one.max_age == other.max_age)
        && (one.min_learner_age.is_none() || one.min_learner_age == other.min_learner_age)
        && (one.recorded_by.is_none() || one.recorded_by == other.recorded_by)
        && (one.std.is_none() || one.std == other.std)
        && (one.hour_kind.is_none() || one.hour_kind == other.hour_kind)
        && (one.issuer.is_empty() || one.issuer_group.is_none())
}

/// One side of a rule's box, told apart as far as the others do: how many atoms, and which each of the others has.
type Side = (usize, Vec<Atoms>);

/// A side of names: those of the rule itself, or where it names none, those that the others name and one for all else.
fn names<'b>(
    own: Option<&BTreeSet<&'b str>>,
    others: &[Option<&BTreeSet<&'b str>>],
    has: impl Fn(&BTreeSet<&'b str>, &'b str) -> bool,
) -> Side {
    let mut all: BTreeSet<&str> = BTreeSet::new();
    match own {
        Some(own) => all.extend(own),
        None => all.extend(others.iter().flatten().flat_map(|other| other.iter())),
    }
    let list: Vec<&str> = all.into_iter().collect();
    let count = list.len().saturating_add(usize::from(own.is_none()));
    let atoms = others.iter().map(|other| match other {
        None => Atoms::all(count),
        Some(other) => Atoms::of(count, |index| list.get(index).is_some_and(|name| has(other, name))),
    });
    (count, atoms.collect())
}

/// A side of numbers, the ends not included.
fn numbers(own: (i64, i64), others: &[(i64, i64)]) -> Side {
    let (from, below) = own;
    let ends = others.iter().flat_map(|other| [other.0, other.1]);
    let inside = ends.filter(|end| from < *end && *end < below);
    let sorted: BTreeSet<i64> = inside.chain([from, below]).collect();
    let cuts: Vec<i64> = sorted.into_iter().collect();
    let count = cuts.len().saturating_sub(1);
    let atoms = others.iter().map(|(from, below)| {
        Atoms::of(count, |index| {
            let ends = cuts.get(index).zip(cuts.get(index.saturating_add(1)));
            ends.is_some_and(|(start, end)| from <= start && end <= below)
        })
    });
    (count, atoms.collect())
}

fn bits(own: u32, others: &[u32]) -> Side {
    let set: Vec<u32> = (0..32).filter(|bit| own >> bit & 1 == 1).collect();
    let count = set.len();
    let has = |other: u32| Atoms::of(count, |index| set.get(index).is_some_and(|bit| other >> bit & 1 == 1));
    (count, others.iter().map(|other| has(*other)).collect())
}

fn issuers<'b>(one: &RuleBox<'b>) -> Option<BTreeSet<&'b str>> {
    one.issuers.clone().or_else(|| one.group.map(|group| group.1.clone()))
}

/// The ids of the others where they leave nothing of a box; where that can't be worked out, nothing is said.
fn taken(own: &RuleBox<'_>, others: &[&RuleBox<'_>]) -> Option<Vec<String>> {
    let wide = |days: (i32, i32)| (i64::from(days.0), i64::from(days.1));
    let closed = |ends: (i64, i64)| (ends.0, ends.1.saturating_add(1));
    let own_issuers = issuers(own);
    let other_issuers: Vec<_> = others.iter().map(|one| issuers(one)).collect();
    let each = |of: fn(&RuleBox<'_>) -> u32| others.iter().map(|one| of(one)).collect::<Vec<_>>();
    let sides: Vec<Side> = vec![
        names(own_issuers.as_ref(), &other_issuers.iter().map(Option::as_ref).collect::<Vec<_>>(), covers),
        names(
            own.courses.as_ref(),
            &others.iter().map(|one| one.courses.as_ref()).collect::<Vec<_>>(),
            |set, course| set.contains(course) || set.contains(super::rule_box::base(course)),
        ),
        names(
            own.subjects.as_ref(),
            &others.iter().map(|one| one.subjects.as_ref()).collect::<Vec<_>>(),
            begins,
        ),
        names(
            own.occupations.as_ref(),
            &others.iter().map(|one| one.occupations.as_ref()).collect::<Vec<_>>(),
            begins,
        ),
        names(
            own.assessment.as_ref(),
            &others.iter().map(|one| one.assessment.as_ref()).collect::<Vec<_>>(),
            BTreeSet::contains,
        ),
        bits(own.kinds, &each(|one| one.kinds)),
        bits(own.modes, &each(|one| one.modes)),
        numbers(closed(own.minutes), &others.iter().map(|one| closed(one.minutes)).collect::<Vec<_>>()),
        numbers(wide(own.earned), &others.iter().map(|one| wide(one.earned)).collect::<Vec<_>>()),
        numbers(wide(own.in_force), &others.iter().map(|one| wide(one.in_force)).collect::<Vec<_>>()),
    ];
    let whole: GridBox = sides.iter().map(|(count, _)| Atoms::all(*count)).collect();
    if whole.iter().any(Atoms::is_empty) {
        return None;
    }
    let boxes: Vec<GridBox> = (0..others.len())
        .map(|place| sides.iter().filter_map(|(_, atoms)| atoms.get(place)).cloned().collect())
        .collect();
    let left = left_over(&whole, &boxes)?;
    left.is_empty().then(|| others.iter().map(|one| one.rule.id.to_string()).collect())
}

/// Whether a code begins with one of a set.
fn begins(set: &BTreeSet<&str>, code: &str) -> bool {
    set.iter().any(|own| code.starts_with(own))
}
