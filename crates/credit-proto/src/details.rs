//! The secret parts of a record and of a status change.

use credit_types::limits::{
    ATTEMPT_MAX, ATTENDANCE_PERMILLE_MAX, EVIDENCE_MAX, GRADE_BYTES_MAX, LANGUAGE_BYTES_MAX,
    LOCATION_BYTES_MAX, MEDIA_TYPE_BYTES_MAX, MINUTES_MAX, REFERENCE_BYTES_MAX, SCALE_ID_BYTES_MAX,
    TERM_BYTES_MAX,
};
use credit_types::{Digest, Evidence, InstitutionId, RecordDetails, Text};

use crate::enumeration::optional_number;
use crate::field::{
    ascii, count, date_wire, ensure, optional_coded, optional_date, optional_enumeration, optional_named,
    range, sized, text, text_wire, words,
};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::Stage;
use crate::statement::Secret;
use crate::v1;

impl Secret for RecordDetails {
    const TYPE: &'static str = payload_type::RECORD_DETAILS;
    type Wire = v1::RecordDetails;

    fn to_wire(&self) -> v1::RecordDetails {
        v1::RecordDetails {
            catalogue_ref: self.catalogue_ref.clone(),
            title: text_wire(&self.title),
            score_milli: self.score_milli,
            score_scale_id: self.score_scale_id.clone(),
            grade: self.grade.clone(),
            grade_scale_id: self.grade_scale_id.clone(),
            pass_state: optional_number(self.pass_state),
            attendance_permille: self.attendance_permille,
            start_on: self.start_on.map(date_wire),
            end_on: self.end_on.map(date_wire),
            term: self.term.clone(),
            certificate_no: self.certificate_no.clone(),
            attempt: self.attempt,
            mode: optional_number(self.mode),
            assessor_id: self.assessor_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            lineage_key: self.lineage_key.clone(),
            language: self.language.clone(),
            contact_minutes: self.contact_minutes,
            notional_minutes: self.notional_minutes,
            evidence: self.evidence.iter().map(evidence_wire).collect(),
        }
    }

    fn from_wire(wire: v1::RecordDetails, stage: Stage) -> Result<Self, InvalidField> {
        let v1::RecordDetails {
            catalogue_ref,
            title,
            score_milli,
            score_scale_id,
            grade,
            grade_scale_id,
            pass_state,
            attendance_permille,
            start_on,
            end_on,
            term,
            certificate_no,
            attempt,
            mode,
            assessor_id,
            lineage_key,
            language,
            contact_minutes,
            notional_minutes,
            evidence,
        } = wire;
        let scaled = score_milli.is_some() != score_scale_id.is_empty();
        ensure(scaled, "score_scale_id", "must be present with a score and only then: set both or neither")?;
        if let Some(permille) = attendance_permille {
            range("attendance_permille", permille, 0..=ATTENDANCE_PERMILLE_MAX)?;
        }
        Ok(Self {
            catalogue_ref: ascii("catalogue_ref", catalogue_ref, 1..=REFERENCE_BYTES_MAX)?,
            title: text("title", title, stage)?,
            score_milli,
            score_scale_id: ascii("score_scale_id", score_scale_id, 0..=SCALE_ID_BYTES_MAX)?,
            grade: words("grade", grade, GRADE_BYTES_MAX, stage)?,
            grade_scale_id: ascii("grade_scale_id", grade_scale_id, 0..=SCALE_ID_BYTES_MAX)?,
            pass_state: optional_enumeration("pass_state", pass_state)?,
            attendance_permille,
            start_on: optional_date("start_on", start_on)?,
            end_on: optional_date("end_on", end_on)?,
            term: ascii("term", term, 0..=TERM_BYTES_MAX)?,
            certificate_no: words("certificate_no", certificate_no, REFERENCE_BYTES_MAX, stage)?,
            attempt: range("attempt", attempt, 0..=ATTEMPT_MAX)?,
            mode: optional_enumeration("mode", mode)?,
            assessor_id: optional_named("assessor_id", assessor_id, InstitutionId::new)?,
            lineage_key: ascii("lineage_key", lineage_key, 0..=REFERENCE_BYTES_MAX)?,
            language: optional_coded("language", language, LANGUAGE_FORM, is_language)?,
            contact_minutes: range("contact_minutes", contact_minutes, 0..=MINUTES_MAX)?,
            notional_minutes: range("notional_minutes", notional_minutes, 0..=MINUTES_MAX)?,
            evidence: evidence_list(evidence)?,
        })
    }
}

const LANGUAGE_FORM: &str = "at most 16 letters, digits and hyphens (BCP 47)";

fn is_language(text: &str) -> bool {
    let subtag = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= LANGUAGE_BYTES_MAX && text.split('-').all(subtag)
}

fn evidence_list(wires: Vec<v1::Evidence>) -> Result<Vec<Evidence>, InvalidField> {
    count("evidence", &wires, 0..=EVIDENCE_MAX)?;
    let mut list = Vec::with_capacity(wires.len());
    for (position, wire) in wires.into_iter().enumerate() {
        list.push(evidence(wire).at_element("evidence", position)?);
    }
    Ok(list)
}

fn evidence(wire: v1::Evidence) -> Result<Evidence, InvalidField> {
    let v1::Evidence { sha256, media_type, size_bytes, location } = wire;
    Ok(Evidence {
        sha256: sized("sha256", &sha256, Digest::from_slice)?,
        media_type: ascii("media_type", media_type, 1..=MEDIA_TYPE_BYTES_MAX)?,
        size_bytes,
        location: ascii("location", location, 0..=LOCATION_BYTES_MAX)?,
    })
}

fn evidence_wire(evidence: &Evidence) -> v1::Evidence {
    let Evidence { sha256, media_type, size_bytes, location } = evidence;
    v1::Evidence {
        sha256: sha256.0.to_vec(),
        media_type: media_type.clone(),
        size_bytes: *size_bytes,
        location: location.clone(),
    }
}

/// The explanation of a status change or correction.
impl Secret for Text {
    const TYPE: &'static str = payload_type::STATUS_EXPLANATION;
    type Wire = v1::StatusExplanation;

    fn to_wire(&self) -> v1::StatusExplanation {
        v1::StatusExplanation { text: text_wire(self) }
    }

    fn from_wire(wire: v1::StatusExplanation, stage: Stage) -> Result<Self, InvalidField> {
        let v1::StatusExplanation { text: words } = wire;
        text("text", words, stage)
    }
}
