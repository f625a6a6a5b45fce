//! Statements as bytes: ids, dates, commitments, envelopes, records. Encoded by prost, not by the product's own
//! encoder, and never checked here, so that a test can send what is wrong.

use credit_log::commitment::{DETAILS_LABEL, IDENTITY_LABEL, commit};
use credit_log::envelope::SigningKey;
use credit_proto::{payload_type, v1};
use credit_types::CivilDate;
use prost::Message;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Minutes east of UTC of a trial ledger's civil dates.
const CIVIL_OFFSET_MINUTES: i32 = 480;

#[expect(clippy::disallowed_methods, reason = "statement ids and awards are of the present")]
fn since_epoch() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock behind 1970")
}

/// A number that this process gives once.
fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A text that no other call in any process gives.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}{:x}-{:x}-{:x}", std::process::id(), since_epoch().as_micros(), number())
}

/// A UUID of version 7 that no other call gives.
pub(crate) fn uuid_v7() -> [u8; 16] {
    let millis = u64::try_from(since_epoch().as_millis()).expect("a near future");
    let mut id = [0; 16];
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id[6] = 0x70;
    // The process and a count make the rest unique.
    id[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    id[8] = 0x80 | (id[8] & 0x3f);
    id[12..].copy_from_slice(&number().to_be_bytes()[4..]);
    id
}

/// A date as it stands in a message; it need not exist.
pub(crate) fn date(year: i32, month: i32, day: i32) -> v1::CivilDate {
    v1::CivilDate { year, month, day }
}

/// The present civil date of a trial ledger, some days on.
pub(crate) fn today_plus(days: i32) -> v1::CivilDate {
    let now_us = i64::try_from(since_epoch().as_micros()).expect("a near future");
    let today = CivilDate::at(now_us, CIVIL_OFFSET_MINUTES).expect("a date");
    let then = CivilDate::from_days(today.days() + days).expect("a date");
    date(then.year(), then.month(), then.day())
}

/// The present civil date of a trial ledger.
pub(crate) fn today() -> v1::CivilDate {
    today_plus(0)
}

/// A secret part with the commitment to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sealed {
    /// SHA-256 over label, salt, type and payload.
    pub(crate) commitment: Vec<u8>,
    /// Salt and payload.
    pub(crate) part: v1::SecretPart,
}

/// Commits to a payload under a salt of its own.
pub(crate) fn seal(label: &str, payload_type: &str, payload: Vec<u8>) -> Sealed {
    let [first, second] = [uuid_v7(), uuid_v7()];
    let mut salt = [0; 32];
    salt[..16].copy_from_slice(&first);
    salt[16..].copy_from_slice(&second);
    let commitment = commit(label, &salt, payload_type, &payload).to_vec();
    Sealed { commitment, part: v1::SecretPart { salt: salt.to_vec(), payload } }
}

/// Commits to details.
pub(crate) fn seal_details(details: &v1::RecordDetails) -> Sealed {
    seal(DETAILS_LABEL, payload_type::RECORD_DETAILS, details.encode_to_vec())
}

/// Commits to an identity.
pub(crate) fn seal_identity(identity: &v1::AccountIdentity) -> Sealed {
    seal(IDENTITY_LABEL, payload_type::ACCOUNT_IDENTITY, identity.encode_to_vec())
}

/// Signs any bytes as a payload of any type; signatures stand in order of their kids.
pub(crate) fn envelope(payload_type: &str, payload: Vec<u8>, keys: &[&SigningKey]) -> v1::Envelope {
    let mut signatures: Vec<v1::Signature> = keys
        .iter()
        .map(|key| v1::Signature {
            kid: key.public().kid().to_vec(),
            signature: key.sign_statement(payload_type, &payload).to_vec(),
        })
        .collect();
    signatures.sort_by(|one, other| one.kid.cmp(&other.kid));
    v1::Envelope { payload_type: payload_type.to_owned(), payload, signatures }
}

/// A record that is right in everything until a test changes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    /// The facts, without header and commitment.
    pub(crate) facts: v1::RecordFacts,
    /// The details.
    pub(crate) details: v1::RecordDetails,
}

