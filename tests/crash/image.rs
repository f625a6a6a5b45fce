//! A disk that loses power: files as they would be found afterwards, from the calls that changed them.
//!
//! Bytes are durable once a sync of their file that began after they were written has returned; names once their
//! directory was synced. Of everything else a power cut may leave any part: bytes in any order and by sectors, names
//! in the order in which they changed, for file systems keep that one.

use crate::seed::Random;
use crate::trace::Call;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The pieces in which unsynced bytes may be lost: disks write sectors, kernels write pages.
const GRAINS: [usize; 2] = [512, 4_096];
/// Bytes that are looked at together when holes are left out of an image.
const HOLE: usize = 65_536;

/// What a power cut leaves of what was not durable.
pub(crate) enum Cut<'r> {
    /// Nothing.
    Clean,
    /// Some of it, by chance.
    Torn(&'r mut Random),
}

/// A change of a file's bytes.
#[derive(Debug, Clone)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    Length(u64),
}

/// A change of names.
#[derive(Debug, Clone)]
enum Naming {
    Named(PathBuf, usize),
    Removed(PathBuf),
    Renamed(PathBuf, PathBuf),
}

/// A file: what is durable, and what came after, with the line at which it was done.
#[derive(Debug, Clone, Default)]
struct Inode {
    durable: Vec<u8>,
    pending: Vec<(usize, Change)>,
}

/// The disk under one directory.
pub(crate) struct Disk {
    root: PathBuf,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<(usize, Naming)>,
    positions: BTreeMap<i64, u64>,
}

