//! Which keys are surely not in a run: a Bloom filter whose probes of one key share a cache line.

/// Bits a key takes where there is room: about one key in a hundred is then looked up in vain.
const KEY_BITS: usize = 10;
/// Words of 64 bits in a block: a cache line.
const BLOCK_WORDS: usize = 8;
/// Bits set and asked in a block.
const PROBES: u32 = 6;

/// The filter of a run.
#[derive(Debug, Default)]
pub(super) struct Filter {
    blocks: Vec<[u64; BLOCK_WORDS]>,
}

/// The fingerprint of a key. Keys that collide cost a look, never an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Print(u64);

impl Print {
    /// Of a key.
    pub(crate) fn of(key: &[u8]) -> Self {
        let mut print = 0x9e37_79b9_7f4a_7c15u64 ^ (key.len() as u64);
        for chunk in key.chunks(8) {
            let mut word = [0u8; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            print = (print ^ u64::from_le_bytes(word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
            print ^= print.wrapping_shr(32);
        }
        print = print.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Self(print ^ print.wrapping_shr(29))
    }

    /// Its 64 bits.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }
}

impl Filter {
    /// For so many keys, in at most so many bytes.
    pub(super) fn new(keys: u64, bytes_max: usize) -> Self {
        let block_bytes = BLOCK_WORDS.saturating_mul(8);
        let wanted = usize::try_from(keys).unwrap_or(usize::MAX).saturating_mul(KEY_BITS).div_ceil(8);
        let blocks = wanted.min(bytes_max).div_ceil(block_bytes).max(1);
        Self { blocks: vec![[0; BLOCK_WORDS]; blocks] }
    }

    fn place(&self, print: Print) -> usize {
        // The high bits choose the block, without a division.
        let wide = u128::from(print.0).wrapping_mul(self.blocks.len() as u128);
        usize::try_from(wide.wrapping_shr(64)).unwrap_or(0)
    }

    fn bits(print: Print) -> impl Iterator<Item = (usize, u64)> {
        let mut rest = print.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..PROBES).map(move |_| {
            let word = usize::try_from(rest & 7).unwrap_or(0);
            let bit = 1u64.wrapping_shl(u32::try_from(rest.wrapping_shr(3) & 63).unwrap_or(0));
            rest = rest.wrapping_shr(9);
            (word, bit)
        })
    }

    /// Adds a key.
    pub(super) fn add(&mut self, print: Print) {
        let place = self.place(print);
        let Some(block) = self.blocks.get_mut(place) else { return };
        for (word, bit) in Self::bits(print) {
            if let Some(word) = block.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether a key may be among those added; never no for one that is.
    pub(super) fn may_have(&self, print: Print) -> bool {
        let Some(block) = self.blocks.get(self.place(print)) else { return true };
        Self::bits(print).all(|(word, bit)| block.get(word).is_none_or(|word| word & bit != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_added_is_never_denied_and_others_mostly_are() {
        let mut filter = Filter::new(1_000, usize::MAX);
        for number in 0..1_000u64 {
            filter.add(Print::of(&number.to_be_bytes()));
        }
        assert!((0..1_000u64).all(|number| filter.may_have(Print::of(&number.to_be_bytes()))));
        let false_hits = (1_000..11_000u64).filter(|n| filter.may_have(Print::of(&n.to_be_bytes()))).count();
        assert!(false_hits < 600, "{false_hits}");
        let mut crowded = Filter::new(1_000, 64);
        crowded.add(Print::of(b"a"));
        assert!(crowded.may_have(Print::of(b"a")) && !crowded.may_have(Print::of(b"b")));
    }
}
