use super::details::{ATTEMPT_MAX, GRADE_BYTES_MAX, LANGUAGE_BYTES_MAX, SCALE_BYTES_MAX, TERM_BYTES_MAX};
use super::filter::{FILTER_VALUES_MAX, REASON_BYTES_MAX};
use super::source::TEMPLATE_PARTS_MAX;
use super::*;
use crate::spreadsheet::Spreadsheet;
use credit_types::limits::{CODE_BYTES_MAX, MINUTES_MAX, REFERENCE_BYTES_MAX, TEXT_BYTES_MAX};
use std::io::Cursor;

/// The smallest mapping, with room for more lines in each part.
fn mapping(top: &str, record: &str, details: &str) -> String {
    format!(
        r#"
format = 1
{top}
[record]
learner_number = {{ column = "no" }}
kind = "CPD"
awarded_on = {{ column = "day" }}
credit_eligible = false
subject_code = "0411"
{record}
[details]
catalogue_ref = "X@1"
title_zh = {{ column = "title" }}
{details}
"#
    )
}

const KEY: &str = "key = { scope = \"s\", columns = [\"no\"] }";

#[track_caller]
fn parsed(record: &str, details: &str) -> Mapping {
    Mapping::parse(&mapping(KEY, record, details)).unwrap()
}

/// What is wrong with a mapping, with its causes.
#[track_caller]
fn refusal(text: &str) -> String {
    let error = Mapping::parse(text).unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {cause}")
}

/// Reads one row of a mapping whose spreadsheet has the columns no, day, title and x.
fn row(mapping: &Mapping, cells: [&str; 4]) -> RowOutcome {
    let columns = mapping.columns(&["no", "day", "title", "x"].map(str::to_owned)).unwrap();
    mapping.row(&columns, &cells.map(str::to_owned))
}

#[track_caller]
fn draft(mapping: &Mapping, x: &str) -> DraftRecord {
    let outcome = row(mapping, ["7", "2026-03-01", "讲座", x]);
    let RowOutcome::Record(draft) = outcome else { panic!("{outcome:?}") };
    *draft
}

/// The code of what is wrong with the cell x.
#[track_caller]
fn bad(mapping: &Mapping, x: &str) -> &'static str {
    let outcome = row(mapping, ["7", "2026-03-01", "讲座", x]);
    let RowOutcome::Bad(bad) = outcome else { panic!("{outcome:?}") };
    assert_eq!(bad.column, "x", "{bad:?}");
    let (text, remedy) = (bad.problem.text(), bad.problem.remedy());
    for part in [text.zh, text.en, remedy.zh, remedy.en] {
        assert!(!part.is_empty());
    }
    bad.problem.code()
}

