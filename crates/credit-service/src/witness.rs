//! A witness (C2SP tlog-witness v1.0.0): cosigns the checkpoints of logs that it knows, each a continuation of the last.
//!
//! It is no ledger and needs none: a key, a list of logs, and a small store of its own in which the last checkpoint
//! cosigned of each log is durable before the cosignature leaves. Start reading at [`Witness::add_checkpoint`].

mod http;
mod state;
#[cfg(test)]
mod tests;

pub use http::{WitnessServing, serve_witness};
pub use state::StateError;

use crate::clock::{BEHIND_MAX_US, Clock};
use crate::failure::chain;
use credit_log::checkpoint::Checkpoint;
use credit_log::cosignature::{Cosigner, CosignerKey};
use credit_log::hash::sha256;
use credit_log::note::{Note, NoteSignature, VerifierKey};
use credit_log::witness::{AddCheckpoint, Last, Refusal, judge, trusted};
use state::{Record, State};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The most logs that a witness knows.
pub const WITNESS_LOGS_MAX: usize = 1_024;
/// The most keys of one log.
pub const WITNESS_LOG_KEYS_MAX: usize = 16;
/// The most bytes of a checkpoint's text: an origin, a size, a root, and a few extension lines.
pub const CHECKPOINT_TEXT_BYTES_MAX: usize = 4_096;

// A record holds the text and a line per key of the log and the witness; names are as long as lines may be.
const _: () = assert!(CHECKPOINT_TEXT_BYTES_MAX + (WITNESS_LOG_KEYS_MAX + 1) * 2_400 < 60 << 10);

/// A log that the witness knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessLog {
    /// The first line of its checkpoints.
    pub origin: String,
    /// The keys that may sign them: 1 to [`WITNESS_LOG_KEYS_MAX`].
    pub keys: Vec<VerifierKey>,
}

/// The list of logs, or the state, can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// More than [`WITNESS_LOGS_MAX`] logs.
    #[error("a witness knows at most {WITNESS_LOGS_MAX} logs")]
    Logs,
    /// The origin stands twice, or has no key, or more than [`WITNESS_LOG_KEYS_MAX`].
    #[error("the log {origin} must stand once, with 1 to {WITNESS_LOG_KEYS_MAX} keys")]
    Keys {
        /// Its origin.
        origin: String,
    },
    /// A log's key is the witness's own.
    #[error("a key of the log {origin} is the witness's own: a key is never used for both")]
    OwnKey {
        /// Its origin.
        origin: String,
    },
    /// The state could not be opened.
    #[error("the witness's state could not be opened")]
    State(#[from] StateError),
}

/// What a witness answers to `add-checkpoint`, by the specification's own status codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// 200: signature lines, all the witness's own.
    Cosigned(String),
    /// 400: the body is malformed, or its old size is larger than the checkpoint's.
    Malformed(String),
    /// 403: no good signature by a key of the log, or a false one.
    Forbidden(String),
    /// 404: the origin is not known.
    UnknownLog,
    /// 409: the size of the last checkpoint cosigned.
    Conflict(u64),
    /// 422: the checkpoint does not continue the last one cosigned.
    Inconsistent(String),
    /// 500: the state failed. Nothing was cosigned; what is on disk is known when the witness is started anew.
    Failed,
}

/// What is known of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedHead {
    /// The log.
    pub origin: String,
    /// The count of entries last cosigned; 0 if none ever was.
    pub size: u64,
    /// When, in seconds since 1970 UTC; 0 if never.
    pub time_s: u64,
    /// The first checkpoint that the log signed beside another one of the same size, if it ever did.
    pub evidence: Option<String>,
}

/// What a witness that does not run has seen of these logs, in their order. The state is left as it is.
pub fn look(dir: &Path, key: &CosignerKey, origins: &[&str]) -> Result<Vec<WitnessedHead>, StateError> {
    let state = State::open(dir, key)?;
    let head = |origin: &&str| {
        let id = sha256(origin.as_bytes());
        let (size, time_s) = state.last(&id)?.map_or((0, 0), |record| (record.last.size, record.time_s));
        Ok(WitnessedHead { origin: (*origin).to_owned(), size, time_s, evidence: state.evidence(&id)? })
    };
    let heads = origins.iter().map(head).collect();
    state.close()?;
    heads
}

/// A witness that is open; its directory is no other process's.
pub struct Witness {
    cosigner: Cosigner,
    logs: BTreeMap<String, Vec<VerifierKey>>,
    clock: Clock,
    /// Held from looking at the last checkpoint until the next one is durable: two requests never interleave.
    state: Mutex<State>,
}

impl Witness {
    /// Makes the state of a new witness in an empty or missing directory, bound to its key.
    pub fn create(dir: &Path, key: &CosignerKey) -> Result<(), StateError> {
        State::create(dir, key)
    }

    /// Opens a witness. A state that is missing or was made for another key is refused: it could cosign what
    /// contradicts what was cosigned before.
    pub fn open(dir: &Path, cosigner: Cosigner, logs: Vec<WitnessLog>) -> Result<Self, WitnessError> {
        let logs = known(&cosigner, logs)?;
        let state = Mutex::new(State::open(dir, cosigner.verifier())?);
        Ok(Self { cosigner, logs, clock: Clock::default(), state })
    }

