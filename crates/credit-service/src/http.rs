//! The public log over HTTP (C2SP tlog-tiles v0.1.0), on a port of its own: the published checkpoint, tiles, bundles of
//! entry cores, and public blobs. Nobody has to say who they are, so nothing is shown that not everybody may see: parts
//! of entries stay with the authorised method.

mod connection;
mod reply;
mod resource;

pub(crate) use connection::serve;

use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::tiles::TreeFiles;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use credit_log::tile::TilePath;
use reply::{Cache, File, Refused};
use resource::Resource;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most requests that read the store at once; more wait their turn within [`REQUEST_TIME`].
pub(crate) const READS_MAX: usize = 16;
/// The most blobs that are on their way at once: each may have 16 MiB in memory.
pub(crate) const BLOBS_MAX: usize = 8;
/// How long a request may take to be answered.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(10);

/// The public face of a ledger.
pub(crate) struct PublicLog {
    ledger: Ledger,
    metrics: Metrics,
    turns: Turns,
}

/// Whose turn it is to read the store, and to have a blob on its way.
struct Turns {
    reads: Arc<Semaphore>,
    blobs: Arc<Semaphore>,
}

impl PublicLog {
    /// The public face of a ledger, counted in these metrics.
    pub(crate) fn new(ledger: Ledger, metrics: Metrics) -> Self {
        Self { ledger, metrics, turns: Turns::new() }
    }

    /// Answers a request; its body, if it has one, is not looked at.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<Body> {
        let (head, _body) = request.into_parts();
        let (kind, found) = if head.method == Method::GET || head.method == Method::HEAD {
            let named = match head.uri.query() {
                None => Resource::parse(head.uri.path()),
                Some(_) => Err(Refused::Malformed),
            };
            match named {
                Ok(resource) => (resource.kind(), self.within_time(resource).await),
                Err(refused) => ("other", Err(refused)),
            }
        } else {
            ("other", Err(Refused::Method))
        };
        let response = match found {
            Ok(file) => file.respond(&head.headers),
            Err(refused) => refused.respond(),
        };
        self.metrics.requested(kind, code(response.status()));
        response
    }

    async fn within_time(&self, resource: Resource) -> Result<File, Refused> {
        let found = tokio::time::timeout(REQUEST_TIME, self.file(resource)).await;
        found.unwrap_or(Err(Refused::Busy))
    }

    async fn file(&self, resource: Resource) -> Result<File, Refused> {
        match resource {
            Resource::Checkpoint => {
                let current = self.ledger.publisher().current();
                let file =
                    File::new("text/plain; charset=utf-8", Cache::Brief, current.note.clone().into_bytes());
                Ok(file.modified(current.published_at_us))
            }
            Resource::Tile(path) => self.tile(path).await,
            Resource::Blob(digest) => self.blob(digest).await,
        }
    }

    async fn tile(&self, path: TilePath) -> Result<File, Refused> {
        let (ledger, published) = (self.ledger.clone(), self.ledger.publisher().current());
        let bytes = self.turns.read(move || {
            let store = ledger.reader().shared.store.as_ref();
            TreeFiles::under(store, &published.head.edge).bytes(&path)
        });
        let bytes = bytes.await?.ok_or(Refused::NotFound)?;
        let file = File::new("application/octet-stream", Cache::ForEver, bytes);
        Ok(if resource::is_bundle(&path) { file.compressible() } else { file })
    }

    async fn blob(&self, digest: [u8; 32]) -> Result<File, Refused> {
        let permit = self.turns.blob().await?;
        let ledger = self.ledger.clone();
        let bytes = self.turns.read(move || Ok(ledger.reader().shared.store.blob(&digest)?)).await?;
        let bytes = bytes.ok_or(Refused::NotFound)?;
        Ok(File::new("application/octet-stream", Cache::ForEver, bytes).holding(permit))
    }
}

impl Turns {
    fn new() -> Self {
        Self { reads: Arc::new(Semaphore::new(READS_MAX)), blobs: Arc::new(Semaphore::new(BLOBS_MAX)) }
    }

    /// Waits for a blob's turn, which lasts until it has been sent.
    async fn blob(&self) -> Result<OwnedSemaphorePermit, Refused> {
        permit(&self.blobs).await
    }

    /// Reads the store on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refused> {
        let permit = permit(&self.reads).await?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        match done.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(failure)) => {
                tracing::error!(%failure, "a file of the public log could not be read");
                Err(Refused::Fault)
            }
            Err(error) => {
                tracing::error!(%error, "a file of the public log could not be read");
                Err(Refused::Fault)
            }
        }
    }
}

async fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refused> {
    // None of the semaphores is ever closed.
    Arc::clone(of).acquire_owned().await.map_err(|_| Refused::Busy)
}

/// A status as the label of a metric.
fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "200",
        304 => "304",
        400 => "400",
        404 => "404",
        405 => "405",
        503 => "503",
        _ => "500",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    /// Waits until so many reads have begun, a bounded time.
    async fn reached(begun: &AtomicUsize, count: usize) {
        for _ in 0..60_000 {
            if begun.load(Ordering::SeqCst) == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{} reads have begun, not {count}", begun.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn so_many_reads_run_at_once_and_the_next_one_waits_its_turn() {
        let (turns, begun) = (Arc::new(Turns::new()), Arc::new(AtomicUsize::new(0)));
        let (go, gate) = channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let read = || {
            let (turns, begun, gate) = (Arc::clone(&turns), Arc::clone(&begun), Arc::clone(&gate));
            let work = move || {
                begun.fetch_add(1, Ordering::SeqCst);
                gate.lock().unwrap().recv().unwrap();
                Ok(())
            };
            tokio::spawn(async move { turns.read(work).await })
        };
        let reads: Vec<_> = (0..READS_MAX).map(|_| read()).collect();
        reached(&begun, READS_MAX).await;
        assert_eq!(turns.reads.available_permits(), 0);
        let next = read();
        assert!(tokio::time::timeout(Duration::from_millis(50), turns.read(|| Ok(()))).await.is_err());
        assert_eq!(begun.load(Ordering::SeqCst), READS_MAX, "one more waits");
        go.send(()).unwrap();
        reached(&begun, READS_MAX.saturating_add(1)).await;
        for _ in 0..READS_MAX {
            go.send(()).unwrap();
        }
        for read in reads.into_iter().chain([next]) {
            assert!(read.await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn so_many_blobs_are_on_their_way_and_the_next_one_waits() {
        let turns = Turns::new();
        let mut sent = Vec::new();
        for _ in 0..BLOBS_MAX {
            sent.push(turns.blob().await.unwrap_or_else(|_| panic!("a turn")));
        }
        assert!(tokio::time::timeout(Duration::ZERO, turns.blob()).await.is_err(), "one more waits");
        sent.pop();
        assert!(tokio::time::timeout(Duration::ZERO, turns.blob()).await.is_ok());
    }
}
