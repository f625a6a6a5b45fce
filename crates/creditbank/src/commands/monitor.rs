//! `creditbank monitor`: follows a log for as long as it runs, and raises an alarm when something is wrong with it.

mod alarm;
mod auditor;
mod follow;
mod leaves;
#[cfg(test)]
pub(super) mod listener;
mod round;
mod service;
mod state;
mod statements;
mod webhook;

use super::Context;
use super::connect::trust;
use super::verify::memory::Resources;
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use follow::Follower;
use round::{Bounds, Monitor};
use service::Service;
use state::Folder;
use statements::Statements;
use std::path::PathBuf;
use std::time::Duration;
use webhook::Webhook;

/// The shortest time between two looks, in seconds: a log publishes once a second.
pub(crate) const INTERVAL_S_MIN: u64 = 1;
/// The longest time between two looks, in seconds: a day.
pub(crate) const INTERVAL_S_MAX: u64 = 86_400;
/// The longest that anything is waited for before it is an alarm, in seconds: a month.
pub(crate) const PATIENCE_S_MAX: u64 = 31 * 86_400;

/// Seconds between two looks.
fn interval() -> impl clap::builder::TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(INTERVAL_S_MIN..=INTERVAL_S_MAX)
}

/// Seconds of patience.
fn patience() -> impl clap::builder::TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(1..=PATIENCE_S_MAX)
}

/// Follows a log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples · 示例:\n  \
    creditbank monitor http://127.0.0.1:50052\n  \
    creditbank monitor https://log.example.cn --once --output json\n  \
    creditbank monitor http://127.0.0.1:50052 --webhook http://127.0.0.1:9000/alarm --interval 60\n  \
    creditbank monitor http://127.0.0.1:50052 --service http://127.0.0.1:50051 --statements sent --logged-within 3600\n  \
    creditbank monitor http://127.0.0.1:50052 --service http://127.0.0.1:50051 --token-file token\n\n\
    Exit codes · 退出码:\n  \
    0  with --once: nothing is wrong · 仅用于 --once：没有问题\n  \
    1  WITHHELD\n  \
    2  the command or a file can't be used · 用法或文件有误\n  \
    3  FORK ROLLBACK CHECKPOINT_INVALID BAD_ENTRY\n  \
    4  STALLED UNREACHABLE NOT_WITNESSED\n  \
    5  NEEDS_NEWER_VERIFIER")]
pub(crate) struct Args {
    /// Where the public log is served over HTTP · 公开日志的地址（HTTP）
    url: String,
    /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Folder of what it remembers; by default monitor/ in the home · 状态目录，缺省为主目录中的 monitor/
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Seconds between two looks · 两次查看之间的秒数
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = interval())]
    interval: u64,
    /// Look once and end, for a scheduler · 只看一次即结束，供定时任务使用
    #[arg(long, conflicts_with = "interval")]
    once: bool,
    /// Alarm if no new or republished head appears for so long · 多少秒没有新的或重新发布的检查点即报警
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = patience())]
    stalled_after: u64,
    /// Alarm if the log or its service can't be read for so long · 多少秒无法读取即报警
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = patience())]
    unreachable_after: u64,
    /// Alarm if a head is without enough witnesses for so long, where the trust file pins a policy · 多少秒没有足够的见证者联署即报警
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = patience())]
    witnessed_within: u64,
    /// Address of the ledger's service, for statements and the auditor's part · 账本服务地址，用于查声明与审计
    #[arg(long, value_name = "URL")]
    service: Option<String>,
    /// File with an auditor's token, read anew each time: check every entry whole · 审计令牌文件，每次重读：完整验证每一条
    #[arg(long, value_name = "FILE", requires = "service")]
    token_file: Option<PathBuf>,
    /// Folder of signed statements that must be in the log · 必须入账的已签名声明所在目录
    #[arg(long, value_name = "DIR", requires = "service")]
    statements: Option<PathBuf>,
    /// Alarm if a statement is not in the log so long after it was put there · 声明放入后多少秒仍未入账即报警
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, value_parser = patience())]
    logged_within: u64,
    /// Post alarms to this address and go on, instead of ending · 把报警发送到该地址并继续运行，而不是退出
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Memory and scratch files of the auditor's part · 审计部分的内存与临时文件
    #[command(flatten)]
    resources: Resources,
}

