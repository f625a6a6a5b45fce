//! What is said of records under a book: offers, refusals, and how each came about. Plain data: sentences and pictures
//! are made of it elsewhere.

use crate::reason::Reason;
use crate::value::{Credit, Name};
use serde::{Deserialize, Serialize};

/// One condition, and how it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The condition, by its name in the book: `min_grade`, `issuer_group`.
    pub p: String,
    /// What it asks for.
    pub want: String,
    /// What the record has; empty where it has nothing.
    pub got: String,
    /// Whether it holds; `None` where that can't be known.
    pub ok: Option<bool>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// One step of a calculation: its name and its exact value as text, such as `("ratio", "1/960")`.
pub type Step = (String, String);

/// What credit of an offer goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A course.
    Course(Name),
    /// A requirement of the programme.
    Requirement(Name),
    /// Nothing that is named: the standard's credit alone.
    Standard(Name),
}

/// One part of an offer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// Where it goes.
    pub place: Place,
    /// How much at most.
    pub credit: Credit,
    /// Whether the place is met with no credit.
    #[serde(default, skip_serializing_if = "crate::book::is_default")]
    pub waive: bool,
}

/// A legal use of records by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The rule.
    pub rule: Name,
    /// The records that it takes, ascending by id.
    pub records: Vec<Name>,
    /// What it grants; together where there are several.
    pub lines: Vec<Line>,
    /// Whether a part may be granted.
    pub trim: bool,
    /// Whether the lines are alternatives among which its credit may be divided, rather than granted together.
    pub splittable: bool,
    /// The conditions, per record.
    pub checks: Vec<(Name, Vec<Check>)>,
    /// How the credit was worked out.
    pub steps: Vec<Step>,
}

/// Why a record is not used by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The record.
    pub record: Name,
    /// The rule; `None` where no rule of the book names such a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Name>,
    /// Why.
    pub reason: Reason,
    /// What else it names: a rule that overrides, missing courses, a cap, a winner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The conditions that do not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Check>,
    /// Whether only one condition stands in the way.
    #[serde(default, skip_serializing_if = "crate::book::is_default")]
    pub near_miss: bool,
}

impl Refusal {
    /// Sorts refusals by record and rule, and leaves out those that say the same twice.
    pub(crate) fn in_order(refusals: &mut Vec<Self>) {
        let key = |own: &Self| (own.record.clone(), own.rule.clone(), own.reason, own.detail.clone());
        refusals.sort_by_cached_key(key);
        refusals.dedup();
    }
}
