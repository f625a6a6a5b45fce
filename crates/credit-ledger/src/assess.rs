//! What a rule book grants for records of the log: rows and details become the engine's question, and its answer becomes
//! the items of a proposal.
//!
//! A record's id in a question is `issuer:` and its 32 digits, its ladder is its framework, and its course is `issuer:` and
//! its catalogue reference. A standard of a book is the scheme of its name in capitals, with `_` for what a scheme's name
//! can't have: `uk-cats` is `UK_CATS`. What no record says comes from the particulars: facts under
//! the names `content_match`, `assessment` and `project` are the record's own, all others are the rule's.

mod award;

use crate::row::{RecordRow, UsesRow};
use crate::view::View;
use credit_rules::allocate::Allocated;
use credit_rules::answer::Place;
use credit_rules::book::{
    Award, Book, Consumption as InBook, HourName, KindName, LevelValue, ModeName, Number, Rule, SelectBy,
};
use credit_rules::explain::explain;
use credit_rules::input::{FactValue, Learner, Question, Record, Use};
use credit_rules::program::Program;
use credit_rules::value::{Credit, Day, Many, Name, Percent, Time};
use credit_types::limits::{APPLICATION_ITEMS_MAX, EXPLANATION_BYTES_MAX};
use credit_types::{
    BookCheck, BookDate, BookName, BookVersion, CivilDate, Consumption, ConversionParticulars,
    ConversionPurpose, ConversionRequest, ConvertedPlace, Credits, Digest, FrameworkId, InstitutionId,
    PassState, ProposedItem, Reason, RecordDetails, RecordName, Rejection, SchemeId,
};
use std::collections::BTreeMap;

/// What stands beside the rows: the book, and what the vault says of the learner's records.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// The book, made ready.
    pub program: &'a Program,
    /// SHA-256 of its canonical JSON.
    pub digest: Digest,
    /// The details of the request's records, in their order; of a record that an application granted there are none.
    pub details: &'a [Option<RecordDetails>],
    /// What the learner states.
    pub particulars: &'a ConversionParticulars,
}

/// What was reckoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reckoned {
    /// What is proposed; empty where nothing is granted.
    pub items: Vec<ProposedItem>,
    /// Why nothing is granted, where nothing is.
    pub refusal: Option<Rejection>,
    /// The explanation: canonical JSON. Empty where the book could not be applied.
    pub explanation: Vec<u8>,
}

/// Whose a programme or award is; `None` where the book has none of that name.
pub fn owner(book: &Book, purpose: ConversionPurpose, target: &BookName) -> Option<InstitutionId> {
    let name = match purpose {
        ConversionPurpose::Credit => &book.programmes.get(target.as_str())?.institution,
        ConversionPurpose::Award => &award_of(book, target)?.institution,
    };
    InstitutionId::new(name.as_str()).ok()
}

fn award_of<'b>(book: &'b Book, target: &BookName) -> Option<&'b Award> {
    book.awards.iter().find(|award| award.id.as_str() == target.as_str())
}

/// Whether the book leaves a proposal to the accepting institution's auto-approval.
pub fn automatic(book: &Book, items: &[ProposedItem]) -> bool {
    let rules: BTreeMap<&str, &Rule> = book.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let auto = |item: &ProposedItem| {
        rules.get(item.rule.as_str()).is_some_and(|rule| rule.auto && !rule.provisional)
    };
    !items.is_empty() && items.iter().all(auto)
}

/// Reckons what a request is granted. Its records and the account's uses must be loaded; a record that is not there, or
/// is another account's, is left out, for the decision refuses it by its own reason.
pub fn reckon(view: &View, today: CivilDate, request: &ConversionRequest, beside: Beside) -> Reckoned {
    match request.purpose {
        ConversionPurpose::Credit => credit(view, today, request, beside),
        ConversionPurpose::Award => award::award(view, today, request, beside),
    }
}

fn refused(refusal: Rejection) -> Reckoned {
    Reckoned { items: Vec::new(), refusal: Some(refusal), explanation: Vec::new() }
}

fn name(text: &str) -> Option<Name> {
    text.parse().ok()
}

/// A record's id in a question.
pub fn record_id(record: &RecordName) -> Option<Name> {
    name(&format!("{}:{}", record.issuer, record.record_id))
}

