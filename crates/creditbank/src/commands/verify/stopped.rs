//! Checks the data directory of a stopped ledger: the whole log, then the index rows against it.

use super::super::Context;
use super::super::connect::trust;
use super::super::rebuild::{HIGH_WATER, KEYRING, Stopped};
use super::memory::{Resources, SpilledRows};
use super::page::{Checked, Page, Scope, counting};
use super::pipeline::{Load, Loaded, WINDOW_ENTRIES_MAX, Window, push_all, scratch_failed};
use super::shelf::StoreShelf;
use crate::ending::{CommandError, Ending, Exit};
use crate::home::ServerKey;
use crate::keyfile::{Algorithm, KeyFile};
use crate::language::Phrase;
use credit_client::{FileHeads, HeadStore as _};
use credit_log::checkpoint;
use credit_service::{Keyring, compare_rows, disclose};
use credit_store::high_water::HighWater;
use credit_store::{BodyBytes, EntryBytes, Store, StoreError};
use credit_types::Digest;
use credit_verify::{
    EntrySecrets, Head, Onlooker, OpenedDetails, OwnedEntry, Report, SecretPart, Table, Verdict, Verifier,
};
use std::path::{Path, PathBuf};

/// The most bytes of entries read at once.
const READ_BYTES_MAX: usize = 4 << 20;
/// The most entries read at once.
const READ_ENTRIES: u64 = 1_024;

/// What to check.
pub(super) struct Asked<'a> {
    pub(super) dir: Option<PathBuf>,
    pub(super) trust: Option<&'a Path>,
    pub(super) details: bool,
    pub(super) resources: &'a Resources,
    pub(super) html: Option<&'a Path>,
}

/// Checks a stopped ledger.
pub(super) fn run(context: &mut Context, asked: Asked<'_>) -> Ending {
    let Asked { dir, trust: trust_file, details, resources, html } = asked;
    let dir = dir.unwrap_or_else(|| context.home.ledger());
    let trust = trust(context, trust_file)?;
    let page =
        html.map(|path| Page::new(context, path, Scope::Stopped, dir.display(), &trust)).transpose()?;
    let keyring = if details { Some(keyring(context, &dir)?) } else { None };
    let stopped = Stopped::open_with(&dir, resources.cache_bytes())?;
    let size = stopped.store.size().map_err(|cause| store_failed(cause.into()))?;
    let (heads, newest) = heads(context, &dir, &trust)?;
    let note = newest.as_ref().map(|(_, note)| note.clone());
    // A group that was durable but not yet signed may lie above the mark; the next start signs it.
    let signed = newest.filter(|(head, _)| head.size == size).map(|(_, note)| note);
    let judging =
        Judging { trust: &trust, keyring: keyring.as_ref(), resources, page: page.as_ref(), onlooker: None };
    let report = judge(context, (&stopped.store, size), heads, signed.as_deref(), &judging)?;
    let bar = context.output.progress(Phrase::ProgressCompare, size);
    // Rows are a function of the log: those of a broken one prove nothing more.
    let differs = if report.verdict == Verdict::Ok {
        let mut table = SpilledRows(Table::new(resources.memory()));
        compare_rows(&stopped.store, &mut table, |done, _| bar.set_position(done))
            .map_err(|cause| CommandError::new(Exit::Broken, Phrase::RowsUnreadable, &[]).because(cause))?
    } else {
        None
    };
    bar.finish_and_clear();
    stopped.close()?;
    let rows = differs.map(|row| Phrase::RowsDiffer.with(&[&row.key]));
    let exit = super::tell(context, &report, rows.as_ref());
    if let Some(page) = page {
        page.write(context, &trust, Checked::Whole(&report, rows.as_ref()), note.as_deref())?;
    }
    Ok(exit)
}

/// Shows every application of a stopped ledger, with its details, to somebody. The verdict on the ledger is in the report.
pub(in super::super) fn look_on(
    context: &mut Context,
    dir: &Path,
    trust: &credit_client::Trust,
    resources: &Resources,
    onlooker: &dyn Onlooker,
) -> Result<Report, CommandError> {
    let keyring = keyring(context, dir)?;
    let stopped = Stopped::open_with(dir, resources.cache_bytes())?;
    let size = stopped.store.size().map_err(|cause| store_failed(cause.into()))?;
    let (heads, newest) = heads(context, dir, trust)?;
    let signed = newest.filter(|(head, _)| head.size == size).map(|(_, note)| note);
    let judging = Judging { trust, keyring: Some(&keyring), resources, page: None, onlooker: Some(onlooker) };
    let report = judge(context, (&stopped.store, size), heads, signed.as_deref(), &judging)?;
    stopped.close()?;
    Ok(report)
}

/// A store that could not be read, whatever is in it.
fn store_failed(cause: anyhow::Error) -> CommandError {
    CommandError::new(Exit::Unreachable, Phrase::StoreFailed, &[]).because(cause)
}

/// By what a log is judged, and who looks on.
struct Judging<'a> {
    trust: &'a credit_client::Trust,
    keyring: Option<&'a Keyring>,
    resources: &'a Resources,
    page: Option<&'a Page<'a>>,
    onlooker: Option<&'a dyn Onlooker>,
}

