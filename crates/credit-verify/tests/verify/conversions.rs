//! Logs of protocol 2 that are right: books, applications, decisions and awards, decided and reckoned again.

use std::collections::BTreeMap;

use credit_ledger::{Row, RowId};
use credit_proto::entry::{commitments, decode_parts};
use credit_types::{
    AccountRef, ApplicationStatus, AutoApproval, AwardReversal, Command, ConversionAction,
    ConversionDecision, ConversionFact, ConversionParticulars, ConversionPurpose, ConversionRequest,
    DecisionOutcome, DecisionReason, Digest, Event, EventKind, KeyPurpose, RecordName, Role,
};
use credit_verify::{
    BundleRule, DetailsSource, EarlierSecrets, EntrySecrets, OpenedDetails, Report, SecretPart, Verdict,
    Verifier, WithEarlier,
};

use crate::accepted::kinds;
use crate::bank::{Bank, Vault, signed};
use crate::college::{ALGEBRA, COLLEGE, HISTORY, Shelf, name, version};
use crate::parcel::{Parcel, all, breaks, receipt, sealed};
use crate::story::{UNIV, day, institution};
use crate::{rows, verified};

/// What is opened of a log.
#[derive(Clone, Copy)]
pub(crate) struct Open<'o> {
    pub(crate) details: Option<&'o dyn DetailsSource>,
    pub(crate) shelf: Option<&'o Shelf>,
}

impl<'o> Open<'o> {
    /// All that the bank and a shelf have.
    pub(crate) fn all(bank: &'o Bank, shelf: &'o Shelf) -> Self {
        Self { details: Some(&bank.vault), shelf: Some(shelf) }
    }

    /// Checks a log entry by entry, and once more with all entries read ahead.
    pub(crate) fn verified(self, bank: &Bank) -> Report {
        let report = self.run(bank, 1);
        assert_eq!(self.run(bank, bank.entries.len()), report, "read ahead");
        report
    }

    fn run(self, bank: &Bank, window: usize) -> Report {
        let mut verifier = Verifier::new(Some(bank.trust()));
        if let Some(shelf) = self.shelf {
            verifier = verifier.with_blobs(shelf);
        }
        let preparer = verifier.preparer();
        'log: for entries in bank.entries.chunks(window) {
            let prepared: Vec<_> =
                entries.iter().map(|raw| preparer.prepare(&raw.bytes(), self.details)).collect();
            for (raw, prepared) in entries.iter().zip(prepared) {
                if verifier.push_prepared(&raw.bytes(), self.details, prepared).is_err() {
                    break 'log;
                }
            }
        }
        if verifier.halted().is_none() {
            assert_eq!(rows(&mut verifier), bank.rows);
        }
        verifier.finish(Some(&bank.checkpoint())).unwrap()
    }
}

/// What the learner states of the first record.
pub(crate) fn stated(assessment: &str) -> ConversionParticulars {
    ConversionParticulars {
        born_on: Some(day("2001-02-03")),
        facts: vec![ConversionFact { record: 0, name: name("assessment"), value: assessment.to_owned() }],
        consent_ref: "counter 3".to_owned(),
        ..ConversionParticulars::default()
    }
}

fn status(bank: &Bank, application: u64) -> ApplicationStatus {
    match bank.rows.get(&RowId::Application(application)) {
        Some(Row::Application(row)) => row.status,
        other => panic!("{other:?}"),
    }
}

