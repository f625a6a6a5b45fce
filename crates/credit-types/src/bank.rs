//! What the bank itself signs for others to keep: the head of a subject's chain, a balance, the status of a record.

use crate::credits::Bucket;
use crate::date::CivilDate;
use crate::entry::Subject;
use crate::id::{AccountRef, Digest, InstitutionId, LogId, RecordId, SchemeId};
use crate::record::{HourKind, RecordKind, RecordStatus};
use serde::{Deserialize, Serialize};

/// The last link of a subject, at a head of the log: one inclusion proof of it proves the history complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectHead {
    /// The log.
    pub log_id: LogId,
    /// What it is about.
    pub subject: Subject,
    /// Sequence of the last link; 0 for a subject without links.
    pub sequence: u64,
    /// Leaf hash of the entry of the last link; `None` at sequence 0.
    pub leaf_hash: Option<Digest>,
    /// Count of entries of the head, at least 1.
    pub size: u64,
    /// The root at that size.
    pub root: Digest,
}

/// One sum of a balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceLine {
    /// The scheme; `None` in a line of records without an amount.
    pub scheme: Option<SchemeId>,
    /// The kind of the records.
    pub kind: RecordKind,
    /// The bucket, views included.
    pub bucket: Bucket,
    /// The sum in milli-credits, from 0.
    pub credits_milli: i64,
    /// What the minutes count; `None` without minutes.
    pub hour_kind: Option<HourKind>,
    /// The sum in minutes, from 0.
    pub minutes: i64,
    /// Count of records in the line, from 1.
    pub records: u32,
}

/// A balance at a head of the log and a civil date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceStatement {
    /// The account's last link, and the head at which the balance is true.
    pub head: SubjectHead,
    /// The date at which validity was judged.
    pub as_of: CivilDate,
    /// The sums, ascending by (scheme, kind, bucket, hour_kind), no two alike in these; a missing scheme or hour kind
    /// comes first.
    pub lines: Vec<BalanceLine>,
}

/// The status of a record at a head of the log. A later head may have another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordStatusStatement {
    /// The log.
    pub log_id: LogId,
    /// The record's account.
    pub account_ref: AccountRef,
    /// The record's issuer.
    pub issuer_id: InstitutionId,
    /// The record.
    pub record_id: RecordId,
    /// Its status at the head.
    pub status: RecordStatus,
    /// Index of the last entry in which its status changed: that of its deposit where it never did.
    pub status_index: u64,
    /// Leaf hash of that entry.
    pub status_entry: Digest,
    /// The record that superseded it; with the status `Superseded` and only then.
    pub superseded_by: Option<RecordId>,
    /// Whether it, its account's opening or its last change of status rests on a key that was reported as compromised.
    pub key_suspect: bool,
    /// Count of entries of the head, more than `status_index`.
    pub size: u64,
    /// The root at that size.
    pub root: Digest,
    /// When the last entry below that size was recorded, in microseconds UTC.
    pub recorded_at_us: i64,
}
