//! Reads the ledger: rows, entries, proofs, receipts, details. Synchronous; async callers go through a blocking
//! thread. What an answer rests on is durable and under a signed head: see `signed_rows.rs`.

use crate::books::Books;
use crate::clock::Clock;
use crate::failure::{Failure, fault};
use crate::head_signer::SignedHead;
use crate::keyring::Keyring;
use crate::prepare_signed::ReadyKeys;
use crate::publisher::Publisher;
use crate::rows;
use crate::signed_rows::SignedRows;
use crate::vault;
use crate::witnesses::CosignedHead;
use credit_ledger::{BookRow, HeadRow, InstitutionRow, RecordRow, Row, RowId};
use credit_log::Hash;
use credit_log::envelope::SigningKey;
use credit_log::strict_batch::BatchSeed;
use credit_log::tree::{self, Tiles, root_at};
use credit_proto::entry::{self, DecodedParts, ManifestInfo};
use credit_proto::{Secret as _, Stage, v1};
use credit_rules::program::Program;
use credit_store::{EntryBytes, Store};
use credit_types::{
    AccountRef, Digest, EntryCore, Event, Genesis, InstitutionId, LogId, RecordDetails, RecordId, Subject,
};
use std::sync::{Arc, RwLock};

/// The most bytes of entries read at once.
const READ_BYTES_MAX: usize = 4 << 20;

/// What the writer and all readers share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keyring: Keyring,
    /// Published rule books, made ready.
    pub(crate) books: Books,
    pub(crate) clock: Clock,
    pub(crate) genesis: Genesis,
    pub(crate) log_id: LogId,
    pub(crate) statement_key: SigningKey,
    /// The log's keys, ready to verify with.
    pub(crate) keys: ReadyKeys,
    /// Draws the weights of batches of signatures.
    pub(crate) seed: BatchSeed,
    /// The signed head, through which readers see the store's rows.
    pub(crate) signed_rows: SignedRows,
    /// What is published of it.
    pub(crate) publisher: Arc<Publisher>,
    /// The last head that enough witnesses have cosigned; of the newest size or of an earlier one.
    pub(crate) cosigned: RwLock<Option<Arc<CosignedHead>>>,
}

/// The newest signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Count of entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The signed note.
    pub checkpoint: String,
    /// When its last entry was recorded, in microseconds UTC.
    pub recorded_at_us: i64,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// The canonical core.
    pub core: Vec<u8>,
    /// The secret that salts the parts.
    pub secret: [u8; 32],
    /// The parts, each a kind byte and canonical bytes.
    pub parts: Vec<Vec<u8>>,
}

/// How an account is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AliasQuery {
    /// By the number the learner was told.
    AccountNumber(String),
    /// By an institution's own student number.
    StudentNumber {
        /// The institution.
        institution: InstitutionId,
        /// The number.
        number: String,
    },
}

/// Reads the ledger.
#[derive(Clone)]
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
}

/// Tiles of the tree under the signed head.
pub struct HeadTiles {
    signed: Arc<SignedHead>,
    store: Arc<dyn Store>,
}

/// Full tiles as they are stored.
pub(crate) struct FullTiles<'a>(pub(crate) &'a dyn Store);

impl Tiles for FullTiles<'_> {
    type Error = Failure;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, Failure> {
        Ok(self.0.tile(level, index)?.unwrap_or_default())
    }
}

impl Tiles for HeadTiles {
    type Error = Failure;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Failure> {
        self.signed.edge.over(&FullTiles(self.store.as_ref())).tile(level, index, width)
    }
}

