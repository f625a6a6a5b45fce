//! Bytes that were changed, dropped or moved after they were written, and entries whose bytes a bank got wrong.

use credit_log::hash::leaf_hash;
use credit_log::parts::parts_root;
use credit_proto::entry::{decode_core, encode_core};
use credit_proto::strict::{decode, encode};
use credit_proto::v1;
use credit_types::{Command, Digest, EntryCore};
use credit_verify::{EntryBytes, Halt, Verdict, Verifier};

use crate::accepted::eventful;
use crate::bank::{Bank, SECOND_US, signed};
use crate::breaks;
use crate::college::Shelf;
use crate::conversions::converted;
use crate::story::UNIV;

/// A bank with an account and two deposits, the last of them at index 7.
fn small() -> Bank {
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    bank.deposit(ann);
    bank.deposit(ann);
    bank
}

/// The parts of a deposit that is still to be written, and the bank that is about to.
fn pending() -> (Bank, Vec<Vec<u8>>) {
    let mut bank = small();
    let ann = Bank::drawn("ann").account_ref;
    let facts = bank.facts(ann);
    let check = Box::new(bank.check(&facts));
    let header = bank.header(UNIV);
    let (statement, part) = signed(header, facts, &["cn.univ/records"]);
    let command = Command::DepositRecord(Box::new(statement), check);
    let events = bank.decide(&command).unwrap();
    let parts = bank.draft(&command, vec![part], events).parts();
    (bank, parts)
}

#[test]
fn every_flipped_bit_is_found() {
    let bank = small();
    let last = bank.entries.last().unwrap();
    let mut before = Verifier::new(Some(bank.trust()));
    for raw in &bank.entries[..bank.entries.len() - 1] {
        before.push(&raw.bytes()).unwrap();
    }
    let verdict = |raw: &crate::bank::Raw| {
        let mut verifier = before.fork().unwrap();
        let pushed = verifier.push(&raw.bytes());
        let verdict = verifier.finish(Some(&bank.checkpoint())).unwrap().verdict;
        // A time that moves forward breaks nothing but the root.
        let Verdict::Broken(broken) = verdict else { panic!("{verdict:?}") };
        let said = pushed.as_ref().err().and_then(Halt::broken);
        assert!(pushed.is_ok() || said == Some(&broken));
        broken.rule.code()
    };
    for bit in 0..8 {
        for at in 0..last.core.len() {
            let mut raw = last.clone();
            raw.core[at] ^= 1 << bit;
            verdict(&raw);
        }
        for at in 0..32 {
            let mut raw = last.clone();
            raw.secret[at] ^= 1 << bit;
            assert_eq!(verdict(&raw), "PARTS_ROOT_WRONG");
        }
    }
    for part in 0..last.parts.len() {
        for at in 0..last.parts[part].len() {
            let mut raw = last.clone();
            raw.parts[part][at] ^= 1 << (at % 8);
            assert_eq!(verdict(&raw), "PARTS_ROOT_WRONG", "part {part} byte {at}");
        }
    }
}

#[test]
fn an_entry_dropped_repeated_or_moved_is_found() {
    let bank = small();
    let mut dropped = bank.clone();
    dropped.entries.remove(3);
    breaks(&dropped, 3, "INDEX_WRONG");
    let mut repeated = bank.clone();
    repeated.entries.insert(4, bank.entries[3].clone());
    breaks(&repeated, 4, "INDEX_WRONG");
    let mut moved = bank.clone();
    moved.entries.swap(5, 6);
    breaks(&moved, 5, "INDEX_WRONG");
    let mut without_first = bank.clone();
    without_first.entries.remove(0);
    breaks(&without_first, 0, "LOG_ID_WRONG");
    let mut cut = bank.clone();
    cut.entries.pop();
    breaks(&cut, 7, "SIZE_WRONG");
    let mut none = bank;
    none.entries.clear();
    breaks(&none, 0, "GENESIS_MISSING");
}

#[test]
fn time_never_decreases() {
    let (mut bank, parts) = pending();
    bank.now_us -= SECOND_US;
    let mut equal = bank.clone();
    equal.append_parts(parts.clone());
    assert_eq!(crate::verified(&equal).verdict, Verdict::Ok);
    bank.now_us -= 1;
    let index = bank.append_parts(parts);
    breaks(&bank, index, "TIME_BACKWARDS");
}

#[test]
fn a_core_is_canonical() {
    let mut bank = small();
    let core = &mut bank.entries[7].core;
    core.extend([0x28, 0x01]);
    bank.leaves[7] = leaf_hash(&bank.entries[7].core);
    breaks(&bank, 7, "CORE_NOT_CANONICAL");
}

/// Writes the pending deposit with another head.
fn with_head(change: impl Fn(&mut v1::EntryHead)) -> (Bank, u64) {
    let (mut bank, mut parts) = pending();
    let mut head: v1::EntryHead = decode(&parts[0][1..]).unwrap();
    change(&mut head);
    parts[0] = [vec![1], encode(&head)].concat();
    let index = bank.append_parts(parts);
    (bank, index)
}

#[test]
fn a_head_counts_exactly_the_parts_that_are_there() {
    let (bank, index) = with_head(|head| head.statements = 0);
    breaks(&bank, index, "HEAD_COUNTS_WRONG");
    let (bank, index) = with_head(|head| head.events = 2);
    breaks(&bank, index, "HEAD_COUNTS_WRONG");
    // The sum is right, the kinds are not.
    let (bank, index) = with_head(|head| (head.links, head.statements) = (2, 0));
    breaks(&bank, index, "HEAD_COUNTS_WRONG");
    let (bank, index) = with_head(|head| head.events = 129);
    breaks(&bank, index, "PARTS_NOT_CANONICAL");
    for change in [
        |parts: &mut Vec<Vec<u8>>| drop(parts.pop()),
        |parts: &mut Vec<Vec<u8>>| parts.push(parts[3].clone()),
        |parts: &mut Vec<Vec<u8>>| parts.swap(2, 3),
        |parts: &mut Vec<Vec<u8>>| drop(parts.remove(0)),
    ] {
        let (mut bank, mut parts) = pending();
        change(&mut parts);
        let index = bank.append_parts(parts);
        breaks(&bank, index, "HEAD_COUNTS_WRONG");
    }
}

