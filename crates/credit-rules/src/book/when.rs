//! Which records a rule is about.

use super::is_default;
use crate::value::{Credit, Day, Many, Name, Percent, Period, Symbol, Time, Window};
use credit_types::{DeliveryMode, HourKind, RecordKind};
use serde::{Deserialize, Serialize};

/// Conditions on a record, all of which must hold. What is not said is not asked.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in the book")]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Who issued it.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer: Many<Name>,
    /// A group of the book that its issuer belongs to.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer_group: Option<Name>,
    /// What it attests.
    #[serde(skip_serializing_if = "is_default")]
    pub record_kind: Many<KindName>,
    /// Its catalogue code, as `issuer:code` or with its version `issuer:code@2`.
    #[serde(skip_serializing_if = "is_default")]
    pub course: Many<Name>,
    /// Its subject code; a code of the list stands for all that begin with it.
    #[serde(skip_serializing_if = "is_default")]
    pub subject: Many<Name>,
    /// Its occupation code, likewise.
    #[serde(skip_serializing_if = "is_default")]
    pub occupation: Many<Name>,
    /// The standard in which its credit is counted.
    #[serde(skip_serializing_if = "is_default")]
    pub std: Option<Name>,
    /// What its time counts.
    #[serde(skip_serializing_if = "is_default")]
    pub hour_kind: Option<HourName>,
    /// The least time.
    #[serde(skip_serializing_if = "is_default")]
    pub min_hours: Option<Time>,
    /// The most time.
    #[serde(skip_serializing_if = "is_default")]
    pub max_hours: Option<Time>,
    /// The least credit.
    #[serde(skip_serializing_if = "is_default")]
    pub min_credit: Option<Credit>,
    /// The least grade or score.
    #[serde(skip_serializing_if = "is_default")]
    pub min_grade: Option<MinGrade>,
    /// The least attendance.
    #[serde(skip_serializing_if = "is_default")]
    pub min_attendance: Option<Percent>,
    /// Whether it must say that the learner passed.
    #[serde(skip_serializing_if = "is_default")]
    pub passed: bool,
    /// Whether its issuer must have been accredited for it on the day it was earned.
    #[serde(skip_serializing_if = "is_default")]
    pub recognised_issuer: bool,
    /// Whether somebody must have verified it.
    #[serde(skip_serializing_if = "is_default")]
    pub verified: bool,
    /// The least agreement of its content with the target's, as an assessor has stated it.
    #[serde(skip_serializing_if = "is_default")]
    pub min_content_match: Option<Percent>,
    /// How it was assessed.
    #[serde(skip_serializing_if = "is_default")]
    pub assessment: Many<Name>,
    /// How it was delivered.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Many<ModeName>,
    /// When it was earned.
    #[serde(skip_serializing_if = "is_default")]
    pub earned: Window,
    /// The last day on which it may have been entered.
    #[serde(skip_serializing_if = "is_default")]
    pub recorded_by: Option<Day>,
    /// How old it may be on the day of the decision, that day included.
    #[serde(skip_serializing_if = "is_default")]
    pub max_age: Option<Period>,
    /// Whether it must be valid on the day of the decision.
    #[serde(skip_serializing_if = "is_default")]
    pub valid_on_decision: bool,
    /// The least age of the learner on the day of the decision.
    #[serde(skip_serializing_if = "is_default")]
    pub min_learner_age: Option<Period>,
    /// How its level stands to one.
    #[serde(skip_serializing_if = "is_default")]
    pub level: Option<LevelGuard>,
}

/// The least grade in a scale of the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinGrade {
    /// The scale.
    pub scale: Name,
    /// The least grade: a number of a numeric scale, or a word of an ordered one.
    pub at_least: Symbol,
}

/// A level that a record must reach, and must not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelGuard {
    /// The ladder in which the level is asked; a record of another ladder is carried over by a map of the book, and
    /// refused where there is none.
    pub ladder: Name,
    /// The least level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Level>,
    /// The highest level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Level>,
}

/// A level in tenths, written as a number such as 5, or as `"5.5"`.
pub type Level = super::grade::LevelValue;

