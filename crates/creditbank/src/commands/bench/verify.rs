//! `creditbank bench verify`: how near a verification comes to the signatures alone.
//!
//! An export with details is made, each record signed by itself with one of many keys. Then, in one run, on the same
//! threads and over the same signatures: strict verification and nothing else, and the whole verification.

mod bare;
mod city;
mod log;

use super::super::Context;
use super::super::demo::fresh;
use super::super::verify::export::report;
use super::super::verify::memory::Resources;
use super::{rate, unmeasured};
use crate::ending::{CommandError, Ending, Exit};
use crate::home::Home;
use credit_service::clock::instant;
use credit_types::Text;
use credit_verify::{Report, Verdict};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The file that says of what the log in a folder is made.
const MADE_OF: &str = "made-of";

/// How many, and what to keep.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Count of records · 学习成果条数
    #[arg(long, default_value_t = 20_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(100..=20_000_000))]
    records: u64,
    /// Seed from which the log is made · 随机种子
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// Keep the log, and take the one that is there if it is the same · 保留并复用已生成的日志
    #[arg(long)]
    keep: bool,
    /// Memory and threads · 内存与线程
    #[command(flatten)]
    resources: Resources,
}

/// Time of the wall and of all threads.
#[derive(Debug, Clone, Copy)]
struct Spent {
    wall: Duration,
    /// Hundredths of a second of all threads, where the system tells.
    ticks: u64,
}

impl Spent {
    /// Adds what was spent on more of the same.
    fn add(&mut self, more: Self) {
        self.wall = self.wall.saturating_add(more.wall);
        self.ticks = self.ticks.saturating_add(more.ticks);
    }
}

/// Measures what `work` takes.
fn spent<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (began, ticks) = (instant(), cpu_ticks());
    let made = work();
    (made, Spent { wall: began.elapsed(), ticks: cpu_ticks().saturating_sub(ticks) })
}

/// Hundredths of a second that this process has computed; 0 where the system doesn't tell.
fn cpu_ticks() -> u64 {
    let told = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may hold spaces; user and system time are the 12th and 13th behind it.
    let behind = told.rsplit_once(')').map(|(_, behind)| behind).unwrap_or_default();
    let mut fields = behind.split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    next().saturating_add(next())
}

/// The most memory that this process has held, in KiB, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Measures.
pub(super) fn run(context: &mut Context, args: &Args) -> Ending {
    let root = context.home.root().join("bench-verify");
    let export = root.join("export");
    make(&root, &export, args)?;
    context.home = Home::new(&root);
    let threads = Resources::threads();
    let bare = bare::verified(&export, threads)?;
    let before = peak_kib();
    let trust = city::trust(args.seed, city::log_id(&export)?)?;
    let (report, whole) = spent(|| report(context, &export, trust, &args.resources));
    let report = report?;
    tell(context, &Measured { bare, whole, report, before, peak: peak_kib(), threads });
    if !args.keep {
        fs::remove_dir_all(&root).map_err(unmeasured)?;
    }
    Ok(Exit::Done)
}

/// Makes the log, unless the same one is there and may be taken.
fn make(root: &Path, export: &Path, args: &Args) -> Result<(), CommandError> {
    let told = format!("records {} seed {}\n", args.records, args.seed);
    let mark = root.join(MADE_OF);
    let same = args.keep && fs::read_to_string(&mark).is_ok_and(|there| there == told);
    if !same {
        fresh(root)?;
        city::make(export, args.seed, args.records)?;
        fs::write(&mark, told).map_err(unmeasured)?;
    }
    Ok(())
}

/// A small export, and what a verifier pins of its log.
#[cfg(test)]
pub(super) fn small_export(
    export: &Path,
    seed: u64,
    records: u64,
) -> Result<credit_verify::Trust, CommandError> {
    city::make(export, seed, records)?;
    city::trust(seed, city::log_id(export)?)
}

struct Measured {
    bare: bare::Bare,
    whole: Spent,
    report: Report,
    before: Option<u64>,
    peak: Option<u64>,
    threads: usize,
}

/// Thousandths of a second in microseconds, for each of so many.
fn each(spent: Spent, count: u64) -> String {
    let nanos = spent.ticks.saturating_mul(10_000_000).checked_div(count).unwrap_or(0);
    crate::output::thousandths(i64::try_from(nanos).unwrap_or(i64::MAX))
}

fn tell(context: &Context, measured: &Measured) {
    let Measured { bare, whole, report, before, peak, threads } = measured;
    let output = &context.output;
    let say = |zh: &str, en: &str, value: String| {
        output.text(&Text { zh: format!("{zh}: {value}"), en: format!("{en}: {value}") });
    };
    let (signatures, entries) = (report.signatures, report.entries);
    let (alone, together) = (rate(bare.signatures, bare.spent.wall), rate(signatures, whole.wall));
    let batched = rate(bare.signatures, bare.together.wall);
    let ratio = together.saturating_mul(1_000).checked_div(alone).unwrap_or(0);
    let by_cpu = bare
        .spent
        .ticks
        .saturating_mul(signatures)
        .saturating_mul(1_000)
        .checked_div(whole.ticks.saturating_mul(bare.signatures))
        .unwrap_or(0);
    let thousandths = |value: u64| crate::output::thousandths(i64::try_from(value).unwrap_or(i64::MAX));
    let holds = report.verdict == Verdict::Ok;
    say("验证通过", "the log holds", holds.to_string());
    say("线程", "threads", threads.to_string());
    say("条目", "entries", entries.to_string());
    say("重演的决定", "decisions replayed", report.decisions_replayed.to_string());
    say("签名", "signatures", signatures.to_string());
    say("密钥", "keys", bare.keys.to_string());
    say("仅验签,个/秒", "signatures alone, a second", alone.to_string());
    say("成批验签,个/秒", "signatures in batches, a second", batched.to_string());
    say("完整验证,签名个/秒", "whole verification, signatures a second", together.to_string());
    say("比值", "ratio", thousandths(ratio));
    say("按处理器时间的比值", "ratio by processor time", thousandths(by_cpu));
    say("仅验签,处理器微秒/签名", "signatures alone, processor us each", each(bare.spent, bare.signatures));
    let in_batches = each(bare.together, bare.signatures);
    say("成批验签,处理器微秒/签名", "signatures in batches, processor us each", in_batches.clone());
    say("完整验证,处理器微秒/签名", "whole verification, processor us each", each(*whole, signatures));
    let mib = |kib: &Option<u64>| kib.map_or_else(|| "?".to_owned(), |kib| format!("{} MiB", kib / 1_024));
    say("内存峰值(验证前)", "peak memory before the verification", mib(before));
    say("内存峰值", "peak memory", mib(peak));
    output.json(&json!({
        "holds": holds,
        "threads": threads,
        "entries": entries,
        "decisions_replayed": report.decisions_replayed,
        "signatures": signatures,
        "keys": bare.keys,
        "bare_per_second": alone,
        "batched_per_second": batched,
        "whole_per_second": together,
        "ratio_permille": ratio,
        "cpu_ratio_permille": by_cpu,
        "bare_cpu_us": each(bare.spent, bare.signatures),
        "batched_cpu_us": in_batches,
        "whole_cpu_us": each(*whole, signatures),
        "peak_kib": peak,
    }));
}
