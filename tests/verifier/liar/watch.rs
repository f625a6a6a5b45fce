//! Who looks at a tale: each with the product's own program, once as somebody who comes for the first time, once as
//! somebody who has seen the honest history before.

use super::forge::leaves;
use super::server::{LyingServer, OneTile};
use super::stage::Stage;
use super::tale::{Export, Tale, Tiles};
use crate::bank::text;
use crate::export::write;
use crate::forgeries::copy;
use crate::session::hex;
use crate::thirdparty::{Guarded, listening};
use crate::tiles::{Published, TileServer};
use credit_log::consistency;
use credit_log::witness::AddCheckpoint;
use credit_proto::strict::encode;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;
use tempfile::TempDir;

/// What a finding is called that a command tells in words.
const WORDS: [(&str, &str); 6] = [
    ("the log is smaller than it was", "ROLLBACK"),
    ("the log contradicts a head that was seen before", "FORK"),
    ("the statement is not complete", "STATEMENT_GAP"),
    ("what moved does not add up", "SUMS_DIFFER"),
    ("is not proved, or was listed other", "ENTRY_NOT_PROVED"),
    ("what the ledger answered is not proved", "NOT_PROVED"),
];

/// Where the witness stands among the watchers.
const WITNESS: usize = 4;
/// Between two looks of a monitor.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a monitor looks for a statement that is late after a second.
const LOOKS: u32 = 20;

/// Whether somebody has seen the honest history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    None,
    OfTheHonest,
}

/// What a watcher finds, by its code; `None` if nothing.
pub(crate) type Finding = Option<String>;

/// All who look.
pub(crate) struct Watchers<'s> {
    stage: &'s Stage,
    folder: TempDir,
    /// The homes of those who have seen the honest history: client, verifier, anybody, monitor; and the witness's folder.
    kept: [PathBuf; 5],
    /// A witness that knows the log and has seen nothing.
    witness: PathBuf,
}

/// What a command found.
fn finding(output: &Output) -> Finding {
    if output.status.success() {
        return None;
    }
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(output)));
    let word = |name: &str| told[name].as_str().map(str::to_owned);
    if let Some(code) = word("reason").or_else(|| word("rule")) {
        assert_eq!(output.status.code(), Some(3), "{told}");
        return Some(code);
    }
    let said = told["error"].to_string();
    let known = WORDS.iter().find(|(words, _)| said.contains(words));
    let (_, code) = known.unwrap_or_else(|| panic!("nobody knows what this means: {}", text(output)));
    assert_eq!(output.status.code(), Some(3), "{told}");
    Some((*code).to_owned())
}

impl<'s> Watchers<'s> {
    /// All who look; those with a memory have looked at the honest history, and found nothing.
    pub(crate) fn gather(stage: &'s Stage) -> Self {
        let folder = tempfile::Builder::new().prefix("creditbank-liar-").tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let kept = ["client", "verifier", "anybody", "monitor", "witness"].map(path);
        let witness = path("new-witness");
        let watchers = Self { stage, folder, kept, witness };
        watchers.prepare();
        watchers
    }

    fn prepare(&self) {
        let honest = Tale::honest(self.stage);
        let bank = &self.stage.world.bank;
        let (dir, trust) = (self.witness.display().to_string(), self.trust(&honest).display().to_string());
        let name = "w.example/w";
        bank.must(&["witness", "init", "--dir", &dir, "--name", name, "--listen", "127.0.0.1:0"]);
        bank.must(&["witness", "add-log", "--dir", &dir, "--trust", &trust]);
        copy(&self.witness, &self.kept[WITNESS]);
        for home in &self.kept[..WITNESS] {
            fs::create_dir(home).expect("a folder");
        }
        assert_eq!(self.asks(&honest, &self.kept[0]), None);
        assert_eq!(self.fetches(&honest, &self.kept[1]), None);
        assert_eq!(self.reads(&honest, &self.kept[2]), None);
        assert_eq!(self.follows(&honest, &self.kept[3]), None);
        assert_eq!(self.submits(&honest, &self.kept[WITNESS], 0), None);
    }

