//! A book, or a decision under it, as one page for people: both languages, pictures, no scripts, nothing from elsewhere.
//!
//! Every text goes through maud, which escapes it: a page can be made of a hostile book.

mod book;
mod decision;
mod flow;
mod geometry;
mod sankey;

use crate::language::Language;
use credit_rules::book::Book;
use credit_rules::explain::Explanation;
use credit_rules::sentence::Grid;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The look of the page: light and dark, wide and narrow, on paper.
const STYLE: &str = include_str!("page/style.css");

/// A book as a page.
pub(super) fn render_book(book: &Book, hash: &str, language: Language) -> String {
    frame(&book.labels.zh, &book.labels.en, language, &book::body(book, hash))
}

/// A decision as a page.
pub(in super::super) fn render_explanation(
    book: &Book,
    explanation: &Explanation,
    language: Language,
) -> String {
    frame("学分转换决定", "Credit conversion", language, &decision::body(book, explanation))
}

/// A text in both languages, of which the reader chooses.
fn say(zh: &str, en: &str) -> Markup {
    html! { span.zh lang="zh-CN" { (zh) } " " span.en lang="en" { (en) } }
}

/// A table in both languages.
fn grid(zh: &Grid, en: &Grid) -> Markup {
    html! {
        div.scroll {
            table {
                tr { @for (zh, en) in zh.header.iter().zip(&en.header) { th { (say(zh, en)) } } }
                @for (zh, en) in zh.rows.iter().zip(&en.rows) {
                    tr { @for (zh, en) in zh.iter().zip(en) { td { (say(zh, en)) } } }
                }
            }
        }
    }
}

/// Sentences in both languages.
fn lines(zh: &[String], en: &[String]) -> Markup {
    html! { ul { @for (zh, en) in zh.iter().zip(en) { li { (say(zh, en)) } } } }
}

fn frame(zh: &str, en: &str, language: Language, body: &Markup) -> String {
    let chinese = language == Language::Zh;
    let choices = [
        ("show-zh", "中文", chinese),
        ("show-en", "English", !chinese),
        ("show-both", "中文 + English", false),
    ];
    let page = html! {
        (DOCTYPE)
        html lang=(if chinese { "zh-CN" } else { "en" }) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="robots" content="noindex";
                title { (zh) " · " (en) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @for (id, label, chosen) in choices {
                    input type="radio" name="language" id=(id) checked[chosen];
                    label for=(id) { (label) }
                }
                main { (body) }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests;
