//! Record bundles as a bank makes them, honest or not: files that can be exchanged and signed for again.

use std::collections::BTreeMap;

use credit_log::batch::leaf_path;
use credit_log::container::{File, format};
use credit_log::hash::sha256;
use credit_log::inclusion::prove_in;
use credit_log::parts::open;
use credit_log::receipt::TlogProof;
use credit_proto::entry::{PART_EVENT, PART_LINK, PART_STATEMENT, decode_parts};
use credit_proto::strict::{Canonical, encode};
use credit_proto::{BankSigned, payload_type, v1};
use credit_types::{
    Digest, FileManifest, FileManifestKind, InstitutionId, ManifestFile, RecordId, RecordStatus,
    RecordStatusStatement, Subject, SubjectHead,
};
use credit_verify::{BundleFault, BundleRule, Trust, VerifiedBundle, verify_bundle};

use crate::bank::{Bank, enveloped};
use crate::story::{Batch, UNIV, institution};

/// The files of a bundle without the manifest.
#[derive(Clone)]
pub(crate) struct Parcel {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) manifest: FileManifest,
}

/// What the bank signs with its statement key.
pub(crate) fn sealed<B: BankSigned>(body: &B) -> Vec<u8> {
    enveloped(B::TYPE, body.payload(), &["statement"]).encode()
}

/// The receipt of an entry that opens some of its parts, with its place in the log or without.
pub(crate) fn receipt(bank: &Bank, index: u64, numbers: &[u32], placed: bool) -> v1::Receipt {
    let raw = &bank.entries[usize::try_from(index).unwrap()];
    let path = prove_in(&bank.leaves, index).unwrap();
    let proof = TlogProof { extra: None, index, path, checkpoint: bank.checkpoint() };
    let parts = numbers.iter().map(|number| {
        let opened = open(&raw.secret, &raw.parts, *number).unwrap();
        v1::PartOpening {
            number: *number,
            salt: opened.salt.to_vec(),
            part: opened.part,
            path: opened.path.iter().map(|hash| hash.to_vec()).collect(),
        }
    });
    let state = if placed { v1::WitnessState::Unwitnessed } else { v1::WitnessState::Unspecified };
    v1::Receipt {
        core: raw.core.clone(),
        parts: parts.collect(),
        tlog_proof: if placed { proof.format().unwrap() } else { String::new() },
        witness_state: state.into(),
    }
}

/// The numbers of all parts of an entry.
pub(crate) fn all(bank: &Bank, index: u64) -> Vec<u32> {
    let count = bank.entries[usize::try_from(index).unwrap()].parts.len();
    (0..u32::try_from(count).unwrap()).collect()
}

/// The parts of an entry that are about one record: head, link, statement, event.
fn about(bank: &Bank, index: u64, record: RecordId) -> Vec<u32> {
    let raw = &bank.entries[usize::try_from(index).unwrap()];
    let decoded = decode_parts(&raw.parts).unwrap();
    let deposits = |event: &v1::Event| {
        event.record_deposited.as_ref().is_some_and(|body| body.record_id == record.as_bytes())
    };
    let event = decoded.events.iter().position(deposits).unwrap();
    let number = |at: usize| u32::try_from(at).unwrap();
    let first = |kind: u8| number(raw.parts.iter().position(|part| part[0] == kind).unwrap());
    let statement = decoded.events[event].statements[0];
    vec![0, first(PART_LINK), first(PART_STATEMENT) + statement, first(PART_EVENT) + number(event)]
}

/// The indexes of the entries about an institution.
pub(crate) fn chain(bank: &Bank, id: &InstitutionId) -> Vec<u64> {
    let subject = Subject::Institution(id.clone());
    (0..bank.size())
        .filter(|index| {
            let parts = &bank.entries[usize::try_from(*index).unwrap()].parts;
            decode_parts(parts).unwrap().links.iter().any(|link| link.subject == subject)
        })
        .collect()
}

impl Parcel {
    /// All that proves a record of the university, as an honest bank puts it together.
    pub(crate) fn of(bank: &Bank, index: u64, record: RecordId) -> Self {
        let mut parcel = Self {
            files: BTreeMap::new(),
            manifest: FileManifest {
                log_id: bank.log_id(),
                kind: FileManifestKind::Bundle,
                size: bank.size(),
                root: bank.root_at(bank.size()),
                files: Vec::new(),
            },
        };
        parcel.put("receipt", &receipt(bank, index, &about(bank, index, record), true));
        parcel.put("genesis", &receipt(bank, 0, &all(bank, 0), false));
        parcel.history(bank, &chain(bank, &institution(UNIV)));
        let status = Self::status(bank, index, record);
        parcel.files.insert("status".to_owned(), sealed(&status));
        parcel
    }

