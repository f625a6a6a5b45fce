//! Named cases.

use credit_rules::plan::{
    By, Candidate, Cap, Clique, GapError, Greedy, Line, Mode, Model, Need, NeedKind, Offer, Plan, Record,
    Status, Ties, WayStatus, cheapest_way, check, greedy, plan,
};

const CREDIT: i64 = 1_000;

/// Records with a day on which they end, each with one whole use, under one cap.
fn capped(records: &[(i64, i32)], cap: i64) -> Model {
    let mut model = Model::default();
    for (index, &(credits, day)) in records.iter().enumerate() {
        let key = format!("r{index}").into_bytes();
        model.records.push(Record { key: key.clone(), expires_on: Some(day) });
        let lines = vec![Line { need: None, milli: credits * CREDIT }];
        model.offers.push(Offer { key, records: vec![index], lines, mode: Mode::Whole });
    }
    let members = (0..records.len()).map(|offer| (offer, 0)).collect();
    model.caps.push(Cap { limit: cap * CREDIT, by: By::Credit, members, used: 0 });
    model
}

fn planned(model: &Model) -> Plan {
    let plan = plan(model).unwrap();
    check(model, &plan).unwrap();
    assert_eq!((plan.status, plan.ties), (Status::ProvenOptimal, Ties::Settled));
    plan
}

fn offers(plan: &Plan) -> Vec<usize> {
    plan.allocation.taken.iter().map(|taken| taken.offer).collect()
}

#[test]
fn gx_04_the_best_fills_a_cap_of_38_where_dates_leave_36() {
    let model = capped(&[(20, 20), (18, 30), (16, 10)], 38);
    assert_eq!(greedy(&model, Greedy::FirstFit).unwrap().credit_milli, 36 * CREDIT);
    let plan = planned(&model);
    assert_eq!((plan.allocation.credit_milli, offers(&plan)), (38 * CREDIT, vec![0, 1]));
}

#[test]
fn gx_04_one_large_and_one_small_fill_a_cap_of_38() {
    let model = capped(&[(30, 1), (8, 3), (8, 2)], 38);
    let plan = planned(&model);
    // Of the two small ones the one that ends sooner is consumed.
    assert_eq!((plan.allocation.credit_milli, offers(&plan)), (38 * CREDIT, vec![0, 2]));
}

#[test]
fn what_was_used_before_counts_and_more_than_all_is_nothing_left() {
    let mut model = capped(&[(20, 1), (18, 1)], 38);
    model.caps[0].used = 20 * CREDIT;
    assert_eq!(planned(&model).allocation.credit_milli, 18 * CREDIT);
    model.caps[0].used = i64::MAX;
    assert_eq!(planned(&model).allocation.credit_milli, 0);
}

#[test]
fn an_empty_model_has_an_empty_plan() {
    let plan = planned(&Model::default());
    assert_eq!(plan.allocation.credit_milli, 0);
    assert!(plan.certificate.components.is_empty());
}

/// Two needs of 4 credits, and records that can complete one of them or be spread over both.
fn two_needs() -> Model {
    let mut model = capped(&[(3, 1), (3, 1), (1, 1), (1, 1)], 100);
    model.needs = vec![Need { required: 4 * CREDIT, kind: NeedKind::Credit }; 2];
    for offer in 0..4 {
        model.offers[offer].lines[0].need = Some(0);
        let mut other = model.offers[offer].clone();
        other.key.push(b'b');
        other.lines[0].need = Some(1);
        model.offers.push(other);
    }
    model
}

#[test]
fn of_equal_credit_more_needs_are_complete() {
    let plan = planned(&two_needs());
    assert_eq!((plan.allocation.credit_milli, plan.allocation.needs_complete), (8 * CREDIT, 2));
}

#[test]
fn of_equal_needs_fewer_records_are_consumed_and_of_a_family_one() {
    let mut model = capped(&[(2, 1), (2, 1), (4, 9)], 4);
    assert_eq!(offers(&planned(&model)), vec![2]);
    model.caps[0].limit = 8 * CREDIT;
    model.cliques.push(Clique { offers: vec![0, 1] });
    // Either of the family, and the one that stands first by key isn't taken.
    assert_eq!(offers(&planned(&model)), vec![1, 2]);
}

