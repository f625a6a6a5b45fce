//! The running ledger: made once, opened with every check that its files allow, submitted to, stopped.

use crate::answer::Answer;
use crate::books::Books;
use crate::clock::Clock;
use crate::committer::{Committer, Committing, Waiting};
use crate::failure::{Failure, fault};
use crate::group::Base;
use crate::head_signer::{CheckpointSigners, HeadSigner};
use crate::keyring::Keyring;
use crate::prepare::{Expected, Prepared, Preparer};
use crate::prepare_signed::ReadyKeys;
use crate::publisher::{self, Publisher};
use crate::random;
use crate::reader::{FullTiles, Reader, Shared, decode, stored_row};
use crate::rows;
use crate::rows_layout;
use crate::seal::Secret;
use crate::signed_rows::SignedRows;
use crate::stats::{Counters, Stats};
use crate::witnesses::{self, Asked, Witnesses, ask_at_start};
use crate::writer::{Message, Writer};
use credit_ledger::{Row, RowId};
use credit_log::envelope::SigningKey;
use credit_log::policy::Policy;
use credit_log::strict_batch::BatchSeed;
use credit_log::tile::{TileEdge, full_tiles, hashes_at, partial_width};
use credit_log::tree::{Tiles as _, root_at, root_of};
use credit_log::{Hash, hash};
use credit_proto::entry;
use credit_proto::{Envelope, Signable, payload_type, v1};
use credit_store::Store;
use credit_store::high_water::HighWater;
use credit_store::lock::DirectoryLock;
use credit_store::sled::{Options, SledStore};
use credit_types::{AccountRef, Anchor, Digest, Event, Genesis, Header, LogId, ServerStart, SignerId};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

/// The store's folder in a data directory.
const STORE: &str = "store";
/// The keyring's folder in a data directory.
const KEYRING: &str = "keyring";
/// The high-water file in a data directory.
const HIGH_WATER: &str = "high-water";
/// How many account rows are read at once when the keyring is checked at start.
const ACCOUNTS_PAGE: usize = 16_384;
/// The name and version that a server start carries.
pub const SOFTWARE: &str = concat!("creditbank/", env!("CARGO_PKG_VERSION"));

/// The secrets that a server runs with.
pub struct ServerKeys {
    /// Signs checkpoints.
    pub checkpoint: SigningKey,
    /// Signs them as well, while one key is exchanged for the other.
    pub second_checkpoint: Option<SigningKey>,
    /// Signs subject heads and balances.
    pub statement: SigningKey,
    /// Signs server starts.
    pub operator: SigningKey,
    /// Opens the keyring.
    pub root: Secret,
}

/// How a ledger is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The store engine's cache in bytes.
    pub cache_bytes: u64,
    /// The bytes of changed rows that gather in memory before they settle.
    pub rows_bytes: u64,
    /// The bytes that must be free on the disk before a write begins.
    pub reserve_bytes: u64,
    /// The most commands waiting for the writer.
    pub queue_max: usize,
    /// The most entries of a group.
    pub group_entries_max: usize,
    /// Accept a wall clock far ahead of the last entry.
    pub accept_clock: bool,
    /// Whose cosignatures heads need; the witnesses are asked before anything is written.
    pub witness_policy: Option<Policy>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 128 << 20,
            rows_bytes: 32 << 20,
            reserve_bytes: 1 << 30,
            queue_max: 4_096,
            group_entries_max: 1_024,
            accept_clock: false,
            witness_policy: None,
        }
    }
}

/// Whether the ledger takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Serving,
    /// Not until restart; the code says why.
    ReadOnly(&'static str),
}

/// The running ledger; clones are handles to the same one.
#[derive(Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Message>,
    preparer: Preparer,
    health: watch::Receiver<Health>,
    counters: Arc<Counters>,
    publisher: Arc<Publisher>,
    publishing: AbortHandle,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
    witnesses: Option<Arc<Witnesses>>,
    _lock: Arc<DirectoryLock>,
}

