//! The verifier's own tree: leaves and heads are never taken from the bank.

use std::collections::BTreeMap;

use credit_ledger::HeadRow;
use credit_log::Hash;
use credit_log::tile::{TILE_WIDTH, TileEdge};
use credit_log::tree::{ReadError, Tiles, root_at};
use credit_types::Digest;

use crate::column::Column;
use crate::scratch::{Memory, ScratchError};

/// Roots at older sizes that are kept: many statements name the same few as their anchors.
const HEADS_KEPT: usize = 1_024;

/// The tree over all entries so far, and the time of each.
pub(crate) struct Tree {
    edge: TileEdge,
    full: FullTiles,
    /// When each entry was recorded, as far as its core is known.
    times: Column<8>,
    times_known: u64,
    last_time: Option<i64>,
    first_leaf: Option<Hash>,
    heads: BTreeMap<u64, Digest>,
}

/// The hashes of full tiles, a list for each level.
struct FullTiles {
    memory: Memory,
    levels: Vec<Column<32>>,
}

impl Tiles for FullTiles {
    type Error = ScratchError;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, ScratchError> {
        let Some(column) = self.levels.get(usize::from(level)) else { return Ok(Vec::new()) };
        column.range(index.saturating_mul(u64::from(TILE_WIDTH)), usize::from(TILE_WIDTH))
    }
}

impl Tree {
    /// The empty tree; it takes about a sixteenth of the memory.
    pub(crate) fn new(memory: &Memory) -> Self {
        Self {
            edge: TileEdge::new(),
            full: FullTiles { memory: memory.clone(), levels: Vec::new() },
            times: Column::new(memory, memory.share(128)),
            times_known: 0,
            last_time: None,
            first_leaf: None,
            heads: BTreeMap::new(),
        }
    }

    /// Another tree with the same entries; `None` once parts are in files.
    pub(crate) fn fork(&self) -> Option<Self> {
        let Self { edge, full, times, times_known, last_time, first_leaf, heads } = self;
        let levels = full.levels.iter().map(Column::fork).collect::<Option<_>>()?;
        Some(Self {
            edge: edge.clone(),
            full: FullTiles { memory: full.memory.clone(), levels },
            times: times.fork()?,
            times_known: *times_known,
            last_time: *last_time,
            first_leaf: *first_leaf,
            heads: heads.clone(),
        })
    }

    /// Adds an entry by its leaf hash; `None` for the time of one whose format isn't known.
    pub(crate) fn append(&mut self, leaf: Hash, recorded_at_us: Option<i64>) -> Result<(), ScratchError> {
        for tile in self.edge.append(leaf) {
            while self.full.levels.len() <= usize::from(tile.level) {
                // Each level is a 256th of the one below: the lowest gets what there is.
                let bytes = self.full.memory.share(if self.full.levels.is_empty() { 32 } else { 1_024 });
                self.full.levels.push(Column::new(&self.full.memory, bytes));
            }
            let Some(column) = self.full.levels.get_mut(usize::from(tile.level)) else { continue };
            for hash in tile.hashes {
                column.push(hash)?;
            }
        }
        if let Some(time) = recorded_at_us {
            self.times.push(time.to_be_bytes())?;
            self.times_known = self.times_known.saturating_add(1);
        }
        self.last_time = recorded_at_us.or(self.last_time);
        self.first_leaf = self.first_leaf.or(Some(leaf));
        Ok(())
    }

    /// Count of entries.
    pub(crate) fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root over all entries.
    pub(crate) fn root(&self) -> Digest {
        Digest(self.edge.root())
    }

    /// The root over the first `size` entries; `None` where there are fewer.
    pub(crate) fn root_at(&self, size: u64) -> Result<Option<Digest>, ScratchError> {
        if size > self.size() {
            return Ok(None);
        }
        if size == self.size() {
            return Ok(Some(self.root()));
        }
        match root_at(&self.edge.over(&self.full), size) {
            Ok(root) => Ok(Some(Digest(root))),
            Err(ReadError::Tile { cause, .. }) => Err(cause),
            Err(ReadError::Short { .. } | ReadError::OutOfRange(_)) => Ok(None),
        }
    }

