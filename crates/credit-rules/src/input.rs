//! What a question is asked about: records, a learner, a programme, and what was used before. Everything that an answer
//! depends on is in here or in the book.
//!
//! The text forms are those of the book, so that a worked case reads like the rule beside it.

use crate::book::{Consumption, HourName, KindName, LevelValue, ModeName, Number};
use crate::value::{Credit, Day, Many, Name, Percent, Period, Symbol, Time};
use credit_types::RecordKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fact of a record or a learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// Yes or no.
    Bool(bool),
    /// A number: written as an integer or as a decimal in quotation marks.
    Number(Number),
    /// A word.
    Word(Symbol),
}

/// A record, as far as rules may ask about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its id, unique in the question; ties are broken by it.
    pub id: Name,
    /// Who issued it.
    pub issuer: Name,
    /// What it attests.
    pub kind: KindName,
    /// The day on which it was earned.
    pub earned_on: Day,
    /// Its catalogue code, as `issuer:code` or `issuer:code@version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Name>,
    /// Its title, for the family of one title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Symbol>,
    /// Its subject code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Name>,
    /// Its occupation code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupation: Option<Name>,
    /// Its lineage: what supersedes each other in one family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Name>,
    /// The project that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// Its credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
    /// The standard of its credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<Name>,
    /// Its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Time>,
    /// What its time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour_kind: Option<HourName>,
    /// Its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelValue>,
    /// The ladder of its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Name>,
    /// Its score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Number>,
    /// The scale of its score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_scale: Option<Name>,
    /// Its grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Symbol>,
    /// The scale of its grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade_scale: Option<Name>,
    /// Attendance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Percent>,
    /// Whether the learner passed; missing where the record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Whether its issuer was accredited for it on the day it was earned.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub recognised: bool,
    /// Whether somebody has verified it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub verified: bool,
    /// How far its content agrees with the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_match: Option<Percent>,
    /// How it was assessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Name>,
    /// How it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeName>,
    /// The day of its last renewal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed_on: Option<Day>,
    /// The day on which it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_on: Option<Day>,
    /// Its last day of validity, by its issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Day>,
    /// Its validity by its issuer, counted from the day of earning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Period>,
    /// Facts that rules may declare.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Name, FactValue>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

impl Record {
    /// What it attests.
    pub fn record_kind(&self) -> RecordKind {
        self.kind.0
    }
}

/// An earlier use of a record, or credit granted earlier: caps and consumption look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// The record.
    pub record: Name,
    /// What the use excludes.
    #[serde(default)]
    pub consumption: Consumption,
    /// The programme for which it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<Name>,
    /// The level of the award for which it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub award_level: Option<Name>,
    /// The rule by which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Name>,
    /// The kind of that rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Name>,
    /// The target course, or the requirement, to which the credit went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Name>,
    /// Who issued the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Name>,
    /// When the record was earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earned_on: Option<Day>,
    /// What was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
}

/// What is known of the learner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Learner {
    /// The day of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub born_on: Option<Day>,
    /// The day of enrolment in the programme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolled_on: Option<Day>,
    /// Courses of the programme that are met already.
    #[serde(skip_serializing_if = "crate::book::is_default")]
    pub met: Many<Name>,
}

/// A question: what do these records grant?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The day of the decision.
    pub on: Day,
    /// The programme into which credit goes; without one only the standard's credit is worked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<Name>,
    /// The learner.
    #[serde(default, skip_serializing_if = "crate::book::is_default")]
    pub learner: Learner,
    /// The records.
    pub records: Vec<Record>,
    /// What was used before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
}
