//! Ladders of levels, scales of grades, and the maps between them.

use super::convert::Number;
use super::table::Hit;
use crate::ratio::Round;
use crate::value::{FormError, Label, Many, Name, Percent, Symbol};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A level in tenths: a whole number such as 5, or `"5.5"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LevelValue(pub i32);

impl FromStr for LevelValue {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        crate::value::decimal(text, 1)
            .filter(|tenths| (0..=1_000).contains(tenths))
            .and_then(|tenths| i32::try_from(tenths).ok())
            .map(Self)
            .ok_or_else(|| FormError::new("a level from 0 to 100, such as 5 or \"5.5\"", text))
    }
}

impl fmt::Display for LevelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::value::decimal_text(i64::from(self.0), 1))
    }
}

impl Serialize for LevelValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LevelValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Number(milli) = Number::deserialize(from)?;
        let text = crate::value::decimal_text(milli, 3);
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A ladder of levels; higher numbers are higher levels unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// Its name.
    pub label: Label,
    /// Whether 1 is the highest level, as of Chinese skill grades.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub descending: bool,
    /// Its levels.
    pub levels: Vec<LadderLevel>,
}

/// A level of a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderLevel {
    /// The level.
    pub level: LevelValue,
    /// Its name.
    pub label: Label,
}

/// Which levels of two ladders are the same; a level that is not named is unmapped, and never guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelMap {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub labels: Label,
    /// The ladder from which.
    pub from: Name,
    /// The ladder to which.
    pub to: Name,
    /// The pairs.
    pub rows: Vec<LevelRow>,
    /// Whether it also holds backwards, where that is no ambiguity.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub both_ways: bool,
}

/// One pair of levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRow {
    /// The level of the one ladder.
    pub from: LevelValue,
    /// The level of the other.
    pub to: LevelValue,
}

/// A scale of grades: numbers between two bounds, or words from the worst to the best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Its name.
    pub label: Label,
    /// The words, from the worst to the best.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub words: Many<Symbol>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// The least that passes: a number or a word of the scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Symbol>,
    /// Whether smaller numbers are better.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub descending: bool,
}

/// A named formula; the list is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// The modified Bavarian formula: `1 + 3 * (max - n) / (max - min)`, `min` the least that passes.
    LinearPassRange,
    /// By the share of those who passed that are as good or better, in per cent (ECTS before 2009).
    RankPercentile,
    /// Straight from the range of one numeric scale to that of the other.
    LinearRange,
}

/// How a grade of one scale is written in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeMap {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub labels: Label,
    /// The scale from which; of a formula over a range, the bounds come with the grade.
    pub from: Name,
    /// The scale to which.
    pub to: Name,
    /// Which row counts.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub hit: Hit,
    /// The rows of a table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<GradeRow>,
    /// A formula instead of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<Formula>,
    /// How grades are spread in both scales, instead of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// How a formula's result is rounded.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub round: Round,
    /// To multiples of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Number>,
    /// The best and the worst that a formula gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamp: Option<(Number, Number)>,
    /// Grades that exist in the target scale, into the better of which a formula's result falls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snap: Vec<Number>,
    /// Whether a better grade must never give a worse one.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub monotone: bool,
}

/// One row of a grade table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeRow {
    /// From this number on; of percentiles, above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Number>,
    /// Below this number; of percentiles, up to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Number>,
    /// Exactly this word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Symbol>,
    /// What it is in the other scale.
    pub to: Symbol,
}

/// How the grades of those who passed are spread in two scales: a grade becomes one of those that the same places from
/// the best have there (EGRACONS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// The shares of the scale from which, from the best grade on; 100 per cent in all.
    pub from: Vec<GradeShare>,
    /// Those of the scale to which.
    pub to: Vec<GradeShare>,
    /// Which grade is taken where several share those places.
    pub pick: Pick,
}

/// How many of those who passed have a grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeShare {
    /// The grade.
    pub grade: Symbol,
    /// How many.
    pub share: Percent,
}

/// Which of several grades is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The best.
    Best,
    /// That of the middle place.
    Middle,
    /// The worst.
    Worst,
}
