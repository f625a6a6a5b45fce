//! Wrapped keys as files of bytes, outside the store and outside its backups.
//!
//! Records stand in small files of at most [`KEYRING_FILE_RECORDS_MAX`], each file meant for a wrapping key of its
//! own; the wrapping keys stand sealed in the one file [`WRAPPING_FILE`]. Ciphers are the caller's: this module
//! sees wrapped bytes only. Openings append; an erasure rewrites the files it touches.
//!
//! A caller asks [`KeyringFiles::places`] for the files that its next records go to, makes the wrapping keys of
//! files that are not there yet durable with [`KeyringFiles::replace_wrapping`], and then appends.

mod record;

pub use record::{Record, WRAPPED_BYTES_MAX};

use crate::durable::{forget_cached, sync_directory};
use crate::space::{Short, short_of};
use record::RECORD_BYTES;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The most records of a file: what one erasure rewrites.
pub const KEYRING_FILE_RECORDS_MAX: usize = 256;
/// The most records of one append.
pub const APPEND_RECORDS_MAX: usize = 4_096;
/// The most bytes of the file of sealed wrapping keys: those of about 50 million accounts.
pub const WRAPPING_BYTES_MAX: usize = 16 << 20;
/// The file of sealed wrapping keys.
pub const WRAPPING_FILE: &str = "wrapping.keys";

/// Ends the name of a file of records, after its number in eight digits.
const RECORDS_SUFFIX: &str = ".records";
/// Ends the name of a file that is being written and not yet in its place.
const UNFINISHED_SUFFIX: &str = ".new";

/// Why the keyring could not do what it was asked.
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
    /// A file between the first and the last is missing.
    #[error("file {file} of the keyring is missing")]
    FileMissing {
        /// Its number.
        file: u32,
    },
    /// A file that is not the last has a damaged record: no torn append can have done that.
    #[error("file {file} of the keyring is damaged at byte {offset}")]
    Corrupt {
        /// Its number.
        file: u32,
        /// Where the first damaged record begins.
        offset: u64,
    },
    /// The last file ends in a torn append, which must be cut before anything is appended.
    #[error("file {file} of the keyring is torn at byte {offset}")]
    Torn {
        /// Its number.
        file: u32,
        /// Where the tear begins.
        offset: u64,
    },
    /// There is no tear at this place.
    #[error("the keyring is not torn there")]
    NotTorn,
    /// Something is larger than the keyring takes; nothing was written.
    #[error("{what}: {actual} are more than the {max} allowed")]
    Limit {
        /// What was counted, with its unit.
        what: &'static str,
        /// Its count.
        actual: usize,
        /// The most allowed.
        max: usize,
    },
    /// The keyring's disk is too full to begin an append; nothing was written.
    #[error("{available} bytes are free on the keyring's disk, {needed} are needed")]
    NoSpace {
        /// The bytes free.
        available: u64,
        /// The bytes that must be free before an append begins.
        needed: u64,
    },
    /// An earlier write failed; what is on disk is unknown until the keyring is opened again.
    #[error("an earlier write of the keyring failed")]
    Stopped,
}

/// A record in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The number of its file, from 0.
    pub file: u32,
    /// The record.
    pub record: Record,
}

/// The end of the last file after an append that was cut off. Nothing in it was ever acknowledged, unless the
/// file was damaged later; so cut it only if no account of the log needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The number of the last file.
    pub file: u32,
    /// Where its first unsound record begins, in bytes.
    pub offset: u64,
    /// Sound records behind that place: the disk may write a later page first.
    pub beyond: Vec<Record>,
}

/// All records, and the torn tail if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The sound records before any tear, in the order of their files.
    pub records: Vec<Placed>,
    /// The tear.
    pub torn: Option<TornTail>,
}

/// The keyring's directory. One process at a time: take a [`crate::lock::DirectoryLock`] first.
#[derive(Debug)]
pub struct KeyringFiles {
    dir: PathBuf,
    /// The number of the file that the next record goes to; it may not be there yet.
    last: u32,
    /// The records in that file.
    count: usize,
    torn: Option<(u32, u64)>,
    stopped: bool,
}

