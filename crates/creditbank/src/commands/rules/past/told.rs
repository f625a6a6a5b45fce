//! What is said of past applications under two versions.

use super::{Both, Found, Granted, Looked, Outcome, Pair, Sums, Unreckoned, pairs};
use crate::commands::Context;
use crate::commands::labels::{consumption_code, conversion_purpose, conversion_purpose_code};
use crate::commands::recorded::with;
use crate::language::{Language, Phrase};
use crate::output::{Output, thousandths};
use credit_types::{BookName, Credits, ProposedItem, Rejection, SchemeId, Text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Display;

/// How many came out how.
struct Counts {
    same: usize,
    more: usize,
    less: usize,
    other: usize,
    unreckoned: usize,
}

impl Counts {
    fn of(found: &Found) -> Self {
        let count = |outcome: Outcome| {
            let came = found.looked.iter().filter_map(|one| one.came.as_ref().ok());
            came.filter(|both| both.outcome == outcome).count()
        };
        Self {
            same: count(Outcome::Same),
            more: count(Outcome::More),
            less: count(Outcome::Less),
            other: count(Outcome::Other),
            unreckoned: found.looked.iter().filter(|one| one.came.is_err()).count(),
        }
    }
}

/// Says which applications come out differently, which can't be reckoned, and how many of each.
pub(super) fn applications(context: &Context, book_id: &str, found: &Found) {
    let output = context.output;
    output.raw_line("");
    if found.all == 0 {
        output.line(Phrase::RulesPastNone, &[&book_id]);
        return;
    }
    for one in &found.looked {
        match &one.came {
            Ok(both) if both.outcome != Outcome::Same => differing(output, one, both),
            Ok(_) => {}
            Err(why) => {
                let why = because(why);
                let [index, day, purpose, target] = facts(output.language, one);
                let places: [&dyn Display; 5] = [&index, &day, &purpose, &target, &output.language.of(&why)];
                output.line(Phrase::RulesPastUnreckoned, &places);
            }
        }
    }
    let Counts { same, more, less, other, unreckoned } = Counts::of(found);
    let places: [&dyn Display; 8] =
        [&book_id, &found.all, &found.looked.len(), &same, &more, &less, &other, &unreckoned];
    output.line(Phrase::RulesPastCounts, &places);
    totals(output, found);
}

/// Index, day, kind and target of an application.
fn facts(language: Language, one: &Looked) -> [String; 4] {
    let day = one.day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    let purpose = language.of(&conversion_purpose(one.purpose)).to_owned();
    [one.index.to_string(), day, purpose, one.target.to_string()]
}

/// An application that comes out differently, with all its items.
fn differing(output: Output, one: &Looked, both: &Both) {
    let Both { outcome: _, old, new } = both;
    let language = output.language;
    let [index, day, purpose, target] = facts(language, one);
    let (before, after) = (sum(language, old), sum(language, new));
    let places: [&dyn Display; 6] = [&index, &day, &purpose, &target, &before, &after];
    output.line(Phrase::RulesPastDiffers, &places);
    for (granted, phrase) in [(old, Phrase::RulesPastOldNothing), (new, Phrase::RulesPastNewNothing)] {
        if let Some(refusal) = &granted.refusal {
            output.line(phrase, &[&language.of(&refused(refusal))]);
        }
    }
    let row = |pair: &Pair<'_>| {
        let item = pair.0.or(pair.1)?;
        let [before, after] = cells(language, pair);
        Some(vec![
            item.rule.to_string(),
            item.place.name().to_string(),
            item.scheme.to_string(),
            before,
            after,
        ])
    };
    let rows: Vec<Vec<String>> = pairs(old, new).iter().filter_map(row).collect();
    let header = [
        Phrase::ColumnRule,
        Phrase::ColumnPlace,
        Phrase::ColumnScheme,
        Phrase::ColumnBeforeVersion,
        Phrase::ColumnAfterVersion,
    ];
    output.table(&header, &rows);
    output.raw_line("");
}

/// What either version grants of an item; where the amount is the same and something else is not, that too.
fn cells(language: Language, (old, new): &Pair<'_>) -> [String; 2] {
    let amount = |item: &ProposedItem| match item.credits {
        Some(credits) => thousandths(credits.milli()),
        None => language.of(&Phrase::AwardMet.text()).to_owned(),
    };
    let more = matches!((old, new), (Some(old), Some(new)) if old != new && old.credits == new.credits);
    let cell = |item: Option<&ProposedItem>| match item {
        None => "-".to_owned(),
        Some(item) if more => {
            let named = [item.rule_kind.as_ref(), item.award_level.as_ref()].into_iter().flatten();
            let all: Vec<&str> =
                named.map(BookName::as_str).chain([consumption_code(item.consumption)]).collect();
            format!("{} ({})", amount(item), all.join(", "))
        }
        Some(item) => amount(item),
    };
    [cell(*old), cell(*new)]
}

