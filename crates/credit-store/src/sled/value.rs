//! The frame around every stored value: version, length, payload, checksum.
//!
//! The engine's own checksums cover its log, not our decoding; this one also covers the key, so that a value
//! read under a wrong key is noticed.

use crate::StoreError;

/// The most bytes of a stored value, with its frame. Values of this size stay inside the engine's own file with
/// segments of 8 MiB; larger tree nodes would go to files that it never syncs.
pub const BLOCK_BYTES_MAX: usize = 66_560;

/// The version of the frame.
const VERSION: u8 = 1;
/// The bytes of the version and the length.
pub(super) const HEADER_BYTES: usize = 5;
/// The bytes of the frame around a payload.
pub(super) const FRAME_BYTES: usize = HEADER_BYTES + 4;
/// The most bytes of a payload.
pub(super) const PAYLOAD_BYTES_MAX: usize = BLOCK_BYTES_MAX - FRAME_BYTES;

// A row of the largest size, and a piece of a blob, are one value each.
const _: () = assert!(crate::ROW_VALUE_BYTES_MAX <= PAYLOAD_BYTES_MAX);
const _: () = assert!(crate::BLOB_CHUNK_BYTES <= PAYLOAD_BYTES_MAX);

/// Puts a payload of at most [`PAYLOAD_BYTES_MAX`] bytes into the frame for its key.
pub(super) fn frame(key: &[u8], payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() <= PAYLOAD_BYTES_MAX, "a value of {} bytes got past the limits", payload.len());
    framed(VERSION, key, payload)
}

/// The same with another version, and for what may be longer.
pub(super) fn framed(version: u8, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut value = Vec::with_capacity(payload.len().saturating_add(FRAME_BYTES));
    value.push(version);
    value.extend_from_slice(&length.to_be_bytes());
    value.extend_from_slice(payload);
    let sum = checksum(key, &value);
    value.extend_from_slice(&sum.to_be_bytes());
    value
}

/// Takes a payload out of the frame for its key.
pub(super) fn unframe<'a>(what: &'static str, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], StoreError> {
    match open_frame(what, key, value)? {
        (VERSION, payload) => Ok(payload),
        _ => Err(corrupt(what, key, "its frame has another version")),
    }
}

/// Takes version and payload out of a frame.
pub(super) fn open_frame<'a>(
    what: &'static str,
    key: &[u8],
    value: &'a [u8],
) -> Result<(u8, &'a [u8]), StoreError> {
    let wrong = |detail| corrupt(what, key, detail);
    let Some((framed, sum)) = value.split_last_chunk::<4>() else { return Err(wrong("it is cut off")) };
    if checksum(key, framed).to_be_bytes() != *sum {
        return Err(wrong("its checksum does not match"));
    }
    let Some((header, payload)) = framed.split_first_chunk::<HEADER_BYTES>() else {
        return Err(wrong("it is cut off"));
    };
    let [version, length @ ..] = header;
    if usize::try_from(u32::from_be_bytes(*length)).ok() != Some(payload.len()) {
        return Err(wrong("its length does not match"));
    }
    Ok((*version, payload))
}

/// The error for a value that is not what was written.
pub(super) fn corrupt(what: &'static str, key: &[u8], detail: &'static str) -> StoreError {
    let key = key.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    StoreError::Corrupt { what, key, detail }
}

fn checksum(key: &[u8], framed: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), framed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let value = frame(b"key", b"payload");
        for byte in 0..value.len() {
            for bit in 0..8 {
                let mut flipped = value.clone();
                flipped[byte] ^= 1 << bit;
                assert!(unframe("value", b"key", &flipped).is_err(), "bit {bit} of byte {byte}");
            }
        }
        assert_eq!(unframe("value", b"key", &value).unwrap(), b"payload");
    }

    #[test]
    fn a_value_of_another_key_is_noticed() {
        let value = frame(b"key", b"payload");
        assert!(unframe("value", b"kez", &value).is_err());
        assert!(unframe("value", b"", &value).is_err());
    }

    #[test]
    fn a_shortened_value_is_noticed() {
        let value = frame(b"key", b"payload");
        for length in 0..value.len() {
            assert!(unframe("value", b"key", &value[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn another_version_or_length_is_refused_even_with_a_right_checksum() {
        for (at, detail) in [(0, "its frame has another version"), (4, "its length does not match")] {
            let mut value = frame(b"key", b"payload");
            value[at] ^= 2;
            value.truncate(value.len().saturating_sub(4));
            let sum = checksum(b"key", &value);
            value.extend_from_slice(&sum.to_be_bytes());
            let error = unframe("value", b"key", &value).unwrap_err();
            assert!(error.to_string().ends_with(detail), "{error}");
        }
    }

    #[test]
    fn the_largest_payload_makes_the_largest_value() {
        let payload = vec![7; PAYLOAD_BYTES_MAX];
        let value = frame(b"key", &payload);
        assert_eq!(value.len(), BLOCK_BYTES_MAX);
        assert_eq!(unframe("value", b"key", &value).unwrap(), payload);
    }
}
