//! A disk that fails: strace makes a call of the running server fail from some moment on.

use crate::bank::Bank;
use crate::load::{Load, Place, Write, block_on, send};
use crate::require::can_trace;
use crate::session::{Session, World, refused_by, wait_until};
use credit_proto::v1;
use prost::Message as _;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use tonic::{Code, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Writes until the failure at most.
const WRITES_MAX: usize = 400;

/// The file of keys, which only openings write.
const KEYS: &str = "keyring/00000000.records";

/// A call that fails from some time on.
#[derive(Debug, Clone, Copy)]
struct Fault {
    file: &'static str,
    call: &'static str,
    error: &'static str,
    when: u32,
    /// Whether the engine itself meets it. It may then refuse to read what its last step left half done: such a read
    /// is answered UNAVAILABLE, never with anything that is not true.
    in_engine: bool,
    /// Whether the writes want a receipt, and are answered once a head over them is signed.
    want_receipt: bool,
}

const fn fault(
    file: &'static str,
    call: &'static str,
    error: &'static str,
    when: u32,
    in_engine: bool,
) -> Fault {
    Fault { file, call, error, when, in_engine, want_receipt: false }
}

/// The same fault for writes that want a receipt.
const fn of_receipts(fault: Fault) -> Fault {
    Fault { want_receipt: true, ..fault }
}

/// The file of signed heads. A group is durable before its head is written there, and who wants no receipt is answered.
const MARK: &str = "high-water";
/// The store's journal, of which the file that is written next is only known when the server starts.
const JOURNAL: &str = "store/journal.";
/// How many frames more than is known the journal may have.
const FRAMES_MAX: u64 = 1_000;

/// The faults. Groups go into the journal; the other files of the store, and the engine, are written when they settle,
/// which may happen once while the server starts.
const FAULTS: [Fault; 14] = [
    fault(JOURNAL, "pwrite64", "ENOSPC", 12, false),
    fault(JOURNAL, "pwrite64", "EIO", 13, false),
    fault(JOURNAL, "fdatasync", "EIO", 12, false),
    fault("store/blocks", "pwrite64", "ENOSPC", 2, false),
    fault("store/blocks", "fdatasync", "EIO", 3, false),
    fault("store/pages", "pwrite64", "EIO", 12, false),
    fault("store/db", "pwrite64", "ENOSPC", 3, true),
    fault("store/db", "fdatasync", "EIO", 3, true),
    fault(MARK, "fdatasync", "EIO", 12, false),
    fault(MARK, "pwrite64", "ENOSPC", 12, false),
    of_receipts(fault(JOURNAL, "fdatasync", "EIO", 14, false)),
    of_receipts(fault(MARK, "fdatasync", "EIO", 12, false)),
    of_receipts(fault(MARK, "pwrite64", "ENOSPC", 12, false)),
    fault(KEYS, "fdatasync", "EIO", 4, false),
];

/// After a write or a sync has failed nothing more is acknowledged; reads go on as of the last signed head, which what was
/// answered as durable while that head's successor failed is not under; after a restart everything that was answered is there, and what was in doubt is recorded once.
#[test]
fn after_a_failed_write_nothing_is_acknowledged() {
    if !can_trace() {
        return;
    }
    let world = World::start(&[("rows_bytes", "65536")]);
    for fault in FAULTS {
        println!("{fault:?}");
        assert!(world.bank.stop().success(), "{}", world.bank.log());
        let Fault { file, call, error, when, in_engine: _, want_receipt: _ } = fault;
        let mut command = world.bank.command_of("strace");
        command.args(["-D", "-f", "-q", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={call}:error={error}:when={when}+")]);
        for path in paths(&world.bank.home().join("ledger"), file) {
            command.arg("-P").arg(path);
        }
        command.arg("--").arg(Bank::BINARY);
        world.bank.launch(command, &[]).unwrap_or_else(|log| panic!("{fault:?}: {log}"));
        let (places, doubtful) = block_on(until_it_fails(&world, fault));
        world.bank.kill9();
        world.bank.serve();
        block_on(settle(&world, &places, &doubtful));
    }
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    world.bank.must(&["verify"]);
    world.bank.must(&["rebuild", "--check"]);
}

/// The paths that a file may have: one, but of the journal those of all segments that the server may begin.
fn paths(ledger: &Path, file: &str) -> Vec<PathBuf> {
    if file != JOURNAL {
        return vec![ledger.join(file)];
    }
    let names = fs::read_dir(ledger.join("store")).expect("a folder");
    let names = names.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let numbers = names.filter_map(|name| name.strip_prefix("journal.")?.parse::<u64>().ok());
    let newest = numbers.max().expect("a journal");
    (newest..newest + FRAMES_MAX).map(|number| ledger.join(format!("{file}{number:020}"))).collect()
}

/// Writes until one fails, looks at what goes on afterwards; gives what was answered and what was not.
async fn until_it_fails(world: &World, fault: Fault) -> (Vec<(Write, Place)>, Vec<Write>) {
    let Fault { file, call: _, error: _, when: _, in_engine, want_receipt } = fault;
    let session = Session::new(world).await;
    let account = session.account().await;
    let account_ref = account.account_ref.clone();
    let load = Load { world, account, anchor: session.head().await, answers: AtomicU64::new(0) };
    let mut places = Vec::new();
    let unsigned = file == MARK && !want_receipt;
    let record = || Write::Record(v1::SubmitRecordRequest { want_receipt, ..load.record() });
    let failed = loop {
        let write = if file == KEYS { Write::Opening(load.opening()) } else { record() };
        match send(&session, &write).await {
            Ok(position) => places.push((write, Place { index: position.index, leaf: position.leaf_hash })),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                refused_by(if unsigned { "STORE_FAILED" } else { "OUTCOME_UNKNOWN" }, &status);
                break write;
            }
        }
        assert!(places.len() < WRITES_MAX, "no write fails");
    };
    let mut doubtful = vec![failed];
    for _ in 0..5 {
        let write = record();
        let status = send(&session, &write).await.expect_err("nothing more is acknowledged");
        refused_by("STORE_FAILED", &status);
        doubtful.push(write);
    }
    let head = session.head().await;
    let shown = &places[..places.len() - usize::from(unsigned)];
    assert_eq!(head.size, shown.last().map_or(head.size, |(_, place)| place.index + 1));
    let (genesis, last) = (0, shown.len().saturating_sub(3));
    for index in [genesis].into_iter().chain(shown[last..].iter().map(|(_, place)| place.index)) {
        let request = v1::GetReceiptRequest { index };
        let Some(answer) = read(session.auditor().log().get_receipt(request).await, in_engine) else {
            continue;
        };
        let (proved, leaf) = world.proved(&answer.receipt.expect("a receipt"));
        assert_eq!(proved, index);
        let told = places.iter().find(|(_, place)| place.index == index);
        assert!(told.is_none_or(|(_, place)| place.leaf == leaf), "entry {index} is another");
    }
    reads_are_as_of_the_head(&session, &account_ref, shown, &doubtful[0], in_engine).await;
    let mut health = HealthClient::new(session.channel());
    let record_service = HealthCheckRequest { service: "creditbank.v1.RecordService".to_owned() };
    let unhealthy = async || {
        let answer = health.check(record_service.clone()).await.expect("a health").into_inner();
        (answer.status == i32::from(ServingStatus::NotServing)).then_some(())
    };
    wait_until("the health to say so", unhealthy).await;
    (places, doubtful)
}

/// The answer of a read; `None` where the engine refused it, which it may only if it has itself met the fault.
fn read<T>(outcome: Result<Response<T>, Status>, in_engine: bool) -> Option<T> {
    match outcome {
        Ok(answer) => Some(answer.into_inner()),
        Err(status) => {
            assert!(in_engine, "{status:?}");
            assert_eq!(refused_by("FAULT", &status).code, Code::Unavailable);
            None
        }
    }
}

/// The id of a record; `None` of an opening.
fn record_id(write: &Write) -> Option<Vec<u8>> {
    let Write::Record(request) = write else { return None };
    let payload = request.envelope.as_ref().expect("an envelope").payload.as_slice();
    Some(v1::RecordFacts::decode(payload).expect("facts").record_id)
}

/// Every view of the account knows exactly what was answered: nothing of the group that failed.
async fn reads_are_as_of_the_head(
    session: &Session<'_>,
    account: &[u8],
    places: &[(Write, Place)],
    failed: &Write,
    in_engine: bool,
) {
    let (head, auditor) = (session.head().await, session.auditor());
    let ids: BTreeSet<Vec<u8>> = places.iter().filter_map(|(write, _)| record_id(write)).collect();
    let count = ids.len();
    let request = v1::GetAccountRequest { account_ref: account.to_vec() };
    if let Some(answer) = read(auditor.accounts().get_account(request).await, in_engine) {
        let view = answer.account.expect("an account");
        assert_eq!(usize::try_from(view.records).expect("a count"), count);
        assert_eq!(usize::try_from(view.last_sequence).expect("a count"), count + 1);
    }
    let request = v1::GetBalanceRequest {
        account_ref: account.to_vec(),
        want_signed: true,
        ..v1::GetBalanceRequest::default()
    };
    if let Some(answer) = read(auditor.accounts().get_balance(request).await, in_engine) {
        let balance = answer.balance.expect("a balance");
        let milli: i64 = balance.lines.iter().map(|line| line.credits_milli).sum();
        assert_eq!(milli, 2_500 * i64::try_from(count).expect("a count"));
        let stated = balance.head.expect("a head");
        assert_eq!((stated.size, stated.root.as_slice()), (head.size, head.root.as_slice()));
        assert!(session.world.proved(&answer.receipt.expect("a receipt")).0 < head.size);
    }
    let request = v1::ListPostingsRequest {
        account_ref: account.to_vec(),
        page_size: 1_000,
        page_token: String::new(),
    };
    if let Some(answer) = read(auditor.accounts().list_postings(request).await, in_engine) {
        assert_eq!((answer.links.len(), answer.next_page_token.as_str()), (count + 1, ""));
        assert!(answer.links.iter().all(|link| link.index < head.size));
    }
    let request = v1::ListRecordsRequest {
        account_ref: account.to_vec(),
        page_size: 1_000,
        page_token: String::new(),
        with_details: true,
    };
    if let Some(answer) = read(auditor.records().list_records(request).await, in_engine) {
        let listed: BTreeSet<Vec<u8>> =
            answer.records.into_iter().map(|record| record.facts.expect("facts").record_id).collect();
        assert_eq!(listed, ids);
    }
    let Some(record_id) = record_id(failed) else { return };
    let request = v1::GetRecordRequest { issuer_id: session.world.school.id.clone(), record_id };
    let status = auditor.records().get_record(request).await.expect_err("it was not answered");
    if status.code() == Code::NotFound {
        refused_by("RECORD_UNKNOWN", &status);
    } else {
        read::<v1::GetRecordResponse>(Err(status), in_engine);
    }
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
