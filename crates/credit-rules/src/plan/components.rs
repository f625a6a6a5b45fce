//! Divides a model into components that share nothing, in the order of the keys.

use super::model::{By, Mode, Model};
use super::table::{Table, divisor};
use std::collections::BTreeMap;

/// The order of a model's records and offers by their keys.
#[derive(Debug)]
pub(super) struct Order {
    /// The offers, by key.
    pub(super) offers: Vec<usize>,
    /// The rank of each record by its key.
    pub(super) record_ranks: Vec<usize>,
}

/// The ranks of things in the order of their keys.
pub(super) fn ranks<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<usize> {
    let mut sorted: Vec<(K, usize)> = keys.enumerate().map(|(index, key)| (key, index)).collect();
    sorted.sort();
    let mut ranks = vec![0; sorted.len()];
    for (rank, (_, index)) in sorted.iter().enumerate() {
        ranks.put(*index, rank);
    }
    ranks
}

/// What an offer uses of a cap, for each line that is a member of one.
pub(super) type Membership = BTreeMap<(usize, usize), Vec<usize>>;

/// The caps of each line.
pub(super) fn memberships(model: &Model) -> Membership {
    let mut found = Membership::new();
    for (index, cap) in model.caps.iter().enumerate() {
        for &member in &cap.members {
            found.entry(member).or_default().push(index);
        }
    }
    found
}

/// What the lines of a whole offer use of each cap, or the least that an offer that may be trimmed does.
pub(super) fn uses(model: &Model, caps_of: &Membership, offer: usize) -> BTreeMap<usize, i64> {
    let mut found: BTreeMap<usize, i64> = BTreeMap::new();
    let Some(stated) = model.offers.get(offer) else { return found };
    for (line, stated_line) in stated.lines.iter().enumerate() {
        for &cap in caps_of.get(&(offer, line)).into_iter().flatten() {
            let by = match (model.caps.get(cap).map(|cap| cap.by), stated.mode) {
                (Some(By::Credit), Mode::Whole) => stated_line.milli,
                (Some(By::Count), Mode::Whole | Mode::Trim { .. }) => 1,
                (Some(By::Credit), Mode::Trim { .. }) | (None, _) => 0,
            };
            let use_of = found.entry(cap).or_default();
            *use_of = use_of.saturating_add(by);
        }
    }
    found
}

/// The offers of a model that share something, as lists in the order of their keys; offers that no plan can take are
/// in none.
pub(super) fn components(model: &Model, order: &Order, caps_of: &Membership) -> Vec<Vec<usize>> {
    let possible: Vec<bool> = (0..model.offers.len()).map(|offer| possible(model, caps_of, offer)).collect();
    let mut leader: Vec<usize> = (0..model.offers.len()).collect();
    let mut join = |members: &mut dyn Iterator<Item = usize>| {
        let mut first = None;
        for member in members.filter(|&member| possible.at(member)) {
            let root = root_of(&mut leader, member);
            let to = *first.get_or_insert(root);
            let to = root_of(&mut leader, to);
            leader.put(root, to);
        }
    };
    let mut by_record: Vec<Vec<usize>> = vec![Vec::new(); model.records.len()];
    let mut by_need: Vec<Vec<usize>> = vec![Vec::new(); model.needs.len()];
    for (index, offer) in model.offers.iter().enumerate() {
        for &record in &offer.records {
            if let Some(list) = by_record.get_mut(record) {
                list.push(index);
            }
        }
        for need in offer.lines.iter().filter_map(|line| line.need) {
            if let Some(list) = by_need.get_mut(need) {
                list.push(index);
            }
        }
    }
    for list in by_record.iter().chain(&by_need) {
        join(&mut list.iter().copied());
    }
    for clique in &model.cliques {
        join(&mut clique.offers.iter().copied());
    }
    for (index, cap) in model.caps.iter().enumerate() {
        if binds(model, index, &possible) {
            join(&mut cap.members.iter().map(|member| member.0));
        }
    }
    let mut components: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &offer in order.offers.iter().filter(|&&offer| possible.at(offer)) {
        components.entry(root_of(&mut leader, offer)).or_default().push(offer);
    }
    let mut components: Vec<Vec<usize>> = components.into_values().collect();
    let offer_ranks = ranks(model.offers.iter().map(|offer| offer.key.as_slice()));
    components.sort_by_key(|component| component.first().map(|&offer| offer_ranks.at(offer)));
    components
}

fn root_of(leader: &mut [usize], mut of: usize) -> usize {
    while leader.at(of) != of {
        let above = leader.at(leader.at(of));
        leader.put(of, above);
        of = above;
    }
    of
}

/// Whether some plan can take an offer: it fits under every cap by itself and, if it may be trimmed, can grant
/// something.
pub(super) fn possible(model: &Model, caps_of: &Membership, offer: usize) -> bool {
    let left = |cap: usize| model.caps.get(cap).map_or(0, super::model::Cap::left);
    let fits = uses(model, caps_of, offer).into_iter().all(|(cap, by)| by <= left(cap));
    let Some(stated) = model.offers.get(offer) else { return false };
    let grants = match stated.mode {
        Mode::Whole => true,
        Mode::Trim { step, total } => stated.lines.iter().enumerate().any(|(line, stated_line)| {
            let caps = caps_of.get(&(offer, line)).into_iter().flatten();
            let credit = caps.filter(|&&cap| model.caps.get(cap).is_some_and(|cap| cap.by == By::Credit));
            credit.map(|&cap| left(cap)).min().unwrap_or(i64::MAX).min(stated_line.milli).min(total) >= step
        }),
    };
    fits && grants
}

/// Whether all possible members together would use more of a cap than is left.
pub(super) fn binds(model: &Model, cap: usize, possible: &[bool]) -> bool {
    let Some(cap) = model.caps.get(cap) else { return false };
    let used = cap.members.iter().filter(|member| possible.at(member.0)).fold(0_i64, |sum, member| {
        let offer = model.offers.get(member.0);
        let by = match cap.by {
            By::Count => 1,
            By::Credit => offer.and_then(|offer| offer.lines.get(member.1)).map_or(0, |line| line.milli),
        };
        sum.saturating_add(by)
    });
    used > cap.left()
}

/// The greatest divisor of whatever a list of offers can grant on a line, in milli-credits; 1 if they grant nothing.
pub(super) fn unit_of(model: &Model, component: &[usize]) -> i64 {
    let mut unit = 0;
    for offer in component.iter().filter_map(|&offer| model.offers.get(offer)) {
        match offer.mode {
            Mode::Trim { step, .. } => unit = divisor(unit, step),
            Mode::Whole => unit = offer.lines.iter().fold(unit, |unit, line| divisor(unit, line.milli)),
        }
    }
    unit.max(1)
}

impl Order {
    /// The order of a model.
    pub(super) fn of(model: &Model) -> Self {
        let mut offers: Vec<usize> = (0..model.offers.len()).collect();
        offers.sort_by_key(|&offer| model.offers.get(offer).map(|offer| offer.key.as_slice()));
        Self { offers, record_ranks: ranks(model.records.iter().map(|record| record.key.as_slice())) }
    }
}
