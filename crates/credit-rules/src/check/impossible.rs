//! S4 of conditions that nothing fulfils: windows without a day, ends the wrong way round, issuers outside their group.

use super::rule_box::{Patterns, days, groups, pattern_meets};
use crate::book::{Book, Bundle, When};
use crate::finding::{Code, Findings};
use crate::path::At;
use crate::value::{Name, Window};
use std::collections::BTreeMap;

pub(super) fn check(book: &Book, found: &mut Findings) {
    let groups = groups(book);
    window(book.effective, At::TOP.key("effective"), found);
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let here = rules.index(index);
        window(rule.effective, here.key("effective"), found);
        if !rule.effective.is_empty() && !book.effective.is_empty() && !rule.effective.meets(&book.effective)
        {
            let en = "the rule is in force on no day of the book";
            found.add(Code::WindowEmpty, here.key("effective"), "规则的有效期在规则书有效期之外", en);
        }
        when((book, &groups), &rule.when, here.key("when"), found);
        // The leaves of a bundle have no place of their own: they are said at the bundle.
        let mut open: Vec<&Bundle> = rule.bundle.iter().collect();
        while let Some(one) = open.pop() {
            if let Some(record) = &one.record {
                when((book, &groups), record, here.key("bundle"), found);
            }
            let below = [one.all.as_ref(), one.any.as_ref(), one.n_of.as_ref().map(|n_of| &n_of.of)];
            open.extend(below.into_iter().flatten().flatten());
        }
    }
}

fn window(window: Window, at: At<'_>, found: &mut Findings) {
    if window.is_empty() {
        let (from, until) = days(window);
        let length = i64::from(until).saturating_sub(i64::from(from));
        found.add(
            Code::WindowEmpty,
            at,
            format!("until 须晚于 from，相差 {length} 天"),
            format!("until must be after from, it is {length} days after"),
        );
    }
}

type Known<'b> = (&'b Book, &'b BTreeMap<&'b Name, Patterns<'b>>);

fn when((book, groups): Known<'_>, when: &When, at: At<'_>, found: &mut Findings) {
    window(when.earned, at.key("earned"), found);
    let minutes = |time: Option<crate::value::Time>| time.and_then(|time| time.minutes(book.xs_minutes));
    if minutes(when.min_hours).zip(minutes(when.max_hours)).is_some_and(|(least, most)| most < least) {
        let en = "max_hours is below min_hours";
        found.add(Code::Impossible, at.key("max_hours"), "max_hours 小于 min_hours", en);
    }
    if let Some(level) = &when.level
        && let Some((least, most)) = level.at_least.zip(level.at_most)
    {
        let descending = book.ladders.get(&level.ladder).is_some_and(|ladder| ladder.descending);
        let wrong = if descending { most > least } else { most < least };
        if wrong {
            let en = "at_most is a lower level than at_least";
            found.add(Code::Impossible, at.key("level"), "at_most 低于 at_least", en);
        }
    }
    let recorded = when.recorded_by.zip(when.earned.from);
    if recorded.is_some_and(|(by, from)| by < from) {
        let en = "it must have been entered before it can have been earned";
        found.add(Code::Impossible, at.key("recorded_by"), "登记截止早于可取得之日", en);
    }
    if let Some(group) = &when.issuer_group
        && let Some(members) = groups.get(group)
        && !when.issuer.is_empty()
        && !when.issuer.iter().any(|issuer| pattern_meets(members, issuer.as_str()))
    {
        let (zh, en) = (
            format!("所列机构都不在机构组 {group} 中"),
            format!("no issuer of the list is in the group {group}"),
        );
        found.add(Code::Impossible, at.key("issuer"), zh, en);
    }
}
