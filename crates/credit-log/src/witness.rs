//! What a log sends to a witness (C2SP tlog-witness v1.0.0), and what a witness must find before it cosigns.

use crate::checkpoint::Checkpoint;
use crate::consistency;
use crate::decimal;
use crate::hash::{Hash, empty_root, from_base64, to_base64};
use crate::note::{self, NOTE_BYTES_MAX, Note, NoteSignature, OpenError, VerifierKey};
use crate::proof::ProofError;
use crate::tree::{PATH_HASHES_MAX, SIZE_MAX};

/// The most bytes of a request: the size line, 63 proof lines of 45 bytes, the empty line, and a note.
pub const REQUEST_BYTES_MAX: usize = 25 + PATH_HASHES_MAX * 45 + 1 + NOTE_BYTES_MAX;
/// The media type of the answer 409, whose body is the size of the last checkpoint that was cosigned.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";
/// The most bytes of the body of the answer 409: a decimal number and a newline.
pub const SIZE_BYTES_MAX: usize = 20;

const _: () = assert!(SIZE_MAX < 10_000_000_000_000_000_000);

/// The body of a call to `add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the last checkpoint that the witness cosigned, as the client believes; at most 2^63 − 1.
    pub old_size: u64,
    /// The consistency proof from that size to the checkpoint's: at most 63 hashes.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// The text is not such a body, or cannot be written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`REQUEST_BYTES_MAX`].
    #[error("the request is longer than {REQUEST_BYTES_MAX} bytes")]
    TooLong,
    /// The first line is not `old` and a canonical decimal number of entries.
    #[error("the first line is not `old` and a number of entries")]
    OldSize,
    /// A line of the proof is not 32 bytes of base64, or there are more than 63.
    #[error("line {line} of the proof cannot be read, or is one of more than 63")]
    Proof {
        /// Its number, from 1.
        line: usize,
    },
    /// There is no empty line after the proof.
    #[error("no empty line separates the proof from the checkpoint")]
    Separator,
    /// The checkpoint is not a signed note.
    #[error("the checkpoint is not a signed note")]
    Note(#[source] note::Error),
    /// The note's text is not a checkpoint.
    #[error("the note is not a checkpoint")]
    Checkpoint(#[source] crate::checkpoint::Error),
    /// The parts do not form a request that reads back as them.
    #[error("the parts cannot stand in a request")]
    Unwritable,
}

impl AddCheckpoint {
    /// Reads a body. The checkpoint is not taken apart: see [`AddCheckpoint::head`].
    pub fn parse(body: &str) -> Result<Self, Error> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(Error::TooLong);
        }
        let (first, mut rest) = body.split_once('\n').ok_or(Error::OldSize)?;
        let old_size = first.strip_prefix("old ").and_then(decimal::parse);
        let old_size = old_size.filter(|size| *size <= SIZE_MAX).ok_or(Error::OldSize)?;
        let mut proof = Vec::new();
        loop {
            let (line, behind) = rest.split_once('\n').ok_or(Error::Separator)?;
            rest = behind;
            if line.is_empty() {
                break;
            }
            let hash = from_base64(line).filter(|_| proof.len() < PATH_HASHES_MAX);
            proof.push(hash.ok_or(Error::Proof { line: proof.len().saturating_add(1) })?);
        }
        Ok(Self { old_size, proof, checkpoint: rest.to_owned() })
    }

    /// The body's text; parts that would not read back as themselves are refused.
    pub fn format(&self) -> Result<String, Error> {
        let proof: Vec<String> = self.proof.iter().map(|hash| to_base64(hash) + "\n").collect();
        let text = format!("old {}\n{}\n{}", self.old_size, proof.concat(), self.checkpoint);
        if Self::parse(&text)? == *self { Ok(text) } else { Err(Error::Unwritable) }
    }

    /// The note and the head that it states; nothing is verified. Extension lines are allowed.
    pub fn head(&self) -> Result<(Note, Checkpoint), Error> {
        let note = Note::parse(&self.checkpoint).map_err(Error::Note)?;
        let head = Checkpoint::parse_extended(&note.text).map_err(Error::Checkpoint)?;
        Ok((note, head))
    }
}

/// The lines of the note by the log's own keys, which must be good and at least one: of all others a witness keeps
/// nothing.
pub fn trusted(note: &str, keys: &[VerifierKey]) -> Result<Vec<NoteSignature>, OpenError> {
    note::open(note, keys)?;
    let Note { text: _, signatures } = Note::parse(note)?;
    let by_log =
        |line: &NoteSignature| keys.iter().any(|key| key.name() == line.name && key.key_id() == line.key_id);
    Ok(signatures.into_iter().filter(by_log).collect())
}

/// What a witness last cosigned of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    /// The count of entries; 0 if it never cosigned.
    pub size: u64,
    /// The root over them; of no entries, the empty root.
    pub root: Hash,
}

impl Last {
    /// The state of a log of which nothing was cosigned.
    pub fn none() -> Self {
        Self { size: 0, root: empty_root() }
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The old size is larger than the checkpoint's: 400.
    #[error("the old size {old} is larger than the checkpoint's {new}")]
    OldSize {
        /// The old size.
        old: u64,
        /// The checkpoint's size.
        new: u64,
    },
    /// The old size is not that of the last checkpoint cosigned: 409, and the size.
    #[error("the last checkpoint cosigned has size {size}")]
    Conflict {
        /// The size of the last checkpoint cosigned.
        size: u64,
    },
    /// The checkpoint does not continue the last one: 422. Signed by the log, it is evidence of a fork.
    #[error("the checkpoint does not continue the last one cosigned")]
    Inconsistent(#[source] ProofError),
}

/// Whether a head continues the last one; in the order in which the specification gives its answers.
pub fn judge(request: &AddCheckpoint, head: &Checkpoint, last: &Last) -> Result<(), Refusal> {
    let (old, new) = (request.old_size, head.size);
    if old > new {
        return Err(Refusal::OldSize { old, new });
    }
    if old != last.size {
        return Err(Refusal::Conflict { size: last.size });
    }
    if new == 0 && head.root != empty_root() {
        return Err(Refusal::Inconsistent(ProofError::Root));
    }
    consistency::verify(old, new, &request.proof, &last.root, &head.root).map_err(Refusal::Inconsistent)
}

/// Reads the body of the answer 409: the size of the last checkpoint cosigned.
pub fn parse_size(body: &str) -> Option<u64> {
    let size = body.strip_suffix('\n').and_then(decimal::parse)?;
    (size <= SIZE_MAX).then_some(size)
}
