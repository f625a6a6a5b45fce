//! `creditbank record`: shows records, corrects, revokes, suspends and reinstates them.

mod bundle;
mod changes;
mod correct;

use super::Context;
use super::account::digest;
use super::connect::{Caller, Reading, client, reader};
use super::keys::institution_id;
use super::labels::{self, bucket, bucket_code, record_kind, record_status, record_status_code};
use super::reason::Grounds;
use super::recorded::{self, Writing};
use super::signer;
use super::token::{Bearer, account_ref};
use crate::ending::{Ending, Exit};
use crate::language::Phrase;
use crate::mapping::RECORD_KINDS;
use crate::output::thousandths;
use credit_client::{NewStatusChange, RecordView};
use credit_types::{
    AccountRef, Amount, CivilDate, Digest, InstitutionId, KeyPurpose, RecordAction, RecordId,
};
use serde_json::{Value, json};

/// Records asked for at once.
const PAGE: u32 = 1_000;

/// Commands about records.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show a record · 查看一条学习成果
    #[command(
        after_help = "Examples · 示例:\n  creditbank record show cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd"
    )]
    Show {
        /// Its issuer · 颁发机构
        #[arg(value_parser = institution_id)]
        issuer: InstitutionId,
        /// Its id: 32 hexadecimal digits · 成果编号，32 位十六进制
        #[arg(value_parser = record_id)]
        record: RecordId,
        /// Who reads · 读取身份
        #[command(flatten)]
        reading: Reading,
    },
    /// Keep a record's proofs in one file, to hand on · 把成果的全部证明存成一个文件
    #[command(
        after_help = "Examples · 示例:\n  creditbank record bundle cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd my.bundle --disclose-details"
    )]
    Bundle(bundle::Args),
    /// List an account's records · 列出账户的学习成果
    #[command(after_help = "Examples · 示例:\n  creditbank record list 00112233445566778899aabbccddeeff")]
    List {
        /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
        #[arg(value_parser = account_ref)]
        account: AccountRef,
        /// Open the details too · 同时显示明细
        #[arg(long)]
        details: bool,
        /// Who reads · 读取身份
        #[command(flatten)]
        reading: Reading,
    },
    /// Replace a record by a corrected one · 更正，以新成果替代
    #[command(
        after_help = "Examples · 示例:\n  creditbank record correct cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd --reason grade-revised --score 88\n  \
                      creditbank record correct cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd --reason amount --credits 3 --check\n  \
                      creditbank record correct cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd --reason clerical --file changes.toml --receipt corrected.receipt\n\n\
                      A file of changes · 更正内容文件:\n  title_zh = \"基础会计学\"\n  score = \"88.5\"\n  valid_until = \"\""
    )]
    Correct(Box<correct::Correct>),
    /// Revoke a record, for ever · 吊销，不可恢复
    #[command(
        after_help = "Examples · 示例:\n  creditbank record revoke cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd --reason issued-in-error"
    )]
    Revoke(Change),
    /// Suspend a record · 暂停
    #[command(
        after_help = "Examples · 示例:\n  creditbank record suspend cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd --reason investigation"
    )]
    Suspend(Change),
    /// Reinstate a suspended record · 恢复
    #[command(
        after_help = "Examples · 示例:\n  creditbank record reinstate cn.yunjiang.openuniv 0199f0a0c0de8000800000000000abcd --reason resolved"
    )]
    Reinstate(Change),
}

