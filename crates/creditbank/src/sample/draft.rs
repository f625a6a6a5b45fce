//! One record of the demonstration year.

use super::catalogue::{Assessment, CatalogueItem};
use super::splitmix::SplitMix;
use crate::mapping::DraftRecord;
use credit_types::date::NoSuchDate;
use credit_types::{
    CivilDate, Digest, Evidence, HourKind, InstitutionAdmission, PassState, RecordDetails, RecordKind,
};

/// Who awards what, when.
pub(super) struct Award<'a> {
    pub(super) item: &'a CatalogueItem,
    pub(super) issuer: &'a InstitutionAdmission,
    pub(super) awarded_on: CivilDate,
    /// The record's index in the year.
    pub(super) index: u64,
    pub(super) row_key: Vec<u8>,
    /// The learner's number at the issuer.
    pub(super) number: String,
}

/// The record of an award.
pub(super) fn draft(award: Award, draws: &mut SplitMix) -> Result<DraftRecord, NoSuchDate> {
    let Award { item, issuer, awarded_on, index, row_key, number } = award;
    let valid_until = match item.validity_years {
        0 => None,
        years => Some(awarded_on.plus_years(years)?),
    };
    let (lasts_days, waits_days) = lengths(item.kind, draws);
    let end_on = CivilDate::from_days(awarded_on.days().saturating_sub(waits_days))?;
    let start_on = CivilDate::from_days(end_on.days().saturating_sub(lasts_days))?;
    let of_hours = |kind: HourKind| {
        item.minutes.filter(|minutes| minutes.hour_kind == kind).map_or(0, |minutes| minutes.minutes)
    };
    let mut details = RecordDetails {
        catalogue_ref: item.catalogue_ref.clone(),
        title: item.title.clone(),
        start_on: Some(start_on),
        end_on: Some(end_on),
        mode: Some(item.mode),
        lineage_key: item.lineage_key.clone(),
        language: item.language.clone(),
        contact_minutes: of_hours(HourKind::Contact),
        notional_minutes: of_hours(HourKind::Notional),
        ..RecordDetails::default()
    };
    assess(item.assessment, draws, &mut details);
    describe(item.kind, awarded_on, draws, &mut details);
    if item.certificate {
        let district = &issuer.district_code;
        details.certificate_no = format!("YJ{district}-{}-{index:09}", awarded_on.year());
    }
    if item.kind == RecordKind::Experience {
        details.evidence = evidence(issuer, index, draws);
    }
    Ok(DraftRecord {
        row_key,
        learner_number: number,
        kind: item.kind,
        amount: item.amount.clone(),
        minutes: item.minutes,
        level: item.level.clone(),
        subject_code: item.subject_code.clone(),
        occupation_code: item.occupation_code.clone(),
        awarded_on,
        valid_until,
        credit_eligible: item.credit_eligible,
        details,
    })
}

/// Days of learning, and days from its end to the award.
fn lengths(kind: RecordKind, draws: &mut SplitMix) -> (i32, i32) {
    let (lasts, waits) = (draws.small(30), draws.small(10));
    match kind {
        RecordKind::FormalCourse => (lasts.saturating_add(105), waits),
        RecordKind::NondegreeCourse | RecordKind::Cpd => (lasts.saturating_add(5), waits),
        RecordKind::SkillGrade | RecordKind::XCert | RecordKind::Qualification | RecordKind::Exam => {
            (0, waits.saturating_add(20))
        }
        RecordKind::Activity | RecordKind::Award => (0, 0),
        RecordKind::Experience => (lasts.saturating_add(730), waits),
    }
}

fn assess(assessment: Assessment, draws: &mut SplitMix, details: &mut RecordDetails) {
    let passed = Some(PassState::Passed);
    match assessment {
        Assessment::Score100 => {
            // Two draws: middling scores are the most frequent.
            let score = draws.below(21).saturating_add(draws.below(21)).saturating_add(60);
            let half = if score < 100 { draws.below(2).saturating_mul(500) } else { 0 };
            details.score_milli = i64::try_from(score.saturating_mul(1_000).saturating_add(half)).ok();
            "cn.pct100".clone_into(&mut details.score_scale_id);
            details.pass_state = passed;
        }
        Assessment::Grade5 => {
            let grades = ["优秀", "良好", "良好", "中等", "中等", "及格"];
            draws.pick(&grades).copied().unwrap_or_default().clone_into(&mut details.grade);
            "cn.five".clone_into(&mut details.grade_scale_id);
            details.pass_state = passed;
        }
        Assessment::Grade3 => {
            let grades = ["优秀", "良好", "合格", "合格"];
            draws.pick(&grades).copied().unwrap_or_default().clone_into(&mut details.grade);
            "cn.three".clone_into(&mut details.grade_scale_id);
            details.pass_state = passed;
        }
        Assessment::PassFail => details.pass_state = passed,
        Assessment::Participation => details.pass_state = Some(PassState::NotAssessed),
        Assessment::Unstated => {}
    }
}

/// What records of some kinds say besides.
fn describe(kind: RecordKind, awarded_on: CivilDate, draws: &mut SplitMix, details: &mut RecordDetails) {
    match kind {
        RecordKind::FormalCourse => {
            // What is awarded by February was taught in the autumn before.
            let (year, half) = match awarded_on.month() {
                1 | 2 => (awarded_on.year().saturating_sub(1), 2),
                3..=8 => (awarded_on.year(), 1),
                _ => (awarded_on.year(), 2),
            };
            details.term = format!("{year}-{half}");
            details.attempt = if draws.below(12) == 0 { 2 } else { 1 };
            details.attendance_permille = Some(draws.small(201).saturating_add(800));
        }
        RecordKind::NondegreeCourse => {
            details.attendance_permille = Some(draws.small(251).saturating_add(750));
        }
        RecordKind::SkillGrade | RecordKind::XCert | RecordKind::Qualification | RecordKind::Exam => {
            details.attempt = if draws.below(6) == 0 { 2 } else { 1 };
        }
        RecordKind::Cpd | RecordKind::Activity | RecordKind::Experience | RecordKind::Award => {}
    }
}

fn evidence(issuer: &InstitutionAdmission, index: u64, draws: &mut SplitMix) -> Vec<Evidence> {
    let count = draws.below(2).saturating_add(1);
    let mut evidence = Vec::new();
    for number in 1..=count {
        let mut sha256 = [0_u8; 32];
        for piece in sha256.chunks_exact_mut(8) {
            piece.copy_from_slice(&draws.next().to_be_bytes());
        }
        evidence.push(Evidence {
            sha256: Digest(sha256),
            media_type: "application/pdf".to_owned(),
            size_bytes: draws.below(2_000_000).saturating_add(20_000),
            location: format!("archive/{}/{index:09}-{number}.pdf", issuer.institution_id),
        });
    }
    evidence
}
