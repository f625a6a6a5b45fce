//! Refusals: the ledger says no, changes nothing, and the caller can act.
//!
//! [`Reason`] is the one list. Its numbers stand in the log (refused leaves of a batch) and its names on the wire, so
//! neither is ever reused. Reasons stand in the order in which they are checked: the first that applies is given.

mod table;

use std::fmt;
use table::{ROWS, Row};

/// What a refusal is like; an edge maps it to its own codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The request can never be accepted as it is.
    Invalid,
    /// The signer may not do this.
    Permission,
    /// Something that the request names is not there.
    NotFound,
    /// Something that the request would make is there already.
    Exists,
    /// The state of the ledger does not allow it.
    Precondition,
    /// A limit is reached for the moment.
    Exhausted,
}

/// Why the ledger refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A field is missing or out of its bounds.
    FieldInvalid = 1,
    /// The payload is not in canonical form.
    PayloadNotCanonical = 2,
    /// The payload type is not the one this call takes.
    PayloadTypeWrong = 3,
    /// A signature does not verify.
    SignatureInvalid = 4,
    /// The secret part does not match its commitment.
    CommitmentMismatch = 5,
    /// The entry would be larger than its limit.
    EntryTooLarge = 6,
    /// The ledger has been created before.
    LedgerExists = 7,
    /// The statement is meant for another log.
    LogIdMismatch = 8,
    /// The statement_id was used before for another statement.
    CommandIdReused = 9,
    /// The statement names no head of the log.
    AnchorMissing = 10,
    /// The anchor's size is not a size this log has had.
    AnchorUnknown = 11,
    /// The anchor's root is not this log's root at that size.
    AnchorForged = 12,
    /// The anchor is older than the log's policy allows.
    AnchorStale = 13,
    /// The signer is not a known institution.
    SignerUnknown = 14,
    /// This kind of signer may not sign this statement.
    SignerNotAllowed = 15,
    /// The signer does not have the role that this needs.
    RoleMissing = 16,
    /// A signing key is not known.
    KeyUnknown = 17,
    /// A signing key belongs to someone else.
    KeyOfAnother = 18,
    /// A signing key was reported as compromised.
    KeyCompromised = 19,
    /// A signing key is retired.
    KeyRetired = 20,
    /// A signing key may not sign this kind of statement.
    KeyPurposeWrong = 21,
    /// A new key has not signed for itself.
    PossessionMissing = 22,
    /// Too few authority keys have signed.
    ThresholdNotMet = 23,
    /// There are more signatures than the statement needs.
    SignatureNotNeeded = 24,
    /// The institution was admitted before.
    InstitutionExists = 25,
    /// The parent centre is not admitted.
    ParentUnknown = 26,
    /// The key was registered before.
    KeyExists = 27,
    /// The institution has as many keys as it may have.
    KeyLimitReached = 28,
    /// The framework's version is not newer.
    FrameworkVersionNotNewer = 29,
    /// A new version may not change or drop the level scale.
    FrameworkLevelsChanged = 30,
    /// A scheme is registered by another framework.
    SchemeOfAnother = 31,
    /// A new version may not change a scheme's step or kind.
    SchemeChanged = 32,
    /// The key that the statement is about is not known.
    KeyNotFound = 33,
    /// The suspect range begins before the key's activation.
    SuspectBeforeActivation = 34,
    /// The suspect range begins after this entry.
    SuspectInFuture = 35,
    /// The owner alone may not reach back that far.
    SuspectTooFarBack = 36,
    /// The account is not known.
    AccountUnknown = 37,
    /// The account id is taken.
    AccountExists = 38,
    /// Another account has the same document or number.
    AliasExists = 39,
    /// The account is closed.
    AccountClosed = 40,
    /// The account is not active.
    AccountNotActive = 41,
    /// The account is not suspended.
    AccountNotSuspended = 42,
    /// The account has as many records as it may have.
    AccountFull = 43,
    /// A regulator must cite the order.
    OrderRefMissing = 44,
    /// The record is not known.
    RecordUnknown = 45,
    /// The issuer has used the record_id before.
    RecordExists = 46,
    /// The same outcome is recorded under another id.
    OutcomeExists = 47,
    /// The record belongs to another account.
    RecordOfAnotherAccount = 48,
    /// The record is revoked.
    RecordRevoked = 49,
    /// The record is superseded.
    RecordSuperseded = 50,
    /// The record is not suspended.
    RecordNotSuspended = 51,
    /// The record is suspended already.
    RecordAlreadySuspended = 52,
    /// The statement follows an older state of its subject.
    StaleStatement = 53,
    /// The status has changed as often as it may.
    StatusLimitReached = 54,
    /// The award lies in the future.
    AwardedInFuture = 55,
    /// The validity ends before the award.
    ValidityBeforeAward = 56,
    /// The dates of learning run backwards.
    DatesBackwards = 57,
    /// The change would take effect in the future.
    EffectiveInFuture = 58,
    /// No accreditation covers this kind of record.
    NotAccredited = 59,
    /// The accreditation was not in force on the day of the award.
    AccreditationNotInForce = 60,
    /// No accreditation covers this level.
    LevelNotAccredited = 61,
    /// No accreditation covers this subject or occupation.
    SubjectNotAccredited = 62,
    /// The framework is not published.
    FrameworkUnknown = 63,
    /// The level is not on the framework's scale.
    LevelNotInFramework = 64,
    /// The credit scheme is not registered.
    SchemeUnknown = 65,
    /// The amount is not a multiple of the scheme's step.
    AmountOffStep = 66,
    /// The signer has as many open batches as it may have.
    BatchLimitReached = 67,
    /// The batch is not known.
    BatchUnknown = 68,
    /// The batch belongs to another signer.
    BatchOfAnother = 69,
    /// The batch is closed.
    BatchClosed = 70,
    /// The batch's days are over.
    BatchExpired = 71,
    /// Chunks enter in order.
    ChunkOutOfOrder = 72,
    /// The chunk has the wrong count of leaves.
    ChunkSizeWrong = 73,
    /// The chunk does not belong to the manifest's root.
    ChunkPathWrong = 74,
    /// The leaves are not strictly ascending.
    LeafOrderWrong = 75,
    /// The protocol is not one this software speaks.
    ProtocolUnknown = 76,
    /// The log follows an earlier protocol.
    ProtocolTooOld = 77,
    /// The protocol is not newer than the log's, or newer than this software.
    ProtocolNotNewer = 78,
    /// The rule book, or this version of it, is not published.
    BookUnknown = 79,
    /// The rule book's version is not newer.
    BookVersionNotNewer = 80,
    /// A framework or a rule book has this id.
    BookIdTaken = 81,
    /// The rule book does not say what the statement says of it.
    BookMismatch = 82,
    /// The rule book has errors.
    BookFaulty = 83,
    /// The rule book itself was not sent.
    BookBlobMissing = 84,
    /// The notice of the rule book is not over.
    BookNoticeRunning = 85,
    /// The rule book's version is already in that state, or abolished.
    BookStateWrong = 86,
    /// The rule book's version is not in force.
    BookNotInForce = 87,
    /// The rule book has as many versions as it may have.
    BookLimitReached = 88,
    /// The institution has as many auto-approvals as it may have.
    AutoApprovalLimitReached = 89,
    /// The account's holder was not identified well enough.
    AssuranceTooLow = 90,
    /// The rule book has no such programme or award.
    TargetUnknown = 91,
    /// The programme or award belongs to another institution.
    TargetOfAnother = 92,
    /// The issuer does not offer the record for conversion.
    RecordNotOffered = 93,
    /// The record is itself the outcome of an application.
    RecordGranted = 94,
    /// The record's validity has ended.
    RecordExpired = 95,
    /// The record is suspended, or was used for ever.
    RecordNotAvailable = 96,
    /// The record rests on a key that was reported as compromised.
    RecordKeySuspect = 97,
    /// The record is held for another application.
    RecordReserved = 98,
    /// An earlier use of the record excludes this one.
    RecordUsed = 99,
    /// Nothing is granted for these records.
    NothingGranted = 100,
    /// The rule book can't be applied to these records.
    EngineRefused = 101,
    /// The explanation would be larger than its limit.
    ExplanationTooLarge = 102,
    /// The decision rests on another explanation than the application.
    ExplanationMismatch = 103,
    /// There is no application with this index.
    ApplicationUnknown = 104,
    /// The application was made to another institution.
    ApplicationOfAnother = 105,
    /// Where the application stands does not allow this.
    ApplicationStateWrong = 106,
    /// The application's time is over.
    ApplicationLapsed = 107,
    /// The account has as many applications or uses as it may have.
    ApplicationLimitReached = 108,
    /// The appeal's days are over, or no appeal is left.
    AppealNotPossible = 109,
    /// An appeal is not decided by the key that rejected.
    SameOfficer = 110,
    /// The decision's items don't fit the proposal.
    DecisionItemWrong = 111,
    /// What an application granted is not changed by its issuer.
    RecordOfApplication = 112,
    /// The account has open applications.
    AccountHasApplications = 113,
    /// Something was granted since by the same rules or into the same programme.
    ApplicationOutdated = 114,
}

