//! `creditbank publish`: the public log as a folder that any web server can host, from a stopped ledger or from a
//! running one over HTTP.
//!
//! What is there already is not fetched again. A folder whose checkpoint is in place has everything below it on the
//! disk: bundles come first, then tiles from level 0 up, then all of it is synced, and last the checkpoint takes the
//! place of the old one.

mod folder;

use super::Context;
use super::connect::trust;
use super::rebuild::{HIGH_WATER, Stopped};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use crate::public_log::LogSource;
use crate::public_log::http::HttpLog;
use crate::public_log::stopped::StoppedLog;
use crate::public_log::tree::{CheckedTree, TreeError};
use credit_client::Trust;
use credit_log::checkpoint::{self, Checkpoint};
use credit_log::tile::{TileKind, TilePath, encode_hashes, width_at};
use credit_service::TreeFiles;
use credit_store::Store as _;
use credit_store::high_water::HighWater;
use credit_types::Digest;
use folder::Folder;
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};

/// Writes the public log as a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples · 示例:\n  creditbank publish /srv/www/log\n  \
                  creditbank publish /srv/www/log --dir /srv/ledger --trust trust.toml\n  \
                  creditbank publish mirror --url http://127.0.0.1:50052 --output json")]
pub(crate) struct Args {
    /// Folder to write; one that was written before is brought up to date · 写入的目录，已有的只补缺
    folder: PathBuf,
    /// Copy a public log from this address instead · 从该地址的公开日志复制
    #[arg(long, value_name = "URL", conflicts_with = "dir")]
    url: Option<String>,
    /// Data directory of a stopped ledger; by default ledger/ in the home · 已停止账本的数据目录
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Read and check also what an earlier run has finished · 连此前已完成的文件也重新检查
    #[arg(long)]
    check_all: bool,
}

/// Writes the folder.
pub(crate) fn run(context: &mut Context, args: Args) -> Ending {
    let Args { folder, url, dir, trust: trust_file, check_all } = args;
    let trust = trust(context, trust_file.as_deref())?;
    if let Some(url) = url {
        return publish(context, &trust, &HttpLog::new(&url), &folder, check_all);
    }
    let dir = dir.unwrap_or_else(|| context.home.ledger());
    let stopped = Stopped::open(&dir)?;
    let (size, note) = signed(&stopped, &dir, &trust)?;
    let files = TreeFiles::at(&stopped.store, size)?;
    let exit = publish(context, &trust, &StoppedLog::new(files, note), &folder, check_all)?;
    stopped.close()?;
    Ok(exit)
}

/// The newest head that a stopped ledger has signed. A group may lie above it that was never signed: it is not public.
fn signed(stopped: &Stopped, dir: &Path, trust: &Trust) -> Result<(u64, String), CommandError> {
    let unreadable = |cause: anyhow::Error| {
        CommandError::new(Exit::Broken, Phrase::HighWaterUnreadable, &[]).because(cause)
    };
    let mark = HighWater::open(&dir.join(HIGH_WATER), &trust.log_id.0)
        .map_err(|cause| unreadable(cause.into()))?
        .newest()
        .clone();
    let stored = stopped.store.size().map_err(|cause| unreadable(cause.into()))?;
    if stored < mark.size {
        return Err(CommandError::new(Exit::Broken, Phrase::StoreBehind, &[&stored, &mark.size]));
    }
    let note = String::from_utf8(mark.checkpoint).map_err(|cause| unreadable(cause.into()))?;
    Ok((mark.size, note))
}

/// What was done.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    written: u64,
    present: u64,
}

/// One run over a folder.
struct Run<'r> {
    folder: &'r Folder,
    tree: &'r CheckedTree<'r>,
    /// Below this size an earlier run has finished.
    finished: u64,
    counts: Counts,
    bar: ProgressBar,
}

fn publish(context: &Context, trust: &Trust, source: &dyn LogSource, path: &Path, check_all: bool) -> Ending {
    let folder = Folder::open(path)?;
    let note = source.checkpoint()?;
    let head = opened(&note, trust)?;
    let tree = CheckedTree::new(source, head.size, &head.root)?;
    is_pinned(&tree, trust)?;
    let before = folder.checkpoint()?.map(|note| opened(&note, trust)).transpose()?;
    if let Some(before) = &before {
        continues(&tree, before)?;
    }
    let levels: Vec<u8> = tree.levels().collect();
    let kinds: Vec<TileKind> =
        std::iter::once(TileKind::Entries).chain(levels.into_iter().map(TileKind::Hashes)).collect();
    let total = kinds.iter().map(|kind| tree.paths(*kind).count()).sum::<usize>();
    let bar = context.output.progress(Phrase::ProgressPublish, u64::try_from(total).unwrap_or(u64::MAX));
    let finished = before.filter(|_| !check_all).map_or(0, |before| before.size);
    let mut run = Run { folder: &folder, tree: &tree, finished, counts: Counts::default(), bar };
    for kind in kinds {
        for path in tree.paths(kind) {
            run.file(&path)?;
        }
    }
    folder.sync()?;
    folder.put_checkpoint(&note)?;
    run.bar.finish_and_clear();
    let Counts { written, present } = run.counts;
    context.output.line(Phrase::Published, &[&head.size, &head.origin, &path.display()]);
    context.output.line(Phrase::PublishedFiles, &[&written, &present]);
    context.output.json(&serde_json::json!({
        "folder": path.display().to_string(),
        "origin": head.origin,
        "size": head.size,
        "root": Digest(head.root).to_string(),
        "files_written": written,
        "files_present": present,
    }));
    Ok(Exit::Done)
}

