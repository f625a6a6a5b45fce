//! A rule: which records, worth what, for which target, up to which cap.

use super::{Bundle, Convert, FactKind, Guard, Table, When, is_default};
use crate::value::{Credit, Label, Limit, Many, Name, Percent, Period, Ratio, Symbol, Window};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A published text.
    Source,
    /// Known from memory; to be held against the text before anybody relies on it.
    Memory,
    /// A sample: chosen by the author of the book.
    Sample,
}

/// What a value rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What sort.
    pub kind: EvidenceKind,
    /// The text: number, article, or what is sampled.
    pub cite: Symbol,
}

/// What a use of a record excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consumption {
    /// Every later use, for ever.
    ConsumeGlobal,
    /// Use in any other degree.
    OnceForAllDegrees,
    /// Another use in the same programme.
    #[default]
    ExclusivePerProgramme,
    /// Another use for an award of the same level.
    ExclusivePerAwardLevel,
    /// Nothing.
    NonConsuming,
}

/// Of a rule that may match the same record as another for the same target: how one is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choose {
    /// The one that is best in the whole plan; at most one.
    Best,
}

/// What credit goes to. Exactly one of `course`, `pool` and `one_of`.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in the book")]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// A course of the target institution.
    #[serde(skip_serializing_if = "is_default")]
    pub course: Option<Name>,
    /// Pools of requirements, any of which may take it.
    #[serde(skip_serializing_if = "is_default")]
    pub pool: Many<Name>,
    /// One of these, as it is best.
    #[serde(skip_serializing_if = "is_default")]
    pub one_of: Vec<Target>,
    /// The credit, where the conversion does not say it.
    #[serde(skip_serializing_if = "is_default")]
    pub credit: Option<Credit>,
    /// Its standard; by default the programme's.
    #[serde(skip_serializing_if = "is_default")]
    pub std: Option<Name>,
    /// A share of the programme instead: block credit, unspecified.
    #[serde(skip_serializing_if = "is_default")]
    pub block: Option<Percent>,
    /// All of it or nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub whole: bool,
    /// Whether a part may be granted where a cap does not leave room for all.
    #[serde(skip_serializing_if = "is_default")]
    pub trim: bool,
    /// Whether it may be divided among pools.
    #[serde(skip_serializing_if = "is_default")]
    pub splittable: bool,
    /// The requirement is met and no credit is granted.
    #[serde(skip_serializing_if = "is_default")]
    pub waive: bool,
    /// The grade that is written: a word, or `map:` and the id of a grade map.
    #[serde(skip_serializing_if = "is_default")]
    pub grade: Option<Symbol>,
}

/// Over what a cap adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapPer {
    /// Each record.
    Record,
    /// Each project of the records.
    Project,
    /// The rule.
    Rule,
    /// Each target course.
    Target,
    /// All rules of its kind.
    Kind,
    /// Each issuer.
    Issuer,
    /// All other institutions than the target's together.
    Institution,
    /// Each calendar year.
    LearnerYear,
    /// Each half of a calendar year.
    Semester,
    /// Each lineage.
    Lineage,
    /// Each occupation.
    Occupation,
    /// Each subject code.
    Subject,
    /// The programme.
    Programme,
}

/// Which date a year or semester is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearOf {
    /// The day on which the record was earned.
    #[default]
    EarnedOn,
    /// The day of the decision.
    DecisionDate,
}

/// Of what a share is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The programme's total: a constant.
    ProgrammeCredit,
    /// The requirement's credit: a constant.
    RequirementCredit,
    /// What was awarded: refused, for a cap would depend on the answer.
    AwardedCredit,
}

/// Records of which only the best counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Those of one occupation.
    HighestPerOccupation,
    /// Those of one lineage.
    HighestPerLineage,
    /// Those of one title, once spaces, width and case are taken away.
    HighestPerTitle,
    /// Those of one catalogue code.
    HighestPerCourse,
}

/// A maximum. Either `max` or `count`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Over what it adds up.
    pub per: CapPer,
    /// The most credit, or a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Limit>,
    /// The most records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Of what a share is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
    /// Which date a year is counted by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub year: YearOf,
    /// Records of which only the best counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Family>,
}

/// How age takes from what a record is worth, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Validity {
    /// From what to what age is counted; there is one way.
    #[serde(skip_serializing_if = "is_default")]
    pub measure: Measure,
    /// Steps of decay, by age, the anniversary included.
    #[serde(skip_serializing_if = "is_default")]
    pub steps: Vec<ValidityStep>,
    /// What comes after the last step; there is one answer.
    #[serde(skip_serializing_if = "is_default")]
    pub after: After,
    /// Whether a renewal begins the age anew.
    #[serde(skip_serializing_if = "is_default")]
    pub renew_resets: bool,
    /// The bank's longest validity, counted from the day of earning.
    #[serde(skip_serializing_if = "is_default")]
    pub shelf_life: Option<Period>,
    /// The accepting institution's.
    #[serde(skip_serializing_if = "is_default")]
    pub acceptor: Option<Period>,
}

/// From what to what age is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Measure {
    /// From the day of earning, or of renewal, to the day of the decision.
    #[default]
    #[serde(rename = "earned_on..decision_date")]
    EarnedToDecision,
}

/// What comes after the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// It is worth nothing.
    #[default]
    Expired,
}

/// One step of decay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidityStep {
    /// Up to this age, its last day included.
    pub up_to: Period,
    /// What is left.
    pub factor: Ratio,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id, unique in the book.
    pub id: Name,
    /// What sort of conversion it is: constraints name it.
    pub kind: Name,
    /// Its name.
    pub labels: Label,
    /// Where its values come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// When it is in force, within the book.
    #[serde(default, skip_serializing_if = "is_default")]
    pub effective: Window,
    /// Which records it is about.
    #[serde(default, skip_serializing_if = "is_default")]
    pub when: When,
    /// A further condition over facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// The facts that its guard, table and conversion may ask for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Name, FactKind>,
    /// What a record is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convert: Option<Convert>,
    /// The same by a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// Which records are needed together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Bundle>,
    /// What the credit goes to; a list is granted together.
    pub award: Many<Target>,
    /// Whether of a list of targets those that are met already are left out, instead of all being refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unmet_part: bool,
    /// That there is no conversion, and why; it is said to whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_articulation: Option<Label>,
    /// Maxima.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cap: Many<Cap>,
    /// Why it has no cap although it may grant without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncapped: Option<Symbol>,
    /// Decay and expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Rules that do not apply to a record where this one does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Name>,
    /// How one is picked where several match for the same target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choose: Option<Choose>,
    /// What its use excludes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consumption: Consumption,
    /// Whether a decision may be automatic under the accepting institution's logged consent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auto: bool,
    /// Whether what it grants is provisional until it is confirmed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub provisional: bool,
}
