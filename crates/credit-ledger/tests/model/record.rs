//! Records: deposits, corrections, changes of status, what an accreditation covers.

use super::header::AnchorRule;
use super::{Faults, Model, Now, Record};
use credit_types::limits::{ACCOUNT_RECORDS_MAX, STATUS_STEPS_MAX, STATUS_STEPS_ORDER_MAX};
use credit_types::{
    AccountRef, AccountStatus, Accreditation, Amount, Bucket, DepositCheck, Details, Event, InstitutionId,
    KeyPurpose, Posting, Reason, RecordAction, RecordCorrection, RecordFacts, RecordStatus,
    RecordStatusChange, Role, Signed, SignerId,
};

type Outcome = Result<Vec<Event>, Reason>;

/// The whole amount from one bucket to another; nothing where there is no amount.
pub(super) fn moved(amount: Option<&Amount>, from: Bucket, to: Bucket) -> Vec<Posting> {
    amount.map(|amount| Posting { from, to, amount: amount.clone() }).into_iter().collect()
}

/// Where the credit of a record stands by postings alone.
pub(super) fn bucket_of(status: RecordStatus) -> Bucket {
    match status {
        RecordStatus::Valid => Bucket::Available,
        RecordStatus::Suspended => Bucket::Suspended,
        RecordStatus::Revoked | RecordStatus::Superseded => Bucket::Revoked,
    }
}

/// How many of the four tests of an accreditation a record passes, in their order.
fn stages(accreditation: &Accreditation, facts: &RecordFacts) -> usize {
    let begun = accreditation.valid_from <= facts.awarded_on;
    let ended = accreditation.valid_to.is_some_and(|last| last < facts.awarded_on);
    let level = accreditation.levels.is_empty()
        || facts.level.as_ref().is_some_and(|level| {
            let mut ranges = accreditation.levels.iter();
            ranges.any(|range| {
                range.framework == level.framework
                    && (range.min_tenths..=range.max_tenths).contains(&level.tenths)
            })
        });
    let subjects = &accreditation.subject_prefixes;
    let occupations = &accreditation.occupation_prefixes;
    let bare = subjects.is_empty() && occupations.is_empty();
    let subject = facts.subject_code.is_empty() || subjects.iter().any(|p| facts.subject_code.starts_with(p));
    let occupation =
        facts.occupation_code.is_empty() || occupations.iter().any(|p| facts.occupation_code.starts_with(p));
    // A record claims every code that it names.
    let code = bare || (subject && occupation);
    let tests = [accreditation.kinds.contains(&facts.kind), begun && !ended, level, code];
    tests.into_iter().take_while(|passed| *passed).count()
}

impl Model {
    /// The count of an account's records.
    pub(crate) fn records_in(&self, account_ref: AccountRef) -> u32 {
        let of_account = |event: &Event| matches!(event, Event::RecordDeposited { facts, .. } if facts.account_ref == account_ref);
        let deposits = self.of(credit_types::EventKind::RecordDeposited);
        let counted = deposits.filter(|(_, event)| of_account(event)).count();
        let prepared: u32 = self.uncounted.iter().filter(|(r, _)| *r == account_ref).map(|(_, n)| n).sum();
        prepared + u32::try_from(counted).unwrap()
    }

    /// What a deposit itself can have wrong; `pending` events of the same entry come before it.
    pub(super) fn deposit_faults(
        &self,
        now: Now,
        issuer: &InstitutionId,
        (facts, check): (&RecordFacts, &DepositCheck),
        pending: &[Event],
    ) -> Vec<Reason> {
        let mut faults = Faults::default();
        match self.account(facts.account_ref) {
            None => faults.add(Reason::AccountUnknown),
            Some(account) => faults.when(account.status == AccountStatus::Closed, Reason::AccountClosed),
        }
        let mut count = self.records_in(facts.account_ref);
        let mut exists = self.record(issuer, facts.record_id).is_some();
        for event in pending {
            if let Event::RecordDeposited { facts: other, .. } = event {
                count += u32::from(other.account_ref == facts.account_ref);
                exists |= other.record_id == facts.record_id;
            }
        }
        faults.when(count >= ACCOUNT_RECORDS_MAX, Reason::AccountFull);
        faults.when(exists, Reason::RecordExists);
        faults.when(check.fingerprint_taken, Reason::OutcomeExists);
        faults.when(facts.awarded_on > self.today(now), Reason::AwardedInFuture);
        let backwards = facts.valid_until.is_some_and(|until| until < facts.awarded_on);
        faults.when(backwards, Reason::ValidityBeforeAward);
        if let Details::Known(details) = &check.details {
            let days: Vec<_> =
                [details.start_on, details.end_on, Some(facts.awarded_on)].into_iter().flatten().collect();
            faults.when(!days.is_sorted(), Reason::DatesBackwards);
        }
        self.coverage_faults(issuer, facts, &mut faults);
        faults.0
    }

