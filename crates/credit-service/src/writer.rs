//! The one thread that writes. It takes what waits, decides it in order as one group, and puts the group into the store;
//! the committer makes it durable, signs the head, and only then answers. Meanwhile the next group is decided, on top of
//! those that are on their way.

use crate::committer::{Committing, Decided, Reply, Staged, answer};
use crate::failure::{Failure, chain};
use crate::group::{Base, Finished, Group, Placed};
use crate::ledger::Health;
use crate::prepare::Prepared;
use crate::reader::Shared;
use crate::stats::Counters;
use credit_store::{Batch, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The most bytes of entries and sealed items in a group.
pub(crate) const GROUP_BYTES_MAX: usize = 4 << 20;
/// The most index rows of a group before it is closed: one more entry adds at most about a thousand.
pub(crate) const GROUP_ROWS_MAX: usize = 24_000;
/// The most entries of a group that a configuration may ask for.
pub(crate) const GROUP_ENTRIES_MAX: usize = 4_096;

/// A group of fewer bytes is committed by the writer itself where nothing waits behind it.
const ALONE_BYTES: usize = 16 << 10;

/// A group waits at most so often, each time so long, until it is half as large as the one before.
const LINGER_STEPS: u32 = 3;
const LINGER_STEP: Duration = Duration::from_micros(100);

/// What reaches the writer.
pub(crate) enum Message {
    /// A command.
    Submit(Box<Prepared>, Reply),
    /// Finish what waits, then end.
    Stop,
}

/// The writer's state.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: mpsc::Receiver<Message>,
    /// The log as the last group left it, signed or not yet.
    pub(crate) base: Base,
    pub(crate) committing: Committing,
    pub(crate) health: Arc<watch::Sender<Health>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) group_entries_max: usize,
    /// Commands of the group before.
    pub(crate) last_group: usize,
    /// The bytes that must stay free on the keyring's disk; the store knows its own.
    pub(crate) reserve_bytes: u64,
}

