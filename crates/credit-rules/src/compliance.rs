//! Whether a period holds what it has to: continuing education by year or cycle.

use crate::book::{Basis, ClassRule, Compliance, Fill, PeriodRule};
use crate::ratio::Rational;
use crate::value::{Day, Limit, Name, Time};
use credit_types::CivilDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One activity, converted to what the rule counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// The record.
    pub id: Name,
    /// How much: credit or time.
    pub amount: Limit,
    /// The class; without one it is filled into classes as the rule says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
    /// When it was earned.
    pub earned_on: Day,
    /// When it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_on: Option<Day>,
}

/// Credit in milli-credits or time in minutes, as the rule counts.
pub type Count = i64;

/// How a class came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassVerdict {
    /// What it holds.
    pub have: Count,
    /// The least, exactly, as a fraction of counts.
    pub need: String,
    /// What is missing, rounded up.
    pub missing: Count,
}

/// How a period came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodVerdict {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
    /// Whether everything is there.
    pub compliant: bool,
    /// What counts, up to what can be used.
    pub have: Count,
    /// What is needed.
    pub need: Count,
    /// What is missing in all.
    pub missing: Count,
    /// What is lost because more can't be used.
    pub lost: Count,
    /// What counts already in the next period.
    pub carried: Count,
    /// The classes.
    pub classes: BTreeMap<Name, ClassVerdict>,
    /// Activities that were entered too late.
    pub late: Vec<Name>,
}

/// Why a period can't be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComplianceError {
    /// The rule counts time and the activity credit, or the other way round, or class hours have no length.
    #[error("activity {0} is counted in another unit than the rule")]
    Unit(Name),
    /// The rule names no such class.
    #[error("activity {0} is of a class that the rule does not name")]
    Class(Name),
    /// The day lies before the first cycle, or an amount does not fit.
    #[error("the day, or an amount, is out of range")]
    Range,
}

/// Whether the period of a day holds what it has to, by activities in any order.
pub fn period(
    rule: &Compliance,
    xs_minutes: Option<i64>,
    day: Day,
    opening: Count,
    activities: &[Activity],
) -> Result<PeriodVerdict, ComplianceError> {
    let (from, to) = bounds(rule.period, day.0).ok_or(ComplianceError::Range)?;
    let need = count(rule.total, rule.total, xs_minutes).ok_or(ComplianceError::Range)?;
    let late = late_after(rule, to);
    let mut inside: Vec<&Activity> =
        activities.iter().filter(|activity| (from..=to).contains(&activity.earned_on.0)).collect();
    inside.sort_by(|left, right| (left.earned_on, &left.id).cmp(&(right.earned_on, &right.id)));
    let is_late = |activity: &&Activity| matches!((activity.entered_on, late), (Some(entered), Some(last)) if entered.0 > last);
    let (late, inside): (Vec<&Activity>, Vec<&Activity>) = inside.into_iter().partition(is_late);
    let (mut sums, mut loose) = (BTreeMap::<&Name, Count>::new(), opening);
    for activity in inside {
        let amount = count(activity.amount, rule.total, xs_minutes)
            .ok_or_else(|| ComplianceError::Unit(activity.id.clone()))?;
        let sum = match &activity.class {
            Some(class) => {
                let named = rule.classes.get_key_value(class);
                let (class, _) = named.ok_or_else(|| ComplianceError::Class(activity.id.clone()))?;
                sums.entry(class).or_default()
            }
            None => &mut loose,
        };
        *sum = sum.checked_add(amount).ok_or(ComplianceError::Range)?;
    }
    fill(rule, xs_minutes, &mut sums, &mut loose);
    judged(rule, xs_minutes, (from, to), need, &sums, loose).map(|verdict| PeriodVerdict {
        late: late.into_iter().map(|own| own.id.clone()).collect(),
        ..verdict
    })
}

/// The same, opened with what the periods before carry into it; a rolling period carries nothing.
pub fn period_with_carry(
    rule: &Compliance,
    xs_minutes: Option<i64>,
    day: Day,
    activities: &[Activity],
) -> Result<PeriodVerdict, ComplianceError> {
    let mut opening = 0;
    let rolls = matches!(rule.period, PeriodRule::Rolling { .. });
    if rule.carry_over && !rolls {
        let (asked, _) = bounds(rule.period, day.0).ok_or(ComplianceError::Range)?;
        let before = |day: &CivilDate| *day < asked && bounds(rule.period, *day).is_some();
        let mut next = activities.iter().map(|activity| activity.earned_on.0).filter(before).min();
        // At most a period for each year of the calendar.
        while let Some(day) = next.filter(before) {
            let verdict = period(rule, xs_minutes, Day(day), opening, activities)?;
            opening = verdict.carried;
            next = CivilDate::from_days(verdict.to.0.days().saturating_add(1)).ok();
        }
    }
    period(rule, xs_minutes, day, opening, activities)
}

