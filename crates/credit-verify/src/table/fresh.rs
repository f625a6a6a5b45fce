//! The rows that were written last: one behind another as they came, found by prints of their keys, and put in order
//! only once a run is made of them. A row costs a copy of its bytes, and no allocation of its own.

use super::filter::Print;
use super::run::{Lookup, Row, put_frame, split};

/// A place without a row.
const EMPTY: usize = usize::MAX;

/// Rows written last.
#[derive(Clone, Default)]
pub(super) struct Fresh {
    /// Their frames; of a row that was written again, the older frame too.
    frames: Vec<u8>,
    /// By number: the print of a row's key, and where its frame begins.
    rows: Vec<(Print, usize)>,
    /// Numbers of rows, each at the first free place from that of its print on. As many places as a power of two, of
    /// which half are empty, so that a search ends soon.
    places: Vec<usize>,
}

impl Fresh {
    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let beside = self.rows.len().saturating_mul(size_of::<(Print, usize)>());
        self.frames
            .len()
            .saturating_add(beside)
            .saturating_add(self.places.len().saturating_mul(size_of::<usize>()))
    }

    /// What was written last under a key.
    pub(super) fn get(&self, key: &[u8], print: Print) -> Lookup {
        let row = self.number(key, print).ok().and_then(|number| self.row(*self.rows.get(number)?));
        match row {
            None => Lookup::Absent,
            Some((_, None)) => Lookup::Removed,
            Some((_, Some(value))) => Lookup::Value(value.to_vec()),
        }
    }

    /// Writes a row, or that there is none.
    pub(super) fn write(&mut self, key: &[u8], value: Option<&[u8]>) {
        if self.rows.len().saturating_mul(2) >= self.places.len() {
            self.grow();
        }
        let (print, begin) = (Print::of(key), self.frames.len());
        put_frame(&mut self.frames, key, value);
        match self.number(key, print) {
            Ok(number) => {
                if let Some(row) = self.rows.get_mut(number) {
                    row.1 = begin;
                }
            }
            Err(place) => {
                if let Some(place) = self.places.get_mut(place) {
                    *place = self.rows.len();
                }
                self.rows.push((print, begin));
            }
        }
    }

    /// All rows by key.
    pub(super) fn sorted(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = self.rows.iter().filter_map(|row| self.row(*row)).collect();
        rows.sort_unstable_by(|left, right| left.0.cmp(right.0));
        rows
    }

    fn row(&self, (_, begin): (Print, usize)) -> Option<Row<'_>> {
        split(self.frames.get(begin..)?).map(|(key, value, _)| (key, value))
    }

    /// The number of a key's row, or the place for one.
    fn number(&self, key: &[u8], print: Print) -> Result<usize, usize> {
        let mask = self.places.len().saturating_sub(1);
        let mut place = usize::try_from(print.bits()).unwrap_or(usize::MAX) & mask;
        while let Some(number) = self.places.get(place).copied().filter(|number| *number != EMPTY) {
            let row = self.rows.get(number).copied().filter(|row| row.0 == print);
            if row.and_then(|row| self.row(row)).is_some_and(|(found, _)| found == key) {
                return Ok(number);
            }
            place = place.wrapping_add(1) & mask;
        }
        Err(place)
    }

    fn grow(&mut self) {
        let count = self.places.len().saturating_mul(2).max(16);
        let mask = count.saturating_sub(1);
        self.places = vec![EMPTY; count];
        for (number, (print, _)) in self.rows.iter().enumerate() {
            let mut at = usize::try_from(print.bits()).unwrap_or(usize::MAX) & mask;
            while self.places.get(at).is_some_and(|taken| *taken != EMPTY) {
                at = at.wrapping_add(1) & mask;
            }
            if let Some(place) = self.places.get_mut(at) {
                *place = number;
            }
        }
    }
}
