//! What a record is worth, as one exact fraction of milli-credits.

use super::table::{Hits, has};
use super::test::earliest;
use super::{Prepared, Program, ProgramError, Ready, fault};
use crate::answer::Step;
use crate::book::{Aggregate, Book, Cell, Convert, Hit, Outcome, RoundAt, Rule, Source, Validity};
use crate::ratio::{Rational, Round};
use crate::reason::Reason;
use crate::value::{Credit, Name, Ratio};

/// What of a record is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nothing: the amount is fixed.
    Fixed,
    /// Minutes, less those that a fact states.
    Minutes(Option<Name>),
    /// Milli-credits.
    Credit,
    /// Thousandths of a fact.
    Fact(Name),
}

/// A conversion made ready.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    /// What is counted.
    pub(crate) unit: Unit,
    /// Milli-credits for each of it; for [`Unit::Fixed`] the milli-credits themselves. `None` where a table or a target
    /// says it.
    pub(crate) factor: Option<Rational>,
    /// How it is rounded.
    pub(crate) round: Round,
    /// To multiples of this many milli-credits.
    pub(crate) step: i64,
    /// Where.
    pub(crate) round_at: RoundAt,
    /// Over which records it is summed.
    pub(crate) aggregate: Aggregate,
    /// A result below this is refused.
    pub(crate) least: i64,
    /// The standard of the result.
    pub(crate) std: Option<Name>,
    /// What its steps are called.
    ratio_text: String,
}

/// What a record is worth before it is rounded, or why nothing.
pub(crate) type Worth = Result<(Rational, Vec<Step>), (Reason, String)>;

impl Compiled {
    /// Makes a rule's conversion ready.
    pub(crate) fn new(book: &Book, rule: &Rule) -> Result<Self, ProgramError> {
        let written = rule.convert.clone().unwrap_or_default();
        let std = written.std.clone().or_else(|| rule.award.iter().find_map(|target| target.std.clone()));
        let own_step = std.as_ref().and_then(|std| book.standards.get(std)).map(|standard| standard.step.0);
        let step = written.step.map(|step| step.0).or(own_step).unwrap_or(1).max(1);
        let (unit, factor, ratio_text) = counted(book, rule, &written)?;
        let Convert { round, round_at, aggregate, least, .. } = written;
        let least = least.map_or(1, |least| least.0.max(1));
        Ok(Self { unit, factor, round, step, round_at, aggregate, least, std, ratio_text })
    }

    /// How much of what is counted a record has.
    pub(crate) fn quantity(&self, record: &Prepared<'_>) -> Result<i64, (Reason, String)> {
        let missing = |what: &str| (Reason::FactMissing, what.to_owned());
        match &self.unit {
            Unit::Fixed => Ok(1),
            Unit::Credit => {
                record.record.credit.map(|credit| credit.0).ok_or_else(|| missing("credit_value"))
            }
            Unit::Fact(fact) => record.number(fact).ok_or_else(|| missing(fact.as_str())),
            Unit::Minutes(less) => {
                let minutes = record.minutes.ok_or_else(|| missing("hours"))?;
                let less = match less {
                    Some(fact) => {
                        let milli = record.number(fact).ok_or_else(|| missing(fact.as_str()))?;
                        milli.checked_div(1_000).unwrap_or_default()
                    }
                    None => 0,
                };
                let rest = minutes.checked_sub(less).filter(|rest| *rest >= 0);
                rest.ok_or_else(|| (Reason::TooSmall, "hours".to_owned()))
            }
        }
    }

    /// The multiple of the step that a sum is worth.
    pub(crate) fn rounded(&self, exact: Rational) -> Result<i64, (Reason, String)> {
        let refused = if self.round == Round::None { Reason::NotExact } else { Reason::Overflow };
        let milli = exact.rounded(self.round, self.step).ok_or((refused, exact.to_string()))?;
        let at_most = crate::limits::AMOUNT_MILLI_MAX;
        if milli > at_most {
            return Err((Reason::Overflow, Credit(milli).to_string()));
        }
        if milli < self.least {
            return Err((Reason::BelowLeast, Credit(milli.max(0)).to_string()));
        }
        Ok(milli)
    }
}

