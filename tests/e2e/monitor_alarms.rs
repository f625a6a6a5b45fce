//! What a monitor tells besides contradictions: silence, standstill, missing witnesses, bent files, statements that are
//! withheld; and that what it tells arrives.

use crate::bank::wait_for;
use crate::monitor::{Running, alarm, home_of, once};
use crate::publish::{Files, publish, shown, world_of};
use crate::session::{Session, in_runtime};
use crate::statement::envelope;
use credit_log::cosignature::CosignerKey;
use credit_log::envelope::SigningKey;
use credit_proto::v1::KeyPurpose;
use credit_proto::{payload_type, v1};
use prost::Message as _;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

/// A listener that answers each request with the next of these statuses, then with 204, and passes on what came.
fn listener(statuses: &[u16]) -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/alarms", listener.local_addr().expect("an address"));
    let (to, documents) = channel();
    let statuses = statuses.to_vec();
    std::thread::spawn(move || {
        let mut statuses = statuses.into_iter();
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0usize);
            while reader.read_line(&mut line).unwrap_or(0) > 0 && line != "\r\n" {
                if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
                    length = told.trim().parse().expect("a length");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let status = statuses.next().unwrap_or(204);
            if status < 300 {
                // The test may have heard enough.
                let _ = to.send(serde_json::from_slice(&body).expect("JSON"));
            }
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).expect("an answer");
        }
    });
    (address, documents)
}

fn next(documents: &Receiver<Value>) -> Value {
    wait_for("a document", || documents.try_recv().ok())
}

#[test]
fn a_log_that_stands_still_or_is_silent_is_told() {
    let (world, size) = world_of(10);
    let mirror = world.bank.folder().join("mirror");
    publish(&world.bank, &mirror, &["--url", &world.bank.public_log()]);
    assert!(world.bank.stop().success());
    let home = home_of(&world.bank, "monitor-home");
    // The server has stopped, and its files are still served.
    let files = Files::serve(&mirror);
    let mut monitor = Running::start(&world.bank, &home, &files.address, &["--stalled-after", "2"]);
    let told = monitor.next("alarm");
    assert_eq!((&told["code"], &told["size"]), (&"STALLED".into(), &size.into()), "{told}");
    assert_eq!(monitor.ends(), Some(4));
    let home = home_of(&world.bank, "another-home");
    let mut monitor = Running::start(&world.bank, &home, "http://127.0.0.1:1", &["--unreachable-after", "1"]);
    let told = monitor.next("alarm");
    assert_eq!((&told["code"], &told["about"]), (&"UNREACHABLE".into(), &"log".into()), "{told}");
    assert_eq!(monitor.ends(), Some(4));
}

#[test]
fn a_bent_log_is_told_to_the_webhook_and_when_it_is_whole_again() {
    let (world, _) = world_of(10);
    let mirror = world.bank.folder().join("mirror");
    publish(&world.bank, &mirror, &["--url", &world.bank.public_log()]);
    let files = Files::serve(&mirror);
    let home = home_of(&world.bank, "monitor-home");
    // Nobody listens: what was to be told is kept.
    let note = std::fs::read_to_string(mirror.join("checkpoint")).expect("a note");
    std::fs::write(mirror.join("checkpoint"), note.replacen('\n', "x\n", 1)).expect("a file");
    let (code, lines) = once(&world.bank, &home, &files.address, &["--webhook", "http://127.0.0.1:1/"]);
    assert_eq!((code, &alarm(&lines)["code"]), (Some(3), &"CHECKPOINT_INVALID".into()), "{lines:?}");
    assert_eq!(lines.last().expect("a line")["undelivered"], 1, "{lines:?}");
    // Somebody listens, who is busy at first; the monitor goes on.
    let (address, documents) = listener(&[503, 500]);
    let monitor = Running::start(&world.bank, &home, &files.address, &["--webhook", &address]);
    let told = next(&documents);
    assert_eq!(
        (&told["event"], &told["code"], &told["delivery"]),
        (&"alarm".into(), &"CHECKPOINT_INVALID".into(), &1.into())
    );
    assert_eq!((&told["exit"], &told["origin"]), (&3.into(), &world.origin.as_str().into()), "{told}");
    std::fs::write(mirror.join("checkpoint"), &note).expect("a file");
    let told = next(&documents);
    assert_eq!((&told["event"], &told["code"]), (&"cleared".into(), &"CHECKPOINT_INVALID".into()), "{told}");
    drop(monitor);
    // A bundle that is bent: by who has not read it yet.
    let bundle =
        mirror.join("tile/entries").read_dir().expect("bundles").next().expect("one").expect("one").path();
    let bundle = if bundle.is_dir() {
        bundle.read_dir().expect("bundles").next().expect("one").expect("one").path()
    } else {
        bundle
    };
    let mut bytes = std::fs::read(&bundle).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&bundle, bytes).expect("a file");
    let home = home_of(&world.bank, "another-home");
    let (code, lines) = once(&world.bank, &home, &files.address, &[]);
    let told = alarm(&lines);
    assert_eq!((code, &told["code"], &told["rule"]), (Some(3), &"BAD_ENTRY".into(), &"ROOT_WRONG".into()));
    assert_eq!((&told["first_bad_index"], &told["scope"]), (&0.into(), &"CORES".into()));
}

