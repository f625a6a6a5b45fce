//! Bounded memory and two phases: neither changes what is said of a log.

use std::sync::Arc;

use credit_verify::{
    DetailsSource, EntryBytes, Halt, InMemory, Memory, Prepared, Report, Scratch, ScratchError, ScratchFile,
    Verifier,
};

use crate::accepted::eventful;
use crate::bank::{Bank, Raw};
use crate::rows;
use crate::story::UNIV;

/// A log of every event and of so many rows that a small memory can't hold them.
pub(crate) fn long() -> Bank {
    let mut bank = eventful();
    let accounts: Vec<_> = (0..30).map(|n| bank.open_account(&format!("learner {n}"))).collect();
    for round in 0..20 {
        for account in &accounts {
            let (record, deposited) = bank.deposit(*account);
            if round % 5 == 4 {
                bank.change_record(*account, record, credit_types::RecordAction::Suspend, deposited);
            }
        }
    }
    bank
}

fn tiny() -> Memory {
    Memory::bounded(0, Arc::new(InMemory))
}

fn report(bank: &Bank, memory: &Memory) -> (Report, Verifier<'static>) {
    let mut verifier = Verifier::within(Some(bank.trust()), memory);
    for raw in &bank.entries {
        if verifier.push(&raw.bytes()).is_err() {
            break;
        }
    }
    (verifier.finish(Some(&bank.checkpoint())).unwrap(), verifier)
}

#[test]
fn the_smallest_memory_gives_the_same_report_and_the_same_rows() {
    let bank = long();
    let (whole, mut free) = report(&bank, &Memory::default());
    let (small, mut bounded) = report(&bank, &tiny());
    assert!(free.fork().is_some() && bounded.fork().is_none(), "a small memory uses its files");
    assert_eq!(whole, small);
    let rebuilt = rows(&mut bounded);
    assert_eq!(rebuilt, rows(&mut free));
    assert_eq!(rebuilt, bank.rows);
    // What was written out is found again: the log goes on.
    let mut bank = bank;
    let account = bank.open_account("one more");
    bank.deposit(account);
    for raw in &bank.entries[usize::try_from(small.size).unwrap()..] {
        bounded.push(&raw.bytes()).unwrap();
    }
    assert_eq!(rows(&mut bounded), bank.rows);
}

#[test]
fn a_record_that_comes_twice_is_refused_though_the_first_was_written_out() {
    let mut bank = long();
    let again = bank.entries[usize::try_from(bank.size()).unwrap() / 2].clone();
    bank.append_parts(again.parts);
    let expected = report(&bank, &Memory::default()).0;
    assert_ne!(expected.verdict.exit_code(), 0);
    assert_eq!(report(&bank, &tiny()).0, expected);
}

/// Reads all entries of a window at once, as far ahead of the verifier as it may be.
fn in_windows(bank: &Bank, window: usize, details: Option<&dyn DetailsSource>) -> Report {
    let mut verifier = Verifier::new(Some(bank.trust()));
    let preparer = verifier.preparer();
    'log: for entries in bank.entries.chunks(window) {
        let prepared: Vec<(&Raw, Prepared)> =
            entries.iter().map(|raw| (raw, preparer.prepare(&raw.bytes(), details))).collect();
        for (raw, prepared) in prepared {
            if verifier.push_prepared(&raw.bytes(), details, prepared).is_err() {
                break 'log;
            }
        }
    }
    verifier.finish(Some(&bank.checkpoint())).unwrap()
}

#[test]
fn reading_ahead_changes_nothing() {
    let bank = eventful();
    for details in [None, Some(&bank.vault as &dyn DetailsSource)] {
        let expected = in_windows(&bank, 1, details);
        assert_eq!(expected.verdict.exit_code(), 0);
        for window in [2, 7, 1_000] {
            assert_eq!(in_windows(&bank, window, details), expected, "{window}");
        }
    }
}

