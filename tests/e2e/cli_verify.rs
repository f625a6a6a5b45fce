//! What a stopped ledger is worth: verified whole, and every flipped byte either found or without effect.

use crate::bank::text;
use crate::office::{Office, REGISTRAR, copy, shipped};
use std::path::{Path, PathBuf};

/// An office with a semester in its ledger, stopped.
fn stopped() -> Office {
    let office = Office::open();
    let school = "cn.test.semester";
    office.issuer(school);
    let csv = office.file("semester.csv", std::fs::read(shipped("mappings/semester.csv")).expect("a file"));
    let mapping = shipped("mappings/semester.toml");
    office.ends(
        1,
        &[
            "submit",
            "--as",
            school,
            "--csv",
            &csv,
            "--mapping",
            &mapping,
            "--skip-bad",
            "--open-accounts",
            "--registrar",
            REGISTRAR,
        ],
    );
    assert!(office.bank.stop().success(), "{}", office.bank.log());
    office
}

#[test]
fn a_stopped_ledger_verifies_and_its_index_is_what_the_log_makes_it() {
    let office = stopped();
    let verdict = office.bank.must(&["--output", "json", "verify"]);
    let verdict: serde_json::Value = serde_json::from_str(&verdict).expect("JSON");
    assert_eq!(verdict["verdict"], "OK");
    assert_eq!(verdict["entries"], verdict["size"]);
    assert!(verdict["signatures"].as_u64() > Some(10));
    office.bank.must(&["rebuild", "--check"]);
    office.bank.must(&["rebuild"]);
    office.bank.must(&["rebuild", "--check"]);
    office.bank.must(&["verify"]);
    // It runs again, and answers.
    office.bank.serve();
    office.must(&["institution", "list"]);
    assert!(office.bank.stop().success());
}

/// A running ledger's directory is not looked at from outside.
#[test]
fn a_running_ledger_is_not_verified_by_its_files() {
    let office = Office::open();
    office.ends(4, &["verify"]);
    office.ends(4, &["rebuild", "--check"]);
    office.ends(0, &["verify", "--running"]);
}

#[test]
fn another_logs_trust_file_does_not_fit() {
    let office = stopped();
    let other = crate::bank::Bank::new(&[]);
    let trust = other.home().join("trust.toml").display().to_string();
    let output = office.bank.run(&["verify", "--trust", &trust]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}

/// Verifies a copy of a stopped ledger in which one byte of one file differs.
fn verified(office: &Office, file: &Path, at: usize) -> std::process::Output {
    let folder = office.bank.folder().join("copy");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("an old copy");
    }
    let ledger = office.bank.home().join("ledger");
    copy(&ledger, &folder);
    let target = folder.join(file.strip_prefix(&ledger).expect("a file of the ledger"));
    let mut bytes = std::fs::read(&target).expect("a file");
    bytes[at] ^= 0x10;
    std::fs::write(&target, bytes).expect("a file");
    office.bank.run(&["--output", "json", "verify", "--dir", &folder.display().to_string()])
}

/// Where a text stands in a file.
fn places(file: &Path, wanted: &[u8]) -> Vec<usize> {
    let bytes = std::fs::read(file).expect("a file");
    let found = bytes.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted);
    found.map(|(at, _)| at).collect()
}

/// The longest file of the store's journal, in which so small a ledger stands whole.
fn journal(store: &Path) -> PathBuf {
    let files = std::fs::read_dir(store).expect("a folder").map(|file| file.expect("a file").path());
    let files = files
        .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("journal.")));
    files.max_by_key(|file| std::fs::metadata(file).expect("a file").len()).expect("a journal")
}

/// A bit on the disk flips: the verifier names the entry or says which file can't be read, or nothing hangs on the bit.
#[test]
fn a_flipped_byte_is_found_and_named() {
    let office = stopped();
    let store = journal(&office.bank.home().join("ledger").join("store"));
    // The scheme's name stands in every deposit: in entries and in rows.
    let mut offsets = places(&store, b"CN_XF");
    assert!(!offsets.is_empty(), "no deposit was found in the store's file");
    let length = std::fs::read(&store).expect("a file").len();
    offsets.truncate(12);
    offsets.extend((1..12).map(|part| length / 12 * part));
    let (mut found, mut harmless) = (0, 0);
    for at in offsets {
        let output = verified(&office, &store, at);
        match output.status.code() {
            Some(0) => harmless += 1,
            Some(3) => {
                found += 1;
                let said = text(&output);
                let verdict = serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON");
                let index = verdict["first_bad_index"].is_u64();
                let named = index || verdict["rows"].is_string() || verdict["error"]["en"].is_string();
                assert!(named, "at {at}: {said}");
            }
            _ => panic!("at {at}: {}", text(&output)),
        }
    }
    assert!(found > 0, "{harmless} flips and none was found");
}

