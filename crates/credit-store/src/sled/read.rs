//! Reads members of blocks, and single values.

use super::blocks::Blocks;
use super::engine::failed;
use super::key;
use super::memory::{Memory, RecentBlock};
use super::pack::{BLOCK_ENTRIES_MAX, Packed, Reader};
use super::stored::Stored;
use super::value::{corrupt, unframe};
use crate::StoreError;
use std::ops::Range;

/// A table of blocks, and what its values are called in errors.
#[derive(Clone, Copy)]
pub(super) struct Table {
    name: u8,
    what: &'static str,
}

/// Packed entries.
pub(super) const ENTRIES: Table = Table { name: key::ENTRIES, what: "block of entries" };
/// Packed sealed items.
pub(super) const BODIES: Table = Table { name: key::BODIES, what: "block of sealed items" };

/// A block as it was found.
enum Block {
    Recent(RecentBlock),
    InFile(Stored),
}

impl Block {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Recent(block) => block.bytes(),
            Self::InFile(stored) => stored.bytes(),
        }
    }
}

/// Where blocks are: in memory, or in the file.
#[derive(Clone, Copy)]
pub(super) struct Log<'a> {
    pub(super) memory: &'a Memory,
    pub(super) blocks: &'a Blocks,
}

impl Log<'_> {
    /// The members in `range` below `size`, until the next would be more than `bytes_max`; the first always.
    pub(super) fn members<T: Packed>(
        self,
        table: Table,
        size: u64,
        range: Range<u64>,
        bytes_max: usize,
    ) -> Result<Vec<T>, StoreError> {
        let end = range.end.min(size);
        let mut page: Vec<T> = Vec::new();
        let mut bytes: usize = 0;
        let mut next = range.start;
        while next < end {
            let (first, block) = self.block(table, next)?;
            let (mut reader, count) = open_block(table, first, block.bytes())?;
            let wrong = |detail| corrupt(table.what, &key::block(table.name, first, 0), detail);
            let after = first.saturating_add(u64::from(count));
            if after <= next {
                return Err(corrupt(
                    table.what,
                    &key::block(table.name, next, 0),
                    "no block holds this index",
                ));
            }
            for index in first..after.min(end) {
                if index < next {
                    T::skip(&mut reader).ok_or_else(|| wrong("it is cut off"))?;
                    continue;
                }
                let member = T::unpack(&mut reader).ok_or_else(|| wrong("it is cut off"))?;
                bytes = bytes.saturating_add(member.bytes());
                if bytes > bytes_max && !page.is_empty() {
                    return Ok(page);
                }
                page.push(member);
            }
            if after <= end && !reader.is_at_end() {
                return Err(wrong("it has bytes left over"));
            }
            next = after;
        }
        Ok(page)
    }

    /// The block that holds an entry, with its first index. Memory before the file: what leaves it meanwhile is there by then.
    fn block(self, table: Table, index: u64) -> Result<(u64, Block), StoreError> {
        if let Some((first, block)) = self.memory.block(table.name, index) {
            return Ok((first, Block::Recent(block)));
        }
        let (first, stored) = self.blocks.block(table.name, table.what, index)?;
        Ok((first, Block::InFile(stored)))
    }
}

fn open_block(table: Table, first: u64, block: &[u8]) -> Result<(Reader<'_>, u16), StoreError> {
    let mut reader = Reader::new(block);
    match (reader.count(), reader.count()) {
        (Some(1), Some(count @ 1..)) if usize::from(count) <= BLOCK_ENTRIES_MAX => Ok((reader, count)),
        _ => Err(corrupt(table.what, &key::block(table.name, first, 0), "its counts are out of range")),
    }
}

/// The payload of one value of the engine.
pub(super) fn payload(
    db: &::sled::Db,
    what: &'static str,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let value = db.get(key).map_err(|cause| failed("read a value", cause))?;
    value.map(|value| unframe(what, key, &value).map(<[u8]>::to_vec)).transpose()
}
