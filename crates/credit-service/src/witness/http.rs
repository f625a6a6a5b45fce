//! The witness over HTTP/1.1: `POST /add-checkpoint`, and `GET /<hex SHA-256 of the origin>/checkpoint` for monitors.

use super::{Witness, WitnessAnswer};
use crate::hex::unhex;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path, State};
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use credit_log::witness::{REQUEST_BYTES_MAX, SIZE_MEDIA_TYPE};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The most connections at once; more wait to be accepted.
pub(crate) const WITNESS_CONNECTIONS_MAX: usize = 256;
/// The longest that a request's header may take, or a connection may idle.
const HEADER_PATIENCE: Duration = Duration::from_secs(30);
/// The longest that a request's body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(15);
/// How long requests have to end once the witness stops.
const DRAIN: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted: what is missing is mostly a file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The media type of notes and messages.
const TEXT: &str = "text/plain; charset=utf-8";

/// A witness that is served.
pub struct WitnessServing {
    /// Where; with the port that was taken where none was asked for.
    pub address: SocketAddr,
    done: JoinHandle<()>,
}

impl WitnessServing {
    /// Waits until the witness has stopped and its state is closed.
    pub async fn stopped(self) -> Result<(), tokio::task::JoinError> {
        self.done.await
    }
}

/// Serves a witness until `shutdown` is done; requests then have ten seconds to end. Returns as soon as it listens.
pub async fn serve_witness(
    witness: Witness,
    address: SocketAddr,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<WitnessServing, std::io::Error> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let witness = Arc::new(witness);
    let done = tokio::spawn(async move {
        accept_until(shutdown, listener, router(Arc::clone(&witness))).await;
        let closed = tokio::task::spawn_blocking(move || witness.close()).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::error!("the witness's state did not close well");
        }
    });
    Ok(WitnessServing { address, done })
}

async fn accept_until(shutdown: impl Future<Output = ()>, listener: TcpListener, router: Router) {
    let connections = Arc::new(Semaphore::new(WITNESS_CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let next = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&connections).acquire_owned().await.ok()?;
            Some((listener.accept().await, permit))
        };
        let (accepted, permit) = tokio::select! {
            () = &mut shutdown => break,
            next = next => match next {
                Some(next) => next,
                None => break,
            },
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = graceful.watch(connection(stream, router.clone()));
                tokio::spawn(async move {
                    // A peer that breaks off has only itself to tell.
                    let _ = connection.await;
                    drop(permit);
                });
            }
            Err(cause) => {
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were cut off at the end of the drain");
    }
}

type Connection = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

fn connection(stream: TcpStream, router: Router) -> Connection {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(witness)
}

fn message(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, TEXT)], format!("{text}\n")).into_response()
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, request: Request<Body>) -> Response {
    let body = match tokio::time::timeout(BODY_PATIENCE, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => return rejection.into_response(),
        Err(_) => return message(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    };
    let answered = tokio::task::spawn_blocking(move || match std::str::from_utf8(&body) {
        Ok(body) => witness.add_checkpoint(body),
        Err(_) => WitnessAnswer::Malformed("the body is not UTF-8".to_owned()),
    });
    match answered.await {
        Ok(answer) => response(answer),
        Err(error) => {
            tracing::error!(%error, "a request ended early");
            response(WitnessAnswer::Failed)
        }
    }
}

fn response(answer: WitnessAnswer) -> Response {
    match answer {
        WitnessAnswer::Cosigned(lines) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, TEXT)], lines).into_response()
        }
        WitnessAnswer::Malformed(text) => message(StatusCode::BAD_REQUEST, &text),
        WitnessAnswer::Forbidden(text) => message(StatusCode::FORBIDDEN, &text),
        WitnessAnswer::UnknownLog => message(StatusCode::NOT_FOUND, "the log is not known here"),
        WitnessAnswer::Conflict(size) => {
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, SIZE_MEDIA_TYPE)], format!("{size}\n"))
                .into_response()
        }
        WitnessAnswer::Inconsistent(text) => message(StatusCode::UNPROCESSABLE_ENTITY, &text),
        WitnessAnswer::Failed => message(StatusCode::INTERNAL_SERVER_ERROR, "the witness's state failed"),
    }
}

async fn checkpoint(State(witness): State<Arc<Witness>>, Path(origin): Path<String>) -> Response {
    let digest = unhex(&origin).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let Some(digest) = digest else {
        return message(StatusCode::NOT_FOUND, "not the SHA-256 of an origin in lower-case hexadecimal");
    };
    match tokio::task::spawn_blocking(move || witness.latest(&digest)).await {
        Ok(Ok(Some(note))) => {
            let headers = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, "no-cache")];
            (StatusCode::OK, headers, note).into_response()
        }
        Ok(Ok(None)) => message(StatusCode::NOT_FOUND, "nothing was cosigned of this log"),
        Ok(Err(error)) => {
            tracing::error!(%error, "the last checkpoint could not be read");
            response(WitnessAnswer::Failed)
        }
        Err(_) => response(WitnessAnswer::Failed),
    }
}
