//! The qualification frameworks and credit schemes that the city uses.

use super::institutions::{framework_id, level, one_of};
use super::{SampleError, TextForm, parse};
use crate::mapping::milli;
use credit_types::{CreditScheme, FrameworkPublication, LevelScale, SchemeId, SchemeKind};
use serde::Deserialize;

macro_rules! files {
    ($($name:literal),+) => {
        [$((
            concat!("frameworks/", $name),
            include_str!(concat!("../../../../ledger-data/frameworks/", $name)),
        )),+]
    };
}

const FILES: [(&str, &str); 14] = files![
    "cn-cpd.toml",
    "cn-gd-qf.toml",
    "cn-nqf.toml",
    "cn-skill8.toml",
    "eu-ects.toml",
    "hk-qf.toml",
    "in-ncrf.toml",
    "kr-acbs.toml",
    "tw-credit.toml",
    "uk-fheq.toml",
    "uk-scqf.toml",
    "us-ceu.toml",
    "us-credit.toml",
    "za-nqf.toml"
];

const KINDS: [(&str, SchemeKind); 3] =
    [("CREDIT", SchemeKind::Credit), ("HOUR", SchemeKind::Hour), ("POINT", SchemeKind::Point)];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameworkForm {
    framework_id: String,
    version: u32,
    title: TextForm,
    levels: Option<ScaleForm>,
    #[serde(default)]
    scheme: Vec<SchemeForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScaleForm {
    min: String,
    max: String,
    step: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeForm {
    scheme_id: String,
    kind: String,
    step: String,
    notional_minutes: i32,
    label: TextForm,
}

pub(super) fn load() -> Result<Vec<FrameworkPublication>, SampleError> {
    FILES.into_iter().map(|(file, text)| read(file, text)).collect()
}

/// Reads the file of a framework.
pub(crate) fn read(file: &'static str, text: &str) -> Result<FrameworkPublication, SampleError> {
    publication(parse(file, text)?)
}

fn publication(form: FrameworkForm) -> Result<FrameworkPublication, SampleError> {
    let FrameworkForm { framework_id: id, version, title, levels, scheme } = form;
    let levels = match levels {
        Some(ScaleForm { min, max, step }) => Some(LevelScale {
            min_tenths: level(&min)?,
            max_tenths: level(&max)?,
            step_tenths: level(&step)?,
        }),
        None => None,
    };
    Ok(FrameworkPublication {
        framework_id: framework_id(&id)?,
        version,
        title: title.text(),
        schemes: scheme.into_iter().map(credit_scheme).collect::<Result<_, _>>()?,
        levels,
    })
}

fn credit_scheme(form: SchemeForm) -> Result<CreditScheme, SampleError> {
    let SchemeForm { scheme_id: id, kind, step, notional_minutes, label } = form;
    Ok(CreditScheme {
        scheme_id: scheme_id(&id)?,
        kind: one_of("scheme kind", &KINDS, &kind)?,
        step_milli: credits_milli(&step)?,
        notional_minutes,
        label: label.text(),
    })
}

pub(super) fn scheme_id(text: &str) -> Result<SchemeId, SampleError> {
    SchemeId::new(text).map_err(|problem| SampleError::value("scheme", text, problem))
}

pub(super) fn credits_milli(text: &str) -> Result<i64, SampleError> {
    milli(text).map_err(|problem| SampleError::value("credits", text, problem.text().en))
}
