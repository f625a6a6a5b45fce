//! Genesis, server starts, institutions, frameworks, keys.

use super::header::{AnchorRule, possession};
use super::{Faults, Model, Now, Owner};
use credit_types::genesis::{FORMAT, NOTICE_DAYS_MIN, PROTOCOL};
use credit_types::limits::{AUTHORITY_THRESHOLD_MAX, DAY_US, INSTITUTION_KEYS_MAX, INSTITUTION_OWN_KEYS_MAX};
use credit_types::{
    Event, FrameworkPublication, Genesis, InstitutionAdmission, InstitutionId, KeyAddition, KeyCompromise,
    KeyPurpose, KeyRetirement, Kid, ProtocolUpgrade, Reason, ServerStart, Signed, SignerId,
};

const KEY_CHANGERS: [KeyPurpose; 2] = [KeyPurpose::Keys, KeyPurpose::Recovery];

type Outcome = Result<Vec<Event>, Reason>;

impl Model {
    pub(super) fn create_ledger(&self, now: Now, statement: &Signed<Genesis>) -> Outcome {
        let (genesis, header) = (&statement.body, &statement.header);
        let mut faults = Faults::default();
        // Where there is a log, its own protocol counts.
        if self.genesis().is_none() && !(1..=PROTOCOL).contains(&genesis.protocol) {
            return Err(Reason::ProtocolUnknown);
        }
        let dev = genesis.origin.starts_with("dev.");
        faults.when(!dev && genesis.policy.notice_days < NOTICE_DAYS_MIN, Reason::FieldInvalid);
        let many_logs = genesis.registry_log.is_some() || genesis.continues.is_some();
        faults.when(many_logs, Reason::FieldInvalid);
        faults.when(genesis.authority_threshold as usize > AUTHORITY_THRESHOLD_MAX, Reason::FieldInvalid);
        faults.when(now.index > 0, Reason::LedgerExists);
        faults.when(header.log_id.is_some(), Reason::LogIdMismatch);
        faults.when(header.anchor.is_some(), Reason::AnchorUnknown);
        self.known_signer(header, &mut faults);
        faults.when(header.signer != SignerId::Authority, Reason::SignerNotAllowed);
        let others = [&genesis.checkpoint_keys, &genesis.statement_keys, &genesis.operator_keys];
        let others: Vec<Kid> = others.into_iter().flatten().map(|key| key.kid).collect();
        let authority: Vec<Kid> = genesis.authority_keys.iter().map(|key| key.kid).collect();
        let mut signed = 0;
        for kid in &statement.signers {
            if authority.contains(kid) {
                signed += 1;
            } else {
                faults.add(if others.contains(kid) { Reason::KeyOfAnother } else { Reason::KeyUnknown });
            }
        }
        faults.when(signed < genesis.authority_threshold, Reason::ThresholdNotMet);
        let mut all = [others, authority].concat();
        let count = all.len();
        all.sort();
        all.dedup();
        faults.when(all.len() < count, Reason::KeyExists);
        faults.or(vec![Event::LedgerCreated(Box::new(statement.clone()))])
    }

