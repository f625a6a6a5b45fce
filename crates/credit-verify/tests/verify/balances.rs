//! The bank's signed word about an account, held against the receipt of its last link.

use credit_proto::{BankSigned, Envelope, v1};
use credit_types::{
    BalanceLine, BalanceStatement, Bucket, Digest, LogId, RecordKind, SchemeId, Subject, SubjectHead,
};
use credit_verify::{Fault, VerifiedReceipt, verify_balance, verify_receipt, verify_subject_head};

use crate::bank::{Bank, enveloped};
use crate::receipts::{bank, receipt};
use crate::story::day;

fn balance(bank: &Bank) -> BalanceStatement {
    BalanceStatement {
        head: SubjectHead {
            log_id: bank.log_id(),
            subject: Subject::Account(Bank::drawn("ann").account_ref),
            sequence: 3,
            leaf_hash: Some(bank.leaf(7)),
            size: bank.size(),
            root: bank.root_at(bank.size()),
        },
        as_of: day("2026-11-23"),
        lines: vec![BalanceLine {
            scheme: Some(SchemeId::new("CN_XF").unwrap()),
            kind: RecordKind::FormalCourse,
            bucket: Bucket::Available,
            credits_milli: 6_000,
            hour_kind: None,
            minutes: 0,
            records: 2,
        }],
    }
}

fn of_last(bank: &Bank) -> VerifiedReceipt {
    verify_receipt(&receipt(bank, 7, &[0, 1]), &bank.trust()).unwrap()
}

fn signed<B: BankSigned>(word: &B, keys: &[&str]) -> Envelope {
    enveloped(B::TYPE, word.payload(), keys)
}

/// What is found when the bank signs this instead.
fn bent(change: impl Fn(&mut BalanceStatement)) -> Fault {
    let bank = bank();
    let mut word = balance(&bank);
    change(&mut word);
    let envelope = signed(&word, &["statement"]);
    verify_balance(&envelope.into(), &of_last(&bank), &bank.trust()).unwrap_err()
}

#[test]
fn a_balance_stands_at_the_head_of_its_receipt() {
    let bank = bank();
    let word = balance(&bank);
    let envelope: v1::Envelope = signed(&word, &["statement"]).into();
    let (last, trust) = (of_last(&bank), bank.trust());
    assert_eq!(verify_balance(&envelope, &last, &trust), Ok(word.clone()));
    let head: v1::Envelope = signed(&word.head, &["statement"]).into();
    assert_eq!(verify_subject_head(&head, &last, &trust), Ok(word.head));
    // One is not taken for the other.
    assert!(matches!(verify_balance(&head, &last, &trust), Err(Fault::PayloadType { .. })));
    assert!(matches!(verify_subject_head(&envelope, &last, &trust), Err(Fault::PayloadType { .. })));
}

#[test]
fn a_balance_is_signed_by_one_statement_key() {
    let bank = bank();
    let (word, last, trust) = (balance(&bank), of_last(&bank), bank.trust());
    let checked = |envelope: Envelope| verify_balance(&envelope.into(), &last, &trust).map(|_| ());
    for keys in [vec!["checkpoint"], vec!["authority-1"], vec!["statement", "stranger"]] {
        assert_eq!(checked(signed(&word, &keys)), Err(Fault::StatementKey), "{keys:?}");
    }
    for at in 0..64 {
        let mut envelope = signed(&word, &["statement"]);
        envelope.signatures[0].1[at] ^= 1;
        assert_eq!(checked(envelope), Err(Fault::Signature), "{at}");
    }
    for at in 0..word.payload().len() {
        let mut envelope = signed(&word, &["statement"]);
        envelope.payload[at] ^= 1;
        assert_eq!(checked(envelope), Err(Fault::Signature), "{at}");
    }
    let mut unsigned = v1::Envelope::from(signed(&word, &["statement"]));
    unsigned.signatures.clear();
    assert!(matches!(verify_balance(&unsigned, &last, &trust), Err(Fault::Envelope(_))));
    let padded = [word.payload(), vec![0xf8, 0x07, 0x01]].concat();
    let envelope = enveloped(BalanceStatement::TYPE, padded, &["statement"]);
    assert!(matches!(checked(envelope), Err(Fault::Payload(_))));
}

#[test]
fn a_balance_of_elsewhere_or_of_another_time_is_refused() {
    assert_eq!(bent(|word| word.head.log_id = LogId([9; 32])), Fault::OtherLog);
    assert_eq!(bent(|word| word.head.size -= 1), Fault::HeadDiffers);
    assert_eq!(bent(|word| word.head.root = Digest([9; 32])), Fault::HeadDiffers);
    assert_eq!(bent(|word| word.head.sequence = 2), Fault::LinkDiffers);
    assert_eq!(bent(|word| word.head.sequence = 4), Fault::LinkDiffers);
    assert_eq!(bent(|word| word.head.leaf_hash = Some(Digest([9; 32]))), Fault::LinkDiffers);
    assert_eq!(bent(|word| (word.head.sequence, word.head.leaf_hash) = (0, None)), Fault::LinkDiffers);
    let other = Subject::Account(Bank::drawn("bob").account_ref);
    assert_eq!(bent(|word| word.head.subject = other.clone()), Fault::LinkMissing);
}

#[test]
fn a_receipt_that_hides_the_link_proves_no_balance() {
    let bank = bank();
    let envelope: v1::Envelope = signed(&balance(&bank), &["statement"]).into();
    for (index, parts) in [(7, vec![0]), (7, vec![0, 2, 3])] {
        let closed = verify_receipt(&receipt(&bank, index, &parts), &bank.trust()).unwrap();
        assert_eq!(verify_balance(&envelope, &closed, &bank.trust()), Err(Fault::LinkMissing));
    }
    let earlier = verify_receipt(&receipt(&bank, 6, &[0, 1]), &bank.trust()).unwrap();
    assert_eq!(verify_balance(&envelope, &earlier, &bank.trust()), Err(Fault::LinkDiffers));
}
