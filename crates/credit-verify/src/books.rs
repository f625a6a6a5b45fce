//! Published rule books, read from their public blobs. What a book says is then held against what the log says of it.
//!
//! The checks of the gate that took a book in (see `credit-rules`) are not made again: they may grow, and what was
//! published before stays. Asked is what the ledger rests on: that the bytes are those that were signed, that they are
//! the one form of a book within its limits, and that the book can be applied.

use std::collections::VecDeque;
use std::sync::Arc;

use credit_ledger::assess;
use credit_log::hash::sha256;
use credit_rules::book::Book;
use credit_rules::program::Program;
use credit_types::limits::BOOK_BLOB_BYTES_MAX;
use credit_types::{BookCheck, Digest};

use crate::report::{Stop, ensure};
use crate::rule::Rule;

/// The most books that are kept ready: the largest takes some ten times its bytes.
const READY_MAX: usize = 8;

/// Where public blobs come from. Whoever gives them claims to have every blob that the log names: one that is missing
/// breaks a rule. What is given is held against its SHA-256.
pub trait Blobs {
    /// The bytes under this SHA-256; `None` where there are none.
    fn blob(&self, digest: &Digest) -> Option<Vec<u8>>;
}

/// A book that was read.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// The book, made ready.
    pub(crate) program: Arc<Program>,
    /// What it says of itself.
    pub(crate) check: BookCheck,
}

/// The books of a log, the one asked for last first.
#[derive(Clone, Default)]
pub(crate) struct Books<'d> {
    source: Option<&'d dyn Blobs>,
    ready: VecDeque<(Digest, Ready)>,
}

impl<'d> Books<'d> {
    /// Reads books from here.
    pub(crate) fn from(source: &'d dyn Blobs) -> Self {
        Self { source: Some(source), ready: VecDeque::new() }
    }

    /// A book by the SHA-256 of its canonical JSON; `None` where no blobs are given at all.
    pub(crate) fn get(&mut self, digest: Digest) -> Result<Option<Ready>, Stop> {
        let Some(source) = self.source else { return Ok(None) };
        let known = self.ready.iter().position(|(known, _)| *known == digest);
        let found = match known.and_then(|at| self.ready.remove(at)) {
            Some((_, ready)) => ready,
            None => read(source, digest)?,
        };
        self.ready.push_front((digest, found.clone()));
        self.ready.truncate(READY_MAX);
        Ok(Some(found))
    }
}

/// Reads a book: its bytes are those of the hash, canonical, within the limits, and can be applied.
fn read(source: &dyn Blobs, digest: Digest) -> Result<Ready, Stop> {
    let bytes = source.blob(&digest);
    let bytes = bytes.ok_or_else(|| Stop::broken(Rule::BookMissing, format!("there is no blob {digest}")))?;
    let wrong = |detail: String| Stop::broken(Rule::BookWrong, format!("blob {digest}: {detail}"));
    let most = usize::try_from(BOOK_BLOB_BYTES_MAX).unwrap_or(usize::MAX);
    ensure(bytes.len() <= most, Rule::BookWrong, &format!("blob {digest} is larger than a book may be"))?;
    if sha256(&bytes) != digest.0 {
        return Err(wrong("its bytes have another hash".to_owned()));
    }
    let book = Book::from_canonical(&bytes).map_err(|findings| {
        let first = findings.first().map(|finding| format!("at {}: {}", finding.path, finding.message.en));
        wrong(first.unwrap_or_else(|| "it is no book".to_owned()))
    })?;
    let check = assess::check_of(&book, bytes.len());
    let check = check.ok_or_else(|| wrong("its id or version is none of a ledger's".to_owned()))?;
    let program = Program::new(book).map_err(|error| wrong(error.to_string()))?;
    Ok(Ready { program: Arc::new(program), check })
}
