//! Records that flow into what they count to, each as wide as its credit.

use super::geometry::{WIDTH, band, count, cut, part, plus};
use credit_rules::answer::Place;
use credit_rules::explain::Explanation;
use credit_rules::value::{Credit, Name};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Records in the picture; the others are told below it.
const RECORDS_SHOWN: usize = 60;
/// The height that all granted credit has together.
const TALL: i64 = 260;
/// The room between two boxes, enough for a line of text.
const GAP: i64 = 20;
/// Where the boxes of records end, and those of targets begin.
const LEFT: i64 = 200;
const RIGHT: i64 = 640;
/// How wide a box is.
const BOX: i64 = 14;
/// Letters that fit beside a box.
const LETTERS: usize = 28;

/// Credit that goes from one record to one place.
struct Flow<'e> {
    record: &'e Name,
    place: &'e Place,
    milli: i64,
    rule: &'e Name,
}

/// A box and how much of it was drawn on.
struct Stand {
    top: i64,
    height: i64,
    drawn: i64,
    milli: i64,
}

/// The picture; `name` tells a place in both languages.
pub(super) fn picture(explanation: &Explanation, name: impl Fn(&Place) -> (String, String)) -> Markup {
    let flows = flows(explanation);
    let total = flows.iter().fold(0, |sum, flow| plus(sum, flow.milli));
    let mut left = stands(flows.iter().map(|flow| (flow.record.as_str().to_owned(), flow.milli)), total);
    let mut right = stands(flows.iter().map(|flow| (key(flow.place), flow.milli)), total);
    let idle: Vec<&Name> = idle(explanation);
    let below = left.values().map(|stand| plus(stand.top, stand.height)).max().unwrap_or(0);
    let first_idle = plus(below, if below == 0 { 24 } else { 30 });
    let idle_bottom = plus(first_idle, count(&idle).saturating_mul(GAP));
    let right_bottom = right.values().map(|stand| plus(stand.top, stand.height)).max().unwrap_or(0);
    let height = plus(idle_bottom.max(right_bottom), 24);
    let mut bands = Vec::new();
    for flow in &flows {
        let place = key(flow.place);
        let (Some(from), Some(to)) = (left.get_mut(flow.record.as_str()), right.get_mut(&place)) else {
            continue;
        };
        let width = part(TALL, flow.milli, total).max(2);
        let start = (plus(LEFT, BOX), plus(from.top, from.drawn));
        let end = (RIGHT, plus(to.top, to.drawn));
        from.drawn = plus(from.drawn, width);
        to.drawn = plus(to.drawn, width);
        bands.push((band(start, end, width), flow));
    }
    let places: BTreeMap<String, (String, String)> =
        flows.iter().map(|flow| (key(flow.place), name(flow.place))).collect();
    html! {
        div.scroll {
            svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label="records and what they count to" {
                @for (path, flow) in &bands {
                    path.band d=(path) {
                        title { (flow.record) " → " (key(flow.place)) " " (Credit(flow.milli)) " (" (flow.rule) ")" }
                    }
                }
                @for (record, stand) in &left {
                    rect.from x=(LEFT) y=(stand.top) width=(BOX) height=(stand.height) {}
                    text x=(LEFT.saturating_sub(8)) y=(plus(stand.top, 12)) text-anchor="end" { (cut(record, LETTERS)) }
                }
                @for (at, record) in (0i64..).zip(&idle) {
                    @let top = plus(first_idle, at.saturating_mul(GAP));
                    rect.idle x=(LEFT) y=(top) width=(BOX) height="6" {}
                    text.small x=(LEFT.saturating_sub(8)) y=(plus(top, 8)) text-anchor="end" { (cut(record.as_str(), LETTERS)) }
                }
                @for (place, stand) in &right {
                    rect.to x=(RIGHT) y=(stand.top) width=(BOX) height=(stand.height) {}
                    @if let Some((zh, en)) = places.get(place) {
                        text.zh x=(plus(RIGHT, 22)) y=(plus(stand.top, 12)) { (cut(zh, LETTERS)) " " (Credit(stand.milli)) }
                        text.en x=(plus(RIGHT, 22)) y=(plus(stand.top, 12)) { (cut(en, LETTERS)) " " (Credit(stand.milli)) }
                    }
                }
            }
        }
    }
}

/// One text for one place.
fn key(place: &Place) -> String {
    match place {
        Place::Course(name) | Place::Requirement(name) | Place::Standard(name) => name.to_string(),
    }
}

/// What flows; of a use that takes several records an equal part from each, the rest from the first.
fn flows(explanation: &Explanation) -> Vec<Flow<'_>> {
    let mut flows = Vec::new();
    for item in &explanation.items {
        for line in &item.granted {
            let each = part(line.credit.0, 1, count(&item.records));
            let rest = line.credit.0.saturating_sub(each.saturating_mul(count(&item.records)));
            for (at, record) in item.records.iter().enumerate() {
                let milli = if at == 0 { plus(each, rest) } else { each };
                flows.push(Flow { record, place: &line.place, milli, rule: &item.rule });
            }
        }
    }
    flows.truncate(RECORDS_SHOWN.saturating_mul(2));
    flows
}

/// Records of which nothing is granted.
fn idle(explanation: &Explanation) -> Vec<&Name> {
    let mut names: Vec<&Name> = explanation
        .rejected
        .iter()
        .filter(|rejected| !rejected.used_elsewhere)
        .map(|rejected| &rejected.record)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(RECORDS_SHOWN);
    names
}

/// Boxes one below the other, each as high as its credit.
fn stands(amounts: impl Iterator<Item = (String, i64)>, total: i64) -> BTreeMap<String, Stand> {
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (name, milli) in amounts {
        let own = sums.entry(name).or_default();
        *own = (plus(own.0, milli), plus(own.1, part(TALL, milli, total).max(2)));
    }
    let mut top = 20;
    sums.into_iter()
        .map(|(name, (milli, height))| {
            let stand = Stand { top, height, drawn: 0, milli };
            top = plus(top, plus(height.max(14), GAP));
            (name, stand)
        })
        .collect()
}
