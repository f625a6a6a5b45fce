//! A book is read, refused with its place, and written in one form.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    reason = "a test says what is wrong by stopping"
)]

use credit_rules::book::Book;
use credit_rules::cases::Cases;
use credit_rules::finding::{Code, Document, Finding};
use credit_rules::limits::{BOOK_BYTES_MAX, NESTING_MAX};

const EXAMPLES: &str = include_str!("books/examples.toml");

fn refused(text: &str) -> Vec<Finding> {
    Book::from_toml(text).expect_err("the book must be refused")
}

/// The example book with one stretch of it replaced.
fn with(old: &str, new: &str) -> String {
    assert!(EXAMPLES.contains(old), "{old}");
    EXAMPLES.replacen(old, new, 1)
}

fn place(finding: &Finding) -> (usize, usize) {
    let place = finding.place.expect("a finding in TOML has a place");
    (place.line, place.column)
}

/// The line and column of the first time that a stretch stands in a text.
fn found_at(text: &str, stretch: &str) -> (usize, usize) {
    let offset = text.find(stretch).expect("the stretch stands in the text");
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[test]
fn the_examples_of_the_design_are_read_and_written_in_one_form() {
    let book = Book::from_toml(EXAMPLES).unwrap();
    assert_eq!((book.rules.len(), book.constraints.len(), book.grade_maps.len()), (8, 3, 2));
    let bytes = book.canonical();
    let again = Book::from_canonical(&bytes).unwrap();
    assert_eq!(again, book);
    assert_eq!(again.canonical(), bytes);
    // Comments, order and one-or-many say nothing.
    let other = with(
        "award = { pool = [\"elective\"], trim = false }",
        "award = [{ trim = false, pool = \"elective\" }]",
    );
    assert_eq!(Book::from_toml(&format!("# a comment\n{other}")).unwrap().canonical(), bytes);
}

#[test]
fn other_bytes_of_the_same_book_are_refused() {
    let bytes = Book::from_toml(EXAMPLES).unwrap().canonical();
    let text = String::from_utf8(bytes).unwrap();
    for other in [
        format!("{text} "),
        text.replacen("\"id\":", "\"id\": ", 1),
        text.replacen('{', "{\"retroactive\":false,", 1),
        text.replacen("\"45 h / 1 cr\"", "\"45.0 h / 1 cr\"", 1),
    ] {
        assert_ne!(other, text);
        let findings = Book::from_canonical(other.as_bytes()).unwrap_err();
        assert_eq!(findings[0].code, Code::NotCanonical, "{findings:?}");
        assert_eq!(findings[0].place, None);
    }
    let twice = text.replacen('{', "{\"version\":7,", 1);
    assert_eq!(Book::from_canonical(twice.as_bytes()).unwrap_err()[0].code, Code::DuplicateField);
    assert_eq!(Book::from_canonical(b"{").unwrap_err()[0].code, Code::Syntax);
    assert_eq!(Book::from_canonical(&[0xff]).unwrap_err()[0].code, Code::Syntax);
}

/// A stretch of the examples, what stands there instead, and the finding: its code, its path, and where it points.
const FAULTS: &[(&str, &str, Code, &str, &str)] = &[
    ("version = 7", "version = ", Code::Syntax, "", "\nsupersedes"),
    ("[[constraint]]", "[[constraint", Code::Syntax, "", "\nid = \"max-transfer-50\""),
    ("version = 7", "version = 7\nversion = 8", Code::DuplicateField, "", "version = 8"),
    ("splittable = true", "splitable = true", Code::UnknownField, "rule[0].award.splitable", "splitable"),
    (
        "round_at = \"end\"",
        "round_at = \"sometimes\"",
        Code::UnknownWord,
        "rule[5].convert.round_at",
        "\"sometimes\"",
    ),
    (
        "max = \"20 cr\" } ]",
        "max = \"20 credits\" } ]",
        Code::BadForm,
        "rule[0].cap[1].max",
        "\"20 credits\"",
    ),
    ("min_hours = \"4 h\"", "min_hours = 4", Code::WrongType, "rule[0].when.min_hours", "4 }\nconvert"),
    ("inbound = \"25/45\"", "inbound = 0.5556", Code::WrongType, "rule[5].convert.inbound", "0.5556"),
    (
        "hit = \"unique\"\nladder",
        "hit = \"first\"\nladder",
        Code::UnknownWord,
        "rule[1].table.hit",
        "\"first\"",
    ),
    (
        "[ladders.skill]\nlabel = { zh = \"职业技能等级\", en = \"Vocational skill levels\" }",
        "[ladders.skill]\nlabel = { zh = \"职业技能等级\", en = \"\" }",
        Code::BadForm,
        "ladders.skill.label",
        "{ zh = \"职业技能等级\", en = \"\" }",
    ),
    ("id = \"rpl-military\"", "id = \"rpl-militаry\"", Code::BadForm, "rule[7].id", "\"rpl-militаry\""),
    ("id = \"ects-hub\"", "id = \"phys-series\"", Code::DuplicateId, "rule[5].id", ""),
    (
        "fact = \"service_months\", ge = 24",
        "fact = \"service_months\", ge = 24, le = 30",
        Code::ExactlyOne,
        "rule[7].guard",
        "{ all = [ { fact = \"service_months\"",
    ),
    (
        "course = \"cn.ou.beijing:ACCT101\", credit",
        "pool = \"x\", course = \"cn.ou.beijing:ACCT101\", credit",
        Code::ExactlyOne,
        "rule[2].award[0]",
        "{ pool = \"x\"",
    ),
    (
        "fixed = \"4 cr\"",
        "fixed = \"4 cr\", each = \"1 cr\"",
        Code::ExactlyOne,
        "rule[7].convert",
        "{ fixed = \"4 cr\", each",
    ),
    (", outbound = \"1/1\"", "", Code::MissingField, "rule[5].convert", "{ via = \"cb\""),
    (
        ", basis = \"required\"",
        "",
        Code::MissingField,
        "compliance[0].classes.professional.floor",
        "{ fraction",
    ),
    ("version = 7", "registry = \"sha256:0\"\nversion = 7", Code::BadForm, "registry", "\"sha256:0\""),
    ("version = 7", "version = 0", Code::OutOfRange, "version", "0\nsupersedes"),
    ("max_rules = 20000", "max_rules = 20001", Code::OutOfRange, "limits.max_rules", "20001"),
    ("max_rules = 20000", "max_rules = 7", Code::TooMany, "rule", ""),
    (
        "max_table_rows = 200",
        "max_table_rows = 4",
        Code::TooMany,
        "rule[1].table.rows",
        "[\n  { skill_level = 5",
    ),
    (
        "formula = \"linear_pass_range\"",
        "distribution = { pick = \"best\", from = [{ grade = \"A\", share = \"90 %\" }], to = [{ grade = \"A\", share = \"100 %\" }] }",
        Code::OutOfRange,
        "grade_map[1].distribution.from",
        "[{ grade = \"A\", share = \"90 %\"",
    ),
    (
        "formula = \"linear_pass_range\"",
        "distribution = { pick = \"best\", from = [{ grade = \"A\", share = \"100 %\" }, { grade = \"B\", share = \"0 %\" }], \
         to = [{ grade = \"A\", share = \"100 %\" }] }",
        Code::OutOfRange,
        "grade_map[1].distribution.from[1].share",
        "\"0 %\"",
    ),
    (
        "formula = \"linear_pass_range\"",
        "formula = \"linear_pass_range\"\ndistribution = { pick = \"best\", from = [{ grade = \"A\", share = \"100 %\" }], \
         to = [{ grade = \"A\", share = \"100 %\" }] }",
        Code::ExactlyOne,
        "grade_map[1]",
        "",
    ),
    ("max_bundle_items = 8", "max_bundle_items = 2", Code::BundleTooLarge, "rule[4].bundle", "[rule.bundle]"),
];

#[test]
fn each_fault_has_its_code_and_its_place() {
    for (old, new, code, path, at) in FAULTS {
        let text = with(old, new);
        let findings = refused(&text);
        let first = &findings[0];
        assert_eq!((first.code, first.path.to_string().as_str()), (*code, *path), "{new}: {findings:#?}");
        if !at.is_empty() {
            assert_eq!(place(first), found_at(&text, at), "{new}: {first:#?}");
        }
        assert!(!first.message.zh.is_ascii() && !first.message.en.is_empty(), "{first:?}");
    }
}

#[test]
fn every_faulty_rule_is_said_at_once() {
    let text = with("splittable = true", "splitable = true")
        .replacen("min_credit = \"3 cr\"", "min_credit = \"three\"", 1)
        .replacen("total = \"76 cr\"", "total = 76", 1);
    let codes: Vec<_> =
        refused(&text).iter().map(|finding| (finding.code, finding.path.to_string())).collect();
    assert_eq!(
        codes,
        [
            (Code::WrongType, "programmes.\"cn.ou.beijing:BA-ACCT\".total".to_owned()),
            (Code::UnknownField, "rule[0].award.splitable".to_owned()),
            (Code::BadForm, "rule[2].when.min_credit".to_owned()),
        ]
    );
}

#[test]
fn what_nests_too_deep_is_refused_before_it_is_walked() {
    let guard = |depth: usize| {
        let dots = "not.".repeat(depth);
        with("guard = {", &format!("guard.{dots}fact = \"a\"\n#"))
    };
    assert_eq!(refused(&guard(NESTING_MAX - 1))[0].code, Code::NestedTooDeep);
    assert_eq!(refused(&guard(NESTING_MAX))[0].code, Code::NestedTooDeep);
    // As deep as the text may nest: the header, and as much again below it. Whatever is asked, it is no panic.
    for key in ["rule.guard.not", "rule.bundle.record", "award.requirement.any_of", "rule.award.one_of"] {
        let (head, tail) = key.rsplit_once('.').unwrap();
        let header = format!("{head}{}", format!(".{tail}").repeat(NESTING_MAX - 4));
        let body = format!("{tail}.").repeat(NESTING_MAX - 1);
        let text = format!("{EXAMPLES}\n[{header}]\n{body}fact = 1\n");
        assert!(Book::from_toml(&text).is_err());
        let text = format!("{EXAMPLES}\n[[{header}]]\n{body}fact = 1\n");
        assert!(Book::from_toml(&text).is_err());
    }
    for open in ["[", "{\"rule\":[{\"guard\":{\"not\":", "{\"all\":["] {
        let json = open.repeat(200_000);
        assert_eq!(Book::from_canonical(json.as_bytes()).unwrap_err()[0].code, Code::NestedTooDeep);
    }
    let nots = format!("{}{}", "{\"not\":".repeat(NESTING_MAX - 3), "}".repeat(NESTING_MAX - 3));
    let json = format!("{{\"rule\":[{{\"guard\":{nots}}}]}}");
    assert!(Book::from_canonical(json.as_bytes()).is_err());
    let toml = format!("a = {}", "[".repeat(2_000_000));
    assert_eq!(refused(&toml)[0].code, Code::NestedTooDeep);
}

#[test]
fn a_book_has_at_most_its_bytes() {
    let fill = |bytes: usize| format!("{EXAMPLES}#{}", "x".repeat(bytes - EXAMPLES.len() - 1));
    assert!(Book::from_toml(&fill(BOOK_BYTES_MAX)).is_ok());
    assert_eq!(refused(&fill(BOOK_BYTES_MAX + 1))[0].code, Code::BookTooLarge);
    let json = vec![b' '; BOOK_BYTES_MAX + 1];
    assert_eq!(Book::from_canonical(&json).unwrap_err()[0].code, Code::BookTooLarge);
}

#[test]
fn cases_are_read_and_refused_like_books() {
    let text = r#"
schema = "cases/1"
on = 2026-11-23
[[test]]
id = "three-courses"
rule = "ce-hours-2026"
sign = "positive"
source = "CN-00"
[test.convert]
records = [
  { id = "r1", issuer = "cn.ce.east", kind = "cpd", earned_on = 2026-03-01, hours = "7 h", hour_kind = "ce", facts = { a = true, b = 1, c = "0.5", d = "word" } },
]
expect = { credit = "0.4 cr", offers = [{ rule = "ce-hours-2026", credit = "0.4 cr", records = "r1", places = [{ requirement = "elective" }] }], refused = [{ record = "r1", rule = "skill-levels", reason = "ISSUER_NOT_NAMED" }], short = { core = "30 cr" } }
[[test]]
id = "award"
sign = "negative"
award = { award = "double-certificate", records = [], expect = { granted = false, missing = [{ requirement = "hours", reason = "NO_RECORD", short = "120 h" }] } }
[[test]]
id = "period"
sign = "negative"
compliance = { compliance = "cpd-90", period = 2026-12-31, activities = [{ on = 2026-03-01, class = "professional", amount = "50 h" }], expect = { compliant = false, short = [{ class = "professional", by = "10 h" }] } }
[[test]]
id = "grade"
sign = "positive"
grade = { map = "linear-bavarian", number = 82, best = 100, pass = 50, expect = { number = "2.1" } }
[[test]]
id = "level"
sign = "positive"
level = { from = { ladder = "skill", level = 3 }, to = { ladder = "skill", level = 4 }, expect = { is = "above", by = 1 } }
"#;
    let cases = Cases::from_toml(text).unwrap();
    assert_eq!(cases.tests.len(), 5);
    let question = cases.question(cases.tests[0].convert.as_ref().unwrap()).unwrap();
    assert_eq!(question.on.0.to_string(), "2026-11-23");
    let (holds, refuses) = cases.tests[0].covers();
    assert_eq!(
        holds.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        ["ce-hours-2026", "ce-hours-2026"]
    );
    assert_eq!(refuses.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["skill-levels"]);
    let written = toml::to_string(&cases).unwrap();
    assert_eq!(Cases::from_toml(&written).unwrap(), cases);

    for (old, new, code, path) in [
        ("on = 2026-11-23\n", "", Code::MissingField, "test[0].convert"),
        ("id = \"award\"", "id = \"grade\"", Code::DuplicateId, "test[3].id"),
        ("number = \"2.1\"", "number = \"2.1\", word = \"B\"", Code::ExactlyOne, "test[3].grade.expect"),
        ("granted = false", "grant = false", Code::UnknownField, "test[1].award.expect.grant"),
        ("ISSUER_NOT_NAMED", "BECAUSE", Code::UnknownWord, "test[0].convert.expect.refused[0].reason"),
    ] {
        assert!(text.contains(old), "{old}");
        let findings = Cases::from_toml(&text.replacen(old, new, 1)).unwrap_err();
        assert_eq!((findings[0].code, findings[0].path.to_string().as_str()), (code, path), "{findings:#?}");
        assert_eq!(findings[0].document, Document::Cases);
        assert!(findings[0].place.is_some());
    }
}
