//! `creditbank verify`: checks a stopped ledger, a running one, an export, a receipt, a record bundle or a balance, and
//! names the first thing that is wrong.

mod balance;
pub(super) mod bundle;
mod cores;
mod evidence;
pub(super) mod export;
pub(super) mod memory;
pub(super) mod page;
pub(super) mod pipeline;
pub(super) mod receipt;
mod running;
mod shelf;
pub(super) mod stopped;

use super::connect::{Connect, Reading, Who};
use super::{Context, block_on};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_types::Text;
use credit_verify::{Broken, Report, Verdict};
use memory::Resources;
use std::path::PathBuf;

/// Where the public log of a trial ledger is served if nobody says.
const LOG_URL: &str = "http://127.0.0.1:50052";

/// Checks a ledger, an export, a receipt, a bundle or a balance.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples · 示例:\n  creditbank verify\n  creditbank verify --dir /srv/ledger --trust trust.toml\n  \
                  creditbank verify --dir /srv/ledger --html report.html\n  \
                  creditbank verify --running --token-file token\n  \
                  creditbank verify --cores --url http://127.0.0.1:50052\n  \
                  creditbank verify export /srv/export\n  \
                  creditbank verify receipt my.receipt\n  creditbank verify balance my.balance"
)]
pub(crate) struct Args {
    /// What else to check · 其他验证对象
    #[command(subcommand)]
    what: Option<What>,
    /// Data directory of a stopped ledger; by default ledger/ in the home · 已停止账本的数据目录
    #[arg(long, value_name = "DIR", conflicts_with_all = ["running", "url"])]
    dir: Option<PathBuf>,
    /// Check the ledger there: as an auditor whoever has a token, else what everybody can see · 验证该地址上的账本：有令牌时以审计身份，否则只验证公开部分
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Check the running ledger where it usually is · 验证通常地址上运行的账本
    #[arg(long)]
    running: bool,
    /// Check only what everybody can see: the public log over HTTP · 只验证公开日志（HTTP）
    #[arg(long, conflicts_with_all = ["dir", "running"])]
    cores: bool,
    /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Who reads · 读取身份
    #[command(flatten)]
    who: Who,
    /// Open the details of a stopped ledger with the keyring and the root key of the home · 用密钥环与根密钥解开明细一并验证
    #[arg(long, conflicts_with_all = ["running", "url"])]
    details: bool,
    /// Write the result as a page for people to this file too · 另将结果写成网页文件，供人阅读
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Memory and threads · 内存与线程
    #[command(flatten)]
    resources: Resources,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Check an export without any server · 离线验证导出
    #[command(after_help = "Examples · 示例:\n  creditbank verify export /srv/export --trust trust.toml")]
    Export {
        /// The folder of the export · 导出目录
        dir: PathBuf,
        /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// Write the result as a page for people to this file too · 另将结果写成网页文件，供人阅读
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Memory and threads · 内存与线程
        #[command(flatten)]
        resources: Resources,
    },
    /// Check a receipt without any server · 离线验证回执
    #[command(after_help = "Examples · 示例:\n  creditbank verify receipt my.receipt --trust trust.toml")]
    Receipt {
        /// The receipt: binary, hexadecimal or base64 · 回执文件：二进制、十六进制或 base64
        file: PathBuf,
        /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// Check a record bundle without any server · 离线验证成果证明包
    #[command(after_help = "Examples · 示例:\n  creditbank verify bundle my.bundle --trust trust.toml\n\n\
                            Exit codes · 退出码:\n  \
                            0  proved, and in force at the bundle's date · 成立且当时有效\n  \
                            1  proved, but revoked, suspended, superseded or in doubt · 成立但已吊销、中止、更正或存疑\n  \
                            2  the trust file cannot be used · 信任文件有误\n  \
                            3  not proved · 不成立\n  \
                            4  a file cannot be read · 文件无法读取\n  \
                            5  a newer program is needed · 需要更新版本的程序")]
    Bundle {
        /// The bundle · 证明包文件
        file: PathBuf,
        /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// Check evidence that a log has signed two histories, without any server · 离线验证账本签署了两种历史的证据
    #[command(after_help = "Examples · 示例:\n  creditbank verify evidence fork.json --trust trust.toml\n\n\
                            Exit codes · 退出码:\n  \
                            0  the log has signed two histories · 账本签署了两种历史\n  \
                            1  both heads are signed, two histories are not proved · 两个检查点均有签名，但未证明有两种历史\n  \
                            2  the file or the trust file cannot be used · 文件或信任文件有误\n  \
                            3  a signature or the proof is false · 签名或证明不成立\n  \
                            4  a file cannot be read · 文件无法读取")]
    Evidence {
        /// What `monitor` wrote · `monitor` 写出的证据文件
        file: PathBuf,
        /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// Check a balance that was kept, without any server · 离线验证保存的余额
    #[command(after_help = "Examples · 示例:\n  creditbank verify balance my.balance --trust trust.toml")]
    Balance {
        /// What `balance --keep` wrote: binary, hexadecimal or base64 · `balance --keep` 保存的文件：二进制、十六进制或 base64
        file: PathBuf,
        /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
}

/// Checks.
pub(crate) fn run(context: &mut Context, args: Args) -> Ending {
    let Args { what, dir, url, running, cores, trust, who, details, html, resources } = args;
    let html = html.as_deref();
    let public = cores || (!running && url.is_some() && who.is_nobody(context));
    match what {
        Some(What::Export { dir, trust, html, resources }) => {
            export::run(context, &dir, trust.as_deref(), &resources, html.as_deref())
        }
        Some(What::Receipt { file, trust }) => receipt::run(context, &file, trust.as_deref()),
        Some(What::Bundle { file, trust }) => bundle::run(context, &file, trust.as_deref()),
        Some(What::Evidence { file, trust }) => evidence::run(context, &file, trust.as_deref()),
        Some(What::Balance { file, trust }) => balance::run(context, &file, trust.as_deref()),
        None if public => cores::run(context, url.as_deref().unwrap_or(LOG_URL), trust.as_deref(), html),
        None if running || url.is_some() => {
            let connect = Connect::at(url, trust);
            block_on(running::run(context, &Reading { connect, who }, &resources, html))
        }
        None => {
            let trust = trust.as_deref();
            stopped::run(context, stopped::Asked { dir, trust, details, resources: &resources, html })
        }
    }
}

/// Tells what came of checking a whole log.
fn tell(context: &Context, report: &Report, rows: Option<&Text>) -> Exit {
    let output = &context.output;
    let Report {
        entries,
        statements,
        signatures,
        decisions_replayed,
        structure_only,
        erased,
        size,
        root,
        verdict,
    } = report;
    output.line(Phrase::VerifiedEntries, &[entries, size, statements, signatures]);
    output.line(Phrase::VerifiedDecisions, &[decisions_replayed, structure_only, erased]);
    output.line(Phrase::VerifiedRoot, &[root]);
    let broken = match verdict {
        Verdict::Ok => {
            output.line(Phrase::LogHolds, &[]);
            None
        }
        Verdict::Broken(broken) => {
            let text = broken_text(broken);
            output.text(&text);
            Some((broken, text))
        }
        Verdict::NeedsNewer { index, what } => {
            output.line(Phrase::LogNeedsNewer, &[index, what]);
            None
        }
    };
    if let Some(rows) = rows {
        output.text(rows);
    }
    let exit = match verdict {
        Verdict::Broken(_) => Exit::Broken,
        Verdict::Ok | Verdict::NeedsNewer { .. } if rows.is_some() => Exit::Broken,
        Verdict::NeedsNewer { .. } => Exit::NeedsNewer,
        Verdict::Ok => Exit::Done,
    };
    let verdict = match exit {
        Exit::Broken => "BROKEN",
        Exit::NeedsNewer => "NEEDS_NEWER_VERIFIER",
        Exit::Done | Exit::Refused | Exit::Usage | Exit::Unreachable => "OK",
    };
    output.json(&serde_json::json!({
        "verdict": verdict,
        "size": size,
        "root": root.to_string(),
        "entries": entries,
        "statements": statements,
        "signatures": signatures,
        "decisions_replayed": decisions_replayed,
        "structure_only": structure_only,
        "balance_only": erased,
        "first_bad_index": broken.as_ref().map(|(broken, _)| broken.index),
        "rule": broken.as_ref().map(|(broken, _)| broken.rule.code()),
        "reason": broken.as_ref().and_then(|(broken, _)| broken.rule.reason()).map(credit_types::Reason::name),
        "detail": broken.as_ref().map(|(broken, _)| &broken.detail),
        "message_zh": broken.as_ref().map(|(_, text)| &text.zh),
        "message_en": broken.as_ref().map(|(_, text)| &text.en),
        "rows": rows.map(|rows| &rows.en),
    }));
    exit
}

/// The first bad entry and why, in both languages.
pub(super) fn broken_text(broken: &Broken) -> Text {
    let Broken { index, rule, detail } = broken;
    let (zh, en) = match rule.reason() {
        Some(reason) => {
            (format!("{}：{}", rule.zh(), reason.zh()), format!("{}: {}", rule.en(), reason.en()))
        }
        None => (rule.zh().to_owned(), rule.en().to_owned()),
    };
    Text {
        zh: Phrase::LogBroken.with(&[index, rule, &zh, detail]).zh,
        en: Phrase::LogBroken.with(&[index, rule, &en, detail]).en,
    }
}

/// A proof that something newer wrote, or that is false, which `phrase` says.
fn unproved(fault: credit_verify::Fault, phrase: Phrase) -> CommandError {
    let newer = matches!(fault, credit_verify::Fault::Newer { .. });
    let (exit, phrase) = if newer { (Exit::NeedsNewer, Phrase::NeedsNewer) } else { (Exit::Broken, phrase) };
    CommandError::new(exit, phrase, &[]).because(fault)
}
