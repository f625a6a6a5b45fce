//! Statements signed by the wrong key, for the wrong log, at the wrong head.

use crate::institution::{Institution, PURPOSES};
use crate::session::{Session, refusal};
use crate::shared::quiet;
use crate::statement::{Draft, envelope, identity, uuid_v7};
use credit_log::envelope::SigningKey;
use credit_proto::v1::{KeyPurpose, Role};
use credit_proto::{payload_type, v1};
use prost::Message;
use tonic::{Code, Response, Status};

/// Sends a course of the school's under a header, signed by any key, with the school's token.
async fn signed_by(
    session: &Session<'_>,
    header: v1::StatementHeader,
    key: &SigningKey,
) -> Result<Response<v1::SubmitRecordResponse>, Status> {
    let account = session.account().await.account_ref;
    let request = Draft::course(&account).submission(header, key);
    session.send(&session.world.school, request).await
}

/// Refuses a course of an institution signed by any key; the account is opened before the log's size is taken.
async fn refused_key(session: &Session<'_>, school: &Institution, key: &SigningKey, reason: &str) {
    let account = session.account().await.account_ref;
    let header = session.header(&school.id).await;
    let request = Draft::course(&account).submission(header, key);
    let refused = session.refused(reason, session.send(school, request)).await;
    assert_eq!(refused.code, Code::PermissionDenied);
}

#[tokio::test]
async fn only_a_records_key_of_the_issuer_signs_a_record() {
    let session = quiet().await;
    let school = &session.world.school;
    let other = Institution::school();
    session.admit(&other).await;
    refused_key(&session, school, &school.spare_key("nobody's"), "KEY_UNKNOWN").await;
    refused_key(&session, school, &other.key(KeyPurpose::Records), "KEY_OF_ANOTHER").await;
    refused_key(&session, school, &session.world.authority()[0], "KEY_OF_ANOTHER").await;
    for purpose in PURPOSES.into_iter().filter(|purpose| *purpose != KeyPurpose::Records) {
        refused_key(&session, school, &school.key(purpose), "KEY_PURPOSE_WRONG").await;
    }
}

#[tokio::test]
async fn a_retired_key_signs_nothing_more() {
    let session = quiet().await;
    let school = Institution::school();
    session.admit(&school).await;
    let account = session.account().await.account_ref;
    let before = session.deposit(&school, &Draft::course(&account)).await;
    let [keys, records] = [KeyPurpose::Keys, KeyPurpose::Records].map(|purpose| school.key(purpose));
    let retired = session.retire_key(&school, &keys, &records).await.expect("a key retires").into_inner();
    refused_key(&session, &school, &records, "KEY_RETIRED").await;
    let second = school.spare_key("second");
    session.add_key(&school, &second, KeyPurpose::Records).await;
    let header = session.header(&school.id).await;
    let request = Draft::course(&account).submission(header, &second);
    session.send(&school, request).await.expect("the new key signs");
    // What the retired key signed stays, and retiring it again changes nothing.
    let kept = session.record_at(&school, before.index, &account).await;
    assert_eq!(kept.status, i32::from(v1::RecordStatus::Valid));
    let again = session.retire_key(&school, &keys, &records);
    let refused = session.refused("KEY_RETIRED", again).await;
    assert_eq!(
        (refused.field.as_str(), refused.index),
        ("kid", retired.position.map(|position| position.index))
    );
}

#[tokio::test]
async fn a_compromised_key_signs_nothing_more() {
    let session = quiet().await;
    let school = Institution::school();
    let admitted = session.admit(&school).await.index;
    let records = school.key(KeyPurpose::Records);
    for (from, reason) in
        [(admitted - 1, "SUSPECT_BEFORE_ACTIVATION"), (admitted + 1_000, "SUSPECT_IN_FUTURE")]
    {
        let refused = session.refused(reason, session.report_key(&school, &records, from)).await;
        assert_eq!(refused.field, "suspect_from_index");
    }
    session.report_key(&school, &records, admitted).await.expect("a key is reported");
    refused_key(&session, &school, &records, "KEY_COMPROMISED").await;
    let again = session.report_key(&school, &records, admitted);
    session.refused("KEY_COMPROMISED", again).await;
    let unknown = school.spare_key("never added");
    session.refused("KEY_NOT_FOUND", session.report_key(&school, &unknown, admitted)).await;
}

#[tokio::test]
async fn a_statement_is_for_one_log() {
    let session = quiet().await;
    let school = &session.world.school;
    let key = school.key(KeyPurpose::Records);
    let mut other_log = session.header(&school.id).await;
    other_log.log_id[0] ^= 1;
    refusal("LOG_ID_MISMATCH", signed_by(&session, other_log, &key).await);
    for (bytes, reason) in [(31, "FIELD_INVALID"), (0, "FIELD_INVALID")] {
        let mut short = session.header(&school.id).await;
        short.log_id.truncate(bytes);
        refusal(reason, signed_by(&session, short, &key).await);
    }
    // A UUID of another version is no statement_id.
    let mut fourth = session.header(&school.id).await;
    fourth.statement_id[6] = 0x40;
    assert!(
        refusal("FIELD_INVALID", signed_by(&session, fourth, &key).await).field.ends_with("statement_id")
    );
}