impl Reader {
    /// A reader that sees the newest signed head at each call.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn signed(&self) -> Arc<SignedHead> {
        self.shared.signed()
    }

    /// The log.
    pub fn log_id(&self) -> LogId {
        self.shared.log_id
    }

    /// Entry 0.
    pub fn genesis(&self) -> &Genesis {
        &self.shared.genesis
    }

    /// The wall clock in microseconds UTC.
    pub fn now_us(&self) -> i64 {
        self.shared.clock.now_us()
    }

    /// The newest signed head; with the witnesses' lines where enough have cosigned it.
    pub fn head(&self) -> Head {
        let head = self.plain_head();
        match self.shared.cosigned().filter(|cosigned| cosigned.size == head.size) {
            Some(cosigned) => Head { checkpoint: cosigned.note.clone(), ..head },
            None => head,
        }
    }

    /// The newest signed head with the log's own lines only.
    pub(crate) fn plain_head(&self) -> Head {
        let signed = self.signed();
        Head {
            size: signed.edge.size(),
            root: Digest(signed.root),
            checkpoint: signed.checkpoint.clone(),
            recorded_at_us: signed.recorded_at_us,
        }
    }

    /// A row; heads and leaves are read from the tree.
    pub fn row(&self, id: &RowId) -> Result<Option<Row>, Failure> {
        let size = self.signed().edge.size();
        match id {
            RowId::Head(at) if *at == 0 || *at > size => Ok(None),
            RowId::Head(at) => {
                let root = root_at(&self.tiles(), *at).map_err(fault("read a root"))?;
                let core = self.core(at.saturating_sub(1))?;
                Ok(Some(Row::Head(HeadRow { root: Digest(root), recorded_at_us: core.recorded_at_us })))
            }
            RowId::Leaf(index) if *index >= size => Ok(None),
            RowId::Leaf(index) => Ok(Some(Row::Leaf(self.leaf(*index)?))),
            RowId::Log
            | RowId::Institution(_)
            | RowId::Key(_)
            | RowId::Framework(_)
            | RowId::Scheme(_)
            | RowId::Account(_)
            | RowId::Record(..)
            | RowId::Command(_)
            | RowId::Batch(_)
            | RowId::OpenBatches(_)
            | RowId::Subject(_)
            | RowId::Book(_)
            | RowId::AutoApprovals(_)
            | RowId::Application(_)
            | RowId::Uses(_) => self.shared.row(id),
        }
    }

    /// The leaf hash of an entry.
    pub fn leaf(&self, index: u64) -> Result<Digest, Failure> {
        if index >= self.signed().edge.size() {
            return Err(Failure::NotFound("entry"));
        }
        tree::node(&self.tiles(), 0, index).map(Digest).map_err(fault("read a leaf hash"))
    }

    /// The core of an entry.
    pub fn core(&self, index: u64) -> Result<EntryCore, Failure> {
        entry::decode_core(&self.entry(index)?.core).map_err(fault("decode a core"))
    }

    /// An entry under the signed head.
    pub fn entry(&self, index: u64) -> Result<StoredEntry, Failure> {
        self.entries(index, 1)?.pop().ok_or(Failure::NotFound("entry"))
    }

    /// Up to `count` entries from `start` on, fewer where they are large or the log ends; at least one if there is
    /// one.
    pub fn entries(&self, start: u64, count: usize) -> Result<Vec<StoredEntry>, Failure> {
        let size = self.signed().edge.size();
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let end = start.saturating_add(count).min(size);
        if start >= end {
            return Ok(Vec::new());
        }
        let entries = self.shared.store.entries(start..end, READ_BYTES_MAX)?;
        Ok(entries.into_iter().map(StoredEntry::from).collect())
    }

    /// An entry taken apart, with its events.
    pub fn events(&self, index: u64) -> Result<(EntryCore, DecodedParts, Vec<Event>), Failure> {
        let stored = self.entry(index)?;
        let core = entry::decode_core(&stored.core).map_err(fault("decode a core"))?;
        let (parts, events) = decode(&stored.parts, |manifest| self.row(&RowId::Batch(manifest)))?;
        Ok((core, parts, events))
    }

    /// The tiles of the tree under the signed head.
    pub fn tiles(&self) -> HeadTiles {
        HeadTiles { signed: self.signed(), store: Arc::clone(&self.shared.store) }
    }

    /// The entries of a subject's chain from a sequence on: pairs of sequence and entry index.
    pub fn subject_chain(
        &self,
        subject: &Subject,
        from_sequence: u64,
        limit: usize,
    ) -> Result<Vec<(u64, u64)>, Failure> {
        let (from, to) = (rows::chain_key(subject, from_sequence), rows::chain_key(subject, u64::MAX));
        let found = self.shared.rows(&from, &to, limit)?;
        found
            .iter()
            .map(|(key, value)| {
                let sequence = key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
                let index = <[u8; 8]>::try_from(value.as_slice()).ok().map(u64::from_be_bytes);
                sequence.zip(index).ok_or_else(|| Failure::Fault("decode a chain row".to_owned()))
            })
            .collect()
    }

    /// The records of an account by record id.
    pub fn records_of(
        &self,
        account: AccountRef,
        after: Option<(RecordId, InstitutionId)>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, Failure> {
        let (from, to) = rows::records_range(account, after);
        let record = |(_, value): &(Vec<u8>, Vec<u8>)| {
            let Row::Record(row) = rows::decode(value)? else {
                return Err(Failure::Fault("a record's row is something else".to_owned()));
            };
            Ok(Arc::unwrap_or_clone(row))
        };
        self.shared.rows(&from, &to, limit)?.iter().map(record).collect()
    }

    /// Institutions by id.
    pub fn institutions(
        &self,
        after: Option<InstitutionId>,
        limit: usize,
    ) -> Result<Vec<InstitutionRow>, Failure> {
        let from = after.map_or_else(|| vec![b'n'], |id| [b"n", id.as_str().as_bytes(), b"\0"].concat());
        let found = self.shared.rows(&from, &credit_store::prefix_end(b"n"), limit)?;
        found
            .iter()
            .map(|(_, value)| {
                let Row::Institution(row) = rows::decode(value)? else {
                    return Err(Failure::Fault("an institution's row is something else".to_owned()));
                };
                Ok(Arc::unwrap_or_clone(row))
            })
            .collect()
    }

    /// Rule books by id.
    pub(crate) fn books(&self, after: Option<&str>, limit: usize) -> Result<Vec<Arc<BookRow>>, Failure> {
        let from = after.map_or_else(|| vec![b'e'], |id| [b"e", id.as_bytes(), b"\0"].concat());
        let found = self.shared.rows(&from, &credit_store::prefix_end(b"e"), limit)?;
        let row = |(_, value): &(Vec<u8>, Vec<u8>)| {
            if let Row::Book(row) = rows::decode(value)? {
                return Ok(row);
            }
            Err(Failure::Fault("a rule book's row is something else".to_owned()))
        };
        found.iter().map(row).collect()
    }

    /// Indexes of the applications made to an institution from an index on, ascending.
    pub(crate) fn asked_of(
        &self,
        institution: &InstitutionId,
        from_index: u64,
        limit: usize,
    ) -> Result<Vec<u64>, Failure> {
        let (from, to) = (rows::asked_key(institution, from_index), rows::asked_key(institution, u64::MAX));
        let found = self.shared.rows(&from, &to, limit)?;
        let index = |(key, _): &(Vec<u8>, Vec<u8>)| {
            let bytes = key.last_chunk::<8>().copied();
            bytes.map(u64::from_be_bytes).ok_or_else(|| Failure::Fault("decode a listing".to_owned()))
        };
        found.iter().map(index).collect()
    }

    /// A record's details; `None` as in [`Reader::opened_details`].
    pub fn details(&self, record: &RecordRow) -> Result<Option<RecordDetails>, Failure> {
        let opened = self.opened_details(record)?;
        let read = |opened: v1::OpenedSecret| RecordDetails::read(&opened.payload, Stage::Replay);
        opened.map(read).transpose().map_err(|_| Failure::Fault("decode details".to_owned()))
    }

    /// A record's details with the salt that opens the commitment in its facts; `None` once the log says that they are
    /// erased, which no entry of this protocol does. A key that is merely missing is a failure of the keyring, and is
    /// told as one.
    pub fn opened_details(&self, record: &RecordRow) -> Result<Option<v1::OpenedSecret>, Failure> {
        // What an application granted commits to the application's explanation, and has no details.
        if record.application.is_some() {
            return Ok(None);
        }
        let (account, wanted) = (record.facts.account_ref, record.facts.details_commitment);
        self.opened_secret(account, record.deposited_index, wanted, RecordDetails::TYPE).map(Some)
    }

    /// A secret part of an account in an entry, with the salt of its commitment.
    pub(crate) fn opened_secret(
        &self,
        account: AccountRef,
        index: u64,
        wanted: Digest,
        payload_type: &str,
    ) -> Result<v1::OpenedSecret, Failure> {
        let data_key = self.shared.keyring.data_key(account).ok_or(Failure::DataKeyMissing)?;
        let range = index..index.saturating_add(1);
        let bodies = self.shared.store.bodies(range, READ_BYTES_MAX)?;
        // An entry has at most one item per account, and only this account's opens under its key.
        let opened = bodies
            .iter()
            .flat_map(|body| &body.items)
            .find_map(|(id, sealed)| vault::open_item(&data_key, id, sealed).ok());
        let Some(secrets) = opened else {
            return Err(Failure::Fault("a record's item is missing".to_owned()));
        };
        let part = secrets.iter().find(|part| part.commitment == wanted);
        let Some(part) = part else { return Err(Failure::Fault("an item lacks its part".to_owned())) };
        Ok(v1::OpenedSecret {
            payload_type: payload_type.to_owned(),
            salt: part.salt.to_vec(),
            payload: part.payload.clone(),
        })
    }

    /// A published rule book, made ready.
    pub(crate) fn program(&self, digest: Digest) -> Result<Arc<Program>, Failure> {
        self.shared.books.program(self.shared.store.as_ref(), digest)
    }

    /// A public blob by its SHA-256; `None` where the ledger has none.
    pub fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.shared.store.blob(&digest.0)?)
    }

    /// The account behind an alias.
    pub fn resolve(&self, alias: &AliasQuery) -> Result<Option<AccountRef>, Failure> {
        let pepper = self.shared.keyring.pepper().1;
        let pseudonym = match alias {
            AliasQuery::AccountNumber(number) => vault::number_alias(pepper, number),
            AliasQuery::StudentNumber { institution, number } => {
                vault::student_alias(pepper, institution, number)
            }
        };
        let key = vault::pseudonym_key(rows::ALIAS, &pseudonym);
        let sealed = self.shared.row_bytes(&key)?;
        sealed.map(|sealed| vault::alias_holder(&self.shared.keyring, &key, &sealed)).transpose()
    }

    /// Signs by the log's statement key.
    pub fn sign(&self, payload_type: &str, payload: &[u8]) -> v1::Envelope {
        let key = &self.shared.statement_key;
        let signature = key.sign_statement(payload_type, payload).to_vec();
        v1::Envelope {
            payload_type: payload_type.to_owned(),
            payload: payload.to_vec(),
            signatures: vec![v1::Signature { kid: key.public().kid().to_vec(), signature }],
        }
    }
}

