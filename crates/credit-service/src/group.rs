//! One group of commands: decided in order against one view, not yet written.

mod looked_up;
mod reckoned;

use crate::answer::{Answer, Opened};
use crate::assemble::{Assembled, assemble};
use crate::failure::{Failure, fault};
use crate::prepare::{Prepared, Side};
use crate::project;
use crate::reader::{FullTiles, Reader, Shared, decode, stored_row};
use crate::rows;
use crate::seal::Secret;
use crate::side_items::seal_sides;
use crate::signed_rows::{Before, Stored};
use crate::vault::{self, Item};
use credit_ledger::{
    BatchRow, CommandKey, Context, Row, RowId, View, command_key, decide, event_reads, evolve_entry,
    protocol, reads,
};
use credit_log::tile::TileEdge;
use credit_log::tree;
use credit_proto::entry::StatementPart;
use credit_store::{Batch, BodyBytes, EntryBytes, RowChange, Tile};
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{
    AccountRef, ApplicationStatus, Command, Digest, Event, InstitutionId, Reason, RecordId, RefusedLeaf,
    Rejection,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The log that a group is decided on.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) edge: TileEdge,
    pub(crate) recorded_at_us: i64,
}

/// A group that is being decided.
pub(crate) struct Group<'a> {
    shared: &'a Shared,
    reader: Reader,
    base: &'a TileEdge,
    recorded_at_us: i64,
    view: View,
    stored: Stored<'a>,
    edge: TileEdge,
    pub(crate) batch: Batch,
    new_keys: Vec<(AccountRef, Secret)>,
    leaves: Vec<Digest>,
    aliases: BTreeMap<[u8; 32], AccountRef>,
    fingerprints: BTreeMap<[u8; 32], (InstitutionId, RecordId)>,
    numbers: BTreeMap<AccountRef, String>,
    pub(crate) bytes: usize,
}

/// A group that is ready to be written.
pub(crate) struct Finished {
    pub(crate) edge: TileEdge,
    pub(crate) batch: Batch,
    pub(crate) new_keys: Vec<(AccountRef, Secret)>,
    pub(crate) before: Before,
}

/// What became of a prepared command within the group.
pub(crate) struct Placed {
    pub(crate) answer: Answer,
    pub(crate) due: Due,
}

/// When the sender of a command is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Once it is durable. Nothing that is prepared afterwards without waiting for the head rests on rows it changes.
    Durable,
    /// Once a head over it is signed.
    Signed,
    /// Then, with a receipt.
    Receipt,
}

impl Due {
    fn of(prepared: &Prepared) -> Self {
        if prepared.want_receipt {
            return Self::Receipt;
        }
        let deposits = matches!(prepared.command, Command::DepositRecord(..) | Command::SubmitChunk(_));
        if deposits { Self::Durable } else { Self::Signed }
    }
}

