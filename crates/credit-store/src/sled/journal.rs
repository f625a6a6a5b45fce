//! The journal: what was committed and has not settled yet, in files that are only written and read from the beginning.
//! A commit is one frame, one write and one sync.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `cbj1` |
//! | 4 | the payload's length |
//! | 8 | the frame's number, one more than that of the frame before |
//! | 8 | frames below this number were durable when this one was written |
//! | – | the payload |
//! | 4 | CRC-32C over all of these |
//!
//! A segment is named by the number of its first frame. Each opening begins a new one, so that nothing which an earlier
//! process left behind its last whole frame is ever read as a later one. A segment whose frames have all settled is kept
//! as a spare and written over: a sync that changes no length costs less.

use super::file::sync_data;
use crate::durable::sync_directory;
use crate::{BATCH_BYTES_MAX, BATCH_ROWS_MAX, StoreError};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: [u8; 4] = *b"cbj1";
/// The bytes before the payload.
const HEADER_BYTES: usize = 24;
const CHECKSUM_BYTES: usize = 4;
/// The most bytes of a payload: a batch, and what is written around its rows, blocks and tiles.
const PAYLOAD_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX;

// A row's lengths take seven bytes, an entry's and a body's lengths are in the batch's count.
const _: () = assert!(BATCH_BYTES_MAX + 16 * BATCH_ROWS_MAX < PAYLOAD_BYTES_MAX);

/// What the names of its files begin with.
pub(super) const PREFIX: &str = "journal.";
const SPARE: &str = "journal.spare";
/// What errors call it.
pub(super) const NAME: &str = "journal";
/// The most segments that an opening leaves as they are; of more everything settles first.
pub(super) const SEGMENTS_MAX: usize = 8;

/// An open journal.
pub(super) struct Journal {
    dir: PathBuf,
    file: Arc<File>,
    /// Where the next frame begins.
    at: u64,
    /// The number of the next frame.
    next: u64,
    /// Frames below this number are durable.
    durable: u64,
    /// The first numbers of the segments, ascending; the last is being written.
    segments: VecDeque<u64>,
    has_spare: bool,
    frame: Vec<u8>,
}

/// The file that frames were written to.
pub(super) struct Written(Arc<File>);

impl Written {
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        sync_data(&self.0, "sync the journal")
    }
}

fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{PREFIX}{first:020}"))
}

