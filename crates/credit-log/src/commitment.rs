//! Salted commitments: what a signed fact says about bytes that may later be destroyed.

use crate::envelope::pae;
use crate::hash::{Hash, labelled};

/// The label of a commitment to a record's details or a decision's opinion.
pub const DETAILS_LABEL: &str = "creditbank/details/v1";
/// The label of a commitment to the identity behind an account.
pub const IDENTITY_LABEL: &str = "creditbank/identity/v1";
/// The label of a commitment to the explanation of a conversion or a status change.
pub const EXPLANATION_LABEL: &str = "creditbank/explanation/v1";
/// The label of a commitment to what a learner states for an application.
pub const PARTICULARS_LABEL: &str = "creditbank/particulars/v1";
/// The label of a commitment to how the bank came to what it proposes for an application.
pub const RECKONING_LABEL: &str = "creditbank/reckoning/v1";

/// SHA-256(label || 0x00 || salt || PAE(type, payload)).
///
/// The salt is drawn at random for this one commitment and kept with the payload: without it, a payload
/// that can be guessed (a grade, a name) could be tried against the commitment for ever.
pub fn commit(label: &str, salt: &[u8; 32], payload_type: &str, payload: &[u8]) -> Hash {
    labelled(label, &[salt, &pae(payload_type, payload)])
}
