//! Learners made from a seed, for benchmarks and tests. They are like nobody; what is assumed of them is this:
//!
//! - A record is a course (2 to 4 credits), a skill certificate (2, 4, 8 or 12), study hours (0.5 to 4 in tenths,
//!   which may be trimmed), an examination (3 to 6) or experience (1 to 6), evenly, of one of eight issuers and six
//!   years; half of the records end, within ten years.
//! - It can count to one to three needs; of courses and examinations the whole, of the other kinds what there is room
//!   for. One in eight pairs of neighbouring courses counts together as a bundle, for half a credit more.
//! - Skill certificates are of six occupations, and the uses of one occupation exclude each other.
//! - Needs have unlike sizes. Together they ask for as much as the records have (scarce: what goes to the wrong need
//!   is lost) or for two fifths of it (ample).
//! - Credit is capped by need at what completes it, by kind at 40 %, by issuer at 30 % and in all at 80 % of the
//!   programme, of study hours also by year at 4 credits, and experience at three records by count.

use super::model::{By, Cap, Clique, Line, Mode, Model, Need, NeedKind, Offer, Record};
use super::table::Table;

/// How much the records have of what the needs ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    /// As much.
    Scarce,
    /// Two and a half times as much.
    Ample,
}

const KINDS: usize = 5;
const SKILL: usize = 1;
const HOURS: usize = 2;
const EXPERIENCE: usize = 4;
const ISSUERS: usize = 8;
const YEARS: usize = 6;
const OCCUPATIONS: usize = 6;

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the same learner everywhere. Not for secrets.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(1).max(1);
        usize::try_from(self.next().checked_rem(bound).unwrap_or(0)).unwrap_or(0)
    }

    fn milli(&mut self, least: i64, count: usize, step: i64) -> i64 {
        let steps = i64::try_from(self.below(count)).unwrap_or(0);
        least.saturating_add(steps.saturating_mul(step))
    }
}

#[derive(Debug, Clone, Copy)]
struct Drawn {
    kind: usize,
    issuer: usize,
    year: usize,
    occupation: usize,
    milli: i64,
}

/// Makes the model of a learner: so many records, of at most [`super::RECORDS_MAX`], and needs.
pub fn learner(seed: u64, records: usize, needs: usize, supply: Supply) -> Model {
    let mut draws = Draws(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1));
    let mut model = Model::default();
    let mut drawn = Vec::new();
    for index in 0..records {
        drawn.push(draw(&mut draws));
        let ends = draws.below(2) == 0;
        let expires_on = i32::try_from(20_500_usize.saturating_add(draws.below(3_650))).unwrap_or(i32::MAX);
        model.records.push(Record {
            key: format!("record-{:016x}-{index}", draws.next()).into_bytes(),
            expires_on: ends.then_some(expires_on),
        });
    }
    let programme = ask(&mut draws, &mut model, &drawn, needs, supply);
    let mut of_offer = Vec::new();
    for (index, one) in drawn.iter().enumerate() {
        for place in 0..draws.below(3).saturating_add(1) {
            let need = draws.below(needs.max(1));
            offer(&mut model, &format!("use-{index}-{place}"), vec![index], one, need);
            of_offer.push(*one);
        }
    }
    for index in 1..drawn.len() {
        let (first, second) = (drawn.get(index.saturating_sub(1)), drawn.get(index));
        if let (Some(first), Some(second)) = (first, second)
            && first.kind == 0
            && second.kind == 0
            && draws.below(8) == 0
        {
            let milli = first.milli.saturating_add(second.milli).saturating_add(500);
            let both = Drawn { milli, ..*second };
            let need = draws.below(needs.max(1));
            offer(&mut model, &format!("both-{index}"), vec![index.saturating_sub(1), index], &both, need);
            of_offer.push(both);
        }
    }
    bound(&mut model, &of_offer, programme);
    model
}

