//! Where a verifier finds what stands in no entry: public rule books, and the secret parts of earlier entries.

use super::stopped::{page, secrets};
use credit_client::{Client, ClientError};
use credit_service::Keyring;
use credit_store::{BodyBytes, Store, StoreError};
use credit_types::{BookVersion, Digest, ManifestFile};
use credit_verify::{
    Blobs, EXPORT_FILE_BYTES_MAX, EarlierSecrets, SecretPart, is_file, read_secrets, skip_secrets,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

/// The most files of secret parts that are kept in memory: records of one application lie in few.
const FILES_MAX: usize = 4;

/// Books asked for at once.
const BOOKS_PAGE: u32 = 200;

/// The shelf of a stopped ledger.
pub(super) struct StoreShelf<'s> {
    store: &'s dyn Store,
    keyring: Option<&'s Keyring>,
    failed: RefCell<Option<StoreError>>,
}

impl<'s> StoreShelf<'s> {
    /// Of a store, with secret parts where there is a keyring.
    pub(super) fn new(store: &'s dyn Store, keyring: Option<&'s Keyring>) -> Self {
        Self { store, keyring, failed: RefCell::new(None) }
    }

    /// What failed: a book that can't be read is not a book that is missing.
    pub(super) fn failed(&self) -> Option<StoreError> {
        self.failed.borrow_mut().take()
    }
}

impl Blobs for StoreShelf<'_> {
    fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.store.blob(&digest.0).unwrap_or_else(|error| {
            *self.failed.borrow_mut() = Some(error);
            None
        })
    }
}

impl EarlierSecrets for StoreShelf<'_> {
    fn secrets(&self, index: u64) -> Option<Vec<SecretPart>> {
        let keyring = self.keyring?;
        let (entries, bodies) = page(self.store, index..index.saturating_add(1), true).ok()?;
        let entry = entries.first()?;
        let body = bodies.into_iter().next().unwrap_or_else(BodyBytes::default);
        Some(secrets(keyring, &entry.parts, &body).0)
    }
}

/// The shelf of a running ledger: its rule books, read as they are needed.
pub(super) struct ServerShelf<'c> {
    client: &'c Client,
    handle: &'c Handle,
    named: BTreeMap<Digest, BookVersion>,
    failed: RefCell<Option<ClientError>>,
}

impl<'c> ServerShelf<'c> {
    /// Of every version that the server knows; `None` where it is older than rule books.
    pub(super) async fn new(client: &'c Client, handle: &'c Handle) -> Result<Option<Self>, ClientError> {
        let (mut token, mut named) = (String::new(), BTreeMap::new());
        loop {
            let page = match client.list_rule_books(BOOKS_PAGE, &token).await {
                Err(ClientError::Transport(_)) if token.is_empty() => return Ok(None),
                other => other?,
            };
            for newest in page.items {
                for known in client.get_rule_book(&newest.publication.book.book_id).await? {
                    named.insert(known.publication.digest, known.publication.book);
                }
            }
            match page.next {
                Some(next) => token = next,
                None => return Ok(Some(Self { client, handle, named, failed: RefCell::new(None) })),
            }
        }
    }

    /// What failed: a book that can't be had at the moment is not a book that is missing.
    pub(super) fn failed(&self) -> Option<ClientError> {
        self.failed.borrow_mut().take()
    }
}

impl Blobs for ServerShelf<'_> {
    fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        let BookVersion { book_id, version } = self.named.get(digest)?;
        match self.handle.block_on(self.client.read_rule_book(book_id, *version)) {
            Ok((_, bytes)) => Some(bytes),
            Err(error) => {
                *self.failed.borrow_mut() = Some(error);
                None
            }
        }
    }
}

/// A file of secret parts in memory, with where each entry's parts begin.
struct Held {
    first: u64,
    bytes: Vec<u8>,
    begins: Vec<(u64, usize)>,
}

/// The shelf of an export.
pub(super) struct ExportShelf {
    dir: PathBuf,
    blobs: Vec<(Digest, ManifestFile)>,
    details: Vec<(u64, ManifestFile)>,
    held: RefCell<VecDeque<Held>>,
}

impl ExportShelf {
    /// Of what a manifest lists.
    pub(super) fn new(dir: &Path, export: &credit_verify::Export) -> Self {
        let (blobs, details) = (export.blobs.clone(), export.details.clone());
        Self { dir: dir.to_path_buf(), blobs, details, held: RefCell::new(VecDeque::new()) }
    }

