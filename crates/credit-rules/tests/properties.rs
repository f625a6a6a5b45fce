//! What holds of every book and every question, over random ones. The seed of a failure is printed.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use credit_rules::allocate::Allocated;
use credit_rules::book::Book;
use credit_rules::input::Question;
use credit_rules::plan;
use credit_rules::program::Program;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Books and questions that are tried.
const CASES: u64 = 400;

/// SplitMix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap();
        of[at]
    }

    fn shuffled<T>(&mut self, mut of: Vec<T>) -> Vec<T> {
        for at in (1..of.len()).rev() {
            let other = usize::try_from(self.below(at as u64 + 1)).unwrap();
            of.swap(at, other);
        }
        of
    }
}

const HEAD: &str = r#"
schema = "rulebook/1"
id = "b"
version = 1
effective = { from = 2020-01-01 }
labels = { zh = "甲", en = "A" }
standards = { cb = { label = { zh = "学分", en = "credit" }, step = "0.1 cr" } }
groups = { near = ["cn.a"], far = ["cn."] }
[programmes.P]
label = { zh = "专业", en = "Programme" }
institution = "cn.a"
std = "cb"
total = "40 cr"
requirement = [
  { id = "core", labels = { zh = "核心", en = "core" }, credit = "12 cr", courses = ["T0", "T1"], least = 0 },
  { id = "free", labels = { zh = "任选", en = "free" }, credit = "15 cr" },
  { id = "more", labels = { zh = "其他", en = "more" } },
]
"#;

/// A rule, drawn from the primitives.
fn rule(draw: &mut Draw, number: u64) -> String {
    let mut text = format!(
        "[[rule]]\nid = \"r{number}\"\nkind = \"{}\"\nlabels = {{ zh = \"甲\", en = \"A\" }}\n",
        draw.pick(&["k1", "k2"])
    );
    let when = draw.pick(&[
        "issuer_group = \"near\"",
        "issuer_group = \"far\", hour_kind = \"ce\"",
        "record_kind = [\"cpd\", \"exam\"], min_hours = \"10 h\"",
        "course = \"C1\"",
        "course = [\"C2\", \"C3\"], passed = true",
        "subject = \"S\", max_age = \"3 y\"",
    ]);
    writeln!(text, "when = {{ {when} }}").unwrap();
    let target = draw.pick(&[
        "{ pool = \"free\", trim = true }",
        "{ pool = [\"free\", \"more\"], trim = true, splittable = true }",
        "{ pool = \"more\" }",
        "{ course = \"T0\", credit = \"3 cr\", whole = true }",
        "{ one_of = [{ course = \"T1\", credit = \"4 cr\" }, { pool = \"free\", credit = \"2 cr\" }] }",
    ]);
    let convert = draw.pick(&[
        "ratio = \"16 h / 1 cr\"",
        "ratio = \"7 h / 1 cr\", round = \"half_up\", aggregate = \"per_year\"",
        "ratio = \"2/3\", from = \"credit_value\", round = \"floor\"",
        "fixed = \"2.5 cr\"",
        "ratio = \"10 h / 1 cr\", aggregate = \"per_rule\"",
    ]);
    writeln!(text, "award = {target}\nconvert = {{ {convert}, std = \"cb\" }}").unwrap();
    let cap = draw.pick(&[
        "[]",
        "{ per = \"rule\", max = \"5 cr\" }",
        "[{ per = \"learner-year\", max = \"3 cr\" }, { per = \"kind\", max = \"9 cr\" }]",
        "{ per = \"rule\", count = 2 }",
        "{ per = \"institution\", max = \"20 %\", of = \"programme_credit\" }",
        "{ per = \"rule\", max = \"8 cr\", keep = \"highest_per_occupation\" }",
        "{ per = \"target\", max = \"4 cr\" }",
    ]);
    let consumption = draw.pick(&["exclusive_per_programme", "consume_global", "non_consuming"]);
    writeln!(text, "cap = {cap}\nconsumption = \"{consumption}\"").unwrap();
    text
}

fn record(draw: &mut Draw, number: u64) -> String {
    let optional = [
        "course = \"C1\"",
        "course = \"C2@3\"",
        "course = \"C3\"",
        "subject = \"S1\"",
        "occupation = \"weld\"",
    ];
    let (first, passed) = (draw.pick(&optional), draw.pick(&["true", "false"]));
    format!(
        "[[records]]\nid = \"x{number}\"\nissuer = \"{}\"\nkind = \"{}\"\nearned_on = 202{}-0{}-1{}\nhours = \"{} h\"\n\
         hour_kind = \"{}\"\ncredit = \"{}.{} cr\"\nstd = \"cb\"\npassed = {passed}\n{first}\n",
        draw.pick(&["cn.a", "cn.b", "eu.c"]),
        draw.pick(&["cpd", "exam", "activity"]),
        draw.below(7),
        draw.below(9) + 1,
        draw.below(10),
        draw.below(60),
        draw.pick(&["ce", "contact"]),
        draw.below(9),
        draw.below(10),
    )
}

