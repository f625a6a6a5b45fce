//! Evidence of every kind of contradiction, and what is none.

use super::*;
use credit_log::envelope::SigningKey;
use credit_log::note::NoteSigner;
use credit_log::tree::root_of;
use credit_types::LogId;

const ORIGIN: &str = "dev.test/evidence";

fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new(ORIGIN, SigningKey::from_seed([seed; 32])).unwrap()
}

fn trust() -> Trust {
    Trust {
        log_id: LogId([1; 32]),
        origin: ORIGIN.to_owned(),
        checkpoint_keys: vec![signer(1).verifier().clone()],
        statement_keys: Vec::new(),
        witness_policy: None,
    }
}

fn leaves(count: u8, branch: u8) -> Vec<Hash> {
    (0..count).map(|leaf| if leaf < 5 { [leaf; 32] } else { [leaf ^ branch; 32] }).collect()
}

fn note(leaves: &[Hash], seed: u8) -> Shown {
    let size = u64::try_from(leaves.len()).unwrap();
    let head = Checkpoint { origin: ORIGIN.to_owned(), size, root: root_of(leaves) };
    let checkpoint = checkpoint::sign(&head, &signer(seed)).unwrap();
    Shown { checkpoint, at_us: 7, from: "http://log.example".to_owned() }
}

/// Leaves in memory, of less than a tile.
struct One(Vec<Hash>);

impl Tiles for One {
    type Error = std::convert::Infallible;

    fn tile(&self, _level: u8, _index: u64, _width: u16) -> Result<Vec<Hash>, Self::Error> {
        Ok(self.0.clone())
    }
}

fn prefix(small: usize, large: &[Hash]) -> Option<PrefixProof> {
    let (old, new) = (u64::try_from(small).unwrap(), u64::try_from(large.len()).unwrap());
    PrefixProof::read(&One(large.to_vec()), old, new, root_of(&large[..small]))
}

fn judged(evidence: &Evidence) -> Judgement {
    // Through its file, as others get it.
    let read = Evidence::parse(evidence.text().as_bytes()).unwrap();
    assert_eq!(read, *evidence);
    read.judge(&trust()).unwrap().judgement
}

#[test]
fn two_roots_at_one_size_are_two_histories() {
    let [ours, theirs] = [0, 128].map(|branch| note(&leaves(9, branch), 1));
    assert_eq!(judged(&Evidence::new(&trust(), ours.clone(), theirs, None)), Judgement::TwoHistories);
    assert_eq!(judged(&Evidence::new(&trust(), ours.clone(), ours, None)), Judgement::OneHistory);
}

#[test]
fn a_head_that_is_no_prefix_is_another_history_whichever_came_first() {
    for small in 1..=12usize {
        let (ours, theirs) = (leaves(12, 0), leaves(13, 128));
        let seen = note(&ours[..small], 1);
        let proof = prefix(small, &theirs);
        let wanted = if small <= 5 { Judgement::OneHistory } else { Judgement::TwoHistories };
        let grown = Evidence::new(&trust(), seen.clone(), note(&theirs, 1), proof.clone());
        assert_eq!(judged(&grown), wanted, "{small}");
        let shrunk = Evidence::new(&trust(), note(&theirs, 1), seen.clone(), proof);
        assert_eq!(judged(&shrunk), wanted, "{small}");
        assert_eq!(judged(&Evidence::new(&trust(), seen, note(&theirs, 1), None)), Judgement::Open);
    }
}

#[test]
fn evidence_that_is_bent_anywhere_shows_nothing() {
    let (ours, theirs) = (leaves(9, 0), leaves(13, 128));
    let whole = Evidence::new(&trust(), note(&ours, 1), note(&theirs, 1), prefix(9, &theirs));
    assert_eq!(judged(&whole), Judgement::TwoHistories);
    let mut forged = whole.clone();
    forged.seen = note(&ours, 2);
    assert!(matches!(forged.judge(&trust()), Err(EvidenceFault::NotSigned("seen first", _))));
    let mut forged = whole.clone();
    forged.shown = note(&theirs, 2);
    assert!(matches!(forged.judge(&trust()), Err(EvidenceFault::NotSigned("shown later", _))));
    let mut forged = whole.clone();
    forged.log_id = "00".repeat(32);
    assert!(matches!(forged.judge(&trust()), Err(EvidenceFault::OtherLog)));
    let proof = whole.prefix.clone().unwrap();
    let bent: [PrefixProof; 3] = [
        PrefixProof { root: hex(&root_of(&ours)), ..proof.clone() },
        PrefixProof { hashes: proof.hashes[1..].to_vec(), ..proof.clone() },
        PrefixProof { hashes: [proof.hashes.clone(), vec!["00".repeat(32)]].concat(), ..proof.clone() },
    ];
    for bent in bent {
        let forged = Evidence { prefix: Some(bent), ..whole.clone() };
        assert!(matches!(forged.judge(&trust()), Err(EvidenceFault::ProofFalse)));
    }
    let forged = Evidence { prefix: Some(PrefixProof { root: "0x".to_owned(), ..proof }), ..whole.clone() };
    assert!(matches!(forged.judge(&trust()), Err(EvidenceFault::Form)));
    for text in ["", "{}", &whole.text().replace("/v1", "/v2"), &whole.text().replacen('{', "{\"x\":1,", 1)] {
        assert!(matches!(Evidence::parse(text.as_bytes()), Err(EvidenceFault::Form)), "{text}");
    }
}
