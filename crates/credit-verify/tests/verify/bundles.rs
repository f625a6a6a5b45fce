//! Record bundles: what they prove, and that nobody can put another one together, not even the bank.

use credit_proto::strict::{decode, encode};
use credit_proto::{BankSigned as _, v1};
use credit_types::{
    Bucket, Command, FileManifestKind, KeyPurpose, RecordAction, RecordId, RecordStatus,
    RecordStatusStatement, SubjectHead,
};
use credit_verify::{BundleFault, BundleRule, verify_bundle};

use crate::bank::{Bank, enveloped, signed};
use crate::parcel::{Parcel, all, breaks, chain, receipt, sealed};
use crate::story::{Batch, CENTRE, UNIV, institution};

/// A bank with an account and two records of it.
struct Story {
    bank: Bank,
    record: RecordId,
    index: u64,
    other: RecordId,
    other_index: u64,
}

fn story() -> Story {
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    let (record, index) = bank.deposit(ann);
    let (other, other_index) = bank.deposit(ann);
    Story { bank, record, index, other, other_index }
}

impl Story {
    fn parcel(&self) -> Parcel {
        Parcel::of(&self.bank, self.index, self.record)
    }

    fn disclosed(&self) -> Parcel {
        let mut parcel = self.parcel();
        let facts = parcel.verified(&self.bank.trust()).unwrap().facts;
        parcel.details(&self.bank, facts.details_commitment);
        parcel
    }
}

#[test]
fn a_bundle_proves_a_record() {
    let story = story();
    let trust = story.bank.trust();
    let closed = story.parcel().verified(&trust).unwrap();
    assert_eq!((closed.facts.record_id, &closed.issuer), (story.record, &institution(UNIV)));
    assert_eq!((closed.receipt.core.index, closed.manifest_index), (story.index, None));
    assert_eq!((closed.history_entries, closed.details.clone()), (1, None));
    assert_eq!(closed.valid_until.unwrap().to_string(), "2031-07-01");
    assert!(closed.in_force());
    let open = story.disclosed().verified(&trust).unwrap();
    assert_eq!(open.details.unwrap().title.en, "Linear algebra");
    // Other keys of the issuer may come and go.
    let Story { mut bank, record, index, .. } = story;
    let added = bank.add_key(UNIV, "second", KeyPurpose::Records);
    bank.retire_key(UNIV, "second", added);
    let admitted = chain(&bank, &institution(UNIV))[0];
    bank.retire_key(UNIV, &format!("{UNIV}/records"), admitted);
    let later = Parcel::of(&bank, index, record).verified(&bank.trust()).unwrap();
    assert_eq!((later.history_entries, later.kid), (4, closed.kid));
}

#[test]
fn a_bundle_proves_a_leaf_and_a_correction() {
    let Story { mut bank, record, index, .. } = story();
    let ann = Bank::drawn("ann").account_ref;
    let (corrected, at) = bank.correct(ann, record, index);
    let batch = bank.record_batch(ann, 70);
    bank.submit(&batch, 0, &[3]).unwrap();
    let chunk = bank.submit(&batch, 1, &[]).unwrap();
    let found = Parcel::of(&bank, at, corrected).verified(&bank.trust()).unwrap();
    assert_eq!(found.supersedes, Some(record));
    let (id, leaf) = leaf_of(&bank, &batch, chunk, 66);
    assert_eq!(leaf.manifest_index, Some(batch.manifest_index));
    assert_eq!(leaf.facts.record_id, id);
}

/// The record of a leaf, and what its bundle proves.
fn leaf_of(
    bank: &Bank,
    batch: &Batch,
    chunk: u64,
    position: u32,
) -> (RecordId, credit_verify::VerifiedBundle) {
    let parcel = leaf_parcel(bank, batch, chunk, position);
    let verified = parcel.verified(&bank.trust()).unwrap();
    (verified.facts.record_id, verified)
}

