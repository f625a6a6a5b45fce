//! What came of checking a log, as one page for people: both languages, pictures, no scripts, nothing from elsewhere.
//!
//! Every text goes through maud, which escapes it: a page can be made of a hostile log.

mod tally;
mod time;
mod tree;
mod words;

use super::super::Context;
use super::super::labels::instant;
use super::pipeline::Load;
use crate::ending::{CommandError, unwritable};
use crate::language::Language;
use credit_client::{ClientError, FileHeads, HeadStore as _, Trust};
use credit_log::checkpoint;
use credit_log::note::Note;
use credit_types::{Digest, Text};
use credit_verify::{Broken, CoresReport, Report, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tally::Tally;
use tree::grouped;

/// The look of the page: light and dark, wide and narrow, on paper.
const STYLE: &str = include_str!("page/style.css");
/// The civil offset in which times are shown, in minutes east of UTC.
const OFFSET_MINUTES: i32 = 480;

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The data directory of a stopped ledger.
    Stopped,
    /// An export.
    Export,
    /// A running ledger, with an auditor's token.
    Running,
    /// What everybody can see.
    Cores,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Checked<'r> {
    /// Whole entries; and what is wrong with the index rows.
    Whole(&'r Report, Option<&'r Text>),
    /// Cores, and how many files were read.
    Cores(&'r CoresReport, u64),
}

impl Checked<'_> {
    fn verdict(&self) -> &Verdict {
        match self {
            Self::Whole(report, _) => &report.verdict,
            Self::Cores(report, _) => &report.verdict,
        }
    }

    fn head(&self) -> (u64, Digest) {
        match self {
            Self::Whole(report, _) => (report.size, report.root),
            Self::Cores(report, _) => (report.size, report.root),
        }
    }

    fn broken(&self) -> Option<&Broken> {
        match self.verdict() {
            Verdict::Broken(broken) => Some(broken),
            Verdict::Ok | Verdict::NeedsNewer { .. } => None,
        }
    }
}

/// What a mark on the line of time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// The head that was checked.
    Checked,
    /// A head that was seen from this home before.
    Seen,
    /// A witness's cosignature.
    Cosigned,
}

/// A head at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    kind: MarkKind,
    size: u64,
    root: String,
    at_us: i64,
    by: String,
}

/// A page in the making: what is counted while the log is checked, and what was seen before.
pub(super) struct Page<'p> {
    path: &'p Path,
    scope: Scope,
    place: String,
    tally: Mutex<Tally>,
    seen: Vec<Mark>,
}

impl<'p> Page<'p> {
    /// Begins a page that is to be written to a file.
    pub(super) fn new(
        context: &Context,
        path: &'p Path,
        scope: Scope,
        place: impl std::fmt::Display,
        trust: &Trust,
    ) -> Result<Self, CommandError> {
        let seen = seen(context, trust)?;
        Ok(Self { path, scope, place: place.to_string(), tally: Mutex::default(), seen })
    }

    /// Counts one entry.
    pub(super) fn entry(&self, core: &[u8], parts: &[Vec<u8>]) {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).entry(core, parts);
    }

    /// Writes the page.
    pub(super) fn write(
        self,
        context: &Context,
        trust: &Trust,
        checked: Checked<'_>,
        note: Option<&str>,
    ) -> Result<(), CommandError> {
        let path = self.path;
        let now_us = credit_service::clock::Clock::default().now_us();
        let tally = self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let note = note.filter(|note| checkpoint::open(note, &trust.checkpoint_keys, &trust.origin).is_ok());
        let mut marks = self.seen;
        let (size, root) = checked.head();
        let last_us = tally.range().map(|(_, last)| last);
        if let Some(at_us) = last_us.filter(|_| checked.broken().is_none()) {
            let root = root.to_string();
            marks.push(Mark { kind: MarkKind::Checked, size, root, at_us, by: String::new() });
        }
        let (cosigned, others) = note.map(|note| cosignatures(trust, note, size, root)).unwrap_or_default();
        marks.extend(cosigned);
        marks.sort_by_key(|mark| (mark.at_us, mark.size));
        let told = Told {
            language: context.output.language,
            scope: self.scope,
            place: &self.place,
            trust,
            checked,
            note,
            others,
            tally: &tally,
            marks: &marks,
            now_us,
        };
        fs::write(path, told.page().into_string()).map_err(unwritable(path))
    }
}

/// A window whose entries are counted for a page, where there is one.
pub(super) fn counting<'w>(page: Option<&'w Page<'_>>, load: Load<'w>) -> Load<'w> {
    match page {
        None => load,
        Some(page) => Box::new(move || tally::counted(&page.tally, load())),
    }
}

