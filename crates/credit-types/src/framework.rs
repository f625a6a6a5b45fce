//! Qualification frameworks: levels and credit schemes.

use crate::id::{FrameworkId, SchemeId};
use crate::text::Text;
use serde::{Deserialize, Serialize};

/// What a credit scheme counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SchemeKind {
    /// Credits.
    Credit,
    /// Hours as a currency of their own.
    Hour,
    /// Points.
    Point,
}

/// A unit in which amounts are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditScheme {
    /// Its name.
    pub scheme_id: SchemeId,
    /// What it counts.
    pub kind: SchemeKind,
    /// Amounts are multiples of this many milli-credits.
    pub step_milli: i64,
    /// Notional learning minutes for one credit; 0: not defined.
    pub notional_minutes: i32,
    /// Its label.
    pub label: Text,
}

/// The levels of a framework: `min + n * step`, up to `max`, in tenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelScale {
    /// The lowest level in tenths.
    pub min_tenths: i32,
    /// The highest level in tenths.
    pub max_tenths: i32,
    /// The step in tenths, at least 1.
    pub step_tenths: i32,
}

impl LevelScale {
    /// Whether a level is one of the scale's.
    pub fn has(&self, tenths: i32) -> bool {
        (self.min_tenths..=self.max_tenths).contains(&tenths)
            && tenths.checked_sub(self.min_tenths).and_then(|n| n.checked_rem(self.step_tenths)) == Some(0)
    }
}

/// Publishes a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkPublication {
    /// Its name.
    pub framework_id: FrameworkId,
    /// Its version, from 1.
    pub version: u32,
    /// Its title.
    pub title: Text,
    /// The schemes it registers, ascending by id.
    pub schemes: Vec<CreditScheme>,
    /// Its levels; `None` in a framework of schemes only.
    pub levels: Option<LevelScale>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_lies_on_the_step_of_its_scale() {
        let scale = LevelScale { min_tenths: 10, max_tenths: 80, step_tenths: 5 };
        for (tenths, on) in
            [(9, false), (10, true), (12, false), (15, true), (80, true), (85, false), (i32::MIN, false)]
        {
            assert_eq!(scale.has(tenths), on, "{tenths}");
        }
    }
}
