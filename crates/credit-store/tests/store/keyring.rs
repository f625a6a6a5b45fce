//! The keyring's files under torn appends and cut-off rewrites.

use credit_store::keyring::{
    APPEND_RECORDS_MAX, Error, KEYRING_FILE_RECORDS_MAX, KeyringFiles, Loaded, Record, WRAPPED_BYTES_MAX,
    WRAPPING_BYTES_MAX, WRAPPING_FILE,
};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The bytes of one record on disk.
const RECORD_BYTES: usize = 149;

fn record(number: usize) -> Record {
    let mut account = [0; 16];
    account[8..].copy_from_slice(&number.to_be_bytes());
    Record { account, wrapped: number.to_be_bytes().repeat(9) }
}

fn records(numbers: std::ops::Range<usize>) -> Vec<Record> {
    numbers.map(record).collect()
}

fn plain(loaded: Loaded) -> Vec<Record> {
    assert_eq!(loaded.torn, None);
    loaded.records.into_iter().map(|placed| placed.record).collect()
}

fn open(dir: &Path) -> KeyringFiles {
    KeyringFiles::open(dir).unwrap()
}

#[test]
fn what_is_appended_is_loaded_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring");
    let mut appended = 0;
    for count in [0, 1, 254, 1, 1, 600, 0, 167, 1_000] {
        let mut keyring = open(&path);
        let places = keyring.places(count);
        keyring.append(&records(appended..appended + count)).unwrap();
        let loaded = open(&path).load().unwrap();
        let found: Vec<u32> = loaded.records[appended..].iter().map(|placed| placed.file).collect();
        assert_eq!(found, places);
        appended += count;
        assert_eq!(plain(loaded), records(0..appended));
    }
    let last = open(&path).places(1)[0];
    assert_eq!(usize::try_from(last).unwrap(), appended / KEYRING_FILE_RECORDS_MAX);
}

#[test]
fn a_file_has_256_records_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut keyring = open(dir.path());
    keyring.append(&records(0..KEYRING_FILE_RECORDS_MAX)).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    keyring.append(&records(256..257)).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    let rewritten = keyring.rewrite(0, &records(0..KEYRING_FILE_RECORDS_MAX + 1));
    assert!(matches!(rewritten, Err(Error::Limit { actual: 257, max: 256, .. })), "{rewritten:?}");
    keyring.rewrite(0, &records(1..257)).unwrap();
}

#[test]
fn other_limits_hold() {
    let dir = tempfile::tempdir().unwrap();
    let mut keyring = open(dir.path());
    let too_many = keyring.append(&records(0..APPEND_RECORDS_MAX + 1));
    assert!(matches!(too_many, Err(Error::Limit { max: APPEND_RECORDS_MAX, .. })));
    keyring.append(&records(0..APPEND_RECORDS_MAX)).unwrap();
    let wrapped = |bytes| Record { account: [1; 16], wrapped: vec![2; bytes] };
    let too_long = keyring.append(&[wrapped(1), wrapped(WRAPPED_BYTES_MAX + 1)]);
    assert!(matches!(too_long, Err(Error::Limit { max: WRAPPED_BYTES_MAX, .. })));
    assert!(matches!(keyring.rewrite(0, &[wrapped(WRAPPED_BYTES_MAX + 1)]), Err(Error::Limit { .. })));
    keyring.append(&[wrapped(WRAPPED_BYTES_MAX), wrapped(0)]).unwrap();
    let loaded = plain(open(dir.path()).load().unwrap());
    assert_eq!(loaded[APPEND_RECORDS_MAX..], [wrapped(WRAPPED_BYTES_MAX), wrapped(0)]);
    let sealed = vec![3; WRAPPING_BYTES_MAX + 1];
    assert!(matches!(keyring.replace_wrapping(&sealed), Err(Error::Limit { max: WRAPPING_BYTES_MAX, .. })));
    keyring.replace_wrapping(&sealed[1..]).unwrap();
    assert!(keyring.wrapping().unwrap().unwrap() == sealed[1..]);
}