    /// The files of an issuer's history that consists of these entries.
    pub(crate) fn history(&mut self, bank: &Bank, indexes: &[u64]) {
        self.files.retain(|name, _| !name.starts_with("keys/"));
        let last = *indexes.last().unwrap();
        for (number, index) in (1..).zip(indexes) {
            let name = format!("keys/{number:08}");
            self.put(&name, &receipt(bank, *index, &all(bank, *index), *index == last));
        }
        let head = SubjectHead {
            log_id: bank.log_id(),
            subject: Subject::Institution(institution(UNIV)),
            sequence: indexes.len() as u64,
            leaf_hash: Some(bank.leaf(last)),
            size: bank.size(),
            root: bank.root_at(bank.size()),
        };
        self.files.insert("keys/head".to_owned(), sealed(&head));
    }

    /// The status of a record that nothing happened to.
    pub(crate) fn status(bank: &Bank, index: u64, record: RecordId) -> RecordStatusStatement {
        let raw = &bank.entries[usize::try_from(index).unwrap()];
        let decoded = decode_parts(&raw.parts).unwrap();
        let Subject::Account(account_ref) = decoded.links[0].subject else { panic!("not about an account") };
        RecordStatusStatement {
            log_id: bank.log_id(),
            account_ref,
            issuer_id: institution(UNIV),
            record_id: record,
            status: RecordStatus::Valid,
            status_index: index,
            status_entry: bank.leaf(index),
            superseded_by: None,
            key_suspect: false,
            size: bank.size(),
            root: bank.root_at(bank.size()),
            recorded_at_us: bank.now_us,
        }
    }

    /// The way of a leaf to its manifest.
    pub(crate) fn batch(&mut self, bank: &Bank, batch: &Batch, position: u32) {
        let chunk = position / 64;
        let hashes: Vec<_> = (0..u32::try_from(batch.payloads.len()).unwrap())
            .skip(64 * usize::try_from(chunk).unwrap())
            .take(64)
            .map(|position| batch.hash(position).0)
            .collect();
        let path = leaf_path(&hashes, u64::from(position)).unwrap();
        let chunk_path = batch.manifest.path(u64::from(chunk)).unwrap();
        let bytes = |path: Vec<[u8; 32]>| path.iter().map(|hash| hash.to_vec()).collect();
        let leaf = v1::LeafProof {
            manifest_index: batch.manifest_index,
            position,
            path: bytes(path),
            chunk_path: bytes(chunk_path),
        };
        let at = batch.manifest_index;
        let manifest = Some(receipt(bank, at, &all(bank, at), true));
        self.put("batch", &v1::BatchProof { manifest, leaf: Some(leaf) });
    }

    /// Discloses the details behind a commitment.
    pub(crate) fn details(&mut self, bank: &Bank, commitment: Digest) {
        let opened = &bank.vault.0[&commitment];
        let secret = v1::OpenedSecret {
            payload_type: payload_type::RECORD_DETAILS.to_owned(),
            salt: opened.salt.to_vec(),
            payload: opened.payload.clone(),
        };
        self.put("details", &secret);
    }

    pub(crate) fn put<M: Canonical>(&mut self, name: &str, message: &M) {
        self.files.insert(name.to_owned(), encode(message));
    }

    /// The manifest over these files, signed.
    pub(crate) fn signed(&self) -> Vec<u8> {
        let listed = |(name, bytes): (&String, &Vec<u8>)| ManifestFile {
            name: name.clone(),
            bytes: bytes.len() as u64,
            sha256: Digest(sha256(bytes)),
        };
        let files = self.files.iter().map(listed).collect();
        sealed(&FileManifest { files, ..self.manifest.clone() })
    }

    /// The container, under a manifest that may be another's.
    pub(crate) fn under(&self, manifest: &[u8]) -> Vec<u8> {
        let mut files: BTreeMap<&str, &[u8]> =
            self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        files.insert("manifest", manifest);
        let list: Vec<File<'_>> = files.into_iter().map(|(name, bytes)| File { name, bytes }).collect();
        format(&list).unwrap()
    }

    /// The bundle as the bank hands it out.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.under(&self.signed())
    }

    pub(crate) fn verified(&self, trust: &Trust) -> Result<VerifiedBundle, BundleFault> {
        verify_bundle(&self.bytes(), trust)
    }
}

/// Asserts that a bundle breaks this rule.
#[track_caller]
pub(crate) fn breaks(outcome: Result<VerifiedBundle, BundleFault>, wanted: BundleRule) {
    match outcome {
        Err(BundleFault::Broken { rule, detail }) => assert_eq!(rule, wanted, "{detail}"),
        other => panic!("{wanted} expected: {other:?}"),
    }
}
