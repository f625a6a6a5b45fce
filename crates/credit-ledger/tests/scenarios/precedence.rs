//! Two faults at once: the one that stands first in `Reason` is told, whichever is found first.

use super::script::World;
use credit_types::Reason;

/// What goes before, the statement, what makes it wrong in an earlier and in a later way.
struct Pair {
    before: &'static [&'static str],
    line: &'static str,
    earlier: (Reason, &'static str),
    later: (Reason, &'static str),
}

const DEPOSITED: &[&str] = &["deposit a r1 ann"];
const SUSPENDED: &[&str] = &["deposit a r1 ann", "record a r1 ann suspend"];
const RETIRED: &[&str] = &["addkey a a.records2", "retire a.records2"];
const REPORTED: &[&str] = &["addkey a a.records2", "retire a.records2", "report a.records2 from=7"];
const BATCH: &[&str] = &["batch b1 a records 66"];

#[rustfmt::skip]
const PAIRS: [Pair; 34] = [
    Pair { before: SUSPENDED, line: "record a r1 ann reinstate", earlier: (Reason::FieldInvalid, "after=none"), later: (Reason::LogIdMismatch, "log=another") },
    Pair { before: &[], line: "ledger", earlier: (Reason::FieldInvalid, "origin=bank.example"), later: (Reason::LedgerExists, "notice=0") },
    Pair { before: &["open cid id=x"], line: "open dan", earlier: (Reason::LogIdMismatch, "log=none"), later: (Reason::CommandIdReused, "id=x") },
    Pair { before: &["open cid id=x"], line: "open dan", earlier: (Reason::CommandIdReused, "id=x"), later: (Reason::AnchorMissing, "anchor=none") },
    Pair { before: &[], line: "open cid", earlier: (Reason::AnchorMissing, "anchor=none"), later: (Reason::RoleMissing, "by=g") },
    Pair { before: &[], line: "open cid", earlier: (Reason::AnchorUnknown, "anchor=99"), later: (Reason::SignerUnknown, "by=nobody") },
    Pair { before: &["wait 31d"], line: "deposit a r1 ann anchor=none", earlier: (Reason::AnchorForged, "anchor=3!"), later: (Reason::AnchorStale, "anchor=3") },
    Pair { before: &["wait 31d"], line: "deposit a r1 ann anchor=none", earlier: (Reason::AnchorStale, "anchor=3"), later: (Reason::SignerNotAllowed, "by=authority") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::SignerUnknown, "by=nobody"), later: (Reason::KeyPurposeWrong, "sign=a.status") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::SignerNotAllowed, "by=operator"), later: (Reason::KeyUnknown, "sign=none") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::RoleMissing, "by=g sign=g.records"), later: (Reason::OutcomeExists, "fingerprint=taken") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::KeyUnknown, "sign=a.nobody,b.records"), later: (Reason::KeyOfAnother, "sign=b.records") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::KeyOfAnother, "sign=a.status,b.records"), later: (Reason::KeyPurposeWrong, "sign=a.status") },
    Pair { before: REPORTED, line: "deposit a r1 ann", earlier: (Reason::KeyCompromised, "sign=a.records2"), later: (Reason::AwardedInFuture, "awarded=2027-01-01") },
    Pair { before: RETIRED, line: "deposit a r1 ann", earlier: (Reason::KeyRetired, "sign=a.records2"), later: (Reason::SchemeUnknown, "amount=1000:NO") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::KeyPurposeWrong, "sign=a.status"), later: (Reason::NotAccredited, "kind=grade") },
    Pair { before: &[], line: "admit c keys=c.keys,c.recovery", earlier: (Reason::PossessionMissing, "sign=auth.1,c.keys"), later: (Reason::ThresholdNotMet, "sign=auth.1,c.keys,c.recovery") },
    Pair { before: &[], line: "admit c", earlier: (Reason::ThresholdNotMet, "sign=auth.1,c.keys,c.recovery,c.records,c.status,c.registry"), later: (Reason::ParentUnknown, "parent=d") },
    Pair { before: &[], line: "retire a.records", earlier: (Reason::SignatureNotNeeded, "sign=a.keys,a.recovery"), later: (Reason::StaleStatement, "after=0") },
    Pair { before: &[], line: "framework nqf 2 levels=10-80/10", earlier: (Reason::FrameworkLevelsChanged, "levels=10-90/10"), later: (Reason::SchemeChanged, "schemes=CN_XF:100") },
    Pair { before: &["open cid"], line: "deposit a r1 ann", earlier: (Reason::OutcomeExists, "fingerprint=taken"), later: (Reason::AwardedInFuture, "awarded=2027-01-01") },
    Pair { before: DEPOSITED, line: "correct a r1 r2 ann", earlier: (Reason::OutcomeExists, "fingerprint=taken"), later: (Reason::StaleStatement, "after=3") },
    Pair { before: DEPOSITED, line: "correct a r1 r2 ann", earlier: (Reason::StaleStatement, "after=3"), later: (Reason::AmountOffStep, "amount=1:CN_XF") },
    Pair { before: DEPOSITED, line: "record a r1 ann suspend", earlier: (Reason::StaleStatement, "after=3"), later: (Reason::EffectiveInFuture, "effective=2027-01-01") },
    Pair { before: DEPOSITED, line: "record a r1 ann suspend", earlier: (Reason::OrderRefMissing, "by=g"), later: (Reason::StaleStatement, "after=3") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::AwardedInFuture, "awarded=2027-01-01"), later: (Reason::NotAccredited, "kind=grade") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::ValidityBeforeAward, "until=2026-01-01"), later: (Reason::DatesBackwards, "end=2026-02-01") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::DatesBackwards, "end=2026-02-01"), later: (Reason::LevelNotInFramework, "level=nqf:99") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::NotAccredited, "kind=grade"), later: (Reason::FrameworkUnknown, "level=other:10") },
    Pair { before: &[], line: "deposit b r1 ann level=nqf:60 awarded=2025-01-01", earlier: (Reason::AccreditationNotInForce, "awarded=2026-01-01"), later: (Reason::LevelNotAccredited, "level=nqf:80") },
    Pair { before: &[], line: "deposit b r1 ann level=nqf:60 awarded=2025-01-01", earlier: (Reason::LevelNotAccredited, "level=nqf:80"), later: (Reason::SubjectNotAccredited, "subject=99") },
    Pair { before: &[], line: "deposit a r1 ann", earlier: (Reason::LevelNotInFramework, "level=nqf:99"), later: (Reason::SchemeUnknown, "amount=1000:NO") },
    Pair { before: BATCH, line: "close b1 a", earlier: (Reason::KeyPurposeWrong, "purpose=status"), later: (Reason::BatchOfAnother, "by=b") },
    Pair { before: &[], line: "start", earlier: (Reason::KeyOfAnother, "sign=auth.1"), later: (Reason::ProtocolUnknown, "protocol=2") },
];

fn reason_of(before: &[&str], line: &str) -> Option<Reason> {
    let mut world = World::founded();
    for line in before {
        assert!(world.tell(line).is_ok(), "{line}");
    }
    world.submit(line).err().map(|rejection| rejection.reason)
}

#[test]
fn of_two_faults_the_earlier_one_is_told() {
    for Pair { before, line, earlier, later } in &PAIRS {
        assert!(earlier.0 < later.0);
        let (first, second) = (earlier.1, later.1);
        assert_eq!(reason_of(before, &format!("{line} {first}")), Some(earlier.0), "{line} {first}");
        assert_eq!(reason_of(before, &format!("{line} {second}")), Some(later.0), "{line} {second}");
        let both = format!("{line} {second} {first}");
        assert_eq!(reason_of(before, &both), Some(earlier.0), "{both}");
    }
}