/// A change of a record's status.
#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// Its issuer · 颁发机构
    #[arg(value_parser = institution_id)]
    issuer: InstitutionId,
    /// Its id: 32 hexadecimal digits · 成果编号，32 位十六进制
    #[arg(value_parser = record_id)]
    record: RecordId,
    /// Who signs, where it is a regulator and not the issuer · 签名的监管机构，缺省为颁发机构
    #[arg(long = "as", value_name = "ID", value_parser = institution_id, requires_all = ["account", "order_ref"])]
    institution: Option<InstitutionId>,
    /// Why · 原因
    #[command(flatten)]
    grounds: Grounds,
    /// Day from which it holds · 生效日期
    #[arg(long, value_name = "DATE")]
    effective_from: Option<CivilDate>,
    /// Account of the record, for who may not read it · 成果所属账户
    #[arg(long, value_name = "ACCOUNT", value_parser = account_ref)]
    account: Option<AccountRef>,
    /// Leaf hash of the record's last status entry, for who may not read it · 最近一次状态条目的叶哈希
    #[arg(long, value_name = "HASH", value_parser = digest)]
    after: Option<Digest>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Reads a record's id: 32 hexadecimal digits of a UUIDv7 or UUIDv8.
pub(crate) fn record_id(text: &str) -> Result<RecordId, String> {
    let plain = text.replace('-', "");
    labels::unhex(&plain)
        .and_then(|bytes| RecordId::from_uuid(&bytes).ok())
        .ok_or_else(|| "32 hexadecimal digits of a UUIDv7 or UUIDv8".to_owned())
}

/// Runs a command about records.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Show { issuer, record, reading } => show(context, &issuer, record, &reading).await,
        Command::Bundle(args) => bundle::run(context, args).await,
        Command::List { account, details, reading } => list(context, account, details, &reading).await,
        Command::Correct(args) => correct::run(context, *args).await,
        Command::Revoke(change) => self::change(context, change, RecordAction::Revoke).await,
        Command::Suspend(change) => self::change(context, change, RecordAction::Suspend).await,
        Command::Reinstate(change) => self::change(context, change, RecordAction::Reinstate).await,
    }
}

async fn show(context: &mut Context, issuer: &InstitutionId, record: RecordId, reading: &Reading) -> Ending {
    let client = reader(context, reading, &Bearer::Auditor)?;
    let view = client.get_record(issuer, record).await?;
    client.prove_record(&view).await?;
    let output = &context.output;
    let language = output.language;
    let (kind, status) = (record_kind(view.facts.kind), record_status(view.status));
    output.line(Phrase::RecordShown, &[&record, issuer, &language.of(&kind), &language.of(&status)]);
    output.line(
        Phrase::RecordFacts,
        &[&amount(view.facts.amount.as_ref()), &view.facts.awarded_on, &view.facts.account_ref, &view.index],
    );
    match &view.details {
        Some(details) => {
            let title = language.of(&details.title);
            let score = details.score_milli.map(thousandths).unwrap_or_default();
            output.line(
                Phrase::RecordDetails,
                &[&title, &details.catalogue_ref, &score, &details.certificate_no],
            );
            output.line(Phrase::DetailsProved, &[]);
        }
        // Every deposit has a code, and what an application grants has none.
        None if view.facts.subject_code.is_empty() && view.facts.occupation_code.is_empty() => {
            output.line(Phrase::RecordGrantedShown, &[]);
        }
        None => output.line(Phrase::DetailsNotShown, &[]),
    }
    if let Some(corrected) = view.superseded_by {
        output.line(Phrase::RecordSupersededBy, &[&corrected]);
    }
    let proved = json!({ "details_proved": view.details.is_some() });
    output.json(&recorded::with(document(&view), proved));
    Ok(Exit::Done)
}

