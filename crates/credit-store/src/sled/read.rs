//! Reads members of blocks, and single values.

use super::engine::failed;
use super::key;
use super::pack::{BLOCK_ENTRIES_MAX, Packed, Reader};
use super::value::{corrupt, unframe, unframed};
use crate::StoreError;
use std::ops::Range;

/// A table of blocks, and what its values are called in errors.
#[derive(Clone, Copy)]
pub(super) struct Table {
    prefix: u8,
    what: &'static str,
}

/// Packed entries.
pub(super) const ENTRIES: Table = Table { prefix: key::ENTRIES, what: "block of entries" };
/// Packed sealed items.
pub(super) const BODIES: Table = Table { prefix: key::BODIES, what: "block of sealed items" };

/// The members in `range` below `size`, until the next would be more than `bytes_max`; the first always.
pub(super) fn members<T: Packed>(
    db: &::sled::Db,
    table: Table,
    size: u64,
    range: Range<u64>,
    bytes_max: usize,
) -> Result<Vec<T>, StoreError> {
    let end = range.end.min(size);
    let mut page: Vec<T> = Vec::new();
    let mut bytes: usize = 0;
    let mut next = range.start;
    let mut first = if next < end { block_before(db, table, next)? } else { next };
    while next < end {
        let block = block(db, table, first)?;
        let (mut reader, count) = open_block(table, first, block.bytes())?;
        let after = first.saturating_add(u64::from(count));
        if after <= next {
            return Err(corrupt(table.what, &key::block(table.prefix, next, 0), "no block holds this index"));
        }
        for index in first..after.min(end) {
            let cut_off = || corrupt(table.what, &key::block(table.prefix, first, 0), "it is cut off");
            if index < next {
                T::skip(&mut reader).ok_or_else(cut_off)?;
                continue;
            }
            let member = T::unpack(&mut reader).ok_or_else(cut_off)?;
            bytes = bytes.saturating_add(member.bytes());
            if bytes > bytes_max && !page.is_empty() {
                return Ok(page);
            }
            page.push(member);
        }
        if after <= end && !reader.is_at_end() {
            return Err(corrupt(table.what, &key::block(table.prefix, first, 0), "it has bytes left over"));
        }
        next = after;
        first = after;
    }
    Ok(page)
}

/// The first index of the block with the greatest key not above `index`.
fn block_before(db: &::sled::Db, table: Table, index: u64) -> Result<u64, StoreError> {
    let last_piece = key::block(table.prefix, index, u16::MAX);
    let found = db.range(key::block(table.prefix, 0, 0)..=last_piece).next_back();
    let found = found.transpose().map_err(|cause| failed("look for a block", cause))?;
    found
        .and_then(|(key, _)| key::block_first(&key))
        .ok_or_else(|| corrupt(table.what, &key::block(table.prefix, index, 0), "no block holds this index"))
}

/// A block as it was read: most have one piece, which need not be copied.
enum Block {
    /// With its frame, which has been checked.
    One(::sled::IVec),
    Joined(Vec<u8>),
}

impl Block {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::One(framed) => unframed(framed),
            Self::Joined(bytes) => bytes,
        }
    }
}

/// The bytes of a block, its pieces joined.
fn block(db: &::sled::Db, table: Table, first: u64) -> Result<Block, StoreError> {
    let piece = |number| {
        let key = key::block(table.prefix, first, number);
        let value = db.get(&key).map_err(|cause| failed("read a value", cause))?;
        let value = value.ok_or_else(|| corrupt(table.what, &key, "it is missing"))?;
        unframe(table.what, &key, &value)?;
        Ok::<_, StoreError>(value)
    };
    let first_piece = piece(0)?;
    let pieces = Reader::new(unframed(&first_piece)).count().unwrap_or(0);
    if pieces <= 1 {
        return Ok(Block::One(first_piece));
    }
    let mut joined = unframed(&first_piece).to_vec();
    for number in 1..pieces {
        joined.extend_from_slice(unframed(&piece(number)?));
    }
    Ok(Block::Joined(joined))
}

fn open_block(table: Table, first: u64, block: &[u8]) -> Result<(Reader<'_>, u16), StoreError> {
    let mut reader = Reader::new(block);
    match (reader.count(), reader.count()) {
        (Some(1..), Some(count @ 1..)) if usize::from(count) <= BLOCK_ENTRIES_MAX => Ok((reader, count)),
        _ => Err(corrupt(table.what, &key::block(table.prefix, first, 0), "its counts are out of range")),
    }
}

/// The payload of one value.
pub(super) fn payload(
    db: &::sled::Db,
    what: &'static str,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let value = db.get(key).map_err(|cause| failed("read a value", cause))?;
    value.map(|value| unframe(what, key, &value).map(<[u8]>::to_vec)).transpose()
}
