//! What is wanted of a component, what has been decided of it, and what that leaves.

use super::combos::Combo;
use super::problem::{Problem, Source};
use super::reach::{REACH_UNITS_MAX, Reach};
use super::table::{Table, add, floor};

/// What is wanted: a weighted sum, and limits of rows.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// What a unit of credit is worth.
    pub(super) credit: i64,
    /// What a complete need is worth.
    pub(super) need: i64,
    /// What a consumed record costs.
    pub(super) record: i64,
    /// What the cost of an offer counts.
    pub(super) cost: i64,
    /// What rows allow.
    pub(super) limits: Vec<i64>,
    /// Which rows count.
    pub(super) on: Vec<bool>,
}

/// Whether an offer is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mark {
    /// Not decided.
    #[default]
    Free,
    /// Taken.
    In,
    /// Not taken.
    Out,
}

/// What has been decided.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) marks: Vec<Mark>,
    /// The least that each slot grants.
    pub(super) least: Vec<i64>,
    /// The most that each slot grants.
    pub(super) most: Vec<i64>,
}

/// What the decisions leave open.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// What is left of each row.
    pub(super) left: Vec<i64>,
    /// Which offers are taken.
    pub(super) taken: Vec<bool>,
    /// Offers that are not decided and fit.
    pub(super) free: Vec<usize>,
    /// Taken offers that may still be granted more.
    pub(super) open: Vec<usize>,
    /// What each slot may still be granted above the least.
    pub(super) room: Vec<i64>,
    /// What each offer may still be granted on all its slots together.
    pub(super) rest: Vec<i64>,
    /// What is decided is worth this much, needs aside.
    pub(super) fixed: i64,
    /// Whether the decisions break a limit.
    pub(super) broken: bool,
    /// The choices of the clusters, cluster by cluster.
    pub(super) combos: Vec<Combo>,
    /// The offers of the choices.
    pub(super) members: Vec<usize>,
}

/// A plan of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Solution {
    pub(super) taken: Vec<bool>,
    /// What each slot grants, in units.
    pub(super) grants: Vec<i64>,
}

impl Stage {
    /// A stage in which the rows of the model count, and needs if they are worth something.
    pub(super) fn new(problem: &Problem, credit: i64, need: i64, record: i64, cost: i64) -> Self {
        // A need that one cluster decides needs no price.
        let decided: Vec<usize> =
            problem.clusters.iter().flat_map(|cluster| cluster.goals.iter().copied()).collect();
        let priced = |row: usize| {
            problem.goals.iter().enumerate().any(|(index, goal)| goal.row == row && !decided.contains(&index))
        };
        let on = |row: usize, source: Source| match source {
            Source::Constraint(_) => true,
            Source::Need(_) => need > 0 && priced(row),
            Source::Day(_) | Source::Total | Source::Cost => false,
        };
        Self {
            credit,
            need,
            record,
            cost,
            limits: problem.rows.iter().map(|row| row.limit).collect(),
            on: problem.rows.iter().enumerate().map(|(row, stated)| on(row, stated.source)).collect(),
        }
    }

    /// Lets a row count, with a limit.
    pub(super) fn limit(&mut self, row: usize, limit: i64) {
        self.limits.put(row, limit);
        self.on.put(row, true);
    }

    /// What taking an offer is worth, grants on slots aside.
    pub(super) fn worth(&self, problem: &Problem, item: usize) -> i64 {
        let Some(item) = problem.items.get(item) else { return 0 };
        let records = i64::try_from(item.records.len()).unwrap_or(i64::MAX);
        item.units
            .saturating_mul(self.credit)
            .saturating_sub(records.saturating_mul(self.record))
            .saturating_sub(item.cost.saturating_mul(self.cost))
    }

    /// What a plan is worth.
    pub(super) fn value(&self, problem: &Problem, solution: &Solution) -> i64 {
        let taken = (0..problem.items.len()).filter(|&item| solution.taken.at(item));
        let mut value = taken.fold(0_i64, |sum, item| sum.saturating_add(self.worth(problem, item)));
        for &grant in &solution.grants {
            value = value.saturating_add(grant.saturating_mul(self.credit));
        }
        if self.need > 0 {
            let complete = i64::try_from(solution.complete(problem)).unwrap_or(0);
            value = value.saturating_add(complete.saturating_mul(self.need));
        }
        value
    }
}