/// What is counted, and what it is worth.
fn counted(
    book: &Book,
    rule: &Rule,
    written: &Convert,
) -> Result<(Unit, Option<Rational>, String), ProgramError> {
    let wrong = |detail: &str| fault(&rule.id, detail);
    let too_large = || wrong("a ratio that does not fit");
    let from = |default: Unit| match &written.from {
        None => default,
        Some(Source::Hours) => Unit::Minutes(written.less.clone()),
        Some(Source::CreditValue) => Unit::Credit,
        Some(Source::Fact(fact)) => Unit::Fact(fact.clone()),
    };
    if let Some(fixed) = written.fixed {
        return Ok((Unit::Fixed, Some(Rational::whole(fixed.0)), fixed.to_string()));
    }
    if let Some(each) = written.each {
        // Thousandths of a unit: the credit for each is shared among a thousand.
        let unit = from(Unit::Credit);
        let parts = if matches!(unit, Unit::Minutes(_)) { 60 } else { 1_000 };
        let factor = Rational::new(i128::from(each.0), parts).ok_or_else(too_large)?;
        return Ok((unit, Some(factor), each.to_string()));
    }
    if let (Some(inbound), Some(outbound)) = (written.inbound, written.outbound) {
        let both = inbound.plain().zip(outbound.plain());
        let (inbound, outbound) = both.ok_or_else(|| wrong("the ratios of a hub are plain"))?;
        let factor = inbound.times(outbound).ok_or_else(too_large)?;
        return Ok((from(Unit::Credit), Some(factor), factor.to_string()));
    }
    let Some(ratio) = written.ratio else {
        let identity = (written.from.is_some() && rule.table.is_none()).then_some(Rational::ONE);
        return Ok((from(Unit::Fixed), identity, "1/1".to_owned()));
    };
    let factor = ratio_factor(book, rule, ratio)?;
    let default = match ratio {
        Ratio::Plain { .. } => Unit::Credit,
        Ratio::TimeForCredit { .. } => Unit::Minutes(written.less.clone()),
    };
    Ok((from(default), Some(factor), ratio.to_string()))
}

/// A ratio in milli-credits for each of what it counts.
fn ratio_factor(book: &Book, rule: &Rule, ratio: Ratio) -> Result<Rational, ProgramError> {
    match ratio {
        Ratio::Plain { num, den } => Rational::new(i128::from(num), i128::from(den)),
        Ratio::TimeForCredit { time, credit } => time
            .minutes(book.xs_minutes)
            .and_then(|minutes| Rational::new(i128::from(credit.0), i128::from(minutes))),
    }
    .ok_or_else(|| fault(&rule.id, "a ratio without a length of its class hours, or that does not fit"))
}

/// What a record is worth by a rule, exactly.
pub(crate) fn worth(
    program: &Program,
    ready: &Ready,
    rule: &Rule,
    record: &Prepared<'_>,
    programme: Option<&Name>,
) -> Worth {
    let mut steps: Vec<Step> = Vec::new();
    let overflow = || (Reason::Overflow, rule.id.to_string());
    let base = match (&ready.table, ready.convert.factor) {
        (Some(table), factor) => {
            let outcomes = match table.hits(record, program, programme) {
                Hits::Refused(reason, detail) => return Err((reason, detail)),
                Hits::One(outcome) => (vec![outcome], Hit::Unique),
                Hits::Several(outcomes, hit) => (outcomes, hit),
            };
            let of = programme.and_then(|name| program.book.programmes.get(name)).map(|of| of.total.0);
            let value = of_table(program, ready, rule, record, of, outcomes, &mut steps)?;
            // A ratio beside a table scales what the table says.
            let scaled = factor.filter(|_| ready.convert.unit == Unit::Credit);
            match scaled {
                Some(factor) => value.times(factor).ok_or_else(overflow)?,
                None => value,
            }
        }
        (None, Some(factor)) => {
            same_standard(ready, rule, record)?;
            let quantity = ready.convert.quantity(record)?;
            steps.push((unit_name(&ready.convert.unit).to_owned(), quantity.to_string()));
            steps.push(("ratio".to_owned(), ready.convert.ratio_text.clone()));
            Rational::whole(quantity).times(factor).ok_or_else(overflow)?
        }
        (None, None) => Rational::ZERO,
    };
    let mut value = base;
    for factor in rule.convert.iter().flat_map(|convert| &convert.factors) {
        let found = record.column(&factor.by, program, programme);
        let found = found.ok_or_else(|| (Reason::FactMissing, factor.by.to_string()))?;
        let row = factor
            .rows
            .iter()
            .find(|row| has(&Cell::Range { at_least: Some(row.at_least), below: row.below }, &found));
        let row = row.ok_or_else(|| (Reason::NoRow, factor.by.to_string()))?;
        let by = row.factor.plain().ok_or_else(overflow)?;
        steps.push((format!("factor {}", factor.by), by.to_string()));
        value = value.times(by).ok_or_else(overflow)?;
    }
    if let Some(validity) = &rule.validity {
        let by = decay(validity, record)?;
        if by != Rational::ONE {
            steps.push(("decay".to_owned(), by.to_string()));
        }
        value = value.times(by).ok_or_else(overflow)?;
    }
    Ok((value, steps))
}

