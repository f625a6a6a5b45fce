//! The log against published vectors, against other implementations, and against forgeries.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "a test stops at the first thing that is not as expected"
)]

mod batches;
mod containers;
mod cosignatures;
mod ed25519;
mod forged;
mod golden;
mod notes;
mod policies;
mod properties;
mod published;
mod receipts;
mod reference;
mod strict_batches;
mod tiles;
mod witness;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::Hash;
use credit_log::envelope::SigningKey;
use credit_log::note::NoteSigner;

/// Reads hex.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Reads 32 or 64 bytes of hex.
pub(crate) fn fixed<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// Reads standard base64.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// Reads a hash in base64.
pub(crate) fn hash64(text: &str) -> Hash {
    base64(text).try_into().unwrap()
}

/// Leaf hashes that differ from each other.
pub(crate) fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| credit_log::hash::leaf_hash(&n.to_be_bytes())).collect()
}

/// The note signer of a seed that counts up from `first`.
pub(crate) fn signer(name: &str, first: u8) -> NoteSigner {
    let seed: Vec<u8> = (first..first + 32).collect();
    NoteSigner::new(name, SigningKey::from_seed(seed.try_into().unwrap())).unwrap()
}
