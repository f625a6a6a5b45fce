//! Genesis, institutions, keys, frameworks, server starts.

use std::fmt::Debug;

use credit_proto::{Signable, v1};
use credit_types::genesis::PROTOCOL;
use credit_types::limits::*;
use credit_types::*;

use super::{Row, check, day, institution, text, x};
use crate::samples::{self, admit};

fn rows<T: Signable + Debug>(body: &T, header: &Header, rows: &[Row<T::Wire>])
where
    T::Wire: Clone,
{
    check(&body.to_wire(Some(header)), |bytes| T::from_payload(bytes, admit), rows);
}

fn keys(count: usize) -> Vec<v1::PublicKey> {
    (0..count).map(|n| v1::PublicKey { algorithm: 1, key: vec![0x80 + n as u8; 32] }).collect()
}

fn policy(wire: &mut v1::Genesis) -> &mut v1::Policy {
    wire.policy.as_mut().unwrap()
}

fn continues(wire: &mut v1::Genesis) -> &mut v1::LogContinuation {
    wire.continues.as_mut().unwrap()
}

#[test]
fn genesis() {
    rows(
        &samples::genesis(),
        &samples::genesis_header(),
        &[
            ("header", |_| {}, |w| w.header = None),
            ("header.log_id", |_| {}, |w| w.header.as_mut().unwrap().log_id = vec![0; 32]),
            (
                "header.anchor",
                |_| {},
                |w| {
                    w.header.as_mut().unwrap().anchor = Some(v1::Anchor { size: 1, root: vec![0; 32] });
                },
            ),
            ("nonce", |_| {}, |w| w.nonce.clear()),
            ("nonce", |_| {}, |w| w.nonce.push(0)),
            ("format", |_| {}, |w| w.format = 0),
            ("format", |_| {}, |w| w.format = 2),
            ("protocol", |w| w.protocol = PROTOCOL, |w| w.protocol = PROTOCOL + 1),
            ("protocol", |w| w.protocol = 1, |w| w.protocol = 0),
            ("origin", |w| w.origin = x(ORIGIN_BYTES_MIN), |w| w.origin = x(ORIGIN_BYTES_MIN - 1)),
            ("origin", |w| w.origin = x(ORIGIN_BYTES_MAX), |w| w.origin = x(ORIGIN_BYTES_MAX + 1)),
            ("origin", |_| {}, |w| w.origin = "a b.c".to_owned()),
            ("origin", |_| {}, |w| w.origin = "a+b.c".to_owned()),
            ("origin", |_| {}, |w| w.origin = "https://a.c".to_owned()),
            ("origin", |_| {}, |w| w.origin = "学.cn".to_owned()),
            ("hash_alg", |_| {}, |w| w.hash_alg = 0),
            ("witness_policy_hash", |w| w.witness_policy_hash.clear(), |w| w.witness_policy_hash.push(0)),
            ("registry_log", |w| w.registry_log.clear(), |w| w.registry_log = vec![0; 31]),
            (
                "civil_offset_minutes",
                |w| w.civil_offset_minutes = CIVIL_OFFSET_MINUTES_MAX,
                |w| w.civil_offset_minutes = CIVIL_OFFSET_MINUTES_MAX + 1,
            ),
            (
                "civil_offset_minutes",
                |w| w.civil_offset_minutes = -CIVIL_OFFSET_MINUTES_MAX,
                |w| w.civil_offset_minutes = -CIVIL_OFFSET_MINUTES_MAX - 1,
            ),
            ("continues.log_id", |w| w.continues = None, |w| continues(w).log_id.clear()),
            ("continues.size", |w| continues(w).size = 1, |w| continues(w).size = 0),
            ("continues.root", |_| {}, |w| continues(w).root.clear()),
        ],
    );
}