    /// Accreditation, framework, scheme.
    fn coverage_faults(&self, issuer: &InstitutionId, facts: &RecordFacts, faults: &mut Faults) {
        if let Some(institution) = self.institution(issuer) {
            let furthest = institution.accreditations.iter().map(|a| stages(a, facts)).max().unwrap_or(0);
            faults.when(furthest == 0, Reason::NotAccredited);
            faults.when(furthest == 1, Reason::AccreditationNotInForce);
            faults.when(furthest == 2, Reason::LevelNotAccredited);
            faults.when(furthest == 3, Reason::SubjectNotAccredited);
        }
        if let Some(level) = &facts.level {
            match self.frameworks().rfind(|framework| framework.framework_id == level.framework) {
                None => faults.add(Reason::FrameworkUnknown),
                Some(framework) => {
                    let on = framework.levels.is_some_and(|scale| {
                        let mut level_tenths = scale.min_tenths;
                        while level_tenths < level.tenths {
                            level_tenths += scale.step_tenths;
                        }
                        level_tenths == level.tenths && level_tenths <= scale.max_tenths
                    });
                    faults.when(!on, Reason::LevelNotInFramework);
                }
            }
        }
        if let Some(amount) = &facts.amount {
            let mut schemes = self.frameworks().flat_map(|framework| &framework.schemes);
            match schemes.rfind(|scheme| scheme.scheme_id == amount.scheme) {
                None => faults.add(Reason::SchemeUnknown),
                Some(scheme) => {
                    faults.when(amount.credits.milli() % scheme.step_milli != 0, Reason::AmountOffStep);
                }
            }
        }
    }

    fn issuer_faults<B>(&self, now: Now, statement: &Signed<B>, rule: AnchorRule, faults: &mut Faults) {
        self.header_faults(now, &statement.header, rule, faults);
        self.institution_signer(&statement.header, faults);
        if let SignerId::Institution(id) = &statement.header.signer {
            faults.when(!self.has_role(id, Role::Issuer), Reason::RoleMissing);
            self.one_key(id, &statement.signers, &[], &[KeyPurpose::Records], faults);
        }
    }

    pub(super) fn deposit(&self, now: Now, statement: &Signed<RecordFacts>, check: &DepositCheck) -> Outcome {
        let mut faults = Faults::default();
        self.issuer_faults(now, statement, AnchorRule::Optional, &mut faults);
        let facts = &statement.body;
        if let SignerId::Institution(issuer) = &statement.header.signer {
            faults.0.extend(self.deposit_faults(now, issuer, (facts, check), &[]));
        }
        faults.or(())?;
        Ok(vec![Event::RecordDeposited {
            facts: Box::new(facts.clone()),
            issuer: statement.header.signer.institution().unwrap().clone(),
            kid: statement.signers[0],
            manifest_index: None,
            supersedes: None,
            fingerprint_version: check.fingerprint_version,
            postings: moved(facts.amount.as_ref(), Bucket::Issued, Bucket::Available),
        }])
    }

