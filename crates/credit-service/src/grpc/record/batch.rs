//! A batch on a stream: the manifest, then its chunks in order. Chunks are prepared side by side and reach the writer
//! in order; each is answered when it is durable. A chunk that is refused as a whole ends the stream.

use super::super::{Caller, Edge, moment, position};
use super::{Answers, End, Gone};
use crate::answer::{Answer, Opened};
use crate::deadline;
use crate::draining;
use crate::failure::Failure;
use crate::prepare::{Expected, Prepared};
use crate::prepare_signed::Submission;
use crate::status::{Problem, refusal};
use credit_proto::v1;
use credit_proto::v1::submit_batch_request::Step;
use credit_proto::v1::submit_batch_response::Step as Answered;
use credit_types::{RefusedLeaf, Rejection};
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// The most chunks of one stream that are taken in and not answered.
pub(super) const CHUNKS_IN_FLIGHT_MAX: usize = 4;
/// Answers that wait for the network.
const ANSWERS_MAX: usize = 4;

/// A chunk on its way; the permit is its place among those in flight.
struct Flying<T> {
    chunk: u32,
    until: Instant,
    work: T,
    permit: OwnedSemaphorePermit,
}

/// A chunk that is being prepared.
type Preparing = Flying<JoinHandle<Result<Prepared, Problem>>>;
/// A chunk that the writer has.
type Submitted = Flying<Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>>;

pub(super) fn submit(
    edge: Arc<Edge>,
    caller: Caller,
    requests: Streaming<v1::SubmitBatchRequest>,
) -> ReceiverStream<Result<v1::SubmitBatchResponse, Status>> {
    let (to, stream) = mpsc::channel(ANSWERS_MAX);
    let answers = Answers { edge: Arc::clone(&edge), caller: caller.clone(), to };
    tokio::spawn(async move {
        let ended = run(edge, caller, requests, &answers).await;
        answers.end(ended).await;
    });
    ReceiverStream::new(stream)
}

/// Opens the batch, then keeps three stages going until one of them ends the stream.
async fn run(
    edge: Arc<Edge>,
    caller: Caller,
    mut requests: Streaming<v1::SubmitBatchRequest>,
    answers: &Answers<v1::SubmitBatchResponse>,
) -> Result<(), End> {
    let Some(manifest_index) = open(&edge, &caller, &mut requests, answers).await? else { return Ok(()) };
    let (prepare, preparing) = mpsc::channel(CHUNKS_IN_FLIGHT_MAX);
    let (submit, submitted) = mpsc::channel(CHUNKS_IN_FLIGHT_MAX);
    let stages = async {
        tokio::join!(
            take(&edge, &caller, manifest_index, &mut requests, prepare),
            order(&edge, preparing, submit),
            answer(answers, submitted),
        )
    };
    // A stage that fails drops its channels, which ends its neighbours; all that came before is still answered.
    let (taken, ordered, answered) = stages.await;
    answered.and(ordered).and(taken)
}

/// Reads the manifest, opens or resumes its batch, and says where to go on. `None` of a stream without requests.
async fn open(
    edge: &Edge,
    caller: &Caller,
    requests: &mut Streaming<v1::SubmitBatchRequest>,
    answers: &Answers<v1::SubmitBatchResponse>,
) -> Result<Option<u64>, End> {
    let first = tokio::select! {
        biased;
        () = draining::begun(edge.draining.clone()) => return Err(stopping()),
        first = requests.message() => first.map_err(End::Broken)?,
    };
    let manifest = match first {
        None => return Ok(None),
        Some(v1::SubmitBatchRequest { step: Some(Step::Start(v1::BatchStart { manifest })) }) => manifest,
        Some(v1::SubmitBatchRequest { step: Some(Step::Chunk(_)) | None }) => {
            return Err(misplaced("start", "must be the first message of the stream").into());
        }
    };
    let until = moment(edge.unary, caller)?;
    let submission = Submission::plain(Expected::OpenBatch, manifest, false);
    let mut answer = deadline::within(until, edge.submit(caller, submission)).await?;
    let (index, next_chunk, closed) = (answer.index, answer.next_chunk, answer.closed);
    let opening = v1::BatchOpening { position: Some(position(&mut answer)), next_chunk, closed };
    let response = v1::SubmitBatchResponse { step: Some(Answered::Opening(opening)) };
    answers.send(response).await.map_err(|Gone| End::Gone)?;
    Ok(Some(index))
}

fn stopping() -> End {
    Problem::Behind(Failure::ReadOnly("STOPPING")).into()
}

fn misplaced(field: &str, problem: &str) -> Problem {
    Problem::Behind(Failure::Invalid { field: field.to_owned(), problem: problem.to_owned() })
}

