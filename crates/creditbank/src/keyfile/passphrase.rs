//! Where passphrases come from: a file, the environment, or the person at the terminal; asked for once.

use crate::ending::{CommandError, Exit, unreadable};
use crate::language::{Language, Phrase};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The most bytes of a passphrase.
pub(crate) const PASSPHRASE_BYTES_MAX: usize = 1_024;
/// The variable that holds a passphrase.
pub(crate) const PASSPHRASE_VARIABLE: &str = "CREDITBANK_PASSPHRASE";

/// A passphrase of 1 to [`PASSPHRASE_BYTES_MAX`] bytes; wiped when dropped.
pub(crate) struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a text; the line break that editors leave at the end does not count.
    pub(crate) fn new(text: &str) -> Result<Self, CommandError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() || text.len() > PASSPHRASE_BYTES_MAX {
            return Err(CommandError::usage(Phrase::PassphraseLength, &[&PASSPHRASE_BYTES_MAX]));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The ways to a passphrase, in their order.
pub(crate) struct Passphrases {
    language: Language,
    file: Option<PathBuf>,
    environment: Option<Zeroizing<String>>,
    known: Option<Passphrase>,
}

impl Passphrases {
    /// The file goes before the environment, the environment before the terminal.
    pub(crate) fn new(
        language: Language,
        file: Option<PathBuf>,
        environment: Option<Zeroizing<String>>,
    ) -> Self {
        Self { language, file, environment, known: None }
    }

    /// The passphrase that was given without anybody being asked.
    pub(crate) fn given(&mut self) -> Result<Option<&Passphrase>, CommandError> {
        if self.known.is_none() {
            let text = match (&self.file, &self.environment) {
                (Some(path), _) => {
                    let mut text = Zeroizing::new(String::new());
                    let most = u64::try_from(PASSPHRASE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(3);
                    File::open(path)
                        .and_then(|file| file.take(most).read_to_string(&mut text))
                        .map_err(unreadable(path))?;
                    Some(text)
                }
                (None, Some(text)) => Some(text.clone()),
                (None, None) => None,
            };
            self.known = text.map(|text| Passphrase::new(&text)).transpose()?;
        }
        Ok(self.known.as_ref())
    }

    /// The passphrase of a file; asks for it where none was given.
    pub(super) fn of(&mut self, path: &str) -> Result<&Passphrase, CommandError> {
        if self.given()?.is_none() {
            let asked = self.ask(Phrase::PassphraseAsked, path)?;
            self.known = Some(asked);
        }
        self.known
            .as_ref()
            .ok_or_else(|| CommandError::usage(Phrase::PassphraseLength, &[&PASSPHRASE_BYTES_MAX]))
    }

    /// A passphrase for a new file; asks twice where none was given.
    pub(crate) fn for_new(&mut self, path: &str) -> Result<&Passphrase, CommandError> {
        if self.given()?.is_none() {
            let first = self.ask(Phrase::PassphraseNew, path)?;
            let second = self.ask(Phrase::PassphraseAgain, path)?;
            if first.as_bytes() != second.as_bytes() {
                return Err(CommandError::usage(Phrase::PassphrasesDiffer, &[]));
            }
            self.known = Some(first);
        }
        self.known
            .as_ref()
            .ok_or_else(|| CommandError::usage(Phrase::PassphraseLength, &[&PASSPHRASE_BYTES_MAX]))
    }

    fn ask(&self, phrase: Phrase, path: &str) -> Result<Passphrase, CommandError> {
        let question = phrase.with(&[&path]);
        let answer = rpassword::prompt_password(self.language.of(&question)).map(Zeroizing::new);
        let answer = answer.map_err(|cause| {
            CommandError::new(Exit::Usage, Phrase::PassphraseNotAsked, &[&path, &PASSPHRASE_VARIABLE])
                .because(cause)
        })?;
        Passphrase::new(&answer)
    }
}
