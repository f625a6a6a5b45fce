//! A disk that fails: strace makes a call of the running server fail from some moment on.

use crate::bank::Bank;
use crate::load::{Load, Place, Write, block_on, send};
use crate::require::can_trace;
use crate::session::{Session, World, refused_by, wait_until};
use credit_proto::v1;
use std::sync::atomic::AtomicU64;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Writes until the failure at most.
const WRITES_MAX: usize = 200;

/// A call that fails from some time on.
#[derive(Debug, Clone, Copy)]
struct Fault {
    file: &'static str,
    call: &'static str,
    error: &'static str,
    when: u32,
    /// Whether the engine itself meets it. It then refuses to read what its last step left half done: such a read is
    /// answered UNAVAILABLE, never with anything else.
    in_engine: bool,
}

const fn fault(
    file: &'static str,
    call: &'static str,
    error: &'static str,
    when: u32,
    in_engine: bool,
) -> Fault {
    Fault { file, call, error, when, in_engine }
}

/// The faults. Of each group the engine writes its main file twice at least, on threads of its own.
const FAULTS: [Fault; 7] = [
    fault("store/db", "pwrite64", "ENOSPC", 25, true),
    fault("store/db", "pwrite64", "EIO", 26, true),
    fault("store/db", "sync_file_range", "EIO", 14, true),
    fault("store/db", "sync_file_range", "EIO", 15, true),
    fault("store/db", "fdatasync", "EIO", 12, false),
    fault("high-water", "fdatasync", "EIO", 12, false),
    fault("high-water", "pwrite64", "ENOSPC", 12, false),
];

/// After a write or a sync has failed nothing more is acknowledged; reads go on; after a restart everything that was
/// answered is there, and what was in doubt is recorded once.
#[test]
fn after_a_failed_write_nothing_is_acknowledged() {
    if !can_trace() {
        return;
    }
    let world = World::start(&[]);
    for fault in FAULTS {
        println!("{fault:?}");
        assert!(world.bank.stop().success(), "{}", world.bank.log());
        let Fault { file, call, error, when, in_engine } = fault;
        let mut command = world.bank.command_of("strace");
        let path = world.bank.home().join("ledger").join(file);
        command.args(["-D", "-f", "-q", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={call}:error={error}:when={when}+"), "-P"]).arg(path);
        command.arg("--").arg(Bank::BINARY);
        world.bank.launch(command, &[]).unwrap_or_else(|log| panic!("{fault:?}: {log}"));
        let (places, doubtful) = block_on(until_it_fails(&world, in_engine));
        world.bank.kill9();
        world.bank.serve();
        block_on(settle(&world, &places, &doubtful));
    }
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    world.bank.must(&["verify"]);
    world.bank.must(&["rebuild", "--check"]);
}

/// Writes until one fails, looks at what goes on afterwards; gives what was answered and what was not.
async fn until_it_fails(world: &World, in_engine: bool) -> (Vec<(Write, Place)>, Vec<Write>) {
    let session = Session::new(world).await;
    let account = session.account().await;
    let load = Load { world, account, anchor: session.head().await, answers: AtomicU64::new(0) };
    let mut places = Vec::new();
    let failed = loop {
        let write = Write::Record(load.record());
        match send(&session, &write).await {
            Ok(position) => places.push((write, Place { index: position.index, leaf: position.leaf_hash })),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                refused_by("OUTCOME_UNKNOWN", &status);
                break write;
            }
        }
        assert!(places.len() < WRITES_MAX, "no write fails");
    };
    let mut doubtful = vec![failed];
    for _ in 0..5 {
        let write = Write::Record(load.record());
        let status = send(&session, &write).await.expect_err("nothing more is acknowledged");
        refused_by("STORE_FAILED", &status);
        doubtful.push(write);
    }
    let head = session.head().await;
    assert_eq!(head.size, places.last().map_or(head.size, |(_, place)| place.index + 1));
    let (genesis, last) = (0, places.len().saturating_sub(3));
    for index in [genesis].into_iter().chain(places[last..].iter().map(|(_, place)| place.index)) {
        let request = v1::GetReceiptRequest { index };
        match session.auditor().log().get_receipt(request).await {
            Ok(answer) => {
                let (proved, leaf) = world.proved(&answer.into_inner().receipt.expect("a receipt"));
                assert_eq!(proved, index);
                let told = places.iter().find(|(_, place)| place.index == index);
                assert!(told.is_none_or(|(_, place)| place.leaf == leaf), "entry {index} is another");
            }
            Err(status) => {
                assert!(in_engine, "entry {index}: {status:?}");
                assert_eq!(refused_by("FAULT", &status).code, Code::Unavailable);
            }
        }
    }
    let mut health = HealthClient::new(session.channel());
    let record_service = HealthCheckRequest { service: "creditbank.v1.RecordService".to_owned() };
    let unhealthy = async || {
        let answer = health.check(record_service.clone()).await.expect("a health").into_inner();
        (answer.status == i32::from(ServingStatus::NotServing)).then_some(())
    };
    wait_until("the health to say so", unhealthy).await;
    (places, doubtful)
}

async fn settle(world: &World, places: &[(Write, Place)], doubtful: &[Write]) {
    let session = Session::new(world).await;
    for (write, place) in places {
        let position = send(&session, write).await.expect("the same is taken again");
        assert!(position.replayed && position.index == place.index && position.leaf_hash == place.leaf);
    }
    for write in doubtful {
        let position = send(&session, write).await.expect("what was in doubt is taken");
        let again = send(&session, write).await.expect("the same is taken again");
        assert!(again.replayed && again.index == position.index);
    }
}
