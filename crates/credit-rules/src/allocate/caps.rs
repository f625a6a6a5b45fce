//! The maxima of a book, laid out over the lines of offers.

use super::AllocateError;
use super::select::Lookup;
use crate::answer::{Line, Offer, Place};
use crate::book::{Cap, CapPer, Constraint, Of, Requirement, Rule, YearOf};
use crate::input::Use;
use crate::plan::By;
use crate::ratio::{Rational, Round};
use crate::value::{Credit, Limit, Name};
use std::collections::{BTreeMap, BTreeSet};

/// A maximum over lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapNote {
    /// What it is: the rule or constraint, over what it adds up, and which sum: `ce-hours/learner-year/2025`.
    pub id: String,
    /// The most, in milli-credits or as a count.
    pub limit: i64,
    /// In what it is counted.
    pub by: By,
    /// What earlier uses have taken of it.
    pub used: i64,
    /// Whether it is lower because credit is left free for the institution's own courses.
    pub reserved: bool,
    /// The lines, as indices of an offer and of a line in it.
    pub members: Vec<(usize, usize)>,
}

/// What a maximum says, wherever it stands.
struct Says {
    id: String,
    per: CapPer,
    year: YearOf,
    limit: i64,
    by: By,
    reserved: bool,
}

/// All maxima that bound something.
pub(crate) fn caps(lookup: &Lookup<'_>, offers: &[Offer]) -> Result<Vec<CapNote>, AllocateError> {
    let mut notes = Vec::new();
    let offered: BTreeSet<&Name> = offers.iter().map(|offer| &offer.rule).collect();
    let kinds: BTreeSet<&Name> =
        offered.iter().filter_map(|rule| lookup.rules.get(rule)).map(|rule| &rule.kind).collect();
    for rule in lookup.rules.values() {
        // A cap over a kind or a target also bounds other rules than its own.
        let bounds = |cap: &&Cap| match cap.per {
            CapPer::Kind => kinds.contains(&rule.kind),
            CapPer::Target => true,
            CapPer::Record
            | CapPer::Project
            | CapPer::Rule
            | CapPer::Issuer
            | CapPer::Institution
            | CapPer::LearnerYear
            | CapPer::Semester
            | CapPer::Lineage
            | CapPer::Occupation
            | CapPer::Subject
            | CapPer::Programme => offered.contains(&rule.id),
        };
        for cap in rule.cap.iter().filter(bounds) {
            if let Some(says) = of_rule(lookup, rule, cap)? {
                let about = |offer: &Offer, line: &Line| covers(lookup, rule, cap, offer, line);
                let earlier = |earlier: &Use| covers_use(rule, cap, earlier);
                lay_out(lookup, offers, &says, about, earlier, &mut notes);
            }
        }
    }
    let mut constraints: Vec<&Constraint> = lookup.book.constraints.iter().collect();
    constraints.sort_by(|left, right| left.id.cmp(&right.id));
    for constraint in constraints {
        if let Some(says) = of_constraint(lookup, constraint)? {
            let except = constraint.except.as_ref();
            let about = |offer: &Offer, line: &Line| {
                lookup.applies(&constraint.applies_to, offer, line)
                    && except.is_none_or(|except| !lookup.applies(except, offer, line))
            };
            let earlier = |earlier: &Use| {
                lookup.applies_to_use(&constraint.applies_to, earlier)
                    && except.is_none_or(|except| !lookup.applies_to_use(except, earlier))
            };
            lay_out(lookup, offers, &says, about, earlier, &mut notes);
        }
    }
    of_programme(lookup, offers, &mut notes);
    Ok(notes)
}

