//! What the benchmark is to reach, what it reached, and what that means.

use super::figures::{Figures, POSTGRES_BATCH, UNARY_FLOOR};
use super::growth::Point;
use super::stats::permille;
use crate::output::thousandths;

/// What a target is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Thousandths of something else.
    Ratio,
    /// Microseconds.
    Micros,
    /// Kibibytes.
    Kib,
}

/// A target.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) id: &'static str,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    measure: Measure,
    /// Whether more is better.
    at_least: bool,
    pub(super) target: u64,
    pub(super) stretch: Option<u64>,
    pub(super) reached: Option<u64>,
    /// Whether the run was as large as the target asks; what is told holds for a smaller one otherwise.
    pub(super) large_enough: bool,
}

impl Target {
    fn met_by(&self, wanted: u64) -> Option<bool> {
        let reached = self.reached?;
        Some(if self.at_least { reached >= wanted } else { reached <= wanted })
    }

    /// Whether it was reached, if that can be told.
    pub(super) fn met(&self) -> Option<bool> {
        self.met_by(self.target)
    }

    /// Whether more than it was reached.
    pub(super) fn stretch_met(&self) -> Option<bool> {
        self.met_by(self.stretch?)
    }

    /// A value as it is written.
    pub(super) fn text(&self, value: u64) -> String {
        let milli = |value: u64| thousandths(i64::try_from(value).unwrap_or(i64::MAX));
        match self.measure {
            Measure::Ratio => format!("{} ×", milli(value)),
            Measure::Micros => format!("{} ms", milli(value)),
            Measure::Kib => format!("{} MiB", value / 1_024),
        }
    }

    /// A wanted value as it is written.
    pub(super) fn wanted(&self, value: u64) -> String {
        format!("{} {}", if self.at_least { "≥" } else { "≤" }, self.text(value))
    }
}

/// What else than figures is held against targets.
#[derive(Debug, Default)]
pub(super) struct Sized<'s> {
    pub(super) accounts: u64,
    pub(super) records: u64,
    pub(super) peak_kib: Option<u64>,
    pub(super) growth: &'s [Point],
    /// Bytes on the disk, and bytes of what is kept there.
    pub(super) bytes: Option<(u64, u64)>,
}

fn ratio(figures: &Figures, of: Option<u64>, to: &str) -> Option<u64> {
    permille(of?, figures.median(to)?)
}

/// The worst share of some figures, each of another.
fn worst(figures: &Figures, what: &str, of: &str, tail: &str, at_least: bool) -> Option<u64> {
    let shares = [1, 16, 256].into_iter().filter_map(|in_flight| {
        let part = figures.median(&format!("{what}_{in_flight}{tail}"));
        ratio(figures, part, &format!("{of}_{in_flight}{tail}"))
    });
    if at_least { shares.min() } else { shares.max() }
}

/// Every target, with what was reached.
pub(super) fn targets(figures: &Figures, sized: &Sized<'_>) -> Vec<Target> {
    let mut all = of_writes(figures);
    all.extend(of_reads(figures, sized));
    all.extend(of_sizes(figures, sized));
    all
}

const fn target(id: &'static str, zh: &'static str, en: &'static str, measure: Measure) -> Target {
    Target {
        id,
        zh,
        en,
        measure,
        at_least: false,
        target: 0,
        stretch: None,
        reached: None,
        large_enough: true,
    }
}

impl Target {
    const fn at_least(mut self, target: u64) -> Self {
        (self.at_least, self.target) = (true, target);
        self
    }

    const fn at_most(mut self, target: u64) -> Self {
        self.target = target;
        self
    }

    const fn stretch(mut self, stretch: u64) -> Self {
        self.stretch = Some(stretch);
        self
    }

    const fn reached(mut self, reached: Option<u64>) -> Self {
        self.reached = reached;
        self
    }

    const fn if_large(mut self, large_enough: bool) -> Self {
        self.large_enough = large_enough;
        self
    }
}

fn of_writes(figures: &Figures) -> Vec<Target> {
    vec![
        target(
            "semester",
            "semester 对 PostgreSQL 最佳批量",
            "semester, of PostgreSQL's best batch rate",
            Measure::Ratio,
        )
        .at_least(3_000)
        // One stream has four chunks in flight, as the target says; four streams have sixteen.
        .reached(ratio(figures, figures.median("semester_1"), POSTGRES_BATCH)),
        target("semester_p99", "semester 每块 p99", "semester, chunk p99", Measure::Micros)
            .at_most(50_000)
            .reached(figures.median("semester_1_p99")),
        target(
            "scattered",
            "scattered 对逐条验签",
            "scattered, of strict verification one by one",
            Measure::Ratio,
        )
        .at_least(800)
        .reached(ratio(figures, figures.median("scattered"), "verify")),
        target(
            "scattered_batch",
            "scattered 对成批验签(力争)",
            "scattered, of strict verification in batches (stretch)",
            Measure::Ratio,
        )
        .at_least(600)
        .reached(ratio(figures, figures.median("scattered"), "batch")),
        target(
            "unary_256",
            "逐条提交(并发 256)对 PostgreSQL 16 客户端",
            "unary submit, 256 in flight, of PostgreSQL's 16 clients",
            Measure::Ratio,
        )
        .at_least(3_000)
        .reached(ratio(figures, figures.median("unary_256"), "postgres_one_16")),
        target("unary_256_p99", "逐条提交(并发 256)p99", "unary submit, 256 in flight, p99", Measure::Micros)
            .at_most(30_000)
            .reached(figures.median("unary_256_p99")),
        target(
            "unary_1",
            "逐条提交(并发 1)中位数对 fdatasync+验签+RPC",
            "unary submit, 1 in flight, median of fdatasync + signature + RPC",
            Measure::Ratio,
        )
        .at_most(1_500)
        .stretch(1_200)
        .reached(ratio(figures, figures.median("unary_1_p50"), UNARY_FLOOR)),
    ]
}

