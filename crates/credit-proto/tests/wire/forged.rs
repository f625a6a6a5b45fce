//! Entries that no bank of this software makes: each part wrong in each way, refused by name.

use credit_proto::entry::{DecodeError, PART_EVENT, PART_HEAD, PART_LINK, PART_STATEMENT};
use credit_proto::entry::{ManifestInfo, decode_core, decode_parts, encode_core, hydrate};
use credit_proto::v1;
use credit_types::limits::*;
use credit_types::{AliasKind, EventKind, LeafType, SignerId};
use prost::Message;

use crate::entries::{Sample, correction, manifest_info, opening_chunk, record_chunk, refused_chunk, sample};
use crate::samples::{admit, leaf_hash};

/// Edits the message of one part of a kind, and reads the whole again; the field that is refused.
#[track_caller]
fn told<M: Message + Default>(sample: &Sample, kind: u8, number: usize, edit: impl FnOnce(&mut M)) -> String {
    let mut parts = sample.parts();
    let part = parts.iter_mut().filter(|part| part[0] == kind).nth(number).unwrap();
    let mut message = M::decode(&part[1..]).unwrap();
    edit(&mut message);
    *part = [vec![kind], message.encode_to_vec()].concat();
    refusal(&parts, sample.manifest.as_ref())
}

#[track_caller]
fn refusal(parts: &[Vec<u8>], manifest: Option<&ManifestInfo>) -> String {
    let read = decode_parts(parts).and_then(|parts| hydrate(&parts, manifest, admit, leaf_hash));
    match read {
        Err(DecodeError::Invalid(error)) => error.field,
        other => panic!("{other:?}"),
    }
}

fn head(edit: impl FnOnce(&mut v1::EntryHead)) -> String {
    told(&sample(EventKind::RecordDeposited), PART_HEAD, 0, edit)
}

#[test]
fn heads() {
    assert_eq!(head(|head| head.actor_kind = 1), "head.actor_id");
    assert_eq!(head(|head| head.actor_kind = 0), "head.actor_id");
    assert_eq!(head(|head| head.actor_id.push(b'X')), "head.actor_id");
    assert_eq!(head(|head| head.actor_id = vec![0xFF]), "head.actor_id");
    assert_eq!(head(|head| head.command_id[6] = 0x80), "head.command_id");
    assert_eq!(head(|head| head.links = 0), "head");
    assert_eq!(head(|head| head.statements = 2), "head");
    assert_eq!(head(|head| head.events = 2), "head");
    assert_eq!(head(|head| head.events = 0), "head.events");
    // The bounds of the counts: taken, and then not followed by as many parts.
    assert_eq!(head(|head| head.events = ENTRY_EVENTS_MAX as u32), "head");
    assert_eq!(head(|head| head.events = ENTRY_EVENTS_MAX as u32 + 1), "head.events");
    assert_eq!(head(|head| head.links = ENTRY_EVENTS_MAX as u32), "head");
    assert_eq!(head(|head| head.links = ENTRY_EVENTS_MAX as u32 + 1), "head.links");
    assert_eq!(head(|head| head.statements = CHUNK_LEAVES_MAX as u32), "head");
    assert_eq!(head(|head| head.statements = CHUNK_LEAVES_MAX as u32 + 1), "head.statements");
}

#[test]
fn the_order_of_parts() {
    let parts = sample(EventKind::RecordDeposited).parts();
    assert_eq!(parts.len(), 4);
    for (left, right, field) in [(0, 1, "head.kind"), (1, 2, "links[0].kind"), (2, 3, "statements[0].kind")] {
        let mut swapped = parts.clone();
        swapped.swap(left, right);
        assert_eq!(refusal(&swapped, None), field);
    }
    for at in 1..4 {
        let mut dropped = parts.clone();
        dropped.remove(at);
        assert_eq!(refusal(&dropped, None), "head");
        let mut doubled = parts.clone();
        doubled.insert(at, parts[at].clone());
        assert_eq!(refusal(&doubled, None), "head");
    }
    let mut empty = parts.clone();
    empty[3].clear();
    assert_eq!(refusal(&empty, None), "events[0].kind");
    let mut fifth = parts;
    fifth[3][0] = 5;
    assert_eq!(refusal(&fifth, None), "events[0].kind");
}

