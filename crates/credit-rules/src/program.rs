//! A book made ready to be asked: names become numbers, what is not asked costs nothing, and each rule carries its
//! conversion as one fraction.

mod convert;
mod guard;
mod names;
mod prepared;
mod table;
mod test;

pub(crate) use convert::{Compiled as CompiledConvert, Unit, worth};
pub(crate) use names::{Id, Names};
pub use prepared::Prepared;
pub(crate) use prepared::Value;
pub(crate) use table::CompiledTable;
pub(crate) use test::{Collect, Quick, Test, holds};

use crate::book::{Book, Bundle, Rule, When};
use crate::input::{Question, Record};
use crate::limits::{BUNDLE_ITEMS_MAX, BUNDLE_TERMS_MAX};
use crate::meter::Simple;
use crate::value::Name;
use credit_types::CivilDate;
use std::collections::{BTreeMap, BTreeSet};

/// A rule of a book that can't be asked; a checked book has none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: {detail}")]
pub struct ProgramError {
    /// The rule, or the part of the book.
    pub rule: String,
    /// What is wrong with it.
    pub detail: String,
}

/// One term of a bundle: each of these must be met by another record.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// The conditions, each over one record.
    pub(crate) items: Vec<Item>,
}

/// One record that a term asks for.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// What it is called where it is missing.
    pub(crate) name: String,
    /// Its conditions.
    pub(crate) tests: Vec<Test>,
}

/// A rule made ready.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Its place in the book.
    pub(crate) index: usize,
    /// Its conditions over each record.
    pub(crate) tests: Vec<Test>,
    /// Its table.
    pub(crate) table: Option<CompiledTable>,
    /// What is converted, and how.
    pub(crate) convert: CompiledConvert,
    /// The same where it is one ratio.
    pub(crate) simple: Option<Simple>,
    /// The terms of its bundle.
    pub(crate) terms: Vec<Term>,
    /// The rules that do not apply where this one does, by their places.
    pub(crate) overrides: BTreeSet<usize>,
}

/// A book made ready to be asked.
#[derive(Debug)]
pub struct Program {
    /// The book.
    pub(crate) book: Book,
    /// The numbers of its names.
    pub(crate) names: Names,
    /// Its rules, by their ids, so that no answer depends on the order in which they are written.
    pub(crate) rules: Vec<Ready>,
    /// Rules that name courses, by course; the others in `general`.
    by_course: BTreeMap<Id, Vec<usize>>,
    /// Rules that name no course.
    general: Vec<usize>,
}

impl Program {
    /// Makes a book ready.
    pub fn new(book: Book) -> Result<Self, ProgramError> {
        let names = Names::of(&book);
        let places: BTreeMap<&Name, usize> =
            book.rules.iter().enumerate().map(|(place, rule)| (&rule.id, place)).collect();
        // In the order of ids: a rule's number here is its rank.
        let ranks: BTreeMap<&Name, usize> =
            places.keys().enumerate().map(|(rank, name)| (*name, rank)).collect();
        let mut rules = Vec::with_capacity(places.len());
        for (name, place) in &places {
            let rule = book.rules.get(*place).ok_or_else(|| fault(name, "is not in the book"))?;
            rules.push(ready(&book, &names, &ranks, rule, *place)?);
        }
        let (mut by_course, mut general) = (BTreeMap::<Id, Vec<usize>>::new(), Vec::new());
        for (rank, rule) in rules.iter().enumerate() {
            let courses = rule.tests.iter().find_map(Test::courses);
            match courses {
                Some(courses) => {
                    for course in courses {
                        by_course.entry(*course).or_default().push(rank);
                    }
                }
                None => general.push(rank),
            }
        }
        Ok(Self { book, names, rules, by_course, general })
    }

    /// The book.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// How many rules it has.
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// The rules that may be about a record, ascending: those that name its course and those that name none.
    pub(crate) fn candidates(&self, record: &Prepared<'_>) -> Vec<usize> {
        let mut ranks = self.general.clone();
        for course in record.courses {
            ranks.extend(self.by_course.get(&course).into_iter().flatten());
        }
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    /// Makes a record ready to be asked about.
    pub fn prepare<'q>(&self, record: &'q Record, question: &Question) -> Prepared<'q> {
        Prepared::new(self, record, question)
    }

    /// The rule of a rank, as it is written.
    pub(crate) fn rule(&self, ready: &Ready) -> Option<&Rule> {
        self.book.rules.get(ready.index)
    }

    /// Whether a rule is in force on a day.
    pub(crate) fn in_force(&self, rule: &Rule, day: CivilDate) -> bool {
        self.book.effective.has(day) && rule.effective.has(day)
    }
}

/// An error that names a rule.
fn fault(rule: &Name, detail: &str) -> ProgramError {
    ProgramError { rule: rule.to_string(), detail: detail.to_owned() }
}

