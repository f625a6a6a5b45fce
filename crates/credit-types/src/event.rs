//! What happened: the outcomes of `decide`, the only input of `evolve`.

use crate::account::{AccountOpening, AccountStatus, AccountStatusChange, AliasAsserted};
use crate::conversion::{ApplicationStatus, ConversionRequest, Granted, ProposedItem, RecordMoved};
use crate::credits::Posting;
use crate::date::CivilDate;
use crate::entry::Subject;
use crate::framework::FrameworkPublication;
use crate::genesis::{Genesis, ProtocolUpgrade, ServerStart};
use crate::id::{AccountRef, Digest, InstitutionId, Kid, RecordId, SignerId};
use crate::institution::{InstitutionAdmission, KeyAddition, KeyCompromise, KeyRetirement};
use crate::record::{BatchManifest, RecordFacts, RecordStatus};
use crate::rejection::Reason;
use crate::rule_book::{AutoApproval, RuleBookChange, RuleBookPublication};
use crate::statement::Signed;

/// An event with all that readers need of the statements it rests on. New variants are added; none is ever edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The log begins.
    LedgerCreated(Box<Signed<Genesis>>),
    /// A server has started.
    ServerStarted(Signed<ServerStart>),
    /// An institution was admitted.
    InstitutionAdmitted(Box<Signed<InstitutionAdmission>>),
    /// A framework was published.
    FrameworkPublished(Box<Signed<FrameworkPublication>>),
    /// A key was added.
    KeyAdded(Box<Signed<KeyAddition>>),
    /// A key was retired.
    KeyRetired {
        /// The owner.
        institution_id: InstitutionId,
        /// What was signed.
        statement: Signed<KeyRetirement>,
    },
    /// A key was reported as compromised.
    KeyCompromised {
        /// The owner.
        institution_id: InstitutionId,
        /// What was signed.
        statement: Signed<KeyCompromise>,
    },
    /// An account was opened.
    AccountOpened {
        /// Its id.
        account_ref: AccountRef,
        /// What was signed.
        opening: AccountOpening,
        /// The registrar.
        registrar: InstitutionId,
        /// The key that signed the opening or its manifest.
        kid: Kid,
        /// Index of the manifest, for a leaf of a batch.
        manifest_index: Option<u64>,
        /// The aliases that the bank found new.
        aliases: Vec<AliasAsserted>,
    },
    /// An account's status changed.
    AccountStatusChanged {
        /// Its status from here on.
        status: AccountStatus,
        /// What was signed.
        statement: Signed<AccountStatusChange>,
    },
    /// A record was deposited.
    RecordDeposited {
        /// What was signed.
        facts: Box<RecordFacts>,
        /// The issuer.
        issuer: InstitutionId,
        /// The key that signed the facts, the correction or the manifest.
        kid: Kid,
        /// Index of the manifest, for a leaf of a batch.
        manifest_index: Option<u64>,
        /// The record it supersedes, for a correction.
        supersedes: Option<RecordId>,
        /// Version of the pepper of the fingerprint.
        fingerprint_version: u32,
        /// ISSUED to AVAILABLE, or nothing.
        postings: Vec<Posting>,
    },
    /// A record's status changed.
    RecordStatusChanged {
        /// The account.
        account_ref: AccountRef,
        /// The issuer.
        issuer: InstitutionId,
        /// The record.
        record_id: RecordId,
        /// Its status from here on.
        status: RecordStatus,
        /// The record that supersedes it, for a correction.
        superseded_by: Option<RecordId>,
        /// The key that signed.
        kid: Kid,
        /// What moved.
        postings: Vec<Posting>,
    },
    /// A batch was opened; its name is the index of its entry.
    BatchOpened(Signed<BatchManifest>),
    /// A chunk was taken in.
    BatchChunk {
        /// Index of the manifest.
        manifest_index: u64,
        /// The chunk's number, from 0.
        chunk: u32,
        /// Inclusion path of the chunk's root.
        path: Vec<Digest>,
        /// Count of leaves of the chunk.
        leaves: u32,
        /// The order key of the chunk's last accepted leaf: account_ref || record_id of a record, the leaf hash of an
        /// opening; `None` where all were refused.
        last_key: Option<Digest>,
        /// The refused positions, ascending.
        refused: Vec<RefusedLeaf>,
    },
    /// A batch was closed.
    BatchClosed {
        /// Who opened it.
        signer: SignerId,
        /// Index of the manifest.
        manifest_index: u64,
        /// Count of accepted leaves.
        accepted: u32,
        /// Count of refused leaves.
        refused: u32,
    },
    /// A newer protocol holds from the next index on.
    ProtocolUpgraded(Signed<ProtocolUpgrade>),
    /// A version of a rule book was published.
    RuleBookPublished(Box<Signed<RuleBookPublication>>),
    /// A version of a rule book was activated or abolished.
    RuleBookChanged(Box<Signed<RuleBookChange>>),
    /// An institution said which rules it applies without an officer.
    AutoApprovalGiven {
        /// The institution.
        institution_id: InstitutionId,
        /// What was signed.
        statement: Box<Signed<AutoApproval>>,
    },
    /// Credit or an award was applied for.
    ConversionRequested {
        /// What was signed.
        statement: Box<Signed<ConversionRequest>>,
        /// What is proposed.
        items: Vec<ProposedItem>,
        /// Salted commitment to the explanation.
        explanation_commitment: Digest,
        /// The records that are held.
        moved: Vec<RecordMoved>,
    },
    /// An application went on.
    ConversionChanged(Box<ConversionChange>),
}

