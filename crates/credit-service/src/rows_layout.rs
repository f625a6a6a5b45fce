//! Brings the index rows of an older ledger into the present layout: projected rows are made anew from the log, the
//! vault's rows are moved as they are sealed. Cut off, it begins again.

use crate::failure::{Failure, fault};
use crate::keyring::Keyring;
use crate::reader::stored_row;
use crate::rebuild::rebuild_rows;
use crate::rows::{self, LAYOUT, LAYOUT_KEY};
use crate::vault;
use credit_ledger::{Row, RowId};
use credit_store::{RowChange, Store, prefix_end};
use credit_types::AccountRef;

/// Prefixes of projected rows that the present layout does not have.
const GONE: [u8; 2] = *b"tx";
/// Prefix of fingerprints when they were not kept by account.
const FINGERPRINTS: u8 = b'f';
/// The length of the key of an account's secret when it had no kind behind it.
const SECRET_KEY_BYTES: usize = 17;
/// Rows moved in one step.
const STEP: usize = 1_024;

/// The row that says which layout the rows have.
pub(crate) fn mark() -> RowChange {
    RowChange::Put { key: LAYOUT_KEY.to_vec(), value: LAYOUT.to_be_bytes().to_vec() }
}

/// Whether the rows have the present layout. A newer one is an error: its rows would be taken for damage.
pub(crate) fn is_current(store: &dyn Store) -> Result<bool, Failure> {
    let Some(value) = store.row(LAYOUT_KEY)? else { return Ok(false) };
    let version = value.as_slice().try_into().map(u32::from_be_bytes);
    match version.map_err(fault("decode the layout of the rows"))? {
        LAYOUT => Ok(true),
        other => Err(Failure::Fault(format!(
            "the index rows have layout {other}, this software knows {LAYOUT}: use a newer release"
        ))),
    }
}

/// Lays the rows out anew.
pub(crate) fn renew(store: &dyn Store, keyring: &Keyring) -> Result<(), Failure> {
    for prefix in GONE {
        store.clear(&[prefix])?;
    }
    let size = rebuild_rows(store, |_, _| {})?;
    move_vault(store, keyring, size)?;
    store.write_rows(size, &[mark()])?;
    Ok(store.flush_all()?)
}

/// Moves the vault's rows to where the present layout has them; the projected rows are there already.
fn move_vault(store: &dyn Store, keyring: &Keyring, size: u64) -> Result<(), Failure> {
    move_rows(store, size, rows::VAULT, |key, value| {
        if key.len() != SECRET_KEY_BYTES {
            return Ok(None);
        }
        let account = AccountRef::from_slice(key.get(1..).unwrap_or_default());
        let account = account.map_err(fault("decode the key of an account's secret"))?;
        Ok(Some((rows::account_secret_key(account), value.to_vec())))
    })?;
    move_rows(store, size, FINGERPRINTS, |key, value| {
        let fingerprint: [u8; 32] = key.get(1..).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let (issuer, record) = vault::fingerprint_holder(keyring, &fingerprint, value)?;
        match stored_row(store, &RowId::Record(issuer, record))? {
            Some(Row::Record(row)) => {
                Ok(Some((rows::fingerprint_key(row.facts.account_ref, &fingerprint), value.to_vec())))
            }
            _ => Err(Failure::Fault("a fingerprint names a record that is not there".to_owned())),
        }
    })
}

