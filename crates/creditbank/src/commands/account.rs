//! `creditbank account`: opens learners' accounts, finds them, and changes their status.

mod identity;

use super::Context;
use super::connect::{Caller, Reading, client, reader};
use super::keys::institution_id;
use super::labels::{account_status, account_status_code, assurance};
use super::reason::Grounds;
use super::recorded::{self, Writing};
use super::token::{Bearer, account_ref};
use super::{labels, signer};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_client::{AccountQuery, NewAccount, NewAccountChange};
use credit_types::{AccountAction, AccountRef, AssuranceLevel, Digest, InstitutionId, KeyPurpose};
use serde_json::json;
use std::path::PathBuf;

/// Commands about accounts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Open an account · 开立账户
    #[command(
        after_help = "Examples · 示例:\n  creditbank account open --as cn.yunjiang.creditbank --assurance document --identity person.toml"
    )]
    Open {
        /// The registrar that signs · 签名的登记机构
        #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
        registrar: InstitutionId,
        /// Who the person is, as TOML; `-` reads standard input · 身份信息文件，`-` 表示标准输入
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
        /// How well the person was identified · 实名核验等级
        #[arg(long, value_enum, value_name = "LEVEL", default_value = "none")]
        assurance: Assurance,
        /// Where it goes · 写入位置
        #[command(flatten)]
        writing: Writing,
    },
    /// Find accounts by number or by an institution's own student number · 按学习账号或学号查找账户
    #[command(
        after_help = "Examples · 示例:\n  creditbank account find --as cn.yunjiang.openuniv --student-number 2024101000001"
    )]
    Find {
        /// Account numbers, 16 digits · 学习账号，16 位
        #[arg(long, value_name = "NUMBER", required_unless_present = "student_number")]
        account_number: Vec<String>,
        /// The calling institution's own student numbers · 本机构学号
        #[arg(long, value_name = "NUMBER")]
        student_number: Vec<String>,
        /// Who reads · 读取身份
        #[command(flatten)]
        reading: Reading,
    },
    /// Show an account · 查看账户
    #[command(after_help = "Examples · 示例:\n  creditbank account show 00112233445566778899aabbccddeeff")]
    Show {
        /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
        #[arg(value_parser = account_ref)]
        account: AccountRef,
        /// Who reads · 读取身份
        #[command(flatten)]
        reading: Reading,
    },
    /// Suspend an account; deposits are still accepted · 暂停账户，仍可存入
    #[command(
        after_help = "Examples · 示例:\n  creditbank account suspend 00112233445566778899aabbccddeeff --as cn.yunjiang.creditbank --reason investigation"
    )]
    Suspend(Change),
    /// Reinstate a suspended account · 恢复账户
    #[command(
        after_help = "Examples · 示例:\n  creditbank account reinstate 00112233445566778899aabbccddeeff --as cn.yunjiang.creditbank --reason resolved"
    )]
    Reinstate(Change),
    /// Close an account: read only from then on · 销户，此后只读
    #[command(
        after_help = "Examples · 示例:\n  creditbank account close 00112233445566778899aabbccddeeff --as cn.yunjiang.creditbank --reason learner-request"
    )]
    Close(Change),
}

/// A change of an account's status.
#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
    #[arg(value_parser = account_ref)]
    account: AccountRef,
    /// The registrar or regulator that signs · 签名的登记机构或监管机构
    #[arg(long = "as", value_name = "ID", value_parser = institution_id)]
    institution: InstitutionId,
    /// Why · 原因
    #[command(flatten)]
    grounds: Grounds,
    /// Leaf hash of the account's last status entry, for who may not read it · 账户最近一次状态条目的叶哈希
    #[arg(long, value_name = "HASH", value_parser = digest)]
    after: Option<Digest>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// How well a person was identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Assurance {
    /// Not verified · 未核验
    None,
    /// By telephone · 手机号
    Phone,
    /// By an identity document · 身份证件
    Document,
    /// By an identity document and the face · 身份证件与人脸
    DocumentFace,
}

impl Assurance {
    fn noun(self) -> AssuranceLevel {
        match self {
            Self::None => AssuranceLevel::None,
            Self::Phone => AssuranceLevel::Phone,
            Self::Document => AssuranceLevel::Document,
            Self::DocumentFace => AssuranceLevel::DocumentFace,
        }
    }
}

/// Reads a digest: 64 hexadecimal digits.
pub(crate) fn digest(text: &str) -> Result<Digest, String> {
    labels::unhex(text)
        .and_then(|bytes| Digest::from_slice(&bytes).ok())
        .ok_or_else(|| "64 hexadecimal digits".to_owned())
}

