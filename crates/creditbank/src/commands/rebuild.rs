//! `creditbank rebuild`: makes the index of a stopped ledger again from the log alone, or compares with it.

use super::Context;
use super::verify::memory::{Resources, SpilledRows};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_log::hash::leaf_hash;
use credit_service::{compare_rows, rebuild_rows};
use credit_store::Store as _;
use credit_store::StoreError;
use credit_store::high_water::HighWater;
use credit_store::lock::DirectoryLock;
use credit_store::sled::{Options, SledStore};
use credit_verify::Table;
use std::path::{Path, PathBuf};

/// The store's folder in a data directory.
const STORE: &str = "store";

/// The file of the last signed head in a data directory.
pub(super) const HIGH_WATER: &str = "high-water";

/// The keyring's folder in a data directory.
pub(super) const KEYRING: &str = "keyring";

/// Makes the index again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples · 示例:\n  creditbank rebuild --check\n  creditbank rebuild --dir /srv/ledger"
)]
pub(crate) struct Args {
    /// Only compare; nothing is changed · 只比较，不改动
    #[arg(long)]
    check: bool,
    /// Data directory; by default ledger/ in the home · 账本数据目录
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Memory of the comparison · 比较所用内存
    #[command(flatten)]
    resources: Resources,
}

/// A stopped ledger's store, with nobody else in its directory.
pub(super) struct Stopped {
    /// The store.
    pub(super) store: SledStore,
    _lock: DirectoryLock,
}

impl Stopped {
    /// Opens the store of a data directory that no server runs on.
    pub(super) fn open(dir: &Path) -> Result<Self, CommandError> {
        Self::open_with(dir, Options::default().cache_bytes)
    }

    /// The same with another cache.
    pub(super) fn open_with(dir: &Path, cache_bytes: u64) -> Result<Self, CommandError> {
        let store = dir.join(STORE);
        if !store.exists() {
            return Err(CommandError::usage(Phrase::NoLedger, &[&dir.display()]));
        }
        let failed = |cause: StoreError| {
            let damaged = matches!(
                cause,
                StoreError::DataLoss { .. } | StoreError::Corrupt { .. } | StoreError::FileLost { .. }
            );
            let (exit, phrase) = if damaged {
                (Exit::Broken, Phrase::StoreUnusable)
            } else {
                (Exit::Unreachable, Phrase::StoreNotOpened)
            };
            CommandError::new(exit, phrase, &[&dir.display()]).because(cause)
        };
        let lock = DirectoryLock::acquire(dir).map_err(failed)?;
        let options = Options { must_exist: true, cache_bytes, ..Options::default() };
        Ok(Self { store: SledStore::open(&store, &options).map_err(failed)?, _lock: lock })
    }

    /// Refuses a store that has lost entries which were signed: an index of what is left would look whole.
    fn reaches_mark(&self, dir: &Path) -> Result<(), CommandError> {
        let failed = |cause: anyhow::Error| {
            CommandError::new(Exit::Broken, Phrase::HighWaterUnreadable, &[]).because(cause)
        };
        let first = self.store.entries(0..1, 1).map_err(|cause| failed(cause.into()))?;
        let size = self.store.size().map_err(|cause| failed(cause.into()))?;
        let log_id = first.first().map_or([0; 32], |entry| leaf_hash(&entry.core));
        let mark = HighWater::open(&dir.join(HIGH_WATER), &log_id).map_err(|cause| failed(cause.into()))?;
        let signed = mark.newest().size;
        if size >= signed {
            return Ok(());
        }
        Err(CommandError::new(Exit::Broken, Phrase::StoreBehind, &[&size, &signed]))
    }

    /// Closes the store.
    pub(super) fn close(self) -> Result<(), CommandError> {
        self.store
            .close()
            .map_err(|cause| CommandError::new(Exit::Unreachable, Phrase::StoreFailed, &[]).because(cause))
    }
}

/// Rebuilds or compares.
pub(crate) fn run(context: &mut Context, args: &Args) -> Ending {
    let dir = args.dir.clone().unwrap_or_else(|| context.home.ledger());
    let stopped = Stopped::open(&dir)?;
    stopped.reaches_mark(&dir)?;
    let what = if args.check { Phrase::ProgressCompare } else { Phrase::ProgressRebuild };
    let bar = context.output.progress(what, 0);
    let advance = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let exit = if args.check {
        let mut table = SpilledRows(Table::new(args.resources.memory()));
        let differs = compare_rows(&stopped.store, &mut table, advance)?;
        bar.finish_and_clear();
        context.output.json(&serde_json::json!({
            "equal": differs.is_none(),
            "first_difference": differs.as_ref().map(|row| serde_json::json!({
                "key": row.key, "is_there": row.is_there, "should_be": row.should_be,
            })),
        }));
        match differs {
            None => {
                context.output.line(Phrase::RowsEqual, &[]);
                Exit::Done
            }
            Some(row) => {
                context.output.line(Phrase::RowsDiffer, &[&row.key]);
                Exit::Broken
            }
        }
    } else {
        let entries = rebuild_rows(&stopped.store, advance)?;
        bar.finish_and_clear();
        context.output.line(Phrase::RowsRebuilt, &[&entries]);
        context.output.json(&serde_json::json!({ "entries": entries }));
        Exit::Done
    };
    stopped.close()?;
    Ok(exit)
}
