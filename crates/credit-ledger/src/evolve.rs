//! Takes events over into the rows. Nothing here can be refused: what does not fit is a bug and stops the writer.

mod application;
mod book;

use crate::links::subjects;
use crate::row::{
    AccountRow, BatchRow, CommandKey, CommandRow, Compromised, Context, FrameworkRow, InstitutionRow, KeyRow,
    LogRow, RecordRow, Row, RowId, SchemeRow, StatusStep, SubjectRow,
};
use crate::view::View;
use credit_types::{
    AccountRef, AccountStatus, AccountStatusChange, BatchManifest, Bucket, Event, FrameworkPublication,
    InstitutionAdmission, InstitutionId, InstitutionKey, KeyAddition, Kid, Posting, ProtocolUpgrade,
    RecordFacts, RecordId, RecordName, RecordStatus, Signed, SignerId,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Takes a whole entry over: its events in order, then its command and the last links of its subjects.
pub fn evolve_entry(view: &mut View, context: &Context, key: &CommandKey, events: &[Event]) {
    for event in events {
        evolve(view, context, event);
    }
    let id = RowId::Command(key.clone());
    assert!(view.get(&id).is_none(), "a command happens once");
    view.put(id, Row::Command(CommandRow { index: context.index }));
    for subject in subjects(events).into_keys() {
        let before = view.subject(&subject).map_or(0, |row| row.sequence);
        let sequence = before.saturating_add(1);
        view.put(RowId::Subject(subject), Row::Subject(SubjectRow { sequence, last_index: context.index }));
    }
}

/// Takes one event over.
pub fn evolve(view: &mut View, context: &Context, event: &Event) {
    match event {
        Event::LedgerCreated(statement) => {
            assert_eq!(context.index, 0, "a log begins at its entry 0");
            create(
                view,
                RowId::Log,
                Row::Log(Arc::new(LogRow {
                    protocol: statement.body.protocol,
                    genesis: statement.body.clone(),
                })),
            );
        }
        Event::ServerStarted(_) => {}
        Event::InstitutionAdmitted(statement) => admit(view, context, &statement.body),
        Event::FrameworkPublished(statement) => publish(view, context, &statement.body),
        Event::KeyAdded(statement) => add_key(view, context, statement),
        Event::KeyRetired { statement, .. } => update_key(view, context, statement.body.kid, |row| {
            assert!(row.retired_index.is_none(), "a key retires once");
            row.retired_index = Some(context.index);
        }),
        Event::KeyCompromised { statement, .. } => {
            let suspect_from_index = statement.body.suspect_from_index;
            update_key(view, context, statement.body.kid, |row| {
                let before = row.compromised;
                assert!(
                    before.is_none_or(|before| suspect_from_index < before.suspect_from_index),
                    "a suspect range only grows"
                );
                let index = before.map_or(context.index, |before| before.index);
                row.compromised = Some(Compromised { index, suspect_from_index });
            });
        }
        Event::AccountOpened { account_ref, opening, registrar, kid, manifest_index, aliases: _ } => {
            let row = AccountRow {
                account_ref: *account_ref,
                opening: *opening,
                registrar: registrar.clone(),
                kid: *kid,
                manifest_index: *manifest_index,
                opened_index: context.index,
                status: AccountStatus::Active,
                steps: Vec::new(),
                last_status_index: context.index,
                records: 0,
            };
            create(view, RowId::Account(*account_ref), Row::Account(Arc::new(row)));
        }
        Event::AccountStatusChanged { status, statement } => {
            change_account(view, context, *status, statement);
        }
        Event::RecordDeposited { .. } => deposit(view, context, event),
        Event::RecordStatusChanged { .. } => change_record(view, context, event),
        Event::BatchOpened(statement) => open_batch(view, context, statement),
        Event::BatchChunk { .. } => take_chunk(view, event),
        Event::BatchClosed { .. } => close_batch(view, event),
        Event::ProtocolUpgraded(statement) => upgrade(view, statement.body),
        Event::RuleBookPublished(statement) => book::publish(view, context, &statement.body),
        Event::RuleBookChanged(statement) => book::change(view, context, &statement.body),
        Event::AutoApprovalGiven { institution_id, statement } => {
            book::give_auto_approval(view, context, institution_id, &statement.body);
        }
        Event::ConversionRequested { statement, items, explanation_commitment, moved } => {
            application::request(view, context, statement, items, *explanation_commitment, moved);
        }
        Event::ConversionChanged(change) => application::change(view, context, change),
    }
}

/// A newer protocol holds from the next index on.
fn upgrade(view: &mut View, upgrade: ProtocolUpgrade) {
    let mut row = existing(view.log());
    assert!(row.protocol < upgrade.protocol, "a log never goes back to an earlier protocol");
    row.protocol = upgrade.protocol;
    view.put(RowId::Log, Row::Log(Arc::new(row)));
}

/// Writes a row that must not have been there.
fn create(view: &mut View, id: RowId, row: Row) {
    assert!(view.get(&id).is_none(), "{id:?} comes into being once");
    view.put(id, row);
}

/// A row that must be there.
fn existing<T: Clone>(row: Option<&T>) -> T {
    let Some(row) = row else { unreachable!("an event rests on rows that are there") };
    row.clone()
}

fn register_key(
    view: &mut View,
    context: &Context,
    owner: &InstitutionId,
    key: &InstitutionKey,
    authorised_by: Vec<Kid>,
) {
    let row = KeyRow {
        owner: owner.clone(),
        key: key.clone(),
        active_from_index: context.index,
        authorised_by,
        retired_index: None,
        compromised: None,
        last_status_index: context.index,
    };
    create(view, RowId::Key(key.key.kid), Row::Key(Arc::new(row)));
}

fn admit(view: &mut View, context: &Context, admission: &InstitutionAdmission) {
    for key in &admission.keys {
        register_key(view, context, &admission.institution_id, key, Vec::new());
    }
    let row = InstitutionRow {
        admission: admission.clone(),
        admitted_index: context.index,
        keys: admission.keys.iter().map(|key| key.key.kid).collect(),
    };
    let id = RowId::Institution(admission.institution_id.clone());
    create(view, id, Row::Institution(Arc::new(row)));
}

fn publish(view: &mut View, context: &Context, framework: &FrameworkPublication) {
    let id = RowId::Framework(framework.framework_id.clone());
    let row = FrameworkRow { framework: framework.clone(), published_index: context.index };
    view.put(id, Row::Framework(Arc::new(row)));
    for scheme in &framework.schemes {
        let framework_id = framework.framework_id.clone();
        let row = SchemeRow { framework_id, scheme: scheme.clone() };
        view.put(RowId::Scheme(scheme.scheme_id.clone()), Row::Scheme(Arc::new(row)));
    }
}

fn add_key(view: &mut View, context: &Context, statement: &Signed<KeyAddition>) {
    let Signed { header, body, signers } = statement;
    let new = body.key.key.kid;
    let authorised_by = match header.signer {
        SignerId::Institution(_) => signers.iter().copied().filter(|kid| *kid != new).collect(),
        // The authority's own keys are never suspect: their loss is the end of the log.
        SignerId::Authority | SignerId::Operator => Vec::new(),
    };
    register_key(view, context, &body.institution_id, &body.key, authorised_by);
    let mut row = existing(view.institution(&body.institution_id));
    row.keys.push(new);
    view.put(RowId::Institution(body.institution_id.clone()), Row::Institution(Arc::new(row)));
}

fn update_key(view: &mut View, context: &Context, kid: Kid, change: impl FnOnce(&mut KeyRow)) {
    let mut row = existing(view.key(kid));
    change(&mut row);
    row.last_status_index = context.index;
    view.put(RowId::Key(kid), Row::Key(Arc::new(row)));
}

fn change_account(
    view: &mut View,
    context: &Context,
    status: AccountStatus,
    statement: &Signed<AccountStatusChange>,
) {
    let account_ref: AccountRef = statement.body.account_ref;
    let mut row = existing(view.account(account_ref));
    assert!(row.status != AccountStatus::Closed, "a closed account stays closed");
    let kid = existing(statement.signers.first());
    row.status = status;
    row.steps.push(StatusStep { index: context.index, kid, status });
    row.last_status_index = context.index;
    view.put(RowId::Account(account_ref), Row::Account(Arc::new(row)));
}

/// Moves a record's credit and asserts that nothing came into being or was lost.
fn post(buckets: &mut BTreeMap<Bucket, i64>, facts: &RecordFacts, postings: &[Posting]) {
    for Posting { from, to, amount } in postings {
        let issued = facts.amount.as_ref();
        assert!(issued.is_some_and(|issued| issued.scheme == amount.scheme), "a record has one scheme");
        assert!(from != to, "a posting moves");
        let milli = amount.credits.milli();
        // What is issued comes from outside, where nothing is counted.
        if *from != Bucket::Issued {
            let left = buckets.get(from).copied().unwrap_or(0).checked_sub(milli);
            assert!(left.is_some_and(|left| left >= 0), "no bucket is ever negative");
            buckets.insert(*from, left.unwrap_or(0));
        }
        let sum = buckets.get(to).copied().unwrap_or(0).checked_add(milli);
        assert!(sum.is_some(), "a record's credit fits");
        buckets.insert(*to, sum.unwrap_or(0));
    }
    buckets.retain(|_, milli| *milli != 0);
    let sum: i64 = buckets.values().sum();
    let issued = facts.amount.as_ref().map_or(0, |amount| amount.credits.milli());
    assert_eq!(sum, issued, "a record's buckets sum to what was issued");
}

fn deposit(view: &mut View, context: &Context, event: &Event) {
    let Event::RecordDeposited { facts, issuer, kid, manifest_index, supersedes, postings, .. } = event
    else {
        return;
    };
    let Some(institution) = view.institution(issuer) else { unreachable!("a record's issuer is admitted") };
    let years = institution.admission.default_validity_years;
    // A default that ends beyond the calendar is as good as none.
    let by_default = if years == 0 { None } else { facts.awarded_on.plus_years(years).ok() };
    let mut buckets = BTreeMap::new();
    post(&mut buckets, facts, postings);
    let row = RecordRow {
        facts: facts.as_ref().clone(),
        issuer: issuer.clone(),
        kid: *kid,
        manifest_index: *manifest_index,
        deposited_index: context.index,
        buckets,
        status: RecordStatus::Valid,
        steps: Vec::new(),
        last_status_index: context.index,
        supersedes: *supersedes,
        superseded_by: None,
        valid_until: facts.valid_until.or(by_default),
        application: None,
    };
    if let Some(old) = supersedes {
        application::correct(view, &RecordName { issuer: issuer.clone(), record_id: *old }, &row);
    }
    create(view, RowId::Record(issuer.clone(), facts.record_id), Row::Record(Arc::new(row)));
    let mut account = existing(view.account(facts.account_ref));
    assert!(account.status != AccountStatus::Closed, "a closed account is read only");
    account.records = account.records.saturating_add(1);
    view.put(RowId::Account(facts.account_ref), Row::Account(Arc::new(account)));
}

fn change_record(view: &mut View, context: &Context, event: &Event) {
    let Event::RecordStatusChanged { account_ref, issuer, record_id, status, superseded_by, kid, postings } =
        event
    else {
        return;
    };
    let record_id: RecordId = *record_id;
    let mut row = existing(view.record(issuer, record_id));
    assert_eq!(row.facts.account_ref, *account_ref, "a record stays in its account");
    assert!(
        matches!(row.status, RecordStatus::Valid | RecordStatus::Suspended),
        "a revoked or superseded record stays so"
    );
    // An order takes a suspension over: the status stays, who may lift it doesn't.
    assert!(row.status != *status || *status == RecordStatus::Suspended, "a change of status changes it");
    post(&mut row.buckets, &row.facts, postings);
    row.status = *status;
    row.superseded_by = *superseded_by;
    row.steps.push(StatusStep { index: context.index, kid: *kid, status: *status });
    row.last_status_index = context.index;
    view.put(RowId::Record(issuer.clone(), record_id), Row::Record(Arc::new(row)));
}

fn open_batch(view: &mut View, context: &Context, statement: &Signed<BatchManifest>) {
    let Signed { header, body, signers } = statement;
    let row = BatchRow {
        signer: header.signer.clone(),
        kid: existing(signers.first()),
        leaf_type: body.leaf_type,
        record_count: body.record_count,
        root: body.root,
        opened_index: context.index,
        opened_at_us: context.recorded_at_us,
        statement_id: header.statement_id,
        next_chunk: 0,
        accepted: 0,
        refused: 0,
        closed: false,
        last_key: None,
    };
    create(view, RowId::Batch(context.index), Row::Batch(Arc::new(row)));
    let mut open = view.open_batches(&header.signer).cloned().unwrap_or_default();
    open.batches.push(context.index);
    view.put(RowId::OpenBatches(header.signer.clone()), Row::OpenBatches(open));
}

fn take_chunk(view: &mut View, event: &Event) {
    let Event::BatchChunk { manifest_index, chunk, path: _, leaves, last_key, refused } = event else {
        return;
    };
    let mut row = existing(view.batch(*manifest_index));
    assert!(!row.closed, "a closed batch takes no leaf");
    assert_eq!(row.next_chunk, *chunk, "chunks enter in order");
    let refused = u32::try_from(refused.len()).unwrap_or(u32::MAX);
    let accepted = leaves.checked_sub(refused);
    assert!(accepted.is_some(), "a chunk refuses its own leaves only");
    assert!(last_key.is_none() || *last_key > row.last_key, "leaves ascend over the whole batch");
    row.next_chunk = chunk.saturating_add(1);
    row.accepted = row.accepted.saturating_add(accepted.unwrap_or(0));
    row.refused = row.refused.saturating_add(refused);
    assert!(
        row.accepted.saturating_add(row.refused) <= row.record_count,
        "a batch has no more than its leaves"
    );
    row.last_key = last_key.or(row.last_key);
    view.put(RowId::Batch(*manifest_index), Row::Batch(Arc::new(row)));
}

fn close_batch(view: &mut View, event: &Event) {
    let Event::BatchClosed { signer, manifest_index, accepted, refused } = event else { return };
    let mut row = existing(view.batch(*manifest_index));
    assert!(!row.closed, "a batch closes once");
    assert_eq!((row.accepted, row.refused), (*accepted, *refused), "a closing counts what was taken in");
    row.closed = true;
    view.put(RowId::Batch(*manifest_index), Row::Batch(Arc::new(row)));
    let mut open = existing(view.open_batches(signer));
    assert!(open.batches.contains(manifest_index), "an open batch is among its signer's");
    open.batches.retain(|index| index != manifest_index);
    view.put(RowId::OpenBatches(signer.clone()), Row::OpenBatches(open));
}
