//! Details that somebody discloses: held against the commitment in the signed facts.

use credit_log::commitment::{DETAILS_LABEL, commit};
use credit_proto::{Secret as _, Stage, payload_type, v1};
use credit_types::{Digest, RecordDetails};

use crate::fault::Fault;

/// Checks that disclosed details are the ones committed to, and reads them.
pub fn verify_details(opened: &v1::OpenedSecret, commitment: Digest) -> Result<RecordDetails, Fault> {
    let v1::OpenedSecret { payload_type: of, salt, payload } = opened;
    if of != payload_type::RECORD_DETAILS {
        return Err(Fault::PayloadType { payload_type: of.clone() });
    }
    let salt = salt.as_slice().try_into().map_err(|_| Fault::Length { what: "the salt of the details" })?;
    if commit(DETAILS_LABEL, salt, of, payload) != commitment.0 {
        return Err(Fault::DetailsFalse);
    }
    RecordDetails::read(payload, Stage::Replay).map_err(Fault::Details)
}
