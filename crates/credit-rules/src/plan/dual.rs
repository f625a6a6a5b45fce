//! A bound from prices: rows are given prices, offers then decide by themselves, and what they come to together with the
//! price of what is left is at least what any plan is worth (Lagrangian relaxation).
//!
//! Any prices that aren't negative give a bound that holds. Good ones are looked for by the subgradient with Polyak's
//! step, all in whole numbers: no float decides anything, here or elsewhere in the planner.

use super::problem::{Problem, Source};
use super::state::{Stage, View};
use super::table::{Table, add, floor};

/// Binary digits behind the point of a price.
const DIGITS: u32 = 12;
/// Under what prices are written, unless amounts are so large that it has to be less.
pub(super) const DENOMINATOR: i64 = 1 << DIGITS;
/// No sum of products in a bound reaches this.
const MAGNITUDE: i64 = 1 << 60;

/// Prices of rows and what they give.
#[derive(Debug)]
pub(super) struct Dual<'a> {
    problem: &'a Problem,
    stage: &'a Stage,
    /// What a price of one is written as.
    pub(super) denominator: i64,
    /// The largest price.
    price_max: i64,
    best: Vec<(i64, usize)>,
    /// What each free offer would gain at the prices of the last bound.
    pub(super) gains: Vec<i64>,
    usage: Vec<i64>,
    /// Offers that the last bound takes.
    pub(super) chosen: Vec<usize>,
    /// Rows visited so far: what the work is counted in.
    pub(super) visits: u64,
}

impl<'a> Dual<'a> {
    /// Room for bounds of a part.
    pub(super) fn new(problem: &'a Problem, stage: &'a Stage) -> Self {
        let mass = mass(problem, stage);
        let worth = worth(problem, stage);
        let mut denominator = DENOMINATOR;
        while denominator > 1 && worth.saturating_mul(denominator) >= MAGNITUDE {
            denominator = denominator.div_euclid(2);
        }
        Self {
            problem,
            stage,
            denominator,
            price_max: MAGNITUDE.checked_div(mass.max(1)).unwrap_or(1).max(1),
            best: vec![(0, usize::MAX); problem.groups],
            gains: vec![0; problem.items.len()],
            usage: vec![0; problem.rows.len()],
            chosen: Vec::new(),
            visits: 0,
        }
    }

    /// The bound that prices give, in parts of [`Self::denominator`].
    pub(super) fn bound(&mut self, view: &View, prices: &[i64]) -> i64 {
        self.best.fill((0, usize::MAX));
        self.usage.fill(0);
        self.chosen.clear();
        let mut bound = view.fixed.saturating_mul(self.denominator);
        for ((&price, &left), on) in prices.iter().zip(&view.left).zip(&self.stage.on) {
            if *on && price != 0 {
                bound = bound.saturating_add(price.saturating_mul(left));
            }
        }
        for &index in &view.free {
            let gain = self.gain(view, prices, index);
            self.gains.put(index, gain);
            let group = self.problem.items.get(index).map_or(0, |item| item.group);
            if gain > self.best.at(group).0 {
                self.best.put(group, (gain, index));
            }
        }
        for group in 0..self.best.len() {
            let (gain, index) = self.best.at(group);
            if gain > 0 {
                bound = bound.saturating_add(gain);
                self.chosen.push(index);
            }
        }
        for place in 0..self.chosen.len() {
            let index = self.chosen.at(place);
            for term in self.problem.items.get(index).map(|item| item.terms.as_slice()).unwrap_or_default() {
                add(&mut self.usage, term.row, term.by);
            }
            self.fill(view, prices, index, true);
        }
        for &index in &view.open {
            bound = bound.saturating_add(self.fill(view, prices, index, true));
        }
        bound.saturating_add(self.goals(prices))
    }

    /// What complete needs add.
    fn goals(&mut self, prices: &[i64]) -> i64 {
        let worth = self.stage.need.saturating_mul(self.denominator);
        let mut sum = 0_i64;
        if worth > 0 {
            for goal in &self.problem.goals {
                let gain = worth.saturating_sub(prices.at(goal.row).saturating_mul(goal.required));
                if gain > 0 {
                    sum = sum.saturating_add(gain);
                    add(&mut self.usage, goal.row, goal.required);
                }
            }
        }
        sum
    }

    /// What taking a free offer gains at the prices.
    fn gain(&mut self, view: &View, prices: &[i64], index: usize) -> i64 {
        let Some(item) = self.problem.items.get(index) else { return 0 };
        let mut gain = self.stage.worth(self.problem, index).saturating_mul(self.denominator);
        for term in &item.terms {
            gain = gain.saturating_sub(prices.at(term.row).saturating_mul(term.by));
        }
        self.visits = self.visits.saturating_add(u64::try_from(item.terms.len()).unwrap_or(0));
        if item.slots.is_empty() { gain } else { gain.saturating_add(self.fill(view, prices, index, false)) }
    }

    /// What the slots of an offer gain at the prices: the dearest first.
    fn fill(&mut self, view: &View, prices: &[i64], index: usize, used: bool) -> i64 {
        let Some(item) = self.problem.items.get(index) else { return 0 };
        let (mut gain, mut rest) = (0_i64, view.rest.at(index));
        let mut last = (i64::MAX, 0);
        while rest > 0 {
            let mut next = (0_i64, usize::MAX);
            for slot in item.slots.clone().filter(|&slot| view.room.at(slot) > 0) {
                let one = self.price(prices, slot);
                let behind = (one, usize::MAX.saturating_sub(slot)) < last;
                if behind
                    && one > 0
                    && (one, usize::MAX.saturating_sub(slot)) > (next.0, usize::MAX.saturating_sub(next.1))
                {
                    next = (one, slot);
                }
            }
            if next.0 <= 0 {
                break;
            }
            last = (next.0, usize::MAX.saturating_sub(next.1));
            let grant = rest.min(view.room.at(next.1));
            gain = gain.saturating_add(grant.saturating_mul(next.0));
            rest = rest.saturating_sub(grant);
            if used && let Some(stated) = self.problem.slots.get(next.1) {
                for &row in &stated.rows {
                    add(&mut self.usage, row, grant);
                }
                if let Some(row) = stated.need {
                    add(&mut self.usage, row, grant.saturating_neg());
                }
            }
        }
        gain
    }

