//! What records grant, held against what is expected.

use super::{Found, names};
use crate::allocate::Allocated;
use crate::answer::{Offer, Place, Refusal};
use crate::book::Book;
use crate::cases::{Cases, ConvertCase, ConvertExpect, ExpectedItem, ExpectedOffer, ExpectedRefusal};
use crate::grade;
use crate::input::Record;
use crate::plan::Status;
use crate::program::Program;
use crate::value::{Credit, Many, Name, Symbol};

pub(super) fn compare(program: &Program, cases: &Cases, asked: &ConvertCase, found: &mut Found) {
    let Some(question) = cases.question(asked) else { return found.add("on", "a day", "none") };
    match program.allocate(&question) {
        Ok(allocated) => {
            offers(asked, &allocated.offers, found);
            refusals(asked, &allocated.refusals, found);
            plan(asked, &allocated, found);
            items(program.book(), asked, &allocated, found);
        }
        Err(error) => found.add("convert", "an answer", error),
    }
}

/// What the plan comes to.
fn plan(asked: &ConvertCase, allocated: &Allocated, found: &mut Found) {
    let ConvertExpect { credit, offers: _, items: _, refused: _, waived, completed, short, proven } =
        &asked.expect;
    found.asked("credit", credit.as_ref(), &Credit(allocated.credit_milli));
    let status = allocated.plan.status == Status::ProvenOptimal;
    found.asked("proven", proven.as_ref(), &status);
    let lines = allocated.grants.iter().flat_map(|grant| &grant.lines);
    let met: Vec<Name> = lines.filter(|line| line.waive).map(|line| name_of(&line.place).clone()).collect();
    let same = |one: &Name, other: &Name| one == other;
    let text = Name::to_string;
    found.among("waived", &waived.0, &met, same, (text, text));
    found.among("completed", &completed.0, &allocated.completed, same, (text, text));
    for (need, short) in short {
        let missing = allocated.missing.iter().find(|missing| missing.need == *need);
        let missing = missing.map(|missing| missing.credit).unwrap_or_default();
        found.same(&format!("short.{need}"), short, &missing);
    }
}

/// One grant of the plan.
struct Item<'a> {
    offer: &'a Offer,
    place: &'a Place,
    credit: Credit,
    grade: Option<String>,
}

/// What the plan grants, line by line.
fn items(book: &Book, asked: &ConvertCase, allocated: &Allocated, found: &mut Found) {
    let mut got = Vec::new();
    for grant in &allocated.grants {
        let Some(offer) = allocated.offers.get(grant.offer) else { continue };
        for line in &grant.lines {
            let records: Vec<&Record> =
                asked.records.iter().filter(|record| offer.records.contains(&record.id)).collect();
            let rule = book.rules.iter().find(|rule| rule.id == offer.rule);
            let written = rule.and_then(|rule| grade::written(book, rule, &line.place, &records));
            let grade = written.map(|written| match written {
                Ok((grade, _)) => grade.to_string(),
                Err(reason) => reason.code().to_owned(),
            });
            got.push(Item { offer, place: &line.place, credit: line.credit, grade });
        }
    }
    let fits = |one: &ExpectedItem, other: &Item<'_>| {
        one.rule.as_ref().is_none_or(|rule| *rule == other.offer.rule)
            && (one.records.is_empty() || sorted(&one.records) == other.offer.records)
            && one.place.as_ref().is_none_or(|place| place == other.place)
            && one.credit == other.credit
            && one.grade.as_ref().is_none_or(|grade| Some(grade.as_str()) == other.grade.as_deref())
    };
    let grade_text = |grade: Option<&str>| grade.map(|grade| format!(" grade {grade}")).unwrap_or_default();
    let wanted = |one: &ExpectedItem| {
        let rule = one.rule.clone().unwrap_or_default();
        let text = offer_text(&rule, one.credit, &one.records.0, one.place.iter());
        text + &grade_text(one.grade.as_ref().map(Symbol::as_str))
    };
    let told = |other: &Item<'_>| {
        let Item { offer, place, credit, grade } = other;
        offer_text(&offer.rule, *credit, &offer.records, std::iter::once(*place))
            + &grade_text(grade.as_deref())
    };
    found.among("items", &asked.expect.items, &got, fits, (wanted, told));
}

/// What an offer grants: the sum of its lines, or of alternatives what may be divided among them.
fn credit(offer: &Offer) -> Credit {
    let lines = offer.lines.iter().map(|line| line.credit.0);
    Credit(if offer.splittable {
        lines.max().unwrap_or_default()
    } else {
        lines.fold(0, i64::saturating_add)
    })
}

fn offers(asked: &ConvertCase, got: &[Offer], found: &mut Found) {
    let Some(expected) = &asked.expect.offers else { return };
    let fits = |one: &ExpectedOffer, other: &Offer| {
        one.rule == other.rule
            && one.credit == credit(other)
            && (one.records.is_empty() || sorted(&one.records) == other.records)
            && one.places.iter().all(|place| other.lines.iter().any(|line| line.place == *place))
    };
    let wanted = |one: &ExpectedOffer| offer_text(&one.rule, one.credit, &one.records.0, one.places.iter());
    let told = |offer: &Offer| {
        offer_text(&offer.rule, credit(offer), &offer.records, offer.lines.iter().map(|line| &line.place))
    };
    found.exactly("offers", expected, got, fits, (wanted, told));
}

fn refusals(asked: &ConvertCase, got: &[Refusal], found: &mut Found) {
    let fits = |one: &ExpectedRefusal, other: &Refusal| {
        one.record == other.record
            && one.rule.as_ref().is_none_or(|rule| other.rule.as_ref() == Some(rule))
            && one.reason == other.reason
            && one.detail.as_ref().is_none_or(|detail| other.detail.contains(detail.as_str()))
    };
    let text = |record: &Name, rule: Option<&Name>, reason: &str, detail: &str| {
        let rule = rule.map(|rule| format!(" by {rule}")).unwrap_or_default();
        let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
        format!("{record}{rule} {reason}{detail}")
    };
    let wanted = |one: &ExpectedRefusal| {
        let detail = one.detail.as_ref().map(ToString::to_string).unwrap_or_default();
        text(&one.record, one.rule.as_ref(), one.reason.code(), &detail)
    };
    let told = |other: &Refusal| text(&other.record, other.rule.as_ref(), other.reason.code(), &other.detail);
    found.among("refused", &asked.expect.refused, got, fits, (wanted, told));
}

fn sorted(list: &Many<Name>) -> Vec<Name> {
    let mut list = list.0.clone();
    list.sort_unstable();
    list
}

fn offer_text<'p>(
    rule: &Name,
    credit: Credit,
    records: &[Name],
    places: impl Iterator<Item = &'p Place>,
) -> String {
    let places: Vec<String> = places.map(place_text).collect();
    let records = if records.is_empty() { String::new() } else { format!(" of {}", names(records)) };
    let places = if places.is_empty() { String::new() } else { format!(" to {}", places.join(", ")) };
    format!("{rule} {credit}{records}{places}")
}

fn place_text(place: &Place) -> String {
    name_of(place).to_string()
}

fn name_of(place: &Place) -> &Name {
    match place {
        Place::Course(name) | Place::Requirement(name) | Place::Standard(name) => name,
    }
}
