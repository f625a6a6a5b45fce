//! Signed statements: DSSE's pre-authentication encoding, Ed25519 keys and their ids.
//!
//! A signature is valid if the strict verification of RFC 8032 with one addition accepts it: canonical R and
//! S, no point of small order, and no factor 8 in the equation. A key is admitted only if its encoding is
//! canonical and its point lies in the prime-order subgroup, so that all implementations agree about it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::edwards::EdwardsPoint;
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use zeroize::Zeroize as _;

use crate::hash::{Hash, labelled};

/// How the text of a key id begins.
const KID_PREFIX: &str = "ed25519:";

/// The bytes that a signature over a statement covers: DSSE's
/// `"DSSEv1" SP len(type) SP type SP len(payload) SP payload`, lengths in ASCII decimal bytes.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    [pae_head(payload_type, payload).as_bytes(), payload].concat()
}

/// What of the pre-authentication encoding stands before the payload.
pub(crate) fn pae_head(payload_type: &str, payload: &[u8]) -> String {
    format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len())
}

/// The id of an Ed25519 key: SHA-256("ed25519" || 0x00 || key).
pub fn kid_of(key: &[u8; 32]) -> Hash {
    labelled("ed25519", &[key])
}

/// The id as people read it: `ed25519:` and base64url without padding.
pub fn kid_text(kid: &Hash) -> String {
    format!("{KID_PREFIX}{}", URL_SAFE_NO_PAD.encode(kid))
}

/// The text is not the id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key id: `ed25519:` and 43 base64url characters were expected")]
pub struct KidError;

/// Reads what [`kid_text`] writes; nothing else.
pub fn parse_kid_text(text: &str) -> Result<Hash, KidError> {
    let encoded = text.strip_prefix(KID_PREFIX).ok_or(KidError)?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| KidError)?;
    bytes.try_into().map_err(|_| KidError)
}

/// A key that must not be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes are not a point of the curve.
    #[error("the key is not a point of the curve")]
    NotAPoint,
    /// The point has another, shorter encoding: two texts would name one key.
    #[error("the key is not canonically encoded")]
    NotCanonical,
    /// The point is the identity or of small order: one signature fits many messages.
    #[error("the key is of small order")]
    SmallOrder,
    /// The point is not in the prime-order subgroup: implementations differ about its signatures.
    #[error("the key is not in the prime-order subgroup")]
    Torsion,
}

/// The signature is not a valid one by this key over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureError;

/// An admitted Ed25519 public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
}

impl PublicKey {
    /// Accepts a key whose encoding is canonical and whose point is in the prime-order subgroup.
    pub fn admit(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        let point = key.to_edwards();
        if point.compress().to_bytes() != *bytes {
            return Err(KeyError::NotCanonical);
        }
        if point.is_small_order() {
            return Err(KeyError::SmallOrder);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::Torsion);
        }
        Ok(Self { key })
    }

    /// The 32 bytes of the key.
    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The id of the key.
    pub fn kid(&self) -> Hash {
        kid_of(self.key.as_bytes())
    }

    /// The point of the key: in the prime-order subgroup and not the identity, for no other key is made.
    pub(crate) fn point(&self) -> EdwardsPoint {
        self.key.to_edwards()
    }

    /// Checks a signature strictly.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| SignatureError)
    }

    /// Checks a signature over the pre-authentication encoding of a statement.
    pub fn verify_statement(
        &self,
        payload_type: &str,
        payload: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        self.verify(&pae(payload_type, payload), signature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({})", kid_text(&self.kid()))
    }
}

/// An Ed25519 private key; wiped from memory when dropped, and never printed.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key of a 32-byte seed, the secret itself. The copy given here is wiped; the caller's own is the
    /// caller's to wipe.
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        seed.zeroize();
        Self { key }
    }

    /// The public key. One made from a seed is always admissible: its clamped scalar is a multiple of 8
    /// below eight times the group order, so it is never a multiple of that order.
    pub fn public(&self) -> PublicKey {
        PublicKey { key: self.key.verifying_key() }
    }

    /// Signs a message; the same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// Signs the pre-authentication encoding of a statement.
    pub fn sign_statement(&self, payload_type: &str, payload: &[u8]) -> [u8; 64] {
        self.sign(&pae(payload_type, payload))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", kid_text(&self.public().kid()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_reads_back_and_has_one_text() {
        let kid = SigningKey::from_seed([5; 32]).public().kid();
        let text = kid_text(&kid);
        assert_eq!(text.len(), 51);
        assert_eq!(parse_kid_text(&text), Ok(kid));
        let body = &text[8..];
        for bad in ["", "ed25519:", body, &format!("{text}="), &format!("ED25519:{body}"), &text[..50]] {
            assert_eq!(parse_kid_text(bad), Err(KidError), "{bad:?}");
        }
        // 43 characters carry two bits more than 32 bytes; they must be zero.
        assert_eq!(parse_kid_text(&format!("ed25519:{}B", "A".repeat(42))), Err(KidError));
        assert!(parse_kid_text(&format!("ed25519:{}", "A".repeat(43))).is_ok());
    }

    #[test]
    fn a_private_key_is_never_printed() {
        let key = SigningKey::from_seed([0xab; 32]);
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("SigningKey({})", kid_text(&key.public().kid())));
        assert!(!shown.contains("171") && !shown.contains("abab"));
    }

    #[test]
    fn a_signature_is_refused_when_any_of_its_inputs_changes() {
        let key = SigningKey::from_seed([1; 32]);
        let public = key.public();
        assert_eq!(PublicKey::admit(&public.bytes()), Ok(public.clone()));
        let signature = key.sign_statement("a/b", b"payload");
        assert_eq!(public.verify_statement("a/b", b"payload", &signature), Ok(()));
        assert_eq!(public.verify_statement("a/c", b"payload", &signature), Err(SignatureError));
        assert_eq!(public.verify_statement("a/b", b"payloae", &signature), Err(SignatureError));
        assert_eq!(public.verify(b"payload", &signature), Err(SignatureError));
        let other = SigningKey::from_seed([2; 32]).public();
        assert_eq!(other.verify_statement("a/b", b"payload", &signature), Err(SignatureError));
        for at in 0..64 {
            let mut bent = signature;
            bent[at] ^= 1;
            assert_eq!(public.verify_statement("a/b", b"payload", &bent), Err(SignatureError), "byte {at}");
        }
    }
}
