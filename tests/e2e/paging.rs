//! Lists page by page: complete, in order, by tokens that nobody can make up or take elsewhere.

use crate::change::{BatchStream, RawBatch};
use crate::institution::Institution;
use crate::session::{Caller, Session, refusal};
use crate::shared::busy;
use crate::statement::Draft;
use credit_proto::v1;
use std::collections::BTreeSet;
use tonic::{Response, Status};

async fn records(
    caller: &Caller,
    account: &[u8],
    page_size: u32,
    page_token: &str,
) -> Result<Response<v1::ListRecordsResponse>, Status> {
    let request = v1::ListRecordsRequest {
        account_ref: account.to_vec(),
        page_size,
        page_token: page_token.to_owned(),
        with_details: true,
    };
    caller.records().list_records(request).await
}

async fn postings(
    caller: &Caller,
    account: &[u8],
    page_size: u32,
    page_token: &str,
) -> Result<Response<v1::ListPostingsResponse>, Status> {
    let request = v1::ListPostingsRequest {
        account_ref: account.to_vec(),
        page_size,
        page_token: page_token.to_owned(),
    };
    caller.accounts().list_postings(request).await
}

/// An account with so many courses.
async fn filled(session: &Session<'_>, count: usize) -> (Vec<u8>, BTreeSet<Vec<u8>>) {
    let account = session.account().await.account_ref;
    let mut ids = BTreeSet::new();
    for _ in 0..count {
        let draft = Draft::course(&account);
        session.deposit(&session.world.school, &draft).await;
        ids.insert(draft.facts.record_id);
    }
    (account, ids)
}

#[tokio::test]
async fn pages_of_any_size_make_the_whole_list_of_records() {
    let session = busy().await;
    let (account, ids) = filled(&session, 7).await;
    let auditor = session.auditor();
    for size in [1, 2, 3, 6, 7, 8, 1_000, 1_001, u32::MAX, 0] {
        let (mut found, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = records(&auditor, &account, size, &token).await.expect("a page").into_inner();
            let most = if size == 0 { 50 } else { usize::try_from(size).unwrap() };
            assert!(page.records.len() <= most.min(1_000));
            assert!(page.records.iter().all(|record| record.details.is_some()));
            found.extend(page.records.into_iter().map(|record| record.facts.unwrap().record_id));
            pages += 1;
            assert!(pages <= 8, "the list does not end");
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, ids.iter().cloned().collect::<Vec<_>>(), "page size {size}");
    }
}

/// More than a thousand is asked for, a thousand is given: the one limit that does not refuse.
#[tokio::test]
async fn a_page_has_at_most_a_thousand_records() {
    let session = busy().await;
    let issuer = Institution::school();
    session.admit(&issuer).await;
    let account = session.account().await.account_ref;
    let drafts = (0..1_001).map(|_| Draft::course(&account)).collect();
    let batch = RawBatch::of_records(&session, &issuer, drafts).await;
    let (mut stream, _) = BatchStream::open(&session, &issuer, batch.start()).await.expect("a batch opens");
    for chunk in 0..batch.chunks() {
        assert!(stream.chunk(batch.chunk(chunk)).await.expect("a chunk").refused.is_empty());
    }
    let caller = session.learner(&account);
    for size in [1_000, 1_001, u32::MAX] {
        let page = records(&caller, &account, size, "").await.expect("a page").into_inner();
        assert_eq!(page.records.len(), 1_000, "{size}");
        let rest =
            records(&caller, &account, size, &page.next_page_token).await.expect("a page").into_inner();
        assert_eq!((rest.records.len(), rest.next_page_token.as_str()), (1, ""), "{size}");
    }
}

