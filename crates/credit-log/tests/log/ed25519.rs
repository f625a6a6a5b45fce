//! Ed25519 at its edges: frozen verdicts, another implementation, keys that must not be admitted.

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use credit_log::envelope::{KeyError, PublicKey, SigningKey};
use credit_log::hash::sha256;

use crate::golden::cases;
use crate::published::shared;
use crate::{fixed, hex};

/// Points of order 1, 2, 4 and 8 in their canonical encodings; with the sign bit, the other two of order 8
/// and the other of order 4.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/// Encodings of points by another text than their own: y not reduced, or the sign of zero.
const NOT_CANONICAL: [&str; 6] = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

fn strict(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

fn foreign(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_compact::PublicKey::new(*key)
        .verify(message, &ed25519_compact::Signature::new(*signature))
        .is_ok()
}

#[test]
fn the_edge_cases_have_the_frozen_verdicts() {
    let Some(folder) = shared("ed25519-cctv") else { return };
    let bytes = std::fs::read(folder.join("ed25519vectors.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let frozen = cases("ed25519-strict.txt").remove(0);
    assert_eq!(sha256(&bytes), fixed(frozen.one("sha256")));
    assert_eq!(vectors.len().to_string(), frozen.one("vectors"));
    let mut accepted = Vec::new();
    let mut differ = 0;
    for vector in &vectors {
        let number = vector["number"].to_string();
        let key: [u8; 32] = fixed(vector["key"].as_str().unwrap());
        let signature: [u8; 64] = fixed(vector["sig"].as_str().unwrap());
        let message = vector["msg"].as_str().unwrap().as_bytes();
        let ours = strict(&key, message, &signature);
        if ours {
            accepted.push(number.clone());
        }
        if let Ok(key) = PublicKey::admit(&key) {
            assert_eq!(key.verify(message, &signature).is_ok(), ours, "vector {number}");
        }
        match (ours, foreign(&key, message, &signature)) {
            (true, theirs) => assert!(theirs, "vector {number} is strictly valid"),
            (false, true) => {
                differ += 1;
                let flags = vector["flags"].to_string();
                assert!(flags.contains("low_order_component"), "vector {number}: {flags}");
            }
            (false, false) => {}
        }
    }
    assert_eq!(accepted, frozen.all("accept"));
    eprintln!("{} accepted, {differ} more by the other implementation", accepted.len());
}

#[test]
fn keys_of_small_order_are_not_admitted() {
    for key in SMALL_ORDER {
        assert_eq!(PublicKey::admit(&fixed(key)), Err(KeyError::SmallOrder), "{key}");
    }
}

#[test]
fn keys_in_another_encoding_are_not_admitted() {
    for key in NOT_CANONICAL {
        assert_eq!(PublicKey::admit(&fixed(key)), Err(KeyError::NotCanonical), "{key}");
    }
}

#[test]
fn keys_with_a_torsion_component_are_not_admitted() {
    for first in 0..4 {
        let good = VerifyingKey::from_bytes(&SigningKey::from_seed([first; 32]).public().bytes()).unwrap();
        for small in SMALL_ORDER {
            let small = VerifyingKey::from_bytes(&fixed(small)).unwrap();
            let sum = (good.to_edwards() + small.to_edwards()).compress().to_bytes();
            let want = if sum == good.to_bytes() { Ok(()) } else { Err(KeyError::Torsion) };
            assert_eq!(PublicKey::admit(&sum).map(|_| ()), want);
        }
    }
}

#[test]
fn bytes_that_are_no_point_are_not_admitted() {
    let mut refused = 0;
    for y in 0..=255u8 {
        let mut key = [0; 32];
        key[0] = y;
        key[31] = 0x11;
        if PublicKey::admit(&key) == Err(KeyError::NotAPoint) {
            refused += 1;
            assert!(VerifyingKey::from_bytes(&key).is_err());
        }
    }
    assert!((64..192).contains(&refused), "about half of all y are on no point: {refused}");
}

#[test]
fn a_signature_with_s_beyond_the_group_order_is_refused() {
    let key = SigningKey::from_seed([4; 32]);
    let good = key.sign(b"message");
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0u16;
    let mut bent = good;
    for (byte, add) in bent[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert!(key.public().verify(b"message", &good).is_ok());
    assert!(key.public().verify(b"message", &bent).is_err());
}

#[test]
fn another_implementation_signs_and_verifies_alike() {
    for seed in [[1; 32], [7; 32], [0xff; 32]] {
        let ours = SigningKey::from_seed(seed);
        let theirs = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(seed));
        assert_eq!(ours.public().bytes(), *theirs.pk);
        for message in [b"".as_slice(), b"a", &[0x80; 300]] {
            let signature = ours.sign(message);
            assert_eq!(signature, *theirs.sk.sign(message, None));
            assert!(foreign(&ours.public().bytes(), message, &signature));
        }
    }
}
