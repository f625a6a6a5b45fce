//! S1 and S4 of what a period has to hold: one unit throughout, classes that exist, amounts that can be reached.

use super::ids::{Ids, unknown};
use crate::book::{Book, Compliance};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::{Limit, Name};

pub(super) fn check(book: &Book, ids: &Ids<'_>, found: &mut Findings) {
    let periods = At::TOP.key("compliance");
    for (index, one) in book.compliance.iter().enumerate() {
        compliance(one, ids, periods.index(index), found);
    }
}

/// An amount as a number, with whether it is credit; `None` of a share, and of class hours without a length.
fn amount(limit: Limit, ids: &Ids<'_>) -> Option<(bool, i64)> {
    match limit {
        Limit::Credit(credit) => Some((true, credit.0)),
        Limit::Time(time) => time.minutes(ids.book.xs_minutes).map(|minutes| (false, minutes)),
        Limit::Share(_) => None,
    }
}

fn compliance(one: &Compliance, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    ids.standard(one.std.as_ref(), at.key("std"), found);
    let credit = matches!(one.total, Limit::Credit(_));
    if credit && one.std.is_none() {
        let en = "a total in credit must say its standard";
        found.add(Code::TargetWithoutStandard, at.key("total"), "以学分计的总量须写明 std", en);
    }
    let mut unit = |limit: Option<Limit>, at: At<'_>| {
        let Some(limit) = limit else { return };
        if let Limit::Time(time) = limit {
            ids.time(Some(time), at, found);
        }
        let fits = match limit {
            Limit::Credit(_) => credit,
            Limit::Time(_) => !credit,
            Limit::Share(_) => false,
        };
        if !fits {
            let en = "must be of the unit of the total, credit or time";
            found.add(Code::UnitMismatch, at, "须与总量同为学分或同为时间", en);
        }
    };
    unit(Some(one.total), at.key("total"));
    unit(one.usable_max, at.key("usable_max"));
    let classes = at.key("classes");
    for (name, class) in &one.classes {
        let here = classes.key(name.as_str());
        unit(class.max, here.key("max"));
        let floor = here.key("floor");
        unit(class.floor.and_then(|floor| floor.amount), floor.key("amount"));
    }
    let fill = at.key("fill");
    for (index, step) in one.fill.iter().enumerate() {
        let here = fill.index(index);
        unit(step.up_to, here.key("up_to"));
    }
    for (index, step) in one.fill.iter().enumerate() {
        let here = fill.index(index);
        let known = |name: &Name| one.classes.contains_key(name);
        unknown(Code::UnknownClass, ("类别", "class"), Some(&step.class), known, here.key("class"), found);
    }
    reachable(one, ids, at, found);
}

/// That what is asked for can be reached by what counts.
fn reachable(one: &Compliance, ids: &Ids<'_>, at: At<'_>, found: &mut Findings) {
    let value = |limit: Option<Limit>| limit.and_then(|limit| amount(limit, ids)).map(|(_, value)| value);
    let (total, usable) = (value(Some(one.total)), value(one.usable_max));
    if total.zip(usable).is_some_and(|(total, usable)| usable < total) {
        let en = "less counts than is required";
        found.add(Code::Impossible, at.key("usable_max"), "计入的上限低于要求的总量", en);
    }
    let classes = at.key("classes");
    let mut floors = 0_i64;
    for (name, class) in &one.classes {
        let floor = value(class.floor.and_then(|floor| floor.amount));
        floors = floors.saturating_add(floor.unwrap_or_default());
        if floor.zip(value(class.max)).is_some_and(|(floor, max)| max < floor) {
            let here = classes.key(name.as_str());
            found.add(Code::Impossible, here.key("max"), "上限低于下限", "the most is below the least");
        }
    }
    if usable.is_some_and(|usable| usable < floors) {
        let en = "the classes together need more than counts";
        found.add(Code::Impossible, classes, "各类下限之和超过计入的上限", en);
    }
}
