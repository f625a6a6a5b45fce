//! Rule books and worked cases as files: TOML as officers write it, or canonical JSON.

use crate::ending::{CommandError, unreadable};
use crate::language::Phrase;
use credit_rules::book::Book;
use credit_rules::cases::Cases;
use credit_rules::finding::Finding;
use credit_rules::limits::{BOOK_BYTES_MAX, CASES_BYTES_MAX};
use credit_types::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The name of a book in its folder.
const BOOK: &str = "book.toml";
/// The name of the worked cases beside it.
const CASES: &str = "cases.toml";

/// A book that was read.
pub(super) struct Loaded {
    /// Its file.
    pub(super) path: PathBuf,
    /// Its text, where it is TOML.
    pub(super) text: Option<String>,
    /// The book.
    pub(super) book: Book,
}

impl Loaded {
    /// The SHA-256 of its canonical bytes.
    pub(super) fn hash(&self) -> Digest {
        Digest(Sha256::digest(self.book.canonical()).into())
    }
}

/// What is wrong with a book or its cases, and in which files.
pub(super) struct Faults {
    /// The file of the book.
    pub(super) book: PathBuf,
    /// The file of its cases, where there is one.
    pub(super) cases: Option<PathBuf>,
    /// What is wrong.
    pub(super) findings: Vec<Finding>,
}

/// A file, read up to one byte more than it may have.
fn bytes(path: &Path, most: usize) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable(path))?;
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(unreadable(path))?;
    Ok(bytes)
}

/// A text file, read likewise.
pub(super) fn text(path: &Path, most: usize) -> Result<String, CommandError> {
    let bytes = bytes(path, most)?;
    // A file that is cut within a letter is longer than it may be, and refused by its length.
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if error.as_bytes().len() > most => {
            Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        Err(error) => {
            Err(CommandError::usage(Phrase::FileUnusable, &[&path.display()]).because(error.utf8_error()))
        }
    }
}

/// Reads a book from its file or its folder.
pub(super) fn book(path: &Path) -> Result<Result<Loaded, Faults>, CommandError> {
    let path = if path.is_dir() { path.join(BOOK) } else { path.to_path_buf() };
    if path.extension().is_some_and(|extension| extension == "json") {
        let bytes = bytes(&path, BOOK_BYTES_MAX)?;
        return Ok(match Book::from_canonical(&bytes) {
            Ok(book) => Ok(Loaded { path, text: None, book }),
            Err(findings) => Err(Faults { book: path, cases: None, findings }),
        });
    }
    let text = text(&path, BOOK_BYTES_MAX)?;
    Ok(match Book::from_toml(&text) {
        Ok(book) => Ok(Loaded { path, text: Some(text), book }),
        Err(findings) => Err(Faults { book: path, cases: None, findings }),
    })
}

/// Worked cases that were read.
pub(super) struct CasesFile {
    /// Their file.
    pub(super) path: PathBuf,
    /// Its text.
    pub(super) text: String,
    /// The cases.
    pub(super) cases: Cases,
}

/// Worked cases, or what is wrong with them.
type ReadCases = Result<CasesFile, Faults>;

/// Reads the worked cases beside a book; `None` where there are none.
pub(super) fn cases_beside(loaded: &Loaded) -> Result<Option<ReadCases>, CommandError> {
    let path = loaded.path.with_file_name(CASES);
    if !path.exists() {
        return Ok(None);
    }
    let text = text(&path, CASES_BYTES_MAX)?;
    Ok(Some(match Cases::from_toml(&text) {
        Ok(cases) => Ok(CasesFile { path, text, cases }),
        Err(findings) => Err(Faults { book: loaded.path.clone(), cases: Some(path), findings }),
    }))
}
