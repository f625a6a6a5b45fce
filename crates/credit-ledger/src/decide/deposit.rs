//! What a record must be to enter an account, alone, as a correction or as a leaf of a batch.

use crate::decide::Judgement;
use crate::row::InstitutionRow;
use credit_types::limits::ACCOUNT_RECORDS_MAX;
use credit_types::{
    AccountStatus, Accreditation, Bucket, DepositCheck, Details, Event, InstitutionId, Kid, Level, Posting,
    Reason, RecordDetails, RecordFacts, RecordId, Rejection,
};
use std::collections::BTreeSet;

/// A record that is to enter.
pub(crate) struct Deposit<'a> {
    /// Who signed it.
    pub(crate) issuer: &'a InstitutionId,
    /// The issuer's row; `None` where the signer was refused as unknown.
    pub(crate) admission: Option<&'a InstitutionRow>,
    /// What was signed.
    pub(crate) facts: &'a RecordFacts,
    /// What the bank asserts.
    pub(crate) check: &'a DepositCheck,
    /// Count of records that the same command adds to the account before this one.
    pub(crate) added: u32,
}

impl Deposit<'_> {
    /// Adds what speaks against the record itself, whoever signed it.
    pub(crate) fn guard(&self, judgement: &mut Judgement) {
        self.account(judgement);
        if let Some(row) = judgement.view.record(self.issuer, self.facts.record_id) {
            let rejection = Rejection::new(Reason::RecordExists).field("record_id");
            judgement.refuse(rejection.index(row.deposited_index));
        }
        judgement.require(!self.check.fingerprint_taken, || Reason::OutcomeExists);
        self.dates(judgement);
        let lacking = self.admission.and_then(|row| lacking(&row.admission.accreditations, self.facts));
        if let Some(reason) = lacking {
            judgement.refuse(reason);
        }
        self.level(judgement);
        self.amount(judgement);
    }

    fn account(&self, judgement: &mut Judgement) {
        let Some(row) = judgement.view.account(self.facts.account_ref) else {
            judgement.refuse(Rejection::new(Reason::AccountUnknown).field("account_ref"));
            return;
        };
        match row.status {
            // What somebody has learned is recorded even while the account is blocked.
            AccountStatus::Active | AccountStatus::Suspended => {}
            AccountStatus::Closed => {
                judgement.refuse(Rejection::new(Reason::AccountClosed).index(row.last_status_index));
            }
        }
        let room = row.records.saturating_add(self.added) < ACCOUNT_RECORDS_MAX;
        judgement.require(room, || Reason::AccountFull);
    }

    fn dates(&self, judgement: &mut Judgement) {
        let RecordFacts { awarded_on, valid_until, .. } = self.facts;
        let past = judgement.today().is_some_and(|today| *awarded_on <= today);
        judgement.require(past, || Rejection::new(Reason::AwardedInFuture).field("awarded_on"));
        let valid = valid_until.is_none_or(|until| until >= *awarded_on);
        judgement.require(valid, || Rejection::new(Reason::ValidityBeforeAward).field("valid_until"));
        if let Details::Known(details) = &self.check.details {
            let RecordDetails { start_on, end_on, .. } = details.as_ref();
            let days = [*start_on, *end_on, Some(*awarded_on)];
            let forwards = days.iter().flatten().is_sorted();
            judgement.require(forwards, || Rejection::new(Reason::DatesBackwards).field("details"));
        }
    }

    fn level(&self, judgement: &mut Judgement) {
        let Some(Level { framework, tenths }) = &self.facts.level else { return };
        match judgement.view.framework(framework) {
            None => judgement.refuse(Rejection::new(Reason::FrameworkUnknown).field("level.framework")),
            Some(row) => {
                let on_scale = row.framework.levels.is_some_and(|scale| scale.has(*tenths));
                let rejection = || Rejection::new(Reason::LevelNotInFramework).field("level.tenths");
                judgement.require(on_scale, rejection);
            }
        }
    }

    fn amount(&self, judgement: &mut Judgement) {
        let Some(amount) = &self.facts.amount else { return };
        match judgement.view.scheme(&amount.scheme) {
            None => judgement.refuse(Rejection::new(Reason::SchemeUnknown).field("amount.credit_scheme")),
            Some(row) => {
                let step = row.scheme.step_milli;
                let on_step = amount.credits.milli().checked_rem(step) == Some(0);
                let rejection = || Rejection::new(Reason::AmountOffStep).field("amount.credits_milli");
                judgement.require(on_step, || rejection().detail(format!("must be a multiple of {step}")));
            }
        }
    }

    /// What happened once nothing speaks against it.
    pub(crate) fn event(&self, kid: Kid, manifest_index: Option<u64>, supersedes: Option<RecordId>) -> Event {
        let amount = self.facts.amount.clone();
        let postings =
            amount.map(|amount| Posting { from: Bucket::Issued, to: Bucket::Available, amount }).into_iter();
        Event::RecordDeposited {
            facts: Box::new(self.facts.clone()),
            issuer: self.issuer.clone(),
            kid,
            manifest_index,
            supersedes,
            fingerprint_version: self.check.fingerprint_version,
            postings: postings.collect(),
        }
    }
}

/// What no accreditation covers: `None` if one covers all; otherwise what the one that comes furthest lacks.
pub fn lacking(accreditations: &[Accreditation], facts: &RecordFacts) -> Option<Reason> {
    let mut furthest = Reason::NotAccredited;
    for accreditation in accreditations {
        furthest = furthest.max(lacks(accreditation, facts)?);
    }
    Some(furthest)
}

/// What an accreditation lacks for a record. The reasons ascend as the stages do.
fn lacks(accreditation: &Accreditation, facts: &RecordFacts) -> Option<Reason> {
    if !accreditation.kinds.contains(&facts.kind) {
        return Some(Reason::NotAccredited);
    }
    let begun = accreditation.valid_from <= facts.awarded_on;
    if !begun || accreditation.valid_to.is_some_and(|to| to < facts.awarded_on) {
        return Some(Reason::AccreditationNotInForce);
    }
    let level = accreditation.levels.is_empty()
        || facts.level.as_ref().is_some_and(|level| {
            accreditation.levels.iter().any(|range| {
                range.framework == level.framework
                    && (range.min_tenths..=range.max_tenths).contains(&level.tenths)
            })
        });
    if !level {
        return Some(Reason::LevelNotAccredited);
    }
    let Accreditation { subject_prefixes, occupation_prefixes, .. } = accreditation;
    let any = subject_prefixes.is_empty() && occupation_prefixes.is_empty();
    // Each code that a record names is claimed, so each must be covered.
    let covered = any
        || (begins(&facts.subject_code, subject_prefixes)
            && begins(&facts.occupation_code, occupation_prefixes));
    if covered { None } else { Some(Reason::SubjectNotAccredited) }
}

/// Whether a code is not named or begins with one of the prefixes.
fn begins(code: &str, prefixes: &BTreeSet<String>) -> bool {
    code.is_empty() || prefixes.iter().any(|prefix| code.starts_with(prefix.as_str()))
}
