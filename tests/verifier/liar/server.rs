//! A server that tells a tale over gRPC, as far as the tale can be told: real answers to real calls.

use super::forge::{Parts, leaves, time_us};
use super::stage::Stage;
use super::tale::{Account, Tale};
use crate::export::Entry;
use crate::statement::envelope;
use credit_log::hash::leaf_hash;
use credit_log::receipt::TlogProof;
use credit_log::tree::root_of;
use credit_log::{consistency, inclusion, parts};
use credit_proto::strict::encode;
use credit_proto::{payload_type, v1};
use credit_rpc::v1::account_service_server::{AccountService, AccountServiceServer};
use credit_rpc::v1::log_service_server::{LogService, LogServiceServer};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait};

/// Leaves of a tree that fits in one tile.
pub(crate) struct OneTile(pub(crate) Vec<[u8; 32]>);

impl credit_log::tree::Tiles for OneTile {
    type Error = std::convert::Infallible;

    fn tile(&self, _: u8, _: u64, width: u16) -> Result<Vec<[u8; 32]>, Self::Error> {
        Ok(self.0[..usize::from(width)].to_vec())
    }
}

/// What is answered.
struct Told {
    log: Vec<Entry>,
    leaves: Vec<[u8; 32]>,
    note: String,
    /// The head under which the account is shown, where it is an earlier one.
    earlier: Option<(usize, String)>,
    account: Account,
    account_ref: Vec<u8>,
    as_of: Option<v1::CivilDate>,
    signed: Option<v1::Envelope>,
    log_id: Vec<u8>,
    witnessed: bool,
}

impl Told {
    fn of(stage: &Stage, tale: &Tale) -> Self {
        let earlier = (tale.account == Account::AsOfEarlier).then(|| {
            let size = stage.deposits[1] + 1;
            (size, stage.keys.note(&leaves(&tale.log[..size])))
        });
        let mut told = Self {
            log: tale.log.clone(),
            leaves: leaves(&tale.log),
            note: tale.note.clone(),
            earlier,
            account: tale.account,
            account_ref: stage.learner.account_ref.clone(),
            as_of: stage.balance.as_of,
            signed: None,
            log_id: stage.world.log_id.clone(),
            witnessed: tale.policy.is_some(),
        };
        let balance = encode(&told.balance().0);
        told.signed = Some(envelope(payload_type::BALANCE_STATEMENT, balance, &[&stage.keys.statement]));
        told
    }

    /// The entries about the account: all that the signed head is to know.
    fn history(&self) -> Vec<(usize, Parts)> {
        let size = self.earlier.as_ref().map_or(self.log.len(), |(size, _)| *size);
        let about = |(index, entry): (usize, &Entry)| {
            let parts = Parts::of(entry);
            let is_about = parts.link_of(v1::SubjectKind::Account, &self.account_ref).is_some();
            is_about.then_some((index, parts))
        };
        let mut history: Vec<(usize, Parts)> =
            self.log[..size].iter().enumerate().filter_map(about).collect();
        match self.account {
            Account::LastDenied => drop(history.pop()),
            Account::OneBypassed => drop(history.remove(history.len() - 2)),
            Account::Whole | Account::LastUnlisted | Account::AsOfEarlier => {}
        }
        history
    }

    /// Size and checkpoint of the head under which receipts are given.
    fn head(&self) -> (usize, &str) {
        self.earlier.as_ref().map_or((self.log.len(), &self.note), |(size, note)| (*size, note))
    }

    fn receipt(&self, index: usize) -> v1::Receipt {
        let (size, checkpoint) = self.head();
        let entry = &self.log[index];
        let path = inclusion::prove_in(&self.leaves[..size], index as u64).expect("a leaf of the tree");
        let proof = TlogProof { extra: None, index: index as u64, path, checkpoint: checkpoint.to_owned() };
        let secret: [u8; 32] = entry.secret.as_slice().try_into().expect("32 bytes");
        let open = |number: usize| {
            let number = u32::try_from(number).expect("a number");
            let opened = parts::open(&secret, &entry.parts, number).expect("a part");
            v1::PartOpening {
                number: opened.index,
                salt: opened.salt.to_vec(),
                part: opened.part,
                path: opened.path.iter().map(|hash| hash.to_vec()).collect(),
            }
        };
        let state = if self.witnessed { v1::WitnessState::Witnessed } else { v1::WitnessState::Unwitnessed };
        v1::Receipt {
            core: entry.core.clone(),
            tlog_proof: proof.format().expect("a proof"),
            parts: (0..entry.parts.len()).map(open).collect(),
            witness_state: state.into(),
        }
    }

