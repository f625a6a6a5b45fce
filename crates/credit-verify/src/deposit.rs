//! The deposit of one record, out of the parts that a receipt opens; and the way of a leaf to its manifest's signature.

use credit_log::{Hash, batch};
use credit_proto::batch::leaf_payload_type;
use credit_proto::entry::{StatementPart, WireEvent};
use credit_proto::{Envelope, InvalidField, Reading, Stage, Statement, decode_leaf, read_statement, v1};
use credit_types::{BatchManifest, Header, InstitutionId, LeafType, RecordFacts, RecordId};

use crate::fault::Fault;
use crate::known::admit;
use crate::receipt::VerifiedReceipt;

/// What a record's facts stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepositBasis {
    /// A statement of its own, or a correction, with its signatures.
    Signed(Envelope),
    /// A leaf of a batch, whose signature is its manifest's.
    Leaf {
        /// Index of the manifest's entry.
        manifest_index: u64,
        /// Position in the batch, from 0.
        position: u32,
        /// The leaf's payload.
        payload: Vec<u8>,
    },
}

/// A record as an entry deposits it.
#[derive(Debug, Clone, PartialEq)]
pub struct Deposit {
    /// Who issued it.
    pub issuer: InstitutionId,
    /// What was signed.
    pub facts: RecordFacts,
    /// The record that it corrects.
    pub supersedes: Option<RecordId>,
    /// What the facts stand in.
    pub basis: DepositBasis,
    /// The event.
    pub event: WireEvent,
}

/// The deposit of a record among the opened parts: the event, and the statement that it rests on.
pub fn find_deposit(receipt: &VerifiedReceipt, record_id: RecordId) -> Result<Deposit, Fault> {
    let of_record = |event: &&WireEvent| {
        let deposited = event.record_deposited.as_ref();
        deposited.is_some_and(|deposited| deposited.record_id == record_id.as_bytes())
    };
    let grants = |event: &WireEvent| {
        let granted = event.conversion_changed.iter().flat_map(|changed| &changed.granted);
        granted.into_iter().any(|granted| granted.record_id == record_id.as_bytes())
    };
    let Some(event) = receipt.events.values().find(of_record) else {
        let granted = receipt.events.values().any(grants);
        return Err(if granted { Fault::RecordGranted } else { Fault::OtherRecord });
    };
    let [number] = event.statements.as_slice() else { return Err(Fault::OtherRecord) };
    let statement = receipt.statements.get(number).ok_or(Fault::OtherRecord)?;
    let invalid = |cause: InvalidField| Fault::PartInvalid { number: *number, cause };
    let issuer = receipt.head.actor.institution().cloned().ok_or(Fault::OtherRecord)?;
    let (facts, supersedes, basis) = match statement {
        StatementPart::Signed(envelope) => {
            let reading = Reading { admit, stage: Stage::Replay };
            let read = read_statement(&envelope.payload_type, &envelope.payload, reading).map_err(invalid)?;
            let (header, facts, supersedes) = facts_of(read).ok_or(Fault::OtherRecord)?;
            if header.signer != receipt.head.actor {
                return Err(Fault::OtherRecord);
            }
            (facts, supersedes, DepositBasis::Signed(envelope.clone()))
        }
        StatementPart::Leaf { manifest_index, position, facts } => {
            let read: RecordFacts = decode_leaf(facts).map_err(invalid)?;
            let (manifest_index, position, payload) = (*manifest_index, *position, facts.clone());
            (read, None, DepositBasis::Leaf { manifest_index, position, payload })
        }
    };
    let account = event.record_deposited.as_ref().map(|deposited| deposited.account_ref.as_slice());
    if facts.record_id != record_id || account != Some(facts.account_ref.as_bytes()) {
        return Err(Fault::OtherRecord);
    }
    Ok(Deposit { issuer, facts, supersedes, basis, event: event.clone() })
}

/// The facts of a statement that deposits a record.
fn facts_of(statement: Statement) -> Option<(Header, RecordFacts, Option<RecordId>)> {
    match statement {
        Statement::DepositRecord(header, facts) => Some((header, *facts, None)),
        Statement::CorrectRecord(header, body) => Some((header, body.facts, Some(body.supersedes))),
        Statement::Genesis(..)
        | Statement::AdmitInstitution(..)
        | Statement::PublishFramework(..)
        | Statement::AddKey(..)
        | Statement::RetireKey(..)
        | Statement::ReportKeyCompromise(..)
        | Statement::OpenAccount(..)
        | Statement::ChangeAccountStatus(..)
        | Statement::ChangeRecordStatus(..)
        | Statement::OpenBatch(..)
        | Statement::CloseBatch(..)
        | Statement::StartServer(..)
        | Statement::UpgradeProtocol(..)
        | Statement::PublishRuleBook(..)
        | Statement::ChangeRuleBook(..)
        | Statement::GiveAutoApproval(..)
        | Statement::RequestConversion(..)
        | Statement::DecideConversion(..)
        | Statement::StepConversion(..)
        | Statement::ReverseAward(..) => None,
    }
}

/// The manifest that the receipt of its entry opens.
pub fn find_manifest(receipt: &VerifiedReceipt) -> Result<(Header, BatchManifest, Envelope), Fault> {
    let mut statements = receipt.statements.iter();
    let (Some((number, StatementPart::Signed(envelope))), None) = (statements.next(), statements.next())
    else {
        return Err(Fault::ManifestMissing);
    };
    let reading = Reading { admit, stage: Stage::Replay };
    let read = read_statement(&envelope.payload_type, &envelope.payload, reading)
        .map_err(|cause| Fault::PartInvalid { number: *number, cause })?;
    if let Statement::OpenBatch(header, manifest) = read {
        return Ok((header, manifest, envelope.clone()));
    }
    Err(Fault::ManifestMissing)
}

/// Checks that a leaf of `leaf_type` stands in the batch whose manifest the receipt of its entry opens, at the place
/// and on the way that the proof names.
pub fn verify_leaf(
    manifest: &VerifiedReceipt,
    leaf_type: LeafType,
    payload: &[u8],
    proof: &v1::LeafProof,
) -> Result<BatchManifest, Fault> {
    let v1::LeafProof { manifest_index, position, path, chunk_path } = proof;
    let (_, signed, _) = find_manifest(manifest)?;
    if manifest.core.index != *manifest_index || signed.leaf_type != leaf_type {
        return Err(Fault::ManifestMissing);
    }
    let leaf = batch::record_leaf(leaf_payload_type(leaf_type), payload);
    let (path, chunk_path) = (hashes(path)?, hashes(chunk_path)?);
    let (count, position) = (u64::from(signed.record_count), u64::from(*position));
    batch::verify_leaf(&signed.root.0, count, position, &leaf, &path, &chunk_path)
        .map_err(Fault::LeafFalse)?;
    Ok(signed)
}

fn hashes(path: &[Vec<u8>]) -> Result<Vec<Hash>, Fault> {
    let wrong = Fault::Length { what: "a hash of the leaf's way" };
    path.iter().map(|hash| Hash::try_from(hash.as_slice()).map_err(|_| wrong.clone())).collect()
}
