//! The report as one page for people: both languages, pictures, no scripts, nothing from elsewhere.

mod chart;

use super::environment::Fact;
use super::figures::POSTGRES_BATCH;
use super::growth::Point;
use super::known::{Group, KNOWN, Known};
use super::report::{Grown, Report, group_text, mark_text, milli, verdict};
use super::stats::Spread;
use crate::language::Language;
use chart::grouped;
use credit_types::Text;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The look that all reports share.
const STYLE: &str = include_str!("../../verify/page/style.css");
/// What belongs to this one.
const OWN_STYLE: &str = include_str!("page/style.css");

/// Whose a figure is, and which.
type Member = (&'static str, &'static str);

/// Bars that stand under one another, on one scale.
const RATES: &[(&str, &str, &[Member])] = &[
    (
        "semester:一机构一批次,每人十条",
        "semester: one issuer a batch, ten records a learner",
        &[
            ("ours", "semester_1"),
            ("ours", "semester_4"),
            ("ours", "semester_live"),
            ("bound", "packed_append"),
            ("postgres", "postgres_batch_1000"),
            ("postgres", "postgres_batch_5000"),
            ("postgres", "postgres_batch_20000"),
        ],
    ),
    (
        "scattered:多机构逐条签名,流式",
        "scattered: many issuers, each record signed, streamed",
        &[("ours", "scattered"), ("ours", "scattered_live"), ("bound", "verify"), ("bound", "batch")],
    ),
    (
        "逐条提交",
        "Unary submit",
        &[
            ("ours", "unary_1"),
            ("ours", "unary_16"),
            ("ours", "unary_256"),
            ("bound", "rpc_1"),
            ("bound", "rpc_16"),
            ("bound", "rpc_256"),
            ("postgres", "postgres_one_1"),
            ("postgres", "postgres_one_16"),
        ],
    ),
    (
        "读取",
        "Reads",
        &[
            ("ours", "balance_1"),
            ("ours", "balance_16"),
            ("ours", "balance_256"),
            ("ours", "loaded_16"),
            ("ours", "loaded_256"),
            ("ours", "receipt_16"),
            ("ours", "receipt_256"),
            ("ours", "city"),
            ("bound", "rpc_16"),
            ("bound", "rpc_256"),
        ],
    ),
];

/// Latencies: whose they are, and the figures without `_p50` and `_p99`.
const TIMES: &[Member] = &[
    ("bound", "fdatasync"),
    ("bound", "rpc_1"),
    ("bound", "rpc_16"),
    ("bound", "rpc_256"),
    ("ours", "semester_1"),
    ("ours", "semester_4"),
    ("ours", "unary_1"),
    ("ours", "unary_16"),
    ("ours", "unary_256"),
    ("postgres", "postgres_one_1"),
    ("postgres", "postgres_one_16"),
    ("ours", "balance_1"),
    ("ours", "balance_16"),
    ("ours", "balance_256"),
    ("ours", "receipt_1"),
    ("ours", "receipt_16"),
    ("ours", "receipt_256"),
    ("ours", "city_read"),
    ("ours", "city_write"),
];

fn say(zh: &str, en: &str) -> Markup {
    html! { span.zh lang="zh-CN" { (zh) } " " span.en lang="en" { (en) } }
}

fn both(text: &Text) -> Markup {
    say(&text.zh, &text.en)
}

fn known(id: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.id == id)
}

/// The page of a report.
pub(super) fn render(report: &Report, language: Language) -> String {
    let zh = language == Language::Zh;
    let choices =
        [("show-zh", "中文", zh), ("show-en", "English", !zh), ("show-both", "中文 + English", false)];
    let page = html! {
        (DOCTYPE)
        html lang=(if zh { "zh-CN" } else { "en" }) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="robots" content="noindex";
                title { "学分账本速测报告 · Benchmark of a credit ledger" }
                style { (PreEscaped(STYLE)) (PreEscaped(OWN_STYLE)) }
            }
            body {
                @for (id, label, chosen) in choices {
                    input type="radio" name="language" id=(id) checked[chosen];
                    label for=(id) { (label) }
                }
                main {
                    header {
                        h1 { (say("学分账本速测报告", "Benchmark of a credit ledger")) }
                        p.lead { (say("同一台机器、同一次运行,各轮交替:机器极限、账本、PostgreSQL。", "One machine, one run, in turns: the limits of the machine, the ledger, PostgreSQL.")) }
                    }
                    (cards(report))
                    (targets(report))
                    (rates(report))
                    (times(report))
                    @if let Some(grown) = &report.grown { (growth(grown)) }
                    @for group in [Group::Limit, Group::Ours, Group::Postgres] { (figures(report, group)) }
                    (environment(report))
                }
            }
        }
    };
    page.into_string()
}

