//! Homes other than a plain trial: keys behind a passphrase, and a ledger in earnest.

use crate::bank::{signal, text, wait_for};
use crate::office::{Office, shipped};
use crate::session::toml_of;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PASSPHRASE: &str = "云江 correct horse";

/// The key files below a folder.
fn keys(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        if path.is_dir() {
            found.extend(keys(&path));
        } else if path.extension().is_some_and(|extension| extension == "key") {
            found.push(path);
        }
    }
    found
}

/// A server in a process of its own; ended when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = lines.next().expect("a first line").expect("UTF-8");
        let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url }
    }

    fn stop(mut self) {
        signal("TERM", self.child.id());
        let ended = wait_for("the server to end", || self.child.try_wait().expect("a status"));
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_are_kept_behind_a_passphrase() {
    let office = Office::open();
    let home = office.path("sealed");
    let command = |passphrase: Option<&str>, arguments: &[&str]| {
        let mut command = office.bank.command();
        command.env("CREDITBANK_HOME", &home).args(arguments);
        if let Some(passphrase) = passphrase {
            command.env("CREDITBANK_PASSPHRASE", passphrase);
        }
        command
    };
    let output = command(Some(PASSPHRASE), &["init", "--dev"]).output().expect("it runs");
    assert!(output.status.success(), "{}", text(&output));
    let files = keys(Path::new(&home));
    assert_eq!(files.len(), 7, "four of the server, three of the authority");
    for file in &files {
        let key = toml_of(file);
        assert!(key.get("seed").is_none() && key.get("encrypted").is_some(), "{}", file.display());
    }
    let serve = ["serve", "--dev", "--listen", "127.0.0.1:0"];
    for wrong in [None, Some("wrong"), Some("")] {
        let output = command(wrong, &serve).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", text(&output));
    }
    let file = office.file("passphrase.txt", format!("{PASSPHRASE}\n"));
    let with_file = [serve.as_slice(), &["--passphrase-file", &file]].concat();
    for (passphrase, arguments) in [(Some(PASSPHRASE), serve.as_slice()), (None, with_file.as_slice())] {
        let server = Server::start(command(passphrase, arguments));
        let mut publish = command(Some(PASSPHRASE), &["framework", "show", "cn.nqf"]);
        let output = publish.env("CREDITBANK_URL", &server.url).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        server.stop();
    }
}

/// Its authority keeps its keys elsewhere, it can't be run as a trial, and nobody is issued tokens by it.
#[test]
fn a_ledger_in_earnest_is_no_trial() {
    let office = Office::open();
    let home = office.path("earnest");
    let authority: Vec<String> =
        (1..=3).map(|number| office.path(&format!("offline/{number}.key"))).collect();
    for file in &authority {
        office.must(&["keys", "generate", "--file", file]);
    }
    let third = office.file("offline/3.pub", office.must(&["keys", "public", &authority[2]]));
    let run = |arguments: &[&str]| {
        office.bank.command().env("CREDITBANK_HOME", &home).args(arguments).output().expect("it runs")
    };
    let keys =
        ["--authority-key", &authority[0], "--authority-key", &authority[1], "--authority-key", &third];
    let init = |more: &[&str]| run(&[&["init"], keys.as_slice(), more].concat());
    for wrong in [
        ["--origin", "dev.bank.example/log", "--threshold", "2"].as_slice(),
        &["--origin", "bank.example/log", "--threshold", "3"],
        &["--origin", "bank.example/log", "--threshold", "0"],
        &["--origin", "bank.example/log", "--notice-days", "6"],
    ] {
        let output = init(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", text(&output));
    }
    let output = init(&["--origin", "bank.example/log", "--threshold", "2"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(!Path::new(&home).join("authority").exists(), "the authority's keys stay where they are");
    let output = run(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let mut command = office.bank.command();
    command.env("CREDITBANK_HOME", &home).args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start(command);
    let call = |arguments: &[&str]| {
        let mut command = office.bank.command();
        command.env("CREDITBANK_HOME", &home).env("CREDITBANK_URL", &server.url).args(arguments);
        command.output().expect("it runs")
    };
    let framework = shipped("frameworks/cn-nqf.toml");
    let publish = ["framework", "publish", "--file", &framework];
    let alone = call(&[publish.as_slice(), &["--authority-key", &authority[0]]].concat());
    assert_eq!(alone.status.code(), Some(1), "{}", text(&alone));
    assert!(text(&alone).contains("THRESHOLD_NOT_MET"), "{}", text(&alone));
    let both = ["--authority-key", &authority[1], "--authority-key", &authority[2]];
    let published = call(&[publish.as_slice(), &both].concat());
    assert!(published.status.success(), "{}", text(&published));
    let token = call(&["token", "auditor"]);
    assert_eq!(token.status.code(), Some(2), "{}", text(&token));
    server.stop();
    let verified = run(&["verify"]);
    assert!(verified.status.success(), "{}", text(&verified));
}

/// The files of a folder with their contents.
fn contents(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for item in std::fs::read_dir(&next).expect("a folder") {
            let path = item.expect("an item").path();
            let name = path.strip_prefix(folder).expect("below the folder").display().to_string();
            if path.is_dir() {
                folders.push(path);
                found.insert(name, Vec::new());
            } else {
                found.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// Half a ledger is none: `init` fails half-way, leaves what was there and nothing else, and the next one succeeds.
#[test]
fn an_init_that_fails_leaves_nothing_behind() {
    let office = Office::open();
    let passphrase = |name: &str, text: &str| office.file(name, format!("{text}\n"));
    let (right, other) = (passphrase("right.pass", PASSPHRASE), passphrase("other.pass", "another"));
    let home = office.path("half");
    let run = |passphrase: &str| {
        let mut command = office.bank.command();
        command.env("CREDITBANK_HOME", &home).args(["--passphrase-file", passphrase, "init", "--dev"]);
        command.output().expect("it runs")
    };
    // The last key that is opened was made before, under another passphrase.
    let root = format!("{home}/keys/root.key");
    office.must(&["--passphrase-file", &right, "keys", "generate", "--kind", "root", "--file", &root]);
    let before = contents(Path::new(&home));
    let failed = run(&other);
    assert_eq!(failed.status.code(), Some(2), "{}", text(&failed));
    assert!(text(&failed).contains("root.key"), "{}", text(&failed));
    assert_eq!(contents(Path::new(&home)), before);
    let made = run(&right);
    assert!(made.status.success(), "{}", text(&made));
    assert_eq!(contents(Path::new(&home))["keys/root.key"], before["keys/root.key"]);
    assert_eq!(keys(Path::new(&home)).len(), 7);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(Path::new(&home).join("ledger")).expect("a folder").permissions(),
    );
    assert_eq!(mode & 0o077, 0);
    let verified =
        office.bank.command().env("CREDITBANK_HOME", &home).arg("verify").output().expect("it runs");
    assert!(verified.status.success(), "{}", text(&verified));
    // A home that was not there is not there afterwards.
    let fresh = office.path("fresh");
    let mut command = office.bank.command();
    let empty = office.file("empty.pass", "");
    command.env("CREDITBANK_HOME", &fresh).args(["--passphrase-file", &empty, "init", "--dev"]);
    assert_eq!(command.output().expect("it runs").status.code(), Some(2));
    assert!(!Path::new(&fresh).exists());
}

/// Each holder of an authority key has a passphrase of their own, and so has the server.
#[test]
fn each_authority_key_has_its_own_passphrase() {
    let office = Office::open();
    let home = office.path("holders");
    let holder = |number: usize| {
        let passphrase = office.file(&format!("holders-{number}.pass"), format!("持有人 {number}\n"));
        let key = office.path(&format!("holders-offline/{number}.key"));
        office.must(&["--passphrase-file", &passphrase, "keys", "generate", "--file", &key]);
        (key, passphrase)
    };
    let holders = [1, 2, 3].map(holder);
    let server = office.file("holders-server.pass", "the server's\n");
    let run = |url: &str, files: &[&str], arguments: &[&str]| {
        let mut command = office.bank.command();
        command.env("CREDITBANK_HOME", &home).env("CREDITBANK_URL", url);
        for file in files {
            command.args(["--passphrase-file", file]);
        }
        command.args(arguments).output().expect("it runs")
    };
    let authority: Vec<&str> = holders.iter().flat_map(|(key, _)| ["--authority-key", key]).collect();
    let init = [["init", "--origin", "bank.example/log", "--threshold", "2"].as_slice(), &authority].concat();
    let all: Vec<&str> =
        std::iter::once(&server).chain(holders.iter().map(|(_, file)| file)).map(String::as_str).collect();
    let one_missing = run("", &all[..3], &init);
    assert_eq!(one_missing.status.code(), Some(2), "{}", text(&one_missing));
    assert!(text(&one_missing).contains("3.key"), "{}", text(&one_missing));
    let made = run("", &all, &init);
    assert!(made.status.success(), "{}", text(&made));
    // The first passphrase is that of the server's own keys: it runs with it alone.
    let mut command = office.bank.command();
    command.env("CREDITBANK_HOME", &home).args([
        "--passphrase-file",
        &server,
        "serve",
        "--listen",
        "127.0.0.1:0",
    ]);
    let serving = Server::start(command);
    let framework = shipped("frameworks/cn-nqf.toml");
    let [(first, first_pass), _, (third, third_pass)] = &holders;
    let publish =
        ["framework", "publish", "--file", &framework, "--authority-key", first, "--authority-key", third];
    let alone = run(&serving.url, &[first_pass], &publish);
    assert_eq!(alone.status.code(), Some(2), "{}", text(&alone));
    assert!(text(&alone).contains("--passphrase-file"), "{}", text(&alone));
    let published = run(&serving.url, &[third_pass, first_pass], &publish);
    assert!(published.status.success(), "{}", text(&published));
    serving.stop();
}
