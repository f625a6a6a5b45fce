//! What is written to the terminal: results on standard output, notes and progress beside it.
//!
//! As text a result is lines and tables in one language. As JSON it is one document with the same content in both,
//! so that a program never has to read what was written for people.

use crate::ending::CommandError;
use crate::language::{Language, Phrase};
use clap::ValueEnum;
use credit_types::Text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::fmt::Display;
use std::io;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document for programs.
    Json,
}

/// The way to the terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// The language of text.
    pub(crate) language: Language,
    /// The form of results.
    pub(crate) format: Format,
}

impl Output {
    /// Writes a line of a result; nothing as JSON.
    pub(crate) fn line(self, phrase: Phrase, places: &[&dyn Display]) {
        self.text(&phrase.with(places));
    }

    /// Writes a text of a result; nothing as JSON.
    pub(crate) fn text(self, text: &Text) {
        self.raw_line(self.language.of(text));
    }

    /// Writes a line of a result that is the same in both languages; nothing as JSON.
    pub(crate) fn raw_line(self, line: &str) {
        if self.format == Format::Text {
            put(io::stdout().lock(), line);
        }
    }

    /// Writes a result's document; nothing as text.
    pub(crate) fn json(self, document: &impl Serialize) {
        if self.format == Format::Json {
            // Values are built from strings, numbers and lists, which always have a form in JSON.
            let text = serde_json::to_string(document).unwrap_or_default();
            put(io::stdout().lock(), &text);
        }
    }

    /// Writes what belongs to no format, as scripts and configuration files do.
    pub(crate) fn document(text: &str) {
        put(io::stdout().lock(), text.trim_end_matches('\n'));
    }

    /// Writes bytes as they are, in either format: they are a document of their own.
    pub(crate) fn bytes(bytes: &[u8]) {
        let mut to = io::stdout().lock();
        // Nobody is left to be told where the terminal has gone.
        let _ = io::Write::write_all(&mut to, bytes).and_then(|()| io::Write::flush(&mut to));
    }

    /// Writes a table whose header is no phrase, with its columns aligned; nothing as JSON.
    pub(crate) fn grid(self, header: &[String], rows: &[Vec<String>]) {
        if self.format == Format::Text {
            for line in table_lines(header, rows) {
                put(io::stdout().lock(), &format!("  {line}"));
            }
        }
    }

    /// Tells people something beside the result, in either format.
    pub(crate) fn note(self, phrase: Phrase, places: &[&dyn Display]) {
        self.note_text(&phrase.with(places));
    }

    /// The same for a text that is no phrase.
    pub(crate) fn note_text(self, text: &Text) {
        put(io::stderr().lock(), self.language.of(text));
    }

    /// Says why a command ended early: on standard error as text, on standard output as JSON.
    pub(crate) fn error(self, error: &CommandError) {
        let causes = error.causes();
        if self.format == Format::Json {
            let Text { zh, en } = &error.text;
            self.json(&serde_json::json!({
                "error": { "exit": error.exit.number(), "zh": zh, "en": en, "causes": causes }
            }));
        }
        self.note(Phrase::Error, &[&self.language.of(&error.text)]);
        for cause in causes {
            self.note(Phrase::Because, &[&cause]);
        }
    }

    /// Writes a table with its columns aligned; nothing as JSON.
    pub(crate) fn table(self, header: &[Phrase], rows: &[Vec<String>]) {
        if self.format == Format::Text {
            let names: Vec<String> =
                header.iter().map(|name| self.language.of(&name.text()).to_owned()).collect();
            for line in table_lines(&names, rows) {
                put(io::stdout().lock(), &line);
            }
        }
    }

    /// A progress bar beside the result; invisible where nobody watches.
    pub(crate) fn progress(self, what: Phrase, total: u64) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(self.language.of(&what.text()).to_owned());
        bar
    }
}

/// Writes a line and flushes it, so that a reader of a pipe has it at once.
fn put(mut to: impl io::Write, line: &str) {
    // Nobody is left to be told where the terminal has gone.
    let _ = writeln!(to, "{line}").and_then(|()| to.flush());
}

fn table_lines(header: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.chain(header.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, column)| {
            let gap = column.saturating_sub(width(cell));
            format!("{cell}{}", " ".repeat(gap))
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    std::iter::once(header).chain(rows.iter().map(Vec::as_slice)).map(line).collect()
}

/// The columns that a text takes on a terminal: two for each letter that East Asian scripts write wide.
fn width(text: &str) -> usize {
    let wide = |letter: char| {
        matches!(letter,
            '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().fold(0usize, |sum, letter| sum.saturating_add(if wide(letter) { 2 } else { 1 }))
}

/// A number of thousandths as people write it: `7.5`, `-0.125`, `4`.
pub(crate) fn thousandths(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, rest) = (milli.unsigned_abs() / 1_000, milli.unsigned_abs() % 1_000);
    let decimals = format!("{rest:03}");
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{decimals}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_one_another_in_either_script() {
        let header = ["制式".to_owned(), "sum".to_owned()];
        let rows = [vec!["CN_XF".to_owned(), "7.5".to_owned()], vec!["学时".to_owned(), "12".to_owned()]];
        assert_eq!(table_lines(&header, &rows), ["制式   sum", "CN_XF  7.5", "学时   12"]);
        assert!(table_lines(&[], &[]).iter().all(String::is_empty));
    }

    #[test]
    fn thousandths_are_written_without_needless_zeros() {
        for (milli, text) in [
            (0, "0"),
            (7_500, "7.5"),
            (125, "0.125"),
            (-1_010, "-1.01"),
            (4_000, "4"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(thousandths(milli), text);
        }
    }
}
