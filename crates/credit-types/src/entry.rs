//! What stands in the log, apart from statements and events: core, head, links.

use crate::id::{AccountRef, CommandId, Digest, FrameworkId, InstitutionId, SignerId};
use serde::{Deserialize, Serialize};

/// The leaf data of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryCore {
    /// Index of the entry, from 0.
    pub index: u64,
    /// When the bank recorded it, in microseconds UTC.
    pub recorded_at_us: i64,
    /// Root over the salted parts.
    pub parts_root: Digest,
}

/// Who acted, and how many parts follow. (A learner as actor comes with learners' commands.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryHead {
    /// Who acted.
    pub actor: SignerId,
    /// The command's id; of a chunk its manifest's.
    pub command_id: CommandId,
    /// Count of links.
    pub links: u32,
    /// Count of statements.
    pub statements: u32,
    /// Count of events.
    pub events: u32,
}

/// The kind of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SubjectKind {
    /// An account.
    Account,
    /// An institution.
    Institution,
    /// The log itself.
    Log,
    /// A framework or rule book.
    Book,
}

/// What a chain of links is about. The order of subjects is (kind, id bytes).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// An account.
    Account(AccountRef),
    /// An institution: admission, accreditation, keys, status; not its records.
    Institution(InstitutionId),
    /// The log itself.
    Log,
    /// A framework or rule book.
    Book(FrameworkId),
}

impl Subject {
    /// Its kind.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Account(_) => SubjectKind::Account,
            Self::Institution(_) => SubjectKind::Institution,
            Self::Log => SubjectKind::Log,
            Self::Book(_) => SubjectKind::Book,
        }
    }

    /// Its id as it stands in a link; empty for the log.
    pub fn id_bytes(&self) -> &[u8] {
        match self {
            Self::Account(account_ref) => account_ref.as_bytes(),
            Self::Institution(id) => id.as_str().as_bytes(),
            Self::Log => &[],
            Self::Book(id) => id.as_str().as_bytes(),
        }
    }
}

/// One subject's chain through an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is about.
    pub subject: Subject,
    /// From 1, without gaps.
    pub sequence: u64,
    /// Leaf hash of the entry of the previous link; `None` at sequence 1.
    pub previous: Option<Digest>,
    /// The numbers of all events of the entry about the subject, ascending.
    pub events: Vec<u32>,
}
