//! Signatures checked together: what is said of a log is what is said of it when each is checked by itself.

use credit_log::parts::parts_root;
use credit_log::strict_batch::BatchSeed;
use credit_proto::entry::{StatementPart, decode_core, decode_parts, encode_core};
use credit_types::Digest;
use credit_verify::{DetailsSource, EntryBytes, Report, Verdict, Verifier};

use crate::bank::{Bank, Raw};
use crate::bounded::long;
use crate::{rows, verified};

/// Reads the entries from one on at once, once those before have been judged, and judges them in their order.
pub(crate) fn read_at_once(bank: &Bank, from: usize) -> (Report, Verifier<'static>) {
    let mut verifier = Verifier::new(Some(bank.trust()));
    let (before, rest) = bank.entries.split_at(from);
    let mut held = before.iter().all(|raw| verifier.push(&raw.bytes()).is_ok());
    let asked: Vec<(EntryBytes<'_>, Option<&dyn DetailsSource>)> =
        rest.iter().map(|raw| (raw.bytes(), None)).collect();
    let prepared = verifier.preparer().with_seed(BatchSeed([1; 32])).prepare_all(&asked);
    assert_eq!(prepared.len(), rest.len());
    for (raw, prepared) in rest.iter().zip(prepared) {
        held = held && verifier.push_prepared(&raw.bytes(), None, prepared).is_ok();
    }
    (verifier.finish(Some(&bank.checkpoint())).unwrap(), verifier)
}

/// The entry with one bit of its first signature flipped, and otherwise sound.
fn forged(raw: &Raw) -> Raw {
    let mut raw = raw.clone();
    let parts = decode_parts(&raw.parts).unwrap();
    let StatementPart::Signed(envelope) = &parts.statements[0] else { panic!("no signature") };
    let (_, signature) = envelope.signatures[0];
    let found = raw.parts.iter_mut().find_map(|part| {
        let at = part.windows(64).position(|bytes| bytes == signature)?;
        part.get_mut(at + 40)
    });
    *found.unwrap() ^= 1;
    let mut core = decode_core(&raw.core).unwrap();
    core.parts_root = Digest(parts_root(&raw.secret, &raw.parts));
    raw.core = encode_core(&core);
    raw
}

#[test]
fn a_sound_log_is_as_sound_when_its_signatures_are_checked_together() {
    let bank = long();
    let expected = verified(&bank);
    assert_eq!(expected.verdict, Verdict::Ok);
    let size = bank.entries.len();
    for from in [0, 1, size / 10, size / 2, size - 1, size] {
        let (report, mut verifier) = read_at_once(&bank, from);
        assert_eq!(report, expected, "from {from}");
        assert_eq!(rows(&mut verifier), bank.rows);
    }
}

#[test]
fn the_first_false_signature_is_named_among_many_and_so_is_what_comes_before_it() {
    let bank = long();
    let from = bank.entries.len() / 10;
    for many in [[200, 200], [200, 201], [201, 500], [from, 690], [690, 690]] {
        let mut bent = bank.clone();
        for at in many {
            bent.entries[at] = forged(&bank.entries[at]);
        }
        let expected = verified(&bent);
        let Verdict::Broken(broken) = &expected.verdict else { panic!("{:?}", expected.verdict) };
        assert_eq!(
            (broken.index, broken.rule.code()),
            (u64::try_from(many[0]).unwrap(), "SIGNATURE_INVALID")
        );
        assert_eq!(read_at_once(&bent, from).0, expected);
        // An entry before that only the rows refuse comes first.
        bent.entries[many[0] - 1] = bank.entries[many[0] - 2].clone();
        let expected = verified(&bent);
        let Verdict::Broken(broken) = &expected.verdict else { panic!("{:?}", expected.verdict) };
        assert_eq!(broken.index, u64::try_from(many[0] - 1).unwrap());
        assert_eq!(read_at_once(&bent, from.min(many[0] - 1)).0, expected);
    }
}
