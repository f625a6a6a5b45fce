//! What later software wrote is called newer, never wrong.

use credit_proto::entry::{DecodeError, PART_EVENT, PART_HEAD, PART_LINK, PART_STATEMENT};
use credit_proto::entry::{StatementPart, announced, decode_core, decode_parts, encode_core, hydrate};
use credit_proto::{Signable, payload_type, v1};
use credit_types::genesis::{FORMAT, PROTOCOL};
use credit_types::{Event, EventKind, Header, ProtocolUpgrade, Reason, SignerId};
use prost::Message;

use crate::entries::{Sample, around, refused_chunk, sample, signed};
use crate::samples::{self, admit, leaf_hash};

#[track_caller]
fn newer<T: std::fmt::Debug>(result: Result<T, DecodeError>, words: &str) {
    match result {
        Err(DecodeError::Newer { what }) => assert!(what.contains(words), "{what}"),
        other => panic!("{words}: {other:?}"),
    }
}

#[track_caller]
fn invalid<T: std::fmt::Debug>(result: Result<T, DecodeError>, field: &str) {
    match result {
        Err(DecodeError::Invalid(error)) => assert_eq!(error.field, field, "{error}"),
        other => panic!("{field}: {other:?}"),
    }
}

/// Edits the message of the first part of a kind.
fn edited<M: Message + Default>(sample: &Sample, kind: u8, edit: impl Fn(&mut M)) -> Vec<Vec<u8>> {
    let mut parts = sample.parts();
    let part = parts.iter_mut().find(|part| part[0] == kind).unwrap();
    let mut message = M::decode(&part[1..]).unwrap();
    edit(&mut message);
    *part = vec![kind];
    part.extend(message.encode_to_vec());
    parts
}

#[test]
fn a_format_that_follows() {
    let core = encode_core(&sample(EventKind::KeyAdded).core);
    assert_eq!(&core[..2], [0x08, 0x01]);
    let mut two = core.clone();
    two[1] = 2;
    newer(decode_core(&two), "entry format 2");
    // Whatever else it holds.
    newer(decode_core(&[0x08, 0x80, 0x01, 0xFF, 0xFF]), "entry format 128");
    // A format before the first, or none, is no one's.
    invalid(decode_core(&core[2..]), "format");
    invalid(decode_core(&[0x08, 0x00]), "format");
    invalid(decode_core(&[]), "format");
    let mut past = core;
    past.extend([0x28, 1]);
    invalid(decode_core(&past), "");
}

#[test]
fn kinds_that_follow() {
    let deposit = sample(EventKind::RecordDeposited);
    newer(
        decode_parts(&edited(&deposit, PART_EVENT, |event: &mut v1::Event| event.kind = 21)),
        "event kind 21",
    );
    newer(decode_parts(&edited(&deposit, PART_HEAD, |head: &mut v1::EntryHead| head.actor_kind = 5)), "head");
    newer(
        decode_parts(&edited(&deposit, PART_HEAD, |head: &mut v1::EntryHead| head.actor_kind = 4)),
        "learner",
    );
    newer(decode_parts(&edited(&deposit, PART_LINK, |link: &mut v1::Link| link.subject_kind = 5)), "link");
    let status = edited(&sample(EventKind::AccountStatusChanged), PART_EVENT, |event: &mut v1::Event| {
        event.account_status_changed.as_mut().unwrap().status = 4;
    });
    newer(decode_parts(&status), "account_status_changed.status 4");
    // A body without its known kind is a lie, not a later version.
    invalid(
        decode_parts(&edited(&deposit, PART_EVENT, |event: &mut v1::Event| event.kind = 0)),
        "events[0].kind",
    );
    invalid(
        decode_parts(&edited(&deposit, PART_EVENT, |event: &mut v1::Event| event.kind = -1)),
        "events[0].kind",
    );
}

