//! A school's own spreadsheet becomes records: end to end, twice, in another encoding, broken, interrupted.

use crate::bank::{signal, text, wait_for, wait_within};
use crate::office::{Office, REGISTRAR, results, shipped};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// How long a file that is no spreadsheet may occupy the program, on a machine that does much else.
const REFUSED_WITHIN: Duration = Duration::from_secs(20);

static OFFICE: OnceLock<Office> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());

/// Makes the tests of the shared office take turns, so that each can see whether the log grew.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The office that these tests share, and an issuer of this test's own.
fn issuer(name: &str) -> (&'static Office, String) {
    let office = OFFICE.get_or_init(Office::open);
    let id = format!("cn.test.{name}");
    office.issuer(&id);
    (office, id)
}

fn semester() -> String {
    std::fs::read_to_string(shipped("mappings/semester.csv")).expect("a file")
}

/// The arguments that submit a file of the semester's form.
fn arguments<'a>(issuer: &'a str, csv: &'a str, mapping: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["submit", "--as", issuer, "--csv", csv, "--mapping", mapping], more].concat()
}

/// Submits; the counts of accepted, already, refused, not credit, bad.
fn submit(office: &Office, code: i32, issuer: &str, csv: &str, more: &[&str]) -> [u64; 5] {
    let mapping = shipped("mappings/semester.toml");
    let document = office.json(code, &arguments(issuer, csv, &mapping, more));
    ["accepted", "already", "refused", "not_credit", "bad"].map(|name| count(&document, name))
}

fn count(document: &Value, name: &str) -> u64 {
    document[name].as_u64().unwrap_or_else(|| panic!("{name} in {document}"))
}

const OPEN: [&str; 4] = ["--skip-bad", "--open-accounts", "--registrar", REGISTRAR];

#[test]
fn a_semester_is_imported_once_however_often_it_is_sent() {
    let _turn = turn();
    let (office, school) = issuer("semester");
    let csv = office.file("semester/a.csv", semester());
    // Nothing is sent while rows are bad, unless that is asked for.
    let mapping = shipped("mappings/semester.toml");
    assert_eq!(submit(office, 1, &school, &csv, &["--check"]), [0, 0, 0, 2, 2]);
    office.ends(1, &arguments(&school, &csv, &mapping, &[]));
    assert_eq!(
        submit(office, 1, &school, &csv, &["--skip-bad"]),
        [0, 0, 8, 2, 2],
        "nobody has an account yet"
    );
    let rows = results(&office.path("semester/a.results.csv"));
    assert_eq!(rows.iter().filter(|row| row[2] == "ACCOUNT_UNKNOWN").count(), 8);
    assert_eq!(submit(office, 1, &school, &csv, &OPEN), [8, 0, 0, 2, 2]);
    let rows = results(&office.path("semester/a.results.csv"));
    let of = |line: &str| rows.iter().find(|row| row[0] == line).unwrap_or_else(|| panic!("line {line}"));
    for (line, status, reason) in [
        ("2", "accepted", ""),
        ("4", "not-credit", "ABSENT"),
        ("6", "not-credit", "FAILED"),
        ("7", "bad", "NOT_A_NUMBER"),
        ("8", "accepted", ""),
        ("9", "bad", "NOT_A_DATE"),
    ] {
        assert_eq!((of(line)[1].as_str(), of(line)[2].as_str()), (status, reason), "line {line}");
    }
    let ids: BTreeSet<&String> = rows.iter().map(|row| &row[3]).filter(|id| !id.is_empty()).collect();
    assert_eq!(ids.len(), 8);
    let size = office.size();
    for mode in ["batch", "single", "stream"] {
        assert_eq!(
            submit(office, 1, &school, &csv, &["--skip-bad", "--mode", mode]),
            [0, 8, 0, 2, 2],
            "{mode}"
        );
    }
    assert_eq!(office.size(), size, "importing again adds nothing");
    // The corrected file: the two bad rows enter, the others stay what they are.
    let corrected = semester().replace("八十", "80").replace("2026/6/31", "2026/6/30");
    let csv = office.file("semester/corrected.csv", corrected);
    assert_eq!(submit(office, 0, &school, &csv, &OPEN), [2, 8, 0, 2, 0]);
    // What the ledger says: four credits and three for the first learner.
    let accounts =
        std::fs::read_to_string(office.path("semester/a.results.accounts.csv")).expect("account numbers");
    let first = accounts.lines().find(|line| line.starts_with("2024101000001,")).expect("a learner");
    let account = first.split(',').nth(1).expect("an account").to_owned();
    let balance = office.json(0, &["balance", &account]);
    assert_eq!(balance["lines"][0]["credits_milli"], 7_000);
    assert_eq!(balance["lines"][0]["minutes"], (72 + 54) * 45);
}

