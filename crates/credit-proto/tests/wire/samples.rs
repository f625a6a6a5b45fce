//! One readable value of every type, with every field set: the golden vectors, and what the bounds are tried on.

mod conversion;

use std::collections::BTreeSet;

use credit_types::*;

pub(crate) use conversion::*;

/// Stands in for the admission of keys, which is cryptography and not done in this crate: all but a key that ends in
/// 0xFF is admitted, and the kid is the key with every bit turned.
pub(crate) fn admit(key: &[u8; 32]) -> Option<[u8; 32]> {
    (key[31] != 0xFF).then(|| key.map(|byte| !byte))
}

/// Stands in for the leaf hash: different for every type and payload of different bytes.
pub(crate) fn leaf_hash(payload_type: &str, payload: &[u8]) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    for (at, byte) in payload_type.bytes().chain(payload.iter().copied()).enumerate() {
        hash[at % 32] = hash[at % 32].wrapping_mul(31).wrapping_add(byte);
    }
    hash
}

/// A UUID of a version out of any 16 bytes.
pub(crate) fn uuid(version: u8, mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[6] = version << 4 | bytes[6] & 0x0F;
    bytes[8] = 0x80 | bytes[8] & 0x3F;
    bytes
}

/// A digest of counted bytes, so that an encoder that turns them around is found.
pub(crate) fn digest(byte: u8) -> Digest {
    Digest(std::array::from_fn(|at| byte.wrapping_add(at as u8)))
}

pub(crate) fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

pub(crate) fn university() -> InstitutionId {
    InstitutionId::new("cn.cq.openuniv").unwrap()
}

pub(crate) fn learner() -> AccountRef {
    AccountRef(std::array::from_fn(|at| 0xA1 + at as u8))
}

pub(crate) fn scheme() -> SchemeId {
    SchemeId::new("CN_XF").unwrap()
}

fn nqf() -> FrameworkId {
    FrameworkId::new("cn.nqf").unwrap()
}

fn key(byte: u8) -> PublicKey {
    let bytes = [byte; 32];
    PublicKey { bytes, kid: Kid(admit(&bytes).unwrap()) }
}

pub(crate) fn header(signer: SignerId) -> Header {
    Header {
        log_id: Some(LogId([0x10; 32])),
        statement_id: CommandId(uuid(7, [0x5A; 16])),
        signer,
        anchor: Some(Anchor { size: 4_711, root: digest(0x0A) }),
    }
}

pub(crate) fn by_university() -> Header {
    header(SignerId::Institution(university()))
}

pub(crate) fn genesis_header() -> Header {
    Header { log_id: None, anchor: None, ..header(SignerId::Authority) }
}

pub(crate) fn genesis() -> Genesis {
    Genesis {
        nonce: [0x77; 32],
        protocol: 1,
        origin: "creditbank.example.cn/log".to_owned(),
        checkpoint_keys: vec![key(1)],
        statement_keys: vec![key(2)],
        operator_keys: vec![key(3)],
        authority_keys: vec![key(4), key(5), key(6)],
        authority_threshold: 2,
        witness_policy_hash: Some(digest(0x33)),
        registry_log: Some(LogId([0x44; 32])),
        civil_offset_minutes: 480,
        policy: Policy {
            notice_days: 30,
            quorum: 2,
            appeal_days: 60,
            lapse_days: 90,
            batch_days: 7,
            anchor_days: 30,
            suspect_days: 30,
        },
        continues: Some(LogContinuation { log_id: LogId([0x55; 32]), size: 1 << 33, root: digest(0x66) }),
    }
}

pub(crate) fn server_start() -> ServerStart {
    ServerStart { epoch: Epoch([0xE0; 16]), software: "creditbank 0.1.0".to_owned(), protocol: 1 }
}

pub(crate) fn upgrade() -> ProtocolUpgrade {
    ProtocolUpgrade { protocol: 2, format: 1 }
}

pub(crate) fn accreditation() -> Accreditation {
    let level = |name: &str| LevelRange {
        framework: FrameworkId::new(name).unwrap(),
        min_tenths: 10,
        max_tenths: 80,
    };
    Accreditation {
        accreditation_no: "JG-2024-0017".to_owned(),
        authority: "Chongqing Education Commission".to_owned(),
        kinds: BTreeSet::from([RecordKind::FormalCourse, RecordKind::Award]),
        levels: vec![level("cn.nqf"), level("hk.qf")],
        subject_prefixes: BTreeSet::from(["06".to_owned(), "0714".to_owned()]),
        occupation_prefixes: BTreeSet::from(["4-04".to_owned()]),
        valid_from: date("2024-09-01"),
        valid_to: Some(date("2029-08-31")),
    }
}

