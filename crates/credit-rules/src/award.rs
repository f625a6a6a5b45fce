//! Whether what a learner holds fulfils an award, and what is missing.

use crate::answer::Place;
use crate::book::{Award, Book, Counted, KindName, LadderStep, LevelValue, Requirement};
use crate::ratio::{Rational, Round};
use crate::value::{Credit, Day, Name, Time};
use serde::{Deserialize, Serialize};

mod held;

/// Credit that a learner holds for an award: an own course, or what a conversion granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The record, or the conversion.
    pub id: Name,
    /// Who issued the record.
    pub issuer: Name,
    /// Its credit, in the award's standard; none of a waiver.
    #[serde(default)]
    pub credit: Credit,
    /// When it was earned.
    pub earned_on: Day,
    /// What it attests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KindName>,
    /// The requirement or category that it was put to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Name>,
    /// The course that it meets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Name>,
    /// Its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Time>,
    /// Its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelValue>,
    /// The ladder of its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Name>,
    /// Whether the learner passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
}

impl Held {
    /// Where it was put.
    pub fn place(&self) -> Option<Place> {
        let course = self.course.clone().map(Place::Course);
        course.or_else(|| self.pool.clone().map(Place::Requirement))
    }
}

/// In what a requirement is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// Milli-credits.
    Credit,
    /// Minutes.
    Minutes,
    /// Records.
    Records,
    /// Courses.
    Courses,
}

/// One thing that a requirement asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// In what it is counted.
    pub measured: Measured,
    /// How much is needed.
    pub need: i64,
    /// How much is there.
    pub have: i64,
    /// Courses that are missing.
    pub courses: Vec<Name>,
}

impl Part {
    /// How much is missing.
    pub fn missing(&self) -> i64 {
        self.need.saturating_sub(self.have).max(0)
    }
}

/// How a requirement came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The requirement.
    pub requirement: Name,
    /// Whether it is met.
    pub met: bool,
    /// What it asks for.
    pub parts: Vec<Part>,
    /// Its alternatives, any of which suffices.
    pub any_of: Vec<Outcome>,
}

/// How an award came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether everything is met.
    pub granted: bool,
    /// The step of its ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Name>,
    /// All credit that is held for it.
    pub total: Credit,
    /// Its requirements.
    pub requirements: Vec<Outcome>,
}

/// Whether what is held on a day fulfils an award; `None` where an amount does not fit.
pub fn verdict(book: &Book, award: &Award, on: Day, held: &[Held]) -> Option<Verdict> {
    let total = held.iter().try_fold(0_i64, |sum, held| sum.checked_add(held.credit.0))?;
    let asked = award.programme.as_ref().and_then(|name| book.programmes.get(name));
    let whole = asked.map_or(total, |programme| programme.total.0);
    let judge = Judge { book, award, on, held, whole };
    let own = award.requirements.iter();
    let all = own.chain(asked.into_iter().flat_map(|programme| &programme.requirements));
    let requirements = all.map(|requirement| judge.outcome(requirement)).collect::<Option<Vec<_>>>()?;
    let step = award.ladder.iter().filter(|step| step.credit.0 <= total).max_by_key(|step| step.credit);
    let climbs = award.ladder.is_empty() || step.is_some();
    let granted = climbs && requirements.iter().all(|outcome| outcome.met);
    let step = step.filter(|_| granted).map(|LadderStep { id, .. }| id.clone());
    Some(Verdict { granted, step, total: Credit(total), requirements })
}

/// What a requirement is judged by.
struct Judge<'a> {
    book: &'a Book,
    award: &'a Award,
    on: Day,
    held: &'a [Held],
    whole: i64,
}

