//! Each bound of the store, at its maximum and one above, in both stores.

use crate::sample::creating;
use credit_store::memory::MemoryStore;
use credit_store::sled::SledStore;
use credit_store::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, BATCH_ROWS_MAX, BLOB_BYTES_MAX, BODY_BYTES_MAX, BODY_ITEMS_MAX,
    Batch, BodyBytes, ENTRY_BYTES_MAX, ENTRY_PARTS_MAX, EntryBytes, ROW_KEY_BYTES_MAX, ROW_VALUE_BYTES_MAX,
    RowChange, SCAN_ROWS_MAX, Store, StoreError, TILE_HASHES, TILE_LEVEL_MAX, Tile,
};

/// The lengths that come with a packed entry without parts, and with a body of one item and its id.
const ENTRY_FIXED_BYTES: usize = 32 + 8;
const BODY_FIXED_BYTES: usize = 32 + 8;

/// Runs a check with each store and the size of its log, which the check may enlarge.
fn with_both(check: impl Fn(&dyn Store)) {
    let dir = tempfile::tempdir().unwrap();
    check(&MemoryStore::new());
    check(&SledStore::open(&dir.path().join("store"), &creating()).unwrap());
}

fn append(store: &dyn Store, batch: &Batch) -> Result<(), StoreError> {
    let before = store.head().unwrap();
    let done = store.append(before.0, batch);
    if done.is_err() {
        assert_eq!(store.head().unwrap(), before);
    }
    assert_eq!(store.stopped(), None);
    done
}

fn assert_limit(refused: Result<(), StoreError>, expected_max: usize) {
    match refused {
        Err(StoreError::Limit { what: _, actual, max }) => {
            assert_eq!(max, u64::try_from(expected_max).unwrap());
            assert_eq!(actual, max + 1);
        }
        other => panic!("not a limit of {expected_max}: {other:?}"),
    }
}

fn of_entry(entry: EntryBytes) -> Batch {
    Batch { entries: vec![entry], bodies: vec![BodyBytes::default()], ..Batch::default() }
}

fn of_body(body: BodyBytes) -> Batch {
    Batch { entries: vec![EntryBytes::default()], bodies: vec![body], ..Batch::default() }
}

fn body_of(bytes: usize) -> BodyBytes {
    BodyBytes { items: vec![([1; 32], vec![2; bytes - BODY_FIXED_BYTES])] }
}

#[test]
fn entries_in_a_batch() {
    with_both(|store| {
        let batch = |count| Batch {
            entries: vec![EntryBytes::default(); count],
            bodies: vec![BodyBytes::default(); count],
            ..Batch::default()
        };
        append(store, &batch(BATCH_ENTRIES_MAX)).unwrap();
        assert_limit(append(store, &batch(BATCH_ENTRIES_MAX + 1)), BATCH_ENTRIES_MAX);
    });
}

#[test]
fn bytes_in_a_batch() {
    with_both(|store| {
        // The last body takes what the entries' own bytes leave.
        let count = BATCH_BYTES_MAX / BODY_BYTES_MAX;
        let batch = |over: usize| {
            let mut bodies = vec![body_of(BODY_BYTES_MAX); count];
            bodies[0] = body_of(BODY_BYTES_MAX - count * ENTRY_FIXED_BYTES + over);
            Batch { entries: vec![EntryBytes::default(); count], bodies, ..Batch::default() }
        };
        append(store, &batch(0)).unwrap();
        assert_limit(append(store, &batch(1)), BATCH_BYTES_MAX);
        let stored = store.bodies(0..1_000, usize::MAX).unwrap();
        assert_eq!(stored, batch(0).bodies);
    });
}

#[test]
fn bytes_and_parts_in_an_entry() {
    with_both(|store| {
        let core = |bytes: usize| {
            of_entry(EntryBytes { core: vec![3; bytes - ENTRY_FIXED_BYTES], ..EntryBytes::default() })
        };
        append(store, &core(ENTRY_BYTES_MAX)).unwrap();
        assert_limit(append(store, &core(ENTRY_BYTES_MAX + 1)), ENTRY_BYTES_MAX);
        let parts = |count| of_entry(EntryBytes { parts: vec![vec![4]; count], ..EntryBytes::default() });
        append(store, &parts(ENTRY_PARTS_MAX)).unwrap();
        assert_limit(append(store, &parts(ENTRY_PARTS_MAX + 1)), ENTRY_PARTS_MAX);
        let stored = store.entries(0..2, usize::MAX).unwrap();
        assert_eq!(stored, [core(ENTRY_BYTES_MAX).entries, parts(ENTRY_PARTS_MAX).entries].concat());
    });
}

