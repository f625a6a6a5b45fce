//! Offers, maxima and requirements as a question in whole numbers.

use super::AllocateError;
use super::caps::{CapNote, caps};
use super::select::Lookup;
use crate::answer::{Line, Offer, Place};
use crate::book::{Consumption, Family, Rule};
use crate::input::{Question, Record, Use};
use crate::plan::{self, Model};
use crate::program::Program;
use crate::value::Name;
use std::collections::BTreeMap;

/// A model, and what its numbers stand for.
pub(crate) struct Lowered {
    /// The model.
    pub(crate) model: Model,
    /// Its caps, in order.
    pub(crate) caps: Vec<CapNote>,
    /// Its needs, in order: a requirement or a course.
    pub(crate) needs: Vec<Name>,
    /// Its cliques that stand for a family.
    pub(crate) families: Vec<Vec<usize>>,
}

/// Whether two offers are the same use.
pub(crate) fn same(left: &Offer, right: &Offer) -> bool {
    left.rule == right.rule && left.records == right.records && left.lines == right.lines
}

/// Lays a question out as a model.
pub(crate) fn lower(
    program: &Program,
    question: &Question,
    offers: &[Offer],
) -> Result<Lowered, AllocateError> {
    let lookup = Lookup::new(program.book(), question);
    let notes = caps(&lookup, offers)?;
    let (need_names, needs) = needs(&lookup);
    let places: BTreeMap<&Name, usize> = need_names.iter().enumerate().map(|(at, name)| (name, at)).collect();
    let numbers: BTreeMap<&Name, usize> =
        lookup.records.keys().enumerate().map(|(at, name)| (*name, at)).collect();
    let families = families(&lookup, offers);
    let mut cliques: Vec<plan::Clique> =
        families.iter().map(|offers| plan::Clique { offers: offers.clone() }).collect();
    cliques.extend(unconsumed(&lookup, offers));
    let model = Model {
        records: lookup.records.values().map(|record| planned_record(record)).collect(),
        offers: offers
            .iter()
            .enumerate()
            .map(|(at, offer)| planned_offer(program, &lookup, &numbers, &places, at, offer))
            .collect(),
        caps: notes
            .iter()
            .map(|note| plan::Cap {
                limit: note.limit,
                by: note.by,
                members: note.members.clone(),
                used: note.used,
            })
            .collect(),
        cliques,
        needs,
    };
    Ok(Lowered { model, caps: notes, needs: need_names, families })
}

/// A record as the plan sees it.
fn planned_record(record: &Record) -> plan::Record {
    let own = record.valid_for.and_then(|period| period.after(record.earned_on.0));
    let ends = [record.valid_until.map(|day| day.0), own];
    plan::Record {
        key: record.id.as_str().as_bytes().to_vec(),
        expires_on: ends.into_iter().flatten().min().map(credit_types::CivilDate::days),
    }
}

/// An offer as the plan sees it.
fn planned_offer(
    program: &Program,
    lookup: &Lookup<'_>,
    numbers: &BTreeMap<&Name, usize>,
    places: &BTreeMap<&Name, usize>,
    at: usize,
    offer: &Offer,
) -> plan::Offer {
    let rule = lookup.rules.get(&offer.rule);
    let consumes = rule.is_none_or(|rule| rule.consumption != Consumption::NonConsuming);
    let records = if consumes {
        offer.records.iter().filter_map(|id| numbers.get(id).copied()).collect()
    } else {
        Vec::new()
    };
    let lines = offer.lines.iter().map(|line| plan::Line {
        need: need_of(lookup, line).and_then(|name| places.get(&name).copied()),
        milli: line.credit.0,
    });
    let total = offer.lines.iter().map(|line| line.credit.0).max().unwrap_or_default();
    let trims = offer.trim && total > 0;
    let step = rule.map_or(1, |rule| step(program, rule)).clamp(1, total.max(1));
    // The offers are in their canonical order, by rule and records. Of plans that are equal in all else the best leaves
    // out the first key in which they differ; counted backwards, it so takes the offer of the lower rule id.
    let key = u64::MAX.saturating_sub(u64::try_from(at).unwrap_or(u64::MAX)).to_be_bytes().to_vec();
    let mode = if trims { plan::Mode::Trim { step, total } } else { plan::Mode::Whole };
    plan::Offer { key, records, lines: lines.collect(), mode }
}

