//! Key files: one secret each, as TOML, readable by its owner alone, with or without a passphrase. Never printed.
//!
//! `version`, `algorithm`, `kid` and `public` (of a signing key), and either `seed` or the table `encrypted`. A file
//! with neither is the public half, made for others to read.

mod passphrase;
mod sealed;
#[cfg(test)]
mod tests;

pub(crate) use passphrase::{PASSPHRASE_VARIABLE, Passphrase, Passphrases};
pub(crate) use sealed::Cost;

use crate::ending::{CommandError, Exit, unreadable, unwritable};
use crate::language::Phrase;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::envelope::{PublicKey, SigningKey, kid_text};
use credit_service::random;
use sealed::SealedForm;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// The version of the format.
const VERSION: u32 = 1;
/// The most bytes of a key file.
pub(crate) const KEY_FILE_BYTES_MAX: u64 = 4_096;
/// What only the owner may do: read and write.
const OWNER_ONLY: u32 = 0o600;
/// The bits of everybody else.
const OTHERS: u32 = 0o077;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    /// Signs.
    #[serde(rename = "ed25519")]
    Ed25519,
    /// Cosigns as a witness, and nothing else: the message does not name the signer, so the key has one use.
    #[serde(rename = "cosignature")]
    Cosignature,
    /// Opens a keyring.
    #[serde(rename = "root")]
    Root,
    /// Makes record ids of row keys.
    #[serde(rename = "rows")]
    Rows,
}

impl Algorithm {
    /// The name in files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Cosignature => "cosignature",
            Self::Root => "root",
            Self::Rows => "rows",
        }
    }
}

/// The 32 bytes themselves; wiped when dropped.
pub(crate) type Seed = Zeroizing<[u8; 32]>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    version: u32,
    algorithm: Algorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted: Option<SealedForm>,
}

/// A key file that was read; its secret is still closed.
pub(crate) struct KeyFile {
    path: String,
    form: KeyForm,
    public: Option<PublicKey>,
}

impl KeyFile {
    /// Draws a fresh secret and writes it where no file is yet; encrypted if there is a passphrase.
    pub(crate) fn generate(
        path: &Path,
        algorithm: Algorithm,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, CommandError> {
        let seed = Seed::new(random::bytes()?);
        Self::create(path, algorithm, &seed, passphrase, Cost::DEFAULT)
    }

    fn create(
        path: &Path,
        algorithm: Algorithm,
        seed: &Seed,
        passphrase: Option<&Passphrase>,
        cost: Cost,
    ) -> Result<Self, CommandError> {
        let signs = matches!(algorithm, Algorithm::Ed25519 | Algorithm::Cosignature);
        let public = signs.then(|| SigningKey::from_seed(**seed).public());
        let kid = public.as_ref().map(|key| kid_text(&key.kid()));
        let bound = sealed::bound_to(algorithm, kid.as_deref());
        let (plain, encrypted) = match passphrase {
            Some(passphrase) => (None, Some(sealed::seal(seed, passphrase, cost, &bound)?)),
            None => (Some(Zeroizing::new(STANDARD.encode(**seed))), None),
        };
        let form = KeyForm {
            version: VERSION,
            algorithm,
            kid,
            public: public.as_ref().map(|key| STANDARD.encode(key.bytes())),
            seed: plain,
            encrypted,
        };
        write_secret(path, &Zeroizing::new(toml_text(&form)))?;
        Ok(Self { path: path.display().to_string(), form, public })
    }

    /// Reads a key file. One with an unencrypted secret must be readable by its owner alone.
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let shown = path.display().to_string();
        let wrong = |phrase| CommandError::usage(phrase, &[&shown]);
        let file = File::open(path).map_err(unreadable(path))?;
        let mode = file.metadata().map_err(unreadable(path))?.permissions().mode();
        let mut text = Zeroizing::new(String::new());
        file.take(KEY_FILE_BYTES_MAX.saturating_add(1))
            .read_to_string(&mut text)
            .map_err(unreadable(path))?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > KEY_FILE_BYTES_MAX {
            return Err(wrong(Phrase::KeyFileTooLong));
        }
        // The cause is left out: the parser's messages repeat lines of the file.
        let form: KeyForm = toml::from_str(&text).map_err(|_| wrong(Phrase::KeyFileMalformed))?;
        if form.version != VERSION {
            return Err(CommandError::new(
                Exit::NeedsNewer,
                Phrase::KeyFileVersion,
                &[&shown, &form.version],
            ));
        }
        if form.seed.is_some() && mode & OTHERS != 0 {
            return Err(wrong(Phrase::KeyFileOpenToOthers));
        }
        let public = public_of(&form).ok_or_else(|| wrong(Phrase::KeyFileMalformed))?;
        if form.seed.is_some() && form.encrypted.is_some() {
            return Err(wrong(Phrase::KeyFileMalformed));
        }
        Ok(Self { path: shown, form, public })
    }

