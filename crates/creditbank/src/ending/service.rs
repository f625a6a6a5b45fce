//! What a stopped ledger's failures mean to who ran the command.

use super::{CommandError, Exit};
use crate::language::Phrase;
use credit_client::Refusal;
use credit_service::Failure;

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        let (exit, phrase) = match &failure {
            Failure::Refused(rejection) => {
                let text = super::client::refused(&Refusal {
                    reason: rejection.reason.name().to_owned(),
                    message: rejection.to_string(),
                    field: rejection.field.clone(),
                    index: rejection.index,
                });
                let error = Self { exit: Exit::Refused, text, cause: None };
                return match &rejection.detail {
                    Some(detail) => error.because(anyhow::anyhow!("{detail}")),
                    None => error,
                };
            }
            Failure::Invalid { .. } => (Exit::Usage, Phrase::NotSendable),
            Failure::Busy => (Exit::Unreachable, Phrase::Busy),
            Failure::Unknown
            | Failure::ReadOnly(_)
            | Failure::NotFound(_)
            | Failure::DataKeyMissing
            | Failure::Denied
            | Failure::NotParty
            | Failure::Unauthenticated(_)
            | Failure::Fault(_) => (Exit::Unreachable, Phrase::ServiceFault),
        };
        Self::new(exit, phrase, &[]).because(failure)
    }
}