#[test]
fn genesis_keys_and_policy() {
    const KEYS: usize = GENESIS_KEYS_MAX;
    rows(
        &samples::genesis(),
        &samples::genesis_header(),
        &[
            ("checkpoint_keys", |w| w.checkpoint_keys = keys(KEYS), |w| w.checkpoint_keys = keys(KEYS + 1)),
            ("checkpoint_keys", |_| {}, |w| w.checkpoint_keys.clear()),
            ("statement_keys", |w| w.statement_keys = keys(KEYS), |w| w.statement_keys = keys(KEYS + 1)),
            ("statement_keys", |_| {}, |w| w.statement_keys.clear()),
            ("operator_keys", |w| w.operator_keys = keys(KEYS), |w| w.operator_keys = keys(KEYS + 1)),
            ("operator_keys", |_| {}, |w| w.operator_keys.clear()),
            (
                "authority_keys",
                |w| w.authority_keys = keys(AUTHORITY_KEYS_MAX),
                |w| w.authority_keys = keys(AUTHORITY_KEYS_MAX + 1),
            ),
            ("authority_keys", |_| {}, |w| w.authority_keys.clear()),
            ("authority_keys[1].algorithm", |_| {}, |w| w.authority_keys[1].algorithm = 0),
            ("authority_keys[2].key", |_| {}, |w| w.authority_keys[2].key = vec![0xFF; 32]),
            ("authority_keys[2].key", |_| {}, |w| w.authority_keys[2].key = vec![0x80; 33]),
            ("authority_threshold", |w| w.authority_threshold = 3, |w| w.authority_threshold = 4),
            ("authority_threshold", |w| w.authority_threshold = 1, |w| w.authority_threshold = 0),
            ("policy", |_| {}, |w| w.policy = None),
            ("policy.notice_days", |w| policy(w).notice_days = 365, |w| policy(w).notice_days = 366),
            ("policy.notice_days", |w| policy(w).notice_days = 7, |w| policy(w).notice_days = 6),
            (
                "policy.notice_days",
                |w| {
                    policy(w).notice_days = 0;
                    w.origin = "dev.x".to_owned();
                },
                |w| policy(w).notice_days = 0,
            ),
            ("policy.quorum", |w| policy(w).quorum = 16, |w| policy(w).quorum = 17),
            ("policy.appeal_days", |w| policy(w).appeal_days = 365, |w| policy(w).appeal_days = 366),
            ("policy.appeal_days", |w| policy(w).appeal_days = 0, |w| policy(w).appeal_days = u32::MAX),
            ("policy.lapse_days", |w| policy(w).lapse_days = 365, |w| policy(w).lapse_days = 366),
            ("policy.batch_days", |w| policy(w).batch_days = 365, |w| policy(w).batch_days = 366),
            ("policy.batch_days", |w| policy(w).batch_days = 1, |w| policy(w).batch_days = 0),
            ("policy.anchor_days", |w| policy(w).anchor_days = 365, |w| policy(w).anchor_days = 366),
            ("policy.anchor_days", |w| policy(w).anchor_days = 1, |w| policy(w).anchor_days = 0),
            ("policy.suspect_days", |w| policy(w).suspect_days = 365, |w| policy(w).suspect_days = 366),
            ("policy.suspect_days", |w| policy(w).suspect_days = 1, |w| policy(w).suspect_days = 0),
        ],
    );
}

fn institution_keys(count: usize) -> Vec<v1::InstitutionKey> {
    keys(count)
        .into_iter()
        .enumerate()
        .map(|(n, key)| v1::InstitutionKey { key: Some(key), purposes: vec![if n == 0 { 5 } else { 6 }] })
        .collect()
}

fn accreditation(wire: &mut v1::InstitutionAdmission) -> &mut v1::Accreditation {
    &mut wire.accreditations[0]
}

