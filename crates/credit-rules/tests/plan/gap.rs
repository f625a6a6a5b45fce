//! The cheapest way against trying every one.

use crate::draw::{Draws, model, shuffled};
use crate::exhaustive::each;
use credit_rules::plan::{Candidate, Way, WayStatus, cheapest_way};

#[test]
fn ways_are_as_cheap_as_by_trying_everything() {
    for seed in 20_000..22_000 {
        let model = model(seed, 1 + seed as usize % 7, 1 + seed as usize % 10);
        let mut draws = Draws::new(seed);
        let costs: Vec<i64> = model.offers.iter().map(|_| [0, 0, 1, 2, 3, 5][draws.below(6)]).collect();
        let catalogue: Vec<Candidate> = (0..costs.len())
            .filter(|&offer| costs[offer] > 0)
            .map(|offer| Candidate { offer, cost: costs[offer] })
            .collect();
        let mut best = (0, i64::MIN, 0);
        each(&model, &mut |worth, taken| {
            let cost: i64 = taken.iter().map(|(offer, _)| costs[*offer]).sum();
            best = best.max((worth.1, -cost, worth.0));
        });
        let way = cheapest_way(&model, &catalogue).unwrap();
        assert_eq!(way.status, WayStatus::Cheapest, "seed {seed}");
        let found = (way.allocation.needs_complete, -way.cost, way.allocation.credit_milli);
        assert_eq!(found, best, "seed {seed}");
        assert_eq!(way.missing.len() + way.allocation.needs_complete, model.needs.len(), "seed {seed}");
        permuted(&model, &costs, &way, seed);
    }
}

/// The way doesn't depend on how the model is written.
fn permuted(model: &credit_rules::plan::Model, costs: &[i64], way: &Way, seed: u64) {
    let other = shuffled(model, seed);
    let place =
        |offer: usize| other.offers.iter().position(|one| one.key == model.offers[offer].key).unwrap();
    let catalogue: Vec<Candidate> = (0..costs.len())
        .filter(|&offer| costs[offer] > 0)
        .map(|offer| Candidate { offer: place(offer), cost: costs[offer] })
        .collect();
    let again = cheapest_way(&other, &catalogue).unwrap();
    let candidates: Vec<usize> = way.candidates.iter().map(|&offer| place(offer)).collect();
    assert_eq!((again.cost, again.candidates), (way.cost, candidates), "seed {seed}");
}
