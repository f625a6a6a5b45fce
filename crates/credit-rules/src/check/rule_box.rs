//! What a rule asks of a record, as a box: sets of names and kinds, and intervals of numbers and days. Whatever is left
//! out only makes boxes larger, so that an overlap is never missed.

use crate::book::{Book, Cell, Choose, Column, Rule, Target};
use crate::value::{Many, Name, Period, Symbol, Time, Window};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Names, where one that ends in `.` stands for all that begin so.
pub(super) type Patterns<'b> = BTreeSet<&'b str>;

/// Where credit of a rule may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Goal<'b> {
    /// A course.
    Course(&'b Name),
    /// A pool.
    Pool(&'b Name),
}

/// A rule's conditions.
#[derive(Debug)]
pub(super) struct RuleBox<'b> {
    /// The rule.
    pub(super) rule: &'b Rule,
    /// Its place in the book.
    pub(super) index: usize,
    /// Kinds of records, as bits; all where none is said.
    pub(super) kinds: u32,
    /// Ways of delivery, as bits.
    pub(super) modes: u32,
    /// Issuers that it names.
    pub(super) issuers: Option<Patterns<'b>>,
    /// Those of its group.
    pub(super) group: Option<(&'b Name, &'b Patterns<'b>)>,
    /// Courses, as they are written.
    pub(super) courses: Option<BTreeSet<&'b str>>,
    /// Beginnings of subject codes.
    pub(super) subjects: Option<BTreeSet<&'b str>>,
    /// Beginnings of occupation codes.
    pub(super) occupations: Option<BTreeSet<&'b str>>,
    /// Ways of assessment.
    pub(super) assessment: Option<BTreeSet<&'b str>>,
    /// The standard of the record's credit.
    pub(super) std: Option<&'b Name>,
    /// Minutes, both ends included.
    pub(super) minutes: (i64, i64),
    /// Days of earning, the end not included.
    pub(super) earned: (i32, i32),
    /// Days on which it is in force, the end not included.
    pub(super) in_force: (i32, i32),
    /// The ladder and the heights of levels in it, both ends included.
    pub(super) level: Option<(&'b Name, i64, i64)>,
    /// Where its credit goes.
    pub(super) goals: BTreeSet<Goal<'b>>,
}

/// The members of the groups of a book.
pub(super) fn groups(book: &Book) -> BTreeMap<&Name, Patterns<'_>> {
    book.groups.iter().map(|(name, members)| (name, patterns(members))).collect()
}

fn patterns(names: &Many<Name>) -> Patterns<'_> {
    names.iter().map(Name::as_str).collect()
}

fn set(names: &Many<Name>) -> Option<BTreeSet<&str>> {
    (!names.is_empty()).then(|| patterns(names))
}

/// The days of a window, the end not included.
pub(super) fn days(window: Window) -> (i32, i32) {
    (window.from.map_or(i32::MIN, |day| day.0.days()), window.until.map_or(i32::MAX, |day| day.0.days()))
}

/// Bits of those words of a list that a rule names; all where it names none.
fn bits<T: std::fmt::Debug + PartialEq + Ord>(list: &[T], seen: &mut BTreeMap<String, u32>) -> u32 {
    if list.is_empty() {
        return u32::MAX;
    }
    list.iter().fold(0, |bits, one| {
        let next = u32::try_from(seen.len()).unwrap_or(31).min(31);
        bits | 1_u32.checked_shl(*seen.entry(format!("{one:?}")).or_insert(next)).unwrap_or_default()
    })
}

/// The words that every row of a rule's table asks of a column.
fn column_words<'b>(rule: &'b Rule, column: &Column) -> Option<BTreeSet<&'b str>> {
    let table = rule.table.as_ref().filter(|table| !table.rows.is_empty())?;
    let mut all = BTreeSet::new();
    for row in &table.rows {
        match row.cells.get(column)? {
            Cell::Words(words) => all.extend(words.iter().map(Symbol::as_str)),
            Cell::Range { .. } | Cell::Is(_) => return None,
        }
    }
    Some(all)
}

/// The boxes of all rules of a book, in its order.
pub(super) fn boxes<'b>(book: &'b Book, groups: &'b BTreeMap<&'b Name, Patterns<'b>>) -> Vec<RuleBox<'b>> {
    let (mut kinds, mut modes) = (BTreeMap::new(), BTreeMap::new());
    let numbered = book.rules.iter().enumerate();
    numbered.map(|one| RuleBox::of(book, groups, one, (&mut kinds, &mut modes))).collect()
}

