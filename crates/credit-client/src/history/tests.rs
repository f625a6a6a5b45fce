//! Heads, and a log that lies about them.

use super::*;
use crate::builder::ClientBuilder;
use crate::heads::FileHeads;
use crate::retry::RetryPolicy;
use credit_log::Hash;
use credit_log::envelope::SigningKey;
use credit_log::note::{NoteSigner, VerifierKey};
use credit_log::tree::{Tiles, root_of};
use credit_rpc::v1::log_service_server::{LogService, LogServiceServer};
use credit_types::LogId;
use std::convert::Infallible;
use std::sync::Mutex;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

const ORIGIN: &str = "dev.example";
/// The leaf hash of entry 0, and so the log's name.
const LOG: Hash = [0xaa; 32];

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn trust() -> Trust {
    Trust {
        log_id: LogId(LOG),
        origin: ORIGIN.to_owned(),
        checkpoint_keys: vec![VerifierKey::new(ORIGIN, key(1).public()).unwrap()],
        statement_keys: vec![key(2).public()],
        witness_policy: None,
    }
}

fn signed(origin: &str, seed: u8, size: u64, root: Hash) -> String {
    let signer = NoteSigner::new(ORIGIN, key(seed)).unwrap();
    checkpoint::sign(&checkpoint::Checkpoint { origin: origin.to_owned(), size, root }, &signer).unwrap()
}

fn head(size: u64, root: u8) -> SeenHead {
    SeenHead { size, root: Digest([root; 32]), checkpoint: format!("{size}") }
}

/// Fewer than 256 leaves: one tile.
struct Leaves<'a>(&'a [Hash]);

impl Tiles for Leaves<'_> {
    type Error = Infallible;

    fn tile(&self, _: u8, _: u64, width: u16) -> Result<Vec<Hash>, Infallible> {
        Ok(self.0[..usize::from(width)].to_vec())
    }
}

/// A log with a right key and whatever leaves it is given: every change of them is a lie that it signs.
#[derive(Clone, Default)]
struct Liar {
    leaves: Arc<Mutex<Vec<Hash>>>,
    /// The logs whose heads it publishes, to whoever follows.
    published: Arc<Mutex<Vec<Vec<Hash>>>>,
}

impl Liar {
    fn says(&self, leaves: &[u8]) {
        let rest = leaves.iter().map(|leaf| [*leaf; 32]);
        *self.leaves.lock().unwrap() = [LOG].into_iter().chain(rest).collect();
    }

    /// Publishes what it says.
    fn publishes(&self) {
        let leaves = self.leaves.lock().unwrap().clone();
        self.published.lock().unwrap().push(leaves);
    }

    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = LogServiceServer::new(self.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        format!("http://{address}")
    }
}

fn wire(path: Vec<Hash>) -> Vec<Vec<u8>> {
    path.iter().map(|hash| hash.to_vec()).collect()
}

fn invalid() -> Status {
    let details = ErrorDetails::with_error_info("FIELD_INVALID", "creditbank.v1", Metadata::new());
    Status::with_error_details(Code::InvalidArgument, "no such size", details)
}

#[expect(
    clippy::disallowed_types,
    reason = "tonic-types takes the metadata as a HashMap; it is built and given"
)]
type Metadata = std::collections::HashMap<String, String>;

#[tonic::async_trait]
impl LogService for Liar {
    type WatchCheckpointsStream =
        tokio_stream::Iter<std::vec::IntoIter<Result<v1::WatchCheckpointsResponse, Status>>>;

    async fn watch_checkpoints(
        &self,
        _: Request<v1::WatchCheckpointsRequest>,
    ) -> Result<Response<Self::WatchCheckpointsStream>, Status> {
        let published = self.published.lock().unwrap();
        let told = published.iter().map(|leaves| {
            let checkpoint = signed(ORIGIN, 1, leaves.len() as u64, root_of(leaves));
            Ok(v1::WatchCheckpointsResponse { checkpoint, published_at_us: 1 })
        });
        Ok(Response::new(tokio_stream::iter(told.collect::<Vec<_>>())))
    }