    /// A home or folder for one look.
    fn own(&self, watcher: usize, memory: Memory) -> PathBuf {
        let own = self.folder.path().join("own");
        let _ = fs::remove_dir_all(&own);
        match memory {
            Memory::OfTheHonest => copy(&self.kept[watcher], &own),
            Memory::None if watcher == WITNESS => copy(&self.witness, &own),
            Memory::None => fs::create_dir(&own).expect("a folder"),
        }
        own
    }

    /// The trust file that is pinned for a tale.
    fn trust(&self, tale: &Tale) -> PathBuf {
        let file = self.folder.path().join("trust.toml");
        let mut trust =
            fs::read_to_string(self.stage.world.bank.home().join("trust.toml")).expect("a trust file");
        if let Some(policy) = &tale.policy {
            trust.extend(["witness_policy = '''\n", policy, "'''\n"]);
        }
        fs::write(&file, trust).expect("a trust file");
        file
    }

    fn run(&self, tale: &Tale, home: &Path, arguments: &[&str]) -> Finding {
        let (home, trust) = (home.display().to_string(), self.trust(tale).display().to_string());
        let before = ["--home", &home, "--output", "json"];
        let all = [before.as_slice(), arguments, &["--trust", &trust]].concat();
        finding(&self.stage.world.bank.run(&all))
    }

    /// Any text is a token to a server that lies.
    fn token(&self) -> String {
        let file = self.folder.path().join("token");
        fs::write(&file, "any.token.will").expect("a token");
        file.display().to_string()
    }

    /// A learner's client asks for the statement, with every entry proved.
    pub(crate) fn client(&self, tale: &Tale, memory: Memory) -> Finding {
        self.asks(tale, &self.own(0, memory))
    }

    fn asks(&self, tale: &Tale, home: &Path) -> Finding {
        let server = LyingServer::start(self.stage, tale);
        let (account, token) = (hex(&self.stage.learner.account_ref), self.token());
        let arguments = ["statement", &account, "--prove", "--url", &server.url, "--token-file", &token];
        self.run(tale, home, &arguments)
    }

    /// An auditor checks what was handed out; and who has seen a head, what is served too.
    pub(crate) fn verifier(&self, tale: &Tale, memory: Memory) -> Finding {
        let home = self.own(1, memory);
        let found = self.checks(tale, &home);
        if found.is_some() || memory == Memory::None { found } else { self.fetches(tale, &home) }
    }

    fn checks(&self, tale: &Tale, home: &Path) -> Finding {
        let folder = self.folder.path().join("export");
        match tale.export {
            Export::Bare => write(&folder, &self.stage.keys, &tale.log, &[]),
            Export::DetailMissing => {
                copy(&self.stage.export, &folder);
                let file = folder.join("details/000000000000");
                let whole = fs::read(&file).expect("the details");
                fs::write(&file, without_last_frame(&whole)).expect("a file");
                self.stage.keys.resign(&folder);
            }
        }
        // The head that is handed out is the one that is told.
        if tale.export == Export::Bare {
            fs::write(folder.join("checkpoint"), &tale.note).expect("a checkpoint");
            self.stage.keys.resign(&folder);
        }
        self.run(tale, home, &["verify", "export", &folder.display().to_string()])
    }

    fn fetches(&self, tale: &Tale, home: &Path) -> Finding {
        let server = LyingServer::start(self.stage, tale);
        self.run(tale, home, &["verify", "--url", &server.url, "--token-file", &self.token()])
    }

    /// Anybody reads the public log.
    pub(crate) fn anybody(&self, tale: &Tale, memory: Memory) -> Finding {
        self.reads(tale, &self.own(2, memory))
    }

    fn reads(&self, tale: &Tale, home: &Path) -> Finding {
        let server = TileServer::start(self.tiles(tale));
        self.run(tale, home, &["verify", "--cores", "--url", &server.url])
    }

    /// A monitor with an auditor's token looks at the public log and at the service.
    pub(crate) fn monitor(&self, tale: &Tale, memory: Memory) -> Finding {
        self.follows(tale, &self.own(3, memory))
    }

