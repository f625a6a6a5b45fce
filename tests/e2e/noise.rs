//! Noise where messages belong: whatever arrives, a status goes back, and the server serves on.

use crate::session::Session;
use crate::shared::quiet;
use credit_proto::v1;
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use std::str::FromStr as _;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};

/// How many messages of noise each method gets.
const ROUNDS: u64 = 24;
/// The seed of the noise.
const SEED: u64 = 0x5eed_2026;

/// Bytes as they are, in both directions.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length).to_vec()))
    }
}

/// SplitMix64: the same noise on every machine.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Some bytes: pure noise, or fields of a message with noise in them.
fn noise(state: &mut u64) -> Vec<u8> {
    let length = usize::try_from(next(state) % 200).expect("a length");
    if next(state).is_multiple_of(2) {
        return (0..length).map(|_| next(state).to_le_bytes()[0]).collect();
    }
    let mut bytes = Vec::new();
    for field in 1..=u8::try_from(next(state) % 9).expect("a count") {
        match next(state) % 3 {
            0 => bytes.extend([field << 3, next(state).to_le_bytes()[0] & 0x7f]),
            1 => {
                let inner = next(state).to_le_bytes()[0] & 0x1f;
                bytes.extend([field << 3 | 2, inner]);
                bytes.extend((0..inner).map(|_| next(state).to_le_bytes()[0]));
            }
            _ => bytes.extend([field << 3 | 2, 0]),
        }
    }
    bytes
}

/// Every method of the contract.
fn methods() -> Vec<String> {
    let set = prost_types::FileDescriptorSet::decode(credit_rpc::FILE_DESCRIPTOR_SET).expect("descriptors");
    let services = set.file.iter().flat_map(|file| &file.service);
    let names = services.flat_map(|service| {
        service.method.iter().map(|method| format!("/creditbank.v1.{}/{}", service.name(), method.name()))
    });
    names.collect()
}

/// Sends bytes as the message of a call, with a token.
async fn send(session: &Session<'_>, path: &str, token: &str, bytes: Vec<u8>) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(session.channel());
    grpc.ready().await.expect("a connection");
    let mut request = Request::new(tokio_stream::once(bytes));
    let token = MetadataValue::try_from(format!("Bearer {token}")).expect("a token");
    request.metadata_mut().insert("authorization", token);
    let follows = path.ends_with("/WatchCheckpoints");
    let path = PathAndQuery::from_str(path).expect("a path");
    let mut answers = grpc.streaming(request, path, Raw).await?.into_inner();
    // Who follows checkpoints hears of them until the server stops: the first is enough.
    while answers.message().await?.is_some() && !follows {}
    Ok(())
}

#[tokio::test]
async fn noise_is_answered_with_a_status_and_changes_nothing() {
    println!("seed {SEED:#x}");
    let session = quiet().await;
    let world = session.world;
    let tokens =
        [world.auditor_token(), world.school.token(&world.origin), world.registrar.token(&world.origin)];
    let before = session.size().await;
    let mut state = SEED;
    let mut answered = 0;
    for path in methods() {
        for round in 0..ROUNDS {
            let token = &tokens[usize::try_from(round % 3).expect("one of three")];
            match send(&session, &path, token, noise(&mut state)).await {
                Ok(()) => answered += 1,
                Err(status) => {
                    let known = [
                        Code::InvalidArgument,
                        Code::PermissionDenied,
                        Code::NotFound,
                        Code::FailedPrecondition,
                        // What prost cannot decode is told by the transport.
                        Code::Internal,
                    ];
                    assert!(known.contains(&status.code()), "{path} round {round}: {status:?}");
                    let decoding =
                        status.message().contains("decode") || status.message().contains("protocol error");
                    assert!(status.code() != Code::Internal || decoding, "{path} round {round}: {status:?}");
                }
            }
        }
    }
    assert!(answered > 0, "some noise is a message, as the empty one is");
    assert_eq!(session.size().await, before);
    let log = world.bank.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn odd_headers_do_no_harm() {
    let session = quiet().await;
    for (name, value) in [
        ("grpc-timeout", "99999999H"),
        ("grpc-timeout", "soon"),
        ("grpc-timeout", ""),
        ("accept-language", "\u{7e}\u{7e}"),
        ("accept-language", "zh;;;;q=q"),
        ("x-request-id", "0"),
    ] {
        let caller = session.anyone().header(name, value);
        caller
            .log()
            .get_checkpoint(v1::GetCheckpointRequest {})
            .await
            .unwrap_or_else(|status| panic!("{name}: {value}: {status:?}"));
    }
    // Headers have a bound; the connection of who passes it is not ours to keep.
    let long = "x".repeat(64 << 10);
    let outcome =
        session.anyone().header("x-long", &long).log().get_checkpoint(v1::GetCheckpointRequest {}).await;
    assert!(outcome.is_err());
    let again = Session::new(session.world).await;
    assert!(again.size().await > 1);
}