    /// The witness's own key.
    pub fn key(&self) -> &CosignerKey {
        self.cosigner.verifier()
    }

    /// Takes a checkpoint: verifies its signature, holds it against the last one cosigned, makes it durable, and only
    /// then cosigns. Blocks on the disk.
    pub fn add_checkpoint(&self, body: &str) -> WitnessAnswer {
        let malformed = |error: &dyn std::error::Error| WitnessAnswer::Malformed(chain(error));
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return malformed(&error),
        };
        let (note, head) = match request.head() {
            Ok(parts) => parts,
            Err(error) => return malformed(&error),
        };
        if note.text.len() > CHECKPOINT_TEXT_BYTES_MAX {
            let limit = CHECKPOINT_TEXT_BYTES_MAX;
            return WitnessAnswer::Malformed(format!("the checkpoint's text is longer than {limit} bytes"));
        }
        let Some(keys) = self.logs.get(&head.origin) else { return WitnessAnswer::UnknownLog };
        let lines = match trusted(&request.checkpoint, keys) {
            Ok(lines) => lines,
            Err(error) => return WitnessAnswer::Forbidden(chain(&error)),
        };
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.decide(&state, &request, &head, Note { text: note.text, signatures: lines }).unwrap_or_else(
            |error| {
                tracing::error!(error = %chain(&error), origin = head.origin, "nothing was cosigned");
                WitnessAnswer::Failed
            },
        )
    }

    fn decide(
        &self,
        state: &State,
        request: &AddCheckpoint,
        head: &Checkpoint,
        note: Note,
    ) -> Result<WitnessAnswer, StateError> {
        let id = sha256(head.origin.as_bytes());
        let record = state.last(&id)?;
        let last = record.as_ref().map_or_else(Last::none, |record| record.last);
        if let Err(refusal) = judge(request, head, &last) {
            return Ok(match refusal {
                Refusal::OldSize { .. } => WitnessAnswer::Malformed(refusal.to_string()),
                Refusal::Conflict { size } => WitnessAnswer::Conflict(size),
                Refusal::Inconsistent(_) => {
                    if head.size == last.size {
                        // Two heads of one size, both signed by the log: whatever else, the log has forked.
                        state.keep_evidence(&id, &request.checkpoint)?;
                    }
                    tracing::warn!(
                        origin = head.origin,
                        size = head.size,
                        last = last.size,
                        checkpoint = request.checkpoint,
                        "a signed checkpoint does not continue the last one cosigned"
                    );
                    WitnessAnswer::Inconsistent(chain(&refusal))
                }
            });
        }
        let time_s = self.time_after(record.as_ref().map_or(0, |record| record.time_s))?;
        let cosignature = self.cosigner.sign(&note.text, time_s).map_err(|_| StateError::Clock)?;
        let answer = cosignature.line();
        let Note { text, signatures } = note;
        let mut signatures = distinct(signatures);
        signatures.push(cosignature);
        let note = Note { text, signatures }.format().map_err(StateError::Note)?;
        let record = Record { last: Last { size: head.size, root: head.root }, time_s, note };
        state.advance(&id, &record)?;
        tracing::info!(origin = head.origin, size = head.size, "cosigned");
        Ok(WitnessAnswer::Cosigned(answer))
    }

    /// The time to state after a cosignature of `last_s`: never an earlier one, and none at all by a clock far behind.
    fn time_after(&self, last_s: u64) -> Result<u64, StateError> {
        let now_us = self.clock.now_us();
        let now_s = u64::try_from(now_us / 1_000_000).unwrap_or(0);
        let behind_s = u64::try_from(BEHIND_MAX_US / 1_000_000).unwrap_or(0);
        if now_s.saturating_add(behind_s) < last_s {
            return Err(StateError::Clock);
        }
        Ok(now_s.max(last_s))
    }

    /// The last checkpoint cosigned of the log whose origin has this SHA-256, with the log's and the witness's lines.
    pub fn latest(&self, origin_digest: &[u8; 32]) -> Result<Option<String>, StateError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.last(origin_digest)?.map(|record| record.note))
    }

    /// Closes the state; nothing is cosigned after it.
    pub fn close(&self) -> Result<(), StateError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).close()
    }
}

fn known(
    cosigner: &Cosigner,
    logs: Vec<WitnessLog>,
) -> Result<BTreeMap<String, Vec<VerifierKey>>, WitnessError> {
    if logs.len() > WITNESS_LOGS_MAX {
        return Err(WitnessError::Logs);
    }
    let mut known = BTreeMap::new();
    for WitnessLog { origin, keys } in logs {
        if keys.iter().any(|key| key.key() == cosigner.verifier().key()) {
            return Err(WitnessError::OwnKey { origin });
        }
        let counted = (1..=WITNESS_LOG_KEYS_MAX).contains(&keys.len());
        if !counted || known.contains_key(&origin) {
            return Err(WitnessError::Keys { origin });
        }
        known.insert(origin, keys);
    }
    Ok(known)
}

/// One line per key: repeating a line makes a note longer, not truer.
fn distinct(lines: Vec<NoteSignature>) -> Vec<NoteSignature> {
    let mut kept: Vec<NoteSignature> = Vec::new();
    for line in lines {
        if !kept.iter().any(|other| (&other.name, other.key_id) == (&line.name, line.key_id)) {
            kept.push(line);
        }
    }
    kept
}
