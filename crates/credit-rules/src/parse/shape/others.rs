//! The forms of what a book holds besides rules.

use super::super::logic::{exactly_one, how_many};
use super::unique;
use crate::book::{
    Award, Book, Compliance, Constraint, Distribution, Floor, Formula, GradeMap, GradeShare, Requirement,
    Scale,
};
use crate::finding::{Code, Findings};
use crate::path::At;

pub(super) fn book(book: &Book, found: &mut Findings) {
    let top = At::TOP;
    unique(book.constraints.iter().map(|one| &one.id), top.key("constraint"), "id", found);
    unique(book.awards.iter().map(|one| &one.id), top.key("award"), "id", found);
    unique(book.compliance.iter().map(|one| &one.id), top.key("compliance"), "id", found);
    unique(book.level_maps.iter().map(|one| &one.id), top.key("level_map"), "id", found);
    unique(book.grade_maps.iter().map(|one| &one.id), top.key("grade_map"), "id", found);
    let constraints = top.key("constraint");
    for (index, one) in book.constraints.iter().enumerate() {
        constraint(one, constraints.index(index), found);
    }
    let programmes = top.key("programmes");
    for (name, programme) in &book.programmes {
        let here = programmes.key(name.as_str());
        requirements(&programme.requirements, here.key("requirement"), found);
    }
    let awards = top.key("award");
    for (index, one) in book.awards.iter().enumerate() {
        award(one, awards.index(index), found);
    }
    let periods = top.key("compliance");
    for (index, one) in book.compliance.iter().enumerate() {
        compliance(one, periods.index(index), found);
    }
    let scales = top.key("scales");
    for (name, one) in &book.scales {
        scale(one, scales.key(name.as_str()), found);
    }
    let maps = top.key("grade_map");
    for (index, one) in book.grade_maps.iter().enumerate() {
        grade_map(one, maps.index(index), found);
    }
    let ladders = top.key("ladders");
    for (name, ladder) in &book.ladders {
        let here = ladders.key(name.as_str());
        unique(ladder.levels.iter().map(|one| &one.level), here.key("levels"), "level", found);
    }
    let maps = top.key("level_map");
    for (index, map) in book.level_maps.iter().enumerate() {
        let here = maps.index(index);
        unique(map.rows.iter().map(|row| &row.from), here.key("rows"), "from", found);
    }
}

fn constraint(constraint: &Constraint, at: At<'_>, found: &mut Findings) {
    let Constraint { max, count, keep, reserve_own, .. } = constraint;
    if how_many(&[max.is_some(), count.is_some(), keep.is_some(), reserve_own.is_some()]) == 0 {
        exactly_one(found, at, 0, "max / count / keep");
    }
    if max.is_some() && count.is_some() {
        exactly_one(found, at, 2, "max / count");
    }
}

fn award(award: &Award, at: At<'_>, found: &mut Findings) {
    requirements(&award.requirements, at.key("requirement"), found);
    unique(award.ladder.iter().map(|step| &step.id), at.key("ladder"), "id", found);
    if award.requirements.is_empty() && award.ladder.is_empty() {
        found.add(
            Code::MissingField,
            at,
            "须写 requirement 或 ladder，否则人人可得",
            "must say requirement or ladder: else everybody has it",
        );
    }
}

fn requirements(list: &[Requirement], at: At<'_>, found: &mut Findings) {
    unique(list.iter().map(|one| &one.id), at, "id", found);
    for (index, requirement) in list.iter().enumerate() {
        let here = at.index(index);
        if requirement.id.as_str().is_empty() || requirement.labels.is_empty() {
            found.add(Code::MissingField, here, "须写 id 与 labels", "must say id and labels");
        }
        let mut open = vec![requirement];
        while let Some(one) = open.pop() {
            requirement_says(one, here, found);
            open.extend(&one.any_of);
        }
    }
}

