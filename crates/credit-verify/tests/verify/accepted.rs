//! What is right is accepted, and counted.

use std::collections::BTreeSet;

use credit_log::tree::root_of;
use credit_proto::entry::decode_parts;
use credit_types::{AccountAction, KeyPurpose, RecordAction, Role};
use credit_verify::{EXIT_OK, Head, Verdict, Verifier};

use crate::bank::Bank;
use crate::story::{CENTRE, UNIV};
use crate::verified;

/// A bank to which everything has happened that can happen.
pub(crate) fn eventful() -> Bank {
    let mut bank = Bank::founded();
    let added = bank.add_key(UNIV, "cn.univ/records-2", KeyPurpose::Records);
    bank.retire_key(UNIV, "cn.univ/records-2", added);
    let added = bank.add_key(UNIV, "cn.univ/records-3", KeyPurpose::Records);
    bank.report_key(UNIV, "cn.univ/records-3", added);
    let ann = bank.open_account("ann");
    let (first, deposited) = bank.deposit(ann);
    let suspended = bank.change_record(ann, first, RecordAction::Suspend, deposited);
    let reinstated = bank.change_record(ann, first, RecordAction::Reinstate, suspended);
    let (second, _) = bank.correct(ann, first, reinstated);
    bank.change_record(ann, second, RecordAction::Revoke, 0);
    let opened = bank.size() - 6;
    let suspended = bank.change_account(ann, AccountAction::Suspend, opened);
    let reinstated = bank.change_account(ann, AccountAction::Reinstate, suspended);
    let openings = bank.opening_batch(3);
    bank.submit(&openings, 0, &[1]).unwrap();
    let records = bank.record_batch(ann, 70);
    bank.submit(&records, 0, &[0, 5, 63]).unwrap();
    bank.submit(&records, 1, &[]).unwrap();
    let early = bank.record_batch(ann, 65);
    bank.submit(&early, 0, &[]).unwrap();
    bank.close_batch(&early, UNIV, "records");
    bank.change_account(ann, AccountAction::Close, reinstated);
    bank.admit("cn.office", &[Role::Regulator]);
    bank
}

/// The kinds of events that a bank has recorded.
pub(crate) fn kinds(bank: &Bank) -> BTreeSet<i32> {
    let parts = bank.entries.iter().map(|raw| decode_parts(&raw.parts).unwrap());
    parts.flat_map(|parts| parts.events).map(|event| event.kind).collect()
}

#[test]
fn a_log_of_every_event_is_right_and_is_counted() {
    let bank = eventful();
    // Fourteen came with protocol 1; the others are in `conversions`.
    assert_eq!(kinds(&bank), (1..=14).collect());
    let report = verified(&bank);
    assert_eq!(report.verdict, Verdict::Ok);
    assert_eq!(report.verdict.exit_code(), EXIT_OK);
    assert_eq!((report.entries, report.size), (bank.size(), bank.size()));
    assert_eq!(report.root, bank.root_at(bank.size()));
    // A single deposit, a correction, three chunks of records.
    assert_eq!(report.structure_only, 5);
    assert_eq!((report.decisions_replayed, report.erased), (bank.size() - 5, 0));
    let parts: Vec<_> = bank.entries.iter().map(|raw| decode_parts(&raw.parts).unwrap()).collect();
    let statements: usize = parts.iter().map(|parts| parts.statements.len()).sum();
    assert_eq!(report.statements, statements as u64);
    // Four chunks carry no signature of their own; of the others some carry several.
    assert!(report.signatures > bank.size());
}

#[test]
fn with_details_every_decision_is_made_again() {
    let bank = eventful();
    let mut verifier = Verifier::new(None).with_details(&bank.vault);
    for raw in &bank.entries {
        verifier.push(&raw.bytes()).unwrap();
    }
    let report = verifier.finish(Some(&bank.checkpoint())).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    assert_eq!((report.decisions_replayed, report.structure_only), (bank.size(), 0));
}

#[test]
fn the_rows_are_those_of_the_bank() {
    let bank = eventful();
    let mut verifier = Verifier::new(Some(bank.trust()));
    for raw in &bank.entries {
        verifier.push(&raw.bytes()).unwrap();
    }
    assert_eq!(crate::rows(&mut verifier), bank.rows);
}

#[test]
fn a_log_of_more_than_a_tile_continues_every_head_seen_on_the_way() {
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    while bank.size() < 300 {
        bank.deposit(ann);
    }
    let heads = (0..=300usize)
        .map(|size| Head { size: size as u64, root: credit_types::Digest(root_of(&bank.leaves[..size])) });
    let mut verifier = Verifier::new(None).with_heads(heads);
    for raw in &bank.entries {
        verifier.push(&raw.bytes()).unwrap();
    }
    assert_eq!(verifier.finish(Some(&bank.checkpoint())).unwrap().verdict, Verdict::Ok);
}

#[test]
fn a_key_retired_since_is_judged_at_its_manifest() {
    let mut bank = Bank::founded();
    let added = bank.add_key(CENTRE, "cn.centre/registry-2", KeyPurpose::Registry);
    let batch = bank.opening_batch(70);
    bank.submit(&batch, 0, &[]).unwrap();
    bank.retire_key(CENTRE, "cn.centre/registry", 3);
    bank.submit(&batch, 1, &[]).unwrap();
    bank.retire_key(CENTRE, "cn.centre/registry-2", added);
    assert_eq!(verified(&bank).verdict, Verdict::Ok);
}
