//! Plans and certificates that say what isn't so.

use crate::draw::{Draws, model};
use crate::exhaustive::best;
use credit_rules::plan::{
    CLUSTER_MAX, Constraint, Greedy, Model, Plan, PlanError, Status, Step, check, greedy, plan,
};

/// A model whose certificate has every kind of step, and its plan.
fn rich() -> (Model, Plan) {
    let mut found = None;
    for seed in 0..100_000 {
        let model = model(seed, 12, 16);
        let told = plan(&model).unwrap();
        let steps: Vec<&Step> =
            told.certificate.components.iter().flat_map(|component| &component.steps).collect();
        let has = |kind: fn(&Step) -> bool| steps.iter().any(|step| kind(step));
        let trimmed = told.allocation.taken.iter().any(|taken| taken.granted.iter().sum::<i64>() > 0);
        if has(|step| matches!(step, Step::Take { .. }))
            && has(|step| matches!(step, Step::Narrow { .. }))
            && told.certificate.prices.iter().any(|list| list.len() > 1)
            && trimmed
        {
            found = Some((model, told));
            break;
        }
    }
    found.unwrap()
}

/// Checks a plan in which something was changed.
fn changed(change: impl FnOnce(&mut Plan)) -> Result<(), PlanError> {
    let (model, mut told) = rich();
    change(&mut told);
    check(&model, &told)
}

#[test]
fn numbers_that_are_not_so_are_refused() {
    assert_eq!(changed(|_| {}), Ok(()));
    for by in [-1, 1, i64::MAX] {
        assert!(
            changed(|plan| plan.allocation.credit_milli = plan.allocation.credit_milli.saturating_add(by))
                .is_err()
        );
        assert!(
            changed(|plan| plan.certificate.bound_milli = plan.certificate.bound_milli.saturating_add(by))
                .is_err()
        );
    }
    assert!(changed(|plan| plan.allocation.needs_complete += 1).is_err());
    assert!(changed(|plan| plan.allocation.records_consumed -= 1).is_err());
    assert!(changed(|plan| plan.status = Status::Feasible { gap_milli: 1 }).is_err());
    assert!(changed(|plan| plan.status = Status::Feasible { gap_milli: 0 }).is_err());
}

#[test]
fn allocations_that_may_not_be_are_refused() {
    assert!(changed(|plan| drop(plan.allocation.taken.remove(0))).is_err());
    assert!(changed(|plan| plan.allocation.taken.reverse()).is_err());
    assert!(changed(|plan| plan.allocation.taken[0].offer = usize::MAX).is_err());
    assert!(changed(|plan| plan.allocation.taken[0].granted.push(0)).is_err());
    for granted in [i64::MIN, -1, i64::MAX] {
        assert!(changed(|plan| plan.allocation.taken[0].granted[0] = granted).is_err());
    }
    let twice = changed(|plan| {
        let again = plan.allocation.taken[0].clone();
        plan.allocation.taken.insert(0, again);
    });
    assert!(matches!(twice, Err(PlanError::Offer { .. })));
}

#[test]
fn every_bound_that_is_broken_is_named() {
    let mut seen = [false; 3];
    for seed in 0..3_000 {
        let model = model(seed, 6, 9);
        let mut told = plan(&model).unwrap();
        // Takes an offer more.
        let Some(offer) = (0..model.offers.len()).find(|&offer| told.allocation.granted(offer, 0).is_none())
        else {
            continue;
        };
        let granted: Vec<i64> = model.offers[offer].lines.iter().map(|line| line.milli).collect();
        told.allocation.taken.push(credit_rules::plan::Taken { offer, granted });
        told.allocation.taken.sort_by_key(|taken| model.offers[taken.offer].key.clone());
        match check(&model, &told) {
            Err(PlanError::Exceeded { constraint: Constraint::Record(_) }) => seen[0] = true,
            Err(PlanError::Exceeded { constraint: Constraint::Clique(_) }) => seen[1] = true,
            Err(PlanError::Exceeded { constraint: Constraint::Cap(_) }) => seen[2] = true,
            Err(_) => {}
            // A waiver more is a plan, if it completes nothing.
            Ok(()) => assert_eq!(model.offers[offer].milli_max(), 0, "seed {seed}"),
        }
    }
    assert_eq!(seen, [true; 3]);
}

