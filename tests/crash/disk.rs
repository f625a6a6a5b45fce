//! A disk that is full for real: a small file system in memory, mounted over the ledger's directory.

use crate::bank::text;
use crate::load::{Load, Place, Write, block_on, send};
use crate::session::{Refused, Session, World, refused_by};
use credit_proto::v1;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicU64;
use tonic::Code;

/// The bytes of one key in the keyring.
const RECORD_BYTES: u64 = 149;
/// What takes the space away.
const FILLER: &str = "filler";
/// The bytes of the small disk: two of the engine's segments and something more.
const DISK_MIB: u64 = 24;
/// What the server has to leave free.
const RESERVE_BYTES: u64 = 1 << 20;
/// The bytes left free when the reserve is to be broken into, and when nothing more is to fit.
const BELOW_RESERVE: u64 = 600 << 10;
/// Openings that a full disk refuses: if each left its key in the keyring, they would fill more than a page of it.
const OPENINGS: usize = 100;

/// A mounted file system that is unmounted in the end.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: &Path) -> Result<Self, String> {
        let options = format!("size={DISK_MIB}m,mode=700");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).output();
        match mount {
            Ok(output) if output.status.success() => Ok(Self(path.to_path_buf())),
            Ok(output) => Err(text(&output)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn free(&self) -> u64 {
        let stat = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(&self.0).output().expect("stat runs");
        let numbers = String::from_utf8(stat.stdout).expect("UTF-8");
        numbers.split_whitespace().map(|number| number.parse::<u64>().expect("a number")).product()
    }

    fn filler(&self) -> PathBuf {
        self.0.join(FILLER)
    }

    /// Leaves so many bytes free, about.
    fn fill(&self, free: u64) {
        self.empty();
        std::fs::write(self.filler(), vec![1; usize::try_from(self.free() - free).expect("a length")])
            .expect("a file is written");
    }

    fn empty(&self) {
        let _ = std::fs::remove_file(self.filler());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a server that a failing test left may still hold files open.
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.display());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).output().expect("cp runs");
    assert!(copied.status.success(), "{}", text(&copied));
}

/// Everything that was answered, still there and readable.
async fn readable(session: &Session<'_>, places: &[Place]) {
    let head = session.head().await;
    for place in places {
        assert!(place.index < head.size);
        let request = v1::GetReceiptRequest { index: place.index };
        let receipt =
            session.auditor().log().get_receipt(request).await.expect("a receipt").into_inner().receipt;
        assert_eq!(session.world.proved(&receipt.expect("a receipt")), (place.index, place.leaf.clone()));
    }
}

/// The status of a write that a full disk refuses.
async fn refused(session: &Session<'_>, write: &Write, reason: &str) -> Refused {
    refused_by(reason, &send(session, write).await.expect_err("the disk is full"))
}

async fn taken(session: &Session<'_>, write: &Write) -> Place {
    let position = send(session, write).await.expect("a write is taken");
    Place { index: position.index, leaf: position.leaf_hash }
}

#[test]
fn a_full_disk_loses_nothing_and_serves_reads() {
    let world = World::start(&[("reserve_bytes", &RESERVE_BYTES.to_string())]);
    let bank = &world.bank;
    assert!(bank.stop().success(), "{}", bank.log());
    let (ledger, big) = (bank.home().join("ledger"), bank.home().join("big"));
    std::fs::rename(&ledger, &big).expect("a folder is moved");
    std::fs::create_dir(&ledger).expect("a folder");
    let disk = match Mounted::at(&ledger) {
        Ok(disk) => disk,
        Err(why) => {
            println!("skipped: a small disk can't be mounted: {}", why.trim());
            return;
        }
    };
    copy(&big, &ledger);
    std::fs::remove_dir_all(&big).expect("a folder is removed");
    bank.serve();

    let (places, left) = block_on(fill_up(&world, &disk));
    bank.kill9();
    std::fs::create_dir(&big).expect("a folder");
    copy(&ledger, &big);
    drop(disk);
    std::fs::remove_dir(&ledger).expect("a folder is removed");
    std::fs::remove_file(big.join(FILLER)).expect("the filler is removed");
    std::fs::rename(&big, &ledger).expect("a folder is moved");
    bank.serve();
    block_on(async {
        let session = Session::new(&world).await;
        readable(&session, &places).await;
        for write in &left {
            taken(&session, write).await;
        }
    });
    assert!(bank.stop().success(), "{}", bank.log());
    for command in [&["verify"][..], &["rebuild", "--check"]] {
        bank.must(command);
    }
}

