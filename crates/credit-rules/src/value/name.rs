//! Ids, and the words of a scale.

use super::{FormError, text_form};
use crate::limits::{BOOK_ID_BYTES_MAX, LABEL_BYTES_MAX};
use std::fmt;
use std::str::FromStr;

/// An id of anything in a book: a rule, an institution, a course, a standard, a pool, a fact. ASCII only, so that no two
/// ids look alike and differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "an id of 1 to 128 characters: ASCII letters, digits, and . _ : @ + / - after the first";
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@+/-".contains(&byte);
        let ok = (1..=BOOK_ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(allowed)
            && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if ok { Ok(Self(text.to_owned())) } else { Err(FormError::new(form, text)) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A word of a scale or of a fact: `"B+"`, `"良"`, `"85"`. Any printable text without spaces around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Symbol(String);

impl Symbol {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Symbol {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "a word of 1 to 1024 bytes without control characters or spaces around it";
        let ok = (1..=LABEL_BYTES_MAX).contains(&text.len())
            && text.trim() == text
            && !text.chars().any(char::is_control);
        if ok { Ok(Self(text.to_owned())) } else { Err(FormError::new(form, text)) }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(Name);
text_form!(Symbol);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_ascii() {
        for text in ["cn.ou.beijing:ACCT101", "a", "x@2", &"n".repeat(BOOK_ID_BYTES_MAX)] {
            assert_eq!(text.parse::<Name>().unwrap().as_str(), text);
        }
        let long = "n".repeat(BOOK_ID_BYTES_MAX + 1);
        // The second is a Cyrillic а.
        for text in ["", "cn.\u{430}", " a", "a b", ".a", "课", "a\n", long.as_str()] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn words_are_printable() {
        let (max, over) = ("w".repeat(LABEL_BYTES_MAX), "w".repeat(LABEL_BYTES_MAX + 1));
        for text in ["B+", "优 A", "85", max.as_str()] {
            assert!(text.parse::<Symbol>().is_ok(), "{text:?}");
        }
        for text in ["", " B", "B\u{0}", over.as_str()] {
            assert!(text.parse::<Symbol>().is_err(), "{text:?}");
        }
    }
}
