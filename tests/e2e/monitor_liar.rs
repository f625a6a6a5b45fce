//! A service that shows auditors other parts than those that the public log commits to, or another history: the real one
//! behind a proxy that lies.

use crate::monitor::{alarm, home_of, once};
use crate::publish::{shown, world_of};
use credit_proto::v1;
use credit_rpc::v1::log_service_client::LogServiceClient;
use credit_rpc::v1::log_service_server::{LogService, LogServiceServer};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

/// The entry that is lied about.
const BENT: u64 = 7;

/// The real service, but for one byte of one entry's parts.
struct Liar {
    upstream: LogServiceClient<Channel>,
}

#[tonic::async_trait]
impl LogService for Liar {
    type WatchCheckpointsStream = Streaming<v1::WatchCheckpointsResponse>;

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        self.upstream.clone().get_checkpoint(request).await
    }

    async fn watch_checkpoints(
        &self,
        request: Request<v1::WatchCheckpointsRequest>,
    ) -> Result<Response<Self::WatchCheckpointsStream>, Status> {
        self.upstream.clone().watch_checkpoints(request).await
    }

    async fn get_receipt(
        &self,
        request: Request<v1::GetReceiptRequest>,
    ) -> Result<Response<v1::GetReceiptResponse>, Status> {
        self.upstream.clone().get_receipt(request).await
    }

    async fn list_entries(
        &self,
        request: Request<v1::ListEntriesRequest>,
    ) -> Result<Response<v1::ListEntriesResponse>, Status> {
        let start = request.get_ref().start;
        let mut answer = self.upstream.clone().list_entries(request).await?;
        let bent = BENT.checked_sub(start).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = bent.and_then(|at| answer.get_mut().entries.get_mut(at)) {
            let byte = entry.parts.last_mut().and_then(|part| part.last_mut()).expect("a part");
            *byte ^= 1;
        }
        Ok(answer)
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::GetInclusionProofResponse>, Status> {
        self.upstream.clone().get_inclusion_proof(request).await
    }

    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        self.upstream.clone().get_consistency_proof(request).await
    }
}

/// Serves a liar before a service until the test's process ends; gives its address.
fn lying(upstream: &str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    listener.set_nonblocking(true).expect("a listener");
    let upstream = upstream.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let upstream = LogServiceClient::connect(upstream).await.expect("the service");
            let server =
                tonic::transport::Server::builder().add_service(LogServiceServer::new(Liar { upstream }));
            server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("a server");
        });
    });
    address
}

#[test]
fn parts_that_are_not_those_of_the_public_log_are_told_to_the_entry() {
    let (world, size) = world_of(20);
    let home = home_of(&world.bank, "monitor-home");
    let token = home.join("token");
    std::fs::write(&token, world.auditor_token()).expect("a token");
    let (url, token) = (world.bank.public_log(), shown(&token));
    let liar = lying(&world.bank.endpoint());
    let (code, lines) = once(&world.bank, &home, &url, &["--service", &liar, "--token-file", &token]);
    let told = alarm(&lines);
    assert_eq!(
        (code, &told["code"], &told["scope"]),
        (Some(3), &"BAD_ENTRY".into(), &"PARTS".into()),
        "{told}"
    );
    assert_eq!(
        (&told["first_bad_index"], &told["rule"]),
        (&BENT.into(), &"PARTS_ROOT_WRONG".into()),
        "{told}"
    );
    // The real one settles it.
    let service = world.bank.endpoint();
    let (code, lines) = once(&world.bank, &home, &url, &["--service", &service, "--token-file", &token]);
    assert_eq!((code, &lines[0]["event"]), (Some(0), &"cleared".into()), "{lines:?}");
    assert_eq!(lines.last().expect("a line")["audited"], size);
    // The service of another log is told, and nothing is taken from it.
    let other = crate::bank::Bank::start(&[]);
    let (code, lines) = once(&world.bank, &home, &url, &["--service", &other.endpoint()]);
    let told = alarm(&lines);
    assert_eq!(
        (code, &told["code"], &told["about"]),
        (Some(3), &"CHECKPOINT_INVALID".into(), &"service".into())
    );
}