#[test]
fn the_bytes_of_all_parts_together() {
    let mut parts = sample(EventKind::RecordDeposited).parts();
    let others: usize = parts.iter().map(Vec::len).sum::<usize>() - parts[3].len();
    parts[3] = vec![PART_EVENT; ENTRY_PARTS_BYTES_MAX - others];
    assert!(refusal(&parts, None).starts_with("events[0]"), "at the bound it is the event that is refused");
    parts[3].push(0);
    assert_eq!(refusal(&parts, None), "parts.bytes");
}

#[test]
fn links() {
    let link = |edit: fn(&mut v1::Link)| told(&sample(EventKind::RecordDeposited), PART_LINK, 0, edit);
    assert_eq!(link(|link| link.subject_id.push(0)), "links[0].subject_id");
    assert_eq!(link(|link| link.subject_kind = 3), "links[0].subject_id");
    assert_eq!(link(|link| link.subject_kind = 0), "links[0].subject_kind");
    assert_eq!(link(|link| link.sequence = 0), "links[0].sequence");
    assert_eq!(link(|link| link.sequence = 1), "links[0].previous");
    assert_eq!(link(|link| link.previous.clear()), "links[0].previous");
    assert_eq!(link(|link| link.previous.push(0)), "links[0].previous");
    assert_eq!(link(|link| link.events.clear()), "links[0].events");
    assert_eq!(link(|link| link.events = vec![0, 0]), "links[0].events[1]");
    assert_eq!(link(|link| link.events = vec![1]), "links[0].events");
    let mut parts = opening_chunk().parts();
    parts.swap(1, 2);
    assert_eq!(refusal(&parts, None), "links[1]");
    parts[1] = parts[2].clone();
    assert_eq!(refusal(&parts, None), "links[1]");
}

#[test]
fn statements() {
    let deposit = sample(EventKind::RecordDeposited);
    let part = |edit: fn(&mut v1::StatementPart)| told(&deposit, PART_STATEMENT, 0, edit);
    let leaf = || v1::BatchLeaf { manifest_index: 1, position: 0, facts: vec![1] };
    assert_eq!(
        told(&deposit, PART_STATEMENT, 0, |part: &mut v1::StatementPart| part.leaf = Some(leaf())),
        "statements[0]"
    );
    assert_eq!(part(|part| part.envelope = None), "statements[0]");
    assert_eq!(
        part(|part| part.envelope.as_mut().unwrap().signatures.clear()),
        "statements[0].envelope.signatures"
    );
    assert_eq!(
        part(|part| part.envelope.as_mut().unwrap().payload.push(0)),
        "statements[0].envelope.payload"
    );
    // One signature is all a record needs; more would be lost.
    let two = |part: &mut v1::StatementPart| {
        let signatures = &mut part.envelope.as_mut().unwrap().signatures;
        signatures.push(v1::Signature { kid: vec![0xFF; 32], signature: vec![0; 64] });
    };
    assert_eq!(told(&deposit, PART_STATEMENT, 0, two), "events[0].signatures");
    let chunk = |edit: fn(&mut v1::BatchLeaf)| {
        told(&record_chunk(), PART_STATEMENT, 0, |part: &mut v1::StatementPart| {
            edit(part.leaf.as_mut().unwrap());
        })
    };
    assert_eq!(chunk(|leaf| leaf.facts = vec![0; LEAF_BYTES_MAX]), "statements[0].leaf.facts");
    assert_eq!(chunk(|leaf| leaf.facts = vec![0; LEAF_BYTES_MAX + 1]), "statements[0].leaf.facts.bytes");
    assert_eq!(chunk(|leaf| leaf.facts.clear()), "statements[0].leaf.facts.bytes");
    assert_eq!(chunk(|leaf| leaf.manifest_index = 4_701), "statements[0].manifest_index");
    assert_eq!(chunk(|leaf| leaf.position = 128), "events[0].batch_chunk.refused");
    assert_eq!(chunk(|leaf| leaf.position = 130), "events[0].batch_chunk.refused");
}