/// The scheme of a standard; `None` where its name is none of a scheme's even so.
pub fn scheme_of(std: &Name) -> Option<SchemeId> {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    SchemeId::new(std.as_str().chars().map(letter).collect::<String>()).ok()
}

/// The standard of a scheme in a book; where the book has none, the scheme's own name.
fn std_of(book: &Book, scheme: &SchemeId) -> Option<Name> {
    let known = book.standards.keys().find(|std| scheme_of(std).as_ref() == Some(scheme));
    known.cloned().or_else(|| name(scheme.as_str()))
}

/// The account's own records of a request, with their positions.
fn own<'v>(view: &'v View, request: &ConversionRequest) -> Vec<(usize, &'v RecordRow)> {
    let rows = request.records.iter().enumerate();
    rows.filter_map(|(at, record)| Some((at, view.record(&record.issuer, record.record_id)?)))
        .filter(|(_, row)| row.facts.account_ref == request.account_ref)
        .collect()
}

fn credit(view: &View, today: CivilDate, request: &ConversionRequest, beside: Beside) -> Reckoned {
    let book = beside.program.book();
    let Some(programme) = name(request.target.as_str()) else {
        return refused(Rejection::new(Reason::TargetUnknown).field("target"));
    };
    let Some(std) = book.programmes.get(&programme).map(|programme| programme.std.clone()) else {
        return refused(Rejection::new(Reason::TargetUnknown).field("target"));
    };
    let of = |(at, row): (usize, &RecordRow)| record(row, at, beside);
    let records: Vec<Record> = own(view, request).into_iter().filter_map(of).collect();
    let positions: BTreeMap<Name, u32> = (0u32..)
        .zip(&request.records)
        .filter_map(|(position, record)| Some((record_id(record)?, position)))
        .collect();
    let particulars = beside.particulars;
    let question = Question {
        on: Day(today),
        programme: Some(programme),
        learner: Learner {
            born_on: particulars.born_on.map(Day),
            enrolled_on: particulars.enrolled_on.map(Day),
            met: Many(particulars.met.iter().filter_map(|met| name(met.as_str())).collect()),
        },
        records,
        uses: view.uses(request.account_ref).map(uses).unwrap_or_default(),
    };
    let allocated = match beside.program.allocate(&question) {
        Ok(allocated) => allocated,
        Err(error) => {
            return refused(Rejection::new(Reason::EngineRefused).field("records").detail(error.to_string()));
        }
    };
    let told = explain(beside.program, beside.digest, &question, &allocated);
    let explanation = told.canonical();
    let items = proposed(book, request, &allocated, &positions, &std);
    let refusal = match items {
        None => Some(
            Rejection::new(Reason::EngineRefused).field("book").detail("grants what this ledger can't hold"),
        ),
        Some(ref items) if items.is_empty() => Some(nothing(&allocated)),
        Some(ref items) if items.len() > APPLICATION_ITEMS_MAX => {
            let detail = format!(
                "{} items, {APPLICATION_ITEMS_MAX} are allowed: apply with fewer records",
                items.len()
            );
            Some(Rejection::new(Reason::EngineRefused).field("records").detail(detail))
        }
        Some(_) => too_large(&explanation),
    };
    Reckoned { items: items.unwrap_or_default(), refusal, explanation }
}

fn too_large(explanation: &[u8]) -> Option<Rejection> {
    let detail = || format!("{} bytes, {EXPLANATION_BYTES_MAX} are allowed", explanation.len());
    let over = explanation.len() > EXPLANATION_BYTES_MAX;
    over.then(|| Rejection::new(Reason::ExplanationTooLarge).field("records").detail(detail()))
}

/// Why nothing is granted: the nearest miss in the words of the book, or the first refusal.
fn nothing(allocated: &Allocated) -> Rejection {
    let near = allocated.refusals.iter().find(|refusal| refusal.near_miss);
    let first = near.or_else(|| allocated.refusals.first());
    let detail = first.map(|refusal| {
        let rule = refusal.rule.as_ref().map(|rule| format!(" by {rule}")).unwrap_or_default();
        let of = if refusal.detail.is_empty() { String::new() } else { format!(" ({})", refusal.detail) };
        format!("{}: {}{rule}{of}", refusal.record, refusal.reason.code())
    });
    let rejection = Rejection::new(Reason::NothingGranted).field("records");
    match detail {
        Some(detail) => rejection.detail(detail),
        None => rejection,
    }
}

