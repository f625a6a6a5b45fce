//! Every limit of a book, at the most and at one more.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "a test says what is wrong by stopping, and writes its books as it goes"
)]

use credit_rules::book::Book;
use credit_rules::cases::Cases;
use credit_rules::check::{Surroundings, check};
use credit_rules::finding::{Code, Finding};
use credit_rules::limits::{
    BUNDLE_DEPTH_MAX, BUNDLE_ITEMS_MAX, BUNDLE_TERMS_MAX, CAPS_MAX, CASES_BYTES_MAX, CASES_MAX, CIRCLE_MAX,
    COUNT_MAX, CYCLE_YEARS_MAX, FACTS_MAX, GUARD_DEPTH_MAX, GUARD_LEAVES_MAX, LIST_MAX, PARTS_MAX,
    RECORDS_MAX, REQUIREMENT_DEPTH_MAX, REQUIREMENTS_MAX, RULES_MAX, STEPS_MAX, TABLE_COLUMNS_MAX,
    TABLE_ROWS_MAX, TARGETS_MAX, VERSION_MAX, XS_MINUTES_MAX,
};

const HEAD: &str =
    "schema = \"rulebook/1\"\nid = \"b\"\neffective = {}\nlabels = { zh = \"书\", en = \"b\" }\n";
const LABEL: &str = "labels = { zh = \"甲\", en = \"a\" }\n";

/// A list of values that differ, written by a pattern with `#` for the number.
fn list(count: usize, pattern: &str) -> String {
    (0..count).map(|number| pattern.replace('#', &number.to_string())).collect::<Vec<_>>().join(", ")
}

fn parts(count: usize, pattern: &str) -> String {
    (0..count).map(|number| pattern.replace('#', &number.to_string())).collect()
}

/// A book with one rule that says this besides what it must.
fn rule(says: &str) -> String {
    let award = if says.contains("award") { "" } else { "award = { pool = \"p\", credit = \"1 cr\" }\n" };
    format!("{HEAD}version = 1\n[[rule]]\nid = \"r\"\nkind = \"k\"\n{LABEL}{award}{says}\n")
}

fn book(says: &str) -> String {
    format!("{HEAD}version = 1\n{says}\n")
}

fn nested(depth: usize, open: &str, leaf: &str, close: &str) -> String {
    format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth))
}

fn read(text: &str) -> Result<Book, Vec<Finding>> {
    Book::from_toml(text)
}

/// Holds a text that grows against its limit.
fn holds(name: &str, max: usize, code: Code, text: impl Fn(usize) -> String) {
    if let Err(findings) = read(&text(max)) {
        panic!("{name} at {max}: {findings:#?}");
    }
    let findings = read(&text(max + 1)).expect_err(name);
    assert!(findings.iter().any(|finding| finding.code == code), "{name}: {findings:#?}");
    let named = findings.iter().any(|finding| finding.message.en.contains(name));
    let by_type = code == Code::TooMany
        && findings.iter().any(|finding| {
            finding.message.en.starts_with("at most") || finding.message.en.starts_with("a row asks")
        });
    assert!(named || by_type, "{name} is not named: {findings:#?}");
}

#[test]
fn lists_of_conditions() {
    for (key, pattern) in [
        ("issuer", "\"i#\""),
        ("course", "\"i:c#\""),
        ("subject", "\"s#\""),
        ("occupation", "\"o#\""),
        ("assessment", "\"a#\""),
        ("mode", "\"online\""),
        ("record_kind", "\"exam\""),
    ] {
        holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
            rule(&format!("when.{key} = [{}]", list(count, pattern)))
        });
    }
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        rule(&format!("overrides = [{}]", list(count, "\"r#\"")))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        rule(&format!("evidence = [{}]", list(count, "{ kind = \"sample\", cite = \"#\" }")))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        rule(&format!("award = {{ credit = \"1 cr\", pool = [{}] }}", list(count, "\"p#\"")))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        let words = (0..count).map(|word| format!("w{word}")).collect::<Vec<_>>().join("|");
        rule(&format!("facts.f = \"enum:{words}\""))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        rule(&format!("guard = {{ fact = \"f\", in = [{}] }}", list(count, "\"w#\"")))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        rule(&format!("table.rows = [{{ credit = \"1 cr\", grade = [{}] }}]", list(count, "\"w#\"")))
    });
}

