//! The public log as a folder: the same bytes as the server's, brought up to date, cut off and gone on with; and checked
//! over HTTP from whatever serves it.

use crate::bank::{Bank, text};
use crate::public_log::{get, grow, published};
use crate::session::{Session, World, in_runtime};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A world whose log has at least so many entries, all of them published; gives its size.
pub(crate) fn world_of(entries: u64) -> (World, u64) {
    let world = World::start(&[]);
    let size = in_runtime(async { grow(&Session::new(&world).await, entries).await });
    published(&world, size);
    (world, size)
}

/// Every file of a public log in a folder, by its path; what belongs to the writer aside.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(dir) = waiting.pop() {
        for item in std::fs::read_dir(&dir).expect("a folder") {
            let path = item.expect("an item").path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below").display().to_string();
            if name != ".publishing" && path.extension().is_none_or(|extension| extension != "part") {
                found.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

pub(crate) fn publish(bank: &Bank, folder: &Path, more: &[&str]) -> serde_json::Value {
    let folder = shown(folder);
    let arguments = [&["--output", "json", "publish", &folder], more].concat();
    serde_json::from_str(&bank.must(&arguments)).expect("JSON")
}

/// A web server that knows nothing but files.
pub(crate) struct Files {
    pub(crate) address: String,
}

impl Files {
    pub(crate) fn serve(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let folder = folder.to_path_buf();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let folder = folder.clone();
                std::thread::spawn(move || Self::connection(stream, &folder));
            }
        });
        Self { address }
    }

    fn connection(mut stream: TcpStream, folder: &Path) {
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let path = line.split(' ').nth(1).expect("a path").trim_start_matches('/').to_owned();
            while line != "\r\n" {
                line.clear();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
            }
            let found = std::fs::read(folder.join(path));
            let status = if found.is_ok() { "200 OK" } else { "404 Not Found" };
            let body = found.unwrap_or_default();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
            if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err() {
                return;
            }
        }
    }
}

/// What verifying over HTTP says, in a home that has nothing but the trust file.
fn verify(world: &World, home: &Path, url: &str) -> (Option<i32>, serde_json::Value) {
    std::fs::create_dir_all(home).expect("a folder");
    std::fs::copy(world.bank.home().join("trust.toml"), home.join("trust.toml")).expect("a trust file");
    let arguments = ["--home", &shown(home), "--output", "json", "verify", "--url", url];
    let output = world.bank.run(&arguments);
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    (output.status.code(), document)
}

#[test]
fn server_and_folder_have_the_same_bytes_from_either_source() {
    let (world, size) = world_of(520);
    let base = world.bank.public_log();
    let [mirror, folder] = ["mirror", "folder"].map(|name| world.bank.folder().join(name));
    let told = publish(&world.bank, &mirror, &["--url", &base]);
    assert_eq!((told["size"].as_u64(), told["files_present"].as_u64()), (Some(size), Some(0)));
    let mirrored = files(&mirror);
    assert_eq!(told["files_written"].as_u64(), u64::try_from(mirrored.len() - 1).ok(), "and the checkpoint");
    for (path, bytes) in &mirrored {
        assert_eq!(*bytes, get(&base, &format!("/{path}")), "{path}");
    }
    let (code, verdict) = verify(&world, &world.bank.folder().join("auditor"), &base);
    assert_eq!(
        (code, &verdict["verdict"], &verdict["scope"]),
        (Some(0), &"OK".into(), &"CORES".into()),
        "{verdict}"
    );
    assert_eq!(verdict["size"].as_u64(), Some(size));
    assert!(world.bank.stop().success());
    publish(&world.bank, &folder, &[]);
    assert_eq!(files(&folder), mirrored, "the stopped ledger gives the same as the running one");
    let statically = Files::serve(&folder);
    let (code, verdict) = verify(&world, &world.bank.folder().join("auditor"), &statically.address);
    assert_eq!((code, &verdict["verdict"]), (Some(0), &"OK".into()), "{verdict}");
}

#[test]
fn a_folder_is_brought_up_to_date_by_what_is_missing() {
    let (world, size) = world_of(270);
    let base = world.bank.public_log();
    let folder = world.bank.folder().join("folder");
    publish(&world.bank, &folder, &["--url", &base]);
    let before = files(&folder);
    let told = publish(&world.bank, &folder, &["--url", &base]);
    assert_eq!(told["files_written"].as_u64(), Some(0), "nothing was missing");
    let larger = in_runtime(async { grow(&Session::new(&world).await, size + 3).await });
    published(&world, larger);
    let told = publish(&world.bank, &folder, &["--url", &base]);
    assert_eq!(
        (told["size"].as_u64(), told["files_written"].as_u64()),
        (Some(larger), Some(2)),
        "a bundle and a tile"
    );
    let after = files(&folder);
    for (path, bytes) in &before {
        assert!(path == "checkpoint" || after[path] == *bytes, "{path} never changes");
    }
    // What was lost is made anew; what was damaged below the checkpoint is found when it is asked for.
    std::fs::remove_file(folder.join("tile/entries/000")).expect("a file");
    assert_eq!(publish(&world.bank, &folder, &["--url", &base])["files_written"].as_u64(), Some(1));
    std::fs::write(folder.join("tile/entries/000"), b"damaged").expect("a file");
    assert_eq!(publish(&world.bank, &folder, &["--url", &base])["files_written"].as_u64(), Some(0));
    let told = publish(&world.bank, &folder, &["--url", &base, "--check-all"]);
    assert_eq!(told["files_written"].as_u64(), Some(1));
    assert_eq!(files(&folder), after);
}

