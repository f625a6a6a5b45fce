//! A component of a model as rows of integers, in an order that doesn't depend on how the model was written down.
//!
//! Amounts are counted in the component's unit: the greatest divisor of whatever can be granted in it.

use super::certificate::Constraint;
use super::components::{Membership, Order, binds, unit_of, uses};
use super::model::{By, Mode, Model, NeedKind};
use super::table::Table;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a row of limits stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// A bound of the model.
    Constraint(Constraint),
    /// A need: what counts to it, less what completes it.
    Need(usize),
    /// At least so many records that end on this day, by rank; `terms` are negative.
    Day(usize),
    /// All credit of the component.
    Total,
    /// All cost of the component.
    Cost,
}

/// A row: what the offers use of it is at most its limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) source: Source,
    pub(super) limit: i64,
    /// The square of what one of it is worth in units, so that steps along rows of counts and of credit are alike.
    pub(super) scale: i64,
}

/// What taking an offer uses of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) row: usize,
    pub(super) by: i64,
}

/// An offer.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its index in the model.
    pub(super) offer: usize,
    /// Its records, as ranks by key.
    pub(super) records: Vec<usize>,
    /// Of its group at most one is taken: offers with the same first record. An offer that consumes nothing is alone.
    pub(super) group: usize,
    pub(super) terms: Vec<Term>,
    /// Units that taking it grants; 0 if it may be trimmed.
    pub(super) units: i64,
    /// Its lines, if it may be trimmed, as slots.
    pub(super) slots: Range<usize>,
    /// The most units of all its slots together.
    pub(super) total: i64,
    pub(super) step: i64,
    /// What taking it costs.
    pub(super) cost: i64,
}

/// A line of an offer that may be trimmed.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Its index among the offer's lines.
    pub(super) line: usize,
    /// The most units.
    pub(super) top: i64,
    /// The rows of credit that its grant uses.
    pub(super) rows: Vec<usize>,
    /// The row of its need.
    pub(super) need: Option<usize>,
}

/// A need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    pub(super) row: usize,
    /// Units, or lines where it is met or not.
    pub(super) required: i64,
}

/// What may use credit of a cap.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    pub(super) group: usize,
    pub(super) item: usize,
    /// The slot that uses it; `None` if taking the offer does.
    pub(super) slot: Option<usize>,
    /// What taking the offer uses.
    pub(super) by: i64,
}

/// Offers that are looked at together.
#[derive(Debug, Clone, Default)]
pub(super) struct Cluster {
    pub(super) items: Vec<usize>,
    /// Rows of credit that whatever is granted on a slot of the cluster uses.
    pub(super) common: Vec<usize>,
    /// The needs to which nothing outside of the cluster counts.
    pub(super) goals: Vec<usize>,
}

/// A component of a model.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    /// Milli-credits of a unit.
    pub(super) unit: i64,
    pub(super) items: Vec<Item>,
    pub(super) slots: Vec<Slot>,
    pub(super) rows: Vec<Row>,
    pub(super) goals: Vec<Goal>,
    /// The rows of days, the earliest first.
    pub(super) days: Vec<usize>,
    pub(super) total: usize,
    pub(super) cost: usize,
    /// All offers, each in one cluster.
    pub(super) clusters: Vec<Cluster>,
    pub(super) records: usize,
    /// The rows of caps of credit, with what may use them, by group.
    pub(super) users: Vec<(usize, Vec<User>)>,
}

/// Makes the rows of a component; `costs` by offer of the model, 0 where there is none.
pub(super) fn problem(
    model: &Model,
    order: &Order,
    caps_of: &Membership,
    component: &[usize],
    costs: &[i64],
) -> Problem {
    let mut builder = Builder::new(model, component);
    builder.rows(model, order, caps_of, component);
    for &offer in component {
        builder.item(model, order, caps_of, offer, costs.at(offer));
    }
    builder.attainable();
    builder.users(model);
    super::cluster::divide(&mut builder.problem);
    builder.problem
}

