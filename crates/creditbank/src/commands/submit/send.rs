//! Sends records: as one batch that can be gone on with, one by one, or as a stream.

use super::outcome::{Outcome, Outcomes, of_refusal};
use super::resume::{Resume, SignedBatch};
use crate::ending::CommandError;
use crate::language::Phrase;
use crate::output::Output;
use credit_client::{
    BatchOptions, BatchPlan, Client, ClientError, LeafOutcome, NewRecord, Progress, RecordOutcome,
};
use credit_types::RecordId;
use futures_util::StreamExt as _;
use indicatif::ProgressBar;

/// Single statements that are under way at once.
const AT_ONCE: usize = 16;
/// Records of one stream.
const STREAM_RECORDS: usize = 4_096;

/// Sends records of one issuer.
pub(super) struct Sending<'a> {
    /// The way to the terminal.
    pub(super) output: Output,
    /// A client that signs as the issuer.
    pub(super) issuer: &'a Client,
}

/// Moves a progress bar.
pub(super) fn on(bar: &ProgressBar, progress: &Progress) {
    match progress {
        Progress::Opened { chunks: _, next_chunk: _ } => {}
        Progress::Answered { done, refused: _, total } | Progress::Verified { done, total } => {
            bar.set_length(*total);
            bar.set_position(*done);
        }
        Progress::Retrying { tries: _, pause: _, reason } => bar.set_message(reason.clone()),
    }
}

impl Sending<'_> {
    /// Finishes a batch that an earlier run signed and may have sent in part; says whether there was one. A batch that
    /// can't be finished any more is left: its records are asked for one by one.
    pub(super) async fn finish_batch(
        &self,
        resume: &mut Resume,
        outcomes: &mut Outcomes,
    ) -> Result<bool, CommandError> {
        let began_openings = resume.openings().is_some();
        let Some(SignedBatch { plan, inputs }) = resume.records().cloned() else { return Ok(began_openings) };
        let plan = BatchPlan::from_bytes(&plan).map_err(ClientError::from)?;
        self.output.note(Phrase::GoesOn, &[&plan.leaf_count()]);
        match self.send_plan(&plan, &inputs, outcomes).await {
            Ok(()) => {}
            Err(ClientError::Refused(refusal)) => {
                self.output.note(Phrase::BatchLeft, &[&refusal.reason]);
            }
            Err(error) => return Err(error.into()),
        }
        resume.keep_records(None)?;
        Ok(true)
    }

    /// Sends records as one signed batch.
    pub(super) async fn batch(
        &self,
        records: Vec<NewRecord>,
        resume: &mut Resume,
        outcomes: &mut Outcomes,
    ) -> Result<(), CommandError> {
        if records.is_empty() {
            return Ok(());
        }
        let ids: Vec<RecordId> = records.iter().map(|record| record.record_id).collect();
        let plan = self.issuer.plan_records(records).await?;
        let kept = SignedBatch { plan: plan.to_bytes(), inputs: ids };
        resume.keep_records(Some(kept.clone()))?;
        self.send_plan(&plan, &kept.inputs, outcomes).await?;
        resume.keep_records(None)
    }

    async fn send_plan(
        &self,
        plan: &BatchPlan,
        ids: &[RecordId],
        outcomes: &mut Outcomes,
    ) -> Result<(), ClientError> {
        let bar = self.output.progress(Phrase::ProgressSubmit, u64::from(plan.leaf_count()));
        let report = self
            .issuer
            .submit_batch(plan, BatchOptions::default(), &mut |progress| on(&bar, &progress))
            .await?;
        bar.finish_and_clear();
        for (id, outcome) in ids.iter().zip(report.outcomes) {
            let outcome = match outcome {
                LeafOutcome::Accepted { index, position: _, opened: _ } => Outcome::Accepted(index),
                LeafOutcome::Refused { position: _, refusal } => of_refusal(refusal),
            };
            outcomes.insert(*id, outcome);
        }
        Ok(())
    }

    /// Sends records one by one, a few at once. Each has its outcome as soon as it is known.
    pub(super) async fn single(
        &self,
        records: &[NewRecord],
        outcomes: &mut Outcomes,
    ) -> Result<(), CommandError> {
        let total = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let bar = self.output.progress(Phrase::ProgressSubmit, total);
        let sent = records.iter().map(|record| async {
            let outcome = match self.issuer.submit_record(record).await {
                Ok(recorded) => Outcome::Accepted(recorded.index),
                Err(ClientError::Refused(refusal)) => of_refusal(*refusal),
                Err(error) => return Err(error),
            };
            Ok((record.record_id, outcome))
        });
        let mut answers = futures_util::stream::iter(sent).buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            let (id, outcome) = answer?;
            outcomes.insert(id, outcome);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Sends records as streams of signed statements.
    pub(super) async fn stream(
        &self,
        records: &[NewRecord],
        outcomes: &mut Outcomes,
    ) -> Result<(), CommandError> {
        for some in records.chunks(STREAM_RECORDS) {
            let bar =
                self.output.progress(Phrase::ProgressSubmit, u64::try_from(some.len()).unwrap_or(u64::MAX));
            let answers = self.issuer.submit_records(some, &mut |progress| on(&bar, &progress)).await?;
            bar.finish_and_clear();
            for (record, answer) in some.iter().zip(answers) {
                let outcome = match answer {
                    RecordOutcome::Recorded(recorded) => Outcome::Accepted(recorded.index),
                    RecordOutcome::Refused(refusal) => of_refusal(refusal),
                };
                outcomes.insert(record.record_id, outcome);
            }
        }
        Ok(())
    }
}
