//! The secrets that commands bring beside their statements: opened, and sealed.

use crate::failure::Failure;
use crate::keyring::Keyring;
use crate::prepare::{Side, opened};
use crate::vault::{self, Item, SecretPart};
use credit_log::commitment::EXPLANATION_LABEL;
use credit_proto::{Secret as _, payload_type, v1};
use credit_types::{AccountRef, Digest, Text};
use std::collections::BTreeMap;

/// Seals what is secret, one item an account; `None` where an account has no key.
pub(crate) fn seal_sides(keyring: &Keyring, sides: &[Side]) -> Result<Option<Vec<Item>>, Failure> {
    let mut by_account: BTreeMap<AccountRef, Vec<SecretPart>> = BTreeMap::new();
    let mut items = Vec::new();
    for side in sides {
        match side {
            Side::None => {}
            Side::Opening(opening) => items.push(opening.item.clone()),
            Side::Deposit(deposit) => {
                by_account.entry(deposit.account_ref).or_default().extend(deposit.secrets.iter().cloned());
            }
            Side::Explained(account, part) => by_account.entry(*account).or_default().push(part.clone()),
            Side::Conversion(conversion) => {
                by_account.entry(conversion.account_ref).or_default().extend(conversion.secrets().cloned());
            }
            Side::Book(_) => {}
        }
    }
    for (account, parts) in by_account {
        let Some(key) = keyring.data_key(account) else { return Ok(None) };
        items.push(vault::seal_item(&key, &parts)?);
    }
    Ok(Some(items))
}

/// The explanation of a change, where its statement commits to one.
pub(crate) fn explain(
    account: AccountRef,
    commitment: Option<Digest>,
    explanation: Option<v1::SecretPart>,
) -> Result<Side, Failure> {
    match commitment {
        None => Ok(Side::None),
        Some(commitment) => explained(commitment, explanation).map(|part| Side::Explained(account, part)),
    }
}

pub(crate) fn explained(commitment: Digest, part: Option<v1::SecretPart>) -> Result<SecretPart, Failure> {
    let part = opened("explanation", EXPLANATION_LABEL, payload_type::STATUS_EXPLANATION, commitment, part)?;
    Text::from_payload(&part.payload).map_err(|invalid| invalid.within("explanation.payload"))?;
    Ok(part)
}
