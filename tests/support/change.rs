//! Raw statements about what exists: status of accounts and records, corrections, keys, batches.

use crate::institution::{Institution, institution_key};
use crate::session::{Session, wait_until};
use crate::statement::{Draft, envelope};
use credit_log::batch::{Manifest, record_leaf};
use credit_log::envelope::SigningKey;
use credit_proto::v1::KeyPurpose;
use credit_proto::{payload_type, v1};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

/// The leaves of every chunk but the last.
pub(crate) const CHUNK_LEAVES: usize = 64;

impl Session<'_> {
    /// The size of the log once an entry is under the signed head: a batch's answers come before its signature.
    pub(crate) async fn settled(&self, index: u64) -> u64 {
        let head = wait_until("an entry to be under the head", async || {
            let head = self.head().await;
            (head.size > index).then_some(head)
        });
        head.await.size
    }

    /// What the bank knows of an account.
    pub(crate) async fn view(&self, account_ref: &[u8]) -> v1::AccountView {
        let request = v1::GetAccountRequest { account_ref: account_ref.to_vec() };
        let answer = self.auditor().accounts().get_account(request).await.expect("an account");
        answer.into_inner().account.expect("an account")
    }

    /// What the bank knows of a record.
    pub(crate) async fn record(&self, issuer: &Institution, record_id: &[u8]) -> v1::RecordView {
        let request = v1::GetRecordRequest { issuer_id: issuer.id.clone(), record_id: record_id.to_vec() };
        let answer = self.auditor().records().get_record(request).await.expect("a record");
        answer.into_inner().record.expect("a record")
    }

    /// The record of an account that an entry deposited.
    pub(crate) async fn record_at(
        &self,
        issuer: &Institution,
        index: u64,
        account_ref: &[u8],
    ) -> v1::RecordView {
        let request =
            v1::ListRecordsRequest { account_ref: account_ref.to_vec(), ..v1::ListRecordsRequest::default() };
        let answer = self.auditor().records().list_records(request).await.expect("records");
        let found = answer.into_inner().records.into_iter().find(|record| record.index == index);
        let found = found.expect("a record of that entry");
        assert_eq!(found.issuer_id, issuer.id);
        found
    }

    /// What the bank knows of a key.
    pub(crate) async fn key(&self, key: &SigningKey) -> v1::KeyHistory {
        let request = v1::GetSigningKeyRequest { kid: key.public().kid().to_vec() };
        let answer = self.anyone().registry().get_signing_key(request).await.expect("a key");
        answer.into_inner().key.expect("a key")
    }

    /// A change of an account's status after its present one, without a header.
    pub(crate) async fn account_change(
        &self,
        account_ref: &[u8],
        action: v1::AccountAction,
    ) -> v1::AccountStatusChange {
        v1::AccountStatusChange {
            header: None,
            after: self.view(account_ref).await.last_status_entry,
            account_ref: account_ref.to_vec(),
            action: action.into(),
            reason: v1::StatusReason::Investigation.into(),
            order_ref: String::new(),
            explanation_commitment: Vec::new(),
        }
    }

    /// Sends a change of an account's status under a new header.
    pub(crate) async fn change_account(
        &self,
        signer: &Institution,
        purpose: KeyPurpose,
        change: v1::AccountStatusChange,
    ) -> Result<Response<v1::ChangeAccountStatusResponse>, Status> {
        let change = v1::AccountStatusChange { header: Some(self.header(&signer.id).await), ..change };
        let payload = change.encode_to_vec();
        let signed = envelope(payload_type::ACCOUNT_STATUS_CHANGE, payload, &[&signer.key(purpose)]);
        let request =
            v1::ChangeAccountStatusRequest { envelope: Some(signed), explanation: None, want_receipt: true };
        self.of(signer).accounts().change_account_status(request).await
    }

    /// Changes an account's status by the registrar; it must be taken.
    pub(crate) async fn account_must(&self, account_ref: &[u8], action: v1::AccountAction) {
        let change = self.account_change(account_ref, action).await;
        let registrar = &self.world.registrar;
        self.change_account(registrar, KeyPurpose::Registry, change)
            .await
            .expect("an account's status changes");
    }

    /// A change of a record's status after its present one, without a header.
    pub(crate) async fn record_change(
        &self,
        issuer: &Institution,
        record_id: &[u8],
        action: v1::RecordAction,
    ) -> v1::RecordStatusChange {
        let record = self.record(issuer, record_id).await;
        let terminal = action == v1::RecordAction::Revoke;
        v1::RecordStatusChange {
            header: None,
            after: if terminal { Vec::new() } else { record.last_status_entry },
            account_ref: record.facts.expect("facts").account_ref,
            issuer_id: issuer.id.clone(),
            record_id: record_id.to_vec(),
            action: action.into(),
            reason: v1::StatusReason::Investigation.into(),
            order_ref: String::new(),
            effective_from: None,
            explanation_commitment: Vec::new(),
        }
    }

    /// Sends a change of a record's status under a new header.
    pub(crate) async fn change_record(
        &self,
        signer: &Institution,
        change: v1::RecordStatusChange,
    ) -> Result<Response<v1::ChangeRecordStatusResponse>, Status> {
        let request = self.record_change_request(signer, change).await;
        self.of(signer).records().change_record_status(request).await
    }

    /// A signed change of a record's status, ready to be sent.
    pub(crate) async fn record_change_request(
        &self,
        signer: &Institution,
        change: v1::RecordStatusChange,
    ) -> v1::ChangeRecordStatusRequest {
        let change = v1::RecordStatusChange { header: Some(self.header(&signer.id).await), ..change };
        let payload = change.encode_to_vec();
        let signed =
            envelope(payload_type::RECORD_STATUS_CHANGE, payload, &[&signer.key(KeyPurpose::Status)]);
        v1::ChangeRecordStatusRequest { envelope: Some(signed), explanation: None, want_receipt: true }
    }

    /// Changes a record's status by its issuer; it must be taken.
    pub(crate) async fn record_must(&self, issuer: &Institution, record_id: &[u8], action: v1::RecordAction) {
        let change = self.record_change(issuer, record_id, action).await;
        self.change_record(issuer, change).await.expect("a record's status changes");
    }

    /// Sends a correction of a record by another one of the same account.
    pub(crate) async fn correct(
        &self,
        issuer: &Institution,
        supersedes: &[u8],
        draft: &Draft,
    ) -> Result<Response<v1::CorrectRecordResponse>, Status> {
        let (facts, part) = draft.sealed();
        let correction = v1::RecordCorrection {
            header: Some(self.header(&issuer.id).await),
            after: self.record(issuer, supersedes).await.last_status_entry,
            supersedes: supersedes.to_vec(),
            reason: v1::CorrectionReason::Amount.into(),
            facts: Some(facts),
            explanation_commitment: Vec::new(),
        };
        let key = issuer.key(KeyPurpose::Records);
        let signed = envelope(payload_type::RECORD_CORRECTION, correction.encode_to_vec(), &[&key]);
        let request = v1::CorrectRecordRequest {
            envelope: Some(signed),
            details: Some(part),
            explanation: None,
            want_receipt: true,
        };
        self.of(issuer).records().correct_record(request).await
    }

    /// Adds a key by the owner's KEYS key; it must be taken.
    pub(crate) async fn add_key(&self, owner: &Institution, key: &SigningKey, purpose: KeyPurpose) {
        let addition = v1::KeyAddition {
            header: Some(self.header(&owner.id).await),
            institution_id: owner.id.clone(),
            key: Some(institution_key(key, purpose)),
        };
        let keys = [&owner.key(KeyPurpose::Keys), key];
        let signed = envelope(payload_type::KEY_ADDITION, addition.encode_to_vec(), &keys);
        let request = v1::AddSigningKeyRequest { envelope: Some(signed), want_receipt: true };
        self.anyone().registry().add_signing_key(request).await.expect("a key is added");
    }

    /// Sends the retirement of a key, signed by any key of the owner.
    pub(crate) async fn retire_key(
        &self,
        owner: &Institution,
        by: &SigningKey,
        key: &SigningKey,
    ) -> Result<Response<v1::RetireSigningKeyResponse>, Status> {
        let retirement = v1::KeyRetirement {
            header: Some(self.header(&owner.id).await),
            after: self.key(key).await.last_status_entry,
            kid: key.public().kid().to_vec(),
        };
        let signed = envelope(payload_type::KEY_RETIREMENT, retirement.encode_to_vec(), &[by]);
        let request = v1::RetireSigningKeyRequest { envelope: Some(signed), want_receipt: true };
        self.anyone().registry().retire_signing_key(request).await
    }

    /// Sends the report of a compromise by the owner's RECOVERY key.
    pub(crate) async fn report_key(
        &self,
        owner: &Institution,
        key: &SigningKey,
        suspect_from_index: u64,
    ) -> Result<Response<v1::ReportKeyCompromiseResponse>, Status> {
        let report = v1::KeyCompromise {
            header: Some(self.header(&owner.id).await),
            kid: key.public().kid().to_vec(),
            suspect_from_index,
        };
        let by = owner.key(KeyPurpose::Recovery);
        let signed = envelope(payload_type::KEY_COMPROMISE, report.encode_to_vec(), &[&by]);
        let request = v1::ReportKeyCompromiseRequest { envelope: Some(signed), want_receipt: true };
        self.anyone().registry().report_key_compromise(request).await
    }
}