/// Puts what names no class where the rule says.
fn fill<'r>(
    rule: &'r Compliance,
    xs_minutes: Option<i64>,
    sums: &mut BTreeMap<&'r Name, Count>,
    loose: &mut Count,
) {
    for Fill { class, up_to } in &rule.fill {
        let sum = sums.entry(class).or_default();
        let up_to = up_to.and_then(|limit| count(limit, rule.total, xs_minutes)).unwrap_or(i64::MAX);
        let taken = up_to.saturating_sub(*sum).clamp(0, (*loose).max(0));
        *sum = sum.saturating_add(taken);
        *loose = loose.saturating_sub(taken);
    }
}

/// The verdict over the sums.
fn judged(
    rule: &Compliance,
    xs_minutes: Option<i64>,
    (from, to): (CivilDate, CivilDate),
    need: Count,
    sums: &BTreeMap<&Name, Count>,
    loose: Count,
) -> Result<PeriodVerdict, ComplianceError> {
    let unit = |limit: Limit| count(limit, rule.total, xs_minutes);
    let held = |class: &Name, of: &ClassRule| {
        let sum = sums.get(class).copied().unwrap_or_default();
        of.max.and_then(unit).map_or(sum, |max| sum.min(max))
    };
    let counted = rule.classes.iter().map(|(class, of)| held(class, of));
    let done = counted.fold(loose, i64::saturating_add);
    let usable = rule.usable_max.and_then(unit).unwrap_or(i64::MAX);
    let have = done.min(usable);
    let over = done.saturating_sub(have);
    let mut classes = BTreeMap::new();
    for (class, of) in &rule.classes {
        let least = floor(of, unit, need, done).ok_or(ComplianceError::Range)?;
        let have = held(class, of);
        let short = least.minus(Rational::whole(have)).ok_or(ComplianceError::Range)?;
        let missing = short.rounded(crate::ratio::Round::Ceil, 1).ok_or(ComplianceError::Range)?.max(0);
        classes.insert(class.clone(), ClassVerdict { have, need: least.to_string(), missing });
    }
    let missing = need.saturating_sub(have).max(0);
    let compliant = missing == 0 && classes.values().all(|class| class.missing == 0);
    let carry_max = rule.carry_max.and_then(unit).unwrap_or(i64::MAX);
    let carried = if rule.carry_over { over.min(carry_max) } else { 0 };
    let lost = over.saturating_sub(carried);
    Ok(PeriodVerdict {
        from: Day(from),
        to: Day(to),
        compliant,
        have,
        need,
        missing,
        lost,
        carried,
        classes,
        late: Vec::new(),
    })
}

/// The least of a class, exactly.
fn floor(
    class: &ClassRule,
    unit: impl Fn(Limit) -> Option<Count>,
    need: Count,
    done: Count,
) -> Option<Rational> {
    let Some(floor) = class.floor else { return Some(Rational::ZERO) };
    match (floor.amount, floor.fraction, floor.basis) {
        (Some(amount), None, None) => unit(amount).map(Rational::whole),
        (None, Some(fraction), Some(Basis::Required)) => fraction.plain()?.times(Rational::whole(need)),
        (None, Some(fraction), Some(Basis::Completed)) => fraction.plain()?.times(Rational::whole(done)),
        _ => None,
    }
}

/// The first and last day of the period of a day.
fn bounds(period: PeriodRule, day: CivilDate) -> Option<(CivilDate, CivilDate)> {
    let before = |day: CivilDate| CivilDate::from_days(day.days().checked_sub(1)?).ok();
    match period {
        PeriodRule::CalendarYear => {
            Some((CivilDate::new(day.year(), 1, 1).ok()?, CivilDate::new(day.year(), 12, 31).ok()?))
        }
        PeriodRule::Cycle { from, years } => {
            let mut start = from.0;
            if years == 0 || day < start {
                return None;
            }
            loop {
                let next = start.plus_years(years).ok()?;
                if day < next {
                    return Some((start, before(next)?));
                }
                start = next;
            }
        }
        PeriodRule::Rolling { years } => {
            let year = day.year().checked_sub(i32::try_from(years).ok()?)?;
            let same = CivilDate::new(year, day.month(), day.day());
            let start = same.or_else(|_| CivilDate::new(year, day.month(), 28)).ok()?;
            Some((CivilDate::from_days(start.days().checked_add(1)?).ok()?, day))
        }
    }
}

/// The last day on which an activity of a period may be entered.
fn late_after(rule: &Compliance, to: CivilDate) -> Option<CivilDate> {
    rule.late_until?.in_year(to.year().checked_add(1)?)
}

/// An amount in the unit of the rule's total.
fn count(amount: Limit, total: Limit, xs_minutes: Option<i64>) -> Option<Count> {
    let minutes = |time: Time| time.minutes(xs_minutes);
    match (amount, total) {
        (Limit::Credit(credit), Limit::Credit(_)) => Some(credit.0),
        (Limit::Time(time), Limit::Time(_)) => minutes(time),
        _ => None,
    }
}