#[test]
fn a_damaged_high_water_file_is_found() {
    let office = stopped();
    let file = office.bank.home().join("ledger").join("high-water");
    let length = std::fs::read(&file).expect("a file").len();
    let mut found = 0;
    for at in (0..length).step_by((length / 24).max(1)) {
        let output = verified(&office, &file, at);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3)), "at {at}: {}", text(&output));
        found += u32::from(code == Some(3));
    }
    // The file has two slots, each a copy: one damaged slot is no loss.
    eprintln!("{found} flips of the high-water file were fatal");
    // Both slots gone is one.
    let folder = office.bank.folder().join("copy");
    std::fs::remove_dir_all(&folder).expect("an old copy");
    copy(&office.bank.home().join("ledger"), &folder);
    std::fs::write(folder.join("high-water"), vec![0; length]).expect("a file");
    let output = office.bank.run(&["verify", "--dir", &folder.display().to_string()]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}

/// A learner keeps a signed balance: whoever has the trust file checks it, long after the server is gone.
#[test]
fn a_kept_balance_is_verified_without_a_server() {
    let office = stopped();
    office.bank.serve();
    let accounts = std::fs::read_to_string(office.path("semester.results.accounts.csv")).expect("accounts");
    let account =
        accounts.lines().nth(1).and_then(|line| line.split(',').nth(1)).expect("an account").to_owned();
    let statement = office.json(0, &["statement", &account, "--prove"]);
    assert_eq!((&statement["proved"], &statement["sums"]), (&true.into(), &"EQUAL".into()), "{statement}");
    let said = office.must(&["--lang", "zh", "statement", &account, "--prove"]);
    assert!(said.contains("各条变动之和等于余额"), "{said}");
    let kept = office.path("kept.balance");
    let balance = office.json(0, &["balance", &account, "--keep", &kept]);
    assert!(office.bank.stop().success());
    let verified: serde_json::Value =
        serde_json::from_str(&office.bank.must(&["--output", "json", "verify", "balance", &kept]))
            .expect("JSON");
    assert_eq!((&verified["verdict"], &verified["account_ref"]), (&"OK".into(), &account.as_str().into()));
    for field in ["lines", "size", "root", "sequence", "as_of", "log_id"] {
        assert_eq!(verified[field], balance[field], "{field}");
    }
    let shown = office.bank.must(&["--lang", "zh", "verify", "balance", &kept]);
    assert!(shown.contains("余额有效") && shown.contains(&account), "{shown}");
    // No byte of it can be another one: what is signed, the signature, and the proof under it.
    let bytes = std::fs::read(&kept).expect("a file");
    let mut refused = 0;
    for at in (0..bytes.len()).step_by((bytes.len() / 40).max(1)) {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        let bent = office.file("bent.balance", bent);
        let output = office.bank.run(&["verify", "balance", &bent]);
        assert!(matches!(output.status.code(), Some(2 | 3 | 5)), "at {at}: {}", text(&output));
        refused += u32::from(output.status.code() == Some(3));
    }
    assert!(refused > 20, "{refused}");
    // Nor is it another bank's, or any file.
    let other = crate::bank::Bank::new(&[]);
    let trust = other.home().join("trust.toml").display().to_string();
    let output = office.bank.run(&["verify", "balance", &kept, "--trust", &trust]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    for nonsense in ["", "no balance at all"] {
        let file = office.file("nonsense.balance", nonsense);
        let output = office.bank.run(&["verify", "balance", &file]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
}

/// A store that was rolled back to an earlier copy is not the ledger that has signed later heads.
#[test]
fn a_rolled_back_store_is_found() {
    let office = Office::open();
    assert!(office.bank.stop().success());
    let ledger = office.bank.home().join("ledger");
    let earlier = office.bank.folder().join("earlier");
    copy(&ledger, &earlier);
    office.bank.serve();
    office.issuer("cn.test.later");
    assert!(office.bank.stop().success());
    std::fs::remove_dir_all(ledger.join("store")).expect("the store");
    copy(&earlier.join("store"), &ledger.join("store"));
    let output = office.bank.run(&["verify"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let refused = office.bank.try_serve(&[]).expect_err("it must not start");
    assert!(refused.contains("rolled back"), "{refused}");
    // With its own high-water file too, only those who saw a later head can tell: this home's clients did.
    std::fs::copy(earlier.join("high-water"), ledger.join("high-water")).expect("a file");
    let output = office.bank.run(&["verify"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}
