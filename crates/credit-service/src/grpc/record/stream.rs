//! Records one by one on a stream: many in flight, decided and answered in the order of the requests. A refusal is an
//! answer and ends nothing.

use super::super::{Caller, Edge, moment, position};
use super::{Answers, End, Gone};
use crate::deadline;
use crate::failure::Failure;
use crate::prepare::Expected;
use crate::prepare_signed::Submission;
use crate::status::Problem;
use credit_proto::v1;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// The most records of one stream that are taken in and not answered; the next is read when one is answered, so that
/// HTTP/2's flow control slows the sender down.
pub(super) const IN_FLIGHT_MAX: usize = 256;
/// Answers that wait for the network.
const ANSWERS_MAX: usize = 64;

/// What becomes of one record.
type Outcome = Result<v1::Position, Problem>;

pub(super) fn submit(
    edge: Arc<Edge>,
    caller: Caller,
    requests: Streaming<v1::SubmitRecordsRequest>,
) -> ReceiverStream<Result<v1::SubmitRecordsResponse, Status>> {
    let (to, answers) = mpsc::channel(ANSWERS_MAX);
    // One more is held by the task that answers.
    let (flight, landed) = mpsc::channel(IN_FLIGHT_MAX.saturating_sub(1));
    let outcomes = Answers { edge: Arc::clone(&edge), caller: caller.clone(), to };
    tokio::spawn(async move {
        let mut landed = landed;
        let ended = answer(&outcomes, &mut landed).await;
        outcomes.end(ended).await;
    });
    tokio::spawn(take(edge, caller, requests, flight));
    ReceiverStream::new(answers)
}

/// Takes requests in while there is room, and ends with them, with the server, or when nobody listens.
async fn take(
    edge: Arc<Edge>,
    caller: Caller,
    mut requests: Streaming<v1::SubmitRecordsRequest>,
    flight: mpsc::Sender<Result<JoinHandle<Outcome>, End>>,
) {
    let mut draining = edge.draining.clone();
    // The turn of the first record has come.
    let (_, mut turn) = oneshot::channel();
    loop {
        let Ok(room) = flight.reserve().await else { return };
        let next = tokio::select! {
            biased;
            _ = draining.wait_for(|stops| *stops) => Err(Failure::ReadOnly("STOPPING").into()),
            () = flight.closed() => return,
            next = requests.message() => next.map_err(End::Broken),
        };
        match next {
            Ok(Some(request)) => {
                let (edge, caller) = (Arc::clone(&edge), caller.clone());
                let (passes, next_turn) = oneshot::channel();
                let order = Order { turn: std::mem::replace(&mut turn, next_turn), passes };
                room.send(Ok(tokio::spawn(async move { deposit(&edge, &caller, request, order).await })));
            }
            Ok(None) => return,
            Err(end) => {
                room.send(Err(end));
                return;
            }
        }
    }
}

/// A record's place among those of its stream: it is prepared at any time, and queued once the one before it is.
struct Order {
    /// Ends when the record before is queued or refused.
    turn: oneshot::Receiver<()>,
    /// Dropped when this one is.
    passes: oneshot::Sender<()>,
}

async fn deposit(
    edge: &Edge,
    caller: &Caller,
    request: v1::SubmitRecordsRequest,
    Order { turn, passes }: Order,
) -> Outcome {
    let v1::SubmitRecordsRequest { envelope, details, want_receipt } = request;
    let submission = Submission::secret(Expected::DepositRecord, envelope, details, want_receipt);
    let until = moment(edge.unary, caller);
    let prepared = match until {
        Ok(until) => {
            deadline::within(until, edge.prepare(caller, submission)).await.map(|ready| (until, ready))
        }
        Err(problem) => Err(problem),
    };
    // The one before has a time of its own, so the turn comes. It is passed on by dropping, nothing is sent.
    let _ = turn.await;
    let queued = prepared.and_then(|(until, ready)| Ok((until, edge.ledger.enqueue(ready)?)));
    drop(passes);
    let (until, waiting) = queued?;
    let mut answer = deadline::within(until, waiting.answer()).await?;
    Ok(position(&mut answer))
}

/// Answers in the order in which the requests came.
async fn answer(
    answers: &Answers<v1::SubmitRecordsResponse>,
    landed: &mut mpsc::Receiver<Result<JoinHandle<Outcome>, End>>,
) -> Result<(), End> {
    let mut number = 0u64;
    while let Some(next) = landed.recv().await {
        let outcome = match next?.await {
            Ok(outcome) => outcome,
            Err(error) => Err(Failure::Fault(format!("deposit a record of a stream: {error}")).into()),
        };
        let outcome = match outcome {
            Ok(position) => v1::submit_records_response::Outcome::Position(position),
            Err(problem) => v1::submit_records_response::Outcome::Refusal(answers.edge.refuse(&problem)),
        };
        let response = v1::SubmitRecordsResponse { number, outcome: Some(outcome) };
        answers.send(response).await.map_err(|Gone| End::Gone)?;
        number = number.saturating_add(1);
    }
    Ok(())
}
