//! Why a decision came out as it did: one canonical tree, and its sentences in both languages.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use credit_rules::book::Book;
use credit_rules::explain::{Explanation, explain};
use credit_rules::input::Question;
use credit_rules::program::Program;
use credit_rules::reason::Reason;
use credit_rules::sentence::decision;
use credit_rules::value::Language;
use credit_types::Digest;
use expect_test::{ExpectFile, expect_file};
use std::collections::BTreeSet;

/// Records of every sort: granted, trimmed, overridden, lost, nearly granted, and named by no rule.
const QUESTION: &str = include_str!("explain/question.toml");

fn book() -> Book {
    toml::from_str(include_str!("specification.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn question(text: &str) -> Question {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn explained(text: &str) -> Explanation {
    let program = Program::new(book()).unwrap();
    let question = question(text);
    let allocated = program.allocate(&question).unwrap();
    explain(&program, Digest([7; 32]), &question, &allocated)
}

fn told(explanation: &Explanation, language: Language, expected: &ExpectFile) -> [usize; 4] {
    let told = decision(&book(), explanation, language);
    let mut lines = told.summary.clone();
    for item in &told.items {
        lines.push(format!("\n# {}", item.heading));
        lines.extend(item.lines.iter().cloned());
    }
    lines.push("\n# -".to_owned());
    lines.extend(told.rejected.iter().cloned());
    lines.push("\n# ?".to_owned());
    lines.extend(told.gap.iter().cloned());
    lines.push(String::new());
    expected.assert_eq(&lines.join("\n"));
    [told.summary.len(), told.items.len(), told.rejected.len(), told.gap.len()]
}

#[test]
fn a_decision_is_told_in_both_languages() {
    let explanation = explained(QUESTION);
    let zh = told(&explanation, Language::Zh, &expect_file!["explain/decision.zh.txt"]);
    let en = told(&explanation, Language::En, &expect_file!["explain/decision.en.txt"]);
    assert_eq!(zh, en);
    // The certificate is the planner's, and checked where it is made.
    let mut json = serde_json::to_value(&explanation).unwrap();
    assert!(json.as_object_mut().unwrap().remove("certificate").is_some());
    let json = serde_json::to_string_pretty(&json).unwrap();
    expect_file!["explain/decision.json"].assert_eq(&format!("{json}\n"));
}

#[test]
fn the_canonical_bytes_are_one_form_that_is_read_back() {
    let explanation = explained(QUESTION);
    let bytes = explanation.canonical();
    let again: Explanation = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(again, explanation);
    assert_eq!(again.canonical(), bytes);
    // The order in which records are handed in says nothing.
    let mut turned = question(QUESTION);
    turned.records.reverse();
    let program = Program::new(book()).unwrap();
    let allocated = program.allocate(&turned).unwrap();
    assert_eq!(explain(&program, Digest([7; 32]), &turned, &allocated).canonical(), bytes);
    let other = String::from_utf8(bytes).unwrap().replacen('{', "{\"mood\":\"fine\",", 1);
    assert!(serde_json::from_str::<Explanation>(&other).is_err());
}

#[test]
fn every_record_is_used_or_told_why_not_and_near_misses_come_first() {
    let explanation = explained(QUESTION);
    let items = explanation.items.iter().flat_map(|item| &item.records);
    let spoken: BTreeSet<&str> = items
        .chain(explanation.rejected.iter().map(|rejected| &rejected.record))
        .map(credit_rules::value::Name::as_str)
        .collect();
    let question = question(QUESTION);
    let asked: BTreeSet<&str> = question.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(spoken, asked);
    let near: Vec<bool> = explanation.rejected.iter().map(|rejected| rejected.near_miss).collect();
    assert!(near.is_sorted_by(|left, right| left >= right), "{near:?}");
    assert!(near.first().is_some_and(|near| *near));
    let lost = explanation.rejected.iter().find(|rejected| rejected.reason == Reason::LostTo).unwrap();
    assert!(lost.winner.is_some() && lost.delta_milli.is_some(), "{lost:?}");
}

#[test]
fn what_is_granted_adds_up_and_stays_below_its_maxima() {
    let explanation = explained(QUESTION);
    let granted: i64 =
        explanation.items.iter().flat_map(|item| &item.granted).map(|line| line.credit.0).sum();
    assert_eq!(granted, explanation.awarded_milli);
    assert!(explanation.awarded_milli <= explanation.bound_milli);
    for cap in explanation.items.iter().flat_map(|item| &item.caps) {
        assert!(cap.used_before + cap.granted <= cap.limit && cap.granted <= cap.asked, "{cap:?}");
    }
    assert!(explanation.items.iter().flat_map(|item| &item.caps).any(|cap| cap.binding));
}
