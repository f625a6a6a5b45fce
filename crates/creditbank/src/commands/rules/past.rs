//! What another version would have changed: the applications of a stopped ledger, reckoned under either.

use super::load::Loaded;
use super::program;
use crate::commands::Context;
use crate::commands::connect::trust;
use crate::commands::verify::memory::Resources;
use crate::commands::verify::stopped::look_on;
use crate::ending::{CommandError, Exit};
use crate::language::Phrase;
use crate::output::thousandths;
use credit_ledger::assess::{self, Beside};
use credit_rules::program::Program;
use credit_types::{BookName, ConvertedPlace, Credits, Digest, ProposedItem, SchemeId};
use credit_verify::{Application, Onlooker, Secrets, Verdict};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which ledger is looked through.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Past {
    /// Reckon the applications of a stopped ledger under either version; its data directory, by default ledger/ in the home ·
    /// 按两版重算已停止账本中的申请；其数据目录，缺省为主目录下的 ledger/
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    ledger: Option<Option<PathBuf>>,
    /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
    #[arg(long, value_name = "FILE", requires = "ledger")]
    trust: Option<PathBuf>,
    /// Memory and threads · 内存与线程
    #[command(flatten)]
    resources: Resources,
}

/// Milli-credits by scheme.
type Sums = BTreeMap<SchemeId, i64>;

/// How an application comes out under the new version, held against the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The same items.
    Same,
    /// More credit.
    More,
    /// Less credit.
    Less,
    /// As much, or of several schemes more of one and less of another.
    Other,
}

impl Outcome {
    fn code(self) -> &'static str {
        match self {
            Self::Same => "SAME",
            Self::More => "MORE",
            Self::Less => "LESS",
            Self::Other => "OTHER",
        }
    }
}

/// An application that was reckoned under either version.
struct Reckoned {
    index: u64,
    target: String,
    old: Sums,
    new: Sums,
    outcome: Outcome,
}

/// Looks on while a ledger is verified, and reckons what is filed under the book.
struct Looking<'a> {
    book_id: &'a str,
    old: (&'a Program, Digest),
    new: (&'a Program, Digest),
    found: RefCell<Vec<Reckoned>>,
    closed: RefCell<Vec<u64>>,
}

impl Onlooker for Looking<'_> {
    fn application(&self, application: &Application<'_>) {
        let Application { index, day, view, request, items: _, secrets } = *application;
        if request.book.book_id.as_str() != self.book_id {
            return;
        }
        let (Some(day), Some(Secrets { details, particulars })) = (day, secrets) else {
            self.closed.borrow_mut().push(index);
            return;
        };
        let under = |(program, digest): (&Program, Digest)| {
            assess::reckon(view, day, request, Beside { program, digest, details, particulars }).items
        };
        let (before, after) = (under(self.old), under(self.new));
        let (old, new) = (sums(&before), sums(&after));
        let outcome = compared(&before, &after, &old, &new);
        let target = request.target.to_string();
        self.found.borrow_mut().push(Reckoned { index, target, old, new, outcome });
    }
}

fn sums(items: &[ProposedItem]) -> Sums {
    let mut sums = Sums::new();
    for item in items {
        let sum = sums.entry(item.scheme.clone()).or_default();
        *sum = sum.saturating_add(item.credits.map_or(0, Credits::milli));
    }
    sums
}

/// What an item grants, apart from what it excludes.
fn granted(item: &ProposedItem) -> (&BookName, &ConvertedPlace, &SchemeId, Option<Credits>, &[u32]) {
    (&item.rule, &item.place, &item.scheme, item.credits, &item.sources)
}

fn compared(before: &[ProposedItem], after: &[ProposedItem], old: &Sums, new: &Sums) -> Outcome {
    if before.iter().map(granted).eq(after.iter().map(granted)) {
        return Outcome::Same;
    }
    let of = |sums: &Sums, scheme: &SchemeId| sums.get(scheme).copied().unwrap_or(0);
    let schemes = || old.keys().chain(new.keys());
    let more = schemes().any(|scheme| of(new, scheme) > of(old, scheme));
    let less = schemes().any(|scheme| of(new, scheme) < of(old, scheme));
    match (more, less) {
        (true, false) => Outcome::More,
        (false, true) => Outcome::Less,
        (true, true) | (false, false) => Outcome::Other,
    }
}

fn text(sums: &Sums) -> String {
    let one = |(scheme, milli): (&SchemeId, &i64)| format!("{} {scheme}", thousandths(*milli));
    let all: Vec<String> = sums.iter().map(one).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(", ") }
}

