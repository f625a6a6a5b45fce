//! The format document is enough: its table of messages is the contract's, and a verifier in Python that was made from
//! the document alone agrees with ours about an export and a bundle, true and forged.

use crate::bank::text;
use crate::change::{BatchStream, RawBatch};
use crate::export::{Entry, Keys, entries, write};
use crate::institution::Institution;
use crate::python::{interpreter, workspace};
use crate::seed::{Random, seed};
use crate::session::{Session, World, hex, in_runtime};
use crate::statement::Draft;
use credit_log::hash::leaf_hash;
use credit_log::tree::root_of;
use credit_proto::schema::{Field, Kind, Label, MESSAGES};
use credit_proto::strict::{decode, encode};
use credit_proto::v1;
use credit_proto::v1::{KeyPurpose, RecordAction};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the verifier needs beside Python's own library.
const MODULES: &str = "import cryptography, tomllib";
/// Bytes of the export that are flipped; each takes a run of the verifier.
const EXPORT_FLIPS: usize = 60;
/// Bytes of a bundle that are flipped.
const BUNDLE_FLIPS: usize = 60;

/// The lines of section 13 by the name before them.
fn section_13() -> BTreeMap<String, String> {
    let document =
        fs::read_to_string(workspace().join("docs/reference/log-format.md")).expect("the document");
    let section = document.split_once("\n## 13. Messages\n").expect("section 13").1;
    let section = section.split_once("\n## ").expect("section 14").0;
    let joined = section.replace("\n        ", " ");
    let lines = joined.lines().filter_map(|line| line.strip_prefix("    ")?.split_once("  "));
    lines.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
}

fn described(field: &Field) -> String {
    let kind = match field.kind {
        Kind::Uint64 => "uint64",
        Kind::Uint32 => "uint32",
        Kind::Int64 => "int64",
        Kind::Int32 => "int32",
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Message(message) => message.name,
        Kind::Enum(_) => "",
    };
    let label = match field.label {
        Label::Repeated => "*",
        Label::Explicit if !matches!(field.kind, Kind::Message(_)) => "?",
        Label::Explicit | Label::Implicit => "",
    };
    format!("{} {} {kind}{label}", field.number, field.name)
}

#[test]
fn the_documents_table_of_messages_is_the_contracts() {
    let table = section_13();
    for message in MESSAGES {
        let told: Vec<&str> = table[message.name].split(", ").collect();
        assert_eq!(told.len(), message.fields.len(), "{}", message.name);
        for (told, field) in told.into_iter().zip(message.fields) {
            let Kind::Enum(numbers) = field.kind else {
                assert_eq!(told, described(field), "{}", message.name);
                continue;
            };
            let words: Vec<&str> = told.split(' ').collect();
            assert_eq!(words[..2].join(" "), format!("{} {}", field.number, field.name), "{}", message.name);
            let values = table[words[2].trim_end_matches('*')].split(", ");
            let known: Vec<i32> = values
                .map(|value| value.split(' ').next().unwrap_or_default().parse().expect("a number"))
                .collect();
            assert_eq!(known, numbers, "{}.{}", message.name, field.name);
        }
    }
    let enums = table.keys().filter(|name| !MESSAGES.iter().any(|message| message.name == **name)).count();
    assert!(enums > 20, "{enums} enums");
}

/// Runs the verifier; gives what it says, and its exit code.
fn verify(python: &str, world: &World, what: &str, path: &Path) -> (Value, i32) {
    let mut command = Command::new(python);
    command.arg(workspace().join("tests/verifier/verify.py")).arg(what).arg(path);
    command.arg("--trust").arg(world.bank.home().join("trust.toml")).stdin(Stdio::null());
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("Python runs");
    let told = serde_json::from_slice(&output.stdout);
    (told.unwrap_or_else(|error| panic!("{error}: {}", text(&output))), output.status.code().expect("a code"))
}