/// A bank to which everything has happened that protocol 2 brought.
pub(crate) fn converted(protocol: u32) -> Bank {
    let mut bank = Bank::with_book(protocol);
    bank.admit("cn.office", &[Role::Regulator]);
    bank.approve_ahead();
    let ann = bank.open_account("ann");
    // Two records by one rule and with no officer.
    let (first, _) = bank.deposit_of(ann, ALGEBRA);
    let (second, _) = bank.deposit_of(ann, ALGEBRA);
    let at_once = bank.apply(Bank::asks(ann, &[first, second]), Some(&stated("exam")));
    assert_eq!(status(&bank, at_once), ApplicationStatus::Posted);
    // By an officer, for a time, and taken back.
    let (third, _) = bank.deposit_of(ann, HISTORY);
    let taken_back = bank.apply(Bank::asks(ann, &[third]), None);
    let decision = bank.decision(taken_back, DecisionOutcome::Approve);
    let until = Some(day("2027-01-31"));
    bank.decide_by("officer-1", ConversionDecision { provisional_until: until, ..decision });
    bank.step(taken_back, ConversionAction::Rescind);
    assert_eq!(status(&bank, taken_back), ApplicationStatus::Rescinded);
    // The same record again: rejected, appealed, and granted by another officer.
    let appealed = bank.apply(Bank::asks(ann, &[third]), None);
    let decision = bank.decision(appealed, DecisionOutcome::Reject);
    let reason = Some(DecisionReason::EvidenceInsufficient);
    bank.decide_by("officer-1", ConversionDecision { reason, ..decision });
    bank.step(appealed, ConversionAction::Appeal);
    let decision = bank.decision(appealed, DecisionOutcome::Approve);
    bank.decide_by("officer-2", decision);
    // An application that lapses, for its record is asked for again.
    let (fourth, _) = bank.deposit_of(ann, HISTORY);
    let lapsed = bank.apply(Bank::asks(ann, &[fourth]), None);
    bank.wait(61);
    let withdrawn = bank.apply(Bank::asks(ann, &[fourth]), None);
    assert_eq!(status(&bank, lapsed), ApplicationStatus::Lapsed);
    bank.step(withdrawn, ConversionAction::Withdraw);
    // An award by what was granted, taken back by order.
    let granted = match bank.rows.get(&RowId::Application(at_once)) {
        Some(Row::Application(row)) => row.granted.clone(),
        other => panic!("{other:?}"),
    };
    let records = granted
        .iter()
        .map(|granted| RecordName { issuer: institution(COLLEGE), record_id: granted.record_id });
    let request = ConversionRequest {
        purpose: ConversionPurpose::Award,
        target: name("micro"),
        records: records.collect(),
        ..Bank::asks(ann, &[])
    };
    let award = bank.apply(request, None);
    let decision = bank.decision(award, DecisionOutcome::Approve);
    let decided = bank.decide_by("officer-2", decision);
    assert_eq!(status(&bank, award), ApplicationStatus::Posted);
    let body = AwardReversal {
        after: bank.leaf(decided),
        application: award,
        regulator_id: institution("cn.office"),
        order_ref: "order 7".to_owned(),
        kept: Vec::new(),
        explanation_commitment: None,
    };
    let keys = [&format!("{COLLEGE}/officer-1"), "cn.office/status"];
    bank.act(COLLEGE, body, &keys, |s| Command::ReverseAward(Box::new(s)));
    assert_eq!(status(&bank, award), ApplicationStatus::Reversed);
    bank
}

#[test]
fn a_log_of_protocol_2_is_right_from_its_genesis_or_from_its_upgrade_on() {
    for protocol in [1, 2] {
        let bank = converted(protocol);
        let shelf = Shelf::of_book();
        let report = Open::all(&bank, &shelf).verified(&bank);
        assert_eq!(report.verdict, Verdict::Ok);
        assert_eq!((report.decisions_replayed, report.structure_only), (bank.size(), 0));
    }
    let mut seen = kinds(&converted(1));
    seen.extend(kinds(&crate::accepted::eventful()));
    assert_eq!(seen.len(), EventKind::ALL.len());
}

#[test]
fn what_is_not_open_is_structure_only() {
    let bank = converted(1);
    let shelf = Shelf::of_book();
    let closed = |details, shelf| {
        let report = Open { details, shelf }.verified(&bank);
        assert_eq!(report.verdict, Verdict::Ok);
        report.structure_only
    };
    let vault: &dyn DetailsSource = &bank.vault;
    // Six applications and one publication; four deposits.
    assert_eq!(closed(Some(vault), None), 7);
    assert_eq!(closed(None, Some(&shelf)), 10);
    assert_eq!(closed(None, None), 11);
    assert_eq!(closed(Some(&NothingEarlier(&bank.vault)), Some(&shelf)), 5);
    assert_eq!(verified(&bank).structure_only, 11);
}

/// A source that has the entry at hand only.
struct NothingEarlier<'v>(&'v Vault);

impl DetailsSource for NothingEarlier<'_> {
    fn details(&self, account: AccountRef, commitment: Digest) -> Option<OpenedDetails> {
        self.0.details(account, commitment)
    }

    fn secret(&self, payload_type: &str, commitment: Digest) -> Option<OpenedDetails> {
        self.0.secret(payload_type, commitment)
    }
}

/// The secret parts of every entry, as an export has them.
struct Archive(BTreeMap<u64, Vec<SecretPart>>);

impl Archive {
    fn of(bank: &Bank) -> Self {
        let of_entry = |raw: &crate::bank::Raw| -> Vec<SecretPart> {
            let committed = commitments(&decode_parts(&raw.parts).unwrap()).unwrap();
            let opened = committed.into_iter().filter_map(|(_, payload_type, commitment)| {
                let opened = bank.vault.0.get(&commitment).cloned()?;
                Some(SecretPart { payload_type: payload_type.to_owned(), opened })
            });
            opened.collect()
        };
        Self((0..).zip(bank.entries.iter().map(of_entry)).collect())
    }
}

impl EarlierSecrets for Archive {
    fn secrets(&self, index: u64) -> Option<Vec<SecretPart>> {
        self.0.get(&index).cloned()
    }
}

