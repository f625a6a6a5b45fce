//! Receipts: what they prove, and that nothing in them can be exchanged.

use credit_log::checkpoint;
use credit_log::cosignature::Cosigner;
use credit_log::envelope::SigningKey;
use credit_log::inclusion::prove_in;
use credit_log::note::Note;
use credit_log::parts::open;
use credit_log::policy::Policy;
use credit_log::receipt::TlogProof;
use credit_proto::strict::{Canonical, decode, encode};
use credit_proto::v1;
use credit_types::{Digest, LogId, Subject};
use credit_verify::{
    Fault, Trust, VerifiedReceipt, WitnessedBy, Witnesses, expects_leaf, expects_statement, verify_receipt,
};

use crate::bank::{Bank, ORIGIN, note_signer, signed_head};

/// A bank with an account at index 5 and two deposits.
pub(crate) fn bank() -> Bank {
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    bank.deposit(ann);
    bank.deposit(ann);
    bank
}

/// The receipt of an entry that opens these parts.
pub(crate) fn receipt(bank: &Bank, index: u64, numbers: &[u32]) -> v1::Receipt {
    let raw = &bank.entries[usize::try_from(index).unwrap()];
    let path = prove_in(&bank.leaves, index).unwrap();
    let proof = TlogProof { extra: None, index, path, checkpoint: bank.checkpoint() };
    let parts = numbers.iter().map(|number| {
        let opened = open(&raw.secret, &raw.parts, *number).unwrap();
        v1::PartOpening {
            number: *number,
            salt: opened.salt.to_vec(),
            part: opened.part,
            path: opened.path.iter().map(|hash| hash.to_vec()).collect(),
        }
    });
    v1::Receipt {
        core: raw.core.clone(),
        parts: parts.collect(),
        tlog_proof: proof.format().unwrap(),
        witness_state: v1::WitnessState::Unwitnessed.into(),
    }
}

fn good() -> (Bank, v1::Receipt) {
    let bank = bank();
    let receipt = receipt(&bank, 6, &[0, 1, 2, 3]);
    (bank, receipt)
}

#[test]
fn a_receipt_proves_the_entry_and_the_parts_it_opens() {
    let (bank, receipt_of_all) = good();
    let verified = verify_receipt(&receipt_of_all, &bank.trust()).unwrap();
    let VerifiedReceipt { core, leaf_hash, head, links, statements, events, checkpoint, witnesses } =
        &verified;
    assert_eq!(*witnesses, Witnesses::NotPinned { claimed: false });
    assert_eq!((core.index, *leaf_hash), (6, bank.leaf(6)));
    assert_eq!((head.links, head.statements, head.events), (1, 1, 1));
    assert_eq!((links.len(), statements.len(), events.len()), (1, 1, 1));
    assert_eq!((checkpoint.size, Digest(checkpoint.root)), (8, bank.root_at(8)));
    let ann = Subject::Account(Bank::drawn("ann").account_ref);
    assert_eq!(verified.link_of(&ann).unwrap().sequence, 2);
    assert_eq!(verified.link_of(&Subject::Log), None);
    for index in 0..bank.size() {
        let head_only = verify_receipt(&receipt(&bank, index, &[0]), &bank.trust()).unwrap();
        assert!(head_only.links.is_empty() && head_only.statements.is_empty() && head_only.events.is_empty());
    }
    let event_only = verify_receipt(&receipt(&bank, 6, &[0, 3]), &bank.trust()).unwrap();
    assert_eq!(event_only.events.len(), 1);
}

#[test]
fn a_receipt_records_the_statement_that_was_sent() {
    let (bank, receipt_of_all) = good();
    let verified = verify_receipt(&receipt_of_all, &bank.trust()).unwrap();
    let wire: v1::StatementPart = decode(&receipt_of_all.parts[2].part[1..]).unwrap();
    let sent = wire.envelope.unwrap();
    assert_eq!(expects_statement(&verified, &sent.payload_type, &sent.payload), Ok(()));
    let mut other = sent.payload.clone();
    other[10] ^= 1;
    assert_eq!(expects_statement(&verified, &sent.payload_type, &other), Err(Fault::OtherStatement));
    assert_eq!(expects_statement(&verified, "a/b", &sent.payload), Err(Fault::OtherStatement));
    let closed = verify_receipt(&receipt(&bank, 6, &[0, 1]), &bank.trust()).unwrap();
    let missing = expects_statement(&closed, &sent.payload_type, &sent.payload);
    assert_eq!(missing, Err(Fault::OtherStatement));
}

