//! What the bank signs with a statement key: held against the receipt of the subject's last link.

use credit_log::envelope::PublicKey;
use credit_proto::{BankSigned, Envelope, v1};
use credit_types::{BalanceStatement, FileManifest, SubjectHead};

use crate::fault::Fault;
use crate::receipt::VerifiedReceipt;
use crate::trust::Trust;

/// Checks a signed balance: by a pinned statement key, of this log, at the very head of the receipt, about the link
/// that the receipt opens. That this link is the subject's last is the bank's signed word; an entry that shows a
/// later one below that head is portable proof of a lie.
pub fn verify_balance(
    signed: &v1::Envelope,
    receipt: &VerifiedReceipt,
    trust: &Trust,
) -> Result<BalanceStatement, Fault> {
    let balance: BalanceStatement = opened(signed, trust)?;
    stands(&balance.head, receipt, trust)?;
    Ok(balance)
}

/// Checks a signed head of a subject in the same way.
pub fn verify_subject_head(
    signed: &v1::Envelope,
    receipt: &VerifiedReceipt,
    trust: &Trust,
) -> Result<SubjectHead, Fault> {
    let head: SubjectHead = opened(signed, trust)?;
    stands(&head, receipt, trust)?;
    Ok(head)
}

/// The manifest in an envelope's bytes, once its signature has been verified.
pub(crate) fn opened_manifest(bytes: &[u8], trust: &Trust) -> Result<FileManifest, Fault> {
    signed_by_statement_key(credit_proto::decode_manifest(bytes).map_err(Fault::Envelope)?, trust)
}

/// Reads what the bank signed, if one pinned statement key signed it.
pub(crate) fn opened<B: BankSigned>(signed: &v1::Envelope, trust: &Trust) -> Result<B, Fault> {
    signed_by_statement_key(Envelope::try_from(signed.clone()).map_err(Fault::Envelope)?, trust)
}

fn signed_by_statement_key<B: BankSigned>(envelope: Envelope, trust: &Trust) -> Result<B, Fault> {
    let Envelope { payload_type, payload, signatures } = envelope;
    if payload_type != B::TYPE {
        return Err(Fault::PayloadType { payload_type });
    }
    let [(kid, signature)] = signatures.as_slice() else { return Err(Fault::StatementKey) };
    let key = trust.statement_keys.iter().find(|key: &&PublicKey| key.kid() == kid.0);
    let key = key.ok_or(Fault::StatementKey)?;
    key.verify_statement(&payload_type, &payload, signature).map_err(|_| Fault::Signature)?;
    B::from_payload(&payload).map_err(Fault::Payload)
}

fn stands(head: &SubjectHead, receipt: &VerifiedReceipt, trust: &Trust) -> Result<(), Fault> {
    let SubjectHead { log_id, subject, sequence, leaf_hash, size, root } = head;
    if *log_id != trust.log_id {
        return Err(Fault::OtherLog);
    }
    if (*size, root.0) != (receipt.checkpoint.size, receipt.checkpoint.root) {
        return Err(Fault::HeadDiffers);
    }
    let link = receipt.link_of(subject).ok_or(Fault::LinkMissing)?;
    if (*sequence, *leaf_hash) != (link.sequence, Some(receipt.leaf_hash)) {
        return Err(Fault::LinkDiffers);
    }
    Ok(())
}
