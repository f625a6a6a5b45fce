//! S11: every rule is shown by worked cases to hold and to refuse, and no case is about something that is not there.

use crate::book::Book;
use crate::cases::{Case, Cases};
use crate::finding::{Code, Document, Findings};
use crate::path::At;
use crate::value::Name;
use std::collections::BTreeSet;

pub(super) fn check(book: &Book, cases: &Cases, found: &mut Findings) {
    let (mut holds, mut refuses) = (BTreeSet::new(), BTreeSet::new());
    for case in &cases.tests {
        let (shown, denied) = case.covers();
        holds.extend(shown);
        refuses.extend(denied);
    }
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        // Of a rule that says that there is no conversion, a refusal is what it is for.
        if !holds.contains(&rule.id) && rule.no_articulation.is_none() {
            let (zh, en) = (
                format!("规则 {} 没有成立的算例", rule.id),
                format!("no case shows that the rule {} holds", rule.id),
            );
            found.add(Code::NoPositiveCase, rules.index(index), zh, en);
        }
        if !refuses.contains(&rule.id) {
            let (zh, en) = (
                format!("规则 {} 没有不成立的算例", rule.id),
                format!("no case shows that the rule {} refuses", rule.id),
            );
            found.add(Code::NoNegativeCase, rules.index(index), zh, en);
        }
    }
    let ids: BTreeSet<&Name> = book.rules.iter().map(|rule| &rule.id).collect();
    let mut of_cases = Findings::default();
    if let Some(other) = cases.book.as_ref().filter(|other| **other != book.id) {
        missing(("规则书", "book"), other, At::TOP.key("book"), &mut of_cases);
    }
    let tests = At::TOP.key("test");
    for (index, case) in cases.tests.iter().enumerate() {
        about(book, &ids, case, tests.index(index), &mut of_cases);
    }
    found.take(of_cases, Document::Cases);
}

fn missing(what: (&str, &str), name: &Name, at: At<'_>, found: &mut Findings) {
    let (zh, en) = what;
    found.add(Code::CaseUnknown, at, format!("没有{zh} {name}"), format!("there is no {en} {name}"));
}

fn about(book: &Book, ids: &BTreeSet<&Name>, case: &Case, at: At<'_>, found: &mut Findings) {
    let (holds, refuses) = case.covers();
    if let Some(unknown) = holds.into_iter().chain(refuses).find(|rule| !ids.contains(rule)) {
        missing(("规则", "rule"), unknown, at, found);
    }
    if let Some(one) = &case.award
        && !book.awards.iter().any(|own| own.id == one.award)
    {
        let here = at.key("award");
        missing(("奖项", "award"), &one.award, here.key("award"), found);
    }
    if let Some(one) = &case.compliance
        && !book.compliance.iter().any(|own| own.id == one.compliance)
    {
        let here = at.key("compliance");
        missing(("合规规则", "compliance rule"), &one.compliance, here.key("compliance"), found);
    }
    if let Some(one) = &case.grade
        && !book.grade_maps.iter().any(|own| own.id == one.map)
    {
        let here = at.key("grade");
        missing(("成绩对照表", "grade map"), &one.map, here.key("map"), found);
    }
    if let Some(one) = &case.level {
        let here = at.key("level");
        for (key, place) in [("from", &one.from), ("to", &one.to)] {
            if !book.ladders.contains_key(&place.ladder) {
                let there = here.key(key);
                missing(("等级体系", "ladder"), &place.ladder, there.key("ladder"), found);
            }
        }
    }
    if let Some(programme) = case.convert.as_ref().and_then(|one| one.programme.as_ref())
        && !book.programmes.contains_key(programme)
    {
        let here = at.key("convert");
        missing(("专业", "programme"), programme, here.key("programme"), found);
    }
}
