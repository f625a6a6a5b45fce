//! `creditbank record correct`: replaces a record by a corrected one, which says all that the old one said but for the
//! changes.

use super::super::connect::{Caller, client};
use super::super::keys::institution_id;
use super::super::reason::words;
use super::super::recorded::{self, Writing};
use super::super::{Context, signer};
use super::changes::{self, Changes};
use super::record_id;
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::language::Phrase;
use credit_client::{Client, NewCorrection, NewRecord, RecordView, new_record_id};
use credit_types::{CorrectionReason, InstitutionId, KeyPurpose, RecordId};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A correction.
#[derive(Debug, clap::Args)]
pub(crate) struct Correct {
    /// Its issuer, who signs · 颁发机构，即签名者
    #[arg(value_parser = institution_id)]
    issuer: InstitutionId,
    /// Its id: 32 hexadecimal digits · 成果编号，32 位十六进制
    #[arg(value_parser = record_id)]
    record: RecordId,
    /// Why · 原因
    #[arg(long, value_enum, value_name = "REASON")]
    reason: Why,
    /// Words about it; kept sealed, only their commitment is in the log · 说明，加密保存
    #[arg(long, value_name = "TEXT")]
    explanation: Option<String>,
    /// What changes, as TOML with the names of the options below, and more; options go before it · 更正内容文件，选项优先
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What changes · 更正内容
    #[command(flatten)]
    changes: Changes,
    /// Only show what would change; nothing is sent · 只显示更正内容，不提交
    #[arg(long)]
    check: bool,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Why a record is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Why {
    /// A clerical error · 笔误
    Clerical,
    /// A score or grade was revised · 成绩复核更改
    GradeRevised,
    /// The amount was wrong · 学分数有误
    Amount,
    /// The learner's dispute was upheld · 学习者异议成立
    Dispute,
}

impl Why {
    fn noun(self) -> CorrectionReason {
        match self {
            Self::Clerical => CorrectionReason::Clerical,
            Self::GradeRevised => CorrectionReason::GradeRevised,
            Self::Amount => CorrectionReason::Amount,
            Self::Dispute => CorrectionReason::Dispute,
        }
    }
}

/// Replaces a record by a corrected one.
pub(super) async fn run(context: &mut Context, args: Correct) -> Ending {
    let Correct { issuer, record, reason, explanation, file, changes, check, writing } = args;
    let changes = match &file {
        Some(path) => changes.over(from_file(path)?),
        None => changes,
    };
    let signer = signer::institution(context, &issuer, &[KeyPurpose::Records])?;
    let client = client(context, &writing.connect, Caller::Institution(signer))?;
    let view = client.get_record(&issuer, record).await?;
    let after = view.last_status_entry;
    let before = record_of(&view)?;
    let mut corrected = NewRecord { record_id: new_record_id().map_err(no_id)?, ..before.clone() };
    changes.apply(&mut corrected).map_err(|wrong| {
        let problem = context.output.language.of(&wrong.problem).to_owned();
        CommandError::usage(Phrase::ChangeWrong, &[&wrong.field, &problem])
    })?;
    let differences = changes::differences(&before, &corrected);
    if differences.is_empty() {
        return Err(CommandError::usage(Phrase::NothingToCorrect, &[&record]));
    }
    show(context, &differences);
    if check {
        context.output.line(Phrase::CorrectionChecked, &[]);
        context.output.json(&json!({ "changes": document(&differences) }));
        return Ok(Exit::Done);
    }
    let explanation = explanation.as_deref().map(words);
    let correction =
        NewCorrection { after, supersedes: record, reason: reason.noun(), record: corrected, explanation };
    send(context, &client, &issuer, &correction, &writing, &differences).await
}

async fn send(
    context: &Context,
    client: &Client,
    issuer: &InstitutionId,
    correction: &NewCorrection,
    writing: &Writing,
    differences: &[changes::Difference],
) -> Ending {
    let recorded = client.correct_record(correction).await?;
    let (old, new) = (correction.supersedes, correction.record.record_id);
    context.output.line(Phrase::RecordCorrected, &[&old, &new]);
    let told = recorded::tell(context, client, writing, &recorded).await?;
    let more = json!({
        "issuer_id": issuer.as_str(),
        "record_id": new.to_string(),
        "supersedes": old.to_string(),
        "changes": document(differences),
    });
    context.output.json(&recorded::with(told.document, more));
    Ok(told.exit)
}

fn no_id(cause: credit_client::RandomError) -> CommandError {
    CommandError::new(Exit::Unreachable, Phrase::NoRandomness, &[]).because(cause)
}

fn from_file(path: &Path) -> Result<Changes, CommandError> {
    let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
    changes::parse(&text)
        .map_err(|cause| CommandError::usage(Phrase::FileUnusable, &[&path.display()]).because(cause))
}

/// The record as it stands. A correction states all of it anew, so that details which can't be read can't be kept.
fn record_of(view: &RecordView) -> Result<NewRecord, CommandError> {
    let Some(details) = &view.details else {
        return Err(CommandError::new(Exit::Refused, Phrase::DetailsNeeded, &[]));
    };
    let facts = &view.facts;
    Ok(NewRecord {
        account_ref: facts.account_ref,
        record_id: facts.record_id,
        kind: facts.kind,
        amount: facts.amount.clone(),
        minutes: facts.minutes,
        level: facts.level.clone(),
        subject_code: facts.subject_code.clone(),
        occupation_code: facts.occupation_code.clone(),
        awarded_on: facts.awarded_on,
        valid_until: facts.valid_until,
        credit_eligible: facts.credit_eligible,
        details: details.clone(),
    })
}

fn show(context: &Context, differences: &[changes::Difference]) {
    let rows: Vec<Vec<String>> = differences
        .iter()
        .map(|changes::Difference { field, before, after }| {
            vec![(*field).to_owned(), shown(before), shown(after)]
        })
        .collect();
    context.output.table(&[Phrase::ColumnField, Phrase::ColumnBefore, Phrase::ColumnAfter], &rows);
}

fn shown(value: &str) -> String {
    if value.is_empty() { "-".to_owned() } else { value.to_owned() }
}

fn document(differences: &[changes::Difference]) -> Value {
    let one = |difference: &changes::Difference| {
        let changes::Difference { field, before, after } = difference;
        json!({ "field": field, "before": before, "after": after })
    };
    differences.iter().map(one).collect()
}
