//! From the text that officers write, or from the canonical bytes, to a [`Book`]; and back to the bytes.
//!
//! What is hostile is refused by a limit with a name before anything walks down it: first the size, then how deep the
//! text nests, then the types, then the limits and forms that types alone can't say. A book that was read is one whose
//! every part has exactly one meaning; whether it is a good book is for [`crate::check`].

mod bounds;
mod logic;
mod nesting;
mod parts;
mod place;
mod plain;
mod shape;
mod wording;

pub(crate) use bounds::at_most;
pub(crate) use logic::{Terms, bundle_terms, exactly_one, how_many};
pub use place::locate;
pub(crate) use shape::unique;

use crate::book::Book;
use crate::finding::{Code, Finding, Findings};
use crate::limits::{BOOK_BYTES_MAX, NESTING_MAX};
use crate::path::{At, BookPath};
use nesting::{Form, nested_too_deep};
use plain::Unplain;

impl Book {
    /// Reads a book as officers write it. All that is wrong is said at once, each with its place.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::default();
        size(text.len(), &mut findings);
        if !findings.is_empty() {
            return Err(findings.finish());
        }
        let book = read_text::<Self>(text)?;
        examine(&book, &mut findings);
        let bytes = book.canonical();
        if findings.is_empty() {
            size(bytes.len(), &mut findings);
        }
        // An escape of TOML writes a hidden character with characters that are seen.
        let escaped = std::str::from_utf8(&bytes).ok().and_then(unplain).map(|(finding, _)| finding);
        if findings.is_empty() && escaped.is_none() {
            return Ok(book);
        }
        let mut list = findings.finish();
        list.extend(escaped);
        locate(text, &mut list);
        Err(list)
    }

    /// Reads a book from its canonical bytes; any other bytes that say the same are refused.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::default();
        size(bytes.len(), &mut findings);
        if !findings.is_empty() {
            return Err(findings.finish());
        }
        if nested_too_deep(bytes, Form::Json).is_some() {
            return Err(vec![too_deep()]);
        }
        if let Some((finding, _)) = std::str::from_utf8(bytes).ok().and_then(unplain) {
            return Err(vec![finding]);
        }
        let book: Self = serde_json::from_slice(bytes).map_err(|error| vec![wording::of_json(&error)])?;
        examine(&book, &mut findings);
        if findings.is_empty() && book.canonical() != bytes {
            findings.add(
                Code::NotCanonical,
                At::TOP,
                "这些字节不是 RFC 8785 规范形式",
                "the bytes are not the canonical form of RFC 8785",
            );
        }
        if findings.is_empty() { Ok(book) } else { Err(findings.finish()) }
    }

    /// The canonical bytes (RFC 8785): what is hashed, signed and logged.
    pub fn canonical(&self) -> Vec<u8> {
        // A book holds texts, whole numbers below 2^53 and lists of them: nothing that could not be written. Bytes that
        // are empty are no book, and are refused wherever they are read.
        serde_json_canonicalizer::to_vec(self).unwrap_or_default()
    }
}

/// Reads a text whose size has been checked.
pub(crate) fn read_text<T: parts::ByParts>(text: &str) -> Result<T, Vec<Finding>> {
    if let Some(place) = nested_too_deep(text.as_bytes(), Form::Toml) {
        let mut finding = too_deep();
        finding.place = Some(place::Lines::new(text).span(place..place.saturating_add(1)));
        return Err(vec![finding]);
    }
    if let Some((mut finding, range)) = unplain(text) {
        finding.place = Some(place::Lines::new(text).span(range));
        return Err(vec![finding]);
    }
    parts::read(text)
}

/// What of a text is not as it looks, and where.
fn unplain(text: &str) -> Option<(Finding, std::ops::Range<usize>)> {
    let (code, zh, en, range) = match plain::unplain(text)? {
        Unplain::Hidden(one, at) => {
            let number = u32::from(one);
            (
                Code::HiddenCharacter,
                format!("含有看不见的字符 U+{number:04X}"),
                format!("it has the character U+{number:04X}, which is not seen"),
                at..at.saturating_add(one.len_utf8()),
            )
        }
        Unplain::NotNormal(start, end) => (
            Code::NotNormal,
            "该行不是 Unicode 规范形式 C：同一个字可有两种写法".to_owned(),
            "the line is not in Unicode normal form C: one letter could be written in two ways".to_owned(),
            start..end,
        ),
    };
    Some((Finding::new(code, BookPath::default(), zh, en), range))
}

/// Limits and forms that types alone can't say.
fn examine(book: &Book, findings: &mut Findings) {
    bounds::book(book, findings);
    shape::book(book, findings);
}

fn size(bytes: usize, findings: &mut Findings) {
    if bytes > BOOK_BYTES_MAX {
        findings.add(
            Code::BookTooLarge,
            At::TOP,
            format!("规则书为 {bytes} 字节，最多 {BOOK_BYTES_MAX} 字节（BOOK_BYTES_MAX）"),
            format!("the book has {bytes} bytes, at most {BOOK_BYTES_MAX} (BOOK_BYTES_MAX)"),
        );
    }
}

fn too_deep() -> Finding {
    Finding::new(
        Code::NestedTooDeep,
        BookPath::default(),
        format!("嵌套超过 {NESTING_MAX} 层（NESTING_MAX）"),
        format!("it nests deeper than {NESTING_MAX} (NESTING_MAX)"),
    )
}
