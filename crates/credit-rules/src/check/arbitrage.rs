//! S6: no circle of conversions makes credit out of nothing, within a book or through others; nor does rounding.

use super::conversions::{counts_credit, result_standard};
use crate::book::{Aggregate, Book, Convert, Outcome, RoundAt, Rule};
use crate::finding::{Code, Findings};
use crate::limits::CIRCLE_MAX;
use crate::path::At;
use crate::ratio::{Rational, Round};
use crate::value::{Name, Ratio};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The most credit of one standard for one of another, and the rule that gives it.
#[derive(Debug, Clone, Copy)]
struct Edge<'b> {
    factor: Rational,
    book: &'b Book,
    rule: usize,
}

type Graph<'b> = BTreeMap<&'b Name, BTreeMap<&'b Name, Edge<'b>>>;

pub(super) fn check(book: &Book, others: &[Book], found: &mut Findings) {
    let mut graph: Graph<'_> = BTreeMap::new();
    // The book itself last, so that of two that give the same the one is named that can be changed.
    for one in others.iter().filter(|other| other.id != book.id).chain([book]) {
        edges(one, &mut graph);
    }
    circles(book, &graph, found);
    let rules = At::TOP.key("rule");
    for (index, rule) in book.rules.iter().enumerate() {
        if let Some(convert) = &rule.convert {
            let here = rules.index(index);
            rounding(convert, here.key("convert"), found);
        }
    }
}

fn greater(one: Rational, other: Rational) -> bool {
    // Two factors that can't be compared are no reason to pass the larger.
    one.compare(other).is_none_or(|order| order == Ordering::Greater)
}

fn edges<'b>(book: &'b Book, graph: &mut Graph<'b>) {
    for (rule, one) in book.rules.iter().enumerate() {
        let Some((from, to)) = one.when.std.as_ref().zip(result_standard(one)) else { continue };
        let Some(factor) = most(one) else { continue };
        let edge = Edge { factor, book, rule };
        let places = graph.entry(from).or_default();
        let replace = places.get(to).is_none_or(|own| !greater(own.factor, factor));
        if replace {
            places.insert(to, edge);
        }
    }
}

/// The most credit that a rule grants for each credit of a record; `None` where that has no bound, or is no matter of the
/// record's credit.
fn most(rule: &Rule) -> Option<Rational> {
    let least = rule.when.min_credit.filter(|least| least.0 > 0);
    let per_least = |milli: i64| Rational::new(i128::from(milli), i128::from(least?.0));
    let largest = |values: &mut dyn Iterator<Item = Rational>| {
        values.reduce(|one, other| if greater(other, one) { other } else { one })
    };
    let base = if let Some(table) = &rule.table {
        let mut worths = table.rows.iter().filter_map(|row| match &row.outcome {
            Outcome::Credit(credit) => per_least(credit.0),
            Outcome::Ratio(ratio) => ratio.plain().filter(|_| counts_credit(rule)),
            Outcome::Each(_) | Outcome::Share(_) => None,
        });
        largest(&mut worths)?
    } else {
        let convert = rule.convert.as_ref();
        match convert {
            Some(convert) if counts_credit(rule) => by_ratio(convert)?,
            Some(Convert { fixed: Some(fixed), .. }) => per_least(fixed.0)?,
            Some(_) => return None,
            // What a course is worth for a course: the amount that its target names.
            None => {
                let amounts = rule.award.iter().filter_map(|target| target.credit);
                per_least(amounts.fold(0, |sum, credit| credit.0.saturating_add(sum)))?
            }
        }
    };
    let mut factors = rule.convert.iter().flat_map(|convert| &convert.factors);
    factors.try_fold(base, |product, factor| {
        let mut rows = factor.rows.iter().filter_map(|row| row.factor.plain());
        product.times(largest(&mut rows)?)
    })
}

fn by_ratio(convert: &Convert) -> Option<Rational> {
    if let Some((inbound, outbound)) = convert.inbound.zip(convert.outbound) {
        return inbound.plain()?.times(outbound.plain()?);
    }
    match (convert.ratio, convert.each) {
        (Some(ratio), _) => Ratio::plain(ratio),
        (None, Some(each)) => Rational::new(i128::from(each.0), 1_000),
        (None, None) => Some(Rational::ONE),
    }
}

/// Standards that can be reached from one, itself only by going round.
fn reached<'b>(from: &'b Name, next: impl Fn(&'b Name) -> Vec<&'b Name>) -> BTreeSet<&'b Name> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(one) = open.pop() {
        for place in next(one) {
            if seen.insert(place) {
                open.push(place);
            }
        }
    }
    seen
}

