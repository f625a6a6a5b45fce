//! Entries: one of each kind, from events to parts and back, and a full chunk.

mod conversion;

use std::collections::BTreeMap;

use credit_proto::entry::{
    self, DecodedParts, Entry, ManifestInfo, PARTS_MAX, StatementPart, commitments_of, decode_parts,
    encode_core, encode_parts, hydrate, manifest_of, parts_bytes,
};
use credit_proto::{Envelope, Leaf as _, Signable, payload_type};
use credit_types::limits::{CHUNK_LEAVES_MAX, CHUNK_PATH_MAX, ENTRY_PARTS_BYTES_MAX, LEAF_BYTES_MAX};
use credit_types::*;

use crate::random::Random;
use crate::samples::{self, admit, digest, leaf_hash, learner, record_id, university};

pub(crate) use conversion::{automatic, reversal, step};

/// An entry as the bank makes it, before it is encoded.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) core: EntryCore,
    pub(crate) head: EntryHead,
    pub(crate) links: Vec<Link>,
    pub(crate) statements: Vec<StatementPart>,
    pub(crate) events: Vec<Event>,
    pub(crate) manifest: Option<ManifestInfo>,
}

impl Sample {
    pub(crate) fn parts(&self) -> Vec<Vec<u8>> {
        encode_parts(&self.head, &self.links, &self.statements, &self.events)
    }
}

pub(crate) fn kid(byte: u8) -> Kid {
    Kid([byte; 32])
}

/// A statement signed by keys that are 0x91, 0x92 and so on.
pub(crate) fn signed<B: Signable + Clone>(header: Header, body: &B, keys: u8) -> (StatementPart, Signed<B>) {
    let signers: Vec<Kid> = (1..=keys).map(|n| kid(0x90 + n)).collect();
    let envelope = Envelope {
        payload_type: B::TYPE.to_owned(),
        payload: body.payload(Some(&header)),
        signatures: signers.iter().map(|kid| (*kid, [kid.0[0]; 64])).collect(),
    };
    (StatementPart::Signed(envelope), Signed { header, body: body.clone(), signers })
}

/// Puts head and links around statements and events: every subject at sequence 7.
pub(crate) fn around(
    actor: SignerId,
    statements: Vec<StatementPart>,
    events: Vec<Event>,
    manifest: Option<ManifestInfo>,
) -> Sample {
    let mut about: BTreeMap<Subject, Vec<u32>> = BTreeMap::new();
    for (number, event) in (0..).zip(&events) {
        if let Some(subject) = event.subject() {
            about.entry(subject).or_default().push(number);
        }
    }
    let links: Vec<Link> = about
        .into_iter()
        .map(|(subject, events)| Link { subject, sequence: 7, previous: Some(digest(0x70)), events })
        .collect();
    let head = EntryHead {
        actor,
        command_id: samples::by_university().statement_id,
        links: links.len() as u32,
        statements: statements.len() as u32,
        events: events.len() as u32,
    };
    let core = EntryCore { index: 4_800, recorded_at_us: 1_795_392_000_000_000, parts_root: digest(0x99) };
    Sample { core, head, links, statements, events, manifest }
}

fn posting(from: Bucket, to: Bucket) -> Posting {
    Posting { from, to, amount: samples::amount() }
}

fn deposited(facts: RecordFacts, kid: Kid, manifest_index: Option<u64>) -> Event {
    let postings = match &facts.amount {
        Some(amount) => {
            vec![Posting { from: Bucket::Issued, to: Bucket::Available, amount: amount.clone() }]
        }
        None => Vec::new(),
    };
    Event::RecordDeposited {
        facts: Box::new(facts),
        issuer: university(),
        kid,
        manifest_index,
        supersedes: None,
        fingerprint_version: 2,
        postings,
    }
}

fn aliases() -> Vec<AliasAsserted> {
    [AliasKind::AccountNumber, AliasKind::Document, AliasKind::StudentNumber]
        .map(|kind| AliasAsserted { kind, pepper_version: 2 })
        .to_vec()
}