/// A batch with its tree, in whatever order its leaves were given.
pub(crate) struct RawBatch {
    /// The signed manifest.
    pub(crate) manifest: v1::Envelope,
    /// The leaves.
    pub(crate) leaves: Vec<v1::LeafSubmission>,
    tree: Manifest,
}

impl RawBatch {
    /// Signs a manifest over leaves of a type by one key.
    pub(crate) fn sign(
        header: v1::StatementHeader,
        leaf_type: &str,
        leaves: Vec<v1::LeafSubmission>,
        key: &SigningKey,
    ) -> Self {
        let hashes: Vec<[u8; 32]> = leaves.iter().map(|leaf| record_leaf(leaf_type, &leaf.facts)).collect();
        let tree = Manifest::of(&hashes).expect("a batch");
        let manifest = v1::BatchManifest {
            header: Some(header),
            leaf_payload_type: leaf_type.to_owned(),
            record_count: u32::try_from(leaves.len()).expect("a count"),
            root: tree.root().to_vec(),
        };
        let manifest = envelope(payload_type::BATCH_MANIFEST, manifest.encode_to_vec(), &[key]);
        Self { manifest, leaves, tree }
    }

    /// Records of an institution, sorted as they must be.
    pub(crate) async fn of_records(
        session: &Session<'_>,
        issuer: &Institution,
        mut drafts: Vec<Draft>,
    ) -> Self {
        drafts.sort_by_key(|draft| (draft.facts.account_ref.clone(), draft.facts.record_id.clone()));
        Self::unsorted(session, issuer, drafts).await
    }