#[test]
fn the_guides_example_has_eight_records_two_rows_without_credit_and_two_bad_rows() {
    let mapping = Mapping::parse(include_str!("../../../../ledger-data/mappings/semester.toml")).unwrap();
    let csv = include_bytes!("../../../../ledger-data/mappings/semester.csv");
    let mut sheet = Spreadsheet::open(Cursor::new(csv), mapping.layout()).unwrap();
    let columns = mapping.columns(sheet.header()).unwrap();
    let mut outcomes = Vec::new();
    while let Some(row) = sheet.next_row().unwrap() {
        outcomes.push(match mapping.row(&columns, &row.fields) {
            RowOutcome::Record(draft) => format!("{} {}", row.line, draft.valid_until.unwrap()),
            RowOutcome::NotCredit { reason } => format!("{} {reason}", row.line),
            RowOutcome::Bad(bad) => format!("{} {} {}", row.line, bad.column, bad.problem.code()),
        });
    }
    let expected = [
        "2 2034-07-08",
        "3 2034-07-10",
        "4 ABSENT",
        "5 2034-07-09",
        "6 FAILED",
        "7 成绩 NOT_A_NUMBER",
        "8 2034-07-10",
        "9 考试日期 NOT_A_DATE",
        "10 2034-07-10",
        "11 2034-07-09",
        "12 2034-07-08",
        "13 2034-01-26",
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(mapping.reasons().keys().copied().collect::<Vec<_>>(), ["ABSENT", "FAILED"]);
}

/// A record's id rests on its row key: two keys never run into one another, and scope, order and text count.
#[test]
fn a_row_key_is_its_scope_and_its_cells() {
    let key = |scope: &str, columns: &str, no: &str, x: &str| {
        let top = format!("key = {{ scope = {scope:?}, columns = {columns} }}");
        let mapping = Mapping::parse(&mapping(&top, "", "")).unwrap();
        let outcome = row(&mapping, [no, "2026-03-01", "讲座", x]);
        let RowOutcome::Record(draft) = outcome else { panic!("{outcome:?}") };
        draft.row_key
    };
    assert_eq!(key("s", "[\"no\", \"x\"]", "ab", " c "), b"\0\0\0\x01s\0\0\0\x02ab\0\0\0\x01c");
    let keys = BTreeSet::from([
        key("s", "[\"no\", \"x\"]", "ab", "c"),
        key("s", "[\"no\", \"x\"]", "a", "bc"),
        key("s", "[\"x\", \"no\"]", "ab", "c"),
        key("t", "[\"no\", \"x\"]", "ab", "c"),
        key("s", "[\"no\"]", "ab", "c"),
    ]);
    assert_eq!(keys.len(), 5);
    let top = "key = { scope = \"s\", columns = [\"no\", \"x\"] }";
    assert_eq!(bad(&Mapping::parse(&mapping(top, "", "")).unwrap(), " "), "EMPTY");
}

#[test]
fn learning_time_is_exact_minutes() {
    let time = |rule: &str| parsed(&format!("minutes = {{ hour_kind = \"CONTINUING\", {rule} }}"), "");
    for (rule, x, expected) in [
        ("minutes = { column = \"x\" }", "90", Some((90, 0))),
        ("hours = { column = \"x\" }", "1.5", Some((90, 0))),
        ("class_hours = { column = \"x\" }, class_hour_minutes = 45", "72", Some((3_240, 45))),
        ("hours = { column = \"x\", optional = true }", "", None),
    ] {
        let minutes = draft(&time(rule), x).minutes;
        assert_eq!(minutes.map(|minutes| (minutes.minutes, minutes.class_hour_minutes)), expected, "{rule}");
    }
    let hours = time("hours = { column = \"x\" }");
    for x in ["0", "0.01", "-1", "166667"] {
        assert_eq!(bad(&hours, x), "NOT_MINUTES", "{x}");
    }
    let minutes = time("minutes = { column = \"x\" }");
    assert_eq!(draft(&minutes, &MINUTES_MAX.to_string()).minutes.unwrap().minutes, MINUTES_MAX);
    assert_eq!(bad(&minutes, &(MINUTES_MAX + 1).to_string()), "OUT_OF_RANGE");
    let credit = "amount = { scheme = \"CATS\", credits = { column = \"x\" } }
minutes = { hour_kind = \"NOTIONAL\", minutes_per_credit = 600 }";
    assert_eq!(draft(&parsed(credit, ""), "7.5").minutes.unwrap().minutes, 4_500);
    let class = |minutes: u32| {
        let rule = format!("class_hours = {{ column = \"x\" }}, class_hour_minutes = {minutes}");
        Mapping::parse(&mapping(KEY, &format!("minutes = {{ hour_kind = \"CONTACT\", {rule} }}"), ""))
    };
    assert!(class(120).is_ok() && class(121).is_err() && class(0).is_err());
}

#[test]
fn cells_are_read_within_the_bounds_of_their_fields() {
    let x = |field: &str| format!("{field} = {{ column = \"x\" }}");
    let amount = parsed("amount = { scheme = \"CN_XF\", credits = { column = \"x\" } }", "");
    assert_eq!(draft(&amount, "1000000").amount.unwrap().credits.milli(), 1_000_000_000);
    for (text, code) in [
        ("1000000.001", "NOT_CREDITS"),
        ("0", "NOT_CREDITS"),
        ("-3", "NOT_CREDITS"),
        ("0.0005", "TOO_MANY_DECIMALS"),
        ("三", "NOT_A_NUMBER"),
        ("", "EMPTY"),
    ] {
        assert_eq!(bad(&amount, text), code, "{text}");
    }
    let level = parsed("level = { framework = \"cn.nqf\", level = { column = \"x\" } }", "");
    assert_eq!(draft(&level, "5.5").level.unwrap().tenths, 55);
    assert_eq!(bad(&level, "5.55"), "TOO_MANY_DECIMALS");
    for (details, max) in [
        (x("certificate_no"), REFERENCE_BYTES_MAX),
        (x("lineage_key"), REFERENCE_BYTES_MAX),
        (x("grade"), GRADE_BYTES_MAX),
        (x("grade_scale"), SCALE_BYTES_MAX),
        (x("term"), TERM_BYTES_MAX),
        (x("title_en"), TEXT_BYTES_MAX),
    ] {
        let mapping = parsed("", &details);
        draft(&mapping, &"a".repeat(max));
        assert_eq!(bad(&mapping, &"a".repeat(max + 1)), "TOO_LONG", "{details}");
        assert_eq!(bad(&mapping, "a\u{202E}b"), "NOT_OF_FORM", "{details}");
    }
    let code = parsed(&x("occupation_code"), "");
    draft(&code, &"6".repeat(CODE_BYTES_MAX));
    assert_eq!(bad(&code, &"6".repeat(CODE_BYTES_MAX + 1)), "TOO_LONG");
    let language = parsed("", &x("language"));
    draft(&language, &format!("{}-{}", "a".repeat(8), "b".repeat(LANGUAGE_BYTES_MAX - 9)));
    assert_eq!(bad(&language, &format!("{}-{}", "a".repeat(8), "b".repeat(8))), "TOO_LONG");
    assert_eq!(bad(&language, "zh_CN"), "NOT_OF_FORM");
    let attempt = parsed("", &x("attempt"));
    draft(&attempt, &ATTEMPT_MAX.to_string());
    assert_eq!(bad(&attempt, &(ATTEMPT_MAX + 1).to_string()), "OUT_OF_RANGE");
    let attendance = parsed("", &x("attendance_percent"));
    assert_eq!(draft(&attendance, "96.5").details.attendance_permille, Some(965));
    assert_eq!(bad(&attendance, "100.1"), "OUT_OF_RANGE");
    let score = parsed("", "score = { column = \"x\" }\nscore_scale = \"cn.pct100\"");
    assert_eq!(draft(&score, "-2.5").details.score_milli, Some(-2_500));
    assert_eq!(draft(&score, "1000000").details.score_milli, Some(details::SCORE_MILLI_MAX));
    assert_eq!(bad(&score, "1000000.001"), "OUT_OF_RANGE");
    assert_eq!(bad(&parsed("", &x("mode")), "IN_BED"), "NOT_AN_OPTION");
    assert_eq!(bad(&parsed("", &x("assessor_id")), "nobody"), "NOT_OF_FORM");
}

#[test]
fn dates_follow_from_one_another_and_keep_their_order() {
    let rule = |record: &str| parsed(record, "");
    let until = rule("valid_until = { same_as = \"awarded_on\", plus_years = { column = \"x\" } }");
    assert_eq!(draft(&until, "3").valid_until.unwrap().to_string(), "2029-03-01");
    assert_eq!(draft(&until, "100").valid_until.unwrap().to_string(), "2126-03-01");
    assert_eq!(bad(&until, "101"), "OUT_OF_RANGE");
    let late = rule("start_on = \"2199-12-31\"\nend_on = { same_as = \"start_on\", plus_days = 1 }");
    assert_eq!(bad_code(&late, ""), "NOT_A_DATE");
    let ended = rule("end_on = { column = \"x\", optional = true }");
    assert_eq!(draft(&ended, "").details.end_on, None);
    assert_eq!(bad_code(&ended, "2026-03-02"), "DATE_ORDER");
    assert_eq!(bad(&ended, "2026-02-29"), "NOT_A_DATE");
    let begun = rule("start_on = { column = \"x\" }\nend_on = \"2026-02-01\"");
    assert_eq!(bad_code(&begun, "2026-02-02"), "DATE_ORDER");
    let ends = rule("valid_until = { column = \"x\" }");
    assert_eq!(draft(&ends, "2026-03-01").valid_until.unwrap().to_string(), "2026-03-01");
    assert_eq!(bad(&ends, "2026-02-28"), "DATE_ORDER");
    let days = rule("valid_until = { same_as = \"awarded_on\", plus_days = { column = \"x\" } }");
    draft(&days, &dates::PLUS_DAYS_MAX.to_string());
    assert_eq!(bad(&days, &(dates::PLUS_DAYS_MAX + 1).to_string()), "OUT_OF_RANGE");
}

fn bad_code(mapping: &Mapping, x: &str) -> &'static str {
    let outcome = row(mapping, ["7", "2026-03-01", "讲座", x]);
    let RowOutcome::Bad(bad) = outcome else { panic!("{outcome:?}") };
    bad.problem.code()
}

#[test]
fn rows_without_credit_are_told_apart_from_bad_rows() {
    let rule = |condition: &str| {
        let filter = "reason = \"NONE\", text = { zh = \"无\", en = \"none\" }, column = \"x\"";
        let top = format!("{KEY}\nnot_credit = [ {{ {filter}, {condition} }} ]");
        Mapping::parse(&mapping(&top, "", "")).unwrap()
    };
    let none = RowOutcome::NotCredit { reason: "NONE".to_owned() };
    for (condition, yes, no) in [
        ("is = [\"缺考\", 0]", ["缺考", " 0 "], ["", "1"]),
        ("empty = true", ["", "\u{3000}"], ["x", "0"]),
        ("less_than = \"60\"", ["59.999", "-1"], ["60", "60.001"]),
    ] {
        let mapping = rule(condition);
        for x in yes {
            assert_eq!(row(&mapping, ["7", "2026-03-01", "讲座", x]), none, "{condition} {x}");
        }
        for x in no {
            draft(&mapping, x);
        }
    }
    assert_eq!(bad(&rule("less_than = 60"), "缺考"), "NOT_A_NUMBER");
    // A row that is not credit need not be complete.
    assert_eq!(row(&rule("is = [\"w\"]"), ["", "", "", "w"]), none);
}

#[test]
fn a_row_of_another_length_than_the_header_is_bad() {
    let mapping = parsed("", "");
    let columns = mapping.columns(&["no", "day", "title"].map(str::to_owned)).unwrap();
    for fields in [vec!["7".to_owned()], vec!["7".to_owned(); 4]] {
        let RowOutcome::Bad(bad) = mapping.row(&columns, &fields) else { panic!("{fields:?} was taken") };
        assert_eq!(bad.problem, Problem::FieldCount { expected: 3, actual: fields.len() });
    }
}

#[test]
fn what_a_mapping_says_is_checked_before_any_row() {
    for (top, record, details, expected) in [
        (KEY, "colour = 1", "", "unknown field"),
        (KEY, "level = { framework = \"cn.nqf\", level = 4.5 }", "", "write decimals and dates as text"),
        (KEY, "minutes = { hour_kind = \"LUNCH\", minutes = 1 }", "", "\"LUNCH\" is not one of"),
        (KEY, "minutes = { hour_kind = \"CONTACT\", minutes = 1, hours = 1 }", "", "needs one of"),
        (KEY, "minutes = { hour_kind = \"CONTACT\", class_hours = 1 }", "", "needs class_hour_minutes"),
        (KEY, "minutes = { hour_kind = \"NOTIONAL\", minutes_per_credit = 1 }", "", "needs record.amount"),
        (KEY, "amount = { scheme = \"xf\", credits = 1 }", "", "must be a scheme"),
        (KEY, "occupation_code = { column = \"x\", lookup = \"y\" }", "", "that is not there"),
        (KEY, "occupation_code = { column = \"x\", colour = 1 }", "", "unknown field"),
        (
            KEY,
            "occupation_code = { column = \"x\", template = \"{x}\" }",
            "",
            "needs one of: column, template",
        ),
        (
            KEY,
            "occupation_code = { column = \"x\", default = 1, optional = true }",
            "",
            "both default and optional",
        ),
        (KEY, "end_on = \"2026-02-30\"", "", "is not a date"),
        (KEY, "end_on = { same_as = \"awarded_on\" }", "", "not an earlier one"),
        (KEY, "end_on = { same_as = \"start_on\" }", "", "not an earlier one"),
        (KEY, "valid_until = { same_as = \"awarded_on\", form = \"YYYY\" }", "", "can't say how"),
        (KEY, "", "score = 1", "both score and score_scale"),
        (KEY, "", "title_en = { template = \"{x\" }", "never closed"),
        (KEY, "", "title_en = { template = \"x}\" }", "stray brace"),
        (KEY, "", "title_en = { template = \"{{x}}\" }", "without a column"),
        (
            KEY,
            "",
            "mode = { column = \"x\", lookup = \"m\" }\n[lookup.m]\na = \"BED\"",
            "\"BED\" is not one of",
        ),
        ("key = { scope = \"s\", columns = [] }", "", "", "is empty"),
        ("key = { scope = \"S\", columns = [\"no\"] }", "", "", "a-z"),
        ("key = { scope = \"s\", columns = [\" no\"] }", "", "", "begins or ends with a space"),
        ("encoding = \"latin1\"", "", "", "unknown variant"),
    ] {
        let said = refusal(&mapping(top, record, details));
        assert!(said.contains(expected), "{record}{details}: {said}");
    }
    assert!(refusal("format = 2").contains("missing field"));
    let newer = mapping(KEY, "", "").replace("format = 1", "format = 2");
    assert!(refusal(&newer).contains("reads format 1"));
    let rule = "reason = \"R\", text = { zh = \"无\", en = \"none\" }, column = \"x\"";
    for (filter, expected) in [
        (rule.replace("\"R\"", "\"r\""), "must have the form"),
        (rule.replace("none", ""), "must have zh and en"),
        (rule.to_owned(), "needs one of"),
        (format!("{rule}, empty = false"), "needs one of"),
        (format!("{rule}, empty = true, is = [1]"), "needs one of"),
        (format!("{rule}, less_than = \"x\""), "is not a number"),
    ] {
        let said = refusal(&mapping(&format!("{KEY}\nnot_credit = [ {{ {filter} }} ]"), "", ""));
        assert!(said.contains(expected), "{filter}: {said}");
    }
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let mapping = parsed("", "grade = { column = \"等第\" }");
    let header = ["no", "day", "title"].map(str::to_owned);
    let ColumnsMissing(missing) = mapping.columns(&header).unwrap_err();
    assert_eq!(missing, [("等第".to_owned(), "details.grade".to_owned())]);
    let ColumnsMissing(missing) = mapping.columns(&header[..1]).unwrap_err();
    let names: Vec<&str> = missing.iter().map(|(column, _)| column.as_str()).collect();
    assert_eq!(names, ["day", "title", "等第"]);
}

#[test]
fn a_mapping_ends_at_its_limits() {
    let ok = |text: String| Mapping::parse(&text).is_ok();
    let long = |bytes: usize| {
        let text = mapping(KEY, "", "");
        let comment = bytes - text.len() - 1;
        format!("{text}#{}", "x".repeat(comment))
    };
    assert!(ok(long(MAPPING_BYTES_MAX)) && !ok(long(MAPPING_BYTES_MAX + 1)));
    let key = |count: usize| {
        mapping(&format!("key = {{ scope = \"s\", columns = {:?} }}", vec!["no"; count]), "", "")
    };
    assert!(ok(key(KEY_COLUMNS_MAX)) && !ok(key(KEY_COLUMNS_MAX + 1)));
    let scope = |bytes: usize| {
        mapping(&format!("key = {{ scope = {:?}, columns = [\"no\"] }}", "s".repeat(bytes)), "", "")
    };
    assert!(ok(scope(KEY_SCOPE_BYTES_MAX)) && !ok(scope(KEY_SCOPE_BYTES_MAX + 1)));
    let filter = |reason: usize, values: usize| {
        format!(
            "{{ reason = {:?}, text = {{ zh = \"无\", en = \"none\" }}, column = \"x\", is = {:?} }}",
            "R".repeat(reason),
            vec![1; values]
        )
    };
    let filters = |count: usize, reason: usize, values: usize| {
        mapping(
            &format!("{KEY}\nnot_credit = [ {} ]", vec![filter(reason, values); count].join(", ")),
            "",
            "",
        )
    };
    assert!(ok(filters(FILTERS_MAX, 1, 1)) && !ok(filters(FILTERS_MAX + 1, 1, 1)));
    assert!(ok(filters(1, REASON_BYTES_MAX, 1)) && !ok(filters(1, REASON_BYTES_MAX + 1, 1)));
    assert!(ok(filters(1, 1, FILTER_VALUES_MAX)) && !ok(filters(1, 1, FILTER_VALUES_MAX + 1)));
    let lookups = |tables: usize, rows: usize| {
        let rows: Vec<String> = (0..rows).map(|row| format!("k{row} = 1\n")).collect();
        let rows = rows.concat();
        let tables: Vec<String> = (0..tables).map(|table| format!("[lookup.t{table}]\n{rows}")).collect();
        mapping(KEY, "", "") + &tables.concat()
    };
    assert!(ok(lookups(LOOKUPS_MAX, 1)) && !ok(lookups(LOOKUPS_MAX + 1, 1)));
    assert!(ok(lookups(1, LOOKUP_ROWS_MAX)) && !ok(lookups(1, LOOKUP_ROWS_MAX + 1)));
    let template =
        |parts: usize| mapping(KEY, "", &format!("title_en = {{ template = {:?} }}", "{x}".repeat(parts)));
    assert!(ok(template(TEMPLATE_PARTS_MAX)) && !ok(template(TEMPLATE_PARTS_MAX + 1)));
}
