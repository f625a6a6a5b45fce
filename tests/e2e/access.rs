//! Who may do what: nobody, unless a rule says so.

use crate::change::{RawBatch, one_chunk};
use crate::institution::{Institution, now_s};
use crate::session::{Caller, Session, hex, refusal, refused_by};
use crate::shared::busy;
use crate::statement::Draft;
use credit_proto::v1;
use prost::Message as _;
use std::collections::BTreeSet;
use std::fmt::Debug;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Response, Status};

/// What may be called without a token: reads of the log and the registry, and writes whose signatures are all.
const OPEN: [&str; 21] = [
    "/creditbank.v1.LogService/GetCheckpoint",
    "/creditbank.v1.LogService/GetConsistencyProof",
    "/creditbank.v1.LogService/GetInclusionProof",
    "/creditbank.v1.LogService/GetReceipt",
    "/creditbank.v1.LogService/ListEntries",
    "/creditbank.v1.LogService/WatchCheckpoints",
    "/creditbank.v1.RegistryService/AddSigningKey",
    "/creditbank.v1.RegistryService/AdmitInstitution",
    "/creditbank.v1.RegistryService/GetFramework",
    "/creditbank.v1.RegistryService/GetInstitution",
    "/creditbank.v1.RegistryService/GetSigningKey",
    "/creditbank.v1.RegistryService/ListInstitutions",
    "/creditbank.v1.RegistryService/PublishFramework",
    "/creditbank.v1.RegistryService/ReportKeyCompromise",
    "/creditbank.v1.RegistryService/RetireSigningKey",
    "/creditbank.v1.RegistryService/UpgradeProtocol",
    "/creditbank.v1.RuleBookService/ChangeRuleBook",
    "/creditbank.v1.RuleBookService/GetRuleBook",
    "/creditbank.v1.RuleBookService/ListRuleBooks",
    "/creditbank.v1.RuleBookService/PublishRuleBook",
    "/creditbank.v1.RuleBookService/ReadRuleBook",
];

/// Calls any path with an empty message, and hears the first of what may be many answers.
async fn call(session: &Session<'_>, path: &str) -> Result<Option<()>, Status> {
    let mut grpc = tonic::client::Grpc::new(session.channel());
    grpc.ready().await.expect("a connection");
    let path = PathAndQuery::try_from(path.to_owned()).expect("a path");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    grpc.server_streaming(Request::new(()), path, codec).await?.into_inner().message().await
}

/// Every method that the contract has, as the service itself describes it.
fn methods() -> BTreeSet<String> {
    let set = prost_types::FileDescriptorSet::decode(credit_rpc::FILE_DESCRIPTOR_SET).expect("descriptors");
    let services = set.file.iter().flat_map(|file| &file.service);
    services
        .flat_map(|service| {
            let methods = service.method.iter();
            methods.map(|method| format!("/creditbank.v1.{}/{}", service.name(), method.name()))
        })
        .collect()
}

#[tokio::test]
async fn without_a_token_only_what_is_open_answers() {
    let session = busy().await;
    let methods = methods();
    assert_eq!(methods.len(), 45);
    for path in &methods {
        match call(&session, path).await {
            Err(status) if !OPEN.contains(&path.as_str()) => {
                refused_by("TOKEN_MISSING", &status);
                assert_eq!(status.code(), Code::Unauthenticated, "{path}");
            }
            Ok(_) => assert!(OPEN.contains(&path.as_str()), "{path} answered"),
            Err(status) => assert_ne!(status.code(), Code::Unauthenticated, "{path}: {status:?}"),
        }
    }
    for path in OPEN {
        assert!(methods.contains(path), "{path}");
    }
}

#[tokio::test]
async fn a_method_without_a_rule_cannot_be_called() {
    let session = busy().await;
    for path in [
        "/creditbank.v1.AccountService/EraseEverything",
        "/creditbank.v1.Account/GetAccount",
        "/creditbank.v2.AccountService/GetAccount",
        "/creditbank.v1.AccountService/getaccount",
        "/creditbank.v1.LogService/GetCheckpoint/",
        "/grpc.channelz.v1.Channelz/GetServers",
        "/",
    ] {
        let status = call(&session, path).await.expect_err("no such method");
        assert_eq!(status.code(), Code::Unimplemented, "{path}: {status:?}");
        refused_by("NO_SUCH_METHOD", &status);
    }
}

