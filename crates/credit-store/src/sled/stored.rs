//! What stands in the files of our own: a frame as around every value, and within it bytes that are compressed where that
//! gains something.
//!
//! Level 1 takes entries to about half and rows to about three fifths, and gives a block back in some microseconds; higher
//! levels and a trained dictionary gain a little more for several times the work (`docs/reference/performance.md`).

use super::value::{FRAME_BYTES, HEADER_BYTES, corrupt, framed, open_frame};
use crate::StoreError;
use std::cell::RefCell;
use std::ops::Range;
use zstd::bulk::{Compressor, Decompressor};

/// The version of a frame around plain bytes: that of every value.
const PLAIN: u8 = 1;
/// The version of a frame around the count of bytes and the bytes, compressed.
const PACKED: u8 = 2;
const LEVEL: i32 = 1;
/// Fewer bytes are not compressed.
const PACK_FROM: usize = 256;
/// The bytes of the count.
const COUNT_BYTES: usize = 4;
/// The most bytes that are compressed, or expected of what was: more than any block or page has.
const PLAIN_BYTES_MAX: usize = 4 << 20;

const _: () = assert!(crate::BODY_BYTES_MAX < PLAIN_BYTES_MAX && crate::ENTRY_BYTES_MAX < PLAIN_BYTES_MAX);

/// Bytes that were read, without their frame.
pub(super) struct Stored {
    held: Vec<u8>,
    range: Range<usize>,
}

impl Stored {
    /// Checks a frame, and takes the bytes out of it.
    pub(super) fn open(what: &'static str, key: &[u8], held: Vec<u8>) -> Result<Self, StoreError> {
        let (version, payload) = open_frame(what, key, &held)?;
        match version {
            PLAIN => Ok(Self { range: HEADER_BYTES..HEADER_BYTES.saturating_add(payload.len()), held }),
            PACKED => {
                let plain = unpacked(payload);
                let held = plain.ok_or_else(|| corrupt(what, key, "its compressed bytes do not fit"))?;
                Ok(Self { range: 0..held.len(), held })
            }
            _ => Err(corrupt(what, key, "its frame has another version")),
        }
    }

    /// Bytes that were put together of others.
    pub(super) fn made(bytes: Vec<u8>) -> Self {
        Self { range: 0..bytes.len(), held: bytes }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.held.get(self.range.clone()).unwrap_or_default()
    }
}

/// Puts bytes into their frame.
pub(super) fn close(key: &[u8], plain: &[u8]) -> Vec<u8> {
    match packed(plain) {
        Some(packed) => framed(PACKED, key, &packed),
        None => framed(PLAIN, key, plain),
    }
}

/// Making a compressor takes longer than compressing a page.
fn packed(plain: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    if !(PACK_FROM..=PLAIN_BYTES_MAX).contains(&plain.len()) {
        return None;
    }
    let squeezed = PACKER.with_borrow_mut(|kept| {
        let packer = match kept {
            Some(packer) => packer,
            None => kept.insert(Compressor::new(LEVEL).ok()?),
        };
        packer.compress(plain).ok()
    })?;
    // What gains less than an eighth is not worth the work of reading it.
    let room = plain.len().saturating_sub(plain.len() / 8);
    if squeezed.len().saturating_add(COUNT_BYTES).saturating_add(FRAME_BYTES) > room {
        return None;
    }
    let count = u32::try_from(plain.len()).ok()?;
    Some([count.to_be_bytes().as_slice(), &squeezed].concat())
}

fn unpacked(payload: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    let (count, squeezed) = payload.split_first_chunk::<COUNT_BYTES>()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok().filter(|count| *count <= PLAIN_BYTES_MAX)?;
    let plain = UNPACKER.with_borrow_mut(|kept| {
        let unpacker = match kept {
            Some(unpacker) => unpacker,
            None => kept.insert(Decompressor::new().ok()?),
        };
        unpacker.decompress(squeezed, count).ok()
    })?;
    (plain.len() == count).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that nothing can compress.
    fn noise(length: usize) -> Vec<u8> {
        let mut seed = 7u64;
        let next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn bytes_come_back_compressed_or_not() {
        for plain in [
            Vec::new(),
            vec![1],
            vec![2; PACK_FROM - 1],
            vec![3; PACK_FROM],
            noise(4_096),
            vec![4; PLAIN_BYTES_MAX],
            vec![5; PLAIN_BYTES_MAX + 1],
        ] {
            let stored = close(b"key", &plain);
            let small =
                (PACK_FROM..=PLAIN_BYTES_MAX).contains(&plain.len()) && plain[0] == plain[plain.len() - 1];
            assert_eq!(stored.len() < plain.len(), small, "{} bytes", plain.len());
            assert_eq!(Stored::open("bytes", b"key", stored).unwrap().bytes(), plain);
        }
    }

    #[test]
    fn every_flipped_bit_and_every_other_key_is_noticed() {
        for plain in [vec![6; 300], noise(40)] {
            let stored = close(b"key", &plain);
            assert!(Stored::open("bytes", b"kez", stored.clone()).is_err());
            for byte in 0..stored.len() {
                for bit in 0..8 {
                    let mut flipped = stored.clone();
                    flipped[byte] ^= 1 << bit;
                    assert!(Stored::open("bytes", b"key", flipped).is_err(), "bit {bit} of byte {byte}");
                }
            }
        }
    }

    #[test]
    fn a_count_that_is_not_that_of_the_bytes_is_refused() {
        let whole = packed(&[7; 1_000]).unwrap();
        for count in [0, 999, 1_001, u32::MAX] {
            let other = [&count.to_be_bytes()[..], &whole[COUNT_BYTES..]].concat();
            assert!(Stored::open("bytes", b"key", framed(PACKED, b"key", &other)).is_err(), "{count}");
        }
        assert!(Stored::open("bytes", b"key", framed(PACKED, b"key", &whole)).is_ok());
        assert!(Stored::open("bytes", b"key", framed(3, b"key", &whole)).is_err());
    }
}
