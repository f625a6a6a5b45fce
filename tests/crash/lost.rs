//! Files that are lost, older or another ledger's: the server refuses to start and says why, never opens empty, and
//! harms nothing by trying.

use crate::bank::{Bank, text, wait_for};
use crate::load::{Load, Place, Write, block_on, send};
use crate::session::{Session, World, refusal, refused_by};
use credit_proto::v1;
use prost::Message as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicU64;
use tonic::Code;

/// What a panic ends with.
const PANICKED: i32 = 101;

/// A process that is killed if a test gives up on it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server that must not start, and gives what it said.
fn refused(bank: &Bank) -> String {
    let mut command = bank.command();
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = Running(command.spawn().expect("the server's process starts"));
    let mut stderr = server.0.stderr.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        stderr.read_to_string(&mut said).map(|_| said).expect("UTF-8")
    });
    let status = wait_for("the server to refuse", || server.0.try_wait().expect("a child's status"));
    let said = reader.join().expect("the reader ends");
    assert!(status.code().is_some_and(|code| code != 0 && code != PANICKED), "{status}: {said}");
    said
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).output().expect("cp runs");
    assert!(copied.status.success(), "{}", text(&copied));
}

/// A stopped ledger with some entries, the same somewhat older, and what was answered last.
struct Kept {
    world: World,
    ledger: PathBuf,
    newest: PathBuf,
    older: PathBuf,
    last: (Write, Place),
}

impl Kept {
    fn new() -> Self {
        // So many records that some have settled and some have not.
        let world = World::start(&[("rows_bytes", "65536")]);
        let write = |count: usize| {
            block_on(async {
                let session = Session::new(&world).await;
                let account = session.account().await;
                let load =
                    Load { world: &world, account, anchor: session.head().await, answers: AtomicU64::new(0) };
                let mut last = None;
                for _ in 0..count {
                    let write = Write::Record(load.record());
                    let position = send(&session, &write).await.expect("a record is taken");
                    last = Some((write, Place { index: position.index, leaf: position.leaf_hash }));
                }
                last.expect("a record")
            })
        };
        let ledger = world.bank.home().join("ledger");
        let [older, newest] = ["older", "newest"].map(|name| world.bank.folder().join(name));
        write(150);
        assert!(world.bank.stop().success(), "{}", world.bank.log());
        copy(&ledger, &older);
        world.bank.serve();
        let last = write(20);
        assert!(world.bank.stop().success(), "{}", world.bank.log());
        copy(&ledger, &newest);
        Self { world, ledger, newest, older, last }
    }

    /// Harms a fresh copy of the newest state; the server must refuse it with these words.
    fn refuses(&self, what: &str, words: &[&str], harm: impl FnOnce(&Path)) {
        copy(&self.newest, &self.ledger);
        harm(&self.ledger);
        let said = refused(&self.world.bank);
        println!("{what}: {}", said.trim().replace('\n', " / "));
        for word in words {
            assert!(said.contains(word), "{what}: `{word}` is not in: {said}");
        }
        assert!(!said.contains("panicked"), "{what}: {said}");
        // A second try finds the same: the first has not made a new beginning.
        refused(&self.world.bank);
    }

    /// The newest state still starts, with everything in it.
    fn starts(&self) {
        copy(&self.newest, &self.ledger);
        self.world.bank.serve();
        block_on(async {
            let session = Session::new(&self.world).await;
            let (write, place) = &self.last;
            let position = send(&session, write).await.expect("the same is taken again");
            assert!(position.replayed && position.index == place.index && position.leaf_hash == place.leaf);
        });
        assert!(self.world.bank.stop().success(), "{}", self.world.bank.log());
    }
}

