//! The first of two phases: all that can be said of an entry without the rows. It may run on many threads at once and
//! ahead of the second, which takes the entries in their order; the verdict is that of one thread.
//!
//! What goes wrong here is kept and said in its turn: an earlier rule of the same entry, or any rule of an earlier
//! entry, comes first.

use std::sync::Arc;

use credit_log::envelope::PublicKey;
use credit_log::strict_batch::{BatchSeed, FalseSignatures, StrictBatch};
use credit_log::{Hash, hash, parts};
use credit_proto::Statement;
use credit_proto::entry::{
    DecodeError, DecodedParts, StatementPart, decode_core, decode_parts, hydrate_whole, manifest_of,
};
use credit_types::{Command, EntryCore, EntryHead, Event, Kid, Reason, SignerId};

use crate::chunk;
use crate::command::{self, DetailsSource, Mandate};
use crate::derived::Applied;
use crate::known::{Known, ManifestFacts, admit};
use crate::log::EntryBytes;
use crate::part::{self, Part};
use crate::report::{Stop, ensure};
use crate::rule::Rule;
use crate::signature::{Checks, signers};
use crate::upgrade;

/// What is known of the entries before.
pub(crate) trait Past {
    /// A key that the log has named.
    fn key(&mut self, kid: Kid) -> Result<Option<PublicKey>, Unread>;

    /// What the manifest at an index says; `None` where that entry opens no batch.
    fn manifest(&mut self, index: u64) -> Result<Option<ManifestFacts>, Unread>;
}

/// Why an entry was not read.
#[derive(Debug, Clone)]
pub(crate) enum Unread {
    /// A rule is broken, or something isn't known.
    Stop(Stop),
    /// What it rests on isn't known yet: it is read again in its turn.
    Later,
}

impl From<Stop> for Unread {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// What is shared never says that something is not there: it may only lag behind.
impl Past for &Known {
    fn key(&mut self, kid: Kid) -> Result<Option<PublicKey>, Unread> {
        Known::key(self, kid).map(Some).ok_or(Unread::Later)
    }

    fn manifest(&mut self, index: u64) -> Result<Option<ManifestFacts>, Unread> {
        Known::manifest(self, index).map(Some).ok_or(Unread::Later)
    }
}

/// An entry that was read: its meaning, if the rows allow it.
#[derive(Debug)]
pub(crate) struct Decision {
    /// Its parts.
    pub(crate) parts: DecodedParts,
    /// The events that it records.
    pub(crate) events: Vec<Event>,
    /// What was asked for.
    pub(crate) command: Command,
    /// Whether details were missing.
    pub(crate) closed: bool,
    /// What an application has in secret, as far as the source has it.
    pub(crate) applied: Option<Applied>,
}

/// What the first phase found in an entry.
#[derive(Debug)]
pub struct Prepared {
    /// The leaf hash.
    pub(crate) leaf: Hash,
    /// The core.
    pub(crate) core: Result<EntryCore, Stop>,
    /// The root over the parts that are there.
    pub(crate) parts_root: Hash,
    /// The meaning of the parts; an announcement is read in its turn.
    pub(crate) read: Result<Box<Decision>, Unread>,
}

/// Reads entries for a verifier, on any thread.
#[derive(Debug, Clone)]
pub struct Preparer {
    known: Arc<Known>,
    seed: Option<BatchSeed>,
}

impl Preparer {
    /// For a verifier that adds to what is known.
    pub(crate) fn new(known: Arc<Known>) -> Self {
        Self { known, seed: None }
    }

    /// Checks the signatures of many entries together, with weights drawn from a seed. Without one each is checked by
    /// itself; the verdict is the same.
    #[must_use]
    pub fn with_seed(self, seed: BatchSeed) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Reads an entry, with details as far as the source has them.
    pub fn prepare(&self, entry: &EntryBytes<'_>, details: Option<&dyn DetailsSource>) -> Prepared {
        self.prepare_with(entry, details, &mut Checks::OneByOne)
    }

