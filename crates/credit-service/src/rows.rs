//! The key layout of index rows. Keys are `prefix || fixed-width fields || at most one variable field`, so that no
//! two rows share a key; integers are big-endian, so that keys sort as their numbers do.
//!
//! | prefix | key | value | rebuilt |
//! |---|---|---|---|
//! | `g` | – | the log | yes |
//! | `n` | institution id | institution | yes |
//! | `k` | kid | key | yes |
//! | `w` | framework id | framework | yes |
//! | `s` | scheme id | scheme | yes |
//! | `a` | account_ref | account | yes |
//! | `r` | record_id, issuer | record | yes |
//! | `t` | account_ref, record_id, issuer | – | yes |
//! | `c` | command_id, chunk, signer | command | yes |
//! | `b` | manifest index | batch | yes |
//! | `o` | signer | open batches | yes |
//! | `u` | subject kind, id | last link | yes |
//! | `e` | book id | versions of a rule book | yes |
//! | `i` | institution id | auto-approvals | yes |
//! | `l` | application index | application | yes |
//! | `x` | account_ref | uses of an account's records | yes |
//! | `q` | institution id, 0, application index | – | yes |
//! | `j` | subject kind, id length, id, sequence | entry index | yes |
//! | `p` | alias pseudonym | sealed account_ref | vault |
//! | `f` | fingerprint | sealed record | vault |
//! | `v` | account_ref | sealed account number and document alias | vault |

use crate::failure::{Failure, fault};
use credit_ledger::{CommandKey, Row, RowId};
use credit_types::{AccountRef, InstitutionId, RecordId, Subject, SubjectKind};

/// Prefixes of the rows that are projections of the log, in order.
pub(crate) const PROJECTED: [u8; 18] = *b"abcegijklnoqrstuwx";

/// Prefixes of the rows that are written once and never again: a chain's sequence and a record's id are new each time.
const ONCE: [u8; 3] = *b"jqt";

/// Prefix of alias rows.
pub(crate) const ALIAS: u8 = b'p';
/// Prefix of fingerprint rows.
pub(crate) const FINGERPRINT: u8 = b'f';
/// Prefix of sealed account rows.
pub(crate) const ACCOUNT_SECRET: u8 = b'v';

fn kind_byte(kind: SubjectKind) -> u8 {
    match kind {
        SubjectKind::Account => 1,
        SubjectKind::Institution => 2,
        SubjectKind::Log => 3,
        SubjectKind::Book => 4,
    }
}

fn joined(prefix: u8, fields: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![prefix];
    for field in fields {
        key.extend_from_slice(field);
    }
    key
}

/// The key of a stored row; `None` for heads and leaves, which are read from the tree.
pub(crate) fn key(id: &RowId) -> Option<Vec<u8>> {
    Some(match id {
        RowId::Log => vec![b'g'],
        RowId::Institution(id) => joined(b'n', &[id.as_str().as_bytes()]),
        RowId::Key(kid) => joined(b'k', &[kid.as_bytes()]),
        RowId::Framework(id) => joined(b'w', &[id.as_str().as_bytes()]),
        RowId::Scheme(id) => joined(b's', &[id.as_str().as_bytes()]),
        RowId::Account(account) => joined(b'a', &[account.as_bytes()]),
        RowId::Record(issuer, record) => joined(b'r', &[record.as_bytes(), issuer.as_str().as_bytes()]),
        RowId::Command(CommandKey { signer, command_id, chunk }) => {
            // A chunk's number is written from 1, so that 0 means the command itself.
            let chunk = chunk.map_or(0, |chunk| u64::from(chunk).saturating_add(1));
            joined(b'c', &[command_id.as_bytes(), &chunk.to_be_bytes(), signer.as_str().as_bytes()])
        }
        RowId::Batch(index) => joined(b'b', &[&index.to_be_bytes()]),
        RowId::OpenBatches(signer) => joined(b'o', &[signer.as_str().as_bytes()]),
        RowId::Subject(subject) => joined(b'u', &[&[kind_byte(subject.kind())], subject.id_bytes()]),
        RowId::Book(id) => joined(b'e', &[id.as_str().as_bytes()]),
        RowId::AutoApprovals(id) => joined(b'i', &[id.as_str().as_bytes()]),
        RowId::Application(index) => joined(b'l', &[&index.to_be_bytes()]),
        RowId::Uses(account) => joined(b'x', &[account.as_bytes()]),
        RowId::Head(_) | RowId::Leaf(_) => return None,
    })
}

