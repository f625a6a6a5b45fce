//! The details of a record from a row.

use super::MappingError;
use super::bounds::{ascii, institution, language, mode, pass_state, unicode};
use super::decimal::{exact, milli, whole};
use super::form::{DetailsForm, SourceForm};
use super::problem::{BadRow, Problem};
use super::record::RowFacts;
use super::source::{Cells, Field, Lookups, Needs, needs_of, value_of};
use credit_types::limits::{CREDITS_MILLI_MAX, MINUTES_MAX, REFERENCE_BYTES_MAX, TEXT_BYTES_MAX};
use credit_types::{DeliveryMode, InstitutionId, PassState, RecordDetails, Text};

/// The most bytes of a scale's name.
pub(crate) const SCALE_BYTES_MAX: usize = 32;
/// The most bytes of a grade.
pub(crate) const GRADE_BYTES_MAX: usize = 32;
/// The most bytes of a term.
pub(crate) const TERM_BYTES_MAX: usize = 16;
/// The most bytes of a language tag.
pub(crate) const LANGUAGE_BYTES_MAX: usize = 16;
/// The highest attempt.
pub(crate) const ATTEMPT_MAX: i64 = 99;
/// The highest and, below zero, the lowest score in thousandths.
pub(crate) const SCORE_MILLI_MAX: i64 = CREDITS_MILLI_MAX;

/// How the details of a record come from a row.
#[derive(Debug)]
pub(super) struct DetailsRule {
    catalogue_ref: Field<String>,
    title_zh: Option<Field<String>>,
    title_en: Option<Field<String>>,
    score: Option<(Field<i64>, Field<String>)>,
    grade: Option<Field<String>>,
    grade_scale: Option<Field<String>>,
    pass_state: Option<Field<PassState>>,
    attendance: Option<Field<i32>>,
    term: Option<Field<String>>,
    certificate_no: Option<Field<String>>,
    attempt: Option<Field<u32>>,
    mode: Option<Field<DeliveryMode>>,
    assessor_id: Option<Field<InstitutionId>>,
    lineage_key: Option<Field<String>>,
    language: Option<Field<String>>,
    contact_minutes: Option<Field<i32>>,
    notional_minutes: Option<Field<i32>>,
}

impl DetailsRule {
    pub(super) fn compile(form: DetailsForm, lookups: &Lookups) -> Result<Self, MappingError> {
        let DetailsForm {
            catalogue_ref,
            title_zh,
            title_en,
            score,
            score_scale,
            grade,
            grade_scale,
            pass_state: pass,
            attendance_percent,
            term,
            certificate_no,
            attempt: attempts,
            mode: delivery,
            assessor_id,
            lineage_key,
            language: tag,
            contact_minutes,
            notional_minutes,
        } = form;
        if title_zh.is_none() && title_en.is_none() {
            return Err(MappingError::field("details", "needs title_zh or title_en"));
        }
        let scale = ascii::<SCALE_BYTES_MAX>;
        let title = unicode::<TEXT_BYTES_MAX>;
        let score = match (score, score_scale) {
            (Some(score), Some(name)) => Some((
                Field::compile("details.score", score, lookups, score_milli)?,
                Field::compile("details.score_scale", name, lookups, scale)?,
            )),
            (None, None) => None,
            _ => return Err(MappingError::field("details", "needs both score and score_scale, or neither")),
        };
        let reference = ascii::<REFERENCE_BYTES_MAX>;
        let maybe = |name, form: Option<SourceForm>, read| Field::maybe(name, form, lookups, read);
        Ok(Self {
            catalogue_ref: Field::compile("details.catalogue_ref", catalogue_ref, lookups, reference)?,
            title_zh: maybe("details.title_zh", title_zh, title)?,
            title_en: maybe("details.title_en", title_en, title)?,
            score,
            grade: maybe("details.grade", grade, unicode::<GRADE_BYTES_MAX>)?,
            grade_scale: maybe("details.grade_scale", grade_scale, scale)?,
            pass_state: Field::maybe("details.pass_state", pass, lookups, pass_state)?,
            attendance: Field::maybe("details.attendance_percent", attendance_percent, lookups, permille)?,
            term: maybe("details.term", term, ascii::<TERM_BYTES_MAX>)?,
            certificate_no: maybe("details.certificate_no", certificate_no, unicode::<REFERENCE_BYTES_MAX>)?,
            attempt: Field::maybe("details.attempt", attempts, lookups, attempt)?,
            mode: Field::maybe("details.mode", delivery, lookups, mode)?,
            assessor_id: Field::maybe("details.assessor_id", assessor_id, lookups, institution)?,
            lineage_key: maybe("details.lineage_key", lineage_key, reference)?,
            language: maybe("details.language", tag, language)?,
            contact_minutes: Field::maybe("details.contact_minutes", contact_minutes, lookups, minutes)?,
            notional_minutes: Field::maybe("details.notional_minutes", notional_minutes, lookups, minutes)?,
        })
    }

