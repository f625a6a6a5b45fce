//! What the machine can do at all: signatures, hashes, the disk, the store, an empty call.

use super::super::{per_second, unmeasured};
use super::Sizes;
use super::figures::Figures;
use super::stats::percentile;
use super::wire::{Line, Shot, fire, micros};
use crate::ending::CommandError;
use credit_log::envelope::{PublicKey, SigningKey};
use credit_log::hash::{labelled, leaf_hash, sha256};
use credit_log::strict_batch::{BATCH_SIGNATURES_MAX, BatchSeed, StrictBatch};
use credit_log::tree::Frontier;
use credit_service::clock::instant;
use credit_service::random;
use credit_store::sled::{Options, SledStore};
use credit_store::{Batch, BodyBytes, EntryBytes, Store as _};
use prost::bytes::Bytes;
use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a record.
const RECORD_BYTES: usize = 280;
/// Keys that sign in turn.
const KEYS: u64 = 64;
/// Bytes of an append.
const APPEND_BYTES: usize = 4_096;
/// Entries of a packed append.
const PACKED_ENTRIES: u64 = 4_000;
/// The call that does least.
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// A signature with what it is over.
struct Task {
    key: PublicKey,
    message: Vec<u8>,
    signature: [u8; 64],
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Bytes that nothing compresses, as many as a record has.
fn record(seed: u64, number: u64) -> Vec<u8> {
    let block =
        |at: u8| labelled("creditbank/bench/noise", &[&seed.to_be_bytes(), &number.to_be_bytes(), &[at]]);
    (0..9).flat_map(block).take(RECORD_BYTES).collect()
}

/// Measures all of them once.
pub(super) async fn round(
    figures: &mut Figures,
    root: &Path,
    url: &str,
    sizes: &Sizes,
    seed: u64,
) -> Result<(), CommandError> {
    signatures(figures, sizes.signatures, seed)?;
    hashes(figures, sizes.hashed_mib, seed);
    tree(figures, sizes.leaves);
    appends(figures, root, sizes.appends)?;
    packed(figures, root, sizes.packed, seed)?;
    calls(figures, url, &sizes.calls).await
}

fn signatures(figures: &mut Figures, wanted: u64, seed: u64) -> Result<(), CommandError> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let keys: Vec<SigningKey> = (0..KEYS)
        .map(|key| {
            SigningKey::from_seed(labelled(
                "creditbank/bench/signer",
                &[&seed.to_be_bytes(), &key.to_be_bytes()],
            ))
        })
        .collect();
    let numbered: Vec<(u64, &SigningKey)> = (0..wanted).zip(keys.iter().cycle()).collect();
    let tasks = super::signed::on_all_cores(&numbered, |(number, key)| {
        let message = record(seed, *number);
        let signature = key.sign(&message);
        Ok(Task { key: key.public(), message, signature })
    })?;
    let batch_seed = BatchSeed(random::bytes()?);
    let in_batches = |part: &[Task]| {
        part.chunks(BATCH_SIGNATURES_MAX).all(|part| {
            let mut batch = StrictBatch::new(batch_seed.clone());
            let push = |task: &Task| batch.push(&task.key, &task.message, &task.signature).is_ok();
            part.iter().all(push) && batch.verify().is_ok()
        })
    };
    let one_by_one =
        |part: &[Task]| part.iter().all(|task| task.key.verify(&task.message, &task.signature).is_ok());
    for (id, threads, check) in [
        ("verify_one_core", 1, &one_by_one as &(dyn Fn(&[Task]) -> bool + Sync)),
        ("verify", threads, &one_by_one),
        ("batch_one_core", 1, &in_batches),
        ("batch", threads, &in_batches),
    ] {
        let share = tasks.len().div_ceil(threads.max(1)).max(1);
        let began = instant();
        let hold = std::thread::scope(|scope| {
            let parts: Vec<_> = tasks.chunks(share).map(|part| scope.spawn(move || check(part))).collect();
            parts.into_iter().all(|part| part.join().unwrap_or(false))
        });
        figures.put(id, per_second(wanted, nanos(began.elapsed())));
        if !hold {
            return Err(unmeasured(anyhow::anyhow!("a signature that was just made is false")));
        }
    }
    Ok(())
}

