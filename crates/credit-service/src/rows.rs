//! The key layout of index rows. Keys are `prefix || fixed-width fields || at most one variable field`, so that no
//! two rows share a key; integers are big-endian, so that keys sort as their numbers do.
//!
//! What belongs to one account lies side by side, so that a statement reads one stretch, and a semester's records of a
//! learner settle into one page.
//!
//! | prefix | key | value | rebuilt |
//! |---|---|---|---|
//! | `!` | – | the version of this layout | at once |
//! | `g` | – | the log | yes |
//! | `n` | institution id | institution | yes |
//! | `k` | kid | key | yes |
//! | `w` | framework id | framework | yes |
//! | `s` | scheme id | scheme | yes |
//! | `a` | account_ref, 0 | account | yes |
//! | `a` | account_ref, 1 | its last link | yes |
//! | `a` | account_ref, 2 | uses of its records | yes |
//! | `a` | account_ref, 3, record_id, issuer | record | yes |
//! | `a` | account_ref, 4, sequence | entry index | yes |
//! | `r` | record_id, issuer | account_ref | yes |
//! | `y` | account_ref | – | yes |
//! | `c` | command_id, chunk, signer | command | yes |
//! | `b` | manifest index | batch | yes |
//! | `o` | signer | open batches | yes |
//! | `u` | subject kind, id | last link of a subject that is no account | yes |
//! | `e` | book id | versions of a rule book | yes |
//! | `i` | institution id | auto-approvals | yes |
//! | `l` | application index | application | yes |
//! | `q` | institution id, 0, application index | – | yes |
//! | `j` | subject kind, id length, id, sequence | entry index of a subject that is no account | yes |
//! | `p` | alias pseudonym | sealed account_ref | vault |
//! | `v` | account_ref, 0 | sealed account number and document alias | vault |
//! | `v` | account_ref, 1, first half of a fingerprint | sealed record | vault |

use crate::failure::{Failure, fault};
use credit_ledger::{CommandKey, Row, RowId};
use credit_store::RowChange;
use credit_types::{AccountRef, InstitutionId, RecordId, Subject, SubjectKind};

/// The version of this layout. The one before it kept an account's rows apart from each other.
pub(crate) const LAYOUT: u32 = 2;
/// The key of the version.
pub(crate) const LAYOUT_KEY: &[u8] = b"!";

/// Prefixes of the rows that are projections of the log, in order.
pub(crate) const PROJECTED: [u8; 17] = *b"abcegijklnoqrsuwy";

/// Prefixes of the rows that are written once and never again: a chain's sequence and an account's id are new each time.
const ONCE: [u8; 3] = *b"jqy";

/// Prefix of everything of an account.
const ACCOUNT: u8 = b'a';
/// What of an account a row is: the byte behind the account's id.
const ITSELF: u8 = 0;
const LINK: u8 = 1;
const USES: u8 = 2;
const RECORD: u8 = 3;
const CHAIN: u8 = 4;
/// Where that byte stands.
const KIND_AT: usize = 17;

/// Prefix of the list of accounts.
pub(crate) const ACCOUNTS: u8 = b'y';
/// Prefix of alias rows.
pub(crate) const ALIAS: u8 = b'p';
/// Prefix of the vault's rows of an account.
pub(crate) const VAULT: u8 = b'v';

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

/// The key of a stored row; of a record, the one that says whose it is. `None` for heads and leaves, which are read from
/// the tree.
pub(crate) fn key(id: &RowId) -> Option<Vec<u8>> {
    Some(match id {
        RowId::Log => vec![b'g'],
        RowId::Institution(id) => joined(b'n', &[id.as_str().as_bytes()]),
        RowId::Key(kid) => joined(b'k', &[kid.as_bytes()]),
        RowId::Framework(id) => joined(b'w', &[id.as_str().as_bytes()]),
        RowId::Scheme(id) => joined(b's', &[id.as_str().as_bytes()]),
        RowId::Account(account) => of_account(*account, ITSELF, &[]),
        RowId::Record(issuer, record) => joined(b'r', &[record.as_bytes(), issuer.as_str().as_bytes()]),
        RowId::Command(CommandKey { signer, command_id, chunk }) => {
            // A chunk's number is written from 1, so that 0 means the command itself.
            let chunk = chunk.map_or(0, |chunk| u64::from(chunk).saturating_add(1));
            joined(b'c', &[command_id.as_bytes(), &chunk.to_be_bytes(), signer.as_str().as_bytes()])
        }
        RowId::Batch(index) => joined(b'b', &[&index.to_be_bytes()]),
        RowId::OpenBatches(signer) => joined(b'o', &[signer.as_str().as_bytes()]),
        RowId::Subject(Subject::Account(account)) => of_account(*account, LINK, &[]),
        RowId::Subject(subject) => joined(b'u', &[&[kind_byte(subject.kind())], subject.id_bytes()]),
        RowId::Book(id) => joined(b'e', &[id.as_str().as_bytes()]),
        RowId::AutoApprovals(id) => joined(b'i', &[id.as_str().as_bytes()]),
        RowId::Application(index) => joined(b'l', &[&index.to_be_bytes()]),
        RowId::Uses(account) => of_account(*account, USES, &[]),
        RowId::Head(_) | RowId::Leaf(_) => return None,
    })
}

/// A key of a row of an account.
fn of_account(account: AccountRef, kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    let mut key = joined(ACCOUNT, &[account.as_bytes(), &[kind]]);
    for field in fields {
        key.extend_from_slice(field);
    }
    key
}

