//! A record bundle: one file that proves a record to whoever has a trust file, without a server.
//!
//! Proved is: that the bank handed out exactly these files; that the record's entry is in the log under a signed head;
//! that the issuer, whom the authority admitted, signed the facts with a key of its own that was in force and is not
//! in doubt; and, where they are disclosed, that the details are the ones signed for. The record's status at that head
//! is the bank's signed word. What came later is not in the file.

mod rule;

use std::collections::BTreeMap;

use credit_ledger::{KeyRow, lacking};
use credit_log::checkpoint::Checkpoint;
use credit_log::container::{self, File};
use credit_log::envelope::PublicKey;
use credit_log::hash::sha256;
use credit_proto::strict::{self, Canonical};
use credit_proto::{Envelope, v1};
use credit_types::limits::DAY_US;
use credit_types::{
    CivilDate, FileManifest, FileManifestKind, InstitutionId, KeyPurpose, Kid, LeafType, RecordDetails,
    RecordFacts, RecordId, RecordStatus, RecordStatusStatement, Role, Subject, Text,
};

use crate::balance::{opened, verify_subject_head};
use crate::deposit::{Deposit, DepositBasis, find_deposit, find_manifest, verify_leaf};
use crate::disclosed::verify_details;
use crate::fault::Fault;
use crate::history::{History, Opened};
use crate::receipt::{VerifiedReceipt, open_unplaced, verify_receipt};
use crate::trust::Trust;

pub use rule::BundleRule;

/// The name of the signed manifest of all other files.
pub const MANIFEST: &str = "manifest";
/// The name of the receipt of the record's entry.
pub const RECEIPT: &str = "receipt";
/// The name of entry 0.
pub const GENESIS: &str = "genesis";
/// What the names of the entries of the issuer's chain begin with; 8 digits of the sequence follow.
pub const KEYS: &str = "keys/";
/// The name of the signed head of the issuer's chain.
pub const KEYS_HEAD: &str = "keys/head";
/// The name of the signed status.
pub const STATUS: &str = "status";
/// The name of a leaf's way to its manifest.
pub const BATCH: &str = "batch";
/// The name of the disclosed details.
pub const DETAILS: &str = "details";

/// Why a bundle proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// Later software wrote it. Nothing is proved; a newer verifier may tell more.
    #[error("needs a newer verifier: {what}")]
    Newer {
        /// What isn't known.
        what: String,
    },
    /// A rule is broken.
    #[error("{rule}: {}: {detail}", rule.en())]
    Broken {
        /// The rule.
        rule: BundleRule,
        /// What exactly was found, in English.
        detail: String,
    },
}

/// What a bundle has been found to prove.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedBundle {
    /// The head that all of it rests on.
    pub checkpoint: Checkpoint,
    /// The record's entry with the parts that are opened.
    pub receipt: VerifiedReceipt,
    /// Who issued the record.
    pub issuer: InstitutionId,
    /// The issuer's name, as the authority admitted it.
    pub issuer_name: Text,
    /// What the issuer signed.
    pub facts: RecordFacts,
    /// The last day of validity, the issuer's default counted in; `None`: for ever.
    pub valid_until: Option<CivilDate>,
    /// The record that it corrects.
    pub supersedes: Option<RecordId>,
    /// The key that signed.
    pub kid: Kid,
    /// Index of the manifest's entry, for a leaf of a batch.
    pub manifest_index: Option<u64>,
    /// Count of the entries of the issuer's history, all of them proved.
    pub history_entries: u64,
    /// The details, where they are disclosed.
    pub details: Option<RecordDetails>,
    /// The status at the head, as the bank signed it.
    pub status: RecordStatusStatement,
}

impl VerifiedBundle {
    /// Whether the record was in force at the head: neither revoked, suspended nor superseded, and on no suspect key.
    pub fn in_force(&self) -> bool {
        self.status.status == RecordStatus::Valid && !self.status.key_suspect
    }
}

