//! The running ledger in process: made, opened, written to, stopped, opened again, rebuilt.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by stopping"
)]

mod bank;
mod layout;

use credit_ledger::assess;
use credit_log::batch::Manifest;
use credit_proto::{Envelope, Leaf, payload_type, v1};
use credit_rules::book::Book;
use credit_service::{Expected, Failure, Ledger, ServerKeys};
use credit_types::*;

use bank::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_is_made_written_stopped_and_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let log_id = create(dir.path());
    let mut bank = Bank::open(dir.path(), log_id, 1).await;
    let account = bank.furnish().await;
    let (body, secret) = facts(account, 100, [4; 32]);
    let header = Header { anchor: None, ..bank.header(SignerId::Institution(school())) };
    let statement = envelope(&body, &header, &[RECORDS]);
    let answer = bank.send(Expected::DepositRecord, statement.clone(), Some(secret.clone())).await.unwrap();
    assert!(answer.receipt.is_some());
    let records = bank.ledger.reader().records_of(account, None, 10).unwrap();
    assert_eq!(records.len(), 1);
    let details = bank.ledger.reader().details(&records[0]).unwrap().unwrap();
    assert_eq!(details.title.zh, "课程");
    let size = bank.ledger.reader().head().size;
    bank.ledger.clone().stop().await;
    let next = bank.next;
    drop(bank);

    let mut bank = Bank::open(dir.path(), log_id, next).await;
    assert_eq!(bank.ledger.reader().head().size, size + 1, "a server start was appended");
    let again = bank.send(Expected::DepositRecord, statement, Some(secret)).await.unwrap();
    assert!(again.replayed && again.index == answer.index && again.leaf_hash == answer.leaf_hash);
    let other = Header { anchor: None, ..bank.header(SignerId::Institution(school())) };
    let (body, secret) = facts(account, 100, [4; 32]);
    let refused = bank.send(Expected::DepositRecord, envelope(&body, &other, &[RECORDS]), Some(secret)).await;
    assert!(
        matches!(&refused, Err(Failure::Refused(rejection)) if rejection.reason == Reason::RecordExists),
        "{refused:?}"
    );
    bank.ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_goes_in_chunk_by_chunk_and_rows_can_be_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let log_id = create(dir.path());
    let mut bank = Bank::open(dir.path(), log_id, 1).await;
    let account = bank.furnish().await;
    let mut leaves: Vec<(RecordFacts, v1::SecretPart)> =
        (0..70u8).map(|number| facts(account, 100 + number, [number + 1; 32])).collect();
    leaves.sort_by_key(|(facts, _)| facts.record_id);
    let hashes: Vec<[u8; 32]> = leaves
        .iter()
        .map(|(facts, _)| credit_log::batch::record_leaf(payload_type::RECORD_FACTS, &facts.leaf_payload()))
        .collect();
    let tree = Manifest::of(&hashes).unwrap();
    let manifest = BatchManifest { leaf_type: LeafType::Record, record_count: 70, root: Digest(tree.root()) };
    let header = bank.header(SignerId::Institution(school()));
    let opened =
        bank.send(Expected::OpenBatch, envelope(&manifest, &header, &[RECORDS]), None).await.unwrap();
    for chunk in 0..2u32 {
        let from = usize::try_from(chunk).unwrap() * 64;
        let submission = v1::ChunkSubmission {
            chunk,
            leaves: leaves[from..(from + 64).min(70)]
                .iter()
                .map(|(facts, secret)| v1::LeafSubmission {
                    facts: facts.leaf_payload(),
                    secret: Some(secret.clone()),
                })
                .collect(),
            path: tree.path(u64::from(chunk)).unwrap().iter().map(|hash| hash.to_vec()).collect(),
        };
        let prepared = bank.ledger.preparer().chunk(opened.index, submission.clone(), true).unwrap();
        let answer = bank.ledger.submit(prepared).await.unwrap();
        assert!(answer.refused.is_empty(), "{:?}", answer.refused);
        assert_eq!((answer.next_chunk, answer.closed), (chunk + 1, chunk == 1));
        let again = bank.ledger.preparer().chunk(opened.index, submission, false).unwrap();
        assert!(bank.ledger.submit(again).await.unwrap().replayed);
    }
    assert_eq!(bank.ledger.reader().records_of(account, None, 100).unwrap().len(), 70);
    bank.ledger.stop().await;

    let store = credit_store::sled::SledStore::open(
        &dir.path().join("store"),
        &credit_store::sled::Options { must_exist: true, ..Default::default() },
    )
    .unwrap();
    assert_eq!(
        credit_service::compare_rows(&store, &mut credit_service::RowsInMemory::default(), |_, _| {})
            .unwrap(),
        None
    );
    credit_service::rebuild_rows(&store, |_, _| {}).unwrap();
    assert_eq!(
        credit_service::compare_rows(&store, &mut credit_service::RowsInMemory::default(), |_, _| {})
            .unwrap(),
        None
    );
}

const SECOND: u8 = 7;

