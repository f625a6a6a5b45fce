//! Commands at random, aimed: most are as they should be, the others miss in a way that is picked beforehand.
//!
//! What is aimed at is only a wish. Whether a command is accepted, and why not, is for the model to say.

mod account;
mod batch;
mod facts;
mod key;
mod record;
mod registry;
mod spoil;

use crate::draw::{Draw, expanded};
use crate::model::{Model, Now, Owner};
use credit_types::{
    AccountRef, AccountStatus, Anchor, Command, CommandId, Digest, Header, InstitutionId, KeyPurpose, Kid,
    LogId, PublicKey, Reason, Role, Signed, SignerId,
};

/// Reasons that only an edge gives: it checks what the core takes as checked.
pub(crate) const EDGE: [Reason; 5] = [
    // Decoding: the core sees nouns, not bytes.
    Reason::PayloadNotCanonical,
    // Cryptography: a command carries verified statements, openings and paths.
    Reason::SignatureInvalid,
    Reason::CommitmentMismatch,
    Reason::ChunkPathWrong,
    // Encoding: the shell assembles the parts.
    Reason::EntryTooLarge,
];

/// Reasons that are given to a single leaf of a batch.
pub(crate) const LEAF: [Reason; 18] = [
    Reason::AccountUnknown,
    Reason::AccountExists,
    Reason::AliasExists,
    Reason::AccountClosed,
    Reason::AccountFull,
    Reason::RecordExists,
    Reason::OutcomeExists,
    Reason::AwardedInFuture,
    Reason::ValidityBeforeAward,
    Reason::DatesBackwards,
    Reason::NotAccredited,
    Reason::AccreditationNotInForce,
    Reason::LevelNotAccredited,
    Reason::SubjectNotAccredited,
    Reason::FrameworkUnknown,
    Reason::LevelNotInFramework,
    Reason::SchemeUnknown,
    Reason::AmountOffStep,
];

/// Reasons that need more aiming than others, because their states are rare.
const SCARCE: [Reason; 6] = [
    Reason::KeyRetired,
    Reason::KeyCompromised,
    Reason::StatusLimitReached,
    Reason::BatchLimitReached,
    Reason::AccreditationNotInForce,
    Reason::AmountOffStep,
];

/// Every reason that the core can give to what has no conversions, in order.
pub(crate) fn core_reasons() -> Vec<Reason> {
    let old = Reason::all().filter(|reason| *reason <= Reason::ProtocolNotNewer);
    old.filter(|reason| !EDGE.contains(reason)).collect()
}

/// One who thinks up the next command.
pub(crate) struct Aim<'a> {
    pub(crate) draw: &'a mut Draw,
    pub(crate) model: &'a Model,
    pub(crate) now: Now,
}