/// A rule that names no standard converts credit of its own: to count one standard as another takes a ratio that says so.
fn same_standard(ready: &Ready, rule: &Rule, record: &Prepared<'_>) -> Result<(), (Reason, String)> {
    let own = record.record.std.as_ref().zip(ready.convert.std.as_ref());
    let mixed = ready.convert.unit == Unit::Credit && rule.when.std.is_none();
    match own.filter(|(own, std)| mixed && own != std) {
        Some((own, _)) => Err((Reason::ConditionFalse, format!("std {own}"))),
        None => Ok(()),
    }
}

/// What the rows that hit are worth.
fn of_table(
    program: &Program,
    ready: &Ready,
    rule: &Rule,
    record: &Prepared<'_>,
    total_milli: Option<i64>,
    (outcomes, hit): (Vec<Outcome>, Hit),
    steps: &mut Vec<Step>,
) -> Result<Rational, (Reason, String)> {
    let overflow = || (Reason::Overflow, rule.id.to_string());
    let mut total = Rational::ZERO;
    for outcome in outcomes {
        let (name, text, value) = match outcome {
            Outcome::Credit(credit) => ("row", credit.to_string(), Rational::whole(credit.0)),
            Outcome::Share(share) => {
                let of = total_milli.ok_or_else(|| (Reason::NoTarget, "programme".to_owned()))?;
                let part = share.fraction().and_then(|part| part.times(Rational::whole(of)));
                ("share", share.to_string(), part.ok_or_else(overflow)?)
            }
            Outcome::Each(each) => {
                let quantity = ready.convert.quantity(record)?;
                steps.push((unit_name(&ready.convert.unit).to_owned(), quantity.to_string()));
                let parts = if matches!(ready.convert.unit, Unit::Minutes(_)) { 60 } else { 1_000 };
                let factor = Rational::new(i128::from(each.0), parts).ok_or_else(overflow)?;
                let value = Rational::whole(quantity).times(factor).ok_or_else(overflow)?;
                ("each", each.to_string(), value)
            }
            Outcome::Ratio(ratio) => {
                // Where nothing is said, a ratio of time counts time and a plain one counts credit.
                let convert = match (&ready.convert.unit, ratio) {
                    (Unit::Fixed, Ratio::TimeForCredit { .. }) => {
                        Compiled { unit: Unit::Minutes(None), ..ready.convert.clone() }
                    }
                    (Unit::Fixed, Ratio::Plain { .. }) => {
                        Compiled { unit: Unit::Credit, ..ready.convert.clone() }
                    }
                    _ => ready.convert.clone(),
                };
                let quantity = convert.quantity(record)?;
                steps.push((unit_name(&convert.unit).to_owned(), quantity.to_string()));
                let factor = ratio_factor(&program.book, rule, ratio).map_err(|_| overflow())?;
                ("ratio", ratio.to_string(), Rational::whole(quantity).times(factor).ok_or_else(overflow)?)
            }
        };
        steps.push((name.to_owned(), text));
        let larger = value.compare(total).ok_or_else(overflow)?.is_gt();
        total = match hit {
            Hit::Sum => total.plus(value).ok_or_else(overflow)?,
            Hit::Unique | Hit::Any | Hit::Highest if larger => value,
            Hit::Unique | Hit::Any | Hit::Highest => total,
        };
    }
    Ok(total)
}

/// What is left of a record on the day of the decision.
fn decay(validity: &Validity, record: &Prepared<'_>) -> Result<Rational, (Reason, String)> {
    let facts = record.record;
    let renewed = facts.renewed_on.filter(|_| validity.renew_resets);
    let start = renewed.unwrap_or(facts.earned_on).0;
    let end = earliest([
        facts.valid_until.map(|day| day.0),
        facts.valid_for.and_then(|period| period.after(start)),
        validity.acceptor.and_then(|period| period.after(start)),
        validity.shelf_life.and_then(|period| period.after(start)),
    ]);
    if let Some(end) = end.filter(|end| record.on > *end) {
        return Err((Reason::Expired, end.to_string()));
    }
    if validity.steps.is_empty() {
        return Ok(Rational::ONE);
    }
    let reached = validity.steps.iter().filter_map(|step| Some((step.up_to.after(start)?, step)));
    // The nearest end counts, in whatever order the steps are written.
    let step = reached.filter(|(end, _)| record.on <= *end).min_by_key(|(end, _)| *end).map(|(_, step)| step);
    let end = validity.steps.iter().filter_map(|step| step.up_to.after(start)).max();
    let last = || end.map(|end| end.to_string()).unwrap_or_default();
    let step = step.ok_or_else(|| (Reason::Expired, last()))?;
    step.factor.plain().ok_or_else(|| (Reason::Overflow, step.factor.to_string()))
}

/// What a quantity is called among the steps.
pub(crate) fn unit_name(unit: &Unit) -> &'static str {
    match unit {
        Unit::Fixed => "fixed",
        Unit::Minutes(_) => "minutes",
        Unit::Credit => "milli_credits",
        Unit::Fact(_) => "thousandths",
    }
}
