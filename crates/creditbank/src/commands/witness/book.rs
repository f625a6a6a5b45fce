//! The witness's own file: its name, where it is served, and the logs it knows.

use crate::ending::{CommandError, unreadable, unwritable};
use crate::keyfile::folder_of;
use crate::language::Phrase;
use credit_log::note::VerifierKey;
use credit_service::witness::{WITNESS_LOG_KEYS_MAX, WITNESS_LOGS_MAX, WitnessError, WitnessLog};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The most bytes of the file: every log with as many keys as it may have.
pub(crate) const BOOK_BYTES_MAX: u64 = 8 << 20;

/// The files of a witness.
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The witness's key.
    pub(super) fn key(&self) -> PathBuf {
        self.root.join("witness.key")
    }

    /// Its name and its logs.
    pub(super) fn config(&self) -> PathBuf {
        self.root.join("witness.toml")
    }

    pub(super) fn shown(&self) -> String {
        self.root.display().to_string()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookForm {
    name: String,
    listen: SocketAddr,
    #[serde(default, rename = "log", skip_serializing_if = "Vec::is_empty")]
    logs: Vec<LogForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogForm {
    origin: String,
    keys: Vec<String>,
}

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Book {
    /// The witness's name in cosignatures.
    pub(super) name: String,
    /// Where it is served.
    pub(super) listen: SocketAddr,
    /// The logs it knows.
    pub(super) logs: Vec<WitnessLog>,
}

impl Book {
    pub(super) fn new(name: &str, listen: SocketAddr) -> Self {
        Self { name: name.to_owned(), listen, logs: Vec::new() }
    }

    /// A short name for policies: the last part of the witness's own.
    pub(super) fn alias(&self) -> &str {
        self.name.rsplit('/').next().filter(|part| !part.is_empty()).unwrap_or(&self.name)
    }

    /// Adds a log, or keys to one that is there.
    pub(super) fn add(&mut self, log: WitnessLog) -> Result<(), WitnessError> {
        let wrong = WitnessError::Keys { origin: log.origin.clone() };
        let at = self.logs.iter().position(|known| known.origin == log.origin);
        if at.is_none() && self.logs.len() >= WITNESS_LOGS_MAX {
            return Err(WitnessError::Logs);
        }
        let at = at.unwrap_or_else(|| {
            self.logs.push(WitnessLog { origin: log.origin, keys: Vec::new() });
            self.logs.len().saturating_sub(1)
        });
        let Some(known) = self.logs.get_mut(at) else { return Err(wrong) };
        for key in log.keys {
            if !known.keys.contains(&key) {
                known.keys.push(key);
            }
        }
        if (1..=WITNESS_LOG_KEYS_MAX).contains(&known.keys.len()) { Ok(()) } else { Err(wrong) }
    }

    /// Reads the file.
    pub(super) fn read(place: &Place) -> Result<Self, CommandError> {
        let path = place.config();
        if !path.exists() {
            return Err(CommandError::usage(Phrase::NoWitness, &[&place.shown()]));
        }
        let mut text = String::new();
        let file = File::open(&path).map_err(unreadable(&path))?;
        file.take(BOOK_BYTES_MAX.saturating_add(1)).read_to_string(&mut text).map_err(unreadable(&path))?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > BOOK_BYTES_MAX {
            return Err(CommandError::usage(Phrase::FileTooLong, &[&path.display(), &BOOK_BYTES_MAX]));
        }
        Self::parse(&text)
            .map_err(|cause| CommandError::usage(Phrase::FileUnusable, &[&path.display()]).because(cause))
    }

    fn parse(text: &str) -> Result<Self, anyhow::Error> {
        let BookForm { name, listen, logs } = toml::from_str(text)?;
        let mut book = Self { name, listen, logs: Vec::new() };
        for LogForm { origin, keys } in logs {
            if book.logs.iter().any(|log| log.origin == origin) {
                return Err(WitnessError::Keys { origin }.into());
            }
            let keys = keys.iter().map(|key| VerifierKey::parse(key)).collect::<Result<_, _>>()?;
            book.add(WitnessLog { origin, keys })?;
        }
        Ok(book)
    }

    fn text(&self) -> String {
        let log = |log: &WitnessLog| LogForm {
            origin: log.origin.clone(),
            keys: log.keys.iter().map(VerifierKey::text).collect(),
        };
        let form = BookForm {
            name: self.name.clone(),
            listen: self.listen,
            logs: self.logs.iter().map(log).collect(),
        };
        // Texts and lists of texts: there is nothing that TOML couldn't hold.
        toml::to_string(&form).unwrap_or_default()
    }

    /// Writes the file where none is yet.
    pub(super) fn create(&self, place: &Place) -> Result<(), CommandError> {
        let path = place.config();
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(&path).map_err(unwritable(&path))?;
        file.write_all(self.text().as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable(&path))
    }

    /// Puts the file in the place of the one that is there, whole or not at all.
    pub(super) fn replace(&self, place: &Place) -> Result<(), CommandError> {
        let path = place.config();
        let beside = place.root().join("witness.toml.new");
        let written = File::create(&beside)
            .and_then(|mut file| file.write_all(self.text().as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(unwritable(&beside))?;
        fs::rename(&beside, &path).map_err(unwritable(&path))?;
        let folder = folder_of(&path);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::envelope::SigningKey;

    fn log(origin: &str, seeds: std::ops::Range<u8>) -> WitnessLog {
        let key = |seed| VerifierKey::new(origin, SigningKey::from_seed([seed; 32]).public()).unwrap();
        WitnessLog { origin: origin.to_owned(), keys: seeds.map(key).collect() }
    }

    fn book() -> Book {
        Book::new("witness.example/w1", SocketAddr::from(([127, 0, 0, 1], 7_380)))
    }

    #[test]
    fn a_list_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().to_path_buf());
        let mut book = book();
        book.create(&place).unwrap();
        assert_eq!(Book::read(&place).unwrap(), book);
        assert!(book.create(&place).is_err(), "never overwritten");
        book.add(log("a.example", 1..2)).unwrap();
        book.add(log("b.example", 1..3)).unwrap();
        // Again, with one key more.
        book.add(log("a.example", 1..3)).unwrap();
        book.replace(&place).unwrap();
        let read = Book::read(&place).unwrap();
        assert_eq!(read, book);
        assert_eq!(read.logs.iter().map(|log| log.keys.len()).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(read.alias(), "w1");
    }

    #[test]
    fn a_list_that_says_too_much_or_too_little_is_refused() {
        let mut book = book();
        book.add(log("a.example", 1..2)).unwrap();
        let text = book.text();
        for (from, to) in [
            ("name", "names"),
            ("127.0.0.1", "nowhere"),
            ("a.example+", "b.example+"),
            ("keys = [", "keys = [] #"),
        ] {
            assert!(Book::parse(&text.replacen(from, to, 1)).is_err(), "{from}");
        }
        let twice = format!("{text}{}", &text[text.find("[[log]]").unwrap()..]);
        assert!(Book::parse(&twice).is_err());
    }

    #[test]
    fn logs_and_keys_reach_their_limits_and_not_beyond() {
        let max = u8::try_from(WITNESS_LOG_KEYS_MAX).unwrap();
        assert!(book().add(log("a.example", 1..max + 1)).is_ok());
        assert!(book().add(log("a.example", 1..max + 2)).is_err());
        assert!(book().add(log("a.example", 1..1)).is_err());
        let mut full = book();
        for number in 0..WITNESS_LOGS_MAX {
            full.add(log(&format!("l{number}"), 1..2)).unwrap();
        }
        assert!(matches!(full.add(log("more", 1..2)), Err(WitnessError::Logs)));
        assert!(full.add(log("l7", 2..3)).is_ok());
    }

    #[test]
    fn a_list_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().to_path_buf());
        let padded = |bytes: u64| {
            let mut text = book().text();
            text.push('#');
            text.extend(std::iter::repeat_n(' ', usize::try_from(bytes).unwrap() - text.len()));
            std::fs::write(place.config(), text).unwrap();
            Book::read(&place).is_ok()
        };
        assert!(padded(BOOK_BYTES_MAX));
        assert!(!padded(BOOK_BYTES_MAX + 1));
    }
}
