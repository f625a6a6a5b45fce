//! An ordered map of bytes in bounded memory: what was written last lies as it came, older rows in sorted runs, in
//! memory as long as there is room and in scratch files beyond that.
//!
//! A run never changes. Of so many runs of one level ([`LEVEL_RUNS`]) one of the next level is made, so that their
//! count grows with the logarithm of what was written. What a row's value is doesn't depend on where it lies.

mod filter;
mod fresh;
mod run;

use std::cmp::Ordering;
use std::iter::Peekable;
use std::vec;

use crate::scratch::{Memory, ScratchError};
pub(crate) use filter::Print;
use fresh::Fresh;
use run::{Allowance, Cursor, Lookup, Row, Run, Writer, frame_bytes};

/// Runs of one level, of which one of the next is made.
const LEVEL_RUNS: usize = 6;
/// The most bytes of rows that were written last.
const RECENT_BYTES_MAX: usize = 8 << 20;
/// Bytes that a key takes in the index of a run.
const INDEX_KEY_BYTES: usize = 80;

/// An ordered map of bytes.
pub struct Table {
    memory: Memory,
    recent: Fresh,
    /// By level, each from the oldest run to the newest; older rows lie in higher levels.
    levels: Vec<Vec<Run>>,
}

impl Table {
    /// An empty map; it takes about half of the memory given.
    pub fn new(memory: Memory) -> Self {
        Self { memory, recent: Fresh::default(), levels: Vec::new() }
    }

    /// Another map with the same rows; `None` once runs were made.
    pub(crate) fn fork(&self) -> Option<Self> {
        let Self { memory, recent, levels } = self;
        let alike = || Self { memory: memory.clone(), recent: recent.clone(), levels: Vec::new() };
        levels.is_empty().then(alike)
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ScratchError> {
        let print = Print::of(key);
        match self.recent.get(key, print) {
            Lookup::Absent => {}
            Lookup::Removed => return Ok(None),
            Lookup::Value(value) => return Ok(Some(value)),
        }
        for run in self.levels.iter().flat_map(|level| level.iter().rev()) {
            match run.get(key, print)? {
                Lookup::Absent => {}
                Lookup::Removed => return Ok(None),
                Lookup::Value(value) => return Ok(Some(value)),
            }
        }
        Ok(None)
    }

    /// Writes a row, whether or not it was there.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), ScratchError> {
        self.write(key, Some(value))
    }

    /// Removes a row, if it is there.
    pub fn remove(&mut self, key: &[u8]) -> Result<(), ScratchError> {
        self.write(key, None)
    }

    fn write(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ScratchError> {
        self.recent.write(key, value);
        if self.memory.is_bounded() && self.recent.bytes() >= self.memory.share(16).min(RECENT_BYTES_MAX) {
            self.freeze()?;
        }
        Ok(())
    }

    /// Makes a run of what was written last, and of too many runs one.
    fn freeze(&mut self) -> Result<(), ScratchError> {
        let recent = std::mem::take(&mut self.recent);
        let rows = recent.sorted();
        let bytes = rows.iter().fold(0u64, |sum, (key, value)| sum.saturating_add(frame_bytes(key, *value)));
        let mut writer = self.writer(u64::try_from(rows.len()).unwrap_or(u64::MAX), bytes)?;
        for (key, value) in rows {
            writer.push(key, value)?;
        }
        drop(recent);
        self.add(0, writer.finish()?);
        let mut level = 0usize;
        while self.levels.get(level).is_some_and(|runs| runs.len() >= LEVEL_RUNS) {
            let merged = self.merged(level)?;
            if let Some(runs) = self.levels.get_mut(level) {
                runs.clear();
            }
            level = level.saturating_add(1);
            self.add(level, merged);
        }
        Ok(())
    }

    fn add(&mut self, level: usize, run: Run) {
        if self.levels.len() <= level {
            self.levels.resize_with(level.saturating_add(1), Vec::new);
        }
        if let Some(runs) = self.levels.get_mut(level) {
            runs.push(run);
        }
    }

    /// A writer for a run of such a size, in memory if there is room.
    fn writer(&self, rows: u64, bytes: u64) -> Result<Writer, ScratchError> {
        // Half of the memory is for rows, an eighth for filters, a sixteenth for indexes; of those a run may take half,
        // for it is larger than all the runs below it together.
        let room = self.memory.share(2);
        let held =
            self.levels.iter().flatten().fold(0usize, |sum, run| sum.saturating_add(run.memory_bytes()));
        let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
        let fits = held.saturating_add(wanted) <= room && wanted <= self.memory.share(8);
        let file = if fits { None } else { self.memory.file()? };
        let index_keys = self.memory.share(32).checked_div(INDEX_KEY_BYTES).unwrap_or(1).max(1);
        Ok(Writer::new(rows, bytes, Allowance { filter_bytes: self.memory.share(16), index_keys }, file))
    }

    /// One run of all runs of a level.
    fn merged(&self, level: usize) -> Result<Run, ScratchError> {
        let runs = self.levels.get(level).map(Vec::as_slice).unwrap_or_default();
        let total = |of: fn(&Run) -> u64| runs.iter().fold(0u64, |sum, run| sum.saturating_add(of(run)));
        let mut writer = self.writer(total(|run| run.rows), total(|run| run.bytes))?;
        let lowest = self.levels.iter().skip(level.saturating_add(1)).all(Vec::is_empty);
        let mut merge = Merge::of(runs.iter().rev())?;
        while let Some((key, value)) = merge.row() {
            // Nothing older is left that a removal would have to hide.
            if value.is_some() || !lowest {
                writer.push(key, value)?;
            }
            merge.advance()?;
        }
        writer.finish()
    }

    /// All rows by key.
    pub fn scan(&self) -> Result<Scan<'_>, ScratchError> {
        let runs = self.levels.iter().flat_map(|level| level.iter().rev());
        let merge = Merge::of(runs)?;
        Ok(Scan { recent: self.recent.sorted().into_iter().peekable(), merge })
    }
}

