//! The monitor over a real log: a healthy one, and one whose operator puts an older copy back.

use crate::bank::{Bank, text, wait_for};
use crate::office::copy;
use crate::public_log::{grow, published};
use crate::publish::{Files, publish, shown, world_of};
use crate::session::{Session, World, in_runtime};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// A home that has nothing but the trust file.
pub(crate) fn home_of(bank: &Bank, name: &str) -> PathBuf {
    let home = bank.folder().join(name);
    std::fs::create_dir_all(&home).expect("a folder");
    std::fs::copy(bank.home().join("trust.toml"), home.join("trust.toml")).expect("a trust file");
    home
}

/// What one look at a log says: the code it ends with, and its lines.
pub(crate) fn once(bank: &Bank, home: &Path, url: &str, more: &[&str]) -> (Option<i32>, Vec<Value>) {
    let home = shown(home);
    let base = ["--home", &home, "--output", "json", "monitor", url, "--once"];
    let output = bank.run(&[&base, more].concat());
    let lines = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let lines = lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    let lines: Vec<Value> = lines.collect();
    assert!(lines.iter().all(|line| line["error"].is_null()), "{}", text(&output));
    (output.status.code(), lines)
}

/// The only alarm among some lines.
pub(crate) fn alarm(lines: &[Value]) -> &Value {
    let alarms: Vec<&Value> = lines.iter().filter(|line| line["event"] == "alarm").collect();
    assert_eq!(alarms.len(), 1, "{lines:?}");
    assert!(alarms[0]["message_zh"].as_str().is_some_and(|zh| !zh.is_ascii()), "{alarms:?}");
    assert!(alarms[0]["message_en"].as_str().is_some_and(|en| !en.is_empty()), "{alarms:?}");
    alarms[0]
}

/// A monitor that runs on; killed if a test gives up on it.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<Value>,
}

impl Running {
    pub(crate) fn start(bank: &Bank, home: &Path, url: &str, more: &[&str]) -> Self {
        let mut command = bank.command();
        command.env("CREDITBANK_HOME", home).args(["--output", "json", "monitor", url, "--interval", "1"]);
        let mut child =
            command.args(more).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child");
        let lines = lines_of(child.stdout.take().expect("a pipe"));
        Self { child, lines }
    }

    /// Waits for the next line of a kind.
    pub(crate) fn next(&self, event: &str) -> Value {
        wait_for(event, || self.lines.try_iter().find(|line| line["event"] == event))
    }

    /// Waits until it ends by itself.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        wait_for("the monitor to end", || self.child.try_wait().expect("a child's status")).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stdout: ChildStdout) -> Receiver<Value> {
    use std::io::BufRead as _;
    let (to, lines) = channel();
    std::thread::spawn(move || {
        for line in std::io::BufReader::new(stdout).lines().map_while(Result::ok) {
            // A reader that has heard enough has gone; the pipe is still emptied.
            let _ = to.send(serde_json::from_str(&line).expect("a line of JSON"));
        }
    });
    lines
}

