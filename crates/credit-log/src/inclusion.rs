//! Proofs that a leaf is in a tree (RFC 6962 section 2.1.1).

use crate::hash::{Hash, node_hash};
use crate::proof::{OutOfRange, ProofError};
use crate::tree::{Levels, Node, Path, ReadError, Reader, Tiles, above};

/// The path of leaf `index` in the tree of the first `size` leaves, read from tiles: the leaf's sibling
/// first, the root's child last.
pub fn prove<T: Tiles + ?Sized>(tiles: &T, index: u64, size: u64) -> Result<Vec<Hash>, ReadError<T::Error>> {
    let path = Path::of(Node { level: 0, index }, size).ok_or(OutOfRange { index, size })?;
    let mut reader = Reader::new(tiles, size);
    path.hashes(|node| reader.node(node))
}

/// The path of leaf `index` in the tree over these leaf hashes.
pub fn prove_in(leaves: &[Hash], index: u64) -> Result<Vec<Hash>, OutOfRange> {
    Levels::of(leaves).path(index)
}

/// Checks that a leaf hash stands at `index` in the tree of `size` leaves with this root.
pub fn verify(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if root_from_path(leaf_hash, index, size, proof)? == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// The root to which the path leads from `hash` at `index` of `size`; the path has exactly the length that
/// this place has.
pub fn root_from_path(hash: &Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, ProofError> {
    let last = size.checked_sub(1).filter(|last| index <= *last).ok_or(ProofError::Index { index, size })?;
    let (inner, border) = lengths(index, last);
    let (inside, outside) = split(path, inner, border)?;
    Ok(up_border(up_inside(*hash, inside, index), outside))
}

/// How many hashes a path has below and above the point where the leaf's way leaves the right edge.
pub(crate) fn lengths(index: u64, last: u64) -> (u64, u64) {
    let inner = u64::from((index ^ last).checked_ilog2().map_or(0, |top| top.saturating_add(1)));
    let border = above(index, u8::try_from(inner).unwrap_or(u8::MAX)).count_ones();
    (inner, u64::from(border))
}

/// Splits a path after `inner` hashes, refusing one that does not have `inner + border`.
pub(crate) fn split(path: &[Hash], inner: u64, border: u64) -> Result<(&[Hash], &[Hash]), ProofError> {
    let want = inner.saturating_add(border);
    let have = path.len() as u64;
    let cut = usize::try_from(inner).unwrap_or(usize::MAX);
    match path.split_at_checked(cut) {
        Some(halves) if have == want => Ok(halves),
        Some(_) | None => Err(ProofError::Length { want, have }),
    }
}

/// Climbs where the way may go left or right: bit i of `index` says on which side the i-th hash stands.
pub(crate) fn up_inside(start: Hash, path: &[Hash], index: u64) -> Hash {
    path.iter().zip(0u8..).fold(start, |hash, (sibling, bit)| {
        if above(index, bit) & 1 == 0 { node_hash(&hash, sibling) } else { node_hash(sibling, &hash) }
    })
}

/// Climbs along the right edge: every hash stands on the left.
pub(crate) fn up_border(start: Hash, path: &[Hash]) -> Hash {
    path.iter().fold(start, |hash, left| node_hash(left, &hash))
}
