//! The one place that reads the clock.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How far the wall clock may be behind the last entry before writes stop.
pub const BEHIND_MAX_US: i64 = 5 * 60 * 1_000_000;
/// How far the wall clock may step against the monotonic clock before writes stop.
pub const STEP_MAX_US: i64 = 60 * 1_000_000;
/// How far ahead of the last entry the wall clock may be at start without being accepted by hand.
pub const AHEAD_AT_START_MAX_US: i64 = 30 * 24 * 3_600 * 1_000_000;

/// The wall clock can't be trusted with a timestamp that stays for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// It is far behind the last entry.
    #[error("the clock is more than 5 minutes behind the last entry")]
    Behind,
    /// It has stepped against the monotonic clock.
    #[error("the clock has jumped by more than 60 seconds")]
    Jumped,
    /// At start it is far ahead of the last entry.
    #[error(
        "the clock is more than 30 days ahead of the last entry; start with --accept-clock if it is right"
    )]
    Ahead,
}

impl ClockFault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Behind => "CLOCK_BEHIND",
            Self::Jumped => "CLOCK_JUMPED",
            Self::Ahead => "CLOCK_AHEAD",
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]
fn wall_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Reads a monotonic instant, for measuring.
#[expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]
pub fn instant() -> Instant {
    Instant::now()
}

/// Wall clock, held against the monotonic clock.
#[derive(Debug)]
pub struct Clock {
    last: Mutex<(i64, Instant)>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { last: Mutex::new((wall_us(), instant())) }
    }
}

impl Clock {
    /// Microseconds since 1970 UTC by the wall clock.
    pub fn now_us(&self) -> i64 {
        wall_us()
    }

    /// The time to record after an entry of `last_us`: never before it, and refused where the clock is not sane.
    pub fn record_after(&self, last_us: i64) -> Result<i64, ClockFault> {
        let (wall, now) = (wall_us(), instant());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall_before, before) = *last;
        let passed = i64::try_from(now.saturating_duration_since(before).as_micros()).unwrap_or(i64::MAX);
        let step = wall.saturating_sub(wall_before).saturating_sub(passed);
        if step.saturating_abs() > STEP_MAX_US {
            return Err(ClockFault::Jumped);
        }
        if wall < last_us.saturating_sub(BEHIND_MAX_US) {
            return Err(ClockFault::Behind);
        }
        *last = (wall, now);
        Ok(wall.max(last_us))
    }

    /// Checks the clock at start against the last entry.
    pub fn check_start(&self, last_us: i64, accept: bool) -> Result<(), ClockFault> {
        let wall = wall_us();
        if wall < last_us.saturating_sub(BEHIND_MAX_US) {
            return Err(ClockFault::Behind);
        }
        if !accept && wall > last_us.saturating_add(AHEAD_AT_START_MAX_US) {
            return Err(ClockFault::Ahead);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_time_never_decreases_and_a_clock_far_behind_is_refused() {
        let clock = Clock::default();
        let now = clock.now_us();
        assert_eq!(clock.record_after(now + BEHIND_MAX_US / 2), Ok(now + BEHIND_MAX_US / 2));
        assert_eq!(clock.record_after(now + 2 * BEHIND_MAX_US), Err(ClockFault::Behind));
        assert!(clock.record_after(0).unwrap() >= now);
    }

    #[test]
    fn a_step_of_the_wall_clock_stops_writes() {
        let clock = Clock::default();
        clock.last.lock().unwrap().0 -= STEP_MAX_US + 1_000_000;
        assert_eq!(clock.record_after(0), Err(ClockFault::Jumped));
    }

    #[test]
    fn a_clock_thirty_days_ahead_at_start_has_to_be_accepted() {
        let clock = Clock::default();
        let last = clock.now_us() - AHEAD_AT_START_MAX_US - 1_000_000;
        assert_eq!(clock.check_start(last, false), Err(ClockFault::Ahead));
        assert_eq!(clock.check_start(last, true), Ok(()));
        assert_eq!(clock.check_start(clock.now_us(), false), Ok(()));
    }
}