impl Draft {
    /// A record of one kind with 2.5 credits of `T_XF`, awarded today.
    pub(crate) fn of(kind: v1::RecordKind, account_ref: &[u8]) -> Self {
        let facts = v1::RecordFacts {
            header: None,
            record_id: uuid_v7().to_vec(),
            account_ref: account_ref.to_vec(),
            kind: kind.into(),
            amount: Some(v1::Amount { credit_scheme: "T_XF".to_owned(), credits_milli: 2_500 }),
            hour_kind: v1::HourKind::Contact.into(),
            minutes: 1_800,
            class_hour_minutes: 45,
            level: Some(v1::Level { framework: "test.nqf".to_owned(), level_tenths: 50 }),
            subject_code: "0411".to_owned(),
            occupation_code: String::new(),
            awarded_on: Some(today()),
            valid_until: None,
            details_commitment: Vec::new(),
            credit_eligible: true,
        };
        let details = v1::RecordDetails {
            catalogue_ref: "T-0411@1".to_owned(),
            title: Some(v1::Text { zh: "基础会计".to_owned(), en: "Basic accounting".to_owned() }),
            score_milli: Some(86_500),
            score_scale_id: "cn.pct100".to_owned(),
            pass_state: v1::PassState::Passed.into(),
            start_on: Some(today_plus(-120)),
            end_on: Some(today_plus(-14)),
            term: "2026-1".to_owned(),
            certificate_no: unique("T-"),
            mode: v1::DeliveryMode::Blended.into(),
            ..v1::RecordDetails::default()
        };
        Self { facts, details }
    }

    /// A course of 2.5 credits.
    pub(crate) fn course(account_ref: &[u8]) -> Self {
        Self::of(v1::RecordKind::FormalCourse, account_ref)
    }

    /// Changes anything.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Sets the amount.
    pub(crate) fn amount(self, scheme: &str, credits_milli: i64) -> Self {
        let amount = v1::Amount { credit_scheme: scheme.to_owned(), credits_milli };
        self.with(|draft| draft.facts.amount = Some(amount))
    }

    /// The facts with their commitment, and the secret part behind it.
    pub(crate) fn sealed(&self) -> (v1::RecordFacts, v1::SecretPart) {
        let Sealed { commitment, part } = seal_details(&self.details);
        (v1::RecordFacts { details_commitment: commitment, ..self.facts.clone() }, part)
    }

    /// A leaf of a batch.
    pub(crate) fn leaf(&self) -> v1::LeafSubmission {
        let (facts, part) = self.sealed();
        v1::LeafSubmission { facts: facts.encode_to_vec(), secret: Some(part) }
    }

    /// The facts under a header, signed.
    pub(crate) fn submission(
        &self,
        header: v1::StatementHeader,
        key: &SigningKey,
    ) -> v1::SubmitRecordRequest {
        let (facts, part) = self.sealed();
        let facts = v1::RecordFacts { header: Some(header), ..facts };
        let signed = envelope(payload_type::RECORD_FACTS, facts.encode_to_vec(), &[key]);
        v1::SubmitRecordRequest { envelope: Some(signed), details: Some(part), want_receipt: true }
    }
}

/// An identity with a document and, where it is given, a number at an institution.
pub(crate) fn identity(student: Option<(&str, &str)>) -> v1::AccountIdentity {
    let number = |(institution, number): (&str, &str)| v1::StudentNumber {
        institution_id: institution.to_owned(),
        number: number.to_owned(),
    };
    let text = unique("");
    let tail = text.len().saturating_sub(24);
    v1::AccountIdentity {
        name: "林晓云".to_owned(),
        document_kind: v1::DocumentKind::Passport.into(),
        document_country: "CHN".to_owned(),
        document_number: format!("P{}", &text[tail..]),
        birth_date: Some(date(2001, 2, 3)),
        student_numbers: student.map(number).into_iter().collect(),
        ..v1::AccountIdentity::default()
    }
}
