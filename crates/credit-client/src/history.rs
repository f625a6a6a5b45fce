//! The log as this client has seen it: every head that comes back must continue the last one.

use credit_log::{checkpoint, consistency, inclusion};
use credit_proto::v1;
use credit_types::{Anchor, Digest, Reason};
use credit_verify::Trust;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::builder::Client;
use crate::call::log;
use crate::clock;
use crate::error::{BadReceipt, ClientError, Fork, ForkKind};
use crate::heads::{HeadStore, HeadsError};

/// How old the last verified head may be before a statement is anchored on a newer one.
const ANCHOR_AGE_MAX: Duration = Duration::from_secs(3_600);
/// How often a head is checked anew because another process has kept a newer one meanwhile.
const ROUNDS_MAX: usize = 16;

/// A head of the log that was signed and found consistent with those before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenHead {
    /// Count of entries, at least 1.
    pub size: u64,
    /// The root at that size.
    pub root: Digest,
    /// The signed checkpoint, byte for byte.
    pub checkpoint: String,
}

/// What is to be shown of two heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// They are one.
    Same,
    /// They can't both be true.
    Forked,
    /// The one shown is the newer one.
    Newer,
    /// The one shown is the older one.
    Older,
}

fn relation(seen: &SeenHead, shown: &SeenHead) -> Relation {
    match shown.size.cmp(&seen.size) {
        std::cmp::Ordering::Equal if shown.root == seen.root => Relation::Same,
        std::cmp::Ordering::Equal => Relation::Forked,
        std::cmp::Ordering::Greater => Relation::Newer,
        std::cmp::Ordering::Less => Relation::Older,
    }
}

/// Reads a signed checkpoint under the pinned keys.
pub(crate) fn open(trust: &Trust, note: &str) -> Result<SeenHead, checkpoint::OpenError> {
    let checkpoint::Checkpoint { origin: _, size, root } =
        checkpoint::open(note, &trust.checkpoint_keys, &trust.origin)?;
    Ok(SeenHead { size, root: Digest(root), checkpoint: note.to_owned() })
}

pub(crate) fn fork(kind: ForkKind, seen: &SeenHead, shown: &SeenHead) -> ClientError {
    ClientError::Fork(Box::new(Fork { kind, seen: seen.clone(), shown: shown.clone() }))
}

impl Client {
    /// Fetches the latest checkpoint, verifies it and its consistency with the last head seen, and remembers it.
    ///
    /// `Fork` if the log contradicts what was seen: both signed heads are in it.
    pub async fn head(&self) -> Result<SeenHead, ClientError> {
        // What was seen before the question was asked is the least that the answer must reach.
        let before = self.seen().await?;
        let call = |channel, request| async move { log(channel).get_checkpoint(request).await };
        let v1::GetCheckpointResponse { checkpoint, log_id } =
            self.call(v1::GetCheckpointRequest {}, call).await?;
        if log_id != self.shared.trust.log_id.as_bytes() {
            return Err(ClientError::OtherLog);
        }
        let shown = open(&self.shared.trust, &checkpoint).map_err(BadReceipt::Checkpoint)?;
        self.remember_since(before, shown.clone()).await?;
        Ok(shown)
    }

    /// Checks and keeps the head of an answer that is to be as of the newest one. It must reach what had been seen before
    /// the question was asked: an older head may be a true one, and still leave out all that came after.
    pub(crate) async fn remember_since(
        &self,
        before: Option<SeenHead>,
        shown: SeenHead,
    ) -> Result<(), ClientError> {
        if let Some(before) = before.filter(|before| before.size > shown.size) {
            return Err(fork(ForkKind::Rollback, &before, &shown));
        }
        self.remember(shown).await
    }

