//! The best allocation by trying every one. Shares nothing with the planner but the types of the model.

use credit_rules::plan::{By, Mode, Model, NeedKind};
use std::cmp::Reverse;

/// What an allocation is worth before keys decide: credit, complete needs, few records, and those that end soonest.
pub(crate) type Worth = (i64, usize, Reverse<usize>, Reverse<Vec<i32>>);

/// Taken offers with what their lines grant, in the order of the keys.
pub(crate) type Taken = Vec<(usize, Vec<i64>)>;

/// The best allocation of a model.
pub(crate) fn best(model: &Model) -> (Worth, Taken) {
    let mut best: Option<(Worth, Taken)> = None;
    // Of equals the first that is met is the one that the keys choose.
    each(model, &mut |worth, taken| {
        if best.as_ref().is_none_or(|(best, _)| worth > *best) {
            best = Some((worth, taken.clone()));
        }
    });
    best.unwrap()
}

/// Shows every allocation of a model: first those without an offer, then those in which it grants most.
pub(crate) fn each(model: &Model, seen: &mut dyn FnMut(Worth, &Taken)) {
    let mut order: Vec<usize> = (0..model.offers.len()).collect();
    order.sort_by(|&one, &other| model.offers[one].key.cmp(&model.offers[other].key));
    let mut trying = Trying {
        model,
        order,
        used_records: vec![false; model.records.len()],
        used_cliques: vec![false; model.cliques.len()],
        left: model.caps.iter().map(|cap| (cap.limit - cap.used).max(0)).collect(),
        taken: Vec::new(),
        seen,
    };
    trying.go(0);
}

struct Trying<'a, 'b> {
    model: &'a Model,
    order: Vec<usize>,
    used_records: Vec<bool>,
    used_cliques: Vec<bool>,
    left: Vec<i64>,
    taken: Taken,
    seen: &'b mut dyn FnMut(Worth, &Taken),
}

impl Trying<'_, '_> {
    /// Tries everything from a place in the order on.
    fn go(&mut self, place: usize) {
        let Some(&offer) = self.order.get(place) else {
            let worth = self.worth();
            (self.seen)(worth, &self.taken);
            return;
        };
        self.go(place + 1);
        let stated = &self.model.offers[offer];
        let free = stated.records.iter().all(|&record| !self.used_records[record]);
        let cliques: Vec<usize> = (0..self.model.cliques.len())
            .filter(|&clique| self.model.cliques[clique].offers.contains(&offer))
            .collect();
        if !free || cliques.iter().any(|&clique| self.used_cliques[clique]) {
            return;
        }
        for granted in grants(self.model, offer) {
            let left = self.left.clone();
            for (index, cap) in self.model.caps.iter().enumerate() {
                for &(_, line) in cap.members.iter().filter(|member| member.0 == offer) {
                    self.left[index] -= if cap.by == By::Count { 1 } else { granted[line] };
                }
            }
            if self.left.iter().all(|left| *left >= 0) {
                self.mark(offer, &cliques, true);
                self.taken.push((offer, granted));
                self.go(place + 1);
                self.taken.pop();
                self.mark(offer, &cliques, false);
            }
            self.left = left;
        }
    }

    fn mark(&mut self, offer: usize, cliques: &[usize], used: bool) {
        for &record in &self.model.offers[offer].records {
            self.used_records[record] = used;
        }
        for &clique in cliques {
            self.used_cliques[clique] = used;
        }
    }

    fn worth(&self) -> Worth {
        let granted = |need: usize| {
            let lines = self
                .taken
                .iter()
                .flat_map(|(offer, granted)| self.model.offers[*offer].lines.iter().zip(granted));
            lines.filter(move |(line, _)| line.need == Some(need)).map(|(_, granted)| *granted)
        };
        let credit = self.taken.iter().flat_map(|(_, granted)| granted).sum();
        let complete = (0..self.model.needs.len()).filter(|&need| match self.model.needs[need].kind {
            NeedKind::Met => granted(need).count() > 0,
            NeedKind::Credit => granted(need).sum::<i64>() >= self.model.needs[need].required,
        });
        let records = self.taken.iter().flat_map(|(offer, _)| self.model.offers[*offer].records.iter());
        let mut ends: Vec<i32> =
            records.map(|&record| self.model.records[record].expires_on.unwrap_or(i32::MAX)).collect();
        ends.sort_unstable();
        (credit, complete.count(), Reverse(ends.len()), Reverse(ends))
    }
}

/// What the lines of an offer may grant, from the most down.
fn grants(model: &Model, offer: usize) -> Vec<Vec<i64>> {
    let stated = &model.offers[offer];
    let (step, total) = match stated.mode {
        Mode::Whole => return vec![stated.lines.iter().map(|line| line.milli).collect()],
        Mode::Trim { step, total } => (step, total),
    };
    let mut all: Vec<Vec<i64>> = vec![Vec::new()];
    for line in &stated.lines {
        let amounts: Vec<i64> = (0..=line.milli / step).rev().map(|steps| steps * step).collect();
        all = all
            .iter()
            .flat_map(|before| amounts.iter().map(move |&one| before.iter().copied().chain([one]).collect()))
            .collect();
    }
    all.retain(|granted: &Vec<i64>| (1..=total).contains(&granted.iter().sum()));
    all
}