#[test]
fn events_that_dont_follow_from_their_statement() {
    let event = |kind: EventKind, edit: fn(&mut v1::Event)| told(&sample(kind), PART_EVENT, 0, edit);
    let differs = "events[0]";
    for kind in EventKind::ALL {
        assert_ne!(
            event(kind, |event| event.statements = vec![1]),
            "",
            "{kind:?} rests on its own statements"
        );
        let other = |event: &mut v1::Event| {
            event.kind = if event.kind == 20 { 1 } else { event.kind + 1 };
        };
        assert_ne!(event(kind, other), "", "{kind:?} is what its statement says");
    }
    assert_eq!(event(EventKind::LedgerCreated, |event| event.statements.clear()), differs);
    let more = |event: &mut v1::Event| {
        event.batch_closed = Some(v1::BatchClosed { manifest_index: 1, ..Default::default() });
    };
    assert_eq!(event(EventKind::LedgerCreated, more), differs);
    let admitted = |event: &mut v1::Event| {
        event.institution_admitted.as_mut().unwrap().institution_id = "cn.x".to_owned();
    };
    assert_eq!(event(EventKind::InstitutionAdmitted, admitted), differs);
    assert_eq!(event(EventKind::InstitutionAdmitted, |event| event.institution_admitted = None), differs);
    assert_eq!(
        event(EventKind::FrameworkPublished, |e| e.framework_published.as_mut().unwrap().version = 4),
        differs
    );
    assert_eq!(event(EventKind::KeyAdded, |event| event.key_changed.as_mut().unwrap().kid[0] ^= 1), differs);
    assert_eq!(
        event(EventKind::KeyRetired, |event| event.key_changed.as_mut().unwrap().kid[0] ^= 1),
        differs
    );
    assert_eq!(event(EventKind::KeyRetired, |event| event.key_changed = None), "events[0].key_changed");
    let owner = |event: &mut v1::Event| event.key_changed.as_mut().unwrap().institution_id = "x".to_owned();
    assert_eq!(event(EventKind::KeyCompromised, owner), "events[0].key_changed.institution_id");
    let account = |event: &mut v1::Event| event.account_status_changed.as_mut().unwrap().account_ref[0] ^= 1;
    assert_eq!(event(EventKind::AccountStatusChanged, account), differs);
    let status = |event: &mut v1::Event| event.account_status_changed.as_mut().unwrap().status = 0;
    assert_eq!(event(EventKind::AccountStatusChanged, status), "events[0].account_status_changed.status");
    let deposit = |edit: fn(&mut v1::RecordDeposited)| {
        told(&sample(EventKind::RecordDeposited), PART_EVENT, 0, |event: &mut v1::Event| {
            edit(event.record_deposited.as_mut().unwrap());
        })
    };
    assert_eq!(deposit(|body| body.account_ref[0] ^= 1), differs);
    assert_eq!(deposit(|body| body.record_id[0] ^= 1), differs);
    assert_eq!(
        deposit(|body| body.fingerprint_version = 0),
        "events[0].record_deposited.fingerprint_version"
    );
    let change = |edit: fn(&mut v1::RecordStatusChanged)| {
        told(&sample(EventKind::RecordStatusChanged), PART_EVENT, 0, |event: &mut v1::Event| {
            edit(event.record_status_changed.as_mut().unwrap());
        })
    };
    assert_eq!(change(|body| body.account_ref[0] ^= 1), differs);
    assert_eq!(change(|body| body.record_id[0] ^= 1), differs);
    assert_eq!(change(|body| body.issuer_id = "cn.other".to_owned()), differs);
    assert_eq!(change(|body| body.status = 0), "events[0].record_status_changed.status");
    let superseded = |event: &mut v1::Event| event.record_status_changed.as_mut().unwrap().record_id[0] ^= 1;
    assert_eq!(told(&correction(), PART_EVENT, 0, superseded), differs);
    assert_eq!(
        event(EventKind::BatchClosed, |event| event.batch_closed.as_mut().unwrap().manifest_index = 1),
        differs
    );
}

