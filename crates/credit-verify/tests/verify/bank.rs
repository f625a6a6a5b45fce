//! A small bank in memory, of the crates that the real one is built from. It can be honest, and it can lie: every
//! step from a command to the bytes of an entry can be taken by hand.

use std::collections::BTreeMap;

use credit_ledger::{
    CommandKey, Context, HeadRow, Row, RowId, View, command_key, decide, event_reads, evolve_entry, links,
    reads,
};
use credit_log::checkpoint::{Checkpoint, sign};
use credit_log::envelope::{PublicKey, SigningKey};
use credit_log::hash::{leaf_hash, sha256};
use credit_log::note::NoteSigner;
use credit_log::tree::root_of;
use credit_log::{Hash, parts};
use credit_proto::entry::{StatementPart, encode_core, encode_parts};
use credit_proto::{Envelope, Signable};
use credit_types::{
    AccountRef, Anchor, Command, CommandId, Digest, EntryCore, EntryHead, Event, Header, Kid, Link, LogId,
    Rejection, Signed, SignerId,
};
use credit_verify::{DetailsSource, EntryBytes, OpenedDetails, Trust};

/// When the ledger begins: 2026-11-23 in microseconds UTC.
const START_US: i64 = 1_795_392_000_000_000;
/// The ledger's origin.
pub(crate) const ORIGIN: &str = "dev.bank.example/log";
/// One second.
pub(crate) const SECOND_US: i64 = 1_000_000;

/// The private key that a name stands for.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(sha256(name.as_bytes()))
}

/// Its public half, as a noun.
pub(crate) fn public(name: &str) -> credit_types::PublicKey {
    let public = key(name).public();
    credit_types::PublicKey { bytes: public.bytes(), kid: Kid(public.kid()) }
}

/// An entry as it is exported.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) core: Vec<u8>,
    pub(crate) secret: [u8; 32],
    pub(crate) parts: Vec<Vec<u8>>,
}

impl Raw {
    pub(crate) fn bytes(&self) -> EntryBytes<'_> {
        EntryBytes { core: &self.core, secret: &self.secret, parts: &self.parts }
    }
}

/// An entry before it is encoded.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) key: CommandKey,
    pub(crate) links: Vec<Link>,
    pub(crate) statements: Vec<StatementPart>,
    pub(crate) events: Vec<Event>,
}

impl Draft {
    pub(crate) fn head(&self) -> EntryHead {
        let count = |length: usize| u32::try_from(length).unwrap();
        EntryHead {
            actor: self.key.signer.clone(),
            command_id: self.key.command_id,
            links: count(self.links.len()),
            statements: count(self.statements.len()),
            events: count(self.events.len()),
        }
    }

    pub(crate) fn parts(&self) -> Vec<Vec<u8>> {
        encode_parts(&self.head(), &self.links, &self.statements, &self.events)
    }
}

/// Details by their commitment.
#[derive(Clone, Default)]
pub(crate) struct Vault(pub(crate) BTreeMap<Digest, OpenedDetails>);

impl DetailsSource for Vault {
    fn details(&self, _account: AccountRef, commitment: Digest) -> Option<OpenedDetails> {
        self.0.get(&commitment).cloned()
    }

    fn earlier(&self, _index: u64, account: AccountRef, commitment: Digest) -> Option<OpenedDetails> {
        self.details(account, commitment)
    }

    fn secret(&self, _payload_type: &str, commitment: Digest) -> Option<OpenedDetails> {
        self.0.get(&commitment).cloned()
    }
}

#[derive(Clone)]
pub(crate) struct Bank {
    pub(crate) entries: Vec<Raw>,
    pub(crate) leaves: Vec<Hash>,
    pub(crate) rows: BTreeMap<RowId, Row>,
    pub(crate) vault: Vault,
    /// When the next entry is recorded.
    pub(crate) now_us: i64,
    times: Vec<i64>,
    ids: u32,
}

