//! An explanation, made of what was allocated.

use super::{
    Bounded, CapTold, Case, Certificate, Counted, Explanation, Gap, Item, Match, Priced, Proof, Rejected,
};
use crate::allocate::{Allocated, CapUse, Grant, Missing};
use crate::answer::{Offer, Place, Refusal};
use crate::book::{Book, Target};
use crate::input::Question;
use crate::plan::{By, Constraint, Step};
use crate::program::Program;
use crate::reason::Reason;
use crate::value::Name;
use credit_types::Digest;
use std::collections::BTreeSet;

/// Says why a question was answered as it was. `book` is the SHA-256 of the book's canonical bytes.
pub fn explain(program: &Program, book: Digest, question: &Question, allocated: &Allocated) -> Explanation {
    let told = Tell { book: program.book(), allocated };
    let plan = &allocated.plan;
    let items = allocated.grants.iter().filter_map(|grant| told.item(grant)).collect();
    let mut rejected: Vec<Rejected> =
        allocated.refusals.iter().map(|refusal| told.rejected(refusal)).collect();
    // What is nearly granted is what somebody can act on.
    rejected.sort_by(|left, right| {
        let key = |own: &Rejected| (!own.near_miss, own.used_elsewhere);
        (key(left), &left.record, &left.rule).cmp(&(key(right), &right.record, &right.rule))
    });
    // A course that the plan grants is met, also where its credit is what its requirement counts.
    let granted = |need: &Name| {
        let mut lines = allocated.grants.iter().flat_map(|grant| &grant.lines);
        lines.any(|line| matches!(&line.place, Place::Course(course) if course == need))
    };
    let (met, open): (Vec<&Missing>, Vec<&Missing>) =
        allocated.missing.iter().partition(|missing| missing.credit.0 == 0 && granted(&missing.need));
    let met = met.into_iter().map(|missing| &missing.need);
    let completed = allocated.completed.iter().chain(met).cloned().collect();
    Explanation {
        book: format!("sha256:{book}"),
        as_of: question.on,
        programme: question.programme.clone(),
        awarded_milli: allocated.credit_milli,
        bound_milli: plan.certificate.bound_milli,
        status: Proof::of(plan.status, plan.ties),
        items,
        rejected,
        completed,
        gap: open.into_iter().map(|missing| told.gap(missing)).collect(),
        cut: allocated.cut.clone(),
        certificate: told.certificate(),
    }
}

/// What an offer grants at most, in milli-credits.
fn full(offer: &Offer) -> i64 {
    let credits = offer.lines.iter().map(|line| line.credit.0);
    // Lines that share one amount each name all of it.
    if offer.splittable { credits.max().unwrap_or_default() } else { credits.fold(0, i64::saturating_add) }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

struct Tell<'a> {
    book: &'a Book,
    allocated: &'a Allocated,
}