fn leaf_parcel(bank: &Bank, batch: &Batch, chunk: u64, position: u32) -> Parcel {
    let payload = &batch.payloads[usize::try_from(position).unwrap()];
    let facts: v1::RecordFacts = decode(payload).unwrap();
    let id = RecordId::from_slice(&facts.record_id).unwrap();
    let mut parcel = Parcel::of(bank, chunk, id);
    parcel.batch(bank, batch, position);
    parcel
}

#[test]
fn a_leaf_is_bound_to_its_manifest() {
    let Story { mut bank, .. } = story();
    let ann = Bank::drawn("ann").account_ref;
    let (batch, other) = (bank.record_batch(ann, 3), bank.record_batch(ann, 3));
    let chunk = bank.submit(&batch, 0, &[]).unwrap();
    let good = leaf_parcel(&bank, &batch, chunk, 1);
    let trust = bank.trust();
    assert!(good.verified(&trust).is_ok());
    let with = |change: &dyn Fn(&mut v1::BatchProof)| {
        let mut proof: v1::BatchProof = decode(&good.files["batch"]).unwrap();
        change(&mut proof);
        let mut parcel = good.clone();
        parcel.put("batch", &proof);
        parcel.verified(&trust)
    };
    let of_leaf = |change: fn(&mut v1::LeafProof)| with(&|proof| change(proof.leaf.as_mut().unwrap()));
    breaks(of_leaf(|leaf| leaf.position = 2), BundleRule::BatchFalse);
    breaks(of_leaf(|leaf| leaf.manifest_index += 1), BundleRule::BatchFalse);
    breaks(of_leaf(|leaf| leaf.path[0][0] ^= 1), BundleRule::BatchFalse);
    breaks(of_leaf(|leaf| leaf.path[0].truncate(31)), BundleRule::BatchFalse);
    breaks(of_leaf(|leaf| leaf.chunk_path.push(vec![0; 32])), BundleRule::BatchFalse);
    let at = other.manifest_index;
    let of_other = receipt(&bank, at, &all(&bank, at), true);
    breaks(with(&|proof| proof.manifest = Some(of_other.clone())), BundleRule::BatchFalse);
    breaks(with(&|proof| proof.leaf = None), BundleRule::FilesWrong);
    let mut without = good.clone();
    without.files.remove("batch");
    breaks(without.verified(&trust), BundleRule::FilesWrong);
}

/// Every byte of the file, one bit flipped: whoever does not have the bank's key can't change anything.
#[test]
fn every_flipped_byte_of_a_bundle_is_found() {
    let story = story();
    let trust = story.bank.trust();
    let bytes = story.disclosed().bytes();
    assert!(verify_bundle(&bytes, &trust).is_ok());
    assert!(bytes.len() >= 2_000, "{} bytes are too few for a sweep", bytes.len());
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1 << (at % 8);
        assert!(verify_bundle(&bent, &trust).is_err(), "byte {at} of {}", bytes.len());
    }
    for at in (0..=bytes.len()).step_by(7) {
        let mut bent = bytes.clone();
        bent.insert(at, b'0');
        assert!(verify_bundle(&bent, &trust).is_err(), "a byte before {at}");
        assert!(verify_bundle(&bytes[..at.min(bytes.len() - 1)], &trust).is_err(), "cut at {at}");
    }
    println!("{} positions, each found", bytes.len());
}

/// The same where the bank itself signs for what was bent: all but the files that are its own word is found.
#[test]
fn what_the_bank_bends_and_signs_again_is_found() {
    let story = story();
    let trust = story.bank.trust();
    let good = story.disclosed();
    for name in good.files.keys() {
        for at in 0..good.files[name].len() {
            let mut parcel = good.clone();
            parcel.files.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            assert!(parcel.verified(&trust).is_err(), "byte {at} of {name}");
        }
        let mut parcel = good.clone();
        parcel.files.remove(name);
        // Without details it is a bundle that does not disclose them.
        assert_eq!(parcel.verified(&trust).is_ok(), name == "details", "{name}");
        let mut parcel = good.clone();
        let copy = parcel.files[name].clone();
        parcel.files.insert(format!("{name}.copy"), copy);
        breaks(parcel.verified(&trust), BundleRule::FilesWrong);
    }
}

