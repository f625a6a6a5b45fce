//! Why no plan can grant more credit than a bound.
//!
//! Offers are divided into components. For each component a tree of cases says which offers are taken or not, and how
//! much of a line is granted; at each of its ends stand prices of the model's bounds. Whatever prices that aren't
//! negative are written there, the sum of what each offer could gain beyond the prices of what it uses, and of the
//! prices of what is left, is at least the credit of every plan of that case: weak duality, a sum in whole numbers.
//! The largest end bounds the component, and the sum over the components bounds the model, since a bound shared by
//! two components is given to each in full.

use serde::{Deserialize, Serialize};

/// The most offers of a cluster whose choices are weighed one by one.
pub const CLUSTER_MAX: usize = 8;

/// A bound of the model that has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Constraint {
    /// A record is consumed once.
    Record(usize),
    /// At most one offer of a clique is taken.
    Clique(usize),
    /// A cap.
    Cap(usize),
}

/// A price: milli-credits for a record, an exclusion or a count, a number for a cap of credit; over the certificate's
/// denominator.
pub type Price = (Constraint, i64);

/// A step of a tree of cases, in the order in which one walks it: a case's first half and everything below it come
/// before its second half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Step {
    /// First the offer is taken, then it isn't.
    Take {
        /// The offer.
        offer: usize,
    },
    /// First a line of a taken offer grants at least so much, then less.
    Grant {
        /// The offer.
        offer: usize,
        /// The line.
        line: usize,
        /// The milli-credits that it grants at least in the first case.
        milli: i64,
    },
    /// Prices decide offers: a plan of the case that decides one of them otherwise grants no more than the
    /// component's bound.
    Narrow {
        /// Which of the certificate's lists of prices.
        prices: usize,
        /// Offers that are taken in what follows.
        taken: Vec<usize>,
        /// Offers that aren't.
        left: Vec<usize>,
    },
    /// The case ends: these prices bound it.
    End {
        /// Which of the certificate's lists of prices.
        prices: usize,
    },
}

/// Offers, and the tree of cases of what they can grant together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The offers, each in one component and one cluster only. Of a cluster every choice is weighed that keeps all
    /// bounds, so it has at most [`CLUSTER_MAX`] offers, or all of them consume one and the same record.
    pub clusters: Vec<Vec<usize>>,
    /// The tree.
    pub steps: Vec<Step>,
    /// The most milli-credits that the offers can grant together, as far as the tree shows.
    pub bound_milli: i64,
}

/// Why no plan can grant more credit than [`Certificate::bound_milli`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Under what every price is written; at least 1.
    pub denominator: i64,
    /// Lists of prices.
    pub prices: Vec<Vec<Price>>,
    /// The components; an offer that is in none can't be taken by itself, under any plan.
    pub components: Vec<Component>,
    /// The most milli-credits that any plan can grant, as far as this certificate shows.
    pub bound_milli: i64,
}
