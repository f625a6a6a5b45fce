//! What differs between two versions is said in sentences, and nothing else is.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by stopping")]

use credit_rules::book::Book;
use credit_rules::diff::{Change, Difference, Part, diff};

const EXAMPLES: &str = include_str!("books/examples.toml");

fn against(edits: &[(&str, &str)]) -> Vec<Difference> {
    let mut text = EXAMPLES.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    let (old, new) = (Book::from_toml(EXAMPLES).unwrap(), Book::from_toml(&text).unwrap());
    assert_eq!(diff(&new, &new), []);
    let back = diff(&new, &old);
    let there = diff(&old, &new);
    assert_eq!(back.len(), there.len());
    there
}

fn fields(difference: &Difference) -> Vec<(&str, Option<&str>, Option<&str>, bool)> {
    let all = difference.fields.iter();
    all.map(|field| (field.field.as_str(), field.old.as_deref(), field.new.as_deref(), field.grants))
        .collect()
}

#[test]
fn a_field_that_says_something_else_is_said_with_both() {
    let all = against(&[
        (
            "ratio = \"16 h / 1 cr\", std = \"cb\", round = \"floor\", step = \"0.1 cr\", aggregate",
            "ratio = \"18 h / 1 cr\", std = \"cb\", round = \"half_up\", step = \"0.1 cr\", aggregate",
        ),
        ("version = 7\nsupersedes = 6", "version = 8\nsupersedes = 7"),
    ]);
    let [book, rule] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!(
        (book.part, book.change, book.id.as_str()),
        (Part::Book, Change::Changed, "cn.example-city.bank")
    );
    assert_eq!(
        fields(book),
        [("supersedes", Some("6"), Some("7"), false), ("version", Some("7"), Some("8"), false)]
    );
    assert_eq!(
        (rule.part, rule.id.as_str(), rule.path.to_string().as_str()),
        (Part::Rule, "ce-hours-2026", "rule[0]")
    );
    assert_eq!(
        fields(rule),
        [
            ("convert.ratio", Some("16 h / 1 cr"), Some("18 h / 1 cr"), true),
            ("convert.round", None, Some("half_up"), true),
        ]
    );
    assert_eq!(rule.fields[0].says.zh, "convert.ratio 由 16 h / 1 cr 改为 18 h / 1 cr");
    assert_eq!(rule.fields[0].says.en, "convert.ratio was 16 h / 1 cr and is 18 h / 1 cr");
}

#[test]
fn a_row_of_a_table_goes_by_what_it_asks() {
    // Its order says nothing, and only the one that grants something else is said.
    let all = against(&[
        (
            "  { skill_level = 5, label = { zh = \"初级工\", en = \"junior\" },            credit = \"2 cr\" },\n",
            "",
        ),
        (
            "credit = \"16 cr\" },\n]",
            "credit = \"17 cr\" },\n  { level = 5, label = { zh = \"初级工\", en = \"junior\" }, credit = \"2.0 cr\" },\n]",
        ),
    ]);
    let [rule] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!(
        fields(rule),
        [("table.rows[level = is 1]", Some("credit 16 cr"), Some("credit 17 cr"), true)]
    );
}

#[test]
fn what_is_new_and_what_is_gone_is_said() {
    let all = against(&[
        ("id = \"micro-16\"", "id = \"micro-17\""),
        ("id = \"ce-max-10\"", "id = \"ce-max-12\""),
        ("cn.mil\" = \"cn.mil.\"", "cn.mil\" = [\"cn.mil.\", \"cn.vet.\"]"),
    ]);
    let said: Vec<_> = all.iter().map(|one| (one.part, one.change, one.id.as_str())).collect();
    assert_eq!(
        said,
        [
            (Part::Declared, Change::Changed, "cn.mil"),
            (Part::Constraint, Change::Added, "ce-max-12"),
            (Part::Constraint, Change::Removed, "ce-max-10"),
            (Part::Award, Change::Added, "micro-17"),
            (Part::Award, Change::Removed, "micro-16"),
        ]
    );
    assert_eq!(all[1].says.en, "the constraint ce-max-12 is new");
    assert_eq!(all[2].says.zh, "删去总上限 ce-max-10");
}

#[test]
fn a_label_grants_nothing() {
    let all = against(&[("en = \"Veteran RPL\"", "en = \"Veterans\"")]);
    assert_eq!(fields(&all[0]), [("labels.en", Some("Veteran RPL"), Some("Veterans"), false)]);
    assert!(all[0].says.en.ends_with("nothing that is granted differs"), "{}", all[0].says.en);
}
