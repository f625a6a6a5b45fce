//! What can be wrong with any statement: its header and its signatures.

use super::Aim;
use credit_types::{
    AssuranceLevel, Command, Header, InstitutionId, KeyPurpose, Kid, LogId, Reason, RecordAction, Role,
    SignerId,
};

/// Header and signatures of a command; a chunk has none of its own.
fn parts(command: &mut Command) -> Option<(&mut Header, &mut Vec<Kid>)> {
    match command {
        Command::CreateLedger(s) => Some((&mut s.header, &mut s.signers)),
        Command::StartServer(s) => Some((&mut s.header, &mut s.signers)),
        Command::AdmitInstitution(s) => Some((&mut s.header, &mut s.signers)),
        Command::PublishFramework(s) => Some((&mut s.header, &mut s.signers)),
        Command::AddKey(s) => Some((&mut s.header, &mut s.signers)),
        Command::RetireKey(s) => Some((&mut s.header, &mut s.signers)),
        Command::ReportKeyCompromise(s) => Some((&mut s.header, &mut s.signers)),
        Command::OpenAccount(s, _) => Some((&mut s.header, &mut s.signers)),
        Command::ChangeAccountStatus(s) => Some((&mut s.header, &mut s.signers)),
        Command::DepositRecord(s, _) => Some((&mut s.header, &mut s.signers)),
        Command::CorrectRecord(s, _) => Some((&mut s.header, &mut s.signers)),
        Command::ChangeRecordStatus(s) => Some((&mut s.header, &mut s.signers)),
        Command::OpenBatch(s) => Some((&mut s.header, &mut s.signers)),
        Command::SubmitChunk(_) => None,
        Command::CloseBatch(s) => Some((&mut s.header, &mut s.signers)),
        Command::UpgradeProtocol(s) => Some((&mut s.header, &mut s.signers)),
        Command::PublishRuleBook(s, _) => Some((&mut s.header, &mut s.signers)),
        Command::ChangeRuleBook(s) => Some((&mut s.header, &mut s.signers)),
        Command::GiveAutoApproval(s) => Some((&mut s.header, &mut s.signers)),
        Command::RequestConversion(s, _) => Some((&mut s.header, &mut s.signers)),
        Command::DecideConversion(s) => Some((&mut s.header, &mut s.signers)),
        Command::StepConversion(s) => Some((&mut s.header, &mut s.signers)),
        Command::ReverseAward(s) => Some((&mut s.header, &mut s.signers)),
    }
}

/// The role that a command's signer must have, with the purpose of the key.
fn office(command: &Command) -> Option<(Role, KeyPurpose)> {
    match command {
        Command::OpenAccount(..) | Command::ChangeAccountStatus(_) => {
            Some((Role::Registrar, KeyPurpose::Registry))
        }
        Command::DepositRecord(..) | Command::CorrectRecord(..) => Some((Role::Issuer, KeyPurpose::Records)),
        Command::ChangeRecordStatus(_) => Some((Role::Regulator, KeyPurpose::Status)),
        _ => None,
    }
}

