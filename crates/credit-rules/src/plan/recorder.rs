//! Writes the certificate while the search goes.

use super::certificate::{Certificate, Component, Constraint, Price, Step};
use super::model::{By, CAPS_MAX, CLIQUES_MAX, Model, OFFERS_MAX, RECORDS_MAX};
use super::problem::{Problem, Source};
use super::search::Priced;
use super::state::Mark;

/// The most steps of a certificate, and offers that they narrow, together: what a replay walks through.
pub const STEPS_MAX: usize = 32_768;
/// The most prices of a certificate, over all its lists.
pub const PRICES_MAX: usize = 131_072;

/// The prices of one list are fewer than this, and so are those of the first lists of all components together.
const LIST_MAX: usize = RECORDS_MAX + CLIQUES_MAX + CAPS_MAX;

/// The certificate so far.
#[derive(Debug)]
pub(super) struct Recorder {
    caps_of_credit: Vec<bool>,
    denominator: i64,
    prices: Vec<Vec<Price>>,
    count: usize,
    first: usize,
    steps: Vec<Step>,
    total: usize,
    components: Vec<Component>,
}

impl Recorder {
    /// An empty certificate for a model.
    pub(super) fn new(model: &Model, denominator: i64) -> Self {
        Self {
            caps_of_credit: model.caps.iter().map(|cap| cap.by == By::Credit).collect(),
            denominator,
            prices: Vec::new(),
            count: 0,
            first: 0,
            steps: Vec::new(),
            total: 0,
            components: Vec::new(),
        }
    }

    /// Whether a search with so many open cases has to end them: each takes a step, and so does each component to come.
    pub(super) fn full(&self, open: usize) -> bool {
        let steps = self.total.saturating_add(open).saturating_add(OFFERS_MAX).saturating_add(4);
        steps >= STEPS_MAX || self.count.saturating_add(2 * LIST_MAX) >= PRICES_MAX
    }

    fn listed(&mut self, problem: &Problem, denominator: i64, prices: &[i64]) -> usize {
        let list = self.list(problem, denominator, prices);
        self.count = self.count.saturating_add(list.len());
        self.prices.push(list);
        self.prices.len().saturating_sub(1)
    }

    /// Writes a step.
    pub(super) fn step(&mut self, step: Step) {
        self.total = self.total.saturating_add(1);
        self.steps.push(step);
    }

    /// Writes the end of a case with its prices.
    pub(super) fn end(&mut self, problem: &Problem, denominator: i64, priced: &Priced) {
        let prices = self.place(problem, denominator, priced);
        self.step(Step::End { prices });
    }

    /// Writes what prices decide.
    pub(super) fn narrow(
        &mut self,
        problem: &Problem,
        denominator: i64,
        priced: &Priced,
        marks: &[(usize, Mark)],
    ) {
        let prices = self.place(problem, denominator, priced);
        let of = |mark: Mark| {
            let marked = marks.iter().filter(|(_, one)| *one == mark);
            marked.filter_map(|(item, _)| problem.items.get(*item)).map(|item| item.offer).collect()
        };
        self.total = self.total.saturating_add(marks.len());
        self.step(Step::Narrow { prices, taken: of(Mark::In), left: of(Mark::Out) });
    }

    /// The place of a list of prices; of another if there is no room for it.
    fn place(&mut self, problem: &Problem, denominator: i64, priced: &Priced) -> usize {
        let listed = match priced.listed.get() {
            Some(listed) => listed,
            None if self.full(0) && self.first < self.prices.len() => self.first,
            None => self.listed(problem, denominator, &priced.prices),
        };
        priced.listed.set(Some(listed));
        listed
    }

    fn list(&self, problem: &Problem, denominator: i64, prices: &[i64]) -> Vec<Price> {
        let mut list: Vec<Price> = Vec::new();
        let finer = self.denominator.checked_div(denominator).unwrap_or(1);
        for (row, &price) in problem.rows.iter().zip(prices).filter(|(_, price)| **price > 0) {
            if let Source::Constraint(constraint) = row.source {
                let credit = match constraint {
                    Constraint::Cap(cap) => self.caps_of_credit.get(cap).copied().unwrap_or(false),
                    Constraint::Record(_) | Constraint::Clique(_) => false,
                };
                let by = if credit { 1 } else { problem.unit };
                list.push((constraint, price.saturating_mul(finer).saturating_mul(by)));
            }
        }
        list.sort_unstable();
        list
    }

    /// Ends a component whose best plan grants so much.
    pub(super) fn component(&mut self, problem: &Problem, bound_milli: i64) {
        let offers = |items: &[usize]| {
            items.iter().filter_map(|&item| problem.items.get(item)).map(|item| item.offer).collect()
        };
        let clusters = problem.clusters.iter().map(|cluster| offers(&cluster.items)).collect();
        // The first list of the next component is the first that it lists itself.
        self.first = self.prices.len();
        self.components.push(Component { clusters, steps: std::mem::take(&mut self.steps), bound_milli });
    }

    /// The certificate, its bound still to be computed.
    pub(super) fn certificate(self) -> Certificate {
        Certificate {
            denominator: self.denominator,
            prices: self.prices,
            components: self.components,
            bound_milli: 0,
        }
    }
}
