//! Writes that go wrong, and writes so large that the engine might.

use crate::sample::{self, Random, creating, existing};
use credit_store::sled::{Options, SledStore};
use credit_store::{
    BLOB_BYTES_MAX, Batch, BodyBytes, EntryBytes, ROW_VALUE_BYTES_MAX, RowChange, Store, StoreError,
};
use std::fs;
use std::path::Path;

fn blob_files(path: &Path) -> usize {
    fs::read_dir(path.join("blobs")).map_or(0, Iterator::count)
}

#[test]
fn large_groups_make_no_blob_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::open(&path, &creating()).unwrap();
    let mut random = Random(1);
    let entries: Vec<EntryBytes> = (0..256)
        .map(|_| EntryBytes { core: random.bytes(60), secret: [1; 32], parts: vec![random.bytes(48 << 10)] })
        .collect();
    let bodies = vec![BodyBytes::default(); entries.len()];
    let group = Batch { entries, bodies, ..Batch::default() };
    store.append(0, &group).unwrap();
    store.append(256, &group).unwrap();
    // Rows of the largest size, written in no order and again and again, fill tree nodes as far as they go.
    for round in 0..3_u8 {
        let rows: Vec<RowChange> = (0..200)
            .map(|_| RowChange::Put {
                key: random.below(300).to_be_bytes().to_vec(),
                value: vec![round; ROW_VALUE_BYTES_MAX],
            })
            .collect();
        store.write_rows(0, &rows).unwrap();
    }
    store.put_blob(&[1; 32], &vec![9; BLOB_BYTES_MAX]).unwrap();
    let body = BodyBytes { items: vec![([2; 32], vec![3; 1_000_000])] };
    let wide = Batch {
        entries: vec![EntryBytes::default(); 12],
        bodies: vec![body.clone(); 12],
        ..Batch::default()
    };
    store.append(512, &wide).unwrap();
    assert_eq!(blob_files(&path), 0);
    drop(store);
    let store = SledStore::open(&path, &existing()).unwrap();
    assert_eq!(store.entries(256..512, usize::MAX).unwrap(), group.entries);
    assert_eq!(store.bodies(512..524, usize::MAX).unwrap(), wide.bodies);
    assert_eq!(store.bodies(520..524, 0).unwrap(), [body]);
    assert_eq!(blob_files(&path), 0);
}

#[test]
fn a_blob_file_stops_all_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::open(&path, &creating()).unwrap();
    store.append(0, &sample::batch(0, 3)).unwrap();
    fs::write(path.join("blobs/123"), b"unsynced").unwrap();
    let failed = store.put_blob(&[1; 32], b"blob");
    assert!(matches!(&failed, Err(StoreError::BlobFileAppeared { file }) if file == "123"), "{failed:?}");
    fs::remove_file(path.join("blobs/123")).unwrap();
    let stopped = store.append(3, &sample::batch(3, 4));
    assert!(matches!(stopped, Err(StoreError::Stopped { .. })), "{stopped:?}");
    assert!(store.stopped().unwrap().contains("blobs/123"));
    // What was never acknowledged is not shown, what was is.
    assert_eq!(store.size().unwrap(), 3);
    assert_eq!(store.entries(0..10, usize::MAX).unwrap().len(), 3);
    drop(store);
    assert_eq!(SledStore::open(&path, &existing()).unwrap().size().unwrap(), 3);
}

#[test]
fn a_full_disk_is_refused_before_the_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let full = Options { reserve_bytes: u64::MAX, ..creating() };
    let store = SledStore::open(&path, &full).unwrap();
    let refusals = [
        store.append(0, &sample::batch(0, 1)),
        store.write_rows(0, &[]),
        store.put_blob(&[1; 32], b"blob"),
        store.clear(b""),
        store.check_space(&sample::batch(0, 1)),
    ];
    for refused in refusals {
        assert!(matches!(refused, Err(StoreError::NoSpace { needed: u64::MAX, .. })), "{refused:?}");
    }
    assert_eq!(store.stopped(), None);
    assert_eq!(store.head().unwrap().0, 0);
    drop(store);
    SledStore::open(&path, &existing()).unwrap().append(0, &sample::batch(0, 1)).unwrap();
}

#[test]
fn of_many_writers_each_step_has_one_winner() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&dir.path().join("store"), &creating()).unwrap();
    let won: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let tries = (0..20).map(|size| store.append(size, &sample::batch(size, size + 1)));
                    tries.flatten().count()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(u64::try_from(won).unwrap(), store.size().unwrap());
    assert!(won > 0);
    sample::check_contents(&store).unwrap();
}
