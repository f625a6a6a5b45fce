//! What every implementation of [`Store`] has to pass.
//!
//! [`run`] panics at the first rule that doesn't hold; it is for tests only.
#![expect(clippy::expect_used, reason = "a check that fails ends the test that runs it")]

use crate::{
    Batch, BodyBytes, EMPTY_ROOT, EntryBytes, RowChange, Store, StoreError, TILE_HASHES, Tile, prefix_end,
};

/// Runs every check, each on a store of its own: `make` gives one without entries, `reopen` closes a store and
/// opens it again with what is durable.
pub fn run<S: Store>(make: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    a_new_store_is_empty(&make());
    a_batch_is_read_back(make(), &reopen);
    pages_keep_to_their_bounds(&make());
    a_stale_writer_is_fenced_and_changes_nothing(&make());
    what_is_staged_is_read_and_not_durable(make(), &reopen);
    a_misshapen_batch_changes_nothing(&make());
    tiles_are_kept_and_never_changed(make(), &reopen);
    blobs_are_kept(make(), &reopen);
    rows_change_with_the_batch(&make());
    rows_are_scanned_in_order(&make());
    rows_follow_the_log(make(), &reopen);
    clearing_starts_a_rebuild(make(), &reopen);
    a_closed_store_is_read_only(&make());
}

/// An entry whose bytes follow from its number.
pub fn entry(number: u64) -> EntryBytes {
    let bytes = number.to_be_bytes();
    EntryBytes {
        core: [b"core", &bytes[..]].concat(),
        secret: [bytes[7]; 32],
        parts: vec![bytes.to_vec(), Vec::new(), vec![bytes[7]; 100]],
    }
}

/// A body whose bytes follow from its entry's number; each third is empty.
pub fn body(number: u64) -> BodyBytes {
    if number.is_multiple_of(3) {
        return BodyBytes::default();
    }
    BodyBytes { items: vec![([number.to_be_bytes()[7]; 32], number.to_be_bytes().repeat(20))] }
}

/// A batch of the entries with these numbers, their bodies, and a root that follows from them.
pub fn batch(numbers: std::ops::Range<u64>) -> Batch {
    Batch {
        entries: numbers.clone().map(entry).collect(),
        bodies: numbers.clone().map(body).collect(),
        root: [numbers.end.to_be_bytes()[7]; 32],
        ..Batch::default()
    }
}

fn a_new_store_is_empty(store: &impl Store) {
    assert_eq!(store.size().expect("size"), 0);
    assert_eq!(store.head().expect("head"), (0, EMPTY_ROOT));
    assert_eq!(store.applied_to().expect("applied_to"), 0);
    store.check_space(&batch(0..1)).expect("there is room");
    assert_eq!(store.size().expect("size"), 0);
    assert_eq!(store.entries(0..10, 1_000).expect("entries"), []);
    assert_eq!(store.bodies(0..10, 1_000).expect("bodies"), []);
    assert_eq!(store.tile(0, 0).expect("tile"), None);
    assert_eq!(store.blob(&[0; 32]).expect("blob"), None);
    assert_eq!(store.row(b"key").expect("row"), None);
    assert_eq!(store.scan(b"", &prefix_end(b""), 10).expect("scan"), []);
    assert_eq!(store.stopped(), None);
}

fn a_batch_is_read_back<S: Store>(store: S, reopen: &impl Fn(S) -> S) {
    let mut batch_bounds = [0, 1, 256, 513, 1_537].windows(2);
    let mut store = store;
    while let Some(&[from, to]) = batch_bounds.next() {
        store.append(from, &batch(from..to)).expect("append");
        assert_eq!(store.head().expect("head"), (to, batch(from..to).root));
        store = reopen(store);
        assert_eq!(store.head().expect("head after reopening"), (to, batch(from..to).root));
        let entries: Vec<EntryBytes> = (0..to).map(entry).collect();
        assert_eq!(store.entries(0..to, usize::MAX).expect("entries"), entries);
        let bodies: Vec<BodyBytes> = (0..to).map(body).collect();
        assert_eq!(store.bodies(0..to, usize::MAX).expect("bodies"), bodies);
    }
}

