//! A book in sentences that an education officer can read, in Chinese or English: every field of every part is told.
//!
//! Each part is taken apart by the names of its fields, so that a field that is added to the book and not told here stops
//! the build. Both languages give the same sections with the same number of lines and tables, so that they can stand
//! beside each other.

/// A text in the language of a speaker; places are captured by name.
macro_rules! say {
    ($to:expr, $zh:literal, $en:literal) => {
        match $to.language {
            $crate::value::Language::Zh => format_args!($zh).to_string(),
            $crate::value::Language::En => format_args!($en).to_string(),
        }
    };
}

mod amount;
mod compliance;
mod constraint;
mod convert;
mod decision;
mod named;
mod programme;
mod reason;
mod rule;
mod scale;
mod when;
mod word;

pub use decision::{Decision, Told, decision, place_name};
pub use reason::{reason, refusal};

use crate::book::{Book, Limits, Schema};
use crate::value::{Language, Name, Window};

/// What a section is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The book as a whole.
    Book,
    /// Units, groups, ladders, scales and the maps between them.
    Vocabulary,
    /// A programme.
    Programme(Name),
    /// A rule.
    Rule(Name),
    /// A cap over many rules.
    Constraint(Name),
    /// An award.
    Award(Name),
    /// What a period has to hold.
    Compliance(Name),
    /// A map between levels or grades.
    Map(Name),
}

/// A table: its columns and its rows, each row as long as the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// What the columns are.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// A part of a book, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub subject: Subject,
    /// Its title.
    pub heading: String,
    /// Its sentences.
    pub lines: Vec<String>,
    /// Its tables, which the sentences speak of.
    pub tables: Vec<Grid>,
}

impl Section {
    /// A section with its title.
    pub(crate) fn new(subject: Subject, heading: String) -> Self {
        Self { subject, heading, lines: Vec::new(), tables: Vec::new() }
    }

    /// Every text of it but its title.
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { subject: _, heading: _, lines, tables } = self;
        let cells = tables
            .iter_mut()
            .flat_map(|Grid { header, rows }| header.iter_mut().chain(rows.iter_mut().flatten()));
        lines.iter_mut().chain(cells)
    }
}

/// A book in sentences.
pub fn sentences(book: &Book, language: Language) -> Vec<Section> {
    Say { book, language }.book()
}

/// Who speaks: of which book, in which language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Say<'b> {
    /// The book.
    pub(crate) book: &'b Book,
    /// The language.
    pub(crate) language: Language,
}

impl Say<'_> {
    fn book(self) -> Vec<Section> {
        let Book {
            schema: Schema::V1,
            id,
            version,
            supersedes,
            effective,
            retroactive,
            select_by,
            registry,
            labels,
            evidence,
            xs_minutes,
            standards: _,
            groups: _,
            ladders: _,
            scales: _,
            programmes,
            limits,
            rules,
            constraints,
            awards,
            compliance,
            level_maps,
            grade_maps,
        } = self.book;
        let mut about = Section::new(Subject::Book, self.label(labels).to_owned());
        let lines = &mut about.lines;
        lines.push(say!(
            self,
            "本规则书的编号为 {id}，这是第 {version} 版。",
            "This is version {version} of the rule book {id}."
        ));
        let before = supersedes.iter();
        lines.extend(before.map(|old| say!(self, "它取代第 {old} 版。", "It replaces version {old}.")));
        let window = self.window(effective);
        lines.push(say!(self, "施行期：{window}。", "It is in force {window}."));
        if *retroactive {
            lines.push(say!(
                self,
                "它可以自公布之日以前起施行。",
                "It may take effect before the day of its publication."
            ));
        }
        let by = self.select_by(*select_by);
        lines.push(say!(self, "适用哪一版，按{by}确定。", "Which version applies is decided by {by}."));
        if let Some(registry) = registry {
            lines.push(say!(
                self,
                "其中的机构与课程编号以登记簿快照 {registry} 为准。",
                "Its ids of institutions and courses are those of the registry snapshot {registry}."
            ));
        }
        let hour = xs_minutes.iter();
        lines
            .extend(hour.map(|long| say!(self, "1 学时为 {long} 分钟。", "A class hour is {long} minutes.")));
        self.limits(limits, lines);
        self.evidence(evidence, lines);
        let mut sections = vec![about];
        sections.extend(self.vocabulary());
        sections.extend(programmes.iter().map(|(name, programme)| self.programme(name, programme)));
        sections.extend(rules.iter().map(|rule| self.rule(rule)));
        sections.extend(constraints.iter().map(|constraint| self.constraint(constraint)));
        sections.extend(awards.iter().map(|award| self.award(award)));
        sections.extend(compliance.iter().map(|compliance| self.compliance(compliance)));
        sections.extend(level_maps.iter().map(|map| self.level_map(map)));
        sections.extend(grade_maps.iter().map(|map| self.grade_map(map)));
        for text in sections.iter_mut().flat_map(Section::texts) {
            *text = self.tidy(text);
        }
        sections
    }

    fn limits(self, limits: &Limits, lines: &mut Vec<String>) {
        if *limits == Limits::default() {
            return;
        }
        let Limits { max_rules, max_bundle_items, max_table_rows, max_offers_per_record } = limits;
        lines.push(say!(
            self,
            "本书自设的上限：规则 {max_rules} 条，组合中的成果 {max_bundle_items} 项，表 {max_table_rows} 行，每项成果的用法 {max_offers_per_record} 种。",
            "Limits that it sets for itself: {max_rules} rules, {max_bundle_items} records of a bundle, {max_table_rows} rows of a table, {max_offers_per_record} uses of one record."
        ));
    }

    /// A window of days, as in "in force ...": the day after is not part of it.
    pub(crate) fn window(self, window: &Window) -> String {
        let Window { from, until } = window;
        match (from.map(|day| day.0), until.map(|day| day.0)) {
            (None, None) => say!(self, "不限", "at any time"),
            (Some(from), None) => say!(self, "自 {from} 起", "from {from} on"),
            (None, Some(until)) => say!(self, "{until} 之前", "before {until}"),
            (Some(from), Some(until)) => {
                say!(self, "自 {from} 起，至 {until} 之前", "from {from} on and before {until}")
            }
        }
    }
}