impl Ledger {
    /// Makes a ledger in an empty or missing directory from a signed genesis. It is not running yet.
    pub fn create(dir: &Path, genesis: &Envelope, keys: ServerKeys) -> Result<LogId, Failure> {
        crate::create::create(dir, genesis, keys)
    }

    /// Opens a ledger, checks it against its high-water mark, and appends a server start.
    pub async fn open(dir: &Path, keys: ServerKeys, options: OpenOptions) -> Result<Self, Failure> {
        let folder = dir.to_path_buf();
        let opened = tokio::task::spawn_blocking(move || open(&folder, keys, &options));
        let (ledger, start) = opened.await.map_err(fault("open the ledger"))??;
        let serving = *ledger.health.borrow() == Health::Serving;
        if serving {
            ledger.submit(start).await?;
        }
        Ok(ledger)
    }

    /// Submits a command; the answer comes when it is durable and can be read.
    pub async fn submit(&self, prepared: Prepared) -> Result<Answer, Failure> {
        let answer = self.enqueue(prepared)?.answer().await;
        self.caught_up().await;
        answer
    }

    /// Waits until everything can be read that anybody was told of before.
    pub(crate) async fn caught_up(&self) {
        self.reader().shared.signed_rows.caught_up().await;
    }

    /// Puts a command into the writer's queue, behind those put in before.
    pub(crate) fn enqueue(&self, prepared: Prepared) -> Result<Waiting, Failure> {
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Message::Submit(Box::new(prepared), reply)) {
            Ok(()) => Ok(Waiting::new(answer)),
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.counters.update(|stats| stats.busy = stats.busy.saturating_add(1));
                Err(Failure::Busy)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Failure::ReadOnly("STOPPING")),
        }
    }

    /// Reads the ledger.
    pub fn reader(&self) -> &Reader {
        &self.preparer.reader
    }

    /// Prepares commands.
    pub fn preparer(&self) -> &Preparer {
        &self.preparer
    }

    /// What is published of it: checkpoints, at most one a second. Who collects cosignatures follows them here and puts
    /// the cosigned note in the place of the plain one.
    pub fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// Whether it takes writes, as it changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        let mut stats = self.counters.snapshot();
        let waiting = self.queue.max_capacity().saturating_sub(self.queue.capacity());
        stats.queue_depth = u64::try_from(waiting).unwrap_or(u64::MAX);
        stats.disk_bytes = self.reader().shared.store.disk_bytes().unwrap_or(0);
        stats.size = self.reader().head().size;
        stats
    }

    /// Has heads cosigned until told to stop; nothing where no witnesses are asked for.
    pub(crate) fn collect_cosignatures(&self, stop: watch::Receiver<bool>) {
        let Some(witnesses) = self.witnesses.clone() else { return };
        let (shared, counters) = (Arc::clone(&self.reader().shared), Arc::clone(&self.counters));
        let heads = witnesses::published_heads(self.publisher.watch(), stop.clone());
        tokio::spawn(witnesses::collect(shared, witnesses, counters, heads, stop));
    }

    /// Lets what waits finish, then ends the writer and closes the store.
    pub async fn stop(self) {
        drop(self.queue.send(Message::Stop).await);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let joined = tokio::task::spawn_blocking(move || writer.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the writer did not end well");
            }
        }
        // The last head is published however shortly after the one before.
        let shared = &self.reader().shared;
        self.publisher.publish(&shared.signed(), shared.clock.now_us());
        self.publishing.abort();
        let store = Arc::clone(&shared.store);
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::error!("the store did not close well");
        }
    }
}

/// The files of a data directory.
pub(crate) struct Layout {
    pub(crate) store: PathBuf,
    pub(crate) keyring: PathBuf,
    pub(crate) high_water: PathBuf,
}

