use super::*;
use credit_log::tile::TileEdge;
use credit_store::memory::MemoryStore;
use std::sync::atomic::{AtomicBool, Ordering};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A head of so many entries.
fn published(size: u64) -> Arc<SignedHead> {
    let mut edge = TileEdge::new();
    for index in 0..size {
        edge.append(credit_log::hash::leaf_hash(&index.to_be_bytes()));
    }
    Arc::new(SignedHead { root: edge.root(), edge, checkpoint: String::new(), recorded_at_us: 0 })
}

fn key(number: u16) -> Vec<u8> {
    [b"r".as_slice(), &number.to_be_bytes()].concat()
}

fn put(number: u16, value: u64) -> RowChange {
    RowChange::Put { key: key(number), value: value.to_be_bytes().to_vec() }
}

fn applied(model: &Model, changes: &[RowChange]) -> Model {
    let mut after = model.clone();
    for change in changes {
        match change {
            RowChange::Put { key, value } => drop(after.insert(key.clone(), value.clone())),
            RowChange::Delete { key } => drop(after.remove(key)),
        }
    }
    after
}

/// Reads everything in every way and holds it against the model.
fn reads_as(head: &SignedRows, store: &MemoryStore, model: &Model) {
    for number in 0..1_200 {
        let key = key(number);
        assert_eq!(head.row(store, &key).unwrap(), model.get(&key).cloned(), "{number}");
    }
    let all: Vec<KeyAndValue> = model.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    for (from, to) in [(0, 1_200), (0, 1), (300, 301), (255, 257), (400, 1_100), (7, 7), (9, 8)] {
        let (from, to) = (key(from), key(to));
        let within: Vec<KeyAndValue> =
            all.iter().filter(|(key, _)| (&from..&to).contains(&key)).cloned().collect();
        for limit in [1, 2, PAGE_MIN - 1, PAGE_MIN, PAGE_MIN + 1, 2_000] {
            let wanted = &within[..limit.min(within.len())];
            assert_eq!(head.rows(store, &from, &to, limit).unwrap(), wanted, "{from:?} {limit}");
        }
    }
}

#[test]
fn rows_read_as_under_the_signed_head_until_the_next_one() {
    let store = MemoryStore::new();
    let head = SignedRows::new(published(0));
    let mut model = Model::new();
    let groups: [Vec<RowChange>; 5] = [
        (0..400).map(|number| put(number, 1)).collect(),
        // More new rows in a row than are read at once; some rows change, one twice.
        (300..1_100).chain([300]).map(|number| put(number, 2)).collect(),
        (0..1_100).step_by(3).map(|number| RowChange::Delete { key: key(number) }).collect(),
        vec![RowChange::Delete { key: key(1) }, put(1, 4), put(2, 4), RowChange::Delete { key: key(2) }],
        (0..1_200).map(|number| put(number, 5)).collect(),
    ];
    for (size, changes) in (1..).zip(groups) {
        let before = Stored::new(&store).before(&changes).unwrap();
        head.hide(before);
        reads_as(&head, &store, &model);
        store.write_rows(0, &changes).unwrap();
        reads_as(&head, &store, &model);
        model = applied(&model, &changes);
        head.show(published(size), 1);
        reads_as(&head, &store, &model);
    }
    // A group of which nothing was written leaves nothing behind.
    head.hide(Stored::new(&store).before(&[put(3, 9)]).unwrap());
    head.unhide();
    reads_as(&head, &store, &model);
    // A group that failed stays hidden, whatever of it was written.
    head.hide(Stored::new(&store).before(&[put(3, 9), put(4, 9)]).unwrap());
    store.write_rows(0, &[put(4, 9)]).unwrap();
    reads_as(&head, &store, &model);
}

#[test]
fn of_several_groups_on_their_way_each_is_seen_with_its_head() {
    let store = MemoryStore::new();
    let head = SignedRows::new(published(0));
    let groups: [Vec<RowChange>; 4] = [
        (0..600).map(|number| put(number, 1)).collect(),
        (300..900).map(|number| put(number, 2)).collect(),
        (0..900).step_by(2).map(|number| RowChange::Delete { key: key(number) }).collect(),
        (100..1_000).step_by(3).map(|number| put(number, 4)).collect(),
    ];
    let mut models = vec![Model::new()];
    for changes in &groups {
        head.hide(Stored::new(&store).before(changes).unwrap());
        store.write_rows(0, changes).unwrap();
        models.push(applied(models.last().unwrap(), changes));
        reads_as(&head, &store, &models[0]);
    }
    head.hide(Stored::new(&store).before(&[put(3, 9)]).unwrap());
    head.unhide();
    reads_as(&head, &store, &models[0]);
    head.show(published(1), 1);
    reads_as(&head, &store, &models[1]);
    head.show(published(3), 2);
    reads_as(&head, &store, &models[3]);
    head.show(published(4), 1);
    reads_as(&head, &store, &models[4]);
}

#[test]
fn a_row_belongs_to_a_head_that_is_signed_when_it_is_read() {
    const GROUPS: u64 = 3_000;
    let store = MemoryStore::new();
    store.write_rows(0, &[put(0, 0), put(1, 0)]).unwrap();
    let head = SignedRows::new(published(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut edge = TileEdge::new();
            for group in 1..=GROUPS {
                let changes = [put(0, group), put(1, group)];
                head.hide(Stored::new(&store).before(&changes).unwrap());
                store.write_rows(0, &changes).unwrap();
                edge.append([0; 32]);
                let (edge, root) = (edge.clone(), edge.root());
                let signed = SignedHead { edge, root, checkpoint: String::new(), recorded_at_us: 0 };
                head.show(Arc::new(signed), 1);
            }
            done.store(true, Ordering::SeqCst);
        });
        let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
        let mut last = false;
        while !last {
            last = done.load(Ordering::SeqCst);
            let least = head.head().edge.size();
            let first = number(&head.row(&store, &key(0)).unwrap().unwrap());
            let listed = head.rows(&store, &key(0), &key(9), 9).unwrap();
            let most = head.head().edge.size();
            let second = number(&listed[1].1);
            assert!(least <= first && first <= second && second <= most, "{least} {first} {second} {most}");
        }
        assert_eq!(head.head().edge.size(), GROUPS);
    });
}

#[tokio::test]
async fn who_comes_after_somebody_was_told_waits_for_the_head() {
    let head = Arc::new(SignedRows::new(published(2)));
    head.caught_up().await;
    head.tell(4);
    let waits = || {
        let head = Arc::clone(&head);
        tokio::spawn(async move {
            head.caught_up().await;
            head.head().edge.size()
        })
    };
    let waiting = waits();
    head.hide(Before::default());
    head.show(published(3), 1);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished(), "a head below what was told is not enough");
    head.hide(Before::default());
    head.show(published(4), 1);
    assert_eq!(waiting.await.unwrap(), 4);
    // Where nothing more will be shown, nobody waits for it.
    head.tell(5);
    let waiting = waits();
    tokio::task::yield_now().await;
    head.end();
    assert_eq!(waiting.await.unwrap(), 4);
    head.caught_up().await;
}