#[test]
fn postings() {
    let posting = |edit: fn(&mut v1::RecordDeposited)| {
        told(&sample(EventKind::RecordDeposited), PART_EVENT, 0, |event: &mut v1::Event| {
            edit(event.record_deposited.as_mut().unwrap());
        })
    };
    let at = |field: &str| format!("events[0].record_deposited.postings[0].{field}");
    assert_eq!(posting(|body| body.postings[0].to = 1), at("to"));
    assert_eq!(posting(|body| (body.postings[0].from, body.postings[0].to) = (2, 1)), at("to"));
    assert_eq!(posting(|body| body.postings[0].to = 7), at("to"));
    assert_eq!(posting(|body| body.postings[0].from = 8), at("from"));
    assert_eq!(posting(|body| body.postings[0].from = 0), at("from"));
    assert_eq!(posting(|body| body.postings[0].credit_scheme.clear()), at("credit_scheme"));
    assert_eq!(posting(|body| body.postings[0].credits_milli = 0), at("credits_milli"));
    assert_eq!(posting(|body| body.postings[0].credits_milli = -1), at("credits_milli"));
    assert_eq!(posting(|body| body.postings[0].credits_milli = CREDITS_MILLI_MAX + 1), at("credits_milli"));
    let many = |count: usize| {
        told(&sample(EventKind::RecordDeposited), PART_EVENT, 0, |event: &mut v1::Event| {
            let body = event.record_deposited.as_mut().unwrap();
            body.postings = vec![body.postings[0].clone(); count];
            // At the bound, another rule refuses.
            body.account_ref[0] ^= 1;
        })
    };
    assert_eq!(many(POSTINGS_MAX), "events[0]");
    assert_eq!(many(POSTINGS_MAX + 1), "events[0].record_deposited.postings");
}

#[test]
fn aliases() {
    let opened = |kinds: &[i32], version: u32| -> Result<usize, String> {
        let mut sample = sample(EventKind::AccountOpened);
        let mut parts = sample.parts();
        let mut event = v1::Event::decode(&parts[3][1..]).unwrap();
        let body = event.account_opened.as_mut().unwrap();
        body.aliases =
            kinds.iter().map(|kind| v1::AliasAsserted { kind: *kind, pepper_version: version }).collect();
        parts[3] = [vec![PART_EVENT], event.encode_to_vec()].concat();
        sample.events.clear();
        match decode_parts(&parts).and_then(|parts| hydrate(&parts, None, admit, leaf_hash)) {
            Ok(_) => Ok(kinds.len()),
            Err(DecodeError::Invalid(error)) => Err(error.field),
            Err(other) => panic!("{other}"),
        }
    };
    let student = AliasKind::StudentNumber as i32 + 1;
    assert_eq!(opened(&[], 1), Ok(0));
    assert_eq!(opened(&[1, 2, 3, 3, 3, 3, 3, 3, 3, 3], 1), Ok(OPENING_ALIASES_MAX));
    let at = |place: usize, field: &str| Err(format!("events[0].account_opened.aliases[{place}].{field}"));
    assert_eq!(
        opened(&[student; OPENING_ALIASES_MAX + 1], 1),
        Err("events[0].account_opened.aliases".to_owned())
    );
    assert_eq!(opened(&[1, 1], 1), at(1, "kind"));
    assert_eq!(opened(&[2, 2], 1), at(1, "kind"));
    assert_eq!(opened(&[2, 1], 1), at(1, "kind"));
    assert_eq!(opened(&[0], 1), at(0, "kind"));
    assert_eq!(opened(&[1], 0), at(0, "pepper_version"));
}

