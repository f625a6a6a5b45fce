//! What the city's institutions attest.

use super::frameworks::{credits_milli, scheme_id};
use super::institutions::{framework_id, institution_id, level, one_of};
use super::{SampleError, TextForm, parse};
use crate::mapping::{HOUR_KINDS, MODES, RECORD_KINDS};
use credit_types::{Amount, Credits, DeliveryMode, InstitutionId, Level, Minutes, RecordKind, Text};
use serde::Deserialize;

macro_rules! files {
    ($($name:literal),+) => {
        [$((
            concat!("catalogue/", $name),
            include_str!(concat!("../../../../ledger-data/catalogue/", $name)),
        )),+]
    };
}

const FILES: [(&str, &str); 10] = files![
    "formal.toml",
    "nondegree.toml",
    "skill.toml",
    "xcert.toml",
    "qualification.toml",
    "exam.toml",
    "cpd.toml",
    "activity.toml",
    "experience.toml",
    "award.toml"
];

/// How an item is assessed, and so what a record of it says of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assessment {
    /// A score out of 100, 60 to pass.
    Score100,
    /// 优秀, 良好, 中等 or 及格.
    Grade5,
    /// 优秀, 良好 or 合格.
    Grade3,
    /// Passed, without a score.
    PassFail,
    /// Took part; not assessed.
    Participation,
    /// Nothing is said.
    Unstated,
}

const ASSESSMENTS: [(&str, Assessment); 6] = [
    ("SCORE_100", Assessment::Score100),
    ("GRADE_5", Assessment::Grade5),
    ("GRADE_3", Assessment::Grade3),
    ("PASS_FAIL", Assessment::PassFail),
    ("PARTICIPATION", Assessment::Participation),
    ("NONE", Assessment::Unstated),
];

/// One item of the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueItem {
    /// Its code and version, `code@version`.
    pub(crate) catalogue_ref: String,
    /// What a record of it is.
    pub(crate) kind: RecordKind,
    /// Its title.
    pub(crate) title: Text,
    /// Who attests it; at least one.
    pub(crate) issuers: Vec<InstitutionId>,
    /// Subject code; empty if it has an occupation.
    pub(crate) subject_code: String,
    /// Occupation code; empty if it has a subject.
    pub(crate) occupation_code: String,
    /// Its credit.
    pub(crate) amount: Option<Amount>,
    /// Its level.
    pub(crate) level: Option<Level>,
    /// Its learning time.
    pub(crate) minutes: Option<Minutes>,
    /// How it is assessed.
    pub(crate) assessment: Assessment,
    /// How it is delivered.
    pub(crate) mode: DeliveryMode,
    /// Its family; empty if it has none.
    pub(crate) lineage_key: String,
    /// Years a record of it is valid; 0: the issuer's default.
    pub(crate) validity_years: u32,
    /// Whether a numbered certificate is given.
    pub(crate) certificate: bool,
    /// Whether it is offered for conversion.
    pub(crate) credit_eligible: bool,
    /// Language of instruction.
    pub(crate) language: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    item: Vec<ItemForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemForm {
    code: String,
    version: u32,
    kind: String,
    title: TextForm,
    issuers: Vec<String>,
    #[serde(default)]
    subject_code: String,
    #[serde(default)]
    occupation_code: String,
    amount: Option<AmountForm>,
    level: Option<LevelForm>,
    minutes: Option<MinutesForm>,
    assessment: String,
    mode: String,
    #[serde(default)]
    lineage_key: String,
    #[serde(default)]
    validity_years: u32,
    certificate: bool,
    credit_eligible: bool,
    language: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountForm {
    scheme: String,
    credits: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelForm {
    framework: String,
    level: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MinutesForm {
    hour_kind: String,
    minutes: i32,
    class_hour_minutes: i32,
}

pub(super) fn load() -> Result<Vec<CatalogueItem>, SampleError> {
    let mut items = Vec::new();
    for (file, text) in FILES {
        let form: FileForm = parse(file, text)?;
        for item in form.item {
            items.push(catalogue_item(item)?);
        }
    }
    Ok(items)
}

fn catalogue_item(form: ItemForm) -> Result<CatalogueItem, SampleError> {
    let amount = match form.amount {
        Some(AmountForm { scheme, credits }) => Some(Amount {
            scheme: scheme_id(&scheme)?,
            credits: Credits::from_milli(credits_milli(&credits)?)
                .map_err(|problem| SampleError::value("credits", &credits, problem))?,
        }),
        None => None,
    };
    let item_level = match form.level {
        Some(LevelForm { framework, level: text }) => {
            Some(Level { framework: framework_id(&framework)?, tenths: level(&text)? })
        }
        None => None,
    };
    let minutes = match form.minutes {
        Some(MinutesForm { hour_kind, minutes, class_hour_minutes }) => Some(Minutes {
            hour_kind: one_of("hour kind", &HOUR_KINDS, &hour_kind)?,
            minutes,
            class_hour_minutes,
        }),
        None => None,
    };
    Ok(CatalogueItem {
        catalogue_ref: format!("{}@{}", form.code, form.version),
        kind: one_of("record kind", &RECORD_KINDS, &form.kind)?,
        title: form.title.text(),
        issuers: form.issuers.iter().map(|id| institution_id(id)).collect::<Result<_, _>>()?,
        subject_code: form.subject_code,
        occupation_code: form.occupation_code,
        amount,
        level: item_level,
        minutes,
        assessment: one_of("assessment", &ASSESSMENTS, &form.assessment)?,
        mode: one_of("mode", &MODES, &form.mode)?,
        lineage_key: form.lineage_key,
        validity_years: form.validity_years,
        certificate: form.certificate,
        credit_eligible: form.credit_eligible,
        language: form.language,
    })
}
