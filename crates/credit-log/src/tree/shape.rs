//! Where the complete subtrees of an RFC 6962 tree lie: arithmetic only, no hashes.

use crate::hash::Hash;

/// `value >> bits`, and 0 where nothing is left.
pub(crate) fn above(value: u64, bits: u8) -> u64 {
    value.checked_shr(u32::from(bits)).unwrap_or(0)
}

/// A complete subtree of 2^level leaves, the `index`-th of its level from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) level: u8,
    pub(crate) index: u64,
}

/// The largest complete subtrees of a tree, from left to right: one per set bit of its size.
pub(crate) fn peaks(size: u64) -> Vec<Node> {
    (0..=63u8)
        .rev()
        .filter(|level| above(size, *level) & 1 == 1)
        // All bits above this one are leaves to the left; the bit itself is cleared by the xor.
        .map(|level| Node { level, index: above(size, level) ^ 1 })
        .collect()
}

/// The nodes whose hashes lead from a complete subtree to the root.
pub(crate) struct Path {
    /// Siblings inside the largest complete subtree, from below.
    inside: Vec<Node>,
    /// The peaks to the right, from left to right: they count as one hash.
    right: Vec<Node>,
    /// The peaks to the left, from right to left.
    left: Vec<Node>,
}

impl Path {
    /// The path of `node` in a tree of `size` leaves; `None` if it is not a complete subtree of that tree.
    pub(crate) fn of(node: Node, size: u64) -> Option<Self> {
        let peaks = peaks(size);
        let height = |peak: &Node| peak.level.checked_sub(node.level);
        let at = peaks
            .iter()
            .position(|peak| height(peak).is_some_and(|bits| above(node.index, bits) == peak.index))?;
        let (left, rest) = peaks.split_at_checked(at)?;
        let (peak, right) = rest.split_first()?;
        let inside = (0..height(peak)?)
            .map(|bits| Node { level: node.level.saturating_add(bits), index: above(node.index, bits) ^ 1 })
            .collect();
        Some(Self { inside, right: right.to_vec(), left: left.iter().rev().copied().collect() })
    }

    /// The hashes of the path in the order of RFC 6962: sibling first, the root's child last.
    pub(crate) fn hashes<E>(&self, mut get: impl FnMut(Node) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
        let mut hashes = Vec::new();
        for node in &self.inside {
            hashes.push(get(*node)?);
        }
        let mut right = Vec::new();
        for node in &self.right {
            right.push(get(*node)?);
        }
        hashes.extend(super::bag(&right));
        for node in &self.left {
            hashes.push(get(*node)?);
        }
        Ok(hashes)
    }
}
