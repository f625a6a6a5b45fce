//! The high-water file under torn writes.

use credit_store::high_water::{CHECKPOINT_BYTES_MAX, Error, HighWater, Identity, Mark};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const IDENTITY: Identity = Identity { log_id: [1; 32], instance: [2; 16] };
const FIRST_SLOT: u64 = 4_096;
const SECOND_SLOT: u64 = 8_192;
/// Longer than the used bytes of a slot.
const SLOT_BYTES: u64 = 1_086;

fn mark(size: u64) -> Mark {
    Mark {
        size,
        root: [size.to_be_bytes()[7]; 32],
        epoch: 9,
        checkpoint: format!("log\n{size}\n").into_bytes(),
    }
}

fn created(dir: &Path, sizes: std::ops::RangeInclusive<u64>) -> PathBuf {
    let path = dir.join("high-water");
    let mut file = HighWater::create(&path, IDENTITY, mark(0)).unwrap();
    for size in sizes {
        file.record(mark(size)).unwrap();
    }
    path
}

fn open(path: &Path) -> Result<HighWater, Error> {
    HighWater::open(path, &IDENTITY.log_id)
}

fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

#[test]
fn the_newest_mark_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    for last in 0..5 {
        let path = created(dir.path(), 1..=last);
        let file = open(&path).unwrap();
        assert_eq!(*file.newest(), mark(last));
        assert_eq!(file.identity(), IDENTITY);
        assert!(!file.was_torn());
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_mark_never_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = created(dir.path(), 1..=5);
    let mut file = open(&path).unwrap();
    assert!(matches!(file.record(mark(4)), Err(Error::Backwards { held: 5, asked: 4 })));
    let forked = Mark { root: [0xFF; 32], ..mark(5) };
    assert!(matches!(file.record(forked), Err(Error::Backwards { held: 5, asked: 5 })));
    let cosigned = Mark { checkpoint: b"more signatures".to_vec(), epoch: 10, ..mark(5) };
    file.record(cosigned.clone()).unwrap();
    assert_eq!(*open(&path).unwrap().newest(), cosigned);
    file.record(mark(u64::MAX)).unwrap();
    assert_eq!(*open(&path).unwrap().newest(), mark(u64::MAX));
}

#[test]
fn a_torn_mark_gives_the_one_before_it() {
    let dir = tempfile::tempdir().unwrap();
    // The first mark stands in both slots, so mark 5 goes to the first and mark 6 to the second.
    for (last, slot) in [(5, FIRST_SLOT), (6, SECOND_SLOT)] {
        let path = created(dir.path(), 1..=last);
        let whole = fs::read(&path).unwrap();
        let older = fs::read(created(&folder(dir.path(), last), 1..=last - 1)).unwrap();
        for torn_at in [0, 1, 8, 16, 47, 48, 56, 58, 70, SLOT_BYTES - 4, SLOT_BYTES - 1] {
            // The bytes up to the tear are new, the rest is what the slot held before.
            let at = usize::try_from(slot + torn_at).unwrap();
            let torn = [&whole[..at], &older[at..]].concat();
            fs::write(&path, &torn).unwrap();
            let file = open(&path).unwrap();
            let untouched = torn == older;
            assert_eq!(
                *file.newest(),
                if torn == whole { mark(last) } else { mark(last - 1) },
                "at {torn_at}"
            );
            assert_eq!(file.was_torn(), !untouched && torn != whole, "at {torn_at}");
        }
        fs::remove_file(path).unwrap();
    }
}

/// Another folder, for another file.
fn folder(dir: &Path, number: u64) -> PathBuf {
    let path = dir.join(number.to_string());
    fs::create_dir(&path).unwrap();
    path
}

#[test]
fn a_torn_slot_is_written_next() {
    let dir = tempfile::tempdir().unwrap();
    for slot in [FIRST_SLOT, SECOND_SLOT] {
        let path = created(dir.path(), 1..=6);
        overwrite(&path, slot + 3, &[0xA5]);
        let mut file = open(&path).unwrap();
        assert!(file.was_torn());
        let kept = file.newest().clone();
        file.record(mark(7)).unwrap();
        assert_eq!(*open(&path).unwrap().newest(), mark(7));
        assert!(!open(&path).unwrap().was_torn());
        // The mark that the damage left is still there, in the other slot.
        overwrite(&path, slot + 3, &[0x5A]);
        assert_eq!(*open(&path).unwrap().newest(), kept);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn two_torn_slots_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = created(dir.path(), 1..=6);
    overwrite(&path, FIRST_SLOT, &[0xA5]);
    overwrite(&path, SECOND_SLOT, &[0xA5]);
    assert!(matches!(open(&path), Err(Error::BothTorn)));
    let path = created(&folder(dir.path(), 1), 1..=6);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(FIRST_SLOT).unwrap();
    assert!(matches!(open(&path), Err(Error::BothTorn)));
}

#[test]
fn another_files_or_logs_mark_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = created(dir.path(), 1..=2);
    assert!(matches!(HighWater::open(&path, &[9; 32]), Err(Error::OtherLog)));
    assert!(matches!(HighWater::create(&path, IDENTITY, mark(0)), Err(Error::Exists)));
    assert_eq!(*open(&path).unwrap().newest(), mark(2));
    for offset in [0, 16, 48, 67] {
        let mut bytes = fs::read(&path).unwrap();
        bytes[offset] ^= 1;
        let damaged = dir.path().join("damaged");
        fs::write(&damaged, bytes).unwrap();
        assert!(matches!(open(&damaged), Err(Error::NoIdentity)), "byte {offset}");
    }
    fs::write(&path, b"").unwrap();
    assert!(matches!(open(&path), Err(Error::NoIdentity)));
    assert!(matches!(open(&dir.path().join("missing")), Err(Error::Io { .. })));
}

#[test]
fn a_checkpoint_has_a_longest_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = created(dir.path(), 1..=2);
    let mut file = open(&path).unwrap();
    let longest = Mark { checkpoint: vec![b'x'; CHECKPOINT_BYTES_MAX], ..mark(3) };
    file.record(longest.clone()).unwrap();
    assert_eq!(*open(&path).unwrap().newest(), longest);
    let longer = Mark { checkpoint: vec![b'x'; CHECKPOINT_BYTES_MAX + 1], ..mark(4) };
    assert!(matches!(file.record(longer), Err(Error::CheckpointTooLong { .. })));
    file.record(mark(4)).unwrap();
}