    /// Reads entries, each with its details as far as the source has them: what [`prepare`](Self::prepare) gives for
    /// each, with less work the more there are.
    pub fn prepare_all(&self, entries: &[(EntryBytes<'_>, Option<&dyn DetailsSource>)]) -> Vec<Prepared> {
        let Some(seed) = &self.seed else {
            return entries.iter().map(|(entry, details)| self.prepare(entry, *details)).collect();
        };
        let mut batch = StrictBatch::new(seed.clone());
        let mut signatures = Vec::with_capacity(entries.len());
        let mut all = Vec::with_capacity(entries.len());
        for (entry, details) in entries {
            all.push(self.prepare_with(entry, *details, &mut Checks::Together(&mut batch)));
            signatures.push(batch.len());
        }
        if let Err(FalseSignatures { numbers }) = batch.verify() {
            for number in numbers {
                let at = signatures.partition_point(|count| *count <= number);
                if let (Some(prepared), Some((entry, details))) = (all.get_mut(at), entries.get(at)) {
                    *prepared = self.prepare(entry, *details);
                }
            }
        }
        all
    }

    fn prepare_with(
        &self,
        entry: &EntryBytes<'_>,
        details: Option<&dyn DetailsSource>,
        checks: &mut Checks<'_>,
    ) -> Prepared {
        let read = if upgrade::is_beyond(entry.parts) {
            Err(Unread::Later)
        } else {
            read(&mut self.known.as_ref(), entry.parts, details, checks)
        };
        Prepared {
            leaf: hash::leaf_hash(entry.core),
            core: decode_core(entry.core).map_err(|error| Stop::unread(Rule::CoreNotCanonical, error)),
            parts_root: parts::parts_root(entry.secret, entry.parts),
            read,
        }
    }
}

/// Reads the parts of an entry, up to the command that they record.
pub(crate) fn read(
    past: &mut dyn Past,
    encoded: &[Vec<u8>],
    details: Option<&dyn DetailsSource>,
    checks: &mut Checks<'_>,
) -> Result<Box<Decision>, Unread> {
    let parts = decode_parts(encoded).map_err(|error| {
        // A head that counts other parts is named before a part that can't be read.
        let counted = head(encoded).err();
        counted.unwrap_or_else(|| Stop::unread(Rule::PartsNotCanonical, error))
    })?;
    if let Some(source) = details {
        source.begin();
    }
    let mut mandate = Mandate::new(details);
    let (events, command) = match manifest_of(&parts) {
        Some(index) => {
            let manifest = past.manifest(index)?.ok_or_else(|| no_batch(index))?;
            let (events, _) = hydrated(&parts, Some(&manifest))?;
            let command = chunk::command(&manifest, &parts, &events, &mut mandate)?;
            (events, command)
        }
        None => of_statement(past, checks, &parts, &mut mandate)?,
    };
    let applied = match details {
        Some(source) => command::others(&command, source)?,
        None => None,
    };
    let closed = mandate.closed;
    Ok(Box::new(Decision { parts, events, command, closed, applied }))
}

/// The events and the command of an entry that rests on one statement, once its signatures have been verified.
fn of_statement(
    past: &mut dyn Past,
    checks: &mut Checks<'_>,
    parts: &DecodedParts,
    mandate: &mut Mandate<'_>,
) -> Result<(Vec<Event>, Command), Unread> {
    let [StatementPart::Signed(envelope)] = parts.statements.as_slice() else {
        let detail = "its events rest on one signed statement, and on nothing else";
        return Err(Stop::broken(Rule::EvidenceMissing, detail).into());
    };
    let (events, statement) = hydrated(parts, None)?;
    let statement =
        statement.ok_or_else(|| Stop::broken(Rule::EvidenceMissing, "no signed statement is there"))?;
    if let Statement::Genesis(header, _) = &statement {
        let rule = Rule::RefusedByRules { reason: Reason::SignerNotAllowed };
        let own = header.signer == SignerId::Authority;
        // The core names no rows of an institution that signs a genesis, for there is none yet.
        ensure(own, rule, "a genesis is signed by the authority that it names")?;
    }
    let signers = signers(past, checks, envelope, &statement)?;
    let command = command::of_statement(statement, signers, &events, mandate)?;
    Ok((events, command))
}

/// The events with all that their statements say.
fn hydrated(
    parts: &DecodedParts,
    manifest: Option<&ManifestFacts>,
) -> Result<(Vec<Event>, Option<Statement>), Stop> {
    let info = manifest.map(|manifest| &manifest.info);
    hydrate_whole(parts, info, admit, credit_log::batch::record_leaf).map_err(|error| {
        let of_statement =
            matches!(&error, DecodeError::Invalid(error) if error.field.starts_with("statements["));
        let rule = if of_statement { Rule::StatementNotCanonical } else { Rule::EventsWrong };
        Stop::unread(rule, error)
    })
}

/// That no batch was opened there.
fn no_batch(manifest_index: u64) -> Stop {
    let rule = Rule::RefusedByRules { reason: Reason::BatchUnknown };
    Stop::broken(rule, format!("entry {manifest_index} opens no batch"))
}

/// The head counts exactly these parts.
pub(crate) fn head(parts: &[Vec<u8>]) -> Result<EntryHead, Stop> {
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
