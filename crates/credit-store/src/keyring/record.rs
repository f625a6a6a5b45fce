//! One record of the keyring, of fixed size, sound only in its own place.

use super::KEYRING_FILE_RECORDS_MAX;

/// The most bytes of a wrapped key.
pub const WRAPPED_BYTES_MAX: usize = 128;

/// Account, length, wrapped key, checksum.
pub(super) const RECORD_BYTES: usize = 16 + 1 + WRAPPED_BYTES_MAX + 4;

/// Names the layout inside each checksum.
const LABEL: &[u8] = b"keyring/v1";

// The length is one byte.
const _: () = assert!(WRAPPED_BYTES_MAX <= 255);

/// An account's wrapped key.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The account's id.
    pub account: [u8; 16],
    /// Its key, wrapped by the caller, at most [`WRAPPED_BYTES_MAX`] bytes.
    pub wrapped: Vec<u8>,
}

impl std::fmt::Debug for Record {
    /// Leaves the wrapped key out.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Record").field("account", &self.account).finish_non_exhaustive()
    }
}

/// What a file was found to hold.
pub(super) struct Scanned {
    /// The sound records before the first unsound one.
    pub(super) sound: Vec<Record>,
    /// Where the first unsound one begins, in bytes.
    pub(super) torn_at: Option<u64>,
    /// Sound records behind it.
    pub(super) beyond: Vec<Record>,
}

/// The bytes of records that stand in a file from slot `first` on.
pub(super) fn encode(file: u32, first: usize, records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len().saturating_mul(RECORD_BYTES));
    for (slot, record) in (first..).zip(records) {
        let mut body = record.account.to_vec();
        body.push(u8::try_from(record.wrapped.len()).unwrap_or(u8::MAX));
        body.extend_from_slice(&record.wrapped);
        body.resize(RECORD_BYTES.saturating_sub(4), 0);
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&checksum(file, slot, &body));
    }
    bytes
}

/// Reads a file's records.
pub(super) fn scan(file: u32, bytes: &[u8]) -> Scanned {
    let mut scanned = Scanned { sound: Vec::new(), torn_at: None, beyond: Vec::new() };
    for (slot, piece) in bytes.chunks(RECORD_BYTES).enumerate() {
        let record = decode(file, slot, piece).filter(|_| slot < KEYRING_FILE_RECORDS_MAX);
        match record {
            Some(record) if scanned.torn_at.is_none() => scanned.sound.push(record),
            Some(record) => scanned.beyond.push(record),
            None => {
                let offset = u64::try_from(slot.saturating_mul(RECORD_BYTES)).unwrap_or(u64::MAX);
                scanned.torn_at = scanned.torn_at.or(Some(offset));
            }
        }
    }
    scanned
}

fn decode(file: u32, slot: usize, bytes: &[u8]) -> Option<Record> {
    let bytes: &[u8; RECORD_BYTES] = bytes.try_into().ok()?;
    let (body, sum) = bytes.split_last_chunk::<4>()?;
    if checksum(file, slot, body) != *sum {
        return None;
    }
    let (account, rest) = body.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    Some(Record { account: *account, wrapped: rest.get(..usize::from(*length))?.to_vec() })
}

/// Covers the place too: a record copied to another file or slot is unsound there.
fn checksum(file: u32, slot: usize, body: &[u8]) -> [u8; 4] {
    let slot = u32::try_from(slot).unwrap_or(u32::MAX);
    let place = [LABEL, &file.to_be_bytes(), &slot.to_be_bytes()].concat();
    crc32c::crc32c_append(crc32c::crc32c(&place), body).to_be_bytes()
}
