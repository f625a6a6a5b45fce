//! No answer before its group is on the disk: what the server asks of the kernel, in its order.

use crate::bank::Bank;
use crate::load::{Load, Place, Write, block_on, send};
use crate::require::{build_without_the_sync, can_trace};
use crate::session::{Session, World};
use crate::trace::{Call, kill_and_read, serve_traced};
use std::sync::atomic::AtomicU64;

/// How many records are submitted, each in a group of its own.
const GROUPS: usize = 50;
/// What the store's journal is called: a group is durable once it is in there.
const JOURNAL: &str = "ledger/store/journal.";

/// Whether a call is about the journal.
fn is_of_journal(call: &Call) -> bool {
    call.file().to_string_lossy().contains(JOURNAL)
}

/// Checks that between the last write to the store's journal and each answer it was synced, and that each
/// answer has a write of its own.
fn check(Traced { calls, places }: &Traced) -> Result<(), String> {
    let main = |call: &&Call| is_of_journal(call);
    let writes: Vec<&Call> = calls.iter().filter(|call| call.writes()).filter(main).collect();
    let syncs: Vec<&Call> =
        calls.iter().filter(|call| call.name == "fdatasync" && call.result == 0).filter(main).collect();
    let mut before = 0;
    for Place { index: number, leaf } in places {
        let answer = calls.iter().find(|call| call.tells(leaf));
        let answer = answer.ok_or_else(|| format!("answer {number} is not in the trace"))?;
        let write = writes.iter().rfind(|write| write.first < answer.first);
        let Some(write) = write.filter(|write| write.first > before) else {
            return Err(format!("answer {number} at line {} has no write of its own", answer.first));
        };
        let durable = syncs.iter().any(|sync| write.last < sync.first && sync.last < answer.first);
        if !durable {
            return Err(format!(
                "answer {number} at line {} comes before its write is durable",
                answer.first
            ));
        }
        before = answer.last;
    }
    Ok(())
}

/// What a traced server did, and what it answered, with a receipt or without.
#[derive(Clone)]
struct Traced {
    calls: Vec<Call>,
    places: Vec<Place>,
}

/// Submits records one after the other to a traced server.
fn traced(world: &World, binary: &str) -> Traced {
    let file = world.bank.folder().join("trace");
    serve_traced(&world.bank, binary, &file);
    let places = block_on(async {
        let session = Session::new(world).await;
        let load = Load {
            world,
            account: session.account().await,
            anchor: session.head().await,
            answers: AtomicU64::new(0),
        };
        let mut places = Vec::new();
        for _ in 0..GROUPS {
            let position = send(&session, &Write::Record(load.record())).await.expect("a record is taken");
            places.push(Place { index: position.index, leaf: position.leaf_hash });
        }
        places
    });
    Traced { calls: kill_and_read(&world.bank, &file), places }
}

fn world() -> World {
    let world = World::start(&[]);
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    world
}

#[test]
fn no_answer_leaves_before_its_group_is_on_the_disk() {
    if !can_trace() {
        return;
    }
    let traced = traced(&world(), Bank::BINARY);
    assert_eq!((check(&traced), traced.places.len()), (Ok(()), GROUPS));

    // The check is worth something only if it fails where it should.
    let changed = |change: fn(&mut Call)| -> Traced {
        let mut traced = traced.clone();
        for call in &mut traced.calls {
            if call.name == "fdatasync" && is_of_journal(call) {
                change(call);
            }
        }
        traced
    };
    for (what, change) in [
        ("left out", (|sync| sync.name.clear()) as fn(&mut Call)),
        ("failed", |sync| sync.result = -1),
        ("only begun", |sync| sync.last += 1_000),
    ] {
        check(&changed(change)).expect_err(what);
    }
    let mut early = traced.clone();
    let syncs = traced.calls.iter().filter(|call| call.syncs() && is_of_journal(call));
    let syncs: Vec<usize> = syncs.map(|sync| sync.first).collect();
    for Place { leaf, .. } in &traced.places {
        let answer = early.calls.iter_mut().find(|call| call.tells(leaf)).expect("an answer");
        answer.first = *syncs.iter().rfind(|sync| **sync < answer.first).expect("a sync before each answer");
    }
    check(&early).expect_err("answered while the sync runs");
}

/// A build without the call must be found out.
#[test]
fn a_build_without_the_sync_answers_too_early() {
    let Some(binary) = build_without_the_sync() else { return };
    let found = check(&traced(&world(), &binary));
    println!("found: {}", found.expect_err("the build without the sync passed"));
}
