//! Rule books as the ledger knows them: which versions there are, since when, and who applies them without an officer.
//! What a book says is read by `credit-rules`.

use crate::date::CivilDate;
use crate::id::{BookName, Digest, FrameworkId};
use serde::{Deserialize, Serialize};

/// A version of a rule book.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BookVersion {
    /// The book; its ids have the form of a framework's, and are no framework's.
    pub book_id: FrameworkId,
    /// The version, from 1.
    pub version: u32,
}

/// Which date picks the version of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BookDate {
    /// The day of the decision.
    Decision,
    /// The day on which a record was earned.
    Earned,
    /// The day on which the learner enrolled.
    Enrolled,
}

/// Publishes a version of a rule book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleBookPublication {
    /// Which.
    pub book: BookVersion,
    /// SHA-256 of its canonical JSON: the name of the public blob.
    pub digest: Digest,
    /// Bytes of that JSON.
    pub size_bytes: u32,
    /// The first day on which it is in force; `None`: open.
    pub effective_from: Option<CivilDate>,
    /// The first day on which it no longer is; `None`: open.
    pub effective_until: Option<CivilDate>,
    /// Which date picks it.
    pub select_by: BookDate,
}

impl RuleBookPublication {
    /// Whether its window has a day.
    pub fn has(&self, day: CivilDate) -> bool {
        self.effective_from.is_none_or(|from| from <= day)
            && self.effective_until.is_none_or(|until| day < until)
    }
}

/// What is done to a published rule book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuleBookAction {
    /// It comes into force.
    Activate,
    /// Nothing more is filed under it.
    Abolish,
}

/// Activates or abolishes a version of a rule book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleBookChange {
    /// Leaf hash of the last entry about this version.
    pub after: Digest,
    /// Which.
    pub book: BookVersion,
    /// What is done.
    pub action: RuleBookAction,
}

/// Says which rules an institution applies without an officer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoApproval {
    /// The version.
    pub book: BookVersion,
    /// The rules, ascending; none: all of the book.
    pub rules: Vec<BookName>,
    /// The last day on which it holds.
    pub until: CivilDate,
}

impl AutoApproval {
    /// Whether it covers a rule on a day.
    pub fn covers(&self, rule: &BookName, day: CivilDate) -> bool {
        day <= self.until && (self.rules.is_empty() || self.rules.binary_search(rule).is_ok())
    }
}

/// What a published book says of itself: read from its canonical JSON, held against the statement that publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookCheck {
    /// Which it is.
    pub book: BookVersion,
    /// Bytes of its canonical JSON.
    pub size_bytes: u32,
    /// The first day on which it is in force.
    pub effective_from: Option<CivilDate>,
    /// The first day on which it no longer is.
    pub effective_until: Option<CivilDate>,
    /// Which date picks it.
    pub select_by: BookDate,
}
