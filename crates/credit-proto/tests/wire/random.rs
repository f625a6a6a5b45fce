//! Random values of every noun, from a seed that a failing test prints.

mod conversion;

use std::collections::BTreeSet;

use credit_types::genesis::PROTOCOL;
use credit_types::*;

use crate::samples::{admit, uuid};

/// SplitMix64: the same numbers from the same seed for ever.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A number from `min` to `max`, often one of the two.
    pub(crate) fn range(&mut self, min: i64, max: i64) -> i64 {
        match self.below(4) {
            0 => min,
            1 => max,
            _ => min + (self.next() % (max - min + 1).cast_unsigned()).cast_signed(),
        }
    }

    pub(crate) fn int(&mut self, min: i32, max: i32) -> i32 {
        self.range(min.into(), max.into()) as i32
    }

    pub(crate) fn count(&mut self, min: u32, max: u32) -> u32 {
        self.range(min.into(), max.into()) as u32
    }

    pub(crate) fn big(&mut self) -> u64 {
        let shift = self.below(64);
        self.next() >> shift
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    pub(crate) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.coin().then(|| make(self))
    }

    pub(crate) fn list<T>(&mut self, min: usize, max: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.range(min as i64, max as i64);
        (0..count).map(|_| make(self)).collect()
    }

    pub(crate) fn ascii(&mut self, min: usize, max: usize) -> String {
        self.list(min, max, |random| char::from(random.count(0x20, 0x7E) as u8)).into_iter().collect()
    }

    /// Text for people of at most so many bytes.
    pub(crate) fn words(&mut self, min: usize, max: usize) -> String {
        let mut text = String::new();
        let bytes = self.range(min as i64, max as i64) as usize;
        while text.len() < bytes {
            let letter = self.pick(&['学', '分', 'a', 'é', '𠮷', ' ', '1', '—']);
            text.push(if text.len() + letter.len_utf8() <= bytes { letter } else { 'z' });
        }
        text
    }

    fn subset<T: Ord + Copy>(&mut self, all: &[T]) -> BTreeSet<T> {
        let mut set = BTreeSet::from([self.pick(all)]);
        set.extend(all.iter().filter(|_| self.coin()));
        set
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    pub(crate) fn digest(&mut self) -> Digest {
        Digest(self.bytes())
    }

    pub(crate) fn date(&mut self) -> CivilDate {
        CivilDate::new(self.int(1900, 2199), self.int(1, 12), self.int(1, 28)).unwrap()
    }

    pub(crate) fn institution(&mut self) -> InstitutionId {
        let label = self.digits(3);
        InstitutionId::new(self.pick(&["cn.cq", "cn", "a-b.c"]).to_owned() + "." + &label).unwrap()
    }

    pub(crate) fn framework(&mut self) -> FrameworkId {
        let number = self.digits(4);
        FrameworkId::new(self.pick(&["cn.nqf-", "x", "ab"]).to_owned() + &number).unwrap()
    }

    pub(crate) fn scheme(&mut self) -> SchemeId {
        SchemeId::new(format!("X{}_{}", self.below(1_000), "A".repeat(self.below(20)))).unwrap()
    }

    pub(crate) fn record_id(&mut self) -> RecordId {
        RecordId(uuid(self.pick(&[7, 8]), self.bytes()))
    }

    pub(crate) fn text(&mut self) -> Text {
        let zh = self.words(0, 256);
        let en = self.words(usize::from(zh.is_empty()), 256);
        Text { zh, en }
    }

    pub(crate) fn header(&mut self) -> Header {
        let signer = match self.below(4) {
            0 => SignerId::Authority,
            1 => SignerId::Operator,
            _ => SignerId::Institution(self.institution()),
        };
        let anchor = self.maybe(|random| Anchor { size: random.big().max(1), root: random.digest() });
        Header { anchor, signer, ..self.genesis_header() }.with_log(LogId(self.bytes()))
    }

    pub(crate) fn genesis_header(&mut self) -> Header {
        let statement_id = CommandId(uuid(7, self.bytes()));
        Header { log_id: None, statement_id, signer: SignerId::Authority, anchor: None }
    }

    pub(crate) fn key(&mut self) -> PublicKey {
        let mut bytes: [u8; 32] = self.bytes();
        bytes[31] &= 0x7F;
        PublicKey { bytes, kid: Kid(admit(&bytes).unwrap()) }
    }

    fn institution_key(&mut self) -> InstitutionKey {
        use KeyPurpose::{Decisions, Keys, Records, Recovery, Registry, Status, Tokens};
        let all = [Records, Status, Decisions, Registry, Keys, Recovery, Tokens];
        InstitutionKey { key: self.key(), purposes: self.subset(&all) }
    }

    pub(crate) fn genesis(&mut self) -> Genesis {
        let dev = self.coin();
        let days = |random: &mut Self, min| random.count(min, 365);
        let authority_keys = self.list(1, 16, Self::key);
        Genesis {
            nonce: self.bytes(),
            protocol: self.count(1, PROTOCOL),
            origin: if dev { "dev.example.com/log".to_owned() } else { "bank.example.cn".to_owned() },
            checkpoint_keys: self.list(1, 4, Self::key),
            statement_keys: self.list(1, 4, Self::key),
            operator_keys: self.list(1, 4, Self::key),
            authority_threshold: self.count(1, authority_keys.len() as u32),
            authority_keys,
            witness_policy_hash: self.maybe(Self::digest),
            registry_log: self.maybe(|random| LogId(random.bytes())),
            civil_offset_minutes: self.int(-840, 840),
            policy: Policy {
                notice_days: days(self, if dev { 0 } else { 7 }),
                quorum: self.count(0, 16),
                appeal_days: days(self, 0),
                lapse_days: days(self, 0),
                batch_days: days(self, 1),
                anchor_days: days(self, 1),
                suspect_days: days(self, 1),
            },
            continues: self.maybe(|random| LogContinuation {
                log_id: LogId(random.bytes()),
                size: random.big().max(1),
                root: random.digest(),
            }),
        }
    }

    pub(crate) fn admission(&mut self) -> InstitutionAdmission {
        use InstitutionKind::{Authority, CreditBank, Employer, University, VocationalSchool};
        use Role::{Acceptor, Awarder, Evaluator, Issuer, Registrar, Regulator, Witness};
        let mut keys = self.list(2, 8, Self::institution_key);
        keys[0].purposes.insert(KeyPurpose::Keys);
        keys[1].purposes.insert(KeyPurpose::Recovery);
        keys.sort_by_key(|key| key.key.bytes);
        InstitutionAdmission {
            institution_id: self.institution(),
            kind: self.pick(&[University, VocationalSchool, Employer, Authority, CreditBank]),
            roles: self.subset(&[Issuer, Evaluator, Acceptor, Awarder, Registrar, Regulator, Witness]),
            district_code: self.digits(6),
            parent_id: self.maybe(Self::institution),
            name: self.text(),
            usci: self.maybe(|random| random.digits(17) + "X").unwrap_or_default(),
            accreditations: self.list(0, 16, Self::accreditation),
            keys,
            default_validity_years: self.count(0, 100),
        }
    }

    fn accreditation(&mut self) -> Accreditation {
        let prefixes =
            |random: &mut Self| random.list(0, 16, |random| random.ascii(1, 16)).into_iter().collect();
        let frameworks: BTreeSet<FrameworkId> = self.list(0, 8, Self::framework).into_iter().collect();
        let valid_from = self.date();
        Accreditation {
            accreditation_no: self.ascii(1, 64),
            authority: self.ascii(1, 64),
            kinds: self.subset(&KINDS),
            levels: frameworks
                .into_iter()
                .map(|framework| {
                    let min_tenths = self.int(0, 1_000);
                    LevelRange { framework, min_tenths, max_tenths: self.int(min_tenths, 1_000) }
                })
                .collect(),
            subject_prefixes: prefixes(self),
            occupation_prefixes: prefixes(self),
            valid_from,
            valid_to: self.maybe(Self::date).map(|date| date.max(valid_from)),
        }
    }

    pub(crate) fn key_addition(&mut self) -> KeyAddition {
        KeyAddition { institution_id: self.institution(), key: self.institution_key() }
    }

    pub(crate) fn publication(&mut self) -> FrameworkPublication {
        let ids: BTreeSet<SchemeId> = self.list(0, 32, Self::scheme).into_iter().collect();
        let min_tenths = self.int(0, 1_000);
        FrameworkPublication {
            framework_id: self.framework(),
            version: self.count(1, u32::MAX),
            title: self.text(),
            schemes: ids
                .into_iter()
                .map(|scheme_id| CreditScheme {
                    scheme_id,
                    kind: self.pick(&[SchemeKind::Credit, SchemeKind::Hour, SchemeKind::Point]),
                    step_milli: self.range(1, 1_000_000),
                    notional_minutes: self.int(0, 1_000_000),
                    label: self.text(),
                })
                .collect(),
            levels: self.maybe(|random| LevelScale {
                min_tenths,
                max_tenths: random.int(min_tenths, 1_000),
                step_tenths: random.int(1, 1_000),
            }),
        }
    }

    pub(crate) fn opening(&mut self) -> AccountOpening {
        use AssuranceLevel::{Document, DocumentFace, None, Phone};
        AccountOpening {
            assurance: self.pick(&[None, Phone, Document, DocumentFace]),
            identity_commitment: self.digest(),
        }
    }

    pub(crate) fn reason(&mut self) -> StatusReason {
        use StatusReason::{Fraud, Investigation, IssuedInError, KeyCompromise, LegalOrder, Resolved};
        self.pick(&[Fraud, Investigation, IssuedInError, KeyCompromise, LegalOrder, Resolved])
    }

    pub(crate) fn account_change(&mut self) -> AccountStatusChange {
        use AccountAction::{Close, Reinstate, Suspend};
        AccountStatusChange {
            after: self.digest(),
            account_ref: AccountRef(self.bytes()),
            action: self.pick(&[Suspend, Reinstate, Close]),
            reason: self.reason(),
            order_ref: self.ascii(0, 64),
            explanation_commitment: self.maybe(Self::digest),
        }
    }

    pub(crate) fn facts(&mut self) -> RecordFacts {
        use HourKind::{Contact, Continuing, Notional, Practice};
        let subject_code = self.ascii(0, 16);
        RecordFacts {
            record_id: self.record_id(),
            account_ref: AccountRef(self.bytes()),
            kind: self.pick(&KINDS),
            amount: self.maybe(|random| Amount {
                scheme: random.scheme(),
                credits: Credits::from_milli(random.range(1, 1_000_000_000)).unwrap(),
            }),
            minutes: self.maybe(|random| Minutes {
                hour_kind: random.pick(&[Contact, Notional, Continuing, Practice]),
                minutes: random.int(1, 10_000_000),
                class_hour_minutes: random.int(0, 120),
            }),
            level: self.maybe(|random| Level { framework: random.framework(), tenths: random.int(0, 1_000) }),
            occupation_code: self.ascii(usize::from(subject_code.is_empty()), 16),
            subject_code,
            awarded_on: self.date(),
            valid_until: self.maybe(Self::date),
            details_commitment: self.digest(),
            credit_eligible: self.coin(),
        }
    }

    pub(crate) fn correction(&mut self) -> RecordCorrection {
        use CorrectionReason::{Amount, Clerical, Dispute, GradeRevised};
        RecordCorrection {
            after: self.digest(),
            supersedes: self.record_id(),
            reason: self.pick(&[Clerical, GradeRevised, Amount, Dispute]),
            facts: self.facts(),
            explanation_commitment: self.maybe(Self::digest),
        }
    }

    pub(crate) fn record_change(&mut self) -> RecordStatusChange {
        let action = self.pick(&[RecordAction::Revoke, RecordAction::Suspend, RecordAction::Reinstate]);
        RecordStatusChange {
            after: (action != RecordAction::Revoke).then(|| self.digest()),
            account_ref: AccountRef(self.bytes()),
            issuer_id: self.institution(),
            record_id: self.record_id(),
            action,
            reason: self.reason(),
            order_ref: self.ascii(0, 64),
            effective_from: self.maybe(Self::date),
            explanation_commitment: self.maybe(Self::digest),
        }
    }

    pub(crate) fn manifest(&mut self) -> BatchManifest {
        let leaf_type = self.pick(&[LeafType::Record, LeafType::Opening]);
        BatchManifest { leaf_type, record_count: self.count(1, 1 << 20), root: self.digest() }
    }
}

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

trait WithLog {
    fn with_log(self, log_id: LogId) -> Self;
}

impl WithLog for Header {
    fn with_log(self, log_id: LogId) -> Self {
        Self { log_id: Some(log_id), ..self }
    }
}
