//! Records one by one on a stream: each signed alone, many in flight, each with an outcome and a proof of its own. They
//! are recorded in any order.

use credit_proto::v1;
use credit_proto::v1::submit_records_response::Outcome;
use credit_types::Anchor;
use futures_util::future::try_join_all;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::batch::next;
use crate::builder::Client;
use crate::call::records;
use crate::draft::NewRecord;
use crate::error::{ClientError, Refusal, Trouble};
use crate::progress::Progress;
use crate::receipt::{Recorded, Told, recorded_as, told};
use crate::signer::Outgoing;

/// The most records that are sent and not answered; the bank takes up to twice as many.
const WINDOW: usize = 128;
/// The most records of one call: each keeps its receipt. More are sent as a batch.
pub const STREAM_RECORDS_MAX: usize = 16_384;
/// The most entries that are proved at once.
const PROVED_AT_ONCE_MAX: usize = 16;
/// The call.
const CALL: &str = "SubmitRecords";

/// What became of one record of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordOutcome {
    /// It is in the log, proved.
    Recorded(Box<Recorded>),
    /// It was refused; nothing was changed.
    Refused(Refusal),
}

/// A signed record on its way.
#[derive(Debug, Clone)]
struct Sent {
    outgoing: Outgoing,
    /// What it is sent in, the same each time; dropped with its secret part once it is answered.
    request: Option<v1::SubmitRecordsRequest>,
    /// Where the bank says it stands, and whether it did before.
    told: Option<(Told, bool)>,
}

/// A stream under way.
struct Run<'a> {
    records: &'a [NewRecord],
    sent: Vec<Option<Sent>>,
    refusals: Vec<Option<Refusal>>,
    refused: u64,
    done: u64,
}

impl<'a> Run<'a> {
    fn new(records: &'a [NewRecord]) -> Self {
        let count = records.len();
        Self { records, sent: vec![None; count], refusals: vec![None; count], refused: 0, done: 0 }
    }

    /// The records without an answer, in order.
    fn waiting(&self) -> VecDeque<usize> {
        let told = |sent: &Option<Sent>| sent.as_ref().is_some_and(|sent| sent.told.is_some());
        let open = self.sent.iter().zip(&self.refusals).enumerate();
        open.filter(|(_, (sent, refusal))| refusal.is_none() && !told(sent))
            .map(|(number, _)| number)
            .collect()
    }

    fn refuse(&mut self, number: usize, refusal: Refusal) {
        if let Some(place) = self.refusals.get_mut(number) {
            *place = Some(refusal);
            self.refused = self.refused.saturating_add(1);
            self.done = self.done.saturating_add(1);
        }
    }

    fn accept(&mut self, number: usize, told: Told, replayed: bool) {
        if let Some(Some(sent)) = self.sent.get_mut(number) {
            (sent.request, sent.told) = (None, Some((told, replayed)));
            self.done = self.done.saturating_add(1);
        }
    }

    fn total(&self) -> u64 {
        u64::try_from(self.records.len()).unwrap_or(u64::MAX)
    }

    fn progress(&self) -> Progress {
        Progress::Answered { done: self.done, refused: self.refused, total: self.total() }
    }
}

fn counted(count: usize) -> Result<(), ClientError> {
    if count <= STREAM_RECORDS_MAX {
        return Ok(());
    }
    let problem = format!("are {count}, a stream takes {STREAM_RECORDS_MAX}: send a batch");
    Err(ClientError::invalid("records", problem))
}

