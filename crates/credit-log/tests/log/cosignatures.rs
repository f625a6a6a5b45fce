//! Cosignatures: the vector of the design, keys of the right kind, forgeries in each field.

use credit_log::checkpoint;
use credit_log::cosignature::{Cosigned, Cosigner, CosignerKey, TIME_S_MAX, TimeError, cosigned};
use credit_log::envelope::SigningKey;
use credit_log::note::{Note, NoteSignature, OpenError, VerifierKey, VkeyError};

use crate::{base64, signer};

pub(crate) const WITNESS: &str =
    "example.test/witness-1+a7d236e5+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
pub(crate) const LEDGER: &str = "example.test/ledger+1c604424+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
pub(crate) const COSIGNED: &str = "example.test/ledger
15
rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=

— example.test/ledger HGBEJFGP4hCaxDmnixv2te7ADL5spqkuTFmYx3pw50K0Xu2QF4eIHOE6KOOqnOT013Kc8cO7lq5GpTuhAXcE9/VEiQY=
— example.test/witness-1 p9I25QAAAABlU/EAzT+qKbGMbrdzotHcC+Rfmgu3Qu1nY83BgzB6BVjDDTW5w16wFITT8pH1R2mxpUoivfpmVSLec6A16Pc3evqfCQ==
";
const TIME_S: u64 = 1_700_000_000;

/// The cosigner of a seed that counts up from `first`.
pub(crate) fn cosigner(name: &str, first: u8) -> Cosigner {
    let seed: Vec<u8> = (first..first + 32).collect();
    Cosigner::new(name, SigningKey::from_seed(seed.try_into().unwrap())).unwrap()
}

#[test]
fn the_cosignature_of_the_design_is_made_and_verified() {
    let witness = cosigner("example.test/witness-1", 0x20);
    let key = CosignerKey::parse(WITNESS).unwrap();
    assert_eq!((witness.verifier(), key.text().as_str()), (&key, WITNESS));
    let note = Note::parse(COSIGNED).unwrap();
    let line = witness.sign(&note.text, TIME_S).unwrap();
    assert_eq!(line, note.signatures[1]);
    assert_eq!(line.signature.len(), 72);
    assert_eq!(key.verify(&note.text, &line), Some(TIME_S));
    assert_eq!(cosigned(&note, &[key]), Ok(vec![Cosigned { witness: 0, time_s: TIME_S }]));
    // The log's own signature is judged apart, and is not touched by the line of the witness.
    let ledger = VerifierKey::parse(LEDGER).unwrap();
    assert_eq!(checkpoint::open(COSIGNED, &[ledger], "example.test/ledger").unwrap().size, 15);
}

/// No public key was published with the example of the specification: it can be read, not verified.
#[test]
fn the_cosignature_of_the_specification_is_read() {
    let lines = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let read = NoteSignature::parse_lines(lines).unwrap();
    assert_eq!(read[0].key_id, [0x8d, 0x66, 0xcf, 0x3f]);
    assert_eq!(read[0].signature.len(), 72);
    assert_eq!(u64::from_be_bytes(read[0].signature[..8].try_into().unwrap()), 1_679_315_147);
    assert_eq!(read[0].line(), lines);
}

#[test]
fn a_key_is_a_log_s_or_a_witness_s() {
    assert_eq!(CosignerKey::parse(LEDGER), Err(VkeyError::Algorithm));
    assert_eq!(VerifierKey::parse(WITNESS), Err(VkeyError::Algorithm));
    // A post-quantum key (type 6) is of an algorithm that isn't known here, whatever its length.
    let typed = [[6].as_slice(), &[7; 1312]].concat();
    let id = credit_log::hash::sha256(&[b"w\n".as_slice(), &typed].concat());
    let id = u32::from_be_bytes(id[..4].try_into().unwrap());
    let pq = format!("w+{id:08x}+{}", base64_of(&typed));
    assert_eq!(CosignerKey::parse(&pq), Err(VkeyError::Algorithm));
    for bad in ["", "w", "w+a7d236e5", &WITNESS.replace("a7d2", "a7d3"), &WITNESS[..WITNESS.len() - 1]] {
        assert!(CosignerKey::parse(bad).is_err(), "{bad}");
    }
    let key = cosigner("w", 1).verifier().key().clone();
    assert_eq!(CosignerKey::new("a b", key), Err(VkeyError::Form));
}

