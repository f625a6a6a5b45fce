//! Weighs the choices of a certificate's clusters.

use super::model::Mode;
use super::table::Table;
use super::weigh::{Case, Left, Weigher};

impl Weigher<'_> {
    /// What the best choice of a cluster gains beyond the prices of what it uses: each subset of the offers that aren't
    /// decided and keep all bounds together, with those that are taken and may be granted more.
    pub(super) fn most(&self, case: &Case, left: &Left, cluster: usize) -> Most {
        let Some(places) = self.clusters.get(cluster) else { return Most::default() };
        let decided = |place: usize| case.decided.get(place).copied().flatten();
        let open: Vec<usize> = places.iter().copied().filter(|&place| decided(place) == Some(true)).collect();
        let free: Vec<usize> = places
            .iter()
            .copied()
            .filter(|&place| decided(place).is_none() && self.fits(self.offers.at(place), left))
            .collect();
        let rooms: Vec<Room> = self.all_rooms(case, left, places);
        let common = self.common(&rooms);
        let mut left = left.clone();
        let mut chosen: Vec<usize> = Vec::new();
        let none = Self::worth(&rooms, &common, &left, &open, &[]);
        let mut most =
            Most { gain: none, with: vec![None; free.len()], without: vec![none; free.len()], free };
        let mut gain = 0_i128;
        let mut next = 0;
        loop {
            match most.free.get(next).copied() {
                Some(place) if self.fits(self.offers.at(place), &left) => {
                    self.shift(&mut left, self.offers.at(place), true);
                    gain = gain.saturating_add(self.gain(self.offers.at(place)));
                    chosen.push(next);
                    let taken: Vec<usize> = chosen.iter().map(|&one| most.free.at(one)).collect();
                    let grants = Self::worth(&rooms, &common, &left, &open, &taken);
                    most.count(gain.saturating_add(grants), &chosen);
                    next = next.saturating_add(1);
                }
                Some(_) => next = next.saturating_add(1),
                None => {
                    let Some(last) = chosen.pop() else { break };
                    let offer = self.offers.at(most.free.at(last));
                    self.shift(&mut left, offer, false);
                    gain = gain.saturating_sub(self.gain(offer));
                    next = last.saturating_add(1);
                }
            }
        }
        most
    }

    /// Takes an offer from what is left, or gives it back.
    fn shift(&self, left: &mut Left, offer: usize, taken: bool) {
        for &record in self.model.offers.get(offer).map(|offer| offer.records.as_slice()).unwrap_or_default()
        {
            left.records.put(record, !taken);
        }
        for &clique in self.cliques_of.get(&offer).into_iter().flatten() {
            left.cliques.put(clique, !taken);
        }
        for (&cap, &by) in self.uses.get(offer).into_iter().flatten() {
            let by = if taken { by.saturating_neg() } else { by };
            let place = left.caps.at(cap).saturating_add(i128::from(by));
            left.caps.put(cap, place);
        }
    }

    /// What the offers of a cluster that may be trimmed may be granted.
    fn all_rooms(&self, case: &Case, left: &Left, places: &[usize]) -> Vec<Room> {
        let mut all = Vec::new();
        for &place in places {
            let offer = self.offers.at(place);
            let trimmed = self.model.offers.get(offer).is_some_and(|offer| match offer.mode {
                Mode::Trim { .. } => true,
                Mode::Whole => false,
            });
            if trimmed {
                let (rest, lines) = self.rooms(case, place, offer, left);
                all.push(Room { place, offer, rest, lines });
            }
        }
        all
    }

    /// The caps that every line in a list uses.
    fn common(&self, rooms: &[Room]) -> Vec<usize> {
        let mut lines =
            rooms.iter().flat_map(|room| (0..room.lines.len()).map(move |line| (room.offer, line)));
        let Some((offer, line)) = lines.next() else { return Vec::new() };
        let mut common: Vec<usize> = self.credit_caps(offer, line).copied().collect();
        for (offer, line) in lines {
            common.retain(|cap| self.credit_caps(offer, line).any(|other| other == cap));
        }
        common
    }

    /// What the lines of taken offers gain: the dearest first, together within every cap that all of them use.
    fn worth(rooms: &[Room], common: &[usize], left: &Left, open: &[usize], taken: &[usize]) -> i128 {
        let of = |room: &&Room| open.contains(&room.place) || taken.contains(&room.place);
        let mut lines: Vec<(i128, i128, usize)> = Vec::new();
        let mut rests: Vec<(usize, i128)> = Vec::new();
        for room in rooms.iter().filter(of) {
            rests.push((room.place, room.rest.max(0)));
            lines.extend(room.lines.iter().map(|&(gain, milli)| (gain, milli, room.place)));
        }
        lines.retain(|line| line.0 > 0 && line.1 > 0);
        lines.sort_unstable_by(|one, other| other.cmp(one));
        let mut height = common.iter().map(|&cap| left.caps.at(cap)).min().unwrap_or(i128::MAX).max(0);
        let mut sum = 0_i128;
        for (gain, milli, place) in lines {
            let Some((_, rest)) = rests.iter_mut().find(|(of, _)| *of == place) else { continue };
            let granted = milli.min(*rest).min(height);
            *rest = rest.saturating_sub(granted);
            height = height.saturating_sub(granted);
            sum = sum.saturating_add(granted.saturating_mul(gain));
        }
        sum
    }
}

/// What an offer that may be trimmed may be granted.
struct Room {
    place: usize,
    offer: usize,
    /// In all.
    rest: i128,
    /// On each line: what a milli-credit gains, and how much there is room for.
    lines: Vec<(i128, i128)>,
}

/// The best choices of a cluster.
#[derive(Debug, Default)]
pub(super) struct Most {
    /// What the best one gains.
    pub(super) gain: i128,
    /// The places that aren't decided.
    pub(super) free: Vec<usize>,
    /// For each of them what the best choice gains that takes it, if there is one…
    pub(super) with: Vec<Option<i128>>,
    /// …and that doesn't.
    pub(super) without: Vec<i128>,
}

impl Most {
    fn count(&mut self, gain: i128, chosen: &[usize]) {
        self.gain = self.gain.max(gain);
        for (one, (with, without)) in self.with.iter_mut().zip(&mut self.without).enumerate() {
            if chosen.contains(&one) {
                *with = Some(with.map_or(gain, |with| with.max(gain)));
            } else {
                *without = gain.max(*without);
            }
        }
    }
}
