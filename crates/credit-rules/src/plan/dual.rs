//! A bound from prices: rows are given prices, offers then decide by themselves, and what they come to together with the
//! price of what is left is at least what any plan is worth (Lagrangian relaxation).
//!
//! Any prices that aren't negative give a bound that holds. Good ones are looked for by the subgradient with Polyak's
//! step, all in whole numbers: no float decides anything, here or elsewhere in the planner.

use super::combos::Combo;
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
    /// What a unit on each slot with room gains.
    each: Vec<i64>,
    /// Room for slots by price: the price negated, the slot, its offer.
    slots: Vec<(i64, usize, usize)>,
    /// Room for what offers have been granted.
    granted: Vec<(usize, i64)>,
    /// Offers that the last bound takes.
    pub(super) chosen: Vec<usize>,
    /// Rows visited so far: what the work is counted in.
    pub(super) visits: u64,
}

impl<'a> Dual<'a> {
    /// Room for bounds of a component.
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
            best: vec![(0, usize::MAX); problem.clusters.len()],
            each: vec![0; problem.slots.len()],
            slots: Vec::new(),
            granted: Vec::new(),
            gains: vec![0; problem.items.len()],
            usage: vec![0; problem.rows.len()],
            chosen: Vec::new(),
            visits: 0,
        }
    }

    /// The bound that prices give, in fractions of [`Self::denominator`].
    pub(super) fn bound(&mut self, view: &View, prices: &[i64]) -> i64 {
        self.usage.fill(0);
        self.chosen.clear();
        let mut bound = view.fixed.saturating_mul(self.denominator);
        for ((&price, &left), on) in prices.iter().zip(&view.left).zip(&self.stage.on) {
            if *on && price != 0 {
                bound = bound.saturating_add(price.saturating_mul(left));
            }
        }
        for &index in &view.free {
            let gain = self.gain(prices, index);
            self.gains.put(index, gain);
        }
        for slot in 0..self.each.len() {
            if view.room.at(slot) > 0 {
                let price = self.price(prices, slot);
                self.each.put(slot, price);
            }
        }
        self.best.fill((0, usize::MAX));
        for (index, combo) in view.combos.iter().enumerate() {
            let gain = self.combo(view, combo, false);
            // The first choice of a cluster that has taken offers is to take no more.
            if gain > self.best.at(combo.cluster).0 {
                self.best.put(combo.cluster, (gain, index));
            }
        }
        for place in 0..self.best.len() {
            let (gain, index) = self.best.at(place);
            if let Some(combo) = view.combos.get(index) {
                bound = bound.saturating_add(gain);
                self.combo(view, combo, true);
            }
        }
        bound.saturating_add(self.goals(prices))
    }

    /// What a choice gains at the prices; if it is the one, what it uses.
    fn combo(&mut self, view: &View, combo: &Combo, used: bool) -> i64 {
        let members = view.members.get(combo.from..combo.to).unwrap_or_default();
        self.visits = self.visits.saturating_add(1);
        let mut gain = combo.bonus.saturating_mul(self.denominator);
        let mut trimmed = false;
        for &index in members {
            let Some(item) = self.problem.items.get(index) else { continue };
            trimmed |= !item.slots.is_empty();
            if view.taken.at(index) {
                continue;
            }
            gain = gain.saturating_add(self.gains.at(index));
            if used {
                self.chosen.push(index);
                for term in &item.terms {
                    add(&mut self.usage, term.row, term.by);
                }
            }
        }
        if trimmed { gain.saturating_add(self.fill(view, members, combo.height, used)) } else { gain }
    }

    /// What complete needs add that no cluster decides.
    fn goals(&mut self, prices: &[i64]) -> i64 {
        let worth = self.stage.need.saturating_mul(self.denominator);
        let mut sum = 0_i64;
        if worth > 0 {
            for goal in self.problem.goals.iter().filter(|goal| self.stage.on.at(goal.row)) {
                let gain = worth.saturating_sub(prices.at(goal.row).saturating_mul(goal.required));
                if gain > 0 {
                    sum = sum.saturating_add(gain);
                    add(&mut self.usage, goal.row, goal.required);
                }
            }
        }
        sum
    }

    /// What taking a free offer gains at the prices, grants on slots aside.
    fn gain(&mut self, prices: &[i64], index: usize) -> i64 {
        let Some(item) = self.problem.items.get(index) else { return 0 };
        let mut gain = self.stage.worth(self.problem, index).saturating_mul(self.denominator);
        for term in &item.terms {
            gain = gain.saturating_sub(prices.at(term.row).saturating_mul(term.by));
        }
        self.visits = self.visits.saturating_add(u64::try_from(item.terms.len()).unwrap_or(0));
        gain
    }

    /// Adds to the gain of each free offer what its own slots would gain.
    pub(super) fn add_grants(&mut self, view: &View) {
        for &index in &view.free {
            let grants = self.fill(view, &[index], i64::MAX, false);
            add(&mut self.gains, index, grants);
        }
    }

    /// What is lost for each free offer if it has to be taken, and if it may not be, at the prices of the last bound.
    pub(super) fn losses(&mut self, view: &View) -> (Vec<i64>, Vec<i64>) {
        let mut with = vec![i64::MIN; self.problem.items.len()];
        let mut without = vec![0; self.problem.items.len()];
        let members = |combo: &Combo| view.members.get(combo.from..combo.to).unwrap_or_default();
        for combo in &view.combos {
            let gain = self.combo(view, combo, false);
            for &index in members(combo) {
                let most = with.at(index).max(gain);
                with.put(index, most);
            }
            let best = view.combos.get(self.best.at(combo.cluster).1).map(members).unwrap_or_default();
            for &index in best.iter().filter(|index| !members(combo).contains(index)) {
                let most = without.at(index).max(gain);
                without.put(index, most);
            }
        }
        for (cluster, best) in self.problem.clusters.iter().zip(&self.best) {
            let chosen = view.combos.get(best.1).map(members).unwrap_or_default();
            for &item in &cluster.items {
                let lost = best.0.saturating_sub(with.at(item));
                with.put(item, lost);
                let lost = if chosen.contains(&item) { best.0.saturating_sub(without.at(item)) } else { 0 };
                without.put(item, lost);
            }
        }
        (with, without)
    }

    /// What the slots of offers gain at the prices: the dearest first, together at most `height` units.
    fn fill(&mut self, view: &View, items: &[usize], height: i64, used: bool) -> i64 {
        if let [index] = items
            && !used
            && let Some(item) = self.problem.items.get(*index)
            && item.slots.len() == 1
        {
            let slot = item.slots.start;
            let grant = view.room.at(slot).min(view.rest.at(*index)).min(height).max(0);
            return grant.saturating_mul(self.each.at(slot).max(0));
        }
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        for &index in items {
            let Some(item) = self.problem.items.get(index) else { continue };
            for slot in item.slots.clone().filter(|&slot| view.room.at(slot) > 0) {
                let price = self.each.at(slot);
                if price > 0 {
                    slots.push((price.saturating_neg(), slot, index));
                }
            }
        }
        slots.sort_unstable();
        let (mut gain, mut height) = (0_i64, height);
        let mut all = 0_i64;
        let one = items.len() < 2;
        for &(price, slot, index) in &slots {
            // What the offer has on slots before this one; offers of several slots are few.
            let before = if one {
                all
            } else {
                self.granted.iter().filter(|(item, _)| *item == index).map(|(_, grant)| *grant).sum()
            };
            let rest = view.rest.at(index).saturating_sub(before);
            let grant = view.room.at(slot).min(rest).min(height).max(0);
            all = all.saturating_add(grant);
            if !one {
                self.granted.push((index, grant));
            }
            height = height.saturating_sub(grant);
            gain = gain.saturating_sub(grant.saturating_mul(price));
            if used && let Some(stated) = self.problem.slots.get(slot) {
                for &row in &stated.rows {
                    add(&mut self.usage, row, grant);
                }
                if let Some(row) = stated.need {
                    add(&mut self.usage, row, grant.saturating_neg());
                }
            }
        }
        self.granted.clear();
        self.slots = slots;
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
        let (mut length, mut idle) = (1536_i64, 0_u32);
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
                if idle >= 20 {
                    idle = 0;
                    length = length.saturating_mul(3).div_euclid(4);
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
            let by = by.checked_div(norm.saturating_mul(1024)).unwrap_or(0);
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
