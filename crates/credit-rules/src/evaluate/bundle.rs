//! Records that are needed together.

use super::place::ways;
use super::{Answer, refuse, used};
use crate::answer::{Check, Offer};
use crate::book::Rule;
use crate::input::Question;
use crate::limits::{BUNDLE_STEPS_MAX, OFFERS_PER_RECORD_MAX};
use crate::program::{Prepared, Program, Quick, Ready, Term, holds, worth};
use crate::ratio::Rational;
use crate::reason::Reason;
use crate::value::Name;
use std::collections::BTreeSet;

/// Adds the offers of a bundle, and what is missing where there are none.
pub(crate) fn offers(
    program: &Program,
    question: &Question,
    ready: &Ready,
    prepared: &[Prepared<'_>],
    answer: &mut Answer,
) {
    let Some(rule) = program.rule(ready) else { return };
    let usable: Vec<&Prepared<'_>> = prepared
        .iter()
        .filter(|record| {
            program.in_force(rule, record.picked_on)
                && holds(&ready.tests, record, program, &mut Quick)
                && !used::excluded(program, question, rule, record.record)
        })
        .collect();
    let mut found: BTreeSet<Vec<usize>> = BTreeSet::new();
    let mut nearest: Option<(usize, Vec<String>)> = None;
    let mut steps = BUNDLE_STEPS_MAX;
    for term in &ready.terms {
        let fits = fitting(program, term, &usable);
        let missing: Vec<String> = term
            .items
            .iter()
            .zip(&fits)
            .filter(|(_, fits)| fits.is_empty())
            .map(|(item, _)| item.name.clone())
            .collect();
        if missing.is_empty() {
            assign(rule, &usable, &fits, &mut found, &mut steps);
        } else if nearest.as_ref().is_none_or(|(count, _)| missing.len() < *count) {
            nearest = Some((missing.len(), missing));
        }
    }
    if steps == 0 || found.len() > OFFERS_PER_RECORD_MAX {
        answer.cut.push(rule.id.clone());
    }
    if found.is_empty() {
        incomplete(program, ready, rule, prepared, nearest, answer);
    }
    for records in found.iter().take(OFFERS_PER_RECORD_MAX) {
        let records: Vec<&Prepared<'_>> = records.iter().filter_map(|at| usable.get(*at).copied()).collect();
        grant(program, question, ready, rule, &records, answer);
    }
}

/// For each record that a term asks for, those that fit it.
fn fitting(program: &Program, term: &Term, usable: &[&Prepared<'_>]) -> Vec<Vec<usize>> {
    let fits = |tests: &[_]| {
        let fit = usable.iter().enumerate().filter(|(_, record)| holds(tests, record, program, &mut Quick));
        fit.map(|(at, _)| at).collect()
    };
    term.items.iter().map(|item| fits(&item.tests)).collect()
}

/// Every choice of different records, one for each part of a term.
fn assign(
    rule: &Rule,
    usable: &[&Prepared<'_>],
    fits: &[Vec<usize>],
    found: &mut BTreeSet<Vec<usize>>,
    steps: &mut usize,
) {
    let mut open: Vec<Vec<usize>> = vec![Vec::new()];
    while let Some(chosen) = open.pop() {
        let Some(rest) = steps.checked_sub(1) else { return };
        *steps = rest;
        let Some(fit) = fits.get(chosen.len()) else {
            let mut records = chosen;
            records.sort_unstable();
            found.insert(records);
            if found.len() > OFFERS_PER_RECORD_MAX {
                return;
            }
            continue;
        };
        for at in fit.iter().rev().filter(|at| !chosen.contains(at)) {
            let mut next = chosen.clone();
            next.push(*at);
            if together(rule, usable, &next) {
                open.push(next);
            }
        }
    }
}

/// Whether records may stand in one bundle.
fn together(rule: &Rule, usable: &[&Prepared<'_>], chosen: &[usize]) -> bool {
    let Some(bundle) = &rule.bundle else { return true };
    let records = || chosen.iter().filter_map(|at| usable.get(*at)).map(|record| record.record);
    let issuers: BTreeSet<&Name> = records().map(|record| &record.issuer).collect();
    if bundle.same_institution && issuers.len() > 1 {
        return false;
    }
    let days = || records().map(|record| record.earned_on.0);
    match (bundle.within, days().min(), days().max()) {
        (Some(within), Some(first), Some(last)) => within.after(first).is_some_and(|end| last <= end),
        _ => true,
    }
}

/// That records of a bundle are there, and others are missing.
fn incomplete(
    program: &Program,
    ready: &Ready,
    rule: &Rule,
    prepared: &[Prepared<'_>],
    nearest: Option<(usize, Vec<String>)>,
    answer: &mut Answer,
) {
    let (count, missing) = nearest.unwrap_or_default();
    let part_of = |record: &&Prepared<'_>| {
        let mut items = ready.terms.iter().flat_map(|term| &term.items);
        items.any(|item| holds(&item.tests, record, program, &mut Quick))
    };
    let refusals = prepared.iter().filter(part_of).map(|record| {
        let mut refusal = refuse(record, rule, Reason::BundleIncomplete, &missing.join(", "));
        refusal.near_miss = count == 1;
        refusal
    });
    answer.refusals.extend(refusals);
}

/// The offers of one choice of records.
fn grant(
    program: &Program,
    question: &Question,
    ready: &Ready,
    rule: &Rule,
    records: &[&Prepared<'_>],
    answer: &mut Answer,
) {
    let refused = |(reason, detail): (Reason, String), answer: &mut Answer| {
        answer.refusals.extend(records.iter().map(|record| refuse(record, rule, reason, &detail)));
    };
    let mut steps = Vec::new();
    let milli = if rule.convert.is_some() || rule.table.is_some() {
        let mut exact = Rational::ZERO;
        for record in records {
            let part = worth(program, ready, rule, record, question.programme.as_ref());
            let sum = part.and_then(|(part, made)| {
                steps.extend(made);
                exact.plus(part).ok_or((Reason::Overflow, String::new()))
            });
            match sum {
                Ok(sum) => exact = sum,
                Err(why) => return refused(why, answer),
            }
        }
        steps.push(("exact".to_owned(), exact.to_string()));
        match ready.convert.rounded(exact) {
            Ok(milli) => Some(milli),
            Err(why) => return refused(why, answer),
        }
    } else {
        None
    };
    if let Some(why) = &rule.no_articulation {
        return refused((Reason::NoArticulation, why.en.clone()), answer);
    }
    let ways = match ways(program, question, rule, ready.convert.std.as_ref(), milli) {
        Ok(ways) => ways,
        Err(why) => return refused(why, answer),
    };
    let checks: Vec<(Name, Vec<Check>)> = records
        .iter()
        .map(|record| (record.record.id.clone(), program.checks(ready, rule, record).0))
        .collect();
    let mut names: Vec<Name> = records.iter().map(|record| record.record.id.clone()).collect();
    names.sort_unstable();
    answer.offers.extend(ways.into_iter().map(|way| Offer {
        rule: rule.id.clone(),
        records: names.clone(),
        lines: way.lines,
        trim: way.trim,
        splittable: way.splittable,
        checks: checks.clone(),
        steps: steps.clone(),
    }));
}
