//! The file of pages. A page is never written over: a new one takes a free place, and the old one's place is free once the
//! engine durably knows of the new one.

use super::file::{DataFile, Place};
use crate::StoreError;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file's name.
pub(super) const NAME: &str = "pages";
/// Pages take whole units. A sector of the disk may hold parts of several; while one is written the others' bytes in it
/// stay the same.
const UNIT: u64 = 128;
/// The bytes that are written at once, where pages lie behind one another.
const WRITE_BYTES: usize = 256 << 10;
const WORD_BITS: u64 = 64;

/// The file, and which of its units are taken.
pub(super) struct PageFile {
    file: DataFile,
    slots: Mutex<Slots>,
}

/// A bit for each unit that is taken.
#[derive(Default)]
struct Slots {
    taken: Vec<u64>,
    /// Where the search for a free place goes on: forth only, so that a settling looks at each unit once. What it passes
    /// over is found after places have become free again.
    next: u64,
}

impl Slots {
    fn set(&mut self, units: std::ops::Range<u64>, taken: bool) {
        for unit in units {
            let word = usize::try_from(unit / WORD_BITS).unwrap_or(usize::MAX);
            if word >= self.taken.len() {
                self.taken.resize(word.saturating_add(1), 0);
            }
            if let Some(word) = self.taken.get_mut(word) {
                if taken {
                    *word |= bit(unit);
                } else {
                    *word &= !bit(unit);
                }
            }
        }
    }

    /// Takes units that lie behind one another: the next that are free, else those at the end.
    fn take(&mut self, count: u64) -> u64 {
        let end = self.trailing();
        let first = self.free(self.next, end, count).unwrap_or(end);
        let behind = first.saturating_add(count);
        self.set(first..behind, true);
        self.next = behind;
        first
    }

    /// The first free stretch of `count` units within bounds.
    fn free(&self, from: u64, to: u64, count: u64) -> Option<u64> {
        let mut begin = self.seek(from, to, false);
        while begin.saturating_add(count) <= to {
            let behind = begin.saturating_add(count);
            let end = self.seek(begin, behind, true);
            if end == behind {
                return Some(begin);
            }
            begin = self.seek(end, to, false);
        }
        None
    }

    /// The first unit from `from` on that is taken, or that is not; `to` if none is before it.
    fn seek(&self, from: u64, to: u64, taken: bool) -> u64 {
        let mut unit = from;
        while unit < to {
            let word = usize::try_from(unit / WORD_BITS).ok().and_then(|word| self.taken.get(word));
            let word = word.copied().unwrap_or(0);
            let wanted = if taken { word } else { !word };
            let (within, left) = (unit % WORD_BITS, WORD_BITS.saturating_sub(unit % WORD_BITS));
            let ahead = wanted.checked_shr(u32::try_from(within).unwrap_or(0)).unwrap_or(0);
            if ahead != 0 {
                return unit.saturating_add(u64::from(ahead.trailing_zeros())).min(to);
            }
            unit = unit.saturating_add(left);
        }
        to
    }

    /// The first unit behind the last that is taken.
    fn trailing(&self) -> u64 {
        let words = self.taken.iter().rposition(|word| *word != 0);
        let Some(word) = words else { return 0 };
        let zeros = self.taken.get(word).map_or(0, |word| word.leading_zeros());
        let words = u64::try_from(word).unwrap_or(u64::MAX).saturating_add(1);
        words.saturating_mul(WORD_BITS).saturating_sub(u64::from(zeros))
    }
}

fn bit(unit: u64) -> u64 {
    1u64.checked_shl(u32::try_from(unit % WORD_BITS).unwrap_or(0)).unwrap_or(0)
}

/// The units of a place.
fn units(place: Place) -> std::ops::Range<u64> {
    let first = place.offset / UNIT;
    first..first.saturating_add(u64::from(place.length).div_ceil(UNIT))
}

/// Pages that gather until it is worth to write them.
pub(super) struct PageWriter<'a> {
    pages: &'a PageFile,
    begin: u64,
    bytes: Vec<u8>,
}

impl PageWriter<'_> {
    /// Gives a page a place of its own. It is there once [`PageWriter::finish`] has returned.
    pub(super) fn push(&mut self, framed: &[u8]) -> Result<Place, StoreError> {
        let length = u32::try_from(framed.len()).unwrap_or(u32::MAX);
        let count = u64::from(length).div_ceil(UNIT);
        let offset = self.pages.slots().take(count).saturating_mul(UNIT);
        let end = self.begin.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX));
        if offset != end || self.bytes.len() >= WRITE_BYTES {
            self.finish()?;
            self.begin = offset;
        }
        self.bytes.extend_from_slice(framed);
        let padded = self.bytes.len().next_multiple_of(usize::try_from(UNIT).unwrap_or(usize::MAX));
        self.bytes.resize(padded, 0);
        Ok(Place { offset, length })
    }

    /// Writes what has gathered.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        if !self.bytes.is_empty() {
            self.pages.file.write(self.begin, &self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }
}

