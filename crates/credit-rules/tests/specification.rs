//! The examples of the specification, each with its stated result.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use credit_rules::answer::Place;
use credit_rules::book::Book;
use credit_rules::evaluate::Answer;
use credit_rules::input::Question;
use credit_rules::program::Program;
use credit_rules::reason::Reason;

fn program() -> Program {
    let text = include_str!("specification.toml");
    let book: Book = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    Program::new(book).unwrap()
}

fn ask(question: &str) -> Answer {
    let question: Question = toml::from_str(question).unwrap_or_else(|error| panic!("{error}"));
    program().answer(&question).unwrap()
}

/// The credit of each offer by its rule.
fn credit(answer: &Answer, rule: &str) -> Vec<i64> {
    let of_rule = answer.offers.iter().filter(|offer| offer.rule.as_str() == rule);
    of_rule.map(|offer| offer.lines.iter().map(|line| line.credit.0).sum()).collect()
}

fn reasons(answer: &Answer, record: &str) -> Vec<Reason> {
    let of_record = answer.refusals.iter().filter(|refusal| refusal.record.as_str() == record);
    of_record.map(|refusal| refusal.reason).collect()
}

#[test]
fn hours_of_a_year_are_summed_before_they_are_rounded() {
    let hours = |id: &str, day: &str| {
        format!(
            "[[records]]\nid = \"{id}\"\nissuer = \"cn.ce.a\"\nkind = \"cpd\"\nhours = \"7 h\"\nhour_kind = \"ce\"\n\
             earned_on = {day}\n"
        )
    };
    let text = format!(
        "on = 2026-11-23\n{}{}{}{}",
        hours("r1", "2025-01-10"),
        hours("r2", "2025-05-10"),
        hours("r3", "2025-12-31"),
        hours("r4", "2026-01-01"),
    );
    let answer = ask(&text);
    // 21 h are 1.3125 credits; each alone would have been 0.4375.
    assert_eq!(credit(&answer, "ce-hours-2026"), [1_300, 400]);
    assert_eq!(answer.offers[0].records.len(), 3);
    assert!(answer.offers.iter().all(|offer| matches!(offer.lines[0].place, Place::Standard(_))));
}

#[test]
fn a_level_has_its_row() {
    for (level, milli) in [(5, 2_000), (4, 4_000), (3, 8_000), (2, 12_000), (1, 16_000)] {
        let answer = ask(&format!(
            "on = 2026-11-23\nrecords = [{{ id = \"r\", issuer = \"cn.skill.b\", kind = \"skill_grade\", level = {level}, \
             ladder = \"skill\", earned_on = 2024-01-01 }}]"
        ));
        assert_eq!(credit(&answer, "skill-levels"), [milli], "level {level}");
    }
}

#[test]
fn an_exception_takes_the_place_of_the_general_rule() {
    let record = |score: &str| {
        format!(
            "on = 2026-11-23\nprogramme = \"cn.ou.beijing:BA-ACCT\"\nrecords = [{{ id = \"r\", issuer = \"cn.cc.east\", \
             kind = \"nondegree_course\", course = \"cn.cc.east:BK-11@2\", credit = \"3 cr\", std = \"cb\", score = \
             \"{score}\", score_scale = \"pct100\", assessment = \"supervised_exam\", earned_on = 2025-06-30 }}]"
        )
    };
    let answer = ask(&record("70"));
    assert_eq!(credit(&answer, "nd-bookkeeping-to-acct101"), [3_000]);
    assert_eq!(credit(&answer, "nd-generic-ratio"), Vec::<i64>::new());
    assert_eq!(reasons(&answer, "r"), [Reason::OverriddenBy]);
    let answer = ask(&record("66"));
    assert_eq!(credit(&answer, "nd-generic-ratio"), [1_500]);
    let refusal = answer.refusals.iter().find(|refusal| refusal.reason == Reason::ScoreBelowMin).unwrap();
    assert!(refusal.near_miss);
    assert_eq!((refusal.failed[0].want.as_str(), refusal.failed[0].got.as_str()), ("70", "66"));
}

