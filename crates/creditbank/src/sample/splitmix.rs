//! A small generator of numbers from a seed: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Not for secrets.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(super) struct SplitMix {
    state: u64,
}

/// What a stream is for, so that no two streams of one seed are alike.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    /// Who a learner is.
    Learner = 1,
    /// What a record says.
    Record = 2,
    /// In which order a round of records goes over the learners.
    Round = 3,
    /// Where the identity numbers of a profile begin.
    Identity = 4,
}

impl SplitMix {
    /// The stream of one purpose and index.
    pub(super) fn stream(seed: u64, stream: Stream, index: u64) -> Self {
        let purpose = mix(u64::from(stream as u8).wrapping_mul(GAMMA));
        Self { state: mix(mix(seed ^ purpose).wrapping_add(index.wrapping_mul(GAMMA))) }
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// A number from 0 and below a bound; 0 for a bound of 0. The bounds here are small, so that taking the remainder
    /// favours no number by more than one in 2^40.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// The same for positions in a list.
    pub(super) fn position(&mut self, count: usize) -> usize {
        let bound = u64::try_from(count).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    /// The same for small whole numbers.
    pub(super) fn small(&mut self, bound: u16) -> i32 {
        i32::try_from(self.below(u64::from(bound))).unwrap_or(0)
    }

    /// One of a list; `None` from an empty one.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.position(list.len()))
    }
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_published_ones() {
        let mut numbers = SplitMix { state: 1_234_567 };
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        for number in expected {
            assert_eq!(numbers.next(), number);
        }
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let mut first = std::collections::BTreeSet::new();
        for seed in 0..20 {
            for stream in [Stream::Learner, Stream::Record, Stream::Round, Stream::Identity] {
                for index in 0..20 {
                    assert!(first.insert(SplitMix::stream(seed, stream, index).next()));
                }
            }
        }
        assert_eq!(SplitMix::stream(1, Stream::Record, 1).below(0), 0);
    }
}
