//! How far the log has been signed, remembered outside the store.
//!
//! A store that was rolled back, or opened empty, looks whole from within. This small file tells: it is written
//! before a signed head leaves the process, in two slots in turn, so that a torn write costs the newest at most.

use crate::durable::{forget_cached, sync_parent, with_suffix};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The most bytes of a signed checkpoint.
pub const CHECKPOINT_BYTES_MAX: usize = 1_024;

/// Begins the file, and names its layout.
const MAGIC: [u8; 16] = *b"high-water/v1\n\0\0";
/// Magic, log id, instance id, checksum.
const IDENTITY_BYTES: usize = 16 + 32 + 16 + 4;
/// Sequence, size, root, epoch, checkpoint's length, checkpoint, checksum.
const SLOT_BYTES: usize = 8 + 8 + 32 + 8 + 2 + CHECKPOINT_BYTES_MAX + 4;
/// Where the slots begin: on pages of their own, so that a torn page harms one at most.
const SLOT_OFFSETS: [u64; 2] = [4_096, 8_192];
/// The bytes of the whole file.
const FILE_BYTES: u64 = 12_288;

const _: () = assert!(IDENTITY_BYTES <= 4_096 && SLOT_BYTES <= 4_096);

/// Why the high-water file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system failed.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file system's error.
        #[source]
        cause: io::Error,
    },
    /// There is a file already; it is never created over.
    #[error("there is a high-water file already")]
    Exists,
    /// The file doesn't begin with a sound identity: it is another file, or damaged.
    #[error("the high-water file has no sound identity")]
    NoIdentity,
    /// The file belongs to another log.
    #[error("the high-water file belongs to another log")]
    OtherLog,
    /// Neither slot is sound.
    #[error("both slots of the high-water file are damaged")]
    BothTorn,
    /// The mark would go back: to a smaller size, or to another root at the same size.
    #[error("the mark is at {held} entries and may not go back to {asked}, or to another root")]
    Backwards {
        /// The size recorded.
        held: u64,
        /// The size asked for.
        asked: u64,
    },
    /// The checkpoint is longer than [`CHECKPOINT_BYTES_MAX`].
    #[error("a checkpoint of {bytes} bytes is more than the {CHECKPOINT_BYTES_MAX} allowed")]
    CheckpointTooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// An earlier write failed; what is on disk is unknown until the file is opened again.
    #[error("an earlier write of the high-water file failed")]
    Stopped,
}

/// Whose mark it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The log's id.
    pub log_id: [u8; 32],
    /// Drawn once for this file, so that a copy of a directory can be told from its original's successors.
    pub instance: [u8; 16],
}

/// The furthest state that may have been signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The count of entries.
    pub size: u64,
    /// The root over them.
    pub root: [u8; 32],
    /// The server's epoch.
    pub epoch: u64,
    /// The newest signed checkpoint's text, at most [`CHECKPOINT_BYTES_MAX`] bytes; empty if there is none.
    pub checkpoint: Vec<u8>,
}

/// The open high-water file. One process at a time: take a [`crate::lock::DirectoryLock`] first.
#[derive(Debug)]
pub struct HighWater {
    file: File,
    identity: Identity,
    newest: Mark,
    sequence: u64,
    /// The slot that the next mark goes to: never the one that holds the newest.
    next_slot: usize,
    was_torn: bool,
    stopped: bool,
}

impl HighWater {
    /// Creates the file with a first mark, durable with its name when it returns.
    pub fn create(path: &Path, identity: Identity, first: Mark) -> Result<Self, Error> {
        check_length(&first.checkpoint)?;
        let beside = with_suffix(path, ".creating");
        let written = write_first(&beside, identity, &first).map_err(io_error("write the high-water file"));
        written?;
        match renameat_with(CWD, &beside, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => {
                fs::remove_file(&beside).map_err(io_error("remove the unused high-water file"))?;
                return Err(Error::Exists);
            }
            Err(cause) => return Err(io_error("name the high-water file")(cause.into())),
        }
        sync_parent(path).map_err(io_error("sync the directory of the high-water file"))?;
        Self::open(path, &identity.log_id)
    }

