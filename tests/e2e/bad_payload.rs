//! Bytes that are not what they should be: payloads, envelopes, secret parts, sizes.

use crate::session::{Session, refused_by};
use crate::shared::quiet;
use crate::statement::{Draft, envelope, seal_details, today};
use credit_proto::v1::{KeyPurpose, RecordKind};
use credit_proto::{payload_type, v1};
use credit_types::limits::{
    CODE_BYTES_MAX, EVIDENCE_MAX, GRADE_BYTES_MAX, PAYLOAD_BYTES_MAX, PAYLOAD_TYPE_BYTES_MAX,
    REFERENCE_BYTES_MAX, SIGNATURES_MAX, TEXT_BYTES_MAX,
};
use prost::Message;
use tonic::Code;
use tonic_types::StatusExt as _;

/// The most bytes of one message of the service.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// The bytes of facts that would be taken as they are, and the secret part behind them.
async fn good(session: &Session<'_>, change: impl FnOnce(&mut Draft)) -> (Vec<u8>, v1::SecretPart) {
    let account = session.account().await;
    let (facts, part) = Draft::course(&account.account_ref).with(change).sealed();
    let header = Some(session.header(&session.world.school.id).await);
    (v1::RecordFacts { header, ..facts }.encode_to_vec(), part)
}

/// A request with any bytes as the signed facts; the signature is right.
fn request(session: &Session<'_>, payload: Vec<u8>, part: v1::SecretPart) -> v1::SubmitRecordRequest {
    let key = session.world.school.key(KeyPurpose::Records);
    let signed = envelope(payload_type::RECORD_FACTS, payload, &[&key]);
    v1::SubmitRecordRequest { envelope: Some(signed), details: Some(part), want_receipt: true }
}

/// Changes a draft.
type Change<'a> = &'a dyn Fn(&mut Draft);
/// Gives a text or list of a draft a length.
type Stretch<'a> = &'a dyn Fn(&mut Draft, usize);

