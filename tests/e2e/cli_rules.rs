//! Rule books by the command line: checked, tested, told, pictured, compared, and the guide run from its first command
//! to its last.

use crate::bank::text;
use crate::office::{root, shipped};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_creditbank");
const CITY: &str = "rulebooks/yunjiang-city";

fn bare(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CREDITBANK_") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").env("CREDITBANK_HOME", folder.join("none")).current_dir(root());
    command.stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    let output = bare(BINARY, folder.path()).args(arguments).output().unwrap();
    // Nothing about rule books needs a home, and nothing makes one.
    assert!(!folder.path().join("none").exists());
    output
}

/// What a command writes that must end with this code.
fn ends(code: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn json(code: i32, arguments: &[&str]) -> Value {
    let written = ends(code, &[&["--output", "json"], arguments].concat());
    serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"))
}

/// A folder with a copy of the city's book and cases, the book with a stretch of it replaced.
fn city_with(old: &str, new: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let book = fs::read_to_string(shipped(&format!("{CITY}/book.toml"))).unwrap();
    assert!(book.contains(old), "{old}");
    fs::write(folder.path().join("book.toml"), book.replacen(old, new, 1)).unwrap();
    fs::copy(shipped(&format!("{CITY}/cases.toml")), folder.path().join("cases.toml")).unwrap();
    folder
}

fn path(folder: &TempDir) -> String {
    folder.path().display().to_string()
}

#[test]
fn every_book_that_ships_is_read_and_passes_its_cases() {
    let mut books = 0;
    for folder in fs::read_dir(shipped("rulebooks")).unwrap().map(|entry| entry.unwrap().path()) {
        if folder.is_dir() {
            let tested = json(0, &["rules", "test", folder.to_str().unwrap()]);
            assert_eq!(tested["failed"], 0, "{tested}");
            assert!(tested["passed"].as_u64() > Some(0), "{tested}");
            books += 1;
        }
    }
    assert!(books >= 18, "{books}");
}

#[test]
fn a_fault_is_told_with_its_file_line_and_column_in_both_languages() {
    let folder = city_with("xs_minutes = 45", "xs_minuets = 45");
    let book = folder.path().join("book.toml").display().to_string();
    let line =
        fs::read_to_string(&book).unwrap().lines().position(|line| line.contains("minuets")).unwrap() + 1;
    let english = ends(1, &["rules", "check", &path(&folder)]);
    assert!(english.contains(&format!("{book}:{line}:1: error UNKNOWN_FIELD")), "{english}");
    let chinese = ends(1, &["--lang", "zh", "rules", "check", &book]);
    assert!(chinese.contains(&format!("{book}:{line}:1: 错误 UNKNOWN_FIELD")), "{chinese}");
    let found = json(1, &["rules", "check", &book]);
    let finding = &found["findings"][0];
    assert_eq!((&found["errors"], &finding["file"]), (&1.into(), &book.clone().into()));
    assert_eq!(finding["place"]["line"], line);
    assert!(!finding["message"]["zh"].as_str().unwrap().is_empty());
    // Whatever is asked of a book that can't be read is answered in the same way.
    for asked in ["explain", "hash", "canonical", "render"] {
        assert!(ends(1, &["rules", asked, &book]).contains("UNKNOWN_FIELD"), "{asked}");
    }
    assert!(!Path::new(&root()).join("page.html").exists());
}

#[test]
fn what_is_no_book_or_no_file_has_its_own_exit_code() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(&["rules", "check", &path(&folder)]).status.code(), Some(4));
    let latin = folder.path().join("book.toml");
    fs::write(&latin, b"schema = \"\xff\"").unwrap();
    assert_eq!(run(&["rules", "check", latin.to_str().unwrap()]).status.code(), Some(2));
    let lone = folder.path().join("lone");
    fs::create_dir(&lone).unwrap();
    fs::copy(shipped(&format!("{CITY}/book.toml")), lone.join("book.toml")).unwrap();
    let output = run(&["rules", "test", lone.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("cases.toml"), "{}", text(&output));
    let output = run(&["rules", "explain", &shipped(CITY), "--case", "no-such"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("no-such"), "{}", text(&output));
}

#[test]
fn a_case_that_no_longer_comes_out_is_told_with_what_came_out() {
    let cases = fs::read_to_string(shipped(&format!("{CITY}/cases.toml"))).unwrap();
    let folder = city_with("xs_minutes = 45", "xs_minutes = 45");
    let broken = cases.replacen("credit = \"8 cr\"", "credit = \"9 cr\"", 1);
    assert_ne!(broken, cases);
    fs::write(folder.path().join("cases.toml"), broken).unwrap();
    let told = ends(1, &["rules", "test", &path(&folder)]);
    assert!(told.contains("senior-electrician") && told.contains("9 cr") && told.contains("8 cr"), "{told}");
    let document = json(1, &["rules", "test", &path(&folder)]);
    assert_eq!(document["failed"], 1);
}

#[test]
fn canonical_bytes_are_the_same_book_with_the_same_hash() {
    let folder = TempDir::new().unwrap();
    let bytes = run(&["rules", "canonical", &shipped(CITY)]).stdout;
    let file = folder.path().join("book.json");
    fs::write(&file, &bytes).unwrap();
    let hash = ends(0, &["rules", "hash", &shipped(CITY)]);
    assert_eq!(hash.trim().len(), 64, "{hash}");
    assert_eq!(ends(0, &["rules", "hash", file.to_str().unwrap()]), hash);
    assert_eq!(run(&["rules", "canonical", file.to_str().unwrap()]).stdout, bytes);
    let mut other = bytes;
    other.push(b' ');
    fs::write(&file, other).unwrap();
    assert!(ends(1, &["rules", "hash", file.to_str().unwrap()]).contains("NOT_CANONICAL"));
}

#[test]
fn a_book_and_a_decision_are_told_in_the_language_that_is_asked_for() {
    let chinese = ends(0, &["--lang", "zh", "rules", "explain", &shipped(CITY)]);
    assert!(chinese.contains("云江市") && chinese.contains("上限："), "{chinese}");
    let both = json(0, &["rules", "explain", &shipped(CITY)]);
    let count = |language: &str| both[language].as_array().unwrap().len();
    assert_eq!(count("zh"), count("en"));
    let decision = json(0, &["rules", "explain", &shipped(CITY), "--case", "senior-electrician"]);
    assert_eq!(decision["explanation"]["awarded_milli"], 8_000);
    assert_eq!(decision["explanation"]["status"], "proven_optimal");
    let hash = format!("sha256:{}", ends(0, &["rules", "hash", &shipped(CITY)]).trim());
    assert_eq!(decision["explanation"]["book"], hash);
    let told = ends(0, &["rules", "explain", &shipped(CITY), "--case", "senior-electrician"]);
    assert!(told.contains("8 credits are granted"), "{told}");
}

#[test]
fn pages_are_whole_and_fetch_nothing() {
    let folder = TempDir::new().unwrap();
    for asked in [&[][..], &["--case", "senior-electrician"]] {
        let page = folder.path().join("page.html");
        let city = shipped(CITY);
        let arguments = [&["rules", "render", &city, "-o", page.to_str().unwrap()], asked].concat();
        ends(0, &arguments);
        let html = fs::read_to_string(&page).unwrap();
        assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"));
        assert!(html.contains("<svg") && html.contains("lang=\"zh-CN\"") && html.contains("lang=\"en\""));
        for outside in ["<script", "src=", "http://", "https://"] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}

#[test]
fn two_versions_differ_in_what_was_changed() {
    let folder = city_with("version = 1", "version = 2");
    let found = json(0, &["rules", "diff", &shipped(CITY), &path(&folder)]);
    assert_eq!((&found["old"]["version"], &found["new"]["version"]), (&1.into(), &2.into()));
    assert_eq!(found["differences"].as_array().unwrap().len(), 1, "{found}");
    let same = ends(0, &["rules", "diff", &shipped(CITY), &shipped(CITY)]);
    assert!(same.contains("say the same"), "{same}");
}

/// The commands of the guide, in order, in one shell.
#[test]
fn the_guide_runs_from_its_first_command_to_its_last() {
    let guide = fs::read_to_string(root().join("docs/guide/rules.md")).unwrap();
    let mut script = format!("set -eu\ncreditbank() {{ \"{BINARY}\" \"$@\"; }}\n");
    let blocks = guide.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    for line in blocks.flat_map(str::lines).filter(|line| !line.starts_with("alias ")) {
        script.push_str(line);
        script.push('\n');
    }
    let folder = TempDir::new().unwrap();
    let mut command = bare("bash", folder.path());
    let output = command.env("TMPDIR", folder.path()).args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    // What the guide shows is what comes out.
    let written = text(&output);
    for shown in guide.split("```text\n").skip(1).map(|rest| rest.split_once("```").unwrap().0) {
        for line in shown.lines().filter(|line| !line.contains('…')) {
            assert!(written.contains(line.trim()), "{line}\n---\n{written}");
        }
    }
}
