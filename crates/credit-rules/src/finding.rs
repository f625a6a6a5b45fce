//! What is found wrong with a book: by which check, where, what it means and what to do, in both languages.

mod code;

pub use code::Code;

use crate::limits::FINDINGS_MAX;
use crate::path::{At, BookPath};
use crate::value::Label;
use serde::Serialize;

/// The checks, by the numbers that the design gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum StaticCheck {
    /// Forms, limits, unknown ids, units.
    S1,
    /// Gaps and overlaps of tables.
    S2,
    /// Rules that overlap.
    S3,
    /// Rules that can't be reached.
    S4,
    /// Awards without bound.
    S5,
    /// Credit out of nothing.
    S6,
    /// Cycles of overrides, bundles that nobody fulfils, whole credit above a cap.
    S7,
    /// More that earns less.
    S8,
    /// Versions.
    S9,
    /// Differences from the version before: a report, never a finding.
    S10,
    /// Worked cases.
    S11,
}

/// Whether a finding keeps the book from being published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not; somebody has to look at it.
    Warning,
}

/// In which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// The book.
    Book,
    /// The worked cases beside it.
    Cases,
}

/// A stretch of a text. Lines and columns count from 1, columns in characters; the end is the place after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// The line of the first character.
    pub line: usize,
    /// Its column.
    pub column: usize,
    /// The line of the place after the last character.
    pub end_line: usize,
    /// Its column.
    pub end_column: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check that found it.
    pub check: StaticCheck,
    /// Whether it keeps the book from being published.
    pub severity: Severity,
    /// What sort of thing; stable.
    pub code: Code,
    /// In which file.
    pub document: Document,
    /// Where in it.
    pub path: BookPath,
    /// Where in its text; `None` where there is no text, as of canonical JSON.
    pub place: Option<Span>,
    /// What is wrong.
    pub message: Label,
    /// What to do.
    pub remedy: Label,
}

impl Finding {
    /// A finding without a place.
    pub(crate) fn new(code: Code, path: BookPath, zh: String, en: String) -> Self {
        Self {
            check: code.check(),
            severity: code.severity(),
            code,
            document: Document::Book,
            path,
            place: None,
            message: Label { zh, en },
            remedy: code.remedy(),
        }
    }
}

/// Whether any of these keeps a book from being published.
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// Findings as they come, at most [`FINDINGS_MAX`] of them: a hostile book must not fill memory with complaints.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    over: usize,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, code: Code, at: At<'_>, zh: impl Into<String>, en: impl Into<String>) {
        if self.list.len() >= FINDINGS_MAX {
            self.over = self.over.saturating_add(1);
            return;
        }
        self.list.push(Finding::new(code, at.path(), zh.into(), en.into()));
    }

    /// Takes over what was found in a file.
    pub(crate) fn take(&mut self, other: Self, document: Document) {
        self.over = self.over.saturating_add(other.over);
        for mut finding in other.list {
            if self.list.len() >= FINDINGS_MAX {
                self.over = self.over.saturating_add(1);
            } else {
                finding.document = document;
                self.list.push(finding);
            }
        }
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, and a last one that says how many were left out.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let Self { mut list, over } = self;
        if over > 0 {
            list.push(Finding::new(
                Code::TooManyFindings,
                BookPath::default(),
                format!("另有 {over} 项问题未列出（最多列出 {FINDINGS_MAX} 项）"),
                format!("{over} more findings are not listed (at most {FINDINGS_MAX} are)"),
            ));
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_bounded_and_say_what_is_left_out() {
        for (count, listed) in [(FINDINGS_MAX, FINDINGS_MAX), (FINDINGS_MAX + 1, FINDINGS_MAX + 1)] {
            let mut findings = Findings::default();
            for _ in 0..count {
                findings.add(Code::DuplicateId, At::TOP, "重", "twice");
            }
            let list = findings.finish();
            assert_eq!(list.len(), listed);
            let last = list.last().map(|finding| finding.code);
            let more = count > FINDINGS_MAX;
            assert_eq!(last, Some(if more { Code::TooManyFindings } else { Code::DuplicateId }));
        }
    }
}
