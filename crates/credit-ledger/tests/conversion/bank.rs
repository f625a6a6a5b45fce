//! A ledger in memory that converts: loads the rows that a command asks for, decides, evolves, writes rows back. What
//! holds at every index is looked at after every entry.

use super::book::{BOOK, published};
use crate::draw::{expanded, mixed, word_of};
use credit_ledger::assess::{self, Beside};
use credit_ledger::balance::{RecordState, state_of};
use credit_ledger::{
    AccountRow, ApplicationRow, CommandKey, Context, HeadRow, RecordRow, Row, RowId, UsesRow, View,
    command_key, decide, event_reads, evolve_entry, foresee, links, protocol, reads,
};
use credit_rules::program::Program;
use credit_types::genesis::PROTOCOL_CONVERSIONS;
use credit_types::limits::{DAY_US, READ_ROUNDS_MAX};
use credit_types::{
    AccountRef, ApplicationStatus, Assessment, BookVersion, Bucket, CivilDate, Command,
    ConversionParticulars, ConversionRequest, Digest, Event, Kid, Link, RecordDetails, RecordName,
    RecordStatus, Rejection, Subject,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) type Rows = BTreeMap<RowId, Row>;
/// The index of the entry that a command became.
pub(super) type Outcome = Result<u64, Rejection>;

/// 2026-05-28T20:26:40Z.
const BEGIN_US: i64 = 1_780_000_000_000_000;
/// Minutes east of UTC of civil dates.
pub(super) const OFFSET_MINUTES: i32 = 480;

/// What is known of an entry apart from its events.
struct Entry {
    recorded_at_us: i64,
    leaf: Digest,
    root: Digest,
}

/// A book and the name of its blob.
struct Shelved {
    program: Program,
    digest: Digest,
}

pub(super) struct Bank {
    pub(super) rows: Rows,
    entries: Vec<Entry>,
    pub(super) steps: Vec<(Context, CommandKey, Vec<Event>)>,
    /// The last link of each subject: its sequence and its entry.
    chains: BTreeMap<Subject, (u64, u64)>,
    /// Rows as a test prepared them, before the entry of an index.
    prepared: Vec<(u64, RowId, Row)>,
    pub(super) now_us: i64,
    pub(super) statements: u64,
    books: BTreeMap<BookVersion, Shelved>,
    pub(super) details: BTreeMap<RecordName, RecordDetails>,
    /// What the learner states beside the records of the next request.
    pub(super) particulars: ConversionParticulars,
}

/// A digest that a name stands for.
pub(super) fn digest(name: &str) -> Digest {
    Digest(expanded(word_of(name)))
}

