//! A record is corrected from the command line: a new record stands for it, and the spreadsheet is known again.

use crate::office::{Office, REGISTRAR, results, shipped};
use serde_json::Value;

const SCHOOL: &str = "cn.test.correct";

/// An office with one semester in its ledger, the arguments that import a file again, and the record of line 2.
fn imported() -> (Office, String) {
    let office = Office::open();
    office.issuer(SCHOOL);
    let text = std::fs::read_to_string(shipped("mappings/semester.csv")).expect("a file");
    office.file("semester.csv", text);
    import(&office, 1, "semester.csv", &["--open-accounts", "--registrar", REGISTRAR]);
    let rows = results(&office.path("semester.results.csv"));
    let record = rows.iter().find(|row| row[0] == "2").expect("line 2")[3].clone();
    (office, record)
}

fn import(office: &Office, code: i32, name: &str, more: &[&str]) -> Value {
    let (csv, mapping) = (office.path(name), shipped("mappings/semester.toml"));
    let submit = ["submit", "--as", SCHOOL, "--csv", &csv, "--mapping", &mapping, "--skip-bad"];
    office.json(code, &[submit.as_slice(), more].concat())
}

fn correct<'a>(record: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["record", "correct", SCHOOL, record, "--reason", "grade-revised"], more].concat()
}

#[test]
fn a_record_is_corrected_and_the_corrected_row_is_known() {
    let (office, record) = imported();
    let show = |id: &str| office.json(0, &["record", "show", SCHOOL, id]);
    let before = show(&record);
    let account = before["account_ref"].as_str().expect("an account").to_owned();
    let size = office.size();
    // Looked at first: nothing is sent.
    let checked = office.json(0, &correct(&record, &["--score", "88", "--check"]));
    assert_eq!(checked["changes"][0]["field"], "score");
    assert_eq!(
        (&checked["changes"][0]["before"], &checked["changes"][0]["after"]),
        (&"86".into(), &"88".into())
    );
    assert_eq!(office.size(), size);
    // A file and an option together; the option goes before.
    let file = office.file("changes.toml", "score = \"10\"\ntitle_en = \"Basic accounting\"\n");
    let receipt = office.path("corrected.receipt");
    let more = ["--file", &file, "--score", "88", "--explanation", "成绩复核", "--receipt", &receipt];
    let corrected = office.json(0, &correct(&record, &more));
    let new = corrected["record_id"].as_str().expect("an id").to_owned();
    assert_eq!((corrected["supersedes"].as_str(), office.size()), (Some(record.as_str()), size + 1));
    let verdict = office.json(0, &["verify", "receipt", &receipt]);
    assert_eq!((verdict["verdict"].as_str(), verdict["actor"].as_str()), (Some("OK"), Some(SCHOOL)));
    // The old record points to the new one, which says all that the old one said but for the changes.
    let (old, now) = (show(&record), show(&new));
    assert_eq!((&old["status"], &old["superseded_by"]), (&"SUPERSEDED".into(), &new.as_str().into()));
    assert!(
        office.must(&["record", "show", SCHOOL, &record]).contains(&format!("superseded by record {new}"))
    );
    for field in
        ["account_ref", "kind", "credits_milli", "minutes", "subject_code", "awarded_on", "valid_until"]
    {
        assert_eq!(before[field], now[field], "{field}");
    }
    assert_eq!(now["details"]["score_milli"], 88_000);
    assert_eq!(now["details"]["title"]["en"], "Basic accounting");
    assert_eq!(now["details"]["title"]["zh"], before["details"]["title"]["zh"]);
    // The balance counts the credit once.
    let balance = office.json(0, &["balance", &account]);
    let of = |bucket: &str| {
        let lines = balance["lines"].as_array().expect("lines");
        lines
            .iter()
            .filter(|line| line["bucket"] == bucket)
            .map(|line| line["credits_milli"].as_i64().unwrap())
            .sum()
    };
    let (available, revoked): (i64, i64) = (of("AVAILABLE"), of("REVOKED"));
    assert_eq!((available, revoked), (7_000, 4_000));
    assert!(office.must(&["--lang", "zh", "statement", &account, "--prove"]).contains("已更正替代"));
    // A record is corrected once; its correction can be corrected again.
    let again = office.ends(1, &correct(&record, &["--score", "90"]));
    assert!(again.contains("RECORD_SUPERSEDED"), "{again}");
    let back = office.json(0, &correct(&new, &["--title-en", ""]));
    assert_ne!(back["record_id"], new.as_str());
    // The spreadsheet with the corrected mark is the ledger's: nothing has changed there any more.
    let text =
        std::fs::read_to_string(office.path("semester.csv")).expect("a file").replace(",86,2026", ",88,2026");
    office.file("corrected.csv", text);
    let known = import(&office, 1, "corrected.csv", &[]);
    assert_eq!((known["already"].as_u64(), known["refused"].as_u64()), (Some(8), Some(0)), "{known}");
    let stale = import(&office, 1, "semester.csv", &[]);
    assert_eq!((stale["already"].as_u64(), stale["refused"].as_u64()), (Some(7), Some(1)), "{stale}");
    assert!(office.bank.stop().success());
    office.bank.must(&["verify"]);
}

#[test]
fn a_correction_that_makes_no_sense_sends_nothing() {
    let (office, record) = imported();
    let size = office.size();
    let bad = office.file("bad.toml", "score = 88\nmark = 1\n");
    for (code, more, told) in [
        (2, vec![], "there is nothing to correct"),
        (2, vec!["--score", "86"], "there is nothing to correct"),
        (2, vec!["--score", "eighty"], "score"),
        (2, vec!["--credits", "-4"], "credits"),
        (2, vec!["--awarded-on", ""], "awarded_on"),
        (2, vec!["--awarded-on", "2026/7/8"], "YYYY-MM-DD"),
        (2, vec!["--file", &bad], "bad.toml"),
        (1, vec!["--level", "9.9"], "LEVEL_NOT_IN_FRAMEWORK"),
        (1, vec!["--awarded-on", "2199-01-01"], "AWARDED_IN_FUTURE"),
        (1, vec!["--scheme", "NO_SUCH"], "SCHEME_UNKNOWN"),
    ] {
        let said = office.ends(code, &correct(&record, &more));
        assert!(said.contains(told), "{more:?} should tell {told}: {said}");
    }
    office.ends(4, &correct(&record, &["--file", &office.path("none.toml")]));
    let nobody = "00000000000080008000000000000001";
    assert!(office.ends(1, &correct(nobody, &["--score", "88"])).contains("RECORD_UNKNOWN"));
    // Another school can neither read the record nor correct it.
    office.issuer("cn.test.stranger");
    let size_with_stranger = office.size();
    let strange = ["record", "correct", "cn.test.stranger", &record, "--reason", "clerical", "--score", "88"];
    assert!(office.ends(1, &strange).contains("RECORD_UNKNOWN"));
    assert_eq!((office.size(), size_with_stranger), (size + 1, size + 1));
}
