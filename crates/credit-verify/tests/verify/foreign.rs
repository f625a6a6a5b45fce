//! A verifier in Python, made from the document of the log's format alone, agrees about logs of protocol 2. It has no
//! engine of rules: what a book grants it takes as it is recorded, and all else it decides again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::hash::sha256;
use credit_types::{Digest, FileManifest, FileManifestKind, ManifestFile};
use credit_verify::{ExportName, open_export, write_entry};
use serde_json::Value;

use crate::bank::{Bank, public};
use crate::college::{Shelf, book_bytes, publication};
use crate::conversions::converted;
use crate::forged::{of_another, too_early, twice, unnoticed, with_no_officer};
use crate::parcel::sealed;

/// What the verifier needs beside Python's own library.
const MODULES: &str = "import cryptography, tomllib";

fn python() -> Option<String> {
    let python = std::env::var("CREDITBANK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut probe = Command::new(&python);
    probe.args(["-c", MODULES]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let runs = probe.status().is_ok_and(|status| status.success());
    let required = std::env::var("CREDITBANK_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|name| name.trim() == "python");
    assert!(
        runs || !required,
        "python is required here, and {python} lacks cryptography or is older than 3.11"
    );
    if !runs {
        println!("skipped: {python} lacks cryptography, or is older than 3.11");
    }
    runs.then_some(python)
}

/// Writes an export of a log with these blobs; gives its manifest.
fn export(bank: &Bank, shelf: &Shelf, folder: &Path) -> Vec<u8> {
    let mut entries = Vec::new();
    bank.entries.iter().for_each(|raw| write_entry(&raw.bytes(), &mut entries).unwrap());
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::from([
        (ExportName::Checkpoint.text(), bank.checkpoint().into_bytes()),
        (ExportName::Entries(0).text(), entries),
    ]);
    files.extend(shelf.0.iter().map(|(digest, bytes)| (ExportName::Blob(*digest).text(), bytes.clone())));
    let listed = |(name, bytes): (&String, &Vec<u8>)| ManifestFile {
        name: name.clone(),
        bytes: bytes.len() as u64,
        sha256: Digest(sha256(bytes)),
    };
    let manifest = sealed(&FileManifest {
        log_id: bank.log_id(),
        kind: FileManifestKind::Export,
        size: bank.size(),
        root: bank.root_at(bank.size()),
        files: files.iter().map(listed).collect(),
    });
    files.insert("manifest".to_owned(), manifest.clone());
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    manifest
}

/// What the verifier says of a log, and its exit code.
fn said(python: &str, bank: &Bank, shelf: &Shelf) -> (Value, i32) {
    let home = tempfile::tempdir().unwrap();
    let (folder, trust) = (home.path().join("export"), home.path().join("trust.toml"));
    export(bank, shelf, &folder);
    let pinned = bank.trust();
    let text = format!(
        "log_id = \"{}\"\norigin = \"{}\"\ncheckpoint_keys = [\"{}\"]\nstatement_keys = [\"kid {}\"]\n",
        Digest(pinned.log_id.0),
        pinned.origin,
        pinned.checkpoint_keys[0].text(),
        STANDARD.encode(public("statement").bytes),
    );
    std::fs::write(&trust, text).unwrap();
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(python);
    command
        .arg(workspace.join("tests/verifier/verify.py"))
        .arg("export")
        .arg(&folder)
        .arg("--trust")
        .arg(&trust);
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null()).output().unwrap();
    let told = serde_json::from_slice(&output.stdout);
    let told = told.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (told, output.status.code().unwrap())
}

#[test]
fn a_verifier_made_from_the_document_accepts_protocol_2() {
    let Some(python) = python() else { return };
    for protocol in [1, 2] {
        let bank = converted(protocol);
        let (told, code) = said(&python, &bank, &Shelf::of_book());
        assert_eq!(code, 0, "{told}");
        assert_eq!((told["size"].as_u64(), told["applications"].as_u64()), (Some(bank.size()), Some(6)));
        assert_eq!(told["root"], bank.root_at(bank.size()).to_string());
    }
    let (_, _, waited) = unnoticed();
    assert_eq!(said(&python, &waited, &Shelf::of_book()).1, 0);
}

#[test]
fn a_verifier_made_from_the_document_finds_lies_of_protocol_2() {
    let Some(python) = python() else { return };
    let [(held, at_held, _), (used, at_used, _)] = twice();
    let (early, at_early, _) = unnoticed();
    let (another, at_another) = of_another();
    let (ahead, at_ahead) = with_no_officer();
    let (too_early, at_too_early) = too_early();
    let lies = [
        ("a record that is held", &held, at_held, "REFUSED_BY_RULES"),
        ("a record that was used", &used, at_used, "REFUSED_BY_RULES"),
        ("no notice", &early, at_early, "REFUSED_BY_RULES"),
        ("another's programme", &another, at_another, "REFUSED_BY_RULES"),
        ("no officer", &ahead, at_ahead, "EVENTS_WRONG"),
        ("protocol 1", &too_early, at_too_early, "REFUSED_BY_RULES"),
    ];
    for (lie, bank, index, rule) in lies {
        let (told, code) = said(&python, bank, &Shelf::of_book());
        assert_eq!(code, 3, "{lie}: {told}");
        assert_eq!(
            (told["first_bad_index"].as_u64(), &told["rule"]),
            (Some(index), &rule.into()),
            "{lie}: {told}"
        );
    }
    let (told, code) = said(&python, &converted(2), &Shelf::default());
    assert_eq!((code, &told["rule"]), (3, &"BOOK_MISSING".into()), "{told}");
}

#[test]
fn an_export_names_its_blobs() {
    let bank = Bank::with_book(2);
    let home = tempfile::tempdir().unwrap();
    let manifest = export(&bank, &Shelf::of_book(), home.path());
    let export = open_export(&manifest, &bank.trust()).unwrap();
    let digest = publication(&book_bytes()).digest;
    let file = export.blob(&digest).unwrap();
    assert_eq!((file.name.clone(), file.bytes), (format!("blobs/{digest}"), book_bytes().len() as u64));
    assert_eq!(export.blob(&Digest([0; 32])), None);
}
