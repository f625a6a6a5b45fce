//! What a verifier relies on before it has read anything.

use credit_log::envelope::PublicKey;
use credit_log::note::{VerifierKey, VkeyError};
use credit_log::policy::Policy;
use credit_types::{Genesis, LogId};

/// What is pinned of a log: nothing that the bank sends can change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The log: the leaf hash of its entry 0.
    pub log_id: LogId,
    /// The origin that its checkpoints name.
    pub origin: String,
    /// The keys of which at least one signs each checkpoint.
    pub checkpoint_keys: Vec<VerifierKey>,
    /// The keys that sign heads of subjects and balances.
    pub statement_keys: Vec<PublicKey>,
    /// Whose cosignatures a checkpoint needs before it counts as witnessed; without it none ever does.
    pub witness_policy: Option<Policy>,
}

impl Trust {
    /// What a genesis says of itself. Worth as much as the way on which the genesis came. It has the witness policy's
    /// digest only, so that the policy itself is left for the caller to add.
    pub fn of_genesis(log_id: LogId, genesis: &Genesis) -> Result<Self, VkeyError> {
        let admit = |key: &credit_types::PublicKey| PublicKey::admit(&key.bytes).map_err(VkeyError::Key);
        let statement_keys = genesis.statement_keys.iter().map(admit).collect::<Result<_, _>>()?;
        let named = |key| VerifierKey::new(&genesis.origin, admit(key)?);
        let checkpoint_keys = genesis.checkpoint_keys.iter().map(named).collect::<Result<_, _>>()?;
        Ok(Self {
            log_id,
            origin: genesis.origin.clone(),
            checkpoint_keys,
            statement_keys,
            witness_policy: None,
        })
    }
}
