//! What a call can come to, apart from success. `status.rs` alone turns it into gRPC codes.

use credit_types::{Reason, Rejection};

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The ledger says no; nothing changed.
    #[error(transparent)]
    Refused(#[from] Rejection),
    /// The writer's queue is full; try again later.
    #[error("the queue is full")]
    Busy,
    /// The outcome is not known; the same statement may be sent again.
    #[error("the outcome is not known")]
    Unknown,
    /// Writes have stopped until restart; the code says why.
    #[error("writes have stopped: {0}")]
    ReadOnly(&'static str),
    /// A read names what is not there.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The key that opens an account's secrets is not in the keyring, and nothing in the log says it was destroyed.
    #[error("an account's data key is missing")]
    DataKeyMissing,
    /// The caller may not do this.
    #[error("the caller may not do this")]
    Denied,
    /// The entry is about accounts, and the caller is no party to it.
    #[error("the caller is not a party to the entry")]
    NotParty,
    /// The caller did not prove who they are; the code says what was wrong.
    #[error("the caller is not known: {0}")]
    Unauthenticated(&'static str),
    /// The request has no valid form.
    #[error("{field}: {problem}")]
    Invalid {
        /// The path of the field.
        field: String,
        /// Its limit, and what to do.
        problem: String,
    },
    /// The world failed. The text is for our own log, never for a caller.
    #[error("fault: {0}")]
    Fault(String),
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Refused(Rejection::new(reason))
    }
}

impl From<credit_proto::InvalidField> for Failure {
    fn from(invalid: credit_proto::InvalidField) -> Self {
        Self::Refused(invalid.into())
    }
}

impl From<credit_store::StoreError> for Failure {
    fn from(error: credit_store::StoreError) -> Self {
        Self::Fault(chain(&error))
    }
}

/// An error with all its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Makes a fault of what was being done and why it failed.
pub(crate) fn fault<E: std::error::Error>(doing: &'static str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Fault(format!("{doing}: {}", chain(&error)))
}
