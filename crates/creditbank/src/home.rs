//! The folder that a ledger and its keys live in.

use credit_types::InstitutionId;
use credit_types::KeyPurpose;
use std::path::{Path, PathBuf};

/// The purposes of institutions' keys with the names of their files.
pub(crate) const PURPOSES: [(&str, KeyPurpose); 7] = [
    ("records", KeyPurpose::Records),
    ("status", KeyPurpose::Status),
    ("decisions", KeyPurpose::Decisions),
    ("registry", KeyPurpose::Registry),
    ("keys", KeyPurpose::Keys),
    ("recovery", KeyPurpose::Recovery),
    ("tokens", KeyPurpose::Tokens),
];

/// The name that a purpose has in file names and on the command line.
pub(crate) fn purpose_name(purpose: KeyPurpose) -> &'static str {
    PURPOSES.iter().find(|(_, known)| *known == purpose).map_or("", |(name, _)| name)
}

/// A secret that a server runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKey {
    /// Signs checkpoints.
    Checkpoint,
    /// Signs them too, where it is there: the other key of an exchange.
    SecondCheckpoint,
    /// Signs subject heads and balances.
    Statement,
    /// Signs server starts.
    Operator,
    /// Opens the keyring.
    Root,
}

/// The paths of a home; nothing is read or written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// The home in a folder.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The data directory of the running ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.root.join("ledger")
    }

    /// A key of the server.
    pub(crate) fn server_key(&self, key: ServerKey) -> PathBuf {
        let name = match key {
            ServerKey::Checkpoint => "checkpoint.key",
            ServerKey::SecondCheckpoint => "checkpoint-2.key",
            ServerKey::Statement => "statement.key",
            ServerKey::Operator => "operator.key",
            ServerKey::Root => "root.key",
        };
        self.root.join("keys").join(name)
    }

    /// The folder of the authority's keys, where they are kept here at all.
    pub(crate) fn authority(&self) -> PathBuf {
        self.root.join("authority")
    }

    /// One of the authority's keys, from 1.
    pub(crate) fn authority_key(&self, number: usize) -> PathBuf {
        self.authority().join(format!("{number:02}.key"))
    }

    /// The folder of an institution's keys.
    pub(crate) fn institution(&self, institution: &InstitutionId) -> PathBuf {
        self.root.join("institutions").join(institution.as_str())
    }

    /// An institution's key for a purpose.
    pub(crate) fn institution_key(&self, institution: &InstitutionId, purpose: KeyPurpose) -> PathBuf {
        self.institution(institution).join(format!("{}.key", purpose_name(purpose)))
    }

    /// The secret from which an institution's record ids come.
    pub(crate) fn rows_key(&self, institution: &InstitutionId) -> PathBuf {
        self.institution(institution).join("rows.key")
    }

    /// What an institution's record ids have been made of besides that secret.
    pub(crate) fn rows_used(&self, institution: &InstitutionId) -> PathBuf {
        self.institution(institution).join("rows.toml")
    }

    /// What clients pin of the ledger.
    pub(crate) fn trust(&self) -> PathBuf {
        self.root.join("trust.toml")
    }

    /// The key that signs access tokens of a trial ledger.
    pub(crate) fn issuer_key(&self) -> PathBuf {
        self.root.join("issuer.key")
    }

    /// The folder of a witness, where one is kept beside the ledger at all.
    pub(crate) fn witness(&self) -> PathBuf {
        self.root.join("witness")
    }

    /// The server's configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("creditbank.toml")
    }

    /// The last heads that clients have seen.
    pub(crate) fn heads(&self) -> PathBuf {
        self.root.join("heads")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_purpose_has_a_file_of_its_own() {
        let home = Home::new("h");
        let id = InstitutionId::new("cn.x").unwrap();
        let files: BTreeSet<PathBuf> =
            PURPOSES.iter().map(|(_, purpose)| home.institution_key(&id, *purpose)).collect();
        assert_eq!(files.len(), PURPOSES.len());
        assert!(files.contains(Path::new("h/institutions/cn.x/recovery.key")));
        assert!(!files.contains(&home.rows_key(&id)));
    }
}
