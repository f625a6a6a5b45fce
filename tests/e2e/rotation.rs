//! A checkpoint key is exchanged for the second one that the genesis names.

use crate::bank::{Bank, signal, text};
use crate::public_log::get;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

/// A server that is killed if a test gives up on it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves a home, reads its published checkpoint, and stops it.
fn checkpoint(bank: &Bank, home: &Path) -> String {
    let mut command = bank.command();
    command.env("CREDITBANK_HOME", home).args(["serve", "--dev", "--listen", "127.0.0.1:0"]);
    let mut server = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server"));
    let mut lines = BufReader::new(server.0.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let base =
        lines.find_map(|line| line.strip_prefix("log on ").map(str::to_owned)).expect("the public log");
    let note = String::from_utf8(get(&base, "/checkpoint")).expect("text");
    signal("TERM", server.0.id());
    assert!(server.0.wait().expect("a child ends").success());
    note
}

#[test]
fn two_keys_sign_while_one_is_exchanged_for_the_other() {
    let bank = Bank::new(&[]);
    let home = bank.folder().join("two");
    let shown = home.display().to_string();
    bank.must(&["--home", &shown, "init", "--dev", "--second-checkpoint-key"]);
    let trust = crate::session::toml_of(&home.join("trust.toml"));
    let known: Vec<credit_log::note::VerifierKey> = trust["checkpoint_keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| credit_log::note::VerifierKey::parse(key.as_str().expect("a key")).expect("a key"))
        .collect();
    assert_eq!(known.len(), 2, "a trust file knows both from the beginning");
    let keys = home.join("keys");
    let [first, second, aside] = ["checkpoint.key", "checkpoint-2.key", "aside"].map(|name| keys.join(name));
    let signers = |note: &str| {
        let lines = note.lines().filter(|line| line.starts_with('\u{2014}')).count();
        let opens =
            |key| credit_log::checkpoint::open(note, std::slice::from_ref(key), known[0].name()).is_ok();
        (lines, known.iter().filter(|key| opens(key)).count())
    };
    assert_eq!(signers(&checkpoint(&bank, &home)), (2, 2));
    std::fs::rename(&second, &aside).expect("a file");
    let by_first = checkpoint(&bank, &home);
    assert_eq!(signers(&by_first), (1, 1));
    std::fs::rename(&aside, &first).expect("a file");
    let by_second = checkpoint(&bank, &home);
    assert_eq!(signers(&by_second), (1, 1));
    let opened = |note: &str| {
        known.iter().position(|key| {
            credit_log::checkpoint::open(note, std::slice::from_ref(key), known[0].name()).is_ok()
        })
    };
    assert_ne!(opened(&by_first), opened(&by_second));
    let verified = bank.run(&["--home", &shown, "verify"]);
    assert!(verified.status.success(), "{}", text(&verified));
}
