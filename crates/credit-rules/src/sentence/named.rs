//! Names of what a book speaks of, and lists of them.

use super::Say;
use crate::book::{Evidence, Requirement};
use crate::value::{Label, Language, Name};
use std::fmt::Display;

impl Say<'_> {
    /// A label in the language.
    pub(crate) fn label(self, label: &Label) -> &str {
        label.text(self.language)
    }

    /// A label with the id that it belongs to.
    pub(crate) fn labelled(self, label: Option<&Label>, id: &Name) -> String {
        match label.filter(|label| !label.is_empty()).map(|label| self.label(label)) {
            Some(label) => say!(self, "“{label}”（{id}）", "\"{label}\" ({id})"),
            None => id.to_string(),
        }
    }

    /// A unit of credit.
    pub(crate) fn standard(self, name: &Name) -> String {
        self.labelled(self.book.standards.get(name).map(|standard| &standard.label), name)
    }

    /// A ladder.
    pub(crate) fn ladder(self, name: &Name) -> String {
        self.labelled(self.book.ladders.get(name).map(|ladder| &ladder.label), name)
    }

    /// A scale.
    pub(crate) fn scale(self, name: &Name) -> String {
        self.labelled(self.book.scales.get(name).map(|scale| &scale.label), name)
    }

    /// A programme.
    pub(crate) fn programme_name(self, name: &Name) -> String {
        self.labelled(self.book.programmes.get(name).map(|programme| &programme.label), name)
    }

    /// A rule.
    pub(crate) fn rule_name(self, name: &Name) -> String {
        let rule = self.book.rules.iter().find(|rule| rule.id == *name);
        self.labelled(rule.map(|rule| &rule.labels), name)
    }

    /// A requirement of any programme or award, or a pool.
    pub(crate) fn requirement_name(self, name: &Name) -> String {
        let programmes = self.book.programmes.values().flat_map(|programme| &programme.requirements);
        let mut all = programmes.chain(self.book.awards.iter().flat_map(|award| &award.requirements));
        let takes = |requirement: &&Requirement| {
            requirement.id == *name || requirement.pool.iter().any(|pool| pool == name)
        };
        self.labelled(all.find(takes).map(|requirement| &requirement.labels), name)
    }

    /// A list in which all are meant.
    pub(crate) fn and<T: Display>(self, items: impl IntoIterator<Item = T>) -> String {
        self.listed(items, "和", "and")
    }

    /// A list of which one is meant.
    pub(crate) fn or<T: Display>(self, items: impl IntoIterator<Item = T>) -> String {
        self.listed(items, "或", "or")
    }

    fn listed<T: Display>(self, items: impl IntoIterator<Item = T>, zh: &str, en: &str) -> String {
        let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
        match items.split_last() {
            None => String::new(),
            Some((only, [])) => only.clone(),
            Some((last, before)) => {
                let before = before.join(match self.language {
                    Language::Zh => "、",
                    Language::En => ", ",
                });
                let gap = |plain: bool| if plain { " " } else { "" };
                let left = gap(before.ends_with(|letter: char| letter.is_ascii()));
                let right = gap(last.starts_with(|letter: char| letter.is_ascii()));
                say!(self, "{before}{left}{zh}{right}{last}", "{before} {en} {last}")
            }
        }
    }

    /// Chinese without spaces beside its own punctuation, which templates leave around what is put into them.
    pub(crate) fn tidy(self, text: &str) -> String {
        if self.language == Language::En {
            return text.to_owned();
        }
        let mark = |letter: char| "“”（）〔〕《》、；：，。".contains(letter);
        let mut tidy = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let beside =
                tidy.chars().next_back().is_none_or(mark) || letters.peek().copied().is_none_or(mark);
            if letter != ' ' || !beside {
                tidy.push(letter);
            }
        }
        tidy
    }

    /// Clauses of one sentence.
    pub(crate) fn clauses(self, clauses: &[String]) -> String {
        clauses.join(match self.language {
            Language::Zh => "；",
            Language::En => "; ",
        })
    }

    /// Where values come from.
    pub(crate) fn evidence(self, evidence: &[Evidence], lines: &mut Vec<String>) {
        for Evidence { kind, cite } in evidence {
            let kind = self.evidence_kind(*kind);
            lines.push(say!(self, "依据（{kind}）：{cite}。", "It rests on {kind}: {cite}."));
        }
    }
}
