//! What came of it, as text and as JSON.

use super::super::parts::{Parts, per};
use super::super::rate;
use super::super::squeeze::Squeezed;
use super::Filled;
use super::cluster::SETTINGS;
use super::environment::{Fact, fact, facts};
use super::figures::{Figures, POSTGRES_BATCH, UNARY_FLOOR};
use super::growth::Point;
use super::known::{Group, KNOWN, Known};
use super::sizes::Sizes;
use super::targets::{Sized, Target, targets};
use crate::output::{Output, thousandths};
use credit_types::Text;
use serde_json::{Value, json};
use std::path::Path;

/// What became of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried {
    /// Nobody asked for it.
    Unasked,
    /// It isn't here.
    Absent,
    /// It is here and did not start.
    Failed(String),
    /// It ran; what it says of itself.
    Ran(String),
}

impl Tried {
    /// In words.
    pub(super) fn text(&self) -> Text {
        let (zh, en) = match self {
            Self::Unasked => ("本次未测".to_owned(), "not asked for".to_owned()),
            Self::Absent => (
                "未找到 initdb、postgres、pgbench、psql,故无基线".to_owned(),
                "absent: no initdb, postgres, pgbench and psql were found, so there is no baseline"
                    .to_owned(),
            ),
            Self::Failed(cause) => (format!("未能启动:{cause}"), format!("did not start: {cause}")),
            Self::Ran(version) => (version.clone(), version.clone()),
        };
        Text { zh, en }
    }
}

/// How the figures grow.
pub(super) struct Grown {
    pub(super) points: Vec<Point>,
    pub(super) parts: Parts,
    /// Records of the last size.
    pub(super) records: u64,
}

/// The whole report.
pub(super) struct Report {
    pub(super) facts: Vec<Fact>,
    pub(super) figures: Figures,
    pub(super) filled: Filled,
    pub(super) tried: Tried,
    pub(super) grown: Option<Grown>,
    pub(super) peak_kib: Option<u64>,
    accounts: u64,
    records: u64,
}

/// A text in both languages.
pub(super) fn text(zh: &str, en: &str) -> Text {
    Text { zh: zh.to_owned(), en: en.to_owned() }
}

/// Thousandths as people write them; nothing where there are none.
pub(super) fn milli(value: Option<u64>) -> String {
    value.map(|value| thousandths(i64::try_from(value).unwrap_or(i64::MAX))).unwrap_or_default()
}

/// Whether a target was reached, in words.
pub(super) fn verdict(target: &Target) -> Text {
    let mark = if target.large_enough { "" } else { "*" };
    match target.met() {
        None => text("–", "–"),
        Some(true) => Text { zh: format!("是{mark}"), en: format!("yes{mark}") },
        Some(false) => Text { zh: format!("否{mark}"), en: format!("no{mark}") },
    }
}

/// What the mark beside a verdict means.
pub(super) fn mark_text() -> Text {
    text("* 本次规模小于目标所述", "* this run was smaller than the target asks")
}

/// The names of groups.
pub(super) fn group_text(group: Group) -> Text {
    match group {
        Group::Limit => text("机器极限", "Limits of the machine"),
        Group::Ours => text("账本,经 gRPC 本机回环", "The ledger, over gRPC on loopback"),
        Group::Postgres => text("PostgreSQL,同等耐久性", "PostgreSQL, just as durable"),
    }
}

impl Report {
    /// Begins one.
    pub(super) fn new(root: &Path, sizes: &Sizes, seed: u64) -> Self {
        let mut facts = facts(root);
        facts.push(fact("rounds", "轮数", "rounds", sizes.rounds));
        facts.push(fact("seed", "随机种子", "seed", seed));
        facts.push(fact("accounts", "账户", "accounts", sizes.accounts));
        facts.push(fact("records", "测量前的学习成果", "records before it is measured", sizes.records));
        facts.push(fact("issuers", "机构", "issuers", sizes.issuers));
        Self {
            facts,
            figures: Figures::default(),
            filled: Filled::default(),
            tried: Tried::Unasked,
            grown: None,
            peak_kib: None,
            accounts: sizes.accounts,
            records: sizes.records,
        }
    }

