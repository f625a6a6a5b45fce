//! What every signed statement shares.

use crate::id::{CommandId, Digest, Kid, LogId, SignerId};
use serde::{Deserialize, Serialize};

/// A head that the signer had verified when signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Count of entries of that head, at least 1.
    pub size: u64,
    /// The root at that size.
    pub root: Digest,
}

/// Who says it, in which log, under which id, having seen what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The log it is meant for; absent in a genesis.
    pub log_id: Option<LogId>,
    /// The command's id, unique per signer.
    pub statement_id: CommandId,
    /// Who signs.
    pub signer: SignerId,
    /// What the signer had seen; absent in a genesis, and where a single record leaves it out.
    pub anchor: Option<Anchor>,
}

/// A statement whose signatures have been verified strictly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<B> {
    /// The header.
    pub header: Header,
    /// What is said.
    pub body: B,
    /// The keys that signed, ascending, no key twice.
    pub signers: Vec<Kid>,
}

/// Why the status of an account or record changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StatusReason {
    /// Issued in error.
    IssuedInError,
    /// Fraud.
    Fraud,
    /// The issuer's accreditation was withdrawn.
    AccreditationWithdrawn,
    /// A key was compromised.
    KeyCompromise,
    /// Replaced by a corrected record.
    Superseded,
    /// The learner asked.
    LearnerRequest,
    /// Ordered by a court or authority.
    LegalOrder,
    /// Under investigation.
    Investigation,
    /// The reason of a suspension no longer holds.
    Resolved,
}
