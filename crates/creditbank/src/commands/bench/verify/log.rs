//! A log that is written as it is made: entries to files of an export, nothing to a store.

use super::super::unmeasured;
use crate::ending::CommandError;
use credit_log::hash::{labelled, leaf_hash, sha256};
use credit_log::tree::Frontier;
use credit_log::{Hash, parts};
use credit_proto::entry::{StatementPart, encode_core, encode_parts};
use credit_types::{
    Anchor, CommandId, Digest, EntryCore, EntryHead, Event, Link, ManifestFile, SignerId, Subject,
};
use credit_verify::{
    EXPORT_FILE_ENTRIES_MAX, EntryBytes, ExportName, SecretPart, write_entry, write_secrets,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// When the log begins: 2026-11-23 in microseconds UTC.
const START_US: i64 = 1_795_392_000_000_000;
/// Microseconds from an entry to the next.
const STEP_US: i64 = 1_000;

/// What an entry says.
pub(super) struct Said {
    pub(super) actor: SignerId,
    pub(super) command_id: CommandId,
    pub(super) statement: StatementPart,
    pub(super) events: Vec<Event>,
    pub(super) secrets: Vec<SecretPart>,
}

/// The log so far.
pub(super) struct Log {
    root: PathBuf,
    seed: u64,
    tree: Frontier,
    last: BTreeMap<Subject, (u64, Hash)>,
    first: u64,
    entries: Vec<u8>,
    details: Vec<u8>,
    files: Vec<ManifestFile>,
    first_leaf: Option<Hash>,
}

impl Log {
    /// An empty log whose export lies in a folder.
    pub(super) fn new(root: &Path, seed: u64) -> Result<Self, CommandError> {
        for folder in [credit_verify::EXPORT_ENTRIES, credit_verify::EXPORT_DETAILS] {
            fs::create_dir_all(root.join(folder)).map_err(unmeasured)?;
        }
        Ok(Self {
            root: root.to_path_buf(),
            seed,
            tree: Frontier::new(),
            last: BTreeMap::new(),
            first: 0,
            entries: Vec::new(),
            details: Vec::new(),
            files: Vec::new(),
            first_leaf: None,
        })
    }

    /// The newest head.
    pub(super) fn anchor(&self) -> Anchor {
        Anchor { size: self.tree.size(), root: Digest(self.tree.root()) }
    }

    /// The leaf hash of entry 0.
    pub(super) fn first_leaf(&self) -> Hash {
        self.first_leaf.unwrap_or_default()
    }

    /// Adds an entry.
    pub(super) fn append(&mut self, said: Said) -> Result<(), CommandError> {
        let Said { actor, command_id, statement, events, secrets } = said;
        let index = self.tree.size();
        let links = self.links(&events);
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let head = EntryHead {
            actor,
            command_id,
            links: count(links.len()),
            statements: 1,
            events: count(events.len()),
        };
        let encoded = encode_parts(&head, &links, &[statement], &events);
        let secret = labelled("creditbank/bench/secret", &[&self.seed.to_be_bytes(), &index.to_be_bytes()]);
        let parts_root = Digest(parts::parts_root(&secret, &encoded));
        let since = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(STEP_US);
        let recorded_at_us = START_US.saturating_add(since);
        let core = encode_core(&EntryCore { index, recorded_at_us, parts_root });
        let leaf = leaf_hash(&core);
        self.first_leaf.get_or_insert(leaf);
        self.tree.append(leaf);
        for Link { subject, sequence, .. } in links {
            self.last.insert(subject, (sequence, leaf));
        }
        if index.saturating_sub(self.first) >= EXPORT_FILE_ENTRIES_MAX {
            self.put_files()?;
            self.first = index;
        }
        let entry = EntryBytes { core: &core, secret: &secret, parts: &encoded };
        write_entry(&entry, &mut self.entries).map_err(unmeasured)?;
        if !secrets.is_empty() {
            write_secrets(index, &secrets, &mut self.details).map_err(unmeasured)?;
        }
        Ok(())
    }

    fn links(&self, events: &[Event]) -> Vec<Link> {
        let mut subjects: BTreeMap<Subject, Vec<u32>> = BTreeMap::new();
        for (number, event) in (0u32..).zip(events) {
            if let Some(subject) = event.subject() {
                subjects.entry(subject).or_default().push(number);
            }
        }
        let link = |(subject, events): (Subject, Vec<u32>)| {
            let before = self.last.get(&subject);
            let sequence = before.map_or(0, |(sequence, _)| *sequence).saturating_add(1);
            Link { previous: before.map(|(_, leaf)| Digest(*leaf)), subject, sequence, events }
        };
        subjects.into_iter().map(link).collect()
    }

    fn put_files(&mut self) -> Result<(), CommandError> {
        let names = [ExportName::Entries(self.first), ExportName::Details(self.first)];
        for (name, bytes) in names.into_iter().zip([&self.entries, &self.details]) {
            if !bytes.is_empty() {
                let file = put(&self.root, &name.text(), bytes)?;
                self.files.push(file);
            }
        }
        self.entries.clear();
        self.details.clear();
        Ok(())
    }

    /// Writes what is left and a last file; gives all files by name.
    pub(super) fn finish(mut self, name: &str, bytes: &[u8]) -> Result<Vec<ManifestFile>, CommandError> {
        self.put_files()?;
        let last = put(&self.root, name, bytes)?;
        self.files.push(last);
        self.files.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(self.files)
    }
}

/// Writes a file of the export.
pub(super) fn put(root: &Path, name: &str, bytes: &[u8]) -> Result<ManifestFile, CommandError> {
    fs::write(root.join(name), bytes).map_err(unmeasured)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(ManifestFile { name: name.to_owned(), bytes: length, sha256: Digest(sha256(bytes)) })
}
