//! Amounts of credit, and how they move.

use crate::id::SchemeId;
use crate::limits::CREDITS_MILLI_MAX;
use serde::{Deserialize, Serialize};

/// An amount of credit, counted in thousandths so that no float is ever needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Credits(i64);

/// An amount outside 1 to [`CREDITS_MILLI_MAX`] milli-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 1,000,000,000 milli-credits, is {0}")]
pub struct CreditsOutOfRange(pub i64);

impl Credits {
    /// Accepts 1 to [`CREDITS_MILLI_MAX`] milli-credits.
    pub fn from_milli(milli: i64) -> Result<Self, CreditsOutOfRange> {
        if (1..=CREDITS_MILLI_MAX).contains(&milli) { Ok(Self(milli)) } else { Err(CreditsOutOfRange(milli)) }
    }

    /// The amount in milli-credits.
    pub fn milli(self) -> i64 {
        self.0
    }
}

/// Credit of a registered scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The unit.
    pub scheme: SchemeId,
    /// How much.
    pub credits: Credits,
}

/// Where the credit of a record is. EXPIRED and KEY_SUSPECT are views: nothing is ever posted to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Bucket {
    /// The source outside; nothing is ever in it.
    Issued,
    /// Free to be used.
    Available,
    /// Held for an application.
    Reserved,
    /// Used, for ever.
    Redeemed,
    /// Taken back, for ever.
    Revoked,
    /// Blocked while something is looked into.
    Suspended,
    /// A view: AVAILABLE whose validity has ended at the date asked for.
    Expired,
    /// A view: resting on a suspect key.
    KeySuspect,
}

/// A move of one record's credit between two buckets; by its form it sums to zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The bucket it leaves.
    pub from: Bucket,
    /// The bucket it enters.
    pub to: Bucket,
    /// What moves.
    pub amount: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_are_one_to_the_maximum() {
        for (milli, ok) in
            [(0, false), (1, true), (CREDITS_MILLI_MAX, true), (CREDITS_MILLI_MAX + 1, false), (-1, false)]
        {
            assert_eq!(Credits::from_milli(milli).is_ok(), ok, "{milli}");
        }
    }
}
