//! Credit, time, percentages and ratios.

use super::{FormError, text_form};
use crate::limits::{AMOUNT_MILLI_MAX, MINUTES_MAX, RATIO_TERM_MAX};
use crate::ratio::Rational;
use std::fmt;
use std::str::FromStr;

/// Reads a decimal with at most `places` digits after the point as a count of 10^-places.
pub(crate) fn decimal(text: &str, places: u32) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1_i64, rest),
        None => (1_i64, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let too_long = u32::try_from(part.len()).is_ok_and(|len| len > places);
    if whole.is_empty() || !plain(whole) || !plain(part) || too_long || digits.ends_with('.') {
        return None;
    }
    let scale = 10_i64.checked_pow(places)?;
    let missing = places.checked_sub(u32::try_from(part.len()).ok()?)?;
    let part = if part.is_empty() { 0 } else { part.parse::<i64>().ok()? };
    let part = part.checked_mul(10_i64.checked_pow(missing)?)?;
    whole.parse::<i64>().ok()?.checked_mul(scale)?.checked_add(part)?.checked_mul(sign)
}

/// Writes a count of 10^-places as a decimal without needless zeros.
pub(crate) fn decimal_text(value: i64, places: u32) -> String {
    let scale = 10_u64.checked_pow(places).unwrap_or(1).max(1);
    let magnitude = value.unsigned_abs();
    let whole = magnitude.checked_div(scale).unwrap_or_default();
    let part = magnitude.checked_rem(scale).unwrap_or_default();
    let sign = if value < 0 { "-" } else { "" };
    let width = usize::try_from(places).unwrap_or_default();
    let digits = format!("{part:0width$}");
    let digits = digits.trim_end_matches('0');
    if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{digits}") }
}

/// An amount of credit of the standard at hand, in milli-credits: `"2.5 cr"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Credit(pub i64);

impl FromStr for Credit {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "an amount of credit such as \"2.5 cr\", 0 to 1000000 with at most 3 decimals";
        text.strip_suffix(" cr")
            .and_then(|number| decimal(number, 3))
            .filter(|milli| (0..=AMOUNT_MILLI_MAX).contains(milli))
            .map(Self)
            .ok_or_else(|| FormError::new(form, text))
    }
}

impl fmt::Display for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cr", decimal_text(self.0, 3))
    }
}

/// A length of time: `"16 h"`, `"45 min"`, or `"16 xs"`, class hours whose length the book declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Minutes.
    Minutes(i64),
    /// Class hours (学时) of `xs_minutes` each.
    ClassHours(i64),
}

impl Time {
    /// In minutes, where a class hour has a length.
    pub fn minutes(self, xs_minutes: Option<i64>) -> Option<i64> {
        match self {
            Self::Minutes(minutes) => Some(minutes),
            Self::ClassHours(hours) => hours.checked_mul(xs_minutes?),
        }
    }
}

impl FromStr for Time {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "a time such as \"16 h\", \"45 min\" or \"16 xs\", whole minutes";
        let read = || {
            let (number, unit) = text.split_once(' ')?;
            let time = match unit {
                "min" => Self::Minutes(decimal(number, 0)?),
                // Thousandths of an hour times 60 must be whole minutes.
                "h" => {
                    let milli = decimal(number, 3)?.checked_mul(60)?;
                    let whole = milli.checked_rem(1_000)? == 0;
                    Self::Minutes(whole.then_some(milli.checked_div(1_000)?)?)
                }
                "xs" => Self::ClassHours(decimal(number, 0)?),
                _ => return None,
            };
            let (Self::Minutes(count) | Self::ClassHours(count)) = time;
            (0..=MINUTES_MAX).contains(&count).then_some(time)
        };
        read().ok_or_else(|| FormError::new(form, text))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minutes(minutes) if minutes.checked_rem(60) == Some(0) && *minutes != 0 => {
                write!(f, "{} h", minutes.checked_div(60).unwrap_or_default())
            }
            Self::Minutes(minutes) => write!(f, "{minutes} min"),
            Self::ClassHours(hours) => write!(f, "{hours} xs"),
        }
    }
}

/// A share in basis points: `"37.5 %"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub i64);

impl Percent {
    /// As a fraction.
    pub fn fraction(self) -> Option<Rational> {
        Rational::new(i128::from(self.0), 10_000)
    }
}

impl FromStr for Percent {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        text.strip_suffix(" %")
            .and_then(|number| decimal(number, 2))
            .filter(|points| (0..=10_000).contains(points))
            .map(Self)
            .ok_or_else(|| {
                FormError::new("a share such as \"37.5 %\", 0 to 100 with at most 2 decimals", text)
            })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", decimal_text(self.0, 2))
    }
}