    /// The leaf hash of entry 0.
    pub(crate) fn first_leaf(&self) -> Option<Digest> {
        self.first_leaf.map(Digest)
    }

    /// The leaf hash of an entry.
    pub(crate) fn leaf(&self, index: u64) -> Result<Option<Digest>, ScratchError> {
        let width = u64::from(TILE_WIDTH);
        let filed = self.size().saturating_sub(self.size().checked_rem(width).unwrap_or(0));
        if index >= filed {
            let place = usize::try_from(index.saturating_sub(filed)).unwrap_or(usize::MAX);
            return Ok(self.edge.edge().first().and_then(|leaves| leaves.get(place)).copied().map(Digest));
        }
        let Some(column) = self.full.levels.first() else { return Ok(None) };
        Ok(column.get(index)?.map(Digest))
    }

    /// The head at a size from 1 on.
    pub(crate) fn head(&mut self, size: u64) -> Result<Option<HeadRow>, ScratchError> {
        let Some(last) = size.checked_sub(1) else { return Ok(None) };
        let Some(recorded_at_us) = self.time(last)? else { return Ok(None) };
        if let Some(root) = self.heads.get(&size) {
            return Ok(Some(HeadRow { root: *root, recorded_at_us }));
        }
        let Some(root) = self.root_at(size)? else { return Ok(None) };
        if self.heads.len() >= HEADS_KEPT {
            self.heads.pop_first();
        }
        self.heads.insert(size, root);
        Ok(Some(HeadRow { root, recorded_at_us }))
    }

    /// When an entry was recorded.
    pub(crate) fn time(&self, index: u64) -> Result<Option<i64>, ScratchError> {
        Ok(self.times.get(index)?.map(i64::from_be_bytes))
    }

    /// When the last entry was recorded whose core is known.
    pub(crate) fn last_time(&self) -> Option<i64> {
        // Times are in order only as long as each entry has one.
        self.last_time.filter(|_| self.times_known == self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::InMemory;
    use credit_log::hash;
    use credit_log::tree::root_of;
    use std::sync::Arc;

    #[test]
    fn every_leaf_and_head_is_there_beyond_a_full_tile() {
        let cores: Vec<Vec<u8>> = (0..600u16).map(|n| n.to_be_bytes().to_vec()).collect();
        let leaves: Vec<Hash> = cores.iter().map(|core| hash::leaf_hash(core)).collect();
        for memory in [Memory::default(), Memory::bounded(0, Arc::new(InMemory))] {
            let mut tree = Tree::new(&memory);
            assert_eq!(tree.root_at(0).unwrap(), Some(Digest(hash::empty_root())));
            for (time, leaf) in (0i64..).zip(&leaves) {
                tree.append(*leaf, Some(time)).unwrap();
            }
            for at in [1, 2, 255, 256, 257, 511, 512, 599, 600usize] {
                let size = at as u64;
                let root = Digest(root_of(&leaves[..at]));
                assert_eq!(tree.root_at(size).unwrap(), Some(root), "{at}");
                let head = tree.head(size).unwrap().unwrap();
                assert_eq!((head.root, head.recorded_at_us), (root, i64::try_from(at).unwrap() - 1));
                assert_eq!(tree.head(size).unwrap(), Some(head));
                assert_eq!(tree.leaf(size - 1).unwrap(), Some(Digest(leaves[at - 1])));
            }
            assert_eq!((tree.root_at(601).unwrap(), tree.leaf(600).unwrap()), (None, None));
            assert!(tree.head(601).unwrap().is_none() && tree.head(0).unwrap().is_none());
            assert_eq!(tree.root(), Digest(root_of(&leaves)));
            assert_eq!(tree.first_leaf(), Some(Digest(leaves[0])));
        }
    }
}
