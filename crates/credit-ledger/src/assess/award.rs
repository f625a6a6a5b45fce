//! Whether an award is reached, and by which records.

use super::{
    Beside, Reckoned, award_of, book_name, consumption, in_book, name, own, record, record_id, refused,
    scheme_of, too_large, uses,
};
use crate::row::{RecordRow, RecordUse, UsesRow};
use crate::view::View;
use credit_rules::award::{self as engine, Held, Verdict};
use credit_rules::book::{Award, Book};
use credit_rules::input::Use;
use credit_rules::value::{Credit, Day, Name};
use credit_types::{
    CivilDate, ConversionRequest, ConvertedPlace, ProposedItem, Reason, RecordName, Rejection,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Why an award is granted or not: the verdict with the records that it looked at.
#[derive(Serialize)]
struct AwardExplanation<'a> {
    book: String,
    as_of: Day,
    award: &'a Name,
    verdict: &'a Verdict,
    held: &'a [Held],
    used_before: &'a [Held],
}

/// Reckons whether an award is reached.
pub(super) fn award(view: &View, today: CivilDate, request: &ConversionRequest, beside: Beside) -> Reckoned {
    let book = beside.program.book();
    let Some(asked) = award_of(book, &request.target) else {
        return refused(Rejection::new(Reason::TargetUnknown).field("target"));
    };
    let empty = UsesRow::default();
    let row = view.uses(request.account_ref).unwrap_or(&empty);
    let earlier = uses(row);
    let mut positions = Vec::new();
    let (mut held, mut used) = (Vec::new(), Vec::new());
    for (at, one) in counted(view, request, beside, asked, row, today) {
        if one.is_used(asked, &earlier) {
            used.push(one);
        } else {
            positions.extend(u32::try_from(at));
            held.push(one);
        }
    }
    let Some(verdict) = engine::verdict(book, asked, Day(today), &held) else {
        return refused(
            Rejection::new(Reason::EngineRefused).field("records").detail("an amount does not fit"),
        );
    };
    let told = AwardExplanation {
        book: format!("sha256:{}", beside.digest),
        as_of: Day(today),
        award: &asked.id,
        verdict: &verdict,
        held: &held,
        used_before: &used,
    };
    // Texts, whole numbers and lists of them: nothing that could not be written.
    let explanation = serde_json_canonicalizer::to_vec(&told).unwrap_or_default();
    if !verdict.granted {
        let open: Vec<String> = verdict
            .requirements
            .iter()
            .filter(|outcome| !outcome.met)
            .map(|outcome| outcome.requirement.to_string())
            .collect();
        let detail = if open.is_empty() { "no step is reached".to_owned() } else { open.join(", ") };
        let refusal = Rejection::new(Reason::NothingGranted).field("records").detail(detail);
        return Reckoned { items: Vec::new(), refusal: Some(refusal), explanation };
    }
    match award_item(asked, &verdict, request, positions) {
        Some(item) => Reckoned { items: vec![item], refusal: too_large(&explanation), explanation },
        None => refused(
            Rejection::new(Reason::EngineRefused).field("book").detail("names what this ledger can't hold"),
        ),
    }
}

/// The one item of an award that is reached; `None` where a name is none of this ledger's.
fn award_item(
    asked: &Award,
    verdict: &Verdict,
    request: &ConversionRequest,
    sources: Vec<u32>,
) -> Option<ProposedItem> {
    let named = |name: Option<&Name>| match name {
        Some(name) => book_name(name).map(Some),
        None => Some(None),
    };
    Some(ProposedItem {
        rule: request.target.clone(),
        rule_kind: None,
        place: ConvertedPlace::Standard(book_name(verdict.step.as_ref().unwrap_or(&asked.id))?),
        scheme: scheme_of(&asked.std)?,
        credits: None,
        sources,
        consumption: consumption(asked.consumption),
        programme: named(asked.programme.as_ref())?,
        award_level: named(asked.level.as_ref())?,
    })
}

/// The records of a request that an award may count. One that ends a programme counts what its institution attests itself
/// and what was granted into the programme; any other counts every record. A record of which the grant is counted is not
/// counted once more.
fn counted(
    view: &View,
    request: &ConversionRequest,
    beside: Beside,
    asked: &Award,
    row: &UsesRow,
    today: CivilDate,
) -> Vec<(usize, Held)> {
    let book = beside.program.book();
    let records = own(view, request);
    let grant_of = |record_row: &RecordRow| {
        let name = record_row.name();
        row.uses.iter().find(|earlier| earlier.granted == name)
    };
    let into = |earlier: &RecordUse| match &asked.programme {
        Some(programme) => earlier.programme.as_ref().is_some_and(|own| own.as_str() == programme.as_str()),
        None => earlier.granted.issuer.as_str() == asked.institution.as_str(),
    };
    let grants = records.iter().filter_map(|(_, record_row)| grant_of(record_row)).filter(|use_| into(use_));
    let granted: BTreeSet<&RecordName> = grants.map(|earlier| &earlier.granted).collect();
    let sources: BTreeSet<&RecordName> = row
        .uses
        .iter()
        .filter(|earlier| granted.contains(&earlier.granted))
        .map(|earlier| &earlier.record)
        .collect();
    let one = |(at, record_row): (usize, &RecordRow)| {
        let name = record_row.name();
        let held = match grant_of(record_row) {
            Some(earlier) if into(earlier) => granted_held(book, asked, earlier, record_row, today),
            Some(_) => None,
            None if sources.contains(&name) => None,
            None if asked.programme.is_some() && name.issuer.as_str() != asked.institution.as_str() => None,
            None => record(record_row, at, beside).map(|record| Held::of_record(asked, &record)),
        };
        Some((at, held?))
    };
    records.into_iter().filter_map(one).collect()
}

/// What an application granted, as an award counts it: where it was put, by whom its source came from. Its credit counts
/// where it is in the award's standard.
fn granted_held(
    book: &Book,
    asked: &Award,
    first: &RecordUse,
    record_row: &RecordRow,
    today: CivilDate,
) -> Option<Held> {
    let own_standard = record_row
        .facts
        .amount
        .as_ref()
        .filter(|amount| Some(&amount.scheme) == scheme_of(&asked.std).as_ref());
    let grant = Use {
        record: record_id(&record_row.name())?,
        consumption: in_book(first.consumption),
        programme: None,
        award_level: None,
        rule: name(first.rule.as_str()),
        kind: first.rule_kind.as_ref().and_then(|kind| name(kind.as_str())),
        target: name(first.place.name().as_str()),
        issuer: name(first.record.issuer.as_str()),
        earned_on: Some(Day(record_row.facts.awarded_on)),
        credit: Some(Credit(own_standard.map_or(0, |amount| amount.credits.milli()))),
    };
    Some(Held::of_grant(book, asked, &grant, Day(today)))
}
