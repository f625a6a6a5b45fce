//! What another version would have changed: the applications of a stopped ledger, reckoned under either.
//!
//! Each is reckoned at its own place in the log and on its own day, from the rows as they stood and the details in the
//! vault. Either version counts as in force on that day, or a version that is not in force yet would grant nothing; the
//! days of its single rules count as they are written.

mod told;

use super::load::Loaded;
use crate::commands::Context;
use crate::commands::connect::trust;
use crate::commands::verify::broken_text;
use crate::commands::verify::memory::Resources;
use crate::commands::verify::stopped::look_on;
use crate::ending::{CommandError, Exit};
use crate::language::Phrase;
use credit_ledger::assess::{self, Beside, Reckoned};
use credit_rules::program::Program;
use credit_rules::value::Window;
use credit_types::{
    BookName, CivilDate, ConversionPurpose, ConvertedPlace, Digest, ProposedItem, Reason, Rejection, SchemeId,
};
use credit_verify::{Application, Onlooker, Report, Secrets, Verdict};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

/// Which ledger is looked through.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Past {
    /// Reckon the applications of a stopped ledger again under either version · 按两版重算已停止账本中的申请
    #[arg(long)]
    ledger: bool,
    /// Data directory of the ledger; by default ledger/ in the home · 账本数据目录，缺省为主目录下的 ledger/
    #[arg(long, value_name = "DIR", requires = "ledger")]
    dir: Option<PathBuf>,
    /// Only the last so many applications; by default all · 只看最近若干份申请，缺省为全部
    #[arg(long, value_name = "N", requires = "ledger", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
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

/// What one version grants.
struct Granted {
    items: Vec<ProposedItem>,
    /// Why nothing is granted, where nothing is.
    refusal: Option<Rejection>,
}

impl Granted {
    fn nothing(refusal: Rejection) -> Self {
        Self { items: Vec::new(), refusal: Some(refusal) }
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums::new();
        for item in &self.items {
            let Some(credits) = item.credits else { continue };
            let sum = sums.entry(item.scheme.clone()).or_default();
            *sum = sum.saturating_add(credits.milli());
        }
        sums
    }

    /// Whether no version can be asked by this: there is no such target, or it is another institution's.
    fn has_no_target(&self) -> bool {
        let reason = self.refusal.as_ref().map(|refusal| refusal.reason);
        matches!(reason, Some(Reason::TargetUnknown | Reason::TargetOfAnother))
    }
}

/// Why an application can't be reckoned again.
enum Unreckoned {
    /// Something that it rests on is not there.
    Closed,
    /// A version can't be applied to it.
    Refused(Rejection),
}

/// An application, and what became of it under the two versions.
struct Looked {
    index: u64,
    day: Option<CivilDate>,
    purpose: ConversionPurpose,
    target: BookName,
    /// The version under which it was filed.
    version: u32,
    came: Result<Both, Unreckoned>,
}

/// What either version grants, and how the two compare.
struct Both {
    outcome: Outcome,
    old: Granted,
    new: Granted,
}

/// A version, made ready.
struct Version {
    program: Program,
    digest: Digest,
}

impl Version {
    /// Of a book, as if it were in force at any time.
    fn of(loaded: &Loaded) -> Result<Self, CommandError> {
        let mut book = loaded.book.clone();
        book.effective = Window::default();
        let program = Program::new(book).map_err(|cause| {
            CommandError::usage(Phrase::FileUnusable, &[&loaded.path.display()]).because(cause)
        })?;
        Ok(Self { program, digest: loaded.hash() })
    }

    /// What it grants for an application; the refusal where it can't be applied.
    fn grants(
        &self,
        application: &Application<'_>,
        day: CivilDate,
        secrets: Secrets<'_>,
    ) -> Result<Granted, Rejection> {
        let Application { view, request, .. } = *application;
        let owner = assess::owner(self.program.book(), request.purpose, &request.target);
        if let Some(owner) = owner.filter(|owner| *owner != request.institution_id) {
            let refusal = Rejection::new(Reason::TargetOfAnother).field("institution_id");
            return Ok(Granted::nothing(refusal.detail(owner.to_string())));
        }
        let Secrets { details, particulars } = secrets;
        let beside = Beside { program: &self.program, digest: self.digest, details, particulars };
        let Reckoned { items, refusal, explanation: _ } = assess::reckon(view, day, request, beside);
        match refusal {
            None => Ok(Granted { items, refusal: None }),
            Some(refusal) if matches!(refusal.reason, Reason::NothingGranted | Reason::TargetUnknown) => {
                Ok(Granted::nothing(refusal))
            }
            Some(refusal) => Err(refusal),
        }
    }
}

