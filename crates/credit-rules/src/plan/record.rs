//! Writes the certificate while the search goes.

use super::certificate::{Certificate, Constraint, Part, Price, Step};
use super::model::{By, CAPS_MAX, CLIQUES_MAX, Model, OFFERS_MAX, RECORDS_MAX};
use super::problem::{Problem, Source};
use super::search::Priced;

/// The most steps of a certificate, ends counted: what a replay walks through.
pub const STEPS_MAX: usize = 32_768;
/// The most prices of a certificate, over all its lists.
pub const PRICES_MAX: usize = 65_536;

/// The prices of one list are fewer than this, and so are those of the first lists of all parts together.
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
    parts: Vec<Part>,
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
            parts: Vec::new(),
        }
    }

    /// Whether a search with so many open cases has to end them: each takes a step, and so does each part to come.
    pub(super) fn full(&self, open: usize) -> bool {
        let steps = self.total.saturating_add(open).saturating_add(OFFERS_MAX).saturating_add(4);
        steps >= STEPS_MAX || self.count.saturating_add(2 * LIST_MAX) >= PRICES_MAX
    }

    /// Begins a part with the prices that end its cases when there is no room for others.
    pub(super) fn begin(&mut self, problem: &Problem, denominator: i64, priced: &Priced) {
        priced.listed.set(Some(self.listed(problem, denominator, &priced.prices)));
        self.first = priced.listed.get().unwrap_or_default();
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
        let listed = match priced.listed.get() {
            Some(listed) => listed,
            None if self.full(0) => self.first,
            None => self.listed(problem, denominator, &priced.prices),
        };
        priced.listed.set(Some(listed));
        self.step(Step::End { prices: listed });
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

    /// Ends a part.
    pub(super) fn part(&mut self, problem: &Problem) {
        let offers = problem.items.iter().map(|item| item.offer).collect();
        self.parts.push(Part { offers, steps: std::mem::take(&mut self.steps) });
    }

    /// The certificate, its bound still to be computed.
    pub(super) fn certificate(self) -> Certificate {
        Certificate { denominator: self.denominator, prices: self.prices, parts: self.parts, bound_milli: 0 }
    }
}
