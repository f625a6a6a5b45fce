//! Checks a record bundle against what is pinned of the ledger, and says what it proves to who is no engineer.

use super::super::Context;
use super::super::connect::trust;
use super::super::labels::{self, instant, record_kind, record_status, record_status_code};
use super::super::record::amount;
use super::super::recorded::witness_state;
use super::receipt::{OFFSET_MINUTES, tell_witnesses};
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::language::Phrase;
use crate::mapping::RECORD_KINDS;
use crate::output::thousandths;
use credit_log::container::BUNDLE_BYTES_MAX;
use credit_types::Text;
use credit_verify::{BundleFault, BundleRule, VerifiedBundle, verify_bundle};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Checks a bundle.
pub(super) fn run(context: &mut Context, file: &Path, trust_file: Option<&Path>) -> Ending {
    let trust = trust(context, trust_file)?;
    match verify_bundle(&read(file)?, &trust) {
        Ok(verified) => {
            let exit = tell(context, &verified);
            context.output.json(&document(&verified));
            Ok(exit)
        }
        Err(BundleFault::Newer { what }) => {
            let text = Phrase::NeedsNewer.text();
            context.output.text(&text);
            context.output.json(&json!({ "verdict": "NEEDS_NEWER_VERIFIER", "detail": what }));
            Ok(Exit::NeedsNewer)
        }
        Err(BundleFault::Broken { rule, detail }) => Ok(refused(context, rule, &detail)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let most = u64::try_from(BUNDLE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable(path))?;
    // One byte more than allowed is enough for the parser to refuse it by name.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable(path))?;
    Ok(bytes)
}

fn refused(context: &Context, rule: BundleRule, detail: &str) -> Exit {
    let text = Text {
        zh: Phrase::BundleBroken.with(&[&rule, &rule.zh(), &detail]).zh,
        en: Phrase::BundleBroken.with(&[&rule, &rule.en(), &detail]).en,
    };
    context.output.text(&text);
    context.output.json(&json!({
        "verdict": "BROKEN",
        "rule": rule.code(),
        "detail": detail,
        "message_zh": rule.zh(),
        "message_en": rule.en(),
    }));
    Exit::Broken
}

/// Says what a bundle proves and what it does not.
pub(in super::super) fn tell(context: &Context, verified: &VerifiedBundle) -> Exit {
    let output = &context.output;
    let language = output.language;
    let VerifiedBundle { checkpoint, receipt, issuer, issuer_name, facts, valid_until, .. } = verified;
    let VerifiedBundle { manifest_index, history_entries, details, status, .. } = verified;
    let (name, kind) = (language.of(issuer_name), record_kind(facts.kind));
    output.line(Phrase::BundleHolds, &[&checkpoint.origin]);
    let credit = amount(facts.amount.as_ref());
    output.line(Phrase::BundleRecord, &[&name, &issuer, &language.of(&kind), &credit, &facts.awarded_on]);
    if let Some(until) = valid_until {
        output.line(Phrase::BundleValidUntil, &[until]);
    }
    match details {
        Some(details) => {
            let title = language.of(&details.title);
            let score = details.score_milli.map(thousandths).unwrap_or_default();
            let places: [&dyn std::fmt::Display; 4] =
                [&title, &details.catalogue_ref, &score, &details.certificate_no];
            output.line(Phrase::RecordDetails, &places);
        }
        None => output.line(Phrase::BundleClosed, &[]),
    }
    output.line(Phrase::BundleSigned, &[&name, history_entries]);
    if let Some(index) = manifest_index {
        output.line(Phrase::BundleBatch, &[index]);
    }
    let recorded = instant(receipt.core.recorded_at_us, OFFSET_MINUTES);
    output.line(Phrase::BundleLogged, &[&receipt.core.index, &recorded]);
    let as_of = instant(status.recorded_at_us, OFFSET_MINUTES);
    let exit = if verified.in_force() {
        output.line(Phrase::BundleInForce, &[&as_of, &status.size]);
        Exit::Done
    } else {
        let word = record_status(status.status);
        output.line(Phrase::BundleNotInForce, &[&as_of, &status.size, &language.of(&word)]);
        if status.key_suspect {
            output.line(Phrase::RestsOnSuspectKey, &[]);
        }
        Exit::Refused
    };
    output.line(Phrase::BundleNotProved, &[]);
    output.line(Phrase::BundleLater, &[&as_of]);
    output.line(Phrase::BundlePerson, &[&facts.account_ref]);
    tell_witnesses(*output, &verified.receipt.witnesses);
    exit
}

/// The same as a document.
pub(in super::super) fn document(verified: &VerifiedBundle) -> Value {
    let VerifiedBundle { checkpoint, receipt, issuer, issuer_name, facts, valid_until, .. } = verified;
    let VerifiedBundle { supersedes, kid, manifest_index, history_entries, details, status, .. } = verified;
    let mut not_proved = vec!["LATER_CHANGES", "BEARER"];
    if !receipt.witnesses.are_enough() {
        not_proved.push("WITNESSES");
    }
    json!({
        "verdict": if verified.in_force() { "OK" } else { "NOT_IN_FORCE" },
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": credit_types::Digest(checkpoint.root).to_string(),
        "index": receipt.core.index,
        "recorded_at_us": receipt.core.recorded_at_us,
        "issuer_id": issuer.as_str(),
        "issuer_name": { "zh": issuer_name.zh, "en": issuer_name.en },
        "record_id": facts.record_id.to_string(),
        "account_ref": facts.account_ref.to_string(),
        "kind": labels::name_of(&RECORD_KINDS, facts.kind),
        "credit_scheme": facts.amount.as_ref().map(|amount| amount.scheme.as_str()),
        "credits_milli": facts.amount.as_ref().map(|amount| amount.credits.milli()),
        "awarded_on": facts.awarded_on.to_string(),
        "valid_until": valid_until.map(|date| date.to_string()),
        "supersedes": supersedes.map(|id| id.to_string()),
        "kid": kid.to_string(),
        "manifest_index": manifest_index,
        "history_entries": history_entries,
        "details": details.as_ref().map(|details| json!({
            "catalogue_ref": details.catalogue_ref,
            "title": { "zh": details.title.zh, "en": details.title.en },
            "score_milli": details.score_milli,
            "grade": details.grade,
            "term": details.term,
            "certificate_no": details.certificate_no,
        })),
        "status": record_status_code(status.status),
        "status_index": status.status_index,
        "status_as_of_us": status.recorded_at_us,
        "superseded_by": status.superseded_by.map(|id| id.to_string()),
        "key_suspect": status.key_suspect,
        "witness_state": witness_state(&receipt.witnesses),
        "not_proved": not_proved,
    })
}
