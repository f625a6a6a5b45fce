//! The fast way of one record by one rule says what the full way says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use credit_rules::book::Book;
use credit_rules::input::Question;
use credit_rules::meter::Meter;
use credit_rules::program::Program;

/// A book of one rule.
fn program(ratio: &str, round: &str, step: &str, least: &str, cap: &str) -> Program {
    let text = format!(
        "schema = \"rulebook/1\"\nid = \"b\"\nversion = 1\neffective = {{ from = 2020-01-01 }}\nlabels = {{ zh = \"甲\", en = \
         \"A\" }}\n[standards]\ncb = {{ label = {{ zh = \"学分\", en = \"credit\" }}, step = \"0.001 cr\" }}\n[[rule]]\nid = \
         \"r\"\nkind = \"k\"\nlabels = {{ zh = \"甲\", en = \"A\" }}\nwhen = {{ hour_kind = \"ce\" }}\nconvert = {{ ratio = \
         \"{ratio}\", std = \"cb\", round = \"{round}\", step = \"{step}\"{least} }}\naward = {{ pool = \"p\", trim = true \
         }}\ncap = {cap}\n"
    );
    let book: Book = toml::from_str(&text).unwrap();
    Program::new(book).unwrap()
}

fn question(minutes: i64, day: &str) -> Question {
    toml::from_str(&format!(
        "on = 2026-11-23\nrecords = [{{ id = \"x\", issuer = \"i\", kind = \"cpd\", hours = \"{minutes} min\", hour_kind = \
         \"ce\", earned_on = {day} }}]"
    ))
    .unwrap()
}

#[test]
fn the_fast_way_rounds_as_the_exact_one() {
    let mut granted = 0;
    for ratio in ["16 h / 1 cr", "18 h / 1 cr", "7 min / 0.333 cr", "1 min / 999 cr"] {
        for round in ["floor", "truncate", "half_up", "half_even", "ceil", "none"] {
            for (step, least) in [("1 cr", ""), ("0.1 cr", ", least = \"0.2 cr\""), ("0.001 cr", "")] {
                let program = program(ratio, round, step, least, "[]");
                for minutes in [1, 7, 29, 30, 31, 479, 480, 481, 1_440, 52_560_000] {
                    let question = question(minutes, "2025-03-01");
                    let answer = program.answer(&question).unwrap();
                    let full = answer.offers.first().map(|offer| offer.lines[0].credit.0);
                    let record = program.prepare(&question.records[0], &question);
                    let fast = Meter::new(&program, None).grant(0, &record);
                    assert_eq!(fast, full, "{minutes} min at {ratio}, {round} {step}");
                    granted += i64::from(fast.is_some());
                }
            }
        }
    }
    assert!(granted > 300, "{granted}");
}

#[test]
fn caps_of_the_record_the_year_and_the_rule_end_what_is_granted() {
    let cap = "[{ per = \"record\", max = \"3 cr\" }, { per = \"learner-year\", max = \"4 cr\" }, { per = \"rule\", max = \
               \"6 cr\" }]";
    let program = program("1 h / 1 cr", "floor", "1 cr", "", cap);
    let mut meter = Meter::new(&program, None);
    let mut grant = |hours: i64, day: &str| {
        let question = question(hours * 60, day);
        let record = program.prepare(&question.records[0], &question);
        meter.grant(0, &record)
    };
    assert_eq!(grant(5, "2024-05-01"), Some(3_000));
    assert_eq!(grant(2, "2024-06-01"), Some(1_000));
    assert_eq!(grant(2, "2024-07-01"), None);
    assert_eq!(grant(3, "2025-05-01"), Some(2_000));
    assert_eq!(grant(3, "2026-05-01"), None);
}
