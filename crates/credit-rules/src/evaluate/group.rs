//! The offers of a rule over the records for which it holds, summed as the rule says.

use super::place::{Way, ways};
use super::{Answer, Matched, refuse};
use crate::answer::{Check, Offer, Step};
use crate::book::{Aggregate, CapPer, RoundAt, Rule};
use crate::input::{Question, Record};
use crate::limits::OFFERS_PER_RECORD_MAX;
use crate::program::{Program, Ready, worth};
use crate::ratio::Rational;
use crate::reason::Reason;
use crate::value::{Limit, Name};
use std::collections::BTreeMap;

/// What a record is worth before it is summed.
struct Worked<'m, 'p, 'q> {
    matched: &'m Matched<'p, 'q>,
    exact: Rational,
    steps: Vec<Step>,
}

/// Adds the offers of one rule, and refusals of the records that are worth nothing.
pub(crate) fn offers(
    program: &Program,
    question: &Question,
    matched: &[Matched<'_, '_>],
    answer: &mut Answer,
) {
    let mut groups: BTreeMap<String, Vec<Worked<'_, '_, '_>>> = BTreeMap::new();
    for matched in matched {
        let Matched { ready, rule, record } = matched;
        match worth(program, ready, rule, record, question.programme.as_ref()) {
            Ok((exact, steps)) => {
                let exact = record_cap(rule, exact);
                let key = group_key(ready.convert.aggregate, record.record);
                groups.entry(key).or_default().push(Worked { matched, exact, steps });
            }
            Err((reason, detail)) => answer.refusals.push(refuse(record, rule, reason, &detail)),
        }
    }
    for group in groups.values() {
        sum(program, question, group, answer);
    }
}

/// What one group is worth: its offers, or refusals for each of its records.
fn sum(program: &Program, question: &Question, group: &[Worked<'_, '_, '_>], answer: &mut Answer) {
    let Some(Matched { ready, rule, .. }) = group.first().map(|worked| worked.matched) else { return };
    let mut steps: Vec<Step> = group.iter().flat_map(|worked| worked.steps.clone()).collect();
    // A target that names its own credit needs no amount of the conversion.
    let converts = rule.convert.is_some() || rule.table.is_some();
    let milli = if converts { total(ready, group, &mut steps).map(Some) } else { Ok(None) };
    let found = milli.and_then(|milli| ways(program, question, rule, ready.convert.std.as_ref(), milli));
    match found {
        Err((reason, detail)) => {
            let refusals = group.iter().map(|worked| refuse(worked.matched.record, rule, reason, &detail));
            answer.refusals.extend(refusals);
        }
        Ok(ways) => {
            if ways.len() > OFFERS_PER_RECORD_MAX {
                answer.cut.push(rule.id.clone());
            }
            let checks: Vec<(Name, Vec<Check>)> = group
                .iter()
                .map(|worked| {
                    let record = worked.matched.record;
                    (record.record.id.clone(), program.checks(ready, rule, record).0)
                })
                .collect();
            let offer = |way: Way| offer(rule, group, way, &checks, &steps);
            answer.offers.extend(ways.into_iter().take(OFFERS_PER_RECORD_MAX).map(offer));
        }
    }
}

/// One offer.
fn offer(
    rule: &Rule,
    group: &[Worked<'_, '_, '_>],
    way: Way,
    checks: &[(Name, Vec<Check>)],
    steps: &[Step],
) -> Offer {
    let mut records: Vec<Name> = group.iter().map(|worked| worked.matched.record.record.id.clone()).collect();
    records.sort_unstable();
    let Way { lines, trim, splittable } = way;
    Offer {
        rule: rule.id.clone(),
        records,
        lines,
        trim,
        splittable,
        checks: checks.to_vec(),
        steps: steps.to_vec(),
    }
}

/// The rounded sum of a group.
fn total(
    ready: &Ready,
    group: &[Worked<'_, '_, '_>],
    steps: &mut Vec<Step>,
) -> Result<i64, (Reason, String)> {
    let overflow = || (Reason::Overflow, String::new());
    let mut exact = Rational::ZERO;
    for worked in group {
        let part = match ready.convert.round_at {
            RoundAt::Total => worked.exact,
            RoundAt::Record => Rational::whole(ready.convert.rounded(worked.exact)?),
        };
        exact = exact.plus(part).ok_or_else(overflow)?;
    }
    steps.push(("exact".to_owned(), exact.to_string()));
    let milli = ready.convert.rounded(exact)?;
    let round = format!("{:?} {}", ready.convert.round, crate::value::Credit(ready.convert.step));
    steps.push((round.to_lowercase(), milli.to_string()));
    Ok(milli)
}

/// At most what a record alone may grant.
fn record_cap(rule: &Rule, exact: Rational) -> Rational {
    let caps = rule.cap.iter().filter(|cap| cap.per == CapPer::Record);
    caps.filter_map(|cap| match cap.max {
        Some(Limit::Credit(credit)) => Some(Rational::whole(credit.0)),
        Some(Limit::Time(_) | Limit::Share(_)) | None => None,
    })
    .fold(
        exact,
        |least, cap| if cap.compare(least).is_some_and(std::cmp::Ordering::is_lt) { cap } else { least },
    )
}

/// Which records are summed together.
fn group_key(aggregate: Aggregate, record: &Record) -> String {
    let earned = record.earned_on.0;
    match aggregate {
        Aggregate::None => format!("{} {}", earned, record.id),
        Aggregate::PerRule => String::new(),
        Aggregate::PerYear => earned.year().to_string(),
        Aggregate::PerSemester => format!("{}-{}", earned.year(), half(earned.month())),
        // Without a project each record is one.
        Aggregate::PerProject => record.project.as_ref().unwrap_or(&record.id).to_string(),
        Aggregate::PerIssuer => record.issuer.to_string(),
    }
}

/// Which half of a year a month lies in.
pub(crate) fn half(month: i32) -> i32 {
    if month <= 6 { 1 } else { 2 }
}
