//! The running ledger in process: made, opened, written to, stopped, opened again, rebuilt.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by stopping"
)]

use credit_ledger::assess;
use credit_log::batch::Manifest;
use credit_log::commitment::{DETAILS_LABEL, IDENTITY_LABEL, commit};
use credit_log::envelope::SigningKey;
use credit_proto::{Envelope, Leaf, Secret, Signable, payload_type, v1};
use credit_rules::book::Book;
use credit_service::{Expected, Failure, Ledger, OpenOptions, ServerKeys};
use credit_types::*;
use std::collections::BTreeSet;
use std::path::Path;
use zeroize::Zeroizing;

/// A bank in a folder, with every key of everybody.
struct Bank {
    ledger: Ledger,
    log_id: LogId,
    next: u8,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn public(seed: u8) -> PublicKey {
    let key = key(seed).public();
    PublicKey { bytes: key.bytes(), kid: Kid(key.kid()) }
}

const AUTHORITY: [u8; 3] = [1, 2, 3];
const CHECKPOINT: u8 = 4;
const STATEMENT: u8 = 5;
const OPERATOR: u8 = 6;
const RECORDS: u8 = 10;
const STATUS: u8 = 11;
const REGISTRY: u8 = 12;
const KEYS: u8 = 13;
const RECOVERY: u8 = 14;

fn server_keys() -> ServerKeys {
    ServerKeys {
        checkpoint: key(CHECKPOINT),
        second_checkpoint: None,
        statement: key(STATEMENT),
        operator: key(OPERATOR),
        root: Zeroizing::new([9; 32]),
    }
}

fn id(number: u8) -> CommandId {
    let mut bytes = [number; 16];
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    CommandId(bytes)
}

fn envelope<B: Signable>(body: &B, header: &Header, seeds: &[u8]) -> Envelope {
    let payload = body.payload(Some(header));
    let mut signatures: Vec<(Kid, [u8; 64])> = seeds
        .iter()
        .map(|seed| (Kid(key(*seed).public().kid()), key(*seed).sign_statement(B::TYPE, &payload)))
        .collect();
    signatures.sort_unstable();
    Envelope { payload_type: B::TYPE.to_owned(), payload, signatures }
}

fn wire(envelope: Envelope) -> v1::Envelope {
    let signatures = envelope.signatures.iter();
    v1::Envelope {
        payload_type: envelope.payload_type,
        payload: envelope.payload,
        signatures: signatures
            .map(|(kid, signature)| v1::Signature { kid: kid.0.to_vec(), signature: signature.to_vec() })
            .collect(),
    }
}

fn genesis() -> Genesis {
    Genesis {
        nonce: [7; 32],
        protocol: credit_types::genesis::PROTOCOL,
        origin: "dev.example/bank".to_owned(),
        checkpoint_keys: vec![public(CHECKPOINT)],
        statement_keys: vec![public(STATEMENT)],
        operator_keys: vec![public(OPERATOR)],
        authority_keys: AUTHORITY.iter().map(|seed| public(*seed)).collect(),
        authority_threshold: 2,
        witness_policy_hash: None,
        registry_log: None,
        civil_offset_minutes: 480,
        policy: Policy {
            notice_days: 0,
            quorum: 0,
            appeal_days: 15,
            lapse_days: 30,
            batch_days: 7,
            anchor_days: 30,
            suspect_days: 30,
        },
        continues: None,
    }
}

fn create(dir: &Path) -> LogId {
    create_of(dir, &genesis())
}

fn create_of(dir: &Path, genesis: &Genesis) -> LogId {
    let header = Header { log_id: None, statement_id: id(1), signer: SignerId::Authority, anchor: None };
    Ledger::create(dir, &envelope(genesis, &header, &AUTHORITY[..2]), server_keys()).unwrap()
}

fn options() -> OpenOptions {
    OpenOptions { reserve_bytes: 0, cache_bytes: 16 << 20, ..OpenOptions::default() }
}

fn school() -> InstitutionId {
    InstitutionId::new("cn.test.school").unwrap()
}

fn admission() -> InstitutionAdmission {
    let purposes = [
        (RECORDS, KeyPurpose::Records),
        (STATUS, KeyPurpose::Status),
        (REGISTRY, KeyPurpose::Registry),
        (KEYS, KeyPurpose::Keys),
        (RECOVERY, KeyPurpose::Recovery),
    ];
    let mut keys: Vec<InstitutionKey> = purposes
        .into_iter()
        .map(|(seed, purpose)| InstitutionKey { key: public(seed), purposes: BTreeSet::from([purpose]) })
        .collect();
    keys.sort_by_key(|key| key.key.bytes);
    InstitutionAdmission {
        institution_id: school(),
        kind: InstitutionKind::University,
        roles: BTreeSet::from([Role::Issuer, Role::Registrar]),
        district_code: "990100".to_owned(),
        parent_id: None,
        name: Text { zh: "测试学校".to_owned(), en: "Test School".to_owned() },
        usci: String::new(),
        accreditations: vec![Accreditation {
            accreditation_no: "A-1".to_owned(),
            authority: "bureau".to_owned(),
            kinds: BTreeSet::from([RecordKind::FormalCourse]),
            levels: Vec::new(),
            subject_prefixes: BTreeSet::new(),
            occupation_prefixes: BTreeSet::new(),
            valid_from: CivilDate::new(2000, 1, 1).unwrap(),
            valid_to: None,
        }],
        keys,
        default_validity_years: 0,
    }
}

fn framework() -> FrameworkPublication {
    FrameworkPublication {
        framework_id: FrameworkId::new("cn.test").unwrap(),
        version: 1,
        title: Text { zh: "测试".to_owned(), en: "test".to_owned() },
        schemes: vec![CreditScheme {
            scheme_id: SchemeId::new("CN_XF").unwrap(),
            kind: SchemeKind::Credit,
            step_milli: 500,
            notional_minutes: 0,
            label: Text { zh: "学分".to_owned(), en: "credit".to_owned() },
        }],
        levels: None,
    }
}

impl Bank {
    async fn open(dir: &Path, log_id: LogId, next: u8) -> Self {
        let ledger = Ledger::open(dir, server_keys(), options()).await.unwrap();
        Self { ledger, log_id, next }
    }

