//! Clients that submit until the server dies, and what each of them was told until then.

use crate::change::{BatchStream, RawBatch};
use crate::institution::Institution;
use crate::session::{Account, Session, World};
use crate::statement::{Draft, envelope, identity, seal_identity, uuid_v7};
use credit_log::checkpoint::Checkpoint;
use credit_log::receipt::TlogProof;
use credit_proto::v1::KeyPurpose;
use credit_proto::{payload_type, v1};
use prost::Message;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

/// The most requests of a stream without an answer.
const WINDOW: usize = 24;
/// The leaves of a batch: three chunks, the last one short.
const BATCH_LEAVES: usize = 150;

/// What a client sends, kept so that it can send the very same again.
#[derive(Clone)]
pub(crate) enum Write {
    /// A record.
    Record(v1::SubmitRecordRequest),
    /// The opening of an account.
    Opening(v1::OpenAccountRequest),
}

impl Write {
    /// Whether its answer comes with a receipt, once a head over it is signed; else it comes once it is durable.
    pub(crate) fn wants_receipt(&self) -> bool {
        match self {
            Self::Record(request) => request.want_receipt,
            Self::Opening(request) => request.want_receipt,
        }
    }
}

/// Where the server said that something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Index of the entry.
    pub(crate) index: u64,
    /// Its leaf hash.
    pub(crate) leaf: Vec<u8>,
}

impl Place {
    fn of(position: Option<&v1::Position>) -> Self {
        let position = position.expect("a position");
        Self { index: position.index, leaf: position.leaf_hash.clone() }
    }
}

/// A write and, if it was answered, the answer.
pub(crate) struct Sent {
    /// The write.
    pub(crate) write: Write,
    /// What was told.
    pub(crate) told: Option<Place>,
}

/// A batch and what was answered of it: its manifest first, then its chunks.
pub(crate) struct SentBatch {
    /// The batch.
    pub(crate) batch: RawBatch,
    /// The answers, in order.
    pub(crate) told: Vec<Place>,
}

/// All that the clients of one cycle sent and heard.
#[derive(Default)]
pub(crate) struct Harvest {
    /// Single writes.
    pub(crate) sent: Vec<Sent>,
    /// Batches.
    pub(crate) batches: Vec<SentBatch>,
    /// Signed heads of receipts, by size.
    pub(crate) heads: BTreeMap<u64, [u8; 32]>,
}

impl Harvest {
    fn join(mut self, other: Self) -> Self {
        let Self { sent, batches, heads } = other;
        self.sent.extend(sent);
        self.batches.extend(batches);
        for (size, root) in heads {
            self.head(size, root);
        }
        self
    }

    fn head(&mut self, size: u64, root: [u8; 32]) {
        let before = self.heads.insert(size, root);
        assert!(before.is_none_or(|before| before == root), "two signed roots of size {size}");
    }

    /// Checks an answer's receipt, where one was wanted, against the pinned key and keeps the head under which it was
    /// given.
    pub(crate) fn proved(&mut self, world: &World, write: &Write, position: Option<&v1::Position>) -> Place {
        let place = Place::of(position);
        let receipt = position.and_then(|position| position.receipt.as_ref());
        assert_eq!(receipt.is_some(), write.wants_receipt(), "a receipt where one was wanted");
        let Some(receipt) = receipt else { return place };
        assert_eq!(world.proved(receipt), (place.index, place.leaf.clone()));
        let proof = TlogProof::parse(&receipt.tlog_proof).expect("a proof");
        let Checkpoint { origin: _, size, root } = world.checkpoint(&proof.checkpoint);
        self.head(size, root);
        place
    }
}

/// What the clients of a cycle work with.
pub(crate) struct Load<'w> {
    /// The ledger.
    pub(crate) world: &'w World,
    /// The account that gets the records.
    pub(crate) account: Account,
    /// The head on which statements rest.
    pub(crate) anchor: Checkpoint,
    /// How many answers all clients have had.
    pub(crate) answers: AtomicU64,
}