impl Layout {
    pub(crate) fn of(dir: &Path) -> Self {
        Self { store: dir.join(STORE), keyring: dir.join(KEYRING), high_water: dir.join(HIGH_WATER) }
    }
}

/// Reads the right edge of the tiles back: partial tiles are computed from entries and full tiles.
pub(crate) fn load_edge(store: &dyn Store, size: u64) -> Result<TileEdge, Failure> {
    let mut levels = Vec::new();
    for level in 0u8.. {
        let (from, count) = (full_tiles(level, size).saturating_mul(256), hashes_at(level, size));
        if count == 0 {
            break;
        }
        let mut hashes: Vec<Hash> = Vec::new();
        if level == 0 {
            let mut next = from;
            while next < count {
                let entries = store.entries(next..count, 4 << 20)?;
                next = next.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
                hashes.extend(entries.iter().map(|entry| hash::leaf_hash(&entry.core)));
            }
        } else {
            let below = level.saturating_sub(1);
            for index in from..count {
                let tile = FullTiles(store).tile(below, index, 256)?;
                hashes.push(root_of(&tile));
            }
        }
        if hashes.len() != usize::from(partial_width(level, size)) {
            return Err(Failure::Fault(format!("level {level} of the tiles is incomplete")));
        }
        levels.push(hashes);
    }
    TileEdge::from_parts(size, levels).map_err(fault("build the edge of the tiles"))
}

/// What a stored ledger was found to be.
pub(crate) struct Found {
    pub(crate) log_id: LogId,
    pub(crate) genesis: Genesis,
    pub(crate) edge: TileEdge,
    pub(crate) recorded_at_us: i64,
    pub(crate) high_water: HighWater,
}

/// Holds the store against the high-water file: never smaller, never another history.
pub(crate) fn inspect(store: &dyn Store, layout: &Layout) -> Result<Found, Failure> {
    let (size, root) = store.head()?;
    let first = store.entries(0..1, 1)?.pop().ok_or(Failure::ReadOnly("LEDGER_EMPTY"))?;
    let log_id = LogId(hash::leaf_hash(&first.core));
    let high_water =
        HighWater::open(&layout.high_water, &log_id.0).map_err(fault("open the high-water file"))?;
    if high_water.was_torn() {
        tracing::warn!("one slot of the high-water file was damaged; the other one holds");
    }
    let edge = load_edge(store, size)?;
    let mark = high_water.newest();
    let marked = size >= mark.size && {
        let at = root_at(&edge.over(&FullTiles(store)), mark.size).map_err(fault("read the marked root"))?;
        at == mark.root
    };
    if edge.root() != root || !marked {
        return Err(Failure::Fault(format!(
            "the store ({size} entries) is not a continuation of the last signed head ({} entries): \
             it was rolled back, damaged or exchanged; restore a backup that reaches this head",
            mark.size
        )));
    }
    let last = store.entries(size.saturating_sub(1)..size, 1)?.pop().ok_or(Failure::NotFound("entry"))?;
    let recorded_at_us =
        entry::decode_core(&last.core).map_err(fault("decode the last core"))?.recorded_at_us;
    let (_, events) = decode(&first.parts, |_| Ok(None))?;
    let genesis = match events.into_iter().next() {
        Some(Event::LedgerCreated(statement)) => statement.body,
        _ => return Err(Failure::Fault("entry 0 is not a genesis".to_owned())),
    };
    Ok(Found { log_id, genesis, edge, recorded_at_us, high_water })
}

