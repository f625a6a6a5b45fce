//! Civil dates in the ledger's constant offset from UTC. No time-zone database, no floats.

use crate::limits::DAY_US;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A day of the proleptic Gregorian calendar, 1900-01-01 to 2199-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CivilDate {
    year: i32,
    month: i32,
    day: i32,
}

/// A date that does not exist or lies outside 1900 to 2199.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a day from 1900-01-01 to 2199-12-31")]
pub struct NoSuchDate;

/// The first year that can be written.
pub const YEAR_MIN: i32 = 1900;
/// The last year that can be written.
pub const YEAR_MAX: i32 = 2199;

fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl CivilDate {
    /// Takes a year, month and day that exist.
    pub fn new(year: i32, month: i32, day: i32) -> Result<Self, NoSuchDate> {
        let exists = (YEAR_MIN..=YEAR_MAX).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day);
        if exists { Ok(Self { year, month, day }) } else { Err(NoSuchDate) }
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// The month, from 1.
    pub fn month(self) -> i32 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(self) -> i32 {
        self.day
    }

    /// Days since 1970-01-01 (Howard Hinnant's `days_from_civil`, restricted to the years above).
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the years are bounded, so every term is far below i32::MAX"
    )]
    pub fn days(self) -> i32 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year / 400;
        let year_of_era = year - era * 400;
        let shifted = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let day_of_year = (153 * shifted + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The date `days` after 1970-01-01.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "checked against the bounded range before any arithmetic"
    )]
    pub fn from_days(days: i32) -> Result<Self, NoSuchDate> {
        if !(-40_000..=100_000).contains(&days) {
            return Err(NoSuchDate);
        }
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted - era * 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
        let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        Self::new(year, month, day)
    }

    /// The civil date of an instant, in microseconds UTC, at a constant offset in minutes east of UTC.
    pub fn at(instant_us: i64, offset_minutes: i32) -> Result<Self, NoSuchDate> {
        let offset_us = i64::from(offset_minutes).saturating_mul(60_000_000);
        let days = instant_us.saturating_add(offset_us).div_euclid(DAY_US);
        i32::try_from(days).map_err(|_| NoSuchDate).and_then(Self::from_days)
    }

    /// The same day `years` later; 29 February becomes 28 February where there is none.
    pub fn plus_years(self, years: u32) -> Result<Self, NoSuchDate> {
        let year =
            i32::try_from(years).ok().and_then(|years| self.year.checked_add(years)).ok_or(NoSuchDate)?;
        Self::new(year, self.month, self.day.min(days_in_month(year, self.month)))
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::str::FromStr for CivilDate {
    type Err = NoSuchDate;

    /// Reads `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, NoSuchDate> {
        let mut fields = text.splitn(3, '-').map(|field| {
            let digits = !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit());
            if digits { field.parse::<i32>().map_err(|_| NoSuchDate) } else { Err(NoSuchDate) }
        });
        let mut next = || fields.next().unwrap_or(Err(NoSuchDate));
        Self::new(next()?, next()?, next()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse_over_the_whole_range() {
        let first = CivilDate::new(YEAR_MIN, 1, 1).unwrap().days();
        let last = CivilDate::new(YEAR_MAX, 12, 31).unwrap().days();
        for days in first..=last {
            assert_eq!(CivilDate::from_days(days).unwrap().days(), days);
        }
        assert!(CivilDate::from_days(first - 1).is_err());
        assert!(CivilDate::from_days(last + 1).is_err());
    }

    #[test]
    fn an_instant_falls_on_the_day_of_the_ledgers_offset() {
        // 2025-12-31 15:59:59.999999 UTC is still the 31st in China; a microsecond later it is New Year.
        let midnight = i64::from(CivilDate::new(2026, 1, 1).unwrap().days()) * DAY_US - 8 * 3_600_000_000;
        assert_eq!(CivilDate::at(midnight - 1, 480).unwrap().to_string(), "2025-12-31");
        assert_eq!(CivilDate::at(midnight, 480).unwrap().to_string(), "2026-01-01");
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in [
            "2025-02-29",
            "2025-13-01",
            "2025-00-10",
            "1899-12-31",
            "2200-01-01",
            "2025-1",
            "+025-01-01",
            "x",
        ] {
            assert!(text.parse::<CivilDate>().is_err(), "{text}");
        }
        assert_eq!(
            "2024-02-29".parse::<CivilDate>().unwrap().plus_years(1).unwrap().to_string(),
            "2025-02-28"
        );
    }
}