/// Divides the lines that a maximum is about into its sums.
fn lay_out(
    lookup: &Lookup<'_>,
    offers: &[Offer],
    says: &Says,
    about: impl Fn(&Offer, &Line) -> bool,
    earlier: impl Fn(&Use) -> bool,
    notes: &mut Vec<CapNote>,
) {
    let mut sums: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (at, offer) in offers.iter().enumerate() {
        for (line_at, line) in offer.lines.iter().enumerate().filter(|(_, line)| about(offer, line)) {
            for key in lookup.keys(says.per, says.year, offer, line) {
                sums.entry(key).or_default().push((at, line_at));
            }
        }
    }
    for (key, members) in sums {
        let same = |own: &&Use| lookup.key_of_use(says.per, says.year, own).as_ref() == Some(&key);
        let uses = lookup.question.uses.iter().filter(|own| earlier(own)).filter(same);
        let used = match says.by {
            By::Credit => {
                uses.filter_map(|own| own.credit).fold(0, |sum: i64, own| sum.saturating_add(own.0))
            }
            By::Count => i64::try_from(uses.count()).unwrap_or(i64::MAX),
        };
        let id = if key.is_empty() { says.id.clone() } else { format!("{}/{key}", says.id) };
        let Says { limit, by, reserved, .. } = *says;
        notes.push(CapNote { id, limit, by, used, reserved, members });
    }
}

/// What a rule's cap says; `None` where it bounds no sum: one over each record is part of the conversion.
fn of_rule(lookup: &Lookup<'_>, rule: &Rule, cap: &Cap) -> Result<Option<Says>, AllocateError> {
    let Cap { per, max, count, of, year, keep: _ } = *cap;
    let per_text = serde_json::to_string(&per).unwrap_or_default();
    let id = format!("{}/{}", rule.id, per_text.trim_matches('"'));
    let (limit, by) = match (max, count) {
        (Some(Limit::Credit(_)), _) if per == CapPer::Record => return Ok(None),
        (Some(max), _) => match amount(lookup, max, of, None, Round::Floor, None) {
            Some(limit) => (limit, By::Credit),
            // A share of a programme bounds nothing where there is none.
            None if lookup.programme.is_none() && matches!(max, Limit::Share(_)) => return Ok(None),
            None => return Err(AllocateError::Cap(id)),
        },
        (None, Some(count)) => (i64::from(count), By::Count),
        (None, None) => return Ok(None),
    };
    Ok(Some(Says { id, per, year, limit, by, reserved: false }))
}

/// What a constraint says.
fn of_constraint(lookup: &Lookup<'_>, constraint: &Constraint) -> Result<Option<Says>, AllocateError> {
    let id = constraint.id.to_string();
    let requirement = constraint.applies_to.requirement.iter().next();
    let requirement = requirement.and_then(|name| {
        lookup.programme.and_then(|programme| programme.requirements.iter().find(|own| own.id == *name))
    });
    let (limit, by) = match (constraint.max, constraint.count) {
        (Some(max), _) => {
            match amount(lookup, max, constraint.of, requirement, constraint.round, constraint.step) {
                Some(limit) => (limit, By::Credit),
                // A share of a programme, or of a requirement, bounds nothing where there is none.
                None if matches!(max, Limit::Share(_)) => return Ok(None),
                None => return Err(AllocateError::Cap(id)),
            }
        }
        (None, Some(count)) => (i64::from(count), By::Count),
        (None, None) => return Ok(None),
    };
    let free = constraint.reserve_own.map_or(0, |own| own.0);
    Ok(Some(Says {
        id,
        per: constraint.per.unwrap_or(CapPer::Programme),
        year: constraint.year,
        limit: limit.saturating_sub(free).max(0),
        by,
        reserved: free > 0,
    }))
}

/// A maximum in milli-credits.
fn amount(
    lookup: &Lookup<'_>,
    max: Limit,
    of: Option<Of>,
    requirement: Option<&Requirement>,
    round: Round,
    step: Option<Credit>,
) -> Option<i64> {
    match max {
        Limit::Credit(credit) => Some(credit.0),
        Limit::Time(_) => None,
        Limit::Share(share) => {
            let programme = lookup.programme?;
            let whole = match of? {
                Of::ProgrammeCredit => programme.total,
                Of::RequirementCredit => requirement?.credit?,
                Of::AwardedCredit => return None,
            };
            let own = lookup.book.standards.get(&programme.std).map(|standard| standard.step);
            let step = step.or(own).map_or(1, |step| step.0.max(1));
            share.fraction()?.times(Rational::whole(whole.0))?.rounded(round, step)
        }
    }
}

