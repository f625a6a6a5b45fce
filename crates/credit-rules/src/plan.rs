//! The best allocation of records to what they can count to, and why none is better.
//!
//! A rule book's evaluation lowers every legal use of records to an *offer*. Which offers to take under caps,
//! exclusions and records that are consumed once is a question in whole numbers; taking them in some order leaves
//! credit unused. [`plan`] answers it by branch and bound over prices ([`certificate`]), and its answer can be
//! checked without searching again ([`check`]).
//!
//! Of two plans the better is, in this order: the one that
//! 1. grants more credit;
//! 2. completes more needs;
//! 3. consumes fewer records;
//! 4. consumes more of the records that end on the earliest day on which the two differ; a record without an end comes
//!    last;
//! 5. at the first offer by key in which they differ doesn't take it, or grants more on the first line that differs.
//!
//! No two plans are equal in all of these, so the answer is one, whatever the order in which the model is written,
//! and whoever computes it: there are no floats, no clock and no chance. Searching is limited by cases and by work
//! ([`NODES_MAX`], [`VISITS_MAX`]). Where the limit ends it the plan is still the same for everybody, since
//! everything is sorted by keys before anything is looked at; but then it says so, and how far the best may be.
//!
//! Start reading at [`Model`], then [`plan`].

mod certificate;
mod check;
mod choices;
mod cluster;
mod combos;
mod complete;
mod components;
mod dual;
mod gap;
mod greedy;
mod model;
mod outcome;

mod problem;
mod reach;
mod recorder;
mod search;
mod settle;
mod state;
mod synthetic;
mod table;
mod weigh;

pub use certificate::{CLUSTER_MAX, Certificate, Component, Constraint, Price, Step};
pub use check::{PlanError, check};
pub use gap::{COST_MAX, Candidate, GapError, Way, WayStatus, cheapest_way};
pub use greedy::{Greedy, greedy};
pub use model::{
    By, CAPS_MAX, CLIQUES_MAX, Cap, Clique, INCIDENCES_MAX, KEY_BYTES_MAX, LINE_MILLI_MAX, LINES_MAX, Line,
    Mode, Model, ModelError, NEEDS_MAX, Need, NeedKind, OFFER_LINES_MAX, OFFER_RECORDS_MAX, OFFERS_MAX,
    Offer, RECORDS_MAX, Record,
};
pub use outcome::{Allocation, Plan, Status, Taken, Ties};
pub use recorder::{PRICES_MAX, STEPS_MAX};
pub use synthetic::{Supply, learner};

use components::{Order, components, memberships};
use problem::{Problem, problem};
use recorder::Recorder;
use search::{Budget, Search};
use settle::settle;
use state::{Solution, Stage, State};

/// The most cases that are looked at for the credit of a plan, over all components.
pub const NODES_MAX: u32 = 2_048;
/// The most cases that are looked at to choose among plans of equal credit, over all components.
pub const TIE_NODES_MAX: u32 = 2_048;
/// The most work for the credit of a plan, in visits of a row by an offer: what bounds the time for large models.
pub const VISITS_MAX: u64 = 40_000_000;
/// The most work to choose among plans of equal credit, in the same visits.
pub const TIE_VISITS_MAX: u64 = 1_500_000;

/// Finds the best allocation.
pub fn plan(model: &Model) -> Result<Plan, ModelError> {
    model.validate()?;
    let order = Order::of(model);
    let caps_of = memberships(model);
    let mut credit = Budget { nodes: NODES_MAX, visits: VISITS_MAX };
    let mut ties = Budget { nodes: TIE_NODES_MAX, visits: TIE_VISITS_MAX };
    let mut recorder = Recorder::new(model, dual::DENOMINATOR);
    let (mut taken, mut settled) = (Vec::new(), true);
    for component in components(model, &order, &caps_of) {
        let problem = problem(model, &order, &caps_of, &component, &[]);
        let (best, proven) = most_credit(model, &problem, &mut credit, &mut recorder);
        let most = proven.then(|| best.units(&problem));
        let (best, one) = settle(&problem, best, most, &mut ties);
        settled &= one;
        taken.extend(greedy::told(model, &problem, &best));
    }
    let allocation = greedy::allocation(model, taken);
    let mut certificate = recorder.certificate();
    // What the plan says of itself is what whoever checks it will find.
    let ends = check::ends(model, &certificate).unwrap_or_default();
    for (index, component) in certificate.components.iter_mut().enumerate() {
        component.bound_milli = component.bound_milli.max(ends.get(index).copied().unwrap_or(i64::MAX));
        certificate.bound_milli = certificate.bound_milli.saturating_add(component.bound_milli);
    }
    let gap_milli = certificate.bound_milli.saturating_sub(allocation.credit_milli);
    let ties = if settled { Ties::Settled } else { Ties::Open };
    Ok(Plan { allocation, status: Status::of(gap_milli), ties, certificate })
}

/// A plan of most credit of a component, and whether the search came to its end.
fn most_credit(
    model: &Model,
    problem: &Problem,
    budget: &mut Budget,
    recorder: &mut Recorder,
) -> (Solution, bool) {
    let stage = Stage::new(problem, 1, 0, 0, 0);
    let mut best = Solution::nothing(problem);
    for by in Greedy::ALL {
        let one = greedy::in_order(model, problem, &stage, by);
        if one.units(problem) > best.units(problem) {
            best = one;
        }
    }
    let search = Search::new(problem, &stage, best.units(problem).saturating_add(1));
    let none = vec![0; problem.rows.len()];
    let found = search.run(State::open(problem), none, false, budget, Some(recorder));
    let best = found.best.unwrap_or(best);
    recorder.component(problem, best.units(problem).saturating_mul(problem.unit));
    (best, found.exhausted)
}