/// Several runs as one; of equal keys the run that was given first counts.
struct Merge<'r> {
    cursors: Vec<Cursor<'r>>,
    /// Which of them has the least key.
    least: usize,
    /// That key, while the cursors that have it go on.
    key: Vec<u8>,
}

impl<'r> Merge<'r> {
    fn of(runs: impl Iterator<Item = &'r Run>) -> Result<Self, ScratchError> {
        let mut cursors = Vec::new();
        for run in runs {
            let mut cursor = run.cursor();
            cursor.advance()?;
            cursors.push(cursor);
        }
        let mut merge = Self { cursors, least: 0, key: Vec::new() };
        merge.find_least();
        Ok(merge)
    }

    /// The present row; `None` behind the last.
    fn row(&self) -> Option<Row<'_>> {
        self.cursors.get(self.least)?.row()
    }

    /// Goes on to the next row.
    fn advance(&mut self) -> Result<(), ScratchError> {
        let Some((key, _)) = self.cursors.get(self.least).and_then(Cursor::row) else { return Ok(()) };
        self.key.clear();
        self.key.extend_from_slice(key);
        for cursor in &mut self.cursors {
            if cursor.row().is_some_and(|(key, _)| *key == *self.key) {
                cursor.advance()?;
            }
        }
        self.find_least();
        Ok(())
    }

    fn find_least(&mut self) {
        let mut least: Option<(usize, &[u8])> = None;
        for (at, cursor) in self.cursors.iter().enumerate() {
            if let Some((key, _)) = cursor.row()
                && least.is_none_or(|(_, found)| key < found)
            {
                least = Some((at, key));
            }
        }
        self.least = least.map_or(self.cursors.len(), |(at, _)| at);
    }
}

/// A row of a table: its key and its value.
pub type TableRow = (Vec<u8>, Vec<u8>);

/// All rows of a table by key.
pub struct Scan<'t> {
    recent: Peekable<vec::IntoIter<Row<'t>>>,
    merge: Merge<'t>,
}

impl Scan<'_> {
    /// The next row.
    pub fn next_row(&mut self) -> Result<Option<TableRow>, ScratchError> {
        loop {
            let older = self.merge.row();
            let order = match (self.recent.peek(), older) {
                (None, None) => return Ok(None),
                (Some((key, _)), Some((older, _))) => (*key).cmp(older),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
            };
            let owned = |(key, value): Row<'_>| Some((key.to_vec(), value?.to_vec()));
            let found = if order == Ordering::Greater {
                older.and_then(owned)
            } else {
                self.recent.next().and_then(owned)
            };
            if order != Ordering::Less {
                self.merge.advance()?;
            }
            if found.is_some() {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::InMemory;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// Numbers that look random and are the same every time.
    struct Lcg(u64);

    impl Lcg {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33).checked_rem(end).unwrap()
        }
    }

    fn rows(table: &Table) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut scan = table.scan().unwrap();
        std::iter::from_fn(|| scan.next_row().unwrap()).collect()
    }

    #[test]
    fn a_table_is_a_map_whatever_its_memory() {
        for (memory, seed) in [(0usize, 1u64), (200 << 10, 2), (1 << 20, 3), (64 << 20, 4)] {
            let mut table = Table::new(Memory::bounded(memory, Arc::new(InMemory)));
            let mut model = BTreeMap::new();
            let mut random = Lcg(seed);
            for step in 0..60_000u64 {
                let key = random.below(20_000).to_be_bytes().to_vec();
                match random.below(10) {
                    0 => {
                        table.remove(&key).unwrap();
                        model.remove(&key);
                    }
                    1..=3 => assert_eq!(table.get(&key).unwrap(), model.get(&key).cloned(), "{seed} {step}"),
                    _ => {
                        let length = usize::try_from(random.below(300)).unwrap();
                        let value = vec![step.to_be_bytes()[7]; length];
                        table.put(&key, &value).unwrap();
                        model.insert(key, value);
                    }
                }
            }
            assert!(memory > 1 << 20 || table.levels.len() > 1, "{memory} bytes hold no runs");
            assert!(rows(&table).into_iter().eq(model), "seed {seed}");
        }
    }

    #[test]
    fn rows_larger_than_every_buffer_are_kept() {
        let mut table = Table::new(Memory::bounded(0, Arc::new(InMemory)));
        for number in 0..20u8 {
            table.put(&[number], &vec![number; 150_000]).unwrap();
        }
        table.put(b"last", b"").unwrap();
        assert_eq!(table.get(b"last").unwrap(), Some(Vec::new()));
        assert!((0..20u8).all(|number| table.get(&[number]).unwrap().unwrap() == vec![number; 150_000]));
        assert_eq!(rows(&table).len(), 21);
        assert_eq!(table.get(b"never").unwrap(), None);
    }
}
