//! What compression would gain on the disk, and what it would cost: samples of what the store keeps, in pieces as large as
//! its blocks and pages, with and without a dictionary trained on others of them.

use super::unmeasured;
use crate::ending::CommandError;
use credit_service::clock::instant;
use serde_json::{Value, json};
use std::time::Duration;
use zstd::bulk::{Compressor, Decompressor};

/// The bytes of a piece: those of a block of entries, and about two pages of rows.
const PIECE_BYTES: usize = 8 << 10;
/// The most pieces of a kind; every second one trains the dictionary.
const PIECES_MAX: usize = 2_048;
/// The most bytes of a dictionary.
const DICTIONARY_BYTES: usize = 64 << 10;
/// The levels that are tried without a dictionary, and the one with.
const LEVELS: [i32; 3] = [1, 3, 9];
const LEVEL_WITH_DICTIONARY: i32 = 3;

/// Samples of one kind of bytes.
pub(super) struct Sample {
    zh: &'static str,
    en: &'static str,
    pieces: Vec<Vec<u8>>,
}

/// One way to compress one kind of bytes.
#[derive(Debug, Clone)]
pub(super) struct Squeezed {
    /// The kind in Chinese and English.
    pub(super) kind: (&'static str, &'static str),
    pub(super) level: i32,
    pub(super) dictionary: bool,
    /// Bytes afterwards, in thousandths of those before.
    pub(super) permille: u64,
    /// Microseconds of processor time for a piece, in tenths.
    pub(super) pack_tenths: u64,
    pub(super) unpack_tenths: u64,
}

impl Sample {
    pub(super) fn new(zh: &'static str, en: &'static str) -> Self {
        Self { zh, en, pieces: Vec::new() }
    }

    /// Adds bytes, until there are enough.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.pieces.last().is_none_or(|piece| piece.len() >= PIECE_BYTES) {
            if self.pieces.len() >= PIECES_MAX {
                return;
            }
            self.pieces.push(Vec::with_capacity(PIECE_BYTES));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.extend_from_slice(bytes);
        }
    }

    /// Tries all ways.
    pub(super) fn squeezed(&self) -> Result<Vec<Squeezed>, CommandError> {
        let (tried, others): (Vec<_>, Vec<_>) =
            self.pieces.iter().enumerate().partition(|(place, _)| place % 2 == 0);
        let tried: Vec<&Vec<u8>> = tried.into_iter().map(|(_, piece)| piece).collect();
        let mut found = Vec::new();
        for level in LEVELS {
            found.extend(self.way(&tried, level, &[])?);
        }
        let others: Vec<&Vec<u8>> = others.into_iter().map(|(_, piece)| piece).collect();
        // Of too few samples none can be made.
        if let Ok(dictionary) = zstd::dict::from_samples(&others, DICTIONARY_BYTES) {
            found.extend(self.way(&tried, LEVEL_WITH_DICTIONARY, &dictionary)?);
        }
        Ok(found)
    }

    fn way(
        &self,
        pieces: &[&Vec<u8>],
        level: i32,
        dictionary: &[u8],
    ) -> Result<Option<Squeezed>, CommandError> {
        let mut packer = Compressor::with_dictionary(level, dictionary).map_err(unmeasured)?;
        let mut unpacker = Decompressor::with_dictionary(dictionary).map_err(unmeasured)?;
        let began = instant();
        let packed: Result<Vec<Vec<u8>>, _> = pieces.iter().map(|piece| packer.compress(piece)).collect();
        let (packed, pack) = (packed.map_err(unmeasured)?, began.elapsed());
        let began = instant();
        for (packed, piece) in packed.iter().zip(pieces) {
            unpacker.decompress(packed, piece.len()).map_err(unmeasured)?;
        }
        let unpack = began.elapsed();
        let sum = |lengths: &mut dyn Iterator<Item = usize>| {
            u64::try_from(lengths.fold(0usize, usize::saturating_add)).unwrap_or(u64::MAX)
        };
        let before = sum(&mut pieces.iter().map(|piece| piece.len()));
        let after = sum(&mut packed.iter().map(Vec::len));
        let Some(permille) = after.saturating_mul(1_000).checked_div(before) else { return Ok(None) };
        let count = u64::try_from(pieces.len()).unwrap_or(u64::MAX);
        Ok(Some(Squeezed {
            kind: (self.zh, self.en),
            level,
            dictionary: !dictionary.is_empty(),
            permille,
            pack_tenths: tenths(pack, count),
            unpack_tenths: tenths(unpack, count),
        }))
    }
}

/// Tenths of microseconds each.
fn tenths(time: Duration, count: u64) -> u64 {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    nanos.checked_div(count).unwrap_or(0) / 100
}

impl Squeezed {
    /// One line for people.
    pub(super) fn line(&self) -> (String, String) {
        let Self { kind, level, dictionary, permille, pack_tenths, unpack_tenths } = self;
        let tenth = |value: &u64| format!("{}.{}", value / 10, value % 10);
        let (share, pack, unpack) = (tenth(permille), tenth(pack_tenths), tenth(unpack_tenths));
        let (with_zh, with_en) =
            if *dictionary { ("，带训练词典", " with a trained dictionary") } else { ("", "") };
        (
            format!(
                "{}：zstd {level} 级{with_zh}，压至 {share}%，压缩 {pack}、解压 {unpack} 微秒（每 8 KiB）",
                kind.0
            ),
            format!(
                "{}: zstd level {level}{with_en} to {share} %, {pack} us to pack and {unpack} us to unpack 8 KiB",
                kind.1
            ),
        )
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "of": self.kind.1,
            "level": self.level,
            "dictionary": self.dictionary,
            "permille": self.permille,
            "pack_tenths_of_us": self.pack_tenths,
            "unpack_tenths_of_us": self.unpack_tenths,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_squeezed_and_what_does_not_is_not() {
        let (mut same, mut noise, mut seed) = (Sample::new("a", "a"), Sample::new("b", "b"), 1u64);
        for _ in 0..4_000 {
            same.push(b"cn.school.0001 CN_XF 2026-09-01 ");
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            noise.push(&seed.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        }
        assert!(
            same.pieces.len() <= PIECES_MAX && same.squeezed().unwrap().iter().all(|way| way.permille < 100)
        );
        assert!(noise.squeezed().unwrap().iter().all(|way| way.permille > 900));
        assert!(Sample::new("c", "c").squeezed().unwrap().is_empty());
    }

    #[test]
    fn no_more_is_sampled_than_is_asked_for() {
        let mut sample = Sample::new("a", "a");
        for _ in 0..=PIECES_MAX {
            sample.push(&[7; PIECE_BYTES]);
        }
        assert_eq!(sample.pieces.len(), PIECES_MAX);
    }
}
