//! What can come of a call besides success. This is the only file of the client that knows gRPC's codes.

use credit_log::checkpoint::OpenError;
use credit_proto::{InvalidField, v1};
use credit_types::{Digest, Reason};
use credit_verify::{BundleFault, Fault};
use std::fmt;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::builder::Language;
use crate::heads::HeadsError;
use crate::history::SeenHead;
use crate::plan::PlanError;
use crate::random::RandomError;
use crate::signer::SignerError;

/// The domain of every reason that the bank gives.
const DOMAIN: &str = "creditbank.v1";
/// The reason given for what broke before the bank could give one.
const TRANSPORT: &str = "TRANSPORT";
/// The reason given where no answer came in time.
const NO_ANSWER: &str = "NO_ANSWER";

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The bank said no and changed nothing.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The bank could not be reached, or could not answer, as often as it was tried. A write's outcome is not known;
    /// it may be sent again with the same plan or asked for.
    #[error("no answer after {tries} tries: {reason}: {message}")]
    Unavailable {
        /// The bank's code, or `TRANSPORT` or `NO_ANSWER`.
        reason: String,
        /// What was said.
        message: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The log contradicts a head that was seen before. Both heads are signed: keep them, they prove it to anybody.
    #[error("{0}")]
    Fork(Box<Fork>),
    /// A proof that came back is false, or proves something else than what was said.
    #[error("what the bank answered is not proved")]
    BadReceipt(#[from] BadReceipt),
    /// Another log answered than the one that is pinned.
    #[error("the server keeps another log than the one that the trust file pins")]
    OtherLog,
    /// Later software wrote what came back: nothing is known to be wrong with it.
    #[error("a newer client is needed: {what}")]
    Newer {
        /// What is not known here.
        what: String,
    },
    /// An answer does not have the form that its call promises.
    #[error("the answer of {call} cannot be read: {problem}")]
    BadAnswer {
        /// The call.
        call: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// What should be sent would never be accepted; nothing was sent.
    #[error("`{field}` {problem}")]
    Invalid {
        /// The path of the field.
        field: String,
        /// Which limit or rule is broken, and what to do.
        problem: String,
    },
    /// The keys at hand cannot sign it.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The batch plan cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The last head seen could not be read or kept.
    #[error(transparent)]
    Heads(#[from] HeadsError),
    /// A signed statement could not be kept; nothing was sent.
    #[error("the signed statement could not be kept, so it was not sent")]
    Outbox(#[source] std::io::Error),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The endpoint cannot be used, or what answers there does not speak the bank's protocol.
    #[error("the server could not be called")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<Fault> for ClientError {
    fn from(fault: Fault) -> Self {
        if let Fault::Newer { what } = fault {
            return Self::Newer { what };
        }
        if fault == Fault::OtherLog { Self::OtherLog } else { BadReceipt::Unproved(fault).into() }
    }
}

impl From<InvalidField> for ClientError {
    fn from(error: InvalidField) -> Self {
        let InvalidField { reason: _, field, problem } = error;
        Self::Invalid { field, problem }
    }
}

impl ClientError {
    /// An answer that does not have its form.
    pub(crate) fn answer(call: &'static str, problem: impl fmt::Display) -> Self {
        Self::BadAnswer { call, problem: problem.to_string() }
    }

    /// A field of what should be sent.
    pub(crate) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), problem: problem.into() }
    }

    /// Whether the bank refused for this reason of the ledger.
    pub fn is_refused_for(&self, reason: Reason) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.known() == Some(reason))
    }
}

/// The bank's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code, for example `RECORD_EXISTS`.
    pub reason: String,
    /// What is wrong and what to do, in the client's language.
    pub message: String,
    /// The path of the field that is wrong, where one is.
    pub field: Option<String>,
    /// Index of the entry that stands in the way, where one does.
    pub index: Option<u64>,
}

impl Refusal {
    /// The ledger's reason, if it is one that this client knows; access and the like have codes of their own.
    pub fn known(&self) -> Option<Reason> {
        Reason::from_name(&self.reason)
    }