fn base64_of(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn a_cosignature_forged_in_any_field_is_false() {
    let key = CosignerKey::parse(WITNESS).unwrap();
    let Note { text, signatures } = Note::parse(COSIGNED).unwrap();
    let good = &signatures[1];
    for at in 0..good.signature.len() {
        let mut bent = good.clone();
        bent.signature[at] ^= 1;
        assert_eq!(key.verify(&text, &bent), None, "byte {at}");
    }
    for (from, to) in [("15", "16"), ("rKbD", "rKbE"), ("ledger", "ledges")] {
        assert_eq!(key.verify(&text.replacen(from, to, 1), good), None);
    }
    assert_eq!(key.verify(&format!("{text}extension\n"), good), None);
    for length in [0, 64, 71, 73] {
        let mut cut = good.clone();
        cut.signature.resize(length, 0);
        assert_eq!(key.verify(&text, &cut), None, "{length}");
    }
    // A plain signature over the text by the same key is no cosignature, and the other way round.
    let plain = signer("example.test/witness-1", 0x20).sign(&text);
    assert_eq!(key.verify(&text, &plain), None);
    let mut renamed = good.clone();
    renamed.name = "example.test/witness-2".to_owned();
    assert_eq!(key.verify(&text, &renamed), None);
}

#[test]
fn a_false_line_of_a_known_witness_rejects_the_note_and_others_are_passed_over() {
    let (ann, bob) = (cosigner("ann", 1), cosigner("bob", 2));
    let keys = [ann.verifier().clone(), bob.verifier().clone()];
    let text = "o\n0\nAAAA\n".to_owned();
    let note = |signatures: Vec<NoteSignature>| Note { text: text.clone(), signatures };
    let by = |witness: &Cosigner, time_s| witness.sign(&text, time_s).unwrap();
    let both = cosigned(&note(vec![by(&bob, 9), by(&ann, 5), by(&ann, 7), by(&ann, 6)]), &keys);
    // Of several lines of one witness the latest time counts.
    assert_eq!(both, Ok(vec![Cosigned { witness: 0, time_s: 7 }, Cosigned { witness: 1, time_s: 9 }]));
    let mut forged = by(&bob, 9);
    forged.signature[0] = 1;
    let mixed = note(vec![by(&ann, 5), forged]);
    assert_eq!(cosigned(&mixed, &keys), Err(OpenError::BadSignature { name: "bob".to_owned() }));
    assert_eq!(cosigned(&mixed, &keys[..1]).unwrap().len(), 1);
    assert_eq!(cosigned(&mixed, &[]), Ok(vec![]));
    let stranger = cosigner("ann", 3).sign(&text, 5).unwrap();
    assert_eq!(cosigned(&note(vec![stranger]), &keys), Ok(vec![]));
}

#[test]
fn the_time_of_a_cosignature_reaches_its_maximum_and_not_beyond() {
    let ann = cosigner("ann", 1);
    let line = ann.sign("o\n", TIME_S_MAX).unwrap();
    assert_eq!(ann.verifier().verify("o\n", &line), Some(TIME_S_MAX));
    assert_eq!(ann.sign("o\n", TIME_S_MAX + 1), Err(TimeError));
    // Even a true signature over such a time is none.
    let message = format!("cosignature/v1\ntime {}\no\n", TIME_S_MAX + 1);
    let seed: Vec<u8> = (1..33).collect();
    let signature = SigningKey::from_seed(seed.try_into().unwrap()).sign(message.as_bytes());
    let mut beyond = line;
    beyond.signature = [(TIME_S_MAX + 1).to_be_bytes().as_slice(), &signature].concat();
    assert_eq!(ann.verifier().verify("o\n", &beyond), None);
    assert_eq!(base64(&base64_of(&beyond.signature)).len(), 72);
}

#[test]
fn answered_lines_are_read_in_their_one_form() {
    use credit_log::note::{Error, SIGNATURES_MAX};
    let line = cosigner("ann", 1).sign("o\n", 1).unwrap().line();
    assert_eq!(NoteSignature::parse_lines(&line.repeat(SIGNATURES_MAX)).unwrap().len(), SIGNATURES_MAX);
    for (bad, error) in [
        (String::new(), Error::Unsigned),
        (line.trim_end().to_owned(), Error::Line { line: 1 }),
        (format!("{line}\n"), Error::Line { line: 2 }),
        (format!("{line}x\n"), Error::Line { line: 2 }),
        (line.replace('—', "-"), Error::Line { line: 1 }),
        (line.repeat(SIGNATURES_MAX + 1), Error::Signatures),
    ] {
        assert_eq!(NoteSignature::parse_lines(&bad), Err(error), "{bad:?}");
    }
}
