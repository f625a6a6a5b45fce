//! The page of a decision.

use super::{lines, sankey, say};
use credit_rules::answer::Place;
use credit_rules::book::Book;
use credit_rules::explain::Explanation;
use credit_rules::sentence::{Decision, decision, place_name};
use credit_rules::value::Language;
use maud::{Markup, html};

/// What stands on the page.
pub(super) fn body(book: &Book, explanation: &Explanation) -> Markup {
    let zh: Decision = decision(book, explanation, Language::Zh);
    let en: Decision = decision(book, explanation, Language::En);
    let name = |place: &Place| (place_name(book, place, Language::Zh), place_name(book, place, Language::En));
    let near = explanation.rejected.iter().filter(|rejected| rejected.near_miss).count();
    let rejected: Vec<(&String, &String)> = zh.rejected.iter().zip(&en.rejected).collect();
    html! {
        header {
            h1 { (say("学分转换决定", "Credit conversion")) }
            p.soft { (say(&book.labels.zh, &book.labels.en)) }
        }
        section.sum { @for (zh, en) in zh.summary.iter().zip(&en.summary) { p { (say(zh, en)) } } }
        section {
            h2 { (say("哪些成果计入了哪里", "Which record counts to what")) }
            p.soft { (say("带的宽度即学分；灰色的成果未认定，原因见下文。", "A band is as wide as its credit. Of what is grey nothing is granted; why is told below.")) }
            (sankey::picture(explanation, name))
        }
        section {
            h2 { (say("已认定", "Granted")) }
            @for (zh, en) in zh.items.iter().zip(&en.items) {
                details open {
                    summary { (say(&zh.heading, &en.heading)) }
                    (lines(&zh.lines, &en.lines))
                }
            }
        }
        @if near > 0 {
            section.card.near {
                h2 { (say("只差一项", "Nearly granted")) }
                ul { @for (zh, en) in rejected.iter().take(near) { li { (say(zh, en)) } } }
            }
        }
        @if rejected.len() > near {
            section.card {
                h2 { (say("其他未认定的成果与用法", "Other records and uses that were not taken")) }
                ul { @for (zh, en) in rejected.iter().skip(near) { li { (say(zh, en)) } } }
            }
        }
        @if !zh.gap.is_empty() {
            section.card {
                h2 { (say("尚缺", "Still open")) }
                (lines(&zh.gap, &en.gap))
            }
        }
    }
}
