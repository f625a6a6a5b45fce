//! Records one by one on a stream: each signed alone, many in flight, each with an outcome and a proof of its own.

use credit_proto::v1;
use credit_proto::v1::submit_records_response::Outcome;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::batch::next;
use crate::builder::Client;
use crate::call::records;
use crate::draft::NewRecord;
use crate::error::{ClientError, Refusal, Trouble};
use crate::progress::Progress;
use crate::receipt::Recorded;
use crate::signer::Outgoing;

/// The most records that are sent and not answered; the bank takes up to twice as many.
const WINDOW: usize = 128;
/// The most records of one call: each keeps its receipt. More are sent as a batch.
pub const STREAM_RECORDS_MAX: usize = 16_384;
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

/// A signed record and the request that it is sent in, the same each time.
type Prepared = (Outgoing, v1::SubmitRecordsRequest);

/// A stream under way.
struct Run<'a> {
    records: &'a [NewRecord],
    prepared: Vec<Option<Prepared>>,
    outcomes: Vec<Option<RecordOutcome>>,
    done: u64,
    refused: u64,
}

impl Run<'_> {
    /// The records without an outcome, in order.
    fn waiting(&self) -> VecDeque<usize> {
        let waiting = self.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_none());
        waiting.map(|(number, _)| number).collect()
    }

    fn end(&mut self, number: usize, outcome: RecordOutcome) {
        self.done = self.done.saturating_add(1);
        if matches!(outcome, RecordOutcome::Refused(_)) {
            self.refused = self.refused.saturating_add(1);
        }
        if let Some(place) = self.outcomes.get_mut(number) {
            *place = Some(outcome);
        }
        // What is answered is never sent again; its secret part needs not stay.
        if let Some(place) = self.prepared.get_mut(number) {
            *place = None;
        }
    }

    fn progress(&self) -> Progress {
        let total = u64::try_from(self.records.len()).unwrap_or(u64::MAX);
        Progress::Answered { done: self.done, refused: self.refused, total }
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
    /// Deposits up to [`STREAM_RECORDS_MAX`] records one by one, and gives their outcomes in their order. A refusal ends
    /// nothing; after a broken connection those without an answer are sent again as they were.
    pub async fn submit_records(
        &self,
        records: &[NewRecord],
        listener: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Vec<RecordOutcome>, ClientError> {
        counted(records.len())?;
        let mut run = Run {
            records,
            prepared: vec![None; records.len()],
            outcomes: vec![None; records.len()],
            done: 0,
            refused: 0,
        };
        let mut tries = 0u32;
        loop {
            let before = run.done;
            let Err(trouble) = self.stream_pass(&mut run, listener).await else { break };
            tries = if run.done > before { 1 } else { tries.saturating_add(1) };
            let (pause, reason) = self.pause_after(trouble, tries)?;
            listener(Progress::Retrying { tries, pause, reason });
            tokio::time::sleep(pause).await;
        }
        let outcomes: Option<Vec<RecordOutcome>> = run.outcomes.into_iter().collect();
        outcomes.ok_or_else(|| ClientError::answer(CALL, "a record has no outcome"))
    }

    /// The request of a record, signed when it is first sent.
    async fn stream_request(
        &self,
        run: &mut Run<'_>,
        number: usize,
    ) -> Result<v1::SubmitRecordsRequest, ClientError> {
        if let Some(Some((_, request))) = run.prepared.get(number) {
            return Ok(request.clone());
        }
        let record =
            run.records.get(number).ok_or_else(|| ClientError::invalid("records", "has no such record"))?;
        let (outgoing, v1::SubmitRecordRequest { envelope, details, want_receipt }) =
            self.prepare(record).await?;
        let request = v1::SubmitRecordsRequest { envelope, details, want_receipt };
        if let Some(place) = run.prepared.get_mut(number) {
            *place = Some((outgoing, request.clone()));
        }
        Ok(request)
    }

    /// Sends what has no outcome yet over one connection.
    async fn stream_pass(
        &self,
        run: &mut Run<'_>,
        listener: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), Trouble> {
        let mut waiting = run.waiting();
        if waiting.is_empty() {
            return Ok(());
        }
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
                let request = self.stream_request(run, number).await?;
                // Where nobody takes it any more, the stream's own end says why.
                let _ = to.send(request).await;
                flying.push_back(number);
            }
            let Some(number) = flying.pop_front() else { break };
            let v1::SubmitRecordsResponse { number: told, outcome } = next(&mut stream, deadline).await?;
            if told != answered {
                return Err(ClientError::answer(CALL, "the answers are out of order").into());
            }
            answered = answered.saturating_add(1);
            match outcome {
                Some(Outcome::Position(position)) => {
                    let recorded = self.stream_recorded(run, number, position).await?;
                    run.end(number, recorded);
                }
                Some(Outcome::Refusal(refusal)) if refusal.retryable => again = Some(refusal),
                Some(Outcome::Refusal(refusal)) => {
                    run.end(
                        number,
                        RecordOutcome::Refused(Refusal::of_element(refusal, self.shared.language)),
                    );
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

    async fn stream_recorded(
        &self,
        run: &Run<'_>,
        number: usize,
        position: v1::Position,
    ) -> Result<RecordOutcome, ClientError> {
        let Some(Some((outgoing, _))) = run.prepared.get(number) else {
            return Err(ClientError::answer(CALL, "an answer is to nothing that was sent"));
        };
        let (recorded, _) = self.recorded(CALL, outgoing, Some(position)).await?;
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
    fn what_has_an_outcome_is_not_sent_again() {
        let records = crate::plan::tests::records(3);
        let mut run =
            Run { records: &records, prepared: vec![None; 3], outcomes: vec![None; 3], done: 0, refused: 0 };
        let refusal =
            Refusal { reason: "RECORD_EXISTS".to_owned(), message: String::new(), field: None, index: None };
        run.end(1, RecordOutcome::Refused(refusal));
        assert_eq!(run.waiting(), [0, 2]);
        assert_eq!(run.progress(), Progress::Answered { done: 1, refused: 1, total: 3 });
    }
}