    /// The refusal of one element of a stream or batch.
    pub(crate) fn of_element(refusal: v1::Refusal, language: Language) -> Self {
        let v1::Refusal { reason, message_en, message_zh, field, retryable: _ } = refusal;
        let message = match language {
            Language::English => message_en,
            Language::Chinese => message_zh,
        };
        Self { reason, message, field: Some(field).filter(|field| !field.is_empty()), index: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.reason)?;
        if let Some(field) = &self.field {
            write!(out, "{field}: ")?;
        }
        out.write_str(&self.message)
    }
}

/// How two heads contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForkKind {
    /// The log is shown smaller than it was.
    Rollback,
    /// Two roots for one size.
    TwoRoots,
    /// The proof that one continues the other is false.
    ProofFalse,
    /// The server refuses to prove that one continues the other.
    ProofRefused,
}

/// Two heads of which only one can be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// How they contradict each other.
    pub kind: ForkKind,
    /// The head seen before, with its signed checkpoint.
    pub seen: SeenHead,
    /// The head shown now, with its signed checkpoint.
    pub shown: SeenHead,
}

impl fmt::Display for Fork {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ForkKind::Rollback => "the log is smaller than it was",
            ForkKind::TwoRoots => "the log has two roots for one size",
            ForkKind::ProofFalse => "the log does not continue the head seen before",
            ForkKind::ProofRefused => "the server does not prove that the log continues the head seen before",
        };
        let (seen, shown) = (&self.seen, &self.shown);
        write!(out, "{what}: seen {} {}, shown {} {}", seen.size, seen.root, shown.size, shown.root)
    }
}

/// What is wrong with a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReceipt {
    /// No receipt came, though one was asked for.
    #[error("there is no receipt")]
    Missing,
    /// The receipt, or what the bank signed, does not verify.
    #[error("the receipt does not hold")]
    Unproved(#[source] Fault),
    /// A checkpoint does not verify under the pinned keys.
    #[error("the checkpoint does not hold")]
    Checkpoint(#[source] OpenError),
    /// It is the receipt of another entry.
    #[error("the receipt is of entry {proved}, not of entry {told}")]
    OtherEntry {
        /// The entry that the answer names.
        told: u64,
        /// The entry that the receipt proves.
        proved: u64,
    },
    /// The entry's leaf hash is not the one that was told.
    #[error("entry {index} has leaf hash {proved}, not {told}")]
    OtherLeaf {
        /// The entry.
        index: u64,
        /// The leaf hash that the answer names.
        told: Digest,
        /// The leaf hash that the receipt proves.
        proved: Digest,
    },
    /// The record bundle does not hold.
    #[error("the record bundle does not hold")]
    Bundle(#[source] BundleFault),
    /// The receipt does not open a part that the caller may read.
    #[error("the receipt of entry {index} does not open {what}")]
    NotOpened {
        /// The entry.
        index: u64,
        /// The part.
        what: String,
    },
    /// The entry records something else than what was signed here.
    #[error("entry {index} does not record what was sent: {problem}")]
    OtherStatement {
        /// The entry.
        index: u64,
        /// What differs.
        problem: String,
    },
}

/// What a failed try means for the next one.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The same may succeed later.
    Again { reason: String, message: String, after: Option<Duration> },
    /// It won't.
    Final(ClientError),
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Self::Final(error)
    }
}

impl Trouble {
    /// No answer came in time.
    pub(crate) fn no_answer() -> Self {
        Self::Again {
            reason: NO_ANSWER.to_owned(),
            message: "no answer came in time".to_owned(),
            after: None,
        }
    }

    /// The stream ended before all was answered.
    pub(crate) fn broken() -> Self {
        let message = "the stream ended before all was answered".to_owned();
        Self::Again { reason: TRANSPORT.to_owned(), message, after: None }
    }

