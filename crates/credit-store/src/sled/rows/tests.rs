use super::super::{Options, SledStore, key, open, value};
use crate::{Row, RowChange, Store, prefix_end};
use std::path::Path;

fn options() -> Options {
    Options { cache_bytes: 4 << 20, must_exist: false, reserve_bytes: 1 << 20, rows_bytes: 64 << 10 }
}

fn put(number: u32, value: &[u8]) -> RowChange {
    RowChange::Put { key: row_key(number), value: value.to_vec() }
}

fn row_key(number: u32) -> Vec<u8> {
    // Two tables, so that a border between them is crossed.
    [[b'a', b'b'][usize::from(number % 2 == 1)]].into_iter().chain(number.to_be_bytes()).collect()
}

fn all(store: &SledStore) -> Vec<Row> {
    store.scan(b"", &prefix_end(b""), 60_000).unwrap()
}

fn stored(path: &Path, table: u8) -> usize {
    let db = ::sled::Config::new().path(path).segment_size(8 << 20).open().unwrap();
    db.scan_prefix([table]).count()
}

#[test]
fn rows_settle_and_the_journal_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::open(&path, &options()).unwrap();
    let mut expected = Vec::new();
    for round in 0..40u32 {
        let changes: Vec<RowChange> = (0..100).map(|n| put(round * 100 + n, &[7; 60])).collect();
        store.write_rows(0, &changes).unwrap();
        expected.extend((0..100).map(|n| (row_key(round * 100 + n), vec![7; 60])));
    }
    expected.sort();
    assert_eq!(all(&store), expected);
    store.rows.settle_all().unwrap();
    assert_eq!(all(&store), expected);
    for (key, value) in &expected {
        assert_eq!(store.row(key).unwrap().as_ref(), Some(value));
    }
    drop(store);
    assert_eq!(stored(&path, key::JOURNAL), 0);
    assert!(stored(&path, key::PAGES) > 20);
    let store = SledStore::open(&path, &options()).unwrap();
    assert_eq!(all(&store), expected);
}

#[test]
fn what_has_not_settled_is_there_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::open(&path, &options()).unwrap();
    store.write_rows(0, &[put(1, b"old"), put(2, b"goes"), put(4, b"stays")]).unwrap();
    store.rows.settle_all().unwrap();
    store.write_rows(0, &[put(1, b"new"), RowChange::Delete { key: row_key(2) }, put(3, b"fresh")]).unwrap();
    let seen = all(&store);
    store.flush_all().unwrap();
    // Settled once more, but as if the process had ended before the journal was cut.
    let journal: Vec<_> = store.engine.db.scan_prefix([key::JOURNAL]).map(Result::unwrap).collect();
    assert!(!journal.is_empty());
    store.rows.settle_all().unwrap();
    for (key, value) in journal {
        store.engine.db.insert(key, value).unwrap();
    }
    assert_eq!(all(&store), seen);
    drop(store);
    let store = SledStore::open(&path, &options()).unwrap();
    assert_eq!(all(&store), seen);
    assert_eq!(store.row(&row_key(2)).unwrap(), None);
    assert_eq!(store.row(&row_key(1)).unwrap().as_deref(), Some(b"new".as_slice()));
}

#[test]
fn memory_holds_no_more_than_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&dir.path().join("store"), &options()).unwrap();
    for round in 0..200u32 {
        let changes: Vec<RowChange> = (0..20).map(|n| put(round * 20 + n, &[1; 200])).collect();
        store.write_rows(0, &changes).unwrap();
        let one_write = 20 * (200 + 5 + super::ROW_OVERHEAD_BYTES);
        let fresh = store.rows.memory(|memory| memory.fresh_bytes);
        assert!(fresh < (64 << 10) + one_write, "{fresh} bytes");
    }
    assert_eq!(all(&store).len(), 4_000);
}

