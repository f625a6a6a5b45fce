//! One function for each parser of foreign bytes, with all that must hold of any bytes: it does not panic, what it accepts
//! has no other form, and what it gives stays within its bounds. A failed assertion is a finding.

use credit_client::{Receipt, SignedBalance, format_trust, parse_trust};
use credit_log::checkpoint::{self, Checkpoint};
use credit_log::container::{self, BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX};
use credit_log::cosignature::{CosignerKey, cosigned};
use credit_log::envelope::{PublicKey, kid_text, parse_kid_text};
use credit_log::note::{self, NOTE_BYTES_MAX, Note, NoteSignature, SIGNATURES_MAX, VerifierKey};
use credit_log::policy::{GROUPS_MAX, LOGS_MAX, POLICY_BYTES_MAX, Policy, WITNESSES_MAX};
use credit_log::receipt::TlogProof;
use credit_log::tile::{TilePath, decode_entries, decode_hashes, encode_entries, encode_hashes};
use credit_log::witness::{AddCheckpoint, parse_size};
use credit_proto::entry::{PARTS_MAX, decode_core, decode_parts, encode_core};
use credit_proto::strict::{self, Canonical};
use credit_proto::{BankSigned as _, Envelope, decode_manifest, decode_statement, payload_type, v1};
use credit_rules::book::Book;
use credit_rules::check::{Surroundings, check};
use credit_rules::explain::explain;
use credit_rules::input::Question;
use credit_rules::limits::{BOOK_BYTES_MAX, FINDINGS_MAX};
use credit_rules::program::Program;
use credit_types::{Digest, FileManifest};
use credit_verify::{
    CoreVerifier, ExportName, Trust, Verifier, open_export, read_entry, read_secrets, skip_entry,
    skip_secrets, verify_bundle, write_entry, write_secrets,
};
use std::sync::OnceLock;

/// A parser and what must hold of it; whether it took the bytes.
pub type Target = fn(&[u8]) -> bool;

/// Every target by its name; its corpus has the same.
pub const TARGETS: [(&str, Target); 23] = [
    ("note", note),
    ("signature-lines", signature_lines),
    ("checkpoint", checkpoint),
    ("key", key),
    ("proof", proof),
    ("add-checkpoint", add_checkpoint),
    ("policy", policy),
    ("tile-path", tile_path),
    ("tile", tile),
    ("bundle-of-entries", bundle_of_entries),
    ("record-bundle", record_bundle),
    ("core", core),
    ("entry", entry),
    ("secrets", secrets),
    ("envelope", envelope),
    ("message", message),
    ("manifest", manifest),
    ("export-name", export_name),
    ("trust", trust),
    ("receipt", receipt),
    ("rule-book", rule_book),
    ("rule-book-json", rule_book_json),
    ("question", question),
];

/// The trust file of the ledger that the artefacts of the corpus come from, with a policy of witnesses.
const PINNED: &str = include_str!("pinned.toml");

fn pinned() -> &'static Trust {
    static TRUST: OnceLock<Trust> = OnceLock::new();
    TRUST.get_or_init(|| parse_trust(PINNED).expect("the pinned trust file"))
}

