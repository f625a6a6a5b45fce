//! `creditbank bench rules`: what one record against one rule costs, and what a large book costs to load and check.
//!
//! An evaluation is one record against one rule that holds for it, fully matched, converted, rounded and held under the
//! caps of the record, the year and the rule. What does not hold, or is skipped by an index, is not counted.

use super::super::Context;
use super::plan::computed;
use super::{per_second, unmeasured};
use crate::ending::{CommandError, Ending, Exit};
use crate::output::thousandths;
use credit_rules::book::Book;
use credit_rules::check::{Surroundings, check};
use credit_rules::finding::{Finding, Severity};
use credit_rules::input::Question;
use credit_rules::meter::Meter;
use credit_rules::program::Program;
use credit_service::clock::instant;
use credit_types::Text;
use serde_json::json;

/// Rules of the book whose evaluations are counted.
const RULES: u32 = 100;
/// Records that are held against each of them.
const RECORDS: u32 = 200;

/// How much.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Times that every record is held against every rule · 每条成果对每条规则评估的轮数
    #[arg(long, default_value_t = 200, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rounds: u32,
    /// Rules of the large book · 大规则书的规则条数
    #[arg(long, default_value_t = 20_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    large: u32,
}

/// What of a book's rules is decided by a table: every so-manieth.
#[derive(Debug, Clone, Copy)]
enum Tables {
    None,
    EveryFifth,
}

/// What evaluations cost.
#[derive(Debug, Clone, Copy)]
struct Evaluated {
    count: u64,
    nanos: u64,
}

/// Measures.
pub(super) fn run(context: &Context, args: &Args) -> Ending {
    let plain = evaluated(args.rounds, Tables::None)?;
    let mixed = evaluated(args.rounds, Tables::EveryFifth)?;
    let since = instant();
    let before = computed(since);
    let findings = loaded(args.large)?;
    let large_us = computed(since).saturating_sub(before).div_euclid(1_000);
    let say = |zh: &str, en: &str, value: String| {
        context.output.text(&Text { zh: format!("{zh}: {value}"), en: format!("{en}: {value}") });
    };
    let millions = |rate: u64| thousandths(i64::try_from(rate.div_euclid(1_000)).unwrap_or(i64::MAX));
    say("评估次数", "evaluations", plain.count.to_string());
    say(
        "每核每秒评估(百万),按比例的规则",
        "evaluations a second and core (millions), rules by ratio",
        millions(plain.rate()),
    );
    say(
        "每核每秒评估(百万),五分之一为表",
        "evaluations a second and core (millions), a fifth of the rules by table",
        millions(mixed.rate()),
    );
    say("大规则书的规则条数", "rules of the large book", args.large.to_string());
    let seconds = thousandths(i64::try_from(large_us.div_euclid(1_000)).unwrap_or(i64::MAX));
    say("读入并检查的处理器时间(秒)", "processor time to load and check it (s)", seconds);
    say("检查结果条数", "findings", findings.to_string());
    context.output.json(&json!({
        "rules": RULES,
        "records": RECORDS,
        "evaluations": plain.count,
        "evaluations_per_second_core": plain.rate(),
        "evaluations_per_second_core_with_tables": mixed.rate(),
        "large_rules": args.large,
        "large_load_and_check_cpu_us": large_us,
        "large_findings": findings,
    }));
    Ok(Exit::Done)
}

impl Evaluated {
    fn rate(self) -> u64 {
        per_second(self.count, self.nanos)
    }
}

/// Holds every record against every rule, again and again.
fn evaluated(rounds: u32, tables: Tables) -> Result<Evaluated, CommandError> {
    let program =
        Program::new(toml::from_str(&book(RULES, tables)).map_err(unmeasured)?).map_err(unmeasured)?;
    let question: Question = toml::from_str(&question()).map_err(unmeasured)?;
    let records: Vec<_> = question.records.iter().map(|record| program.prepare(record, &question)).collect();
    let mut meter = Meter::new(&program, None);
    let mut count = 0u64;
    let since = instant();
    let before = computed(since);
    for _ in 0..rounds {
        for record in &records {
            for rank in 0..program.rule_count() {
                count = count.saturating_add(u64::from(meter.grant(rank, record).is_some()));
            }
        }
    }
    Ok(Evaluated { count, nanos: computed(since).saturating_sub(before) })
}

