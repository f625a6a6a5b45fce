//! Sealing: XChaCha20-Poly1305 under keys derived by HKDF-SHA-256, and the digests that hide aliases.

use crate::failure::{Failure, fault};
use crate::random;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::cell::RefCell;
use zeroize::Zeroizing;
use zstd::bulk::Compressor;

/// A 32-byte secret that is wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// Bytes of the random nonce in front of a sealed text.
const NONCE_BYTES: usize = 24;
/// Plain texts of this many bytes and more are compressed before they are sealed.
const COMPRESS_FROM: usize = 1_024;
/// The level of that compression: 3 is zstd's own default.
const COMPRESS_LEVEL: i32 = 3;
/// The most bytes of an opened item: what a corrupt length may make us allocate.
pub(crate) const PLAIN_BYTES_MAX: usize = 8 << 20;

/// HKDF-SHA-256 of a key for one purpose.
pub(crate) fn derive(key: &Secret, info: &[u8]) -> Secret {
    let mut out = Secret::default();
    let expanded = Hkdf::<Sha256>::new(None, key.as_slice()).expand(info, out.as_mut_slice());
    assert!(expanded.is_ok(), "HKDF gives up to 255 blocks; one is asked for");
    out
}

/// Seals a text under a key; the associated data is bound, not hidden.
pub(crate) fn seal(key: &Secret, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Failure> {
    let nonce: [u8; NONCE_BYTES] = random::bytes()?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let sealed = cipher
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad })
        .map_err(|_| Failure::Fault("seal: the text is too long".to_owned()))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made; `None` if the key, the associated data or a byte is not the same.
pub(crate) fn unseal(key: &Secret, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, text) = sealed.split_at_checked(NONCE_BYTES)?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: text, aad }).ok().map(Zeroizing::new)
}

/// Seals an item under a data key: item key = HKDF(data key, item id), item id as associated data, compressed from
/// [`COMPRESS_FROM`] bytes on.
pub(crate) fn seal_item(data_key: &Secret, item_id: &[u8; 32], plain: &[u8]) -> Result<Vec<u8>, Failure> {
    let framed = Zeroizing::new(if plain.len() >= COMPRESS_FROM {
        let packed = compressed(plain)?;
        [&[1u8], packed.as_slice()].concat()
    } else {
        [&[0u8], plain].concat()
    });
    seal(&derive(data_key, item_id), item_id, &framed)
}

/// Compresses with the thread's own compressor: making one takes longer than compressing an item.
fn compressed(plain: &[u8]) -> Result<Vec<u8>, Failure> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(COMPRESS_LEVEL).map_err(fault("make a compressor"))?),
        };
        compressor.compress(plain).map_err(fault("compress an item"))
    })
}

/// Opens an item; `None` if it was not sealed under this key and id.
pub(crate) fn open_item(data_key: &Secret, item_id: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let framed = unseal(&derive(data_key, item_id), item_id, sealed)?;
    match framed.split_first()? {
        (0, plain) => Some(Zeroizing::new(plain.to_vec())),
        (1, packed) => zstd::bulk::decompress(packed, PLAIN_BYTES_MAX).ok().map(Zeroizing::new),
        _ => None,
    }
}

/// HMAC-SHA-256(pepper, label 0x00 || kind || per field u16 length and bytes).
pub(crate) fn pseudonym(pepper: &Secret, label: &str, kind: u8, fields: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of every length.
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(pepper.as_slice()) else { return [0; 32] };
    mac.update(label.as_bytes());
    mac.update(&[0, kind]);
    for field in fields {
        let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_opens_only_under_its_key_and_id() {
        let (key, id) = (Zeroizing::new([1; 32]), [2; 32]);
        for length in [0, 1, COMPRESS_FROM - 1, COMPRESS_FROM, 70_000] {
            let plain = vec![7u8; length];
            let sealed = seal_item(&key, &id, &plain).unwrap();
            assert_eq!(open_item(&key, &id, &sealed).unwrap().as_slice(), plain);
            assert!(open_item(&Zeroizing::new([3; 32]), &id, &sealed).is_none());
            assert!(open_item(&key, &[4; 32], &sealed).is_none());
            for at in [0, NONCE_BYTES, sealed.len() - 1] {
                let mut broken = sealed.clone();
                broken[at] ^= 1;
                assert!(open_item(&key, &id, &broken).is_none());
            }
        }
        assert!(open_item(&key, &id, &[0; NONCE_BYTES - 1]).is_none());
    }

    #[test]
    fn a_pseudonym_depends_on_the_borders_of_its_fields() {
        let pepper = Zeroizing::new([9; 32]);
        let joined = pseudonym(&pepper, "l", 1, &[b"ab", b"c"]);
        assert_ne!(joined, pseudonym(&pepper, "l", 1, &[b"a", b"bc"]));
        assert_ne!(joined, pseudonym(&pepper, "l", 2, &[b"ab", b"c"]));
        assert_eq!(joined, pseudonym(&pepper, "l", 1, &[b"ab", b"c"]));
    }
}