    /// What a unit on a slot gains.
    fn price(&mut self, prices: &[i64], slot: usize) -> i64 {
        let mut price = self.stage.credit.saturating_mul(self.denominator);
        let Some(stated) = self.problem.slots.get(slot) else { return 0 };
        for &row in &stated.rows {
            price = price.saturating_sub(prices.at(row));
        }
        self.visits = self.visits.saturating_add(u64::try_from(stated.rows.len()).unwrap_or(0));
        price.saturating_add(stated.need.map_or(0, |row| prices.at(row)))
    }

    /// Looks for prices whose bound is below a goal, from given ones; the best and their bound.
    /// What the last bound uses of each row.
    pub(super) fn usage(&self) -> &[i64] {
        &self.usage
    }

    pub(super) fn improve(&mut self, view: &View, start: &[i64], goal: i64, tries: u32) -> (Vec<i64>, i64) {
        let goal = goal.saturating_mul(self.denominator);
        let mut prices = start.to_vec();
        let mut bound = self.bound(view, &prices);
        let (mut best, mut least) = (prices.clone(), bound);
        // The length of a step in sixteenths; halved where the bound doesn't sink for a while.
        let (mut length, mut idle) = (24_i64, 0_u32);
        let mut tried = 0;
        while tried < tries && least >= goal {
            tried = tried.saturating_add(1);
            if !self.step(view, &mut prices, bound.saturating_sub(goal).saturating_add(1), length) {
                break;
            }
            bound = self.bound(view, &prices);
            if bound < least {
                least = bound;
                best.clone_from(&prices);
                idle = 0;
            } else {
                idle = idle.saturating_add(1);
                if idle >= 5 {
                    idle = 0;
                    length = length.saturating_mul(2).div_euclid(3);
                    prices.clone_from(&best);
                    bound = self.bound(view, &prices);
                    if length < 1 {
                        break;
                    }
                }
            }
        }
        (best, least)
    }

    /// One step along the subgradient; whether there was one to make.
    fn step(&self, view: &View, prices: &mut [i64], excess: i64, length: i64) -> bool {
        let slack = |row: usize| view.left.at(row).saturating_sub(self.usage.at(row));
        let mut norm = 0_i128;
        for (row, stated) in self.problem.rows.iter().enumerate() {
            let slack = slack(row);
            if self.stage.on.at(row) && !(prices.at(row) == 0 && slack >= 0) {
                let square = i128::from(slack).saturating_mul(i128::from(slack));
                norm = norm.saturating_add(square.saturating_mul(i128::from(stated.scale)));
            }
        }
        if norm == 0 {
            return false;
        }
        let ahead = i128::from(excess).saturating_mul(i128::from(length));
        let mut moved = false;
        for (row, stated) in self.problem.rows.iter().enumerate() {
            let slack = slack(row);
            if slack == 0 || !self.stage.on.at(row) || (prices.at(row) == 0 && slack >= 0) {
                continue;
            }
            let by = ahead.saturating_mul(i128::from(slack)).saturating_mul(i128::from(stated.scale));
            let by = by.checked_div(norm.saturating_mul(16)).unwrap_or(0);
            let price = i128::from(prices.at(row)).saturating_sub(by);
            let price = i64::try_from(price.clamp(0, i128::from(self.price_max))).unwrap_or(0);
            moved |= price != prices.at(row);
            prices.put(row, price);
        }
        moved
    }
}

/// The most that a plan could be worth, or cost, in whole.
fn worth(problem: &Problem, stage: &Stage) -> i64 {
    let items = (0..problem.items.len()).map(|item| {
        let slots = problem.items.get(item).map_or(0, |item| item.total);
        stage.worth(problem, item).saturating_abs().saturating_add(slots.saturating_mul(stage.credit))
    });
    let needs = i64::try_from(problem.goals.len()).unwrap_or(i64::MAX).saturating_mul(stage.need);
    items.fold(needs, i64::saturating_add).max(1)
}

/// The sum of everything that prices are multiplied with.
fn mass(problem: &Problem, stage: &Stage) -> i64 {
    let on = |row: usize| stage.on.at(row);
    let mut mass = 1_i64;
    for item in &problem.items {
        for term in item.terms.iter().filter(|term| on(term.row)) {
            mass = mass.saturating_add(term.by.saturating_abs().saturating_mul(2));
        }
    }
    for slot in &problem.slots {
        let rows = slot.rows.iter().filter(|&&row| on(row)).count();
        let rows = i64::try_from(rows).unwrap_or(i64::MAX).saturating_add(1);
        mass = mass.saturating_add(slot.top.saturating_mul(rows).saturating_mul(2));
    }
    for (row, stated) in problem.rows.iter().enumerate() {
        if on(row) && !matches!(stated.source, Source::Need(_)) {
            mass = mass.saturating_add(stage.limits.at(row).saturating_abs());
        }
    }
    for goal in &problem.goals {
        mass = mass.saturating_add(goal.required);
    }
    mass
}

/// A bound in whole units: what a plan is worth is a whole number.
pub(super) fn whole(bound: i64, denominator: i64) -> i64 {
    floor(bound, denominator).checked_div(denominator).unwrap_or(i64::MAX)
}
