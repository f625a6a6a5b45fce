//! What a plan says.

use super::certificate::Certificate;
use super::model::{Model, NeedKind};
use super::table::Table;
use serde::{Deserialize, Serialize};

/// An offer that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// The offer.
    pub offer: usize,
    /// What each of its lines grants, in milli-credits.
    pub granted: Vec<i64>,
}

/// Which offers are taken, and what that comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The taken offers, in the order of their keys.
    pub taken: Vec<Taken>,
    /// All credit, in milli-credits.
    pub credit_milli: i64,
    /// How many needs are complete.
    pub needs_complete: usize,
    /// How many records are consumed.
    pub records_consumed: usize,
}

/// How good a plan is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Status {
    /// The certificate shows that no plan grants more credit.
    ProvenOptimal,
    /// The certificate shows that no plan grants more than this much more credit.
    Feasible {
        /// Milli-credits between the plan and the bound, at least 1.
        gap_milli: i64,
    },
}

/// Whether the choice among plans of equal credit was made to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Ties {
    /// It is the one plan that all levels of the objective choose.
    Settled,
    /// The limit of cases ended the choice. The plan is still the same for everybody.
    Open,
}

/// The best allocation that was found, with the reason why none is better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is taken.
    pub allocation: Allocation,
    /// How good it is known to be.
    pub status: Status,
    /// Whether ties were settled; not shown by the certificate.
    pub ties: Ties,
    /// Why no plan grants more than the bound.
    pub certificate: Certificate,
}

impl Status {
    /// The status that a gap gives.
    pub(super) fn of(gap_milli: i64) -> Self {
        if gap_milli == 0 { Self::ProvenOptimal } else { Self::Feasible { gap_milli } }
    }
}

impl Allocation {
    /// What taken offers come to.
    pub(super) fn of(model: &Model, taken: Vec<Taken>) -> Self {
        let (mut credit, mut records) = (0_i64, 0_usize);
        let mut counted = vec![0_i64; model.needs.len()];
        for one in &taken {
            let Some(offer) = model.offers.get(one.offer) else { continue };
            records = records.saturating_add(offer.records.len());
            for (line, granted) in offer.lines.iter().zip(&one.granted) {
                credit = credit.saturating_add(*granted);
                let Some(need) = line.need else { continue };
                let by = match model.needs.get(need).map(|need| need.kind) {
                    Some(NeedKind::Met) => 1,
                    Some(NeedKind::Credit) | None => *granted,
                };
                super::table::add(&mut counted, need, by);
            }
        }
        let complete = |(index, need): &(usize, &super::model::Need)| match need.kind {
            NeedKind::Met => counted.at(*index) > 0,
            NeedKind::Credit => counted.at(*index) >= need.required,
        };
        let needs_complete = model.needs.iter().enumerate().filter(complete).count();
        Self { taken, credit_milli: credit, needs_complete, records_consumed: records }
    }

    /// What a line grants, if its offer is taken.
    pub fn granted(&self, offer: usize, line: usize) -> Option<i64> {
        self.taken
            .iter()
            .find(|taken| taken.offer == offer)
            .map(|taken| taken.granted.get(line).copied().unwrap_or(0))
    }

    /// What is missing for each need that isn't complete, in milli-credits; for one that is met or not, 0.
    pub fn missing(&self, model: &Model) -> Vec<(usize, i64)> {
        let mut counted: Vec<(i64, bool)> = vec![(0, false); model.needs.len()];
        for one in &self.taken {
            let lines = model.offers.get(one.offer).map(|offer| offer.lines.as_slice()).unwrap_or_default();
            for (line, granted) in lines.iter().zip(&one.granted) {
                if let Some(place) = line.need.and_then(|need| counted.get_mut(need)) {
                    *place = (place.0.saturating_add(*granted), true);
                }
            }
        }
        let missing = |(index, need): (usize, &super::model::Need)| {
            let (credit, met) = counted.at(index);
            match need.kind {
                NeedKind::Met => (!met).then_some((index, 0)),
                NeedKind::Credit => {
                    (credit < need.required).then(|| (index, need.required.saturating_sub(credit)))
                }
            }
        };
        model.needs.iter().enumerate().filter_map(missing).collect()
    }
}
