//! Offers that are looked at together: every choice among the few offers of a cluster that keeps all bounds.
//!
//! Prices alone let an offer be taken by half where a cap has room for half. Within a cluster nothing is taken by half,
//! so a cluster for each need makes the bound about as sharp as trying the offers of that need in full.

use super::problem::{Cluster, Problem};
use super::state::{Stage, View};
use super::table::{Table, add};

/// A choice among the offers of a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Combo {
    pub(super) cluster: usize,
    /// Its offers are those of [`View::members`] from here…
    pub(super) from: usize,
    /// …up to here; first those that are taken already and may be granted more.
    pub(super) to: usize,
    /// The most units that its slots together may be granted.
    pub(super) height: i64,
    /// What the needs are worth that it may complete.
    pub(super) bonus: i64,
}

impl View {
    /// Lists the choices of every cluster.
    pub(super) fn combine(&mut self, problem: &Problem, stage: &Stage) {
        let mut free = vec![false; problem.items.len()];
        for &index in &self.free {
            free.put(index, true);
        }
        let mut open = vec![false; problem.items.len()];
        for &index in &self.open {
            open.put(index, true);
        }
        let mut left = self.left.clone();
        for (index, cluster) in problem.clusters.iter().enumerate() {
            let of = |list: &[bool]| -> Vec<usize> {
                cluster.items.iter().copied().filter(|&item| list.at(item)).collect()
            };
            self.choices(problem, stage, &mut left, index, &of(&open), &of(&free));
        }
    }

    /// Lists the choices of one cluster: each subset of its free offers that fits, once.
    fn choices(
        &mut self,
        problem: &Problem,
        stage: &Stage,
        left: &mut [i64],
        cluster: usize,
        open: &[usize],
        free: &[usize],
    ) {
        let mut chosen: Vec<usize> = open.to_vec();
        let mut places: Vec<usize> = Vec::new();
        self.choice(problem, stage, left, cluster, &chosen);
        let mut next = 0;
        loop {
            match free.get(next).copied() {
                Some(item) if fits(problem, stage, left, item) => {
                    shift(problem, left, item, true);
                    chosen.push(item);
                    places.push(next);
                    self.choice(problem, stage, left, cluster, &chosen);
                    next = next.saturating_add(1);
                }
                Some(_) => next = next.saturating_add(1),
                None => {
                    let Some(place) = places.pop() else { break };
                    if let Some(item) = chosen.pop() {
                        shift(problem, left, item, false);
                    }
                    next = place.saturating_add(1);
                }
            }
        }
    }

    fn choice(&mut self, problem: &Problem, stage: &Stage, left: &[i64], cluster: usize, chosen: &[usize]) {
        let Some(stated) = problem.clusters.get(cluster) else { return };
        let common = stated.common.iter().filter(|&&row| stage.on.at(row));
        let height = common.map(|&row| left.at(row)).min().unwrap_or(i64::MAX).max(0);
        let bonus = if stage.need > 0 { self.bonus(problem, stage, stated, chosen, height) } else { 0 };
        if chosen.is_empty() && bonus == 0 {
            return;
        }
        let from = self.members.len();
        self.members.extend_from_slice(chosen);
        self.combos.push(Combo { cluster, from, to: self.members.len(), height, bonus });
    }

    /// What the needs of a cluster are worth that a choice may complete.
    fn bonus(
        &self,
        problem: &Problem,
        stage: &Stage,
        cluster: &Cluster,
        chosen: &[usize],
        height: i64,
    ) -> i64 {
        let mut bonus = 0_i64;
        for goal in cluster.goals.iter().filter_map(|&goal| problem.goals.get(goal)) {
            let (mut counted, mut room) = (self.left.at(goal.row), 0_i64);
            for item in chosen.iter().filter_map(|&item| problem.items.get(item)) {
                for slot in item.slots.clone() {
                    if problem.slots.get(slot).is_some_and(|slot| slot.need == Some(goal.row)) {
                        room = room.saturating_add(self.room.at(slot));
                    }
                }
            }
            // What is taken already is counted in what is left.
            let new = chosen.iter().filter(|&&item| !self.taken.at(item));
            for item in new.filter_map(|&item| problem.items.get(item)) {
                for term in item.terms.iter().filter(|term| term.row == goal.row) {
                    counted = counted.saturating_sub(term.by);
                }
            }
            if counted.saturating_add(room.min(height)) >= goal.required {
                bonus = bonus.saturating_add(stage.need);
            }
        }
        bonus
    }
}

fn fits(problem: &Problem, stage: &Stage, left: &[i64], item: usize) -> bool {
    let terms = problem.items.get(item).map(|item| item.terms.as_slice()).unwrap_or_default();
    terms.iter().all(|term| term.by <= 0 || !stage.on.at(term.row) || term.by <= left.at(term.row))
}

fn shift(problem: &Problem, left: &mut [i64], item: usize, taken: bool) {
    for term in problem.items.get(item).map(|item| item.terms.as_slice()).unwrap_or_default() {
        add(left, term.row, if taken { term.by.saturating_neg() } else { term.by });
    }
}
