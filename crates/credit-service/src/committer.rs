//! Makes groups durable and signs their heads, in the order that the promises need: store, answers that need no signature,
//! high-water mark, signature, readers, all other answers. It works while the writer decides the next group; when nothing
//! waits, the writer does it itself, for to hand a group over takes a while too.

use crate::answer::Answer;
use crate::clock::instant;
use crate::failure::{Failure, chain};
use crate::group::{Due, Placed};
use crate::head_signer::HeadSigner;
use crate::ledger::Health;
use crate::reader::{Reader, Shared};
use crate::receipts::OpenParts;
use crate::stats::Counters;
use credit_log::tile::TileEdge;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};

/// The most groups that wait to be committed; with one more the writer waits, and its next group grows.
pub(crate) const WAITING_MAX: usize = 1;

/// What a caller waits on.
pub(crate) type Reply = oneshot::Sender<Result<Answer, Failure>>;

/// A command that has not been answered yet.
pub(crate) struct Waiting(oneshot::Receiver<Result<Answer, Failure>>);

impl Waiting {
    pub(crate) fn new(answer: oneshot::Receiver<Result<Answer, Failure>>) -> Self {
        Self(answer)
    }

    /// The answer, once it is durable; what it says may have to be waited for to be read.
    pub(crate) async fn answer(self) -> Result<Answer, Failure> {
        self.0.await.unwrap_or(Err(Failure::Unknown))
    }
}

/// A group that has been decided: what is to be answered once it is durable and its head signed.
pub(crate) struct Decided {
    pub(crate) placed: Vec<(Reply, Result<Placed, Failure>)>,
    /// What it led to; `None`: nothing was recorded, and the answers rest on what came before.
    pub(crate) staged: Option<Staged>,
}

/// A group in the store.
pub(crate) struct Staged {
    pub(crate) edge: TileEdge,
    pub(crate) recorded_at_us: i64,
    pub(crate) entries: usize,
}

/// What commits.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) signer: HeadSigner,
    pub(crate) health: Arc<watch::Sender<Health>>,
    pub(crate) counters: Arc<Counters>,
}

impl Committer {
    /// Commits groups that follow one another, as one; a panic in it ends all writing.
    fn commit_guarded(&mut self, groups: Vec<Decided>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.commit(groups)));
        if outcome.is_err() {
            tracing::error!("the committer panicked; writes stop until restart");
            self.stop_writing("WRITER_PANICKED");
        }
    }

    fn commit(&mut self, groups: Vec<Decided>) {
        let (placed, staged): (Vec<_>, Vec<_>) =
            groups.into_iter().map(|group| (group.placed, group.staged)).unzip();
        let staged: Vec<Staged> = staged.into_iter().flatten().collect();
        let durable = self.make_durable(&staged);
        let waiting = answer_durable(placed.into_iter().flatten(), &durable);
        let signed = durable.and_then(|()| self.sign(&staged));
        let reader = Reader::new(Arc::clone(&self.shared));
        for (reply, Placed { answer: mut told, due }) in waiting {
            let outcome = signed.clone().and_then(|()| {
                if due == Due::Receipt {
                    told.receipt = Some(reader.receipt(told.index, &OpenParts::All)?);
                }
                Ok(told)
            });
            answer(reply, outcome);
        }
    }

    /// Makes durable what the groups led to.
    fn make_durable(&mut self, staged: &[Staged]) -> Result<(), Failure> {
        let Some(last) = staged.last() else { return Ok(()) };
        if *self.health.borrow() != Health::Serving {
            // It was staged before a group in front of it failed.
            return Err(Failure::Unknown);
        }
        let began = instant();
        self.shared.store.sync(last.edge.size()).map_err(|error| {
            tracing::error!(error = %chain(&error), "could not make a group durable; writes stop until restart");
            self.stop_writing("STORE_FAILED")
        })?;
        let flush_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counters.update(|stats| stats.last_flush_us = flush_us);
        self.shared.signed_rows.tell(last.edge.size());
        Ok(())
    }

    /// Signs the head over what the groups led to, and shows it.
    fn sign(&mut self, staged: &[Staged]) -> Result<(), Failure> {
        let Some(last) = staged.last() else { return Ok(()) };
        let shared = Arc::clone(&self.shared);
        let signed = self.signer.advance(shared.store.as_ref(), last.edge.clone(), last.recorded_at_us);
        let signed = signed.map_err(|error| {
            tracing::error!(error = %chain(&error), "could not sign a head; writes stop until restart");
            self.stop_writing(error.code())
        })?;
        shared.signed_rows.show(signed, staged.len());
        let entries = staged.iter().fold(0usize, |sum, group| sum.saturating_add(group.entries));
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.counters.update(|stats| {
            stats.groups = stats.groups.saturating_add(count(staged.len()));
            stats.entries = stats.entries.saturating_add(count(entries));
            stats.last_group_entries = count(last.entries);
            stats.size = last.edge.size();
            stats.checkpoint_at_us = shared.clock.now_us();
        });
        Ok(())
    }

    /// Nothing is written any more; whether what waits was recorded is not known.
    fn stop_writing(&self, code: &'static str) -> Failure {
        self.health.send_replace(Health::ReadOnly(code));
        self.shared.signed_rows.end();
        Failure::Unknown
    }
}

