//! A sorted run of rows that never changes: in memory or in a scratch file, with a sparse index and a filter.

use super::filter::{Filter, Print};
use crate::scratch::{ScratchError, ScratchFile};

/// Bytes of rows between two keys of the index, where there is room for them.
const BLOCK_BYTES: usize = 4 << 10;
/// Bytes written to a scratch file at once.
const WRITE_BYTES: usize = 256 << 10;
/// Bytes read from a scratch file at once while it is read from end to end.
const READ_BYTES: usize = 64 << 10;
/// Bytes in front of a row: the length of its key, and that of its value.
const FRAME_BYTES: usize = 8;
/// The length that stands for a value that was removed.
const REMOVED: u32 = u32::MAX;

/// A row: its key, and its value unless it was removed.
pub(super) type Row<'b> = (&'b [u8], Option<&'b [u8]>);

/// What a run, or what was written last, says of a key.
pub(super) enum Lookup {
    /// Nothing: an older run may have it.
    Absent,
    /// It was removed.
    Removed,
    /// Its value.
    Value(Vec<u8>),
}

enum Place {
    Memory(Vec<u8>),
    Scratch(Box<dyn ScratchFile>),
}

/// The keys at which blocks begin.
#[derive(Default)]
struct Index {
    keys: Vec<u8>,
    ends: Vec<usize>,
    offsets: Vec<u64>,
}

impl Index {
    fn push(&mut self, key: &[u8], offset: u64) {
        self.keys.extend_from_slice(key);
        self.ends.push(self.keys.len());
        self.offsets.push(offset);
    }

    fn key(&self, at: usize) -> &[u8] {
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let to = self.ends.get(at).copied().unwrap_or(from);
        self.keys.get(from..to).unwrap_or_default()
    }

    /// Where the block lies that a key would be in.
    fn block(&self, key: &[u8], end: u64) -> Option<(u64, u64)> {
        let (mut low, mut high) = (0usize, self.offsets.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle) <= key { low = middle.saturating_add(1) } else { high = middle }
        }
        let at = low.checked_sub(1)?;
        let from = *self.offsets.get(at)?;
        Some((from, self.offsets.get(low).copied().unwrap_or(end)))
    }
}

/// A sorted run.
pub(super) struct Run {
    place: Place,
    index: Index,
    filter: Filter,
    /// Bytes of all rows with their frames.
    pub(super) bytes: u64,
    /// Count of rows.
    pub(super) rows: u64,
}

impl Run {
    /// The bytes of rows that lie in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.place {
            Place::Memory(bytes) => bytes.len(),
            Place::Scratch(_) => 0,
        }
    }

    /// What the run says of a key.
    pub(super) fn get(&self, key: &[u8], print: Print) -> Result<Lookup, ScratchError> {
        if !self.filter.may_have(print) {
            return Ok(Lookup::Absent);
        }
        let Some((from, to)) = self.index.block(key, self.bytes) else { return Ok(Lookup::Absent) };
        let held;
        let block = match &self.place {
            Place::Memory(bytes) => bytes.get(position(from)..position(to)).unwrap_or_default(),
            Place::Scratch(file) => {
                let mut bytes = vec![0; position(to.saturating_sub(from))];
                file.read(from, &mut bytes)?;
                held = bytes;
                held.as_slice()
            }
        };
        let mut rest = block;
        while let Some((found, value, after)) = split(rest) {
            if found >= key {
                let held = value.map_or(Lookup::Removed, |value| Lookup::Value(value.to_vec()));
                return Ok(if found == key { held } else { Lookup::Absent });
            }
            rest = after;
        }
        Ok(Lookup::Absent)
    }

    /// Reads it from end to end.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { run: self, offset: 0, buffer: Vec::new(), at: 0, next: 0 }
    }
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

type Split<'b> = (&'b [u8], Option<&'b [u8]>, &'b [u8]);

/// Writes a row as it is found by [`split`].
pub(super) fn put_frame(into: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(REMOVED);
    into.extend_from_slice(&length(key).to_be_bytes());
    into.extend_from_slice(&value.map_or(REMOVED, length).to_be_bytes());
    into.extend_from_slice(key);
    into.extend_from_slice(value.unwrap_or_default());
}

/// The first row of some bytes, and the bytes behind it.
pub(super) fn split(bytes: &[u8]) -> Option<Split<'_>> {
    let (key_length, rest) = bytes.split_first_chunk::<4>()?;
    let (value_length, rest) = rest.split_first_chunk::<4>()?;
    let length = |bytes: &[u8; 4]| usize::try_from(u32::from_be_bytes(*bytes)).ok();
    let (key, rest) = rest.split_at_checked(length(key_length)?)?;
    if u32::from_be_bytes(*value_length) == REMOVED {
        return Some((key, None, rest));
    }
    let (value, rest) = rest.split_at_checked(length(value_length)?)?;
    Some((key, Some(value), rest))
}

