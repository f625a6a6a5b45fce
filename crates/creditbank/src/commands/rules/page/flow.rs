//! Whose credit flows where: sources, rules, and what they count to, as a graph.

use super::geometry::{WIDTH, count, cut, part, plus, thread};
use super::say;
use credit_rules::book::{Book, Bundle, Rule};
use credit_rules::value::{Label, Name};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Rules in the picture; of a larger book the others are told below it.
const RULES_SHOWN: usize = 48;
/// Boxes of one column.
const BOXES_SHOWN: usize = 48;
/// The height of a row.
const ROW: i64 = 30;
/// Where the columns begin, and how wide their boxes are.
const COLUMNS: [(i64, i64); 3] = [(0, 240), (330, 240), (660, 240)];
/// Letters that fit into a box.
const LETTERS: usize = 36;

/// A box: its text in both languages.
type Words = (String, String);

fn plain(text: impl ToString) -> Words {
    (text.to_string(), text.to_string())
}

fn named(label: &Label) -> Words {
    (label.zh.clone(), label.en.clone())
}

/// The picture.
pub(super) fn picture(book: &Book) -> Markup {
    let rules: Vec<&Rule> = book.rules.iter().take(RULES_SHOWN).collect();
    let (mut left, mut right) = (Vec::<Words>::new(), Vec::<Words>::new());
    let mut threads: Vec<(usize, i64, bool)> = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        for (words, column, into) in
            [(sources(book, rule), &mut left, true), (targets(book, rule), &mut right, false)]
        {
            for word in words {
                let place = place(column, word);
                threads.push((at, place, into));
            }
        }
    }
    let rows = count(&rules).max(count(&left)).max(count(&right)).max(1);
    let height = plus(rows.saturating_mul(ROW), 30);
    let middle: Vec<Words> = rules.iter().map(|rule| named(&rule.labels)).collect();
    let y = |of: usize, at: i64| {
        let room = height.saturating_sub(30);
        plus(
            24,
            part(
                room,
                plus(at.saturating_mul(2), 1),
                i64::try_from(of.max(1)).unwrap_or(1).saturating_mul(2),
            ),
        )
    };
    let left_out = book.rules.len().saturating_sub(rules.len());
    html! {
        div.scroll {
            svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label="sources, rules, targets" {
                @for ((x, _), (zh, en)) in COLUMNS.iter().zip([("来源", "source"), ("规则", "rule"), ("去向", "target")]) {
                    text.small x=(x) y="14" { (zh) " · " (en) }
                }
                @for (rule, end, into) in &threads {
                    @let own = y(middle.len(), i64::try_from(*rule).unwrap_or(0));
                    @if *into {
                        path.thread d=(thread((edge(0), y(left.len(), *end)), (start(1), own))) {}
                    } @else {
                        path.thread d=(thread((edge(1), own), (start(2), y(right.len(), *end)))) {}
                    }
                }
                @for (column, words) in [&left, &middle, &right].into_iter().enumerate() {
                    @for (at, (zh, en)) in (0i64..).zip(words) {
                        (boxed(column, y(words.len(), at), zh, en))
                    }
                }
            }
        }
        @if left_out > 0 {
            p.soft { (say(&format!("图中另有 {left_out} 条规则未画出，见下文。"), &format!("{left_out} more rules are not drawn; they are told below."))) }
        }
    }
}

/// Where a column's boxes begin.
fn start(column: usize) -> i64 {
    COLUMNS.get(column).map_or(0, |(x, _)| *x)
}

/// Where a column's boxes end.
fn edge(column: usize) -> i64 {
    COLUMNS.get(column).map_or(0, |(x, width)| plus(*x, *width))
}

/// The place of a box in its column, which may be new; what does not fit shares the last.
fn place(column: &mut Vec<Words>, word: Words) -> i64 {
    if let Some(at) = column.iter().position(|known| *known == word) {
        return i64::try_from(at).unwrap_or(0);
    }
    if column.len() < BOXES_SHOWN {
        column.push(word);
    } else if let Some(last) = column.last_mut() {
        *last = ("其他".to_owned(), "others".to_owned());
    }
    count(column).saturating_sub(1)
}

fn boxed(column: usize, middle: i64, zh: &str, en: &str) -> Markup {
    let (x, width) = COLUMNS.get(column).copied().unwrap_or_default();
    let height = ROW.saturating_sub(6);
    html! {
        g {
            title { (zh) " · " (en) }
            rect.box x=(x) y=(middle.saturating_sub(part(height, 1, 2))) width=(width) height=(height) rx="5" {}
            text.zh x=(plus(x, 8)) y=(plus(middle, 4)) { (cut(zh, LETTERS)) }
            text.en x=(plus(x, 8)) y=(plus(middle, 4)) { (cut(en, LETTERS)) }
        }
    }
}

/// Whose records a rule is about.
fn sources(book: &Book, rule: &Rule) -> Vec<Words> {
    let when = &rule.when;
    if let Some(group) = &when.issuer_group {
        return vec![plain(group)];
    }
    let mut issuers: BTreeSet<String> = when.issuer.iter().map(ToString::to_string).collect();
    let of_course = |course: &Name| course.as_str().split(':').next().unwrap_or_default().to_owned();
    issuers.extend(when.course.iter().map(of_course));
    let mut open: Vec<&Bundle> = rule.bundle.iter().collect();
    while let Some(bundle) = open.pop() {
        issuers.extend(bundle.course.iter().map(of_course));
        if let Some(record) = &bundle.record {
            issuers.extend(record.issuer.iter().map(ToString::to_string));
            issuers.extend(record.issuer_group.iter().map(ToString::to_string));
        }
        let nested = bundle.n_of.iter().flat_map(|of| &of.of);
        open.extend(bundle.all.iter().chain(&bundle.any).flatten().chain(nested));
    }
    if !issuers.is_empty() {
        return issuers.into_iter().map(plain).collect();
    }
    if !when.record_kind.is_empty() {
        return when.record_kind.iter().map(plain).collect();
    }
    let std = when.std.as_ref().and_then(|std| book.standards.get(std));
    vec![std.map_or_else(|| ("任何成果".to_owned(), "any record".to_owned()), |std| named(&std.label))]
}

/// What a rule's credit goes to.
fn targets(book: &Book, rule: &Rule) -> Vec<Words> {
    let mut found = Vec::new();
    for target in rule.award.iter().flat_map(|target| std::iter::once(target).chain(&target.one_of)) {
        found.extend(target.course.iter().map(plain));
        found.extend(target.pool.iter().map(|pool| requirement(book, pool)));
    }
    found
}

fn requirement(book: &Book, pool: &Name) -> Words {
    let mut all = book.programmes.values().flat_map(|programme| &programme.requirements);
    let own = all.find(|own| own.id == *pool || own.pool.iter().any(|other| other == pool));
    own.filter(|own| !own.labels.is_empty()).map_or_else(|| plain(pool), |own| named(&own.labels))
}
