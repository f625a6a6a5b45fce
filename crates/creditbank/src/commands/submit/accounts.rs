//! The learners' accounts: found by the issuer's own student numbers, opened where that was asked for.

use super::resume::{Resume, SignedBatch};
use super::send::on;
use crate::ending::{CommandError, unwritable};
use crate::language::Phrase;
use crate::output::Output;
use credit_client::{
    AccountQuery, BatchOptions, BatchPlan, Client, ClientError, LeafOutcome, NewAccount, RESOLVE_MAX,
};
use credit_types::{AccountIdentity, AccountRef, AssuranceLevel, InstitutionId, StudentNumber};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// The columns of the file of account numbers.
const HEADER: [&str; 3] = ["student_number", "account_ref", "account_number"];

/// The learners of one issuer.
pub(super) struct Learners<'a> {
    /// The way to the terminal.
    pub(super) output: Output,
    /// A client that calls as the issuer.
    pub(super) issuer: &'a Client,
    /// The issuer.
    pub(super) id: &'a InstitutionId,
    /// A client that signs as a registrar, where accounts are to be opened.
    pub(super) registrar: Option<&'a Client>,
    /// Where the numbers of accounts that are opened go: learners are told them, and nobody else knows them.
    pub(super) numbers_file: PathBuf,
}

impl Learners<'_> {
    /// The accounts of learners by their numbers at the issuer; those without one are opened if there is a registrar,
    /// else they are missing here.
    pub(super) async fn accounts(
        &self,
        numbers: &BTreeSet<&str>,
        resume: &mut Resume,
    ) -> Result<BTreeMap<String, AccountRef>, CommandError> {
        self.finish_openings(resume).await?;
        let mut found = BTreeMap::new();
        self.resolve(numbers, &mut found).await?;
        let missing: BTreeSet<&str> =
            numbers.iter().copied().filter(|number| !found.contains_key(*number)).collect();
        if let (Some(registrar), false) = (self.registrar, missing.is_empty()) {
            self.open(registrar, &missing, resume).await?;
            // What was opened is asked for like the rest: then all of them are what the ledger says they are.
            self.resolve(&missing, &mut found).await?;
        }
        Ok(found)
    }

    async fn resolve(
        &self,
        numbers: &BTreeSet<&str>,
        found: &mut BTreeMap<String, AccountRef>,
    ) -> Result<(), CommandError> {
        let total = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
        let bar = self.output.progress(Phrase::ProgressResolve, total);
        let all: Vec<&str> = numbers.iter().copied().collect();
        for some in all.chunks(RESOLVE_MAX) {
            let queries: Vec<AccountQuery> =
                some.iter().map(|number| AccountQuery::StudentNumber((*number).to_owned())).collect();
            let accounts = self.issuer.resolve_accounts(&queries).await?;
            let known = some
                .iter()
                .zip(accounts)
                .filter_map(|(number, account)| Some(((*number).to_owned(), account?)));
            found.extend(known);
            bar.inc(u64::try_from(some.len()).unwrap_or(0));
        }
        bar.finish_and_clear();
        Ok(())
    }

    async fn open(
        &self,
        registrar: &Client,
        numbers: &BTreeSet<&str>,
        resume: &mut Resume,
    ) -> Result<(), CommandError> {
        let opening = |number: &&str| NewAccount {
            // The registrar vouches for the institution's word, not for a document that it has seen.
            assurance: AssuranceLevel::None,
            identity: AccountIdentity {
                student_numbers: vec![StudentNumber {
                    institution_id: self.id.clone(),
                    number: (*number).to_owned(),
                }],
                ..AccountIdentity::default()
            },
        };
        let plan = registrar.plan_openings(numbers.iter().map(opening).collect()).await?;
        let inputs: Vec<String> = numbers.iter().map(|number| (*number).to_owned()).collect();
        resume.keep_openings(Some(SignedBatch { plan: plan.to_bytes(), inputs: inputs.clone() }))?;
        self.send(registrar, &plan, &inputs).await?;
        resume.keep_openings(None)
    }

    /// Finishes a batch of openings that an earlier run signed and may have sent in part.
    async fn finish_openings(&self, resume: &mut Resume) -> Result<(), CommandError> {
        let (Some(batch), Some(registrar)) = (resume.openings().cloned(), self.registrar) else {
            return Ok(());
        };
        let plan = BatchPlan::from_bytes(&batch.plan).map_err(ClientError::from)?;
        self.output.note(Phrase::GoesOnOpening, &[&plan.leaf_count()]);
        match self.send(registrar, &plan, &batch.inputs).await {
            Ok(()) => {}
            Err(ClientError::Refused(refusal)) => self.output.note(Phrase::BatchLeft, &[&refusal.reason]),
            Err(error) => return Err(error.into()),
        }
        resume.keep_openings(None)
    }

    async fn send(
        &self,
        registrar: &Client,
        plan: &BatchPlan,
        numbers: &[String],
    ) -> Result<(), ClientError> {
        let bar = self.output.progress(Phrase::ProgressOpen, u64::from(plan.leaf_count()));
        let report = registrar
            .submit_batch(plan, BatchOptions::default(), &mut |progress| on(&bar, &progress))
            .await?;
        bar.finish_and_clear();
        let mut opened = Vec::new();
        let mut refused: BTreeMap<String, u64> = BTreeMap::new();
        for (number, outcome) in numbers.iter().zip(report.outcomes) {
            match outcome {
                LeafOutcome::Accepted { index: _, position: _, opened: account } => {
                    opened.extend(account.map(|(account, told)| [number.clone(), account.to_string(), told]));
                }
                LeafOutcome::Refused { position: _, refusal } => {
                    let count = refused.entry(refusal.reason).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        for (reason, count) in &refused {
            self.output.note(Phrase::OpeningsRefused, &[count, reason]);
        }
        if opened.is_empty() {
            return Ok(());
        }
        self.output.note(Phrase::AccountsOpened, &[&opened.len(), &self.numbers_file.display()]);
        // Losing the numbers would be worse than a list on the terminal's error stream: learners can't be told otherwise.
        if let Err(error) = self.keep_numbers(&opened) {
            self.output.error(&error);
        }
        Ok(())
    }

    /// Adds to the file of account numbers, which only its owner may read.
    fn keep_numbers(&self, opened: &[[String; 3]]) -> Result<(), CommandError> {
        let path = &self.numbers_file;
        let begins = !path.exists();
        let file =
            OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(unwritable(path))?;
        let failed = |cause: csv::Error| unwritable(path)(std::io::Error::other(cause));
        let mut rows = csv::Writer::from_writer(&file);
        if begins {
            rows.write_record(HEADER).map_err(failed)?;
        }
        for row in opened {
            rows.write_record(row).map_err(failed)?;
        }
        rows.flush().map_err(unwritable(path))?;
        drop(rows);
        file.sync_all().map_err(unwritable(path))
    }
}