/// What a run that is being written may take of memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Bytes of the filter.
    pub(super) filter_bytes: usize,
    /// Keys in the index.
    pub(super) index_keys: usize,
}

/// Writes a run, row by row in ascending order.
pub(super) struct Writer {
    place: Place,
    buffer: Vec<u8>,
    index: Index,
    filter: Filter,
    block_bytes: u64,
    next_block: u64,
    bytes: u64,
    rows: u64,
}

impl Writer {
    /// For at most so many rows in so many bytes; into a file, or in memory without one.
    pub(super) fn new(
        rows: u64,
        bytes: u64,
        allowance: Allowance,
        file: Option<Box<dyn ScratchFile>>,
    ) -> Self {
        let blocks_max = u64::try_from(allowance.index_keys).unwrap_or(u64::MAX).max(1);
        let block_bytes = bytes.div_ceil(blocks_max).max(BLOCK_BYTES as u64);
        Self {
            place: file.map_or_else(|| Place::Memory(Vec::with_capacity(position(bytes))), Place::Scratch),
            buffer: Vec::new(),
            index: Index::default(),
            filter: Filter::new(rows, allowance.filter_bytes),
            block_bytes,
            next_block: 0,
            bytes: 0,
            rows: 0,
        }
    }

    /// Adds the next row.
    pub(super) fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ScratchError> {
        if self.bytes >= self.next_block {
            self.index.push(key, self.bytes);
            self.next_block = self.bytes.saturating_add(self.block_bytes);
        }
        self.filter.add(Print::of(key));
        let into = match &mut self.place {
            Place::Memory(bytes) => bytes,
            Place::Scratch(_) => &mut self.buffer,
        };
        put_frame(into, key, value);
        self.bytes = self.bytes.saturating_add(frame_bytes(key, value));
        self.rows = self.rows.saturating_add(1);
        if self.buffer.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ScratchError> {
        if let Place::Scratch(file) = &mut self.place {
            file.append(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// The run.
    pub(super) fn finish(mut self) -> Result<Run, ScratchError> {
        self.flush()?;
        if let Place::Memory(bytes) = &mut self.place {
            bytes.shrink_to_fit();
        }
        let Self { place, buffer: _, index, filter, block_bytes: _, next_block: _, bytes, rows } = self;
        Ok(Run { place, index, filter, bytes, rows })
    }
}

/// The bytes of a row with its frame.
pub(super) fn frame_bytes(key: &[u8], value: Option<&[u8]>) -> u64 {
    let length = key.len().saturating_add(value.map_or(0, <[u8]>::len)).saturating_add(FRAME_BYTES);
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A way through a run, row by row. Rows are shown where they lie: a merge copies each once.
pub(super) struct Cursor<'r> {
    run: &'r Run,
    /// Where in the run the buffer ends.
    offset: u64,
    buffer: Vec<u8>,
    /// Where the present row begins.
    at: usize,
    /// Where the one behind it does.
    next: usize,
}

impl Cursor<'_> {
    fn bytes(&self) -> &[u8] {
        match &self.run.place {
            Place::Memory(bytes) => bytes,
            Place::Scratch(_) => &self.buffer,
        }
    }

    /// The present row; `None` before the first and behind the last.
    pub(super) fn row(&self) -> Option<Row<'_>> {
        split(self.bytes().get(self.at..self.next)?).map(|(key, value, _)| (key, value))
    }

    /// Goes on to the next row.
    pub(super) fn advance(&mut self) -> Result<(), ScratchError> {
        self.at = self.next;
        loop {
            let rest = self.bytes().get(self.at..).unwrap_or_default();
            if let Some((_, _, after)) = split(rest) {
                self.next = self.at.saturating_add(rest.len().saturating_sub(after.len()));
                return Ok(());
            }
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Reads on; no at the end.
    fn fill(&mut self) -> Result<bool, ScratchError> {
        let Place::Scratch(file) = &self.run.place else { return Ok(false) };
        let left = position(self.run.bytes.saturating_sub(self.offset));
        if left == 0 {
            return Ok(false);
        }
        self.buffer.drain(..self.at.min(self.buffer.len()));
        (self.at, self.next) = (0, 0);
        let held = self.buffer.len();
        // A row longer than the buffer makes it grow until the row is whole.
        let more = left.min(READ_BYTES.max(held));
        self.buffer.resize(held.saturating_add(more), 0);
        file.read(self.offset, self.buffer.get_mut(held..).unwrap_or_default())?;
        self.offset = self.offset.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        Ok(true)
    }
}