    async fn get_checkpoint(
        &self,
        _: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        let leaves = self.leaves.lock().unwrap();
        let checkpoint = signed(ORIGIN, 1, leaves.len() as u64, root_of(&leaves));
        Ok(Response::new(v1::GetCheckpointResponse { checkpoint, log_id: LOG.to_vec() }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::GetInclusionProofResponse>, Status> {
        let leaves = self.leaves.lock().unwrap();
        let v1::GetInclusionProofRequest { index, size } = request.into_inner();
        let path = inclusion::prove(&Leaves(&leaves), index, size).map_err(|_| invalid())?;
        let leaf_hash = leaves[0].to_vec();
        Ok(Response::new(v1::GetInclusionProofResponse { size, leaf_hash, path: wire(path) }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        let leaves = self.leaves.lock().unwrap();
        let v1::GetConsistencyProofRequest { old_size, new_size } = request.into_inner();
        if new_size > leaves.len() as u64 {
            return Err(invalid());
        }
        let path = consistency::prove(&Leaves(&leaves), old_size, new_size).map_err(|_| invalid())?;
        Ok(Response::new(v1::GetConsistencyProofResponse { new_size, path: wire(path) }))
    }

    async fn get_receipt(
        &self,
        _: Request<v1::GetReceiptRequest>,
    ) -> Result<Response<v1::GetReceiptResponse>, Status> {
        Err(invalid())
    }

    async fn list_entries(
        &self,
        _: Request<v1::ListEntriesRequest>,
    ) -> Result<Response<v1::ListEntriesResponse>, Status> {
        Err(invalid())
    }
}

fn client(url: &str, heads: Arc<dyn HeadStore>) -> Client {
    let retry = RetryPolicy::new(1, Duration::ZERO, Duration::ZERO);
    ClientBuilder::new(url, trust()).heads(heads).retry(retry).build().unwrap()
}

fn kind(outcome: Result<SeenHead, ClientError>) -> ForkKind {
    match outcome {
        Err(ClientError::Fork(fork)) => {
            // Both heads are evidence: each reads back under the log's key.
            for head in [&fork.seen, &fork.shown] {
                assert_eq!(open(&trust(), &head.checkpoint).unwrap(), *head);
            }
            fork.kind
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn heads_are_compared_by_size_and_root() {
    for (seen, shown, want) in [
        (head(5, 1), head(5, 1), Relation::Same),
        (head(5, 1), head(5, 2), Relation::Forked),
        (head(5, 1), head(6, 1), Relation::Newer),
        (head(5, 1), head(4, 1), Relation::Older),
    ] {
        assert_eq!(relation(&seen, &shown), want);
    }
}

#[test]
fn a_head_is_read_only_under_the_pinned_key_and_origin() {
    let note = signed(ORIGIN, 1, 7, [9; 32]);
    let head = open(&trust(), &note).unwrap();
    assert_eq!(head, SeenHead { size: 7, root: Digest([9; 32]), checkpoint: note.clone() });
    assert!(open(&trust(), &signed("dev.other", 1, 7, [9; 32])).is_err());
    assert!(open(&trust(), &signed(ORIGIN, 3, 7, [9; 32])).is_err());
    assert!(open(&trust(), &note.replace("\n7\n", "\n8\n")).is_err());
}

#[tokio::test]
async fn a_log_that_only_grows_is_followed_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let heads = || -> Arc<dyn HeadStore> { Arc::new(FileHeads::new(folder.path(), LogId(LOG)).unwrap()) };
    let liar = Liar::default();
    let url = liar.serve().await;
    let one = client(&url, heads());
    liar.says(&[1, 2, 3]);
    assert_eq!(one.head().await.unwrap().size, 4);
    assert_eq!(one.head().await.unwrap().size, 4);
    liar.says(&[1, 2, 3, 4, 5, 6, 7]);
    // The anchor is what was verified; another head is not fetched for it.
    assert_eq!(one.anchor().await.unwrap().size, 4);
    let newer = one.head().await.unwrap();
    assert_eq!((newer.size, one.anchor().await.unwrap().size), (8, 8));
    // The next process knows it.
    assert_eq!(client(&url, heads()).seen().await.unwrap(), Some(newer));
    // An older head that is a prefix is true, and changes nothing.
    let older = open(&trust(), &signed(ORIGIN, 1, 3, root_of(&[LOG, [1; 32], [2; 32]]))).unwrap();
    one.remember(older).await.unwrap();
    assert_eq!(one.seen().await.unwrap().unwrap().size, 8);
}

#[tokio::test]
async fn a_log_that_takes_something_back_is_caught_and_both_heads_are_kept() {
    let liar = Liar::default();
    let url = liar.serve().await;
    let follow = || client(&url, Arc::new(crate::heads::MemoryHeads::default()));
    for (lie, want) in [
        (vec![1, 2], ForkKind::Rollback),
        (vec![1, 2, 9], ForkKind::TwoRoots),
        (vec![1, 2, 9, 4], ForkKind::ProofFalse),
        (vec![9, 2, 3, 4, 5], ForkKind::ProofFalse),
    ] {
        let client = follow();
        liar.says(&[1, 2, 3]);
        let seen = client.head().await.unwrap();
        liar.says(&lie);
        assert_eq!(kind(client.head().await), want, "{lie:?}");
        assert_eq!(client.seen().await.unwrap(), Some(seen));
    }
}

#[tokio::test]
async fn a_log_that_hides_what_it_signed_cannot_prove_an_older_head() {
    let liar = Liar::default();
    let client = client(&liar.serve().await, Arc::new(crate::heads::MemoryHeads::default()));
    liar.says(&[1, 2, 3]);
    client.head().await.unwrap();
    liar.says(&[1, 9]);
    let shown = open(&trust(), &signed(ORIGIN, 1, 3, root_of(&[LOG, [1; 32], [9; 32]]))).unwrap();
    assert_eq!(kind(client.remember(shown.clone()).await.map(|()| shown)), ForkKind::ProofRefused);
}

#[tokio::test]
async fn published_checkpoints_are_followed_until_one_takes_something_back() {
    // What is published may be another log than the one that proofs are given of.
    let follow = async |proved: &[u8], said: &[&[u8]]| {
        let liar = Liar::default();
        for leaves in said {
            liar.says(leaves);
            liar.publishes();
        }
        liar.says(proved);
        let client = client(&liar.serve().await, Arc::new(crate::heads::MemoryHeads::default()));
        let mut watch = client.watch_checkpoints().await.unwrap();
        let mut sizes = Vec::new();
        loop {
            match watch.next().await {
                Ok(Some(head)) => sizes.push(head.size),
                Ok(None) => return (sizes, None),
                Err(error) => return (sizes, Some(kind(Err(error)))),
            }
        }
    };
    let all: &[u8] = &[1, 2, 3, 4];
    assert_eq!(follow(all, &[&[1], &[1], &[1, 2], all]).await, (vec![2, 2, 3, 5], None));
    assert_eq!(follow(all, &[&[1, 2, 3], &[1, 2], all]).await, (vec![4], Some(ForkKind::Rollback)));
    assert_eq!(follow(all, &[&[1, 2, 3], &[1, 2, 9]]).await, (vec![4], Some(ForkKind::TwoRoots)));
    assert_eq!(follow(all, &[&[1, 2, 3], &[1, 9, 3, 4]]).await, (vec![4], Some(ForkKind::ProofFalse)));
}

#[tokio::test]
async fn what_one_client_saw_binds_all_that_share_its_store() {
    let heads: Arc<dyn HeadStore> = Arc::new(crate::heads::MemoryHeads::default());
    let (honest, forked) = (Liar::default(), Liar::default());
    honest.says(&[1, 2, 3]);
    forked.says(&[1, 2, 4, 5]);
    let honest = client(&honest.serve().await, Arc::clone(&heads));
    let forked = client(&forked.serve().await, heads);
    honest.head().await.unwrap();
    assert_eq!(kind(forked.head().await), ForkKind::ProofFalse);
}

#[tokio::test]
async fn another_log_under_the_same_key_is_not_taken_for_the_pinned_one() {
    let liar = Liar::default();
    let client = client(&liar.serve().await, Arc::new(crate::heads::MemoryHeads::default()));
    *liar.leaves.lock().unwrap() = vec![[0xbb; 32], [1; 32]];
    assert!(matches!(client.head().await, Err(ClientError::OtherLog)));
    assert_eq!(client.seen().await.unwrap(), None);
}

#[tokio::test]
async fn a_kept_head_that_was_tampered_with_is_not_relied_on() {
    let heads = Arc::new(crate::heads::MemoryHeads::default());
    assert!(heads.replace(None, &signed(ORIGIN, 3, 7, [9; 32])).unwrap());
    let client = client("http://127.0.0.1:1", heads);
    assert!(matches!(client.seen().await, Err(ClientError::Heads(HeadsError::Damaged(_)))));
    assert!(matches!(client.head().await, Err(ClientError::Heads(HeadsError::Damaged(_)))));
}
