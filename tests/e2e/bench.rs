//! The benchmark in its smallest form: every figure is there, in the document and on the page, and the machine is left as
//! it was found.

use crate::bank::{Bank, text, wait_for};
use crate::publish::shown;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

/// The rates of the report that every run without PostgreSQL has too.
const RATES: [&str; 28] = [
    "verify_one_core",
    "verify",
    "batch_one_core",
    "batch",
    "sha256",
    "leaf_hashes",
    "tree",
    "packed_append",
    "rpc_1",
    "rpc_16",
    "rpc_256",
    "semester_1",
    "semester_4",
    "semester_live",
    "scattered",
    "scattered_live",
    "unary_1",
    "unary_16",
    "unary_256",
    "unary_live",
    "balance_1",
    "balance_16",
    "balance_256",
    "loaded_16",
    "receipt_16",
    "receipt_256",
    "receipt_alone_256",
    "city",
];
/// What stands in the report in pairs of `_p50` and `_p99`.
const TIMES: [&str; 10] = [
    "fdatasync",
    "rpc_256",
    "semester_4",
    "unary_1",
    "unary_256",
    "balance_256",
    "receipt_256",
    "city_read",
    "city_write",
    "rpc_1",
];
/// What PostgreSQL gives.
const POSTGRES: [&str; 9] = [
    "postgres_one_1",
    "postgres_one_1_p50",
    "postgres_one_1_p99",
    "postgres_one_16",
    "postgres_one_16_p50",
    "postgres_one_16_p99",
    "postgres_batch_1000",
    "postgres_batch_5000",
    "postgres_batch_20000",
];

/// Runs the benchmark; gives its document.
fn run(bank: &Bank, home: &Path, options: &[&str]) -> Value {
    let home = shown(home);
    let output = bank.run(&[&["--home", &home, "--output", "json", "bench", "--quick"], options].concat());
    assert!(output.status.success(), "{options:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).expect("one document")
}

/// The medians by figure.
fn medians(document: &Value) -> BTreeMap<String, u64> {
    let figures = document["figures"].as_array().expect("figures");
    let median = |figure: &Value| {
        let id = figure["id"].as_str().expect("an id").to_owned();
        let [min, median, max] =
            ["min", "median", "max"].map(|name| figure[name].as_u64().expect("a whole number"));
        assert!(min <= median && median <= max, "{figure}");
        assert!(!figure["samples"].as_array().expect("samples").is_empty(), "{figure}");
        (id, median)
    };
    figures.iter().map(median).collect()
}

#[test]
fn one_run_gives_every_figure_and_a_page() {
    let bank = Bank::new(&[]);
    let (home, page) = (bank.folder().join("measured"), bank.folder().join("bench.html"));
    let document = run(&bank, &home, &["--html", &shown(&page)]);
    let medians = medians(&document);
    for id in RATES {
        assert!(medians.get(id).is_some_and(|median| *median > 0), "{id}: {medians:?}");
    }
    for what in TIMES {
        let [low, high] = ["p50", "p99"].map(|tail| medians[&format!("{what}_{tail}")]);
        assert!(0 < low && low <= high, "{what}: {low} {high}");
    }
    let postgres = &document["postgres"];
    if postgres["present"] == true {
        for id in POSTGRES {
            assert!(medians.get(id).is_some_and(|median| *median > 0), "{id}: {medians:?}");
        }
    } else {
        let why = postgres["en"].as_str().expect("why");
        assert!(why.starts_with("absent") || why.starts_with("did not start"), "{why}");
        assert!(medians.keys().all(|id| !id.starts_with("postgres")), "{medians:?}");
    }
    let points = document["growth"]["points"].as_array().expect("growth");
    assert_eq!(points.len(), 3);
    for (id, value) in points.iter().flat_map(|point| point.as_object().expect("a point")) {
        assert!(value.as_u64().is_some_and(|value| value > 0), "{id} {value}");
    }
    let targets = document["targets"].as_array().expect("targets");
    assert!(targets.len() >= 12);
    for target in targets {
        let needs_postgres = ["semester", "unary_256"].contains(&target["id"].as_str().expect("an id"));
        assert!(target["met"].is_boolean() || (needs_postgres && postgres["present"] == false), "{target}");
    }
    assert!(document["environment"]["kernel"].as_str().is_some_and(|kernel| !kernel.is_empty()));
    let page = std::fs::read_to_string(&page).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html><html") && page.ends_with("</html>"));
    for word in ["<script", "<link", "<img", "src=", "href=", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    assert_eq!(page.matches("class=\"zh\"").count(), page.matches("class=\"en\"").count());
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(
        page.matches("class=\"plot\"").count() >= 10 && page.contains("scattered, each signed, streamed")
    );
    // What was measured is gone, and so is the ground it stood on.
    assert_eq!(home.read_dir().expect("the home").count(), 0);
}

#[test]
fn a_part_is_measured_alone_and_what_is_not_there_is_said() {
    let bank = Bank::new(&[]);
    let home = bank.folder().join("measured");
    let nowhere = shown(&bank.folder().join("nowhere"));
    let document =
        run(&bank, &home, &["--only", "scattered,postgres", "--postgres", &nowhere, "--rounds", "2"]);
    let medians = medians(&document);
    assert_eq!(medians.keys().collect::<Vec<_>>(), ["scattered", "scattered_live"]);
    assert_eq!(document["figures"][0]["samples"].as_array().expect("samples").len(), 2);
    assert_eq!(document["postgres"]["present"], false);
    assert!(document["postgres"]["en"].as_str().expect("why").starts_with("absent"));
    assert!(document["growth"].is_null());
    let output = bank.run(&["bench", "--only", "nonsense"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let output = bank.run(&["bench", "--quick", "rules"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_behind() {
    let bank = Bank::new(&[]);
    let home = bank.folder().join("measured");
    let mut command = bank.command();
    // Far more than can be through before the signal.
    command.arg("--home").arg(&home).args(["bench", "--only", "scattered", "--records", "1000000"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the benchmark starts");
    wait_for("the city to be made", || home.join("bench/city/ledger/store/db").exists().then_some(()));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal is sent");
    wait_for("the benchmark to end", || child.try_wait().expect("a status"));
    let output = child.wait_with_output().expect("its output");
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(text(&output).contains("interrupted"), "{}", text(&output));
    assert_eq!(home.read_dir().expect("the home").count(), 0);
}
