//! Records: deposited, corrected, revoked, suspended, reinstated.

use super::Aim;
use credit_types::{
    AccountRef, CivilDate, Command, CorrectionReason, InstitutionId, KeyPurpose, Reason, RecordAction,
    RecordCorrection, RecordId, RecordStatus, RecordStatusChange, Role, StatusReason,
};

impl Aim<'_> {
    pub(super) fn deposit(&mut self) -> Command {
        self.deposit_with(None)
    }

    /// A deposit, wrong in one way if a reason is given.
    fn deposit_with(&mut self, reason: Option<Reason>) -> Command {
        let issuer = self.one_with(Role::Issuer);
        let account_ref = self.one_account();
        let mut facts = self.facts(&issuer, account_ref);
        let mut check = self.check(facts.awarded_on);
        if let Some(reason) = reason {
            self.spoil_facts(reason, &issuer, (&mut facts, &mut check));
        }
        let mut statement = self.by_institution(&issuer, KeyPurpose::Records, facts);
        if self.draw.chance(50) {
            statement.header.anchor = None;
        }
        Command::DepositRecord(Box::new(statement), Box::new(check))
    }

    /// A record of a status.
    fn some_record(&mut self, wanted: &[RecordStatus]) -> Option<(InstitutionId, RecordId)> {
        let mut ids = self.model.record_ids();
        ids.retain(|(issuer, id)| wanted.contains(&self.model.record(issuer, *id).unwrap().status));
        self.draw.any(&ids)
    }

    pub(super) fn correction(&mut self) -> Command {
        let old = self.some_record(&[RecordStatus::Valid, RecordStatus::Suspended]);
        let Some((issuer, old)) = old else { return self.deposit() };
        self.correct(&issuer, old)
    }

    fn correct(&mut self, issuer: &InstitutionId, supersedes: RecordId) -> Command {
        let record = self.model.record(issuer, supersedes);
        let account_ref = record.as_ref().map_or_else(|| AccountRef(self.id()), |r| r.facts.account_ref);
        let after = self.after(record.map(|record| record.last));
        let facts = self.facts(issuer, account_ref);
        let check = self.check(facts.awarded_on);
        let reason = CorrectionReason::Clerical;
        let body = RecordCorrection { after, supersedes, reason, facts, explanation_commitment: None };
        let statement = self.by_institution(issuer, KeyPurpose::Records, body);
        Command::CorrectRecord(Box::new(statement), Box::new(check))
    }

    pub(super) fn record_change(&mut self) -> Command {
        let Some((issuer, id)) = self.some_record(&[RecordStatus::Valid, RecordStatus::Suspended]) else {
            return self.deposit();
        };
        let status = self.model.record(&issuer, id).unwrap().status;
        let action = match status {
            _ if self.draw.chance(15) => RecordAction::Revoke,
            RecordStatus::Valid => RecordAction::Suspend,
            RecordStatus::Suspended | RecordStatus::Revoked | RecordStatus::Superseded => {
                RecordAction::Reinstate
            }
        };
        self.change_record(&issuer, id, action)
    }

    /// A change by whoever may make it.
    fn change_record(
        &mut self,
        issuer: &InstitutionId,
        record_id: RecordId,
        action: RecordAction,
    ) -> Command {
        let record = self.model.record(issuer, record_id);
        let last = record.as_ref().map(|record| record.last);
        let account_ref = record.map_or_else(|| AccountRef(self.id()), |record| record.facts.account_ref);
        let after = self.after(last);
        let regulators = self.with_role(Role::Regulator);
        let regulator = if self.draw.chance(25) { self.draw.any(&regulators) } else { None };
        let order_ref = String::from(if regulator.is_some() { "order 9" } else { "" });
        let body = RecordStatusChange {
            after: (action != RecordAction::Revoke).then_some(after),
            account_ref,
            issuer_id: issuer.clone(),
            record_id,
            action,
            reason: StatusReason::Investigation,
            order_ref,
            effective_from: if self.draw.chance(20) { Some(self.model.today(self.now)) } else { None },
            explanation_commitment: None,
        };
        let signer = regulator.unwrap_or_else(|| issuer.clone());
        Command::ChangeRecordStatus(Box::new(self.by_institution(&signer, KeyPurpose::Status, body)))
    }

    /// A change or correction of a record of a status, such as somebody tries who knows no better.
    fn any_change(&mut self, wanted: &[RecordStatus]) -> Option<Command> {
        let (issuer, id) = self.some_record(wanted)?;
        Some(match self.draw.below(4) {
            0 => self.correct(&issuer, id),
            1 => self.change_record(&issuer, id, RecordAction::Revoke),
            2 => self.change_record(&issuer, id, RecordAction::Suspend),
            _ => self.change_record(&issuer, id, RecordAction::Reinstate),
        })
    }

    pub(super) fn aimed_at_record(&mut self, reason: Reason) -> Option<Command> {
        match reason {
            Reason::RecordRevoked => self.any_change(&[RecordStatus::Revoked]),
            Reason::RecordSuperseded => self.any_change(&[RecordStatus::Superseded]),
            Reason::RecordNotSuspended => {
                let (issuer, id) = self.some_record(&[RecordStatus::Valid])?;
                Some(self.change_record(&issuer, id, RecordAction::Reinstate))
            }
            Reason::RecordAlreadySuspended => {
                let (issuer, id) = self.some_record(&[RecordStatus::Suspended])?;
                Some(self.change_record(&issuer, id, RecordAction::Suspend))
            }
            Reason::StatusLimitReached if self.draw.chance(50) => self.aimed_at_steps(),
            Reason::StatusLimitReached => {
                let ids = self.model.record_ids();
                let steps =
                    |id: &(InstitutionId, RecordId)| self.model.record(&id.0, id.1).map_or(0, |r| r.steps);
                let open = |id: &(InstitutionId, RecordId)| {
                    let status = self.model.record(&id.0, id.1).unwrap().status;
                    matches!(status, RecordStatus::Valid | RecordStatus::Suspended)
                };
                let (issuer, id) = ids.into_iter().filter(open).max_by_key(steps)?;
                let valid = self.model.record(&issuer, id).unwrap().status == RecordStatus::Valid;
                let action = if valid { RecordAction::Suspend } else { RecordAction::Reinstate };
                Some(self.change_record(&issuer, id, action))
            }
            Reason::RecordUnknown => {
                let issuer = self.one_with(Role::Issuer);
                let unknown = RecordId(self.id());
                let correcting = self.draw.chance(30);
                Some(if correcting {
                    self.correct(&issuer, unknown)
                } else {
                    self.change_record(&issuer, unknown, RecordAction::Revoke)
                })
            }
            Reason::RecordOfAnotherAccount
            | Reason::OrderRefMissing
            | Reason::EffectiveInFuture
            | Reason::StaleStatement => {
                let (issuer, id) = self.some_record(&[RecordStatus::Valid])?;
                let mut command = match self.draw.below(3) {
                    0 => self.correct(&issuer, id),
                    _ => self.change_record(&issuer, id, RecordAction::Suspend),
                };
                self.spoil_change(reason, &mut command);
                Some(command)
            }
            _ => Some(self.deposit_with(Some(reason))),
        }
    }

    fn spoil_change(&mut self, reason: Reason, command: &mut Command) {
        let another = self.one_account();
        let wrong = self.digest();
        let today = self.model.today(self.now);
        let tomorrow = CivilDate::from_days(today.days() + 1).ok();
        match command {
            Command::CorrectRecord(statement, _) => match reason {
                Reason::RecordOfAnotherAccount => statement.body.facts.account_ref = another,
                _ => statement.body.after = wrong,
            },
            Command::ChangeRecordStatus(statement) => match reason {
                Reason::RecordOfAnotherAccount => statement.body.account_ref = another,
                Reason::OrderRefMissing => {
                    let regulators = self.with_role(Role::Regulator);
                    let regulator = self.draw.any(&regulators).unwrap_or_else(|| self.new_institution_id());
                    let mut body = statement.body.clone();
                    body.order_ref = String::new();
                    **statement = self.by_institution(&regulator, KeyPurpose::Status, body);
                }
                Reason::EffectiveInFuture => statement.body.effective_from = tomorrow,
                _ => statement.body.after = Some(wrong),
            },
            _ => {}
        }
    }
}
