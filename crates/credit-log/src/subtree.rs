//! Proofs about a part of a tree (draft-ietf-plants-merkle-tree-certs, section 4): the leaves from `start` to before
//! `end`, where `start` is a multiple of the smallest power of two that the part fits into.

use crate::hash::{Hash, empty_root, node_hash};
use crate::inclusion;
use crate::proof::ProofError;

/// A part of a tree that has a hash of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtree {
    start: u64,
    end: u64,
}

impl Subtree {
    /// The leaves from `start` to before `end`; `None` where they are no subtree. An empty one may stand anywhere.
    pub fn new(start: u64, end: u64) -> Option<Self> {
        let width = end.checked_sub(start)?.checked_next_power_of_two()?;
        (start == end || start.is_multiple_of(width)).then_some(Self { start, end })
    }

    fn leaves(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Checks that a leaf hash stands at `index` of the whole tree in the subtree with this root.
    pub fn verify_inclusion(
        self,
        leaf_hash: &Hash,
        index: u64,
        proof: &[Hash],
        root: &Hash,
    ) -> Result<(), ProofError> {
        let size = self.leaves();
        let place = index.checked_sub(self.start).ok_or(ProofError::Index { index, size })?;
        inclusion::verify(leaf_hash, place, size, proof, root)
    }

    /// Checks that the subtree with root `own_root` is part of the tree of `size` leaves with root `root`. An empty
    /// subtree is part of every tree, so that nothing is said about `root`.
    pub fn verify_consistency(
        self,
        size: u64,
        proof: &[Hash],
        own_root: &Hash,
        root: &Hash,
    ) -> Result<(), ProofError> {
        let length = |want| ProofError::Length { want, have: proof.len() as u64 };
        let (Some(last), Some(end)) = (self.end.checked_sub(1), size.checked_sub(1)) else {
            return self.verify_empty(size, proof, own_root);
        };
        if self.start == self.end || self.end > size {
            return self.verify_empty(size, proof, own_root);
        }
        let mut way = Way { first: self.start, last, end };
        while way.first != way.last && (last == end || way.last & 1 == 1) {
            way.up();
        }
        let (seed, rest) = if way.first == way.last {
            (own_root, proof)
        } else {
            proof.split_first().ok_or_else(|| length(1))?
        };
        let (mut own, mut whole) = (*seed, *seed);
        for hash in rest {
            if way.end == 0 {
                return Err(length((proof.len() as u64).saturating_sub(1)));
            }
            if way.last & 1 == 1 || way.last == way.end {
                if way.first < way.last {
                    own = node_hash(hash, &own);
                }
                whole = node_hash(hash, &whole);
                while way.last & 1 == 0 {
                    way.up();
                }
            } else {
                whole = node_hash(&whole, hash);
            }
            way.up();
        }
        if way.end != 0 {
            return Err(length((proof.len() as u64).saturating_add(1)));
        }
        if own != *own_root {
            return Err(ProofError::OldRoot);
        }
        if whole == *root { Ok(()) } else { Err(ProofError::Root) }
    }

    fn verify_empty(self, size: u64, proof: &[Hash], own_root: &Hash) -> Result<(), ProofError> {
        if self.end > size || self.start != self.end {
            return Err(ProofError::Sizes { old: self.end, new: size });
        }
        if !proof.is_empty() {
            return Err(ProofError::Length { want: 0, have: proof.len() as u64 });
        }
        if *own_root == empty_root() { Ok(()) } else { Err(ProofError::OldRoot) }
    }
}

/// The positions of the subtree's first and last leaf and of the tree's last leaf, level by level upwards.
struct Way {
    first: u64,
    last: u64,
    end: u64,
}

impl Way {
    fn up(&mut self) {
        self.first >>= 1;
        self.last >>= 1;
        self.end >>= 1;
    }
}
