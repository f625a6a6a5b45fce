//! Applications: what they hold, what they use, what comes into being.

use super::{create, existing, post};
use crate::row::{
    ApplicationRow, Context, HeldRecord, RecordRow, RecordUse, Row, RowId, StatusStep, UsesRow,
};
use crate::view::View;
use credit_types::conversion::granted_facts;
use credit_types::{
    AccountRef, ApplicationStatus, Bucket, ConversionChange, ConversionRequest, Digest, Granted, Posting,
    ProposedItem, RecordMoved, RecordName, RecordStatus, Signed,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Credit or an award is applied for: its records are held.
pub(super) fn request(
    view: &mut View,
    context: &Context,
    statement: &Signed<ConversionRequest>,
    items: &[ProposedItem],
    explanation_commitment: Digest,
    moved: &[RecordMoved],
) {
    let Signed { header, body, signers } = statement;
    let Some(registrar) = header.signer.institution() else { unreachable!("a registrar is an institution") };
    let step = StatusStep {
        index: context.index,
        kid: existing(signers.first()),
        status: ApplicationStatus::UnderReview,
    };
    let row = ApplicationRow {
        request: body.clone(),
        registrar: registrar.clone(),
        statement_id: header.statement_id,
        items: items.to_vec(),
        explanation_commitment,
        requested_index: context.index,
        requested_at_us: context.recorded_at_us,
        status: ApplicationStatus::UnderReview,
        steps: vec![step],
        last_index: context.index,
        last_at_us: context.recorded_at_us,
        granted: Vec::new(),
        granted_on: None,
        provisional_until: None,
        auto_approval: None,
    };
    create(view, RowId::Application(context.index), Row::Application(Arc::new(row)));
    move_all(view, moved);
    let mut uses = uses_of(view, body.account_ref);
    uses.applications.push(context.index);
    for moved in moved {
        assert!(uses.holder(&moved.record).is_none(), "a record is held for one application");
        uses.held.push(HeldRecord { record: moved.record.clone(), application: context.index });
    }
    uses.held.sort();
    view.put(RowId::Uses(body.account_ref), Row::Uses(Arc::new(uses)));
}

fn uses_of(view: &View, account_ref: AccountRef) -> UsesRow {
    view.uses(account_ref).cloned().unwrap_or_default()
}

fn move_all(view: &mut View, moved: &[RecordMoved]) {
    for RecordMoved { record, postings } in moved {
        if postings.is_empty() {
            continue;
        }
        let mut row = existing(view.record(&record.issuer, record.record_id));
        let facts = row.facts.clone();
        post(&mut row.buckets, &facts, postings);
        view.put(RowId::Record(record.issuer.clone(), record.record_id), Row::Record(Arc::new(row)));
    }
}

/// An application goes on.
pub(super) fn change(view: &mut View, context: &Context, change: &ConversionChange) {
    let mut row = existing(view.application(change.application));
    assert_eq!(row.request.account_ref, change.account_ref, "an application stays in its account");
    move_all(view, &change.moved);
    let mut uses = uses_of(view, change.account_ref);
    match change.status {
        ApplicationStatus::Posted | ApplicationStatus::Provisional if !change.granted.is_empty() => {
            uses.held.retain(|held| held.application != change.application);
            grant(view, context, &row, change);
            uses.uses.extend(used(view, context, &row, &change.granted));
            row.granted.clone_from(&change.granted);
            row.granted_on = change.granted_on;
            row.provisional_until = change.provisional_until;
            row.auto_approval = change.auto_approval;
        }
        ApplicationStatus::Withdrawn | ApplicationStatus::Lapsed => {
            uses.held.retain(|held| held.application != change.application);
        }
        // What moved at a rejection is free: no appeal is left.
        ApplicationStatus::Rejected if !change.moved.is_empty() => {
            uses.held.retain(|held| held.application != change.application);
        }
        ApplicationStatus::Rescinded | ApplicationStatus::Reversed => {
            let free: Vec<&RecordName> = change.moved.iter().map(|moved| &moved.record).collect();
            uses.uses.retain(|earlier| {
                earlier.application != change.application || !free.contains(&&earlier.source)
            });
            take_back(view, context, &row, change);
        }
        ApplicationStatus::UnderReview
        | ApplicationStatus::InfoRequested
        | ApplicationStatus::Posted
        | ApplicationStatus::Provisional
        | ApplicationStatus::Rejected
        | ApplicationStatus::Appealed => {}
    }
    view.put(RowId::Uses(change.account_ref), Row::Uses(Arc::new(uses)));
    row.status = change.status;
    row.steps.push(StatusStep { index: context.index, kid: change.kid, status: change.status });
    row.last_index = context.index;
    row.last_at_us = context.recorded_at_us;
    view.put(RowId::Application(change.application), Row::Application(Arc::new(row)));
}

/// What an application grants comes into being, as records of the institution that was asked.
fn grant(view: &mut View, context: &Context, row: &ApplicationRow, change: &ConversionChange) {
    let institution = &row.request.institution_id;
    for granted in &change.granted {
        let item = existing(item_of(row, granted));
        let granted_on = existing(change.granted_on.as_ref());
        let (account, purpose) = (change.account_ref, row.request.purpose);
        let facts =
            granted_facts(account, purpose, granted, &item.scheme, granted_on, row.explanation_commitment);
        let mut buckets = BTreeMap::new();
        if let Some(amount) = &facts.amount {
            let issued = Posting { from: Bucket::Issued, to: Bucket::Available, amount: amount.clone() };
            post(&mut buckets, &facts, &[issued]);
        }
        let record = RecordRow {
            issuer: institution.clone(),
            kid: change.kid,
            manifest_index: None,
            deposited_index: context.index,
            buckets,
            status: RecordStatus::Valid,
            steps: Vec::new(),
            last_status_index: context.index,
            supersedes: None,
            superseded_by: None,
            valid_until: None,
            application: Some(change.application),
            facts,
        };
        create(view, RowId::Record(institution.clone(), granted.record_id), Row::Record(Arc::new(record)));
        let mut account = existing(view.account(change.account_ref));
        account.records = account.records.saturating_add(1);
        view.put(RowId::Account(change.account_ref), Row::Account(Arc::new(account)));
    }
}

fn item_of<'a>(row: &'a ApplicationRow, granted: &Granted) -> Option<&'a ProposedItem> {
    usize::try_from(granted.position).ok().and_then(|at| row.items.get(at))
}