#[test]
fn a_receipt_of_a_chunk_records_the_leaf() {
    let mut bank = bank();
    let batch = bank.opening_batch(3);
    let index = bank.submit(&batch, 0, &[1]).unwrap();
    let parts: Vec<u32> = (0..8).collect();
    let verified = verify_receipt(&receipt(&bank, index, &parts), &bank.trust()).unwrap();
    let of = batch.manifest_index;
    assert_eq!(expects_leaf(&verified, of, 2, &batch.payloads[2]), Ok(()));
    for (of, position, leaf) in [(of, 1, 1), (of, 2, 0), (of, 0, 2), (of + 1, 2, 2)] {
        let expected = expects_leaf(&verified, of, position, &batch.payloads[leaf]);
        assert_eq!(expected, Err(Fault::OtherStatement));
    }
}

#[test]
fn every_flipped_bit_of_a_receipt_is_found() {
    let (bank, good) = good();
    let trust = bank.trust();
    let bad = |receipt: &v1::Receipt, what: &str| {
        assert!(verify_receipt(receipt, &trust).is_err(), "{what}");
    };
    for at in 0..good.core.len() {
        let mut receipt = good.clone();
        receipt.core[at] ^= 1 << (at % 8);
        bad(&receipt, "core");
    }
    for number in 0..good.parts.len() {
        for at in 0..good.parts[number].part.len() {
            let mut receipt = good.clone();
            receipt.parts[number].part[at] ^= 1 << (at % 8);
            bad(&receipt, "part");
        }
        for at in 0..32 {
            let mut receipt = good.clone();
            receipt.parts[number].salt[at] ^= 1;
            bad(&receipt, "salt");
            for hash in 0..good.parts[number].path.len() {
                let mut receipt = good.clone();
                receipt.parts[number].path[hash][at] ^= 1;
                bad(&receipt, "path");
            }
        }
    }
    for at in 0..good.tlog_proof.len() {
        let mut bytes = good.tlog_proof.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(tlog_proof) = String::from_utf8(bytes) else { continue };
        bad(&v1::Receipt { tlog_proof, ..good.clone() }, "proof");
    }
}

/// Changes a good receipt and gives what is found.
fn bent(change: impl Fn(&Bank, &mut v1::Receipt)) -> Fault {
    let (bank, mut receipt) = good();
    change(&bank, &mut receipt);
    verify_receipt(&receipt, &bank.trust()).unwrap_err()
}

/// Takes the proof of a receipt apart, changes it and puts it together again.
fn with_proof(receipt: &mut v1::Receipt, change: impl Fn(&mut TlogProof)) {
    let mut proof = TlogProof::parse(&receipt.tlog_proof).unwrap();
    change(&mut proof);
    receipt.tlog_proof = proof.format().unwrap();
}

#[test]
fn a_forged_field_is_named() {
    let other_entry = bent(|bank, it| it.core = bank.entries[7].core.clone());
    assert!(matches!(other_entry, Fault::ProofFalse(_)), "{other_entry:?}");
    let other_proof = bent(|bank, it| it.tlog_proof = receipt(bank, 7, &[0]).tlog_proof);
    assert!(matches!(other_proof, Fault::ProofFalse(_)));
    assert!(matches!(bent(|_, it| it.tlog_proof.clear()), Fault::ProofUnreadable(_)));
    let other_key = bent(|bank, it| {
        let root = bank.root_at(8);
        with_proof(it, |proof| proof.checkpoint = signed_head("another", ORIGIN, 8, root));
    });
    assert!(matches!(other_key, Fault::ProofFalse(_)));
    let other_origin = bent(|bank, it| {
        let root = bank.root_at(8);
        with_proof(it, |proof| {
            proof.checkpoint = signed_head("checkpoint", "dev.elsewhere.example", 8, root);
        });
    });
    assert!(matches!(other_origin, Fault::ProofFalse(_)));
    let other_root = bent(|_, it| {
        with_proof(it, |proof| proof.checkpoint = signed_head("checkpoint", ORIGIN, 8, Digest([1; 32])));
    });
    assert!(matches!(other_root, Fault::ProofFalse(_)));
    assert_eq!(bent(|_, it| it.witness_state = v1::WitnessState::Unspecified.into()), Fault::WitnessClaim);
    assert_eq!(bent(|_, it| it.witness_state = 9), Fault::WitnessClaim);
}