impl KeyringFiles {
    /// Opens the keyring in `dir`, and creates the directory if need be. Temporary files of a rewrite that was
    /// cut off are removed: the files that they were to replace still stand.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(io_error("create the keyring's directory"))?;
        crate::durable::sync_parent(dir).map_err(io_error("sync the directory above the keyring"))?;
        for name in names(dir)?.iter().filter(|name| name.ends_with(UNFINISHED_SUFFIX)) {
            fs::remove_file(dir.join(name)).map_err(io_error("remove an unfinished file"))?;
        }
        let mut keyring = Self { dir: dir.to_path_buf(), last: 0, count: 0, torn: None, stopped: false };
        keyring.look_at_last()?;
        Ok(keyring)
    }

    /// The numbers of the files that the next `count` records go to, one for each.
    pub fn places(&self, count: usize) -> Vec<u32> {
        let mut places = Vec::new();
        let (mut file, mut held) = (self.last, self.count);
        for _ in 0..count {
            if held >= KEYRING_FILE_RECORDS_MAX {
                file = file.saturating_add(1);
                held = 0;
            }
            places.push(file);
            held = held.saturating_add(1);
        }
        places
    }

    /// Answers [`Error::NoSpace`] unless the disk has this reserve, and room for so many records and the wrapping keys
    /// anew. To be asked before an append: one that has begun and failed stops the keyring.
    pub fn check_space(&self, records: usize, reserve_bytes: u64) -> Result<(), Error> {
        let wrapping = match fs::metadata(self.dir.join(WRAPPING_FILE)) {
            Ok(file) => file.len(),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => 0,
            Err(cause) => return Err(io_error("look at the wrapping keys")(cause)),
        };
        let records = u64::try_from(records.saturating_mul(RECORD_BYTES)).unwrap_or(u64::MAX);
        let needed = reserve_bytes.max(records.saturating_add(wrapping));
        match short_of(needed, &self.dir).map_err(io_error("ask for free space"))? {
            Some(Short { available, needed }) => Err(Error::NoSpace { available, needed }),
            None => Ok(()),
        }
    }

    /// Appends up to [`APPEND_RECORDS_MAX`] records to the files that [`KeyringFiles::places`] has named; durable
    /// when it returns.
    pub fn append(&mut self, records: &[Record]) -> Result<(), Error> {
        self.check_writable()?;
        if let Some((file, offset)) = self.torn {
            return Err(Error::Torn { file, offset });
        }
        at_most("records in an append", records.len(), APPEND_RECORDS_MAX)?;
        check_records(records)?;
        let mut rest = records;
        self.stopped = true;
        while !rest.is_empty() {
            let is_full = self.count >= KEYRING_FILE_RECORDS_MAX;
            let (file, held) =
                if is_full { (self.last.saturating_add(1), 0) } else { (self.last, self.count) };
            let free = KEYRING_FILE_RECORDS_MAX.saturating_sub(held);
            let (now, later) = rest.split_at(free.min(rest.len()));
            self.append_to(file, held, now)?;
            self.last = file;
            self.count = held.saturating_add(now.len());
            rest = later;
        }
        self.stopped = false;
        Ok(())
    }

    /// Reads all files. A torn tail is reported, never cut; damage anywhere else is an error.
    pub fn load(&self) -> Result<Loaded, Error> {
        let mut loaded = Loaded::default();
        for file in self.files()? {
            let scanned = record::scan(file, &self.read_file(file)?);
            loaded.records.extend(scanned.sound.into_iter().map(|record| Placed { file, record }));
            let Some(offset) = scanned.torn_at else { continue };
            if file != self.last {
                return Err(Error::Corrupt { file, offset });
            }
            loaded.torn = Some(TornTail { file, offset, beyond: scanned.beyond });
        }
        Ok(loaded)
    }

    /// Cuts a torn tail that [`KeyringFiles::load`] has reported; durable when it returns.
    pub fn truncate_tail(&mut self, tail: &TornTail) -> Result<(), Error> {
        self.check_writable()?;
        if self.torn != Some((tail.file, tail.offset)) {
            return Err(Error::NotTorn);
        }
        self.stopped = true;
        let file = OpenOptions::new()
            .write(true)
            .open(self.path(tail.file))
            .map_err(io_error("open a file of the keyring"))?;
        file.set_len(tail.offset).map_err(io_error("cut a torn tail"))?;
        file.sync_all().map_err(io_error("sync a file of the keyring"))?;
        self.stopped = false;
        self.look_at_last()
    }

    /// Replaces the records of a file, all at once, durable when it returns. The old bytes are gone from the
    /// directory, not from the disk: that is why each file has a wrapping key of its own to destroy.
    pub fn rewrite(&mut self, file: u32, records: &[Record]) -> Result<(), Error> {
        self.check_writable()?;
        if let Some((file, offset)) = self.torn {
            return Err(Error::Torn { file, offset });
        }
        at_most("records in a file", records.len(), KEYRING_FILE_RECORDS_MAX)?;
        check_records(records)?;
        if !self.path(file).exists() {
            return Err(Error::FileMissing { file });
        }
        self.stopped = true;
        self.replace(&file_name(file), &record::encode(file, 0, records))?;
        self.stopped = false;
        if file == self.last {
            self.count = records.len();
        }
        Ok(())
    }

    /// The sealed wrapping keys, if they have ever been written.
    pub fn wrapping(&self) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(self.dir.join(WRAPPING_FILE)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(io_error("read the wrapping keys")(cause)),
        }
    }

    /// Replaces the sealed wrapping keys, all at once, durable when it returns.
    pub fn replace_wrapping(&mut self, sealed: &[u8]) -> Result<(), Error> {
        self.check_writable()?;
        at_most("bytes of wrapping keys", sealed.len(), WRAPPING_BYTES_MAX)?;
        self.stopped = true;
        self.replace(WRAPPING_FILE, sealed)?;
        self.stopped = false;
        Ok(())
    }

    fn check_writable(&self) -> Result<(), Error> {
        if self.stopped { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Finds out where the next record goes.
    fn look_at_last(&mut self) -> Result<(), Error> {
        let Some(last) = self.files()?.pop() else { return Ok(()) };
        File::open(self.path(last))
            .and_then(|file| forget_cached(&file))
            .map_err(io_error("read the last file of the keyring anew"))?;
        let scanned = record::scan(last, &self.read_file(last)?);
        self.last = last;
        self.count = scanned.sound.len();
        self.torn = scanned.torn_at.map(|offset| (last, offset));
        Ok(())
    }

    fn append_to(&self, number: u32, held: usize, records: &[Record]) -> Result<(), Error> {
        let path = self.path(number);
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(io_error("open a file of the keyring"))?;
        let offset = u64::try_from(held.saturating_mul(RECORD_BYTES)).unwrap_or(u64::MAX);
        file.write_all_at(&record::encode(number, held, records), offset)
            .map_err(io_error("append to the keyring"))?;
        file.sync_data().map_err(io_error("sync a file of the keyring"))?;
        if is_new {
            sync_directory(&self.dir).map_err(io_error("sync the keyring's directory"))?;
        }
        Ok(())
    }

    /// Writes a file beside its place, syncs it, and renames it.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let beside = self.dir.join(format!("{name}{UNFINISHED_SUFFIX}"));
        let mut file = File::create(&beside).map_err(io_error("create a file of the keyring"))?;
        file.write_all(bytes).map_err(io_error("write a file of the keyring"))?;
        file.sync_data().map_err(io_error("sync a file of the keyring"))?;
        fs::rename(&beside, self.dir.join(name))
            .map_err(io_error("put a file of the keyring into its place"))?;
        sync_directory(&self.dir).map_err(io_error("sync the keyring's directory"))
    }

    /// The numbers of all files, without a gap.
    fn files(&self) -> Result<Vec<u32>, Error> {
        let names = names(&self.dir)?;
        let mut numbers: Vec<u32> =
            names.iter().filter_map(|name| name.strip_suffix(RECORDS_SUFFIX)?.parse().ok()).collect();
        numbers.sort_unstable();
        for (expected, number) in (0..).zip(&numbers) {
            if expected != *number {
                return Err(Error::FileMissing { file: expected });
            }
        }
        Ok(numbers)
    }

    /// A file's bytes, up to one more than it may have: what lies beyond is damage, however much it is.
    fn read_file(&self, file: u32) -> Result<Vec<u8>, Error> {
        let bytes_max = KEYRING_FILE_RECORDS_MAX.saturating_mul(RECORD_BYTES).saturating_add(1);
        let mut bytes = Vec::new();
        File::open(self.path(file))
            .and_then(|file| file.take(u64::try_from(bytes_max).unwrap_or(u64::MAX)).read_to_end(&mut bytes))
            .map_err(io_error("read a file of the keyring"))?;
        Ok(bytes)
    }

    fn path(&self, file: u32) -> PathBuf {
        self.dir.join(file_name(file))
    }
}

fn file_name(file: u32) -> String {
    format!("{file:08}{RECORDS_SUFFIX}")
}

fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let list = || -> io::Result<Vec<String>> {
        fs::read_dir(dir)?.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect()
    };
    list().map_err(io_error("list the keyring's directory"))
}

fn check_records(records: &[Record]) -> Result<(), Error> {
    for record in records {
        at_most("bytes in a wrapped key", record.wrapped.len(), WRAPPED_BYTES_MAX)?;
    }
    Ok(())
}

fn at_most(what: &'static str, actual: usize, max: usize) -> Result<(), Error> {
    if actual <= max { Ok(()) } else { Err(Error::Limit { what, actual, max }) }
}

fn io_error(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::Io { doing, cause }
}