/// What a bank lives through: single records, batches, corrections, changes of status, keys that come and go.
async fn live(session: &Session<'_>) -> Vec<v1::RecordView> {
    let (world, account) = (session.world, session.account().await.account_ref);
    let school = &world.school;
    let drafts: Vec<Draft> = (0..5).map(|_| Draft::course(&account)).collect();
    for draft in &drafts {
        session.deposit(school, draft).await;
    }
    let id = |number: usize| drafts[number].facts.record_id.clone();
    session.record_must(school, &id(0), RecordAction::Revoke).await;
    session.record_must(school, &id(1), RecordAction::Suspend).await;
    session.record_must(school, &id(1), RecordAction::Reinstate).await;
    session.record_must(school, &id(2), RecordAction::Suspend).await;
    session.correct(school, &id(3), &Draft::course(&account)).await.expect("a correction");
    // A batch of which one leaf is refused, and one that is left open.
    let mut many: Vec<Draft> = (0..70).map(|_| Draft::course(&account)).collect();
    many[3] = many[3].clone().amount("T_XF", 1);
    let batch = RawBatch::of_records(session, school, many).await;
    let (mut stream, _) = BatchStream::open(session, school, batch.start()).await.expect("a batch");
    for chunk in 0..batch.chunks() {
        stream.chunk(batch.chunk(chunk)).await.expect("a chunk");
    }
    stream.end().await.expect("the stream ends");
    let open = RawBatch::of_records(session, school, vec![Draft::course(&account)]).await;
    BatchStream::open(session, school, open.start()).await.expect("a batch");
    // Keys.
    let other = Institution::school();
    session.admit(&other).await;
    let second = other.spare_key("second");
    session.add_key(&other, &second, KeyPurpose::Records).await;
    session.deposit(&other, &Draft::course(&account)).await;
    let keeper = other.key(KeyPurpose::Keys);
    session.retire_key(&other, &keeper, &other.key(KeyPurpose::Records)).await.expect("a retirement");
    let active = session.key(&second).await.active_from_index;
    session.report_key(&other, &second, active).await.expect("a report");
    let first = other.key(KeyPurpose::Records);
    let active = session.key(&first).await.active_from_index;
    session.report_key(&other, &first, active).await.expect("a report");
    session.account_must(&account, v1::AccountAction::Suspend).await;
    session.account_must(&account, v1::AccountAction::Reinstate).await;
    let request = v1::ListRecordsRequest {
        account_ref: account,
        page_size: 1_000,
        with_details: true,
        ..v1::ListRecordsRequest::default()
    };
    session.auditor().records().list_records(request).await.expect("records").into_inner().records
}

#[test]
fn a_verifier_made_from_the_document_agrees_about_an_export() {
    let Some(python) = interpreter(MODULES, "cryptography, or is older than 3.11") else { return };
    let world = World::start(&[]);
    let (records, log) = in_runtime(async {
        let session = Session::new(&world).await;
        let records = live(&session).await;
        (records, entries(&session).await)
    });
    let (keys, folder) = (Keys::of(&world), world.bank.folder().join("export"));
    let secrets: Vec<(u64, v1::OpenedSecret)> =
        records.iter().map(|record| (record.index, record.opened.clone().expect("details"))).collect();
    write(&folder, &keys, &log, &secrets);
    let (told, code) = verify(&python, &world, "export", &folder);
    assert_eq!(code, 0, "{told}");
    let leaves: Vec<[u8; 32]> = log.iter().map(|entry| leaf_hash(&entry.core)).collect();
    assert_eq!(
        (told["size"].as_u64(), &told["root"]),
        (Some(log.len() as u64), &hex(&root_of(&leaves)).into())
    );
    assert_eq!(told["records"].as_u64(), Some(records.len() as u64));
    assert_eq!(told["details"].as_u64(), Some(records.len() as u64));
    println!("{told}");
    lies(&python, &world, &keys, &log);
    write(&folder, &keys, &log, &secrets);
    flips(&python, &world, &folder);
    exported(&python, &world, &told);
}

/// What the product itself exports is read as well, without details and with them.
fn exported(python: &str, world: &World, told: &Value) {
    assert!(world.bank.stop().success(), "{}", world.bank.log());
    for (option, details) in [(None, &Value::from(0)), (Some("--details"), &told["details"])] {
        let folder = world.bank.folder().join(option.unwrap_or("bare"));
        let path = folder.to_string_lossy();
        let arguments: Vec<&str> = ["export", &path].into_iter().chain(option).collect();
        world.bank.must(&arguments);
        let (again, code) = verify(python, world, "export", &folder);
        assert_eq!(code, 0, "{again}");
        assert_eq!((&again["size"], &again["root"]), (&told["size"], &told["root"]));
        assert_eq!((&again["records"], &again["details"]), (&told["records"], details));
    }
}

/// Flips bytes of an export, in each file and by chance.
fn flips(python: &str, world: &World, folder: &Path) {
    let mut random = Random::new(seed("a_verifier_made_from_the_document_agrees_about_an_export"));
    let mut files = Vec::new();
    for name in
        ["manifest", "checkpoint", "entries/000000000000", "entries/000000000016", "details/000000000000"]
    {
        files.push(folder.join(name));
    }
    for number in 0..EXPORT_FLIPS {
        let path = files.iter().cycle().nth(number).expect("a file");
        let good = fs::read(path).expect("a file");
        let mut bent = good.clone();
        let at = usize::try_from(random.below(bent.len() as u64)).expect("a place");
        bent[at] ^= 1 << random.below(8);
        fs::write(path, &bent).expect("a file");
        let (told, code) = verify(python, world, "export", folder);
        assert_eq!(code, 3, "byte {at} of {}: {told}", path.display());
        fs::write(path, good).expect("a file");
    }
    fs::write(folder.join("entries/999999999999"), b"x").expect("a file");
    assert_eq!(verify(python, world, "export", folder).1, 3);
    fs::remove_file(folder.join("entries/999999999999")).expect("a file");
    assert_eq!(verify(python, world, "export", folder).1, 0);
}

