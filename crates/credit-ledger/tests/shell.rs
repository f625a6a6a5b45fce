//! Drives the crate as a service would: loads the rows that it asks for, decides, evolves, writes rows back. Every
//! answer is held against the model.

use crate::draw::{expanded, mixed};
use crate::model::{Entry, Model, Now, Used};
use credit_ledger::{
    CommandKey, Context, HeadRow, RecordRow, Row, RowId, View, balance, command_key, decide, event_reads,
    evolve_entry, links, protocol, reads,
};
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{
    AccountRef, BalanceLine, Bucket, CivilDate, Command, Digest, Event, Kid, RecordStatus, Rejection,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Rows = BTreeMap<RowId, Row>;

/// What a rebuild repeats.
enum Step {
    Entry {
        context: Context,
        key: CommandKey,
        events: Vec<Event>,
    },
    /// Records that a prepared account counts although nobody deposited them.
    Uncounted(AccountRef, u32),
}

/// A ledger in memory.
pub(crate) struct Shell {
    /// What hashes are drawn from.
    salt: u64,
    rows: Rows,
    records: BTreeMap<AccountRef, BTreeSet<RowId>>,
    view: View,
    pub(crate) model: Model,
    steps: Vec<Step>,
}

/// A row of the store, or what only the log knows.
fn stored(rows: &Rows, entries: &[Entry], id: &RowId) -> Option<Row> {
    let at = |index: u64| entries.get(usize::try_from(index).unwrap());
    match id {
        RowId::Head(size) => at(size.checked_sub(1)?)
            .map(|entry| Row::Head(HeadRow { root: entry.root, recorded_at_us: entry.recorded_at_us })),
        RowId::Leaf(index) => at(*index).map(|entry| Row::Leaf(entry.leaf)),
        _ => rows.get(id).cloned(),
    }
}

fn key_of(used: &Used) -> CommandKey {
    CommandKey { signer: used.0.clone(), command_id: used.1, chunk: used.2 }
}

impl Shell {
    pub(crate) fn new(salt: u64) -> Self {
        Self {
            salt,
            rows: BTreeMap::new(),
            records: BTreeMap::new(),
            view: View::new(),
            model: Model::new(),
            steps: Vec::new(),
        }
    }

    /// Forgets what is loaded, as a service does between two groups.
    pub(crate) fn forget(&mut self) {
        self.view = View::new();
    }

    /// Loads until nothing is asked for.
    fn load(&mut self, ask: impl Fn(&View) -> Vec<RowId>) {
        for round in 0.. {
            let ids = ask(&self.view);
            if ids.is_empty() {
                return;
            }
            assert!(round < READ_ROUNDS_MAX, "still asks for {ids:?} after {round} rounds");
            for id in ids {
                assert!(!self.view.has(&id), "{id:?} is asked for again");
                let row = stored(&self.rows, &self.model.entries, &id);
                self.view.insert(id, row);
            }
        }
    }

    /// Submits a command and holds the answer against the model.
    pub(crate) fn submit(&mut self, recorded_at_us: i64, command: &Command) -> Result<Vec<Event>, Rejection> {
        let index = self.model.index();
        self.load(|view| reads(command, view));
        let protocol = protocol(&self.view, command);
        let context = Context { index, recorded_at_us, protocol };
        let answer = decide(&self.view, &context, command);
        let predicted = self.model.predict(Now { index, recorded_at_us }, command);
        let reason = answer.as_ref().map_err(|rejection| rejection.reason);
        assert!(
            reason == predicted.as_ref().map_err(|reason| *reason),
            "the model says {predicted:?},\nthe crate {answer:?},\nto {command:?}"
        );
        let events = answer?;
        assert!(!events.is_empty(), "an entry has events: {command:#?}");
        let key = command_key(command, &self.view).expect("an accepted command has a key");
        let used = self.used(command);
        assert_eq!(key, key_of(&used));
        self.append_under(context, used, &events);
        Ok(events)
    }

    /// Under what name the rules remember a command.
    fn used(&self, command: &Command) -> Used {
        let header = match command {
            Command::CreateLedger(s) => &s.header,
            Command::StartServer(s) => &s.header,
            Command::AdmitInstitution(s) => &s.header,
            Command::PublishFramework(s) => &s.header,
            Command::AddKey(s) => &s.header,
            Command::RetireKey(s) => &s.header,
            Command::ReportKeyCompromise(s) => &s.header,
            Command::OpenAccount(s, _) => &s.header,
            Command::ChangeAccountStatus(s) => &s.header,
            Command::DepositRecord(s, _) => &s.header,
            Command::CorrectRecord(s, _) => &s.header,
            Command::ChangeRecordStatus(s) => &s.header,
            Command::OpenBatch(s) => &s.header,
            Command::CloseBatch(s) => &s.header,
            Command::UpgradeProtocol(s) => &s.header,
            Command::PublishRuleBook(s, _) => &s.header,
            Command::ChangeRuleBook(s) => &s.header,
            Command::GiveAutoApproval(s) => &s.header,
            Command::RequestConversion(s, _) => &s.header,
            Command::DecideConversion(s) => &s.header,
            Command::StepConversion(s) => &s.header,
            Command::ReverseAward(s) => &s.header,
            Command::SubmitChunk(chunk) => {
                let header = &self.model.batch(chunk.manifest_index).unwrap().manifest.header;
                return (header.signer.clone(), header.statement_id, Some(chunk.chunk));
            }
        };
        (header.signer.clone(), header.statement_id, None)
    }

    /// Writes an entry, whoever decided on it.
    pub(crate) fn append(&mut self, recorded_at_us: i64, used: Used, events: &[Event]) {
        let index = self.model.index();
        let context = Context { index, recorded_at_us, protocol: self.model.protocol() };
        self.append_under(context, used, events);
    }

    fn append_under(&mut self, context: Context, used: Used, events: &[Event]) {
        let Context { index, recorded_at_us, .. } = context;
        self.load(|view| event_reads(events, view));
        assert_eq!(links(&self.view, events), self.model.links(events));
        evolve_entry(&mut self.view, &context, &key_of(&used), events);
        for id in self.view.take_changed() {
            let row = self.view.get(&id).expect("rows are written, never removed").clone();
            self.keep(id, row);
        }
        self.steps.push(Step::Entry { context, key: key_of(&used), events: events.to_vec() });
        let leaf = Digest(expanded(mixed(self.salt ^ (index * 2))));
        let root = Digest(expanded(mixed(self.salt ^ (index * 2 + 1))));
        self.model.append((recorded_at_us, leaf, root), used, events);
        // What was known to be absent is there from here on.
        self.view.insert(RowId::Leaf(index), Some(Row::Leaf(leaf)));
        self.view.insert(RowId::Head(index + 1), Some(Row::Head(HeadRow { root, recorded_at_us })));
    }

    fn keep(&mut self, id: RowId, row: Row) {
        if let Row::Record(record) = &row {
            let before = self.rows.get(&id);
            check_record(record, before);
            self.records.entry(record.facts.account_ref).or_default().insert(id.clone());
        }
        self.rows.insert(id, row);
    }

    /// Has an account count records that nobody deposited.
    pub(crate) fn pretend(&mut self, account_ref: AccountRef, count: u32) {
        pretend(&mut self.rows, account_ref, count);
        self.model.uncounted.push((account_ref, count));
        self.steps.push(Step::Uncounted(account_ref, count));
        self.forget();
    }

    /// Holds an account's balance at a date against the model's.
    pub(crate) fn check_balance(&self, account_ref: AccountRef, on: CivilDate) -> Vec<BalanceLine> {
        let Some(Row::Account(account)) = self.rows.get(&RowId::Account(account_ref)) else {
            return Vec::new();
        };
        let keys = |kid: Kid| match self.rows.get(&RowId::Key(kid)) {
            Some(Row::Key(row)) => Some(std::sync::Arc::clone(row)),
            _ => None,
        };
        let ids = self.records.get(&account_ref).into_iter().flatten();
        let rows: Vec<&RecordRow> = ids.map(|id| record_in(&self.rows, id)).collect();
        let lines = balance::lines(account, rows.iter().copied(), &keys, on);
        assert_eq!(lines, self.model.lines(account_ref, on), "balance of {account_ref} on {on}");
        for row in rows {
            let state = balance::state_of(row, account, &keys, on);
            let record = self.model.record(&row.issuer, row.facts.record_id).unwrap();
            assert_eq!(state.status, self.model.status(&record));
            assert_eq!(row.valid_until, self.model.valid_until(&record));
        }
        lines
    }

    /// Folds all events again from nothing and compares the rows.
    pub(crate) fn check_rebuild(&self) {
        let mut rows = Rows::new();
        let mut view = View::new();
        for step in &self.steps {
            match step {
                Step::Uncounted(account_ref, count) => {
                    pretend(&mut rows, *account_ref, *count);
                    view = View::new();
                }
                Step::Entry { context, key, events } => {
                    let known = &self.model.entries[..usize::try_from(context.index).unwrap()];
                    loop {
                        let ids = event_reads(events, &view);
                        if ids.is_empty() {
                            break;
                        }
                        for id in ids {
                            let row = stored(&rows, known, &id);
                            view.insert(id, row);
                        }
                    }
                    evolve_entry(&mut view, context, key, events);
                    for id in view.take_changed() {
                        rows.insert(id.clone(), view.get(&id).unwrap().clone());
                    }
                }
            }
        }
        assert!(rows == self.rows, "rebuilt rows differ from live rows");
    }
}

fn record_in<'a>(rows: &'a Rows, id: &RowId) -> &'a RecordRow {
    match rows.get(id) {
        Some(Row::Record(row)) => row,
        other => panic!("{id:?} is no record: {other:?}"),
    }
}

fn pretend(rows: &mut Rows, account_ref: AccountRef, count: u32) {
    match rows.get_mut(&RowId::Account(account_ref)) {
        Some(Row::Account(row)) => Arc::make_mut(row).records += count,
        other => panic!("no account to prepare: {other:?}"),
    }
}

/// What holds of every record at every index.
fn check_record(record: &RecordRow, before: Option<&Row>) {
    let issued = record.facts.amount.as_ref().map_or(0, |amount| amount.credits.milli());
    assert_eq!(record.buckets.values().sum::<i64>(), issued, "credit came or went");
    assert!(record.buckets.values().all(|milli| *milli > 0), "{:?}", record.buckets);
    let ended = |status: RecordStatus| matches!(status, RecordStatus::Revoked | RecordStatus::Superseded);
    if ended(record.status) {
        assert!(record.buckets.keys().all(|bucket| *bucket == Bucket::Revoked), "{:?}", record.buckets);
    }
    if let Some(Row::Record(before)) = before {
        assert!(!ended(before.status), "what has ended changes no more");
    }
}
