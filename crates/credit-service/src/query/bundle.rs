//! A record bundle: all that proves one record, in one file, at one signed head.

use super::balance::is_suspect_at;
use super::record::seen;
use super::{account_row, invalid};
use crate::access::{Principal, Sight};
use crate::failure::{Failure, fault};
use crate::reader::{Head, Reader};
use crate::receipts::OpenParts;
use credit_ledger::RecordRow;
use credit_log::container::{self, BUNDLE_FILES_MAX, File};
use credit_log::hash::sha256;
use credit_proto::strict::{Canonical, try_encode};
use credit_proto::{BankSigned, v1};
use credit_types::limits::PAYLOAD_BYTES_MAX;
use credit_types::{
    Digest, FileManifest, FileManifestKind, ManifestFile, RecordStatus, RecordStatusStatement, Subject,
    SubjectHead,
};
use std::collections::BTreeMap;

/// The most entries of an issuer's history in a bundle; beside them stand at most seven other files.
pub(crate) const BUNDLE_CHAIN_MAX: usize = 760;

const _: () = assert!(BUNDLE_CHAIN_MAX + 7 < BUNDLE_FILES_MAX);
// One line of the manifest: a name of at most 13 bytes, a length of at most 3, a hash, and their tags.
const _: () = assert!((BUNDLE_CHAIN_MAX + 7) * 56 + 128 <= PAYLOAD_BYTES_MAX);

/// The files of a bundle by name, without the manifest.
type Files = BTreeMap<String, Vec<u8>>;

/// The bundle of a record, for whoever may read the record.
pub(crate) fn get(
    reader: &Reader,
    principal: &Principal,
    asked: v1::GetRecordBundleRequest,
) -> Result<v1::GetRecordBundleResponse, Failure> {
    let v1::GetRecordBundleRequest { issuer_id, record_id, disclose_details } = asked;
    let (row, sight) = seen(reader, principal, issuer_id, &record_id)?;
    if disclose_details && sight != Sight::Details {
        return Err(Failure::Denied);
    }
    if row.application.is_some() {
        let problem =
            "is the outcome of an application and has no bundle; ask for those of the records it rests on";
        return Err(invalid("record_id", problem));
    }
    // A row that can be seen is under the next head that can be had.
    let head = reader.head();
    let subject = Subject::Account(row.facts.account_ref);
    let open = OpenParts::Record(subject, row.facts.record_id);
    let entry = reader.read_entry(row.deposited_index)?;
    let receipt = reader.receipt_under(head.clone(), &entry, &open)?;
    let mut files = Files::new();
    if let Some(manifest_index) = row.manifest_index {
        let leaf = entry.leaf_proofs(&receipt)?.pop();
        let manifest = reader.read_entry(manifest_index)?;
        let manifest = reader.receipt_under(head.clone(), &manifest, &OpenParts::All)?;
        put(&mut files, "batch", &v1::BatchProof { manifest: Some(manifest), leaf })?;
    }
    put(&mut files, "receipt", &receipt)?;
    put(&mut files, "genesis", &reader.unplaced(0, &OpenParts::All)?)?;
    history(reader, &row, &head, &mut files)?;
    put(&mut files, "status", &sign(reader, &status(reader, &row, &head)?))?;
    if disclose_details {
        let details = reader.opened_details(&row)?.ok_or(Failure::NotFound("details"))?;
        put(&mut files, "details", &details)?;
    }
    let manifest = FileManifest {
        log_id: reader.log_id(),
        kind: FileManifestKind::Bundle,
        size: head.size,
        root: head.root,
        files: files.iter().map(listed).collect(),
    };
    put(&mut files, "manifest", &sign(reader, &manifest))?;
    let list: Vec<File<'_>> = files.iter().map(|(name, bytes)| File { name, bytes }).collect();
    Ok(v1::GetRecordBundleResponse { bundle: container::format(&list).map_err(fault("write a bundle"))? })
}

fn put<M: Canonical>(files: &mut Files, name: &str, message: &M) -> Result<(), Failure> {
    files.insert(name.to_owned(), try_encode(message).map_err(fault("write a file of a bundle"))?);
    Ok(())
}

