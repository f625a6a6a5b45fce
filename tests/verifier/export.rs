//! An export put together by hand, as section 12 of the format document has it, out of what an auditor may list; and
//! lies in it, signed for by the log's own keys.

use crate::session::{Session, World, key_of};
use credit_log::checkpoint::{Checkpoint, sign};
use credit_log::container::{File, format};
use credit_log::envelope::SigningKey;
use credit_log::hash::{leaf_hash, sha256};
use credit_log::note::NoteSigner;
use credit_log::parts::parts_root;
use credit_log::tree::root_of;
use credit_proto::strict::{decode, encode};
use credit_proto::{BankSigned as _, v1};
use credit_types::{Digest, FileManifest, FileManifestKind, LogId, ManifestFile};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Entries of one file.
const ENTRIES_PER_FILE: usize = 16;
/// Entries asked for at once.
const PAGE: u32 = 1_000;

/// An entry as it stands in an export.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) core: Vec<u8>,
    pub(crate) secret: Vec<u8>,
    pub(crate) parts: Vec<Vec<u8>>,
}

impl Entry {
    /// Commits to the parts as they are now.
    pub(crate) fn recommitted(mut self) -> Self {
        let mut core: v1::EntryCore = decode(&self.core).expect("a core");
        let secret = self.secret.as_slice().try_into().expect("32 bytes");
        core.parts_root = parts_root(secret, &self.parts).to_vec();
        self.core = encode(&core);
        self
    }
}

/// All entries of a world, each with its parts.
pub(crate) async fn entries(session: &Session<'_>) -> Vec<Entry> {
    let size = session.size().await;
    let mut entries = Vec::new();
    while (entries.len() as u64) < size {
        let request =
            v1::ListEntriesRequest { start: entries.len() as u64, page_size: PAGE, with_parts: true };
        let answer = session.auditor().log().list_entries(request).await.expect("entries").into_inner();
        assert!(!answer.entries.is_empty(), "an empty page below the head");
        let entry =
            |entry: v1::LogEntry| Entry { core: entry.core, secret: entry.secret, parts: entry.parts };
        entries.extend(answer.entries.into_iter().map(entry));
    }
    entries.truncate(usize::try_from(size).expect("a size"));
    entries
}

/// The log's own keys.
pub(crate) struct Keys {
    checkpoint: NoteSigner,
    pub(crate) statement: SigningKey,
    pub(crate) operator: SigningKey,
    origin: String,
    log_id: LogId,
}

impl Keys {
    pub(crate) fn of(world: &World) -> Self {
        let key = |name: &str| key_of(&world.bank.home().join("keys").join(name));
        Self {
            checkpoint: NoteSigner::new(&world.origin, key("checkpoint.key")).expect("a signer"),
            statement: key("statement.key"),
            operator: key("operator.key"),
            origin: world.origin.clone(),
            log_id: LogId::from_slice(&world.log_id).expect("an id"),
        }
    }
}

impl Keys {
    /// The checkpoint over these leaves, signed.
    pub(crate) fn note(&self, leaves: &[[u8; 32]]) -> String {
        let (size, root) = (leaves.len() as u64, root_of(leaves));
        sign(&Checkpoint { origin: self.origin.clone(), size, root }, &self.checkpoint).expect("a checkpoint")
    }

    /// Signs for the files that are in the folder of an export, in place of the manifest that is there.
    pub(crate) fn resign(&self, folder: &Path) {
        let manifest = folder.join("manifest");
        let old: v1::Envelope = decode(&fs::read(&manifest).expect("a manifest")).expect("an envelope");
        let old = FileManifest::from_payload(&old.payload).expect("a manifest");
        let file = |file: ManifestFile| {
            let bytes = fs::read(folder.join(&file.name)).expect("a file");
            listed((&file.name, &bytes))
        };
        let new = FileManifest { files: old.files.clone().into_iter().map(file).collect(), ..old };
        let signed = crate::statement::envelope(FileManifest::TYPE, new.payload(), &[&self.statement]);
        fs::write(manifest, encode(&signed)).expect("a manifest");
    }

    /// A bundle of these files under a manifest made anew, of the head that their manifest names.
    pub(crate) fn bundle(&self, mut files: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
        let old: v1::Envelope = decode(&files.remove("manifest").expect("a manifest")).expect("an envelope");
        let old = FileManifest::from_payload(&old.payload).expect("a manifest");
        let listed = files.iter().map(listed).collect();
        let manifest = FileManifest { files: listed, ..old };
        let signed = crate::statement::envelope(FileManifest::TYPE, manifest.payload(), &[&self.statement]);
        files.insert("manifest".to_owned(), encode(&signed));
        let list: Vec<File<'_>> = files.iter().map(|(name, bytes)| File { name, bytes }).collect();
        format(&list).expect("a container")
    }
}

fn listed((name, bytes): (&String, &Vec<u8>)) -> ManifestFile {
    ManifestFile { name: name.clone(), bytes: bytes.len() as u64, sha256: Digest(sha256(bytes)) }
}

fn frame(entry: &Entry) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a length").to_be_bytes();
    let mut frame = length(&entry.core).to_vec();
    frame.extend_from_slice(&entry.core);
    frame.extend_from_slice(&entry.secret);
    frame.extend_from_slice(&u16::try_from(entry.parts.len()).expect("a count").to_be_bytes());
    for part in &entry.parts {
        frame.extend_from_slice(&length(part));
        frame.extend_from_slice(part);
    }
    frame
}

/// Writes an export of these entries, whatever they say, signed as the log signs; and secret parts by their entries.
pub(crate) fn write(folder: &Path, keys: &Keys, entries: &[Entry], details: &[(u64, v1::OpenedSecret)]) {
    let leaves: Vec<[u8; 32]> = entries.iter().map(|entry| leaf_hash(&entry.core)).collect();
    let (size, root) = (entries.len() as u64, root_of(&leaves));
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (number, some) in entries.chunks(ENTRIES_PER_FILE).enumerate() {
        let bytes = some.iter().flat_map(frame).collect();
        files.insert(format!("entries/{:012}", number * ENTRIES_PER_FILE), bytes);
    }
    let secret = |(index, secret): &(u64, v1::OpenedSecret)| {
        let bytes = encode(secret);
        let length = u32::try_from(bytes.len()).expect("a length");
        [index.to_be_bytes().as_slice(), &1_u16.to_be_bytes(), &length.to_be_bytes(), &bytes].concat()
    };
    if !details.is_empty() {
        files.insert("details/000000000000".to_owned(), details.iter().flat_map(secret).collect());
    }
    files.insert("checkpoint".to_owned(), keys.note(&leaves).into_bytes());
    let manifest = FileManifest {
        log_id: keys.log_id,
        kind: FileManifestKind::Export,
        size,
        root: Digest(root),
        files: files.iter().map(listed).collect(),
    };
    let payload = manifest.payload();
    let signed = crate::statement::envelope(FileManifest::TYPE, payload, &[&keys.statement]);
    files.insert("manifest".to_owned(), encode(&signed));
    let _ = fs::remove_dir_all(folder);
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}
