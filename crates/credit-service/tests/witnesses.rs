//! The ledger and its witnesses: real ones over HTTP, and servers that lie, sleep or are not there.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by stopping"
)]

#[path = "support/liar.rs"]
mod liar;

use credit_log::checkpoint::{self, Checkpoint};
use credit_log::cosignature::{Cosigner, CosignerKey};
use credit_log::envelope::SigningKey;
use credit_log::hash::sha256;
use credit_log::note::{NoteSigner, VerifierKey};
use credit_log::policy::Policy;
use credit_log::receipt::TlogProof;
use credit_log::witness::AddCheckpoint;
use credit_proto::{Envelope, Signable, v1};
use credit_service::config::Config;
use credit_service::witness::{Witness, WitnessAnswer, WitnessLog, WitnessServing, serve_witness};
use credit_service::{Expected, Health, Ledger, OpenOptions, OpenParts, ServerKeys, serve};
use credit_types::*;
use liar::{Liar, Lie, nowhere};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

const ORIGIN: &str = "dev.example/bank";
const AUTHORITY: [u8; 3] = [1, 2, 3];
const CHECKPOINT: u8 = 4;
const STATEMENT: u8 = 5;
const OPERATOR: u8 = 6;
/// The longest wait for a condition, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn public(seed: u8) -> PublicKey {
    let key = key(seed).public();
    PublicKey { bytes: key.bytes(), kid: Kid(key.kid()) }
}

fn server_keys() -> ServerKeys {
    ServerKeys {
        second_checkpoint: None,
        checkpoint: key(CHECKPOINT),
        statement: key(STATEMENT),
        operator: key(OPERATOR),
        root: Zeroizing::new([9; 32]),
    }
}

fn id(number: u8) -> CommandId {
    let mut bytes = [number; 16];
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    CommandId(bytes)
}

fn genesis(witness_policy_hash: Option<Digest>) -> Genesis {
    Genesis {
        nonce: [7; 32],
        protocol: credit_types::genesis::PROTOCOL,
        origin: ORIGIN.to_owned(),
        checkpoint_keys: vec![public(CHECKPOINT)],
        statement_keys: vec![public(STATEMENT)],
        operator_keys: vec![public(OPERATOR)],
        authority_keys: AUTHORITY.iter().map(|seed| public(*seed)).collect(),
        authority_threshold: 2,
        witness_policy_hash,
        registry_log: None,
        civil_offset_minutes: 480,
        policy: credit_types::Policy {
            notice_days: 0,
            quorum: 0,
            appeal_days: 15,
            lapse_days: 30,
            batch_days: 7,
            anchor_days: 30,
            suspect_days: 30,
        },
        continues: None,
    }
}

fn signed<B: Signable>(body: &B, header: &Header) -> Envelope {
    let payload = body.payload(Some(header));
    let mut signatures: Vec<(Kid, [u8; 64])> = AUTHORITY[..2]
        .iter()
        .map(|seed| (Kid(key(*seed).public().kid()), key(*seed).sign_statement(B::TYPE, &payload)))
        .collect();
    signatures.sort_unstable();
    Envelope { payload_type: B::TYPE.to_owned(), payload, signatures }
}

fn create(dir: &Path, witness_policy_hash: Option<Digest>) -> LogId {
    let header = Header { log_id: None, statement_id: id(1), signer: SignerId::Authority, anchor: None };
    let envelope = signed(&genesis(witness_policy_hash), &header);
    Ledger::create(dir, &envelope, server_keys()).unwrap()
}

fn options(policy: Option<&str>) -> OpenOptions {
    OpenOptions {
        reserve_bytes: 0,
        cache_bytes: 16 << 20,
        witness_policy: policy.map(|text| Policy::parse(text.as_bytes()).unwrap()),
        ..OpenOptions::default()
    }
}

async fn open(dir: &Path, policy: Option<&str>) -> Ledger {
    Ledger::open(dir, server_keys(), options(policy)).await.unwrap()
}

/// Publishes a framework of its own: one entry more.
async fn write(ledger: &Ledger, log_id: LogId, number: u8) -> u64 {
    let head = ledger.reader().head();
    let header = Header {
        log_id: Some(log_id),
        statement_id: id(number),
        signer: SignerId::Authority,
        anchor: Some(Anchor { size: head.size, root: head.root }),
    };
    let publication = FrameworkPublication {
        framework_id: FrameworkId::new(format!("cn.test{number}")).unwrap(),
        version: 1,
        title: Text { zh: "测试".to_owned(), en: "test".to_owned() },
        schemes: Vec::new(),
        levels: None,
    };
    let Envelope { payload_type, payload, signatures } = signed(&publication, &header);
    let signatures = signatures
        .iter()
        .map(|(kid, signature)| v1::Signature { kid: kid.0.to_vec(), signature: signature.to_vec() })
        .collect();
    let envelope = v1::Envelope { payload_type, payload, signatures };
    let prepared = ledger.preparer().statement(Expected::PublishFramework, Some(envelope), None, None, true);
    ledger.submit(prepared.unwrap()).await.unwrap().index
}