/// The items of what was granted; `None` where a name or an amount is none of this ledger's.
fn proposed(
    book: &Book,
    request: &ConversionRequest,
    allocated: &Allocated,
    positions: &BTreeMap<Name, u32>,
    std: &Name,
) -> Option<Vec<ProposedItem>> {
    let rules: BTreeMap<&Name, &Rule> = book.rules.iter().map(|rule| (&rule.id, rule)).collect();
    let ends = book.awards.iter().filter(|award| {
        award.programme.as_ref().is_some_and(|programme| programme.as_str() == request.target.as_str())
    });
    let level = ends.into_iter().find_map(|award| award.level.as_ref()).map(book_name);
    let award_level = match level {
        Some(level) => Some(level?),
        None => None,
    };
    let mut items = Vec::new();
    for grant in &allocated.grants {
        let offer = allocated.offers.get(grant.offer)?;
        let rule = rules.get(&offer.rule)?;
        let mut sources =
            offer.records.iter().map(|id| positions.get(id).copied()).collect::<Option<Vec<u32>>>()?;
        sources.sort_unstable();
        for line in &grant.lines {
            let (place, std) = match &line.place {
                Place::Course(course) => (ConvertedPlace::Course(book_name(course)?), std),
                Place::Requirement(requirement) => {
                    (ConvertedPlace::Requirement(book_name(requirement)?), std)
                }
                Place::Standard(standard) => (ConvertedPlace::Standard(book_name(standard)?), standard),
            };
            let credits = match line.credit.0 {
                0 => None,
                milli => Some(Credits::from_milli(milli).ok()?),
            };
            items.push(ProposedItem {
                rule: book_name(&rule.id)?,
                rule_kind: Some(book_name(&rule.kind)?),
                place,
                scheme: scheme_of(std)?,
                credits,
                sources: sources.clone(),
                consumption: consumption(rule.consumption),
                programme: Some(request.target.clone()),
                award_level: award_level.clone(),
            });
        }
    }
    Some(items)
}

fn book_name(name: &Name) -> Option<BookName> {
    BookName::new(name.as_str()).ok()
}

fn consumption(of: InBook) -> Consumption {
    match of {
        InBook::ConsumeGlobal => Consumption::Global,
        InBook::OnceForAllDegrees => Consumption::OnceForAllDegrees,
        InBook::ExclusivePerProgramme => Consumption::PerProgramme,
        InBook::ExclusivePerAwardLevel => Consumption::PerAwardLevel,
        InBook::NonConsuming => Consumption::None,
    }
}

fn in_book(of: Consumption) -> InBook {
    match of {
        Consumption::Global => InBook::ConsumeGlobal,
        Consumption::OnceForAllDegrees => InBook::OnceForAllDegrees,
        Consumption::PerProgramme => InBook::ExclusivePerProgramme,
        Consumption::PerAwardLevel => InBook::ExclusivePerAwardLevel,
        Consumption::None => InBook::NonConsuming,
    }
}

/// The account's earlier uses, as the engine asks for them.
fn uses(row: &UsesRow) -> Vec<Use> {
    let of = |earlier: &crate::row::RecordUse| {
        Some(Use {
            record: record_id(&earlier.record)?,
            consumption: in_book(earlier.consumption),
            programme: earlier.programme.as_ref().and_then(|programme| name(programme.as_str())),
            award_level: earlier.award_level.as_ref().and_then(|level| name(level.as_str())),
            rule: name(earlier.rule.as_str()),
            kind: earlier.rule_kind.as_ref().and_then(|kind| name(kind.as_str())),
            target: name(earlier.place.name().as_str()),
            issuer: name(earlier.record.issuer.as_str()),
            earned_on: Some(Day(earlier.earned_on)),
            credit: Some(Credit(earlier.credits_milli)),
        })
    };
    row.uses.iter().filter_map(of).collect()
}

