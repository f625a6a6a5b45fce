//! Random histories of conversions, and what holds at every index of them.

use super::bank::{Bank, Rows};
use super::say::*;
use crate::draw::{Draw, mixed};
use credit_ledger::balance::{self, RecordState};
use credit_ledger::{ApplicationRow, Row, RowId};
use credit_types::*;
use std::collections::{BTreeMap, BTreeSet};

/// How many commands a run submits, unless `CREDITBANK_CONVERSIONS` says otherwise.
const COMMANDS: usize = 6_000;
/// The commands of one history.
const HISTORY_COMMANDS: usize = 200;
const LEARNERS: [&str; 3] = ["ann", "bob", "cid"];
const ISSUERS: [&str; 3] = ["t", "u", "v"];
const TARGETS: [&str; 4] = ["U-AD", "V-AD", "diploma", "badge"];
/// Where an application came to, how often at least in a run of the usual size.
const STATUSES: [(ApplicationStatus, usize); 10] = [
    (ApplicationStatus::UnderReview, 100),
    (ApplicationStatus::InfoRequested, 20),
    (ApplicationStatus::Posted, 100),
    (ApplicationStatus::Provisional, 20),
    (ApplicationStatus::Rejected, 20),
    (ApplicationStatus::Appealed, 10),
    (ApplicationStatus::Withdrawn, 10),
    (ApplicationStatus::Lapsed, 10),
    (ApplicationStatus::Rescinded, 10),
    (ApplicationStatus::Reversed, 5),
];
/// What was refused, each at least a few times.
const REASONS: [Reason; 20] = [
    Reason::AccountClosed,
    Reason::RecordKeySuspect,
    Reason::RecordOfAnotherAccount,
    Reason::RecordRevoked,
    Reason::AccountNotActive,
    Reason::BookNotInForce,
    Reason::RecordNotOffered,
    Reason::RecordGranted,
    Reason::RecordExpired,
    Reason::RecordNotAvailable,
    Reason::RecordReserved,
    Reason::RecordUsed,
    Reason::NothingGranted,
    Reason::ApplicationOfAnother,
    Reason::ApplicationStateWrong,
    Reason::ApplicationLapsed,
    Reason::AppealNotPossible,
    Reason::SameOfficer,
    Reason::RecordOfApplication,
    Reason::AccountHasApplications,
];

#[derive(Default)]
struct Tally {
    statuses: BTreeMap<ApplicationStatus, usize>,
    reasons: BTreeMap<Reason, usize>,
    /// Programmes into which an account was granted something by several applications.
    several: usize,
}

struct History {
    draw: Draw,
    bank: Bank,
    /// Records by learner, of issuers and of applications.
    records: BTreeMap<&'static str, Vec<RecordName>>,
    deposits: usize,
    newest: u32,
    in_force: u32,
    /// What issuers have signed.
    signed: BTreeMap<RecordName, Option<i64>>,
    /// The most that the book grants for an application's sources alone.
    most: BTreeMap<u64, i64>,
}

/// The book with another ratio in each version.
fn version(number: u32) -> String {
    let ratio = format!("ratio = \"{} xs / 1 cr\"", 9 + 9 * (number % 3));
    super::book::version(number).replacen("ratio = \"18 xs / 1 cr\"", &ratio, 1)
}

fn milli(credits: Option<Credits>) -> i64 {
    credits.map_or(0, Credits::milli)
}

