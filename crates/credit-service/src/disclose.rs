//! Opens the secret parts of stored entries for who holds the keyring: an operator who exports or verifies with a
//! mandate, on a ledger that is stopped.

use crate::failure::{Failure, fault};
use crate::keyring::Keyring;
use crate::vault;
use credit_proto::entry;
use credit_store::BodyBytes;
use credit_types::AccountRef;
use std::collections::{BTreeMap, BTreeSet};

/// A secret part with what opens its commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// The payload type.
    pub payload_type: &'static str,
    /// The salt of the commitment.
    pub salt: [u8; 32],
    /// The canonical payload.
    pub payload: Vec<u8>,
}

/// The secret parts of an entry in the order of its commitments; `None` for each that no key opens or that is not there.
pub fn disclose(
    keyring: &Keyring,
    parts: &[Vec<u8>],
    body: &BodyBytes,
) -> Result<Vec<Option<Disclosed>>, Failure> {
    let parts = entry::decode_parts(parts).map_err(fault("decode an entry's parts"))?;
    let committed = entry::commitments(&parts).map_err(fault("read an entry's commitments"))?;
    let accounts: BTreeSet<AccountRef> = committed.iter().map(|(account, _, _)| *account).collect();
    let mut opened = BTreeMap::new();
    for account in accounts {
        let own: Vec<_> =
            committed.iter().filter(|(about, _, _)| *about == account).map(|(_, _, hash)| *hash).collect();
        let id = vault::item_id(&own);
        let sealed = body.items.iter().find(|(item, _)| *item == id);
        let (Some((_, sealed)), Some(key)) = (sealed, keyring.data_key(account)) else { continue };
        // What doesn't open is as good as missing: whoever asked says what that means.
        let Ok(secrets) = vault::open_item(&key, &id, sealed) else { continue };
        opened.extend(secrets.into_iter().map(|part| ((account, part.commitment), part)));
    }
    let disclosed = committed.into_iter().map(|(account, payload_type, commitment)| {
        let vault::SecretPart { commitment: _, salt, payload } =
            opened.get(&(account, commitment)).cloned()?;
        Some(Disclosed { payload_type, salt, payload })
    });
    Ok(disclosed.collect())
}
