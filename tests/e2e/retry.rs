//! The same again: one statement, one entry, one answer for ever, also after a restart and a kill.

use crate::change::{BatchStream, RawBatch};
use crate::session::{Session, World, refusal};
use crate::statement::{Draft, envelope, identity};
use credit_proto::v1::KeyPurpose;
use credit_proto::{payload_type, v1};
use prost::Message;

fn position(answer: v1::SubmitRecordResponse) -> v1::Position {
    answer.position.expect("a position")
}

#[tokio::test]
async fn a_statement_is_recorded_once_whatever_happens_between() {
    let world = World::start(&[]);
    let session = Session::new(&world).await;
    let account = session.account().await;
    let request = session.submission(&world.school, &Draft::course(&account.account_ref)).await;
    let first = position(session.send(&world.school, request.clone()).await.expect("a record").into_inner());
    assert!(!first.replayed);
    let opening = session.opening(&identity(None)).await;
    let opened =
        session.of(&world.registrar).accounts().open_account(opening.clone()).await.expect("an account");
    let opened = opened.into_inner();
    let drafts = (0..66).map(|_| Draft::course(&account.account_ref)).collect();
    let batch = RawBatch::of_records(&session, &world.school, drafts).await;
    let (mut stream, _) =
        BatchStream::open(&session, &world.school, batch.start()).await.expect("a batch opens");
    let chunk = stream.chunk(batch.chunk(0)).await.expect("a chunk").position.expect("a position");
    session.settled(chunk.index).await;

    for way in ["at once", "after a restart", "after a kill"] {
        match way {
            "after a restart" => world.bank.restart(),
            "after a kill" => {
                world.bank.kill9();
                world.bank.serve();
            }
            _ => {}
        }
        let session = Session::new(&world).await;
        let before = session.size().await;
        let again =
            position(session.send(&world.school, request.clone()).await.expect("a retry").into_inner());
        assert!(again.replayed, "{way}");
        assert_eq!((again.index, &again.leaf_hash), (first.index, &first.leaf_hash), "{way}");
        session.world.proved(again.receipt.as_ref().expect("a receipt"));
        let reopened =
            session.of(&world.registrar).accounts().open_account(opening.clone()).await.expect("a retry");
        let reopened = reopened.into_inner();
        assert!(reopened.position.as_ref().expect("a position").replayed, "{way}");
        let told =
            |answer: &v1::OpenAccountResponse| (answer.account_ref.clone(), answer.account_number.clone());
        assert_eq!(told(&reopened), told(&opened), "{way}");
        let (mut stream, opening) =
            BatchStream::open(&session, &world.school, batch.start()).await.expect("the batch again");
        assert_eq!((opening.next_chunk, opening.closed), (1, false), "{way}");
        let lost = stream.chunk(batch.chunk(0)).await.expect("a retry").position.expect("a position");
        assert_eq!(
            (lost.index, lost.replayed, lost.leaf_hash),
            (chunk.index, true, chunk.leaf_hash.clone()),
            "{way}"
        );
        assert_eq!(session.size().await, before, "{way}: the log grew");
    }
    assert!(world.bank.stop().success());
}

#[tokio::test]
async fn an_id_stands_for_one_statement() {
    let session = crate::shared::quiet().await;
    let school = &session.world.school;
    let account = session.account().await.account_ref;
    let key = school.key(KeyPurpose::Records);
    let header = session.header(&school.id).await;
    let draft = Draft::course(&account);
    let first =
        session.send(school, draft.submission(header.clone(), &key)).await.expect("a record").into_inner();
    let index = position(first).index;
    // Another record, another commitment to the same record, another kind of statement: all under the same id.
    let other = Draft::course(&account).submission(header.clone(), &key);
    let salted = draft.submission(header.clone(), &key);
    for request in [other, salted] {
        let refused = session.refused("COMMAND_ID_REUSED", session.send(school, request)).await;
        assert_eq!(refused.index, Some(index));
    }
    let change = v1::RecordStatusChange {
        header: Some(header.clone()),
        ..session.record_change(school, &draft.facts.record_id, v1::RecordAction::Revoke).await
    };
    let signed = envelope(
        payload_type::RECORD_STATUS_CHANGE,
        change.encode_to_vec(),
        &[&school.key(KeyPurpose::Status)],
    );
    let request =
        v1::ChangeRecordStatusRequest { envelope: Some(signed), explanation: None, want_receipt: true };
    let mut records = session.of(school).records();
    let refused = session.refused("COMMAND_ID_REUSED", records.change_record_status(request)).await;
    assert_eq!(refused.index, Some(index));
    // Ids are each signer's own.
    let neighbour = crate::institution::Institution::school();
    session.admit(&neighbour).await;
    let theirs = v1::StatementHeader { signer_id: neighbour.id.clone(), ..header };
    let request = Draft::course(&account).submission(theirs, &neighbour.key(KeyPurpose::Records));
    assert!(!position(session.send(&neighbour, request).await.expect("a record").into_inner()).replayed);
}