impl History {
    fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut bank = Bank::open();
        bank.open_account("cid", AssuranceLevel::Document);
        for by in ["u", "v"] {
            if draw.chance(60) {
                bank.allow(by, &[], "2026-09-30").unwrap();
            }
        }
        let records = LEARNERS.map(|who| (who, Vec::new())).into();
        let (deposits, newest, in_force) = (0, 1, 1);
        let (signed, most) = (BTreeMap::new(), BTreeMap::new());
        Self { draw, bank, records, deposits, newest, in_force, signed, most }
    }

    /// One command, right or wrong.
    fn command(&mut self) -> Result<u64, Rejection> {
        match self.draw.below(100) {
            0..22 => self.deposit(),
            22..32 => self.change_record(),
            32..58 => self.apply(),
            58..78 => self.decide(),
            78..90 => self.step(),
            90..93 => self.reverse(),
            93..97 => self.change_account(),
            97..99 => self.change_book(),
            _ => {
                let by = self.draw.pick(&["u", "v"]);
                self.bank.allow(by, &[], "2026-12-31")
            }
        }
    }

    fn deposit(&mut self) -> Result<u64, Rejection> {
        let who = *self.draw.pick(&LEARNERS);
        let issuer = *self.draw.pick(&ISSUERS);
        self.deposits += 1;
        let id = format!("{issuer}/{:04}", self.deposits);
        let credit = 500 * self.draw.between(1, 9);
        let hours = 9 * self.draw.small(1, 12);
        let grade = self.draw.small(1, 3);
        let what = match self.draw.below(9) {
            0 => What::Hours(hours),
            1 => What::Training(hours, credit),
            2 => What::Grade(grade, credit),
            3 => What::Bare(grade),
            4 => What::Named("A"),
            5 => What::Named("B"),
            6 => What::Exam(credit),
            _ => What::Course(credit),
        };
        let offered = self.draw.chance(95);
        let until = self.draw.chance(15).then(|| self.bank.today().days() + self.draw.small(0, 40));
        let outcome = self.bank.deposit_with(&id, who, what, |facts| {
            facts.credit_eligible = offered;
            facts.valid_until = until.map(|days| CivilDate::from_days(days).unwrap());
        });
        if outcome.is_ok() {
            self.records.get_mut(who).unwrap().push(record(&id));
            let amount = facts(&id, who, what).amount;
            self.signed.insert(record(&id), amount.map(|amount| amount.credits.milli()));
        }
        outcome
    }

    fn any_record(&mut self) -> Option<RecordName> {
        let who = *self.draw.pick(&LEARNERS);
        self.draw.any(&self.records[who])
    }

    fn change_record(&mut self) -> Result<u64, Rejection> {
        let Some(name) = self.any_record() else { return self.deposit() };
        let issuer = String::from(name.issuer.as_str().trim_start_matches("cn."));
        let by = if self.draw.chance(40) { "g" } else { issuer.as_str() };
        let action = *self.draw.pick(&[
            RecordAction::Suspend,
            RecordAction::Suspend,
            RecordAction::Reinstate,
            RecordAction::Reinstate,
            RecordAction::Revoke,
        ]);
        // What is suspended stays so for a while only.
        let suspended = self.bank.record(&name).status == RecordStatus::Suspended;
        let action = if suspended && self.draw.chance(70) { RecordAction::Reinstate } else { action };
        self.bank.change_record(&name, by, action)
    }

    fn apply(&mut self) -> Result<u64, Rejection> {
        let who = *self.draw.pick(&LEARNERS);
        let target = *self.draw.pick(&TARGETS);
        let award = ["diploma", "badge"].contains(&target);
        let mut records = Vec::new();
        let stray = self.draw.chance(15);
        for name in self.records[who].clone() {
            let row = self.bank.record(&name);
            let holder = self.bank.uses(account(who)).holder(&name);
            let free = holder.is_none_or(|application| self.is_over(application));
            let current = row.valid_until.is_none_or(|until| self.bank.today() <= until);
            let fit = free
                && current
                && row.status == RecordStatus::Valid
                && (award || row.application.is_none())
                && !row.buckets.contains_key(&Bucket::Redeemed);
            if self.draw.chance(if fit { 50 } else { 2 }) || (stray && self.draw.chance(10)) {
                records.push(name);
            }
        }
        if self.draw.chance(2) {
            records.extend(self.any_record());
        }
        records.sort();
        records.dedup();
        records.truncate(12);
        if records.is_empty() {
            return self.deposit();
        }
        let mut body = request(who, target, &records);
        let wrong = self.draw.chance(5);
        body.book.version = if wrong { self.newest } else { self.in_force };
        let states: Vec<RecordState> = records.iter().map(|name| self.bank.state(name)).collect();
        let outcome = self.bank.ask(body, |_, _| {});
        if let Ok(application) = outcome {
            for (name, state) in records.iter().zip(states) {
                // Reserved: by an application that has lapsed.
                let free = [Bucket::Available, Bucket::Reserved].contains(&state.bucket);
                assert!(state.status == RecordStatus::Valid && free, "{name:?} is {state:?}");
                let until = self.bank.record(name).valid_until;
                assert!(until.is_none_or(|until| self.bank.today() <= until), "{name:?} has expired");
            }
            let row = self.bank.application(application).clone();
            let most = self.alone(&row);
            self.most.insert(application, most);
        }
        outcome
    }

    /// Whether what an application holds may be asked for.
    fn is_over(&self, application: u64) -> bool {
        let row = self.bank.application(application);
        let days = if row.status == ApplicationStatus::Rejected { APPEAL_DAYS } else { LAPSE_DAYS };
        self.bank.now_us - row.last_at_us > i64::from(days) * limits::DAY_US
    }

    /// What the book grants for an application's sources if there is nothing else and nothing was before.
    fn alone(&self, row: &ApplicationRow) -> i64 {
        self.together(&[row])
    }

    /// The same for the sources of several applications together, which are of one account for one programme.
    fn together(&self, rows: &[&ApplicationRow]) -> i64 {
        let names = rows.iter().flat_map(|row| row.sources().into_iter().map(|at| &row.request.records[at]));
        let names: BTreeSet<RecordName> = names.cloned().collect();
        let request = ConversionRequest { records: names.into_iter().collect(), ..rows[0].request.clone() };
        let mut view = credit_ledger::View::new();
        for (id, row) in &self.bank.rows {
            if !matches!(id, RowId::Uses(_)) {
                view.insert(id.clone(), Some(row.clone()));
            }
        }
        view.insert(RowId::Uses(request.account_ref), None);
        let reckoned = self.bank.assess(&request, &view);
        reckoned.items.iter().map(|item| milli(item.credits)).sum()
    }

    fn any_application(&mut self, wanted: &[ApplicationStatus]) -> Option<u64> {
        let all = self.bank.applications();
        let fit: Vec<u64> =
            all.filter(|row| wanted.contains(&row.status)).map(|row| row.requested_index).collect();
        let all: Vec<u64> = self.bank.applications().map(|row| row.requested_index).collect();
        if self.draw.chance(92) { self.draw.any(&fit) } else { self.draw.any(&all) }
    }

    fn decide(&mut self) -> Result<u64, Rejection> {
        let open = [ApplicationStatus::UnderReview, ApplicationStatus::Appealed];
        let Some(application) = self.any_application(&open) else { return self.apply() };
        let row = self.bank.application(application).clone();
        let outcome = match self.draw.below(20) {
            0..9 => DecisionOutcome::Approve,
            9..13 => DecisionOutcome::Partly,
            13..17 => DecisionOutcome::Reject,
            _ => DecisionOutcome::Ask,
        };
        let mut items = Vec::new();
        if outcome == DecisionOutcome::Partly {
            for (position, item) in (0..).zip(&row.items) {
                let less = item.credits.filter(|credits| credits.milli() > 500);
                let less = less.map(|credits| Credits::from_milli(credits.milli() - 500).unwrap());
                match self.draw.below(3) {
                    0 => {}
                    1 => items.push((position, None)),
                    _ => items.push((position, less)),
                }
            }
        }
        let items = items.into_iter().map(|(position, credits)| DecidedItem {
            position,
            credits,
            reason: DecisionReason::CapReached,
        });
        let items: Vec<DecidedItem> = items.collect();
        let granting = [DecisionOutcome::Approve, DecisionOutcome::Partly].contains(&outcome);
        let credit = row.request.purpose == ConversionPurpose::Credit;
        let provisional = granting && credit && self.draw.chance(40);
        let until = provisional.then(|| self.bank.today().days() + self.draw.small(0, 30));
        let regulator = row.appeals() >= 2 && self.draw.chance(90);
        let own = String::from(row.request.institution_id.as_str().trim_start_matches("cn."));
        let by = match self.draw.below(30) {
            0 => String::from("v"),
            _ if regulator => String::from("g"),
            _ => own,
        };
        let key = format!("{by}.{}", self.draw.pick(&["one", "two", "three"]));
        let states: Vec<RecordState> = row.request.records.iter().map(|name| self.bank.state(name)).collect();
        let outcome = self.bank.decide_with(application, outcome, |s| {
            s.header.signer = SignerId::Institution(institution(&by));
            s.signers = vec![kid(&key)];
            s.body.items = items;
            s.body.provisional_until = until.map(|days| CivilDate::from_days(days).unwrap());
        });
        if outcome.is_ok() {
            for granted in &self.bank.application(application).granted {
                for at in &row.items[usize::try_from(granted.position).unwrap()].sources {
                    let RecordState { status, bucket } = states[usize::try_from(*at).unwrap()];
                    assert_eq!(status, RecordStatus::Valid, "{row:?}");
                    assert_ne!(bucket, Bucket::KeySuspect, "{row:?}");
                }
            }
        }
        outcome
    }

    fn step(&mut self) -> Result<u64, Rejection> {
        use ApplicationStatus::{InfoRequested, Provisional, Rejected, UnderReview};
        let (action, from): (_, &[ApplicationStatus]) = match self.draw.below(12) {
            0 => (ConversionAction::Withdraw, &[UnderReview, InfoRequested]),
            1..5 => (ConversionAction::Appeal, &[Rejected]),
            5..8 => (ConversionAction::Answer, &[InfoRequested]),
            8..10 => (ConversionAction::Confirm, &[Provisional]),
            _ => (ConversionAction::Rescind, &[Provisional]),
        };
        let Some(application) = self.any_application(from) else { return self.apply() };
        self.bank.step(application, action)
    }

    fn reverse(&mut self) -> Result<u64, Rejection> {
        let awards = self.bank.applications().filter(|row| row.request.purpose == ConversionPurpose::Award);
        let posted = awards.filter(|row| row.status == ApplicationStatus::Posted);
        let posted: Vec<u64> = posted.map(|row| row.requested_index).collect();
        let Some(application) = self.draw.any(&posted) else { return self.decide() };
        let sources = self.bank.application(application).sources();
        let kept = sources.into_iter().filter(|_| self.draw.chance(30));
        let kept: Vec<u32> = kept.map(|at| u32::try_from(at).unwrap()).collect();
        self.bank.reverse(application, &kept)
    }

    fn change_account(&mut self) -> Result<u64, Rejection> {
        let of = |bank: &Bank, who: &&str| bank.account(account(who)).status == AccountStatus::Suspended;
        let blocked = LEARNERS.into_iter().find(|who| of(&self.bank, who));
        let who = blocked.unwrap_or(*self.draw.pick(&LEARNERS));
        let suspended = self.bank.account(account(who)).status == AccountStatus::Suspended;
        let action = match self.draw.below(10) {
            _ if suspended => AccountAction::Reinstate,
            0..4 => AccountAction::Close,
            _ => AccountAction::Suspend,
        };
        // A history with closed accounts only would say little.
        let closes = action == AccountAction::Close && self.bank.uses(account(who)).held.is_empty();
        if closes && (who != "cid" || self.draw.chance(90)) {
            return self.deposit();
        }
        self.bank.change_account(who, action)
    }

    fn change_book(&mut self) -> Result<u64, Rejection> {
        if self.newest == self.in_force {
            let outcome = self.bank.publish(&version(self.newest + 1));
            self.newest += 1;
            return outcome;
        }
        let outcome = self.bank.change_book(self.newest, RuleBookAction::Activate);
        if outcome.is_ok() {
            let before = self.in_force;
            self.in_force = self.newest;
            if self.draw.chance(50) {
                return self.bank.change_book(before, RuleBookAction::Abolish);
            }
        }
        outcome
    }

    /// What holds of the whole ledger.
    fn check(&self) {
        let bank = &self.bank;
        for row in bank.records() {
            let name = row.name();
            let amount = row.facts.amount.as_ref().map(|amount| amount.credits.milli());
            match row.application {
                // No credit but what an issuer has signed or an application has granted.
                None => assert_eq!(self.signed.get(&name), Some(&amount), "{name:?}"),
                Some(application) => {
                    let by = bank.application(application);
                    let granted = by.granted.iter().find(|granted| granted.record_id == name.record_id);
                    assert_eq!(granted.map(|granted| granted.credits.map(Credits::milli)), Some(amount));
                    let taken_back =
                        [ApplicationStatus::Rescinded, ApplicationStatus::Reversed].contains(&by.status);
                    assert!(!taken_back || row.status == RecordStatus::Revoked, "{row:?}");
                }
            }
        }
        for row in bank.applications() {
            self.check_application(row);
        }
        for who in LEARNERS {
            self.check_uses(who);
        }
    }

    fn check_application(&self, row: &ApplicationRow) {
        let granted: i64 = row.granted.iter().map(|granted| milli(granted.credits)).sum();
        for granted in &row.granted {
            let proposed = &row.items[usize::try_from(granted.position).unwrap()];
            assert!(milli(granted.credits) <= milli(proposed.credits));
        }
        let most = self.most[&row.requested_index];
        assert!(granted <= most, "{granted} of {most} by {row:#?}");
        if row.request.purpose == ConversionPurpose::Credit {
            // Round a circle of institutions nothing is gained: what was granted is no source of credit.
            for at in row.sources() {
                let source = self.bank.record(&row.request.records[at]);
                assert_eq!(source.application, None, "{source:?}");
            }
        }
        // Held is what is open, and nothing else.
        let uses = self.bank.uses(row.request.account_ref);
        let held: BTreeSet<&RecordName> = uses
            .held
            .iter()
            .filter(|held| held.application == row.requested_index)
            .map(|held| &held.record)
            .collect();
        let sources: BTreeSet<&RecordName> =
            row.sources().iter().map(|at| &row.request.records[*at]).collect();
        let freed = row.status == ApplicationStatus::Rejected && row.appeals() >= 2;
        let expected = if row.status.holds() && !freed { sources } else { BTreeSet::new() };
        assert_eq!(held, expected, "{row:#?}");
    }

    fn check_uses(&self, who: &str) {
        let mut gone: BTreeMap<&RecordName, u64> = BTreeMap::new();
        let uses = self.bank.uses(account(who));
        for one in &uses.uses {
            let before = gone.get(&one.record);
            assert!(before.is_none_or(|application| *application == one.application), "used up: {one:?}");
            if [Consumption::Global, Consumption::OnceForAllDegrees].contains(&one.consumption) {
                gone.insert(&one.record, one.application);
            }
        }
        // What is redeemed was used up, and what was used up is redeemed or has no credit.
        for name in &self.records[who] {
            let row = self.bank.record(name);
            let redeemed = row.buckets.contains_key(&Bucket::Redeemed);
            let used_up = gone.contains_key(name) && !row.buckets.is_empty();
            assert_eq!(redeemed, used_up, "{row:?}");
            let reserved = row.buckets.contains_key(&Bucket::Reserved);
            assert!(!reserved || uses.holder(name).is_some(), "{row:?}");
        }
    }

    /// However an account divides its records among applications that follow each other, it is granted no more than for
    /// all of them at once. Of applications that were open together each was reckoned as if the others were not.
    fn check_together(&self) -> usize {
        let mut several = 0;
        for (who, target) in LEARNERS.into_iter().flat_map(|who| [(who, "U-AD"), (who, "V-AD")]) {
            let live = [ApplicationStatus::Posted, ApplicationStatus::Provisional];
            let rows = self.bank.applications().filter(|row| {
                let own = row.request.account_ref == account(who) && row.request.target == name(target);
                own && live.contains(&row.status)
            });
            let rows: Vec<&ApplicationRow> = rows.collect();
            // Versions differ in what a record is worth.
            let one_book = rows.iter().all(|row| row.request.book == rows[0].request.book);
            let granted_at = |row: &ApplicationRow| {
                row.steps.iter().find(|step| live.contains(&step.status)).map_or(0, |step| step.index)
            };
            let in_turn = rows.windows(2).all(|two| granted_at(two[0]) < two[1].requested_index);
            if rows.len() < 2 || !one_book || !in_turn {
                continue;
            }
            several += 1;
            let granted = rows.iter().flat_map(|row| &row.granted).map(|granted| milli(granted.credits));
            let granted: i64 = granted.sum();
            let most = self.together(&rows);
            assert!(granted <= most, "{granted} of {most} for {who} in {target}: {rows:#?}");
        }
        several
    }

    /// That an entry has changed nothing but what its events name.
    fn check_changed(&mut self, before: &Rows) {
        let (mut applications, mut records) = (BTreeSet::new(), BTreeSet::new());
        let mut of_book = true;
        let index = self.bank.index() - 1;
        for event in self.bank.last() {
            match event {
                Event::ConversionRequested { moved, .. } => {
                    applications.insert(index);
                    records.extend(moved.iter().map(|moved| moved.record.clone()));
                }
                Event::ConversionChanged(change) => {
                    applications.insert(change.application);
                    records.extend(change.moved.iter().map(|moved| moved.record.clone()));
                    let issuer = &self.bank.application(change.application).request.institution_id;
                    let granted = change.granted.iter().map(|granted| granted.record_id);
                    records.extend(granted.map(|record_id| RecordName { issuer: issuer.clone(), record_id }));
                }
                Event::RecordStatusChanged { issuer, record_id, .. } => {
                    records.insert(RecordName { issuer: issuer.clone(), record_id: *record_id });
                }
                Event::RecordDeposited { issuer, facts, .. } => {
                    records.insert(RecordName { issuer: issuer.clone(), record_id: facts.record_id });
                }
                _ => {}
            }
            of_book &= matches!(event, Event::RuleBookPublished(_) | Event::RuleBookChanged(_));
        }
        assert!(!of_book || (applications.is_empty() && records.is_empty()));
        for (id, row) in &self.bank.rows {
            if before.get(id) == Some(row) {
                continue;
            }
            match row {
                Row::Application(row) => {
                    assert!(applications.contains(&row.requested_index), "{row:?}");
                }
                Row::Record(row) => assert!(records.contains(&row.name()), "{row:?}"),
                _ => {}
            }
        }
    }

    /// What was granted is among what may be asked for next.
    fn learn(&mut self) {
        let mut new = Vec::new();
        for event in self.bank.last() {
            if let Event::ConversionChanged(change) = event
                && [ApplicationStatus::Posted, ApplicationStatus::Provisional].contains(&change.status)
                && !change.granted.is_empty()
            {
                new.push(change.application);
            }
        }
        for application in new {
            let who = self.bank.application(application).request.account_ref;
            let who = LEARNERS.into_iter().find(|learner| account(learner) == who).unwrap();
            self.records.get_mut(who).unwrap().extend(self.bank.granted(application));
        }
    }
}

