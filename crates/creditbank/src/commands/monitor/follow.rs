//! Follows the public log: each checkpoint is held against what was seen, and what is new is read and checked.

use super::super::evidence::PrefixProof;
use super::alarm::{Code, Found};
use super::leaves::Leaves;
use super::state::State;
use crate::ending::{CommandError, Exit};
use crate::language::Phrase;
use crate::public_log::SourceError;
use crate::public_log::http::HttpLog;
use crate::public_log::tree::{CheckedTree, TreeError};
use credit_client::{ClientError, FileHeads, HeadStore as _, Trust};
use credit_log::checkpoint::{self, Checkpoint, OpenError};
use credit_log::hash::leaf_hash;
use credit_log::tile::{TILE_WIDTH, TileKind, decode_entries};
use credit_log::tree::Frontier;
use credit_types::Digest;
use credit_verify::{Broken, CoreVerifier, Head, Rule, Verdict};
use std::path::Path;
use std::time::Duration;

/// How often what looks wrong is asked for again before it counts: a cache may hold an older checkpoint for a moment,
/// and the service shows a head up to a second before it is published.
pub(crate) const LOOKS_MAX: u32 = 5;
/// How long to wait before that.
const LOOK_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1_000 });

/// A signed head with its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenHead {
    pub(super) note: String,
    pub(super) head: Checkpoint,
}

/// What a round has brought.
#[derive(Debug)]
pub(super) struct Round {
    /// The head, checked.
    pub(super) seen: SeenHead,
    /// What the log shows of itself: the note, and when it was published, as the server says.
    pub(super) shown: String,
    /// Count of new entries.
    pub(super) new: u64,
}

/// Two heads that do not belong to one history.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) code: Code,
    pub(super) seen: SeenHead,
    pub(super) shown: SeenHead,
    pub(super) prefix: Option<PrefixProof>,
}

/// Why a round brought nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The log could not be read.
    Silent(String),
    /// Something is wrong with it.
    Wrong(Found),
    /// It contradicts what was seen.
    Conflict(Box<Conflict>),
    /// The monitor can't go on.
    Ended(CommandError),
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Silent(format!("{error}: {}", error.cause))
    }
}

impl From<TreeError> for Trouble {
    fn from(error: TreeError) -> Self {
        let detail = error.to_string();
        let index = match error {
            TreeError::Source(cause) => return cause.into(),
            TreeError::Missing { path: _, first } | TreeError::Wrong { path: _, first } => first,
            TreeError::Root => 0,
        };
        Self::Wrong(Found::bad_entry(&Broken { index, rule: Rule::RootWrong, detail }, "CORES"))
    }
}

/// The log as far as it was followed.
pub(super) struct Follower {
    trust: Trust,
    source: HttpLog,
    heads: FileHeads,
    leaves: Leaves,
    cores: CoreVerifier,
    seen: Option<SeenHead>,
}

fn unkept(cause: std::io::Error) -> Trouble {
    Trouble::Ended(CommandError::new(Exit::Unreachable, Phrase::MonitorNotKept, &[]).because(cause))
}

impl Follower {
    /// Goes on from what is remembered. Leaves that are not those of the remembered head are read anew.
    pub(super) fn new(
        trust: Trust,
        url: &str,
        heads: &Path,
        mut leaves: Leaves,
        state: &State,
    ) -> Result<Self, CommandError> {
        let heads = FileHeads::new(heads, trust.log_id).map_err(ClientError::from)?;
        let seen = state.head.as_ref().map(|note| kept(&trust, note)).transpose()?;
        let failed = |cause| CommandError::new(Exit::Unreachable, Phrase::MonitorNotKept, &[]).because(cause);
        let mut cores = CoreVerifier::new(trust.clone());
        if let Some(SeenHead { note: _, head }) = &seen {
            let whole = leaves.count() >= head.size;
            let tree = if whole { leaves.tree(head.size).map_err(failed)? } else { Frontier::new() };
            if whole && tree.root() == head.root {
                cores = CoreVerifier::resumed(trust.clone(), tree, state.recorded_at_us);
            } else {
                cores = cores.with_heads([Head { size: head.size, root: Digest(head.root) }]);
            }
        }
        leaves.truncate(cores.size()).map_err(failed)?;
        Ok(Self { trust, source: HttpLog::new(url), heads, leaves, cores, seen })
    }

