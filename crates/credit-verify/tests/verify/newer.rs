//! What this version doesn't know: newer where the authority has announced it, broken where it has not.

use credit_log::hash::leaf_hash;
use credit_log::parts::parts_root;
use credit_proto::entry::{PART_EVENT, PART_HEAD, PART_LINK, PART_STATEMENT};
use credit_proto::strict::{decode, encode};
use credit_proto::{Envelope, Signable as _, v1};
use credit_types::{Digest, SignerId};
use credit_verify::{EXIT_NEEDS_NEWER, Report, Verdict};

use crate::bank::{Bank, SECOND_US, enveloped, signed_head};
use crate::story::{AUTHORITY, genesis};
use crate::{breaks, verified};

const UPGRADE: &str = "application/vnd.creditbank.protocol-upgrade.v1+protobuf";

/// An announcement before it is written; each part of it can be bent.
struct Announcement {
    header: v1::StatementHeader,
    payload_type: &'static str,
    signed: (u32, u32),
    logged: (u32, u32),
    keys: Vec<&'static str>,
    actor: (v1::ActorKind, &'static str),
    sequence: u64,
    previous: Vec<u8>,
    statements: Vec<u32>,
}

impl Announcement {
    fn of(bank: &mut Bank, protocol: u32, format: u32) -> Self {
        let id = bank.uuid();
        Self {
            header: v1::StatementHeader {
                log_id: bank.log_id().0.to_vec(),
                statement_id: id.to_vec(),
                signer_id: "authority".to_owned(),
                anchor: Some(v1::Anchor { size: bank.size(), root: bank.root_at(bank.size()).0.to_vec() }),
            },
            payload_type: UPGRADE,
            signed: (protocol, format),
            logged: (protocol, format),
            keys: AUTHORITY.to_vec(),
            actor: (v1::ActorKind::Authority, "authority"),
            // The genesis and one start stand in the log's own chain.
            sequence: 3,
            previous: bank.leaf(1).0.to_vec(),
            statements: vec![0],
        }
    }

