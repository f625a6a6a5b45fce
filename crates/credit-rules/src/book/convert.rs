//! What a record is worth: one exact fraction, rounded once.

use super::is_default;
use crate::ratio::Round;
use crate::value::{Credit, FormError, Name, Ratio, Symbol};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What of a record is converted: `"hours"`, `"credit_value"`, or `"fact:weeks"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Its time, in minutes.
    Hours,
    /// Its credit.
    CreditValue,
    /// A number that it states: weeks, days, words, subjects passed.
    Fact(Name),
}

impl FromStr for Source {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let wrong =
            || FormError::new("\"hours\", \"credit_value\" or \"fact:\" and the name of a fact", text);
        match text {
            "hours" => Ok(Self::Hours),
            "credit_value" => Ok(Self::CreditValue),
            _ => {
                let name = text.strip_prefix("fact:").ok_or_else(wrong)?;
                Ok(Self::Fact(name.parse().map_err(|_| wrong())?))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours => f.write_str("hours"),
            Self::CreditValue => f.write_str("credit_value"),
            Self::Fact(name) => write!(f, "fact:{name}"),
        }
    }
}
crate::value::text_form!(Source);

/// A number in thousandths: an integer, or a decimal in quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub i64);

impl FromStr for Number {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "a number with at most 3 decimals, such as 24 or \"0.5\"";
        crate::value::decimal(text, 3).map(Self).ok_or_else(|| FormError::new(form, text))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::value::decimal_text(self.0, 3))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl serde::de::Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a decimal in quotation marks")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Number, E> {
        number.checked_mul(1_000).map(Number).ok_or_else(|| E::custom("the number is too large"))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("the number is too large"))?;
        self.visit_i64(number)
    }
}

/// Where the rounding happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundAt {
    /// Once, over what was summed.
    #[default]
    #[serde(alias = "end")]
    Total,
    /// For each record before it is summed.
    Record,
}

/// Over which records a rule sums before it rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Each record alone.
    #[default]
    None,
    /// All of the learner's records for which the rule holds.
    PerRule,
    /// Those of one calendar year of earning.
    PerYear,
    /// Those of one half of a calendar year.
    PerSemester,
    /// Those of one project.
    PerProject,
    /// Those of one issuer.
    PerIssuer,
}

/// How a record becomes credit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Convert {
    /// What is converted; by default time for a ratio of time, otherwise credit.
    #[serde(skip_serializing_if = "is_default")]
    pub from: Option<Source>,
    /// The ratio.
    #[serde(skip_serializing_if = "is_default")]
    pub ratio: Option<Ratio>,
    /// The same credit for each record.
    #[serde(skip_serializing_if = "is_default")]
    pub fixed: Option<Credit>,
    /// The credit for each unit of what is converted.
    #[serde(skip_serializing_if = "is_default")]
    pub each: Option<Credit>,
    /// A fact in minutes that is taken off the time first, such as breaks.
    #[serde(skip_serializing_if = "is_default")]
    pub less: Option<Name>,
    /// The standard between, of a conversion by way of a hub.
    #[serde(skip_serializing_if = "is_default")]
    pub via: Option<Name>,
    /// The ratio into the hub.
    #[serde(skip_serializing_if = "is_default")]
    pub inbound: Option<Ratio>,
    /// The ratio out of the hub.
    #[serde(skip_serializing_if = "is_default")]
    pub outbound: Option<Ratio>,
    /// The standard of the result; by default the target's.
    #[serde(skip_serializing_if = "is_default")]
    pub std: Option<Name>,
    /// Factors, multiplied as fractions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<Factor>,
    /// How it is rounded.
    #[serde(skip_serializing_if = "is_default")]
    pub round: Round,
    /// To multiples of this; by default the standard's step.
    #[serde(skip_serializing_if = "is_default")]
    pub step: Option<Credit>,
    /// Where it is rounded.
    #[serde(skip_serializing_if = "is_default")]
    pub round_at: RoundAt,
    /// Over which records it is summed.
    #[serde(skip_serializing_if = "is_default")]
    pub aggregate: Aggregate,
    /// A result below this is refused.
    #[serde(skip_serializing_if = "is_default")]
    pub least: Option<Credit>,
    /// Why a ratio between two standards is not that of their learning hours.
    #[serde(skip_serializing_if = "is_default")]
    pub justification: Option<Symbol>,
}

/// A factor by a value of the record: years of experience, a level's weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// What picks the row, as the column of a table.
    pub by: super::table::Column,
    /// The rows; the intervals must not overlap.
    pub rows: Vec<FactorRow>,
}

/// One row of a factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorRow {
    /// From here.
    pub at_least: Number,
    /// Below here; open where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Number>,
    /// The factor.
    pub factor: Ratio,
}
