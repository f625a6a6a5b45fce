//! Proofs bent in every way: each must be refused, or judged as another implementation judges it.

use ct_merkle::{ConsistencyProof, RootHash, mem_backed_tree::MemoryBackedTree};
use sha2::Sha256;

use credit_log::hash::{empty_root, node_hash};
use credit_log::tree::root_of;
use credit_log::{Hash, ProofError, consistency, inclusion};

use crate::leaves;
use crate::tiles::Memory;

const SIZES: [u64; 9] = [2, 3, 5, 7, 8, 13, 64, 100, 127];

/// The proof with something added, left out, turned over or put in another order.
fn bent(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut forms = Vec::new();
    for at in 0..=proof.len() {
        let mut longer = proof.to_vec();
        longer.insert(at, [0x5a; 32]);
        forms.push(longer);
    }
    for at in 0..proof.len() {
        let mut flipped = proof.to_vec();
        flipped[at][31] ^= 1;
        forms.push(flipped);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        forms.push(shorter);
        if at > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            forms.push(swapped);
        }
    }
    forms
}

fn flipped(hash: &Hash) -> Hash {
    let mut other = *hash;
    other[0] ^= 0x80;
    other
}

#[test]
fn an_inclusion_proof_forged_in_any_field_is_refused() {
    for size in SIZES {
        let hashes = leaves(size);
        let root = root_of(&hashes);
        for (leaf, index) in hashes.iter().zip(0..) {
            let proof = inclusion::prove_in(&hashes, index).unwrap();
            for form in bent(&proof) {
                let verdict = inclusion::verify(leaf, index, size, &form, &root);
                assert!(verdict.is_err(), "{index} of {size}: {verdict:?}");
            }
            for other in 0..size + 2 {
                if other != index {
                    assert!(
                        inclusion::verify(leaf, other, size, &proof, &root).is_err(),
                        "{index} as {other}"
                    );
                }
            }
            let other_root = inclusion::verify(leaf, index, size, &proof, &flipped(&root));
            assert_eq!(other_root, Err(ProofError::Root));
            let other_leaf = inclusion::verify(&flipped(leaf), index, size, &proof, &root);
            assert_eq!(other_leaf, Err(ProofError::Root));
        }
    }
}

/// A root doesn't fix its size, so a forged size may pass where the path is the same: both must agree.
#[test]
fn a_forged_size_is_judged_as_another_implementation_judges_it() {
    let mut foreign = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut passed = 0;
    for size in 1..=40u64 {
        foreign.push((size - 1).to_be_bytes().to_vec());
        let hashes = leaves(size);
        let root = root_of(&hashes);
        for (leaf, index) in hashes.iter().zip(0u64..) {
            let proof = inclusion::prove_in(&hashes, index).unwrap();
            let theirs = foreign.prove_inclusion(usize::try_from(index).unwrap());
            for claimed in 0..=80u64 {
                let claim = RootHash::<Sha256>::new(*foreign.root().as_bytes(), claimed);
                let record = index.to_be_bytes().to_vec();
                let ours = inclusion::verify(leaf, index, claimed, &proof, &root).is_ok();
                assert_eq!(ours, claim.verify_inclusion(&record, index, &theirs).is_ok());
                passed += usize::from(ours && claimed != size);
            }
        }
    }
    assert!(passed > 0, "some sizes do share their paths");
}

#[test]
fn a_consistency_proof_forged_in_any_field_is_refused() {
    for new in SIZES {
        let hashes = leaves(new);
        let tree = Memory::of(&hashes);
        let new_root = root_of(&hashes);
        for old in 1..=new {
            let old_root = root_of(&hashes[..usize::try_from(old).unwrap()]);
            let proof = consistency::prove(&tree, old, new).unwrap();
            for form in bent(&proof) {
                assert!(
                    consistency::verify(old, new, &form, &old_root, &new_root).is_err(),
                    "{old} to {new}"
                );
            }
            assert!(consistency::verify(old, new, &proof, &flipped(&old_root), &new_root).is_err());
            assert!(consistency::verify(old, new, &proof, &old_root, &flipped(&new_root)).is_err());
            if old < new {
                assert!(consistency::verify(old, new, &proof, &new_root, &old_root).is_err());
                let sizes = ProofError::Sizes { old: new, new: old };
                assert_eq!(consistency::verify(new, old, &proof, &new_root, &old_root), Err(sizes));
                assert!(
                    consistency::verify(old, new, &[], &old_root, &new_root).is_err() || proof.is_empty()
                );
            }
            let theirs = ConsistencyProof::<Sha256>::try_from_bytes(proof.concat()).unwrap();
            for (claimed, other) in (1..=new + 3).flat_map(|a| (1..=new + 3).map(move |b| (a, b))) {
                if new > 13 || claimed > other {
                    continue;
                }
                let later = RootHash::<Sha256>::new(new_root.into(), other);
                let earlier = RootHash::<Sha256>::new(old_root.into(), claimed);
                let ours = consistency::verify(claimed, other, &proof, &old_root, &new_root).is_ok();
                assert_eq!(ours, later.verify_consistency(&earlier, &theirs).is_ok(), "{claimed} {other}");
            }
        }
    }
}

#[test]
fn from_nothing_and_to_itself_the_proof_is_empty() {
    let hashes = leaves(6);
    let root = root_of(&hashes);
    let length = |have| ProofError::Length { want: 0, have };
    assert_eq!(consistency::verify(0, 6, &[root], &empty_root(), &root), Err(length(1)));
    assert_eq!(consistency::verify(6, 6, &[root], &root, &root), Err(length(1)));
    assert_eq!(consistency::verify(6, 6, &[], &root, &flipped(&root)), Err(ProofError::Root));
    assert_eq!(consistency::verify(0, 6, &[], &root, &root), Err(ProofError::OldRoot));
    assert_eq!(consistency::verify(0, 0, &[], &empty_root(), &root), Err(ProofError::Root));
    assert_eq!(consistency::verify(0, 0, &[], &empty_root(), &empty_root()), Ok(()));
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let hashes = leaves(4);
    let inner = node_hash(&hashes[0], &hashes[1]);
    let other = node_hash(&hashes[2], &hashes[3]);
    // With the size of the true tree, a shortened path has the wrong length.
    let verdict = inclusion::verify(&inner, 0, 4, &[other], &root_of(&hashes));
    assert_eq!(verdict, Err(ProofError::Length { want: 2, have: 1 }));
}