#[test]
fn a_head_names_who_signed_and_under_which_id() {
    let (bank, index) = with_head(|head| head.actor_id = b"cn.centre".to_vec());
    breaks(&bank, index, "ACTOR_WRONG");
    let (bank, index) = with_head(|head| head.command_id[15] ^= 1);
    breaks(&bank, index, "ACTOR_WRONG");
    let (bank, index) = with_head(|head| head.actor_kind = 1);
    breaks(&bank, index, "PARTS_NOT_CANONICAL");
}

#[test]
fn parts_are_canonical() {
    for part in 0..4 {
        let (mut bank, mut parts) = pending();
        parts[part].extend([0xf8, 0x07, 0x01]);
        let index = bank.append_parts(parts);
        breaks(&bank, index, "PARTS_NOT_CANONICAL");
    }
    let (mut bank, _) = pending();
    let index = bank.append_parts(Vec::new());
    breaks(&bank, index, "PARTS_NOT_CANONICAL");
}

/// What a bank draws or looks up by itself.
fn of_the_bank(event: &v1::Event) -> bool {
    event.account_opened.is_some() || event.record_deposited.is_some() || event.batch_chunk.is_some()
}

/// A bank that changes a byte and hashes again: every 7th byte, each with another bit. Nothing it does stops the
/// verifier, and all that it can choose lies in events that hold assertions. Gives how many bytes were tried and chosen.
fn choosing(
    bank: &Bank,
    mut verifier: Verifier<'_>,
    asserted: &dyn Fn(&v1::Event) -> bool,
) -> (usize, usize) {
    let (mut tried, mut chosen) = (0, 0);
    for raw in &bank.entries {
        let index = verifier.finish(None).unwrap().size;
        let time = decode_core(&raw.core).unwrap().recorded_at_us;
        let lengths: Vec<(usize, usize)> = raw.parts.iter().map(Vec::len).enumerate().collect();
        let places = lengths.into_iter().flat_map(|(part, length)| (0..length).map(move |at| (part, at)));
        for (number, (part, at)) in places.enumerate().filter(|(number, _)| number % 7 == 0) {
            let mut parts = raw.parts.clone();
            parts[part][at] ^= 1 << (number / 7 % 8);
            let parts_root = Digest(parts_root(&raw.secret, &parts));
            let core = encode_core(&EntryCore { index, recorded_at_us: time, parts_root });
            let entry = EntryBytes { core: &core, secret: &raw.secret, parts: &parts };
            tried += 1;
            if verifier.fork().unwrap().push(&entry).is_ok() {
                chosen += 1;
                let event: v1::Event = decode(&parts[part][1..]).unwrap();
                let place = format!("entry {index} part {part} byte {at}");
                assert!(parts[part][0] == 4 && asserted(&event), "{place}");
            }
        }
        verifier.push(&raw.bytes()).unwrap();
    }
    (tried, chosen)
}

#[test]
fn no_byte_but_an_assertion_can_be_chosen() {
    let (tried, chosen) = choosing(&eventful(), Verifier::new(None), &of_the_bank);
    assert!(tried > 5_000 && chosen > 0 && chosen < tried / 50, "{chosen} of {tried}");
}

#[test]
fn what_a_book_grants_can_be_chosen_where_it_is_not_open_and_nowhere_else() {
    let (bank, shelf) = (converted(1), Shelf::of_book());
    let open = Verifier::new(None).with_details(&bank.vault).with_blobs(&shelf);
    // A commitment that nothing opens is closed to this reader. A source that claims to have all breaks there.
    let unopened = |event: &v1::Event| {
        let committed =
            event.conversion_requested.as_ref().map(|body| body.explanation_commitment.as_slice());
        let commitment = committed.map(|hash| Digest::from_slice(hash).unwrap());
        of_the_bank(event) || commitment.is_some_and(|hash| !bank.vault.0.contains_key(&hash))
    };
    let (tried, few) = choosing(&bank, open, &unopened);
    assert!(tried > 1_500, "{tried}");
    let proposed = |event: &v1::Event| of_the_bank(event) || event.conversion_requested.is_some();
    let (_, more) = choosing(&bank, Verifier::new(None), &proposed);
    assert!(few < more && more < tried / 10, "{few} and {more} of {tried}");
}

#[test]
fn what_was_broken_stays_broken() {
    let mut bank = small();
    bank.entries[2].secret[0] ^= 1;
    let mut verifier = Verifier::new(None);
    let first: Vec<Result<(), Halt>> = bank.entries.iter().map(|raw| verifier.push(&raw.bytes())).collect();
    assert!(first[..2].iter().all(Result::is_ok));
    let said = first[2].as_ref().unwrap_err().broken().unwrap().clone();
    assert_eq!((said.index, said.rule.code()), (2, "PARTS_ROOT_WRONG"));
    assert!(first[2..].iter().all(|pushed| pushed.as_ref().unwrap_err().broken() == Some(&said)));
    let report = verifier.finish(None).unwrap();
    assert_eq!((report.entries, report.size, report.verdict), (2, 2, Verdict::Broken(said)));
}