    /// Records of an institution as they are given.
    pub(crate) async fn unsorted(session: &Session<'_>, issuer: &Institution, drafts: Vec<Draft>) -> Self {
        let leaves = drafts.iter().map(Draft::leaf).collect();
        Self::of_leaves(session, issuer, leaves).await
    }

    /// Record leaves of an institution as they are given.
    pub(crate) async fn of_leaves(
        session: &Session<'_>,
        issuer: &Institution,
        leaves: Vec<v1::LeafSubmission>,
    ) -> Self {
        let header = session.header(&issuer.id).await;
        Self::sign(header, payload_type::RECORD_FACTS, leaves, &issuer.key(KeyPurpose::Records))
    }

    /// The first message of its stream.
    pub(crate) fn start(&self) -> v1::SubmitBatchRequest {
        let start = v1::BatchStart { manifest: Some(self.manifest.clone()) };
        v1::SubmitBatchRequest { step: Some(v1::submit_batch_request::Step::Start(start)) }
    }

    /// One of its chunks.
    pub(crate) fn chunk(&self, chunk: u32) -> v1::ChunkSubmission {
        let from = usize::try_from(chunk).expect("a number") * CHUNK_LEAVES;
        let to = self.leaves.len().min(from + CHUNK_LEAVES);
        let path = self.tree.path(u64::from(chunk)).expect("a chunk of the batch");
        let path = path.iter().map(|hash| hash.to_vec()).collect();
        v1::ChunkSubmission { chunk, leaves: self.leaves[from..to].to_vec(), path }
    }