#[test]
fn details_of_earlier_entries_may_come_from_an_archive() {
    let bank = converted(2);
    let shelf = Shelf::of_book();
    let mut archive = Archive::of(&bank);
    let own = NothingEarlier(&bank.vault);
    let with = |archive: &Archive| {
        let source = WithEarlier::new(&own, archive);
        Open { details: Some(&source), shelf: Some(&shelf) }.verified(&bank)
    };
    let report = with(&archive);
    assert_eq!((report.verdict, report.structure_only), (Verdict::Ok, 0));
    // Of the last record only, which two applications were about.
    let deposit =
        *archive.0.iter().filter(|(_, secrets)| is_deposit(secrets)).map(|(at, _)| at).max().unwrap();
    archive.0.remove(&deposit);
    let report = with(&archive);
    assert_eq!((report.verdict, report.structure_only), (Verdict::Ok, 2));
}

fn is_deposit(secrets: &[SecretPart]) -> bool {
    secrets.iter().any(|part| part.payload_type == credit_proto::payload_type::RECORD_DETAILS)
}

#[test]
fn an_export_opens_an_application_in_the_order_of_its_commitments() {
    let bank = converted(2);
    let shelf = Shelf::of_book();
    let archive = Archive::of(&bank);
    let broken = |archive: &Archive| {
        let mut verifier = Verifier::new(None).with_blobs(&shelf);
        let mut failed = None;
        for (index, raw) in (0u64..).zip(&bank.entries) {
            // The test bank's identities lie behind no commitment that could be opened.
            let own = EntrySecrets::new(archive.0[&index].clone());
            let opened = !archive.0[&index].is_empty();
            let source = WithEarlier::new(&own, archive);
            let details = opened.then_some(&source as &dyn DetailsSource);
            let prepared = verifier.preparer().prepare(&raw.bytes(), details);
            if let Err(halt) = verifier.push_prepared(&raw.bytes(), details, prepared) {
                failed = halt.broken().map(|broken| (broken.index, broken.rule.code()));
                break;
            }
        }
        (failed, verifier.finish(None).unwrap().structure_only)
    };
    assert_eq!(broken(&archive), (None, 0));
    let stated = archive.0.iter().find(|(_, secrets)| secrets.len() == 2).map(|(index, _)| *index).unwrap();
    let bent = |change: fn(&mut Vec<SecretPart>)| {
        let mut bent = Archive(archive.0.clone());
        change(bent.0.get_mut(&stated).unwrap());
        broken(&bent).0
    };
    assert_eq!(bent(|secrets| secrets.swap(0, 1)), Some((stated, "DETAILS_MISSING")));
    assert_eq!(bent(|secrets| drop(secrets.pop())), Some((stated, "DETAILS_MISSING")));
    assert_eq!(bent(|secrets| secrets.extend_from_within(1..)), Some((stated, "DETAILS_WRONG")));
    assert_eq!(bent(|secrets| secrets[0].opened.payload[0] ^= 1), Some((stated, "DETAILS_WRONG")));
    assert_eq!(bent(|secrets| secrets[1].opened.payload[0] ^= 1), Some((stated, "DETAILS_WRONG")));
}

#[test]
fn a_bundle_says_that_it_does_not_prove_what_was_granted() {
    let mut bank = Bank::with_book(2);
    bank.approve_ahead();
    let ann = bank.open_account("ann");
    let (record, deposited) = bank.deposit_of(ann, ALGEBRA);
    let index = bank.apply(Bank::asks(ann, &[record]), None);
    let Some(Row::Application(row)) = bank.rows.get(&RowId::Application(index)) else { panic!() };
    let granted = row.granted[0].record_id;
    let mut parcel = Parcel::of(&bank, deposited, record);
    assert!(parcel.verified(&bank.trust()).is_ok());
    let mut status = Parcel::status(&bank, index, granted);
    status.issuer_id = institution(COLLEGE);
    parcel.files.insert("status".to_owned(), sealed(&status));
    let whole = receipt(&bank, index, &all(&bank, index), true);
    parcel.put("receipt", &whole);
    breaks(parcel.verified(&bank.trust()), BundleRule::RecordGranted);
}

#[test]
fn an_issuer_that_accepts_as_well_keeps_its_history() {
    let mut bank = Bank::with_book(1);
    bank.add_key(UNIV, "cn.univ/officer", KeyPurpose::Decisions);
    let ann = bank.open_account("ann");
    let (record, deposited) = bank.deposit_of(ann, ALGEBRA);
    let body = AutoApproval { book: version(), rules: Vec::new(), until: day("2027-06-30") };
    let header = bank.header(UNIV);
    for (key, right) in [("cn.univ/officer", true), ("cn.univ/records", false)] {
        let mut bank = bank.clone();
        let (statement, part) = signed(header.clone(), body.clone(), &[key]);
        let statement = Box::new(statement);
        let event =
            Event::AutoApprovalGiven { institution_id: institution(UNIV), statement: statement.clone() };
        let draft = bank.draft(&Command::GiveAutoApproval(statement), vec![part], vec![event]);
        bank.append(&draft);
        let outcome = Parcel::of(&bank, deposited, record).verified(&bank.trust());
        if right {
            assert_eq!(outcome.unwrap().history_entries, 3, "an admission, a key, an approval");
        } else {
            breaks(outcome, BundleRule::HistoryFalse);
        }
    }
}
