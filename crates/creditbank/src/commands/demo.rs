//! `creditbank demo`: the main job from an empty folder to a verified ledger, in the open.
//!
//! It makes a ledger of the invented city, runs the real server as a process of its own, admits the institutions,
//! submits a year of signed records over gRPC, publishes the city's rule book and has a learner's credit converted by it,
//! shows that learner's balance and statement, verifies everything offline, and then lets the verifier find one flipped
//! byte in a copy.

pub(super) mod city;
mod convert;
pub(super) mod server;
mod tamper;

use super::{Context, balance, init, statement, verify};
use crate::args::{Cli, Command};
use crate::ending::{CommandError, Ending, Exit};
use crate::home::Home;
use clap::Parser as _;
use credit_types::{AccountRef, Text};
use server::Server;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that says that a folder is a demonstration's and may be made anew.
const MARK: &str = "demonstration";

/// Shows the main job.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples · 示例:\n  creditbank demo\n  creditbank --lang zh demo --records 10000 --seed 7"
)]
pub(crate) struct Args {
    /// Count of learners · 学习者人数
    #[arg(long, default_value_t = 400, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    learners: u32,
    /// Count of records · 学习成果条数
    #[arg(long, default_value_t = 4_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    records: u64,
    /// Seed from which the year is drawn · 随机种子
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
}

/// A failure of the demonstration itself.
pub(super) fn failed<E: Into<anyhow::Error>>(
    zh: &'static str,
    en: &'static str,
) -> impl FnOnce(E) -> CommandError {
    move |cause| {
        let text = Text { zh: zh.to_owned(), en: en.to_owned() };
        CommandError { exit: Exit::Unreachable, text, cause: None }.because(cause)
    }
}

/// Runs the demonstration in the folder `demo` of the home.
pub(crate) async fn run(context: &mut Context, args: Args) -> Ending {
    let root = context.home.root().join("demo");
    fresh(&root)?;
    context.home = Home::new(&root);
    say(context, "一、建立账本", "1. A ledger is made");
    make(context)?;
    say(context, "二、启动真实的服务器", "2. The real server starts");
    let server = Server::start(&root)?;
    context.output.raw_line(&format!("   {}", server.url));
    say(context, "三、发布资历框架,登记机构", "3. Frameworks are published, institutions admitted");
    let year = city::Year::of(args.seed, args.learners, args.records, &server.url)?;
    let (frameworks, institutions) = year.found(context).await?;
    told(context, "个框架", "frameworks", frameworks);
    told(context, "家机构", "institutions", institutions);
    say(
        context,
        "四、开立学习账户,提交签名成果",
        "4. Accounts are opened, signed records submitted over gRPC",
    );
    let accounts = year.open_accounts(context).await?;
    told(context, "个账户", "accounts", accounts.len());
    let told_records = year.submit(context, &accounts).await?;
    told(
        context,
        "条单独签名并附回执",
        "signed one by one, each with a verified receipt",
        told_records.single,
    );
    told(context, "条经双向流提交", "through one bidirectional stream", told_records.streamed);
    told(context, "条以批次一次签名", "in batches under one signature each", told_records.batched);
    told(context, "条被账本拒绝", "refused by the ledger", told_records.refused);
    let learner = convert::run(context, &year, &accounts, &root, &server.url).await?;
    let account = learner.to_string();
    say(context, "八、这位学习者的余额与对账单", "8. The learner's balance and statement");
    learner_view(context, learner, &server.url).await?;
    let url = server.url.clone();
    server.stop()?;
    say(context, "九、离线验证整个账本", "9. The whole ledger is verified, with no server");
    let Command::Verify(arguments) = parse(context, &["verify"])? else { return Err(internal()) };
    let verdict = verify::run(context, arguments)?;
    if verdict != Exit::Done {
        return Ok(verdict);
    }
    say(context, "十、在副本中翻转一个字节", "10. One byte is flipped in a copy");
    tamper::run(context, &root)?;
    next_steps(context, &root, &account, &url);
    Ok(Exit::Done)
}

