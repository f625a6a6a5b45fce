//! Batches as they should be: many records under one signature, gone on with after any interruption.

use crate::change::{BatchStream, RawBatch};
use crate::client::{amount, client_of, new_account, new_record};
use crate::institution::Institution;
use crate::session::Session;
use crate::shared::busy;
use crate::statement::Draft;
use credit_client::{BatchOptions, BatchPlan, LeafOutcome};
use credit_proto::v1;
use credit_types::{AccountRef, Reason, RecordKind};
use std::collections::BTreeSet;

/// An issuer of its own, so that its open batches are its own.
async fn school(session: &Session<'_>) -> Institution {
    let school = Institution::school();
    session.admit(&school).await;
    school
}

#[tokio::test]
async fn two_hundred_records_enter_in_four_chunks_but_for_the_refused_one() {
    let session = busy().await;
    let issuer = school(&session).await;
    let registrar = client_of(session.world, &session.world.registrar);
    let mut accounts = Vec::new();
    for _ in 0..5 {
        accounts.push(registrar.open_account(&new_account(None)).await.expect("an account").account_ref);
    }
    let mut records: Vec<_> =
        (0..200).map(|n| new_record(RecordKind::FormalCourse, accounts[n % 5])).collect();
    records[100].amount = Some(amount(1));
    let client = client_of(session.world, &issuer);
    let plan = client.plan_records(records.clone()).await.expect("a plan");
    assert_eq!((plan.leaf_count(), plan.chunk_count()), (200, 4));
    let mut told = Vec::new();
    let report = client
        .submit_batch(&plan, BatchOptions::default(), &mut |progress| told.push(progress))
        .await
        .expect("a batch");
    assert!(report.closed && report.verified);
    assert_eq!((report.outcomes.len(), report.chunks.len()), (200, 4));
    for (number, outcome) in report.outcomes.iter().enumerate() {
        match outcome {
            LeafOutcome::Accepted { opened, .. } => assert!(number != 100 && opened.is_none(), "{number}"),
            LeafOutcome::Refused { refusal, .. } => {
                assert_eq!((number, refusal.known()), (100, Some(Reason::AmountOffStep)));
            }
        }
    }
    for (n, account) in accounts.iter().enumerate() {
        let records = session.view(account.as_bytes()).await.records;
        assert_eq!(records, if n == 0 { 39 } else { 40 });
    }
    // The same plan again, also from its bytes: answered as before, nothing is written.
    let kept = BatchPlan::from_bytes(&plan.to_bytes()).expect("a plan that was kept");
    let again = client.submit_batch(&kept, BatchOptions::default(), &mut |_| {}).await.expect("a retry");
    assert!(again.chunks.iter().all(|chunk| chunk.replayed) && again.manifest.replayed);
    assert_eq!(again.outcomes, report.outcomes);
}

/// By raw messages: the connection breaks between two chunks, and another one goes on.
#[tokio::test]
async fn a_broken_batch_goes_on_where_it_was() {
    let session = busy().await;
    let issuer = school(&session).await;
    let account = session.account().await.account_ref;
    let drafts = (0..200).map(|_| Draft::course(&account)).collect();
    let batch = RawBatch::of_records(&session, &issuer, drafts).await;
    assert_eq!(batch.chunks(), 4);
    let (mut stream, opening) =
        BatchStream::open(&session, &issuer, batch.start()).await.expect("a batch opens");
    let manifest = opening.position.expect("a position");
    assert_eq!((opening.next_chunk, opening.closed, manifest.replayed), (0, false, false));
    let mut entries = BTreeSet::new();
    for chunk in 0..2 {
        let outcome = stream.chunk(batch.chunk(chunk)).await.expect("a chunk");
        assert_eq!((outcome.chunk, outcome.closed, outcome.refused.len()), (chunk, false, 0));
        entries.insert(outcome.position.expect("a position").index);
    }
    drop(stream);

    let elsewhere = Session::new(session.world).await;
    let (mut stream, opening) =
        BatchStream::open(&elsewhere, &issuer, batch.start()).await.expect("it opens again");
    let again = opening.position.expect("a position");
    assert_eq!((opening.next_chunk, opening.closed), (2, false));
    assert_eq!((again.index, again.leaf_hash, again.replayed), (manifest.index, manifest.leaf_hash, true));
    // A chunk whose answer was lost is answered again.
    let lost = stream.chunk(batch.chunk(1)).await.expect("a retry").position.expect("a position");
    assert!(lost.replayed && entries.contains(&lost.index));
    for chunk in 2..4 {
        let outcome = stream.chunk(batch.chunk(chunk)).await.expect("a chunk");
        assert_eq!(outcome.closed, chunk == 3);
        entries.insert(outcome.position.expect("a position").index);
    }
    stream.end().await.expect("the stream ends well");
    assert_eq!(entries.len(), 4);
    assert_eq!(session.view(&account).await.records, 200);
}