#[test]
fn chunks() {
    let chunk = |sample: &Sample, edit: fn(&mut v1::BatchChunk)| {
        told(sample, PART_EVENT, 0, |event: &mut v1::Event| edit(event.batch_chunk.as_mut().unwrap()))
    };
    let base = record_chunk();
    let refused = "events[0].batch_chunk.refused";
    assert_eq!(chunk(&base, |chunk| chunk.manifest_index = 1), "statements[0].manifest_index");
    assert_eq!(chunk(&base, |chunk| chunk.chunk = 1), refused);
    assert_eq!(chunk(&base, |chunk| chunk.chunk = (1 << CHUNK_PATH_MAX) - 1), refused);
    assert_eq!(chunk(&base, |chunk| chunk.chunk = 1 << CHUNK_PATH_MAX), "events[0].batch_chunk.chunk");
    assert_eq!(chunk(&base, |chunk| chunk.chunk = u32::MAX), "events[0].batch_chunk.chunk");
    assert_eq!(chunk(&base, |chunk| chunk.path[0].clear()), "events[0].batch_chunk.path[0]");
    assert_eq!(chunk(&base, |chunk| chunk.path = vec![vec![1; 32]; 15]), "events[0].batch_chunk.path");
    assert_eq!(chunk(&base, |chunk| chunk.refused.clear()), refused);
    assert_eq!(
        chunk(&base, |chunk| chunk.refused[0].leaf_hash.clear()),
        "events[0].batch_chunk.refused[0].leaf_hash"
    );
    assert_eq!(chunk(&base, |chunk| chunk.refused[0].position = 129), refused);
    let all = refused_chunk();
    assert_eq!(chunk(&all, |chunk| chunk.refused.swap(4, 5)), "events[0].batch_chunk.refused[5]");
    assert_eq!(chunk(&all, |chunk| drop(chunk.refused.remove(5))), refused);
    let more = |chunk: &mut v1::BatchChunk| {
        let last = v1::RefusedLeaf { position: 128, ..chunk.refused[63].clone() };
        chunk.refused.push(last);
    };
    assert_eq!(chunk(&all, more), refused);
    // A chunk of nothing is none.
    assert_eq!(chunk(&all, |chunk| chunk.refused.clear()), "statements");
}

#[test]
fn entries_of_chunks() {
    let base = record_chunk();
    assert_eq!(refusal(&base.parts(), None), "events[0].batch_chunk.manifest_index");
    let other = ManifestInfo { signer: SignerId::Authority, ..manifest_info(LeafType::Record) };
    assert_eq!(refusal(&base.parts(), Some(&other)), "statements[0].header.signer_id");
    assert_eq!(
        refusal(&base.parts(), Some(&manifest_info(LeafType::Opening))),
        "statements[0].leaf.facts.assurance"
    );
    // The event of the leaf, and the closing, without the chunk.
    let closing = |edit: fn(&mut v1::BatchClosed)| {
        told(&base, PART_EVENT, 2, |event: &mut v1::Event| edit(event.batch_closed.as_mut().unwrap()))
    };
    assert_eq!(closing(|closed| closed.manifest_index = 1), "events[2]");
    let leaf = |edit: fn(&mut v1::Event)| told(&base, PART_EVENT, 1, edit);
    assert_eq!(leaf(|event| event.statements.clear()), "events[1]");
    assert_eq!(leaf(|event| event.record_deposited = None), "statements[0].record_deposited");
    // Events between leaves and closing that nothing explains.
    let mut sample = base.clone();
    sample.events.push(sample.events[2].clone());
    sample.head.events += 1;
    assert_eq!(refusal(&sample.parts(), sample.manifest.as_ref()), "events");
    // An event for a leaf is missing.
    let mut sample = base.clone();
    sample.events.truncate(1);
    sample.links.clear();
    (sample.head.events, sample.head.links) = (1, 0);
    assert_eq!(refusal(&sample.parts(), sample.manifest.as_ref()), "events[1]");
    // A signed statement among leaves, and a leaf where a signed statement stands.
    let mut sample = base.clone();
    sample.statements = correction().statements;
    assert_eq!(refusal(&sample.parts(), sample.manifest.as_ref()), "statements[0]");
    let mut sample = correction();
    sample.statements = base.statements.clone();
    assert_eq!(refusal(&sample.parts(), None), "statements");
}

#[test]
fn cores() {
    let core = sample(EventKind::RecordDeposited).core;
    let bytes = encode_core(&core);
    let told = |edit: fn(&mut v1::EntryCore)| {
        let mut wire = v1::EntryCore::decode(bytes.as_slice()).unwrap();
        edit(&mut wire);
        match decode_core(&wire.encode_to_vec()) {
            Err(DecodeError::Invalid(error)) => error.field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(|core| core.recorded_at_us = -1), "recorded_at_us");
    assert_eq!(told(|core| core.parts_root.clear()), "parts_root");
    assert_eq!(told(|core| core.parts_root.push(0)), "parts_root");
}
