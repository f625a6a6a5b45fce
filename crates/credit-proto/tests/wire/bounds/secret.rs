//! Details, identities, explanations.

use credit_proto::{Secret, v1};
use credit_types::limits::*;
use credit_types::{AccountIdentity, RecordDetails, Text};

use super::{Row, check, day, institution, text, x};
use crate::samples;

fn evidence(count: usize) -> Vec<v1::Evidence> {
    let one = v1::Evidence {
        sha256: vec![1; 32],
        media_type: "text/plain".to_owned(),
        size_bytes: 0,
        location: String::new(),
    };
    vec![one; count]
}

const DETAILS: &[Row<v1::RecordDetails>] = &[
    (
        "catalogue_ref",
        |w| w.catalogue_ref = x(REFERENCE_BYTES_MAX),
        |w| w.catalogue_ref = x(REFERENCE_BYTES_MAX + 1),
    ),
    ("catalogue_ref", |_| {}, |w| w.catalogue_ref.clear()),
    ("title", |_| {}, |w| w.title = None),
    (
        "title.en",
        |w| w.title = Some(text(0, TEXT_BYTES_MAX)),
        |w| w.title = Some(text(0, TEXT_BYTES_MAX + 1)),
    ),
    ("score_scale_id", |w| w.score_milli = Some(0), |w| w.score_milli = None),
    ("score_scale_id", |w| w.score_milli = Some(i64::MIN), |w| w.score_scale_id.clear()),
    (
        "score_scale_id",
        |w| w.score_scale_id = x(SCALE_ID_BYTES_MAX),
        |w| w.score_scale_id = x(SCALE_ID_BYTES_MAX + 1),
    ),
    ("grade", |w| w.grade = x(GRADE_BYTES_MAX), |w| w.grade = x(GRADE_BYTES_MAX + 1)),
    ("grade", |w| w.grade.clear(), |w| w.grade = "A\u{7}".to_owned()),
    (
        "grade_scale_id",
        |w| w.grade_scale_id = x(SCALE_ID_BYTES_MAX),
        |w| w.grade_scale_id = x(SCALE_ID_BYTES_MAX + 1),
    ),
    (
        "attendance_permille",
        |w| w.attendance_permille = Some(ATTENDANCE_PERMILLE_MAX),
        |w| w.attendance_permille = Some(ATTENDANCE_PERMILLE_MAX + 1),
    ),
    ("attendance_permille", |w| w.attendance_permille = None, |w| w.attendance_permille = Some(-1)),
    ("start_on", |w| w.start_on = None, |w| w.start_on = Some(day(2026, 0, 1))),
    ("end_on", |w| w.end_on = None, |w| w.end_on = Some(day(2026, 13, 1))),
    ("term", |w| w.term = x(TERM_BYTES_MAX), |w| w.term = x(TERM_BYTES_MAX + 1)),
    (
        "certificate_no",
        |w| w.certificate_no = x(REFERENCE_BYTES_MAX),
        |w| w.certificate_no = x(REFERENCE_BYTES_MAX + 1),
    ),
    ("attempt", |w| w.attempt = ATTEMPT_MAX, |w| w.attempt = ATTEMPT_MAX + 1),
    ("assessor_id", |w| w.assessor_id = institution(64), |w| w.assessor_id = institution(65)),
    (
        "lineage_key",
        |w| w.lineage_key = x(REFERENCE_BYTES_MAX),
        |w| w.lineage_key = x(REFERENCE_BYTES_MAX + 1),
    ),
    ("language", |w| w.language = x(LANGUAGE_BYTES_MAX), |w| w.language = x(LANGUAGE_BYTES_MAX + 1)),
    ("language", |w| w.language.clear(), |w| w.language = "zh_CN".to_owned()),
    ("contact_minutes", |w| w.contact_minutes = MINUTES_MAX, |w| w.contact_minutes = MINUTES_MAX + 1),
    ("contact_minutes", |w| w.contact_minutes = 0, |w| w.contact_minutes = -1),
    ("notional_minutes", |w| w.notional_minutes = MINUTES_MAX, |w| w.notional_minutes = MINUTES_MAX + 1),
    ("evidence", |w| w.evidence = evidence(EVIDENCE_MAX), |w| w.evidence = evidence(EVIDENCE_MAX + 1)),
    ("evidence[0].sha256", |_| {}, |w| w.evidence[0].sha256.clear()),
    (
        "evidence[0].media_type",
        |w| w.evidence[0].media_type = x(MEDIA_TYPE_BYTES_MAX),
        |w| w.evidence[0].media_type = x(MEDIA_TYPE_BYTES_MAX + 1),
    ),
    (
        "evidence[0].media_type",
        |w| w.evidence[0].size_bytes = u64::MAX,
        |w| {
            w.evidence[0].media_type.clear();
        },
    ),
    (
        "evidence[0].location",
        |w| w.evidence[0].location = x(LOCATION_BYTES_MAX),
        |w| w.evidence[0].location = x(LOCATION_BYTES_MAX + 1),
    ),
];

