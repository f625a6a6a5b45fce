//! Keys: added, retired, reported.

use super::Aim;
use credit_types::{
    Command, Digest, InstitutionId, InstitutionKey, KeyAddition, KeyCompromise, KeyPurpose, KeyRetirement,
    Kid, Reason, SignerId,
};

const CHANGERS: [KeyPurpose; 2] = [KeyPurpose::Keys, KeyPurpose::Recovery];
const PURPOSES: [KeyPurpose; 7] = [
    KeyPurpose::Records,
    KeyPurpose::Status,
    KeyPurpose::Decisions,
    KeyPurpose::Registry,
    KeyPurpose::Keys,
    KeyPurpose::Recovery,
    KeyPurpose::Tokens,
];

impl Aim<'_> {
    fn one_institution(&mut self) -> InstitutionId {
        let ids: Vec<_> = self.model.institutions().map(|one| one.institution_id.clone()).collect();
        self.draw.any(&ids).unwrap_or_else(|| self.new_institution_id())
    }

    /// Who signs a change of an institution's keys: the owner or the authority, and with which keys.
    fn changer(&mut self, owner: &InstitutionId) -> (SignerId, Vec<Kid>) {
        if self.draw.chance(30) {
            return (SignerId::Authority, self.authority());
        }
        let kid = self.key_for(owner, &CHANGERS);
        (SignerId::Institution(owner.clone()), vec![kid])
    }

    fn add(&mut self, institution_id: InstitutionId, key: InstitutionKey) -> Command {
        let (signer, mut signers) = self.changer(&institution_id);
        signers.push(key.key.kid);
        let body = KeyAddition { institution_id, key };
        Command::AddKey(Box::new(self.signed(signer, body, signers)))
    }

    pub(super) fn addition(&mut self) -> Command {
        let institution_id = self.one_institution();
        let key = self.new_institution_key();
        self.add(institution_id, key)
    }

    pub(super) fn new_institution_key(&mut self) -> InstitutionKey {
        let mut purposes: std::collections::BTreeSet<_> =
            PURPOSES.into_iter().filter(|_| self.draw.chance(25)).collect();
        purposes.insert(*self.draw.pick(&PURPOSES));
        InstitutionKey { key: self.new_key(), purposes }
    }

    pub(super) fn retire(&mut self, owner: &InstitutionId, kid: Kid, after: Digest) -> Command {
        let (signer, signers) = self.changer(owner);
        Command::RetireKey(self.signed(signer, KeyRetirement { after, kid }, signers))
    }

    pub(super) fn retirement(&mut self) -> Command {
        let (owner, kid) = self.some_key();
        let after = self.after(Some(self.model.key_last(kid)));
        self.retire(&owner, kid, after)
    }

    fn some_key(&mut self) -> (InstitutionId, Kid) {
        let found = self.any_institution_key();
        found.unwrap_or_else(|| (self.new_institution_id(), Kid(self.id())))
    }

    fn accuse(&mut self, owner: &InstitutionId, kid: Kid, suspect_from_index: u64) -> Command {
        let (signer, signers) = self.changer(owner);
        let body = KeyCompromise { kid, suspect_from_index };
        Command::ReportKeyCompromise(self.signed(signer, body, signers))
    }

    pub(super) fn report(&mut self) -> Command {
        let (owner, kid) = self.some_key();
        let since = self.model.key(kid).map_or(0, |key| key.since);
        let highest =
            self.model.compromised(kid).map_or(self.model.index(), |(_, from)| from.saturating_sub(1));
        let reach = usize::try_from(highest.saturating_sub(since) + 1).unwrap();
        let from = since + u64::try_from(self.draw.below(reach)).unwrap();
        self.accuse(&owner, kid, from)
    }

    pub(super) fn aimed_at_key(&mut self, reason: Reason) -> Option<Command> {
        let (owner, kid) = self.any_institution_key()?;
        let since = self.model.key(kid)?.since;
        match reason {
            Reason::KeyExists => {
                let kids: Vec<Kid> = self.model.keys().iter().map(|key| key.kid).collect();
                let mut key = self.new_institution_key();
                key.key.kid = self.draw.any(&kids)?;
                let institution_id = self.one_institution();
                Some(self.add(institution_id, key))
            }
            Reason::KeyLimitReached => {
                let ids = self.model.institutions().map(|one| one.institution_id.clone());
                let fullest = ids.max_by_key(|id| self.model.keys_of(id).count())?;
                let key = self.new_institution_key();
                Some(self.add(fullest, key))
            }
            Reason::KeyNotFound => {
                let unknown = Kid(self.id());
                let after = self.digest();
                let retiring = self.draw.chance(50);
                Some(if retiring {
                    self.retire(&owner, unknown, after)
                } else {
                    self.accuse(&owner, unknown, 1)
                })
            }
            Reason::SuspectBeforeActivation => Some(self.accuse(&owner, kid, since.saturating_sub(1))),
            Reason::SuspectInFuture => Some(self.accuse(&owner, kid, self.model.index() + 1)),
            Reason::SuspectTooFarBack => {
                let signer = self.key_for(&owner, &CHANGERS);
                let body = KeyCompromise { kid, suspect_from_index: since };
                let statement = self.signed(SignerId::Institution(owner), body, vec![signer]);
                Some(Command::ReportKeyCompromise(statement))
            }
            _ => None,
        }
    }
}
