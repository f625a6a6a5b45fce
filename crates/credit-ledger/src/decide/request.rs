//! An application: what may be applied for, with which records, and what is held for it.

use crate::balance::state_of;
use crate::decide::application::{Move, account_is_able, has_room, moved, over};
use crate::decide::{Judgement, book};
use crate::evidence::{self, AnchorRule};
use crate::row::{AccountRow, ApplicationRow, Context, KeyRow, RecordRow, RecordUse, Row, RowId, sources};
use crate::view::View;
use credit_types::limits::{ACCOUNT_APPLICATIONS_MAX, APPLICATION_BYTES_MAX};
use credit_types::{
    ApplicationStatus, Assessment, AutoApproval, BookDate, BookName, Bucket, CivilDate, Consumption,
    ConversionChange, ConversionPurpose, ConversionRequest, Event, Granted, KeyPurpose, Kid, ProposedItem,
    Reason, RecordMoved, RecordName, RecordStatus, Rejection, Role, Signed, SignerId,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A registrar, who has seen the learner's consent, applies for credit or for an award.
pub(crate) fn request(
    mut judgement: Judgement,
    statement: &Signed<ConversionRequest>,
    assessment: &Assessment,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    if let Some(row) = evidence::institution(&mut judgement, &header.signer) {
        evidence::role(&mut judgement, row, Role::Registrar);
    }
    if let SignerId::Institution(registrar) = &header.signer {
        evidence::one_key(&mut judgement, registrar, signers, &[KeyPurpose::Registry], &[]);
    }
    let lapsed = may_be_asked(&mut judgement, body, assessment);
    for granted in granted(header.statement_id, &assessment.items) {
        let taken = view.record(&body.institution_id, granted.record_id);
        judgement
            .require(taken.is_none(), || Rejection::new(Reason::RecordExists).field("header.statement_id"));
    }
    let today = judgement.today();
    let index = judgement.context.index;
    judgement.end()?;
    let Some(kid) = signers.first().copied() else { return Err(Reason::KeyUnknown.into()) };
    let mut events: Vec<Event> = Vec::new();
    for application in lapsed {
        let row = view.application(application);
        events.extend(row.map(|row| lapse(view, row, kid)));
    }
    let held: Vec<&RecordName> =
        sources(&assessment.items).into_iter().filter_map(|at| body.records.get(at)).collect();
    events.push(Event::ConversionRequested {
        statement: Box::new(statement.clone()),
        items: assessment.items.clone(),
        explanation_commitment: assessment.explanation_commitment,
        moved: held.iter().map(|name| moved(view, name, Move::Hold)).collect(),
    });
    let approval =
        today.and_then(|day| approval(view.auto_approvals(&body.institution_id)?, body, assessment, day));
    if let (Some(auto_approval), Some(today)) = (approval, today) {
        let granted = granted(header.statement_id, &assessment.items);
        events.push(Event::ConversionChanged(Box::new(ConversionChange {
            account_ref: body.account_ref,
            application: index,
            status: ApplicationStatus::Posted,
            moved: posted(view, body, &assessment.items, &granted),
            granted,
            granted_on: Some(today),
            auto_approval: Some(auto_approval),
            provisional_until: None,
            kid,
        })));
    }
    Ok(events)
}

/// What an application would be refused for, whoever signs it; `None` where nothing stands in its way. The rows that an
/// application names must be loaded.
pub fn foresee(
    view: &View,
    context: &Context,
    request: &ConversionRequest,
    assessment: &Assessment,
) -> Option<Rejection> {
    let mut judgement = Judgement::new(view, context);
    may_be_asked(&mut judgement, request, assessment);
    judgement.end().err()
}

/// That an application may be made, whoever signs it; the applications that lapse for it.
fn may_be_asked(
    judgement: &mut Judgement,
    body: &ConversionRequest,
    assessment: &Assessment,
) -> BTreeSet<u64> {
    let view = judgement.view;
    let account = account_is_able(judgement, body.account_ref);
    to_whom(judgement, body, assessment);
    let today = judgement.today();
    if let (Some(row), Some(today)) = (book::version(judgement, &body.book), today) {
        // By the day of a decision the version in force today decides. By the day on which something was earned, or the
        // learner enrolled, it may be any that was activated: the engine has asked its days.
        let in_force = match row.publication.select_by {
            BookDate::Decision => judgement
                .view
                .book(&body.book.book_id)
                .and_then(|book| book.in_force(today))
                .is_some_and(|current| current.publication.book == body.book),
            BookDate::Earned | BookDate::Enrolled => {
                row.activated_index.is_some() && row.abolished_index.is_none()
            }
        };
        judgement.require(in_force, || Rejection::new(Reason::BookNotInForce).index(row.last_index));
    }
    if let Some(rejection) = &assessment.refusal {
        judgement.refuse(rejection.as_ref().clone());
    }
    let lapsed = records(judgement, body, account, today);
    items(judgement, body, &assessment.items);
    apart(judgement, &assessment.items);
    fits(judgement, body, &assessment.items, &lapsed);
    // All that is proposed is the most that can be granted.
    has_room(judgement, account, assessment.items.iter());
    let applied = view.uses(body.account_ref).map_or(0, |row| row.applications.len());
    judgement.require(applied < ACCOUNT_APPLICATIONS_MAX, || Reason::ApplicationLimitReached);
    lapsed
}

/// That the institution that is asked may be, and that the book says that the programme or award is its own.
fn to_whom(judgement: &mut Judgement, body: &ConversionRequest, assessment: &Assessment) {
    let needed = match body.purpose {
        ConversionPurpose::Credit => Role::Acceptor,
        ConversionPurpose::Award => Role::Awarder,
    };
    match judgement.view.institution(&body.institution_id) {
        None => judgement.refuse(Rejection::new(Reason::SignerUnknown).field("institution_id")),
        Some(row) => judgement.require(row.admission.roles.contains(&needed), || {
            Rejection::new(Reason::RoleMissing).field("institution_id")
        }),
    }
    match &assessment.owner {
        None => judgement.refuse(Rejection::new(Reason::TargetUnknown).field("target")),
        Some(owner) => judgement.require(*owner == body.institution_id, || {
            Rejection::new(Reason::TargetOfAnother).field("institution_id").detail(owner.to_string())
        }),
    }
}

/// A key of an institution, as far as it is loaded: those of others vouch for nobody.
pub(crate) fn key_of(view: &View, kid: Kid) -> Option<Arc<KeyRow>> {
    match view.get(&RowId::Key(kid)) {
        Some(Row::Key(row)) => Some(Arc::clone(row)),
        _ => None,
    }
}

/// That every record is the account's own, in force, and free; the applications that lapse for it, ascending.
fn records(
    judgement: &mut Judgement,
    body: &ConversionRequest,
    account: Option<&AccountRow>,
    today: Option<CivilDate>,
) -> BTreeSet<u64> {
    let view = judgement.view;
    let mut lapsed = BTreeSet::new();
    for (position, name) in body.records.iter().enumerate() {
        let field = format!("records[{position}]");
        let refusal = |reason: Reason| Rejection::new(reason).field(field.clone());
        let Some(row) = view.record(&name.issuer, name.record_id) else {
            judgement.refuse(refusal(Reason::RecordUnknown));
            continue;
        };
        let own = row.facts.account_ref == body.account_ref;
        judgement.require(own, || refusal(Reason::RecordOfAnotherAccount));
        if let (true, Some(account), Some(today)) = (own, account, today) {
            in_force(judgement, row, account, today, &refusal);
        }
        match body.purpose {
            ConversionPurpose::Credit => {
                judgement.require(row.application.is_none(), || refusal(Reason::RecordGranted));
                let offered = row.facts.credit_eligible || row.application.is_some();
                judgement.require(offered, || refusal(Reason::RecordNotOffered));
            }
            ConversionPurpose::Award => {
                // What may still be taken back carries no award.
                let granted_by = row.application.and_then(|index| view.application(index));
                let provisional = granted_by.is_some_and(|row| row.status == ApplicationStatus::Provisional);
                judgement.require(!provisional, || refusal(Reason::RecordNotAvailable));
            }
        }
        let holder = view.uses(body.account_ref).and_then(|uses| uses.holder(name));
        if let Some(holder) = holder {
            if view.application(holder).is_some_and(|row| over(judgement, row)) {
                lapsed.insert(holder);
            } else {
                judgement.refuse(refusal(Reason::RecordReserved).index(holder));
            }
        }
    }
    lapsed
}

/// That a record reads as valid and not yet used up on a day.
fn in_force(
    judgement: &mut Judgement,
    row: &RecordRow,
    account: &AccountRow,
    today: CivilDate,
    refusal: &dyn Fn(Reason) -> Rejection,
) {
    let view = judgement.view;
    let state = state_of(row, account, &|kid| key_of(view, kid), today);
    let refused = match (state.status, state.bucket) {
        (RecordStatus::Revoked, _) => Some(Reason::RecordRevoked),
        (RecordStatus::Superseded, _) => Some(Reason::RecordSuperseded),
        (RecordStatus::Suspended, _) => Some(Reason::RecordNotAvailable),
        (RecordStatus::Valid, Bucket::KeySuspect) => Some(Reason::RecordKeySuspect),
        (RecordStatus::Valid, Bucket::Expired) => Some(Reason::RecordExpired),
        (RecordStatus::Valid, Bucket::Redeemed) => Some(Reason::RecordUsed),
        // What is held for an application that has lapsed does not read as expired.
        (RecordStatus::Valid, Bucket::Reserved) if row.valid_until.is_some_and(|until| until < today) => {
            Some(Reason::RecordExpired)
        }
        (RecordStatus::Valid, Bucket::Available | Bucket::Reserved) => None,
        (RecordStatus::Valid, Bucket::Issued | Bucket::Revoked | Bucket::Suspended) => {
            Some(Reason::RecordNotAvailable)
        }
    };
    if let Some(reason) = refused {
        judgement.refuse(refusal(reason).index(row.last_status_index));
    }
}

/// That what is proposed can be posted: in schemes of the log, from records that no earlier use excludes.
fn items(judgement: &mut Judgement, body: &ConversionRequest, items: &[ProposedItem]) {
    let view = judgement.view;
    for item in items {
        let name = item.scheme.to_string();
        match view.scheme(&item.scheme) {
            None => judgement.refuse(Rejection::new(Reason::SchemeUnknown).field("book").detail(name)),
            Some(row) => {
                let step = row.scheme.step_milli;
                let on_step = item.credits.is_none_or(|credits| credits.milli().checked_rem(step) == Some(0));
                judgement
                    .require(on_step, || Rejection::new(Reason::AmountOffStep).field("book").detail(name));
            }
        }
        for position in item.sources.iter().filter_map(|position| usize::try_from(*position).ok()) {
            let Some(record) = body.records.get(position) else {
                judgement.refuse(Rejection::new(Reason::RecordUnknown).field("records"));
                continue;
            };
            let earlier = view.uses(body.account_ref).into_iter().flat_map(|row| &row.uses);
            let before =
                earlier.filter(|earlier| earlier.record == *record).find(|earlier| excludes(earlier, item));
            if let Some(earlier) = before {
                let rejection = Rejection::new(Reason::RecordUsed).field(format!("records[{position}]"));
                judgement.refuse(rejection.index(earlier.application));
            }
        }
    }
}

/// That the events of an application fit an entry: names are as long as a book makes them.
fn fits(judgement: &mut Judgement, body: &ConversionRequest, items: &[ProposedItem], lapsed: &BTreeSet<u64>) {
    /// What an item takes beside its names, or a record that moves: numbers, tags, a posting with its scheme.
    const FRAME: usize = 96;
    let length = |name: Option<&BookName>| name.map_or(0, |name| name.as_str().len());
    let item = |item: &ProposedItem| {
        let names = [
            Some(&item.rule),
            item.rule_kind.as_ref(),
            Some(item.place.name()),
            item.programme.as_ref(),
            item.award_level.as_ref(),
        ];
        let names: usize = names.into_iter().map(length).sum();
        names.saturating_add(item.sources.len()).saturating_add(FRAME)
    };
    let record = |name: &RecordName| name.issuer.as_str().len().saturating_add(FRAME);
    // Records that are held, and once more where the application is posted at once.
    let own: usize = sources(items).into_iter().filter_map(|at| body.records.get(at)).map(record).sum();
    let rows = lapsed.iter().filter_map(|index| judgement.view.application(*index));
    let others: usize = rows.flat_map(|row| row.request.records.iter()).map(record).sum();
    let items: usize = items.iter().map(item).sum();
    let bytes = items.saturating_add(own.saturating_mul(2)).saturating_add(others);
    let detail =
        format!("about {bytes} bytes, {APPLICATION_BYTES_MAX} are allowed: apply with fewer records");
    judgement.require(bytes <= APPLICATION_BYTES_MAX, || {
        Rejection::new(Reason::EntryTooLarge).field("records").detail(detail)
    });
}

/// That no record is used twice by one proposal: items of one use name the same rule and records, and other places.
fn apart(judgement: &mut Judgement, items: &[ProposedItem]) {
    for (at, item) in items.iter().enumerate() {
        for other in items.iter().skip(at.saturating_add(1)) {
            let shared = item.sources.iter().find(|position| other.sources.contains(position));
            let Some(position) = shared else { continue };
            let one_use = item.rule == other.rule && item.sources == other.sources;
            let both = if one_use {
                item.place != other.place
            } else {
                item.consumption == Consumption::None || other.consumption == Consumption::None
            };
            judgement
                .require(both, || Rejection::new(Reason::RecordUsed).field(format!("records[{position}]")));
        }
    }
}

/// Whether an earlier use excludes an item. The reckoning has asked it too; but this, and not what was reckoned, keeps a
/// record from being used twice.
fn excludes(earlier: &RecordUse, item: &ProposedItem) -> bool {
    let same_programme = earlier.programme == item.programme;
    // What consumes nothing may count in many places; credit for it is granted once by each rule in each programme.
    if item.credits.is_some() && same_programme && earlier.rule == item.rule {
        return true;
    }
    // An award, or a step of one, is reached once with what was counted for it.
    if item.rule_kind.is_none()
        && earlier.rule_kind.is_none()
        && earlier.rule == item.rule
        && earlier.place == item.place
    {
        return true;
    }
    let by_earlier = match earlier.consumption {
        Consumption::None => return false,
        // Of a record with credit its bucket says so, to uses that consume nothing as well; one without credit is no less
        // used up.
        Consumption::Global | Consumption::OnceForAllDegrees => return true,
        Consumption::PerProgramme => same_programme,
        Consumption::PerAwardLevel => {
            same_programme || (item.award_level.is_some() && earlier.award_level == item.award_level)
        }
    };
    if item.consumption == Consumption::None {
        return false;
    }
    // What is to be used up for ever must be whole.
    by_earlier || matches!(item.consumption, Consumption::Global | Consumption::OnceForAllDegrees)
}

/// An application lapses: what was held for it is free.
fn lapse(view: &View, row: &ApplicationRow, kid: Kid) -> Event {
    Event::ConversionChanged(Box::new(ConversionChange {
        account_ref: row.request.account_ref,
        application: row.requested_index,
        status: ApplicationStatus::Lapsed,
        moved: crate::decide::application::released(view, row),
        granted: Vec::new(),
        granted_on: None,
        auto_approval: None,
        provisional_until: None,
        kid,
    }))
}

/// The index of the auto-approval that covers every item of an application for credit.
fn approval(
    row: &crate::row::AutoApprovalsRow,
    body: &ConversionRequest,
    assessment: &Assessment,
    today: CivilDate,
) -> Option<u64> {
    if body.purpose != ConversionPurpose::Credit || !assessment.automatic {
        return None;
    }
    let covers = |approval: &AutoApproval| {
        approval.book == body.book && assessment.items.iter().all(|item| approval.covers(&item.rule, today))
    };
    row.approvals.iter().find(|given| covers(&given.approval)).map(|given| given.index)
}

/// What an application grants for all of its items.
fn granted(statement_id: credit_types::CommandId, items: &[ProposedItem]) -> Vec<Granted> {
    (0u32..)
        .zip(items)
        .map(|(position, item)| Granted {
            record_id: credit_types::conversion::granted_id(statement_id, position),
            position,
            credits: item.credits,
        })
        .collect()
}

/// Where the records go when an application is posted in the entry that makes it: they were held a moment ago.
fn posted(
    view: &View,
    body: &ConversionRequest,
    items: &[ProposedItem],
    granted: &[Granted],
) -> Vec<RecordMoved> {
    let used = crate::decide::application::used_up(items, granted);
    let positions = sources(items).into_iter();
    positions
        .filter_map(|at| Some((at, body.records.get(at)?)))
        .map(|(at, name)| {
            let after = if used.contains(&at) { Move::RedeemHeld } else { Move::FreeHeld };
            moved(view, name, after)
        })
        .collect()
}
