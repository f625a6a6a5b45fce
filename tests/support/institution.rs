//! An institution of a test with a key for each purpose, its statements' admission, and its access tokens.

use crate::statement::{date, unique};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credit_log::envelope::{SigningKey, kid_text};
use credit_log::hash::labelled;
use credit_proto::v1;
use credit_proto::v1::{KeyPurpose, RecordKind, Role};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Every purpose of a key.
pub(crate) const PURPOSES: [KeyPurpose; 7] = [
    KeyPurpose::Records,
    KeyPurpose::Status,
    KeyPurpose::Decisions,
    KeyPurpose::Registry,
    KeyPurpose::Keys,
    KeyPurpose::Recovery,
    KeyPurpose::Tokens,
];

/// Every kind of record.
pub(crate) const KINDS: [RecordKind; 10] = [
    RecordKind::FormalCourse,
    RecordKind::NondegreeCourse,
    RecordKind::SkillGrade,
    RecordKind::XCert,
    RecordKind::Qualification,
    RecordKind::Exam,
    RecordKind::Cpd,
    RecordKind::Activity,
    RecordKind::Experience,
    RecordKind::Award,
];

/// An institution whose keys are made from its id, so that a test can make them again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Institution {
    /// Its id.
    pub(crate) id: String,
    roles: Vec<Role>,
    accreditations: Vec<v1::Accreditation>,
}

impl Institution {
    /// One with any id.
    pub(crate) fn named(id: impl Into<String>, roles: &[Role]) -> Self {
        Self { id: id.into(), roles: roles.to_vec(), accreditations: Vec::new() }
    }

    /// A registrar of an id that nobody else has.
    pub(crate) fn registrar() -> Self {
        Self::named(unique("cn.test.registrar-"), &[Role::Registrar])
    }

    /// A regulator of an id that nobody else has.
    pub(crate) fn regulator() -> Self {
        Self::named(unique("cn.test.regulator-"), &[Role::Regulator])
    }

    /// An issuer of an id that nobody else has, accredited for every kind, level and subject.
    pub(crate) fn school() -> Self {
        Self::named(unique("cn.test.school-"), &[Role::Issuer])
            .accredited(v1::Accreditation { kinds: KINDS.map(i32::from).to_vec(), ..accreditation() })
    }

    /// Adds an accreditation.
    pub(crate) fn accredited(mut self, accreditation: v1::Accreditation) -> Self {
        self.accreditations.push(accreditation);
        self
    }

    /// The seed of one of its keys.
    pub(crate) fn seed(&self, what: &str) -> [u8; 32] {
        labelled("creditbank/test-key/v1", &[self.id.as_bytes(), b"/", what.as_bytes()])
    }

    /// Its key for a purpose.
    pub(crate) fn key(&self, purpose: KeyPurpose) -> SigningKey {
        SigningKey::from_seed(self.seed(purpose.as_str_name()))
    }

    /// A key that it could add: nobody knows it before.
    pub(crate) fn spare_key(&self, name: &str) -> SigningKey {
        SigningKey::from_seed(self.seed(name))
    }

    /// The statement that admits it, without a header.
    pub(crate) fn admission(&self) -> v1::InstitutionAdmission {
        let mut keys: Vec<v1::InstitutionKey> =
            PURPOSES.iter().map(|purpose| institution_key(&self.key(*purpose), *purpose)).collect();
        keys.sort_by_key(|key| key.key.as_ref().map(|key| key.key.clone()));
        let mut roles: Vec<i32> = self.roles.iter().copied().map(i32::from).collect();
        roles.sort_unstable();
        v1::InstitutionAdmission {
            header: None,
            institution_id: self.id.clone(),
            kind: v1::InstitutionKind::University.into(),
            roles,
            district_code: "990101".to_owned(),
            parent_id: String::new(),
            name: Some(v1::Text { zh: "测试学校".to_owned(), en: "Test school".to_owned() }),
            usci: String::new(),
            accreditations: self.accreditations.clone(),
            keys,
            default_validity_years: 0,
        }
    }

    /// A token that this institution signs for itself, for the log of this origin, from now on for five minutes.
    pub(crate) fn token(&self, origin: &str) -> String {
        let now = now_s();
        let claims = json!({ "iss": self.id, "aud": origin, "iat": now, "exp": now + 300 });
        jwt(&self.key(KeyPurpose::Tokens), &claims)
    }
}

/// An accreditation of no kind yet, without levels and prefixes, in force for long.
pub(crate) fn accreditation() -> v1::Accreditation {
    v1::Accreditation {
        accreditation_no: "T-1".to_owned(),
        authority: "test".to_owned(),
        kinds: Vec::new(),
        levels: Vec::new(),
        subject_prefixes: Vec::new(),
        occupation_prefixes: Vec::new(),
        valid_from: Some(date(2000, 1, 1)),
        valid_to: None,
    }
}

/// A key with one purpose, as an admission or addition carries it.
pub(crate) fn institution_key(key: &SigningKey, purpose: KeyPurpose) -> v1::InstitutionKey {
    let public =
        v1::PublicKey { algorithm: v1::KeyAlgorithm::Ed25519.into(), key: key.public().bytes().to_vec() };
    v1::InstitutionKey { key: Some(public), purposes: vec![purpose.into()] }
}

/// Seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "a token is of the present")]
pub(crate) fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock behind 1970");
    i64::try_from(since.as_secs()).expect("a near future")
}

/// A JWT with these claims, signed and named by a key.
pub(crate) fn jwt(key: &SigningKey, claims: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid_text(&key.public().kid()) });
    jwt_with(key, &header, claims)
}

/// A JWT with any header.
pub(crate) fn jwt_with(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A framework with ten levels and two schemes: `T_XF` by halves of a credit, `T_MILLI` by thousandths.
pub(crate) fn framework() -> v1::FrameworkPublication {
    let label = |en: &str| Some(v1::Text { zh: "测试".to_owned(), en: en.to_owned() });
    let scheme = |id: &str, step_milli| v1::CreditScheme {
        scheme_id: id.to_owned(),
        kind: v1::SchemeKind::Credit.into(),
        step_milli,
        notional_minutes: 0,
        label: label(id),
    };
    v1::FrameworkPublication {
        header: None,
        framework_id: "test.nqf".to_owned(),
        version: 1,
        title: label("Test framework"),
        schemes: vec![scheme("T_MILLI", 1), scheme("T_XF", 500)],
        levels: Some(v1::LevelScale { min_tenths: 10, max_tenths: 100, step_tenths: 10 }),
    }
}