/// The head that this home has kept, and when.
fn seen(context: &Context, trust: &Trust) -> Result<Vec<Mark>, CommandError> {
    let folder = context.home.heads();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let heads = FileHeads::new(&folder, trust.log_id).map_err(ClientError::from)?;
    let Some(note) = heads.load().map_err(ClientError::from)? else { return Ok(Vec::new()) };
    let Ok(head) = checkpoint::open(&note, &trust.checkpoint_keys, &trust.origin) else {
        return Ok(Vec::new());
    };
    let path = folder.join(format!("{}.checkpoint", trust.log_id));
    let kept = fs::metadata(&path).and_then(|about| about.modified());
    let at_us = kept.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let Some(at_us) = at_us.and_then(|at| i64::try_from(at.as_micros()).ok()) else { return Ok(Vec::new()) };
    let root = Digest(head.root).to_string();
    Ok(vec![Mark { kind: MarkKind::Seen, size: head.size, root, at_us, by: String::new() }])
}

/// The cosignatures of the pinned witnesses, and how many lines are by others.
fn cosignatures(trust: &Trust, note: &str, size: u64, root: Digest) -> (Vec<Mark>, usize) {
    let lines = Note::parse(note).map(|note| note.signatures.len()).unwrap_or_default();
    let others = lines.saturating_sub(1);
    let Some(policy) = &trust.witness_policy else { return (Vec::new(), others) };
    let Ok(judged) = policy.judge(note, 0) else { return (Vec::new(), others) };
    let mark = |cosigned: &credit_log::cosignature::Cosigned| Mark {
        kind: MarkKind::Cosigned,
        size,
        root: root.to_string(),
        at_us: i64::try_from(cosigned.time_s).unwrap_or(i64::MAX).saturating_mul(1_000_000),
        by: policy.witnesses().get(cosigned.witness).map(|witness| witness.name.clone()).unwrap_or_default(),
    };
    let by: Vec<Mark> = judged.by.iter().map(mark).collect();
    let others = others.saturating_sub(by.len());
    (by, others)
}

/// A text in both languages, of which the reader chooses.
fn both(text: &Text) -> Markup {
    html! { span.zh lang="zh-CN" { (text.zh) } " " span.en lang="en" { (text.en) } }
}

/// A phrase of the page.
fn say(zh: &str, en: &str) -> Markup {
    html! { span.zh lang="zh-CN" { (zh) } " " span.en lang="en" { (en) } }
}

/// All that the page tells.
struct Told<'t> {
    language: Language,
    scope: Scope,
    place: &'t str,
    trust: &'t Trust,
    checked: Checked<'t>,
    note: Option<&'t str>,
    others: usize,
    tally: &'t Tally,
    marks: &'t [Mark],
    now_us: i64,
}

