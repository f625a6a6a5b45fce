//! Collects cosignatures while the ledger runs: head after head, all witnesses side by side, nobody waited for who is
//! not needed.

use super::{Trouble, Witnesses};
use crate::head_signer::SignedHead;
use crate::publisher::PublishedCheckpoint;
use crate::reader::{Head, Reader, Shared};
use crate::stats::Counters;
use credit_log::note::NoteSignature;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The most tries of one witness for one head.
pub(crate) const WITNESS_TRIES_MAX: u32 = 3;
/// The pause before its second try; it doubles.
const TRY_PAUSE: Duration = Duration::from_millis(250);
/// The pause before a head that was not cosigned by enough is sent again; it doubles.
const AGAIN_PAUSE: Duration = Duration::from_secs(2);
/// The longest such pause.
pub(crate) const AGAIN_PAUSE_MAX: Duration = Duration::from_secs(120);

/// The published heads with the log's own lines only: tiles are owed for these sizes, at most one a second. Ends when
/// the ledger stops.
pub(crate) fn published_heads(
    mut published: watch::Receiver<Arc<PublishedCheckpoint>>,
    mut stop: watch::Receiver<bool>,
) -> watch::Receiver<Head> {
    let (sender, heads) = watch::channel(plain(&published.borrow_and_update()));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stops| *stops) => return,
                changed = published.changed() => if changed.is_err() { return },
            }
            let newest = plain(&published.borrow_and_update());
            sender.send_if_modified(|head| {
                let newer = newest.size > head.size;
                if newer {
                    *head = newest;
                }
                newer
            });
        }
    });
    heads
}

fn plain(published: &PublishedCheckpoint) -> Head {
    let SignedHead { edge: _, root: _, checkpoint, recorded_at_us } = published.head.as_ref();
    Head {
        size: published.size,
        root: published.root,
        checkpoint: checkpoint.clone(),
        recorded_at_us: *recorded_at_us,
    }
}

/// What has come of one witness and one head.
struct Done {
    witness: usize,
    size: u64,
    outcome: Result<NoteSignature, Trouble>,
}

/// A head on its way.
struct Round {
    head: Head,
    lines: BTreeMap<usize, NoteSignature>,
    waiting: BTreeSet<usize>,
    met: bool,
}

impl Round {
    /// Nobody has to be waited for any more: others may still answer.
    fn is_over(&self) -> bool {
        self.met || self.waiting.is_empty()
    }
}

struct Collector {
    shared: Arc<Shared>,
    witnesses: Arc<Witnesses>,
    counters: Arc<Counters>,
    /// Witnesses that have a call under way, for whichever head.
    busy: BTreeSet<usize>,
    round: Option<Round>,
    tasks: JoinSet<Done>,
    pause: Duration,
}

/// Sends each head to the witnesses until told to stop. A head that was overtaken while witnesses were slow is left
/// out: the newest one covers it.
pub(crate) async fn collect(
    shared: Arc<Shared>,
    witnesses: Arc<Witnesses>,
    counters: Arc<Counters>,
    mut heads: watch::Receiver<Head>,
    mut stop: watch::Receiver<bool>,
) {
    let mut collector = Collector {
        shared,
        witnesses,
        counters,
        busy: BTreeSet::new(),
        round: None,
        tasks: JoinSet::new(),
        pause: AGAIN_PAUSE,
    };
    loop {
        let over = collector.round.as_ref().is_none_or(Round::is_over);
        let met = collector.round.as_ref().is_some_and(|round| round.met);
        let again = collector.pause;
        tokio::select! {
            _ = stop.wait_for(|stops| *stops) => return,
            Some(done) = collector.tasks.join_next(), if !collector.tasks.is_empty() => match done {
                Ok(done) => collector.take(done),
                Err(error) => tracing::error!(%error, "a call to a witness ended early"),
            },
            changed = heads.changed(), if over => {
                if changed.is_err() {
                    return;
                }
                let head = heads.borrow_and_update().clone();
                collector.begin(head);
            }
            () = tokio::time::sleep(again), if over && !met => {
                collector.pause = again.saturating_mul(2).min(AGAIN_PAUSE_MAX);
                let head = heads.borrow_and_update().clone();
                collector.begin(head);
            }
        }
    }
}

impl Collector {
    /// Sends a head to every witness that has no call under way.
    fn begin(&mut self, head: Head) {
        if self.shared.cosigned().is_some_and(|cosigned| cosigned.size >= head.size) {
            self.round = Some(Round { head, lines: BTreeMap::new(), waiting: BTreeSet::new(), met: true });
            return;
        }
        let asked: Vec<usize> =
            self.witnesses.reachable().filter(|witness| !self.busy.contains(witness)).collect();
        for witness in &asked {
            let call = call(Arc::clone(&self.witnesses), Arc::clone(&self.shared), *witness, head.clone());
            self.tasks.spawn(call);
            self.busy.insert(*witness);
        }
        let waiting = asked.into_iter().collect();
        self.round = Some(Round { head, lines: BTreeMap::new(), waiting, met: false });
    }

    /// Takes what a witness has said.
    fn take(&mut self, done: Done) {
        let Done { witness, size, outcome } = done;
        self.busy.remove(&witness);
        let name = self.witnesses.name(witness);
        self.counters.witness_told(name, outcome.as_ref().map_or_else(Trouble::label, |_| "cosigned"));
        if outcome.is_ok() {
            self.witnesses.has_cosigned(witness, size);
        }
        let Some(round) = self.round.as_mut().filter(|round| round.head.size == size) else { return };
        round.waiting.remove(&witness);
        match outcome {
            Ok(line) => {
                round.lines.insert(witness, line);
                if let Some(cosigned) = self.witnesses.cosigned(&round.head, &round.lines) {
                    round.met = true;
                    self.pause = AGAIN_PAUSE;
                    self.counters.cosigned(size, self.shared.clock.now_us());
                    self.shared.show_cosigned(cosigned);
                }
            }
            Err(trouble @ (Trouble::Ahead(_) | Trouble::Contradicts)) => {
                tracing::error!(witness = name, size, %trouble, "a witness contradicts the log");
            }
            Err(trouble) => tracing::warn!(witness = name, size, %trouble, "a witness has not cosigned"),
        }
    }
}

/// Calls one witness for one head, a few times if it can't be reached.
async fn call(witnesses: Arc<Witnesses>, shared: Arc<Shared>, witness: usize, head: Head) -> Done {
    let size = head.size;
    let (mut pause, mut tries) = (TRY_PAUSE, 1);
    loop {
        let outcome = once(&witnesses, &shared, witness, head.clone()).await;
        if matches!(outcome, Err(Trouble::Unreachable(_))) && tries < WITNESS_TRIES_MAX {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
            tries = tries.saturating_add(1);
        } else {
            return Done { witness, size, outcome };
        }
    }
}

async fn once(
    witnesses: &Witnesses,
    shared: &Arc<Shared>,
    witness: usize,
    head: Head,
) -> Result<NoteSignature, Trouble> {
    let lost = |why: &str| Trouble::Unreachable(why.to_owned());
    let submitter = witnesses.submitter(witness).ok_or_else(|| lost("it has no address"))?;
    let known = witnesses.size(witness);
    let reader = Reader::new(Arc::clone(shared));
    let work = tokio::task::spawn_blocking(move || submitter.cosign(&reader.tiles(), &head, known));
    work.await.unwrap_or_else(|_| Err(lost("its thread ended early")))
}