    pub(super) fn correct(
        &self,
        now: Now,
        statement: &Signed<RecordCorrection>,
        check: &DepositCheck,
    ) -> Outcome {
        let mut faults = Faults::default();
        self.issuer_faults(now, statement, AnchorRule::Required, &mut faults);
        let SignerId::Institution(issuer) = &statement.header.signer else { return faults.or(Vec::new()) };
        let correction = &statement.body;
        let facts = &correction.facts;
        faults.0.extend(self.deposit_faults(now, issuer, (facts, check), &[]));
        let Some(old) = self.record(issuer, correction.supersedes) else {
            faults.add(Reason::RecordUnknown);
            return faults.or(Vec::new());
        };
        faults.when(old.facts.account_ref != facts.account_ref, Reason::RecordOfAnotherAccount);
        faults.when(old.status == RecordStatus::Revoked, Reason::RecordRevoked);
        faults.when(old.status == RecordStatus::Superseded, Reason::RecordSuperseded);
        faults.when(self.held_by_order(&old), Reason::SignerNotAllowed);
        faults.when(self.entry(old.last).unwrap().leaf != correction.after, Reason::StaleStatement);
        faults.or(())?;
        let kid = statement.signers[0];
        let replaced = Event::RecordStatusChanged {
            account_ref: facts.account_ref,
            issuer: issuer.clone(),
            record_id: correction.supersedes,
            status: RecordStatus::Superseded,
            superseded_by: Some(facts.record_id),
            kid,
            postings: moved(old.facts.amount.as_ref(), bucket_of(old.status), Bucket::Revoked),
        };
        let deposited = Event::RecordDeposited {
            facts: Box::new(facts.clone()),
            issuer: issuer.clone(),
            kid,
            manifest_index: None,
            supersedes: Some(correction.supersedes),
            fingerprint_version: check.fingerprint_version,
            postings: moved(facts.amount.as_ref(), Bucket::Issued, Bucket::Available),
        };
        Ok(vec![replaced, deposited])
    }

    /// Whether somebody else than the issuer has suspended a record.
    fn held_by_order(&self, record: &Record<'_>) -> bool {
        let by = record.changed.and_then(|(kid, _)| self.key(kid)).map(|key| &key.owner);
        let own =
            by.is_some_and(|owner| matches!(owner, super::Owner::Institution(id) if id == record.issuer));
        record.status == RecordStatus::Suspended && !own
    }

    pub(super) fn change_record(&self, now: Now, statement: &Signed<RecordStatusChange>) -> Outcome {
        let change = &statement.body;
        let mut faults = Faults::default();
        let blind = change.action == RecordAction::Revoke;
        faults.when(change.after.is_some() == blind, Reason::FieldInvalid);
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        self.institution_signer(&statement.header, &mut faults);
        if let SignerId::Institution(id) = &statement.header.signer {
            if *id != change.issuer_id {
                faults.when(!self.has_role(id, Role::Regulator), Reason::SignerNotAllowed);
                faults.when(change.order_ref.is_empty(), Reason::OrderRefMissing);
            }
            self.one_key(id, &statement.signers, &[], &[KeyPurpose::Status], &mut faults);
        }
        let future = change.effective_from.is_some_and(|day| day > self.today(now));
        faults.when(future, Reason::EffectiveInFuture);
        let Some(record) = self.record(&change.issuer_id, change.record_id) else {
            faults.add(Reason::RecordUnknown);
            return faults.or(Vec::new());
        };
        faults.when(record.facts.account_ref != change.account_ref, Reason::RecordOfAnotherAccount);
        faults.when(record.status == RecordStatus::Revoked, Reason::RecordRevoked);
        faults.when(record.status == RecordStatus::Superseded, Reason::RecordSuperseded);
        let own = statement.header.signer == SignerId::Institution(change.issuer_id.clone());
        let suspended = record.status == RecordStatus::Suspended;
        // Who keeps the record suspended: nobody, its issuer, or an order.
        let ordered = self.held_by_order(&record);
        let status = match change.action {
            RecordAction::Revoke => RecordStatus::Revoked,
            RecordAction::Suspend => {
                faults.when(suspended && (own || ordered), Reason::RecordAlreadySuspended);
                let most = if own { STATUS_STEPS_MAX } else { STATUS_STEPS_ORDER_MAX };
                faults.when(record.steps >= most, Reason::StatusLimitReached);
                RecordStatus::Suspended
            }
            RecordAction::Reinstate => {
                faults.when(record.status == RecordStatus::Valid, Reason::RecordNotSuspended);
                faults.when(suspended && own == ordered, Reason::SignerNotAllowed);
                RecordStatus::Valid
            }
        };
        let last = self.entry(record.last).unwrap().leaf;
        faults.when(change.after.is_some_and(|after| after != last), Reason::StaleStatement);
        faults.or(())?;
        let (from, to) = (bucket_of(record.status), bucket_of(status));
        Ok(vec![Event::RecordStatusChanged {
            account_ref: change.account_ref,
            issuer: change.issuer_id.clone(),
            record_id: change.record_id,
            status,
            superseded_by: None,
            kid: statement.signers[0],
            postings: if from == to { Vec::new() } else { moved(record.facts.amount.as_ref(), from, to) },
        }])
    }
}
