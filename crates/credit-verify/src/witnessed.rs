//! What a receipt's cosignatures are worth under the pinned witness policy.

use credit_log::cosignature::Cosigned;
use credit_log::policy::{Judged, Policy, not_before_s};
use credit_log::receipt::VerifyError;
use credit_proto::v1::WitnessState;

use crate::fault::Fault;
use crate::trust::Trust;

/// A witness whose cosignature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedBy {
    /// Its name in the policy.
    pub name: String,
    /// The time that it stated, in seconds since 1970 UTC.
    pub time_s: u64,
}

/// What the cosignatures on a checkpoint come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witnesses {
    /// No policy is pinned: whatever the receipt claims, no cosignature counts.
    NotPinned {
        /// Whether it claims to be witnessed.
        claimed: bool,
    },
    /// The pinned policy is not met.
    NotMet,
    /// The pinned policy is met by these, in the policy's order.
    Met(Vec<WitnessedBy>),
}

impl Witnesses {
    /// Whether the pinned policy is met.
    pub fn are_enough(&self) -> bool {
        matches!(self, Self::Met(_))
    }
}

/// Judges the cosignatures of a checkpoint that has been opened under the log's own keys. A claim that a pinned policy
/// does not bear out is a fault; without a policy it counts for nothing.
pub(crate) fn judge(trust: &Trust, note: &str, recorded_at_us: i64, state: i32) -> Result<Witnesses, Fault> {
    let claimed = match WitnessState::try_from(state) {
        Ok(WitnessState::Witnessed) => true,
        Ok(WitnessState::Unwitnessed) => false,
        Ok(WitnessState::Unspecified) | Err(_) => return Err(Fault::WitnessClaim),
    };
    let Some(policy) = trust.witness_policy.as_ref().filter(|policy| policy.asks_for_witnesses()) else {
        return Ok(Witnesses::NotPinned { claimed });
    };
    let judged = policy.judge(note, not_before_s(recorded_at_us));
    let Judged { met, by } =
        judged.map_err(|error| Fault::ProofFalse(VerifyError::Checkpoint(error.into())))?;
    match (met, claimed) {
        (true, _) => Ok(Witnesses::Met(by.iter().map(|cosigned| named(policy, *cosigned)).collect())),
        (false, true) => Err(Fault::WitnessClaim),
        (false, false) => Ok(Witnesses::NotMet),
    }
}

fn named(policy: &Policy, Cosigned { witness, time_s }: Cosigned) -> WitnessedBy {
    let name = policy.witnesses().get(witness).map(|witness| witness.name.clone()).unwrap_or_default();
    WitnessedBy { name, time_s }
}
