//! What can be read, each with who may read it. Synchronous: a handler calls these on a blocking thread.

pub(crate) mod account;
pub(crate) mod balance;
pub(crate) mod bundle;
pub(crate) mod compliance;
pub(crate) mod conversion;
mod fold;
pub(crate) mod log;
pub(crate) mod page;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod rule_book;

use crate::failure::Failure;
use crate::reader::Reader;
use credit_ledger::{AccountRow, KeyRow, Row, RowId};
use credit_types::{AccountRef, Kid};
use std::sync::Arc;

/// The refusal of a request's field.
pub(crate) fn invalid(field: &str, problem: impl Into<String>) -> Failure {
    Failure::Invalid { field: field.to_owned(), problem: problem.into() }
}

/// The leaf hash of an entry that a row names. The entry is under the signed head, as the row is.
pub(crate) fn leaf_bytes(reader: &Reader, index: u64) -> Result<Vec<u8>, Failure> {
    Ok(reader.leaf(index)?.as_bytes().to_vec())
}

/// An account's row.
pub(crate) fn account_row(reader: &Reader, account: AccountRef) -> Result<Option<AccountRow>, Failure> {
    match reader.row(&RowId::Account(account))? {
        None => Ok(None),
        Some(Row::Account(row)) => Ok(Some(Arc::unwrap_or_clone(row))),
        Some(_) => Err(Failure::Fault("an account's row is something else".to_owned())),
    }
}

/// A key's row.
pub(crate) fn key_row(reader: &Reader, kid: Kid) -> Result<Option<Arc<KeyRow>>, Failure> {
    match reader.row(&RowId::Key(kid))? {
        None => Ok(None),
        Some(Row::Key(row)) => Ok(Some(row)),
        Some(_) => Err(Failure::Fault("a key's row is something else".to_owned())),
    }
}