    fn header(&mut self, signer: SignerId) -> Header {
        self.next += 1;
        let head = self.ledger.reader().head();
        Header {
            log_id: Some(self.log_id),
            statement_id: id(self.next),
            signer,
            anchor: Some(Anchor { size: head.size, root: head.root }),
        }
    }

    async fn send(
        &self,
        expected: Expected,
        envelope: Envelope,
        secret: Option<v1::SecretPart>,
    ) -> Result<credit_service::Answer, Failure> {
        let prepared =
            self.ledger.preparer().statement(expected, Some(wire(envelope)), secret, None, true)?;
        self.ledger.submit(prepared).await
    }

    /// Frameworks, the school, one account.
    async fn furnish(&mut self) -> AccountRef {
        let header = self.header(SignerId::Authority);
        let statement = envelope(&framework(), &header, &AUTHORITY[1..]);
        self.send(Expected::PublishFramework, statement, None).await.unwrap();
        let header = self.header(SignerId::Authority);
        let seeds = [1, 2, RECORDS, STATUS, REGISTRY, KEYS, RECOVERY];
        self.send(Expected::AdmitInstitution, envelope(&admission(), &header, &seeds), None).await.unwrap();
        let identity = AccountIdentity { name: "张三".to_owned(), ..AccountIdentity::default() }.payload();
        let salt = [3; 32];
        let commitment = commit(IDENTITY_LABEL, &salt, payload_type::ACCOUNT_IDENTITY, &identity);
        let opening =
            AccountOpening { assurance: AssuranceLevel::Phone, identity_commitment: Digest(commitment) };
        let header = self.header(SignerId::Institution(school()));
        let statement = envelope(&opening, &header, &[REGISTRY]);
        let secret = v1::SecretPart { salt: salt.to_vec(), payload: identity };
        let answer = self.send(Expected::OpenAccount, statement.clone(), Some(secret.clone())).await.unwrap();
        let again = self.send(Expected::OpenAccount, statement, Some(secret)).await.unwrap();
        assert!(again.replayed && again.opened == answer.opened && again.index == answer.index);
        assert_eq!(answer.opened.len(), 1);
        assert_eq!(answer.opened[0].account_number.len(), 16);
        answer.opened[0].account_ref
    }
}

fn facts(account_ref: AccountRef, number: u8, salt: [u8; 32]) -> (RecordFacts, v1::SecretPart) {
    let details = RecordDetails {
        catalogue_ref: "C-1@1".to_owned(),
        title: Text { zh: "课程".to_owned(), en: String::new() },
        certificate_no: format!("N{number}"),
        ..RecordDetails::default()
    };
    let payload = details.payload();
    let commitment = commit(DETAILS_LABEL, &salt, payload_type::RECORD_DETAILS, &payload);
    let facts = RecordFacts {
        record_id: RecordId(id(number).0),
        account_ref,
        kind: RecordKind::FormalCourse,
        amount: Some(Amount {
            scheme: SchemeId::new("CN_XF").unwrap(),
            credits: Credits::from_milli(1_500).unwrap(),
        }),
        minutes: None,
        level: None,
        subject_code: "0611".to_owned(),
        occupation_code: String::new(),
        awarded_on: CivilDate::new(2025, 6, 30).unwrap(),
        valid_until: None,
        details_commitment: Digest(commitment),
        credit_eligible: true,
    };
    (facts, v1::SecretPart { salt: salt.to_vec(), payload })
}

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
