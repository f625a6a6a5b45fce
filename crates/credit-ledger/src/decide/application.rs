//! What becomes of an application: decisions, and the moves that all its steps share.

use crate::decide::Judgement;
use crate::decide::request::key_of;
use crate::evidence::{self, AnchorRule, days_us};
use crate::row::{AccountRow, ApplicationRow, InstitutionRow, KeyRow, RecordRow, RecordUse};
use crate::suspect::deposit_is_suspect;
use crate::view::View;
use credit_types::conversion::granted_id;
use credit_types::limits::{ACCOUNT_RECORDS_MAX, ACCOUNT_USES_MAX, APPEALS_MAX, APPLICATION_STEPS_MAX};
use credit_types::{
    AccountRef, AccountStatus, Amount, ApplicationStatus, AssuranceLevel, Bucket, Consumption,
    ConversionChange, ConversionDecision, ConversionPurpose, Credits, DecidedItem, DecisionOutcome, Digest,
    Event, Granted, KeyPurpose, Kid, Policy, Posting, ProposedItem, Reason, RecordMoved, RecordName,
    RecordStatus, Rejection, Role, Signed, SignerId,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Held for an application.
    Hold,
    /// Free again.
    Free,
    /// Used, for ever.
    Redeem,
    /// The same, of what an earlier event of the same entry has held.
    RedeemHeld,
    /// Free again, likewise.
    FreeHeld,
    /// Free again after it was used, where it is still in force.
    Restore,
}

/// The postings by which a record goes there; none where its credit is elsewhere by now, or where it has none.
pub(crate) fn moved(view: &View, name: &RecordName, to: Move) -> RecordMoved {
    let row = view.record(&name.issuer, name.record_id);
    let postings = row.map(|row| postings(row, to)).unwrap_or_default();
    RecordMoved { record: name.clone(), postings }
}

fn postings(row: &RecordRow, to: Move) -> Vec<Posting> {
    let Some(Amount { scheme, .. }) = &row.facts.amount else { return Vec::new() };
    // Whole records move: a record is in one bucket.
    let Some((bucket, milli)) = row.buckets.iter().next() else { return Vec::new() };
    let step = match (to, bucket) {
        // What another application still holds lapses in the same entry, before this.
        (Move::Hold, Bucket::Available | Bucket::Reserved) => Some((Bucket::Available, Bucket::Reserved)),
        (Move::RedeemHeld, Bucket::Available | Bucket::Reserved) => {
            Some((Bucket::Reserved, Bucket::Redeemed))
        }
        (Move::FreeHeld, Bucket::Available | Bucket::Reserved) => Some((Bucket::Reserved, Bucket::Available)),
        (Move::Free, Bucket::Reserved) => Some((Bucket::Reserved, Bucket::Available)),
        (Move::Redeem, Bucket::Reserved | Bucket::Available) => Some((*bucket, Bucket::Redeemed)),
        // What fell away while it was redeemed is not to be had again.
        (Move::Restore, Bucket::Redeemed) => Some((
            Bucket::Redeemed,
            match row.status {
                RecordStatus::Valid => Bucket::Available,
                RecordStatus::Suspended => Bucket::Suspended,
                RecordStatus::Revoked | RecordStatus::Superseded => Bucket::Revoked,
            },
        )),
        (
            Move::Hold | Move::RedeemHeld | Move::FreeHeld | Move::Free | Move::Redeem | Move::Restore,
            Bucket::Issued
            | Bucket::Available
            | Bucket::Reserved
            | Bucket::Redeemed
            | Bucket::Revoked
            | Bucket::Suspended
            | Bucket::Expired
            | Bucket::KeySuspect,
        ) => None,
    };
    let posting = step.and_then(|(from, to)| {
        let credits = Credits::from_milli(*milli).ok()?;
        Some(Posting { from, to, amount: Amount { scheme: scheme.clone(), credits } })
    });
    posting.into_iter().collect()
}

/// The records that a proposal's sources name.
pub(crate) fn source_names(row: &ApplicationRow) -> Vec<(usize, &RecordName)> {
    row.sources().into_iter().filter_map(|at| Some((at, row.request.records.get(at)?))).collect()
}