fn open(dir: &Path, keys: ServerKeys, options: &OpenOptions) -> Result<(Ledger, Prepared), Failure> {
    let lock = DirectoryLock::acquire(dir)?;
    let layout = Layout::of(dir);
    let engine = Options {
        cache_bytes: options.cache_bytes,
        must_exist: true,
        reserve_bytes: options.reserve_bytes,
        rows_bytes: usize::try_from(options.rows_bytes).unwrap_or(usize::MAX),
    };
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&layout.store, &engine)?);
    let Found { log_id, genesis, edge, recorded_at_us, high_water } = inspect(store.as_ref(), &layout)?;
    crate::create::check_keys(&genesis, &keys)?;
    let clock = Clock::default();
    clock.check_start(recorded_at_us, options.accept_clock).map_err(fault("start"))?;
    let keyring = Keyring::open(&layout.keyring, keys.root)?;
    check_rows(store.as_ref(), &keyring, edge.size())?;
    let mut health = check_keyring(store.as_ref(), &keyring)?;
    let witnesses = witnesses::admitted(options.witness_policy.as_ref(), &genesis)?;
    let signers = CheckpointSigners::new(&genesis.origin, keys.checkpoint, keys.second_checkpoint)?;
    let epoch = random::epoch()?;
    let number = epoch_number(&epoch.0);
    let signer = HeadSigner::start(high_water, signers, number, store.as_ref(), edge, recorded_at_us)
        .map_err(fault("sign the stored head"))?;
    let publisher = Arc::new(Publisher::new(signer.newest(), clock.now_us()));
    let publishing = publisher::run(Arc::clone(&publisher), signer.watch(), Clock::default());
    let publishing = tokio::spawn(publishing).abort_handle();
    let shared = Arc::new(Shared {
        store,
        keyring,
        books: Books::default(),
        clock,
        genesis,
        log_id,
        statement_key: keys.statement,
        keys: ReadyKeys::default(),
        seed: BatchSeed(random::bytes()?),
        signed_rows: SignedRows::new(signer.newest()),
        publisher: Arc::clone(&publisher),
        cosigned: RwLock::new(None),
    });
    let preparer = Preparer { reader: Reader::new(Arc::clone(&shared)) };
    let counters = Arc::new(Counters::default());
    if health == Health::Serving {
        health = vouched(witnesses.as_deref(), &preparer.reader, &counters);
    }
    let start = server_start(&preparer, &keys.operator, epoch)?;
    let (queue, receiver) = mpsc::channel(options.queue_max.max(1));
    let (health_sender, health) = watch::channel(health);
    let writer = start_writer(shared, signer, receiver, health_sender, &counters, options)?;
    let writer = Arc::new(Mutex::new(Some(writer)));
    let lock = Arc::new(lock);
    let ledger =
        Ledger { queue, preparer, health, counters, publisher, publishing, writer, witnesses, _lock: lock };
    Ok((ledger, start))
}

/// Starts the writer, with the committer behind it.
fn start_writer(
    shared: Arc<Shared>,
    signer: HeadSigner,
    queue: mpsc::Receiver<Message>,
    health: watch::Sender<Health>,
    counters: &Arc<Counters>,
    options: &OpenOptions,
) -> Result<JoinHandle<()>, Failure> {
    let (signed, health) = (signer.newest(), Arc::new(health));
    let committer = Committer {
        shared: Arc::clone(&shared),
        signer,
        health: Arc::clone(&health),
        counters: Arc::clone(counters),
    };
    let writer = Writer {
        shared,
        queue,
        base: Base { edge: signed.edge.clone(), recorded_at_us: signed.recorded_at_us },
        committing: Committing::start(committer).map_err(fault("start the committer"))?,
        health,
        counters: Arc::clone(counters),
        group_entries_max: options.group_entries_max.clamp(1, crate::writer::GROUP_ENTRIES_MAX),
        last_group: 0,
        reserve_bytes: options.reserve_bytes,
    };
    let thread = std::thread::Builder::new().name("writer".to_owned());
    thread.spawn(move || writer.run()).map_err(fault("start the writer"))
}