/// Makes one rule ready.
fn ready(
    book: &Book,
    names: &Names,
    ranks: &BTreeMap<&Name, usize>,
    rule: &Rule,
    index: usize,
) -> Result<Ready, ProgramError> {
    let mut tests = test::of(book, names, &rule.when, &rule.id)?;
    if let Some(guard) = &rule.guard {
        tests.push(Test::Guard(guard::compile(guard, &rule.facts, &rule.id)?));
    }
    let table = rule.table.as_ref().map(|table| CompiledTable::new(book, rule, table)).transpose()?;
    let convert = CompiledConvert::new(book, rule)?;
    let terms = match &rule.bundle {
        Some(bundle) => terms(book, names, rule, bundle)?,
        None => Vec::new(),
    };
    let overrides = rule.overrides.iter().filter_map(|name| ranks.get(name).copied()).collect();
    let factors = rule.convert.as_ref().is_some_and(|convert| !convert.factors.is_empty());
    // Credit without a named standard is first asked for its own.
    let named = convert.unit != Unit::Credit || rule.when.std.is_some();
    let plain = table.is_none() && rule.validity.is_none() && !factors && named;
    let simple = Simple::of(convert.factor, convert.round, convert.round_at, plain);
    Ok(Ready { index, tests, table, convert, simple, terms, overrides })
}

/// A bundle in disjunctive normal form.
fn terms(book: &Book, names: &Names, rule: &Rule, bundle: &Bundle) -> Result<Vec<Term>, ProgramError> {
    let leaves = normal_form(bundle).ok_or_else(|| {
        let detail = format!(
            "its bundle has more than {BUNDLE_TERMS_MAX} terms, or more than {BUNDLE_ITEMS_MAX} records in one"
        );
        fault(&rule.id, &detail)
    })?;
    let item = |leaf: &Bundle| {
        let when = match (&leaf.course, &leaf.record) {
            (Some(course), _) => When { course: crate::value::Many(vec![course.clone()]), ..When::default() },
            (None, Some(when)) => when.as_ref().clone(),
            (None, None) => return Err(fault(&rule.id, "a part of its bundle asks for nothing")),
        };
        let name = leaf.course.as_ref().map_or_else(|| describe(&when), Name::to_string);
        Ok(Item { name, tests: test::of(book, names, &when, &rule.id)? })
    };
    leaves
        .into_iter()
        .map(|term| {
            let items = term.into_iter().map(item).collect::<Result<Vec<_>, _>>()?;
            Ok(Term { items })
        })
        .collect()
}

/// What a condition over a record is called where no course names it.
fn describe(when: &When) -> String {
    let names = [&when.course, &when.subject, &when.occupation, &when.issuer];
    let named = names.into_iter().flat_map(|many| many.iter().map(Name::to_string));
    let kinds = when.record_kind.iter().map(ToString::to_string);
    named.chain(kinds).next().unwrap_or_else(|| "*".to_owned())
}

/// The terms of a bundle, each a list of its leaves; `None` beyond the limits. The depth was bounded when it was read.
fn normal_form(bundle: &Bundle) -> Option<Vec<Vec<&Bundle>>> {
    let mut forms: Vec<Vec<Vec<&Bundle>>> = Vec::new();
    let parts = |list: &'_ Option<Vec<Bundle>>| list.is_some();
    if parts(&bundle.all) {
        let mut product = vec![Vec::new()];
        for part in bundle.all.iter().flatten() {
            product = joined(&product, &normal_form(part)?)?;
        }
        forms.push(product);
    }
    if parts(&bundle.any) {
        let mut sum = Vec::new();
        for part in bundle.any.iter().flatten() {
            sum.extend(normal_form(part)?);
        }
        forms.push(sum);
    }
    if let Some(n_of) = &bundle.n_of {
        forms.push(choices(&n_of.of, usize::try_from(n_of.least).ok()?)?);
    }
    if bundle.course.is_some() || bundle.record.is_some() {
        forms.push(vec![vec![bundle]]);
    }
    let mut all = vec![Vec::new()];
    for form in forms {
        all = joined(&all, &form)?;
    }
    all.sort_by_key(Vec::len);
    (all.len() <= BUNDLE_TERMS_MAX).then_some(all)
}

/// Each term of the one with each of the other.
fn joined<'b>(left: &[Vec<&'b Bundle>], right: &[Vec<&'b Bundle>]) -> Option<Vec<Vec<&'b Bundle>>> {
    if left.len().checked_mul(right.len())? > BUNDLE_TERMS_MAX {
        return None;
    }
    let mut terms = Vec::new();
    for first in left {
        for second in right {
            let term: Vec<&Bundle> = first.iter().chain(second).copied().collect();
            if term.len() > BUNDLE_ITEMS_MAX {
                return None;
            }
            terms.push(term);
        }
    }
    Some(terms)
}

/// The terms of `least` of these.
fn choices(of: &[Bundle], least: usize) -> Option<Vec<Vec<&Bundle>>> {
    // From the front: either a part is taken or it isn't; the count of parts still to be taken bounds the depth.
    let mut open = vec![(0_usize, 0_usize, vec![Vec::new()])];
    let mut done = Vec::new();
    while let Some((at, taken, terms)) = open.pop() {
        if taken == least {
            done.extend(terms);
        } else if let Some(part) = of.get(at) {
            let next = at.checked_add(1)?;
            if of.len().checked_sub(next)? >= least.checked_sub(taken)? {
                open.push((next, taken, terms.clone()));
            }
            open.push((next, taken.checked_add(1)?, joined(&terms, &normal_form(part)?)?));
        }
        if done.len() > BUNDLE_TERMS_MAX || open.len() > BUNDLE_TERMS_MAX {
            return None;
        }
    }
    Some(done)
}