fn cosigners() -> Vec<CosignerKey> {
    let policy = pinned().witness_policy.as_ref().expect("the pinned policy");
    policy.witnesses().iter().map(|witness| witness.key.clone()).collect()
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn note(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let opened = note::open(text, &pinned().checkpoint_keys);
    let counted = cosigned_of(text);
    let Ok(note) = Note::parse(text) else {
        assert!(opened.is_err(), "what is no note is not opened");
        return false;
    };
    assert!(text.len() <= NOTE_BYTES_MAX);
    assert!((1..=SIGNATURES_MAX).contains(&note.signatures.len()));
    assert!(counted.unwrap_or(0) <= note.signatures.len());
    // Base64 has one form and names are taken as they are: a note is written as it was read.
    assert_eq!(note.format().as_deref(), Ok(text));
    let head = checkpoint::open(text, &pinned().checkpoint_keys, &pinned().origin);
    assert!(head.is_err() || opened.is_ok(), "a head is only believed of a note that opens");
    true
}

fn cosigned_of(text: &str) -> Option<usize> {
    cosigned(&Note::parse(text).ok()?, &cosigners()).ok().map(|found| found.len())
}

fn signature_lines(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let (lines, size) = (NoteSignature::parse_lines(text), parse_size(text));
    let taken = lines.is_ok() || size.is_some();
    if let Ok(signatures) = lines {
        assert!((1..=SIGNATURES_MAX).contains(&signatures.len()));
        assert_eq!(signatures.iter().map(NoteSignature::line).collect::<String>(), text);
    }
    if let Some(size) = size {
        assert_eq!(format!("{size}\n"), text);
    }
    taken
}

fn checkpoint(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let extended = Checkpoint::parse_extended(text);
    let Ok(head) = Checkpoint::parse(text) else { return false };
    assert_eq!(head.text().as_deref(), Ok(text));
    assert_eq!(extended, Ok(head));
    true
}

fn key(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let (log, witness, kid) = (VerifierKey::parse(text), CosignerKey::parse(text), parse_kid_text(text));
    let taken = log.is_ok() || witness.is_ok() || kid.is_ok();
    assert!(log.is_err() || witness.is_err(), "a key is for logs or for witnesses");
    if let Ok(key) = log {
        assert_eq!(key.text(), text);
    }
    if let Ok(key) = witness {
        assert_eq!(key.text(), text);
    }
    if let Ok(kid) = kid {
        assert_eq!(kid_text(&kid), text);
    }
    taken
}

fn proof(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Ok(proof) = TlogProof::parse(text) else { return false };
    assert_eq!(proof.format().as_deref(), Ok(text));
    let verified = proof.verify(&[7; 32], &pinned().checkpoint_keys, &pinned().origin);
    assert!(verified.is_err(), "no such leaf is in the log");
    true
}

fn add_checkpoint(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Ok(request) = AddCheckpoint::parse(text) else { return false };
    // The checkpoint in it is only looked at later, so that a request may be read and not be one to write.
    if let Ok(written) = request.format() {
        assert_eq!(written, text);
    }
    let _head = request.head();
    true
}

fn policy(bytes: &[u8]) -> bool {
    let Ok(policy) = Policy::parse(bytes) else { return false };
    assert!(bytes.len() <= POLICY_BYTES_MAX);
    assert_eq!(policy.source(), bytes);
    assert_eq!(Policy::parse(policy.source()).as_ref(), Ok(&policy));
    assert!(policy.logs().len() <= LOGS_MAX && policy.witnesses().len() <= WITNESSES_MAX + GROUPS_MAX);
    let all: Vec<usize> = (0..policy.witnesses().len()).collect();
    assert!(policy.is_met_by(&all), "whoever has all witnesses has enough");
    assert_eq!(policy.is_met_by(&[]), !policy.asks_for_witnesses());
    true
}

fn tile_path(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Ok(path) = TilePath::parse(text) else { return false };
    assert_eq!(path.encode(), text);
    assert!((1..=256).contains(&path.width));
    true
}

fn tile(bytes: &[u8]) -> bool {
    let Ok(hashes) = decode_hashes(bytes) else { return false };
    assert!((1..=256).contains(&hashes.len()));
    assert_eq!(encode_hashes(&hashes), bytes);
    true
}

fn bundle_of_entries(bytes: &[u8]) -> bool {
    let Ok(entries) = decode_entries(bytes) else { return false };
    assert!((1..=256).contains(&entries.len()));
    assert_eq!(encode_entries(&entries).as_deref(), Ok(bytes));
    let mut verifier = CoreVerifier::new(pinned().clone());
    for core in entries {
        if verifier.push(core).is_err() {
            break;
        }
    }
    true
}

fn record_bundle(bytes: &[u8]) -> bool {
    let verified = verify_bundle(bytes, pinned());
    let Ok(files) = container::parse(bytes) else {
        assert!(verified.is_err(), "what is no container proves nothing");
        return false;
    };
    assert!(bytes.len() <= BUNDLE_BYTES_MAX && files.len() <= BUNDLE_FILES_MAX);
    assert_eq!(container::format(&files).as_deref(), Ok(bytes));
    verified.is_ok()
}

fn core(bytes: &[u8]) -> bool {
    let Ok(core) = decode_core(bytes) else { return false };
    assert_eq!(encode_core(&core), bytes);
    true
}

fn entry(bytes: &[u8]) -> bool {
    let skipped = skip_entry(bytes);
    let Ok((entry, rest)) = read_entry(bytes) else {
        assert!(skipped.is_err(), "what is skipped can be read");
        return false;
    };
    assert_eq!(skipped, Ok(rest));
    let mut written = Vec::new();
    write_entry(&entry.bytes(), &mut written).expect("what was read is written");
    assert_eq!([&written, rest].concat(), bytes);
    let parts = decode_parts(&entry.parts);
    if let Ok(parts) = &parts {
        assert!(entry.parts.len() <= PARTS_MAX);
        assert_eq!(1 + parts.links.len() + parts.statements.len() + parts.events.len(), entry.parts.len());
    }
    // As the first of a log: whatever it holds, that is a verdict.
    let mut free = Verifier::new(None);
    let _first = free.push(&entry.bytes());
    let _report = free.finish(None);
    parts.is_ok()
}

fn secrets(bytes: &[u8]) -> bool {
    let skipped = skip_secrets(bytes);
    let Ok((index, parts, rest)) = read_secrets(bytes) else { return false };
    assert_eq!(skipped, Ok((index, rest)));
    let mut written = Vec::new();
    write_secrets(index, &parts, &mut written).expect("what was read is written");
    assert_eq!([&written, rest].concat(), bytes);
    true
}

fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::decode(bytes) else { return false };
    assert_eq!(envelope.encode(), bytes);
    let kids: Vec<_> = envelope.signatures.iter().map(|(kid, _)| *kid).collect();
    assert!(kids.windows(2).all(|pair| pair[0] < pair[1]), "signatures ascend by kid");
    decode_statement(&envelope.payload_type, &envelope.payload, admit).is_ok()
}