fn pages_keep_to_their_bounds(store: &impl Store) {
    store.append(0, &batch(0..300)).expect("append");
    store.append(300, &batch(300..310)).expect("append");
    for start in [0, 1, 254, 255, 256, 257, 299, 300, 309] {
        let one = store.entries(start..310, 0).expect("a page of no bytes");
        assert_eq!(one, [entry(start)], "at least one from {start}");
        let exact = entry(start).bytes().saturating_mul(3);
        let count = usize::try_from(310_u64.saturating_sub(start)).unwrap_or(usize::MAX).min(3);
        assert_eq!(store.entries(start..u64::MAX, exact).expect("three").len(), count, "from {start}");
        let short = exact.saturating_sub(1);
        assert_eq!(store.entries(start..u64::MAX, short).expect("two").len(), count.min(2), "from {start}");
        assert_eq!(store.bodies(start..start.saturating_add(1), 0).expect("one body"), [body(start)]);
    }
    assert_eq!(store.entries(308..1_000, usize::MAX).expect("never above size").len(), 2);
    assert_eq!(store.entries(310..1_000, usize::MAX).expect("at the end"), []);
    assert_eq!(store.entries(311..1_000, usize::MAX).expect("beyond the end"), []);
    assert_eq!(store.entries(5..5, usize::MAX).expect("an empty range"), []);
    assert_eq!(store.bodies(310..1_000, usize::MAX).expect("at the end"), []);
}

fn what_is_staged_is_read_and_not_durable<S: Store>(store: S, reopen: &impl Fn(S) -> S) {
    store.append(0, &batch(0..2)).expect("append");
    let mut second = batch(2..5);
    second.rows.push(put(b"row", b"second"));
    store.stage(2, &second).expect("stage");
    store.stage(5, &batch(5..6)).expect("stage");
    assert!(matches!(store.stage(5, &batch(5..6)), Err(StoreError::Fenced { expected: 5, actual: 6 })));
    assert_eq!(store.head().expect("head"), (2, batch(0..2).root));
    assert_eq!(store.entries(0..9, usize::MAX).expect("entries"), (0..6).map(entry).collect::<Vec<_>>());
    assert_eq!(store.bodies(4..9, usize::MAX).expect("bodies"), [body(4), body(5)]);
    assert_eq!(store.row(b"row").expect("row"), Some(b"second".to_vec()));
    assert_eq!(store.applied_to().expect("applied_to"), 5);
    store.sync(5).expect("sync");
    assert_eq!(store.head().expect("head"), (5, second.root));
    store.sync(5).expect("sync again");
    store.sync(6).expect("sync");
    let store = reopen(store);
    assert_eq!(store.head().expect("head"), (6, batch(5..6).root));
    for size in 6..206 {
        store.stage(size, &batch(size..size.saturating_add(1))).expect("stage");
    }
    let (durable, _) = store.head().expect("head");
    assert!(durable <= 206, "{durable}");
    store.append(206, &batch(206..207)).expect("append");
    assert_eq!(reopen(store).head().expect("head"), (207, batch(206..207).root));
}

fn a_stale_writer_is_fenced_and_changes_nothing(store: &impl Store) {
    store.append(0, &batch(0..2)).expect("append");
    for wrong in [0, 1, 3, u64::MAX] {
        let mut late = batch(7..8);
        late.rows.push(put(b"late", b"late"));
        let refused = store.append(wrong, &late);
        let is_fenced =
            matches!(&refused, Err(StoreError::Fenced { expected, actual: 2 }) if *expected == wrong);
        assert!(is_fenced, "a writer at {wrong}: {refused:?}");
    }
    assert_eq!(store.head().expect("head"), (2, batch(0..2).root));
    assert_eq!(store.row(b"late").expect("row"), None);
    store.append(2, &batch(2..3)).expect("the right writer goes on");
}

