//! The institutions of the city.

use super::{SampleError, TextForm, parse};
use crate::mapping::{RECORD_KINDS, level_tenths, named};
use credit_types::{
    Accreditation, CivilDate, FrameworkId, InstitutionAdmission, InstitutionId, InstitutionKind, LevelRange,
    Role,
};
use serde::Deserialize;
use std::collections::BTreeSet;

const FILES: [(&str, &str); 2] = [
    ("institutions/city.toml", include_str!("../../../../ledger-data/institutions/city.toml")),
    ("institutions/communities.toml", include_str!("../../../../ledger-data/institutions/communities.toml")),
];

const KINDS: [(&str, InstitutionKind); 10] = [
    ("UNIVERSITY", InstitutionKind::University),
    ("VOCATIONAL_COLLEGE", InstitutionKind::VocationalCollege),
    ("VOCATIONAL_SCHOOL", InstitutionKind::VocationalSchool),
    ("TRAINING_PROVIDER", InstitutionKind::TrainingProvider),
    ("INDUSTRY_ASSOCIATION", InstitutionKind::IndustryAssociation),
    ("COMMUNITY_COLLEGE", InstitutionKind::CommunityCollege),
    ("EVALUATION_BODY", InstitutionKind::EvaluationBody),
    ("EMPLOYER", InstitutionKind::Employer),
    ("AUTHORITY", InstitutionKind::Authority),
    ("CREDIT_BANK", InstitutionKind::CreditBank),
];

const ROLES: [(&str, Role); 7] = [
    ("ISSUER", Role::Issuer),
    ("EVALUATOR", Role::Evaluator),
    ("ACCEPTOR", Role::Acceptor),
    ("AWARDER", Role::Awarder),
    ("REGISTRAR", Role::Registrar),
    ("REGULATOR", Role::Regulator),
    ("WITNESS", Role::Witness),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    institution: Vec<InstitutionForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstitutionForm {
    institution_id: String,
    name: TextForm,
    kind: String,
    roles: Vec<String>,
    district_code: String,
    parent_id: Option<String>,
    #[serde(default)]
    usci: String,
    default_validity_years: u32,
    #[serde(default)]
    accreditation: Vec<AccreditationForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccreditationForm {
    accreditation_no: String,
    authority: String,
    kinds: Vec<String>,
    #[serde(default)]
    levels: Vec<LevelRangeForm>,
    #[serde(default)]
    subject_prefixes: BTreeSet<String>,
    #[serde(default)]
    occupation_prefixes: BTreeSet<String>,
    valid_from: String,
    valid_to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelRangeForm {
    framework: String,
    min: String,
    max: String,
}

pub(super) fn load() -> Result<Vec<InstitutionAdmission>, SampleError> {
    let mut institutions = Vec::new();
    for (file, text) in FILES {
        institutions.extend(read(file, text)?);
    }
    Ok(institutions)
}

/// Reads a file of institutions, in its order; they come without keys.
pub(crate) fn read(file: &'static str, text: &str) -> Result<Vec<InstitutionAdmission>, SampleError> {
    let form: FileForm = parse(file, text)?;
    form.institution.into_iter().map(admission).collect()
}

pub(super) fn institution_id(text: &str) -> Result<InstitutionId, SampleError> {
    InstitutionId::new(text).map_err(|problem| SampleError::value("institution", text, problem))
}

fn admission(form: InstitutionForm) -> Result<InstitutionAdmission, SampleError> {
    let InstitutionForm {
        institution_id: id,
        name,
        kind,
        roles,
        district_code,
        parent_id,
        usci,
        default_validity_years,
        accreditation,
    } = form;
    Ok(InstitutionAdmission {
        institution_id: institution_id(&id)?,
        kind: one_of("institution kind", &KINDS, &kind)?,
        roles: roles.iter().map(|role| one_of("role", &ROLES, role)).collect::<Result<_, _>>()?,
        district_code,
        parent_id: parent_id.as_deref().map(institution_id).transpose()?,
        name: name.text(),
        usci,
        accreditations: accreditation.into_iter().map(accredited).collect::<Result<_, _>>()?,
        keys: Vec::new(),
        default_validity_years,
    })
}

fn accredited(form: AccreditationForm) -> Result<Accreditation, SampleError> {
    let AccreditationForm {
        accreditation_no,
        authority,
        kinds,
        levels,
        subject_prefixes,
        occupation_prefixes,
        valid_from,
        valid_to,
    } = form;
    Ok(Accreditation {
        accreditation_no,
        authority,
        kinds: kinds
            .iter()
            .map(|kind| one_of("record kind", &RECORD_KINDS, kind))
            .collect::<Result<_, _>>()?,
        levels: levels.into_iter().map(level_range).collect::<Result<_, _>>()?,
        subject_prefixes,
        occupation_prefixes,
        valid_from: date(&valid_from)?,
        valid_to: valid_to.as_deref().map(date).transpose()?,
    })
}

fn level_range(form: LevelRangeForm) -> Result<LevelRange, SampleError> {
    Ok(LevelRange {
        framework: framework_id(&form.framework)?,
        min_tenths: level(&form.min)?,
        max_tenths: level(&form.max)?,
    })
}

pub(super) fn framework_id(text: &str) -> Result<FrameworkId, SampleError> {
    FrameworkId::new(text).map_err(|problem| SampleError::value("framework", text, problem))
}

pub(super) fn level(text: &str) -> Result<i32, SampleError> {
    level_tenths(text).map_err(|problem| SampleError::value("level", text, problem.text().en))
}

fn date(text: &str) -> Result<CivilDate, SampleError> {
    text.parse().map_err(|problem| SampleError::value("date", text, problem))
}

pub(super) fn one_of<T: Copy>(
    what: &'static str,
    names: &[(&'static str, T)],
    text: &str,
) -> Result<T, SampleError> {
    named(names, text).ok_or_else(|| SampleError::value(what, text, "is not known"))
}