fn book(rules: &[String]) -> Program {
    let constraint = "[[constraint]]\nid = \"half\"\nlabels = { zh = \"一半\", en = \"half\" }\napplies_to = { programme = \
                      \"P\", award_from = [\"*\"] }\nmax = \"50 %\"\nof = \"programme_credit\"\n";
    let text = format!("{HEAD}{}{constraint}", rules.concat());
    let book: Book = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Program::new(book).unwrap()
}

fn question(records: &[String], programme: bool) -> Question {
    let head = if programme { "on = 2026-11-23\nprogramme = \"P\"\n" } else { "on = 2026-11-23\n" };
    let used = "[[uses]]\nrecord = \"x0\"\nprogramme = \"P\"\nrule = \"r0\"\nkind = \"k1\"\ntarget = \"free\"\nissuer = \
                \"cn.b\"\nearned_on = 2025-01-01\ncredit = \"1.5 cr\"\n";
    toml::from_str(&format!("{head}{used}{}", records.concat())).unwrap()
}

/// What must hold of every answer.
fn holds(program: &Program, question: &Question, allocated: &Allocated) {
    plan::check(&allocated.model, &allocated.plan).unwrap();
    let known: BTreeSet<_> = question.records.iter().map(|record| &record.id).collect();
    let mut consumed = BTreeMap::new();
    let mut credit = 0;
    for grant in &allocated.grants {
        let offer = &allocated.offers[grant.offer];
        assert!(!offer.records.is_empty(), "credit without a source");
        let rule = program.book().rules.iter().find(|rule| rule.id == offer.rule).unwrap();
        for record in &offer.records {
            assert!(known.contains(record), "credit of a record that nobody asked about");
            let consumes = rule.consumption != credit_rules::book::Consumption::NonConsuming;
            *consumed.entry(record).or_insert(0) += i32::from(consumes);
        }
        for line in &grant.lines {
            let on_offer = offer.lines.iter().find(|own| own.place == line.place).unwrap();
            assert!(line.credit <= on_offer.credit, "more than was on offer");
            credit += line.credit.0;
        }
    }
    assert!(consumed.values().all(|count| *count <= 1), "a record was used twice: {consumed:?}");
    assert_eq!(credit, allocated.credit_milli);
    for cap in &allocated.caps {
        assert!(
            cap.granted == 0 || cap.note.used + cap.granted <= cap.note.limit,
            "{} is exceeded",
            cap.note.id
        );
    }
    // Every record is spoken of: it is used, or told why it is not.
    let used: BTreeSet<_> =
        allocated.grants.iter().flat_map(|grant| &allocated.offers[grant.offer].records).collect();
    let refused: BTreeSet<_> = allocated.refusals.iter().map(|refusal| &refusal.record).collect();
    for record in known {
        assert!(used.contains(record) || refused.contains(record), "nothing is said of {record}");
    }
}

#[test]
fn no_order_changes_an_answer_and_no_credit_comes_from_nowhere() {
    let (mut granted, mut refused) = (0, 0);
    for seed in 0..CASES {
        let mut draw = Draw(seed);
        let rules: Vec<String> = (0..=draw.below(7)).map(|number| rule(&mut draw, number)).collect();
        let records: Vec<String> = (0..=draw.below(9)).map(|number| record(&mut draw, number)).collect();
        let programme = draw.below(4) > 0;
        let (program, asked) = (book(&rules), question(&records, programme));
        let one = program.allocate(&asked).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        holds(&program, &asked, &one);
        let turned = book(&draw.shuffled(rules));
        let asked = question(&draw.shuffled(records), programme);
        let other = turned.allocate(&asked).unwrap();
        assert_eq!(one.grants, other.grants, "seed {seed}");
        assert_eq!(one.offers, other.offers, "seed {seed}");
        assert_eq!(one.refusals, other.refusals, "seed {seed}");
        assert_eq!(one.caps, other.caps, "seed {seed}");
        granted += one.credit_milli;
        refused += one.refusals.len();
    }
    // The draw is not so poor that nothing is tried.
    assert!(granted > 1_000_000 && refused > 1_000, "{granted} milli-credits, {refused} refusals");
}

#[test]
fn more_records_never_grant_less() {
    for seed in 0..CASES / 4 {
        let mut draw = Draw(seed ^ 0x5eed);
        // Without a family of which only the best counts and without sums, a record more is only a choice more.
        let rules: Vec<String> = (0..4)
            .map(|number| rule(&mut draw, number))
            .filter(|text| !text.contains("keep") && !text.contains("aggregate") && !text.contains("count"))
            .collect();
        let records: Vec<String> = (0..6).map(|number| record(&mut draw, number)).collect();
        let program = book(&rules);
        let mut before = 0;
        for count in 1..=records.len() {
            let now = program.allocate(&question(&records[..count], true)).unwrap().credit_milli;
            assert!(now >= before, "seed {seed}: {count} records grant {now}, one less {before}");
            before = now;
        }
    }
}
