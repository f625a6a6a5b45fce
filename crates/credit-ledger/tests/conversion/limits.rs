//! Every limit at its most and one beyond. How many records an application names is for its form to say.

use super::bank::Bank;
use super::book::BOOK;
use super::refused;
use super::say::*;
use credit_ledger::{AccountRow, RecordUse, Row, RowId, UsesRow};
use credit_types::limits::{
    ACCOUNT_APPLICATIONS_MAX, ACCOUNT_RECORDS_MAX, ACCOUNT_USES_MAX, APPLICATION_BYTES_MAX,
    APPLICATION_ITEMS_MAX, APPLICATION_RECORDS_MAX, BOOK_NAME_BYTES_MAX, EXPLANATION_BYTES_MAX,
};
use credit_types::*;

/// A bank whose book has more rules.
fn with(rules: &str) -> Bank {
    let mut bank = Bank::founded(2, |_| {});
    bank.publish(&format!("{BOOK}\n{rules}")).unwrap();
    bank.wait_days(NOTICE_DAYS);
    bank.change_book(1, RuleBookAction::Activate).unwrap();
    bank
}

/// Records of one kind, by names that ascend.
fn deposits(bank: &mut Bank, count: usize, what: What) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|number| format!("t/{number:04}")).collect();
    for id in &ids {
        bank.deposit(id, "ann", what);
    }
    ids
}

fn apply(bank: &mut Bank, ids: &[String]) -> super::bank::Outcome {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    bank.apply("ann", "U-AD", &ids)
}

/// Each record to two places at once.
const TWICE: &str = r#"
[[rule]]
id = "twice"
kind = "certificate"
labels = { zh = "两处", en = "Two places" }
when = { record_kind = "x_cert" }
award = [
  { pool = "elective", credit = "0.5 cr", std = "CN_XF", whole = true },
  { pool = "professional", credit = "0.5 cr", std = "CN_XF", whole = true },
]
uncapped = "a test"
"#;

#[test]
fn a_proposal_has_at_most_64_items() {
    let mut bank = with(TWICE);
    let mut ids = deposits(&mut bank, APPLICATION_ITEMS_MAX / 2, What::Cert(1_000));
    bank.deposit("t/h", "ann", What::Hours(18));
    let application = apply(&mut bank, &ids).unwrap();
    assert_eq!(bank.application(application).items.len(), APPLICATION_ITEMS_MAX);
    bank.step(application, ConversionAction::Withdraw).unwrap();
    ids.push(String::from("t/h"));
    let rejection = refused(apply(&mut bank, &ids), Reason::EngineRefused, "records");
    assert_eq!(rejection.detail.as_deref(), Some("65 items, 64 are allowed: apply with fewer records"));
    bank.check_rebuild();
}

#[test]
fn an_application_of_most_records_is_held_decided_and_lapses() {
    let mut bank = Bank::open();
    let ids = deposits(&mut bank, APPLICATION_RECORDS_MAX, What::Training(18, 500));
    let application = apply(&mut bank, &ids).unwrap();
    // The cap of the rule leaves room for some of them.
    assert_eq!(bank.application(application).items.len(), 12);
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.granted(application).len(), 12);
    bank.check_rebuild();
}

/// As many applications as an application has records may lapse for it.
#[test]
fn all_that_held_its_records_lapses_in_one_entry() {
    let mut bank = with(TWICE);
    let ids = deposits(&mut bank, APPLICATION_RECORDS_MAX, What::Grade(1, 500));
    let mut held = Vec::new();
    for id in &ids {
        held.push(bank.apply("ann", "V-AD", &[id]).unwrap());
    }
    bank.wait_days(LAPSE_DAYS + 1);
    apply(&mut bank, &ids).unwrap();
    assert_eq!(bank.last().len(), APPLICATION_RECORDS_MAX + 1);
    // One more where it is granted at once.
    assert!(bank.last().len() < limits::ENTRY_EVENTS_MAX);
    for application in held {
        assert_eq!(bank.status(application), ApplicationStatus::Lapsed);
    }
    bank.check_rebuild();
}

/// A book of many rules that each miss every record by one condition.
#[test]
fn an_explanation_has_its_bounds() {
    let rule = |number: usize| {
        format!(
            r#"
[[rule]]
id = "miss-{number}-{}"
kind = "miss"
labels = {{ zh = "差一点", en = "A miss" }}
when = {{ record_kind = "nondegree_course", min_hours = "1000 xs" }}
convert = {{ ratio = "18 xs / 1 cr", std = "CN_XF" }}
award = {{ pool = "elective", trim = true }}
cap = {{ per = "rule", max = "1 cr" }}
"#,
            "x".repeat(100)
        )
    };
    let rules: String = (0..80).map(rule).collect();
    let mut bank = with(&rules);
    let ids = deposits(&mut bank, APPLICATION_RECORDS_MAX, What::Hours(18));
    apply(&mut bank, &ids[..2]).unwrap();
    let rejection = refused(apply(&mut bank, &ids[2..]), Reason::ExplanationTooLarge, "records");
    let detail = rejection.detail.unwrap();
    assert!(detail.ends_with(&format!(" bytes, {EXPLANATION_BYTES_MAX} are allowed")), "{detail}");
}

