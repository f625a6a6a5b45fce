//! The facts of a record from a row.

use super::MappingError;
use super::bounds::{ascii, framework, hour_kind, record_kind, scheme, truth};
use super::dates::{DateRule, Dates};
use super::decimal::{exact, level_tenths, milli, whole};
use super::draft::DraftRecord;
use super::form::{AmountForm, DateNameForm, LevelForm, MinutesForm, RecordForm, SourceForm};
use super::problem::{BadRow, Problem};
use super::source::{Cells, Field, Lookups, Needs, needs_of, value_of};
use credit_types::limits::{CLASS_HOUR_MINUTES_MAX, CODE_BYTES_MAX, MINUTES_MAX, REFERENCE_BYTES_MAX};
use credit_types::{
    Amount, CivilDate, Credits, FrameworkId, HourKind, Level, Minutes, RecordDetails, RecordKind, SchemeId,
};

/// How the facts of a record come from a row.
#[derive(Debug)]
pub(super) struct RecordRule {
    learner_number: Field<String>,
    kind: Field<RecordKind>,
    amount: Option<(Field<SchemeId>, Field<Credits>)>,
    minutes: Option<MinutesRule>,
    level: Option<(Field<FrameworkId>, Field<i32>)>,
    subject_code: Option<Field<String>>,
    occupation_code: Option<Field<String>>,
    start_on: Option<DateRule>,
    end_on: Option<DateRule>,
    awarded_on: DateRule,
    valid_until: Option<DateRule>,
    credit_eligible: Field<bool>,
}

#[derive(Debug)]
struct MinutesRule {
    hour_kind: Field<HourKind>,
    length: Length,
    class_hour_minutes: Option<Field<i64>>,
}

/// What the learning time is counted in; hours in thousandths.
#[derive(Debug)]
enum Length {
    Minutes(Field<i64>),
    Hours(Field<i64>),
    ClassHours(Field<i64>),
    PerCredit(Field<i64>),
}

/// The facts of one row.
#[derive(Debug)]
pub(super) struct RowFacts {
    learner_number: String,
    kind: RecordKind,
    amount: Option<Amount>,
    minutes: Option<Minutes>,
    level: Option<Level>,
    subject_code: String,
    occupation_code: String,
    pub(super) start_on: Option<CivilDate>,
    pub(super) end_on: Option<CivilDate>,
    awarded_on: CivilDate,
    valid_until: Option<CivilDate>,
    credit_eligible: bool,
}

impl RowFacts {
    pub(super) fn into_draft(self, row_key: Vec<u8>, details: RecordDetails) -> DraftRecord {
        DraftRecord {
            row_key,
            learner_number: self.learner_number,
            kind: self.kind,
            amount: self.amount,
            minutes: self.minutes,
            level: self.level,
            subject_code: self.subject_code,
            occupation_code: self.occupation_code,
            awarded_on: self.awarded_on,
            valid_until: self.valid_until,
            credit_eligible: self.credit_eligible,
            details,
        }
    }
}

impl RecordRule {
    pub(super) fn compile(form: RecordForm, lookups: &Lookups) -> Result<Self, MappingError> {
        let RecordForm {
            learner_number,
            kind,
            amount,
            minutes,
            level,
            subject_code,
            occupation_code,
            start_on,
            end_on,
            awarded_on,
            valid_until,
            credit_eligible,
        } = form;
        if subject_code.is_none() && occupation_code.is_none() {
            return Err(MappingError::field("record", "needs subject_code or occupation_code"));
        }
        let amount = match amount {
            Some(AmountForm { scheme: name, credits: amount }) => Some((
                Field::compile("record.amount.scheme", name, lookups, scheme)?,
                Field::compile("record.amount.credits", amount, lookups, credits)?,
            )),
            None => None,
        };
        let level = match level {
            Some(LevelForm { framework: name, level }) => Some((
                Field::compile("record.level.framework", name, lookups, framework)?,
                Field::compile("record.level.level", level, lookups, level_tenths)?,
            )),
            None => None,
        };
        let code = ascii::<CODE_BYTES_MAX>;
        let mut known = Vec::new();
        let start_on = start_on
            .map(|form| DateRule::compile("record.start_on", form, &known, lookups))
            .transpose()?
            .inspect(|_| known.push(DateNameForm::Start));
        let end_on = end_on
            .map(|form| DateRule::compile("record.end_on", form, &known, lookups))
            .transpose()?
            .inspect(|_| known.push(DateNameForm::End));
        let awarded_on = DateRule::compile("record.awarded_on", awarded_on, &known, lookups)?;
        known.push(DateNameForm::Awarded);
        Ok(Self {
            learner_number: Field::compile(
                "record.learner_number",
                learner_number,
                lookups,
                ascii::<REFERENCE_BYTES_MAX>,
            )?,
            kind: Field::compile("record.kind", kind, lookups, record_kind)?,
            minutes: minutes.map(|form| MinutesRule::compile(form, lookups, amount.is_some())).transpose()?,
            amount,
            level,
            subject_code: Field::maybe("record.subject_code", subject_code, lookups, code)?,
            occupation_code: Field::maybe("record.occupation_code", occupation_code, lookups, code)?,
            start_on,
            end_on,
            awarded_on,
            valid_until: valid_until
                .map(|form| DateRule::compile("record.valid_until", form, &known, lookups))
                .transpose()?,
            credit_eligible: Field::compile("record.credit_eligible", credit_eligible, lookups, truth)?,
        })
    }

