//! Enums of nouns and enums of messages, by name.

use crate::v1;

/// An enum that has a number in messages; 0 and unknown numbers have no noun.
pub(crate) trait Enumerated: Copy {
    /// The noun of a number.
    fn from_number(number: i32) -> Option<Self>;
    /// The number.
    fn number(self) -> i32;
}

/// Pairs a noun with its message enum. A function can't: the two lists of variants are what is written only once, and
/// a variant that is added on either side stops the build.
macro_rules! enumerated {
    ($($name:ident { $($variant:ident),* $(,)? })*) => {
        $(impl Enumerated for credit_types::$name {
            fn from_number(number: i32) -> Option<Self> {
                match v1::$name::try_from(number).ok()? {
                    v1::$name::Unspecified => None,
                    $(v1::$name::$variant => Some(Self::$variant),)*
                }
            }

            fn number(self) -> i32 {
                match self {
                    $(Self::$variant => v1::$name::$variant.into(),)*
                }
            }
        })*
    };
}

enumerated! {
    StatusReason {
        IssuedInError, Fraud, AccreditationWithdrawn, KeyCompromise, Superseded, LearnerRequest, LegalOrder,
        Investigation, Resolved,
    }
    RecordKind {
        FormalCourse, NondegreeCourse, SkillGrade, XCert, Qualification, Exam, Cpd, Activity, Experience, Award,
    }
    HourKind { Contact, Notional, Continuing, Practice }
    DeliveryMode { FaceToFace, Online, Blended, SelfStudy }
    PassState { Passed, Failed, NotAssessed }
    CorrectionReason { Clerical, GradeRevised, Amount, Dispute }
    RecordAction { Revoke, Suspend, Reinstate }
    RecordStatus { Valid, Suspended, Revoked, Superseded }
    AssuranceLevel { None, Phone, Document, DocumentFace }
    DocumentKind { ResidentId, Passport, ResidencePermit, PermanentResidence }
    AccountAction { Suspend, Reinstate, Close }
    AccountStatus { Active, Suspended, Closed }
    AliasKind { AccountNumber, Document, StudentNumber }
    Bucket { Issued, Available, Reserved, Redeemed, Revoked, Suspended, Expired, KeySuspect }
    SubjectKind { Account, Institution, Log, Book }
    FileManifestKind { Export, Bundle }
    KeyPurpose { Records, Status, Decisions, Registry, Keys, Recovery, Tokens }
    InstitutionKind {
        University, VocationalCollege, VocationalSchool, TrainingProvider, IndustryAssociation, CommunityCollege,
        EvaluationBody, Employer, Authority, CreditBank,
    }
    Role { Issuer, Evaluator, Acceptor, Awarder, Registrar, Regulator, Witness }
    SchemeKind { Credit, Hour, Point }
    BookDate { Decision, Earned, Enrolled }
    RuleBookAction { Activate, Abolish }
    ConversionPurpose { Credit, Award }
    DecisionOutcome { Approve, Partly, Reject, Ask }
    DecisionReason {
        NotOnList, LevelTooLow, ScoreBelowMin, Expired, AlreadyUsed, CapReached, DuplicateSubject,
        IssuerNotAccredited, EvidenceInsufficient, ContentMatchLow, RuleNotEffective,
    }
    ConversionAction { Withdraw, Appeal, Answer, Confirm, Rescind }
    Consumption { Global, OnceForAllDegrees, PerProgramme, PerAwardLevel, None }
    ApplicationStatus {
        UnderReview, InfoRequested, Posted, Provisional, Rejected, Appealed, Withdrawn, Lapsed, Rescinded, Reversed,
    }
    EventKind {
        LedgerCreated, ServerStarted, InstitutionAdmitted, FrameworkPublished, KeyAdded, KeyRetired, KeyCompromised,
        AccountOpened, AccountStatusChanged, RecordDeposited, RecordStatusChanged, BatchOpened, BatchChunk, BatchClosed,
        ProtocolUpgraded, RuleBookPublished, RuleBookChanged, AutoApprovalGiven, ConversionRequested, ConversionChanged,
    }
}

/// The number of an enum that may be absent.
pub(crate) fn optional_number<E: Enumerated>(value: Option<E>) -> i32 {
    value.map_or(0, Enumerated::number)
}
