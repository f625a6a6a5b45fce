//! Rule books and auto-approvals.

use super::existing;
use crate::row::{BookVersionRow, Context, GivenApproval, Row, RowId};
use crate::view::View;
use credit_types::{AutoApproval, InstitutionId, RuleBookAction, RuleBookChange, RuleBookPublication};
use std::sync::Arc;

/// A version is published.
pub(super) fn publish(view: &mut View, context: &Context, publication: &RuleBookPublication) {
    let mut row = view.book(&publication.book.book_id).cloned().unwrap_or_default();
    let newest = row.versions.last().map(|last| last.publication.book.version);
    assert!(newest < Some(publication.book.version), "versions only grow");
    row.versions.push(BookVersionRow {
        publication: publication.clone(),
        published_index: context.index,
        published_at_us: context.recorded_at_us,
        activated_index: None,
        abolished_index: None,
        last_index: context.index,
    });
    view.put(RowId::Book(publication.book.book_id.clone()), Row::Book(Arc::new(row)));
}

/// A version is activated or abolished.
pub(super) fn change(view: &mut View, context: &Context, change: &RuleBookChange) {
    let mut row = existing(view.book(&change.book.book_id));
    let mut of_version = row.versions.iter_mut().filter(|row| row.publication.book == change.book);
    let Some(version) = of_version.next() else {
        unreachable!("a version is changed after it was published")
    };
    let state = match change.action {
        RuleBookAction::Activate => &mut version.activated_index,
        RuleBookAction::Abolish => &mut version.abolished_index,
    };
    assert!(state.is_none(), "a version is activated once and abolished once");
    *state = Some(context.index);
    version.last_index = context.index;
    view.put(RowId::Book(change.book.book_id.clone()), Row::Book(Arc::new(row)));
}

/// An institution says what it applies without an officer; the newest of a version counts.
pub(super) fn give_auto_approval(
    view: &mut View,
    context: &Context,
    institution_id: &InstitutionId,
    approval: &AutoApproval,
) {
    let mut row = view.auto_approvals(institution_id).cloned().unwrap_or_default();
    let given = GivenApproval { approval: approval.clone(), index: context.index };
    match row.approvals.binary_search_by(|one| one.approval.book.cmp(&approval.book)) {
        Ok(at) => {
            row.approvals.splice(at..at.saturating_add(1), [given]);
        }
        Err(at) => row.approvals.insert(at, given),
    }
    view.put(RowId::AutoApprovals(institution_id.clone()), Row::AutoApprovals(Arc::new(row)));
}
