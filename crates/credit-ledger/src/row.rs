//! The rows that the ledger's state consists of, and their names.

use credit_types::{
    AccountOpening, AccountRef, AccountStatus, Bucket, CivilDate, CommandId, CreditScheme, Digest,
    FrameworkId, FrameworkPublication, Genesis, InstitutionAdmission, InstitutionId, InstitutionKey, Kid,
    LeafType, RecordFacts, RecordId, RecordStatus, SchemeId, SignerId, Subject,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where and when an entry stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Index of the entry, from 0.
    pub index: u64,
    /// When the bank recorded it, in microseconds UTC.
    pub recorded_at_us: i64,
    /// The protocol that the log follows at this index.
    pub protocol: u32,
}

/// The name under which a command is remembered, so that it happens once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommandKey {
    /// Who signed it; of a chunk its manifest's signer.
    pub signer: SignerId,
    /// The statement's id; of a chunk its manifest's.
    pub command_id: CommandId,
    /// The chunk's number; `None` for a statement.
    pub chunk: Option<u32>,
}

/// The name of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RowId {
    /// The log itself.
    Log,
    /// An institution.
    Institution(InstitutionId),
    /// A key of an institution.
    Key(Kid),
    /// A framework.
    Framework(FrameworkId),
    /// A credit scheme.
    Scheme(SchemeId),
    /// An account.
    Account(AccountRef),
    /// A record, by its issuer and the issuer's id.
    Record(InstitutionId, RecordId),
    /// A command that was recorded.
    Command(CommandKey),
    /// A batch, by the index of its manifest's entry.
    Batch(u64),
    /// The open batches of a signer.
    OpenBatches(SignerId),
    /// The last link of a subject.
    Subject(Subject),
    /// A head of the log, by its size; supplied by the shell, never written here.
    Head(u64),
    /// The leaf hash of an entry, by its index; supplied by the shell, never written here.
    Leaf(u64),
}

/// A row. What is large is shared: a reader holds a row that others hold too, and only who changes it has its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// The log itself.
    Log(Arc<LogRow>),
    /// An institution.
    Institution(Arc<InstitutionRow>),
    /// A key of an institution.
    Key(Arc<KeyRow>),
    /// A framework.
    Framework(Arc<FrameworkRow>),
    /// A credit scheme.
    Scheme(Arc<SchemeRow>),
    /// An account.
    Account(Arc<AccountRow>),
    /// A record.
    Record(Arc<RecordRow>),
    /// A command that was recorded.
    Command(CommandRow),
    /// A batch.
    Batch(Arc<BatchRow>),
    /// The open batches of a signer.
    OpenBatches(OpenBatchesRow),
    /// The last link of a subject.
    Subject(SubjectRow),
    /// A head of the log.
    Head(HeadRow),
    /// The leaf hash of an entry.
    Leaf(Digest),
}

/// The log. Its id is the leaf hash of entry 0, which only the shell knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    /// What entry 0 says.
    pub genesis: Genesis,
}

/// An institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstitutionRow {
    /// What it was admitted with.
    pub admission: InstitutionAdmission,
    /// Index of its admission.
    pub admitted_index: u64,
    /// All keys it ever had, in the order in which they were registered; at most
    /// [`INSTITUTION_KEYS_MAX`](credit_types::limits::INSTITUTION_KEYS_MAX).
    pub keys: Vec<Kid>,
}

/// That a key was reported as compromised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compromised {
    /// Index of the first report: nothing signed by the key is accepted from here on.
    pub index: u64,
    /// The first index whose use of the key is in doubt; a later report may only move it back.
    pub suspect_from_index: u64,
}

/// A key of an institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// Whose it is, for ever.
    pub owner: InstitutionId,
    /// The key with its purposes.
    pub key: InstitutionKey,
    /// Index of the entry that registered it.
    pub active_from_index: u64,
    /// The institution keys under which it was added; none where the authority vouched for it.
    pub authorised_by: Vec<Kid>,
    /// Index of its retirement.
    pub retired_index: Option<u64>,
    /// Its report as compromised.
    pub compromised: Option<Compromised>,
    /// Index of the last entry about it.
    pub last_status_index: u64,
}

