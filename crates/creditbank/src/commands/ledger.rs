//! `creditbank ledger`: what the authority says of the ledger itself.

use super::Context;
use super::connect::{Caller, client};
use super::recorded::{self, Writing};
use super::signer;
use crate::ending::Ending;
use crate::language::Phrase;
use credit_types::ProtocolUpgrade;
use credit_types::genesis::{FORMAT, PROTOCOL};
use serde_json::json;
use std::path::PathBuf;

/// Commands about the ledger itself.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Announce a newer protocol, signed by the authority · 由主管方签名，宣布启用新版协议
    #[command(
        after_help = "From the next entry on the ledger may hold what that protocol brings: 2 brings rule books, conversions and awards. It can't be taken back; upgrade the programs of those who verify first. New ledgers begin with the newest protocol.\n自下一条起，账本可以含有该协议的新内容（第 2 版：规则书、转换与兑换）。不可撤销，请先让验证方升级程序；新建的账本直接采用最新协议。\n\nExamples · 示例:\n  creditbank ledger upgrade\n  creditbank ledger upgrade --protocol 2 --authority-key offline/01.key --authority-key offline/02.key"
    )]
    Upgrade(Upgrade),
}

/// Announces a protocol.
#[derive(Debug, clap::Args)]
pub(crate) struct Upgrade {
    /// The protocol; by default the newest that this program knows · 协议版本，缺省为本程序所知的最新版
    #[arg(long, value_name = "N", default_value_t = PROTOCOL, value_parser = clap::value_parser!(u32).range(1..=i64::from(PROTOCOL)))]
    protocol: u32,
    /// Keys of the authority; by default those in the home · 主管方密钥文件
    #[arg(long, value_name = "FILE")]
    authority_key: Vec<PathBuf>,
    /// Where it goes · 写入位置
    #[command(flatten)]
    writing: Writing,
}

/// Runs a command about the ledger itself.
pub(crate) async fn run(context: &mut Context, command: Command) -> Ending {
    match command {
        Command::Upgrade(args) => upgrade(context, args).await,
    }
}

async fn upgrade(context: &mut Context, args: Upgrade) -> Ending {
    let Upgrade { protocol, authority_key, writing } = args;
    let authority = signer::authority(context, &authority_key)?;
    let client = client(context, &writing.connect, Caller::Anybody)?;
    let upgrade = ProtocolUpgrade { protocol, format: FORMAT };
    let recorded = client.upgrade_protocol(&authority, upgrade).await?;
    context.output.line(Phrase::LedgerUpgraded, &[&protocol]);
    let told = recorded::tell(context, &client, &writing, &recorded).await?;
    let more = json!({ "protocol": protocol, "format": FORMAT });
    context.output.json(&recorded::with(told.document, more));
    Ok(told.exit)
}
