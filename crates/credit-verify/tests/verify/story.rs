//! What people do at the bank, in their own words.

use std::collections::BTreeSet;

use credit_log::batch::{Manifest, record_leaf};
use credit_log::commitment::{DETAILS_LABEL, commit};
use credit_log::hash::sha256;
use credit_proto::batch::leaf_payload_type;
use credit_proto::entry::StatementPart;
use credit_proto::{Leaf as _, Secret as _, payload_type};
use credit_types::{
    AccountAction, AccountOpening, AccountRef, AccountStatusChange, Accreditation, AliasAsserted, AliasCheck,
    AliasKind, Amount, AssuranceLevel, BatchManifest, ChunkCommand, ChunkLeaf, ChunkLeaves, CivilDate,
    Command, CommandId, CorrectionReason, CreditScheme, Credits, DepositCheck, Details, Digest, Event,
    FrameworkId, FrameworkPublication, Genesis, Header, InstitutionAdmission, InstitutionId, InstitutionKey,
    InstitutionKind, KeyAddition, KeyCompromise, KeyPurpose, KeyRetirement, LeafType, LevelScale,
    OpeningDraw, Policy, Reason, RecordAction, RecordCorrection, RecordDetails, RecordFacts, RecordId,
    RecordKind, RecordStatusChange, RefusedLeaf, Rejection, Role, SchemeId, SchemeKind, ServerStart,
    SignerId, StatusReason, Text,
};
use credit_types::{BatchClose, Epoch};
use credit_verify::OpenedDetails;

use crate::bank::{Bank, ORIGIN, public, signed};

pub(crate) const AUTHORITY: [&str; 2] = ["authority-1", "authority-2"];
pub(crate) const UNIV: &str = "cn.univ";
pub(crate) const CENTRE: &str = "cn.centre";
/// The keys of an institution by what they are for.
pub(crate) const PURPOSES: [(&str, KeyPurpose); 5] = [
    ("records", KeyPurpose::Records),
    ("status", KeyPurpose::Status),
    ("registry", KeyPurpose::Registry),
    ("keys", KeyPurpose::Keys),
    ("recovery", KeyPurpose::Recovery),
];

pub(crate) fn institution(id: &str) -> InstitutionId {
    InstitutionId::new(id).unwrap()
}

pub(crate) fn day(text: &str) -> CivilDate {
    let parts: Vec<i32> = text.split('-').map(|part| part.parse().unwrap()).collect();
    CivilDate::new(parts[0], parts[1], parts[2]).unwrap()
}

fn text(en: &str) -> Text {
    Text { zh: String::new(), en: en.to_owned() }
}

/// The genesis of the story.
pub(crate) fn genesis() -> Genesis {
    let keys = |names: &[&str]| names.iter().map(|name| public(name)).collect();
    Genesis {
        nonce: [7; 32],
        protocol: 1,
        origin: ORIGIN.to_owned(),
        checkpoint_keys: keys(&["checkpoint"]),
        statement_keys: keys(&["statement"]),
        operator_keys: keys(&["operator"]),
        authority_keys: keys(&["authority-1", "authority-2", "authority-3"]),
        authority_threshold: 2,
        witness_policy_hash: None,
        registry_log: None,
        civil_offset_minutes: 480,
        policy: Policy {
            notice_days: 0,
            quorum: 0,
            appeal_days: 15,
            lapse_days: 60,
            batch_days: 7,
            anchor_days: 30,
            suspect_days: 30,
        },
        continues: None,
    }
}

/// A batch at its sender.
pub(crate) struct Batch {
    pub(crate) manifest_index: u64,
    pub(crate) leaf_type: LeafType,
    pub(crate) payloads: Vec<Vec<u8>>,
    pub(crate) manifest: Manifest,
}

impl Batch {
    fn of(leaf_type: LeafType, payloads: Vec<Vec<u8>>) -> Self {
        let hashes: Vec<_> =
            payloads.iter().map(|payload| record_leaf(leaf_payload_type(leaf_type), payload)).collect();
        Self { manifest_index: 0, leaf_type, manifest: Manifest::of(&hashes).unwrap(), payloads }
    }

    pub(crate) fn body(&self) -> BatchManifest {
        BatchManifest {
            leaf_type: self.leaf_type,
            record_count: u32::try_from(self.manifest.record_count()).unwrap(),
            root: Digest(self.manifest.root()),
        }
    }

    pub(crate) fn hash(&self, position: u32) -> Digest {
        let payload = &self.payloads[usize::try_from(position).unwrap()];
        Digest(record_leaf(leaf_payload_type(self.leaf_type), payload))
    }
}

