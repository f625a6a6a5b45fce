//! Chunks of a batch and parts of an entry, true and forged.

use credit_log::batch::{
    CHUNK_LEAVES, Manifest, RECORDS_MAX, RecordCount, chunk_count, leaf_path, verify_chunk, verify_leaf,
};
use credit_log::inclusion;
use credit_log::parts::{open, parts_root, verify_opening};
use credit_log::tree::root_of;
use credit_log::{Hash, ProofError};

use crate::leaves;

fn chunk(hashes: &[Hash], chunk: u64) -> &[Hash] {
    hashes.chunks(usize::try_from(CHUNK_LEAVES).unwrap()).nth(usize::try_from(chunk).unwrap()).unwrap()
}

#[test]
fn the_tree_of_chunks_is_the_tree_of_leaves() {
    for count in 1..=300 {
        let hashes = leaves(count);
        let manifest = Manifest::of(&hashes).unwrap();
        assert_eq!(manifest.root(), root_of(&hashes), "{count} records");
        assert_eq!(manifest.record_count(), count);
        assert_eq!(manifest.chunk_count(), chunk_count(count));
        for k in 0..manifest.chunk_count() {
            let path = manifest.path(k).unwrap();
            assert_eq!(verify_chunk(&manifest.root(), count, k, chunk(&hashes, k), &path), Ok(()));
        }
        assert!(manifest.path(manifest.chunk_count()).is_err());
    }
}

#[test]
fn a_chunk_forged_in_any_field_is_refused() {
    for count in [64, 65, 130, 300] {
        let hashes = leaves(count);
        let manifest = Manifest::of(&hashes).unwrap();
        let root = manifest.root();
        for k in 0..manifest.chunk_count() {
            let own = chunk(&hashes, k);
            let path = manifest.path(k).unwrap();
            let refused = |root: &Hash, count, k, own: &[Hash], path: &[Hash]| {
                assert!(verify_chunk(root, count, k, own, path).is_err(), "chunk {k} of {count}");
            };
            refused(&[0; 32], count, k, own, &path);
            refused(&root, count, k, &own[1..], &path);
            refused(&root, count, k, &[own, &[[1; 32]]].concat(), &path);
            refused(&root, count, k, own, &[path.as_slice(), &[[1; 32]]].concat());
            for other in (0..=manifest.chunk_count()).filter(|other| *other != k) {
                refused(&root, count, other, own, &path);
            }
            for at in 0..path.len() {
                let mut bent = path.clone();
                bent[at][5] ^= 4;
                refused(&root, count, k, own, &bent);
            }
            for at in 0..own.len() {
                let mut bent = own.to_vec();
                bent[at][5] ^= 4;
                refused(&root, count, k, &bent, &path);
                if at > 0 {
                    let mut swapped = own.to_vec();
                    swapped.swap(at - 1, at);
                    refused(&root, count, k, &swapped, &path);
                }
            }
        }
        let last = manifest.chunk_count() - 1;
        let path = manifest.path(last).unwrap();
        let verdict = verify_chunk(&root, count + 64, last, chunk(&hashes, last), &path);
        assert!(verdict.is_err() || count % 64 == 0, "{count}: {verdict:?}");
        let verdict = verify_chunk(&root, count - 1, last, chunk(&hashes, last), &path);
        assert!(verdict.is_err(), "{count}: {verdict:?}");
    }
    let none = ProofError::Index { index: 0, size: 0 };
    assert_eq!(verify_chunk(&root_of(&[]), 0, 0, &[], &[]), Err(none));
    assert!(verify_chunk(&[0; 32], u64::MAX, u64::MAX, &[], &[]).is_err());
}

