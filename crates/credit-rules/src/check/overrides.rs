//! S7: overrides form no circle, and bundles can be fulfilled.

use crate::book::{Book, Bundle};
use crate::finding::{Code, Findings};
use crate::parse::{Terms, bundle_terms};
use crate::path::At;
use crate::value::Name;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(book: &Book, found: &mut Findings) {
    circles(book, found);
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        let here = rules.index(index);
        if let Some(value) = &rule.bundle {
            bundle(value, here.key("bundle"), found);
        }
    }
}

/// Takes away rules that override nothing that is left, until only circles are.
fn circles(book: &Book, found: &mut Findings) {
    let places: BTreeMap<&Name, usize> =
        book.rules.iter().enumerate().map(|(index, rule)| (&rule.id, index)).collect();
    let mut below: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut above: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (index, rule) in book.rules.iter().enumerate() {
        for other in rule.overrides.iter().filter_map(|name| places.get(name)) {
            below.entry(index).or_default().insert(*other);
            above.entry(*other).or_default().insert(index);
        }
    }
    let mut open: Vec<usize> = above.keys().copied().filter(|index| !below.contains_key(index)).collect();
    while let Some(last) = open.pop() {
        for index in above.remove(&last).unwrap_or_default() {
            if let Some(left) = below.get_mut(&index) {
                left.remove(&last);
                if left.is_empty() {
                    below.remove(&index);
                    open.push(index);
                }
            }
        }
    }
    // Whatever is left overrides something that is left: walking on, one comes round.
    let mut told: BTreeSet<usize> = BTreeSet::new();
    let rules = At::TOP.key("rule");
    for start in below.keys() {
        let (mut way, mut here) = (Vec::new(), *start);
        while !way.contains(&here) && !told.contains(&here) {
            way.push(here);
            let Some(next) = below.get(&here).and_then(|next| next.first()) else { break };
            here = *next;
        }
        let round = way.iter().position(|index| *index == here);
        if let Some(circle) = round.and_then(|at| way.get(at..)) {
            let ids = circle.iter().chain([&here]).filter_map(|index| book.rules.get(*index));
            let ids = ids.map(|rule| rule.id.as_str()).collect::<Vec<_>>().join(" → ");
            let at = circle.iter().min().copied().unwrap_or_default();
            let here = rules.index(at);
            found.add(
                Code::OverrideCycle,
                here.key("overrides"),
                format!("规则互相取代：{ids}"),
                format!("rules override each other: {ids}"),
            );
        }
        told.extend(way);
    }
}

fn bundle(bundle: &Bundle, at: At<'_>, found: &mut Findings) {
    let Terms { terms, items: _, fewest } = bundle_terms(bundle);
    if terms == 0 {
        let en = "no records fulfil the bundle";
        found.add(Code::BundleUnsatisfiable, at, "没有成果能满足该组合", en);
        return;
    }
    if fewest == 0 {
        let en = "the bundle is fulfilled by no record at all";
        found.add(Code::BundleEmpty, at, "没有任何成果也满足该组合", en);
    }
    if bundle.same_institution && !one_institution(bundle) {
        let en = "every way to fulfil the bundle names courses of several institutions";
        found.add(Code::BundleUnsatisfiable, at.key("same_institution"), "每种组合都含不同机构的课程", en);
    }
}

/// The institution in a catalogue code.
fn institution(course: &Name) -> Option<&str> {
    course.as_str().split_once(':').map(|(institution, _)| institution)
}

/// Whether some institution can fulfil a bundle alone.
fn one_institution(bundle: &Bundle) -> bool {
    let (mut named, mut open, mut free) = (BTreeSet::new(), vec![bundle], false);
    while let Some(one) = open.pop() {
        named.extend(one.course.as_ref().and_then(institution));
        free |=
            one.record.is_some() || one.course.as_ref().is_some_and(|course| institution(course).is_none());
        let below = [one.all.as_ref(), one.any.as_ref(), one.n_of.as_ref().map(|n_of| &n_of.of)];
        open.extend(below.into_iter().flatten().flatten());
    }
    // Leaves that name no institution can be met by any.
    named.iter().any(|only| bundle_terms(&without_others(bundle, only)).terms > 0)
        || (free && named.is_empty())
}

/// A bundle whose courses of other institutions nobody has. Its depth was bounded when it was read.
fn without_others(bundle: &Bundle, only: &str) -> Bundle {
    let list = |list: &Vec<Bundle>| list.iter().map(|one| without_others(one, only)).collect();
    let mut left = bundle.clone();
    left.all = bundle.all.as_ref().map(list);
    left.any = bundle.any.as_ref().map(list);
    if let (Some(own), Some(n_of)) = (&mut left.n_of, &bundle.n_of) {
        own.of = list(&n_of.of);
    }
    if bundle.course.as_ref().and_then(institution).is_some_and(|own| own != only) {
        // An alternative among nothing.
        left = Bundle { any: Some(Vec::new()), ..Bundle::default() };
    }
    left
}