#[test]
fn a_waiver_completes_a_need_without_credit_and_is_taken_only_for_it() {
    let mut model = capped(&[(2, 1)], 10);
    model.needs.push(Need { required: 0, kind: NeedKind::Met });
    let waiver = |key: &[u8], need| Offer {
        key: key.to_vec(),
        records: vec![],
        lines: vec![Line { need, milli: 0 }],
        mode: Mode::Whole,
    };
    model.offers.push(waiver(b"a waiver", Some(0)));
    model.offers.push(waiver(b"a needless one", None));
    let plan = planned(&model);
    assert_eq!((plan.allocation.needs_complete, offers(&plan)), (1, vec![1, 0]));
}

#[test]
fn what_may_be_trimmed_fills_what_is_left_in_steps() {
    let mut model = capped(&[(3, 1), (4, 1)], 6);
    model.offers[1].mode = Mode::Trim { step: 400, total: 4 * CREDIT };
    let plan = planned(&model);
    assert_eq!(plan.allocation.credit_milli, 5_800);
    assert_eq!(plan.allocation.taken[1].granted, vec![2_800]);
}

#[test]
fn a_cap_by_count_counts_lines_of_taken_offers() {
    let mut model = capped(&[(3, 1), (4, 1), (5, 1)], 100);
    model.caps.push(Cap { limit: 2, by: By::Count, members: vec![(0, 0), (1, 0), (2, 0)], used: 0 });
    assert_eq!(offers(&planned(&model)), vec![1, 2]);
}

#[test]
fn offers_without_a_connection_are_parts_with_a_bound_each() {
    let mut model = capped(&[(3, 1), (4, 1)], i64::MAX / CREDIT);
    model.offers[1].lines.push(Line { need: None, milli: 500 });
    let plan = planned(&model);
    assert_eq!(plan.certificate.components.len(), 2);
    assert_eq!(plan.certificate.bound_milli, 7_500);
}

#[test]
fn the_cheapest_way_completes_what_records_leave_open() {
    let mut model = two_needs();
    model.records.truncate(2);
    model.offers.retain(|offer| offer.records[0] < 2);
    model.caps.clear();
    let course = |key: &[u8], need, milli| Offer {
        key: key.to_vec(),
        records: vec![],
        lines: vec![Line { need: Some(need), milli }],
        mode: Mode::Whole,
    };
    let first = model.offers.len();
    model.offers.extend([course(b"x", 0, CREDIT), course(b"y", 1, 2 * CREDIT), course(b"z", 1, CREDIT)]);
    let catalogue: Vec<Candidate> = [300, 500, 700]
        .into_iter()
        .enumerate()
        .map(|(at, cost)| Candidate { offer: first + at, cost })
        .collect();
    let way = cheapest_way(&model, &catalogue).unwrap();
    assert_eq!(way.status, WayStatus::Cheapest);
    assert_eq!((way.cost, way.candidates), (800, vec![first, first + 1]));
    assert!(way.missing.is_empty());
    // Without a course for the second need the records complete the first, and nothing has to be paid for.
    model.offers.truncate(first + 1);
    let way = cheapest_way(&model, &catalogue[..1]).unwrap();
    assert_eq!((way.cost, way.candidates, way.missing), (0, vec![], vec![(1, 4 * CREDIT)]));
}

#[test]
fn a_catalogue_names_offers_once_with_a_cost() {
    use credit_rules::plan::COST_MAX;
    let model = capped(&[(3, 1)], 10);
    let refused = |catalogue: &[Candidate]| {
        cheapest_way(&model, catalogue) == Err(GapError::Candidate { offer: catalogue[0].offer })
    };
    let one = |offer, cost| Candidate { offer, cost };
    assert!(cheapest_way(&model, &[one(0, COST_MAX)]).is_ok());
    assert!(refused(&[one(0, COST_MAX + 1)]));
    assert!(refused(&[one(0, 0)]) && refused(&[one(0, i64::MIN)]) && refused(&[one(1, 5)]));
    assert!(refused(&[one(0, 5), one(0, 5)]));
}
