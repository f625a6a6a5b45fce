//! `creditbank bench`: everything in one run, and one report.
//!
//! Each round measures each thing once, first what the machine can do, then the ledger, then PostgreSQL, so that what
//! disturbs the machine for a while disturbs all of them alike.

mod cluster;
mod environment;
mod figures;
mod growth;
mod known;
mod limits;
mod page;
mod postgres;
mod reads;
mod report;
mod send;
mod signed;
mod sizes;
mod stats;
mod targets;
mod wire;
mod world;
mod writes;

use super::super::Context;
use super::super::demo::fresh;
use super::unmeasured;
use crate::ending::{CommandError, Ending, Exit, unwritable};
use crate::home::Home;
use crate::language::Phrase;
use figures::Figures;
use indicatif::ProgressBar;
use postgres::Postgres;
use report::{Grown, Report, Tried};
use sizes::Sizes;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use world::World;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Part {
    /// Ten records a learner, one issuer a batch, under one signature · 一学期：一机构一批次，每人十条
    Semester,
    /// One record each, of many issuers, each signed · 零散：多机构逐条签名
    Scattered,
    /// One record a call · 逐条提交
    Unary,
    /// Balances and receipts, idle and under load, and a city's mixture · 余额与回执，空闲与写入时，及城市混合负载
    Reads,
    /// What the machine can do at all · 机器极限
    Limits,
    /// What a user would take instead · PostgreSQL 基线
    Postgres,
    /// How the figures grow with the ledger · 随规模增长
    Growth,
}

/// How much, and what of it.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Records that are in the ledger when it is measured · 测量前账本中的学习成果条数
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(100..=20_000_000))]
    records: Option<u64>,
    /// Accounts of the ledger · 账户数
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    accounts: Option<u64>,
    /// Rounds, each of which measures everything once · 轮数
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: Option<u64>,
    /// Seed from which everything is drawn · 随机种子
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// Only these parts · 只测这些部分
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// A city of 1 M accounts and 20 M records, growth up to 10 M · 百万账户、两千万成果的城市，增长测至一千万
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// As little of everything as there can be, to see that it runs · 极小规模，仅看能否运行
    #[arg(long)]
    quick: bool,
    /// Write the report as a page too · 另存为网页报告
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Where initdb, postgres, pgbench and psql are; by default looked for · PostgreSQL 程序所在目录，缺省自动查找
    #[arg(long, value_name = "DIR")]
    postgres: Option<PathBuf>,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Whether a ledger of the city's size is needed: every part but growth and PostgreSQL alone calls it.
    fn wants_world(&self) -> bool {
        [Part::Semester, Part::Scattered, Part::Unary, Part::Reads, Part::Limits]
            .iter()
            .any(|part| self.wants(*part))
    }
}

/// Records that were brought in, and how long that took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filled {
    pub(super) records: u64,
    pub(super) time: Duration,
}

/// What the run has come to, beside its result.
struct Progress<'p> {
    context_language: crate::language::Language,
    bar: &'p ProgressBar,
}

impl Progress<'_> {
    fn step(&self, zh: &str, en: &str) {
        self.bar.inc(1);
        let text = credit_types::Text { zh: zh.to_owned(), en: en.to_owned() };
        self.bar.set_message(self.context_language.of(&text).to_owned());
    }
}

/// Runs it and writes the report.
pub(super) async fn run(context: &mut Context, args: Args) -> Ending {
    let base = context.home.root().to_owned();
    let root = base.join("bench");
    fresh(&root)?;
    let ended = tokio::select! {
        // First, so that a signal is waited for before anything has begun.
        biased;
        () = interrupted() => Err(unmeasured(anyhow::anyhow!("it was interrupted"))),
        ended = measured(context, &args, &root) => ended,
    };
    context.home = Home::new(&base);
    // What was measured is of no further use, and large.
    let removed = fs::remove_dir_all(&root);
    let report = ended?;
    removed.map_err(unmeasured)?;
    if let Some(path) = &args.html {
        fs::write(path, page::render(&report, context.output.language)).map_err(unwritable(path))?;
    }
    report.tell(context.output);
    Ok(Exit::Done)
}

