//! What is said of quotes and applications: what is proposed, where it stands, and why.

use super::documents::{self, item_document};
use super::no_page;
use super::quoted::Quoted;
use crate::commands::Context;
use crate::commands::labels::{application_status, conversion_purpose};
use crate::commands::recorded::with;
use crate::commands::rules::{decision_documents, decision_lines, read_book, render_explanation, spoken};
use crate::ending::{CommandError, Ending, Exit, unwritable};
use crate::language::Phrase;
use crate::output::thousandths;
use credit_client::{Client, ConversionView, OpenedConversion};
use credit_rules::award::{Measured, Part};
use credit_rules::book::{Book, Requirement};
use credit_rules::explain::Explanation;
use credit_rules::value::{Credit, Label};
use credit_types::{ApplicationStatus, BookName, ConversionPurpose, FrameworkId, ProposedItem, RecordName};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::Path;

/// Why an award is granted or not, as far as it is told here.
#[derive(Deserialize)]
struct AwardExplanation {
    verdict: Verdict,
}

/// How an award came out, as far as it is told here.
#[derive(Deserialize)]
struct Verdict {
    granted: bool,
    #[serde(default)]
    step: Option<String>,
    total: Credit,
    requirements: Vec<Outcome>,
}

/// How a requirement came out; an alternative has no name.
#[derive(Deserialize)]
struct Outcome {
    requirement: String,
    met: bool,
    parts: Vec<Part>,
    any_of: Vec<Outcome>,
}

/// Why, as it was read.
enum Why {
    /// Of credit.
    Credit(Box<Book>, Box<Explanation>),
    /// Of an award.
    Award(Box<Book>, Verdict),
    /// There is no explanation: it was erased, or the book could not be applied.
    Nothing,
}

/// Reads why, with the book that it is about.
async fn why(
    client: &Client,
    purpose: ConversionPurpose,
    book_id: &FrameworkId,
    version: u32,
    explanation: &[u8],
) -> Result<Why, CommandError> {
    let newer = |cause: serde_json::Error| {
        CommandError::new(Exit::NeedsNewer, Phrase::ConvertUnexplained, &[]).because(cause)
    };
    if explanation.is_empty() {
        return Ok(Why::Nothing);
    }
    match purpose {
        ConversionPurpose::Credit => {
            let explanation: Explanation = serde_json::from_slice(explanation).map_err(newer)?;
            let (_, book) = read_book(client, book_id, version).await?;
            Ok(Why::Credit(Box::new(book), Box::new(explanation)))
        }
        ConversionPurpose::Award => {
            let AwardExplanation { verdict } = serde_json::from_slice(explanation).map_err(newer)?;
            let (_, book) = read_book(client, book_id, version).await?;
            Ok(Why::Award(Box::new(book), verdict))
        }
    }
}

/// Says why, and writes the page.
fn tell_why(
    context: &Context,
    why: &Why,
    target: &BookName,
    html: Option<&Path>,
) -> Result<Value, CommandError> {
    match why {
        Why::Credit(book, explanation) => {
            context.output.raw_line("");
            decision_lines(context, book, explanation);
            if let Some(path) = html {
                let page = render_explanation(book, explanation, context.output.language);
                std::fs::write(path, page).map_err(unwritable(path))?;
                context.output.line(Phrase::RulesPageWritten, &[&path.display()]);
            }
            Ok(decision_documents(book, explanation))
        }
        Why::Award(book, verdict) => {
            if html.is_some() {
                return Err(no_page());
            }
            tell_verdict(context, book, target, verdict);
            Ok(json!({}))
        }
        Why::Nothing => {
            context.output.line(Phrase::ConvertNotExplained, &[]);
            Ok(json!({}))
        }
    }
}

/// How an award came out.
fn tell_verdict(context: &Context, book: &Book, target: &BookName, verdict: &Verdict) {
    let output = context.output;
    let award = book.awards.iter().find(|award| award.id.as_str() == target.as_str());
    let programme = award.and_then(|award| book.programmes.get(award.programme.as_ref()?));
    output.raw_line("");
    let phrase = if verdict.granted { Phrase::AwardFulfilled } else { Phrase::AwardNotFulfilled };
    output.line(phrase, &[&thousandths(verdict.total.0)]);
    if let Some(step) = &verdict.step {
        let steps = award.map(|award| award.ladder.as_slice()).unwrap_or_default();
        let known = steps.iter().find(|known| known.id.as_str() == step);
        let label = known.map(|known| labelled(context, &known.labels, step));
        output.line(Phrase::AwardStep, &[label.as_ref().unwrap_or(step)]);
    }
    let mut rows = Vec::new();
    // The verdict has them in the book's order: the award's own, then the programme's.
    let own = award.map(|award| award.requirements.as_slice()).unwrap_or_default();
    let all =
        own.iter().chain(programme.map(|programme| programme.requirements.as_slice()).unwrap_or_default());
    let all: Vec<&Requirement> = all.collect();
    outcomes(context, &verdict.requirements, &all, "", &mut rows);
    if !rows.is_empty() {
        let header = [Phrase::ColumnRequirement, Phrase::ColumnMet, Phrase::ColumnHave, Phrase::ColumnNeed];
        output.table(&header, &rows);
    }
}

