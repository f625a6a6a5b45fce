//! Opening a store that something happened to.

use crate::sample::{self, SIZE, check_contents, copy, creating, existing, filled, snapshots};
use credit_store::lock::DirectoryLock;
use credit_store::sled::{SledStore, compact};
use credit_store::{EMPTY_ROOT, Store, StoreError};
use std::fs::{self, OpenOptions};
use std::path::Path;

#[test]
fn a_half_written_snapshot_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    for bytes in [0, 5, 100] {
        let name = "snap.7FFFFFFFFFFFFFFF.generating";
        fs::write(path.join(name), vec![0xA5; bytes]).unwrap();
        let store = SledStore::open(&path, &existing()).unwrap();
        assert_eq!(store.opened().snapshots_removed, [name], "{bytes} bytes");
        assert_eq!(store.opened().snapshots_set_aside, [] as [&str; 0]);
        assert_eq!(check_contents(&store).unwrap(), SIZE);
    }
}

#[test]
fn an_unreadable_snapshot_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let [name] = <[String; 1]>::try_from(snapshots(&path)).unwrap();
    let whole = fs::read(path.join(&name)).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (number, damaged) in [&flipped[..], &whole[..0], &whole[..5], &whole[..100]].into_iter().enumerate() {
        let copied = dir.path().join(number.to_string());
        copy(&path, &copied);
        fs::write(copied.join(&name), damaged).unwrap();
        let store = SledStore::open(&copied, &existing()).unwrap();
        assert_eq!(store.opened().snapshots_set_aside, [name.as_str()], "damage {number}");
        assert_eq!(check_contents(&store).unwrap(), SIZE);
        drop(store);
        let store = SledStore::open(&copied, &existing()).unwrap();
        assert_eq!(store.opened().snapshots_set_aside, [] as [&str; 0]);
        assert_eq!(check_contents(&store).unwrap(), SIZE);
    }
}

/// Damages a copy of a filled store, and opens it both ways: the outcome is the same, and never an empty store.
fn open_damaged(damage: impl Fn(&Path)) -> Result<u64, StoreError> {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let outcomes = [existing(), creating()].map(|options| {
        let copied = dir.path().join(format!("damaged-{}", options.must_exist));
        copy(&path, &copied);
        damage(&copied);
        let size = SledStore::open(&copied, &options).and_then(|store| check_contents(&store));
        assert!(!matches!(size, Ok(0)), "the store opened empty");
        size
    });
    let [strict, creating] = outcomes;
    assert_eq!(format!("{strict:?}"), format!("{creating:?}"));
    strict
}

fn remove_snapshots(path: &Path) {
    let names = snapshots(path);
    assert!(!names.is_empty());
    for name in names {
        fs::remove_file(path.join(name)).unwrap();
    }
}

#[test]
fn a_lost_main_file_is_named() {
    let lost = open_damaged(|path| fs::remove_file(path.join("db")).unwrap());
    assert!(matches!(lost, Err(StoreError::FileLost { file: "db" })), "{lost:?}");
    let lost = open_damaged(|path| {
        fs::remove_file(path.join("db")).unwrap();
        remove_snapshots(path);
    });
    assert!(matches!(lost, Err(StoreError::FileLost { file: "db" })), "{lost:?}");
    let emptied = open_damaged(|path| fs::write(path.join("db"), b"").unwrap());
    assert!(matches!(emptied, Err(StoreError::FileLost { file: "db" })), "{emptied:?}");
}

#[test]
fn each_lost_file_is_named() {
    for name in ["blocks", "pages"] {
        let lost = open_damaged(|path| fs::remove_file(path.join(name)).unwrap());
        assert!(matches!(lost, Err(StoreError::FileLost { file }) if file == name), "{lost:?}");
    }
    let lost = open_damaged(|path| {
        for file in fs::read_dir(path).unwrap().map(|file| file.unwrap().path()) {
            if file.file_name().unwrap().to_str().unwrap().starts_with("journal.") {
                fs::remove_file(file).unwrap();
            }
        }
    });
    assert!(matches!(lost, Err(StoreError::FileLost { file: "journal" })), "{lost:?}");
}

