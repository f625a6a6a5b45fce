//! Batches that lie about their leaves, come in another order, or come too late.

use crate::change::{BatchStream, RawBatch, one_chunk};
use crate::institution::Institution;
use crate::session::{Refused, Session, refused_by};
use crate::shared::quiet;
use crate::statement::{Draft, envelope, identity, seal_identity, uuid_v7};
use credit_proto::v1::submit_batch_request::Step;
use credit_proto::v1::{KeyPurpose, RecordKind};
use credit_proto::{payload_type, v1};
use credit_types::limits::{LEAF_BYTES_MAX, OPEN_BATCHES_MAX};
use prost::Message;

/// An issuer of its own, so that its open batches are its own.
async fn school(session: &Session<'_>) -> Institution {
    let school = Institution::school();
    session.admit(&school).await;
    school
}

/// Records for one account.
async fn courses(session: &Session<'_>, count: usize) -> Vec<Draft> {
    let account = session.account().await.account_ref;
    (0..count).map(|_| Draft::course(&account)).collect()
}

/// Opens the batch, then sends one chunk that must be refused as a whole.
async fn refused_chunk(
    session: &Session<'_>,
    signer: &Institution,
    batch: &RawBatch,
    chunk: v1::ChunkSubmission,
    reason: &str,
) -> Refused {
    let (mut stream, opening) =
        BatchStream::open(session, signer, batch.start()).await.expect("a batch opens");
    let before = session.settled(opening.position.expect("a position").index).await;
    let status = stream.chunk(chunk).await.expect_err("a chunk is refused");
    let refused = refused_by(reason, &status);
    assert_eq!(session.size().await, before, "{reason}: the log grew");
    refused
}

#[tokio::test]
async fn a_path_must_lead_to_the_manifests_root() {
    let session = quiet().await;
    let school = school(&session).await;
    let batch = RawBatch::of_records(&session, &school, courses(&session, 130).await).await;
    let mut bent = batch.chunk(0);
    bent.path[0][7] ^= 1;
    let mut short = batch.chunk(0);
    short.path.pop();
    let mut long = batch.chunk(0);
    long.path.push(vec![0; 32]);
    let mut ragged = batch.chunk(0);
    ragged.path[0].pop();
    let mut endless = batch.chunk(0);
    endless.path = vec![vec![0; 32]; 15];
    let mut other_leaf = batch.chunk(0);
    other_leaf.leaves[5] = batch.leaves[64].clone();
    let mut bent_leaf = batch.chunk(0);
    *bent_leaf.leaves[63].facts.last_mut().unwrap() ^= 1;
    for chunk in [bent, short, long, ragged, endless, other_leaf, bent_leaf] {
        let refused = refused_chunk(&session, &school, &batch, chunk, "CHUNK_PATH_WRONG").await;
        assert_eq!(refused.field, "chunk.path");
    }
    let taken =
        one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("the right chunk").into_inner();
    assert_eq!((taken.refused.len(), taken.closed), (0, false));
}

#[tokio::test]
async fn a_chunk_has_sixty_four_leaves_and_the_last_one_the_rest() {
    let session = quiet().await;
    let school = school(&session).await;
    let batch = RawBatch::of_records(&session, &school, courses(&session, 66).await).await;
    let mut few = batch.chunk(0);
    few.leaves.pop();
    let mut many = batch.chunk(0);
    many.leaves.push(batch.leaves[64].clone());
    let mut none = batch.chunk(0);
    none.leaves.clear();
    for chunk in [few, many, none] {
        refused_chunk(&session, &school, &batch, chunk, "CHUNK_SIZE_WRONG").await;
    }
    one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("the first chunk");
    let mut one_of_two = batch.chunk(1);
    one_of_two.leaves.pop();
    refused_chunk(&session, &school, &batch, one_of_two, "CHUNK_SIZE_WRONG").await;
    assert!(
        one_chunk(&session, &school, &batch, batch.chunk(1)).await.expect("the rest").into_inner().closed
    );
}

#[tokio::test]
async fn chunks_enter_in_order() {
    let session = quiet().await;
    let school = school(&session).await;
    let batch = RawBatch::of_records(&session, &school, courses(&session, 130).await).await;
    for chunk in [1, 2] {
        refused_chunk(&session, &school, &batch, batch.chunk(chunk), "CHUNK_OUT_OF_ORDER").await;
    }
    for chunk in [3, u32::MAX] {
        let beyond = v1::ChunkSubmission { chunk, ..batch.chunk(2) };
        refused_chunk(&session, &school, &batch, beyond, "CHUNK_OUT_OF_ORDER").await;
    }
    one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("the first chunk");
    refused_chunk(&session, &school, &batch, batch.chunk(2), "CHUNK_OUT_OF_ORDER").await;
}

