//! An institution's whole chain without the log around it: from its admission on, each entry under the hash that the
//! next one names, each decision made again, up to a last link that the bank has signed for.
//!
//! What can't be asked without the whole log is taken as the entries have it: that a statement's anchor was a head of
//! the log, that a parent had been admitted, that no key or statement id stood in another institution's entries, which
//! protocol the log had come to follow, and that a rule book was published and not abolished.

use std::collections::BTreeMap;
use std::sync::Arc;

use credit_ledger::{
    BookRow, BookVersionRow, CommandKey, Context, HeadRow, InstitutionRow, KeyRow, Row, RowId, View, decide,
    event_reads, evolve_entry, links, reads, suspect,
};
use credit_log::batch::record_leaf;
use credit_log::envelope::PublicKey;
use credit_proto::entry::{DecodedParts, StatementPart, decode_parts, encode_parts, hydrate};
use credit_proto::{Envelope, Reading, Stage, Statement, read_statement, v1};
use credit_types::genesis::PROTOCOL;
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{
    BookDate, BookVersion, Command, Digest, Event, Genesis, InstitutionId, Kid, LogId, RuleBookPublication,
    Subject,
};

use crate::known::admit;
use crate::receipt::VerifiedReceipt;

/// What an institution's chain makes of it and of its keys.
#[derive(Debug, Clone)]
pub(crate) struct History {
    log_id: LogId,
    rows: BTreeMap<RowId, Row>,
    leaves: BTreeMap<u64, Digest>,
    last: Option<(u64, Digest)>,
    entries: u64,
}

/// Why an entry does not belong into the chain.
type Because = String;

impl History {
    /// Begins with entry 0, whose leaf hash is the pinned name of the log: it names the authority.
    pub(crate) fn begin(log_id: LogId, entry: &Opened) -> Result<Self, Because> {
        if entry.leaf_hash.0 != log_id.0 {
            return Err("entry 0 is not the one that the trust file pins".to_owned());
        }
        let mut history =
            Self { log_id, rows: BTreeMap::new(), leaves: BTreeMap::new(), last: None, entries: 0 };
        history.take(entry)?;
        history.leaves.insert(0, entry.leaf_hash);
        if history.genesis().is_some() { Ok(history) } else { Err("entry 0 begins no log".to_owned()) }
    }

    /// The next entry of the institution's chain.
    pub(crate) fn push(&mut self, institution: &InstitutionId, entry: &Opened) -> Result<(), Because> {
        let index = entry.core_index;
        if self.last.is_some_and(|(before, _)| before >= index) || index == 0 {
            return Err(format!("entry {index} does not come after the one before"));
        }
        let sequence = self.entries.saturating_add(1);
        let subject = Subject::Institution(institution.clone());
        let link = entry.parts.links.iter().find(|link| link.subject == subject);
        let link = link.ok_or_else(|| format!("entry {index} is not about {institution}"))?;
        if link.sequence != sequence || link.previous != self.last.map(|(_, leaf)| leaf) {
            return Err(format!("entry {index} does not continue the chain at {sequence}"));
        }
        self.take(entry)?;
        self.leaves.insert(index, entry.leaf_hash);
        self.last = Some((index, entry.leaf_hash));
        self.entries = sequence;
        Ok(())
    }

    /// Count of the institution's entries.
    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// What entry 0 says.
    pub(crate) fn genesis(&self) -> Option<&Genesis> {
        match self.rows.get(&RowId::Log) {
            Some(Row::Log(row)) => Some(&row.genesis),
            Some(_) | None => None,
        }
    }

    /// The institution as admitted.
    pub(crate) fn institution(&self, id: &InstitutionId) -> Option<&InstitutionRow> {
        match self.rows.get(&RowId::Institution(id.clone())) {
            Some(Row::Institution(row)) => Some(row),
            Some(_) | None => None,
        }
    }

    /// A key of the institution with all that ever happened to it.
    pub(crate) fn key(&self, kid: Kid) -> Option<&KeyRow> {
        match self.rows.get(&RowId::Key(kid)) {
            Some(Row::Key(row)) => Some(row),
            Some(_) | None => None,
        }
    }

