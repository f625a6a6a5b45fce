//! Statistics of whole numbers: there are no fractions here but thousandths.

/// The least, the middle and the greatest of some samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) min: u64,
    pub(super) median: u64,
    pub(super) max: u64,
}

impl Spread {
    /// Of samples in any order; `None` of none.
    pub(super) fn of(samples: &[u64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Self { min, median: median(&sorted), max })
    }
}

/// The middle of sorted samples, of an even count the mean of the middle two; 0 of none.
fn median(sorted: &[u64]) -> u64 {
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(half) } else { at(half.saturating_sub(1)).midpoint(at(half)) }
}

/// The sample of sorted ones that so many thousandths don't exceed (nearest rank); 0 of none.
pub(super) fn percentile(sorted: &[u64], permille: u64) -> u64 {
    let count = u64::try_from(sorted.len()).unwrap_or(u64::MAX);
    let rank = count.saturating_mul(permille.min(1_000)).div_ceil(1_000).max(1);
    let place = usize::try_from(rank.saturating_sub(1)).unwrap_or(usize::MAX);
    sorted.get(place).copied().unwrap_or(0)
}

/// How many thousandths of the whole a part is; `None` of nothing.
pub(super) fn permille(part: u64, whole: u64) -> Option<u64> {
    let share = u128::from(part).saturating_mul(1_000).checked_div(u128::from(whole))?;
    Some(u64::try_from(share).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_samples_is_the_middle_one_or_the_mean_of_two() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[7]), Some(Spread { min: 7, median: 7, max: 7 }));
        assert_eq!(Spread::of(&[9, 1, 5]), Some(Spread { min: 1, median: 5, max: 9 }));
        assert_eq!(Spread::of(&[10, 1, 4, 5]), Some(Spread { min: 1, median: 4, max: 10 }));
        let most = Some(Spread { min: u64::MAX, median: u64::MAX, max: u64::MAX });
        assert_eq!(Spread::of(&[u64::MAX, u64::MAX]), most);
    }

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (permille, is) in [(0, 1), (10, 1), (500, 50), (990, 99), (991, 100), (1_000, 100), (2_000, 100)]
        {
            assert_eq!(percentile(&hundred, permille), is, "{permille}");
        }
        assert_eq!(percentile(&[3], 990), 3);
        assert_eq!(percentile(&[3, 8], 500), 3);
        assert_eq!(percentile(&[], 500), 0);
    }

    #[test]
    fn ratios_are_thousandths() {
        assert_eq!(permille(1, 3), Some(333));
        assert_eq!(permille(3, 1), Some(3_000));
        assert_eq!(permille(1, 0), None);
        assert_eq!(permille(u64::MAX, 1), Some(u64::MAX));
    }
}