/// Every circle lies in one part of the graph whose standards lead to each other; each part is looked at once, from its
/// first standard by name.
fn circles(book: &Book, graph: &Graph<'_>, found: &mut Findings) {
    let mut back: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
    for (from, places) in graph {
        for to in places.keys() {
            back.entry(to).or_default().insert(from);
        }
    }
    let mut seen: BTreeSet<&Name> = BTreeSet::new();
    for start in graph.keys() {
        if seen.contains(start) {
            continue;
        }
        let forth =
            reached(start, |one| graph.get(one).into_iter().flat_map(BTreeMap::keys).copied().collect());
        if !forth.contains(start) {
            continue;
        }
        let from = reached(start, |one| back.get(one).into_iter().flatten().copied().collect());
        let part: BTreeSet<&Name> = forth.intersection(&from).copied().collect();
        seen.extend(&part);
        let gains = if part.len() > CIRCLE_MAX { Gains::Unknown } else { gains(graph, &part, start) };
        match gains {
            Gains::Nothing => {}
            Gains::Unknown => {
                let count = part.len();
                found.add(
                    Code::RatioBudget,
                    At::TOP.key("standards").key(start.as_str()),
                    format!("{count} 种标准互相换算，无法精确核算（最多 {CIRCLE_MAX} 种，CIRCLE_MAX）"),
                    format!("{count} standards convert into each other and can't be worked out exactly (at most {CIRCLE_MAX}, CIRCLE_MAX)"),
                );
            }
            Gains::Round(way, product) => tell(book, graph, &way, product, found),
        }
    }
}

enum Gains<'b> {
    Nothing,
    Unknown,
    Round(Vec<&'b Name>, Rational),
}

/// The most that comes back to a standard by so many steps; the first that is more than was taken away.
fn gains<'b>(graph: &Graph<'b>, part: &BTreeSet<&'b Name>, start: &'b Name) -> Gains<'b> {
    let mut best: BTreeMap<&Name, (Rational, Vec<&Name>)> = [(start, (Rational::ONE, vec![start]))].into();
    for _ in 0..part.len() {
        let mut next: BTreeMap<&Name, (Rational, Vec<&Name>)> = BTreeMap::new();
        for (from, (product, way)) in &best {
            for (to, edge) in graph.get(*from).into_iter().flatten() {
                if !part.contains(to) {
                    continue;
                }
                let Some(product) = product.times(edge.factor) else { return Gains::Unknown };
                let way = || way.iter().copied().chain([*to]).collect::<Vec<_>>();
                if to == &start && greater(product, Rational::ONE) {
                    return Gains::Round(way(), product);
                }
                let more = next.get(to).is_none_or(|(own, _)| greater(product, *own));
                if more {
                    next.insert(to, (product, way()));
                }
            }
        }
        best = next;
    }
    Gains::Nothing
}

fn tell(book: &Book, graph: &Graph<'_>, way: &[&Name], product: Rational, found: &mut Findings) {
    let rules = At::TOP.key("rule");
    let steps = way.windows(2).filter_map(|step| match step {
        [from, to] => graph.get(*from)?.get(*to),
        _ => None,
    });
    let steps: Vec<&Edge<'_>> = steps.collect();
    let names: Vec<&str> = way.iter().map(|name| name.as_str()).collect();
    let by: Vec<String> = steps
        .iter()
        .filter_map(|edge| edge.book.rules.get(edge.rule).map(|rule| (edge.book, rule)))
        .map(
            |(of, rule)| {
                if of.id == book.id { rule.id.to_string() } else { format!("{}/{}", of.id, rule.id) }
            },
        )
        .collect();
    // At the last rule of the circle that this book can change; a circle of other books alone is none of its making.
    let own = steps.iter().filter(|edge| edge.book.id == book.id).max_by_key(|edge| edge.rule);
    let Some(own) = own else { return };
    let (names, by) = (names.join(" → "), by.join(", "));
    found.add(
        Code::RatioCycle,
        rules.index(own.rule),
        format!("{names} 一圈乘积为 {product}，大于 1（规则 {by}）"),
        format!("round {names} the product is {product}, above 1 (rules {by})"),
    );
}

fn rounding(convert: &Convert, at: At<'_>, found: &mut Findings) {
    let code = match convert.round {
        Round::Ceil => Some(Code::RoundUpPerRecord),
        // A half of a step a record at most, which a rule of the real world may well mean.
        Round::HalfUp | Round::HalfEven => Some(Code::HalvesPerRecord),
        Round::Floor | Round::Truncate | Round::None => None,
    };
    let sums = convert.aggregate != Aggregate::None;
    let per_record = sums && convert.round_at == RoundAt::Record && convert.justification.is_none();
    if let Some(code) = code.filter(|_| per_record) {
        let en =
            "each record is rounded before they are summed: many small ones can earn more than their sum";
        found.add(code, at.key("round_at"), "逐份舍入后再合计：拆成小份可能得到更多", en);
    }
    if convert.round == Round::Ceil {
        found.add(
            Code::RoundsUp,
            at.key("round"),
            "进一舍入：不足一个单位也授予",
            "a part of a step is granted as a whole one",
        );
    }
}
