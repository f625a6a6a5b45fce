//! The page of a book.

use super::{flow, grid, lines, say};
use credit_rules::book::{Book, Programme};
use credit_rules::sentence::{Section, Subject, sentences};
use credit_rules::value::Language;
use maud::{Markup, html};

/// Rules of which each is told in full at once; those of a larger book are folded.
const OPEN_RULES: usize = 12;

/// What stands on the page.
pub(super) fn body(book: &Book, hash: &str) -> Markup {
    let (chinese, english) = (sentences(book, Language::Zh), sentences(book, Language::En));
    let pairs: Vec<(&Section, &Section)> = chinese.iter().zip(&english).collect();
    let folded = book.rules.len() > OPEN_RULES;
    html! {
        @for (zh, en) in pairs.iter().filter(|(zh, _)| zh.subject == Subject::Book) {
            header {
                h1 { (say(&zh.heading, &en.heading)) }
                (lines(&zh.lines, &en.lines))
                p.soft { "SHA-256 " code { (hash) } }
            }
        }
        section {
            h2 { (say("学分从哪里来，到哪里去", "Where credit comes from, and where it goes")) }
            (flow::picture(book))
        }
        @for (zh, en) in pairs.iter().filter(|(zh, _)| zh.subject != Subject::Book) {
            details open[!folded || !matches!(zh.subject, Subject::Rule(_))] {
                summary { (say(&zh.heading, &en.heading)) }
                @if let Subject::Programme(name) = &zh.subject {
                    @if let Some(programme) = book.programmes.get(name) { (shares(programme)) }
                }
                (lines(&zh.lines, &en.lines))
                @for (zh, en) in zh.tables.iter().zip(&en.tables) { (grid(zh, en)) }
            }
        }
    }
}

/// The requirements of a programme as shares of its total.
fn shares(programme: &Programme) -> Markup {
    let total = programme.total.0.max(1);
    let parts: Vec<(i64, &str, &str)> = programme
        .requirements
        .iter()
        .filter_map(|requirement| {
            let share = super::geometry::part(100, requirement.credit?.0, total).clamp(1, 100);
            Some((share, requirement.labels.zh.as_str(), requirement.labels.en.as_str()))
        })
        .collect();
    html! {
        @if parts.len() > 1 {
            div.bar role="img" aria-label="requirements" {
                @for (share, zh, en) in &parts {
                    span title={ (zh) " · " (en) " " (share) "%" } style={ "width:" (share) "%" } {}
                }
            }
            p.soft {
                @for (share, zh, en) in &parts { (say(zh, en)) " " (share) "%　" }
            }
        }
    }
}
