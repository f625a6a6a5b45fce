use super::super::file::Place;
use super::super::journal::SEGMENTS_MAX;
use super::super::memory::ROW_OVERHEAD_BYTES;
use super::super::{Options, SledStore, key, value};
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
    store.settling.all().unwrap();
    assert_eq!(all(&store), expected);
    for (key, value) in &expected {
        assert_eq!(store.row(key).unwrap().as_ref(), Some(value));
    }
    assert_eq!(store.journal().segments(), 1);
    drop(store);
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
    store.settling.all().unwrap();
    store.write_rows(0, &[put(1, b"new"), RowChange::Delete { key: row_key(2) }, put(3, b"fresh")]).unwrap();
    let seen = all(&store);
    store.flush_all().unwrap();
    // As if the process had ended before the journal was cut: the settled head is the older one, all else the newer.
    let (older, journal) = (store.engine.db.get(key::HEAD).unwrap().unwrap(), journal_files(&path));
    store.settling.all().unwrap();
    store.engine.db.insert(key::HEAD, older).unwrap();
    assert_eq!(all(&store), seen);
    drop(store);
    for (name, bytes) in journal {
        std::fs::write(path.join(name), bytes).unwrap();
    }
    for again in 0..2 {
        let store = SledStore::open(&path, &options()).unwrap();
        assert_eq!(all(&store), seen);
        assert_eq!(store.row(&row_key(2)).unwrap(), None);
        assert_eq!(store.row(&row_key(1)).unwrap().as_deref(), Some(b"new".as_slice()));
        if again == 0 {
            store.settling.all().unwrap();
        }
    }
}

fn journal_files(path: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let names = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().file_name());
    let names = names.filter(|name| name.to_str().unwrap().starts_with("journal."));
    names.map(|name| (name.clone(), std::fs::read(path.join(name)).unwrap())).collect()
}

#[test]
fn many_short_runs_leave_few_pieces_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let mut most = 0;
    for run in 0..30u32 {
        let store = SledStore::open(&path, &options()).unwrap();
        let pieces = store.journal().segments();
        assert!(pieces <= SEGMENTS_MAX, "{pieces} pieces");
        most = most.max(pieces);
        store.write_rows(0, &[put(run, &run.to_be_bytes())]).unwrap();
        assert_eq!(all(&store).len(), usize::try_from(run).unwrap() + 1);
    }
    assert_eq!(most, SEGMENTS_MAX, "as many are left, and no more");
    assert!(journal_files(&path).len() <= SEGMENTS_MAX + 2);
}

#[test]
fn memory_holds_no_more_than_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&dir.path().join("store"), &options()).unwrap();
    for round in 0..200u32 {
        let changes: Vec<RowChange> = (0..20).map(|n| put(round * 20 + n, &[1; 200])).collect();
        store.write_rows(0, &changes).unwrap();
        let one_write = 20 * (200 + 5 + ROW_OVERHEAD_BYTES);
        let fresh = store.memory.fresh_rows_bytes();
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
fn a_corrupt_page_or_patch_is_an_error_and_can_be_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&dir.path().join("store"), &options()).unwrap();
    let file =
        std::fs::OpenOptions::new().read(true).write(true).open(dir.path().join("store/pages")).unwrap();
    let page = key::page(b"a");
    let standing = || super::standing(&page, &store.engine.db.get(&page).unwrap().unwrap()).unwrap();
    let fails_with = |place: Place, bytes: &[u8]| {
        let mut before = vec![0; place.length as usize];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut before, place.offset).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, bytes, place.offset).unwrap();
        store.rows.last.lock().unwrap().clear();
        store.rows.kept.forget(&[standing().page]);
        assert!(store.row(&row_key(2)).is_err());
        assert!(store.scan(b"a", b"b", 10).is_err());
        before
    };
    store.write_rows(0, &[put(2, b"two"), put(3, b"three")]).unwrap();
    store.settling.all().unwrap();
    assert_eq!(standing().patch, None);
    store.write_rows(0, &[put(4, b"four")]).unwrap();
    store.settling.all().unwrap();
    let patch = standing().patch.unwrap();
    let before = fails_with(patch, &vec![0; patch.length as usize]);
    fails_with(patch, &value::frame(&key::patch(b"a"), &[0, 1, 1, 9, 9]));
    // A page is no patch, though its bytes look like one.
    fails_with(patch, &value::frame(&page, &[0, 1, 1, 9, 1]));
    std::os::unix::fs::FileExt::write_all_at(&file, &before, patch.offset).unwrap();
    assert_eq!(store.row(&row_key(4)).unwrap().as_deref(), Some(b"four".as_slice()));
    let place = standing().page;
    fails_with(place, &vec![0; place.length as usize]);
    fails_with(place, &value::frame(&page, b"no page"));
    store.clear(b"a").unwrap();
    assert_eq!(all(&store), [(row_key(3), b"three".to_vec())]);
}

#[test]
fn what_few_changes_make_of_a_page_stands_beside_it_until_it_has_grown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let mut store = SledStore::open(&path, &options()).unwrap();
    let page = key::page(b"a");
    let mut expected: Vec<Row> = (0..60).step_by(2).map(|number| (row_key(number), vec![1; 50])).collect();
    let first: Vec<RowChange> = (0..60).step_by(2).map(|number| put(number, &[1; 50])).collect();
    store.write_rows(0, &first).unwrap();
    store.settling.all().unwrap();
    let (mut stood, mut grown) = (Vec::new(), 0);
    for round in 0..40u8 {
        let number = u32::from(round) % 30 * 2;
        let gone = round % 7 == 3;
        let change =
            if gone { RowChange::Delete { key: row_key(number) } } else { put(number, &[round; 40]) };
        store.write_rows(0, &[change]).unwrap();
        store.settling.all().unwrap();
        expected.retain(|(key, _)| *key != row_key(number));
        if !gone {
            expected.push((row_key(number), vec![round; 40]));
            expected.sort();
        }
        if round % 9 == 8 {
            drop(store);
            store = SledStore::open(&path, &options()).unwrap();
        }
        assert_eq!(all(&store), expected);
        for (key, value) in &expected {
            assert_eq!(store.row(key).unwrap().as_ref(), Some(value));
        }
        assert_eq!(store.row(&row_key(number)).unwrap().is_none(), gone);
        let standing = super::standing(&page, &store.engine.db.get(&page).unwrap().unwrap()).unwrap();
        grown += usize::from(standing.patch.is_none());
        stood.push(standing.page);
    }
    stood.dedup();
    assert!(stood.len() < 5 && grown == stood.len() - 1, "{grown} of {stood:?}");
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
    store.settling.all().unwrap();
    for number in 0..ROUNDS * ROWS {
        assert_eq!(store.row(&key_of(number)).unwrap(), Some(number.to_be_bytes().to_vec()));
    }
}

/// Keys that lie scattered, so that old pages are cut in the middle.
fn key_of(number: u32) -> Vec<u8> {
    [b"s".as_slice(), &number.wrapping_mul(0x9E37_79B1).to_be_bytes()].concat()
}
