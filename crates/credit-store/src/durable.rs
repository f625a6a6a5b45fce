//! The few file operations that make a name or a file survive a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

/// Syncs a directory, so that names created, renamed or removed in it are durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Syncs the directory that holds `path`.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        // A bare name stands in the working directory.
        Some(_) | None => sync_directory(Path::new(".")),
    }
}

/// Lets a file be read from the disk, not from memory.
///
/// A sync that failed leaves pages in memory that look clean and are not on the disk. A process that starts
/// again after such a failure would build on them, and lose them with the next power cut.
pub(crate) fn forget_cached(file: &File) -> io::Result<()> {
    file.sync_all()?;
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}

/// Takes `path` as it is, with `suffix` added to its last name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