impl<'a> Group<'a> {
    pub(crate) fn new(shared: &'a Arc<Shared>, base: &'a Base, recorded_at_us: i64) -> Self {
        Self {
            shared,
            reader: Reader::new(Arc::clone(shared)),
            recorded_at_us,
            view: View::new(),
            stored: Stored::new(shared.store.as_ref()),
            base: &base.edge,
            edge: base.edge.clone(),
            batch: Batch::default(),
            new_keys: Vec::new(),
            leaves: Vec::new(),
            aliases: BTreeMap::new(),
            fingerprints: BTreeMap::new(),
            numbers: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Count of row changes so far, those of the core not yet counted.
    pub(crate) fn rows(&self) -> usize {
        self.batch.rows.len()
    }

    /// Closes the group: the rows that the core changed and the root go into the batch. Gives what all rows were.
    pub(crate) fn finish(mut self) -> Result<Finished, Failure> {
        self.batch.rows.extend(project::changed_rows(&mut self.view)?);
        self.batch.root = self.edge.root();
        let before = self.stored.before(&self.batch.rows)?;
        Ok(Finished { edge: self.edge, batch: self.batch, new_keys: self.new_keys, before })
    }

    /// Decides one command and places its entry; a refusal changes nothing.
    pub(crate) fn place(&mut self, mut prepared: Prepared) -> Result<Placed, Failure> {
        self.load(&prepared.command)?;
        let due = Due::of(&prepared);
        let key = command_key(&prepared.command, &self.view);
        if let Some(key) = &key
            && let Some(Row::Command(row)) = self.view.get(&RowId::Command(key.clone()))
        {
            let index = row.index;
            let answer = self.replay(index, key, &prepared)?;
            return Ok(Placed { answer, due });
        }
        self.look_up(&mut prepared)?;
        self.reckon(&mut prepared)?;
        let index = self.edge.size();
        let protocol = protocol(&self.view, &prepared.command);
        let context = Context { index, recorded_at_us: self.recorded_at_us, protocol };
        let events = decide(&self.view, &context, &prepared.command)?;
        let Some(key) = key else { return Err(Failure::Fault("a decided command has no key".to_owned())) };
        self.load_events(&events)?;
        keep_accepted(&mut prepared, &events);
        let assembled = assemble(&self.view, &context, &key, &prepared.statements, &events)?;
        let items = self.items(&mut prepared)?;
        evolve_entry(&mut self.view, &context, &key, &events);
        self.adopt(prepared.sides)?;
        let answer = self.answer(index, assembled.leaf_hash, &prepared.statements, &events)?;
        self.push(assembled, items, index, &events);
        Ok(Placed { answer, due })
    }

    fn push(&mut self, assembled: Assembled, items: Vec<Item>, index: u64, events: &[Event]) {
        let Assembled { bytes, leaf_hash, links } = assembled;
        self.batch.rows.extend(project::listing_rows(index, &links, events));
        let body = BodyBytes { items };
        self.bytes = self.bytes.saturating_add(bytes.bytes()).saturating_add(body.bytes());
        self.batch.entries.push(bytes);
        self.batch.bodies.push(body);
        let full = self.edge.append(leaf_hash.0);
        self.batch.tiles.extend(full.into_iter().map(|tile| Tile {
            level: tile.level,
            index: tile.index,
            hashes: tile.hashes,
        }));
        self.leaves.push(leaf_hash);
    }

    fn load(&mut self, command: &Command) -> Result<(), Failure> {
        for _ in 0..READ_ROUNDS_MAX {
            let missing = reads(command, &self.view);
            if missing.is_empty() {
                return Ok(());
            }
            self.load_rows(missing)?;
        }
        assert!(
            reads(command, &self.view).is_empty(),
            "a command names its rows in a bounded number of rounds"
        );
        Ok(())
    }

    fn load_events(&mut self, events: &[Event]) -> Result<(), Failure> {
        for _ in 0..READ_ROUNDS_MAX {
            let missing = event_reads(events, &self.view);
            if missing.is_empty() {
                return Ok(());
            }
            self.load_rows(missing)?;
        }
        assert!(
            event_reads(events, &self.view).is_empty(),
            "events name their rows in a bounded number of rounds"
        );
        Ok(())
    }

    fn load_rows(&mut self, missing: Vec<RowId>) -> Result<(), Failure> {
        for id in missing {
            if !self.view.has(&id) {
                let row = self.read(&id)?;
                self.view.insert(id, row);
            }
        }
        Ok(())
    }

    /// A row as of the group so far; rows of the core that this group changed are in the view already.
    fn read(&mut self, id: &RowId) -> Result<Option<Row>, Failure> {
        match id {
            RowId::Leaf(index) => Ok(self.leaf(*index)?.map(Row::Leaf)),
            RowId::Head(_) => self.reader.row(id),
            // A group that changes any of these is signed before the next is decided.
            RowId::Log
            | RowId::Institution(_)
            | RowId::Key(_)
            | RowId::Framework(_)
            | RowId::Scheme(_)
            | RowId::Book(_)
            | RowId::AutoApprovals(_) => self.shared.row(id),
            RowId::Account(_)
            | RowId::Record(..)
            | RowId::Command(_)
            | RowId::Batch(_)
            | RowId::OpenBatches(_)
            | RowId::Subject(_)
            | RowId::Application(_)
            | RowId::Uses(_) => self.stored.row(id),
        }
    }

    fn leaf(&self, index: u64) -> Result<Option<Digest>, Failure> {
        if let Some(at) = index.checked_sub(self.base.size()) {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            return Ok(self.leaves.get(at).copied());
        }
        let full = FullTiles(self.shared.store.as_ref());
        let tiles = self.base.over(&full);
        tree::node(&tiles, 0, index).map(|hash| Some(Digest(hash))).map_err(fault("read a leaf hash"))
    }

    /// An entry of the log or of this group.
    fn entry(&self, index: u64) -> Result<EntryBytes, Failure> {
        let found = match index.checked_sub(self.base.size()) {
            Some(at) => self.batch.entries.get(usize::try_from(at).unwrap_or(usize::MAX)).cloned(),
            None => self.shared.store.entries(index..index.saturating_add(1), 0)?.pop(),
        };
        found.ok_or(Failure::NotFound("entry"))
    }

    /// Answers a command that was recorded before, if it is the same command.
    fn replay(&mut self, index: u64, key: &CommandKey, prepared: &Prepared) -> Result<Answer, Failure> {
        let stored = self.entry(index)?;
        let view = &self.view;
        let store = self.shared.store.as_ref();
        let (parts, events) = decode(&stored.parts, |manifest| match view.get(&RowId::Batch(manifest)) {
            Some(row) => Ok(Some(row.clone())),
            None => stored_row(store, &RowId::Batch(manifest)),
        })?;
        // A chunk's path to the manifest's root has been verified, so its leaves are the same.
        let same = key.chunk.is_some()
            || match (parts.statements.first(), prepared.statements.first()) {
                (Some(StatementPart::Signed(before)), Some(StatementPart::Signed(now))) => {
                    before.payload_type == now.payload_type && before.payload == now.payload
                }
                _ => false,
            };
        if !same {
            return Err(Rejection::new(Reason::CommandIdReused).index(index).into());
        }
        self.load_events(&events)?;
        let leaf_hash = Digest(credit_log::hash::leaf_hash(&stored.core));
        let mut answer = self.answer(index, leaf_hash, &parts.statements, &events)?;
        answer.replayed = true;
        Ok(answer)
    }

    fn answer(
        &self,
        index: u64,
        leaf_hash: Digest,
        statements: &[StatementPart],
        events: &[Event],
    ) -> Result<Answer, Failure> {
        let mut answer = Answer {
            index,
            leaf_hash,
            replayed: false,
            receipt: None,
            opened: Vec::new(),
            refused: Vec::new(),
            status: None,
            closed: false,
            next_chunk: 0,
        };
        let mut positions = statements.iter().map(|statement| match statement {
            StatementPart::Leaf { position, .. } => *position,
            StatementPart::Signed(_) => 0,
        });
        let mut manifest = None;
        for event in events {
            match event {
                Event::AccountOpened { account_ref, .. } => answer.opened.push(Opened {
                    position: positions.next().unwrap_or_default(),
                    account_ref: *account_ref,
                    account_number: self.number(*account_ref)?,
                }),
                Event::BatchOpened(_) => manifest = Some(index),
                Event::BatchChunk { manifest_index, refused, .. } => {
                    manifest = Some(*manifest_index);
                    answer.refused.clone_from(refused);
                }
                Event::BatchClosed { manifest_index, .. } => manifest = Some(*manifest_index),
                // The last event about an application is the one that was asked for: what lapses for it comes before.
                Event::ConversionRequested { .. } => answer.status = Some(ApplicationStatus::UnderReview),
                Event::ConversionChanged(change) => answer.status = Some(change.status),
                Event::LedgerCreated(_)
                | Event::ServerStarted(_)
                | Event::InstitutionAdmitted(_)
                | Event::FrameworkPublished(_)
                | Event::KeyAdded(_)
                | Event::KeyRetired { .. }
                | Event::KeyCompromised { .. }
                | Event::AccountStatusChanged { .. }
                | Event::ProtocolUpgraded(_)
                | Event::RuleBookPublished(_)
                | Event::RuleBookChanged(_)
                | Event::AutoApprovalGiven { .. }
                | Event::RecordDeposited { .. }
                | Event::RecordStatusChanged { .. } => {}
            }
        }
        if let Some(row) = self.batch_row(manifest)? {
            (answer.closed, answer.next_chunk) = (row.closed, row.next_chunk);
        }
        Ok(answer)
    }

    fn batch_row(&self, manifest: Option<u64>) -> Result<Option<BatchRow>, Failure> {
        let Some(index) = manifest else { return Ok(None) };
        let id = RowId::Batch(index);
        let row = match self.view.get(&id) {
            Some(row) => Some(row.clone()),
            None => stored_row(self.shared.store.as_ref(), &id)?,
        };
        match row {
            Some(Row::Batch(row)) => Ok(Some(Arc::unwrap_or_clone(row))),
            _ => Ok(None),
        }
    }

    /// The number of an account; empty once its row is erased.
    fn number(&self, account: AccountRef) -> Result<String, Failure> {
        if let Some(number) = self.numbers.get(&account) {
            return Ok(number.clone());
        }
        let Some(sealed) = self.shared.store.row(&rows::account_secret_key(account))? else {
            return Ok(String::new());
        };
        let key = self.shared.keyring.data_key(account).ok_or(Failure::DataKeyMissing)?;
        Ok(vault::open_account(&key, account, &sealed)?.number)
    }

    /// The sealed items of an accepted command: those made beforehand, unless a leaf was refused.
    fn items(&self, prepared: &mut Prepared) -> Result<Vec<Item>, Failure> {
        if let Some(items) = prepared.items.take() {
            return Ok(items);
        }
        let items = seal_sides(&self.shared.keyring, &prepared.sides)?;
        items.ok_or_else(|| Failure::Fault("an account of the log has no data key".to_owned()))
    }

    /// Takes over what belongs to an accepted command beside its entry.
    fn adopt(&mut self, sides: Vec<Side>) -> Result<(), Failure> {
        for side in sides {
            match side {
                Side::None | Side::Explained(..) | Side::Conversion(_) => {}
                // Before the entry that names it; a blob that no entry names is nobody's loss.
                Side::Book(blob) => {
                    let digest: [u8; 32] = Sha256::digest(&blob).into();
                    self.shared.store.put_blob(&digest, &blob)?;
                }
                Side::Opening(opening) => {
                    for alias in &opening.aliases {
                        self.put_sealed(rows::ALIAS, alias, opening.account_ref.as_bytes())?;
                        self.aliases.insert(*alias, opening.account_ref);
                    }
                    let key = rows::account_secret_key(opening.account_ref);
                    self.batch.rows.push(RowChange::Put { key, value: opening.account_row });
                    self.numbers.insert(opening.account_ref, opening.number);
                    self.new_keys.push((opening.account_ref, opening.data_key));
                }
                Side::Deposit(deposit) => {
                    let (key, value) = deposit.fingerprint_row;
                    self.batch.rows.push(RowChange::Put { key, value });
                    self.fingerprints.insert(deposit.fingerprint, deposit.record);
                }
            }
        }
        Ok(())
    }

    fn put_sealed(&mut self, prefix: u8, pseudonym: &[u8; 32], plain: &[u8]) -> Result<(), Failure> {
        let key = vault::pseudonym_key(prefix, pseudonym);
        let value = vault::seal_row(&self.shared.keyring, &key, plain)?;
        self.batch.rows.push(RowChange::Put { key, value });
        Ok(())
    }
}

/// Drops the statements and secrets of leaves that the core refused.
fn keep_accepted(prepared: &mut Prepared, events: &[Event]) {
    let Some(Event::BatchChunk { refused, .. }) = events.first() else { return };
    if refused.is_empty() {
        return;
    }
    prepared.items = None;
    let refused: Vec<u32> = refused.iter().map(|RefusedLeaf { position, .. }| *position).collect();
    let sides = std::mem::take(&mut prepared.sides);
    let statements = std::mem::take(&mut prepared.statements);
    for (statement, side) in statements.into_iter().zip(sides) {
        let out = match &statement {
            StatementPart::Leaf { position, .. } => refused.contains(position),
            StatementPart::Signed(_) => false,
        };
        if !out {
            prepared.statements.push(statement);
            prepared.sides.push(side);
        }
    }
}