impl Bank {
    /// A bank with its genesis, a started server, a university that issues and may accept, a centre that
    /// registers, and a framework.
    pub(crate) fn founded() -> Self {
        Self::founded_on(genesis())
    }

    /// The same on another genesis.
    pub(crate) fn founded_on(genesis: Genesis) -> Self {
        let mut bank = Self::empty();
        let protocol = genesis.protocol;
        let header = Header {
            log_id: None,
            statement_id: CommandId(bank.uuid()),
            signer: SignerId::Authority,
            anchor: None,
        };
        let (statement, part) = signed(header, genesis, &AUTHORITY);
        bank.record(&Command::CreateLedger(Box::new(statement)), vec![part]);
        let start =
            ServerStart { epoch: Epoch([3; 16]), software: "bank-of-the-test 1".to_owned(), protocol };
        bank.act("operator", start, &["operator"], Command::StartServer);
        bank.admit(UNIV, &[Role::Issuer, Role::Acceptor]);
        bank.admit(CENTRE, &[Role::Registrar]);
        let framework = FrameworkPublication {
            framework_id: FrameworkId::new("cn.nqf").unwrap(),
            version: 1,
            title: text("Framework"),
            schemes: vec![CreditScheme {
                scheme_id: SchemeId::new("CN_XF").unwrap(),
                kind: SchemeKind::Credit,
                step_milli: 500,
                notional_minutes: 0,
                label: text("credit"),
            }],
            levels: Some(LevelScale { min_tenths: 10, max_tenths: 80, step_tenths: 10 }),
        };
        bank.act("authority", framework, &AUTHORITY, |s| Command::PublishFramework(Box::new(s)));
        bank
    }

    /// What is signed to admit an institution, with the names of its keys.
    pub(crate) fn admission(id: &str, roles: &[Role]) -> (InstitutionAdmission, Vec<String>) {
        let names: Vec<String> = PURPOSES.iter().map(|(name, _)| format!("{id}/{name}")).collect();
        let mut keys: Vec<InstitutionKey> = PURPOSES
            .iter()
            .zip(&names)
            .map(|((_, purpose), name)| InstitutionKey {
                key: public(name),
                purposes: BTreeSet::from([*purpose]),
            })
            .collect();
        keys.sort_unstable_by_key(|key| key.key.bytes);
        let body = InstitutionAdmission {
            institution_id: institution(id),
            kind: InstitutionKind::University,
            roles: roles.iter().copied().collect(),
            district_code: "500000".to_owned(),
            parent_id: None,
            name: text("Institution"),
            usci: String::new(),
            accreditations: vec![Accreditation {
                accreditation_no: "A-1".to_owned(),
                authority: "Commission".to_owned(),
                kinds: BTreeSet::from([RecordKind::FormalCourse]),
                levels: Vec::new(),
                subject_prefixes: BTreeSet::new(),
                occupation_prefixes: BTreeSet::new(),
                valid_from: day("2020-01-01"),
                valid_to: None,
            }],
            keys,
            default_validity_years: 5,
        };
        (body, names)
    }

    pub(crate) fn admit(&mut self, id: &str, roles: &[Role]) -> u64 {
        let (body, names) = Self::admission(id, roles);
        let signers: Vec<&str> = AUTHORITY.into_iter().chain(names.iter().map(String::as_str)).collect();
        self.act("authority", body, &signers, |s| Command::AdmitInstitution(Box::new(s)))
    }

    pub(crate) fn add_key(&mut self, owner: &str, name: &str, purpose: KeyPurpose) -> u64 {
        let key = InstitutionKey { key: public(name), purposes: BTreeSet::from([purpose]) };
        let body = KeyAddition { institution_id: institution(owner), key };
        let keeper = format!("{owner}/keys");
        self.act(owner, body, &[&keeper, name], |s| Command::AddKey(Box::new(s)))
    }

    pub(crate) fn retire_key(&mut self, owner: &str, name: &str, last: u64) -> u64 {
        let body = KeyRetirement { after: self.leaf(last), kid: public(name).kid };
        self.act(owner, body, &[&format!("{owner}/keys")], Command::RetireKey)
    }

    pub(crate) fn report_key(&mut self, owner: &str, name: &str, suspect_from_index: u64) -> u64 {
        let body = KeyCompromise { kid: public(name).kid, suspect_from_index };
        self.act(owner, body, &[&format!("{owner}/recovery")], Command::ReportKeyCompromise)
    }

    pub(crate) fn opening(seed: &str) -> AccountOpening {
        AccountOpening {
            assurance: AssuranceLevel::Document,
            identity_commitment: Digest(sha256(seed.as_bytes())),
        }
    }

