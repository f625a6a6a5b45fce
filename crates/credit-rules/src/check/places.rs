//! S1 of where credit goes: targets, constraints, programmes and awards name what the book declares.

use super::ids::{Ids, unknown};
use crate::book::{AppliesTo, Book, Constraint, Counted, KindOrAll, Of, Requirement, Rule, Target};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::Name;
use std::collections::BTreeSet;

pub(super) fn check(book: &Book, ids: &Ids<'_>, found: &mut Findings) {
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let here = rules.index(index);
        targets(rule, ids, here.key("award"), found);
    }
    let constraints = At::TOP.key("constraint");
    for (index, one) in book.constraints.iter().enumerate() {
        constraint(one, ids, constraints.index(index), found);
    }
    let programmes = At::TOP.key("programmes");
    for (name, programme) in &book.programmes {
        let here = programmes.key(name.as_str());
        ids.standard(Some(&programme.std), here.key("std"), found);
        if let Some(level) = &programme.level {
            let here = here.key("level");
            ids.ladder(Some(&level.ladder), here.key("ladder"), found);
            ids.level(&level.ladder, Some(level.level), here.key("level"), found);
        }
        let shareable = here.key("shareable");
        for (number, other) in programme.shareable.iter().enumerate() {
            ids.programme(Some(other), shareable.index(number), found);
        }
        requirements(&programme.requirements, ids, here.key("requirement"), found);
    }
    let awards = At::TOP.key("award");
    for (index, award) in book.awards.iter().enumerate() {
        let here = awards.index(index);
        ids.standard(Some(&award.std), here.key("std"), found);
        ids.programme(award.programme.as_ref(), here.key("programme"), found);
        requirements(&award.requirements, ids, here.key("requirement"), found);
    }
}

fn targets(rule: &Rule, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    for (index, one) in rule.award.iter().enumerate() {
        let here = at.index(index);
        target(one, ids, here, found);
        let choices = here.key("one_of");
        for (number, choice) in one.one_of.iter().enumerate() {
            target(choice, ids, choices.index(number), found);
        }
    }
}

fn target(target: &Target, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    if let Some(grade) = &target.grade
        && let Some(map) = grade.as_str().strip_prefix("map:")
        && !ids.maps.contains(map)
    {
        let (zh, en) = (format!("没有成绩对照表 {map}"), format!("there is no grade map {map}"));
        found.add(Code::UnknownGradeMap, at.key("grade"), zh, en);
    }
    // A book without programmes is about credit of a standard alone, and names the places of others.
    if ids.book.programmes.is_empty() || ids.takes_all {
        return;
    }
    let what = ("专业要求中的课程", "course in any requirement:");
    let known = |name: &Name| ids.courses.contains(name);
    unknown(Code::UnknownTarget, what, target.course.as_ref(), known, at.key("course"), found);
    let pools = at.key("pool");
    if !target.pool.is_empty() && !target.pool.iter().any(|pool| ids.pools.contains(pool)) {
        let (zh, en) =
            ("没有专业接受它，只按标准计学分", "no programme takes it: it is credit of the standard alone");
        found.add(Code::TargetNowhere, pools, zh, en);
        return;
    }
    // Beside one that is known, one that is not is a slip of the pen.
    for (index, pool) in target.pool.iter().enumerate() {
        let what = ("专业要求或其 pool", "requirement or pool of one:");
        unknown(
            Code::UnknownTarget,
            what,
            Some(pool),
            |name| ids.pools.contains(name),
            pools.index(index),
            found,
        );
    }
}

fn constraint(constraint: &Constraint, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    ids.limit(constraint.max, constraint.of, at, found);
    applies_to(&constraint.applies_to, ids, at.key("applies_to"), found);
    if let Some(except) = &constraint.except {
        applies_to(except, ids, at.key("except"), found);
    }
    let named = !constraint.applies_to.requirement.is_empty();
    if constraint.of == Some(Of::RequirementCredit) && !named {
        let en = "a share of a requirement's credit must name the requirement in applies_to";
        found.add(Code::PercentWithoutOf, at.key("of"), "要求学分的百分比须在 applies_to 中写明要求", en);
    }
    if constraint.reserve_own.is_some() && !named {
        let en = "credit that is left free must name its requirement in applies_to";
        found.add(Code::UnknownRequirement, at.key("reserve_own"), "预留学分须在 applies_to 中写明要求", en);
    }
}

fn applies_to(applies: &AppliesTo, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    let programmes = at.key("programme");
    for (index, name) in applies.programme.iter().enumerate() {
        ids.programme(Some(name), programmes.index(index), found);
    }
    let kinds = at.key("award_from");
    for (index, kind) in applies.award_from.iter().enumerate() {
        if let KindOrAll::Kind(kind) = kind {
            let known = |name: &Name| ids.kinds.contains(name);
            let what = ("规则种类", "kind of rule:");
            unknown(Code::UnknownKind, what, Some(kind), known, kinds.index(index), found);
        }
    }
    let rules = at.key("rule");
    for (index, name) in applies.rule.iter().enumerate() {
        ids.rule(Some(name), rules.index(index), found);
    }
    ids.group(applies.issuer_group.as_ref(), at.key("issuer_group"), found);
    let requirements = at.key("requirement");
    let meant = applies.programme.iter().filter_map(|name| ids.requirements.get(name));
    let known: BTreeSet<&Name> = meant.flatten().copied().collect();
    for (index, name) in applies.requirement.iter().enumerate() {
        let what = ("专业要求", "requirement of the programme:");
        let anywhere = applies.programme.is_empty();
        let has =
            |name: &Name| if anywhere { ids.all_requirements.contains(name) } else { known.contains(name) };
        unknown(Code::UnknownRequirement, what, Some(name), has, requirements.index(index), found);
    }
}

/// Requirements; those of alternatives are said at the requirement that they belong to.
fn requirements(list: &[Requirement], ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    for (index, requirement) in list.iter().enumerate() {
        let here = at.index(index);
        let mut open = vec![requirement];
        while let Some(one) = open.pop() {
            ids.time(one.hours, here.key("hours"), found);
            counted(&one.counts, ids, here.key("counts"), found);
            open.extend(&one.any_of);
        }
    }
}

fn counted(counted: &Counted, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    ids.group(counted.issuer_group.as_ref(), at.key("issuer_group"), found);
    ids.ladder(counted.ladder.as_ref(), at.key("ladder"), found);
    match (&counted.ladder, counted.min_level) {
        (Some(ladder), level) => ids.level(ladder, level, at.key("min_level"), found),
        (None, Some(_)) => {
            let (zh, en) = ("等级未写明属于哪个体系", "the level does not say of which ladder it is");
            found.add(Code::LevelWithoutLadder, at.key("min_level"), zh, en);
        }
        (None, None) => {}
    }
}