impl Run<'_> {
    /// Sees that a file is there as the head has it.
    fn file(&mut self, path: &TilePath) -> Result<(), CommandError> {
        let written = match path.kind {
            TileKind::Entries => self.bundle(path)?,
            TileKind::Hashes(level) => self.tile(path, level)?,
        };
        let Counts { written: wrote, present } = &mut self.counts;
        let count = if written { wrote } else { present };
        *count = count.saturating_add(1);
        self.bar.inc(1);
        Ok(())
    }

    /// Whether an earlier run has put the file on the disk for good.
    fn is_finished(&self, path: &TilePath, level: u8) -> bool {
        width_at(level, path.index, self.finished) == Some(path.width)
    }

    fn bundle(&self, path: &TilePath) -> Result<bool, CommandError> {
        let name = path.encode();
        if self.is_finished(path, 0) && self.folder.length(&name)?.is_some() {
            return Ok(false);
        }
        // What a run that was cut off has left is as good as its bytes.
        if let Some(bytes) = self.folder.read(&name)?
            && self.tree.check_bundle(path, &bytes).is_ok()
        {
            return Ok(false);
        }
        self.folder.write(&name, &self.tree.bundle_bytes(path)?)?;
        Ok(true)
    }

    fn tile(&self, path: &TilePath, level: u8) -> Result<bool, CommandError> {
        let name = path.encode();
        let bytes = u64::from(path.width).saturating_mul(32);
        if self.is_finished(path, level) && self.folder.length(&name)? == Some(bytes) {
            return Ok(false);
        }
        let bytes = if level == 0 { self.leaves(path)? } else { self.tree.tile_bytes(level, path.index)? };
        if self.folder.read(&name)?.is_some_and(|there| there == bytes) {
            return Ok(false);
        }
        self.folder.write(&name, &bytes)?;
        Ok(true)
    }

    /// The lowest tile, from the bundle beside it: every bundle is in the folder by then.
    fn leaves(&self, path: &TilePath) -> Result<Vec<u8>, CommandError> {
        let bundle = TilePath { kind: TileKind::Entries, ..*path };
        let bytes = match self.folder.read(&bundle.encode())? {
            Some(bytes) => bytes,
            None => self.tree.bundle_bytes(&bundle)?,
        };
        Ok(encode_hashes(&self.tree.check_bundle(&bundle, &bytes)?))
    }
}

fn opened(note: &str, trust: &Trust) -> Result<Checkpoint, CommandError> {
    checkpoint::open(note, &trust.checkpoint_keys, &trust.origin)
        .map_err(|cause| CommandError::new(Exit::Broken, Phrase::CheckpointFalse, &[]).because(cause))
}

/// The log must be the one that is pinned: its first entry says.
fn is_pinned(tree: &CheckedTree<'_>, trust: &Trust) -> Result<(), CommandError> {
    let first = tree.root_at(1)?;
    if first == trust.log_id.0 {
        Ok(())
    } else {
        Err(CommandError::new(Exit::Broken, Phrase::AnotherLog, &[]))
    }
}

/// The head to be published must continue the one that was.
fn continues(tree: &CheckedTree<'_>, before: &Checkpoint) -> Result<(), CommandError> {
    let same = before.size <= tree.size() && tree.root_at(before.size)? == before.root;
    if same {
        return Ok(());
    }
    Err(CommandError::new(Exit::Broken, Phrase::PublishContradicts, &[&tree.size(), &before.size]))
}

impl From<TreeError> for CommandError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Source(cause) => Self::from(cause),
            TreeError::Missing { .. } | TreeError::Wrong { .. } | TreeError::Root => {
                Self::new(Exit::Broken, Phrase::PublicLogFalse, &[]).because(error)
            }
        }
    }
}

impl From<crate::public_log::SourceError> for CommandError {
    fn from(error: crate::public_log::SourceError) -> Self {
        Self::new(Exit::Unreachable, Phrase::PublicLogUnread, &[]).because(error)
    }
}