#[tokio::test]
async fn an_anchor_names_a_head_that_this_log_has_had() {
    let session = quiet().await;
    let registrar = &session.world.registrar;
    let key = registrar.key(KeyPurpose::Registry);
    let head = session.head().await;
    let at = |size: u64, root: &[u8]| Some(v1::Anchor { size, root: root.to_vec() });
    let mut other_root = head.root;
    other_root[31] ^= 1;
    let cases = [
        (None, "ANCHOR_MISSING"),
        (at(head.size + 1_000, &head.root), "ANCHOR_UNKNOWN"),
        (at(u64::MAX, &head.root), "ANCHOR_UNKNOWN"),
        (at(head.size, &other_root), "ANCHOR_FORGED"),
        (at(head.size - 1, &head.root), "ANCHOR_FORGED"),
        (at(head.size, &head.root[..31]), "FIELD_INVALID"),
        (at(0, &head.root), "FIELD_INVALID"),
    ];
    for (anchor, reason) in cases {
        let request = session.opening(&identity(None)).await;
        let mut signed = v1::AccountOpening::decode(&*request.envelope.unwrap().payload).unwrap();
        signed.header.as_mut().unwrap().anchor = anchor;
        let envelope = envelope(payload_type::ACCOUNT_OPENING, signed.encode_to_vec(), &[&key]);
        let request =
            v1::OpenAccountRequest { envelope: Some(envelope), ..session_identity(request.identity) };
        session.refused(reason, session.of(registrar).accounts().open_account(request)).await;
    }
    // Size 1 is a head like any other: entry 0 alone, whose leaf hash is the log's id.
    let request = session.opening(&identity(None)).await;
    let mut signed = v1::AccountOpening::decode(&*request.envelope.unwrap().payload).unwrap();
    signed.header.as_mut().unwrap().anchor = at(1, &session.world.log_id);
    let envelope = envelope(payload_type::ACCOUNT_OPENING, signed.encode_to_vec(), &[&key]);
    let request = v1::OpenAccountRequest { envelope: Some(envelope), ..session_identity(request.identity) };
    session.of(registrar).accounts().open_account(request).await.expect("the first head is a head");
}

fn session_identity(identity: Option<v1::SecretPart>) -> v1::OpenAccountRequest {
    v1::OpenAccountRequest { envelope: None, identity, want_receipt: true }
}

#[tokio::test]
async fn a_single_record_may_do_without_an_anchor() {
    let session = quiet().await;
    let school = &session.world.school;
    let header = v1::StatementHeader { anchor: None, ..session.header(&school.id).await };
    signed_by(&session, header, &school.key(KeyPurpose::Records)).await.expect("a record without an anchor");
    let head = session.head().await;
    let mut forged = session.header(&school.id).await;
    forged.anchor = Some(v1::Anchor { size: head.size, root: vec![0; 32] });
    let outcome = signed_by(&session, forged, &school.key(KeyPurpose::Records)).await;
    refusal("ANCHOR_FORGED", outcome);
}

#[tokio::test]
async fn a_role_is_needed() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let (school, registrar) = (&session.world.school, &session.world.registrar);
    let request = session.submission(registrar, &Draft::course(&account)).await;
    session.refused("ROLE_MISSING", session.send(registrar, request)).await;
    let request = session.opening(&identity(None)).await;
    let mut signed = v1::AccountOpening::decode(&*request.envelope.unwrap().payload).unwrap();
    signed.header = Some(session.header(&school.id).await);
    let key = school.key(KeyPurpose::Registry);
    let envelope = envelope(payload_type::ACCOUNT_OPENING, signed.encode_to_vec(), &[&key]);
    let request = v1::OpenAccountRequest { envelope: Some(envelope), ..session_identity(request.identity) };
    session.refused("ROLE_MISSING", session.of(school).accounts().open_account(request)).await;
}

