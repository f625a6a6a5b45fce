//! States that a history of two hundred commands would not reach: one step short of each great limit.

use crate::draw::Draw;
use crate::shell::Shell;
use credit_types::limits::{
    ACCOUNT_RECORDS_MAX, INSTITUTION_KEYS_MAX, INSTITUTION_OWN_KEYS_MAX, OPEN_BATCHES_MAX, STATUS_STEPS_MAX,
};
use credit_types::{
    AccountAction, AccountRef, AccountStatus, AccountStatusChange, BatchManifest, Bucket, CommandId, Digest,
    Event, Header, InstitutionId, InstitutionKey, KeyAddition, KeyPurpose, Kid, LeafType, Posting, PublicKey,
    RecordStatus, Role, Signed, SignerId, StatusReason,
};
use std::collections::BTreeSet;

/// Brings one thing of each kind close to its limit. The entries are written without being decided on; what is
/// refused afterwards is decided by both sides from what they have.
pub(crate) fn prepare(shell: &mut Shell, draw: &mut Draw, now_us: i64) {
    let accounts: Vec<AccountRef> = shell.model.accounts().collect();
    let institutions = shell.model.institutions();
    let issuers = institutions.filter(|one| one.roles.contains(&Role::Issuer));
    let issuers: Vec<InstitutionId> = issuers.map(|one| one.institution_id.clone()).collect();
    if let Some(account_ref) = draw.any(&accounts) {
        let room = 1 + u32::try_from(draw.below(2)).unwrap();
        shell.pretend(account_ref, ACCOUNT_RECORDS_MAX - room - shell.model.records_in(account_ref));
    }
    if let Some(id) = draw.any(&issuers) {
        let events = keys(shell, draw, &id);
        write(shell, draw, now_us, &SignerId::Authority, &events);
        let open = shell.model.open_batches(&SignerId::Institution(id.clone()));
        for _ in open..OPEN_BATCHES_MAX - draw.below(2) {
            let event = manifest(shell, draw, &id);
            write(shell, draw, now_us, &SignerId::Institution(id.clone()), &[event]);
        }
    }
    if let Some(account_ref) = draw.any(&accounts) {
        let events = account_steps(shell, draw, account_ref);
        write(shell, draw, now_us, &SignerId::Authority, &events);
    }
    let mut records = shell.model.record_ids();
    records.retain(|(issuer, id)| shell.model.record(issuer, *id).unwrap().status == RecordStatus::Valid);
    if let Some((issuer, id)) = draw.any(&records) {
        let events = record_steps(shell, draw, &issuer, id);
        write(shell, draw, now_us, &SignerId::Authority, &events);
    }
}

fn write(shell: &mut Shell, draw: &mut Draw, now_us: i64, signer: &SignerId, events: &[Event]) {
    if !events.is_empty() {
        shell.append(now_us, (signer.clone(), CommandId(draw.bytes()), None), events);
    }
}

fn signed<B>(draw: &mut Draw, signer: SignerId, body: B, kid: Kid) -> Signed<B> {
    let header = Header { log_id: None, statement_id: CommandId(draw.bytes()), signer, anchor: None };
    Signed { header, body, signers: vec![kid] }
}

/// All keys but two or one: of those that are the owner's to add, or of all.
fn keys(shell: &Shell, draw: &mut Draw, id: &InstitutionId) -> Vec<Event> {
    let has = shell.model.keys_of(id).count();
    let most = if draw.chance(50) { INSTITUTION_KEYS_MAX } else { INSTITUTION_OWN_KEYS_MAX };
    let wanted = most - 1 - draw.below(2);
    let mut events = Vec::new();
    for _ in has..wanted {
        let key = PublicKey { bytes: draw.bytes(), kid: Kid(draw.bytes()) };
        let key = InstitutionKey { key, purposes: BTreeSet::from([KeyPurpose::Decisions]) };
        let body = KeyAddition { institution_id: id.clone(), key };
        let kid = Kid(draw.bytes());
        events.push(Event::KeyAdded(Box::new(signed(draw, SignerId::Authority, body, kid))));
    }
    events
}

fn manifest(shell: &Shell, draw: &mut Draw, id: &InstitutionId) -> Event {
    let kid = shell.model.keys_of(id).find(|key| key.purposes.contains(&KeyPurpose::Records)).unwrap().kid;
    let body = BatchManifest { leaf_type: LeafType::Record, record_count: 3, root: Digest(draw.bytes()) };
    Event::BatchOpened(signed(draw, SignerId::Institution(id.clone()), body, kid))
}

/// So many steps that one or two more are left.
fn steps_to_go(draw: &mut Draw, done: usize) -> usize {
    (STATUS_STEPS_MAX - draw.below(2)).saturating_sub(done + 1)
}

fn account_steps(shell: &Shell, draw: &mut Draw, account_ref: AccountRef) -> Vec<Event> {
    let account = shell.model.account(account_ref).unwrap();
    let mut status = account.status;
    if status == AccountStatus::Closed {
        return Vec::new();
    }
    let mut events = Vec::new();
    for _ in 0..steps_to_go(draw, account.steps) {
        status =
            if status == AccountStatus::Active { AccountStatus::Suspended } else { AccountStatus::Active };
        let body = AccountStatusChange {
            after: Digest(draw.bytes()),
            account_ref,
            action: AccountAction::Suspend,
            reason: StatusReason::Investigation,
            order_ref: String::new(),
            explanation_commitment: None,
        };
        let statement = signed(draw, SignerId::Authority, body, account.kid);
        events.push(Event::AccountStatusChanged { status, statement });
    }
    events
}

fn record_steps(
    shell: &Shell,
    draw: &mut Draw,
    issuer: &InstitutionId,
    id: credit_types::RecordId,
) -> Vec<Event> {
    let record = shell.model.record(issuer, id).unwrap();
    let mut events = Vec::new();
    let (mut from, mut to) = (Bucket::Available, Bucket::Suspended);
    for _ in 0..steps_to_go(draw, record.steps) {
        let amount = record.facts.amount.clone();
        events.push(Event::RecordStatusChanged {
            account_ref: record.facts.account_ref,
            issuer: issuer.clone(),
            record_id: id,
            status: if to == Bucket::Available { RecordStatus::Valid } else { RecordStatus::Suspended },
            superseded_by: None,
            kid: record.kid,
            postings: amount.map(|amount| Posting { from, to, amount }).into_iter().collect(),
        });
        (from, to) = (to, from);
    }
    events
}