pub(crate) fn institution_key() -> InstitutionKey {
    let purposes = BTreeSet::from([KeyPurpose::Records, KeyPurpose::Status, KeyPurpose::Keys]);
    InstitutionKey { key: key(0x21), purposes }
}

pub(crate) fn admission() -> InstitutionAdmission {
    let recovery = InstitutionKey { key: key(0x22), purposes: BTreeSet::from([KeyPurpose::Recovery]) };
    InstitutionAdmission {
        institution_id: university(),
        kind: InstitutionKind::University,
        roles: BTreeSet::from([Role::Issuer, Role::Registrar]),
        district_code: "500112".to_owned(),
        parent_id: Some(InstitutionId::new("cn.cq").unwrap()),
        name: Text { zh: "重庆开放大学".to_owned(), en: "Chongqing Open University".to_owned() },
        usci: "12500000450386010A".to_owned(),
        accreditations: vec![accreditation()],
        keys: vec![institution_key(), recovery],
        default_validity_years: 10,
    }
}

pub(crate) fn key_addition() -> KeyAddition {
    KeyAddition { institution_id: university(), key: institution_key() }
}

pub(crate) fn key_retirement() -> KeyRetirement {
    KeyRetirement { after: digest(0x0F), kid: key(0x21).kid }
}

pub(crate) fn key_compromise() -> KeyCompromise {
    KeyCompromise { kid: key(0x21).kid, suspect_from_index: 300 }
}

pub(crate) fn publication() -> FrameworkPublication {
    let hours = CreditScheme {
        scheme_id: SchemeId::new("CN_XS").unwrap(),
        kind: SchemeKind::Hour,
        step_milli: 1_000,
        notional_minutes: 45,
        label: Text { zh: "学时".to_owned(), en: "hours".to_owned() },
    };
    let credits = CreditScheme {
        scheme_id: scheme(),
        kind: SchemeKind::Credit,
        step_milli: 500,
        notional_minutes: 1_080,
        label: Text { zh: "学分".to_owned(), en: "credits".to_owned() },
    };
    FrameworkPublication {
        framework_id: nqf(),
        version: 3,
        title: Text {
            zh: "国家资历框架".to_owned(), en: "National Qualifications Framework".to_owned()
        },
        schemes: vec![credits, hours],
        levels: Some(LevelScale { min_tenths: 10, max_tenths: 80, step_tenths: 5 }),
    }
}

pub(crate) fn opening() -> AccountOpening {
    AccountOpening { assurance: AssuranceLevel::DocumentFace, identity_commitment: digest(0xC1) }
}

pub(crate) fn account_change() -> AccountStatusChange {
    AccountStatusChange {
        after: digest(0x0B),
        account_ref: learner(),
        action: AccountAction::Suspend,
        reason: StatusReason::LegalOrder,
        order_ref: "YU-2026-081".to_owned(),
        explanation_commitment: Some(digest(0xC2)),
    }
}

pub(crate) fn amount() -> Amount {
    Amount { scheme: scheme(), credits: Credits::from_milli(3_500).unwrap() }
}

pub(crate) fn record_id(byte: u8) -> RecordId {
    RecordId(uuid(8, std::array::from_fn(|at| byte.wrapping_add(at as u8))))
}

pub(crate) fn facts() -> RecordFacts {
    RecordFacts {
        record_id: record_id(0x61),
        account_ref: learner(),
        kind: RecordKind::SkillGrade,
        amount: Some(amount()),
        minutes: Some(Minutes { hour_kind: HourKind::Notional, minutes: 3_780, class_hour_minutes: 45 }),
        level: Some(Level { framework: nqf(), tenths: 45 }),
        subject_code: "0714".to_owned(),
        occupation_code: "4-04-05-01".to_owned(),
        awarded_on: date("2026-07-10"),
        valid_until: Some(date("2036-07-09")),
        details_commitment: digest(0xC3),
        credit_eligible: true,
    }
}

pub(crate) fn correction() -> RecordCorrection {
    RecordCorrection {
        after: digest(0x0C),
        supersedes: record_id(0x60),
        reason: CorrectionReason::GradeRevised,
        facts: facts(),
        explanation_commitment: Some(digest(0xC4)),
    }
}

pub(crate) fn record_change() -> RecordStatusChange {
    RecordStatusChange {
        after: Some(digest(0x0D)),
        account_ref: learner(),
        issuer_id: university(),
        record_id: record_id(0x61),
        action: RecordAction::Suspend,
        reason: StatusReason::Investigation,
        order_ref: "YU-2026-082".to_owned(),
        effective_from: Some(date("2026-11-01")),
        explanation_commitment: Some(digest(0xC5)),
    }
}

