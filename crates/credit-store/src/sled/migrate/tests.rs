use super::super::open::{LAYOUT, LAYOUT_INSIDE, LAYOUT_ROWS_APART, LAYOUT_WITHOUT_PATCHES};
use super::super::pack::blocks;
use super::super::value::{frame, unframe};
use super::super::{Options, SledStore, key};
use crate::{BodyBytes, EMPTY_ROOT, EntryBytes, Row, RowChange, Store, StoreError, TILE_HASHES, prefix_end};
use crate::{conformance, sled::commit};
use std::path::Path;

const SIZE: u64 = 700;

fn options() -> Options {
    Options { cache_bytes: 4 << 20, must_exist: false, reserve_bytes: 1 << 20, rows_bytes: 64 << 10 }
}

/// A directory with an engine, and none of the files beside it.
fn engine(path: &Path) -> ::sled::Db {
    drop(SledStore::open(path, &options()).unwrap());
    for file in std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if ["blocks", "pages"].contains(&name.as_str()) || name.starts_with("journal.") {
            std::fs::remove_file(file).unwrap();
        }
    }
    ::sled::Config::new().path(path).segment_size(8 << 20).open().unwrap()
}

fn put(db: &::sled::Db, key: &[u8], payload: &[u8]) {
    db.insert(key, frame(key, payload)).unwrap();
}

fn head(db: &::sled::Db, layout: u32, size: u64, root: [u8; 32]) {
    put(db, key::HEAD, &[&layout.to_be_bytes()[..], &size.to_be_bytes(), &root].concat());
}

fn rows() -> Vec<Row> {
    (0..3_000u32).map(|n| (n.to_be_bytes().to_vec(), vec![9; 40])).collect()
}

fn all(store: &SledStore) -> Vec<Row> {
    store.scan(b"", &prefix_end(b""), 60_000).unwrap()
}

fn count(path: &Path, table: u8) -> usize {
    let db = ::sled::Config::new().path(path).segment_size(8 << 20).open().unwrap();
    db.scan_prefix([table]).count()
}

/// Entries as they were packed: blocks cut into pieces. One body is larger than a value could be.
fn put_log(db: &::sled::Db) -> (Vec<EntryBytes>, Vec<BodyBytes>) {
    let entries: Vec<EntryBytes> = (0..SIZE).map(conformance::entry).collect();
    let mut bodies: Vec<BodyBytes> = (0..SIZE).map(conformance::body).collect();
    bodies[300] = BodyBytes { items: vec![([3; 32], vec![4; 200_000])] };
    let all = [(key::ENTRIES, blocks(0, &entries)), (key::BODIES, blocks(0, &bodies))];
    for (table, block) in
        all.iter().flat_map(|(table, blocks)| blocks.iter().map(move |block| (*table, block)))
    {
        let pieces: Vec<&[u8]> = block.bytes.chunks(60_000).collect();
        let mut first = pieces[0].to_vec();
        first[..2].copy_from_slice(&u16::try_from(pieces.len()).unwrap().to_be_bytes());
        put(db, &key::block(table, block.first, 0), &first);
        for (number, piece) in (1..).zip(&pieces[1..]) {
            put(db, &key::block(table, block.first, number), piece);
        }
    }
    for index in 0..SIZE / 256 {
        let name = [&[key::TILES_INSIDE, 0][..], &index.to_be_bytes()].concat();
        put(db, &name, &vec![index.to_be_bytes()[7]; TILE_HASHES * 32]);
    }
    (entries, bodies)
}

#[test]
fn a_store_of_the_first_layout_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let db = engine(&path);
    for (row, payload) in rows() {
        put(&db, &[&[key::ROWS_APART], row.as_slice()].concat(), &payload);
    }
    head(&db, LAYOUT_ROWS_APART, 0, EMPTY_ROOT);
    db.flush().unwrap();
    drop(db);
    assert_eq!(all(&SledStore::open(&path, &options()).unwrap()), rows());
    assert_eq!(count(&path, key::ROWS_APART), 0);
    assert_eq!(all(&SledStore::open(&path, &options()).unwrap()), rows());
}

