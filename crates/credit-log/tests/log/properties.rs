//! Properties of proofs on a tree of a million leaves, held against another implementation and against the definition.

use credit_log::hash::node_hash;
use credit_log::subtree::Subtree;
use credit_log::tree::root_at;
use credit_log::{Hash, consistency, inclusion};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;

use crate::leaves;
use crate::tiles::Memory;

/// The size of the largest tree; no power of two, nor of 256.
const LEAVES: u64 = 1_000_003;
/// How many places and pairs are drawn.
const DRAWS: usize = 300;

/// RFC 6962's definition over whole levels of nodes, kept once: it shares no code with the crate.
struct Definition(Vec<Vec<Hash>>);

impl Definition {
    fn of(leaves: &[Hash]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            levels.push(below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect());
        }
        Self(levels)
    }

    /// MTH of the leaves from `start` to before `end`, where `start` is a multiple of the split's width.
    fn root(&self, start: usize, end: usize) -> Hash {
        let count = end - start;
        if count.is_power_of_two() {
            let level = usize::try_from(count.trailing_zeros()).unwrap();
            return self.0[level][start >> level];
        }
        let split = start + count.next_power_of_two() / 2;
        node_hash(&self.root(start, split), &self.root(split, end))
    }

    fn path(&self, index: usize, start: usize, end: usize) -> Vec<Hash> {
        if end - start == 1 {
            return Vec::new();
        }
        let split = start + (end - start).next_power_of_two() / 2;
        let (mut path, sibling) = if index < split {
            (self.path(index, start, split), self.root(split, end))
        } else {
            (self.path(index, split, end), self.root(start, split))
        };
        path.push(sibling);
        path
    }

    /// SUBPROOF of RFC 6962 section 2.1.2.
    fn grown(&self, old: usize, start: usize, end: usize, whole: bool) -> Vec<Hash> {
        if old == end - start {
            return if whole { Vec::new() } else { vec![self.root(start, end)] };
        }
        let width = (end - start).next_power_of_two() / 2;
        let split = start + width;
        let (mut proof, sibling) = if old <= width {
            (self.grown(old, start, split, whole), self.root(split, end))
        } else {
            (self.grown(old - width, split, end, false), self.root(start, split))
        };
        proof.push(sibling);
        proof
    }
}

/// Numbers that look drawn; the seed is in the message of a failing assertion.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

#[test]
fn proofs_of_a_million_leaves_are_those_of_the_definition() {
    let hashes = leaves(LEAVES);
    let (tree, definition) = (Memory::of(&hashes), Definition::of(&hashes));
    let at = |size: u64| usize::try_from(size).unwrap();
    let seed = 20_231_114;
    let mut draw = Draw(seed);
    for number in 0..DRAWS {
        // Sizes of every magnitude, not only large ones.
        let magnitude = draw.below(20) + 1;
        let new = (draw.below(1 << magnitude) + 1).min(LEAVES);
        let new = if number % 4 == 0 { LEAVES - draw.below(1_000) } else { new };
        let root = definition.root(0, at(new));
        assert_eq!(root_at(&tree, new).unwrap(), root, "seed {seed}, size {new}");
        let index = draw.below(new);
        let path = inclusion::prove(&tree, index, new).unwrap();
        assert_eq!(path, definition.path(at(index), 0, at(new)), "seed {seed}, {index} of {new}");
        assert_eq!(inclusion::verify(&hashes[at(index)], index, new, &path, &root), Ok(()));
        let old = draw.below(new) + 1;
        let proof = consistency::prove(&tree, old, new).unwrap();
        assert_eq!(proof, definition.grown(at(old), 0, at(new), true), "seed {seed}, {old} to {new}");
        let before = definition.root(0, at(old));
        assert_eq!(consistency::verify(old, new, &proof, &before, &root), Ok(()));
        // The same by the verifier of subtrees, which goes another way.
        let part = Subtree::new(0, old).unwrap();
        assert_eq!(part.verify_consistency(new, &proof, &before, &root), Ok(()));
        // A bent hash, root or place is found out by both.
        let mut bent = proof.clone();
        if let Some(hash) = bent.first_mut() {
            hash[0] ^= 1;
            assert!(consistency::verify(old, new, &bent, &before, &root).is_err(), "seed {seed}");
            assert!(part.verify_consistency(new, &bent, &before, &root).is_err(), "seed {seed}");
        }
        if old < new {
            assert!(consistency::verify(old, new, &proof, &root, &before).is_err(), "seed {seed}");
            assert!(part.verify_consistency(new, &proof, &root, &before).is_err(), "seed {seed}");
        }
        let other = (index + 1) % new;
        if other != index {
            assert!(inclusion::verify(&hashes[at(index)], other, new, &path, &root).is_err(), "seed {seed}");
        }
    }
}

#[test]
fn a_subtree_is_proved_by_its_own_hash() {
    let hashes = leaves(600);
    let definition = Definition::of(&hashes);
    let root = definition.root(0, 600);
    for level in 0..9u32 {
        let width = 1u64 << level;
        for start in (0..600u64.saturating_sub(width)).step_by(usize::try_from(width).unwrap()) {
            let (from, to) = (usize::try_from(start).unwrap(), usize::try_from(start + width).unwrap());
            let own = definition.root(from, to);
            let part = Subtree::new(start, start + width).unwrap();
            // A complete subtree's consistency is its node's inclusion path.
            let full = definition.path(from, 0, 600);
            let path = &full[usize::try_from(level).unwrap()..];
            assert_eq!(part.verify_consistency(600, path, &own, &root), Ok(()), "{start} {width}");
            assert!(part.verify_consistency(600, path, &root, &root).is_err());
            assert!(part.verify_consistency(start + width - 1, path, &own, &root).is_err());
        }
    }
    for (start, end) in [(1, 3), (2, 5), (2, 6), (1, 15), (3, 2)] {
        assert_eq!(Subtree::new(start, end), None);
    }
    assert!(Subtree::new(u64::MAX, u64::MAX).is_some());
    assert!(Subtree::new(0, u64::MAX).is_none(), "no power of two holds it");
}

#[test]
fn proofs_of_a_hundred_thousand_leaves_are_those_of_another_implementation() {
    let size = 100_003u64;
    let hashes = leaves(size);
    let tree = Memory::of(&hashes);
    let mut foreign = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for leaf in 0..size {
        foreign.push(leaf.to_be_bytes().to_vec());
    }
    assert_eq!(foreign.root().as_bytes().as_slice(), root_at(&tree, size).unwrap());
    let seed = 7;
    let mut draw = Draw(seed);
    for _ in 0..DRAWS {
        let index = draw.below(size);
        let ours = inclusion::prove(&tree, index, size).unwrap();
        let theirs = foreign.prove_inclusion(usize::try_from(index).unwrap());
        assert_eq!(theirs.as_bytes(), ours.concat(), "seed {seed}, {index}");
        let old = draw.below(size) + 1;
        let ours = consistency::prove(&tree, old, size).unwrap();
        let theirs = foreign.prove_consistency(usize::try_from(size - old).unwrap());
        assert_eq!(theirs.as_bytes(), ours.concat(), "seed {seed}, {old}");
    }
}
