//! What is said to the bank: each statement as it should be, but for what a test changes about it.

use super::bank::{Bank, OFFSET_MINUTES, Outcome, digest};
use super::book::BOOK;
use crate::draw::{expanded, word_of};
use credit_types::genesis::FORMAT;
use credit_types::*;
use std::collections::BTreeSet;

/// Days of the policy.
pub(super) const NOTICE_DAYS: u32 = 7;
pub(super) const APPEAL_DAYS: u32 = 15;
pub(super) const LAPSE_DAYS: u32 = 40;

pub(super) fn kid(name: &str) -> Kid {
    Kid(expanded(word_of(name)))
}

fn public_key(name: &str) -> PublicKey {
    PublicKey { bytes: expanded(!word_of(name)), kid: kid(name) }
}

/// Bytes that sort as their names do.
fn padded<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

pub(super) fn account(name: &str) -> AccountRef {
    AccountRef(padded(name))
}

pub(super) fn institution(name: &str) -> InstitutionId {
    InstitutionId::new(format!("cn.{name}")).unwrap()
}

fn signer(name: &str) -> SignerId {
    match name {
        "authority" => SignerId::Authority,
        "operator" => SignerId::Operator,
        other => SignerId::Institution(institution(other)),
    }
}

/// `t/r1` is the record `r1` of `cn.t`.
pub(super) fn record(name: &str) -> RecordName {
    let (issuer, id) = name.split_once('/').unwrap();
    RecordName { issuer: institution(issuer), record_id: RecordId(padded(id)) }
}

pub(super) fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

pub(super) fn credits(milli: i64) -> Credits {
    Credits::from_milli(milli).unwrap()
}

pub(super) fn scheme() -> SchemeId {
    SchemeId::new("CN_XF").unwrap()
}

pub(super) fn name(text: &str) -> BookName {
    BookName::new(text).unwrap()
}

pub(super) fn book(number: u32) -> BookVersion {
    BookVersion { book_id: FrameworkId::new("bank").unwrap(), version: number }
}

/// What a record is about.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// A training of so many class hours of 45 minutes, without credit of its own.
    Hours(i32),
    /// A training of so many class hours with credit.
    Training(i32, i64),
    /// A skill grade of a level, with credit.
    Grade(i32, i64),
    /// A skill grade without an amount.
    Bare(i32),
    /// A course with credit.
    Course(i64),
    /// A course of the catalogue.
    Named(&'static str),
    /// An examination with credit.
    Exam(i64),
    /// A certificate with credit.
    Cert(i64),
}

impl Bank {
    /// A statement by a signer with these keys.
    pub(super) fn signed<B>(&mut self, by: &str, keys: &[&str], body: B) -> Signed<B> {
        self.statements += 1;
        let size = self.index();
        let header = Header {
            log_id: self.leaf(0).map(|leaf| LogId(leaf.0)),
            // The last two bytes count what is granted.
            statement_id: CommandId(expanded(self.statements)),
            signer: signer(by),
            anchor: self.root(size).map(|root| Anchor { size, root }),
        };
        let mut signers: Vec<Kid> = keys.iter().map(|name| kid(name)).collect();
        signers.sort();
        Signed { header, body, signers }
    }

    pub(super) fn after(&self, index: u64) -> Digest {
        self.leaf(index).unwrap_or(digest("no leaf"))
    }

    pub(super) fn genesis(&mut self, protocol: u32, change: impl FnOnce(&mut Genesis)) -> Outcome {
        let keys = |names: &[&str]| names.iter().map(|name| public_key(name)).collect();
        let mut body = Genesis {
            nonce: [7; 32],
            protocol,
            origin: String::from("dev.bank.example"),
            checkpoint_keys: keys(&["log.1"]),
            statement_keys: keys(&["log.2"]),
            operator_keys: keys(&["op.1"]),
            authority_keys: keys(&["auth.1", "auth.2", "auth.3", "auth.4"]),
            authority_threshold: 2,
            witness_policy_hash: None,
            registry_log: None,
            civil_offset_minutes: OFFSET_MINUTES,
            policy: Policy {
                notice_days: NOTICE_DAYS,
                quorum: 3,
                appeal_days: APPEAL_DAYS,
                lapse_days: LAPSE_DAYS,
                batch_days: 7,
                anchor_days: 30,
                suspect_days: 365,
            },
            continues: None,
        };
        change(&mut body);
        let mut statement = self.signed("authority", &["auth.1", "auth.2"], body);
        statement.header.log_id = None;
        statement.header.anchor = None;
        self.submit(&Command::CreateLedger(Box::new(statement)))
    }