#[test]
fn the_first_bad_entry_and_rule_are_the_same_however_far_ahead_it_was_read() {
    let sound = eventful();
    for index in (0..sound.entries.len()).step_by(2) {
        let mut bank = sound.clone();
        // Two entries are bad: the second is worse, and read at the same time.
        bank.entries[index].secret[0] ^= 1;
        if let Some(later) = bank.entries.get_mut(index + 1) {
            later.core.clear();
        }
        let expected = in_windows(&bank, 1, None);
        assert_eq!(in_windows(&bank, 1_000, None), expected, "{index}");
    }
    // A key that is named in the very window in which it signs, and one that is named nowhere.
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    bank.deposit(ann);
    let mut lacking = bank.clone();
    lacking.entries.remove(2);
    assert_eq!(in_windows(&lacking, 1_000, None), in_windows(&lacking, 1, None));
    bank.add_key(UNIV, "cn.univ/records-2", credit_types::KeyPurpose::Records);
    assert_eq!(in_windows(&bank, 1_000, None), in_windows(&bank, 1, None));
}

/// A disk that is full from the first byte on.
struct Full;

impl ScratchFile for Full {
    fn append(&mut self, _bytes: &[u8]) -> Result<(), ScratchError> {
        Err(ScratchError::new(std::fmt::Error))
    }

    fn read(&self, _offset: u64, _into: &mut [u8]) -> Result<(), ScratchError> {
        Err(ScratchError::new(std::fmt::Error))
    }
}

impl Scratch for Full {
    fn file(&self) -> Result<Box<dyn ScratchFile>, ScratchError> {
        Ok(Box::new(Self))
    }
}

#[test]
fn a_full_disk_is_no_verdict() {
    let bank = long();
    let mut verifier = Verifier::within(Some(bank.trust()), &Memory::bounded(0, Arc::new(Full)));
    let halt = bank.entries.iter().find_map(|raw| verifier.push(&raw.bytes()).err()).unwrap();
    assert!(matches!(halt, Halt::Scratch(_)) && halt.broken().is_none());
    assert!(verifier.finish(None).is_err());
    let raw = &bank.entries[0];
    let entry = EntryBytes { core: &raw.core, secret: &raw.secret, parts: &raw.parts };
    assert!(matches!(verifier.push(&entry), Err(Halt::Scratch(_))), "it stays so");
}

/// A source that has all details but those of one record, and says that it has all.
struct Claims<'b>(&'b crate::bank::Vault, credit_types::Digest);

impl DetailsSource for Claims<'_> {
    fn details(
        &self,
        account: credit_types::AccountRef,
        commitment: credit_types::Digest,
    ) -> Option<credit_verify::OpenedDetails> {
        if commitment == self.1 { None } else { self.0.details(account, commitment) }
    }

    fn is_complete(&self) -> bool {
        true
    }
}

#[test]
fn details_that_are_claimed_must_be_there() {
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    bank.deposit(ann);
    let before: Vec<_> = bank.vault.0.keys().copied().collect();
    let (_, index) = bank.deposit(ann);
    bank.deposit(ann);
    let of_index = deposit_commitment(&bank, index);
    assert!(!before.contains(&of_index));
    let nothing_lacks = credit_types::Digest([0; 32]);
    // The test bank's identities lie behind no commitment that could be opened.
    let opened = bank.size() - 4;
    let broken = |from: u64, lacking| {
        let claims = Claims(&bank.vault, lacking);
        let mut verifier = Verifier::new(Some(bank.trust()));
        let failed = (0u64..).zip(&bank.entries).find_map(|(at, raw)| {
            let details = (at >= from).then_some(&claims as &dyn DetailsSource);
            let prepared = verifier.preparer().prepare(&raw.bytes(), details);
            verifier.push_prepared(&raw.bytes(), details, prepared).err()
        });
        failed.map(|halt| halt.broken().map(|broken| (broken.index, broken.rule.code())).unwrap())
    };
    assert_eq!(broken(0, nothing_lacks), Some((opened, "DETAILS_MISSING")));
    assert_eq!(broken(opened + 1, nothing_lacks), None);
    assert_eq!(broken(opened + 1, of_index), Some((index, "DETAILS_MISSING")));
}

fn deposit_commitment(bank: &Bank, index: u64) -> credit_types::Digest {
    let raw = &bank.entries[usize::try_from(index).unwrap()];
    let parts = credit_proto::entry::decode_parts(&raw.parts).unwrap();
    let account = credit_proto::entry::hydrate(&parts, None, |_| None, credit_log::batch::record_leaf);
    let Ok([credit_types::Event::RecordDeposited { facts, .. }]) = account.as_deref() else { panic!() };
    facts.details_commitment
}