/// Requirements and their parts, one row each, alternatives below what they are alternatives of.
fn outcomes(
    context: &Context,
    all: &[Outcome],
    of: &[&Requirement],
    indent: &str,
    rows: &mut Vec<Vec<String>>,
) {
    let language = context.output.language;
    for (at, Outcome { requirement, met, parts, any_of }) in all.iter().enumerate() {
        let in_book = of.get(at).filter(|one| one.id.as_str() == requirement);
        let name = in_book.map(|one| labelled(context, &one.labels, requirement));
        let name = name.unwrap_or_else(|| requirement.clone());
        let met = if *met { Phrase::AwardMet } else { Phrase::AwardOpen }.text();
        let mut row = vec![format!("{indent}{name}"), language.of(&met).to_owned()];
        let amount = |measured: Measured, count: i64| match measured {
            Measured::Credit => thousandths(count),
            Measured::Minutes => format!("{}:{:02}", count / 60, count % 60),
            Measured::Records | Measured::Courses => count.to_string(),
        };
        let have: Vec<String> = parts.iter().map(|part| amount(part.measured, part.have)).collect();
        let need: Vec<String> = parts.iter().map(|part| amount(part.measured, part.need)).collect();
        row.extend([have.join(", "), need.join(", ")]);
        rows.push(row);
        let alternatives: Vec<&Requirement> = in_book.iter().flat_map(|one| &one.any_of).collect();
        outcomes(context, any_of, &alternatives, &format!("{indent}  "), rows);
    }
}

/// What a book calls something, with its id; an alternative may have neither.
fn labelled(context: &Context, label: &Label, id: &str) -> String {
    let text = label.text(spoken(context.output.language));
    match (text.is_empty(), id.is_empty()) {
        (true, true) => "-".to_owned(),
        (true, false) => id.to_owned(),
        (false, true) => text.to_owned(),
        (false, false) => format!("{text} ({id})"),
    }
}

/// The items of a proposal, as a table.
fn tell_items(context: &Context, items: &[ProposedItem], records: &[RecordName]) {
    if items.is_empty() {
        return;
    }
    let source = |position: &u32| {
        let name = usize::try_from(*position).ok().and_then(|at| records.get(at));
        name.map_or_else(|| position.to_string(), |name| name.record_id.to_string())
    };
    let row = |(position, item): (u32, &ProposedItem)| {
        let sources: Vec<String> = item.sources.iter().map(source).collect();
        vec![
            position.to_string(),
            item.rule.to_string(),
            item.place.name().to_string(),
            item.credits.map_or_else(|| "-".to_owned(), |credits| thousandths(credits.milli())),
            item.scheme.to_string(),
            sources.join(" "),
        ]
    };
    let rows: Vec<Vec<String>> = (0u32..).zip(items).map(row).collect();
    let header = [
        Phrase::ColumnPosition,
        Phrase::ColumnRule,
        Phrase::ColumnPlace,
        Phrase::ColumnCredits,
        Phrase::ColumnScheme,
        Phrase::ColumnRecord,
    ];
    context.output.table(&header, &rows);
}

/// Says what would be granted, and why. The command is refused where the application would be.
pub(in crate::commands) async fn quote(
    context: &Context,
    client: &Client,
    quoted: &Quoted,
    html: Option<&Path>,
) -> Ending {
    let Quoted { account, purpose, book_id, target, particulars: _, quote } = quoted;
    let output = context.output;
    let what = conversion_purpose(*purpose);
    let places: [&dyn Display; 6] = [
        &output.language.of(&what),
        target,
        &quote.institution_id,
        book_id,
        &quote.version,
        &quote.records.len(),
    ];
    output.line(Phrase::ConvertQuoted, &places);
    tell_items(context, &quote.items, &quote.records);
    if quoted.would_be_made() {
        let phrase = if quote.automatic { Phrase::ConvertAutomatic } else { Phrase::ConvertByOfficer };
        output.line(phrase, &[&quote.institution_id]);
    }
    let why = why(client, *purpose, book_id, quote.version, &quote.explanation).await?;
    let sentences = tell_why(context, &why, target, html)?;
    let refusal = quote.refusal.as_ref();
    output.json(&with(
        json!({
            "account_ref": account.to_string(),
            "purpose": crate::commands::labels::conversion_purpose_code(*purpose),
            "institution_id": quote.institution_id.as_str(),
            "book_id": book_id.as_str(),
            "version": quote.version,
            "target": target.as_str(),
            "records": quote.records.iter().map(documents::record_name).collect::<Vec<_>>(),
            "items": quote.items.iter().map(item_document).collect::<Vec<_>>(),
            "automatic": quote.automatic,
            "refusal": refusal.map(|refusal| json!({ "reason": refusal.reason, "message": refusal.message })),
            "explanation": parsed(&quote.explanation),
        }),
        sentences,
    ));
    match refusal {
        Some(refusal) => output.line(Phrase::ConvertWouldBeRefused, &[&refusal.message, &refusal.reason]),
        None if quote.items.is_empty() => output.line(Phrase::ConvertNothing, &[]),
        None => {}
    }
    Ok(if quoted.would_be_made() { Exit::Done } else { Exit::Refused })
}

