//! One record against one rule, as fast as it goes: match, convert, round, cap. For statistics over whole ledgers and for
//! measuring; what is granted to a learner is said by [`Program::allocate`], over all uses at once.

use crate::book::{CapPer, RoundAt, YearOf};
use crate::limits::AMOUNT_MILLI_MAX;
use crate::program::{Prepared, Program, Quick, Ready, holds, worth};
use crate::ratio::{Rational, Round};
use crate::value::{Limit, Name};
use credit_types::date::{YEAR_MAX, YEAR_MIN};

/// Running sums of one rule.
#[derive(Debug, Clone)]
struct Sums {
    /// The most for one record, in milli-credits.
    record: i64,
    /// The most for the rule.
    rule: i64,
    /// The most for each calendar year of earning.
    year: i64,
    /// What was granted.
    granted: i64,
    /// What was granted, by year from [`YEAR_MIN`]; empty where no cap asks for it.
    by_year: Vec<i64>,
}

/// Grants records by single rules, one after another, up to the rules' own caps over the record, the rule and the year.
#[derive(Debug)]
pub struct Meter<'p> {
    program: &'p Program,
    programme: Option<Name>,
    sums: Vec<Sums>,
}

impl<'p> Meter<'p> {
    /// Begins with nothing granted.
    pub fn new(program: &'p Program, programme: Option<Name>) -> Self {
        let sums = program.rules.iter().map(|ready| sums(program, ready)).collect();
        Self { program, programme, sums }
    }

    /// What a record is granted by the rule of a rank from 0, in milli-credits; `None` where the rule does not hold, grants
    /// nothing, or is full.
    pub fn grant(&mut self, rank: usize, record: &Prepared<'_>) -> Option<i64> {
        let ready = self.program.rules.get(rank)?;
        let rule = self.program.rule(ready)?;
        if !self.program.in_force(rule, record.picked_on)
            || !holds(&ready.tests, record, self.program, &mut Quick)
        {
            return None;
        }
        let milli = if let Some(simple) = ready.simple {
            simple.milli(ready, record)?
        } else {
            let (exact, _) = worth(self.program, ready, rule, record, self.programme.as_ref()).ok()?;
            ready.convert.rounded(exact).ok()?
        };
        let sums = self.sums.get_mut(rank)?;
        let place = usize::try_from(record.record.earned_on.0.year().checked_sub(YEAR_MIN)?).ok()?;
        let in_year = sums.by_year.get(place).copied().unwrap_or_default();
        let left = sums.rule.saturating_sub(sums.granted).min(sums.year.saturating_sub(in_year));
        let granted = milli.min(sums.record).min(left);
        if granted <= 0 {
            return None;
        }
        sums.granted = sums.granted.saturating_add(granted);
        if let Some(year) = sums.by_year.get_mut(place) {
            *year = year.saturating_add(granted);
        }
        Some(granted)
    }
}

/// The caps of a rule, and nothing granted yet.
fn sums(program: &Program, ready: &Ready) -> Sums {
    let mut sums = Sums { record: i64::MAX, rule: i64::MAX, year: i64::MAX, granted: 0, by_year: Vec::new() };
    let Some(rule) = program.rule(ready) else { return sums };
    for cap in &rule.cap {
        let Some(Limit::Credit(most)) = cap.max else { continue };
        match (cap.per, cap.year) {
            (CapPer::Record, _) => sums.record = sums.record.min(most.0),
            (CapPer::Rule, _) => sums.rule = sums.rule.min(most.0),
            (CapPer::LearnerYear, YearOf::EarnedOn) => {
                sums.year = sums.year.min(most.0);
                let years = usize::try_from(YEAR_MAX.saturating_sub(YEAR_MIN)).unwrap_or_default();
                sums.by_year = vec![0; years.saturating_add(1)];
            }
            _ => {}
        }
    }
    sums
}

/// A conversion that is one ratio, small enough for one multiplication and one division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Simple {
    num: i64,
    den: i64,
}

impl Simple {
    /// Of a rule that converts by a ratio alone and rounds down or to the nearest.
    pub(crate) fn of(factor: Option<Rational>, round: Round, round_at: RoundAt, plain: bool) -> Option<Self> {
        let factor = factor.filter(|_| plain && round_at == RoundAt::Total)?;
        let usual = matches!(round, Round::Floor | Round::Truncate | Round::HalfUp);
        let (num, den) = (i64::try_from(factor.num()).ok()?, i64::try_from(factor.den()).ok()?);
        (usual && num >= 0).then_some(Self { num, den })
    }

    /// The rounded milli-credits; `None` where they are below the least or do not fit.
    fn milli(self, ready: &Ready, record: &Prepared<'_>) -> Option<i64> {
        let quantity = ready.convert.quantity(record).ok()?;
        let product = quantity.checked_mul(self.num)?;
        let scaled = self.den.checked_mul(ready.convert.step)?;
        let mut steps = product.checked_div(scaled)?;
        // Nothing here is negative: truncating is rounding down.
        if ready.convert.round == Round::HalfUp {
            let rest = product.checked_rem(scaled)?;
            steps = steps.checked_add(i64::from(rest.checked_mul(2)? >= scaled))?;
        }
        let milli = steps.checked_mul(ready.convert.step)?;
        (milli >= ready.convert.least && milli <= AMOUNT_MILLI_MAX).then_some(milli)
    }
}
