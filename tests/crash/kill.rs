//! The real server is killed under load, again and again; whatever it had answered must be there.

use crate::bank::{Bank, text, wait_for};
use crate::load::{Harvest, Load, Place, Sent, SentBatch, Write, block_on, finish, send};
use crate::seed::{Random, seed, setting};
use crate::session::{Account, Session, World, hex};
use credit_log::hash::leaf_hash;
use credit_log::tree::Frontier;
use credit_log::{Hash, consistency};
use credit_proto::v1;
use credit_store::Store as _;
use credit_store::sled::{Options, SledStore};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often the server is killed where nothing else is asked for.
const CYCLES: u64 = 20;
/// The directory is looked at with the server down once in so many cycles.
const DEEP_EVERY: u64 = 5;
/// A server that starts is killed too, once in so many cycles.
const STARTING_EVERY: u64 = 3;
/// Fewer answers than this are waited for before the server is killed.
const ANSWERS: u64 = 120;
/// The most heads whose consistency is proved over the wire after each start.
const PROOFS: usize = 24;
/// Bytes of entries that are read at once.
const READ_BYTES: usize = 4 << 20;

/// Everything that was ever answered.
#[derive(Default)]
struct Memory {
    places: BTreeMap<u64, Vec<u8>>,
    heads: BTreeMap<u64, Hash>,
    size: u64,
    accounts: Vec<(Account, u32)>,
}

impl Memory {
    fn keep(&mut self, place: &Place) {
        let before = self.places.insert(place.index, place.leaf.clone());
        assert!(before.is_none_or(|before| before == place.leaf), "two leaves of entry {}", place.index);
        self.size = self.size.max(place.index + 1);
    }

    fn keep_heads(&mut self, heads: &BTreeMap<u64, Hash>) {
        for (size, root) in heads {
            let before = self.heads.insert(*size, *root);
            assert!(before.is_none_or(|before| before == *root), "two signed roots of size {size}");
            self.size = self.size.max(*size);
        }
    }
}

/// Whatever the server answered before it was killed is there afterwards, at the same place; whatever it had not
/// answered is there once or not at all; the log never gets shorter, and is whole.
#[test]
fn kill_nine_loses_nothing() {
    let seed = seed("kill_nine_loses_nothing");
    let cycles = setting("CREDITBANK_CRASH_CYCLES", CYCLES);
    let mut random = Random::new(seed);
    // Few rows stay in memory, so that some are settling when it is killed.
    let world = World::start(&[("reserve_bytes", "0"), ("rows_bytes", "65536")]);
    let mut memory = Memory::default();
    for cycle in 1..=cycles {
        let harvest = cycle_of(&world, &mut random, &mut memory);
        let told = harvest.sent.iter().filter(|sent| sent.told.is_some()).count();
        println!(
            "cycle {cycle}: {told} of {} writes and {} batches answered, {} entries",
            harvest.sent.len(),
            harvest.batches.len(),
            memory.size
        );
        if cycle % DEEP_EVERY == 0 || cycle == cycles {
            look_inside(&world.bank, &memory);
        }
        if cycle % STARTING_EVERY == 0 {
            kill_while_starting(&world.bank, &mut random);
        }
        world.bank.serve();
        block_on(settle(&world, harvest, &mut memory));
    }
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    look_inside(&world.bank, &memory);
    assert!(memory.size > cycles * 4, "next to nothing was written: {} entries", memory.size);
}

/// Load until a random count of answers and a random moment more, then the kill. The server is down afterwards.
fn cycle_of(world: &World, random: &mut Random, memory: &mut Memory) -> Harvest {
    let (account, anchor) = block_on(async {
        let session = Session::new(world).await;
        (session.account().await, session.head().await)
    });
    let load = Load { world, account: account.clone(), anchor, answers: AtomicU64::new(0) };
    let answers = 1 + random.below(ANSWERS);
    let more = Duration::from_micros(random.below(20_000));
    let harvest = load.run(|| {
        wait_for("answers", || (load.answers.load(Ordering::Relaxed) >= answers).then_some(()));
        // Not a wait for anything: the kill has to come at any moment.
        std::thread::sleep(more);
        world.bank.kill9();
    });
    for place in harvest.sent.iter().filter_map(|sent| sent.told.as_ref()) {
        memory.keep(place);
    }
    for place in harvest.batches.iter().flat_map(|sent| &sent.told) {
        memory.keep(place);
    }
    memory.keep_heads(&harvest.heads);
    memory.accounts.push((account, 0));
    harvest
}

