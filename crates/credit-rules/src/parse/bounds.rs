//! That nothing in a book is larger than its limit. The limits bound what an evaluation can cost, so they are held before
//! anything is worked out with the book.

mod others;

use super::logic;
use crate::book::{Book, Convert, FactKind, Limits, Rule, Table, Target, When};
use crate::finding::{Code, Findings};
use crate::limits::{
    BUNDLE_ITEMS_MAX, CAPS_MAX, COUNT_MAX, FACTS_MAX, LIST_MAX, OFFERS_PER_RECORD_MAX, PARTS_MAX, RULES_MAX,
    STEPS_MAX, TABLE_COLUMNS_MAX, TABLE_ROWS_MAX, TARGETS_MAX, VERSION_MAX, XS_MINUTES_MAX,
};
use crate::path::At;
use std::collections::BTreeSet;

/// Holds a count against its limit.
pub(crate) fn at_most(found: &mut Findings, at: At<'_>, count: usize, limit: (usize, &str)) {
    let (max, name) = limit;
    if count > max {
        found.add(
            Code::TooMany,
            at,
            format!("有 {count} 项，最多 {max} 项（{name}）"),
            format!("has {count}, at most {max} ({name})"),
        );
    }
}

/// Holds a number against its bounds.
pub(super) fn within(found: &mut Findings, at: At<'_>, value: i64, bounds: (i64, i64, &str)) {
    let (min, max, name) = bounds;
    if value < min || value > max {
        found.add(
            Code::OutOfRange,
            at,
            format!("须在 {min} 到 {max} 之间（{name}），现为 {value}"),
            format!("must be from {min} to {max} ({name}), is {value}"),
        );
    }
}

/// Holds several lists against one limit.
macro_rules! lists {
    ($found:expr, $at:expr, $limit:ident, { $($key:literal => $list:expr,)+ }) => {
        $(at_most($found, $at.key($key), $list.len(), ($limit, stringify!($limit)));)+
    };
}
use lists;

/// The limits of a whole book.
pub(super) fn book(book: &Book, found: &mut Findings) {
    let top = At::TOP;
    limits(&book.limits, top, found);
    within(found, top.key("version"), i64::from(book.version), (1, i64::from(VERSION_MAX), "VERSION_MAX"));
    if let Some(minutes) = book.xs_minutes {
        within(found, top.key("xs_minutes"), minutes, (1, XS_MINUTES_MAX, "XS_MINUTES_MAX"));
    }
    lists!(found, top, LIST_MAX, { "evidence" => book.evidence, });
    lists!(found, top, PARTS_MAX, {
        "standards" => book.standards,
        "groups" => book.groups,
        "ladders" => book.ladders,
        "scales" => book.scales,
        "programmes" => book.programmes,
        "constraint" => book.constraints,
        "award" => book.awards,
        "compliance" => book.compliance,
        "level_map" => book.level_maps,
        "grade_map" => book.grade_maps,
    });
    let rules = top.key("rule");
    at_most(found, rules, book.rules.len(), (RULES_MAX, "RULES_MAX"));
    if book.rules.len() <= RULES_MAX {
        at_most(found, rules, book.rules.len(), (book.limits.max_rules, "limits.max_rules"));
    }
    for (index, one) in book.rules.iter().enumerate() {
        rule(one, &book.limits, rules.index(index), found);
    }
    others::book(book, found);
}

/// What a book says of its own limits may only narrow the program's.
fn limits(limits: &Limits, top: At<'_>, found: &mut Findings) {
    let Limits { max_rules, max_bundle_items, max_table_rows, max_offers_per_record } = *limits;
    let here = top.key("limits");
    for (key, value, max, name) in [
        ("max_rules", max_rules, RULES_MAX, "RULES_MAX"),
        ("max_bundle_items", max_bundle_items, BUNDLE_ITEMS_MAX, "BUNDLE_ITEMS_MAX"),
        ("max_table_rows", max_table_rows, TABLE_ROWS_MAX, "TABLE_ROWS_MAX"),
        ("max_offers_per_record", max_offers_per_record, OFFERS_PER_RECORD_MAX, "OFFERS_PER_RECORD_MAX"),
    ] {
        if value == 0 || value > max {
            found.add(
                Code::OutOfRange,
                here.key(key),
                format!("须在 1 到 {max} 之间（{name}），只能收紧，现为 {value}"),
                format!("must be from 1 to {max} ({name}): a book may only narrow it, is {value}"),
            );
        }
    }
}

