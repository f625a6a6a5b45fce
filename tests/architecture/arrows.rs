//! Dependencies, from `cargo metadata` and the lock file.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Our crates, and which of ours each may import.
const ARROWS: [(&str, &[&str]); 12] = [
    ("credit-types", &[]),
    ("credit-rules", &["credit-types"]),
    ("credit-ledger", &["credit-types", "credit-rules"]),
    ("credit-log", &[]),
    ("credit-proto", &["credit-types"]),
    ("credit-verify", &["credit-types", "credit-rules", "credit-ledger", "credit-log", "credit-proto"]),
    ("credit-store", &[]),
    ("credit-rpc", &["credit-proto"]),
    (
        "credit-service",
        &[
            "credit-types",
            "credit-rules",
            "credit-ledger",
            "credit-log",
            "credit-proto",
            "credit-rpc",
            "credit-store",
        ],
    ),
    ("credit-client", &["credit-types", "credit-log", "credit-verify", "credit-proto", "credit-rpc"]),
    (
        "creditbank",
        &[
            "credit-types",
            "credit-rules",
            "credit-ledger",
            "credit-log",
            "credit-proto",
            "credit-verify",
            "credit-store",
            "credit-rpc",
            "credit-service",
            "credit-client",
        ],
    ),
    ("xtask", &["credit-rules", "credit-types"]),
];

/// Crates without I/O, clock, async or randomness.
const PURE: [&str; 6] =
    ["credit-types", "credit-rules", "credit-ledger", "credit-log", "credit-proto", "credit-verify"];

/// What a pure crate must never reach, however far away.
const IMPURE: [&str; 8] = ["tokio", "tonic", "sled", "rand", "getrandom", "mio", "socket2", "hyper"];

/// Crates of cryptography, of which the lock file may hold one version each.
const CRYPTOGRAPHIC: [&str; 12] = [
    "ed25519-dalek",
    "curve25519-dalek",
    "ed25519",
    "sha2",
    "hmac",
    "hkdf",
    "digest",
    "chacha20poly1305",
    "chacha20",
    "poly1305",
    "aead",
    "scrypt",
];

/// What a crate needs when it is used: dependencies that are neither for tests nor for builds.
struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
    names: BTreeMap<String, String>,
}

/// The machine's own target, as cargo names it.
fn host() -> String {
    let output = Command::new(env!("CARGO")).arg("-vV").output().expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host").to_owned()
}

/// What cargo knows of the packages that are built here. Of other platforms nothing has been downloaded on a fresh
/// machine, and a test fetches nothing.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &host()])
        .current_dir(super::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn graph() -> Graph {
    let metadata = metadata();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    let names = packages.iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let mut edges = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
        let used = node["deps"].as_array().expect("deps").iter().filter(|dependency| {
            dependency["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null())
        });
        edges.insert(text(&node["id"]), used.map(|dependency| text(&dependency["pkg"])).collect());
    }
    Graph { edges, names }
}

impl Graph {
    fn id(&self, name: &str) -> &String {
        self.names.iter().find(|(_, found)| *found == name).map(|(id, _)| id).expect("a package of that name")
    }

    fn direct(&self, name: &str) -> BTreeSet<&str> {
        self.edges[self.id(name)].iter().map(|id| self.names[id].as_str()).collect()
    }

    /// Everything a crate reaches, not going on behind `border`.
    fn reached(&self, name: &str, border: Option<&str>) -> BTreeSet<&str> {
        let mut waiting = vec![self.id(name)];
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            for next in &self.edges[id] {
                let next_name = self.names[next].as_str();
                if seen.insert(next_name) && Some(next_name) != border {
                    waiting.push(next);
                }
            }
        }
        seen
    }
}

#[test]
fn arrows_between_our_crates_point_inwards() {
    let graph = graph();
    for (name, allowed) in ARROWS {
        let ours = graph.direct(name).into_iter().filter(|other| ARROWS.iter().any(|(our, _)| our == other));
        for other in ours {
            assert!(allowed.contains(&other), "{name} may not import {other}");
        }
    }
    let members = super::root().join("crates").read_dir().expect("crates/").count();
    assert_eq!(members, ARROWS.len(), "a crate is missing in the table of arrows");
}

/// Everything that a crate is built with when it is built alone: features that other crates ask for don't count.
fn built_with(name: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", name, "-e", "normal", "--prefix", "none", "--locked", "--offline"])
        .current_dir(super::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let names: BTreeSet<String> =
        text.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect();
    assert!(names.contains(name), "cargo tree tells nothing of {name}");
    names
}

#[test]
fn pure_crates_reach_nothing_impure() {
    for name in PURE {
        let reached = built_with(name);
        for impure in IMPURE {
            assert!(!reached.contains(impure), "{name} reaches {impure}");
        }
    }
    let graph = graph();
    for name in PURE.into_iter().filter(|name| *name != "credit-proto") {
        let elsewhere = graph.reached(name, Some("credit-proto"));
        assert!(!elsewhere.contains("prost"), "{name} reaches prost other than through credit-proto");
    }
}

#[test]
fn a_third_party_needs_neither_service_nor_store() {
    let graph = graph();
    for name in ["credit-client", "credit-verify"] {
        let reached = graph.reached(name, None);
        assert!(!reached.contains("credit-service") && !reached.contains("credit-store"), "{name}");
    }
}

#[test]
fn anyhow_stays_in_the_binary_and_the_chores() {
    let graph = graph();
    for (name, _) in ARROWS {
        let uses = graph.direct(name).contains("anyhow");
        assert!(!uses || ["creditbank", "xtask"].contains(&name), "{name} uses anyhow");
    }
}

#[test]
fn the_lock_file_has_one_version_of_each_cryptographic_crate_and_no_git_source() {
    let lock = std::fs::read_to_string(super::root().join("Cargo.lock")).expect("Cargo.lock");
    assert!(!lock.contains("git+"), "a dependency comes from git");
    for name in CRYPTOGRAPHIC {
        let count = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(count, 1, "{name} is in the lock file {count} times");
    }
    assert!(lock.contains("name = \"sled\"\nversion = \"0.34.7\"\n"), "sled is pinned to 0.34.7");
}

/// Licences that let anybody build and sell what we build.
const ALLOWED: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "BSD-3-Clause",
    "BSD-2-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "Unicode-3.0",
    "0BSD",
    "BSL-1.0",
    "CC0-1.0",
    "MIT-0",
    "CDLA-Permissive-2.0",
];

#[test]
fn licences_are_known_and_permissive() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().expect("packages") {
        let licence = package["license"].as_str().unwrap_or("none");
        let known = licence.split([' ', '/', '(', ')']).any(|word| ALLOWED.contains(&word));
        assert!(known, "{} has licence {licence}", package["name"]);
    }
}
