//! A book as its canonical form has it: every part a list of fields, each with the text that it says.

use super::FieldChange;
use crate::book::Book;
use crate::value::Label;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a thing stands in its part of the book.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Index(usize),
    Key(String),
}

/// A thing of a book: its place, and what it says by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    pub(super) place: Place,
    pub(super) fields: BTreeMap<String, String>,
}

/// A book by parts, and in each part by id.
pub(super) struct Written {
    /// What the book says of itself.
    pub(super) top: BTreeMap<String, String>,
    parts: BTreeMap<String, BTreeMap<String, Thing>>,
}

/// Lists whose members are told apart by what they name rather than by their order.
const NAMED: [&str; 3] = ["id", "class", "level"];

impl Written {
    /// A book by parts.
    pub(super) fn of(book: &Book) -> Self {
        let mut written = Self { top: BTreeMap::new(), parts: BTreeMap::new() };
        let Ok(Value::Object(all)) = serde_json::to_value(book) else { return written };
        for (key, value) in all {
            if !is_part(&key) {
                let inner = flat(&value).into_iter().map(|(field, says)| (joined(&key, &field), says));
                written.top.extend(inner);
                continue;
            }
            for (name, member) in value.as_object().into_iter().flatten() {
                let place = Place::Key(name.clone());
                written.add(&key, name.clone(), Thing { place, fields: flat(member) });
            }
            for (index, member) in value.as_array().into_iter().flatten().enumerate() {
                let id = member.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                written.add(&key, id, Thing { place: Place::Index(index), fields: flat(member) });
            }
        }
        written
    }

    fn add(&mut self, part: &str, id: String, thing: Thing) {
        self.parts.entry(part.to_owned()).or_default().insert(id, thing);
    }

    /// The things of a part, by id.
    pub(super) fn part(&self, key: &str) -> BTreeMap<String, Thing> {
        self.parts.get(key).cloned().unwrap_or_default()
    }
}

fn is_part(key: &str) -> bool {
    matches!(
        key,
        "standards"
            | "groups"
            | "ladders"
            | "scales"
            | "programmes"
            | "rule"
            | "constraint"
            | "award"
            | "compliance"
            | "level_map"
            | "grade_map"
    )
}

fn joined(above: &str, below: &str) -> String {
    match (above.is_empty(), below.is_empty()) {
        (true, _) => below.to_owned(),
        (false, true) => above.to_owned(),
        (false, false) => format!("{above}.{below}"),
    }
}

/// A value as fields with texts. Rows of a table go by what they ask, so that a row that moved did not change; guards,
/// bundles and lists of plain values are said whole.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut open: Vec<(String, &Value)> = vec![(String::new(), value)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(_) if path == "guard" || path == "bundle" => {
                fields.insert(path, value.to_string());
            }
            Value::Object(members) => {
                open.extend(members.iter().map(|(key, member)| (joined(&path, key), member)));
            }
            Value::Array(list) if list.iter().all(Value::is_object) && !list.is_empty() => {
                for (index, member) in list.iter().enumerate() {
                    let (name, left) = member_name(member, index);
                    let mut key = format!("{path}[{name}]");
                    // Two members of one name are told apart by their order after all.
                    if fields.keys().any(|own| own.starts_with(&key))
                        || open.iter().any(|(own, _)| *own == key)
                    {
                        key = format!("{path}[{name}#{index}]");
                    }
                    match left {
                        Some(outcome) => {
                            fields.insert(key, outcome);
                        }
                        None => open.push((key, member)),
                    }
                }
            }
            Value::Array(list) => {
                let texts: Vec<String> = list.iter().map(text).collect();
                fields.insert(path, texts.join(", "));
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
                fields.insert(path, text(value));
            }
        }
    }
    fields
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// What a row of a table grants.
const OUTCOMES: [&str; 4] = ["credit", "ratio", "each", "share"];

/// What a member of a list goes by; of a row of a table also what it grants.
fn member_name(member: &Value, index: usize) -> (String, Option<String>) {
    let Value::Object(fields) = member else { return (index.to_string(), None) };
    let named = NAMED.iter().find_map(|key| fields.get(*key)).filter(|_| !fields.contains_key("credit"));
    if let Some(Value::String(name)) = named {
        return (name.clone(), None);
    }
    if let Some(Value::String(id)) = fields.get("id") {
        return (id.clone(), None);
    }
    let outcome = OUTCOMES.iter().find_map(|key| fields.get(*key).map(|value| (*key, value)));
    let is_row = outcome.is_some() && !fields.contains_key("course") && !fields.contains_key("pool");
    match outcome.filter(|_| is_row) {
        Some((key, value)) => {
            let asked = fields.iter().filter(|(own, _)| *own != key && *own != "label");
            let asked: Vec<String> = asked.map(|(own, value)| format!("{own} = {}", cell(value))).collect();
            (asked.join(", "), Some(format!("{key} {}", text(value))))
        }
        None => (index.to_string(), None),
    }
}

/// A cell of a table, as short as it can be said.
fn cell(value: &Value) -> String {
    match value {
        Value::Object(range) => {
            let ends: Vec<String> = range.iter().map(|(key, end)| format!("{key} {}", text(end))).collect();
            ends.join(" ")
        }
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join("/"),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => text(value),
    }
}

/// Whether a field bears on what is granted.
fn grants(field: &str) -> bool {
    let mut steps = field.split('.');
    !steps.any(|step| matches!(step, "labels" | "label" | "evidence" | "justification" | "uncapped"))
        && !field.starts_with("evidence")
        && !matches!(field, "version" | "supersedes" | "registry")
}

/// What two things say differently.
pub(super) fn fields(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<FieldChange> {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let mut changes: Vec<FieldChange> = names
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| change(name, old.get(name), new.get(name)))
        .collect();
    changes.sort_by(|one, other| one.field.cmp(&other.field));
    changes
}

fn change(field: &str, old: Option<&String>, new: Option<&String>) -> FieldChange {
    let says = match (old, new) {
        (Some(old), Some(new)) => Label {
            zh: format!("{field} 由 {old} 改为 {new}"),
            en: format!("{field} was {old} and is {new}"),
        },
        (None, Some(new)) => {
            Label { zh: format!("新增 {field}：{new}"), en: format!("{field} is new: {new}") }
        }
        (Some(old), None) => Label {
            zh: format!("删去 {field}（原为 {old}）"),
            en: format!("{field} is gone, it was {old}"),
        },
        (None, None) => Label::default(),
    };
    FieldChange { field: field.to_owned(), grants: grants(field), old: old.cloned(), new: new.cloned(), says }
}