/// What is granted in all.
fn sum(language: Language, granted: &Granted) -> String {
    let sums = granted.sums();
    if granted.items.is_empty() {
        return language.of(&Phrase::RulesPastNothing.text()).to_owned();
    }
    if sums.is_empty() {
        return language.of(&Phrase::RulesPastNoCredit.text()).to_owned();
    }
    let one = |(scheme, milli): (&SchemeId, &i64)| format!("{} {scheme}", thousandths(*milli));
    sums.iter().map(one).collect::<Vec<_>>().join(" + ")
}

/// The sums of all that was reckoned.
fn totals(output: Output, found: &Found) {
    let (mut before, mut after) = (Sums::new(), Sums::new());
    for both in found.looked.iter().filter_map(|one| one.came.as_ref().ok()) {
        for (granted, into) in [(&both.old, &mut before), (&both.new, &mut after)] {
            for (scheme, milli) in granted.sums() {
                let sum = into.entry(scheme).or_default();
                *sum = sum.saturating_add(milli);
            }
        }
    }
    let schemes: BTreeSet<&SchemeId> = before.keys().chain(after.keys()).collect();
    for scheme in schemes {
        let of = |sums: &Sums| thousandths(sums.get(scheme).copied().unwrap_or(0));
        output.line(Phrase::RulesPastSum, &[scheme, &of(&before), &of(&after)]);
    }
}

/// Why something is refused, in both languages.
fn refused(Rejection { reason, field: _, index: _, detail }: &Rejection) -> Text {
    match detail {
        Some(detail) => {
            Text { zh: format!("{}（{detail}）", reason.zh()), en: format!("{} ({detail})", reason.en()) }
        }
        None => Text { zh: reason.zh().to_owned(), en: reason.en().to_owned() },
    }
}

/// Why an application can't be reckoned again.
fn because(why: &Unreckoned) -> Text {
    match why {
        Unreckoned::Closed => Phrase::RulesPastClosed.text(),
        Unreckoned::Refused(refusal) => refused(refusal),
    }
}

/// What was found, for programs: what comes out the same is only counted.
pub(super) fn document(found: &Found) -> Value {
    let Counts { same, more, less, other, unreckoned } = Counts::of(found);
    let (mut differing, mut not) = (Vec::new(), Vec::new());
    for one in &found.looked {
        let facts = json!({
            "application_index": one.index, "day": one.day.map(|day| day.to_string()),
            "purpose": conversion_purpose_code(one.purpose), "target": one.target.as_str(),
            "filed_under_version": one.version,
        });
        match &one.came {
            Ok(Both { outcome: Outcome::Same, .. }) => {}
            Ok(both) => differing.push(with(facts, both_json(both))),
            Err(why) => {
                let reason = match why {
                    Unreckoned::Closed => "DETAILS_MISSING",
                    Unreckoned::Refused(refusal) => refusal.reason.name(),
                };
                let Text { zh, en } = because(why);
                not.push(with(facts, json!({ "reason": reason, "zh": zh, "en": en })));
            }
        }
    }
    json!({
        "applications": found.all, "looked_at": found.looked.len(),
        "counts": {
            "same": same, "more": more, "less": less, "other": other, "not_reckoned": unreckoned,
        },
        "differing": differing, "not_reckoned": not,
    })
}

fn both_json(Both { outcome, old, new }: &Both) -> Value {
    let items: Vec<Value> = pairs(old, new).iter().filter_map(pair_json).collect();
    json!({
        "outcome": outcome.code(), "items": items, "old": granted_json(old), "new": granted_json(new),
    })
}

fn granted_json(granted: &Granted) -> Value {
    let sums: Vec<Value> = granted
        .sums()
        .iter()
        .map(|(scheme, milli)| json!({ "scheme": scheme.as_str(), "credits_milli": milli }))
        .collect();
    let refusal = granted.refusal.as_ref().map(|refusal| {
        let Text { zh, en } = refused(refusal);
        json!({ "reason": refusal.reason.name(), "zh": zh, "en": en })
    });
    json!({ "sums": sums, "refusal": refusal })
}

fn pair_json(pair: &Pair<'_>) -> Option<Value> {
    let (old, new) = pair;
    let item = old.or(*new)?;
    let side = |item: Option<&ProposedItem>| {
        item.map(|item| {
            json!({
                "credits_milli": item.credits.map(Credits::milli),
                "rule_kind": item.rule_kind.as_ref().map(BookName::as_str),
                "award_level": item.award_level.as_ref().map(BookName::as_str),
                "consumption": consumption_code(item.consumption),
            })
        })
    };
    Some(json!({
        "rule": item.rule.as_str(), "place": item.place.name().as_str(), "scheme": item.scheme.as_str(),
        "sources": item.sources, "differs": old != new, "old": side(*old), "new": side(*new),
    }))
}