#[tokio::test]
async fn leaves_ascend_strictly_within_and_across_chunks() {
    let session = quiet().await;
    let school = school(&session).await;
    let mut drafts = courses(&session, 65).await;
    drafts.sort_by_key(|draft| draft.facts.record_id.clone());
    let mut swapped = drafts.clone();
    swapped.swap(3, 4);
    let mut doubled = drafts.clone();
    doubled[4] = doubled[3].clone();
    for wrong in [swapped, doubled] {
        let batch = RawBatch::unsorted(&session, &school, wrong).await;
        refused_chunk(&session, &school, &batch, batch.chunk(0), "LEAF_ORDER_WRONG").await;
    }
    drafts.rotate_right(1);
    let across = RawBatch::unsorted(&session, &school, drafts).await;
    // The greatest leaf now stands first: the first chunk falls by its own order.
    refused_chunk(&session, &school, &across, across.chunk(0), "LEAF_ORDER_WRONG").await;
    let mut sorted = courses(&session, 65).await;
    sorted.sort_by_key(|draft| draft.facts.record_id.clone());
    sorted.swap(63, 64);
    let last = RawBatch::unsorted(&session, &school, sorted).await;
    one_chunk(&session, &school, &last, last.chunk(0)).await.expect("the first chunk ascends");
    refused_chunk(&session, &school, &last, last.chunk(1), "LEAF_ORDER_WRONG").await;
}

#[tokio::test]
async fn nothing_enters_a_closed_batch() {
    let session = quiet().await;
    let school = school(&session).await;
    let batch = RawBatch::of_records(&session, &school, courses(&session, 100).await).await;
    let (mut stream, opening) =
        BatchStream::open(&session, &school, batch.start()).await.expect("a batch opens");
    let manifest_index = opening.position.expect("a position").index;
    stream.chunk(batch.chunk(0)).await.expect("the first chunk");
    stream.end().await.expect("the stream ends well");
    let close = async |signer: &Institution, purpose, manifest_index| {
        let close = v1::BatchClose { header: Some(session.header(&signer.id).await), manifest_index };
        let signed = envelope(payload_type::BATCH_CLOSE, close.encode_to_vec(), &[&signer.key(purpose)]);
        let request = v1::CloseBatchRequest { envelope: Some(signed), want_receipt: true };
        session.of(signer).records().close_batch(request).await
    };
    let other = self::school(&session).await;
    let refused = close(&other, KeyPurpose::Records, manifest_index).await.expect_err("another's batch");
    refused_by("BATCH_OF_ANOTHER", &refused);
    let refused = close(&school, KeyPurpose::Registry, manifest_index).await.expect_err("another purpose");
    refused_by("KEY_PURPOSE_WRONG", &refused);
    let refused = close(&school, KeyPurpose::Records, manifest_index - 1).await.expect_err("no batch");
    refused_by("BATCH_UNKNOWN", &refused);
    close(&school, KeyPurpose::Records, manifest_index).await.expect("a batch closes early");
    let refused = close(&school, KeyPurpose::Records, manifest_index).await.expect_err("closed before");
    refused_by("BATCH_CLOSED", &refused);
    let (_, opening) = BatchStream::open(&session, &school, batch.start()).await.expect("the manifest again");
    assert!(opening.closed && opening.position.unwrap().replayed);
    refused_chunk(&session, &school, &batch, batch.chunk(1), "BATCH_CLOSED").await;
    // A chunk that is in is answered as before, also now.
    let again = one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("a retry").into_inner();
    assert!(again.position.unwrap().replayed);
}

#[tokio::test]
async fn sixteen_batches_are_open_at_once_and_no_more() {
    let session = quiet().await;
    let school = school(&session).await;
    let mut batches = Vec::new();
    for _ in 0..=OPEN_BATCHES_MAX {
        batches.push(RawBatch::of_records(&session, &school, courses(&session, 1).await).await);
    }
    for batch in &batches[..OPEN_BATCHES_MAX] {
        BatchStream::open(&session, &school, batch.start()).await.expect("a batch opens");
    }
    let opened = BatchStream::open(&session, &school, batches[OPEN_BATCHES_MAX].start()).await;
    let Err(status) = opened else { panic!("a seventeenth batch was opened") };
    refused_by("BATCH_LIMIT_REACHED", &status);
    one_chunk(&session, &school, &batches[3], batches[3].chunk(0)).await.expect("one of them is finished");
    BatchStream::open(&session, &school, batches[OPEN_BATCHES_MAX].start())
        .await
        .expect("and another one opens");
}