    pub(super) fn needs<'a>(&'a self, needs: &mut Needs<'a>) {
        self.learner_number.needs(needs);
        self.kind.needs(needs);
        self.credit_eligible.needs(needs);
        self.awarded_on.needs(needs);
        for rule in self.start_on.iter().chain(&self.end_on).chain(&self.valid_until) {
            rule.needs(needs);
        }
        for field in self.subject_code.iter().chain(&self.occupation_code) {
            field.needs(needs);
        }
        if let Some((scheme, credits)) = &self.amount {
            scheme.needs(needs);
            credits.needs(needs);
        }
        if let Some((framework, level)) = &self.level {
            framework.needs(needs);
            level.needs(needs);
        }
        if let Some(rule) = &self.minutes {
            rule.hour_kind.needs(needs);
            rule.length.field().needs(needs);
            needs_of(rule.class_hour_minutes.as_ref(), needs);
        }
    }

    pub(super) fn read(&self, cells: &Cells) -> Result<RowFacts, BadRow> {
        let amount = match &self.amount {
            Some((scheme, credits)) => match credits.value(cells)? {
                Some(credits) => Some(Amount { scheme: scheme.required(cells)?, credits }),
                None => None,
            },
            None => None,
        };
        let level = match &self.level {
            Some((framework, tenths)) => match tenths.value(cells)? {
                Some(tenths) => Some(Level { framework: framework.required(cells)?, tenths }),
                None => None,
            },
            None => None,
        };
        let minutes = match &self.minutes {
            Some(rule) => rule.read(cells, amount.as_ref())?,
            None => None,
        };
        let subject_code = value_of(self.subject_code.as_ref(), cells)?.unwrap_or_default();
        let occupation_code = value_of(self.occupation_code.as_ref(), cells)?.unwrap_or_default();
        if subject_code.is_empty() && occupation_code.is_empty() {
            let field = self.subject_code.as_ref().or(self.occupation_code.as_ref());
            let whole =
                || BadRow { column: String::new(), field: String::new(), problem: Problem::NoSubject };
            return Err(field.map_or_else(whole, |field| field.bad(Problem::NoSubject)));
        }
        let (dates, awarded_on, valid_until) = self.dates(cells)?;
        Ok(RowFacts {
            learner_number: self.learner_number.required(cells)?,
            kind: self.kind.required(cells)?,
            amount,
            minutes,
            level,
            subject_code,
            occupation_code,
            start_on: dates.start_on,
            end_on: dates.end_on,
            awarded_on,
            valid_until,
            credit_eligible: self.credit_eligible.required(cells)?,
        })
    }

    fn dates(&self, cells: &Cells) -> Result<(Dates, CivilDate, Option<CivilDate>), BadRow> {
        let mut dates = Dates::default();
        if let Some(rule) = &self.start_on {
            dates.start_on = rule.read(cells, dates)?;
        }
        if let Some(rule) = &self.end_on {
            dates.end_on = rule.read(cells, dates)?;
            if dates.start_on.is_some() && dates.end_on.is_some() && dates.end_on < dates.start_on {
                return Err(rule.bad(Problem::DateOrder { later: "end_on", earlier: "start_on" }));
            }
        }
        let awarded_on = self.awarded_on.required(cells, dates)?;
        dates.awarded_on = Some(awarded_on);
        for (earlier, date) in [("start_on", dates.start_on), ("end_on", dates.end_on)] {
            if date.is_some_and(|date| awarded_on < date) {
                return Err(self.awarded_on.bad(Problem::DateOrder { later: "awarded_on", earlier }));
            }
        }
        let Some(rule) = &self.valid_until else { return Ok((dates, awarded_on, None)) };
        let valid_until = rule.read(cells, dates)?;
        if valid_until.is_some_and(|date| date < awarded_on) {
            return Err(rule.bad(Problem::DateOrder { later: "valid_until", earlier: "awarded_on" }));
        }
        Ok((dates, awarded_on, valid_until))
    }
}

