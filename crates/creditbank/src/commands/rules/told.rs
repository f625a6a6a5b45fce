//! What is said of a book: findings with their places, sentences, decisions, differences.

use super::super::Context;
use super::load::{Faults, Loaded};
use crate::ending::Exit;
use crate::language::{Language, Phrase};
use credit_rules::book::Book;
use credit_rules::diff::Difference;
use credit_rules::explain::Explanation;
use credit_rules::finding::{Document, Finding, Severity};
use credit_rules::sentence::{Decision, Grid, Section, Told, decision as sentences_of, sentences};
use credit_rules::value;
use serde_json::{Value, json};

/// The language of sentences.
pub(in super::super) fn spoken(language: Language) -> value::Language {
    match language {
        Language::Zh => value::Language::Zh,
        Language::En => value::Language::En,
    }
}

/// Which book it is.
pub(super) fn identity(loaded: &Loaded) -> Value {
    let book = &loaded.book;
    let labels = &book.labels;
    json!({
        "id": book.id, "version": book.version, "title": { "zh": labels.zh, "en": labels.en },
        "rules": book.rules.len(), "sha256": loaded.hash().to_string(),
    })
}

/// Says which book it is.
pub(super) fn about(context: &Context, loaded: &Loaded) {
    let (book, hash) = (&loaded.book, loaded.hash());
    let title = book.labels.text(spoken(context.output.language));
    let places: [&dyn std::fmt::Display; 5] = [&title, &book.id, &book.version, &book.rules.len(), &hash];
    context.output.line(Phrase::RulesBook, &places);
}

/// Says what is wrong with what could not be read.
pub(super) fn faults(context: &Context, faults: &Faults) -> Exit {
    checked(context, None, faults)
}

/// Says what was found, and how many of each weight.
pub(super) fn checked(context: &Context, loaded: Option<&Loaded>, faults: &Faults) -> Exit {
    let output = context.output;
    let mut documents = Vec::new();
    for finding in &faults.findings {
        let place = place(faults, finding);
        let weight = match finding.severity {
            Severity::Error => Phrase::RulesError,
            Severity::Warning => Phrase::RulesWarning,
        }
        .text();
        let language = spoken(output.language);
        let places: [&dyn std::fmt::Display; 6] = [
            &place,
            &output.language.of(&weight),
            &finding.code.code(),
            &finding.path,
            &finding.message.text(language),
            &finding.remedy.text(language),
        ];
        output.line(Phrase::RulesFinding, &places);
        let mut document = serde_json::to_value(finding).unwrap_or_default();
        if let Value::Object(fields) = &mut document {
            fields.insert("file".to_owned(), json!(file(faults, finding)));
        }
        documents.push(document);
    }
    let errors = faults.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = faults.findings.len().saturating_sub(errors);
    output.line(Phrase::RulesChecked, &[&errors, &warnings]);
    output.json(&json!({
        "book": loaded.map(identity), "errors": errors, "warnings": warnings, "findings": documents,
    }));
    if errors == 0 { Exit::Done } else { Exit::Refused }
}

/// The file that a finding is about.
fn file(faults: &Faults, finding: &Finding) -> String {
    let cases = faults.cases.as_ref().filter(|_| finding.document == Document::Cases);
    cases.unwrap_or(&faults.book).display().to_string()
}

/// `file:line:column`, as editors read it.
fn place(faults: &Faults, finding: &Finding) -> String {
    let file = file(faults, finding);
    match finding.place {
        Some(span) => format!("{file}:{}:{}", span.line, span.column),
        None => file,
    }
}

/// A book in sentences.
pub(super) fn book(context: &Context, loaded: &Loaded) {
    let output = context.output;
    let in_language = |language| sentences(&loaded.book, language);
    for section in in_language(spoken(output.language)) {
        output.raw_line(&format!("\n{}", section.heading));
        for line in &section.lines {
            output.raw_line(&format!("  {line}"));
        }
        for table in &section.tables {
            output.raw_line("");
            output.grid(&table.header, &table.rows);
        }
    }
    let told = |language| in_language(language).iter().map(section_json).collect::<Vec<_>>();
    output.json(&json!({
        "book": identity(loaded),
        "zh": told(value::Language::Zh), "en": told(value::Language::En),
    }));
}

fn section_json(section: &Section) -> Value {
    let Section { subject: _, heading, lines, tables } = section;
    let tables: Vec<Value> =
        tables.iter().map(|Grid { header, rows }| json!({ "header": header, "rows": rows })).collect();
    json!({ "heading": heading, "lines": lines, "tables": tables })
}

/// A decision in sentences.
pub(super) fn decision(context: &Context, loaded: &Loaded, explanation: &Explanation) {
    decision_lines(context, &loaded.book, explanation);
    let mut document = decision_documents(&loaded.book, explanation);
    if let Value::Object(fields) = &mut document {
        fields.insert("book".to_owned(), identity(loaded));
        fields.insert("explanation".to_owned(), json!(explanation));
    }
    context.output.json(&document);
}

/// A decision in sentences, for people only.
pub(in super::super) fn decision_lines(context: &Context, book: &Book, explanation: &Explanation) {
    let output = context.output;
    let in_language = |language| sentences_of(book, explanation, language);
    let Decision { summary, items, rejected, gap } = in_language(spoken(output.language));
    for line in &summary {
        output.raw_line(line);
    }
    for Told { heading, lines } in &items {
        output.raw_line(&format!("\n{heading}"));
        for line in lines {
            output.raw_line(&format!("  {line}"));
        }
    }
    for (phrase, lines) in [(Phrase::RulesNotUsed, &rejected), (Phrase::RulesOpen, &gap)] {
        if !lines.is_empty() {
            output.raw_line("");
            output.line(phrase, &[]);
        }
        for line in lines {
            output.raw_line(&format!("  {line}"));
        }
    }
}

/// The sentences of a decision in both languages, for programs.
pub(in super::super) fn decision_documents(book: &Book, explanation: &Explanation) -> Value {
    let told = |language| decision_json(&sentences_of(book, explanation, language));
    json!({ "zh": told(value::Language::Zh), "en": told(value::Language::En) })
}

fn decision_json(decision: &Decision) -> Value {
    let Decision { summary, items, rejected, gap } = decision;
    let items: Vec<Value> =
        items.iter().map(|Told { heading, lines }| json!({ "heading": heading, "lines": lines })).collect();
    json!({ "summary": summary, "items": items, "rejected": rejected, "gap": gap })
}

/// What differs between two versions.
pub(super) fn differences(context: &Context, found: &[Difference]) {
    let (output, language) = (context.output, spoken(context.output.language));
    if found.is_empty() {
        output.line(Phrase::RulesSame, &[]);
    }
    for difference in found {
        output.raw_line(difference.says.text(language));
        for field in &difference.fields {
            output.raw_line(&format!("  {}", field.says.text(language)));
        }
    }
}
