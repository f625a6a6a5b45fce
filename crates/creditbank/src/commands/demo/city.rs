//! The invented city goes to work: its institutions, its learners, their year.

use super::super::connect::{Caller, Connect, client};
use super::super::institution::admit_generated;
use super::super::{Context, signer};
use super::failed;
use crate::ending::CommandError;
use crate::language::Phrase;
use crate::sample::{Sample, Year as Drawn, YearPlan};
use credit_client::{
    BatchOptions, Client, LeafOutcome, NewAccount, NewRecord, Progress, RecordOutcome, new_record_id,
};
use credit_service::clock::Clock;
use credit_types::{AccountRef, CivilDate, InstitutionId, KeyPurpose, RecordKind, Role};
use std::collections::{BTreeMap, BTreeSet};

/// Minutes east of UTC of the city's dates.
const OFFSET_MINUTES: i32 = 480;
/// Records that go through the stream.
const STREAMED: usize = 200;

/// The city and its year.
pub(in super::super) struct Year {
    sample: Sample,
    plan: YearPlan,
    connect: Connect,
}

/// How many records went in, by the way they took.
#[derive(Default)]
pub(super) struct Submitted {
    pub(super) single: usize,
    pub(super) streamed: usize,
    pub(super) batched: usize,
    pub(super) refused: usize,
}

fn undrawn<E: Into<anyhow::Error>>(cause: E) -> CommandError {
    failed("示例数据不可用", "the sample data can't be used")(cause)
}

impl Year {
    /// Draws the year that ends today.
    pub(in super::super) fn of(
        seed: u64,
        learners: u32,
        records: u64,
        url: &str,
    ) -> Result<Self, CommandError> {
        let sample = Sample::load().map_err(undrawn)?;
        let today = CivilDate::at(Clock::default().now_us(), OFFSET_MINUTES).map_err(undrawn)?;
        let plan = YearPlan { seed, learners, records, ends_on: today };
        Ok(Self { sample, plan, connect: Connect { url: url.to_owned(), trust: None } })
    }

    /// Count of records of the year.
    pub(in super::super) fn records(&self) -> u64 {
        self.plan.records
    }

