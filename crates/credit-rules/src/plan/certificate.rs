//! Why no plan can grant more credit than a bound.
//!
//! Offers are divided into parts. For each part a tree of cases says which offers are taken or not, and how much of a
//! line is granted; at each of its ends stand prices of the model's bounds. Whatever prices that aren't negative are
//! written there, the sum of what each offer could gain beyond the prices of what it uses, and of the prices of what is
//! left, is at least the credit of every plan of that case: weak duality, a sum in whole numbers. The largest end bounds
//! the part, and the sum over the parts bounds the model, since a bound shared by two parts is given to each in full.

/// A bound of the model that has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The case ends: these prices bound it.
    End {
        /// Which of the certificate's lists of prices.
        prices: usize,
    },
}

/// Offers, and the tree of cases of what they can grant together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The offers, each in one part only.
    pub offers: Vec<usize>,
    /// The tree.
    pub steps: Vec<Step>,
}

/// Why no plan can grant more credit than [`Certificate::bound_milli`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Under what every price is written; at least 1.
    pub denominator: i64,
    /// Lists of prices.
    pub prices: Vec<Vec<Price>>,
    /// The parts; an offer that is in none can't be taken by itself, under any plan.
    pub parts: Vec<Part>,
    /// The most milli-credits that any plan can grant, as far as this certificate shows.
    pub bound_milli: i64,
}
