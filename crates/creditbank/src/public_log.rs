//! A public log as anybody reads it (C2SP tlog-tiles): from a running ledger over HTTP, or from the directory of a
//! stopped one. Nothing that a source gives is believed; [`tree::CheckedTree`] holds every byte against a signed head.

pub(crate) mod http;
pub(crate) mod stopped;
pub(crate) mod tree;

use credit_log::tile::TilePath;
use std::fmt;

/// A file of a public log could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read {path}")]
pub(crate) struct SourceError {
    /// What was to be read.
    pub(crate) path: String,
    /// Why not.
    #[source]
    pub(crate) cause: anyhow::Error,
}

impl SourceError {
    pub(crate) fn new(path: impl fmt::Display, cause: impl Into<anyhow::Error>) -> Self {
        Self { path: path.to_string(), cause: cause.into() }
    }
}

/// Where the files of a public log come from.
pub(crate) trait LogSource {
    /// The signed checkpoint.
    fn checkpoint(&self) -> Result<String, SourceError>;

    /// The bytes of a tile or bundle; `None` where there is none.
    fn file(&self, path: &TilePath) -> Result<Option<Vec<u8>>, SourceError>;
}