/// A policy of three witnesses, two of which are enough.
fn two_of_three() -> Policy {
    let line = |n: u8| format!("witness w{n} {}\n", cosigner(n).verifier().text());
    let text = format!("{}{}{}group g 2 w1 w2 w3\nquorum g\n", line(1), line(2), line(3));
    Policy::parse(text.as_bytes()).unwrap()
}

fn cosigner(number: u8) -> Cosigner {
    Cosigner::new(&format!("w.example/{number}"), SigningKey::from_seed([number; 32])).unwrap()
}

/// A receipt of entry 6 that is cosigned by these witnesses at these times, and says that it is.
fn cosigned(bank: &Bank, by: &[(u8, u64)]) -> v1::Receipt {
    let mut receipt = receipt(bank, 6, &[0, 1, 2, 3]);
    receipt.witness_state = v1::WitnessState::Witnessed.into();
    with_proof(&mut receipt, |proof| {
        let mut note = Note::parse(&proof.checkpoint).unwrap();
        for (number, time_s) in by {
            note.signatures.push(cosigner(*number).sign(&note.text, *time_s).unwrap());
        }
        proof.checkpoint = note.format().unwrap();
    });
    receipt
}

#[test]
fn a_receipt_is_witnessed_where_the_pinned_policy_is_met_and_nowhere_else() {
    let (bank, good) = good();
    let trust = Trust { witness_policy: Some(two_of_three()), ..bank.trust() };
    let verified =
        |receipt: &v1::Receipt, trust: &Trust| verify_receipt(receipt, trust).map(|it| it.witnesses);
    let recorded_s =
        u64::try_from(verify_receipt(&good, &bank.trust()).unwrap().core.recorded_at_us / 1_000_000);
    let recorded_s = recorded_s.unwrap();
    let by = |name: &str, time_s| WitnessedBy { name: name.to_owned(), time_s };
    let enough = cosigned(&bank, &[(3, recorded_s + 1), (1, recorded_s)]);
    let met = Witnesses::Met(vec![by("w1", recorded_s), by("w3", recorded_s + 1)]);
    assert!(met.are_enough());
    assert_eq!(verified(&enough, &trust), Ok(met.clone()));
    // The cosignatures count, not what the receipt says of them.
    let mut modest = enough.clone();
    modest.witness_state = v1::WitnessState::Unwitnessed.into();
    assert_eq!(verified(&modest, &trust), Ok(met));
    assert_eq!(verified(&good, &trust), Ok(Witnesses::NotMet));
    // Too few, the same one twice, a stranger, and one from before the entry was made.
    let early = recorded_s - credit_log::policy::EARLY_S_MAX - 1;
    for few in
        [&[(1, recorded_s)][..], &[(1, recorded_s), (1, recorded_s + 9)], &[(1, recorded_s), (4, recorded_s)]]
    {
        assert_eq!(verified(&cosigned(&bank, few), &trust), Err(Fault::WitnessClaim), "{few:?}");
    }
    let replayed = cosigned(&bank, &[(1, recorded_s), (2, early)]);
    assert_eq!(verified(&replayed, &trust), Err(Fault::WitnessClaim));
    let in_time = cosigned(&bank, &[(1, recorded_s), (2, early + 1)]);
    assert!(verified(&in_time, &trust).unwrap().are_enough());
    // A false line of a known witness rejects all, also where the others would be enough.
    let mut forged = cosigned(&bank, &[(1, recorded_s), (2, recorded_s), (3, recorded_s)]);
    with_proof(&mut forged, |proof| {
        let mut note = Note::parse(&proof.checkpoint).unwrap();
        note.signatures[3].signature[70] ^= 1;
        proof.checkpoint = note.format().unwrap();
    });
    assert!(matches!(verified(&forged, &trust), Err(Fault::ProofFalse(_))));
    // Without a policy, or under one that asks for nobody, no cosignature counts, and no claim does.
    let nobody = Trust { witness_policy: Some(Policy::parse(b"quorum none\n").unwrap()), ..bank.trust() };
    for trust in [bank.trust(), nobody] {
        assert_eq!(verified(&enough, &trust), Ok(Witnesses::NotPinned { claimed: true }));
        assert_eq!(verified(&good, &trust), Ok(Witnesses::NotPinned { claimed: false }));
    }
}

