//! A book in sentences, in both languages.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use credit_rules::book::Book;
use credit_rules::sentence::{Section, sentences};
use credit_rules::value::Language;
use expect_test::{ExpectFile, expect_file};

/// A book as officers write it.
fn book(text: &str) -> Book {
    Book::from_toml(text).unwrap_or_else(|findings| {
        let told = findings
            .iter()
            .map(|finding| format!("{} {:?} {}\n", finding.path, finding.place, finding.message.en));
        panic!("{}", told.collect::<String>())
    })
}

fn told(sections: &[Section]) -> String {
    let row = |cells: &Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines = Vec::new();
    for section in sections {
        lines.push(format!("# {}", section.heading));
        lines.extend(section.lines.iter().cloned());
        for table in &section.tables {
            lines.push(row(&table.header));
            lines.extend(table.rows.iter().map(row));
        }
        lines.push(String::new());
    }
    lines.join("\n")
}

fn check(book: &Book, zh: &ExpectFile, en: &ExpectFile) {
    let (chinese, english) = (sentences(book, Language::Zh), sentences(book, Language::En));
    zh.assert_eq(&told(&chinese));
    en.assert_eq(&told(&english));
    assert_eq!(chinese.len(), english.len());
    for (left, right) in chinese.iter().zip(&english) {
        assert_eq!(left.subject, right.subject);
        assert_eq!(left.lines.len(), right.lines.len(), "{}", right.heading);
        let shape = |section: &Section| -> Vec<(usize, usize)> {
            section.tables.iter().map(|table| (table.header.len(), table.rows.len())).collect()
        };
        assert_eq!(shape(left), shape(right), "{}", right.heading);
        for table in left.tables.iter().chain(&right.tables) {
            assert!(table.rows.iter().all(|row| row.len() == table.header.len()), "{}", right.heading);
        }
    }
}

#[test]
fn the_specification_is_told_in_both_languages() {
    // The types alone: the text has a `least` of 0 to show that a course may be in no need of its own.
    let book: Book =
        toml::from_str(include_str!("specification.toml")).unwrap_or_else(|error| panic!("{error}"));
    check(
        &book,
        &expect_file!["sentence/specification.zh.txt"],
        &expect_file!["sentence/specification.en.txt"],
    );
}

#[test]
fn every_field_is_told_in_both_languages() {
    check(
        &book(include_str!("sentence/everything.toml")),
        &expect_file!["sentence/everything.zh.txt"],
        &expect_file!["sentence/everything.en.txt"],
    );
}