    pub(crate) fn drawn(seed: &str) -> OpeningDraw {
        let mut account = [0; 16];
        account.copy_from_slice(&sha256(seed.as_bytes())[..16]);
        let kinds = [AliasKind::AccountNumber, AliasKind::Document];
        let asserted = kinds.map(|kind| AliasAsserted { kind, pepper_version: 1 });
        let aliases = asserted.map(|asserted| AliasCheck { asserted, taken: false }).to_vec();
        OpeningDraw { account_ref: AccountRef(account), aliases }
    }

    pub(crate) fn open_account(&mut self, seed: &str) -> AccountRef {
        let draw = Self::drawn(seed);
        let account = draw.account_ref;
        let registry = format!("{CENTRE}/registry");
        self.act(CENTRE, Self::opening(seed), &[&registry], |s| Command::OpenAccount(s, draw));
        account
    }

    pub(crate) fn account_change(
        &self,
        account_ref: AccountRef,
        action: AccountAction,
        last: u64,
    ) -> AccountStatusChange {
        AccountStatusChange {
            after: self.leaf(last),
            account_ref,
            action,
            reason: StatusReason::LearnerRequest,
            order_ref: String::new(),
            explanation_commitment: None,
        }
    }

    pub(crate) fn change_account(&mut self, account: AccountRef, action: AccountAction, last: u64) -> u64 {
        let body = self.account_change(account, action, last);
        self.act(CENTRE, body, &[&format!("{CENTRE}/registry")], Command::ChangeAccountStatus)
    }

    /// Facts of three credits with details in the vault.
    pub(crate) fn facts(&mut self, account_ref: AccountRef) -> RecordFacts {
        self.facts_of(account_ref, "LA-101@1")
    }

    /// The same of a course.
    pub(crate) fn facts_of(&mut self, account_ref: AccountRef, course: &str) -> RecordFacts {
        let record_id = RecordId(self.uuid());
        let details = RecordDetails {
            catalogue_ref: course.to_owned(),
            title: text("Linear algebra"),
            start_on: Some(day("2026-02-20")),
            end_on: Some(day("2026-06-20")),
            certificate_no: record_id.to_string(),
            ..RecordDetails::default()
        };
        let (salt, payload) = (sha256(record_id.as_bytes()), details.payload());
        let commitment = Digest(commit(DETAILS_LABEL, &salt, payload_type::RECORD_DETAILS, &payload));
        self.vault.0.insert(commitment, OpenedDetails { salt, payload });
        RecordFacts {
            record_id,
            account_ref,
            kind: RecordKind::FormalCourse,
            amount: Some(Amount {
                scheme: SchemeId::new("CN_XF").unwrap(),
                credits: Credits::from_milli(3_000).unwrap(),
            }),
            minutes: None,
            level: None,
            subject_code: "0701".to_owned(),
            occupation_code: String::new(),
            awarded_on: day("2026-07-01"),
            valid_until: None,
            details_commitment: commitment,
            credit_eligible: true,
        }
    }

    /// What the bank asserts for a deposit.
    pub(crate) fn check(&self, facts: &RecordFacts) -> DepositCheck {
        let opened = &self.vault.0[&facts.details_commitment];
        let details = RecordDetails::from_payload(&opened.payload).unwrap();
        DepositCheck {
            details: Details::Known(Box::new(details)),
            fingerprint_version: 1,
            fingerprint_taken: false,
        }
    }

    pub(crate) fn deposit(&mut self, account: AccountRef) -> (RecordId, u64) {
        self.deposit_of(account, "LA-101@1")
    }

    /// Deposits a record of a course.
    pub(crate) fn deposit_of(&mut self, account: AccountRef, course: &str) -> (RecordId, u64) {
        let facts = self.facts_of(account, course);
        let (id, check) = (facts.record_id, Box::new(self.check(&facts)));
        let records = format!("{UNIV}/records");
        let index = self.act(UNIV, facts, &[&records], |s| Command::DepositRecord(Box::new(s), check));
        (id, index)
    }

    pub(crate) fn correct(
        &mut self,
        account: AccountRef,
        supersedes: RecordId,
        last: u64,
    ) -> (RecordId, u64) {
        let facts = self.facts(account);
        let (id, check) = (facts.record_id, Box::new(self.check(&facts)));
        let body = RecordCorrection {
            after: self.leaf(last),
            supersedes,
            reason: CorrectionReason::Clerical,
            facts,
            explanation_commitment: None,
        };
        let records = format!("{UNIV}/records");
        let index = self.act(UNIV, body, &[&records], |s| Command::CorrectRecord(Box::new(s), check));
        (id, index)
    }

