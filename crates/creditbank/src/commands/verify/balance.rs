//! Checks a balance that was kept with `creditbank balance --keep` against what is pinned of the ledger.

use super::super::Context;
use super::super::balance::{document, show};
use super::super::connect::trust;
use super::super::labels::instant;
use super::super::recorded::{self, witness_state};
use super::receipt::{OFFSET_MINUTES, bounded, tell_witnesses};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_client::SignedBalance;
use credit_types::Subject;
use std::path::Path;

/// The most bytes of a balance's file, in hexadecimal twice as long as the balance.
pub(crate) const BALANCE_FILE_BYTES_MAX: u64 = 5 << 20;

/// Checks a balance.
pub(super) fn run(context: &mut Context, file: &Path, trust_file: Option<&Path>) -> Ending {
    let trust = trust(context, trust_file)?;
    let kept = SignedBalance::from_bytes(&bounded(file, BALANCE_FILE_BYTES_MAX)?)
        .map_err(|cause| CommandError::usage(Phrase::NotABalance, &[&file.display()]).because(cause))?;
    let (statement, receipt) =
        kept.verify(&trust).map_err(|fault| super::unproved(fault, Phrase::BalanceFalse))?;
    let account = match &statement.head.subject {
        Subject::Account(account) => account.to_string(),
        Subject::Institution(_) | Subject::Log | Subject::Book(_) => {
            return Err(CommandError::new(Exit::Broken, Phrase::BalanceFalse, &[]));
        }
    };
    let output = &context.output;
    let (core, origin) = (&receipt.core, &receipt.checkpoint.origin);
    output.line(Phrase::BalanceHolds, &[&account, &origin]);
    output.line(Phrase::BalanceRestsOn, &[&core.index, &instant(core.recorded_at_us, OFFSET_MINUTES)]);
    show(context, &statement, true);
    tell_witnesses(*output, &receipt.witnesses);
    let more = serde_json::json!({
        "verdict": "OK",
        "account_ref": account,
        "origin": origin,
        "index": core.index,
        "witness_state": witness_state(&receipt.witnesses),
    });
    output.json(&recorded::with(document(&statement, true), more));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The balance itself is bounded more tightly; its file may be text.
    #[test]
    fn a_balances_file_is_bounded_with_room_for_each_form() {
        let most = usize::try_from(BALANCE_FILE_BYTES_MAX).unwrap();
        assert!(credit_client::BALANCE_BYTES_MAX.checked_mul(2).unwrap() < most);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        for (bytes, ok) in [(most, true), (most.saturating_add(1), false)] {
            std::fs::write(&path, vec![b' '; bytes]).unwrap();
            assert_eq!(bounded(&path, BALANCE_FILE_BYTES_MAX).is_ok(), ok, "{bytes}");
        }
    }
}