/// How an application went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionChange {
    /// The account.
    pub account_ref: AccountRef,
    /// Index of the application's entry.
    pub application: u64,
    /// Where it stands from here on.
    pub status: ApplicationStatus,
    /// What moves.
    pub moved: Vec<RecordMoved>,
    /// What came into being, ascending by position; of `Rescinded` and `Reversed` what is taken back.
    pub granted: Vec<Granted>,
    /// The day on which it was granted; with `granted` only.
    pub granted_on: Option<CivilDate>,
    /// Index of the auto-approval's entry; with a decision that no officer made.
    pub auto_approval: Option<u64>,
    /// The last day on which provisional credit can be confirmed.
    pub provisional_until: Option<CivilDate>,
    /// The key that signed the statement that it rests on.
    pub kid: Kid,
}

/// A refused position of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedLeaf {
    /// Position in the batch, from 0.
    pub position: u32,
    /// Leaf hash of the refused leaf.
    pub leaf_hash: Digest,
    /// Why.
    pub reason: Reason,
}

/// The kind of an event, as it stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// The log begins.
    LedgerCreated,
    /// A server has started.
    ServerStarted,
    /// An institution was admitted.
    InstitutionAdmitted,
    /// A framework was published.
    FrameworkPublished,
    /// A key was added.
    KeyAdded,
    /// A key was retired.
    KeyRetired,
    /// A key was reported as compromised.
    KeyCompromised,
    /// An account was opened.
    AccountOpened,
    /// An account's status changed.
    AccountStatusChanged,
    /// A record was deposited.
    RecordDeposited,
    /// A record's status changed.
    RecordStatusChanged,
    /// A batch was opened.
    BatchOpened,
    /// A chunk was taken in.
    BatchChunk,
    /// A batch was closed.
    BatchClosed,
    /// A newer protocol was announced.
    ProtocolUpgraded,
    /// A version of a rule book was published.
    RuleBookPublished,
    /// A version of a rule book was activated or abolished.
    RuleBookChanged,
    /// An institution said which rules it applies without an officer.
    AutoApprovalGiven,
    /// Credit or an award was applied for.
    ConversionRequested,
    /// An application went on.
    ConversionChanged,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::LedgerCreated,
        Self::ServerStarted,
        Self::InstitutionAdmitted,
        Self::FrameworkPublished,
        Self::KeyAdded,
        Self::KeyRetired,
        Self::KeyCompromised,
        Self::AccountOpened,
        Self::AccountStatusChanged,
        Self::RecordDeposited,
        Self::RecordStatusChanged,
        Self::BatchOpened,
        Self::BatchChunk,
        Self::BatchClosed,
        Self::ProtocolUpgraded,
        Self::RuleBookPublished,
        Self::RuleBookChanged,
        Self::AutoApprovalGiven,
        Self::ConversionRequested,
        Self::ConversionChanged,
    ];
}