/// The moves that free all that is held for an application.
pub(crate) fn released(view: &View, row: &ApplicationRow) -> Vec<RecordMoved> {
    source_names(row).into_iter().map(|(_, name)| moved(view, name, Move::Free)).collect()
}

/// The positions of the records that are used up, for ever, by what is granted.
pub(crate) fn used_up(items: &[ProposedItem], granted: &[Granted]) -> BTreeSet<usize> {
    let of = |granted: &Granted| usize::try_from(granted.position).ok().and_then(|at| items.get(at));
    granted
        .iter()
        .filter_map(of)
        .filter(|item| matches!(item.consumption, Consumption::Global | Consumption::OnceForAllDegrees))
        .flat_map(|item| &item.sources)
        .filter_map(|position| usize::try_from(*position).ok())
        .collect()
}

/// Whether an application's time is over, so that what is held for it may be asked for.
pub(crate) fn over(judgement: &Judgement, row: &ApplicationRow) -> bool {
    let at_us = judgement.context.recorded_at_us;
    judgement.view.log().is_some_and(|log| is_over(row, &log.genesis.policy, at_us))
}

/// Whether an application's time is over at a moment, in microseconds since 1970.
pub fn is_over(row: &ApplicationRow, policy: &Policy, at_us: i64) -> bool {
    let waited_us = at_us.saturating_sub(row.last_at_us);
    match row.status {
        ApplicationStatus::Rejected => waited_us > days_us(policy.appeal_days),
        // A policy of no days lets nothing lapse.
        ApplicationStatus::UnderReview | ApplicationStatus::InfoRequested | ApplicationStatus::Appealed => {
            policy.lapse_days > 0 && waited_us > days_us(policy.lapse_days)
        }
        ApplicationStatus::Posted
        | ApplicationStatus::Provisional
        | ApplicationStatus::Withdrawn
        | ApplicationStatus::Lapsed
        | ApplicationStatus::Rescinded
        | ApplicationStatus::Reversed => false,
    }
}

/// That an account has nothing open. What could lapse is not: of a rejection that nobody may appeal any longer there is
/// no other end.
pub(crate) fn none_open(judgement: &mut Judgement, account_ref: AccountRef) {
    let view = judgement.view;
    let mut held = view.uses(account_ref).into_iter().flat_map(|row| &row.held).map(|held| held.application);
    let open = held.find(|index| !view.application(*index).is_some_and(|row| over(judgement, row)));
    if let Some(application) = open {
        judgement.refuse(Rejection::new(Reason::AccountHasApplications).index(application));
    }
}

/// That an account's holder may apply and redeem.
pub(crate) fn account_is_able<'a>(
    judgement: &mut Judgement<'a>,
    account_ref: AccountRef,
) -> Option<&'a AccountRow> {
    let row = judgement.view.account(account_ref);
    judgement.require(row.is_some(), || Rejection::new(Reason::AccountUnknown).field("account_ref"));
    let row = row?;
    let refused = match row.status {
        AccountStatus::Active => None,
        AccountStatus::Suspended => Some(Reason::AccountNotActive),
        AccountStatus::Closed => Some(Reason::AccountClosed),
    };
    if let Some(reason) = refused {
        judgement.refuse(Rejection::new(reason).field("account_ref").index(row.last_status_index));
    }
    let known = row.opening.assurance >= AssuranceLevel::Document;
    judgement.require(known, || Rejection::new(Reason::AssuranceTooLow).field("account_ref"));
    Some(row)
}

/// That an account takes the records and uses that items would bring. Other applications may have used the room up since
/// this one was made.
pub(crate) fn has_room<'i>(
    judgement: &mut Judgement,
    account: Option<&AccountRow>,
    items: impl Iterator<Item = &'i ProposedItem>,
) {
    let Some(account) = account else { return };
    let (mut records, mut uses) = (0u32, 0usize);
    for item in items {
        records = records.saturating_add(1);
        uses = uses.saturating_add(item.sources.len());
    }
    let room = account.records.saturating_add(records) <= ACCOUNT_RECORDS_MAX;
    judgement.require(room, || Reason::AccountFull);
    let used = judgement.view.uses(account.account_ref).map_or(0, |row| row.uses.len());
    let room = used.saturating_add(uses) <= ACCOUNT_USES_MAX;
    judgement.require(room, || Reason::ApplicationLimitReached);
}

