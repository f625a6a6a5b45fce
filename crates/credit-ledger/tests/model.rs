//! The rules once more, as naively as they can be written: lists of what happened, searched from end to end.
//!
//! Nothing here is shared with the crate under test but the nouns. A prediction collects every fault that it can
//! find and gives the one that stands first in `Reason`, where the crate stops at the first one it meets.

mod account;
mod balance;
mod batch;
mod header;
mod links;
mod record;
mod registry;

use credit_types::genesis::PROTOCOL;
use credit_types::{
    AccountRef, AccountStatus, BatchManifest, CivilDate, Command, CommandId, Digest, Event, EventKind,
    FrameworkPublication, Genesis, InstitutionAdmission, InstitutionId, KeyPurpose, Kid, Reason, RecordFacts,
    RecordId, RecordStatus, Signed, SignerId, Subject,
};

/// Under which name a command was accepted: signer, statement_id, and of a chunk its number.
pub(crate) type Used = (SignerId, CommandId, Option<u32>);

/// What is known of an entry apart from its events.
pub(crate) struct Entry {
    pub(crate) recorded_at_us: i64,
    pub(crate) leaf: Digest,
    /// Root of the tree that this entry is the last of.
    pub(crate) root: Digest,
    pub(crate) used: Used,
    pub(crate) subjects: Vec<Subject>,
}

/// Where a command would stand.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    pub(crate) index: u64,
    pub(crate) recorded_at_us: i64,
}

/// The log as lists.
pub(crate) struct Model {
    pub(crate) entries: Vec<Entry>,
    /// By kind of event: the index of its entry, and the event.
    happened: Vec<Vec<(u64, Event)>>,
    keys: Vec<Key>,
    /// Records that a prepared account counts without their being in the lists.
    pub(crate) uncounted: Vec<(AccountRef, u32)>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Authority,
    Operator,
    /// The log itself: checkpoints and bank statements.
    Log,
    Institution(InstitutionId),
}

pub(crate) struct Key {
    pub(crate) kid: Kid,
    pub(crate) owner: Owner,
    pub(crate) purposes: Vec<KeyPurpose>,
    pub(crate) since: u64,
    /// Keys of institutions that let it in.
    pub(crate) by: Vec<Kid>,
}

pub(crate) struct Account {
    pub(crate) opened: u64,
    pub(crate) kid: Kid,
    pub(crate) manifest_index: Option<u64>,
    pub(crate) status: AccountStatus,
    pub(crate) steps: usize,
    pub(crate) last: u64,
}

pub(crate) struct Record<'a> {
    pub(crate) deposited: u64,
    pub(crate) facts: &'a RecordFacts,
    pub(crate) issuer: &'a InstitutionId,
    pub(crate) kid: Kid,
    pub(crate) manifest_index: Option<u64>,
    pub(crate) status: RecordStatus,
    /// The key and index of the last change of status.
    pub(crate) changed: Option<(Kid, u64)>,
    pub(crate) steps: usize,
    pub(crate) last: u64,
}

pub(crate) struct Batch<'a> {
    pub(crate) manifest: &'a Signed<BatchManifest>,
    pub(crate) opened_at_us: i64,
    pub(crate) next_chunk: u32,
    pub(crate) accepted: u32,
    pub(crate) refused: u32,
    pub(crate) last_key: Option<Digest>,
    pub(crate) closed: bool,
}

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Faults(Vec<Reason>);

impl Faults {
    fn when(&mut self, wrong: bool, reason: Reason) {
        if wrong {
            self.0.push(reason);
        }
    }

    fn add(&mut self, reason: Reason) {
        self.0.push(reason);
    }

    fn first(&self) -> Option<Reason> {
        self.0.iter().min().copied()
    }