    pub(super) fn needs<'a>(&'a self, needs: &mut Needs<'a>) {
        self.catalogue_ref.needs(needs);
        let texts = [
            &self.title_zh,
            &self.title_en,
            &self.grade,
            &self.grade_scale,
            &self.term,
            &self.certificate_no,
            &self.lineage_key,
            &self.language,
        ];
        for field in texts.into_iter().flatten() {
            field.needs(needs);
        }
        if let Some((score, scale)) = &self.score {
            score.needs(needs);
            scale.needs(needs);
        }
        for field in [&self.attendance, &self.contact_minutes, &self.notional_minutes] {
            needs_of(field.as_ref(), needs);
        }
        needs_of(self.pass_state.as_ref(), needs);
        needs_of(self.attempt.as_ref(), needs);
        needs_of(self.mode.as_ref(), needs);
        needs_of(self.assessor_id.as_ref(), needs);
    }

    pub(super) fn read(&self, cells: &Cells, facts: &RowFacts) -> Result<RecordDetails, BadRow> {
        let text =
            |field: &Option<Field<String>>| value_of(field.as_ref(), cells).map(Option::unwrap_or_default);
        let title = Text { zh: text(&self.title_zh)?, en: text(&self.title_en)? };
        if title.zh.is_empty() && title.en.is_empty() {
            let whole = || BadRow { column: String::new(), field: String::new(), problem: Problem::NoTitle };
            let field = self.title_zh.as_ref().or(self.title_en.as_ref());
            return Err(field.map_or_else(whole, |field| field.bad(Problem::NoTitle)));
        }
        let (score_milli, score_scale_id) = match &self.score {
            Some((score, scale)) => match score.value(cells)? {
                Some(score) => (Some(score), scale.required(cells)?),
                None => (None, String::new()),
            },
            None => (None, String::new()),
        };
        Ok(RecordDetails {
            catalogue_ref: self.catalogue_ref.required(cells)?,
            title,
            score_milli,
            score_scale_id,
            grade: text(&self.grade)?,
            grade_scale_id: text(&self.grade_scale)?,
            pass_state: value_of(self.pass_state.as_ref(), cells)?,
            attendance_permille: value_of(self.attendance.as_ref(), cells)?,
            start_on: facts.start_on,
            end_on: facts.end_on,
            term: text(&self.term)?,
            certificate_no: text(&self.certificate_no)?,
            attempt: value_of(self.attempt.as_ref(), cells)?.unwrap_or(0),
            mode: value_of(self.mode.as_ref(), cells)?,
            assessor_id: value_of(self.assessor_id.as_ref(), cells)?,
            lineage_key: text(&self.lineage_key)?,
            language: text(&self.language)?,
            contact_minutes: value_of(self.contact_minutes.as_ref(), cells)?.unwrap_or(0),
            notional_minutes: value_of(self.notional_minutes.as_ref(), cells)?.unwrap_or(0),
            evidence: Vec::new(),
        })
    }
}

fn score_milli(text: &str) -> Result<i64, Problem> {
    let max = SCORE_MILLI_MAX.checked_div(1_000).unwrap_or_default();
    let out = || Problem::OutOfRange { value: Problem::shown(text), min: max.saturating_neg(), max };
    let score = milli(text)?;
    if (SCORE_MILLI_MAX.saturating_neg()..=SCORE_MILLI_MAX).contains(&score) { Ok(score) } else { Err(out()) }
}

pub(crate) fn permille(text: &str) -> Result<i32, Problem> {
    let permille =
        exact(milli(text)?, 1, 100).ok_or(Problem::TooManyDecimals { value: Problem::shown(text) })?;
    i32::try_from(permille)
        .ok()
        .filter(|permille| (0..=1_000).contains(permille))
        .ok_or_else(|| Problem::OutOfRange { value: Problem::shown(text), min: 0, max: 100 })
}

fn attempt(text: &str) -> Result<u32, Problem> {
    let attempt = whole(text, 1, ATTEMPT_MAX)?;
    u32::try_from(attempt).map_err(|_| Problem::NotWhole { value: Problem::shown(text) })
}

fn minutes(text: &str) -> Result<i32, Problem> {
    let minutes = whole(text, 0, i64::from(MINUTES_MAX))?;
    i32::try_from(minutes).map_err(|_| Problem::NotWhole { value: Problem::shown(text) })
}
