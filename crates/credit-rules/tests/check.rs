//! Good books pass; each fault is found by its check, at its place.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by stopping"
)]

use credit_rules::book::Book;
use credit_rules::check::{Surroundings, check};
use credit_rules::finding::{Code, Finding, Severity, StaticCheck, any_error};
use credit_rules::parse::locate;

const EXAMPLES: &str = include_str!("books/examples.toml");

/// What a book that can be read is found to have.
fn found(text: &str) -> Vec<Finding> {
    let book = Book::from_toml(text).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let mut findings = check(&book, &Surroundings::default());
    locate(text, &mut findings);
    findings
}

fn with(old: &str, new: &str) -> String {
    assert!(EXAMPLES.contains(old), "{old}");
    EXAMPLES.replacen(old, new, 1)
}

/// The line and column of the first time that a stretch stands in a text.
fn found_at(text: &str, stretch: &str) -> (usize, usize) {
    let offset = text.find(stretch).expect("the stretch stands in the text");
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    fault: Vec<Fault>,
}

/// A stretch of the examples, what stands there instead, and the finding with its path and what it points at.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    code: String,
    old: String,
    new: String,
    path: String,
    at: Option<String>,
}

#[test]
fn each_fault_is_found_by_its_check_at_its_place() {
    let Faults { fault } = toml::from_str(include_str!("books/faults.toml")).unwrap();
    for Fault { code, old, new, path, at } in fault {
        let text = with(&old, &new);
        let findings = found(&text);
        let hit = findings.iter().find(|finding| finding.code.code() == code);
        let hit = hit.unwrap_or_else(|| panic!("{new}: no {code} in {findings:#?}"));
        assert_eq!(hit.path.to_string(), path, "{new}: {hit:#?}");
        let place = hit.place.expect("a finding in TOML has a place");
        if let Some(at) = at {
            assert_eq!((place.line, place.column), found_at(&text, &at), "{new}: {hit:#?}");
        }
        assert!((place.line, place.column) <= (place.end_line, place.end_column));
        assert!(!hit.message.zh.is_ascii() && !hit.message.en.is_empty());
        assert_eq!((hit.check, hit.severity), (hit.code.check(), hit.code.severity()));
    }
}

#[test]
fn the_examples_of_the_design_pass() {
    let findings = found(EXAMPLES);
    assert!(!any_error(&findings), "{findings:#?}");
    let codes: Vec<_> = findings.iter().map(|finding| (finding.code, finding.path.to_string())).collect();
    // What somebody should look at, and may leave.
    assert_eq!(codes, [(Code::StandardUnsaid, "rule[6].convert".to_owned())], "{findings:#?}");
}

#[test]
fn a_ratio_of_its_own_is_justified() {
    let own = with("inbound = \"25/45\"", "justification = \"协议\", inbound = \"30/45\"");
    assert!(!any_error(&found(&own)));
}

#[test]
fn s4_and_s5_rules_that_never_apply_or_never_end() {
    // The one that takes everything of the other makes it unreachable.
    let text = with(
        "when = { course = \"cn.cc.east:BK-11\", min_grade = { scale = \"pct100\", at_least = \"70\" }, min_credit = \"3 cr\", assessment = [\"supervised_exam\", \"mixed\"] }",
        "when = { record_kind = [\"nondegree_course\", \"exam\"], min_hours = \"1 h\" }",
    );
    let findings = found(&text);
    assert!(
        findings
            .iter()
            .any(|finding| finding.code == Code::RuleUnreachable && finding.path.to_string() == "rule[3]"),
        "{findings:#?}"
    );
    let text = with("id = \"rpl-military\"", "id = \"rpl-military\"\nconsumption = \"non_consuming\"");
    assert!(!any_error(&found(&text)), "a cap bounds it");
    let text = text.replacen(
        "cap = [ { per = \"rule\", max = \"4 cr\" } ]",
        "cap = [ { per = \"record\", max = \"4 cr\" } ]",
        1,
    );
    let findings = found(&text);
    let hit = findings.iter().find(|finding| finding.code == Code::Unbounded).expect("it is unbounded");
    assert_eq!((hit.check, hit.path.to_string().as_str()), (StaticCheck::S5, "rule[7]"));
    let justified =
        text.replacen("[ { per = \"record\", max = \"4 cr\" } ]", "[]\nuncapped = \"法规如此\"", 1);
    assert!(!any_error(&found(&justified)));
}

