//! Where the last head seen is kept, so that a log which is rolled back or forked later is caught.

use credit_log::note::NOTE_BYTES_MAX;
use credit_types::LogId;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The last head seen could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum HeadsError {
    /// The file cannot be read.
    #[error("could not read the last head seen")]
    Read(#[source] io::Error),
    /// The file cannot be written.
    #[error("could not keep the last head seen")]
    Write(#[source] io::Error),
    /// What is kept is not a checkpoint of the log under a pinned key.
    #[error("the head that is kept is not one of the pinned log; look who changed it")]
    Damaged(#[source] credit_log::checkpoint::OpenError),
    /// Others keep newer heads faster than this client can check them.
    #[error("the last head seen is changed by others all the time")]
    Contended,
}

/// Keeps one signed checkpoint: the newest that was verified. It is text, and whoever reads it verifies it again.
pub trait HeadStore: fmt::Debug + Send + Sync {
    /// The checkpoint that is kept, if one is.
    fn load(&self) -> Result<Option<String>, HeadsError>;

    /// Keeps `new` if `old` is what is kept, and says whether it did: two clients that share a store never lose a head
    /// that only one of them has checked.
    fn replace(&self, old: Option<&str>, new: &str) -> Result<bool, HeadsError>;
}

/// Keeps the head in memory, for one process.
#[derive(Debug, Default)]
pub struct MemoryHeads {
    kept: Mutex<Option<String>>,
}

impl HeadStore for MemoryHeads {
    fn load(&self) -> Result<Option<String>, HeadsError> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn replace(&self, old: Option<&str>, new: &str) -> Result<bool, HeadsError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = kept.as_deref() == old;
        if same {
            *kept = Some(new.to_owned());
        }
        Ok(same)
    }
}

/// Keeps the head in a file, one a log, for all processes that name the same folder.
#[derive(Debug)]
pub struct FileHeads {
    folder: PathBuf,
    name: String,
}

impl FileHeads {
    /// Keeps the head of a log in a folder, which is made where it is missing.
    pub fn new(folder: impl Into<PathBuf>, log_id: LogId) -> Result<Self, HeadsError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(HeadsError::Write)?;
        Ok(Self { folder, name: log_id.to_string() })
    }

    fn path(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", self.name))
    }

    /// Writes beside and renames, so that a reader finds the old head or the new one, never half of one.
    fn write(&self, new: &str) -> io::Result<()> {
        let beside = self.path("writing");
        let mut file = File::create(&beside)?;
        file.write_all(new.as_bytes())?;
        file.sync_data()?;
        fs::rename(&beside, self.path("checkpoint"))?;
        File::open(&self.folder)?.sync_all()
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // One byte more than a note has is enough to be refused as one.
    let limit = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    file.take(limit).read_to_string(&mut text)?;
    Ok(Some(text))
}

impl HeadStore for FileHeads {
    fn load(&self) -> Result<Option<String>, HeadsError> {
        read(&self.path("checkpoint")).map_err(HeadsError::Read)
    }

    fn replace(&self, old: Option<&str>, new: &str) -> Result<bool, HeadsError> {
        // The lock is released when the file is closed, also where the process ends in between.
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(self.path("lock"));
        let lock = lock.map_err(HeadsError::Write)?;
        lock.lock().map_err(HeadsError::Write)?;
        if self.load()?.as_deref() != old {
            return Ok(false);
        }
        self.write(new).map_err(HeadsError::Write)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(store: &dyn HeadStore) {
        assert_eq!(store.load().unwrap(), None);
        assert!(!store.replace(Some("one"), "two").unwrap());
        assert!(store.replace(None, "one").unwrap());
        assert!(!store.replace(None, "other").unwrap());
        assert_eq!(store.load().unwrap().as_deref(), Some("one"));
        assert!(store.replace(Some("one"), "two").unwrap());
        assert!(!store.replace(Some("one"), "three").unwrap());
        assert_eq!(store.load().unwrap().as_deref(), Some("two"));
    }

    #[test]
    fn a_head_is_replaced_only_by_who_has_seen_it() {
        check(&MemoryHeads::default());
        let folder = tempfile::tempdir().unwrap();
        check(&FileHeads::new(folder.path().join("deep/heads"), LogId([1; 32])).unwrap());
    }

    #[test]
    fn a_file_keeps_its_head_for_the_next_process_and_each_log_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = |log| FileHeads::new(folder.path(), LogId([log; 32])).unwrap();
        assert!(store(1).replace(None, "one\n").unwrap());
        assert_eq!(store(1).load().unwrap().as_deref(), Some("one\n"));
        assert_eq!(store(2).load().unwrap(), None);
    }

    #[test]
    fn of_many_who_replace_the_same_head_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let won: usize = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|racer| {
                    let store = FileHeads::new(folder.path(), LogId([1; 32])).unwrap();
                    scope.spawn(move || usize::from(store.replace(None, &format!("{racer}")).unwrap()))
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }
}