    /// When the last entry was recorded, in microseconds UTC.
    pub(super) fn recorded_at_us(&self) -> i64 {
        self.cores.recorded_at_us()
    }

    /// The head that was checked last.
    pub(super) fn seen(&self) -> Option<&SeenHead> {
        self.seen.as_ref()
    }

    /// Looks at the log once.
    pub(super) fn round(&mut self) -> Result<Round, Trouble> {
        let known = self.known()?;
        let (shown, date) = self.look(&known)?;
        if let Some(seen) = known.iter().find(|seen| contradicts(seen, &shown)) {
            return Err(self.conflict(seen.clone(), shown));
        }
        let tree = CheckedTree::new(&self.source, shown.head.size, &shown.head.root)?;
        for seen in &known {
            let root = tree.root_at(seen.head.size)?;
            if root != seen.head.root {
                let prefix = PrefixProof::read(&tree, seen.head.size, shown.head.size, root);
                let (code, seen) = (Code::Fork, seen.clone());
                return Err(Trouble::Conflict(Box::new(Conflict { code, seen, shown, prefix })));
            }
        }
        let (before, cores) = (self.cores.size(), self.cores.clone());
        match read(&tree, cores, &mut self.leaves, &shown) {
            Ok(cores) => self.cores = cores,
            Err(trouble) => {
                self.leaves.truncate(before).map_err(unkept)?;
                return Err(trouble);
            }
        }
        self.leaves.sync().map_err(unkept)?;
        self.keep(&shown)?;
        self.seen = Some(shown.clone());
        let told = format!("{}{}", shown.note, date.unwrap_or_default());
        let new = shown.head.size.saturating_sub(before);
        Ok(Round { seen: shown, shown: told, new })
    }

    /// The heads that were seen: by this monitor, and by whoever else looks from this home.
    fn known(&self) -> Result<Vec<SeenHead>, Trouble> {
        let mut known: Vec<SeenHead> = self.seen.iter().cloned().collect();
        let note = self.heads.load().map_err(|cause| Trouble::Ended(ClientError::from(cause).into()))?;
        if let Some(note) = note {
            let other = kept(&self.trust, &note).map_err(Trouble::Ended)?;
            if known.iter().all(|seen| seen.head != other.head) {
                known.push(other);
            }
        }
        Ok(known)
    }

    /// Keeps the head for whoever else looks from this home, if it is the newer one.
    fn keep(&self, shown: &SeenHead) -> Result<(), Trouble> {
        let ended = |cause| Trouble::Ended(ClientError::from(cause).into());
        let note = self.heads.load().map_err(ended)?;
        let older =
            |note: &String| kept(&self.trust, note).is_ok_and(|kept| kept.head.size < shown.head.size);
        if note.as_ref().is_none_or(older) {
            // If another process has kept a newer head meanwhile, that one stays.
            self.heads.replace(note.as_deref(), &shown.note).map_err(ended)?;
        }
        Ok(())
    }

    /// The published checkpoint, once it is one and no older than what was seen, or after a while as it is.
    fn look(&self, known: &[SeenHead]) -> Result<(SeenHead, Option<String>), Trouble> {
        let mut looks = 1u32;
        loop {
            let (note, date) = self.source.dated_checkpoint()?;
            let opened = checkpoint::open(&note, &self.trust.checkpoint_keys, &self.trust.origin);
            let fine = opened.as_ref().is_ok_and(|head| known.iter().all(|seen| seen.head.size <= head.size));
            if fine || looks >= LOOKS_MAX {
                return match opened {
                    Ok(head) => Ok((SeenHead { note, head }, date)),
                    Err(error) => Err(Trouble::Wrong(Found::invalid(&told(&error)))),
                };
            }
            looks = looks.saturating_add(1);
            std::thread::sleep(LOOK_PAUSE);
        }
    }

    /// Two heads, with what can be proved of them from the leaves at hand.
    pub(super) fn conflict(&self, seen: SeenHead, shown: SeenHead) -> Trouble {
        let smaller = shown.head.size < seen.head.size;
        let code = if smaller { Code::Rollback } else { Code::Fork };
        let prefix = if smaller { self.prefix(&shown.head, &seen.head) } else { None };
        Trouble::Conflict(Box::new(Conflict { code, seen, shown, prefix }))
    }

