//! Branch and bound over the cases of a component, with a limit of cases and of work, never of time.

use super::certificate::Step;
use super::complete::by_gain;
use super::dual::{Dual, whole};
use super::problem::Problem;
use super::recorder::Recorder;
use super::state::{Mark, Solution, Stage, State, View};
use super::table::{Table, floor};
use std::cell::Cell;
use std::rc::Rc;

/// Tries for better prices at the first case.
const ROOT_TRIES: u32 = 240;
/// Tries for better prices at every other case.
const CASE_TRIES: u32 = 12;

/// How often at a case what follows from its prices is decided and the prices are looked for anew.
const NARROWINGS: u32 = 3;

/// What a search may still spend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Cases.
    pub(super) nodes: u32,
    /// Visits of a row by an offer.
    pub(super) visits: u64,
}

/// Prices that cases share.
#[derive(Debug)]
pub(super) struct Priced {
    pub(super) prices: Vec<i64>,
    /// Where they stand in the certificate, if they do.
    pub(super) listed: Cell<Option<usize>>,
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Found {
    /// The best plan that reaches the goal.
    pub(super) best: Option<Solution>,
    /// Whether nothing better is possible.
    pub(super) exhausted: bool,
    /// The prices of the first case.
    pub(super) prices: Vec<i64>,
    /// What no plan is worth more than, by the prices of the first case.
    pub(super) bound: i64,
}

/// What became of a case.
struct Case {
    priced: Rc<Priced>,
    bound: i64,
    split: Option<Split>,
}

/// A search of one stage.
pub(super) struct Search<'a> {
    problem: &'a Problem,
    stage: &'a Stage,
    dual: Dual<'a>,
    /// The least worth that is of interest.
    goal: i64,
    best: Option<Solution>,
    stack: Vec<(State, Rc<Priced>)>,
}

impl<'a> Search<'a> {
    /// A search for a plan worth at least `goal`.
    pub(super) fn new(problem: &'a Problem, stage: &'a Stage, goal: i64) -> Self {
        Self { problem, stage, dual: Dual::new(problem, stage), goal, best: None, stack: Vec::new() }
    }

    /// Searches; ends at the first plan that reaches the goal, or goes on for the best.
    pub(super) fn run(
        mut self,
        root: State,
        prices: Vec<i64>,
        first: bool,
        budget: &mut Budget,
        mut recorder: Option<&mut Recorder>,
    ) -> Found {
        let mut root_prices = prices.clone();
        self.stack.push((root, Rc::new(Priced { prices, listed: Cell::new(None) })));
        let mut exhausted = true;
        let mut bound = None;
        while let Some((state, priced)) = self.stack.pop() {
            let full = recorder.as_ref().is_some_and(|recorder| recorder.full(self.stack.len()));
            if budget.nodes == 0 || budget.visits == 0 || full {
                exhausted = false;
                if let Some(recorder) = recorder.as_deref_mut() {
                    recorder.end(self.problem, self.dual.denominator, &priced);
                }
                continue;
            }
            budget.nodes = budget.nodes.saturating_sub(1);
            let before = self.dual.visits;
            let tries = if bound.is_none() { ROOT_TRIES } else { CASE_TRIES };
            let (state, priced) = self.narrowed(state, priced, tries, recorder.as_deref_mut());
            let case = self.case(&state, priced, tries);
            budget.visits = budget.visits.saturating_sub(self.dual.visits.saturating_sub(before));
            if bound.is_none() {
                bound = Some(case.bound);
                root_prices.clone_from(&case.priced.prices);
            }
            if first && self.best.is_some() {
                break;
            }
            self.divide(state, case.priced, case.split, recorder.as_deref_mut());
        }
        Found { best: self.best, exhausted, prices: root_prices, bound: bound.unwrap_or(i64::MAX) }
    }

    /// Decides what follows from the prices of a case: offers without which, or with which, no plan reaches the goal.
    fn narrowed(
        &mut self,
        mut state: State,
        mut priced: Rc<Priced>,
        tries: u32,
        mut recorder: Option<&mut Recorder>,
    ) -> (State, Rc<Priced>) {
        for _ in 0..NARROWINGS {
            let view = state.view(self.problem, self.stage);
            if view.broken {
                break;
            }
            let (prices, sum) = self.dual.improve(&view, &priced.prices, self.goal, tries);
            if prices != priced.prices {
                priced = Rc::new(Priced { prices, listed: Cell::new(None) });
            }
            let goal = self.goal.saturating_mul(self.dual.denominator);
            if sum < goal {
                break;
            }
            self.dual.bound(&view, &priced.prices);
            let (taken, left) = self.dual.losses(&view);
            let mut marks = Vec::new();
            for &index in &view.free {
                let mark = if sum.saturating_sub(taken.at(index)) < goal {
                    Mark::Out
                } else if sum.saturating_sub(left.at(index)) < goal {
                    Mark::In
                } else {
                    continue;
                };
                marks.push((index, mark));
                state.marks.put(index, mark);
            }
            if marks.is_empty() {
                break;
            }
            if let Some(recorder) = recorder.as_deref_mut() {
                recorder.narrow(self.problem, self.dual.denominator, &priced, &marks);
            }
        }
        (state, priced)
    }

