//! The rule books that ship: each is read, keeps its bytes, and gives what its worked cases say.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "books/falsified.rs"]
mod falsified;

use credit_rules::book::Book;
use credit_rules::cases::{Cases, run};
use credit_rules::check::{Surroundings, check};
use credit_rules::finding::Severity;
use credit_rules::program::Program;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A book that ships, with its cases.
struct Shipped {
    folder: String,
    book: Book,
    cases: Cases,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every folder of `ledger-data/rulebooks`, by name.
fn shipped() -> Vec<Shipped> {
    let books = root().join("ledger-data/rulebooks");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(books)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|path| {
            let folder = path.file_name().unwrap().to_str().unwrap().to_owned();
            let book = Book::from_toml(&text(&path.join("book.toml")));
            let book = book.unwrap_or_else(|found| panic!("{folder}/book.toml: {found:#?}"));
            let cases = Cases::from_toml(&text(&path.join("cases.toml")));
            let cases = cases.unwrap_or_else(|found| panic!("{folder}/cases.toml: {found:#?}"));
            Shipped { folder, book, cases }
        })
        .collect()
}

#[test]
fn every_book_keeps_its_canonical_bytes() {
    for Shipped { folder, book, cases } in shipped() {
        let bytes = book.canonical();
        assert_eq!(Book::from_canonical(&bytes).unwrap(), book, "{folder}");
        assert_eq!(cases.book.as_ref(), Some(&book.id), "{folder}: the cases name another book");
        assert!(!book.evidence.is_empty(), "{folder}: nothing says where its values come from");
        for rule in &book.rules {
            assert!(!rule.evidence.is_empty(), "{folder}: rule {} has no evidence", rule.id);
        }
    }
}

#[test]
fn every_case_comes_out_exactly() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for Shipped { folder, book, cases } in shipped() {
        let program = Program::new(book).unwrap_or_else(|error| panic!("{folder}: {error}"));
        for result in run(&program, &cases) {
            count += 1;
            for difference in &result.differences {
                wrong.push(format!("{folder} {}: {difference}", result.id));
            }
        }
    }
    println!("{count} cases of shipped books");
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn whatever_else_a_case_expects_does_not_come_out() {
    let (mut missed, mut count) = (Vec::new(), 0);
    for Shipped { folder, book, cases } in shipped() {
        let program = Program::new(book).unwrap();
        for case in &cases.tests {
            for (what, other) in falsified::falsified(case) {
                count += 1;
                let one = Cases { tests: vec![other], ..cases.clone() };
                if run(&program, &one)[0].passed() {
                    missed.push(format!("{folder} {}: another {what} passes", case.id));
                }
            }
        }
    }
    println!("{count} falsified expectations");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(count > 500);
}

#[test]
fn every_rule_has_a_case_that_grants_and_one_that_refuses() {
    for Shipped { folder, book, cases } in shipped() {
        let (mut holds, mut refuses) = (BTreeSet::new(), BTreeSet::new());
        for case in &cases.tests {
            let (yes, no) = case.covers();
            holds.extend(yes);
            refuses.extend(no);
            assert!(case.labels.is_some(), "{folder} {}: no label", case.id);
        }
        for rule in &book.rules {
            // That there is no conversion is shown by a refusal alone.
            assert!(
                rule.no_articulation.is_some() || holds.contains(&rule.id),
                "{folder} {}: never holds",
                rule.id
            );
            assert!(refuses.contains(&rule.id), "{folder} {}: never refuses", rule.id);
        }
    }
}

#[test]
fn every_book_could_be_published() {
    let all = shipped();
    let mut wrong = Vec::new();
    for Shipped { folder, book, cases } in &all {
        let others: Vec<Book> =
            all.iter().filter(|other| other.folder != *folder).map(|other| other.book.clone()).collect();
        let around = Surroundings { cases: Some(cases), others: &others, ..Surroundings::default() };
        for finding in check(book, &around) {
            if finding.severity == Severity::Error {
                wrong.push(format!(
                    "{folder} {} {}: {}",
                    finding.code.code(),
                    finding.path,
                    finding.message.en
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An example whose expectation is about the ledger rather than about a book.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    id: String,
    source: String,
    test: String,
}

#[derive(Deserialize)]
struct ElsewhereFile {
    example: Vec<Elsewhere>,
}

#[derive(Deserialize)]
struct System {
    id: String,
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    input: String,
    expect: String,
    note: String,
}

#[test]
fn every_example_of_a_real_system_is_one_case_or_one_test_of_the_ledger() {
    let path = root().join("../shared/cases/rules.jsonl");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let mut examples: BTreeMap<String, String> = BTreeMap::new();
    for line in text(&path).lines() {
        let system: System = serde_json::from_str(line).unwrap();
        for (at, Example { input, expect, note }) in system.examples.into_iter().enumerate() {
            let note = if note.is_empty() { note } else { format!(" ({note})") };
            examples.insert(format!("{}-{}", system.id, at + 1), format!("{input} ⇒ {expect}{note}"));
        }
    }
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Shipped { cases, .. } in shipped() {
        for case in cases.tests.iter().filter(|case| examples.contains_key(case.id.as_str())) {
            let source = case.source.as_ref().map(ToString::to_string).unwrap_or_default();
            found.entry(case.id.to_string()).or_default().push(source);
        }
    }
    let elsewhere: ElsewhereFile =
        toml::from_str(&text(&root().join("ledger-data/rulebooks/elsewhere.toml"))).unwrap();
    let whole_system =
        ["conversion.rs", "award.rs"].map(|file| text(&root().join("tests/e2e").join(file))).concat();
    for Elsewhere { id, source, test } in elsewhere.example {
        assert!(whole_system.contains(&format!("async fn {test}()")), "{id} names no test: {test}");
        found.entry(id).or_default().push(source);
    }
    let mut wrong = Vec::new();
    for (id, text) in &examples {
        match found.get(id).map(Vec::as_slice) {
            Some([own]) if own == text => {}
            Some([own]) => wrong.push(format!("{id}: its source is {own:?}, not {text:?}")),
            Some(several) => wrong.push(format!("{id}: {} cases", several.len())),
            None => wrong.push(format!("{id}: no case")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(examples.len(), 129);
}
