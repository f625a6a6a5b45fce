//! Checks a receipt against what is pinned of the ledger; nothing else is needed.

use super::super::Context;
use super::super::connect::trust;
use super::super::labels::{instant, unhex};
use super::super::recorded::{seconds_text, witness_state};
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::language::Phrase;
use crate::output::Output;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_client::{Receipt, Witnesses};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The most bytes of a receipt's file: a receipt opens at most the parts of one entry, in hexadecimal twice as long.
pub(crate) const RECEIPT_FILE_BYTES_MAX: u64 = 4 << 20;
/// China's offset from UTC, in which times are shown: a receipt does not say the ledger's.
pub(super) const OFFSET_MINUTES: i32 = 480;

/// Checks a receipt.
pub(super) fn run(context: &mut Context, file: &Path, trust_file: Option<&Path>) -> Ending {
    let trust = trust(context, trust_file)?;
    let receipt = read(file)?;
    let verified = receipt.verify(&trust).map_err(|fault| super::unproved(fault, Phrase::ReceiptFalse))?;
    let output = &context.output;
    let (core, head, checkpoint) = (&verified.core, &verified.head, &verified.checkpoint);
    let time = instant(core.recorded_at_us, OFFSET_MINUTES);
    output.line(Phrase::ReceiptHolds, &[&core.index, &checkpoint.size, &checkpoint.origin]);
    output.line(Phrase::ReceiptEntry, &[&time, &head.actor, &head.command_id]);
    let (statements, events) = (verified.statements.len(), verified.events.len());
    output.line(Phrase::ReceiptOpens, &[&verified.links.len(), &statements, &events]);
    tell_witnesses(*output, &verified.witnesses);
    output.json(&serde_json::json!({
        "verdict": "OK",
        "index": core.index,
        "leaf_hash": verified.leaf_hash.to_string(),
        "recorded_at_us": core.recorded_at_us,
        "actor": head.actor.as_str(),
        "command_id": head.command_id.to_string(),
        "links": verified.links.len(),
        "statements": statements,
        "events": events,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "witness_state": witness_state(&verified.witnesses),
        "witnesses": witnesses(&verified.witnesses),
    }));
    Ok(Exit::Done)
}

/// Says what the cosignatures come to.
pub(super) fn tell_witnesses(output: Output, witnesses: &Witnesses) {
    match witnesses {
        Witnesses::Met(by) => {
            let time_s = by.iter().map(|by| by.time_s).max().unwrap_or(0);
            output.line(Phrase::Witnessed, &[&by.len(), &seconds_text(time_s)]);
        }
        Witnesses::NotPinned { claimed: true } => output.line(Phrase::WitnessesNotPinned, &[]),
        Witnesses::NotPinned { claimed: false } | Witnesses::NotMet => output.line(Phrase::Unwitnessed, &[]),
    }
}

/// The witnesses that count, for programs.
fn witnesses(witnesses: &Witnesses) -> Vec<serde_json::Value> {
    match witnesses {
        Witnesses::Met(by) => {
            by.iter().map(|by| serde_json::json!({ "name": by.name, "time_s": by.time_s })).collect()
        }
        Witnesses::NotPinned { .. } | Witnesses::NotMet => Vec::new(),
    }
}

/// Reads a receipt.
fn read(path: &Path) -> Result<Receipt, CommandError> {
    Receipt::from_bytes(&bounded(path, RECEIPT_FILE_BYTES_MAX)?)
        .map_err(|cause| CommandError::usage(Phrase::NotAReceipt, &[&path.display()]).because(cause))
}

/// Reads the bytes of a proof, in whichever form they are kept: as they are, or as hexadecimal or base64 text.
pub(in super::super) fn bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable(path))?;
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable(path))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(CommandError::usage(Phrase::FileTooLong, &[&path.display(), &bytes_max]));
    }
    Ok(binary(bytes))
}

/// The bytes behind hexadecimal or base64 text; all else is taken as it is.
fn binary(bytes: Vec<u8>) -> Vec<u8> {
    let text: Option<String> = std::str::from_utf8(&bytes)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()))
        .map(|text| text.split_ascii_whitespace().collect());
    let decoded = text.and_then(|text| unhex(&text).or_else(|| STANDARD.decode(&text).ok()));
    decoded.unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 1 of a receipt with so many bytes: one by its form, whatever it proves.
    fn core(bytes: usize) -> Vec<u8> {
        let mut length = bytes;
        let mut wire = vec![0x0a];
        while length >= 0x80 {
            wire.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        wire.push(u8::try_from(length).unwrap());
        wire.resize(wire.len().saturating_add(bytes), 0x08);
        wire
    }

    #[test]
    fn a_receipt_is_read_in_each_of_its_forms() {
        let bytes = core(200);
        let hex = super::super::super::labels::hex(&bytes);
        let broken_lines = format!("{}\n{}\n", &hex[..6], &hex[6..]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        for form in [bytes.clone(), broken_lines.into_bytes(), STANDARD.encode(&bytes).into_bytes()] {
            std::fs::write(&path, form).unwrap();
            assert_eq!(read(&path).unwrap().to_bytes(), bytes);
        }
        std::fs::write(&path, "no receipt at all!").unwrap();
        assert_eq!(read(&path).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn a_receipts_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        let most = usize::try_from(RECEIPT_FILE_BYTES_MAX).unwrap();
        let text = |bytes: usize| {
            let mut text = STANDARD.encode(core(200)).into_bytes();
            text.resize(bytes, b' ');
            text
        };
        for (bytes, ok) in [(most, true), (most.saturating_add(1), false)] {
            std::fs::write(&path, text(bytes)).unwrap();
            assert_eq!(read(&path).is_ok(), ok, "{bytes}");
        }
    }
}