impl Event {
    /// Its kind.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::LedgerCreated(_) => EventKind::LedgerCreated,
            Self::ServerStarted(_) => EventKind::ServerStarted,
            Self::InstitutionAdmitted(_) => EventKind::InstitutionAdmitted,
            Self::FrameworkPublished(_) => EventKind::FrameworkPublished,
            Self::KeyAdded(_) => EventKind::KeyAdded,
            Self::KeyRetired { .. } => EventKind::KeyRetired,
            Self::KeyCompromised { .. } => EventKind::KeyCompromised,
            Self::AccountOpened { .. } => EventKind::AccountOpened,
            Self::AccountStatusChanged { .. } => EventKind::AccountStatusChanged,
            Self::RecordDeposited { .. } => EventKind::RecordDeposited,
            Self::RecordStatusChanged { .. } => EventKind::RecordStatusChanged,
            Self::BatchOpened(_) => EventKind::BatchOpened,
            Self::BatchChunk { .. } => EventKind::BatchChunk,
            Self::BatchClosed { .. } => EventKind::BatchClosed,
            Self::ProtocolUpgraded(_) => EventKind::ProtocolUpgraded,
            Self::RuleBookPublished(_) => EventKind::RuleBookPublished,
            Self::RuleBookChanged(_) => EventKind::RuleBookChanged,
            Self::AutoApprovalGiven { .. } => EventKind::AutoApprovalGiven,
            Self::ConversionRequested { .. } => EventKind::ConversionRequested,
            Self::ConversionChanged(_) => EventKind::ConversionChanged,
        }
    }

    /// The subject whose chain it belongs to; a batch as such belongs to none.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::LedgerCreated(_) | Self::ServerStarted(_) | Self::ProtocolUpgraded(_) => Some(Subject::Log),
            Self::InstitutionAdmitted(statement) => {
                Some(Subject::Institution(statement.body.institution_id.clone()))
            }
            Self::FrameworkPublished(statement) => Some(Subject::Book(statement.body.framework_id.clone())),
            Self::KeyAdded(statement) => Some(Subject::Institution(statement.body.institution_id.clone())),
            Self::KeyRetired { institution_id, .. } | Self::KeyCompromised { institution_id, .. } => {
                Some(Subject::Institution(institution_id.clone()))
            }
            Self::AccountOpened { account_ref, .. } | Self::RecordStatusChanged { account_ref, .. } => {
                Some(Subject::Account(*account_ref))
            }
            Self::AccountStatusChanged { statement, .. } => {
                Some(Subject::Account(statement.body.account_ref))
            }
            Self::RecordDeposited { facts, .. } => Some(Subject::Account(facts.account_ref)),
            Self::RuleBookPublished(statement) => Some(Subject::Book(statement.body.book.book_id.clone())),
            Self::RuleBookChanged(statement) => Some(Subject::Book(statement.body.book.book_id.clone())),
            Self::AutoApprovalGiven { institution_id, .. } => {
                Some(Subject::Institution(institution_id.clone()))
            }
            Self::ConversionRequested { statement, .. } => Some(Subject::Account(statement.body.account_ref)),
            Self::ConversionChanged(change) => Some(Subject::Account(change.account_ref)),
            Self::BatchOpened(_) | Self::BatchChunk { .. } | Self::BatchClosed { .. } => None,
        }
    }
}
