//! Who signs: an institution with a key for each purpose, or the authority, k of n.

use credit_log::envelope::{PublicKey, SigningKey};
use credit_proto::{Envelope, Signable};
use credit_types::limits::SIGNATURES_MAX;
use credit_types::{CommandId, Header, InstitutionId, KeyPurpose, Kid, SignerId};
use std::collections::{BTreeMap, BTreeSet};

use crate::error::ClientError;

/// The keys at hand cannot sign a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The client was built without a signer.
    #[error("this needs an institution's keys, and the client has none")]
    NoSigner,
    /// No key has any of the purposes.
    #[error("{institution} has no key at hand for any of {purposes:?}")]
    NoKey {
        /// Whose keys they are.
        institution: InstitutionId,
        /// The purposes that would do.
        purposes: Vec<KeyPurpose>,
    },
    /// None, or more than a statement takes.
    #[error("a statement takes 1 to {SIGNATURES_MAX} signatures, not {count}")]
    Count {
        /// How many there would be.
        count: usize,
    },
    /// A statement brings a key whose private half is not at hand, so that it can't prove its possession.
    #[error("the private key of {kid} is missing: a new key signs for itself")]
    NoPossession {
        /// The key.
        kid: Kid,
    },
}

/// An institution's keys by purpose.
#[derive(Debug)]
pub struct InstitutionSigner {
    institution: InstitutionId,
    keys: Vec<(BTreeSet<KeyPurpose>, SigningKey)>,
}

impl InstitutionSigner {
    /// An institution without keys.
    pub fn new(institution: InstitutionId) -> Self {
        Self { institution, keys: Vec::new() }
    }

    /// Gives it a key for some purposes. Where two have the same purpose, the first given signs.
    #[must_use]
    pub fn with_key(mut self, purposes: impl IntoIterator<Item = KeyPurpose>, key: SigningKey) -> Self {
        self.keys.push((purposes.into_iter().collect(), key));
        self
    }

    /// Whose keys they are.
    pub fn institution(&self) -> &InstitutionId {
        &self.institution
    }

    /// The key of the first of these purposes that there is one for.
    pub fn key(&self, purposes: &[KeyPurpose]) -> Result<&SigningKey, SignerError> {
        let of = |purpose: &KeyPurpose| self.keys.iter().find(|(of, _)| of.contains(purpose));
        purposes.iter().find_map(of).map(|(_, key)| key).ok_or_else(|| SignerError::NoKey {
            institution: self.institution.clone(),
            purposes: purposes.to_vec(),
        })
    }

    /// Signs a statement by the key of the first of these purposes that there is one for.
    pub fn sign<B: Signable>(
        &self,
        purposes: &[KeyPurpose],
        header: &Header,
        body: &B,
    ) -> Result<Envelope, SignerError> {
        sign(B::TYPE, body.payload(Some(header)), &[self.key(purposes)?])
    }
}

/// Keys of the authority: at least as many as its threshold, of those that the log's genesis names.
#[derive(Debug)]
pub struct AuthoritySigner {
    keys: Vec<SigningKey>,
}

impl AuthoritySigner {
    /// The keys that sign, 1 to 16; how many are needed is the log's to say.
    pub fn new(keys: Vec<SigningKey>) -> Self {
        Self { keys }
    }

    /// Signs a statement by all of the keys, and by new keys that prove their possession.
    pub fn sign<B: Signable>(
        &self,
        header: &Header,
        body: &B,
        possession: &[&SigningKey],
    ) -> Result<Envelope, SignerError> {
        sign(B::TYPE, body.payload(Some(header)), &self.with(possession))
    }

    pub(crate) fn with<'a>(&'a self, possession: &[&'a SigningKey]) -> Vec<&'a SigningKey> {
        self.keys.iter().chain(possession.iter().copied()).collect()
    }
}

/// Signs a payload by each key once; signatures ascend by kid.
fn sign(payload_type: &str, payload: Vec<u8>, keys: &[&SigningKey]) -> Result<Envelope, SignerError> {
    let by_kid: BTreeMap<Kid, &SigningKey> = keys.iter().map(|key| (Kid(key.public().kid()), *key)).collect();
    let count = by_kid.len();
    if !(1..=SIGNATURES_MAX).contains(&count) {
        return Err(SignerError::Count { count });
    }
    let signatures =
        by_kid.into_iter().map(|(kid, key)| (kid, key.sign_statement(payload_type, &payload))).collect();
    Ok(Envelope { payload_type: payload_type.to_owned(), payload, signatures })
}

/// A signed statement on its way: however often it is sent, it is these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) statement_id: CommandId,
    pub(crate) signer: SignerId,
    pub(crate) envelope: Envelope,
}