#[test]
fn details() {
    check(&samples::details().to_wire(), RecordDetails::from_payload, DETAILS);
}

fn student_numbers(count: usize) -> Vec<v1::StudentNumber> {
    let number = |n| v1::StudentNumber { institution_id: format!("cn.{n:02}"), number: "1".to_owned() };
    (0..count).map(number).collect()
}

const IDENTITIES: &[Row<v1::AccountIdentity>] = &[
    ("name", |w| w.name = x(PERSON_NAME_BYTES_MAX), |w| w.name = x(PERSON_NAME_BYTES_MAX + 1)),
    ("name", |w| w.name.clear(), |w| w.name = "张\u{200F}伟".to_owned()),
    (
        "document_country",
        |w| {
            w.document_kind = 0;
            w.document_country.clear();
            w.document_number.clear();
        },
        |w| w.document_kind = 0,
    ),
    (
        "document_number",
        |_| {},
        |w| {
            w.document_kind = 0;
            w.document_country.clear();
        },
    ),
    ("document_country", |_| {}, |w| w.document_country.clear()),
    (
        "document_country",
        |w| w.document_country = "XYZ".to_owned(),
        |w| {
            w.document_country = "chn".to_owned();
        },
    ),
    ("document_country", |_| {}, |w| w.document_country = "CHNA".to_owned()),
    ("document_number", |_| {}, |w| w.document_number.clear()),
    (
        "document_number",
        |w| w.document_number = x(DOCUMENT_NUMBER_BYTES_MAX),
        |w| w.document_number = x(DOCUMENT_NUMBER_BYTES_MAX + 1),
    ),
    ("birth_date", |w| w.birth_date = None, |w| w.birth_date = Some(day(1899, 12, 31))),
    (
        "phone",
        |w| w.phone = "+".to_owned() + &"1".repeat(PHONE_BYTES_MAX - 1),
        |w| {
            w.phone = "+".to_owned() + &"1".repeat(PHONE_BYTES_MAX);
        },
    ),
    ("phone", |w| w.phone.clear(), |w| w.phone = "13800138000".to_owned()),
    ("phone", |_| {}, |w| w.phone = "+".to_owned()),
    ("district_code", |w| w.district_code.clear(), |w| w.district_code = "5001".to_owned()),
    ("employer_usci", |w| w.employer_usci.clear(), |w| w.employer_usci = "9".repeat(17)),
    (
        "student_numbers",
        |w| w.student_numbers = student_numbers(STUDENT_NUMBERS_MAX),
        |w| w.student_numbers = student_numbers(STUDENT_NUMBERS_MAX + 1),
    ),
    (
        "student_numbers[1]",
        |w| w.student_numbers.clear(),
        |w| {
            w.student_numbers = vec![w.student_numbers[0].clone(); 2];
        },
    ),
    (
        "student_numbers[0].number",
        |w| w.student_numbers[0].number = x(REFERENCE_BYTES_MAX),
        |w| w.student_numbers[0].number = x(REFERENCE_BYTES_MAX + 1),
    ),
    ("student_numbers[0].number", |_| {}, |w| w.student_numbers[0].number.clear()),
    (
        "student_numbers[0].institution_id",
        |_| {},
        |w| {
            w.student_numbers[0].institution_id = "x".to_owned();
        },
    ),
];

#[test]
fn identities() {
    check(&samples::identity().to_wire(), AccountIdentity::from_payload, IDENTITIES);
}

#[test]
fn explanations() {
    check(
        &samples::explanation().to_wire(),
        Text::from_payload,
        &[
            ("text", |_| {}, |w| w.text = None),
            (
                "text.zh",
                |w| w.text = Some(text(TEXT_BYTES_MAX, 0)),
                |w| w.text = Some(text(TEXT_BYTES_MAX + 1, 0)),
            ),
            (
                "text.en",
                |w| w.text = Some(text(1, TEXT_BYTES_MAX)),
                |w| w.text = Some(text(1, TEXT_BYTES_MAX + 1)),
            ),
        ],
    );
}