/// A condition over facts that the rule declares, in three-valued logic: a fact that is missing makes it unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// All of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<Guard>>,
    /// Any of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Guard>>,
    /// Not this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Guard>>,
    /// A declared fact, which one of the next compares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Name>,
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ge: Option<FactNumber>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub le: Option<FactNumber>,
    /// Exactly; `true` and `false` are written as words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eq: Option<Symbol>,
    /// One of these words.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Symbol>>,
}

/// A number of a fact, in thousandths: an integer, or `"0.5"`.
pub type FactNumber = super::convert::Number;

/// What a fact is: `"int"`, `"number"`, `"bool"`, `"enum:a|b|c"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// A whole number.
    Int,
    /// A number with at most three decimals.
    Number,
    /// Yes or no.
    Bool,
    /// One of these words.
    Enum(Vec<Symbol>),
}

impl std::str::FromStr for FactKind {
    type Err = crate::value::FormError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = "\"int\", \"number\", \"bool\" or \"enum:one|other\"";
        let wrong = || crate::value::FormError::new(form, text);
        match text {
            "int" => Ok(Self::Int),
            "number" => Ok(Self::Number),
            "bool" => Ok(Self::Bool),
            _ => {
                let words = text.strip_prefix("enum:").ok_or_else(wrong)?;
                let words: Result<Vec<Symbol>, _> = words.split('|').map(str::parse).collect();
                Ok(Self::Enum(words.map_err(|_| wrong())?))
            }
        }
    }
}

impl std::fmt::Display for FactKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int => f.write_str("int"),
            Self::Number => f.write_str("number"),
            Self::Bool => f.write_str("bool"),
            Self::Enum(words) => {
                let words: Vec<&str> = words.iter().map(Symbol::as_str).collect();
                write!(f, "enum:{}", words.join("|"))
            }
        }
    }
}
crate::value::text_form!(FactKind);

/// Which records together fulfil a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bundle {
    /// All of these.
    #[serde(skip_serializing_if = "is_default")]
    pub all: Option<Vec<Bundle>>,
    /// Any of these.
    #[serde(skip_serializing_if = "is_default")]
    pub any: Option<Vec<Bundle>>,
    /// At least `least` of `of`.
    #[serde(skip_serializing_if = "is_default")]
    pub n_of: Option<NOf>,
    /// One record of this course.
    #[serde(skip_serializing_if = "is_default")]
    pub course: Option<Name>,
    /// One record for which this holds.
    #[serde(skip_serializing_if = "is_default")]
    pub record: Option<Box<When>>,
    /// At the top: whether all records must be of one issuer.
    #[serde(skip_serializing_if = "is_default")]
    pub same_institution: bool,
    /// At the top: how long may lie between the first and the last.
    #[serde(skip_serializing_if = "is_default")]
    pub within: Option<Period>,
}

/// At least so many of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NOf {
    /// How many.
    pub least: u32,
    /// Of these.
    pub of: Vec<Bundle>,
}

/// Gives a closed set of words to an enum of the ledger.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident for $of:ty { $($word:literal => $value:path,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub $of);

        impl std::str::FromStr for $name {
            type Err = crate::value::FormError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self($value)),)+
                    _ => Err(crate::value::FormError::new(concat!("one of", $(" ", $word),+), text)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self.0 {
                    $($value => $word,)+
                })
            }
        }
        crate::value::text_form!($name);
    };
}

words!(
    /// What a record attests, as a word.
    KindName for RecordKind {
        "formal_course" => RecordKind::FormalCourse,
        "nondegree_course" => RecordKind::NondegreeCourse,
        "skill_grade" => RecordKind::SkillGrade,
        "x_cert" => RecordKind::XCert,
        "qualification" => RecordKind::Qualification,
        "exam" => RecordKind::Exam,
        "cpd" => RecordKind::Cpd,
        "activity" => RecordKind::Activity,
        "experience" => RecordKind::Experience,
        "award" => RecordKind::Award,
    }
);

words!(
    /// What minutes count, as a word.
    HourName for HourKind {
        "contact" => HourKind::Contact,
        "learning" => HourKind::Notional,
        "ce" => HourKind::Continuing,
        "practice" => HourKind::Practice,
    }
);

words!(
    /// How learning was delivered, as a word.
    ModeName for DeliveryMode {
        "face_to_face" => DeliveryMode::FaceToFace,
        "online" => DeliveryMode::Online,
        "blended" => DeliveryMode::Blended,
        "self_study" => DeliveryMode::SelfStudy,
    }
);
