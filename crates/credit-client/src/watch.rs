//! Follows the log: each published checkpoint, verified and held against what was seen before.

use credit_proto::v1;
use std::time::Duration;
use tonic::Streaming;

use crate::builder::Client;
use crate::call::log;
use crate::error::{BadReceipt, ClientError, ForkKind, Trouble};
use crate::history::{SeenHead, fork, open};

/// How long to wait for a checkpoint: the bank publishes one again after half a minute even where nothing was added.
const SILENCE: Duration = Duration::from_secs(95);

/// The checkpoints of a log as they are published.
#[derive(Debug)]
pub struct CheckpointWatch {
    client: Client,
    stream: Streaming<v1::WatchCheckpointsResponse>,
    last: Option<SeenHead>,
}

impl Client {
    /// Follows the checkpoints that the bank publishes, from the current one on.
    pub async fn watch_checkpoints(&self) -> Result<CheckpointWatch, ClientError> {
        let request = self.request(v1::WatchCheckpointsRequest {})?;
        let mut stub = log(self.shared.channel.clone());
        let began = tokio::time::timeout(self.shared.stream_deadline, stub.watch_checkpoints(request)).await;
        match began {
            Ok(Ok(response)) => {
                Ok(CheckpointWatch { client: self.clone(), stream: response.into_inner(), last: None })
            }
            Ok(Err(status)) => Err(ended(Trouble::of(status))),
            Err(_elapsed) => Err(ended(Trouble::no_answer())),
        }
    }
}

impl CheckpointWatch {
    /// The next published checkpoint, verified, and proved to be of the history that was seen before; the same again
    /// where nothing was added meanwhile. `None`: the bank has ended the stream. `Unavailable` where it stops, breaks
    /// off or is silent: follow anew. `Fork` if the log contradicts what was seen.
    pub async fn next(&mut self) -> Result<Option<SeenHead>, ClientError> {
        let told = match tokio::time::timeout(SILENCE, self.stream.message()).await {
            Ok(Ok(Some(told))) => told,
            Ok(Ok(None)) => return Ok(None),
            Ok(Err(status)) => return Err(ended(Trouble::of(status))),
            Err(_elapsed) => return Err(ended(Trouble::no_answer())),
        };
        let v1::WatchCheckpointsResponse { checkpoint, published_at_us: _ } = told;
        let shown = open(&self.client.shared.trust, &checkpoint).map_err(BadReceipt::Checkpoint)?;
        if let Some(last) = self.last.as_ref().filter(|last| last.size > shown.size) {
            return Err(fork(ForkKind::Rollback, last, &shown));
        }
        self.client.remember(shown.clone()).await?;
        self.last = Some(shown.clone());
        Ok(Some(shown))
    }
}

/// A stream is not begun again here: its follower decides.
fn ended(trouble: Trouble) -> ClientError {
    match trouble {
        Trouble::Final(error) => error,
        Trouble::Again { reason, message, after: _ } => {
            ClientError::Unavailable { reason, message, tries: 1 }
        }
    }
}