/// A record as the engine asks for it; `None` where its details can't be read, for nothing is said of it then.
fn record(row: &RecordRow, at: usize, beside: Beside) -> Option<Record> {
    let details = beside.details.get(at)?.as_ref()?;
    let facts = &row.facts;
    let amount = facts.amount.as_ref();
    let stated = particular_facts(at, beside.particulars);
    let course = Some(&details.catalogue_ref).filter(|code| !code.is_empty());
    Some(Record {
        id: record_id(&row.name())?,
        issuer: name(row.issuer.as_str())?,
        kind: KindName(facts.kind),
        earned_on: Day(facts.awarded_on),
        course: course.and_then(|code| name(&format!("{}:{code}", row.issuer))),
        title: [&details.title.zh, &details.title.en].into_iter().find_map(|title| title.parse().ok()),
        subject: name(&facts.subject_code),
        occupation: name(&facts.occupation_code),
        lineage: name(&details.lineage_key),
        project: stated.get("project").and_then(|text| name(text)),
        credit: amount.map(|amount| Credit(amount.credits.milli())),
        std: amount.and_then(|amount| std_of(beside.program.book(), &amount.scheme)),
        hours: facts.minutes.map(|minutes| Time::Minutes(i64::from(minutes.minutes))),
        hour_kind: facts.minutes.map(|minutes| HourName(minutes.hour_kind)),
        level: facts.level.as_ref().map(|level| LevelValue(level.tenths)),
        ladder: facts.level.as_ref().and_then(|level| name(level.framework.as_str())),
        score: details.score_milli.map(Number),
        score_scale: name(&details.score_scale_id),
        grade: details.grade.parse().ok(),
        grade_scale: name(&details.grade_scale_id),
        // Thousandths to hundredths of a per cent.
        attendance: details
            .attendance_permille
            .map(|permille| Percent(i64::from(permille).saturating_mul(10))),
        passed: details.pass_state.map(|state| state == PassState::Passed),
        // A deposit is refused unless its issuer was accredited on the day of the award, and its issuer has signed it.
        recognised: true,
        verified: true,
        content_match: stated.get("content_match").and_then(|text| text.parse().ok()),
        assessment: stated.get("assessment").and_then(|text| name(text)),
        mode: details.mode.map(ModeName),
        renewed_on: None,
        recorded_on: None,
        valid_until: row.valid_until.map(Day),
        valid_for: None,
        facts: stated.iter().filter_map(|(fact, text)| Some((name(fact)?, fact_value(text)?))).collect(),
    })
}

/// What the learner states of the record at a position.
fn particular_facts(at: usize, particulars: &ConversionParticulars) -> BTreeMap<&str, &str> {
    let of_record = particulars.facts.iter().filter(|fact| usize::try_from(fact.record) == Ok(at));
    of_record.map(|fact| (fact.name.as_str(), fact.value.as_str())).collect()
}

fn fact_value(text: &str) -> Option<FactValue> {
    match text {
        "true" => Some(FactValue::Bool(true)),
        "false" => Some(FactValue::Bool(false)),
        _ => text.parse().map(FactValue::Number).ok().or_else(|| text.parse().map(FactValue::Word).ok()),
    }
}

/// What a book says of itself, as its publication has to say it; `None` where its id or version is none of a ledger's.
pub fn check_of(book: &Book, size_bytes: usize) -> Option<BookCheck> {
    Some(BookCheck {
        book: BookVersion { book_id: FrameworkId::new(book.id.as_str()).ok()?, version: book.version },
        size_bytes: u32::try_from(size_bytes).ok()?,
        effective_from: book.effective.from.map(|day| day.0),
        effective_until: book.effective.until.map(|day| day.0),
        select_by: match book.select_by {
            SelectBy::DecisionDate => BookDate::Decision,
            SelectBy::EarnedOn => BookDate::Earned,
            SelectBy::EnrolledOn => BookDate::Enrolled,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_kept_up_to_its_limit() {
        assert_eq!(too_large(&vec![b' '; EXPLANATION_BYTES_MAX]), None);
        let refused = too_large(&vec![b' '; EXPLANATION_BYTES_MAX + 1]).unwrap();
        assert_eq!(
            (refused.reason, refused.field.as_deref()),
            (Reason::ExplanationTooLarge, Some("records"))
        );
        assert_eq!(refused.detail.as_deref(), Some("1048577 bytes, 1048576 are allowed"));
    }

    #[test]
    fn a_fact_is_a_number_a_truth_or_a_word() {
        assert_eq!(fact_value("true"), Some(FactValue::Bool(true)));
        assert_eq!(fact_value("false"), Some(FactValue::Bool(false)));
        assert_eq!(fact_value("12.5"), Some(FactValue::Number(Number(12_500))));
        assert_eq!(fact_value("law"), Some(FactValue::Word("law".parse().unwrap())));
        assert_eq!(fact_value(""), None);
    }
}