/// The sample of a kind.
pub(crate) fn sample(kind: EventKind) -> Sample {
    let (authority, university) = (SignerId::Authority, SignerId::Institution(university()));
    let by_authority = || samples::header(SignerId::Authority);
    match kind {
        EventKind::LedgerCreated => {
            let (part, genesis) = signed(samples::genesis_header(), &samples::genesis(), 2);
            let created = Event::LedgerCreated(Box::new(genesis));
            let mut sample = around(authority, vec![part], vec![created], None);
            (sample.core.index, sample.links[0].sequence, sample.links[0].previous) = (0, 1, None);
            sample
        }
        EventKind::ServerStarted => {
            let (part, start) = signed(samples::header(SignerId::Operator), &samples::server_start(), 1);
            let anchor = start.header.anchor;
            let mut sample = around(SignerId::Operator, vec![part], vec![Event::ServerStarted(start)], None);
            // A server starts on the newest head.
            sample.core.index = anchor.unwrap().size;
            sample
        }
        EventKind::InstitutionAdmitted => {
            let (part, admission) = signed(by_authority(), &samples::admission(), 4);
            around(authority, vec![part], vec![Event::InstitutionAdmitted(Box::new(admission))], None)
        }
        EventKind::FrameworkPublished => {
            let (part, publication) = signed(by_authority(), &samples::publication(), 2);
            around(authority, vec![part], vec![Event::FrameworkPublished(Box::new(publication))], None)
        }
        EventKind::KeyAdded => {
            let (part, addition) = signed(samples::by_university(), &samples::key_addition(), 2);
            around(university, vec![part], vec![Event::KeyAdded(Box::new(addition))], None)
        }
        EventKind::KeyRetired => {
            let (part, statement) = signed(samples::by_university(), &samples::key_retirement(), 1);
            let institution_id = samples::university();
            around(university, vec![part], vec![Event::KeyRetired { institution_id, statement }], None)
        }
        EventKind::KeyCompromised => {
            let (part, statement) = signed(by_authority(), &samples::key_compromise(), 2);
            let institution_id = samples::university();
            around(authority, vec![part], vec![Event::KeyCompromised { institution_id, statement }], None)
        }
        EventKind::AccountOpened
        | EventKind::AccountStatusChanged
        | EventKind::RecordDeposited
        | EventKind::RecordStatusChanged => about_learner(kind),
        EventKind::BatchOpened => {
            let (part, manifest) = signed(samples::by_university(), &samples::manifest(), 1);
            around(university, vec![part], vec![Event::BatchOpened(manifest)], None)
        }
        EventKind::BatchChunk => record_chunk(),
        EventKind::BatchClosed => {
            let (part, close) = signed(samples::by_university(), &samples::close(), 1);
            let manifest_index = close.body.manifest_index;
            let closed =
                Event::BatchClosed { signer: university.clone(), manifest_index, accepted: 60, refused: 4 };
            around(university, vec![part], vec![closed], None)
        }
        EventKind::ProtocolUpgraded => {
            let (part, upgrade) = signed(by_authority(), &samples::upgrade(), 2);
            around(authority, vec![part], vec![Event::ProtocolUpgraded(upgrade)], None)
        }
        EventKind::RuleBookPublished
        | EventKind::RuleBookChanged
        | EventKind::AutoApprovalGiven
        | EventKind::ConversionRequested
        | EventKind::ConversionChanged => conversion::of_books_and_applications(kind),
    }
}

fn about_learner(kind: EventKind) -> Sample {
    let actor = SignerId::Institution(university());
    let header = samples::by_university();
    let (part, event) = match kind {
        EventKind::AccountOpened => {
            let (part, opening) = signed(header, &samples::opening(), 1);
            let event = Event::AccountOpened {
                account_ref: learner(),
                opening: opening.body,
                registrar: university(),
                kid: kid(0x91),
                manifest_index: None,
                aliases: aliases(),
            };
            (part, event)
        }
        EventKind::AccountStatusChanged => {
            let (part, statement) = signed(header, &samples::account_change(), 1);
            (part, Event::AccountStatusChanged { status: AccountStatus::Suspended, statement })
        }
        EventKind::RecordDeposited => {
            let (part, deposit) = signed(header, &samples::facts(), 1);
            (part, deposited(deposit.body, kid(0x91), None))
        }
        _ => {
            let (part, change) = signed(header, &samples::record_change(), 1);
            let event = Event::RecordStatusChanged {
                account_ref: learner(),
                issuer: university(),
                record_id: change.body.record_id,
                status: RecordStatus::Suspended,
                superseded_by: None,
                kid: kid(0x91),
                postings: vec![posting(Bucket::Available, Bucket::Suspended)],
            };
            (part, event)
        }
    };
    around(actor, vec![part], vec![event], None)
}