/// What a maximum is counted in: `"4 cr"`, `"60 h"` or `"30 %"` of something that is named beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Credit.
    Credit(Credit),
    /// Time.
    Time(Time),
    /// A share.
    Share(Percent),
}

impl FromStr for Limit {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "an amount such as \"4 cr\", a time such as \"60 h\", or a share such as \"30 %\"";
        let read = match text.rsplit_once(' ').map(|(_, unit)| unit) {
            Some("cr") => text.parse().map(Self::Credit),
            Some("%") => text.parse().map(Self::Share),
            _ => text.parse().map(Self::Time),
        };
        read.map_err(|_| FormError::new(form, text))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credit(credit) => credit.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::Share(share) => share.fmt(f),
        }
    }
}

/// An exact ratio: a plain one, `"2/3"`, or a time for a credit, `"16 h / 1 cr"`. Never a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ratio {
    /// What is counted is multiplied by `num / den`, reduced.
    Plain {
        /// The numerator, from 1.
        num: i64,
        /// The denominator, from 1.
        den: i64,
    },
    /// So much time is so much credit.
    TimeForCredit {
        /// The time.
        time: Time,
        /// The credit.
        credit: Credit,
    },
}

impl Ratio {
    /// The ratio 1.
    pub const ONE: Self = Self::Plain { num: 1, den: 1 };

    /// A plain ratio as a fraction.
    pub fn plain(self) -> Option<Rational> {
        match self {
            Self::Plain { num, den } => Rational::new(i128::from(num), i128::from(den)),
            Self::TimeForCredit { .. } => None,
        }
    }
}

impl FromStr for Ratio {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "a ratio such as \"2/3\" or \"16 h / 1 cr\", terms from 1 to 1000000000";
        let read = || {
            if let Some((time, credit)) = text.split_once(" / ") {
                let (time, credit): (Time, Credit) = (time.parse().ok()?, credit.parse().ok()?);
                let (Time::Minutes(count) | Time::ClassHours(count)) = time;
                return (count > 0 && credit.0 > 0).then_some(Self::TimeForCredit { time, credit });
            }
            let (num, den) = text.split_once('/')?;
            let term = |text: &str| decimal(text, 0).filter(|term| (1..=RATIO_TERM_MAX).contains(term));
            let reduced = Rational::new(i128::from(term(num)?), i128::from(term(den)?))?;
            Some(Self::Plain {
                num: i64::try_from(reduced.num()).ok()?,
                den: i64::try_from(reduced.den()).ok()?,
            })
        };
        read().ok_or_else(|| FormError::new(form, text))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { num, den } => write!(f, "{num}/{den}"),
            Self::TimeForCredit { time, credit } => write!(f, "{time} / {credit}"),
        }
    }
}

text_form!(Credit);
text_form!(Time);
text_form!(Percent);
text_form!(Limit);
text_form!(Ratio);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_are_read_and_written_in_one_normal_form() {
        for (text, normal) in [("2.50 cr", "2.5 cr"), ("0 cr", "0 cr"), ("1000000 cr", "1000000 cr")] {
            assert_eq!(text.parse::<Credit>().unwrap().to_string(), normal);
        }
        for (text, normal) in [("1.5 h", "90 min"), ("120 min", "2 h"), ("16 xs", "16 xs"), ("0 h", "0 min")]
        {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), normal);
        }
        for (text, normal) in
            [("4/6", "2/3"), ("16 h / 1 cr", "16 h / 1 cr"), ("16 xs / 1.0 cr", "16 xs / 1 cr")]
        {
            assert_eq!(text.parse::<Ratio>().unwrap().to_string(), normal);
        }
        assert_eq!("37.50 %".parse::<Percent>().unwrap().to_string(), "37.5 %");
        assert_eq!("60 h".parse::<Limit>().unwrap(), Limit::Time(Time::Minutes(3_600)));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in [
            "",
            "cr",
            "2.5",
            "2,5 cr",
            "-1 cr",
            "1e3 cr",
            "0.0001 cr",
            "1000000.001 cr",
            "2.5  cr",
            "٢ cr",
            "1. cr",
        ] {
            assert!(text.parse::<Credit>().is_err(), "{text:?}");
        }
        for text in ["1 H", "0.001 h", "52560001 min", "1 day", "-1 h", "1.5 xs", "99999999999999999999 h"] {
            assert!(text.parse::<Time>().is_err(), "{text:?}");
        }
        for text in ["0/1", "1/0", "1.5", "-1/2", "1000000001/1", "0 h / 1 cr", "1 h / 0 cr", "1 h/1 cr"] {
            assert!(text.parse::<Ratio>().is_err(), "{text:?}");
        }
        for text in ["100.01 %", "-1 %", "40%", "1.234 %"] {
            assert!(text.parse::<Percent>().is_err(), "{text:?}");
        }
    }
}
