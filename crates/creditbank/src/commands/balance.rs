//! `creditbank balance`: an account's sums by scheme, kind and bucket, under the bank's verified signature.

use super::Context;
use super::connect::{Reading, reader};
use super::labels::{self, bucket, bucket_code, hour_kind, record_kind};
use super::token::{Bearer, account_ref};
use crate::ending::{CommandError, Ending, Exit, unwritable};
use crate::language::Phrase;
use crate::mapping::{HOUR_KINDS, RECORD_KINDS};
use crate::output::thousandths;
use credit_client::{BalanceQuery, Client};
use credit_types::{AccountRef, BalanceLine, BalanceStatement, CivilDate};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Shows a balance.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples · 示例:\n  creditbank balance 00112233445566778899aabbccddeeff\n  \
                  creditbank --output json balance 00112233445566778899aabbccddeeff --as-of 2026-06-30")]
pub(crate) struct Args {
    /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
    #[arg(value_parser = account_ref)]
    account: AccountRef,
    /// What to ask for · 查询条件
    #[command(flatten)]
    asking: Asking,
    /// Keep the signed balance in this file; `creditbank verify balance` reads it · 把已签名的余额保存到文件
    #[arg(long, value_name = "FILE", conflicts_with = "at_index")]
    keep: Option<PathBuf>,
    /// Who reads · 读取身份
    #[command(flatten)]
    reading: Reading,
}

/// Which balance is asked for.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Asking {
    /// As it stood after this entry; such a balance is not signed · 截至第几条日志，不带签名
    #[arg(long, value_name = "INDEX")]
    pub(crate) at_index: Option<u64>,
    /// Day at which validity is judged; by default that of the ledger's head · 有效期判断日
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<CivilDate>,
}

/// Shows a balance.
pub(crate) async fn run(context: &mut Context, args: Args) -> Ending {
    let Args { account, asking, keep, reading } = args;
    let client = reader(context, &reading, &Bearer::Learner(account))?;
    let (statement, signed) = ask(&client, account, &asking).await?;
    if let (Some(path), Some(bytes)) = (&keep, &signed) {
        std::fs::write(path, bytes).map_err(unwritable(path))?;
    }
    show(context, &statement, signed.is_some());
    context.output.json(&document(&statement, signed.is_some()));
    Ok(Exit::Done)
}

/// Asks for a balance, signed where it is the present one: the bank signs heads that it shows.
pub(super) async fn ask(
    client: &Client,
    account: AccountRef,
    asking: &Asking,
) -> Result<(BalanceStatement, Option<Vec<u8>>), CommandError> {
    let query = BalanceQuery {
        account_ref: Some(account),
        at_index: asking.at_index,
        as_of: asking.as_of,
        want_signed: asking.at_index.is_none(),
        min_entry_index: None,
    };
    let balance = client.get_balance(query).await?;
    Ok((balance.statement, balance.signed.map(|signed| signed.to_bytes())))
}

/// Shows the sums as a table.
pub(super) fn show(context: &Context, statement: &BalanceStatement, signed: bool) {
    let output = &context.output;
    let language = output.language;
    let head = &statement.head;
    output.line(Phrase::BalanceAt, &[&head.size, &statement.as_of, &head.sequence]);
    let rows: Vec<Vec<String>> = statement
        .lines
        .iter()
        .map(|line| {
            let hours = line.hour_kind.map(|kind| language.of(&hour_kind(kind)).to_owned());
            let has_amount = line.scheme.is_some();
            vec![
                line.scheme.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
                language.of(&record_kind(line.kind)).to_owned(),
                language.of(&bucket(line.bucket)).to_owned(),
                if has_amount { thousandths(line.credits_milli) } else { "-".to_owned() },
                hours.map_or_else(|| "-".to_owned(), |hours| format!("{} {hours}", hours_of(line.minutes))),
                line.records.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        output.line(Phrase::BalanceEmpty, &[]);
    } else {
        let header = [
            Phrase::ColumnScheme,
            Phrase::ColumnKind,
            Phrase::ColumnBucket,
            Phrase::ColumnCredits,
            Phrase::ColumnHours,
            Phrase::ColumnRecords,
        ];
        output.table(&header, &rows);
    }
    output.line(if signed { Phrase::BalanceSigned } else { Phrase::BalanceNotSigned }, &[]);
}

/// Minutes as hours and minutes: `12:30`.
fn hours_of(minutes: i64) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// The same for programs.
pub(super) fn document(statement: &BalanceStatement, verified: bool) -> Value {
    let head = &statement.head;
    let line = |line: &BalanceLine| {
        json!({
            "credit_scheme": line.scheme.as_ref().map(credit_types::SchemeId::as_str),
            "kind": labels::name_of(&RECORD_KINDS, line.kind),
            "bucket": bucket_code(line.bucket),
            "credits_milli": line.credits_milli,
            "hour_kind": line.hour_kind.map(|kind| labels::name_of(&HOUR_KINDS, kind)),
            "minutes": line.minutes,
            "records": line.records,
        })
    };
    json!({
        "log_id": head.log_id.to_string(),
        "size": head.size,
        "root": head.root.to_string(),
        "sequence": head.sequence,
        "as_of": statement.as_of.to_string(),
        "verified": verified,
        "lines": statement.lines.iter().map(line).collect::<Vec<_>>(),
    })
}
