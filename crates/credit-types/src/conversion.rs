//! Applications: credit that moves between institutions, and awards.

use crate::credits::{Amount, Credits, Posting};
use crate::date::CivilDate;
use crate::id::{AccountRef, BookName, CommandId, Digest, InstitutionId, RecordId, SchemeId};
use crate::record::{RecordFacts, RecordKind};
use crate::rejection::Rejection;
use crate::rule_book::BookVersion;
use serde::{Deserialize, Serialize};

/// A record by its issuer and the issuer's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordName {
    /// The issuer.
    pub issuer: InstitutionId,
    /// The issuer's id for it.
    pub record_id: RecordId,
}

/// What is applied for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConversionPurpose {
    /// Credit at another institution.
    Credit,
    /// An award.
    Award,
}

/// Applies for credit or for an award.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionRequest {
    /// The learner's account.
    pub account_ref: AccountRef,
    /// What is applied for.
    pub purpose: ConversionPurpose,
    /// Who is to accept or to grant.
    pub institution_id: InstitutionId,
    /// Under which book.
    pub book: BookVersion,
    /// The programme of the book, or the award.
    pub target: BookName,
    /// The records that may be used, ascending.
    pub records: Vec<RecordName>,
    /// Salted commitment to the particulars.
    pub particulars_commitment: Option<Digest>,
}

/// What a rule asks that no record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConversionFact {
    /// The position of the record in the request, from 0.
    pub record: u32,
    /// The fact's name.
    pub name: BookName,
    /// Its value as a rule book writes it.
    pub value: String,
}

/// What the learner states beside the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversionParticulars {
    /// The day of birth.
    pub born_on: Option<CivilDate>,
    /// The day of enrolment.
    pub enrolled_on: Option<CivilDate>,
    /// Courses that are met already, ascending.
    pub met: Vec<BookName>,
    /// Facts of records, ascending.
    pub facts: Vec<ConversionFact>,
    /// How the learner consented.
    pub consent_ref: String,
}

/// What an officer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DecisionOutcome {
    /// All that was proposed.
    Approve,
    /// Some of it.
    Partly,
    /// None of it.
    Reject,
    /// Something is asked of the learner.
    Ask,
}

/// Why an officer declines or lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DecisionReason {
    /// Not on the list of what is accepted.
    NotOnList,
    /// The level is too low.
    LevelTooLow,
    /// The score is below the minimum.
    ScoreBelowMin,
    /// It has expired.
    Expired,
    /// It was used already.
    AlreadyUsed,
    /// A maximum is reached.
    CapReached,
    /// The same subject counts already.
    DuplicateSubject,
    /// The issuer was not accredited for it.
    IssuerNotAccredited,
    /// The evidence does not suffice.
    EvidenceInsufficient,
    /// The content agrees too little.
    ContentMatchLow,
    /// The rule is not in force.
    RuleNotEffective,
}

/// What is decided of one item of the proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedItem {
    /// Its position in the proposal, from 0.
    pub position: u32,
    /// What is granted, less than was proposed; `None`: nothing.
    pub credits: Option<Credits>,
    /// Why.
    pub reason: DecisionReason,
}

/// Decides an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionDecision {
    /// Leaf hash of the application's last entry.
    pub after: Digest,
    /// Index of the application's entry.
    pub application: u64,
    /// What is decided.
    pub outcome: DecisionOutcome,
    /// The commitment to the explanation that the officer has read.
    pub explanation_commitment: Digest,
    /// Of `Partly` the items that are not granted as proposed, ascending by position.
    pub items: Vec<DecidedItem>,
    /// Of `Reject` and `Ask`: why.
    pub reason: Option<DecisionReason>,
    /// The last day on which provisional credit can be confirmed; `None`: it is final.
    pub provisional_until: Option<CivilDate>,
    /// Salted commitment to the opinion.
    pub opinion_commitment: Option<Digest>,
}

/// A step of an application that is no decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConversionAction {
    /// Withdrawn before a decision.
    Withdraw,
    /// Appealed after a rejection.
    Appeal,
    /// What was asked is answered.
    Answer,
    /// Provisional credit becomes final.
    Confirm,
    /// Provisional credit is taken back.
    Rescind,
}

/// Moves an application on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionStep {
    /// Leaf hash of the application's last entry.
    pub after: Digest,
    /// Index of the application's entry.
    pub application: u64,
    /// What is done.
    pub action: ConversionAction,
    /// Salted commitment to the explanation.
    pub explanation_commitment: Option<Digest>,
}

/// Takes an award back by order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwardReversal {
    /// Leaf hash of the application's last entry.
    pub after: Digest,
    /// Index of the application's entry.
    pub application: u64,
    /// The regulator that signs as well.
    pub regulator_id: InstitutionId,
    /// The order.
    pub order_ref: String,
    /// Positions of the records that stay used, ascending; all others are free again.
    pub kept: Vec<u32>,
    /// Salted commitment to the explanation.
    pub explanation_commitment: Option<Digest>,
}

/// What the credit of an item goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConvertedPlace {
    /// A course.
    Course(BookName),
    /// A requirement of the programme.
    Requirement(BookName),
    /// The standard's credit alone; of an award, the step that is reached.
    Standard(BookName),
}

