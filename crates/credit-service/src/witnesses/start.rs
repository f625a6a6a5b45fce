//! Before anything is written: what have the witnesses seen of this log?

use super::submit::Submitter;
use super::{CosignedHead, Trouble, Witnesses};
use crate::ledger::Health;
use crate::reader::{Head, Reader};
use crate::stats::Counters;
use credit_log::note::NoteSignature;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a witness that can't be reached is tried at start.
pub(crate) const START_TRIES_MAX: u32 = 3;
/// The pause before the second try; it doubles.
const START_PAUSE: Duration = Duration::from_millis(500);

/// What the witnesses said of the stored head.
pub(crate) struct Asked {
    /// Whether writes may begin.
    pub(crate) health: Health,
    /// The head with their cosignatures, if they are enough.
    pub(crate) cosigned: Option<CosignedHead>,
}

/// Sends the stored head, which has been signed before or is about to be published, to every witness, and waits for
/// all of them. Blocks a bounded time.
pub(crate) fn ask_at_start(witnesses: &Witnesses, reader: &Reader, counters: &Counters) -> Asked {
    let head = reader.plain_head();
    let mut lines = BTreeMap::new();
    let mut stops = None;
    for (witness, outcome) in ask_all(witnesses, reader, &head) {
        let name = witnesses.name(witness);
        counters.witness_told(name, outcome.as_ref().map_or_else(Trouble::label, |_| "cosigned"));
        match outcome {
            Ok(line) => {
                witnesses.has_cosigned(witness, head.size);
                lines.insert(witness, line);
            }
            Err(trouble) => {
                tracing::warn!(witness = name, size = head.size, %trouble, "a witness has not cosigned");
                stops = stops.or(match trouble {
                    Trouble::Ahead(_) => Some("WITNESS_AHEAD"),
                    Trouble::Contradicts => Some("WITNESS_CONTRADICTS"),
                    Trouble::Unreachable(_)
                    | Trouble::Refused(_)
                    | Trouble::BadCosignature
                    | Trouble::Restless
                    | Trouble::Proof(_) => None,
                });
            }
        }
    }
    let cosigned = witnesses.cosigned(&head, &lines);
    let stops = stops.or(cosigned.is_none().then_some("WITNESSES_SILENT"));
    if let Some(code) = stops {
        tracing::error!(code, "the witnesses do not vouch for the stored head; no writes");
    }
    Asked { health: stops.map_or(Health::Serving, Health::ReadOnly), cosigned }
}

type Outcome = Result<NoteSignature, Trouble>;

/// Asks every witness on a thread of its own.
fn ask_all(witnesses: &Witnesses, reader: &Reader, head: &Head) -> Vec<(usize, Outcome)> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = witnesses
            .reachable()
            .filter_map(|place| Some((place, witnesses.submitter(place)?)))
            .map(|(place, submitter)| (place, scope.spawn(move || ask(&submitter, reader, head))))
            .collect();
        let lost = || Err(Trouble::Unreachable("its thread ended early".to_owned()));
        asked.into_iter().map(|(place, thread)| (place, thread.join().unwrap_or_else(|_| lost()))).collect()
    })
}

/// From nothing: a witness that has cosigned before answers with the size, and that is what is asked for.
fn ask(submitter: &Submitter, reader: &Reader, head: &Head) -> Outcome {
    let mut pause = START_PAUSE;
    let mut tries = 1;
    loop {
        match submitter.cosign(&reader.tiles(), head, 0) {
            Err(Trouble::Unreachable(why)) if tries < START_TRIES_MAX => {
                tracing::info!(witness = submitter.name(), why, "a witness is tried again");
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2);
                tries = tries.saturating_add(1);
            }
            outcome => return outcome,
        }
    }
}