/// Names of a book are as long as it makes them: what would not fit an entry is refused before it is written.
#[test]
fn the_events_of_an_application_have_their_bounds() {
    /// What an item and a record take beside their names.
    const FRAME: usize = 96;
    let long = |length: usize| BookName::new("n".repeat(length)).unwrap();
    // Kind, place, programme and level of so many bytes together; one use of a record goes to different places.
    let item = |number: usize, bytes: usize| {
        let share = bytes / 4;
        ProposedItem {
            rule: long(BOOK_NAME_BYTES_MAX),
            rule_kind: Some(long(share)),
            place: ConvertedPlace::Requirement(
                BookName::new(format!("{number:03}{}", "n".repeat(share - 3))).unwrap(),
            ),
            scheme: scheme(),
            credits: Some(credits(500)),
            sources: vec![0],
            consumption: Consumption::PerProgramme,
            programme: Some(long(share)),
            award_level: Some(long(bytes - 3 * share)),
        }
    };
    let most = 4 * BOOK_NAME_BYTES_MAX;
    let frame = BOOK_NAME_BYTES_MAX + 1 + FRAME;
    let own = 2 * ("cn.t".len() + FRAME);
    let whole = APPLICATION_BYTES_MAX - own;
    // All but the last two are as large as can be.
    let count = whole / (most + frame) - 1;
    let rest = whole - count * (most + frame) - 2 * frame;
    let ask = |bank: &mut Bank, rest: usize| {
        let sizes = (0..count).map(|_| most).chain([rest / 2, rest - rest / 2]);
        let items: Vec<ProposedItem> = sizes.enumerate().map(|(number, bytes)| item(number, bytes)).collect();
        bank.apply_with("ann", "U-AD", &["t/h"], |_, reckoned| reckoned.items = items)
    };
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(18));
    let rejection = refused(ask(&mut bank, rest + 1), Reason::EntryTooLarge, "records");
    let detail = rejection.detail.unwrap();
    assert!(detail.starts_with(&format!("about {} bytes, ", APPLICATION_BYTES_MAX + 1)), "{detail}");
    ask(&mut bank, rest).unwrap();
}

fn used(number: usize) -> RecordUse {
    RecordUse {
        record: record(&format!("t/{number:05}")),
        source: record(&format!("t/{number:05}")),
        earned_on: day("2026-01-10"),
        consumption: Consumption::None,
        programme: None,
        award_level: None,
        rule: name("other"),
        rule_kind: None,
        place: ConvertedPlace::Standard(name("other")),
        credits_milli: 0,
        granted: record("u/other"),
        application: 1,
        posted_index: 1,
    }
}

/// An account with so many applications and uses.
fn prepared(bank: &mut Bank, applications: usize, uses: usize) {
    let mut row = bank.uses(account("ann"));
    let before = row.applications.len();
    row.applications.splice(0..0, (1_000_000..).take(applications - before));
    let before = row.uses.len();
    row.uses.splice(0..0, (before..uses).map(used));
    assert_eq!((row.applications.len(), row.uses.len()), (applications, uses));
    bank.prepare(RowId::Uses(account("ann")), Row::Uses(row.into()));
}

#[test]
fn an_account_has_at_most_1024_applications() {
    let mut bank = Bank::open();
    for id in ["t/a", "t/b"] {
        bank.deposit(id, "ann", What::Hours(18));
    }
    prepared(&mut bank, ACCOUNT_APPLICATIONS_MAX - 1, 0);
    bank.apply("ann", "U-AD", &["t/a"]).unwrap();
    assert_eq!(bank.uses(account("ann")).applications.len(), ACCOUNT_APPLICATIONS_MAX);
    refused(bank.apply("ann", "U-AD", &["t/b"]), Reason::ApplicationLimitReached, "");
    bank.check_rebuild();
}

#[test]
fn an_account_has_at_most_8192_uses() {
    let mut bank = Bank::open();
    for (id, code) in [("t/a", "A"), ("t/b", "B")] {
        bank.deposit(id, "ann", What::Named(code));
    }
    bank.deposit("t/h", "ann", What::Hours(18));
    // Two courses together are two uses.
    prepared(&mut bank, 1, ACCOUNT_USES_MAX - 1);
    refused(bank.apply("ann", "U-AD", &["t/a", "t/b"]), Reason::ApplicationLimitReached, "");
    let hours = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    bank.decide(hours, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.uses(account("ann")).uses.len(), ACCOUNT_USES_MAX);
    refused(bank.apply("ann", "V-AD", &["t/h"]), Reason::ApplicationLimitReached, "");
    bank.check_rebuild();
}

