//! Where in a TOML text the thing of a path stands, and which path a stretch of text has.

use crate::finding::{Finding, Span};
use crate::path::{BookPath, PathStep};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(after.map(|(at, _)| at.saturating_add(1))).collect();
        Self { text, starts }
    }

    /// A range of bytes as lines and columns.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let (line, column) = self.place(range.start);
        let (end_line, end_column) = self.place(range.end.max(range.start));
        Span { line, column, end_line, end_column }
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.as_bytes().get(start..offset).unwrap_or_default();
        // Characters, counted by the bytes that begin one.
        let column = before.iter().filter(|byte| (**byte & 0xc0) != 0x80).count().saturating_add(1);
        (line, column)
    }
}

/// Gives findings their places in the TOML text that they are about. One that is about something that is not there gets
/// the place of what should hold it.
pub fn locate(text: &str, findings: &mut [Finding]) {
    if findings.is_empty() {
        return;
    }
    let Ok(table) = DeTable::parse(text) else { return };
    let lines = Lines::new(text);
    for finding in findings.iter_mut().filter(|finding| finding.place.is_none()) {
        finding.place = Some(lines.span(range_of(&table, &finding.path)));
    }
}

/// What a walk down the tree stands on.
#[derive(Clone, Copy)]
enum Node<'n, 't> {
    Table(&'n DeTable<'t>),
    Value(&'n DeValue<'t>),
}

/// The range of what a path names, or of the deepest that is there.
fn range_of(top: &Spanned<DeTable<'_>>, path: &BookPath) -> Range<usize> {
    let mut node = Node::Table(top.get_ref());
    // The top as a whole is the first character: nobody wants a whole book underlined.
    let mut range = 0..0;
    for step in &path.0 {
        let next = match (node, step) {
            (Node::Table(table) | Node::Value(DeValue::Table(table)), PathStep::Key(key)) => {
                match member(table, key) {
                    Some(found) => found,
                    None => return range,
                }
            }
            (Node::Value(DeValue::Array(list)), PathStep::Index(index)) => match list.get(*index) {
                Some(value) => value,
                None => return range,
            },
            // One that is written without its list.
            (Node::Table(_) | Node::Value(_), PathStep::Index(_)) => continue,
            (Node::Value(_), PathStep::Key(_)) => return range,
        };
        range = next.span();
        node = Node::Value(next.get_ref());
    }
    range
}

fn member<'n, 't>(table: &'n DeTable<'t>, key: &str) -> Option<&'n Spanned<DeValue<'t>>> {
    // The names that a column may have besides its own.
    let other = match key {
        "level" => "skill_level",
        _ => key,
    };
    table.get(key).or_else(|| table.get(other))
}

/// The path of the smallest thing below a value that holds a range of the text, behind the path of the value itself.
pub(super) fn path_of(value: &DeValue<'_>, above: &BookPath, wanted: &Range<usize>) -> BookPath {
    let holds = |range: &Range<usize>| range.start <= wanted.start && wanted.end <= range.end;
    let mut best: Option<(usize, Vec<PathStep>)> = None;
    // A table that a header opens spans its header alone, so every branch has to be looked at.
    let mut open: Vec<(Vec<PathStep>, &DeValue<'_>)> = vec![(above.0.clone(), value)];
    while let Some((path, value)) = open.pop() {
        let mut offer = |step: PathStep, key: Option<Range<usize>>, value: &Spanned<DeValue<'_>>| {
            let below: Vec<PathStep> = path.iter().cloned().chain([step]).collect();
            for range in key.into_iter().chain([value.span()]) {
                let shorter = best.as_ref().is_none_or(|(shortest, _)| range.len() <= *shortest);
                if holds(&range) && shorter {
                    best = Some((range.len(), below.clone()));
                }
            }
            below
        };
        match value {
            DeValue::Table(table) => {
                for (key, value) in table {
                    let below = offer(PathStep::Key(key.get_ref().to_string()), Some(key.span()), value);
                    open.push((below, value.get_ref()));
                }
            }
            DeValue::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    let below = offer(PathStep::Index(index), None, value);
                    open.push((below, value.get_ref()));
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }
    best.map_or_else(|| above.clone(), |(_, path)| BookPath(path))
}