#[test]
fn a_log_that_does_not_continue_the_published_one_is_not_published() {
    let (world, size) = world_of(20);
    let base = world.bank.public_log();
    let folder = world.bank.folder().join("folder");
    let copy = world.bank.folder().join("older");
    assert!(world.bank.stop().success());
    crate::office::copy(&world.bank.home().join("ledger"), &copy);
    world.bank.serve();
    let larger = in_runtime(async { grow(&Session::new(&world).await, size + 5).await });
    published(&world, larger);
    publish(&world.bank, &folder, &["--url", &world.bank.public_log()]);
    let before = files(&folder);
    let refused = |arguments: &[&str], code: i32| {
        let output = world.bank.run(&[&["publish", &shown(&folder)], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        assert_eq!(files(&folder), before, "nothing was touched");
    };
    refused(&["--dir", &shown(&copy)], 3);
    // Another ledger, and one that is not there.
    let other = Bank::start(&[]);
    refused(&["--url", &other.public_log()], 3);
    refused(&["--url", &base], 4);
    refused(&["--url", "http://127.0.0.1:1"], 4);
}

#[test]
fn a_bent_file_is_found_whoever_serves_it() {
    let (world, _) = world_of(270);
    let folder = world.bank.folder().join("folder");
    publish(&world.bank, &folder, &["--url", &world.bank.public_log()]);
    let statically = Files::serve(&folder);
    let (mirror, home) =
        (world.bank.folder().join("mirror"), |n: usize| world.bank.folder().join(format!("home-{n}")));
    for (number, (path, bytes)) in files(&folder).into_iter().enumerate() {
        let mut bent = bytes.clone();
        let at = bent.len() / 2;
        bent[at] ^= 1;
        std::fs::write(folder.join(&path), bent).expect("a file");
        let (code, verdict) = verify(&world, &home(number), &statically.address);
        assert_eq!((code, &verdict["verdict"]), (Some(3), &"BROKEN".into()), "{path}: {verdict}");
        assert!(verdict["first_bad_index"].is_u64() && verdict["rule"].is_string(), "{verdict}");
        // A mirror is made of nothing that is bent; of the lowest tiles it makes its own.
        if !path.starts_with("tile/0/000") || path.contains(".p/") {
            let output = world.bank.run(&["publish", &shown(&mirror), "--url", &statically.address]);
            assert_eq!(output.status.code(), Some(3), "{path}: {}", text(&output));
            assert!(!mirror.join("checkpoint").exists());
        }
        std::fs::write(folder.join(&path), bytes).expect("a file");
    }
}

/// The home remembers the newest head: an older log, and one that lacks a signature, are told.
#[test]
fn a_rollback_over_http_is_told() {
    let (world, size) = world_of(20);
    let [older, home] = ["older", "home-of-who-looks"].map(|name| world.bank.folder().join(name));
    publish(&world.bank, &older, &["--url", &world.bank.public_log()]);
    let larger = in_runtime(async { grow(&Session::new(&world).await, size + 5).await });
    published(&world, larger);
    assert_eq!(verify(&world, &home, &world.bank.public_log()).0, Some(0));
    let (code, verdict) = verify(&world, &home, &Files::serve(&older).address);
    assert_eq!((code, &verdict["rule"]), (Some(3), &"HEAD_INCONSISTENT".into()), "{verdict}");
}

/// Publishing is killed again and again; what stands in the folder is always whole, and in the end all of it.
#[test]
fn kill_nine_while_publishing_leaves_a_whole_log_and_the_rest_follows() {
    let (world, size) = world_of(1_100);
    let base = world.bank.public_log();
    let [folder, whole] = ["folder", "whole"].map(|name| world.bank.folder().join(name));
    publish(&world.bank, &whole, &["--url", &base]);
    let mut cut = 0;
    for cycle in 0..12u64 {
        let mut command = world.bank.command();
        command
            .args(["publish", &shown(&folder), "--url", &base])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary runs");
        // Not a wait for anything: the kill comes at another moment each time.
        std::thread::sleep(Duration::from_millis(2 + 3 * cycle));
        child.kill().expect("a signal is sent");
        cut += u32::from(!child.wait().expect("a child ends").success());
        if folder.join("checkpoint").exists() {
            assert_eq!(files(&folder), files(&whole), "a checkpoint stands over all of its files");
        }
    }
    assert!(cut > 0, "none was cut off");
    let told = publish(&world.bank, &folder, &["--url", &base]);
    assert_eq!(told["size"].as_u64(), Some(size));
    assert_eq!(files(&folder), files(&whole));
}

/// A home without a token asks the public side; one with a token the auditor's.
#[test]
fn who_names_nobody_checks_what_everybody_can_see() {
    let (world, _) = world_of(5);
    let home: PathBuf = world.bank.folder().join("nobody");
    let (code, verdict) = verify(&world, &home, &world.bank.public_log());
    assert_eq!((code, &verdict["scope"]), (Some(0), &"CORES".into()));
    let token = world.bank.folder().join("token");
    std::fs::write(&token, world.auditor_token()).expect("a token");
    let endpoint = world.bank.endpoint();
    let arguments = [
        "--home",
        &shown(&home),
        "--output",
        "json",
        "verify",
        "--url",
        &endpoint,
        "--token-file",
        &shown(&token),
    ];
    let told: serde_json::Value = serde_json::from_str(&world.bank.must(&arguments)).expect("JSON");
    assert_eq!((&told["verdict"], &told["scope"]), (&"OK".into(), &serde_json::Value::Null));
    // The trial ledger's own home has an issuer; the public side is asked for by name.
    let log = world.bank.public_log();
    let told = world.bank.must(&["verify", "--cores", "--url", &log]);
    assert!(told.contains("only what everybody can see"), "{told}");
}