/// The id of a key that may be used.
fn admit(key: &[u8; 32]) -> Option<[u8; 32]> {
    PublicKey::admit(key).ok().map(|key| key.kid())
}

fn again<M: Canonical>(bytes: &[u8]) -> Option<Vec<u8>> {
    strict::decode::<M>(bytes).ok().map(|message| strict::encode(&message))
}

/// Reads a payload and writes it again.
type Again = fn(&[u8]) -> Option<Vec<u8>>;

/// Payloads by the type that the first byte chooses.
const MESSAGES: [(&str, Again); 18] = [
    (payload_type::GENESIS, again::<v1::Genesis>),
    (payload_type::INSTITUTION_ADMISSION, again::<v1::InstitutionAdmission>),
    (payload_type::FRAMEWORK_PUBLICATION, again::<v1::FrameworkPublication>),
    (payload_type::KEY_ADDITION, again::<v1::KeyAddition>),
    (payload_type::KEY_RETIREMENT, again::<v1::KeyRetirement>),
    (payload_type::KEY_COMPROMISE, again::<v1::KeyCompromise>),
    (payload_type::ACCOUNT_OPENING, again::<v1::AccountOpening>),
    (payload_type::ACCOUNT_STATUS_CHANGE, again::<v1::AccountStatusChange>),
    (payload_type::RECORD_FACTS, again::<v1::RecordFacts>),
    (payload_type::RECORD_CORRECTION, again::<v1::RecordCorrection>),
    (payload_type::RECORD_STATUS_CHANGE, again::<v1::RecordStatusChange>),
    (payload_type::BATCH_MANIFEST, again::<v1::BatchManifest>),
    (payload_type::BATCH_CLOSE, again::<v1::BatchClose>),
    (payload_type::SERVER_START, again::<v1::ServerStart>),
    (payload_type::PROTOCOL_UPGRADE, again::<v1::ProtocolUpgrade>),
    (payload_type::BALANCE_STATEMENT, again::<v1::BalanceStatement>),
    (payload_type::RECORD_STATUS_STATEMENT, again::<v1::RecordStatusStatement>),
    (payload_type::RECORD_DETAILS, again::<v1::RecordDetails>),
];