/// Two applications that each fitted can come to more together: the second decision grants less, or nothing.
#[test]
fn uses_are_counted_again_when_they_come_into_being() {
    let mut bank = Bank::open();
    for (id, code) in [("t/a", "A"), ("t/b", "B")] {
        bank.deposit(id, "ann", What::Named(code));
    }
    bank.deposit("t/h", "ann", What::Hours(18));
    let application = bank.apply("ann", "U-AD", &["t/a", "t/b", "t/h"]).unwrap();
    prepared(&mut bank, 1, ACCOUNT_USES_MAX - 2);
    refused(bank.decide(application, DecisionOutcome::Approve), Reason::ApplicationLimitReached, "");
    let hours = bank.application(application).items.iter().position(|item| item.rule == name("hours"));
    let position = u32::try_from(hours.unwrap()).unwrap();
    let declined = DecidedItem { position, credits: None, reason: DecisionReason::CapReached };
    let partly = |s: &mut Signed<ConversionDecision>| s.body.items = vec![declined];
    bank.decide_with(application, DecisionOutcome::Partly, partly).unwrap();
    assert_eq!(bank.uses(account("ann")).uses.len(), ACCOUNT_USES_MAX);
    bank.check_rebuild();
}

fn with_records(bank: &mut Bank, records: u32) {
    let row = AccountRow { records, ..bank.account(account("ann")).clone() };
    bank.prepare(RowId::Account(account("ann")), Row::Account(row.into()));
}

#[test]
fn what_is_granted_counts_among_the_records_of_an_account() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(18));
    with_records(&mut bank, ACCOUNT_RECORDS_MAX);
    refused(bank.apply("ann", "U-AD", &["t/h"]), Reason::AccountFull, "");
    with_records(&mut bank, ACCOUNT_RECORDS_MAX - 1);
    let application = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    with_records(&mut bank, ACCOUNT_RECORDS_MAX);
    refused(bank.decide(application, DecisionOutcome::Approve), Reason::AccountFull, "");
    with_records(&mut bank, ACCOUNT_RECORDS_MAX - 1);
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    assert_eq!(bank.account(account("ann")).records, ACCOUNT_RECORDS_MAX);
    bank.check_rebuild();
}

/// The engine itself takes ten thousand earlier uses; what the ledger keeps of an account stays below.
#[test]
fn a_row_of_most_uses_can_still_be_asked_about() {
    let mut bank = Bank::open();
    bank.deposit("t/h", "ann", What::Hours(8));
    bank.prepare(
        RowId::Uses(account("ann")),
        Row::Uses(UsesRow { uses: (0..ACCOUNT_USES_MAX).map(used).collect(), ..UsesRow::default() }.into()),
    );
    refused(bank.apply("ann", "U-AD", &["t/h"]), Reason::NothingGranted, "records");
}

/// What no record says comes from what the learner states.
#[test]
fn what_the_learner_states_reaches_the_rules() {
    const STATED: &str = r#"
[[rule]]
id = "stated"
kind = "certificate"
labels = { zh = "陈述", en = "Stated" }
when = { record_kind = "x_cert", min_content_match = "60 %", min_learner_age = "18 y", assessment = "interview" }
guard = { all = [{ fact = "weeks", ge = 10 }, { fact = "field", in = ["law"] }] }
facts = { weeks = "int", field = "enum:law|music" }
award = { pool = "elective", credit = "2 cr", std = "CN_XF", whole = true }
cap = { per = "rule", max = "2 cr" }
"#;
    let mut bank = with(STATED);
    bank.deposit("t/a", "ann", What::Hours(8));
    bank.deposit("t/x", "ann", What::Cert(1_000));
    let fact = |record, name: &str, value: &str| ConversionFact {
        record,
        name: super::say::name(name),
        value: String::from(value),
    };
    let facts = |record, percent: &str, weeks: &str| {
        vec![
            fact(record, "assessment", "interview"),
            fact(record, "content_match", percent),
            fact(record, "field", "law"),
            fact(record, "weeks", weeks),
        ]
    };
    let stated = |born_on: &str, facts| ConversionParticulars {
        born_on: Some(day(born_on)),
        facts,
        ..ConversionParticulars::default()
    };
    let lacking = [
        ConversionParticulars::default(),
        stated("2000-01-01", facts(0, "60 %", "10")),
        stated("2000-01-01", facts(1, "59 %", "10")),
        stated("2000-01-01", facts(1, "60 %", "9")),
        stated("2009-01-01", facts(1, "60 %", "10")),
    ];
    for particulars in lacking {
        bank.particulars = particulars;
        refused(bank.apply("ann", "U-AD", &["t/a", "t/x"]), Reason::NothingGranted, "records");
    }
    bank.particulars = stated("2000-01-01", facts(1, "60 %", "10"));
    let application = bank.apply("ann", "U-AD", &["t/a", "t/x"]).unwrap();
    assert_eq!(bank.application(application).sources(), [1]);
}
