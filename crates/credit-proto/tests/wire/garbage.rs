//! Changed bytes never panic, and what is still accepted is canonical.

use credit_proto::entry::{decode_core, decode_parts, encode_core, encode_parts, hydrate};
use credit_proto::{BankSigned, Envelope, Leaf as _, Secret, Signable, decode_statement, payload_type};
use credit_types::*;

use crate::entries::{self, Sample};
use crate::random::Random;
use crate::samples::{admit, leaf_hash};

const MUTATIONS: u64 = 10_000;

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().max(1));
        match random.below(5) {
            _ if bytes.is_empty() => bytes.push(random.bytes::<1>()[0]),
            0 => bytes[at] = random.bytes::<1>()[0],
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.insert(at, random.bytes::<1>()[0]),
            3 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
}

#[test]
fn statements() {
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..MUTATIONS {
        let random = &mut Random(seed);
        let header = random.header();
        let (payload_type, mut bytes) = match random.below(9) {
            0 => (payload_type::GENESIS, random.genesis().payload(Some(&random.genesis_header()))),
            1 => (payload_type::KEY_ADDITION, random.key_addition().payload(Some(&header))),
            2 => (payload_type::RECORD_FACTS, random.facts().payload(Some(&header))),
            3 => (payload_type::RECORD_CORRECTION, random.correction().payload(Some(&header))),
            4 => (payload_type::RECORD_STATUS_CHANGE, random.record_change().payload(Some(&header))),
            5 => (payload_type::CONVERSION_REQUEST, random.conversion_request().payload(Some(&header))),
            6 => (payload_type::CONVERSION_DECISION, random.decision().payload(Some(&header))),
            7 => (payload_type::AUTO_APPROVAL, random.auto_approval().payload(Some(&header))),
            _ => (payload_type::BATCH_MANIFEST, random.manifest().payload(Some(&header))),
        };
        mutate(random, &mut bytes);
        match decode_statement(payload_type, &bytes, admit) {
            Ok(statement) => {
                assert_eq!(again(&statement), bytes, "seed {seed}");
                taken += 1;
            }
            Err(refusal) => {
                assert!(!refusal.problem.is_empty(), "seed {seed}");
                refused += 1;
            }
        }
        // Any other type: whatever it makes of it, it doesn't panic.
        for other in payload_type::STATEMENTS {
            let _read = decode_statement(other, &bytes, admit);
        }
        let _leaves = (RecordFacts::leaf(&bytes), AccountOpening::leaf(&bytes));
        let _secrets = (
            RecordDetails::from_payload(&bytes),
            AccountIdentity::from_payload(&bytes),
            Text::from_payload(&bytes),
            ConversionParticulars::from_payload(&bytes),
        );
        let _bank = (SubjectHead::from_payload(&bytes), BalanceStatement::from_payload(&bytes));
        let _wrapped = (Envelope::decode(&bytes), decode_core(&bytes));
    }
    assert!(taken > 100 && refused > 1_000, "{taken} taken, {refused} refused");
}

/// Encodes a statement again; those that are mutated here.
fn again(statement: &credit_proto::Statement) -> Vec<u8> {
    use credit_proto::Statement::{
        AddKey, ChangeRecordStatus, CorrectRecord, DecideConversion, DepositRecord, Genesis as Begin,
        GiveAutoApproval, OpenBatch, RequestConversion,
    };
    let header = Some(statement.header());
    match statement {
        Begin(_, body) => body.payload(header),
        AddKey(_, body) => body.payload(header),
        DepositRecord(_, body) => body.payload(header),
        CorrectRecord(_, body) => body.payload(header),
        ChangeRecordStatus(_, body) => body.payload(header),
        OpenBatch(_, body) => body.payload(header),
        RequestConversion(_, body) => body.payload(header),
        DecideConversion(_, body) => body.payload(header),
        GiveAutoApproval(_, body) => body.payload(header),
        other => panic!("{other:?} is not mutated"),
    }
}

#[test]
fn secrets_and_the_banks_own() {
    for seed in 0..MUTATIONS {
        let random = &mut Random(seed);
        let mut bytes = random.details().payload();
        mutate(random, &mut bytes);
        if let Ok(read) = RecordDetails::from_payload(&bytes) {
            assert_eq!(read.payload(), bytes, "seed {seed}");
        }
        let mut bytes = random.identity().payload();
        mutate(random, &mut bytes);
        if let Ok(read) = AccountIdentity::from_payload(&bytes) {
            assert_eq!(read.payload(), bytes, "seed {seed}");
        }
        let mut bytes = random.particulars().payload();
        mutate(random, &mut bytes);
        if let Ok(read) = ConversionParticulars::from_payload(&bytes) {
            assert_eq!(read.payload(), bytes, "seed {seed}");
        }
        let mut bytes = random.subject_head().payload();
        mutate(random, &mut bytes);
        if let Ok(read) = SubjectHead::from_payload(&bytes) {
            assert_eq!(read.payload(), bytes, "seed {seed}");
        }
    }
}

#[test]
fn entries() {
    let mut samples: Vec<Sample> = EventKind::ALL.into_iter().map(entries::sample).collect();
    samples.extend([entries::correction(), entries::opening_chunk(), entries::refused_chunk()]);
    samples.extend([entries::automatic(), entries::step(), entries::reversal()]);
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..MUTATIONS {
        let random = &mut Random(seed);
        let sample = &samples[random.below(samples.len())];
        let mut parts = sample.parts();
        let at = random.below(parts.len());
        mutate(random, &mut parts[at]);
        let read = decode_parts(&parts).and_then(|read| {
            let events = hydrate(&read, sample.manifest.as_ref(), admit, leaf_hash)?;
            Ok((read, events))
        });
        match read {
            Ok((read, events)) => {
                let again = encode_parts(&read.head, &read.links, &read.statements, &events);
                assert_eq!(again, parts, "seed {seed}");
                taken += 1;
            }
            Err(_) => refused += 1,
        }
        let mut core = encode_core(&sample.core);
        mutate(random, &mut core);
        if let Ok(read) = decode_core(&core) {
            assert_eq!(encode_core(&read), core, "seed {seed}");
        }
    }
    assert!(taken > 100 && refused > 1_000, "{taken} taken, {refused} refused");
}