/// An application that must be there.
pub(crate) fn application<'a>(
    judgement: &mut Judgement<'a>,
    index: u64,
    after: Digest,
) -> Option<&'a ApplicationRow> {
    let row = judgement.view.application(index);
    judgement
        .require(row.is_some(), || Rejection::new(Reason::ApplicationUnknown).field("application_index"));
    let row = row?;
    let fresh = judgement.view.leaf(row.last_index) == Some(after);
    judgement.require(fresh, || Rejection::new(Reason::StaleStatement).field("after").index(row.last_index));
    Some(row)
}

/// That an application stands where a step may be taken.
pub(crate) fn stands(judgement: &mut Judgement, row: &ApplicationRow, allowed: &[ApplicationStatus]) {
    let fits = allowed.contains(&row.status);
    judgement.require(fits, || Rejection::new(Reason::ApplicationStateWrong).index(row.last_index));
}

/// The institution that was asked, or another, decides an application.
pub(crate) fn decide(
    mut judgement: Judgement,
    statement: &Signed<ConversionDecision>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let signer = evidence::institution(&mut judgement, &header.signer);
    if let SignerId::Institution(signer) = &header.signer {
        evidence::one_key(&mut judgement, signer, signers, &[KeyPurpose::Decisions], &[]);
    }
    let row = application(&mut judgement, body.application, body.after);
    let granted = row.map(|row| may_decide(&mut judgement, row, statement, signer)).unwrap_or_default();
    let today = judgement.today();
    let ended = body.provisional_until.is_some_and(|until| today.is_none_or(|today| until < today));
    judgement.require(!ended, || {
        Rejection::new(Reason::FieldInvalid).field("provisional_until").detail("must not be past")
    });
    let appeals = judgement.view.log().map_or(0, |log| log.genesis.policy.appeal_days);
    judgement.end()?;
    let (Some(row), Some(kid)) = (row, signers.first().copied()) else {
        return Err(Reason::ApplicationUnknown.into());
    };
    let status = status_after(body);
    // What was rejected for the last time is free at once; before that it waits for the appeal.
    let last = row.appeals() >= APPEALS_MAX || appeals == 0;
    let moved = moved_after(view, row, status, last, &granted);
    let granted_on = today.filter(|_| !granted.is_empty());
    Ok(vec![Event::ConversionChanged(Box::new(ConversionChange {
        account_ref: row.request.account_ref,
        application: row.requested_index,
        status,
        moved,
        granted,
        granted_on,
        auto_approval: None,
        provisional_until: body.provisional_until,
        kid,
    }))])
}

/// That an application may be decided so; what is granted.
fn may_decide(
    judgement: &mut Judgement,
    row: &ApplicationRow,
    statement: &Signed<ConversionDecision>,
    signer: Option<&InstitutionRow>,
) -> Vec<Granted> {
    let Signed { header: _, body, signers } = statement;
    stands(judgement, row, &[ApplicationStatus::UnderReview, ApplicationStatus::Appealed]);
    let lapsed = over(judgement, row);
    judgement.require(!lapsed, || Rejection::new(Reason::ApplicationLapsed).index(row.last_index));
    if let Some(signer) = signer {
        by_whom(judgement, row, &signer.admission.institution_id, &signer.admission.roles, signers);
    }
    let same = body.explanation_commitment == row.explanation_commitment;
    judgement.require(same, || {
        Rejection::new(Reason::ExplanationMismatch).field("explanation_commitment").index(row.requested_index)
    });
    let room = row.steps.len() < APPLICATION_STEPS_MAX || body.outcome != DecisionOutcome::Ask;
    judgement.require(room, || Reason::StatusLimitReached);
    let granted = of_items(judgement, row, body);
    if !granted.is_empty() {
        let account = account_is_able(judgement, row.request.account_ref);
        let of = |granted: &Granted| usize::try_from(granted.position).ok().and_then(|at| row.items.get(at));
        has_room(judgement, account, granted.iter().filter_map(of));
        sources_stand(judgement, row, &granted);
        nothing_since(judgement, row);
    }
    granted
}

