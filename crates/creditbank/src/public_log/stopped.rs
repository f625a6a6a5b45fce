//! The public log of a stopped ledger, from its data directory.

use super::{LogSource, SourceError};
use credit_log::tile::TilePath;
use credit_service::TreeFiles;

/// The public files of a store, under the newest head that its ledger has signed.
pub(crate) struct StoppedLog<'s> {
    files: TreeFiles<'s>,
    checkpoint: String,
}

impl<'s> StoppedLog<'s> {
    /// The files of a tree, with the checkpoint of its size.
    pub(crate) fn new(files: TreeFiles<'s>, checkpoint: String) -> Self {
        Self { files, checkpoint }
    }
}

impl LogSource for StoppedLog<'_> {
    fn checkpoint(&self) -> Result<String, SourceError> {
        Ok(self.checkpoint.clone())
    }

    fn file(&self, path: &TilePath) -> Result<Option<Vec<u8>>, SourceError> {
        self.files.bytes(path).map_err(|cause| SourceError::new(path.encode(), cause))
    }
}