#[test]
fn parts_of_rules() {
    holds("TABLE_ROWS_MAX", TABLE_ROWS_MAX, Code::TooMany, |count| {
        rule(&format!("table.rows = [{}]", list(count, "{ credit = \"1 cr\", score = # }")))
    });
    holds("TABLE_COLUMNS_MAX", TABLE_COLUMNS_MAX, Code::TooMany, |count| {
        rule(&format!("table.rows = [{{ credit = \"1 cr\", {} }}]", list(count, "f# = 1")))
    });
    holds("TABLE_COLUMNS_MAX", TABLE_COLUMNS_MAX, Code::TooMany, |count| {
        rule(&format!("table.rows = [{}]", list(count, "{ credit = \"1 cr\", f# = 1 }")))
    });
    holds("TABLE_COLUMNS_MAX", TABLE_COLUMNS_MAX, Code::TooMany, |count| {
        rule(&format!(
            "table.rows = [{{ credit = \"1 cr\" }}]\ntable.complete_over = [{}]",
            list(count, "\"f#\"")
        ))
    });
    holds("CAPS_MAX", CAPS_MAX, Code::TooMany, |count| {
        rule(&format!("cap = [{}]", list(count, "{ per = \"rule\", count = 1 }")))
    });
    holds("TARGETS_MAX", TARGETS_MAX, Code::TooMany, |count| {
        rule(&format!("award = [{}]", list(count, "{ course = \"c#\", credit = \"1 cr\" }")))
    });
    holds("TARGETS_MAX", TARGETS_MAX, Code::TooMany, |count| {
        rule(&format!(
            "award = {{ one_of = [{}] }}",
            list(count - 1, "{ course = \"c#\", credit = \"1 cr\" }")
        ))
    });
    holds("FACTS_MAX", FACTS_MAX, Code::TooMany, |count| {
        rule(&format!("facts = {{ {} }}", list(count, "f# = \"int\"")))
    });
    holds("STEPS_MAX", STEPS_MAX, Code::TooMany, |count| {
        rule(&format!("validity.steps = [{}]", list(count, "{ up_to = \"# y\", factor = \"1/1\" }")))
    });
    let factor = "{ by = \"score\", rows = [{ at_least = 0, factor = \"1/1\" }] }";
    holds("STEPS_MAX", STEPS_MAX, Code::TooMany, |count| {
        rule(&format!("convert = {{ fixed = \"1 cr\", factors = [{}] }}", list(count, factor)))
    });
    holds("STEPS_MAX", STEPS_MAX, Code::TooMany, |count| {
        let rows = list(count, "{ at_least = #, factor = \"1/1\" }");
        rule(&format!("convert = {{ fixed = \"1 cr\", factors = [{{ by = \"score\", rows = [{rows}] }}] }}"))
    });
    holds("COUNT_MAX", usize::try_from(COUNT_MAX).unwrap(), Code::OutOfRange, |count| {
        rule(&format!("cap = {{ per = \"rule\", count = {count} }}"))
    });
}

#[test]
fn guards_and_bundles() {
    let guard = |text: String| rule(&format!("guard = {text}"));
    holds("GUARD_DEPTH_MAX", GUARD_DEPTH_MAX, Code::NestedTooDeep, |depth| {
        guard(nested(depth - 1, "{ not = ", "{ fact = \"f\", ge = 1 }", " }"))
    });
    holds("GUARD_LEAVES_MAX", GUARD_LEAVES_MAX, Code::TooMany, |count| {
        let (half, rest) = (count / 2, count - count / 2);
        let leaves = |count| format!("{{ any = [{}] }}", list(count, "{ fact = \"f\", ge = # }"));
        guard(format!("{{ all = [{}, {}] }}", leaves(half), leaves(rest)))
    });
    let bundle = |text: String| rule(&format!("bundle = {text}"));
    holds("BUNDLE_DEPTH_MAX", BUNDLE_DEPTH_MAX, Code::NestedTooDeep, |depth| {
        bundle(nested(depth - 1, "{ all = [", "{ course = \"c\" }", "] }"))
    });
    holds("BUNDLE_ITEMS_MAX", BUNDLE_ITEMS_MAX, Code::BundleTooLarge, |count| {
        bundle(format!("{{ all = [{}] }}", list(count, "{ course = \"c#\" }")))
    });
    holds("BUNDLE_TERMS_MAX", BUNDLE_TERMS_MAX, Code::BundleTooLarge, |count| {
        // All but one in pairs of alternatives, of which 32 and 32 make 64.
        let any = |count: usize| format!("{{ any = [{}] }}", list(count, "{ course = \"c#\" }"));
        bundle(format!("{{ any = [{}, {}] }}", any(32), any(count - 32)))
    });
    let any = |count: usize| format!("{{ any = [{}] }}", list(count, "{ course = \"c#\" }"));
    assert!(read(&bundle(format!("{{ all = [{}] }}", list(6, &any(2))))).is_ok(), "2^6 terms");
    for text in [
        format!("{{ all = [{}] }}", list(7, &any(2))),
        format!("{{ n_of = {{ least = 4, of = [{}] }} }}", list(9, "{ course = \"c#\" }")),
        // More terms than any number has digits for: counted, not written out.
        nested(4, &format!("{{ all = [{}, ", list(63, &any(64))), &any(64), "] }"),
    ] {
        let findings = read(&bundle(text)).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code == Code::BundleTooLarge), "{findings:#?}");
    }
    assert!(
        read(&bundle(format!("{{ n_of = {{ least = 3, of = [{}] }} }}", list(8, "{ course = \"c#\" }"))))
            .is_ok()
    );
}