#[test]
fn malformed_certificates_are_refused() {
    let first = |plan: &mut Plan, step: Step| plan.certificate.components[0].steps.insert(0, step);
    assert!(changed(|plan| plan.certificate.denominator = 0).is_err());
    assert!(changed(|plan| plan.certificate.denominator = i64::MIN).is_err());
    assert!(
        changed(|plan| plan.certificate.prices.iter_mut().flatten().for_each(|price| price.1 = -1)).is_err()
    );
    assert!(changed(|plan| plan.certificate.prices.clear()).is_err());
    for constraint in
        [Constraint::Record(usize::MAX), Constraint::Clique(usize::MAX), Constraint::Cap(usize::MAX)]
    {
        let named =
            |plan: &mut Plan| plan.certificate.prices.iter_mut().for_each(|list| list.push((constraint, 1)));
        assert!(changed(named).is_err());
    }
    assert!(changed(|plan| plan.certificate.components.clear()).is_err());
    assert!(
        changed(|plan| plan.certificate.components.push(plan.certificate.components[0].clone())).is_err()
    );
    assert!(
        changed(|plan| plan.certificate.components.iter_mut().for_each(|component| component.steps.clear()))
            .is_err()
    );
    assert!(changed(|plan| first(plan, Step::End { prices: 0 })).is_err());
    assert!(changed(|plan| first(plan, Step::End { prices: usize::MAX })).is_err());
    assert!(changed(|plan| first(plan, Step::Take { offer: usize::MAX })).is_err());
    assert!(changed(|plan| first(plan, Step::Grant { offer: 0, line: 0, milli: 0 })).is_err());
    let offer = usize::MAX;
    assert!(
        changed(|plan| first(plan, Step::Narrow { prices: 0, taken: vec![offer], left: vec![] })).is_err()
    );
    assert!(
        changed(|plan| first(plan, Step::Narrow { prices: 0, taken: vec![], left: vec![offer] })).is_err()
    );
    let parted = |plan: &mut Plan| drop(plan.certificate.components[0].clusters.pop());
    assert!(changed(parted).is_err());
}

#[test]
fn clusters_have_few_offers_or_one_record() {
    use credit_rules::plan::{Line, Mode, Offer, Record};
    for (count, shared, holds) in
        [(CLUSTER_MAX, false, true), (CLUSTER_MAX + 1, false, false), (CLUSTER_MAX + 9, true, true)]
    {
        let mut model = Model::default();
        for index in 0..count {
            let key = format!("{index:03}").into_bytes();
            model.records.push(Record { key: key.clone(), expires_on: None });
            let records = vec![if shared { 0 } else { index }];
            let lines = vec![Line { need: None, milli: 1_000 }];
            model.offers.push(Offer { key, records, lines, mode: Mode::Whole });
        }
        let mut told = plan(&model).unwrap();
        let all = (0..count).collect();
        for component in &mut told.certificate.components {
            component.clusters.clear();
            component.bound_milli = 0;
            component.steps = vec![Step::End { prices: 0 }];
        }
        told.certificate.components.truncate(1);
        told.certificate.components[0].clusters = vec![all];
        told.certificate.components[0].bound_milli = told.allocation.credit_milli;
        assert_eq!(check(&model, &told).is_ok(), holds, "{count} {shared}");
    }
}

/// The plan's certificate, so changed that it would show a lower bound if it could.
fn lowered(draws: &mut Draws, told: &mut Plan, credit: i64) {
    let mut over = told.certificate.bound_milli - credit;
    for component in &mut told.certificate.components {
        let by = over.min(component.bound_milli);
        component.bound_milli -= by;
        over -= by;
    }
    told.certificate.bound_milli = credit;
    for _ in 0..draws.below(4) {
        let count = told.certificate.components.len();
        let Some(component) = told.certificate.components.get_mut(draws.below(count)) else { return };
        if component.steps.is_empty() {
            return;
        }
        let at = draws.below(component.steps.len());
        match draws.below(5) {
            0 => drop(component.steps.remove(at)),
            1 => component.steps.insert(at, component.steps[at].clone()),
            2 => component.steps = vec![Step::End { prices: draws.below(told.certificate.prices.len()) }],
            3 => told.certificate.denominator = 1 + draws.below(10_000) as i64,
            _ => {
                let lists = told.certificate.prices.len();
                for price in &mut told.certificate.prices[draws.below(lists)] {
                    price.1 = draws.below(20_000) as i64;
                }
            }
        }
    }
}

#[test]
fn no_certificate_shows_that_a_worse_plan_is_the_best() {
    let mut worse = 0;
    for seed in 30_000..34_000 {
        let model = model(seed, 8, 10);
        let told = plan(&model).unwrap();
        let allocation = greedy(&model, Greedy::FirstFit).unwrap();
        let credit = best(&model).0.0;
        if allocation.credit_milli == credit {
            continue;
        }
        worse += 1;
        let mut draws = Draws::new(seed);
        for _ in 0..20 {
            let mut forged = told.clone();
            forged.allocation = allocation.clone();
            forged.status = Status::ProvenOptimal;
            lowered(&mut draws, &mut forged, allocation.credit_milli);
            assert!(check(&model, &forged).is_err(), "seed {seed}");
        }
    }
    assert!(worse > 500, "{worse}");
}