impl Load<'_> {
    fn header(&self, signer: &Institution) -> v1::StatementHeader {
        let Checkpoint { origin: _, size, root } = &self.anchor;
        v1::StatementHeader {
            log_id: self.world.log_id.clone(),
            statement_id: uuid_v7().to_vec(),
            signer_id: signer.id.clone(),
            anchor: Some(v1::Anchor { size: *size, root: root.to_vec() }),
        }
    }

    fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// A record that nobody has sent before. Every other one wants no receipt: it is answered before its head is signed.
    pub(crate) fn record(&self) -> v1::SubmitRecordRequest {
        let school = &self.world.school;
        let draft = Draft::course(&self.account.account_ref);
        let want_receipt = draft.facts.record_id.last().is_some_and(|byte| byte % 2 == 0);
        let request = draft.submission(self.header(school), &school.key(KeyPurpose::Records));
        v1::SubmitRecordRequest { want_receipt, ..request }
    }

    /// The opening of an account of a person whom nobody knows.
    pub(crate) fn opening(&self) -> v1::OpenAccountRequest {
        let registrar = &self.world.registrar;
        let sealed = seal_identity(&identity(None));
        let opening = v1::AccountOpening {
            header: Some(self.header(registrar)),
            assurance: v1::AssuranceLevel::Document.into(),
            identity_commitment: sealed.commitment,
        };
        let key = registrar.key(KeyPurpose::Registry);
        let signed = envelope(payload_type::ACCOUNT_OPENING, opening.encode_to_vec(), &[&key]);
        v1::OpenAccountRequest { envelope: Some(signed), identity: Some(sealed.part), want_receipt: true }
    }

    fn batch(&self) -> RawBatch {
        let mut drafts: Vec<Draft> =
            (0..BATCH_LEAVES).map(|_| Draft::course(&self.account.account_ref)).collect();
        drafts.sort_by_key(|draft| draft.facts.record_id.clone());
        let leaves = drafts.iter().map(Draft::leaf).collect();
        let school = &self.world.school;
        RawBatch::sign(
            self.header(school),
            payload_type::RECORD_FACTS,
            leaves,
            &school.key(KeyPurpose::Records),
        )
    }

    /// Runs all clients until the server has died under each of them; `kill` runs beside them.
    pub(crate) fn run(&self, kill: impl FnOnce() + Send) -> Harvest {
        std::thread::scope(|scope| {
            let clients = [
                scope.spawn(|| block_on(self.one_by_one(|| Write::Record(self.record())))),
                scope.spawn(|| block_on(self.one_by_one(|| Write::Record(self.record())))),
                scope.spawn(|| block_on(self.one_by_one(|| Write::Opening(self.opening())))),
                scope.spawn(|| block_on(self.stream())),
                scope.spawn(|| block_on(self.batches())),
            ];
            kill();
            let harvests = clients.map(|client| client.join().expect("a client ends well"));
            harvests.into_iter().fold(Harvest::default(), Harvest::join)
        })
    }

    /// One write after the other, each after the answer to the one before.
    async fn one_by_one(&self, next: impl Fn() -> Write) -> Harvest {
        let session = Session::new(self.world).await;
        let mut harvest = Harvest::default();
        loop {
            let write = next();
            let answer = send(&session, &write).await;
            let told = match &answer {
                Ok(position) => Some(harvest.proved(self.world, &write, Some(position))),
                Err(status) => {
                    dead(status);
                    None
                }
            };
            harvest.sent.push(Sent { write, told });
            if answer.is_err() {
                return harvest;
            }
            self.answered();
        }
    }

    /// A stream with many records in flight.
    async fn stream(&self) -> Harvest {
        let session = Session::new(self.world).await;
        let (to, requests) = tokio::sync::mpsc::channel(WINDOW);
        let mut harvest = Harvest::default();
        let mut flying = VecDeque::new();
        let answers =
            session.of(&self.world.school).records().submit_records(ReceiverStream::new(requests)).await;
        let mut answers = match answers {
            Ok(answers) => answers.into_inner(),
            Err(status) => {
                dead(&status);
                return harvest;
            }
        };
        loop {
            while flying.len() < WINDOW {
                let record = self.record();
                let v1::SubmitRecordRequest { envelope, details, want_receipt } = record.clone();
                let request = v1::SubmitRecordsRequest { envelope, details, want_receipt };
                if to.send(request).await.is_err() {
                    break;
                }
                flying.push_back(harvest.sent.len());
                harvest.sent.push(Sent { write: Write::Record(record), told: None });
            }
            let answer = match answers.message().await {
                Ok(Some(answer)) => answer,
                Ok(None) => return harvest,
                Err(status) => {
                    dead(&status);
                    return harvest;
                }
            };
            let number = flying.pop_front().expect("an answer to something that was sent");
            assert_eq!(answer.number, u64::try_from(number).expect("a number"));
            match answer.outcome.expect("an outcome") {
                v1::submit_records_response::Outcome::Position(position) => {
                    let write = harvest.sent[number].write.clone();
                    harvest.sent[number].told = Some(harvest.proved(self.world, &write, Some(&position)));
                    self.answered();
                }
                v1::submit_records_response::Outcome::Refusal(refusal) => panic!("refused: {refusal:?}"),
            }
        }
    }

    /// Batch after batch, chunk after chunk.
    async fn batches(&self) -> Harvest {
        let session = Session::new(self.world).await;
        let mut harvest = Harvest::default();
        loop {
            let mut sent = SentBatch { batch: self.batch(), told: Vec::new() };
            let ended = finish(&session, &mut sent, || self.answered()).await;
            harvest.batches.push(sent);
            if let Err(status) = ended {
                dead(&status);
                return harvest;
            }
        }
    }
}