impl Told<'_> {
    fn page(&self) -> Markup {
        let zh = self.language == Language::Zh;
        html! {
            (DOCTYPE)
            html lang=(if zh { "zh-CN" } else { "en" }) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                    meta name="robots" content="noindex";
                    title { "账本验证报告 · Verification report: " (self.trust.origin) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    @for (id, label, chosen) in [("show-zh", "中文", zh), ("show-en", "English", !zh), ("show-both", "中文 + English", false)] {
                        input type="radio" name="language" id=(id) checked[chosen];
                        label for=(id) { (label) }
                    }
                    main {
                        (self.title())
                        (self.verdict())
                        (self.counts())
                        (self.tree())
                        (self.over_time())
                        (self.by_kind())
                        (self.identity())
                        (self.again())
                    }
                }
            }
        }
    }

    fn title(&self) -> Markup {
        html! {
            header {
                h1 { (say("学分账本验证报告", "Verification report of a credit ledger")) }
                p.of { (self.trust.origin) }
                p.when { (both(&words::scope(self.scope))) }
                p.when { (say("验证时间", "Checked")) " " time { (instant(self.now_us, OFFSET_MINUTES)) } }
            }
        }
    }

    fn verdict(&self) -> Markup {
        let rows = match self.checked {
            Checked::Whole(_, rows) => rows,
            Checked::Cores(..) => None,
        };
        let (class, sign) = match self.checked.verdict() {
            Verdict::Broken(_) => ("verdict broken", "✗"),
            Verdict::Ok | Verdict::NeedsNewer { .. } if rows.is_some() => ("verdict broken", "✗"),
            Verdict::NeedsNewer { .. } => ("verdict newer", "?"),
            Verdict::Ok => ("verdict fine", "✓"),
        };
        html! {
            section class=(class) {
                p.sign aria-hidden="true" { (sign) }
                div {
                    p.plain { (both(&words::verdict(&self.checked))) }
                    @if let Some(broken) = self.checked.broken() {
                        p { (both(&super::broken_text(broken))) }
                        p { b { (say("怎么办", "What to do")) } " " (both(&words::advice(broken.rule))) }
                    }
                    @if let Some(rows) = rows {
                        p { (both(rows)) }
                    }
                }
            }
        }
    }

    fn counts(&self) -> Markup {
        html! {
            section {
                h2 { (say("查了什么", "What was checked")) }
                dl.counts {
                    @for (count, name, means) in words::counts(&self.checked) {
                        div {
                            dd { (grouped(count)) }
                            dt { (both(&name)) }
                            p { (both(&means)) }
                        }
                    }
                }
                h3 { (say("没有查什么", "What was not checked")) }
                p { (both(&words::limits(self.scope, &self.checked))) }
            }
        }
    }

    fn tree(&self) -> Markup {
        let (size, root) = self.checked.head();
        let bad = self.checked.broken().map(|broken| broken.index);
        html! {
            @if size > 0 {
                section {
                    h2 { (say("全部条目的一棵树", "All entries in one tree")) }
                    p { (both(&words::tree(&tree::sum(size)))) }
                    div.picture { (tree::picture(size, &root.to_string(), bad)) }
                    p { (say("根", "Root")) " " code { (root) } }
                    @if let Some(bad) = bad.filter(|bad| *bad >= size) {
                        p { (both(&words::beyond(bad))) }
                    }
                }
            }
        }
    }

    fn over_time(&self) -> Markup {
        let (size, _) = self.checked.head();
        let bad = self.checked.broken().map(|broken| broken.index);
        html! {
            @if let Some((first, last)) = time::range(self.tally, self.marks) {
                section {
                    h2 { (say("日志头与见证者", "Heads and witnesses over time")) }
                    div.picture { (time::growth(self.tally, self.marks, size, bad)) }
                    @if let Some(bad) = bad {
                        p.small { (both(&words::ahead(bad))) }
                    }
                    p.axis {
                        time { (instant(first, OFFSET_MINUTES)) }
                        time { (instant(last, OFFSET_MINUTES)) }
                    }
                    @if !self.marks.is_empty() {
                        table {
                            thead { tr {
                                th { (say("时间", "Time")) }
                                th { (say("条数", "Entries")) }
                                th.rootcell { (say("根", "Root")) }
                                th { (say("来自", "By")) }
                            } }
                            tbody { @for mark in self.marks { (row(mark)) } }
                        }
                    }
                    p { (both(&words::witnesses(self.trust.witness_policy.is_some(), self.marks, self.others))) }
                }
            }
        }
    }

    fn by_kind(&self) -> Markup {
        let totals = self.tally.totals();
        html! {
            @if totals.keys().any(|kind| *kind != tally::Kind::Closed) {
                section {
                    h2 { (say("什么时候写了什么", "What was written when")) }
                    div.picture { (time::kinds(self.tally)) }
                    ul.legend {
                        @for kind in tally::Kind::ALL {
                            @if let Some(count) = totals.get(&kind) {
                                li { i class=(time::class(kind)) {} " " (both(&words::kind(kind))) " " b { (grouped(*count)) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn identity(&self) -> Markup {
        html! {
            section {
                h2 { (say("是哪一个账本", "Which log it is")) }
                p { (say(
                    "以下三项由信任文件固定，应与主管方公布的一致：",
                    "These are pinned by the trust file, and must be what the authority has published:",
                )) }
                dl.identity {
                    dt { (say("账本标识", "Log id")) } dd { code { (self.trust.log_id) } }
                    dt { (say("来源名", "Origin")) } dd { code { (self.trust.origin) } }
                    dt { (say("检查点密钥", "Checkpoint keys")) }
                    dd { @for key in &self.trust.checkpoint_keys { code { (key.text()) } br; } }
                    dt { (say("读自", "Read from")) } dd { code { (self.place) } }
                }
                @if let Some(note) = self.note {
                    p { (say("已签名的检查点：", "The signed checkpoint:")) }
                    pre { (note) }
                }
            }
        }
    }

    fn again(&self) -> Markup {
        html! {
            section {
                h2 { (say("自己再查一遍", "Check it yourself")) }
                p { (both(&words::again(self.scope))) }
                pre { (words::command(self.scope, self.place)) }
                p.small { "creditbank " (env!("CARGO_PKG_VERSION")) }
            }
        }
    }
}

fn row(mark: &Mark) -> Markup {
    let short = mark.root.get(..16).unwrap_or(&mark.root);
    let class = match mark.kind {
        MarkKind::Checked => "checked",
        MarkKind::Seen => "seen",
        MarkKind::Cosigned => "cosigned",
    };
    html! {
        tr {
            td { time { (instant(mark.at_us, OFFSET_MINUTES)) } }
            td.number { (grouped(mark.size)) }
            td.rootcell { code { (short) "…" } }
            td { i class=(class) {} " " (both(&words::mark(mark.kind, &mark.by))) }
        }
    }
}

#[cfg(test)]
mod tests;
