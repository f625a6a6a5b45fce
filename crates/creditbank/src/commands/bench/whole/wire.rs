//! The wire without a typed client: requests are encoded beforehand, answers are read only as far as they are needed, so
//! that the generator of load takes little of the machine that it shares with the server.

use super::super::{rate, unmeasured};
use super::stats::percentile;
use crate::ending::CommandError;
use credit_service::clock::instant;
use prost::Message;
use prost::bytes::{BufMut as _, Bytes};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

/// Calls of one connection at once; more connections are opened beyond it.
const CALLS_PER_CONNECTION: usize = 64;
/// Room on a stream for requests that wait for the network.
pub(super) const STREAM_ROOM: usize = 128;

/// Bytes as they are in, a message out.
struct Raw<A>(PhantomData<fn() -> A>);

/// Puts bytes that are encoded already.
struct Put;

/// Reads a message.
struct Take<A>(PhantomData<fn() -> A>);

impl<A: Message + Default + 'static> Codec for Raw<A> {
    type Encode = Bytes;
    type Decode = A;
    type Encoder = Put;
    type Decoder = Take<A>;

    fn encoder(&mut self) -> Put {
        Put
    }

    fn decoder(&mut self) -> Take<A> {
        Take(PhantomData)
    }
}

impl Encoder for Put {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl<A: Message + Default + 'static> Decoder for Take<A> {
    type Item = A;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<A>, Status> {
        A::decode(from).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

/// A header that says who calls.
pub(super) type Token = MetadataValue<Ascii>;

/// The header of a token.
pub(super) fn bearer(token: &str) -> Result<Token, CommandError> {
    format!("Bearer {token}").parse().map_err(unmeasured)
}

/// A connection.
#[derive(Clone)]
pub(super) struct Line(tonic::client::Grpc<Channel>);

fn request<T>(message: T, token: Option<&Token>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token.clone());
    }
    request
}

impl Line {
    async fn open(url: &str) -> Result<Self, CommandError> {
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(unmeasured)?;
        let channel = endpoint.connect().await.map_err(unmeasured)?;
        Ok(Self(tonic::client::Grpc::new(channel).max_decoding_message_size(4 << 20)))
    }

    /// As many connections as so many calls at once are spread over.
    pub(super) async fn several(url: &str, in_flight: usize) -> Result<Vec<Self>, CommandError> {
        let mut lines = Vec::new();
        for _ in 0..in_flight.div_ceil(CALLS_PER_CONNECTION).max(1) {
            lines.push(Self::open(url).await?);
        }
        Ok(lines)
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))
    }

    /// One call.
    pub(super) async fn call<A: Message + Default + 'static>(
        &mut self,
        path: &'static str,
        token: Option<&Token>,
        message: Bytes,
    ) -> Result<A, Status> {
        self.ready().await?;
        let codec = Raw(PhantomData);
        let answer = self.0.unary(request(message, token), PathAndQuery::from_static(path), codec).await?;
        Ok(answer.into_inner())
    }

    /// A stream both ways.
    pub(super) async fn stream<A: Message + Default + 'static>(
        &mut self,
        path: &'static str,
        token: Option<&Token>,
        messages: ReceiverStream<Bytes>,
    ) -> Result<Streaming<A>, Status> {
        self.ready().await?;
        let codec = Raw(PhantomData);
        let answers =
            self.0.streaming(request(messages, token), PathAndQuery::from_static(path), codec).await?;
        Ok(answers.into_inner())
    }
}

/// One call that is to be made.
pub(super) struct Shot {
    pub(super) path: &'static str,
    pub(super) token: Option<Token>,
    pub(super) message: Bytes,
}

/// A call that was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// Its place in the list.
    place: usize,
    /// When it began.
    began: Instant,
    micros: u64,
}

/// Calls that were made.
pub(super) struct Flown {
    pub(super) time: Duration,
    began: Instant,
    calls: Vec<Call>,
}

impl Flown {
    /// Those of the calls that began before a moment.
    pub(super) fn until(mut self, moment: Instant) -> Self {
        self.calls.retain(|call| call.began < moment);
        self.time = self.time.min(moment.saturating_duration_since(self.began));
        self
    }

    /// Calls a second.
    pub(super) fn rate(&self) -> u64 {
        rate(u64::try_from(self.calls.len()).unwrap_or(u64::MAX), self.time)
    }

    /// The microseconds that so many thousandths of the calls don't exceed.
    pub(super) fn percentile(&self, permille: u64) -> u64 {
        self.percentile_of(permille, |_| true)
    }

    /// The same of the calls at some places.
    pub(super) fn percentile_of(&self, permille: u64, of: impl Fn(usize) -> bool) -> u64 {
        let chosen = self.calls.iter().filter(|call| of(call.place)).map(|call| call.micros);
        let mut micros: Vec<u64> = chosen.collect();
        micros.sort_unstable();
        percentile(&micros, permille)
    }
}

/// Whole microseconds.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Makes all calls, so many at once. A call that fails ends the measurement: its figure would be none.
pub(super) async fn fire(
    lines: &[Line],
    in_flight: usize,
    shots: &Arc<Vec<Shot>>,
) -> Result<Flown, CommandError> {
    let next = Arc::new(AtomicUsize::new(0));
    let began = instant();
    let mut workers = Vec::new();
    for line in lines.iter().cycle().take(in_flight) {
        let (mut line, next, shots) = (line.clone(), Arc::clone(&next), Arc::clone(shots));
        workers.push(tokio::spawn(async move {
            let mut calls = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(shot) = shots.get(place) else { return Ok::<_, Status>(calls) };
                let began = instant();
                line.call::<()>(shot.path, shot.token.as_ref(), shot.message.clone()).await?;
                calls.push(Call { place, began, micros: micros(began.elapsed()) });
            }
        }));
    }
    let mut calls = Vec::new();
    for worker in workers {
        calls.extend(worker.await.map_err(unmeasured)?.map_err(unmeasured)?);
    }
    Ok(Flown { time: began.elapsed(), began, calls })
}
