//! The reference tree of RFC 6962 implementations, and `ct-merkle`, which shares no code with ours.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;

use credit_log::hash::{empty_root, leaf_hash};
use credit_log::tree::{Frontier, root_of};
use credit_log::{Hash, ProofError, consistency, inclusion};

use crate::tiles::Memory;
use crate::{fixed, hash64, hex, leaves};

const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn reference_leaves() -> Vec<Hash> {
    LEAVES.iter().map(|leaf| leaf_hash(&hex(leaf))).collect()
}

#[test]
fn the_reference_tree_has_the_published_roots_at_every_size() {
    let mut frontier = Frontier::new();
    assert_eq!(empty_root(), fixed(ROOTS[0]));
    for (leaf, n) in reference_leaves().iter().zip(1..) {
        frontier.append(*leaf);
        assert_eq!(frontier.root(), fixed(ROOTS[n]), "size {n}");
        assert_eq!(root_of(&reference_leaves()[..n]), fixed(ROOTS[n]), "size {n}");
    }
}

#[test]
fn the_reference_proofs_are_the_published_ones() {
    let tree = Memory::of(&reference_leaves());
    let path = [
        hash64("vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="),
        hash64("yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA="),
        hash64("037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="),
    ];
    assert_eq!(inclusion::prove(&tree, 5, 8).unwrap(), path);
    assert_eq!(inclusion::prove_in(&reference_leaves(), 5).unwrap(), path);
    assert_eq!(inclusion::verify(&reference_leaves()[5], 5, 8, &path, &fixed(ROOTS[8])), Ok(()));
    let proof = [hash64("DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o="), path[1], path[2]];
    assert_eq!(consistency::prove(&tree, 6, 8).unwrap(), proof);
    assert_eq!(consistency::verify(6, 8, &proof, &fixed(ROOTS[6]), &fixed(ROOTS[8])), Ok(()));
}

#[test]
fn the_record_hash_of_go_is_our_leaf_hash() {
    assert_eq!(leaf_hash(b"hello world"), hash64("TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0="));
}

/// What the foreign crate proves for a tree of these many leaves, by leaf and by older size.
#[test]
fn all_proofs_up_to_300_leaves_are_those_of_another_implementation() {
    let hashes = leaves(300);
    let tree = Memory::of(&hashes);
    let mut foreign = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut roots = vec![empty_root()];
    for size in 1..=300u64 {
        foreign.push((size - 1).to_be_bytes().to_vec());
        let at = usize::try_from(size).unwrap();
        let root = root_of(&hashes[..at]);
        assert_eq!(foreign.root().as_bytes().as_slice(), root, "size {size}");
        roots.push(root);
        for index in 0..size {
            let ours = inclusion::prove(&tree, index, size).unwrap();
            let here = usize::try_from(index).unwrap();
            assert_eq!(foreign.prove_inclusion(here).as_bytes(), ours.concat(), "{index} of {size}");
            // It hashes the whole tree for one path, so that a part of the sizes has to do.
            if size <= 64 || size % 37 == 0 {
                assert_eq!(inclusion::prove_in(&hashes[..at], index).unwrap(), ours, "{index} of {size}");
            }
            assert_eq!(inclusion::verify(&hashes[here], index, size, &ours, &root), Ok(()));
        }
        for old in 1..=size {
            let ours = consistency::prove(&tree, old, size).unwrap();
            let theirs = foreign.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(theirs.as_bytes(), ours.concat(), "{old} to {size}");
            let before = &roots[usize::try_from(old).unwrap()];
            assert_eq!(consistency::verify(old, size, &ours, before, &root), Ok(()));
        }
        assert!(consistency::prove(&tree, 0, size).unwrap().is_empty());
        assert_eq!(consistency::verify(0, size, &[], &empty_root(), &root), Ok(()));
    }
}

#[test]
fn what_lies_outside_the_tree_is_not_proved() {
    let hashes = leaves(5);
    let tree = Memory::of(&hashes);
    assert!(inclusion::prove(&tree, 5, 5).is_err());
    assert!(inclusion::prove(&tree, 0, 0).is_err());
    assert!(inclusion::prove(&tree, 0, 6).is_err());
    assert!(inclusion::prove_in(&hashes, 5).is_err());
    assert!(inclusion::prove_in(&[], 0).is_err());
    assert!(consistency::prove(&tree, 6, 5).is_err());
    assert!(consistency::prove(&tree, 3, 6).is_err());
    let index = ProofError::Index { index: 5, size: 5 };
    assert_eq!(inclusion::verify(&hashes[0], 5, 5, &[], &root_of(&hashes)), Err(index));
    let empty = ProofError::Index { index: 0, size: 0 };
    assert_eq!(inclusion::verify(&hashes[0], 0, 0, &[], &empty_root()), Err(empty));
    let far = inclusion::verify(&hashes[0], u64::MAX - 1, u64::MAX, &[], &empty_root());
    assert!(matches!(far, Err(ProofError::Length { .. })));
}
