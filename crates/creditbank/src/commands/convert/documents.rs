//! Applications for programs: the same as people are told, as JSON.

use crate::commands::labels::{application_status_code, consumption_code, conversion_purpose_code};
use credit_client::{ApplicationStep, ConversionView};
use credit_types::{ConvertedPlace, Granted, ProposedItem, RecordName};
use serde_json::{Value, json};

/// An item of a proposal.
pub(in crate::commands) fn item_document(item: &ProposedItem) -> Value {
    let kind = match &item.place {
        ConvertedPlace::Course(_) => "COURSE",
        ConvertedPlace::Requirement(_) => "REQUIREMENT",
        ConvertedPlace::Standard(_) => "STANDARD",
    };
    json!({
        "rule": item.rule.as_str(),
        "rule_kind": item.rule_kind.as_ref().map(credit_types::BookName::as_str),
        "place_kind": kind,
        "place": item.place.name().as_str(),
        "credit_scheme": item.scheme.as_str(),
        "credits_milli": item.credits.map(credit_types::Credits::milli),
        "sources": item.sources,
        "consumption": consumption_code(item.consumption),
        "programme": item.programme.as_ref().map(credit_types::BookName::as_str),
        "award_level": item.award_level.as_ref().map(credit_types::BookName::as_str),
    })
}

/// What came into being, or is taken back.
pub(in crate::commands) fn granted_document(granted: &Granted) -> Value {
    json!({
        "record_id": granted.record_id.to_string(),
        "position": granted.position,
        "credits_milli": granted.credits.map(credit_types::Credits::milli),
    })
}

/// The name of a record.
pub(super) fn record_name(name: &RecordName) -> Value {
    json!({ "issuer_id": name.issuer.as_str(), "record_id": name.record_id.to_string() })
}

/// An application.
pub(super) fn application(view: &ConversionView) -> Value {
    let request = &view.request;
    let step = |step: &ApplicationStep| json!({ "index": step.index, "status": application_status_code(step.status) });
    json!({
        "application_index": view.application,
        "account_ref": request.account_ref.to_string(),
        "purpose": conversion_purpose_code(request.purpose),
        "institution_id": request.institution_id.as_str(),
        "book_id": request.book.book_id.as_str(),
        "version": request.book.version,
        "target": request.target.as_str(),
        "records": request.records.iter().map(record_name).collect::<Vec<_>>(),
        "items": view.items.iter().map(item_document).collect::<Vec<_>>(),
        "status": application_status_code(view.status),
        "steps": view.steps.iter().map(step).collect::<Vec<_>>(),
        "granted": view.granted.iter().map(granted_document).collect::<Vec<_>>(),
        "granted_on": view.granted_on.map(|day| day.to_string()),
        "provisional_until": view.provisional_until.map(|day| day.to_string()),
        "auto_approval_index": view.auto_approval,
        "explanation_commitment": view.explanation_commitment.to_string(),
        "last_entry": view.last_entry.to_string(),
        "review_due": view.review_due,
    })
}
