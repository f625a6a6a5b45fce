//! What a client's errors mean to who ran the command.

use super::{CommandError, Exit};
use crate::language::Phrase;
use credit_client::{ClientError, Refusal};
use credit_types::{Reason, Text};

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        let (exit, phrase) = match &error {
            ClientError::Refused(refusal) => {
                return Self { exit: Exit::Refused, text: refused(refusal), cause: None };
            }
            ClientError::Fork(_) => (Exit::Broken, Phrase::LogForked),
            ClientError::BadReceipt(_) => (Exit::Broken, Phrase::NotProved),
            ClientError::OtherLog => (Exit::Broken, Phrase::AnotherLog),
            ClientError::Newer { what: _ } => (Exit::NeedsNewer, Phrase::NeedsNewer),
            ClientError::Unavailable { .. } | ClientError::Transport(_) => {
                (Exit::Unreachable, Phrase::NotReached)
            }
            ClientError::BadAnswer { .. } => (Exit::Unreachable, Phrase::AnswerUnreadable),
            ClientError::Invalid { .. } => (Exit::Usage, Phrase::NotSendable),
            ClientError::Signer(_) => (Exit::Usage, Phrase::NotSigned),
            ClientError::Plan(_) => (Exit::Usage, Phrase::PlanUnusable),
            ClientError::Heads(_) => (Exit::Unreachable, Phrase::HeadNotKept),
            ClientError::Outbox(_) => (Exit::Unreachable, Phrase::StatementNotKept),
            ClientError::Random(_) => (Exit::Unreachable, Phrase::NoRandomness),
        };
        Self::new(exit, phrase, &[]).because(error)
    }
}

/// A refusal in both languages, with what to do where the reason is one that this program knows.
pub(crate) fn refused(refusal: &Refusal) -> Text {
    let (zh, en) = match Reason::from_name(&refusal.reason) {
        Some(reason) => (
            format!("{}；{}", reason.zh(), reason.remedy_zh()),
            format!("{}; {}", reason.en(), reason.remedy_en()),
        ),
        None => (refusal.message.clone(), refusal.message.clone()),
    };
    let place = |text: String| match (&refusal.field, refusal.index) {
        (Some(field), Some(index)) => format!("{text} [{field}, #{index}]"),
        (Some(field), None) => format!("{text} [{field}]"),
        (None, Some(index)) => format!("{text} [#{index}]"),
        (None, None) => text,
    };
    let (zh, en) = (place(zh), place(en));
    let of = |text: &str| Phrase::LedgerRefused.with(&[&refusal.reason, &text]);
    Text { zh: of(&zh).zh, en: of(&en).en }
}
