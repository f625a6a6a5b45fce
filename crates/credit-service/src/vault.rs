//! The vault: sealed items beside the entries, and the sealed rows that find a person's account.

use crate::failure::{Failure, fault};
use crate::keyring::Keyring;
use crate::rows;
use crate::seal::{self, Secret, pseudonym};
use credit_log::hash::labelled;
use credit_types::{
    AccountIdentity, AccountRef, AliasKind, Digest, DocumentKind, InstitutionId, RecordFacts, RecordId,
};
use serde::{Deserialize, Serialize};

/// The label of item ids.
const ITEM_LABEL: &str = "creditbank/item/v1";
/// The label of alias pseudonyms.
const ALIAS_LABEL: &str = "creditbank/alias/v1";
/// The label of fingerprints.
const FINGERPRINT_LABEL: &str = "creditbank/fingerprint/v1";

/// Something secret with the salt that opens its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretPart {
    /// The commitment in the facts.
    pub(crate) commitment: Digest,
    /// The salt.
    pub(crate) salt: [u8; 32],
    /// The canonical bytes that were committed to.
    pub(crate) payload: Vec<u8>,
}

/// An item: everything secret of one account in one command.
pub(crate) type Item = ([u8; 32], Vec<u8>);

/// An item's id: SHA-256(label 0x00 || its commitments in order).
pub(crate) fn item_id(commitments: &[Digest]) -> [u8; 32] {
    let parts: Vec<&[u8]> = commitments.iter().map(Digest::as_bytes).collect();
    labelled(ITEM_LABEL, &parts)
}

/// Seals an account's secret parts of one command.
pub(crate) fn seal_item(data_key: &Secret, parts: &[SecretPart]) -> Result<Item, Failure> {
    let commitments: Vec<Digest> = parts.iter().map(|part| part.commitment).collect();
    let id = item_id(&commitments);
    let plain = postcard::to_stdvec(parts).map_err(fault("encode an item"))?;
    Ok((id, seal::seal_item(data_key, &id, &plain)?))
}

/// Opens an item.
pub(crate) fn open_item(data_key: &Secret, id: &[u8; 32], sealed: &[u8]) -> Result<Vec<SecretPart>, Failure> {
    let plain = seal::open_item(data_key, id, sealed);
    let Some(plain) = plain else { return Err(Failure::Fault("a sealed item does not open".to_owned())) };
    postcard::from_bytes(&plain).map_err(fault("decode an item"))
}

/// The pseudonym of an account number.
pub(crate) fn number_alias(pepper: &Secret, number: &str) -> [u8; 32] {
    pseudonym(pepper, ALIAS_LABEL, 1, &[number.as_bytes()])
}

/// The pseudonym of an institution's own student number.
pub(crate) fn student_alias(pepper: &Secret, institution: &InstitutionId, number: &str) -> [u8; 32] {
    pseudonym(pepper, ALIAS_LABEL, 3, &[institution.as_str().as_bytes(), number.as_bytes()])
}

/// The pseudonym of an identity document: country, type, number in upper case, resident numbers in 18 digits.
fn document_alias(pepper: &Secret, kind: DocumentKind, country: &str, number: &str) -> [u8; 32] {
    let kind_byte = match kind {
        DocumentKind::ResidentId => 1,
        DocumentKind::Passport => 2,
        DocumentKind::ResidencePermit => 3,
        DocumentKind::PermanentResidence => 4,
    };
    let upper = number.to_ascii_uppercase();
    let number = match kind {
        DocumentKind::ResidentId => lengthened(&upper).unwrap_or(upper),
        DocumentKind::Passport | DocumentKind::ResidencePermit | DocumentKind::PermanentResidence => upper,
    };
    pseudonym(
        pepper,
        ALIAS_LABEL,
        2,
        &[country.to_ascii_uppercase().as_bytes(), &[kind_byte], number.as_bytes()],
    )
}

/// A resident number of the first generation (15 digits) in the form of the second (18): the century put in, the
/// check digit of GB 11643 appended. `None` for every other text.
fn lengthened(number: &str) -> Option<String> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    if number.len() != 15 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (district, rest) = number.split_at_checked(6)?;
    let body = format!("{district}19{rest}");
    let sum = body
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .zip(WEIGHTS)
        .fold(0u32, |sum, (digit, weight)| sum.saturating_add(digit.saturating_mul(weight)));
    let check = usize::try_from(sum % 11).ok().and_then(|at| CHECKS.get(at))?;
    Some(format!("{body}{check}"))
}

/// The aliases of a new account with their kinds: account number, document, student numbers.
pub(crate) fn aliases(
    pepper: &Secret,
    number: &str,
    identity: &AccountIdentity,
) -> Vec<(AliasKind, [u8; 32])> {
    let mut aliases = vec![(AliasKind::AccountNumber, number_alias(pepper, number))];
    if let Some(kind) = identity.document_kind {
        let alias = document_alias(pepper, kind, &identity.document_country, &identity.document_number);
        aliases.push((AliasKind::Document, alias));
    }
    for student in &identity.student_numbers {
        let alias = student_alias(pepper, &student.institution_id, &student.number);
        aliases.push((AliasKind::StudentNumber, alias));
    }
    aliases
}

