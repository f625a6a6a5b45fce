//! The folder of an export: files are whole and synced under their names, or not there.

use crate::ending::{CommandError, unreadable, unwritable};
use crate::language::Phrase;
use credit_log::hash::sha256;
use credit_types::{Digest, LogId, ManifestFile};
use credit_verify::{EXPORT_CHECKPOINT, EXPORT_MANIFEST, ExportName, Head};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Says that the export is not finished, and of what it is.
const UNFINISHED: &str = "unfinished";
/// What a file is called while it is written.
const PART: &str = ".part";

/// What an export is a function of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) log_id: LogId,
    pub(super) head: Head,
    pub(super) details: bool,
}

impl Identity {
    fn text(&self) -> String {
        let Self { log_id, head: Head { size, root }, details } = self;
        format!("{log_id}\n{size}\n{root}\ndetails {details}\n")
    }
}

/// The folder of an export that is being written.
pub(super) struct Folder {
    root: PathBuf,
    files: BTreeMap<String, ManifestFile>,
}

impl Folder {
    /// Opens an empty or new folder, or one in which the same export is unfinished; then it goes on.
    pub(super) fn open(root: &Path, identity: &Identity) -> Result<(Self, bool), CommandError> {
        let folder = Self { root: root.to_path_buf(), files: BTreeMap::new() };
        make(root).map_err(unwritable(root))?;
        let mark = root.join(UNFINISHED);
        let goes_on = mark.exists();
        if goes_on {
            let told = fs::read_to_string(&mark).map_err(unreadable(&mark))?;
            if told != identity.text() {
                return Err(CommandError::usage(Phrase::ExportOfAnother, &[&root.display()]));
            }
        } else {
            let is_empty = root.read_dir().map_err(unreadable(root))?.next().is_none();
            if !is_empty {
                return Err(CommandError::usage(Phrase::ExportNotEmpty, &[&root.display()]));
            }
            folder.write(UNFINISHED, identity.text().as_bytes())?;
        }
        Ok((folder, goes_on))
    }

    /// Puts a file there, unless it is there already, and lists it.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), CommandError> {
        let path = self.root.join(name);
        let there = fs::metadata(&path).is_ok_and(|found| Ok(found.len()) == u64::try_from(bytes.len()));
        let same = there && fs::read(&path).map_err(unreadable(&path))? == bytes;
        if !same {
            self.write(name, bytes)?;
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let file = ManifestFile { name: name.to_owned(), bytes: length, sha256: Digest(sha256(bytes)) };
        self.files.insert(name.to_owned(), file);
        Ok(())
    }

    /// The files so far, by name.
    pub(super) fn files(&self) -> Vec<ManifestFile> {
        self.files.values().cloned().collect()
    }

    /// Puts the manifest there once nothing else is, and says that the export is finished.
    pub(super) fn finish(&mut self, name: &str, manifest: &[u8]) -> Result<(), CommandError> {
        self.clean(&self.root.clone(), "")?;
        self.write(name, manifest)?;
        let mark = self.root.join(UNFINISHED);
        fs::remove_file(&mark).and_then(|()| sync(&self.root)).map_err(unwritable(&mark))
    }

    /// Removes what an earlier run left that is no file of this export: parts of files, and files under names that an
    /// export has.
    fn clean(&self, folder: &Path, prefix: &str) -> Result<(), CommandError> {
        for item in folder.read_dir().map_err(unreadable(folder))? {
            let item = item.map_err(unreadable(folder))?;
            let name = format!("{prefix}{}", item.file_name().to_string_lossy());
            let path = item.path();
            let kept = name == UNFINISHED || name == EXPORT_MANIFEST || self.files.contains_key(&name);
            if kept {
                continue;
            }
            if path.is_dir() && prefix.is_empty() {
                self.clean(&path, &format!("{name}/"))?;
                continue;
            }
            let own = name.strip_suffix(PART).unwrap_or(&name);
            let ours = own == EXPORT_CHECKPOINT || own == EXPORT_MANIFEST || ExportName::parse(own).is_some();
            if !ours {
                return Err(CommandError::usage(Phrase::ExportNotEmpty, &[&self.root.display()]));
            }
            fs::remove_file(&path).map_err(unwritable(&path))?;
        }
        Ok(())
    }

    /// Writes a file beside its place, syncs it, and renames it into its place.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CommandError> {
        let (path, part) = (self.root.join(name), self.root.join(format!("{name}{PART}")));
        let parent = path.parent().unwrap_or(&self.root);
        make(parent).map_err(unwritable(parent))?;
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&part, &path))
            .and_then(|()| sync(parent));
        written.map_err(unwritable(&path))
    }
}

/// Makes a folder that only its owner reads, and syncs where it is named; one that is there stays as it is.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    sync(folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
