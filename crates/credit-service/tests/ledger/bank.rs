//! A bank in a folder, with every key of everybody, and what is sent to it.

use credit_log::commitment::{DETAILS_LABEL, IDENTITY_LABEL, commit};
use credit_log::envelope::SigningKey;
use credit_proto::{Envelope, Secret, Signable, payload_type, v1};
use credit_service::{Expected, Failure, Ledger, OpenOptions, ServerKeys};
use credit_types::*;
use std::collections::BTreeSet;
use std::path::Path;
use zeroize::Zeroizing;

/// A bank in a folder, with every key of everybody.
pub(crate) struct Bank {
    pub(crate) ledger: Ledger,
    pub(crate) log_id: LogId,
    pub(crate) next: u8,
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

pub(crate) fn public(seed: u8) -> PublicKey {
    let key = key(seed).public();
    PublicKey { bytes: key.bytes(), kid: Kid(key.kid()) }
}

pub(crate) const AUTHORITY: [u8; 3] = [1, 2, 3];
pub(crate) const CHECKPOINT: u8 = 4;
pub(crate) const STATEMENT: u8 = 5;
pub(crate) const OPERATOR: u8 = 6;
pub(crate) const RECORDS: u8 = 10;
pub(crate) const STATUS: u8 = 11;
pub(crate) const REGISTRY: u8 = 12;
pub(crate) const KEYS: u8 = 13;
pub(crate) const RECOVERY: u8 = 14;

pub(crate) fn server_keys() -> ServerKeys {
    ServerKeys {
        checkpoint: key(CHECKPOINT),
        second_checkpoint: None,
        statement: key(STATEMENT),
        operator: key(OPERATOR),
        root: Zeroizing::new([9; 32]),
    }
}

pub(crate) fn id(number: u8) -> CommandId {
    let mut bytes = [number; 16];
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    CommandId(bytes)
}

pub(crate) fn envelope<B: Signable>(body: &B, header: &Header, seeds: &[u8]) -> Envelope {
    let payload = body.payload(Some(header));
    let mut signatures: Vec<(Kid, [u8; 64])> = seeds
        .iter()
        .map(|seed| (Kid(key(*seed).public().kid()), key(*seed).sign_statement(B::TYPE, &payload)))
        .collect();
    signatures.sort_unstable();
    Envelope { payload_type: B::TYPE.to_owned(), payload, signatures }
}

pub(crate) fn wire(envelope: Envelope) -> v1::Envelope {
    let signatures = envelope.signatures.iter();
    v1::Envelope {
        payload_type: envelope.payload_type,
        payload: envelope.payload,
        signatures: signatures
            .map(|(kid, signature)| v1::Signature { kid: kid.0.to_vec(), signature: signature.to_vec() })
            .collect(),
    }
}

pub(crate) fn genesis() -> Genesis {
    Genesis {
        nonce: [7; 32],
        protocol: credit_types::genesis::PROTOCOL,
        origin: "dev.example/bank".to_owned(),
        checkpoint_keys: vec![public(CHECKPOINT)],
        statement_keys: vec![public(STATEMENT)],
        operator_keys: vec![public(OPERATOR)],
        authority_keys: AUTHORITY.iter().map(|seed| public(*seed)).collect(),
        authority_threshold: 2,
        witness_policy_hash: None,
        registry_log: None,
        civil_offset_minutes: 480,
        policy: Policy {
            notice_days: 0,
            quorum: 0,
            appeal_days: 15,
            lapse_days: 30,
            batch_days: 7,
            anchor_days: 30,
            suspect_days: 30,
        },
        continues: None,
    }
}

pub(crate) fn create(dir: &Path) -> LogId {
    create_of(dir, &genesis())
}

pub(crate) fn create_of(dir: &Path, genesis: &Genesis) -> LogId {
    let header = Header { log_id: None, statement_id: id(1), signer: SignerId::Authority, anchor: None };
    Ledger::create(dir, &envelope(genesis, &header, &AUTHORITY[..2]), server_keys()).unwrap()
}

pub(crate) fn options() -> OpenOptions {
    OpenOptions { reserve_bytes: 0, cache_bytes: 16 << 20, ..OpenOptions::default() }
}

pub(crate) fn school() -> InstitutionId {
    InstitutionId::new("cn.test.school").unwrap()
}

pub(crate) fn admission() -> InstitutionAdmission {
    let purposes = [
        (RECORDS, KeyPurpose::Records),
        (STATUS, KeyPurpose::Status),
        (REGISTRY, KeyPurpose::Registry),
        (KEYS, KeyPurpose::Keys),
        (RECOVERY, KeyPurpose::Recovery),
    ];
    let mut keys: Vec<InstitutionKey> = purposes
        .into_iter()
        .map(|(seed, purpose)| InstitutionKey { key: public(seed), purposes: BTreeSet::from([purpose]) })
        .collect();
    keys.sort_by_key(|key| key.key.bytes);
    InstitutionAdmission {
        institution_id: school(),
        kind: InstitutionKind::University,
        roles: BTreeSet::from([Role::Issuer, Role::Registrar]),
        district_code: "990100".to_owned(),
        parent_id: None,
        name: Text { zh: "测试学校".to_owned(), en: "Test School".to_owned() },
        usci: String::new(),
        accreditations: vec![Accreditation {
            accreditation_no: "A-1".to_owned(),
            authority: "bureau".to_owned(),
            kinds: BTreeSet::from([RecordKind::FormalCourse]),
            levels: Vec::new(),
            subject_prefixes: BTreeSet::new(),
            occupation_prefixes: BTreeSet::new(),
            valid_from: CivilDate::new(2000, 1, 1).unwrap(),
            valid_to: None,
        }],
        keys,
        default_validity_years: 0,
    }
}

pub(crate) fn framework() -> FrameworkPublication {
    FrameworkPublication {
        framework_id: FrameworkId::new("cn.test").unwrap(),
        version: 1,
        title: Text { zh: "测试".to_owned(), en: "test".to_owned() },
        schemes: vec![CreditScheme {
            scheme_id: SchemeId::new("CN_XF").unwrap(),
            kind: SchemeKind::Credit,
            step_milli: 500,
            notional_minutes: 0,
            label: Text { zh: "学分".to_owned(), en: "credit".to_owned() },
        }],
        levels: None,
    }
}

impl Bank {
    pub(crate) async fn open(dir: &Path, log_id: LogId, next: u8) -> Self {
        let ledger = Ledger::open(dir, server_keys(), options()).await.unwrap();
        Self { ledger, log_id, next }
    }

