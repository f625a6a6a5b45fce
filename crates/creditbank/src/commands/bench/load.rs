//! Brings the year's records to the server, some each signed on a stream, the rest in batches.

use super::super::Context;
use super::super::demo::city::{Year, new_record};
use super::{rate, unmeasured};
use crate::ending::CommandError;
use crate::language::Phrase;
use credit_client::{BatchOptions, LeafOutcome, NewRecord, RecordOutcome};
use credit_service::clock::instant;
use credit_types::{AccountRef, InstitutionId, KeyPurpose};
use std::collections::BTreeMap;
use std::time::Duration;

/// Records held in memory at once.
const WINDOW: usize = 50_000;
/// Of the first window, the records that go one by one.
const STREAMED_MAX: usize = 5_000;

/// What the load was and how long it took.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) streamed: u64,
    stream_time: Duration,
    pub(super) batched: u64,
    plan_time: Duration,
    send_time: Duration,
    pub(super) refused: u64,
}

impl Loaded {
    pub(super) fn stream_rate(&self) -> u64 {
        rate(self.streamed, self.stream_time)
    }

    pub(super) fn live_rate(&self) -> u64 {
        rate(self.batched, self.plan_time.saturating_add(self.send_time))
    }

    pub(super) fn beforehand_rate(&self) -> u64 {
        rate(self.batched, self.send_time)
    }
}

/// Submits every record of the year.
pub(super) async fn run(
    context: &mut Context,
    year: &Year,
    accounts: &[AccountRef],
) -> Result<Loaded, CommandError> {
    let mut loaded = Loaded::default();
    let bar = context.output.progress(Phrase::ProgressSubmit, year.records());
    let mut records = year.drawn()?;
    loop {
        let mut window: BTreeMap<InstitutionId, Vec<NewRecord>> = BTreeMap::new();
        let mut count = 0usize;
        for record in records.by_ref().take(WINDOW) {
            let record = record.map_err(unmeasured)?;
            let account = usize::try_from(record.learner).ok().and_then(|at| accounts.get(at));
            let Some(account) = account else { continue };
            let new = new_record(*account, record.draft).map_err(unmeasured)?;
            window.entry(record.issuer).or_default().push(new);
            count = count.saturating_add(1);
        }
        if count == 0 {
            break;
        }
        for (issuer, mut records) in window {
            let client = year.institution(context, &issuer, KeyPurpose::Records)?;
            let room = STREAMED_MAX.saturating_sub(usize::try_from(loaded.streamed).unwrap_or(usize::MAX));
            if room > 0 {
                let some: Vec<NewRecord> = records.drain(..room.min(records.len())).collect();
                let began = instant();
                let outcomes = client.submit_records(&some, &mut |_| {}).await?;
                loaded.stream_time = loaded.stream_time.saturating_add(began.elapsed());
                for outcome in outcomes {
                    match outcome {
                        RecordOutcome::Recorded(_) => loaded.streamed = loaded.streamed.saturating_add(1),
                        RecordOutcome::Refused(_) => loaded.refused = loaded.refused.saturating_add(1),
                    }
                }
            }
            if !records.is_empty() {
                batch(&client, records, &mut loaded).await?;
            }
            bar.set_position(loaded.streamed.saturating_add(loaded.batched));
        }
    }
    bar.finish_and_clear();
    Ok(loaded)
}

async fn batch(
    client: &credit_client::Client,
    records: Vec<NewRecord>,
    loaded: &mut Loaded,
) -> Result<(), CommandError> {
    let began = instant();
    let plan = client.plan_records(records).await?;
    loaded.plan_time = loaded.plan_time.saturating_add(began.elapsed());
    let began = instant();
    // Receipts are what `verify` is for; here the ledger's own pace is wanted.
    let report = client.submit_batch(&plan, BatchOptions { verify: false }, &mut |_| {}).await?;
    loaded.send_time = loaded.send_time.saturating_add(began.elapsed());
    for outcome in report.outcomes {
        match outcome {
            LeafOutcome::Accepted { .. } => loaded.batched = loaded.batched.saturating_add(1),
            LeafOutcome::Refused { .. } => loaded.refused = loaded.refused.saturating_add(1),
        }
    }
    Ok(())
}
