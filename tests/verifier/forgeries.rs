//! One byte of a stopped ledger is changed, at many places: it is noticed, or it did not matter. Wrong data is never
//! served, and nothing panics to its end.

use crate::bank::{Bank, text};
use crate::seed::{Random, seed};
use crate::session::{Account, Session, World, hex, in_runtime, refused_by};
use crate::statement::Draft;
use credit_log::hash::leaf_hash;
use credit_proto::v1;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How many bytes are changed of each file; the names of some are only known by their beginning: of several the longest.
const PLACES: [(&str, usize); 9] = [
    ("store/journal.", 90),
    ("store/blocks", 60),
    ("store/pages", 40),
    ("store/db", 60),
    ("store/snap.", 16),
    ("store/conf", 16),
    ("high-water", 48),
    ("keyring/wrapping.keys", 16),
    ("keyring/00000000.records", 24),
];
/// Records in the ledger that is harmed.
const RECORDS: usize = 60;
/// Of the changed bytes of the main file at most one in so many lies behind all that was ever written.
const FREE_EVERY: u64 = 16;
/// A panic that nobody caught ends a process with this code.
const PANICKED: i32 = 101;

/// What the ledger says of itself while it is whole.
struct Truth {
    size: u64,
    root: String,
    leaves: Vec<[u8; 32]>,
    account: Account,
    view: v1::AccountView,
    records: Vec<v1::RecordView>,
}

/// A changed byte.
#[derive(Debug, Clone)]
struct Flip {
    file: String,
    offset: u64,
    mask: u8,
}

/// What became of a flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Noticed {
    /// By both.
    Always,
    /// The log is whole; the server finds out what the verifier does not look at.
    ByStart,
    /// The server starts well.
    ByVerify,
    /// By neither: the byte carried nothing.
    Never,
}

pub(crate) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let copied =
        Command::new("cp").args(["-a", "--sparse=always"]).arg(from).arg(to).output().expect("cp runs");
    assert!(copied.status.success(), "{}", text(&copied));
}

/// Another ledger in a folder of its own with the home of the first.
fn twin(world: &World) -> World {
    let bank = Bank::new(&[]);
    copy(&world.bank.home(), &bank.home());
    over(bank, world)
}

/// What is known of a ledger, over another bank that runs a copy of it.
pub(crate) fn over(bank: Bank, world: &World) -> World {
    World {
        bank,
        origin: world.origin.clone(),
        log_id: world.log_id.clone(),
        checkpoint_keys: world.checkpoint_keys.clone(),
        statement_keys: world.statement_keys.clone(),
        registrar: world.registrar.clone(),
        regulator: world.regulator.clone(),
        school: world.school.clone(),
    }
}

/// Fills a ledger, stops it, and notes what is true of it.
fn truth(world: &World) -> Truth {
    let account = in_runtime(async {
        let session = Session::new(world).await;
        session.account().await;
        let account = session.account().await;
        for _ in 0..RECORDS {
            session.deposit(&world.school, &Draft::course(&account.account_ref)).await;
        }
        account
    });
    // What the next start reads back, with the entry that the start adds.
    world.bank.restart();
    let (leaves, view, records) = in_runtime(async {
        let session = Session::new(world).await;
        let read = read(&session, &account, true).await.expect("a whole ledger");
        assert_eq!(read.0.len() as u64, session.size().await);
        read
    });
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    let verified = world.bank.must(&["verify", "--output", "json"]);
    let told: Value = serde_json::from_str(&verified).expect("JSON");
    assert_eq!(records.len(), RECORDS);
    Truth {
        size: told["size"].as_u64().expect("a size"),
        root: told["root"].as_str().expect("a root").to_owned(),
        leaves,
        account,
        view,
        records,
    }
}