fn draw(draws: &mut Draws) -> Drawn {
    let kind = draws.below(KINDS);
    let milli = match kind {
        SKILL => [2_000, 4_000, 8_000, 12_000].as_slice().at(draws.below(4)),
        HOURS => draws.milli(500, 36, 100),
        EXPERIENCE => draws.milli(1_000, 11, 500),
        3 => draws.milli(3_000, 7, 500),
        _ => draws.milli(2_000, 5, 500),
    };
    let (issuer, year) = (draws.below(ISSUERS), draws.below(YEARS));
    Drawn { kind, issuer, year, occupation: draws.below(OCCUPATIONS), milli }
}

/// Divides what is asked for among the needs; all of it.
fn ask(draws: &mut Draws, model: &mut Model, drawn: &[Drawn], needs: usize, supply: Supply) -> i64 {
    let has = drawn.iter().fold(0_i64, |sum, one| sum.saturating_add(one.milli));
    let asked = match supply {
        Supply::Scarce => has,
        Supply::Ample => has.saturating_mul(2).div_euclid(5),
    };
    let weights: Vec<i64> = (0..needs).map(|_| draws.milli(2, 7, 1)).collect();
    let all = weights.iter().sum::<i64>().max(1);
    let mut programme = 0_i64;
    for weight in weights {
        let share = asked.saturating_mul(weight).checked_div(all).unwrap_or(0);
        let required = super::table::floor(share, 500).max(500);
        programme = programme.saturating_add(required);
        model.needs.push(Need { required, kind: NeedKind::Credit });
    }
    programme
}

fn offer(model: &mut Model, key: &str, records: Vec<usize>, drawn: &Drawn, need: usize) {
    let mode = if [SKILL, HOURS, EXPERIENCE].contains(&drawn.kind) {
        Mode::Trim { step: if drawn.kind == HOURS { 100 } else { 500 }, total: drawn.milli }
    } else {
        Mode::Whole
    };
    let lines = vec![Line { need: Some(need), milli: drawn.milli }];
    model.offers.push(Offer { key: key.as_bytes().to_vec(), records, lines, mode });
}

fn bound(model: &mut Model, drawn: &[Drawn], programme: i64) {
    let percent = |percent: i64| programme.saturating_mul(percent).div_euclid(100);
    let mut cap = |limit: i64, by: By, of: &dyn Fn(usize, &Drawn) -> bool| {
        let members: Vec<(usize, usize)> = drawn
            .iter()
            .enumerate()
            .filter(|(index, one)| of(*index, one))
            .map(|(index, _)| (index, 0))
            .collect();
        if !members.is_empty() {
            model.caps.push(Cap { limit, by, members, used: 0 });
        }
    };
    let need_of: Vec<Option<usize>> =
        model.offers.iter().map(|offer| offer.lines.first().and_then(|line| line.need)).collect();
    for (need, stated) in model.needs.iter().enumerate() {
        cap(stated.required, By::Credit, &|index, _| need_of.get(index).copied().flatten() == Some(need));
    }
    for kind in 0..KINDS {
        cap(percent(40), By::Credit, &|_, one| one.kind == kind);
    }
    for issuer in 0..ISSUERS {
        cap(percent(30), By::Credit, &|_, one| one.issuer == issuer);
    }
    for year in 0..YEARS {
        cap(4_000, By::Credit, &|_, one| one.kind == HOURS && one.year == year);
    }
    cap(3, By::Count, &|_, one| one.kind == EXPERIENCE);
    cap(percent(80), By::Credit, &|_, _| true);
    for occupation in 0..OCCUPATIONS {
        let of = |one: &Drawn| one.kind == SKILL && one.occupation == occupation;
        let offers: Vec<usize> =
            drawn.iter().enumerate().filter(|(_, one)| of(one)).map(|(index, _)| index).collect();
        if offers.len() > 1 {
            model.cliques.push(Clique { offers });
        }
    }
}