fn a_misshapen_batch_changes_nothing(store: &impl Store) {
    let mut without_body = batch(0..3);
    without_body.bodies.pop();
    let mut short_tile = batch(0..256);
    short_tile.tiles.push(Tile { level: 0, index: 0, hashes: vec![[1; 32]; TILE_HASHES.saturating_sub(1)] });
    let mut early_tile = batch(0..255);
    early_tile.tiles.push(tile(0, 0, 1));
    let mut nameless_row = batch(0..3);
    nameless_row.rows.push(put(b"", b"value"));
    for wrong in [Batch::default(), without_body, short_tile, early_tile, nameless_row] {
        assert!(matches!(store.append(0, &wrong), Err(StoreError::Shape { .. })));
        assert_eq!(store.head().expect("head"), (0, EMPTY_ROOT));
    }
    assert_eq!(store.stopped(), None);
}

fn tiles_are_kept_and_never_changed<S: Store>(store: S, reopen: &impl Fn(S) -> S) {
    let mut first = batch(0..512);
    first.tiles = vec![tile(0, 0, 1), tile(0, 1, 2)];
    store.append(0, &first).expect("append");
    let mut other = batch(512..513);
    other.tiles = vec![tile(0, 1, 3)];
    assert!(matches!(store.append(512, &other), Err(StoreError::Shape { .. })));
    other.tiles = vec![tile(0, 1, 2)];
    store.append(512, &other).expect("the same tile again");
    let store = reopen(store);
    assert_eq!(store.tile(0, 1).expect("tile"), Some(tile(0, 1, 2).hashes));
    assert_eq!(store.tile(0, 2).expect("tile"), None);
    assert_eq!(store.tile(1, 0).expect("tile"), None);
}

fn blobs_are_kept<S: Store>(store: S, reopen: &impl Fn(S) -> S) {
    let large: Vec<u8> = (0..200_000_u32).map(|number| number.to_be_bytes()[3]).collect();
    store.put_blob(&[1; 32], &large).expect("a blob of many chunks");
    store.put_blob(&[2; 32], b"").expect("a blob of no bytes");
    store.put_blob(&[1; 32], &large).expect("the same again");
    assert!(matches!(store.put_blob(&[1; 32], b"other"), Err(StoreError::BlobDiffers)));
    let store = reopen(store);
    assert_eq!(store.blob(&[1; 32]).expect("blob"), Some(large));
    assert_eq!(store.blob(&[2; 32]).expect("blob"), Some(Vec::new()));
    assert_eq!(store.blob(&[3; 32]).expect("blob"), None);
}

fn rows_change_with_the_batch(store: &impl Store) {
    let mut first = batch(0..1);
    first.rows = vec![put(b"a", b"1"), put(b"b", b"2"), put(b"a", b"3"), put(b"c", b""), delete(b"none")];
    store.append(0, &first).expect("append");
    assert_eq!(store.applied_to().expect("applied_to"), 1);
    assert_eq!(store.row(b"a").expect("row"), Some(b"3".to_vec()));
    assert_eq!(store.row(b"c").expect("row"), Some(Vec::new()));
    let mut second = batch(1..2);
    second.rows = vec![put(b"b", b"4"), delete(b"b"), delete(b"a"), put(b"a", b"5")];
    store.append(1, &second).expect("append");
    assert_eq!(store.row(b"a").expect("row"), Some(b"5".to_vec()));
    assert_eq!(store.row(b"b").expect("row"), None);
    store.append(2, &batch(2..3)).expect("append without rows");
    assert_eq!(store.applied_to().expect("applied_to"), 2);
}

