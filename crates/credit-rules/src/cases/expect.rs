//! What must come out of a worked case.

use crate::answer::Place;
use crate::book::{LevelValue, Number, is_default};
use crate::reason::Reason;
use crate::value::{Credit, Limit, Many, Name, Symbol};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What records must grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConvertExpect {
    /// All credit of the best plan together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
    /// The offers, exactly these, in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offers: Option<Vec<ExpectedOffer>>,
    /// Grants that must be among those of the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ExpectedItem>,
    /// Refusals that must be among those that are said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<ExpectedRefusal>,
    /// Courses and requirements that must be waived: met with no credit.
    #[serde(skip_serializing_if = "is_default")]
    pub waived: Many<Name>,
    /// Requirements that the plan must complete.
    #[serde(skip_serializing_if = "is_default")]
    pub completed: Many<Name>,
    /// Requirements that stay open after the plan, and what they are short of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub short: BTreeMap<Name, Credit>,
    /// Whether the plan must be proven to be the best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven: Option<bool>,
}

/// An offer that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedOffer {
    /// Its rule.
    pub rule: Name,
    /// The credit of its lines: their sum, or of alternatives the credit that may be divided.
    pub credit: Credit,
    /// The records that it takes, in any order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub records: Many<Name>,
    /// Places that must be among those of its lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
}

/// A grant that must be in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedItem {
    /// Its rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Name>,
    /// The records that it takes, in any order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub records: Many<Name>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How much.
    pub credit: Credit,
    /// The grade that is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Symbol>,
}

/// A refusal that must be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRefusal {
    /// The record.
    pub record: Name,
    /// The rule; missing where no rule names such a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Name>,
    /// Why.
    pub reason: Reason,
    /// What else must be said, as a part of it: a missing course, a rule that overrides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Symbol>,
}

/// Whether an award must be granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwardExpect {
    /// Whether.
    pub granted: bool,
    /// The step of its ladder that is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Name>,
    /// All credit that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
    /// The requirements that are not met, exactly these, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<ExpectedMissing>>,
}

/// A requirement that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedMissing {
    /// The requirement.
    pub requirement: Name,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How much credit or time is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Limit>,
    /// How many records or courses are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The courses that are missing, in any order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub courses: Many<Name>,
}

/// Whether a period must be found to hold enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplianceExpect {
    /// Whether.
    pub compliant: bool,
    /// What counts in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Limit>,
    /// What counts of each class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<Name, Limit>,
    /// What is over the most that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Limit>,
    /// What is missing, exactly these, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Vec<ExpectedShort>>,
}

/// What is missing of a class, or in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedShort {
    /// The class; in all where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
    /// How much is missing.
    pub by: Limit,
}

/// What a grade must become: exactly one of `word`, `number` and `refused`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeExpect {
    /// A word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Symbol>,
    /// A number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    /// Nothing, for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Reason>,
}

/// How a level must stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelExpect {
    /// Above, equal, below, or nowhere.
    pub is: LevelRelation,
    /// By so many steps of the second ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u32>,
    /// What it is in the second ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelValue>,
}

/// How a level stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelRelation {
    /// It is the same.
    Equal,
    /// It is higher.
    Above,
    /// It is lower.
    Below,
    /// No map says; it is never guessed.
    Unmapped,
}
