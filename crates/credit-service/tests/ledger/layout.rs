//! A ledger whose rows are laid out in the older way is laid out anew when it is opened, and nothing is lost.

use super::bank::*;
use credit_proto::v1;
use credit_service::{Expected, Failure};
use credit_store::sled::{Options, SledStore};
use credit_store::{RowChange, Store, prefix_end};
use credit_types::{CivilDate, InstitutionId, Reason, RecordId, SignerId};
use std::path::Path;

fn stored(dir: &Path) -> SledStore {
    SledStore::open(&dir.join("store"), &Options { must_exist: true, ..Options::default() }).unwrap()
}

fn rows(store: &SledStore) -> Vec<(Vec<u8>, Vec<u8>)> {
    store.scan(b"", &prefix_end(b""), 60_000).unwrap()
}

/// A key of the older layout; `None` of a row that it had not.
fn older(key: &[u8]) -> Option<Vec<u8>> {
    let (prefix, rest) = key.split_first().unwrap();
    let (account, of_account) = rest.split_at_checked(16).unwrap_or((rest, &[]));
    Some(match (prefix, of_account.split_first()) {
        (b'!' | b'y' | b'r', _) => return None,
        (b'a', Some((0, _))) => [b"a", account].concat(),
        (b'a', Some((1, _))) => [b"u\x01", account].concat(),
        (b'a', Some((2, _))) => [b"x", account].concat(),
        (b'a', Some((3, record))) => [b"r", record].concat(),
        (b'a', Some((4, sequence))) => [b"j\x01\x10", account, sequence].concat(),
        (b'v', Some((0, _))) => [b"v", account].concat(),
        _ => key.to_vec(),
    })
}

#[tokio::test]
async fn an_older_ledgers_rows_are_laid_out_anew() {
    let dir = tempfile::tempdir().unwrap();
    let log_id = create(dir.path());
    let mut bank = Bank::open(dir.path(), log_id, 1).await;
    let account = bank.furnish().await;
    let (facts, details) = facts(account, 60, [1; 32]);
    let deposit = |facts: &credit_types::RecordFacts, bank: &mut Bank, details: &v1::SecretPart| {
        let header = bank.header(SignerId::Institution(school()));
        (envelope(facts, &header, &[RECORDS]), details.clone())
    };
    let (statement, secret) = deposit(&facts, &mut bank, &details);
    bank.send(Expected::DepositRecord, statement, Some(secret)).await.unwrap();
    let next = bank.next;
    bank.ledger.stop().await;

    let store = stored(dir.path());
    let size = store.size().unwrap();
    let now = rows(&store);
    let mut changes = Vec::new();
    for (key, value) in &now {
        changes.push(RowChange::Delete { key: key.clone() });
        changes.extend(older(key).map(|key| RowChange::Put { key, value: value.clone() }));
    }
    store.write_rows(size, &changes).unwrap();
    store.close().unwrap();
    drop(store);

    let mut bank = Bank::open(dir.path(), log_id, next).await;
    assert_eq!(bank.ledger.reader().records_of(account, None, 10).unwrap().len(), 1);
    let record = RecordId(facts.record_id.0);
    let name = credit_ledger::RowId::Record(InstitutionId::new("cn.test.school").unwrap(), record);
    assert!(bank.ledger.reader().row(&name).unwrap().is_some());
    let again = credit_types::RecordFacts { awarded_on: CivilDate::new(2025, 7, 1).unwrap(), ..facts };
    let (statement, secret) = deposit(&again, &mut bank, &details);
    let refused = bank.send(Expected::DepositRecord, statement, Some(secret)).await.unwrap_err();
    assert!(matches!(refused, Failure::Refused(rejection) if rejection.reason == Reason::RecordExists));
    bank.ledger.stop().await;
    let store = stored(dir.path());
    let compared =
        credit_service::compare_rows(&store, &mut credit_service::RowsInMemory::default(), |_, _| {});
    assert_eq!(compared.unwrap(), None);
    let kept_rows = rows(&store);
    for (key, value) in now.iter().filter(|(key, _)| !key.starts_with(b"g") && !key.starts_with(b"u")) {
        let found = kept_rows.iter().find(|(there, _)| there == key).map(|(_, value)| value);
        assert_eq!(found, Some(value), "{key:?}");
    }
}