    fn follows(&self, tale: &Tale, home: &Path) -> Finding {
        let (tiles, service) = (TileServer::start(self.tiles(tale)), LyingServer::start(self.stage, tale));
        let (home, token, trust) = (home.display(), self.token(), self.trust(tale).display().to_string());
        let statements = self.folder.path().join("statements");
        let _ = fs::remove_dir_all(&statements);
        fs::create_dir(&statements).expect("a folder");
        if let Some(handed) = &tale.handed {
            fs::write(statements.join("report"), encode(handed)).expect("a statement");
        }
        let (home, statements) = (home.to_string(), statements.display().to_string());
        let arguments = [
            "--home",
            &home,
            "--output",
            "json",
            "monitor",
            &tiles.url,
            "--once",
            "--service",
            &service.url,
            "--token-file",
            &token,
            "--statements",
            &statements,
            "--logged-within",
            "1",
            "--trust",
            &trust,
        ];
        // What was handed over is late a second after it was seen first.
        let looks = if tale.handed.is_some() { LOOKS } else { 1 };
        for _ in 0..looks {
            let output = self.stage.world.bank.run(&arguments);
            let lines = String::from_utf8_lossy(&output.stdout).into_owned();
            let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
            let alarm = lines
                .filter(|line| line["event"] == "alarm")
                .map(|line| line["code"].as_str().expect("a code").to_owned())
                .next();
            assert_eq!(output.status.success(), alarm.is_none(), "{}", text(&output));
            if alarm.is_some() {
                return alarm;
            }
            std::thread::sleep(PAUSE);
        }
        None
    }

    /// The public log of a tale, as files.
    pub(crate) fn tiles(&self, tale: &Tale) -> PathBuf {
        let folder = self.folder.path().join("tiles");
        let _ = fs::remove_dir_all(&folder);
        let cores: Vec<Vec<u8>> = tale.log.iter().map(|entry| entry.core.clone()).collect();
        let size = cores.len();
        Published { checkpoint: tale.note.clone(), size: size as u64, cores }.write(&folder);
        let bend = |name: String, at: usize| {
            let file = folder.join(name);
            let mut bytes = fs::read(&file).expect("a tile");
            bytes[at] ^= 1;
            fs::write(&file, bytes).expect("a tile");
        };
        match tale.tiles {
            Tiles::True => {}
            Tiles::TileBent => bend(format!("tile/0/000.p/{size}"), 40),
            Tiles::BundleBent => bend(format!("tile/entries/000.p/{size}"), 10),
        }
        folder
    }

    /// The log asks a witness for its cosignature, as well as it can.
    pub(crate) fn witness(&self, tale: &Tale, memory: Memory) -> Finding {
        let last = if memory == Memory::None { 0 } else { self.stage.honest.len() as u64 };
        self.submits(tale, &self.own(WITNESS, memory), last)
    }

    /// What the witness answers instead of a cosignature.
    fn submits(&self, tale: &Tale, dir: &Path, last: u64) -> Finding {
        let mut command = self.stage.world.bank.command();
        command.args(["witness", "serve", "--listen", "127.0.0.1:0", "--dir"]).arg(dir);
        let (url, guard): (String, Guarded) = listening(command);
        let leaves = leaves(&tale.log);
        let size = leaves.len() as u64;
        let submit = |old_size: u64, proof: Vec<[u8; 32]>| {
            let body = AddCheckpoint { old_size, proof, checkpoint: tale.note.clone() };
            let config = ureq::Agent::config_builder().http_status_as_error(false).build();
            let agent = ureq::Agent::new_with_config(config);
            let answer = agent
                .post(format!("{url}/add-checkpoint"))
                .send(body.format().expect("a request").as_bytes());
            answer.expect("an answer").status().as_u16()
        };
        let honestly = if last <= size {
            submit(last, consistency::prove(&OneTile(leaves.clone()), last, size).expect("a proof"))
        } else {
            submit(last, Vec::new())
        };
        if honestly != 200 {
            // Nor by another size that the witness might have seen.
            for old_size in [0, size.saturating_sub(1), size] {
                let proof = consistency::prove(&OneTile(leaves.clone()), old_size, size).expect("a proof");
                assert_ne!(submit(old_size, proof), 200, "it cosigns on another word");
            }
        }
        drop(guard);
        (honestly != 200).then(|| honestly.to_string())
    }
}

/// A file of details without its last frame.
fn without_last_frame(bytes: &[u8]) -> &[u8] {
    let (mut rest, mut last) = (bytes, bytes.len());
    while !rest.is_empty() {
        last = bytes.len() - rest.len();
        rest = credit_verify::skip_secrets(rest).expect("a frame").1;
    }
    &bytes[..last]
}