/// Kills a server at some moment of its start; it may just have begun to serve.
fn kill_while_starting(bank: &Bank, random: &mut Random) {
    let mut command = bank.command();
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the server's process starts");
    std::thread::sleep(Duration::from_micros(random.below(300_000)));
    child.kill().expect("a signal is sent");
    child.wait().expect("a child ends");
}

/// Sends everything again to the server that runs now, and holds its answers against what was told before.
async fn settle(world: &World, harvest: Harvest, memory: &mut Memory) {
    let session = Session::new(world).await;
    let head = session.head().await;
    assert!(head.size >= memory.size, "{} entries of {} are left", head.size, memory.size);
    consistent(&session, memory, head.size, &head.root).await;
    let Harvest { sent, batches, heads: _ } = harvest;
    let mut again = Harvest::default();
    let mut records = 0;
    for Sent { write, told } in sent {
        let position = send(&session, &write).await.expect("the same is taken again");
        let place = again.proved(world, &write, Some(&position));
        if let Some(told) = told {
            assert_eq!(place, told);
            assert!(position.replayed, "entry {} was recorded twice", told.index);
        }
        memory.keep(&place);
        records += u32::from(matches!(write, Write::Record(_)));
    }
    for mut sent in batches {
        finish(&session, &mut sent, || ()).await.expect("a batch goes on");
        let SentBatch { batch, told } = sent;
        for place in &told {
            memory.keep(place);
        }
        session.settled(told.last().expect("an answer").index).await;
        records += u32::try_from(batch.leaves.len()).expect("a count");
    }
    memory.keep_heads(&again.heads);
    if let Some((_, count)) = memory.accounts.last_mut() {
        *count = records;
    }
    for (account, count) in &memory.accounts {
        assert_eq!(session.view(&account.account_ref).await.records, *count, "{}", hex(&account.account_ref));
    }
}

/// The head continues heads that were signed before the kill.
async fn consistent(session: &Session<'_>, memory: &Memory, size: u64, root: &Hash) {
    for (old_size, old_root) in memory.heads.iter().rev().take(PROOFS) {
        let request = v1::GetConsistencyProofRequest { old_size: *old_size, new_size: size };
        let answer =
            session.anyone().log().get_consistency_proof(request).await.expect("a proof").into_inner();
        let path: Vec<Hash> =
            answer.path.into_iter().map(|hash| hash.try_into().expect("32 bytes")).collect();
        consistency::verify(*old_size, size, &path, old_root, root)
            .unwrap_or_else(|error| panic!("{size} entries do not continue {old_size}: {error}"));
    }
}

/// With no server: the whole log verifies, its rows are those that it gives, and everything answered stands in it
/// under every head that was ever signed.
fn look_inside(bank: &Bank, memory: &Memory) {
    let verified = bank.run(&["verify", "--output", "json"]);
    assert!(verified.status.success(), "verify: {}", text(&verified));
    let rows = bank.run(&["rebuild", "--check"]);
    assert!(rows.status.success(), "rebuild --check: {}", text(&rows));
    let options = Options { must_exist: true, ..Options::default() };
    let store = SledStore::open(&bank.home().join("ledger/store"), &options).expect("the store opens");
    let (size, root) = store.head().expect("a head");
    assert!(size >= memory.size, "{size} entries of {} are left", memory.size);
    let mut tree = Frontier::new();
    while tree.size() < size {
        for entry in store.entries(tree.size()..size, READ_BYTES).expect("entries") {
            let leaf = leaf_hash(&entry.core);
            if let Some(told) = memory.places.get(&tree.size()) {
                assert_eq!(*told, leaf, "entry {} is another", tree.size());
            }
            tree.append(leaf);
            if let Some(signed) = memory.heads.get(&tree.size()) {
                assert_eq!(
                    *signed,
                    tree.root(),
                    "the signed head of {} entries is of another log",
                    tree.size()
                );
            }
        }
    }
    assert_eq!(tree.root(), root);
    let told: serde_json::Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    assert_eq!((told["size"].as_u64(), told["root"].as_str()), (Some(size), Some(hex(&root).as_str())));
    store.close().expect("the store closes");
}
