//! What differs between two versions of a book, in sentences that people read before they sign: rules, and what each part
//! of a rule says; rows of tables, and what each grants.
//!
//! Whether past decisions would come out otherwise is another question, which is answered by deciding them again.

mod rules;
mod written;

use crate::book::Book;
use crate::path::{At, BookPath};
use crate::value::Label;
use serde::Serialize;
use written::Written;

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
}

/// What sort of thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The book itself.
    Book,
    /// A standard, group, ladder, scale or programme.
    Declared,
    /// A rule.
    Rule,
    /// A constraint.
    Constraint,
    /// An award.
    Award,
    /// A compliance rule.
    Compliance,
    /// A map of levels or grades.
    Map,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What sort of thing.
    pub part: Part,
    /// Its id.
    pub id: String,
    /// What became of it.
    pub change: Change,
    /// Where it stands: in the new book, or of what is gone in the old one.
    pub path: BookPath,
    /// In a sentence.
    pub says: Label,
    /// What of it says something else.
    pub fields: Vec<FieldChange>,
}

/// One field that says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field, from the thing that it is of: `convert.ratio`, or of a row of a table what the row asks.
    pub field: String,
    /// Whether it changes what is granted: conditions, conversions, targets, maxima, and not labels.
    pub grants: bool,
    /// What it said; `None` where it is new.
    pub old: Option<String>,
    /// What it says; `None` where it is gone.
    pub new: Option<String>,
    /// In a sentence.
    pub says: Label,
}

/// What differs between two books, in the order of the new one; what is gone comes last of its sort.
pub fn diff(old: &Book, new: &Book) -> Vec<Difference> {
    let mut all = Vec::new();
    let (was, is) = (Written::of(old), Written::of(new));
    let top = BookPath::default();
    let fields = written::fields(&was.top, &is.top);
    if !fields.is_empty() {
        all.push(changed(Part::Book, (new.id.as_str(), ("规则书", "the book")), top, fields));
    }
    for (key, part, what) in [
        ("standards", Part::Declared, ("学分标准", "the standard")),
        ("groups", Part::Declared, ("机构组", "the group")),
        ("ladders", Part::Declared, ("等级体系", "the ladder")),
        ("scales", Part::Declared, ("成绩制", "the scale")),
        ("programmes", Part::Declared, ("专业", "the programme")),
        ("rule", Part::Rule, ("规则", "the rule")),
        ("constraint", Part::Constraint, ("总上限", "the constraint")),
        ("award", Part::Award, ("奖项", "the award")),
        ("compliance", Part::Compliance, ("合规规则", "the compliance rule")),
        ("level_map", Part::Map, ("等级对照", "the level map")),
        ("grade_map", Part::Map, ("成绩对照", "the grade map")),
    ] {
        all.extend(rules::between(part, what, (key, was.part(key), is.part(key))));
    }
    all
}

/// That something says something else.
fn changed(
    part: Part,
    (id, (zh, en)): (&str, (&str, &str)),
    path: BookPath,
    fields: Vec<FieldChange>,
) -> Difference {
    let count = fields.len();
    let grants = fields.iter().any(|field| field.grants);
    let weight = if grants { ("", "") } else { ("，不影响授予", ", nothing that is granted differs") };
    let says = Label {
        zh: format!("{zh} {id} 有 {count} 处改动{}", weight.0),
        en: format!(
            "{en} {id} differs in {count} {}{}",
            if count == 1 { "place" } else { "places" },
            weight.1
        ),
    };
    Difference { part, id: id.to_owned(), change: Change::Changed, path, says, fields }
}

/// The path of a thing that has its place in a list, or its key in a table.
fn place(key: &str, place: &written::Place) -> BookPath {
    let list = At::TOP.key(key);
    match place {
        written::Place::Index(index) => list.index(*index).path(),
        written::Place::Key(name) => list.key(name).path(),
    }
}