/// The uses of records by what is granted. Of records that are used together the first carries the credit.
fn used(view: &View, context: &Context, row: &ApplicationRow, granted: &[Granted]) -> Vec<RecordUse> {
    let mut uses = Vec::new();
    for granted in granted {
        let item = existing(item_of(row, granted));
        let credits_milli = granted.credits.map_or(0, credit_types::Credits::milli);
        let names = item.sources.iter().filter_map(|at| row.request.records.get(usize::try_from(*at).ok()?));
        for (number, name) in names.enumerate() {
            let record = existing(view.record(&name.issuer, name.record_id));
            uses.push(RecordUse {
                record: name.clone(),
                source: name.clone(),
                earned_on: record.facts.awarded_on,
                consumption: item.consumption,
                programme: item.programme.clone(),
                award_level: item.award_level.clone(),
                rule: item.rule.clone(),
                rule_kind: item.rule_kind.clone(),
                place: item.place.clone(),
                credits_milli: if number == 0 { credits_milli } else { 0 },
                granted: RecordName {
                    issuer: row.request.institution_id.clone(),
                    record_id: granted.record_id,
                },
                application: row.requested_index,
                posted_index: context.index,
            });
        }
    }
    uses
}

/// A correction stands for the record that it replaces: what that was used for, it was used for.
pub(super) fn correct(view: &mut View, old: &RecordName, new: &RecordRow) {
    let account_ref = new.facts.account_ref;
    let Some(before) = view.uses(account_ref) else { return };
    let mut uses = before.clone();
    for earlier in uses.uses.iter_mut().filter(|earlier| earlier.record == *old) {
        earlier.record = new.name();
        earlier.earned_on = new.facts.awarded_on;
    }
    view.put(RowId::Uses(account_ref), Row::Uses(Arc::new(uses)));
}

/// What an application had granted is revoked.
fn take_back(view: &mut View, context: &Context, row: &ApplicationRow, change: &ConversionChange) {
    let institution = &row.request.institution_id;
    for granted in &change.granted {
        let mut record = existing(view.record(institution, granted.record_id));
        if let (Some(amount), Some(from)) =
            (record.facts.amount.clone(), record.buckets.keys().next().copied())
            && from != Bucket::Revoked
        {
            let facts = record.facts.clone();
            post(&mut record.buckets, &facts, &[Posting { from, to: Bucket::Revoked, amount }]);
        }
        record.status = RecordStatus::Revoked;
        record.steps.push(StatusStep {
            index: context.index,
            kid: change.kid,
            status: RecordStatus::Revoked,
        });
        record.last_status_index = context.index;
        view.put(RowId::Record(institution.clone(), granted.record_id), Row::Record(Arc::new(record)));
    }
}
