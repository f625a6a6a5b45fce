//! Data keys, peppers and the keys that wrap them: everything whose destruction makes a person's data unreadable.
//!
//! Each account has one data key, wrapped under its keyring file's wrapping key; wrapping keys and peppers lie in
//! one small file sealed under the root key. None of it is ever in the store or in a backup of the log.

use crate::failure::{Failure, fault};
use crate::random;
use crate::seal::{Secret, derive, seal, unseal};
use credit_store::keyring::{KeyringFiles, Placed, Record, TornTail};
use credit_types::AccountRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};
use zeroize::{Zeroize, Zeroizing};

/// Binds the sealed wrapping keys to their use.
const WRAPPING_AAD: &[u8] = b"creditbank/wrapping/v1";
/// Derives the key of alias and fingerprint rows from the pepper.
const ROW_KEY_INFO: &[u8] = b"creditbank/vault-row/v1";
/// The version of the first pepper.
const FIRST_PEPPER: u32 = 1;

/// The least keys for which a thread is worth its while.
const SHARE_MIN: usize = 1_024;

/// What the sealed file holds.
#[derive(Default, Serialize, Deserialize)]
struct Wrapping {
    peppers: BTreeMap<u32, [u8; 32]>,
    files: BTreeMap<u32, [u8; 32]>,
}

impl Drop for Wrapping {
    fn drop(&mut self) {
        self.peppers.values_mut().chain(self.files.values_mut()).for_each(Zeroize::zeroize);
    }
}

/// The part that is written to.
struct Disk {
    files: KeyringFiles,
    root: Secret,
    wrapping: Wrapping,
    torn: Option<TornTail>,
}

/// The keyring of a running ledger. Keys are kept unwrapped in memory while it runs.
pub struct Keyring {
    disk: Mutex<Disk>,
    keys: RwLock<BTreeMap<AccountRef, Secret>>,
    pepper: (u32, Secret),
    /// Seals alias and fingerprint rows.
    rows_key: Secret,
}

impl Keyring {
    /// Makes an empty keyring with a fresh pepper.
    pub fn create(dir: &Path, root: Secret) -> Result<Self, Failure> {
        let files = KeyringFiles::open(dir).map_err(fault("open the keyring"))?;
        if files.wrapping().map_err(fault("read the wrapping keys"))?.is_some() {
            return Err(Failure::Fault("create the keyring: there is one already".to_owned()));
        }
        let pepper: [u8; 32] = random::bytes()?;
        let wrapping = Wrapping { peppers: BTreeMap::from([(FIRST_PEPPER, pepper)]), files: BTreeMap::new() };
        let mut disk = Disk { files, root, wrapping, torn: None };
        disk.write_wrapping()?;
        Ok(Self {
            disk: Mutex::new(disk),
            keys: RwLock::default(),
            rows_key: derive(&Zeroizing::new(pepper), ROW_KEY_INFO),
            pepper: (FIRST_PEPPER, Zeroizing::new(pepper)),
        })
    }

    /// Opens a keyring with its root key.
    pub fn open(dir: &Path, root: Secret) -> Result<Self, Failure> {
        let files = KeyringFiles::open(dir).map_err(fault("open the keyring"))?;
        let sealed = files.wrapping().map_err(fault("read the wrapping keys"))?;
        let Some(sealed) = sealed else {
            return Err(Failure::Fault("the keyring has no wrapping keys".to_owned()));
        };
        let Some(plain) = unseal(&root, WRAPPING_AAD, &sealed) else {
            return Err(Failure::Fault("the root key does not open the wrapping keys".to_owned()));
        };
        let wrapping: Wrapping = postcard::from_bytes(&plain).map_err(fault("decode the wrapping keys"))?;
        let loaded = files.load().map_err(fault("load the keyring"))?;
        let keys = unwrapped(&wrapping, &loaded.records)?;
        let newest =
            wrapping.peppers.iter().next_back().map(|(version, pepper)| (*version, Zeroizing::new(*pepper)));
        let Some(pepper) = newest else { return Err(Failure::Fault("the keyring has no pepper".to_owned())) };
        let disk = Disk { files, root, wrapping, torn: loaded.torn };
        let rows_key = derive(&pepper.1, ROW_KEY_INFO);
        Ok(Self { disk: Mutex::new(disk), keys: RwLock::new(keys), pepper, rows_key })
    }

    /// The newest pepper and its version.
    pub fn pepper(&self) -> (u32, &Secret) {
        (self.pepper.0, &self.pepper.1)
    }

    /// The key that seals alias and fingerprint rows.
    pub(crate) fn rows_key(&self) -> &Secret {
        &self.rows_key
    }

