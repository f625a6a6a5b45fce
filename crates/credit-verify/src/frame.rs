//! Frames of an export's files: entries, and the secret parts of entries. See docs/reference/log-format.md, section 10.
//!
//! Lengths are believed only as far as bytes are there: nothing is allocated for what a length says.

use std::cell::Cell;

use credit_log::commitment::{DETAILS_LABEL, commit};
use credit_proto::strict;
use credit_proto::{payload_type, v1};
use credit_types::{AccountRef, Digest};

use crate::command::{DetailsSource, OpenedDetails};
use crate::log::EntryBytes;

/// The most entries of a file of an export.
pub const EXPORT_FILE_ENTRIES_MAX: u64 = 4_096;
/// The most bytes of a file of an export.
pub const EXPORT_FILE_BYTES_MAX: usize = 32 << 20;

/// Bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// They end inside it.
    #[error("the frame ends beyond its file")]
    Short,
    /// A secret part in it is not canonical.
    #[error("secret part {number} of the frame cannot be read")]
    Secret {
        /// Its number in the frame, from 0.
        number: usize,
    },
    /// More than a frame can hold was to be written.
    #[error("the entry does not fit into a frame")]
    Long,
}

/// An entry out of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedEntry {
    /// The canonical core.
    pub core: Vec<u8>,
    /// The secret that salts the parts.
    pub secret: [u8; 32],
    /// The parts, each a kind byte and canonical bytes.
    pub parts: Vec<Vec<u8>>,
}

impl OwnedEntry {
    /// As it is checked.
    pub fn bytes(&self) -> EntryBytes<'_> {
        EntryBytes { core: &self.core, secret: &self.secret, parts: &self.parts }
    }
}

/// A secret part with what opens its commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPart {
    /// The payload type.
    pub payload_type: String,
    /// The salt of the commitment, and the canonical payload.
    pub opened: OpenedDetails,
}

fn u32_of(length: usize) -> Result<[u8; 4], FrameError> {
    u32::try_from(length).map(u32::to_be_bytes).map_err(|_| FrameError::Long)
}

fn u16_of(count: usize) -> Result<[u8; 2], FrameError> {
    u16::try_from(count).map(u16::to_be_bytes).map_err(|_| FrameError::Long)
}

/// Writes the frame of an entry.
pub fn write_entry(entry: &EntryBytes<'_>, into: &mut Vec<u8>) -> Result<(), FrameError> {
    into.extend(u32_of(entry.core.len())?);
    into.extend(entry.core);
    into.extend(entry.secret);
    into.extend(u16_of(entry.parts.len())?);
    for part in entry.parts {
        into.extend(u32_of(part.len())?);
        into.extend(part);
    }
    Ok(())
}

/// Writes the frame of an entry's secret parts, which stand in the order of their commitments.
pub fn write_secrets(index: u64, secrets: &[SecretPart], into: &mut Vec<u8>) -> Result<(), FrameError> {
    into.extend(index.to_be_bytes());
    into.extend(u16_of(secrets.len())?);
    for SecretPart { payload_type, opened: OpenedDetails { salt, payload } } in secrets {
        let wire = v1::OpenedSecret {
            payload_type: payload_type.clone(),
            salt: salt.to_vec(),
            payload: payload.clone(),
        };
        let bytes = strict::encode_long(&wire, EXPORT_FILE_BYTES_MAX);
        into.extend(u32_of(bytes.len())?);
        into.extend(bytes);
    }
    Ok(())
}

/// What is left of a file.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], FrameError> {
        let (taken, rest) = self.0.split_first_chunk::<COUNT>().ok_or(FrameError::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn long(&mut self) -> Result<&'b [u8], FrameError> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| FrameError::Short)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(FrameError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn count(&mut self) -> Result<usize, FrameError> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }
}

/// The bytes behind the first frame of an entry.
pub fn skip_entry(bytes: &[u8]) -> Result<&[u8], FrameError> {
    let mut rest = Rest(bytes);
    rest.long()?;
    rest.array::<32>()?;
    for _ in 0..rest.count()? {
        rest.long()?;
    }
    Ok(rest.0)
}

/// The first entry, and the bytes behind its frame.
pub fn read_entry(bytes: &[u8]) -> Result<(OwnedEntry, &[u8]), FrameError> {
    let mut rest = Rest(bytes);
    let core = rest.long()?.to_vec();
    let secret = rest.array()?;
    let count = rest.count()?;
    let mut parts = Vec::new();
    for _ in 0..count {
        parts.push(rest.long()?.to_vec());
    }
    Ok((OwnedEntry { core, secret, parts }, rest.0))
}