/// Cuts the last file anywhere in its last append, as a power cut would.
#[test]
fn a_torn_append_is_reported_and_cut_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut keyring = open(dir.path());
    keyring.append(&records(0..10)).unwrap();
    keyring.append(&records(10..13)).unwrap();
    let file = dir.path().join("00000000.records");
    let whole = fs::read(&file).unwrap();
    for length in 10 * RECORD_BYTES + 1..whole.len() {
        let sound = length / RECORD_BYTES;
        let is_torn = length % RECORD_BYTES != 0;
        fs::write(&file, &whole[..length]).unwrap();
        let mut keyring = open(dir.path());
        let loaded = keyring.load().unwrap();
        assert_eq!(loaded.records.len(), sound);
        assert_eq!(
            fs::metadata(&file).unwrap().len(),
            u64::try_from(length).unwrap(),
            "loading cuts nothing"
        );
        let Some(tail) = loaded.torn else {
            assert!(!is_torn, "{length} bytes");
            continue;
        };
        assert_eq!((tail.file, tail.offset), (0, u64::try_from(sound * RECORD_BYTES).unwrap()));
        assert!(matches!(keyring.append(&records(20..21)), Err(Error::Torn { file: 0, .. })));
        assert!(matches!(keyring.rewrite(0, &[]), Err(Error::Torn { file: 0, .. })));
        keyring.truncate_tail(&tail).unwrap();
        assert!(matches!(keyring.truncate_tail(&tail), Err(Error::NotTorn)));
        keyring.append(&records(sound..sound + 2)).unwrap();
        assert_eq!(plain(open(dir.path()).load().unwrap()), records(0..sound + 2));
    }
}

#[test]
fn later_pages_that_reached_the_disk_first_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(&records(0..60)).unwrap();
    let file = OpenOptions::new().write(true).open(dir.path().join("00000000.records")).unwrap();
    // The second page of the file never arrived: records 27 to 54 have bytes in it.
    file.write_all_at(&[0; 4_096], 4_096).unwrap();
    let mut keyring = open(dir.path());
    let loaded = keyring.load().unwrap();
    assert_eq!(loaded.records.len(), 4_096 / RECORD_BYTES);
    let tail = loaded.torn.unwrap();
    assert_eq!(tail.beyond, records(8_192_usize.div_ceil(RECORD_BYTES)..60));
    keyring.truncate_tail(&tail).unwrap();
    assert_eq!(plain(keyring.load().unwrap()).len(), 27);
}

#[test]
fn a_tear_at_the_start_of_a_file_costs_only_that_append() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(&records(0..257)).unwrap();
    let file = dir.path().join("00000001.records");
    for bytes in [0, 1, 148] {
        OpenOptions::new().write(true).open(&file).unwrap().set_len(bytes).unwrap();
        let mut keyring = open(dir.path());
        let loaded = keyring.load().unwrap();
        assert_eq!(loaded.torn.is_some(), bytes > 0);
        if let Some(tail) = loaded.torn {
            keyring.truncate_tail(&tail).unwrap();
        }
        assert_eq!(keyring.places(1), [1]);
        keyring.append(&records(256..258)).unwrap();
        assert_eq!(plain(open(dir.path()).load().unwrap()), records(0..258));
    }
}

