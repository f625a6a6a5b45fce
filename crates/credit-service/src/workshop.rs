//! Where statements are made ready for the writer: on every core, one by one while few wait, many together under load.
//! Nothing is delayed for the sake of a larger batch. One that comes alone is prepared where it has arrived: to hand it over
//! and back takes as long.

use crate::failure::Failure;
use crate::prepare::{Prepared, Preparer};
use crate::prepare_signed::Submission;
use crate::quick::Quick;
use credit_store::background::{PREPARING, give_way};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The most statements that wait to be prepared; more wait for a place within their deadline.
pub(crate) const WAITING_MAX: usize = 4_096;
/// The most statements that a thread takes at once.
pub(crate) const TOGETHER_MAX: usize = 256;

// Were each signed as often as an envelope may be, they would still fit into one batch of signatures.
const _: () = assert!(
    TOGETHER_MAX * credit_types::limits::SIGNATURES_MAX <= credit_log::strict_batch::BATCH_SIGNATURES_MAX
);

/// A statement that waits; its place is free again once it is prepared.
struct Job {
    submission: Submission,
    reply: oneshot::Sender<Result<Prepared, Failure>>,
    place: OwnedSemaphorePermit,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// What the threads share.
struct Table {
    preparer: Preparer,
    threads: usize,
    waiting: Mutex<Waiting>,
    more: Condvar,
}

/// The threads that prepare; they end when this is dropped.
pub(crate) struct Workshop {
    table: Arc<Table>,
    threads: Vec<JoinHandle<()>>,
    places: Arc<Semaphore>,
}

impl Workshop {
    /// Starts so many threads.
    pub(crate) fn start(preparer: Preparer, threads: usize) -> std::io::Result<Self> {
        let threads = threads.max(1);
        let table = Arc::new(Table { preparer, threads, waiting: Mutex::default(), more: Condvar::new() });
        let mut workshop = Self {
            table: Arc::clone(&table),
            threads: Vec::new(),
            places: Arc::new(Semaphore::new(WAITING_MAX)),
        };
        for number in 0..threads {
            let table = Arc::clone(&table);
            let name = format!("preparer-{number}");
            workshop.threads.push(std::thread::Builder::new().name(name).spawn(move || {
                give_way(PREPARING);
                table.work();
            })?);
        }
        Ok(workshop)
    }

    /// Prepares a statement; with `at_once` right here, if nobody else has one prepared.
    pub(crate) async fn prepare(
        &self,
        submission: Submission,
        at_once: Option<&Quick>,
    ) -> Result<Prepared, Failure> {
        // The semaphore is never closed; if it were, nothing more could be done here.
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return Err(Failure::Unknown) };
        if let Some(quick) = at_once
            && self.places.available_permits() == WAITING_MAX.saturating_sub(1)
        {
            let work = || self.table.preparer.together(vec![submission]);
            let done = catch_unwind(AssertUnwindSafe(|| quick.watch(work)));
            drop(place);
            return done.ok().and_then(|mut done| done.pop()).unwrap_or_else(|| Err(panicked()));
        }
        let (reply, prepared) = oneshot::channel();
        self.table.lock().jobs.push_back(Job { submission, reply, place });
        self.table.more.notify_one();
        prepared.await.unwrap_or_else(|_| Err(panicked()))
    }
}

fn panicked() -> Failure {
    Failure::Fault("preparing a statement panicked".to_owned())
}

impl Drop for Workshop {
    fn drop(&mut self) {
        self.table.lock().closed = true;
        self.table.more.notify_all();
        for thread in self.threads.drain(..) {
            // It has nothing to tell, and a panic in it has been printed.
            let _ = thread.join();
        }
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares what waits until there is nothing more to come.
    fn work(&self) {
        while let Some(jobs) = self.take() {
            let (submissions, replies): (Vec<_>, Vec<_>) =
                jobs.into_iter().map(|job| (job.submission, (job.reply, job.place))).unzip();
            // Where one makes it panic, those taken with it are told so by the loss of their replies.
            let prepared = catch_unwind(AssertUnwindSafe(|| self.preparer.together(submissions)));
            for ((reply, place), prepared) in replies.into_iter().zip(prepared.into_iter().flatten()) {
                drop(place);
                // A caller that has gone away is not told.
                drop(reply.send(prepared));
            }
        }
    }

    /// This thread's share of what waits; `None` at the end.
    fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        loop {
            if !waiting.jobs.is_empty() {
                let share = waiting.jobs.len().div_ceil(self.threads).min(TOGETHER_MAX);
                return Some(waiting.jobs.drain(..share).collect());
            }
            if waiting.closed {
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
