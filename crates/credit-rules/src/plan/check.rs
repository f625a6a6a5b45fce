//! Checks a plan and its certificate against the model, in whole numbers of 128 bits, without searching.

use super::certificate::{CLUSTER_MAX, Certificate, Component, Constraint, Step};
use super::components::{memberships, possible, ranks, uses};
use super::model::{By, Mode, Model, ModelError};
use super::outcome::{Allocation, Plan, Status, Taken};
use super::recorder::{PRICES_MAX, STEPS_MAX};
use super::table::Table;
use super::weigh::Weigher;

/// Why a plan doesn't hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The model itself is refused.
    #[error("the model is refused")]
    Model(#[from] ModelError),
    /// An offer is named that isn't there, is named twice, or stands out of the order of the keys.
    #[error("offer {offer} is not there, or out of the order of the keys")]
    Offer {
        /// The offer.
        offer: usize,
    },
    /// An offer doesn't grant what it may: a value for each line, whole or in steps, and something.
    #[error("offer {offer} may not grant that")]
    Grant {
        /// The offer.
        offer: usize,
    },
    /// A bound of the model isn't kept.
    #[error("{constraint:?} is not kept")]
    Exceeded {
        /// The bound.
        constraint: Constraint,
    },
    /// What the plan says of itself isn't so.
    #[error("{what} are {is}, not {told}")]
    Told {
        /// Of what.
        what: &'static str,
        /// What the plan says.
        told: i64,
        /// What is so.
        is: i64,
    },
    /// The plan is said to be the best, or to be near it, and the certificate doesn't show it.
    #[error("the certificate shows a gap of {gap_milli} milli-credits, which the plan denies")]
    Status {
        /// The gap that the certificate leaves.
        gap_milli: i64,
    },
    /// The certificate isn't one: a tree that doesn't end or names what it may not, or a negative price.
    #[error("the certificate is malformed at step {step} of component {component}")]
    Certificate {
        /// The component.
        component: usize,
        /// The step in it.
        step: usize,
    },
    /// The certificate is larger than any that is made.
    #[error("a certificate has at most {STEPS_MAX} steps and {PRICES_MAX} prices")]
    TooLarge,
}

/// Whether a plan may be carried out, is worth what it says, and is as near the best as it says.
///
/// What is shown: the plan keeps every bound; its credit, needs and records are as told; and no plan grants more credit
/// than [`Certificate::bound_milli`]. So [`Status::ProvenOptimal`] is shown for credit. That among the plans of most
/// credit it is the one that the further levels choose is what [`super::plan`] finds, the same for everybody, but no
/// certificate shows it.
pub fn check(model: &Model, plan: &Plan) -> Result<(), PlanError> {
    model.validate()?;
    feasible(model, &plan.allocation)?;
    let ends = ends(model, &plan.certificate)?;
    let mut bound = 0_i64;
    for (index, (component, end)) in plan.certificate.components.iter().zip(ends).enumerate() {
        if component.bound_milli < end {
            return Err(PlanError::Certificate { component: index, step: component.steps.len() });
        }
        bound = bound.saturating_add(component.bound_milli);
    }
    told("bound_milli", plan.certificate.bound_milli, bound)?;
    let gap_milli = bound.saturating_sub(plan.allocation.credit_milli);
    let status = Status::of(gap_milli);
    if gap_milli < 0 || plan.status != status {
        return Err(PlanError::Status { gap_milli });
    }
    Ok(())
}

fn told(what: &'static str, told: i64, is: i64) -> Result<(), PlanError> {
    if told == is { Ok(()) } else { Err(PlanError::Told { what, told, is }) }
}

/// Whether an allocation keeps every bound and is worth what it says.
pub(super) fn feasible(model: &Model, allocation: &Allocation) -> Result<(), PlanError> {
    let mut last: Option<&[u8]> = None;
    for taken in &allocation.taken {
        let refused = PlanError::Offer { offer: taken.offer };
        let Some(offer) = model.offers.get(taken.offer) else { return Err(refused) };
        if last.is_some_and(|last| last >= offer.key.as_slice()) {
            return Err(refused);
        }
        last = Some(&offer.key);
        grants(model, taken)?;
    }
    exclusions(model, allocation)?;
    for (index, cap) in model.caps.iter().enumerate() {
        let used = cap.members.iter().fold(0_i128, |sum, &(offer, line)| {
            let granted = allocation.granted(offer, line).map_or(0, |granted| match cap.by {
                By::Credit => i128::from(granted),
                By::Count => 1,
            });
            sum.saturating_add(granted)
        });
        if used > i128::from(cap.left()) {
            return Err(PlanError::Exceeded { constraint: Constraint::Cap(index) });
        }
    }
    let is = Allocation::of(model, allocation.taken.clone());
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    told("credit_milli", allocation.credit_milli, is.credit_milli)?;
    told("needs_complete", count(allocation.needs_complete), count(is.needs_complete))?;
    told("records_consumed", count(allocation.records_consumed), count(is.records_consumed))
}