/// Sees that the index rows stand for the whole log, in the present layout.
fn check_rows(store: &dyn Store, keyring: &Keyring, size: u64) -> Result<(), Failure> {
    if !rows_layout::is_current(store)? {
        tracing::warn!("the index rows are laid out in an older way; laying them out anew");
        return rows_layout::renew(store, keyring);
    }
    if store.applied_to()? != size {
        tracing::warn!("the index rows stand for another size than the log; rebuilding them");
        crate::rebuild::rebuild_rows(store, |_, _| {})?;
    }
    Ok(())
}

/// Whether the witnesses vouch for the stored head: one that has seen more, or too few answers, and nothing is written.
fn vouched(witnesses: Option<&Witnesses>, reader: &Reader, counters: &Counters) -> Health {
    let Some(witnesses) = witnesses else {
        if reader.genesis().witness_policy_hash.is_some() {
            tracing::error!("the genesis pins a witness policy and none is configured; no writes");
            return Health::ReadOnly("WITNESS_POLICY_MISSING");
        }
        return Health::Serving;
    };
    let Asked { health, cosigned } = ask_at_start(witnesses, reader, counters);
    if let Some(cosigned) = cosigned {
        counters.cosigned(cosigned.size, reader.now_us());
        reader.shared.show_cosigned(cosigned);
    }
    health
}

/// The first eight bytes of an epoch, as the high-water file keeps it.
fn epoch_number(epoch: &[u8; 16]) -> u64 {
    epoch.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Every account of the log that is not erased must have its key; keys without an account are forgotten.
fn check_keyring(store: &dyn Store, keyring: &Keyring) -> Result<Health, Failure> {
    let (mut from, to) = (vec![rows::ACCOUNTS], credit_store::prefix_end(&[rows::ACCOUNTS]));
    let mut accounts = 0usize;
    loop {
        let page = store.scan(&from, &to, ACCOUNTS_PAGE)?;
        for (key, _) in &page {
            let account = key.get(1..).and_then(|id| AccountRef::from_slice(id).ok());
            let has_key = account.is_some_and(|account| keyring.has(account));
            if !has_key {
                tracing::error!("an account of the log has no key in the keyring; no writes");
                return Ok(Health::ReadOnly("KEYRING_BEHIND"));
            }
        }
        accounts = accounts.saturating_add(page.len());
        match page.last() {
            Some((key, _)) if page.len() == ACCOUNTS_PAGE => from = [key.as_slice(), &[0]].concat(),
            _ => break,
        }
    }
    if keyring.len() > accounts {
        let known =
            |account| Ok(matches!(stored_row(store, &RowId::Account(account))?, Some(Row::Account(_))));
        let orphans = keyring.forget_orphans(known)?;
        tracing::info!(orphans, "keys of accounts that never became durable were forgotten");
    }
    keyring.cut_tail()?;
    Ok(Health::Serving)
}

/// The statement with which a server takes up the log, anchored on the stored head.
fn server_start(
    preparer: &Preparer,
    operator: &SigningKey,
    epoch: credit_types::Epoch,
) -> Result<Prepared, Failure> {
    let reader = &preparer.reader;
    let head = reader.head();
    let header = Header {
        log_id: Some(reader.log_id()),
        statement_id: random::command_id(reader.now_us())?,
        signer: SignerId::Operator,
        anchor: Some(Anchor { size: head.size, root: Digest(head.root.0) }),
    };
    let protocol = match reader.row(&RowId::Log)? {
        Some(Row::Log(log)) => log.protocol,
        _ => return Err(Failure::Fault("the log has no row".to_owned())),
    };
    let body = ServerStart { epoch, software: SOFTWARE.to_owned(), protocol };
    let payload = body.payload(Some(&header));
    let signature = operator.sign_statement(payload_type::SERVER_START, &payload).to_vec();
    let envelope = v1::Envelope {
        payload_type: payload_type::SERVER_START.to_owned(),
        payload,
        signatures: vec![v1::Signature { kid: operator.public().kid().to_vec(), signature }],
    };
    preparer.statement(Expected::StartServer, Some(envelope), None, None, false)
}