#[test]
fn payload_types_that_follow() {
    let deposit = sample(EventKind::RecordDeposited);
    let of_type = |payload_type: &str| {
        edited(&deposit, PART_STATEMENT, |part: &mut v1::StatementPart| {
            part.envelope.as_mut().unwrap().payload_type = payload_type.to_owned();
        })
    };
    newer(decode_parts(&of_type("application/vnd.creditbank.record-facts.v2+protobuf")), "record-facts.v2");
    newer(decode_parts(&of_type("application/vnd.creditbank.conversion.v1+protobuf")), "conversion.v1");
    for wrong in [payload_type::RECORD_DETAILS, payload_type::SUBJECT_HEAD, "text/plain"] {
        invalid(decode_parts(&of_type(wrong)), "statements[0].envelope.payload_type");
    }
    // A later statement may need no signature, which this software's all do.
    let unsigned = edited(&deposit, PART_STATEMENT, |part: &mut v1::StatementPart| {
        let envelope = part.envelope.as_mut().unwrap();
        envelope.payload_type = "application/vnd.creditbank.consent.v1+protobuf".to_owned();
        envelope.signatures.clear();
    });
    newer(decode_parts(&unsigned), "consent.v1");
}

/// A later kind of event explains a part before it that would be wrong alone.
#[test]
fn a_later_event_excuses_what_stands_before_it() {
    let mut parts =
        edited(&sample(EventKind::RecordDeposited), PART_STATEMENT, |part: &mut v1::StatementPart| {
            part.envelope = None;
        });
    invalid(decode_parts(&parts), "statements[0]");
    let event = v1::Event { kind: 40, ..v1::Event::default() };
    *parts.last_mut().unwrap() = [vec![PART_EVENT], event.encode_to_vec()].concat();
    newer(decode_parts(&parts), "event kind 40");
}

#[test]
fn refusals_that_follow() {
    let last = Reason::all().map(Reason::number).max().unwrap();
    let with = |number: u32| {
        edited(&refused_chunk(), PART_EVENT, move |event: &mut v1::Event| {
            event.batch_chunk.as_mut().unwrap().refused[3].reason = number;
        })
    };
    decode_parts(&with(last)).unwrap();
    newer(decode_parts(&with(last + 1)), "refusal");
    invalid(decode_parts(&with(0)), "events[0].batch_chunk.refused[3].reason");
}

/// A statement of a known type that names what is later.
#[track_caller]
fn names<B: Signable + Clone>(
    header: Header,
    body: &B,
    kind: EventKind,
    edit: impl Fn(&mut B::Wire),
) -> StatementPart {
    let (mut part, _) = signed(header, body, 1);
    if let StatementPart::Signed(envelope) = &mut part {
        let mut wire = body.to_wire(Some(&B::from_payload(&envelope.payload, admit).unwrap().0.unwrap()));
        edit(&mut wire);
        envelope.payload = wire.encode_to_vec();
    }
    assert_eq!(sample(kind).statements.len(), 1);
    part
}

#[track_caller]
fn hydrates(kind: EventKind, part: StatementPart) -> Result<Vec<credit_types::Event>, DecodeError> {
    let sample = sample(kind);
    let sample = around(sample.head.actor, vec![part], sample.events, None);
    hydrate(&decode_parts(&sample.parts()).unwrap(), None, admit, leaf_hash)
}

#[track_caller]
fn hydrates_known(result: Result<Vec<credit_types::Event>, DecodeError>) {
    assert_eq!(result.unwrap().len(), 1);
}

#[test]
fn a_protocol_that_follows() {
    let genesis = |edit: fn(&mut v1::Genesis)| {
        let header = samples::genesis_header();
        let kind = EventKind::LedgerCreated;
        hydrates(kind, names(header, &samples::genesis(), kind, edit))
    };
    newer(genesis(|wire| wire.protocol = 3), "protocol 3");
    hydrates_known(genesis(|wire| wire.protocol = 2));
    newer(genesis(|wire| wire.format = 2), "entry format 2");
    invalid(genesis(|wire| wire.protocol = 0), "statements[0].envelope.payload.protocol");
    invalid(genesis(|wire| wire.nonce.clear()), "statements[0].envelope.payload.nonce");
    let start = |edit: fn(&mut v1::ServerStart)| {
        let header = samples::header(SignerId::Operator);
        let kind = EventKind::ServerStarted;
        hydrates(kind, names(header, &samples::server_start(), kind, edit))
    };
    newer(start(|wire| wire.protocol = 3), "protocol 3");
    hydrates_known(start(|wire| wire.protocol = 2));
    invalid(start(|wire| wire.protocol = 0), "statements[0].envelope.payload.protocol");
}

#[test]
fn leaves_that_follow() {
    let manifest = |edit: fn(&mut v1::BatchManifest)| {
        let kind = EventKind::BatchOpened;
        hydrates(kind, names(samples::by_university(), &samples::manifest(), kind, edit))
    };
    let field = "statements[0].envelope.payload.leaf_payload_type";
    newer(
        manifest(|wire| wire.leaf_payload_type = "application/vnd.creditbank.consent.v1+protobuf".to_owned()),
        "consent.v1",
    );
    invalid(manifest(|wire| wire.leaf_payload_type = payload_type::GENESIS.to_owned()), field);
}

