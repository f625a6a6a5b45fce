//! Every command of the guides is run as it stands there, in its order, by one shell, with the built binary; and what
//! the guides show of the answers is what the commands answer, numbers and hashes aside.

use crate::bank::text;
use crate::python::{interpreter, workspace};
use crate::require::skip;
use crate::session::{Session, World, in_runtime};
use crate::statement::Draft;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The longest that all commands of one guide may take, in seconds, also on a machine that does much else.
const PATIENCE_S: &str = "600";
/// Ports that the guides name; a test takes free ones instead.
const PORTS: [&str; 6] = ["50051", "50052", "7380", "8080", "9464", "9000"];
/// What stands before the commands of a guide: the first failure ends all, and servers end with it.
const PRELUDE: &str = r#"set -eu -o pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
reach() {
  for _ in $(seq 1200); do
    (exec 3<>"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null && return
    sleep 0.1
  done
  echo "nobody listens at $1" >&2
  return 1
}
checkpoint() (
  exec 3<>"/dev/tcp/${1%:*}/${1#*:}"
  printf 'GET /checkpoint HTTP/1.1\r\nhost: log\r\nconnection: close\r\n\r\n' >&3
  sed '1,/^\r*$/d' <&3
)
published() {
  for _ in $(seq 100); do
    before=$(checkpoint "$1")
    sleep 1.2
    if [ "$before" = "$(checkpoint "$1")" ]; then return; fi
  done
  echo "the log at $1 does not rest" >&2
  return 1
}
"#;
/// The section of the three commands.
const THREE: &str = "\n## In three commands\n";

/// The blocks of a guide in a language, in their order.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None::<String>);
    for line in document.lines() {
        match &mut open {
            Some(block) if line == "```" => {
                found.push(std::mem::take(block));
                open = None;
            }
            Some(block) => block.extend([line, "\n"]),
            None if line.strip_prefix("```") == Some(language) => open = Some(String::new()),
            None => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

fn guide(name: &str) -> String {
    fs::read_to_string(workspace().join("docs/guide").join(name)).expect("a guide")
}

/// A machine for one guide: a copy of the repository to work in that shares its files, and programs of its own.
struct Machine {
    folder: tempfile::TempDir,
    ports: BTreeMap<&'static str, String>,
    python: Option<String>,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("creditbank-guide-").tempdir().expect("a folder");
        // All are taken at once, so that they differ.
        let taken = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let free = |listener: &TcpListener| listener.local_addr().expect("an address").port().to_string();
        let ports = PORTS.into_iter().zip(taken.iter().map(free)).collect();
        let python = interpreter("import cryptography, tomllib", "cryptography, or is older than 3.11");
        let machine = Self { folder, ports, python };
        for name in ["root", "bin", "tmp", "home"] {
            fs::create_dir(machine.path(name)).expect("a folder");
        }
        let (from, root) = (workspace(), machine.path("root"));
        for name in ["Cargo.toml", "Cargo.lock", "crates", "docs", "tests", "proto"] {
            symlink(from.join(name), root.join(name)).expect("a link");
        }
        // What a guide makes in ledger-data is not made in the real one.
        fs::create_dir(root.join("ledger-data")).expect("a folder");
        for item in fs::read_dir(from.join("ledger-data")).expect("a folder") {
            let item = item.expect("an item");
            if item.file_name() != "local" {
                symlink(item.path(), root.join("ledger-data").join(item.file_name())).expect("a link");
            }
        }
        // A name without a folder would find this program itself.
        if let Some(python) = machine.python.as_ref().filter(|python| python.contains('/')) {
            machine.program("python3", &format!("exec '{python}' \"$@\""));
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a program of the test's into the machine.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program may run");
    }

    /// Installs the built binary.
    fn install(&self) {
        symlink(crate::bank::Bank::BINARY, self.path("bin").join("creditbank")).expect("a link");
    }

    /// Runs commands in one shell that stops at the first failure.
    fn run(&self, commands: &[String], more: &[(&str, &str)]) -> Output {
        let mut script = PRELUDE.to_owned();
        for line in commands.iter().flat_map(|block| block.lines()) {
            // A monitor sees what is published, at most a second after it was written.
            if line.contains(" monitor http") {
                script.push_str("published 127.0.0.1:50052\n");
            }
            script.extend([line, "\n"]);
            // A reader goes on when the server says that it listens.
            if line.ends_with('&') {
                let port = if line.contains("witness serve") { "7380" } else { "50051" };
                script.extend(["reach 127.0.0.1:", port, "\n"]);
            }
        }
        for (port, free) in &self.ports {
            script = script.replace(&format!(":{port}"), &format!(":{free}"));
        }
        let file = self.path("script");
        fs::write(&file, script).expect("a script");
        let mut command = Command::new("timeout");
        command.args(["--kill-after=10", PATIENCE_S, "bash"]).arg(file).current_dir(self.path("root"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CREDITBANK_") {
                command.env_remove(name);
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let at = |port: &str| format!("127.0.0.1:{}", self.ports[port]);
        command
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("TMPDIR", self.path("tmp"))
            .env("HOME", self.path("home"))
            .env("LC_ALL", "C")
            .env("CREDITBANK_LISTEN", at("50051"))
            .env("CREDITBANK_LOG_LISTEN", at("50052"))
            .env("CREDITBANK_URL", format!("http://{}", at("50051")))
            .env_remove("RUST_LOG")
            .envs(more.iter().copied())
            .stdin(Stdio::null());
        command.output().expect("a shell runs")
    }
}

/// A line without what differs from run to run: numbers, hashes, the width of columns.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for word in line.split_whitespace() {
        let bare = word.trim_end_matches([',', ';', ':', '.']);
        // A hash may be shown by how it begins.
        let begins = bare.strip_suffix('…').filter(|begins| !begins.is_empty());
        let long = bare.len() >= 16 || begins.is_some();
        let hexadecimal = long && begins.unwrap_or(bare).bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut kept = String::new();
        for letter in if hexadecimal { "0" } else { bare }.chars() {
            let letter = if letter.is_ascii_digit() { '0' } else { letter };
            if !(letter == '0' && kept.ends_with('0')) {
                kept.push(letter);
            }
        }
        shape.extend([&kept, &word[bare.len()..], " "]);
    }
    shape
}

/// Whether a line that was said is the one that is shown, where `…` stands for anything.
fn is_shown(said: &str, shown: &str) -> bool {
    let mut pieces = shown.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = said.strip_prefix(first) else { return false };
    let mut open = false;
    for piece in pieces {
        let Some((_, behind)) = rest.split_once(piece.trim_end()) else { return false };
        (rest, open) = (behind, piece.trim().is_empty());
    }
    open || rest.trim().is_empty()
}

/// A line in which files stand without the folder that a guide has made for them.
fn without_folder(line: &str, place: &str) -> String {
    let word = |word: &str| match word.split_once(place) {
        Some((before, path)) => format!("{before}{}", path.rsplit('/').next().unwrap_or_default()),
        None => word.to_owned(),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Runs a guide from its first command to its last.
fn walk(name: &str, more: &[(&str, &str)], machine: &Machine) -> String {
    let document = guide(name);
    let mut commands = blocks(&document, "sh");
    if machine.python.is_none() {
        let before = commands.len();
        commands.retain(|block| !block.contains("python3 "));
        println!("{name}: {} blocks need a Python that is not here", before - commands.len());
    }
    assert!(commands.len() > 2, "{name} has commands");
    let output = machine.run(&commands, more);
    assert!(output.status.success(), "{name}: {}", text(&output));
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let place = machine.path("tmp").display().to_string();
    let shapes: Vec<String> = said.lines().map(|line| shape(&without_folder(line, &place))).collect();
    for line in blocks(&document, "text").iter().flat_map(|block| block.lines()) {
        let shown = shape(line);
        let found = line.is_empty() || shapes.iter().any(|said| is_shown(said, &shown));
        assert!(found, "{name} shows a line that no command says: {line}\n{said}");
    }
    said
}

fn home_of(machine: &Machine) -> String {
    machine.path("home").display().to_string()
}

/// A ledger with an account and records; its export, and where the rest that an auditor is given is.
fn handed_out() -> (World, PathBuf) {
    let world = World::start(&[]);
    in_runtime(async {
        let session = Session::new(&world).await;
        let account = session.account().await;
        for _ in 0..5 {
            session.deposit(&world.school, &Draft::course(&account.account_ref)).await;
        }
    });
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    let export = world.bank.folder().join("export");
    world.bank.must(&["export", &export.display().to_string()]);
    world.bank.serve();
    (world, export)
}

fn given(world: &World, export: &Path) -> [(&'static str, String); 3] {
    [
        ("export", export.display().to_string()),
        ("trust", world.bank.home().join("trust.toml").display().to_string()),
        ("log", world.bank.public_log()),
    ]
}

/// The first section of the guide, on a machine that has no `creditbank`: the first of its three commands brings it.
#[test]
fn an_auditor_comes_to_a_verdict_in_three_commands() {
    let (world, export) = handed_out();
    let machine = Machine::new();
    // What cargo would build here is what it has built for this test.
    let (binary, bin) = (crate::bank::Bank::BINARY, machine.path("bin").join("creditbank"));
    let install = "install --quiet --locked --path crates/creditbank";
    machine.program(
        "cargo",
        &format!(
            "test \"$*\" = '{install}' && test -f Cargo.lock && grep -q '^name = \"creditbank\"' crates/creditbank/Cargo.toml \
             && ln -s '{binary}' '{}'",
            bin.display()
        ),
    );
    let document = guide("verify.md");
    let section = document.split_once(THREE).expect("the section").1;
    let section = section.split_once("\n## ").expect("another section").0;
    let commands = blocks(section, "sh").concat();
    let lines: Vec<&str> = commands.lines().collect();
    assert_eq!(lines.len(), 3, "three commands: {lines:?}");
    let variables = given(&world, &export);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let home = home_of(&machine);
    let run = |commands: &str| {
        let more = [variables.clone(), vec![("CREDITBANK_HOME", home.as_str())]].concat();
        machine.run(&[commands.to_owned()], &more)
    };
    let without = run(&commands.lines().skip(1).collect::<Vec<_>>().join("\n"));
    assert_eq!(without.status.code(), Some(127), "there is no program yet: {}", text(&without));
    let output = run(&commands);
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the log holds") && said.contains("what is public holds"), "{said}");
    // A bit of the export is flipped, and the verdict is another one.
    let file = export.join("entries/000000000000");
    let mut bytes = fs::read(&file).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("a file");
    fs::remove_file(&bin).expect("the program goes");
    let bent = run(&commands);
    assert_eq!(bent.status.code(), Some(3), "{}", text(&bent));
    assert!(text(&bent).contains("BROKEN: first at entry"), "{}", text(&bent));
}

#[test]
fn every_command_of_the_guide_to_verifying_runs() {
    let (world, export) = handed_out();
    let machine = Machine::new();
    machine.install();
    machine.program("cargo", "test \"$1\" = install");
    let given = given(&world, &export);
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let said = walk("verify.md", &given, &machine);
    assert!(said.contains("HEAD_INCONSISTENT"), "the rollback is told: {said}");
    assert_eq!(said.matches("exit code 3").count(), 2, "the forged receipt and the rollback: {said}");
}

#[test]
fn every_command_of_the_guide_to_starting_runs() {
    let machine = Machine::new();
    machine.install();
    let said = walk("start.md", &[], &machine);
    assert!(said.contains("what moved adds up to the balance"), "{said}");
}

#[test]
fn every_command_of_the_guide_to_submitting_runs() {
    let machine = Machine::new();
    machine.install();
    let said = walk("submit.md", &[], &machine);
    assert!(said.contains("8 accepted"), "{said}");
}

#[test]
fn every_command_of_the_guide_to_witnesses_runs() {
    let machine = Machine::new();
    machine.install();
    let said = walk("witness.md", &[], &machine);
    assert_eq!(said.matches("the witness policy is met: cosigned by 1").count(), 2, "{said}");
}

#[test]
fn every_command_of_the_guide_to_operating_runs() {
    let there = Command::new("curl").arg("--version").stdout(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        let machine = Machine::new();
        machine.install();
        let said = walk("operate.md", &[], &machine);
        assert!(said.contains("creditbank_log_size"), "{said}");
    } else {
        skip("curl", "there is no curl");
    }
}

#[test]
fn every_command_of_the_guide_to_monitoring_runs() {
    let machine = Machine::new();
    machine.install();
    let said = walk("monitor.md", &[], &machine);
    assert_eq!(said.matches("ALARM ROLLBACK").count(), 1, "{said}");
}

#[test]
fn every_command_of_the_guide_to_rules_runs() {
    let machine = Machine::new();
    machine.install();
    let said = walk("rules.md", &[], &machine);
    assert!(said.contains("7 cases: 7 passed, 0 failed"), "{said}");
}

#[test]
fn every_command_of_the_guide_to_converting_runs() {
    let machine = Machine::new();
    machine.install();
    let said = walk("convert.md", &[], &machine);
    assert!(said.contains("0 structure only"), "{said}");
}

#[test]
fn no_guide_is_left_out() {
    let folder = workspace().join("docs/guide");
    let mut found: Vec<String> = folder
        .read_dir()
        .expect("the guides")
        .map(|item| item.expect("a guide").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let walked = [
        "convert.md",
        "monitor.md",
        "operate.md",
        "rules.md",
        "start.md",
        "submit.md",
        "verify.md",
        "witness.md",
    ];
    assert_eq!(found, walked);
}
