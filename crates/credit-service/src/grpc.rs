//! The gRPC services: thin handlers over one edge. A handler takes its request apart, hands the work to a blocking
//! thread or to the writer, and puts the answer together.

pub(crate) mod account;
pub(crate) mod conversion;
pub(crate) mod log;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod rule_book;
mod watch;

use crate::access::seen::SeenTokens;
use crate::access::{self, Principal, Rule};
use crate::answer::Answer;
use crate::clock;
use crate::deadline;
use crate::failure::{Failure, fault};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::prepare::{Expected, Prepared, Preparer};
use crate::prepare_signed::Submission;
use crate::query::page::Tokens;
use crate::quick::Quick;
use crate::reader::Reader;
use crate::status::{Language, Problem, reason_of, refusal_of, status};
use crate::workshop::Workshop;
use credit_proto::v1;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;
use tonic::{Request, Response, Status};

/// The most blocking pieces of work at once: reads, and chunks of batches. More wait their turn within their deadline.
pub(crate) const BLOCKING_MAX: usize = 32;
/// The most threads that a runtime should keep for what blocks: these, and the public log's, witnesses' and the end's.
/// Each keeps memory of its own; without a bound of ours the runtime would start hundreds under load.
pub const BLOCKING_THREADS_MAX: usize = 64;

const _: () = assert!(BLOCKING_MAX < BLOCKING_THREADS_MAX);

/// Who calls which method, in which language, and until when they wait. The gate puts it into each request; a request
/// without one came past the gate and is denied.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Who calls.
    pub(crate) principal: Principal,
    /// The method's rule.
    pub(crate) rule: Rule,
    /// The method's name, for metrics.
    pub(crate) method: &'static str,
    /// The language they read.
    pub(crate) language: Language,
    /// When their answer must be on its way.
    pub(crate) expires: Option<Instant>,
}

impl Caller {
    /// The caller that the gate has let in.
    fn of<Q>(request: &Request<Q>) -> Result<Self, Status> {
        let found = request.extensions().get::<Self>().cloned();
        found.ok_or_else(|| status(&Problem::Behind(Failure::Denied), Language::English))
    }
}

/// What all handlers share.
pub(crate) struct Edge {
    pub(crate) ledger: Ledger,
    pub(crate) metrics: Metrics,
    pub(crate) tokens: Tokens,
    pub(crate) seen_tokens: SeenTokens,
    pub(crate) unary: Duration,
    pub(crate) batch: Duration,
    /// Turns true once, when the server stops.
    pub(crate) draining: Receiver<bool>,
    quick: Quick,
    work: Arc<Semaphore>,
    workshop: Workshop,
    /// The places of those who follow checkpoints.
    watchers: Arc<Semaphore>,
}

impl Edge {
    /// An edge over a ledger, with the caps on a single call and on a chunk of a batch.
    pub(crate) fn new(
        ledger: Ledger,
        metrics: Metrics,
        unary: Duration,
        batch: Duration,
        draining: Receiver<bool>,
    ) -> Result<Self, Failure> {
        let work = Arc::new(Semaphore::new(BLOCKING_MAX));
        let watchers = Arc::new(Semaphore::new(watch::WATCHERS_MAX));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let workshop =
            Workshop::start(ledger.preparer().clone(), threads).map_err(fault("start preparing"))?;
        let tokens = Tokens::new()?;
        let seen_tokens = SeenTokens::default();
        Ok(Self {
            ledger,
            metrics,
            tokens,
            seen_tokens,
            unary,
            batch,
            draining,
            quick: Quick::new(),
            work,
            workshop,
            watchers,
        })
    }