/// Takes chunks in while there is room, and begins to prepare each.
async fn take(
    edge: &Arc<Edge>,
    caller: &Caller,
    manifest_index: u64,
    requests: &mut Streaming<v1::SubmitBatchRequest>,
    prepare: mpsc::Sender<Preparing>,
) -> Result<(), End> {
    let places = Arc::new(Semaphore::new(CHUNKS_IN_FLIGHT_MAX));
    loop {
        // The next stage has gone only if something else ends the stream.
        let permit = tokio::select! {
            permit = Arc::clone(&places).acquire_owned() => permit,
            () = prepare.closed() => return Ok(()),
        };
        let Ok(permit) = permit else { return Ok(()) };
        let next = tokio::select! {
            biased;
            () = draining::begun(edge.draining.clone()) => return Err(stopping()),
            () = prepare.closed() => return Ok(()),
            next = requests.message() => next.map_err(End::Broken)?,
        };
        let submission = match next {
            None => return Ok(()),
            Some(v1::SubmitBatchRequest { step: Some(Step::Chunk(submission)) }) => submission,
            Some(v1::SubmitBatchRequest { step: Some(Step::Start(_)) | None }) => {
                return Err(misplaced("chunk", "must be set in every message after the first").into());
            }
        };
        let (chunk, until) = (submission.chunk, moment(edge.batch, caller)?);
        let (edge, caller) = (Arc::clone(edge), caller.clone());
        let work = tokio::spawn(async move {
            let preparing =
                edge.prepared(&caller, move |preparer| preparer.chunk(manifest_index, submission, false));
            deadline::within(until, preparing).await
        });
        if prepare.send(Flying { chunk, until, work, permit }).await.is_err() {
            return Ok(());
        }
    }
}

/// Hands prepared chunks to the writer in their order.
async fn order(
    edge: &Edge,
    mut preparing: mpsc::Receiver<Preparing>,
    submit: mpsc::Sender<Submitted>,
) -> Result<(), End> {
    loop {
        let next = tokio::select! {
            next = preparing.recv() => next,
            // The last stage has ended the stream: nothing more is handed over.
            () = submit.closed() => None,
        };
        let Some(Flying { chunk, until, work, permit }) = next else { return Ok(()) };
        let prepared = match work.await {
            Ok(prepared) => prepared?,
            Err(error) => {
                return Err(Problem::Behind(Failure::Fault(format!("prepare a chunk: {error}"))).into());
            }
        };
        // A chunk that found no place is answered behind those before it.
        let work: Submitted = match edge.ledger.enqueue(prepared) {
            Ok(waiting) => Flying { chunk, until, work: Box::pin(waiting.answer()), permit },
            Err(failure) => Flying { chunk, until, work: Box::pin(ready(Err(failure))), permit },
        };
        if submit.send(work).await.is_err() {
            return Ok(());
        }
    }
}

/// Answers the chunks in their order, each when it is durable.
async fn answer(
    answers: &Answers<v1::SubmitBatchResponse>,
    mut submitted: mpsc::Receiver<Submitted>,
) -> Result<(), End> {
    while let Some(Flying { chunk, until, work, permit }) = submitted.recv().await {
        let answer = deadline::within(until, work).await?;
        let response = v1::SubmitBatchResponse { step: Some(Answered::Chunk(outcome(chunk, answer))) };
        answers.send(response).await.map_err(|Gone| End::Gone)?;
        drop(permit);
    }
    Ok(())
}

/// What became of a chunk, as a message.
fn outcome(chunk: u32, mut answer: Answer) -> v1::ChunkOutcome {
    let refused = answer.refused.iter().map(|RefusedLeaf { position, leaf_hash: _, reason }| {
        v1::RefusedPosition { position: *position, refusal: Some(refusal(&Rejection::new(*reason))) }
    });
    let refused = refused.collect();
    let opened = answer.opened.drain(..).map(|Opened { position, account_ref, account_number }| {
        v1::OpenedPosition { position, account_ref: account_ref.as_bytes().to_vec(), account_number }
    });
    let opened = opened.collect();
    v1::ChunkOutcome { chunk, refused, opened, closed: answer.closed, position: Some(position(&mut answer)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{AccountRef, Digest, Reason};

    #[test]
    fn an_outcome_names_each_refused_and_opened_position() {
        let answer = Answer {
            index: 9,
            leaf_hash: Digest([1; 32]),
            replayed: true,
            receipt: None,
            opened: vec![Opened {
                position: 65,
                account_ref: AccountRef([2; 16]),
                account_number: "7".to_owned(),
            }],
            refused: vec![RefusedLeaf {
                position: 64,
                leaf_hash: Digest([3; 32]),
                reason: Reason::AliasExists,
            }],
            status: None,
            closed: true,
            next_chunk: 2,
        };
        let outcome = outcome(1, answer);
        assert_eq!((outcome.chunk, outcome.closed), (1, true));
        let position = outcome.position.unwrap();
        assert_eq!((position.index, position.replayed, position.leaf_hash), (9, true, vec![1; 32]));
        let refused = &outcome.refused[0];
        assert_eq!(
            (refused.position, refused.refusal.clone().unwrap().reason.as_str()),
            (64, "ALIAS_EXISTS")
        );
        let opened = &outcome.opened[0];
        assert_eq!((opened.position, opened.account_number.as_str()), (65, "7"));
    }
}
