//! Waiting until enough witnesses have cosigned the head over an entry.

use super::{Context, Writing};
use crate::ending::{CommandError, Exit};
use crate::language::Phrase;
use credit_client::{Client, Receipt, Witnesses};
use std::time::Duration;

/// What waiting has brought.
pub(super) struct Waited {
    /// The last receipt: of the same entry, under a newer head.
    pub(super) receipt: Receipt,
    /// What its cosignatures come to.
    pub(super) witnesses: Witnesses,
    /// How the command ends on this account.
    pub(super) exit: Exit,
}

/// Waits, if that was asked for. The entry is recorded either way; without enough cosignatures the command ends with
/// the exit code of what can't be reached.
pub(super) async fn wait(
    context: &Context,
    client: &Client,
    writing: &Writing,
    index: u64,
) -> Result<Option<Waited>, CommandError> {
    let Some(seconds) = writing.wait_for_witnesses else { return Ok(None) };
    let (receipt, verified) = client.get_witnessed_receipt(index, Duration::from_secs(seconds)).await?;
    let exit = match &verified.witnesses {
        Witnesses::Met(by) => {
            let (count, time_s) = (by.len(), by.iter().map(|by| by.time_s).max().unwrap_or(0));
            context.output.line(Phrase::Witnessed, &[&count, &seconds_text(time_s)]);
            Exit::Done
        }
        Witnesses::NotMet => {
            context.output.note(Phrase::NotWitnessedInTime, &[&seconds]);
            Exit::Unreachable
        }
        Witnesses::NotPinned { claimed: _ } => {
            context.output.note(Phrase::NoPolicyToWaitFor, &[]);
            Exit::Usage
        }
    };
    Ok(Some(Waited { receipt, witnesses: verified.witnesses, exit }))
}

/// The state as documents for programs name it.
pub(in crate::commands) fn witness_state(witnesses: &Witnesses) -> &'static str {
    if witnesses.are_enough() { "WITNESSED" } else { "UNWITNESSED" }
}

/// A time in seconds as people read it, in China's offset.
pub(in crate::commands) fn seconds_text(time_s: u64) -> String {
    let micros = i64::try_from(time_s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    super::super::labels::instant(micros, 480)
}
