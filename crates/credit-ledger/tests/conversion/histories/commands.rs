//! The commands of a history, right or wrong, and what the book grants for an application's sources.

use super::super::bank::Bank;
use super::super::say::*;
use super::{History, ISSUERS, LEARNERS, TARGETS, milli, version};
use credit_ledger::balance::RecordState;
use credit_ledger::{ApplicationRow, RowId};
use credit_types::*;
use std::collections::BTreeSet;

impl History {
    /// One command, right or wrong.
    pub(super) fn command(&mut self) -> Result<u64, Rejection> {
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
    pub(super) fn together(&self, rows: &[&ApplicationRow]) -> i64 {
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
}