/// A correction: the old record is superseded, the corrected one deposited.
pub(crate) fn correction() -> Sample {
    let (part, correction) = signed(samples::by_university(), &samples::correction(), 1);
    let RecordCorrection { supersedes: old, facts, .. } = correction.body;
    let superseded = Event::RecordStatusChanged {
        account_ref: learner(),
        issuer: university(),
        record_id: old,
        status: RecordStatus::Superseded,
        superseded_by: Some(facts.record_id),
        kid: kid(0x91),
        postings: vec![posting(Bucket::Available, Bucket::Revoked)],
    };
    let mut deposit = deposited(facts, kid(0x91), None);
    if let Event::RecordDeposited { supersedes, .. } = &mut deposit {
        *supersedes = Some(old);
    }
    around(SignerId::Institution(university()), vec![part], vec![superseded, deposit], None)
}

pub(crate) fn manifest_info(leaf_type: LeafType) -> ManifestInfo {
    ManifestInfo { signer: SignerId::Institution(university()), kid: kid(0x91), leaf_type }
}

/// The last chunk of a batch of 130: positions 128 and 129, of which the first was refused.
pub(crate) fn record_chunk() -> Sample {
    let leaf = samples::facts();
    let key = [leaf.account_ref.0, leaf.record_id.0].concat();
    let part = StatementPart::Leaf { manifest_index: 4_700, position: 129, facts: leaf.leaf_payload() };
    let chunk = Event::BatchChunk {
        manifest_index: 4_700,
        chunk: 2,
        path: vec![digest(0x71)],
        leaves: 2,
        last_key: Some(Digest::from_slice(&key).unwrap()),
        refused: vec![RefusedLeaf { position: 128, leaf_hash: digest(0x72), reason: Reason::RecordExists }],
    };
    let info = manifest_info(LeafType::Record);
    let closed =
        Event::BatchClosed { signer: info.signer.clone(), manifest_index: 4_700, accepted: 129, refused: 1 };
    let events = vec![chunk, deposited(leaf, info.kid, Some(4_700)), closed];
    around(info.signer.clone(), vec![part], events, Some(info))
}

/// The first chunk of a batch of openings: positions 0 and 2 accepted, 1 refused.
pub(crate) fn opening_chunk() -> Sample {
    let info = manifest_info(LeafType::Opening);
    let mut statements = Vec::new();
    let mut events = Vec::new();
    let mut last_key = None;
    for position in [0_u32, 2] {
        let opening =
            AccountOpening { assurance: AssuranceLevel::Phone, identity_commitment: digest(position as u8) };
        let facts = opening.leaf_payload();
        last_key = Some(Digest(leaf_hash(payload_type::ACCOUNT_OPENING, &facts)));
        statements.push(StatementPart::Leaf { manifest_index: 5, position, facts });
        events.push(Event::AccountOpened {
            account_ref: AccountRef([position as u8; 16]),
            opening,
            registrar: university(),
            kid: info.kid,
            manifest_index: Some(5),
            aliases: aliases(),
        });
    }
    let refused = vec![RefusedLeaf { position: 1, leaf_hash: digest(0x73), reason: Reason::AliasExists }];
    let chunk =
        Event::BatchChunk { manifest_index: 5, chunk: 0, path: Vec::new(), leaves: 3, last_key, refused };
    events.insert(0, chunk);
    around(info.signer.clone(), statements, events, Some(info))
}

/// A chunk of which every leaf was refused.
pub(crate) fn refused_chunk() -> Sample {
    let info = manifest_info(LeafType::Record);
    let refused = (64..128)
        .map(|position| RefusedLeaf { position, leaf_hash: digest(1), reason: Reason::AccountUnknown })
        .collect();
    let chunk = Event::BatchChunk {
        manifest_index: 5,
        chunk: 1,
        path: vec![digest(2); CHUNK_PATH_MAX],
        leaves: 64,
        last_key: None,
        refused,
    };
    around(info.signer.clone(), Vec::new(), vec![chunk], Some(info))
}