/// The segments in a directory, ascending.
fn segments(dir: &Path) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir).map_err(StoreError::io("list the journal"))? {
        let name = file.map_err(StoreError::io("list the journal"))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        found.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

impl Journal {
    /// The first segment of a new store.
    pub(super) fn create(dir: &Path) -> Result<(), StoreError> {
        File::create(path(dir, 0)).map(drop).map_err(StoreError::io("create the journal"))
    }

    /// Reads the frames from number `from` on, in order, and begins a new segment behind the last whole one.
    pub(super) fn open(
        dir: &Path,
        from: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let all = segments(dir)?;
        // What is older than the first one needed has settled; its removal may not have been durable.
        let needed = all.partition_point(|first| *first <= from).saturating_sub(1);
        let Some(segments) =
            all.get(needed..).filter(|segments| segments.first().is_some_and(|first| *first <= from))
        else {
            return Err(StoreError::FileLost { file: NAME });
        };
        let mut next = segments.first().copied().unwrap_or(from);
        for (place, first) in segments.iter().enumerate() {
            if *first != next {
                return Err(lost(next, *first));
            }
            let end = segments.get(place.saturating_add(1)).copied();
            let bytes = fs::read(path(dir, *first)).map_err(StoreError::io("read the journal"))?;
            next = replay(&bytes, next, from, end, &mut take)?;
        }
        if next < from {
            return Err(lost(next, from));
        }
        for first in all.iter().take(needed) {
            fs::remove_file(path(dir, *first))
                .map_err(StoreError::io("remove a settled part of the journal"))?;
        }
        let mut segments: VecDeque<u64> = segments.iter().copied().collect();
        if segments.back() != Some(&next) {
            segments.push_back(next);
        }
        // It may have been begun by a process that wrote no whole frame.
        let file = File::create(path(dir, next)).map_err(StoreError::io("begin a part of the journal"))?;
        file.sync_all().map_err(StoreError::io("sync a part of the journal"))?;
        sync_directory(dir).map_err(StoreError::io("sync the store's directory"))?;
        let (dir, has_spare) = (dir.to_path_buf(), dir.join(SPARE).exists());
        let file = Arc::new(file);
        Ok(Self { dir, file, at: 0, next, durable: next, segments, has_spare, frame: Vec::new() })
    }

    /// Writes a frame; its payload is what `fill` adds to the bytes it is given. Gives the payload.
    pub(super) fn write(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<&[u8], StoreError> {
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        frame.resize(HEADER_BYTES, 0);
        fill(&mut frame);
        let length = frame.len().saturating_sub(HEADER_BYTES);
        assert!(length <= PAYLOAD_BYTES_MAX, "a frame of {length} bytes got past the limits");
        let header = header(u32::try_from(length).unwrap_or(u32::MAX), self.next, self.durable);
        if let Some(begin) = frame.first_chunk_mut() {
            *begin = header;
        }
        let sum = crc32c::crc32c(&frame);
        frame.extend_from_slice(&sum.to_be_bytes());
        self.frame = frame;
        self.file.write_all_at(&self.frame, self.at).map_err(StoreError::io("write the journal"))?;
        self.at = self.at.saturating_add(u64::try_from(self.frame.len()).unwrap_or(u64::MAX));
        self.next = self.next.saturating_add(1);
        Ok(self.frame.get(HEADER_BYTES..HEADER_BYTES.saturating_add(length)).unwrap_or_default())
    }

    /// Makes all frames durable.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        let (written, next) = self.written();
        written.sync()?;
        self.synced(next);
        Ok(())
    }

    /// What to sync to make all frames durable that there are, and the number of the next; others may be written meanwhile.
    pub(super) fn written(&self) -> (Written, u64) {
        // Those in earlier segments have been synced.
        (Written(Arc::clone(&self.file)), self.next)
    }

    /// Frames below a number are durable.
    pub(super) fn synced(&mut self, below: u64) {
        self.durable = self.durable.max(below);
    }

    /// Begins a new segment; gives the number of its first frame.
    pub(super) fn rotate(&mut self) -> Result<u64, StoreError> {
        if self.segments.back() == Some(&self.next) {
            return Ok(self.next);
        }
        // Frames that nobody waits for go with those that are to come.
        self.sync()?;
        let begun = path(&self.dir, self.next);
        if self.has_spare {
            fs::rename(self.dir.join(SPARE), &begun)
                .map_err(StoreError::io("take the spare part of the journal"))?;
            self.has_spare = false;
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(begun);
        self.file = Arc::new(file.map_err(StoreError::io("begin a part of the journal"))?);
        sync_directory(&self.dir).map_err(StoreError::io("sync the store's directory"))?;
        self.at = 0;
        self.segments.push_back(self.next);
        Ok(self.next)
    }

    /// Lets go of segments all of whose frames are below a number; one of them is kept as a spare.
    pub(super) fn settled(&mut self, below: u64) -> Result<(), StoreError> {
        while self.segments.get(1).is_some_and(|next| *next <= below)
            && let Some(first) = self.segments.pop_front()
        {
            let old = path(&self.dir, first);
            if self.has_spare {
                fs::remove_file(old).map_err(StoreError::io("remove a settled part of the journal"))?;
            } else {
                fs::rename(old, self.dir.join(SPARE))
                    .map_err(StoreError::io("keep a part of the journal"))?;
                self.has_spare = true;
            }
        }
        Ok(())
    }

    /// How many segments there are, the one that is being written included.
    pub(super) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The bytes of its files.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        let spare = self.has_spare.then(|| self.dir.join(SPARE));
        let mut sum = 0u64;
        for file in self.segments.iter().map(|first| path(&self.dir, *first)).chain(spare) {
            let about = fs::metadata(file).map_err(StoreError::io("look at the journal"))?;
            sum = sum.saturating_add(about.len());
        }
        Ok(sum)
    }
}

fn header(length: u32, number: u64, durable: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let fields = [&MAGIC[..], &length.to_be_bytes(), &number.to_be_bytes(), &durable.to_be_bytes()].concat();
    header.copy_from_slice(&fields);
    header
}

fn lost(from: u64, to: u64) -> StoreError {
    StoreError::DataLoss {
        detail: format!("the journal lacks its frames {from} to {}", to.saturating_sub(1)),
    }
}

/// A frame that is whole.
struct Frame<'a> {
    number: u64,
    durable: u64,
    payload: &'a [u8],
    rest: &'a [u8],
}

/// The frame at the beginning of the bytes, if a whole one is there.
fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (header, _) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let (magic, fields) = header.split_first_chunk::<4>()?;
    let (length, fields) = fields.split_first_chunk()?;
    let (number, durable) = fields.split_first_chunk()?;
    let length =
        usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= PAYLOAD_BYTES_MAX)?;
    if *magic != MAGIC {
        return None;
    }
    let (summed, after) = bytes.split_at_checked(HEADER_BYTES.checked_add(length)?)?;
    let (sum, rest) = after.split_first_chunk::<CHECKSUM_BYTES>()?;
    (crc32c::crc32c(summed).to_be_bytes() == *sum).then_some(())?;
    Some(Frame {
        number: u64::from_be_bytes(*number),
        durable: u64::from_be_bytes(durable.try_into().ok()?),
        payload: summed.get(HEADER_BYTES..)?,
        rest,
    })
}

/// Takes the frames of a segment, the first of which has number `next`; gives the number behind the last. `end`: where
/// the next segment begins.
fn replay(
    bytes: &[u8],
    mut next: u64,
    from: u64,
    end: Option<u64>,
    take: &mut impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut rest = bytes;
    while end != Some(next)
        && let Some(frame) = frame(rest)
        && frame.number == next
    {
        if next >= from {
            take(frame.payload)?;
        }
        rest = frame.rest;
        next = next.saturating_add(1);
    }
    if end.is_none() && was_durable(rest, next) {
        return Err(StoreError::DataLoss { detail: format!("frame {next} of the journal is corrupt") });
    }
    Ok(next)
}