fn cosigner(number: u8) -> Cosigner {
    Cosigner::new(&format!("w.example/{number}"), key(100 + number)).unwrap()
}

/// A policy of these witnesses at these addresses, of which so many are enough.
fn policy(threshold: usize, witnesses: &[(u8, String)]) -> String {
    let mut text = String::new();
    let mut names = String::new();
    for (number, url) in witnesses {
        text.extend(["witness w", &number.to_string(), " ", &cosigner(*number).verifier().text()]);
        text.extend([" ", url, "\n"]);
        names.extend([" w", &number.to_string()]);
    }
    text.extend(["group g ", &threshold.to_string(), &names, "\nquorum g\n"]);
    text
}

/// A real witness that knows the ledger.
struct Running {
    url: String,
    stop: oneshot::Sender<()>,
    serving: WitnessServing,
}

fn log_keys() -> Vec<VerifierKey> {
    vec![VerifierKey::new(ORIGIN, key(CHECKPOINT).public()).unwrap()]
}

fn witness(dir: &Path, number: u8) -> Witness {
    if !dir.join("state").exists() {
        Witness::create(dir, cosigner(number).verifier()).unwrap();
    }
    let logs = vec![WitnessLog { origin: ORIGIN.to_owned(), keys: log_keys() }];
    Witness::open(dir, cosigner(number), logs).unwrap()
}

impl Running {
    async fn start(dir: &Path, number: u8) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let ended = async { drop(stopped.await) };
        let serving = serve_witness(witness(dir, number), any, ended).await.unwrap();
        Self { url: format!("http://{}/", serving.address), stop, serving }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.stopped().await.unwrap();
    }
}

/// A ledger that is served, so that cosignatures are collected.
struct Served {
    ledger: Ledger,
    stop: oneshot::Sender<()>,
    serving: credit_service::Serving,
}

