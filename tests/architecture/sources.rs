//! What source files may name and how long they may be.

use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a file.
const FILE_LINES_MAX: usize = 500;
/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 6] = ["util.rs", "utils.rs", "common.rs", "helpers.rs", "manager.rs", "mod.rs"];

/// Every Rust file of the repository with its path from the root, generated ones aside.
fn sources() -> Vec<(String, String)> {
    let root = super::root();
    let mut found = Vec::new();
    for folder in ["crates", "tests"] {
        collect(&root.join(folder), &root, &mut found);
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn collect(dir: &Path, root: &Path, found: &mut Vec<(String, String)>) {
    let mut items: Vec<PathBuf> =
        dir.read_dir().expect("a folder").map(|item| item.expect("an item").path()).collect();
    items.sort();
    for path in items {
        if path.is_dir() {
            if !["gen", "target", "node_modules"].iter().any(|skip| path.ends_with(skip)) {
                collect(&path, root, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("below the root").display().to_string();
            found.push((name, fs::read_to_string(&path).expect("a readable file")));
        }
    }
}

/// Files outside `allowed` that contain `word` outside comments.
fn named_outside(word: &str, within: &[&str], allowed: &[&str]) -> Vec<String> {
    let code = |line: &str| line.split("//").next().unwrap_or_default().contains(word);
    sources()
        .into_iter()
        .filter(|(name, _)| within.iter().any(|folder| name.starts_with(folder)))
        .filter(|(name, _)| !allowed.iter().any(|prefix| name.starts_with(prefix)))
        .filter(|(_, text)| text.lines().any(code))
        .map(|(name, _)| name)
        .collect()
}

const PURE: [&str; 5] = [
    "crates/credit-types/src",
    "crates/credit-ledger/src",
    "crates/credit-log/src",
    "crates/credit-proto/src",
    "crates/credit-verify/src",
];

#[test]
fn pure_crates_touch_no_file_socket_or_clock() {
    for word in ["std::fs", "std::net", "std::time", "std::env", "std::thread", "std::process"] {
        let outside = named_outside(word, &PURE, &[]);
        assert!(outside.is_empty(), "{word} is named in {outside:?}");
    }
}

#[test]
fn only_status_makes_grpc_codes() {
    for word in ["tonic::Code", " Code::", "(Code::"] {
        let outside = named_outside(
            word,
            &["crates/credit-service/src", "crates/credit-ledger/src", "crates/credit-types/src"],
            &["crates/credit-service/src/status"],
        );
        assert!(outside.is_empty(), "{word} is named in {outside:?}");
    }
}

#[test]
fn messages_stay_at_the_edge() {
    let allowed = [
        "crates/credit-proto",
        "crates/credit-rpc",
        "crates/credit-service",
        "crates/credit-client",
        "crates/credit-verify",
        "crates/creditbank",
        "crates/xtask",
        "tests/",
    ];
    let outside = named_outside("credit_proto", &["crates", "tests"], &allowed);
    assert!(outside.is_empty(), "credit_proto is named in {outside:?}");
}

#[test]
fn the_clock_and_the_generator_are_read_in_their_own_files() {
    let clocks = [
        "crates/credit-service/src/clock.rs",
        "crates/credit-client/src/clock.rs",
        "crates/creditbank/src/clock.rs",
        "tests/",
    ];
    for word in ["SystemTime::now", "Instant::now"] {
        let outside = named_outside(word, &["crates"], &clocks);
        assert!(outside.is_empty(), "{word} is named in {outside:?}");
    }
    let generators = [
        "crates/credit-service/src/random.rs",
        "crates/credit-client/src/random.rs",
        "crates/creditbank/src/random.rs",
    ];
    let outside = named_outside("getrandom::", &["crates"], &generators);
    assert!(outside.is_empty(), "getrandom is named in {outside:?}");
}

#[test]
fn files_are_short_and_say_what_they_hold() {
    for (name, text) in sources() {
        let lines = text.lines().count();
        assert!(lines < FILE_LINES_MAX, "{name} has {lines} lines");
        let file = name.rsplit('/').next().unwrap_or_default();
        assert!(!EMPTY_NAMES.contains(&file), "{name} has a name that says nothing");
    }
}

#[test]
fn nothing_is_left_undone() {
    for word in ["todo!(", "unimplemented!(", "#[ignore", "#[should_panic"] {
        let outside = named_outside(word, &["crates", "tests"], &["tests/architecture"]);
        assert!(outside.is_empty(), "{word} stands in {outside:?}");
    }
}
