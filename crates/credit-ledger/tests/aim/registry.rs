//! Genesis, server starts, institutions, frameworks.

use super::Aim;
use credit_types::genesis::{FORMAT, PROTOCOL};
use credit_types::{
    Accreditation, BookVersion, CivilDate, Command, CreditScheme, Epoch, FrameworkId, FrameworkPublication,
    Genesis, Header, InstitutionAdmission, InstitutionKey, InstitutionKind, KeyPurpose, Kid, LevelRange,
    LevelScale, Policy, ProtocolUpgrade, PublicKey, Reason, RecordKind, Role, RuleBookAction, RuleBookChange,
    SchemeId, SchemeKind, ServerStart, Signed, SignerId, Text,
};
use std::collections::BTreeSet;

pub(super) const KINDS: [RecordKind; 10] = [
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
const ROLES: [Role; 7] = [
    Role::Issuer,
    Role::Evaluator,
    Role::Acceptor,
    Role::Awarder,
    Role::Registrar,
    Role::Regulator,
    Role::Witness,
];
/// The purposes of an institution's usual first keys.
const FIRST_KEYS: [&[KeyPurpose]; 7] = [
    &[KeyPurpose::Keys],
    &[KeyPurpose::Recovery],
    &[KeyPurpose::Records],
    &[KeyPurpose::Status],
    &[KeyPurpose::Registry],
    &[KeyPurpose::Records, KeyPurpose::Registry, KeyPurpose::Status],
    &[KeyPurpose::Keys, KeyPurpose::Tokens],
];

impl Aim<'_> {
    /// A genesis with nothing wrong.
    pub(super) fn genesis(&mut self) -> Command {
        Command::CreateLedger(Box::new(self.new_genesis()))
    }

    fn new_genesis(&mut self) -> Signed<Genesis> {
        let mut keys = |count: usize| -> Vec<PublicKey> { (0..count).map(|_| self.new_key()).collect() };
        let (checkpoint_keys, statement_keys) = (keys(1), keys(1));
        let (operator_keys, authority_keys) = (keys(2), keys(4));
        let authority_threshold = u32::try_from(1 + self.draw.below(3)).unwrap();
        let dev = self.draw.chance(50);
        let policy = Policy {
            notice_days: if dev { 0 } else { 7 },
            quorum: 0,
            appeal_days: 15,
            lapse_days: 30,
            batch_days: u32::try_from(self.draw.between(2, 9)).unwrap(),
            anchor_days: u32::try_from(self.draw.between(2, 9)).unwrap(),
            suspect_days: u32::try_from(self.draw.between(1, 9)).unwrap(),
        };
        let signers =
            authority_keys.iter().map(|key| key.kid).take(usize::try_from(authority_threshold).unwrap());
        let signers: Vec<Kid> = signers.collect();
        let body = Genesis {
            nonce: self.id(),
            protocol: u32::try_from(1 + self.draw.below(2)).unwrap(),
            origin: String::from(if dev { "dev.bank.example" } else { "bank.example" }),
            checkpoint_keys,
            statement_keys,
            operator_keys,
            authority_keys,
            authority_threshold,
            witness_policy_hash: None,
            registry_log: None,
            civil_offset_minutes: *self.draw.pick(&[480, 0, -300, 840]),
            policy,
            continues: None,
        };
        let mut genesis = self.signed(SignerId::Authority, body, signers);
        genesis.header = Header { log_id: None, anchor: None, ..genesis.header };
        genesis
    }

    /// A genesis with something wrong.
    pub(super) fn spoiled_genesis(&mut self) -> Command {
        let mut genesis = self.new_genesis();
        let stranger = self.new_key();
        match self.draw.below(9) {
            0 => {
                genesis.body.origin = String::from("real.example");
                genesis.body.policy.notice_days = 6;
            }
            1 => genesis.header.log_id = Some(credit_types::LogId(self.id())),
            2 => genesis.header.signer = SignerId::Operator,
            3 => genesis.header.signer = SignerId::Institution(self.new_institution_id()),
            4 => genesis.signers.push(stranger.kid),
            5 => genesis.signers.push(genesis.body.operator_keys[0].kid),
            6 => genesis.signers.clear(),
            7 => genesis.body.protocol = *self.draw.pick(&[0, PROTOCOL + 1]),
            _ => genesis.body.operator_keys.push(genesis.body.checkpoint_keys[0]),
        }
        genesis.signers.sort();
        Command::CreateLedger(Box::new(genesis))
    }

    pub(super) fn start(&mut self) -> Command {
        let epoch = Epoch(self.id());
        let body = ServerStart { epoch, software: String::from("test 1"), protocol: self.model.protocol() };
        let operator = self.model.genesis().map(|genesis| genesis.operator_keys[0].kid);
        Command::StartServer(self.signed(SignerId::Operator, body, operator.into_iter().collect()))
    }

    /// The step to the next protocol, or one that is none.
    pub(super) fn upgrade(&mut self) -> Command {
        let protocol = self.model.protocol() + u32::try_from(self.draw.below(2)).unwrap();
        let body = ProtocolUpgrade { protocol, format: FORMAT + u32::from(self.draw.chance(20)) };
        Command::UpgradeProtocol(self.by_authority(body, &[]))
    }

    /// A command of a later protocol than the log's, while there is one.
    pub(super) fn of_later_protocol(&mut self) -> Option<Command> {
        if self.model.protocol() != 1 {
            return None;
        }
        let book = BookVersion { book_id: self.framework_id(), version: 1 };
        let body = RuleBookChange { after: self.digest(), book, action: RuleBookAction::Activate };
        Some(Command::ChangeRuleBook(Box::new(self.by_authority(body, &[]))))
    }

    pub(super) fn admission(&mut self) -> Command {
        let body = self.new_admission();
        let kids: Vec<Kid> = body.keys.iter().map(|key| key.key.kid).collect();
        Command::AdmitInstitution(Box::new(self.by_authority(body, &kids)))
    }

    fn new_admission(&mut self) -> InstitutionAdmission {
        let mut roles: BTreeSet<Role> = ROLES.into_iter().filter(|_| self.draw.chance(35)).collect();
        // Who is missing comes first.
        let missing = [Role::Issuer, Role::Registrar, Role::Regulator];
        roles.extend(missing.into_iter().filter(|role| self.with_role(*role).is_empty()).take(1));
        roles.insert(Role::Witness);
        let count = 5 + self.draw.below(3);
        let keys = FIRST_KEYS.iter().take(count).map(|purposes| InstitutionKey {
            key: self.new_key(),
            purposes: purposes.iter().copied().collect(),
        });
        let keys = keys.collect();
        let parents: Vec<_> = self.model.institutions().map(|one| one.institution_id.clone()).collect();
        let parent_id = if self.draw.chance(30) { self.draw.any(&parents) } else { None };
        let count = if self.draw.chance(10) { 0 } else { 1 + self.draw.below(3) };
        let accreditations = (0..count).map(|_| self.accreditation()).collect();
        InstitutionAdmission {
            institution_id: self.new_institution_id(),
            kind: InstitutionKind::University,
            roles,
            district_code: String::from("500000"),
            parent_id,
            name: Text::default(),
            usci: String::new(),
            accreditations,
            keys,
            default_validity_years: *self.draw.pick(&[0, 0, 1, 7]),
        }
    }

    fn accreditation(&mut self) -> Accreditation {
        let mut kinds: BTreeSet<RecordKind> = KINDS.into_iter().filter(|_| self.draw.chance(40)).collect();
        kinds.insert(*self.draw.pick(&KINDS));
        let scaled =
            self.model.frameworks().filter(|one| one.levels.is_some() || self.now.index.is_multiple_of(16));
        let scaled: Vec<_> = scaled.map(|one| one.framework_id.clone()).collect();
        let levels = if let Some(framework) = self.draw.any(&scaled)
            && self.draw.chance(50)
        {
            let min_tenths = 10 * self.draw.small(1, 4);
            vec![LevelRange { framework, min_tenths, max_tenths: min_tenths + 25 }]
        } else {
            Vec::new()
        };
        let prefixes = |draw: &mut crate::draw::Draw, all: [&str; 3]| -> BTreeSet<String> {
            all.into_iter().filter(|_| draw.chance(30)).map(String::from).collect()
        };
        Accreditation {
            accreditation_no: String::from("A-1"),
            authority: String::from("MoE"),
            kinds,
            levels,
            subject_prefixes: prefixes(self.draw, ["04", "061", "09"]),
            occupation_prefixes: prefixes(self.draw, ["2-", "6-31", "4-"]),
            valid_from: CivilDate::new(2015, 1, 1).unwrap(),
            valid_to: if self.draw.chance(30) { CivilDate::new(2026, 6, 30).ok() } else { None },
        }
    }

    pub(super) fn framework_id(&mut self) -> FrameworkId {
        FrameworkId::new(*self.draw.pick(&["f1", "f2", "f3"])).unwrap()
    }

    pub(super) fn publication(&mut self) -> Command {
        let body = self.new_publication();
        Command::PublishFramework(Box::new(self.by_authority(body, &[])))
    }

    /// A newer version that keeps what must be kept.
    fn new_publication(&mut self) -> FrameworkPublication {
        let framework_id = self.framework_id();
        let before = self.model.frameworks().rfind(|before| before.framework_id == framework_id);
        let chosen = match framework_id.as_str() {
            "f1" => Some(LevelScale { min_tenths: 10, max_tenths: 80, step_tenths: 10 }),
            "f2" => Some(LevelScale { min_tenths: 10, max_tenths: 70, step_tenths: 5 }),
            _ => None,
        };
        let bare = self.draw.chance(30);
        let levels = before.and_then(|before| before.levels).or(if bare { None } else { chosen });
        let version =
            before.map_or(0, |before| before.version) + u32::try_from(self.draw.between(1, 2)).unwrap();
        let names = ["A", "B", "C"].into_iter().filter(|_| self.draw.chance(70));
        let schemes = names.map(|name| scheme(framework_id.as_str(), name)).collect();
        FrameworkPublication { framework_id, version, title: Text::default(), schemes, levels }
    }

    pub(super) fn aimed_at_registry(&mut self, reason: Reason) -> Option<Command> {
        let ids: Vec<_> = self.model.institutions().map(|one| one.institution_id.clone()).collect();
        if [Reason::InstitutionExists, Reason::ParentUnknown].contains(&reason) {
            let mut body = self.new_admission();
            if reason == Reason::InstitutionExists {
                body.institution_id = self.draw.any(&ids)?;
            } else {
                body.parent_id = Some(self.new_institution_id());
            }
            let kids: Vec<Kid> = body.keys.iter().map(|key| key.key.kid).collect();
            return Some(Command::AdmitInstitution(Box::new(self.by_authority(body, &kids))));
        }
        if (29..33).contains(&reason.number()) {
            let mut body = self.new_publication();
            let published: Vec<_> = self.model.frameworks().cloned().collect();
            let before = self.draw.any(&published)?;
            match reason {
                Reason::FrameworkVersionNotNewer => body = before,
                Reason::FrameworkLevelsChanged => {
                    body.levels = Some(LevelScale { min_tenths: 10, max_tenths: 90, step_tenths: 10 });
                    body.levels = if self.draw.chance(50) { None } else { body.levels };
                }
                Reason::SchemeOfAnother => body.schemes = before.schemes,
                _ => body.schemes.iter_mut().for_each(|scheme| {
                    scheme.step_milli += i64::from(scheme.kind == SchemeKind::Credit);
                    scheme.kind = SchemeKind::Credit;
                }),
            }
            return Some(Command::PublishFramework(Box::new(self.by_authority(body, &[]))));
        }
        self.aimed_at_key(reason)
    }
}

/// A scheme as its framework always registers it.
fn scheme(framework: &str, name: &str) -> CreditScheme {
    let (kind, step_milli) = match name {
        "A" => (SchemeKind::Credit, 500),
        "B" => (SchemeKind::Hour, 1000),
        _ => (SchemeKind::Point, 1),
    };
    let scheme_id = SchemeId::new(format!("{}_{name}", framework.to_uppercase())).unwrap();
    CreditScheme { scheme_id, kind, step_milli, notional_minutes: 0, label: Text::default() }
}
