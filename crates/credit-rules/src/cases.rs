//! Worked cases beside a book: what is asked, and what must come out. They are what a rule is held against before it is
//! signed, and what the next version is compared by.
//!
//! A file `cases.toml` says `schema = "cases/1"`, may say `on` and `programme` for all its cases, and lists cases:
//!
//! ```toml
//! schema = "cases/1"
//! on = 2026-11-23
//!
//! [[test]]
//! id = "three-courses-of-7-hours"
//! rule = "ce-hours-2026"
//! sign = "positive"
//! [test.convert]
//! records = [
//!   { id = "r1", issuer = "cn.ce.east", kind = "cpd", earned_on = 2026-03-01, hours = "7 h", hour_kind = "ce" },
//! ]
//! expect = { credit = "0.4 cr", offers = [{ rule = "ce-hours-2026", credit = "0.4 cr", records = ["r1"] }] }
//! ```
//!
//! Of what is expected, what is not said is not asked. The text forms are those of the book.

mod ask;
mod expect;
mod read;
mod run;

pub use ask::{Activity, AwardCase, ComplianceCase, ConvertCase, GradeCase, LadderPlace, LevelCase};
pub use run::{CaseResult, Difference, run};

pub use expect::{
    AwardExpect, ComplianceExpect, ConvertExpect, ExpectedItem, ExpectedMissing, ExpectedOffer,
    ExpectedRefusal, ExpectedShort, GradeExpect, LevelExpect, LevelRelation,
};

use crate::book::is_default;
use crate::input::Question;
use crate::value::{Day, Label, Many, Name, Symbol};
use serde::{Deserialize, Serialize};

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CasesSchema {
    /// The first.
    #[serde(rename = "cases/1")]
    V1,
}

/// A file of worked cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// The form.
    pub schema: CasesSchema,
    /// The id of the book that they are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<Name>,
    /// The day of the decision, where a case does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// The programme, where a case does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<Name>,
    /// The cases.
    #[serde(default, rename = "test", skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Case>,
}

/// Whether a case shows that a rule holds, or that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// It grants.
    Positive,
    /// It refuses.
    Negative,
}

/// A worked case. Exactly one of `convert`, `award`, `compliance`, `grade` and `level`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its id, unique in the file.
    pub id: Name,
    /// The rules that it is about. A rule that is expected in an offer or in a refusal need not be said again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rule: Many<Name>,
    /// Whether it shows that they hold, or that they do not.
    pub sign: Sign,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Label>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Symbol>,
    /// Records become offers, and offers a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convert: Option<ConvertCase>,
    /// Records and grants earn an award, or miss it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub award: Option<AwardCase>,
    /// Activities of a period are enough, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliance: Option<ComplianceCase>,
    /// A grade becomes one of another scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<GradeCase>,
    /// A level stands to one of another ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelCase>,
}

impl Cases {
    /// The question that a case asks, with what the file says for all of them; `None` where no day is said.
    pub fn question(&self, case: &ConvertCase) -> Option<Question> {
        Some(Question {
            on: case.on.or(self.on)?,
            programme: case.programme.clone().or_else(|| self.programme.clone()),
            learner: case.learner.clone(),
            records: case.records.clone(),
            uses: case.uses.clone(),
        })
    }
}

impl Case {
    /// The rules of which it shows that they hold, and those of which it shows that they do not.
    pub fn covers(&self) -> (Vec<&Name>, Vec<&Name>) {
        let (mut holds, mut refuses) = (Vec::new(), Vec::new());
        match self.sign {
            Sign::Positive => holds.extend(&self.rule),
            Sign::Negative => refuses.extend(&self.rule),
        }
        if let Some(convert) = &self.convert {
            holds.extend(convert.expect.offers.iter().flatten().map(|offer| &offer.rule));
            holds.extend(convert.expect.items.iter().filter_map(|item| item.rule.as_ref()));
            refuses.extend(convert.expect.refused.iter().filter_map(|refusal| refusal.rule.as_ref()));
        }
        (holds, refuses)
    }
}
