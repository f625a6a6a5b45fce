//! The Merkle tree of RFC 6962 over leaf hashes: compact, whole in memory, or read from tiles.

mod read;
mod shape;

pub use read::{ReadError, Tiles, node, root_at};
pub(crate) use read::{Reader, fold};
pub(crate) use shape::{Node, Path, above};

use crate::hash::{Hash, empty_root, node_hash};
use crate::proof::OutOfRange;

/// The most leaves a tree has: 2^63 − 1, so that no proof is longer than [`PATH_HASHES_MAX`] (C2SP).
pub const SIZE_MAX: u64 = u64::MAX >> 1;

/// The most hashes an inclusion path has.
pub const PATH_HASHES_MAX: usize = 63;

const _: () = assert!(SIZE_MAX.count_ones() as usize == PATH_HASHES_MAX);

/// The parts do not form the right edge of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// The tree would be larger than [`SIZE_MAX`].
    #[error("a tree of {size} leaves is beyond the maximum")]
    Size {
        /// The size asked for.
        size: u64,
    },
    /// The count of hashes is not the one that this size has.
    #[error("a tree of {size} leaves has {want} hashes there, not {have}")]
    Hashes {
        /// The size asked for.
        size: u64,
        /// The count that belongs there.
        want: usize,
        /// The count given.
        have: usize,
    },
}

/// The compact form of a tree: the roots of its complete subtrees, largest first. Appending and the root
/// cost as many hashes as the size has bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of `size` leaves from what [`Frontier::hashes`] gave: one hash per set bit of the size.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, PartsError> {
        if size > SIZE_MAX {
            return Err(PartsError::Size { size });
        }
        let want = shape::peaks(size).len();
        if hashes.len() != want {
            return Err(PartsError::Hashes { size, want, have: hashes.len() });
        }
        Ok(Self { size, hashes })
    }

    /// Adds a leaf by its leaf hash.
    ///
    /// A tree of [`SIZE_MAX`] leaves cannot grow; no log lives long enough to get there by counting.
    pub fn append(&mut self, leaf: Hash) {
        assert!(self.size < SIZE_MAX, "the tree is full");
        let mut top = leaf;
        // Each trailing one bit is a complete subtree that the new leaf completes to the next larger one.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.hashes.pop() else { break };
            top = node_hash(&left, &top);
        }
        self.hashes.push(top);
        self.size = self.size.saturating_add(1);
    }

    /// The count of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over all leaves; of no leaves, the empty root.
    pub fn root(&self) -> Hash {
        bag(&self.hashes).unwrap_or_else(empty_root)
    }

    /// The roots of the complete subtrees, largest first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
}

/// The root over leaf hashes.
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

/// Joins complete subtrees, given from left to right, into one hash; `None` of none.
pub(crate) fn bag(peaks: &[Hash]) -> Option<Hash> {
    let (last, rest) = peaks.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// All complete nodes of a tree in memory: for trees that are built once and proved often.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    levels: Vec<Vec<Hash>>,
}

impl Levels {
    /// Hashes the tree over `leaves`.
    pub(crate) fn of(leaves: &[Hash]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while let Some(below) = levels.last()
            && below.len() >= 2
        {
            let above = below
                .chunks_exact(2)
                .filter_map(|pair| <&[Hash; 2]>::try_from(pair).ok())
                .map(|[left, right]| node_hash(left, right))
                .collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// The count of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The root over all leaves.
    pub(crate) fn root(&self) -> Hash {
        let peaks: Vec<Hash> = shape::peaks(self.size()).iter().filter_map(|peak| self.node(*peak)).collect();
        bag(&peaks).unwrap_or_else(empty_root)
    }

    /// The inclusion path of leaf `index`.
    pub(crate) fn path(&self, index: u64) -> Result<Vec<Hash>, OutOfRange> {
        let refusal = OutOfRange { index, size: self.size() };
        let path = Path::of(Node { level: 0, index }, self.size()).ok_or(refusal)?;
        path.hashes(|node| self.node(node).ok_or(refusal))
    }

    fn node(&self, node: Node) -> Option<Hash> {
        self.levels.get(usize::from(node.level))?.get(usize::try_from(node.index).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frontier_is_restored_from_its_parts_and_from_nothing_else() {
        let mut frontier = Frontier::new();
        for n in 0..100u8 {
            let same = Frontier::from_parts(frontier.size(), frontier.hashes().to_vec());
            assert_eq!(same.as_ref(), Ok(&frontier));
            let mut longer = frontier.hashes().to_vec();
            longer.push([n; 32]);
            assert!(matches!(Frontier::from_parts(frontier.size(), longer), Err(PartsError::Hashes { .. })));
            frontier.append([n; 32]);
        }
    }

    #[test]
    fn a_frontier_reaches_its_maximum_and_not_beyond() {
        assert!(Frontier::from_parts(SIZE_MAX, vec![[0; 32]; PATH_HASHES_MAX]).is_ok());
        let beyond = SIZE_MAX.checked_add(1).unwrap();
        assert_eq!(Frontier::from_parts(beyond, vec![[0; 32]]), Err(PartsError::Size { size: beyond }));
    }

    #[test]
    fn all_nodes_and_the_frontier_have_one_root() {
        let leaves: Vec<Hash> = (0..200u8).map(|n| [n; 32]).collect();
        for n in 0..leaves.len() {
            assert_eq!(Levels::of(&leaves[..n]).root(), root_of(&leaves[..n]));
        }
    }
}
