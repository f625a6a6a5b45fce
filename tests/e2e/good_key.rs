//! Keys as they should be: added, retired, reported; and what a report casts into doubt.

use crate::institution::Institution;
use crate::session::Session;
use crate::shared::busy;
use crate::statement::Draft;
use credit_proto::v1;
use credit_proto::v1::{Bucket, KeyPurpose, RecordAction, RecordStatus};

async fn school(session: &Session<'_>) -> (Institution, u64) {
    let school = Institution::school();
    let admitted = session.admit(&school).await.index;
    (school, admitted)
}

/// The buckets of an account's balance, at an index or now.
async fn buckets(session: &Session<'_>, account: &[u8], at_index: Option<u64>) -> Vec<(Bucket, i64)> {
    let request =
        v1::GetBalanceRequest { account_ref: account.to_vec(), at_index, ..v1::GetBalanceRequest::default() };
    let answer = session.auditor().accounts().get_balance(request).await.expect("a balance").into_inner();
    answer.balance.unwrap().lines.iter().map(|line| (line.bucket(), line.credits_milli)).collect()
}

#[tokio::test]
async fn keys_of_an_institution_have_their_history() {
    let session = busy().await;
    let (school, admitted) = school(&session).await;
    let [records, keys] = [KeyPurpose::Records, KeyPurpose::Keys].map(|purpose| school.key(purpose));
    let second = school.spare_key("second");
    session.add_key(&school, &second, KeyPurpose::Records).await;
    session.retire_key(&school, &keys, &records).await.expect("a key retires");
    session
        .report_key(&school, &second, session.key(&second).await.active_from_index)
        .await
        .expect("a report");
    let old = session.key(&records).await;
    assert_eq!((old.institution_id.as_str(), old.active_from_index), (school.id.as_str(), admitted));
    assert!(old.retired_from_index > Some(admitted) && old.compromised_index.is_none());
    let new = session.key(&second).await;
    assert!(new.active_from_index > admitted && new.retired_from_index.is_none());
    assert_eq!(new.suspect_from_index, Some(new.active_from_index));
    assert!(new.compromised_index > new.suspect_from_index);
    let request = v1::GetInstitutionRequest { institution_id: school.id.clone() };
    let view =
        session.anyone().registry().get_institution(request).await.expect("an institution").into_inner();
    let view = view.institution.unwrap();
    assert_eq!((view.admitted_index, view.keys.len()), (admitted, 8));
    assert_eq!(view.admission.unwrap(), school.admission());
    assert!(view.keys.is_sorted_by_key(|key| key.active_from_index));
    assert_eq!(view.keys.last(), Some(&new));
}

#[tokio::test]
async fn a_report_casts_doubt_on_what_the_key_signed_in_its_range() {
    let session = busy().await;
    let (school, _) = school(&session).await;
    let account = session.account().await.account_ref;
    let early = Draft::course(&account).amount("T_XF", 1_000);
    session.deposit(&school, &early).await;
    let late = Draft::course(&account).amount("T_XF", 2_000);
    let suspect_from = session.deposit(&school, &late).await.index;
    let before = vec![(Bucket::Available, 3_000)];
    assert_eq!(buckets(&session, &account, None).await, before);
    let records = school.key(KeyPurpose::Records);
    let reported = session.report_key(&school, &records, suspect_from).await.expect("a report").into_inner();
    let after = vec![(Bucket::Available, 1_000), (Bucket::KeySuspect, 2_000)];
    assert_eq!(buckets(&session, &account, None).await, after);
    let reported = reported.position.unwrap().index;
    assert_eq!(buckets(&session, &account, Some(reported - 1)).await, before, "the past stays what it was");
    assert_eq!(session.record(&school, &late.facts.record_id).await.bucket(), Bucket::KeySuspect);
    assert_eq!(session.record(&school, &early.facts.record_id).await.bucket(), Bucket::Available);
    // A second report may only widen the range.
    let first = session.record(&school, &early.facts.record_id).await.index;
    session.report_key(&school, &records, first).await.expect("a wider report");
    assert_eq!(buckets(&session, &account, None).await, [(Bucket::KeySuspect, 3_000)]);
}

#[tokio::test]
async fn a_suspect_revocation_reads_as_a_suspension() {
    let session = busy().await;
    let (school, _) = school(&session).await;
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account);
    session.deposit(&school, &draft).await;
    let id = draft.facts.record_id;
    session.record_must(&school, &id, RecordAction::Revoke).await;
    let revoked = session.record(&school, &id).await;
    assert_eq!((revoked.status(), revoked.bucket()), (RecordStatus::Revoked, Bucket::Revoked));
    let status = school.key(KeyPurpose::Status);
    let from = session.key(&status).await.active_from_index;
    session.report_key(&school, &status, from).await.expect("a report");
    let doubtful = session.record(&school, &id).await;
    assert_eq!((doubtful.status(), doubtful.bucket()), (RecordStatus::Suspended, Bucket::Suspended));
    assert_eq!(buckets(&session, &account, None).await, [(Bucket::Suspended, 2_500)]);
}

#[tokio::test]
async fn doubt_reaches_keys_that_a_suspect_key_has_added() {
    let session = busy().await;
    let (school, admitted) = school(&session).await;
    let account = session.account().await.account_ref;
    let planted = school.spare_key("planted");
    session.add_key(&school, &planted, KeyPurpose::Records).await;
    let draft = Draft::course(&account);
    let request = draft.submission(session.header(&school.id).await, &planted);
    session.send(&school, request).await.expect("a record by the new key");
    let keys = school.key(KeyPurpose::Keys);
    session.report_key(&school, &keys, admitted).await.expect("a report");
    assert_eq!(session.record(&school, &draft.facts.record_id).await.bucket(), Bucket::KeySuspect);
    assert_eq!(buckets(&session, &account, None).await, [(Bucket::KeySuspect, 2_500)]);
}

#[tokio::test]
async fn an_account_that_a_suspect_key_opened_is_in_doubt_with_all_it_holds() {
    let session = busy().await;
    let registrar = Institution::registrar();
    session.admit(&registrar).await;
    let sealed = crate::statement::seal_identity(&crate::statement::identity(None));
    let opening = v1::AccountOpening {
        header: Some(session.header(&registrar.id).await),
        assurance: v1::AssuranceLevel::Phone.into(),
        identity_commitment: sealed.commitment,
    };
    let key = registrar.key(KeyPurpose::Registry);
    let payload = prost::Message::encode_to_vec(&opening);
    let signed = crate::statement::envelope(credit_proto::payload_type::ACCOUNT_OPENING, payload, &[&key]);
    let request =
        v1::OpenAccountRequest { envelope: Some(signed), identity: Some(sealed.part), want_receipt: true };
    let opened =
        session.of(&registrar).accounts().open_account(request).await.expect("an account").into_inner();
    let account = opened.account_ref;
    session.deposit(&session.world.school, &Draft::course(&account)).await;
    let from = session.key(&key).await.active_from_index;
    session.report_key(&registrar, &key, from).await.expect("a report");
    assert!(session.view(&account).await.key_suspect);
    assert_eq!(buckets(&session, &account, None).await, [(Bucket::KeySuspect, 2_500)]);
}
