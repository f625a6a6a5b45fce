//! Single flipped bits in the engine's files: noticed, or harmless; never wrong data, never a panic.

use crate::sample::{SIZE, check_contents, copy, existing, filled, snapshots};
use credit_store::Store;
use credit_store::sled::SledStore;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

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
            assert!((1..=SIZE).contains(&size), "{file} at {offset}: {size} entries");
            size == SIZE
        }
        Err(_) => false,
    }
}

#[test]
fn flipped_bits_are_noticed_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let copied = dir.path().join("flipped");
    let mut noticed: u64 = 0;
    let main = fs::read(path.join("db")).unwrap();
    // Most of a fresh segment is empty; flips there would prove nothing.
    let used = u64::try_from(main.iter().rposition(|byte| *byte != 0).unwrap()).unwrap();
    for place in 0..PLACES {
        let offset = used * place / PLACES + place * 37 % 1_000;
        noticed += u64::from(!is_whole_after_flip(&path, &copied, "db", offset));
    }
    assert!(noticed > 0, "not one of {PLACES} flips met data");
    let [snapshot] = <[String; 1]>::try_from(snapshots(&path)).unwrap();
    let length = fs::metadata(path.join(&snapshot)).unwrap().len();
    for place in 0..PLACES {
        let offset = length * place / PLACES;
        // The log has everything that the snapshot has.
        assert!(is_whole_after_flip(&path, &copied, &snapshot, offset), "snapshot at {offset}");
    }
}
