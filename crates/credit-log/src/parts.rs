//! The parts of an entry: a tree of salted parts, opened one by one.

use crate::hash::{Hash, labelled, salted_leaf_hash};
use crate::inclusion;
use crate::proof::{OutOfRange, ProofError};
use crate::tree::{Levels, root_of};

/// The label under which an entry's secret becomes the salt of each part.
pub const PART_LABEL: &str = "creditbank/part/v1";

/// The salt of part `index` (from 0). Opening one part gives its salt away, and of the secret nothing.
pub fn salt(entry_secret: &Hash, index: u32) -> Hash {
    labelled(PART_LABEL, &[entry_secret, &index.to_be_bytes()])
}

/// The leaf hash of a part: the leaf data is salt || part.
pub fn part_leaf(salt: &Hash, part: &[u8]) -> Hash {
    salted_leaf_hash(salt, part)
}

/// The root over all parts of an entry, in their order.
pub fn parts_root<B: AsRef<[u8]>>(entry_secret: &Hash, parts: &[B]) -> Hash {
    root_of(&leaves(entry_secret, parts))
}

/// One part with all that is needed to check it against the parts root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOpening {
    /// The part's position, from 0.
    pub index: u32,
    /// The part's salt.
    pub salt: Hash,
    /// The part: its kind byte and its message.
    pub part: Vec<u8>,
    /// The inclusion path up to the parts root.
    pub path: Vec<Hash>,
}

/// Opens part `which` (from 0).
pub fn open<B: AsRef<[u8]>>(entry_secret: &Hash, parts: &[B], which: u32) -> Result<PartOpening, OutOfRange> {
    PartsTree::of(entry_secret, parts).open(which)
}

/// The tree over the parts of an entry, hashed once: for who opens several of them.
#[derive(Debug)]
pub struct PartsTree<'a, B> {
    parts: &'a [B],
    salts: Vec<Hash>,
    tree: Levels,
}

impl<'a, B: AsRef<[u8]>> PartsTree<'a, B> {
    /// Hashes the parts of an entry, in their order.
    pub fn of(entry_secret: &Hash, parts: &'a [B]) -> Self {
        let salts: Vec<Hash> = (0u32..).take(parts.len()).map(|index| salt(entry_secret, index)).collect();
        let leaves: Vec<Hash> =
            parts.iter().zip(&salts).map(|(part, salt)| part_leaf(salt, part.as_ref())).collect();
        Self { parts, salts, tree: Levels::of(&leaves) }
    }

    /// Opens part `which` (from 0).
    pub fn open(&self, which: u32) -> Result<PartOpening, OutOfRange> {
        let path = self.tree.path(u64::from(which))?;
        let out_of_range = OutOfRange { index: u64::from(which), size: self.tree.size() };
        let position = usize::try_from(which).map_err(|_| out_of_range)?;
        let part = self.parts.get(position).ok_or(out_of_range)?.as_ref().to_vec();
        let salt = self.salts.get(position).copied().ok_or(out_of_range)?;
        Ok(PartOpening { index: which, salt, part, path })
    }
}

/// Checks an opened part against the root over `count` parts.
///
/// A root alone does not fix how many leaves it has: the count is the one that the entry's head states, and
/// the head is opened and checked with that same count.
pub fn verify_opening(parts_root: &Hash, count: u32, opening: &PartOpening) -> Result<(), ProofError> {
    let leaf = part_leaf(&opening.salt, &opening.part);
    inclusion::verify(&leaf, u64::from(opening.index), u64::from(count), &opening.path, parts_root)
}

fn leaves<B: AsRef<[u8]>>(entry_secret: &Hash, parts: &[B]) -> Vec<Hash> {
    parts
        .iter()
        .zip(0u32..)
        .map(|(part, index)| part_leaf(&salt(entry_secret, index), part.as_ref()))
        .collect()
}