#[test]
fn the_same_rows_in_gb18030_are_the_same_records() {
    let _turn = turn();
    let (office, school) = issuer("gb18030");
    let utf8 = office.file("gb/utf8.csv", semester());
    let text = semester();
    let (encoded, _, lossy) = encoding_rs::GB18030.encode(&text);
    assert!(!lossy);
    let gb = office.file("gb/gb18030.csv", encoded);
    assert_eq!(submit(office, 1, &school, &gb, &OPEN), [8, 0, 0, 2, 2]);
    let size = office.size();
    assert_eq!(submit(office, 1, &school, &utf8, &OPEN), [0, 8, 0, 2, 2]);
    let marked = office.file("gb/marked.csv", format!("\u{feff}{}", semester().replace('\n', "\r\n")));
    assert_eq!(submit(office, 1, &school, &marked, &OPEN), [0, 8, 0, 2, 2]);
    assert_eq!(office.size(), size);
    let titles =
        std::fs::read_to_string(office.path("gb/gb18030.results.accounts.csv")).expect("account numbers");
    let account = titles.lines().nth(1).expect("a learner").split(',').nth(1).expect("an account").to_owned();
    let records = office.must(&["record", "list", &account, "--details"]);
    assert!(records.contains("经济法") || records.contains("基础会计"), "{records}");
}

#[test]
fn each_mode_enters_the_same_records() {
    let _turn = turn();
    for mode in ["batch", "single", "stream"] {
        let (office, school) = issuer(&format!("mode-{mode}"));
        let csv = office.file(&format!("{mode}.csv"), semester());
        let more = [OPEN.as_slice(), &["--mode", mode]].concat();
        assert_eq!(submit(office, 1, &school, &csv, &more), [8, 0, 0, 2, 2], "{mode}");
        assert_eq!(submit(office, 1, &school, &csv, &["--skip-bad"]), [0, 8, 0, 2, 2], "{mode}");
    }
}

#[test]
fn a_row_that_says_something_else_than_its_record_is_told_so() {
    let _turn = turn();
    let (office, school) = issuer("changed");
    let csv = office.file("changed/a.csv", semester());
    assert_eq!(submit(office, 1, &school, &csv, &OPEN), [8, 0, 0, 2, 2]);
    let size = office.size();
    let csv =
        office.file("changed/b.csv", semester().replace("程序设计基础,4,72,91", "程序设计基础,4,72,99"));
    assert_eq!(submit(office, 1, &school, &csv, &["--skip-bad"]), [0, 7, 1, 2, 2]);
    assert!(results(&office.path("changed/b.results.csv")).iter().any(|row| row[2] == "ROW_CHANGED"));
    assert_eq!(office.size(), size);
}

/// A lost or second secret, and another scope, would make other records of the same rows: credits twice.
#[test]
fn nothing_that_would_give_credits_twice_happens_unasked() {
    let _turn = turn();
    let (office, school) = issuer("naming");
    let csv = office.file("naming/a.csv", semester());
    let mapping = shipped("mappings/semester.toml");
    assert_eq!(submit(office, 1, &school, &csv, &OPEN), [8, 0, 0, 2, 2]);
    let size = office.size();
    let home = office.bank.home().join("institutions").join(&school);
    let (key, away) = (home.join("rows.key"), home.join("rows.key.away"));
    std::fs::rename(&key, &away).expect("a rows key");
    // The secret is lost.
    let said = office.ends(2, &arguments(&school, &csv, &mapping, &["--skip-bad"]));
    for told in [key.display().to_string().as_str(), "--new-row-key", "twice", "restore"] {
        assert!(said.contains(told), "{told} in {said}");
    }
    let chinese = office.ends(2, &arguments(&school, &csv, &mapping, &["--skip-bad", "--lang", "zh"]));
    assert!(chinese.contains("重复入账") && chinese.contains("从备份恢复"), "{chinese}");
    // A check needs no secret and makes none, but says that it is missing.
    let checked = office.ends(1, &arguments(&school, &csv, &mapping, &["--check"]));
    assert!(checked.contains("--new-row-key"), "{checked}");
    // An id with a slip of the hand is not told that it needs a new key.
    let slip = office.ends(2, &arguments("cn.test.namin", &csv, &mapping, &[]));
    assert!(slip.contains("records") && !slip.contains("--new-row-key"), "{slip}");
    // Nor does an admission that the ledger refuses make one.
    let file = office.path(&format!("{school}.toml"));
    let again = office.ends(1, &["institution", "admit", "--file", &file, "--generate-keys"]);
    assert!(again.contains("INSTITUTION_EXISTS"), "{again}");
    assert!(!key.exists() && office.size() == size);
    // It is found again.
    std::fs::rename(&away, &key).expect("a rows key");
    let there = office.ends(2, &arguments(&school, &csv, &mapping, &["--skip-bad", "--new-row-key"]));
    assert!(there.contains("leave out --new-row-key"), "{there}");
    // Another scope, other columns.
    let text = std::fs::read_to_string(&mapping).expect("a mapping");
    for other in [
        text.replace("openuniv/semester", "openuniv/other"),
        text.replace("\"课程代码\", \"学号\"", "\"学号\", \"课程代码\""),
    ] {
        assert_ne!(other, text);
        let other = office.file("naming/other.toml", other);
        let said = office.ends(2, &arguments(&school, &csv, &other, &["--skip-bad"]));
        assert!(said.contains("--new-scope") && said.contains("openuniv/semester"), "{said}");
    }
    assert_eq!(submit(office, 1, &school, &csv, &["--skip-bad"]), [0, 8, 0, 2, 2]);
    assert_eq!(office.size(), size);
    // Another kind of spreadsheet is taken where that is said, and known from then on.
    let certificates =
        office.file("naming/certificates.toml", text.replace("openuniv/semester", "openuniv/x"));
    let header = semester().lines().next().expect("a header").to_owned();
    let row = "2026-1,2024101000001,林晓云,YJOU-0411,基础会计,2,36,86,2026/6/24,96.5,混合";
    let other = office.file("naming/certificates.csv", format!("{header}\n{row}\n"));
    office.must(&arguments(&school, &other, &certificates, &["--new-scope"]));
    let again = office.json(0, &arguments(&school, &other, &certificates, &[]));
    assert_eq!(count(&again, "already"), 1);
}