fn of_reads(figures: &Figures, sized: &Sized<'_>) -> Vec<Target> {
    let million = 1_000_000;
    vec![
        target(
            "balance",
            "查询余额对空 RPC(最差并发)",
            "balance read, of an empty RPC (worst concurrency)",
            Measure::Ratio,
        )
        .at_least(600)
        .stretch(800)
        .reached(worst(figures, "balance", "rpc", "", true))
        .if_large(sized.accounts >= million),
        target(
            "loaded",
            "写入时余额 p99 对空闲 p99(最差并发)",
            "balance p99 under write load, of idle (worst concurrency)",
            Measure::Ratio,
        )
        .at_most(3_000)
        .reached(worst(figures, "loaded", "balance", "_p99", false)),
        target(
            "receipt",
            "回执对余额(最差并发)",
            "receipt with proof, of balance (worst concurrency)",
            Measure::Ratio,
        )
        .at_least(500)
        .reached(worst(figures, "receipt", "balance", "", true))
        .if_large(sized.records >= million),
        target(
            "receipt_alone",
            "单条成果的回执对余额(最差并发)",
            "receipt of a record alone, of balance (worst concurrency)",
            Measure::Ratio,
        )
        .at_least(500)
        .reached(worst(figures, "receipt_alone", "balance", "", true))
        .if_large(sized.records >= million),
    ]
}

fn of_sizes(figures: &Figures, sized: &Sized<'_>) -> Vec<Target> {
    let (million, ten_million, largest) = (1_000_000, 10_000_000, sized.growth.last());
    let grown = largest.is_some_and(|point| point.records >= ten_million);
    let micros = |millis: u64| millis.saturating_mul(1_000);
    // A million leaves at this rate.
    let tree = figures.median("tree").and_then(|rate| 1_000_000_000_000u64.checked_div(rate));
    vec![
        target(
            "memory",
            "服务器内存(百万账户、千万成果)",
            "server memory at 1 M accounts and 10 M records",
            Measure::Kib,
        )
        .at_most(1 << 20)
        .reached(sized.peak_kib)
        .if_large(sized.accounts >= million && sized.records >= ten_million),
        target("disk", "磁盘对信封与条目字节", "disk, of the bytes of envelopes and entries", Measure::Ratio)
            .at_most(1_600)
            .stretch(1_200)
            .reached(sized.bytes.and_then(|(disk, content)| permille(disk, content)))
            .if_large(largest.is_some_and(|point| point.records >= 100_000)),
        target(
            "reopen_stop",
            "停止后重开(千万成果)",
            "reopen after a stop, at 10 M records",
            Measure::Micros,
        )
        .at_most(5_000_000)
        .stretch(1_000_000)
        .reached(largest.map(|point| micros(point.reopen_after_stop_ms)))
        .if_large(grown),
        target(
            "reopen_kill",
            "被杀后重开(千万成果)",
            "reopen after kill -9, at 10 M records",
            Measure::Micros,
        )
        .at_most(20_000_000)
        .stretch(1_000_000)
        .reached(largest.map(|point| micros(point.reopen_after_kill_ms)))
        .if_large(grown),
        target("tree", "重建百万叶的树,CPU", "rebuild the tree over 1 M leaves, CPU", Measure::Micros)
            .at_most(500_000)
            .reached(tree),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(figures: &Figures, sized: &Sized<'_>, id: &str) -> Target {
        targets(figures, sized).into_iter().find(|target| target.id == id).unwrap()
    }

    #[test]
    fn a_target_is_met_missed_or_not_to_be_told() {
        let mut figures = Figures::default();
        let sized = Sized::default();
        assert_eq!(of(&figures, &sized, "semester").met(), None);
        figures.put("semester_1", 150);
        figures.put("semester_4", 200);
        figures.put("semester_1_p99", 51_000);
        figures.put("postgres_batch_1000", 50);
        let semester = of(&figures, &sized, "semester");
        assert_eq!((semester.reached, semester.met()), (Some(3_000), Some(true)));
        assert_eq!(of(&figures, &sized, "semester_p99").met(), Some(false));
        for (in_flight, rpc, balance) in [(1, 100, 90), (16, 100, 61), (256, 100, 80)] {
            figures.put(&format!("rpc_{in_flight}"), rpc);
            figures.put(&format!("balance_{in_flight}"), balance);
        }
        let small = of(&figures, &sized, "balance");
        assert_eq!((small.reached, small.met(), small.large_enough), (Some(610), Some(true), false));
        let large = Sized { accounts: 1_000_000, ..Sized::default() };
        let balance = of(&figures, &large, "balance");
        assert_eq!(
            (balance.met(), balance.stretch_met(), balance.large_enough),
            (Some(true), Some(false), true)
        );
        assert_eq!(balance.wanted(balance.target), "≥ 0.6 ×");
    }

    #[test]
    fn every_target_has_an_id_of_its_own_and_both_languages() {
        let all = targets(&Figures::default(), &Sized::default());
        let ids: std::collections::BTreeSet<&str> = all.iter().map(|target| target.id).collect();
        assert_eq!(ids.len(), all.len());
        assert!(all.iter().all(|target| target.en.is_ascii() && !target.zh.is_ascii()));
    }
}
