//! Our own vectors, files that any language can read, made by a program that shares no code with this one.

use credit_log::batch::{Manifest, chunk_count, record_leaf, verify_chunk};
use credit_log::checkpoint::{self, Checkpoint};
use credit_log::commitment::{DETAILS_LABEL, EXPLANATION_LABEL, IDENTITY_LABEL, commit};
use credit_log::envelope::{PublicKey, SigningKey, kid_of, kid_text, pae, parse_kid_text};
use credit_log::note::{NoteSigner, VerifierKey};
use credit_log::parts::{open, part_leaf, parts_root, salt, verify_opening};
use credit_log::{Hash, batch};

use crate::{fixed, hex};

/// One case of a vector file: names and values in their order.
pub(crate) struct Case(Vec<(String, String)>);

impl Case {
    /// All values of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect()
    }

    /// The only value of a name.
    pub(crate) fn one(&self, name: &str) -> &str {
        let mut found = self.0.iter().filter(|(own, _)| own == name);
        let (Some((_, value)), None) = (found.next(), found.next()) else { panic!("one {name}") };
        value
    }

    fn hash(&self, name: &str) -> Hash {
        fixed(self.one(name))
    }

    fn hashes(&self, name: &str) -> Vec<Hash> {
        self.all(name).iter().map(|value| fixed(value)).collect()
    }

    fn number(&self, name: &str) -> u64 {
        self.one(name).parse().unwrap()
    }
}

/// Reads a vector file; at least one case is in it.
pub(crate) fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases = Vec::new();
    for block in text.split("\n\n") {
        let lines = block.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let case: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_owned(), value.trim().to_owned())
            })
            .collect();
        if !case.is_empty() {
            cases.push(Case(case));
        }
    }
    assert!(!cases.is_empty(), "{file} is empty");
    cases
}

#[test]
fn pre_authentication_encodings_are_golden() {
    for case in cases("pae.txt") {
        let (kind, payload) = (case.one("type_text"), hex(case.one("payload")));
        assert_eq!(pae(kind, &payload), hex(case.one("encoding")));
        let key = SigningKey::from_seed(case.hash("seed"));
        assert_eq!(key.public().bytes(), case.hash("public_key"));
        let signature = fixed(case.one("signature"));
        assert_eq!(key.sign_statement(kind, &payload), signature);
        assert_eq!(key.public().verify_statement(kind, &payload, &signature), Ok(()));
    }
}

#[test]
fn key_ids_are_golden() {
    for case in cases("kid.txt") {
        let key = SigningKey::from_seed(case.hash("seed")).public();
        assert_eq!(key, PublicKey::admit(&case.hash("public_key")).unwrap());
        assert_eq!(key.kid(), case.hash("kid"));
        assert_eq!(kid_of(&key.bytes()), case.hash("kid"));
        assert_eq!(kid_text(&key.kid()), case.one("kid_text"));
        assert_eq!(parse_kid_text(case.one("kid_text")), Ok(key.kid()));
    }
}

#[test]
fn commitments_are_golden() {
    let mut labels = Vec::new();
    for case in cases("commitment.txt") {
        let payload = hex(case.one("payload"));
        let made = commit(case.one("label_text"), &case.hash("salt"), case.one("type_text"), &payload);
        assert_eq!(made, case.hash("commitment"));
        labels.push(case.one("label_text").to_owned());
    }
    labels.dedup();
    assert_eq!(labels, [DETAILS_LABEL, IDENTITY_LABEL, EXPLANATION_LABEL]);
}

#[test]
fn parts_are_golden() {
    for case in cases("parts.txt") {
        let secret = case.hash("entry_secret");
        let parts: Vec<Vec<u8>> = case.all("part").iter().map(|part| hex(part)).collect();
        for ((part, index), (own, leaf)) in
            parts.iter().zip(0u32..).zip(case.hashes("salt").into_iter().zip(case.hashes("leaf")))
        {
            assert_eq!(salt(&secret, index), own);
            assert_eq!(part_leaf(&own, part), leaf);
        }
        assert_eq!(case.all("leaf").len(), parts.len());
        assert_eq!(parts_root(&secret, &parts), case.hash("parts_root"));
        let which = u32::try_from(case.number("opened_number")).unwrap();
        let opening = open(&secret, &parts, which).unwrap();
        assert_eq!(opening.path, case.hashes("path"));
        let count = u32::try_from(parts.len()).unwrap();
        assert_eq!(verify_opening(&case.hash("parts_root"), count, &opening), Ok(()));
    }
}

#[test]
fn chunk_trees_are_golden() {
    let kind = "application/vnd.creditbank.record-facts.v1+protobuf";
    for case in cases("chunk-tree.txt") {
        let count = case.number("records_number");
        let leaves: Vec<Hash> =
            (0..count).map(|n| record_leaf(kind, format!("record {n}").as_bytes())).collect();
        let roots: Vec<Hash> = leaves.chunks(64).map(batch::chunk_root).collect();
        assert_eq!(roots, case.hashes("chunk_root"));
        assert_eq!(roots.len() as u64, chunk_count(count));
        let manifest = Manifest::of(&leaves).unwrap();
        assert_eq!(manifest.root(), case.hash("root"));
        let chunk = case.number("chunk_number");
        let path = case.hashes("path");
        assert_eq!(manifest.path(chunk).unwrap(), path);
        let own = leaves.chunks(64).nth(usize::try_from(chunk).unwrap()).unwrap();
        assert_eq!(verify_chunk(&case.hash("root"), count, chunk, own, &path), Ok(()));
    }
}

#[test]
fn checkpoints_are_golden() {
    for case in cases("checkpoint.txt") {
        let origin = case.one("origin_text");
        let head = Checkpoint {
            origin: origin.to_owned(),
            size: case.number("size_number"),
            root: case.hash("root"),
        };
        let signer = NoteSigner::new(origin, SigningKey::from_seed(case.hash("seed"))).unwrap();
        let key = VerifierKey::parse(case.one("vkey_text")).unwrap();
        assert_eq!(signer.verifier(), &key);
        let note = String::from_utf8(hex(case.one("note"))).unwrap();
        assert_eq!(checkpoint::sign(&head, &signer).unwrap(), note);
        assert_eq!(checkpoint::open(&note, &[key], origin).unwrap(), head);
    }
}
