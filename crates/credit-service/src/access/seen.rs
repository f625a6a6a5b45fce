//! Tokens that have been verified. A client sends the same one with every call of some minutes; whether it still holds, and
//! whether its key may sign, is asked each time.

use super::token::Claims;
use crate::failure::Failure;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most tokens that are remembered; with one more all are forgotten, and verified anew as they come.
pub(crate) const TOKENS_SEEN_MAX: usize = 16_384;

/// What a token was verified under, and what it says.
struct Seen {
    key: [u8; 32],
    issuer: String,
    claims: Claims,
}

/// Tokens whose signature, issuer and audience have been found right.
#[derive(Default)]
pub(crate) struct SeenTokens(Mutex<BTreeMap<[u8; 32], Seen>>);

fn name(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl SeenTokens {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token has been verified under some key: it takes no time to look at again.
    pub(crate) fn has(&self, token: &str) -> bool {
        self.seen().contains_key(&name(token))
    }

    /// The claims of a token under a key and an issuer, or what `verify` says of it.
    pub(crate) fn claims(
        &self,
        key: &[u8; 32],
        issuer: &str,
        token: &str,
        verify: impl FnOnce() -> Result<Claims, Failure>,
    ) -> Result<Claims, Failure> {
        let name = name(token);
        if let Some(seen) = self.seen().get(&name)
            && seen.key == *key
            && seen.issuer == issuer
        {
            return Ok(seen.claims.clone());
        }
        let claims = verify()?;
        let mut seen = self.seen();
        if seen.len() >= TOKENS_SEEN_MAX {
            seen.clear();
        }
        seen.insert(name, Seen { key: *key, issuer: issuer.to_owned(), claims: claims.clone() });
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        toml::from_str("iat = 1\nexp = 2\naud = 'a'\niss = 'i'").unwrap()
    }

    #[test]
    fn a_token_is_verified_once_under_each_key_and_a_refused_one_each_time() {
        let seen = SeenTokens::default();
        let wrong = || Err(Failure::Unauthenticated("TOKEN_SIGNATURE"));
        for _ in 0..2 {
            assert!(seen.claims(&[1; 32], "i", "token", wrong).is_err());
            assert!(!seen.has("token"));
        }
        assert!(seen.claims(&[1; 32], "i", "token", || Ok(claims())).is_ok());
        assert!(seen.has("token"));
        assert!(seen.claims(&[1; 32], "i", "token", wrong).is_ok());
        assert!(seen.claims(&[2; 32], "i", "token", wrong).is_err());
        assert!(seen.claims(&[1; 32], "other", "token", wrong).is_err());
        assert!(seen.claims(&[1; 32], "i", "tokens", wrong).is_err());
    }

    #[test]
    fn no_more_tokens_are_remembered_than_may_be() {
        let seen = SeenTokens::default();
        let come = |number: usize| {
            seen.claims(&[1; 32], "i", &number.to_string(), || Ok(claims())).unwrap();
        };
        (0..TOKENS_SEEN_MAX).for_each(come);
        assert_eq!(seen.seen().len(), TOKENS_SEEN_MAX);
        come(TOKENS_SEEN_MAX);
        assert_eq!(seen.seen().len(), 1);
    }
}