    /// With a framework, institutions and an account; the book is in force.
    pub(super) fn open() -> Self {
        let mut bank = Self::founded(2, |_| {});
        bank.publish(BOOK).unwrap();
        bank.wait_days(NOTICE_DAYS);
        bank.change_book(1, RuleBookAction::Activate).unwrap();
        bank
    }

    /// The same without a book.
    pub(super) fn founded(protocol: u32, change: impl FnOnce(&mut Genesis)) -> Self {
        let mut bank = Self::empty();
        bank.genesis(protocol, change).unwrap();
        bank.framework("nqf", 1).unwrap();
        bank.admit("t", &[Role::Issuer]);
        bank.admit("u", &[Role::Issuer, Role::Acceptor, Role::Awarder]);
        bank.admit("v", &[Role::Issuer, Role::Acceptor, Role::Awarder]);
        bank.admit("r", &[Role::Registrar]);
        bank.admit("g", &[Role::Regulator]);
        bank.open_account("ann", AssuranceLevel::Document);
        bank.open_account("bob", AssuranceLevel::DocumentFace);
        bank
    }

    pub(super) fn framework(&mut self, id: &str, number: u32) -> Outcome {
        let scheme = CreditScheme {
            scheme_id: scheme(),
            kind: SchemeKind::Credit,
            step_milli: 500,
            notional_minutes: 0,
            label: Text::default(),
        };
        let body = FrameworkPublication {
            framework_id: FrameworkId::new(id).unwrap(),
            version: number,
            title: Text::default(),
            schemes: if id == "nqf" { vec![scheme] } else { Vec::new() },
            levels: Some(LevelScale { min_tenths: 10, max_tenths: 80, step_tenths: 10 }),
        };
        let statement = self.signed("authority", &["auth.1", "auth.2"], body);
        self.submit(&Command::PublishFramework(Box::new(statement)))
    }

    pub(super) fn admit(&mut self, id: &str, roles: &[Role]) {
        let purposes = [
            ("keys", KeyPurpose::Keys),
            ("recovery", KeyPurpose::Recovery),
            ("records", KeyPurpose::Records),
            ("status", KeyPurpose::Status),
            ("registry", KeyPurpose::Registry),
            ("one", KeyPurpose::Decisions),
            ("two", KeyPurpose::Decisions),
            ("three", KeyPurpose::Decisions),
        ];
        let names = purposes.map(|(key, _)| format!("{id}.{key}"));
        let keys = names.iter().zip(purposes).map(|(name, (_, purpose))| InstitutionKey {
            key: public_key(name),
            purposes: BTreeSet::from([purpose]),
        });
        let body = InstitutionAdmission {
            institution_id: institution(id),
            kind: InstitutionKind::University,
            roles: roles.iter().copied().collect(),
            district_code: String::from("500000"),
            parent_id: None,
            name: Text::default(),
            usci: String::new(),
            accreditations: vec![Accreditation {
                accreditation_no: String::from("A-1"),
                authority: String::from("MoE"),
                kinds: [
                    RecordKind::FormalCourse,
                    RecordKind::NondegreeCourse,
                    RecordKind::SkillGrade,
                    RecordKind::Exam,
                    RecordKind::XCert,
                ]
                .into(),
                levels: Vec::new(),
                subject_prefixes: BTreeSet::new(),
                occupation_prefixes: BTreeSet::new(),
                valid_from: day("2020-01-01"),
                valid_to: None,
            }],
            keys: keys.collect(),
            default_validity_years: 0,
        };
        let mut by: Vec<&str> = names.iter().map(String::as_str).collect();
        by.extend(["auth.1", "auth.2"]);
        let statement = self.signed("authority", &by, body);
        self.submit(&Command::AdmitInstitution(Box::new(statement))).unwrap();
    }

