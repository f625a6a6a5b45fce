//! The meaning of an entry: its statements are verified, its decision is made again, and only then is it believed.

use std::collections::BTreeMap;

use credit_ledger::{
    BatchRow, CommandKey, Context, Row, RowId, View, command_key, decide, event_reads, evolve_entry, links,
    reads,
};
use credit_log::batch::record_leaf;
use credit_proto::entry::{
    DecodeError, DecodedParts, ManifestInfo, StatementPart, decode_parts, encode_parts, hydrate, manifest_of,
};
use credit_proto::{Reading, Stage, Statement, read_statement};
use credit_types::genesis::PROTOCOL;
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{Command, EntryCore, Event, Genesis, Reason, Rejection, SignerId};

use crate::chunk;
use crate::command::{self, DetailsSource, Mandate};
use crate::report::{Stop, ensure};
use crate::rule::Rule;
use crate::signature::{Keys, admit, signers};
use crate::tree::Tree;

/// What the log has said so far, as far as it was believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The tree over the entries.
    pub(crate) tree: Tree,
    /// The rows that the entries make.
    pub(crate) rows: BTreeMap<RowId, Row>,
    /// The keys met.
    pub(crate) keys: Keys,
}

/// What was found in an entry that is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Count of statements and leaves.
    pub(crate) statements: u64,
    /// Count of signatures verified.
    pub(crate) signatures: u64,
    /// Whether details were missing when it was decided again.
    pub(crate) closed: bool,
}

impl State {
    /// What entry 0 says; `None` before it.
    pub(crate) fn genesis(&self) -> Option<&Genesis> {
        match self.rows.get(&RowId::Log) {
            Some(Row::Log(row)) => Some(&row.genesis),
            Some(_) | None => None,
        }
    }

    fn batch(&self, manifest_index: u64) -> Option<&BatchRow> {
        match self.rows.get(&RowId::Batch(manifest_index)) {
            Some(Row::Batch(row)) => Some(row),
            Some(_) | None => None,
        }
    }

    /// A row; leaves and heads come from the verifier's own tree.
    fn row(&self, id: &RowId) -> Option<Row> {
        if let RowId::Head(size) = id {
            return self.tree.head(*size).map(Row::Head);
        }
        if let RowId::Leaf(index) = id {
            return self.tree.leaf(*index).map(Row::Leaf);
        }
        self.rows.get(id).cloned()
    }

    /// Loads rows in rounds, until none is named any more.
    fn load(&self, view: &mut View, missing: impl Fn(&View) -> Vec<RowId>) {
        for _ in 0..READ_ROUNDS_MAX {
            let ids = missing(view);
            if ids.is_empty() {
                return;
            }
            for id in ids {
                let row = self.row(&id);
                view.insert(id, row);
            }
        }
        assert!(missing(view).is_empty(), "rows are named in a bounded number of rounds");
    }

    /// Judges the parts of an entry that is structurally right, and takes it over into the rows.
    pub(crate) fn judge(
        &mut self,
        core: &EntryCore,
        encoded: &[Vec<u8>],
        details: Option<&dyn DetailsSource>,
    ) -> Result<Judged, Stop> {
        let parts = decode_parts(encoded).map_err(|error| Stop::unread(Rule::PartsNotCanonical, error))?;
        let events = self.events(&parts)?;
        let mut mandate = Mandate::new(details);
        let command = self.command(&parts, &events, &mut mandate)?;
        let mut view = View::new();
        self.load(&mut view, |view| reads(&command, view));
        let key = actor(&command, &view, &parts)?;
        let context = Context { index: core.index, recorded_at_us: core.recorded_at_us, protocol: PROTOCOL };
        let decided = decide(&view, &context, &command).map_err(refused)?;
        same_events(&decided, &events)?;
        self.load(&mut view, |view| event_reads(&decided, view));
        let links = links(&view, &decided);
        ensure(links == parts.links, Rule::LinkWrong, "a sequence, a previous entry or an event differs")?;
        let again = encode_parts(&parts.head, &links, &parts.statements, &decided);
        ensure(again == encoded, Rule::DecisionDiffers, "the events decided have other bytes")?;
        evolve_entry(&mut view, &context, &key, &decided);
        for id in view.take_changed() {
            match view.get(&id) {
                Some(row) => drop(self.rows.insert(id, row.clone())),
                None => drop(self.rows.remove(&id)),
            }
        }
        let signatures = parts.statements.iter().map(|statement| match statement {
            StatementPart::Signed(envelope) => envelope.signatures.len() as u64,
            StatementPart::Leaf { .. } => 0,
        });
        Ok(Judged {
            statements: parts.statements.len() as u64,
            signatures: signatures.fold(0, u64::saturating_add),
            closed: mandate.closed,
        })
    }