fn rule(rule: &Rule, limits: &Limits, at: At<'_>, found: &mut Findings) {
    lists!(found, at, LIST_MAX, { "evidence" => rule.evidence, "overrides" => rule.overrides, });
    lists!(found, at, FACTS_MAX, { "facts" => rule.facts, });
    lists!(found, at, CAPS_MAX, { "cap" => rule.cap.0, });
    when(&rule.when, at.key("when"), found);
    let facts = at.key("facts");
    for (name, kind) in &rule.facts {
        if let FactKind::Enum(words) = kind {
            at_most(found, facts.key(name.as_str()), words.len(), (LIST_MAX, "LIST_MAX"));
        }
    }
    if let Some(guard) = &rule.guard {
        logic::guard(guard, at.key("guard"), found);
    }
    if let Some(bundle) = &rule.bundle {
        let here = at.key("bundle");
        logic::bundle(bundle, limits.max_bundle_items, here, found);
    }
    if let Some(value) = &rule.convert {
        convert(value, at.key("convert"), found);
    }
    if let Some(value) = &rule.table {
        table(value, limits.max_table_rows, at.key("table"), found);
    }
    targets(&rule.award.0, at.key("award"), found);
    if let Some(validity) = &rule.validity {
        let here = at.key("validity");
        lists!(found, here, STEPS_MAX, { "steps" => validity.steps, });
    }
    let caps = at.key("cap");
    for (index, cap) in rule.cap.iter().enumerate() {
        count(cap.count, caps.index(index), found);
    }
}

/// A count of records.
pub(super) fn count(value: Option<u32>, at: At<'_>, found: &mut Findings) {
    if let Some(value) = value {
        within(found, at.key("count"), i64::from(value), (1, i64::from(COUNT_MAX), "COUNT_MAX"));
    }
}

pub(super) fn when(when: &When, at: At<'_>, found: &mut Findings) {
    lists!(found, at, LIST_MAX, {
        "issuer" => when.issuer.0,
        "record_kind" => when.record_kind.0,
        "course" => when.course.0,
        "subject" => when.subject.0,
        "occupation" => when.occupation.0,
        "assessment" => when.assessment.0,
        "mode" => when.mode.0,
    });
}

fn convert(convert: &Convert, at: At<'_>, found: &mut Findings) {
    lists!(found, at, STEPS_MAX, { "factors" => convert.factors, });
    let factors = at.key("factors");
    for (index, factor) in convert.factors.iter().enumerate() {
        let here = factors.index(index);
        lists!(found, here, STEPS_MAX, { "rows" => factor.rows, });
    }
}

fn table(table: &Table, rows_max: usize, at: At<'_>, found: &mut Findings) {
    lists!(found, at, TABLE_ROWS_MAX, { "rows" => table.rows, });
    lists!(found, at, TABLE_COLUMNS_MAX, { "complete_over" => table.complete_over.0, });
    let rows = at.key("rows");
    if table.rows.len() <= TABLE_ROWS_MAX {
        at_most(found, rows, table.rows.len(), (rows_max, "limits.max_table_rows"));
    }
    let columns: BTreeSet<_> = table.rows.iter().flat_map(|row| row.cells.keys()).collect();
    at_most(found, rows, columns.len(), (TABLE_COLUMNS_MAX, "TABLE_COLUMNS_MAX"));
}

/// Targets, those of choices counted with them. That choices do not stand in each other is a matter of their shape.
fn targets(targets: &[Target], at: At<'_>, found: &mut Findings) {
    let choices = targets.iter().map(|target| target.one_of.len());
    let count = choices.fold(targets.len(), usize::saturating_add);
    at_most(found, at, count, (TARGETS_MAX, "TARGETS_MAX"));
    for (index, target) in targets.iter().enumerate() {
        let here = at.index(index);
        lists!(found, here, LIST_MAX, { "pool" => target.pool.0, });
        let choices = here.key("one_of");
        for (index, choice) in target.one_of.iter().enumerate() {
            let here = choices.index(index);
            lists!(found, here, LIST_MAX, { "pool" => choice.pool.0, });
        }
    }
}