/// An explanation as it was made; null where there is none.
fn parsed(explanation: &[u8]) -> Value {
    serde_json::from_slice(explanation).unwrap_or(Value::Null)
}

/// Says what an application asks for, where it stands, and why it is so.
pub(in crate::commands) async fn application(
    context: &Context,
    client: &Client,
    opened: &OpenedConversion,
    html: Option<&Path>,
) -> Ending {
    let OpenedConversion { view, explanation, precedents } = opened;
    let output = context.output;
    let language = output.language;
    let request = &view.request;
    let (what, status) = (conversion_purpose(request.purpose), application_status(view.status));
    let places: [&dyn Display; 4] =
        [&view.application, &language.of(&what), &request.target, &language.of(&status)];
    output.line(Phrase::ApplicationShown, &places);
    let places: [&dyn Display; 4] =
        [&request.institution_id, &request.account_ref, &request.book.book_id, &request.book.version];
    output.line(Phrase::ApplicationFacts, &places);
    tell_items(context, &view.items, &request.records);
    for step in &view.steps {
        output.line(
            Phrase::ApplicationStepShown,
            &[&step.index, &language.of(&application_status(step.status))],
        );
    }
    for granted in &view.granted {
        let credits = granted.credits.map_or_else(|| "-".to_owned(), |credits| thousandths(credits.milli()));
        output.line(Phrase::ApplicationGranted, &[&granted.position, &credits, &granted.record_id]);
    }
    let provisional = view.status == ApplicationStatus::Provisional;
    if let Some(until) = view.provisional_until.filter(|_| provisional) {
        output.line(Phrase::ApplicationProvisional, &[&until]);
    }
    if let Some(index) = view.auto_approval {
        output.line(Phrase::ApplicationAutomatic, &[&index]);
    }
    if view.review_due {
        output.line(Phrase::ApplicationReviewDue, &[]);
    }
    if !precedents.is_empty() {
        let precedents: Vec<String> = precedents.iter().map(u64::to_string).collect();
        output.line(Phrase::ApplicationPrecedents, &[&precedents.join(", ")]);
    }
    output.line(Phrase::ApplicationProved, &[]);
    let explanation = explanation.as_deref().unwrap_or_default();
    let book = &request.book;
    let why = why(client, request.purpose, &book.book_id, book.version, explanation).await?;
    let sentences = tell_why(context, &why, &request.target, html)?;
    let more = json!({ "explanation": parsed(explanation), "precedents": precedents, "proved": true });
    output.json(&with(with(documents::application(view), more), sentences));
    Ok(Exit::Done)
}

/// Applications as a table.
pub(super) fn applications(context: &Context, found: &[ConversionView]) {
    let language = context.output.language;
    if found.is_empty() {
        context.output.line(Phrase::ApplicationsNone, &[]);
        return;
    }
    let row = |view: &ConversionView| {
        let review = if view.review_due { " !" } else { "" };
        vec![
            view.application.to_string(),
            language.of(&conversion_purpose(view.request.purpose)).to_owned(),
            view.request.target.to_string(),
            view.request.institution_id.to_string(),
            view.request.account_ref.to_string(),
            view.items.len().to_string(),
            format!("{}{review}", language.of(&application_status(view.status))),
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let header = [
        Phrase::ColumnApplication,
        Phrase::ColumnKind,
        Phrase::ColumnTarget,
        Phrase::ColumnInstitution,
        Phrase::ColumnAccount,
        Phrase::ColumnItems,
        Phrase::ColumnStatus,
    ];
    context.output.table(&header, &rows);
    let due = found.iter().any(|view| view.review_due);
    if due {
        context.output.line(Phrase::ApplicationReviewDue, &[]);
    }
}
