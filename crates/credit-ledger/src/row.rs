//! The rows that the ledger's state consists of, and their names.

use credit_types::{
    AccountOpening, AccountRef, AccountStatus, ApplicationStatus, AutoApproval, BookName, Bucket, CivilDate,
    CommandId, Consumption, ConversionRequest, ConvertedPlace, CreditScheme, Digest, FrameworkId,
    FrameworkPublication, Genesis, Granted, InstitutionAdmission, InstitutionId, InstitutionKey, Kid,
    LeafType, ProposedItem, RecordFacts, RecordId, RecordName, RecordStatus, RuleBookPublication, SchemeId,
    SignerId, Subject,
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
    /// The versions of a rule book.
    Book(FrameworkId),
    /// What an institution applies without an officer.
    AutoApprovals(InstitutionId),
    /// An application, by the index of its entry.
    Application(u64),
    /// What an account's records were used and are held for.
    Uses(AccountRef),
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
    /// The versions of a rule book.
    Book(Arc<BookRow>),
    /// What an institution applies without an officer.
    AutoApprovals(Arc<AutoApprovalsRow>),
    /// An application.
    Application(Arc<ApplicationRow>),
    /// What an account's records were used and are held for.
    Uses(Arc<UsesRow>),
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
    /// The protocol that the log follows from the next index on.
    pub protocol: u32,
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
    /// Index of the application that granted it; `None` of what an issuer deposited.
    pub application: Option<u64>,
}

impl RecordRow {
    /// Its issuer and the issuer's id.
    pub fn name(&self) -> RecordName {
        RecordName { issuer: self.issuer.clone(), record_id: self.facts.record_id }
    }
}

/// A version of a rule book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookVersionRow {
    /// What was published.
    pub publication: RuleBookPublication,
    /// Index of its publication.
    pub published_index: u64,
    /// When it was published, in microseconds UTC.
    pub published_at_us: i64,
    /// Index of its activation.
    pub activated_index: Option<u64>,
    /// Index of its abolition.
    pub abolished_index: Option<u64>,
    /// Index of the last entry about it.
    pub last_index: u64,
}

/// The versions of a rule book, ascending; at most [`BOOK_VERSIONS_MAX`](credit_types::limits::BOOK_VERSIONS_MAX).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookRow {
    /// The versions.
    pub versions: Vec<BookVersionRow>,
}

impl BookRow {
    /// A version.
    pub fn version(&self, version: u32) -> Option<&BookVersionRow> {
        let found = self.versions.binary_search_by_key(&version, |row| row.publication.book.version);
        found.ok().and_then(|at| self.versions.get(at))
    }

    /// The version in force on a day: the newest that is activated, not abolished, and whose window has the day.
    pub fn in_force(&self, day: CivilDate) -> Option<&BookVersionRow> {
        let in_force = |row: &&BookVersionRow| {
            row.activated_index.is_some() && row.abolished_index.is_none() && row.publication.has(day)
        };
        self.versions.iter().rev().find(in_force)
    }
}

/// An auto-approval and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenApproval {
    /// What was signed.
    pub approval: AutoApproval,
    /// Index of its entry.
    pub index: u64,
}

/// What an institution applies without an officer: the newest of each version of a book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoApprovalsRow {
    /// Ascending by book and version; at most [`AUTO_APPROVALS_MAX`](credit_types::limits::AUTO_APPROVALS_MAX).
    pub approvals: Vec<GivenApproval>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    /// What was signed.
    pub request: ConversionRequest,
    /// The registrar who signed it.
    pub registrar: InstitutionId,
    /// The statement's id.
    pub statement_id: CommandId,
    /// What is proposed.
    pub items: Vec<ProposedItem>,
    /// Salted commitment to the explanation.
    pub explanation_commitment: Digest,
    /// Index of its entry: its name.
    pub requested_index: u64,
    /// When it was recorded, in microseconds UTC.
    pub requested_at_us: i64,
    /// Where it stands.
    pub status: ApplicationStatus,
    /// Every change of that, in order; at most [`APPLICATION_STEPS_MAX`](credit_types::limits::APPLICATION_STEPS_MAX)
    /// before it ends.
    pub steps: Vec<StatusStep<ApplicationStatus>>,
    /// Index of the last entry about it.
    pub last_index: u64,
    /// When that was recorded, in microseconds UTC.
    pub last_at_us: i64,
    /// What came into being, ascending by position.
    pub granted: Vec<Granted>,
    /// The day on which it was granted.
    pub granted_on: Option<CivilDate>,
    /// The last day on which provisional credit can be confirmed.
    pub provisional_until: Option<CivilDate>,
    /// Index of the auto-approval under which it was decided.
    pub auto_approval: Option<u64>,
}

impl ApplicationRow {
    /// The positions of the records that the proposal uses, ascending.
    pub fn sources(&self) -> Vec<usize> {
        sources(&self.items)
    }

    /// How often it was appealed.
    pub fn appeals(&self) -> usize {
        self.steps.iter().filter(|step| step.status == ApplicationStatus::Appealed).count()
    }
}

/// The positions of the records that a proposal uses, ascending.
pub(crate) fn sources(items: &[ProposedItem]) -> Vec<usize> {
    let all = items.iter().flat_map(|item| &item.sources);
    let mut positions: Vec<usize> = all.filter_map(|position| usize::try_from(*position).ok()).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

/// A record that is held for an application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeldRecord {
    /// The record.
    pub record: RecordName,
    /// Index of the application's entry.
    pub application: u64,
}

/// That a record was used by a rule or for an award. Of several records that were used together, only the first carries
/// what was granted for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordUse {
    /// The record; where its issuer has corrected it, the one that stands for it now.
    pub record: RecordName,
    /// The same as the application named it.
    pub source: RecordName,
    /// The day on which it was earned.
    pub earned_on: CivilDate,
    /// Which further uses it excludes.
    pub consumption: Consumption,
    /// The programme for which; `None` of an award that ends none.
    pub programme: Option<BookName>,
    /// The level of the award that ends the programme.
    pub award_level: Option<BookName>,
    /// The rule, or the award.
    pub rule: BookName,
    /// The kind of the rule; `None` of an award.
    pub rule_kind: Option<BookName>,
    /// Where its credit went.
    pub place: ConvertedPlace,
    /// What was granted, in milli-credits.
    pub credits_milli: i64,
    /// The record that was granted.
    pub granted: RecordName,
    /// Index of the application's entry.
    pub application: u64,
    /// Index of the entry that granted it.
    pub posted_index: u64,
}

/// What an account's records were used and are held for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsesRow {
    /// Indexes of the account's applications, ascending; at most
    /// [`ACCOUNT_APPLICATIONS_MAX`](credit_types::limits::ACCOUNT_APPLICATIONS_MAX).
    pub applications: Vec<u64>,
    /// What is held, ascending.
    pub held: Vec<HeldRecord>,
    /// What was used, in the order of the log; at most [`ACCOUNT_USES_MAX`](credit_types::limits::ACCOUNT_USES_MAX).
    pub uses: Vec<RecordUse>,
}

impl UsesRow {
    /// The application that a record is held for.
    pub fn holder(&self, record: &RecordName) -> Option<u64> {
        self.held.iter().find(|held| held.record == *record).map(|held| held.application)
    }
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