/// That nothing was granted since by the same rules or into the same programme: the proposal does not know of it, and the
/// maxima of the book would be exceeded. An award has no maxima.
fn nothing_since(judgement: &mut Judgement, row: &ApplicationRow) {
    if row.request.purpose != ConversionPurpose::Credit {
        return;
    }
    let uses = judgement.view.uses(row.request.account_ref).into_iter().flat_map(|row| &row.uses);
    let target = Some(&row.request.target);
    let same = |earlier: &&RecordUse| {
        earlier.programme.as_ref() == target || row.items.iter().any(|item| item.rule == earlier.rule)
    };
    let since = uses.filter(|earlier| earlier.posted_index > row.requested_index).find(same);
    if let Some(earlier) = since {
        judgement.refuse(Rejection::new(Reason::ApplicationOutdated).index(earlier.posted_index));
    }
}

/// Where an application stands after a decision.
fn status_after(body: &ConversionDecision) -> ApplicationStatus {
    match body.outcome {
        DecisionOutcome::Approve | DecisionOutcome::Partly if body.provisional_until.is_some() => {
            ApplicationStatus::Provisional
        }
        DecisionOutcome::Approve | DecisionOutcome::Partly => ApplicationStatus::Posted,
        DecisionOutcome::Reject => ApplicationStatus::Rejected,
        DecisionOutcome::Ask => ApplicationStatus::InfoRequested,
    }
}

/// What moves with a decision; `last`: nothing more can be asked against a rejection.
fn moved_after(
    view: &View,
    row: &ApplicationRow,
    status: ApplicationStatus,
    last: bool,
    granted: &[Granted],
) -> Vec<RecordMoved> {
    let used = used_up(&row.items, granted);
    match status {
        ApplicationStatus::InfoRequested => Vec::new(),
        ApplicationStatus::Rejected if !last => Vec::new(),
        ApplicationStatus::Rejected => released(view, row),
        ApplicationStatus::UnderReview
        | ApplicationStatus::Posted
        | ApplicationStatus::Provisional
        | ApplicationStatus::Appealed
        | ApplicationStatus::Withdrawn
        | ApplicationStatus::Lapsed
        | ApplicationStatus::Rescinded
        | ApplicationStatus::Reversed => source_names(row)
            .into_iter()
            .map(|(at, name)| moved(view, name, if used.contains(&at) { Move::Redeem } else { Move::Free }))
            .collect(),
    }
}

/// That who decides may: the institution that was asked; after a first appeal another key of it, after a second one a
/// regulator.
fn by_whom(
    judgement: &mut Judgement,
    row: &ApplicationRow,
    signer: &credit_types::InstitutionId,
    roles: &BTreeSet<Role>,
    signers: &[Kid],
) {
    let own = *signer == row.request.institution_id;
    if row.appeals() >= APPEALS_MAX {
        judgement.require(roles.contains(&Role::Regulator), || Reason::RoleMissing);
        // Who was appealed against twice does not decide the second appeal as well.
        let own_regulator = own && roles.contains(&Role::Regulator);
        judgement
            .require(!own_regulator, || Rejection::new(Reason::SignerNotAllowed).field("header.signer_id"));
    } else {
        judgement.require(own, || {
            let owner = row.request.institution_id.to_string();
            Rejection::new(Reason::ApplicationOfAnother).field("header.signer_id").detail(owner)
        });
    }
    let rejected = row.steps.iter().filter(|step| step.status == ApplicationStatus::Rejected);
    let before = rejected.into_iter().find(|step| signers.contains(&step.kid));
    if let Some(step) = before {
        judgement.refuse(Rejection::new(Reason::SameOfficer).field("signatures").index(step.index));
    }
}