#[test]
fn a_prefix_is_cleared_across_and_inside_pages() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&dir.path().join("store"), &options()).unwrap();
    let changes: Vec<RowChange> = (0..2_000).map(|n| put(n, &[3; 50])).collect();
    store.write_rows(0, &changes).unwrap();
    for prefix in [&[b'a', 0, 0, 2][..], &[b'b', 0, 0, 7, 0xcf], b"c", b"a", &[]] {
        let before = all(&store);
        store.clear(prefix).unwrap();
        let kept: Vec<Row> = before.into_iter().filter(|(key, _)| !key.starts_with(prefix)).collect();
        assert_eq!(all(&store), kept, "{prefix:?}");
    }
    assert!(all(&store).is_empty());
}

#[test]
fn a_corrupt_page_is_an_error_and_can_be_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&dir.path().join("store"), &options()).unwrap();
    store.write_rows(0, &[put(2, b"two"), put(3, b"three")]).unwrap();
    store.rows.settle_all().unwrap();
    let page = key::page(b"a");
    store.engine.db.insert(page.clone(), value::frame(&page, b"no page")).unwrap();
    assert!(store.row(&row_key(2)).is_err());
    assert!(store.scan(b"a", b"b", 10).is_err());
    store.clear(b"a").unwrap();
    assert_eq!(all(&store), [(row_key(3), b"three".to_vec())]);
}

#[test]
fn a_store_of_the_first_layout_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    drop(SledStore::open(&path, &options()).unwrap());
    let db = ::sled::Config::new().path(&path).segment_size(8 << 20).open().unwrap();
    let expected: Vec<Row> = (0..3_000u32).map(|n| (n.to_be_bytes().to_vec(), vec![9; 40])).collect();
    for (row, payload) in &expected {
        let stored = [&[key::ROWS_APART], row.as_slice()].concat();
        db.insert(stored.clone(), value::frame(&stored, payload)).unwrap();
    }
    let first = [&1u32.to_be_bytes()[..], &0u64.to_be_bytes(), &crate::EMPTY_ROOT].concat();
    db.insert(key::HEAD, value::frame(key::HEAD, &first)).unwrap();
    db.flush().unwrap();
    drop(db);
    let store = SledStore::open(&path, &options()).unwrap();
    assert_eq!(all(&store), expected);
    drop(store);
    assert_eq!(stored(&path, key::ROWS_APART), 0);
    let store = SledStore::open(&path, &options()).unwrap();
    assert_eq!(all(&store), expected);
    let other = [&(open::LAYOUT + 1).to_be_bytes()[..], &0u64.to_be_bytes(), &crate::EMPTY_ROOT].concat();
    store.engine.db.insert(key::HEAD, value::frame(key::HEAD, &other)).unwrap();
    store.flush_all().unwrap();
    drop(store);
    assert!(SledStore::open(&path, &options()).is_err());
}

#[test]
fn rows_are_found_while_they_settle_and_pages_are_cut() {
    const ROUNDS: u32 = 30;
    const ROWS: u32 = 400;
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&dir.path().join("store"), &options()).unwrap();
    let written = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for reader in 0..3u32 {
            let (store, written) = (&store, &written);
            scope.spawn(move || {
                let mut number = reader;
                loop {
                    let there = written.load(std::sync::atomic::Ordering::Acquire);
                    if there == ROUNDS * ROWS {
                        break;
                    }
                    if there > 0 {
                        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let asked = number % there;
                        assert_eq!(
                            store.row(&key_of(asked)).unwrap(),
                            Some(asked.to_be_bytes().to_vec()),
                            "{asked}"
                        );
                    }
                }
            });
        }
        for round in 0..ROUNDS {
            let changes = (0..ROWS)
                .map(|n| round * ROWS + n)
                .map(|number| RowChange::Put { key: key_of(number), value: number.to_be_bytes().to_vec() });
            store.write_rows(0, &changes.collect::<Vec<_>>()).unwrap();
            written.store((round + 1) * ROWS, std::sync::atomic::Ordering::Release);
        }
    });
    store.rows.settle_all().unwrap();
    for number in 0..ROUNDS * ROWS {
        assert_eq!(store.row(&key_of(number)).unwrap(), Some(number.to_be_bytes().to_vec()));
    }
}

/// Keys that lie scattered, so that old pages are cut in the middle.
fn key_of(number: u32) -> Vec<u8> {
    [b"s".as_slice(), &number.wrapping_mul(0x9E37_79B1).to_be_bytes()].concat()
}
