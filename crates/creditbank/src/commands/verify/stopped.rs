//! Checks the data directory of a stopped ledger: the whole log, then the index rows against it.

use super::super::Context;
use super::super::connect::trust;
use super::super::rebuild::{HIGH_WATER, Stopped};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_client::{FileHeads, HeadStore as _};
use credit_log::checkpoint;
use credit_service::compare_rows;
use credit_store::high_water::HighWater;
use credit_store::{Store, StoreError};
use credit_types::Digest;
use credit_verify::{EntryBytes, Head, Verifier};
use std::path::{Path, PathBuf};

/// The most bytes of entries read at once.
const READ_BYTES_MAX: usize = 4 << 20;
/// The most entries read at once.
const READ_ENTRIES: u64 = 4_096;

/// Checks a stopped ledger.
pub(super) fn run(context: &mut Context, dir: Option<PathBuf>, trust_file: Option<&Path>) -> Ending {
    let dir = dir.unwrap_or_else(|| context.home.ledger());
    let trust = trust(context, trust_file)?;
    let stopped = Stopped::open(&dir)?;
    let faulty =
        |cause: anyhow::Error| CommandError::new(Exit::Unreachable, Phrase::StoreFailed, &[]).because(cause);
    let size = stopped.store.size().map_err(|cause| faulty(cause.into()))?;
    let (heads, newest) = heads(context, &dir, &trust)?;
    let mut verifier = Verifier::new(Some(trust)).with_heads(heads);
    let bar = context.output.progress(Phrase::ProgressVerify, size);
    push_all(&stopped.store, size, &mut verifier, |done| bar.set_position(done))?;
    // A group that was durable but not yet signed may lie above the mark; the next start signs it.
    let signed = newest.filter(|(head, _)| head.size == size).map(|(_, note)| note);
    let report = verifier.finish(signed.as_deref());
    bar.finish_and_clear();
    let bar = context.output.progress(Phrase::ProgressCompare, size);
    // Rows are a function of the log: those of a broken one prove nothing more.
    let differs = if report.verdict == credit_verify::Verdict::Ok {
        compare_rows(&stopped.store, |done, _| bar.set_position(done))
            .map_err(|cause| CommandError::new(Exit::Broken, Phrase::RowsUnreadable, &[]).because(cause))?
    } else {
        None
    };
    bar.finish_and_clear();
    stopped.close()?;
    let rows = differs.map(|row| Phrase::RowsDiffer.with(&[&row.key]));
    Ok(super::tell(context, &report, rows.as_ref()))
}

/// Every entry of a store into the verifier; stops at the first that is bad, which the report names.
fn push_all(
    store: &dyn Store,
    size: u64,
    verifier: &mut Verifier<'_>,
    advance: impl Fn(u64),
) -> Result<(), CommandError> {
    let mut index = 0u64;
    while index < size {
        let range = index..size.min(index.saturating_add(READ_ENTRIES));
        let page = store.entries(range, READ_BYTES_MAX).map_err(|cause| damaged(index, cause))?;
        if page.is_empty() {
            // The report says that the log is shorter than its head.
            return Ok(());
        }
        for entry in &page {
            let bytes = EntryBytes { core: &entry.core, secret: &entry.secret, parts: &entry.parts };
            if verifier.push(&bytes).is_err() {
                return Ok(());
            }
            index = index.saturating_add(1);
        }
        advance(index);
    }
    Ok(())
}

/// What can't be read back as it was written is as bad as what was changed; a disk that fails is not.
fn damaged(index: u64, cause: StoreError) -> CommandError {
    let exit = match &cause {
        StoreError::Corrupt { .. } | StoreError::DataLoss { .. } | StoreError::FileLost { .. } => {
            Exit::Broken
        }
        StoreError::Engine { cause: sled, .. } if sled.to_string().to_lowercase().contains("corrupt") => {
            Exit::Broken
        }
        StoreError::Engine { .. }
        | StoreError::Fenced { .. }
        | StoreError::Limit { .. }
        | StoreError::Shape { .. }
        | StoreError::AppliedTo { .. }
        | StoreError::BlobDiffers
        | StoreError::Missing
        | StoreError::Layout { .. }
        | StoreError::InUse
        | StoreError::NoSpace { .. }
        | StoreError::Stopped { .. }
        | StoreError::BlobFileAppeared { .. }
        | StoreError::Io { .. } => Exit::Unreachable,
    };
    CommandError::new(exit, Phrase::StoreDamaged, &[&index]).because(cause)
}

/// The newest head that the ledger signed, with its checkpoint.
type Signed = Option<(Head, String)>;

/// The heads that this log must continue: the one its high-water file keeps, and the one that clients of this home saw.
fn heads(
    context: &Context,
    dir: &Path,
    trust: &credit_client::Trust,
) -> Result<(Vec<Head>, Signed), CommandError> {
    let broken = |cause: anyhow::Error| {
        CommandError::new(Exit::Broken, Phrase::HighWaterUnreadable, &[]).because(cause)
    };
    let path = dir.join(HIGH_WATER);
    let high_water = HighWater::open(&path, &trust.log_id.0).map_err(|cause| broken(cause.into()))?;
    let mark = high_water.newest();
    let signed = Head { size: mark.size, root: Digest(mark.root) };
    let note = String::from_utf8(mark.checkpoint.clone()).map_err(|cause| broken(cause.into()))?;
    let mut heads = vec![signed];
    if context.home.heads().exists() {
        let kept = FileHeads::new(context.home.heads(), trust.log_id)
            .and_then(|heads| heads.load())
            .map_err(|cause| CommandError::from(credit_client::ClientError::from(cause)))?;
        if let Some(kept) = kept {
            let seen = checkpoint::open(&kept, &trust.checkpoint_keys, &trust.origin)
                .map_err(|cause| broken(cause.into()))?;
            heads.push(Head { size: seen.size, root: Digest(seen.root) });
        }
    }
    Ok((heads, Some((signed, note))))
}
