//! Sends batches and streams of records, and sees that each is accepted: a refused record would make a false figure.

use super::super::unmeasured;
use super::signed::Batch;
use super::wire::{Line, STREAM_ROOM, Token, micros};
use crate::ending::CommandError;
use credit_proto::v1;
use credit_proto::v1::submit_batch_response::Step;
use credit_proto::v1::submit_records_response::Outcome;
use credit_service::clock::instant;
use credit_types::AccountRef;
use prost::bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Chunks of a batch that are sent and not answered.
const CHUNKS_IN_FLIGHT: usize = 4;
/// Records of a stream that are sent and not answered.
const RECORDS_IN_FLIGHT: usize = 128;
/// Where batches go.
const SUBMIT_BATCH: &str = "/creditbank.v1.RecordService/SubmitBatch";
/// Where streams go.
const SUBMIT_RECORDS: &str = "/creditbank.v1.RecordService/SubmitRecords";

/// What came back.
#[derive(Default)]
pub(super) struct Sent {
    /// Records that are in the log.
    pub(super) records: u64,
    /// Microseconds from sending a chunk to its answer.
    pub(super) chunk_micros: Vec<u64>,
    /// Accounts that were opened, in the order of the leaves.
    pub(super) opened: Vec<AccountRef>,
}

fn broken() -> CommandError {
    unmeasured(anyhow::anyhow!("the stream ended before it was answered"))
}

fn refused(refusal: Option<v1::Refusal>) -> CommandError {
    let v1::Refusal { reason, message_en, field, .. } = refusal.unwrap_or_default();
    unmeasured(anyhow::anyhow!("the ledger refused a record: {reason} {message_en} {field}"))
}

/// Sends a batch, four chunks in flight.
pub(super) async fn batch(line: &mut Line, batch: &Batch) -> Result<Sent, CommandError> {
    let (to, requests) = mpsc::channel(CHUNKS_IN_FLIGHT.saturating_add(1));
    let send = async |message: &Bytes| to.send(message.clone()).await.map_err(|_| broken());
    send(&batch.start).await?;
    let stream = line.stream(SUBMIT_BATCH, Some(&batch.token), ReceiverStream::new(requests));
    let mut answers: tonic::Streaming<v1::SubmitBatchResponse> = stream.await.map_err(unmeasured)?;
    let opening = answers.message().await.map_err(unmeasured)?.and_then(|answer| answer.step);
    let Some(Step::Opening(_)) = opening else { return Err(broken()) };
    let mut sent = Sent::default();
    let mut flying: VecDeque<Instant> = VecDeque::new();
    let mut chunks = batch.chunks.iter();
    loop {
        while flying.len() < CHUNKS_IN_FLIGHT {
            let Some(chunk) = chunks.next() else { break };
            flying.push_back(instant());
            send(chunk).await?;
        }
        let Some(began) = flying.pop_front() else { break };
        let answer = answers.message().await.map_err(unmeasured)?.and_then(|answer| answer.step);
        let Some(Step::Chunk(outcome)) = answer else { return Err(broken()) };
        sent.chunk_micros.push(micros(began.elapsed()));
        if let Some(first) = outcome.refused.into_iter().next() {
            return Err(refused(first.refusal));
        }
        for opened in outcome.opened {
            sent.opened.push(AccountRef::from_slice(&opened.account_ref).map_err(unmeasured)?);
        }
    }
    sent.records = batch.leaves;
    Ok(sent)
}

/// Sends records of one signer on a stream.
async fn records(line: &mut Line, token: &Token, messages: &[Bytes]) -> Result<u64, CommandError> {
    let (to, requests) = mpsc::channel(STREAM_ROOM);
    let mut waiting = messages.iter();
    // The stream is opened once there is something on it: a server may answer only then.
    if let Some(message) = waiting.next() {
        to.send(message.clone()).await.map_err(|_| broken())?;
    }
    let stream = line.stream(SUBMIT_RECORDS, Some(token), ReceiverStream::new(requests));
    let mut answers: tonic::Streaming<v1::SubmitRecordsResponse> = stream.await.map_err(unmeasured)?;
    let (mut sent, mut answered) = (1usize, 0usize);
    while answered < messages.len() {
        while sent.saturating_sub(answered) < RECORDS_IN_FLIGHT {
            let Some(message) = waiting.next() else { break };
            to.send(message.clone()).await.map_err(|_| broken())?;
            sent = sent.saturating_add(1);
        }
        match answers.message().await.map_err(unmeasured)?.and_then(|answer| answer.outcome) {
            Some(Outcome::Position(_)) => answered = answered.saturating_add(1),
            Some(Outcome::Refusal(refusal)) => return Err(refused(Some(refusal))),
            None => return Err(broken()),
        }
    }
    Ok(u64::try_from(answered).unwrap_or(u64::MAX))
}

/// Work that several streams take from, each the next.
fn queue<T>(work: Vec<T>) -> Arc<Mutex<std::vec::IntoIter<T>>> {
    Arc::new(Mutex::new(work.into_iter()))
}

fn taken<T>(queue: &Mutex<std::vec::IntoIter<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// Sends batches over so many streams, each on a connection of its own; gives what came back and the time.
pub(super) async fn batches(
    url: &str,
    streams: usize,
    work: Vec<Batch>,
) -> Result<(Sent, Duration), CommandError> {
    let mut lines = Vec::new();
    for _ in 0..streams {
        lines.extend(Line::several(url, 1).await?);
    }
    let work = queue(work);
    let began = instant();
    let mut workers = Vec::new();
    for mut line in lines {
        let work = Arc::clone(&work);
        workers.push(tokio::spawn(async move {
            let mut all = Sent::default();
            while let Some(next) = taken(&work) {
                let Sent { records, chunk_micros, opened } = batch(&mut line, &next).await?;
                all.records = all.records.saturating_add(records);
                all.chunk_micros.extend(chunk_micros);
                all.opened.extend(opened);
            }
            Ok::<_, CommandError>(all)
        }));
    }
    let mut all = Sent::default();
    for worker in workers {
        let Sent { records, chunk_micros, opened } = worker.await.map_err(unmeasured)??;
        all.records = all.records.saturating_add(records);
        all.chunk_micros.extend(chunk_micros);
        all.opened.extend(opened);
    }
    let time = began.elapsed();
    all.chunk_micros.sort_unstable();
    Ok((all, time))
}

/// Sends the records of many signers, so many streams at once; gives how many there were and the time.
pub(super) async fn scattered(
    url: &str,
    streams: usize,
    work: Vec<(Token, Vec<Bytes>)>,
) -> Result<(u64, Duration), CommandError> {
    let lines = Line::several(url, streams.saturating_mul(4)).await?;
    let work = queue(work);
    let began = instant();
    let mut workers = Vec::new();
    for line in lines.iter().cycle().take(streams) {
        let (mut line, work) = (line.clone(), Arc::clone(&work));
        workers.push(tokio::spawn(async move {
            let mut count = 0u64;
            while let Some((token, messages)) = taken(&work) {
                count = count.saturating_add(records(&mut line, &token, &messages).await?);
            }
            Ok::<_, CommandError>(count)
        }));
    }
    let mut count = 0u64;
    for worker in workers {
        count = count.saturating_add(worker.await.map_err(unmeasured)??);
    }
    Ok((count, began.elapsed()))
}
