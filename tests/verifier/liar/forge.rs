//! Histories that an operator makes up: every hash made again, every signature of its own given.

use crate::export::Entry;
use credit_log::hash::leaf_hash;
use credit_log::parts::parts_root;
use credit_log::tree::root_of;
use credit_proto::strict::{decode, encode};
use credit_proto::v1;

/// The kind bytes of parts.
const HEAD: u8 = 1;
const LINK: u8 = 2;
const STATEMENT: u8 = 3;
const EVENT: u8 = 4;
/// What an entry is later than the one before it.
pub(crate) const SECOND_US: i64 = 1_000_000;

/// The parts of an entry, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) head: v1::EntryHead,
    pub(crate) links: Vec<v1::Link>,
    pub(crate) statements: Vec<v1::StatementPart>,
    pub(crate) events: Vec<v1::Event>,
}

impl Parts {
    /// Of an entry.
    pub(crate) fn of(entry: &Entry) -> Self {
        let mut found =
            Self { head: v1::EntryHead::default(), links: vec![], statements: vec![], events: vec![] };
        for part in &entry.parts {
            let body = &part[1..];
            match part[0] {
                HEAD => found.head = decode(body).expect("a head"),
                LINK => found.links.push(decode(body).expect("a link")),
                STATEMENT => found.statements.push(decode(body).expect("a statement")),
                EVENT => found.events.push(decode(body).expect("an event")),
                kind => panic!("a part of kind {kind}"),
            }
        }
        found
    }

    fn encoded(&self) -> Vec<Vec<u8>> {
        let count = |length: usize| u32::try_from(length).expect("a count");
        let head = v1::EntryHead {
            links: count(self.links.len()),
            statements: count(self.statements.len()),
            events: count(self.events.len()),
            ..self.head.clone()
        };
        let part = |kind: u8, bytes: Vec<u8>| [vec![kind], bytes].concat();
        let mut parts = vec![part(HEAD, encode(&head))];
        parts.extend(self.links.iter().map(|link| part(LINK, encode(link))));
        parts.extend(self.statements.iter().map(|statement| part(STATEMENT, encode(statement))));
        parts.extend(self.events.iter().map(|event| part(EVENT, encode(event))));
        parts
    }

    /// The first statement's envelope.
    pub(crate) fn envelope(&mut self) -> &mut v1::Envelope {
        self.statements[0].envelope.as_mut().expect("an envelope")
    }

    /// Puts another statement in the place of the first.
    pub(crate) fn says(&mut self, envelope: v1::Envelope, command_id: &[u8]) {
        self.statements = vec![v1::StatementPart { envelope: Some(envelope), leaf: None }];
        self.head.command_id = command_id.to_vec();
    }

    /// The link about a subject.
    pub(crate) fn link_of(&self, kind: v1::SubjectKind, id: &[u8]) -> Option<&v1::Link> {
        self.links.iter().find(|link| link.subject_kind == i32::from(kind) && link.subject_id == id)
    }

    /// Names another account wherever one is named.
    pub(crate) fn about_account(&mut self, account_ref: &[u8]) {
        let account = i32::from(v1::SubjectKind::Account);
        for link in self.links.iter_mut().filter(|link| link.subject_kind == account) {
            link.subject_id = account_ref.to_vec();
        }
        for event in &mut self.events {
            if let Some(deposited) = &mut event.record_deposited {
                deposited.account_ref = account_ref.to_vec();
            }
            if let Some(opened) = &mut event.account_opened {
                opened.account_ref = account_ref.to_vec();
            }
        }
    }
}

/// The leaves of a history.
pub(crate) fn leaves(log: &[Entry]) -> Vec<[u8; 32]> {
    log.iter().map(|entry| leaf_hash(&entry.core)).collect()
}

/// When an entry was recorded.
pub(crate) fn time_us(entry: &Entry) -> i64 {
    decode::<v1::EntryCore>(&entry.core).expect("a core").recorded_at_us
}

/// The last link about a subject, and the leaf hash of its entry.
pub(crate) fn last_link(log: &[Entry], kind: i32, id: &[u8]) -> Option<(u64, Vec<u8>)> {
    log.iter().rev().find_map(|entry| {
        let links = Parts::of(entry).links;
        let link = links.iter().find(|link| link.subject_kind == kind && link.subject_id == id)?;
        Some((link.sequence, leaf_hash(&entry.core).to_vec()))
    })
}

/// Lets every link continue the chain of its subject in this history.
fn relink(log: &[Entry], parts: &mut Parts) {
    parts.links.sort_by_key(|link| (link.subject_kind, link.subject_id.clone()));
    for link in &mut parts.links {
        let last = last_link(log, link.subject_kind, &link.subject_id);
        (link.sequence, link.previous) =
            last.map_or((1, Vec::new()), |(sequence, leaf)| (sequence + 1, leaf));
    }
}

/// An entry of these parts at the end of a history.
pub(crate) fn entry(log: &[Entry], parts: &Parts, recorded_at_us: i64) -> Entry {
    let (index, parts) = (log.len() as u64, parts.encoded());
    let secret = credit_log::hash::sha256(&[index.to_be_bytes(), recorded_at_us.to_be_bytes()].concat());
    let parts_root = parts_root(&secret, &parts).to_vec();
    let core = encode(&v1::EntryCore { format: 1, index, recorded_at_us, parts_root });
    Entry { core, secret: secret.to_vec(), parts }
}

/// Appends an entry like another one, changed at will; its links continue their chains.
pub(crate) fn append(log: &mut Vec<Entry>, like: &Entry, change: impl FnOnce(&mut Parts)) {
    let at_us = time_us(log.last().expect("a log has an entry 0")) + SECOND_US;
    append_at(log, like, at_us, change);
}

/// The same at a time of its own.
pub(crate) fn append_at(log: &mut Vec<Entry>, like: &Entry, at_us: i64, change: impl FnOnce(&mut Parts)) {
    let mut parts = Parts::of(like);
    change(&mut parts);
    relink(log, &mut parts);
    log.push(entry(log, &parts, at_us));
}

/// Writes a history anew from an index on, with these entries there: numbers, links and commitments all fit together.
pub(crate) fn rewritten(log: &[Entry], from: usize, rest: &[Entry]) -> Vec<Entry> {
    let mut new = log[..from].to_vec();
    for old in rest {
        let at_us = time_us(old).max(time_us(new.last().expect("an entry before")));
        append_at(&mut new, old, at_us, |_| {});
    }
    new
}

/// A head as a statement's anchor.
pub(crate) fn anchor(log: &[Entry]) -> v1::Anchor {
    v1::Anchor { size: log.len() as u64, root: root_of(&leaves(log)).to_vec() }
}