    pub(super) fn start_server(&self, now: Now, statement: &Signed<ServerStart>) -> Outcome {
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Newest, &mut faults);
        self.known_signer(&statement.header, &mut faults);
        faults.when(statement.header.signer != SignerId::Operator, Reason::SignerNotAllowed);
        faults.when(statement.signers.is_empty(), Reason::KeyUnknown);
        for kid in &statement.signers {
            match self.key(*kid).map(|key| &key.owner) {
                None => faults.add(Reason::KeyUnknown),
                Some(Owner::Operator) => {}
                Some(Owner::Authority | Owner::Log | Owner::Institution(_)) => {
                    faults.add(Reason::KeyOfAnother);
                }
            }
        }
        faults.when(statement.signers.len() > 1, Reason::SignatureNotNeeded);
        faults.when(statement.body.protocol != self.protocol(), Reason::ProtocolUnknown);
        faults.or(vec![Event::ServerStarted(statement.clone())])
    }

    pub(super) fn upgrade_protocol(&self, now: Now, statement: &Signed<ProtocolUpgrade>) -> Outcome {
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        self.known_signer(&statement.header, &mut faults);
        faults.when(statement.header.signer != SignerId::Authority, Reason::SignerNotAllowed);
        self.threshold(&statement.signers, &[], &mut faults);
        let newer = (self.protocol() + 1..=PROTOCOL).contains(&statement.body.protocol);
        faults.when(!newer || statement.body.format != FORMAT, Reason::ProtocolNotNewer);
        faults.or(vec![Event::ProtocolUpgraded(statement.clone())])
    }

    /// What came with protocol 2 is too new for a log of protocol 1. In later ones it has tests of its own.
    pub(super) fn without_conversions(&self) -> Outcome {
        assert_eq!(self.protocol(), 1, "this model knows no conversions");
        Err(Reason::ProtocolTooOld)
    }

    pub(super) fn admit_institution(&self, now: Now, statement: &Signed<InstitutionAdmission>) -> Outcome {
        let admission = &statement.body;
        let mut faults = Faults::default();
        let holders = |purpose: KeyPurpose| {
            let keys = admission.keys.iter().filter(move |key| key.purposes.contains(&purpose));
            keys.map(|key| key.key.kid)
        };
        let two =
            holders(KeyPurpose::Keys).any(|one| holders(KeyPurpose::Recovery).any(|other| one != other));
        faults.when(!two, Reason::FieldInvalid);
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        self.known_signer(&statement.header, &mut faults);
        faults.when(statement.header.signer != SignerId::Authority, Reason::SignerNotAllowed);
        let kids: Vec<Kid> = admission.keys.iter().map(|key| key.key.kid).collect();
        self.threshold(&statement.signers, &kids, &mut faults);
        possession(&statement.signers, &kids, &mut faults);
        for (place, kid) in kids.iter().enumerate() {
            faults.when(self.key(*kid).is_some() || kids[..place].contains(kid), Reason::KeyExists);
        }
        faults.when(self.institution(&admission.institution_id).is_some(), Reason::InstitutionExists);
        let orphan = admission.parent_id.as_ref().is_some_and(|parent| self.institution(parent).is_none());
        faults.when(orphan, Reason::ParentUnknown);
        faults.or(vec![Event::InstitutionAdmitted(Box::new(statement.clone()))])
    }

    pub(super) fn publish_framework(&self, now: Now, statement: &Signed<FrameworkPublication>) -> Outcome {
        let publication = &statement.body;
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        self.known_signer(&statement.header, &mut faults);
        faults.when(statement.header.signer != SignerId::Authority, Reason::SignerNotAllowed);
        self.threshold(&statement.signers, &[], &mut faults);
        for before in self.frameworks() {
            if before.framework_id == publication.framework_id {
                faults.when(publication.version <= before.version, Reason::FrameworkVersionNotNewer);
                let kept = before.levels.is_none() || before.levels == publication.levels;
                faults.when(!kept, Reason::FrameworkLevelsChanged);
            }
            for scheme in &publication.schemes {
                let Some(old) = before.schemes.iter().find(|old| old.scheme_id == scheme.scheme_id) else {
                    continue;
                };
                if before.framework_id == publication.framework_id {
                    let same = old.step_milli == scheme.step_milli && old.kind == scheme.kind;
                    faults.when(!same, Reason::SchemeChanged);
                } else {
                    faults.add(Reason::SchemeOfAnother);
                }
            }
        }
        faults.or(vec![Event::FrameworkPublished(Box::new(statement.clone()))])
    }

    pub(super) fn add_key(&self, now: Now, statement: &Signed<KeyAddition>) -> Outcome {
        let addition = &statement.body;
        let kid = addition.key.key.kid;
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        let recovers = addition.key.purposes.contains(&KeyPurpose::Recovery);
        let signer = &statement.header.signer;
        self.key_change(
            signer,
            (&addition.institution_id, recovers),
            &statement.signers,
            &[kid],
            &mut faults,
        );
        faults.when(self.institution(&addition.institution_id).is_none(), Reason::SignerUnknown);
        possession(&statement.signers, &[kid], &mut faults);
        faults.when(self.key(kid).is_some(), Reason::KeyExists);
        let count = self.keys_of(&addition.institution_id).count();
        let most =
            if *signer == SignerId::Authority { INSTITUTION_KEYS_MAX } else { INSTITUTION_OWN_KEYS_MAX };
        faults.when(count >= most, Reason::KeyLimitReached);
        faults.or(vec![Event::KeyAdded(Box::new(statement.clone()))])
    }

    pub(super) fn retire_key(&self, now: Now, statement: &Signed<KeyRetirement>) -> Outcome {
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        let kid = statement.body.kid;
        let Some(owner) = self.owning_institution(kid) else {
            self.without_owner(&statement.header.signer, &statement.signers, &mut faults);
            return faults.or(Vec::new());
        };
        self.key_change(
            &statement.header.signer,
            (&owner, self.recovers(kid)),
            &statement.signers,
            &[],
            &mut faults,
        );
        faults.when(self.compromised(kid).is_some(), Reason::KeyCompromised);
        faults.when(self.retired(kid).is_some(), Reason::KeyRetired);
        let last = self.entry(self.key_last(kid)).unwrap();
        faults.when(last.leaf != statement.body.after, Reason::StaleStatement);
        faults.or(vec![Event::KeyRetired { institution_id: owner, statement: statement.clone() }])
    }

    pub(super) fn report_compromise(&self, now: Now, statement: &Signed<KeyCompromise>) -> Outcome {
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        let KeyCompromise { kid, suspect_from_index: from } = statement.body;
        let Some(owner) = self.owning_institution(kid) else {
            self.without_owner(&statement.header.signer, &statement.signers, &mut faults);
            return faults.or(Vec::new());
        };
        self.key_change(
            &statement.header.signer,
            (&owner, self.recovers(kid)),
            &statement.signers,
            &[],
            &mut faults,
        );
        let earlier = self.compromised(kid).is_none_or(|(_, before)| from < before);
        faults.when(!earlier, Reason::KeyCompromised);
        faults.when(from < self.key(kid).unwrap().since, Reason::SuspectBeforeActivation);
        faults.when(from > now.index, Reason::SuspectInFuture);
        if let Some(entry) = self.entry(from)
            && statement.header.signer != SignerId::Authority
        {
            let back_us = now.recorded_at_us - entry.recorded_at_us;
            let days = self.genesis().unwrap().policy.suspect_days;
            faults.when(back_us > i64::from(days) * DAY_US, Reason::SuspectTooFarBack);
        }
        faults.or(vec![Event::KeyCompromised { institution_id: owner, statement: statement.clone() }])
    }

    /// The signatures that a change of an institution's keys needs.
    fn key_change(
        &self,
        signer: &SignerId,
        (owner, recovers): (&InstitutionId, bool),
        signers: &[Kid],
        new: &[Kid],
        faults: &mut Faults,
    ) {
        // The way back is not taken by whoever holds the keys of every day.
        let changers = if recovers { &KEY_CHANGERS[1..] } else { &KEY_CHANGERS };
        match signer {
            SignerId::Authority => self.threshold(signers, new, faults),
            SignerId::Operator => faults.add(Reason::SignerNotAllowed),
            SignerId::Institution(id) => {
                faults.when(self.institution(id).is_none(), Reason::SignerUnknown);
                faults.when(id != owner, Reason::SignerNotAllowed);
                self.one_key(id, signers, new, changers, faults);
            }
        }
    }

    /// A statement about a key that no institution owns.
    fn without_owner(&self, signer: &SignerId, signers: &[Kid], faults: &mut Faults) {
        match signer {
            SignerId::Authority => self.threshold(signers, &[], faults),
            SignerId::Operator => faults.add(Reason::SignerNotAllowed),
            SignerId::Institution(id) => {
                faults.when(self.institution(id).is_none(), Reason::SignerUnknown);
                self.one_key(id, signers, &[], &KEY_CHANGERS, faults);
            }
        }
        faults.add(Reason::KeyNotFound);
    }

    fn recovers(&self, kid: Kid) -> bool {
        self.key(kid).is_some_and(|key| key.purposes.contains(&KeyPurpose::Recovery))
    }

    fn owning_institution(&self, kid: Kid) -> Option<InstitutionId> {
        match self.key(kid).map(|key| &key.owner) {
            Some(Owner::Institution(id)) => Some(id.clone()),
            Some(Owner::Authority | Owner::Operator | Owner::Log) | None => None,
        }
    }

    /// The index of the last entry about a key itself.
    pub(crate) fn key_last(&self, kid: Kid) -> u64 {
        let since = self.key(kid).map_or(0, |key| key.since);
        let reported = self.last_report(kid).unwrap_or(0);
        since.max(self.retired(kid).unwrap_or(0)).max(reported)
    }
}
