//! A secret behind a passphrase: scrypt makes the key, XChaCha20-Poly1305 seals.

use super::passphrase::Passphrase;
use super::{Algorithm, Seed};
use crate::ending::CommandError;
use crate::language::Phrase;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use credit_service::random;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The label that every sealed secret is bound to.
const LABEL: &[u8] = b"creditbank/keyfile/v1\0";
/// The bytes of a salt.
const SALT_BYTES: usize = 16;
/// The bytes of a nonce.
const NONCE_BYTES: usize = 24;
/// The greatest exponent that is read: 1 GiB of memory.
const LOG_N_MAX: u8 = 20;
/// The block size, ever the same.
const BLOCK: u32 = 8;
/// The lanes, ever the same.
const LANES: u32 = 1;

/// How dear a guess is: 2^n blocks of 1 KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost(u8);

impl Cost {
    /// 64 MiB, about a fifth of a second.
    pub(crate) const DEFAULT: Self = Self(16);
    /// For tests, where guessing is not the danger.
    #[cfg(test)]
    pub(crate) const LEAST: Self = Self(4);
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealedForm {
    kdf: Kdf,
    log_n: u8,
    r: u32,
    p: u32,
    salt: String,
    nonce: String,
    #[serde(rename = "box")]
    sealed: String,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum Kdf {
    #[serde(rename = "scrypt")]
    Scrypt,
}

/// What a sealed secret is bound to, so that it can't be passed off as another one.
pub(super) fn bound_to(algorithm: Algorithm, kid: Option<&str>) -> Vec<u8> {
    [LABEL, algorithm.name().as_bytes(), b"\0", kid.unwrap_or_default().as_bytes()].concat()
}

/// Seals a secret under a passphrase.
pub(super) fn seal(
    seed: &Seed,
    passphrase: &Passphrase,
    cost: Cost,
    bound: &[u8],
) -> Result<SealedForm, CommandError> {
    let (salt, nonce): ([u8; SALT_BYTES], [u8; NONCE_BYTES]) = (random::bytes()?, random::bytes()?);
    let broken = || CommandError::usage(Phrase::KeyFileNotSealed, &[]);
    let key = derive(passphrase, cost.0, &salt).ok_or_else(broken)?;
    let sealed = XChaCha20Poly1305::new(key.as_ref().into())
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: seed.as_ref(), aad: bound })
        .map_err(|_| broken())?;
    Ok(SealedForm {
        kdf: Kdf::Scrypt,
        log_n: cost.0,
        r: BLOCK,
        p: LANES,
        salt: STANDARD.encode(salt),
        nonce: STANDARD.encode(nonce),
        sealed: STANDARD.encode(sealed),
    })
}

/// Opens a sealed secret; `None` for a wrong passphrase and for a changed file, which look alike.
pub(super) fn open(
    form: &SealedForm,
    passphrase: &Passphrase,
    bound: &[u8],
    path: &str,
) -> Result<Option<Seed>, CommandError> {
    let SealedForm { kdf: Kdf::Scrypt, log_n, r, p, salt, nonce, sealed } = form;
    let malformed = || CommandError::usage(Phrase::KeyFileMalformed, &[&path]);
    if !is_cost(*log_n) || (*r, *p) != (BLOCK, LANES) {
        return Err(malformed());
    }
    let salt = <[u8; SALT_BYTES]>::try_from(STANDARD.decode(salt).map_err(|_| malformed())?);
    let nonce = <[u8; NONCE_BYTES]>::try_from(STANDARD.decode(nonce).map_err(|_| malformed())?);
    let (Ok(salt), Ok(nonce)) = (salt, nonce) else { return Err(malformed()) };
    let sealed = STANDARD.decode(sealed).map_err(|_| malformed())?;
    let key = derive(passphrase, *log_n, &salt).ok_or_else(malformed)?;
    let opened = XChaCha20Poly1305::new(key.as_ref().into())
        .decrypt(XNonce::from_slice(&nonce), Payload { msg: &sealed, aad: bound })
        .map(Zeroizing::new);
    let Ok(opened) = opened else { return Ok(None) };
    <[u8; 32]>::try_from(opened.as_slice()).map(|seed| Some(Zeroizing::new(seed))).map_err(|_| malformed())
}

/// Whether a cost is one that is read: a file must not make us take all memory.
fn is_cost(log_n: u8) -> bool {
    (1..=LOG_N_MAX).contains(&log_n)
}

fn derive(passphrase: &Passphrase, log_n: u8, salt: &[u8]) -> Option<Seed> {
    let parameters = scrypt::Params::new(log_n, BLOCK, LANES, 32).ok()?;
    let mut key = Seed::default();
    scrypt::scrypt(passphrase.as_bytes(), salt, &parameters, key.as_mut()).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_can_not_ask_for_any_amount_of_memory() {
        for (log_n, ok) in [(0, false), (1, true), (LOG_N_MAX, true), (LOG_N_MAX.saturating_add(1), false)] {
            assert_eq!(is_cost(log_n), ok, "{log_n}");
        }
        assert!(is_cost(Cost::DEFAULT.0) && is_cost(Cost::LEAST.0));
    }
}