/// On whatever day: an account's balance is what was issued to it.
fn check_balance(history: &History, who: &str) {
    let bank = &history.bank;
    let keys = |kid: Kid| match bank.rows.get(&RowId::Key(kid)) {
        Some(Row::Key(row)) => Some(row.as_ref().clone()),
        _ => None,
    };
    let rows: Vec<_> = bank.records().filter(|row| row.facts.account_ref == account(who)).collect();
    let issued: i64 =
        rows.iter().filter_map(|row| row.facts.amount.as_ref()).map(|one| one.credits.milli()).sum();
    for days in [-30, 0, 30, 3_000] {
        let on = CivilDate::from_days(bank.today().days() + days).unwrap();
        let lines = balance::lines(bank.account(account(who)), rows.iter().copied(), &keys, on);
        assert_eq!(lines.iter().map(|line| line.credits_milli).sum::<i64>(), issued);
    }
}

fn history(seed: u64, tally: &mut Tally) {
    let mut history = History::new(seed);
    let stolen = history.draw.chance(50).then(|| history.draw.below(HISTORY_COMMANDS));
    for number in 0..HISTORY_COMMANDS {
        if stolen == Some(number) {
            // What an issuer has signed of late is in doubt.
            let back = u64::try_from(history.draw.below(60)).unwrap();
            let active = history.bank.account(account(LEARNERS[0])).opened_index;
            let from = history.bank.index().saturating_sub(back).max(active);
            history.bank.report("t.records", from);
        }
        if history.draw.chance(20) {
            let days = history.draw.below(12);
            history.bank.wait_days(u32::try_from(days).unwrap());
        }
        let (index, before) = (history.bank.index(), history.bank.rows.clone());
        let outcome = history.command();
        match outcome {
            Err(rejection) if history.bank.index() == index => {
                *tally.reasons.entry(rejection.reason).or_default() += 1;
                assert!(history.bank.rows == before, "a refusal changes nothing");
                continue;
            }
            _ => {}
        }
        for event in history.bank.last() {
            let status = match event {
                Event::ConversionRequested { .. } => ApplicationStatus::UnderReview,
                Event::ConversionChanged(change) => change.status,
                _ => continue,
            };
            *tally.statuses.entry(status).or_default() += 1;
        }
        // Of two commands in one step, the second is looked at.
        if history.bank.index() == index + 1 {
            history.check_changed(&before);
        }
        history.learn();
        history.check();
    }
    for who in LEARNERS {
        check_balance(&history, who);
    }
    tally.several += history.check_together();
    history.bank.check_rebuild();
}

