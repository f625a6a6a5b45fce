//! The write path in process, without gRPC: preparing, deciding, writing. For profiles of the path itself; the figures
//! that count are those of `creditbank bench`.
//!
//! `cargo bench -p credit-service --bench pipeline -- RECORDS [ONE-BY-ONE]`

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool for the terminal of who works on the path"
)]

use credit_log::batch::Manifest;
use credit_log::commitment::{DETAILS_LABEL, IDENTITY_LABEL, commit};
use credit_log::envelope::SigningKey;
use credit_proto::{Envelope, Leaf, Secret, Signable, payload_type, v1};
use credit_service::clock::instant;
use credit_service::{Expected, Ledger, OpenOptions, ServerKeys};
use credit_types::limits::CHUNK_LEAVES_MAX;
use credit_types::{
    AccountIdentity, AccountOpening, AccountRef, Accreditation, Amount, Anchor, AssuranceLevel,
    BatchManifest, CivilDate, CommandId, CreditScheme, Credits, Digest, FrameworkId, FrameworkPublication,
    Genesis, Header, InstitutionAdmission, InstitutionId, InstitutionKey, InstitutionKind, KeyPurpose, Kid,
    LeafType, LogId, Policy, PublicKey, RecordDetails, RecordFacts, RecordId, RecordKind, Role, SchemeId,
    SchemeKind, SignerId, Text,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use zeroize::Zeroizing;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS_DEFAULT: u64 = 50_000;
const RECORDS_A_LEARNER: u64 = 10;
/// Records of one batch.
const BATCH: u64 = 10_000;
const CHUNKS_IN_FLIGHT: usize = 16;
const SINGLE_IN_FLIGHT: usize = 1_024;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn public(seed: u8) -> PublicKey {
    let key = key(seed).public();
    PublicKey { bytes: key.bytes(), kid: Kid(key.kid()) }
}

fn id(number: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&(1_700_000_000_000u64 + number / 8).to_be_bytes()[2..]);
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    bytes
}

fn wire<B: Signable>(body: &B, header: &Header, seeds: &[u8]) -> v1::Envelope {
    let payload = body.payload(Some(header));
    let mut signatures: Vec<(Kid, [u8; 64])> = seeds
        .iter()
        .map(|seed| (Kid(key(*seed).public().kid()), key(*seed).sign_statement(B::TYPE, &payload)))
        .collect();
    signatures.sort_unstable();
    v1::Envelope {
        payload_type: B::TYPE.to_owned(),
        payload,
        signatures: signatures
            .iter()
            .map(|(kid, signature)| v1::Signature { kid: kid.0.to_vec(), signature: signature.to_vec() })
            .collect(),
    }
}

fn server_keys() -> ServerKeys {
    ServerKeys {
        checkpoint: key(4),
        second_checkpoint: None,
        statement: key(5),
        operator: key(6),
        root: Zeroizing::new([9; 32]),
    }
}

