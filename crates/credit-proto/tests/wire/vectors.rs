//! Golden vectors: one file a payload type and one an event kind, compared here and built again by encoders in other
//! languages. `tests/vectors/README.md` says what the files hold.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use credit_proto::entry::encode_core;
use credit_proto::schema::Message;
use credit_proto::strict::Canonical;
use credit_proto::{BankSigned, Leaf, Secret, Signable, payload_type, v1};
use credit_types::*;

use crate::describe::{Contract, descriptor_path, hex, workspace};
use crate::entries::{self, Sample};
use crate::samples;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The text of one message: lines of `name: value`, then its description.
fn section(contract: &Contract, lines: &[(&str, &str)], message: &Message, bytes: &[u8]) -> String {
    let mut text = String::new();
    for (name, value) in lines {
        writeln!(text, "{name}: {value}").unwrap();
    }
    let described = contract.describe(message.name, bytes);
    writeln!(text, "message: {}\nhex: {}\nvalue:\n{described}", message.name, hex(bytes)).unwrap();
    text
}

/// Compares every file with what is encoded, or writes it where `UPDATE_VECTORS=1` is set.
fn compare(name: &str, files: &BTreeMap<String, String>) {
    let folder = folder().join(name);
    if env::var("UPDATE_VECTORS").is_ok_and(|value| value == "1") {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in files {
        let golden = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(&golden, text, "{name}: what is signed or logged never changes its bytes");
    }
    let listed: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !files.contains_key(name))
        .collect();
    assert!(listed.is_empty(), "{listed:?} are made by no test");
}

struct Statements {
    contract: Contract,
    files: BTreeMap<String, String>,
}

impl Statements {
    fn add(&mut self, payload_type: &str, suffix: &str, message: &Message, bytes: &[u8]) {
        let text = section(&self.contract, &[("type", payload_type)], message, bytes);
        let name = format!("{}{suffix}.txt", payload_type::short_name(payload_type).unwrap());
        assert_eq!(self.files.insert(name, text), None);
    }

    fn signed<T: Signable>(&mut self, body: &T, header: &Header) {
        self.form("", body, header);
    }

    /// A further form of a statement, whose fields don't all go together.
    fn form<T: Signable>(&mut self, suffix: &str, body: &T, header: &Header) {
        self.add(T::TYPE, suffix, T::Wire::SCHEMA, &body.payload(Some(header)));
    }

    fn leaf<T: Leaf>(&mut self, body: &T) {
        self.add(T::TYPE, ".leaf", T::Wire::SCHEMA, &body.leaf_payload());
    }

    fn secret<T: Secret>(&mut self, value: &T) {
        self.add(T::TYPE, "", T::Wire::SCHEMA, &value.payload());
    }

    fn bank<T: BankSigned>(&mut self, value: &T) {
        self.add(T::TYPE, "", T::Wire::SCHEMA, &value.payload());
    }
}

#[test]
fn every_payload_type_keeps_its_bytes() {
    let mut all = Statements { contract: Contract::load(), files: BTreeMap::new() };
    let (authority, university) = (samples::header(SignerId::Authority), samples::by_university());
    all.signed(&samples::genesis(), &samples::genesis_header());
    all.signed(&samples::admission(), &authority);
    all.signed(&samples::publication(), &authority);
    all.signed(&samples::key_addition(), &university);
    all.signed(&samples::key_retirement(), &university);
    all.signed(&samples::key_compromise(), &authority);
    all.signed(&samples::opening(), &university);
    all.signed(&samples::account_change(), &university);
    all.signed(&samples::facts(), &university);
    all.signed(&samples::correction(), &university);
    all.signed(&samples::record_change(), &university);
    all.signed(&samples::manifest(), &university);
    all.signed(&samples::close(), &university);
    all.signed(&samples::server_start(), &samples::header(SignerId::Operator));
    all.signed(&samples::upgrade(), &authority);
    let acceptor = samples::header(SignerId::Institution(samples::acceptor()));
    all.signed(&samples::book_publication(), &authority);
    all.signed(&samples::book_change(), &authority);
    all.signed(&samples::auto_approval(), &acceptor);
    all.signed(&samples::conversion_request(), &university);
    all.signed(&samples::decision(), &acceptor);
    all.form(".reject", &samples::rejection(), &acceptor);
    all.signed(&samples::step(), &university);
    all.signed(&samples::reversal(), &acceptor);
    all.leaf(&samples::facts());
    all.leaf(&samples::opening());
    all.secret(&samples::details());
    all.secret(&samples::identity());
    all.secret(&samples::explanation());
    all.secret(&samples::particulars());
    all.bank(&samples::subject_head());
    all.bank(&samples::balance());
    all.bank(&samples::file_manifest());
    all.bank(&samples::record_status());
    let types =
        payload_type::STATEMENTS.iter().chain(&payload_type::SECRETS).chain(&payload_type::BANK_SIGNED);
    // The bank's explanation of a proposal is JSON: no message, and so without a vector.
    for payload_type in types.filter(|named| **named != payload_type::CONVERSION_EXPLANATION) {
        let name = format!("{}.txt", payload_type::short_name(payload_type).unwrap());
        assert!(all.files.contains_key(&name), "{name} has a vector");
    }
    compare("statements", &all.files);
}