#[test]
fn the_parts_of_a_receipt_begin_with_the_head_and_ascend() {
    assert_eq!(bent(|_, it| it.parts.clear()), Fault::HeadMissing);
    assert_eq!(bent(|_, it| drop(it.parts.remove(0))), Fault::HeadMissing);
    assert_eq!(bent(|_, it| it.parts.swap(1, 2)), Fault::PartOrder { number: 1 });
    assert_eq!(bent(|_, it| it.parts.push(it.parts[3].clone())), Fault::PartOrder { number: 3 });
    assert_eq!(bent(|_, it| it.parts.push(it.parts[0].clone())), Fault::PartOrder { number: 0 });
    assert_eq!(bent(|_, it| it.parts[2].salt.truncate(31)), Fault::PartBytes { number: 2 });
    assert_eq!(bent(|_, it| it.parts[2].path[0].push(0)), Fault::PartBytes { number: 2 });
    let renumbered = bent(|_, it| it.parts[3].number = 4);
    assert!(matches!(renumbered, Fault::PartFalse { number: 4, .. }), "{renumbered:?}");
    let shorter = bent(|_, it| drop(it.parts[1].path.pop()));
    assert!(matches!(shorter, Fault::PartFalse { number: 1, .. }));
    let exchanged = bent(|bank, it| it.parts[1] = receipt(bank, 7, &[1]).parts.remove(0));
    assert!(matches!(exchanged, Fault::PartFalse { number: 1, .. }));
}

#[test]
fn a_receipt_is_of_the_pinned_log() {
    let (bank, good) = good();
    let elsewhere = Trust { log_id: LogId([9; 32]), ..bank.trust() };
    assert_eq!(verify_receipt(&good, &elsewhere), Err(Fault::OtherLog));
    let genesis = receipt(&bank, 0, &[0, 1, 2, 3]);
    assert!(verify_receipt(&genesis, &bank.trust()).is_ok());
    assert_eq!(verify_receipt(&genesis, &elsewhere), Err(Fault::OtherLog));
    // Entry 0 is the log, whatever of it is opened.
    assert_eq!(verify_receipt(&receipt(&bank, 0, &[0]), &elsewhere), Err(Fault::OtherLog));
    let no_keys = Trust { checkpoint_keys: Vec::new(), ..bank.trust() };
    assert!(matches!(verify_receipt(&good, &no_keys), Err(Fault::ProofFalse(_))));
}

/// A receipt of an entry that the bank wrote with these parts.
fn written(change: impl Fn(&mut Vec<Vec<u8>>)) -> (Bank, u64, u32) {
    let mut bank = bank();
    let mut parts = bank.entries[6].parts.clone();
    change(&mut parts);
    let count = u32::try_from(parts.len()).unwrap();
    let index = bank.append_parts(parts);
    (bank, index, count)
}

#[test]
fn parts_that_the_bank_itself_got_wrong_are_refused() {
    let fault = |change: fn(&mut Vec<Vec<u8>>)| {
        let (bank, index, count) = written(change);
        let numbers: Vec<u32> = (0..count).collect();
        verify_receipt(&receipt(&bank, index, &numbers), &bank.trust()).unwrap_err()
    };
    // A head that understates its counts does not fit the tree, or calls a part what it is not.
    let understated = fault(|parts| {
        let mut head: v1::EntryHead = decode(&parts[0][1..]).unwrap();
        head.links = 0;
        parts[0] = [vec![1], encode(&head)].concat();
    });
    assert!(matches!(understated, Fault::PartFalse { .. } | Fault::PartKind { .. }), "{understated:?}");
    let exchanged = fault(|parts| parts.swap(1, 2));
    assert_eq!(exchanged, Fault::PartKind { number: 1 });
    let two_heads = fault(|parts| parts[1] = parts[0].clone());
    assert_eq!(two_heads, Fault::PartKind { number: 1 });
    let headless = fault(|parts| parts[0] = parts[1].clone());
    assert_eq!(headless, Fault::PartKind { number: 0 });
    let padded = fault(|parts| parts[2].extend([0xf8, 0x07, 0x01]));
    assert!(matches!(padded, Fault::PartInvalid { number: 2, .. }), "{padded:?}");
    let beyond = fault(|parts| {
        let mut link: v1::Link = decode(&parts[1][1..]).unwrap();
        link.events = vec![1];
        parts[1] = [vec![2], encode(&link)].concat();
    });
    assert_eq!(beyond, Fault::PartKind { number: 1 });
    let newer = fault(|parts| {
        // The kind of the event stands behind the tag of field 1.
        parts[3][2] = 99;
    });
    assert!(matches!(newer, Fault::Newer { .. }), "{newer:?}");
}

