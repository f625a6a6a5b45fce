//! A filled store, and copies of it to damage.

use credit_store::sled::{Options, SledStore};
use credit_store::{Batch, BodyBytes, EntryBytes, RowChange, Store, StoreError};
use std::fs;
use std::path::{Path, PathBuf};

/// The entries of a filled store.
pub(crate) const SIZE: u64 = 1_200;

/// A small cache and reserve; a missing store is an error.
pub(crate) fn existing() -> Options {
    Options { cache_bytes: 4 << 20, must_exist: true, reserve_bytes: 1 << 20, rows_bytes: 4 << 10 }
}

/// The same, creating what is missing.
pub(crate) fn creating() -> Options {
    Options { must_exist: false, ..existing() }
}

/// An entry of about 2 KB that follows from its index.
pub(crate) fn entry(index: u64) -> EntryBytes {
    let mut random = Random(index);
    EntryBytes {
        core: index.to_be_bytes().to_vec(),
        secret: [u8::try_from(index % 251).unwrap(); 32],
        parts: vec![random.bytes(1_500), random.bytes(500)],
    }
}

/// Its body.
pub(crate) fn body(index: u64) -> BodyBytes {
    BodyBytes { items: vec![([u8::try_from(index % 253).unwrap(); 32], Random(!index).bytes(300))] }
}

/// Entries, bodies, a row for each entry, and a root.
pub(crate) fn batch(from: u64, to: u64) -> Batch {
    Batch {
        entries: (from..to).map(entry).collect(),
        bodies: (from..to).map(body).collect(),
        tiles: Vec::new(),
        rows: (from..to)
            .map(|index| RowChange::Put { key: index.to_be_bytes().to_vec(), value: vec![7; 100] })
            .collect(),
        root: [u8::try_from(to % 251).unwrap(); 32],
    }
}

/// A store of [`SIZE`] entries, closed, opened once more and closed, so that it has a snapshot.
pub(crate) fn filled(dir: &Path) -> PathBuf {
    let path = dir.join("filled");
    let store = SledStore::open(&path, &creating()).unwrap();
    for from in (0..SIZE).step_by(100) {
        store.append(from, &batch(from, from + 100)).unwrap();
    }
    drop(store);
    drop(SledStore::open(&path, &existing()).unwrap());
    path
}

/// A copy of a store's files.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &to.join(file.file_name()));
        } else {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// The names of a store's snapshot files.
pub(crate) fn snapshots(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("snap.")).collect()
}

/// Reads everything below the head and compares it with what was written; errors are passed on.
pub(crate) fn check_contents(store: &SledStore) -> Result<u64, StoreError> {
    let (size, root) = store.head()?;
    assert_eq!(root[0], u8::try_from(size % 251).unwrap());
    let mut next = 0;
    while next < size {
        let entries = store.entries(next..size, 1 << 20)?;
        let bodies = store.bodies(next..size, usize::MAX)?;
        for (index, (entry_read, body_read)) in (next..).zip(entries.iter().zip(&bodies)) {
            assert_eq!(*entry_read, entry(index));
            assert_eq!(*body_read, body(index));
        }
        next += u64::try_from(entries.len().min(bodies.len())).unwrap();
    }
    for index in 0..size {
        assert_eq!(store.row(&index.to_be_bytes())?, Some(vec![7; 100]));
    }
    Ok(size)
}

/// Numbers that follow from a seed (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn byte_of(&mut self, bytes: [u8; 4]) -> u8 {
        *bytes.get(usize::try_from(self.below(4)).unwrap()).unwrap()
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_be_bytes()[7]).collect()
    }
}