    pub(super) fn open_account(&mut self, who: &str, assurance: AssuranceLevel) {
        let alias = |kind| AliasCheck { asserted: AliasAsserted { kind, pepper_version: 1 }, taken: false };
        let aliases = vec![alias(AliasKind::AccountNumber), alias(AliasKind::Document)];
        let body = AccountOpening { assurance, identity_commitment: digest(who) };
        let statement = self.signed("r", &["r.registry"], body);
        let draw = OpeningDraw { account_ref: account(who), aliases };
        self.submit(&Command::OpenAccount(statement, draw)).unwrap();
    }

    pub(super) fn change_account(&mut self, who: &str, action: AccountAction) -> Outcome {
        let body = AccountStatusChange {
            after: self.after(self.account(account(who)).last_status_index),
            account_ref: account(who),
            action,
            reason: StatusReason::Investigation,
            order_ref: String::new(),
            explanation_commitment: None,
        };
        let statement = self.signed("r", &["r.registry"], body);
        self.submit(&Command::ChangeAccountStatus(statement))
    }

    /// A record of an account; an issuer offers it.
    pub(super) fn deposit(&mut self, id: &str, who: &str, what: What) {
        self.deposit_with(id, who, what, |_| {}).unwrap();
    }

    pub(super) fn deposit_with(
        &mut self,
        id: &str,
        who: &str,
        what: What,
        change: impl FnOnce(&mut RecordFacts),
    ) -> Outcome {
        let (issuer, _) = id.split_once('/').unwrap();
        let mut body = facts(id, who, what);
        change(&mut body);
        let details = details(what);
        let check = DepositCheck {
            details: Details::Known(Box::new(details.clone())),
            fingerprint_version: 1,
            fingerprint_taken: false,
        };
        self.details.insert(record(id), details);
        let key = format!("{issuer}.records");
        let statement = self.signed(issuer, &[&key], body);
        self.submit(&Command::DepositRecord(Box::new(statement), Box::new(check)))
    }

    pub(super) fn correct(&mut self, old: &str, new: &str, who: &str, what: What) -> Outcome {
        let (issuer, _) = old.split_once('/').unwrap();
        let body = RecordCorrection {
            after: self.after(self.record(&record(old)).last_status_index),
            supersedes: record(old).record_id,
            reason: CorrectionReason::Clerical,
            facts: facts(new, who, what),
            explanation_commitment: None,
        };
        let details = details(what);
        let check = DepositCheck {
            details: Details::Known(Box::new(details.clone())),
            fingerprint_version: 1,
            fingerprint_taken: false,
        };
        self.details.insert(record(new), details);
        let key = format!("{issuer}.records");
        let statement = self.signed(issuer, &[&key], body);
        self.submit(&Command::CorrectRecord(Box::new(statement), Box::new(check)))
    }

    /// A record's status is changed by an institution: its issuer, or by order.
    pub(super) fn change_record(&mut self, name: &RecordName, by: &str, action: RecordAction) -> Outcome {
        let row = self.record(name);
        let (last, account_ref) = (row.last_status_index, row.facts.account_ref);
        let body = RecordStatusChange {
            after: (action != RecordAction::Revoke).then(|| self.after(last)),
            account_ref,
            issuer_id: name.issuer.clone(),
            record_id: name.record_id,
            action,
            reason: StatusReason::Investigation,
            order_ref: String::from(if institution(by) == name.issuer { "" } else { "O-1" }),
            effective_from: None,
            explanation_commitment: None,
        };
        let key = format!("{by}.status");
        let statement = self.signed(by, &[&key], body);
        self.submit(&Command::ChangeRecordStatus(Box::new(statement)))
    }