/// Chunks may be sent ahead of their answers; the answers keep their order.
#[tokio::test]
async fn chunks_that_are_sent_ahead_are_answered_in_order() {
    let session = busy().await;
    let issuer = school(&session).await;
    let account = session.account().await.account_ref;
    let drafts = (0..500).map(|_| Draft::course(&account)).collect();
    let batch = RawBatch::of_records(&session, &issuer, drafts).await;
    let mut requests = vec![batch.start()];
    requests.extend((0..batch.chunks()).map(|chunk| {
        let step = v1::submit_batch_request::Step::Chunk(batch.chunk(chunk));
        v1::SubmitBatchRequest { step: Some(step) }
    }));
    let answer =
        session.of(&issuer).records().submit_batch(tokio_stream::iter(requests)).await.expect("a stream");
    let mut answers = answer.into_inner();
    let mut chunks = Vec::new();
    while let Some(answer) = answers.message().await.expect("an answer") {
        if let Some(v1::submit_batch_response::Step::Chunk(outcome)) = answer.step {
            assert!(outcome.refused.is_empty());
            chunks.push((outcome.chunk, outcome.closed));
        }
    }
    assert_eq!(chunks, (0..8).map(|chunk| (chunk, chunk == 7)).collect::<Vec<_>>());
    assert_eq!(session.view(&account).await.records, 500);
}

#[tokio::test]
async fn a_batch_opens_accounts() {
    let session = busy().await;
    let school = &session.world.school;
    let registrar = client_of(session.world, &session.world.registrar);
    let mark = crate::statement::unique("B-");
    let numbers: Vec<String> = (0..70).map(|n| format!("{mark}-{n}")).collect();
    let people: Vec<_> = numbers.iter().map(|number| new_account(Some((school, number)))).collect();
    let plan = registrar.plan_openings(people).await.expect("a plan");
    let report = registrar.submit_batch(&plan, BatchOptions::default(), &mut |_| {}).await.expect("a batch");
    let mut refs: Vec<AccountRef> = Vec::new();
    let mut told = BTreeSet::new();
    for outcome in &report.outcomes {
        match outcome {
            LeafOutcome::Accepted { opened: Some((account, number)), .. } => {
                assert_eq!((number.len(), number.bytes().all(|digit| digit.is_ascii_digit())), (16, true));
                told.insert(number.clone());
                refs.push(*account);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told.len(), 70);
    // The school finds them by its own numbers, in the order of its questions; nobody else does.
    let queries: Vec<_> = numbers.into_iter().map(credit_client::AccountQuery::StudentNumber).collect();
    let found = client_of(session.world, school).resolve_accounts(&queries).await.expect("accounts");
    assert_eq!(found, refs.into_iter().map(Some).collect::<Vec<_>>());
    let stranger = self::school(&session).await;
    let found = client_of(session.world, &stranger).resolve_accounts(&queries).await.expect("accounts");
    assert!(found.iter().all(Option::is_none));
    let numbers: Vec<_> = told.into_iter().map(credit_client::AccountQuery::AccountNumber).collect();
    let found = client_of(session.world, &stranger).resolve_accounts(&numbers).await.expect("accounts");
    assert!(found.iter().all(Option::is_some), "a learner who shows their number is found");
}
