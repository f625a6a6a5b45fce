//! Serves the ledger: gRPC with health and reflection on one port, the public log on another, metrics on a third, until
//! told to stop.

use crate::access::token::Issuer;
use crate::config::Config;
use crate::draining::{self, Watched};
use crate::failure::Failure;
use crate::gate::GateLayer;
use crate::grpc::Edge;
use crate::grpc::account::Accounts;
use crate::grpc::conversion::Conversions;
use crate::grpc::log::Log;
use crate::grpc::record::Records;
use crate::grpc::registry::Registry;
use crate::grpc::rule_book::RuleBooks;
use crate::http::{self, PublicLog};
use crate::ledger::{Health, Ledger};
use crate::metrics::Metrics;
use credit_rpc::v1::account_service_server::{AccountServiceServer, SERVICE_NAME as ACCOUNT};
use credit_rpc::v1::conversion_service_server::{ConversionServiceServer, SERVICE_NAME as CONVERSION};
use credit_rpc::v1::log_service_server::{LogServiceServer, SERVICE_NAME as LOG};
use credit_rpc::v1::record_service_server::{RecordServiceServer, SERVICE_NAME as RECORD};
use credit_rpc::v1::registry_service_server::{RegistryServiceServer, SERVICE_NAME as REGISTRY};
use credit_rpc::v1::rule_book_service_server::{RuleBookServiceServer, SERVICE_NAME as RULE_BOOK};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// The most bytes of one message, either way.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// The most calls of one connection at once; more wait.
pub(crate) const STREAMS_MAX: u32 = 256;
/// The most calls of one connection that are worked on at once.
pub(crate) const CALLS_MAX: usize = 256;
/// The most bytes of a request's headers.
pub(crate) const HEADER_BYTES_MAX: u32 = 16 << 10;
/// The most streams that a peer may have opened and reset before they were accepted.
pub(crate) const PENDING_RESETS_MAX: usize = 64;
/// How often an idle connection is asked whether it lives.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long it has to say so.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long calls have to end once the server stops.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

// A page with its frame fits a message.
const _: () = assert!(crate::query::page::BYTES_MAX + (512 << 10) < MESSAGE_BYTES_MAX);

/// The services whose writes stop with the ledger's; the log can be read to the end.
const WRITERS: [&str; 5] = [ACCOUNT, RECORD, REGISTRY, RULE_BOOK, CONVERSION];