fn broken(rule: BundleRule, detail: impl Into<String>) -> BundleFault {
    BundleFault::Broken { rule, detail: detail.into() }
}

fn ensure(holds: bool, rule: BundleRule, detail: &str) -> Result<(), BundleFault> {
    if holds { Ok(()) } else { Err(broken(rule, detail)) }
}

/// A fault as the break of a rule; another log, newer software and a granted record are what they are under any rule.
fn under(rule: BundleRule) -> impl Fn(Fault) -> BundleFault {
    move |fault| {
        if let Fault::Newer { what } = fault {
            return BundleFault::Newer { what };
        }
        let rule = if fault == Fault::OtherLog {
            BundleRule::OtherLog
        } else if fault == Fault::RecordGranted {
            BundleRule::RecordGranted
        } else {
            rule
        };
        let cause = std::error::Error::source(&fault).map(|cause| format!(": {cause}"));
        broken(rule, format!("{fault}{}", cause.unwrap_or_default()))
    }
}

/// The files of a bundle that is a container.
struct Files<'b> {
    files: BTreeMap<&'b str, &'b [u8]>,
}

impl<'b> Files<'b> {
    fn get(&self, name: &str) -> Result<&'b [u8], BundleFault> {
        let found = self.files.get(name).copied();
        found.ok_or_else(|| broken(BundleRule::FilesWrong, format!("`{name}` is missing")))
    }

    fn read<M: Canonical>(&self, name: &str) -> Result<M, BundleFault> {
        let read = strict::decode(self.get(name)?);
        read.map_err(|error| broken(BundleRule::FilesWrong, format!("`{name}`: {error}")))
    }

    /// The entries of the issuer's chain, in order: as many as there are, numbered from 1.
    fn chain(&self) -> Result<Vec<v1::Receipt>, BundleFault> {
        let names = self.files.keys().filter(|name| name.starts_with(KEYS) && **name != KEYS_HEAD);
        (1u64..)
            .zip(names)
            .map(|(number, name)| {
                let due = format!("{KEYS}{number:08}");
                ensure(**name == due, BundleRule::FilesWrong, &format!("`{due}` is missing"))?;
                self.read(name)
            })
            .collect()
    }

    fn expected(&self) -> Result<(), BundleFault> {
        let known = [MANIFEST, RECEIPT, GENESIS, KEYS_HEAD, STATUS, BATCH, DETAILS];
        let strange = self.files.keys().find(|name| !known.contains(name) && !name.starts_with(KEYS));
        match strange {
            None => Ok(()),
            Some(name) => Err(broken(BundleRule::FilesWrong, format!("`{name}` does not belong here"))),
        }
    }
}

