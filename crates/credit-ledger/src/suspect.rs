//! What rests on a key that was reported as compromised: a view, never a posting.

use crate::row::{AccountRow, KeyRow, RecordRow, StatusStep};
use credit_types::Kid;
use credit_types::limits::SUSPECT_DEPTH_MAX;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Gives the row of an institution's key; `None` for every other key.
pub type Keys<'a> = &'a dyn Fn(Kid) -> Option<Arc<KeyRow>>;

/// Whether a use of a key at an index is suspect, to any depth: the key itself was compromised in a range around the
/// index or around its manifest's, or one of the keys that authorised it was when it did so.
pub fn is_suspect(keys: Keys, kid: Kid, index: u64, manifest_index: Option<u64>) -> bool {
    // Most keys were authorised by none of an institution: nothing to walk.
    match keys(kid) {
        None => return false,
        Some(row) if row.authorised_by.is_empty() => return covers(&row, index, manifest_index),
        Some(_) => {}
    }
    let mut walked = BTreeSet::from([(kid, index)]);
    let mut open = vec![(kid, index, manifest_index)];
    while let Some((kid, index, manifest_index)) = open.pop() {
        let Some(row) = keys(kid) else { continue };
        if covers(&row, index, manifest_index) {
            return true;
        }
        for authority in &row.authorised_by {
            if walked.insert((*authority, row.active_from_index)) {
                open.push((*authority, row.active_from_index, None));
            }
        }
        // Each step leads to another key of the same institution.
        assert!(walked.len() <= SUSPECT_DEPTH_MAX, "an institution has a bounded number of keys");
    }
    false
}

/// Whether a key's own suspect range covers a use or its manifest.
fn covers(row: &KeyRow, index: u64, manifest_index: Option<u64>) -> bool {
    in_range(row, index) || manifest_index.is_some_and(|manifest| in_range(row, manifest))
}

/// Whether a key's own suspect range covers an index. From the report on, nothing is accepted by it.
fn in_range(row: &KeyRow, index: u64) -> bool {
    row.compromised.is_some_and(|report| (report.suspect_from_index..report.index).contains(&index))
}

/// Whether an account's opening rests on a suspect key.
pub fn opening_is_suspect(keys: Keys, account: &AccountRow) -> bool {
    is_suspect(keys, account.kid, account.opened_index, account.manifest_index)
}

/// Whether a record's deposit, or the opening of its account, rests on a suspect key.
pub fn deposit_is_suspect(keys: Keys, record: &RecordRow, account: &AccountRow) -> bool {
    is_suspect(keys, record.kid, record.deposited_index, record.manifest_index)
        || opening_is_suspect(keys, account)
}

/// Whether a change of status rests on a suspect key.
pub fn step_is_suspect<S>(keys: Keys, step: &StatusStep<S>) -> bool {
    is_suspect(keys, step.kid, step.index, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Compromised;
    use credit_types::{InstitutionId, InstitutionKey, PublicKey};
    use std::collections::BTreeMap;

    fn kid(number: u16) -> Kid {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        Kid(bytes)
    }

    /// A key that became active at an index, under another key, reported with (from, own index).
    fn row(number: u16, active: u64, under: Option<u16>, report: Option<(u64, u64)>) -> (Kid, KeyRow) {
        let key = PublicKey { bytes: [0; 32], kid: kid(number) };
        let row = KeyRow {
            owner: InstitutionId::new("cn.x").unwrap(),
            key: InstitutionKey { key, purposes: BTreeSet::new() },
            active_from_index: active,
            authorised_by: under.map(kid).into_iter().collect(),
            retired_index: None,
            compromised: report.map(|(suspect_from_index, index)| Compromised { index, suspect_from_index }),
            last_status_index: active,
        };
        (kid(number), row)
    }

    fn suspect(rows: &BTreeMap<Kid, KeyRow>, number: u16, index: u64, manifest: Option<u64>) -> bool {
        is_suspect(&|kid| rows.get(&kid).cloned().map(Arc::new), kid(number), index, manifest)
    }

    #[test]
    fn a_use_is_suspect_from_the_first_doubtful_index_up_to_the_report() {
        let rows = BTreeMap::from([row(1, 3, None, Some((5, 9)))]);
        for (index, manifest, expected) in [
            (4, None, false),
            (5, None, true),
            (8, None, true),
            (9, None, false),
            (20, Some(4), false),
            (20, Some(5), true),
            (8, Some(4), true),
        ] {
            assert_eq!(suspect(&rows, 1, index, manifest), expected, "{index} {manifest:?}");
        }
        assert!(!suspect(&rows, 2, 5, None), "a key of the authority is never suspect");
    }

    #[test]
    fn a_key_added_in_the_range_is_suspect_for_ever_and_so_are_those_it_adds() {
        let under = |active| {
            BTreeMap::from([
                row(1, 1, None, Some((5, 9))),
                row(2, active, Some(1), None),
                row(3, active + 10, Some(2), None),
            ])
        };
        for (active, expected) in [(4, false), (5, true), (8, true)] {
            for number in [2, 3] {
                assert_eq!(suspect(&under(active), number, 100, None), expected, "{number} at {active}");
            }
        }
    }

    #[test]
    fn a_chain_of_as_many_keys_as_an_institution_may_have_is_walked() {
        let last = u16::try_from(SUSPECT_DEPTH_MAX).unwrap();
        let chain = |report| {
            let first = row(1, 1, None, report);
            let rest = (2..=last).map(|number| row(number, u64::from(number), Some(number - 1), None));
            [first].into_iter().chain(rest).collect::<BTreeMap<_, _>>()
        };
        assert!(suspect(&chain(Some((2, 3))), last, 1_000, None));
        assert!(!suspect(&chain(Some((3, 4))), last, 1_000, None));
        assert!(!suspect(&chain(None), last, 1_000, None));
    }
}