impl From<EntryBytes> for StoredEntry {
    fn from(EntryBytes { core, secret, parts }: EntryBytes) -> Self {
        Self { core, secret, parts }
    }
}

/// Reads a stored row.
pub(crate) fn stored_row(store: &dyn Store, id: &RowId) -> Result<Option<Row>, Failure> {
    rows::load(id, |key| Ok(store.row(&key)?))
}

/// Takes an entry's parts apart and gives its events all they need of their statements.
pub(crate) fn decode(
    parts: &[Vec<u8>],
    batch: impl FnOnce(u64) -> Result<Option<Row>, Failure>,
) -> Result<(DecodedParts, Vec<Event>), Failure> {
    let parts = entry::decode_parts(parts).map_err(fault("decode an entry's parts"))?;
    let events = hydrated(&parts, batch)?;
    Ok((parts, events))
}

/// The events of an entry's parts, with what they leave to its manifest.
pub(crate) fn hydrated(
    parts: &DecodedParts,
    batch: impl FnOnce(u64) -> Result<Option<Row>, Failure>,
) -> Result<Vec<Event>, Failure> {
    let manifest = match entry::manifest_of(parts) {
        None => None,
        Some(index) => match batch(index)? {
            Some(Row::Batch(row)) => {
                Some(ManifestInfo { signer: row.signer.clone(), kid: row.kid, leaf_type: row.leaf_type })
            }
            _ => return Err(Failure::Fault("a chunk's batch has no row".to_owned())),
        },
    };
    entry::hydrate(parts, manifest.as_ref(), admit, credit_log::batch::record_leaf)
        .map_err(fault("read an entry's events"))
}

/// Admits a public key, for decoding: its kid, or nothing.
pub(crate) fn admit(key: &[u8; 32]) -> Option<[u8; 32]> {
    credit_log::envelope::PublicKey::admit(key).ok().map(|key| key.kid())
}
