//! Where passphrases come from: files, the environment, or the person at the terminal.

use crate::ending::{CommandError, Exit, unreadable};
use crate::language::{Language, Phrase};
use crate::output::{Format, Output};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The most bytes of a passphrase.
pub(crate) const PASSPHRASE_BYTES_MAX: usize = 1_024;
/// The most files of passphrases; each takes a fifth of a second to try.
pub(crate) const PASSPHRASE_FILES_MAX: usize = 16;
/// How often a person may mistype the passphrase of one file.
pub(crate) const TRIES_MAX: usize = 3;
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

/// A way to ask a person, who sees a question and answers unseen.
type Asking = Box<dyn FnMut(&str) -> io::Result<String>>;

/// The ways to passphrases: files, else the environment, else the person at the terminal. Key files may each have a
/// passphrase of their own: a file is tried with every one that is known.
pub(crate) struct Passphrases {
    language: Language,
    files: Vec<PathBuf>,
    environment: Option<Zeroizing<String>>,
    asking: Asking,
    /// Those that were given, read once.
    given: Option<Vec<Passphrase>>,
    /// Those that a person has typed to open files.
    typed: Vec<Passphrase>,
    /// That which a person has chosen for new files.
    chosen: Option<Passphrase>,
}

impl Passphrases {
    /// Files go before the environment, the environment before the terminal.
    pub(crate) fn new(
        language: Language,
        files: Vec<PathBuf>,
        environment: Option<Zeroizing<String>>,
    ) -> Self {
        let asking = Box::new(|question: &str| rpassword::prompt_password(question));
        Self { language, files, environment, asking, given: None, typed: Vec::new(), chosen: None }
    }

    /// The same with somebody else to ask.
    #[cfg(test)]
    pub(super) fn asking(self, asking: impl FnMut(&str) -> io::Result<String> + 'static) -> Self {
        Self { asking: Box::new(asking), ..self }
    }

    /// The passphrase for new files that was given without anybody being asked: the first.
    pub(crate) fn given(&mut self) -> Result<Option<&Passphrase>, CommandError> {
        Ok(self.all_given()?.first())
    }

    fn all_given(&mut self) -> Result<&[Passphrase], CommandError> {
        if self.given.is_none() {
            if self.files.len() > PASSPHRASE_FILES_MAX {
                return Err(CommandError::usage(Phrase::PassphraseFilesTooMany, &[&PASSPHRASE_FILES_MAX]));
            }
            let mut given: Vec<Passphrase> =
                self.files.iter().map(|path| from_file(path)).collect::<Result<_, _>>()?;
            if let (true, Some(text)) = (given.is_empty(), &self.environment) {
                given.push(Passphrase::new(text)?);
            }
            self.given = Some(given);
        }
        Ok(self.given.as_deref().unwrap_or_default())
    }

    /// Opens a file with the first passphrase that opens it. Asks for the file's own where none was given, or those that
    /// were typed before are of other files; `open` gives `None` for a wrong one.
    pub(super) fn opening<T>(
        &mut self,
        path: &str,
        open: impl Fn(&Passphrase) -> Result<Option<T>, CommandError>,
    ) -> Result<T, CommandError> {
        let wrong = || CommandError::usage(Phrase::KeyFileNotOpened, &[&path]);
        let given = self.all_given()?;
        for passphrase in given {
            if let Some(opened) = open(passphrase)? {
                return Ok(opened);
            }
        }
        if !given.is_empty() {
            return Err(wrong());
        }
        for passphrase in self.typed.iter().chain(&self.chosen) {
            if let Some(opened) = open(passphrase)? {
                return Ok(opened);
            }
        }
        for tried in 1..=TRIES_MAX {
            let typed = self.ask(Phrase::PassphraseAsked, path)?;
            if let Some(opened) = open(&typed)? {
                self.typed.push(typed);
                return Ok(opened);
            }
            if tried < TRIES_MAX {
                let text = Phrase::PassphraseWrong.text();
                Output { language: self.language, format: Format::Text }.note_text(&text);
            }
        }
        Err(wrong())
    }

    /// A passphrase for new files; asks twice where none was given, once for all files of a command.
    pub(crate) fn for_new(&mut self, path: &str) -> Result<&Passphrase, CommandError> {
        if self.all_given()?.is_empty() && self.chosen.is_none() {
            let first = self.ask(Phrase::PassphraseNew, path)?;
            let second = self.ask(Phrase::PassphraseAgain, path)?;
            if first.as_bytes() != second.as_bytes() {
                return Err(CommandError::usage(Phrase::PassphrasesDiffer, &[]));
            }
            self.chosen = Some(first);
        }
        let given = self.given.iter().flatten().next();
        given
            .or(self.chosen.as_ref())
            .ok_or_else(|| CommandError::usage(Phrase::PassphraseLength, &[&PASSPHRASE_BYTES_MAX]))
    }

    fn ask(&mut self, phrase: Phrase, path: &str) -> Result<Passphrase, CommandError> {
        let question = phrase.with(&[&path]);
        let answer = (self.asking)(self.language.of(&question)).map(Zeroizing::new);
        let answer = answer.map_err(|cause| {
            CommandError::new(Exit::Usage, Phrase::PassphraseNotAsked, &[&path, &PASSPHRASE_VARIABLE])
                .because(cause)
        })?;
        Passphrase::new(&answer)
    }
}

fn from_file(path: &Path) -> Result<Passphrase, CommandError> {
    let mut text = Zeroizing::new(String::new());
    let most = u64::try_from(PASSPHRASE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(3);
    File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)).map_err(unreadable(path))?;
    Passphrase::new(&text)
}