/// Checks a statement against every bound that the bank will check it against, and signs it.
pub(crate) fn seal<B: Signable>(
    header: &Header,
    body: &B,
    keys: &[&SigningKey],
) -> Result<Outgoing, ClientError> {
    let payload = body.payload(Some(header));
    B::from_payload(&payload, admit)?;
    let envelope = sign(B::TYPE, payload, keys)?;
    Ok(Outgoing { statement_id: header.statement_id, signer: header.signer.clone(), envelope })
}

/// Admits a public key and computes its kid.
pub(crate) fn admit(bytes: &[u8; 32]) -> Option<[u8; 32]> {
    PublicKey::admit(bytes).ok().map(|key| key.kid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{Anchor, Digest, InstitutionKey, KeyAddition, KeyRetirement, LogId};

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    fn school() -> InstitutionId {
        InstitutionId::new("cn.x.school").unwrap()
    }

    fn header(signer: SignerId) -> Header {
        Header {
            log_id: Some(LogId([1; 32])),
            statement_id: crate::random::command_id().unwrap(),
            signer,
            anchor: Some(Anchor { size: 1, root: Digest([2; 32]) }),
        }
    }

    fn retirement() -> KeyRetirement {
        KeyRetirement { after: Digest([3; 32]), kid: Kid([4; 32]) }
    }

    fn verify(envelope: &Envelope, seeds: &[u8]) {
        let mut kids = Vec::new();
        for (kid, signature) in &envelope.signatures {
            let public = seeds.iter().map(|seed| key(*seed).public()).find(|key| key.kid() == kid.0).unwrap();
            assert!(public.verify_statement(&envelope.payload_type, &envelope.payload, signature).is_ok());
            kids.push(*kid);
        }
        assert_eq!(kids.len(), seeds.len());
        assert!(kids.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn an_institution_signs_by_the_key_of_the_first_purpose_it_has() {
        let signer = InstitutionSigner::new(school())
            .with_key([KeyPurpose::Keys], key(1))
            .with_key([KeyPurpose::Recovery, KeyPurpose::Status], key(2));
        let header = header(SignerId::Institution(school()));
        let by = |purposes: &[KeyPurpose]| signer.sign(purposes, &header, &retirement());
        verify(&by(&[KeyPurpose::Keys, KeyPurpose::Recovery]).unwrap(), &[1]);
        verify(&by(&[KeyPurpose::Recovery, KeyPurpose::Keys]).unwrap(), &[2]);
        verify(&by(&[KeyPurpose::Registry, KeyPurpose::Status]).unwrap(), &[2]);
        let none = by(&[KeyPurpose::Records]).unwrap_err();
        assert_eq!(none, SignerError::NoKey { institution: school(), purposes: vec![KeyPurpose::Records] });
    }

    #[test]
    fn the_authority_signs_with_all_its_keys_and_the_new_one_in_order_of_their_ids() {
        let authority = AuthoritySigner::new(vec![key(1), key(2), key(3)]);
        let header = header(SignerId::Authority);
        let new = key(9);
        let bytes = new.public().bytes();
        let public = credit_types::PublicKey { bytes, kid: Kid(new.public().kid()) };
        let purposes = BTreeSet::from([KeyPurpose::Records]);
        let addition =
            KeyAddition { institution_id: school(), key: InstitutionKey { key: public, purposes } };
        verify(&authority.sign(&header, &addition, &[&new]).unwrap(), &[1, 2, 3, 9]);
        // A key that is given twice signs once.
        let twice = AuthoritySigner::new(vec![key(1), key(1)]);
        verify(&twice.sign(&header, &addition, &[]).unwrap(), &[1]);
    }

    #[test]
    fn a_statement_takes_one_to_sixteen_signatures() {
        let with = |count: u8| {
            let authority = AuthoritySigner::new((1..=count).map(key).collect());
            authority
                .sign(&header(SignerId::Authority), &retirement(), &[])
                .map(|signed| signed.signatures.len())
        };
        assert_eq!(with(0), Err(SignerError::Count { count: 0 }));
        assert_eq!(with(16), Ok(16));
        assert_eq!(with(17), Err(SignerError::Count { count: 17 }));
    }

    #[test]
    fn what_the_bank_would_refuse_by_its_form_is_not_signed() {
        let mut header = header(SignerId::Authority);
        let key = key(1);
        let sealed = seal(&header, &retirement(), &[&key]).unwrap();
        assert_eq!(sealed.statement_id, header.statement_id);
        verify(&sealed.envelope, &[1]);
        header.log_id = None;
        let refused = seal(&header, &retirement(), &[&key]);
        assert!(matches!(refused, Err(ClientError::Invalid { field, .. }) if field == "header.log_id"));
    }
}
