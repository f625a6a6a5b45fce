//! A witness over HTTP, from the first conversation to a restart, and what it refuses to be opened with.

use super::*;
use crate::hex::hex;
use credit_log::checkpoint::{self, Checkpoint};
use credit_log::cosignature::cosigned;
use credit_log::envelope::SigningKey;
use credit_log::hash::leaf_hash;
use credit_log::note::NoteSigner;
use credit_log::tree::{Tiles, root_of};
use credit_log::{Hash, consistency};
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::sync::oneshot;

const ORIGIN: &str = "log.example/one";

/// The witness of these tests.
fn cosigner() -> Cosigner {
    Cosigner::new("witness.example/w", SigningKey::from_seed([1; 32])).unwrap()
}

fn signer(origin: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(origin, SigningKey::from_seed([seed; 32])).unwrap()
}

fn logs() -> Vec<WitnessLog> {
    vec![WitnessLog { origin: ORIGIN.to_owned(), keys: vec![signer(ORIGIN, 2).verifier().clone()] }]
}

/// Fewer than 256 leaves: one tile.
pub(crate) struct Leaves(pub(crate) Vec<Hash>);

impl Tiles for Leaves {
    type Error = Infallible;

    fn tile(&self, _: u8, _: u64, width: u16) -> Result<Vec<Hash>, Infallible> {
        Ok(self.0[..usize::from(width)].to_vec())
    }
}

fn leaves() -> Leaves {
    Leaves((0..200u8).map(|n| leaf_hash(&[n])).collect())
}

/// The log's signed checkpoint of a size.
fn signed(size: u64) -> String {
    let root = root_of(&leaves().0[..usize::try_from(size).unwrap()]);
    note_of(&Checkpoint { origin: ORIGIN.to_owned(), size, root })
}

fn note_of(head: &Checkpoint) -> String {
    checkpoint::sign(head, &signer(&head.origin, 2)).unwrap()
}

fn body(old_size: u64, checkpoint: &str, new_size: u64) -> String {
    let proof = consistency::prove(&leaves(), old_size.min(new_size), new_size).unwrap();
    AddCheckpoint { old_size, proof, checkpoint: checkpoint.to_owned() }.format().unwrap()
}

/// A witness that is served.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: WitnessServing,
    agent: ureq::Agent,
}

struct Told {
    status: u16,
    media_type: String,
    body: String,
}