#[tokio::test]
async fn bytes_that_are_no_message_are_refused() {
    let session = quiet().await;
    let (facts, part) = good(&session, |_| {}).await;
    let cut = facts[..facts.len() - 1].to_vec();
    for (payload, reason) in [
        (vec![0xff; 64], "PAYLOAD_NOT_CANONICAL"),
        (b"{\"record_id\":1}".to_vec(), "PAYLOAD_NOT_CANONICAL"),
        (cut, "PAYLOAD_NOT_CANONICAL"),
        (Vec::new(), "FIELD_INVALID"),
        (vec![0xff; PAYLOAD_BYTES_MAX], "PAYLOAD_NOT_CANONICAL"),
        (vec![0xff; PAYLOAD_BYTES_MAX + 1], "FIELD_INVALID"),
    ] {
        let request = request(&session, payload, part.clone());
        let refused = session.refused(reason, session.send(&session.world.school, request)).await;
        assert_eq!(refused.code, Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_second_encoding_of_the_same_record_is_refused_with_the_offset() {
    let session = quiet().await;
    let (facts, part) = good(&session, |draft| draft.facts.credit_eligible = false).await;
    let end = facts.len();
    // Field numbers: kind is 5, credit_eligible 16, its tag 0x80 0x01.
    let kind = facts.windows(2).position(|pair| pair == [0x28, 1]).expect("the kind's bytes");
    let mut moved = facts.clone();
    moved.drain(kind..kind + 2);
    moved.extend([0x28, 1]);
    let mut unknown_kind = facts.clone();
    unknown_kind[kind + 1] = 11;
    let mut long_varint = facts.clone();
    long_varint.splice(kind + 1..kind + 2, [0x81, 0]);
    let appended = |bytes: &[u8]| [&facts, bytes].concat();
    for (what, payload, place) in [
        ("a default that is written", appended(&[0x80, 1, 0]), end..end + 3),
        ("a field out of order", moved, end - 2..end),
        ("an unknown field", appended(&[0x88, 1, 1]), end..end + 3),
        ("a reserved field", [&[0x12, 1, 1], facts.as_slice()].concat(), 0..3),
        ("a varint that is too long", long_varint, kind + 1..kind + 3),
        ("a kind that nobody knows", unknown_kind, kind..kind + 2),
        ("a field twice", appended(&[0x80, 1, 1, 0x80, 1, 1]), end + 3..end + 6),
        ("a wrong wire type", appended(&[0x82, 1, 1, 1]), end..end + 4),
    ] {
        let request = request(&session, payload, part.clone());
        let refused =
            session.refused("PAYLOAD_NOT_CANONICAL", session.send(&session.world.school, request)).await;
        let told = refused.message.split_once("first differs at byte ").expect("an offset").1;
        let offset: usize = told.split(':').next().unwrap().parse().expect("an offset");
        assert!(place.contains(&offset), "{what} at {place:?}: {}", refused.message);
    }
    let taken = session.send(&session.world.school, request(&session, facts, part)).await;
    assert!(!taken.expect("the canonical encoding is taken").into_inner().position.unwrap().replayed);
}

#[tokio::test]
async fn an_empty_sub_message_and_a_missing_one_are_refused() {
    let session = quiet().await;
    let (facts, part) = good(&session, |draft| draft.facts.amount = None).await;
    // The amount is field 6 and stands before hour_kind, field 7 with the value 1.
    let hour_kind = facts.windows(2).position(|pair| pair == [0x38, 1]).expect("the hour kind's bytes");
    let mut with_empty = facts.clone();
    with_empty.splice(hour_kind..hour_kind, [0x32, 0]);
    let school = &session.world.school;
    let empty = request(&session, with_empty, part.clone());
    session.refused("PAYLOAD_NOT_CANONICAL", session.send(school, empty)).await;
    let (headless, part) = {
        let facts = v1::RecordFacts::decode(facts.as_slice()).expect("facts");
        (v1::RecordFacts { header: None, ..facts }.encode_to_vec(), part)
    };
    let refused =
        session.refused("FIELD_INVALID", session.send(school, request(&session, headless, part))).await;
    assert!(refused.field.ends_with("header"), "{}", refused.field);
}

#[tokio::test]
async fn another_payload_type_is_refused() {
    let session = quiet().await;
    let (facts, part) = good(&session, |_| {}).await;
    let key = session.world.school.key(KeyPurpose::Records);
    let unknown = "application/vnd.creditbank.record-facts.v2+protobuf".to_owned();
    for (payload_type, reason) in [
        (payload_type::ACCOUNT_OPENING.to_owned(), "PAYLOAD_TYPE_WRONG"),
        (payload_type::RECORD_DETAILS.to_owned(), "PAYLOAD_TYPE_WRONG"),
        (unknown, "PAYLOAD_TYPE_WRONG"),
        ("x".repeat(PAYLOAD_TYPE_BYTES_MAX), "PAYLOAD_TYPE_WRONG"),
        ("x".repeat(PAYLOAD_TYPE_BYTES_MAX + 1), "FIELD_INVALID"),
        (String::new(), "FIELD_INVALID"),
    ] {
        let request = v1::SubmitRecordRequest {
            envelope: Some(envelope(&payload_type, facts.clone(), &[&key])),
            details: Some(part.clone()),
            want_receipt: true,
        };
        session.refused(reason, session.send(&session.world.school, request)).await;
    }
    let request = v1::SubmitRecordRequest { envelope: None, details: Some(part), want_receipt: true };
    let refused = session.refused("FIELD_INVALID", session.send(&session.world.school, request)).await;
    assert_eq!(refused.field, "envelope");
}

#[tokio::test]
async fn no_byte_of_a_signed_record_can_be_changed() {
    let session = quiet().await;
    let (facts, part) = good(&session, |_| {}).await;
    let good = request(&session, facts.clone(), part);
    let school = session.of(&session.world.school);
    let before = session.size().await;
    let mut reasons = std::collections::BTreeSet::new();
    for at in 0..facts.len() {
        let mut bent = good.clone();
        bent.envelope.as_mut().unwrap().payload[at] ^= 1;
        let status = school.records().submit_record(bent).await.expect_err("a changed byte is refused");
        reasons.insert(status.get_details_error_info().expect("an ErrorInfo").reason);
    }
    assert!(reasons.contains("SIGNATURE_INVALID"), "{reasons:?}");
    let known = ["SIGNATURE_INVALID", "PAYLOAD_NOT_CANONICAL", "FIELD_INVALID"];
    assert!(reasons.iter().all(|reason| known.contains(&reason.as_str())), "{reasons:?}");
    for at in [0, 31, 32, 63] {
        let mut bent = good.clone();
        bent.envelope.as_mut().unwrap().signatures[0].signature[at] ^= 1;
        let status = school.records().submit_record(bent).await.expect_err("a changed signature is refused");
        refused_by("SIGNATURE_INVALID", &status);
    }
    let mut bent = good.clone();
    bent.envelope.as_mut().unwrap().signatures[0].kid[5] ^= 1;
    refused_by(
        "KEY_UNKNOWN",
        &school.records().submit_record(bent).await.expect_err("a changed kid is refused"),
    );
    assert_eq!(session.size().await, before);
    school.records().submit_record(good).await.expect("the record as it was signed is taken");
}

#[tokio::test]
async fn signatures_have_their_count_length_and_order() {
    let session = quiet().await;
    let (facts, part) = good(&session, |_| {}).await;
    let school = &session.world.school;
    let [records, status] = [KeyPurpose::Records, KeyPurpose::Status].map(|purpose| school.key(purpose));
    let both = envelope(payload_type::RECORD_FACTS, facts.clone(), &[&records, &status]);
    let many: Vec<_> = (0..=SIGNATURES_MAX).map(|number| school.spare_key(&number.to_string())).collect();
    let many = envelope(payload_type::RECORD_FACTS, facts.clone(), &many.iter().collect::<Vec<_>>());
    let one = || envelope(payload_type::RECORD_FACTS, facts.clone(), &[&records]);
    let changed = |change: &dyn Fn(&mut v1::Envelope), mut envelope: v1::Envelope| {
        change(&mut envelope);
        envelope
    };
    for (what, envelope, reason) in [
        ("none", changed(&|envelope| envelope.signatures.clear(), one()), "FIELD_INVALID"),
        ("seventeen", many, "FIELD_INVALID"),
        ("unsorted", changed(&|envelope| envelope.signatures.reverse(), both.clone()), "FIELD_INVALID"),
        (
            "twice the same",
            changed(&|envelope| envelope.signatures.extend(envelope.signatures.clone()), one()),
            "FIELD_INVALID",
        ),
        (
            "a short one",
            changed(&|envelope| envelope.signatures[0].signature.truncate(63), one()),
            "FIELD_INVALID",
        ),
        ("a short kid", changed(&|envelope| envelope.signatures[0].kid.truncate(31), one()), "FIELD_INVALID"),
        ("two that are right", both, "KEY_PURPOSE_WRONG"),
    ] {
        let request = v1::SubmitRecordRequest {
            envelope: Some(envelope),
            details: Some(part.clone()),
            want_receipt: true,
        };
        let refused = session.refused(reason, session.send(school, request)).await;
        assert!(refused.message.contains("signatures"), "{what}: {}", refused.message);
    }
    let second = school.spare_key("second records key");
    session.add_key(school, &second, KeyPurpose::Records).await;
    let two = envelope(payload_type::RECORD_FACTS, facts.clone(), &[&records, &second]);
    let request = v1::SubmitRecordRequest { envelope: Some(two), details: Some(part), want_receipt: true };
    session.refused("SIGNATURE_NOT_NEEDED", session.send(school, request)).await;
}

#[tokio::test]
async fn details_must_be_what_was_committed_to() {
    let session = quiet().await;
    let (facts, part) = good(&session, |_| {}).await;
    let school = &session.world.school;
    let mut other_payload = part.clone();
    *other_payload.payload.last_mut().unwrap() ^= 1;
    let mut other_salt = part.clone();
    other_salt.salt[0] ^= 1;
    let mut short_salt = part.clone();
    short_salt.salt.truncate(31);
    for (details, reason, field) in [
        (Some(other_payload), "COMMITMENT_MISMATCH", "details"),
        (Some(other_salt), "COMMITMENT_MISMATCH", "details"),
        (Some(short_salt), "FIELD_INVALID", "details.salt"),
        (None, "FIELD_INVALID", "details"),
    ] {
        let request = v1::SubmitRecordRequest { details, ..request(&session, facts.clone(), part.clone()) };
        assert_eq!(session.refused(reason, session.send(school, request)).await.field, field);
    }
    // Committed to truthfully, but no details: refused for what they are.
    let garbage = crate::statement::seal(
        credit_log::commitment::DETAILS_LABEL,
        payload_type::RECORD_DETAILS,
        vec![0xff; 16],
    );
    let committed = v1::RecordFacts {
        details_commitment: garbage.commitment,
        ..v1::RecordFacts::decode(&*facts).unwrap()
    };
    let request = request(&session, committed.encode_to_vec(), garbage.part);
    let refused = session.refused("PAYLOAD_NOT_CANONICAL", session.send(school, request)).await;
    assert!(refused.field.starts_with("details.payload"), "{}", refused.field);
}

#[tokio::test]
async fn texts_are_taken_at_their_longest_and_refused_beyond() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let text = |en: String| Some(v1::Text { zh: String::new(), en });
    let proof = |location: String| v1::Evidence {
        sha256: vec![7; 32],
        media_type: "application/pdf".to_owned(),
        size_bytes: 1,
        location,
    };
    let cases: [(&str, usize, Stretch); 6] = [
        ("subject_code", CODE_BYTES_MAX, &|d, n| d.facts.subject_code = "0".repeat(n)),
        ("details.payload.certificate_no", REFERENCE_BYTES_MAX, &|d, n| {
            d.details.certificate_no = format!("{:0>n$}", crate::statement::unique(""));
        }),
        ("details.payload.catalogue_ref", REFERENCE_BYTES_MAX, &|d, n| {
            d.details.catalogue_ref = "C".repeat(n);
        }),
        ("details.payload.title.en", TEXT_BYTES_MAX, &|d, n| d.details.title = text("t".repeat(n))),
        ("details.payload.grade", GRADE_BYTES_MAX, &|d, n| d.details.grade = "A".repeat(n)),
        ("details.payload.evidence", EVIDENCE_MAX, &|d, n| {
            d.details.evidence = vec![proof("x".to_owned()); n];
        }),
    ];
    for (field, max, change) in cases {
        let with = |count| Draft::course(&account).with(|draft| change(draft, count));
        session.deposit(&session.world.school, &with(max)).await;
        let refused = session.refused_record("FIELD_INVALID", &with(max + 1)).await;
        assert!(refused.field.ends_with(field), "{field}: {}", refused.field);
    }
}

#[tokio::test]
async fn texts_hold_only_what_their_alphabet_allows() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let title = |zh: &str| Some(v1::Text { zh: zh.to_owned(), en: String::new() });
    let cases: [(&str, Change); 7] = [
        ("a code that is not ASCII", &|d| d.facts.subject_code = "会计".to_owned()),
        ("a code with a line break", &|d| d.facts.subject_code = "04\n11".to_owned()),
        ("no code at all", &|d| d.facts.subject_code = String::new()),
        ("a title with a bidirectional mark", &|d| d.details.title = title("会计\u{202e}")),
        ("a title with a control", &|d| d.details.title = title("会计\u{7}")),
        ("a title that is not composed", &|d| d.details.title = title("e\u{301}")),
        ("no title", &|d| d.details.title = None),
    ];
    for (what, change) in cases {
        let refused = session.refused_record("FIELD_INVALID", &Draft::course(&account).with(change)).await;
        assert_eq!(refused.code, Code::InvalidArgument, "{what}");
    }
}

#[tokio::test]
async fn a_message_over_four_mebibytes_is_refused_and_the_connection_lives() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    let draft = Draft::of(RecordKind::Exam, &account);
    let school = session.of(&session.world.school);
    let mut request = session.submission(&session.world.school, &draft).await;
    let right = request.clone();
    // Just below, the message is read and refused for its field; just above, it is not read at all.
    let room = MESSAGE_BYTES_MAX - request.encoded_len() - 64;
    request.details.as_mut().unwrap().payload = vec![1; room];
    let below = school.records().submit_record(request.clone()).await.expect_err("refused for its field");
    assert_eq!(refused_by("FIELD_INVALID", &below).field, "details.payload");
    request.details.as_mut().unwrap().payload = vec![1; MESSAGE_BYTES_MAX];
    let before = session.size().await;
    let above = school.records().submit_record(request).await.expect_err("refused for its size");
    assert!(matches!(above.code(), Code::OutOfRange | Code::ResourceExhausted), "{above:?}");
    assert_eq!(session.size().await, before);
    school.records().submit_record(right).await.expect("the same connection takes the next record");
}

