//! Keys and manifests that entries before named: what reading an entry needs of its past.
//!
//! Readers on many threads share what is known. It may lag behind the log, and may forget: where something is missing
//! the entry is read once more in its turn, with the rows at hand. That is why what is found here gives the same
//! verdict as the rows would: a kid is the hash of its key, and an entry's manifest never changes.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use credit_ledger::BatchRow;
use credit_log::Hash;
use credit_log::envelope::PublicKey;
use credit_proto::entry::ManifestInfo;
use credit_types::{Digest, Kid};

/// The most keys kept.
const KEYS_MAX: usize = 65_536;
/// The most manifests kept.
const MANIFESTS_MAX: usize = 4_096;

/// What of a manifest its chunks are held against.
#[derive(Debug, Clone)]
pub(crate) struct ManifestFacts {
    /// Who signed it, and for what leaves.
    pub(crate) info: ManifestInfo,
    /// Count of leaves.
    pub(crate) record_count: u32,
    /// The root over them.
    pub(crate) root: Digest,
}

impl ManifestFacts {
    /// Of a batch.
    pub(crate) fn of(row: &BatchRow) -> Self {
        let info = ManifestInfo { signer: row.signer.clone(), kid: row.kid, leaf_type: row.leaf_type };
        Self { info, record_count: row.record_count, root: row.root }
    }
}

/// Admits a public key, for decoding: its kid, or nothing.
pub(crate) fn admit(key: &[u8; 32]) -> Option<Hash> {
    PublicKey::admit(key).ok().map(|key| key.kid())
}

/// A key, once it was asked for: whether its point is sound costs as much as a signature.
#[derive(Debug, Clone)]
enum Key {
    Named([u8; 32]),
    Admitted(PublicKey),
}

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Known {
    keys: RwLock<BTreeMap<Kid, Key>>,
    manifests: RwLock<BTreeMap<u64, ManifestFacts>>,
}

impl Known {
    /// Adds a key that the log has named.
    pub(crate) fn add_key(&self, kid: Kid, bytes: [u8; 32]) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.entry(kid).or_insert(Key::Named(bytes));
    }

    /// A key that the log has named; `None` where it isn't known here, or no key at all.
    pub(crate) fn key(&self, kid: Kid) -> Option<PublicKey> {
        let found = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&kid).cloned();
        match found? {
            Key::Admitted(key) => Some(key),
            Key::Named(bytes) => {
                let key = PublicKey::admit(&bytes).ok()?;
                let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                keys.insert(kid, Key::Admitted(key.clone()));
                Some(key)
            }
        }
    }

    /// Adds a manifest by the index of its entry.
    pub(crate) fn add_manifest(&self, index: u64, row: &BatchRow) {
        let mut manifests = self.manifests.write().unwrap_or_else(PoisonError::into_inner);
        if manifests.len() >= MANIFESTS_MAX {
            manifests.pop_first();
        }
        manifests.entry(index).or_insert_with(|| ManifestFacts::of(row));
    }

    /// A manifest.
    pub(crate) fn manifest(&self, index: u64) -> Option<ManifestFacts> {
        self.manifests.read().unwrap_or_else(PoisonError::into_inner).get(&index).cloned()
    }
}