pub(crate) fn hydrated(sample: &Sample) -> (DecodedParts, Vec<Event>) {
    let parts = decode_parts(&sample.parts()).unwrap();
    let events = hydrate(&parts, sample.manifest.as_ref(), admit, leaf_hash).unwrap();
    (parts, events)
}

#[track_caller]
fn comes_back(sample: &Sample) {
    let bytes = sample.parts();
    assert!(parts_bytes(&bytes) <= ENTRY_PARTS_BYTES_MAX);
    let (parts, events) = hydrated(sample);
    assert_eq!(parts.head, sample.head);
    assert_eq!(parts.links, sample.links);
    assert_eq!(parts.statements, sample.statements);
    assert_eq!(events, sample.events);
    assert_eq!(encode_parts(&parts.head, &parts.links, &parts.statements, &events), bytes);
    let entry = Entry::decode(&encode_core(&sample.core), &bytes).unwrap();
    assert_eq!((entry.core, entry.head, entry.events), (sample.core, parts.head, parts.events));
}

#[test]
fn an_entry_of_every_kind_comes_back_as_it_was() {
    for kind in EventKind::ALL {
        let sample = sample(kind);
        assert!(sample.events.iter().any(|event| event.kind() == kind), "{kind:?}");
        comes_back(&sample);
    }
    for sample in [correction(), opening_chunk(), refused_chunk()] {
        comes_back(&sample);
    }
}

#[test]
fn random_entries_come_back_as_they_were() {
    for seed in 0..300 {
        let random = &mut Random(seed);
        let actor = SignerId::Institution(university());
        let mut header = random.header();
        header.signer = actor.clone();
        let (part, event) = match random.below(4) {
            0 => {
                let (part, deposit) = signed(header, &random.facts(), 1);
                let mut event = deposited(deposit.body, kid(0x91), None);
                if let Event::RecordDeposited { postings, fingerprint_version, .. } = &mut event {
                    (*postings, *fingerprint_version) = (random.postings(), random.count(1, u32::MAX));
                }
                (part, event)
            }
            1 => {
                let (part, opening) = signed(header, &random.opening(), 1);
                let event = Event::AccountOpened {
                    account_ref: AccountRef(random.bytes()),
                    opening: opening.body,
                    registrar: university(),
                    kid: kid(0x91),
                    manifest_index: None,
                    aliases: random.aliases(),
                };
                (part, event)
            }
            2 => {
                let (part, change) = signed(header, &random.record_change(), 1);
                let RecordStatusChange { account_ref, issuer_id, record_id, .. } = change.body;
                let event = Event::RecordStatusChanged {
                    account_ref,
                    issuer: issuer_id,
                    record_id,
                    status: random.pick(&[RecordStatus::Revoked, RecordStatus::Valid]),
                    superseded_by: None,
                    kid: kid(0x91),
                    postings: random.postings(),
                };
                (part, event)
            }
            _ => {
                let (part, admission) = signed(header, &random.admission(), 16);
                (part, Event::InstitutionAdmitted(Box::new(admission)))
            }
        };
        let mut sample = around(actor, vec![part], vec![event], None);
        sample.links = random.links(1);
        sample.head.links = sample.links.len() as u32;
        comes_back(&sample);
    }
}

/// A chunk of 64 leaves, each as long as a leaf may be and about an account of its own, with the longest path.
#[test]
fn a_full_chunk_fits_an_entry() {
    let info = manifest_info(LeafType::Record);
    let manifest_index = 1_u64 << 40;
    let mut statements = Vec::new();
    let mut events = vec![Event::BatchChunk {
        manifest_index,
        chunk: (1 << CHUNK_PATH_MAX) - 1,
        path: vec![digest(1); CHUNK_PATH_MAX],
        leaves: 64,
        last_key: None,
        refused: Vec::new(),
    }];
    let first = ((1_u32 << CHUNK_PATH_MAX) - 1) * 64;
    for position in first..first + CHUNK_LEAVES_MAX as u32 {
        statements.push(StatementPart::Leaf { manifest_index, position, facts: vec![0xAB; LEAF_BYTES_MAX] });
        let mut facts = samples::facts();
        facts.account_ref = AccountRef([(position % 64) as u8; 16]);
        facts.amount = Some(Amount {
            scheme: SchemeId::new("X".repeat(32)).unwrap(),
            credits: Credits::from_milli(1_000_000_000).unwrap(),
        });
        events.push(deposited(facts, info.kid, Some(manifest_index)));
    }
    events.push(Event::BatchClosed {
        signer: info.signer.clone(),
        manifest_index,
        accepted: 1 << 20,
        refused: 0,
    });
    let mut sample = around(info.signer.clone(), statements, events, Some(info));
    for link in &mut sample.links {
        link.sequence = 1 << 40;
    }
    let bytes = sample.parts();
    assert_eq!(bytes.len(), 1 + 64 + 64 + 66);
    assert!(parts_bytes(&bytes) <= ENTRY_PARTS_BYTES_MAX, "{} bytes", parts_bytes(&bytes));
    let parts = decode_parts(&bytes).unwrap();
    assert_eq!((parts.statements.len(), parts.events.len()), (64, 66));
    assert_eq!(parts.statements, sample.statements);
    assert_eq!(manifest_of(&parts), Some(manifest_index));
}

