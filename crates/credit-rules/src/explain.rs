//! Why a decision came out as it did: what was granted for which records by which rule, what bounded it, and why every
//! other record, and every other use of a record, was not taken.
//!
//! The tree is closed data with one canonical form, so that it can be logged beside the decision and told to anybody:
//! [`crate::sentence::decision`] puts it into words.

mod build;

pub use build::explain;

use crate::answer::{Check, Line, Step};
use crate::plan::{Status, Ties};
use crate::reason::Reason;
use crate::value::{Credit, Day, Name};
use serde::{Deserialize, Serialize};

/// How good a plan is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// No plan grants more credit, and the choice among equals was made to the end.
    ProvenOptimal,
    /// No plan grants more credit; another with as much may stand higher in the order among equals.
    ProvenCredit,
    /// A plan that holds; the bound says how much more another might grant.
    Feasible,
}

impl Proof {
    /// What a plan says of itself.
    pub(crate) fn of(status: Status, ties: Ties) -> Self {
        match (status, ties) {
            (Status::ProvenOptimal, Ties::Settled) => Self::ProvenOptimal,
            (Status::ProvenOptimal, Ties::Open) => Self::ProvenCredit,
            (Status::Feasible { gap_milli: _ }, Ties::Settled | Ties::Open) => Self::Feasible,
        }
    }
}

/// The conditions of a rule on one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The record.
    pub record: Name,
    /// The conditions, and how each came out.
    pub checks: Vec<Check>,
}

/// In what a maximum is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// In milli-credits.
    Credit,
    /// In uses.
    Uses,
}

/// A maximum that a use counts to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapTold {
    /// Which: the rule or constraint, over what it adds up, and which sum: `ce-hours/learner-year/2025`.
    pub id: String,
    /// In what it is counted.
    pub by: Counted,
    /// The most.
    pub limit: i64,
    /// What earlier decisions have used of it.
    pub used_before: i64,
    /// What the use could have taken of it at most.
    pub asked: i64,
    /// What the use took of it.
    pub granted: i64,
    /// Whether it kept something from being granted, of this use or of another.
    pub binding: bool,
}

/// A use that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The rule.
    pub rule: Name,
    /// The records that it takes, ascending by id.
    pub records: Vec<Name>,
    /// What it grants, and where it goes.
    pub granted: Vec<Line>,
    /// What it could have granted at most, in milli-credits.
    pub offered_milli: i64,
    /// The conditions.
    #[serde(rename = "match")]
    pub matched: Vec<Match>,
    /// How the credit was worked out.
    pub calc: Vec<Step>,
    /// The maxima that it counts to.
    pub caps: Vec<CapTold>,
}

/// Why a record was not used by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {
    /// The record.
    pub record: Name,
    /// The rule; missing where no rule of the book names such a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Name>,
    /// Why.
    pub reason: Reason,
    /// What it names: missing courses, a maximum, a rule that overrides.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The conditions that do not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Check>,
    /// Whether nothing else stands in the way.
    #[serde(default, skip_serializing_if = "crate::book::is_default")]
    pub near_miss: bool,
    /// Whether the record is used by another rule all the same.
    #[serde(default, skip_serializing_if = "crate::book::is_default")]
    pub used_elsewhere: bool,
    /// The rule of the use that was better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<Name>,
    /// What this use would have granted less what the better one grants, in milli-credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_milli: Option<i64>,
}

/// A requirement that stays open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The requirement, or the course.
    pub requirement: Name,
    /// What it needed before, in milli-credits.
    pub need: i64,
    /// What is granted to it.
    pub have: i64,
    /// What is missing; 0 of a course, which is met or not.
    pub missing: i64,
    /// Why nothing more was granted to it.
    pub reasons: Vec<Reason>,
}

/// What a price is put on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priced {
    /// A record.
    Record(Name),
    /// Uses of which at most one is taken, by its number.
    Clique(u32),
    /// A maximum.
    Cap(String),
}

/// A step of a tree of cases. Uses are numbered in the order of rule, records and lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Case {
    /// First the use is taken, then it isn't.
    Take {
        /// The use.
        offer: u32,
    },
    /// First a line of a use grants at least so much, then less.
    Grant {
        /// The use.
        offer: u32,
        /// Its line.
        line: u32,
        /// How much, in milli-credits.
        milli: i64,
    },
    /// Prices decide uses: a plan of the case that decides one of them otherwise grants no more than the part's bound.
    Narrow {
        /// The number of the list.
        prices: u32,
        /// Uses that are taken in what follows.
        taken: Vec<u32>,
        /// Uses that aren't.
        left: Vec<u32>,
    },
    /// The case ends, bounded by a list of prices.
    End {
        /// The number of the list.
        prices: u32,
    },
}

/// Uses, and the tree of cases of what they can grant together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounded {
    /// The uses, in clusters that are weighed together.
    pub clusters: Vec<Vec<u32>>,
    /// The tree.
    pub cases: Vec<Case>,
    /// The most milli-credits that the uses can grant together, as far as the tree shows.
    pub bound_milli: i64,
}

/// Why no plan grants more than a bound: whoever has the book, the question and this can check it without searching.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Under what prices are written.
    pub denominator: i64,
    /// Lists of prices.
    pub multipliers: Vec<Vec<(Priced, i64)>>,
    /// The parts.
    pub parts: Vec<Bounded>,
    /// The most milli-credits that any plan can grant.
    pub bound_milli: i64,
}

/// Why a decision came out as it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The book: SHA-256 of its canonical bytes as `sha256:` and 64 digits.
    pub book: String,
    /// The day of the decision.
    pub as_of: Day,
    /// The programme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<Name>,
    /// All credit that is granted, in milli-credits.
    pub awarded_milli: i64,
    /// The most that any plan could grant.
    pub bound_milli: i64,
    /// How good the plan is known to be.
    pub status: Proof,
    /// The uses that were taken.
    pub items: Vec<Item>,
    /// Why records were not used; those that nearly were come first.
    pub rejected: Vec<Rejected>,
    /// Requirements that are complete.
    pub completed: Vec<Name>,
    /// Requirements that stay open.
    pub gap: Vec<Gap>,
    /// Rules of which a limit kept uses away: with them a plan might be better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<Name>,
    /// Why no plan grants more.
    pub certificate: Certificate,
}

impl Explanation {
    /// The canonical bytes (RFC 8785): what is logged beside the decision.
    pub fn canonical(&self) -> Vec<u8> {
        // Texts, whole numbers and lists of them: nothing that could not be written.
        serde_json_canonicalizer::to_vec(self).unwrap_or_default()
    }

    /// All credit that goes to a place, in milli-credits.
    pub fn granted_to(&self, place: &crate::answer::Place) -> Credit {
        let lines = self.items.iter().flat_map(|item| &item.granted).filter(|line| line.place == *place);
        Credit(lines.fold(0, |sum: i64, line| sum.saturating_add(line.credit.0)))
    }
}