    /// Count of its chunks.
    pub(crate) fn chunks(&self) -> u32 {
        u32::try_from(self.tree.chunk_count()).expect("a count")
    }
}

/// The stream of a batch, step by step.
pub(crate) struct BatchStream {
    to: mpsc::Sender<v1::SubmitBatchRequest>,
    from: Streaming<v1::SubmitBatchResponse>,
}

impl BatchStream {
    /// Opens a stream with a first message and returns what is answered to it.
    pub(crate) async fn open(
        session: &Session<'_>,
        signer: &Institution,
        first: v1::SubmitBatchRequest,
    ) -> Result<(Self, v1::BatchOpening), Status> {
        let (to, requests) = mpsc::channel(8);
        to.send(first).await.expect("room for one message");
        let answer = session.of(signer).records().submit_batch(ReceiverStream::new(requests)).await?;
        let mut stream = Self { to, from: answer.into_inner() };
        match stream.next().await? {
            v1::submit_batch_response::Step::Opening(opening) => Ok((stream, opening)),
            v1::submit_batch_response::Step::Chunk(outcome) => {
                panic!("an outcome before the opening: {outcome:?}")
            }
        }
    }

    async fn next(&mut self) -> Result<v1::submit_batch_response::Step, Status> {
        let message = self.from.message().await?.expect("an answer to each message");
        Ok(message.step.expect("a step"))
    }

    /// Sends any message, without waiting for an answer.
    pub(crate) async fn send(&mut self, step: v1::submit_batch_request::Step) {
        // A stream that has ended says why when it is read.
        let _ = self.to.send(v1::SubmitBatchRequest { step: Some(step) }).await;
    }

    /// Sends a chunk and waits for what became of it.
    pub(crate) async fn chunk(&mut self, chunk: v1::ChunkSubmission) -> Result<v1::ChunkOutcome, Status> {
        self.send(v1::submit_batch_request::Step::Chunk(chunk)).await;
        match self.next().await? {
            v1::submit_batch_response::Step::Chunk(outcome) => Ok(outcome),
            v1::submit_batch_response::Step::Opening(opening) => panic!("a second opening: {opening:?}"),
        }
    }

    /// Ends the requests; the answers must end too.
    pub(crate) async fn end(self) -> Result<(), Status> {
        let Self { to, mut from } = self;
        drop(to);
        match from.message().await? {
            None => Ok(()),
            Some(more) => panic!("an answer to nothing: {more:?}"),
        }
    }
}

/// Opens a stream, sends one chunk, and gives how that ended, in the form of a single call.
pub(crate) async fn one_chunk(
    session: &Session<'_>,
    signer: &Institution,
    batch: &RawBatch,
    chunk: v1::ChunkSubmission,
) -> Result<Response<v1::ChunkOutcome>, Status> {
    let (mut stream, _) = BatchStream::open(session, signer, batch.start()).await?;
    let outcome = stream.chunk(chunk).await?;
    session.settled(outcome.position.as_ref().expect("a position").index).await;
    Ok(Response::new(outcome))
}
