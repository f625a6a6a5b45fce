//! Every parser of foreign bytes, on a corpus that is kept and on changes of it by chance. `cargo xtask fuzz TARGET` runs
//! the same functions under a fuzzer that looks at what they reach.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails by panicking; its seed is shown beside it"
)]

#[path = "../support/seed.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod seed;
#[allow(unreachable_pub, reason = "the fuzzer's own crate uses them too")]
mod targets;

use seed::{Random, seed, setting};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use targets::{TARGETS, Target};

/// Changed inputs a target is given, unless the environment asks for more.
const ROUNDS: u64 = 10_000;
/// The most bytes of an input of the corpus: it is kept for good.
const INPUT_BYTES_MAX: usize = 32 << 10;
/// The most changes of one input.
const CHANGES: u64 = 4;

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let items = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<(String, Vec<u8>)> = items
        .map(|item| {
            let path = item.expect("an item").path();
            let bytes = std::fs::read(&path).expect("an input");
            (path.file_name().expect("a name").to_string_lossy().into_owned(), bytes)
        })
        .collect();
    found.sort();
    found
}

/// Gives a target an input, and says whether it was taken; the input is told where the target fails.
fn give(name: &str, target: Target, bytes: &[u8]) -> bool {
    let outcome = catch_unwind(AssertUnwindSafe(|| target(bytes)));
    outcome.unwrap_or_else(|_| panic!("{name} fails on {}", bytes.escape_ascii()))
}

/// Changes an input as files are damaged, and as texts and lengths are.
fn change(random: &mut Random, bytes: &mut Vec<u8>, others: &[(String, Vec<u8>)]) {
    const TELLING: [u8; 8] = [0, 1, b'\n', b' ', b'+', 0x7f, 0x80, 0xff];
    let below = |random: &mut Random, bound: usize| {
        usize::try_from(random.below(u64::try_from(bound.max(1)).expect("a bound"))).expect("an index")
    };
    for _ in 0..=random.below(CHANGES) {
        let at = below(random, bytes.len());
        let byte = TELLING[below(random, TELLING.len())];
        match random.below(9) {
            _ if bytes.is_empty() => bytes.push(byte),
            0 => bytes[at] = byte,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes.insert(at, byte),
            4 => drop(bytes.remove(at)),
            5 => bytes.truncate(at),
            6 => {
                let end = bytes.len().min(at + 1 + below(random, 64));
                let piece = bytes[at..end].to_vec();
                let to = below(random, bytes.len());
                drop(bytes.splice(to..to, piece));
            }
            7 => {
                let end = bytes.len().min(at + 1 + below(random, 64));
                drop(bytes.drain(at..end));
            }
            _ => {
                let (_, other) = &others[below(random, others.len())];
                let from = below(random, other.len());
                bytes.truncate(at);
                bytes.extend(other.iter().skip(from));
            }
        }
    }
    bytes.truncate(2 * INPUT_BYTES_MAX);
}

#[test]
fn every_input_of_the_corpus_is_taken_or_refused_as_its_name_says() {
    let mut wrong = Vec::new();
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 3, "{name} has {} inputs", inputs.len());
        for kind in ["ok-", "bad-"] {
            assert!(inputs.iter().any(|(file, _)| file.starts_with(kind)), "{name} has no input {kind}");
        }
        for (file, bytes) in inputs {
            assert!(bytes.len() <= INPUT_BYTES_MAX, "{name}/{file} has {} bytes", bytes.len());
            let taken = give(&format!("{name}/{file}"), target, &bytes);
            if taken != file.starts_with("ok-") {
                wrong.push(format!("{name}/{file}"));
            }
        }
    }
    assert!(wrong.is_empty(), "not as the name says: {wrong:?}");
}

#[test]
fn changed_inputs_are_taken_or_refused_and_never_worse() {
    let mut random = Random::new(seed("changed_inputs_are_taken_or_refused_and_never_worse"));
    let rounds = setting("CREDITBANK_FUZZ_ROUNDS", ROUNDS);
    let mut taken = 0;
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        for round in 0..rounds {
            let number = usize::try_from(round).expect("a number") % inputs.len();
            let mut bytes = inputs[number].1.clone();
            change(&mut random, &mut bytes, &inputs);
            taken += u64::from(give(name, target, &bytes));
        }
    }
    println!("{rounds} changed inputs for each of {} targets, {taken} taken", TARGETS.len());
}

#[test]
fn each_target_has_a_corpus_and_each_corpus_a_target() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    let found = folder.read_dir().expect("the corpus");
    let found: BTreeSet<String> =
        found.map(|item| item.expect("an item").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(found, names);
}
