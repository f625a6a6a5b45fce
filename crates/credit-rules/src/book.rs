//! A rule book, as it is written and as it is signed: closed types, one canonical form.
//!
//! What officers write in TOML and what the ledger holds as canonical JSON are the same types; a default is left out of
//! the canonical form, so that saying it or not makes no other book.

mod award;
mod compliance;
mod constraint;
mod convert;
mod grade;
mod rule;
mod table;
mod when;

pub use award::{Award, Counted, LadderStep, Programme, ProgrammeLevel, Requirement, Share};
pub use compliance::{Basis, ClassRule, Compliance, Fill, Floor, PeriodRule};
pub use constraint::{AppliesTo, Constraint, KindOrAll};
pub use convert::{Aggregate, Convert, Factor, FactorRow, Number, RoundAt, Source};
pub use grade::{
    Distribution, Formula, GradeMap, GradeRow, GradeShare, Ladder, LadderLevel, LevelMap, LevelRow,
    LevelValue, Pick, Scale,
};
pub use rule::{
    After, Cap, CapPer, Choose, Consumption, Evidence, EvidenceKind, Family, Measure, Of, Rule, Target,
    Validity, ValidityStep, YearOf,
};
pub use table::{Cell, Column, Hit, Outcome, Row, Table};
pub use when::{
    Bundle, FactKind, FactNumber, Guard, HourName, KindName, Level, LevelGuard, MinGrade, ModeName, NOf, When,
};

use crate::limits::{BUNDLE_ITEMS_MAX, OFFERS_PER_RECORD_MAX, RULES_MAX, TABLE_ROWS_MAX};
use crate::value::{Credit, Label, Many, Name, Ratio, Window};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form of the book; another form gets another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schema {
    /// The first.
    #[serde(rename = "rulebook/1")]
    V1,
}

/// Which date of a question picks the version of a book, and of a rule in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectBy {
    /// The day of the decision.
    #[default]
    DecisionDate,
    /// The day on which a record was earned.
    EarnedOn,
    /// The day on which the learner enrolled.
    EnrolledOn,
}

/// A unit of credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Its name.
    pub label: Label,
    /// Amounts are multiples of this.
    pub step: Credit,
    /// How much learning time a credit stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<Ratio>,
}

/// Narrower limits than the program's own, which a book may set for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Rules in the book.
    pub max_rules: usize,
    /// Records that a term of a bundle consumes.
    pub max_bundle_items: usize,
    /// Rows of a table.
    pub max_table_rows: usize,
    /// Offers that one record may give rise to.
    pub max_offers_per_record: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rules: RULES_MAX,
            max_bundle_items: BUNDLE_ITEMS_MAX,
            max_table_rows: TABLE_ROWS_MAX,
            max_offers_per_record: OFFERS_PER_RECORD_MAX,
        }
    }
}

impl Book {
    /// Whether an issuer belongs to a group: by its id, or by the beginning that a member ending in `.` stands for.
    pub fn in_group(&self, group: &Name, issuer: &Name) -> bool {
        self.groups.get(group).is_some_and(|members| members.iter().any(|member| stands_for(member, issuer)))
    }
}

/// Whether a member of a group stands for an issuer.
pub(crate) fn stands_for(member: &Name, issuer: &Name) -> bool {
    member == issuer || (member.as_str().ends_with('.') && issuer.as_str().starts_with(member.as_str()))
}

/// Whether a value is its type's default, which the canonical form leaves out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A rule book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// The form.
    pub schema: Schema,
    /// Its id; with the version it names one book for ever.
    pub id: Name,
    /// Its version, strictly increasing.
    pub version: u32,
    /// The version that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<u32>,
    /// When it is in force.
    pub effective: Window,
    /// Whether it may begin before the day of its publication.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retroactive: bool,
    /// Which date picks it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub select_by: SelectBy,
    /// SHA-256 of the registry snapshot that its ids were checked against, as `sha256:` and 64 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Its title.
    pub labels: Label,
    /// Where its values come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Minutes of a class hour (学时), where a time is written in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xs_minutes: Option<i64>,
    /// Units of credit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub standards: BTreeMap<Name, Standard>,
    /// Groups of issuers by their ids; an id that ends in `.` stands for all that begin so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<Name, Many<Name>>,
    /// Ladders of levels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ladders: BTreeMap<Name, Ladder>,
    /// Scales of grades.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scales: BTreeMap<Name, Scale>,
    /// Programmes into which credit goes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub programmes: BTreeMap<Name, Programme>,
    /// Narrower limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// The rules.
    #[serde(default, rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Caps over many rules.
    #[serde(default, rename = "constraint", skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// Awards and what they require.
    #[serde(default, rename = "award", skip_serializing_if = "Vec::is_empty")]
    pub awards: Vec<Award>,
    /// What a period has to hold.
    #[serde(default, rename = "compliance", skip_serializing_if = "Vec::is_empty")]
    pub compliance: Vec<Compliance>,
    /// Maps between levels.
    #[serde(default, rename = "level_map", skip_serializing_if = "Vec::is_empty")]
    pub level_maps: Vec<LevelMap>,
    /// Maps between grades.
    #[serde(default, rename = "grade_map", skip_serializing_if = "Vec::is_empty")]
    pub grade_maps: Vec<GradeMap>,
}
