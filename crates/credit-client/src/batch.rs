//! A semester under one signature: planned, sent chunk by chunk, gone on with after any interruption, and proved.

use credit_log::envelope::SigningKey;
use credit_proto::v1;
use credit_proto::v1::submit_batch_request::Step;
use credit_proto::v1::submit_batch_response::Step as Answered;
use credit_types::{AccountRef, BatchClose, CommandId, Digest, Header, KeyPurpose, LeafType};
use futures_util::future::try_join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::account::NewAccount;
use crate::builder::Client;
use crate::call::records;
use crate::chunk::{CALL, ChunkAnswer};
use crate::draft::NewRecord;
use crate::error::{ClientError, Refusal, Trouble};
use crate::plan::{BatchPlan, PlanError};
use crate::progress::Progress;
use crate::receipt::{Recorded, Told, of_entry, records as records_statement, told};
use crate::signer::seal;

/// The most chunks that are sent and not answered, as the bank has it.
const IN_FLIGHT_MAX: u32 = 4;
/// The most entries that are proved at once.
const PROVED_AT_ONCE_MAX: u32 = 8;

/// What belongs to sending a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// Whether to fetch the receipt of every entry of the batch and check that our leaves are in it (the default).
    /// Without it success is the bank's word.
    pub verify: bool,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { verify: true }
    }
}

/// What became of one leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeafOutcome {
    /// It is in the log.
    Accepted {
        /// Index of its chunk's entry.
        index: u64,
        /// Its position in the batch, from 0.
        position: u32,
        /// The account that it opened and the number that the learner is told; `None` of a record.
        opened: Option<(AccountRef, String)>,
    },
    /// It was refused, for good in this batch.
    Refused {
        /// Its position in the batch, from 0.
        position: u32,
        /// Why.
        refusal: Refusal,
    },
}

/// An entry of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkEntry {
    /// Index of the entry.
    pub index: u64,
    /// Its leaf hash.
    pub leaf_hash: Digest,
    /// Whether it had been recorded before this call.
    pub replayed: bool,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReport {
    /// The manifest's statement_id.
    pub statement_id: CommandId,
    /// The manifest's entry; its index is the batch's name.
    pub manifest: ChunkEntry,
    /// The chunks' entries, in order.
    pub chunks: Vec<ChunkEntry>,
    /// The outcomes of the leaves, in the order of the caller's input.
    pub outcomes: Vec<LeafOutcome>,
    /// Whether the batch is closed.
    pub closed: bool,
    /// Whether every entry was proved.
    pub verified: bool,
}

/// A batch under way. Chunks are answered in order, so the next wanted is the count of answers.
struct Run<'a> {
    plan: &'a BatchPlan,
    manifest: Option<ChunkEntry>,
    closed: bool,
    answers: Vec<ChunkAnswer>,
    refused: u64,
}

/// Told what happens.
type Listener<'a> = &'a mut (dyn FnMut(Progress) + Send);

