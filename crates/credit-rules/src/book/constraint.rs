//! Caps over many rules at once.

use super::rule::{Family, Of, YearOf};
use super::{CapPer, is_default};
use crate::ratio::Round;
use crate::value::{Credit, Label, Limit, Many, Name};
use serde::{Deserialize, Serialize};

/// A maximum over the credit of many rules. Either `max`, `count` or `keep`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// Its id, unique in the book.
    pub id: Name,
    /// Its name.
    pub labels: Label,
    /// What it adds up.
    pub applies_to: AppliesTo,
    /// What it leaves out: credit that counts to a total and not to this maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<AppliesTo>,
    /// Whether it holds for each of something alone; by default for all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<CapPer>,
    /// Which date a year is counted by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub year: YearOf,
    /// The most credit, or a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Limit>,
    /// The most records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Of what a share is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
    /// Credit of the requirement that must be the institution's own, and is left free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_own: Option<Credit>,
    /// Records of which only the best counts, whatever rule they come by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Family>,
    /// How a share is rounded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub round: Round,
    /// To multiples of this; by default the standard's step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Credit>,
}

/// Which credit is meant; what is not said is not asked, and `*` stands for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppliesTo {
    /// Programmes.
    #[serde(skip_serializing_if = "is_default")]
    pub programme: Many<Name>,
    /// Kinds of rules; `["*"]` for all.
    #[serde(skip_serializing_if = "is_default")]
    pub award_from: Many<KindOrAll>,
    /// Rules.
    #[serde(skip_serializing_if = "is_default")]
    pub rule: Many<Name>,
    /// Requirements of the programme.
    #[serde(skip_serializing_if = "is_default")]
    pub requirement: Many<Name>,
    /// Issuers of the records.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer: Many<Name>,
    /// A group of issuers.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer_group: Option<Name>,
    /// Only records of other institutions than the programme's own.
    #[serde(skip_serializing_if = "is_default")]
    pub external: bool,
}

/// A kind of rule, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KindOrAll {
    /// `*`.
    All,
    /// One.
    Kind(Name),
}

impl std::str::FromStr for KindOrAll {
    type Err = crate::value::FormError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" { Ok(Self::All) } else { text.parse().map(Self::Kind) }
    }
}

impl std::fmt::Display for KindOrAll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Kind(kind) => kind.fmt(f),
        }
    }
}
crate::value::text_form!(KindOrAll);
