//! SHA-256 as the tree and the labels use it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Prefix of a leaf, RFC 6962 section 2.1: a leaf can never pass for an inner node.
const LEAF_PREFIX: [u8; 1] = [0];
/// Prefix of an inner node, RFC 6962 section 2.1.
const NODE_PREFIX: [u8; 1] = [1];

/// The plain SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> Hash {
    Sha256::digest(data).into()
}

/// The hash of a leaf: SHA-256(0x00 || data).
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update(LEAF_PREFIX).chain_update(data).finalize().into()
}

/// The hash of a leaf whose data are a salt and what it salts, which need not be joined for that.
pub(crate) fn salted_leaf_hash(salt: &Hash, data: &[u8]) -> Hash {
    Sha256::new().chain_update(LEAF_PREFIX).chain_update(salt).chain_update(data).finalize().into()
}

/// The hash of an inner node: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update(NODE_PREFIX).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// SHA-256(label || 0x00 || parts…), the form of every hash of ours that is not a tree hash.
///
/// The parts are joined without lengths, so a caller gives at most one part of variable length, and gives
/// it last; the label is ASCII without NUL, so that the separator ends it.
pub fn labelled(label: &str, parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new().chain_update(label.as_bytes()).chain_update([0]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The hash in standard padded base64, as C2SP texts write it.
pub(crate) fn to_base64(hash: &Hash) -> String {
    STANDARD.encode(hash)
}

/// Reads what [`to_base64`] writes; nothing else.
pub(crate) fn from_base64(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}
