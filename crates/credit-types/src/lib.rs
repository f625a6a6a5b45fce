//! The nouns of the credit bank: ids, amounts, dates, statements, commands, events, refusals and limits.
//!
//! A value that exists is valid: constructors check once, at the edge; inside, everybody relies on it. Nothing here
//! does I/O, reads a clock or draws a random number. Wire messages live in `credit-proto`, which converts them to
//! these nouns field by field; what a command means lives in `credit-ledger`.
//!
//! Start reading at [`command::Command`] and [`event::Event`], then [`rejection::Reason`].

pub mod account;
pub mod bank;
pub mod command;
pub mod conversion;
pub mod credits;
pub mod date;
pub mod entry;
pub mod event;
pub mod framework;
pub mod genesis;
pub mod id;
pub mod institution;
pub mod limits;
pub mod manifest;
pub mod record;
pub mod rejection;
pub mod rule_book;
pub mod statement;
pub mod text;

pub use account::{
    AccountAction, AccountIdentity, AccountOpening, AccountStatus, AccountStatusChange, AliasAsserted,
    AliasKind, AssuranceLevel, DocumentKind, StudentNumber,
};
pub use bank::{BalanceLine, BalanceStatement, RecordStatusStatement, SubjectHead};
pub use command::{
    AliasCheck, ChunkCommand, ChunkLeaf, ChunkLeaves, Command, DepositCheck, Details, OpeningDraw,
    OpeningLeaf, RecordLeaf,
};
pub use conversion::{
    ApplicationStatus, Assessment, AwardReversal, Consumption, ConversionAction, ConversionDecision,
    ConversionFact, ConversionParticulars, ConversionPurpose, ConversionRequest, ConversionStep,
    ConvertedPlace, DecidedItem, DecisionOutcome, DecisionReason, Granted, ProposedItem, RecordMoved,
    RecordName,
};
pub use credits::{Amount, Bucket, Credits, Posting};
pub use date::CivilDate;
pub use entry::{EntryCore, EntryHead, Link, Subject, SubjectKind};
pub use event::{ConversionChange, Event, EventKind, RefusedLeaf};
pub use framework::{CreditScheme, FrameworkPublication, LevelScale, SchemeKind};
pub use genesis::{Genesis, LogContinuation, Policy, ProtocolUpgrade, ServerStart};
pub use id::{
    AccountRef, BookName, CommandId, Digest, Epoch, FrameworkId, IdError, InstitutionId, Kid, LogId,
    RecordId, SchemeId, SignerId,
};
pub use institution::{
    Accreditation, InstitutionAdmission, InstitutionKey, InstitutionKind, KeyAddition, KeyCompromise,
    KeyPurpose, KeyRetirement, LevelRange, PublicKey, Role,
};
pub use manifest::{FileManifest, FileManifestKind, ManifestFile};
pub use record::{
    BatchClose, BatchManifest, CorrectionReason, DeliveryMode, Evidence, HourKind, LeafType, Level, Minutes,
    PassState, RecordAction, RecordCorrection, RecordDetails, RecordFacts, RecordKind, RecordStatus,
    RecordStatusChange,
};
pub use rejection::{Reason, Rejection};
pub use rule_book::{
    AutoApproval, BookCheck, BookDate, BookVersion, RuleBookAction, RuleBookChange, RuleBookPublication,
};
pub use statement::{Anchor, Header, Signed, StatusReason};
pub use text::Text;