fn hashes(figures: &mut Figures, mib: u64, seed: u64) {
    let block: Vec<u8> = record(seed, 0).into_iter().cycle().take(1 << 20).collect();
    let began = instant();
    for _ in 0..mib {
        black_box(sha256(black_box(&block)));
    }
    figures.put("sha256", per_second(mib.saturating_mul(1 << 20), nanos(began.elapsed())) / 1_000_000);
    let (leaf, leaves) = (record(seed, 1), mib.saturating_mul(2_048));
    let began = instant();
    for _ in 0..leaves {
        black_box(leaf_hash(black_box(&leaf)));
    }
    figures.put("leaf_hashes", per_second(leaves, nanos(began.elapsed())));
}

/// Rebuilds the tree over leaf hashes.
fn tree(figures: &mut Figures, leaves: u64) {
    let made: Vec<_> = (0..leaves).map(|leaf| sha256(&leaf.to_be_bytes())).collect();
    let began = instant();
    let mut tree = Frontier::new();
    for leaf in made {
        tree.append(leaf);
    }
    black_box(tree.root());
    figures.put("tree", per_second(leaves, nanos(began.elapsed())));
}

fn appends(figures: &mut Figures, root: &Path, wanted: u64) -> Result<(), CommandError> {
    let path = root.join("appended");
    let mut file = fs::File::create(&path).map_err(unmeasured)?;
    let mut times = Vec::new();
    for _ in 0..wanted {
        let began = instant();
        file.write_all(&[7; APPEND_BYTES]).map_err(unmeasured)?;
        file.sync_data().map_err(unmeasured)?;
        times.push(micros(began.elapsed()).max(1));
    }
    times.sort_unstable();
    figures.put("fdatasync_p50", percentile(&times, 500));
    figures.put("fdatasync_p99", percentile(&times, 990));
    fs::remove_file(&path).map_err(unmeasured)
}

fn packed(figures: &mut Figures, root: &Path, batches: u64, seed: u64) -> Result<(), CommandError> {
    let folder = root.join("packed");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(unmeasured)?;
    }
    let store = SledStore::open(&folder, &Options::default()).map_err(unmeasured)?;
    let entry = |number: u64| {
        let bytes = record(seed, number);
        let (core, part) = bytes.split_at(48);
        let secret = *part.first_chunk().unwrap_or(&[0; 32]);
        EntryBytes { core: core.to_vec(), secret, parts: vec![part.get(32..).unwrap_or_default().to_vec()] }
    };
    let made: Vec<Batch> = (0..batches)
        .map(|batch| {
            let first = batch.saturating_mul(PACKED_ENTRIES);
            let entries: Vec<EntryBytes> = (first..first.saturating_add(PACKED_ENTRIES)).map(entry).collect();
            let bodies = vec![BodyBytes { items: Vec::new() }; entries.len()];
            Batch { entries, bodies, tiles: Vec::new(), rows: Vec::new(), root: [0; 32] }
        })
        .collect();
    let began = instant();
    let mut size = 0u64;
    for batch in &made {
        store.append(size, batch).map_err(unmeasured)?;
        size = size.saturating_add(count(batch.entries.len()));
    }
    figures.put("packed_append", per_second(size, nanos(began.elapsed())));
    store.close().map_err(unmeasured)?;
    drop(store);
    fs::remove_dir_all(&folder).map_err(unmeasured)
}

/// An empty call at each concurrency.
async fn calls(figures: &mut Figures, url: &str, wanted: &[(usize, u64); 3]) -> Result<(), CommandError> {
    for (in_flight, calls) in *wanted {
        let lines = Line::several(url, in_flight).await?;
        let shot = |_| Shot { path: HEALTH, token: None, message: Bytes::new() };
        let shots = Arc::new((0..calls).map(shot).collect::<Vec<Shot>>());
        let flown = fire(&lines, in_flight, &shots).await?;
        figures.put(&format!("rpc_{in_flight}"), flown.rate());
        figures.put(&format!("rpc_{in_flight}_p50"), flown.percentile(500));
        figures.put(&format!("rpc_{in_flight}_p99"), flown.percentile(990));
    }
    Ok(())
}