#[test]
fn the_statements_of_an_event_follow_from_the_entry() {
    let numbers = |sample: &Sample| -> Vec<Vec<u32>> {
        decode_parts(&sample.parts()).unwrap().events.into_iter().map(|event| event.statements).collect()
    };
    assert_eq!(numbers(&sample(EventKind::RecordDeposited)), [vec![0]]);
    assert_eq!(numbers(&sample(EventKind::BatchClosed)), [vec![0]]);
    assert_eq!(numbers(&correction()), [vec![0], vec![0]]);
    assert_eq!(numbers(&automatic()), [vec![0], vec![0], vec![0]]);
    assert_eq!(numbers(&record_chunk()), [vec![], vec![0], vec![]]);
    assert_eq!(numbers(&opening_chunk()), [vec![], vec![0], vec![1]]);
    assert_eq!(numbers(&refused_chunk()), [Vec::<u32>::new()]);
}

#[test]
fn the_parts_say_what_of_them_lies_in_the_vault() {
    let of = |sample: &Sample, account: AccountRef| {
        commitments_of(&decode_parts(&sample.parts()).unwrap(), account).unwrap()
    };
    assert_eq!(of(&sample(EventKind::AccountOpened), learner()), [digest(0xC1)]);
    assert_eq!(of(&sample(EventKind::AccountStatusChanged), learner()), [digest(0xC2)]);
    assert_eq!(of(&sample(EventKind::RecordDeposited), learner()), [digest(0xC3)]);
    assert_eq!(of(&sample(EventKind::RecordDeposited), AccountRef([0; 16])), []);
    assert_eq!(of(&sample(EventKind::RecordStatusChanged), learner()), [digest(0xC5)]);
    assert_eq!(of(&correction(), learner()), [digest(0xC3), digest(0xC4)]);
    assert_eq!(of(&record_chunk(), learner()), [digest(0xC3)]);
    assert_eq!(of(&opening_chunk(), AccountRef([2; 16])), [digest(2)]);
    assert_eq!(of(&sample(EventKind::InstitutionAdmitted), learner()), []);
    assert_eq!(manifest_of(&decode_parts(&record_chunk().parts()).unwrap()), Some(4_700));
    assert_eq!(manifest_of(&decode_parts(&correction().parts()).unwrap()), None);
}

#[test]
fn a_core_comes_back_as_it_was() {
    for seed in 0..300 {
        let random = &mut Random(seed);
        let recorded_at_us = random.range(0, i64::MAX - 1);
        let core = EntryCore { index: random.big(), recorded_at_us, parts_root: random.digest() };
        assert_eq!(entry::decode_core(&encode_core(&core)), Ok(core), "seed {seed}");
    }
}

#[test]
fn an_entry_has_no_more_parts_than_its_bound() {
    let refused = |parts: usize| match decode_parts(&vec![vec![1]; parts]) {
        Err(entry::DecodeError::Invalid(error)) => error.field,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(PARTS_MAX), "head.actor_id");
    assert_eq!(refused(PARTS_MAX + 1), "parts");
    assert_eq!(refused(0), "parts");
}

#[test]
fn a_record_of_a_chunk_is_ordered_by_account_and_id() {
    let (_, events) = hydrated(&record_chunk());
    let Event::BatchChunk { last_key: Some(Digest(key)), leaves: 2, .. } = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!((&key[..16], &key[16..]), (learner().as_bytes(), record_id(0x61).as_bytes()));
}
