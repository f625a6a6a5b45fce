//! Maxima, families and requirements, held over all uses at once.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use credit_rules::allocate::Allocated;
use credit_rules::book::Book;
use credit_rules::input::Question;
use credit_rules::plan::check;
use credit_rules::program::Program;
use credit_rules::reason::Reason;

fn allocate(question: &str) -> Allocated {
    let book: Book = toml::from_str(include_str!("specification.toml")).unwrap();
    let question: Question = toml::from_str(question).unwrap_or_else(|error| panic!("{error}\n{question}"));
    let allocated = Program::new(book).unwrap().allocate(&question).unwrap();
    check(&allocated.model, &allocated.plan).unwrap();
    allocated
}

fn hours(id: &str, day: &str, hours: u32) -> String {
    format!(
        "[[records]]\nid = \"{id}\"\nissuer = \"cn.ce.a\"\nkind = \"cpd\"\nhours = \"{hours} h\"\nhour_kind = \"ce\"\n\
         earned_on = {day}\n"
    )
}

fn skill(id: &str, level: u32, occupation: &str) -> String {
    format!(
        "[[records]]\nid = \"{id}\"\nissuer = \"cn.skill.b\"\nkind = \"skill_grade\"\nlevel = {level}\nladder = \
         \"skill\"\noccupation = \"{occupation}\"\nearned_on = 2024-01-01\n"
    )
}

const HEAD: &str = "on = 2026-11-23\nprogramme = \"cn.ou.beijing:BA-ACCT\"\n";

#[test]
fn a_cap_of_the_year_counts_what_was_used_before() {
    let earlier = "[[uses]]\nrecord = \"old\"\nprogramme = \"cn.ou.beijing:BA-ACCT\"\nrule = \"ce-hours-2026\"\nkind = \
                   \"continuing_education\"\nearned_on = 2025-02-01\ncredit = \"3.2 cr\"\ntarget = \"elective\"\n";
    let allocated = allocate(&format!("{HEAD}{earlier}{}", hours("r1", "2025-01-10", 21)));
    assert_eq!(allocated.credit_milli, 800);
    let cap = allocated.caps.iter().find(|cap| cap.note.id == "ce-hours-2026/learner-year/2025").unwrap();
    assert_eq!((cap.note.limit, cap.note.used, cap.granted, cap.binding), (4_000, 3_200, 800, true));
}

#[test]
fn of_one_occupation_the_highest_counts_and_of_two_both() {
    let two = [skill("r1", 3, "welder"), skill("r2", 2, "welder")].concat();
    let allocated = allocate(&format!("{HEAD}{two}"));
    assert_eq!(allocated.credit_milli, 12_000);
    let lower = allocated.refusals.iter().find(|refusal| refusal.record.as_str() == "r1").unwrap();
    assert_eq!((lower.reason, lower.detail.as_str()), (Reason::DuplicateSubject, "r2"));
    let two = [skill("r1", 3, "welder"), skill("r2", 2, "electrician")].concat();
    // 8 and 12 are 20, as much as the rule's cap allows.
    assert_eq!(allocate(&format!("{HEAD}{two}")).credit_milli, 20_000);
}

#[test]
fn half_of_a_programme_is_the_most_that_is_transferred() {
    let records: String =
        ["w1", "w2", "w3"].iter().enumerate().map(|(at, name)| skill(&format!("r{at}"), 1, name)).collect();
    let ects = "[[records]]\nid = \"e\"\nissuer = \"eu.x\"\nkind = \"formal_course\"\ncredit = \"60 cr\"\nstd = \
                \"ects\"\nearned_on = 2025-06-30\n";
    let allocated = allocate(&format!("{HEAD}{records}{ects}"));
    // 20 by skill levels and 18 (of 22.8, 30 %) of ECTS are 38, half of 76.
    assert_eq!(allocated.credit_milli, 38_000);
    let half = allocated.caps.iter().find(|cap| cap.note.id == "max-transfer-50").unwrap();
    assert_eq!((half.note.limit, half.granted, half.binding), (38_000, 38_000, true));
}

#[test]
fn hours_are_divided_among_the_pools_that_take_them() {
    let years: String =
        (2019..2024).map(|year| hours(&format!("r{year}"), &format!("{year}-05-01"), 64)).collect();
    let ects = "[[records]]\nid = \"e\"\nissuer = \"eu.x\"\nkind = \"formal_course\"\ncredit = \"39 cr\"\nstd = \
                \"ects\"\nearned_on = 2025-06-30\n";
    let allocated = allocate(&format!("{HEAD}{years}{ects}"));
    // 4 a year are 20; 39 ECTS are 21.6, of which 38 - 20 = 18 fit under half of the programme.
    assert_eq!(allocated.credit_milli, 38_000);
    let elective = allocated.caps.iter().find(|cap| cap.note.id == "cn.ou.beijing:BA-ACCT/elective").unwrap();
    assert!(elective.granted <= elective.note.limit);
}

#[test]
fn the_order_of_records_changes_nothing() {
    let records = [
        skill("r1", 3, "welder"),
        skill("r2", 2, "welder"),
        hours("h1", "2025-01-10", 21),
        hours("h2", "2026-01-10", 40),
    ];
    let one = allocate(&format!("{HEAD}{}", records.concat()));
    let mut turned = records;
    turned.reverse();
    let other = allocate(&format!("{HEAD}{}", turned.concat()));
    assert_eq!(one.grants, other.grants);
    assert_eq!(one.refusals, other.refusals);
    assert_eq!(one.plan, other.plan);
}

#[test]
fn a_record_that_was_used_up_is_not_used_again() {
    let used = |consumption: &str, programme: &str| {
        format!(
            "[[uses]]\nrecord = \"r1\"\nconsumption = \"{consumption}\"\nprogramme = \"{programme}\"\n{}",
            skill("r1", 3, "welder")
        )
    };
    for (consumption, programme, milli) in [
        ("exclusive_per_programme", "other", 8_000),
        ("exclusive_per_programme", "cn.ou.beijing:BA-ACCT", 0),
        ("consume_global", "other", 0),
        ("once_for_all_degrees", "other", 0),
        ("non_consuming", "cn.ou.beijing:BA-ACCT", 8_000),
    ] {
        let allocated = allocate(&format!("{HEAD}{}", used(consumption, programme)));
        assert_eq!(allocated.credit_milli, milli, "{consumption} in {programme}");
        let said = allocated.refusals.iter().any(|refusal| refusal.reason == Reason::AlreadyUsed);
        assert_eq!(said, milli == 0, "{consumption} in {programme}");
    }
}