/// All that a learner and the public see.
async fn read(
    session: &Session<'_>,
    account: &Account,
    with_details: bool,
) -> Result<(Vec<[u8; 32]>, v1::AccountView, Vec<v1::RecordView>), tonic::Status> {
    let mut leaves = Vec::new();
    let size = session.size().await;
    while (leaves.len() as u64) < size {
        let request =
            v1::ListEntriesRequest { start: leaves.len() as u64, ..v1::ListEntriesRequest::default() };
        let answer = session.anyone().log().list_entries(request).await?.into_inner();
        assert!(!answer.entries.is_empty(), "an empty page below the head");
        leaves.extend(answer.entries.iter().map(|entry| leaf_hash(&entry.core)));
    }
    let learner = session.learner(&account.account_ref);
    let request = v1::GetAccountRequest { account_ref: account.account_ref.clone() };
    let view = learner.accounts().get_account(request).await?.into_inner().account.expect("an account");
    let (mut records, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListRecordsRequest {
            account_ref: account.account_ref.clone(),
            page_token: page_token.clone(),
            with_details,
            ..v1::ListRecordsRequest::default()
        };
        let answer = learner.records().list_records(request).await?.into_inner();
        records.extend(answer.records);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok((leaves, view, records));
        }
    }
}

/// Chooses places by chance: in the main file mostly where something was written.
fn flips(world: &World, random: &mut Random) -> Vec<Flip> {
    let ledger = world.bank.home().join("ledger");
    let mut flips = Vec::new();
    for (name, count) in PLACES {
        let (folder, begin) = name.split_once('/').unwrap_or(("", name));
        let names = fs::read_dir(ledger.join(folder)).expect("a folder");
        let names = names.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
        // Nothing counts that stands in a spare.
        let names = names.filter(|found| found.starts_with(begin) && found != "journal.spare");
        let files = names.map(|found| Path::new(folder).join(found));
        let length = |file: &PathBuf| fs::metadata(ledger.join(file)).expect("a file").len();
        let file = files.max_by_key(length).expect("the file is there");
        let bytes = fs::read(ledger.join(&file)).expect("a file");
        let used = bytes.iter().rposition(|byte| *byte != 0).expect("something was written") as u64 + 1;
        for _ in 0..count {
            let free = used < bytes.len() as u64 && random.below(FREE_EVERY) == 0;
            let mut offset =
                if free { used + random.below(bytes.len() as u64 - used) } else { random.below(used) };
            // Zeros are mostly room between things: half of those are passed over.
            while !free && bytes[usize::try_from(offset).expect("an offset")] == 0 && random.coin() {
                offset = random.below(used);
            }
            let mask = u8::try_from(1 + random.below(255)).expect("a byte");
            flips.push(Flip { file: file.to_string_lossy().into_owned(), offset, mask });
        }
    }
    flips
}

fn flip(ledger: &Path, flip: &Flip) {
    let path = ledger.join(&flip.file);
    let file = fs::OpenOptions::new().read(true).write(true).open(path).expect("a file");
    let mut byte = [0];
    file.read_exact_at(&mut byte, flip.offset).expect("a byte");
    byte[0] ^= flip.mask;
    file.write_all_at(&byte, flip.offset).expect("a byte is written");
}

/// Whether `verify` finds the log whole; then it must be the very log.
fn verifies(world: &World, truth: &Truth, flip: &Flip) -> bool {
    let output = world.bank.run(&["verify", "--output", "json"]);
    let code = output.status.code();
    assert!(code.is_some_and(|code| code != PANICKED), "{flip:?}: {}", text(&output));
    if code != Some(0) {
        return false;
    }
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let same =
        (told["size"].as_u64(), told["root"].as_str()) == (Some(truth.size), Some(truth.root.as_str()));
    assert!(same, "{flip:?}: another log verifies: {told}");
    true
}