impl ConvertedPlace {
    /// Its name in the book.
    pub fn name(&self) -> &BookName {
        match self {
            Self::Course(name) | Self::Requirement(name) | Self::Standard(name) => name,
        }
    }
}

/// Which further uses of a record a use excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Consumption {
    /// Every other use, for ever.
    Global,
    /// A use for another degree.
    OnceForAllDegrees,
    /// Another use in the same programme.
    PerProgramme,
    /// Another use in the same programme, or for an award of the same level.
    PerAwardLevel,
    /// None.
    None,
}

/// One item that the engine proposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedItem {
    /// The rule, or the award.
    pub rule: BookName,
    /// The kind of the rule; `None` of an award.
    pub rule_kind: Option<BookName>,
    /// Where the credit goes.
    pub place: ConvertedPlace,
    /// The scheme of the credit.
    pub scheme: SchemeId,
    /// How much; `None` where the place is met with no credit, and of an award.
    pub credits: Option<Credits>,
    /// The positions of its records in the request, ascending.
    pub sources: Vec<u32>,
    /// Which further uses of them it excludes.
    pub consumption: Consumption,
    /// The programme for which its records are used; `None` of an award that ends none.
    pub programme: Option<BookName>,
    /// The level of the award that ends the programme.
    pub award_level: Option<BookName>,
}

/// Credit of one record that moves between buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordMoved {
    /// The record.
    pub record: RecordName,
    /// What moves; none for a record without an amount.
    pub postings: Vec<Posting>,
}

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ApplicationStatus {
    /// An officer is to decide.
    UnderReview,
    /// Something is asked of the learner.
    InfoRequested,
    /// What was granted stands.
    Posted,
    /// What was granted stands until it is confirmed or taken back.
    Provisional,
    /// Rejected; may be appealed.
    Rejected,
    /// Appealed.
    Appealed,
    /// Withdrawn.
    Withdrawn,
    /// Lapsed.
    Lapsed,
    /// Provisional credit was taken back.
    Rescinded,
    /// An award was taken back by order.
    Reversed,
}

impl ApplicationStatus {
    /// Whether records are held for it.
    pub fn holds(self) -> bool {
        match self {
            Self::UnderReview | Self::InfoRequested | Self::Rejected | Self::Appealed => true,
            Self::Posted
            | Self::Provisional
            | Self::Withdrawn
            | Self::Lapsed
            | Self::Rescinded
            | Self::Reversed => false,
        }
    }
}

/// Credit or an award that came into being as a record of the institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The record's id.
    pub record_id: RecordId,
    /// The item's position in the proposal, from 0.
    pub position: u32,
    /// How much; `None` of a waiver and of an award.
    pub credits: Option<Credits>,
}

/// The id of what an application grants for an item: the application's statement_id as a UUIDv8 whose last two bytes
/// count the items. Nothing is hashed, so that everybody sees where it comes from.
pub fn granted_id(statement_id: CommandId, position: u32) -> RecordId {
    let mut bytes = statement_id.0;
    let [.., high, low] = &mut bytes;
    [*high, *low] = u16::try_from(position).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(version) = bytes.get_mut(6) {
        *version = (*version & 0x0f) | 0x80;
    }
    RecordId(bytes)
}

/// The record that a grant is: it has no details of its own, and commits to the explanation that it rests on.
pub fn granted_facts(
    account_ref: AccountRef,
    purpose: ConversionPurpose,
    granted: &Granted,
    scheme: &SchemeId,
    granted_on: CivilDate,
    explanation_commitment: Digest,
) -> RecordFacts {
    RecordFacts {
        record_id: granted.record_id,
        account_ref,
        kind: match purpose {
            ConversionPurpose::Credit => RecordKind::FormalCourse,
            ConversionPurpose::Award => RecordKind::Qualification,
        },
        amount: granted.credits.map(|credits| Amount { scheme: scheme.clone(), credits }),
        minutes: None,
        level: None,
        subject_code: String::new(),
        occupation_code: String::new(),
        awarded_on: granted_on,
        valid_until: None,
        details_commitment: explanation_commitment,
        credit_eligible: false,
    }
}

/// What the bank reckoned for an application. In a replay without details it is taken from the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Whose the programme or award is, by the book; `None` where the book has none of that name.
    pub owner: Option<InstitutionId>,
    /// What is proposed; empty where nothing is granted.
    pub items: Vec<ProposedItem>,
    /// Whether the book allows that no officer decides it.
    pub automatic: bool,
    /// Why nothing is granted, where nothing is.
    pub refusal: Option<Box<Rejection>>,
    /// Salted commitment to the explanation.
    pub explanation_commitment: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_named_after_its_application() {
        let statement = CommandId([0x01, 2, 3, 4, 5, 6, 0x7a, 8, 0x89, 10, 11, 12, 13, 14, 15, 16]);
        let id = granted_id(statement, 259);
        assert_eq!(id.0, [0x01, 2, 3, 4, 5, 6, 0x8a, 8, 0x89, 10, 11, 12, 13, 14, 1, 3]);
        assert!(RecordId::from_uuid(id.as_bytes()).is_ok());
        assert_ne!(granted_id(statement, 0), granted_id(statement, 1));
    }
}