#[test]
fn a_head_without_enough_witnesses_is_told() {
    let (world, _) = world_of(5);
    let home = home_of(&world.bank, "monitor-home");
    let key = CosignerKey::new("w.example/1", SigningKey::from_seed([7; 32]).public()).expect("a key").text();
    let policy = format!("witness_policy = '''\nwitness w1 {key}\nquorum w1\n'''\n");
    let trust = std::fs::read_to_string(home.join("trust.toml")).expect("a file") + &policy;
    std::fs::write(home.join("trust.toml"), trust).expect("a file");
    let url = world.bank.public_log();
    let (code, lines) = once(&world.bank, &home, &url, &[]);
    assert_eq!((code, &lines[0]["witnessed"]), (Some(0), &false.into()), "it has time: {lines:?}");
    let service = world.bank.endpoint();
    let more = ["--witnessed-within", "2", "--service", &service];
    let mut monitor = Running::start(&world.bank, &home, &url, &more);
    assert_eq!(monitor.next("alarm")["code"], "NOT_WITNESSED");
    assert_eq!(monitor.ends(), Some(4));
}

#[test]
fn a_statement_that_is_not_logged_is_told_and_one_that_is_logged_is_not() {
    let (world, _) = world_of(5);
    let home = home_of(&world.bank, "monitor-home");
    let sent = world.bank.folder().join("sent");
    std::fs::create_dir_all(&sent).expect("a folder");
    let school = &world.school;
    let (report, request) = in_runtime(async {
        let session = Session::new(&world).await;
        let status = school.key(KeyPurpose::Status);
        let report = v1::KeyCompromise {
            header: Some(session.header(&school.id).await),
            kid: status.public().kid().to_vec(),
            suspect_from_index: session.key(&status).await.active_from_index,
        };
        let by = school.key(KeyPurpose::Recovery);
        let signed = envelope(payload_type::KEY_COMPROMISE, report.encode_to_vec(), &[&by]);
        let bytes = signed.encode_to_vec();
        (bytes, v1::ReportKeyCompromiseRequest { envelope: Some(signed), want_receipt: true })
    });
    let file = sent.join("report");
    std::fs::write(&file, &report).expect("a file");
    std::fs::write(sent.join("note.txt"), "not a statement").expect("a file");
    let (url, service, folder) = (world.bank.public_log(), world.bank.endpoint(), shown(&sent));
    let token = world.bank.folder().join("token");
    std::fs::write(&token, world.auditor_token()).expect("a token");
    let token = shown(&token);
    // By what everybody may see, and by every entry.
    let public = ["--service", &service, "--statements", &folder, "--logged-within", "2"];
    let whole = [&public[..], &["--token-file", &token]].concat();
    let auditor = home_of(&world.bank, "auditor-home");
    for (home, more) in [(&home, &public[..]), (&auditor, &whole[..])] {
        let (code, lines) = once(&world.bank, home, &url, more);
        assert_eq!((code, lines.len()), (Some(0), 1), "it has time: {lines:?}");
        let mut monitor = Running::start(&world.bank, home, &url, more);
        let told = monitor.next("alarm");
        assert_eq!((&told["code"], &told["file"]), (&"WITHHELD".into(), &"report".into()), "{told}");
        assert_eq!(monitor.ends(), Some(1));
    }
    in_runtime(async {
        let session = Session::new(&world).await;
        let answer = session.anyone().registry().report_key_compromise(request).await.expect("a report");
        let index = answer.into_inner().position.expect("a position").index;
        crate::public_log::published(&world, index + 1);
    });
    for (home, more) in [(&home, &public[..]), (&auditor, &whole[..])] {
        let (code, lines) = once(&world.bank, home, &url, more);
        assert_eq!((code, &lines[0]["event"]), (Some(0), &"cleared".into()), "{lines:?}");
    }
}

/// What `institution` commands keep of what they sign is what the monitor reads.
#[test]
fn a_statement_that_was_kept_when_it_was_sent_is_found() {
    let office = crate::office::Office::open();
    office.issuer("cn.test.kept");
    let shown_key = office.json(0, &["institution", "show", "cn.test.kept"]);
    let kid = shown_key["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .find(|key| key["purposes"].to_string().contains("records"))
        .unwrap_or_else(|| panic!("{shown_key}"))["kid"]
        .as_str()
        .expect("a kid")
        .to_owned();
    let folder = office.path("kept");
    office.must(&["institution", "retire-key", "cn.test.kept", "--kid", &kid, "--keep-statement", &folder]);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1);
    let (url, service) = (office.bank.public_log(), office.bank.endpoint());
    let home = home_of(&office.bank, "monitor-home");
    let more = ["--service", &service, "--statements", &folder, "--logged-within", "1"];
    wait_for("the entry to be published", || {
        let (code, _) = once(&office.bank, &home, &url, &more);
        (code == Some(0)).then_some(code)
    });
    let state = home.join("monitor").read_dir().expect("a state").next().expect("one").expect("one").path();
    let state = std::fs::read(state.join("state.json")).expect("a file");
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    let handed = state["statements"].as_object().expect("statements").values().next().expect("one");
    assert!(handed["index"].is_u64(), "{state}");
}