    /// Whether a use of a key at an index is in doubt, to any depth.
    pub(crate) fn is_suspect(&self, kid: Kid, index: u64, manifest_index: Option<u64>) -> bool {
        suspect::is_suspect(&|kid| self.key(kid).cloned().map(Arc::new), kid, index, manifest_index)
    }

    /// Judges an entry and takes it over.
    fn take(&mut self, entry: &Opened) -> Result<(), Because> {
        let events = hydrate(&entry.parts, None, admit, record_leaf).map_err(|error| error.to_string())?;
        let [StatementPart::Signed(envelope)] = entry.parts.statements.as_slice() else {
            return Err("it does not rest on one signed statement".to_owned());
        };
        let reading = Reading { admit, stage: Stage::Replay };
        let statement = read_statement(&envelope.payload_type, &envelope.payload, reading)
            .map_err(|error| error.to_string())?;
        self.signed(envelope, &statement)?;
        let command = command(&events).ok_or("it is not about an institution")?;
        let mut view = View::new();
        self.load(&mut view, &events, entry, |view| reads(&command, view));
        let (index, recorded_at_us) = (entry.core_index, entry.recorded_at_us);
        // An upgrade stands in the log's own chain, which isn't here: that it came before is taken as the entry has it.
        let context = Context { index, recorded_at_us, protocol: PROTOCOL };
        let decided = decide(&view, &context, &command).map_err(|refused| refused.to_string())?;
        self.load(&mut view, &events, entry, |view| event_reads(&decided, view));
        let links = links(&view, &decided);
        let header = statement.header();
        let key = CommandKey { signer: header.signer.clone(), command_id: header.statement_id, chunk: None };
        let head = &entry.parts.head;
        let same = decided == events
            && links == entry.parts.links
            && (&head.actor, head.command_id) == (&key.signer, key.command_id)
            && encode_parts(head, &links, &entry.parts.statements, &decided) == entry.encoded;
        if !same {
            return Err("it records something else than its statement yields".to_owned());
        }
        evolve_entry(&mut view, &context, &key, &decided);
        for id in view.take_changed() {
            if let Some(row) = view.get(&id) {
                self.rows.insert(id, row.clone());
            }
        }
        Ok(())
    }

    /// Every signature is by a key that the statement brings, the authority's, or one of the chain so far.
    fn signed(&self, envelope: &Envelope, statement: &Statement) -> Result<(), Because> {
        let brought = statement.brought_keys();
        for (kid, signature) in &envelope.signatures {
            let of_authority =
                || self.genesis()?.authority_keys.iter().find(|key| key.kid == *kid).map(|key| key.bytes);
            let of_chain = || self.key(*kid).map(|row| row.key.key.bytes);
            let bytes = brought.iter().find(|key| key.kid == *kid).map(|key| key.bytes);
            let bytes = bytes.or_else(of_authority).or_else(of_chain);
            let key = bytes.and_then(|bytes| PublicKey::admit(&bytes).ok());
            let key = key.ok_or_else(|| format!("no key {kid} was known before"))?;
            key.verify_statement(&envelope.payload_type, &envelope.payload, signature)
                .map_err(|_| format!("the signature by {kid} is false"))?;
        }
        Ok(())
    }

    /// Loads rows in rounds, until none is named any more.
    fn load(&self, view: &mut View, events: &[Event], entry: &Opened, missing: impl Fn(&View) -> Vec<RowId>) {
        for _ in 0..READ_ROUNDS_MAX {
            let ids = missing(view);
            if ids.is_empty() {
                return;
            }
            for id in ids {
                let row = self.row(&id, events, entry);
                view.insert(id, row);
            }
        }
        assert!(missing(view).is_empty(), "rows are named in a bounded number of rounds");
    }