    /// The events with all that their statements say.
    fn events(&self, parts: &DecodedParts) -> Result<Vec<Event>, Stop> {
        let manifest = if let Some(index) = manifest_of(parts) {
            let row = self.batch(index).ok_or_else(|| no_batch(index))?;
            let (signer, kid, leaf_type) = (row.signer.clone(), row.kid, row.leaf_type);
            Some(ManifestInfo { signer, kid, leaf_type })
        } else {
            let alone = matches!(parts.statements.as_slice(), [StatementPart::Signed(_)]);
            ensure(
                alone,
                Rule::EvidenceMissing,
                "its events rest on one signed statement, and on nothing else",
            )?;
            None
        };
        hydrate(parts, manifest.as_ref(), admit, record_leaf).map_err(|error| {
            let of_statement =
                matches!(&error, DecodeError::Invalid(error) if error.field.starts_with("statements["));
            let rule = if of_statement { Rule::StatementNotCanonical } else { Rule::EventsWrong };
            Stop::unread(rule, error)
        })
    }

    /// The command, once all that it was signed with has been verified.
    fn command(
        &mut self,
        parts: &DecodedParts,
        events: &[Event],
        mandate: &mut Mandate<'_>,
    ) -> Result<Command, Stop> {
        if let Some(index) = manifest_of(parts) {
            let row = self.batch(index).ok_or_else(|| no_batch(index))?;
            return chunk::command(row, parts, events, mandate);
        }
        let Some(StatementPart::Signed(envelope)) = parts.statements.first() else {
            return Err(Stop::broken(Rule::EvidenceMissing, "no signed statement is there"));
        };
        let reading = Reading { admit, stage: Stage::Replay };
        let statement = read_statement(&envelope.payload_type, &envelope.payload, reading)
            .map_err(|error| Stop::broken(Rule::StatementNotCanonical, error.to_string()))?;
        if let Statement::Genesis(header, _) = &statement {
            let rule = Rule::RefusedByRules { reason: Reason::SignerNotAllowed };
            let own = header.signer == SignerId::Authority;
            // The core names no rows of an institution that signs a genesis, for there is none yet.
            ensure(own, rule, "a genesis is signed by the authority that it names")?;
        }
        let signers = signers(self, envelope, &statement)?;
        command::of_statement(statement, signers, events, mandate)
    }
}

/// The head names who signed and under which id.
fn actor(command: &Command, view: &View, parts: &DecodedParts) -> Result<CommandKey, Stop> {
    let wrong = |detail: &str| Stop::broken(Rule::ActorWrong, detail);
    let key = command_key(command, view).ok_or_else(|| wrong("the command has no signer"))?;
    let head = &parts.head;
    if (&head.actor, head.command_id) != (&key.signer, key.command_id) {
        return Err(wrong(&format!("the statement is {} by {}", key.command_id, key.signer)));
    }
    Ok(key)
}

fn no_batch(manifest_index: u64) -> Stop {
    let rule = Rule::RefusedByRules { reason: Reason::BatchUnknown };
    Stop::broken(rule, format!("entry {manifest_index} opens no batch"))
}

fn refused(rejection: Rejection) -> Stop {
    let Rejection { reason, field, index, detail } = rejection;
    let at = field.map(|field| format!("{field}: ")).unwrap_or_default();
    let of = index.map(|index| format!(" (entry {index})")).unwrap_or_default();
    let what = detail.unwrap_or_else(|| reason.en().to_owned());
    Stop::broken(Rule::RefusedByRules { reason }, format!("{at}{what}{of}"))
}

fn same_events(decided: &[Event], logged: &[Event]) -> Result<(), Stop> {
    if decided == logged {
        return Ok(());
    }
    let first = decided.iter().zip(logged).take_while(|(decided, logged)| decided == logged).count();
    let (ours, theirs) = (decided.len(), logged.len());
    let detail = format!("event {first} differs: {ours} are decided, {theirs} are recorded");
    Err(Stop::broken(Rule::DecisionDiffers, detail))
}