/// Exchanges the message of a part; the kind byte stays.
fn rewritten<M: Canonical>(part: &mut Vec<u8>, change: impl Fn(&mut M)) {
    let mut message: M = decode(&part[1..]).unwrap();
    change(&mut message);
    *part = [vec![part[0]], encode(&message)].concat();
}

#[test]
fn a_part_keeps_its_bounds_where_its_neighbours_are_not_seen() {
    type Bend = fn(&mut Vec<Vec<u8>>);
    let cases: [(u32, Bend); 12] = [
        (0, |it| rewritten(&mut it[0], |head: &mut v1::EntryHead| head.actor_kind = 2)),
        (0, |it| rewritten(&mut it[0], |head: &mut v1::EntryHead| head.events = 0)),
        (0, |it| rewritten(&mut it[0], |head: &mut v1::EntryHead| head.events = 129)),
        (0, |it| rewritten(&mut it[0], |head: &mut v1::EntryHead| head.statements = 65)),
        (0, |it| rewritten(&mut it[0], |head: &mut v1::EntryHead| head.links = 129)),
        (1, |it| rewritten(&mut it[1], |link: &mut v1::Link| link.sequence = 0)),
        (1, |it| rewritten(&mut it[1], |link: &mut v1::Link| link.previous.clear())),
        (1, |it| rewritten(&mut it[1], |link: &mut v1::Link| link.events = vec![0, 0])),
        (1, |it| rewritten(&mut it[1], |link: &mut v1::Link| link.subject_kind = 3)),
        (2, |it| rewritten(&mut it[2], |part: &mut v1::StatementPart| leaf(part, 0))),
        (2, |it| rewritten(&mut it[2], |part: &mut v1::StatementPart| leaf(part, 513))),
        (2, |it| rewritten(&mut it[2], |part: &mut v1::StatementPart| typed(part, "text/plain"))),
    ];
    for (at, (number, bend)) in cases.into_iter().enumerate() {
        let (bank, index, _) = written(bend);
        let numbers: Vec<u32> = if number == 0 { vec![0] } else { vec![0, number] };
        let fault = verify_receipt(&receipt(&bank, index, &numbers), &bank.trust()).unwrap_err();
        assert!(matches!(fault, Fault::PartInvalid { number: of, .. } if of == number), "{at}: {fault:?}");
    }
    let later = "application/vnd.creditbank.record-facts.v2+protobuf";
    let (bank, index, _) = written(|it| rewritten(&mut it[2], |part| typed(part, later)));
    let fault = verify_receipt(&receipt(&bank, index, &[0, 2]), &bank.trust()).unwrap_err();
    assert!(matches!(fault, Fault::Newer { .. }), "{fault:?}");
    let most = |it: &mut Vec<Vec<u8>>| rewritten(&mut it[2], |part| leaf(part, 512));
    let (bank, index, _) = written(most);
    assert!(verify_receipt(&receipt(&bank, index, &[0, 2]), &bank.trust()).is_ok());
}

fn leaf(part: &mut v1::StatementPart, bytes: usize) {
    part.envelope = None;
    part.leaf = Some(v1::BatchLeaf { manifest_index: 1, position: 1, facts: vec![7; bytes] });
}

fn typed(part: &mut v1::StatementPart, payload_type: &str) {
    payload_type.clone_into(&mut part.envelope.as_mut().unwrap().payload_type);
}

#[test]
fn a_core_of_another_index_than_its_leaf_is_refused() {
    let mut bank = bank();
    let raw = bank.entries[6].clone();
    // The bank puts the same core a second time into its tree.
    bank.leaves.push(bank.leaves[6]);
    bank.entries.push(raw);
    let twice = receipt(&bank, 8, &[0]);
    let fault = verify_receipt(&twice, &bank.trust());
    assert_eq!(fault, Err(Fault::IndexDiffers { core: 6, proof: 8 }));
}

#[test]
fn the_checkpoint_of_a_receipt_is_given() {
    let (bank, good) = good();
    let verified = verify_receipt(&good, &bank.trust()).unwrap();
    let proof = TlogProof::parse(&good.tlog_proof).unwrap();
    let keys = [note_signer("checkpoint").verifier().clone()];
    assert_eq!(Ok(verified.checkpoint), checkpoint::open(&proof.checkpoint, &keys, ORIGIN));
}
