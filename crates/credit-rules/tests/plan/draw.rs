//! Small models from a seed: everything that a model may have, in amounts that collide often.

use credit_rules::plan::{By, Cap, Clique, Line, Mode, Model, Need, NeedKind, Offer, Record};

/// Numbers from a seed (xorshift64*).
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// A model of so many records and offers.
pub(crate) fn model(seed: u64, records: usize, offers: usize) -> Model {
    let mut draws = Draws::new(seed);
    let mut model = Model::default();
    let unit = [1, 100, 250, 500][draws.below(4)];
    let days = 1 + draws.below(4);
    for index in 0..records {
        let ends = !draws.one_in(3);
        let day = draws.below(days) as i32 - 1;
        let key = format!("{:03}-{index}", draws.below(1000)).into_bytes();
        model.records.push(Record { key, expires_on: ends.then_some(day) });
    }
    for _ in 0..draws.below(5) {
        let kind = if draws.one_in(3) { NeedKind::Met } else { NeedKind::Credit };
        model.needs.push(Need { required: unit * draws.below(9) as i64, kind });
    }
    for index in 0..offers {
        let offer = offer(&mut draws, &model, unit, index);
        model.offers.push(offer);
    }
    for _ in 0..draws.below(5) {
        let cap = cap(&mut draws, &model, unit);
        model.caps.push(cap);
    }
    for _ in 0..draws.below(3) {
        let mut members: Vec<usize> = (0..offers).filter(|_| draws.one_in(3)).collect();
        members.dedup();
        model.cliques.push(Clique { offers: members });
    }
    model
}

fn offer(draws: &mut Draws, model: &Model, unit: i64, index: usize) -> Offer {
    let trimmed = draws.one_in(3);
    let count = [0, 1, 1, 1, 1, 1, 2, 2, 3][draws.below(9)].min(model.records.len());
    let mut records = Vec::new();
    while records.len() < count {
        let record = draws.below(model.records.len());
        if !records.contains(&record) {
            records.push(record);
        }
    }
    let mut lines = Vec::new();
    for _ in 0..[1, 1, 1, 2][draws.below(4)] {
        let need = (!model.needs.is_empty() && !draws.one_in(5)).then(|| draws.below(model.needs.len()));
        let need = need.filter(|&need| !trimmed || model.needs[need].kind == NeedKind::Credit);
        let least = usize::from(!draws.one_in(6));
        let most = if trimmed { 3 } else { 8 };
        lines.push(Line { need, milli: unit * (least + draws.below(most)) as i64 });
    }
    let total = unit * (1 + draws.below(4)) as i64;
    let step = unit * [1, 1, 2][draws.below(3)];
    let mode = if trimmed { Mode::Trim { step, total } } else { Mode::Whole };
    Offer { key: format!("{:03}-{index}", draws.below(1000)).into_bytes(), records, lines, mode }
}

fn cap(draws: &mut Draws, model: &Model, unit: i64) -> Cap {
    let by = if draws.one_in(4) { By::Count } else { By::Credit };
    let all = draws.one_in(3);
    let mut members = Vec::new();
    for (offer, stated) in model.offers.iter().enumerate() {
        for line in 0..stated.lines.len() {
            if all || draws.one_in(2) {
                members.push((offer, line));
            }
        }
    }
    let (limit, used) = match by {
        By::Count => (draws.below(5) as i64, draws.below(2) as i64),
        // Now and then not a multiple of what is granted.
        By::Credit => {
            (unit * draws.below(16) as i64 + i64::from(draws.one_in(4)), unit * draws.below(3) as i64)
        }
    };
    Cap { limit, by, members, used }
}

/// The same model, written down in another order; and where each offer went.
pub(crate) fn shuffled(model: &Model, seed: u64) -> Model {
    let mut draws = Draws::new(seed);
    let records = permutation(&mut draws, model.records.len());
    let offers = permutation(&mut draws, model.offers.len());
    let needs = permutation(&mut draws, model.needs.len());
    let caps = permutation(&mut draws, model.caps.len());
    let cliques = permutation(&mut draws, model.cliques.len());
    let mut other = Model {
        records: put(&records, &model.records),
        offers: put(&offers, &model.offers),
        needs: put(&needs, &model.needs),
        caps: put(&caps, &model.caps),
        cliques: put(&cliques, &model.cliques),
    };
    for offer in &mut other.offers {
        for record in &mut offer.records {
            *record = records[*record];
        }
        offer.records.reverse();
        for line in &mut offer.lines {
            line.need = line.need.map(|need| needs[need]);
        }
    }
    for cap in &mut other.caps {
        for member in &mut cap.members {
            member.0 = offers[member.0];
        }
        cap.members.reverse();
    }
    for clique in &mut other.cliques {
        for offer in &mut clique.offers {
            *offer = offers[*offer];
        }
        clique.offers.reverse();
    }
    other
}

/// Where each goes.
fn permutation(draws: &mut Draws, count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        places.swap(last, draws.below(last + 1));
    }
    places
}

fn put<T: Clone>(places: &[usize], list: &[T]) -> Vec<T> {
    let mut by_place: Vec<(usize, T)> = places.iter().copied().zip(list.iter().cloned()).collect();
    by_place.sort_by_key(|(place, _)| *place);
    by_place.into_iter().map(|(_, one)| one).collect()
}