#[test]
fn another_records_parts_are_no_proof_of_this_one() {
    let story = story();
    let trust = story.bank.trust();
    let good = story.disclosed();
    let other = {
        let mut parcel = Parcel::of(&story.bank, story.other_index, story.other);
        let facts = parcel.verified(&trust).unwrap().facts;
        parcel.details(&story.bank, facts.details_commitment);
        parcel
    };
    for (name, rule) in [
        ("details", BundleRule::DetailsFalse),
        ("receipt", BundleRule::OtherRecord),
        ("status", BundleRule::OtherRecord),
    ] {
        let mut parcel = good.clone();
        parcel.files.insert(name.to_owned(), other.files[name].clone());
        breaks(parcel.verified(&trust), rule);
        // Who does not have the bank's key gets no further than its manifest.
        breaks(verify_bundle(&parcel.under(&good.signed()), &trust), BundleRule::ManifestDiffers);
    }
    breaks(verify_bundle(&good.under(&other.signed()), &trust), BundleRule::ManifestDiffers);
}

#[test]
fn a_manifest_is_a_bundles_of_this_log_by_its_statement_key() {
    let story = story();
    let (good, trust) = (story.parcel(), story.bank.trust());
    let mut export = good.clone();
    export.manifest.kind = FileManifestKind::Export;
    breaks(export.verified(&trust), BundleRule::ManifestInvalid);
    let manifest = credit_proto::Envelope::decode(&good.signed()).unwrap();
    let by_another = enveloped(&manifest.payload_type, manifest.payload, &["operator"]).encode();
    breaks(verify_bundle(&good.under(&by_another), &trust), BundleRule::ManifestInvalid);
    let mut foreign = good.clone();
    foreign.manifest.log_id.0[0] ^= 1;
    breaks(foreign.verified(&trust), BundleRule::OtherLog);
    let mut smaller = good.clone();
    smaller.manifest.size -= 1;
    breaks(smaller.verified(&trust), BundleRule::HeadDiffers);
    // The whole bundle under the trust file of another log, with the same keys.
    let mut pinned = trust.clone();
    pinned.log_id.0[0] ^= 1;
    breaks(good.verified(&pinned), BundleRule::OtherLog);
}

#[test]
fn a_history_has_no_hole_and_no_stranger() {
    let Story { mut bank, record, index, .. } = story();
    let added = bank.add_key(UNIV, "second", KeyPurpose::Status);
    bank.retire_key(UNIV, "second", added);
    let trust = bank.trust();
    let indexes = chain(&bank, &institution(UNIV));
    let good = Parcel::of(&bank, index, record);
    assert!(good.verified(&trust).is_ok());
    let with = |indexes: &[u64]| {
        let mut parcel = good.clone();
        parcel.history(&bank, indexes);
        parcel.verified(&trust)
    };
    breaks(with(&[indexes[0], indexes[2]]), BundleRule::HistoryFalse);
    breaks(with(&[indexes[1], indexes[2]]), BundleRule::HistoryFalse);
    breaks(with(&[indexes[0], indexes[2], indexes[1]]), BundleRule::HistoryFalse);
    breaks(with(&chain(&bank, &institution(CENTRE))), BundleRule::HistoryFalse);
    // A number is left out: the file names tell.
    let mut parcel = good.clone();
    parcel.files.remove("keys/00000002");
    breaks(parcel.verified(&trust), BundleRule::FilesWrong);
    // The bank signs for another end than it shows.
    let head: SubjectHead = {
        let envelope = credit_proto::Envelope::decode(&good.files["keys/head"]).unwrap();
        SubjectHead::from_payload(&envelope.payload).unwrap()
    };
    let mut parcel = good.clone();
    parcel.files.insert("keys/head".to_owned(), sealed(&SubjectHead { sequence: 4, ..head }));
    breaks(parcel.verified(&trust), BundleRule::HistoryFalse);
    // A part of an entry stays closed.
    let mut parcel = good.clone();
    parcel.put("keys/00000002", &receipt(&bank, indexes[1], &[0, 1, 2], false));
    breaks(parcel.verified(&trust), BundleRule::HistoryFalse);
}