/// The key of a record's row under its account.
fn record_key(account: AccountRef, record: RecordId, issuer: &InstitutionId) -> Vec<u8> {
    of_account(account, RECORD, &[record.as_bytes(), issuer.as_str().as_bytes()])
}

/// Reads a row of the core: what lies under its key, or for a record, under its account's.
pub(crate) fn load(
    id: &RowId,
    mut get: impl FnMut(Vec<u8>) -> Result<Option<Vec<u8>>, Failure>,
) -> Result<Option<Row>, Failure> {
    let Some(key) = key(id) else { return Ok(None) };
    let Some(bytes) = get(key)? else { return Ok(None) };
    let RowId::Record(issuer, record) = id else { return decode(&bytes).map(Some) };
    let account = AccountRef::from_slice(&bytes).map_err(fault("decode whose a record is"))?;
    let bytes = get(record_key(account, *record, issuer))?;
    let bytes = bytes.ok_or_else(|| Failure::Fault("a record that is named has no row".to_owned()))?;
    decode(&bytes).map(Some)
}

/// Adds what changes when a row of the core is as given; `None`: it is gone.
pub(crate) fn change(id: &RowId, row: Option<&Row>, changes: &mut Vec<RowChange>) -> Result<(), Failure> {
    let Some(key) = key(id) else { return Ok(()) };
    let Some(row) = row else {
        changes.push(RowChange::Delete { key });
        return Ok(());
    };
    let value = encode(row)?;
    match (id, row) {
        (RowId::Record(issuer, record), Row::Record(row)) => {
            let account = row.facts.account_ref;
            changes.push(RowChange::Put { key: record_key(account, *record, issuer), value });
            changes.push(RowChange::Put { key, value: account.as_bytes().to_vec() });
        }
        _ => changes.push(RowChange::Put { key, value }),
    }
    Ok(())
}

/// The key under which the name of a record is, whose row has this key; `None` of any other row.
pub(crate) fn name_of_record(key: &[u8]) -> Option<Vec<u8>> {
    let (prefix, kind) = (key.first()?, key.get(KIND_AT)?);
    let name = key.get(KIND_AT.saturating_add(1)..)?;
    (*prefix == ACCOUNT && *kind == RECORD).then(|| joined(b'r', &[name]))
}

/// The key that lists an account.
pub(crate) fn account_listing(account: AccountRef) -> Vec<u8> {
    joined(ACCOUNTS, &[account.as_bytes()])
}

/// The key of one link of a subject's chain.
pub(crate) fn chain_key(subject: &Subject, sequence: u64) -> Vec<u8> {
    if let Subject::Account(account) = subject {
        return of_account(*account, CHAIN, &[&sequence.to_be_bytes()]);
    }
    let id = subject.id_bytes();
    let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
    joined(b'j', &[&[kind_byte(subject.kind()), length], id, &sequence.to_be_bytes()])
}

/// The range of all records of an account behind one.
pub(crate) fn records_range(
    account: AccountRef,
    after: Option<(RecordId, InstitutionId)>,
) -> (Vec<u8>, Vec<u8>) {
    let prefix = of_account(account, RECORD, &[]);
    let end = credit_store::prefix_end(&prefix);
    let from = after.map_or(prefix, |(record, issuer)| {
        let mut key = record_key(account, record, &issuer);
        key.push(0);
        key
    });
    (from, end)
}

/// The range of an account itself, its last link, its uses and all its records.
pub(crate) fn account_range(account: AccountRef) -> (Vec<u8>, Vec<u8>) {
    (of_account(account, ITSELF, &[]), of_account(account, CHAIN, &[]))
}

/// Whether a row of an account is that of its uses.
pub(crate) fn is_uses(key: &[u8]) -> bool {
    key.get(KIND_AT) == Some(&USES)
}

/// The key of the vault's row of an account itself.
pub(crate) fn account_secret_key(account: AccountRef) -> Vec<u8> {
    joined(VAULT, &[account.as_bytes(), &[0]])
}

/// The key of the vault's row of a fingerprint. Half of it tells the records of one account apart.
pub(crate) fn fingerprint_key(account: AccountRef, fingerprint: &[u8; 32]) -> Vec<u8> {
    let half = fingerprint.first_chunk::<16>().map_or(&[][..], |half| half.as_slice());
    joined(VAULT, &[account.as_bytes(), &[1], half])
}

/// The key that lists an application under the institution that is asked.
pub(crate) fn asked_key(institution: &InstitutionId, application: u64) -> Vec<u8> {
    joined(b'q', &[institution.as_str().as_bytes(), &[0], &application.to_be_bytes()])
}

/// Whether a row with this key can't have been there before it is written.
pub(crate) fn is_written_once(key: &[u8]) -> bool {
    let link = key.first() == Some(&ACCOUNT) && key.get(KIND_AT) == Some(&CHAIN);
    link || key.first().is_some_and(|prefix| ONCE.contains(prefix))
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
    fn a_records_row_names_its_record() {
        let (account, record) = (AccountRef([1; 16]), RecordId([2; 16]));
        let issuer = InstitutionId::new("cn.x").unwrap();
        let of = record_key(account, record, &issuer);
        assert_eq!(name_of_record(&of), key(&RowId::Record(issuer.clone(), record)));
        for other in [RowId::Account(account), RowId::Uses(account), RowId::Log] {
            assert_eq!(key(&other).and_then(|key| name_of_record(&key)), None);
        }
        let (from, to) = records_range(account, None);
        assert!(from <= of && of < to);
        assert!(chain_key(&Subject::Account(account), 0) >= to);
        let (from, _) = records_range(account, Some((record, issuer)));
        assert!(from > of);
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
