//! Random numbers that a printed seed gives again.

use std::fmt::Display;
use std::str::FromStr;

/// SplitMix64: small, and good enough to choose moments and places.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The generator of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in two.
    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A number that the environment may set.
pub(crate) fn setting<T: FromStr + Display>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number, is `{text}`")),
        Err(_) => default,
    }
}

/// The seed of a test, from `CREDITBANK_SEED` or 1; printed, so that a failure can be had again.
pub(crate) fn seed(test: &str) -> u64 {
    let seed = setting("CREDITBANK_SEED", 1);
    println!("{test}: CREDITBANK_SEED={seed}");
    seed
}
