//! A page: neighbouring rows in one value, ascending, each key without what it shares with the one before.

use super::super::value::FRAME_BYTES;
use crate::Row;

/// A page of more bytes, with its frame, is cut into several: what a reader takes apart for one row, and a writer writes
/// anew for one. A larger row has a page for itself.
pub(super) const PAGE_BYTES_MAX: usize = (8 << 10) - FRAME_BYTES;
/// The bytes of the pages into which one is cut, so that each can grow.
const PAGE_BYTES_CUT: usize = 5 << 10;
/// The most bytes in front of a row's key and value: the shared length and two lengths.
const ROW_FRAME_BYTES: usize = 7;

/// A row, borrowed.
pub(super) type RowRef<'a> = (&'a [u8], &'a [u8]);

/// Reads a page from its beginning.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    key: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(page: &'a [u8]) -> Self {
        Self { rest: page, key: Vec::new() }
    }

    /// The key of the row whose value was given last.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The next row's value, its key being [`Reader::key`]; `Some(Err(()))` of a page that is not one of ours.
    pub(super) fn next_value(&mut self) -> Option<Result<&'a [u8], ()>> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.row().ok_or(()))
    }

    fn row(&mut self) -> Option<&'a [u8]> {
        let (shared, rest) = self.rest.split_first()?;
        self.rest = rest;
        let (own, value) = (self.length()?, self.length()?);
        let (own, rest) = self.rest.split_at_checked(own)?;
        let (value, rest) = rest.split_at_checked(value)?;
        let shared = usize::from(*shared);
        if shared > self.key.len() {
            return None;
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(own);
        self.rest = rest;
        Some(value)
    }

    /// A number of seven bits a byte, the lowest first, at most 17 bits.
    fn length(&mut self) -> Option<usize> {
        let mut length = 0usize;
        for shift in [0u32, 7, 14] {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            length |= usize::from(byte & 0x7F).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(length);
            }
        }
        None
    }
}

/// The value of a row in a page; `Err` of a page that is not one of ours.
pub(super) fn find(page: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let mut reader = Reader::new(page);
    while let Some(value) = reader.next_value() {
        let value = value?;
        match reader.key.as_slice().cmp(key) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => return Ok(Some(value.to_vec())),
            std::cmp::Ordering::Greater => return Ok(None),
        }
    }
    Ok(None)
}

/// All rows of a page; `Err` of one that is not ours.
pub(super) fn rows(page: &[u8]) -> Result<Vec<Row>, ()> {
    let mut reader = Reader::new(page);
    let mut rows = Vec::new();
    while let Some(value) = reader.next_value() {
        rows.push((reader.key.clone(), value?.to_vec()));
    }
    Ok(rows)
}

/// Ascending rows of one table as pages: one, if it is not too large, else several.
pub(super) fn pages<'a>(rows: &[RowRef<'a>]) -> Vec<(&'a [u8], Vec<u8>)> {
    let room = if bytes_of(rows) <= PAGE_BYTES_MAX { PAGE_BYTES_MAX } else { PAGE_BYTES_CUT };
    let mut pages: Vec<(&[u8], Writer)> = Vec::new();
    for row in rows {
        let (key, value) = *row;
        match pages.last_mut() {
            Some((_, page)) if page.bytes.len().saturating_add(bytes(*row)) <= room => page.push(key, value),
            Some(_) | None => {
                let mut page = Writer::new(room);
                page.push(key, value);
                pages.push((key, page));
            }
        }
    }
    pages.into_iter().map(|(first, page)| (first, page.done())).collect()
}