#[test]
fn a_cut_file_of_settled_things_is_an_error() {
    for name in ["blocks", "pages"] {
        let cut = open_damaged(|path| {
            compact(path, &existing()).unwrap();
            let file = OpenOptions::new().write(true).open(path.join(name)).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        });
        assert!(matches!(cut, Err(StoreError::DataLoss { .. } | StoreError::Corrupt { .. })), "{cut:?}");
    }
}

#[test]
fn a_main_file_of_zeros_is_data_loss() {
    for keep_snapshots in [true, false] {
        let zeroed = open_damaged(|path| {
            let length = fs::metadata(path.join("db")).unwrap().len();
            fs::write(path.join("db"), vec![0; usize::try_from(length).unwrap()]).unwrap();
            if !keep_snapshots {
                remove_snapshots(path);
            }
        });
        assert!(matches!(zeroed, Err(StoreError::DataLoss { .. })), "{zeroed:?}");
    }
}

#[test]
fn lost_snapshots_cost_nothing() {
    assert_eq!(open_damaged(remove_snapshots).unwrap(), SIZE);
}

#[test]
fn a_lost_configuration_costs_nothing() {
    assert_eq!(open_damaged(|path| fs::remove_file(path.join("conf")).unwrap()).unwrap(), SIZE);
    assert_eq!(open_damaged(|path| fs::write(path.join("conf"), b"").unwrap()).unwrap(), SIZE);
}

#[test]
fn a_damaged_configuration_is_an_error() {
    let damaged = open_damaged(|path| fs::write(path.join("conf"), [0xA5; 60]).unwrap());
    assert!(matches!(damaged, Err(StoreError::Engine { .. } | StoreError::DataLoss { .. })), "{damaged:?}");
}

#[test]
fn a_cut_main_file_is_an_error_or_a_whole_smaller_store() {
    for keep_snapshots in [true, false] {
        for cut in [1 << 20, 3 << 20, 7 << 20] {
            let outcome = open_damaged(|path| {
                let main = OpenOptions::new().write(true).open(path.join("db")).unwrap();
                let length = main.metadata().unwrap().len();
                main.set_len(length.saturating_sub(cut).max(1)).unwrap();
                if !keep_snapshots {
                    remove_snapshots(path);
                }
            });
            if let Ok(size) = outcome {
                assert!(size <= SIZE);
            }
        }
    }
}

#[test]
fn a_directory_of_other_files_is_not_taken_for_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), b"not a store").unwrap();
    let refused = SledStore::open(dir.path(), &creating());
    assert!(matches!(refused, Err(StoreError::FileLost { file: "db" })));
}

#[test]
fn a_missing_store_is_created_only_if_it_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    assert!(matches!(SledStore::open(&path, &existing()), Err(StoreError::Missing)));
    fs::create_dir(&path).unwrap();
    assert!(matches!(SledStore::open(&path, &existing()), Err(StoreError::Missing)));
    // A creation that was cut off leaves its directory; the next one starts over.
    fs::create_dir(dir.path().join("store.creating")).unwrap();
    fs::write(dir.path().join("store.creating/db"), b"half").unwrap();
    let store = SledStore::open(&path, &creating()).unwrap();
    assert!(store.opened().created);
    assert_eq!(store.head().unwrap(), (0, EMPTY_ROOT));
    drop(store);
    let store = SledStore::open(&path, &existing()).unwrap();
    assert!(!store.opened().created);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_store_in_use_is_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::open(&path, &creating()).unwrap();
    fs::write(path.join("snap.7FFFFFFFFFFFFFFF.generating"), b"").unwrap();
    assert!(matches!(SledStore::open(&path, &existing()), Err(StoreError::InUse)));
    // It may be the other's own snapshot, which it is just writing.
    assert!(path.join("snap.7FFFFFFFFFFFFFFF.generating").exists());
    store.append(0, &sample::batch(0, 3)).unwrap();
    drop(store);
    assert_eq!(SledStore::open(&path, &existing()).unwrap().size().unwrap(), 3);
}

#[test]
fn a_directory_is_locked_once() {
    let dir = tempfile::tempdir().unwrap();
    let lock = DirectoryLock::acquire(dir.path()).unwrap();
    assert!(matches!(DirectoryLock::acquire(dir.path()), Err(StoreError::InUse)));
    drop(lock);
    DirectoryLock::acquire(dir.path()).unwrap();
    let missing = DirectoryLock::acquire(&dir.path().join("missing"));
    assert!(matches!(missing, Err(StoreError::Io { .. })));
}