impl PageFile {
    /// A file in which nothing is taken.
    pub(super) fn new(file: DataFile) -> Self {
        Self { file, slots: Mutex::default() }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes, while the store opens, that a page stands at a place; `length` is the file's.
    pub(super) fn found(&self, place: Place, length: u64) -> Result<(), StoreError> {
        if place.end() > length {
            let detail = format!("the file {} ends before one of its pages", self.file.name());
            return Err(StoreError::DataLoss { detail });
        }
        self.slots().set(units(place), true);
        Ok(())
    }

    pub(super) fn writer(&self) -> PageWriter<'_> {
        PageWriter { pages: self, begin: 0, bytes: Vec::new() }
    }

    /// Lets others have the places of pages that nobody will look for any more.
    pub(super) fn free(&self, places: &[Place]) {
        let mut slots = self.slots();
        for place in places {
            slots.set(units(*place), false);
        }
        slots.next = 0;
    }

    /// The bytes at a place; `None` where the file ends before them.
    pub(super) fn read(&self, place: Place) -> Result<Option<Vec<u8>>, StoreError> {
        self.file.read(place)
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync()
    }

    /// The file's length in bytes.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        self.file.length()
    }
}

#[cfg(test)]
mod tests {
    use super::super::drawn::drawing;
    use super::*;

    fn place(offset: u64, length: u32) -> Place {
        Place { offset, length }
    }

    #[test]
    fn pages_take_free_places_and_never_each_others() {
        let dir = tempfile::tempdir().unwrap();
        let pages = PageFile::new(DataFile::create(dir.path(), NAME).unwrap());
        let mut kept: Vec<(Place, Vec<u8>)> = Vec::new();
        let mut seed = 1u32;
        for round in 0..40u8 {
            let mut writer = pages.writer();
            for _ in 0..30 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let bytes = vec![round; 1 + (seed >> 20) as usize];
                kept.push((writer.push(&bytes).unwrap(), bytes));
            }
            writer.finish().unwrap();
            for (place, bytes) in &kept {
                assert_eq!(pages.read(*place).unwrap().as_ref(), Some(bytes));
            }
            let gone: Vec<Place> = kept.iter().step_by(2).map(|(place, _)| *place).collect();
            kept.retain(|(place, _)| !gone.contains(place));
            pages.free(&gone);
        }
        // A page has about 2 KiB and some 60 of them live at once; without places that are used again 2.4 MB.
        assert!(pages.bytes().unwrap() < 400_000, "{} bytes", pages.bytes().unwrap());
    }

    #[test]
    fn what_is_found_is_taken_and_a_file_that_is_cut_off_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let pages = PageFile::new(DataFile::create(dir.path(), NAME).unwrap());
        let mut writer = pages.writer();
        let first = writer.push(&[1; 200]).unwrap();
        let second = writer.push(&[2; 128]).unwrap();
        writer.finish().unwrap();
        assert_eq!((first, second), (place(0, 200), place(256, 128)));
        let again = PageFile::new(DataFile::open(dir.path(), NAME).unwrap());
        again.found(second, again.bytes().unwrap()).unwrap();
        assert!(matches!(again.found(place(256, 129), 384), Err(StoreError::DataLoss { .. })));
        let mut writer = again.writer();
        assert_eq!(writer.push(&[3; 256]).unwrap(), place(0, 256));
        assert_eq!(writer.push(&[3; 300]).unwrap(), place(384, 300));
    }

    #[test]
    fn a_stretch_is_found_as_by_looking_at_each_unit() {
        let mut random = drawing(3);
        for _ in 0..400 {
            let mut slots = Slots::default();
            for _ in 0..random(30) {
                let first = random(500);
                slots.set(first..first + random(70), true);
            }
            let (from, to, count) = (random(400), random(700), 1 + random(40));
            let is_free = |unit: u64| {
                let word = slots.taken.get(usize::try_from(unit / WORD_BITS).unwrap());
                word.is_none_or(|word| word & bit(unit) == 0)
            };
            let slow = (from..to).find(|first| first + count <= to && (*first..first + count).all(is_free));
            assert_eq!(slots.free(from, to, count), slow, "{from} {to} {count}");
        }
    }

    #[test]
    fn the_search_goes_forth_until_places_become_free() {
        let mut slots = Slots::default();
        assert_eq!((slots.take(200), slots.take(1)), (0, 200));
        slots.set(10..13, false);
        assert_eq!((slots.take(3), slots.take(1)), (201, 204));
        slots.next = 0;
        assert_eq!((slots.take(4), slots.next), (205, 209));
        slots.next = 0;
        assert_eq!((slots.take(3), slots.take(1)), (10, 209));
        assert_eq!(slots.trailing(), 210);
    }
}
