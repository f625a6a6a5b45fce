//! A dishonest copy: one byte of one entry is another, and the verifier says which entry.

use super::super::Context;
use super::super::connect::trust;
use super::super::rebuild::Stopped;
use super::{failed, say};
use crate::ending::{CommandError, Exit};
use credit_store::sled::{Options, SledStore};
use credit_store::{Batch, BodyBytes, EntryBytes, Store as _};
use credit_types::Text;
use credit_verify::{Verdict, Verifier};
use std::path::Path;

/// Entries copied at once.
const STEP: u64 = 256;
/// The most bytes of entries read at once.
const READ_BYTES_MAX: usize = 4 << 20;

fn uncopied<E: Into<anyhow::Error>>(cause: E) -> CommandError {
    failed("无法制作副本", "could not make the copy")(cause)
}

/// Copies the stopped ledger with one byte flipped, and has the copy verified.
pub(super) fn run(context: &Context, root: &Path) -> Result<(), CommandError> {
    let original = Stopped::open(&context.home.ledger())?;
    let size = original.store.size().map_err(uncopied)?;
    let folder = root.join("copy");
    std::fs::create_dir_all(&folder).map_err(uncopied)?;
    let options = Options { must_exist: false, ..Options::default() };
    let copy = SledStore::open(&folder.join("store"), &options).map_err(uncopied)?;
    // Two thirds in, among the records.
    let victim = size.saturating_mul(2).checked_div(3).unwrap_or(0);
    let mut at = 0u64;
    while at < size {
        let end = size.min(at.saturating_add(STEP));
        let mut entries = original.store.entries(at..end, READ_BYTES_MAX).map_err(uncopied)?;
        for (entry, index) in entries.iter_mut().zip(at..) {
            if index == victim {
                flip(entry);
            }
        }
        let next = at.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        let bodies = vec![BodyBytes::default(); entries.len()];
        let batch = Batch { entries, bodies, ..Batch::default() };
        copy.append(at, &batch).map_err(uncopied)?;
        at = next;
    }
    original.close()?;
    let found = verify(context, &copy, size)?;
    copy.close().map_err(uncopied)?;
    if found == Some(victim) {
        Ok(())
    } else {
        let text = Text {
            zh: format!("验证器未发现第 {victim} 条被改动"),
            en: format!("the verifier did not find that entry {victim} was changed"),
        };
        Err(CommandError { exit: Exit::Broken, text, cause: None })
    }
}

/// Flips the lowest bit of the last byte of the last part: of an event, where what happened is said.
fn flip(entry: &mut EntryBytes) {
    if let Some(byte) = entry.parts.last_mut().and_then(|part| part.last_mut()) {
        *byte ^= 1;
    }
}

/// Verifies the copy; gives the index that the verifier names.
fn verify(context: &Context, copy: &SledStore, size: u64) -> Result<Option<u64>, CommandError> {
    let mut verifier = Verifier::new(Some(trust(context, None)?));
    let mut at = 0u64;
    'all: while at < size {
        let end = size.min(at.saturating_add(STEP));
        for entry in copy.entries(at..end, READ_BYTES_MAX).map_err(uncopied)? {
            let bytes =
                credit_verify::EntryBytes { core: &entry.core, secret: &entry.secret, parts: &entry.parts };
            if verifier.push(&bytes).is_err() {
                break 'all;
            }
            at = at.saturating_add(1);
        }
    }
    match verifier.finish(None).map_err(uncopied)?.verdict {
        Verdict::Broken(broken) => {
            let text = super::super::verify::broken_text(&broken);
            say(context, &format!("   {}", text.zh), &format!("   {}", text.en));
            Ok(Some(broken.index))
        }
        Verdict::Ok | Verdict::NeedsNewer { .. } => Ok(None),
    }
}
