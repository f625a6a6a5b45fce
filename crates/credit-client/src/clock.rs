//! The one place of the client that reads the clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time since 1970 UTC by the wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

/// A monotonic instant, for measuring.
#[expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