impl<'b> RuleBox<'b> {
    /// The box of a rule.
    fn of(
        book: &'b Book,
        groups: &'b BTreeMap<&'b Name, Patterns<'b>>,
        (index, rule): (usize, &'b Rule),
        (kinds, modes): (&mut BTreeMap<String, u32>, &mut BTreeMap<String, u32>),
    ) -> Self {
        let when = &rule.when;
        let minutes = |time: Option<Time>| time.and_then(|time| time.minutes(book.xs_minutes));
        let group = when.issuer_group.as_ref().and_then(|name| groups.get_key_value(name));
        let level = when.level.as_ref().map(|level| {
            let descending = book.ladders.get(&level.ladder).is_some_and(|ladder| ladder.descending);
            let height = |tenths: i32| {
                let tenths = i64::from(tenths);
                if descending { tenths.saturating_neg() } else { tenths }
            };
            let least = level.at_least.map_or(i64::MIN, |level| height(level.0));
            (&level.ladder, least, level.at_most.map_or(i64::MAX, |level| height(level.0)))
        });
        let (book_days, own_days) = (days(book.effective), days(rule.effective));
        let targets = || rule.award.iter().flat_map(|target| std::iter::once(target).chain(&target.one_of));
        Self {
            rule,
            index,
            kinds: bits(&when.record_kind.0, kinds),
            modes: bits(&when.mode.0, modes),
            issuers: set(&when.issuer).or_else(|| column_words(rule, &Column::Issuer)),
            group: group.map(|(name, members)| (*name, members)),
            courses: set(&when.course).or_else(|| column_words(rule, &Column::Course)),
            subjects: set(&when.subject).or_else(|| column_words(rule, &Column::Subject)),
            occupations: set(&when.occupation).or_else(|| column_words(rule, &Column::Occupation)),
            assessment: set(&when.assessment),
            std: when.std.as_ref(),
            minutes: (minutes(when.min_hours).unwrap_or(0), minutes(when.max_hours).unwrap_or(i64::MAX)),
            earned: days(when.earned),
            in_force: (book_days.0.max(own_days.0), book_days.1.min(own_days.1)),
            level,
            goals: targets().flat_map(goals).collect(),
        }
    }

    /// Whether a record can fulfil both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let days = |one: (i32, i32), two: (i32, i32)| one.0.max(two.0) < one.1.min(two.1);
        let agree = |one: Option<&Name>, two: Option<&Name>| one.zip(two).is_none_or(|(one, two)| one == two);
        self.kinds & other.kinds != 0
            && self.modes & other.modes != 0
            && agree(self.std, other.std)
            && self.rule.when.hour_kind.zip(other.rule.when.hour_kind).is_none_or(|(one, two)| one == two)
            && self.minutes.0.max(other.minutes.0) <= self.minutes.1.min(other.minutes.1)
            && days(self.earned, other.earned)
            && days(self.in_force, other.in_force)
            && self.level.zip(other.level).is_none_or(|((ladder, least, most), (other, low, high))| {
                ladder != other || least.max(low) <= most.min(high)
            })
            && both(self.courses.as_ref(), other.courses.as_ref(), course_meets)
            && both(self.assessment.as_ref(), other.assessment.as_ref(), BTreeSet::contains)
            && both(self.subjects.as_ref(), other.subjects.as_ref(), beginning_meets)
            && both(self.occupations.as_ref(), other.occupations.as_ref(), beginning_meets)
            && self.issuers_meet(other)
    }

    fn issuers_meet(&self, other: &Self) -> bool {
        let (own_group, other_group) = (self.group.map(|own| own.1), other.group.map(|own| own.1));
        let same = self.group.zip(other.group).is_some_and(|(one, two)| one.0 == two.0);
        both(self.issuers.as_ref(), other.issuers.as_ref(), pattern_meets)
            && both(self.issuers.as_ref(), other_group, pattern_meets)
            && both(own_group, other.issuers.as_ref(), pattern_meets)
            && (same || both(own_group, other_group, pattern_meets))
    }

    /// Whether either says that it goes before the other, or that both may be chosen from.
    pub(super) fn settled(&self, other: &Self) -> bool {
        self.rule.overrides.contains(&other.rule.id)
            || other.rule.overrides.contains(&self.rule.id)
            || (self.rule.choose == Some(Choose::Best) && other.rule.choose == Some(Choose::Best))
    }
}