impl Aim<'_> {
    /// Makes one thing about a command wrong, where that can be done.
    pub(super) fn spoil(&mut self, reason: Reason, command: &mut Command) {
        if let Command::SubmitChunk(chunk) = command {
            self.spoil_chunk(reason, chunk);
            return;
        }
        let number = reason.number();
        match number {
            1..8 => self.spoil_whole(reason, command),
            8..14 => self.spoil_header(reason, command),
            14..25 => self.spoil_signatures(reason, command),
            _ => {}
        }
    }

    fn spoil_whole(&mut self, reason: Reason, command: &mut Command) {
        match reason {
            Reason::LedgerExists => *command = self.genesis(),
            Reason::PayloadTypeWrong => {
                *command = self.chunk();
                if let Command::SubmitChunk(chunk) = command {
                    self.spoil_chunk(reason, chunk);
                }
            }
            Reason::FieldInvalid => match command {
                Command::ChangeRecordStatus(statement) => {
                    let after = self.digest();
                    let revoking = statement.body.action == RecordAction::Revoke;
                    statement.body.after = revoking.then_some(after);
                }
                Command::CreateLedger(statement) => match self.draw.below(3) {
                    0 => statement.body.policy.notice_days = 6,
                    1 => statement.body.registry_log = Some(LogId(self.id())),
                    _ => statement.body.authority_threshold = 9,
                },
                Command::OpenAccount(statement, draw) => match self.draw.below(4) {
                    0 => drop(draw.aliases.remove(0)),
                    1 => {
                        statement.body.assurance = AssuranceLevel::Document;
                        draw.aliases.remove(1);
                    }
                    twice => draw.aliases.push(draw.aliases[twice - 2]),
                },
                _ => {
                    *command = self.admission();
                    if let Command::AdmitInstitution(statement) = command {
                        let lost = self.draw.below(2);
                        let gone = statement.body.keys.remove(lost);
                        statement.signers.retain(|kid| *kid != gone.key.kid);
                        statement.body.keys.truncate(4);
                        let kept: Vec<Kid> = statement.body.keys.iter().map(|key| key.key.kid).collect();
                        let authority = self.authority();
                        statement.signers.retain(|kid| kept.contains(kid) || authority.contains(kid));
                    }
                }
            },
            _ => {}
        }
    }

    fn spoil_header(&mut self, reason: Reason, command: &mut Command) {
        let index = self.model.index();
        let beyond = index + 1 + u64::try_from(self.draw.below(3)).unwrap();
        let wrong = self.digest();
        let oldest = self.anchor(1);
        let another = LogId(self.id());
        let Some((header, _)) = parts(command) else { return };
        match reason {
            Reason::LogIdMismatch => header.log_id = if self.draw.chance(50) { None } else { Some(another) },
            Reason::CommandIdReused => {
                let entries = self.model.entries.iter();
                let ids = entries.filter(|entry| entry.used.0 == header.signer && entry.used.2.is_none());
                let ids: Vec<_> = ids.map(|entry| entry.used.1).collect();
                header.statement_id = self.draw.any(&ids).unwrap_or(header.statement_id);
            }
            Reason::AnchorMissing => header.anchor = None,
            Reason::AnchorUnknown => {
                let size = if self.draw.chance(30) { 0 } else { beyond };
                header.anchor = header.anchor.or(oldest);
                header.anchor.iter_mut().for_each(|anchor| anchor.size = size);
            }
            Reason::AnchorForged => header.anchor.iter_mut().for_each(|anchor| anchor.root = wrong),
            Reason::AnchorStale => header.anchor = oldest,
            _ => {}
        }
    }

    fn spoil_signatures(&mut self, reason: Reason, command: &mut Command) {
        match reason {
            Reason::RoleMissing => return self.depose(command),
            Reason::PossessionMissing => {
                *command = if self.draw.chance(50) { self.admission() } else { self.addition() };
            }
            Reason::ThresholdNotMet => {
                *command = if self.draw.chance(50) { self.admission() } else { self.publication() };
            }
            _ => {}
        }
        let new: Vec<Kid> = match command {
            Command::AdmitInstitution(statement) => {
                statement.body.keys.iter().map(|key| key.key.kid).collect()
            }
            Command::AddKey(statement) => vec![statement.body.key.key.kid],
            _ => Vec::new(),
        };
        let stranger = Kid(self.id());
        let unknown = self.new_institution_id();
        let office = office(command).map(|(_, purpose)| purpose);
        let Some((header, signers)) = parts(command) else { return };
        let owner = header.signer.institution().cloned();
        match reason {
            Reason::SignerUnknown => header.signer = SignerId::Institution(unknown),
            Reason::SignerNotAllowed => {
                let others = [SignerId::Operator, SignerId::Authority];
                header.signer = others.into_iter().find(|other| *other != header.signer).unwrap();
            }
            Reason::PossessionMissing => signers.retain(|kid| Some(kid) != new.first()),
            Reason::ThresholdNotMet => signers.retain(|kid| new.contains(kid)),
            Reason::SignatureNotNeeded => {
                let more = self.another_signature(owner, office, signers);
                signers.extend(more);
            }
            _ => {
                let instead = self.wrong_key(reason, owner, office).unwrap_or(stranger);
                signers.retain(|kid| new.contains(kid) || self.draw.chance(20));
                signers.push(instead);
            }
        }
        signers.sort();
        signers.dedup();
    }

    /// A key that could have signed as well.
    fn another_signature(
        &self,
        owner: Option<InstitutionId>,
        office: Option<KeyPurpose>,
        signers: &[Kid],
    ) -> Option<Kid> {
        let Some(owner) = owner else {
            return self.model.genesis().map(|genesis| genesis.operator_keys[1].kid);
        };
        let purposes = office.map_or(vec![KeyPurpose::Keys, KeyPurpose::Recovery], |purpose| vec![purpose]);
        let kids = self.keys_with(&owner, &purposes);
        kids.into_iter().find(|kid| !signers.contains(kid))
    }

    /// A key that must not sign, for the reason given.
    fn wrong_key(
        &mut self,
        reason: Reason,
        owner: Option<InstitutionId>,
        office: Option<KeyPurpose>,
    ) -> Option<Kid> {
        let of_another = self.model.keys().iter().filter(|key| match (&key.owner, &owner) {
            (crate::model::Owner::Institution(id), Some(owner)) => id != owner,
            _ => true,
        });
        let of_another: Vec<Kid> = of_another.map(|key| key.kid).collect();
        let own: Vec<_> = owner.iter().flat_map(|id| self.model.keys_of(id)).collect();
        let kids: Vec<Kid> = match reason {
            Reason::KeyOfAnother => of_another,
            Reason::KeyCompromised => {
                own.iter().map(|key| key.kid).filter(|kid| self.model.compromised(*kid).is_some()).collect()
            }
            Reason::KeyRetired => own
                .iter()
                .map(|key| key.kid)
                .filter(|kid| self.model.retired(*kid).is_some() && self.model.compromised(*kid).is_none())
                .collect(),
            Reason::KeyPurposeWrong => own
                .iter()
                .filter(|key| office.is_some_and(|purpose| !key.purposes.contains(&purpose)))
                .map(|key| key.kid)
                .collect(),
            _ => Vec::new(),
        };
        self.draw.any(&kids)
    }

    /// Has the same said by an institution without the role.
    fn depose(&mut self, command: &mut Command) {
        let Some((role, purpose)) = office(command) else {
            *command = self.manifest();
            if let Command::OpenBatch(statement) = command
                && let Some(id) = self.without_role(Role::Issuer)
            {
                statement.body.leaf_type = credit_types::LeafType::Record;
                *statement = self.by_institution(&id, KeyPurpose::Records, statement.body);
            }
            return;
        };
        let Some(id) = self.without_role(role) else { return };
        let kid = self.key_for(&id, &[purpose]);
        if let Some((header, signers)) = parts(command) {
            header.signer = SignerId::Institution(id);
            *signers = vec![kid];
        }
    }
}