impl Solution {
    /// The plan that takes nothing.
    pub(super) fn nothing(problem: &Problem) -> Self {
        Self { taken: vec![false; problem.items.len()], grants: vec![0; problem.slots.len()] }
    }

    /// Units of credit.
    pub(super) fn units(&self, problem: &Problem) -> i64 {
        let whole = problem.items.iter().zip(&self.taken).filter(|(_, taken)| **taken);
        let whole = whole.fold(0_i64, |sum, (item, _)| sum.saturating_add(item.units));
        self.grants.iter().fold(whole, |sum, grant| sum.saturating_add(*grant))
    }

    /// The count of consumed records.
    pub(super) fn records(&self, problem: &Problem) -> usize {
        problem
            .items
            .iter()
            .zip(&self.taken)
            .filter(|(_, taken)| **taken)
            .map(|(item, _)| item.records.len())
            .sum()
    }

    /// What the plan uses of each row.
    pub(super) fn usage(&self, problem: &Problem) -> Vec<i64> {
        let mut usage = vec![0; problem.rows.len()];
        for (index, item) in problem.items.iter().enumerate().filter(|(index, _)| self.taken.at(*index)) {
            for term in &item.terms {
                add(&mut usage, term.row, term.by);
            }
            for slot in problem.items.get(index).map(|item| item.slots.clone()).unwrap_or_default() {
                let grant = self.grants.at(slot);
                for &row in problem.slots.get(slot).map(|slot| slot.rows.as_slice()).unwrap_or_default() {
                    add(&mut usage, row, grant);
                }
                if let Some(row) = problem.slots.get(slot).and_then(|slot| slot.need) {
                    add(&mut usage, row, grant.saturating_neg());
                }
            }
        }
        usage
    }

    /// The count of complete needs.
    pub(super) fn complete(&self, problem: &Problem) -> usize {
        let usage = self.usage(problem);
        problem.goals.iter().filter(|goal| usage.at(goal.row).saturating_neg() >= goal.required).count()
    }

    /// Whether the plan keeps every limit of a stage.
    pub(super) fn keeps(&self, problem: &Problem, stage: &Stage) -> bool {
        let usage = self.usage(problem);
        problem.rows.iter().enumerate().all(|(row, stated)| {
            matches!(stated.source, Source::Need(_))
                || !stage.on.at(row)
                || usage.at(row) <= stage.limits.at(row)
        })
    }
}

impl State {
    /// Nothing is decided.
    pub(super) fn open(problem: &Problem) -> Self {
        Self {
            marks: vec![Mark::Free; problem.items.len()],
            least: vec![0; problem.slots.len()],
            most: problem.slots.iter().map(|slot| slot.top).collect(),
        }
    }

    /// What the decisions leave open.
    pub(super) fn view(&self, problem: &Problem, stage: &Stage) -> View {
        let mut view = View {
            left: stage.limits.clone(),
            taken: self.marks.iter().map(|mark| *mark == Mark::In).collect(),
            free: Vec::new(),
            open: Vec::new(),
            room: vec![0; problem.slots.len()],
            rest: vec![0; problem.items.len()],
            fixed: 0,
            broken: false,
            combos: Vec::new(),
            members: Vec::new(),
        };
        for (index, item) in problem.items.iter().enumerate() {
            if self.marks.at(index) == Mark::In {
                self.take(problem, stage, &mut view, index);
                if !item.slots.is_empty() {
                    view.open.push(index);
                }
            }
        }
        for (row, stated) in problem.rows.iter().enumerate() {
            // A day's row is short until enough records are taken; whether they can be is seen below.
            let bound = !matches!(stated.source, Source::Need(_) | Source::Day(_));
            view.broken |= bound && stage.on.at(row) && view.left.at(row) < 0;
        }
        let mut reachable: Vec<i64> = view.left.clone();
        for (index, item) in problem.items.iter().enumerate() {
            if self.marks.at(index) == Mark::Free && self.fits(problem, stage, &mut view, index) {
                view.free.push(index);
                for term in item.terms.iter().filter(|term| term.by < 0) {
                    add(&mut reachable, term.row, term.by.saturating_neg());
                }
            }
        }
        for &day in problem.days.iter().filter(|&&day| stage.on.at(day)) {
            view.broken |= reachable.at(day) < 0;
        }
        let open = std::mem::take(&mut view.open);
        for &index in &open {
            self.clip(problem, stage, &mut view, index);
        }
        view.open = open.into_iter().filter(|&index| view.rest.at(index) > 0).collect();
        if !view.broken {
            view.combine(problem, stage);
            tighten(problem, &mut view);
        }
        view
    }

