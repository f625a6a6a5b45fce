//! What keeps a server that stops from waiting for streams in which nothing is under way: health watches and
//! reflection, which have no end of their own. The streams of records end themselves.

use axum::body::BodyDataStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::body::Body;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::HealthService;

/// Answers of a watch that wait for the network.
const ANSWERS_MAX: usize = 1;

/// Waits until the server stops.
pub(crate) async fn begun(mut draining: watch::Receiver<bool>) {
    // An error means that the sender has gone, and with it the server.
    let _ = draining.wait_for(|stops| *stops).await;
}

/// The health service, whose watches end when the server stops: with NOT_SERVING as their last word.
pub(crate) struct Watched {
    /// Knows the status of each service.
    pub(crate) service: HealthService,
    /// Turns true once.
    pub(crate) draining: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl Health for Watched {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.service.check(request).await
    }

    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let statuses = self.service.watch(request).await?.into_inner();
        let (to, answers) = mpsc::channel(ANSWERS_MAX);
        tokio::spawn(pass_on(statuses, to, begun(self.draining.clone())));
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

/// Passes statuses on until nobody listens or the server stops.
async fn pass_on(
    mut statuses: impl Stream<Item = Result<HealthCheckResponse, Status>> + Unpin,
    to: mpsc::Sender<Result<HealthCheckResponse, Status>>,
    stops: impl Future<Output = ()>,
) {
    let not_serving = i32::from(ServingStatus::NotServing);
    let mut last = None;
    tokio::pin!(stops);
    loop {
        let next = tokio::select! {
            biased;
            () = &mut stops => break,
            () = to.closed() => return,
            next = statuses.next() => next,
        };
        let Some(next) = next else { return };
        last = next.as_ref().ok().map(|answer| answer.status);
        if to.send(next).await.is_err() {
            return;
        }
    }
    if last != Some(not_serving) {
        // Whoever has gone meanwhile needs no last word.
        drop(to.send(Ok(HealthCheckResponse { status: not_serving })).await);
    }
}

/// A request's body that ends when the server stops, so that a service which answers for as long as it is asked ends.
pub(crate) fn until_begun(body: Body, draining: watch::Receiver<bool>) -> Body {
    let data = axum::body::Body::new(body).into_data_stream();
    let stops = Box::pin(begun(draining));
    Body::new(axum::body::Body::from_stream(UntilBegun { data, stops }))
}

struct UntilBegun {
    data: BodyDataStream,
    stops: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Stream for UntilBegun {
    type Item = <BodyDataStream as Stream>::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.stops.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.data).poll_next(cx)
    }
}