impl Served {
    async fn start(ledger: Ledger) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
        let ended = async { drop(stopped.await) };
        let serving = serve(ledger.clone(), &config, ended).await.unwrap();
        Self { ledger, stop, serving }
    }

    /// Waits until the entry has a witnessed receipt, and checks it.
    async fn witnessed(&self, index: u64, policy: &str) -> v1::Receipt {
        let reader = self.ledger.reader().clone();
        for _ in 0..PATIENCE.as_millis() / 20 {
            let receipt = reader.best_receipt(index, &OpenParts::Head).unwrap();
            if receipt.witness_state == i32::from(v1::WitnessState::Witnessed) {
                check(&receipt, policy);
                return receipt;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("entry {index} was not witnessed: {:?}", self.ledger.stats().witness_calls);
    }

    /// Waits until a witness was counted with an outcome.
    async fn counted(&self, witness: &str, outcome: &'static str) -> u64 {
        for _ in 0..PATIENCE.as_millis() / 20 {
            let calls = self.ledger.stats().witness_calls;
            if let Some(count) = calls.get(&(witness.to_owned(), outcome)) {
                return *count;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{witness} was never {outcome}: {:?}", self.ledger.stats().witness_calls);
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        drop(self.ledger);
        self.serving.stopped().await.unwrap();
    }
}

/// A receipt proves its entry under a checkpoint of the log, and the policy is met by the lines on it.
fn check(receipt: &v1::Receipt, policy: &str) {
    let proof = TlogProof::parse(&receipt.tlog_proof).unwrap();
    let leaf = credit_log::hash::leaf_hash(&receipt.core);
    proof.verify(&leaf, &log_keys(), ORIGIN).unwrap();
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    assert!(policy.judge(&proof.checkpoint, 1_700_000_000).unwrap().met);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_become_witnessed_while_one_witness_lies_one_sleeps_and_one_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let log_id = create(&dir.path().join("ledger"), None);
    let honest = Running::start(&dir.path().join("w1"), 1).await;
    // A line by another key than the witness's own, over the right text.
    let liar = Liar::start(|body| {
        let (note, _) = AddCheckpoint::parse(body).unwrap().head().unwrap();
        let stranger = Cosigner::new("w.example/2", key(99)).unwrap();
        Lie::Answer(200, "text/plain", stranger.sign(&note.text, 1_800_000_000).unwrap().line())
    });
    let sleeper = Liar::start(|_| Lie::Silence);
    let witnesses =
        [(1, honest.url.clone()), (2, liar.url.clone()), (3, sleeper.url.clone()), (4, nowhere())];
    let text = policy(1, &witnesses);
    let served = Served::start(open(&dir.path().join("ledger"), Some(&text)).await).await;
    assert_eq!(*served.ledger.health().borrow(), Health::Serving);
    // Entry 0 was cosigned before anything was written.
    served.witnessed(0, &text).await;
    let index = write(&served.ledger, log_id, 50).await;
    let fresh = served.ledger.reader().receipt(index, &OpenParts::Head).unwrap();
    let state = fresh.witness_state;
    assert!(
        state == i32::from(v1::WitnessState::Unwitnessed) || state == i32::from(v1::WitnessState::Witnessed)
    );
    // Nobody who writes waits for the sleeper: many entries go in while it holds its call.
    for number in 51..60 {
        write(&served.ledger, log_id, number).await;
    }
    served.witnessed(index + 9, &text).await;
    // At its size the cosigned note is the checkpoint.
    let head = served.ledger.reader().head();
    let policy = Policy::parse(text.as_bytes()).unwrap();
    assert_eq!((head.size, policy.judge(&head.checkpoint, 0).unwrap().met), (index + 10, true));
    checkpoint::open(&head.checkpoint, &log_keys(), ORIGIN).unwrap();
    let stats = served.ledger.stats();
    assert!(stats.cosigned_size == index + 10 && stats.cosigned_at_us > 0);
    assert!(served.counted("w1", "cosigned").await >= 2);
    assert!(served.counted("w2", "bad_cosignature").await >= 1);
    assert!(served.counted("w3", "unreachable").await >= 1);
    assert!(served.counted("w4", "unreachable").await >= 1);
    served.stop().await;
    honest.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_that_has_cosigned_before_names_its_size_and_gets_the_proof() {
    let dir = tempfile::tempdir().unwrap();
    let log_id = create(&dir.path().join("ledger"), None);
    let honest = Running::start(&dir.path().join("w1"), 1).await;
    let text = policy(1, &[(1, honest.url.clone())]);
    for number in 0..3u8 {
        // Each run begins with no knowledge of the witness: it hears a size, and sends the right proof.
        let served = Served::start(open(&dir.path().join("ledger"), Some(&text)).await).await;
        assert_eq!(*served.ledger.health().borrow(), Health::Serving);
        let index = write(&served.ledger, log_id, 50 + number).await;
        served.witnessed(index, &text).await;
        served.stop().await;
    }
    honest.stop().await;
    // A witness that names another size each time is left alone after a few calls.
    let sizes = Mutex::new(0u64);
    let restless = Liar::start(move |_| {
        let mut size = sizes.lock().unwrap();
        *size = (*size + 1) % 3;
        Lie::Answer(409, "text/x.tlog.size", format!("{size}\n"))
    });
    let text = policy(1, &[(1, restless.url.clone())]);
    let ledger = open(&dir.path().join("ledger"), Some(&text)).await;
    assert_eq!(*ledger.health().borrow(), Health::ReadOnly("WITNESSES_SILENT"));
    let calls = ledger.stats().witness_calls;
    assert_eq!(calls.get(&("w1".to_owned(), "restless")), Some(&1), "{calls:?}");
    assert!(restless.requests() <= 3);
    ledger.stop().await;
}

/// What the log signs of itself, behind the ledger's back: as the same keys on a copy of its directory could.
fn elsewhere(size: u64, root: [u8; 32]) -> String {
    let signer = NoteSigner::new(ORIGIN, key(CHECKPOINT)).unwrap();
    checkpoint::sign(&Checkpoint { origin: ORIGIN.to_owned(), size, root }, &signer).unwrap()
}

/// The witness at `dir` cosigns a head of the log that this ledger does not have.
fn cosign_elsewhere(dir: &Path, number: u8, size: u64) {
    let witness = witness(dir, number);
    let checkpoint = elsewhere(size, sha256(b"another history"));
    let body = AddCheckpoint { old_size: 0, proof: Vec::new(), checkpoint }.format().unwrap();
    assert!(matches!(witness.add_checkpoint(&body), WitnessAnswer::Cosigned(_)));
    witness.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_where_a_witness_has_seen_more_or_too_few_answer() {
    let dir = tempfile::tempdir().unwrap();
    let ledger_dir = dir.path().join("ledger");
    create(&ledger_dir, None);
    cosign_elsewhere(&dir.path().join("w1"), 1, 40);
    cosign_elsewhere(&dir.path().join("w2"), 2, 1);
    let ahead = Running::start(&dir.path().join("w1"), 1).await;
    let other = Running::start(&dir.path().join("w2"), 2).await;
    let honest = Running::start(&dir.path().join("w3"), 3).await;
    let with = |number: u8, url: &str| policy(1, &[(number, url.to_owned()), (3, honest.url.clone())]);
    let not_known = Liar::start(|_| Lie::Answer(404, "text/plain", "not known\n".to_owned()));
    let two = policy(2, &[(3, honest.url.clone()), (4, not_known.url.clone())]);
    let gone = policy(1, &[(5, nowhere())]);
    for (text, code) in [
        (with(1, &ahead.url), "WITNESS_AHEAD"),
        (with(2, &other.url), "WITNESS_CONTRADICTS"),
        (two, "WITNESSES_SILENT"),
        (gone, "WITNESSES_SILENT"),
    ] {
        let ledger = open(&ledger_dir, Some(&text)).await;
        assert_eq!(*ledger.health().borrow(), Health::ReadOnly(code));
        // Not even the start was written, and reads go on.
        assert_eq!(ledger.reader().head().size, 1, "{code}");
        ledger.stop().await;
    }
    let ledger = open(&ledger_dir, Some(&policy(1, &[(3, honest.url.clone())]))).await;
    assert_eq!((*ledger.health().borrow(), ledger.reader().head().size), (Health::Serving, 2));
    ledger.stop().await;
    for running in [ahead, other, honest] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_is_the_pinned_one_and_knows_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let honest = Running::start(&dir.path().join("w1"), 1).await;
    let text = policy(1, &[(1, honest.url.clone())]);
    let pinned = dir.path().join("pinned");
    create(&pinned, Some(Digest(sha256(text.as_bytes()))));
    let other = format!("# another\n{text}");
    let refused = Ledger::open(&pinned, server_keys(), options(Some(&other))).await.map(|_| ());
    assert!(refused.unwrap_err().to_string().contains("genesis pins"));
    // A ledger that promised witnesses does not write without them.
    let without = open(&pinned, None).await;
    assert_eq!(*without.health().borrow(), Health::ReadOnly("WITNESS_POLICY_MISSING"));
    without.stop().await;
    let with = open(&pinned, Some(&text)).await;
    assert_eq!(*with.health().borrow(), Health::Serving);
    with.stop().await;

    let free = dir.path().join("free");
    create(&free, None);
    let stranger = VerifierKey::new("log.example/other", key(77).public()).unwrap().text();
    let foreign = format!("log {stranger}\n{text}");
    let refused = Ledger::open(&free, server_keys(), options(Some(&foreign))).await.map(|_| ());
    assert!(refused.unwrap_err().to_string().contains("lists logs"));
    let own = CosignerKey::new("w.example/own", key(CHECKPOINT).public()).unwrap().text();
    let own = format!("witness own {own}\n{text}");
    let refused = Ledger::open(&free, server_keys(), options(Some(&own))).await.map(|_| ());
    assert!(refused.unwrap_err().to_string().contains("own key"));
    honest.stop().await;
}

/// A lying witness can't have a false proof of a fork accepted: what it says is only counted once the ledger runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_that_contradicts_a_running_ledger_is_counted_and_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let log_id = create(&dir.path().join("ledger"), None);
    let honest = Running::start(&dir.path().join("w1"), 1).await;
    // It behaves at the start, and then says the worst about everything.
    let turncoat = Liar::start(|body| {
        let request = AddCheckpoint::parse(body).unwrap();
        let (note, head) = request.head().unwrap();
        if head.size == 1 {
            let line = cosigner(2).sign(&note.text, 1_800_000_000).unwrap().line();
            return Lie::Answer(200, "text/plain", line);
        }
        Lie::Answer(422, "text/plain", "a fork\n".to_owned())
    });
    let text = policy(1, &[(1, honest.url.clone()), (2, turncoat.url.clone())]);
    let served = Served::start(open(&dir.path().join("ledger"), Some(&text)).await).await;
    let index = write(&served.ledger, log_id, 50).await;
    served.witnessed(index, &text).await;
    assert!(served.counted("w2", "contradicts").await >= 1);
    assert_eq!(*served.ledger.health().borrow(), Health::Serving);
    served.stop().await;
    honest.stop().await;
}