/// Looks on while a ledger is verified, and reckons what is filed under the book.
struct Looking<'a> {
    book_id: &'a str,
    old: Version,
    new: Version,
    /// How many of the last are kept.
    last: Option<usize>,
    found: RefCell<Found>,
}

/// What was found.
#[derive(Default)]
struct Found {
    /// Count of the applications under the book.
    all: u64,
    /// The last of them, as many as are kept.
    looked: VecDeque<Looked>,
}

impl Onlooker for Looking<'_> {
    fn application(&self, application: &Application<'_>) {
        let Application { index, day, request, .. } = *application;
        if request.book.book_id.as_str() != self.book_id {
            return;
        }
        // Which are the last is known once all were seen, and their rows are gone by then.
        let looked = Looked {
            index,
            day,
            purpose: request.purpose,
            target: request.target.clone(),
            version: request.book.version,
            came: self.reckoned(application),
        };
        let mut found = self.found.borrow_mut();
        found.all = found.all.saturating_add(1);
        found.looked.push_back(looked);
        if self.last.is_some_and(|last| found.looked.len() > last) {
            found.looked.pop_front();
        }
    }
}

impl Looking<'_> {
    fn reckoned(&self, application: &Application<'_>) -> Result<Both, Unreckoned> {
        let (Some(day), Some(secrets)) = (application.day, application.secrets) else {
            return Err(Unreckoned::Closed);
        };
        let under = |version: &Version| version.grants(application, day, secrets);
        let old = under(&self.old).map_err(Unreckoned::Refused)?;
        let new = under(&self.new).map_err(Unreckoned::Refused)?;
        match &old.refusal {
            Some(refusal) if old.has_no_target() && new.has_no_target() => {
                Err(Unreckoned::Refused(refusal.clone()))
            }
            Some(_) | None => Ok(Both { outcome: compared(&old, &new), old, new }),
        }
    }
}

/// What an item is known by, so that what either version says of it stands in one line.
fn known_by(item: &ProposedItem) -> (&BookName, &ConvertedPlace, &SchemeId, &[u32]) {
    (&item.rule, &item.place, &item.scheme, &item.sources)
}

/// An item under the old version and under the new one.
type Pair<'g> = (Option<&'g ProposedItem>, Option<&'g ProposedItem>);

/// The items of both versions, each of the old one with its like of the new one; what is new comes last.
fn pairs<'g>(old: &'g Granted, new: &'g Granted) -> Vec<Pair<'g>> {
    let mut left: Vec<&ProposedItem> = new.items.iter().collect();
    let mut pairs: Vec<Pair<'g>> = Vec::new();
    for item in &old.items {
        let like = left.iter().position(|other| known_by(other) == known_by(item));
        pairs.push((Some(item), like.map(|at| left.remove(at))));
    }
    pairs.extend(left.into_iter().map(|item| (None, Some(item))));
    pairs
}

fn compared(old: &Granted, new: &Granted) -> Outcome {
    if pairs(old, new).iter().all(|(old, new)| old == new) {
        return Outcome::Same;
    }
    let (before, after) = (old.sums(), new.sums());
    let of = |sums: &Sums, scheme: &SchemeId| sums.get(scheme).copied().unwrap_or(0);
    let schemes = || before.keys().chain(after.keys());
    let more = schemes().any(|scheme| of(&after, scheme) > of(&before, scheme));
    let less = schemes().any(|scheme| of(&after, scheme) < of(&before, scheme));
    match (more, less) {
        (true, false) => Outcome::More,
        (false, true) => Outcome::Less,
        (true, true) => Outcome::Other,
        // An award, or a place that is met, has no credit: something is more than nothing.
        (false, false) if old.items.is_empty() => Outcome::More,
        (false, false) if new.items.is_empty() => Outcome::Less,
        (false, false) => Outcome::Other,
    }
}