/// Follows a log until an alarm stands, or for ever.
pub(crate) async fn run(context: &mut Context, args: Args) -> Ending {
    let trust = trust(context, args.trust.as_deref())?;
    let root = args.state.clone().unwrap_or_else(|| context.home.root().join("monitor"));
    let folder = Folder::open(&root, trust.log_id)?;
    let bounds = Bounds {
        stalled_s: args.stalled_after,
        unreachable_s: args.unreachable_after,
        witnessed_s: args.witnessed_within,
    };
    let statements = args.statements.as_deref().map(|folder| Statements::new(folder, args.logged_within));
    let service = args.service.as_deref().map(|url| {
        let auditor = (trust.clone(), &args.resources.memory());
        Service::new(url, args.trust.as_deref(), args.token_file.clone(), statements, auditor)
    });
    let clock = credit_service::clock::Clock::default();
    let state = folder.load(trust.log_id, clock.now_us())?;
    let follower = Follower::new(trust.clone(), &args.url, &context.home.heads(), folder.leaves()?, &state)?;
    let mut monitor = Monitor {
        trust,
        url: args.url.clone(),
        bounds,
        folder,
        state,
        follower,
        service,
        webhook: args.webhook.as_deref().map(Webhook::new),
        clock,
    };
    loop {
        let standing = monitor.round(context).await?;
        let undelivered = monitor.undelivered();
        if args.once {
            return Ok(if undelivered { alarm::worse(standing, Exit::Unreachable) } else { standing });
        }
        if standing != Exit::Done && args.webhook.is_none() {
            return Ok(standing);
        }
        tokio::time::sleep(Duration::from_secs(args.interval)).await;
    }
}

/// A time of the monitor's that is over.
fn passed(since_us: i64, now_us: i64) -> i64 {
    now_us.saturating_sub(since_us).max(0) / 1_000_000
}

/// Whether a time of so many seconds is over.
fn is_over(since_us: i64, now_us: i64, seconds: u64) -> bool {
    u64::try_from(passed(since_us, now_us)).unwrap_or(0) >= seconds
}

/// The folder of the state can't be written.
fn not_kept(cause: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(Exit::Unreachable, Phrase::MonitorNotKept, &[]).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn parsed(more: &[&str]) -> Option<Args> {
        let words = ["creditbank", "monitor", "http://127.0.0.1:1"];
        let cli = Cli::try_parse_from(words.iter().chain(more)).ok()?;
        if let Command::Monitor(args) = cli.command { Some(args) } else { None }
    }

    #[test]
    fn times_reach_their_limits_and_not_beyond() {
        let interval = |seconds: u64| parsed(&["--interval", &seconds.to_string()]).is_some();
        assert!(interval(INTERVAL_S_MIN) && interval(INTERVAL_S_MAX));
        assert!(!interval(INTERVAL_S_MIN - 1) && !interval(INTERVAL_S_MAX + 1));
        for name in ["--stalled-after", "--unreachable-after", "--witnessed-within", "--logged-within"] {
            let bound = |seconds: u64| parsed(&[name, &seconds.to_string()]).is_some();
            assert!(bound(1) && bound(PATIENCE_S_MAX), "{name}");
            assert!(!bound(0) && !bound(PATIENCE_S_MAX + 1), "{name}");
        }
    }

    #[test]
    fn what_needs_the_service_asks_for_its_address() {
        for name in ["--token-file", "--statements"] {
            assert!(parsed(&[name, "x"]).is_none());
            assert!(parsed(&[name, "x", "--service", "http://127.0.0.1:2"]).is_some());
        }
    }

    #[test]
    fn a_time_is_over_when_it_is_reached_and_a_clock_that_went_back_ends_none() {
        assert!(!is_over(1_000_000, 5_999_999, 5));
        assert!(is_over(1_000_000, 6_000_000, 5));
        assert!(!is_over(9_000_000, 1_000_000, 1));
    }
}
