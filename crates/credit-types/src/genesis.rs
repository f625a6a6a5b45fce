//! How a log begins, and how a server takes it up.

use crate::id::{Digest, Epoch, LogId};
use crate::institution::PublicKey;
use serde::{Deserialize, Serialize};

/// The entry format this software writes.
pub const FORMAT: u32 = 1;
/// The newest protocol (version of `decide` and `evolve`) this software speaks; it speaks every earlier one too.
pub const PROTOCOL: u32 = 2;
/// The protocol that brought rule books, conversions and awards.
pub const PROTOCOL_CONVERSIONS: u32 = 2;
/// What the origin of a trial ledger begins with.
pub const DEV_ORIGIN_PREFIX: &str = "dev.";
/// The fewest notice days of a ledger that is not for trial.
pub const NOTICE_DAYS_MIN: u32 = 7;

/// Times and numbers that the log's rules use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Days between publishing a rule book and its activation.
    pub notice_days: u32,
    /// Authority signatures that activate a rule book; 0 for the authority's threshold.
    pub quorum: u32,
    /// Days in which a decision may be appealed.
    pub appeal_days: u32,
    /// Days after which an unanswered application lapses.
    pub lapse_days: u32,
    /// Days after its manifest in which a batch takes leaves.
    pub batch_days: u32,
    /// The greatest age of an anchor in days.
    pub anchor_days: u32,
    /// How far back an owner alone may declare a key suspect, in days.
    pub suspect_days: u32,
}

/// Another log that a log carries on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogContinuation {
    /// The other log.
    pub log_id: LogId,
    /// Count of its entries when it was sealed.
    pub size: u64,
    /// Its root at that size.
    pub root: Digest,
}

/// Entry 0 of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// 32 random bytes.
    pub nonce: [u8; 32],
    /// The protocol that the log begins with.
    pub protocol: u32,
    /// The checkpoint origin.
    pub origin: String,
    /// Keys that sign checkpoints.
    pub checkpoint_keys: Vec<PublicKey>,
    /// Keys that sign subject heads and balances.
    pub statement_keys: Vec<PublicKey>,
    /// Keys that sign server starts.
    pub operator_keys: Vec<PublicKey>,
    /// Keys of the authority.
    pub authority_keys: Vec<PublicKey>,
    /// How many of them must sign.
    pub authority_threshold: u32,
    /// Digest of the witness policy file.
    pub witness_policy_hash: Option<Digest>,
    /// Where institutions and accounts are registered, if not in this log.
    pub registry_log: Option<LogId>,
    /// Minutes east of UTC of all civil dates.
    pub civil_offset_minutes: i32,
    /// The policy.
    pub policy: Policy,
    /// The log that this one carries on.
    pub continues: Option<LogContinuation>,
}

impl Genesis {
    /// Whether the ledger is for trial and can never become a real one.
    pub fn is_dev(&self) -> bool {
        self.origin.starts_with(DEV_ORIGIN_PREFIX)
    }
}

/// Announces a newer protocol or format, from the next index on: what follows may be unknown to older software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolUpgrade {
    /// The protocol, at least the present one.
    pub protocol: u32,
    /// The entry format, at least the present one; one of the two is newer.
    pub format: u32,
}

/// A server takes up the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStart {
    /// The run's random name.
    pub epoch: Epoch,
    /// Name and version of the software.
    pub software: String,
    /// The protocol that the log follows at that index.
    pub protocol: u32,
}
