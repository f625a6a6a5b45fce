//! S8 of age and of steps: older is never worth more, and steps rise.

use super::rule_box::days_of;
use crate::book::{Book, Validity};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::ratio::Rational;
use crate::value::Period;
use std::cmp::Ordering;

pub(super) fn check(book: &Book, found: &mut Findings) {
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        if let Some(validity) = &rule.validity {
            let here = rules.index(index);
            let here = here.key("validity");
            decay(validity, here.key("steps"), found);
        }
    }
    let awards = At::TOP.key("award");
    for (index, award) in book.awards.iter().enumerate() {
        let here = awards.index(index);
        let steps = here.key("ladder");
        let pairs = award.ladder.iter().zip(award.ladder.iter().skip(1)).enumerate();
        for (place, (step, next)) in pairs {
            if next.credit <= step.credit {
                found.add(
                    Code::StepsOutOfOrder,
                    steps.index(place.saturating_add(1)),
                    format!("{} 不大于前一级的 {}", next.credit, step.credit),
                    format!("{} is not above {} of the step before", next.credit, step.credit),
                );
            }
        }
    }
}

/// Whether one length of time is surely longer than another.
fn longer(one: Period, other: Period) -> bool {
    match (one, other) {
        (Period::Months(one), Period::Months(other)) => one > other,
        (Period::Days(_), Period::Days(_) | Period::Months(_)) | (Period::Months(_), Period::Days(_)) => {
            days_of(one).0 > days_of(other).1
        }
    }
}

fn decay(validity: &Validity, at: At<'_>, found: &mut Findings) {
    let mut before: Option<(Period, Rational)> = None;
    for (index, step) in validity.steps.iter().enumerate() {
        let here = at.index(index);
        let Some(factor) = step.factor.plain() else { continue };
        let above = |limit: Rational| factor.compare(limit) == Some(Ordering::Greater);
        if above(Rational::ONE) {
            let (zh, en) = (format!("系数 {factor} 大于 1"), format!("the factor {factor} is above 1"));
            found.add(Code::DecayRises, here.key("factor"), zh, en);
        }
        if let Some((age, last)) = before {
            if above(last) {
                let (zh, en) = (
                    format!("系数 {factor} 大于前一步的 {last}"),
                    format!("the factor {factor} is above {last} of the step before"),
                );
                found.add(Code::DecayRises, here.key("factor"), zh, en);
            }
            if !longer(step.up_to, age) {
                let (zh, en) = (
                    format!("{} 不长于前一步的 {age}", step.up_to),
                    format!("{} is not longer than {age} of the step before", step.up_to),
                );
                found.add(Code::StepsOutOfOrder, here.key("up_to"), zh, en);
            }
        }
        before = Some((step.up_to, factor));
    }
}