    /// An account's data key; `None` if the account is not known, or its key is lost. Only the log says "erased".
    pub fn data_key(&self, account: AccountRef) -> Option<Secret> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&account).cloned()
    }

    /// Whether an account has a key.
    pub(crate) fn has(&self, account: AccountRef) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).contains_key(&account)
    }

    /// How many accounts have a key.
    pub fn len(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no account has a key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cuts a torn tail, once every account of the log has been found to have its key.
    pub fn cut_tail(&self) -> Result<bool, Failure> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(torn) = disk.torn.take() else { return Ok(false) };
        disk.files.truncate_tail(&torn).map_err(fault("cut the keyring's torn tail"))?;
        Ok(true)
    }

    /// Forgets keys of accounts that are not in the log: of openings whose group never became durable. Their records
    /// stay in the files; the accounts' random names are never used again.
    pub fn forget_orphans(
        &self,
        known: impl Fn(AccountRef) -> Result<bool, Failure>,
    ) -> Result<usize, Failure> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut orphans = Vec::new();
        for account in keys.keys() {
            if !known(*account)? {
                orphans.push(*account);
            }
        }
        for account in &orphans {
            keys.remove(account);
        }
        Ok(orphans.len())
    }

    /// Refuses with `NO_SPACE` where the keyring's disk has no room for the keys of so many accounts.
    pub(crate) fn check_space(&self, accounts: usize, reserve_bytes: u64) -> Result<(), Failure> {
        let disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        match disk.files.check_space(accounts, reserve_bytes) {
            Ok(()) => Ok(()),
            Err(credit_store::keyring::Error::NoSpace { available, needed }) => {
                tracing::warn!(available, needed, "the keyring's disk is too full to write");
                Err(Failure::ReadOnly("NO_SPACE"))
            }
            Err(error) => Err(fault("ask for room for keys")(error)),
        }
    }

    /// Writes the keys of new accounts; durable when it returns. They can be read from then on.
    pub fn append(&self, new: Vec<(AccountRef, Secret)>) -> Result<(), Failure> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let places = disk.files.places(new.len());
        let missing: Vec<u32> =
            places.iter().filter(|file| !disk.wrapping.files.contains_key(file)).copied().collect();
        if !missing.is_empty() {
            for file in missing {
                let wrapper = random::bytes()?;
                disk.wrapping.files.entry(file).or_insert(wrapper);
            }
            disk.write_wrapping()?;
        }
        let mut records = Vec::with_capacity(new.len());
        for ((account, key), file) in new.iter().zip(&places) {
            let wrapper = disk.wrapping.files.get(file).copied().unwrap_or_default();
            let wrapped = seal(&Zeroizing::new(wrapper), account.as_bytes(), key.as_slice())?;
            records.push(Record { account: account.0, wrapped });
        }
        disk.files.append(&records).map_err(fault("append to the keyring"))?;
        self.keys.write().unwrap_or_else(PoisonError::into_inner).extend(new);
        Ok(())
    }
}

impl Disk {
    fn write_wrapping(&mut self) -> Result<(), Failure> {
        let plain =
            Zeroizing::new(postcard::to_stdvec(&self.wrapping).map_err(fault("encode the wrapping keys"))?);
        let sealed = seal(&self.root, WRAPPING_AAD, &plain)?;
        self.files.replace_wrapping(&sealed).map_err(fault("write the wrapping keys"))
    }
}

/// The data keys of all records, unwrapped on all cores: a million of them take seconds of work. Of several records of an
/// account the last one counts.
fn unwrapped(wrapping: &Wrapping, records: &[Placed]) -> Result<BTreeMap<AccountRef, Secret>, Failure> {
    let unwrap = |placed: &Placed| {
        let Some(wrapper) = wrapping.files.get(&placed.file) else {
            return Err(Failure::Fault(format!("keyring file {} has no wrapping key", placed.file)));
        };
        let account = AccountRef(placed.record.account);
        Ok((account, unwrap_key(&Zeroizing::new(*wrapper), account, &placed.record.wrapped)?))
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = records.len().div_ceil(threads).max(SHARE_MIN);
    let shares: Vec<Result<Vec<(AccountRef, Secret)>, Failure>> = std::thread::scope(|scope| {
        let some = |share| scope.spawn(move || <[Placed]>::iter(share).map(unwrap).collect());
        let running: Vec<_> = records.chunks(share).map(some).collect();
        let panicked = || Err(Failure::Fault("unwrapping keys panicked".to_owned()));
        running.into_iter().map(|share| share.join().unwrap_or_else(|_| panicked())).collect()
    });
    let shares: Result<Vec<_>, Failure> = shares.into_iter().collect();
    Ok(shares?.into_iter().flatten().collect())
}

fn unwrap_key(wrapper: &Secret, account: AccountRef, wrapped: &[u8]) -> Result<Secret, Failure> {
    let plain = unseal(wrapper, account.as_bytes(), wrapped);
    let key = plain.and_then(|plain| <[u8; 32]>::try_from(plain.as_slice()).ok());
    key.map(Zeroizing::new)
        .ok_or_else(|| Failure::Fault("a data key does not open under its wrapping key".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Secret {
        Zeroizing::new([5; 32])
    }

    fn account(number: u16) -> AccountRef {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        AccountRef(bytes)
    }

    #[test]
    fn keys_outlive_a_restart_across_files() {
        let dir = tempfile::tempdir().unwrap();
        let ring = Keyring::create(dir.path(), root()).unwrap();
        let new: Vec<_> =
            (0..3_000).map(|n| (account(n), Zeroizing::new([n.to_be_bytes()[1]; 32]))).collect();
        ring.append(new[..255].to_vec()).unwrap();
        ring.append(new[255..].to_vec()).unwrap();
        let pepper = ring.pepper().1.clone();
        drop(ring);
        let ring = Keyring::open(dir.path(), root()).unwrap();
        assert!(ring.len() == new.len() && new.len() > 2 * SHARE_MIN);
        assert_eq!(ring.pepper().1, &pepper);
        assert!(new.iter().all(|(account, key)| ring.data_key(*account).as_ref() == Some(key)));
        assert!(ring.has(account(7)) && !ring.has(account(3_000)));
        assert!(Keyring::open(dir.path(), Zeroizing::new([6; 32])).is_err());
        assert!(Keyring::create(dir.path(), root()).is_err());
    }

    #[test]
    fn orphans_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let ring = Keyring::create(dir.path(), root()).unwrap();
        ring.append(vec![(account(1), Secret::default()), (account(2), Secret::default())]).unwrap();
        assert_eq!(ring.forget_orphans(|it| Ok(it == account(1))).unwrap(), 1);
        assert!(ring.data_key(account(1)).is_some() && ring.data_key(account(2)).is_none());
    }
}