#[tokio::test]
async fn dates_must_exist() {
    let session = quiet().await;
    let account = session.account().await.account_ref;
    for (year, month, day) in
        [(2026, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0), (1899, 12, 31), (2200, 1, 1)]
    {
        let wrong = crate::statement::date(year, month, day);
        let draft = Draft::course(&account).with(|draft| draft.facts.awarded_on = Some(wrong));
        let refused = session.refused_record("FIELD_INVALID", &draft).await;
        assert!(refused.field.ends_with("awarded_on"), "{}", refused.field);
    }
    let none = Draft::course(&account).with(|draft| draft.facts.awarded_on = None);
    session.refused_record("FIELD_INVALID", &none).await;
    session
        .deposit(&session.world.school, &Draft::course(&account).with(|d| d.facts.awarded_on = Some(today())))
        .await;
}

#[tokio::test]
async fn a_flood_of_garbage_leaves_the_server_serving() {
    let session = quiet().await;
    let before = session.size().await;
    let school = session.of(&session.world.school);
    let calls = (0..200u8).map(|seed| {
        let mut stub = school.records();
        let noise: Vec<u8> =
            (0..512u16).map(|n| seed.wrapping_mul(31).wrapping_add(n.to_le_bytes()[0])).collect();
        let sealed = seal_details(&v1::RecordDetails::default());
        let request = request(&session, noise, sealed.part);
        tokio::spawn(async move { stub.submit_record(request).await.expect_err("garbage is refused") })
    });
    for call in calls.collect::<Vec<_>>() {
        let status = call.await.expect("a call ends");
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
    assert_eq!(session.size().await, before);
    assert!(!session.world.bank.log().contains("panicked"));
}