/// Why nothing is compared by a ledger: it does not verify, or not with this program.
fn unverified(report: &Report) -> Option<CommandError> {
    match &report.verdict {
        Verdict::Ok => None,
        Verdict::Broken(broken) => {
            let cause = anyhow::anyhow!(broken_text(broken).en);
            Some(CommandError::new(Exit::Broken, Phrase::RulesLedgerBroken, &[]).because(cause))
        }
        Verdict::NeedsNewer { index, what } => {
            Some(CommandError::new(Exit::NeedsNewer, Phrase::LogNeedsNewer, &[index, what]))
        }
    }
}

/// Reckons the applications of a ledger under either version, where one is named, and tells what differs.
pub(super) fn applications(
    context: &mut Context,
    old: &Loaded,
    new: &Loaded,
    past: &Past,
) -> Result<Value, CommandError> {
    let Past { ledger, dir, last, trust: trust_file, resources } = past;
    if !ledger {
        return Ok(Value::Null);
    }
    if old.book.id != new.book.id {
        return Err(CommandError::usage(Phrase::RulesPastTwoBooks, &[&old.book.id, &new.book.id]));
    }
    let dir = dir.clone().unwrap_or_else(|| context.home.ledger());
    let trust = trust(context, trust_file.as_deref())?;
    let book_id = old.book.id.as_str();
    let looking = Looking {
        book_id,
        old: Version::of(old)?,
        new: Version::of(new)?,
        last: last.map(|last| usize::try_from(last).unwrap_or(usize::MAX)),
        found: RefCell::default(),
    };
    let report = look_on(context, &dir, &trust, resources, &looking)?;
    if let Some(error) = unverified(&report) {
        return Err(error);
    }
    let found = looking.found.into_inner();
    told::applications(context, book_id, &found);
    Ok(told::document(&found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{Consumption, Credits};

    fn item(scheme: &str, milli: i64, source: u32) -> ProposedItem {
        ProposedItem {
            rule: BookName::new("r").unwrap(),
            rule_kind: None,
            place: ConvertedPlace::Standard(BookName::new("s").unwrap()),
            scheme: SchemeId::new(scheme).unwrap(),
            credits: (milli > 0).then(|| Credits::from_milli(milli).unwrap()),
            sources: vec![source],
            consumption: Consumption::None,
            programme: None,
            award_level: None,
        }
    }

    #[test]
    fn an_application_comes_out_the_same_or_with_more_less_or_other_credit() {
        let granted = |items: &[ProposedItem]| Granted { items: items.to_vec(), refusal: None };
        let of = |old: &[ProposedItem], new: &[ProposedItem]| compared(&granted(old), &granted(new));
        let before = [item("CN_XF", 2_000, 0)];
        assert_eq!(of(&before, &before), Outcome::Same);
        assert_eq!(of(&[], &[]), Outcome::Same);
        assert_eq!(of(&before, &[item("CN_XF", 2_500, 0)]), Outcome::More);
        assert_eq!(of(&before, &[item("CN_XF", 1_500, 0)]), Outcome::Less);
        assert_eq!(of(&before, &[]), Outcome::Less);
        assert_eq!(of(&[], &before), Outcome::More);
        assert_eq!(of(&before, &[item("CN_XF", 2_000, 1)]), Outcome::Other);
        assert_eq!(of(&before, &[item("CN_XS", 2_000, 0)]), Outcome::Other);
        // Without credit, as an award is.
        let met = [item("CN_XF", 0, 0)];
        assert_eq!((of(&[], &met), of(&met, &[])), (Outcome::More, Outcome::Less));
        assert_eq!(of(&met, &[item("CN_XF", 0, 1)]), Outcome::Other);
        // The order makes no difference, and what else an item says does.
        let two = [item("CN_XF", 2_000, 0), item("CN_XF", 1_000, 1)];
        let turned = [two[1].clone(), two[0].clone()];
        assert_eq!(of(&two, &turned), Outcome::Same);
        let used = ProposedItem { consumption: Consumption::Global, ..before[0].clone() };
        assert_eq!(of(&before, &[used]), Outcome::Other);
    }
}