/// The number of the first part of an entry of this kind.
fn first_part(entry: &Entry, kind: u8) -> usize {
    entry.parts.iter().position(|part| part[0] == kind).expect("a part")
}

/// The index of the first entry with an event of this kind.
fn first_event(log: &[Entry], kind: v1::EventKind) -> usize {
    let is = |part: &Vec<u8>| {
        part[0] == 4 && decode::<v1::Event>(&part[1..]).is_ok_and(|e| e.kind == i32::from(kind))
    };
    log.iter().position(|entry| entry.parts.iter().any(is)).expect("such an event")
}

/// Changes the first event of an entry.
fn event(entry: &mut Entry, change: &dyn Fn(&mut v1::Event)) {
    let at = first_part(entry, 4);
    let mut event: v1::Event = decode(&entry.parts[at][1..]).expect("an event");
    change(&mut event);
    entry.parts[at] = [vec![4], encode(&event)].concat();
}

/// What the bank itself rewrites, with every hash made again and every signature of its own: the first entry that is
/// wrong is named.
fn lies(python: &str, world: &World, keys: &Keys, log: &[Entry]) {
    let folder = world.bank.folder().join("lies");
    let caught = |what: &str, entries: &[Entry], index: usize, rule: &str| {
        write(&folder, keys, entries, &[]);
        let (told, code) = verify(python, world, "export", &folder);
        assert_eq!(code, 3, "{what}: {told}");
        assert_eq!(
            (told["first_bad_index"].as_u64(), &told["rule"]),
            (Some(index as u64), &rule.into()),
            "{what}: {told}"
        );
    };
    let deposit = first_event(log, v1::EventKind::RecordDeposited);
    let with = |index: usize, change: &dyn Fn(&mut Entry)| {
        let mut bent = log.to_vec();
        change(&mut bent[index]);
        bent[index] = bent[index].clone().recommitted();
        bent
    };
    let more = with(deposit, &|entry| {
        event(entry, &|event| {
            event.record_deposited.as_mut().expect("a deposit").postings[0].credits_milli += 500;
        });
    });
    caught("more credits", &more, deposit, "EVENTS_WRONG");
    let forged = with(deposit, &|entry| {
        let at = first_part(entry, 3);
        let mut part: v1::StatementPart = decode(&entry.parts[at][1..]).expect("a statement");
        part.envelope.as_mut().expect("an envelope").signatures[0].signature[3] ^= 1;
        entry.parts[at] = [vec![3], encode(&part)].concat();
    });
    caught("a forged signature", &forged, deposit, "SIGNATURE_INVALID");
    let gap = with(deposit, &|entry| {
        let at = first_part(entry, 2);
        let mut link: v1::Link = decode(&entry.parts[at][1..]).expect("a link");
        link.sequence += 1;
        entry.parts[at] = [vec![2], encode(&link)].concat();
    });
    caught("a gap in a chain", &gap, deposit, "LINK_WRONG");
    let mut dropped = log.to_vec();
    dropped.remove(deposit);
    caught("a dropped entry", &dropped, deposit, "INDEX_WRONG");
    let mut swapped = log.to_vec();
    swapped.swap(deposit, deposit + 1);
    caught("two entries swapped", &swapped, deposit, "INDEX_WRONG");
    let mut uncommitted = log.to_vec();
    uncommitted[deposit].parts[1].push(0);
    caught("parts that are not committed to", &uncommitted, deposit, "PARTS_ROOT_WRONG");
    let chunk = first_event(log, v1::EventKind::BatchChunk);
    let hoarded = with(chunk, &|entry| {
        event(entry, &|event| event.batch_chunk.as_mut().expect("a chunk").path[0][0] ^= 1);
    });
    caught("another way of a chunk", &hoarded, chunk, "CHUNK_ROOT_WRONG");
    let status = first_event(log, v1::EventKind::RecordStatusChanged);
    let moved = with(status, &|entry| {
        event(entry, &|event| {
            event.record_status_changed.as_mut().expect("a change").postings[0].to =
                v1::Bucket::Redeemed.into();
        });
    });
    caught("credits that go elsewhere", &moved, status, "EVENTS_WRONG");
    let mut genesis = log.to_vec();
    genesis[0].secret[0] ^= 1;
    genesis[0] = genesis[0].clone().recommitted();
    caught("another log", &genesis, 0, "LOG_ID_WRONG");
}