/// The server could not be started or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Something that the edge needs could not be made.
    #[error("could not prepare the edge")]
    Edge(#[source] Failure),
    /// The descriptors for reflection could not be read.
    #[error("could not build reflection")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("could not serve")]
    Transport(#[source] tonic::transport::Error),
    /// A task of the server died.
    #[error("a task of the server died")]
    Task(#[source] tokio::task::JoinError),
}

/// A server that runs.
pub struct Serving {
    /// Where gRPC is served; with the port that was taken where none was asked for.
    pub address: SocketAddr,
    /// Where metrics are served, if they are.
    pub metrics_address: Option<SocketAddr>,
    /// Where the public log is served, if it is.
    pub log_address: Option<SocketAddr>,
    done: JoinHandle<Result<(), ServeError>>,
}

impl Serving {
    /// Waits until the server has stopped and the ledger is closed.
    pub async fn stopped(self) -> Result<(), ServeError> {
        self.done.await.unwrap_or_else(|error| Err(ServeError::Task(error)))
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |cause| ServeError::Listen { address, cause };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Serves a ledger until `shutdown` is done: then health says NOT_SERVING, streams in which nothing is under way end,
/// calls have [`DRAIN`] to end, and the ledger is stopped. Returns as soon as calls are taken.
pub async fn serve(
    ledger: Ledger,
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Serving, ServeError> {
    let (listener, address) = listen(config.listen).await?;
    let metrics = Metrics::new(&ledger);
    let (stop, draining) = watch::channel(false);
    let metrics_address = match config.metrics_listen {
        Some(wanted) => {
            let (listener, bound) = listen(wanted).await?;
            serve_metrics(listener, metrics.clone(), draining.clone());
            Some(bound)
        }
        None => None,
    };
    let (public, log_address) = match config.log_listen {
        Some(wanted) => {
            let (listener, bound) = listen(wanted).await?;
            let log = PublicLog::new(ledger.clone(), metrics.clone());
            (Some(tokio::spawn(http::serve(listener, log, draining.clone()))), Some(bound))
        }
        None => (None, None),
    };
    ledger.collect_cosignatures(draining.clone());
    let (unary, batch) = (config.unary_deadline(), config.batch_deadline());
    let edge =
        Edge::new(ledger.clone(), metrics, unary, batch, draining.clone()).map_err(ServeError::Edge)?;
    let edge = Arc::new(edge);
    let issuer = config.issuer.as_ref().and_then(|issuer| {
        let key = issuer.key()?;
        Some(Arc::new(Issuer { name: issuer.name.clone(), key }))
    });
    let reporter = HealthReporter::new();
    report(&reporter, &Health::Serving, false).await;
    let service = HealthService::from_health_reporter(reporter.clone());
    let health = HealthServer::new(Watched { service, draining: draining.clone() });
    let mut routes = services(&edge);
    routes = routes.add_service(health);
    if config.reflection {
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(credit_rpc::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(ServeError::Reflection)?;
        routes = routes.add_service(reflection);
    }
    tokio::spawn(watch_health(reporter, ledger.health(), draining.clone()));
    let transport = transport(GateLayer { edge, issuer }, routes, listener, draining);
    let done = tokio::spawn(async move {
        let transport = tokio::spawn(transport);
        let outcome = until_drained(transport, shutdown, stop).await;
        if let Some(public) = public
            && let Err(error) = public.await
        {
            tracing::error!(%error, "the public log was not served to the end");
        }
        ledger.stop().await;
        outcome
    });
    tracing::info!(%address, "serving");
    Ok(Serving { address, metrics_address, log_address, done })
}

/// Every service of the contract with its limits.
fn services(edge: &Arc<Edge>) -> Routes {
    let edge = || Arc::clone(edge);
    Routes::new(
        AccountServiceServer::new(Accounts { edge: edge() })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        RecordServiceServer::new(Records { edge: edge() })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        RegistryServiceServer::new(Registry { edge: edge() })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        RuleBookServiceServer::new(RuleBooks { edge: edge() })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        ConversionServiceServer::new(Conversions { edge: edge() })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        LogServiceServer::new(Log { edge: edge() })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
}

/// Serves the gRPC port until draining begins and every call has ended.
async fn transport(
    gate: GateLayer,
    routes: Routes,
    listener: TcpListener,
    draining: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    // An answer waits for no acknowledgement of the one before it.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .concurrency_limit_per_connection(CALLS_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .layer(gate)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, draining::begun(draining))
        .await
        .map_err(ServeError::Transport)
}

/// Waits for the signal, tells everybody, and gives calls their time to end.
async fn until_drained(
    mut transport: JoinHandle<Result<(), ServeError>>,
    shutdown: impl Future<Output = ()>,
    stop: watch::Sender<bool>,
) -> Result<(), ServeError> {
    let early = tokio::select! {
        ended = &mut transport => Some(ended),
        () = shutdown => None,
    };
    // Nobody listening is fine: then nothing has to be told.
    let _ = stop.send(true);
    if let Some(ended) = early {
        return ended.unwrap_or_else(|error| Err(ServeError::Task(error)));
    }
    tracing::info!("stopping");
    let Ok(ended) = tokio::time::timeout(DRAIN, &mut transport).await else {
        tracing::warn!("calls were cut off at the end of the drain");
        transport.abort();
        return Ok(());
    };
    ended.unwrap_or_else(|error| Err(ServeError::Task(error)))
}

fn serve_metrics(listener: TcpListener, metrics: Metrics, draining: watch::Receiver<bool>) {
    tokio::spawn(async move {
        let stops = draining::begun(draining);
        if let Err(cause) = axum::serve(listener, metrics.router()).with_graceful_shutdown(stops).await {
            tracing::error!(%cause, "metrics are not served any more");
        }
    });
}

/// Keeps the health of each service true to the ledger's.
async fn watch_health(
    reporter: HealthReporter,
    mut health: watch::Receiver<Health>,
    mut draining: watch::Receiver<bool>,
) {
    loop {
        let now = *health.borrow_and_update();
        let stops = *draining.borrow_and_update();
        if let Health::ReadOnly(code) = now {
            tracing::warn!(code, "writes have stopped");
        }
        report(&reporter, &now, stops).await;
        let changed = tokio::select! {
            changed = health.changed() => changed,
            changed = draining.changed() => changed,
        };
        // A sender that has gone takes the server with it.
        if stops || changed.is_err() {
            report(&reporter, &now, true).await;
            return;
        }
    }
}

async fn report(reporter: &HealthReporter, health: &Health, stops: bool) {
    let status = |serving| if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    let writes = matches!(health, Health::Serving) && !stops;
    for service in WRITERS {
        reporter.set_service_status(service, status(writes)).await;
    }
    for service in [LOG, ""] {
        reporter.set_service_status(service, status(!stops)).await;
    }
}
