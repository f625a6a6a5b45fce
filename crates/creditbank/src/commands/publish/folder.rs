//! The folder of a public log. A reader finds each file whole or not at all, and the checkpoint only over files that are
//! on the disk.

use crate::ending::{CommandError, Exit, unreadable, unwritable};
use crate::language::Phrase;
use credit_log::note::NOTE_BYTES_MAX;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The name of the checkpoint.
const CHECKPOINT: &str = "checkpoint";
/// Held while the folder is written.
const LOCK: &str = ".publishing";
/// What a file is called until it is whole.
const PART: &str = ".part";
/// The most bytes of a file that are read back: a bundle of 256 entries of the greatest length.
pub(crate) const PUBLISHED_FILE_BYTES_MAX: u64 = 17 << 20;

/// A folder that nobody else writes.
pub(super) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes a folder, and makes it where there is none.
    pub(super) fn open(root: &Path) -> Result<Self, CommandError> {
        fs::create_dir_all(root).map_err(unwritable(root))?;
        let path = root.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(unwritable(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_path_buf(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => {
                Err(CommandError::new(Exit::Unreachable, Phrase::FolderTaken, &[&root.display()]))
            }
            Err(fs::TryLockError::Error(cause)) => Err(unwritable(&path)(cause)),
        }
    }

    /// The checkpoint that is published in the folder.
    pub(super) fn checkpoint(&self) -> Result<Option<String>, CommandError> {
        let Some(bytes) = self.read(CHECKPOINT)? else { return Ok(None) };
        let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= NOTE_BYTES_MAX);
        let path = self.root.join(CHECKPOINT);
        text.map(Some)
            .ok_or_else(|| CommandError::new(Exit::Broken, Phrase::FileUnusable, &[&path.display()]))
    }

    /// The bytes of a file, if it is there. One that is too long to be any is no file of a log.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, CommandError> {
        let path = self.root.join(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(unreadable(&path)(cause)),
        };
        let mut bytes = Vec::new();
        file.take(PUBLISHED_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable(&path))?;
        Ok(Some(bytes))
    }

    /// The length of a file, if it is there.
    pub(super) fn length(&self, name: &str) -> Result<Option<u64>, CommandError> {
        let path = self.root.join(name);
        match fs::metadata(&path) {
            Ok(about) => Ok(Some(about.len())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(unreadable(&path)(cause)),
        }
    }

    /// Writes a file whole; not yet on the disk for good.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CommandError> {
        let path = self.root.join(name);
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(unwritable(parent))?;
        let part = part_of(&path);
        fs::write(&part, bytes).and_then(|()| fs::rename(&part, &path)).map_err(unwritable(&path))
    }

    /// Puts everything written so far on the disk, names included.
    pub(super) fn sync(&self) -> Result<(), CommandError> {
        // One call for thousands of files and their folders.
        let synced = File::open(&self.root).and_then(|root| Ok(rustix::fs::syncfs(&root)?));
        synced.map_err(unwritable(&self.root))
    }

    /// Publishes: the checkpoint takes the place of the one before, for good when this returns.
    pub(super) fn put_checkpoint(&self, note: &str) -> Result<(), CommandError> {
        let path = self.root.join(CHECKPOINT);
        let part = part_of(&path);
        let put = || {
            let mut file = File::create(&part)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            File::open(&self.root)?.sync_all()
        };
        put().map_err(unwritable(&path))
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PART);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_written_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/log");
        let held = Folder::open(&path).unwrap();
        assert_eq!(Folder::open(&path).err().unwrap().exit, Exit::Unreachable);
        drop(held);
        assert!(Folder::open(&path).is_ok());
    }

    #[test]
    fn what_is_written_is_read_back_and_a_part_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let log = Folder::open(folder.path()).unwrap();
        assert_eq!((log.read("tile/0/000").unwrap(), log.length("tile/0/000").unwrap()), (None, None));
        log.write("tile/0/000", b"bytes").unwrap();
        assert_eq!(log.read("tile/0/000").unwrap().as_deref(), Some(b"bytes".as_slice()));
        assert_eq!(log.length("tile/0/000").unwrap(), Some(5));
        fs::write(folder.path().join("tile/0/001.part"), b"cut").unwrap();
        assert_eq!(log.read("tile/0/001").unwrap(), None);
        log.sync().unwrap();
        for note in ["one\n", "two\n"] {
            log.put_checkpoint(note).unwrap();
            assert_eq!(log.checkpoint().unwrap().as_deref(), Some(note));
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_cut_and_then_no_file_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = Folder::open(folder.path()).unwrap();
        let most = usize::try_from(PUBLISHED_FILE_BYTES_MAX).unwrap();
        for bytes in [most, most + 1] {
            log.write("long", &vec![0; bytes]).unwrap();
            assert_eq!(log.read("long").unwrap().unwrap().len(), most);
        }
    }
}
