//! The power fails right after an answer: the disk then has what was synced and any part of the rest, and the ledger
//! must open with everything that was answered.

use crate::bank::Bank;
use crate::image::{Cut, Disk};
use crate::load::{Load, Place, Write, block_on, send};
use crate::require::{build_without_the_sync, can_trace};
use crate::seed::{Random, seed, setting};
use crate::session::{Session, World, key_of, toml_of};
use crate::trace::{Call, kill_and_read, serve_traced};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::tree::Frontier;
use credit_service::{Health, Ledger, OpenOptions, ServerKeys};
use credit_store::high_water::HighWater;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use zeroize::Zeroizing;

/// How many groups are committed where nothing else is asked for, and about how many of them are cut off after.
const GROUPS: usize = 54;
/// The torn cut falls on one of so many moments after an answer: about as many as the next group has.
const MOMENTS: u64 = 24;
/// One in so many writes opens an account, which writes to the keyring too.
const OPENING_EVERY: usize = 6;

/// What a traced server did, and what it answered.
struct Story {
    world: World,
    disk: Disk,
    calls: Vec<Call>,
    places: Vec<(Write, Place)>,
}

/// Runs a server whose directory was whole before, and commits groups one after the other.
fn story(binary: &str, groups: usize) -> Story {
    let world = World::start(&[("rows_bytes", "65536")]);
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    let disk = Disk::of(&world.bank.home().join("ledger"));
    let file = world.bank.folder().join("trace");
    serve_traced(&world.bank, binary, &file);
    let places = block_on(async {
        let session = Session::new(&world).await;
        let account = session.account().await;
        let load = Load { world: &world, account, anchor: session.head().await, answers: AtomicU64::new(0) };
        let mut places = Vec::new();
        for number in 1..=groups {
            let opens = number % OPENING_EVERY == 0;
            let write = if opens { Write::Opening(load.opening()) } else { Write::Record(load.record()) };
            let position = send(&session, &write).await.expect("a write is taken");
            places.push((write, Place { index: position.index, leaf: position.leaf_hash }));
        }
        places
    });
    let calls = kill_and_read(&world.bank, &file);
    Story { world, disk, calls, places }
}

/// How many images opened, and how many of them could have lost something.
#[derive(Debug, Default)]
struct Images {
    opened: usize,
    torn: usize,
}