const ADMISSIONS: &[Row<v1::InstitutionAdmission>] = &[
    ("header", |_| {}, |w| w.header = None),
    (
        "institution_id",
        |w| w.institution_id = institution(ID_BYTES_MAX),
        |w| w.institution_id = institution(ID_BYTES_MAX + 1),
    ),
    ("institution_id", |_| {}, |w| w.institution_id = "operator".to_owned()),
    ("institution_id", |_| {}, |w| w.institution_id.clear()),
    ("kind", |w| w.kind = 10, |w| w.kind = 0),
    ("roles", |w| w.roles = vec![7], |w| w.roles.clear()),
    ("roles[1]", |w| w.roles = (1..=7).collect(), |w| w.roles = vec![5, 1]),
    ("roles[2]", |_| {}, |w| w.roles = vec![1, 5, 5]),
    ("district_code", |_| {}, |w| w.district_code.clear()),
    ("district_code", |w| w.district_code = "000000".to_owned(), |w| w.district_code.push('0')),
    ("district_code", |_| {}, |w| w.district_code = "50011x".to_owned()),
    ("parent_id", |w| w.parent_id.clear(), |w| w.parent_id = "cn".to_owned()),
    ("name", |_| {}, |w| w.name = None),
    ("name.zh", |w| w.name = Some(text(TEXT_BYTES_MAX, 0)), |w| w.name = Some(text(TEXT_BYTES_MAX + 1, 0))),
    ("name.en", |w| w.name = Some(text(0, TEXT_BYTES_MAX)), |w| w.name = Some(text(0, TEXT_BYTES_MAX + 1))),
    ("name.en", |_| {}, |w| w.name.as_mut().unwrap().en.push('\u{301}')),
    ("name.zh", |_| {}, |w| w.name.as_mut().unwrap().zh.push('\u{202E}')),
    ("name.zh", |_| {}, |w| w.name.as_mut().unwrap().zh.push('\n')),
    ("usci", |w| w.usci.clear(), |w| w.usci = x(USCI_BYTES)),
    ("usci", |w| w.usci = "9".repeat(USCI_BYTES), |w| w.usci = "9".repeat(USCI_BYTES + 1)),
    (
        "accreditations",
        |w| w.accreditations = vec![w.accreditations[0].clone(); ACCREDITATIONS_MAX],
        |w| w.accreditations = vec![w.accreditations[0].clone(); ACCREDITATIONS_MAX + 1],
    ),
    (
        "default_validity_years",
        |w| w.default_validity_years = VALIDITY_YEARS_MAX,
        |w| w.default_validity_years = VALIDITY_YEARS_MAX + 1,
    ),
    (
        "keys",
        |w| w.keys = institution_keys(ADMISSION_KEYS_MAX),
        |w| w.keys = institution_keys(ADMISSION_KEYS_MAX + 1),
    ),
    ("keys", |w| w.accreditations.clear(), |w| w.keys.clear()),
    ("keys[1]", |_| {}, |w| w.keys.swap(0, 1)),
    ("keys[1]", |_| {}, |w| w.keys[1].key = w.keys[0].key.clone()),
    // KEYS and RECOVERY in one key are no recovery from its loss.
    (
        "keys",
        |w| w.keys[1].purposes = vec![5, 6],
        |w| {
            w.keys[0].purposes = vec![5, 6];
            w.keys[1].purposes = vec![1];
        },
    ),
    ("keys", |_| {}, |w| w.keys[1].purposes = vec![1]),
    ("keys", |_| {}, |w| w.keys[0].purposes = vec![1]),
    ("keys[0].purposes", |_| {}, |w| w.keys[0].purposes.clear()),
    ("keys[0].purposes[1]", |w| w.keys[0].purposes = vec![5, 7], |w| w.keys[0].purposes = vec![7, 5]),
    ("keys[1].key", |_| {}, |w| w.keys[1].key = None),
];

#[test]
fn admissions() {
    rows(&samples::admission(), &samples::header(SignerId::Authority), ADMISSIONS);
}

fn ranges(count: usize) -> Vec<v1::LevelRange> {
    let range = |n| v1::LevelRange { framework: format!("f{n}"), min_tenths: 0, max_tenths: 1 };
    (0..count).map(range).collect()
}

fn prefixes(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n:02}")).collect()
}

