//! `creditbank export`: a stopped ledger as a folder that anybody can check with a trust file alone.
//!
//! What is written is a function of the signed head, the entries and the choice of details. That is how an export that
//! was cut off goes on: what is there already and is what would be written stays.

mod folder;

use super::Context;
use super::connect::trust;
use super::rebuild::Stopped;
use super::verify::memory::Resources;
use super::verify::stopped::{keyring, page, secrets, signed_head};
use crate::ending::{CommandError, Ending, Exit};
use crate::home::ServerKey;
use crate::keyfile::signing_key;
use crate::language::Phrase;
use credit_log::envelope::SigningKey;
use credit_log::hash::{leaf_hash, sha256};
use credit_log::tree::Frontier;
use credit_proto::entry::{PART_EVENT, StatementPart, decode_parts};
use credit_proto::{BankSigned as _, Envelope, Signable as _, encode_manifest, v1};
use credit_service::Keyring;
use credit_store::{BodyBytes, EntryBytes, Store};
use credit_types::{Digest, FileManifest, FileManifestKind, Kid, RuleBookPublication};
use credit_verify::{
    EXPORT_CHECKPOINT, EXPORT_FILE_BYTES_MAX, EXPORT_FILE_ENTRIES_MAX, EXPORT_MANIFEST, ExportName, Head,
    write_entry, write_secrets,
};
use folder::{Folder, Identity};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Exports a stopped ledger.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples · 示例:\n  creditbank export /srv/export\n  creditbank export /srv/export --dir /srv/ledger --details"
)]
pub(crate) struct Args {
    /// Empty or new folder; one of an unfinished export goes on · 空目录或新目录；未完成的导出会继续
    #[arg(value_name = "FOLDER")]
    into: PathBuf,
    /// Data directory of the stopped ledger; by default ledger/ in the home · 已停止账本的数据目录
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// What is pinned of the ledger; by default trust.toml in the home · 信任文件
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// With the details, opened by the root key of the home: for a reader with a mandate · 含明细，用主目录中的根密钥解开
    #[arg(long)]
    details: bool,
    /// Memory · 内存
    #[command(flatten)]
    resources: Resources,
}

/// Exports.
pub(crate) fn run(context: &mut Context, args: &Args) -> Ending {
    let dir = args.dir.clone().unwrap_or_else(|| context.home.ledger());
    let trust = trust(context, args.trust.as_deref())?;
    let key = statement_key(context, &trust)?;
    let keyring = if args.details { Some(keyring(context, &dir)?) } else { None };
    let stopped = Stopped::open_with(&dir, args.resources.cache_bytes())?;
    let (head, note) = signed_head(&dir, &trust)?;
    let size = stopped.store.size().map_err(|cause| super::verify::stopped::damaged(head.size, cause))?;
    if size < head.size {
        return Err(CommandError::new(Exit::Broken, Phrase::StoreBehind, &[&size, &head.size]));
    }
    let identity = Identity { log_id: trust.log_id, head, details: args.details };
    let (mut folder, goes_on) = Folder::open(&args.into, &identity)?;
    if goes_on {
        context.output.note(Phrase::ExportGoesOn, &[&args.into.display()]);
    }
    let bar = context.output.progress(Phrase::ProgressExport, head.size);
    folder.put(EXPORT_CHECKPOINT, note.as_bytes())?;
    let source = Source { store: &stopped.store, keyring: keyring.as_ref(), head };
    source.write(&mut folder, |done| bar.set_position(done))?;
    bar.finish_and_clear();
    stopped.close()?;
    finish(context, args, folder, &key, &identity)
}

/// The statement key of the home, which must be one that others have pinned.
fn statement_key(context: &mut Context, trust: &credit_client::Trust) -> Result<SigningKey, CommandError> {
    let path = context.home.server_key(ServerKey::Statement);
    let key = signing_key(&path, &mut context.passphrases)?;
    if trust.statement_keys.contains(&key.public()) {
        return Ok(key);
    }
    Err(CommandError::usage(Phrase::ExportKeyWrong, &[&path.display()]))
}

/// Signs the list of files, last of all.
fn finish(
    context: &Context,
    args: &Args,
    mut folder: Folder,
    key: &SigningKey,
    identity: &Identity,
) -> Ending {
    let Identity { log_id, head: Head { size, root }, details: _ } = *identity;
    let files = folder.files();
    let (count, bytes) = (files.len(), files.iter().fold(0u64, |sum, file| sum.saturating_add(file.bytes)));
    let manifest = FileManifest { log_id, kind: FileManifestKind::Export, size, root, files };
    let payload = manifest.payload();
    let signature = (Kid(key.public().kid()), key.sign_statement(FileManifest::TYPE, &payload));
    let envelope =
        Envelope { payload_type: FileManifest::TYPE.to_owned(), payload, signatures: vec![signature] };
    folder.finish(EXPORT_MANIFEST, &encode_manifest(&envelope))?;
    let output = &context.output;
    output.line(Phrase::ExportMade, &[&size, &args.into.display(), &count, &bytes]);
    output.json(&serde_json::json!({
        "size": size,
        "root": root.to_string(),
        "files": count,
        "bytes": bytes,
        "details": args.details,
    }));
    Ok(Exit::Done)
}

