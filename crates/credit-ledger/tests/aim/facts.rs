//! The facts of a record: such that an accreditation covers them, or wrong in one way.

use super::Aim;
use super::registry::KINDS;
use credit_types::{
    AccountRef, AccountStatus, Accreditation, Amount, CivilDate, Credits, DepositCheck, Details, FrameworkId,
    HourKind, InstitutionId, Level, Minutes, Reason, RecordDetails, RecordFacts, RecordId, SchemeId,
};

impl Aim<'_> {
    fn day(&mut self, first: CivilDate, last: CivilDate) -> CivilDate {
        let (first, last) = (first.days(), last.days().max(first.days()));
        let days = self.draw.between(i64::from(first), i64::from(last));
        CivilDate::from_days(i32::try_from(days).unwrap()).unwrap()
    }

    /// A level that an accreditation covers and that is on its framework's scale, if there is one.
    fn level(&mut self, accreditation: Option<&Accreditation>) -> Option<Level> {
        let any = accreditation.is_none_or(|accreditation| accreditation.levels.is_empty());
        if any && self.draw.chance(70) {
            return None;
        }
        let range = accreditation.and_then(|accreditation| self.draw.any(&accreditation.levels));
        let published: Vec<_> = self.model.frameworks().cloned().collect();
        let scales =
            published.iter().filter_map(|one| one.levels.map(|scale| (one.framework_id.clone(), scale)));
        let mut on: Vec<Level> = Vec::new();
        for (framework, scale) in scales {
            let levels = (scale.min_tenths..=scale.max_tenths).filter(|tenths| scale.has(*tenths));
            on.extend(levels.map(|tenths| Level { framework: framework.clone(), tenths }));
        }
        if let Some(range) = range {
            on.retain(|level| {
                level.framework == range.framework
                    && (range.min_tenths..=range.max_tenths).contains(&level.tenths)
            });
        }
        self.draw.any(&on)
    }

    fn amount(&mut self) -> Option<Amount> {
        let schemes: Vec<_> =
            self.model.frameworks().flat_map(|framework| framework.schemes.clone()).collect();
        let scheme = self.draw.any(&schemes)?;
        let milli = scheme.step_milli * self.draw.between(1, 40);
        let credits = Credits::from_milli(milli).unwrap();
        self.draw.chance(80).then_some(Amount { scheme: scheme.scheme_id, credits })
    }

    fn code(&mut self, prefixes: &std::collections::BTreeSet<String>) -> String {
        let prefixes: Vec<&String> = prefixes.iter().collect();
        let prefix = self.draw.any(&prefixes).cloned().unwrap_or_default();
        format!("{prefix}{}", self.draw.below(100))
    }

    /// Facts that the rules let in, as far as the issuer is accredited at all.
    pub(super) fn facts(&mut self, issuer: &InstitutionId, account_ref: AccountRef) -> RecordFacts {
        let today = self.model.today(self.now);
        let all = self.model.institution(issuer).map_or(&[][..], |issuer| &issuer.accreditations).to_vec();
        let chosen = self.draw.any(&all);
        let (first, last) = chosen.as_ref().map_or((CivilDate::new(2020, 1, 1).unwrap(), today), |chosen| {
            (chosen.valid_from, chosen.valid_to.map_or(today, |last| last.min(today)))
        });
        let awarded_on = self.day(first.max(CivilDate::new(2018, 1, 1).unwrap()), last);
        let valid_until = if self.draw.chance(30) {
            let end = awarded_on.plus_years(8).unwrap();
            Some(self.day(awarded_on, end))
        } else {
            None
        };
        let kinds: Vec<_> =
            chosen.as_ref().map_or(KINDS.to_vec(), |chosen| chosen.kinds.iter().copied().collect());
        let (mut subject_code, mut occupation_code) = (String::new(), String::new());
        let coded = chosen.as_ref().is_some_and(|chosen| !chosen.subject_prefixes.is_empty());
        if let Some(chosen) = &chosen
            && !coded
            && !chosen.occupation_prefixes.is_empty()
        {
            occupation_code = self.code(&chosen.occupation_prefixes);
        } else {
            let prefixes = chosen.as_ref().map(|chosen| chosen.subject_prefixes.clone()).unwrap_or_default();
            subject_code = self.code(&prefixes);
        }
        let minutes = self.draw.chance(40).then(|| Minutes {
            hour_kind: *self.draw.pick(&[HourKind::Contact, HourKind::Practice]),
            minutes: self.draw.small(1, 4000),
            class_hour_minutes: 45,
        });
        RecordFacts {
            record_id: RecordId(self.id()),
            account_ref,
            kind: *self.draw.pick(&kinds),
            amount: self.amount(),
            minutes,
            level: self.level(chosen.as_ref()),
            subject_code,
            occupation_code,
            awarded_on,
            valid_until,
            details_commitment: self.digest(),
            credit_eligible: true,
        }
    }

    pub(super) fn check(&mut self, awarded_on: CivilDate) -> DepositCheck {
        let details = if self.draw.chance(10) {
            Details::Closed
        } else {
            let earlier = |days: i32| CivilDate::from_days(awarded_on.days() - days).ok();
            let start_on = if self.draw.chance(50) { earlier(90) } else { None };
            let end_on = if self.draw.chance(50) { earlier(5) } else { None };
            Details::Known(Box::new(RecordDetails { start_on, end_on, ..RecordDetails::default() }))
        };
        DepositCheck { details, fingerprint_version: 1, fingerprint_taken: false }
    }

    /// Makes one thing about a record wrong, where that can be done.
    pub(super) fn spoil_facts(
        &mut self,
        reason: Reason,
        issuer: &InstitutionId,
        (facts, check): (&mut RecordFacts, &mut DepositCheck),
    ) {
        let today = self.model.today(self.now);
        let later = |day: CivilDate, days: i32| CivilDate::from_days(day.days() + days).unwrap();
        match reason {
            Reason::AccountUnknown => facts.account_ref = AccountRef(self.id()),
            Reason::AccountClosed => {
                let closed = self.accounts(&[AccountStatus::Closed]);
                facts.account_ref = self.draw.any(&closed).unwrap_or(facts.account_ref);
            }
            Reason::AccountFull => {
                let accounts: Vec<AccountRef> = self.model.accounts().collect();
                let fullest = accounts.into_iter().max_by_key(|r| self.model.records_in(*r));
                facts.account_ref = fullest.unwrap_or(facts.account_ref);
            }
            Reason::RecordExists => {
                let mut ids = self.model.record_ids();
                ids.retain(|(id, _)| id == issuer);
                facts.record_id = self.draw.any(&ids).map_or(facts.record_id, |(_, id)| id);
            }
            Reason::OutcomeExists => check.fingerprint_taken = true,
            Reason::AwardedInFuture => facts.awarded_on = later(today, self.draw.small(1, 3)),
            Reason::ValidityBeforeAward => facts.valid_until = Some(later(facts.awarded_on, -1)),
            Reason::DatesBackwards => self.turn_dates(facts.awarded_on, check),
            Reason::SchemeUnknown => {
                let credits = Credits::from_milli(1000).unwrap();
                facts.amount = Some(Amount { scheme: SchemeId::new("NOBODY_S").unwrap(), credits });
            }
            Reason::AmountOffStep => {
                let mut schemes = self.model.frameworks().flat_map(|framework| &framework.schemes);
                if let Some(scheme) = schemes.rfind(|scheme| scheme.step_milli > 1) {
                    let credits = Credits::from_milli(scheme.step_milli + 1).unwrap();
                    facts.amount = Some(Amount { scheme: scheme.scheme_id.clone(), credits });
                }
            }
            Reason::AccreditationNotInForce => {
                facts.awarded_on = CivilDate::new(2014, 12, 31).unwrap();
                check.details = Details::Closed;
            }
            _ => self.spoil_coverage(reason, issuer, facts),
        }
    }

    fn turn_dates(&mut self, awarded_on: CivilDate, check: &mut DepositCheck) {
        let around = |days: i32| CivilDate::from_days(awarded_on.days() + days).ok();
        let (start_on, end_on) = match self.draw.below(3) {
            0 => (around(-3), around(-4)),
            1 => (around(1), None),
            _ => (None, around(1)),
        };
        let details = RecordDetails { start_on, end_on, ..RecordDetails::default() };
        check.details = Details::Known(Box::new(details));
    }

    fn spoil_coverage(&mut self, reason: Reason, issuer: &InstitutionId, facts: &mut RecordFacts) {
        let institution = self.model.institution(issuer);
        let all = institution.map_or(&[][..], |issuer| &issuer.accreditations);
        match reason {
            Reason::NotAccredited => {
                let free: Vec<_> = KINDS
                    .into_iter()
                    .filter(|kind| all.iter().all(|one| !one.kinds.contains(kind)))
                    .collect();
                facts.kind = self.draw.any(&free).unwrap_or(facts.kind);
            }
            Reason::LevelNotAccredited => {
                let above = facts.level.take().map(|level| Level { tenths: level.tenths + 30, ..level });
                facts.level = above.filter(|_| self.draw.chance(50));
            }
            Reason::SubjectNotAccredited => facts.subject_code = String::from("zz"),
            Reason::FrameworkUnknown => {
                let framework = FrameworkId::new("nobody-s").unwrap();
                facts.level = Some(Level { framework, tenths: 10 });
            }
            Reason::LevelNotInFramework => {
                let framework = facts.level.as_ref().map(|level| level.framework.clone());
                let published = self.model.frameworks().next().map(|one| one.framework_id.clone());
                let framework = framework.or(published);
                facts.level = framework.map(|framework| Level { framework, tenths: 23 });
            }
            _ => {}
        }
    }
}