/// Two keys sign while one is exchanged for the other; then either alone, and never one that the genesis does not name.
#[tokio::test]
async fn a_checkpoint_key_is_exchanged_for_the_second_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    let header = Header { log_id: None, statement_id: id(1), signer: SignerId::Authority, anchor: None };
    let mut named = vec![public(CHECKPOINT), public(SECOND)];
    named.sort_by_key(|key| key.bytes);
    let genesis = Genesis { checkpoint_keys: named, ..genesis() };
    let keys = |first: u8, second: Option<u8>| ServerKeys {
        checkpoint: key(first),
        second_checkpoint: second.map(key),
        ..server_keys()
    };
    Ledger::create(&dir, &envelope(&genesis, &header, &AUTHORITY[..2]), keys(CHECKPOINT, None)).unwrap();
    let mut size = 1;
    for (first, second) in
        [(CHECKPOINT, None), (CHECKPOINT, Some(SECOND)), (SECOND, Some(CHECKPOINT)), (SECOND, None)]
    {
        let ledger = Ledger::open(&dir, keys(first, second), options()).await.unwrap();
        let head = ledger.reader().head();
        size += 1;
        assert_eq!(head.size, size);
        for seed in [CHECKPOINT, SECOND] {
            let known = credit_log::note::VerifierKey::new(&genesis.origin, key(seed).public()).unwrap();
            let opened = credit_log::checkpoint::open(&head.checkpoint, &[known], &genesis.origin);
            assert_eq!(opened.is_ok(), seed == first || Some(seed) == second, "{seed}");
        }
        ledger.stop().await;
    }
    for (first, second, field) in [
        (8, None, "checkpoint key"),
        (CHECKPOINT, Some(8), "second checkpoint key"),
        (CHECKPOINT, Some(CHECKPOINT), "second checkpoint key"),
    ] {
        let refused = Ledger::open(&dir, keys(first, second), options()).await.err().unwrap();
        assert!(matches!(&refused, Failure::Invalid { field: named, .. } if named == field), "{refused}");
    }
}

/// What is signed is published at once when the ledger stops, and a cosigned note stands until a newer head does.
#[tokio::test]
async fn the_last_head_is_published_and_cosignatures_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    create(&dir);
    let ledger = Ledger::open(&dir, server_keys(), options()).await.unwrap();
    let publisher = std::sync::Arc::clone(ledger.publisher());
    let mut watch = publisher.watch();
    let head = ledger.reader().head();
    while watch.borrow_and_update().size < head.size {
        tokio::time::timeout(std::time::Duration::from_secs(60), watch.changed()).await.unwrap().unwrap();
    }
    assert_eq!((publisher.current().size, &publisher.current().note), (head.size, &head.checkpoint));
    let witness = credit_log::note::NoteSigner::new("witness", key(20)).unwrap();
    let mut note = credit_log::note::Note::parse(&head.checkpoint).unwrap();
    note.signatures.push(witness.sign(&note.text));
    let cosigned = note.format().unwrap();
    assert_eq!(publisher.cosigned(head.size, &cosigned), Ok(true));
    assert!(watch.has_changed().unwrap());
    assert_eq!(watch.borrow_and_update().note, cosigned);
    ledger.stop().await;
    assert_eq!(publisher.current().note, cosigned, "the same head is published with what was added to it");
}

/// The smallest book: one rule for one course.
fn book() -> Book {
    let text = r#"schema = "rulebook/1"
id = "cn.test.book"
version = 1
effective = { from = 2020-01-01 }
retroactive = true
labels = { zh = "书", en = "Book" }
standards.CN_XF = { label = { zh = "学分", en = "Credit" }, step = "0.5 cr" }
[[rule]]
id = "one"
kind = "transfer"
labels = { zh = "课程", en = "Course" }
when = { course = "cn.test.school:A" }
award = { course = "cn.test.school:B", credit = "2 cr", std = "CN_XF", whole = true }
cap = { per = "target", max = "2 cr" }
"#;
    Book::from_toml(text).unwrap()
}

impl Bank {
    fn publication(&mut self) -> Envelope {
        let canonical = book().canonical();
        let check = assess::check_of(&book(), canonical.len()).unwrap();
        let body = RuleBookPublication {
            book: check.book,
            digest: Digest(credit_log::hash::sha256(&canonical)),
            size_bytes: check.size_bytes,
            effective_from: check.effective_from,
            effective_until: check.effective_until,
            select_by: check.select_by,
        };
        let header = self.header(SignerId::Authority);
        envelope(&body, &header, &AUTHORITY[..2])
    }

    async fn publish(&self, envelope: Envelope) -> Result<credit_service::Answer, Failure> {
        let prepared = self.ledger.preparer().rule_book(Some(wire(envelope)), book().canonical(), true)?;
        self.ledger.submit(prepared).await
    }

    async fn upgrade(&mut self, protocol: u32) -> Result<credit_service::Answer, Failure> {
        let header = self.header(SignerId::Authority);
        let body = ProtocolUpgrade { protocol, format: 1 };
        self.send(Expected::UpgradeProtocol, envelope(&body, &header, &AUTHORITY[..2]), None).await
    }
}

/// The reason for which something was refused.
fn reason<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Reason {
    match outcome {
        Err(Failure::Refused(rejection)) => rejection.reason,
        other => panic!("a refusal is expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_ledger_of_protocol_1_goes_on_under_protocol_2_once_the_authority_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("ledger");
    let log_id = create_of(&dir, &Genesis { protocol: 1, ..genesis() });
    let mut bank = Bank::open(&dir, log_id, 10).await;
    let early = bank.publication();
    assert_eq!(reason(bank.publish(early).await), Reason::ProtocolTooOld);
    assert_eq!(reason(bank.upgrade(3).await), Reason::ProtocolNotNewer, "this software speaks no protocol 3");
    let upgraded = bank.upgrade(2).await.unwrap();
    let published = bank.publication();
    let published = bank.publish(published).await.unwrap();
    assert_eq!(published.index, upgraded.index + 1, "it holds from the next index on");
    assert_eq!(reason(bank.upgrade(2).await), Reason::ProtocolNotNewer);
    bank.ledger.stop().await;
    // The next server start names the protocol that the log follows by then.
    let bank = Bank::open(&dir, log_id, 40).await;
    assert_eq!(bank.ledger.reader().head().size, published.index + 2);
    bank.ledger.stop().await;
}
