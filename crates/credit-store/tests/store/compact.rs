//! Compaction keeps everything and gives space back.

use crate::sample::{self, SIZE, check_contents, existing, filled};
use credit_store::sled::{Options, SledStore, compact};
use credit_store::{RowChange, Store, StoreError, TILE_HASHES, Tile, prefix_end};
use std::fs;

#[test]
fn a_compacted_store_is_the_same_and_smaller() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let store = SledStore::open(&path, &existing()).unwrap();
    for size in SIZE..SIZE + 20 {
        let mut one = sample::batch(size, size + 1);
        if size == SIZE {
            one.tiles = vec![Tile { level: 0, index: 0, hashes: vec![[1; 32]; TILE_HASHES] }];
        }
        store.append(size, &one).unwrap();
    }
    store.put_blob(&[2; 32], &vec![3; 100_000]).unwrap();
    for round in 0..12 {
        let rows: Vec<RowChange> = (0..60_u8)
            .map(|row| RowChange::Put { key: vec![0xF0, row], value: vec![round; 60_000] })
            .collect();
        store.write_rows(SIZE + 20, &rows).unwrap();
        store.flush_all().unwrap();
    }
    store.clear(&[0xF0]).unwrap();
    store.write_rows(SIZE + 5, &[]).unwrap();
    let head = store.head().unwrap();
    let rows = store.scan(b"", &prefix_end(b""), 60_000).unwrap();
    drop(store);
    // Left by a compaction that was cut off.
    fs::create_dir(dir.path().join("filled.compacting")).unwrap();
    fs::write(dir.path().join("filled.compacting/db"), b"half").unwrap();

    let compacted = compact(&path, &existing()).unwrap();
    assert_eq!((compacted.size, compacted.root), head);
    assert!(compacted.bytes_after < compacted.bytes_before, "{compacted:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside the store");
    let store = SledStore::open(&path, &existing()).unwrap();
    assert_eq!(store.head().unwrap(), head);
    assert_eq!(check_contents(&store).unwrap(), SIZE + 20);
    assert_eq!(store.applied_to().unwrap(), SIZE + 5);
    assert_eq!(store.tile(0, 0).unwrap(), Some(vec![[1; 32]; TILE_HASHES]));
    assert_eq!(store.blob(&[2; 32]).unwrap(), Some(vec![3; 100_000]));
    assert_eq!(store.scan(b"", &prefix_end(b""), 60_000).unwrap(), rows);
    store.append(SIZE + 20, &sample::batch(SIZE + 20, SIZE + 21)).unwrap();
}

#[test]
fn a_store_that_cannot_be_compacted_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let missing = compact(&dir.path().join("missing"), &existing());
    assert!(matches!(missing, Err(StoreError::Missing)), "{missing:?}");
    let path = filled(dir.path());
    let full = compact(&path, &Options { reserve_bytes: u64::MAX, ..existing() });
    assert!(matches!(full, Err(StoreError::NoSpace { .. })), "{full:?}");
    let store = SledStore::open(&path, &existing()).unwrap();
    let in_use = compact(&path, &existing());
    assert!(matches!(in_use, Err(StoreError::InUse)), "{in_use:?}");
    assert_eq!(check_contents(&store).unwrap(), SIZE);
}
