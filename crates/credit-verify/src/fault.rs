//! Why a receipt or a signed word of the bank proves nothing.

use credit_log::ProofError;
use credit_log::receipt::{Error as ReceiptError, VerifyError};
use credit_proto::InvalidField;
use credit_proto::entry::DecodeError;

/// What is wrong with a receipt, or with what the bank signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Later software wrote it. Nothing is proved; a newer verifier may tell more.
    #[error("needs a newer verifier: {what}")]
    Newer {
        /// What isn't known.
        what: String,
    },
    /// The core is not the canonical form of one.
    #[error("the receipt's core cannot be read")]
    Core(#[source] InvalidField),
    /// The tlog-proof is not one.
    #[error("the receipt's proof cannot be read")]
    ProofUnreadable(#[source] ReceiptError),
    /// The checkpoint is not the log's, or the entry is not under it.
    #[error("the receipt does not prove the entry")]
    ProofFalse(#[source] VerifyError),
    /// The core stands at another place than its proof.
    #[error("the core says index {core}, the proof says {proof}")]
    IndexDiffers {
        /// The index in the core.
        core: u64,
        /// The index in the proof.
        proof: u64,
    },
    /// The receipt claims cosignatures that do not meet the pinned witness policy, or has no such state.
    #[error("the receipt claims a witness state that its cosignatures do not bear out")]
    WitnessClaim,
    /// An entry whose place follows from something else brings a proof of its own.
    #[error("the entry brings a proof where none belongs")]
    ProofNotNeeded,
    /// No part is opened, or the first is not the head: nothing fixes how many parts there are.
    #[error("the receipt does not open the entry's head")]
    HeadMissing,
    /// The opened parts do not ascend by number.
    #[error("part {number} of the receipt stands twice or out of order")]
    PartOrder {
        /// Its number.
        number: u32,
    },
    /// A salt or a hash of a path is not 32 bytes.
    #[error("the salt or path of part {number} has a wrong length")]
    PartBytes {
        /// Its number.
        number: u32,
    },
    /// A part is not under the entry's parts root.
    #[error("part {number} of the receipt is not part of the entry")]
    PartFalse {
        /// Its number.
        number: u32,
        /// What the path shows.
        #[source]
        cause: ProofError,
    },
    /// A part is of another kind than its number gives it.
    #[error("part {number} of the receipt is of another kind than its place")]
    PartKind {
        /// Its number.
        number: u32,
    },
    /// A part is not canonical or breaks a bound.
    #[error("part {number} of the receipt cannot be read")]
    PartInvalid {
        /// Its number.
        number: u32,
        /// What is wrong.
        #[source]
        cause: InvalidField,
    },
    /// An opened statement, or the signed word, is meant for another log.
    #[error("it belongs to another log")]
    OtherLog,
    /// A file is listed that no export has, or the checkpoint is not.
    #[error("the manifest is not one of an export: {name}")]
    ExportFile {
        /// The name of the file.
        name: String,
    },
    /// The statement that was asked for is not among the opened ones.
    #[error("the receipt opens another statement than the one sent")]
    OtherStatement,
    /// The receipt does not open the deposit of the record.
    #[error("the entry does not deposit this record, or the receipt does not show it")]
    OtherRecord,
    /// The record was granted by an application: its proof is another one than that of a deposit, and not of this form.
    #[error("the record was granted by an application, which a bundle of this form does not prove")]
    RecordGranted,
    /// The receipt of a batch's manifest opens no manifest, or is of another entry.
    #[error("the manifest of the batch is missing, or is another one")]
    ManifestMissing,
    /// A salt, or a hash of a leaf's way to its manifest, is not 32 bytes.
    #[error("{what} has a wrong length")]
    Length {
        /// What.
        what: &'static str,
    },
    /// The leaf is not under the root that its manifest signs.
    #[error("the leaf is not part of its batch")]
    LeafFalse(#[source] ProofError),
    /// The details are not those that the facts commit to.
    #[error("the details are not those that the signed facts commit to")]
    DetailsFalse,
    /// The details are those committed to, and cannot be read.
    #[error("the details cannot be read")]
    Details(#[source] InvalidField),
    /// The bank's envelope breaks its form.
    #[error("the bank's envelope cannot be read")]
    Envelope(#[source] InvalidField),
    /// The envelope is of another type than the one asked for.
    #[error("the bank signed another kind of statement: {payload_type}")]
    PayloadType {
        /// Its type.
        payload_type: String,
    },
    /// The payload is not canonical or breaks a bound.
    #[error("what the bank signed cannot be read")]
    Payload(#[source] InvalidField),
    /// The signature is not exactly one by a pinned statement key.
    #[error("it is not signed by one statement key of the log")]
    StatementKey,
    /// The signature is false.
    #[error("the statement key's signature is false")]
    Signature,
    /// The signed head is not the head of the receipt.
    #[error("the bank signed for another head than the receipt's")]
    HeadDiffers,
    /// The receipt does not open the subject's link.
    #[error("the receipt does not open the link of the subject")]
    LinkMissing,
    /// The signed sequence or leaf hash is not the link's.
    #[error("the bank signed for another link than the one in the log")]
    LinkDiffers,
}

impl From<DecodeError> for Fault {
    /// Of a core; parts say which they are.
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Newer { what } => Self::Newer { what },
            DecodeError::Invalid(cause) => Self::Core(cause),
        }
    }
}

impl Fault {
    /// A part that can't be read.
    pub(crate) fn part(number: u32, error: DecodeError) -> Self {
        match error {
            DecodeError::Newer { what } => Self::Newer { what },
            DecodeError::Invalid(cause) => Self::PartInvalid { number, cause },
        }
    }
}
