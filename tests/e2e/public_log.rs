//! The public log over a real socket: every path, what it answers, and what caches are told.

use crate::bank::wait_for;
use crate::session::{Session, World, hex, refused_by, wait_until};
use crate::statement::Draft;
use credit_log::checkpoint::Checkpoint;
use credit_log::hash::{leaf_hash, sha256};
use credit_log::tile::{
    TileEdge, TileKind, TilePath, decode_entries, decode_hashes, encode_entries, encode_hashes,
};
use credit_log::tile::{full_tiles, hashes_at, width_at};
use credit_proto::v1;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use tonic::Code;

/// A client that takes answers as they are.
pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build();
    ureq::Agent::new_with_config(config)
}

/// An answer: status, headers, and the body as it came.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// One request on a connection of its own, byte for byte.
pub(crate) fn ask(base: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let host = base.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(host).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let lines = lines.concat();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status").parse().expect("a number");
    let headers = lines
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect::<Option<_>>()
        .expect("headers");
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

/// The bytes of a path that must be there.
pub(crate) fn get(base: &str, path: &str) -> Vec<u8> {
    let answer = ask(base, "GET", path, &[]);
    assert_eq!(answer.status, 200, "{path}");
    answer.body
}

/// The published checkpoint once it has reached a size.
pub(crate) fn published(world: &World, size: u64) -> (String, Checkpoint) {
    let base = world.bank.public_log();
    wait_for("a checkpoint to be published", || {
        let note = String::from_utf8(get(&base, "/checkpoint")).expect("text");
        let head = world.checkpoint(&note);
        (head.size >= size).then_some((note, head))
    })
}

/// Lets a log grow by records, many at a time; gives its size.
pub(crate) async fn grow(session: &Session<'_>, to: u64) -> u64 {
    let account = session.account().await.account_ref;
    loop {
        let missing = to.saturating_sub(session.size().await);
        if missing == 0 {
            return session.size().await;
        }
        let mut calls = Vec::new();
        for _ in 0..missing.min(64) {
            let request = session.submission(&session.world.school, &Draft::course(&account)).await;
            let mut stub = session.of(&session.world.school).records();
            calls.push(tokio::spawn(async move { stub.submit_record(request).await.map(|_| ()) }));
        }
        for call in calls {
            call.await.expect("a call ends").expect("a record is taken");
        }
    }
}

/// What the tree over these cores has: path and bytes of every tile and bundle.
fn expected(cores: &[Vec<u8>]) -> BTreeMap<String, Vec<u8>> {
    let (mut edge, mut files) = (TileEdge::new(), BTreeMap::new());
    let mut put = |kind, index, width, bytes| {
        files.insert(TilePath { kind, index, width }.encode(), bytes);
    };
    for core in cores {
        for tile in edge.append(leaf_hash(core)) {
            put(TileKind::Hashes(tile.level), tile.index, 256, encode_hashes(&tile.hashes));
        }
    }
    for (level, hashes) in (0u8..).zip(edge.edge()) {
        if !hashes.is_empty() {
            let width = u16::try_from(hashes.len()).unwrap();
            put(TileKind::Hashes(level), full_tiles(level, edge.size()), width, encode_hashes(hashes));
        }
    }
    for (index, bundle) in (0u64..).zip(cores.chunks(256)) {
        let width = u16::try_from(bundle.len()).unwrap();
        put(TileKind::Entries, index, width, encode_entries(bundle).unwrap());
    }
    files
}

/// Every core, from the gRPC side.
async fn cores(session: &Session<'_>, size: u64) -> Vec<Vec<u8>> {
    let mut cores = Vec::new();
    while u64::try_from(cores.len()).unwrap() < size {
        let start = u64::try_from(cores.len()).unwrap();
        let request = v1::ListEntriesRequest { start, page_size: 1_000, with_parts: false };
        let page = session.anyone().log().list_entries(request).await.expect("entries").into_inner();
        cores.extend(page.entries.into_iter().map(|entry| entry.core));
    }
    cores.truncate(usize::try_from(size).unwrap());
    cores
}

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn every_tile_and_bundle_under_the_checkpoint_is_served_and_nothing_else() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let size = grow(&session, 300).await;
    let (_, head) = published(&world, size);
    assert_eq!(head, session.head().await, "nothing is written meanwhile");
    let base = world.bank.public_log();
    let cores = cores(&session, size).await;
    let files = expected(&cores);
    assert_eq!(files.len(), 5, "two tiles of level 0, one of level 1, two bundles");
    for (path, bytes) in &files {
        let answer = ask(&base, "GET", &format!("/{path}"), &[]);
        assert_eq!((answer.status, &answer.body), (200, bytes), "{path}");
        assert_eq!(answer.headers["content-type"], "application/octet-stream");
        assert_eq!(answer.headers["cache-control"], IMMUTABLE);
        assert_eq!(answer.headers["content-length"], bytes.len().to_string());
        assert!(!answer.headers.contains_key("content-encoding"));
    }
    // Every size that was ever published owed its partial tiles; they are prefixes, and stay.
    for smaller in [1, 2, 7, 255, 256, 257, size - 1] {
        for (level, kind) in [(0, TileKind::Hashes(0)), (1, TileKind::Hashes(1)), (0, TileKind::Entries)] {
            if hashes_at(level, smaller) == 0 {
                continue;
            }
            let index = (hashes_at(level, smaller) - 1) / 256;
            let width = width_at(level, index, smaller).unwrap();
            let body = get(&base, &format!("/{}", TilePath { kind, index, width }.encode()));
            let members = match kind {
                TileKind::Hashes(_) => decode_hashes(&body).unwrap().len(),
                TileKind::Entries => decode_entries(&body).unwrap().len(),
            };
            assert_eq!(members, usize::from(width));
        }
    }
    let width = size - 256;
    for (path, status) in [
        (format!("/tile/0/001.p/{}", width + 1), 404),
        ("/tile/0/001".to_owned(), 404),
        ("/tile/entries/001".to_owned(), 404),
        (format!("/tile/entries/001.p/{}", width + 1), 404),
        ("/tile/1/000".to_owned(), 404),
        ("/tile/1/000.p/2".to_owned(), 404),
        ("/tile/2/000.p/1".to_owned(), 404),
        ("/tile/63/000.p/1".to_owned(), 404),
        ("/tile/0/x001/000".to_owned(), 404),
        (format!("/blob/{}", hex(&sha256(b"no such blob"))), 404),
        ("/".to_owned(), 404),
        ("/metrics".to_owned(), 404),
        ("/tile/0/1".to_owned(), 400),
        ("/tile/0/000.p/0".to_owned(), 400),
        ("/tile/0/000.p/256".to_owned(), 400),
        ("/tile/-1/000".to_owned(), 400),
        ("/tile/64/000".to_owned(), 400),
        ("/tile/0/x000/001".to_owned(), 400),
        ("/tile/8/0/000".to_owned(), 400),
        ("/tile/entries/%300".to_owned(), 400),
        ("/checkpoint?x".to_owned(), 400),
        ("/blob/00".to_owned(), 400),
    ] {
        let answer = ask(&base, "GET", &path, &[]);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn the_checkpoint_is_text_that_is_not_kept_and_the_log_continues() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let size = session.size().await;
    let (note, head) = published(&world, size);
    let base = world.bank.public_log();
    let answer = ask(&base, "GET", "/checkpoint", &[]);
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "public, max-age=1");
    assert_eq!(answer.body, note.as_bytes());
    assert!(answer.headers["last-modified"].ends_with(" GMT"), "{:?}", answer.headers);
    let tag = answer.headers["etag"].clone();
    let again = ask(&base, "GET", "/checkpoint", &[("if-none-match", &tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let larger = grow(&session, size + 5).await;
    let (_, next) = published(&world, larger);
    assert!(next.size > head.size);
    assert_eq!(ask(&base, "GET", "/checkpoint", &[("if-none-match", &tag)]).status, 200);
    let request = v1::GetConsistencyProofRequest { old_size: head.size, new_size: next.size };
    let proof = session.anyone().log().get_consistency_proof(request).await.expect("a proof").into_inner();
    let path: Vec<[u8; 32]> = proof.path.into_iter().map(|hash| hash.try_into().expect("32 bytes")).collect();
    credit_log::consistency::verify(head.size, next.size, &path, &head.root, &next.root)
        .expect("one history");
}

#[tokio::test]
async fn bundles_are_negotiated_and_heads_have_no_body() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let size = grow(&session, 60).await;
    published(&world, size);
    let base = world.bank.public_log();
    let path = "/tile/entries/000.p/60";
    let plain = ask(&base, "GET", path, &[]);
    let zipped = ask(&base, "GET", path, &[("accept-encoding", "gzip")]);
    assert_eq!(zipped.headers["content-encoding"], "gzip");
    assert_eq!(
        (&plain.headers["vary"], &zipped.headers["vary"]),
        (&"accept-encoding".to_owned(), &"accept-encoding".to_owned())
    );
    assert!(zipped.body.len() < plain.body.len());
    assert_ne!(zipped.headers["etag"], plain.headers["etag"]);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(zipped.body.as_slice()).read_to_end(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain.body);
    // A client that unpacks by itself gets the same bytes.
    let mut response = agent().get(format!("{base}{path}")).call().expect("an answer");
    assert_eq!(response.body_mut().read_to_vec().expect("a body"), plain.body);
    let refused = ask(&base, "GET", path, &[("accept-encoding", "gzip;q=0, identity")]);
    assert_eq!(refused.body, plain.body);
    assert!(
        !ask(&base, "GET", "/tile/0/000.p/60", &[("accept-encoding", "gzip")])
            .headers
            .contains_key("content-encoding")
    );
    let head = ask(&base, "HEAD", path, &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "etag", "cache-control", "content-type"] {
        assert_eq!(head.headers[name], plain.headers[name], "{name}");
    }
    let tag = plain.headers["etag"].as_str();
    assert_eq!(ask(&base, "GET", path, &[("if-none-match", tag)]).status, 304);
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = ask(&base, method, path, &[]);
        assert_eq!((answer.status, answer.headers["allow"].as_str()), (405, "GET, HEAD"), "{method}");
    }
}

/// The size of the tiles is that of the published checkpoint, whatever has been signed since.
#[tokio::test]
async fn nothing_beyond_the_published_checkpoint_is_shown() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let account = session.account().await.account_ref;
    let base = world.bank.public_log();
    for _ in 0..40 {
        session.deposit(&world.school, &Draft::course(&account)).await;
        // The checkpoint before and after: in between it may have moved.
        let before = world.checkpoint(&String::from_utf8(get(&base, "/checkpoint")).unwrap()).size;
        let signed = session.size().await;
        let asked = ask(&base, "GET", &format!("/tile/0/000.p/{signed}"), &[]).status;
        let after = world.checkpoint(&String::from_utf8(get(&base, "/checkpoint")).unwrap()).size;
        match asked {
            200 => assert!(after >= signed),
            404 => assert!(before < signed),
            status => panic!("{status}"),
        }
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_or_never_ends_is_refused() {
    let world = World::start(&[]);
    let base = world.bank.public_log();
    for (bytes, status) in [(15 << 10, 200), (17 << 10, 431)] {
        let long = "x".repeat(bytes);
        assert_eq!(ask(&base, "GET", "/checkpoint", &[("x-long", &long)]).status, status, "{bytes}");
    }
    // Two more are sent with every request: host and connection.
    for (count, status) in [(62, 200), (63, 431)] {
        let names: Vec<String> = (0..count).map(|number| format!("x-{number}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        assert_eq!(ask(&base, "GET", "/checkpoint", &many).status, status, "{count}");
    }
    // A connection that says nothing is let go of in the end, and harms nobody meanwhile.
    let host = base.strip_prefix("http://").unwrap();
    let mut silent = TcpStream::connect(host).expect("a connection");
    silent.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    assert_eq!(ask(&base, "GET", "/checkpoint", &[]).status, 200);
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).expect("the connection is closed");
}

#[tokio::test]
async fn connections_are_bounded_and_the_next_one_waits_its_turn() {
    let world = World::start(&[]);
    let base = world.bank.public_log();
    let host = base.strip_prefix("http://").unwrap();
    let mut held: Vec<TcpStream> =
        (0..256).map(|_| TcpStream::connect(host).expect("a connection")).collect();
    // One that is taken answers; the system keeps the one too many until another has gone.
    let mut waiting = TcpStream::connect(host).expect("a connection");
    waiting.write_all(b"GET /checkpoint HTTP/1.1\r\nhost: log\r\n\r\n").expect("a request");
    waiting.set_read_timeout(Some(Duration::from_millis(300))).expect("a time-out");
    let mut byte = [0];
    assert!(waiting.read(&mut byte).is_err(), "it is not answered while all places are taken");
    held.pop();
    waiting.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    assert_eq!(waiting.read(&mut byte).expect("an answer"), 1);
    drop(held);
}

#[tokio::test]
async fn watchers_are_bounded_and_one_more_is_told_to_come_again() {
    let world = World::start(&[]);
    let mut watches = Vec::new();
    // A connection has 256 streams.
    let sessions = [Session::new(&world).await, Session::new(&world).await, Session::new(&world).await];
    for session in &sessions {
        for _ in 0..200 {
            let mut stub = session.anyone().log();
            match stub.watch_checkpoints(v1::WatchCheckpointsRequest {}).await {
                Ok(watch) => watches.push(watch.into_inner()),
                Err(status) => {
                    assert_eq!(watches.len(), 512);
                    assert_eq!(refused_by("BUSY", &status).code, Code::ResourceExhausted);
                }
            }
        }
    }
    assert_eq!(watches.len(), 512);
    watches.pop();
    let mut stub = sessions[2].anyone().log();
    wait_until("a place", async || stub.watch_checkpoints(v1::WatchCheckpointsRequest {}).await.ok()).await;
}

#[tokio::test]
async fn requests_are_counted_and_a_stop_ends_the_port() {
    let world = World::start(&[("metrics_listen", "127.0.0.1:0")]);
    let base = world.bank.public_log();
    for (path, times) in [("/checkpoint", 3), ("/tile/0/000.p/1", 2), ("/tile/0/000", 1), ("/nothing", 1)] {
        for _ in 0..times {
            ask(&base, "GET", path, &[]);
        }
    }
    let metrics = world.bank.metrics().expect("metrics are served");
    let page = String::from_utf8(get(metrics.strip_suffix("/metrics").unwrap(), "/metrics")).unwrap();
    for line in [
        "creditbank_log_requests_total{kind=\"checkpoint\",status=\"200\"} 3",
        "creditbank_log_requests_total{kind=\"tile\",status=\"200\"} 2",
        "creditbank_log_requests_total{kind=\"tile\",status=\"404\"} 1",
        "creditbank_log_requests_total{kind=\"other\",status=\"404\"} 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in\n{page}");
    }
    // A connection that is kept open without a request does not hold the server up.
    let host = base.strip_prefix("http://").unwrap();
    let idle = TcpStream::connect(host).expect("a connection");
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    drop(idle);
    assert!(TcpStream::connect(host).is_err(), "the port is closed");
}

#[tokio::test]
async fn the_public_log_can_be_turned_off() {
    let bank = crate::bank::Bank::new(&[]);
    let output = bank.run(&["config", "--set", "log_listen="]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("log_listen = \"\""),
        "{}",
        crate::bank::text(&output)
    );
    let output = bank.run(&["config", "--log-listen", "127.0.0.1:8080"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("log_listen = \"127.0.0.1:8080\""));
}

#[tokio::test]
async fn checkpoints_are_watched_as_they_are_published_until_the_server_stops() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let request = v1::WatchCheckpointsRequest {};
    let mut watch = session.anyone().log().watch_checkpoints(request).await.expect("a watch").into_inner();
    let mut slow = session.anyone().log().watch_checkpoints(request).await.expect("a watch").into_inner();
    let first = watch.message().await.expect("a checkpoint").expect("a checkpoint");
    let mut seen = world.checkpoint(&first.checkpoint).size;
    let mut at = first.published_at_us;
    let size = grow(&session, seen + 20).await;
    let mut told = 0;
    while seen < size {
        let next = watch.message().await.expect("a checkpoint").expect("a checkpoint");
        let head = world.checkpoint(&next.checkpoint);
        assert!(head.size >= seen, "no step back");
        assert!(
            next.published_at_us - at >= 900_000,
            "at most one a second: {} us",
            next.published_at_us - at
        );
        (seen, at, told) = (head.size, next.published_at_us, told + 1);
    }
    assert!(told >= 1);
    let client = crate::client::client_of(&world, &world.school);
    let mut followed = client.watch_checkpoints().await.expect("a watch");
    let head = followed.next().await.expect("a head").expect("a head");
    assert_eq!((head.size, head.root.0), (seen, session.head().await.root));
    world.bank.ask_to_stop();
    let status = watch.message().await.expect_err("the stream ends");
    assert_eq!(refused_by("STOPPING", &status).code, Code::Unavailable);
    assert!(matches!(followed.next().await, Err(credit_client::ClientError::Unavailable { .. })));
    // Who has not listened for long gets what was kept for them, and the end.
    while let Ok(Some(_)) = slow.message().await {}
    drop((watch, followed, slow, client));
    assert!(world.bank.wait().success(), "{}", world.bank.log());
}

#[tokio::test]
async fn a_follower_of_the_product_hears_of_new_entries() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let client = crate::client::client_of(&world, &world.school);
    let mut watch = client.watch_checkpoints().await.expect("a watch");
    let first = watch.next().await.expect("a head").expect("a head");
    let size = grow(&session, first.size + 2).await;
    let reached = wait_until("the head to be followed", async || {
        let next = watch.next().await.expect("a head").expect("a head");
        (next.size >= size).then_some(next)
    })
    .await;
    assert_eq!(reached.size, size);
    assert_eq!(client.seen().await.expect("a head").map(|head| head.size), Some(size));
}
