//! S7: what is granted as a whole or not at all is not above a maximum of its rule.

use crate::book::{Book, Cap, CapPer, Outcome, Rule, Target};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::{Credit, Limit};

pub(super) fn check(book: &Book, found: &mut Findings) {
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let here = rules.index(index);
        let awards = here.key("award");
        for (number, target) in rule.award.iter().enumerate() {
            let place = awards.index(number);
            one(rule, target, place, found);
            let choices = place.key("one_of");
            for (choice, target) in target.one_of.iter().enumerate() {
                one(rule, target, choices.index(choice), found);
            }
        }
        together(rule, awards, found);
    }
}

/// The least that a rule grants at once, where that is known.
fn least(rule: &Rule) -> Option<Credit> {
    if let Some(table) = &rule.table {
        let amounts = table.rows.iter().map(|row| match row.outcome {
            Outcome::Credit(credit) => Some(credit),
            Outcome::Ratio(_) | Outcome::Each(_) | Outcome::Share(_) => None,
        });
        return amounts.collect::<Option<Vec<_>>>()?.into_iter().min();
    }
    rule.convert.as_ref().filter(|convert| convert.factors.is_empty())?.fixed
}

fn max(cap: &Cap) -> Option<Credit> {
    match cap.max {
        Some(Limit::Credit(credit)) => Some(credit),
        Some(Limit::Time(_) | Limit::Share(_)) | None => None,
    }
}

fn one(rule: &Rule, target: &Target, at: At<'_>, found: &mut Findings) {
    let Some(credit) = target.credit.or_else(|| least(rule)).filter(|_| target.whole) else { return };
    // A record's own maximum trims what is converted before it becomes whole.
    let caps = rule.cap.iter().filter(|cap| cap.per != CapPer::Record || target.credit.is_some());
    if let Some(cap) = caps.filter_map(max).min().filter(|cap| *cap < credit) {
        found.add(
            Code::WholeOverCap,
            at,
            format!("整体授予 {credit}，上限只有 {cap}：永远不会授予"),
            format!("{credit} as a whole is above the maximum of {cap}: it is never granted"),
        );
    }
}

/// Several targets are granted together or not at all.
fn together(rule: &Rule, at: At<'_>, found: &mut Findings) {
    if rule.award.0.len() < 2 || rule.unmet_part {
        return;
    }
    let sum = rule
        .award
        .iter()
        .filter_map(|target| target.credit)
        .fold(0_i64, |sum, own| sum.saturating_add(own.0));
    let sum = Credit(sum);
    let caps =
        rule.cap.iter().filter(|cap| matches!(cap.per, CapPer::Rule | CapPer::Kind | CapPer::Programme));
    if let Some(cap) = caps.filter_map(max).min().filter(|cap| *cap < sum) {
        found.add(
            Code::WholeOverCap,
            at,
            format!("合计授予 {sum}，上限只有 {cap}：永远不会授予"),
            format!("{sum} together is above the maximum of {cap}: it is never granted"),
        );
    }
}