/// Answers those who are owed no signature, or were refused; gives the others, unless nothing became durable.
fn answer_durable(
    placed: impl Iterator<Item = (Reply, Result<Placed, Failure>)>,
    durable: &Result<(), Failure>,
) -> Vec<(Reply, Placed)> {
    let mut waiting = Vec::new();
    for (reply, outcome) in placed {
        match durable.clone().and(outcome) {
            Ok(placed) if placed.due != Due::Durable => waiting.push((reply, placed)),
            outcome => answer(reply, outcome.map(|placed| placed.answer)),
        }
    }
    waiting
}

/// Answers a caller; one that has gone away finds the outcome by sending the same statement again.
pub(crate) fn answer(reply: Reply, outcome: Result<Answer, Failure>) {
    drop(reply.send(outcome));
}

/// The committer with a thread of its own. Dropping it lets what waits finish, and ends the thread.
pub(crate) struct Committing {
    committer: Arc<Mutex<Committer>>,
    /// How many groups were handed over and are not committed yet.
    handed: Arc<(Mutex<usize>, Condvar)>,
    queue: Option<mpsc::SyncSender<Decided>>,
    thread: Option<JoinHandle<()>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Committing {
    pub(crate) fn start(committer: Committer) -> std::io::Result<Self> {
        let committer = Arc::new(Mutex::new(committer));
        let handed = Arc::new((Mutex::new(0usize), Condvar::new()));
        let (queue, waiting) = mpsc::sync_channel::<Decided>(WAITING_MAX);
        let (mine, count) = (Arc::clone(&committer), Arc::clone(&handed));
        let run = move || {
            while let Ok(first) = waiting.recv() {
                let groups: Vec<Decided> =
                    std::iter::once(first).chain(waiting.try_iter().take(WAITING_MAX)).collect();
                let done = groups.len();
                locked(&mine).commit_guarded(groups);
                let mut handed = locked(&count.0);
                *handed = handed.saturating_sub(done);
                count.1.notify_all();
            }
        };
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(run)?;
        Ok(Self { committer, handed, queue: Some(queue), thread: Some(thread) })
    }

    /// Commits a group here, or has it committed by the thread where others are on their way or `busy` says that there is
    /// more to decide.
    pub(crate) fn commit(&self, group: Decided, busy: bool) {
        let mut handed = locked(&self.handed.0);
        if *handed == 0 && !busy {
            drop(handed);
            locked(&self.committer).commit_guarded(vec![group]);
            return;
        }
        *handed = handed.saturating_add(1);
        drop(handed);
        if let Some(queue) = &self.queue {
            // The thread ends only when this does.
            drop(queue.send(group));
        }
    }

    /// Waits until all that was handed over is committed.
    pub(crate) fn wait(&self) {
        let mut handed = locked(&self.handed.0);
        while *handed > 0 {
            handed = self.handed.1.wait(handed).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Committing {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the committer did not end well");
        }
    }
}