impl Running {
    async fn start(dir: &Path) -> Self {
        let witness = Witness::open(dir, cosigner(), logs()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let serving = serve_witness(witness, any, async { drop(stopped.await) }).await.unwrap();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        Self { address: serving.address, stop, serving, agent }
    }

    async fn post(&self, body: impl Into<Vec<u8>>) -> Told {
        let (agent, url) = (self.agent.clone(), format!("http://{}/add-checkpoint", self.address));
        let body = body.into();
        tokio::task::spawn_blocking(move || told(agent.post(url).send(body).unwrap())).await.unwrap()
    }

    async fn get(&self, path: &str) -> Told {
        let (agent, url) = (self.agent.clone(), format!("http://{}{path}", self.address));
        tokio::task::spawn_blocking(move || told(agent.get(url).call().unwrap())).await.unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.stopped().await.unwrap();
    }
}

fn told(mut response: ureq::http::Response<ureq::Body>) -> Told {
    let media_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    Told {
        status: response.status().as_u16(),
        media_type: media_type.unwrap_or_default(),
        body: response.body_mut().read_to_string().unwrap(),
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Witness::create(&folder.path().join("w"), cosigner().verifier()).unwrap();
    folder
}

/// The conversation of the specification, with the status, the media type and the body of each answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_over_http_goes_as_the_specification_says() {
    let folder = folder();
    let dir = folder.path().join("w");
    let running = Running::start(&dir).await;
    let monitor = format!("/{}/checkpoint", hex(&sha256(ORIGIN.as_bytes())));
    assert_eq!(running.get(&monitor).await.status, 404);

    let unknown = Checkpoint { origin: "log.example/other".to_owned(), size: 1, root: leaves().0[0] };
    assert_eq!(running.post(body(0, &note_of(&unknown), 1)).await.status, 404);
    let foreign = signer(ORIGIN, 3).sign(&Note::parse(&signed(1)).unwrap().text);
    let text = Note::parse(&signed(1)).unwrap().text;
    let forged = Note { text: text.clone(), signatures: vec![foreign.clone()] }.format().unwrap();
    assert_eq!(running.post(body(0, &forged, 1)).await.status, 403);
    let mut false_line = signer(ORIGIN, 2).sign(&text);
    false_line.signature[5] ^= 1;
    let own = signer(ORIGIN, 2).sign(&text);
    let mixed = Note { text: text.clone(), signatures: vec![own.clone(), false_line] }.format().unwrap();
    assert_eq!(running.post(body(0, &mixed, 1)).await.status, 403);
    assert_eq!(running.post(body(2, &signed(1), 1)).await.status, 400);
    for malformed in ["", "old 1\n", "old 01\n\nx", "old 1\n\nnot a note\n"] {
        assert_eq!(running.post(malformed).await.status, 400, "{malformed:?}");
    }
    assert_eq!(running.post(vec![0xff; 9]).await.status, 400);
    let early = running.post(body(1, &signed(3), 3)).await;
    assert_eq!(
        (early.status, early.media_type.as_str(), early.body.as_str()),
        (409, "text/x.tlog.size", "0\n")
    );

    // An unknown line beside the log's own is passed over and not kept.
    let noisy = Note { text, signatures: vec![foreign, own.clone(), own] }.format().unwrap();
    let first = running.post(body(0, &noisy, 1)).await;
    assert_eq!(first.status, 200);
    check_lines(&noisy, &first.body);
    let kept = running.get(&monitor).await;
    assert_eq!((kept.status, kept.media_type.as_str()), (200, "text/plain; charset=utf-8"));
    assert_eq!(kept.body, format!("{}{}", signed(1), first.body));

    let conflict = running.post(body(0, &signed(3), 3)).await;
    assert_eq!((conflict.status, conflict.body.as_str()), (409, "1\n"));
    let bad_proof =
        body(1, &signed(3), 3).replacen('\n', "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 1);
    assert_eq!(running.post(bad_proof).await.status, 422);
    assert_eq!(running.post(body(1, &signed(3), 3)).await.status, 200);
    let forked = note_of(&Checkpoint { origin: ORIGIN.to_owned(), size: 3, root: [9; 32] });
    assert_eq!(running.post(body(3, &forked, 3)).await.status, 422);
    assert_eq!(running.post(body(3, &signed(3), 3)).await.status, 200);
    assert_eq!(running.get("/add-checkpoint").await.status, 405);
    assert_eq!(running.get("/zz/checkpoint").await.status, 404);
    running.stop().await;

    // What was cosigned is known after a restart, and the fork is kept as evidence.
    let running = Running::start(&dir).await;
    assert_eq!(running.post(body(1, &signed(5), 5)).await.body, "3\n");
    assert_eq!(running.post(body(3, &signed(5), 5)).await.status, 200);
    running.stop().await;
    let heads = look(&dir, cosigner().verifier(), &[ORIGIN, "log.example/other"]).unwrap();
    assert_eq!((heads[0].origin.as_str(), heads[0].size), (ORIGIN, 5));
    assert_eq!(heads[0].evidence, Some(forked));
    assert!(heads[0].time_s > 1_700_000_000);
    assert_eq!((heads[1].size, heads[1].time_s, heads[1].evidence.as_ref()), (0, 0, None));
}

/// The lines are the witness's own, over this very checkpoint.
fn check_lines(checkpoint: &str, lines: &str) {
    let Note { text, .. } = Note::parse(checkpoint).unwrap();
    let signatures = NoteSignature::parse_lines(lines).unwrap();
    let note = Note { text, signatures };
    let found = cosigned(&note, &[cosigner().verifier().clone()]).unwrap();
    assert_eq!((found.len(), note.signatures.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_its_limits_and_not_beyond() {
    let folder = folder();
    let running = Running::start(&folder.path().join("w")).await;
    let most = credit_log::witness::REQUEST_BYTES_MAX;
    // As long as may be: read to its end, and found to be no request. One byte more is not read at all.
    assert_eq!(running.post(vec![b'x'; most]).await.status, 400);
    assert_eq!(running.post(vec![b'x'; most + 1]).await.status, 413);
    let extended = |bytes: usize| {
        let Note { text, .. } = Note::parse(&signed(1)).unwrap();
        let text = format!("{text}{}\n", "x".repeat(bytes - text.len() - 1));
        assert_eq!(text.len(), bytes);
        let signatures = vec![signer(ORIGIN, 2).sign(&text)];
        body(0, &Note { text, signatures }.format().unwrap(), 1)
    };
    assert_eq!(running.post(extended(CHECKPOINT_TEXT_BYTES_MAX + 1)).await.status, 400);
    assert_eq!(running.post(extended(CHECKPOINT_TEXT_BYTES_MAX)).await.status, 200);
    running.stop().await;
}

/// The race of the specification: whoever comes second must not roll the witness back.
#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_never_roll_the_witness_back() {
    let folder = folder();
    let running = Running::start(&folder.path().join("w")).await;
    assert_eq!(running.post(body(0, &signed(1), 1)).await.status, 200);
    let running = std::sync::Arc::new(running);
    let mut tasks = tokio::task::JoinSet::new();
    for new in 2..40u64 {
        let running = std::sync::Arc::clone(&running);
        tasks.spawn(async move { (new, running.post(body(1, &signed(new), new)).await.status) });
    }
    let mut won = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (new, status) = done.unwrap();
        assert!(status == 200 || status == 409, "{status}");
        won.extend((status == 200).then_some(new));
    }
    let [won] = won.as_slice() else { panic!("{won:?} were cosigned from the same size") };
    let last = running.post(body(1, &signed(2), 2)).await.body;
    assert_eq!(last, format!("{won}\n"));
}

#[test]
fn a_state_belongs_to_one_key_and_is_never_made_twice() {
    let folder = folder();
    let dir = folder.path().join("w");
    assert!(matches!(Witness::create(&dir, cosigner().verifier()), Err(StateError::Exists)));
    let other = Cosigner::new("witness.example/w", SigningKey::from_seed([9; 32])).unwrap();
    let opened = Witness::open(&dir, other, logs()).map(|_| ());
    assert!(matches!(opened, Err(WitnessError::State(StateError::OtherKey))));
    let renamed = Cosigner::new("witness.example/x", SigningKey::from_seed([1; 32])).unwrap();
    assert!(Witness::open(&dir, renamed, logs()).is_err());
    // Two processes would cosign past one another.
    let first = Witness::open(&dir, cosigner(), logs()).unwrap();
    assert!(matches!(look(&dir, cosigner().verifier(), &[]), Err(StateError::InUse)));
    assert!(Witness::open(&dir, cosigner(), logs()).is_err());
    drop(first);
    // A state that is gone is not begun anew: it is not known what was cosigned.
    std::fs::remove_dir_all(dir.join("state")).unwrap();
    assert!(Witness::open(&dir, cosigner(), logs()).is_err());
}

#[test]
fn the_list_of_logs_reaches_its_limits_and_not_beyond() {
    let list = |count: usize| -> Vec<WitnessLog> {
        (0..count).map(|n| WitnessLog { origin: format!("o{n}"), ..logs().remove(0) }).collect()
    };
    assert_eq!(known(&cosigner(), list(WITNESS_LOGS_MAX)).unwrap().len(), WITNESS_LOGS_MAX);
    assert!(matches!(known(&cosigner(), list(WITNESS_LOGS_MAX + 1)), Err(WitnessError::Logs)));
    let keyed = |count: usize| {
        let key = signer(ORIGIN, 2).verifier().clone();
        known(&cosigner(), vec![WitnessLog { origin: ORIGIN.to_owned(), keys: vec![key; count] }]).map(|_| ())
    };
    assert!(keyed(WITNESS_LOG_KEYS_MAX).is_ok());
    assert!(matches!(keyed(WITNESS_LOG_KEYS_MAX + 1), Err(WitnessError::Keys { .. })));
    assert!(matches!(keyed(0), Err(WitnessError::Keys { .. })));
    let twice = [logs(), logs()].concat();
    assert!(matches!(known(&cosigner(), twice), Err(WitnessError::Keys { .. })));
    let own = signer("witness.example/w", 1).verifier().clone();
    let own = vec![WitnessLog { origin: ORIGIN.to_owned(), keys: vec![own] }];
    assert!(matches!(known(&cosigner(), own), Err(WitnessError::OwnKey { .. })));
}

#[test]
fn time_never_goes_back_and_a_clock_far_behind_cosigns_nothing() {
    let folder = folder();
    let witness = Witness::open(&folder.path().join("w"), cosigner(), logs()).unwrap();
    let now = u64::try_from(witness.clock.now_us() / 1_000_000).unwrap();
    let behind = u64::try_from(BEHIND_MAX_US / 1_000_000).unwrap();
    assert_eq!(witness.time_after(now + behind / 2).unwrap(), now + behind / 2);
    assert!(witness.time_after(0).unwrap() >= now);
    assert!(matches!(witness.time_after(now + 2 * behind), Err(StateError::Clock)));
}
