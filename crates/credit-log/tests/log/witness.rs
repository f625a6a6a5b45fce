//! The witness protocol: the body, the order of refusals, and a conversation.

use credit_log::checkpoint::{self, Checkpoint, Error as CheckpointError};
use credit_log::consistency;
use credit_log::hash::{empty_root, sha256};
use credit_log::note::{NOTE_BYTES_MAX, Note, OpenError};
use credit_log::tree::{SIZE_MAX, root_of};
use credit_log::witness::{
    AddCheckpoint, Error, Last, REQUEST_BYTES_MAX, Refusal, SIZE_BYTES_MAX, judge, parse_size, trusted,
};
use credit_log::{Hash, ProofError};

use crate::tiles::Memory;
use crate::{hash64, leaves, signer};

/// The example of the specification, with two signatures of the log.
const EXAMPLE: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

#[test]
fn the_request_of_the_specification_is_read_and_made() {
    let request = AddCheckpoint::parse(EXAMPLE).unwrap();
    assert_eq!((request.old_size, request.proof.len()), (20_852_014, 4));
    assert_eq!(request.proof[3], hash64("/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0="));
    let (note, head) = request.head().unwrap();
    assert_eq!((head.size, head.origin.as_str()), (20_852_163, "example.com/behind-the-sofa"));
    assert_eq!(note.signatures.len(), 2);
    assert_eq!(request.format().unwrap(), EXAMPLE);
}

#[test]
fn a_request_in_any_other_form_is_refused() {
    let line = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
    for (bad, error) in [
        (String::new(), Error::OldSize),
        ("old 1".to_owned(), Error::OldSize),
        ("old  1\n\n".to_owned(), Error::OldSize),
        ("old 01\n\n".to_owned(), Error::OldSize),
        ("old +1\n\n".to_owned(), Error::OldSize),
        ("old -1\n\n".to_owned(), Error::OldSize),
        ("old 1 \n\n".to_owned(), Error::OldSize),
        ("Old 1\n\n".to_owned(), Error::OldSize),
        (format!("old {}\n\n", SIZE_MAX + 1), Error::OldSize),
        ("old 1\n".to_owned(), Error::Separator),
        (format!("old 1\n{line}"), Error::Separator),
        (format!("old 1\n{}", line.trim_end()), Error::Separator),
        (format!("old 1\n{line}short\n\n"), Error::Proof { line: 2 }),
        (format!("old 1\n{}\n", line.replace('=', "")), Error::Proof { line: 1 }),
        (format!("old 1\r\n{line}\n"), Error::OldSize),
        (format!("old 1\n{}\n", line.repeat(64)), Error::Proof { line: 64 }),
    ] {
        assert_eq!(AddCheckpoint::parse(&bad), Err(error), "{bad:?}");
    }
    assert!(AddCheckpoint::parse(&format!("old 1\n{}\nx", line.repeat(63))).is_ok());
    for (from, to) in
        [("\n20852163\n", "\n020852163\n"), ("CsUY", "CsU"), ("\n\n—", "\n—"), ("Az3g", "Az3g ")]
    {
        assert!(AddCheckpoint::parse(&EXAMPLE.replace(from, to)).unwrap().head().is_err(), "{from}");
    }
    let unwritable = AddCheckpoint { old_size: SIZE_MAX + 1, proof: vec![], checkpoint: String::new() };
    assert_eq!(unwritable.format(), Err(Error::OldSize));
}

#[test]
fn a_request_reaches_its_limits_and_not_beyond() {
    let longest = AddCheckpoint {
        old_size: SIZE_MAX,
        proof: vec![[7; 32]; 63],
        checkpoint: "c".repeat(NOTE_BYTES_MAX),
    };
    let text = longest.format().unwrap();
    assert!(text.len() <= REQUEST_BYTES_MAX);
    let padded = |bytes: usize| AddCheckpoint::parse(&format!("{text}{}", "c".repeat(bytes - text.len())));
    assert!(padded(REQUEST_BYTES_MAX).is_ok());
    assert_eq!(padded(REQUEST_BYTES_MAX + 1), Err(Error::TooLong));
    assert_eq!(format!("{SIZE_MAX}\n").len(), SIZE_BYTES_MAX);
    assert_eq!(parse_size(&format!("{SIZE_MAX}\n")), Some(SIZE_MAX));
    for bad in
        [format!("{}\n", SIZE_MAX + 1), "1".to_owned(), "01\n".to_owned(), " 1\n".to_owned(), String::new()]
    {
        assert_eq!(parse_size(&bad), None, "{bad:?}");
    }
}

#[test]
fn a_witness_reads_extension_lines_and_a_log_of_ours_has_none() {
    let root = "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=";
    let extended = format!("o\n15\n{root}\nextension\nanother one\n");
    assert_eq!(Checkpoint::parse(&extended), Err(CheckpointError::Lines));
    assert_eq!(Checkpoint::parse_extended(&extended).unwrap().size, 15);
    for bad in [format!("o\n15\n{root}\n\n"), format!("o\n15\n{root}\na\n\nb\n"), format!("o\n15\n{root}\na")]
    {
        assert_eq!(Checkpoint::parse_extended(&bad), Err(CheckpointError::Lines), "{bad:?}");
    }
    // What an empty log's root must be is a matter of the proof for a witness (422), not of the form (400).
    assert_eq!(Checkpoint::parse_extended(&format!("o\n0\n{root}\n")).unwrap().size, 0);
}

