//! Notes and checkpoints: published vectors, rules of opening, limits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::checkpoint::{self, Checkpoint, Error as E};
use credit_log::envelope::{KeyError, SigningKey};
use credit_log::note::{
    Error, NOTE_BYTES_MAX, Note, NoteSignature, NoteSigner, OpenError, SIGNATURES_MAX, VerifierKey,
    VkeyError, open,
};
use credit_log::tree::SIZE_MAX;

use crate::{base64, hash64, signer};

const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const FOO: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const FOO_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const LEDGER: &str = "example.test/ledger+1c604424+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const COSIGNED: &str = "example.test/ledger
15
rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=

— example.test/ledger HGBEJFGP4hCaxDmnixv2te7ADL5spqkuTFmYx3pw50K0Xu2QF4eIHOE6KOOqnOT013Kc8cO7lq5GpTuhAXcE9/VEiQY=
— example.test/witness-1 p9I25QAAAABlU/EAzT+qKbGMbrdzotHcC+Rfmgu3Qu1nY83BgzB6BVjDDTW5w16wFITT8pH1R2mxpUoivfpmVSLec6A16Pc3evqfCQ==
";

fn vkey(text: &str) -> VerifierKey {
    let key = VerifierKey::parse(text).unwrap();
    assert_eq!(key.text(), text);
    key
}

/// Reads the last field of Go's private form: a type byte and the seed.
fn go_signer(name: &str, secret: &str) -> NoteSigner {
    let bytes = base64(secret);
    assert_eq!(bytes[0], 1);
    NoteSigner::new(name, SigningKey::from_seed(bytes[1..].try_into().unwrap())).unwrap()
}

fn head() -> Checkpoint {
    Checkpoint {
        origin: "example.test/ledger".to_owned(),
        size: 15,
        root: hash64("rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="),
    }
}

#[test]
fn notes_of_go_are_opened_and_made_byte_for_byte() {
    let note = format!("{PETER_TEXT}\n{PETER_LINE}");
    let opened = open(&note, &[vkey(PETER)]).unwrap();
    assert_eq!((opened.text.as_str(), opened.signers), (PETER_TEXT, vec!["PeterNeumann".to_owned()]));
    let peter = go_signer("PeterNeumann", PETER_SECRET);
    assert_eq!(peter.verifier(), &vkey(PETER));
    assert_eq!(peter.sign(PETER_TEXT).line(), PETER_LINE);
    let made = Note { text: PETER_TEXT.to_owned(), signatures: vec![peter.sign(PETER_TEXT)] };
    assert_eq!(made.format().unwrap(), note);
    assert_eq!(open(FOO_NOTE, &[vkey(FOO)]).unwrap().text, "This is an example message.\n");
}

#[test]
fn verifier_keys_that_are_not_are_refused() {
    for (text, error) in [
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", VkeyError::Form),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", VkeyError::Algorithm),
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", VkeyError::Id),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", VkeyError::Id),
        ("Peterneumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", VkeyError::Id),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T", VkeyError::Form),
        ("PeterNeumann+c74f20a3", VkeyError::Form),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", VkeyError::Form),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", VkeyError::Form),
        ("", VkeyError::Form),
    ] {
        assert_eq!(VerifierKey::parse(text), Err(error), "{text}");
    }
    // One byte too many, with an id that fits; the published bad key above isn't even canonical base64.
    let long = [[1].as_slice(), &[9; 33]].concat();
    let id = credit_log::hash::sha256(&[b"x\n".as_slice(), &long].concat());
    let id = u32::from_be_bytes(id[..4].try_into().unwrap());
    let long = format!("x+{id:08x}+{}", STANDARD.encode(long));
    assert_eq!(VerifierKey::parse(&long), Err(VkeyError::Length));
    // The identity point, with an id that fits.
    let weak = "x+ed9e2057+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let id = credit_log::hash::sha256(&[b"x\n\x01\x01".as_slice(), &[0; 31]].concat());
    let weak = weak.replace("ed9e2057", &format!("{:08x}", u32::from_be_bytes(id[..4].try_into().unwrap())));
    assert_eq!(VerifierKey::parse(&weak), Err(VkeyError::Key(KeyError::SmallOrder)));
    for name in ["", "a b", "a+b", "a\u{3000}b", "a\nb", "a\u{1}b"] {
        let key = vkey(PETER).key().clone();
        assert_eq!(VerifierKey::new(name, key), Err(VkeyError::Form), "{name:?}");
    }
}

