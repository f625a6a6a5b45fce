//! What a monitor remembers: one folder for each log, taken by one monitor at a time. Every change is on the disk before
//! anything follows from it.

use super::super::evidence::Evidence;
use super::alarm::{Code, Found};
use super::leaves::Leaves;
use crate::durable::replace;
use crate::ending::{CommandError, Exit, unreadable, unwritable};
use crate::language::Phrase;
use credit_types::LogId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most bytes of the state: the queue's documents, and all statements.
pub(crate) const STATE_BYTES_MAX: u64 = 64 << 20;
/// The most documents that wait for the webhook.
pub(crate) const QUEUE_MAX: usize = 1_024;
/// The form of the file.
const VERSION: u32 = 1;

/// An alarm that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing {
    /// Its code.
    pub(super) code: String,
    /// Since when, in microseconds UTC.
    pub(super) since_us: i64,
    /// What is wrong, in Chinese.
    pub(super) zh: String,
    /// What is wrong, in English.
    pub(super) en: String,
    /// The exit code that stands for it.
    pub(super) exit: u8,
}

/// A statement that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Handed {
    /// When it was first seen, in microseconds UTC.
    pub(super) since_us: i64,
    /// The entry that records it, once that is proved.
    pub(super) index: Option<u64>,
    /// Below this index the log was looked through.
    pub(super) looked_to: u64,
}

/// A document on its way to the webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delivery {
    /// Its number, from 1: the same document may arrive twice.
    pub(super) number: u64,
    /// The document.
    pub(super) document: Value,
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    version: u32,
    log_id: String,
    /// The last head that was checked, with its signatures.
    pub(super) head: Option<String>,
    /// When its last entry was recorded, in microseconds UTC.
    pub(super) recorded_at_us: i64,
    /// What the log last showed of itself, so that the same again is known.
    pub(super) shown: String,
    /// When that changed last, in microseconds UTC.
    pub(super) fresh_at_us: i64,
    /// Since when the log can't be read.
    pub(super) log_silent_us: Option<i64>,
    /// Since when the service can't be asked.
    pub(super) service_silent_us: Option<i64>,
    /// The size from which on witnesses are awaited, and since when.
    pub(super) unwitnessed: Option<(u64, i64)>,
    /// The alarms that stand, by their keys.
    pub(super) standing: BTreeMap<String, Standing>,
    /// Statements by their ids.
    pub(super) statements: BTreeMap<String, Handed>,
    /// What waits for the webhook, oldest first.
    pub(super) queue: Vec<Delivery>,
    /// The number of the next delivery.
    pub(super) next_delivery: u64,
}

impl State {
    /// Nothing yet of a log.
    pub(super) fn new(log_id: LogId, now_us: i64) -> Self {
        Self {
            version: VERSION,
            log_id: log_id.to_string(),
            head: None,
            recorded_at_us: 0,
            shown: String::new(),
            fresh_at_us: now_us,
            log_silent_us: None,
            service_silent_us: None,
            unwitnessed: None,
            standing: BTreeMap::new(),
            statements: BTreeMap::new(),
            queue: Vec::new(),
            next_delivery: 1,
        }
    }

    /// Notes that an alarm stands; whether it is new.
    pub(super) fn raise(&mut self, found: &Found, now_us: i64) -> bool {
        let standing = Standing {
            code: found.code.name().to_owned(),
            since_us: now_us,
            zh: found.text.zh.clone(),
            en: found.text.en.clone(),
            exit: found.code.exit().number(),
        };
        let key = found.key();
        let new = !self.standing.contains_key(&key);
        self.standing.entry(key).or_insert(standing);
        new
    }

    /// Puts a document into the webhook's queue. Full means that nobody listens, and no alarm is lost for that.
    pub(super) fn enqueue(&mut self, document: Value) -> Result<(), CommandError> {
        if self.queue.len() >= QUEUE_MAX {
            return Err(CommandError::new(Exit::Unreachable, Phrase::MonitorQueueFull, &[&QUEUE_MAX]));
        }
        self.queue.push(Delivery { number: self.next_delivery, document });
        self.next_delivery = self.next_delivery.saturating_add(1);
        Ok(())
    }
}