impl Client {
    /// Deposits up to [`STREAM_RECORDS_MAX`] records one by one, and gives their outcomes in their order. A refusal
    /// ends nothing; after a broken connection those without an answer are sent again as they were. When all are
    /// answered, each is proved.
    pub async fn submit_records(
        &self,
        records: &[NewRecord],
        listener: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Vec<RecordOutcome>, ClientError> {
        counted(records.len())?;
        let mut run = Run::new(records);
        let mut tries = 0u32;
        loop {
            let before = run.done;
            let Err(trouble) = self.stream_pass(&mut run, listener).await else { break };
            tries = if run.done > before { 1 } else { tries.saturating_add(1) };
            let (pause, reason) = self.pause_after(trouble, tries)?;
            listener(Progress::Retrying { tries, pause, reason });
            tokio::time::sleep(pause).await;
        }
        self.prove_records(run, listener).await
    }

    /// The request of a record, signed when it is first sent.
    fn stream_request(
        &self,
        run: &mut Run<'_>,
        number: usize,
        anchor: Anchor,
    ) -> Result<v1::SubmitRecordsRequest, ClientError> {
        if let Some(Some(Sent { request: Some(request), .. })) = run.sent.get(number) {
            return Ok(request.clone());
        }
        let record = run.records.get(number);
        let record = record.ok_or_else(|| ClientError::invalid("records", "has no such record"))?;
        // A receipt under the head of each moment would cost a proof of consistency each; they are fetched at the end.
        let (outgoing, request) = self.prepare(record, anchor, false)?;
        let v1::SubmitRecordRequest { envelope, details, want_receipt } = request;
        let request = v1::SubmitRecordsRequest { envelope, details, want_receipt };
        if let Some(place) = run.sent.get_mut(number) {
            *place = Some(Sent { outgoing, request: Some(request.clone()), told: None });
        }
        Ok(request)
    }

    /// Sends what has no answer yet over one connection.
    async fn stream_pass(
        &self,
        run: &mut Run<'_>,
        listener: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), Trouble> {
        let mut waiting = run.waiting();
        if waiting.is_empty() {
            return Ok(());
        }
        let anchor = self.anchor().await?;
        let deadline = self.shared.stream_deadline;
        let (to, requests) = mpsc::channel(WINDOW);
        let request = self.request(ReceiverStream::new(requests))?;
        let mut stub = records(self.shared.channel.clone());
        let mut stream = match tokio::time::timeout(deadline, stub.submit_records(request)).await {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) => return Err(Trouble::of(status)),
            Err(_elapsed) => return Err(Trouble::no_answer()),
        };
        let mut flying: VecDeque<usize> = VecDeque::new();
        let mut answered = 0u64;
        let mut again = None;
        loop {
            while flying.len() < WINDOW {
                let Some(number) = waiting.pop_front() else { break };
                let request = self.stream_request(run, number, anchor)?;
                // Where nobody takes it any more, the stream's own end says why.
                let _ = to.send(request).await;
                flying.push_back(number);
            }
            let Some(number) = flying.pop_front() else { break };
            let v1::SubmitRecordsResponse { number: place, outcome } = next(&mut stream, deadline).await?;
            if place != answered {
                return Err(ClientError::answer(CALL, "the answers are out of order").into());
            }
            answered = answered.saturating_add(1);
            match outcome {
                Some(Outcome::Position(position)) => {
                    let (told, replayed, _) = told(CALL, Some(position))?;
                    run.accept(number, told, replayed);
                }
                Some(Outcome::Refusal(refusal)) if refusal.retryable => again = Some(refusal),
                Some(Outcome::Refusal(refusal)) => {
                    run.refuse(number, Refusal::of_element(refusal, self.shared.language));
                }
                None => return Err(ClientError::answer(CALL, "an answer has no outcome").into()),
            }
            listener(run.progress());
        }
        match again {
            None => Ok(()),
            Some(refusal) => {
                let Refusal { reason, message, field: _, index: _ } =
                    Refusal::of_element(refusal, self.shared.language);
                Err(Trouble::Again { reason, message, after: None })
            }
        }
    }

    /// Has it proved that every accepted record is in the log as it was sent, and gives all outcomes.
    async fn prove_records(
        &self,
        run: Run<'_>,
        listener: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Vec<RecordOutcome>, ClientError> {
        let total = run.total().saturating_sub(run.refused);
        let mut done = 0u64;
        let answers: Vec<(Option<Sent>, Option<Refusal>)> = run.sent.into_iter().zip(run.refusals).collect();
        let mut outcomes = Vec::with_capacity(answers.len());
        for some in answers.chunks(PROVED_AT_ONCE_MAX) {
            let proofs =
                some.iter().map(|(sent, refusal)| self.record_outcome(sent.as_ref(), refusal.as_ref()));
            let proved = try_join_all(proofs).await?;
            let recorded =
                proved.iter().filter(|outcome| matches!(outcome, RecordOutcome::Recorded(_))).count();
            outcomes.extend(proved);
            done = done.saturating_add(u64::try_from(recorded).unwrap_or(u64::MAX));
            listener(Progress::Verified { done, total });
        }
        Ok(outcomes)
    }

    async fn record_outcome(
        &self,
        sent: Option<&Sent>,
        refusal: Option<&Refusal>,
    ) -> Result<RecordOutcome, ClientError> {
        if let Some(refusal) = refusal {
            return Ok(RecordOutcome::Refused(refusal.clone()));
        }
        let Some(Sent { outgoing, request: _, told: Some((told, replayed)) }) = sent else {
            return Err(ClientError::answer(CALL, "a record has no answer"));
        };
        let (receipt, verified) = self.get_receipt(told.index).await?;
        let recorded = recorded_as(outgoing, *told, *replayed, receipt, &verified)?;
        Ok(RecordOutcome::Recorded(Box::new(recorded)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_bounded() {
        assert!(counted(STREAM_RECORDS_MAX).is_ok());
        assert!(matches!(counted(STREAM_RECORDS_MAX + 1), Err(ClientError::Invalid { .. })));
    }

    #[test]
    fn what_has_an_answer_is_not_sent_again_and_keeps_no_secret() {
        let records = crate::plan::tests::records(4);
        let mut run = Run::new(&records);
        let outgoing = crate::plan::tests::plan(1).manifest().clone();
        for number in 0..3 {
            let request = Some(v1::SubmitRecordsRequest::default());
            run.sent[number] = Some(Sent { outgoing: outgoing.clone(), request, told: None });
        }
        assert_eq!(run.waiting(), [0, 1, 2, 3]);
        let refusal =
            Refusal { reason: "RECORD_EXISTS".to_owned(), message: String::new(), field: None, index: None };
        run.refuse(1, refusal);
        run.accept(2, Told { index: 7, leaf_hash: credit_types::Digest([1; 32]) }, true);
        assert_eq!(run.waiting(), [0, 3]);
        assert!(run.sent[2].as_ref().unwrap().request.is_none());
        assert_eq!(run.progress(), Progress::Answered { done: 2, refused: 1, total: 4 });
    }
}
