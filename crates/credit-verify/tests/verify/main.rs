//! A bank is built in the test, of the same crates as the real one, and lies in every way that came to mind. The
//! verifier must accept what is right, and name the rule where something is not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as expected"
)]
#![expect(clippy::print_stdout, reason = "a test says why it cannot run")]

mod accepted;
mod balances;
mod bank;
mod batches;
mod bounded;
mod bundles;
mod bytes;
mod college;
mod conversions;
mod evidence;
mod foreign;
mod forged;
mod frames;
mod heads;
mod newer;
mod onlookers;
mod parcel;
mod receipts;
mod story;
mod together;

use bank::Bank;
use credit_ledger::{Row, RowId};
use credit_verify::{Broken, Report, Verdict, Verifier};
use std::collections::BTreeMap;

/// Checks the whole log under its checkpoint, with what is pinned of it.
pub(crate) fn verified(bank: &Bank) -> Report {
    let mut verifier = Verifier::new(Some(bank.trust()));
    for raw in &bank.entries {
        if verifier.push(&raw.bytes()).is_err() {
            break;
        }
    }
    verifier.finish(Some(&bank.checkpoint())).unwrap()
}

/// All rows of a verifier by their names, each there once.
pub(crate) fn rows(verifier: &mut Verifier<'_>) -> BTreeMap<RowId, Row> {
    let mut all = verifier.rows().unwrap();
    let mut rows = BTreeMap::new();
    while let Some((id, row)) = all.next_row().unwrap() {
        assert!(rows.insert(id, row).is_none());
    }
    rows
}

/// Asserts that a log is broken at this entry by this rule, also if its last entries are read at once.
#[track_caller]
pub(crate) fn breaks(bank: &Bank, index: u64, rule: &str) {
    let report = verified(bank);
    for behind in [1, 4] {
        let at_once = together::read_at_once(bank, bank.entries.len().saturating_sub(behind)).0;
        assert_eq!(at_once, report, "the last {behind} read at once");
    }
    match report.verdict {
        Verdict::Broken(Broken { index: at, rule: broken, detail }) => {
            assert_eq!((at, broken.to_string().as_str()), (index, rule), "{detail}");
        }
        other @ (Verdict::Ok | Verdict::NeedsNewer { .. }) => panic!("{rule} at {index}: {other:?}"),
    }
}
