//! What records are worth under a book: every legal use as an offer, and for every record that is not used, why.
//!
//! Which of the offers are taken is decided elsewhere, over all of them at once.

mod bundle;
mod group;
mod place;
mod used;

pub(crate) use used::excludes;

pub(crate) use group::half;

use crate::answer::{Check, Offer, Refusal};
use crate::book::Rule;
use crate::input::{Question, Record};
use crate::limits::{RECORDS_MAX, USES_MAX};
use crate::program::{Collect, Prepared, Program, Quick, Ready, holds};
use crate::reason::Reason;
use crate::value::Name;
use std::collections::{BTreeMap, BTreeSet};

/// A question that can't be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct QuestionError {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// What is said of a question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Every legal use, by rule and records.
    pub offers: Vec<Offer>,
    /// Why records are not used, by record and rule.
    pub refusals: Vec<Refusal>,
    /// Rules of which a limit kept offers away; what is planned without them may not be the best.
    pub cut: Vec<Name>,
}

/// A record for which a rule holds.
pub(crate) struct Matched<'p, 'q> {
    /// The rule made ready.
    pub(crate) ready: &'p Ready,
    /// The rule as written.
    pub(crate) rule: &'p Rule,
    /// The record.
    pub(crate) record: &'p Prepared<'q>,
}

impl Program {
    /// Says what records are worth.
    pub fn answer(&self, question: &Question) -> Result<Answer, QuestionError> {
        ask(question, self)?;
        let mut sorted: Vec<&Record> = question.records.iter().collect();
        sorted.sort_by(|left, right| (left.earned_on, &left.id).cmp(&(right.earned_on, &right.id)));
        let prepared: Vec<Prepared<'_>> =
            sorted.into_iter().map(|record| self.prepare(record, question)).collect();
        let mut answer = Answer::default();
        let mut by_rule: BTreeMap<usize, Vec<Matched<'_, '_>>> = BTreeMap::new();
        for record in &prepared {
            for (rank, matched) in self.matches(record, question, &mut answer.refusals) {
                by_rule.entry(rank).or_default().push(matched);
            }
        }
        for matched in by_rule.values() {
            group::offers(self, question, matched, &mut answer);
        }
        for ready in self.rules.iter().filter(|ready| !ready.terms.is_empty()) {
            bundle::offers(self, question, ready, &prepared, &mut answer);
        }
        unnamed(&prepared, &mut answer);
        answer.offers.sort_by(|left, right| {
            (&left.rule, &left.records, &left.lines).cmp(&(&right.rule, &right.records, &right.lines))
        });
        Refusal::in_order(&mut answer.refusals);
        Ok(answer)
    }

    /// The rules that hold for a record, with those overridden by another left out.
    fn matches<'p, 'q>(
        &'p self,
        record: &'p Prepared<'q>,
        question: &Question,
        refusals: &mut Vec<Refusal>,
    ) -> Vec<(usize, Matched<'p, 'q>)> {
        let mut found: Vec<(usize, Matched<'p, 'q>)> = Vec::new();
        for rank in self.candidates(record) {
            let Some(ready) = self.rules.get(rank).filter(|ready| ready.terms.is_empty()) else { continue };
            let Some(rule) = self.rule(ready) else { continue };
            match self.holds(ready, rule, record) {
                Held::Yes => found.push((rank, Matched { ready, rule, record })),
                Held::Strange => {}
                Held::No(reason, failed) => {
                    let mut refusal = refuse(record, rule, reason, "");
                    refusal.near_miss = failed.len() == 1;
                    refusal.failed = failed;
                    refusals.push(refusal);
                }
            }
        }
        let overridden: BTreeMap<usize, &Name> = found
            .iter()
            .flat_map(|(_, by)| by.ready.overrides.iter().map(|rank| (*rank, &by.rule.id)))
            .collect();
        found
            .into_iter()
            .filter(|(rank, matched)| {
                let refusal = if let Some(by) = overridden.get(rank) {
                    refuse(record, matched.rule, Reason::OverriddenBy, by.as_str())
                } else if let Some(why) = &matched.rule.no_articulation {
                    refuse(record, matched.rule, Reason::NoArticulation, &why.en)
                } else if used::excluded(self, question, matched.rule, record.record) {
                    refuse(record, matched.rule, Reason::AlreadyUsed, "")
                } else {
                    return true;
                };
                refusals.push(refusal);
                false
            })
            .collect()
    }