#[tokio::test]
async fn a_bad_leaf_is_refused_alone_with_its_reason() {
    let session = quiet().await;
    let school = school(&session).await;
    let account = session.account().await.account_ref;
    let mut ids: Vec<Vec<u8>> = (0..8).map(|_| uuid_v7().to_vec()).collect();
    ids.sort();
    let at = |number: usize| {
        let id = ids[number].clone();
        Draft::course(&account).with(|draft| draft.facts.record_id = id)
    };
    let mut header_in_leaf = at(1).leaf();
    let mut facts = v1::RecordFacts::decode(&*header_in_leaf.facts).unwrap();
    facts.header = Some(session.header(&school.id).await);
    header_in_leaf.facts = facts.encode_to_vec();
    let mut not_canonical = at(2).leaf();
    not_canonical.facts.extend([0x88, 1, 1]);
    let mut another_secret = at(3).leaf();
    another_secret.secret = at(3).leaf().secret;
    let mut no_secret = at(4).leaf();
    no_secret.secret = None;
    let mut long = at(6).leaf();
    long.facts.extend(vec![0; LEAF_BYTES_MAX]);
    let leaves = vec![
        at(0).leaf(),
        header_in_leaf,
        not_canonical,
        another_secret,
        no_secret,
        at(5).amount("T_XF", 1).leaf(),
        long,
        at(7).leaf(),
    ];
    let batch = RawBatch::of_leaves(&session, &school, leaves).await;
    let outcome = one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("a chunk").into_inner();
    let refused: Vec<(u32, String)> = outcome
        .refused
        .into_iter()
        .map(|refused| (refused.position, refused.refusal.unwrap().reason))
        .collect();
    let wanted = [
        (1, "FIELD_INVALID"),
        (2, "PAYLOAD_NOT_CANONICAL"),
        (3, "COMMITMENT_MISMATCH"),
        (4, "FIELD_INVALID"),
        (5, "AMOUNT_OFF_STEP"),
        (6, "FIELD_INVALID"),
    ];
    assert_eq!(refused, wanted.map(|(position, reason)| (position, reason.to_owned())));
    assert!(outcome.closed);
    assert_eq!(session.view(&account).await.records, 2);
    // What a batch refused may come again alone.
    session.deposit(&school, &at(5)).await;
}

#[tokio::test]
async fn one_outcome_enters_a_batch_once() {
    let session = quiet().await;
    let school = school(&session).await;
    let account = session.account().await.account_ref;
    let mut same = vec![Draft::of(RecordKind::XCert, &account); 3];
    for draft in &mut same {
        draft.facts.record_id = uuid_v7().to_vec();
    }
    let batch = RawBatch::of_records(&session, &school, same).await;
    let outcome = one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("a chunk").into_inner();
    let reasons: Vec<String> =
        outcome.refused.into_iter().map(|refused| refused.refusal.unwrap().reason).collect();
    assert_eq!(reasons, ["OUTCOME_EXISTS", "OUTCOME_EXISTS"]);
    assert_eq!(session.view(&account).await.records, 1);
}

#[tokio::test]
async fn one_record_id_enters_a_batch_once_whatever_the_account() {
    let session = quiet().await;
    let school = school(&session).await;
    let (one, other) = (session.account().await.account_ref, session.account().await.account_ref);
    let first = Draft::course(&one);
    let second = Draft::course(&other).with(|draft| draft.facts.record_id.clone_from(&first.facts.record_id));
    let batch = RawBatch::of_records(&session, &school, vec![first, second]).await;
    let outcome = one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("a chunk").into_inner();
    let refused: Vec<(u32, String)> = outcome
        .refused
        .into_iter()
        .map(|refused| (refused.position, refused.refusal.unwrap().reason))
        .collect();
    assert_eq!(refused, [(1, "RECORD_EXISTS".to_owned())]);
}

