//! Scratch files of a verifier: nameless files that the system takes back however the program ends.

use credit_verify::{Scratch, ScratchError, ScratchFile};
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names tried for a new file: each is taken only by another scratch file of the moment.
const NAMES_MAX: u32 = 1_000;

/// Makes scratch files in a folder.
#[derive(Debug)]
pub(crate) struct ScratchFolder {
    folder: PathBuf,
    made: AtomicU64,
}

impl ScratchFolder {
    /// In a folder that exists; without one, where the system keeps what is temporary.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.unwrap_or_else(std::env::temp_dir), made: AtomicU64::new(0) }
    }

    fn nameless(&self) -> io::Result<File> {
        for _ in 0..NAMES_MAX {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("creditbank-scratch-{}-{number}", std::process::id()));
            let made = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path);
            match made {
                Ok(file) => {
                    // From here on only this process has it, and it is gone with it.
                    remove_file(&path)?;
                    return Ok(file);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Scratch for ScratchFolder {
    fn file(&self) -> Result<Box<dyn ScratchFile>, ScratchError> {
        Ok(Box::new(Nameless(self.nameless().map_err(ScratchError::new)?)))
    }
}

struct Nameless(File);

impl ScratchFile for Nameless {
    fn append(&mut self, bytes: &[u8]) -> Result<(), ScratchError> {
        self.0.write_all(bytes).map_err(ScratchError::new)
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), ScratchError> {
        self.0.read_exact_at(into, offset).map_err(ScratchError::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_file_has_no_name_and_keeps_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = ScratchFolder::new(Some(folder.path().to_owned()));
        let (mut first, mut second) = (scratch.file().unwrap(), scratch.file().unwrap());
        first.append(b"one ").unwrap();
        second.append(b"other").unwrap();
        first.append(b"two").unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let mut read = [0; 3];
        first.read(4, &mut read).unwrap();
        assert_eq!(&read, b"two");
        assert!(first.read(5, &mut read).is_err());
        let gone = ScratchFolder::new(Some(folder.path().join("gone")));
        assert!(gone.file().is_err());
    }
}
