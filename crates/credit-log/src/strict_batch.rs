//! Many signatures checked together, with the verdict of checking each one strictly.
//!
//! A signature (R, s) by the key A is valid if [`PublicKey::verify`] accepts it; nothing here changes that. Checking
//! many at once is three times as fast and more, and says *all are valid* wrongly at most once in 2^64 times, whoever
//! made the signatures; whenever it does not say so, each signature is verified by itself and the false ones are named.
//!
//! What is checked together, for signatures numbered i with k = SHA-512(R || A || message) mod L:
//!
//! 1. s is below L, and R is the canonical encoding of a point that is not the identity (one by one, exactly).
//! 2. For each of the 64 bits of the random weights z, the sum of those R whose weight has the bit is in the
//!    prime-order subgroup.
//! 3. The sum of z R is the sum of z s B - z k A. There is no factor 8.
//!
//! Why that is enough. A key is in the prime-order subgroup, for [`PublicKey`] admits no other. A signature for which 1
//! holds is valid, then, exactly if D = s B - k A - R is the identity. Write R = P + T, with P in the prime-order
//! subgroup and T of an order that divides 8.
//!
//! - Some T is not the identity. Whatever all other bits of the weights are, of the two values of one bit of *this*
//!   signature's weight at most one makes the sum of that bit's T the identity. The 64 bits are independent, so that 2
//!   holds at most once in 2^64 times. (Subset sums can do no better: a T of order 2 leaves one bit each time. Equation
//!   3 alone would miss two T of order 2 every second time.)
//! - All T are the identity, and some D is not. The D are in a group of prime order L > 2^64, so that, whatever the
//!   other weights are, at most one of the 2^64 values of this signature's weight makes the sum of z D the identity.
//!
//! The weights are drawn from a secret seed of the caller *and* from all that is checked: who made the signatures can't
//! foresee them, and one seed serves any number of batches.

mod equation;
#[cfg(test)]
mod tests;
mod weights;

use std::fmt;

use sha2::{Digest as _, Sha512};

use crate::envelope::PublicKey;
use equation::Term;
use weights::Weights;

/// The most signatures of a batch: beyond it the fixed cost is spread so thin that more gain nothing.
pub const BATCH_SIGNATURES_MAX: usize = 4_096;

/// Up to so many signatures, checking one by one costs less than the fixed cost of a batch.
const ALONE_MAX: usize = 80;

/// The secret from which the weights of batches are drawn: 32 bytes of the operating system's generator, drawn anew for
/// every run, shown to nobody and never stored.
#[derive(Clone)]
pub struct BatchSeed(pub [u8; 32]);

impl fmt::Debug for BatchSeed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "BatchSeed")
    }
}

/// The batch holds as many signatures as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch holds at most {BATCH_SIGNATURES_MAX} signatures")]
pub struct BatchFull;

/// Not all signatures of a batch are valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} signatures of the batch do not verify", .numbers.len())]
pub struct FalseSignatures {
    /// The false ones, numbered from 0 in the order in which they were pushed, ascending: at least one.
    pub numbers: Vec<usize>,
}

/// A signature with its key; its message ends there in the buffer of all messages.
struct Item {
    key: PublicKey,
    signature: [u8; 64],
    message_end: usize,
}

/// Signatures that are checked together.
pub struct StrictBatch {
    seed: BatchSeed,
    items: Vec<Item>,
    messages: Vec<u8>,
}

impl StrictBatch {
    /// An empty batch, whose weights are drawn from a seed.
    pub fn new(seed: BatchSeed) -> Self {
        Self { seed, items: Vec::new(), messages: Vec::new() }
    }

    /// Count of signatures, at most [`BATCH_SIGNATURES_MAX`].
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds a signature over a message. A batch that is full takes no more.
    pub fn push(&mut self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> Result<(), BatchFull> {
        self.push_over(key, &[message], signature)
    }

    /// Adds a signature over the pre-authentication encoding of a statement. A batch that is full takes no more.
    pub fn push_statement(
        &mut self,
        key: &PublicKey,
        payload_type: &str,
        payload: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), BatchFull> {
        let head = crate::envelope::pae_head(payload_type, payload);
        self.push_over(key, &[head.as_bytes(), payload], signature)
    }

    fn push_over(
        &mut self,
        key: &PublicKey,
        message: &[&[u8]],
        signature: &[u8; 64],
    ) -> Result<(), BatchFull> {
        if self.items.len() >= BATCH_SIGNATURES_MAX {
            return Err(BatchFull);
        }
        for part in message {
            self.messages.extend_from_slice(part);
        }
        let message_end = self.messages.len();
        self.items.push(Item { key: key.clone(), signature: *signature, message_end });
        Ok(())
    }

    /// Checks them all: `Ok` if each is valid, or those that are not. No signature is named that is valid, and a false
    /// one escapes at most once in 2^64 times. An empty batch is valid.
    pub fn verify(&self) -> Result<(), FalseSignatures> {
        if self.items.len() > ALONE_MAX && self.holds_together() {
            return Ok(());
        }
        let alone = |(number, (item, message)): (usize, (&Item, &[u8]))| {
            item.key.verify(message, &item.signature).is_err().then_some(number)
        };
        let numbers: Vec<usize> = self.signed().enumerate().filter_map(alone).collect();
        if numbers.is_empty() { Ok(()) } else { Err(FalseSignatures { numbers }) }
    }

    /// Every signature with its message.
    fn signed(&self) -> impl Iterator<Item = (&Item, &[u8])> {
        let mut begin = 0usize;
        self.items.iter().map(move |item| {
            let message = self.messages.get(begin..item.message_end).unwrap_or_default();
            begin = item.message_end;
            (item, message)
        })
    }

    /// What the test above says. Anything out of the ordinary is left to strict verification.
    fn holds_together(&self) -> bool {
        let Some((terms, weights)) = self.weighed() else { return false };
        let sums = equation::bit_sums(terms.iter().map(|term| &term.r), &weights);
        equation::all_torsion_free(&sums) && equation::adds_up(&terms, &weights, &sums)
    }

    /// The terms of the equation with their weights; `None` if one of them breaks rule 1.
    fn weighed(&self) -> Option<(Vec<Term>, Vec<weights::Weight>)> {
        let mut terms = Vec::with_capacity(self.items.len());
        let mut drawing = Weights::new(&self.seed);
        for (item, message) in self.signed() {
            let (r, s) = item.signature.split_first_chunk::<32>()?;
            let s: &[u8; 32] = s.first_chunk()?;
            let bytes = item.key.bytes();
            let k: [u8; 64] =
                Sha512::new().chain_update(r).chain_update(bytes).chain_update(message).finalize().into();
            drawing.bind(&k, s);
            terms.push(Term::new(item.key.point(), bytes, r, s, &k)?);
        }
        let weights = drawing.draw(terms.len());
        Some((terms, weights))
    }
}

impl fmt::Debug for StrictBatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "StrictBatch of {} signatures", self.items.len())
    }
}
