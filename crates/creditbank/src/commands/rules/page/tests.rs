//! Pages of a book that ships, and of a hostile one.

use super::*;
use credit_rules::cases::Cases;
use credit_rules::explain::explain;
use credit_rules::program::Program;
use credit_types::Digest;

fn shipped(file: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ledger-data/rulebooks/yunjiang-city/");
    std::fs::read_to_string(format!("{folder}{file}")).unwrap()
}

/// That a page is whole: every element that opens is closed, in order, and nothing is fetched.
fn assert_whole(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = page.split_once("</style>").unwrap().1;
    for tag in body.split('<').skip(1) {
        let tag = tag.split_once('>').unwrap().0;
        let name = tag.split([' ', '>']).next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().unwrap_or_default(), name, "{tag}"),
            None if name == "input" => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, ["html"; 0]);
    for outside in ["<script", "http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

fn body_of(page: &str) -> String {
    format!("</style>{}", page.split_once("<body>").unwrap().1.replace("</body></html>", ""))
}

#[test]
fn the_page_of_a_book_has_every_rule_and_programme_in_both_languages() {
    let book = Book::from_toml(&shipped("book.toml")).unwrap();
    let page = render_book(&book, "sha", Language::Zh);
    assert_whole(&body_of(&page));
    for rule in &book.rules {
        assert!(page.contains(rule.id.as_str()), "{}", rule.id);
    }
    for programme in book.programmes.values() {
        assert!(page.contains(&programme.label.zh) && page.contains(&programme.label.en));
    }
    assert_eq!(page, render_book(&book, "sha", Language::Zh));
}

#[test]
fn the_page_of_a_decision_has_a_band_for_what_is_granted() {
    let book = Book::from_toml(&shipped("book.toml")).unwrap();
    let cases = Cases::from_toml(&shipped("cases.toml")).unwrap();
    let program = Program::new(book).unwrap();
    let mut bands = 0;
    for case in cases.tests.iter().filter_map(|case| case.convert.as_ref()) {
        let question = cases.question(case).unwrap();
        let allocated = program.allocate(&question).unwrap();
        let explanation = explain(&program, Digest([0; 32]), &question, &allocated);
        let page = render_explanation(program.book(), &explanation, Language::En);
        assert_whole(&body_of(&page));
        let drawn = page.matches("class=\"band\"").count();
        assert_eq!(drawn > 0, !explanation.items.is_empty());
        bands += drawn;
    }
    assert!(bands > 10, "{bands}");
}

#[test]
fn a_hostile_book_writes_no_markup() {
    let text = shipped("book.toml").replace("转换规则", "<script>alert(1)</script>\\\"'&");
    let book = Book::from_toml(&text).unwrap();
    assert!(book.labels.zh.contains("<script>"));
    let page = render_book(&book, "<b>", Language::Zh);
    assert_whole(&body_of(&page));
    assert!(page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;"));
}