/// The figures that say most.
fn cards(report: &Report) -> Markup {
    let figures = &report.figures;
    let semester = figures.best(&["semester_1", "semester_4"]);
    let of_postgres = semester.zip(figures.median(POSTGRES_BATCH));
    let of_postgres = of_postgres.and_then(|(ours, theirs)| super::stats::permille(ours, theirs));
    let share = |id: &str| known(id).and_then(|known| figures.of_bound(known));
    let against = |id: &str| known(id).and_then(|known| figures.of_postgres(known));
    let cards = [
        (
            "成批提交,条/秒",
            "records a second, in batches",
            semester,
            of_postgres,
            "× PostgreSQL",
            "× PostgreSQL",
        ),
        (
            "逐条签名流式,条/秒",
            "records a second, each signed, streamed",
            figures.median("scattered"),
            share("scattered"),
            "× 逐条验签",
            "× bare verification",
        ),
        (
            "逐条调用,条/秒",
            "records a second, one a call",
            figures.median("unary_256"),
            against("unary_256"),
            "× PostgreSQL",
            "× PostgreSQL",
        ),
        (
            "查询余额,次/秒",
            "balances a second",
            figures.median("balance_256"),
            share("balance_256"),
            "× 空 RPC",
            "× an empty RPC",
        ),
    ];
    html! {
        section {
            dl.counts {
                @for (zh, en, value, ratio, of_zh, of_en) in cards {
                    @if let Some(value) = value {
                        div {
                            dd { (grouped(value)) }
                            dt { (say(zh, en)) }
                            @if ratio.is_some() { p { (milli(ratio)) " " (say(of_zh, of_en)) } }
                        }
                    }
                }
            }
        }
    }
}

