//! Connections of the public port: how many, how long, and how they end. Whoever is slow or silent holds one of them for
//! a bounded time, and nothing else.

use super::PublicLog;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The most connections at once; more wait to be taken.
pub(crate) const CONNECTIONS_MAX: u32 = 256;
/// The most bytes of a request's head.
pub(crate) const REQUEST_HEAD_BYTES_MAX: usize = 16 << 10;
/// The most headers of a request.
pub(crate) const REQUEST_HEADERS_MAX: usize = 64;
/// How long a request's head may take to come, also the first on a connection and the next on an idle one.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(15);
/// How long a connection lives before it is asked to end: a reader who takes a body byte by byte holds it no longer.
pub(crate) const CONNECTION_TIME: Duration = Duration::from_secs(300);
/// How long a connection has to end once it was asked to.
pub(crate) const ENDING_TIME: Duration = Duration::from_secs(10);
/// How long to wait after a connection could not be taken: the process may be out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves the public log until draining begins and every connection has ended, or has had [`ENDING_TIME`] to.
pub(crate) async fn serve(listener: TcpListener, log: PublicLog, mut draining: watch::Receiver<bool>) {
    let log = Arc::new(log);
    let room = Arc::new(Semaphore::new(usize::try_from(CONNECTIONS_MAX).unwrap_or(usize::MAX)));
    let signal = draining.clone();
    loop {
        let taken = tokio::select! {
            biased;
            // An error means that the sender has gone, and with it the server.
            _ = draining.wait_for(|stops| *stops) => break,
            taken = take(&listener, &room) => taken,
        };
        let Some((stream, permit)) = taken else { continue };
        tokio::spawn(connection(stream, permit, Arc::clone(&log), signal.clone()));
    }
    drop(listener);
    // All permits are free once all connections have ended; those that have not are cut off with the process.
    if tokio::time::timeout(ENDING_TIME, room.acquire_many(CONNECTIONS_MAX)).await.is_err() {
        tracing::warn!("connections of the public log were cut off at the end of the drain");
    }
}

/// Takes the next connection as soon as there is room for it.
async fn take(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(cause) => {
            tracing::warn!(%cause, "a connection to the public log could not be taken");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    log: Arc<PublicLog>,
    mut draining: watch::Receiver<bool>,
) {
    let _permit = permit;
    let service = service_fn(move |request: Request<Incoming>| {
        let log = Arc::clone(&log);
        async move { Ok::<_, Infallible>(log.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .max_headers(REQUEST_HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = draining.wait_for(|stops| *stops) => None,
        () = tokio::time::sleep(CONNECTION_TIME) => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        // Who has not taken the rest by then does not get it.
        let _ = tokio::time::timeout(ENDING_TIME, connection).await;
    }
}
