//! How the service behaves: health, reflection, a full queue, the end, metrics, languages.

use crate::bank::Bank;
use crate::session::{Session, World, refused_by, wait_until};
use crate::shared::busy;
use crate::statement::Draft;
use credit_proto::v1;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_types::StatusExt as _;

const SERVICES: [&str; 4] = [
    "creditbank.v1.AccountService",
    "creditbank.v1.LogService",
    "creditbank.v1.RecordService",
    "creditbank.v1.RegistryService",
];

/// The longest that a stop may take in which nothing is under way: less than calls have to end.
const STOP: Duration = Duration::from_secs(15);

fn health_of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn each_service_is_serving_until_the_server_stops() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let mut health = HealthClient::new(session.channel());
    let mut watches: Vec<Streaming<HealthCheckResponse>> = Vec::new();
    for service in SERVICES.into_iter().chain([""]) {
        let now = health.check(health_of(service)).await.expect("a status").into_inner();
        assert_eq!(now.status(), ServingStatus::Serving, "{service}");
        let mut watch = health.watch(health_of(service)).await.expect("a watch").into_inner();
        assert_eq!(
            watch.message().await.expect("a status").expect("a status").status(),
            ServingStatus::Serving
        );
        watches.push(watch);
    }
    let unknown = health.check(health_of("creditbank.v1.Nothing")).await.expect_err("no such service");
    assert_eq!(unknown.code(), Code::NotFound);
    world.bank.ask_to_stop();
    for watch in &mut watches {
        let last = watch.message().await.expect("a status").expect("a status");
        assert_eq!(last.status(), ServingStatus::NotServing);
        assert_eq!(watch.message().await.expect("an end"), None);
    }
    assert!(world.bank.wait_at_most(STOP).success(), "{}", world.bank.log());
}

/// Streams in which nothing is under way end with the server, though their clients hold them open. The connection goes
/// on answering while this thread waits for the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn idle_streams_do_not_delay_a_stop() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let mut watch =
        HealthClient::new(session.channel()).watch(health_of("")).await.expect("a watch").into_inner();
    watch.message().await.expect("a status").expect("a status");
    let mut records = session.of(&world.school).records();
    let mut singles = records.submit_records(tokio_stream::pending()).await.expect("a stream").into_inner();
    let mut batch = records.submit_batch(tokio_stream::pending()).await.expect("a stream").into_inner();
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let asked = tokio_stream::iter([list]).chain(tokio_stream::pending());
    let mut reflection = ServerReflectionClient::new(session.channel());
    let mut reflection = reflection.server_reflection_info(asked).await.expect("reflection").into_inner();
    reflection.message().await.expect("a list").expect("a list");

    world.bank.ask_to_stop();
    assert!(world.bank.wait_at_most(STOP).success(), "{}", world.bank.log());
    let last = watch.message().await.expect("a status").expect("a status");
    assert_eq!(last.status(), ServingStatus::NotServing);
    assert_eq!(watch.message().await.expect("an end"), None);
    for status in [singles.message().await.expect_err("why"), batch.message().await.expect_err("why")] {
        assert_eq!(refused_by("STOPPING", &status).code, Code::Unavailable);
    }
    assert!(reflection.message().await.expect("an end").is_none());
    assert!(!world.bank.log().contains("cut off"), "{}", world.bank.log());
}

#[tokio::test]
async fn reflection_lists_the_services_and_their_files() {
    let session = busy().await;
    let mut reflection = ServerReflectionClient::new(session.channel());
    let ask = |request: MessageRequest| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let requests = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("creditbank.v1.RecordFacts".to_owned())),
    ];
    let answer = reflection.server_reflection_info(tokio_stream::iter(requests)).await.expect("reflection");
    let mut answers = answer.into_inner();
    let mut next = async || answers.message().await.expect("an answer").expect("an answer").message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = next().await else { panic!("no list") };
    let listed: BTreeSet<String> = list.service.into_iter().map(|service| service.name).collect();
    for service in SERVICES {
        assert!(listed.contains(service), "{listed:?}");
    }
    let Some(MessageResponse::FileDescriptorResponse(files)) = next().await else { panic!("no file") };
    assert!(!files.file_descriptor_proto.is_empty());
}

#[tokio::test]
async fn reflection_can_be_turned_off() {
    let world = World::start(&[("reflection", "false")]);
    let session = Session::new(&world).await;
    let mut reflection = ServerReflectionClient::new(session.channel());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let refused = reflection.server_reflection_info(tokio_stream::iter([request])).await;
    assert_eq!(refused.expect_err("no reflection").code(), Code::Unimplemented);
    assert!(session.size().await > 1);
}

/// Records of the school's for one account, ready to be sent.
async fn requests(session: &Session<'_>, count: usize) -> (Vec<u8>, Vec<v1::SubmitRecordRequest>) {
    let account = session.account().await.account_ref;
    let mut requests = Vec::with_capacity(count);
    for _ in 0..count {
        requests.push(session.submission(&session.world.school, &Draft::course(&account)).await);
    }
    (account, requests)
}