const ACCREDITATIONS: &[Row<v1::InstitutionAdmission>] = &[
    (
        "accreditations[0].accreditation_no",
        |w| accreditation(w).accreditation_no = x(REFERENCE_BYTES_MAX),
        |w| accreditation(w).accreditation_no = x(REFERENCE_BYTES_MAX + 1),
    ),
    ("accreditations[0].accreditation_no", |_| {}, |w| accreditation(w).accreditation_no.clear()),
    (
        "accreditations[0].authority",
        |w| accreditation(w).authority = x(REFERENCE_BYTES_MAX),
        |w| accreditation(w).authority = x(REFERENCE_BYTES_MAX + 1),
    ),
    ("accreditations[0].authority", |_| {}, |w| accreditation(w).authority = "教委".to_owned()),
    ("accreditations[0].kinds", |w| accreditation(w).kinds = vec![10], |w| accreditation(w).kinds.clear()),
    ("accreditations[0].kinds[1]", |_| {}, |w| accreditation(w).kinds = vec![2, 1]),
    (
        "accreditations[0].levels",
        |w| accreditation(w).levels = ranges(LEVEL_RANGES_MAX),
        |w| accreditation(w).levels = ranges(LEVEL_RANGES_MAX + 1),
    ),
    (
        "accreditations[0].levels[1]",
        |w| accreditation(w).levels.clear(),
        |w| {
            accreditation(w).levels.swap(0, 1);
        },
    ),
    (
        "accreditations[0].levels[1]",
        |_| {},
        |w| {
            accreditation(w).levels[1].framework = "cn.nqf".to_owned();
        },
    ),
    (
        "accreditations[0].levels[0].framework",
        |w| accreditation(w).levels[0].framework = "a".to_owned(),
        |w| accreditation(w).levels[0].framework = "A".to_owned(),
    ),
    (
        "accreditations[0].levels[1].min_tenths",
        |w| accreditation(w).levels[1].min_tenths = 0,
        |w| accreditation(w).levels[1].min_tenths = -1,
    ),
    (
        "accreditations[0].levels[1].max_tenths",
        |w| accreditation(w).levels[1].max_tenths = LEVEL_TENTHS_MAX,
        |w| accreditation(w).levels[1].max_tenths = LEVEL_TENTHS_MAX + 1,
    ),
    (
        "accreditations[0].levels[0].max_tenths",
        |w| accreditation(w).levels[0].max_tenths = 10,
        |w| accreditation(w).levels[0].max_tenths = 9,
    ),
    (
        "accreditations[0].subject_prefixes",
        |w| accreditation(w).subject_prefixes = prefixes(PREFIXES_MAX),
        |w| accreditation(w).subject_prefixes = prefixes(PREFIXES_MAX + 1),
    ),
    (
        "accreditations[0].subject_prefixes[1]",
        |_| {},
        |w| {
            accreditation(w).subject_prefixes.reverse();
        },
    ),
    (
        "accreditations[0].subject_prefixes[0]",
        |w| accreditation(w).subject_prefixes = vec![x(CODE_BYTES_MAX)],
        |w| accreditation(w).subject_prefixes = vec![x(CODE_BYTES_MAX + 1)],
    ),
    (
        "accreditations[0].occupation_prefixes",
        |w| accreditation(w).occupation_prefixes = prefixes(PREFIXES_MAX),
        |w| accreditation(w).occupation_prefixes = prefixes(PREFIXES_MAX + 1),
    ),
    (
        "accreditations[0].occupation_prefixes[0]",
        |_| {},
        |w| {
            accreditation(w).occupation_prefixes = vec![String::new()];
        },
    ),
    ("accreditations[0].valid_from", |_| {}, |w| accreditation(w).valid_from = None),
    (
        "accreditations[0].valid_to",
        |w| accreditation(w).valid_to = Some(day(2024, 9, 1)),
        |w| accreditation(w).valid_to = Some(day(2024, 8, 31)),
    ),
    (
        "accreditations[0].valid_to",
        |w| accreditation(w).valid_to = None,
        |w| {
            accreditation(w).valid_to = Some(day(2030, 2, 30));
        },
    ),
];

#[test]
fn accreditations() {
    rows(&samples::admission(), &samples::header(SignerId::Authority), ACCREDITATIONS);
}

#[test]
fn keys_of_institutions() {
    let university = samples::by_university();
    rows(
        &samples::key_addition(),
        &university,
        &[
            (
                "institution_id",
                |w| w.institution_id = institution(64),
                |w| w.institution_id = institution(65),
            ),
            ("key", |_| {}, |w| w.key = None),
            ("key.key.key", |_| {}, |w| w.key.as_mut().unwrap().key.as_mut().unwrap().key = vec![0xFF; 32]),
            ("key.purposes", |_| {}, |w| w.key.as_mut().unwrap().purposes.clear()),
        ],
    );
    rows(
        &samples::key_retirement(),
        &university,
        &[("after", |_| {}, |w| w.after.clear()), ("kid", |_| {}, |w| w.kid.push(0))],
    );
    rows(
        &samples::key_compromise(),
        &university,
        &[("kid", |w| w.suspect_from_index = 0, |w| w.kid.clear()), ("header", |_| {}, |w| w.header = None)],
    );
}

fn scheme(wire: &mut v1::FrameworkPublication) -> &mut v1::CreditScheme {
    &mut wire.schemes[1]
}