impl Aim<'_> {
    /// The next command.
    pub(crate) fn command(&mut self) -> Command {
        if self.model.genesis().is_none() {
            return if self.draw.chance(70) { self.genesis() } else { self.spoiled_genesis() };
        }
        if let Some(command) = self.founding() {
            return command;
        }
        let mut command = if self.draw.chance(50) { self.aimed() } else { self.sound() };
        if self.draw.chance(8) {
            let reasons = core_reasons();
            let reason = *self.draw.pick(&reasons);
            self.spoil(reason, &mut command);
        }
        command
    }

    /// What a history needs before anything else makes sense.
    fn founding(&mut self) -> Option<Command> {
        if self.draw.chance(10) {
            return None;
        }
        let issuers = self.with_role(Role::Issuer).len();
        if self.model.frameworks().next().is_none() {
            Some(self.publication())
        } else if issuers < 2
            || self.with_role(Role::Registrar).is_empty()
            || self.with_role(Role::Regulator).is_empty()
        {
            Some(self.admission())
        } else if self.model.accounts().count() < 3 {
            Some(self.opening())
        } else {
            None
        }
    }

    /// A command with nothing wrong on purpose.
    fn sound(&mut self) -> Command {
        match self.draw.below(100) {
            0..26 => self.deposit(),
            26..34 => self.correction(),
            34..48 => self.record_change(),
            48..55 => self.opening(),
            55..63 => self.account_change(),
            63..69 => self.manifest(),
            69..81 => self.chunk(),
            81..83 => self.closing(),
            83..88 => self.addition(),
            88..91 => self.retirement(),
            91..93 => self.report(),
            93..95 => self.publication(),
            95..97 => self.admission(),
            97 => self.upgrade(),
            _ => self.start(),
        }
    }

    /// A command meant to be refused for a certain reason.
    fn aimed(&mut self) -> Command {
        let reasons = if self.draw.chance(15) { SCARCE.to_vec() } else { core_reasons() };
        let reason = *self.draw.pick(&reasons);
        let number = reason.number();
        let command = match number {
            ..25 => None,
            25..37 => self.aimed_at_registry(reason),
            37..44 => self.aimed_at_account(reason),
            44..67 => self.aimed_at_record(reason),
            77 => self.of_later_protocol(),
            78 => Some(self.upgrade()),
            67.. => self.aimed_at_batch(reason),
        };
        command.unwrap_or_else(|| {
            let mut command = self.sound();
            self.spoil(reason, &mut command);
            command
        })
    }

    pub(crate) fn id<const N: usize>(&mut self) -> [u8; N] {
        expanded(self.draw.word())
    }

    pub(crate) fn digest(&mut self) -> Digest {
        Digest(self.id())
    }

    pub(crate) fn new_key(&mut self) -> PublicKey {
        PublicKey { bytes: self.id(), kid: Kid(self.id()) }
    }

    pub(crate) fn log_id(&self) -> Option<LogId> {
        self.model.entry(0).map(|entry| LogId(entry.leaf.0))
    }

    /// A true anchor at a size.
    pub(crate) fn anchor(&self, size: u64) -> Option<Anchor> {
        let entry = self.model.entry(size.checked_sub(1)?)?;
        Some(Anchor { size, root: entry.root })
    }

    pub(crate) fn header(&mut self, signer: SignerId) -> Header {
        let back = self.draw.below(3);
        let size = self.model.index().saturating_sub(u64::try_from(back).unwrap()).max(1);
        let statement_id = CommandId(self.id());
        Header { log_id: self.log_id(), statement_id, signer, anchor: self.anchor(size) }
    }

    pub(crate) fn signed<B>(&mut self, signer: SignerId, body: B, signers: Vec<Kid>) -> Signed<B> {
        let mut signed = Signed { header: self.header(signer), body, signers };
        signed.signers.sort();
        signed.signers.dedup();
        signed
    }

    /// Signed by a key of an institution that has the purpose, or by an unknown key where there is none.
    pub(crate) fn by_institution<B>(
        &mut self,
        id: &InstitutionId,
        purpose: KeyPurpose,
        body: B,
    ) -> Signed<B> {
        let kid = self.key_for(id, &[purpose]);
        self.signed(SignerId::Institution(id.clone()), body, vec![kid])
    }

    /// Signed by the authority, and by keys that prove their possession.
    pub(crate) fn by_authority<B>(&mut self, body: B, besides: &[Kid]) -> Signed<B> {
        let mut signers = besides.to_vec();
        signers.extend(self.authority());
        self.signed(SignerId::Authority, body, signers)
    }

    /// As many keys of the authority as must sign, now and then one more.
    pub(crate) fn authority(&mut self) -> Vec<Kid> {
        let Some(genesis) = self.model.genesis() else { return Vec::new() };
        let count = usize::try_from(genesis.authority_threshold).unwrap() + usize::from(self.draw.chance(10));
        genesis.authority_keys.iter().map(|key| key.kid).take(count).collect()
    }

    /// A key in use with one of the purposes.
    pub(crate) fn key_for(&mut self, id: &InstitutionId, purposes: &[KeyPurpose]) -> Kid {
        let kids = self.keys_with(id, purposes);
        self.draw.any(&kids).unwrap_or_else(|| Kid(self.id()))
    }

    pub(crate) fn keys_with(&self, id: &InstitutionId, purposes: &[KeyPurpose]) -> Vec<Kid> {
        let keys = self.model.keys_of(id).filter(|key| key.purposes.iter().any(|p| purposes.contains(p)));
        let kids = keys.map(|key| key.kid);
        kids.filter(|kid| self.model.retired(*kid).is_none() && self.model.compromised(*kid).is_none())
            .collect()
    }

    pub(crate) fn with_role(&self, role: Role) -> Vec<InstitutionId> {
        let institutions = self.model.institutions().filter(|one| one.roles.contains(&role));
        institutions.map(|one| one.institution_id.clone()).collect()
    }

    pub(crate) fn without_role(&mut self, role: Role) -> Option<InstitutionId> {
        let institutions = self.model.institutions().filter(|one| !one.roles.contains(&role));
        let ids: Vec<_> = institutions.map(|one| one.institution_id.clone()).collect();
        self.draw.any(&ids)
    }

    /// An institution that has the role, or one that nobody knows.
    pub(crate) fn one_with(&mut self, role: Role) -> InstitutionId {
        let ids = self.with_role(role);
        self.draw.any(&ids).unwrap_or_else(|| self.new_institution_id())
    }

    pub(crate) fn new_institution_id(&mut self) -> InstitutionId {
        InstitutionId::new(format!("cn.i{:x}", self.draw.word() >> 32)).unwrap()
    }

    /// A key that institutions own.
    pub(crate) fn any_institution_key(&mut self) -> Option<(InstitutionId, Kid)> {
        let keys: Vec<_> = self
            .model
            .keys()
            .iter()
            .filter_map(|key| match &key.owner {
                Owner::Institution(id) => Some((id.clone(), key.kid)),
                Owner::Authority | Owner::Operator | Owner::Log => None,
            })
            .collect();
        self.draw.any(&keys)
    }

    pub(crate) fn accounts(&self, wanted: &[AccountStatus]) -> Vec<AccountRef> {
        let accounts = self.model.accounts();
        accounts.filter(|r| self.model.account(*r).is_some_and(|a| wanted.contains(&a.status))).collect()
    }

    /// An account that takes deposits, or one that nobody knows.
    pub(crate) fn one_account(&mut self) -> AccountRef {
        let open = self.accounts(&[AccountStatus::Active, AccountStatus::Suspended]);
        self.draw.any(&open).unwrap_or_else(|| AccountRef(self.id()))
    }

    /// What a statement names as `after`: the leaf of an entry, or nothing that ever was.
    pub(crate) fn after(&mut self, last: Option<u64>) -> Digest {
        match last {
            Some(index) => self.model.entry(index).unwrap().leaf,
            None => self.digest(),
        }
    }
}