impl Tell<'_> {
    /// A use that was taken.
    fn item(&self, grant: &Grant) -> Option<Item> {
        let offer = self.allocated.offers.get(grant.offer)?;
        let matched = offer
            .checks
            .iter()
            .map(|(record, checks)| Match { record: record.clone(), checks: checks.clone() })
            .collect();
        let caps = self.allocated.caps.iter().filter_map(|cap| self.cap(cap, grant.offer, offer)).collect();
        Some(Item {
            rule: offer.rule.clone(),
            records: offer.records.clone(),
            granted: grant.lines.clone(),
            offered_milli: full(offer),
            matched,
            calc: offer.steps.clone(),
            caps,
        })
    }

    /// A maximum, as a use sees it; `None` where the use does not count to it.
    fn cap(&self, cap: &CapUse, at: usize, offer: &Offer) -> Option<CapTold> {
        let CapUse { note, granted: _, binding } = cap;
        let lines: Vec<usize> =
            note.members.iter().filter(|(of, _)| *of == at).map(|(_, line)| *line).collect();
        if lines.is_empty() {
            return None;
        }
        let sum = |values: &mut dyn Iterator<Item = i64>| values.fold(0, i64::saturating_add);
        let granted = |line: usize| self.allocated.plan.allocation.granted(at, line).unwrap_or_default();
        let (by, asked, taken) = match note.by {
            By::Credit => {
                let mut credits =
                    lines.iter().filter_map(|line| offer.lines.get(*line)).map(|line| line.credit.0);
                let asked =
                    if offer.splittable { credits.max().unwrap_or_default() } else { sum(&mut credits) };
                (Counted::Credit, asked, sum(&mut lines.iter().map(|line| granted(*line))))
            }
            By::Count => {
                let count = i64::from(number(lines.len()));
                (Counted::Uses, count, count)
            }
        };
        Some(CapTold {
            id: note.id.clone(),
            by,
            limit: note.limit,
            used_before: note.used,
            asked,
            granted: taken,
            binding: *binding,
        })
    }

    /// The grants that take a record.
    fn taken(&self) -> impl Iterator<Item = (&Grant, &Offer)> {
        let grants = self.allocated.grants.iter();
        grants.filter_map(|grant| Some((grant, self.allocated.offers.get(grant.offer)?)))
    }

    /// A record that a rule did not use.
    fn rejected(&self, refusal: &Refusal) -> Rejected {
        let Refusal { record, rule, reason, detail, failed, near_miss } = refusal;
        let used_elsewhere = self.taken().any(|(_, offer)| offer.records.contains(record));
        let mut told = Rejected {
            record: record.clone(),
            rule: rule.clone(),
            reason: *reason,
            detail: detail.clone(),
            failed: failed.clone(),
            near_miss: *near_miss,
            used_elsewhere,
            winner: None,
            delta_milli: None,
        };
        if *reason == Reason::LostTo {
            let of_rule =
                |offer: &&Offer| Some(&offer.rule) == rule.as_ref() && offer.records.contains(record);
            let lost = self.allocated.offers.iter().filter(of_rule).max_by_key(|offer| full(offer));
            let rival = |offer: &Offer| {
                lost.is_some_and(|lost| offer.records.iter().any(|own| lost.records.contains(own)))
            };
            let winner = self.taken().find(|(_, offer)| offer.rule.as_str() == detail && rival(offer));
            if let (Some(lost), Some((grant, offer))) = (lost, winner) {
                let got = grant.lines.iter().fold(0, |sum: i64, line| sum.saturating_add(line.credit.0));
                told.winner = Some(offer.rule.clone());
                told.delta_milli = Some(full(lost).saturating_sub(got));
            }
        }
        told
    }

    /// A requirement that stays open, and why.
    fn gap(&self, missing: &Missing) -> Gap {
        let Missing { need, credit, required } = missing;
        let about = |refusal: &&Refusal| {
            let rule = self.book.rules.iter().find(|rule| Some(&rule.id) == refusal.rule.as_ref());
            rule.is_some_and(|rule| rule.award.iter().any(|target| self.goes_to(target, need)))
        };
        let reasons: BTreeSet<Reason> =
            self.allocated.refusals.iter().filter(about).map(|refusal| refusal.reason).collect();
        let reasons = if reasons.is_empty() { vec![Reason::NoRecord] } else { reasons.into_iter().collect() };
        Gap {
            requirement: need.clone(),
            need: required.0,
            have: required.0.saturating_sub(credit.0),
            missing: credit.0,
            reasons,
        }
    }

    /// Whether a target may give credit to a requirement or a course.
    fn goes_to(&self, target: &Target, need: &Name) -> bool {
        let requirements = self.book.programmes.values().flat_map(|programme| &programme.requirements);
        let mut own = requirements.filter(|requirement| requirement.id == *need);
        let takes = |pool: &Name| pool == need || own.any(|own| own.pool.iter().any(|other| other == pool));
        target.course.as_ref() == Some(need)
            || target.pool.iter().any(takes)
            || target.one_of.iter().any(|choice| {
                choice.course.as_ref() == Some(need) || choice.pool.iter().any(|pool| pool == need)
            })
    }

    /// The certificate, with names for numbers.
    fn certificate(&self) -> Certificate {
        let of = &self.allocated.plan.certificate;
        let record = |at: usize| {
            let key = self.allocated.model.records.get(at).map(|record| record.key.as_slice());
            let text = std::str::from_utf8(key.unwrap_or_default()).unwrap_or_default();
            text.parse::<Name>().unwrap_or_default()
        };
        let cap = |at: usize| self.allocated.caps.get(at).map(|cap| cap.note.id.clone()).unwrap_or_default();
        let priced = |constraint: &Constraint| match constraint {
            Constraint::Record(at) => Priced::Record(record(*at)),
            Constraint::Clique(at) => Priced::Clique(number(*at)),
            Constraint::Cap(at) => Priced::Cap(cap(*at)),
        };
        let prices = |list: &Vec<(Constraint, i64)>| {
            list.iter().map(|(constraint, price)| (priced(constraint), *price)).collect()
        };
        let numbers = |list: &[usize]| list.iter().copied().map(number).collect::<Vec<u32>>();
        let case = |step: &Step| match step {
            Step::Take { offer } => Case::Take { offer: number(*offer) },
            Step::Grant { offer, line, milli } => {
                Case::Grant { offer: number(*offer), line: number(*line), milli: *milli }
            }
            Step::Narrow { prices, taken, left } => {
                Case::Narrow { prices: number(*prices), taken: numbers(taken), left: numbers(left) }
            }
            Step::End { prices } => Case::End { prices: number(*prices) },
        };
        let parts = of.components.iter().map(|component| Bounded {
            clusters: component.clusters.iter().map(|cluster| numbers(cluster)).collect(),
            cases: component.steps.iter().map(case).collect(),
            bound_milli: component.bound_milli,
        });
        Certificate {
            denominator: of.denominator,
            multipliers: of.prices.iter().map(prices).collect(),
            parts: parts.collect(),
            bound_milli: of.bound_milli,
        }
    }
}
