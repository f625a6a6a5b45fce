//! Has the ledger's heads cosigned by witnesses, under a C2SP tlog-policy.
//!
//! At start the witnesses are asked before anything is written: one that has seen more than the store holds, or too few
//! answers, and no writes are taken. While the ledger runs, published heads are sent to all witnesses side by side; the
//! first cosigned note that meets the policy takes the place of the plain one. The writer never waits for any of it.
//! Start reading at `start.rs`, then `collect.rs`.

mod collect;
mod start;
mod submit;
#[cfg(test)]
mod tests;

pub(crate) use collect::{collect, published_heads};
pub(crate) use start::{Asked, ask_at_start};
pub(crate) use submit::Trouble;

use crate::failure::Failure;
use crate::reader::{Head, Shared};
use credit_log::note::{Note, NoteSignature, VerifierKey};
use credit_log::policy::{Policy, not_before_s};
use credit_types::Genesis;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use submit::Submitter;

/// A head that enough witnesses have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CosignedHead {
    /// The count of entries.
    pub(crate) size: u64,
    /// The note with the log's and the witnesses' lines.
    pub(crate) note: String,
}

/// The witnesses of a policy, and how far each has cosigned.
pub(crate) struct Witnesses {
    pub(crate) policy: Policy,
    /// By their places in the policy; without an address in it a witness can't be asked.
    submitters: Vec<Option<Submitter>>,
    /// The size that each is believed to have cosigned last. A wrong one costs a round trip.
    sizes: Mutex<Vec<u64>>,
}

impl Witnesses {
    pub(crate) fn new(policy: Policy) -> Self {
        let submitter = |witness: &credit_log::policy::PolicyWitness| {
            witness.url.as_ref().map(|url| Submitter::new(&witness.name, url, witness.key.clone()))
        };
        let submitters: Vec<_> = policy.witnesses().iter().map(submitter).collect();
        let sizes = Mutex::new(vec![0; submitters.len()]);
        Self { policy, submitters, sizes }
    }

    fn submitter(&self, witness: usize) -> Option<Submitter> {
        self.submitters.get(witness).cloned().flatten()
    }

    /// The places of those who can be asked.
    fn reachable(&self) -> impl Iterator<Item = usize> + '_ {
        let numbered = self.submitters.iter().enumerate();
        numbered.filter_map(|(place, submitter)| submitter.as_ref().map(|_| place))
    }

    fn name(&self, witness: usize) -> &str {
        self.policy.witnesses().get(witness).map_or("", |witness| witness.name.as_str())
    }

    fn size(&self, witness: usize) -> u64 {
        let sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        sizes.get(witness).copied().unwrap_or(0)
    }

    fn has_cosigned(&self, witness: usize, size: u64) {
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sizes.get_mut(witness) {
            *known = size;
        }
    }

    /// The note of a head with these witnesses' lines, if they are enough.
    fn cosigned(&self, head: &Head, lines: &BTreeMap<usize, NoteSignature>) -> Option<CosignedHead> {
        let Note { text, mut signatures } = Note::parse(&head.checkpoint).ok()?;
        signatures.extend(lines.values().cloned());
        let note = Note { text, signatures }.format().ok()?;
        let judged = self.policy.judge(&note, not_before_s(head.recorded_at_us)).ok()?;
        judged.met.then_some(CosignedHead { size: head.size, note })
    }
}

/// Whether the configured policy is one that this log may run under, and the witnesses that it asks for; `None` where
/// it asks for nobody.
pub(crate) fn admitted(
    policy: Option<&Policy>,
    genesis: &Genesis,
) -> Result<Option<Arc<Witnesses>>, Failure> {
    let Some(policy) = policy else { return Ok(None) };
    if genesis.witness_policy_hash.is_some_and(|pinned| pinned.0 != policy.digest()) {
        let text = "the witness policy is not the one whose SHA-256 the genesis pins";
        return Err(Failure::Fault(text.to_owned()));
    }
    let named = |key: &credit_types::PublicKey| {
        let key = credit_log::envelope::PublicKey::admit(&key.bytes).ok()?;
        VerifierKey::new(&genesis.origin, key).ok()
    };
    let keys: Vec<VerifierKey> = genesis.checkpoint_keys.iter().filter_map(named).collect();
    if !policy.knows_log(&keys) {
        let text = "the witness policy lists logs, and this one is not among them";
        return Err(Failure::Fault(text.to_owned()));
    }
    let own =
        |witness: &credit_log::policy::PolicyWitness| keys.iter().any(|key| key.key() == witness.key.key());
    if policy.witnesses().iter().any(own) {
        return Err(Failure::Fault("the witness policy has this log's own key as a witness's".to_owned()));
    }
    Ok(policy.asks_for_witnesses().then(|| Arc::new(Witnesses::new(policy.clone()))))
}

impl Shared {
    /// The last head that enough witnesses have cosigned.
    pub(crate) fn cosigned(&self) -> Option<Arc<CosignedHead>> {
        self.cosigned.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows a cosigned head to readers, unless they see a larger one already, and puts its note in the place of the
    /// plain one where that is still published.
    pub(crate) fn show_cosigned(&self, head: CosignedHead) {
        if let Err(error) = self.publisher.cosigned(head.size, &head.note) {
            tracing::error!(%error, "a cosigned note could not be published");
            return;
        }
        let mut shown = self.cosigned.write().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref().is_none_or(|shown| shown.size <= head.size) {
            *shown = Some(Arc::new(head));
        }
    }
}