/// A moment of a story.
enum Moment<'c> {
    Begins(&'c Call),
    Ends(&'c Call),
}

/// Cuts the power right after answers, once cleanly and once with chance at some moment before the next answer.
fn cut_after_answers(story: &mut Story, random: &mut Random) -> Result<Images, String> {
    let Story { world, disk, calls, places } = story;
    let mut moments: Vec<(usize, Moment<'_>)> = Vec::new();
    for call in calls.iter() {
        moments.push((call.first, Moment::Begins(call)));
        moments.push((call.last, Moment::Ends(call)));
    }
    // The sort is stable: a call on one line begins before it ends.
    moments.sort_by_key(|(line, _)| *line);
    let (mut answers, mut torn_in) = (0, 0);
    let mut images = Images::default();
    for (_, moment) in moments {
        match moment {
            Moment::Begins(call) => {
                disk.begin(call);
                if places.get(answers).is_some_and(|(_, place)| call.tells(&place.leaf)) {
                    answers += 1;
                    let cut = random.below(places.len() as u64) < GROUPS as u64;
                    if cut {
                        reopen(world, disk, Cut::Clean, &places[..answers])?;
                        images.opened += 1;
                    }
                    torn_in = if cut { 1 + random.below(MOMENTS) } else { 0 };
                }
            }
            Moment::Ends(call) => disk.end(call),
        }
        if torn_in > 0 {
            torn_in -= 1;
            if torn_in == 0 {
                images.torn += usize::from(disk.is_open());
                reopen(world, disk, Cut::Torn(random), &places[..answers])?;
                images.opened += 1;
            }
        }
    }
    if answers != places.len() {
        return Err(format!("{answers} answers in the trace of {} writes", places.len()));
    }
    Ok(images)
}

/// Opens what a power cut left, and looks for everything that was answered.
fn reopen(world: &World, disk: &Disk, cut: Cut<'_>, places: &[(Write, Place)]) -> Result<(), String> {
    let kind = if matches!(cut, Cut::Clean) { "clean" } else { "torn" };
    let folder = tempfile::Builder::new().prefix("creditbank-power-").tempdir().expect("a folder");
    disk.write(folder.path(), cut);
    let looked = block_on(look(world, folder.path(), places));
    looked.map_err(|problem| format!("{kind} cut after {} answers: {problem}", places.len()))
}

async fn look(world: &World, dir: &Path, places: &[(Write, Place)]) -> Result<(), String> {
    let log_id: [u8; 32] = world.log_id.clone().try_into().expect("32 bytes");
    let mark = HighWater::open(&dir.join("high-water"), &log_id).map_err(|error| error.to_string())?;
    let mark = mark.newest().clone();
    let options = OpenOptions { reserve_bytes: 0, cache_bytes: 16 << 20, ..OpenOptions::default() };
    let ledger =
        Ledger::open(dir, server_keys(&world.bank), options).await.map_err(|error| error.to_string())?;
    let looked = (|| {
        if *ledger.health().borrow() != Health::Serving {
            return Err("it takes no writes".to_owned());
        }
        let reader = ledger.reader();
        for (write, place) in places {
            let leaf = reader.leaf(place.index).map_err(|error| error.to_string())?;
            let signed = mark.size > place.index || !write.wants_receipt();
            if leaf.as_bytes() != place.leaf.as_slice() || !signed {
                return Err(format!("entry {} was answered and is lost or unsigned", place.index));
            }
        }
        let mut tree = Frontier::new();
        while tree.size() < mark.size {
            tree.append(reader.leaf(tree.size()).map_err(|error| error.to_string())?.0);
        }
        if tree.root() == mark.root { Ok(()) } else { Err("the root is not that of the mark".to_owned()) }
    })();
    ledger.stop().await;
    looked
}

fn server_keys(bank: &Bank) -> ServerKeys {
    let path = |name: &str| bank.home().join("keys").join(name);
    let root = toml_of(&path("root.key"));
    let root = STANDARD.decode(root["seed"].as_str().expect("a plain seed")).expect("base64");
    ServerKeys {
        checkpoint: key_of(&path("checkpoint.key")),
        second_checkpoint: None,
        statement: key_of(&path("statement.key")),
        operator: key_of(&path("operator.key")),
        root: Zeroizing::new(root.try_into().expect("32 bytes")),
    }
}

/// `CREDITBANK_POWER_GROUPS` makes it longer: the engine begins another segment after some thousand groups.
#[test]
fn what_was_answered_survives_a_power_cut() {
    if !can_trace() {
        return;
    }
    let mut random = Random::new(seed("what_was_answered_survives_a_power_cut"));
    let mut story = story(Bank::BINARY, setting("CREDITBANK_POWER_GROUPS", GROUPS));
    let images = cut_after_answers(&mut story, &mut random).unwrap_or_else(|problem| panic!("{problem}"));
    println!("{images:?}");
    assert!(images.opened > GROUPS && images.torn > GROUPS / 5, "{images:?}");
}

/// The model must notice a store that does not sync: the same story without its syncs of the journal loses answers.
#[test]
fn without_the_sync_a_power_cut_loses_answers() {
    if !can_trace() {
        return;
    }
    let mut random = Random::new(seed("without_the_sync_a_power_cut_loses_answers"));
    let mut story = story(Bank::BINARY, GROUPS);
    story.calls.retain(|call| {
        !(call.name == "fdatasync" && call.file().to_string_lossy().contains("store/journal."))
    });
    let lost = cut_after_answers(&mut story, &mut random).expect_err("nothing was lost");
    println!("noticed: {lost}");
}

/// The same of a build that really lacks them.
#[test]
fn a_build_without_the_sync_loses_answers() {
    let Some(binary) = build_without_the_sync() else { return };
    let mut random = Random::new(seed("a_build_without_the_sync_loses_answers"));
    let lost = cut_after_answers(&mut story(&binary, GROUPS), &mut random).expect_err("nothing was lost");
    println!("noticed: {lost}");
}