/// Writes until nothing more fits; gives what was answered, and what was refused.
async fn fill_up(world: &World, disk: &Mounted) -> (Vec<Place>, Vec<Write>) {
    let session = Session::new(world).await;
    let account = session.account().await;
    let account_ref = account.account_ref.clone();
    let load = Load { world, account, anchor: session.head().await, answers: AtomicU64::new(0) };
    let record = || Write::Record(load.record());
    let mut places = Vec::new();
    for _ in 0..20 {
        places.push(taken(&session, &record()).await);
    }

    // Below the reserve every write is refused, and changes nothing.
    disk.fill(BELOW_RESERVE);
    let size = session.size().await;
    let (refused_record, refused_opening) = (record(), Write::Opening(load.opening()));
    for write in [&refused_record, &refused_opening] {
        assert_eq!(refused(&session, write, "NO_SPACE").await.code, Code::ResourceExhausted);
    }
    assert_eq!(session.size().await, size);
    readable(&session, &places).await;
    // A receipt of what was recorded before is a read, also where it is asked for by sending the same again.
    // With space they are taken, without a restart.
    disk.empty();
    places.push(taken(&session, &refused_record).await);
    places.push(taken(&session, &refused_opening).await);

    // With no byte left it is the same, however often: an opening is refused before its key is written.
    disk.fill(0);
    let kept = keyring_files(world);
    let mut left = vec![record()];
    refused(&session, &left[0], "NO_SPACE").await;
    for _ in 0..OPENINGS {
        let opening = Write::Opening(load.opening());
        assert_eq!(refused(&session, &opening, "NO_SPACE").await.code, Code::ResourceExhausted);
        left.push(opening);
    }
    assert_eq!(keyring_files(world), kept, "keys of accounts that were not opened");
    readable(&session, &places).await;
    assert_eq!(session.view(&account_ref).await.records, 21);
    disk.empty();
    for write in left.drain(..10) {
        places.push(taken(&session, &write).await);
    }
    let (keys, before) = (keyring_bytes(world), kept.values().sum::<u64>());
    assert_eq!(keys, before + 9 * RECORD_BYTES, "one key an account");

    // What is left was refused; what was answered outlives a server that dies with its disk full.
    disk.fill(0);
    let last = record();
    refused(&session, &last, "NO_SPACE").await;
    left.push(last);
    readable(&session, &places).await;
    (places, left)
}

/// The files of the keyring with their lengths.
fn keyring_files(world: &World) -> BTreeMap<String, u64> {
    let files = std::fs::read_dir(world.bank.home().join("ledger/keyring")).expect("a folder");
    let files = files.map(|file| file.expect("a file"));
    files
        .filter(|file| file.file_name() != FILLER)
        .map(|file| {
            (file.file_name().to_string_lossy().into_owned(), file.metadata().expect("a length").len())
        })
        .collect()
}

fn keyring_bytes(world: &World) -> u64 {
    keyring_files(world).values().sum()
}

/// The keyring may lie on a disk of its own. Where that is full, no account is opened; all else goes on.
#[test]
fn a_full_disk_of_the_keyring_refuses_openings_before_their_keys_are_written() {
    let world = World::start(&[("reserve_bytes", &RESERVE_BYTES.to_string())]);
    let bank = &world.bank;
    assert!(bank.stop().success(), "{}", bank.log());
    let (keyring, aside) = (bank.home().join("ledger/keyring"), bank.home().join("aside"));
    std::fs::rename(&keyring, &aside).expect("a folder is moved");
    std::fs::create_dir(&keyring).expect("a folder");
    let disk = match Mounted::at(&keyring) {
        Ok(disk) => disk,
        Err(why) => {
            println!("skipped: a small disk can't be mounted: {}", why.trim());
            return;
        }
    };
    copy(&aside, &keyring);
    bank.serve();
    block_on(async {
        let session = Session::new(&world).await;
        let account = session.account().await;
        let load = Load { world: &world, account, anchor: session.head().await, answers: AtomicU64::new(0) };
        disk.fill(BELOW_RESERVE);
        let kept = keyring_files(&world);
        let mut openings = Vec::new();
        for _ in 0..OPENINGS {
            let opening = Write::Opening(load.opening());
            assert_eq!(refused(&session, &opening, "NO_SPACE").await.code, Code::ResourceExhausted);
            openings.push(opening);
        }
        taken(&session, &Write::Record(load.record())).await;
        assert_eq!(keyring_files(&world), kept, "keys of accounts that were not opened");
        disk.empty();
        for opening in &openings {
            taken(&session, opening).await;
        }
    });
    assert!(bank.stop().success(), "{}", bank.log());
    bank.must(&["verify"]);
}