impl Run<'_> {
    fn next(&self) -> u32 {
        u32::try_from(self.answers.len()).unwrap_or(u32::MAX)
    }

    fn progress(&self) -> Progress {
        let last = self.plan.positions(self.next().saturating_sub(1)).end;
        let done = if self.answers.is_empty() { 0 } else { u64::from(last) };
        Progress::Answered { done, refused: self.refused, total: u64::from(self.plan.leaf_count()) }
    }

    /// The state of the batch that its manifest, sent for the first time or again, brought to light.
    fn opened(&mut self, opening: v1::BatchOpening) -> Result<Progress, ClientError> {
        let v1::BatchOpening { position, next_chunk, closed } = opening;
        let (Told { index, leaf_hash }, replayed, _) = told(CALL, position)?;
        let replayed = self.manifest.map_or(replayed, |before| before.replayed);
        let entry = ChunkEntry { index, leaf_hash, replayed };
        if self.manifest.is_some_and(|before| before != entry) {
            return Err(ClientError::answer(CALL, "the manifest's entry changes"));
        }
        // What was answered was durable: a bank that goes back behind it has lost part of its log.
        if next_chunk < self.next() || next_chunk > self.plan.chunk_count() {
            return Err(ClientError::answer(CALL, "next_chunk is not one that the batch can have come to"));
        }
        (self.manifest, self.closed) = (Some(entry), closed);
        Ok(Progress::Opened { chunks: self.plan.chunk_count(), next_chunk })
    }

    fn report(self, verified: bool) -> Result<BatchReport, ClientError> {
        let manifest = self.manifest.ok_or_else(|| ClientError::answer(CALL, "the batch was not opened"))?;
        let plan = self.plan;
        let mut by_source = Vec::with_capacity(self.answers.len());
        let mut chunks = Vec::with_capacity(self.answers.len());
        for (chunk, answer) in (0..).zip(self.answers) {
            let ChunkAnswer { told: Told { index, leaf_hash }, replayed, mut refused, mut opened, closed: _ } =
                answer;
            chunks.push(ChunkEntry { index, leaf_hash, replayed });
            for position in plan.positions(chunk) {
                let outcome = match refused.remove(&position) {
                    Some(refusal) => LeafOutcome::Refused { position, refusal },
                    None => LeafOutcome::Accepted { index, position, opened: opened.remove(&position) },
                };
                by_source.push((plan.source(position), outcome));
            }
        }
        by_source.sort_by_key(|(source, _)| *source);
        let outcomes = by_source.into_iter().map(|(_, outcome)| outcome).collect();
        let statement_id = plan.statement_id();
        Ok(BatchReport { statement_id, manifest, chunks, outcomes, closed: self.closed, verified })
    }
}

/// Waits for the next message of a stream.
pub(crate) async fn next<A>(stream: &mut Streaming<A>, deadline: Duration) -> Result<A, Trouble> {
    match tokio::time::timeout(deadline, stream.message()).await {
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None)) => Err(Trouble::broken()),
        Ok(Err(status)) => Err(Trouble::of(status)),
        Err(_elapsed) => Err(Trouble::no_answer()),
    }
}

impl Client {
    /// Plans a batch of records: draws salts, commits, sorts, signs. Keep the plan before it is sent, and a client that
    /// is killed goes on with it. `Invalid` names the first record that the bank would refuse by its form, or that
    /// stands twice.
    pub async fn plan_records(&self, records: Vec<NewRecord>) -> Result<BatchPlan, ClientError> {
        self.plan(KeyPurpose::Records, move |key, header| BatchPlan::records(key, header, &records)).await
    }

    /// Plans a batch of account openings in the same way, signed by the registrar's REGISTRY key.
    pub async fn plan_openings(&self, accounts: Vec<NewAccount>) -> Result<BatchPlan, ClientError> {
        self.plan(KeyPurpose::Registry, move |key, header| BatchPlan::openings(key, header, &accounts)).await
    }

    async fn plan(
        &self,
        purpose: KeyPurpose,
        make: impl FnOnce(&SigningKey, &Header) -> Result<BatchPlan, ClientError> + Send + 'static,
    ) -> Result<BatchPlan, ClientError> {
        let header = self.header(self.signer_id()?).await?;
        let signer = Arc::clone(self.signer()?);
        // A large batch is hashed for seconds.
        let planned = tokio::task::spawn_blocking(move || make(signer.key(&[purpose])?, &header)).await;
        planned.unwrap_or(Err(PlanError::Interrupted.into()))
    }

