//! How long a call may take: the least of what the caller allows and what the server does.

use crate::clock;
use crate::failure::Failure;
use std::time::{Duration, Instant};

/// The header in which a gRPC caller says how long they wait.
pub(crate) const HEADER: &str = "grpc-timeout";
/// What is kept of a caller's time to bring the answer to them; a write that has no more is not begun.
pub(crate) const ANSWER_MARGIN: Duration = Duration::from_millis(20);
/// The most digits of a time-out, by the gRPC specification.
const DIGITS_MAX: usize = 8;

/// Reads a gRPC time-out, for example `10S` or `250m`; `None` of anything else.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    // Eight digits of hours are far below what 64 bits of seconds hold.
    match unit {
        "H" => Some(Duration::from_secs(count.saturating_mul(3_600))),
        "M" => Some(Duration::from_secs(count.saturating_mul(60))),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// When a caller who waits this long must have their answer on its way.
pub(crate) fn expires(begun: Instant, timeout: Option<Duration>) -> Option<Instant> {
    begun.checked_add(timeout?.saturating_sub(ANSWER_MARGIN))
}

/// When work that begins now must be done: after `cap`, or when the caller's time is over. Refused where that time
/// is over already, so that nothing is begun whose outcome nobody would hear.
pub(crate) fn until(cap: Duration, expires: Option<Instant>) -> Result<Instant, Failure> {
    let now = clock::instant();
    let capped = now.checked_add(cap).unwrap_or(now);
    match expires {
        Some(expires) if expires <= now => Err(Failure::Invalid {
            field: HEADER.to_owned(),
            problem: "leaves no time; allow more than 20 ms".to_owned(),
        }),
        Some(expires) => Ok(expires.min(capped)),
        None => Ok(capped),
    }
}

/// Waits for work until a moment; beyond it the outcome is not known.
pub(crate) async fn within<T, E: From<Failure>>(
    until: Instant,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout_at(until.into(), work).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(Failure::Unknown.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_has_one_to_eight_digits_and_a_unit() {
        let cases = [
            ("10S", Some(Duration::from_secs(10))),
            ("2H", Some(Duration::from_secs(7_200))),
            ("3M", Some(Duration::from_secs(180))),
            ("250m", Some(Duration::from_millis(250))),
            ("7u", Some(Duration::from_micros(7))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("99999999H", Some(Duration::from_secs(359_999_996_400))),
            ("999999999n", None),
            ("S", None),
            ("10", None),
            ("+1S", None),
            ("1s", None),
            ("1é", None),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text), want, "{text}");
        }
    }

    #[test]
    fn the_shorter_time_counts_and_none_left_begins_nothing() {
        let now = clock::instant();
        let cap = Duration::from_secs(10);
        assert!(until(cap, None).unwrap() >= now + cap);
        let soon = expires(now, Some(Duration::from_secs(1))).unwrap();
        assert_eq!(until(cap, Some(soon)).unwrap(), soon);
        let late = expires(now, Some(Duration::from_secs(60))).unwrap();
        assert!(until(cap, Some(late)).unwrap() < late);
        let gone = expires(now, Some(ANSWER_MARGIN)).unwrap();
        assert!(matches!(until(cap, Some(gone)), Err(Failure::Invalid { .. })));
        assert_eq!(expires(now, None), None);
    }

    #[tokio::test]
    async fn work_beyond_its_time_has_no_known_outcome() {
        let now = clock::instant();
        let never = within::<(), Failure>(now, std::future::pending()).await;
        assert_eq!(never, Err(Failure::Unknown));
        let done = within::<u8, Failure>(now + Duration::from_secs(60), async { Ok(7) }).await;
        assert_eq!(done, Ok(7));
    }
}