/// The key of one link of a subject's chain.
pub(crate) fn chain_key(subject: &Subject, sequence: u64) -> Vec<u8> {
    let id = subject.id_bytes();
    let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
    joined(b'j', &[&[kind_byte(subject.kind()), length], id, &sequence.to_be_bytes()])
}

/// The key that lists a record under its account.
pub(crate) fn listing_key(account: AccountRef, record: RecordId, issuer: &InstitutionId) -> Vec<u8> {
    joined(b't', &[account.as_bytes(), record.as_bytes(), issuer.as_str().as_bytes()])
}

/// The range of all listings of an account behind a record.
pub(crate) fn listing_range(
    account: AccountRef,
    after: Option<(RecordId, InstitutionId)>,
) -> (Vec<u8>, Vec<u8>) {
    let prefix = joined(b't', &[account.as_bytes()]);
    let end = credit_store::prefix_end(&prefix);
    let from = after.map_or(prefix, |(record, issuer)| {
        let mut key = listing_key(account, record, &issuer);
        key.push(0);
        key
    });
    (from, end)
}

/// The key that lists an application under the institution that is asked.
pub(crate) fn asked_key(institution: &InstitutionId, application: u64) -> Vec<u8> {
    joined(b'q', &[institution.as_str().as_bytes(), &[0], &application.to_be_bytes()])
}

/// Takes a listing key apart.
pub(crate) fn listed(key: &[u8]) -> Option<(RecordId, InstitutionId)> {
    let (record, issuer) = key.get(17..)?.split_at_checked(16)?;
    let issuer = InstitutionId::new(std::str::from_utf8(issuer).ok()?).ok()?;
    Some((RecordId::from_slice(record).ok()?, issuer))
}

/// Whether a row with this key can't have been there before it is written.
pub(crate) fn is_written_once(key: &[u8]) -> bool {
    key.first().is_some_and(|prefix| ONCE.contains(prefix))
}

/// The bytes of a row.
pub(crate) fn encode(row: &Row) -> Result<Vec<u8>, Failure> {
    postcard::to_stdvec(row).map_err(fault("encode a row"))
}

/// The row of stored bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Row, Failure> {
    postcard::from_bytes(bytes).map_err(fault("decode a row"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{CommandId, SignerId};

    #[test]
    fn a_listing_key_gives_its_record_back() {
        let (account, record) = (AccountRef([1; 16]), RecordId([2; 16]));
        let issuer = InstitutionId::new("cn.x").unwrap();
        let key = listing_key(account, record, &issuer);
        assert_eq!(listed(&key), Some((record, issuer.clone())));
        let (from, to) = listing_range(account, None);
        assert!(from <= key && key < to);
        let (from, _) = listing_range(account, Some((record, issuer)));
        assert!(from > key);
        assert_eq!(listed(&key[..20]), None);
    }

    #[test]
    fn a_command_and_its_first_chunk_have_two_keys() {
        let command = |chunk| {
            key(&RowId::Command(CommandKey {
                signer: SignerId::Authority,
                command_id: CommandId([7; 16]),
                chunk,
            }))
        };
        assert_ne!(command(None), command(Some(0)));
        assert_ne!(command(Some(0)), command(Some(1)));
        assert_eq!(key(&RowId::Head(1)), None);
    }
}