#[test]
fn parts_of_books() {
    let ladder = "{ label = { zh = \"阶\", en = \"l\" }, levels = [] }";
    let scale = "{ label = { zh = \"制\", en = \"s\" }, words = [\"A\"] }";
    let programme =
        "{ label = { zh = \"专业\", en = \"p\" }, institution = \"i\", std = \"s\", total = \"1 cr\" }";
    for (key, value) in [
        ("standards", "{ label = { zh = \"标\", en = \"s\" }, step = \"1 cr\" }"),
        ("groups", "[\"i\"]"),
        ("ladders", ladder),
        ("scales", scale),
        ("programmes", programme),
    ] {
        holds("PARTS_MAX", PARTS_MAX, Code::TooMany, |count| {
            book(&format!("[{key}]\n{}", parts(count, &format!("x# = {value}\n"))))
        });
    }
    for (key, says) in [
        ("constraint", "applies_to = {}\ncount = 1\n"),
        (
            "award",
            "institution = \"i\"\nstd = \"s\"\nladder = [{ id = \"a\", labels = { zh = \"级\", en = \"a\" }, credit = \"1 cr\" }]\n",
        ),
        ("compliance", "period = \"calendar_year\"\ntotal = \"1 h\"\n"),
        ("level_map", "from = \"l\"\nto = \"l\"\nrows = []\n"),
        ("grade_map", "from = \"s\"\nto = \"s\"\nformula = \"linear_range\"\n"),
    ] {
        holds("PARTS_MAX", PARTS_MAX, Code::TooMany, |count| {
            book(&parts(count, &format!("[[{key}]]\nid = \"x#\"\n{LABEL}{says}")))
        });
    }
    holds("PARTS_MAX", PARTS_MAX, Code::TooMany, |count| {
        book(&format!("groups.g = [{}]", list(count, "\"i#\"")))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        book(&format!(
            "scales.s = {{ label = {{ zh = \"制\", en = \"s\" }}, words = [{}] }}",
            list(count, "\"w#\"")
        ))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        let levels = (0..count).map(|level| {
            format!("{{ level = \"{}.{}\", label = {{ zh = \"级\", en = \"l\" }} }}", level / 10, level % 10)
        });
        book(&format!(
            "ladders.l = {{ label = {{ zh = \"阶\", en = \"l\" }}, levels = [{}] }}",
            levels.collect::<Vec<_>>().join(", ")
        ))
    });
    holds("XS_MINUTES_MAX", usize::try_from(XS_MINUTES_MAX).unwrap(), Code::OutOfRange, |minutes| {
        book(&format!("xs_minutes = {minutes}"))
    });
    holds("VERSION_MAX", usize::try_from(VERSION_MAX).unwrap(), Code::OutOfRange, |version| {
        format!("{HEAD}version = {version}")
    });
    holds("CYCLE_YEARS_MAX", usize::try_from(CYCLE_YEARS_MAX).unwrap(), Code::OutOfRange, |years| {
        book(&format!(
            "[[compliance]]\nid = \"c\"\n{LABEL}period = {{ rolling = {{ years = {years} }} }}\ntotal = \"1 h\""
        ))
    });
}