async fn list(context: &mut Context, account: AccountRef, details: bool, reading: &Reading) -> Ending {
    let client = reader(context, reading, &Bearer::Auditor)?;
    let (mut token, mut found) = (String::new(), Vec::new());
    loop {
        let page = client.list_records(Some(account), PAGE, &token, details).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => token = next,
            None => break,
        }
    }
    let language = context.output.language;
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|view| {
            let title = view.details.as_ref().map(|details| language.of(&details.title).to_owned());
            vec![
                view.facts.record_id.to_string(),
                view.issuer_id.to_string(),
                language.of(&record_kind(view.facts.kind)).to_owned(),
                amount(view.facts.amount.as_ref()),
                view.facts.awarded_on.to_string(),
                language.of(&bucket(view.bucket)).to_owned(),
                title.unwrap_or_default(),
            ]
        })
        .collect();
    let header = [
        Phrase::ColumnRecord,
        Phrase::ColumnIssuer,
        Phrase::ColumnKind,
        Phrase::ColumnAmount,
        Phrase::ColumnAwarded,
        Phrase::ColumnBucket,
        Phrase::ColumnTitle,
    ];
    context.output.table(&header, &rows);
    let documents: Vec<Value> = found.iter().map(document).collect();
    context.output.json(&json!({ "account_ref": account.to_string(), "records": documents }));
    Ok(Exit::Done)
}

async fn change(context: &mut Context, change: Change, action: RecordAction) -> Ending {
    let Change { issuer, record, institution, grounds, effective_from, account, after, writing } = change;
    let institution = institution.unwrap_or_else(|| issuer.clone());
    let signer = signer::institution(context, &institution, &[KeyPurpose::Status])?;
    let client = client(context, &writing.connect, Caller::Institution(signer))?;
    // A revocation is never stale and names no earlier entry.
    let needs_after = action != RecordAction::Revoke;
    let (account_ref, after) = match (account, after) {
        (Some(account), after) if after.is_some() || !needs_after => (account, after.filter(|_| needs_after)),
        (account, after) => {
            let view = client.get_record(&issuer, record).await?;
            let last = after.unwrap_or(view.last_status_entry);
            (account.unwrap_or(view.facts.account_ref), needs_after.then_some(last))
        }
    };
    let changed = NewStatusChange {
        after,
        account_ref,
        issuer_id: issuer.clone(),
        record_id: record,
        action,
        reason: grounds.reason.noun(),
        order_ref: grounds.order_ref.clone(),
        effective_from,
        explanation: grounds.text(),
    };
    let recorded = client.change_record_status(&changed).await?;
    let told = recorded::tell(context, &client, &writing, &recorded).await?;
    let more = json!({ "issuer_id": issuer.as_str(), "record_id": record.to_string() });
    context.output.json(&recorded::with(told.document, more));
    Ok(told.exit)
}

/// An amount as people read it; `-` where a record has none.
pub(super) fn amount(amount: Option<&Amount>) -> String {
    amount.map_or_else(
        || "-".to_owned(),
        |amount| format!("{} {}", thousandths(amount.credits.milli()), amount.scheme),
    )
}

fn document(view: &RecordView) -> Value {
    let facts = &view.facts;
    json!({
        "record_id": facts.record_id.to_string(),
        "issuer_id": view.issuer_id.as_str(),
        "account_ref": facts.account_ref.to_string(),
        "kind": labels::name_of(&RECORD_KINDS, facts.kind),
        "credit_scheme": facts.amount.as_ref().map(|amount| amount.scheme.as_str()),
        "credits_milli": facts.amount.as_ref().map(|amount| amount.credits.milli()),
        "minutes": facts.minutes.map(|minutes| minutes.minutes),
        "subject_code": facts.subject_code,
        "occupation_code": facts.occupation_code,
        "awarded_on": facts.awarded_on.to_string(),
        "valid_until": facts.valid_until.map(|date| date.to_string()),
        "status": record_status_code(view.status),
        "bucket": bucket_code(view.bucket),
        "index": view.index,
        "last_status_entry": view.last_status_entry.to_string(),
        "superseded_by": view.superseded_by.map(|id| id.to_string()),
        "details": view.details.as_ref().map(|details| json!({
            "catalogue_ref": details.catalogue_ref,
            "title": { "zh": details.title.zh, "en": details.title.en },
            "score_milli": details.score_milli,
            "grade": details.grade,
            "term": details.term,
            "certificate_no": details.certificate_no,
        })),
    })
}
