//! Takes over stores of earlier layouts, in which everything stood in values of the engine. Cut off, it begins again: the
//! old values go last.

use super::blocks::Blocks;
use super::changes::{Change, Changes, keyed};
use super::engine::{Engine, failed};
use super::open::{self, LAYOUT_ROWS_APART, Settled};
use super::pack::Reader;
use super::rows::Rows;
use super::value::{corrupt, unframe};
use super::{Head, key};
use crate::{StoreError, prefix_end};
use std::sync::Arc;

/// The bytes that are taken over in one step.
const STEP_BYTES: usize = 8 << 20;
/// The tables of earlier layouts.
const TABLES: [u8; 6] =
    [key::ENTRIES, key::BODIES, key::TILES_INSIDE, key::PAGES_INSIDE, key::JOURNAL_INSIDE, key::ROWS_APART];

/// A block as it was, with its table and its first index.
type OldBlock = (u8, u64, u16, Vec<u8>);
/// A tile as it was, with its level and its index.
type OldTile = ((u8, u64), Vec<u8>);

/// An earlier store on its way into files.
pub(super) struct Migration<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) blocks: &'a Blocks,
    pub(super) rows: &'a Rows,
}

impl Migration<'_> {
    /// Takes everything over; gives what has settled then.
    pub(super) fn run(&self, layout: u32, head: Head) -> Result<Settled, StoreError> {
        let blocks_end = self.log()?;
        if layout == LAYOUT_ROWS_APART {
            self.rows(key::ROWS_APART, |key, value| {
                Ok(vec![(key.get(1..).unwrap_or_default().into(), Some(value.into()))])
            })?;
        } else {
            self.rows(key::PAGES_INSIDE, |key, value| {
                let rows = super::rows::rows_of(value);
                let rows = rows.ok_or_else(|| corrupt("page of rows", key, "it is no list of rows"))?;
                Ok(rows.into_iter().map(|(key, value)| (key.into(), Some(value.into()))).collect())
            })?;
            self.rows(key::JOURNAL_INSIDE, |key, value| {
                let changes = super::commit::changes(value);
                let changes =
                    changes.ok_or_else(|| corrupt("journal of rows", key, "it is no list of changes"))?;
                Ok(changes.iter().map(keyed).collect())
            })?;
        }
        let settled = Settled { head, blocks_end, journal_from: 0 };
        open::write_settled(&self.engine.db, settled)?;
        self.engine.sync()?;
        TABLES.into_iter().try_for_each(|table| remove(self.engine, table))?;
        self.engine.sync()?;
        Ok(settled)
    }

    /// Takes blocks and tiles over; gives where the next block goes.
    fn log(&self) -> Result<u64, StoreError> {
        let (mut end, mut bytes) = (0, 0usize);
        let (mut blocks, mut tiles): (Vec<OldBlock>, Vec<OldTile>) = (Vec::new(), Vec::new());
        for table in [key::ENTRIES, key::BODIES, key::TILES_INSIDE] {
            for pair in self.engine.db.scan_prefix([table]) {
                let (name, value) =
                    pair.map_err(|cause| failed("read a value of an earlier layout", cause))?;
                let value = unframe("value of an earlier layout", &name, &value)?;
                bytes = bytes.saturating_add(value.len());
                if table == key::TILES_INSIDE {
                    tiles.push((tile(&name)?, value.to_vec()));
                } else {
                    take_piece(&mut blocks, table, &name, value)?;
                }
                if bytes >= STEP_BYTES {
                    // Only between blocks: the next piece may belong to the one before.
                    let last = blocks.pop();
                    end = self.write(&blocks, &tiles, end)?;
                    (blocks, tiles, bytes) = (last.into_iter().collect(), Vec::new(), 0);
                }
            }
        }
        self.write(&blocks, &tiles, end)
    }

    fn write(&self, blocks: &[OldBlock], tiles: &[OldTile], end: u64) -> Result<u64, StoreError> {
        let named =
            blocks.iter().map(|(table, first, count, bytes)| (*table, *first, *count, bytes.as_slice()));
        let tiles = tiles.iter().map(|(name, hashes)| (*name, hashes.as_slice()));
        let written = self.blocks.write_all(named, tiles, end)?;
        self.blocks.sync()?;
        let end = written.end;
        // Blocks of entries come first, those of sealed items later, to stretches that are known by then.
        self.blocks.point(written, u64::MAX)?;
        Ok(end)
    }

    /// Takes rows over from the values of a table.
    fn rows(
        &self,
        table: u8,
        read: impl Fn(&[u8], &[u8]) -> Result<Vec<Change>, StoreError>,
    ) -> Result<(), StoreError> {
        let (mut changes, mut bytes) = (Changes::default(), 0usize);
        for pair in self.engine.db.scan_prefix([table]) {
            let (name, value) = pair.map_err(|cause| failed("read a value of an earlier layout", cause))?;
            bytes = bytes.saturating_add(value.len());
            changes.extend(read(&name, unframe("value of an earlier layout", &name, &value)?)?);
            if bytes >= STEP_BYTES {
                self.rows.settle(&std::mem::take(&mut changes))?;
                bytes = 0;
            }
        }
        self.rows.settle(&changes).map(drop)
    }
}

/// Forgets what an earlier attempt has taken over.
pub(super) fn start_over(engine: &Engine) -> Result<(), StoreError> {
    [key::STRETCHES, key::TILES, key::PAGES].into_iter().try_for_each(|table| remove(engine, table))
}

/// Removes a table without a look at it.
fn remove(engine: &Engine, table: u8) -> Result<(), StoreError> {
    engine.remove(&(vec![table]..prefix_end(&[table])), |_, _| {})
}

/// Takes a piece of a block in: the first with its counts, or what goes on.
fn take_piece(blocks: &mut Vec<OldBlock>, table: u8, name: &[u8], piece: &[u8]) -> Result<(), StoreError> {
    let wrong = || corrupt("block of an earlier layout", name, "its pieces do not fit together");
    let first = key::block_first(name).ok_or_else(wrong)?;
    let number = name.last_chunk().map(|number| u16::from_be_bytes(*number)).ok_or_else(wrong)?;
    if number > 0 {
        let block =
            blocks.last_mut().filter(|block| (block.0, block.1) == (table, first)).ok_or_else(wrong)?;
        block.3.extend_from_slice(piece);
        return Ok(());
    }
    let mut reader = Reader::new(piece);
    let (Some(_pieces), Some(count @ 1..)) = (reader.count(), reader.count()) else { return Err(wrong()) };
    let mut bytes = piece.to_vec();
    // There are no pieces any more.
    if let Some(pieces) = bytes.first_chunk_mut() {
        *pieces = 1_u16.to_be_bytes();
    }
    blocks.push((table, first, count, bytes));
    Ok(())
}

fn tile(name: &[u8]) -> Result<(u8, u64), StoreError> {
    let level = name.get(1).copied();
    let index = name.last_chunk().map(|index| u64::from_be_bytes(*index));
    level.zip(index).ok_or_else(|| corrupt("tile", name, "its key is short"))
}

#[cfg(test)]
mod tests;