    fn or<T>(&self, value: T) -> Result<T, Reason> {
        self.first().map_or(Ok(value), Err)
    }
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            happened: EventKind::ALL.iter().map(|_| Vec::new()).collect(),
            keys: Vec::new(),
            uncounted: Vec::new(),
        }
    }

    /// What the rules say to a command.
    pub(crate) fn predict(&self, now: Now, command: &Command) -> Result<Vec<Event>, Reason> {
        match command {
            Command::CreateLedger(statement) => self.create_ledger(now, statement),
            Command::StartServer(statement) => self.start_server(now, statement),
            Command::AdmitInstitution(statement) => self.admit_institution(now, statement),
            Command::PublishFramework(statement) => self.publish_framework(now, statement),
            Command::AddKey(statement) => self.add_key(now, statement),
            Command::RetireKey(statement) => self.retire_key(now, statement),
            Command::ReportKeyCompromise(statement) => self.report_compromise(now, statement),
            Command::OpenAccount(statement, draw) => self.open_account(now, statement, draw),
            Command::ChangeAccountStatus(statement) => self.change_account(now, statement),
            Command::DepositRecord(statement, check) => self.deposit(now, statement, check),
            Command::CorrectRecord(statement, check) => self.correct(now, statement, check),
            Command::ChangeRecordStatus(statement) => self.change_record(now, statement),
            Command::OpenBatch(statement) => self.open_batch(now, statement),
            Command::SubmitChunk(chunk) => self.submit_chunk(now, chunk),
            Command::CloseBatch(statement) => self.close_batch(now, statement),
            Command::UpgradeProtocol(statement) => self.upgrade_protocol(now, statement),
            Command::PublishRuleBook(..)
            | Command::ChangeRuleBook(_)
            | Command::GiveAutoApproval(_)
            | Command::RequestConversion(..)
            | Command::DecideConversion(_)
            | Command::StepConversion(_)
            | Command::ReverseAward(_) => self.without_conversions(),
        }
    }

    /// Takes an entry in.
    pub(crate) fn append(&mut self, entry: (i64, Digest, Digest), used: Used, events: &[Event]) {
        let index = self.index();
        let mut subjects: Vec<Subject> = Vec::new();
        for event in events {
            if let Some(subject) = event.subject()
                && !subjects.contains(&subject)
            {
                subjects.push(subject);
            }
            self.happened[event.kind() as usize].push((index, event.clone()));
        }
        let brings_keys = |event: &Event| {
            matches!(event, Event::LedgerCreated(_) | Event::InstitutionAdmitted(_) | Event::KeyAdded(_))
        };
        if events.iter().any(brings_keys) {
            self.keys = self.registered_keys();
        }
        let (recorded_at_us, leaf, root) = entry;
        self.entries.push(Entry { recorded_at_us, leaf, root, used, subjects });
    }

    /// The index that the next entry gets.
    pub(crate) fn index(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    pub(crate) fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(index).unwrap())
    }

    fn of(&self, kind: EventKind) -> impl DoubleEndedIterator<Item = (u64, &Event)> {
        self.happened[kind as usize].iter().map(|(index, event)| (*index, event))
    }

    pub(crate) fn genesis(&self) -> Option<&Genesis> {
        self.of(EventKind::LedgerCreated).find_map(|(_, event)| match event {
            Event::LedgerCreated(statement) => Some(&statement.body),
            _ => None,
        })
    }

    /// The protocol of the next entry; the newest one before there is a log.
    pub(crate) fn protocol(&self) -> u32 {
        let upgraded = self.of(EventKind::ProtocolUpgraded).next_back().and_then(|(_, event)| match event {
            Event::ProtocolUpgraded(statement) => Some(statement.body.protocol),
            _ => None,
        });
        upgraded.or(self.genesis().map(|genesis| genesis.protocol)).unwrap_or(PROTOCOL)
    }

    /// The civil date of an instant; that of UTC before there is a log.
    pub(crate) fn today(&self, now: Now) -> CivilDate {
        let offset = self.genesis().map_or(0, |genesis| genesis.civil_offset_minutes);
        CivilDate::at(now.recorded_at_us, offset).unwrap()
    }

    pub(crate) fn institutions(&self) -> impl Iterator<Item = &InstitutionAdmission> {
        self.of(EventKind::InstitutionAdmitted).filter_map(|(_, event)| match event {
            Event::InstitutionAdmitted(statement) => Some(&statement.body),
            _ => None,
        })
    }

    pub(crate) fn institution(&self, id: &InstitutionId) -> Option<&InstitutionAdmission> {
        self.institutions().find(|admission| admission.institution_id == *id)
    }

    /// All versions of all frameworks, in order.
    pub(crate) fn frameworks(&self) -> impl DoubleEndedIterator<Item = &FrameworkPublication> {
        self.of(EventKind::FrameworkPublished).filter_map(|(_, event)| match event {
            Event::FrameworkPublished(statement) => Some(&statement.body),
            _ => None,
        })
    }

    /// All keys that were ever registered, those of the genesis first.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn registered_keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        if let Some(genesis) = self.genesis() {
            let log =
                genesis.checkpoint_keys.iter().chain(&genesis.statement_keys).map(|key| (Owner::Log, key));
            let operator = genesis.operator_keys.iter().map(|key| (Owner::Operator, key));
            let authority = genesis.authority_keys.iter().map(|key| (Owner::Authority, key));
            for (owner, key) in log.chain(operator).chain(authority) {
                keys.push(Key { kid: key.kid, owner, purposes: Vec::new(), since: 0, by: Vec::new() });
            }
        }
        for (since, event) in self.of(EventKind::InstitutionAdmitted) {
            let Event::InstitutionAdmitted(statement) = event else { continue };
            for key in &statement.body.keys {
                let owner = Owner::Institution(statement.body.institution_id.clone());
                let purposes = key.purposes.iter().copied().collect();
                keys.push(Key { kid: key.key.kid, owner, purposes, since, by: Vec::new() });
            }
        }
        for (since, event) in self.of(EventKind::KeyAdded) {
            let Event::KeyAdded(statement) = event else { continue };
            let kid = statement.body.key.key.kid;
            let by = match statement.header.signer {
                SignerId::Institution(_) => {
                    statement.signers.iter().filter(|by| **by != kid).copied().collect()
                }
                SignerId::Authority | SignerId::Operator => Vec::new(),
            };
            let owner = Owner::Institution(statement.body.institution_id.clone());
            let purposes = statement.body.key.purposes.iter().copied().collect();
            keys.push(Key { kid, owner, purposes, since, by });
        }
        keys
    }

    pub(crate) fn key(&self, kid: Kid) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    pub(crate) fn keys_of(&self, id: &InstitutionId) -> impl Iterator<Item = &Key> {
        let owner = Owner::Institution(id.clone());
        self.keys.iter().filter(move |key| key.owner == owner)
    }

    pub(crate) fn retired(&self, kid: Kid) -> Option<u64> {
        self.of(EventKind::KeyRetired).find_map(|(index, event)| match event {
            Event::KeyRetired { statement, .. } if statement.body.kid == kid => Some(index),
            _ => None,
        })
    }

    /// The index of the first report, and the earliest index that any report puts in doubt.
    pub(crate) fn compromised(&self, kid: Kid) -> Option<(u64, u64)> {
        let reports = self.of(EventKind::KeyCompromised).filter_map(|(index, event)| match event {
            Event::KeyCompromised { statement, .. } if statement.body.kid == kid => {
                Some((index, statement.body.suspect_from_index))
            }
            _ => None,
        });
        reports.reduce(|(first, from), (index, other)| (first.min(index), from.min(other)))
    }

    /// The index of the last report of a key.
    fn last_report(&self, kid: Kid) -> Option<u64> {
        let about = |event: &Event| matches!(event, Event::KeyCompromised { statement, .. } if statement.body.kid == kid);
        self.of(EventKind::KeyCompromised).rfind(|(_, event)| about(event)).map(|(index, _)| index)
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountRef> {
        self.of(EventKind::AccountOpened).filter_map(|(_, event)| match event {
            Event::AccountOpened { account_ref, .. } => Some(*account_ref),
            _ => None,
        })
    }

    pub(crate) fn account(&self, wanted: AccountRef) -> Option<Account> {
        let mut account = self.of(EventKind::AccountOpened).find_map(|(opened, event)| match event {
            Event::AccountOpened { account_ref, kid, manifest_index, .. } if *account_ref == wanted => {
                let (kid, manifest_index) = (*kid, *manifest_index);
                let status = AccountStatus::Active;
                Some(Account { opened, kid, manifest_index, status, steps: 0, last: opened })
            }
            _ => None,
        })?;
        for (index, event) in self.of(EventKind::AccountStatusChanged) {
            if let Event::AccountStatusChanged { status, statement } = event
                && statement.body.account_ref == wanted
            {
                account.status = *status;
                account.steps += 1;
                account.last = index;
            }
        }
        Some(account)
    }

    pub(crate) fn record_ids(&self) -> Vec<(InstitutionId, RecordId)> {
        let deposits = self.of(EventKind::RecordDeposited);
        deposits
            .filter_map(|(_, event)| match event {
                Event::RecordDeposited { facts, issuer, .. } => Some((issuer.clone(), facts.record_id)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn record(&self, wanted: &InstitutionId, id: RecordId) -> Option<Record<'_>> {
        let deposits = self.of(EventKind::RecordDeposited);
        let mut record =
            deposits.filter_map(deposited).find(|r| r.facts.record_id == id && r.issuer == wanted)?;
        for (index, event) in self.of(EventKind::RecordStatusChanged) {
            if let Event::RecordStatusChanged { issuer, record_id, status, kid, .. } = event
                && *record_id == id
                && issuer == wanted
            {
                record.status = *status;
                record.changed = Some((*kid, index));
                record.steps += 1;
                record.last = index;
            }
        }
        Some(record)
    }

    pub(crate) fn batches(&self) -> Vec<u64> {
        self.of(EventKind::BatchOpened).map(|(index, _)| index).collect()
    }

    pub(crate) fn batch(&self, wanted: u64) -> Option<Batch<'_>> {
        let manifest = self.of(EventKind::BatchOpened).find_map(|(index, event)| match event {
            Event::BatchOpened(manifest) if index == wanted => Some(manifest),
            _ => None,
        })?;
        let opened_at_us = self.entry(wanted)?.recorded_at_us;
        let (next_chunk, accepted, refused, last_key, closed) = (0, 0, 0, None, false);
        let mut batch = Batch { manifest, opened_at_us, next_chunk, accepted, refused, last_key, closed };
        for (_, event) in self.of(EventKind::BatchChunk) {
            if let Event::BatchChunk { manifest_index, leaves, last_key, refused, .. } = event
                && *manifest_index == wanted
            {
                let refused = u32::try_from(refused.len()).unwrap();
                batch.next_chunk += 1;
                batch.accepted += leaves - refused;
                batch.refused += refused;
                batch.last_key = last_key.or(batch.last_key);
            }
        }
        batch.closed = self.of(EventKind::BatchClosed).any(
            |(_, event)| matches!(event, Event::BatchClosed { manifest_index, .. } if *manifest_index == wanted),
        );
        Some(batch)
    }
}

/// A record as it was deposited.
fn deposited((index, event): (u64, &Event)) -> Option<Record<'_>> {
    match event {
        Event::RecordDeposited { facts, issuer, kid, manifest_index, .. } => Some(Record {
            deposited: index,
            facts,
            issuer,
            kid: *kid,
            manifest_index: *manifest_index,
            status: RecordStatus::Valid,
            changed: None,
            steps: 0,
            last: index,
        }),
        _ => None,
    }
}
