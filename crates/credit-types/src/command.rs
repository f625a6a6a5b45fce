//! What can be asked of the ledger.
//!
//! A command carries verified statements and the few inputs that the bank itself asserts: a drawn account_ref,
//! whether aliases and fingerprints were new. Both are given, never looked up here, so that an auditor who has only
//! the log can decide again.

use crate::account::{AccountOpening, AccountStatusChange, AliasAsserted};
use crate::conversion::{Assessment, AwardReversal, ConversionDecision, ConversionRequest, ConversionStep};
use crate::framework::FrameworkPublication;
use crate::genesis::{Genesis, ProtocolUpgrade, ServerStart};
use crate::id::{AccountRef, Digest};
use crate::institution::{InstitutionAdmission, KeyAddition, KeyCompromise, KeyRetirement};
use crate::record::{
    BatchClose, BatchManifest, RecordCorrection, RecordDetails, RecordFacts, RecordStatusChange,
};
use crate::rule_book::{AutoApproval, BookCheck, RuleBookChange, RuleBookPublication};
use crate::statement::Signed;

/// One command: one entry, or one refusal that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begins the log.
    CreateLedger(Box<Signed<Genesis>>),
    /// Says that a server has started.
    StartServer(Signed<ServerStart>),
    /// Admits an institution.
    AdmitInstitution(Box<Signed<InstitutionAdmission>>),
    /// Publishes a framework.
    PublishFramework(Box<Signed<FrameworkPublication>>),
    /// Adds a key.
    AddKey(Box<Signed<KeyAddition>>),
    /// Retires a key.
    RetireKey(Signed<KeyRetirement>),
    /// Reports a key as compromised.
    ReportKeyCompromise(Signed<KeyCompromise>),
    /// Opens an account.
    OpenAccount(Signed<AccountOpening>, OpeningDraw),
    /// Changes an account's status.
    ChangeAccountStatus(Signed<AccountStatusChange>),
    /// Deposits a record.
    DepositRecord(Box<Signed<RecordFacts>>, Box<DepositCheck>),
    /// Corrects a record.
    CorrectRecord(Box<Signed<RecordCorrection>>, Box<DepositCheck>),
    /// Revokes, suspends or reinstates a record.
    ChangeRecordStatus(Box<Signed<RecordStatusChange>>),
    /// Opens a batch.
    OpenBatch(Signed<BatchManifest>),
    /// Takes in a chunk of a batch.
    SubmitChunk(ChunkCommand),
    /// Ends a batch early.
    CloseBatch(Signed<BatchClose>),
    /// Announces a newer protocol.
    UpgradeProtocol(Signed<ProtocolUpgrade>),
    /// Publishes a version of a rule book.
    PublishRuleBook(Box<Signed<RuleBookPublication>>, Box<BookCheck>),
    /// Activates or abolishes a version of a rule book.
    ChangeRuleBook(Box<Signed<RuleBookChange>>),
    /// Says which rules an institution applies without an officer.
    GiveAutoApproval(Box<Signed<AutoApproval>>),
    /// Applies for credit or for an award.
    RequestConversion(Box<Signed<ConversionRequest>>, Box<Assessment>),
    /// Decides an application.
    DecideConversion(Box<Signed<ConversionDecision>>),
    /// Moves an application on.
    StepConversion(Box<Signed<ConversionStep>>),
    /// Takes an award back by order.
    ReverseAward(Box<Signed<AwardReversal>>),
}

/// What the bank drew and asserts for an opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningDraw {
    /// The random id.
    pub account_ref: AccountRef,
    /// The aliases, in the order account number, document, student numbers.
    pub aliases: Vec<AliasCheck>,
}

/// An alias that the bank looked up. A replay takes every alias of an accepted opening as new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AliasCheck {
    /// What the entry asserts.
    pub asserted: AliasAsserted,
    /// Whether another account has it.
    pub taken: bool,
}

/// The details of a record, or the fact that they can't be read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Details {
    /// As they were committed to.
    Known(Box<RecordDetails>),
    /// Erased, or not open to this reader: what depends on them is not decided again.
    Closed,
}

/// What the bank asserts for a deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositCheck {
    /// The details.
    pub details: Details,
    /// Version of the pepper of the fingerprint, from 1.
    pub fingerprint_version: u32,
    /// Whether another record in force has the same fingerprint.
    pub fingerprint_taken: bool,
}

/// One leaf of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkLeaf<B, C> {
    /// Leaf hash over PAE(leaf type, payload).
    pub leaf_hash: Digest,
    /// What it says.
    pub body: B,
    /// What the bank asserts for it.
    pub check: C,
}

/// A record leaf.
pub type RecordLeaf = ChunkLeaf<RecordFacts, DepositCheck>;
/// An opening leaf.
pub type OpeningLeaf = ChunkLeaf<AccountOpening, OpeningDraw>;

/// The leaves of a chunk, all of one type. In a replay, a refused leaf is known by its hash alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkLeaves {
    /// Records.
    Records(Vec<RecordLeaf>),
    /// Account openings.
    Openings(Vec<OpeningLeaf>),
}

/// A chunk whose path to the manifest's root has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkCommand {
    /// Index of the manifest's entry.
    pub manifest_index: u64,
    /// The chunk's number, from 0.
    pub chunk: u32,
    /// Inclusion path of the chunk's root, nearest sibling first.
    pub path: Vec<Digest>,
    /// Its leaves, in order.
    pub leaves: ChunkLeaves,
    /// Positions refused before the core saw them (in a replay: all refused positions), ascending.
    pub refused: Vec<crate::event::RefusedLeaf>,
}
