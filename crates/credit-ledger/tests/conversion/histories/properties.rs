//! What holds of a history at every index.

use super::super::bank::Rows;
use super::super::say::*;
use super::{History, LEARNERS, milli};
use credit_ledger::{ApplicationRow, Row, RowId, balance};
use credit_types::*;
use std::collections::{BTreeMap, BTreeSet};

impl History {
    /// What holds of the whole ledger.
    pub(super) fn check(&self) {
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
    pub(super) fn check_together(&self) -> usize {
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
    pub(super) fn check_changed(&mut self, before: &Rows) {
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
}

/// On whatever day: an account's balance is what was issued to it.
pub(super) fn check_balance(history: &History, who: &str) {
    let bank = &history.bank;
    let keys = |kid: Kid| match bank.rows.get(&RowId::Key(kid)) {
        Some(Row::Key(row)) => Some(std::sync::Arc::clone(row)),
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