    /// An institution reports one of its keys.
    pub(super) fn report(&mut self, key: &str, suspect_from_index: u64) {
        let (owner, _) = key.split_once('.').unwrap();
        let body = KeyCompromise { kid: kid(key), suspect_from_index };
        let recovery = format!("{owner}.recovery");
        let statement = self.signed(owner, &[&recovery], body);
        self.submit(&Command::ReportKeyCompromise(statement)).unwrap();
    }

    pub(super) fn upgrade(&mut self, protocol: u32) -> Outcome {
        let statement =
            self.signed("authority", &["auth.1", "auth.2"], ProtocolUpgrade { protocol, format: FORMAT });
        self.submit(&Command::UpgradeProtocol(statement))
    }

    /// What an application granted.
    pub(super) fn granted(&self, application: u64) -> Vec<RecordName> {
        let row = self.application(application);
        let issuer = &row.request.institution_id;
        let name = |granted: &Granted| RecordName { issuer: issuer.clone(), record_id: granted.record_id };
        row.granted.iter().map(name).collect()
    }

    /// Where a record's credit is.
    pub(super) fn bucket(&self, id: &str) -> Option<Bucket> {
        self.bucket_of(&record(id))
    }

    pub(super) fn bucket_of(&self, name: &RecordName) -> Option<Bucket> {
        self.record(name).buckets.keys().next().copied()
    }

    pub(super) fn status(&self, application: u64) -> ApplicationStatus {
        self.application(application).status
    }
}

pub(super) fn facts(id: &str, who: &str, what: What) -> RecordFacts {
    let minutes = |hours: i32| {
        Some(Minutes { hour_kind: HourKind::Contact, minutes: hours * 45, class_hour_minutes: 45 })
    };
    let amount = |milli| Some(Amount { scheme: scheme(), credits: credits(milli) });
    let level = |level: i32| Some(Level { framework: FrameworkId::new("nqf").unwrap(), tenths: level * 10 });
    let (kind, amount, minutes, level) = match what {
        What::Hours(hours) => (RecordKind::NondegreeCourse, None, minutes(hours), None),
        What::Training(hours, milli) => (RecordKind::NondegreeCourse, amount(milli), minutes(hours), None),
        What::Grade(grade, milli) => (RecordKind::SkillGrade, amount(milli), None, level(grade)),
        What::Bare(grade) => (RecordKind::SkillGrade, None, None, level(grade)),
        What::Course(milli) => (RecordKind::FormalCourse, amount(milli), None, None),
        // Too short for the rule of hours.
        What::Named(_) => (RecordKind::NondegreeCourse, amount(1_000), minutes(1), None),
        What::Exam(milli) => (RecordKind::Exam, amount(milli), None, None),
        What::Cert(milli) => (RecordKind::XCert, amount(milli), None, None),
    };
    RecordFacts {
        record_id: record(id).record_id,
        account_ref: account(who),
        kind,
        amount,
        minutes,
        level,
        subject_code: String::from("0611"),
        occupation_code: String::new(),
        awarded_on: day("2026-01-10"),
        valid_until: None,
        details_commitment: digest(id),
        credit_eligible: true,
    }
}

pub(super) fn details(what: What) -> RecordDetails {
    let catalogue_ref = match what {
        What::Named(code) => String::from(code),
        _ => String::new(),
    };
    RecordDetails { catalogue_ref, pass_state: Some(PassState::Passed), ..RecordDetails::default() }
}

/// What an account applies for with these records; the target says to whom.
pub(super) fn request(who: &str, target: &str, records: &[RecordName]) -> ConversionRequest {
    let (purpose, to) = match target {
        "diploma" => (ConversionPurpose::Award, "u"),
        "badge" => (ConversionPurpose::Award, "v"),
        "V-AD" => (ConversionPurpose::Credit, "v"),
        _ => (ConversionPurpose::Credit, "u"),
    };
    let mut records = records.to_vec();
    records.sort();
    ConversionRequest {
        account_ref: account(who),
        purpose,
        institution_id: institution(to),
        book: book(1),
        target: name(target),
        records,
        particulars_commitment: None,
    }
}
