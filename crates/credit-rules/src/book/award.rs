//! Programmes, awards, and what they require.

use super::convert::Number;
use super::is_default;
use super::rule::{Consumption, Evidence};
use super::when::{KindName, Level};
use crate::value::{Credit, Label, Many, Name, Percent, Period, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A programme into which credit goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Its name.
    pub label: Label,
    /// Whose it is.
    pub institution: Name,
    /// The standard of its credit.
    pub std: Name,
    /// Its total.
    pub total: Credit,
    /// What block credit is rounded down to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Credit>,
    /// Its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<ProgrammeLevel>,
    /// Numbers about it that tables ask for, such as `years`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Name, Number>,
    /// Programmes with which it may share a record.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shareable: Many<Name>,
    /// What it consists of.
    #[serde(default, rename = "requirement", skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
}

/// A level in a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeLevel {
    /// The ladder.
    pub ladder: Name,
    /// The level.
    pub level: Level,
}

/// What is required. Of what is said, all must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requirement {
    /// Its id, unique in its list; may be missing inside alternatives.
    #[serde(skip_serializing_if = "is_default")]
    pub id: Name,
    /// Its name; may be missing inside alternatives.
    #[serde(skip_serializing_if = "Label::is_empty")]
    pub labels: Label,
    /// What counts towards it; everything where nothing is said.
    #[serde(skip_serializing_if = "is_default")]
    pub counts: Counted,
    /// Pools of rules that it takes credit from; its id where none is said.
    #[serde(skip_serializing_if = "is_default")]
    pub pool: Many<Name>,
    /// At least so much credit.
    #[serde(skip_serializing_if = "is_default")]
    pub credit: Option<Credit>,
    /// At least so much time.
    #[serde(skip_serializing_if = "is_default")]
    pub hours: Option<Time>,
    /// At least so many records.
    #[serde(skip_serializing_if = "is_default")]
    pub count: Option<u32>,
    /// At least this share of the award's total.
    #[serde(skip_serializing_if = "is_default")]
    pub share: Option<Share>,
    /// Courses that must be met, by record, conversion or waiver.
    #[serde(skip_serializing_if = "is_default")]
    pub courses: Many<Name>,
    /// How many of the courses; all where missing.
    #[serde(skip_serializing_if = "is_default")]
    pub least: Option<u32>,
    /// Any one of these instead.
    #[serde(skip_serializing_if = "is_default")]
    pub any_of: Vec<Requirement>,
}

/// A share of the award's total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How much.
    pub at_least: Percent,
}

/// What counts towards a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counted {
    /// Only the awarding institution's own.
    #[serde(skip_serializing_if = "is_default")]
    pub own: bool,
    /// Issuers.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer: Many<Name>,
    /// A group of issuers.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer_group: Option<Name>,
    /// Kinds of records.
    #[serde(skip_serializing_if = "is_default")]
    pub record_kind: Many<KindName>,
    /// Pools or categories.
    #[serde(skip_serializing_if = "is_default")]
    pub pool: Many<Name>,
    /// The ladder of the least level.
    #[serde(skip_serializing_if = "is_default")]
    pub ladder: Option<Name>,
    /// The least level.
    #[serde(skip_serializing_if = "is_default")]
    pub min_level: Option<Level>,
    /// Only records that say that the learner passed.
    #[serde(skip_serializing_if = "is_default")]
    pub passed: bool,
    /// Only records no older than this.
    #[serde(skip_serializing_if = "is_default")]
    pub max_age: Option<Period>,
}

/// An award.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// Its id, unique in the book.
    pub id: Name,
    /// Its name.
    pub labels: Label,
    /// Where its values come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Whose it is.
    pub institution: Name,
    /// The programme that it ends; its credit is that programme's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<Name>,
    /// The standard of its credit.
    pub std: Name,
    /// Its level, of which another award may exclude the same record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Name>,
    /// What it requires; all of it.
    #[serde(default, rename = "requirement", skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
    /// Steps by total credit, the highest reached being granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<LadderStep>,
    /// What its grant excludes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consumption: Consumption,
}

/// One step of an award by total credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderStep {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub labels: Label,
    /// From this credit on.
    pub credit: Credit,
}
