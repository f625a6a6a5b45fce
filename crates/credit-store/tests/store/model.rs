//! Random sequences of calls: the store on disk answers as the one in memory does.

use crate::sample::{Random, creating, existing};
use credit_store::memory::MemoryStore;
use credit_store::sled::SledStore;
use credit_store::{Batch, BodyBytes, EntryBytes, RowChange, Store, TILE_HASHES, Tile, prefix_end};
use std::fmt::Debug;

const SEEDS: u64 = 6;
const STEPS: u64 = 250;

fn rows(random: &mut Random) -> Vec<RowChange> {
    (0..random.below(6))
        .map(|_| {
            let key = key(random);
            let length = usize::try_from(random.below(3_000)).unwrap();
            if random.below(3) == 0 {
                RowChange::Delete { key }
            } else {
                RowChange::Put { key, value: random.bytes(length) }
            }
        })
        .collect()
}

/// Short keys of few different bytes, 0xFF among them, so that they meet; sometimes none.
fn key(random: &mut Random) -> Vec<u8> {
    let length = random.below(4).max(random.below(2));
    (0..length).map(|_| random.byte_of([0, 1, 0x7F, 0xFF])).collect()
}

fn batch(random: &mut Random, size: u64) -> Batch {
    let count = if random.below(4) == 0 { random.below(700) } else { random.below(5) };
    let largest = if random.below(5) == 0 { 30_000 } else { 300 };
    let mut bytes = |end| {
        let length = usize::try_from(random.below(end)).unwrap();
        random.bytes(length)
    };
    let count = if largest > 300 { count.min(40) } else { count };
    let entries: Vec<EntryBytes> = (0..count)
        .map(|_| EntryBytes {
            core: bytes(100),
            secret: [bytes(2).len().try_into().unwrap(); 32],
            parts: vec![bytes(largest), bytes(10)],
        })
        .collect();
    let bodies = (0..count)
        .map(|_| {
            let items = bytes(3).into_iter().map(|id| ([id; 32], bytes(largest * 3))).collect();
            BodyBytes { items }
        })
        .collect();
    let tile = size / 256 + random.below(2);
    let tiles = if random.below(2) == 0 {
        vec![Tile {
            level: 0,
            index: tile,
            hashes: vec![[random.below(2).try_into().unwrap(); 32]; TILE_HASHES],
        }]
    } else {
        Vec::new()
    };
    Batch { entries, bodies, tiles, rows: rows(random), root: [random.below(256).try_into().unwrap(); 32] }
}

/// Gives both answers the same form; errors are compared with their contents.
fn same<T: Debug>(call: &str, seed: u64, step: u64, on_disk: T, in_memory: T) {
    assert!(format!("{on_disk:?}") == format!("{in_memory:?}"), "seed {seed}, step {step}: {call} differs");
}

fn step(random: &mut Random, disk: &dyn Store, memory: &dyn Store, seed: u64, number: u64) {
    let size = memory.size().unwrap();
    let near = |random: &mut Random| (size + 2).saturating_sub(random.below(size.min(600) + 3));
    match random.below(11) {
        0..=2 => {
            let expected = if random.below(8) == 0 { near(random) } else { size };
            let batch = batch(random, size);
            same("append", seed, number, disk.append(expected, &batch), memory.append(expected, &batch));
        }
        3 => {
            let (start, end, bytes) =
                (near(random), near(random), usize::try_from(random.below(90_000)).unwrap());
            same("entries", seed, number, disk.entries(start..end, bytes), memory.entries(start..end, bytes));
        }
        4 => {
            let (start, end, bytes) =
                (near(random), near(random), usize::try_from(random.below(90_000)).unwrap());
            same("bodies", seed, number, disk.bodies(start..end, bytes), memory.bodies(start..end, bytes));
        }
        5 => {
            let index = random.below(size / 256 + 2);
            same("tile", seed, number, disk.tile(0, index), memory.tile(0, index));
        }
        6 => {
            let digest = [random.below(5).try_into().unwrap(); 32];
            let length = usize::try_from(random.below(150_000)).unwrap();
            let blob = if random.below(2) == 0 { digest.to_vec() } else { random.bytes(length) };
            same("put_blob", seed, number, disk.put_blob(&digest, &blob), memory.put_blob(&digest, &blob));
            same("blob", seed, number, disk.blob(&digest), memory.blob(&digest));
        }
        7 => {
            let applied_to = near(random);
            let rows = rows(random);
            let on_disk = disk.write_rows(applied_to, &rows);
            same("write_rows", seed, number, on_disk, memory.write_rows(applied_to, &rows));
        }
        8 => {
            let key = key(random);
            same("row", seed, number, disk.row(&key), memory.row(&key));
        }
        9 => {
            let (from, mut to, limit) = (key(random), key(random), usize::try_from(random.below(8)).unwrap());
            if random.below(3) == 0 {
                to = prefix_end(&from);
            }
            same("scan", seed, number, disk.scan(&from, &to, limit), memory.scan(&from, &to, limit));
        }
        _ => {
            if random.below(4) == 0 {
                let prefix = key(random);
                same("clear", seed, number, disk.clear(&prefix), memory.clear(&prefix));
            }
        }
    }
    same("head", seed, number, disk.head(), memory.head());
    same("applied_to", seed, number, disk.applied_to(), memory.applied_to());
    same("stopped", seed, number, disk.stopped(), memory.stopped());
}

#[test]
fn the_disk_answers_as_memory_does() {
    for seed in 0..SEEDS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let mut random = Random(seed);
        let memory = MemoryStore::new();
        let mut disk = SledStore::open(&path, &creating()).unwrap();
        for number in 0..STEPS {
            step(&mut random, &disk, &memory, seed, number);
            if random.below(60) == 0 {
                drop(disk);
                disk = SledStore::open(&path, &existing()).unwrap();
            }
        }
        let size = memory.size().unwrap();
        let all = prefix_end(b"");
        same(
            "all entries",
            seed,
            STEPS,
            disk.entries(0..size, usize::MAX),
            memory.entries(0..size, usize::MAX),
        );
        same("all bodies", seed, STEPS, disk.bodies(0..size, usize::MAX), memory.bodies(0..size, usize::MAX));
        let scan = |store: &dyn Store| store.scan(b"", &all, 60_000);
        same("all rows", seed, STEPS, scan(&disk), scan(&memory));
    }
}