/// Until somebody presses Ctrl-C. What has been started is stopped then, and what was written removed.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn measured(context: &mut Context, args: &Args, root: &Path) -> Result<Report, CommandError> {
    let sizes = Sizes::of(args);
    let total = sizes.rounds.saturating_mul(7).saturating_add(4);
    let bar = context.output.progress(Phrase::ProgressMeasure, total);
    let progress = Progress { context_language: context.output.language, bar: &bar };
    let mut report = Report::new(root, &sizes, args.seed);
    let grown = if args.wants(Part::Growth) {
        progress.step("增长", "growth");
        let told = |_records| bar.tick();
        let (points, parts, records) =
            growth::run(context, &root.join("growth"), args.seed, &sizes, &told).await?;
        Some(Grown { points, parts, records })
    } else {
        None
    };
    report.grown = grown;
    let mut world = if args.wants_world() {
        progress.step("建立城市", "making the city");
        let home = root.join("city");
        Some(World::make(context, &home, args.seed, sizes.issuers, sizes.accounts).await?)
    } else {
        None
    };
    if let Some(world) = &mut world {
        progress.step("装入城市", "filling the city");
        report.filled = reads::fill(world, sizes.records, sizes.window, &|_| bar.tick()).await?;
    }
    let mut postgres = if args.wants(Part::Postgres) {
        progress.step("启动 PostgreSQL", "starting PostgreSQL");
        let (started, tried) = started(args, root, &sizes, world.as_ref());
        report.tried = tried;
        started
    } else {
        None
    };
    for round in 0..sizes.rounds {
        if let Some(world) = &mut world {
            one_round(context, args, world, &sizes, round, &mut report.figures, &progress).await?;
        }
        if let Some(postgres) = &mut postgres {
            progress.step("PostgreSQL", "PostgreSQL");
            postgres.round(&mut report.figures, &sizes)?;
        }
    }
    if let Some(world) = world {
        report.peak_kib = world.server.peak_kib();
        world.stop()?;
    }
    bar.finish_and_clear();
    Ok(report)
}

/// Measures the machine and the ledger once.
async fn one_round(
    context: &mut Context,
    args: &Args,
    world: &mut World,
    sizes: &Sizes,
    round: u64,
    figures: &mut Figures,
    progress: &Progress<'_>,
) -> Result<(), CommandError> {
    if args.wants(Part::Limits) {
        progress.step("机器极限", "limits of the machine");
        let folder = world.root.parent().unwrap_or(&world.root).to_owned();
        limits::round(figures, &folder, &world.server.url, sizes, args.seed).await?;
    }
    if args.wants(Part::Semester) {
        progress.step("semester", "semester");
        writes::semester(figures, world, sizes).await?;
    }
    if args.wants(Part::Scattered) {
        progress.step("scattered", "scattered");
        writes::scattered(figures, world, sizes).await?;
    }
    if args.wants(Part::Unary) {
        progress.step("逐条提交", "unary submit");
        writes::unary(figures, world, sizes).await?;
    }
    if args.wants(Part::Reads) {
        progress.step("读取", "reads");
        reads::round(figures, context, world, sizes, round).await?;
        progress.step("city", "city");
        reads::city(figures, context, world, sizes, round).await?;
    }
    Ok(())
}

/// Starts PostgreSQL where it is to be had; what keeps it away is told, and is no failure of the run.
fn started(args: &Args, root: &Path, sizes: &Sizes, world: Option<&World>) -> (Option<Postgres>, Tried) {
    let Some(bin) = cluster::programs(args.postgres.as_deref()) else {
        return (None, Tried::Absent);
    };
    let nothing = signed::Desk::empty(args.seed);
    let desk = world.map_or(nothing, |world| world.desk);
    match Postgres::start(&bin, &root.join("postgres"), desk, sizes.accounts) {
        Ok(postgres) => {
            let version = postgres.cluster.version.clone();
            (Some(postgres), Tried::Ran(version))
        }
        Err(error) => (None, Tried::Failed(error.causes().join(": "))),
    }
}