    /// Opens the file of a log and takes the newest sound slot.
    pub fn open(path: &Path, log_id: &[u8; 32]) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(io_error("open the high-water file"))?;
        forget_cached(&file).map_err(io_error("read the high-water file anew"))?;
        let identity = read_identity(&file)?;
        if identity.log_id != *log_id {
            return Err(Error::OtherLog);
        }
        let [first, second] = [read_slot(&file, 0)?, read_slot(&file, 1)?];
        let was_torn = first.is_none() || second.is_none();
        let (sequence, newest, next_slot) = match (first, second) {
            (Some((a, mark)), Some((b, _))) if a > b => (a, mark, 1),
            (_, Some((sequence, mark))) => (sequence, mark, 0),
            (Some((sequence, mark)), None) => (sequence, mark, 1),
            (None, None) => return Err(Error::BothTorn),
        };
        Ok(Self { file, identity, newest, sequence, next_slot, was_torn, stopped: false })
    }

    /// Whose mark it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The newest mark.
    pub fn newest(&self) -> &Mark {
        &self.newest
    }

    /// Whether one of the two slots was damaged when the file was opened. A write that was cut off does that,
    /// and then nothing beyond [`HighWater::newest`] was signed.
    pub fn was_torn(&self) -> bool {
        self.was_torn
    }

    /// Records a mark; durable when it returns. It never goes back: [`Error::Backwards`].
    pub fn record(&mut self, mark: Mark) -> Result<(), Error> {
        if self.stopped {
            return Err(Error::Stopped);
        }
        check_length(&mark.checkpoint)?;
        let back = mark.size < self.newest.size;
        let forked = mark.size == self.newest.size && mark.root != self.newest.root;
        if back || forked {
            return Err(Error::Backwards { held: self.newest.size, asked: mark.size });
        }
        let sequence = self.sequence.saturating_add(1);
        // Set beforehand: after a failed write nobody knows which bytes the disk has.
        self.stopped = true;
        write_slot(&self.file, self.next_slot, sequence, &mark).map_err(io_error("write a mark"))?;
        self.file.sync_data().map_err(io_error("sync a mark"))?;
        self.stopped = false;
        self.sequence = sequence;
        self.newest = mark;
        self.next_slot = other(self.next_slot);
        Ok(())
    }
}

fn other(slot: usize) -> usize {
    usize::from(slot == 0)
}

fn check_length(checkpoint: &[u8]) -> Result<(), Error> {
    if checkpoint.len() > CHECKPOINT_BYTES_MAX {
        return Err(Error::CheckpointTooLong { bytes: checkpoint.len() });
    }
    Ok(())
}

fn io_error(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::Io { doing, cause }
}

/// Both slots are written from the start, so that an unsound one always means damage.
fn write_first(path: &Path, identity: Identity, first: &Mark) -> io::Result<()> {
    let file = File::create(path)?;
    file.set_len(FILE_BYTES)?;
    let mut header = [&MAGIC[..], &identity.log_id, &identity.instance].concat();
    push_checksum(&mut header);
    file.write_all_at(&header, 0)?;
    write_slot(&file, 0, 1, first)?;
    write_slot(&file, 1, 2, first)?;
    file.sync_all()
}

fn write_slot(file: &File, slot: usize, sequence: u64, mark: &Mark) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&mark.size.to_be_bytes());
    bytes.extend_from_slice(&mark.root);
    bytes.extend_from_slice(&mark.epoch.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(mark.checkpoint.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(&mark.checkpoint);
    bytes.resize(SLOT_BYTES.saturating_sub(4), 0);
    push_checksum(&mut bytes);
    file.write_all_at(&bytes, offset(slot))
}

/// The slot's sequence and mark, or nothing if it is unsound.
fn read_slot(file: &File, slot: usize) -> Result<Option<(u64, Mark)>, Error> {
    let Some(bytes) = read_checked(file, offset(slot), SLOT_BYTES)? else { return Ok(None) };
    Ok(parse_slot(&bytes))
}

fn parse_slot(bytes: &[u8]) -> Option<(u64, Mark)> {
    let (sequence, rest) = bytes.split_first_chunk()?;
    let (size, rest) = rest.split_first_chunk()?;
    let (root, rest) = rest.split_first_chunk()?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let checkpoint = rest.get(..usize::from(u16::from_be_bytes(*length)))?.to_vec();
    let mark =
        Mark { size: u64::from_be_bytes(*size), root: *root, epoch: u64::from_be_bytes(*epoch), checkpoint };
    Some((u64::from_be_bytes(*sequence), mark))
}

fn read_identity(file: &File) -> Result<Identity, Error> {
    let bytes = read_checked(file, 0, IDENTITY_BYTES)?.ok_or(Error::NoIdentity)?;
    let parse = || {
        let (magic, rest) = bytes.split_first_chunk::<16>()?;
        let (log_id, rest) = rest.split_first_chunk()?;
        let instance = rest.first_chunk()?;
        (*magic == MAGIC).then_some(Identity { log_id: *log_id, instance: *instance })
    };
    parse().ok_or(Error::NoIdentity)
}

/// Bytes without their checksum, or nothing if it doesn't match or the file is too short.
fn read_checked(file: &File, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Error> {
    let mut bytes = vec![0; length];
    match file.read_exact_at(&mut bytes, offset) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(cause) => return Err(Error::Io { doing: "read the high-water file", cause }),
    }
    let Some((checked, sum)) = bytes.split_last_chunk::<4>() else { return Ok(None) };
    if crc32c::crc32c(checked).to_be_bytes() != *sum {
        return Ok(None);
    }
    Ok(Some(checked.to_vec()))
}

fn push_checksum(bytes: &mut Vec<u8>) {
    let sum = crc32c::crc32c(bytes);
    bytes.extend_from_slice(&sum.to_be_bytes());
}

fn offset(slot: usize) -> u64 {
    let [first, second] = SLOT_OFFSETS;
    if slot == 0 { first } else { second }
}
