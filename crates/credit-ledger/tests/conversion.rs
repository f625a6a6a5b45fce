//! Conversions: rule books, applications, decisions, awards. Stories of what each statement does and of every refusal,
//! and random histories of what must hold at every index.

mod awards;
mod bank;
mod book;
mod decisions;
mod requests;
mod rule_books;
mod say;
mod steps;

use credit_types::{Reason, Rejection};

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