#[tokio::test]
async fn pages_of_one_make_the_whole_history_gap_free() {
    let session = busy().await;
    let (account, _) = filled(&session, 5).await;
    let learner = session.learner(&account);
    for size in [1, 4, 1_001] {
        let (mut links, mut token) = (Vec::new(), String::new());
        loop {
            let page = postings(&learner, &[], size, &token).await.expect("a page").into_inner();
            links.extend(page.links);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let sequences: Vec<u64> = links.iter().map(|entry| entry.link.as_ref().unwrap().sequence).collect();
        assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
        assert!(links.is_sorted_by_key(|entry| (entry.index, entry.recorded_at_us)));
        assert!(links[0].events[0].account_opened.is_some());
        assert!(links[0].link.as_ref().unwrap().previous.is_empty());
        for pair in links.windows(2) {
            let previous = &pair[1].link.as_ref().unwrap().previous;
            let request = v1::GetInclusionProofRequest { index: pair[0].index, size: 0 };
            let proof =
                session.anyone().log().get_inclusion_proof(request).await.expect("a proof").into_inner();
            assert_eq!(*previous, proof.leaf_hash, "each link names the entry before");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_list_and_reader_only() {
    let session = busy().await;
    let (account, _) = filled(&session, 3).await;
    let (other, _) = filled(&session, 3).await;
    let (auditor, school) = (session.auditor(), session.of(&session.world.school));
    let of_records = records(&auditor, &account, 1, "").await.expect("a page").into_inner().next_page_token;
    let of_postings = postings(&auditor, &account, 1, "").await.expect("a page").into_inner().next_page_token;
    records(&auditor, &account, 2, &of_records).await.expect("its own list, also by other page sizes");
    let foreign = |field: &str| assert_eq!(field, "page_token");
    foreign(&refusal("FIELD_INVALID", records(&auditor, &other, 1, &of_records).await).field);
    foreign(&refusal("FIELD_INVALID", records(&auditor, &account, 1, &of_postings).await).field);
    foreign(&refusal("FIELD_INVALID", postings(&auditor, &account, 1, &of_records).await).field);
    foreign(&refusal("FIELD_INVALID", postings(&auditor, &other, 1, &of_postings).await).field);
    foreign(&refusal("FIELD_INVALID", records(&school, &account, 1, &of_records).await).field);
    let mut bent = of_records.clone().into_bytes();
    for at in 0..bent.len() {
        let was = bent[at];
        bent[at] = if was == b'0' { b'1' } else { b'0' };
        let text = String::from_utf8(bent.clone()).unwrap();
        foreign(&refusal("FIELD_INVALID", records(&auditor, &account, 1, &text).await).field);
        bent[at] = was;
    }
    for text in [
        "0",
        "zz",
        "'; drop table records",
        &of_records[2..],
        &format!("{of_records}00"),
        &"0".repeat(10_000),
    ] {
        foreign(&refusal("FIELD_INVALID", records(&auditor, &account, 1, text).await).field);
    }
    // A learner's page of another's account is refused before the token is looked at.
    let learner = session.learner(&other);
    refusal("PERMISSION_DENIED", records(&learner, &account, 1, &of_records).await);
}

#[tokio::test]
async fn a_page_is_authorised_again() {
    let session = busy().await;
    let (account, _) = filled(&session, 2).await;
    let token =
        records(&session.auditor(), &account, 1, "").await.expect("a page").into_inner().next_page_token;
    refusal("TOKEN_MISSING", records(&session.anyone(), &account, 1, &token).await);
}

#[tokio::test]
async fn what_is_added_meanwhile_does_not_disturb_a_list() {
    let session = busy().await;
    let (account, _) = filled(&session, 3).await;
    let auditor = session.auditor();
    let first = records(&auditor, &account, 2, "").await.expect("a page").into_inner();
    session.deposit(&session.world.school, &Draft::course(&account)).await;
    let rest = records(&auditor, &account, 1_000, &first.next_page_token).await.expect("a page").into_inner();
    let ids: Vec<Vec<u8>> =
        first.records.into_iter().chain(rest.records).map(|record| record.facts.unwrap().record_id).collect();
    assert!(ids.is_sorted_by(|one, next| one < next));
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn institutions_are_listed_by_id() {
    let session = busy().await;
    for _ in 0..3 {
        session.admit(&Institution::school()).await;
    }
    let mut registry = session.anyone().registry();
    let (mut ids, mut token): (Vec<String>, String) = (Vec::new(), String::new());
    loop {
        let request = v1::ListInstitutionsRequest { page_size: 2, page_token: token };
        let page = registry.list_institutions(request).await.expect("a page").into_inner();
        assert!(page.institutions.len() <= 2);
        ids.extend(page.institutions.into_iter().map(|view| view.admission.unwrap().institution_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert!(ids.is_sorted_by(|one, next| one < next));
    assert!(ids.contains(&session.world.school.id) && ids.len() >= 6);
    let most = v1::ListInstitutionsRequest { page_size: 201, page_token: String::new() };
    assert!(registry.list_institutions(most).await.expect("a page").into_inner().institutions.len() <= 200);
}

#[tokio::test]
async fn entries_are_listed_to_the_head_and_not_beyond() {
    let session = busy().await;
    let size = session.size().await;
    let list = async |start, page_size| {
        let request = v1::ListEntriesRequest { start, page_size, with_parts: false };
        session.anyone().log().list_entries(request).await
    };
    let (mut start, mut indexes) = (0, Vec::new());
    while start < size {
        let page = list(start, 3).await.expect("a page").into_inner();
        assert!((1..=3).contains(&page.entries.len()));
        for entry in page.entries {
            let core: v1::EntryCore = prost::Message::decode(&*entry.core).expect("a core");
            assert!(entry.secret.is_empty() && entry.parts.is_empty());
            indexes.push(core.index);
        }
        assert_eq!(page.next_start, u64::try_from(indexes.len()).unwrap());
        start = page.next_start;
    }
    assert!(indexes.is_sorted_by(|one, next| one + 1 == *next));
    refusal("FIELD_INVALID", list(u64::MAX, 1).await);
    let all = list(0, u32::MAX).await.expect("a page").into_inner();
    assert!(all.entries.len() <= 1_000);
}
