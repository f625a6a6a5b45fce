//! Weighs one case of a certificate: what prices say that no plan of the case can grant more than.

use super::certificate::{Certificate, Component, Constraint};
use super::choices::Most;
use super::components::{Membership, unit_of};
use super::model::{By, Cap, Mode, Model};
use super::reach::{REACH_UNITS_MAX, Reach};
use super::table::{Table, floor};
use std::collections::BTreeMap;

/// A case: what is decided of the offers of a component.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// By place in the component: whether it is decided, and how.
    pub(super) decided: Vec<Option<bool>>,
    /// The least and most that lines of taken offers grant, where it isn't 0 and the value; by place and line.
    granted: BTreeMap<(usize, usize), (i64, i64)>,
}

/// Prices as tables.
#[derive(Debug, Default)]
struct Prices {
    listed: Option<usize>,
    records: Vec<i64>,
    cliques: Vec<i64>,
    caps: Vec<i64>,
}

/// What is left at a case.
#[derive(Debug, Clone)]
pub(super) struct Left {
    pub(super) caps: Vec<i128>,
    pub(super) records: Vec<bool>,
    pub(super) cliques: Vec<bool>,
}

/// Weighs the cases of one component.
pub(super) struct Weigher<'a> {
    pub(super) model: &'a Model,
    caps_of: &'a Membership,
    pub(super) uses: &'a [BTreeMap<usize, i64>],
    record_ranks: &'a [usize],
    /// The offers of the component, by place.
    pub(super) offers: Vec<usize>,
    /// The places of each cluster.
    pub(super) clusters: Vec<Vec<usize>>,
    /// What everything that the component grants is a multiple of, in milli-credits.
    pub(super) unit: i64,
    certificate: &'a Certificate,
    places: BTreeMap<usize, usize>,
    pub(super) cliques_of: BTreeMap<usize, Vec<usize>>,
    /// What may use each cap of credit: group, place and line, by group.
    users: BTreeMap<usize, Vec<(usize, usize, usize)>>,
    prices: Prices,
}