#[test]
fn a_verifier_made_from_the_document_agrees_about_a_bundle() {
    let Some(python) = interpreter(MODULES, "cryptography, or is older than 3.11") else { return };
    let world = World::start(&[]);
    let (bundles, suspect) = in_runtime(async {
        let session = Session::new(&world).await;
        let records = live(&session).await;
        let mut bundles = Vec::new();
        for record in records.iter().filter(|record| record.issuer_id == world.school.id) {
            bundles.push((record.status(), bundle(&session, record).await));
        }
        let other =
            records.iter().find(|record| record.issuer_id != world.school.id).expect("another's record");
        (bundles, bundle(&session, other).await)
    });
    let path = world.bank.folder().join("a.bundle");
    let mut seen = BTreeSet::new();
    // One of each status and way in is enough: the way is told by whether there is a manifest.
    for (status, bytes) in &bundles {
        let leaf = bytes.windows(7).any(|window| window == b"\nbatch ");
        if !seen.insert((status.as_str_name(), leaf)) {
            continue;
        }
        fs::write(&path, bytes).expect("a file");
        let (told, code) = verify(&python, &world, "bundle", &path);
        let valid = *status == v1::RecordStatus::Valid;
        assert_eq!(code, i32::from(!valid), "{told}");
        assert_eq!(told["status"], status.as_str_name().trim_start_matches("RECORD_STATUS_"), "{told}");
        assert_eq!(told["manifest_index"].is_u64(), leaf, "{told}");
        assert_eq!(told["title"]["en"], "Basic accounting");
    }
    assert!(seen.len() >= 5, "{seen:?}");
    agree(&python, &world, &bundles, &suspect);
    let good = &bundles.last().expect("a bundle").1;
    let mut random = Random::new(seed("a_verifier_made_from_the_document_agrees_about_a_bundle"));
    for _ in 0..BUNDLE_FLIPS {
        let mut bent = good.clone();
        let at = usize::try_from(random.below(bent.len() as u64)).expect("a place");
        bent[at] ^= 1 << random.below(8);
        fs::write(&path, &bent).expect("a file");
        let (told, code) = verify(&python, &world, "bundle", &path);
        assert_eq!(code, 3, "byte {at}: {told}");
    }
}

async fn bundle(session: &Session<'_>, record: &v1::RecordView) -> Vec<u8> {
    let request = v1::GetRecordBundleRequest {
        issuer_id: record.issuer_id.clone(),
        record_id: record.facts.clone().expect("facts").record_id,
        disclose_details: true,
    };
    session.auditor().records().get_record_bundle(request).await.expect("a bundle").into_inner().bundle
}

/// Forgeries that the bank itself signs for: both verifiers find the same rule broken.
fn agree(python: &str, world: &World, bundles: &[(v1::RecordStatus, Vec<u8>)], suspect: &[u8]) {
    let keys = Keys::of(world);
    let text = fs::read_to_string(world.bank.home().join("trust.toml")).expect("a trust file");
    let trust = credit_client::parse_trust(&text).expect("a trust file");
    let path = world.bank.folder().join("forged.bundle");
    let both = |what: &str, bytes: &[u8]| {
        let ours = match credit_verify::verify_bundle(bytes, &trust) {
            Err(credit_verify::BundleFault::Broken { rule, .. }) => rule.code(),
            other => panic!("{what}: {other:?}"),
        };
        fs::write(&path, bytes).expect("a file");
        let (told, code) = verify(python, world, "bundle", &path);
        assert_eq!((code, told["rule"].as_str()), (3, Some(ours)), "{what}: {told}");
    };
    both("a reported key", suspect);
    let valid: Vec<&Vec<u8>> = bundles
        .iter()
        .filter(|(status, _)| *status == v1::RecordStatus::Valid)
        .map(|(_, bytes)| bytes)
        .collect();
    let (good, other) = (files(valid[0]), files(valid[1]));
    for name in good.keys().filter(|name| *name != "manifest") {
        let without = good.iter().filter(|(kept, _)| *kept != name);
        let without: BTreeMap<String, Vec<u8>> = without.map(|(k, v)| (k.clone(), v.clone())).collect();
        if name != "details" {
            both(&format!("{name} left out"), &keys.bundle(without.clone()));
        }
        let exchanged = other.get(name).filter(|bytes| Some(*bytes) != good.get(name));
        if let Some(bytes) = exchanged {
            let with = without.into_iter().chain([(name.clone(), bytes.clone())]).collect();
            both(&format!("another's {name}"), &keys.bundle(with));
        }
        let mut bent = good.clone();
        bent.insert("zz".to_owned(), good[name].clone());
        both("a file too many", &keys.bundle(bent));
    }
}

/// The files of a bundle.
fn files(bundle: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let files = credit_log::container::parse(bundle).expect("a container");
    files.into_iter().map(|file| (file.name.to_owned(), file.bytes.to_vec())).collect()
}