    fn parts(self) -> Vec<Vec<u8>> {
        let (protocol, format) = self.signed;
        let command_id = self.header.statement_id.clone();
        let payload = encode(&v1::ProtocolUpgrade { header: Some(self.header), protocol, format });
        let envelope = enveloped(self.payload_type, payload, &self.keys);
        let (kind, id) = self.actor;
        let head = v1::EntryHead {
            actor_kind: kind.into(),
            actor_id: id.as_bytes().to_vec(),
            command_id,
            links: 1,
            statements: 1,
            events: 1,
        };
        let link = v1::Link {
            subject_kind: v1::SubjectKind::Log.into(),
            subject_id: Vec::new(),
            sequence: self.sequence,
            previous: self.previous,
            events: vec![0],
        };
        let (protocol, format) = self.logged;
        let event = v1::Event {
            kind: v1::EventKind::ProtocolUpgraded.into(),
            statements: self.statements,
            protocol_upgraded: Some(v1::ProtocolUpgraded { protocol, format }),
            ..v1::Event::default()
        };
        vec![
            [vec![PART_HEAD], encode(&head)].concat(),
            [vec![PART_LINK], encode(&link)].concat(),
            [vec![PART_STATEMENT], encode(&part(envelope))].concat(),
            [vec![PART_EVENT], encode(&event)].concat(),
        ]
    }
}

fn part(envelope: Envelope) -> v1::StatementPart {
    v1::StatementPart { envelope: Some(envelope.into()), leaf: None }
}

fn announced(protocol: u32, format: u32) -> (Bank, u64) {
    let mut bank = Bank::founded();
    let parts = Announcement::of(&mut bank, protocol, format).parts();
    let index = bank.append_parts(parts);
    (bank, index)
}

/// The parts of a deposit whose event is of a kind that nobody knows.
fn unknown_kind(bank: &Bank) -> Vec<Vec<u8>> {
    let mut parts = bank.entries[4].parts.clone();
    let last = parts.last_mut().unwrap();
    let mut event: v1::Event = decode(&last[1..]).unwrap();
    (event.kind, event.framework_published) = (1, None);
    let mut bytes = encode(&event);
    bytes[1] = 99;
    *last = [vec![PART_EVENT], bytes].concat();
    parts
}

#[track_caller]
fn newer(bank: &Bank, index: u64) -> Report {
    let report = verified(bank);
    let Verdict::NeedsNewer { index: at, .. } = &report.verdict else { panic!("{:?}", report.verdict) };
    assert_eq!((*at, report.verdict.exit_code()), (index, EXIT_NEEDS_NEWER));
    report
}

#[test]
fn what_nobody_announced_is_broken() {
    let mut bank = Bank::founded();
    let parts = unknown_kind(&bank);
    let index = bank.append_parts(parts);
    breaks(&bank, index, "NOT_ANNOUNCED");
    // A payload type of a later version.
    let mut bank = Bank::founded();
    let mut parts = bank.entries[4].parts.clone();
    let mut statement: v1::StatementPart = decode(&parts[2][1..]).unwrap();
    let envelope = statement.envelope.as_mut().unwrap();
    envelope.payload_type = envelope.payload_type.replace(".v1+", ".v2+");
    parts[2] = [vec![PART_STATEMENT], encode(&statement)].concat();
    let index = bank.append_parts(parts);
    breaks(&bank, index, "NOT_ANNOUNCED");
    // A learner as actor.
    let mut bank = Bank::founded();
    let mut parts = bank.entries[4].parts.clone();
    let mut head: v1::EntryHead = decode(&parts[0][1..]).unwrap();
    (head.actor_kind, head.actor_id) = (v1::ActorKind::Learner.into(), b"cn.learner-of-16".to_vec());
    parts[0] = [vec![PART_HEAD], encode(&head)].concat();
    let index = bank.append_parts(parts);
    breaks(&bank, index, "NOT_ANNOUNCED");
    // A field that nobody knows is no kind of anything.
    let mut bank = Bank::founded();
    let mut parts = bank.entries[4].parts.clone();
    parts[3].extend([0xf8, 0x07, 0x01]);
    let index = bank.append_parts(parts);
    breaks(&bank, index, "PARTS_NOT_CANONICAL");
}

/// Writes a core of format 2 over the last entry.
fn of_format_2(bank: &mut Bank) {
    let last = bank.entries.last_mut().unwrap();
    assert_eq!(last.core[..2], [8, 1]);
    last.core[1] = 2;
    *bank.leaves.last_mut().unwrap() = leaf_hash(&last.core);
}

#[test]
fn a_format_is_announced_before_it_is_used() {
    let mut bank = Bank::founded();
    bank.open_account("ann");
    of_format_2(&mut bank);
    breaks(&bank, 5, "NOT_ANNOUNCED");
    let (mut bank, index) = announced(1, 2);
    let parts = bank.entries[4].parts.clone();
    bank.append_parts(parts);
    of_format_2(&mut bank);
    newer(&bank, index + 1);
    // What a newer protocol says can't be read any more: it may have announced the format since.
    let (mut bank, index) = announced(3, 1);
    let parts = bank.entries[4].parts.clone();
    bank.append_parts(parts);
    of_format_2(&mut bank);
    let report = newer(&bank, index + 1);
    assert_eq!(report.root, bank.root_at(bank.size()));
}

#[test]
fn what_follows_an_announcement_is_newer() {
    let (mut bank, index) = announced(3, 1);
    // Nothing follows yet: everything is known.
    let report = verified(&bank);
    assert_eq!((&report.verdict, report.entries), (&Verdict::Ok, index + 1));
    let parts = unknown_kind(&bank);
    bank.append_parts(parts.clone());
    bank.append_parts(parts);
    let report = newer(&bank, index + 1);
    assert_eq!((report.entries, report.size), (index + 1, index + 3));
    assert_eq!(report.root, bank.root_at(bank.size()));
}

#[test]
fn what_can_be_checked_beyond_is_checked() {
    let (mut bank, index) = announced(3, 1);
    let parts = unknown_kind(&bank);
    bank.append_parts(parts.clone());
    bank.append_parts(parts);
    let mut dropped = bank.clone();
    dropped.entries.remove(usize::try_from(index).unwrap() + 1);
    breaks(&dropped, index + 1, "INDEX_WRONG");
    let mut bent = bank.clone();
    bent.entries.last_mut().unwrap().secret[0] ^= 1;
    breaks(&bent, index + 2, "PARTS_ROOT_WRONG");
    let mut forked = bank.clone();
    *forked.leaves.last_mut().unwrap() = [0; 32];
    breaks(&forked, bank.size(), "ROOT_WRONG");
    // Where the format is newer too, only the leaves remain.
    let (mut bank, _) = announced(3, 2);
    let parts = unknown_kind(&bank);
    bank.append_parts(parts);
    *bank.leaves.last_mut().unwrap() = [0; 32];
    breaks(&bank, bank.size(), "ROOT_WRONG");
}

#[test]
fn an_announcement_is_the_authoritys_and_goes_forward() {
    type Bend = fn(&mut Announcement);
    let cases: [(&str, Bend); 16] = [
        ("UPGRADE_WRONG", |it| it.keys = vec!["authority-1"]),
        ("UPGRADE_WRONG", |it| it.keys = vec!["authority-1", "operator"]),
        ("UPGRADE_WRONG", |it| it.keys = vec!["authority-1", "authority-2", "stranger"]),
        ("UPGRADE_WRONG", |it| it.payload_type = "application/vnd.creditbank.server-start.v1+protobuf"),
        ("UPGRADE_WRONG", |it| it.logged = (4, 1)),
        ("UPGRADE_WRONG", |it| it.statements = Vec::new()),
        ("UPGRADE_WRONG", |it| it.header.log_id = vec![9; 32]),
        ("UPGRADE_WRONG", |it| it.header.signer_id = "operator".to_owned()),
        ("UPGRADE_WRONG", |it| it.header.anchor = None),
        ("UPGRADE_WRONG", |it| it.header.anchor = Some(v1::Anchor { size: 2, root: vec![1; 32] })),
        ("UPGRADE_WRONG", |it| it.header.anchor = Some(v1::Anchor { size: 99, root: vec![1; 32] })),
        ("ACTOR_WRONG", |it| it.actor = (v1::ActorKind::Operator, "operator")),
        ("LINK_WRONG", |it| it.sequence = 2),
        ("LINK_WRONG", |it| it.sequence = 4),
        ("LINK_WRONG", |it| it.previous = vec![1; 32]),
        ("LINK_WRONG", |it| (it.sequence, it.previous) = (1, Vec::new())),
    ];
    for (rule, bend) in cases {
        let mut bank = Bank::founded();
        let mut announcement = Announcement::of(&mut bank, 3, 1);
        bend(&mut announcement);
        let index = bank.append_parts(announcement.parts());
        // Even with an unknown entry behind it, the lie is what is reported.
        let parts = unknown_kind(&bank);
        bank.append_parts(parts);
        breaks(&bank, index, rule);
    }
}

#[test]
fn an_announcement_is_fresh_new_and_truly_signed() {
    let mut bank = Bank::founded();
    let announcement = Announcement::of(&mut bank, 3, 1);
    bank.now_us += 31 * 86_400 * SECOND_US;
    // The newest head is as good after a month as at once; an older one is not.
    let mut rested = bank.clone();
    let index = rested.append_parts(announcement.parts());
    assert_eq!((verified(&rested).verdict, index + 1), (Verdict::Ok, rested.size()));
    let mut announcement = Announcement::of(&mut bank, 3, 1);
    let older = bank.size() - 1;
    announcement.header.anchor = Some(v1::Anchor { size: older, root: bank.root_at(older).0.to_vec() });
    let index = bank.append_parts(announcement.parts());
    breaks(&bank, index, "UPGRADE_WRONG");
    let mut bank = Bank::founded();
    let mut announcement = Announcement::of(&mut bank, 3, 1);
    let framework: v1::EntryHead = decode(&bank.entries[4].parts[0][1..]).unwrap();
    announcement.header.statement_id = framework.command_id;
    let index = bank.append_parts(announcement.parts());
    breaks(&bank, index, "UPGRADE_WRONG");
    let mut bank = Bank::founded();
    let mut parts = Announcement::of(&mut bank, 3, 1).parts();
    let mut statement: v1::StatementPart = decode(&parts[2][1..]).unwrap();
    statement.envelope.as_mut().unwrap().signatures[0].signature[5] ^= 1;
    parts[2] = [vec![PART_STATEMENT], encode(&statement)].concat();
    let index = bank.append_parts(parts);
    breaks(&bank, index, "SIGNATURE_INVALID");
}

/// A log whose entry 0 names a protocol that is not known, signed by these keys.
fn of_protocol_3(keys: &[&str]) -> Bank {
    let mut bank = Bank::founded();
    let header = credit_types::Header {
        log_id: None,
        anchor: None,
        signer: SignerId::Authority,
        ..bank.header("authority")
    };
    let mut wire = genesis().to_wire(Some(&header));
    wire.protocol = 3;
    let envelope = enveloped(credit_proto::payload_type::GENESIS, encode(&wire), keys);
    let mut parts = bank.entries[0].parts.clone();
    let mut head: v1::EntryHead = decode(&parts[0][1..]).unwrap();
    head.command_id = header.statement_id.0.to_vec();
    parts[0] = [vec![PART_HEAD], encode(&head)].concat();
    parts[2] = [vec![PART_STATEMENT], encode(&part(envelope))].concat();
    let mut other = Bank::empty();
    other.append_parts(parts);
    other
}

#[test]
fn a_genesis_may_name_a_newer_protocol() {
    breaks(&of_protocol_3(&["authority-1"]), 0, "NOT_ANNOUNCED");
    breaks(&of_protocol_3(&["authority-1", "operator"]), 0, "NOT_ANNOUNCED");
    let mut bank = of_protocol_3(&AUTHORITY);
    newer(&bank, 0);
    let parts = bank.entries[0].parts.clone();
    bank.append_parts(parts);
    newer(&bank, 0);
    // It is still held against what is pinned, and against its checkpoint.
    let mut other = bank.clone();
    other.leaves[0] = Bank::founded().leaves[0];
    breaks(&other, 0, "LOG_ID_WRONG");
    let mut verifier = credit_verify::Verifier::new(Some(bank.trust()));
    bank.entries.iter().for_each(|raw| verifier.push(&raw.bytes()).unwrap());
    let forked = signed_head("checkpoint", crate::bank::ORIGIN, 2, Digest([1; 32]));
    let Verdict::Broken(broken) = verifier.finish(Some(&forked)).unwrap().verdict else { panic!() };
    assert_eq!(broken.rule.code(), "ROOT_WRONG");
}

/// The parts of a genesis, one of them changed, as the beginning of a log.
fn begun_with(change: impl Fn(&mut Vec<Vec<u8>>)) -> Bank {
    let mut parts = Bank::founded().entries[0].parts.clone();
    change(&mut parts);
    let mut bank = Bank::empty();
    bank.append_parts(parts);
    bank
}

#[test]
fn nothing_else_in_entry_0_may_be_unknown() {
    let unknown_event = begun_with(|parts| parts[3][2] = 99);
    breaks(&unknown_event, 0, "NOT_ANNOUNCED");
    let typed = |payload_type: &str| {
        begun_with(|parts| {
            let mut statement: v1::StatementPart = decode(&parts[2][1..]).unwrap();
            payload_type.clone_into(&mut statement.envelope.as_mut().unwrap().payload_type);
            parts[2] = [vec![PART_STATEMENT], encode(&statement)].concat();
        })
    };
    breaks(&typed("application/vnd.creditbank.genefis.v1+protobuf"), 0, "NOT_ANNOUNCED");
    newer(&typed("application/vnd.creditbank.genesis.v2+protobuf"), 0);
    let mut format_2 = Bank::founded();
    format_2.entries.truncate(1);
    format_2.leaves.truncate(1);
    of_format_2(&mut format_2);
    newer(&format_2, 0);
}

#[test]
fn the_test_bank_computes_its_parts_roots() {
    let bank = Bank::founded();
    let raw = &bank.entries[4];
    let core: v1::EntryCore = decode(&raw.core).unwrap();
    assert_eq!(core.parts_root, parts_root(&raw.secret, &raw.parts));
}