pub(crate) fn manifest() -> BatchManifest {
    BatchManifest { leaf_type: LeafType::Record, record_count: 130, root: digest(0x0E) }
}

pub(crate) fn close() -> BatchClose {
    BatchClose { manifest_index: 9_000 }
}

pub(crate) fn details() -> RecordDetails {
    RecordDetails {
        catalogue_ref: "CQOU-CS-101@3".to_owned(),
        title: Text { zh: "数据结构".to_owned(), en: "Data Structures".to_owned() },
        score_milli: Some(87_500),
        score_scale_id: "PERCENT".to_owned(),
        grade: "良".to_owned(),
        grade_scale_id: "CN_4".to_owned(),
        pass_state: Some(PassState::Passed),
        attendance_permille: Some(0),
        start_on: Some(date("2026-03-02")),
        end_on: Some(date("2026-07-03")),
        term: "2026-1".to_owned(),
        certificate_no: "渝结字 2026-0061".to_owned(),
        attempt: 1,
        mode: Some(DeliveryMode::Blended),
        assessor_id: Some(InstitutionId::new("cn.cq.exam").unwrap()),
        lineage_key: "CS-DATA".to_owned(),
        language: "zh-Hans".to_owned(),
        contact_minutes: 2_160,
        notional_minutes: 3_780,
        evidence: vec![Evidence {
            sha256: digest(0xEE),
            media_type: "application/pdf".to_owned(),
            size_bytes: 123_456,
            location: "archive/2026/61.pdf".to_owned(),
        }],
    }
}

pub(crate) fn identity() -> AccountIdentity {
    AccountIdentity {
        name: "张伟".to_owned(),
        document_kind: Some(DocumentKind::ResidentId),
        document_country: "CHN".to_owned(),
        document_number: "11010519491231002X".to_owned(),
        birth_date: Some(date("1949-12-31")),
        phone: "+8613800138000".to_owned(),
        district_code: "500112".to_owned(),
        employer_usci: "91500000MA5U5FL23X".to_owned(),
        student_numbers: vec![StudentNumber {
            institution_id: university(),
            number: "2026010017".to_owned(),
        }],
    }
}

pub(crate) fn explanation() -> Text {
    Text {
        zh: "成绩复核后更正。".to_owned(), en: "Corrected after a review of the grade.".to_owned()
    }
}

pub(crate) fn subject_head() -> SubjectHead {
    SubjectHead {
        log_id: LogId([0x10; 32]),
        subject: Subject::Account(learner()),
        sequence: 12,
        leaf_hash: Some(digest(0x1A)),
        size: 9_999,
        root: digest(0x1B),
    }
}

pub(crate) fn file_manifest() -> FileManifest {
    let file = |name: &str, bytes| ManifestFile { name: name.to_owned(), bytes, sha256: digest(0x2A) };
    FileManifest {
        log_id: LogId([0x10; 32]),
        kind: FileManifestKind::Bundle,
        size: 9_999,
        root: digest(0x1B),
        files: vec![file("keys/00000001", 1_250), file("receipt", 2_048)],
    }
}

pub(crate) fn record_status() -> RecordStatusStatement {
    RecordStatusStatement {
        log_id: LogId([0x10; 32]),
        account_ref: learner(),
        issuer_id: university(),
        record_id: RecordId(uuid(8, [0x61; 16])),
        status: RecordStatus::Superseded,
        status_index: 9_000,
        status_entry: digest(0x1A),
        superseded_by: Some(RecordId(uuid(7, [0x62; 16]))),
        key_suspect: true,
        size: 9_999,
        root: digest(0x1B),
        recorded_at_us: 1_800_000_000_000_000,
    }
}

pub(crate) fn balance() -> BalanceStatement {
    let credited = BalanceLine {
        scheme: Some(scheme()),
        kind: RecordKind::SkillGrade,
        bucket: Bucket::Available,
        credits_milli: 17_500,
        hour_kind: Some(HourKind::Notional),
        minutes: 18_900,
        records: 5,
    };
    let attended = BalanceLine {
        scheme: None,
        kind: RecordKind::Activity,
        bucket: Bucket::Expired,
        credits_milli: 0,
        hour_kind: Some(HourKind::Contact),
        minutes: 90,
        records: 1,
    };
    BalanceStatement { head: subject_head(), as_of: date("2026-11-23"), lines: vec![attended, credited] }
}
