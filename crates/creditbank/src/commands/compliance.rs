//! `creditbank compliance`: whether a period of continuing education holds what its rule asks.

use super::Context;
use super::connect::{Reading, reader};
use super::rules::{book_id, book_name};
use super::token::{Bearer, account_ref};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_client::ComplianceQuery;
use credit_types::{AccountRef, BookName, CivilDate, FrameworkId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Commands about continuing education.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Judge the period around a day · 判断某日所在的周期是否达标
    #[command(
        after_help = "Exit code 1 where the period is short. A verdict is the ledger's word for the moment, nothing is written.\n未达标时退出码为 1。结论仅代表当下，不写入账本。\n\nExamples · 示例:\n  creditbank compliance check --account 00112233445566778899aabbccddeeff --book cn.yunjiang.bank --rule professional-90 --on 2026-12-31"
    )]
    Check(Check),
}

/// Asks about a period.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
    #[arg(long, value_name = "ACCOUNT", value_parser = account_ref)]
    account: AccountRef,
    /// The rule book · 规则书
    #[arg(long, value_name = "BOOK_ID", value_parser = book_id)]
    book: FrameworkId,
    /// Its version; 0 is the one in force today · 规则书版本，0 即今日施行的版本
    #[arg(long, value_name = "N", default_value_t = 0)]
    book_version: u32,
    /// The compliance rule of the book · 规则书中的达标规则
    #[arg(long, value_name = "RULE", value_parser = book_name)]
    rule: BookName,
    /// A day of the period · 周期中的一天
    #[arg(long, value_name = "DATE")]
    on: CivilDate,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// The parts of a verdict that are told; what later software adds is left to programs.
#[derive(Deserialize)]
struct Told {
    from: String,
    to: String,
    have: i64,
    need: i64,
    missing: i64,
    #[serde(default)]
    classes: BTreeMap<String, ClassTold>,
}

#[derive(Deserialize)]
struct ClassTold {
    have: i64,
    need: String,
    missing: i64,
}

/// Runs a command about continuing education.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Check(args) => check(context, args).await,
    }
}

async fn check(context: &mut Context, args: Check) -> Ending {
    let Check { account, book, book_version: version, rule, on, reading } = args;
    let client = reader(context, &reading, &Bearer::Learner(account))?;
    let query = ComplianceQuery {
        account_ref: Some(account),
        book_id: book.clone(),
        version,
        rule: rule.clone(),
        on,
    };
    let judged = client.check_compliance(&query).await?;
    let newer = |cause: serde_json::Error| {
        CommandError::new(Exit::NeedsNewer, Phrase::ComplianceUnreadable, &[]).because(cause)
    };
    let verdict: Value = serde_json::from_slice(&judged.verdict).map_err(newer)?;
    let told: Told = serde_json::from_value(verdict.clone()).map_err(newer)?;
    let output = context.output;
    let phrase = if judged.compliant { Phrase::ComplianceMet } else { Phrase::ComplianceShort };
    output.line(phrase, &[&rule, &told.from, &told.to, &book, &judged.version]);
    output.line(Phrase::ComplianceCounts, &[&told.have, &told.need, &told.missing]);
    let row = |(name, class): (&String, &ClassTold)| {
        // Exactly, as a fraction; a whole number is written as one.
        let need = class.need.strip_suffix("/1").unwrap_or(&class.need).to_owned();
        vec![name.clone(), class.have.to_string(), need, class.missing.to_string()]
    };
    let rows: Vec<Vec<String>> = told.classes.iter().map(row).collect();
    if !rows.is_empty() {
        let header = [Phrase::ColumnClass, Phrase::ColumnHave, Phrase::ColumnNeed, Phrase::ColumnMissing];
        output.table(&header, &rows);
    }
    output.json(&json!({
        "account_ref": account.to_string(), "book_id": book.as_str(), "version": judged.version,
        "rule": rule.as_str(), "on": on.to_string(), "compliant": judged.compliant, "verdict": verdict,
    }));
    Ok(if judged.compliant { Exit::Done } else { Exit::Refused })
}
