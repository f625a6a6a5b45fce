//! S1 of conditions: what a rule asks of records is declared, and of the right type.

use super::ids::{Ids, fact};
use crate::book::{Book, Bundle, Column, FactKind, Guard, Rule, Source, When};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::Name;
use std::collections::BTreeSet;

pub(super) fn check(book: &Book, ids: &Ids<'_>, found: &mut Findings) {
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let here = rules.index(index);
        when(&rule.when, ids, here.key("when"), found);
        if let Some(value) = &rule.guard {
            guard(rule, value, here.key("guard"), found);
        }
        if let Some(value) = &rule.bundle {
            bundle(value, ids, here.key("bundle"), found);
        }
        unused_facts(rule, here.key("facts"), found);
        let overrides = here.key("overrides");
        for (number, name) in rule.overrides.iter().enumerate() {
            ids.rule(Some(name), overrides.index(number), found);
        }
    }
}

pub(super) fn when(when: &When, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    ids.group(when.issuer_group.as_ref(), at.key("issuer_group"), found);
    ids.standard(when.std.as_ref(), at.key("std"), found);
    ids.time(when.min_hours, at.key("min_hours"), found);
    ids.time(when.max_hours, at.key("max_hours"), found);
    if let Some(grade) = &when.min_grade {
        let here = at.key("min_grade");
        ids.scale(Some(&grade.scale), here.key("scale"), found);
        ids.grade(&grade.scale, &grade.at_least, here.key("at_least"), found);
    }
    if let Some(level) = &when.level {
        let here = at.key("level");
        ids.ladder(Some(&level.ladder), here.key("ladder"), found);
        ids.level(&level.ladder, level.at_least, here.key("at_least"), found);
        ids.level(&level.ladder, level.at_most, here.key("at_most"), found);
    }
}

/// The conditions of a bundle's leaves, which are said at the bundle.
fn bundle(bundle: &Bundle, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    let mut open = vec![bundle];
    while let Some(one) = open.pop() {
        if let Some(record) = &one.record {
            when(record, ids, at, found);
        }
        let below = [one.all.as_ref(), one.any.as_ref(), one.n_of.as_ref().map(|n_of| &n_of.of)];
        open.extend(below.into_iter().flatten().flatten());
    }
}

/// The facts of a guard, which are said at the guard.
fn guard(rule: &Rule, guard: &Guard, at: At<'_>, found: &mut Findings) {
    let mut open = vec![guard];
    while let Some(one) = open.pop() {
        if let Some(name) = &one.fact
            && let Some(kind) = fact(rule, name, at, found)
        {
            comparison(name, kind, one, at, found);
        }
        open.extend([one.all.as_ref(), one.any.as_ref()].into_iter().flatten().flatten());
        open.extend(one.not.as_deref());
    }
}

/// Whether a fact may be compared so.
fn comparison(name: &Name, kind: &FactKind, guard: &Guard, at: At<'_>, found: &mut Findings) {
    let whole = |number: &crate::book::Number| number.0.checked_rem(1_000) == Some(0);
    let numbers = [guard.ge.as_ref(), guard.le.as_ref()];
    let mut numbers = numbers.into_iter().flatten();
    let mut words = guard.eq.iter().chain(guard.one_of.iter().flatten());
    let fits = match kind {
        FactKind::Int => {
            numbers.all(whole) && words.all(|word| crate::value::decimal(word.as_str(), 0).is_some())
        }
        FactKind::Number => words.all(|word| crate::value::decimal(word.as_str(), 3).is_some()),
        FactKind::Bool => {
            numbers.next().is_none() && words.all(|word| matches!(word.as_str(), "true" | "false"))
        }
        FactKind::Enum(own) => numbers.next().is_none() && words.all(|word| own.contains(word)),
    };
    if !fits {
        found.add(
            Code::FactType,
            at,
            format!("事实 {name} 的类型是 {kind}，不能这样比较"),
            format!("the fact {name} is {kind} and can't be compared so"),
        );
    }
}

fn unused_facts(rule: &Rule, at: At<'_>, found: &mut Findings) {
    if rule.facts.is_empty() {
        return;
    }
    let mut used: BTreeSet<&Name> = BTreeSet::new();
    let mut open: Vec<&Guard> = rule.guard.iter().collect();
    while let Some(one) = open.pop() {
        used.extend(&one.fact);
        open.extend([one.all.as_ref(), one.any.as_ref()].into_iter().flatten().flatten());
        open.extend(one.not.as_deref());
    }
    let rows = rule.table.iter().flat_map(|table| &table.rows);
    let factors = rule.convert.iter().flat_map(|convert| &convert.factors);
    for column in rows.flat_map(|row| row.cells.keys()).chain(factors.map(|factor| &factor.by)) {
        if let Column::Fact(name) = column {
            used.insert(name);
        }
    }
    if let Some(convert) = &rule.convert {
        if let Some(Source::Fact(name)) = &convert.from {
            used.insert(name);
        }
        used.extend(&convert.less);
    }
    for name in rule.facts.keys().filter(|name| !used.contains(name)) {
        found.add(
            Code::UnusedFact,
            at.key(name.as_str()),
            format!("事实 {name} 未被使用"),
            format!("the fact {name} is not used"),
        );
    }
}