impl Bank {
    pub(crate) fn empty() -> Self {
        let (entries, leaves, times) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            entries,
            leaves,
            rows: BTreeMap::new(),
            vault: Vault::default(),
            now_us: START_US,
            times,
            ids: 0,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub(crate) fn log_id(&self) -> LogId {
        LogId(self.leaves[0])
    }

    pub(crate) fn leaf(&self, index: u64) -> Digest {
        Digest(self.leaves[usize::try_from(index).unwrap()])
    }

    pub(crate) fn root_at(&self, size: u64) -> Digest {
        Digest(root_of(&self.leaves[..usize::try_from(size).unwrap()]))
    }

    pub(crate) fn anchor(&self) -> Anchor {
        Anchor { size: self.size(), root: self.root_at(self.size()) }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust {
            log_id: self.log_id(),
            origin: ORIGIN.to_owned(),
            checkpoint_keys: vec![note_signer("checkpoint").verifier().clone()],
            statement_keys: vec![PublicKey::admit(&public("statement").bytes).unwrap()],
            witness_policy: None,
        }
    }

    /// The checkpoint over all entries.
    pub(crate) fn checkpoint(&self) -> String {
        signed_head("checkpoint", ORIGIN, self.size(), self.root_at(self.size()))
    }

    /// Sixteen bytes of their own, in the form of a UUIDv7.
    pub(crate) fn uuid(&mut self) -> [u8; 16] {
        self.ids += 1;
        let mut id = [0; 16];
        (id[6], id[8]) = (0x70, 0x80);
        // The last two bytes are those in which the ids of what is granted differ.
        id[10..14].copy_from_slice(&self.ids.to_be_bytes());
        id
    }

    /// A header as an honest signer writes it.
    pub(crate) fn header(&mut self, signer: &str) -> Header {
        Header {
            log_id: Some(self.log_id()),
            statement_id: CommandId(self.uuid()),
            signer: SignerId::parse(signer).unwrap(),
            anchor: Some(self.anchor()),
        }
    }

    fn row(&self, id: &RowId) -> Option<Row> {
        if let RowId::Head(size) = id {
            let known = (1..=self.size()).contains(size);
            return known.then(|| {
                let recorded_at_us = self.times[usize::try_from(size - 1).unwrap()];
                Row::Head(HeadRow { root: self.root_at(*size), recorded_at_us })
            });
        }
        if let RowId::Leaf(index) = id {
            return (*index < self.size()).then(|| Row::Leaf(self.leaf(*index)));
        }
        self.rows.get(id).cloned()
    }

    pub(crate) fn load(&self, view: &mut View, missing: impl Fn(&View) -> Vec<RowId>) {
        loop {
            let ids = missing(view);
            if ids.is_empty() {
                return;
            }
            for id in ids {
                let row = self.row(&id);
                view.insert(id, row);
            }
        }
    }

    pub(crate) fn context(&self) -> Context {
        // Any protocol begins a log.
        let protocol = self.rows.get(&RowId::Log).map_or(1, |row| {
            let Row::Log(row) = row else { panic!("{row:?}") };
            row.protocol
        });
        Context { index: self.size(), recorded_at_us: self.now_us, protocol }
    }

    /// What the core says to a command.
    pub(crate) fn decide(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        let mut view = View::new();
        self.load(&mut view, |view| reads(command, view));
        decide(&view, &self.context(), command)
    }

    /// The entry of a command with these events, be they decided or invented.
    pub(crate) fn draft(
        &self,
        command: &Command,
        statements: Vec<StatementPart>,
        events: Vec<Event>,
    ) -> Draft {
        let mut view = View::new();
        self.load(&mut view, |view| reads(command, view));
        self.load(&mut view, |view| event_reads(&events, view));
        let key = command_key(command, &view).unwrap();
        let links = links(&view, &events);
        Draft { key, links, statements, events }
    }

    /// Appends parts under a fresh secret, whatever they say.
    pub(crate) fn append_parts(&mut self, parts: Vec<Vec<u8>>) -> u64 {
        let index = self.size();
        let secret = sha256(&index.to_be_bytes());
        let parts_root = Digest(parts::parts_root(&secret, &parts));
        let core = encode_core(&EntryCore { index, recorded_at_us: self.now_us, parts_root });
        self.leaves.push(leaf_hash(&core));
        self.times.push(self.now_us);
        self.entries.push(Raw { core, secret, parts });
        self.now_us += SECOND_US;
        index
    }

    /// Appends an entry without believing it.
    pub(crate) fn append_lie(&mut self, draft: &Draft) -> u64 {
        self.append_parts(draft.parts())
    }

    /// Appends an entry and takes it over into the rows.
    pub(crate) fn append(&mut self, draft: &Draft) -> u64 {
        let mut view = View::new();
        self.load(&mut view, |view| event_reads(&draft.events, view));
        evolve_entry(&mut view, &self.context(), &draft.key, &draft.events);
        for id in view.take_changed() {
            let row = view.get(&id).unwrap().clone();
            self.rows.insert(id, row);
        }
        self.append_lie(draft)
    }

    /// Decides a command that must be accepted, and records it.
    pub(crate) fn record(&mut self, command: &Command, statements: Vec<StatementPart>) -> u64 {
        let events = self.decide(command).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let draft = self.draft(command, statements, events);
        self.append(&draft)
    }

    /// Signs and records.
    pub(crate) fn act<B: Signable + Clone>(
        &mut self,
        signer: &str,
        body: B,
        keys: &[&str],
        command: impl FnOnce(Signed<B>) -> Command,
    ) -> u64 {
        let header = self.header(signer);
        let (statement, part) = signed(header, body, keys);
        self.record(&command(statement), vec![part])
    }
}

/// Signs a statement by the keys that these names stand for.
pub(crate) fn signed<B: Signable + Clone>(
    header: Header,
    body: B,
    keys: &[&str],
) -> (Signed<B>, StatementPart) {
    let payload = body.payload(Some(&header));
    let envelope = enveloped(B::TYPE, payload, keys);
    let signers = envelope.signatures.iter().map(|(kid, _)| *kid).collect();
    (Signed { header, body, signers }, StatementPart::Signed(envelope))
}

/// Puts a payload into an envelope signed by these keys.
pub(crate) fn enveloped(payload_type: &str, payload: Vec<u8>, keys: &[&str]) -> Envelope {
    let mut signatures: Vec<(Kid, [u8; 64])> = keys
        .iter()
        .map(|name| (public(name).kid, key(name).sign_statement(payload_type, &payload)))
        .collect();
    signatures.sort_unstable();
    Envelope { payload_type: payload_type.to_owned(), payload, signatures }
}

/// The key of checkpoints with its name.
pub(crate) fn note_signer(name: &str) -> NoteSigner {
    NoteSigner::new(ORIGIN, key(name)).unwrap()
}

/// A signed head of a log.
pub(crate) fn signed_head(name: &str, origin: &str, size: u64, root: Digest) -> String {
    let signer = NoteSigner::new(origin, key(name)).unwrap();
    sign(&Checkpoint { origin: origin.to_owned(), size, root: root.0 }, &signer).unwrap()
}
