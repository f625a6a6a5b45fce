//! What takes the service and not only the public log: the auditor's part, statements that were handed over, and heads
//! that witnesses have cosigned.

use super::super::Context;
use super::super::connect::{Caller, Connect, client};
use super::alarm::Found;
use super::auditor::Auditor;
use super::follow::{Round, SeenHead};
use super::state::State;
use super::statements::{Asking, Statements};
use crate::ending::{CommandError, unreadable};
use credit_client::{Client, ClientError, Fork, Trust, Witnesses};
use credit_log::checkpoint::Checkpoint;
use credit_verify::Memory;
use std::path::{Path, PathBuf};

/// Why the service could not be asked to the end.
#[derive(Debug)]
pub(super) enum ServiceTrouble {
    /// A call failed.
    Client(ClientError),
    /// The monitor can't go on.
    Ended(CommandError),
}

impl From<ClientError> for ServiceTrouble {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<CommandError> for ServiceTrouble {
    fn from(error: CommandError) -> Self {
        Self::Ended(error)
    }
}

/// What a failed call means.
pub(super) enum Meaning {
    /// The service can't be asked, or does not let this caller ask.
    Silent(String),
    /// It shows a head that contradicts one that was seen.
    Conflict(Box<(SeenHead, SeenHead)>),
    /// Something is wrong with what it shows.
    Wrong(Found),
    /// The monitor can't go on.
    Ended(CommandError),
}

/// The service.
pub(super) struct Service {
    connect: Connect,
    token_file: Option<PathBuf>,
    statements: Option<Statements>,
    auditor: Option<Auditor>,
}

impl Service {
    /// The service at an address; an auditor's part where there is a token.
    pub(super) fn new(
        url: &str,
        trust_file: Option<&Path>,
        token_file: Option<PathBuf>,
        statements: Option<Statements>,
        auditor: (Trust, &Memory),
    ) -> Self {
        let connect = Connect { url: url.to_owned(), trust: trust_file.map(Path::to_path_buf) };
        let auditor = token_file.as_ref().map(|_| Auditor::new(auditor.0, auditor.1));
        Self { connect, token_file, statements, auditor }
    }

    /// A client, with the token as the file has it at present: tokens live for an hour.
    fn client(&self, context: &Context) -> Result<Client, CommandError> {
        let caller = match &self.token_file {
            None => Caller::Anybody,
            Some(path) => {
                Caller::Bearer(std::fs::read_to_string(path).map_err(unreadable(path))?.trim().to_owned())
            }
        };
        client(context, &self.connect, caller)
    }

    /// Count of entries that were judged with their parts.
    pub(super) fn audited(&self) -> Option<u64> {
        self.auditor.as_ref().map(Auditor::size)
    }

    /// Asks once, under the head that the public log has shown.
    pub(super) async fn round(
        &mut self,
        context: &Context,
        trust: &Trust,
        state: &mut State,
        round: &Round,
        now_us: i64,
    ) -> Result<Vec<Found>, ServiceTrouble> {
        let client = self.client(context)?;
        // Both sides must show one history.
        client.head().await?;
        let SeenHead { note, head } = &round.seen;
        let mut found = Vec::new();
        if let Some(auditor) = &mut self.auditor {
            found.extend(auditor.follow(&client, note, head.size).await?);
        }
        if let Some(statements) = &mut self.statements {
            let as_auditor = self.token_file.is_some();
            let asking = Asking { client: &client, as_auditor, size: head.size, now_us };
            found.extend(statements.look(context, trust, state, asking).await?);
        }
        Ok(found)
    }

    /// The size of the last head that enough witnesses have cosigned: a busy log is ahead of it most of the time.
    pub(super) async fn witnessed(&self, context: &Context) -> Result<Option<u64>, ServiceTrouble> {
        let (_, verified) = self.client(context)?.get_receipt(0).await?;
        Ok(match verified.witnesses {
            Witnesses::Met(_) => Some(verified.checkpoint.size),
            Witnesses::NotMet | Witnesses::NotPinned { claimed: _ } => None,
        })
    }
}

/// What a failed call means.
pub(super) fn meaning(trouble: ServiceTrouble, trust: &Trust) -> Meaning {
    let error = match trouble {
        ServiceTrouble::Client(error) => error,
        ServiceTrouble::Ended(error) => return Meaning::Ended(error),
    };
    match error {
        ClientError::Fork(fork) => {
            let Fork { kind: _, seen, shown } = *fork;
            let of = |head: credit_client::SeenHead| SeenHead {
                note: head.checkpoint,
                head: Checkpoint { origin: trust.origin.clone(), size: head.size, root: head.root.0 },
            };
            Meaning::Conflict(Box::new((of(seen), of(shown))))
        }
        ClientError::BadReceipt(_) | ClientError::OtherLog => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let detail = format!("{error}{}", cause.unwrap_or_default());
            Meaning::Wrong(Found { about: Some("service".to_owned()), ..Found::invalid(&detail) })
        }
        ClientError::Newer { what } => Meaning::Wrong(Found::newer(0, &what)),
        ClientError::Refused(_)
        | ClientError::Unavailable { .. }
        | ClientError::BadAnswer { .. }
        | ClientError::Transport(_) => Meaning::Silent(error.to_string()),
        ClientError::Invalid { .. }
        | ClientError::Signer(_)
        | ClientError::Plan(_)
        | ClientError::Heads(_)
        | ClientError::Outbox(_)
        | ClientError::Random(_) => Meaning::Ended(error.into()),
    }
}

/// The alarms that an answer of the service settles.
pub(super) const SETTLED: [&str; 4] =
    ["BAD_ENTRY:PARTS", "WITHHELD", "UNREACHABLE:service", "CHECKPOINT_INVALID:service"];

#[cfg(test)]
mod tests {
    use super::super::alarm::Code;
    use super::*;

    #[test]
    fn what_the_service_settles_are_alarms_that_exist() {
        let names: Vec<&str> = [Code::BadEntry, Code::Withheld, Code::Unreachable, Code::CheckpointInvalid]
            .into_iter()
            .map(Code::name)
            .collect();
        for key in SETTLED {
            assert!(names.contains(&key.split(':').next().unwrap()), "{key}");
        }
    }
}