/// Whether a frame behind says that the one which can't be read was durable once: then it is no write that was cut off.
fn was_durable(rest: &[u8], number: u64) -> bool {
    let begins = rest.windows(MAGIC.len()).enumerate().filter(|(_, window)| **window == MAGIC);
    let mut frames = begins.filter_map(|(at, _)| frame(rest.get(at..)?));
    frames.any(|frame| frame.number > number && frame.durable > number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dir: &Path, from: u64) -> Result<(Journal, Vec<Vec<u8>>), StoreError> {
        let mut seen = Vec::new();
        let journal = Journal::open(dir, from, |payload| {
            seen.push(payload.to_vec());
            Ok(())
        })?;
        Ok((journal, seen))
    }

    fn write(journal: &mut Journal, payload: &[u8]) {
        assert_eq!(journal.write(|frame| frame.extend_from_slice(payload)).unwrap(), payload);
        journal.sync().unwrap();
    }

    fn new() -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        Journal::create(dir.path()).unwrap();
        let (journal, seen) = read(dir.path(), 0).unwrap();
        assert!(seen.is_empty());
        (dir, journal)
    }

    #[test]
    fn frames_come_back_in_their_order_from_any_number_on() {
        let (dir, mut journal) = new();
        for number in 0..10u8 {
            if number == 4 {
                assert_eq!(journal.rotate().unwrap(), 4);
                assert_eq!(journal.rotate().unwrap(), 4);
            }
            write(&mut journal, &vec![number; usize::from(number)]);
        }
        drop(journal);
        for from in [0, 1, 4, 9, 10] {
            let (_, seen) = read(dir.path(), from).unwrap();
            let want: Vec<Vec<u8>> =
                (u8::try_from(from).unwrap()..10).map(|number| vec![number; usize::from(number)]).collect();
            assert_eq!(seen, want, "from {from}");
        }
        assert!(matches!(read(dir.path(), 11), Err(StoreError::DataLoss { .. })));
    }

    #[test]
    fn a_settled_segment_goes_one_is_kept_as_a_spare_and_what_stood_in_it_is_never_read_again() {
        let (dir, mut journal) = new();
        for round in 0..4u8 {
            for _ in 0..3 {
                write(&mut journal, &[round; 40]);
            }
            let below = journal.rotate().unwrap();
            journal.settled(below).unwrap();
            assert_eq!(journal.segments(), 1);
        }
        // The file that is written now was another segment before.
        write(&mut journal, &[9; 40]);
        let files = fs::read_dir(dir.path()).unwrap().count();
        assert!(files <= 2, "{files} files");
        drop(journal);
        assert_eq!(read(dir.path(), 12).unwrap().1, [vec![9; 40]]);
        assert!(matches!(read(dir.path(), 3), Err(StoreError::FileLost { file: NAME })));
    }

    #[test]
    fn a_write_that_was_cut_off_is_not_there() {
        let (dir, mut journal) = new();
        write(&mut journal, b"whole");
        write(&mut journal, b"cut off");
        drop(journal);
        let file = path(dir.path(), 0);
        let bytes = fs::read(&file).unwrap();
        for end in 0..bytes.len() {
            fs::write(&file, &bytes[..end]).unwrap();
            let (mut journal, seen) = read(dir.path(), 0).unwrap();
            assert!(seen.len() < 2);
            write(&mut journal, b"after");
            drop(journal);
            let (_, again) = read(dir.path(), 0).unwrap();
            assert_eq!(again, [seen, vec![b"after".to_vec()]].concat());
            for first in segments(dir.path()).unwrap() {
                fs::remove_file(path(dir.path(), first)).unwrap();
            }
        }
    }

    #[test]
    fn a_flipped_bit_in_what_was_durable_is_noticed() {
        let (dir, mut journal) = new();
        for number in 0..3u8 {
            write(&mut journal, &[number; 9]);
        }
        drop(journal);
        let file = path(dir.path(), 0);
        let bytes = fs::read(&file).unwrap();
        let last = bytes.len() / 3 * 2;
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&file, &flipped).unwrap();
            let found = read(dir.path(), 0);
            // Of the last frame nobody knows whether it had been durable: the high-water mark does.
            match found {
                Ok((_, seen)) => assert!(at >= last && seen.len() == 2, "byte {at}"),
                Err(error) => assert!(at < last, "byte {at}: {error}"),
            }
            fs::remove_file(path(dir.path(), 2)).ok();
        }
    }

    #[test]
    fn a_lost_segment_is_noticed() {
        let (dir, mut journal) = new();
        for _ in 0..3 {
            write(&mut journal, b"frame");
            journal.rotate().unwrap();
        }
        drop(journal);
        fs::remove_file(path(dir.path(), 1)).unwrap();
        assert!(matches!(read(dir.path(), 0), Err(StoreError::DataLoss { .. })));
        fs::remove_file(path(dir.path(), 0)).unwrap();
        assert!(matches!(read(dir.path(), 0), Err(StoreError::FileLost { file: NAME })));
    }
}