    /// What a status means. Without the bank's own reason it comes from the transport, of which nothing is final but
    /// what cannot be a matter of chance.
    pub(crate) fn of(status: Status) -> Self {
        let details = status.get_error_details();
        let after = details.retry_info().and_then(|info| info.retry_delay);
        let message = details.localized_message().map(|text| text.message.clone());
        let message = message.unwrap_or_else(|| status.message().to_owned());
        let Some(info) = details.error_info().filter(|info| info.domain == DOMAIN) else {
            let chance = matches!(
                status.code(),
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::Cancelled
                    | Code::Aborted
                    | Code::Unknown
                    | Code::Internal
            );
            return if chance {
                Self::Again { reason: TRANSPORT.to_owned(), message, after }
            } else {
                Self::Final(ClientError::Transport(Box::new(status)))
            };
        };
        let reason = info.reason.clone();
        if after.is_some() || matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) {
            return Self::Again { reason, message, after };
        }
        let index = info.metadata.get("index").and_then(|index| index.parse().ok());
        let field = info.metadata.get("field").cloned();
        Self::Final(ClientError::Refused(Box::new(Refusal { reason, message, field, index })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    #[expect(
        clippy::disallowed_types,
        reason = "tonic-types takes the metadata as a HashMap; it is built and given"
    )]
    type Metadata = std::collections::HashMap<String, String>;

    fn of_bank(code: Code, reason: &str, retry: Option<Duration>) -> Trouble {
        let metadata =
            [("field".to_owned(), "facts.record_id".to_owned()), ("index".to_owned(), "7".to_owned())];
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, Metadata::from(metadata));
        details.set_localized_message("zh-CN", "成果编号已存在");
        if retry.is_some() {
            details.set_retry_info(retry);
        }
        Trouble::of(Status::with_error_details(code, "for programmers", details))
    }

    #[test]
    fn a_refusal_keeps_its_reason_field_entry_and_words() {
        let Trouble::Final(error) = of_bank(Code::AlreadyExists, "RECORD_EXISTS", None) else {
            panic!("a refusal is final")
        };
        assert!(error.is_refused_for(Reason::RecordExists));
        assert!(!error.is_refused_for(Reason::RecordUnknown));
        let ClientError::Refused(refusal) = error else { panic!("a refusal") };
        let want = Refusal {
            reason: "RECORD_EXISTS".to_owned(),
            message: "成果编号已存在".to_owned(),
            field: Some("facts.record_id".to_owned()),
            index: Some(7),
        };
        assert_eq!(*refusal, want);
        assert_eq!(want.to_string(), "RECORD_EXISTS: facts.record_id: 成果编号已存在");
    }

    #[test]
    fn what_the_bank_calls_passing_is_tried_again() {
        let wait = Duration::from_millis(200);
        let busy = of_bank(Code::ResourceExhausted, "BUSY", Some(wait));
        assert!(
            matches!(busy, Trouble::Again { reason, after, .. } if reason == "BUSY" && after == Some(wait))
        );
        for reason in ["OUTCOME_UNKNOWN", "FAULT", "STOPPING"] {
            assert!(matches!(of_bank(Code::Unavailable, reason, None), Trouble::Again { .. }), "{reason}");
        }
        // A limit of the ledger and a full disk won't pass in seconds.
        for reason in ["BATCH_LIMIT_REACHED", "NO_SPACE"] {
            assert!(matches!(of_bank(Code::ResourceExhausted, reason, None), Trouble::Final(_)), "{reason}");
        }
        for code in [Code::Unauthenticated, Code::PermissionDenied, Code::NotFound, Code::InvalidArgument] {
            assert!(matches!(of_bank(code, "TOKEN_EXPIRED", None), Trouble::Final(_)), "{code:?}");
        }
    }

    #[test]
    fn what_the_transport_says_is_tried_again_unless_it_cannot_be_chance() {
        for code in
            [Code::Unavailable, Code::Unknown, Code::Internal, Code::Cancelled, Code::DeadlineExceeded]
        {
            assert!(matches!(Trouble::of(Status::new(code, "x")), Trouble::Again { .. }), "{code:?}");
        }
        for code in [Code::Unimplemented, Code::OutOfRange, Code::InvalidArgument] {
            let trouble = Trouble::of(Status::new(code, "x"));
            assert!(matches!(trouble, Trouble::Final(ClientError::Transport(_))), "{code:?}");
        }
        // A reason of another domain is not the bank's.
        let details = ErrorDetails::with_error_info("RECORD_EXISTS", "other", Metadata::new());
        let foreign = Trouble::of(Status::with_error_details(Code::AlreadyExists, "x", details));
        assert!(matches!(foreign, Trouble::Final(ClientError::Transport(_))));
    }
}
