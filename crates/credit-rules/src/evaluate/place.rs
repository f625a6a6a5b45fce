//! Where the credit of a rule goes.

use crate::answer::{Line, Place};
use crate::book::{Programme, Requirement, Rule, Target};
use crate::input::Question;
use crate::program::Program;
use crate::ratio::{Rational, Round};
use crate::reason::Reason;
use crate::value::{Credit, Name};

/// One way in which the targets of a rule may be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// The parts.
    pub(crate) lines: Vec<Line>,
    /// Whether a part may be granted.
    pub(crate) trim: bool,
    /// Whether the lines share one amount.
    pub(crate) splittable: bool,
}

/// Why there is no way.
pub(crate) type NoWay = (Reason, String);

/// Every way in which the targets of a rule may be met by an amount; the amount is missing where each target says its
/// own.
pub(crate) fn ways(
    program: &Program,
    question: &Question,
    rule: &Rule,
    std: Option<&Name>,
    milli: Option<i64>,
) -> Result<Vec<Way>, NoWay> {
    let programme = question.programme.as_ref().and_then(|name| program.book.programmes.get(name));
    let to = To { question, programme, std, milli };
    if let [target] = rule.award.0.as_slice() {
        return to.single(target);
    }
    // Granted together: each target has one place.
    let mut lines = Vec::new();
    for target in &rule.award {
        let ways = match to.single(target) {
            Err((Reason::TargetMet, _)) if rule.unmet_part => continue,
            other => other?,
        };
        lines.extend(ways.into_iter().next().into_iter().flat_map(|way| way.lines));
    }
    if lines.is_empty() {
        let met = if rule.unmet_part { Reason::TargetMet } else { Reason::NoTarget };
        return Err((met, String::new()));
    }
    Ok(vec![Way { lines, trim: false, splittable: false }])
}

/// What credit goes to.
struct To<'a> {
    question: &'a Question,
    programme: Option<&'a Programme>,
    std: Option<&'a Name>,
    milli: Option<i64>,
}

impl To<'_> {
    /// The ways of one target.
    fn single(&self, target: &Target) -> Result<Vec<Way>, NoWay> {
        if target.one_of.is_empty() {
            return self.one(target);
        }
        let mut ways = Vec::new();
        let mut why = None;
        for choice in &target.one_of {
            match self.one(choice) {
                Ok(found) => ways.extend(found),
                Err(no_way) => why = why.or(Some(no_way)),
            }
        }
        if ways.is_empty() { Err(why.unwrap_or((Reason::NoTarget, String::new()))) } else { Ok(ways) }
    }

    /// The ways of a target that is no choice.
    fn one(&self, target: &Target) -> Result<Vec<Way>, NoWay> {
        let credit = Credit(self.amount(target)?);
        let line = |place: Place| Line { place, credit, waive: target.waive };
        if let Some(course) = &target.course {
            if self.question.learner.met.iter().any(|met| met == course) {
                return Err((Reason::TargetMet, course.to_string()));
            }
            let named = |requirement: &Requirement| requirement.courses.iter().any(|own| own == course);
            let has = self.programme.is_none_or(|programme| {
                programme.requirements.is_empty() || programme.requirements.iter().any(named)
            });
            if !has {
                return Err((Reason::NoTarget, course.to_string()));
            }
            let lines = vec![line(Place::Course(course.clone()))];
            return Ok(vec![Way { lines, trim: target.trim && !target.whole, splittable: false }]);
        }
        let places = self.pools(target)?;
        let trim = target.trim && !target.whole;
        if target.splittable && places.len() > 1 {
            let lines = places.into_iter().map(line).collect();
            return Ok(vec![Way { lines, trim: true, splittable: true }]);
        }
        Ok(places
            .into_iter()
            .map(|place| Way { lines: vec![line(place)], trim, splittable: false })
            .collect())
    }

    /// The requirements that take credit of a target's pools, by id.
    fn pools(&self, target: &Target) -> Result<Vec<Place>, NoWay> {
        let pools: Vec<String> = target.pool.iter().map(Name::to_string).collect();
        let none = || (Reason::NoTarget, pools.join(", "));
        let std = target.std.as_ref().or(self.std);
        let Some(programme) = self.programme.filter(|programme| !programme.requirements.is_empty()) else {
            let std = std.or(self.programme.map(|programme| &programme.std));
            return std.map(|std| vec![Place::Standard(std.clone())]).ok_or_else(none);
        };
        let takes = |requirement: &&Requirement| {
            target
                .pool
                .iter()
                .any(|pool| *pool == requirement.id || requirement.pool.iter().any(|own| own == pool))
        };
        let mut names: Vec<&Name> =
            programme.requirements.iter().filter(takes).map(|requirement| &requirement.id).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Err(none());
        }
        Ok(names.into_iter().map(|name| Place::Requirement(name.clone())).collect())
    }

    /// What a target takes.
    fn amount(&self, target: &Target) -> Result<i64, NoWay> {
        if target.waive {
            return Ok(0);
        }
        if let Some(block) = target.block {
            let programme = self.programme.ok_or_else(|| (Reason::NoTarget, "programme".to_owned()))?;
            let share = block.fraction().and_then(|part| part.times(Rational::whole(programme.total.0)));
            let unit = programme.unit.map_or(1, |unit| unit.0.max(1));
            let milli = share.and_then(|share| share.rounded(Round::Floor, unit));
            return milli.ok_or_else(|| (Reason::Overflow, block.to_string()));
        }
        let milli = target.credit.map(|credit| credit.0).or(self.milli);
        milli.filter(|milli| *milli > 0).ok_or_else(|| (Reason::BelowLeast, String::new()))
    }
}
