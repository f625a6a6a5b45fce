//! What every signed statement must satisfy: log, id, anchor, signer, keys.

use super::{Faults, Model, Now, Owner};
use credit_types::limits::DAY_US;
use credit_types::{Header, InstitutionId, KeyPurpose, Kid, Reason, Role, SignerId};

/// Whether a statement must name a head.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AnchorRule {
    Required,
    Optional,
    Newest,
}

/// New keys sign for themselves. Where nobody has signed at all, that is what is wrong.
pub(super) fn possession(signers: &[Kid], new: &[Kid], faults: &mut Faults) {
    let missing = new.iter().any(|kid| !signers.contains(kid));
    faults.when(missing && !signers.is_empty(), Reason::PossessionMissing);
}

impl Model {
    /// Log, id and anchor.
    pub(super) fn header_faults(&self, now: Now, header: &Header, rule: AnchorRule, faults: &mut Faults) {
        let log_id = self.entry(0).map(|entry| entry.leaf.0);
        let same = log_id.is_some() && header.log_id.map(|id| id.0) == log_id;
        faults.when(!same, Reason::LogIdMismatch);
        let used = (header.signer.clone(), header.statement_id, None);
        faults.when(self.entries.iter().any(|entry| entry.used == used), Reason::CommandIdReused);
        let Some(anchor) = header.anchor else {
            faults.when(rule != AnchorRule::Optional, Reason::AnchorMissing);
            return;
        };
        if anchor.size == 0 || anchor.size > now.index {
            faults.add(Reason::AnchorUnknown);
            return;
        }
        let (Some(last), Some(genesis)) = (self.entry(anchor.size - 1), self.genesis()) else { return };
        faults.when(last.root != anchor.root, Reason::AnchorForged);
        let age_us = now.recorded_at_us - last.recorded_at_us;
        let old = age_us > i64::from(genesis.policy.anchor_days) * DAY_US;
        let too_old = old || rule == AnchorRule::Newest;
        faults.when(too_old && anchor.size < now.index, Reason::AnchorStale);
    }

    /// A signer that is an institution which nobody admitted.
    pub(super) fn known_signer(&self, header: &Header, faults: &mut Faults) {
        if let SignerId::Institution(id) = &header.signer {
            faults.when(self.institution(id).is_none(), Reason::SignerUnknown);
        }
    }

    pub(crate) fn has_role(&self, id: &InstitutionId, role: Role) -> bool {
        self.institution(id).is_some_and(|institution| institution.roles.contains(&role))
    }

    /// Exactly one signature, by a key of the institution that is in use and has one of the purposes; the keys
    /// of `besides` sign for themselves.
    pub(super) fn one_key(
        &self,
        id: &InstitutionId,
        signers: &[Kid],
        besides: &[Kid],
        purposes: &[KeyPurpose],
        faults: &mut Faults,
    ) {
        let signing: Vec<Kid> = signers.iter().filter(|kid| !besides.contains(kid)).copied().collect();
        faults.when(signing.is_empty(), Reason::KeyUnknown);
        faults.when(signing.len() > 1, Reason::SignatureNotNeeded);
        for kid in signing {
            let Some(key) = self.key(kid) else {
                faults.add(Reason::KeyUnknown);
                continue;
            };
            faults.when(key.owner != Owner::Institution(id.clone()), Reason::KeyOfAnother);
            faults.when(self.compromised(kid).is_some(), Reason::KeyCompromised);
            faults.when(self.retired(kid).is_some(), Reason::KeyRetired);
            let may = purposes.iter().any(|purpose| key.purposes.contains(purpose));
            faults.when(!may, Reason::KeyPurposeWrong);
        }
    }

    /// At least the authority's threshold, and nobody else but the keys of `besides`.
    pub(super) fn threshold(&self, signers: &[Kid], besides: &[Kid], faults: &mut Faults) {
        let mut count = 0;
        for kid in signers.iter().filter(|kid| !besides.contains(kid)) {
            match self.key(*kid).map(|key| &key.owner) {
                None => faults.add(Reason::KeyUnknown),
                Some(Owner::Authority) => count += 1,
                Some(Owner::Operator | Owner::Log | Owner::Institution(_)) => {
                    faults.add(Reason::KeyOfAnother);
                }
            }
        }
        let needed = self.genesis().map_or(1, |genesis| genesis.authority_threshold);
        faults.when(count < needed, Reason::ThresholdNotMet);
    }
}
