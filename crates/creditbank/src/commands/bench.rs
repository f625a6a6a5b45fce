//! `creditbank bench`: what a ledger on this machine takes in, and what it costs.

mod load;
mod parts;
mod plan;
mod rules;
mod squeeze;
mod verify;
mod whole;

use super::Context;
use super::demo::city::Year;
use super::demo::server::Server;
use super::demo::{failed, fresh, make};
use crate::ending::{CommandError, Ending, Exit};
use crate::home::Home;
use credit_service::clock::instant;
use credit_types::Text;
use serde_json::json;
use std::time::Duration;

/// Measures everything, or, with a command, one thing · 全面速测；带子命令则只测一项
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples · 示例:\n  creditbank bench\n  creditbank bench --html bench.html --rounds 5\n  creditbank --output json bench --only scattered,limits --records 100000"
)]
pub(crate) struct Args {
    /// One thing · 单项
    #[command(subcommand)]
    command: Option<Command>,
    /// Everything · 全面
    #[command(flatten)]
    whole: whole::Args,
}

/// Benchmarks of one thing.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// One pass over the main path: rates, memory, bytes, reopening · 主路径速测：速率、内存、占用与重开时间
    #[command(after_help = "Examples · 示例:\n  creditbank bench smoke --records 1000000 --seed 1")]
    Smoke {
        /// Count of records · 学习成果条数
        #[arg(long, default_value_t = 20_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
        records: u64,
        /// Seed from which the year is drawn · 随机种子
        #[arg(long, default_value_t = 1, value_name = "SEED")]
        seed: u64,
    },
    /// Verification of records signed one by one, against their signatures alone · 逐条签名记录的完整验证与仅验签之比
    #[command(after_help = "Examples · 示例:\n  creditbank bench verify --records 1000000 --seed 1 --keep")]
    Verify(verify::Args),
    /// Planning the best allocation for made-up learners, and what taking offers in an order loses · 最优分配规划的耗时与贪心损失
    #[command(
        after_help = "Examples · 示例:\n  creditbank bench plan --learners 1000 --records 50 --needs 30 --seed 1"
    )]
    Plan(plan::Args),
    /// One record against one rule, and loading and checking a large rule book · 单条规则评估与大规则书读入检查的耗时
    #[command(after_help = "Examples · 示例:\n  creditbank bench rules --rounds 1000")]
    Rules(rules::Args),
}

/// Runs a benchmark.
pub(crate) async fn run(context: &mut Context, args: Args) -> Ending {
    match args.command {
        None => whole::run(context, args.whole).await,
        Some(Command::Smoke { records, seed }) => smoke(context, records, seed).await,
        Some(Command::Verify(args)) => verify::run(context, &args),
        Some(Command::Plan(args)) => plan::run(context, &args),
        Some(Command::Rules(args)) => rules::run(context, &args),
    }
}

/// A small export with details, and what a verifier pins of its log.
#[cfg(test)]
pub(super) fn small_export(
    export: &std::path::Path,
    seed: u64,
    records: u64,
) -> Result<credit_verify::Trust, CommandError> {
    verify::small_export(export, seed, records)
}

/// A count a second, from a count and nanoseconds; 0 for no time at all.
fn per_second(count: u64, nanos: u64) -> u64 {
    let scaled = u128::from(count).saturating_mul(1_000_000_000).checked_div(u128::from(nanos)).unwrap_or(0);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// A count a second, from a count and a time; 0 for no time at all.
pub(super) fn rate(count: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    count.saturating_mul(1_000_000).checked_div(micros).unwrap_or(0)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn smoke(context: &mut Context, records: u64, seed: u64) -> Ending {
    let root = context.home.root().join("bench");
    fresh(&root)?;
    context.home = Home::new(&root);
    make(context)?;
    let server = Server::start(&root)?;
    let learners = u32::try_from(records.div_ceil(10)).unwrap_or(u32::MAX).clamp(1, 1_000_000);
    let year = Year::of(seed, learners, records, &server.url)?;
    year.found(context).await?;
    let began = instant();
    let accounts = year.open_accounts(context).await?;
    let opening = began.elapsed();
    let loaded = load::run(context, &year, &accounts).await?;
    let peak_kib = server.peak_kib();
    server.stop()?;
    let after_stop = reopened(&root, false)?;
    let after_kill = reopened(&root, true)?;
    let parts = parts::of(context)?;
    tell(context, &loaded, &parts, &Times { opening, learners, peak_kib, after_stop, after_kill });
    Ok(Exit::Done)
}

/// The times beside the load.
struct Times {
    opening: Duration,
    learners: u32,
    peak_kib: Option<u64>,
    after_stop: Duration,
    after_kill: Duration,
}

/// How long a server takes until it listens; it is then stopped, or killed, so that the next one finds what that leaves.
fn reopened(root: &std::path::Path, kill_before: bool) -> Result<Duration, CommandError> {
    if kill_before {
        Server::start(root)?.kill();
    }
    let began = instant();
    let server = Server::start(root)?;
    let time = began.elapsed();
    server.stop()?;
    Ok(time)
}

fn tell(context: &Context, loaded: &load::Loaded, parts: &parts::Parts, times: &Times) {
    let output = &context.output;
    let say = |zh: &str, en: &str, value: String| {
        output.text(&Text { zh: format!("{zh}: {value}"), en: format!("{en}: {value}") });
    };
    let sent = loaded.batched.saturating_add(loaded.streamed);
    say("学习成果", "records", sent.to_string());
    say(
        "开户速率(批次)",
        "accounts opened a second (batch)",
        rate(u64::from(times.learners), times.opening).to_string(),
    );
    say(
        "逐条签名并流式提交,条/秒",
        "records a second, each signed live, streamed",
        loaded.stream_rate().to_string(),
    );
    say(
        "批次,现场签名,条/秒",
        "records a second, batches, planned and signed live",
        loaded.live_rate().to_string(),
    );
    say(
        "批次,事先签名,条/秒",
        "records a second, batches, signed beforehand",
        loaded.beforehand_rate().to_string(),
    );
    let peak = times.peak_kib.map_or_else(|| "?".to_owned(), |kib| format!("{} MiB", kib / 1_024));
    say("服务器内存峰值", "peak memory of the server", peak);
    say("停止后重开(毫秒)", "reopening after a stop (ms)", millis(times.after_stop).to_string());
    say("被杀后重开(毫秒)", "reopening after a kill (ms)", millis(times.after_kill).to_string());
    for (zh, en, bytes) in parts.rows() {
        say(&format!("每条成果字节数·{zh}"), &format!("bytes a record, {en}"), parts::per(bytes, sent));
    }
    output.json(&json!({
        "records": sent,
        "refused": loaded.refused,
        "accounts_per_second": rate(u64::from(times.learners), times.opening),
        "streamed_per_second": loaded.stream_rate(),
        "batched_signed_live_per_second": loaded.live_rate(),
        "batched_signed_beforehand_per_second": loaded.beforehand_rate(),
        "peak_kib": times.peak_kib,
        "reopen_after_stop_ms": millis(times.after_stop),
        "reopen_after_kill_ms": millis(times.after_kill),
        "bytes": parts.rows().into_iter().map(|(_, en, bytes)| (en.to_owned(), bytes.into())).collect::<serde_json::Map<String, serde_json::Value>>(),
    }));
}

/// A failure of the benchmark itself.
pub(super) fn unmeasured<E: Into<anyhow::Error>>(cause: E) -> CommandError {
    failed("速测未能完成", "the benchmark could not be completed")(cause)
}
