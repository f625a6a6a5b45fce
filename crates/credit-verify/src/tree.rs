//! The verifier's own tree: leaves and heads are never taken from the bank.

use std::collections::BTreeMap;
use std::convert::Infallible;

use credit_ledger::HeadRow;
use credit_log::tile::TileEdge;
use credit_log::tree::{Tiles, node, root_at};
use credit_log::{Hash, hash};
use credit_types::Digest;

/// The tree over all entries so far, and the time of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    edge: TileEdge,
    full: FullTiles,
    /// When each entry was recorded, as far as its core is known.
    times: Vec<i64>,
}

#[derive(Debug, Clone, Default)]
struct FullTiles(BTreeMap<(u8, u64), Vec<Hash>>);

impl Tiles for FullTiles {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, Infallible> {
        Ok(self.0.get(&(level, index)).cloned().unwrap_or_default())
    }
}

impl Tree {
    /// Adds an entry by its core; `None` for the time of one whose format isn't known.
    pub(crate) fn append(&mut self, core: &[u8], recorded_at_us: Option<i64>) {
        for tile in self.edge.append(hash::leaf_hash(core)) {
            self.full.0.insert((tile.level, tile.index), tile.hashes);
        }
        self.times.extend(recorded_at_us);
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
    pub(crate) fn root_at(&self, size: u64) -> Option<Digest> {
        if size > self.size() {
            return None;
        }
        root_at(&self.edge.over(&self.full), size).ok().map(Digest)
    }

    /// The leaf hash of an entry.
    pub(crate) fn leaf(&self, index: u64) -> Option<Digest> {
        if index >= self.size() {
            return None;
        }
        node(&self.edge.over(&self.full), 0, index).ok().map(Digest)
    }

    /// The head at a size from 1 on.
    pub(crate) fn head(&self, size: u64) -> Option<HeadRow> {
        let recorded_at_us = self.time(size.checked_sub(1)?)?;
        Some(HeadRow { root: self.root_at(size)?, recorded_at_us })
    }

    /// When an entry was recorded.
    pub(crate) fn time(&self, index: u64) -> Option<i64> {
        self.times.get(usize::try_from(index).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::tree::root_of;

    #[test]
    fn every_leaf_and_head_is_there_beyond_a_full_tile() {
        let cores: Vec<Vec<u8>> = (0..600u16).map(|n| n.to_be_bytes().to_vec()).collect();
        let leaves: Vec<Hash> = cores.iter().map(|core| hash::leaf_hash(core)).collect();
        let mut tree = Tree::default();
        assert_eq!(tree.root_at(0), Some(Digest(hash::empty_root())));
        for (time, core) in (0i64..).zip(&cores) {
            tree.append(core, Some(time));
        }
        for at in [1, 2, 255, 256, 257, 511, 512, 599, 600usize] {
            let size = at as u64;
            let root = Digest(root_of(&leaves[..at]));
            assert_eq!(tree.root_at(size), Some(root), "{at}");
            let head = tree.head(size).unwrap();
            assert_eq!((head.root, head.recorded_at_us), (root, i64::try_from(at).unwrap() - 1));
            assert_eq!(tree.leaf(size - 1), Some(Digest(leaves[at - 1])));
        }
        assert_eq!((tree.root_at(601), tree.leaf(600)), (None, None));
        assert!(tree.head(601).is_none() && tree.head(0).is_none());
        assert_eq!(tree.root(), Digest(root_of(&leaves)));
    }
}
