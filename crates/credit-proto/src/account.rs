//! Accounts: opening and status.

use credit_types::limits::REFERENCE_BYTES_MAX;
use credit_types::{AccountOpening, AccountRef, AccountStatusChange, Digest, Header, StatusReason};

use crate::enumeration::Enumerated as _;
use crate::field::{ascii, ensure, enumeration, optional_sized, sized};
use crate::invalid::InvalidField;
use crate::payload_type;
use crate::reading::Reading;
use crate::statement::{Leaf, Signable, header, header_wire, optional_header};
use crate::v1;

impl Signable for AccountOpening {
    const TYPE: &'static str = payload_type::ACCOUNT_OPENING;
    type Wire = v1::AccountOpening;

    fn to_wire(&self, header: Option<&Header>) -> v1::AccountOpening {
        let Self { assurance, identity_commitment } = self;
        v1::AccountOpening {
            header: header_wire(header),
            assurance: assurance.number(),
            identity_commitment: identity_commitment.0.to_vec(),
        }
    }

    fn from_wire(wire: v1::AccountOpening, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::AccountOpening { header, assurance, identity_commitment } = wire;
        let header = optional_header(header)?;
        let body = Self {
            assurance: enumeration("assurance", assurance)?,
            identity_commitment: sized("identity_commitment", &identity_commitment, Digest::from_slice)?,
        };
        Ok((header, body))
    }
}

impl Leaf for AccountOpening {}

impl Signable for AccountStatusChange {
    const TYPE: &'static str = payload_type::ACCOUNT_STATUS_CHANGE;
    type Wire = v1::AccountStatusChange;

    fn to_wire(&self, header: Option<&Header>) -> v1::AccountStatusChange {
        let Self { after, account_ref, action, reason, order_ref, explanation_commitment } = self;
        v1::AccountStatusChange {
            header: header_wire(header),
            after: after.0.to_vec(),
            account_ref: account_ref.0.to_vec(),
            action: action.number(),
            reason: reason.number(),
            order_ref: order_ref.clone(),
            explanation_commitment: explanation_commitment.map(|hash| hash.0.to_vec()).unwrap_or_default(),
        }
    }

    fn from_wire(wire: v1::AccountStatusChange, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::AccountStatusChange {
            header: header_wire,
            after,
            account_ref,
            action,
            reason,
            order_ref,
            explanation_commitment,
        } = wire;
        let header = header(header_wire)?;
        let body = Self {
            after: sized("after", &after, Digest::from_slice)?,
            account_ref: sized("account_ref", &account_ref, AccountRef::from_slice)?,
            action: enumeration("action", action)?,
            reason: stated_reason(reason)?,
            order_ref: ascii("order_ref", order_ref, 0..=REFERENCE_BYTES_MAX)?,
            explanation_commitment: optional_sized(
                "explanation_commitment",
                &explanation_commitment,
                Digest::from_slice,
            )?,
        };
        Ok((header, body))
    }
}

/// The reason of a status change as a statement may name it.
pub(crate) fn stated_reason(number: i32) -> Result<StatusReason, InvalidField> {
    let reason: StatusReason = enumeration("reason", number)?;
    let problem = "must not be SUPERSEDED, which only the bank writes: send a correction instead";
    ensure(reason != StatusReason::Superseded, "reason", problem)?;
    Ok(reason)
}