    /// Whether a rule holds for a record.
    pub(crate) fn holds(&self, ready: &Ready, rule: &Rule, record: &Prepared<'_>) -> Held {
        let in_force = self.in_force(rule, record.picked_on);
        if in_force && holds(&ready.tests, record, self, &mut Quick) {
            return Held::Yes;
        }
        let (checks, strange) = self.checks(ready, rule, record);
        if strange {
            return Held::Strange;
        }
        let failed: Vec<Check> = checks.into_iter().filter(|check| check.ok != Some(true)).collect();
        if !in_force {
            return Held::No(Reason::RuleNotEffective, failed);
        }
        let reason = failed.iter().find_map(|check| check.reason).unwrap_or(Reason::ConditionFalse);
        Held::No(reason, failed)
    }

    /// Every condition of a rule on a record, and whether the rule is about other records altogether.
    pub(crate) fn checks(&self, ready: &Ready, rule: &Rule, record: &Prepared<'_>) -> (Vec<Check>, bool) {
        let mut collect = Collect { when: &rule.when, checks: Vec::new(), strange: false };
        holds(&ready.tests, record, self, &mut collect);
        (collect.checks, collect.strange)
    }
}

/// Whether a rule holds.
pub(crate) enum Held {
    /// It does.
    Yes,
    /// It is about such records, and a condition does not hold.
    No(Reason, Vec<Check>),
    /// It is about other records.
    Strange,
}

/// That a rule does not use a record.
pub(crate) fn refuse(record: &Prepared<'_>, rule: &Rule, reason: Reason, detail: &str) -> Refusal {
    Refusal {
        record: record.record.id.clone(),
        rule: Some(rule.id.clone()),
        reason,
        detail: detail.to_owned(),
        failed: Vec::new(),
        near_miss: false,
    }
}

/// Records of which neither an offer nor a refusal speaks: no rule names such.
fn unnamed(prepared: &[Prepared<'_>], answer: &mut Answer) {
    let offered = answer.offers.iter().flat_map(|offer| &offer.records);
    let spoken: BTreeSet<&Name> =
        offered.chain(answer.refusals.iter().map(|refusal| &refusal.record)).collect();
    let silent: Vec<Refusal> = prepared
        .iter()
        .filter(|record| !spoken.contains(&record.record.id))
        .map(|record| Refusal {
            record: record.record.id.clone(),
            rule: None,
            reason: Reason::NotOnList,
            detail: String::new(),
            failed: Vec::new(),
            near_miss: false,
        })
        .collect();
    answer.refusals.extend(silent);
}

/// Whether a question can be answered.
fn ask(question: &Question, program: &Program) -> Result<(), QuestionError> {
    let wrong = |field: &str, detail: String| QuestionError { field: field.to_owned(), detail };
    for (field, len, max) in
        [("records", question.records.len(), RECORDS_MAX), ("uses", question.uses.len(), USES_MAX)]
    {
        if len > max {
            return Err(wrong(field, format!("must be at most {max}, is {len}")));
        }
    }
    let ids: BTreeSet<&Name> = question.records.iter().map(|record| &record.id).collect();
    if ids.len() < question.records.len() {
        return Err(wrong("records", "two records have one id".to_owned()));
    }
    let known = |name: &Name| program.book.programmes.contains_key(name);
    match question.programme.as_ref().filter(|name| !known(name)) {
        Some(name) => Err(wrong("programme", format!("the book has no programme {name}"))),
        None => Ok(()),
    }
}