#[test]
fn one_false_signature_by_a_known_key_rejects_the_note() {
    let (ann, bob) = (signer("ann", 1), signer("bob", 2));
    let keys = [ann.verifier().clone(), bob.verifier().clone()];
    let text = "one\n\ntwo\n".to_owned();
    let note = |signatures: Vec<NoteSignature>| Note { text: text.clone(), signatures }.format().unwrap();
    let mut false_bob = bob.sign(&text);
    false_bob.signature[9] ^= 1;
    let mut short_bob = bob.sign(&text);
    short_bob.signature.pop();

    let both = open(&note(vec![bob.sign(&text), ann.sign(&text)]), &keys).unwrap();
    assert_eq!((both.text.as_str(), both.signers), (text.as_str(), vec!["bob".to_owned(), "ann".to_owned()]));
    for bad in [false_bob, short_bob, bob.sign("other\n")] {
        let mixed = note(vec![ann.sign(&text), bob.sign(&text), bad]);
        assert_eq!(open(&mixed, &keys), Err(OpenError::BadSignature { name: "bob".to_owned() }));
        // For one who doesn't know bob's key the line means nothing.
        assert_eq!(open(&mixed, &keys[..1]).unwrap().signers, ["ann"]);
    }
    assert_eq!(open(&note(vec![ann.sign(&text)]), &keys[1..]), Err(OpenError::NoKnownKey));
    assert_eq!(open(&note(vec![ann.sign(&text)]), &[]), Err(OpenError::NoKnownKey));
    let twice = open(&note(vec![ann.sign(&text), ann.sign(&text)]), &keys).unwrap();
    assert_eq!(twice.signers, ["ann"]);
    // The same name with another key is another key.
    let imposter = signer("ann", 3);
    assert_eq!(open(&note(vec![imposter.sign(&text)]), &keys), Err(OpenError::NoKnownKey));
}

#[test]
fn a_note_in_any_other_form_is_refused() {
    for (bad, error) in [
        (String::new(), Error::Unsigned),
        (PETER_TEXT.to_owned(), Error::Unsigned),
        (format!("{PETER_TEXT}\n"), Error::Unsigned),
        (format!("{PETER_TEXT}{PETER_LINE}"), Error::Unsigned),
        (format!("{PETER_TEXT}\n{PETER_LINE}\n"), Error::Unsigned),
        (format!("{PETER_TEXT}\n{}", PETER_LINE.trim_end()), Error::Line { line: 1 }),
        (format!("{PETER_TEXT}\n{PETER_LINE}x\n"), Error::Line { line: 2 }),
        (format!("{PETER_TEXT}\n{}", PETER_LINE.replace('—', "-")), Error::Line { line: 1 }),
        (format!("{PETER_TEXT}\n{}", PETER_LINE.replace("AM=", "AM")), Error::Line { line: 1 }),
        (format!("{PETER_TEXT}\n{}", PETER_LINE.replace("AM=", "AN=")), Error::Line { line: 1 }),
        (format!("{PETER_TEXT}\n{}", PETER_LINE.replace(" x08", "  x08")), Error::Line { line: 1 }),
        (format!("{PETER_TEXT}\n— PeterNeumann x08goA==\n— a \n"), Error::Line { line: 1 }),
        (format!("{PETER_TEXT}\n— Peter+Neumann x08go/ZJ\n"), Error::Line { line: 1 }),
        (format!("{PETER_TEXT}\r\n{PETER_LINE}"), Error::Control),
        (format!("a\tb\n\n{PETER_LINE}"), Error::Control),
    ] {
        assert_eq!(Note::parse(&bad), Err(error), "{bad:?}");
    }
    let line = Note::parse(FOO_NOTE).unwrap().signatures;
    for text in ["", "no newline", "control \u{7}\n"] {
        assert!(Note { text: text.to_owned(), signatures: line.clone() }.format().is_err(), "{text:?}");
    }
    let mut named = line[0].clone();
    named.name = "a b".to_owned();
    assert!(Note { text: "a\n".to_owned(), signatures: vec![named] }.format().is_err());
    let split = Note { text: "a\n".to_owned(), signatures: vec![] };
    assert_eq!(split.format(), Err(Error::Unsigned));
}

