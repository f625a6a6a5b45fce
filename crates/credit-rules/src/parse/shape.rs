//! Forms that types alone can't say: what must be said alone, what must not be said twice.

mod others;

use super::logic::{exactly_one, how_many};
use crate::book::{Book, Cap, Convert, Rule, Target, When};
use crate::finding::{Code, Findings};
use crate::path::At;
use std::collections::BTreeMap;

/// Ids that must differ.
pub(crate) fn unique<'b, T: Ord + std::fmt::Display + 'b>(
    ids: impl Iterator<Item = &'b T>,
    at: At<'_>,
    key: &str,
    found: &mut Findings,
) {
    let mut seen: BTreeMap<&T, usize> = BTreeMap::new();
    for (index, id) in ids.enumerate() {
        let Some(first) = seen.get(id) else {
            seen.insert(id, index);
            continue;
        };
        let here = at.index(index);
        let here = if key.is_empty() { here } else { here.key(key) };
        found.add(
            Code::DuplicateId,
            here,
            format!("{id} 已在第 {} 项用过", first.saturating_add(1)),
            format!("{id} is used already by number {}", first.saturating_add(1)),
        );
    }
}

/// The forms of a whole book.
pub(super) fn book(book: &Book, found: &mut Findings) {
    let top = At::TOP;
    if let Some(registry) = &book.registry {
        let digits = registry.strip_prefix("sha256:").unwrap_or_default();
        let hex = digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !hex {
            found.add(
                Code::BadForm,
                top.key("registry"),
                "须为 sha256：加 64 位小写十六进制数",
                "must be sha256: and 64 lower-case hexadecimal digits",
            );
        }
    }
    let rules = top.key("rule");
    unique(book.rules.iter().map(|rule| &rule.id), rules, "id", found);
    for (index, one) in book.rules.iter().enumerate() {
        rule(one, rules.index(index), found);
    }
    others::book(book, found);
}

fn rule(rule: &Rule, at: At<'_>, found: &mut Findings) {
    when(&rule.when, at.key("when"), found);
    if let Some(value) = &rule.convert {
        convert(value, rule.table.is_some(), at.key("convert"), found);
    }
    let caps = at.key("cap");
    for (index, one) in rule.cap.iter().enumerate() {
        cap(one, caps.index(index), found);
    }
    let awards = at.key("award");
    if rule.award.is_empty() && rule.no_articulation.is_none() {
        found.add(Code::MissingField, awards, "须写明学分去向", "it must say what the credit goes to");
    }
    for (index, one) in rule.award.iter().enumerate() {
        target(one, awards.index(index), found);
    }
    let steps = at.key("validity");
    let steps = steps.key("steps");
    for (index, step) in rule.validity.iter().flat_map(|validity| &validity.steps).enumerate() {
        if step.factor.plain().is_none() {
            found.add(
                Code::BadValue,
                steps.index(index).key("factor"),
                "须为纯比率，如 \"2/3\"",
                "must be a plain ratio such as \"2/3\"",
            );
        }
    }
}

pub(super) fn when(when: &When, at: At<'_>, found: &mut Findings) {
    if let Some(level) = &when.level
        && level.at_least.is_none()
        && level.at_most.is_none()
    {
        found.add(
            Code::MissingField,
            at.key("level"),
            "须写 at_least、at_most 或两者",
            "must say at_least, at_most or both",
        );
    }
}

fn convert(convert: &Convert, has_table: bool, at: At<'_>, found: &mut Findings) {
    let ways =
        [convert.ratio.is_some(), convert.fixed.is_some(), convert.each.is_some(), convert.via.is_some()];
    let said = how_many(&ways).saturating_add(usize::from(has_table));
    // None of them converts credit one to one.
    if said > 1 {
        exactly_one(found, at, said, "ratio / fixed / each / via / table");
    }
    let hub = how_many(&[convert.via.is_some(), convert.inbound.is_some(), convert.outbound.is_some()]);
    if hub != 0 && hub != 3 {
        found.add(
            Code::MissingField,
            at,
            "经公共标准换算须同时写 via、inbound、outbound",
            "a conversion by way of a hub must say via, inbound and outbound",
        );
    }
    let factors = at.key("factors");
    for (index, factor) in convert.factors.iter().enumerate() {
        let rows = factors.index(index);
        let rows = rows.key("rows");
        for (row, value) in factor.rows.iter().enumerate() {
            if value.factor.plain().is_none() {
                let here = rows.index(row);
                found.add(Code::BadValue, here.key("factor"), "须为纯比率", "must be a plain ratio");
            }
        }
    }
}

fn cap(cap: &Cap, at: At<'_>, found: &mut Findings) {
    if cap.max.is_none() && cap.count.is_none() && cap.keep.is_none() {
        exactly_one(found, at, 0, "max / count / keep");
    }
    if cap.max.is_some() && cap.count.is_some() {
        exactly_one(found, at, 2, "max / count");
    }
}

fn target(target: &Target, at: At<'_>, found: &mut Findings) {
    one_target(target, at, found);
    let choices = at.key("one_of");
    for (index, choice) in target.one_of.iter().enumerate() {
        let here = choices.index(index);
        if !choice.one_of.is_empty() {
            found.add(Code::NestedTooDeep, here, "one_of 中不能再有 one_of", "one_of can't stand in one_of");
        }
        one_target(choice, here, found);
    }
}

fn one_target(target: &Target, at: At<'_>, found: &mut Findings) {
    let said = how_many(&[target.course.is_some(), !target.pool.is_empty(), !target.one_of.is_empty()]);
    exactly_one(found, at, said, "course / pool / one_of");
    let amounts = how_many(&[target.credit.is_some(), target.block.is_some(), target.waive]);
    if amounts > 1 {
        exactly_one(found, at, amounts, "credit / block / waive");
    }
    if target.whole && target.trim {
        exactly_one(found, at, 2, "whole / trim");
    }
}
