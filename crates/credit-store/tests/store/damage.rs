//! Single flipped bits in the store's files: noticed, or harmless; never wrong data, never a panic.

use crate::sample::{self, SIZE, check_contents, copy, existing, filled, snapshots};
use credit_store::Store;
use credit_store::sled::{Options, SledStore, compact};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The entries that have not settled.
const MORE: u64 = 20;
/// The places in each file at which a bit is flipped.
const PLACES: u64 = 24;

/// Flips one bit; tells whether the store was still read whole.
fn is_whole_after_flip(filled: &Path, copied: &Path, file: &str, offset: u64) -> bool {
    copy(filled, copied);
    let damaged = OpenOptions::new().read(true).write(true).open(copied.join(file)).unwrap();
    let mut byte = [0];
    damaged.read_exact_at(&mut byte, offset).unwrap();
    byte[0] ^= 1 << (offset % 8);
    damaged.write_all_at(&byte, offset).unwrap();
    let size = SledStore::open(copied, &existing()).and_then(|store| {
        let size = check_contents(&store);
        // A read that found damage must not have been served, and a healthy one goes on being served.
        assert_eq!(store.size().unwrap(), store.head().unwrap().0);
        size
    });
    fs::remove_dir_all(copied).unwrap();
    match size {
        // A smaller whole store is what the high-water file is there for.
        Ok(size) => {
            assert!((1..=SIZE + MORE).contains(&size), "{file} at {offset}: {size} entries");
            size == SIZE + MORE
        }
        Err(_) => false,
    }
}

/// A store of which the older half has settled into its files and the newer has not.
fn settled(dir: &Path) -> PathBuf {
    let path = filled(dir);
    compact(&path, &existing()).unwrap();
    let store = SledStore::open(&path, &Options { rows_bytes: 1 << 20, ..existing() }).unwrap();
    for size in SIZE..SIZE + MORE {
        store.append(size, &sample::batch(size, size + 1)).unwrap();
    }
    path
}

/// The newest file whose name begins like this.
fn newest(path: &Path, begin: &str) -> String {
    let names = fs::read_dir(path).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(begin) && name != "journal.spare").max().unwrap()
}

#[test]
fn flipped_bits_are_noticed_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let path = settled(dir.path());
    let copied = dir.path().join("flipped");
    for name in ["db", "blocks", "pages", "journal."] {
        let name = newest(&path, name);
        let bytes = fs::read(path.join(&name)).unwrap();
        // Most of a fresh segment of the engine is empty; flips there would prove nothing.
        let used = u64::try_from(bytes.iter().rposition(|byte| *byte != 0).unwrap()).unwrap();
        let mut noticed: u64 = 0;
        for place in 0..PLACES {
            let offset = (used * place / PLACES + place * 37 % 1_000).min(used);
            noticed += u64::from(!is_whole_after_flip(&path, &copied, &name, offset));
        }
        assert!(noticed > 0, "not one of {PLACES} flips in {name} met data");
    }
    let [snapshot] = <[String; 1]>::try_from(snapshots(&path)).unwrap();
    let length = fs::metadata(path.join(&snapshot)).unwrap().len();
    for place in 0..PLACES {
        let offset = length * place / PLACES;
        // The log has everything that the snapshot has.
        assert!(is_whole_after_flip(&path, &copied, &snapshot, offset), "snapshot at {offset}");
    }
}