    /// The figures of a group that were measured.
    pub(super) fn of_group(&self, group: Group) -> impl Iterator<Item = &'static Known> {
        KNOWN.iter().filter(move |known| known.group == group && !self.figures.samples(known.id).is_empty())
    }

    /// Every target.
    pub(super) fn targets(&self) -> Vec<Target> {
        let grown = self.grown.as_ref();
        let sized = Sized {
            accounts: self.accounts,
            records: self.records,
            peak_kib: self.peak_kib,
            growth: grown.map_or(&[], |grown| grown.points.as_slice()),
            bytes: grown.map(|grown| (grown.parts.disk(), grown.parts.content())),
        };
        targets(&self.figures, &sized)
    }

    /// Writes it.
    pub(super) fn tell(&self, output: Output) {
        for Fact { id: _, name, value } in &self.facts {
            output.text(&Text { zh: format!("{}: {value}", name.zh), en: format!("{}: {value}", name.en) });
        }
        let Text { zh, en } = self.tried.text();
        output.text(&Text { zh: format!("PostgreSQL: {zh}"), en: format!("PostgreSQL: {en}") });
        if self.filled.records > 0 {
            let filled = rate(self.filled.records, self.filled.time);
            output.text(&Text {
                zh: format!("装入城市,条/秒: {filled}"),
                en: format!("records a second while the city was filled: {filled}"),
            });
        }
        for group in [Group::Limit, Group::Ours, Group::Postgres] {
            self.tell_group(output, group);
        }
        self.tell_growth(output);
        self.tell_targets(output);
        output.json(&self.document());
    }

    fn tell_group(&self, output: Output, group: Group) {
        let rows: Vec<Vec<String>> = self
            .of_group(group)
            .filter_map(|known| {
                let spread = self.figures.spread(known.id)?;
                let name = output.language.of(&text(known.zh, known.en)).to_owned();
                let counts = [spread.min, spread.median, spread.max].map(|value| value.to_string());
                let ratios = [self.figures.of_bound(known), self.figures.of_postgres(known)].map(milli);
                Some([vec![name, known.unit.name().to_owned()], counts.to_vec(), ratios.to_vec()].concat())
            })
            .collect();
        if rows.is_empty() {
            return;
        }
        output.raw_line("");
        output.text(&group_text(group));
        let header = [
            text("指标", "figure"),
            text("单位", "unit"),
            text("最小", "min"),
            text("中位", "median"),
            text("最大", "max"),
            text("对极限", "of bound"),
            text("对 PostgreSQL", "of PostgreSQL"),
        ];
        output.grid(&header.map(|name| output.language.of(&name).to_owned()), &rows);
    }

    fn tell_growth(&self, output: Output) {
        let Some(grown) = &self.grown else { return };
        output.raw_line("");
        output.text(&text("增长", "Growth"));
        let names = Point::default().rows();
        let header: Vec<String> =
            names.iter().map(|(_, zh, en, _)| output.language.of(&text(zh, en)).to_owned()).collect();
        let rows: Vec<Vec<String>> = grown
            .points
            .iter()
            .map(|point| point.rows().map(|(.., value)| value.to_string()).to_vec())
            .collect();
        output.grid(&header, &rows);
        for (zh, en, bytes) in grown.parts.rows() {
            let each = per(bytes, grown.records);
            output.text(&Text {
                zh: format!("每条成果字节数·{zh}: {each}"),
                en: format!("bytes a record, {en}: {each}"),
            });
        }
        for (zh, en) in grown.parts.squeezed().iter().map(Squeezed::line) {
            output.text(&Text { zh, en });
        }
    }

    fn tell_targets(&self, output: Output) {
        output.raw_line("");
        output.text(&text("目标", "Targets"));
        let header =
            [text("目标", "target"), text("要求", "wanted"), text("达到", "reached"), text("是否", "met")];
        let targets = self.targets();
        let rows: Vec<Vec<String>> = targets
            .iter()
            .map(|target| {
                vec![
                    output.language.of(&text(target.zh, target.en)).to_owned(),
                    target.wanted(target.target),
                    target.reached.map(|reached| target.text(reached)).unwrap_or_default(),
                    output.language.of(&verdict(target)).to_owned(),
                ]
            })
            .collect();
        output.grid(&header.map(|name| output.language.of(&name).to_owned()), &rows);
        if targets.iter().any(|target| target.met().is_some() && !target.large_enough) {
            output.text(&mark_text());
        }
    }

    fn document(&self) -> Value {
        let facts: serde_json::Map<String, Value> =
            self.facts.iter().map(|fact| (fact.id.to_owned(), fact.value.clone().into())).collect();
        let figures: Vec<Value> = KNOWN.iter().filter_map(|known| self.figure(known)).collect();
        let Text { zh, en } = self.tried.text();
        let growth = self.grown.as_ref().map(|grown| {
            let point = |point: &Point| -> Value {
                point.rows().into_iter().map(|(id, _, _, value)| (id.to_owned(), value.into())).collect::<serde_json::Map<_, Value>>().into()
            };
            let parts: serde_json::Map<String, Value> =
                grown.parts.rows().into_iter().map(|(_, en, bytes)| (en.to_owned(), bytes.into())).collect();
            json!({ "points": grown.points.iter().map(point).collect::<Vec<_>>(), "records": grown.records, "bytes": parts,
                "compression": grown.parts.squeezed().iter().map(Squeezed::json).collect::<Vec<_>>() })
        });
        json!({
            "environment": facts,
            "postgres": {
                "present": matches!(self.tried, Tried::Ran(_)), "zh": zh, "en": en, "settings": SETTINGS,
            },
            "filled": { "records": self.filled.records, "per_second": rate(self.filled.records, self.filled.time) },
            "peak_kib": self.peak_kib,
            "figures": figures,
            "made": {
                UNARY_FLOOR: self.figures.median(UNARY_FLOOR), POSTGRES_BATCH: self.figures.median(POSTGRES_BATCH),
            },
            "growth": growth,
            "targets": self.targets().iter().map(Self::target).collect::<Vec<_>>(),
        })
    }

    fn figure(&self, known: &Known) -> Option<Value> {
        let spread = self.figures.spread(known.id)?;
        Some(json!({
            "id": known.id,
            "zh": known.zh,
            "en": known.en,
            "unit": known.unit.name(),
            "min": spread.min,
            "median": spread.median,
            "max": spread.max,
            "samples": self.figures.samples(known.id),
            "bound": known.bound,
            "of_bound_permille": self.figures.of_bound(known),
            "postgres": known.postgres,
            "of_postgres_permille": self.figures.of_postgres(known),
        }))
    }

    fn target(target: &Target) -> Value {
        json!({
            "id": target.id,
            "zh": target.zh,
            "en": target.en,
            "target": target.wanted(target.target),
            "stretch": target.stretch.map(|stretch| target.wanted(stretch)),
            "reached": target.reached.map(|reached| target.text(reached)),
            "met": target.met(),
            "stretch_met": target.stretch_met(),
            "as_large_as_asked": target.large_enough,
        })
    }
}