fn message(bytes: &[u8]) -> bool {
    let Some((choice, payload)) = bytes.split_first() else { return false };
    let Some((payload_type, again)) = MESSAGES.get(usize::from(*choice) % MESSAGES.len()) else {
        return false;
    };
    let canonical = again(payload);
    if let Some(again) = &canonical {
        assert_eq!(again, payload, "one message, one form");
    }
    let read = decode_statement(payload_type, payload, admit);
    assert!(read.is_err() || canonical.is_some(), "a statement is canonical");
    canonical.is_some()
}

fn manifest(bytes: &[u8]) -> bool {
    let opened = open_export(bytes, pinned());
    let Ok(envelope) = decode_manifest(bytes) else {
        assert!(opened.is_err(), "what is no envelope lists no files");
        return false;
    };
    assert_eq!(credit_proto::encode_manifest(&envelope), bytes);
    if let Ok(manifest) = FileManifest::from_payload(&envelope.payload) {
        assert_eq!(manifest.payload(), envelope.payload);
    }
    if let Ok(export) = &opened {
        assert!(export.files.len() >= export.entries.len() + export.details.len());
    }
    opened.is_ok()
}

fn export_name(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Some(name) = ExportName::parse(text) else { return false };
    assert_eq!(name.text(), text);
    assert!(!text.contains("..") && !text.starts_with('/'), "a name stays in its folder");
    true
}

fn trust(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Ok(trust) = parse_trust(text) else { return false };
    let written = format_trust(&trust);
    assert_eq!(parse_trust(&written).as_ref(), Ok(&trust), "what is pinned is written and read back");
    true
}

fn receipt(bytes: &[u8]) -> bool {
    let mut taken = false;
    if let Ok(receipt) = Receipt::from_bytes(bytes) {
        let again = Receipt::from_bytes(&receipt.to_bytes()).expect("what was read is written");
        assert_eq!(again, receipt);
        taken |= receipt.verify(pinned()).is_ok();
    }
    if let Ok(balance) = SignedBalance::from_bytes(bytes) {
        taken |= balance.verify(pinned()).is_ok();
    }
    taken
}

/// What must hold of a book that was read: it is checked and made ready in bounded time, and its canonical form is its only
/// one.
fn book(book: Book) {
    let canonical = book.canonical();
    assert!(!canonical.is_empty() && canonical.len() <= BOOK_BYTES_MAX);
    assert_eq!(Book::from_canonical(&canonical).as_ref(), Ok(&book));
    assert!(check(&book, &Surroundings::default()).len() <= FINDINGS_MAX.saturating_add(1));
    // A book may be refused here that nothing was found wrong with in reading it.
    let _ready = Program::new(book);
}

fn rule_book(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    match Book::from_toml(text) {
        Ok(read) => book(read),
        Err(findings) => {
            assert!(!findings.is_empty() && findings.len() <= FINDINGS_MAX.saturating_add(1));
            return false;
        }
    }
    true
}

fn rule_book_json(bytes: &[u8]) -> bool {
    let Ok(read) = Book::from_canonical(bytes) else { return false };
    assert_eq!(read.canonical(), bytes);
    book(read);
    true
}

/// The sample city's book, made ready.
fn city() -> &'static Program {
    static CITY: OnceLock<Program> = OnceLock::new();
    CITY.get_or_init(|| {
        let text = include_str!("../../ledger-data/rulebooks/yunjiang-city/book.toml");
        Program::new(Book::from_toml(text).expect("the city's book")).expect("it can be asked")
    })
}

fn question(bytes: &[u8]) -> bool {
    let Ok(question) = serde_json::from_slice::<Question>(bytes) else { return false };
    let Ok(allocated) = city().allocate(&question) else { return false };
    let lines = allocated.grants.iter().flat_map(|grant| &grant.lines);
    let granted = lines.map(|line| line.credit.0).try_fold(0_i64, i64::checked_add);
    assert_eq!(granted, Some(allocated.credit_milli));
    assert!(allocated.credit_milli <= allocated.plan.certificate.bound_milli, "no plan is above its bound");
    let mut turned = question.clone();
    turned.records.reverse();
    let again = city().allocate(&turned).expect("the same question");
    let told =
        |question: &Question, allocated| explain(city(), Digest([0; 32]), question, allocated).canonical();
    assert_eq!(
        told(&question, &allocated),
        told(&turned, &again),
        "no answer depends on the order of records"
    );
    true
}
