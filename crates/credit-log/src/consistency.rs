//! Proofs that a tree only grew (RFC 6962 section 2.1.2).

use crate::hash::{Hash, empty_root, node_hash};
use crate::inclusion::{lengths, split, up_border, up_inside};
use crate::proof::{OutOfRange, ProofError};
use crate::tree::{Node, Path, ReadError, Reader, Tiles, above};

/// The proof that the first `old` leaves of the tree of `new` leaves are the older tree, read from tiles.
/// It is empty for `old` 0 and for equal sizes.
pub fn prove<T: Tiles + ?Sized>(tiles: &T, old: u64, new: u64) -> Result<Vec<Hash>, ReadError<T::Error>> {
    let refusal = OutOfRange { index: old, size: new };
    if old > new {
        return Err(refusal.into());
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let start = edge(old);
    let mut reader = Reader::new(tiles, new);
    // The verifier has the hash of a subtree that is the whole older tree; any other it must be given.
    let mut proof = if start.index == 0 { Vec::new() } else { vec![reader.node(start)?] };
    let path = Path::of(start, new).ok_or(refusal)?;
    proof.extend(path.hashes(|node| reader.node(node))?);
    Ok(proof)
}

/// Checks that the tree of `new` leaves continues the one of `old` leaves.
///
/// From size 0 and between equal sizes the proof must be empty; size 0 has the empty root.
pub fn verify(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Sizes { old, new });
    }
    if old == 0 && *old_root != empty_root() {
        return Err(ProofError::OldRoot);
    }
    if old == 0 || old == new {
        split(proof, 0, 0)?;
        return if old == new && old_root != new_root { Err(ProofError::Root) } else { Ok(()) };
    }
    let start = edge(old);
    let (inner, border) = lengths(old.saturating_sub(1), new.saturating_sub(1));
    // The path begins at the subtree, so the levels below it fall away.
    let inner = inner.saturating_sub(u64::from(start.level));
    let (seed, path) = if start.index == 0 {
        (old_root, proof)
    } else {
        let want = inner.saturating_add(border).saturating_add(1);
        proof.split_first().ok_or(ProofError::Length { want, have: 0 })?
    };
    let (inside, outside) = split(path, inner, border)?;
    if up_border(up_left(*seed, inside, start.index), outside) != *old_root {
        return Err(ProofError::OldRoot);
    }
    if up_border(up_inside(*seed, inside, start.index), outside) != *new_root {
        return Err(ProofError::Root);
    }
    Ok(())
}

/// The smallest complete subtree at the right edge of a tree that has leaves.
fn edge(size: u64) -> Node {
    let level = u8::try_from(size.trailing_zeros()).unwrap_or(u8::MAX);
    Node { level, index: above(size, level).saturating_sub(1) }
}

/// Climbs as in the older tree: what stands on the right was not there yet.
fn up_left(start: Hash, path: &[Hash], index: u64) -> Hash {
    path.iter().zip(0u8..).fold(start, |hash, (sibling, bit)| {
        if above(index, bit) & 1 == 0 { hash } else { node_hash(sibling, &hash) }
    })
}