fn rows_are_scanned_in_order(store: &impl Store) {
    let keys: [&[u8]; 6] = [b"a", b"ab", b"b", b"b\xff", b"c", b"\xff\xff"];
    let rows: Vec<RowChange> = keys.iter().map(|key| put(key, key)).collect();
    store.write_rows(0, &rows).expect("write_rows");
    let scan = |from: &[u8], to: &[u8], limit| -> Vec<Vec<u8>> {
        let rows = store.scan(from, to, limit).expect("scan");
        assert!(rows.iter().all(|(key, value)| key == value));
        rows.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(scan(b"", &prefix_end(b""), 10), keys);
    assert_eq!(scan(b"", &prefix_end(b""), 2), [keys[0], keys[1]]);
    assert_eq!(scan(b"ab", b"c", 10), keys[1..4]);
    assert_eq!(scan(b"ab", b"c", 1), [keys[1]]);
    assert_eq!(scan(b"b", &prefix_end(b"b"), 10), keys[2..4]);
    assert_eq!(scan(b"\xff", &prefix_end(b"\xff"), 10), [keys[5]]);
    assert!(scan(b"c", b"a", 10).is_empty());
    assert!(scan(b"a", b"a", 10).is_empty());
    assert!(scan(b"", &prefix_end(b""), 0).is_empty());
}

fn rows_follow_the_log<S: Store>(store: S, reopen: &impl Fn(S) -> S) {
    store.append(0, &batch(0..5)).expect("append");
    assert_eq!(store.applied_to().expect("applied_to"), 0);
    store.write_rows(3, &[put(b"a", b"1")]).expect("write_rows");
    store.write_rows(3, &[put(b"b", b"1")]).expect("the same place again");
    for asked in [2, 6] {
        let refused = store.write_rows(asked, &[put(b"a", b"2")]);
        assert!(matches!(refused, Err(StoreError::AppliedTo { current: 3, size: 5, .. })));
    }
    store.flush_all().expect("flush_all");
    let store = reopen(store);
    assert_eq!(store.applied_to().expect("applied_to"), 3);
    assert_eq!(store.row(b"a").expect("row"), Some(b"1".to_vec()));
    assert_eq!(store.row(b"b").expect("row"), Some(b"1".to_vec()));
}

fn clearing_starts_a_rebuild<S: Store>(store: S, reopen: &impl Fn(S) -> S) {
    let mut first = batch(0..1);
    first.rows =
        (0..2_500_u16).map(|number| put(&[b"x", &number.to_be_bytes()[..]].concat(), b"1")).collect();
    first.rows.push(put(b"y", b"1"));
    store.append(0, &first).expect("append");
    store.clear(b"x").expect("clear");
    let store = reopen(store);
    assert_eq!(store.applied_to().expect("applied_to"), 0);
    assert_eq!(store.scan(b"", &prefix_end(b""), 10).expect("scan").len(), 1);
    store.clear(b"").expect("clear all");
    assert_eq!(store.scan(b"", &prefix_end(b""), 10).expect("scan"), []);
    assert_eq!(store.entries(0..1, 0).expect("entries stay"), [entry(0)]);
}

fn a_closed_store_is_read_only(store: &impl Store) {
    store.append(0, &batch(0..2)).expect("append");
    store.close().expect("close");
    store.close().expect("close again");
    assert!(store.stopped().is_some());
    assert!(matches!(store.append(2, &batch(2..3)), Err(StoreError::Stopped { .. })));
    assert!(matches!(store.write_rows(0, &[]), Err(StoreError::Stopped { .. })));
    assert!(matches!(store.put_blob(&[1; 32], b"blob"), Err(StoreError::Stopped { .. })));
    assert!(matches!(store.clear(b""), Err(StoreError::Stopped { .. })));
    assert!(matches!(store.flush_all(), Err(StoreError::Stopped { .. })));
    assert_eq!(store.entries(0..2, usize::MAX).expect("reads go on").len(), 2);
}

fn put(key: &[u8], value: &[u8]) -> RowChange {
    RowChange::Put { key: key.to_vec(), value: value.to_vec() }
}

fn delete(key: &[u8]) -> RowChange {
    RowChange::Delete { key: key.to_vec() }
}

fn tile(level: u8, index: u64, fill: u8) -> Tile {
    Tile { level, index, hashes: vec![[fill; 32]; TILE_HASHES] }
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::memory::MemoryStore;
    use crate::sled::{Options, SledStore};
    use std::cell::Cell;

    #[test]
    fn the_memory_store_conforms() {
        run(MemoryStore::new, |store| store);
    }

    #[test]
    fn the_sled_store_conforms() {
        let dir = tempfile::tempdir().unwrap();
        let options =
            Options { cache_bytes: 8 << 20, must_exist: false, reserve_bytes: 1 << 20, rows_bytes: 4 << 10 };
        let number = Cell::new(0_u32);
        let path = || dir.path().join(number.get().to_string());
        let make = || {
            number.set(number.get().saturating_add(1));
            SledStore::open(&path(), &options).unwrap()
        };
        let reopen = |store| {
            drop(store);
            SledStore::open(&path(), &Options { must_exist: true, ..options.clone() }).unwrap()
        };
        run(make, reopen);
    }
}