    /// Bounds a case and looks for a plan in it; how to divide it, if it has to be.
    fn case(&mut self, state: &State, priced: Rc<Priced>, tries: u32) -> Case {
        let view = state.view(self.problem, self.stage);
        self.dual.visits =
            self.dual.visits.saturating_add(u64::try_from(self.problem.items.len()).unwrap_or(0));
        if view.broken {
            return Case { priced, bound: i64::MIN, split: None };
        }
        let (prices, sum) = self.dual.improve(&view, &priced.prices, self.goal, tries);
        let bound = whole(sum, self.dual.denominator);
        let priced = if prices == priced.prices {
            priced
        } else {
            Rc::new(Priced { prices, listed: Cell::new(None) })
        };
        if bound < self.goal {
            return Case { priced, bound, split: None };
        }
        self.dual.bound(&view, &priced.prices);
        self.dual.add_grants(&view);
        self.offer(by_gain(self.problem, self.stage, state, &view, &self.dual.gains, &self.dual.chosen));
        if bound < self.goal {
            return Case { priced, bound, split: None };
        }
        let split = self.split(state, &view);
        // Where everything is decided, prices of nothing give the very worth.
        let none = || Rc::new(Priced { prices: vec![0; self.problem.rows.len()], listed: Cell::new(None) });
        let priced = if split.is_some() { priced } else { none() };
        Case { priced, bound, split }
    }

    /// Keeps a plan that reaches the goal.
    pub(super) fn offer(&mut self, solution: Solution) {
        let value = self.stage.value(self.problem, &solution);
        if value >= self.goal && solution.keeps(self.problem, self.stage) {
            self.goal = value.saturating_add(1);
            self.best = Some(solution);
        }
    }

    /// How to divide a case: by an offer, or where all are decided by what a line grants.
    fn split(&self, state: &State, view: &View) -> Option<Split> {
        let usage = self.dual.usage();
        let broken = |row: usize| self.stage.on.at(row) && usage.at(row) > view.left.at(row);
        let items = &self.problem.items;
        let breaks = |index: usize| {
            items.get(index).is_some_and(|item| item.terms.iter().any(|term| term.by > 0 && broken(term.row)))
        };
        let units = |index: usize| items.get(index).map_or(0, |item| item.units.saturating_add(item.total));
        let chosen = self.dual.chosen.iter().copied();
        let most = chosen
            .clone()
            .filter(|&index| breaks(index))
            .max_by_key(|&index| (units(index), std::cmp::Reverse(index)));
        let any = || chosen.clone().min_by_key(|&index| (self.dual.gains.at(index), index));
        let free = || {
            view.free
                .iter()
                .copied()
                .max_by_key(|&index| (self.dual.gains.at(index), std::cmp::Reverse(index)))
        };
        if let Some(item) = most.or_else(any).or_else(free) {
            return Some(Split::Take(item));
        }
        let item = view.open.first().copied()?;
        let stated = items.get(item)?;
        let slot = stated.slots.clone().find(|&slot| view.room.at(slot) > 0)?;
        let room = view.room.at(slot).min(view.rest.at(item));
        let half = floor(room.div_euclid(2), stated.step).saturating_add(stated.step);
        Some(Split::Grant { item, slot, least: state.least.at(slot).saturating_add(half.min(room)) })
    }

    fn divide(
        &mut self,
        state: State,
        priced: Rc<Priced>,
        split: Option<Split>,
        recorder: Option<&mut Recorder>,
    ) {
        let Some(split) = split else {
            if let Some(recorder) = recorder {
                recorder.end(self.problem, self.dual.denominator, &priced);
            }
            return;
        };
        if let Some(recorder) = recorder {
            recorder.step(split.told(self.problem));
        }
        let (mut one, mut other) = (state.clone(), state);
        match split {
            Split::Take(item) => {
                one.marks.put(item, Mark::In);
                other.marks.put(item, Mark::Out);
            }
            Split::Grant { item, slot, least } => {
                let step = self.problem.items.get(item).map_or(1, |item| item.step);
                one.least.put(slot, least);
                other.most.put(slot, least.saturating_sub(step));
            }
        }
        self.stack.push((other, Rc::clone(&priced)));
        self.stack.push((one, priced));
    }
}

/// How a case is divided.
#[derive(Debug, Clone, Copy)]
enum Split {
    /// The offer is taken, or not.
    Take(usize),
    /// The slot grants at least so much, or less.
    Grant { item: usize, slot: usize, least: i64 },
}

impl Split {
    /// The same in the words of the model.
    fn told(self, problem: &Problem) -> Step {
        let offer = |item: usize| problem.items.get(item).map_or(0, |item| item.offer);
        match self {
            Self::Take(item) => Step::Take { offer: offer(item) },
            Self::Grant { item, slot, least } => Step::Grant {
                offer: offer(item),
                line: problem.slots.get(slot).map_or(0, |slot| slot.line),
                milli: least.saturating_mul(problem.unit),
            },
        }
    }
}
