//! Verifiers that others wrote check our log: Go's `x/mod` (`sumdb/note`, `sumdb/tlog`) and `aics-tlog`, over a
//! directory of tiles and over HTTP; and a witness that others wrote, `aics-witness`, cosigns our checkpoints.

use crate::bank::{Bank, text, wait_for};
use crate::require::skip;
use crate::session::{Session, World, hex, in_runtime};
use crate::tiles::Published;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use credit_log::cosignature::CosignerKey;
use credit_log::note::VerifierKey;
use credit_proto::v1;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run of these tests requires where any of the foreign programs can be installed.
const REQUIREMENT: &str = "thirdparty";
/// Where Debian keeps Go's packages.
const GOPATH: &str = "/usr/share/gocode";
/// The package that the Go program needs.
const GO_PACKAGE: &str = "src/golang.org/x/mod/sumdb/tlog";
/// Entries beyond a full tile, so that there are tiles of every kind.
const ENTRIES: u64 = 270;

fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders below the workspace").to_path_buf()
}

/// Whether the Go program can run here.
fn has_go() -> bool {
    let found = Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success()) && Path::new(GOPATH).join(GO_PACKAGE).is_dir();
    if !found {
        println!("skipped: there is no Go with x/mod in {GOPATH}");
    }
    found
}

/// A Python with these modules: the one that the environment names, or the machine's.
fn python(modules: &str) -> Option<String> {
    let named = std::env::var("CREDITBANK_TLOG_PYTHON").ok();
    let python = named.unwrap_or_else(|| "python3".to_owned());
    let probe = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if probe.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    println!("skipped: {python} has no {modules} (they need Python 3.12 or newer)");
    None
}

fn ran(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the program runs")
}

/// A ledger with more than a full tile of entries, published as files, and an older checkpoint of it.
struct Log {
    world: World,
    published: Published,
    old: String,
}

impl Log {
    fn start() -> Self {
        let world = World::start(&[]);
        let (old, published) = in_runtime(async {
            let session = Session::new(&world).await;
            let old = note(&session).await;
            while session.size().await < ENTRIES {
                let session = &session;
                futures_util::future::join_all((0..32).map(|_| session.account())).await;
            }
            (old, Published::of(&session).await)
        });
        std::fs::write(world.bank.folder().join("old"), &old).expect("a file");
        // The product's own tiles, once its public log shows all that was read.
        let folder = world.bank.folder().join("log").display().to_string();
        wait_for("the whole log to be published", || {
            world.bank.must(&["publish", &folder, "--url", &world.bank.public_log()]);
            let note = std::fs::read_to_string(world.bank.folder().join("log/checkpoint")).expect("a note");
            (world.checkpoint(&note).size == published.size).then_some(())
        });
        Self { world, published, old }
    }

    fn vkey(&self) -> String {
        self.world.checkpoint_keys[0].text()
    }

    fn folder(&self) -> PathBuf {
        self.world.bank.folder().join("log")
    }

    /// Proofs that the ledger itself made, in the form that the Go program reads.
    fn proofs(&self) -> String {
        let size = self.published.size;
        let old = self.world.checkpoint(&self.old).size;
        let joined = |hashes: &[Vec<u8>]| -> String {
            hashes.iter().map(|hash| format!(" {}", STANDARD.encode(hash))).collect::<Vec<_>>().concat()
        };
        in_runtime(async {
            let session = Session::new(&self.world).await;
            let mut lines = Vec::new();
            for index in [0, 1, 255, 256, size / 2, size - 1] {
                let request = v1::GetInclusionProofRequest { index, size };
                let answer = session.anyone().log().get_inclusion_proof(request).await.expect("a proof");
                lines.push(format!("inclusion {index}{}", joined(&answer.into_inner().path)));
            }
            for old_size in [1, old, 128, 255, 256, 257, size - 1] {
                let request = v1::GetConsistencyProofRequest { old_size, new_size: size };
                let answer = session.anyone().log().get_consistency_proof(request).await.expect("a proof");
                lines.push(format!("consistency {old_size}{}", joined(&answer.into_inner().path)));
            }
            lines.join("\n") + "\n"
        })
    }
}

async fn note(session: &Session<'_>) -> String {
    let request = v1::GetCheckpointRequest {};
    session.anyone().log().get_checkpoint(request).await.expect("a checkpoint").into_inner().checkpoint
}

/// At least one verifier that others wrote has to run wherever one can be had.
#[test]
fn verifiers_that_others_wrote_agree_with_ours() {
    let (go, python) = (has_go(), python("aics_tlog"));
    if !go && python.is_none() {
        return skip(REQUIREMENT, "neither Go's x/mod nor aics-tlog is here");
    }
    let log = Log::start();
    if go {
        check_with_go(&log);
    }
    if let Some(python) = python {
        check_with_aics(&log, &python);
    }
}

