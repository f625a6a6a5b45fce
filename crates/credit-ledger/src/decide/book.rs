//! Rule books: published, activated, abolished; and who applies them without an officer.

use crate::decide::Judgement;
use crate::evidence::{self, AnchorRule, days_us};
use crate::row::BookVersionRow;
use credit_types::limits::{AUTO_APPROVALS_MAX, BOOK_VERSIONS_MAX};
use credit_types::{
    AutoApproval, BookCheck, BookVersion, Event, KeyPurpose, Reason, Rejection, Role, RuleBookAction,
    RuleBookChange, RuleBookPublication, Signed, SignerId,
};

/// The authority publishes a version of a rule book.
pub(crate) fn publish(
    mut judgement: Judgement,
    statement: &Signed<RuleBookPublication>,
    check: &BookCheck,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    evidence::signer_is(&mut judgement, &header.signer, &SignerId::Authority);
    evidence::authority(&mut judgement, signers, &[]);
    says(&mut judgement, body, check);
    // Frameworks and rule books share one kind of subject, and so one kind of chain.
    let of_framework = view.framework(&body.book.book_id).is_some();
    judgement.require(!of_framework, || Rejection::new(Reason::BookIdTaken).field("book_id"));
    if let Some(row) = view.book(&body.book.book_id)
        && let Some(last) = row.versions.last()
    {
        let before = last.publication.book.version;
        let rejection =
            || Rejection::new(Reason::BookVersionNotNewer).field("version").index(last.published_index);
        judgement
            .require(body.book.version > before, || rejection().detail(format!("must be above {before}")));
        judgement.require(row.versions.len() < BOOK_VERSIONS_MAX, || Reason::BookLimitReached);
    }
    judgement.end()?;
    Ok(vec![Event::RuleBookPublished(Box::new(statement.clone()))])
}

/// That a book says of itself what the statement says of it.
fn says(judgement: &mut Judgement, body: &RuleBookPublication, check: &BookCheck) {
    let fields = [
        ("book_id", body.book.book_id == check.book.book_id),
        ("version", body.book.version == check.book.version),
        ("size_bytes", body.size_bytes == check.size_bytes),
        ("effective_from", body.effective_from == check.effective_from),
        ("effective_until", body.effective_until == check.effective_until),
        ("select_by", body.select_by == check.select_by),
    ];
    for (field, same) in fields {
        judgement.require(same, || Rejection::new(Reason::BookMismatch).field(field));
    }
}

/// A version of a book that must be published.
pub(crate) fn version<'a>(judgement: &mut Judgement<'a>, book: &BookVersion) -> Option<&'a BookVersionRow> {
    let row = judgement.view.book(&book.book_id);
    judgement.require(row.is_some(), || Rejection::new(Reason::BookUnknown).field("book_id"));
    let row = row?;
    let found = row.version(book.version);
    judgement.require(found.is_some(), || Rejection::new(Reason::BookUnknown).field("version"));
    found
}

/// The authority activates or abolishes a version of a rule book.
pub(crate) fn change(
    mut judgement: Judgement,
    statement: &Signed<RuleBookChange>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    evidence::signer_is(&mut judgement, &header.signer, &SignerId::Authority);
    evidence::authority(&mut judgement, signers, &[]);
    if let Some(row) = version(&mut judgement, &body.book) {
        let fresh = view.leaf(row.last_index) == Some(body.after);
        let stale = || Rejection::new(Reason::StaleStatement).field("after").index(row.last_index);
        judgement.require(fresh, stale);
        let allowed = match body.action {
            RuleBookAction::Activate => row.activated_index.is_none() && row.abolished_index.is_none(),
            RuleBookAction::Abolish => row.abolished_index.is_none(),
        };
        judgement.require(allowed, || Rejection::new(Reason::BookStateWrong).index(row.last_index));
        if let (RuleBookAction::Activate, Some(log)) = (body.action, view.log()) {
            let policy = log.genesis.policy;
            let enough = u32::try_from(signers.len()).is_ok_and(|count| count >= policy.quorum);
            let detail = format!("{} of {} authority keys", signers.len(), policy.quorum);
            judgement.require(enough, || {
                Rejection::new(Reason::ThresholdNotMet).field("signatures").detail(detail)
            });
            let waited_us = judgement.context.recorded_at_us.saturating_sub(row.published_at_us);
            let noticed = waited_us >= days_us(policy.notice_days);
            judgement.require(noticed, || {
                let detail = format!("{} days from its publication", policy.notice_days);
                Rejection::new(Reason::BookNoticeRunning).index(row.published_index).detail(detail)
            });
        }
    }
    judgement.end()?;
    Ok(vec![Event::RuleBookChanged(Box::new(statement.clone()))])
}

/// An institution says which rules it applies without an officer.
pub(crate) fn give_auto_approval(
    mut judgement: Judgement,
    statement: &Signed<AutoApproval>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let view = judgement.view;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let mut events = Vec::new();
    if let Some(row) = evidence::institution(&mut judgement, &header.signer) {
        evidence::role(&mut judgement, row, Role::Acceptor);
        let institution_id = &row.admission.institution_id;
        evidence::one_key(&mut judgement, institution_id, signers, &[KeyPurpose::Decisions], &[]);
        let given =
            view.auto_approvals(institution_id).map(|row| row.approvals.as_slice()).unwrap_or_default();
        let room = given.len() < AUTO_APPROVALS_MAX || given.iter().any(|one| one.approval.book == body.book);
        judgement.require(room, || Reason::AutoApprovalLimitReached);
        events.push(Event::AutoApprovalGiven {
            institution_id: institution_id.clone(),
            statement: Box::new(statement.clone()),
        });
    }
    if let Some(row) = version(&mut judgement, &body.book) {
        let current = row.abolished_index.is_none();
        judgement.require(current, || Rejection::new(Reason::BookStateWrong).index(row.last_index));
    }
    judgement.end()?;
    Ok(events)
}
