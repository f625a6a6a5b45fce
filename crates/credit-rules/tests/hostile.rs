//! Whatever stands in a book, it is read or refused: never a panic, and never without end.
#![expect(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "a test counts small numbers")]

use credit_rules::book::Book;
use credit_rules::check::{Surroundings, check};
use credit_rules::diff::diff;
use credit_rules::finding::Code;
use credit_rules::parse::locate;

const EXAMPLES: &str = include_str!("books/examples.toml");

/// Numbers that look like chance and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(below.max(1)).unwrap()).unwrap()
    }
}

/// Reads, checks and compares; what is found must have its place.
fn survive(text: &str, good: &Book) {
    match Book::from_toml(text) {
        Err(findings) => {
            assert!(!findings.is_empty());
            assert!(findings.iter().all(|finding| finding.place.is_some()), "{findings:#?}");
        }
        Ok(book) => {
            let bytes = book.canonical();
            assert_eq!(Book::from_canonical(&bytes).as_ref(), Ok(&book));
            let previous = [good.clone()];
            let surroundings =
                Surroundings { previous: &previous, others: &previous, ..Surroundings::default() };
            let mut findings = check(&book, &surroundings);
            assert_eq!(findings, check(&book, &surroundings));
            locate(text, &mut findings);
            assert!(findings.iter().all(|finding| finding.place.is_some()));
            let _ = diff(good, &book);
        }
    }
}

#[test]
fn words_of_a_book_put_in_other_places_do_no_harm() {
    let good = Book::from_toml(EXAMPLES).unwrap();
    // Words with what stands around them, so that many mixtures can still be read.
    let words: Vec<&str> = EXAMPLES.split_inclusive([' ', '\n', ',', '"', '=']).collect();
    let mut dice = Dice(20_261_128);
    for _ in 0..120 {
        let mut mixed = words.clone();
        for _ in 0..=dice.roll(3) {
            let (to, from) = (dice.roll(mixed.len()), dice.roll(words.len()));
            match dice.roll(3) {
                0 => mixed[to] = words[from],
                1 => mixed.insert(to, words[from]),
                _ => drop(mixed.remove(to)),
            }
        }
        survive(&mixed.concat(), &good);
    }
}

#[test]
fn values_of_a_book_put_in_other_places_do_no_harm() {
    let good = Book::from_toml(EXAMPLES).unwrap();
    // Texts in quotation marks: most mixtures are books that mean something odd.
    let parts: Vec<&str> = EXAMPLES.split('"').collect();
    let mut dice = Dice(7);
    for _ in 0..120 {
        let mut mixed = parts.clone();
        for _ in 0..=dice.roll(2) {
            let (to, from) = (dice.roll(parts.len() / 2) * 2 + 1, dice.roll(parts.len() / 2) * 2 + 1);
            mixed[to] = parts[from];
        }
        survive(&mixed.join("\""), &good);
    }
}

#[test]
fn bytes_of_a_book_changed_do_no_harm() {
    let good = Book::from_toml(EXAMPLES).unwrap();
    let canonical = good.canonical();
    let mut dice = Dice(11);
    for _ in 0..500 {
        let mut bytes = canonical.clone();
        let at = dice.roll(bytes.len());
        match dice.roll(3) {
            0 => bytes[at] = b"\"\\{}[],:0919eE-.tfn\x00\x7f\xff"[dice.roll(22)],
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        if let Ok(book) = Book::from_canonical(&bytes) {
            assert_eq!(book.canonical(), bytes);
            check(&book, &Surroundings::default());
        }
    }
}

#[test]
fn books_made_to_take_time_come_to_an_end() {
    let head = "schema = \"rulebook/1\"\nid = \"b\"\nversion = 1\neffective = {}\nlabels = { zh = \"书\", en = \"b\" }\n";
    let rule = |says: &str| {
        format!(
            "{head}[[rule]]\nid = \"r\"\nkind = \"k\"\nlabels = {{ zh = \"规\", en = \"r\" }}\naward = {{ pool = \"p\", credit = \"1 cr\" }}\n{says}\n"
        )
    };
    let repeat = |count: usize, text: &str| vec![text; count].join(", ");
    let course = "{ course = \"c\" }";
    for (text, code) in [
        (
            rule(&format!("bundle.n_of = {{ least = 100000, of = [{}] }}", repeat(200_000, course))),
            Code::TooMany,
        ),
        (rule(&format!("bundle.all = [{}]", repeat(200_000, course))), Code::TooMany),
        (rule(&format!("guard.all = [{}]", repeat(200_000, "{ fact = \"f\", ge = 1 }"))), Code::TooMany),
        (rule(&format!("table.rows = [{}]", repeat(100_000, "{ credit = \"1 cr\" }"))), Code::TooMany),
        (format!("{head}{}", "[[rule]]\n".repeat(50_000)), Code::MissingField),
        (format!("{head}a.{} = 1", "b.".repeat(1_000_000)), Code::NestedTooDeep),
        (format!("{head}{}", "[a.b.c.d]\n".repeat(20_000)), Code::DuplicateField),
    ] {
        let findings = Book::from_toml(&text).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code == code), "{code:?}: {:#?}", findings.first());
        assert!(findings.len() <= credit_rules::limits::FINDINGS_MAX + 1);
    }
}

#[test]
fn ids_that_look_alike_are_refused() {
    // A Cyrillic а, a full-width a, a zero-width joiner, and a letter with its accent apart.
    for (letter, code) in [
        ("\u{430}", Code::BadForm),
        ("\u{ff41}", Code::BadForm),
        ("a\u{200d}", Code::HiddenCharacter),
        ("e\u{301}", Code::NotNormal),
    ] {
        let text = EXAMPLES.replacen("id = \"phys-series\"", &format!("id = \"phys-series{letter}\""), 1);
        let findings = Book::from_toml(&text).unwrap_err();
        assert_eq!(findings[0].code, code);
        let line = EXAMPLES.lines().position(|line| line == "id = \"phys-series\"").unwrap() + 1;
        assert_eq!(findings[0].place.unwrap().line, line);
    }
}

#[test]
fn what_a_label_shows_is_what_is_signed() {
    // A mark of direction would show the reader another order of words than the one that is signed.
    let text = EXAMPLES.replacen("en = \"Veteran RPL\"", "en = \"Veteran \u{202e}RPL\"", 1);
    let findings = Book::from_toml(&text).unwrap_err();
    assert_eq!(findings[0].code, Code::HiddenCharacter);
    let place = findings[0].place.unwrap();
    assert_eq!((place.column, place.end_column), (place.column, place.column + 1));
    let escaped = EXAMPLES.replacen("en = \"Veteran RPL\"", "en = \"Veteran \\u202ERPL\"", 1);
    let findings = Book::from_toml(&escaped).unwrap_err();
    assert_eq!(findings[0].code, Code::HiddenCharacter);
    assert!(findings[0].place.is_some() && findings[0].message.en.contains("U+202E"));
    let canonical = String::from_utf8(Book::from_toml(EXAMPLES).unwrap().canonical()).unwrap();
    let canonical = canonical.replacen("Veteran RPL", "Veteran \u{202e}RPL", 1);
    assert_eq!(Book::from_canonical(canonical.as_bytes()).unwrap_err()[0].code, Code::HiddenCharacter);
}
