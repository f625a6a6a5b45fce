//! What a model may have at most, and what ends a search.

use crate::draw::{Draws, shuffled};
use credit_rules::plan::{
    By, CAPS_MAX, CLIQUES_MAX, Cap, Clique, INCIDENCES_MAX, KEY_BYTES_MAX, LINE_MILLI_MAX, LINES_MAX, Line,
    Mode, Model, ModelError, NEEDS_MAX, NODES_MAX, Need, NeedKind, OFFER_LINES_MAX, OFFER_RECORDS_MAX,
    OFFERS_MAX, Offer, PRICES_MAX, PlanError, RECORDS_MAX, Record, STEPS_MAX, Status, Step, Supply, Ties,
    check, learner, plan,
};

fn record(index: usize) -> Record {
    Record { key: format!("{index:05}").into_bytes(), expires_on: None }
}

fn offer(index: usize, records: Vec<usize>, lines: usize) -> Offer {
    let lines = vec![Line { need: None, milli: 1 }; lines];
    Offer { key: format!("{index:05}").into_bytes(), records, lines, mode: Mode::Whole }
}

/// So many records, each with an offer of one line; so many offers at least.
fn plain(records: usize, offers: usize) -> Model {
    let mut model = Model { records: (0..records).map(record).collect(), ..Model::default() };
    model.offers = (0..offers).map(|index| offer(index, vec![index % records.max(1)], 1)).collect();
    model
}

/// The model at a limit, and one beyond it.
fn at(what: &str, count: usize) -> Model {
    let mut model = plain(4, 4);
    match what {
        "records" => model = plain(count, 1),
        "offers" => model = plain(4, count),
        "caps" => {
            let cap = Cap { limit: 1, by: By::Credit, members: vec![(0, 0)], used: 0 };
            model.caps = vec![cap; count];
        }
        "cliques" => model.cliques = vec![Clique { offers: vec![0, 1] }; count],
        "needs" => model.needs = vec![Need { required: 1, kind: NeedKind::Credit }; count],
        "lines" => {
            let (each, over) = (OFFER_LINES_MAX, count % OFFER_LINES_MAX);
            model.offers = (0..count / each).map(|index| offer(index, vec![], each)).collect();
            model.offers.push(offer(count, vec![], over));
        }
        "lines of an offer" => model.offers[0] = offer(0, vec![], count),
        "records of an offer" => {
            model = plain(RECORDS_MAX, 1);
            model.offers[0] = offer(0, (0..count).collect(), 1);
        }
        "incidences" => {
            model = plain(4, 256);
            model.offers.iter_mut().for_each(|offer| offer.records.clear());
            let all: Vec<usize> = (0..256).collect();
            model.cliques = vec![Clique { offers: all }; count / 256];
            model.cliques.push(Clique { offers: (0..count % 256).collect() });
        }
        _ => panic!("{what} has no limit"),
    }
    model
}

#[test]
fn a_model_has_at_most_so_much_of_everything() {
    for (what, max) in [
        ("records", RECORDS_MAX),
        ("offers", OFFERS_MAX),
        ("caps", CAPS_MAX),
        ("cliques", CLIQUES_MAX),
        ("needs", NEEDS_MAX),
        ("lines", LINES_MAX),
        ("lines of an offer", OFFER_LINES_MAX),
        ("records of an offer", OFFER_RECORDS_MAX),
        ("incidences", INCIDENCES_MAX),
    ] {
        assert_eq!(at(what, max).validate(), Ok(()), "{what}");
        let count = max + 1;
        assert_eq!(at(what, count).validate(), Err(ModelError::TooMany { what, max, count }), "{what}");
        assert!(plan(&at(what, count)).is_err(), "{what}");
    }
}

#[test]
fn keys_are_short_and_unlike() {
    for (bytes, holds) in [(0, false), (1, true), (KEY_BYTES_MAX, true), (KEY_BYTES_MAX + 1, false)] {
        let mut model = plain(2, 2);
        model.records[0].key = vec![b'k'; bytes];
        assert_eq!(model.validate().is_ok(), holds, "{bytes}");
        let mut model = plain(2, 2);
        model.offers[1].key = vec![b'k'; bytes];
        assert_eq!(model.validate().is_ok(), holds, "{bytes}");
    }
    let mut model = plain(2, 2);
    model.offers[1].key = model.offers[0].key.clone();
    assert_eq!(model.validate(), Err(ModelError::Key { what: "offer", index: 1 }));
}