#[test]
fn s6_credit_out_of_nothing() {
    let back = "\n[[rule]]\nid = \"back\"\nkind = \"hub\"\nlabels = { zh = \"换回\", en = \"Back\" }\nwhen = { std = \"cb\" }\nconvert = { ratio = \"2/1\", std = \"ects\", justification = \"协议\" }\naward = { pool = \"core\", trim = true }\n";
    let findings = found(&format!("{EXAMPLES}{back}"));
    let hit = findings.iter().find(|finding| finding.code == Code::RatioCycle).expect("the circle gains");
    assert_eq!(hit.path.to_string(), "rule[8]");
    assert!(hit.message.en.contains("10/9"), "{hit:#?}");
    let fair = back.replace("2/1", "9/5");
    assert!(!any_error(&found(&format!("{EXAMPLES}{fair}"))));

    // The same through another book.
    let book = Book::from_toml(EXAMPLES).unwrap();
    let rules = &format!("{EXAMPLES}{back}");
    let mut other = Book::from_toml(rules).unwrap();
    other.id = "cn.other".parse().unwrap();
    other.rules.retain(|rule| rule.id.as_str() == "back");
    let others = [other];
    let findings = check(&book, &Surroundings { others: &others, ..Surroundings::default() });
    let hit = findings.iter().find(|finding| finding.code == Code::RatioCycle).expect("the circle gains");
    assert_eq!(hit.path.to_string(), "rule[5]");
    assert!(hit.message.en.contains("cn.other/back"), "{hit:#?}");

    let text = with(
        "round = \"floor\", step = \"0.1 cr\", aggregate",
        "round = \"ceil\", round_at = \"record\", step = \"0.1 cr\", aggregate",
    );
    let codes: Vec<_> = found(&text)
        .iter()
        .filter(|finding| finding.check == StaticCheck::S6)
        .map(|finding| (finding.code, finding.path.to_string()))
        .collect();
    assert_eq!(
        codes,
        [
            (Code::RoundsUp, "rule[0].convert.round".to_owned()),
            (Code::RoundUpPerRecord, "rule[0].convert.round_at".to_owned()),
        ]
    );
}

#[test]
fn s9_versions_follow_each_other() {
    let book = |text: &str| Book::from_toml(text).unwrap();
    let codes = |now: &Book, previous: &[Book], published: Option<&str>| -> Vec<Code> {
        let published_on = published.map(|day| day.parse().unwrap());
        let surroundings = Surroundings { previous, published_on, ..Surroundings::default() };
        let findings = check(now, &surroundings);
        findings
            .iter()
            .filter(|finding| finding.check == StaticCheck::S9)
            .map(|finding| finding.code)
            .collect()
    };
    let now = book(EXAMPLES);
    let last = |from: &str, until: &str| {
        let window = format!("effective = {{ from = {from}{until} }}");
        let text = with("effective = { from = 2026-09-01 }", &window);
        book(&text.replacen("version = 7\nsupersedes = 6", "version = 6\nsupersedes = 5", 1))
    };
    assert_eq!(codes(&now, &[last("2025-09-01", "")], Some("2026-08-01")), []);
    assert_eq!(codes(&now, &[last("2025-09-01", ", until = 2026-09-01")], None), []);
    assert_eq!(codes(&now, &[last("2025-09-01", ", until = 2026-08-01")], None), [Code::VersionGap]);
    assert_eq!(codes(&now, &[last("2025-09-01", ", until = 2026-10-01")], None), [Code::VersionOverlap]);
    assert_eq!(codes(&now, &[last("2026-09-01", "")], None), [Code::VersionOverlap]);
    assert_eq!(codes(&now, &[], Some("2026-09-01")), []);
    assert_eq!(codes(&now, &[], Some("2026-09-02")), [Code::Retroactive]);
    let open = book(&with("version = 7", "retroactive = true\nversion = 7"));
    assert_eq!(codes(&open, &[last("2026-09-01", "")], Some("2026-12-01")), []);
    assert_eq!(codes(&now, &[book(EXAMPLES)], None), [Code::VersionTaken]);
    let other = book(&with("supersedes = 6", "supersedes = 5"));
    assert_eq!(codes(&other, &[last("2025-09-01", "")], None), [Code::Supersedes]);
    let itself = book(&with("supersedes = 6", "supersedes = 7"));
    assert_eq!(codes(&itself, &[], None), [Code::Supersedes]);
}

#[test]
fn s11_every_rule_has_a_yes_and_a_no() {
    let book = Book::from_toml(EXAMPLES).unwrap();
    let ids: Vec<String> = book.rules.iter().map(|rule| rule.id.to_string()).collect();
    let case = |id: &str, sign: &str, rule: &str| {
        format!(
            "[[test]]\nid = \"{id}\"\nrule = \"{rule}\"\nsign = \"{sign}\"\nconvert = {{ records = [], expect = {{}} }}\n"
        )
    };
    let mut text = "schema = \"cases/1\"\non = 2026-11-23\n".to_owned();
    for id in &ids {
        text += &case(&format!("{id}.yes"), "positive", id);
        text += &case(&format!("{id}.no"), "negative", id);
    }
    let codes = |text: &str| -> Vec<(Code, String)> {
        let cases = credit_rules::cases::Cases::from_toml(text).unwrap();
        let surroundings = Surroundings { cases: Some(&cases), ..Surroundings::default() };
        let findings = check(&book, &surroundings);
        let own = findings.iter().filter(|finding| finding.check == StaticCheck::S11);
        own.map(|finding| (finding.code, finding.path.to_string())).collect()
    };
    assert_eq!(codes(&text), []);
    let none = "schema = \"cases/1\"\nbook = \"cn.other\"\non = 2026-11-23\n";
    assert_eq!(codes(none).len(), 2 * ids.len() + 1);
    let stray = format!("{text}{}", case("stray", "negative", "no-such-rule"));
    assert_eq!(codes(&stray), [(Code::CaseUnknown, format!("test[{}]", 2 * ids.len()))]);
}

#[test]
fn warnings_do_not_keep_a_book_from_being_published() {
    let text = with("round = \"floor\", step = \"0.5 cr\" }", "round = \"ceil\", step = \"0.5 cr\" }");
    let findings = found(&text);
    assert!(!any_error(&findings));
    let warning =
        findings.iter().find(|finding| finding.code == Code::RoundsUp).expect("rounding up is said");
    assert_eq!(warning.severity, Severity::Warning);
}