/// Runs a command about accounts.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Open { registrar, identity, assurance, writing } => {
            let account = NewAccount { assurance: assurance.noun(), identity: identity::read(&identity)? };
            open(context, &registrar, &account, &writing).await
        }
        Command::Find { account_number, student_number, reading } => {
            find(context, account_number, student_number, &reading).await
        }
        Command::Show { account, reading } => show(context, account, &reading).await,
        Command::Suspend(change) => self::change(context, change, AccountAction::Suspend).await,
        Command::Reinstate(change) => self::change(context, change, AccountAction::Reinstate).await,
        Command::Close(change) => self::change(context, change, AccountAction::Close).await,
    }
}

async fn open(
    context: &mut Context,
    registrar: &InstitutionId,
    account: &NewAccount,
    writing: &Writing,
) -> Ending {
    let signer = signer::institution(context, registrar, &[KeyPurpose::Registry])?;
    let client = client(context, &writing.connect, Caller::Institution(signer))?;
    let opened = client.open_account(account).await?;
    context.output.line(Phrase::AccountOpened, &[&opened.account_ref, &opened.account_number]);
    let told = recorded::tell(context, &client, writing, &opened.recorded).await?;
    context.output.json(&recorded::with(
        told.document,
        json!({ "account_ref": opened.account_ref.to_string(), "account_number": opened.account_number }),
    ));
    Ok(told.exit)
}

async fn find(
    context: &mut Context,
    account_numbers: Vec<String>,
    student_numbers: Vec<String>,
    reading: &Reading,
) -> Ending {
    let client = reader(context, reading, &Bearer::Auditor)?;
    let names: Vec<String> = account_numbers.iter().chain(&student_numbers).cloned().collect();
    let queries: Vec<AccountQuery> = account_numbers
        .into_iter()
        .map(AccountQuery::AccountNumber)
        .chain(student_numbers.into_iter().map(AccountQuery::StudentNumber))
        .collect();
    let found = client.resolve_accounts(&queries).await?;
    let missing = found.iter().any(Option::is_none);
    let rows: Vec<Vec<String>> = names
        .iter()
        .zip(&found)
        .map(|(name, account)| {
            vec![name.clone(), account.map_or_else(|| "-".to_owned(), |account| account.to_string())]
        })
        .collect();
    context.output.table(&[Phrase::ColumnNumber, Phrase::ColumnAccount], &rows);
    let accounts: Vec<_> = names
        .iter()
        .zip(&found)
        .map(|(name, account)| json!({ "number": name, "account_ref": account.map(|found| found.to_string()) }))
        .collect();
    context.output.json(&json!({ "accounts": accounts }));
    Ok(if missing { Exit::Refused } else { Exit::Done })
}

async fn show(context: &mut Context, account: AccountRef, reading: &Reading) -> Ending {
    let client = reader(context, reading, &Bearer::Auditor)?;
    let view = client.get_account(Some(account)).await?;
    let output = &context.output;
    let language = output.language;
    let (status, level) = (account_status(view.status), assurance(view.assurance));
    output.line(Phrase::AccountShown, &[&view.account_ref, &language.of(&status), &language.of(&level)]);
    output.line(Phrase::AccountCounts, &[&view.records, &view.last_sequence, &view.opened_index]);
    if view.key_suspect {
        output.line(Phrase::RestsOnSuspectKey, &[]);
    }
    output.json(&json!({
        "account_ref": view.account_ref.to_string(),
        "status": account_status_code(view.status),
        "assurance": level.en,
        "opened_index": view.opened_index,
        "last_status_entry": view.last_status_entry.to_string(),
        "last_sequence": view.last_sequence,
        "records": view.records,
        "key_suspect": view.key_suspect,
    }));
    Ok(Exit::Done)
}

async fn change(context: &mut Context, change: Change, action: AccountAction) -> Ending {
    let Change { account, institution, grounds, after, writing } = change;
    let purposes = [KeyPurpose::Registry, KeyPurpose::Status];
    let signer = signer::institution_any(context, &institution, &purposes)?;
    let client = client(context, &writing.connect, Caller::Institution(signer))?;
    let after = match after {
        Some(after) => after,
        None => client.get_account(Some(account)).await.map_err(CommandError::from)?.last_status_entry,
    };
    let changed = NewAccountChange {
        after,
        account_ref: account,
        action,
        reason: grounds.reason.noun(),
        order_ref: grounds.order_ref.clone(),
        explanation: grounds.text(),
    };
    let recorded = client.change_account_status(&changed).await?;
    let told = recorded::tell(context, &client, &writing, &recorded).await?;
    context.output.json(&recorded::with(told.document, json!({ "account_ref": account.to_string() })));
    Ok(told.exit)
}
