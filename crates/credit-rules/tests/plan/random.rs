//! Twenty-four thousand models, each tried through.

use crate::draw::{model, shuffled};
use crate::exhaustive::best;
use credit_rules::plan::{Greedy, Model, Plan, Status, Ties, check, greedy, plan};

/// The plan in words that don't depend on how the model was written.
fn words(model: &Model, plan: &Plan) -> String {
    let taken: Vec<(String, &Vec<i64>)> = plan
        .allocation
        .taken
        .iter()
        .map(|taken| (String::from_utf8_lossy(&model.offers[taken.offer].key).into_owned(), &taken.granted))
        .collect();
    format!("{taken:?} {:?} {:?} {}", plan.status, plan.ties, plan.certificate.bound_milli)
}

/// Whether ties were settled. Credit is the best in any case, and where they were, so is everything else.
fn holds(seed: u64, records: usize, offers: usize) -> bool {
    let model = model(seed, records, offers);
    let told = plan(&model).unwrap();
    check(&model, &told).unwrap_or_else(|refused| panic!("seed {seed}: {refused}"));
    let (worth, taken) = best(&model);
    assert_eq!(told.allocation.credit_milli, worth.0, "credit, seed {seed} {records} {offers}");
    assert_eq!(told.status, Status::ProvenOptimal, "seed {seed} {records} {offers}");
    let other = shuffled(&model, seed);
    assert_eq!(words(&other, &plan(&other).unwrap()), words(&model, &told), "order, seed {seed}");
    for by in Greedy::ALL {
        let allocation = greedy(&model, by).unwrap();
        assert!(allocation.credit_milli <= worth.0, "{by:?}, seed {seed}");
    }
    if told.ties == Ties::Open {
        return false;
    }
    let found: Vec<(usize, Vec<i64>)> =
        told.allocation.taken.iter().map(|taken| (taken.offer, taken.granted.clone())).collect();
    assert_eq!(found, taken, "seed {seed} {records} {offers}");
    assert_eq!(told.allocation.needs_complete, worth.1, "needs, seed {seed}");
    assert_eq!(told.allocation.records_consumed, worth.2.0, "records, seed {seed}");
    true
}

#[test]
fn small_models_are_planned_as_by_trying_everything() {
    for seed in 0..20_000 {
        let records = 1 + seed as usize % 9;
        assert!(holds(seed, records, 1 + (seed as usize / 9) % 11), "ties are open, seed {seed}");
    }
}

#[test]
fn models_of_eighteen_records_are_planned_as_by_trying_everything() {
    let open = (20_000..24_000).filter(|&seed| !holds(seed, 10 + seed as usize % 9, 11 + seed as usize % 6));
    // One in a thousand may meet the limit of work among ties.
    assert!(open.count() <= 4);
}