#[test]
fn random_conversions_keep_what_must_hold() {
    let number = |variable: &str, otherwise: usize| {
        std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let seed = u64::try_from(number("CREDITBANK_SEED", 20_261_128)).unwrap();
    let total = number("CREDITBANK_CONVERSIONS", COMMANDS);
    println!("CREDITBANK_SEED={seed} CREDITBANK_CONVERSIONS={total}");
    let mut tally = Tally::default();
    for number in 0..u64::try_from(total / HISTORY_COMMANDS).unwrap() {
        let run = std::panic::AssertUnwindSafe(|| history(mixed(seed.wrapping_add(number)), &mut tally));
        if let Err(failure) = std::panic::catch_unwind(run) {
            println!("history {number} of CREDITBANK_SEED={seed} went wrong");
            std::panic::resume_unwind(failure);
        }
    }
    println!("{:#?}\n{:#?}\n{}", tally.statuses, tally.reasons, tally.several);
    if total >= COMMANDS {
        for (status, least) in STATUSES {
            let count = tally.statuses.get(&status).copied().unwrap_or(0);
            assert!(count >= least, "{status:?}: {count}");
        }
        assert!(tally.several >= 10, "{}", tally.several);
        for reason in REASONS {
            let count = tally.reasons.get(&reason).copied().unwrap_or(0);
            assert!(count >= 3, "{reason}: {count}");
        }
    }
}

/// Of whatever records: in whichever order they were deposited, the same is proposed for the same reasons.
#[test]
fn no_answer_depends_on_the_order_of_deposits() {
    let mut draw = Draw::new(11);
    let mut granted = 0;
    for _ in 0..15 {
        let count = 4 + draw.below(8);
        let what: Vec<(String, What)> = (0..count)
            .map(|number| {
                let id = format!("{}/{number:02}", draw.pick(&ISSUERS));
                let credit = 500 * draw.between(1, 9);
                let what = match draw.below(6) {
                    0 => What::Hours(9 * draw.small(1, 12)),
                    1 => What::Training(9 * draw.small(1, 12), credit),
                    2 => What::Grade(draw.small(1, 3), credit),
                    3 => What::Named(if draw.chance(50) { "A" } else { "B" }),
                    4 => What::Exam(credit),
                    _ => What::Course(credit),
                };
                (id, what)
            })
            .collect();
        let names: Vec<RecordName> = what.iter().map(|(id, _)| record(id)).collect();
        let mut first = None;
        for _ in 0..3 {
            let mut order = what.clone();
            for at in (1..order.len()).rev() {
                order.swap(at, draw.below(at + 1));
            }
            let mut bank = Bank::open();
            for (id, what) in &order {
                bank.deposit(id, "ann", *what);
            }
            let answers: Vec<Assessment> = TARGETS
                .iter()
                .map(|target| {
                    let request = request("ann", target, &names);
                    let statement = bank.signed("r", &["r.registry"], request);
                    bank.reckon(&statement)
                })
                .collect();
            granted += answers.iter().filter(|answer| !answer.items.is_empty()).count();
            assert_eq!(*first.get_or_insert_with(|| answers.clone()), answers, "{names:?}");
        }
    }
    assert!(granted > 60, "{granted}");
}