    /// A file, if it is the one that the manifest lists.
    fn read(&self, file: &ManifestFile) -> Option<Vec<u8>> {
        let bytes = bounded(&self.dir.join(&file.name)).ok()?;
        is_file(file, &bytes).then_some(bytes)
    }

    /// Has the file of secret parts in memory, in front of the others, that an entry's would be in.
    fn hold(&self, index: u64) -> Option<()> {
        let behind = self.details.partition_point(|(first, _)| *first <= index);
        let (first, file) = self.details.get(behind.checked_sub(1)?)?;
        let mut held = self.held.borrow_mut();
        let known = held.iter().position(|one| one.first == *first);
        let found = if let Some(found) = known.and_then(|at| held.remove(at)) {
            found
        } else {
            let bytes = self.read(file)?;
            let begins = begins(&bytes)?;
            Held { first: *first, bytes, begins }
        };
        held.push_front(found);
        held.truncate(FILES_MAX);
        Some(())
    }
}

/// A file of at most as many bytes as one of an export has; of a longer one, a byte more.
fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(EXPORT_FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the secret parts of each entry begin; `None` where a frame is wrong.
fn begins(bytes: &[u8]) -> Option<Vec<(u64, usize)>> {
    let (mut begins, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let at = bytes.len().saturating_sub(rest.len());
        let (index, after) = skip_secrets(rest).ok()?;
        begins.push((index, at));
        rest = after;
    }
    Some(begins)
}

impl Blobs for ExportShelf {
    fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        let at = self.blobs.binary_search_by_key(digest, |(of, _)| *of).ok()?;
        self.read(&self.blobs.get(at)?.1)
    }
}

impl EarlierSecrets for ExportShelf {
    fn secrets(&self, index: u64) -> Option<Vec<SecretPart>> {
        self.hold(index)?;
        let held = self.held.borrow();
        let Held { first: _, bytes, begins } = held.front()?;
        let at = begins.binary_search_by_key(&index, |(of, _)| *of).ok()?;
        let (_, begin) = begins.get(at)?;
        read_secrets(bytes.get(*begin..)?).ok().map(|(_, parts, _)| parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::hash::sha256;
    use credit_proto::payload_type::RECORD_DETAILS;
    use credit_verify::{Export, ExportName, OpenedDetails, write_secrets};
    use std::fs;

    fn part(byte: u8) -> SecretPart {
        let opened = OpenedDetails { salt: [byte; 32], payload: vec![byte; 3] };
        SecretPart { payload_type: RECORD_DETAILS.to_owned(), opened }
    }

    fn file(dir: &Path, name: ExportName, bytes: &[u8]) -> ManifestFile {
        let name = name.text();
        let path = dir.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let length = u64::try_from(bytes.len()).unwrap();
        ManifestFile { name, bytes: length, sha256: Digest(sha256(bytes)) }
    }

    #[test]
    fn an_export_gives_its_books_and_the_secret_parts_of_any_entry_as_they_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        write_secrets(3, &[part(3)], &mut first).unwrap();
        write_secrets(9, &[part(9), part(10)], &mut first).unwrap();
        write_secrets(64, &[part(64)], &mut second).unwrap();
        let book = b"{}".as_slice();
        let digest = Digest(sha256(book));
        let details = vec![
            (0, file(dir, ExportName::Details(0), &first)),
            (50, file(dir, ExportName::Details(50), &second)),
        ];
        let blobs = vec![(digest, file(dir, ExportName::Blob(digest), book))];
        let export = Export {
            size: 100,
            root: Digest([0; 32]),
            files: Vec::new(),
            entries: Vec::new(),
            details,
            blobs,
        };
        let shelf = ExportShelf::new(dir, &export);
        assert_eq!(shelf.blob(&digest).as_deref(), Some(book));
        assert_eq!(shelf.blob(&Digest([1; 32])), None);
        let salts = |index| -> Option<Vec<u8>> {
            let parts = shelf.secrets(index)?;
            Some(parts.iter().map(|part| part.opened.salt[0]).collect())
        };
        assert_eq!((salts(3), salts(9), salts(64)), (Some(vec![3]), Some(vec![9, 10]), Some(vec![64])));
        assert_eq!((salts(0), salts(4), salts(63), salts(99)), (None, None, None, None));
        // What is not as it is listed is not there.
        let bent = ExportShelf::new(dir, &export);
        fs::write(dir.join(ExportName::Blob(digest).text()), b"[]").unwrap();
        fs::write(dir.join(ExportName::Details(50).text()), &first).unwrap();
        assert_eq!(bent.blob(&digest), None);
        assert!(bent.secrets(64).is_none() && bent.secrets(3).is_some());
    }
}
