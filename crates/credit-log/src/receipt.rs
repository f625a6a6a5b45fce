//! Receipts (C2SP tlog-proof v1): one file that proves, offline, that an entry is in the log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{self, Checkpoint};
use crate::decimal;
use crate::hash::{Hash, from_base64, to_base64};
use crate::inclusion;
use crate::note::{NOTE_BYTES_MAX, VerifierKey};
use crate::proof::ProofError;
use crate::tree::PATH_HASHES_MAX;

/// The first line of a receipt.
const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// The most bytes of the unauthenticated extra data.
pub const EXTRA_BYTES_MAX: usize = 262_144;
/// The most bytes of a receipt.
pub const RECEIPT_BYTES_MAX: usize = 1_048_576;

// Base64 makes four bytes of three; a path has at most 63 lines of 45 bytes.
const _: () =
    assert!(EXTRA_BYTES_MAX / 3 * 4 + NOTE_BYTES_MAX + PATH_HASHES_MAX * 45 + 100 < RECEIPT_BYTES_MAX);

/// An entry's place in the log under a signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Data that the format carries without proving it: 1 byte to [`EXTRA_BYTES_MAX`].
    pub extra: Option<Vec<u8>>,
    /// The entry's index in the log, from 0.
    pub index: u64,
    /// The inclusion path, the leaf's sibling first; at most 63 hashes.
    pub path: Vec<Hash>,
    /// The signed checkpoint, byte for byte as it was received.
    pub checkpoint: String,
}

/// The text is not a receipt, or the receipt cannot be written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`RECEIPT_BYTES_MAX`].
    #[error("the receipt is longer than {RECEIPT_BYTES_MAX} bytes")]
    TooLong,
    /// Another first line.
    #[error("the receipt does not begin with its header line")]
    Header,
    /// The extra line is empty, not base64, or too long.
    #[error("the extra data cannot be read")]
    Extra,
    /// The index line is missing or not a canonical decimal number.
    #[error("the index cannot be read")]
    Index,
    /// A line of the path is not 32 bytes of base64, or there are more than 63.
    #[error("the path cannot be read")]
    Path,
    /// No empty line, or no text after it that ends with a newline.
    #[error("the receipt has no checkpoint")]
    Checkpoint,
    /// The parts do not form a receipt that reads back as them.
    #[error("the parts cannot stand in a receipt")]
    Unwritable,
}

/// A receipt that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The checkpoint cannot be relied on.
    #[error("the receipt's checkpoint was not opened")]
    Checkpoint(#[from] checkpoint::OpenError),
    /// The entry is not where the receipt says.
    #[error("the receipt's proof is false")]
    Proof(#[from] ProofError),
}

impl TlogProof {
    /// Reads a receipt, in its one form.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > RECEIPT_BYTES_MAX {
            return Err(Error::TooLong);
        }
        let body = text.strip_prefix(HEADER).ok_or(Error::Header)?;
        let (mut line, mut rest) = body.split_once('\n').ok_or(Error::Index)?;
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            let bytes = STANDARD.decode(encoded).map_err(|_| Error::Extra)?;
            extra = Some(bytes).filter(|bytes| (1..=EXTRA_BYTES_MAX).contains(&bytes.len()));
            if extra.is_none() {
                return Err(Error::Extra);
            }
            (line, rest) = rest.split_once('\n').ok_or(Error::Index)?;
        }
        let index = line.strip_prefix("index ").and_then(decimal::parse).ok_or(Error::Index)?;
        let mut path = Vec::new();
        loop {
            (line, rest) = rest.split_once('\n').ok_or(Error::Checkpoint)?;
            if line.is_empty() {
                break;
            }
            path.push(from_base64(line).filter(|_| path.len() < PATH_HASHES_MAX).ok_or(Error::Path)?);
        }
        if !rest.ends_with('\n') {
            return Err(Error::Checkpoint);
        }
        Ok(Self { extra, index, path, checkpoint: rest.to_owned() })
    }

    /// The receipt's text; parts that would not read back as themselves are refused.
    pub fn format(&self) -> Result<String, Error> {
        let extra = self.extra.as_ref().map(|extra| format!("extra {}\n", STANDARD.encode(extra)));
        let path: Vec<String> = self.path.iter().map(|hash| to_base64(hash) + "\n").collect();
        let text = format!(
            "{HEADER}{}index {}\n{}\n{}",
            extra.unwrap_or_default(),
            self.index,
            path.concat(),
            self.checkpoint
        );
        if Self::parse(&text)? == *self { Ok(text) } else { Err(Error::Unwritable) }
    }

    /// Checks that the entry with this leaf hash stands at the receipt's index in the log `origin`, and
    /// gives the checkpoint that says so. `keys` are the log's own; witnesses are judged apart.
    pub fn verify(
        &self,
        leaf_hash: &Hash,
        keys: &[VerifierKey],
        origin: &str,
    ) -> Result<Checkpoint, VerifyError> {
        let head = checkpoint::open(&self.checkpoint, keys, origin)?;
        inclusion::verify(leaf_hash, self.index, head.size, &self.path, &head.root)?;
        Ok(head)
    }
}