fn genesis() -> Genesis {
    Genesis {
        nonce: [7; 32],
        protocol: credit_types::genesis::PROTOCOL,
        origin: "dev.example/bank".to_owned(),
        checkpoint_keys: vec![public(4)],
        statement_keys: vec![public(5)],
        operator_keys: vec![public(6)],
        authority_keys: vec![public(1), public(2)],
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

fn school() -> InstitutionId {
    InstitutionId::new("cn.test.school").unwrap()
}

fn admission() -> InstitutionAdmission {
    let purposes = [
        (10, KeyPurpose::Records),
        (11, KeyPurpose::Status),
        (12, KeyPurpose::Registry),
        (13, KeyPurpose::Keys),
        (14, KeyPurpose::Recovery),
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

/// A leaf with what it commits to.
fn record(account: AccountRef, number: u64) -> (RecordFacts, v1::SecretPart) {
    let details = RecordDetails {
        catalogue_ref: format!("C-{}@1", number % 500),
        title: Text { zh: "数据库系统原理".to_owned(), en: "Principles of Databases".to_owned() },
        certificate_no: format!("N{number}"),
        ..RecordDetails::default()
    };
    let mut salt = [0; 32];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    let payload = details.payload();
    let facts = RecordFacts {
        record_id: RecordId(id(number)),
        account_ref: account,
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
        details_commitment: Digest(commit(DETAILS_LABEL, &salt, payload_type::RECORD_DETAILS, &payload)),
        credit_eligible: true,
    };
    (facts, v1::SecretPart { salt: salt.to_vec(), payload })
}

struct Bank {
    ledger: Ledger,
    log_id: LogId,
    next: u64,
}

impl Bank {
    async fn open(dir: &Path) -> Self {
        let header = Header {
            log_id: None,
            statement_id: CommandId(id(1)),
            signer: SignerId::Authority,
            anchor: None,
        };
        let envelope = wire(&genesis(), &header, &[1, 2]);
        let log_id = Ledger::create(dir, &Envelope::try_from(envelope).unwrap(), server_keys()).unwrap();
        let options = OpenOptions { reserve_bytes: 0, ..OpenOptions::default() };
        Self { ledger: Ledger::open(dir, server_keys(), options).await.unwrap(), log_id, next: 1 << 40 }
    }

    fn header(&mut self, signer: SignerId) -> Header {
        self.next += 8;
        let head = self.ledger.reader().head();
        let anchor = Some(Anchor { size: head.size, root: head.root });
        Header { log_id: Some(self.log_id), statement_id: CommandId(id(self.next)), signer, anchor }
    }

    async fn send<B: Signable>(
        &mut self,
        expected: Expected,
        body: &B,
        signer: SignerId,
        seeds: &[u8],
    ) -> u64 {
        let header = self.header(signer);
        let envelope = wire(body, &header, seeds);
        let prepared = self.ledger.preparer().statement(expected, Some(envelope), None, None, false).unwrap();
        self.ledger.submit(prepared).await.unwrap().index
    }

    async fn furnish(&mut self) {
        self.send(Expected::PublishFramework, &framework(), SignerId::Authority, &[1, 2]).await;
        let seeds = [1, 2, 10, 11, 12, 13, 14];
        self.send(Expected::AdmitInstitution, &admission(), SignerId::Authority, &seeds).await;
    }

    /// Sends leaves as one batch; gives what was opened, in the order of the leaves as they were sent.
    async fn batch<L: Leaf>(
        &mut self,
        leaf_type: LeafType,
        seed: u8,
        leaves: Vec<(L, v1::SecretPart)>,
    ) -> Vec<AccountRef> {
        let payload_type = match leaf_type {
            LeafType::Record => payload_type::RECORD_FACTS,
            LeafType::Opening => payload_type::ACCOUNT_OPENING,
        };
        let mut leaves: Vec<([u8; 32], v1::LeafSubmission)> = leaves
            .into_iter()
            .map(|(leaf, secret)| {
                let facts = leaf.leaf_payload();
                let hash = credit_log::batch::record_leaf(payload_type, &facts);
                (hash, v1::LeafSubmission { facts, secret: Some(secret) })
            })
            .collect();
        if leaf_type == LeafType::Opening {
            leaves.sort_by_key(|(hash, _)| *hash);
        }
        let hashes: Vec<[u8; 32]> = leaves.iter().map(|(hash, _)| *hash).collect();
        let tree = Manifest::of(&hashes).unwrap();
        let manifest = BatchManifest {
            leaf_type,
            record_count: u32::try_from(leaves.len()).unwrap(),
            root: Digest(tree.root()),
        };
        let index = self.send(Expected::OpenBatch, &manifest, SignerId::Institution(school()), &[seed]).await;
        let mut opened = Vec::new();
        let mut flying = VecDeque::new();
        let mut rest = leaves.into_iter().map(|(_, leaf)| leaf).peekable();
        let mut chunk = 0u32;
        loop {
            while flying.len() < CHUNKS_IN_FLIGHT && rest.peek().is_some() {
                let leaves: Vec<v1::LeafSubmission> = rest.by_ref().take(CHUNK_LEAVES_MAX).collect();
                let path = tree.path(u64::from(chunk)).unwrap().iter().map(|hash| hash.to_vec()).collect();
                let submission = v1::ChunkSubmission { chunk, leaves, path };
                let preparer = self.ledger.preparer().clone();
                flying
                    .push_back(tokio::task::spawn_blocking(move || preparer.chunk(index, submission, false)));
                chunk += 1;
            }
            // In order; as many as have been prepared wait for the writer together.
            let mut waiting = Vec::new();
            while let Some(next) = flying.pop_front() {
                let prepared = next.await.unwrap().unwrap();
                let ledger = self.ledger.clone();
                waiting.push(queued(async move { ledger.submit(prepared).await.unwrap() }).await);
            }
            if waiting.is_empty() {
                return opened;
            }
            for waiting in waiting {
                let answer = waiting.await;
                assert!(answer.refused.is_empty(), "{:?}", answer.refused);
                opened.extend(answer.opened.iter().map(|opened| opened.account_ref));
            }
        }
    }
}

/// A future that was polled once, so that it has its place in the writer's queue.
async fn queued<F>(future: F) -> Pin<Box<dyn Future<Output = F::Output>>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let mut future: Pin<Box<dyn Future<Output = F::Output>>> = Box::pin(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(done) => Box::pin(std::future::ready(done)),
        Poll::Pending => future,
    }
}

/// What a phase took, by the clock and in processor time by thread.
struct Phase {
    began: std::time::Instant,
    before: BTreeMap<String, u64>,
}

impl Phase {
    fn begin() -> Self {
        Self { began: instant(), before: ticks() }
    }

    fn end(self, what: &str, count: u64) {
        let us = u64::try_from(self.began.elapsed().as_micros()).unwrap().max(1);
        println!("{what}: {count} in {} ms, {} a second", us / 1_000, count * 1_000_000 / us);
        for (thread, ticks) in ticks() {
            // Threads that have ended meanwhile take their time with them.
            let spent = ticks.saturating_sub(self.before.get(&thread).copied().unwrap_or(0));
            // A tick is a hundredth of a second.
            let each = spent * 10_000 * 10 / count;
            if each > 5 {
                println!("  {thread}: {}.{} us each", each / 10, each % 10);
            }
        }
    }
}

/// Processor time of this process's threads so far, those of one kind together.
fn ticks() -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let Ok(stat) = std::fs::read_to_string(task.unwrap().path().join("stat")) else { continue };
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        let fields: Vec<u64> =
            rest.split_whitespace().skip(11).take(2).map(|it| it.parse().unwrap()).collect();
        *all.entry(name.to_owned()).or_default() += fields.iter().sum::<u64>();
    }
    all
}

#[tokio::main]
async fn main() {
    let mut counts = std::env::args().filter_map(|arg| arg.parse().ok());
    let count = counts.next().unwrap_or(RECORDS_DEFAULT);
    let singles = counts.next().unwrap_or(count / 4);
    let dir = tempfile::tempdir().unwrap();
    let mut bank = Bank::open(&dir.path().join("ledger")).await;
    bank.furnish().await;
    let learners = count.div_ceil(RECORDS_A_LEARNER);
    let openings = (0..learners).map(|number| {
        let identity =
            AccountIdentity { name: format!("学{number}"), ..AccountIdentity::default() }.payload();
        let mut salt = [3; 32];
        salt[..8].copy_from_slice(&number.to_be_bytes());
        let commitment = commit(IDENTITY_LABEL, &salt, payload_type::ACCOUNT_IDENTITY, &identity);
        let opening =
            AccountOpening { assurance: AssuranceLevel::Phone, identity_commitment: Digest(commitment) };
        (opening, v1::SecretPart { salt: salt.to_vec(), payload: identity })
    });
    let openings: Vec<_> = openings.collect();
    let phase = Phase::begin();
    let mut accounts = bank.batch(LeafType::Opening, 12, openings).await;
    phase.end("openings in a batch", learners);
    accounts.sort_unstable();
    let all: Vec<_> = (0..count)
        .map(|number| record(accounts[usize::try_from(number / RECORDS_A_LEARNER).unwrap()], number * 8))
        .collect();
    let mut batches: Vec<Vec<_>> = Vec::new();
    for record in all {
        match batches.last_mut() {
            Some(batch) if (batch.len() as u64) < BATCH => batch.push(record),
            _ => batches.push(vec![record]),
        }
    }
    let phase = Phase::begin();
    for batch in batches {
        bank.batch(LeafType::Record, 10, batch).await;
    }
    phase.end("records in batches", count);
    if singles > 0 {
        single(&mut bank, &accounts, singles).await;
    }
    let stats = bank.ledger.stats();
    println!("{} entries, {} groups, {} MiB on disk", stats.size, stats.groups, stats.disk_bytes >> 20);
    bank.ledger.stop().await;
}

async fn single(bank: &mut Bank, accounts: &[AccountRef], count: u64) {
    let mut requests = Vec::new();
    for number in 0..count {
        let at = usize::try_from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % accounts.len() as u64).unwrap();
        let (facts, secret) = record(accounts[at], (1 << 36) + number * 8);
        let header = bank.header(SignerId::Institution(school()));
        requests.push((wire(&facts, &header, &[10]), secret));
    }
    let phase = Phase::begin();
    let halves = requests.len().div_ceil(2);
    let mut work = Vec::new();
    let mut rest = requests.into_iter();
    for _ in 0..2 {
        let preparer = bank.ledger.preparer().clone();
        let half: Vec<_> = rest.by_ref().take(halves).collect();
        work.push(tokio::task::spawn_blocking(move || {
            let one = |(envelope, secret)| {
                preparer
                    .statement(Expected::DepositRecord, Some(envelope), Some(secret), None, false)
                    .unwrap()
            };
            half.into_iter().map(one).collect::<Vec<_>>()
        }));
    }
    let mut prepared = Vec::new();
    for half in work {
        prepared.extend(half.await.unwrap());
    }
    phase.end("records prepared one by one on two threads", count);
    let phase = Phase::begin();
    let mut flying = VecDeque::new();
    for prepared in prepared {
        let ledger = bank.ledger.clone();
        flying.push_back(queued(async move { ledger.submit(prepared).await.unwrap() }).await);
        if flying.len() >= SINGLE_IN_FLIGHT
            && let Some(first) = flying.pop_front()
        {
            first.await;
        }
    }
    for rest in flying {
        rest.await;
    }
    phase.end("of them written", count);
}