fn goals(target: &Target) -> impl Iterator<Item = Goal<'_>> {
    target.course.iter().map(Goal::Course).chain(target.pool.iter().map(Goal::Pool))
}

/// Whether two sets share something; one that is not said has everything.
fn both<'b>(
    one: Option<&BTreeSet<&'b str>>,
    other: Option<&BTreeSet<&'b str>>,
    has: fn(&BTreeSet<&'b str>, &'b str) -> bool,
) -> bool {
    let Some((one, other)) = one.zip(other) else { return true };
    let (small, large) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    small.iter().any(|name| has(large, name))
}

/// A course without its version.
pub(super) fn base(course: &str) -> &str {
    course.split_once('@').map_or(course, |(base, _)| base)
}

/// Whether a set has a course, in some version.
fn course_meets(set: &BTreeSet<&str>, course: &str) -> bool {
    let any_version = || {
        let mut after = set.range::<str, _>(from(course));
        // After the course itself come its versions: `@` sorts among other characters, so look at all that begin so.
        after.by_ref().take_while(|own| own.starts_with(course)).any(|own| base(own) == course)
    };
    set.contains(course) || set.contains(base(course)) || (!course.contains('@') && any_version())
}

/// Whether a code begins with one of a set, or one of the set begins with it.
fn beginning_meets(set: &BTreeSet<&str>, code: &str) -> bool {
    let shorter = code.char_indices().any(|(at, one)| {
        let end = at.saturating_add(one.len_utf8());
        code.get(..end).is_some_and(|beginning| set.contains(beginning))
    });
    shorter || longer(set, code)
}

/// Whether a pattern of issuers shares one with a set of them.
pub(super) fn pattern_meets(set: &BTreeSet<&str>, pattern: &str) -> bool {
    covers(set, pattern) || (pattern.ends_with('.') && longer(set, pattern))
}

/// Whether a set has all issuers of a pattern by one of its own.
pub(super) fn covers(set: &BTreeSet<&str>, pattern: &str) -> bool {
    let dots = pattern.char_indices().filter(|(_, one)| *one == '.');
    let mut beginnings = dots.filter_map(|(at, _)| pattern.get(..at.saturating_add(1)));
    set.contains(pattern) || beginnings.any(|beginning| set.contains(beginning))
}

fn from(start: &str) -> (Bound<&str>, Bound<&str>) {
    (Bound::Included(start), Bound::Unbounded)
}

fn longer(set: &BTreeSet<&str>, beginning: &str) -> bool {
    set.range::<str, _>(from(beginning)).next().is_some_and(|own| own.starts_with(beginning))
}

/// A length of time as the fewest and the most days that it can have.
pub(super) fn days_of(period: Period) -> (u64, u64) {
    match period {
        Period::Days(days) => (u64::from(days), u64::from(days)),
        Period::Months(months) => {
            let months = u64::from(months);
            (months.saturating_mul(30), months.saturating_mul(31))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_as_they_are_matched() {
        let set: Patterns<'_> = ["cn.ou.", "cn.cc.east", "x"].into();
        for (pattern, meets) in [
            ("cn.ou.beijing", true),
            ("cn.ou.", true),
            ("cn.", true),
            ("cn.cc.", true),
            ("cn.cc.east", true),
            ("cn.cc.west", false),
            ("cn.o.", false),
            ("x", true),
            ("x.", false),
        ] {
            assert_eq!(pattern_meets(&set, pattern), meets, "{pattern}");
        }
        assert!(covers(&set, "cn.ou.") && !covers(&set, "cn.") && covers(&set, "cn.ou.a"));
        let courses: BTreeSet<&str> = ["a:b@2", "a:bb", "a:c"].into();
        for (course, meets) in [
            ("a:b", true),
            ("a:b@2", true),
            ("a:b@3", false),
            ("a:c@9", true),
            ("a:bb", true),
            ("a:d", false),
        ] {
            assert_eq!(course_meets(&courses, course), meets, "{course}");
        }
        let subjects: BTreeSet<&str> = ["IT", "LAW1"].into();
        for (code, meets) in [("IT", true), ("ITX", true), ("I", true), ("LAW", true), ("LAW2", false)] {
            assert_eq!(beginning_meets(&subjects, code), meets, "{code}");
        }
    }
}