/// The folder of a monitor.
pub(super) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder of a log; makes it where there is none.
    pub(super) fn open(root: &Path, log_id: LogId) -> Result<Self, CommandError> {
        let root = root.join(log_id.to_string());
        fs::create_dir_all(&root).map_err(unwritable(&root))?;
        let path = root.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(unwritable(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => {
                Err(CommandError::new(Exit::Unreachable, Phrase::FolderTaken, &[&root.display()]))
            }
            Err(fs::TryLockError::Error(cause)) => Err(unwritable(&path)(cause)),
        }
    }

    /// What is remembered of the log; nothing, the first time.
    pub(super) fn load(&self, log_id: LogId, now_us: i64) -> Result<State, CommandError> {
        let path = self.root.join("state.json");
        if !path.exists() {
            return Ok(State::new(log_id, now_us));
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(unreadable(&path))?;
        file.take(STATE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable(&path))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > STATE_BYTES_MAX {
            return Err(CommandError::usage(Phrase::FileTooLong, &[&path.display(), &STATE_BYTES_MAX]));
        }
        let unusable = || CommandError::usage(Phrase::FileUnusable, &[&path.display()]);
        let state: State = serde_json::from_slice(&bytes).map_err(|cause| unusable().because(cause))?;
        let ours = state.version == VERSION && state.log_id == log_id.to_string();
        if ours { Ok(state) } else { Err(unusable()) }
    }

    /// Keeps what is to be remembered, for good when this returns.
    pub(super) fn save(&self, state: &State) -> Result<(), CommandError> {
        let path = self.root.join("state.json");
        // Texts, numbers and lists always have a form in JSON.
        let bytes = serde_json::to_vec(state).unwrap_or_default();
        replace(&path, &bytes).map_err(unwritable(&path))
    }

    /// The leaf hashes.
    pub(super) fn leaves(&self) -> Result<Leaves, CommandError> {
        let path = self.root.join("leaves");
        Leaves::open(&path).map_err(unwritable(&path))
    }

    /// Where evidence of a kind is kept. What it proves is in its name, so that the same is written once.
    pub(super) fn evidence_path(&self, code: Code, seen: u64, shown: u64) -> PathBuf {
        self.root.join(format!("evidence-{}-{seen}-{shown}.json", code.name().to_lowercase()))
    }

    /// Keeps evidence, unless there is such already.
    pub(super) fn keep(path: &Path, evidence: &Evidence) -> Result<(), CommandError> {
        if path.exists() {
            return Ok(());
        }
        replace(path, evidence.text().as_bytes()).map_err(unwritable(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId([3; 32]);

    #[test]
    fn a_state_is_read_back_and_a_folder_has_one_monitor() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path(), LOG).unwrap();
        assert_eq!(Folder::open(root.path(), LOG).err().unwrap().exit, Exit::Unreachable);
        assert!(Folder::open(root.path(), LogId([4; 32])).is_ok(), "another log has a folder of its own");
        let mut state = folder.load(LOG, 5).unwrap();
        assert_eq!(state, State::new(LOG, 5));
        let found = Found::stalled(Some(3), 9);
        assert!(state.raise(&found, 6) && !state.raise(&found, 7), "it is raised once");
        state.enqueue(serde_json::json!({ "code": "STALLED" })).unwrap();
        state.unwitnessed = Some((3, 4));
        folder.save(&state).unwrap();
        assert_eq!(folder.load(LOG, 9).unwrap(), state);
        fs::write(folder.root.join("state.json"), "{}").unwrap();
        assert_eq!(folder.load(LOG, 9).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn the_queue_reaches_its_limit_and_nothing_is_dropped_for_one_more() {
        let mut state = State::new(LOG, 0);
        for _ in 0..QUEUE_MAX {
            state.enqueue(Value::Null).unwrap();
        }
        assert_eq!(state.enqueue(Value::Null).unwrap_err().exit, Exit::Unreachable);
        assert_eq!((state.queue.len(), state.queue[0].number), (QUEUE_MAX, 1));
    }

    #[test]
    fn a_state_is_bounded() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path(), LOG).unwrap();
        folder.save(&State::new(LOG, 0)).unwrap();
        let path = folder.root.join("state.json");
        let whole = fs::read(&path).unwrap();
        let most = usize::try_from(STATE_BYTES_MAX).unwrap();
        for (bytes, ok) in [(most, true), (most + 1, false)] {
            let mut padded = whole.clone();
            padded.resize(bytes, b' ');
            fs::write(&path, padded).unwrap();
            assert_eq!(folder.load(LOG, 0).is_ok(), ok);
        }
    }
}