/// What is exported.
struct Source<'a> {
    store: &'a dyn Store,
    keyring: Option<&'a Keyring>,
    head: Head,
}

/// The files that are being filled.
struct Filling {
    first: u64,
    entries: Vec<u8>,
    details: Vec<u8>,
}

impl Source<'_> {
    /// Every entry, and their secret parts; the entries must be those of the signed head.
    fn write(&self, folder: &mut Folder, advance: impl Fn(u64)) -> Result<(), CommandError> {
        let Head { size, root } = self.head;
        let mut tree = Frontier::new();
        let mut filling = Filling { first: 0, entries: Vec::new(), details: Vec::new() };
        let mut books = BTreeMap::new();
        while tree.size() < size {
            let (page, bodies) = page(self.store, tree.size()..size, self.keyring.is_some())?;
            if page.is_empty() {
                return Err(CommandError::new(Exit::Broken, Phrase::StoreBehind, &[&tree.size(), &size]));
            }
            let none = BodyBytes::default();
            for (number, entry) in page.iter().enumerate() {
                let index = tree.size();
                let (framed, secret) = self.frames(index, entry, bodies.get(number).unwrap_or(&none))?;
                let full = index.saturating_sub(filling.first) >= EXPORT_FILE_ENTRIES_MAX
                    || filling.entries.len().saturating_add(framed.len()) > EXPORT_FILE_BYTES_MAX
                    || filling.details.len().saturating_add(secret.len()) > EXPORT_FILE_BYTES_MAX;
                if full {
                    filling.put(folder)?;
                    filling.first = index;
                }
                filling.entries.extend(framed);
                filling.details.extend(secret);
                books.extend(book_of(&entry.parts).map(|digest| (digest, index)));
                tree.append(leaf_hash(&entry.core));
            }
            advance(tree.size());
        }
        filling.put(folder)?;
        self.books(&books, folder)?;
        if Digest(tree.root()) != root {
            return Err(CommandError::new(Exit::Broken, Phrase::ExportHeadWrong, &[&size]));
        }
        Ok(())
    }

    /// Every rule book that the entries publish, as the public blob that it is.
    fn books(&self, books: &BTreeMap<Digest, u64>, folder: &mut Folder) -> Result<(), CommandError> {
        for (digest, index) in books {
            let bytes = self.store.blob(&digest.0);
            let bytes = bytes.map_err(|cause| super::verify::stopped::damaged(*index, cause))?;
            let bytes = bytes.filter(|bytes| sha256(bytes) == digest.0);
            let missing = || CommandError::new(Exit::Broken, Phrase::ExportBookMissing, &[index, digest]);
            folder.put(&ExportName::Blob(*digest).text(), &bytes.ok_or_else(missing)?)?;
        }
        Ok(())
    }

    /// The frames of an entry and of its secret parts.
    fn frames(
        &self,
        index: u64,
        entry: &EntryBytes,
        body: &BodyBytes,
    ) -> Result<(Vec<u8>, Vec<u8>), CommandError> {
        let long =
            |cause| CommandError::new(Exit::Broken, Phrase::ExportEntryTooLong, &[&index]).because(cause);
        let (mut framed, mut secret) = (Vec::new(), Vec::new());
        let bytes =
            credit_verify::EntryBytes { core: &entry.core, secret: &entry.secret, parts: &entry.parts };
        write_entry(&bytes, &mut framed).map_err(long)?;
        if let Some(keyring) = self.keyring {
            let (opened, missing) = secrets(keyring, &entry.parts, body);
            if missing > 0 {
                let places: [&dyn std::fmt::Display; 2] = [&index, &missing];
                return Err(CommandError::new(Exit::Broken, Phrase::ExportDetailsMissing, &places));
            }
            if !opened.is_empty() {
                write_secrets(index, &opened, &mut secret).map_err(long)?;
            }
        }
        Ok((framed, secret))
    }
}

/// The rule book that an entry publishes. Its event says so first of all; no other entry is read for it.
fn book_of(parts: &[Vec<u8>]) -> Option<Digest> {
    let published = i32::from(v1::EventKind::RuleBookPublished);
    let is_one = |part: &Vec<u8>| matches!(part.as_slice(), [PART_EVENT, 0x08, kind, ..] if i32::from(*kind) == published);
    if !parts.iter().any(is_one) {
        return None;
    }
    let signed = |statement: StatementPart| match statement {
        StatementPart::Signed(envelope) if envelope.payload_type == RuleBookPublication::TYPE => {
            RuleBookPublication::from_payload(&envelope.payload, |_| None).ok()
        }
        StatementPart::Signed(_) | StatementPart::Leaf { .. } => None,
    };
    let statements = decode_parts(parts).ok()?.statements;
    statements.into_iter().find_map(signed).map(|(_, publication)| publication.digest)
}

impl Filling {
    fn put(&mut self, folder: &mut Folder) -> Result<(), CommandError> {
        if !self.entries.is_empty() {
            folder.put(&ExportName::Entries(self.first).text(), &self.entries)?;
        }
        if !self.details.is_empty() {
            folder.put(&ExportName::Details(self.first).text(), &self.details)?;
        }
        self.entries.clear();
        self.details.clear();
        Ok(())
    }
}