fn go(log: &Log, folder: &Path, checkpoint: &Path, proofs: &Path) -> Output {
    let around = log.world.bank.folder();
    let mut command = Command::new("go");
    command
        .arg("run")
        .arg(workspace().join("tests/go/main.go"))
        .arg(log.vkey())
        .arg(folder)
        .arg(around.join("old"))
        .arg(checkpoint)
        .arg(proofs)
        .env("GO111MODULE", "off")
        .env("GOPATH", GOPATH)
        .env("GOFLAGS", "")
        .env("GOCACHE", around.join("go-cache"));
    ran(&mut command)
}

fn check_with_go(log: &Log) {
    let around = log.world.bank.folder();
    let (folder, proofs) = (log.folder(), around.join("proofs"));
    let checkpoint = folder.join("checkpoint");
    std::fs::write(&proofs, log.proofs()).expect("a file");
    let output = go(log, &folder, &checkpoint, &proofs);
    assert!(output.status.success(), "{}", text(&output));
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    println!("Go x/mod: {told}");
    assert_eq!((told["size"].as_u64(), told["inclusion"].as_u64()), (Some(log.published.size), Some(6)));
    assert_eq!(told["consistency"].as_u64(), Some(7));
    // It is no yes-man: a changed tile, bundle, checkpoint and proof are each refused.
    let flip = |path: PathBuf, at: usize| {
        let good = std::fs::read(&path).expect("a file");
        let mut bent = good.clone();
        bent[at] ^= 1;
        std::fs::write(&path, bent).expect("a file");
        let refused = !go(log, &folder, &checkpoint, &proofs).status.success();
        std::fs::write(&path, good).expect("a file");
        assert!(refused, "{} with a flipped bit was accepted", path.display());
    };
    flip(folder.join("tile/0/000"), 33);
    flip(folder.join("tile/entries/000"), 40);
    flip(checkpoint.clone(), log.world.origin.len() + 1);
    flip(proofs.clone(), "inclusion 0 ".len());
}

fn check_with_aics(log: &Log, python: &str) {
    let around = log.world.bank.folder();
    let server = log.world.bank.public_log();
    let last = log.published.size - 1;
    let leaf = around.join("leaf");
    std::fs::write(&leaf, &log.published.cores[usize::try_from(last).expect("an index")]).expect("a file");
    let (vkey, origin, index) = (log.vkey(), log.world.origin.clone(), last.to_string());
    let aics = |tiles: &str, arguments: &[&str]| {
        let mut command = Command::new(python);
        command.args(["-m", "aics_tlog"]).args(arguments).args(["--tiles", tiles, "--log-key", &vkey]);
        ran(command.args(["--origin", &origin]))
    };
    let (old, leaf) = (around.join("old").display().to_string(), leaf.display().to_string());
    let checks: [&[&str]; 4] = [
        &["verify-checkpoint"],
        &["verify-inclusion", "--index", &index, "--leaf", &leaf],
        &["verify-inclusion", "--index", "0"],
        &["verify-consistency", "--old-checkpoint", &old],
    ];
    let folder = log.folder().display().to_string();
    for tiles in [folder.as_str(), server.as_str()] {
        for check in checks {
            let output = aics(tiles, check);
            assert!(output.status.success(), "{check:?} of {tiles}: {}", text(&output));
            println!("aics-tlog {} ({tiles}): {}", check[0], String::from_utf8_lossy(&output.stdout).trim());
        }
    }
    let other = aics(&folder, &["verify-inclusion", "--index", "1", "--leaf", &leaf]);
    assert!(!other.status.success(), "another entry's leaf was accepted: {}", text(&other));
    // A quorum of a witness that has not cosigned is not met.
    let stranger = credit_log::envelope::SigningKey::from_seed([3; 32]).public();
    let stranger = CosignerKey::new("w.example/1", stranger).expect("a key").text();
    let unmet = aics(&folder, &["verify-checkpoint", "--witness-key", &stranger, "--quorum", "1"]);
    assert!(!unmet.status.success(), "{}", text(&unmet));
}