impl Judge<'_> {
    /// How a requirement comes out. The depth of alternatives was bounded when the book was read.
    fn outcome(&self, requirement: &Requirement) -> Option<Outcome> {
        let counted: Vec<&Held> = self.held.iter().filter(|held| self.counts(requirement, held)).collect();
        let mut parts = Vec::new();
        let credit = counted.iter().try_fold(0_i64, |sum, held| sum.checked_add(held.credit.0))?;
        let mut part = |measured, need: i64, have: i64| {
            parts.push(Part { measured, need, have, courses: Vec::new() });
        };
        if let Some(need) = requirement.credit {
            part(Measured::Credit, need.0, credit);
        }
        if let Some(share) = &requirement.share {
            // The least whole number of milli-credits that is not less than the share.
            let need = share.at_least.fraction()?.times(Rational::whole(self.whole))?;
            part(Measured::Credit, need.rounded(Round::Ceil, 1)?, credit);
        }
        if let Some(need) = requirement.hours {
            let minutes = |time: Time| time.minutes(self.book.xs_minutes);
            let have = counted.iter().filter_map(|held| held.hours.and_then(minutes));
            part(Measured::Minutes, minutes(need)?, have.fold(0, i64::saturating_add));
        }
        if let Some(need) = requirement.count {
            part(Measured::Records, i64::from(need), i64::try_from(counted.len()).ok()?);
        }
        if !requirement.courses.is_empty() {
            parts.push(self.courses(requirement)?);
        }
        let any_of =
            requirement.any_of.iter().map(|other| self.outcome(other)).collect::<Option<Vec<_>>>()?;
        let met = parts.iter().all(|part| part.missing() == 0)
            && (any_of.is_empty() || any_of.iter().any(|other| other.met));
        Some(Outcome { requirement: requirement.id.clone(), met, parts, any_of })
    }

    /// Whether something held counts towards a requirement.
    fn counts(&self, requirement: &Requirement, held: &Held) -> bool {
        // A programme's requirement takes what was put to it; an award's takes all, unless it names pools.
        let own = &requirement.counts.pool;
        let pools = if own.is_empty() { &requirement.pool } else { own };
        self.placed(requirement, held)
            && (among(pools, held.pool.as_ref()) || held.pool.as_ref() == Some(&requirement.id))
            && self.qualifies(requirement, held)
    }

    /// Whether something held is such as a requirement asks for, wherever it was put.
    fn qualifies(&self, requirement: &Requirement, held: &Held) -> bool {
        let Counted { own, issuer, issuer_group, record_kind, pool: _, ladder, min_level, passed, max_age } =
            &requirement.counts;
        let high = min_level.is_none_or(|least| {
            let to = ladder.as_ref().or(held.ladder.as_ref());
            let carried = held.level.zip(held.ladder.as_ref()).zip(to).and_then(|((level, from), to)| {
                let height = |level| crate::level::height(self.book, to, level);
                let own = crate::level::carried(self.book, from, level, to)?;
                Some(height(own) >= height(least))
            });
            carried == Some(true)
        });
        let own_course = held.issuer == self.award.institution;
        (!own || own_course)
            && among(issuer, Some(&held.issuer))
            && issuer_group.as_ref().is_none_or(|group| self.book.in_group(group, &held.issuer))
            && (record_kind.is_empty()
                || held.kind.is_some_and(|kind| record_kind.iter().any(|own| *own == kind)))
            && high
            && (!passed || held.passed == Some(true))
            && max_age.is_none_or(|age| age.after(held.earned_on.0).is_none_or(|end| self.on.0 <= end))
    }

    /// Of a programme's requirements each takes what was put to it or meets its courses.
    fn placed(&self, requirement: &Requirement, held: &Held) -> bool {
        let of_programme = self
            .award
            .programme
            .as_ref()
            .and_then(|name| self.book.programmes.get(name))
            .is_some_and(|programme| programme.requirements.iter().any(|own| own.id == requirement.id));
        let named = |course: &Name| requirement.courses.iter().any(|own| own == course);
        !of_programme
            || held
                .pool
                .as_ref()
                .is_some_and(|pool| *pool == requirement.id || requirement.pool.iter().any(|own| own == pool))
            || held.course.as_ref().is_some_and(named)
    }

    /// The courses that a requirement names.
    fn courses(&self, requirement: &Requirement) -> Option<Part> {
        let meets = |held: &Held, course: &Name| {
            held.course.as_ref() == Some(course) && self.qualifies(requirement, held)
        };
        let met = |course: &&Name| self.held.iter().any(|held| meets(held, course));
        let (met, courses): (Vec<&Name>, Vec<&Name>) = requirement.courses.iter().partition(met);
        let all = u32::try_from(requirement.courses.0.len()).ok()?;
        let need = i64::from(requirement.least.unwrap_or(all).min(all));
        let have = i64::try_from(met.len()).ok()?;
        let courses = if have < need { courses.into_iter().cloned().collect() } else { Vec::new() };
        Some(Part { measured: Measured::Courses, need, have, courses })
    }
}

/// Whether a name is one of a list; an empty list asks nothing.
fn among(list: &crate::value::Many<Name>, name: Option<&Name>) -> bool {
    list.is_empty() || name.is_some_and(|name| list.iter().any(|own| own == name))
}
