//! What a year or a cycle has to hold: continuing education.

use super::is_default;
use super::rule::Evidence;
use crate::value::{Day, Label, Limit, MonthDay, Name, Ratio};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a period has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compliance {
    /// Its id, unique in the book.
    pub id: Name,
    /// Its name.
    pub labels: Label,
    /// Where its values come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The period.
    pub period: PeriodRule,
    /// What it has to hold: credit or time.
    pub total: Limit,
    /// The standard of a total in credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<Name>,
    /// The most that counts; what is over is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usable_max: Option<Limit>,
    /// Whether what is over counts in the next period.
    #[serde(default, skip_serializing_if = "is_default")]
    pub carry_over: bool,
    /// The most that is carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_max: Option<Limit>,
    /// Classes that can't stand for each other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<Name, ClassRule>,
    /// In which order what names no class is filled into classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fill: Vec<Fill>,
    /// Until when in the following year it may be entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_until: Option<MonthDay>,
}

/// The period over which is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum PeriodRule {
    /// A calendar year.
    CalendarYear,
    /// So many years from a first day on, again and again.
    Cycle {
        /// The first day of the first cycle.
        from: Day,
        /// How many years.
        years: u32,
    },
    /// The last so many years up to the day asked for.
    Rolling {
        /// How many years.
        years: u32,
    },
}

/// A class of hours or points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRule {
    /// Its name.
    pub label: Label,
    /// The least of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Floor>,
    /// The most of it that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Limit>,
}

/// The least of a class: an amount, or a fraction of a basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// An amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Limit>,
    /// A fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<Ratio>,
    /// Of what the fraction is taken; must be said with it, for it changes the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

/// Of what a fraction is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Of what is required.
    Required,
    /// Of what was completed.
    Completed,
}

/// A class that takes what names no class, up to an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The class.
    pub class: Name,
    /// Up to this in all; open where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Limit>,
}