/// Moves the rows of a prefix to where `place` says; those for which it says nothing stay.
fn move_rows(
    store: &dyn Store,
    size: u64,
    prefix: u8,
    place: impl Fn(&[u8], &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, Failure>,
) -> Result<(), Failure> {
    let (mut from, to) = (vec![prefix], prefix_end(&[prefix]));
    loop {
        let page = store.scan(&from, &to, STEP)?;
        let mut changes = Vec::new();
        for (key, value) in &page {
            if let Some((key_now, value)) = place(key, value)? {
                changes.push(RowChange::Put { key: key_now, value });
                changes.push(RowChange::Delete { key: key.clone() });
            }
        }
        store.write_rows(size, &changes)?;
        match page.last() {
            Some((key, _)) if page.len() == STEP => from = [key.as_slice(), &[0]].concat(),
            Some(_) | None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_ledger::RecordRow;
    use credit_store::memory::MemoryStore;
    use credit_types::{
        CivilDate, Digest, InstitutionId, Kid, RecordFacts, RecordId, RecordKind, RecordStatus,
    };
    use std::collections::BTreeMap;
    use zeroize::Zeroizing;

    fn record(account: AccountRef, record_id: RecordId) -> RecordRow {
        let facts = RecordFacts {
            record_id,
            account_ref: account,
            kind: RecordKind::FormalCourse,
            amount: None,
            minutes: None,
            level: None,
            subject_code: String::new(),
            occupation_code: String::new(),
            awarded_on: CivilDate::new(2025, 6, 30).unwrap(),
            valid_until: None,
            details_commitment: Digest([1; 32]),
            credit_eligible: true,
        };
        RecordRow {
            facts,
            issuer: InstitutionId::new("cn.x").unwrap(),
            kid: Kid([2; 32]),
            manifest_index: None,
            deposited_index: 3,
            buckets: BTreeMap::new(),
            status: RecordStatus::Valid,
            steps: Vec::new(),
            last_status_index: 3,
            supersedes: None,
            superseded_by: None,
            valid_until: None,
            application: None,
        }
    }

    #[test]
    fn the_vaults_rows_are_moved_and_still_open() {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::create(dir.path(), Zeroizing::new([5; 32])).unwrap();
        let store = MemoryStore::new();
        let mut changes = Vec::new();
        let count = u16::try_from(STEP + 3).unwrap();
        for number in 0..count {
            let name = |kind: u8| {
                let mut bytes = [kind; 16];
                bytes[..2].copy_from_slice(&number.to_be_bytes());
                bytes
            };
            let (account, row) = (AccountRef(name(7)), record(AccountRef(name(7)), RecordId(name(8))));
            let fingerprint = [name(1), name(2)].concat().try_into().unwrap();
            let plain = vault::fingerprint_value(&row.issuer, row.facts.record_id);
            let sealed = vault::seal_fingerprint(&keyring, &fingerprint, &plain).unwrap();
            let id = RowId::Record(row.issuer.clone(), row.facts.record_id);
            rows::change(&id, Some(&Row::Record(row.into())), &mut changes).unwrap();
            changes.push(RowChange::Put { key: [&b"f"[..], &fingerprint].concat(), value: sealed });
            changes.push(RowChange::Put { key: [&b"v"[..], account.as_bytes()].concat(), value: vec![9] });
        }
        for some in changes.chunks(1_000) {
            store.write_rows(0, some).unwrap();
        }
        for _again in 0..2 {
            move_vault(&store, &keyring, 0).unwrap();
            assert!(store.scan(b"f", b"g", 10).unwrap().is_empty());
            let moved = store.scan(b"v", b"w", 60_000).unwrap();
            assert_eq!(moved.len(), 2 * usize::from(count));
            assert!(moved.iter().all(|(key, _)| key.len() == 18 || key.len() == 34));
        }
        let (account, fingerprint) =
            (AccountRef([[0, 1].as_slice(), &[7; 14]].concat().try_into().unwrap()), {
                let half = |kind: u8| [[0, 1].as_slice(), &[kind; 14]].concat();
                [half(1), half(2)].concat().try_into().unwrap()
            });
        let sealed = store.row(&rows::fingerprint_key(account, &fingerprint)).unwrap().unwrap();
        let (_, holder) = vault::fingerprint_holder(&keyring, &fingerprint, &sealed).unwrap();
        assert_eq!(holder.0[..3], [0, 1, 8]);
    }

    #[test]
    fn a_newer_layout_is_not_touched() {
        let store = MemoryStore::new();
        assert!(!is_current(&store).unwrap());
        store.write_rows(0, &[mark()]).unwrap();
        assert!(is_current(&store).unwrap());
        let newer = (LAYOUT + 1).to_be_bytes().to_vec();
        store.write_rows(0, &[RowChange::Put { key: LAYOUT_KEY.to_vec(), value: newer }]).unwrap();
        assert!(is_current(&store).is_err());
    }
}
