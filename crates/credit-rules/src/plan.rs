//! The best allocation of records to what they can count to, and why none is better.
//!
//! A rule book's evaluation lowers every legal use of records to an *offer*. Which offers to take under caps, exclusions
//! and records that are consumed once is a question in whole numbers; taking them in some order leaves credit unused.
//! [`plan`] answers it by branch and bound over prices ([`certificate`]), and its answer can be checked without searching
//! again ([`check`]).
//!
//! Of two plans the better is, in this order: the one that
//! 1. grants more credit;
//! 2. completes more needs;
//! 3. consumes fewer records;
//! 4. consumes more of the records that end on the earliest day on which the two differ; a record without an end comes
//!    last;
//! 5. at the first offer by key in which they differ doesn't take it, or grants more on the first line that differs.
//!
//! No two plans are equal in all of these, so the answer is one, whatever the order in which the model is written, and
//! whoever computes it: there are no floats, no clock and no chance. Searching is limited by cases and by work
//! ([`NODES_MAX`], [`VISITS_MAX`]). Where the limit ends it the plan is still the same for everybody, since everything is
//! sorted by keys before anything is looked at; but then it says so, and how far the best may be.
//!
//! Start reading at [`Model`], then [`plan`].

mod certificate;
mod check;
mod complete;
mod dual;
mod gap;
mod greedy;
mod model;
mod outcome;
mod parts;
mod problem;
mod reach;
mod record;
mod search;
mod settle;
mod state;
mod synthetic;
mod table;
mod weigh;

pub use certificate::{Certificate, Constraint, Part, Price, Step};
pub use check::{PlanError, check};
pub use gap::{COST_MAX, Candidate, GapError, Way, WayStatus, cheapest_way};
pub use greedy::{Greedy, greedy};
pub use model::{
    By, CAPS_MAX, CLIQUES_MAX, Cap, Clique, INCIDENCES_MAX, KEY_BYTES_MAX, LINE_MILLI_MAX, LINES_MAX, Line,
    Mode, Model, ModelError, NEEDS_MAX, Need, NeedKind, OFFER_LINES_MAX, OFFER_RECORDS_MAX, OFFERS_MAX,
    Offer, RECORDS_MAX, Record,
};
pub use outcome::{Allocation, Plan, Status, Taken, Ties};
pub use record::{PRICES_MAX, STEPS_MAX};
pub use synthetic::{Supply, learner};

use parts::{Order, memberships, parts};
use problem::{Problem, problem};
use record::Recorder;
use search::{Budget, Search};
use settle::settle;
use state::{Solution, Stage, State};

/// The most cases that are looked at for the credit of a plan, over all parts.
pub const NODES_MAX: u32 = 4_096;
/// The most cases that are looked at to choose among plans of equal credit, over all parts.
pub const TIE_NODES_MAX: u32 = 4_096;
/// The most work of either search, in visits of a row by an offer: what bounds the time for the largest models.
pub const VISITS_MAX: u64 = 40_000_000;

/// Finds the best allocation.
pub fn plan(model: &Model) -> Result<Plan, ModelError> {
    model.validate()?;
    let order = Order::of(model);
    let caps_of = memberships(model);
    let mut credit = Budget { nodes: NODES_MAX, visits: VISITS_MAX };
    let mut ties = Budget { nodes: TIE_NODES_MAX, visits: VISITS_MAX };
    let mut recorder = Recorder::new(model, dual::DENOMINATOR);
    let (mut taken, mut settled) = (Vec::new(), true);
    for part in parts(model, &order, &caps_of) {
        let problem = problem(model, &order, &caps_of, &part, &[]);
        let (best, proven) = most_credit(model, &problem, &mut credit, &mut recorder);
        let most = proven.then(|| best.units(&problem));
        let (best, one) = settle(&problem, best, most, &mut ties);
        settled &= one;
        taken.extend(greedy::told(model, &problem, &best));
    }
    let allocation = greedy::allocation(model, taken);
    let mut certificate = recorder.certificate();
    // What the plan says of itself is what whoever checks it will find.
    certificate.bound_milli = check::bound(model, &certificate).unwrap_or(i64::MAX);
    let gap_milli = certificate.bound_milli.saturating_sub(allocation.credit_milli);
    let ties = if settled { Ties::Settled } else { Ties::Open };
    Ok(Plan { allocation, status: Status::of(gap_milli), ties, certificate })
}

/// A plan of most credit of a part, and whether the search came to its end.
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
    recorder.part(problem);
    (found.best.unwrap_or(best), found.exhausted)
}