impl Disk {
    /// A disk that holds a directory as it is; all of it durable.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Self {
            root: root.to_path_buf(),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            pending: Vec::new(),
            positions: BTreeMap::new(),
        };
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let durable = fs::read(&path).expect("a file");
                    disk.names.insert(path, disk.inodes.len());
                    disk.inodes.push(Inode { durable, pending: Vec::new() });
                }
            }
        }
        disk.durable.clone_from(&disk.names);
        disk
    }

    /// A call begins: from here on its change may be on the disk.
    pub(crate) fn begin(&mut self, call: &Call) {
        if call.result < 0 {
            return;
        }
        match call.name.as_str() {
            "openat" | "creat" => self.open(call),
            "pwrite64" => self.change(call, call.number(), call.data()),
            "write" => {
                let position = self.positions.get(&call.descriptor()).copied().unwrap_or(0);
                let data = call.data();
                if self.names.contains_key(&call.file()) {
                    self.positions.insert(call.descriptor(), position + data.len() as u64);
                }
                self.change(call, position, data);
            }
            "ftruncate" => self.truncate(call, call.number()),
            "rename" | "renameat" | "renameat2" => self.rename(call),
            "unlink" | "unlinkat" => self.unlink(call),
            "lseek" => {
                self.positions.insert(call.descriptor(), u64::try_from(call.result).expect("a position"));
            }
            "pwritev" | "pwritev2" | "writev" | "sendmsg" | "fallocate" => {
                assert!(
                    !call.file().starts_with(&self.root),
                    "{} of {} is not modelled",
                    call.name,
                    call.file().display()
                );
            }
            "sendto" | "mkdir" | "mkdirat" | "fsync" | "fdatasync" | "sync_file_range" => {}
            other => panic!("{other} is not modelled"),
        }
    }

    /// A call has returned: a sync has done its work.
    pub(crate) fn end(&mut self, call: &Call) {
        if !call.syncs() {
            return;
        }
        let path = call.file();
        if let Some(inode) = self.names.get(&path) {
            let inode = &mut self.inodes[*inode];
            for (last, change) in std::mem::take(&mut inode.pending) {
                if last < call.first {
                    apply(&mut inode.durable, &change);
                } else {
                    inode.pending.push((last, change));
                }
            }
        } else if path.starts_with(&self.root) {
            let (synced, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
                .into_iter()
                .partition(|(last, naming)| *last < call.first && naming.folder() == Some(&path));
            for (_, naming) in synced {
                naming.apply(&mut self.durable);
            }
            self.pending = rest;
        }
    }

    fn name(&mut self, call: &Call, naming: Naming) {
        naming.apply(&mut self.names);
        self.pending.push((call.last, naming));
    }

    fn open(&mut self, call: &Call) {
        let [path] = <[PathBuf; 1]>::try_from(call.paths()).expect("one path");
        if !path.starts_with(&self.root) {
            return;
        }
        assert!(
            !call.has("O_APPEND") && !call.has("O_TMPFILE"),
            "this way to open {} is not modelled",
            path.display()
        );
        self.positions.insert(call.result, 0);
        if call.has("O_CREAT") && !self.names.contains_key(&path) {
            let inode = self.inodes.len();
            self.inodes.push(Inode::default());
            self.name(call, Naming::Named(path, inode));
        } else if call.has("O_TRUNC") {
            let inode = self.names[&path];
            self.inodes[inode].pending.push((call.last, Change::Length(0)));
        }
    }

    fn change(&mut self, call: &Call, offset: u64, data: Vec<u8>) {
        if let Some(inode) = self.names.get(&call.file()) {
            self.inodes[*inode].pending.push((call.last, Change::Write { offset, data }));
        }
    }

    fn truncate(&mut self, call: &Call, length: u64) {
        if let Some(inode) = self.names.get(&call.file()) {
            self.inodes[*inode].pending.push((call.last, Change::Length(length)));
        }
    }

    fn rename(&mut self, call: &Call) {
        let [from, to] = <[PathBuf; 2]>::try_from(call.paths()).expect("two paths");
        if from.starts_with(&self.root) {
            assert!(!call.has("RENAME_EXCHANGE"), "an exchange of names is not modelled");
            self.name(call, Naming::Renamed(from, to));
        }
    }

    fn unlink(&mut self, call: &Call) {
        let [path] = <[PathBuf; 1]>::try_from(call.paths()).expect("one path");
        if path.starts_with(&self.root) {
            self.name(call, Naming::Removed(path));
        }
    }

    /// Whether a power cut at this moment could lose anything.
    pub(crate) fn is_open(&self) -> bool {
        !self.pending.is_empty() || self.inodes.iter().any(|inode| !inode.pending.is_empty())
    }

    /// Writes what would be found after a power cut at this moment into a folder.
    pub(crate) fn write(&self, into: &Path, mut cut: Cut<'_>) {
        let mut names = self.durable.clone();
        if let Cut::Torn(random) = &mut cut {
            let kept = random.below(self.pending.len() as u64 + 1);
            for (_, naming) in self.pending.iter().take(usize::try_from(kept).expect("a count")) {
                naming.apply(&mut names);
            }
        }
        for folder in ["store/blobs", "keyring"] {
            fs::create_dir_all(into.join(folder)).expect("a folder");
        }
        for (path, inode) in names {
            let inode = &self.inodes[inode];
            let mut bytes = inode.durable.clone();
            if let Cut::Torn(random) = &mut cut {
                let grain = GRAINS[usize::from(random.coin())];
                for (_, change) in &inode.pending {
                    tear(&mut bytes, change, grain, random);
                }
            }
            let inside = path.strip_prefix(&self.root).expect("a path on the disk");
            write_with_holes(&into.join(inside), &bytes);
        }
    }
}

impl Naming {
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Named(path, _) | Self::Removed(path) | Self::Renamed(_, path) => path.parent(),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Named(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Removed(path) => {
                names.remove(path);
            }
            Self::Renamed(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, data } => put(bytes, usize::try_from(*offset).expect("an offset"), data),
        Change::Length(length) => bytes.resize(usize::try_from(*length).expect("a length"), 0),
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

/// Applies each piece of a change or leaves it out.
fn tear(bytes: &mut Vec<u8>, change: &Change, grain: usize, random: &mut Random) {
    let Change::Write { offset, data } = change else {
        if random.coin() {
            apply(bytes, change);
        }
        return;
    };
    let mut at = usize::try_from(*offset).expect("an offset");
    let mut rest = data.as_slice();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(grain - at % grain));
        if random.coin() {
            put(bytes, at, piece);
        }
        at += piece.len();
        rest = after;
    }
}

fn write_with_holes(path: &Path, bytes: &[u8]) {
    let file = File::create(path).expect("a file");
    file.set_len(bytes.len() as u64).expect("a length");
    for (number, piece) in bytes.chunks(HOLE).enumerate() {
        if piece.iter().any(|byte| *byte != 0) {
            file.write_all_at(piece, (number * HOLE) as u64).expect("bytes are written");
        }
    }
}