#[test]
fn requirements_and_constraints() {
    let award =
        |says: &str| book(&format!("[[award]]\nid = \"a\"\n{LABEL}institution = \"i\"\nstd = \"s\"\n{says}"));
    let requirement =
        "[[award.requirement]]\nid = \"x#\"\nlabels = { zh = \"要求\", en = \"r\" }\ncredit = \"1 cr\"\n";
    holds("REQUIREMENTS_MAX", REQUIREMENTS_MAX, Code::TooMany, |count| award(&parts(count, requirement)));
    let one = requirement.replace('#', "");
    holds("REQUIREMENTS_MAX", REQUIREMENTS_MAX, Code::TooMany, |count| {
        award(&format!("{one}any_of = [{}]", list(count - 1, "{ credit = \"1 cr\" }")))
    });
    holds("REQUIREMENT_DEPTH_MAX", REQUIREMENT_DEPTH_MAX, Code::NestedTooDeep, |depth| {
        award(&format!(
            "{one}any_of = [{}]",
            nested(depth - 1, "{ any_of = [", "{ credit = \"1 cr\" }", "] }")
        ))
    });
    holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
        award(&format!("{one}courses = [{}]", list(count, "\"c#\"")))
    });
    for key in ["issuer", "pool"] {
        holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
            award(&format!("{one}counts.{key} = [{}]", list(count, "\"c#\"")))
        });
    }
    holds("STEPS_MAX", STEPS_MAX, Code::TooMany, |count| {
        award(&format!(
            "ladder = [{}]",
            list(count, "{ id = \"s#\", labels = { zh = \"级\", en = \"s\" }, credit = \"# cr\" }")
        ))
    });
    for key in ["programme", "award_from", "rule", "requirement", "issuer"] {
        holds("LIST_MAX", LIST_MAX, Code::TooMany, |count| {
            book(&format!(
                "[[constraint]]\nid = \"c\"\n{LABEL}count = 1\napplies_to.{key} = [{}]",
                list(count, "\"c#\"")
            ))
        });
    }
    let compliance = |says: &str| {
        book(&format!(
            "[[compliance]]\nid = \"c\"\n{LABEL}period = \"calendar_year\"\ntotal = \"1 h\"\n{says}"
        ))
    };
    holds("STEPS_MAX", STEPS_MAX, Code::TooMany, |count| {
        compliance(&format!(
            "classes = {{ {} }}",
            list(count, "c# = { label = { zh = \"类\", en = \"c\" } }")
        ))
    });
    holds("STEPS_MAX", STEPS_MAX, Code::TooMany, |count| {
        compliance(&format!("fill = [{}]", list(count, "{ class = \"c\" }")))
    });
}

#[test]
fn worked_cases() {
    let head = "schema = \"cases/1\"\non = 2026-01-01\n";
    let one = "[[test]]\nid = \"c#\"\nsign = \"positive\"\nlevel = { from = { ladder = \"l\", level = 1 }, to = { ladder = \"l\", level = 1 }, expect = { is = \"equal\" } }\n";
    let records = |count: usize| {
        let record = "{ id = \"r#\", issuer = \"i\", kind = \"exam\", earned_on = 2026-01-01 }";
        format!(
            "{head}[[test]]\nid = \"c\"\nsign = \"positive\"\nconvert = {{ records = [{}], expect = {{}} }}\n",
            list(count, record)
        )
    };
    assert!(Cases::from_toml(&records(RECORDS_MAX)).is_ok());
    assert_eq!(Cases::from_toml(&records(RECORDS_MAX + 1)).unwrap_err()[0].code, Code::TooMany);
    let cases = |count: usize| format!("{head}{}", parts(count, one));
    assert!(Cases::from_toml(&cases(CASES_MAX)).is_ok());
    assert_eq!(Cases::from_toml(&cases(CASES_MAX + 1)).unwrap_err()[0].code, Code::TooMany);
    let fill = |bytes: usize| format!("{head}#{}", "x".repeat(bytes - head.len() - 1));
    assert!(Cases::from_toml(&fill(CASES_BYTES_MAX)).is_ok());
    assert_eq!(Cases::from_toml(&fill(CASES_BYTES_MAX + 1)).unwrap_err()[0].code, Code::BookTooLarge);
}