fn entry(contract: &Contract, sample: &Sample) -> String {
    let core = encode_core(&sample.core);
    let mut sections = vec![section(contract, &[], v1::EntryCore::SCHEMA, &core)];
    for part in sample.parts() {
        let (kind, bytes) = part.split_first().unwrap();
        let schema = match kind {
            1 => v1::EntryHead::SCHEMA,
            2 => v1::Link::SCHEMA,
            3 => v1::StatementPart::SCHEMA,
            _ => v1::Event::SCHEMA,
        };
        sections.push(section(contract, &[("kind", &kind.to_string())], schema, bytes));
    }
    sections.join("\n")
}

#[test]
fn every_kind_of_entry_keeps_its_bytes() {
    let contract = Contract::load();
    let mut files = BTreeMap::new();
    for kind in EventKind::ALL {
        let mut name = String::new();
        for letter in format!("{kind:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        files.insert(format!("{name}.txt"), entry(&contract, &entries::sample(kind)));
    }
    files.insert("batch-chunk.openings.txt".to_owned(), entry(&contract, &entries::opening_chunk()));
    files.insert("record-deposited.correction.txt".to_owned(), entry(&contract, &entries::correction()));
    files.insert("conversion-requested.automatic.txt".to_owned(), entry(&contract, &entries::automatic()));
    files.insert("conversion-changed.step.txt".to_owned(), entry(&contract, &entries::step()));
    files.insert("conversion-changed.reversal.txt".to_owned(), entry(&contract, &entries::reversal()));
    compare("entries", &files);
}

/// Whether an absent tool fails the test: CI names those that it has.
fn skipped(tool: &str, why: &str) {
    let required = env::var("CREDITBANK_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == tool), "{tool} is required: {why}");
    println!("skipped: {why}");
}

/// Runs an encoder, which compares every vector and says how many it built.
fn encoder(mut command: Command) {
    let done = command.output().unwrap();
    let (out, problem) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}{problem}");
    let built: usize = out.split_whitespace().next().unwrap().parse().unwrap();
    let sections: usize = ["statements", "entries"]
        .iter()
        .flat_map(|name| fs::read_dir(folder().join(name)).unwrap())
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap().matches("value:\n").count())
        .sum();
    assert_eq!(built, sections, "{out}");
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn python_builds_the_same_bytes() {
    let python = env::var("CREDITBANK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !runs(Command::new(&python).args(["-c", "import google.protobuf"])) {
        return skipped("python", "no Python with protobuf; CREDITBANK_PYTHON names one");
    }
    let mut command = Command::new(&python);
    command.arg(folder().join("python_encoder.py")).arg(descriptor_path()).arg(folder());
    encoder(command);
}

#[test]
fn javascript_builds_the_same_bytes() {
    let Ok(modules) = env::var("CREDITBANK_NODE_PATH") else {
        return skipped("node", "CREDITBANK_NODE_PATH names no folder with protobufjs");
    };
    if !Path::new(&modules).join("protobufjs/package.json").exists() {
        return skipped("node", "no protobufjs in the folder that CREDITBANK_NODE_PATH names");
    }
    if !runs(Command::new("node").arg("--version")) {
        return skipped("node", "no node");
    }
    let mut command = Command::new("node");
    command.arg(folder().join("javascript_encoder.mjs")).arg(workspace().join("proto")).arg(folder());
    encoder(command);
}
