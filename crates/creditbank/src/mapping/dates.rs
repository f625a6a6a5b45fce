//! Dates: how they are written, and how one follows from another.

use super::MappingError;
use super::decimal::whole;
use super::form::{DateForm, DateNameForm, DateTable, SourceForm, SourceTable};
use super::problem::{BadRow, Problem};
use super::source::{Cells, Field, Lookups, Needs, Source, value_of};
use credit_types::CivilDate;
use credit_types::limits::VALIDITY_YEARS_MAX;

/// The most days that a rule adds to a date.
pub(crate) const PLUS_DAYS_MAX: i64 = 3_660;
/// The most parts of a date's form.
pub(crate) const FORM_PARTS_MAX: usize = 16;
const FORM_DEFAULT: &str = "YYYY-MM-DD";

/// The dates of a row that have been read so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dates {
    pub(super) start_on: Option<CivilDate>,
    pub(super) end_on: Option<CivilDate>,
    pub(super) awarded_on: Option<CivilDate>,
}

/// Where one date comes from.
#[derive(Debug)]
pub(super) struct DateRule {
    field: &'static str,
    base: Base,
    plus_days: Option<Field<i64>>,
    plus_years: Option<Field<i64>>,
}

#[derive(Debug)]
enum Base {
    Written(Source, DatePattern),
    SameAs(DateNameForm),
}

impl DateRule {
    /// Takes the rule of a field; `known` are the dates that are read before it.
    pub(super) fn compile(
        field: &'static str,
        form: DateForm,
        known: &[DateNameForm],
        lookups: &Lookups,
    ) -> Result<Self, MappingError> {
        let table = match form {
            DateForm::Constant(text) => {
                return Self::written(field, SourceForm::Constant(text), None, lookups);
            }
            DateForm::Table(table) => *table,
        };
        let DateTable { column, template, lookup, default, optional, form, same_as, plus_days, plus_years } =
            table;
        let rule = if let Some(name) = same_as {
            let written = [&column, &template, &lookup, &form].iter().any(|text| text.is_some());
            if written || default.is_some() || optional {
                return Err(MappingError::field(field, "has same_as: it can't say how it is written too"));
            }
            if !known.contains(&name) {
                let problem =
                    "has a same_as that is not an earlier one of this mapping's start_on, end_on, awarded_on";
                return Err(MappingError::field(field, problem));
            }
            Self { field, base: Base::SameAs(name), plus_days: None, plus_years: None }
        } else {
            let table = SourceTable { column, template, lookup, default, optional };
            Self::written(field, SourceForm::Table(table), form, lookups)?
        };
        Ok(Self {
            plus_days: Field::maybe(field, plus_days, lookups, |text| whole(text, 0, PLUS_DAYS_MAX))?,
            plus_years: Field::maybe(field, plus_years, lookups, |text| {
                whole(text, 0, i64::from(VALIDITY_YEARS_MAX))
            })?,
            ..rule
        })
    }

    fn written(
        field: &'static str,
        source: SourceForm,
        form: Option<String>,
        lookups: &Lookups,
    ) -> Result<Self, MappingError> {
        let pattern = DatePattern::parse(form.as_deref().unwrap_or(FORM_DEFAULT))
            .map_err(|problem| MappingError::field(field, problem))?;
        let source = Source::compile(field, source, lookups)?;
        source.check(|text| pattern.read(text).map(drop))?;
        Ok(Self { field, base: Base::Written(source, pattern), plus_days: None, plus_years: None })
    }

    pub(super) fn needs<'a>(&'a self, needs: &mut Needs<'a>) {
        match &self.base {
            Base::Written(source, _) => source.needs(needs),
            Base::SameAs(_) => {}
        }
        for field in self.plus_days.iter().chain(&self.plus_years) {
            field.needs(needs);
        }
    }

    /// The date; `None` where its cell may be and is empty.
    pub(super) fn read(&self, cells: &Cells, dates: Dates) -> Result<Option<CivilDate>, BadRow> {
        let base = match &self.base {
            Base::Written(source, pattern) => match source.value(cells)? {
                Some(text) => Some(pattern.read(&text).map_err(|problem| source.bad(problem))?),
                None => None,
            },
            Base::SameAs(DateNameForm::Start) => dates.start_on,
            Base::SameAs(DateNameForm::End) => dates.end_on,
            Base::SameAs(DateNameForm::Awarded) => dates.awarded_on,
        };
        let Some(base) = base else { return Ok(None) };
        let days = value_of(self.plus_days.as_ref(), cells)?.unwrap_or(0);
        let years = value_of(self.plus_years.as_ref(), cells)?.unwrap_or(0);
        let later = i32::try_from(days)
            .ok()
            .and_then(|days| base.days().checked_add(days))
            .and_then(|days| CivilDate::from_days(days).ok())
            .zip(u32::try_from(years).ok())
            .and_then(|(date, years)| date.plus_years(years).ok());
        match later {
            Some(date) => Ok(Some(date)),
            None => Err(self.bad(Problem::NotADate {
                value: format!("{base} + {years} a + {days} d"),
                form: "1900-01-01 to 2199-12-31".to_owned(),
            })),
        }
    }

    /// The date of a field that must have one.
    pub(super) fn required(&self, cells: &Cells, dates: Dates) -> Result<CivilDate, BadRow> {
        self.read(cells, dates)?.ok_or_else(|| self.bad(Problem::Empty))
    }

    pub(super) fn bad(&self, problem: Problem) -> BadRow {
        match &self.base {
            Base::Written(source, _) => source.bad(problem),
            Base::SameAs(_) => BadRow { column: String::new(), field: self.field.to_owned(), problem },
        }
    }
}