/// Sixty-four times at once: one entry, sixty-four equal answers.
#[tokio::test]
async fn a_statement_that_is_sent_many_times_at_once_is_recorded_once() {
    let session = crate::shared::quiet().await;
    let school = &session.world.school;
    let account = session.account().await.account_ref;
    let request = session.submission(school, &Draft::course(&account)).await;
    let before = session.size().await;
    let caller = session.of(school);
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let (mut stub, request) = (caller.records(), request.clone());
            tokio::spawn(async move { stub.submit_record(request).await.expect("an answer").into_inner() })
        })
        .collect();
    let mut new = 0;
    let mut leaves = std::collections::BTreeSet::new();
    for call in calls {
        let position = position(call.await.expect("a call ends"));
        new += u32::from(!position.replayed);
        leaves.insert((position.index, position.leaf_hash));
    }
    assert_eq!((new, leaves.len()), (1, 1));
    assert_eq!(session.size().await, before + 1);
}

/// The same outcome under sixty-four ids at once: one is taken.
#[tokio::test]
async fn one_outcome_that_is_sent_under_many_ids_at_once_is_taken_once() {
    let session = crate::shared::quiet().await;
    let school = &session.world.school;
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account);
    let mut requests = Vec::new();
    for _ in 0..64 {
        let again = draft.clone().with(|draft| draft.facts.record_id = crate::statement::uuid_v7().to_vec());
        requests.push(session.submission(school, &again).await);
    }
    let caller = session.of(school);
    let calls: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let mut stub = caller.records();
            tokio::spawn(async move { stub.submit_record(request).await })
        })
        .collect();
    let mut taken = 0;
    for call in calls {
        match call.await.expect("a call ends") {
            Ok(_) => taken += 1,
            refused => assert_eq!(refusal("OUTCOME_EXISTS", refused).field, ""),
        }
    }
    assert_eq!(taken, 1);
    assert_eq!(session.view(&account).await.records, 1);
}

/// One person at sixty-four counters at once: one account.
#[tokio::test]
async fn one_person_who_is_sent_many_times_at_once_gets_one_account() {
    let session = crate::shared::quiet().await;
    let person = identity(None);
    let mut requests = Vec::new();
    for _ in 0..64 {
        requests.push(session.opening(&person).await);
    }
    let before = session.size().await;
    let caller = session.of(&session.world.registrar);
    let calls: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let mut stub = caller.accounts();
            tokio::spawn(async move { stub.open_account(request).await })
        })
        .collect();
    let mut opened = 0;
    for call in calls {
        match call.await.expect("a call ends") {
            Ok(_) => opened += 1,
            refused => assert_eq!(refusal("ALIAS_EXISTS", refused).index, None),
        }
    }
    assert_eq!(opened, 1);
    assert_eq!(session.size().await, before + 1);
}

/// Two connections bring the same batch at once: each chunk is one entry, whoever brought it first.
#[tokio::test]
async fn a_batch_that_two_bring_at_once_is_recorded_once() {
    let session = crate::shared::quiet().await;
    let school = crate::institution::Institution::school();
    session.admit(&school).await;
    let account = session.account().await.account_ref;
    let drafts = (0..320).map(|_| Draft::course(&account)).collect();
    let batch = RawBatch::of_records(&session, &school, drafts).await;
    let before = session.size().await;
    let bring = async || {
        let session = Session::new(session.world).await;
        let opened = BatchStream::open(&session, &school, batch.start()).await;
        let (mut stream, _) = opened.expect("the batch opens for both");
        let mut entries = Vec::new();
        for chunk in 0..batch.chunks() {
            let outcome = stream.chunk(batch.chunk(chunk)).await.expect("a chunk");
            assert!(outcome.refused.is_empty());
            let position = outcome.position.expect("a position");
            entries.push((position.index, position.leaf_hash));
        }
        stream.end().await.expect("the stream ends well");
        entries
    };
    let (one, other) = tokio::join!(bring(), bring());
    assert_eq!(one, other);
    let last = one.last().expect("chunks").0;
    assert_eq!(session.settled(last).await, before + 6, "a manifest and five chunks");
    assert_eq!(session.view(&account).await.records, 320);
}
