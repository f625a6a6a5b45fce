//! What the bank signs about files that it hands out together.

use crate::id::{Digest, LogId};
use serde::{Deserialize, Serialize};

/// What the files of a manifest are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FileManifestKind {
    /// An export of the log.
    Export,
    /// A record bundle.
    Bundle,
}

/// One file of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name: 1 to 128 printable ASCII bytes.
    pub name: String,
    /// Its length in bytes, from 1.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// Every file that was handed out together, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileManifest {
    /// The log.
    pub log_id: LogId,
    /// What the files are.
    pub kind: FileManifestKind,
    /// Count of entries of the head that the files rest on, at least 1.
    pub size: u64,
    /// The root at that size.
    pub root: Digest,
    /// The files, strictly ascending by name.
    pub files: Vec<ManifestFile>,
}
