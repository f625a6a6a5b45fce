//! A whole log, checked entry by entry as it streams by.

use std::sync::Arc;

use credit_log::checkpoint;
use credit_types::genesis::FORMAT;
use credit_types::{Digest, EntryCore, LogId};

use crate::books::{Blobs, Books};
use crate::command::DetailsSource;
use crate::onlooker::Onlooker;
use crate::prepare::{self, Decision, Prepared, Preparer, Unread, head};
use crate::replay::{Judged, State};
use crate::report::{Broken, Halt, Report, Stop, Verdict, ensure};
use crate::rows::AllRows;
use crate::rule::Rule;
use crate::scratch::{Memory, ScratchError};
use crate::signature::Checks;
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

/// Checks a log from its entry 0 on, in memory that is bounded where that is asked for.
pub struct Verifier<'d> {
    trust: Option<Trust>,
    details: Option<&'d dyn DetailsSource>,
    books: Books<'d>,
    onlooker: Option<&'d dyn Onlooker>,
    heads: Vec<Head>,
    state: State,
    judged: Counts,
    announced: Option<Announcement>,
    beyond: Option<Beyond>,
    halted: Option<Halt>,
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
    /// Begins, with all the memory that there is. Without trust the log is only held against what its own entry 0 says.
    pub fn new(trust: Option<Trust>) -> Self {
        Self::within(trust, &Memory::default())
    }

    /// Begins in bounded memory. The report and the rows are the same in every memory.
    pub fn within(trust: Option<Trust>, memory: &Memory) -> Self {
        Self {
            trust,
            details: None,
            books: Books::default(),
            onlooker: None,
            heads: Vec::new(),
            state: State::new(memory),
            judged: Counts::default(),
            announced: None,
            beyond: None,
            halted: None,
        }
    }

    /// Another verifier that goes on from here by itself; `None` once parts of this one lie in scratch files.
    pub fn fork(&self) -> Option<Self> {
        let Self { trust, details, books, onlooker, heads, state, judged, announced, beyond, halted } = self;
        Some(Self {
            trust: trust.clone(),
            details: *details,
            books: books.clone(),
            onlooker: *onlooker,
            heads: heads.clone(),
            state: state.fork()?,
            judged: *judged,
            announced: *announced,
            beyond: beyond.clone(),
            halted: halted.clone(),
        })
    }

    /// Decides with details, as far as the source has them.
    #[must_use]
    pub fn with_details(mut self, source: &'d dyn DetailsSource) -> Self {
        self.details = Some(source);
        self
    }

    /// Reads rule books, and decides by them. Without blobs a book is what its publication says of it, and what is
    /// proposed under it is taken as it is recorded: such decisions count as structure only.
    #[must_use]
    pub fn with_blobs(mut self, blobs: &'d dyn Blobs) -> Self {
        self.books = Books::from(blobs);
        self
    }

    /// Shows every application to somebody, once it is judged.
    #[must_use]
    pub fn with_onlooker(mut self, onlooker: &'d dyn Onlooker) -> Self {
        self.onlooker = Some(onlooker);
        self
    }

    /// Holds the log against heads that were seen before.
    #[must_use]
    pub fn with_heads(mut self, heads: impl IntoIterator<Item = Head>) -> Self {
        self.heads.extend(heads);
        self
    }

    /// Reads entries for this verifier, on other threads and ahead of it.
    pub fn preparer(&self) -> Preparer {
        Preparer::new(Arc::clone(&self.state.known))
    }

    /// The index of the entry that comes next.
    pub fn size(&self) -> u64 {
        self.state.tree.size()
    }

    /// Checks the next entry. Once a rule is broken nothing more is looked at; what it was is said again.
    pub fn push(&mut self, entry: &EntryBytes<'_>) -> Result<(), Halt> {
        let details = self.details;
        let prepared = self.preparer().prepare(entry, details);
        self.push_prepared(entry, details, prepared)
    }

    /// The same for an entry that a [`Preparer`] of this verifier has read, with the same details.
    pub fn push_prepared(
        &mut self,
        entry: &EntryBytes<'_>,
        details: Option<&dyn DetailsSource>,
        prepared: Prepared,
    ) -> Result<(), Halt> {
        if let Some(halted) = &self.halted {
            return Err(halted.clone());
        }
        let index = self.state.tree.size();
        let leaf = prepared.leaf;
        let taken = self
            .check(index, entry, details, prepared)
            .and_then(|recorded_at_us| Ok(self.state.tree.append(leaf, recorded_at_us)?));
        taken.map_err(|stop| {
            let halt = match announced_otherwise(stop) {
                Ok((rule, detail)) => Halt::Broken(Broken { index, rule, detail }),
                Err(error) => Halt::Scratch(error),
            };
            self.halted = Some(halt.clone());
            halt
        })
    }

    /// Says that what was to come next is broken by a rule that its reader knows: of files, or of their frames.
    pub fn broken(&mut self, rule: Rule, detail: impl Into<String>) -> Halt {
        let index = self.state.tree.size();
        let broken = || Halt::Broken(Broken { index, rule, detail: detail.into() });
        self.halted.get_or_insert_with(broken).clone()
    }

    /// Why no further entry is taken, if that is so.
    pub fn halted(&self) -> Option<&Halt> {
        self.halted.as_ref()
    }

    /// Closes the books: the signed checkpoint of the log, if there is one, and the heads seen before must be those of
    /// the entries. More entries may follow.
    pub fn finish(&self, checkpoint: Option<&str>) -> Result<Report, ScratchError> {
        let Counts { entries, statements, signatures, decisions_replayed, structure_only } = self.judged;
        Ok(Report {
            entries,
            statements,
            signatures,
            decisions_replayed,
            structure_only,
            erased: 0,
            size: self.state.tree.size(),
            root: self.state.tree.root(),
            verdict: self.verdict(checkpoint)?,
        })
    }

    /// The rows that the entries made so far, each once: a bank's own rows must be the same.
    pub fn rows(&mut self) -> Result<AllRows<'_>, ScratchError> {
        self.state.rows.all()
    }

    /// Checks an entry and gives its time, where its core is known.
    fn check(
        &mut self,
        index: u64,
        entry: &EntryBytes<'_>,
        details: Option<&dyn DetailsSource>,
        prepared: Prepared,
    ) -> Result<Option<i64>, Stop> {
        if index == 0
            && let Some(trust) = &self.trust
            && prepared.leaf != trust.log_id.0
        {
            return Err(Stop::broken(Rule::LogIdWrong, format!("{} is pinned", trust.log_id)));
        }
        if let (None, Some(Announcement { protocol, format })) = (&self.beyond, self.announced) {
            let what = format!("protocol {protocol}, entry format {format}");
            self.beyond = Some(Beyond { index, what, cores_known: format == FORMAT });
        }
        if let Some(beyond) = &self.beyond {
            if !beyond.cores_known {
                return Ok(None);
            }
            return match self.core(index, &prepared) {
                Ok(core) => Ok(Some(core.recorded_at_us)),
                // A later announcement, of a format, can't be judged any more: only the tree goes on from here.
                Err(Stop::Newer(_)) => {
                    self.beyond = self.beyond.take().map(|beyond| Beyond { cores_known: false, ..beyond });
                    Ok(None)
                }
                Err(stop) => Err(stop),
            };
        }
        match self.judge(index, entry, details, prepared) {
            Ok(core) => Ok(Some(core.recorded_at_us)),
            // Entry 0 begins the log, under whatever format or protocol it names itself.
            Err(Stop::Newer(what)) if index == 0 && upgrade::begins_newer(entry.core, entry.parts) => {
                self.beyond = Some(Beyond { index, what, cores_known: false });
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    fn judge(
        &mut self,
        index: u64,
        entry: &EntryBytes<'_>,
        details: Option<&dyn DetailsSource>,
        prepared: Prepared,
    ) -> Result<EntryCore, Stop> {
        let core = self.core(index, &prepared)?;
        let judged = match prepared.read {
            Ok(decision) => self.decided(&core, &decision, details)?,
            Err(Unread::Stop(stop)) => return Err(stop),
            Err(Unread::Later) if upgrade::is_beyond(entry.parts) => {
                head(entry.parts)?;
                let (announcement, judged) = upgrade::judge(&mut self.state, &core, entry.parts)?;
                self.announced = Some(announcement);
                judged
            }
            Err(Unread::Later) => {
                match prepare::read(&mut self.state, entry.parts, details, &mut Checks::OneByOne) {
                    Ok(decision) => self.decided(&core, &decision, details)?,
                    Err(Unread::Stop(stop)) => return Err(stop),
                    Err(Unread::Later) => {
                        unreachable!("in its turn everything is known that an entry rests on")
                    }
                }
            }
        };
        if let (0, Some(trust), Some(genesis)) = (index, &self.trust, self.state.genesis()) {
            let same = genesis.origin == trust.origin;
            ensure(same, Rule::LogIdWrong, &format!("the genesis names the origin {}", genesis.origin))?;
        }
        self.count(judged);
        Ok(core)
    }

    fn decided(
        &mut self,
        core: &EntryCore,
        decision: &Decision,
        details: Option<&dyn DetailsSource>,
    ) -> Result<Judged, Stop> {
        self.state.judge(core, decision, &mut self.books, details, self.onlooker)
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
    fn core(&self, index: u64, prepared: &Prepared) -> Result<EntryCore, Stop> {
        let core = prepared.core.clone()?;
        if core.index != index {
            return Err(Stop::broken(Rule::IndexWrong, format!("it says {}", core.index)));
        }
        let forward = self.state.tree.last_time().is_none_or(|before| before <= core.recorded_at_us);
        ensure(forward, Rule::TimeBackwards, "the time decreases")?;
        let same = prepared.parts_root == core.parts_root.0;
        ensure(same, Rule::PartsRootWrong, "the parts have another root")?;
        Ok(core)
    }

    fn verdict(&self, checkpoint: Option<&str>) -> Result<Verdict, ScratchError> {
        match &self.halted {
            Some(Halt::Broken(broken)) => return Ok(Verdict::Broken(broken.clone())),
            Some(Halt::Scratch(error)) => return Err(error.clone()),
            None => {}
        }
        let size = self.state.tree.size();
        let checked = ensure(size > 0, Rule::GenesisMissing, "no entry was given")
            .and_then(|()| self.continues())
            .and_then(|()| checkpoint.map_or(Ok(()), |note| self.under(note)));
        Ok(match (checked, &self.beyond) {
            (Err(stop), _) => {
                let (rule, detail) = announced_otherwise(stop)?;
                Verdict::Broken(Broken { index: size, rule, detail })
            }
            (Ok(()), Some(Beyond { index, what, cores_known: _ })) => {
                Verdict::NeedsNewer { index: *index, what: what.clone() }
            }
            (Ok(()), None) => Verdict::Ok,
        })
    }

    /// Every head seen before is a head of these entries.
    fn continues(&self) -> Result<(), Stop> {
        for Head { size, root } in &self.heads {
            let ours = self.state.tree.root_at(*size)?;
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
        let trust = match (&self.trust, self.state.genesis(), self.state.tree.first_leaf()) {
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
fn announced_otherwise(stop: Stop) -> Result<(Rule, String), ScratchError> {
    match stop {
        Stop::Broken(rule, detail) => Ok((rule, detail)),
        Stop::Newer(what) => Ok((Rule::NotAnnounced, what)),
        Stop::Failed(error) => Err(error),
    }
}