/// The step to which a rule's credit may be trimmed.
fn step(program: &Program, rule: &Rule) -> i64 {
    let book = program.book();
    let convert = rule.convert.as_ref();
    let own = convert.and_then(|convert| convert.step);
    let std = convert
        .and_then(|convert| convert.std.as_ref())
        .or_else(|| rule.award.iter().find_map(|target| target.std.as_ref()));
    let standard = std.and_then(|std| book.standards.get(std)).map(|standard| standard.step);
    own.or(standard).map_or(1, |step| step.0.max(1))
}

/// What the programme asks for: credit of a requirement, or that a course is met.
fn needs(lookup: &Lookup<'_>) -> (Vec<Name>, Vec<plan::Need>) {
    let mut all: BTreeMap<Name, plan::Need> = BTreeMap::new();
    let Some(programme) = lookup.programme else { return Default::default() };
    let before = |target: &Name| {
        let same =
            |own: &&Use| own.programme == lookup.question.programme && own.target.as_ref() == Some(target);
        let uses = lookup.question.uses.iter().filter(same).filter_map(|own| own.credit);
        uses.fold(0_i64, |sum, own| sum.saturating_add(own.0))
    };
    for requirement in &programme.requirements {
        if let Some(credit) = requirement.credit {
            let required = credit.0.saturating_sub(before(&requirement.id)).max(0);
            all.insert(requirement.id.clone(), plan::Need { required, kind: plan::NeedKind::Credit });
        }
        let met = |course: &&Name| lookup.question.learner.met.iter().any(|own| own == *course);
        for course in requirement.courses.iter().filter(|course| !met(course)) {
            all.insert(course.clone(), plan::Need { required: 0, kind: plan::NeedKind::Met });
        }
    }
    all.into_iter().unzip()
}

/// The need to which a line counts: a course that is named where it is met whole, otherwise its requirement.
fn need_of(lookup: &Lookup<'_>, line: &Line) -> Option<Name> {
    match &line.place {
        Place::Course(course) => {
            let requirement = lookup.requirement(line)?;
            let mut own = lookup.programme?.requirements.iter();
            let counted = own.any(|own| own.id == requirement && own.credit.is_some()) && !line.waive;
            Some(if counted { requirement } else { course.clone() })
        }
        Place::Requirement(name) => Some(name.clone()),
        Place::Standard(_) => None,
    }
}

/// Offers of which at most one may be taken, because only the best of a family counts.
fn families(lookup: &Lookup<'_>, offers: &[Offer]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut add = |family: Family, about: &dyn Fn(&Offer) -> bool| {
        let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, offer) in offers.iter().enumerate().filter(|(_, offer)| about(offer)) {
            for key in lookup.families(family, offer) {
                by_key.entry(key).or_default().push(at);
            }
        }
        all.extend(by_key.into_values().filter(|members| members.len() > 1));
    };
    for rule in lookup.rules.values() {
        for family in rule.cap.iter().filter_map(|cap| cap.keep) {
            add(family, &|offer| offer.rule == rule.id);
        }
    }
    for constraint in &lookup.book.constraints {
        if let Some(family) = constraint.keep {
            let about = |offer: &Offer| {
                offer.lines.iter().any(|line| lookup.applies(&constraint.applies_to, offer, line))
            };
            add(family, &about);
        }
    }
    all.sort();
    all.dedup();
    all
}

/// Ways to use the same records by the same rule, of which one is taken although no record is consumed.
fn unconsumed(lookup: &Lookup<'_>, offers: &[Offer]) -> Vec<plan::Clique> {
    let mut ways: BTreeMap<(&Name, &[Name]), Vec<usize>> = BTreeMap::new();
    for (at, offer) in offers.iter().enumerate() {
        let rule = lookup.rules.get(&offer.rule);
        if rule.is_some_and(|rule| rule.consumption == Consumption::NonConsuming) {
            ways.entry((&offer.rule, offer.records.as_slice())).or_default().push(at);
        }
    }
    ways.into_values().filter(|ways| ways.len() > 1).map(|offers| plan::Clique { offers }).collect()
}