/// A server in a process of its own, ended with this.
pub(crate) struct Guarded(std::process::Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn trust_of(bank: &Bank) -> (String, Vec<VerifierKey>) {
    let text = std::fs::read_to_string(bank.home().join("trust.toml")).expect("a trust file");
    let trust = credit_client::parse_trust(&text).expect("a trust file");
    (trust.origin, trust.checkpoint_keys)
}

/// Writes with a witness at an address: the receipt is witnessed, the one who pinned the policy can tell, and so can a
/// verifier that others wrote.
fn write_witnessed(bank: &Bank, vkey: &str, url: &str) {
    let policy = bank.folder().join("witness.policy");
    std::fs::write(&policy, format!("witness one {vkey} {url}\nquorum one\n")).expect("a file");
    let pinned = bank.folder().join("trust.toml");
    let trust = std::fs::read_to_string(bank.home().join("trust.toml")).expect("a trust file");
    let source = std::fs::read_to_string(&policy).expect("a file");
    std::fs::write(&pinned, format!("{trust}witness_policy = '''\n{source}'''\n")).expect("a file");
    let setting = format!("witness_policy={}", policy.display());
    bank.try_serve(&["--set", &setting]).expect("the server starts");

    let (endpoint, pinned) = (bank.endpoint(), pinned.display().to_string());
    let receipt = bank.folder().join("a.receipt").display().to_string();
    let framework = workspace().join("ledger-data/frameworks/cn-nqf.toml").display().to_string();
    let published = bank.must(&[
        "--output",
        "json",
        "framework",
        "publish",
        "--file",
        &framework,
        "--url",
        &endpoint,
        "--trust",
        &pinned,
        "--receipt",
        &receipt,
        "--wait-for-witnesses=120",
    ]);
    let published: Value = serde_json::from_str(&published).expect("one JSON object");
    assert_eq!(published["published"][0]["witness_state"], "WITNESSED", "{published}");
    let verify = |trust: &str| -> Value {
        let told = bank.must(&["--output", "json", "verify", "receipt", &receipt, "--trust", trust]);
        serde_json::from_str(&told).expect("one JSON object")
    };
    let told = verify(&pinned);
    assert_eq!(
        (told["witness_state"].as_str(), told["witnesses"][0]["name"].as_str()),
        (Some("WITNESSED"), Some("one"))
    );
    // Who has pinned no policy takes nobody's word for it.
    let plain = verify(&bank.home().join("trust.toml").display().to_string());
    assert_eq!(plain["witness_state"], "UNWITNESSED");
    if let Some(python) = python("aics_tlog") {
        check_receipt_with_aics(bank, &python, vkey, Path::new(&receipt));
    }
    assert!(bank.stop().success());
}

/// A receipt of ours, taken apart into the bundle of another format, is checked by another's verifier without a
/// network: the entry, its place, the log's signature, and the witness's.
fn check_receipt_with_aics(bank: &Bank, python: &str, vkey: &str, receipt: &Path) {
    use prost::Message as _;
    let wire = v1::Receipt::decode(std::fs::read(receipt).expect("a receipt").as_slice()).expect("a receipt");
    let proof = credit_log::receipt::TlogProof::parse(&wire.tlog_proof).expect("a proof");
    let path: Vec<String> = proof.path.iter().map(|hash| STANDARD.encode(hash)).collect();
    let bundle = |core: &[u8]| {
        json!({
            "entry_bytes": URL_SAFE_NO_PAD.encode(core),
            "index": proof.index,
            "inclusion_proof": path,
            "checkpoint_note": URL_SAFE_NO_PAD.encode(&proof.checkpoint),
            "envelope": null,
            "body_or_ct": null,
        })
    };
    let (origin, keys) = trust_of(bank);
    let verify = |core: &[u8]| {
        let file = bank.folder().join("bundle.json");
        std::fs::write(&file, bundle(core).to_string()).expect("a file");
        let mut command = Command::new(python);
        command.args(["-m", "aics_tlog", "verify-bundle", "--offline", "--log-key", &keys[0].text()]);
        command.args(["--origin", &origin, "--witness-key", vkey, "--quorum", "1", "--bundle"]).arg(file);
        ran(&mut command)
    };
    let output = verify(&wire.core);
    assert!(output.status.success(), "{}", text(&output));
    println!("aics-tlog of our receipt: {}", String::from_utf8_lossy(&output.stdout).trim());
    let mut bent = wire.core.clone();
    bent[0] ^= 1;
    assert!(!verify(&bent).status.success(), "another entry was accepted");
}

#[test]
fn a_witness_that_others_wrote_cosigns_our_checkpoints() {
    let Some(python) = python("aics_witness") else { return };
    let bank = Bank::new(&[]);
    let config = bank.folder().join("witness.json").display().to_string();
    let listen = format!("127.0.0.1:{}", free_port());
    let aics = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "aics_witness"]).args(arguments).args(["--config", &config]);
        command
    };
    let made = ran(&mut aics(&["init", "--name", "w.example/aics", "--listen", &listen]));
    assert!(made.status.success(), "{}", text(&made));
    let vkey = String::from_utf8(made.stdout).expect("UTF-8").trim().to_owned();
    let (origin, keys) = trust_of(&bank);
    let added = ran(&mut aics(&["add-log", "--origin", &origin, "--vkey", &keys[0].text()]));
    assert!(added.status.success(), "{}", text(&added));
    let log = std::fs::File::create(bank.folder().join("witness.log")).expect("a file");
    let mut serve = aics(&["serve"]);
    let served = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
    let _guard = Guarded(served);
    wait_for("the witness to listen", || std::net::TcpStream::connect(&listen).ok());
    write_witnessed(&bank, &vkey, &format!("http://{listen}"));
}