/// The index of the first frame of secret parts, and the bytes behind it.
pub fn skip_secrets(bytes: &[u8]) -> Result<(u64, &[u8]), FrameError> {
    let mut rest = Rest(bytes);
    let index = u64::from_be_bytes(rest.array()?);
    for _ in 0..rest.count()? {
        rest.long()?;
    }
    Ok((index, rest.0))
}

/// The first entry's index and secret parts, and the bytes behind their frame.
pub fn read_secrets(bytes: &[u8]) -> Result<(u64, Vec<SecretPart>, &[u8]), FrameError> {
    let mut rest = Rest(bytes);
    let index = u64::from_be_bytes(rest.array()?);
    let mut secrets = Vec::new();
    for number in 0..rest.count()? {
        let unread = FrameError::Secret { number };
        let wire: v1::OpenedSecret =
            strict::decode_long(rest.long()?, EXPORT_FILE_BYTES_MAX).map_err(|_| unread.clone())?;
        let v1::OpenedSecret { payload_type, salt, payload } = wire;
        let salt = <[u8; 32]>::try_from(salt).map_err(|_| unread)?;
        secrets.push(SecretPart { payload_type, opened: OpenedDetails { salt, payload } });
    }
    Ok((index, secrets, rest.0))
}

/// Where the secret parts of any entry come from, by its index.
pub trait EarlierSecrets {
    /// The secret parts of an entry; `None` where they can't be had.
    fn secrets(&self, index: u64) -> Option<Vec<SecretPart>>;
}

/// A source for the entry that is being judged, with the secret parts of all entries before it at hand: what an
/// application rests on stands in them. Only the second phase asks for those.
#[derive(Clone, Copy)]
pub struct WithEarlier<'s> {
    own: &'s dyn DetailsSource,
    earlier: &'s dyn EarlierSecrets,
}

impl<'s> WithEarlier<'s> {
    /// Of an entry's own source, and the entries before it.
    pub fn new(own: &'s dyn DetailsSource, earlier: &'s dyn EarlierSecrets) -> Self {
        Self { own, earlier }
    }
}

impl DetailsSource for WithEarlier<'_> {
    fn details(&self, account: AccountRef, commitment: Digest) -> Option<OpenedDetails> {
        self.own.details(account, commitment)
    }

    fn begin(&self) {
        self.own.begin();
    }

    fn earlier(&self, index: u64, _account: AccountRef, commitment: Digest) -> Option<OpenedDetails> {
        let secrets = self.earlier.secrets(index)?;
        let opened = secrets.into_iter().filter(|part| part.payload_type == payload_type::RECORD_DETAILS);
        opened.map(|part| part.opened).find(|opened| {
            let OpenedDetails { salt, payload } = opened;
            commit(DETAILS_LABEL, salt, payload_type::RECORD_DETAILS, payload) == commitment.0
        })
    }

    fn secret(&self, payload_type: &str, commitment: Digest) -> Option<OpenedDetails> {
        self.own.secret(payload_type, commitment)
    }

    fn left(&self) -> usize {
        self.own.left()
    }

    fn is_complete(&self) -> bool {
        self.own.is_complete()
    }
}

/// The secret parts of one entry, as a source that claims to be complete: each is asked for once, in the order of the
/// entry's commitments.
#[derive(Debug, Default)]
pub struct EntrySecrets {
    secrets: Vec<SecretPart>,
    next: Cell<usize>,
}

impl EntrySecrets {
    /// Of one entry.
    pub fn new(secrets: Vec<SecretPart>) -> Self {
        Self { secrets, next: Cell::new(0) }
    }
}

impl DetailsSource for EntrySecrets {
    fn details(&self, _account: AccountRef, commitment: Digest) -> Option<OpenedDetails> {
        self.secret(payload_type::RECORD_DETAILS, commitment)
    }

    fn begin(&self) {
        self.next.set(0);
    }

    fn secret(&self, payload_type: &str, _commitment: Digest) -> Option<OpenedDetails> {
        let next = self.secrets.get(self.next.get())?;
        if next.payload_type != payload_type {
            return None;
        }
        self.next.set(self.next.get().saturating_add(1));
        Some(next.opened.clone())
    }

    fn is_complete(&self) -> bool {
        true
    }

    fn left(&self) -> usize {
        self.secrets.len().saturating_sub(self.next.get())
    }
}