/// What an institution may call: a look-up of its own numbers.
async fn resolve(caller: &Caller) -> Result<Response<v1::ResolveAccountsResponse>, Status> {
    let by = Some(v1::account_query::By::StudentNumber("nobody".to_owned()));
    let request = v1::ResolveAccountsRequest { queries: vec![v1::AccountQuery { by }] };
    caller.accounts().resolve_accounts(request).await
}

#[tokio::test]
async fn another_issuers_record_is_not_there_for_an_institution() {
    let session = busy().await;
    let (account, draft) = deposited(&session).await;
    let other = Institution::school();
    session.admit(&other).await;
    let get = async |caller: Caller, id: &[u8]| {
        let request =
            v1::GetRecordRequest { issuer_id: session.world.school.id.clone(), record_id: id.to_vec() };
        caller.records().get_record(request).await
    };
    let id = draft.facts.record_id;
    let there = refusal("PERMISSION_DENIED", get(session.of(&other), &id).await);
    let missing = refusal("PERMISSION_DENIED", get(session.of(&other), &crate::statement::uuid_v7()).await);
    assert_eq!(there, missing, "who may not read is not told whether it is there");
    let list = async |caller: Caller| {
        let request =
            v1::ListRecordsRequest { account_ref: account.clone(), ..v1::ListRecordsRequest::default() };
        caller.records().list_records(request).await
    };
    assert_eq!(list(session.of(&other)).await.expect("its own: none").into_inner().records.len(), 0);
    assert_eq!(list(session.of(&session.world.school)).await.expect("its own").into_inner().records.len(), 1);
    // Two issuers, one account: each sees its own, the learner both.
    session.deposit(&other, &Draft::course(&account)).await;
    assert_eq!(list(session.of(&other)).await.expect("its own").into_inner().records.len(), 1);
    assert_eq!(list(session.of(&session.world.school)).await.expect("its own").into_inner().records.len(), 1);
    assert_eq!(list(session.learner(&account)).await.expect("one's own").into_inner().records.len(), 2);
}

async fn deposited(session: &Session<'_>) -> (Vec<u8>, Draft) {
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account);
    session.deposit(&session.world.school, &draft).await;
    (account, draft)
}

/// What each kind of caller hears of each kind of read.
#[tokio::test]
async fn reads_are_for_whom_the_table_names() {
    let session = busy().await;
    let (account, draft) = deposited(&session).await;
    let stranger = session.account().await.account_ref;
    let other = Institution::school();
    session.admit(&other).await;
    let world = session.world;
    let (denied, missing) = ("PERMISSION_DENIED", "TOKEN_MISSING");
    // Status, balance, postings, record, records.
    let rows: [(&str, Caller, [&str; 5]); 8] = [
        ("nobody", session.anyone(), [missing; 5]),
        ("the learner", session.learner(&account), [""; 5]),
        ("another learner", session.learner(&stranger), [denied; 5]),
        ("the issuer", session.of(&world.school), [denied, denied, denied, "", ""]),
        ("another issuer", session.of(&other), [denied, denied, denied, denied, ""]),
        ("a registrar", session.of(&world.registrar), ["", "", denied, denied, ""]),
        ("a regulator", session.of(&world.regulator), ["", denied, denied, "", ""]),
        ("an auditor", session.auditor(), [""; 5]),
    ];
    for (who, caller, wanted) in rows {
        let status = v1::GetAccountRequest { account_ref: account.clone() };
        heard(who, wanted[0], caller.accounts().get_account(status).await);
        let balance =
            v1::GetBalanceRequest { account_ref: account.clone(), ..v1::GetBalanceRequest::default() };
        heard(who, wanted[1], caller.accounts().get_balance(balance).await);
        let postings =
            v1::ListPostingsRequest { account_ref: account.clone(), ..v1::ListPostingsRequest::default() };
        heard(who, wanted[2], caller.accounts().list_postings(postings).await);
        let record = v1::GetRecordRequest {
            issuer_id: world.school.id.clone(),
            record_id: draft.facts.record_id.clone(),
        };
        heard(who, wanted[3], caller.records().get_record(record).await);
        let records =
            v1::ListRecordsRequest { account_ref: account.clone(), ..v1::ListRecordsRequest::default() };
        heard(who, wanted[4], caller.records().list_records(records).await);
    }
}