/// Reads and checks a large book; the count of findings, of which none is an error.
fn loaded(rules: u32) -> Result<usize, CommandError> {
    let faulty = |finding: &Finding| unmeasured(anyhow::anyhow!("{}: {}", finding.path, finding.message.en));
    let book = Book::from_toml(&large(rules)).map_err(|findings| {
        findings.first().map_or_else(|| unmeasured(anyhow::anyhow!("the large book")), faulty)
    })?;
    let findings = check(&book, &Surroundings::default());
    match findings.iter().find(|finding| finding.severity == Severity::Error) {
        Some(error) => Err(faulty(error)),
        None => Ok(findings.len()),
    }
}

const HEAD: &str = "schema = \"rulebook/1\"\nid = \"bench\"\nversion = 1\neffective = { from = 2020-01-01 }\nlabels = { zh = \
                    \"测\", en = \"bench\" }\n[standards]\ncb = { label = { zh = \"学分\", en = \"credit\" }, step = \"0.1 cr\" \
                    }\n[groups]\nnear = [\"cn.a.\"]\n";

/// A book in which every rule holds for every record: six conditions, a conversion, three caps.
fn book(rules: u32, tables: Tables) -> String {
    let rules = (0..rules).map(|number| {
        let least = number.rem_euclid(4).saturating_add(1);
        let head = format!(
            "[[rule]]\nid = \"r{number}\"\nkind = \"hours\"\nlabels = {{ zh = \"测\", en = \"bench\" }}\nwhen = {{ record_kind = \
             \"cpd\", issuer_group = \"near\", hour_kind = \"ce\", min_hours = \"{least} h\", passed = true, min_attendance \
             = \"80 %\" }}\naward = {{ pool = \"p\", trim = true }}\ncap = [{{ per = \"record\", max = \"4 cr\" }}, {{ per = \
             \"learner-year\", max = \"1000000 cr\" }}, {{ per = \"rule\", max = \"1000000 cr\" }}]\n"
        );
        let table = matches!(tables, Tables::EveryFifth) && number.rem_euclid(5) == 0;
        if table {
            return head + TABLE;
        }
        let hours = number.rem_euclid(20).saturating_add(8);
        let round = if number.rem_euclid(2) == 0 { "floor" } else { "half_up" };
        format!("{head}convert = {{ ratio = \"{hours} h / 1 cr\", std = \"cb\", round = \"{round}\" }}\n")
    });
    std::iter::once(HEAD.to_owned()).chain(rules).collect()
}

const TABLE: &str = "convert = { std = \"cb\" }\n[rule.table]\nrows = [{ hours = { at_least = 0, below = 8 }, credit = \"1 cr\" }, \
                     { hours = { at_least = 8, below = 16 }, credit = \"2 cr\" }, { hours = { at_least = 16 }, credit = \"3 cr\" \
                     }]\n";

/// A book of as many articulations as a system has: each course of a college to one of a university.
fn large(rules: u32) -> String {
    let rules = (0..rules).map(|number| {
        format!(
            "[[rule]]\nid = \"r{number}\"\nkind = \"course\"\nlabels = {{ zh = \"课\", en = \"course\" }}\nwhen = {{ course = \
             \"cn.a:C{number}\", passed = true }}\naward = {{ course = \"cn.u:T{number}\", credit = \"3 cr\", std = \"cb\", \
             whole = true }}\ncap = {{ per = \"target\", max = \"3 cr\" }}\n"
        )
    });
    std::iter::once(HEAD.to_owned()).chain(rules).collect()
}

/// Records for which every rule of the book holds.
fn question() -> String {
    let records = (0..RECORDS).map(|number| {
        let (issuer, year) = (number.rem_euclid(7), number.rem_euclid(5).saturating_add(2021));
        let minutes = number.saturating_mul(17).saturating_add(1_700);
        format!(
            "[[records]]\nid = \"x{number}\"\nissuer = \"cn.a.{issuer}\"\nkind = \"cpd\"\nhours = \"{minutes} min\"\nhour_kind = \
             \"ce\"\nearned_on = {year}-03-01\npassed = true\nattendance = \"90 %\"\n"
        )
    });
    std::iter::once("on = 2026-11-23\n".to_owned()).chain(records).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_evaluation_grants_and_a_book_of_articulations_has_no_faults() {
        for tables in [Tables::None, Tables::EveryFifth] {
            let all = u64::from(RULES) * u64::from(RECORDS);
            assert_eq!(evaluated(1, tables).unwrap().count, all, "{tables:?}");
        }
        assert!(loaded(50).is_ok());
    }
}