/// Verifies evidence where there is nothing but the trust file.
fn evidence(bank: &Bank, file: &str) -> (Option<i32>, Value) {
    let home = shown(&home_of(bank, "regulator"));
    let output = bank.run(&["--home", &home, "--output", "json", "verify", "evidence", file]);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

#[test]
fn a_healthy_log_is_followed_entry_by_entry() {
    let (world, size) = world_of(300);
    let url = world.bank.public_log();
    let home = home_of(&world.bank, "monitor-home");
    let (code, lines) = once(&world.bank, &home, &url, &[]);
    assert_eq!((code, lines.len()), (Some(0), 1), "{lines:?}");
    assert_eq!((&lines[0]["event"], &lines[0]["size"]), (&"looked".into(), &size.into()));
    assert_eq!((&lines[0]["new"], &lines[0]["standing"]), (&size.into(), &Value::Array(Vec::new())));
    let (code, lines) = once(&world.bank, &home, &url, &[]);
    assert_eq!((code, &lines[0]["new"]), (Some(0), &0.into()));
    let larger = in_runtime(async { grow(&Session::new(&world).await, size + 7).await });
    published(&world, larger);
    let (code, lines) = once(&world.bank, &home, &url, &[]);
    assert_eq!(
        (code, &lines[0]["new"], &lines[0]["size"]),
        (Some(0), &(larger - size).into(), &larger.into())
    );
    // An auditor judges every entry; the head that it saw is kept for the other commands of the home.
    let token = home.join("token");
    std::fs::write(&token, world.auditor_token()).expect("a token");
    let (service, token) = (world.bank.endpoint(), shown(&token));
    let (code, lines) = once(&world.bank, &home, &url, &["--service", &service, "--token-file", &token]);
    assert_eq!((code, &lines[0]["audited"]), (Some(0), &larger.into()), "{lines:?}");
    let kept = std::fs::read_dir(home.join("heads")).expect("heads").count();
    assert!(kept >= 1, "the head is kept");
    // For people, in either language; what was lost of its memory is read anew.
    let log = crate::session::hex(&world.log_id);
    std::fs::write(home.join("monitor").join(log).join("leaves"), [7; 95]).expect("a file");
    let said = world.bank.must(&["--home", &shown(&home), "--lang", "zh", "monitor", &url, "--once"]);
    assert!(said.contains(&format!("共 {larger} 条，新增 {larger} 条")), "{said}");
    // Two monitors do not share a memory.
    let running = Running::start(&world.bank, &home, &url, &[]);
    running.next("looked");
    let output = world.bank.run(&["--home", &shown(&home), "monitor", &url, "--once"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
}

/// Puts a copy in the place of a stopped ledger.
fn put_back(bank: &Bank, older: &Path) {
    let ledger = bank.home().join("ledger");
    std::fs::remove_dir_all(&ledger).expect("the ledger");
    copy(older, &ledger);
}

#[test]
fn an_older_copy_that_goes_on_is_convicted_at_every_size() {
    let (world, size) = world_of(20);
    let older = world.bank.folder().join("older");
    assert!(world.bank.stop().success());
    copy(&world.bank.home().join("ledger"), &older);
    world.bank.serve();
    let seen = in_runtime(async { grow(&Session::new(&world).await, size + 300).await });
    published(&world, seen);
    let home = home_of(&world.bank, "monitor-home");
    assert_eq!(once(&world.bank, &home, &world.bank.public_log(), &[]).0, Some(0));
    assert!(world.bank.stop().success());
    put_back(&world.bank, &older);
    world.bank.serve();
    // The copy has fewer entries: a rollback, and proved, for its server's start is another entry than there was.
    let url = world.bank.public_log();
    let (code, lines) = once(&world.bank, &home, &url, &[]);
    let rollback = alarm(&lines).clone();
    assert_eq!((code, &rollback["code"], &rollback["proved"]), (Some(3), &"ROLLBACK".into(), &true.into()));
    // As many, and more, by another history.
    let mut files = vec![rollback["evidence"].as_str().expect("a file").to_owned()];
    for to in [seen, seen + 40] {
        let grown = in_runtime(async { grow(&Session::new(&world).await, to).await });
        assert_eq!(grown, to);
        published(&world, grown);
        // Each by a monitor of its own memory of the true log, and all by the same evidence.
        let (code, lines) = once(&world.bank, &home, &url, &[]);
        assert_eq!(code, Some(3), "{lines:?}");
        let folder = Path::new(&files[0]).parent().expect("a folder").to_path_buf();
        let file = folder.join(format!("evidence-fork-{seen}-{to}.json"));
        assert!(file.exists(), "{lines:?}");
        files.push(shown(&file));
    }
    assert!(world.bank.stop().success());
    for file in &files {
        let (code, verdict) = evidence(&world.bank, file);
        assert_eq!((code, &verdict["verdict"]), (Some(0), &"TWO_HISTORIES".into()), "{file}: {verdict}");
        assert_eq!(verdict["seen"]["size"], Value::from(seen));
        let said = world.bank.must(&["--lang", "zh", "verify", "evidence", file]);
        assert!(said.contains("两种互相矛盾的历史"), "{said}");
    }
    forged(&world, &files[2]);
}

/// Evidence that was bent anywhere, or is of another log, shows nothing.
fn forged(world: &World, file: &str) {
    let whole = std::fs::read_to_string(file).expect("a file");
    let bent = world.bank.folder().join("bent.json");
    let digits = whole.find("\"hashes\"").expect("a proof") + 30;
    let letter = if whole.as_bytes()[digits] == b'0' { "1" } else { "0" };
    let mut proof = whole.clone();
    proof.replace_range(digits..=digits, letter);
    for (bytes, code) in [(proof, 3), (whole.replacen("\\n", "\\n ", 1), 3), ("{}".to_owned(), 2)] {
        std::fs::write(&bent, bytes).expect("a file");
        assert_eq!(evidence(&world.bank, &shown(&bent)).0, Some(code));
    }
    let other = Bank::new(&[]);
    let trust = shown(&other.home().join("trust.toml"));
    let output = world.bank.run(&["verify", "evidence", file, "--trust", &trust]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}

/// An old mirror is told, and nobody is convicted by it.
#[test]
fn an_old_mirror_is_a_rollback_that_proves_nothing() {
    let (world, size) = world_of(20);
    let [older, mirror] = ["older", "mirror"].map(|name| world.bank.folder().join(name));
    publish(&world.bank, &older, &["--url", &world.bank.public_log()]);
    let larger = in_runtime(async { grow(&Session::new(&world).await, size + 5).await });
    published(&world, larger);
    publish(&world.bank, &mirror, &["--url", &world.bank.public_log()]);
    let home = home_of(&world.bank, "monitor-home");
    assert_eq!(once(&world.bank, &home, &world.bank.public_log(), &[]).0, Some(0));
    let (code, lines) = once(&world.bank, &home, &Files::serve(&older).address, &[]);
    let told = alarm(&lines).clone();
    assert_eq!(
        (code, &told["code"], &told["proved"]),
        (Some(3), &"ROLLBACK".into(), &false.into()),
        "{told}"
    );
    let (code, verdict) = evidence(&world.bank, told["evidence"].as_str().expect("a file"));
    assert_eq!((code, &verdict["verdict"]), (Some(1), &"ONE_HISTORY".into()), "{verdict}");
    // It stands until the log is right again.
    let (code, lines) = once(&world.bank, &home, &Files::serve(&mirror).address, &[]);
    let events: Vec<&Value> = lines.iter().map(|line| &line["event"]).collect();
    assert_eq!((code, events), (Some(0), vec![&Value::from("cleared"), &Value::from("looked")]), "{lines:?}");
}