#[test]
fn a_store_of_the_second_layout_is_taken_over_even_where_that_was_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let db = engine(&path);
    let (entries, bodies) = put_log(&db);
    let (paged, journal) = rows().into_iter().partition::<Vec<Row>, _>(|(key, _)| key < &vec![0, 0, 8]);
    for page in paged.chunks(50) {
        let lower = if page[0] == paged[0] { &page[0].0[..1] } else { &page[0].0 };
        let rows: Vec<_> = page.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
        let name = [&[key::PAGES_INSIDE], lower].concat();
        put(&db, &name, &super::super::rows::page_of(&rows));
    }
    let mut changes = Vec::new();
    let puts = journal.into_iter().map(|(key, value)| RowChange::Put { key, value });
    commit::write_changes(&mut changes, &puts.collect::<Vec<_>>());
    put(&db, &key::block(key::JOURNAL_INSIDE, 5, 0), &changes);
    put(&db, key::APPLIED, &600_u64.to_be_bytes());
    head(&db, LAYOUT_INSIDE, SIZE, [7; 32]);
    let before: Vec<_> = db.iter().map(Result::unwrap).collect();
    db.flush().unwrap();
    drop(db);
    let check = |store: &SledStore| {
        assert_eq!((store.head().unwrap(), store.applied_to().unwrap()), ((SIZE, [7; 32]), 600));
        assert_eq!(store.entries(0..SIZE, usize::MAX).unwrap(), entries);
        assert_eq!(store.bodies(0..SIZE, usize::MAX).unwrap(), bodies);
        assert_eq!(store.tile(0, 1).unwrap(), Some(vec![[1; 32]; TILE_HASHES]));
        assert_eq!(store.tile(0, 2).unwrap(), None);
        assert_eq!(all(store), rows());
    };
    check(&SledStore::open(&path, &options()).unwrap());
    assert_eq!(
        count(&path, key::ENTRIES) + count(&path, key::PAGES_INSIDE) + count(&path, key::JOURNAL_INSIDE),
        0
    );
    // All that was done is there, and all that was to go too, as if the process had ended before the new head.
    let db = ::sled::Config::new().path(&path).segment_size(8 << 20).open().unwrap();
    for (key, value) in before {
        db.insert(key, value).unwrap();
    }
    db.flush().unwrap();
    drop(db);
    let store = SledStore::open(&path, &options()).unwrap();
    check(&store);
    store.append(SIZE, &conformance::batch(SIZE..SIZE + 10)).unwrap();
    assert_eq!(store.entries(SIZE..SIZE + 10, usize::MAX).unwrap().len(), 10);
}

#[test]
fn a_store_without_patches_says_the_present_layout_once_it_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::open(&path, &options()).unwrap();
    let changes = rows().into_iter().map(|(key, value)| RowChange::Put { key, value });
    store.write_rows(0, &changes.collect::<Vec<_>>()).unwrap();
    store.close().unwrap();
    drop(store);
    let db = || ::sled::Config::new().path(&path).segment_size(8 << 20).open().unwrap();
    let payload = |db: &::sled::Db| {
        let value = db.get(key::HEAD).unwrap().unwrap();
        unframe("head", key::HEAD, &value).unwrap().to_vec()
    };
    let (layout, rest) = payload(&db()).split_first_chunk().map(|(at, rest)| (*at, rest.to_vec())).unwrap();
    assert_eq!(u32::from_be_bytes(layout), LAYOUT);
    put(&db(), key::HEAD, &[&LAYOUT_WITHOUT_PATCHES.to_be_bytes(), rest.as_slice()].concat());
    assert_eq!(all(&SledStore::open(&path, &options()).unwrap()), rows());
    assert_eq!(payload(&db()), [&LAYOUT.to_be_bytes(), rest.as_slice()].concat());
}

#[test]
fn a_store_of_a_later_layout_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let db = engine(&path);
    head(&db, LAYOUT + 1, 0, EMPTY_ROOT);
    db.flush().unwrap();
    drop(db);
    let refused = SledStore::open(&path, &options());
    assert!(matches!(refused, Err(StoreError::Layout { found, known }) if found == known + 1));
}