/// Whether a rule's cap is about a line: of a kind and of a target those of other rules too.
fn covers(lookup: &Lookup<'_>, rule: &Rule, cap: &Cap, offer: &Offer, line: &Line) -> bool {
    let own = || offer.rule == rule.id;
    match cap.per {
        CapPer::Kind => lookup.rules.get(&offer.rule).is_some_and(|other| other.kind == rule.kind),
        CapPer::Target => {
            let named = |place: &Place| match place {
                Place::Course(course) => {
                    rule.award.iter().any(|target| target.course.as_ref() == Some(course))
                }
                Place::Requirement(_) | Place::Standard(_) => false,
            };
            own() || named(&line.place)
        }
        CapPer::Record
        | CapPer::Project
        | CapPer::Rule
        | CapPer::Issuer
        | CapPer::Institution
        | CapPer::LearnerYear
        | CapPer::Semester
        | CapPer::Lineage
        | CapPer::Occupation
        | CapPer::Subject
        | CapPer::Programme => own(),
    }
}

/// Whether a rule's cap is about an earlier use.
fn covers_use(rule: &Rule, cap: &Cap, earlier: &Use) -> bool {
    match cap.per {
        CapPer::Kind => earlier.kind.as_ref() == Some(&rule.kind),
        CapPer::Target => {
            let named = |name: &Name| rule.award.iter().any(|target| target.course.as_ref() == Some(name));
            earlier.rule.as_ref() == Some(&rule.id) || earlier.target.as_ref().is_some_and(named)
        }
        CapPer::Record
        | CapPer::Project
        | CapPer::Rule
        | CapPer::Issuer
        | CapPer::Institution
        | CapPer::LearnerYear
        | CapPer::Semester
        | CapPer::Lineage
        | CapPer::Occupation
        | CapPer::Subject
        | CapPer::Programme => earlier.rule.as_ref() == Some(&rule.id),
    }
}

/// What a programme itself bounds: its total, and of each requirement its credit.
fn of_programme(lookup: &Lookup<'_>, offers: &[Offer], notes: &mut Vec<CapNote>) {
    let (Some(programme), Some(name)) = (lookup.programme, lookup.question.programme.as_ref()) else {
        return;
    };
    let inside = |own: &&Use| own.programme.as_ref() == Some(name);
    let sum = |own: &dyn Fn(&Use) -> bool| {
        let uses = lookup.question.uses.iter().filter(inside).filter(|earlier| own(earlier));
        uses.filter_map(|own| own.credit).fold(0, |sum: i64, own| sum.saturating_add(own.0))
    };
    let lines = |own: &dyn Fn(&Line) -> bool| {
        let all = offers.iter().enumerate();
        let lines = all.flat_map(|(at, offer)| offer.lines.iter().enumerate().map(move |line| (at, line)));
        lines.filter(|(_, (_, line))| own(line)).map(|(at, (line_at, _))| (at, line_at)).collect::<Vec<_>>()
    };
    notes.push(CapNote {
        id: name.to_string(),
        limit: programme.total.0,
        by: By::Credit,
        used: sum(&|_| true),
        reserved: false,
        members: lines(&|_| true),
    });
    for requirement in &programme.requirements {
        let Some(credit) = requirement.credit else { continue };
        let own = |line: &Line| lookup.requirement(line).as_ref() == Some(&requirement.id);
        notes.push(CapNote {
            id: format!("{name}/{}", requirement.id),
            limit: credit.0,
            by: By::Credit,
            used: sum(&|earlier| earlier.target.as_ref() == Some(&requirement.id)),
            reserved: false,
            members: lines(&own),
        });
    }
}