/// A regulator acts with its own token alone: it reads what it has to name, and no more.
#[tokio::test]
async fn a_regulator_reads_what_an_order_has_to_name() {
    let session = busy().await;
    let (account, draft) = deposited(&session).await;
    let (school, regulator) = (&session.world.school, &session.world.regulator);
    let caller = session.of(regulator);
    let record = |record_id: &[u8]| v1::GetRecordRequest {
        issuer_id: school.id.clone(),
        record_id: record_id.to_vec(),
    };
    let seen = caller.records().get_record(record(&draft.facts.record_id)).await.expect("a record");
    let seen = seen.into_inner().record.expect("a record");
    assert_eq!(seen.details, None, "details are not a regulator's");
    let facts = seen.facts.expect("facts");
    assert_eq!((&facts.account_ref, &facts.record_id), (&account, &draft.facts.record_id));
    refusal("RECORD_UNKNOWN", caller.records().get_record(record(&crate::statement::uuid_v7())).await);
    let suspension = v1::RecordStatusChange {
        header: None,
        after: seen.last_status_entry,
        account_ref: facts.account_ref,
        issuer_id: seen.issuer_id,
        record_id: facts.record_id,
        action: v1::RecordAction::Suspend.into(),
        reason: v1::StatusReason::Investigation.into(),
        order_ref: "order 7".to_owned(),
        effective_from: None,
        explanation_commitment: Vec::new(),
    };
    session.change_record(regulator, suspension).await.expect("a record is suspended");

    let asked = v1::GetAccountRequest { account_ref: account.clone() };
    let seen = caller.accounts().get_account(asked).await.expect("an account").into_inner();
    let suspension = v1::AccountStatusChange {
        header: None,
        after: seen.account.expect("an account").last_status_entry,
        account_ref: account.clone(),
        action: v1::AccountAction::Suspend.into(),
        reason: v1::StatusReason::Investigation.into(),
        order_ref: "order 8".to_owned(),
        explanation_commitment: Vec::new(),
    };
    let suspended = session.change_account(regulator, v1::KeyPurpose::Status, suspension).await;
    suspended.expect("an account is suspended");
    assert_eq!(session.view(&account).await.status(), v1::AccountStatus::Suspended);
}

/// Checks that a call was answered, or refused for a reason.
fn heard<T: Debug>(who: &str, reason: &str, outcome: Result<Response<T>, Status>) {
    if reason.is_empty() {
        assert!(outcome.is_ok(), "{who}: {outcome:?}");
    } else {
        refusal(reason, outcome);
    }
}

#[tokio::test]
async fn accounts_that_are_not_there_are_told_only_to_who_may_know() {
    let session = busy().await;
    let nowhere = vec![7; 16];
    let get = async |caller: Caller| {
        caller.accounts().get_account(v1::GetAccountRequest { account_ref: nowhere.clone() }).await
    };
    refusal("ACCOUNT_UNKNOWN", get(session.auditor()).await);
    refusal("ACCOUNT_UNKNOWN", get(session.of(&session.world.registrar)).await);
    refusal("ACCOUNT_UNKNOWN", get(session.of(&session.world.regulator)).await);
    refusal("PERMISSION_DENIED", get(session.of(&session.world.school)).await);
    refusal("PERMISSION_DENIED", get(session.learner(&session.account().await.account_ref)).await);
    // A token for an account that is not there tells no more than one for another's.
    refusal("PERMISSION_DENIED", get(session.learner(&nowhere)).await);
    for length in [0, 15, 17] {
        let request = v1::GetAccountRequest { account_ref: vec![7; length] };
        refusal("FIELD_INVALID", session.auditor().accounts().get_account(request).await);
    }
}

