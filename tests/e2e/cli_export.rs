//! A stopped ledger handed to strangers: exported, checked with a trust file alone, gone on with after a cut.

use crate::bank::text;
use crate::office::{Office, REGISTRAR, shipped};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// An office with a semester in its ledger, single records and changes of status among it, stopped.
fn stopped() -> Office {
    let office = Office::open();
    let school = "cn.test.export";
    office.issuer(school);
    let csv = office.file("semester.csv", fs::read(shipped("mappings/semester.csv")).expect("a file"));
    let mapping = shipped("mappings/semester.toml");
    let submit = ["submit", "--as", school, "--csv", &csv, "--mapping", &mapping, "--skip-bad"];
    office.ends(1, &[&submit[..], &["--open-accounts", "--registrar", REGISTRAR]].concat());
    assert!(office.bank.stop().success(), "{}", office.bank.log());
    office
}

fn report(office: &Office, code: i32, arguments: &[&str]) -> Value {
    let output = office.bank.run(&[&["--output", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output)))
}

#[test]
fn an_export_is_checked_with_a_trust_file_alone() {
    let office = stopped();
    let (bare, full) = (office.path("bare"), office.path("full"));
    let made = report(&office, 0, &["export", &bare]);
    office.bank.must(&["export", &full, "--details"]);
    // A stranger has the folder and the trust file, and no home.
    let trust = office.path("trust.toml");
    fs::copy(office.bank.home().join("trust.toml"), &trust).expect("the trust file");
    let elsewhere = office.path("elsewhere");
    fs::create_dir_all(&elsewhere).expect("a folder");
    let verify = |folder: &str| {
        report(&office, 0, &["--home", &elsewhere, "verify", "export", folder, "--trust", &trust])
    };
    let (structure, replayed) = (verify(&bare), verify(&full));
    assert_eq!((&structure["verdict"], &structure["size"]), (&"OK".into(), &made["size"]));
    assert!(structure["structure_only"].as_u64() > Some(0));
    assert_eq!(replayed["structure_only"], 0);
    assert_eq!(replayed["decisions_replayed"], replayed["size"]);
    for same in ["root", "size", "entries", "statements", "signatures"] {
        assert_eq!(structure[same], replayed[same], "{same}");
    }
    // The data directory itself says the same, with and without the keyring.
    let stopped = report(&office, 0, &["verify"]);
    assert_eq!(stopped["structure_only"], structure["structure_only"]);
    assert_eq!(report(&office, 0, &["verify", "--details"])["structure_only"], 0);
    assert_eq!(report(&office, 0, &["verify", "--memory", "16"]), stopped);
}

#[test]
fn details_that_an_export_claims_are_all_there() {
    let office = stopped();
    let full = office.path("full");
    office.bank.must(&["export", &full, "--details"]);
    // The keyring lost, the vault can't be opened: nothing is exported as if it were whole.
    let ledger = office.bank.home().join("ledger");
    let keyring = ledger.join("keyring");
    let mut emptied = 0;
    for item in fs::read_dir(&keyring).expect("the keyring") {
        let path = item.expect("an item").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_file() && !name.contains("wrapping") {
            fs::remove_file(&path).expect("a file of the keyring");
            emptied += 1;
        }
    }
    assert!(emptied > 0, "the keyring has files of data keys");
    let verdict = report(&office, 3, &["verify", "--details"]);
    assert_eq!(verdict["rule"], "DETAILS_MISSING", "{verdict}");
    assert!(verdict["first_bad_index"].as_u64() > Some(0));
    let other = office.path("other");
    let output = office.bank.run(&["export", &other, "--details"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(!Path::new(&other).join("manifest").exists());
}

#[test]
fn an_export_that_was_cut_off_goes_on_and_a_foreign_folder_is_left_alone() {
    let office = stopped();
    let whole = office.path("whole");
    office.bank.must(&["export", &whole]);
    let output = office.bank.run(&["export", &whole]);
    assert_eq!(output.status.code(), Some(2), "a finished export stays: {}", text(&output));
    let foreign = office.path("foreign");
    office.file("foreign/mine.txt", "mine");
    let output = office.bank.run(&["export", &foreign]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert_eq!(fs::read(Path::new(&foreign).join("mine.txt")).expect("the file"), b"mine");
    assert_eq!(fs::read_dir(&foreign).expect("the folder").count(), 1);

    // As a cut leaves it: the mark, a torn part, a file that is not yet whole.
    let cut = office.path("cut");
    office.bank.must(&["export", &cut]);
    let mark = {
        let head = fs::read_to_string(Path::new(&cut).join("checkpoint")).expect("the checkpoint");
        let trust = fs::read_to_string(office.bank.home().join("trust.toml")).expect("the trust file");
        let log_id = trust.lines().find_map(|line| line.strip_prefix("log_id = ")).expect("the log's id");
        let verdict = report(&office, 0, &["verify", "export", &cut]);
        let size = head.lines().nth(1).expect("a size").to_owned();
        let root = verdict["root"].as_str().expect("a root").to_owned();
        format!("{}\n{size}\n{root}\ndetails false\n", log_id.trim().trim_matches('"'))
    };
    let file = |name: &str| Path::new(&cut).join(name);
    fs::remove_file(file("manifest")).expect("the manifest");
    fs::write(file("entries/000000000000.part"), b"torn").expect("a part");
    fs::write(file("entries/000000000000"), b"half").expect("a file");
    fs::write(file("unfinished"), mark).expect("the mark");
    let verdict = report(&office, 3, &["verify", "export", &cut]);
    assert_eq!(verdict["rule"], "FILE_MISSING");
    let output = office.bank.run(&["export", &cut, "--details"]);
    assert_eq!(output.status.code(), Some(2), "another export: {}", text(&output));
    office.bank.must(&["export", &cut]);
    for name in ["manifest", "checkpoint", "entries/000000000000"] {
        let both = [&whole, &cut].map(|folder| fs::read(Path::new(folder).join(name)).expect("a file"));
        assert_eq!(both[0], both[1], "{name}");
    }
    office.bank.must(&["verify", "export", &cut]);
    assert!(!file("unfinished").exists() && !file("entries/000000000000.part").exists());
}

#[test]
fn a_verdict_names_the_first_bad_entry_and_the_rule_in_both_languages() {
    let office = stopped();
    let folder = office.path("export");
    office.bank.must(&["export", &folder]);
    let file = Path::new(&folder).join("entries").join("000000000000");
    let mut bytes = fs::read(&file).expect("a file");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).expect("a file");
    let verdict = report(&office, 3, &["verify", "export", &folder]);
    assert_eq!(verdict["rule"], "PARTS_ROOT_WRONG", "{verdict}");
    let index = verdict["first_bad_index"].as_u64().expect("an index");
    for (language, word) in [("en", "BROKEN"), ("zh", "验证失败")] {
        let output = office.bank.run(&["--lang", language, "verify", "export", &folder]);
        assert_eq!(output.status.code(), Some(3));
        let said = text(&output);
        assert!(said.contains(word) && said.contains(&index.to_string()), "{said}");
        assert!(said.contains("PARTS_ROOT_WRONG"), "{said}");
    }
    let output = office.bank.run(&["verify", "export", &office.path("nowhere")]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}