#[test]
fn a_key_must_have_been_in_force_and_beyond_doubt() {
    let key = format!("{UNIV}/records");
    // Reported later: in doubt from an index on.
    for (from, suspect) in [(0, true), (1, false)] {
        let Story { mut bank, record, index, .. } = story();
        bank.report_key(UNIV, &key, index + from);
        let outcome = Parcel::of(&bank, index, record).verified(&bank.trust());
        if suspect {
            breaks(outcome, BundleRule::KeySuspect);
        } else {
            assert!(outcome.is_ok(), "{outcome:?}");
        }
    }
    // The bank takes what it must not: a record by a key that was retired, reported, of another purpose or owner.
    let lie = |prepare: &dyn Fn(&mut Bank, u64), signer: &str| {
        let Story { mut bank, .. } = story();
        let admitted = chain(&bank, &institution(UNIV))[0];
        prepare(&mut bank, admitted);
        let ann = Bank::drawn("ann").account_ref;
        let facts = bank.facts(ann);
        let (id, check) = (facts.record_id, Box::new(bank.check(&facts)));
        // What an honest bank would decide if the key were right.
        let mut honest = story().bank;
        honest.now_us = bank.now_us;
        let header = honest.header(UNIV);
        let (decided, _) = signed(header.clone(), facts.clone(), &[&key]);
        let mut events = honest.decide(&Command::DepositRecord(Box::new(decided), check.clone())).unwrap();
        let (statement, part) = signed(header, facts, &[signer]);
        if let credit_types::Event::RecordDeposited { kid, .. } = &mut events[0] {
            *kid = statement.signers[0];
        }
        let draft = bank.draft(&Command::DepositRecord(Box::new(statement), check), vec![part], events);
        let index = bank.append_lie(&draft);
        Parcel::of(&bank, index, id).verified(&bank.trust())
    };
    assert!(lie(&|_, _| {}, &key).is_ok());
    let retired = |bank: &mut Bank, admitted: u64| {
        bank.retire_key(UNIV, &key, admitted);
    };
    breaks(lie(&retired, &key), BundleRule::KeyNotInForce);
    let reported = |bank: &mut Bank, _: u64| {
        bank.report_key(UNIV, &key, bank.size());
    };
    breaks(lie(&reported, &key), BundleRule::KeyNotInForce);
    breaks(lie(&|_, _| {}, &format!("{UNIV}/status")), BundleRule::KeyNotInForce);
    breaks(lie(&|_, _| {}, &format!("{CENTRE}/records")), BundleRule::KeyNotInForce);
    breaks(lie(&|_, _| {}, "a stranger"), BundleRule::KeyNotInForce);
}

/// What an honest bank would never record, shown with everything else in order.
#[test]
fn what_the_issuer_did_not_sign_or_may_not_attest_is_found() {
    let record = |bend: &dyn Fn(&mut Bank, &mut crate::bank::Draft)| {
        let Story { mut bank, .. } = story();
        let ann = Bank::drawn("ann").account_ref;
        let facts = bank.facts(ann);
        let (id, check) = (facts.record_id, Box::new(bank.check(&facts)));
        let header = bank.header(UNIV);
        let (statement, part) = signed(header, facts, &[&format!("{UNIV}/records")]);
        let command = Command::DepositRecord(Box::new(statement), check);
        let events = bank.decide(&command).unwrap();
        let mut draft = bank.draft(&command, vec![part], events);
        bend(&mut bank, &mut draft);
        let index = bank.append_lie(&draft);
        Parcel::of(&bank, index, id).verified(&bank.trust())
    };
    assert!(record(&|_, _| {}).is_ok());
    let more = |_: &mut Bank, draft: &mut crate::bank::Draft| {
        if let credit_types::Event::RecordDeposited { postings, .. } = &mut draft.events[0] {
            postings[0].amount.credits = credit_types::Credits::from_milli(9_000).unwrap();
        }
    };
    breaks(record(&more), BundleRule::EventFalse);
    let elsewhere = |_: &mut Bank, draft: &mut crate::bank::Draft| {
        if let credit_types::Event::RecordDeposited { postings, .. } = &mut draft.events[0] {
            postings[0].to = Bucket::Redeemed;
        }
    };
    breaks(record(&elsewhere), BundleRule::EventFalse);
    let forged = |_: &mut Bank, draft: &mut crate::bank::Draft| {
        if let credit_proto::entry::StatementPart::Signed(envelope) = &mut draft.statements[0] {
            envelope.signatures[0].1[5] ^= 1;
        }
    };
    breaks(record(&forged), BundleRule::SignatureFalse);
    let before = |bank: &mut Bank, _: &mut crate::bank::Draft| bank.now_us -= 300 * 86_400_000_000;
    breaks(record(&before), BundleRule::EventFalse);
}