/// Judges so many entries of a store.
fn judge(
    context: &Context,
    (store, size): (&dyn Store, u64),
    heads: Vec<Head>,
    signed: Option<&str>,
    judging: &Judging<'_>,
) -> Result<Report, CommandError> {
    let Judging { trust, keyring, resources, page, onlooker } = *judging;
    let shelf = StoreShelf::new(store, keyring);
    let mut verifier =
        Verifier::within(Some(trust.clone()), &resources.memory()).with_heads(heads).with_blobs(&shelf);
    if let Some(onlooker) = onlooker {
        verifier = verifier.with_onlooker(onlooker);
    }
    let bar = context.output.progress(Phrase::ProgressVerify, size);
    push_all(
        &mut verifier,
        Some(&shelf),
        Resources::threads(),
        |give| read_all(store, size, keyring, &mut |load| give(counting(page, load))),
        |done| bar.set_position(done),
    )?;
    bar.finish_and_clear();
    if let Some(cause) = shelf.failed() {
        return Err(store_failed(cause.into()));
    }
    verifier.finish(signed).map_err(scratch_failed)
}

/// The keyring of a data directory, by the root key of the home.
pub(in super::super) fn keyring(context: &mut Context, dir: &Path) -> Result<Keyring, CommandError> {
    let path = context.home.server_key(ServerKey::Root);
    let root = KeyFile::read(&path)?.open(Algorithm::Root, &mut context.passphrases)?;
    Keyring::open(&dir.join(KEYRING), root)
        .map_err(|cause| CommandError::usage(Phrase::KeyringNotOpened, &[&dir.display()]).because(cause))
}

/// Every entry of a store, in windows, until nobody wants more; with its secret parts where there is a keyring.
fn read_all<'w>(
    store: &'w dyn Store,
    size: u64,
    keyring: Option<&'w Keyring>,
    give: &mut dyn FnMut(Load<'w>) -> bool,
) -> Result<(), CommandError> {
    let mut index = 0u64;
    while index < size {
        let (page, bodies) = page(store, index..size, keyring.is_some())?;
        if page.is_empty() {
            // The report says that the log is shorter than its head.
            return Ok(());
        }
        index = index.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
        let (mut entries, mut bodies) = (page.into_iter(), bodies.into_iter());
        loop {
            let window: Vec<EntryBytes> = entries.by_ref().take(WINDOW_ENTRIES_MAX).collect();
            if window.is_empty() {
                break;
            }
            let bodies: Vec<BodyBytes> = bodies.by_ref().take(window.len()).collect();
            if !give(Box::new(move || loaded(window, &bodies, keyring))) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Some entries from the first of a range on, each with its sealed items where these are asked for.
pub(in super::super) fn page(
    store: &dyn Store,
    range: std::ops::Range<u64>,
    with_bodies: bool,
) -> Result<(Vec<EntryBytes>, Vec<BodyBytes>), CommandError> {
    let start = range.start;
    let end = range.end.min(start.saturating_add(READ_ENTRIES));
    let mut entries = store.entries(start..end, READ_BYTES_MAX).map_err(|cause| damaged(start, cause))?;
    if !with_bodies {
        return Ok((entries, Vec::new()));
    }
    let end = start.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
    let bodies = store.bodies(start..end, READ_BYTES_MAX).map_err(|cause| damaged(start, cause))?;
    entries.truncate(bodies.len());
    Ok((entries, bodies))
}

/// Entries of a page as the verifier takes them.
fn loaded(entries: Vec<EntryBytes>, bodies: &[BodyBytes], keyring: Option<&Keyring>) -> Window {
    let none = BodyBytes::default();
    let mut window = Window::default();
    for (number, EntryBytes { core, secret, parts }) in entries.into_iter().enumerate() {
        let body = bodies.get(number).unwrap_or(&none);
        let secrets = keyring.map(|keyring| secrets(keyring, &parts, body).0).map(EntrySecrets::new);
        window.entries.push(Loaded { entry: OwnedEntry { core, secret, parts }, secrets });
    }
    window
}

/// The secret parts of an entry that the keyring opens, in their order, and how many it does not open.
pub(in super::super) fn secrets(
    keyring: &Keyring,
    parts: &[Vec<u8>],
    body: &BodyBytes,
) -> (Vec<SecretPart>, usize) {
    // An entry that can't be read has no secret parts here; the verifier says what is wrong with it.
    let disclosed = disclose(keyring, parts, body).unwrap_or_default();
    let all = disclosed.len();
    let opened: Vec<SecretPart> = disclosed
        .into_iter()
        .flatten()
        .map(|part| SecretPart {
            payload_type: part.payload_type.to_owned(),
            opened: OpenedDetails { salt: part.salt, payload: part.payload },
        })
        .collect();
    let missing = all.saturating_sub(opened.len());
    (opened, missing)
}

/// What can't be read back as it was written is as bad as what was changed; a disk that fails is not.
pub(in super::super) fn damaged(index: u64, cause: StoreError) -> CommandError {
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

/// The newest head that a ledger signed, with its checkpoint, from the high-water file of its directory.
pub(in super::super) fn signed_head(
    dir: &Path,
    trust: &credit_client::Trust,
) -> Result<(Head, String), CommandError> {
    let broken = |cause: anyhow::Error| {
        CommandError::new(Exit::Broken, Phrase::HighWaterUnreadable, &[]).because(cause)
    };
    let path = dir.join(HIGH_WATER);
    let high_water = HighWater::open(&path, &trust.log_id.0).map_err(|cause| broken(cause.into()))?;
    let mark = high_water.newest();
    let note = String::from_utf8(mark.checkpoint.clone()).map_err(|cause| broken(cause.into()))?;
    Ok((Head { size: mark.size, root: Digest(mark.root) }, note))
}

/// The heads that this log must continue: the one its high-water file keeps, and the one that clients of this home saw.
fn heads(
    context: &Context,
    dir: &Path,
    trust: &credit_client::Trust,
) -> Result<(Vec<Head>, Signed), CommandError> {
    let broken = |cause: anyhow::Error| {
        CommandError::new(Exit::Broken, Phrase::HighWaterUnreadable, &[]).because(cause)
    };
    let (signed, note) = signed_head(dir, trust)?;
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