impl Writer {
    /// Runs until told to stop or until a write fails; after a failure it only refuses.
    pub(crate) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let (waiting, stop) = self.gather(first);
            if !waiting.is_empty() {
                let stopped = match *self.health.borrow() {
                    Health::ReadOnly(code) => Some(code),
                    Health::Serving => None,
                };
                match stopped {
                    Some(code) => refuse_all(waiting, &Failure::ReadOnly(code)),
                    None => self.commit_guarded(waiting),
                }
            }
            if stop {
                break;
            }
        }
    }

    /// Takes what waits. Nothing waits for more while few come. Those who were answered together, though, come again
    /// one after another: the first of them alone would keep the others waiting for a sync of its own.
    fn gather(&mut self, first: Message) -> (Vec<(Prepared, Reply)>, bool) {
        for _ in 0..LINGER_STEPS {
            if self.queue.len().saturating_add(1) >= self.last_group / 2 {
                break;
            }
            std::thread::sleep(LINGER_STEP);
        }
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Submit(prepared, reply) => waiting.push((*prepared, reply)),
                Message::Stop => return (waiting, true),
            }
            if waiting.len() < self.group_entries_max {
                next = self.queue.try_recv().ok();
            }
        }
        self.last_group = waiting.len();
        (waiting, false)
    }

    /// A panic in deciding or in the store ends all writing: what is on disk is then known, what is in memory not.
    fn commit_guarded(&mut self, waiting: Vec<(Prepared, Reply)>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.commit_all(waiting)));
        if outcome.is_err() {
            tracing::error!("the writer panicked; writes stop until restart");
            self.stop_writing("WRITER_PANICKED");
        }
    }

    /// What whoever waited behind a failed write hears.
    fn stopped(&self) -> Failure {
        Failure::ReadOnly(match *self.health.borrow() {
            Health::ReadOnly(code) => code,
            Health::Serving => "STORE_FAILED",
        })
    }

    fn stop_writing(&self, code: &'static str) {
        self.health.send_replace(Health::ReadOnly(code));
    }

    /// Commits everything, in as many groups as their size takes.
    fn commit_all(&mut self, waiting: Vec<(Prepared, Reply)>) {
        let mut waiting = waiting.into_iter().peekable();
        while waiting.peek().is_some() {
            if let Err(failure) = self.commit_group(&mut waiting) {
                for (_, reply) in waiting {
                    answer(reply, Err(failure.clone()));
                }
                return;
            }
        }
    }

    /// Decides and commits one group. `Err`: writes have stopped, or can't begin; whoever still waits hears it.
    fn commit_group(
        &mut self,
        waiting: &mut std::iter::Peekable<std::vec::IntoIter<(Prepared, Reply)>>,
    ) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let recorded_at_us = shared.clock.record_after(self.base.recorded_at_us).map_err(|clock| {
            tracing::error!(error = %clock, "writes stop until restart");
            self.stop_writing(clock.code());
            Failure::ReadOnly(clock.code())
        })?;
        let mut group = Group::new(&shared, &self.base, recorded_at_us);
        let mut placed: Vec<(Reply, Result<Placed, Failure>)> = Vec::new();
        while group.bytes < GROUP_BYTES_MAX && group.rows() < GROUP_ROWS_MAX {
            let Some((prepared, reply)) = waiting.next() else { break };
            placed.push((reply, group.place(prepared)));
        }
        self.count(&placed);
        // The writer has nothing else to do, and the group is so small that to hand it over would take as long.
        let small = group.bytes < ALONE_BYTES && waiting.peek().is_none() && self.queue.is_empty();
        if group.batch.entries.is_empty() {
            // Refusals and replays rest on what was recorded before, which may not be durable yet.
            self.committing.commit(Decided { placed, staged: None }, !small);
            return Ok(());
        }
        let finished = group.finish();
        match self.stage(finished, recorded_at_us) {
            Ok((staged, registry)) => {
                self.committing.commit(Decided { placed, staged: Some(staged) }, !small && !registry);
                if registry {
                    // What is decided next asks for rows of the registry under the signed head.
                    self.committing.wait();
                }
                Ok(())
            }
            Err(failure) => {
                for (reply, _) in placed {
                    answer(reply, Err(failure.clone()));
                }
                Err(if failure == Failure::Unknown { self.stopped() } else { failure })
            }
        }
    }

    /// Puts a group into the store: keys first, then entries and rows. Says what it led to, and whether rows of the
    /// registry are among those that changed.
    fn stage(
        &mut self,
        finished: Result<Finished, Failure>,
        recorded_at_us: i64,
    ) -> Result<(Staged, bool), Failure> {
        let stop = |writer: &Self, doing: &str, failure: &dyn std::fmt::Display| {
            tracing::error!(error = %failure, "could not {doing}; writes stop until restart");
            writer.stop_writing("STORE_FAILED");
            Failure::Unknown
        };
        let Finished { edge, batch, new_keys, before } =
            finished.map_err(|failure| stop(self, "build the rows", &failure))?;
        if !new_keys.is_empty() {
            // Asked before: a key that is appended for a group which is then refused stays in the keyring for ever.
            match self.check_space(new_keys.len(), &batch) {
                Ok(()) => {}
                Err(failure @ Failure::ReadOnly(_)) => return Err(failure),
                Err(failure) => return Err(stop(self, "ask for free space", &failure)),
            }
            self.shared.keyring.append(new_keys).map_err(|failure| stop(self, "write keys", &failure))?;
        }
        let shared = Arc::clone(&self.shared);
        let registry = before.is_of_registry();
        // Readers go on with the last signed state meanwhile, and for good if anything from here on fails.
        shared.signed_rows.hide(before);
        match shared.store.stage(self.base.edge.size(), &batch) {
            Ok(()) => {}
            Err(error @ StoreError::NoSpace { .. }) => {
                shared.signed_rows.unhide();
                return Err(refused_for_space(error));
            }
            Err(error) => return Err(stop(self, "store a group", &chain(&error))),
        }
        self.base = Base { edge: edge.clone(), recorded_at_us };
        Ok((Staged { edge, recorded_at_us, entries: batch.entries.len() }, registry))
    }

    /// Refuses with `NO_SPACE` where the store or the keyring has no room for a group.
    fn check_space(&self, keys: usize, batch: &Batch) -> Result<(), Failure> {
        self.shared.store.check_space(batch).map_err(refused_for_space)?;
        self.shared.keyring.check_space(keys, self.reserve_bytes)
    }

    fn count(&self, placed: &[(Reply, Result<Placed, Failure>)]) {
        self.counters.update(|stats| {
            for (_, outcome) in placed {
                match outcome {
                    Ok(placed) if placed.answer.replayed => stats.replays = stats.replays.saturating_add(1),
                    Ok(_) => {}
                    Err(Failure::Refused(rejection)) => {
                        let count = stats.refusals.entry(rejection.reason.name()).or_default();
                        *count = count.saturating_add(1);
                    }
                    Err(failure) => tracing::error!(error = %failure, "a command could not be decided"),
                }
            }
        });
    }
}

/// A full disk as a refusal; any other error of the store as it is.
fn refused_for_space(error: StoreError) -> Failure {
    if let StoreError::NoSpace { available, needed } = error {
        tracing::warn!(available, needed, "the disk is too full to write");
        return Failure::ReadOnly("NO_SPACE");
    }
    error.into()
}

fn refuse_all(waiting: Vec<(Prepared, Reply)>, failure: &Failure) {
    for (_, reply) in waiting {
        answer(reply, Err(failure.clone()));
    }
}