/// The fingerprint of an outcome: issuer, catalogue code without its version, day of the award, certificate number
/// (or, without one, the record's id), person.
pub(crate) fn fingerprint(
    pepper: &Secret,
    issuer: &InstitutionId,
    facts: &RecordFacts,
    catalogue_ref: &str,
    certificate: &str,
    person: &[u8],
) -> [u8; 32] {
    let code = catalogue_ref.split('@').next().unwrap_or_default();
    let folded = credit_proto::fold::certificate(certificate);
    let certificate = if folded.is_empty() { facts.record_id.as_bytes() } else { folded.as_bytes() };
    let day = facts.awarded_on.to_string();
    let fields = [issuer.as_str().as_bytes(), code.as_bytes(), day.as_bytes(), certificate, person];
    pseudonym(pepper, FINGERPRINT_LABEL, 1, &fields)
}

/// What the bank keeps of an account for itself, sealed under the account's data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountSecret {
    /// The number that the learner was told.
    pub(crate) number: String,
    /// The pseudonym of the document, if one was shown.
    pub(crate) document: Option<[u8; 32]>,
    /// All pseudonyms, so that an erasure finds them.
    pub(crate) aliases: Vec<[u8; 32]>,
}

/// What an account's secret row is sealed for.
fn account_context(account: AccountRef) -> Vec<u8> {
    [&[rows::VAULT], account.as_bytes()].concat()
}

/// What a fingerprint's row is sealed for.
fn fingerprint_context(fingerprint: &[u8; 32]) -> Vec<u8> {
    [b"f", fingerprint.as_slice()].concat()
}

/// Seals an account's secret row.
pub(crate) fn seal_account(
    key: &Secret,
    account: AccountRef,
    secret: &AccountSecret,
) -> Result<Vec<u8>, Failure> {
    let plain = postcard::to_stdvec(secret).map_err(fault("encode an account's secret"))?;
    let row = account_context(account);
    seal::seal(&seal::derive(key, &row), &row, &plain)
}

/// Opens an account's secret row.
pub(crate) fn open_account(
    key: &Secret,
    account: AccountRef,
    sealed: &[u8],
) -> Result<AccountSecret, Failure> {
    let row = account_context(account);
    let plain = seal::unseal(&seal::derive(key, &row), &row, sealed);
    let Some(plain) = plain else {
        return Err(Failure::Fault("an account's secret does not open".to_owned()));
    };
    postcard::from_bytes(&plain).map_err(fault("decode an account's secret"))
}

/// The key of an alias row.
pub(crate) fn pseudonym_key(prefix: u8, pseudonym: &[u8; 32]) -> Vec<u8> {
    [&[prefix], pseudonym.as_slice()].concat()
}

/// Seals the value of a fingerprint's row.
pub(crate) fn seal_fingerprint(
    keyring: &Keyring,
    fingerprint: &[u8; 32],
    plain: &[u8],
) -> Result<Vec<u8>, Failure> {
    seal_row(keyring, &fingerprint_context(fingerprint), plain)
}

/// Seals the value of an alias row.
pub(crate) fn seal_row(keyring: &Keyring, key: &[u8], plain: &[u8]) -> Result<Vec<u8>, Failure> {
    seal::seal(keyring.rows_key(), key, plain)
}

fn open_row(keyring: &Keyring, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Failure> {
    let plain = seal::unseal(keyring.rows_key(), key, sealed);
    plain.map(|plain| plain.to_vec()).ok_or_else(|| Failure::Fault("a vault row does not open".to_owned()))
}

/// The account of an alias row.
pub(crate) fn alias_holder(keyring: &Keyring, key: &[u8], sealed: &[u8]) -> Result<AccountRef, Failure> {
    AccountRef::from_slice(&open_row(keyring, key, sealed)?).map_err(fault("decode an alias row"))
}

/// The plain value of a fingerprint row.
pub(crate) fn fingerprint_value(issuer: &InstitutionId, record: RecordId) -> Vec<u8> {
    [record.as_bytes(), issuer.as_str().as_bytes()].concat()
}

/// The record of a fingerprint row.
pub(crate) fn fingerprint_holder(
    keyring: &Keyring,
    fingerprint: &[u8; 32],
    sealed: &[u8],
) -> Result<(InstitutionId, RecordId), Failure> {
    let plain = open_row(keyring, &fingerprint_context(fingerprint), sealed)?;
    let broken = || Failure::Fault("decode a fingerprint row".to_owned());
    let (record, issuer) = plain.split_at_checked(16).ok_or_else(broken)?;
    let issuer =
        std::str::from_utf8(issuer).ok().and_then(|text| InstitutionId::new(text).ok()).ok_or_else(broken)?;
    Ok((issuer, RecordId::from_slice(record).map_err(|_| broken())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn a_resident_number_of_15_digits_is_the_same_person_as_its_18() {
        assert_eq!(lengthened("110105491231002").as_deref(), Some("11010519491231002X"));
        assert_eq!(lengthened("11010519491231002X"), None);
        let pepper = Zeroizing::new([1; 32]);
        let alias = |number| document_alias(&pepper, DocumentKind::ResidentId, "CHN", number);
        assert_eq!(alias("110105491231002"), alias("11010519491231002x"));
        assert_ne!(alias("110105491231003"), alias("11010519491231002x"));
    }

    #[test]
    fn an_item_gives_its_parts_back() {
        let key = Zeroizing::new([1; 32]);
        let part = |n: u8| SecretPart { commitment: Digest([n; 32]), salt: [n; 32], payload: vec![n; 500] };
        let parts = vec![part(1), part(2), part(3)];
        let (id, sealed) = seal_item(&key, &parts).unwrap();
        assert_eq!(open_item(&key, &id, &sealed).unwrap(), parts);
        assert_eq!(id, item_id(&[Digest([1; 32]), Digest([2; 32]), Digest([3; 32])]));
    }
}