    /// What the secret is for.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.form.algorithm
    }

    /// The public half of a signing key.
    pub(crate) fn public(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }

    /// Whether the secret is in the file at all, and if so behind a passphrase.
    pub(crate) fn holds(&self) -> Holds {
        match (&self.form.seed, &self.form.encrypted) {
            (Some(_), _) => Holds::Plain,
            (None, Some(_)) => Holds::Encrypted,
            (None, None) => Holds::PublicOnly,
        }
    }

    /// The secret. Asks for the passphrase only where the file needs one that is not known yet.
    pub(crate) fn open(
        &self,
        algorithm: Algorithm,
        passphrases: &mut Passphrases,
    ) -> Result<Seed, CommandError> {
        if self.form.algorithm != algorithm {
            let (wanted, found) = (algorithm.name(), self.form.algorithm.name());
            return Err(CommandError::usage(Phrase::KeyFileAlgorithm, &[&self.path, &wanted, &found]));
        }
        let seed = match (&self.form.seed, &self.form.encrypted) {
            (Some(text), _) => decode_seed(text),
            (None, Some(sealed)) => {
                let bound = sealed::bound_to(algorithm, self.form.kid.as_deref());
                let attempt = |passphrase: &Passphrase| sealed::open(sealed, passphrase, &bound, &self.path);
                Some(passphrases.opening(&self.path, attempt)?)
            }
            (None, None) => return Err(CommandError::usage(Phrase::KeyFilePublicOnly, &[&self.path])),
        };
        let seed = seed.ok_or_else(|| CommandError::usage(Phrase::KeyFileMalformed, &[&self.path]))?;
        match &self.public {
            Some(public) if SigningKey::from_seed(*seed).public() != *public => {
                Err(CommandError::usage(Phrase::KeyFileHalvesDiffer, &[&self.path]))
            }
            Some(_) | None => Ok(seed),
        }
    }

    /// The signing key.
    pub(crate) fn signing(&self, passphrases: &mut Passphrases) -> Result<SigningKey, CommandError> {
        self.open(Algorithm::Ed25519, passphrases).map(|seed| SigningKey::from_seed(*seed))
    }

    /// The text of the public half, for others to read.
    pub(crate) fn public_text(&self) -> Result<String, CommandError> {
        if self.public.is_none() {
            return Err(CommandError::usage(Phrase::KeyFileNoPublic, &[&self.path]));
        }
        let KeyForm { version, algorithm, kid, public, seed: _, encrypted: _ } = &self.form;
        let (kid, public) = (kid.clone(), public.clone());
        Ok(toml_text(&KeyForm {
            version: *version,
            algorithm: *algorithm,
            kid,
            public,
            seed: None,
            encrypted: None,
        }))
    }
}

/// What a key file holds of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The secret as it is.
    Plain,
    /// The secret behind a passphrase.
    Encrypted,
    /// The public half only.
    PublicOnly,
}

/// Reads and opens a signing key.
pub(crate) fn signing_key(path: &Path, passphrases: &mut Passphrases) -> Result<SigningKey, CommandError> {
    KeyFile::read(path)?.signing(passphrases)
}

/// The public key that a form names; `None` where it is there without reason, or missing, or names another kid.
#[expect(clippy::option_option, reason = "outside: whether the form is right; inside: whether it has a key")]
fn public_of(form: &KeyForm) -> Option<Option<PublicKey>> {
    match (form.algorithm, &form.kid, &form.public) {
        (Algorithm::Ed25519 | Algorithm::Cosignature, Some(kid), Some(text)) => {
            let bytes = <[u8; 32]>::try_from(STANDARD.decode(text).ok()?).ok()?;
            let key = PublicKey::admit(&bytes).ok()?;
            (kid_text(&key.kid()) == *kid).then_some(Some(key))
        }
        (Algorithm::Root | Algorithm::Rows, None, None) => Some(None),
        (Algorithm::Ed25519 | Algorithm::Cosignature | Algorithm::Root | Algorithm::Rows, _, _) => None,
    }
}

fn decode_seed(text: &str) -> Option<Seed> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}

fn toml_text(form: &KeyForm) -> String {
    // Every field has a form in TOML: texts and small numbers.
    toml::to_string(form).unwrap_or_default()
}

/// Writes a file that only its owner may read, durably, where none is yet.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), CommandError> {
    let folder = folder_of(path);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable(folder))?;
    let opened = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path);
    let mut file = opened.map_err(|cause| {
        if cause.kind() == std::io::ErrorKind::AlreadyExists {
            CommandError::usage(Phrase::FileExists, &[&path.display()])
        } else {
            unwritable(path)(cause)
        }
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable(path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable(folder))
}

/// The folder that a file lies in; of a bare name the present one.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
