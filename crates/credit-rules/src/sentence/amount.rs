//! Amounts, ratios and periods as people say them.

use super::Say;
use crate::book::{LevelValue, Number};
use crate::value::{Credit, Limit, Name, Percent, Period, Ratio, Time, decimal_text};

impl Say<'_> {
    /// An amount of credit.
    pub(crate) fn credit(self, credit: Credit) -> String {
        let number = decimal_text(credit.0, 3);
        let plural = if credit.0 == 1_000 { "" } else { "s" };
        say!(self, "{number} 学分", "{number} credit{plural}")
    }

    /// A length of time.
    pub(crate) fn time(self, time: Time) -> String {
        match time {
            Time::Minutes(minutes) if minutes.checked_rem(60) == Some(0) && minutes != 0 => {
                let hours = minutes.checked_div(60).unwrap_or_default();
                let plural = if hours == 1 { "" } else { "s" };
                say!(self, "{hours} 小时", "{hours} hour{plural}")
            }
            Time::Minutes(minutes) => {
                let plural = if minutes == 1 { "" } else { "s" };
                say!(self, "{minutes} 分钟", "{minutes} minute{plural}")
            }
            Time::ClassHours(hours) => {
                let plural = if hours == 1 { "" } else { "s" };
                say!(self, "{hours} 学时", "{hours} class hour{plural}")
            }
        }
    }

    /// A share.
    pub(crate) fn percent(self, percent: Percent) -> String {
        let number = decimal_text(percent.0, 2);
        say!(self, "{number}%", "{number} %")
    }

    /// A maximum.
    pub(crate) fn limit(self, limit: Limit) -> String {
        match limit {
            Limit::Credit(credit) => self.credit(credit),
            Limit::Time(time) => self.time(time),
            Limit::Share(share) => self.percent(share),
        }
    }

    /// A ratio, as in "converted at ...".
    pub(crate) fn ratio(self, ratio: Ratio) -> String {
        match ratio {
            Ratio::Plain { num: 1, den: 1 } => say!(self, "等量", "one to one"),
            Ratio::Plain { num, den: 1 } => say!(self, "乘以 {num}", "times {num}"),
            Ratio::Plain { num, den } => say!(self, "乘以 {num}/{den}", "times {num}/{den}"),
            Ratio::TimeForCredit { time, credit } => {
                let (time, credit) = (self.time(time), self.credit(credit));
                say!(self, "每 {time}折 {credit}", "{credit} for every {time}")
            }
        }
    }

    /// A length of calendar time.
    pub(crate) fn period(self, period: Period) -> String {
        let (count, zh, en) = match period {
            Period::Months(months) if months.checked_rem(12) == Some(0) && months != 0 => {
                (months.checked_div(12).unwrap_or_default(), "年", "year")
            }
            Period::Months(months) => (months, "个月", "month"),
            Period::Days(days) => (days, "天", "day"),
        };
        let plural = if count == 1 { "" } else { "s" };
        say!(self, "{count} {zh}", "{count} {en}{plural}")
    }

    /// An interval of numbers, from the first on and below the second.
    pub(crate) fn interval(self, at_least: Option<Number>, below: Option<Number>) -> String {
        match (at_least, below) {
            (None, None) => say!(self, "任意", "any"),
            (Some(least), None) => say!(self, "{least} 及以上", "{least} or more"),
            (None, Some(below)) => say!(self, "低于 {below}", "below {below}"),
            (Some(least), Some(below)) => {
                say!(self, "{least} 及以上、低于 {below}", "{least} or more, below {below}")
            }
        }
    }

    /// A level with its name in a ladder, where it has one.
    pub(crate) fn level(self, ladder: Option<&Name>, level: LevelValue) -> String {
        let levels = ladder.and_then(|ladder| self.book.ladders.get(ladder)).map(|ladder| &ladder.levels);
        let named = levels.into_iter().flatten().find(|named| named.level == level);
        match named.map(|named| self.label(&named.label)) {
            Some(label) => say!(self, "{level} 级（{label}）", "level {level} ({label})"),
            None => say!(self, "{level} 级", "level {level}"),
        }
    }
}