    /// What has moved comes to this: all records of the stage are alike.
    fn lines(history: &[(usize, Parts)]) -> Vec<v1::BalanceLine> {
        let mut sums: BTreeMap<i32, (i64, u32)> = BTreeMap::new();
        for event in history.iter().flat_map(|(_, parts)| &parts.events) {
            let deposited = event.record_deposited.iter().flat_map(|event| &event.postings);
            let changed = event.record_status_changed.iter().flat_map(|event| &event.postings);
            for v1::Posting { from, to, credit_scheme: _, credits_milli } in deposited.chain(changed) {
                if *from != i32::from(v1::Bucket::Issued) {
                    let (milli, records) = sums.entry(*from).or_default();
                    (*milli, *records) = (*milli - credits_milli, *records - 1);
                }
                let (milli, records) = sums.entry(*to).or_default();
                (*milli, *records) = (*milli + credits_milli, *records + 1);
            }
        }
        let line = |(bucket, (credits_milli, records)): (i32, (i64, u32))| v1::BalanceLine {
            scheme: "T_XF".to_owned(),
            kind: v1::RecordKind::FormalCourse.into(),
            bucket,
            credits_milli,
            hour_kind: v1::HourKind::Contact.into(),
            minutes: 1_800 * i64::from(records),
            records,
        };
        sums.into_iter().filter(|(_, (_, records))| *records > 0).map(line).collect()
    }

    /// The balance, and the entry on which it rests.
    fn balance(&self) -> (v1::BalanceStatement, usize) {
        let history = self.history();
        let (index, last) = history.last().expect("the account was opened");
        let link = last.link_of(v1::SubjectKind::Account, &self.account_ref).expect("a link");
        let (size, _) = self.head();
        let head = v1::SubjectHead {
            log_id: self.log_id.clone(),
            subject_kind: v1::SubjectKind::Account.into(),
            subject_id: self.account_ref.clone(),
            sequence: link.sequence,
            leaf_hash: leaf_hash(&self.log[*index].core).to_vec(),
            size: size as u64,
            root: root_of(&self.leaves[..size]).to_vec(),
        };
        (v1::BalanceStatement { head: Some(head), as_of: self.as_of, lines: Self::lines(&history) }, *index)
    }

    fn postings(&self) -> v1::ListPostingsResponse {
        let mut history = self.history();
        if self.account == Account::LastUnlisted {
            history.pop();
        }
        let listed = |(index, parts): (usize, Parts)| {
            let link = parts.link_of(v1::SubjectKind::Account, &self.account_ref).expect("a link").clone();
            let events = link.events.iter().map(|number| {
                let number = usize::try_from(*number).expect("a number");
                parts.events[number].clone()
            });
            v1::LinkEntry {
                index: index as u64,
                recorded_at_us: time_us(&self.log[index]),
                events: events.collect(),
                link: Some(link),
            }
        };
        let links = history.into_iter().map(listed).collect();
        v1::ListPostingsResponse { links, next_page_token: String::new() }
    }
}

/// The tale that a server tells.
#[derive(Clone)]
struct Teller(Arc<Told>);

type Answer<T> = Result<Response<T>, Status>;

fn hashes(path: Vec<[u8; 32]>) -> Vec<Vec<u8>> {
    path.into_iter().map(|hash| hash.to_vec()).collect()
}

#[async_trait]
impl LogService for Teller {
    async fn get_checkpoint(
        &self,
        _: Request<v1::GetCheckpointRequest>,
    ) -> Answer<v1::GetCheckpointResponse> {
        let (checkpoint, log_id) = (self.0.note.clone(), self.0.log_id.clone());
        Ok(Response::new(v1::GetCheckpointResponse { checkpoint, log_id }))
    }

    type WatchCheckpointsStream = tokio_stream::Empty<Result<v1::WatchCheckpointsResponse, Status>>;

    async fn watch_checkpoints(
        &self,
        _: Request<v1::WatchCheckpointsRequest>,
    ) -> Answer<Self::WatchCheckpointsStream> {
        Err(Status::unimplemented("it is not needed for a lie"))
    }

    async fn get_receipt(&self, request: Request<v1::GetReceiptRequest>) -> Answer<v1::GetReceiptResponse> {
        let index = usize::try_from(request.into_inner().index).expect("an index");
        Ok(Response::new(v1::GetReceiptResponse { receipt: Some(self.0.receipt(index)), leaves: vec![] }))
    }

