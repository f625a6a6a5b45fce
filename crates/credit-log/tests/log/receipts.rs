//! Receipts: the published form, garbage, and forgeries.

use credit_log::checkpoint::{self, Checkpoint};
use credit_log::inclusion::prove_in;
use credit_log::receipt::{EXTRA_BYTES_MAX, Error, RECEIPT_BYTES_MAX, TlogProof, VerifyError};
use credit_log::tree::root_of;

use crate::{leaves, signer};

fn receipt(index: u64) -> TlogProof {
    let hashes = leaves(13);
    let head = Checkpoint { origin: "example.test/ledger".to_owned(), size: 13, root: root_of(&hashes) };
    TlogProof {
        extra: None,
        index,
        path: prove_in(&hashes, index).unwrap(),
        checkpoint: checkpoint::sign(&head, &signer("example.test/ledger", 0)).unwrap(),
    }
}

#[test]
fn the_published_receipt_is_made_and_read() {
    let proof = TlogProof { extra: None, index: 0, path: vec![], checkpoint: "checkpoint\n".to_owned() };
    assert_eq!(proof.format().unwrap(), "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n");
    assert_eq!(TlogProof::parse("c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n").unwrap(), proof);
}

#[test]
fn a_receipt_in_any_other_form_is_refused() {
    let hash = "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n";
    let head = "c2sp.org/tlog-proof@v1\n";
    let good = format!("{head}extra AAE=\nindex 7\n{hash}{hash}\nc\n");
    assert_eq!(TlogProof::parse(&good).unwrap().format().unwrap(), good);
    for (bad, error) in [
        (String::new(), Error::Header),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\nc\n".to_owned(), Error::Header),
        ("c2sp.org/tlog-proof@v1\r\nindex 0\n\nc\n".to_owned(), Error::Header),
        (head.to_owned(), Error::Index),
        (format!("{head}{hash}\nc\n"), Error::Index),
        (format!("{head}index -5\n\nc\n"), Error::Index),
        (format!("{head}index notanumber\n\nc\n"), Error::Index),
        (format!("{head}index 05\n\nc\n"), Error::Index),
        (format!("{head}index 18446744073709551616\n\nc\n"), Error::Index),
        (format!("{head}index 7\nextra AAE=\n\nc\n"), Error::Path),
        (format!("{head}extra AAE=\nextra AAE=\nindex 7\n\nc\n"), Error::Index),
        (format!("{head}extra \nindex 7\n\nc\n"), Error::Extra),
        (format!("{head}extra A*E=\nindex 7\n\nc\n"), Error::Extra),
        (format!("{head}extra AAF=\nindex 7\n\nc\n"), Error::Extra),
        (format!("{head}index 7\nAAE=\n\nc\n"), Error::Path),
        (format!("{head}index 7\n*\n\nc\n"), Error::Path),
        (format!("{head}index 7\n{hash}"), Error::Checkpoint),
        (format!("{head}index 7\n{hash}\n"), Error::Checkpoint),
        (format!("{head}index 7\n{hash}\nc"), Error::Checkpoint),
    ] {
        assert_eq!(TlogProof::parse(&bad), Err(error), "{bad:?}");
    }
    assert!(TlogProof::parse(&format!("{head}index 7\n{}\nc\n", hash.repeat(63))).is_ok());
    assert_eq!(TlogProof::parse(&format!("{head}index 7\n{}\nc\n", hash.repeat(64))), Err(Error::Path));
}

#[test]
fn a_receipt_reaches_its_limits_and_not_beyond() {
    let mut proof = receipt(3);
    proof.extra = Some(vec![7; EXTRA_BYTES_MAX]);
    assert_eq!(TlogProof::parse(&proof.format().unwrap()).unwrap(), proof);
    proof.extra = Some(vec![7; EXTRA_BYTES_MAX + 1]);
    assert_eq!(proof.format(), Err(Error::Extra));
    proof.extra = Some(vec![]);
    assert_eq!(proof.format(), Err(Error::Extra));
    proof.extra = None;
    let rest = proof.format().unwrap().len() - proof.checkpoint.len();
    proof.checkpoint = format!("{}\n", "a".repeat(RECEIPT_BYTES_MAX - rest - 1));
    assert_eq!(proof.format().unwrap().len(), RECEIPT_BYTES_MAX);
    proof.checkpoint.insert(0, 'a');
    assert_eq!(proof.format(), Err(Error::TooLong));
}

#[test]
fn a_receipt_forged_in_any_field_proves_nothing() {
    let keys = [signer("example.test/ledger", 0).verifier().clone()];
    let hashes = leaves(13);
    for (leaf, index) in hashes.iter().zip(0u64..) {
        let good = receipt(index);
        let read = TlogProof::parse(&good.format().unwrap()).unwrap();
        assert_eq!(read.verify(leaf, &keys, "example.test/ledger").unwrap().size, 13);
        let mut other = good.clone();
        other.index = (index + 1) % 13;
        assert!(matches!(other.verify(leaf, &keys, "example.test/ledger"), Err(VerifyError::Proof(_))));
        let mut other = good.clone();
        other.path[0][0] ^= 1;
        assert!(matches!(other.verify(leaf, &keys, "example.test/ledger"), Err(VerifyError::Proof(_))));
        let mut other = good.clone();
        other.checkpoint = other.checkpoint.replacen("\n13\n", "\n14\n", 1);
        assert!(matches!(other.verify(leaf, &keys, "example.test/ledger"), Err(VerifyError::Checkpoint(_))));
        assert!(matches!(good.verify(&[0; 32], &keys, "example.test/ledger"), Err(VerifyError::Proof(_))));
        assert!(matches!(good.verify(leaf, &keys, "example.test/other"), Err(VerifyError::Checkpoint(_))));
        let strangers = [signer("example.test/ledger", 9).verifier().clone()];
        assert!(matches!(
            good.verify(leaf, &strangers, "example.test/ledger"),
            Err(VerifyError::Checkpoint(_))
        ));
    }
}