#[tokio::test]
async fn one_person_enters_a_batch_of_openings_once() {
    let session = quiet().await;
    let registrar = &session.world.registrar;
    let person = identity(None);
    let leaf = |person: &v1::AccountIdentity| {
        let sealed = seal_identity(person);
        let opening = v1::AccountOpening {
            header: None,
            assurance: v1::AssuranceLevel::Document.into(),
            identity_commitment: sealed.commitment,
        };
        v1::LeafSubmission { facts: opening.encode_to_vec(), secret: Some(sealed.part) }
    };
    let mut leaves = vec![leaf(&person), leaf(&person), leaf(&identity(None))];
    leaves.sort_by_key(|leaf| credit_log::batch::record_leaf(payload_type::ACCOUNT_OPENING, &leaf.facts));
    let header = session.header(&registrar.id).await;
    let key = registrar.key(KeyPurpose::Registry);
    let batch = RawBatch::sign(header, payload_type::ACCOUNT_OPENING, leaves, &key);
    let outcome = one_chunk(&session, registrar, &batch, batch.chunk(0)).await.expect("a chunk").into_inner();
    assert_eq!((outcome.opened.len(), outcome.refused.len()), (2, 1));
    assert_eq!(outcome.refused[0].refusal.as_ref().unwrap().reason, "ALIAS_EXISTS");
}

#[tokio::test]
async fn a_manifest_is_signed_by_the_key_and_role_that_its_leaves_need() {
    let session = quiet().await;
    let school = school(&session).await;
    let registrar = &session.world.registrar;
    let leaves: Vec<v1::LeafSubmission> = courses(&session, 1).await.iter().map(Draft::leaf).collect();
    let records = payload_type::RECORD_FACTS;
    let openings = payload_type::ACCOUNT_OPENING;
    for (signer, leaf_type, purpose, reason) in [
        (&school, records, KeyPurpose::Registry, "KEY_PURPOSE_WRONG"),
        (registrar, records, KeyPurpose::Records, "ROLE_MISSING"),
        (&school, openings, KeyPurpose::Registry, "ROLE_MISSING"),
        (registrar, openings, KeyPurpose::Records, "KEY_PURPOSE_WRONG"),
        (&school, payload_type::RECORD_DETAILS, KeyPurpose::Records, "FIELD_INVALID"),
    ] {
        let header = session.header(&signer.id).await;
        let batch = RawBatch::sign(header, leaf_type, leaves.clone(), &signer.key(purpose));
        let before = session.size().await;
        match BatchStream::open(&session, signer, batch.start()).await {
            Ok((_, opening)) => panic!("{reason} expected, opened {opening:?}"),
            Err(status) => refused_by(reason, &status),
        };
        assert_eq!(session.size().await, before);
    }
    let mut no_anchor = session.header(&school.id).await;
    no_anchor.anchor = None;
    let batch = RawBatch::sign(no_anchor, records, leaves, &school.key(KeyPurpose::Records));
    match BatchStream::open(&session, &school, batch.start()).await {
        Ok((_, opening)) => panic!("opened {opening:?}"),
        Err(status) => refused_by("ANCHOR_MISSING", &status),
    };
}

#[tokio::test]
async fn a_stream_begins_with_its_manifest_and_has_no_second_one() {
    let session = quiet().await;
    let school = school(&session).await;
    let batch = RawBatch::of_records(&session, &school, courses(&session, 1).await).await;
    let chunk_first = v1::SubmitBatchRequest { step: Some(Step::Chunk(batch.chunk(0))) };
    for first in [chunk_first, v1::SubmitBatchRequest { step: None }] {
        match BatchStream::open(&session, &school, first).await {
            Ok((_, opening)) => panic!("opened {opening:?}"),
            Err(status) => assert_eq!(refused_by("FIELD_INVALID", &status).field, "start"),
        }
    }
    let (mut stream, _) = BatchStream::open(&session, &school, batch.start()).await.expect("a batch opens");
    stream.send(batch.start().step.unwrap()).await;
    let status = stream.end().await.expect_err("a second manifest ends the stream");
    assert_eq!(refused_by("FIELD_INVALID", &status).field, "chunk");
}

#[tokio::test]
async fn a_compromised_key_closes_its_open_batches_to_leaves_and_a_retired_one_does_not() {
    let session = quiet().await;
    for retire in [true, false] {
        let school = Institution::school();
        let admitted = session.admit(&school).await.index;
        let batch = RawBatch::of_records(&session, &school, courses(&session, 66).await).await;
        one_chunk(&session, &school, &batch, batch.chunk(0)).await.expect("the first chunk");
        let records = school.key(KeyPurpose::Records);
        if retire {
            session
                .retire_key(&school, &school.key(KeyPurpose::Keys), &records)
                .await
                .expect("a key retires");
            one_chunk(&session, &school, &batch, batch.chunk(1))
                .await
                .expect("the rest, judged at the manifest");
        } else {
            session.report_key(&school, &records, admitted).await.expect("a key is reported");
            refused_chunk(&session, &school, &batch, batch.chunk(1), "KEY_COMPROMISED").await;
        }
    }
}