/// What a decision grants of the proposal.
fn of_items(judgement: &mut Judgement, row: &ApplicationRow, body: &ConversionDecision) -> Vec<Granted> {
    match body.outcome {
        DecisionOutcome::Reject | DecisionOutcome::Ask => return Vec::new(),
        DecisionOutcome::Approve | DecisionOutcome::Partly => {}
    }
    let award = row.request.purpose == ConversionPurpose::Award;
    let whole = !award || (body.outcome == DecisionOutcome::Approve && body.provisional_until.is_none());
    judgement.require(whole, || {
        Rejection::new(Reason::DecisionItemWrong).field("outcome").detail("an award is granted whole, or not")
    });
    let changed = |position: u32| body.items.iter().find(|item| item.position == position);
    for (at, DecidedItem { position, credits, reason: _ }) in body.items.iter().enumerate() {
        let proposed = usize::try_from(*position).ok().and_then(|at| row.items.get(at));
        let refusal = || Rejection::new(Reason::DecisionItemWrong).field(format!("items[{at}]"));
        let Some(proposed) = proposed else {
            judgement.refuse(refusal().detail("is no item of the proposal"));
            continue;
        };
        let step = judgement.view.scheme(&proposed.scheme).map_or(1, |row| row.scheme.step_milli);
        let lowered = credits.is_none_or(|credits| {
            let less = proposed.credits.is_some_and(|before| credits < before);
            less && credits.milli().checked_rem(step) == Some(0)
        });
        let detail = format!("must be less than was proposed, in steps of {step} milli-credits");
        judgement.require(lowered, || refusal().detail(detail));
    }
    let granted: Vec<Granted> = (0u32..)
        .zip(&row.items)
        .filter_map(|(position, item)| {
            let credits = match changed(position) {
                None => item.credits,
                Some(changed) => Some(changed.credits?),
            };
            Some(Granted { record_id: granted_id(row.statement_id, position), position, credits })
        })
        .collect();
    judgement.require(!granted.is_empty(), || {
        Rejection::new(Reason::DecisionItemWrong)
            .field("items")
            .detail("declines every item: reject it instead")
    });
    let institution = &row.request.institution_id;
    // Of what was granted before, where the application stands says more.
    for granted in granted.iter().filter(|_| row.granted.is_empty()) {
        let taken = judgement.view.record(institution, granted.record_id);
        judgement.require(taken.is_none(), || Rejection::new(Reason::RecordExists).field("items"));
    }
    granted
}

/// That the records of what is granted still stand: one that was revoked meanwhile grants nothing.
fn sources_stand(judgement: &mut Judgement, row: &ApplicationRow, granted: &[Granted]) {
    let view = judgement.view;
    let account = view.account(row.request.account_ref);
    let of = |granted: &Granted| usize::try_from(granted.position).ok().and_then(|at| row.items.get(at));
    let positions: BTreeSet<u32> =
        granted.iter().filter_map(of).flat_map(|item| item.sources.iter().copied()).collect();
    for position in positions {
        let name = usize::try_from(position).ok().and_then(|at| row.request.records.get(at));
        let record = name.and_then(|name| view.record(&name.issuer, name.record_id));
        let field = format!("records[{position}]");
        let Some(record) = record else {
            judgement.refuse(Rejection::new(Reason::RecordUnknown).field(field));
            continue;
        };
        let refused = match record.status {
            RecordStatus::Valid => {
                let suspect = account.is_some_and(|account| {
                    // Whose else the key of a granted record is was asked when it was applied for: here other keys may
                    // be loaded or not, and the answer must not depend on it.
                    let asked =
                        |key: &Arc<KeyRow>| key.owner == record.issuer || key.owner == account.registrar;
                    let keys = |kid| key_of(view, kid).filter(asked);
                    deposit_is_suspect(&keys, record, account)
                });
                suspect.then_some(Reason::RecordKeySuspect)
            }
            RecordStatus::Suspended => Some(Reason::RecordNotAvailable),
            RecordStatus::Revoked => Some(Reason::RecordRevoked),
            RecordStatus::Superseded => Some(Reason::RecordSuperseded),
        };
        if let Some(reason) = refused {
            judgement.refuse(Rejection::new(reason).field(field).index(record.last_status_index));
        }
    }
}