#[test]
fn amounts_are_within_their_range_and_the_extremes_are_no_panic() {
    let one = |change: &dyn Fn(&mut Model, i64), milli: i64| {
        let mut model = plain(2, 2);
        model.needs.push(Need { required: 1, kind: NeedKind::Credit });
        model.offers[0].lines[0].need = Some(0);
        model.caps.push(Cap { limit: 1, by: By::Credit, members: vec![(0, 0), (1, 0)], used: 0 });
        change(&mut model, milli);
        plan(&model).map(|told| check(&model, &told).unwrap()).is_ok()
    };
    let line = |model: &mut Model, milli| model.offers[0].lines[0].milli = milli;
    let step = |model: &mut Model, milli| model.offers[0].mode = Mode::Trim { step: milli, total: 1 };
    let total = |model: &mut Model, milli| model.offers[0].mode = Mode::Trim { step: 1, total: milli };
    for (milli, holds) in [
        (i64::MIN, false),
        (-1, false),
        (0, true),
        (LINE_MILLI_MAX, true),
        (LINE_MILLI_MAX + 1, false),
        (i64::MAX, false),
    ] {
        assert_eq!(one(&line, milli), holds, "line {milli}");
        assert_eq!(one(&total, milli), holds, "total {milli}");
        assert_eq!(one(&step, milli), holds && milli > 0, "step {milli}");
    }
    let limit = |model: &mut Model, milli| model.caps[0].limit = milli;
    let used = |model: &mut Model, milli| model.caps[0].used = milli;
    let count = |model: &mut Model, milli| (model.caps[0].by, model.caps[0].limit) = (By::Count, milli);
    let required = |model: &mut Model, milli| model.needs[0].required = milli;
    for (milli, holds) in [(i64::MIN, false), (-1, false), (0, true), (1, true), (i64::MAX, true)] {
        assert_eq!(one(&limit, milli), holds, "limit {milli}");
        assert_eq!(one(&used, milli), holds, "used {milli}");
        assert_eq!(one(&count, milli), holds, "count {milli}");
        assert_eq!(one(&required, milli), holds, "required {milli}");
    }
}

#[test]
fn what_is_named_is_there_once() {
    let refused = |change: &dyn Fn(&mut Model)| {
        let mut model = plain(2, 2);
        change(&mut model);
        matches!(model.validate(), Err(ModelError::Reference { .. }))
    };
    assert!(refused(&|model| model.offers[0].records = vec![2]));
    assert!(refused(&|model| model.offers[0].records = vec![1, 1]));
    assert!(refused(&|model| model.offers[0].lines[0].need = Some(0)));
    let cap = |members| Cap { limit: 1, by: By::Credit, members, used: 0 };
    assert!(refused(&|model| model.caps.push(cap(vec![(2, 0)]))));
    assert!(refused(&|model| model.caps.push(cap(vec![(0, 1)]))));
    assert!(refused(&|model| model.caps.push(cap(vec![(0, 0), (1, 0), (0, 0)]))));
    assert!(refused(&|model| model.cliques.push(Clique { offers: vec![0, 2] })));
    assert!(refused(&|model| model.cliques.push(Clique { offers: vec![0, 0] })));
    let mut model = plain(2, 2);
    model.needs.push(Need { required: 0, kind: NeedKind::Met });
    model.offers[0].lines[0].need = Some(0);
    model.offers[0].mode = Mode::Trim { step: 1, total: 1 };
    assert_eq!(model.validate(), Err(ModelError::TrimmedMet { offer: 0, need: 0 }));
}

#[test]
fn certificates_are_no_larger_than_any_that_is_made() {
    let model = plain(1, 1);
    let mut told = plan(&model).unwrap();
    told.certificate.prices = vec![vec![]];
    let too_large = |told: &_| check(&model, told) == Err(PlanError::TooLarge);
    told.certificate.components[0].steps = vec![Step::End { prices: 0 }; STEPS_MAX];
    assert!(!too_large(&told));
    told.certificate.components[0].steps.push(Step::End { prices: 0 });
    assert!(too_large(&told));
    let mut told = plan(&model).unwrap();
    let price = (credit_rules::plan::Constraint::Record(0), 0);
    told.certificate.prices.push(vec![price; PRICES_MAX]);
    told.certificate.prices.iter_mut().rev().skip(1).for_each(Vec::clear);
    assert_eq!(check(&model, &told), Ok(()));
    told.certificate.prices.last_mut().unwrap().push(price);
    assert!(too_large(&told));
}

