//! A ledger is made all or not at all: everything is made in a folder of its own inside the home, and moved to its place
//! once nothing can fail any more but a rename.

use crate::ending::{CommandError, unreadable, unwritable};
use crate::home::Home;
use crate::keyfile::folder_of;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The folder's name in the home.
const NAME: &str = ".init";
/// What only the owner may do with a folder.
const OWNER_ONLY: u32 = 0o700;
/// What is moved, in this order: where the trust file is, everything is.
const MOVED: [fn(&Home) -> PathBuf; 5] =
    [|home| home.root().join("keys"), Home::authority, Home::config, Home::ledger, Home::trust];

/// The folder in which a ledger is being made. Dropped before it is moved, nothing of it stays.
pub(super) struct Stage {
    home: Home,
    staged: Home,
    made_home: bool,
    moving: bool,
}

fn staged(home: &Home) -> Home {
    Home::new(home.root().join(NAME))
}

/// Clears away what a run left that was killed: goes on where everything had been made, else deletes it. Says whether a
/// ledger was finished.
pub(super) fn finish_interrupted(home: &Home) -> Result<bool, CommandError> {
    let staged = staged(home);
    if staged.trust().exists() {
        moved(&staged, home)?;
        return Ok(true);
    }
    if staged.root().exists() {
        fs::remove_dir_all(staged.root()).map_err(unwritable(staged.root()))?;
    }
    Ok(false)
}

impl Stage {
    /// Makes the folder.
    pub(super) fn open(home: &Home) -> Result<Self, CommandError> {
        let staged = staged(home);
        let made_home = !home.root().exists();
        DirBuilder::new()
            .recursive(true)
            .mode(OWNER_ONLY)
            .create(staged.root())
            .map_err(unwritable(staged.root()))?;
        Ok(Self { home: home.clone(), staged, made_home, moving: false })
    }

    /// The home that is being made.
    pub(super) fn staged(&self) -> &Home {
        &self.staged
    }

    /// Where a file is: in the home where it was there before, else where it is being made.
    pub(super) fn place(&self, of: impl Fn(&Home) -> PathBuf) -> PathBuf {
        Some(of(&self.home)).filter(|path| path.exists()).unwrap_or_else(|| of(&self.staged))
    }

    /// Moves everything to its place. Whatever happens from here on, another `init` goes on with it.
    pub(super) fn keep(mut self) -> Result<(), CommandError> {
        self.moving = true;
        moved(&self.staged, &self.home)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.moving {
            return;
        }
        // What can't be deleted now is deleted by the next `init`; the error that led here is the one to tell.
        let _ = fs::remove_dir_all(self.staged.root());
        if self.made_home {
            let _ = fs::remove_dir(self.home.root());
        }
    }
}

fn moved(staged: &Home, home: &Home) -> Result<(), CommandError> {
    for of in MOVED {
        let (from, to) = (of(staged), of(home));
        if from.exists() {
            place(&from, &to)?;
        }
    }
    fs::remove_dir_all(staged.root()).map_err(unwritable(staged.root()))?;
    synced(home.root())
}

/// Renames a file or folder; of a folder that is there already, what is in it. What is there is never replaced.
fn place(from: &Path, to: &Path) -> Result<(), CommandError> {
    if !to.exists() {
        fs::rename(from, to).map_err(unwritable(to))?;
        return synced(folder_of(to));
    }
    if !from.is_dir() {
        return Ok(());
    }
    for item in fs::read_dir(from).map_err(unreadable(from))? {
        let item = item.map_err(unreadable(from))?;
        let target = to.join(item.file_name());
        if !target.exists() {
            fs::rename(item.path(), &target).map_err(unwritable(&target))?;
        }
    }
    synced(to)
}

fn synced(folder: &Path) -> Result<(), CommandError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The files below a folder, by their paths in it.
    fn files(folder: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for item in fs::read_dir(&next).unwrap() {
                let path = item.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.strip_prefix(folder).unwrap().display().to_string());
                }
            }
        }
        found
    }

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, path.display().to_string()).unwrap();
    }

    /// Everything that a ledger consists of, in a stage whose home has two files already.
    fn all(home: &Home) -> Stage {
        write(&home.root().join("keys/root.key"));
        write(&home.root().join("other"));
        let stage = Stage::open(home).unwrap();
        for name in ["keys/checkpoint.key", "authority/01.key", "creditbank.toml", "ledger/high-water"] {
            write(&stage.staged().root().join(name));
        }
        stage
    }

    #[test]
    fn nothing_stays_of_a_ledger_that_was_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        drop(Stage::open(&home).unwrap());
        assert!(!home.root().exists());
        drop(all(&home));
        assert_eq!(files(home.root()), ["keys/root.key", "other"].map(str::to_owned).into());
        assert_eq!(fs::read_dir(home.root()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_kept_is_moved_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        let stage = all(&home);
        let checkpoint = |home: &Home| home.root().join("keys/checkpoint.key");
        assert_eq!(stage.place(checkpoint), checkpoint(stage.staged()));
        assert_eq!(stage.place(|home| home.root().join("keys/root.key")), home.root().join("keys/root.key"));
        write(&stage.staged().trust());
        stage.keep().unwrap();
        let whole = [
            "authority/01.key",
            "creditbank.toml",
            "keys/checkpoint.key",
            "keys/root.key",
            "ledger/high-water",
            "other",
            "trust.toml",
        ];
        assert_eq!(files(home.root()), whole.map(str::to_owned).into());
        assert!(
            fs::read_to_string(home.root().join("keys/root.key")).unwrap().ends_with("home/keys/root.key")
        );
    }

    /// A run that is killed leaves its folder behind: gone on with if it was complete, else deleted.
    #[test]
    fn a_run_that_was_killed_is_finished_or_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        std::mem::forget(all(&home));
        assert!(!finish_interrupted(&home).unwrap());
        assert_eq!(fs::read_dir(home.root()).unwrap().count(), 2);
        let stage = all(&home);
        write(&stage.staged().trust());
        // It was killed between two renames.
        fs::rename(stage.staged().ledger(), home.ledger()).unwrap();
        std::mem::forget(stage);
        assert!(finish_interrupted(&home).unwrap());
        assert!(home.trust().exists() && home.ledger().join("high-water").exists());
        assert!(!staged(&home).root().exists());
        assert!(!finish_interrupted(&home).unwrap());
    }
}