fn targets(report: &Report) -> Markup {
    let targets = report.targets();
    let small = targets.iter().any(|target| target.met().is_some() && !target.large_enough);
    html! {
        section {
            h2 { (say("目标", "Targets")) }
            div.scroll { table {
                tr {
                    th { (say("目标", "target")) }
                    th.number { (say("要求", "wanted")) }
                    th.number { (say("力争", "stretch")) }
                    th.number { (say("达到", "reached")) }
                    th { (say("是否", "met")) }
                }
                @for target in &targets {
                    tr {
                        td { (say(target.zh, target.en)) }
                        td.number { (target.wanted(target.target)) }
                        td.number { @if let Some(stretch) = target.stretch { (target.wanted(stretch)) } }
                        td.number { @if let Some(reached) = target.reached { (target.text(reached)) } }
                        td class=(match target.met() { Some(true) => "yes", Some(false) => "no", None => "open" }) { (both(&verdict(target))) }
                    }
                }
            } }
            @if small { p.small { (both(&mark_text())) } }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.key {
            li { i.ours {} (say("账本", "the ledger")) }
            li { i.bound {} (say("机器极限", "limit of the machine")) }
            li { i.postgres {} "PostgreSQL" }
        }
    }
}

fn rates(report: &Report) -> Markup {
    html! {
        section {
            h2 { (say("速率", "Rates")) }
            p { (say("条形为各轮中位数,横线为最小到最大;每组一个刻度。", "A bar is the median of the rounds, the line goes from the least to the greatest; each group has its own scale.")) }
            (legend())
            @for (zh, en, members) in RATES {
                @let shown: Vec<(&str, &Known, Spread)> = members.iter().filter_map(|(class, id)| Some((*class, known(id)?, report.figures.spread(id)?))).collect();
                @if shown.iter().any(|(class, ..)| *class == "ours") {
                    @let whole = shown.iter().map(|(.., spread)| spread.max).max().unwrap_or(1);
                    h3 { (say(zh, en)) }
                    div.bars {
                        @for (class, known, spread) in &shown {
                            span { (say(known.zh, known.en)) }
                            (chart::bar(class, spread.min, spread.median, spread.max, whole))
                            span.number { (grouped(spread.median)) " " (known.unit.name()) }
                        }
                    }
                }
            }
        }
    }
}

fn times(report: &Report) -> Markup {
    let shown: Vec<(&str, &Known, u64, u64)> = TIMES
        .iter()
        .filter_map(|(class, what)| {
            let low = report.figures.median(&format!("{what}_p50"))?;
            let high = report.figures.median(&format!("{what}_p99"))?;
            Some((*class, known(&format!("{what}_p50"))?, low, high))
        })
        .collect();
    let from = shown.iter().map(|(_, _, low, _)| *low).min().unwrap_or(1).max(1);
    let to = shown.iter().map(|(.., high)| *high).max().unwrap_or(1).max(from);
    let name = |text: &str| text.trim_end_matches("p50").trim_end_matches([',', ' ']).to_owned();
    html! {
        @if !shown.is_empty() {
            section {
                h2 { (say("延迟", "Latencies")) }
                p { (say("从 p50 到 p99,对数刻度。", "From p50 to p99, on a logarithmic scale.")) }
                (legend())
                div.bars {
                    @for (class, known, low, high) in &shown {
                        span { (say(&name(known.zh), &name(known.en))) }
                        (chart::span(class, *low, *high, from, to))
                        span.number { (grouped(*low)) " – " (grouped(*high)) " µs" }
                    }
                    div.scale { span { (grouped(from)) " µs" } span { (grouped(to)) " µs" } }
                }
            }
        }
    }
}

fn growth(grown: &Grown) -> Markup {
    let names = Point::default().rows();
    let values: Vec<_> = grown.points.iter().map(Point::rows).collect();
    let parts: Vec<(&str, &str, u64)> =
        grown.parts.rows().into_iter().filter(|(_, en, _)| *en != "on disk").collect();
    let bytes: Vec<u64> = parts.iter().map(|(.., bytes)| *bytes).collect();
    html! {
        section {
            h2 { (say("增长", "Growth")) }
            p { (say("横轴为学习成果条数(对数),纵轴自零起。", "Across: records, on a logarithmic scale; upwards: from nothing.")) }
            div.plots {
                @for (place, (_, zh, en, _)) in names.iter().enumerate().skip(1) {
                    @let points: Vec<(u64, u64)> = values.iter().filter_map(|rows| Some((rows.first()?.3, rows.get(place)?.3))).collect();
                    figure.plot {
                        figcaption { (say(zh, en)) }
                        (chart::line(&points))
                    }
                }
            }
            h3 { (say("每条成果的字节", "Bytes a record")) }
            (chart::stack(&bytes))
            ul.key {
                @for (number, (zh, en, bytes)) in parts.iter().enumerate() {
                    li { i class=(format!("s{number}")) {} (say(zh, en)) " " (super::super::parts::per(*bytes, grown.records)) }
                }
                li { (say("磁盘占用", "on disk")) " " (super::super::parts::per(grown.parts.disk(), grown.records)) }
            }
            h3 { (say("压缩", "Compression")) }
            ul {
                @for (zh, en) in grown.parts.squeezed().iter().map(super::super::squeeze::Squeezed::line) {
                    li { (say(&zh, &en)) }
                }
            }
        }
    }
}

fn figures(report: &Report, group: Group) -> Markup {
    let shown: Vec<(&Known, Spread)> =
        report.of_group(group).filter_map(|known| Some((known, report.figures.spread(known.id)?))).collect();
    html! {
        @if !shown.is_empty() {
            section {
                h2 { (both(&group_text(group))) }
                div.scroll { table {
                    tr {
                        th { (say("指标", "figure")) }
                        th { (say("单位", "unit")) }
                        th.number { (say("最小", "min")) }
                        th.number { (say("中位", "median")) }
                        th.number { (say("最大", "max")) }
                        th.number { (say("对极限", "of bound")) }
                        th.number { (say("对 PostgreSQL", "of PostgreSQL")) }
                    }
                    @for (known, spread) in &shown {
                        tr {
                            td { (say(known.zh, known.en)) }
                            td { (known.unit.name()) }
                            @for value in [spread.min, spread.median, spread.max] { td.number { (grouped(value)) } }
                            @for ratio in [report.figures.of_bound(known), report.figures.of_postgres(known)] { td.number { (milli(ratio)) } }
                        }
                    }
                } }
            }
        }
    }
}

fn environment(report: &Report) -> Markup {
    html! {
        section {
            h2 { (say("测于", "Measured on")) }
            dl.identity {
                @for Fact { id: _, name, value } in &report.facts {
                    dt { (both(name)) }
                    dd { (value) }
                }
                dt { "PostgreSQL" }
                dd { (both(&report.tried.text())) }
            }
        }
    }
}