/// How a date is written: `YYYY` four digits, `MM` and `DD` two, `M` and `D` one or two, all else stands for itself.
#[derive(Debug)]
struct DatePattern {
    form: String,
    parts: Vec<PatternPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PatternPart {
    Year,
    Month { digits_min: usize },
    Day { digits_min: usize },
    Letter(char),
}

impl DatePattern {
    fn parse(form: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = form;
        while let Some(letter) = rest.chars().next() {
            let tokens = [
                ("YYYY", PatternPart::Year),
                ("MM", PatternPart::Month { digits_min: 2 }),
                ("M", PatternPart::Month { digits_min: 1 }),
                ("DD", PatternPart::Day { digits_min: 2 }),
                ("D", PatternPart::Day { digits_min: 1 }),
            ];
            let token = tokens.iter().find_map(|(token, part)| Some((rest.strip_prefix(token)?, *part)));
            let (after, part) = token
                .unwrap_or((rest.get(letter.len_utf8()..).unwrap_or_default(), PatternPart::Letter(letter)));
            parts.push(part);
            rest = after;
        }
        let once = |is: fn(&PatternPart) -> bool| parts.iter().filter(|part| is(part)).count() == 1;
        let whole = once(|part| matches!(part, PatternPart::Year))
            && once(|part| matches!(part, PatternPart::Month { .. }))
            && once(|part| matches!(part, PatternPart::Day { .. }));
        if !whole || parts.len() > FORM_PARTS_MAX {
            return Err(format!(
                "has a form that is not one YYYY, one M or MM, one D or DD and at most {FORM_PARTS_MAX} parts"
            ));
        }
        Ok(Self { form: form.to_owned(), parts })
    }

    fn read(&self, text: &str) -> Result<CivilDate, Problem> {
        let wrong = || Problem::NotADate { value: Problem::shown(text), form: self.form.clone() };
        let (mut year, mut month, mut day) = (0, 0, 0);
        let mut rest = text;
        for part in &self.parts {
            let (place, min, max) = match part {
                PatternPart::Letter(letter) => {
                    rest = rest.strip_prefix(*letter).ok_or_else(wrong)?;
                    continue;
                }
                PatternPart::Year => (&mut year, 4, 4),
                PatternPart::Month { digits_min } => (&mut month, *digits_min, 2),
                PatternPart::Day { digits_min } => (&mut day, *digits_min, 2),
            };
            let digits = rest.bytes().take(max).take_while(u8::is_ascii_digit).count();
            let (number, after) =
                rest.split_at_checked(digits).filter(|_| digits >= min).ok_or_else(wrong)?;
            *place = number.parse::<i32>().map_err(|_| wrong())?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(wrong());
        }
        CivilDate::new(year, month, day).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_their_form_says() {
        for (form, text, expected) in [
            ("YYYY-MM-DD", "2026-01-05", "2026-01-05"),
            ("YYYY/M/D", "2026/1/5", "2026-01-05"),
            ("YYYY/M/D", "2026/11/25", "2026-11-25"),
            ("YYYYMMDD", "20260105", "2026-01-05"),
            ("YYYY年M月D日", "2026年1月5日", "2026-01-05"),
            ("DD.MM.YYYY", "05.01.2026", "2026-01-05"),
        ] {
            assert_eq!(DatePattern::parse(form).unwrap().read(text).unwrap().to_string(), expected, "{form}");
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_not_a_date() {
        let pattern = DatePattern::parse("YYYY-MM-DD").unwrap();
        for text in
            ["", "2026-1-05", "2026-02-30", "26-01-05", "2026-01-05 ", "2026/01/05", "20260105", "二〇二六"]
        {
            assert!(pattern.read(text).is_err(), "{text}");
        }
        for form in ["", "YYYY-MM", "YYYY-MM-DD-D", "MM-DD", "YYYYMMDD0123456789012X"] {
            assert!(DatePattern::parse(form).is_err(), "{form}");
        }
        let of_parts = |count: usize| DatePattern::parse(&format!("YYYYMMDD{}", "-".repeat(count - 3)));
        assert!(of_parts(FORM_PARTS_MAX).is_ok());
        assert!(of_parts(FORM_PARTS_MAX + 1).is_err());
    }
}
