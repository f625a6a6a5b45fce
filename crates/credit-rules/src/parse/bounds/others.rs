//! The limits of what a book holds besides rules.

use super::{at_most, count, lists, within};
use crate::book::{AppliesTo, Award, Book, Compliance, Counted, PeriodRule, Requirement};
use crate::finding::{Code, Findings};
use crate::limits::{
    CYCLE_YEARS_MAX, FACTS_MAX, LIST_MAX, PARTS_MAX, REQUIREMENT_DEPTH_MAX, REQUIREMENTS_MAX, STEPS_MAX,
    TABLE_ROWS_MAX,
};
use crate::path::At;

pub(super) fn book(book: &Book, found: &mut Findings) {
    let top = At::TOP;
    scales(book, found);
    let programmes = top.key("programmes");
    for (name, programme) in &book.programmes {
        let here = programmes.key(name.as_str());
        lists!(found, here, FACTS_MAX, { "facts" => programme.facts, });
        lists!(found, here, LIST_MAX, { "shareable" => programme.shareable.0, });
        requirements(&programme.requirements, here.key("requirement"), found);
    }
    let constraints = top.key("constraint");
    for (index, constraint) in book.constraints.iter().enumerate() {
        let here = constraints.index(index);
        count(constraint.count, here, found);
        applies_to(&constraint.applies_to, here.key("applies_to"), found);
        if let Some(except) = &constraint.except {
            applies_to(except, here.key("except"), found);
        }
    }
    let awards = top.key("award");
    for (index, one) in book.awards.iter().enumerate() {
        award(one, awards.index(index), found);
    }
    let periods = top.key("compliance");
    for (index, one) in book.compliance.iter().enumerate() {
        compliance(one, periods.index(index), found);
    }
}

/// Groups, ladders, scales, and the maps between them.
fn scales(book: &Book, found: &mut Findings) {
    let top = At::TOP;
    let groups = top.key("groups");
    for (name, members) in &book.groups {
        at_most(found, groups.key(name.as_str()), members.0.len(), (PARTS_MAX, "PARTS_MAX"));
    }
    let ladders = top.key("ladders");
    for (name, ladder) in &book.ladders {
        let here = ladders.key(name.as_str());
        lists!(found, here, LIST_MAX, { "levels" => ladder.levels, });
    }
    let scales = top.key("scales");
    for (name, scale) in &book.scales {
        let here = scales.key(name.as_str());
        lists!(found, here, LIST_MAX, { "words" => scale.words.0, });
    }
    let level_maps = top.key("level_map");
    for (index, map) in book.level_maps.iter().enumerate() {
        let here = level_maps.index(index);
        lists!(found, here, LIST_MAX, { "rows" => map.rows, });
    }
    let grade_maps = top.key("grade_map");
    for (index, map) in book.grade_maps.iter().enumerate() {
        let here = grade_maps.index(index);
        lists!(found, here, TABLE_ROWS_MAX, { "rows" => map.rows, });
        lists!(found, here, LIST_MAX, { "snap" => map.snap, });
        if let Some(distribution) = &map.distribution {
            let below = here.key("distribution");
            lists!(found, below, TABLE_ROWS_MAX, { "from" => distribution.from, "to" => distribution.to, });
        }
    }
}

fn applies_to(applies: &AppliesTo, at: At<'_>, found: &mut Findings) {
    lists!(found, at, LIST_MAX, {
        "programme" => applies.programme.0,
        "award_from" => applies.award_from.0,
        "rule" => applies.rule.0,
        "requirement" => applies.requirement.0,
        "issuer" => applies.issuer.0,
    });
}

fn award(award: &Award, at: At<'_>, found: &mut Findings) {
    lists!(found, at, LIST_MAX, { "evidence" => award.evidence, });
    lists!(found, at, STEPS_MAX, { "ladder" => award.ladder, });
    requirements(&award.requirements, at.key("requirement"), found);
}

fn compliance(compliance: &Compliance, at: At<'_>, found: &mut Findings) {
    lists!(found, at, LIST_MAX, { "evidence" => compliance.evidence, });
    lists!(found, at, STEPS_MAX, { "classes" => compliance.classes, "fill" => compliance.fill, });
    let period = at.key("period");
    let (key, years) = match compliance.period {
        PeriodRule::CalendarYear => return,
        PeriodRule::Cycle { from: _, years } => ("cycle", years),
        PeriodRule::Rolling { years } => ("rolling", years),
    };
    let here = period.key(key);
    within(found, here.key("years"), i64::from(years), (1, i64::from(CYCLE_YEARS_MAX), "CYCLE_YEARS_MAX"));
}

/// Requirements of a list, their alternatives counted with them.
fn requirements(list: &[Requirement], at: At<'_>, found: &mut Findings) {
    let mut total = 0_usize;
    for (index, requirement) in list.iter().enumerate() {
        let mut open = vec![(requirement, 0_usize)];
        let here = at.index(index);
        while let Some((one, depth)) = open.pop() {
            total = total.saturating_add(1);
            if depth > REQUIREMENT_DEPTH_MAX {
                found.add(
                    Code::NestedTooDeep,
                    here,
                    format!("any_of 嵌套超过 {REQUIREMENT_DEPTH_MAX} 层（REQUIREMENT_DEPTH_MAX）"),
                    format!("alternatives nest deeper than {REQUIREMENT_DEPTH_MAX} (REQUIREMENT_DEPTH_MAX)"),
                );
                break;
            }
            // The lists of an alternative are reported at the requirement that it belongs to.
            lists!(found, here, LIST_MAX, { "pool" => one.pool.0, "courses" => one.courses.0, });
            counted(&one.counts, here.key("counts"), found);
            count(one.count, here, found);
            open.extend(one.any_of.iter().map(|below| (below, depth.saturating_add(1))));
        }
    }
    at_most(found, at, total, (REQUIREMENTS_MAX, "REQUIREMENTS_MAX"));
}

fn counted(counted: &Counted, at: At<'_>, found: &mut Findings) {
    lists!(found, at, LIST_MAX, {
        "issuer" => counted.issuer.0,
        "record_kind" => counted.record_kind.0,
        "pool" => counted.pool.0,
    });
}
