//! Rule books: what is said of them, not what they say.

use credit_types::limits::{AUTO_APPROVAL_RULES_MAX, BOOK_BLOB_BYTES_MAX, BOOK_VERSION_MAX};
use credit_types::{
    AutoApproval, BookName, BookVersion, Digest, FrameworkId, Header, RuleBookChange, RuleBookPublication,
};

use crate::enumeration::Enumerated as _;
use crate::field::{
    ascending, count, date, date_wire, ensure, enumeration, named, optional_date, range, sized,
};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::Reading;
use crate::statement::{Signable, header, header_wire};
use crate::v1;

/// The version of a book that two fields name.
pub(crate) fn book(book_id: String, version: u32) -> Result<BookVersion, InvalidField> {
    Ok(BookVersion {
        book_id: named("book_id", book_id, FrameworkId::new)?,
        version: range("version", version, 1..=BOOK_VERSION_MAX)?,
    })
}

/// Ids of a book, ascending, none twice.
pub(crate) fn book_names(field: &str, texts: Vec<String>, max: usize) -> Result<Vec<BookName>, InvalidField> {
    count(field, &texts, 0..=max)?;
    let mut names = Vec::with_capacity(texts.len());
    for (position, text) in texts.into_iter().enumerate() {
        names.push(named("", text, BookName::new).at_element(field, position)?);
    }
    ascending(field, &names)?;
    Ok(names)
}

/// Ids of a book as they stand in a message.
pub(crate) fn book_names_wire(names: &[BookName]) -> Vec<String> {
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

impl Signable for RuleBookPublication {
    const TYPE: &'static str = payload_type::RULE_BOOK_PUBLICATION;
    type Wire = v1::RuleBookPublication;

    fn to_wire(&self, header: Option<&Header>) -> v1::RuleBookPublication {
        let Self { book, digest, size_bytes, effective_from, effective_until, select_by } = self;
        v1::RuleBookPublication {
            header: header_wire(header),
            book_id: book.book_id.as_str().to_owned(),
            version: book.version,
            sha256: digest.0.to_vec(),
            size_bytes: *size_bytes,
            effective_from: effective_from.map(date_wire),
            effective_until: effective_until.map(date_wire),
            select_by: select_by.number(),
        }
    }

    fn from_wire(wire: v1::RuleBookPublication, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::RuleBookPublication {
            header: header_wire,
            book_id,
            version,
            sha256,
            size_bytes,
            effective_from,
            effective_until,
            select_by,
        } = wire;
        let header = header(header_wire)?;
        let body = Self {
            book: book(book_id, version)?,
            digest: sized("sha256", &sha256, Digest::from_slice)?,
            size_bytes: range("size_bytes", size_bytes, 1..=BOOK_BLOB_BYTES_MAX)?,
            effective_from: optional_date("effective_from", effective_from)?,
            effective_until: optional_date("effective_until", effective_until)?,
            select_by: enumeration("select_by", select_by)?,
        };
        let has_days = body.effective_from.zip(body.effective_until).is_none_or(|(from, until)| from < until);
        ensure(has_days, "effective_until", "must be after effective_from, its day is out: correct it")?;
        Ok((header, body))
    }
}

impl Signable for RuleBookChange {
    const TYPE: &'static str = payload_type::RULE_BOOK_CHANGE;
    type Wire = v1::RuleBookChange;

    fn to_wire(&self, header: Option<&Header>) -> v1::RuleBookChange {
        let Self { after, book, action } = self;
        v1::RuleBookChange {
            header: header_wire(header),
            after: after.0.to_vec(),
            book_id: book.book_id.as_str().to_owned(),
            version: book.version,
            action: action.number(),
        }
    }

    fn from_wire(wire: v1::RuleBookChange, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::RuleBookChange { header: header_wire, after, book_id, version, action } = wire;
        let header = header(header_wire)?;
        let body = Self {
            after: sized("after", &after, Digest::from_slice)?,
            book: book(book_id, version)?,
            action: enumeration("action", action)?,
        };
        Ok((header, body))
    }
}

impl Signable for AutoApproval {
    const TYPE: &'static str = payload_type::AUTO_APPROVAL;
    type Wire = v1::AutoApproval;

    fn to_wire(&self, header: Option<&Header>) -> v1::AutoApproval {
        let Self { book, rules, until } = self;
        v1::AutoApproval {
            header: header_wire(header),
            book_id: book.book_id.as_str().to_owned(),
            version: book.version,
            rules: book_names_wire(rules),
            until: Some(date_wire(*until)),
        }
    }

    fn from_wire(wire: v1::AutoApproval, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::AutoApproval { header: header_wire, book_id, version, rules, until } = wire;
        let header = header(header_wire)?;
        let body = Self {
            book: book(book_id, version)?,
            rules: book_names("rules", rules, AUTO_APPROVAL_RULES_MAX)?,
            until: date("until", until)?,
        };
        Ok((header, body))
    }
}