/// A framework at its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkRow {
    /// What was published.
    pub framework: FrameworkPublication,
    /// Index of the newest version's entry.
    pub published_index: u64,
}

/// A credit scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemeRow {
    /// The framework that registers it, for ever.
    pub framework_id: FrameworkId,
    /// The scheme.
    pub scheme: CreditScheme,
}

/// One change of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusStep<S> {
    /// Index of the entry.
    pub index: u64,
    /// The key that signed.
    pub kid: Kid,
    /// The status from there on.
    pub status: S,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its id.
    pub account_ref: AccountRef,
    /// What was signed.
    pub opening: AccountOpening,
    /// Who opened it.
    pub registrar: InstitutionId,
    /// The key that signed the opening or its manifest.
    pub kid: Kid,
    /// Index of the manifest, for a leaf of a batch.
    pub manifest_index: Option<u64>,
    /// Index of the opening's entry.
    pub opened_index: u64,
    /// Its status.
    pub status: AccountStatus,
    /// Every change of the status, in order.
    pub steps: Vec<StatusStep<AccountStatus>>,
    /// Index of the last entry of its status chain.
    pub last_status_index: u64,
    /// Count of its records, whatever their status.
    pub records: u32,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRow {
    /// What was signed.
    pub facts: RecordFacts,
    /// Who signed it.
    pub issuer: InstitutionId,
    /// The key that signed the facts, the correction or the manifest.
    pub kid: Kid,
    /// Index of the manifest, for a leaf of a batch.
    pub manifest_index: Option<u64>,
    /// Index of the deposit's entry.
    pub deposited_index: u64,
    /// Where its credit is, in milli-credits; only what is not zero.
    pub buckets: BTreeMap<Bucket, i64>,
    /// Its status as posted.
    pub status: RecordStatus,
    /// Every change of the status, in order.
    pub steps: Vec<StatusStep<RecordStatus>>,
    /// Index of the last entry of its status chain.
    pub last_status_index: u64,
    /// The record that it corrects.
    pub supersedes: Option<RecordId>,
    /// The record that corrects it.
    pub superseded_by: Option<RecordId>,
    /// The last day of validity: its own, or what the issuer's default gives; `None`: for ever.
    pub valid_until: Option<CivilDate>,
}

/// A command that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRow {
    /// Index of its entry.
    pub index: u64,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// Who signed the manifest.
    pub signer: SignerId,
    /// The key that signed it.
    pub kid: Kid,
    /// What its leaves are.
    pub leaf_type: LeafType,
    /// Count of leaves.
    pub record_count: u32,
    /// Root over the leaves.
    pub root: Digest,
    /// Index of the manifest's entry: the batch's name.
    pub opened_index: u64,
    /// When the manifest was recorded, in microseconds UTC.
    pub opened_at_us: i64,
    /// The manifest's statement_id.
    pub statement_id: CommandId,
    /// The chunk that comes next, from 0.
    pub next_chunk: u32,
    /// Count of accepted leaves so far.
    pub accepted: u32,
    /// Count of refused leaves so far.
    pub refused: u32,
    /// Whether it takes no more leaves.
    pub closed: bool,
    /// The order key of the last accepted leaf: account_ref || record_id, or the leaf hash of an opening.
    pub last_key: Option<Digest>,
}

/// The open batches of a signer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBatchesRow {
    /// Indexes of their manifests' entries, ascending; at most
    /// [`OPEN_BATCHES_MAX`](credit_types::limits::OPEN_BATCHES_MAX).
    pub batches: Vec<u64>,
}

/// The last link of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRow {
    /// Its sequence, from 1.
    pub sequence: u64,
    /// Index of its entry.
    pub last_index: u64,
}

/// A head of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadRow {
    /// The root at that size.
    pub root: Digest,
    /// When the last entry below that size was recorded, in microseconds UTC.
    pub recorded_at_us: i64,
}