/// A payload type is frozen: what it doesn't know is wrong for ever.
#[test]
fn an_unknown_kind_of_record_is_wrong() {
    let kind = EventKind::RecordDeposited;
    let part = names(samples::by_university(), &samples::facts(), kind, |wire| wire.kind = 11);
    invalid(hydrates(kind, part), "statements[0].envelope.payload.kind");
}

/// The entry of an announcement, of which the event says something.
fn announcing(upgrade: ProtocolUpgrade, event: v1::Event) -> Vec<Vec<u8>> {
    let mut sample = sample(EventKind::ProtocolUpgraded);
    sample.statements = vec![signed(samples::header(SignerId::Authority), &upgrade, 2).0];
    edited(&sample, PART_EVENT, |wire: &mut v1::Event| wire.clone_from(&event))
}

fn announcement(upgrade: ProtocolUpgrade) -> v1::Event {
    let ProtocolUpgrade { protocol, format } = upgrade;
    v1::Event {
        kind: v1::EventKind::ProtocolUpgraded.into(),
        statements: vec![0],
        protocol_upgraded: Some(v1::ProtocolUpgraded { protocol, format }),
        ..v1::Event::default()
    }
}

/// Only what follows an announcement may be unknown: so the announcement itself is read, and forged ones are wrong.
#[test]
fn an_announcement_is_read_before_it_is_called_newer() {
    for (protocol, format) in [(3, 1), (2, 2), (1, 2), (u32::MAX, u32::MAX)] {
        let upgrade = ProtocolUpgrade { protocol, format };
        let parts = decode_parts(&announcing(upgrade, announcement(upgrade))).unwrap();
        assert_eq!(announced(&parts), Ok(Some(upgrade)));
        let words = format!("protocol {protocol} in format {format} is announced");
        newer(hydrate(&parts, None, admit, leaf_hash), &words);
    }
    let forged: [fn(&mut v1::Event); 4] = [
        |event| event.protocol_upgraded.as_mut().unwrap().protocol += 1,
        |event| event.protocol_upgraded = None,
        |event| event.statements.clear(),
        |event| event.kind = 1,
    ];
    // One of ours is no less forged than a later one.
    for upgrade in [samples::upgrade(), ProtocolUpgrade { protocol: 3, format: 1 }] {
        for forge in forged {
            let mut event = announcement(upgrade);
            forge(&mut event);
            let parts = decode_parts(&announcing(upgrade, event)).unwrap();
            match hydrate(&parts, None, admit, leaf_hash) {
                Err(DecodeError::Invalid(error)) => assert!(!error.field.is_empty(), "{error}"),
                other => panic!("{other:?}"),
            }
        }
    }
    let deposit = decode_parts(&sample(EventKind::RecordDeposited).parts()).unwrap();
    assert_eq!(announced(&deposit), Ok(None));
    let event = v1::EventKind::ProtocolUpgraded.into();
    let lie =
        decode_parts(&edited(&sample(EventKind::RecordDeposited), PART_EVENT, |wire: &mut v1::Event| {
            wire.kind = event;
        }));
    invalid(hydrate(&lie.unwrap(), None, admit, leaf_hash), "events[0]");
}

/// What this software speaks is announced to older software only.
#[test]
fn an_announcement_of_what_is_spoken_is_an_entry_like_any_other() {
    let upgrade = samples::upgrade();
    assert_eq!((upgrade.protocol, upgrade.format), (PROTOCOL, FORMAT));
    let parts = decode_parts(&announcing(upgrade, announcement(upgrade))).unwrap();
    assert_eq!(announced(&parts), Ok(None));
    let events = hydrate(&parts, None, admit, leaf_hash).unwrap();
    let [Event::ProtocolUpgraded(statement)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((statement.body, statement.signers.len()), (upgrade, 2));
    // It stands alone all the same.
    let mut two = sample(EventKind::ProtocolUpgraded);
    two.events.push(two.events[0].clone());
    let two = around(two.head.actor, two.statements, two.events, None);
    invalid(hydrate(&decode_parts(&two.parts()).unwrap(), None, admit, leaf_hash), "events");
}
