//! The random weights of a batch.

use sha2::{Digest as _, Sha512};

use super::BatchSeed;

/// Separates these hashes from all others.
const LABEL: &[u8] = b"creditbank/strict-batch/v1\0";

/// Bytes of a weight: 64 bits, so that a batch errs at most once in 2^64 times.
pub(super) const WEIGHT_BYTES: usize = 8;

/// A weight, little-endian.
pub(super) type Weight = [u8; WEIGHT_BYTES];

/// Draws weights from a seed and from all that is checked. The seed alone makes them unforeseeable; that they also
/// follow from the batch makes those of two batches under one seed differ.
pub(super) struct Weights {
    hash: Sha512,
}

impl Weights {
    /// Begins with the seed.
    pub(super) fn new(BatchSeed(seed): &BatchSeed) -> Self {
        Self { hash: Sha512::new().chain_update(LABEL).chain_update(seed) }
    }

    /// Takes in a signature: SHA-512(R || A || message) stands for these three.
    pub(super) fn bind(&mut self, k: &[u8; 64], s: &[u8; 32]) {
        self.hash.update(k);
        self.hash.update(s);
    }

    /// Draws so many: SHA-512 in counter mode under what was taken in, which nobody knows who lacks the seed.
    pub(super) fn draw(self, count: usize) -> Vec<Weight> {
        let secret = self.hash.finalize();
        let mut weights = Vec::with_capacity(count);
        let mut block = 0u64;
        while weights.len() < count {
            let counted = Sha512::new().chain_update(LABEL).chain_update(secret);
            let drawn: [u8; 64] = counted.chain_update(block.to_be_bytes()).finalize().into();
            let (of_block, _) = drawn.as_chunks::<WEIGHT_BYTES>();
            let missing = count.saturating_sub(weights.len());
            weights.extend(of_block.iter().take(missing));
            block = block.saturating_add(1);
        }
        weights
    }
}
