//! A whole log, checked entry by entry as it streams by.

use credit_ledger::{Row, RowId};
use credit_log::{checkpoint, hash, parts};
use credit_proto::entry::decode_core;
use credit_types::genesis::FORMAT;
use credit_types::{Digest, EntryCore, EntryHead, LogId};

use crate::command::DetailsSource;
use crate::part::{self, Part};
use crate::replay::{Judged, State};
use crate::report::{Broken, Report, Stop, Verdict, ensure};
use crate::rule::Rule;
use crate::trust::Trust;
use crate::upgrade::{self, Announcement};

/// An entry as it is exported.
#[derive(Debug, Clone, Copy)]
pub struct EntryBytes<'e> {
    /// The canonical core.
    pub core: &'e [u8],
    /// The secret that salts the parts: 32 bytes.
    pub secret: &'e [u8; 32],
    /// The parts, each a kind byte and canonical bytes.
    pub parts: &'e [Vec<u8>],
}

/// A head of the log that the caller has seen before and relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Count of entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// From where on the log can't be judged.
#[derive(Debug, Clone)]
struct Beyond {
    index: u64,
    what: String,
    /// Whether cores are still of the format known here, so that their order and time can be asked.
    cores_known: bool,
}

/// Checks a log from its entry 0 on. Its own tree and rows grow with the log; nothing else does.
#[derive(Clone, Default)]
pub struct Verifier<'d> {
    trust: Option<Trust>,
    details: Option<&'d dyn DetailsSource>,
    heads: Vec<Head>,
    state: State,
    judged: Counts,
    announced: Option<Announcement>,
    beyond: Option<Beyond>,
    broken: Option<Broken>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    entries: u64,
    statements: u64,
    signatures: u64,
    decisions_replayed: u64,
    structure_only: u64,
}

impl<'d> Verifier<'d> {
    /// Begins. Without trust the log is only held against what its own entry 0 says.
    pub fn new(trust: Option<Trust>) -> Self {
        Self { trust, ..Self::default() }
    }

    /// Decides with details, as far as the source has them.
    #[must_use]
    pub fn with_details(mut self, source: &'d dyn DetailsSource) -> Self {
        self.details = Some(source);
        self
    }

    /// Holds the log against heads that were seen before.
    #[must_use]
    pub fn with_heads(mut self, heads: impl IntoIterator<Item = Head>) -> Self {
        self.heads.extend(heads);
        self
    }

    /// Checks the next entry. Once a rule is broken nothing more is looked at; what it was is said again.
    pub fn push(&mut self, entry: &EntryBytes<'_>) -> Result<(), Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let index = self.state.tree.size();
        match self.check(index, entry) {
            Ok(recorded_at_us) => {
                self.state.tree.append(entry.core, recorded_at_us);
                Ok(())
            }
            Err((rule, detail)) => {
                let broken = Broken { index, rule, detail };
                self.broken = Some(broken.clone());
                Err(broken)
            }
        }
    }

    /// Closes the books: the signed checkpoint of the log, if there is one, and the heads seen before must be those of
    /// the entries. More entries may follow.
    pub fn finish(&self, checkpoint: Option<&str>) -> Report {
        let Counts { entries, statements, signatures, decisions_replayed, structure_only } = self.judged;
        Report {
            entries,
            statements,
            signatures,
            decisions_replayed,
            structure_only,
            erased: 0,
            size: self.state.tree.size(),
            root: self.state.tree.root(),
            verdict: self.verdict(checkpoint),
        }
    }

    /// The rows that the entries made so far, by their names: a bank's own rows must be the same.
    pub fn rows(&self) -> impl Iterator<Item = (&RowId, &Row)> {
        self.state.rows.iter()
    }

    /// Checks an entry and gives its time, where its core is known.
    fn check(&mut self, index: u64, entry: &EntryBytes<'_>) -> Result<Option<i64>, (Rule, String)> {
        if index == 0
            && let Some(trust) = &self.trust
            && hash::leaf_hash(entry.core) != trust.log_id.0
        {
            return Err((Rule::LogIdWrong, format!("{} is pinned", trust.log_id)));
        }
        if let (None, Some(Announcement { protocol, format })) = (&self.beyond, self.announced) {
            let what = format!("protocol {protocol}, entry format {format}");
            self.beyond = Some(Beyond { index, what, cores_known: format == FORMAT });
        }
        if let Some(beyond) = &self.beyond {
            if !beyond.cores_known {
                return Ok(None);
            }
            return match self.core(index, entry) {
                Ok(core) => Ok(Some(core.recorded_at_us)),
                // A later announcement, of a format, can't be judged any more: only the tree goes on from here.
                Err(Stop::Newer(_)) => {
                    self.beyond = self.beyond.take().map(|beyond| Beyond { cores_known: false, ..beyond });
                    Ok(None)
                }
                Err(stop) => Err(announced_otherwise(stop)),
            };
        }
        match self.judge(index, entry) {
            Ok(core) => Ok(Some(core.recorded_at_us)),
            // Entry 0 begins the log, under whatever format or protocol it names itself.
            Err(Stop::Newer(what)) if index == 0 && upgrade::begins_newer(entry.core, entry.parts) => {
                self.beyond = Some(Beyond { index, what, cores_known: false });
                Ok(None)
            }
            Err(stop) => Err(announced_otherwise(stop)),
        }
    }

