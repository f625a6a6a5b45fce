//! Conditions over facts, in Kleene's three-valued logic.

use super::test::Outcome3;
use super::{Prepared, ProgramError, fault};
use crate::book::{FactKind, Guard};
use crate::input::FactValue;
use crate::reason::Reason;
use crate::value::{Name, Symbol};
use std::collections::BTreeMap;

/// A guard made ready.
#[derive(Debug, Clone)]
pub(crate) enum CompiledGuard {
    /// All of these.
    All(Vec<CompiledGuard>),
    /// Any of these.
    Any(Vec<CompiledGuard>),
    /// Not this.
    Not(Box<CompiledGuard>),
    /// A fact, and what it must be.
    Fact(Name, Ask),
}

/// What a fact must be.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// A number between two, each in thousandths.
    Between(Option<i64>, Option<i64>),
    /// One of these words.
    Words(Vec<Symbol>),
}

/// True, false, or not known.
type Three = Option<bool>;

/// The value that decides if one part has it; otherwise unknown if one part is, otherwise its opposite.
fn strongest(parts: &[CompiledGuard], record: &Prepared<'_>, decides: bool) -> Three {
    let mut known = true;
    for part in parts {
        match part.value(record) {
            Some(value) if value == decides => return Some(decides),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decides)
}

/// Makes a guard ready. Its depth was bounded when it was read.
pub(crate) fn compile(
    guard: &Guard,
    facts: &BTreeMap<Name, FactKind>,
    rule: &Name,
) -> Result<CompiledGuard, ProgramError> {
    let Guard { all, any, not, fact, ge, le, eq, one_of } = guard;
    let list =
        |list: &Vec<Guard>| list.iter().map(|part| compile(part, facts, rule)).collect::<Result<Vec<_>, _>>();
    let compares = ge.is_some() || le.is_some() || eq.is_some() || one_of.is_some();
    match (all, any, not, fact) {
        (Some(parts), None, None, None) if !compares => Ok(CompiledGuard::All(list(parts)?)),
        (None, Some(parts), None, None) if !compares => Ok(CompiledGuard::Any(list(parts)?)),
        (None, None, Some(part), None) if !compares => {
            Ok(CompiledGuard::Not(Box::new(compile(part, facts, rule)?)))
        }
        (None, None, None, Some(fact)) => {
            if !facts.contains_key(fact) {
                return Err(fault(rule, &format!("the fact {fact} is not declared")));
            }
            let ask = match (ge.is_some() || le.is_some(), eq, one_of) {
                (true, None, None) => Ask::Between(ge.map(|number| number.0), le.map(|number| number.0)),
                (false, Some(word), None) => Ask::Words(vec![word.clone()]),
                (false, None, Some(words)) => Ask::Words(words.clone()),
                _ => return Err(fault(rule, &format!("the fact {fact} is compared in no way, or in two"))),
            };
            Ok(CompiledGuard::Fact(fact.clone(), ask))
        }
        _ => Err(fault(rule, "each part of a guard is one of all, any, not and a fact")),
    }
}

impl CompiledGuard {
    /// Whether it holds.
    fn value(&self, record: &Prepared<'_>) -> Three {
        match self {
            Self::All(parts) => strongest(parts, record, false),
            Self::Any(parts) => strongest(parts, record, true),
            Self::Not(part) => part.value(record).map(|value| !value),
            Self::Fact(fact, ask) => ask.value(record.record.facts.get(fact)?),
        }
    }

    /// How it comes out.
    pub(crate) fn outcome(&self, record: &Prepared<'_>) -> Outcome3 {
        match self.value(record) {
            Some(true) => Outcome3::Holds,
            Some(false) => Outcome3::Fails(Reason::GuardFalse),
            None => Outcome3::Unknown(Reason::FactMissing),
        }
    }

    /// The facts that it asks for.
    fn facts(&self) -> Vec<&Name> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::facts).collect(),
            Self::Not(part) => part.facts(),
            Self::Fact(fact, _) => vec![fact],
        }
    }

    /// What it asks, as text.
    pub(crate) fn text(&self) -> String {
        let list = |parts: &[Self], word: &str| {
            let parts: Vec<String> = parts.iter().map(Self::text).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::All(parts) => list(parts, " and "),
            Self::Any(parts) => list(parts, " or "),
            Self::Not(part) => format!("not {}", part.text()),
            Self::Fact(fact, Ask::Words(words)) => {
                let words: Vec<&str> = words.iter().map(Symbol::as_str).collect();
                format!("{fact} in {}", words.join("|"))
            }
            Self::Fact(fact, Ask::Between(least, most)) => {
                let number = |value: &Option<i64>| {
                    value.map(|value| crate::value::decimal_text(value, 3)).unwrap_or_default()
                };
                format!("{fact} {}..{}", number(least), number(most))
            }
        }
    }

    /// What the record says to it.
    pub(crate) fn got(&self, record: &Prepared<'_>) -> String {
        let mut names = self.facts();
        names.sort_unstable();
        names.dedup();
        let told: Vec<String> = names
            .into_iter()
            .map(|fact| match record.record.facts.get(fact) {
                Some(value) => format!("{fact}={}", fact_text(value)),
                None => format!("{fact}=?"),
            })
            .collect();
        told.join(", ")
    }
}

/// A fact as text.
fn fact_text(value: &FactValue) -> String {
    match value {
        FactValue::Bool(value) => value.to_string(),
        FactValue::Number(number) => number.to_string(),
        FactValue::Word(word) => word.to_string(),
    }
}

impl Ask {
    fn value(&self, fact: &FactValue) -> Three {
        match (self, fact) {
            (Self::Between(least, most), FactValue::Number(number)) => {
                Some(least.is_none_or(|least| number.0 >= least) && most.is_none_or(|most| number.0 <= most))
            }
            // A word where a number is asked for states nothing.
            (Self::Between(..), FactValue::Bool(_) | FactValue::Word(_)) => None,
            (Self::Words(words), fact) => {
                let text = fact_text(fact);
                Some(words.iter().any(|word| word.as_str() == text))
            }
        }
    }
}