/// Checks a record bundle against what is pinned of a log.
pub fn verify_bundle(bytes: &[u8], trust: &Trust) -> Result<VerifiedBundle, BundleFault> {
    let list =
        container::parse(bytes).map_err(|error| broken(BundleRule::ContainerMalformed, error.to_string()))?;
    let files = Files { files: list.iter().map(|file| (file.name, file.bytes)).collect() };
    let manifest = manifest(&list, &files, trust)?;
    files.expected()?;
    let wire: v1::Receipt = files.read(RECEIPT)?;
    let receipt = verify_receipt(&wire, trust).map_err(under(BundleRule::ReceiptFalse))?;
    let checkpoint = receipt.checkpoint.clone();
    let one_head = (checkpoint.size, checkpoint.root) == (manifest.size, manifest.root.0);
    ensure(one_head, BundleRule::HeadDiffers, "the manifest is of another head than the receipt")?;
    let status = status(&files, &manifest, trust)?;
    let deposit = find_deposit(&receipt, status.record_id).map_err(under(BundleRule::OtherRecord))?;
    about_deposit(&status, &deposit, &receipt)?;
    let history = history(&files, &deposit.issuer, &checkpoint, trust)?;
    recorded(&deposit, &receipt, &history)?;
    let (kid, manifest_index) = signed(&files, &deposit, &receipt, &history, trust)?;
    let admission = history.institution(&deposit.issuer).map(|row| row.admission.clone());
    let admission =
        admission.ok_or_else(|| broken(BundleRule::HistoryFalse, "it does not admit the issuer"))?;
    ensure(
        admission.roles.contains(&Role::Issuer),
        BundleRule::NotAccredited,
        "it does not have the role ISSUER",
    )?;
    if let Some(reason) = lacking(&admission.accreditations, &deposit.facts) {
        return Err(broken(BundleRule::NotAccredited, reason.en()));
    }
    let details = details(&files, &deposit.facts)?;
    let years = admission.default_validity_years;
    let by_default = if years == 0 { None } else { deposit.facts.awarded_on.plus_years(years).ok() };
    Ok(VerifiedBundle {
        checkpoint,
        issuer: deposit.issuer,
        issuer_name: admission.name,
        valid_until: deposit.facts.valid_until.or(by_default),
        facts: deposit.facts,
        supersedes: deposit.supersedes,
        kid,
        manifest_index,
        history_entries: history.entries(),
        details,
        status,
        receipt,
    })
}

