//! The signatures of an export, verified strictly and nothing else: one by one, and in batches.

use super::super::super::verify::pipeline::WINDOW_ENTRIES_MAX;
use super::super::unmeasured;
use super::{Spent, city, spent};
use crate::ending::CommandError;
use credit_log::envelope::{PublicKey, pae};
use credit_log::strict_batch::{BatchSeed, StrictBatch};
use credit_proto::entry::{StatementPart, decode_parts};
use credit_proto::{Reading, Stage, read_statement};
use credit_service::random;
use credit_types::Kid;
use credit_verify::{EXPORT_ENTRIES, read_entry};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What was measured.
pub(super) struct Bare {
    pub(super) signatures: u64,
    pub(super) keys: usize,
    /// One by one: the measure of a whole verification.
    pub(super) spent: Spent,
    /// In batches as large as those of a whole verification.
    pub(super) together: Spent,
}

/// A signature with what it is over.
struct Task {
    key: PublicKey,
    message: Vec<u8>,
    signature: [u8; 64],
}

/// Verifies every signature of an export on so many threads, one by one and then in batches. Only that is measured: not
/// the reading, nor the admission of keys.
pub(super) fn verified(export: &Path, threads: usize) -> Result<Bare, CommandError> {
    let mut keys: BTreeMap<Kid, PublicKey> = BTreeMap::new();
    let nothing = Spent { wall: Duration::ZERO, ticks: 0 };
    let mut bare = Bare { signatures: 0, keys: 0, spent: nothing, together: nothing };
    let seed = BatchSeed(random::bytes()?);
    let mut files: Vec<_> = export
        .join(EXPORT_ENTRIES)
        .read_dir()
        .map_err(unmeasured)?
        .map(|item| item.map(|item| item.path()))
        .collect::<Result<_, _>>()
        .map_err(unmeasured)?;
    files.sort();
    for file in files {
        let bytes = fs::read(&file).map_err(unmeasured)?;
        let tasks = tasks(&bytes, &mut keys)?;
        let (all_hold, alone) = spent(|| hold(&tasks, threads, &one_by_one));
        let (all_held, together) = spent(|| hold(&tasks, threads, &|part| in_batches(part, &seed)));
        if !(all_hold && all_held) {
            return Err(unmeasured(anyhow::anyhow!("a signature of the log is false")));
        }
        bare.signatures = bare.signatures.saturating_add(u64::try_from(tasks.len()).unwrap_or(u64::MAX));
        bare.spent.add(alone);
        bare.together.add(together);
    }
    bare.keys = keys.len();
    Ok(bare)
}

/// The signatures of a file of entries, each with its key, which an earlier statement has named.
fn tasks(bytes: &[u8], keys: &mut BTreeMap<Kid, PublicKey>) -> Result<Vec<Task>, CommandError> {
    let mut tasks = Vec::new();
    let mut rest = bytes;
    while let Ok((entry, after)) = read_entry(rest) {
        rest = after;
        let parts = decode_parts(&entry.parts).map_err(unmeasured)?;
        for statement in parts.statements {
            let StatementPart::Signed(envelope) = statement else { continue };
            let unknown = envelope.signatures.iter().any(|(kid, _)| !keys.contains_key(kid));
            if unknown {
                let reading = Reading { admit: city::admit, stage: Stage::Replay };
                let read = read_statement(&envelope.payload_type, &envelope.payload, reading);
                for key in city::named_keys(&read.map_err(unmeasured)?) {
                    let admitted = PublicKey::admit(&key.bytes).map_err(unmeasured)?;
                    keys.insert(key.kid, admitted);
                }
            }
            let message = pae(&envelope.payload_type, &envelope.payload);
            for (kid, signature) in envelope.signatures {
                let key = keys.get(&kid).cloned();
                let key = key.ok_or_else(|| unmeasured(anyhow::anyhow!("a key of the log is unknown")))?;
                tasks.push(Task { key, message: message.clone(), signature });
            }
        }
    }
    Ok(tasks)
}

/// Whether all hold, each thread's share checked by `check`.
fn hold(tasks: &[Task], threads: usize, check: &(dyn Fn(&[Task]) -> bool + Sync)) -> bool {
    let share = tasks.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = tasks.chunks(share).map(|part| scope.spawn(move || check(part))).collect();
        parts.into_iter().all(|part| part.join().unwrap_or(false))
    })
}

fn one_by_one(tasks: &[Task]) -> bool {
    tasks.iter().all(|task| task.key.verify(&task.message, &task.signature).is_ok())
}

fn in_batches(tasks: &[Task], seed: &BatchSeed) -> bool {
    tasks.chunks(WINDOW_ENTRIES_MAX).all(|part| {
        let mut batch = StrictBatch::new(seed.clone());
        let pushed = part.iter().all(|task| batch.push(&task.key, &task.message, &task.signature).is_ok());
        pushed && batch.verify().is_ok()
    })
}