fn scale(wire: &mut v1::FrameworkPublication) -> &mut v1::LevelScale {
    wire.levels.as_mut().unwrap()
}

fn schemes(count: usize) -> Vec<v1::CreditScheme> {
    let scheme = |n| v1::CreditScheme {
        scheme_id: format!("S{n:02}"),
        kind: 1,
        step_milli: 1,
        notional_minutes: 0,
        label: Some(text(1, 1)),
    };
    (0..count).map(scheme).collect()
}

#[test]
fn frameworks() {
    rows(
        &samples::publication(),
        &samples::header(SignerId::Authority),
        &[
            ("framework_id", |w| w.framework_id = x(ID_BYTES_MAX), |w| w.framework_id = x(ID_BYTES_MAX + 1)),
            ("version", |w| w.version = 1, |w| w.version = 0),
            ("title", |w| w.version = u32::MAX, |w| w.title = None),
            (
                "title.zh",
                |w| w.title = Some(text(TEXT_BYTES_MAX, 0)),
                |w| w.title = Some(text(TEXT_BYTES_MAX + 1, 1)),
            ),
            ("schemes", |w| w.schemes = schemes(SCHEMES_MAX), |w| w.schemes = schemes(SCHEMES_MAX + 1)),
            ("schemes[1]", |w| w.schemes.clear(), |w| w.schemes.swap(0, 1)),
            ("schemes[1].scheme_id", |_| {}, |w| scheme(w).scheme_id = "cn".to_owned()),
            ("schemes[1].kind", |w| scheme(w).kind = 3, |w| scheme(w).kind = 0),
            ("schemes[1].step_milli", |w| scheme(w).step_milli = 1, |w| scheme(w).step_milli = 0),
            ("schemes[1].step_milli", |_| {}, |w| scheme(w).step_milli = -1),
            (
                "schemes[1].step_milli",
                |w| scheme(w).step_milli = STEP_MILLI_MAX,
                |w| scheme(w).step_milli = STEP_MILLI_MAX + 1,
            ),
            (
                "schemes[1].notional_minutes",
                |w| scheme(w).notional_minutes = SCHEME_MINUTES_MAX,
                |w| scheme(w).notional_minutes = SCHEME_MINUTES_MAX + 1,
            ),
            (
                "schemes[1].notional_minutes",
                |w| scheme(w).notional_minutes = 0,
                |w| scheme(w).notional_minutes = -1,
            ),
            ("schemes[1].label", |_| {}, |w| scheme(w).label = None),
            ("schemes[1].label.en", |_| {}, |w| scheme(w).label = Some(text(1, TEXT_BYTES_MAX + 1))),
            ("levels.min_tenths", |w| w.levels = None, |w| scale(w).min_tenths = -1),
            (
                "levels.max_tenths",
                |w| scale(w).max_tenths = LEVEL_TENTHS_MAX,
                |w| scale(w).max_tenths = LEVEL_TENTHS_MAX + 1,
            ),
            ("levels.max_tenths", |w| scale(w).max_tenths = 10, |w| scale(w).max_tenths = 9),
            ("levels.step_tenths", |w| scale(w).step_tenths = 1, |w| scale(w).step_tenths = 0),
        ],
    );
}

#[test]
fn server_starts() {
    rows(
        &samples::server_start(),
        &samples::header(SignerId::Operator),
        &[
            ("epoch", |_| {}, |w| w.epoch = vec![0; 15]),
            ("software", |w| w.software = x(SOFTWARE_BYTES_MAX), |w| w.software = x(SOFTWARE_BYTES_MAX + 1)),
            ("software", |_| {}, |w| w.software.clear()),
            // Which protocol it is, the core judges.
            ("protocol", |w| w.protocol = u32::MAX, |w| w.protocol = 0),
        ],
    );
}

#[test]
fn upgrades() {
    rows(
        &samples::upgrade(),
        &samples::header(SignerId::Authority),
        &[
            ("header", |_| {}, |w| w.header = None),
            ("protocol", |w| w.protocol = u32::MAX, |w| w.protocol = 0),
            ("protocol", |w| (w.protocol, w.format) = (1, 2), |w| w.protocol = 1),
            ("format", |w| w.format = u32::MAX, |w| w.format = 0),
        ],
    );
}