#[test]
fn a_series_takes_all_its_records_and_says_what_is_missing() {
    let record = |code: &str, issuer: &str, day: &str| {
        format!(
            "[[records]]\nid = \"{code}\"\nissuer = \"{issuer}\"\nkind = \"nondegree_course\"\ncourse = \
             \"cn.cc.east:{code}\"\nearned_on = {day}\n"
        )
    };
    let ask_of = |records: &[String]| ask(&format!("on = 2026-11-23\n{}", records.concat()));
    let east = "cn.cc.east";
    let a = record("PHY-A", east, "2024-01-10");
    let answer = ask_of(&[a.clone(), record("PHY-B", east, "2025-01-10")]);
    assert_eq!(credit(&answer, "phys-series"), [8_000]);
    let parts = [a.clone(), record("PHY-B1", east, "2025-01-10"), record("PHY-B2", east, "2026-01-10")];
    assert_eq!(ask_of(&parts).offers[0].records.len(), 3);
    let answer = ask_of(std::slice::from_ref(&a));
    assert_eq!(reasons(&answer, "PHY-A"), [Reason::BundleIncomplete]);
    assert_eq!(answer.refusals[0].detail, "cn.cc.east:PHY-B");
    // More than 36 months lie between, or another institution.
    assert!(ask_of(&[a.clone(), record("PHY-B", east, "2027-01-11")]).offers.is_empty());
    assert!(ask_of(&[a, record("PHY-B", "cn.cc.west", "2025-01-10")]).offers.is_empty());
}

#[test]
fn a_hub_multiplies_both_ratios_and_rounds_once() {
    let answer = ask(
        "on = 2026-11-23\nrecords = [{ id = \"r\", issuer = \"eu.x\", kind = \"formal_course\", credit = \"6 cr\", std = \
         \"ects\", earned_on = 2025-06-30 }]",
    );
    assert_eq!(credit(&answer, "ects-hub"), [3_300]);
    let steps = &answer.offers[0].steps;
    assert!(steps.contains(&("exact".to_owned(), "10000/3".to_owned())), "{steps:?}");
}

#[test]
fn a_certificate_decays_and_expires_the_day_after_its_last_step() {
    let cases = [
        ("2024-11-23", Some(9_000)),
        ("2023-11-23", Some(9_000)),
        ("2023-11-22", Some(6_000)),
        ("2021-11-23", Some(6_000)),
        ("2021-11-22", Some(3_000)),
        ("2018-11-23", Some(3_000)),
        ("2018-11-22", None),
    ];
    for (earned, milli) in cases {
        let answer = ask(&format!(
            "on = 2026-11-23\nrecords = [{{ id = \"r\", issuer = \"x\", kind = \"exam\", subject = \"IT01\", credit = \
             \"9 cr\", std = \"cb\", earned_on = {earned} }}]"
        ));
        assert_eq!(credit(&answer, "it-cert-decay").first().copied(), milli, "{earned}");
        if milli.is_none() {
            assert_eq!(reasons(&answer, "r"), [Reason::Expired]);
        }
    }
}

#[test]
fn credit_of_another_standard_is_not_counted_one_to_one() {
    let answer = ask(
        "on = 2026-11-23\nrecords = [{ id = \"r\", issuer = \"x\", kind = \"exam\", subject = \"IT01\", credit = \"9 cr\", \
         std = \"ects\", recognised = false, earned_on = 2025-01-01 }]",
    );
    assert_eq!(credit(&answer, "it-cert-decay"), Vec::<i64>::new());
    assert!(reasons(&answer, "r").contains(&Reason::ConditionFalse));
}

#[test]
fn a_missing_fact_makes_a_guard_unknown_and_never_true() {
    let facts = [
        ("service_months = 24, discharge = \"honourable\", portfolio_score = 60", Some(4_000), None),
        (
            "service_months = 23, discharge = \"honourable\", portfolio_score = 60",
            None,
            Some(Reason::GuardFalse),
        ),
        (
            "service_months = 24, discharge = \"dishonourable\", portfolio_score = 60",
            None,
            Some(Reason::GuardFalse),
        ),
        ("service_months = 24, portfolio_score = 60", None, Some(Reason::FactMissing)),
        ("service_months = 24, discharge = \"medical\", assessor_count = 2", Some(4_000), None),
        (
            "service_months = 24, discharge = \"medical\", portfolio_score = 59",
            None,
            Some(Reason::FactMissing),
        ),
    ];
    for (facts, milli, reason) in facts {
        let answer = ask(&format!(
            "on = 2026-11-23\nrecords = [{{ id = \"r\", issuer = \"cn.mil.x\", kind = \"experience\", earned_on = \
             2025-01-01, facts = {{ {facts} }} }}]"
        ));
        assert_eq!(credit(&answer, "rpl-military").first().copied(), milli, "{facts}");
        assert_eq!(reasons(&answer, "r").first().copied(), reason, "{facts}");
    }
}

#[test]
fn a_record_of_which_no_rule_speaks_is_told_so() {
    let answer = ask(
        "on = 2026-11-23\nrecords = [{ id = \"r\", issuer = \"x\", kind = \"award\", earned_on = 2025-01-01 }]",
    );
    assert_eq!(reasons(&answer, "r"), [Reason::NotOnList]);
    assert_eq!(answer.refusals[0].rule, None);
}