#[tokio::test]
async fn an_institution_sends_only_what_it_signs_itself() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let (school, registrar) = (&session.world.school, &session.world.registrar);
    let record = session.submission(school, &Draft::course(&account)).await;
    let opening = session.opening(&crate::statement::identity(None)).await;
    for caller in [session.of(registrar), session.of(&session.world.regulator)] {
        refusal("SIGNER_NOT_CALLER", caller.records().submit_record(record.clone()).await);
    }
    refusal("SIGNER_NOT_CALLER", session.of(school).accounts().open_account(opening).await);
    for caller in [session.learner(&account), session.auditor()] {
        refusal("PERMISSION_DENIED", caller.records().submit_record(record.clone()).await);
    }
    refusal("TOKEN_MISSING", session.anyone().records().submit_record(record.clone()).await);
    // On a stream each record is judged by itself.
    let v1::SubmitRecordRequest { envelope, details, want_receipt } = record.clone();
    let request = v1::SubmitRecordsRequest { envelope, details, want_receipt };
    let stream = session
        .of(registrar)
        .records()
        .submit_records(tokio_stream::iter([request]))
        .await
        .expect("a stream");
    let answer = stream.into_inner().message().await.expect("an answer").expect("an answer");
    match answer.outcome {
        Some(v1::submit_records_response::Outcome::Refusal(refusal)) => {
            assert_eq!(refusal.reason, "SIGNER_NOT_CALLER");
        }
        other => panic!("{other:?}"),
    }
    // The record itself is fine.
    session.send(school, record).await.expect("its own token");
}

#[tokio::test]
async fn parts_of_entries_are_for_auditors() {
    let session = busy().await;
    let (account, _) = deposited(&session).await;
    let list = async |caller: Caller, with_parts| {
        caller.log().list_entries(v1::ListEntriesRequest { start: 0, page_size: 5, with_parts }).await
    };
    let parts = list(session.auditor(), true).await.expect("parts").into_inner().entries;
    assert!(parts.iter().all(|entry| entry.secret.len() == 32 && entry.parts.len() >= 4));
    refusal("TOKEN_MISSING", list(session.anyone(), true).await);
    for caller in
        [session.of(&session.world.school), session.of(&session.world.registrar), session.learner(&account)]
    {
        refusal("PERMISSION_DENIED", list(caller.clone(), true).await);
        let cores = list(caller, false).await.expect("cores").into_inner().entries;
        assert!(cores.iter().all(|entry| entry.secret.is_empty() && entry.parts.is_empty()));
    }
}

#[tokio::test]
async fn a_receipt_opens_what_its_reader_may_see() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let index = session.deposit(&session.world.school, &Draft::course(&account)).await.index;
    let stranger = session.account().await.account_ref;
    let kinds = async |caller: Caller| {
        let answer =
            caller.log().get_receipt(v1::GetReceiptRequest { index }).await.expect("a receipt").into_inner();
        let receipt = answer.receipt.expect("a receipt");
        assert_eq!(session.world.proved(&receipt).0, index);
        receipt.parts.iter().map(|part| part.part[0]).collect::<Vec<u8>>()
    };
    // 1 head, 2 link, 3 statement, 4 event.
    let all = vec![1, 2, 3, 4];
    assert_eq!(kinds(session.auditor()).await, all);
    assert_eq!(kinds(session.of(&session.world.school)).await, all);
    assert_eq!(kinds(session.learner(&account)).await, all);
    assert_eq!(kinds(session.of(&session.world.regulator)).await, all);
    // Even the head says which institution acted about some account.
    for caller in [session.anyone(), session.learner(&stranger), session.of(&session.world.registrar)] {
        let refused = caller.log().get_receipt(v1::GetReceiptRequest { index }).await;
        assert_eq!(refusal("NOT_A_PARTY", refused).code, Code::PermissionDenied);
        // That it is in the log, and its core, are everybody's.
        let proof = v1::GetInclusionProofRequest { index, size: 0 };
        let proof = caller.log().get_inclusion_proof(proof).await.expect("a proof").into_inner();
        let cores = v1::ListEntriesRequest { start: index, page_size: 1, with_parts: false };
        let cores = caller.log().list_entries(cores).await.expect("a core").into_inner().entries;
        assert_eq!(proof.leaf_hash, credit_log::hash::leaf_hash(&cores[0].core));
    }
    // What is about no account is everybody's.
    let answer = session.anyone().log().get_receipt(v1::GetReceiptRequest { index: 0 }).await;
    assert_eq!(answer.expect("a receipt").into_inner().receipt.expect("a receipt").parts.len(), 4);
    let beyond = session.anyone().log().get_receipt(v1::GetReceiptRequest { index: u64::MAX }).await;
    refusal("NOT_FOUND", beyond);
}