impl<'a> Weigher<'a> {
    /// For a component of a certificate.
    pub(super) fn new(
        model: &'a Model,
        caps_of: &'a Membership,
        uses: &'a [BTreeMap<usize, i64>],
        record_ranks: &'a [usize],
        component: &'a Component,
        certificate: &'a Certificate,
    ) -> Self {
        let offers: Vec<usize> = component.clusters.iter().flatten().copied().collect();
        let places: BTreeMap<usize, usize> =
            offers.iter().enumerate().map(|(place, &offer)| (offer, place)).collect();
        let place = |offer: &usize| places.get(offer).copied();
        let clusters =
            component.clusters.iter().map(|list| list.iter().filter_map(place).collect()).collect();
        let mut cliques_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, clique) in model.cliques.iter().enumerate() {
            for &offer in &clique.offers {
                cliques_of.entry(offer).or_default().push(index);
            }
        }
        let prices = Prices::default();
        let (unit, users) = (unit_of(model, &offers), BTreeMap::new());
        let mut weigher = Self {
            model,
            caps_of,
            uses,
            record_ranks,
            offers,
            clusters,
            unit,
            certificate,
            places,
            cliques_of,
            users,
            prices,
        };
        for place in 0..weigher.offers.len() {
            weigher.list(place, weigher.offers.at(place));
        }
        for list in weigher.users.values_mut() {
            list.sort_unstable();
        }
        weigher
    }

    /// Lists an offer under the caps of credit that it uses.
    fn list(&mut self, place: usize, offer: usize) {
        let Some(stated) = self.model.offers.get(offer) else { return };
        let (consumes, group) = self.group(offer);
        let group = if consumes { group } else { usize::MAX };
        match stated.mode {
            Mode::Whole => {
                let of_credit =
                    |cap: &&usize| self.model.caps.get(**cap).is_some_and(|cap| cap.by == By::Credit);
                let uses = self.uses.get(offer).into_iter().flatten().map(|(cap, _)| cap);
                for &cap in uses.filter(of_credit) {
                    self.users.entry(cap).or_default().push((group, place, 0));
                }
            }
            Mode::Trim { .. } => {
                // Lines of one offer are used together, so that they don't exclude each other.
                let group = if stated.lines.len() < 2 { group } else { usize::MAX };
                for line in 0..stated.lines.len() {
                    let caps: Vec<usize> = self.credit_caps(offer, line).copied().collect();
                    for cap in caps {
                        self.users.entry(cap).or_default().push((group, place, line));
                    }
                }
            }
        }
    }

    /// The case in which nothing is decided.
    pub(super) fn open(&self) -> Case {
        Case { decided: vec![None; self.offers.len()], granted: BTreeMap::new() }
    }

    /// Divides a case by whether an offer is taken; `None` if that is decided already.
    pub(super) fn take(&self, case: Case, offer: usize) -> Option<(Case, Case)> {
        let place = *self.places.get(&offer)?;
        let (mut taken, mut left) = (case.clone(), case);
        if taken.decided.get(place)?.is_some() {
            return None;
        }
        *taken.decided.get_mut(place)? = Some(true);
        *left.decided.get_mut(place)? = Some(false);
        Some((taken, left))
    }

    /// Divides a case by what a line of a taken offer grants; `None` if it isn't taken, isn't trimmed, or the amount is
    /// no step within what is open.
    pub(super) fn grant(&self, case: Case, offer: usize, line: usize, milli: i64) -> Option<(Case, Case)> {
        let place = *self.places.get(&offer)?;
        let stated = self.model.offers.get(offer)?;
        let step = match stated.mode {
            Mode::Trim { step, .. } => step,
            Mode::Whole => return None,
        };
        let value = stated.lines.get(line)?.milli;
        let (least, most) = case.granted.get(&(place, line)).copied().unwrap_or((0, value));
        let taken = case.decided.get(place).copied().flatten() == Some(true);
        if !taken || milli <= least || milli > most || milli.checked_rem(step) != Some(0) {
            return None;
        }
        let (mut more, mut less) = (case.clone(), case);
        more.granted.insert((place, line), (milli, most));
        less.granted.insert((place, line), (least, milli.saturating_sub(step)));
        Some((more, less))
    }

    /// What no plan of a case can grant more of, in milli-credits; `i64::MIN` if the case has no plan.
    pub(super) fn end(&mut self, case: &Case, prices: usize) -> Option<i64> {
        self.read(prices)?;
        let Some((base, most)) = self.weigh(case) else { return Some(i64::MIN) };
        self.milli(most.iter().fold(base, |sum, most| sum.saturating_add(most.gain)))
    }

    /// Decides offers of a case, if by the prices no plan that decides one of them otherwise grants more than a bound.
    pub(super) fn narrow(
        &mut self,
        mut case: Case,
        prices: usize,
        taken: &[usize],
        left: &[usize],
        bound: i64,
    ) -> Option<Case> {
        self.read(prices)?;
        let (base, most) = self.weigh(&case)?;
        let sum = most.iter().fold(base, |sum, most| sum.saturating_add(most.gain));
        let mut otherwise: BTreeMap<usize, (Option<i128>, i128)> = BTreeMap::new();
        for most in &most {
            let rest = sum.saturating_sub(most.gain);
            for ((&place, with), without) in most.free.iter().zip(&most.with).zip(&most.without) {
                let with = with.map(|with| rest.saturating_add(with));
                otherwise.insert(place, (with, rest.saturating_add(*without)));
            }
        }
        let decided = taken.iter().map(|offer| (offer, true)).chain(left.iter().map(|offer| (offer, false)));
        for (offer, take) in decided {
            let place = *self.places.get(offer)?;
            let (with, without) = otherwise.get(&place)?;
            let sum = if take { Some(*without) } else { *with };
            if sum.is_some_and(|sum| self.milli(sum).is_none_or(|milli| milli > bound)) {
                return None;
            }
            let decided = case.decided.get_mut(place)?;
            if decided.is_some() {
                return None;
            }
            *decided = Some(take);
        }
        Some(case)
    }

    /// A sum in whole units of the component, in milli-credits.
    fn milli(&self, sum: i128) -> Option<i64> {
        let milli = sum.checked_div_euclid(i128::from(self.certificate.denominator))?;
        Some(floor(i64::try_from(milli).unwrap_or(i64::MAX), self.unit))
    }

    /// What is decided and what is left are worth together, and the best choices of each cluster; `None` if the case has
    /// no plan.
    fn weigh(&self, case: &Case) -> Option<(i128, Vec<Most>)> {
        let denominator = i128::from(self.certificate.denominator);
        let mut left = Left {
            caps: self.model.caps.iter().map(|cap| i128::from(self.usable(cap))).collect(),
            records: vec![true; self.model.records.len()],
            cliques: vec![true; self.model.cliques.len()],
        };
        let mut sum = 0_i128;
        for (place, &offer) in self.offers.iter().enumerate() {
            if case.decided.get(place).copied().flatten() == Some(true) {
                let milli = self.spend(case, place, offer, &mut left)?;
                sum = sum.saturating_add(i128::from(milli).saturating_mul(denominator));
            }
        }
        if left.caps.iter().any(|left| *left < 0) {
            return None;
        }
        let usable = self.usable_caps(case, &left);
        sum = sum.saturating_add(self.remains(&usable, &left));
        let most = (0..self.clusters.len()).map(|cluster| self.most(case, &left, cluster)).collect();
        Some((sum, most))
    }

    /// What is left of each cap, of small ones no more than the offers that aren't decided can reach in lumps and steps.
    fn usable_caps(&self, case: &Case, left: &Left) -> Vec<i128> {
        let mut usable = left.caps.clone();
        for (&cap, users) in &self.users {
            let units = left.caps.get(cap).and_then(|left| i64::try_from(*left).ok()).unwrap_or(i64::MAX);
            let units = units.checked_div(self.unit).unwrap_or(0);
            if self.prices.caps.at(cap) == 0 || !(1..=REACH_UNITS_MAX).contains(&units) {
                continue;
            }
            let mut reach = Reach::nothing();
            for &(group, place, line) in users {
                self.reach(&mut reach, case, left, cap, (group, place, line));
            }
            if let Some(place) = usable.get_mut(cap) {
                *place = i128::from(reach.most(units)).saturating_mul(i128::from(self.unit));
            }
        }
        usable
    }

    /// What a line can use of a cap, in units of the component.
    fn reach(&self, reach: &mut Reach, case: &Case, left: &Left, cap: usize, user: (usize, usize, usize)) {
        let (group, place, line) = user;
        let Some(offer) = self.offers.get(place).copied() else { return };
        let Some(stated) = self.model.offers.get(offer) else { return };
        let units =
            |milli: i128| i64::try_from(milli).unwrap_or(i64::MAX).checked_div(self.unit).unwrap_or(0);
        let decided = case.decided.get(place).copied().flatten();
        let free = decided.is_none() && self.fits(offer, left);
        match stated.mode {
            Mode::Whole if free => {
                let by = self.uses.get(offer).and_then(|uses| uses.get(&cap)).copied().unwrap_or(0);
                reach.or(group, units(i128::from(by)), 1, 0);
            }
            Mode::Trim { step, .. } if free || decided == Some(true) => {
                let (rest, rooms) = self.rooms(case, place, offer, left);
                let room = rooms.get(line).map_or(0, |(_, room)| *room).min(rest).max(0);
                let steps = room.checked_div(i128::from(step)).and_then(|steps| i64::try_from(steps).ok());
                reach.or(group, 0, units(i128::from(step)), steps.unwrap_or(i64::MAX));
            }
            Mode::Whole | Mode::Trim { .. } => {}
        }
    }

    /// Whether an offer that isn't decided can still be taken.
    pub(super) fn fits(&self, offer: usize, left: &Left) -> bool {
        let Some(stated) = self.model.offers.get(offer) else { return false };
        let cliques = self.cliques_of.get(&offer).map(Vec::as_slice).unwrap_or_default();
        stated.records.iter().all(|&record| left.records.at(record))
            && cliques.iter().all(|&clique| left.cliques.at(clique))
            && self
                .uses
                .get(offer)
                .into_iter()
                .flatten()
                .all(|(&cap, &by)| i128::from(by) <= left.caps.at(cap))
    }

    /// What the component's offers can use of what is left of a cap: of credit they use whole units.
    fn usable(&self, cap: &Cap) -> i64 {
        match cap.by {
            By::Credit => floor(cap.left(), self.unit),
            By::Count => cap.left(),
        }
    }

    /// Offers with the same first record exclude each other without a price.
    fn group(&self, offer: usize) -> (bool, usize) {
        let records = self.model.offers.get(offer).map(|offer| offer.records.as_slice()).unwrap_or_default();
        match records.iter().map(|&record| self.record_ranks.at(record)).min() {
            Some(rank) => (true, rank),
            None => (false, offer),
        }
    }

    /// Makes tables of a list of prices; `None` if it isn't there or names what it may not.
    fn read(&mut self, prices: usize) -> Option<()> {
        if self.prices.listed == Some(prices) {
            return Some(());
        }
        let mut tables = Prices {
            listed: Some(prices),
            records: vec![0; self.model.records.len()],
            cliques: vec![0; self.model.cliques.len()],
            caps: vec![0; self.model.caps.len()],
        };
        for &(constraint, price) in self.certificate.prices.get(prices)? {
            let place = match constraint {
                Constraint::Record(index) => tables.records.get_mut(index),
                Constraint::Clique(index) => tables.cliques.get_mut(index),
                Constraint::Cap(index) => tables.caps.get_mut(index),
            }?;
            if price < 0 || *place != 0 {
                return None;
            }
            *place = price;
        }
        self.prices = tables;
        Some(())
    }

    /// Takes an offer from what is left; what it grants at least, or `None` if it can't be taken so.
    fn spend(&self, case: &Case, place: usize, offer: usize, left: &mut Left) -> Option<i64> {
        let stated = self.model.offers.get(offer)?;
        for &record in &stated.records {
            let free = left.records.get_mut(record)?;
            if !std::mem::replace(free, false) {
                return None;
            }
        }
        for &clique in self.cliques_of.get(&offer).into_iter().flatten() {
            let free = left.cliques.get_mut(clique)?;
            if !std::mem::replace(free, false) {
                return None;
            }
        }
        for (&cap, &by) in self.uses.get(offer)? {
            let place = left.caps.get_mut(cap)?;
            *place = place.saturating_sub(i128::from(by));
        }
        let mut milli = 0_i64;
        for (line, stated_line) in stated.lines.iter().enumerate() {
            let least = match stated.mode {
                Mode::Whole => stated_line.milli,
                Mode::Trim { .. } => case.granted.get(&(place, line)).map_or(0, |range| range.0),
            };
            milli = milli.saturating_add(least);
            if let Mode::Trim { total, .. } = stated.mode
                && milli > total
            {
                return None;
            }
            if least > 0 && matches!(stated.mode, Mode::Trim { .. }) {
                for &cap in self.credit_caps(offer, line) {
                    let place = left.caps.get_mut(cap)?;
                    *place = place.saturating_sub(i128::from(least));
                }
            }
        }
        Some(milli)
    }

    pub(super) fn credit_caps(&self, offer: usize, line: usize) -> impl Iterator<Item = &usize> {
        let caps = self.caps_of.get(&(offer, line)).map(Vec::as_slice).unwrap_or_default();
        caps.iter().filter(|&&cap| self.model.caps.get(cap).is_some_and(|cap| cap.by == By::Credit))
    }

    /// The price of what is left.
    fn remains(&self, usable: &[i128], left: &Left) -> i128 {
        let free = |free: &[bool], prices: &[i64]| {
            let priced = free.iter().zip(prices).filter(|(free, _)| **free);
            priced.fold(0_i128, |sum, (_, price)| sum.saturating_add(i128::from(*price)))
        };
        let caps = usable.iter().zip(&self.prices.caps);
        caps.fold(0_i128, |sum, (left, price)| sum.saturating_add(left.saturating_mul(i128::from(*price))))
            .saturating_add(free(&left.records, &self.prices.records))
            .saturating_add(free(&left.cliques, &self.prices.cliques))
    }

    /// What taking an offer gains beyond the prices of what it uses, grants on lines that may be trimmed aside.
    pub(super) fn gain(&self, offer: usize) -> i128 {
        let Some(stated) = self.model.offers.get(offer) else { return 0 };
        let prices = &self.prices;
        let records = stated.records.iter().map(|&record| prices.records.at(record));
        let cliques =
            self.cliques_of.get(&offer).into_iter().flatten().map(|&clique| prices.cliques.at(clique));
        let mut gain =
            records.chain(cliques).fold(0_i128, |gain, price| gain.saturating_sub(i128::from(price)));
        for (&cap, &by) in self.uses.get(offer).into_iter().flatten() {
            let price = i128::from(prices.caps.at(cap)).saturating_mul(i128::from(by));
            gain = gain.saturating_sub(price);
        }
        match stated.mode {
            Mode::Whole => {
                let milli = i128::from(stated.milli_max());
                gain.saturating_add(milli.saturating_mul(i128::from(self.certificate.denominator)))
            }
            Mode::Trim { .. } => gain,
        }
    }

    /// What an offer that may be trimmed may grant above the least, in all and on each line, with what a milli-credit
    /// gains there.
    pub(super) fn rooms(
        &self,
        case: &Case,
        place: usize,
        offer: usize,
        left: &Left,
    ) -> (i128, Vec<(i128, i128)>) {
        let mut lines = Vec::new();
        let Some(stated) = self.model.offers.get(offer) else { return (0, lines) };
        let (step, total) = match stated.mode {
            Mode::Trim { step, total } => (i128::from(step), i128::from(total)),
            Mode::Whole => return (0, lines),
        };
        let down = |milli: i128| milli.saturating_sub(milli.checked_rem(step).unwrap_or(0));
        let mut rest = down(total);
        for (line, stated_line) in stated.lines.iter().enumerate() {
            let open = (0, stated_line.milli);
            let (least, most) = case.granted.get(&(place, line)).copied().unwrap_or(open);
            rest = rest.saturating_sub(i128::from(least));
            let mut room = i128::from(most).saturating_sub(i128::from(least));
            let mut gain = i128::from(self.certificate.denominator);
            for &cap in self.credit_caps(offer, line) {
                room = room.min(left.caps.at(cap));
                gain = gain.saturating_sub(i128::from(self.prices.caps.at(cap)));
            }
            lines.push((gain, down(room)));
        }
        (rest, lines)
    }
}