    /// The year's records, in order.
    pub(in super::super) fn drawn(&self) -> Result<Drawn<'_>, CommandError> {
        Drawn::new(&self.sample, self.plan).map_err(undrawn)
    }

    /// Publishes the frameworks and admits the institutions; gives how many there are of each.
    pub(in super::super) async fn found(
        &self,
        context: &mut Context,
    ) -> Result<(usize, usize), CommandError> {
        let authority = signer::authority(context, &[])?;
        let client = client(context, &self.connect, Caller::Anybody)?;
        for framework in &self.sample.frameworks {
            client.publish_framework(&authority, framework).await?;
        }
        for admission in &self.sample.institutions {
            admit_generated(context, &client, &authority, admission.clone()).await?;
        }
        Ok((self.sample.frameworks.len(), self.sample.institutions.len()))
    }

    /// A client that signs for an institution.
    pub(in super::super) fn institution(
        &self,
        context: &mut Context,
        id: &InstitutionId,
        purpose: KeyPurpose,
    ) -> Result<Client, CommandError> {
        let signer = signer::institution(context, id, &[purpose])?;
        client(context, &self.connect, Caller::Institution(signer))
    }

    /// Opens every learner's account in one signed batch; gives the accounts in the learners' order.
    pub(in super::super) async fn open_accounts(
        &self,
        context: &mut Context,
    ) -> Result<Vec<AccountRef>, CommandError> {
        let registrar = self.sample.institutions.iter().find(|one| one.roles.contains(&Role::Registrar));
        let Some(registrar) = registrar else {
            return Err(undrawn(anyhow::anyhow!("the city has no registrar")));
        };
        let client = self.institution(context, &registrar.institution_id, KeyPurpose::Registry)?;
        let mut openings = Vec::new();
        for learner in self.drawn()?.learners() {
            let learner = learner.map_err(undrawn)?;
            openings.push(NewAccount { assurance: learner.assurance, identity: learner.identity });
        }
        let plan = client.plan_openings(openings).await?;
        let report = self.send(context, &client, &plan).await?;
        report
            .into_iter()
            .map(|outcome| match outcome {
                LeafOutcome::Accepted { opened: Some((account, _)), .. } => Ok(account),
                LeafOutcome::Accepted { .. } | LeafOutcome::Refused { .. } => {
                    Err(undrawn(anyhow::anyhow!("an opening was not accepted: {outcome:?}")))
                }
            })
            .collect()
    }

    async fn send(
        &self,
        context: &Context,
        client: &Client,
        plan: &credit_client::BatchPlan,
    ) -> Result<Vec<LeafOutcome>, CommandError> {
        let bar = context.output.progress(Phrase::ProgressSubmit, u64::from(plan.leaf_count()));
        let mut listener = |progress: Progress| {
            if let Progress::Answered { done, .. } = progress {
                bar.set_position(done);
            }
        };
        let report = client.submit_batch(plan, BatchOptions::default(), &mut listener).await;
        bar.finish_and_clear();
        Ok(report?.outcomes)
    }

    /// Submits the year: one of each kind alone with its receipt, some through a stream, the rest in batches.
    pub(super) async fn submit(
        &self,
        context: &mut Context,
        accounts: &[AccountRef],
    ) -> Result<Submitted, CommandError> {
        let mut by_issuer: BTreeMap<InstitutionId, Vec<NewRecord>> = BTreeMap::new();
        let mut alone: Vec<(InstitutionId, NewRecord)> = Vec::new();
        let mut kinds: BTreeSet<RecordKind> = BTreeSet::new();
        for record in self.drawn()? {
            let record = record.map_err(undrawn)?;
            let Some(account) = usize::try_from(record.learner).ok().and_then(|at| accounts.get(at)) else {
                continue;
            };
            let new = new_record(*account, record.draft).map_err(undrawn)?;
            if kinds.insert(new.kind) {
                alone.push((record.issuer, new));
            } else {
                by_issuer.entry(record.issuer).or_default().push(new);
            }
        }
        let mut told = Submitted::default();
        for (issuer, record) in alone {
            self.institution(context, &issuer, KeyPurpose::Records)?.submit_record(&record).await?;
            told.single = told.single.saturating_add(1);
        }
        self.stream_some(context, &mut by_issuer, &mut told).await?;
        for (issuer, records) in by_issuer {
            if records.is_empty() {
                continue;
            }
            let client = self.institution(context, &issuer, KeyPurpose::Records)?;
            let plan = client.plan_records(records).await?;
            for outcome in self.send(context, &client, &plan).await? {
                match outcome {
                    LeafOutcome::Accepted { .. } => told.batched = told.batched.saturating_add(1),
                    LeafOutcome::Refused { .. } => told.refused = told.refused.saturating_add(1),
                }
            }
        }
        Ok(told)
    }

    /// Takes some records of the busiest issuer through the stream.
    async fn stream_some(
        &self,
        context: &mut Context,
        by_issuer: &mut BTreeMap<InstitutionId, Vec<NewRecord>>,
        told: &mut Submitted,
    ) -> Result<(), CommandError> {
        let Some((issuer, records)) = by_issuer.iter_mut().max_by_key(|(_, records)| records.len()) else {
            return Ok(());
        };
        let some: Vec<NewRecord> = records.drain(..STREAMED.min(records.len())).collect();
        let client = self.institution(context, issuer, KeyPurpose::Records)?;
        for outcome in client.submit_records(&some, &mut |_| {}).await? {
            match outcome {
                RecordOutcome::Recorded(_) => told.streamed = told.streamed.saturating_add(1),
                RecordOutcome::Refused(_) => told.refused = told.refused.saturating_add(1),
            }
        }
        Ok(())
    }

    /// Where the ledger is served.
    pub(super) fn connect(&self) -> &Connect {
        &self.connect
    }
}

/// What a drawn record is to the client.
pub(in super::super) fn new_record(
    account_ref: AccountRef,
    draft: crate::mapping::DraftRecord,
) -> Result<NewRecord, credit_client::RandomError> {
    Ok(NewRecord {
        account_ref,
        record_id: new_record_id()?,
        kind: draft.kind,
        amount: draft.amount,
        minutes: draft.minutes,
        level: draft.level,
        subject_code: draft.subject_code,
        occupation_code: draft.occupation_code,
        awarded_on: draft.awarded_on,
        valid_until: draft.valid_until,
        credit_eligible: draft.credit_eligible,
        details: draft.details,
    })
}