    fn take(&self, problem: &Problem, stage: &Stage, view: &mut View, index: usize) {
        let Some(item) = problem.items.get(index) else { return };
        view.fixed = view.fixed.saturating_add(stage.worth(problem, index));
        for term in &item.terms {
            add(&mut view.left, term.row, term.by.saturating_neg());
        }
        for slot in item.slots.clone() {
            let (least, Some(stated)) = (self.least.at(slot), problem.slots.get(slot)) else { continue };
            view.fixed = view.fixed.saturating_add(least.saturating_mul(stage.credit));
            for &row in &stated.rows {
                add(&mut view.left, row, least.saturating_neg());
            }
            if let Some(row) = stated.need {
                add(&mut view.left, row, least);
            }
        }
        let least = item.slots.clone().fold(0_i64, |sum, slot| sum.saturating_add(self.least.at(slot)));
        view.broken |= least > item.total;
    }

    fn fits(&self, problem: &Problem, stage: &Stage, view: &mut View, index: usize) -> bool {
        let Some(item) = problem.items.get(index) else { return false };
        let over = |term: &super::problem::Term| {
            term.by > 0 && stage.on.at(term.row) && term.by > view.left.at(term.row)
        };
        if item.terms.iter().any(over) {
            return false;
        }
        self.clip(problem, stage, view, index);
        item.slots.is_empty() || view.rest.at(index) > 0
    }

    /// What an offer that may be trimmed may still be granted.
    fn clip(&self, problem: &Problem, stage: &Stage, view: &mut View, index: usize) {
        let Some(item) = problem.items.get(index) else { return };
        let (mut all, mut rest) = (0_i64, item.total);
        for slot in item.slots.clone() {
            let Some(stated) = problem.slots.get(slot) else { continue };
            let least = self.least.at(slot);
            let mut room = self.most.at(slot).saturating_sub(least);
            for &row in stated.rows.iter().filter(|&&row| stage.on.at(row)) {
                room = room.min(view.left.at(row));
            }
            let room = floor(room.max(0), item.step);
            view.room.put(slot, room);
            all = all.saturating_add(room);
            rest = rest.saturating_sub(least);
        }
        view.rest.put(index, all.min(rest).max(0));
    }
}

/// Leaves of each small cap what its users can reach.
fn tighten(problem: &Problem, view: &mut View) {
    let mut usable = vec![Mark::Out; problem.items.len()];
    for &index in &view.free {
        usable.put(index, Mark::Free);
    }
    for &index in &view.open {
        usable.put(index, Mark::In);
    }
    for (row, users) in &problem.users {
        let left = view.left.at(*row);
        if !(1..=REACH_UNITS_MAX).contains(&left) {
            continue;
        }
        let mut reach = Reach::nothing();
        for user in users.iter().filter(|user| usable.at(user.item) != Mark::Out) {
            let step = problem.items.get(user.item).map_or(1, |item| item.step);
            let lines = problem.items.get(user.item).map_or(0, |item| item.slots.len());
            let group = if lines < 2 { user.group } else { usize::MAX };
            let room = user.slot.map_or(0, |slot| view.room.at(slot).min(view.rest.at(user.item)));
            reach.or(group, user.by, step, room.checked_div(step).unwrap_or(0));
        }
        view.left.put(*row, reach.most(left));
    }
}