    pub(crate) fn record_change(
        &self,
        account_ref: AccountRef,
        record_id: RecordId,
        action: RecordAction,
        last: u64,
    ) -> RecordStatusChange {
        RecordStatusChange {
            after: (action != RecordAction::Revoke).then(|| self.leaf(last)),
            account_ref,
            issuer_id: institution(UNIV),
            record_id,
            action,
            reason: StatusReason::Investigation,
            order_ref: String::new(),
            effective_from: None,
            explanation_commitment: None,
        }
    }

    pub(crate) fn change_record(
        &mut self,
        account: AccountRef,
        record: RecordId,
        action: RecordAction,
        last: u64,
    ) -> u64 {
        let body = self.record_change(account, record, action, last);
        self.act(UNIV, body, &[&format!("{UNIV}/status")], |s| Command::ChangeRecordStatus(Box::new(s)))
    }

    /// Opens a batch of `count` records of one account.
    pub(crate) fn record_batch(&mut self, account: AccountRef, count: usize) -> Batch {
        let facts: Vec<RecordFacts> = (0..count).map(|_| self.facts(account)).collect();
        let batch = Batch::of(LeafType::Record, facts.iter().map(RecordFacts::leaf_payload).collect());
        self.open_batch(batch, UNIV, "records")
    }

    /// Opens a batch of account openings.
    pub(crate) fn opening_batch(&mut self, count: usize) -> Batch {
        let mut payloads: Vec<Vec<u8>> =
            (0..count).map(|n| Self::opening(&format!("batch {n}")).leaf_payload()).collect();
        payloads.sort_by_key(|payload| record_leaf(payload_type::ACCOUNT_OPENING, payload));
        self.open_batch(Batch::of(LeafType::Opening, payloads), CENTRE, "registry")
    }

    fn open_batch(&mut self, mut batch: Batch, signer: &str, purpose: &str) -> Batch {
        let key = format!("{signer}/{purpose}");
        batch.manifest_index = self.act(signer, batch.body(), &[&key], Command::OpenBatch);
        batch
    }

    pub(crate) fn close_batch(&mut self, batch: &Batch, signer: &str, purpose: &str) -> u64 {
        let body = BatchClose { manifest_index: batch.manifest_index };
        self.act(signer, body, &[&format!("{signer}/{purpose}")], Command::CloseBatch)
    }

    /// The command of a chunk, these positions refused beforehand, and its leaves.
    pub(crate) fn chunk(
        &self,
        batch: &Batch,
        chunk: u32,
        refused: &[u32],
    ) -> (ChunkCommand, Vec<StatementPart>) {
        let Batch { manifest_index, leaf_type, payloads, manifest } = batch;
        let (mut records, mut openings) = (Vec::new(), Vec::new());
        let (mut out, mut statements) = (Vec::new(), Vec::new());
        for (position, facts) in (0u32..).zip(payloads).skip(64 * chunk as usize).take(64) {
            let leaf_hash = batch.hash(position);
            if refused.contains(&position) {
                out.push(RefusedLeaf { position, leaf_hash, reason: Reason::CommitmentMismatch });
                continue;
            }
            match leaf_type {
                LeafType::Record => {
                    let body = RecordFacts::leaf(facts).unwrap();
                    let check = self.check(&body);
                    records.push(ChunkLeaf { leaf_hash, body, check });
                }
                LeafType::Opening => {
                    let body = AccountOpening::leaf(facts).unwrap();
                    openings.push(ChunkLeaf { leaf_hash, body, check: Self::drawn(&leaf_hash.to_string()) });
                }
            }
            let (manifest_index, facts) = (*manifest_index, facts.clone());
            statements.push(StatementPart::Leaf { manifest_index, position, facts });
        }
        let leaves = match leaf_type {
            LeafType::Record => ChunkLeaves::Records(records),
            LeafType::Opening => ChunkLeaves::Openings(openings),
        };
        let path = manifest.path(u64::from(chunk)).unwrap().into_iter().map(Digest).collect();
        let manifest_index = *manifest_index;
        (ChunkCommand { manifest_index, chunk, path, leaves, refused: out }, statements)
    }

    /// Submits a chunk, keeping what the core accepts.
    pub(crate) fn submit(&mut self, batch: &Batch, chunk: u32, refused: &[u32]) -> Result<u64, Rejection> {
        let (command, mut statements) = self.chunk(batch, chunk, refused);
        let command = Command::SubmitChunk(command);
        let events = self.decide(&command)?;
        if let Event::BatchChunk { refused, .. } = &events[0] {
            let out: Vec<u32> = refused.iter().map(|leaf| leaf.position).collect();
            statements.retain(
                |part| !matches!(part, StatementPart::Leaf { position, .. } if out.contains(position)),
            );
        }
        let draft = self.draft(&command, statements, events);
        Ok(self.append(&draft))
    }
}
