//! Checkpoints of the log, and heads that were seen before.

use credit_log::tree::root_of;
use credit_types::Digest;
use credit_verify::{Broken, EXIT_BROKEN, Head, Verdict, Verifier};

use crate::bank::{Bank, ORIGIN, key, signed_head};

fn read(bank: &Bank) -> Verifier<'static> {
    let mut verifier = Verifier::new(Some(bank.trust()));
    bank.entries.iter().for_each(|raw| verifier.push(&raw.bytes()).unwrap());
    verifier
}

#[track_caller]
fn refused(verdict: &Verdict, index: u64, code: &str) {
    let Verdict::Broken(Broken { index: at, rule, detail }) = verdict else { panic!("{code}: {verdict:?}") };
    assert_eq!((*at, rule.code()), (index, code), "{detail}");
    assert_eq!(verdict.exit_code(), EXIT_BROKEN);
}

#[test]
fn a_checkpoint_is_signed_by_the_pinned_key_for_this_log() {
    let bank = Bank::founded();
    let (size, root) = (bank.size(), bank.root_at(bank.size()));
    let pinned = read(&bank);
    let mut free = Verifier::new(None);
    bank.entries.iter().for_each(|raw| free.push(&raw.bytes()).unwrap());
    for verifier in [&pinned, &free] {
        let verdict = |note: &str| verifier.finish(Some(note)).unwrap().verdict;
        assert_eq!(verdict(&bank.checkpoint()), Verdict::Ok);
        refused(&verdict(&signed_head("another", ORIGIN, size, root)), size, "CHECKPOINT_INVALID");
        refused(&verdict(&signed_head("statement", ORIGIN, size, root)), size, "CHECKPOINT_INVALID");
        let elsewhere = signed_head("checkpoint", "dev.elsewhere.example", size, root);
        refused(&verdict(&elsewhere), size, "CHECKPOINT_INVALID");
        refused(&verdict(""), size, "CHECKPOINT_INVALID");
        let bent = bank.checkpoint().replace("\n5\n", "\n4\n");
        refused(&verdict(&bent), size, "CHECKPOINT_INVALID");
    }
}

#[test]
fn a_checkpoint_is_of_exactly_these_entries() {
    let bank = Bank::founded();
    let (size, verifier) = (bank.size(), read(&bank));
    let verdict =
        |size, root| verifier.finish(Some(&signed_head("checkpoint", ORIGIN, size, root))).unwrap().verdict;
    // Signed by the bank itself, over another history.
    refused(&verdict(size, Digest([1; 32])), size, "ROOT_WRONG");
    refused(&verdict(size - 1, bank.root_at(size - 1)), size, "SIZE_WRONG");
    refused(&verdict(size + 1, Digest([1; 32])), size, "SIZE_WRONG");
}

#[test]
fn a_log_continues_what_was_seen_of_it() {
    let bank = Bank::founded();
    let size = bank.size();
    let with = |head| read(&bank).with_heads([head]).finish(Some(&bank.checkpoint())).unwrap().verdict;
    let root = |size: usize| Digest(root_of(&bank.leaves[..size]));
    assert_eq!(with(Head { size: 3, root: root(3) }), Verdict::Ok);
    assert_eq!(with(Head { size: 0, root: root(0) }), Verdict::Ok);
    refused(&with(Head { size: 3, root: root(2) }), size, "HEAD_INCONSISTENT");
    refused(&with(Head { size: 0, root: root(1) }), size, "HEAD_INCONSISTENT");
    refused(&with(Head { size: size + 1, root: root(3) }), size, "HEAD_INCONSISTENT");
}

/// Two histories of one bank, each under its own good checkpoint: who has seen the one refuses the other.
#[test]
fn a_fork_is_found_by_who_has_seen_the_other_side() {
    let mut bank = Bank::founded();
    let mut fork = bank.clone();
    bank.open_account("ann");
    fork.open_account("bob");
    let seen = Head { size: bank.size(), root: bank.root_at(bank.size()) };
    assert_eq!(read(&fork).finish(Some(&fork.checkpoint())).unwrap().verdict, Verdict::Ok);
    let verdict = read(&fork).with_heads([seen]).finish(Some(&fork.checkpoint())).unwrap().verdict;
    refused(&verdict, fork.size(), "HEAD_INCONSISTENT");
    refused(&read(&fork).finish(Some(&bank.checkpoint())).unwrap().verdict, fork.size(), "ROOT_WRONG");
}

#[test]
fn trust_can_be_taken_from_a_genesis() {
    let bank = Bank::founded();
    let taken = credit_verify::Trust::of_genesis(bank.log_id(), &crate::story::genesis()).unwrap();
    assert_eq!(taken, bank.trust());
    let mut bad = crate::story::genesis();
    bad.origin = "two words".to_owned();
    assert!(credit_verify::Trust::of_genesis(bank.log_id(), &bad).is_err());
    let mut small = crate::story::genesis();
    small.statement_keys[0].bytes = [0; 32];
    assert!(credit_verify::Trust::of_genesis(bank.log_id(), &small).is_err());
    assert_eq!(key("statement").public(), taken.statement_keys[0]);
}
