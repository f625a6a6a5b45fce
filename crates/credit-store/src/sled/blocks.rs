//! Blocks and tiles that have settled, one behind the other in a file that only grows; the engine knows where they stand.
//! Of each stretch of 256 entries it has one value, with the places of all blocks that hold one of them.

use super::commit::TileName;
use super::engine::{Engine, failed};
use super::file::{DataFile, Place};
use super::key;
use super::memory::Recent;
use super::pack;
use super::stored::{self, Stored};
use super::value::{corrupt, frame, unframe};
use crate::StoreError;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The file's name.
pub(super) const NAME: &str = "blocks";
/// The entries of a stretch.
const STRETCH: u64 = 256;
/// The bytes that are written at once.
const WRITE_BYTES: usize = 1 << 20;
/// The values of the engine that change in one step: while it takes a step in, nobody else can write or read.
const STEP_VALUES: usize = 512;
/// The bytes of a pointer: the table, the first index, the place.
const POINTER_BYTES: usize = 9 + Place::BYTES;

/// The blocks of a store.
pub(super) struct Blocks {
    file: DataFile,
    engine: Arc<Engine>,
}

/// Where a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pointer {
    table: u8,
    first: u64,
    place: Place,
}

/// Where blocks and tiles stand that were just written.
pub(super) struct Written {
    stretches: BTreeMap<u64, Vec<Pointer>>,
    tiles: Vec<(TileName, Place)>,
    /// Behind the last of them.
    pub(super) end: u64,
}

/// Bytes that gather until it is worth to write them.
struct Tail<'a> {
    file: &'a DataFile,
    bytes: Vec<u8>,
    end: u64,
}

impl Tail<'_> {
    fn push(&mut self, framed: &[u8]) -> Result<Place, StoreError> {
        let length = u32::try_from(framed.len()).unwrap_or(u32::MAX);
        let place = Place { offset: self.end, length };
        self.bytes.extend_from_slice(framed);
        self.end = place.end();
        if self.bytes.len() >= WRITE_BYTES {
            self.write()?;
        }
        Ok(place)
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let begin = self.end.saturating_sub(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX));
        self.file.write(begin, &self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}

impl Blocks {
    pub(super) fn new(file: DataFile, engine: Arc<Engine>) -> Self {
        Self { file, engine }
    }

    /// Writes blocks and tiles behind `end`. Nobody finds them before [`Blocks::point`].
    pub(super) fn write(&self, recent: &Recent, end: u64) -> Result<Written, StoreError> {
        let table = |table: u8| {
            let blocks = recent.blocks.range((table, 0)..=(table, u64::MAX));
            pack::joined(blocks.map(|((_, first), block)| (*first, block.count, block.bytes())))
        };
        let blocks = [key::ENTRIES, key::BODIES].map(|name| (name, table(name)));
        let blocks =
            blocks.iter().flat_map(|(table, blocks)| blocks.iter().map(move |block| (*table, block)));
        let tiles = recent.tiles.iter().map(|(name, hashes)| (*name, hashes.as_flattened()));
        self.write_all(
            blocks.map(|(table, block)| (table, block.first, block.count, block.bytes.as_slice())),
            tiles,
            end,
        )
    }