/// Ascending rows as one page of at most so many bytes; `None` if they are more.
pub(super) fn alone(rows: &[RowRef<'_>], bytes_max: usize) -> Option<Vec<u8>> {
    let room = bytes_of(rows);
    if room > bytes_max {
        return None;
    }
    let mut page = Writer::new(room);
    for (key, value) in rows {
        page.push(key, value);
    }
    Some(page.done())
}

/// The most bytes that rows take in a page.
fn bytes_of(rows: &[RowRef<'_>]) -> usize {
    rows.iter().fold(0usize, |sum, row| sum.saturating_add(bytes(*row)))
}

/// The most bytes that a row takes in a page.
fn bytes((key, value): RowRef<'_>) -> usize {
    key.len().saturating_add(value.len()).saturating_add(ROW_FRAME_BYTES)
}

/// Writes a page, row by row.
pub(super) struct Writer {
    bytes: Vec<u8>,
    before: Vec<u8>,
}

impl Writer {
    /// A page that will have about so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { bytes: Vec::with_capacity(room), before: Vec::new() }
    }

    /// Adds a row behind the last one.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        let pairs = self.before.iter().zip(key).take(usize::from(u8::MAX));
        let shared = pairs.take_while(|(a, b)| a == b).count();
        let own = key.get(shared..).unwrap_or_default();
        self.bytes.push(u8::try_from(shared).unwrap_or(u8::MAX));
        push_length(&mut self.bytes, own.len());
        push_length(&mut self.bytes, value.len());
        self.bytes.extend_from_slice(own);
        self.bytes.extend_from_slice(value);
        self.before.truncate(shared);
        self.before.extend_from_slice(own);
    }

    /// The page.
    pub(super) fn done(self) -> Vec<u8> {
        self.bytes
    }
}

fn push_length(page: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    loop {
        let byte = u8::try_from(rest & 0x7F).unwrap_or(0);
        rest >>= 7;
        if rest == 0 {
            page.push(byte);
            return;
        }
        page.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ROW_KEY_BYTES_MAX, ROW_VALUE_BYTES_MAX};

    fn pages(rows: &[Row]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows: Vec<RowRef<'_>> =
            rows.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
        super::pages(&rows).into_iter().map(|(first, page)| (first.to_vec(), page)).collect()
    }

    fn row(number: u32, length: usize) -> Row {
        (
            [b"table/".as_slice(), &number.to_be_bytes()].concat(),
            vec![u8::try_from(number % 251).unwrap(); length],
        )
    }

    #[test]
    fn rows_come_back_whatever_their_lengths() {
        let lengths = [0, 1, 127, 128, 300, 16_383, 16_384, ROW_VALUE_BYTES_MAX];
        let rows: Vec<Row> = (0..).zip(lengths).map(|(number, length)| row(number, length)).collect();
        let pages = pages(&rows);
        let read: Vec<Row> = pages.iter().flat_map(|(_, page)| super::rows(page).unwrap()).collect();
        assert_eq!(read, rows);
        for (first, page) in &pages {
            assert_eq!(super::rows(page).unwrap()[0].0, *first);
            for (key, value) in super::rows(page).unwrap() {
                assert_eq!(find(page, &key).unwrap(), Some(value));
            }
        }
        assert_eq!(find(&pages[0].1, b"table").unwrap(), None);
        assert_eq!(find(&pages[0].1, b"zzz").unwrap(), None);
    }

    #[test]
    fn a_page_is_cut_when_it_is_too_large_and_not_before() {
        let each = PAGE_BYTES_MAX / 8 - 11 - ROW_FRAME_BYTES;
        let eight: Vec<Row> = (0..8).map(|number| row(number, each)).collect();
        assert_eq!(pages(&eight).len(), 1);
        let nine: Vec<Row> = (0..9).map(|number| row(number, each)).collect();
        assert_eq!(pages(&nine).len(), 2);
    }

    #[test]
    fn the_largest_row_is_one_page() {
        let key = vec![1; ROW_KEY_BYTES_MAX];
        let rows = [(key.clone(), vec![2; ROW_VALUE_BYTES_MAX]), (vec![3], vec![4])];
        let pages = pages(&rows);
        assert_eq!(pages.len(), 2);
        assert_eq!(find(&pages[0].1, &key).unwrap().unwrap().len(), ROW_VALUE_BYTES_MAX);
    }

    #[test]
    fn keys_share_up_to_255_bytes() {
        let rows: Vec<Row> = (0..4u8).map(|last| ([vec![9; 255], vec![last]].concat(), vec![last])).collect();
        let pages = pages(&rows);
        assert_eq!(super::rows(&pages[0].1).unwrap(), rows);
    }

    #[test]
    fn a_page_that_is_cut_off_is_not_taken() {
        let rows = [row(1, 200), row(2, 3)];
        let page = &pages(&rows)[0].1;
        let ends: Vec<usize> = (1..page.len()).filter(|end| super::rows(&page[..*end]).is_ok()).collect();
        // Between two rows it is a shorter page; the frame around it knows its length.
        assert_eq!(ends.len(), 1);
        assert!(super::rows(&[1, 0, 0]).is_err());
        assert!(super::rows(&[0, 0x80, 0x80, 0x80, 1]).is_err());
    }
}