#[tokio::test]
async fn an_admission_needs_the_authority_and_each_new_key() {
    let session = quiet().await;
    let newcomer = Institution::school();
    let right = session.admission(&newcomer).await;
    let without = |keys: &[SigningKey]| {
        let kids: Vec<Vec<u8>> = keys.iter().map(|key| key.public().kid().to_vec()).collect();
        let mut request = right.clone();
        let signatures = &mut request.envelope.as_mut().unwrap().signatures;
        signatures.retain(|signature| !kids.contains(&signature.kid));
        request
    };
    let authority = session.world.authority();
    let mut registry = session.anyone().registry();
    for (request, reason) in [
        (without(&authority[..1]), "THRESHOLD_NOT_MET"),
        (without(&authority), "THRESHOLD_NOT_MET"),
        (without(&[newcomer.key(KeyPurpose::Tokens)]), "POSSESSION_MISSING"),
    ] {
        session.refused(reason, registry.admit_institution(request)).await;
    }
    registry.admit_institution(right).await.expect("an admission with all its signatures");
    let again = session.admission(&newcomer).await;
    session.refused("INSTITUTION_EXISTS", registry.admit_institution(again)).await;
    // Its keys are its own for ever.
    let mut thief = session.admission(&Institution::school()).await;
    let envelope_of = thief.envelope.as_mut().unwrap();
    let mut stolen = v1::InstitutionAdmission::decode(&*envelope_of.payload).unwrap();
    stolen.keys = newcomer.admission().keys;
    let keys: Vec<SigningKey> =
        authority.into_iter().chain(PURPOSES.map(|purpose| newcomer.key(purpose))).collect();
    thief.envelope = Some(envelope(
        payload_type::INSTITUTION_ADMISSION,
        stolen.encode_to_vec(),
        &keys.iter().collect::<Vec<_>>(),
    ));
    session.refused("KEY_EXISTS", registry.admit_institution(thief)).await;
}

#[tokio::test]
async fn nobody_else_changes_an_institutions_keys() {
    let session = quiet().await;
    let (one, other) = (Institution::school(), Institution::school());
    session.admit(&one).await;
    session.admit(&other).await;
    let new = one.spare_key("planted");
    let addition = |signer: String, header: v1::StatementHeader| v1::KeyAddition {
        header: Some(v1::StatementHeader { signer_id: signer, statement_id: uuid_v7().to_vec(), ..header }),
        institution_id: one.id.clone(),
        key: Some(crate::institution::institution_key(&new, KeyPurpose::Records)),
    };
    let header = session.header(&one.id).await;
    let send = |addition: v1::KeyAddition, keys: Vec<SigningKey>| {
        let signed =
            envelope(payload_type::KEY_ADDITION, addition.encode_to_vec(), &keys.iter().collect::<Vec<_>>());
        let mut stub = session.anyone().registry();
        async move {
            stub.add_signing_key(v1::AddSigningKeyRequest { envelope: Some(signed), want_receipt: true })
                .await
        }
    };
    let nobody = "cn.test.nobody-at-all".to_owned();
    let new_again = || one.spare_key("planted");
    for (signer, keys, reason) in [
        (one.id.clone(), vec![other.key(KeyPurpose::Keys), new_again()], "KEY_OF_ANOTHER"),
        (other.id.clone(), vec![other.key(KeyPurpose::Keys), new_again()], "SIGNER_NOT_ALLOWED"),
        (nobody, vec![one.key(KeyPurpose::Keys), new_again()], "SIGNER_UNKNOWN"),
        (one.id.clone(), vec![one.key(KeyPurpose::Records), new_again()], "KEY_PURPOSE_WRONG"),
        (one.id.clone(), vec![one.key(KeyPurpose::Keys)], "POSSESSION_MISSING"),
        (one.id.clone(), vec![new_again()], "KEY_UNKNOWN"),
        ("operator".to_owned(), vec![one.key(KeyPurpose::Keys), new_again()], "SIGNER_NOT_ALLOWED"),
        ("authority".to_owned(), vec![one.key(KeyPurpose::Keys), new_again()], "KEY_OF_ANOTHER"),
    ] {
        session.refused(reason, send(addition(signer, header.clone()), keys)).await;
    }
    let taken =
        send(addition(one.id.clone(), header), vec![one.key(KeyPurpose::Recovery), new_again()]).await;
    taken.expect("a RECOVERY key of the owner adds a key");
    assert_eq!(session.key(&new).await.institution_id, one.id);
}

#[tokio::test]
async fn an_admission_brings_a_keys_key_and_another_recovery_key() {
    let session = quiet().await;
    let newcomer = Institution::named(crate::statement::unique("cn.test.few-"), &[Role::Issuer]);
    let mut admission = newcomer.admission();
    let wanted = [i32::from(KeyPurpose::Keys), i32::from(KeyPurpose::Records)];
    admission.keys.retain(|key| wanted.contains(&key.purposes[0]));
    admission.header = Some(session.header("authority").await);
    let mut keys = session.world.authority();
    keys.extend([KeyPurpose::Keys, KeyPurpose::Records].map(|purpose| newcomer.key(purpose)));
    let signed = envelope(
        payload_type::INSTITUTION_ADMISSION,
        admission.encode_to_vec(),
        &keys.iter().collect::<Vec<_>>(),
    );
    let request = v1::AdmitInstitutionRequest { envelope: Some(signed), want_receipt: true };
    let refused =
        session.refused("FIELD_INVALID", session.anyone().registry().admit_institution(request)).await;
    assert!(refused.field.ends_with("keys"), "{}", refused.field);
}
