//! Random numbers that a seed repeats (splitmix64).

/// A stream of random numbers.
pub(crate) struct Draw(u64);

/// One step of splitmix64: well mixed from any state, the next one included.
pub(crate) fn mixed(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number from 0 to `count` − 1; `count` is at least 1.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.word() % u64::try_from(count).unwrap()).unwrap()
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.word() % u64::try_from(high - low + 1).unwrap()).unwrap()
    }

    /// The same for numbers that fit 32 bits.
    pub(crate) fn small(&mut self, low: i32, high: i32) -> i32 {
        i32::try_from(self.between(i64::from(low), i64::from(high))).unwrap()
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a slice that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// One of a slice, if there is any.
    pub(crate) fn any<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(self.pick(from).clone()) }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        expanded(self.word())
    }
}

/// Bytes that a word stands for.
pub(crate) fn expanded<const N: usize>(word: u64) -> [u8; N] {
    let mut bytes = [0; N];
    for (block, chunk) in (0_u64..).zip(bytes.chunks_mut(8)) {
        let mixed = mixed(word ^ block.rotate_left(32)).to_be_bytes();
        chunk.copy_from_slice(&mixed[..chunk.len()]);
    }
    bytes
}

/// A word that a name stands for (FNV-1a).
pub(crate) fn word_of(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
