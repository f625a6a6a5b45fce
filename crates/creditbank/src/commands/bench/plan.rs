//! `creditbank bench plan`: what planning an allocation costs, how often the best is proven, and what is lost by taking
//! offers in an order. The learners are made from a seed; what is assumed of them stands in
//! `credit-rules/src/plan/synthetic.rs`.

use super::super::Context;
use super::unmeasured;
use crate::ending::{CommandError, Ending, Exit};
use crate::output::thousandths;
use credit_rules::plan::{Greedy, Model, Status, Supply, Ties, check, greedy, learner, plan};
use credit_service::clock::instant;
use credit_types::Text;
use serde_json::{Value, json};
use std::fs;

/// How many learners, and how large.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Count of learners of each supply · 每种供给情形的学习者人数
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    learners: u32,
    /// Records of a learner · 每人学习成果条数
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=200))]
    records: u16,
    /// Requirements of the programme · 培养方案要求数
    #[arg(long, default_value_t = 30, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=200))]
    needs: u16,
    /// Seed from which the learners are made · 随机种子
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
}

/// What was measured over the learners of one supply.
#[derive(Debug, Default)]
struct Measured {
    /// Nanoseconds of each plan.
    nanos: Vec<u64>,
    proven: u64,
    settled: u64,
    /// The largest gap that is left, in milli-credits.
    gap_milli: i64,
    /// Milli-credits that the plans grant.
    credit: i64,
    /// Milli-credits that each order grants.
    greedy: [i64; 3],
}

/// Nanoseconds that this thread has computed, where the system tells; else the time of the wall.
pub(super) fn computed(since: std::time::Instant) -> u64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    nanos.unwrap_or_else(|| u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

/// Measures.
pub(super) fn run(context: &Context, args: &Args) -> Ending {
    let mut told = serde_json::Map::new();
    for (key, zh, en, supply) in [
        ("scarce", "供给紧张", "scarce supply", Supply::Scarce),
        ("ample", "供给充足", "ample supply", Supply::Ample),
    ] {
        let mut measured = Measured::default();
        for index in 0..args.learners {
            let seed = args.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(index));
            let model = learner(seed, usize::from(args.records), usize::from(args.needs), supply);
            measured.learner(&model)?;
        }
        measured.nanos.sort_unstable();
        measured.tell(context, &Text { zh: zh.to_owned(), en: en.to_owned() });
        told.insert(key.to_owned(), measured.json());
    }
    context.output.json(&json!({
        "learners": args.learners,
        "records": args.records,
        "needs": args.needs,
        "seed": args.seed,
        "supply": told,
    }));
    Ok(Exit::Done)
}

impl Measured {
    /// Plans for a learner, checks the plan, and takes the offers in every order.
    fn learner(&mut self, model: &Model) -> Result<(), CommandError> {
        let since = instant();
        let before = computed(since);
        let plan = plan(model).map_err(unmeasured)?;
        self.nanos.push(computed(since).saturating_sub(before));
        check(model, &plan).map_err(unmeasured)?;
        match plan.status {
            Status::ProvenOptimal => self.proven = self.proven.saturating_add(1),
            Status::Feasible { gap_milli } => self.gap_milli = self.gap_milli.max(gap_milli),
        }
        match plan.ties {
            Ties::Settled => self.settled = self.settled.saturating_add(1),
            Ties::Open => {}
        }
        self.credit = self.credit.saturating_add(plan.allocation.credit_milli);
        for (sum, by) in self.greedy.iter_mut().zip(Greedy::ALL) {
            *sum = sum.saturating_add(greedy(model, by).map_err(unmeasured)?.credit_milli);
        }
        Ok(())
    }

    /// Microseconds of the plan that so many thousandths of all plans are quicker than.
    fn micros(&self, permille: usize) -> u64 {
        let last = self.nanos.len().saturating_sub(1);
        let place = last.saturating_mul(permille).div_euclid(1_000);
        self.nanos.get(place).copied().unwrap_or(0).div_euclid(1_000)
    }

    /// Thousandths of the plans.
    fn permille(&self, count: u64) -> u64 {
        let all = u64::try_from(self.nanos.len()).unwrap_or(u64::MAX);
        count.saturating_mul(1_000).checked_div(all).unwrap_or(0)
    }

    /// What each order leaves unused of the credit of the plans, in thousandths of a per cent.
    fn losses(&self) -> [i64; 3] {
        self.greedy.map(|sum| {
            self.credit.saturating_sub(sum).saturating_mul(100_000).checked_div(self.credit).unwrap_or(0)
        })
    }

    fn tell(&self, context: &Context, supply: &Text) {
        let say = |zh: &str, en: &str, value: String| {
            let (of_zh, of_en) = (&supply.zh, &supply.en);
            let text = Text { zh: format!("{of_zh},{zh}: {value}"), en: format!("{of_en}, {en}: {value}") };
            context.output.text(&text);
        };
        let millis = |micros: u64| thousandths(i64::try_from(micros).unwrap_or(i64::MAX));
        let percent = |permille: u64| {
            format!("{} %", thousandths(i64::try_from(permille.saturating_mul(100)).unwrap_or(i64::MAX)))
        };
        say(
            "每次规划处理器时间中位数(毫秒)",
            "processor time of a plan, median (ms)",
            millis(self.micros(500)),
        );
        say("90 分位(毫秒)", "90th percentile (ms)", millis(self.micros(900)));
        say("最长(毫秒)", "longest (ms)", millis(self.micros(1_000)));
        say("已证明学分最优", "credit proven best", percent(self.permille(self.proven)));
        say("并列已全部裁定", "ties settled", percent(self.permille(self.settled)));
        say("未证明者的最大差距(学分)", "largest gap of the others (credits)", thousandths(self.gap_milli));
        let [first_fit, by_value, by_density] = self.losses();
        let lost = |loss: i64| format!("{} %", thousandths(loss));
        say("按日期先到先放损失的学分", "credit lost by first fit in order of date", lost(first_fit));
        say("按学分从大到小损失的学分", "credit lost by most credit first", lost(by_value));
        say(
            "按每条学分从大到小损失的学分",
            "credit lost by most credit for a record first",
            lost(by_density),
        );
    }

    fn json(&self) -> Value {
        let [first_fit, by_value, by_density] = self.losses();
        json!({
            "median_us": self.micros(500),
            "p90_us": self.micros(900),
            "max_us": self.micros(1_000),
            "proven_permille": self.permille(self.proven),
            "settled_permille": self.permille(self.settled),
            "gap_milli_max": self.gap_milli,
            "credit_milli": self.credit,
            "loss_first_fit_per_100000": first_fit,
            "loss_by_value_per_100000": by_value,
            "loss_by_density_per_100000": by_density,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_learner_is_planned_checked_and_compared() {
        let mut measured = Measured::default();
        for seed in 0..3 {
            measured.learner(&learner(seed, 12, 6, Supply::Scarce)).unwrap();
        }
        measured.nanos.sort_unstable();
        assert_eq!(measured.nanos.len(), 3);
        assert!(measured.micros(0) <= measured.micros(500) && measured.micros(500) <= measured.micros(1_000));
        assert_eq!(measured.permille(3), 1_000);
        // No order grants more than the best plans together.
        assert!(measured.proven == 3 && measured.losses().iter().all(|loss| (0..100_000).contains(loss)));
        assert_eq!(measured.json()["proven_permille"], 1_000);
    }
}
