//! Rule books: their versions and their text. Open to everybody.

use super::page::{self, Tokens, foreign};
use super::{invalid, leaf_bytes};
use crate::failure::Failure;
use crate::reader::Reader;
use crate::reckon::civil_date;
use credit_ledger::{BookRow, BookVersionRow, Row, RowId};
use credit_proto::{Signable as _, v1};
use credit_types::{FrameworkId, Reason};
use std::sync::Arc;

/// The name of the list of rule books, in its tokens.
const BOOKS: &str = "rule-books";

/// A rule book's row; refused where there is none.
pub(crate) fn row(reader: &Reader, book_id: &str) -> Result<Arc<BookRow>, Failure> {
    let id = FrameworkId::new(book_id).map_err(|error| invalid("book_id", error.to_string()))?;
    match reader.row(&RowId::Book(id))? {
        Some(Row::Book(row)) => Ok(row),
        _ => Err(Reason::BookUnknown.into()),
    }
}

/// A version of a book; 0: the one in force today.
pub(crate) fn version<'a>(
    reader: &Reader,
    row: &'a BookRow,
    version: u32,
) -> Result<&'a BookVersionRow, Failure> {
    if version == 0 {
        let today = civil_date(reader, reader.now_us())?;
        return row.in_force(today).ok_or_else(|| Reason::BookNotInForce.into());
    }
    row.version(version).ok_or_else(|| Reason::BookUnknown.into())
}

/// The versions of a book.
pub(crate) fn get(
    reader: &Reader,
    asked: &v1::GetRuleBookRequest,
) -> Result<v1::GetRuleBookResponse, Failure> {
    let row = row(reader, &asked.book_id)?;
    let versions = row.versions.iter().map(|version| view(reader, &row, version));
    Ok(v1::GetRuleBookResponse { versions: versions.collect::<Result<_, _>>()? })
}

fn view(reader: &Reader, row: &BookRow, version: &BookVersionRow) -> Result<v1::RuleBookVersion, Failure> {
    let today = civil_date(reader, reader.now_us())?;
    let newest = row.in_force(today).map(|one| one.publication.book.version);
    Ok(v1::RuleBookVersion {
        publication: Some(version.publication.to_wire(None)),
        published_index: version.published_index,
        published_at_us: version.published_at_us,
        activated_index: version.activated_index,
        abolished_index: version.abolished_index,
        last_entry: leaf_bytes(reader, version.last_index)?,
        in_force: newest == Some(version.publication.book.version),
    })
}

/// Rule books by id, each with its newest version.
pub(crate) fn list(
    reader: &Reader,
    tokens: &Tokens,
    asked: &v1::ListRuleBooksRequest,
) -> Result<v1::ListRuleBooksResponse, Failure> {
    let v1::ListRuleBooksRequest { page_size, page_token } = asked;
    let after = tokens.read(BOOKS, &[], page_token)?;
    let after = after.map(|bytes| String::from_utf8(bytes).map_err(|_| foreign())).transpose()?;
    let limit = page::size(*page_size, page::INSTITUTIONS_MAX);
    let rows = reader.books(after.as_deref(), limit.saturating_add(1))?;
    let mut newest: Vec<v1::RuleBookVersion> = Vec::new();
    let mut last = None;
    for row in rows {
        if newest.len() == limit {
            let next_page_token =
                last.map(|id: FrameworkId| tokens.issue(BOOKS, &[], id.as_str().as_bytes()));
            return Ok(v1::ListRuleBooksResponse {
                newest,
                next_page_token: next_page_token.unwrap_or_default(),
            });
        }
        let Some(version) = row.versions.last() else { continue };
        last = Some(version.publication.book.book_id.clone());
        newest.push(view(reader, &row, version)?);
    }
    Ok(v1::ListRuleBooksResponse { newest, next_page_token: String::new() })
}

/// The canonical JSON of a version.
pub(crate) fn text(reader: &Reader, asked: &v1::ReadRuleBookRequest) -> Result<Vec<u8>, Failure> {
    let row = row(reader, &asked.book_id)?;
    let version = version(reader, &row, asked.version)?;
    let blob = reader.blob(version.publication.digest)?;
    blob.ok_or_else(|| Failure::Fault("a published rule book is missing".to_owned()))
}
