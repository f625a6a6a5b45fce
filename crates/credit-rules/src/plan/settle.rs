//! Chooses among the plans of most credit: most needs complete, fewest records, those that end soonest, and then by
//! the offers' keys, so that one plan is left.
//!
//! Each question has the form "is there a plan worth as much that also does this?". A plan in hand that does it
//! answers without a search; otherwise prices say that there is none, or a search finds one, which is then in hand.

use super::dual::Dual;
use super::problem::Problem;
use super::search::{Budget, Search};
use super::state::{Mark, Solution, Stage, State};
use super::table::{Table, floor};

/// Cases that are looked at for needs and records where the most credit isn't known.
const UNPROVEN_NODES: u32 = 64;

/// The choice among plans of a component.
pub(super) struct Settling<'a> {
    problem: &'a Problem,
    stage: Stage,
    /// What the plans are worth by credit, needs and records.
    worth: i64,
    /// The plan in hand.
    plan: Solution,
    /// What has been found out of all plans that are left.
    state: State,
    prices: Vec<i64>,
}

/// A plan of a component, and whether it is the one that is chosen.
pub(super) type Settled = (Solution, bool);

/// Chooses, from a plan in hand; `most` is the most credit that a plan can have, if that is known.
pub(super) fn settle(problem: &Problem, plan: Solution, most: Option<i64>, budget: &mut Budget) -> Settled {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let need = count(problem.records).saturating_add(1);
    let credit = need.saturating_mul(count(problem.goals.len()).saturating_add(1));
    let mut stage = Stage::new(problem, credit, need, 1, 0);
    if let Some(most) = most {
        stage.limit(problem.total, most);
    }
    let worth = stage.value(problem, &plan);
    let search = Search::new(problem, &stage, worth.saturating_add(1));
    let none = vec![0; problem.rows.len()];
    // Where the most credit isn't known the choice can't be made to its end; a little of it still drops what is
    // needless.
    let mut few = Budget { nodes: budget.nodes.min(UNPROVEN_NODES), ..*budget };
    let within = if most.is_some() { budget } else { &mut few };
    let found = search.run(State::open(problem), none, false, within, None);
    let plan = found.best.unwrap_or(plan);
    if !found.exhausted || most.is_none() {
        return (plan, false);
    }
    let worth = stage.value(problem, &plan);
    let state = State::open(problem);
    let mut settling = Settling { problem, stage, worth, plan, state, prices: found.prices };
    settling.exclude();
    let budget = within;
    let settled = settling.days(budget) && settling.offers(budget);
    (settling.plan, settled)
}

impl Settling<'_> {
    /// Leaves out the offers with which no plan is worth as much, by the prices in hand.
    fn exclude(&mut self) {
        let view = self.state.view(self.problem, &self.stage);
        let mut free = vec![false; self.problem.items.len()];
        for &index in &view.free {
            free.put(index, true);
        }
        let mut dual = Dual::new(self.problem, &self.stage);
        let (prices, bound) = dual.improve(&view, &self.prices, self.worth.saturating_add(1), 240);
        let goal = self.worth.saturating_mul(dual.denominator);
        dual.bound(&view, &prices);
        let (losses, _) = dual.losses(&view);
        for index in 0..self.problem.items.len() {
            if !free.at(index) || bound.saturating_sub(losses.at(index)) < goal {
                self.state.marks.put(index, Mark::Out);
            }
        }
        self.prices = prices;
    }

    /// Whether there is such a plan; it is then in hand. `None` if the limit ended the search.
    fn ask(&mut self, state: &State, stage: &Stage, budget: &mut Budget) -> Option<bool> {
        let search = Search::new(self.problem, stage, self.worth);
        let found = search.run(state.clone(), self.prices.clone(), true, budget, None);
        match found.best {
            Some(plan) => {
                self.plan = plan;
                Some(true)
            }
            None => found.exhausted.then_some(false),
        }
    }

    /// The records that end soonest.
    fn days(&mut self, budget: &mut Budget) -> bool {
        let all = i64::try_from(self.plan.records(self.problem)).unwrap_or(i64::MAX);
        let mut before = 0_i64;
        for &row in &self.problem.days {
            loop {
                let here = self.plan.usage(self.problem).at(row).saturating_neg();
                self.stage.limit(row, here.saturating_neg());
                if before.saturating_add(here) >= all {
                    break;
                }
                let mut more = self.stage.clone();
                more.limit(row, here.saturating_add(1).saturating_neg());
                match self.ask(&self.state.clone(), &more, budget) {
                    Some(true) => {}
                    Some(false) => break,
                    None => return false,
                }
            }
            before = before.saturating_sub(self.stage.limits.at(row));
        }
        true
    }

    /// The first offer by key in which plans differ isn't taken, or grants more on the first line in which they
    /// differ.
    fn offers(&mut self, budget: &mut Budget) -> bool {
        let problem = self.problem;
        for (index, item) in problem.items.iter().enumerate() {
            if self.state.marks.at(index) == Mark::Out {
                continue;
            }
            self.state.marks.put(index, Mark::Out);
            if !self.plan.taken.at(index) {
                continue;
            }
            match self.ask(&self.state.clone(), &self.stage.clone(), budget) {
                Some(true) => {}
                Some(false) => {
                    self.state.marks.put(index, Mark::In);
                    for slot in item.slots.clone() {
                        if !self.grant(index, slot, budget) {
                            return false;
                        }
                    }
                }
                None => return false,
            }
        }
        true
    }

    /// A line of a taken offer grants as much as it can.
    fn grant(&mut self, index: usize, slot: usize, budget: &mut Budget) -> bool {
        let step = self.problem.items.get(index).map_or(1, |item| item.step);
        let view = self.state.view(self.problem, &self.stage);
        let room = view.room.at(slot).min(view.rest.at(index));
        let mut least = self.plan.grants.at(slot);
        let mut most = self.state.least.at(slot).saturating_add(room).max(least);
        while least < most {
            let half = floor(most.saturating_sub(least).div_euclid(2), step).saturating_add(step);
            let at = least.saturating_add(half).min(most);
            let mut state = self.state.clone();
            state.least.put(slot, at);
            match self.ask(&state, &self.stage.clone(), budget) {
                Some(true) => least = self.plan.grants.at(slot).min(most),
                Some(false) => most = at.saturating_sub(step),
                None => return false,
            }
        }
        self.state.least.put(slot, least);
        self.state.most.put(slot, least);
        true
    }
}