    /// What the smaller head should have been, if the larger one is that of the leaves at hand.
    fn prefix(&self, small: &Checkpoint, large: &Checkpoint) -> Option<PrefixProof> {
        let ours =
            self.leaves.count() == large.size && self.seen.as_ref().is_some_and(|seen| seen.head == *large);
        if !ours {
            return None;
        }
        let root = self.leaves.tree(small.size).ok()?.root();
        PrefixProof::read(&self.leaves, small.size, large.size, root)
    }
}

fn kept(trust: &Trust, note: &str) -> Result<SeenHead, CommandError> {
    let head = checkpoint::open(note, &trust.checkpoint_keys, &trust.origin)
        .map_err(|cause| CommandError::new(Exit::Broken, Phrase::HeadNotKept, &[]).because(cause))?;
    Ok(SeenHead { note: note.to_owned(), head })
}

fn told(error: &OpenError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Whether two heads need no tree to be seen to differ: the later one is smaller, or has another root at the same size.
fn contradicts(seen: &SeenHead, shown: &SeenHead) -> bool {
    let (seen, shown) = (&seen.head, &shown.head);
    shown.size < seen.size || (shown.size == seen.size && shown.root != seen.root)
}

/// Reads what is new under a head, and checks it.
fn read(
    tree: &CheckedTree<'_>,
    mut cores: CoreVerifier,
    leaves: &mut Leaves,
    shown: &SeenHead,
) -> Result<CoreVerifier, Trouble> {
    let wide = u64::from(TILE_WIDTH);
    let first = usize::try_from(cores.size().div_euclid(wide)).unwrap_or(usize::MAX);
    let paths =
        if cores.size() < tree.size() { Some(tree.paths(TileKind::Entries).skip(first)) } else { None };
    for path in paths.into_iter().flatten() {
        let bytes = tree.bundle_bytes(&path)?;
        let mut hashes = Vec::new();
        for (index, core) in
            (path.index.saturating_mul(wide)..).zip(decode_entries(&bytes).unwrap_or_default())
        {
            if index < cores.size() {
                continue;
            }
            cores.push(core).map_err(|broken| Trouble::Wrong(Found::bad_entry(&broken, "CORES")))?;
            hashes.push(leaf_hash(core));
        }
        leaves.append(&hashes).map_err(unkept)?;
    }
    match cores.finish(&shown.note).verdict {
        Verdict::Ok => Ok(cores),
        Verdict::Broken(broken) => Err(Trouble::Wrong(Found::bad_entry(&broken, "CORES"))),
        Verdict::NeedsNewer { index, what } => Err(Trouble::Wrong(Found::newer(index, &what))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::listener::answering;
    use super::*;
    use credit_log::envelope::SigningKey;
    use credit_log::note::NoteSigner;
    use credit_types::LogId;

    #[test]
    fn what_looks_wrong_is_looked_at_again_and_not_for_ever() {
        let signer = NoteSigner::new("dev.test", SigningKey::from_seed([1; 32])).unwrap();
        let log_id = LogId([3; 32]);
        let trust = Trust {
            log_id,
            origin: "dev.test".to_owned(),
            checkpoint_keys: vec![signer.verifier().clone()],
            statement_keys: Vec::new(),
            witness_policy: None,
        };
        let head = Checkpoint { origin: "dev.test".to_owned(), size: 3, root: [7; 32] };
        let note = checkpoint::sign(&head, &signer).unwrap();
        let most = usize::try_from(LOOKS_MAX).unwrap();
        for (bad, fine) in [(0, true), (most - 1, true), (most, false)] {
            let mut answers = vec![(200, "no checkpoint".to_owned()); bad];
            answers.push((200, note.clone()));
            let folder = tempfile::tempdir().unwrap();
            let leaves = Leaves::open(&folder.path().join("leaves")).unwrap();
            let (url, _) = answering(answers);
            let state = State::new(log_id, 0);
            let follower = Follower::new(trust.clone(), &url, folder.path(), leaves, &state).unwrap();
            let looked = follower.look(&[]);
            assert_eq!(looked.is_ok_and(|(seen, _)| seen.head == head), fine, "{bad}");
        }
    }
}
