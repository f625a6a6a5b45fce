//! Where a verifier puts what its memory has no room for. The crate does no I/O: files come in as values.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// The memory that a verifier takes where nothing else is said: 256 MiB.
pub const MEMORY_BYTES_DEFAULT: usize = 256 << 20;
/// The least memory that a verifier works in: below that it would only shuffle its files.
pub const MEMORY_BYTES_MIN: usize = 64 << 10;

/// A scratch file could not be written or read. Nothing is said about the log.
#[derive(Clone)]
pub struct ScratchError(Arc<dyn std::error::Error + Send + Sync>);

impl ScratchError {
    /// From what the file's system said.
    pub fn new(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(cause))
    }
}

impl fmt::Debug for ScratchError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ScratchError({:?})", self.0)
    }
}

impl fmt::Display for ScratchError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a scratch file failed")
    }
}

impl std::error::Error for ScratchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// A file that only grows; it is gone once it is dropped.
pub trait ScratchFile: Send + Sync {
    /// Adds bytes at its end.
    fn append(&mut self, bytes: &[u8]) -> Result<(), ScratchError>;

    /// Reads exactly as many bytes as `into` has, from an offset on. All of them were appended before.
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), ScratchError>;
}

/// Makes scratch files.
pub trait Scratch: Send + Sync {
    /// A new empty file.
    fn file(&self) -> Result<Box<dyn ScratchFile>, ScratchError>;
}

/// How much memory there is, and where to go beyond it.
#[derive(Clone)]
pub struct Memory {
    bytes: usize,
    scratch: Option<Arc<dyn Scratch>>,
}

impl Default for Memory {
    /// All that there is, and no scratch files.
    fn default() -> Self {
        Self { bytes: usize::MAX, scratch: None }
    }
}

impl Memory {
    /// At most so many bytes (no less than [`MEMORY_BYTES_MIN`] are taken), the rest in scratch files.
    pub fn bounded(bytes: usize, scratch: Arc<dyn Scratch>) -> Self {
        Self { bytes: bytes.max(MEMORY_BYTES_MIN), scratch: Some(scratch) }
    }

    /// A share of the memory.
    pub(crate) fn share(&self, of: usize) -> usize {
        self.bytes.checked_div(of).unwrap_or(self.bytes)
    }

    /// A share of the memory as a memory of its own.
    pub(crate) fn part(&self, of: usize) -> Self {
        Self { bytes: self.share(of), scratch: self.scratch.clone() }
    }

    /// A new scratch file; `None` where all stays in memory.
    pub(crate) fn file(&self) -> Result<Option<Box<dyn ScratchFile>>, ScratchError> {
        self.scratch.as_ref().map(|scratch| scratch.file()).transpose()
    }

    /// Whether there is anywhere to go beyond the memory.
    pub(crate) fn is_bounded(&self) -> bool {
        self.scratch.is_some()
    }
}

/// Scratch "files" that lie in memory, for readers without files of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct InMemory;

#[derive(Debug, Default)]
struct Bytes(RwLock<Vec<u8>>);

/// A read beyond what was appended: a bug of the caller's.
#[derive(Debug, thiserror::Error)]
#[error("bytes were read that were never written")]
struct Beyond;

impl ScratchFile for Bytes {
    fn append(&mut self, bytes: &[u8]) -> Result<(), ScratchError> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(())
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), ScratchError> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let found =
            held.get(from..from.saturating_add(into.len())).ok_or_else(|| ScratchError::new(Beyond))?;
        into.copy_from_slice(found);
        Ok(())
    }
}

impl Scratch for InMemory {
    fn file(&self) -> Result<Box<dyn ScratchFile>, ScratchError> {
        Ok(Box::new(Bytes::default()))
    }
}
