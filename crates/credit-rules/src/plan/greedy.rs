//! Allocations that take offers in an order: what others do, a beginning for the search, and the baseline of the bench.

use super::complete::Filling;
use super::components::{Order, components, memberships};
use super::model::{Model, ModelError};
use super::outcome::{Allocation, Taken};
use super::problem::{Problem, problem};
use super::state::{Solution, Stage, State};
use super::table::Table;

/// In which order offers are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greedy {
    /// The records one after the other as they end, each for the first need that has room, as degree audits do.
    FirstFit,
    /// The offers that grant most first.
    ByValue,
    /// The offers that grant most for each record first.
    ByDensity,
}

impl Greedy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FirstFit, Self::ByValue, Self::ByDensity];
}

/// Allocates by taking offers in an order; nothing is undone.
pub fn greedy(model: &Model, by: Greedy) -> Result<Allocation, ModelError> {
    model.validate()?;
    let order = Order::of(model);
    let caps_of = memberships(model);
    let mut taken = Vec::new();
    for component in components(model, &order, &caps_of) {
        let problem = problem(model, &order, &caps_of, &component, &[]);
        let stage = Stage::new(&problem, 1, 0, 0, 0);
        taken.extend(told(model, &problem, &in_order(model, &problem, &stage, by)));
    }
    Ok(allocation(model, taken))
}

/// The allocation of offers that are taken, in the order of their keys.
pub(super) fn allocation(model: &Model, mut taken: Vec<Taken>) -> Allocation {
    taken.sort_by_key(|taken| model.offers.get(taken.offer).map(|offer| offer.key.as_slice()));
    Allocation::of(model, taken)
}

/// A component's plan in the words of the model.
pub(super) fn told(model: &Model, problem: &Problem, solution: &Solution) -> Vec<Taken> {
    let taken = problem.items.iter().enumerate().filter(|(index, _)| solution.taken.at(*index));
    let told = taken.map(|(_, item)| {
        let lines = model.offers.get(item.offer).map(|offer| offer.lines.as_slice()).unwrap_or_default();
        let granted = if item.slots.is_empty() {
            lines.iter().map(|line| line.milli).collect()
        } else {
            item.slots.clone().map(|slot| solution.grants.at(slot).saturating_mul(problem.unit)).collect()
        };
        Taken { offer: item.offer, granted }
    });
    told.collect()
}

/// Takes the offers of a component in an order.
pub(super) fn in_order(model: &Model, problem: &Problem, stage: &Stage, by: Greedy) -> Solution {
    let most =
        |index: usize| problem.items.get(index).map_or(0, |item| item.units.saturating_add(item.total));
    let count = |index: usize| problem.items.get(index).map_or(0, |item| item.records.len()).max(1);
    let mut order: Vec<usize> = (0..problem.items.len()).collect();
    match by {
        Greedy::FirstFit => order.sort_by_key(|&index| (first_end(model, problem, index), index)),
        Greedy::ByValue => order.sort_by_key(|&index| (most(index).saturating_neg(), index)),
        Greedy::ByDensity => order.sort_by_key(|&index| {
            let each = i64::try_from(count(index)).unwrap_or(i64::MAX);
            // In thousandths of a unit, so that the remainder decides too.
            let density = most(index).saturating_mul(1_000).checked_div(each).unwrap_or(0);
            (density.saturating_neg(), index)
        }),
    }
    let state = State::open(problem);
    let view = state.view(problem, stage);
    let mut filling = Filling::begin(problem, stage, &state, &view);
    for index in order {
        filling.take(&state, index);
    }
    filling.end()
}

/// The day on which the first record of an offer ends, that record, and the first need it counts to.
fn first_end(model: &Model, problem: &Problem, index: usize) -> (i64, Option<usize>, Option<usize>) {
    let item = problem.items.get(index);
    let offer = item.and_then(|item| model.offers.get(item.offer));
    let records = offer.map(|offer| offer.records.as_slice()).unwrap_or_default();
    let ends = |&record: &usize| {
        model.records.get(record).and_then(|record| record.expires_on).map_or(i64::MAX, i64::from)
    };
    // Needs have no name, so their rows stand for them: these are in an order of their own.
    let need = item.and_then(|item| {
        let slots =
            item.slots.clone().filter_map(|slot| problem.slots.get(slot)).filter_map(|slot| slot.need);
        let terms = item.terms.iter().filter(|term| term.by < 0).map(|term| term.row);
        let goals = terms.filter(|row| problem.goals.iter().any(|goal| goal.row == *row));
        slots.chain(goals).min()
    });
    (
        records.iter().map(ends).min().unwrap_or(i64::MAX),
        item.and_then(|item| item.records.first().copied()),
        need,
    )
}