    /// Writes blocks, named by table, first index and count, and tiles behind `end`.
    pub(super) fn write_all<'a>(
        &self,
        blocks: impl Iterator<Item = (u8, u64, u16, &'a [u8])>,
        tiles: impl Iterator<Item = (TileName, &'a [u8])>,
        end: u64,
    ) -> Result<Written, StoreError> {
        let mut tail = Tail { file: &self.file, bytes: Vec::new(), end };
        let mut written = Written { stretches: BTreeMap::new(), tiles: Vec::new(), end };
        for (table, first, count, bytes) in blocks {
            let place = tail.push(&stored::close(&key::block(table, first, 0), bytes))?;
            let last = first.saturating_add(u64::from(count).saturating_sub(1));
            for stretch in first / STRETCH..=last / STRETCH {
                written.stretches.entry(stretch).or_default().push(Pointer { table, first, place });
            }
        }
        for (name, hashes) in tiles {
            let place = tail.push(&stored::close(&key::tile(name.0, name.1), hashes))?;
            written.tiles.push((name, place));
        }
        tail.write()?;
        written.end = tail.end;
        Ok(written)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync()
    }

    /// Tells the engine where blocks and tiles stand. Of blocks from entry `settled` on it had no others that count: they
    /// are those of a settling that was cut off.
    pub(super) fn point(&self, written: Written, settled: u64) -> Result<(), StoreError> {
        let mut values: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (stretch, new) in written.stretches {
            let name = key::stretch(stretch);
            let mut pointers =
                if stretch.saturating_mul(STRETCH) < settled { self.pointers(&name)? } else { Vec::new() };
            pointers.retain(|pointer| pointer.first < settled);
            pointers.extend(new);
            let mut payload = Vec::with_capacity(pointers.len().saturating_mul(POINTER_BYTES));
            for Pointer { table, first, place } in pointers {
                payload.push(table);
                payload.extend_from_slice(&first.to_be_bytes());
                payload.extend_from_slice(&place.encoded());
            }
            let value = frame(&name, &payload);
            values.push((name, value));
        }
        for ((level, index), place) in written.tiles {
            let name = key::tile(level, index);
            let value = frame(&name, &place.encoded());
            values.push((name, value));
        }
        for step in values.chunks(STEP_VALUES) {
            let mut batch = ::sled::Batch::default();
            for (name, value) in step {
                batch.insert(name.as_slice(), value.as_slice());
            }
            self.engine.apply(batch)?;
        }
        Ok(())
    }

    /// The pointers of a stretch.
    fn pointers(&self, name: &[u8]) -> Result<Vec<Pointer>, StoreError> {
        let value = self.engine.db.get(name).map_err(|cause| failed("look for blocks", cause))?;
        let Some(value) = value else { return Ok(Vec::new()) };
        let payload = unframe("places of blocks", name, &value)?;
        let (pointers, rest) = payload.as_chunks::<POINTER_BYTES>();
        if !rest.is_empty() {
            return Err(corrupt("places of blocks", name, "it has another length"));
        }
        Ok(pointers.iter().filter_map(pointer).collect())
    }

    /// The block that holds an entry, with its first index.
    pub(super) fn block(
        &self,
        table: u8,
        what: &'static str,
        index: u64,
    ) -> Result<(u64, Stored), StoreError> {
        let pointers = self.pointers(&key::stretch(index / STRETCH))?;
        let mine = pointers.iter().filter(|pointer| pointer.table == table && pointer.first <= index);
        let Some(Pointer { table, first, place }) = mine.max_by_key(|pointer| pointer.first).copied() else {
            return Err(corrupt(what, &key::block(table, index, 0), "no block holds this index"));
        };
        Ok((first, self.stored(what, &key::block(table, first, 0), place)?))
    }

    /// A tile's hashes.
    pub(super) fn tile(&self, level: u8, index: u64) -> Result<Option<Stored>, StoreError> {
        let name = key::tile(level, index);
        let value = self.engine.db.get(&name).map_err(|cause| failed("look for a tile", cause))?;
        let Some(value) = value else { return Ok(None) };
        let place = Place::decoded(unframe("place of a tile", &name, &value)?);
        let place = place.ok_or_else(|| corrupt("place of a tile", &name, "it has another length"))?;
        self.stored("tile", &name, place).map(Some)
    }

    /// The bytes at a place.
    fn stored(&self, what: &'static str, name: &[u8], place: Place) -> Result<Stored, StoreError> {
        let bytes = self.file.read(place)?;
        let bytes = bytes.ok_or_else(|| corrupt(what, name, "the file ends before it"))?;
        Stored::open(what, name, bytes)
    }

    /// The file's length in bytes.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        self.file.length()
    }
}

fn pointer(bytes: &[u8; POINTER_BYTES]) -> Option<Pointer> {
    let (table, rest) = bytes.split_first()?;
    let (first, place) = rest.split_first_chunk()?;
    Some(Pointer { table: *table, first: u64::from_be_bytes(*first), place: Place::decoded(place)? })
}