#[test]
fn the_way_of_a_leaf_is_its_path_among_all_leaves_and_no_other() {
    for count in [1, 2, 63, 64, 65, 130, 200] {
        let hashes = leaves(count);
        let manifest = Manifest::of(&hashes).unwrap();
        let root = manifest.root();
        for position in 0..count {
            let of = chunk(&hashes, position / CHUNK_LEAVES);
            let (path, chunk_path) =
                (leaf_path(of, position).unwrap(), manifest.path(position / CHUNK_LEAVES).unwrap());
            assert!(path.len() <= 6);
            let whole = [path.as_slice(), &chunk_path].concat();
            assert_eq!(whole, inclusion::prove_in(&hashes, position).unwrap(), "{position} of {count}");
            let leaf = &hashes[usize::try_from(position).unwrap()];
            let verify = |root: &Hash, count, position, leaf: &Hash, path: &[Hash], above: &[Hash]| {
                verify_leaf(root, count, position, leaf, path, above).is_ok()
            };
            assert!(verify(&root, count, position, leaf, &path, &chunk_path));
            assert!(!verify(&[0; 32], count, position, leaf, &path, &chunk_path));
            assert!(!verify(&root, count, position, &[0; 32], &path, &chunk_path));
            for other in (0..=count + 64).filter(|other| *other != position) {
                assert!(!verify(&root, count, other, leaf, &path, &chunk_path), "{other} of {count}");
            }
            // The border between the two halves is fixed: no hash can move over it.
            for cut in (0..=whole.len()).filter(|cut| *cut != path.len()) {
                assert!(!verify(&root, count, position, leaf, &whole[..cut], &whole[cut..]), "{cut}");
            }
        }
        assert!(leaf_path(chunk(&hashes, 0), 63).is_ok() == (count >= 64));
    }
    assert!(verify_leaf(&[0; 32], u64::MAX, u64::MAX, &[0; 32], &[], &[]).is_err());
}

#[test]
fn a_batch_reaches_its_maximum_and_not_beyond() {
    let most = usize::try_from(RECORDS_MAX).unwrap();
    let manifest = Manifest::of(&vec![[3; 32]; most]).unwrap();
    assert_eq!(manifest.chunk_count(), 16_384);
    assert_eq!(manifest.path(16_383).unwrap().len(), 14);
    let beyond = Manifest::of(&vec![[3; 32]; most + 1]);
    assert_eq!(beyond.unwrap_err(), RecordCount { record_count: RECORDS_MAX + 1 });
    assert_eq!(Manifest::of(&[]).unwrap_err(), RecordCount { record_count: 0 });
}

#[test]
fn an_opening_forged_in_any_field_is_refused() {
    let secret = [0x21; 32];
    for count in 1..=9u32 {
        let parts: Vec<Vec<u8>> = (0..count).map(|n| n.to_be_bytes().to_vec()).collect();
        let root = parts_root(&secret, &parts);
        assert!(open(&secret, &parts, count).is_err());
        for which in 0..count {
            let good = open(&secret, &parts, which).unwrap();
            assert_eq!(verify_opening(&root, count, &good), Ok(()));
            let mut forged = Vec::new();
            for other in (0..=count).filter(|other| *other != which) {
                let mut bent = good.clone();
                bent.index = other;
                forged.push(bent);
            }
            let mut bent = good.clone();
            bent.salt[31] ^= 1;
            forged.push(bent);
            let mut bent = good.clone();
            bent.part.push(0);
            forged.push(bent);
            let mut bent = good.clone();
            bent.part[3] ^= 1;
            forged.push(bent);
            // The border between salt and part is fixed: a byte can't move from one to the other.
            let mut bent = good.clone();
            bent.salt.rotate_left(1);
            bent.part.insert(0, good.salt[0]);
            forged.push(bent);
            let mut bent = good.clone();
            bent.path.push([0; 32]);
            forged.push(bent);
            for at in 0..good.path.len() {
                let mut bent = good.clone();
                bent.path[at][0] ^= 1;
                forged.push(bent);
                let mut bent = good.clone();
                bent.path.remove(at);
                forged.push(bent);
            }
            for opening in forged {
                assert!(verify_opening(&root, count, &opening).is_err(), "{opening:?}");
            }
            assert_eq!(verify_opening(&[0; 32], count, &good), Err(ProofError::Root));
            assert!(verify_opening(&root, which, &good).is_err());
        }
    }
}

#[test]
fn other_parts_another_order_or_another_secret_have_another_root() {
    let parts = [b"head".to_vec(), b"link".to_vec(), b"event".to_vec()];
    let root = parts_root(&[1; 32], &parts);
    assert_ne!(root, parts_root(&[2; 32], &parts));
    assert_ne!(root, parts_root(&[1; 32], &parts[..2]));
    assert_ne!(root, parts_root(&[1; 32], &[&parts[0], &parts[2], &parts[1]]));
}
