//! What a submission needs to go on after a crash: the batches that were signed, kept before they are sent.

use crate::durable;
use crate::ending::{CommandError, unreadable, unwritable};
use crate::language::Phrase;
use credit_types::RecordId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The version of the file's form.
const VERSION: u32 = 1;

/// A batch that was signed, and may not be all in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignedBatch<T> {
    /// The plan's bytes.
    pub(super) plan: Vec<u8>,
    /// What each of its inputs is, in their order.
    pub(super) inputs: Vec<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    version: u32,
    name: [u8; 32],
    openings: Option<SignedBatch<String>>,
    records: Option<SignedBatch<RecordId>>,
}

/// The file beside the results. It holds personal data: only its owner may read it.
#[derive(Debug)]
pub(super) struct Resume {
    path: PathBuf,
    kept: Kept,
}

impl Resume {
    /// The name of a submission: the spreadsheet, its mapping, the issuer and the secret of its rows.
    pub(super) fn name(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// Reads what an earlier run of the same submission left, or begins with nothing.
    pub(super) fn open(results: &Path, name: [u8; 32]) -> Result<Self, CommandError> {
        let path = results.with_extension("resume");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                let kept = Kept { version: VERSION, name, openings: None, records: None };
                return Ok(Self { path, kept });
            }
            Err(cause) => return Err(unreadable(&path)(cause)),
        };
        let unusable = || CommandError::usage(Phrase::ResumeUnusable, &[&path.display()]);
        let kept: Kept = postcard::from_bytes(&bytes).map_err(|_| unusable())?;
        if kept.version != VERSION {
            return Err(unusable());
        }
        if kept.name != name {
            return Err(CommandError::usage(Phrase::ResumeOfAnother, &[&path.display()]));
        }
        Ok(Self { path, kept })
    }

    /// The batch of openings, by student number.
    pub(super) fn openings(&self) -> Option<&SignedBatch<String>> {
        self.kept.openings.as_ref()
    }

    /// The batch of records.
    pub(super) fn records(&self) -> Option<&SignedBatch<RecordId>> {
        self.kept.records.as_ref()
    }

    /// Keeps a batch of openings, or forgets it.
    pub(super) fn keep_openings(&mut self, batch: Option<SignedBatch<String>>) -> Result<(), CommandError> {
        self.kept.openings = batch;
        self.write()
    }

    /// Keeps a batch of records, or forgets it.
    pub(super) fn keep_records(&mut self, batch: Option<SignedBatch<RecordId>>) -> Result<(), CommandError> {
        self.kept.records = batch;
        self.write()
    }

    /// Forgets everything: all is done.
    pub(super) fn remove(self) -> Result<(), CommandError> {
        match fs::remove_file(&self.path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(unwritable(&self.path)(cause)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Writes beside and renames; durable before anything of it is sent.
    fn write(&self) -> Result<(), CommandError> {
        let bytes = postcard::to_stdvec(&self.kept).map_err(std::io::Error::other);
        bytes.and_then(|bytes| durable::replace(&self.path, &bytes)).map_err(unwritable(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_was_kept_is_found_by_the_same_submission_only() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("a.results.csv");
        let name = Resume::name(&[b"sheet", b"mapping", b"cn.x"]);
        let mut resume = Resume::open(&results, name).unwrap();
        assert_eq!((resume.openings(), resume.records()), (None, None));
        let openings = SignedBatch { plan: vec![9; 40], inputs: vec!["2024101000001".to_owned()] };
        let records = SignedBatch { plan: vec![1, 2, 3], inputs: vec![RecordId([7; 16])] };
        resume.keep_openings(Some(openings.clone())).unwrap();
        resume.keep_records(Some(records.clone())).unwrap();
        let path = folder.path().join("a.results.resume");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Resume::open(&results, name).unwrap();
        assert_eq!((again.openings(), again.records()), (Some(&openings), Some(&records)));
        let other = Resume::name(&[b"sheetm", b"apping", b"cn.x"]);
        assert_ne!(name, other);
        assert!(Resume::open(&results, other).unwrap_err().text.en.contains("a.results.resume"));
        again.remove().unwrap();
        assert!(Resume::open(&results, other).unwrap().records().is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_damaged_file_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("a.results.csv");
        fs::write(folder.path().join("a.results.resume"), b"x").unwrap();
        assert!(Resume::open(&results, [0; 32]).is_err());
    }
}