fn listed((name, bytes): (&String, &Vec<u8>)) -> ManifestFile {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    ManifestFile { name: name.clone(), bytes: length, sha256: Digest(sha256(bytes)) }
}

fn sign<B: BankSigned>(reader: &Reader, statement: &B) -> v1::Envelope {
    reader.sign(B::TYPE, &statement.payload())
}

/// The issuer's whole chain below the head, and the bank's word that this is the whole.
fn history(reader: &Reader, row: &RecordRow, head: &Head, files: &mut Files) -> Result<(), Failure> {
    let subject = Subject::Institution(row.issuer.clone());
    let mut chain = reader.subject_chain(&subject, 1, BUNDLE_CHAIN_MAX.saturating_add(1))?;
    chain.retain(|(_, index)| *index < head.size);
    bounded(&chain)?;
    let Some((&(sequence, last), before)) = chain.split_last() else {
        return Err(Failure::Fault("an issuer has no history".to_owned()));
    };
    for (sequence, index) in before {
        put(files, &format!("keys/{sequence:08}"), &reader.unplaced(*index, &OpenParts::All)?)?;
    }
    let receipt = reader.receipt_under(head.clone(), &reader.read_entry(last)?, &OpenParts::All)?;
    put(files, &format!("keys/{sequence:08}"), &receipt)?;
    let signed = SubjectHead {
        log_id: reader.log_id(),
        subject,
        sequence,
        leaf_hash: Some(reader.leaf(last)?),
        size: head.size,
        root: head.root,
    };
    put(files, "keys/head", &sign(reader, &signed))
}

/// That a history is no longer than a bundle holds.
fn bounded(chain: &[(u64, u64)]) -> Result<(), Failure> {
    if chain.len() <= BUNDLE_CHAIN_MAX {
        return Ok(());
    }
    let problem = format!("has a history of more than {BUNDLE_CHAIN_MAX} entries; a bundle holds no more");
    Err(invalid("issuer_id", problem))
}

/// The record's status at the head; its row may be ahead of it.
fn status(reader: &Reader, row: &RecordRow, head: &Head) -> Result<RecordStatusStatement, Failure> {
    let mut then = row.clone();
    then.steps.retain(|step| step.index < head.size);
    let (status, status_index) = then
        .steps
        .last()
        .map_or((RecordStatus::Valid, row.deposited_index), |step| (step.status, step.index));
    let superseded_by = row.superseded_by.filter(|_| status == RecordStatus::Superseded);
    let account = account_row(reader, row.facts.account_ref)?;
    let account = account.ok_or_else(|| Failure::Fault("a record has no account".to_owned()))?;
    let last = head.size.saturating_sub(1);
    Ok(RecordStatusStatement {
        log_id: reader.log_id(),
        account_ref: row.facts.account_ref,
        issuer_id: row.issuer.clone(),
        record_id: row.facts.record_id,
        status,
        status_index,
        status_entry: reader.leaf(status_index)?,
        superseded_by,
        key_suspect: is_suspect_at(reader, &then, &account, last)?,
        size: head.size,
        root: head.root,
        recorded_at_us: head.recorded_at_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_as_long_as_a_bundle_holds_and_no_longer() {
        assert_eq!(bounded(&vec![(1, 1); BUNDLE_CHAIN_MAX]), Ok(()));
        let longer = bounded(&vec![(1, 1); BUNDLE_CHAIN_MAX + 1]);
        assert!(matches!(longer, Err(Failure::Invalid { field, .. }) if field == "issuer_id"));
    }

    #[test]
    fn a_manifest_of_the_longest_history_is_one_statement() {
        let name = |number: usize| format!("keys/{number:08}");
        let file = |number| ManifestFile { name: name(number), bytes: 49_152, sha256: Digest([7; 32]) };
        let manifest = FileManifest {
            log_id: credit_types::LogId([1; 32]),
            kind: FileManifestKind::Bundle,
            size: u64::MAX,
            root: Digest([2; 32]),
            files: (0..BUNDLE_CHAIN_MAX + 7).map(file).collect(),
        };
        assert!(manifest.payload().len() <= PAYLOAD_BYTES_MAX);
    }
}