fn remove(path: impl AsRef<Path>) {
    let path = path.as_ref();
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[test]
fn an_older_store_under_a_newer_mark_is_refused() {
    let kept = Kept::new();
    kept.refuses(
        "an older store",
        &["not a continuation of the last signed head", "rolled back"],
        |ledger| {
            remove(ledger.join("store"));
            copy(&kept.older.join("store"), &ledger.join("store"));
        },
    );
    let verified = kept.world.bank.run(&["verify"]);
    assert_eq!(verified.status.code(), Some(3), "{}", text(&verified));
    // The whole directory of that day is a rollback that nothing on this machine can tell; clients can.
    kept.starts();
}

#[test]
fn lost_files_are_refused_and_never_made_anew() {
    let kept = Kept::new();
    kept.refuses("no db", &["db"], |ledger| remove(ledger.join("store/db")));
    kept.refuses("an empty db", &["db"], |ledger| fs::write(ledger.join("store/db"), "").expect("a file"));
    kept.refuses("half a db", &[], |ledger| {
        let path = ledger.join("store/db");
        // The engine makes its file longer than what it has written.
        let written = fs::read(&path).expect("a file").iter().rposition(|byte| *byte != 0).expect("bytes");
        let db = fs::OpenOptions::new().write(true).open(path).expect("a file");
        db.set_len(written as u64 / 2).expect("a length");
    });
    kept.refuses("an empty store", &["store"], |ledger| {
        remove(ledger.join("store"));
        fs::create_dir(ledger.join("store")).expect("a folder");
    });
    kept.refuses("no store", &["ledger"], |ledger| remove(ledger.join("store")));
    kept.refuses("no mark", &["high-water"], |ledger| remove(ledger.join("high-water")));
    kept.refuses("an empty mark", &["high-water"], |ledger| {
        fs::write(ledger.join("high-water"), "").expect("a file");
    });
    kept.refuses("no keyring", &["keyring"], |ledger| remove(ledger.join("keyring")));
    kept.refuses("no wrapping keys", &["wrapping keys"], |ledger| {
        remove(ledger.join("keyring/wrapping.keys"));
    });
    kept.refuses("no directory", &["ledger"], |ledger| remove(ledger));
    kept.starts();
}

#[test]
fn files_of_another_ledger_are_refused() {
    let kept = Kept::new();
    let other = Bank::new(&[]);
    let foreign = |name: &str| other.home().join("ledger").join(name);
    for (what, name, words) in [
        ("another store", "store", &["another log"][..]),
        ("another mark", "high-water", &["another log"]),
        ("another keyring", "keyring", &["root key"]),
    ] {
        kept.refuses(what, words, |ledger| {
            remove(ledger.join(name));
            copy(&foreign(name), &ledger.join(name));
        });
    }
    let home = kept.world.bank.home();
    for (name, word) in [
        ("checkpoint", "checkpoint key"),
        ("statement", "statement key"),
        ("operator", "operator key"),
        ("root", "root key"),
    ] {
        let path = home.join("keys").join(format!("{name}.key"));
        let own = fs::read(&path).expect("a key file");
        let swap = |bytes: &[u8]| fs::write(&path, bytes).expect("a key file");
        let others = fs::read(other.home().join("keys").join(format!("{name}.key"))).expect("a key file");
        kept.refuses(name, &[word], |_| swap(&others));
        swap(&own);
    }
    kept.starts();
}

/// Without an account's data key nothing may be written about it; what stands in the log can be read.
#[test]
fn a_keyring_that_lacks_accounts_stops_writes_and_serves_reads() {
    let kept = Kept::new();
    remove(kept.ledger.join("keyring/00000000.records"));
    kept.world.bank.serve();
    block_on(async {
        let session = Session::new(&kept.world).await;
        assert!(session.size().await > kept.last.1.index);
        let anchor = session.head().await;
        let account = crate::session::Account { account_ref: vec![1; 16], number: String::new() };
        let load = Load { world: &kept.world, account, anchor, answers: AtomicU64::new(0) };
        for write in [Write::Record(load.record()), Write::Opening(load.opening()), kept.last.0.clone()] {
            let status = send(&session, &write).await.expect_err("no writes");
            assert_eq!(refused_by("KEYRING_BEHIND", &status).code, Code::Unavailable);
        }
        details_are_missing_and_not_erased(&session, &kept.last.0).await;
    });
    assert!(kept.world.bank.stop().success(), "{}", kept.world.bank.log());
    kept.starts();
}

/// Nothing in the log says that the account was erased, so nobody is told so: facts are read, details have a named
/// failure.
async fn details_are_missing_and_not_erased(session: &Session<'_>, write: &Write) {
    let Write::Record(request) = write else { panic!("an opening") };
    let envelope = request.envelope.as_ref().expect("an envelope");
    let facts = v1::RecordFacts::decode(envelope.payload.as_slice()).expect("facts");
    let v1::RecordFacts { account_ref, record_id, .. } = facts;
    let school = &session.world.school;
    for caller in [session.learner(&account_ref), session.of(school), session.auditor()] {
        let request = v1::GetRecordRequest { issuer_id: school.id.clone(), record_id: record_id.clone() };
        let refused = refusal("DATA_KEY_MISSING", caller.records().get_record(request).await);
        assert_eq!(refused.code, Code::FailedPrecondition);
        let list = |with_details| v1::ListRecordsRequest {
            account_ref: account_ref.clone(),
            page_size: 1_000,
            with_details,
            ..v1::ListRecordsRequest::default()
        };
        refusal("DATA_KEY_MISSING", caller.records().list_records(list(true)).await);
        let listed = caller.records().list_records(list(false)).await.expect("facts").into_inner().records;
        assert!(
            listed.iter().any(|view| view.facts.as_ref().is_some_and(|facts| facts.record_id == record_id))
        );
    }
}

#[test]
fn two_servers_never_share_a_directory() {
    let bank = Bank::start(&[]);
    let said = refused(&bank);
    println!("{said}");
    assert!(said.contains("in use"), "{said}");
    for command in [&["verify"][..], &["rebuild"], &["rebuild", "--check"]] {
        let output = bank.run(command);
        assert_eq!(output.status.code(), Some(4), "{command:?}: {}", text(&output));
        assert!(text(&output).contains("in use"), "{command:?}: {}", text(&output));
    }
    // The first has not noticed.
    assert!(bank.stop().success(), "{}", bank.log());
    bank.must(&["verify"]);
}

/// A second process on a copy of a directory.
fn serve_copy(bank: &Bank, copy: &Path) -> (Running, String) {
    let mut command = bank.command();
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(copy);
    let mut server = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server"));
    let stdout = server.0.stdout.take().expect("a pipe");
    let told = std::io::BufRead::lines(std::io::BufReader::new(stdout)).map_while(Result::ok);
    let url = told.into_iter().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
    (server, url.expect("an address"))
}

/// Two copies that run at once: their histories differ at their first entry (its epoch is drawn anew at each start), each
/// signs only what continues its own, and neither starts on the other's.
#[test]
fn a_copy_that_runs_beside_its_original_signs_its_own_history_only() {
    let kept = Kept::new();
    let copied = kept.world.bank.folder().join("copied");
    copy(&kept.newest, &copied);
    kept.world.bank.serve();
    let (server, url) = serve_copy(&kept.world.bank, &copied);
    let (ours, theirs) = block_on(async {
        let session = Session::new(&kept.world).await;
        let mut stub =
            credit_rpc::v1::log_service_client::LogServiceClient::connect(url).await.expect("a copy");
        let mut other = async || {
            let answer = stub.get_checkpoint(v1::GetCheckpointRequest {}).await.expect("a checkpoint");
            kept.world.checkpoint(&answer.into_inner().checkpoint)
        };
        let (ours, theirs) = (session.head().await, other().await);
        assert_eq!(ours.size, theirs.size);
        assert_ne!(ours.root, theirs.root, "both have the same first entry of their own");
        let account = session.account().await;
        let load =
            Load { world: &kept.world, account, anchor: session.head().await, answers: AtomicU64::new(0) };
        send(&session, &Write::Record(load.record())).await.expect("a record is taken");
        let next = session.head().await;
        let request = v1::GetConsistencyProofRequest { old_size: ours.size, new_size: next.size };
        let proof =
            session.anyone().log().get_consistency_proof(request).await.expect("a proof").into_inner();
        let path: Vec<credit_log::Hash> =
            proof.path.into_iter().map(|hash| hash.try_into().expect("32 bytes")).collect();
        let follows = |old: &credit_log::Hash| {
            credit_log::consistency::verify(ours.size, next.size, &path, old, &next.root).is_ok()
        };
        assert!(follows(&ours.root) && !follows(&theirs.root));
        (ours, other().await)
    });
    assert_eq!(
        (theirs.size, theirs.root == ours.root),
        (ours.size, false),
        "the copy has stayed where it was"
    );
    drop(server);
    assert!(kept.world.bank.stop().success(), "{}", kept.world.bank.log());
    // Each directory goes on by itself; the store of one is no continuation of what the other has signed.
    let own = kept.world.bank.folder().join("own");
    copy(&kept.ledger, &own);
    for (store, mark) in [(&own, &copied), (&copied, &own)] {
        kept.refuses("another copy's store", &["not a continuation"], |ledger| {
            copy(&store.join("store"), &ledger.join("store"));
            copy(&mark.join("high-water"), &ledger.join("high-water"));
        });
    }
}
