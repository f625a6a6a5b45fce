//! Generated files: written in place, or compared with what is committed.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// A file that a generator makes.
pub(crate) struct Generated {
    /// Where it belongs, relative to the workspace's folder.
    pub(crate) path: String,
    /// All of its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// What to do with files that differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write them.
    Write,
    /// Name them and fail.
    Check,
}

/// Brings the committed files in line with `files`, or fails with the list of those that differ.
pub(crate) fn settle(root: &Path, files: &[Generated], mode: Mode) -> Result<()> {
    let mut stale = Vec::new();
    for Generated { path, bytes } in files {
        let target = root.join(path);
        let committed = match fs::read(&target) {
            Ok(committed) => Some(committed),
            Err(cause) if cause.kind() == ErrorKind::NotFound => None,
            Err(cause) => return Err(cause).with_context(|| format!("could not read {path}")),
        };
        if committed.as_deref() == Some(bytes.as_slice()) {
            continue;
        }
        if mode == Mode::Write {
            let folder = target.parent().with_context(|| format!("{path} has no folder"))?;
            fs::create_dir_all(folder).with_context(|| format!("could not make the folder of {path}"))?;
            fs::write(&target, bytes).with_context(|| format!("could not write {path}"))?;
        }
        stale.push(difference(path, committed.as_deref(), bytes));
    }
    match mode {
        Mode::Check if !stale.is_empty() => bail!("out of date:\n  {}", stale.join("\n  ")),
        Mode::Check => say(&format!("{} files are fresh", files.len())),
        Mode::Write => say(&format!("{} of {} files written", stale.len(), files.len())),
    }
}

/// One line that says where a committed file first differs.
fn difference(path: &str, committed: Option<&[u8]>, wanted: &[u8]) -> String {
    let Some(committed) = committed else { return format!("{path} is missing") };
    let same = committed.iter().zip(wanted).take_while(|(left, right)| left == right).count();
    let line = wanted.iter().take(same).filter(|byte| **byte == b'\n').count().saturating_add(1);
    format!("{path}:{line} differs")
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{line}").context("could not write to the terminal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_names_what_differs_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| [Generated { path: "gen/a.txt".to_owned(), bytes: text.into() }];
        let missing = settle(folder.path(), &file("one\ntwo\n"), Mode::Check).unwrap_err();
        assert_eq!(missing.to_string(), "out of date:\n  gen/a.txt is missing");
        assert!(!folder.path().join("gen").exists());

        settle(folder.path(), &file("one\ntwo\n"), Mode::Write).unwrap();
        settle(folder.path(), &file("one\ntwo\n"), Mode::Check).unwrap();
        let stale = settle(folder.path(), &file("one\n2\n"), Mode::Check).unwrap_err();
        assert_eq!(stale.to_string(), "out of date:\n  gen/a.txt:2 differs");
        assert_eq!(fs::read(folder.path().join("gen/a.txt")).unwrap(), b"one\ntwo\n");
    }
}
