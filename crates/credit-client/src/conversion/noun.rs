//! What is asked for, and what is told of applications.

use credit_types::{
    AccountRef, ApplicationStatus, BookName, BookVersion, CivilDate, ConversionAction, ConversionParticulars,
    ConversionPurpose, ConversionRequest, DecidedItem, DecisionOutcome, DecisionReason, Digest, FrameworkId,
    Granted, InstitutionId, ProposedItem, RecordName, Text,
};

use crate::error::Refusal;
use crate::receipt::Recorded;

/// What is asked of the engine, without an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionQuery {
    /// The account; a learner may leave it out.
    pub account_ref: Option<AccountRef>,
    /// What is asked for.
    pub purpose: ConversionPurpose,
    /// The rule book.
    pub book_id: FrameworkId,
    /// Its version; 0: the one in force today.
    pub version: u32,
    /// The programme, or the award.
    pub target: BookName,
    /// The records; none: all of the account that may be used.
    pub records: Vec<RecordName>,
    /// What the learner states beside them.
    pub particulars: Option<ConversionParticulars>,
}

/// What an application would be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The version that was applied.
    pub version: u32,
    /// Whose the programme or award is.
    pub institution_id: InstitutionId,
    /// The records that were looked at, ascending.
    pub records: Vec<RecordName>,
    /// What would be proposed.
    pub items: Vec<ProposedItem>,
    /// Whether it would be posted without an officer today.
    pub automatic: bool,
    /// Why an application would be refused; `None` where it would not be.
    pub refusal: Option<Refusal>,
    /// The explanation: canonical JSON.
    pub explanation: Vec<u8>,
}

/// An application to be made. The client draws the salt and commits to the particulars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConversion {
    /// The learner's account.
    pub account_ref: AccountRef,
    /// What is applied for.
    pub purpose: ConversionPurpose,
    /// Who is to accept or to grant.
    pub institution_id: InstitutionId,
    /// Under which version of a book.
    pub book: BookVersion,
    /// The programme, or the award.
    pub target: BookName,
    /// The records that may be used.
    pub records: Vec<RecordName>,
    /// What the learner states beside them.
    pub particulars: Option<ConversionParticulars>,
}

/// A decision to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// Leaf hash of the application's last entry.
    pub after: Digest,
    /// Index of the application's entry.
    pub application: u64,
    /// What is decided.
    pub outcome: DecisionOutcome,
    /// The commitment to the explanation that the officer has read.
    pub explanation_commitment: Digest,
    /// Of `Partly` the items that are not granted as proposed.
    pub items: Vec<DecidedItem>,
    /// Of `Reject` and `Ask`: why.
    pub reason: Option<DecisionReason>,
    /// The last day on which provisional credit can be confirmed; `None`: it is final.
    pub provisional_until: Option<CivilDate>,
    /// The officer's opinion, kept secret like details.
    pub opinion: Option<Text>,
}

/// A step that is no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStep {
    /// Leaf hash of the application's last entry.
    pub after: Digest,
    /// Index of the application's entry.
    pub application: u64,
    /// What is done.
    pub action: ConversionAction,
    /// Words about it, kept secret like details.
    pub explanation: Option<Text>,
}

/// A reversal of an award by order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReversal {
    /// Leaf hash of the application's last entry.
    pub after: Digest,
    /// Index of the application's entry.
    pub application: u64,
    /// The order's reference.
    pub order_ref: String,
    /// Positions, in the request, of the records that stay used.
    pub kept: Vec<u32>,
    /// Words about it, kept secret like details.
    pub explanation: Option<Text>,
}

/// A write about an application, proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The proof; of an application its index is the application's name.
    pub recorded: Recorded,
    /// Where the application stands after it, as the proved entry says.
    pub status: ApplicationStatus,
}

/// A change of an application's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationStep {
    /// Index of the entry.
    pub index: u64,
    /// The status from there on.
    pub status: ApplicationStatus,
}

/// What the bank knows of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionView {
    /// Index of its entry: its name.
    pub application: u64,
    /// The request.
    pub request: ConversionRequest,
    /// What is proposed.
    pub items: Vec<ProposedItem>,
    /// Where it stands; one whose time is over reads as lapsed.
    pub status: ApplicationStatus,
    /// Every change of that.
    pub steps: Vec<ApplicationStep>,
    /// What was granted.
    pub granted: Vec<Granted>,
    /// The day on which it was granted.
    pub granted_on: Option<CivilDate>,
    /// The last day on which provisional credit can be confirmed.
    pub provisional_until: Option<CivilDate>,
    /// Index of the auto-approval under which it was decided; `None` where an officer did.
    pub auto_approval: Option<u64>,
    /// The commitment to its explanation, to be named in a decision.
    pub explanation_commitment: Digest,
    /// Leaf hash of the last entry about it, to be named as `after`.
    pub last_entry: Digest,
    /// Whether a record that it used was revoked, superseded or became suspect since.
    pub review_due: bool,
}

/// An application with its explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedConversion {
    /// The application.
    pub view: ConversionView,
    /// The explanation, canonical JSON, which opens the application's commitment; `None` where it was erased.
    pub explanation: Option<Vec<u8>>,
    /// Earlier applications that the same institution decided by one of the same rules for the same target.
    pub precedents: Vec<u64>,
}

/// Which period of continuing education is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplianceQuery {
    /// The account; a learner may leave it out.
    pub account_ref: Option<AccountRef>,
    /// The rule book.
    pub book_id: FrameworkId,
    /// Its version; 0: the one in force today.
    pub version: u32,
    /// The compliance rule of the book.
    pub rule: BookName,
    /// A day of the period.
    pub on: CivilDate,
}

/// How a period came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodVerdict {
    /// The version that was applied.
    pub version: u32,
    /// The verdict: canonical JSON.
    pub verdict: Vec<u8>,
    /// Whether the period is fulfilled.
    pub compliant: bool,
}
