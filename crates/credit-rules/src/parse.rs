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
        if findings.is_empty() {
            size(book.canonical().len(), &mut findings);
        }
        if findings.is_empty() {
            return Ok(book);
        }
        let mut list = findings.finish();
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
    parts::read(text)
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
            format!("规则书为 {bytes} 字节, 最多 {BOOK_BYTES_MAX} 字节 (BOOK_BYTES_MAX)"),
            format!("the book has {bytes} bytes, at most {BOOK_BYTES_MAX} (BOOK_BYTES_MAX)"),
        );
    }
}

fn too_deep() -> Finding {
    Finding::new(
        Code::NestedTooDeep,
        BookPath::default(),
        format!("嵌套超过 {NESTING_MAX} 层 (NESTING_MAX)"),
        format!("it nests deeper than {NESTING_MAX} (NESTING_MAX)"),
    )
}
