//! What came of checking a log.

use crate::rule::Rule;
use crate::scratch::ScratchError;
use credit_proto::entry::DecodeError;
use credit_types::Digest;

/// Exit code of a command whose checks all passed.
pub const EXIT_OK: u8 = 0;
/// Exit code of a command that found a rule broken.
pub const EXIT_BROKEN: u8 = 3;
/// Exit code of a command that met what the authority announced and this version doesn't know.
pub const EXIT_NEEDS_NEWER: u8 = 5;

/// The first rule that a log breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {index}: {rule}: {}: {detail}", rule.en())]
pub struct Broken {
    /// Index of the entry; the size of the log where it is the head that is wrong.
    pub index: u64,
    /// The rule.
    pub rule: Rule,
    /// What exactly was found, in English.
    pub detail: String,
}

/// What a log is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Ok,
    /// A rule is broken: somebody lied, or a copy is damaged.
    Broken(Broken),
    /// All is right up to an entry from which on the authority has announced what this version doesn't know.
    NeedsNewer {
        /// Index of the first entry that this version can't judge.
        index: u64,
        /// What isn't known.
        what: String,
    },
}

impl Verdict {
    /// The exit code that says so.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Ok => EXIT_OK,
            Self::Broken(_) => EXIT_BROKEN,
            Self::NeedsNewer { .. } => EXIT_NEEDS_NEWER,
        }
    }
}

/// What was checked, and the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Count of entries whose every part was judged.
    pub entries: u64,
    /// Count of statements and leaves in them.
    pub statements: u64,
    /// Count of signatures verified.
    pub signatures: u64,
    /// Count of entries whose decision was made again with all that it rested on.
    pub decisions_replayed: u64,
    /// Count of entries decided again without the details, which this reader may not see, or without the rule book.
    pub structure_only: u64,
    /// Count of entries decided again without details that were erased. Erasure has no event in this protocol.
    pub erased: u64,
    /// Count of entries under the root, those that could not be judged included.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// What the log is worth.
    pub verdict: Verdict,
}

/// Why a verifier takes no further entry.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Halt {
    /// A rule is broken.
    #[error(transparent)]
    Broken(Broken),
    /// A scratch file failed: nothing is said about the log.
    #[error(transparent)]
    Scratch(ScratchError),
}

impl Halt {
    /// The rule that is broken, if that is why.
    pub fn broken(&self) -> Option<&Broken> {
        match self {
            Self::Broken(broken) => Some(broken),
            Self::Scratch(_) => None,
        }
    }
}

/// Why the check of an entry ends.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// A rule is broken.
    Broken(Rule, String),
    /// It holds what isn't known here; whether that was announced is asked by who hears this.
    Newer(String),
    /// A scratch file failed.
    Failed(ScratchError),
}

impl From<ScratchError> for Stop {
    fn from(error: ScratchError) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    /// A broken rule.
    pub(crate) fn broken(rule: Rule, detail: impl Into<String>) -> Self {
        Self::Broken(rule, detail.into())
    }

    /// What can't be read, under the rule that it should have kept.
    pub(crate) fn unread(rule: Rule, error: DecodeError) -> Self {
        match error {
            DecodeError::Newer { what } => Self::Newer(what),
            DecodeError::Invalid(error) => Self::broken(rule, error.to_string()),
        }
    }
}

/// Refuses where a condition doesn't hold.
pub(crate) fn ensure(holds: bool, rule: Rule, detail: &str) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::broken(rule, detail)) }
}