fn requirement_says(one: &Requirement, at: At<'_>, found: &mut Findings) {
    let says = [
        one.credit.is_some(),
        one.hours.is_some(),
        one.count.is_some(),
        one.share.is_some(),
        !one.courses.is_empty(),
        !one.any_of.is_empty(),
    ];
    if how_many(&says) == 0 {
        found.add(
            Code::MissingField,
            at,
            "须写 credit、hours、count、share、courses 或 any_of 至少一项",
            "must say at least one of credit, hours, count, share, courses and any_of",
        );
    }
    if let Some(least) = one.least {
        let courses = one.courses.0.len();
        let fits = usize::try_from(least).is_ok_and(|least| (1..=courses).contains(&least));
        if !fits {
            found.add(
                Code::OutOfRange,
                at.key("least"),
                format!("least 须在 1 到课程数 {courses} 之间，现为 {least}"),
                format!("least must be from 1 to the number of courses, {courses}, is {least}"),
            );
        }
    }
}

fn compliance(compliance: &Compliance, at: At<'_>, found: &mut Findings) {
    let classes = at.key("classes");
    for (name, class) in &compliance.classes {
        let here = classes.key(name.as_str());
        let Some(Floor { amount, fraction, basis }) = class.floor else { continue };
        let here = here.key("floor");
        exactly_one(found, here, how_many(&[amount.is_some(), fraction.is_some()]), "amount / fraction");
        if fraction.is_some() != basis.is_some() {
            found.add(
                Code::MissingField,
                here,
                "fraction 与 basis 须一同写明：以应完成为准与以已完成为准结果不同",
                "fraction and basis must be said together: of what is required and of what was completed differ",
            );
        }
        if fraction.is_some_and(|fraction| fraction.plain().is_none()) {
            found.add(Code::BadValue, here.key("fraction"), "须为纯比率", "must be a plain ratio");
        }
    }
}

fn scale(scale: &Scale, at: At<'_>, found: &mut Findings) {
    let numbers = scale.min.is_some() || scale.max.is_some();
    exactly_one(found, at, how_many(&[!scale.words.is_empty(), numbers]), "words / min + max");
    unique(scale.words.iter(), at.key("words"), "", found);
    if scale.descending && !scale.words.is_empty() {
        let en = "descending is said of numbers; words go from the worst to the best";
        found.add(Code::BadValue, at.key("descending"), "descending 只用于数值；词由差到好排列", en);
    }
    match (scale.min, scale.max) {
        (Some(min), Some(max)) if min < max => {}
        (None, None) => {}
        (Some(_), Some(_)) => found.add(Code::OutOfRange, at, "min 须小于 max", "min must be below max"),
        (Some(_), None) | (None, Some(_)) => {
            found.add(Code::MissingField, at, "须同时写 min 与 max", "must say both min and max");
        }
    }
}

fn grade_map(map: &GradeMap, at: At<'_>, found: &mut Findings) {
    // Ranks are cut by rows; the other formulae have none.
    let formula = map.formula.is_some_and(|formula| formula != Formula::RankPercentile);
    let said = how_many(&[!map.rows.is_empty(), formula, map.distribution.is_some()]);
    exactly_one(found, at, said, "rows / formula / distribution");
    if let Some(Distribution { from, to, pick: _ }) = &map.distribution {
        let here = at.key("distribution");
        shares(from, here.key("from"), found);
        shares(to, here.key("to"), found);
    }
    let rows = at.key("rows");
    for (index, row) in map.rows.iter().enumerate() {
        let range = row.at_least.is_some() || row.below.is_some();
        let here = rows.index(index);
        exactly_one(found, here, how_many(&[range, row.word.is_some()]), "at_least + below / word");
    }
}

/// The shares of a distribution: each grade once, none of nothing, all of them everybody.
fn shares(list: &[GradeShare], at: At<'_>, found: &mut Findings) {
    unique(list.iter().map(|one| &one.grade), at, "grade", found);
    for (index, _) in list.iter().enumerate().filter(|(_, one)| one.share.0 == 0) {
        let en = "a grade that nobody has can't be placed";
        found.add(Code::OutOfRange, at.index(index).key("share"), "无人取得的等级无法定位", en);
    }
    let sum = list.iter().fold(0_i64, |sum, one| sum.saturating_add(one.share.0));
    if sum != 10_000 {
        let (zh, en) = ("各等级比例合计须为 100 %", "the shares must be 100 % in all");
        found.add(Code::OutOfRange, at, zh, en);
    }
}