    pub(crate) fn header(&mut self, signer: SignerId) -> Header {
        self.next += 1;
        let head = self.ledger.reader().head();
        Header {
            log_id: Some(self.log_id),
            statement_id: id(self.next),
            signer,
            anchor: Some(Anchor { size: head.size, root: head.root }),
        }
    }

    pub(crate) async fn send(
        &self,
        expected: Expected,
        envelope: Envelope,
        secret: Option<v1::SecretPart>,
    ) -> Result<credit_service::Answer, Failure> {
        let prepared =
            self.ledger.preparer().statement(expected, Some(wire(envelope)), secret, None, true)?;
        self.ledger.submit(prepared).await
    }

    /// Frameworks, the school, one account.
    pub(crate) async fn furnish(&mut self) -> AccountRef {
        let header = self.header(SignerId::Authority);
        let statement = envelope(&framework(), &header, &AUTHORITY[1..]);
        self.send(Expected::PublishFramework, statement, None).await.unwrap();
        let header = self.header(SignerId::Authority);
        let seeds = [1, 2, RECORDS, STATUS, REGISTRY, KEYS, RECOVERY];
        self.send(Expected::AdmitInstitution, envelope(&admission(), &header, &seeds), None).await.unwrap();
        let identity = AccountIdentity { name: "张三".to_owned(), ..AccountIdentity::default() }.payload();
        let salt = [3; 32];
        let commitment = commit(IDENTITY_LABEL, &salt, payload_type::ACCOUNT_IDENTITY, &identity);
        let opening =
            AccountOpening { assurance: AssuranceLevel::Phone, identity_commitment: Digest(commitment) };
        let header = self.header(SignerId::Institution(school()));
        let statement = envelope(&opening, &header, &[REGISTRY]);
        let secret = v1::SecretPart { salt: salt.to_vec(), payload: identity };
        let answer = self.send(Expected::OpenAccount, statement.clone(), Some(secret.clone())).await.unwrap();
        let again = self.send(Expected::OpenAccount, statement, Some(secret)).await.unwrap();
        assert!(again.replayed && again.opened == answer.opened && again.index == answer.index);
        assert_eq!(answer.opened.len(), 1);
        assert_eq!(answer.opened[0].account_number.len(), 16);
        answer.opened[0].account_ref
    }
}

pub(crate) fn facts(account_ref: AccountRef, number: u8, salt: [u8; 32]) -> (RecordFacts, v1::SecretPart) {
    let details = RecordDetails {
        catalogue_ref: "C-1@1".to_owned(),
        title: Text { zh: "课程".to_owned(), en: String::new() },
        certificate_no: format!("N{number}"),
        ..RecordDetails::default()
    };
    let payload = details.payload();
    let commitment = commit(DETAILS_LABEL, &salt, payload_type::RECORD_DETAILS, &payload);
    let facts = RecordFacts {
        record_id: RecordId(id(number).0),
        account_ref,
        kind: RecordKind::FormalCourse,
        amount: Some(Amount {
            scheme: SchemeId::new("CN_XF").unwrap(),
            credits: Credits::from_milli(1_500).unwrap(),
        }),
        minutes: None,
        level: None,
        subject_code: "0611".to_owned(),
        occupation_code: String::new(),
        awarded_on: CivilDate::new(2025, 6, 30).unwrap(),
        valid_until: None,
        details_commitment: Digest(commitment),
        credit_eligible: true,
    };
    (facts, v1::SecretPart { salt: salt.to_vec(), payload })
}