/// The same with a witness of ours, run as its operator runs it; what it has seen stops a ledger that was rolled back.
#[test]
fn our_own_witness_is_operated_by_the_commands_of_the_guide() {
    let bank = Bank::new(&[]);
    let dir = bank.folder().join("witness").display().to_string();
    let trust = bank.home().join("trust.toml").display().to_string();
    let init = ["witness", "init", "--dir", &dir, "--name", "w.example/ours", "--listen", "127.0.0.1:0"];
    bank.must(&init);
    let again = bank.run(&init);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again));
    bank.must(&["witness", "add-log", "--dir", &dir, "--trust", &trust]);
    let shown =
        bank.must(&["--output", "json", "witness", "show", "--dir", &dir, "--url", "https://w.example"]);
    let shown: Value = serde_json::from_str(&shown).expect("one JSON object");
    let vkey = shown["key"].as_str().expect("a key").to_owned();
    assert_eq!(shown["policy_line"], format!("witness ours {vkey} https://w.example"));
    assert_eq!(shown["logs"].as_array().map(Vec::len), Some(1));
    let zh = bank.must(&["--lang", "zh", "witness", "show", "--dir", &dir]);
    assert!(zh.contains("见证公钥"), "{zh}");

    let mut command = bank.command();
    command.args(["witness", "serve", "--dir", &dir]);
    let (witness, mut serving) = listening(command);
    write_witnessed(&bank, &vkey, &witness);
    // The directory of before comes back: the witness has seen more, and nothing is written.
    let policy = format!("witness_policy={}", bank.folder().join("witness.policy").display());
    let (ledger, kept) = (bank.home().join("ledger"), bank.folder().join("kept"));
    std::fs::rename(&ledger, &kept).expect("a folder moves");
    copy(&kept, &ledger);
    let (origin, _) = trust_of(&bank);
    let seen = || last_cosigned(&witness, &origin);
    let before = seen();
    bank.try_serve(&["--set", &policy]).expect("the server starts");
    // The start is an entry of its own, and the witness sees it.
    wait_for("the witness to see more", || (seen() > before).then_some(()));
    assert!(bank.stop().success());
    std::fs::remove_dir_all(&ledger).expect("a folder goes");
    std::fs::rename(&kept, &ledger).expect("a folder moves");
    bank.try_serve(&["--set", &policy]).expect("the server starts");
    wait_for("the log to say why", || bank.log().contains("WITNESS_AHEAD").then_some(()));
    let framework = workspace().join("ledger-data/frameworks/cn-nqf.toml").display().to_string();
    let url = bank.endpoint();
    let refused = bank.run(&["framework", "publish", "--file", &framework, "--url", &url]);
    assert!(!refused.status.success(), "{}", text(&refused));
    assert!(bank.stop().success());
    // A witness is stopped as a server is.
    crate::bank::signal("TERM", serving.0.id());
    let ended = wait_for("the witness to end", || serving.0.try_wait().expect("a child's status"));
    assert!(ended.success(), "{ended}");
}

/// The size of the last head that a witness has cosigned, as a monitor asks for it.
fn last_cosigned(witness: &str, origin: &str) -> u64 {
    use std::io::{Read as _, Write as _};
    let address = witness.strip_prefix("http://").expect("an address");
    let path = hex(&credit_log::hash::sha256(origin.as_bytes()));
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    let request = format!("GET /{path}/checkpoint HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, note) = answer.split_once("\r\n\r\n").expect("a body");
    note.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

/// Starts a server and waits for the line with its address.
pub(crate) fn listening(mut command: Command) -> (String, Guarded) {
    use std::io::BufRead as _;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
    let stdout = child.stdout.take().expect("a pipe");
    let guard = Guarded(child);
    let mut lines = std::io::BufReader::new(stdout).lines();
    let line = lines.next().expect("a line").expect("a line");
    let url = line.strip_prefix("listening on ").expect("an address").to_owned();
    std::thread::spawn(move || lines.for_each(drop));
    (url, guard)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for item in std::fs::read_dir(from).expect("a folder") {
        let path = item.expect("an item").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).expect("a file");
        }
    }
}