    /// Runs work that blocks or computes on a thread of its own.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        // The semaphore is never closed; if it were, nothing more could be done here.
        let Ok(permit) = Arc::clone(&self.work).acquire_owned().await else { return Err(Failure::Unknown) };
        let outcome = tokio::task::spawn_blocking(move || {
            // The permit lives as long as the work, also where the caller has given up meanwhile.
            let _permit = permit;
            work()
        });
        outcome
            .await
            .unwrap_or_else(|error| Err(Failure::Fault(format!("run a blocking piece of work: {error}"))))
    }

    /// Answers a request within the caller's time; what fails is said in their language.
    pub(crate) async fn answer<Q, A, W>(
        &self,
        request: Request<Q>,
        work: impl FnOnce(Caller, Q) -> W,
    ) -> Result<Response<A>, Status>
    where
        W: Future<Output = Result<A, Problem>>,
    {
        let caller = Caller::of(&request)?;
        let language = caller.language;
        let outcome = match deadline::until(self.unary, caller.expires) {
            Ok(until) => deadline::within(until, work(caller, request.into_inner())).await,
            Err(failure) => Err(failure.into()),
        };
        outcome.map(Response::new).map_err(|problem| self.tell(&problem, language))
    }

    /// Answers a request by a query.
    pub(crate) async fn read<Q, A>(
        self: &Arc<Self>,
        request: Request<Q>,
        query: impl FnOnce(&Edge, &Reader, &Principal, Q) -> Result<A, Failure> + Send + 'static,
    ) -> Result<Response<A>, Status>
    where
        Q: Send + 'static,
        A: Send + 'static,
    {
        let edge = Arc::clone(self);
        self.answer(request, |caller, asked| async move {
            let inner = Arc::clone(&edge);
            edge.ledger.caught_up().await;
            Ok(edge.blocking(move || query(&inner, inner.ledger.reader(), &caller.principal, asked)).await?)
        })
        .await
    }

    /// Answers a request by a query that reads a few rows or entries, at once where such reads are quick.
    pub(crate) async fn point<Q, A>(
        self: &Arc<Self>,
        request: Request<Q>,
        query: impl FnOnce(&Edge, &Reader, &Principal, Q) -> Result<A, Failure> + Send + 'static,
    ) -> Result<Response<A>, Status>
    where
        Q: Send + 'static,
        A: Send + 'static,
    {
        if !self.quick.at_once() {
            return self.read(request, query).await;
        }
        self.answer(request, |caller, asked| async move {
            self.ledger.caught_up().await;
            let work = || query(self, self.ledger.reader(), &caller.principal, asked);
            // A panic is a failure of this call, as it is on a thread of its own.
            let done = catch_unwind(AssertUnwindSafe(|| self.quick.watch(work)));
            Ok(done.unwrap_or_else(|_| Err(Failure::Fault("a read panicked".to_owned())))?)
        })
        .await
    }

    /// Answers a request by submitting its statement.
    pub(crate) async fn write<Q, A>(
        &self,
        request: Request<Q>,
        statement: impl FnOnce(Q) -> Submission,
        answer: impl FnOnce(Answer) -> Result<A, Problem>,
    ) -> Result<Response<A>, Status> {
        self.answer(
            request,
            |caller, asked| async move { answer(self.submit(&caller, statement(asked)).await?) },
        )
        .await
    }

    /// Prepares a statement, and sees that the caller may send it.
    pub(crate) async fn prepare(&self, caller: &Caller, submission: Submission) -> Result<Prepared, Problem> {
        // What a deposit is prepared from no other deposit changes; and it takes no longer than a short read.
        let deposits = submission.expected == Expected::DepositRecord;
        if !deposits {
            self.ledger.caught_up().await;
        }
        let at_once = Some(&self.quick).filter(|quick| deposits && quick.at_once());
        let prepared = self.workshop.prepare(submission, at_once).await?;
        Self::allowed(caller, prepared)
    }

    /// Prepares anything else, and sees that the caller may send it.
    pub(crate) async fn prepared(
        &self,
        caller: &Caller,
        preparing: impl FnOnce(&Preparer) -> Result<Prepared, Failure> + Send + 'static,
    ) -> Result<Prepared, Problem> {
        let preparer = self.ledger.preparer().clone();
        let prepared = self.blocking(move || preparing(&preparer)).await?;
        Self::allowed(caller, prepared)
    }

    fn allowed(caller: &Caller, prepared: Prepared) -> Result<Prepared, Problem> {
        match caller.rule {
            Rule::Signed => {}
            Rule::OwnStatement => access::require_signer(&caller.principal, prepared.signer())?,
            Rule::Open
            | Rule::Institutions
            | Rule::AccountStatus
            | Rule::AccountBalance
            | Rule::AccountHistory
            | Rule::Conversions
            | Rule::Records => return Err(Failure::Denied.into()),
        }
        Ok(prepared)
    }

    /// The status of a problem. Every problem passes here or through [`Edge::refuse`] once: a fault is logged.
    pub(crate) fn tell(&self, problem: &Problem, language: Language) -> Status {
        self.note(problem);
        status(problem, language)
    }

    /// A problem as an answer in a stream.
    pub(crate) fn refuse(&self, problem: &Problem) -> v1::Refusal {
        self.note(problem);
        refusal_of(problem)
    }

    fn note(&self, problem: &Problem) {
        self.metrics.told(reason_of(problem));
        if let Problem::Behind(Failure::Fault(cause)) = problem {
            tracing::error!(cause, "a call failed");
        }
    }

    /// Prepares and submits a statement.
    pub(crate) async fn submit(&self, caller: &Caller, submission: Submission) -> Result<Answer, Problem> {
        let prepared = self.prepare(caller, submission).await?;
        Ok(self.ledger.enqueue(prepared)?.answer().await?)
    }
}

/// Where a recorded command stands.
pub(crate) fn position(answer: &mut Answer) -> v1::Position {
    v1::Position {
        index: answer.index,
        leaf_hash: answer.leaf_hash.as_bytes().to_vec(),
        replayed: answer.replayed,
        receipt: answer.receipt.take(),
    }
}

/// An answer that is nothing but a position.
pub(crate) fn positioned<A>(
    make: impl FnOnce(Option<v1::Position>) -> A,
) -> impl FnOnce(Answer) -> Result<A, Problem> {
    move |mut answer| Ok(make(Some(position(&mut answer))))
}

/// A moment from now.
pub(crate) fn moment(cap: Duration, caller: &Caller) -> Result<Instant, Problem> {
    deadline::until(cap, caller.expires).map_err(Problem::Behind)
}

/// Microseconds since a moment.
pub(crate) fn micros_since(begun: Instant) -> u64 {
    u64::try_from(clock::instant().saturating_duration_since(begun).as_micros()).unwrap_or(u64::MAX)
}
