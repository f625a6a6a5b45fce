//! Numbers as they are written, without floats: digits, at most one point, at most three decimals that count.

use super::problem::Problem;
use credit_types::limits::LEVEL_TENTHS_MAX;

/// The most digits before the point.
pub(crate) const DIGITS_MAX: usize = 12;

/// Reads a decimal into thousandths: `7.5` is 7,500.
pub(crate) fn milli(text: &str) -> Result<i64, Problem> {
    let wrong = || Problem::NotANumber { value: Problem::shown(text) };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(wrong()),
        None => (digits, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    if whole.len() > DIGITS_MAX {
        return Err(wrong());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 3 {
        return Err(Problem::TooManyDecimals { value: Problem::shown(text) });
    }
    let thousandths = format!("{whole}{fraction:0<3}").parse::<i64>().map_err(|_| wrong())?;
    Ok(if negative { thousandths.saturating_neg() } else { thousandths })
}

/// Reads a whole number between two bounds.
pub(crate) fn whole(text: &str, min: i64, max: i64) -> Result<i64, Problem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::NotWhole { value: Problem::shown(text) });
    }
    match text.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(Problem::OutOfRange { value: Problem::shown(text), min, max }),
    }
}

/// Reads a level with at most one decimal into tenths: `4.5` is 45.
pub(crate) fn level_tenths(text: &str) -> Result<i32, Problem> {
    let out = || Problem::OutOfRange {
        value: Problem::shown(text),
        min: 0,
        max: i64::from(LEVEL_TENTHS_MAX).checked_div(10).unwrap_or_default(),
    };
    let tenths =
        exact(milli(text)?, 1, 100).ok_or(Problem::TooManyDecimals { value: Problem::shown(text) })?;
    i32::try_from(tenths).ok().filter(|tenths| (0..=LEVEL_TENTHS_MAX).contains(tenths)).ok_or_else(out)
}

/// `number * times / parts` where that is a whole number.
pub(crate) fn exact(number: i64, times: i64, parts: i64) -> Option<i64> {
    let product = number.checked_mul(times)?;
    (product.checked_rem(parts)? == 0).then(|| product.checked_div(parts)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_thousandths_without_loss() {
        for (text, expected) in [
            ("0", 0),
            ("7.5", 7_500),
            ("-3", -3_000),
            ("0.001", 1),
            ("-0.5", -500),
            ("60.5000", 60_500),
            ("999999999999.999", 999_999_999_999_999),
        ] {
            assert_eq!(milli(text).unwrap(), expected, "{text}");
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "+1",
            "1,5",
            "１",
            "0.0001",
            "1 000",
            "NaN",
            "1.2.3",
            "1000000000000",
        ] {
            assert!(milli(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_numbers_keep_to_their_bounds() {
        for (text, ok) in [
            ("0", false),
            ("1", true),
            ("99", true),
            ("100", false),
            ("1.0", false),
            ("", false),
            ("-1", false),
        ] {
            assert_eq!(whole(text, 1, 99).is_ok(), ok, "{text}");
        }
    }

    #[test]
    fn levels_go_to_a_hundred_in_tenths() {
        for (text, tenths) in [
            ("0", Some(0)),
            ("4.5", Some(45)),
            ("100", Some(1_000)),
            ("100.1", None),
            ("4.55", None),
            ("-1", None),
        ] {
            assert_eq!(level_tenths(text).ok(), tenths, "{text}");
        }
    }
}