/// The signed manifest, and that every other file is the one that it lists.
fn manifest(list: &[File<'_>], files: &Files<'_>, trust: &Trust) -> Result<FileManifest, BundleFault> {
    let envelope: v1::Envelope = files.read(MANIFEST)?;
    let manifest: FileManifest = opened(&envelope, trust).map_err(under(BundleRule::ManifestInvalid))?;
    ensure(manifest.log_id == trust.log_id, BundleRule::OtherLog, "the manifest names another log")?;
    let of_bundle = manifest.kind == FileManifestKind::Bundle;
    ensure(of_bundle, BundleRule::ManifestInvalid, "it is the manifest of something else")?;
    let there: Vec<&File<'_>> = list.iter().filter(|file| file.name != MANIFEST).collect();
    ensure(there.len() == manifest.files.len(), BundleRule::ManifestDiffers, "it lists other files")?;
    for (file, listed) in there.iter().zip(&manifest.files) {
        let same = file.name == listed.name
            && u64::try_from(file.bytes.len()) == Ok(listed.bytes)
            && sha256(file.bytes) == listed.sha256.0;
        ensure(same, BundleRule::ManifestDiffers, &format!("`{}` is another one", file.name))?;
    }
    Ok(manifest)
}

/// The bank's word about the status, at the very head of the manifest.
fn status(
    files: &Files<'_>,
    manifest: &FileManifest,
    trust: &Trust,
) -> Result<RecordStatusStatement, BundleFault> {
    let envelope: v1::Envelope = files.read(STATUS)?;
    let status: RecordStatusStatement = opened(&envelope, trust).map_err(under(BundleRule::StatusFalse))?;
    ensure(status.log_id == trust.log_id, BundleRule::OtherLog, "the status names another log")?;
    let one_head = (status.size, status.root) == (manifest.size, manifest.root);
    ensure(one_head, BundleRule::HeadDiffers, "the status is of another head")?;
    Ok(status)
}

/// The status is about this very record, and not older than its deposit.
fn about_deposit(
    status: &RecordStatusStatement,
    deposit: &Deposit,
    receipt: &VerifiedReceipt,
) -> Result<(), BundleFault> {
    let same = (&status.issuer_id, status.account_ref) == (&deposit.issuer, deposit.facts.account_ref);
    ensure(same, BundleRule::OtherRecord, "the status is about another issuer or account")?;
    let index = receipt.core.index;
    ensure(status.status_index >= index, BundleRule::StatusFalse, "the status is older than the deposit")?;
    let unchanged = status.status_index == index;
    let valid = status.status == RecordStatus::Valid && status.status_entry == receipt.leaf_hash;
    ensure(!unchanged || valid, BundleRule::StatusFalse, "the deposit gave it another status")
}

/// The issuer's whole chain up to the head that the bank signed for.
fn history(
    files: &Files<'_>,
    issuer: &InstitutionId,
    checkpoint: &Checkpoint,
    trust: &Trust,
) -> Result<History, BundleFault> {
    let rule = BundleRule::HistoryFalse;
    let unplaced = |receipt: &v1::Receipt| {
        let verified = open_unplaced(receipt, checkpoint, trust).map_err(under(rule))?;
        Opened::of(receipt, &verified).map_err(|detail| broken(rule, detail))
    };
    let genesis: v1::Receipt = files.read(GENESIS)?;
    let mut history =
        History::begin(trust.log_id, &unplaced(&genesis)?).map_err(|detail| broken(rule, detail))?;
    let chain = files.chain()?;
    let Some((last, before)) = chain.split_last() else {
        return Err(broken(BundleRule::FilesWrong, "the issuer has no history"));
    };
    for receipt in before {
        history.push(issuer, &unplaced(receipt)?).map_err(|detail| broken(rule, detail))?;
    }
    let verified = verify_receipt(last, trust).map_err(under(rule))?;
    let one_head = verified.checkpoint == *checkpoint;
    ensure(one_head, BundleRule::HeadDiffers, "the issuer's history is of another head")?;
    let entry = Opened::of(last, &verified).map_err(|detail| broken(rule, detail))?;
    history.push(issuer, &entry).map_err(|detail| broken(rule, detail))?;
    let envelope: v1::Envelope = files.read(KEYS_HEAD)?;
    let head = verify_subject_head(&envelope, &verified, trust).map_err(under(rule))?;
    let whole = head.subject == Subject::Institution(issuer.clone()) && head.sequence == history.entries();
    ensure(whole, rule, "the bank signed for another history")?;
    Ok(history)
}

/// What the bank recorded follows from what was signed.
fn recorded(deposit: &Deposit, receipt: &VerifiedReceipt, history: &History) -> Result<(), BundleFault> {
    let rule = BundleRule::EventFalse;
    let postings = deposit.facts.amount.iter().map(|amount| v1::Posting {
        from: v1::Bucket::Issued.into(),
        to: v1::Bucket::Available.into(),
        credit_scheme: amount.scheme.as_str().to_owned(),
        credits_milli: amount.credits.milli(),
    });
    let told = deposit.event.record_deposited.as_ref().map(|body| body.postings.clone());
    ensure(told == Some(postings.collect()), rule, "other credits were posted than signed")?;
    let offset = history.genesis().map_or(0, |genesis| genesis.civil_offset_minutes);
    let today = CivilDate::at(receipt.core.recorded_at_us, offset).ok();
    let past = today.is_some_and(|today| deposit.facts.awarded_on <= today);
    ensure(past, rule, "it was awarded after it was recorded")
}

/// The issuer's signature, alone or over the batch: by a key of the purpose, in force, and not in doubt.
fn signed(
    files: &Files<'_>,
    deposit: &Deposit,
    receipt: &VerifiedReceipt,
    history: &History,
    trust: &Trust,
) -> Result<(Kid, Option<u64>), BundleFault> {
    let index = receipt.core.index;
    let batch = files.files.contains_key(BATCH);
    let (envelope, manifest_index) = match &deposit.basis {
        DepositBasis::Signed(envelope) => {
            ensure(!batch, BundleRule::FilesWrong, "`batch` belongs to records of a batch only")?;
            (envelope.clone(), None)
        }
        DepositBasis::Leaf { manifest_index, position, payload } => {
            let place = (*manifest_index, *position, payload.as_slice());
            (self::batch(files, deposit, receipt, place, history, trust)?, Some(*manifest_index))
        }
    };
    let [(kid, signature)] = envelope.signatures.as_slice() else {
        return Err(broken(BundleRule::SignatureFalse, "there is not exactly one signature"));
    };
    let row = history.key(*kid).filter(|row| row.owner == deposit.issuer);
    let row = row
        .ok_or_else(|| broken(BundleRule::KeyNotInForce, format!("{kid} is no key of {}", deposit.issuer)))?;
    in_force(row, index, manifest_index)?;
    let suspect = history.is_suspect(*kid, index, manifest_index);
    ensure(!suspect, BundleRule::KeySuspect, &format!("{kid} at entry {index}"))?;
    let key = PublicKey::admit(&row.key.key.bytes);
    let valid = key
        .is_ok_and(|key| key.verify_statement(&envelope.payload_type, &envelope.payload, signature).is_ok());
    ensure(valid, BundleRule::SignatureFalse, &format!("by {kid}"))?;
    Ok((*kid, manifest_index))
}

/// The key was for records, known before, and neither retired nor reported when the statement, or of a leaf the
/// manifest, was recorded; and not reported when the leaf was.
fn in_force(row: &KeyRow, index: u64, manifest_index: Option<u64>) -> Result<(), BundleFault> {
    let rule = BundleRule::KeyNotInForce;
    let at = manifest_index.unwrap_or(index);
    let purpose = row.key.purposes.contains(&KeyPurpose::Records);
    ensure(purpose, rule, "the key is not for records")?;
    ensure(row.active_from_index < at, rule, "the key was not known yet")?;
    ensure(row.retired_index.is_none_or(|retired| retired > at), rule, "the key was retired before")?;
    let reported = row.compromised.is_some_and(|report| report.index <= index);
    ensure(!reported, rule, "the key was reported as compromised before")
}

/// The manifest over a leaf: signed by the issuer, before the leaf came and not too long before.
fn batch(
    files: &Files<'_>,
    deposit: &Deposit,
    receipt: &VerifiedReceipt,
    (manifest_index, position, payload): (u64, u32, &[u8]),
    history: &History,
    trust: &Trust,
) -> Result<Envelope, BundleFault> {
    let rule = BundleRule::BatchFalse;
    let v1::BatchProof { manifest, leaf } = files.read(BATCH)?;
    let (Some(manifest), Some(leaf)) = (manifest, leaf) else {
        return Err(broken(BundleRule::FilesWrong, "`batch` is not whole"));
    };
    let manifest = verify_receipt(&manifest, trust).map_err(under(rule))?;
    let one_head = manifest.checkpoint == receipt.checkpoint;
    ensure(one_head, BundleRule::HeadDiffers, "the manifest of the batch is of another head")?;
    let place = (leaf.manifest_index, leaf.position) == (manifest_index, position);
    ensure(place, rule, "the way is that of another leaf")?;
    verify_leaf(&manifest, LeafType::Record, payload, &leaf).map_err(under(rule))?;
    let (header, _, envelope) = find_manifest(&manifest).map_err(under(rule))?;
    let own = header.signer.institution() == Some(&deposit.issuer);
    ensure(own, rule, "another institution signed the batch")?;
    let days = history.genesis().map_or(0, |genesis| genesis.policy.batch_days);
    let age_us = receipt.core.recorded_at_us.saturating_sub(manifest.core.recorded_at_us);
    let window_us = i64::from(days).saturating_mul(DAY_US);
    let in_time = manifest_index < receipt.core.index && age_us <= window_us;
    ensure(in_time, rule, "the leaf came outside the time of its batch")?;
    Ok(envelope)
}

/// The details, where they are disclosed.
fn details(files: &Files<'_>, facts: &RecordFacts) -> Result<Option<RecordDetails>, BundleFault> {
    if !files.files.contains_key(DETAILS) {
        return Ok(None);
    }
    let secret: v1::OpenedSecret = files.read(DETAILS)?;
    let details = verify_details(&secret, facts.details_commitment);
    details.map(Some).map_err(under(BundleRule::DetailsFalse))
}
