//! When the same is sent again: exponential pauses with jitter, a bounded number of times.

use std::time::Duration;

/// The most tries of one call, the first counted.
pub const RETRY_TRIES_MAX: u32 = 16;
/// The longest pause between two tries, whatever a policy or a server asks for.
pub const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);

/// How often a call is tried, and how long the pauses are.
///
/// Sending again is safe: reads change nothing, and a write's statement_id makes the second try the same command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    tries: u32,
    first: Duration,
    longest: Duration,
}

impl Default for RetryPolicy {
    /// 8 tries, from 100 ms up to 5 s: about twelve seconds, enough for a server to restart.
    fn default() -> Self {
        Self { tries: 8, first: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }
}

impl RetryPolicy {
    /// At most so many tries (1 to [`RETRY_TRIES_MAX`], else the nearer of the two), a first pause, and a longest one
    /// of at most [`RETRY_PAUSE_MAX`].
    pub fn new(tries: u32, first: Duration, longest: Duration) -> Self {
        Self { tries: tries.clamp(1, RETRY_TRIES_MAX), first, longest: longest.min(RETRY_PAUSE_MAX) }
    }

    /// The pause after so many failed tries (from 1), or `None` if that was the last.
    ///
    /// The pause doubles from the first to the longest; its second half is random, so that clients that failed
    /// together don't come back together. A server's own wish is a lower bound.
    pub fn pause(&self, failed: u32, random: u64, asked: Option<Duration>) -> Option<Duration> {
        if failed >= self.tries {
            return None;
        }
        let doubled = 2u32.saturating_pow(failed.saturating_sub(1));
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        let half = whole.checked_div(2).unwrap_or(whole);
        let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let random = Duration::from_micros(random.checked_rem(spread).unwrap_or(0));
        let pause = half.saturating_add(random);
        Some(asked.map_or(pause, |asked| pause.max(asked)).min(RETRY_PAUSE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(pause: Option<Duration>) -> Option<u128> {
        pause.map(|pause| pause.as_millis())
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_tries() {
        let policy = RetryPolicy::new(6, Duration::from_millis(100), Duration::from_millis(500));
        // The least random number gives the shortest pause: half of the whole one.
        let least: Vec<_> = (1..=6).map(|failed| millis(policy.pause(failed, 0, None))).collect();
        assert_eq!(least, [Some(50), Some(100), Some(200), Some(250), Some(250), None]);
        // One short of the spread gives the longest.
        let most = policy.pause(1, 50_000, None);
        assert_eq!(millis(most), Some(100));
        assert_eq!(millis(policy.pause(1, 50_001, None)), Some(50));
        for random in [0, 1, 49_999, u64::MAX] {
            let pause = millis(policy.pause(2, random, None)).unwrap();
            assert!((100..=200).contains(&pause), "{pause}");
        }
    }

    #[test]
    fn a_server_may_ask_for_longer_but_not_for_ever() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.pause(1, 0, Some(Duration::from_secs(2))), Some(Duration::from_secs(2)));
        assert_eq!(millis(policy.pause(1, 0, Some(Duration::from_millis(1)))), Some(50));
        assert_eq!(policy.pause(1, 0, Some(RETRY_PAUSE_MAX)), Some(RETRY_PAUSE_MAX));
        assert_eq!(policy.pause(1, 0, Some(RETRY_PAUSE_MAX.saturating_mul(2))), Some(RETRY_PAUSE_MAX));
    }

    #[test]
    fn a_policy_stays_within_its_bounds() {
        let tries =
            |policy: RetryPolicy| (1..100).find(|failed| policy.pause(*failed, 0, None).is_none()).unwrap();
        let with = |tries| RetryPolicy::new(tries, Duration::ZERO, Duration::MAX);
        assert_eq!(tries(with(0)), 1);
        assert_eq!(tries(with(1)), 1);
        assert_eq!(tries(with(RETRY_TRIES_MAX)), 16);
        assert_eq!(tries(with(17)), 16);
        let slow = RetryPolicy::new(16, Duration::MAX, Duration::MAX);
        assert!(slow.pause(15, u64::MAX, None).unwrap() <= RETRY_PAUSE_MAX);
    }
}