/// Sends all at once and gives what came of each.
async fn at_once(
    session: &Session<'_>,
    requests: &[v1::SubmitRecordRequest],
) -> Vec<Result<v1::Position, Status>> {
    let school = session.of(&session.world.school);
    let calls: Vec<_> = requests
        .iter()
        .map(|request| {
            let (mut stub, request) = (school.records(), request.clone());
            tokio::spawn(async move { stub.submit_record(request).await })
        })
        .collect();
    let mut outcomes = Vec::with_capacity(calls.len());
    for call in calls {
        let outcome = call.await.expect("a call ends");
        outcomes.push(outcome.map(|answer| answer.into_inner().position.expect("a position")));
    }
    outcomes
}

#[tokio::test]
async fn a_full_queue_says_so_at_once_and_loses_nothing() {
    let world = World::start(&[("queue_max", "1"), ("group_entries_max", "1")]);
    let session = Session::new(&world).await;
    let (account, mut waiting) = requests(&session, 300).await;
    let (mut rounds, mut busy) = (0, 0);
    while !waiting.is_empty() {
        rounds += 1;
        assert!(rounds < 200, "{} still wait", waiting.len());
        let before = session.size().await;
        let outcomes = at_once(&session, &waiting).await;
        let mut again = Vec::new();
        let mut taken = 0;
        for (request, outcome) in waiting.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) => taken += 1,
                Err(status) => {
                    assert_eq!(refused_by("BUSY", &status).code, Code::ResourceExhausted);
                    let delay = status.get_details_retry_info().expect("when to retry").retry_delay;
                    assert!(delay > Some(Duration::ZERO));
                    busy += 1;
                    again.push(request);
                }
            }
        }
        assert_eq!(session.size().await, before + taken, "exactly what was answered is in the log");
        waiting = again;
    }
    assert!(busy > 0, "the queue was never full");
    assert_eq!(session.view(&account).await.records, 300);
}

#[tokio::test]
async fn a_server_that_is_stopped_answers_what_is_under_way_and_ends_well() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let (account, requests) = requests(&session, 200).await;
    let school = session.of(&world.school);
    let calls: Vec<_> = requests
        .iter()
        .map(|request| {
            let (mut stub, request) = (school.records(), request.clone());
            tokio::spawn(async move { stub.submit_record(request).await })
        })
        .collect();
    // Some are answered, most are under way.
    let started = session.view(&account).await.records;
    world.bank.ask_to_stop();
    let mut answered = Vec::new();
    for call in calls {
        answered.push(
            call.await.expect("a call ends").map(|answer| answer.into_inner().position.expect("a position")),
        );
    }
    let ended = world.bank.wait();
    assert!(ended.success(), "{ended}: {}", world.bank.log());
    for outcome in answered.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(outcome.code(), Code::Unavailable | Code::Unknown | Code::Cancelled), "{outcome:?}");
    }
    world.bank.serve();
    let session = Session::new(&world).await;
    for (request, outcome) in requests.into_iter().zip(answered) {
        let again =
            session.send(&world.school, request).await.expect("a retry").into_inner().position.unwrap();
        if let Ok(position) = outcome {
            assert!(again.replayed, "an answered record is not in the log");
            assert_eq!((again.index, again.leaf_hash), (position.index, position.leaf_hash));
        }
    }
    assert_eq!(session.view(&account).await.records, 200, "{started} were in before the stop");
}

#[tokio::test]
async fn a_stream_that_is_open_when_the_server_stops_hears_why() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let (account, requests) = requests(&session, 20).await;
    let (to, stream) = tokio::sync::mpsc::channel(32);
    let stub = session.of(&world.school).records();
    let mut answers = {
        let mut stub = stub;
        let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
        stub.submit_records(stream).await.expect("a stream").into_inner()
    };
    for request in requests {
        let v1::SubmitRecordRequest { envelope, details, want_receipt } = request;
        to.send(v1::SubmitRecordsRequest { envelope, details, want_receipt }).await.expect("a listener");
    }
    let mut taken = 0;
    while taken < 20 {
        let answer = answers.message().await.expect("an answer").expect("an answer");
        assert_eq!(answer.number, taken);
        taken += 1;
    }
    world.bank.ask_to_stop();
    let status = answers.message().await.expect_err("the stream ends");
    assert_eq!(refused_by("STOPPING", &status).code, Code::Unavailable);
    assert!(world.bank.wait().success(), "{}", world.bank.log());
    world.bank.serve();
    let session = Session::new(&world).await;
    assert_eq!(session.view(&account).await.records, 20);
}