/// Makes way for a fresh ledger; touches nothing that a demonstration did not make.
pub(super) fn fresh(root: &Path) -> Result<(), CommandError> {
    let made = failed("无法准备演示目录", "could not prepare the demonstration's folder");
    if root.join(MARK).exists() {
        fs::remove_dir_all(root).map_err(made)?;
    } else if root.exists() {
        let shown = root.display();
        let text = Text {
            zh: format!("{shown} 已存在,且不是演示所建;请移走它,或用 --home 指定其他目录"),
            en: format!("{shown} exists and no demonstration made it: move it away or choose another --home"),
        };
        return Err(CommandError { exit: Exit::Usage, text, cause: None });
    }
    fs::create_dir_all(root)
        .and_then(|()| {
            fs::write(root.join(MARK), "made by `creditbank demo`; it is deleted by the next run\n")
        })
        .map_err(failed("无法准备演示目录", "could not prepare the demonstration's folder"))
}

fn internal() -> CommandError {
    let text = Text {
        zh: "演示的命令行有误".to_owned(),
        en: "the demonstration's command line is wrong".to_owned(),
    };
    CommandError { exit: Exit::Usage, text, cause: None }
}

/// Reads a command line as a user would write it, for this demonstration's home.
fn parse(context: &Context, words: &[&str]) -> Result<Command, CommandError> {
    let home = context.home.root().display().to_string();
    let line = ["creditbank", "--home", &home].into_iter().chain(words.iter().copied());
    Cli::try_parse_from(line)
        .map(|cli| cli.command)
        .map_err(failed("演示的命令行有误", "the demonstration's command line is wrong"))
}

pub(super) fn make(context: &mut Context) -> Result<(), CommandError> {
    let Command::Init(arguments) = parse(context, &["init", "--dev"])? else { return Err(internal()) };
    init::run(context, arguments).map(|_| ())
}

async fn learner_view(context: &mut Context, account: AccountRef, url: &str) -> Result<(), CommandError> {
    let account = account.to_string();
    let words = ["balance", account.as_str(), "--url", url];
    let Command::Balance(arguments) = parse(context, &words)? else { return Err(internal()) };
    balance::run(context, arguments).await?;
    let words = ["statement", account.as_str(), "--url", url];
    let Command::Statement(arguments) = parse(context, &words)? else { return Err(internal()) };
    statement::run(context, arguments).await?;
    Ok(())
}

fn say(context: &Context, zh: &str, en: &str) {
    context.output.raw_line("");
    context.output.text(&Text { zh: zh.to_owned(), en: en.to_owned() });
}

fn told(context: &Context, zh: &str, en: &str, count: impl Display) {
    context.output.text(&Text { zh: format!("   {count} {zh}"), en: format!("   {count} {en}") });
}

fn next_steps(context: &Context, root: &Path, account: &str, url: &str) {
    say(context, "接下来可以试试:", "What to try next:");
    let program = program();
    let home = root.display();
    let lines = [
        format!("{program} --home {home} serve --dev"),
        format!("{program} --home {home} balance {account}"),
        format!("{program} --home {home} statement {account} --prove"),
        format!("{program} --home {home} institution list"),
        format!("{program} --home {home} rules list"),
        format!("{program} --home {home} convert list --account {account}"),
        format!("{program} --home {home} verify --running"),
        format!("{program} --home {home} verify        # {}", stopped_note(context)),
    ];
    for line in &lines {
        context.output.raw_line(&format!("   {line}"));
    }
    context.output.json(&serde_json::json!({
        "home": home.to_string(),
        "account": account,
        "served_at": url,
        "next": lines,
    }));
}

fn stopped_note(context: &Context) -> String {
    let text = Text { zh: "停止服务后".to_owned(), en: "once the server is stopped".to_owned() };
    context.output.language.of(&text).to_owned()
}

/// How this program is called again.
fn program() -> String {
    let here = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("creditbank"));
    let relative =
        std::env::current_dir().ok().and_then(|dir| here.strip_prefix(dir).ok().map(Path::to_path_buf));
    relative.unwrap_or(here).display().to_string()
}
