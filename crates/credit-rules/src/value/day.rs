//! Days, periods and windows. No times and no zones; the calendar is Gregorian.

use super::{FormError, text_form};
use crate::limits::{PERIOD_DAYS_MAX, PERIOD_MONTHS_MAX};
use credit_types::CivilDate;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A day: `2026-09-01`, with or without quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub CivilDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(DayVisitor)
    }
}

struct DayVisitor;

impl<'de> Visitor<'de> for DayVisitor {
    type Value = Day;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day such as 2026-09-01, without a time")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Day, E> {
        text.parse().map(Day).map_err(E::custom)
    }

    // A date without quotation marks comes as the map that TOML's own date type reads.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Day, A::Error> {
        let written = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))?;
        self.visit_str(&written.to_string())
    }
}

/// A day of every year: `"03-31"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonthDay {
    month: i32,
    day: i32,
}

impl MonthDay {
    /// That day in a year; 29 February is 28 February where there is none.
    pub fn in_year(self, year: i32) -> Option<CivilDate> {
        let exact = CivilDate::new(year, self.month, self.day);
        exact.or_else(|_| CivilDate::new(year, self.month, 28)).ok()
    }
}

impl FromStr for MonthDay {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        // 2000 has every day that a year can have.
        let date = format!("2000-{text}").parse::<CivilDate>();
        let date = date.map_err(|_| FormError::new("a day of the year such as \"03-31\"", text))?;
        Ok(Self { month: date.month(), day: date.day() })
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// A length of calendar time: `"5 y"`, `"18 m"`, `"30 d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Months; 12 are written as a year.
    Months(u32),
    /// Days.
    Days(u32),
}

impl Period {
    /// The same day so much later; the last day of the month where there is no such day.
    pub fn after(self, start: CivilDate) -> Option<CivilDate> {
        match self {
            Self::Days(days) => {
                CivilDate::from_days(start.days().checked_add(i32::try_from(days).ok()?)?).ok()
            }
            Self::Months(months) => {
                let zero_based = start.month().checked_sub(1)?.checked_add(i32::try_from(months).ok()?)?;
                let year = start.year().checked_add(zero_based.checked_div(12)?)?;
                let month = zero_based.checked_rem(12)?.checked_add(1)?;
                (1..=start.day()).rev().find_map(|day| CivilDate::new(year, month, day).ok())
            }
        }
    }
}

impl FromStr for Period {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let form = "a period such as \"5 y\", \"18 m\" or \"30 d\", at most 100 years";
        let read = || {
            let (number, unit) = text.split_once(' ')?;
            let count = super::amount::decimal(number, 0).and_then(|count| u32::try_from(count).ok())?;
            let period = match unit {
                "y" => Self::Months(count.checked_mul(12)?),
                "m" => Self::Months(count),
                "d" => Self::Days(count),
                _ => return None,
            };
            let fits = match period {
                Self::Months(months) => months <= PERIOD_MONTHS_MAX,
                Self::Days(days) => days <= PERIOD_DAYS_MAX,
            };
            fits.then_some(period)
        };
        read().ok_or_else(|| FormError::new(form, text))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Months(months) if months.checked_rem(12) == Some(0) => {
                write!(f, "{} y", months.checked_div(12).unwrap_or_default())
            }
            Self::Months(months) => write!(f, "{months} m"),
            Self::Days(days) => write!(f, "{days} d"),
        }
    }
}

text_form!(MonthDay);
text_form!(Period);

/// From a day on, and until before another; open where an end is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The first day after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

impl Window {
    /// Whether a day lies in it.
    pub fn has(&self, day: CivilDate) -> bool {
        self.from.is_none_or(|from| from.0 <= day) && self.until.is_none_or(|until| day < until.0)
    }

    /// Whether no day can lie in it.
    pub fn is_empty(&self) -> bool {
        matches!((self.from, self.until), (Some(from), Some(until)) if until <= from)
    }

    /// Whether nothing is asked.
    pub fn is_open(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }

    /// Whether two windows share a day.
    pub fn meets(&self, other: &Self) -> bool {
        let before = |left: &Self, right: &Self| match (left.until, right.from) {
            (Some(until), Some(from)) => until <= from,
            (None, _) | (_, None) => false,
        };
        !self.is_empty() && !other.is_empty() && !before(self, other) && !before(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_ends_on_the_same_day_or_the_last_of_the_month() {
        for (start, period, end) in [
            ("2020-03-15", "5 y", "2025-03-15"),
            ("2020-02-29", "7 y", "2027-02-28"),
            ("2020-02-29", "4 y", "2024-02-29"),
            ("2026-08-31", "18 m", "2028-02-29"),
            ("2026-12-31", "2 m", "2027-02-28"),
            ("2026-01-31", "1 m", "2026-02-28"),
            ("2026-12-31", "1 d", "2027-01-01"),
            ("2026-11-05", "0 m", "2026-11-05"),
        ] {
            let period: Period = period.parse().unwrap();
            assert_eq!(period.after(date(start)).unwrap(), date(end), "{start} + {period}");
        }
        assert_eq!(Period::Months(1_200).after(date("2150-01-01")), None);
    }

    #[test]
    fn periods_are_bounded() {
        for text in ["1200 m", "100 y", "36600 d"] {
            assert!(text.parse::<Period>().is_ok(), "{text}");
        }
        for text in ["1201 m", "101 y", "36601 d", "1.5 y", "-1 y", "1 week", "5y"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
        assert_eq!("24 m".parse::<Period>().unwrap().to_string(), "2 y");
    }

    #[test]
    fn a_window_has_its_first_day_and_not_its_end() {
        let window: Window = toml::from_str("from = 2026-09-01\nuntil = \"2027-09-01\"").unwrap();
        for (day, inside) in
            [("2026-08-31", false), ("2026-09-01", true), ("2027-08-31", true), ("2027-09-01", false)]
        {
            assert_eq!(window.has(date(day)), inside, "{day}");
        }
        let next = Window { from: window.until, until: None };
        assert!(!window.meets(&next) && window.meets(&window) && !window.is_empty());
        assert!(toml::from_str::<Window>("from = 2026-09-01T00:00:00Z").is_err());
        assert!(toml::from_str::<Window>("form = 2026-09-01").is_err());
    }
}
