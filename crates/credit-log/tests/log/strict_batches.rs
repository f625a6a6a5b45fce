//! Batches over the frozen edge cases of Ed25519: together they are judged as each is by itself.

use serde_json::Value;

use credit_log::envelope::{PublicKey, SigningKey};
use credit_log::strict_batch::{BatchSeed, FalseSignatures, StrictBatch};

use crate::fixed;
use crate::golden::cases;
use crate::published::shared;

/// So many sound signatures beside, so that a batch is not checked one by one from the start.
const BESIDE: u8 = 100;

/// An edge case whose key may be registered.
struct Case {
    number: String,
    key: PublicKey,
    message: Vec<u8>,
    signature: [u8; 64],
}

fn edge_cases() -> Option<Vec<Case>> {
    let bytes = std::fs::read(shared("ed25519-cctv")?.join("ed25519vectors.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |vector: &Value| {
        Some(Case {
            number: vector["number"].to_string(),
            key: PublicKey::admit(&fixed(&text(&vector["key"]))).ok()?,
            message: text(&vector["msg"]).into_bytes(),
            signature: fixed(&text(&vector["sig"])),
        })
    };
    Some(vectors.iter().filter_map(case).collect())
}

/// The numbers of the false ones in a batch of these cases behind sound signatures.
fn judged<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Vec<usize> {
    let mut batch = StrictBatch::new(BatchSeed([1; 32]));
    for first in 0..BESIDE {
        let key = SigningKey::from_seed([first; 32]);
        batch.push(&key.public(), b"sound", &key.sign(b"sound")).unwrap();
    }
    for Case { number: _, key, message, signature } in cases {
        batch.push(key, message, signature).unwrap();
    }
    let numbers = batch.verify().err().map(|FalseSignatures { numbers }| numbers).unwrap_or_default();
    numbers.into_iter().map(|number| number - usize::from(BESIDE)).collect()
}

#[test]
fn the_edge_cases_have_their_frozen_verdicts_in_a_batch_too() {
    let Some(all) = edge_cases() else { return };
    let frozen = cases("ed25519-strict.txt").remove(0);
    let accept = frozen.all("accept");
    let accepted = |case: &Case| accept.contains(&case.number);
    let expected: Vec<usize> = (0..all.len()).filter(|at| !accepted(&all[*at])).collect();
    assert_eq!(judged(&all), expected);
    assert_eq!(judged(all.iter().filter(|case| accepted(case))), Vec::<usize>::new());
    for case in &all {
        let alone = if accepted(case) { vec![] } else { vec![0] };
        assert_eq!(judged([case]), alone, "vector {}", case.number);
    }
    // All others have a key of small order or with torsion, which is not registered.
    assert_eq!((all.len(), expected.len()), (28, 27));
}
