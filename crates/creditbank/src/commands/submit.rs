//! `creditbank submit`: deposits the records of an institution's spreadsheet.
//!
//! Every row is checked before any is sent. Record ids come from the rows' keys, so that a file imported twice, or
//! again after a crash, names the same records: what is in the ledger already is said to be there and changes nothing.

mod accounts;
mod check;
mod known;
mod outcome;
mod results;
mod resume;
mod row_key;
mod rows;
mod send;

use super::Context;
use super::connect::{Caller, Connect, client};
use super::keys::institution_id;
use super::signer;
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::language::Phrase;
use crate::mapping::{MAPPING_BYTES_MAX, Mapping};
use credit_types::{InstitutionId, KeyPurpose};
use outcome::Outcomes;
use results::{RowResult, RowStatus};
use resume::Resume;
use rows::Sheet;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bad rows named on the terminal; the results file names all.
const BAD_SHOWN_MAX: usize = 20;

/// Deposits records.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples · 示例:\n  \
        creditbank submit --as cn.yunjiang.openuniv --csv semester.csv --mapping ledger-data/mappings/semester.toml --check\n  \
        creditbank submit --as cn.yunjiang.openuniv --csv semester.csv --mapping semester.toml --skip-bad --open-accounts --registrar cn.yunjiang.creditbank")]
pub(crate) struct Args {
    /// The issuer that signs · 签名的颁发机构
    #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
    issuer: InstitutionId,
    /// The spreadsheet: CSV in UTF-8 or GB18030 · 表格，UTF-8 或 GB18030 编码的 CSV
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// What its columns mean · 列映射文件
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// One signed batch, single statements, or a stream of them · 一次签名的批次、逐条、或流式
    #[arg(long, value_enum, value_name = "MODE", default_value = "batch")]
    mode: Mode,
    /// Where the results go; by default beside the spreadsheet · 结果文件，缺省与表格同目录
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Only check the rows; nothing is sent · 只检查，不提交
    #[arg(long)]
    check: bool,
    /// Send the good rows even where some are bad · 有错误行时仍提交其余行
    #[arg(long)]
    skip_bad: bool,
    /// Open accounts for learners who have none · 为没有账户的学习者开户
    #[arg(long, requires = "registrar")]
    open_accounts: bool,
    /// The registrar that signs openings · 为开户签名的登记机构
    #[arg(long, value_name = "ID", value_parser = institution_id)]
    registrar: Option<InstitutionId>,
    /// What may be new · 允许新用的
    #[command(flatten)]
    new: row_key::New,
    /// Where the ledger is · 账本所在
    #[command(flatten)]
    connect: Connect,
}

/// How records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// One signature over all · 一次签名
    Batch,
    /// One call a record · 逐条调用
    Single,
    /// One stream of signed records · 流式提交
    Stream,
}

/// Deposits the records of a spreadsheet.
pub(crate) async fn run(context: &mut Context, args: Args) -> Ending {
    let mapping_text = mapping_text(&args.mapping)?;
    let mapping = Mapping::parse(&mapping_text).map_err(|cause| {
        CommandError::usage(Phrase::FileUnusable, &[&args.mapping.display()]).because(cause)
    })?;
    let row_key = row_key::RowKey::of(context, &args.issuer, &mapping)?;
    // An id with a slip of the hand has no keys here; that is to be said rather than that its row key is missing.
    let signs = signer::key_path(context, &args.issuer, KeyPurpose::Records);
    // What would make other records of rows that are records already is said before anything is read.
    match (row_key.doubt(args.new), signs) {
        (_, Err(unsigned)) if !args.check => return Err(unsigned),
        (Some(doubt), Ok(_)) if args.check => context.output.note_text(&doubt.text),
        (Some(doubt), Ok(_)) => return Err(doubt),
        (None, Ok(_)) | (_, Err(_)) => {}
    }
    let (csv_hash, breaks) = rows::fingerprint(&args.csv)?;
    let bar = context.output.progress(Phrase::ProgressRead, breaks);
    let mut sheet = rows::read(&args.csv, &mapping, |line| bar.set_position(line))?;
    check::rows(&mut sheet);
    bar.finish_and_clear();
    let counts = sheet.counts();
    let encoding = sheet.encoding;
    context.output.line(Phrase::RowsRead, &[&counts.records, &counts.not_credit, &counts.bad, &encoding]);
    show_bad(context, &sheet);
    let results = args.results.clone().unwrap_or_else(|| results::default_path(&args.csv));
    let stops = counts.bad > 0 && !args.skip_bad;
    if args.check || stops {
        results::write(&results, &outcome::rows(&sheet, &Outcomes::new()))?;
        let phrase = if stops && !args.check { Phrase::NothingSent } else { Phrase::OnlyChecked };
        context.output.line(phrase, &[&results.display()]);
        return Ok(finish(context, &sheet, None, &results));
    }
    let secret = row_key.open(context)?;
    sheet.name(&secret);
    let names =
        [csv_hash.as_slice(), mapping_text.as_bytes(), args.issuer.as_str().as_bytes(), secret.as_slice()];
    let mut outcomes = Outcomes::new();
    let sent = submit(context, &args, &sheet, &results, Resume::name(&names), &mut outcomes).await;
    // What is known is kept, whatever came after it.
    results::write(&results, &outcome::rows(&sheet, &outcomes))?;
    if let Err(error) = sent {
        context.output.note(Phrase::RunAgain, &[&results.display()]);
        return Err(error);
    }
    Ok(finish(context, &sheet, Some(&outcomes), &results))
}