/// The end of a connection, not a refusal.
fn dead(status: &Status) {
    let chance =
        matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal);
    assert!(chance && status.details().is_empty(), "not the end of a connection: {status:?}");
}

/// Sends a write.
pub(crate) async fn send(session: &Session<'_>, write: &Write) -> Result<v1::Position, Status> {
    let position = match write {
        Write::Record(request) => {
            session.send(&session.world.school, request.clone()).await?.into_inner().position
        }
        Write::Opening(request) => {
            let registrar = session.of(&session.world.registrar);
            registrar.accounts().open_account(request.clone()).await?.into_inner().position
        }
    };
    Ok(position.expect("a position"))
}

/// Sends a batch to its end. What was answered before must be answered in the same way again.
pub(crate) async fn finish(
    session: &Session<'_>,
    sent: &mut SentBatch,
    answered: impl Fn(),
) -> Result<(), Status> {
    let SentBatch { batch, told } = sent;
    let (mut stream, opening) = BatchStream::open(session, &session.world.school, batch.start()).await?;
    let next_chunk = usize::try_from(opening.next_chunk).expect("a number");
    assert!(next_chunk + 1 >= told.len(), "chunks {next_chunk} and on are lost: {told:?}");
    agree(told, 0, opening.position.as_ref());
    for chunk in 0..batch.chunks() {
        let outcome = stream.chunk(batch.chunk(chunk)).await?;
        assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
        // A batch that was closed before is told closed with every chunk that is sent again.
        let replayed = outcome.position.as_ref().is_some_and(|position| position.replayed);
        assert!(outcome.closed == (chunk + 1 == batch.chunks()) || (outcome.closed && replayed));
        agree(told, usize::try_from(chunk).expect("a number") + 1, outcome.position.as_ref());
        answered();
    }
    stream.end().await
}

/// Holds an answer against the one that was given before, or keeps it.
fn agree(told: &mut Vec<Place>, number: usize, position: Option<&v1::Position>) {
    let place = Place::of(position);
    match told.get(number) {
        None => told.push(place),
        Some(before) => {
            assert_eq!(*before, place);
            assert!(position.is_some_and(|position| position.replayed), "recorded twice: {position:?}");
        }
    }
}

/// Runs a future to its end in this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}