#[test]
fn a_note_reaches_its_limits_and_not_beyond() {
    let ann = signer("ann", 1);
    let note = |count, text: &str| Note { text: text.to_owned(), signatures: vec![ann.sign(text); count] };
    assert!(note(SIGNATURES_MAX, "a\n").format().is_ok());
    assert_eq!(note(SIGNATURES_MAX + 1, "a\n").format(), Err(Error::Signatures));
    let rest = note(1, "\n").format().unwrap().len();
    let longest = format!("{}\n", "a".repeat(NOTE_BYTES_MAX - rest));
    assert!(note(1, &longest).format().is_ok());
    assert_eq!(note(1, &format!("a{longest}")).format(), Err(Error::TooLong));
}

#[test]
fn the_checkpoint_of_the_design_is_made_and_opened() {
    let ledger = signer("example.test/ledger", 0);
    assert_eq!(ledger.verifier(), &vkey(LEDGER));
    let own = checkpoint::sign(&head(), &ledger).unwrap();
    assert!(COSIGNED.starts_with(&own));
    // The witness line is by a key of another kind, so it is ignored here.
    assert_eq!(checkpoint::open(COSIGNED, &[vkey(LEDGER)], "example.test/ledger").unwrap(), head());
    let other = checkpoint::open(COSIGNED, &[vkey(LEDGER)], "example.test/other");
    assert_eq!(other, Err(checkpoint::OpenError::Origin { origin: "example.test/ledger".to_owned() }));
    let unknown = checkpoint::open(COSIGNED, &[vkey(PETER)], "example.test/ledger");
    assert_eq!(unknown, Err(checkpoint::OpenError::Note(OpenError::NoKnownKey)));
    for (from, to) in [("\n15\n", "\n16\n"), ("rKbD", "rKbE"), ("ledger\n", "ledges\n")] {
        assert!(
            checkpoint::open(&COSIGNED.replacen(from, to, 1), &[vkey(LEDGER)], "example.test/ledger")
                .is_err()
        );
    }
}

#[test]
fn a_checkpoint_has_one_form() {
    let root = "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=";
    let good = format!("o\n15\n{root}\n");
    assert_eq!(Checkpoint::parse(&good).unwrap().text().unwrap(), good);
    assert!(Checkpoint::parse(&format!("o\n{SIZE_MAX}\n{root}\n")).is_ok());
    for (bad, error) in [
        (String::new(), E::Lines),
        (format!("o\n15\n{root}"), E::Lines),
        (format!("o\n15\n{root}\n\n"), E::Lines),
        (format!("o\n15\n{root}\nextension\n"), E::Lines),
        ("o\n15\n".to_owned(), E::Lines),
        (format!("\n15\n{root}\n"), E::Origin),
        (format!("o\r\n15\n{root}\n"), E::Origin),
        (format!("o\n015\n{root}\n"), E::Size),
        (format!("o\n+15\n{root}\n"), E::Size),
        (format!("o\n-1\n{root}\n"), E::Size),
        (format!("o\n \n{root}\n"), E::Size),
        (format!("o\n{}\n{root}\n", SIZE_MAX + 1), E::Size),
        (format!("o\n15\n{}\n", &root[..40]), E::Root),
        (format!("o\n15\n{}\n", root.trim_end_matches('=')), E::Root),
        (format!("o\n15\n{root} \n"), E::Root),
        (format!("o\n15\n{}\n", root.replace("cs=", "ct=")), E::Root),
        (format!("o\n0\n{root}\n"), E::EmptyRoot),
    ] {
        assert_eq!(Checkpoint::parse(&bad), Err(error), "{bad:?}");
    }
    let mut unsignable = vec![head(); 4];
    unsignable[0].origin = "two\nlines".to_owned();
    unsignable[1].origin = String::new();
    unsignable[2].size = SIZE_MAX + 1;
    unsignable[3].size = 0;
    for head in unsignable {
        assert!(checkpoint::sign(&head, &signer("o", 0)).is_err(), "{head:?}");
    }
}