fn grants(model: &Model, taken: &Taken) -> Result<(), PlanError> {
    let refused = PlanError::Grant { offer: taken.offer };
    let Some(offer) = model.offers.get(taken.offer) else { return Err(refused) };
    let lines = || offer.lines.iter().zip(&taken.granted);
    let holds = taken.granted.len() == offer.lines.len()
        && match offer.mode {
            Mode::Whole => lines().all(|(line, granted)| line.milli == *granted),
            Mode::Trim { step, total } => {
                let all = taken.granted.iter().fold(0_i64, |sum, granted| sum.saturating_add(*granted));
                let may = |milli: i64, granted: i64| {
                    (0..=milli).contains(&granted) && granted.checked_rem(step) == Some(0)
                };
                lines().all(|(line, granted)| may(line.milli, *granted)) && all > 0 && all <= total
            }
        };
    if holds { Ok(()) } else { Err(refused) }
}

fn exclusions(model: &Model, allocation: &Allocation) -> Result<(), PlanError> {
    let mut consumed = vec![false; model.records.len()];
    let mut taken = vec![false; model.offers.len()];
    for one in &allocation.taken {
        taken.put(one.offer, true);
        for &record in model.offers.get(one.offer).map(|offer| offer.records.as_slice()).unwrap_or_default() {
            if consumed.at(record) {
                return Err(PlanError::Exceeded { constraint: Constraint::Record(record) });
            }
            consumed.put(record, true);
        }
    }
    for (index, clique) in model.cliques.iter().enumerate() {
        if clique.offers.iter().filter(|&&offer| taken.at(offer)).count() > 1 {
            return Err(PlanError::Exceeded { constraint: Constraint::Clique(index) });
        }
    }
    Ok(())
}

/// The largest end of the tree of each component, in milli-credits.
pub(super) fn ends(model: &Model, certificate: &Certificate) -> Result<Vec<i64>, PlanError> {
    let size = |step: &Step| match step {
        Step::Narrow { taken, left, .. } => taken.len().saturating_add(left.len()).saturating_add(1),
        Step::Take { .. } | Step::Grant { .. } | Step::End { .. } => 1,
    };
    let all = certificate.components.iter().flat_map(|component| &component.steps);
    let steps = all.fold(0_usize, |sum, step| sum.saturating_add(size(step)));
    let prices = certificate.prices.iter().fold(0_usize, |sum, list| sum.saturating_add(list.len()));
    if steps > STEPS_MAX || certificate.prices.len() > STEPS_MAX || prices > PRICES_MAX {
        return Err(PlanError::TooLarge);
    }
    if certificate.denominator < 1 {
        return Err(PlanError::Certificate { component: 0, step: 0 });
    }
    let caps_of = memberships(model);
    let mut part_of = vec![false; model.offers.len()];
    for (index, component) in certificate.components.iter().enumerate() {
        for cluster in &component.clusters {
            if !few_or_alone(model, cluster) {
                return Err(PlanError::Certificate { component: index, step: 0 });
            }
        }
        for &offer in component.clusters.iter().flatten() {
            if offer >= model.offers.len() || part_of.at(offer) {
                return Err(PlanError::Certificate { component: index, step: 0 });
            }
            part_of.put(offer, true);
        }
    }
    let alone = |&offer: &usize| !part_of.at(offer) && possible(model, &caps_of, offer);
    if let Some(offer) = (0..model.offers.len()).find(alone) {
        return Err(PlanError::Offer { offer });
    }
    let used: Vec<_> = (0..model.offers.len()).map(|offer| uses(model, &caps_of, offer)).collect();
    let record_ranks = ranks(model.records.iter().map(|record| record.key.as_slice()));
    let mut ends = Vec::new();
    for (index, component) in certificate.components.iter().enumerate() {
        let mut weigher = Weigher::new(model, &caps_of, &used, &record_ranks, component, certificate);
        let milli = walk(&mut weigher, component)
            .map_err(|step| PlanError::Certificate { component: index, step })?;
        ends.push(milli);
    }
    Ok(ends)
}

/// Whether the choices of a cluster are few: because its offers are, or because all of them consume the same record.
fn few_or_alone(model: &Model, cluster: &[usize]) -> bool {
    let records =
        |offer: &usize| model.offers.get(*offer).map(|offer| offer.records.as_slice()).unwrap_or_default();
    let shared = |record: &usize| cluster.iter().all(|offer| records(offer).contains(record));
    cluster.len() <= CLUSTER_MAX || cluster.first().is_some_and(|first| records(first).iter().any(shared))
}

/// Walks a component's tree; the largest of its ends in milli-credits, or the step that may not stand there.
fn walk(weigher: &mut Weigher, component: &Component) -> Result<i64, usize> {
    let mut most = 0_i64;
    let mut open = vec![weigher.open()];
    for (index, step) in component.steps.iter().enumerate() {
        let case = open.pop().ok_or(index)?;
        match step {
            Step::Take { offer } => {
                let (taken, left) = weigher.take(case, *offer).ok_or(index)?;
                open.push(left);
                open.push(taken);
            }
            Step::Grant { offer, line, milli } => {
                let (more, less) = weigher.grant(case, *offer, *line, *milli).ok_or(index)?;
                open.push(less);
                open.push(more);
            }
            Step::Narrow { prices, taken, left } => {
                open.push(weigher.narrow(case, *prices, taken, left, component.bound_milli).ok_or(index)?);
            }
            Step::End { prices } => most = most.max(weigher.end(&case, *prices).ok_or(index)?),
        }
    }
    if open.is_empty() { Ok(most) } else { Err(component.steps.len()) }
}
