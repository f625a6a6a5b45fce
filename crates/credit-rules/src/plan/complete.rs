//! Completes decisions to a plan: takes what fits in an order, then grants what fits.

use super::problem::Problem;
use super::state::{Mark, Solution, Stage, State, View};
use super::table::{Table, add, floor};

/// A plan being filled.
pub(super) struct Filling<'a> {
    problem: &'a Problem,
    stage: &'a Stage,
    left: Vec<i64>,
    solution: Solution,
}

impl<'a> Filling<'a> {
    /// Begins with what is decided.
    pub(super) fn begin(problem: &'a Problem, stage: &'a Stage, state: &State, view: &View) -> Self {
        let mut solution = Solution::nothing(problem);
        for (index, item) in problem.items.iter().enumerate() {
            if state.marks.at(index) == Mark::In {
                solution.taken.put(index, true);
                for slot in item.slots.clone() {
                    solution.grants.put(slot, state.least.at(slot));
                }
            }
        }
        Self { problem, stage, left: view.left.clone(), solution }
    }

    /// Takes an offer if it fits, and grants on its slots what fits.
    pub(super) fn take(&mut self, state: &State, index: usize) {
        let Some(item) = self.problem.items.get(index) else { return };
        let over = |term: &super::problem::Term| {
            term.by > 0 && self.stage.on.at(term.row) && term.by > self.left.at(term.row)
        };
        if self.solution.taken.at(index) || item.terms.iter().any(over) {
            return;
        }
        for term in &item.terms {
            add(&mut self.left, term.row, term.by.saturating_neg());
        }
        self.solution.taken.put(index, true);
        if !item.slots.is_empty() && !self.grant(state, index) {
            for term in &item.terms {
                add(&mut self.left, term.row, term.by);
            }
            self.solution.taken.put(index, false);
        }
    }

    /// Grants on the slots of a taken offer what still fits, those of short needs first; whether it grants anything.
    pub(super) fn grant(&mut self, state: &State, index: usize) -> bool {
        let Some(item) = self.problem.items.get(index) else { return false };
        let granted = |solution: &Solution| {
            item.slots.clone().fold(0_i64, |sum, slot| sum.saturating_add(solution.grants.at(slot)))
        };
        let mut rest = item.total.saturating_sub(granted(&self.solution));
        for slot in item.slots.clone() {
            let Some(stated) = self.problem.slots.get(slot) else { continue };
            let mut room = rest.min(state.most.at(slot).saturating_sub(self.solution.grants.at(slot)));
            for &row in stated.rows.iter().filter(|&&row| self.stage.on.at(row)) {
                room = room.min(self.left.at(row));
            }
            let room = floor(room.max(0), item.step);
            add(&mut self.solution.grants, slot, room);
            rest = rest.saturating_sub(room);
            for &row in &stated.rows {
                add(&mut self.left, row, room.saturating_neg());
            }
            if let Some(row) = stated.need {
                add(&mut self.left, row, room);
            }
        }
        granted(&self.solution) > 0
    }

    /// The plan. An offer that may be trimmed and grants nothing isn't taken.
    pub(super) fn end(mut self) -> Solution {
        for (index, item) in self.problem.items.iter().enumerate() {
            if !item.slots.is_empty() && item.slots.clone().all(|slot| self.solution.grants.at(slot) == 0) {
                self.solution.taken.put(index, false);
            }
        }
        self.solution
    }
}

/// Completes decisions: offers that are whole by their gain at the last prices, then those that may be trimmed, then
/// whatever still fits.
pub(super) fn by_gain(
    problem: &Problem,
    stage: &Stage,
    state: &State,
    view: &View,
    gains: &[i64],
    chosen: &[usize],
) -> Solution {
    let mut filling = Filling::begin(problem, stage, state, view);
    let trimmed = |index: usize| problem.items.get(index).is_some_and(|item| !item.slots.is_empty());
    let mut first = chosen.to_vec();
    first.sort_by_key(|&index| (trimmed(index), gains.at(index).saturating_neg(), index));
    for index in first {
        filling.take(state, index);
    }
    for &index in &view.open {
        filling.grant(state, index);
    }
    let worth = |index: usize| {
        let slots = problem.items.get(index).map_or(0, |item| item.total);
        stage.worth(problem, index).saturating_add(slots.saturating_mul(stage.credit))
    };
    let mut rest: Vec<usize> = view.free.iter().copied().filter(|&index| worth(index) > 0).collect();
    rest.sort_by_key(|&index| (trimmed(index), worth(index).saturating_neg(), index));
    for index in rest {
        filling.take(state, index);
    }
    filling.end()
}