    fn judge(&mut self, index: u64, entry: &EntryBytes<'_>) -> Result<EntryCore, Stop> {
        let core = self.core(index, entry)?;
        head(entry.parts)?;
        let judged = if upgrade::is_one(entry.parts) {
            let (announcement, judged) = upgrade::judge(&self.state, &core, entry.parts)?;
            self.announced = Some(announcement);
            judged
        } else {
            self.state.judge(&core, entry.parts, self.details)?
        };
        if let (0, Some(trust), Some(genesis)) = (index, &self.trust, self.state.genesis()) {
            let same = genesis.origin == trust.origin;
            ensure(same, Rule::LogIdWrong, &format!("the genesis names the origin {}", genesis.origin))?;
        }
        self.count(judged);
        Ok(core)
    }

    fn count(&mut self, judged: Judged) {
        let Judged { statements, signatures, closed } = judged;
        let counts = &mut self.judged;
        counts.entries = counts.entries.saturating_add(1);
        counts.statements = counts.statements.saturating_add(statements);
        counts.signatures = counts.signatures.saturating_add(signatures);
        let decided = if closed { &mut counts.structure_only } else { &mut counts.decisions_replayed };
        *decided = decided.saturating_add(1);
    }

    /// The core: canonical, in its place, not before its predecessor, and over these very parts.
    fn core(&self, index: u64, entry: &EntryBytes<'_>) -> Result<EntryCore, Stop> {
        let core = decode_core(entry.core).map_err(|error| Stop::unread(Rule::CoreNotCanonical, error))?;
        ensure(core.index == index, Rule::IndexWrong, &format!("it says {}", core.index))?;
        let before = index.checked_sub(1).and_then(|before| self.state.tree.time(before));
        let forward = before.is_none_or(|before| before <= core.recorded_at_us);
        ensure(forward, Rule::TimeBackwards, "the time decreases")?;
        let root = parts::parts_root(entry.secret, entry.parts);
        ensure(root == core.parts_root.0, Rule::PartsRootWrong, "the parts have another root")?;
        Ok(core)
    }

    fn verdict(&self, checkpoint: Option<&str>) -> Verdict {
        if let Some(broken) = &self.broken {
            return Verdict::Broken(broken.clone());
        }
        let size = self.state.tree.size();
        let checked = ensure(size > 0, Rule::GenesisMissing, "no entry was given")
            .and_then(|()| self.continues())
            .and_then(|()| checkpoint.map_or(Ok(()), |note| self.under(note)));
        match (checked, &self.beyond) {
            (Err(stop), _) => {
                let (rule, detail) = announced_otherwise(stop);
                Verdict::Broken(Broken { index: size, rule, detail })
            }
            (Ok(()), Some(Beyond { index, what, cores_known: _ })) => {
                Verdict::NeedsNewer { index: *index, what: what.clone() }
            }
            (Ok(()), None) => Verdict::Ok,
        }
    }

    /// Every head seen before is a head of these entries.
    fn continues(&self) -> Result<(), Stop> {
        for Head { size, root } in &self.heads {
            let ours = self.state.tree.root_at(*size);
            let detail = match ours {
                Some(ours) if ours == *root => continue,
                Some(ours) => format!("at size {size} the root is {ours}, {root} was seen"),
                None => format!("a head of {size} entries was seen"),
            };
            return Err(Stop::broken(Rule::HeadInconsistent, detail));
        }
        Ok(())
    }

    /// The signed checkpoint is of exactly these entries.
    fn under(&self, note: &str) -> Result<(), Stop> {
        let invalid = |error: &dyn std::error::Error| {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            Stop::broken(Rule::CheckpointInvalid, format!("{error}{cause}"))
        };
        let trust = match (&self.trust, self.state.genesis(), self.state.tree.leaf(0)) {
            (Some(trust), _, _) => trust.clone(),
            (None, Some(genesis), Some(Digest(leaf))) => {
                Trust::of_genesis(LogId(leaf), genesis).map_err(|error| invalid(&error))?
            }
            // A genesis that can't be read names no key, and nothing is pinned.
            (None, _, _) => return Ok(()),
        };
        let head =
            checkpoint::open(note, &trust.checkpoint_keys, &trust.origin).map_err(|error| invalid(&error))?;
        let (size, root) = (self.state.tree.size(), self.state.tree.root());
        ensure(head.size == size, Rule::SizeWrong, &format!("{} entries are signed", head.size))?;
        ensure(head.root == root.0, Rule::RootWrong, &format!("{} is signed", Digest(head.root)))
    }
}

/// What isn't known may only follow an announcement: this doesn't.
fn announced_otherwise(stop: Stop) -> (Rule, String) {
    match stop {
        Stop::Broken(rule, detail) => (rule, detail),
        Stop::Newer(what) => (Rule::NotAnnounced, what),
    }
}

/// The head counts exactly these parts.
fn head(parts: &[Vec<u8>]) -> Result<EntryHead, Stop> {
    let unread = |error| Stop::unread(Rule::PartsNotCanonical, error);
    let first = parts.first().map(Vec::as_slice).unwrap_or_default();
    let Part::Head(head) = part::read(first).map_err(unread)? else {
        return Err(Stop::broken(Rule::HeadCountsWrong, "the first part is not the head"));
    };
    let counted = u32::try_from(parts.len()).is_ok_and(|count| count == part::part_count(&head));
    let told = part::part_count(&head);
    ensure(counted, Rule::HeadCountsWrong, &format!("{told} parts are counted, {} are there", parts.len()))?;
    let kinds =
        parts.iter().zip(0u32..).all(|(part, number)| part::kind_at(&head, number) == part.first().copied());
    ensure(kinds, Rule::HeadCountsWrong, "the parts are of other kinds than counted")?;
    Ok(head)
}
