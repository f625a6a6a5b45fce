//! Conversions: rule books, applications, decisions, awards. Stories of what each statement does and of every refusal,
//! and random histories of what must hold at every index.

mod awards;
mod bank;
mod book;
mod changes;
mod decisions;
mod histories;
mod limits;
mod orders;
mod protocol;
mod requests;
mod rule_books;
mod say;
mod steps;
mod uses;

use credit_types::{Reason, Rejection};

/// What only a service can give: it alone has the book's own bytes.
const OF_A_SERVICE: [Reason; 2] = [Reason::BookFaulty, Reason::BookBlobMissing];

#[test]
fn every_reason_of_conversions_has_a_scenario() {
    let sources = [
        include_str!("conversion/awards.rs"),
        include_str!("conversion/changes.rs"),
        include_str!("conversion/decisions.rs"),
        include_str!("conversion/limits.rs"),
        include_str!("conversion/protocol.rs"),
        include_str!("conversion/requests.rs"),
        include_str!("conversion/rule_books.rs"),
        include_str!("conversion/steps.rs"),
        include_str!("conversion/uses.rs"),
    ];
    let text = sources.concat();
    let new = Reason::all().filter(|reason| *reason >= Reason::ProtocolTooOld);
    for reason in new.filter(|reason| !OF_A_SERVICE.contains(reason)) {
        assert!(text.contains(&format!("Reason::{reason:?},")), "{reason} has no scenario");
    }
}

/// That a command was refused for a reason, because of a field; gives the refusal for more.
fn refused<T: std::fmt::Debug>(outcome: Result<T, Rejection>, reason: Reason, field: &str) -> Rejection {
    let rejection = outcome.expect_err("is refused");
    assert_eq!(
        (rejection.reason, rejection.field.as_deref().unwrap_or("")),
        (reason, field),
        "{rejection:?}"
    );
    rejection
}