struct Builder {
    problem: Problem,
    records: BTreeMap<usize, usize>,
    cliques: BTreeMap<usize, Vec<usize>>,
    caps: BTreeMap<usize, usize>,
    needs: BTreeMap<usize, usize>,
    days: BTreeMap<i64, usize>,
    groups: BTreeMap<usize, usize>,
}

impl Builder {
    fn new(model: &Model, component: &[usize]) -> Self {
        let problem = Problem {
            unit: unit_of(model, component),
            items: Vec::new(),
            slots: Vec::new(),
            rows: Vec::new(),
            goals: Vec::new(),
            days: Vec::new(),
            total: 0,
            cost: 0,
            clusters: Vec::new(),
            records: 0,
            users: Vec::new(),
        };
        Self {
            problem,
            records: BTreeMap::new(),
            cliques: BTreeMap::new(),
            caps: BTreeMap::new(),
            needs: BTreeMap::new(),
            days: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    fn row(&mut self, source: Source, limit: i64, scale: i64) -> usize {
        self.problem.rows.push(Row { source, limit, scale });
        self.problem.rows.len().saturating_sub(1)
    }

    fn rows(&mut self, model: &Model, order: &Order, caps_of: &Membership, component: &[usize]) {
        let unit = self.problem.unit;
        let offers = || component.iter().filter_map(|&offer| model.offers.get(offer));
        let granted = offers().map(super::model::Offer::milli_max).max().unwrap_or(1);
        // The square of half the largest offer stands for what one record or one count is worth.
        let worth = granted.checked_div(unit).unwrap_or(1).div_euclid(2).clamp(1, 1 << 15);
        let square = worth.saturating_mul(worth);
        let mut records: BTreeMap<usize, usize> = BTreeMap::new();
        for offer in offers() {
            for &record in &offer.records {
                let users = records.entry(record).or_default();
                *users = users.saturating_add(1);
            }
        }
        self.problem.records = records.len();
        let by_rank: BTreeMap<usize, usize> =
            records.keys().map(|&record| (order.record_ranks.at(record), record)).collect();
        for record in by_rank.into_values() {
            if records.get(&record).is_some_and(|&users| users > 1) {
                let row = self.row(Source::Constraint(Constraint::Record(record)), 1, square);
                self.records.insert(record, row);
            }
        }
        self.cliques(model, component, square);
        self.caps(model, caps_of, component, square);
        self.needs(model, component, square);
        let ends = |record: usize| {
            model.records.get(record).and_then(|record| record.expires_on).map_or(i64::MAX, i64::from)
        };
        let days: std::collections::BTreeSet<i64> = records.keys().map(|&record| ends(record)).collect();
        for (rank, day) in days.into_iter().enumerate() {
            let row = self.row(Source::Day(rank), 0, square);
            self.days.insert(day, row);
            self.problem.days.push(row);
        }
        self.problem.total = self.row(Source::Total, i64::MAX >> 8, 1);
        self.problem.cost = self.row(Source::Cost, i64::MAX >> 8, 1);
    }

    fn cliques(&mut self, model: &Model, component: &[usize], square: i64) {
        let place: BTreeMap<usize, usize> =
            component.iter().enumerate().map(|(place, &offer)| (offer, place)).collect();
        let mut cliques: Vec<(Vec<usize>, usize)> = Vec::new();
        for (index, clique) in model.cliques.iter().enumerate() {
            let mut members: Vec<usize> =
                clique.offers.iter().filter_map(|offer| place.get(offer).copied()).collect();
            members.sort_unstable();
            if members.len() > 1 {
                cliques.push((members, index));
            }
        }
        cliques.sort();
        cliques.dedup_by(|one, other| one.0 == other.0);
        for (members, index) in cliques {
            let row = self.row(Source::Constraint(Constraint::Clique(index)), 1, square);
            for offer in members.into_iter().filter_map(|place| component.get(place)) {
                self.cliques.entry(*offer).or_default().push(row);
            }
        }
    }

    fn caps(&mut self, model: &Model, caps_of: &Membership, component: &[usize], square: i64) {
        let place: BTreeMap<usize, usize> =
            component.iter().enumerate().map(|(place, &offer)| (offer, place)).collect();
        let possible: Vec<bool> = (0..model.offers.len()).map(|offer| place.contains_key(&offer)).collect();
        let mut caps = Vec::new();
        for (index, cap) in model.caps.iter().enumerate() {
            let mut members: Vec<(usize, usize)> = cap
                .members
                .iter()
                .filter_map(|&(offer, line)| place.get(&offer).map(|&place| (place, line)))
                .collect();
            members.sort_unstable();
            if !members.is_empty() && binds(model, index, &possible) {
                caps.push((cap.by, members, cap.left(), index));
            }
        }
        debug_assert!(caps_of.len() <= super::model::LINES_MAX, "a line is counted once");
        caps.sort();
        // Of two caps over the same lines the tighter one, which comes first, is enough.
        caps.dedup_by(|later, earlier| later.0 == earlier.0 && later.1 == earlier.1);
        for (by, _, left, index) in caps {
            let (limit, scale) = match by {
                By::Credit => (left.checked_div(self.problem.unit).unwrap_or(0), 1),
                By::Count => (left, square),
            };
            let row = self.row(Source::Constraint(Constraint::Cap(index)), limit, scale);
            self.caps.insert(index, row);
        }
    }

    fn needs(&mut self, model: &Model, component: &[usize], square: i64) {
        let mut lines: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (place, offer) in component.iter().filter_map(|&offer| model.offers.get(offer)).enumerate() {
            for (line, stated) in offer.lines.iter().enumerate() {
                if let Some(need) = stated.need {
                    lines.entry(need).or_default().push((place, line));
                }
            }
        }
        let mut needs: Vec<(Vec<(usize, usize)>, usize)> =
            lines.into_iter().map(|(need, lines)| (lines, need)).collect();
        needs.sort();
        for (_, need) in needs {
            let Some(stated) = model.needs.get(need) else { continue };
            let (required, scale) = match stated.kind {
                // Rounded up: what is granted is a multiple of the unit.
                NeedKind::Credit => {
                    let over = i64::from(stated.required.checked_rem(self.problem.unit).unwrap_or(0) > 0);
                    let units = stated.required.checked_div(self.problem.unit).unwrap_or(0);
                    (units.saturating_add(over).min(i64::MAX >> 16), 1)
                }
                NeedKind::Met => (1, square),
            };
            if required > 0 {
                let row = self.row(Source::Need(need), 0, scale);
                self.needs.insert(need, row);
                self.problem.goals.push(Goal { row, required });
            }
        }
    }

    fn item(&mut self, model: &Model, order: &Order, caps_of: &Membership, offer: usize, cost: i64) {
        let Some(stated) = model.offers.get(offer) else { return };
        let mut records: Vec<(usize, usize)> =
            stated.records.iter().map(|&record| (order.record_ranks.at(record), record)).collect();
        records.sort_unstable();
        let mut terms: BTreeMap<usize, i64> = BTreeMap::new();
        let mut term = |row: Option<&usize>, by: i64| {
            if let Some(&row) = row {
                let sum = terms.entry(row).or_default();
                *sum = sum.saturating_add(by);
            }
        };
        for &(_, record) in &records {
            term(self.records.get(&record), 1);
            let ends = model.records.get(record).and_then(|record| record.expires_on);
            term(self.days.get(&ends.map_or(i64::MAX, i64::from)), -1);
        }
        for row in self.cliques.get(&offer).into_iter().flatten() {
            term(Some(row), 1);
        }
        for (cap, by) in uses(model, caps_of, offer) {
            let counts = model.caps.get(cap).is_some_and(|cap| cap.by == By::Count);
            let by = if counts { by } else { by.checked_div(self.problem.unit).unwrap_or(0) };
            term(self.caps.get(&cap), by);
        }
        let (first_slot, mut units) = (self.problem.slots.len(), 0_i64);
        let (mut step, mut total) = (1, 0);
        match stated.mode {
            Mode::Whole => {
                for line in &stated.lines {
                    let by = line.milli.checked_div(self.problem.unit).unwrap_or(0);
                    units = units.saturating_add(by);
                    let need = line.need.filter(|need| self.needs.contains_key(need));
                    let met = need.and_then(|need| model.needs.get(need)).map(|need| need.kind);
                    let counted = if met == Some(NeedKind::Met) { 1 } else { by };
                    term(need.and_then(|need| self.needs.get(&need)), counted.saturating_neg());
                }
                term(Some(&self.problem.total), units);
            }
            Mode::Trim { step: milli, total: all } => {
                step = milli.checked_div(self.problem.unit).unwrap_or(1);
                total = super::table::floor(all, milli).checked_div(self.problem.unit).unwrap_or(0);
                self.slots(model, caps_of, offer, milli);
            }
        }
        term(Some(&self.problem.cost), cost);
        terms.retain(|_, by| *by != 0);
        let terms = terms.into_iter().map(|(row, by)| Term { row, by }).collect();
        let groups = self.groups.len();
        let group = match records.first() {
            Some(&(_, record)) => *self.groups.entry(record).or_insert(groups),
            // Indices of offers that consume nothing stand behind those of records.
            None => *self.groups.entry(model.records.len().saturating_add(offer)).or_insert(groups),
        };
        let slots = first_slot..self.problem.slots.len();
        let records = records.into_iter().map(|(rank, _)| rank).collect();
        self.problem.items.push(Item { offer, records, group, terms, units, slots, total, step, cost });
    }

    fn slots(&mut self, model: &Model, caps_of: &Membership, offer: usize, step: i64) {
        let lines = model.offers.get(offer).map(|offer| offer.lines.as_slice()).unwrap_or_default();
        for (line, stated) in lines.iter().enumerate() {
            let mut rows: Vec<usize> = caps_of
                .get(&(offer, line))
                .into_iter()
                .flatten()
                .filter(|&&cap| model.caps.get(cap).is_some_and(|cap| cap.by == By::Credit))
                .filter_map(|cap| self.caps.get(cap).copied())
                .collect();
            rows.push(self.problem.total);
            let top = super::table::floor(stated.milli, step).checked_div(self.problem.unit).unwrap_or(0);
            let need = stated.need.and_then(|need| self.needs.get(&need).copied());
            self.problem.slots.push(Slot { line, top, rows, need });
        }
    }
}

impl Builder {
    /// Lists what may use each cap of credit.
    fn users(&mut self, model: &Model) {
        let mut users: BTreeMap<usize, Vec<User>> = BTreeMap::new();
        let credit = |cap: &&usize| model.caps.get(**cap).is_some_and(|cap| cap.by == By::Credit);
        let rows: std::collections::BTreeSet<usize> =
            self.caps.iter().filter(|(cap, _)| credit(cap)).map(|(_, &row)| row).collect();
        for (index, item) in self.problem.items.iter().enumerate() {
            for term in item.terms.iter().filter(|term| rows.contains(&term.row)) {
                let user = User { group: item.group, item: index, slot: None, by: term.by };
                users.entry(term.row).or_default().push(user);
            }
            for slot in item.slots.clone() {
                let of_slot =
                    self.problem.slots.get(slot).map(|slot| slot.rows.as_slice()).unwrap_or_default();
                for &row in of_slot.iter().filter(|row| rows.contains(row)) {
                    let user = User { group: item.group, item: index, slot: Some(slot), by: 0 };
                    users.entry(row).or_default().push(user);
                }
            }
        }
        for list in users.values_mut() {
            list.sort_by_key(|user| (user.group, user.item, user.slot));
        }
        self.problem.users = users.into_iter().collect();
    }

    /// Drops the goals that everything together doesn't reach.
    fn attainable(&mut self) {
        let mut most = vec![0_i64; self.problem.rows.len()];
        for term in self.problem.items.iter().flat_map(|item| &item.terms) {
            super::table::add(&mut most, term.row, term.by.min(0).saturating_neg());
        }
        for slot in &self.problem.slots {
            if let Some(row) = slot.need {
                super::table::add(&mut most, row, slot.top);
            }
        }
        self.problem.goals.retain(|goal| most.at(goal.row) >= goal.required);
    }
}
