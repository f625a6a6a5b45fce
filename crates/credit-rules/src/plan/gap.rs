//! What is missing, and the cheapest way to finish: the same model with offers of a catalogue that cost something.

use super::complete::Filling;
use super::components::{Order, components, memberships};
use super::greedy::{allocation, told};
use super::model::{Model, ModelError};
use super::outcome::Allocation;
use super::problem::{Problem, problem};
use super::search::{Budget, Search};
use super::state::{Solution, Stage, State};
use super::table::Table;
use super::{NODES_MAX, VISITS_MAX};

/// The most that one offer of a catalogue costs.
pub const COST_MAX: i64 = 1_000_000_000;
/// No way is worth more than this, so that its worth can be multiplied.
const WORTH_MAX: i64 = 1 << 58;

/// An offer of a catalogue: a course that could be taken, an examination that could be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The offer in the model.
    pub offer: usize,
    /// What it costs, in a unit of the caller's: fees, or milli-credits still to be earned; 1 to [`COST_MAX`].
    pub cost: i64,
}

/// Why ways are not looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GapError {
    /// The model itself is refused.
    #[error("the model is refused")]
    Model(#[from] ModelError),
    /// A candidate isn't an offer, is named twice, or has a cost out of range.
    #[error("offer {offer} must be there, once, with a cost of 1 to {COST_MAX}")]
    Candidate {
        /// The offer.
        offer: usize,
    },
}

/// A way to finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The offers of the catalogue on it, in the order of their keys.
    pub candidates: Vec<usize>,
    /// What they cost together.
    pub cost: i64,
    /// What is then taken: offers of records and of the catalogue.
    pub allocation: Allocation,
    /// The needs that stay open all the same, with the milli-credits that they lack.
    pub missing: Vec<(usize, i64)>,
    /// What is known of its cost.
    pub status: WayStatus,
}

/// What is known of the cost of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayStatus {
    /// No way completes more needs, and none that completes as many costs less.
    Cheapest,
    /// The search ended at its limit: a way that completes as many needs costs at least this.
    AtLeast {
        /// The bound, in the unit of the costs.
        cost: i64,
    },
}

/// Finds a way that completes as many needs as can be, at the least cost, and of these one that grants most credit. The
/// offers of the catalogue are offers of the model; under which bounds they stand, the model says.
pub fn cheapest_way(model: &Model, catalogue: &[Candidate]) -> Result<Way, GapError> {
    model.validate()?;
    let costs = costs(model, catalogue)?;
    let order = Order::of(model);
    let caps_of = memberships(model);
    let mut budget = Budget { nodes: NODES_MAX, visits: VISITS_MAX };
    let (mut taken, mut at_least, mut exhausted) = (Vec::new(), 0_i64, true);
    for component in components(model, &order, &caps_of) {
        let problem = problem(model, &order, &caps_of, &component, &costs);
        let stage = stage(&problem);
        let found = way(&problem, &stage, &mut budget);
        at_least = at_least.saturating_add(found.at_least);
        exhausted &= found.exhausted;
        taken.extend(told(model, &problem, &found.solution));
    }
    let allocation = allocation(model, taken);
    let bought = allocation.taken.iter().map(|taken| taken.offer).filter(|&offer| costs.at(offer) > 0);
    let candidates: Vec<usize> = bought.collect();
    let cost = candidates.iter().fold(0_i64, |sum, &offer| sum.saturating_add(costs.at(offer)));
    let missing = allocation.missing(model);
    let status = if exhausted { WayStatus::Cheapest } else { WayStatus::AtLeast { cost: at_least } };
    Ok(Way { candidates, cost, allocation, missing, status })
}

fn costs(model: &Model, catalogue: &[Candidate]) -> Result<Vec<i64>, GapError> {
    let mut costs = vec![0; model.offers.len()];
    for &Candidate { offer, cost } in catalogue {
        if offer >= costs.len() || costs.at(offer) != 0 || !(1..=COST_MAX).contains(&cost) {
            return Err(GapError::Candidate { offer });
        }
        costs.put(offer, cost);
    }
    Ok(costs)
}

/// A need is worth more than all cost, and a unit of cost more than all credit, if the amounts allow it.
fn stage(problem: &Problem) -> Stage {
    let sum = |of: fn(&super::problem::Item) -> i64| {
        problem.items.iter().map(of).fold(0_i64, i64::saturating_add).saturating_add(1)
    };
    let costs = sum(|item| item.cost);
    let units = sum(|item| item.units.saturating_add(item.total));
    let goals = i64::try_from(problem.goals.len()).unwrap_or(i64::MAX).saturating_add(1);
    let worth = units.saturating_mul(costs).saturating_add(units);
    if worth.saturating_mul(goals) < WORTH_MAX {
        Stage::new(problem, 1, worth, 0, units)
    } else {
        Stage::new(problem, 0, costs, 0, 1)
    }
}

struct FoundWay {
    solution: Solution,
    at_least: i64,
    exhausted: bool,
}

fn way(problem: &Problem, stage: &Stage, budget: &mut Budget) -> FoundWay {
    let state = State::open(problem);
    let view = state.view(problem, stage);
    let mut filling = Filling::begin(problem, stage, &state, &view);
    for (index, item) in problem.items.iter().enumerate() {
        if item.cost == 0 {
            filling.take(&state, index);
        }
    }
    let own = filling.end();
    let goal = stage.value(problem, &own).saturating_add(1);
    let none = vec![0; problem.rows.len()];
    let found = Search::new(problem, stage, goal).run(state, none, false, budget, None);
    let mut solution = found.best.unwrap_or(own);
    if !found.exhausted {
        spare(problem, stage, &mut solution);
    }
    // A way that completes n needs and costs c is worth at most need * n - cost * c and all its credit, which together
    // is less than one cost where it counts; so c is at least what the bound leaves.
    let complete = i64::try_from(solution.complete(problem)).unwrap_or(0);
    let over = complete.saturating_mul(stage.need).saturating_sub(found.bound);
    let paid = |index: usize| problem.items.get(index).map_or(0, |item| item.cost);
    let cost = (0..problem.items.len()).filter(|&index| solution.taken.at(index)).map(paid).sum();
    let at_least = over.checked_div(stage.cost.max(1)).unwrap_or(0).max(0).min(cost);
    FoundWay { at_least: if found.exhausted { cost } else { at_least }, solution, exhausted: found.exhausted }
}

/// Leaves out what costs something and completes nothing.
fn spare(problem: &Problem, stage: &Stage, solution: &mut Solution) {
    for (index, item) in problem.items.iter().enumerate() {
        if item.cost == 0 || !solution.taken.at(index) {
            continue;
        }
        let mut without = solution.clone();
        without.taken.put(index, false);
        for slot in item.slots.clone() {
            without.grants.put(slot, 0);
        }
        if stage.value(problem, &without) >= stage.value(problem, solution) {
            *solution = without;
        }
    }
}