    /// The last head seen: what a new statement is anchored on. One is fetched where none was verified for an hour.
    pub async fn anchor(&self) -> Result<Anchor, ClientError> {
        let fresh = *self.shared.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = fresh.is_some_and(|at| clock::instant().saturating_duration_since(at) < ANCHOR_AGE_MAX);
        let head = match self.seen().await?.filter(|_| fresh) {
            Some(head) => head,
            None => self.head().await?,
        };
        Ok(Anchor { size: head.size, root: head.root })
    }

    /// The last head seen, verified again.
    pub async fn seen(&self) -> Result<Option<SeenHead>, ClientError> {
        let Some(note) = self.stored(|heads| heads.load()).await? else { return Ok(None) };
        let mut verified = self.shared.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(head) = verified.as_ref().filter(|head| head.checkpoint == note) {
            return Ok(Some(head.clone()));
        }
        let head = open(&self.shared.trust, &note).map_err(HeadsError::Damaged)?;
        *verified = Some(head.clone());
        Ok(Some(head))
    }

    /// Checks a signed head against the last one seen, and keeps the newer of the two.
    pub(crate) async fn remember(&self, shown: SeenHead) -> Result<(), ClientError> {
        for _ in 0..ROUNDS_MAX {
            let seen = self.seen().await?;
            let newer = match &seen {
                None => {
                    self.prove_first(&shown).await?;
                    true
                }
                Some(seen) => self.prove(seen, &shown).await? == Relation::Newer,
            };
            if !newer || self.keep(seen, shown.clone()).await? {
                *self.shared.fresh.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock::instant());
                return Ok(());
            }
        }
        Err(HeadsError::Contended.into())
    }

    async fn keep(&self, seen: Option<SeenHead>, shown: SeenHead) -> Result<bool, ClientError> {
        let replace = move |heads: &dyn HeadStore| {
            let old = seen.as_ref().map(|seen| seen.checkpoint.as_str());
            heads.replace(old, &shown.checkpoint)
        };
        self.stored(replace).await
    }

    /// Runs what may block on a file away from the calls.
    async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn HeadStore) -> Result<T, HeadsError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let heads = Arc::clone(&self.shared.heads);
        let done = tokio::task::spawn_blocking(move || work(heads.as_ref())).await;
        match done {
            Ok(outcome) => Ok(outcome?),
            Err(error) => Err(HeadsError::Read(std::io::Error::other(error)).into()),
        }
    }

    /// Before anything was seen, a head is of the pinned log if entry 0 under it has the log's name as leaf hash.
    async fn prove_first(&self, shown: &SeenHead) -> Result<(), ClientError> {
        let (_, _, path) = self.inclusion_proof(0, shown.size).await?;
        let log_id = &self.shared.trust.log_id.0;
        inclusion::verify(log_id, 0, shown.size, &path, &shown.root.0).map_err(|_| ClientError::OtherLog)
    }

    /// Has it proved that the older of two heads is a prefix of the newer one.
    async fn prove(&self, seen: &SeenHead, shown: &SeenHead) -> Result<Relation, ClientError> {
        let relation = relation(seen, shown);
        let (old, new) = match relation {
            Relation::Same => return Ok(relation),
            Relation::Forked => return Err(fork(ForkKind::TwoRoots, seen, shown)),
            Relation::Newer => (seen, shown),
            Relation::Older => (shown, seen),
        };
        let path = match self.consistency_proof(old.size, new.size).await {
            Ok((_, path)) => path,
            // Both sizes were signed, so a server that does not know one of them has lost or hidden it.
            Err(error) if error.is_refused_for(Reason::FieldInvalid) => {
                return Err(fork(ForkKind::ProofRefused, seen, shown));
            }
            Err(error) => return Err(error),
        };
        match consistency::verify(old.size, new.size, &path, &old.root.0, &new.root.0) {
            Ok(()) => Ok(relation),
            Err(_) => Err(fork(ForkKind::ProofFalse, seen, shown)),
        }
    }
}

#[cfg(test)]
mod tests;