/// Whether the server starts, serves all that is true and takes writes; whatever it serves must be true.
fn serves(world: &World, truth: &Truth, flip: &Flip) -> bool {
    if let Err(said) = world.bank.try_serve(&[]) {
        let exit = said.lines().next().unwrap_or_default();
        let code: Option<i32> = exit.strip_prefix("exit status: ").and_then(|code| code.parse().ok());
        assert!(code.is_some_and(|code| code != 0 && code != PANICKED), "{flip:?}: {said}");
        return false;
    }
    let whole = in_runtime(async {
        let session = Session::new(world).await;
        let head = session.head().await;
        assert!(head.size >= truth.size, "{flip:?}: {} entries of {}", head.size, truth.size);
        let mut outcome = read(&session, &truth.account, true).await;
        // Without the account's key nobody reads details, and nothing is written; that is said by its name.
        let hidden = outcome.as_ref().is_err_and(|status| status.code() == tonic::Code::FailedPrecondition);
        if let (true, Err(status)) = (hidden, &outcome) {
            refused_by("DATA_KEY_MISSING", status);
            outcome = read(&session, &truth.account, false).await;
        }
        let (leaves, view, records) = match outcome {
            Ok(read) => read,
            Err(status) => {
                assert_eq!(status.code(), tonic::Code::Unavailable, "{flip:?}: {status:?}");
                return false;
            }
        };
        assert!(leaves.starts_with(&truth.leaves), "{flip:?}: other entries are served");
        assert_eq!(view, truth.view, "{flip:?}");
        let writes = takes_writes(&session).await;
        assert_eq!(records.len(), truth.records.len(), "{flip:?}");
        for (record, true_one) in records.iter().zip(&truth.records) {
            let (details, opened) =
                if hidden { (None, None) } else { (true_one.details.clone(), true_one.opened.clone()) };
            assert_eq!(*record, v1::RecordView { details, opened, ..true_one.clone() }, "{flip:?}");
        }
        assert!(!(hidden && writes), "{flip:?}: writes go on without a key");
        writes
    });
    world.bank.kill9();
    whole
}

async fn takes_writes(session: &Session<'_>) -> bool {
    let request = HealthCheckRequest { service: "creditbank.v1.RecordService".to_owned() };
    let answer = HealthClient::new(session.channel()).check(request).await.expect("a health").into_inner();
    answer.status == i32::from(ServingStatus::Serving)
}

#[test]
fn a_changed_byte_is_noticed_or_harmless() {
    let mut random = Random::new(seed("a_changed_byte_is_noticed_or_harmless"));
    // Some of it has settled into the store's files, and some has not.
    let world = World::start(&[("rows_bytes", "65536")]);
    let truth = truth(&world);
    let flips = flips(&world, &mut random);
    let (count, next) = (flips.len(), Mutex::new(flips.into_iter()));
    let outcomes: Mutex<BTreeMap<(String, Noticed), usize>> = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let twin = twin(&world);
                loop {
                    let Some(chosen) = next.lock().expect("no worker has failed").next() else { break };
                    copy(&world.bank.home(), &twin.bank.home());
                    flip(&twin.bank.home().join("ledger"), &chosen);
                    let verified = verifies(&twin, &truth, &chosen);
                    let served = serves(&twin, &truth, &chosen);
                    let noticed = match (verified, served) {
                        (false, false) => Noticed::Always,
                        (true, false) => Noticed::ByStart,
                        (false, true) => Noticed::ByVerify,
                        (true, true) => Noticed::Never,
                    };
                    let file = chosen.file.clone();
                    *outcomes.lock().expect("no worker has failed").entry((file, noticed)).or_default() += 1;
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("no worker has failed");
    println!(
        "{count} changed bytes of a ledger of {} entries with root {}: {outcomes:#?}",
        truth.size, truth.root
    );
    assert_eq!(outcomes.values().sum::<usize>(), count);
    let noticed = |file: &str| -> usize {
        outcomes
            .iter()
            .filter(|((of, how), _)| of.starts_with(file) && *how != Noticed::Never)
            .map(|(_, count)| count)
            .sum()
    };
    for file in
        ["store/journal.", "store/blocks", "store/pages", "keyring/wrapping.keys", "keyring/00000000.records"]
    {
        assert!(noticed(file) > 0, "not one changed byte of {file} was noticed");
    }
    assert_eq!(hex(&world.log_id), hex(&truth.leaves[0]));
}