#[test]
fn bytes_and_items_in_a_body() {
    with_both(|store| {
        append(store, &of_body(body_of(BODY_BYTES_MAX))).unwrap();
        assert_limit(append(store, &of_body(body_of(BODY_BYTES_MAX + 1))), BODY_BYTES_MAX);
        let items = |count| of_body(BodyBytes { items: vec![([5; 32], vec![6]); count] });
        append(store, &items(BODY_ITEMS_MAX)).unwrap();
        assert_limit(append(store, &items(BODY_ITEMS_MAX + 1)), BODY_ITEMS_MAX);
        let stored = store.bodies(0..2, usize::MAX).unwrap();
        assert_eq!(stored, [vec![body_of(BODY_BYTES_MAX)], items(BODY_ITEMS_MAX).bodies].concat());
    });
}

#[test]
fn hashes_and_levels_of_tiles() {
    with_both(|store| {
        let batch = |level, hashes| Batch {
            tiles: vec![Tile { level, index: 0, hashes: vec![[7; 32]; hashes] }],
            entries: vec![EntryBytes::default(); 256],
            bodies: vec![BodyBytes::default(); 256],
            ..Batch::default()
        };
        for hashes in [TILE_HASHES - 1, TILE_HASHES + 1] {
            assert!(matches!(append(store, &batch(0, hashes)), Err(StoreError::Shape { .. })));
        }
        append(store, &batch(0, TILE_HASHES)).unwrap();
        // A tile of the highest level needs more entries than a test has; above it there is none at all.
        let early = append(store, &batch(TILE_LEVEL_MAX, TILE_HASHES));
        assert!(matches!(early, Err(StoreError::Shape { .. })));
        assert_limit(append(store, &batch(TILE_LEVEL_MAX + 1, TILE_HASHES)), usize::from(TILE_LEVEL_MAX));
    });
}

#[test]
fn bytes_of_a_row() {
    with_both(|store| {
        let row = |key, value| [RowChange::Put { key: vec![0xFF; key], value: vec![8; value] }];
        store.write_rows(0, &row(ROW_KEY_BYTES_MAX, ROW_VALUE_BYTES_MAX)).unwrap();
        assert_limit(store.write_rows(0, &row(ROW_KEY_BYTES_MAX + 1, 1)), ROW_KEY_BYTES_MAX);
        assert_limit(store.write_rows(0, &row(1, ROW_VALUE_BYTES_MAX + 1)), ROW_VALUE_BYTES_MAX);
        assert!(matches!(store.write_rows(0, &row(0, 1)), Err(StoreError::Shape { .. })));
        let delete = [RowChange::Delete { key: vec![1; ROW_KEY_BYTES_MAX + 1] }];
        assert_limit(store.write_rows(0, &delete), ROW_KEY_BYTES_MAX);
        assert_eq!(store.row(&[0xFF; ROW_KEY_BYTES_MAX]).unwrap(), Some(vec![8; ROW_VALUE_BYTES_MAX]));
        // The largest key of all is inside the range of all keys.
        store.clear(b"").unwrap();
        assert_eq!(store.row(&[0xFF; ROW_KEY_BYTES_MAX]).unwrap(), None);
    });
}

#[test]
fn rows_in_a_batch_and_in_a_scan() {
    with_both(|store| {
        let rows = |count: usize| -> Vec<RowChange> {
            (0..count).map(|row| RowChange::Put { key: row.to_be_bytes().to_vec(), value: vec![9] }).collect()
        };
        store.write_rows(0, &rows(BATCH_ROWS_MAX)).unwrap();
        assert_limit(store.write_rows(0, &rows(BATCH_ROWS_MAX + 1)), BATCH_ROWS_MAX);
        let scan = |limit| store.scan(b"", &[0xFF], limit);
        assert_eq!(scan(SCAN_ROWS_MAX).unwrap().len(), BATCH_ROWS_MAX.min(SCAN_ROWS_MAX));
        assert_limit(scan(SCAN_ROWS_MAX + 1).map(drop), SCAN_ROWS_MAX);
        let large = vec![RowChange::Put { key: vec![1], value: vec![2; 65_535] }; 256];
        store.write_rows(0, &large).unwrap();
        let mut larger = large.clone();
        larger.push(RowChange::Delete { key: vec![1] });
        assert_limit(store.write_rows(0, &larger), BATCH_BYTES_MAX);
    });
}

#[test]
fn bytes_of_a_blob() {
    with_both(|store| {
        let blob = vec![10; BLOB_BYTES_MAX + 1];
        store.put_blob(&[1; 32], &blob[1..]).unwrap();
        assert_limit(store.put_blob(&[2; 32], &blob), BLOB_BYTES_MAX);
        assert_eq!(store.blob(&[1; 32]).unwrap().unwrap(), blob[1..]);
        assert_eq!(store.blob(&[2; 32]).unwrap(), None);
    });
}