/// Amounts without a common divisor under caps that ask for a sum that few subsets have.
fn hard(records: usize, most: i64) -> Model {
    let mut draws = Draws::new(7);
    let mut model = plain(records, records);
    for offer in &mut model.offers {
        offer.lines[0].milli = most - 2 * draws.below(100_000) as i64;
    }
    for cap in 0..4 {
        let members: Vec<(usize, usize)> =
            (0..records).filter(|_| cap == 0 || draws.below(2) == 0).map(|offer| (offer, 0)).collect();
        let all: i64 = members.iter().map(|&(offer, _)| model.offers[offer].lines[0].milli).sum();
        model.caps.push(Cap { limit: all / 2 / 2 * 2 + 1, by: By::Credit, members, used: 0 });
    }
    model
}

#[test]
fn a_search_that_the_limit_ends_says_so_and_says_the_same_for_everybody() {
    let model = hard(61, LINE_MILLI_MAX);
    let told = plan(&model).unwrap();
    check(&model, &told).unwrap();
    assert!(matches!(told.status, Status::Feasible { gap_milli } if gap_milli > 0), "{:?}", told.status);
    assert_eq!(told.ties, Ties::Open);
    let ends = told.certificate.components.iter().flat_map(|component| &component.steps);
    let cases = ends.filter(|step| matches!(step, Step::End { .. })).count();
    assert!(cases <= 2 * NODES_MAX as usize, "{cases}");
    let other = shuffled(&model, 3);
    let again = plan(&other).unwrap();
    assert_eq!((again.status, again.allocation.credit_milli), (told.status, told.allocation.credit_milli));
    let keys = |model: &Model, told: &credit_rules::plan::Plan| -> Vec<Vec<u8>> {
        told.allocation.taken.iter().map(|taken| model.offers[taken.offer].key.clone()).collect()
    };
    assert_eq!(keys(&other, &again), keys(&model, &told));
}

#[test]
fn the_largest_models_are_planned_in_bounded_work() {
    // Every offer competes with every other, in amounts that never fill a cap.
    let model = hard(RECORDS_MAX, LINE_MILLI_MAX);
    check(&model, &plan(&model).unwrap()).unwrap();
    let mut model = plain(RECORDS_MAX, OFFERS_MAX);
    let mut draws = Draws::new(1);
    for (index, offer) in model.offers.iter_mut().enumerate() {
        offer.lines[0].milli = 1 + draws.below(1_000_000) as i64;
        if index % 3 == 0 {
            offer.mode = Mode::Trim { step: 1 + draws.below(99) as i64, total: LINE_MILLI_MAX };
        }
    }
    for _ in 0..14 {
        let members: Vec<(usize, usize)> = (0..OFFERS_MAX).map(|offer| (offer, 0)).collect();
        model.caps.push(Cap {
            limit: 50_000_000 + draws.below(100) as i64,
            by: By::Credit,
            members,
            used: 0,
        });
    }
    check(&model, &plan(&model).unwrap()).unwrap();
}

#[test]
fn made_up_learners_are_planned_the_same_in_any_order() {
    for seed in 0..6 {
        for supply in [Supply::Scarce, Supply::Ample] {
            let model = learner(seed, 50, 30, supply);
            let told = plan(&model).unwrap();
            check(&model, &told).unwrap();
            let other = shuffled(&model, seed + 1);
            let again = plan(&other).unwrap();
            assert_eq!(
                (again.status, again.ties, again.allocation.credit_milli),
                (told.status, told.ties, told.allocation.credit_milli)
            );
            let keys = |model: &Model, told: &credit_rules::plan::Plan| -> Vec<(Vec<u8>, Vec<i64>)> {
                let taken = told.allocation.taken.iter();
                taken.map(|taken| (model.offers[taken.offer].key.clone(), taken.granted.clone())).collect()
            };
            assert_eq!(keys(&other, &again), keys(&model, &told), "seed {seed} {supply:?}");
        }
    }
}