    /// Sends a batch and gives every leaf's outcome.
    ///
    /// After a broken connection it goes on with the first chunk that it has no answer to, under the very same
    /// manifest. A plan that another process began is sent from its first chunk: what is recorded already is not
    /// recorded again, it is answered again.
    pub async fn submit_batch(
        &self,
        plan: &BatchPlan,
        options: BatchOptions,
        listener: Listener<'_>,
    ) -> Result<BatchReport, ClientError> {
        if plan.log_id() != self.shared.trust.log_id {
            return Err(PlanError::OtherLog.into());
        }
        let mut run = Run { plan, manifest: None, closed: false, answers: Vec::new(), refused: 0 };
        let mut tries = 0u32;
        loop {
            let before = run.next();
            let Err(trouble) = self.batch_pass(&mut run, listener).await else { break };
            tries = if run.next() > before { 1 } else { tries.saturating_add(1) };
            let (pause, reason) = self.pause_after(trouble, tries)?;
            listener(Progress::Retrying { tries, pause, reason });
            tokio::time::sleep(pause).await;
        }
        if options.verify {
            self.prove_batch(&run, listener).await?;
        }
        run.report(options.verify)
    }

    /// Sends what is not answered yet over one connection.
    async fn batch_pass(&self, run: &mut Run<'_>, listener: Listener<'_>) -> Result<(), Trouble> {
        let deadline = self.shared.stream_deadline;
        let room = usize::try_from(IN_FLIGHT_MAX).unwrap_or(usize::MAX).saturating_add(1);
        let (to, requests) = mpsc::channel(room);
        let start = v1::BatchStart { manifest: Some((&run.plan.manifest().envelope).into()) };
        // The receiver is still here; where it is not, the stream's own end says why.
        let _ = to.send(v1::SubmitBatchRequest { step: Some(Step::Start(start)) }).await;
        let request = self.request(ReceiverStream::new(requests))?;
        let mut stub = records(self.shared.channel.clone());
        let opening = tokio::time::timeout(deadline, stub.submit_batch(request)).await;
        let mut stream = match opening {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) => return Err(Trouble::of(status)),
            Err(_elapsed) => return Err(Trouble::no_answer()),
        };
        let Some(Answered::Opening(opening)) = next(&mut stream, deadline).await?.step else {
            return Err(ClientError::answer(CALL, "the first answer is not the opening").into());
        };
        listener(run.opened(opening)?);
        let chunks = run.plan.chunk_count();
        let mut sent = run.next();
        while run.next() < chunks {
            while sent < chunks && sent.saturating_sub(run.next()) < IN_FLIGHT_MAX {
                let step = run.plan.chunk(sent).map(Step::Chunk);
                let _ = to.send(v1::SubmitBatchRequest { step }).await;
                sent = sent.saturating_add(1);
            }
            let Some(Answered::Chunk(outcome)) = next(&mut stream, deadline).await?.step else {
                return Err(ClientError::answer(CALL, "an answer is not about a chunk").into());
            };
            let answer = ChunkAnswer::read(run.plan, run.next(), outcome, self.shared.language)?;
            run.closed |= answer.closed;
            run.refused = run.refused.saturating_add(u64::try_from(answer.refused.len()).unwrap_or(u64::MAX));
            run.answers.push(answer);
            listener(run.progress());
        }
        Ok(())
    }

    /// Has it proved that the manifest and every chunk are in the log as they were sent and told.
    async fn prove_batch(&self, run: &Run<'_>, listener: Listener<'_>) -> Result<(), ClientError> {
        let manifest = run.manifest.ok_or_else(|| ClientError::answer(CALL, "the batch was not opened"))?;
        let (_, verified) = self.get_receipt(manifest.index).await?;
        of_entry(Told { index: manifest.index, leaf_hash: manifest.leaf_hash }, &verified)?;
        records_statement(run.plan.manifest(), &verified)?;
        let total = u64::from(run.plan.chunk_count()).saturating_add(1);
        let mut done = 1u64;
        listener(Progress::Verified { done, total });
        let at_once = usize::try_from(PROVED_AT_ONCE_MAX).unwrap_or(usize::MAX);
        let numbered: Vec<(u32, &ChunkAnswer)> = (0..).zip(&run.answers).collect();
        for some in numbered.chunks(at_once) {
            let proofs = some.iter().map(|(chunk, answer)| async move {
                let (_, verified) = self.get_receipt(answer.told.index).await?;
                answer.stands(run.plan, *chunk, manifest.index, &verified)?;
                Ok::<(), ClientError>(())
            });
            try_join_all(proofs).await?;
            done = done.saturating_add(u64::try_from(some.len()).unwrap_or(u64::MAX));
            listener(Progress::Verified { done, total });
        }
        Ok(())
    }

    /// Ends a batch of the signer early: no leaf enters it any more.
    pub async fn close_batch(&self, manifest_index: u64, leaves: LeafType) -> Result<Recorded, ClientError> {
        let purpose = match leaves {
            LeafType::Record => KeyPurpose::Records,
            LeafType::Opening => KeyPurpose::Registry,
        };
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, &BatchClose { manifest_index }, &[self.signer()?.key(&[purpose])?])?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::CloseBatchRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { records(channel).close_batch(request).await };
        let v1::CloseBatchResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("CloseBatch", &outgoing, position).await?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;
    use std::collections::BTreeMap;

    fn run(plan: &BatchPlan) -> Run<'_> {
        Run { plan, manifest: None, closed: false, answers: Vec::new(), refused: 0 }
    }

    fn opening(index: u64, next_chunk: u32) -> v1::BatchOpening {
        let position =
            v1::Position { index, leaf_hash: vec![6; 32], replayed: next_chunk > 0, receipt: None };
        v1::BatchOpening { position: Some(position), next_chunk, closed: false }
    }

    fn answer(index: u64, refused: &[u32]) -> ChunkAnswer {
        let refusal =
            Refusal { reason: "RECORD_EXISTS".to_owned(), message: String::new(), field: None, index: None };
        ChunkAnswer {
            told: Told { index, leaf_hash: Digest([7; 32]) },
            replayed: false,
            refused: refused.iter().map(|position| (*position, refusal.clone())).collect(),
            opened: BTreeMap::new(),
            closed: index == 12,
        }
    }

    #[test]
    fn outcomes_stand_in_the_order_of_the_callers_input() {
        let plan = plan(130);
        let mut run = run(&plan);
        assert_eq!(run.progress(), Progress::Answered { done: 0, refused: 0, total: 130 });
        run.opened(opening(9, 0)).unwrap();
        run.answers = vec![answer(10, &[3]), answer(11, &[]), answer(12, &[129])];
        assert_eq!(run.progress(), Progress::Answered { done: 130, refused: 0, total: 130 });
        let report = run.report(true).unwrap();
        assert_eq!((report.manifest.index, report.chunks.len(), report.verified), (9, 3, true));
        assert_eq!(report.outcomes.len(), 130);
        for (source, outcome) in (0..).zip(&report.outcomes) {
            let position = match outcome {
                LeafOutcome::Accepted { index, position, opened: None } => {
                    assert_eq!(*index, 10 + u64::from(*position / 64));
                    *position
                }
                LeafOutcome::Refused { position, refusal } => {
                    assert!([3, 129].contains(position) && refusal.reason == "RECORD_EXISTS");
                    *position
                }
                LeafOutcome::Accepted { opened: Some(_), .. } => panic!("a record opens no account"),
            };
            assert_eq!(plan.source(position), Some(source));
        }
        let refused = report.outcomes.iter().filter(|outcome| matches!(outcome, LeafOutcome::Refused { .. }));
        assert_eq!(refused.count(), 2);
    }

    #[test]
    fn a_batch_goes_on_only_where_it_can_have_come_to() {
        let plan = plan(130);
        let mut run = run(&plan);
        assert!(run.opened(opening(9, 4)).is_err());
        assert_eq!(run.opened(opening(9, 0)).unwrap(), Progress::Opened { chunks: 3, next_chunk: 0 });
        run.answers.push(answer(10, &[]));
        // The answer to chunk 1 was lost: the bank is ahead, and is asked again.
        assert!(run.opened(opening(9, 2)).is_ok());
        assert_eq!(run.next(), 1);
        assert!(!run.manifest.unwrap().replayed, "the first answer says whether the batch was there before");
        assert!(run.opened(opening(9, 0)).is_err(), "what was answered is lost");
        assert!(run.opened(opening(8, 2)).is_err(), "another entry");
    }
}