/// The head and the body of a page.
fn page(url: &str, path: &str) -> (String, String) {
    let host = url.strip_prefix("http://").and_then(|url| url.split('/').next()).expect("an address");
    let mut stream = TcpStream::connect(host).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

/// The samples of a page of metrics: name with labels, and value.
fn samples(body: &str) -> BTreeMap<String, f64> {
    let lines: Vec<&str> = body.lines().collect();
    assert_eq!(lines.last(), Some(&"# EOF"));
    let samples = lines.iter().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            assert!(name.starts_with("creditbank_"), "{line}");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

#[tokio::test]
async fn metrics_count_what_was_called_written_and_refused() {
    let world = World::start(&[("metrics_listen", "127.0.0.1:0")]);
    let session = Session::new(&world).await;
    let url = world.bank.metrics().expect("metrics are served");
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account);
    session.deposit(&world.school, &draft).await;
    session.refused_record("RECORD_EXISTS", &draft).await;
    let size = session.size().await;
    let (head, body) = page(&url, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("application/openmetrics-text"), "{head}");
    let samples = samples(&body);
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name} is missing in\n{body}"));
    let exactly = |name: &str, count: u64| assert_eq!(value(name).to_string(), count.to_string(), "{name}");
    exactly("creditbank_log_size", size);
    exactly("creditbank_refusals_total{reason=\"RECORD_EXISTS\"}", 1);
    exactly("creditbank_queue_depth", 0);
    let method = "/creditbank.v1.RecordService/SubmitRecord";
    exactly(&format!("creditbank_calls_total{{method=\"{method}\",code=\"OK\"}}"), 1);
    exactly(&format!("creditbank_calls_total{{method=\"{method}\",code=\"ALREADY_EXISTS\"}}"), 1);
    for name in ["creditbank_groups_total", "creditbank_entries_total", "creditbank_disk_bytes"] {
        assert!(value(name) > 0.0, "{name}");
    }
    assert!(
        !body.contains(&crate::session::hex(&account)) && !body.contains(&world.school.id),
        "no metric names anybody"
    );
    let (head, body) = page(&url, "/healthz");
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("serving"), "{head}\n{body}");
    assert!(page(&url, "/nothing").0.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn refusals_are_told_in_the_callers_language() {
    let session = busy().await;
    let request = || v1::GetFrameworkRequest { framework_id: "no.such".to_owned() };
    for (asked, locale) in [("zh-CN", "zh-CN"), ("zh-TW,zh;q=0.9", "zh-CN"), ("en", "en"), ("fr", "en")] {
        let caller = session.anyone().header("accept-language", asked);
        let status = caller.registry().get_framework(request()).await.expect_err("no such framework");
        refused_by("FRAMEWORK_UNKNOWN", &status);
        let message = status.get_details_localized_message().expect("a message for people");
        assert_eq!(message.locale, locale);
        assert_eq!(message.message.is_ascii(), locale == "en", "{}", message.message);
        if locale == "zh-CN" {
            assert!(message.message.contains("资历框架未发布"), "{}", message.message);
        }
    }
    let status = session.anyone().registry().get_framework(request()).await.expect_err("no such framework");
    assert_eq!(status.get_details_localized_message().expect("a message").locale, "en");
}

/// One directory is one running ledger.
#[tokio::test]
async fn a_second_server_on_the_same_directory_does_not_start() {
    let world = World::start(&[]);
    let output = world.bank.run(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(4), "{}", crate::bank::text(&output));
    let session = Session::new(&world).await;
    assert!(session.size().await > 1, "the first one goes on");
}

/// A start is an entry: two starts of one directory differ at their first index.
#[tokio::test]
async fn every_start_is_in_the_log() {
    let world = World::start(&[]);
    let before = Session::new(&world).await.head().await;
    world.bank.restart();
    let session = Session::new(&world).await;
    let after = wait_until("the start's entry", async || {
        Some(session.head().await).filter(|head| head.size > before.size)
    })
    .await;
    assert_eq!(after.size, before.size + 1);
    let request = v1::GetConsistencyProofRequest { old_size: before.size, new_size: after.size };
    let proof = session.anyone().log().get_consistency_proof(request).await.expect("a proof").into_inner();
    let path: Vec<[u8; 32]> = proof.path.into_iter().map(|hash| hash.try_into().expect("32 bytes")).collect();
    credit_log::consistency::verify(before.size, after.size, &path, &before.root, &after.root)
        .expect("one history");
    let request = v1::GetReceiptRequest { index: before.size };
    let receipt =
        session.anyone().log().get_receipt(request).await.expect("a receipt").into_inner().receipt.unwrap();
    // The entry is about nobody, so that everybody may open it: head, link, statement, event.
    assert_eq!(receipt.parts.len(), 4);
    let event: v1::Event = prost::Message::decode(&receipt.parts[3].part[1..]).expect("an event");
    assert_eq!(event.kind(), v1::EventKind::ServerStarted);
}

/// Nothing but what the configuration knows is taken.
#[test]
fn a_configuration_that_makes_no_sense_does_not_start() {
    let bank = Bank::new(&[]);
    for wrong in ["quue_max=1", "queue_max=0", "queue_max=many", "listen=nowhere", "cache_bytes=1"] {
        let output = bank.run(&["serve", "--dev", "--set", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", crate::bank::text(&output));
        let key = wrong.split('=').next().unwrap();
        assert!(crate::bank::text(&output).contains(key), "{wrong}: {}", crate::bank::text(&output));
    }
    let output =
        bank.command().env("CREDITBANK_QUUE_MAX", "1").args(["serve", "--dev"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{}", crate::bank::text(&output));
}
