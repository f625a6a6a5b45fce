//! Checkpoints (C2SP tlog-checkpoint v1.0.0): the signed head of a log.

use crate::decimal;
use crate::hash::{Hash, empty_root, from_base64, to_base64};
use crate::note::{self, Note, NoteSigner, VerifierKey};
use crate::tree::SIZE_MAX;

/// The lines of a checkpoint without extensions.
const LINES: usize = 3;

/// The head of a log: its name, how many entries it has, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's origin: one line without control characters.
    pub origin: String,
    /// The count of entries, at most 2^63 − 1.
    pub size: u64,
    /// The root; of no entries, the empty root.
    pub root: Hash,
}

/// The text is not a checkpoint, or the checkpoint cannot be written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not exactly three lines. Extension lines are refused but by a witness: nothing audits them.
    #[error("a checkpoint has exactly three lines")]
    Lines,
    /// The origin is empty or has a control character.
    #[error("the origin cannot stand in a checkpoint")]
    Origin,
    /// The size is not a canonical decimal number up to 2^63 − 1.
    #[error("the size is not a number of entries")]
    Size,
    /// The root is not 32 bytes of base64.
    #[error("the root is not 32 bytes in base64")]
    Root,
    /// The log is said to be empty, with the root of one that is not.
    #[error("an empty log has another root")]
    EmptyRoot,
    /// The signed note cannot be written.
    #[error("the checkpoint could not be written as a note")]
    Note(#[source] note::Error),
}

/// A checkpoint that cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The note cannot be read, or is not signed as it must be.
    #[error("the checkpoint's note was not opened")]
    Note(#[from] note::OpenError),
    /// The note's text is no checkpoint.
    #[error("the note is not a checkpoint")]
    Text(#[from] Error),
    /// It is the checkpoint of another log.
    #[error("the checkpoint is of another log, {origin}")]
    Origin {
        /// The origin that it names.
        origin: String,
    },
}

impl Checkpoint {
    /// The signed text: origin, size and root, one line each.
    pub fn text(&self) -> Result<String, Error> {
        let text = format!("{}\n{}\n{}\n", self.origin, self.size, to_base64(&self.root));
        // What doesn't read back (an origin of two lines) must not be signed.
        if Self::parse(&text)? == *self { Ok(text) } else { Err(Error::Lines) }
    }

    /// Reads the text of a checkpoint, in its one form.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let checkpoint = Self::parse_extended(text)?;
        if text.matches('\n').count() != LINES {
            return Err(Error::Lines);
        }
        if checkpoint.size == 0 && checkpoint.root != empty_root() {
            return Err(Error::EmptyRoot);
        }
        Ok(checkpoint)
    }

    /// Reads the checkpoint of a log that may have extension lines, as a witness does: it cosigns the whole text,
    /// and vouches for the first three lines only. The root of an empty log is left for the caller to judge.
    pub fn parse_extended(text: &str) -> Result<Self, Error> {
        let body = text.strip_suffix('\n').ok_or(Error::Lines)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(Error::Lines);
        };
        if lines.any(str::is_empty) {
            return Err(Error::Lines);
        }
        if origin.is_empty() || origin.chars().any(|c| c < ' ') {
            return Err(Error::Origin);
        }
        let size = decimal::parse(size).filter(|size| *size <= SIZE_MAX).ok_or(Error::Size)?;
        let root = from_base64(root).ok_or(Error::Root)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// The checkpoint as a note with one signature; see [`sign_all`].
pub fn sign(checkpoint: &Checkpoint, signer: &NoteSigner) -> Result<String, Error> {
    sign_all(checkpoint, std::slice::from_ref(signer))
}

/// The checkpoint as a note with a signature by each signer, in their order: more than one while a key is exchanged
/// for another. Who calls this has made the head durable and has checked that it continues every head signed before.
pub fn sign_all(checkpoint: &Checkpoint, signers: &[NoteSigner]) -> Result<String, Error> {
    let text = checkpoint.text()?;
    let signatures = signers.iter().map(|signer| signer.sign(&text)).collect();
    Note { text, signatures }.format().map_err(Error::Note)
}

/// Reads a signed checkpoint of the log `origin`. `keys` are the keys of that log alone: one of a witness
/// among them would pass for the log.
pub fn open(note: &str, keys: &[VerifierKey], origin: &str) -> Result<Checkpoint, OpenError> {
    let checkpoint = Checkpoint::parse(&note::open(note, keys)?.text)?;
    if checkpoint.origin == origin {
        Ok(checkpoint)
    } else {
        Err(OpenError::Origin { origin: checkpoint.origin })
    }
}