    /// A row: of the chain, or, where only the whole log could tell, as the entry itself has it.
    fn row(&self, id: &RowId, events: &[Event], entry: &Opened) -> Option<Row> {
        match (id, events.first()) {
            (RowId::Head(size), _) => {
                let anchor = entry.anchor.filter(|anchor| anchor.size == *size)?;
                let recorded_at_us = entry.recorded_at_us;
                Some(Row::Head(HeadRow { root: anchor.root, recorded_at_us }))
            }
            (RowId::Leaf(0), _) => (!self.rows.is_empty()).then_some(Row::Leaf(Digest(self.log_id.0))),
            (RowId::Leaf(index), _) => self.leaves.get(index).copied().map(Row::Leaf),
            (RowId::Institution(id), Some(Event::InstitutionAdmitted(statement)))
                if statement.body.parent_id.as_ref() == Some(id) =>
            {
                let admission = statement.body.clone();
                Some(Row::Institution(Arc::new(InstitutionRow {
                    admission,
                    admitted_index: 0,
                    keys: Vec::new(),
                })))
            }
            (RowId::Book(id), Some(Event::AutoApprovalGiven { institution_id: _, statement }))
                if statement.body.book.book_id == *id =>
            {
                Some(Row::Book(Arc::new(published(&statement.body.book))))
            }
            (_, _) => self.rows.get(id).cloned(),
        }
    }
}

/// A version of a rule book that is published and not abolished: all that is asked of it here.
fn published(book: &BookVersion) -> BookRow {
    let publication = RuleBookPublication {
        book: book.clone(),
        digest: Digest([0; 32]),
        size_bytes: 0,
        effective_from: None,
        effective_until: None,
        select_by: BookDate::Decision,
    };
    BookRow {
        versions: vec![BookVersionRow {
            publication,
            published_index: 0,
            published_at_us: 0,
            activated_index: None,
            abolished_index: None,
            last_index: 0,
        }],
    }
}

/// An entry of which a receipt opens every part.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    core_index: u64,
    recorded_at_us: i64,
    leaf_hash: Digest,
    parts: DecodedParts,
    encoded: Vec<Vec<u8>>,
    anchor: Option<credit_types::Anchor>,
}

impl Opened {
    /// Takes all parts of an entry out of its receipt.
    pub(crate) fn of(receipt: &v1::Receipt, verified: &VerifiedReceipt) -> Result<Self, Because> {
        let encoded: Vec<Vec<u8>> = receipt.parts.iter().map(|part| part.part.clone()).collect();
        // Parts ascend by number and lie under the counts of the head, so that as many as counted are all.
        let parts = decode_parts(&encoded).map_err(|error| error.to_string())?;
        let anchor = match parts.statements.first() {
            Some(StatementPart::Signed(envelope)) => {
                let reading = Reading { admit, stage: Stage::Replay };
                let read = read_statement(&envelope.payload_type, &envelope.payload, reading);
                read.ok().and_then(|statement| statement.header().anchor)
            }
            Some(StatementPart::Leaf { .. }) | None => None,
        };
        Ok(Self {
            core_index: verified.core.index,
            recorded_at_us: verified.core.recorded_at_us,
            leaf_hash: verified.leaf_hash,
            parts,
            encoded,
            anchor,
        })
    }
}

/// The command behind the events of an entry that begins a log or is about an institution.
fn command(events: &[Event]) -> Option<Command> {
    let [event] = events else { return None };
    Some(match event {
        Event::LedgerCreated(statement) => Command::CreateLedger(statement.clone()),
        Event::InstitutionAdmitted(statement) => Command::AdmitInstitution(statement.clone()),
        Event::KeyAdded(statement) => Command::AddKey(statement.clone()),
        Event::KeyRetired { institution_id: _, statement } => Command::RetireKey(statement.clone()),
        Event::KeyCompromised { institution_id: _, statement } => {
            Command::ReportKeyCompromise(statement.clone())
        }
        Event::AutoApprovalGiven { institution_id: _, statement } => {
            Command::GiveAutoApproval(statement.clone())
        }
        Event::ServerStarted(_)
        | Event::FrameworkPublished(_)
        | Event::AccountOpened { .. }
        | Event::AccountStatusChanged { .. }
        | Event::RecordDeposited { .. }
        | Event::RecordStatusChanged { .. }
        | Event::BatchOpened(_)
        | Event::BatchChunk { .. }
        | Event::BatchClosed { .. }
        | Event::ProtocolUpgraded(_)
        | Event::RuleBookPublished(_)
        | Event::RuleBookChanged(_)
        | Event::ConversionRequested { .. }
        | Event::ConversionChanged(_) => return None,
    })
}