/// Loads until nothing is asked for; no command needs more rounds than there may be.
fn load(rows: &Rows, entries: &[Entry], view: &mut View, ask: impl Fn(&View) -> Vec<RowId>) {
    for round in 0.. {
        let ids = ask(view);
        if ids.is_empty() {
            return;
        }
        assert!(round < READ_ROUNDS_MAX, "still asks for {ids:?} after {round} rounds");
        for id in ids {
            assert!(!view.has(&id), "{id:?} is asked for again");
            let row = stored(rows, entries, &id);
            view.insert(id, row);
        }
    }
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

impl Bank {
    /// Without a log; the first version of the book lies ready.
    pub(super) fn empty() -> Self {
        let mut bank = Self {
            rows: Rows::new(),
            entries: Vec::new(),
            steps: Vec::new(),
            chains: BTreeMap::new(),
            prepared: Vec::new(),
            now_us: BEGIN_US,
            statements: 0,
            books: BTreeMap::new(),
            details: BTreeMap::new(),
            particulars: ConversionParticulars::default(),
        };
        bank.shelve(BOOK);
        bank
    }

    /// Keeps a book as the service keeps its blob.
    pub(super) fn shelve(&mut self, text: &str) -> BookVersion {
        let (book, program) = published(text);
        let digest = digest(&format!("{} {}", book.book_id, book.version));
        self.books.insert(book.clone(), Shelved { program, digest });
        book
    }

    pub(super) fn program(&self, book: &BookVersion) -> &Program {
        &self.books[book].program
    }

    pub(super) fn wait_us(&mut self, us: i64) {
        self.now_us += us;
    }

    pub(super) fn wait_days(&mut self, days: u32) {
        self.wait_us(i64::from(days) * DAY_US);
    }

    pub(super) fn today(&self) -> CivilDate {
        CivilDate::at(self.now_us, OFFSET_MINUTES).unwrap()
    }

    pub(super) fn index(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    pub(super) fn leaf(&self, index: u64) -> Option<Digest> {
        self.entries.get(usize::try_from(index).unwrap()).map(|entry| entry.leaf)
    }

    pub(super) fn root(&self, size: u64) -> Option<Digest> {
        let last = size.checked_sub(1)?;
        self.entries.get(usize::try_from(last).unwrap()).map(|entry| entry.root)
    }

    /// A view with what a command asks for.
    pub(super) fn view(&self, command: &Command) -> View {
        let mut view = View::new();
        load(&self.rows, &self.entries, &mut view, |view| reads(command, view));
        view
    }

    /// A view with all rows, which no answer may depend on.
    fn whole(&self, view: &View) -> View {
        let mut whole = view.clone();
        for (id, row) in &self.rows {
            if !whole.has(id) {
                whole.insert(id.clone(), Some(row.clone()));
            }
        }
        whole
    }

    pub(super) fn submit(&mut self, command: &Command) -> Outcome {
        let mut view = self.view(command);
        let (index, recorded_at_us) = (self.index(), self.now_us);
        let context = Context { index, recorded_at_us, protocol: protocol(&view, command) };
        let answer = decide(&view, &context, command);
        if let Command::RequestConversion(statement, assessment) = command
            && context.protocol >= PROTOCOL_CONVERSIONS
        {
            let foreseen = foresee(&view, &context, &statement.body, assessment);
            check_foreseen(foreseen.as_ref(), answer.as_ref().err());
        }
        let informed = decide(&self.whole(&view), &context, command);
        assert_eq!(answer, informed, "the answer is the same whatever else is loaded: {command:#?}");
        let events = answer?;
        assert!(!events.is_empty(), "an entry has events");
        let key = command_key(command, &view).unwrap();
        load(&self.rows, &self.entries, &mut view, |view| event_reads(&events, view));
        self.check_links(&links(&view, &events), &events);
        evolve_entry(&mut view, &context, &key, &events);
        let before = self.rows.clone();
        for id in view.take_changed() {
            let row = view.get(&id).unwrap().clone();
            self.rows.insert(id, row);
        }
        let word = |offset: u64| Digest(expanded(mixed(index * 2 + offset)));
        self.entries.push(Entry { recorded_at_us, leaf: word(0), root: word(1) });
        check(&before, &self.rows, &events);
        self.steps.push((context, key, events));
        Ok(index)
    }

    /// That each subject of the events goes on with its own chain, from the last entry about it.
    fn check_links(&mut self, links: &[Link], events: &[Event]) {
        let subjects: BTreeSet<Subject> = events.iter().filter_map(Event::subject).collect();
        assert!(links.iter().map(|link| &link.subject).eq(&subjects), "{links:?}");
        let index = self.index();
        for link in links {
            let before = self.chains.insert(link.subject.clone(), (link.sequence, index));
            let (sequence, leaf) = before.map_or((0, None), |(sequence, last)| (sequence, self.leaf(last)));
            assert_eq!((link.sequence, link.previous), (sequence + 1, leaf), "{link:?}");
            let subject = |number: &u32| events[usize::try_from(*number).unwrap()].subject();
            let own = |number: &u32| subject(number).as_ref() == Some(&link.subject);
            assert!(link.events.iter().all(own), "{link:?}");
        }
    }

    /// The events of the last entry.
    pub(super) fn last(&self) -> &[Event] {
        &self.steps.last().unwrap().2
    }

    /// Changes a row as no command of a short test could.
    pub(super) fn prepare(&mut self, id: RowId, row: Row) {
        self.prepared.push((self.index(), id.clone(), row.clone()));
        self.rows.insert(id, row);
    }

    /// Folds all events again from nothing and compares the rows.
    pub(super) fn check_rebuild(&self) {
        let mut rows = Rows::new();
        for (context, key, events) in &self.steps {
            rows.extend(self.prepared_at(context.index));
            let known = &self.entries[..usize::try_from(context.index).unwrap()];
            let mut view = View::new();
            load(&rows, known, &mut view, |view| event_reads(events, view));
            evolve_entry(&mut view, context, key, events);
            for id in view.take_changed() {
                rows.insert(id.clone(), view.get(&id).unwrap().clone());
            }
        }
        rows.extend(self.prepared_at(self.index()));
        assert!(rows == self.rows, "rebuilt rows differ from live rows");
    }

    fn prepared_at(&self, index: u64) -> impl Iterator<Item = (RowId, Row)> {
        let prepared = self.prepared.iter().filter(move |(at, ..)| *at == index);
        prepared.map(|(_, id, row)| (id.clone(), row.clone()))
    }

    /// What the service would reckon for a request.
    pub(super) fn assess(&self, request: &ConversionRequest, view: &View) -> Assessment {
        self.assess_on(request, view, self.today())
    }

    pub(super) fn assess_on(&self, request: &ConversionRequest, view: &View, on: CivilDate) -> Assessment {
        let nothing = Assessment {
            owner: None,
            items: Vec::new(),
            automatic: false,
            refusal: None,
            explanation_commitment: digest("no explanation"),
        };
        let Some(Shelved { program, digest: name }) = self.books.get(&request.book) else { return nothing };
        let book = program.book();
        let Some(owner) = assess::owner(book, request.purpose, &request.target) else { return nothing };
        let details: Vec<_> = request.records.iter().map(|name| self.details.get(name).cloned()).collect();
        let particulars = &self.particulars;
        let beside = Beside { program, digest: *name, details: &details, particulars };
        let reckoned = assess::reckon(view, on, request, beside);
        Assessment {
            owner: Some(owner),
            automatic: assess::automatic(book, &reckoned.items),
            items: reckoned.items,
            refusal: reckoned.refusal.map(Box::new),
            explanation_commitment: digest(&String::from_utf8_lossy(&reckoned.explanation)),
        }
    }

    pub(super) fn application(&self, index: u64) -> &ApplicationRow {
        match self.rows.get(&RowId::Application(index)) {
            Some(Row::Application(row)) => row,
            other => panic!("{index} is no application: {other:?}"),
        }
    }

    pub(super) fn applications(&self) -> impl Iterator<Item = &ApplicationRow> {
        self.rows.values().filter_map(|row| match row {
            Row::Application(row) => Some(row.as_ref()),
            _ => None,
        })
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &RecordRow> {
        self.rows.values().filter_map(|row| match row {
            Row::Record(row) => Some(row.as_ref()),
            _ => None,
        })
    }

    pub(super) fn record(&self, name: &RecordName) -> &RecordRow {
        match self.rows.get(&RowId::Record(name.issuer.clone(), name.record_id)) {
            Some(Row::Record(row)) => row,
            other => panic!("{name:?} is no record: {other:?}"),
        }
    }

    pub(super) fn account(&self, account_ref: AccountRef) -> &AccountRow {
        match self.rows.get(&RowId::Account(account_ref)) {
            Some(Row::Account(row)) => row,
            other => panic!("{account_ref} is no account: {other:?}"),
        }
    }

    /// How a record reads today.
    pub(super) fn state(&self, name: &RecordName) -> RecordState {
        let keys = |kid: Kid| match self.rows.get(&RowId::Key(kid)) {
            Some(Row::Key(row)) => Some(std::sync::Arc::clone(row)),
            _ => None,
        };
        let row = self.record(name);
        state_of(row, self.account(row.facts.account_ref), &keys, self.today())
    }

    pub(super) fn uses(&self, account_ref: AccountRef) -> UsesRow {
        match self.rows.get(&RowId::Uses(account_ref)) {
            Some(Row::Uses(row)) => row.as_ref().clone(),
            _ => UsesRow::default(),
        }
    }
}

/// A quote says what an application would be refused for, but for what is wrong with who signs it and how.
fn check_foreseen(foreseen: Option<&Rejection>, refused: Option<&Rejection>) {
    match (foreseen, refused) {
        (None, None) => {}
        (Some(foreseen), Some(refused)) => {
            let signed = refused.reason < foreseen.reason;
            assert!(signed || foreseen == refused, "{foreseen:?} was foreseen, {refused:?} it is");
        }
        (None, Some(refused)) => {
            let signed = refused
                .field
                .as_ref()
                .is_none_or(|field| field.starts_with("header.") || field == "signatures");
            assert!(signed, "nothing was foreseen, {refused:?} it is");
        }
        (Some(foreseen), None) => panic!("{foreseen:?} was foreseen, and it happened"),
    }
}

/// What holds after every entry of what it has changed, and of what it has left alone.
fn check(before: &Rows, after: &Rows, events: &[Event]) {
    let taken_back: BTreeSet<&RecordName> = events
        .iter()
        .filter_map(|event| match event {
            Event::ConversionChanged(change)
                if [ApplicationStatus::Rescinded, ApplicationStatus::Reversed].contains(&change.status) =>
            {
                Some(change.moved.iter().map(|moved| &moved.record))
            }
            _ => None,
        })
        .flatten()
        .collect();
    for (id, row) in after {
        if before.get(id) == Some(row) {
            continue;
        }
        match row {
            Row::Record(row) => {
                let old = match before.get(id) {
                    Some(Row::Record(old)) => Some(old),
                    _ => None,
                };
                check_record(row, old, taken_back.contains(&row.name()));
            }
            Row::Uses(row) => {
                let held: BTreeSet<&RecordName> = row.held.iter().map(|held| &held.record).collect();
                assert_eq!(held.len(), row.held.len(), "a record is held for one application at most");
            }
            _ => {}
        }
    }
    for id in before.keys() {
        assert!(after.contains_key(id), "{id:?} is gone");
    }
}

fn check_record(row: &RecordRow, before: Option<&Arc<RecordRow>>, taken_back: bool) {
    let issued = row.facts.amount.as_ref().map_or(0, |amount| amount.credits.milli());
    assert_eq!(row.buckets.values().sum::<i64>(), issued, "credit came or went");
    assert!(row.buckets.values().all(|milli| *milli > 0), "{:?}", row.buckets);
    let ended = [RecordStatus::Revoked, RecordStatus::Superseded].contains(&row.status);
    let at_rest = row.buckets.keys().all(|bucket| [Bucket::Revoked, Bucket::Redeemed].contains(bucket));
    assert!(!ended || at_rest, "what has ended is not to be had: {row:?}");
    let suspended = row.status == RecordStatus::Suspended;
    let blocked = row.buckets.keys().all(|bucket| [Bucket::Suspended, Bucket::Redeemed].contains(bucket));
    assert!(!suspended || blocked, "what is suspended is not to be had: {row:?}");
    let Some(before) = before else { return };
    assert_eq!((&before.facts, &before.application), (&row.facts, &row.application), "facts stay");
    if before.buckets.contains_key(&Bucket::Redeemed) {
        let stays = row.buckets.contains_key(&Bucket::Redeemed);
        assert!(stays || taken_back, "what is redeemed stays so: {row:?}");
    }
    let was_ended = [RecordStatus::Revoked, RecordStatus::Superseded].contains(&before.status);
    assert!(!was_ended || ended, "what has ended does not come back");
}