/// An issuer whose keys were not made here has no secret yet: at its first import it asks for one.
#[test]
fn a_first_import_without_a_row_key_asks_for_one_once() {
    let _turn = turn();
    let (office, school) = issuer("first");
    let csv = office.file("first/a.csv", semester());
    let mapping = shipped("mappings/semester.toml");
    let key = office.bank.home().join("institutions").join(&school).join("rows.key");
    std::fs::remove_file(&key).expect("a rows key");
    // Rows are bad, nothing is sent: nothing is made either.
    office.ends(1, &arguments(&school, &csv, &mapping, &["--new-row-key"]));
    assert!(!key.exists());
    let first = [OPEN.as_slice(), &["--new-row-key"]].concat();
    let said = office.ends(1, &arguments(&school, &csv, &mapping, &first));
    assert!(said.contains("back it up") && said.contains("8 accepted"), "{said}");
    assert_eq!(submit(office, 1, &school, &csv, &OPEN), [0, 8, 0, 2, 2]);
}

/// Waits for a command that must end by itself within a time.
fn quickly(mut child: Child, most: Duration, what: &str) -> std::process::Output {
    let ended = wait_within(most, what, || child.try_wait().expect("a child's status"));
    let mut output = child.wait_with_output().expect("its output");
    output.status = ended;
    output
}

#[test]
fn files_that_are_no_spreadsheet_are_refused_with_the_place() {
    let _turn = turn();
    let (office, school) = issuer("broken");
    let size = office.size();
    let mapping = shipped("mappings/semester.toml");
    let good = semester();
    let mut bad_byte = good.clone().into_bytes();
    let line_three = good.match_indices('\n').nth(1).expect("three lines").0 + 1;
    bad_byte[line_three + 1] = 0xff;
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("no-column.csv", good.replace("学分", "分数").into_bytes(), "学分"),
        ("two-columns.csv", good.replace("学分,学时", "学分,学分").into_bytes(), "学分"),
        ("bad-byte.csv", bad_byte, "3"),
        ("workbook.csv", b"PK\x03\x04rest of a zip archive".to_vec(), ""),
        ("open-quote.csv", good.replace("\"基础会计\"", "\"基础会计").into_bytes(), "9"),
        ("empty.csv", Vec::new(), ""),
        ("nul.csv", vec![0; 4_096], ""),
        ("columns.csv", "a,".repeat(1_000_000).into_bytes(), "1024"),
    ];
    for (name, bytes, told) in cases {
        let csv = office.file(&format!("broken/{name}"), bytes);
        let mut command = office.command();
        command
            .args(arguments(&school, &csv, &mapping, &["--skip-bad"]))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = quickly(command.spawn().expect("it runs"), REFUSED_WITHIN, name);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.replace(',', "").contains(told), "{name} should tell {told}: {said}");
        assert!(said.contains(name), "{said}");
    }
    let missing = office.path("broken/none.csv");
    office.ends(4, &arguments(&school, &missing, &mapping, &[]));
    let csv = office.file("broken/good.csv", &good);
    office.ends(4, &arguments(&school, &csv, &missing, &[]));
    for wrong in ["format = 2\n", "format = 1\nfoo = 1\n", "x"] {
        let mapping = office.file("broken/mapping.toml", wrong);
        office.ends(2, &arguments(&school, &csv, &mapping, &[]));
    }
    assert_eq!(office.size(), size);
}

