//! Free space, asked for while a write can still be refused: once begun, a full disk stops the writer for good.

use std::io;
use std::path::Path;

/// A file system that has less free than a write needs.
pub(crate) struct Short {
    /// The bytes free.
    pub(crate) available: u64,
    /// The bytes needed.
    pub(crate) needed: u64,
}

/// Looks at the file system of a directory; `None` if so many bytes are free there.
pub(crate) fn short_of(needed: u64, dir: &Path) -> io::Result<Option<Short>> {
    let space = rustix::fs::statvfs(dir)?;
    let available = space.f_bavail.saturating_mul(space.f_frsize);
    Ok((available < needed).then_some(Short { available, needed }))
}