/// A chunk holds the records of many: each learner is shown their own part of it and nothing of the others'.
#[tokio::test]
async fn a_learner_sees_nothing_of_others_in_a_shared_entry() {
    let session = busy().await;
    let (one, other) = (session.account().await.account_ref, session.account().await.account_ref);
    let issuer = Institution::school();
    session.admit(&issuer).await;
    let drafts = [&one, &one, &other].map(|account| Draft::course(account)).to_vec();
    let batch = RawBatch::of_records(&session, &issuer, drafts).await;
    let chunk = one_chunk(&session, &issuer, &batch, batch.chunk(0)).await.expect("a chunk").into_inner();
    let index = chunk.position.expect("a position").index;
    let receipt = async |caller: Caller| {
        let answer = caller.log().get_receipt(v1::GetReceiptRequest { index }).await.expect("a receipt");
        answer.into_inner().receipt.expect("a receipt")
    };
    let holds = |bytes: &[u8], account: &[u8]| bytes.windows(account.len()).any(|window| window == account);
    for (own, hidden, records) in [(&one, &other, 2), (&other, &one, 1)] {
        let learner = session.learner(own);
        let parts = receipt(learner.clone()).await.parts;
        let kinds: Vec<u8> = parts.iter().map(|part| part.part[0]).collect();
        assert_eq!(kinds, [vec![1, 2], vec![3; records], vec![4; records]].concat());
        assert!(parts.iter().all(|part| !holds(&part.part, hidden)), "another's account is shown");
        let request = v1::ListPostingsRequest::default();
        let postings =
            learner.accounts().list_postings(request).await.expect("one's own history").into_inner();
        let last = postings.links.last().expect("the chunk's link");
        assert_eq!((last.index, last.events.len()), (index, records));
        assert!(!holds(&postings.encode_to_vec(), hidden));
    }
    let stranger = session.learner(&session.account().await.account_ref);
    refusal("NOT_A_PARTY", stranger.log().get_receipt(v1::GetReceiptRequest { index }).await);
    let all = receipt(session.of(&issuer)).await.parts;
    // A head, two links, three leaves, three deposits, the chunk and the closing.
    assert_eq!(all.len(), 11);
}

/// An institution's own key says nothing of learners and auditors, whatever its token claims.
#[tokio::test]
async fn an_institution_cannot_claim_another_role() {
    let session = busy().await;
    let (account, _) = deposited(&session).await;
    let school = &session.world.school;
    for role in ["auditor", "learner", "registrar", "regulator"] {
        let claims = serde_json::json!({
            "iss": school.id, "aud": session.world.origin, "iat": now_s(), "exp": now_s() + 300,
            "sub": "auditor", "role": role, "account_ref": hex(&account),
        });
        let token = crate::institution::jwt(&school.key(v1::KeyPurpose::Tokens), &claims);
        let caller = session.bearer(&token);
        resolve(&caller).await.expect("the institution itself");
        let request = v1::GetAccountRequest { account_ref: account.clone() };
        refusal("PERMISSION_DENIED", caller.accounts().get_account(request).await);
    }
}