#[test]
fn standards_that_convert_round_a_circle() {
    let ring = |count: usize| {
        let standards = parts(count, "s# = { label = { zh = \"标\", en = \"s\" }, step = \"0.001 cr\" }\n");
        let rules: String = (0..count)
            .map(|from| {
                let to = (from + 1) % count;
                format!("[[rule]]\nid = \"r{from}\"\nkind = \"k\"\n{LABEL}when.std = \"s{from}\"\nconvert = {{ ratio = \"1/1\", std = \"s{to}\" }}\naward = {{ pool = \"p\" }}\n")
            })
            .collect();
        let book = Book::from_toml(&book(&format!("[standards]\n{standards}{rules}"))).unwrap();
        let findings = check(&book, &Surroundings::default());
        findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(ring(CIRCLE_MAX), []);
    assert_eq!(ring(CIRCLE_MAX + 1), [Code::RatioBudget]);
}

/// Rules for courses, for pools by kind of record, and for all that is left; as many as a book may have.
fn large(count: usize) -> String {
    let mut text = format!(
        "{HEAD}version = 1\nstandards.cb = {{ label = {{ zh = \"标\", en = \"s\" }}, step = \"0.1 cr\" }}\n"
    );
    for number in 0..count {
        let (issuer, target) = (number % 97, number % 1_009);
        text += &format!(
            "[[rule]]\nid = \"r{number}\"\nkind = \"course\"\nlabels = {{ zh = \"规则\", en = \"rule\" }}\n"
        );
        text += &match number % 4 {
            0 => format!(
                "when = {{ course = \"i{issuer}:c{number}\" }}\naward = {{ course = \"t:{target}\", credit = \"3 cr\", std = \"cb\", whole = true }}\ncap = {{ per = \"target\", max = \"3 cr\" }}\n"
            ),
            1 => format!(
                "when = {{ course = [\"i{issuer}:c{number}\", \"i{issuer}:d{number}\"], min_credit = \"2 cr\" }}\naward = {{ course = \"t:{target}\", credit = \"3 cr\", std = \"cb\" }}\n"
            ),
            2 => format!(
                "when = {{ issuer = \"j{number}\", hour_kind = \"ce\" }}\nconvert = {{ ratio = \"16 h / 1 cr\", std = \"cb\" }}\naward = {{ pool = \"p\", trim = true }}\ncap = {{ per = \"learner-year\", max = \"4 cr\" }}\n"
            ),
            _ => format!(
                "when = {{ occupation = \"o{number}x\", issuer = \"k{number}\", record_kind = \"skill_grade\" }}\naward = {{ pool = \"q\", std = \"cb\", trim = true }}\ntable.rows = [{{ score = {{ below = 60 }}, credit = \"2 cr\" }}, {{ score = {{ at_least = 60 }}, credit = \"4 cr\" }}]\n"
            ),
        };
    }
    text
}

#[test]
fn a_book_of_the_most_rules_is_read_and_checked() {
    let text = large(RULES_MAX);
    let book = read(&text).unwrap();
    assert_eq!(book.rules.len(), RULES_MAX);
    let findings = check(&book, &Surroundings::default());
    assert!(findings.is_empty(), "{:#?}", findings.first());
    let canonical = book.canonical();
    assert_eq!(Book::from_canonical(&canonical).unwrap(), book);
    assert_eq!(read(&large(RULES_MAX + 1)).unwrap_err()[0].code, Code::TooMany);
}

#[test]
fn rules_that_nothing_tells_apart_are_refused_by_a_limit() {
    // Disjoint by their days alone, which no index looks at; all the same it comes to an end.
    let rules: String = (0..7_000)
        .map(|number| {
            let (year, month, day) = (2000 + number / 324, number / 27 % 12 + 1, number % 27 + 1);
            let (from, until) = (format!("{year}-{month:02}-{day:02}"), format!("{year}-{month:02}-{:02}", day + 1));
            format!("[[rule]]\nid = \"r{number}\"\nkind = \"k\"\n{LABEL}when.earned = {{ from = {from}, until = {until} }}\naward = {{ pool = \"p\", std = \"s\", credit = \"1 cr\" }}\n")
        })
        .collect();
    let book = read(&book(&format!(
        "standards.s = {{ label = {{ zh = \"标\", en = \"s\" }}, step = \"1 cr\" }}\n{rules}"
    )))
    .unwrap();
    let findings = check(&book, &Surroundings::default());
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::OverlapBudget]);
}