impl Length {
    fn field(&self) -> &Field<i64> {
        match self {
            Self::Minutes(field) | Self::Hours(field) | Self::ClassHours(field) | Self::PerCredit(field) => {
                field
            }
        }
    }
}

impl MinutesRule {
    fn compile(form: MinutesForm, lookups: &Lookups, has_amount: bool) -> Result<Self, MappingError> {
        let MinutesForm {
            hour_kind: kind,
            minutes,
            hours,
            class_hours,
            minutes_per_credit,
            class_hour_minutes,
        } = form;
        let field = |name, form: SourceForm, read| Field::compile(name, form, lookups, read);
        let length = match (minutes, hours, class_hours, minutes_per_credit) {
            (Some(form), None, None, None) => {
                Length::Minutes(field("record.minutes.minutes", form, whole_minutes)?)
            }
            (None, Some(form), None, None) => Length::Hours(field("record.minutes.hours", form, milli)?),
            (None, None, Some(form), None) if class_hour_minutes.is_some() => {
                Length::ClassHours(field("record.minutes.class_hours", form, milli)?)
            }
            (None, None, Some(_), None) => {
                return Err(MappingError::field("record.minutes.class_hours", "needs class_hour_minutes"));
            }
            (None, None, None, Some(form)) if has_amount => {
                Length::PerCredit(field("record.minutes.minutes_per_credit", form, whole_minutes)?)
            }
            (None, None, None, Some(_)) => {
                return Err(MappingError::field("record.minutes.minutes_per_credit", "needs record.amount"));
            }
            _ => {
                let problem = "needs one of: minutes, hours, class_hours, minutes_per_credit";
                return Err(MappingError::field("record.minutes", problem));
            }
        };
        Ok(Self {
            hour_kind: Field::compile("record.minutes.hour_kind", kind, lookups, hour_kind)?,
            length,
            class_hour_minutes: Field::maybe(
                "record.minutes.class_hour_minutes",
                class_hour_minutes,
                lookups,
                |text| whole(text, 1, i64::from(CLASS_HOUR_MINUTES_MAX)),
            )?,
        })
    }

    fn read(&self, cells: &Cells, amount: Option<&Amount>) -> Result<Option<Minutes>, BadRow> {
        let Some(number) = self.length.field().value(cells)? else { return Ok(None) };
        let class_hour = value_of(self.class_hour_minutes.as_ref(), cells)?;
        let minutes = match (&self.length, amount) {
            (Length::Minutes(_), _) => Some(number),
            (Length::Hours(_), _) => exact(number, 60, 1_000),
            (Length::ClassHours(_), _) => class_hour.and_then(|minutes| exact(number, minutes, 1_000)),
            (Length::PerCredit(_), Some(amount)) => exact(amount.credits.milli(), number, 1_000),
            (Length::PerCredit(_), None) => return Ok(None),
        };
        let bounded = minutes
            .and_then(|minutes| i32::try_from(minutes).ok())
            .filter(|minutes| (1..=MINUTES_MAX).contains(minutes));
        let Some(minutes) = bounded else {
            let value = minutes.map_or_else(|| format!("{number} / 1000"), |minutes| minutes.to_string());
            return Err(self.length.field().bad(Problem::NotMinutes { value }));
        };
        Ok(Some(Minutes {
            hour_kind: self.hour_kind.required(cells)?,
            minutes,
            class_hour_minutes: class_hour.and_then(|minutes| i32::try_from(minutes).ok()).unwrap_or(0),
        }))
    }
}

fn whole_minutes(text: &str) -> Result<i64, Problem> {
    whole(text, 1, i64::from(MINUTES_MAX))
}

fn credits(text: &str) -> Result<Credits, Problem> {
    let milli = milli(text)?;
    Credits::from_milli(milli).map_err(|_| Problem::NotCredits { value: Problem::shown(text) })
}