/// Sends what is to be sent, and gathers what becomes of it.
async fn submit(
    context: &mut Context,
    args: &Args,
    sheet: &Sheet,
    results: &Path,
    name: [u8; 32],
    outcomes: &mut Outcomes,
) -> Result<(), CommandError> {
    let signer = signer::institution(context, &args.issuer, &[KeyPurpose::Records])?;
    let issuer = client(context, &args.connect, Caller::Institution(signer))?;
    let registrar = match args.registrar.as_ref().filter(|_| args.open_accounts) {
        Some(id) => {
            let signer = signer::institution(context, id, &[KeyPurpose::Registry])?;
            Some(client(context, &args.connect, Caller::Institution(signer))?)
        }
        None => None,
    };
    let mut resume = Resume::open(results, name)?;
    let sending = send::Sending { output: context.output, issuer: &issuer };
    let resumed = sending.finish_batch(&mut resume, outcomes).await?;
    let learners = accounts::Learners {
        output: context.output,
        issuer: &issuer,
        id: &args.issuer,
        registrar: registrar.as_ref(),
        numbers_file: results.with_extension("accounts.csv"),
    };
    let found = learners.accounts(&sheet.learners(), &mut resume).await?;
    let known = known::Known { output: context.output, issuer: &issuer, id: &args.issuer };
    known.before_sending(sheet, resumed, outcomes).await?;
    let records = outcome::unsent(sheet, &found, outcomes);
    match args.mode {
        Mode::Batch => sending.batch(records, &mut resume, outcomes).await?,
        Mode::Single => sending.single(&records, outcomes).await?,
        Mode::Stream => sending.stream(&records, outcomes).await?,
    }
    known.after_sending(sheet, outcomes).await?;
    resume.remove()
}

fn mapping_text(path: &Path) -> Result<String, CommandError> {
    let most = u64::try_from(MAPPING_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable(path))?;
    file.take(most).read_to_string(&mut text).map_err(unreadable(path))?;
    Ok(text)
}

fn show_bad(context: &Context, sheet: &Sheet) {
    let bad: Vec<RowResult> = outcome::rows(sheet, &Outcomes::new())
        .into_iter()
        .filter(|result| result.status == RowStatus::Bad)
        .collect();
    for RowResult { line, reason, message, .. } in bad.iter().take(BAD_SHOWN_MAX) {
        context.output.note(Phrase::BadRow, &[line, reason, &context.output.language.of(message)]);
    }
    let more = bad.len().saturating_sub(BAD_SHOWN_MAX);
    if more > 0 {
        context.output.note(Phrase::MoreBadRows, &[&more]);
    }
}

/// Says how many rows came to what, and gives the exit code. Without outcomes nothing was sent, and there is nothing to
/// count but what was said of the rows before.
fn finish(context: &Context, sheet: &Sheet, outcomes: Option<&Outcomes>, results: &Path) -> Exit {
    let rows = outcome::rows(sheet, outcomes.unwrap_or(&Outcomes::new()));
    let mut statuses: BTreeMap<RowStatus, u64> = BTreeMap::new();
    let mut reasons: BTreeMap<(RowStatus, String), u64> = BTreeMap::new();
    for row in &rows {
        let count = statuses.entry(row.status).or_default();
        *count = count.saturating_add(1);
        if !row.reason.is_empty() {
            let count = reasons.entry((row.status, row.reason.clone())).or_default();
            *count = count.saturating_add(1);
        }
    }
    let of = |status| statuses.get(&status).copied().unwrap_or(0);
    let [accepted, already, refused, not_credit, bad] =
        [RowStatus::Accepted, RowStatus::Already, RowStatus::Refused, RowStatus::NotCredit, RowStatus::Bad]
            .map(of);
    let output = &context.output;
    if outcomes.is_some() {
        output.line(Phrase::SubmitSummary, &[&accepted, &already, &refused, &not_credit, &bad]);
    }
    let table: Vec<Vec<String>> = reasons
        .iter()
        .map(|((status, reason), count)| vec![status.name().to_owned(), reason.clone(), count.to_string()])
        .collect();
    if !table.is_empty() {
        output.table(&[Phrase::ColumnStatus, Phrase::ColumnReason, Phrase::ColumnRows], &table);
    }
    if outcomes.is_some() {
        output.line(Phrase::ResultsIn, &[&results.display()]);
    }
    let reasons: BTreeMap<&String, u64> =
        reasons.iter().map(|((_, reason), count)| (reason, *count)).collect();
    output.json(&serde_json::json!({
        "rows": rows.len(),
        "accepted": accepted,
        "already": already,
        "refused": refused,
        "not_credit": not_credit,
        "bad": bad,
        "reasons": reasons,
        "results": results.display().to_string(),
    }));
    if refused > 0 || bad > 0 { Exit::Refused } else { Exit::Done }
}
