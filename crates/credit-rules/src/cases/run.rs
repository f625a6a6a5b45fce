//! Runs worked cases against a book: what is expected is held against what comes out, field by field.

mod award;
mod convert;
mod grade;
mod period;

use super::{Case, Cases};
use crate::program::Program;
use crate::value::Name;
use std::fmt;

/// What a case expects and does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field of what is expected: `credit`, `offers`, `refused[1]`, `classes.public`.
    pub field: String,
    /// What is expected.
    pub expected: String,
    /// What came out.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.field, self.expected, self.got)
    }
}

/// How a case came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The case.
    pub id: Name,
    /// What differs; nothing where it came out as expected.
    pub differences: Vec<Difference>,
}

impl CaseResult {
    /// Whether all that is expected came out.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs every case, in the order of the file.
pub fn run(program: &Program, cases: &Cases) -> Vec<CaseResult> {
    cases
        .tests
        .iter()
        .map(|case| CaseResult { id: case.id.clone(), differences: differences(program, cases, case) })
        .collect()
}

/// What differs in one case.
fn differences(program: &Program, cases: &Cases, case: &Case) -> Vec<Difference> {
    let mut found = Found::default();
    let Case { id: _, rule: _, sign: _, labels: _, source: _, convert, award, compliance, grade, level } =
        case;
    if let Some(asked) = convert {
        convert::compare(program, cases, asked, &mut found);
    }
    if let Some(asked) = award {
        award::compare(program.book(), cases, asked, &mut found);
    }
    if let Some(asked) = compliance {
        period::compare(program.book(), asked, &mut found);
    }
    if let Some(asked) = grade {
        grade::compare_grade(program.book(), asked, &mut found);
    }
    if let Some(asked) = level {
        grade::compare_level(program.book(), asked, &mut found);
    }
    found.0
}

/// The differences so far.
#[derive(Debug, Default)]
struct Found(Vec<Difference>);

impl Found {
    /// Holds a value that came out against one that is expected.
    fn same<T: PartialEq + fmt::Display>(&mut self, field: &str, expected: &T, got: &T) {
        if expected != got {
            self.add(field, expected, got);
        }
    }

    /// The same of a field of which nothing may be expected.
    fn asked<T: PartialEq + fmt::Display>(&mut self, field: &str, expected: Option<&T>, got: &T) {
        if let Some(expected) = expected {
            self.same(field, expected, got);
        }
    }

    /// Adds a difference.
    fn add(&mut self, field: &str, expected: impl fmt::Display, got: impl fmt::Display) {
        let (expected, got) = (expected.to_string(), got.to_string());
        self.0.push(Difference { field: field.to_owned(), expected, got });
    }

    /// Holds lists against each other in any order: each that is expected takes one that came out and fits.
    fn exactly<E, G>(
        &mut self,
        field: &str,
        expected: &[E],
        got: &[G],
        fits: impl Fn(&E, &G) -> bool,
        texts: (impl Fn(&E) -> String, impl Fn(&G) -> String),
    ) {
        let mut left: Vec<&G> = got.iter().collect();
        let mut unmet = false;
        for one in expected {
            match left.iter().position(|other| fits(one, other)) {
                Some(at) => drop(left.remove(at)),
                None => unmet = true,
            }
        }
        if unmet || !left.is_empty() {
            let list =
                |texts: Vec<String>| if texts.is_empty() { "none".to_owned() } else { texts.join("; ") };
            let wanted = expected.iter().map(&texts.0).collect();
            self.add(field, list(wanted), list(got.iter().map(&texts.1).collect()));
        }
    }

    /// Holds what must be among a list against it.
    fn among<E, G>(
        &mut self,
        field: &str,
        expected: &[E],
        got: &[G],
        fits: impl Fn(&E, &G) -> bool,
        texts: (impl Fn(&E) -> String, impl Fn(&G) -> String),
    ) {
        for (index, one) in expected.iter().enumerate() {
            if !got.iter().any(|other| fits(one, other)) {
                let all: Vec<String> = got.iter().map(&texts.1).collect();
                let all = if all.is_empty() { "none".to_owned() } else { all.join("; ") };
                self.add(&format!("{field}[{index}]"), texts.0(one), all);
            }
        }
    }
}

/// Names as one text.
fn names<'n>(list: impl IntoIterator<Item = &'n Name>) -> String {
    list.into_iter().map(Name::to_string).collect::<Vec<_>>().join(", ")
}