#[test]
fn damage_that_no_torn_append_leaves_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(&records(0..600)).unwrap();
    let first = dir.path().join("00000000.records");
    let whole = fs::read(&first).unwrap();
    for offset in [0, 20, 148, 149, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[offset] ^= 1;
        fs::write(&first, damaged).unwrap();
        let expected = u64::try_from(offset / RECORD_BYTES * RECORD_BYTES).unwrap();
        let loaded = open(dir.path()).load();
        assert!(
            matches!(loaded, Err(Error::Corrupt { file: 0, offset }) if offset == expected),
            "{loaded:?}"
        );
    }
    // Sound records of another file, or in another order, are not sound here.
    fs::copy(dir.path().join("00000001.records"), &first).unwrap();
    assert!(matches!(open(dir.path()).load(), Err(Error::Corrupt { file: 0, offset: 0 })));
    let swapped =
        [&whole[RECORD_BYTES..2 * RECORD_BYTES], &whole[..RECORD_BYTES], &whole[2 * RECORD_BYTES..]];
    fs::write(&first, swapped.concat()).unwrap();
    assert!(matches!(open(dir.path()).load(), Err(Error::Corrupt { file: 0, offset: 0 })));
    fs::write(&first, [&whole[..], b"more"].concat()).unwrap();
    assert!(matches!(open(dir.path()).load(), Err(Error::Corrupt { file: 0, .. })));
    fs::remove_file(&first).unwrap();
    assert!(matches!(KeyringFiles::open(dir.path()), Err(Error::FileMissing { file: 0 })));
}

#[test]
fn an_erased_record_is_gone_from_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut keyring = open(dir.path());
    keyring.append(&records(0..300)).unwrap();
    let kept: Vec<Record> = records(0..256).into_iter().filter(|kept| *kept != record(100)).collect();
    keyring.rewrite(0, &kept).unwrap();
    keyring.rewrite(1, &records(256..299)).unwrap();
    assert!(matches!(keyring.rewrite(2, &[]), Err(Error::FileMissing { file: 2 })));
    // A file that is not the last keeps its free place: its wrapping key is settled.
    assert_eq!(keyring.places(2), [1, 1]);
    keyring.append(&records(400..402)).unwrap();
    let expected = [kept, records(256..299), records(400..402)].concat();
    assert_eq!(plain(open(dir.path()).load().unwrap()), expected);
    let bytes = fs::read(dir.path().join("00000000.records")).unwrap();
    let erased = record(100).wrapped;
    assert!(!bytes.windows(erased.len()).any(|window| window == erased));
    keyring.rewrite(1, &[]).unwrap();
    assert_eq!(open(dir.path()).places(1), [1]);
}

#[test]
fn a_rewrite_that_was_cut_off_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut keyring = open(dir.path());
    keyring.append(&records(0..5)).unwrap();
    assert_eq!(keyring.wrapping().unwrap(), None);
    keyring.replace_wrapping(b"sealed").unwrap();
    fs::write(dir.path().join("00000000.records.new"), b"half").unwrap();
    fs::write(dir.path().join(format!("{WRAPPING_FILE}.new")), b"half").unwrap();
    let mut keyring = open(dir.path());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    assert_eq!(plain(keyring.load().unwrap()), records(0..5));
    assert_eq!(keyring.wrapping().unwrap(), Some(b"sealed".to_vec()));
    keyring.replace_wrapping(b"").unwrap();
    assert_eq!(open(dir.path()).wrapping().unwrap(), Some(Vec::new()));
}

#[test]
fn a_disk_below_the_reserve_is_told_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut keyring = open(dir.path());
    keyring.append(&records(0..3)).unwrap();
    keyring.replace_wrapping(&[7; 100]).unwrap();
    let before: Vec<u64> = [WRAPPING_FILE, "00000000.records"]
        .map(|name| fs::metadata(dir.path().join(name)).unwrap().len())
        .to_vec();
    let refused = keyring.check_space(1, u64::MAX);
    assert!(matches!(refused, Err(Error::NoSpace { needed: u64::MAX, available }) if available < u64::MAX));
    keyring.check_space(APPEND_RECORDS_MAX, 0).unwrap();
    let after: Vec<u64> = [WRAPPING_FILE, "00000000.records"]
        .map(|name| fs::metadata(dir.path().join(name)).unwrap().len())
        .to_vec();
    assert_eq!(before, after);
    keyring.append(&records(3..4)).unwrap();
}
