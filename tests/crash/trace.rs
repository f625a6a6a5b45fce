//! The system calls of a server, as strace writes them down.

use crate::bank::{Bank, wait_for};
use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// The calls that change files or answer clients.
const CALLS: &str = "trace=openat,creat,write,pwrite64,pwritev,pwritev2,writev,sendto,sendmsg,ftruncate,fallocate,\
                     lseek,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync,sync_file_range";
/// The most bytes of a call that are written down; more than the engine writes at once.
const BYTES: &str = "16777216";

/// One call that came to an end. Calls of different threads overlap; a line is a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The line at which it began.
    pub(crate) first: usize,
    /// The line at which it ended.
    pub(crate) last: usize,
    /// Its name.
    pub(crate) name: String,
    /// What it returned.
    pub(crate) result: i64,
    arguments: String,
}

/// Starts a ledger's server under strace, which writes into `file`. The process is the server's own.
pub(crate) fn serve_traced(bank: &Bank, binary: &str, file: &Path) {
    let mut command = bank.command_of("strace");
    command.args(["-D", "-f", "-q", "-y", "-xx", "-s", BYTES, "-e", "signal=SIGKILL", "-e", CALLS, "-o"]);
    command.arg(file).arg("--").arg(binary);
    bank.launch(command, &[]).unwrap_or_else(|log| panic!("the server did not start under strace: {log}"));
}

/// Kills a traced server and reads what it did.
pub(crate) fn kill_and_read(bank: &Bank, file: &Path) -> Vec<Call> {
    let pid = bank.pid().to_string();
    bank.kill9();
    // The tracer outlives what it traces; its last line is about the first process. It pads short process ids, and a
    // long trace is read once, when its end has come.
    wait_for("the end of the trace", || {
        tail(file)
            .lines()
            .any(|line| {
                line.split_whitespace().next() == Some(&pid) && line.contains("+++ killed by SIGKILL")
            })
            .then_some(())
    });
    let text = std::fs::read_to_string(file).expect("a trace");
    parse(&text)
}

/// The last lines of a file.
fn tail(file: &Path) -> String {
    const TAIL_BYTES: i64 = 16_384;
    let mut file = std::fs::File::open(file).expect("a trace");
    let length = i64::try_from(file.metadata().expect("a length").len()).expect("a length");
    file.seek(SeekFrom::End(-length.min(TAIL_BYTES))).expect("a place in the trace");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("a trace");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a trace. A call that was cut off by the end has no result, and is left out where it changes nothing that a
/// later call could rely on: nobody was told of it.
pub(crate) fn parse(text: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, Call> = BTreeMap::new();
    let mut calls = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(rest) = rest.strip_prefix("<... ") {
            let Some(mut call) = open.remove(thread) else { panic!("line {number} resumes nothing") };
            let (_, tail) = rest.split_once(" resumed>").expect("what is resumed");
            call.arguments.push_str(tail);
            call.last = number;
            calls.extend(ended(call));
        } else if let Some((name, tail)) = rest.split_once('(') {
            let name = name.to_owned();
            let call = Call { first: number, last: number, name, result: -1, arguments: tail.to_owned() };
            match tail.strip_suffix(" <unfinished ...>") {
                Some(begun) => {
                    open.insert(thread, Call { arguments: begun.to_owned(), ..call });
                }
                None => calls.extend(ended(call)),
            }
        }
    }
    calls.sort_by_key(|call| call.first);
    calls
}

/// Takes the result off a whole call.
fn ended(mut call: Call) -> Option<Call> {
    let at = call.arguments.rfind(" = ")?;
    let result = call.arguments[at + 3..].to_owned();
    let digits = result.split(|c: char| c != '-' && !c.is_ascii_digit()).next().unwrap_or_default();
    call.result = digits.parse().ok()?;
    // Results stand in a column: short arguments are followed by spaces.
    call.arguments.truncate(call.arguments[..at].trim_end().len());
    Some(call)
}

impl Call {
    /// The file of the first descriptor among the arguments.
    pub(crate) fn file(&self) -> PathBuf {
        let inside = self.arguments.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        let name = inside.map(|(name, _)| bytes(name)).unwrap_or_default();
        PathBuf::from(String::from_utf8_lossy(&name).into_owned())
    }

    /// The descriptor.
    pub(crate) fn descriptor(&self) -> i64 {
        let digits = self.arguments.split('<').next().unwrap_or_default();
        digits.parse().unwrap_or(-1)
    }

    /// The texts among the arguments, whole.
    pub(crate) fn texts(&self) -> Vec<Vec<u8>> {
        assert!(!self.arguments.contains("\"..."), "{} is cut off at line {}", self.name, self.first);
        self.arguments.split('"').skip(1).step_by(2).map(bytes).collect()
    }

    /// The paths among the arguments.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.texts().iter().map(|text| PathBuf::from(String::from_utf8_lossy(text).into_owned())).collect()
    }

    /// The bytes that were written, as far as they were taken.
    pub(crate) fn data(&self) -> Vec<u8> {
        let mut data = self.texts().concat();
        data.truncate(usize::try_from(self.result).unwrap_or(0));
        data
    }

    /// The last number among the arguments: a position or a length.
    pub(crate) fn number(&self) -> u64 {
        let last = self.arguments.trim_end_matches(')').rsplit(", ").next().unwrap_or_default();
        last.parse()
            .unwrap_or_else(|_| panic!("{} at line {} ends in no number: {last}", self.name, self.first))
    }

    /// Whether the arguments name this flag.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.arguments.contains(flag)
    }

    /// Whether it sends a client what an entry was answered with: its leaf hash.
    pub(crate) fn tells(&self, leaf: &[u8]) -> bool {
        let sends = ["sendto", "sendmsg", "writev", "write"].contains(&self.name.as_str());
        sends
            && self.file().to_string_lossy().starts_with("socket:")
            && self.data().windows(leaf.len()).any(|window| window == leaf)
    }

    /// Whether it changes a file's bytes at a place of its own.
    pub(crate) fn writes(&self) -> bool {
        ["pwrite64", "pwritev", "pwritev2", "write", "writev"].contains(&self.name.as_str())
            && self.result > 0
    }

    /// Whether it makes a file's bytes durable.
    pub(crate) fn syncs(&self) -> bool {
        ["fsync", "fdatasync"].contains(&self.name.as_str()) && self.result == 0
    }
}

/// The bytes of `\x2f\x74…`.
fn bytes(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16).expect("two digits")).collect()
}
