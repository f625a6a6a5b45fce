//! What a worked case asks.

use super::expect::{AwardExpect, ComplianceExpect, ConvertExpect, GradeExpect, LevelExpect};
use crate::book::{LevelValue, Number, is_default};
use crate::input::{Learner, Record, Use};
use crate::value::{Day, Limit, Name, Symbol};
use serde::{Deserialize, Serialize};

/// What do these records grant?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvertCase {
    /// The day of the decision; by default that of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// The programme; by default that of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<Name>,
    /// The learner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub learner: Learner,
    /// The records.
    pub records: Vec<Record>,
    /// What was used before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// What must come out.
    pub expect: ConvertExpect,
}

/// Is an award earned?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwardCase {
    /// The award.
    pub award: Name,
    /// The day of the decision; by default that of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// The learner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub learner: Learner,
    /// Records that count by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
    /// Credit that was granted for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Use>,
    /// Uses that may exclude a record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// What must come out.
    pub expect: AwardExpect,
}

/// Does a period hold enough?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplianceCase {
    /// The compliance rule.
    pub compliance: Name,
    /// A day of the period; of a rolling one its last.
    pub period: Day,
    /// What was done.
    pub activities: Vec<Activity>,
    /// What must come out.
    pub expect: ComplianceExpect,
}

/// Something that counts in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// When it was done.
    pub on: Day,
    /// When it was entered, where that was another day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_on: Option<Day>,
    /// Its class; where none is said, it fills classes in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
    /// Credit or time.
    pub amount: Limit,
}

/// What is a grade in the other scale?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeCase {
    /// The grade map.
    pub map: Name,
    /// The grade as a word; or `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Symbol>,
    /// The grade as a number, or the percentile from the best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    /// The best grade of its scale, for a formula over a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Number>,
    /// The least that passes in its scale, for a formula over a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Number>,
    /// What must come out.
    pub expect: GradeExpect,
}

/// How does a level stand to another?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelCase {
    /// The map; by default whichever of the book leads from the one ladder to the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<Name>,
    /// The level at hand.
    pub from: LadderPlace,
    /// The level that it is held against.
    pub to: LadderPlace,
    /// What must come out.
    pub expect: LevelExpect,
}

/// A level of a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderPlace {
    /// The ladder.
    pub ladder: Name,
    /// The level.
    pub level: LevelValue,
}