    async fn list_entries(
        &self,
        request: Request<v1::ListEntriesRequest>,
    ) -> Answer<v1::ListEntriesResponse> {
        let start = usize::try_from(request.into_inner().start).expect("an index");
        let listed = |entry: &Entry| v1::LogEntry {
            core: entry.core.clone(),
            secret: entry.secret.clone(),
            parts: entry.parts.clone(),
        };
        let entries = self.0.log[start..].iter().map(listed).collect();
        Ok(Response::new(v1::ListEntriesResponse { entries, next_start: self.0.log.len() as u64 }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Answer<v1::GetInclusionProofResponse> {
        let v1::GetInclusionProofRequest { index, size } = request.into_inner();
        let leaves = &self.0.leaves[..usize::try_from(size).expect("a size")];
        let path = hashes(inclusion::prove_in(leaves, index).expect("a leaf of the tree"));
        let leaf_hash = leaves[usize::try_from(index).expect("an index")].to_vec();
        Ok(Response::new(v1::GetInclusionProofResponse { size, leaf_hash, path }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Answer<v1::GetConsistencyProofResponse> {
        let v1::GetConsistencyProofRequest { old_size, new_size } = request.into_inner();
        // Of a size that it does not have it says whatever may be believed.
        let path = if new_size <= self.0.leaves.len() as u64 {
            hashes(consistency::prove(&OneTile(self.0.leaves.clone()), old_size, new_size).expect("a proof"))
        } else {
            vec![vec![7; 32]]
        };
        Ok(Response::new(v1::GetConsistencyProofResponse { new_size, path }))
    }
}

#[async_trait]
impl AccountService for Teller {
    async fn open_account(&self, _: Request<v1::OpenAccountRequest>) -> Answer<v1::OpenAccountResponse> {
        Err(Status::unimplemented("only what is read is told"))
    }

    async fn change_account_status(
        &self,
        _: Request<v1::ChangeAccountStatusRequest>,
    ) -> Answer<v1::ChangeAccountStatusResponse> {
        Err(Status::unimplemented("only what is read is told"))
    }

    async fn resolve_accounts(
        &self,
        _: Request<v1::ResolveAccountsRequest>,
    ) -> Answer<v1::ResolveAccountsResponse> {
        Err(Status::unimplemented("only what is read is told"))
    }

    async fn get_account(&self, _: Request<v1::GetAccountRequest>) -> Answer<v1::GetAccountResponse> {
        Err(Status::unimplemented("only what is proved is told"))
    }

    async fn get_balance(&self, _: Request<v1::GetBalanceRequest>) -> Answer<v1::GetBalanceResponse> {
        let (balance, index) = self.0.balance();
        let (balance, receipt) = (Some(balance), Some(self.0.receipt(index)));
        Ok(Response::new(v1::GetBalanceResponse { balance, signed: self.0.signed.clone(), receipt }))
    }

    async fn list_postings(&self, _: Request<v1::ListPostingsRequest>) -> Answer<v1::ListPostingsResponse> {
        Ok(Response::new(self.0.postings()))
    }
}

/// A server that lies until it is dropped.
pub(crate) struct LyingServer {
    pub(crate) url: String,
    _stop: oneshot::Sender<()>,
}

impl LyingServer {
    pub(crate) fn start(stage: &Stage, tale: &Tale) -> Self {
        let teller = Teller(Arc::new(Told::of(stage, tale)));
        let (stop, stopped) = oneshot::channel::<()>();
        let (to, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
                let incoming = TcpIncoming::bind(any).expect("a port");
                to.send(incoming.local_addr().expect("an address")).expect("the test waits");
                let served = Server::builder()
                    .add_service(LogServiceServer::new(teller.clone()))
                    .add_service(AccountServiceServer::new(teller))
                    .serve_with_incoming_shutdown(incoming, async { drop(stopped.await) });
                served.await.expect("it serves");
            });
        });
        let url = format!("http://{}", address.recv().expect("an address"));
        Self { url, _stop: stop }
    }
}

/// The lying server's sums are the real one's: where it tells the truth it is not told from it.
pub(crate) fn tells_the_truth(stage: &Stage) {
    let told = Told::of(stage, &Tale::honest(stage));
    let truth = &stage.balance;
    let (balance, _) = told.balance();
    assert_eq!(balance.lines, truth.lines);
    let (ours, theirs) = (balance.head.expect("a head"), truth.head.clone().expect("a head"));
    assert_eq!((ours.sequence, ours.leaf_hash), (theirs.sequence, theirs.leaf_hash));
}