#[test]
fn only_lines_of_the_log_s_own_keys_are_kept() {
    let (ours, other) = (signer("o", 1), signer("o", 2));
    let text = "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".to_owned();
    let note = Note { text: text.clone(), signatures: vec![other.sign(&text), ours.sign(&text)] };
    let note = note.format().unwrap();
    let keys = [ours.verifier().clone()];
    assert_eq!(trusted(&note, &keys).unwrap(), [ours.sign(&text)]);
    assert_eq!(trusted(&note, &[signer("o", 3).verifier().clone()]), Err(OpenError::NoKnownKey));
    let mut bad = ours.sign(&text);
    bad.signature[3] ^= 1;
    let mixed = Note { text: text.clone(), signatures: vec![ours.sign(&text), bad] }.format().unwrap();
    assert_eq!(trusted(&mixed, &keys), Err(OpenError::BadSignature { name: "o".to_owned() }));
}

/// The log of the conversation: its leaves, so that any two sizes can be told about.
struct Log {
    hashes: Vec<Hash>,
    tree: Memory,
}

impl Log {
    fn new() -> Self {
        let hashes = leaves(9);
        Self { tree: Memory::of(&hashes), hashes }
    }

    fn head(&self, size: u64) -> Checkpoint {
        let root = root_of(&self.hashes[..usize::try_from(size).unwrap()]);
        Checkpoint { origin: "log.example".to_owned(), size, root }
    }

    fn request(&self, old: u64, head: &Checkpoint) -> AddCheckpoint {
        let proof = consistency::prove(&self.tree, old.min(head.size), head.size).unwrap();
        let checkpoint = checkpoint::sign(head, &signer("log.example", 9)).unwrap();
        AddCheckpoint { old_size: old, proof, checkpoint }
    }
}

/// After litewitness's own conversation (sizes 1, 3, 5), with the answers that version 1.0.0 gives.
#[test]
fn a_conversation_goes_as_the_specification_says() {
    let log = Log::new();
    let mut last = Last::none();
    let mut ask = |old: u64, head: &Checkpoint, bend: fn(&mut AddCheckpoint)| {
        let mut request = log.request(old, head);
        bend(&mut request);
        let verdict = judge(&request, head, &last);
        if verdict.is_ok() {
            last = Last { size: head.size, root: head.root };
        }
        verdict
    };
    let plain: fn(&mut AddCheckpoint) = |_| {};
    let inconsistent = |verdict: Result<(), Refusal>| matches!(verdict, Err(Refusal::Inconsistent(_)));
    // From nothing to 1; a proof from nothing must be empty.
    assert!(inconsistent(ask(0, &log.head(1), |request| request.proof.push([1; 32]))));
    assert_eq!(ask(3, &log.head(1), plain), Err(Refusal::OldSize { old: 3, new: 1 }));
    assert_eq!(ask(1, &log.head(3), plain), Err(Refusal::Conflict { size: 0 }));
    assert_eq!(ask(0, &log.head(1), plain), Ok(()));
    // The same again is cosigned again; from nothing it is a conflict.
    assert_eq!(ask(1, &log.head(1), plain), Ok(()));
    assert_eq!(ask(0, &log.head(3), plain), Err(Refusal::Conflict { size: 1 }));
    assert_eq!(ask(1, &log.head(3), plain), Ok(()));
    // Rolling back is never cosigned, whatever the old size says.
    assert_eq!(ask(1, &log.head(1), plain), Err(Refusal::Conflict { size: 3 }));
    assert_eq!(ask(3, &log.head(1), plain), Err(Refusal::OldSize { old: 3, new: 1 }));
    // Another root at the same size, a false, a longer and a shorter proof.
    let forked = Checkpoint { root: [9; 32], ..log.head(3) };
    assert_eq!(ask(3, &forked, plain), Err(Refusal::Inconsistent(ProofError::Root)));
    assert!(inconsistent(ask(3, &Checkpoint { root: [9; 32], ..log.head(5) }, plain)));
    assert!(inconsistent(ask(3, &log.head(5), |request| request.proof[0][0] ^= 1)));
    assert!(inconsistent(ask(3, &log.head(5), |request| request.proof.push([1; 32]))));
    assert!(inconsistent(ask(3, &log.head(5), |request| request.proof.clear())));
    assert_eq!(ask(3, &log.head(5), plain), Ok(()));
}

#[test]
fn an_empty_log_has_one_root() {
    let log = Log::new();
    let empty = log.head(0);
    assert_eq!(empty.root, empty_root());
    assert_eq!(judge(&log.request(0, &empty), &empty, &Last::none()), Ok(()));
    let other = Checkpoint { root: sha256(b"x"), ..empty.clone() };
    let request = AddCheckpoint { old_size: 0, proof: vec![], checkpoint: String::new() };
    assert_eq!(judge(&request, &other, &Last::none()), Err(Refusal::Inconsistent(ProofError::Root)));
}