/// A field of sixteen megabytes, a row of a million fields: refused within the bounds, not after the memory is gone.
#[test]
fn huge_fields_and_rows_are_refused() {
    let _turn = turn();
    let (office, school) = issuer("huge");
    let mapping = shipped("mappings/semester.toml");
    let header = semester().lines().next().expect("a header").to_owned();
    for (name, row) in [("field.csv", "9".repeat(16 << 20)), ("row.csv", "1,".repeat(1 << 20))] {
        let csv = office.file(&format!("huge/{name}"), format!("{header}\n{row}\n"));
        let output = office.run(&arguments(&school, &csv, &mapping, &["--skip-bad"]));
        assert_eq!(output.status.code(), Some(2), "{name}: {}", text(&output));
    }
}

/// A spreadsheet of the semester's form with so many learners, one course each.
fn large(learners: usize) -> String {
    let mut csv = semester().lines().next().expect("a header").to_owned();
    csv.push('\n');
    for number in 0..learners {
        writeln!(csv, "2026-1,K{number:06},学员,YJOU-0411,基础会计,4,72,80,2026/6/24,90,混合")
            .expect("a text");
    }
    csv
}

#[test]
fn an_import_that_is_killed_is_finished_by_the_next_one() {
    let office = Office::open();
    let school = "cn.test.killed";
    office.issuer(school);
    let csv = office.file("killed.csv", large(640));
    let mapping = shipped("mappings/semester.toml");
    let before = office.size();
    // Ten chunks of openings and ten of records: killed among the openings, then among the records.
    for chunks in [4, 15] {
        let mut command = office.command();
        command.args(arguments(school, &csv, &mapping, &OPEN)).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it runs");
        wait_for("the import to get going", || {
            let ended = child.try_wait().expect("a child's status");
            assert!(ended.is_none(), "the import ended before it was killed");
            (office.size() >= before + chunks).then_some(())
        });
        signal("KILL", child.id());
        child.wait().expect("a child ends");
        // What is left to go on with holds personal data.
        let left = std::fs::metadata(office.path("killed.results.resume")).expect("a file to go on with");
        assert_eq!(left.permissions().mode() & 0o077, 0);
    }
    let [accepted, already, refused, not_credit, bad] = submit(&office, 0, school, &csv, &OPEN);
    assert_eq!((accepted + already, refused, not_credit, bad), (640, 0, 0, 0));
    assert!(
        std::fs::metadata(office.path("killed.results.resume")).is_err(),
        "nothing is left to go on with"
    );
    let size = office.size();
    assert_eq!(submit(&office, 0, school, &csv, &OPEN), [0, 640, 0, 0, 0]);
    assert_eq!(office.size(), size);
    // Each row is one record, each learner one account: two manifests and twenty chunks, nothing twice.
    assert_eq!(size, before + 22);
    let ids: BTreeSet<String> =
        results(&office.path("killed.results.csv")).into_iter().map(|row| row[3].clone()).collect();
    assert_eq!(ids.len(), 640);
    assert!(office.bank.stop().success());
    office.bank.must(&["verify"]);
}

/// The server dies while an import is under way and comes back at the same address: the import goes on by itself.
#[test]
fn an_import_goes_on_when_the_server_comes_back() {
    let office = Office::open();
    let school = "cn.test.restart";
    office.issuer(school);
    let csv = office.file("restart.csv", large(640));
    let mapping = shipped("mappings/semester.toml");
    let before = office.size();
    let mut command = office.command();
    let arguments = arguments(school, &csv, &mapping, &OPEN);
    command.args(["--output", "json"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it runs");
    wait_for("the import to get going", || (office.size() >= before + 6).then_some(()));
    let endpoint = office.bank.endpoint();
    office.bank.kill9();
    office.bank.serve_at(&endpoint);
    let output = quickly(child, Duration::from_secs(120), "the import to end");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let told: BTreeMap<&str, u64> =
        ["accepted", "already", "refused"].map(|name| (name, count(&document, name))).into();
    assert_eq!((told["accepted"] + told["already"], told["refused"]), (640, 0), "{document}");
    // One entry more: the server's own start.
    assert_eq!(office.size(), before + 23);
}
