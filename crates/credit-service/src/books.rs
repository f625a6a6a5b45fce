//! Rule books made ready, so that a book is read once and applied often.

use crate::failure::Failure;
use credit_ledger::assess;
use credit_rules::book::Book;
use credit_rules::check::{Surroundings, check};
use credit_rules::finding::{Finding, Severity};
use credit_rules::program::Program;
use credit_store::Store;
use credit_types::{BookCheck, CivilDate, Digest, Reason, Rejection};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The most books that are kept ready: the largest takes some ten times its bytes.
const READY_MAX: usize = 8;

/// Books that are kept ready, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<VecDeque<(Digest, Arc<Program>)>>);

impl Books {
    /// A published book, made ready.
    pub(crate) fn program(&self, store: &dyn Store, digest: Digest) -> Result<Arc<Program>, Failure> {
        if let Some(program) = self.ready(digest) {
            return Ok(program);
        }
        let blob = store.blob(&digest.0)?;
        let blob = blob.ok_or_else(|| Failure::Fault("a published rule book is missing".to_owned()))?;
        let broken = |_: Vec<Finding>| Failure::Fault("a published rule book can't be read".to_owned());
        let book = Book::from_canonical(&blob).map_err(broken)?;
        let program = Program::new(book)
            .map_err(|error| Failure::Fault(format!("a published rule book can't be applied: {error}")))?;
        let program = Arc::new(program);
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ready.push_front((digest, Arc::clone(&program)));
        ready.truncate(READY_MAX);
        Ok(program)
    }

    fn ready(&self, digest: Digest) -> Option<Arc<Program>> {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = ready.iter().position(|(known, _)| *known == digest)?;
        let found = ready.remove(at)?;
        let program = Arc::clone(&found.1);
        ready.push_front(found);
        Some(program)
    }
}

/// Reads a book that is to be published: its bytes are those that were signed, canonical, and without errors. The checks
/// are this gate's, not the log's: they may grow, and what was published before stays.
pub(crate) fn examine(
    blob: &[u8],
    digest: Digest,
    previous: &[Book],
    today: CivilDate,
) -> Result<BookCheck, Failure> {
    let hash: [u8; 32] = Sha256::digest(blob).into();
    if hash != digest.0 {
        return Err(Rejection::new(Reason::BookMismatch).field("sha256").into());
    }
    let book = Book::from_canonical(blob).map_err(|findings| faulty(&findings))?;
    let surroundings = Surroundings { previous, published_on: Some(today), ..Surroundings::default() };
    let findings = check(&book, &surroundings);
    let errors: Vec<Finding> =
        findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    if !errors.is_empty() {
        return Err(faulty(&errors));
    }
    let made = assess::check_of(&book, blob.len());
    let made = made.ok_or_else(|| Rejection::new(Reason::BookMismatch).field("book_id"))?;
    Program::new(book)
        .map_err(|error| Rejection::new(Reason::BookFaulty).field("book").detail(error.to_string()))?;
    Ok(made)
}

/// The refusal of a book with errors: how many, and the first.
fn faulty(findings: &[Finding]) -> Failure {
    let first = findings.first();
    let detail = first.map(|finding| {
        format!(
            "{} errors; the first, {:?} at {}: {}",
            findings.len(),
            finding.check,
            finding.path,
            finding.message.en
        )
    });
    Rejection::new(Reason::BookFaulty).field("book").detail(detail.unwrap_or_default()).into()
}