impl Reason {
    /// Every reason, in the order in which they are checked.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.reason)
    }

    fn row(self) -> &'static Row {
        let found = ROWS.iter().find(|row| row.reason == self);
        // A test walks the list; a reason without a row can't be built.
        assert!(found.is_some(), "every reason has a row");
        found.unwrap_or(&ROWS[0])
    }

    /// The number that stands in the log, from 1.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The reason with a number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::all().find(|reason| reason.number() == number)
    }

    /// The stable name, for example `RECORD_EXISTS`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The reason with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|reason| reason.name() == name)
    }

    /// What it is like.
    pub fn class(self) -> Class {
        self.row().class
    }

    /// What is wrong, in English.
    pub fn en(self) -> &'static str {
        self.row().en
    }

    /// What is wrong, in Chinese.
    pub fn zh(self) -> &'static str {
        self.row().zh
    }

    /// What to do about it, in English.
    pub fn remedy_en(self) -> &'static str {
        self.row().remedy_en
    }

    /// What to do about it, in Chinese.
    pub fn remedy_zh(self) -> &'static str {
        self.row().remedy_zh
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal: the reason, and where it can be said, the field and the entry it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}{}", reason.name(), field.as_ref().map(|f| format!("{f}: ")).unwrap_or_default(), reason.en())]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The path of the field that is wrong, for example `amount.credits_milli`.
    pub field: Option<String>,
    /// Index of the entry that stands in the way.
    pub index: Option<u64>,
    /// What exactly is wrong, where the reason alone does not say it.
    pub detail: Option<String>,
}

impl Rejection {
    /// A refusal of the statement or command as a whole.
    pub fn new(reason: Reason) -> Self {
        Self { reason, field: None, index: None, detail: None }
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the entry that stands in the way.
    #[must_use]
    pub fn index(mut self, index: u64) -> Self {
        self.index = Some(index);
        self
    }

    /// Says what exactly is wrong.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_run_from_one_without_gaps_and_names_are_unique() {
        let numbers: Vec<u32> = Reason::all().map(Reason::number).collect();
        let expected: Vec<u32> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, expected);
        let names: BTreeSet<&str> = Reason::all().map(Reason::name).collect();
        assert_eq!(names.len(), numbers.len());
        for reason in Reason::all() {
            assert_eq!(Reason::from_number(reason.number()), Some(reason));
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
            assert!(!reason.zh().is_ascii() && reason.en().is_ascii(), "{reason} speaks both languages");
            let chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            assert!(chinese(reason.remedy_zh()), "{reason} says in Chinese what to do");
            assert!(!reason.remedy_en().is_empty() && !chinese(reason.remedy_en()), "{reason}, in English");
        }
        assert_eq!(Reason::from_number(0), None);
    }
}