/// Reckons the applications of a ledger under either version, where one is named, and tells what differs.
pub(super) fn applications(
    context: &mut Context,
    old: &Loaded,
    new: &Loaded,
    past: &Past,
) -> Result<Value, CommandError> {
    let Past { ledger, trust: trust_file, resources } = past;
    let Some(dir) = ledger else { return Ok(Value::Null) };
    let dir = dir.clone().unwrap_or_else(|| context.home.ledger());
    let trust = trust(context, trust_file.as_deref())?;
    let (old_program, new_program) = (program(old)?, program(new)?);
    let book_id = old.book.id.as_str();
    let looking = Looking {
        book_id,
        old: (&old_program, old.hash()),
        new: (&new_program, new.hash()),
        found: RefCell::new(Vec::new()),
        closed: RefCell::new(Vec::new()),
    };
    let report = look_on(context, &dir, &trust, resources, &looking)?;
    if report.verdict != Verdict::Ok {
        return Err(CommandError::new(Exit::Broken, Phrase::RulesLedgerBroken, &[]));
    }
    let (found, closed) = (looking.found.into_inner(), looking.closed.into_inner());
    tell(context, book_id, &found, &closed);
    let sums_json = |sums: &Sums| -> Value {
        sums.iter().map(|(scheme, milli)| (scheme.to_string(), json!(milli))).collect()
    };
    let documents: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({
                "application_index": one.index, "target": one.target, "outcome": one.outcome.code(),
                "old_milli": sums_json(&one.old), "new_milli": sums_json(&one.new),
            })
        })
        .collect();
    Ok(json!({ "reckoned": documents, "not_reckoned": closed }))
}

fn tell(context: &Context, book_id: &str, found: &[Reckoned], closed: &[u64]) {
    let output = context.output;
    output.raw_line("");
    if found.is_empty() && closed.is_empty() {
        output.line(Phrase::RulesPastNone, &[&book_id]);
        return;
    }
    let count = |outcome: Outcome| found.iter().filter(|one| one.outcome == outcome).count();
    let counts = [Outcome::Same, Outcome::More, Outcome::Less, Outcome::Other].map(count);
    let [same, more, less, other] = counts;
    let all = found.len().saturating_add(closed.len());
    let places: [&dyn std::fmt::Display; 7] = [&book_id, &all, &same, &more, &less, &other, &closed.len()];
    output.line(Phrase::RulesPastCounts, &places);
    let (mut old, mut new) = (Sums::new(), Sums::new());
    for one in found {
        for (of, into) in [(&one.old, &mut old), (&one.new, &mut new)] {
            for (scheme, milli) in of {
                let sum = into.entry(scheme.clone()).or_default();
                *sum = sum.saturating_add(*milli);
            }
        }
    }
    let schemes: std::collections::BTreeSet<&SchemeId> = old.keys().chain(new.keys()).collect();
    for scheme in schemes {
        let of = |sums: &Sums| thousandths(sums.get(scheme).copied().unwrap_or(0));
        output.line(Phrase::RulesPastSum, &[scheme, &of(&old), &of(&new)]);
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .filter(|one| one.outcome != Outcome::Same)
        .map(|one| vec![one.index.to_string(), one.target.clone(), text(&one.old), text(&one.new)])
        .collect();
    if !rows.is_empty() {
        let header = [
            Phrase::ColumnApplication,
            Phrase::ColumnTarget,
            Phrase::ColumnBeforeVersion,
            Phrase::ColumnAfterVersion,
        ];
        output.table(&header, &rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::Consumption;

    fn item(scheme: &str, milli: i64, source: u32) -> ProposedItem {
        ProposedItem {
            rule: BookName::new("r").unwrap(),
            rule_kind: None,
            place: ConvertedPlace::Standard(BookName::new("s").unwrap()),
            scheme: SchemeId::new(scheme).unwrap(),
            credits: Some(Credits::from_milli(milli).unwrap()),
            sources: vec![source],
            consumption: Consumption::None,
            programme: None,
            award_level: None,
        }
    }

    #[test]
    fn an_application_comes_out_the_same_or_with_more_less_or_other_credit() {
        let of = |before: &[ProposedItem], after: &[ProposedItem]| {
            compared(before, after, &sums(before), &sums(after))
        };
        let before = [item("CN_XF", 2_000, 0)];
        assert_eq!(of(&before, &before), Outcome::Same);
        assert_eq!(of(&before, &[item("CN_XF", 2_500, 0)]), Outcome::More);
        assert_eq!(of(&before, &[item("CN_XF", 1_500, 0)]), Outcome::Less);
        assert_eq!(of(&before, &[]), Outcome::Less);
        assert_eq!(of(&[], &before), Outcome::More);
        assert_eq!(of(&before, &[item("CN_XF", 2_000, 1)]), Outcome::Other);
        assert_eq!(of(&before, &[item("CN_XS", 2_000, 0)]), Outcome::Other);
    }
}
