//! Checkpoints as they are published, to whoever follows them.

use super::{Caller, Edge};
use crate::failure::Failure;
use crate::status::code_of;
use credit_proto::v1;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// The most callers who follow checkpoints at once; one more is told to come again.
pub(crate) const WATCHERS_MAX: usize = 512;
/// Checkpoints that wait for the network; who is slower than they are published misses some.
const WAITING: usize = 2;

type Answer = Result<v1::WatchCheckpointsResponse, Status>;

/// Sends the current checkpoint, then each published one, until the caller goes or the server stops.
pub(super) fn watch(edge: Arc<Edge>, caller: Caller) -> Result<ReceiverStream<Answer>, Status> {
    let Ok(place) = Arc::clone(&edge.watchers).try_acquire_owned() else {
        return Err(edge.tell(&Failure::Busy.into(), caller.language));
    };
    let (to, answers) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _place = place;
        if follow(&edge, &to).await.is_ok() {
            let status = edge.tell(&Failure::ReadOnly("STOPPING").into(), caller.language);
            edge.metrics.called(caller.method, code_of(&status));
            // A caller who has not taken what came before hears the end of the stream instead.
            let _ = to.try_send(Err(status));
        } else {
            edge.metrics.called(caller.method, "CANCELLED");
        }
    });
    Ok(ReceiverStream::new(answers))
}

/// The caller has gone.
struct Gone;

/// Ends well when the server stops.
async fn follow(edge: &Edge, to: &mpsc::Sender<Answer>) -> Result<(), Gone> {
    let mut published = edge.ledger.publisher().watch();
    published.mark_changed();
    let mut draining = edge.draining.clone();
    loop {
        tokio::select! {
            biased;
            _ = draining.wait_for(|stops| *stops) => return Ok(()),
            () = to.closed() => return Err(Gone),
            changed = published.changed() => if changed.is_err() {
                return Ok(());
            },
        }
        // The newest is looked for only once there is room for it.
        let room = tokio::select! {
            biased;
            _ = draining.wait_for(|stops| *stops) => return Ok(()),
            room = to.reserve() => room.map_err(|_| Gone)?,
        };
        let current = Arc::clone(&published.borrow_and_update());
        room.send(Ok(v1::WatchCheckpointsResponse {
            checkpoint: current.note.clone(),
            published_at_us: current.published_at_us,
        }));
    }
}