#[test]
fn a_status_is_of_this_head_and_tells_of_a_revocation() {
    let Story { mut bank, record, index, .. } = story();
    let old = Parcel::of(&bank, index, record);
    assert!(old.verified(&bank.trust()).unwrap().in_force());
    let ann = Bank::drawn("ann").account_ref;
    let revoked = bank.change_record(ann, record, RecordAction::Revoke, index);
    let trust = bank.trust();
    let status = RecordStatusStatement {
        status: RecordStatus::Revoked,
        status_index: revoked,
        status_entry: bank.leaf(revoked),
        ..Parcel::status(&bank, index, record)
    };
    let with = |status: Vec<u8>| {
        let mut parcel = Parcel::of(&bank, index, record);
        parcel.files.insert("status".to_owned(), status);
        parcel.verified(&trust)
    };
    assert!(!with(sealed(&status)).unwrap().in_force());
    // The old word about it does not go with the new head, nor the old manifest with the new word.
    breaks(with(old.files["status"].clone()), BundleRule::HeadDiffers);
    let mut parcel = Parcel::of(&bank, index, record);
    parcel.files.insert("status".to_owned(), old.files["status"].clone());
    breaks(verify_bundle(&parcel.under(&old.signed()), &trust), BundleRule::ManifestDiffers);
    // As a whole it stays what it was: true of its own head, which it names.
    let kept = old.verified(&trust).unwrap();
    assert!(kept.in_force() && kept.status.size < bank.size());
    // A deposit that changed nothing since can only be valid.
    let never =
        RecordStatusStatement { status: RecordStatus::Revoked, ..Parcel::status(&bank, index, record) };
    breaks(with(sealed(&never)), BundleRule::StatusFalse);
    let early = RecordStatusStatement { status_index: index - 1, ..Parcel::status(&bank, index, record) };
    breaks(with(sealed(&early)), BundleRule::StatusFalse);
    let doubt = RecordStatusStatement { key_suspect: true, ..Parcel::status(&bank, index, record) };
    assert!(!with(sealed(&doubt)).unwrap().in_force());
}

/// A generator whose numbers are the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Random damage to any file, signed for as if it were right, so that every reader behind the manifest meets it.
#[test]
fn no_damage_breaks_the_verifier() {
    let story = story();
    let trust = story.bank.trust();
    let good = story.disclosed();
    let names: Vec<String> = good.files.keys().cloned().collect();
    let mut random = Random(11);
    let mut newer = 0;
    for round in 0..4_000 {
        let mut parcel = good.clone();
        let name = &names[round % names.len()];
        let bytes = parcel.files.get_mut(name).unwrap();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
                2 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if *bytes == good.files[name] {
            continue;
        }
        match parcel.verified(&trust) {
            Err(BundleFault::Newer { .. }) => newer += 1,
            Err(BundleFault::Broken { .. }) => {}
            Ok(_) => panic!("round {round}: {name} was changed and it was not noticed"),
        }
    }
    println!("{newer} of 4,000 would need a newer verifier");
    // Bytes that are no bundle at all.
    for length in 0..64 {
        assert!(verify_bundle(&vec![0xff; length], &trust).is_err());
    }
    assert!(encode(&v1::Envelope::default()).is_empty());
}
